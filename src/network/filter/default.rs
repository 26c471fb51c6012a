//! What is shown before the user chose anything.

use super::NetworkFilter;
use crate::network::Grn;

/// Fewest and most edges of a first view, and edges per connected gene beyond which it stops growing.
const FIRST_VIEW: (usize, usize) = (40, 120);
const EDGES_PER_GENE: f64 = 1.5;

/// A readable first view: the best edges, from 40 (or all there are) to 120, as many as keep at most 1.5 edges per
/// connected gene. Edges that share the last one's probability exactly are not split between shown and hidden where
/// that is possible within the bounds.
pub fn first_view(grn: &Grn) -> NetworkFilter {
    let edges = grn.edges();
    let (least, most) = FIRST_VIEW;
    if edges.len() <= least {
        return NetworkFilter::top(edges.len());
    }
    let most = most.min(edges.len());
    let mut connected = vec![false; grn.genes().len()];
    let mut genes = 0usize;
    let mut best = least;
    for (at, edge) in edges[..most].iter().enumerate() {
        for id in [edge.regulator.0, edge.target.0] {
            genes += usize::from(!std::mem::replace(&mut connected[id as usize], true));
        }
        let count = at + 1;
        let whole = edges.get(count).is_none_or(|next| next.probability < edge.probability);
        if count > least && whole && count as f64 <= EDGES_PER_GENE * genes as f64 {
            best = count;
        }
    }
    NetworkFilter::top(best)
}
