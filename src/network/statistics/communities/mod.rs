//! Communities: groups of genes with more edges among themselves than chance would have it.
//!
//! The Leiden algorithm (Traag, Waltman and van Eck 2019) with modularity (Newman 2004) at resolution 1, on the undirected
//! network whose edges weigh as much as both directions together.

mod leiden;
mod weighted;

use super::Topology;
use crate::jobs::{Cancelled, Progress};
use crate::random;
use weighted::Weighted;

/// Passes of the algorithm, each starting from the communities of the last; it ends before when nothing changes.
const MOST_PASSES: usize = 10;

/// The communities of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Communities {
    /// The community of each gene, by its position in the network; none without an edge. 0 is the largest; of equal ones
    /// the one with the earlier gene comes first.
    pub of_gene: Vec<Option<u32>>,
    /// How many there are.
    pub count: usize,
    /// Share of the weight within communities beyond what chance would put there.
    pub modularity: f64,
}

/// The communities of `topology`, reproducible by `seed`. About O(edges) a pass.
///
/// # Errors
/// When cancelled.
pub fn communities(topology: &Topology, seed: u64, progress: &dyn Progress) -> Result<Communities, Cancelled> {
    let graph = Weighted::of(topology);
    let mut random = random::stream(seed, "communities");
    let mut communities: Vec<u32> = (0..graph.nodes() as u32).collect();
    for pass in 0..MOST_PASSES {
        progress.stage("Finding communities", Some(pass as f32 / MOST_PASSES as f32));
        if !leiden::pass(&graph, &mut communities, &mut random, progress)? {
            break;
        }
    }
    let count = by_size(&mut communities);
    let modularity = graph.modularity(&communities);
    let of_nodes: Vec<Option<u32>> = communities.into_iter().map(Some).collect();
    Ok(Communities { of_gene: topology.by_gene(&of_nodes, None), count, modularity })
}

/// Numbers communities by falling size, then by their first node; how many there are.
fn by_size(communities: &mut [u32]) -> usize {
    let count = communities.iter().max().map_or(0, |last| *last as usize + 1);
    let mut sizes = vec![(0_usize, usize::MAX); count];
    for (node, &community) in communities.iter().enumerate() {
        let (size, first) = &mut sizes[community as usize];
        *size += 1;
        *first = (*first).min(node);
    }
    let mut order: Vec<usize> = (0..count).filter(|&community| sizes[community].0 > 0).collect();
    order.sort_by_key(|&community| (std::cmp::Reverse(sizes[community].0), sizes[community].1));
    let mut number = vec![0; count];
    order.iter().enumerate().for_each(|(at, &community)| number[community] = at as u32);
    communities.iter_mut().for_each(|community| *community = number[*community as usize]);
    order.len()
}
