//! PageRank (Page, Brin, Motwani and Winograd 1999): where a walker along the edges is found.

use super::Topology;
use crate::jobs::{Cancelled, Progress};

/// Share of the walker's steps that follow an edge; the others go to any gene.
const DAMPING: f64 = 0.85;
/// Largest sum of changes at which the shares have settled.
const TOLERANCE: f64 = 1e-10;
/// Each step shrinks the error by the damping: 300 steps shrink it by 10²¹.
const MOST_STEPS: usize = 300;

/// The PageRank of every gene, by its position in the network; 0 without an edge. At each step the walker follows an edge
/// out of the gene it is at, chosen by probability as weight, with a chance of 0.85, else (and from genes without targets)
/// it goes to any gene with an edge. O(edges) a step, at most 300 steps.
///
/// # Errors
/// When cancelled.
pub fn page_rank(topology: &Topology, progress: &dyn Progress) -> Result<Vec<f64>, Cancelled> {
    let nodes = topology.nodes();
    let strengths: Vec<f64> =
        (0..nodes).map(|node| topology.weighted_targets(node).map(|(_, weight)| weight).sum()).collect();
    let mut shares = vec![1.0 / nodes as f64; nodes];
    let mut next = vec![0.0; nodes];
    for _ in 0..MOST_STEPS {
        progress.check()?;
        let stranded: f64 = (0..nodes).filter(|&node| strengths[node] == 0.0).map(|node| shares[node]).sum();
        next.fill((DAMPING * stranded + 1.0 - DAMPING) / nodes as f64);
        for node in (0..nodes).filter(|&node| strengths[node] > 0.0) {
            let given = DAMPING * shares[node] / strengths[node];
            for (target, weight) in topology.weighted_targets(node) {
                next[target] += given * weight;
            }
        }
        let change: f64 = shares.iter().zip(&next).map(|(old, new)| (old - new).abs()).sum();
        std::mem::swap(&mut shares, &mut next);
        if change < TOLERANCE {
            break;
        }
    }
    Ok(topology.by_gene(&shares, 0.0))
}
