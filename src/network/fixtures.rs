//! Small networks for tests; genes are told by position.

use super::{Edge, GeneId, Grn, NetworkGene, Sign};

/// Genes called `symbols`.
pub(crate) fn genes<S: AsRef<str>>(symbols: impl IntoIterator<Item = S>) -> Vec<NetworkGene> {
    symbols.into_iter().map(|symbol| NetworkGene::named(symbol.as_ref())).collect()
}

/// Genes G0, G1, … .
pub(crate) fn numbered(count: u32) -> Vec<NetworkGene> {
    genes((0..count).map(|at| format!("G{at}")))
}

/// An edge without a sign.
pub(crate) fn edge(regulator: u32, target: u32, probability: f32) -> Edge {
    Edge::new(GeneId(regulator), GeneId(target), probability)
}

/// Genes G0, G1, … and edges (regulator, target, probability) without signs.
pub(crate) fn network(count: u32, edges: &[(u32, u32, f32)]) -> Grn {
    let edges = edges.iter().map(|&(regulator, target, probability)| edge(regulator, target, probability));
    Grn::new(numbered(count), edges.collect()).unwrap()
}

/// Edges (regulator, target, probability, sign) between `genes`.
pub(crate) fn signed(genes: Vec<NetworkGene>, edges: &[(u32, u32, f32, Sign)]) -> Grn {
    let edge = |&(from, to, probability, sign): &(u32, u32, f32, Sign)| Edge { sign, ..edge(from, to, probability) };
    Grn::new(genes, edges.iter().map(edge).collect()).unwrap()
}
