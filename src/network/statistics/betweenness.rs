//! Betweenness (Freeman 1977) by Brandes' algorithm (2001): on how many shortest paths a gene lies.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::seq::index;
use rayon::prelude::*;

use super::Topology;
use crate::jobs::{Cancelled, Progress};
use crate::random;

/// Steps along edges and genes (two or three seconds on two cores) that the sum over all sources may take before sources are sampled.
const MOST_STEPS: usize = 300_000_000;
/// Fewest sources of a sample.
const FEWEST_SOURCES: usize = 128;
/// Sums of sources that are made apart, so that the result does not depend on the number of threads.
const PARTS: usize = 64;

/// Betweenness of every gene.
#[derive(Clone, Debug, PartialEq)]
pub struct Betweenness {
    /// Share of the shortest directed paths between two other genes that lead through the gene, by its position in the
    /// network, 0 to 1.
    pub values: Vec<f64>,
    /// Number of genes from which paths were followed.
    pub sources: usize,
    /// Number of genes with an edge.
    pub genes: usize,
}

impl Betweenness {
    /// Whether paths were followed from all genes; else the values are estimates from a sample.
    pub fn is_exact(&self) -> bool {
        self.sources == self.genes
    }
}

/// The betweenness of every gene: directed, every edge one step long, divided by the number of ordered pairs of other
/// genes. O(genes × (genes + edges)); where that exceeds 300 million steps, paths are followed only from a sample of
/// genes drawn by `seed`, and the sums scaled so that their expectation is right (Brandes and Pich 2007).
///
/// # Errors
/// When cancelled.
pub fn betweenness(topology: &Topology, seed: u64, progress: &dyn Progress) -> Result<Betweenness, Cancelled> {
    let affordable = (MOST_STEPS / (topology.nodes() + topology.edges()).max(1)).max(FEWEST_SOURCES);
    from_sources(topology, affordable, seed, progress)
}

/// The same with at most `most` sources.
pub(super) fn from_sources(
    topology: &Topology,
    most: usize,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Betweenness, Cancelled> {
    let nodes = topology.nodes();
    let sources: Vec<usize> = if nodes <= most {
        (0..nodes).collect()
    } else {
        let mut drawn = index::sample(&mut random::stream(seed, "betweenness"), nodes, most).into_vec();
        drawn.sort_unstable();
        drawn
    };
    let done = AtomicUsize::new(0);
    let part = |sources: &[usize]| -> Result<Vec<f64>, Cancelled> {
        let mut paths = Paths::new(nodes);
        let mut sums = vec![0.0; nodes];
        for &source in sources {
            progress.check()?;
            paths.follow(topology, source, &mut sums);
        }
        let done = done.fetch_add(sources.len(), Ordering::Relaxed) + sources.len();
        progress.report(crate::jobs::ProgressUpdate {
            stage: "Counting shortest paths".to_owned(),
            fraction: Some(done as f32 / nodes.min(most) as f32),
        });
        Ok(sums)
    };
    let parts: Vec<Vec<f64>> =
        sources.par_chunks(sources.len().div_ceil(PARTS).max(1)).map(part).collect::<Result<_, _>>()?;

    let mut sums = vec![0.0; nodes];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    // A gene is on no path from itself: of the others' paths, those from all sources but itself were counted.
    let mut counted = vec![sources.len(); nodes];
    sources.iter().for_each(|&source| counted[source] -= 1);
    let targets = nodes.saturating_sub(2).max(1) as f64;
    for (sum, counted) in sums.iter_mut().zip(counted) {
        *sum /= targets * counted.max(1) as f64;
    }
    Ok(Betweenness { values: topology.by_gene(&sums, 0.0), sources: sources.len(), genes: nodes })
}

/// The shortest paths from one source, with the memory to follow the next.
struct Paths {
    nodes: Vec<Node>,
    /// Nodes reached, by rising distance.
    order: Vec<u32>,
}

/// What is known of one gene; together, because it is read together.
#[derive(Clone, Copy)]
struct Node {
    /// Shortest paths from the source.
    count: f64,
    /// What each of them brings to the gene before: one path that ends here and what leads on.
    onward: f64,
    /// Steps from the source.
    steps: u32,
}

const UNREACHED: Node = Node { count: 0.0, onward: 0.0, steps: u32::MAX };

impl Paths {
    fn new(nodes: usize) -> Self {
        Self { nodes: vec![UNREACHED; nodes], order: Vec::with_capacity(nodes) }
    }

    /// Adds to `sums` each gene's share of the shortest paths from `source` to every other gene.
    fn follow(&mut self, topology: &Topology, source: usize, sums: &mut [f64]) {
        let nodes = &mut self.nodes;
        for &node in &self.order {
            nodes[node as usize] = UNREACHED;
        }
        self.order.clear();
        self.order.push(source as u32);
        nodes[source] = Node { count: 1.0, onward: 0.0, steps: 0 };
        let mut at = 0;
        while let Some(&node) = self.order.get(at) {
            at += 1;
            let Node { count, steps, .. } = nodes[node as usize];
            for &target in topology.targets(node as usize) {
                let known = &mut nodes[target as usize];
                if known.steps == UNREACHED.steps {
                    known.steps = steps + 1;
                    self.order.push(target);
                }
                if known.steps == steps + 1 {
                    known.count += count;
                }
            }
        }
        for &node in self.order[1..].iter().rev() {
            let Node { count, steps, .. } = nodes[node as usize];
            let next = topology.targets(node as usize).iter().map(|&target| nodes[target as usize]);
            let share = count * next.filter(|next| next.steps == steps + 1).map(|next| next.onward).sum::<f64>();
            nodes[node as usize].onward = (1.0 + share) / count;
            sums[node as usize] += share;
        }
    }
}
