//! The network behind a simulated screen as a [`Grn`]; its file is written by [`TrueNetwork`].

use crate::data::simulate::TrueNetwork;
use crate::network::{Edge, GeneId, Grn, NetworkGene, Sign, SignEvidence};

/// The true edges as a network: probability 1, ranked by strength, signs from the truth. Its genes are those with an
/// edge, sorted by symbol.
pub fn true_network(truth: &TrueNetwork) -> Grn {
    let symbols: std::collections::BTreeSet<&str> =
        truth.edges().iter().flat_map(|edge| [edge.regulator.as_str(), edge.target.as_str()]).collect();
    let symbols: Vec<&str> = symbols.into_iter().collect();
    let id = |symbol: &str| GeneId(symbols.binary_search(&symbol).expect("collected from the same edges") as u32);
    let mut by_strength: Vec<_> = truth.edges().iter().collect();
    by_strength.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    let edges = by_strength.into_iter().map(|edge| Edge {
        sign: if edge.activates { Sign::Activates } else { Sign::Represses },
        evidence: SignEvidence::Reference,
        ..Edge::new(id(&edge.regulator), id(&edge.target), 1.0)
    });
    let gene = |&symbol: &&str| NetworkGene { measured: true, ..NetworkGene::named(symbol) };
    Grn::new(symbols.iter().map(gene).collect(), edges.collect()).expect("true edges are unique, symbols too")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::simulate::TrueEdge;

    #[test]
    fn true_edges_become_a_network_ranked_by_strength() {
        let edge = |regulator: &str, target: &str, activates, strength| TrueEdge {
            regulator: regulator.into(),
            target: target.into(),
            activates,
            strength,
        };
        let truth = TrueNetwork::new(vec![edge("B", "A", true, 0.5), edge("B", "C", false, 2.0)]).unwrap();
        let grn = true_network(&truth);
        let symbols: Vec<&str> = grn.genes().iter().map(|gene| gene.symbol.as_str()).collect();
        assert_eq!(symbols, ["A", "B", "C"]);
        let first = &grn.edges()[0];
        assert_eq!((grn.symbol(first.target), first.sign), ("C", Sign::Represses));
        assert_eq!(grn.edges()[1].sign, Sign::Activates);
    }
}
