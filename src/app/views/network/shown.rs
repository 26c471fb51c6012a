//! Which part of the network is shown, and facts about it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::State;
use crate::document::NetworkFilter;
use crate::network::filter::Left;
use crate::network::{Agreement, Edge, GeneId, Grn, Sign, SignEvidence};

/// The edges that pass the filter.
#[derive(Clone, Debug)]
pub struct Shown {
    network: Arc<Grn>,
    filter: NetworkFilter,
    left: Vec<Left>,
    edges: Arc<[u32]>,
    also: Vec<u32>,
    targets: Vec<u32>,
    regulators: Vec<u32>,
    members_keep: Option<usize>,
}

impl Shown {
    /// The part of `network` that passes `filter`.
    pub fn of(network: &Arc<Grn>, filter: &NetworkFilter) -> Self {
        let (kept, left) = filter.apply_counting(network);
        let genes = || (0..network.genes().len() as u32).map(GeneId);
        Self {
            edges: kept.edges().map(|edge| edge.rank - 1).collect(),
            targets: genes().map(|gene| kept.out_degree(gene)).collect(),
            regulators: genes().map(|gene| kept.in_degree(gene)).collect(),
            members_keep: kept.members_keep(),
            network: network.clone(),
            filter: filter.clone(),
            also: Vec::new(),
            left,
        }
    }

    /// The same with these edges too, by position and rising: paths that lead over edges which do not pass the filter.
    pub fn with(mut self, also: &[u32]) -> Self {
        let new: Vec<u32> = also.iter().copied().filter(|at| self.edges.binary_search(at).is_err()).collect();
        for &at in &new {
            let edge = &self.network.edges()[at as usize];
            self.targets[edge.regulator.0 as usize] += 1;
            self.regulators[edge.target.0 as usize] += 1;
        }
        if !new.is_empty() {
            let mut edges = [&self.edges[..], &new].concat();
            edges.sort_unstable();
            self.edges = edges.into();
        }
        self.also = also.to_vec();
        self
    }

    /// The edges given to [`Self::with`].
    pub fn also(&self) -> &[u32] {
        &self.also
    }

    /// Whether it is still what is asked for.
    pub fn is_current(&self, network: &Arc<Grn>, filter: &NetworkFilter) -> bool {
        Arc::ptr_eq(&self.network, network) && self.filter == *filter
    }

    /// What each filter that is set left, in their order.
    pub fn left(&self) -> &[Left] {
        &self.left
    }

    /// What it was asked for.
    pub fn filter(&self) -> &NetworkFilter {
        &self.filter
    }

    /// Positions in the network of the edges shown, rising.
    pub fn positions(&self) -> &[u32] {
        &self.edges
    }

    /// The whole network.
    pub fn network(&self) -> &Arc<Grn> {
        &self.network
    }

    /// Positions of the edges shown in the network's list, best first.
    pub fn edge_positions(&self) -> &Arc<[u32]> {
        &self.edges
    }

    /// The edges shown, best first.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter().map(|&at| &self.network.edges()[at as usize])
    }

    /// How many edges every member of an ensemble keeps, its best, where edges were filtered by that.
    pub fn members_keep(&self) -> Option<usize> {
        self.members_keep
    }

    /// How far the members of an ensemble agree on its edges.
    pub fn agreement(&self) -> Option<Agreement<'_>> {
        if let Some(kept) = self.members_keep {
            return Agreement::among(&self.network, kept);
        }
        let own = |at: &&u32| self.also.binary_search(at).is_err();
        let last = self.edges.iter().rev().find(own).map(|&at| &self.network.edges()[at as usize]);
        Agreement::of(&self.network, last)
    }

    /// How many edges are shown.
    pub fn edge_count(&self) -> usize {
        self.edges.len()
    }

    /// Whether a gene has a visible edge.
    pub fn has(&self, gene: GeneId) -> bool {
        self.targets_of(gene) + self.regulators_of(gene) > 0
    }

    /// Genes with a visible edge.
    pub fn genes(&self) -> impl Iterator<Item = GeneId> {
        (0..self.network.genes().len() as u32).map(GeneId).filter(|gene| self.has(*gene))
    }

    /// How many genes have a visible edge.
    pub fn gene_count(&self) -> usize {
        self.genes().count()
    }

    /// Number of visible edges out of a gene.
    pub fn targets_of(&self, gene: GeneId) -> u32 {
        self.targets[gene.0 as usize]
    }

    /// Number of visible edges into a gene.
    pub fn regulators_of(&self, gene: GeneId) -> u32 {
        self.regulators[gene.0 as usize]
    }
}

