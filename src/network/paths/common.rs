//! Regulators and targets that several genes have in common.

use crate::network::filter::NetworkView;
use crate::network::{Edge, GeneId};

/// A gene linked with several others.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared {
    /// The gene.
    pub gene: GeneId,
    /// Positions of the edges that link it in [`crate::network::Grn::edges`], in the order of the genes asked about.
    pub edges: Vec<u32>,
}

/// Genes that regulate at least two of `genes` along the edges of `view`: first those that regulate most of them, then
/// those whose edges are most probable together, then in the network's order. One of `genes` may be among them.
pub fn common_regulators(view: &NetworkView, genes: &[GeneId]) -> Vec<Shared> {
    shared(view, genes, |edge| (edge.target, edge.regulator))
}

/// Genes that at least two of `genes` regulate, ordered in the same way.
pub fn common_targets(view: &NetworkView, genes: &[GeneId]) -> Vec<Shared> {
    shared(view, genes, |edge| (edge.regulator, edge.target))
}

/// `ends` gives the end that is asked about and the other.
fn shared(view: &NetworkView, genes: &[GeneId], ends: impl Fn(&Edge) -> (GeneId, GeneId)) -> Vec<Shared> {
    let count = view.grn().genes().len();
    let mut place = vec![usize::MAX; count];
    for (at, gene) in genes.iter().enumerate() {
        if let Some(place) = place.get_mut(gene.0 as usize).filter(|place| **place == usize::MAX) {
            *place = at;
        }
    }
    let mut links: Vec<Vec<(usize, u32)>> = vec![Vec::new(); count];
    for edge in view.edges() {
        let (asked, other) = ends(edge);
        let place = place[asked.0 as usize];
        if place != usize::MAX && asked != other {
            links[other.0 as usize].push((place, edge.rank - 1));
        }
    }
    let length = |edges: &[u32]| -> f64 {
        edges.iter().map(|&edge| -f64::from(view.grn().edges()[edge as usize].probability).ln()).sum()
    };
    let mut found: Vec<(f64, Shared)> = Vec::new();
    for (gene, mut links) in links.into_iter().enumerate() {
        if links.len() > 1 {
            links.sort_unstable();
            let edges: Vec<u32> = links.into_iter().map(|(_, edge)| edge).collect();
            found.push((length(&edges), Shared { gene: GeneId(gene as u32), edges }));
        }
    }
    found.sort_by(|(a, x), (b, y)| y.edges.len().cmp(&x.edges.len()).then(a.total_cmp(b)).then(x.gene.cmp(&y.gene)));
    found.into_iter().map(|(_, shared)| shared).collect()
}