/// Columns of a table of shifts for each gene of a network.
pub fn columns(network: &Grn, genes: &[String]) -> Vec<Option<usize>> {
    let column: HashMap<&str, usize> = genes.iter().enumerate().map(|(at, gene)| (gene.as_str(), at)).collect();
    network.genes().iter().map(|gene| column.get(gene.symbol.as_str()).copied()).collect()
}

/// `activates`, `represses`, `is linked to`.
pub fn verb(sign: Sign) -> &'static str {
    match sign {
        Sign::Activates => "activates",
        Sign::Represses => "represses",
        Sign::Unknown => "is linked to",
    }
}

/// How many members of an ensemble keep an edge of the network shown: `Among the best 87 edges of 9 of 10 members`.
pub fn agreement(edge: &Edge, state: &State) -> Option<String> {
    let shown = state.shown()?;
    Some(shown.agreement()?.told(edge))
}

/// What a false discovery rate says, for hover texts.
pub const FALSE_DISCOVERY: &str = "False discovery rate: of the edges with this rate or a lower one, the share that is expected to be chance. The same \
                                   shifts were measured with labels shuffled between perturbed and control cells. It tests whether the target \
                                   responds at all to the regulator's perturbation, directly or by way of other genes";

/// How an edge stands out from shuffled labels: `False discovery rate 0.012`; none where it was not tested.
pub fn false_discovery(edge: &Edge) -> Option<String> {
    Some(format!("False discovery rate {}", super::p_text(f64::from(edge.false_discovery_rate?))))
}

/// What a sign rests on, in a clause: `measured shift −0.62`.
pub fn evidence(edge: &Edge) -> String {
    let shift = edge.shift.map(|shift| format!(" {}", crate::app::widgets::signed(shift))).unwrap_or_default();
    match edge.evidence {
        SignEvidence::Measured => format!("measured shift{shift}"),
        SignEvidence::Predicted => format!("predicted shift{shift}"),
        SignEvidence::Reference => "reference network".to_owned(),
        SignEvidence::None => "no evidence of the sign".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::fixtures::{edge, genes};

    fn network() -> Arc<Grn> {
        let edges = vec![edge(0, 1, 0.9), edge(0, 2, 0.8), edge(1, 2, 0.7), edge(0, 3, 0.6), edge(1, 0, 0.5)];
        Arc::new(Grn::new(genes(["A", "B", "C", "D"]), edges).unwrap())
    }

    #[test]
    fn edges_are_those_of_the_filter() {
        let shown = Shown::of(&network(), &NetworkFilter::per_regulator(1));
        assert_eq!(shown.edges().map(|edge| edge.rank).collect::<Vec<_>>(), [1, 3]);
        assert!(shown.is_current(&shown.network().clone(), &NetworkFilter::per_regulator(1)));
        assert!(!shown.is_current(&network(), &NetworkFilter::per_regulator(1)), "another network");
    }

    #[test]
    fn genes_without_a_visible_edge_are_not_counted() {
        let shown = Shown::of(&network(), &NetworkFilter::top(2));
        assert_eq!((shown.edge_count(), shown.gene_count()), (2, 3));
        assert_eq!((shown.targets_of(GeneId(0)), shown.regulators_of(GeneId(2))), (2, 1));
        assert!(!shown.has(GeneId(3)));
    }

    #[test]
    fn edges_of_a_path_are_shown_with_the_others() {
        let shown = Shown::of(&network(), &NetworkFilter::top(2)).with(&[1, 4]);
        assert_eq!(shown.edges().map(|edge| edge.rank).collect::<Vec<_>>(), [1, 2, 5]);
        assert_eq!(
            (shown.targets_of(GeneId(1)), shown.regulators_of(GeneId(0)), shown.targets_of(GeneId(0))),
            (1, 1, 2)
        );
    }

    #[test]
    fn genes_of_the_network_find_their_column() {
        let genes = ["X", "C", "A"].map(str::to_owned);
        assert_eq!(columns(&network(), &genes), [Some(2), None, Some(1), None]);
    }
}
