//! What filters leave of a network.

use super::Groups;
use crate::network::{Agreement, Edge, GeneId, Grn};

/// What filters leave of a network: edges, and the genes they connect. Borrows the network, copies nothing of it.
#[derive(Clone, Debug)]
pub struct NetworkView<'a> {
    grn: &'a Grn,
    edges: Vec<u32>,
    genes: Vec<GeneId>,
    regulators: Vec<u32>,
    targets: Vec<u32>,
    members_keep: Option<usize>,
}

impl<'a> NetworkView<'a> {
    /// The view with the edges of `grn` at the positions `edges` (rising). `members_keep`: see [`Self::members_keep`].
    pub(super) fn new(grn: &'a Grn, edges: Vec<u32>, members_keep: Option<usize>) -> Self {
        let mut regulators = vec![0; grn.genes().len()];
        let mut targets = regulators.clone();
        for &at in &edges {
            let edge = &grn.edges()[at as usize];
            targets[edge.regulator.0 as usize] += 1;
            regulators[edge.target.0 as usize] += 1;
        }
        let connected = (0..grn.genes().len()).filter(|&gene| regulators[gene] + targets[gene] > 0);
        let genes = connected.map(|gene| GeneId(gene as u32)).collect();
        Self { grn, edges, genes, regulators, targets, members_keep }
    }

    /// The same view with only the edges that `keep` says yes to.
    pub fn retain(self, mut keep: impl FnMut(&Edge) -> bool) -> Self {
        let mut edges = self.edges;
        edges.retain(|&at| keep(&self.grn.edges()[at as usize]));
        Self::new(self.grn, edges, self.members_keep)
    }

    /// The whole network.
    pub fn grn(&self) -> &'a Grn {
        self.grn
    }

    /// How many edges every member of an ensemble keeps, its best, where edges were filtered by that; none where it is as
    /// many as are shown.
    pub fn members_keep(&self) -> Option<usize> {
        self.members_keep
    }

    /// How far the members of an ensemble agree on its edges; none of other networks.
    pub fn agreement(&self) -> Option<Agreement<'a>> {
        match self.members_keep {
            Some(kept) => Agreement::among(self.grn, kept),
            None => Agreement::of(self.grn, self.edges().last()),
        }
    }

    /// The edges kept, best first.
    pub fn edges(&self) -> impl ExactSizeIterator<Item = &'a Edge> + '_ {
        self.edges.iter().map(|&at| &self.grn.edges()[at as usize])
    }

    /// Number of edges kept.
    pub fn edge_count(&self) -> usize {
        self.edges.len()
    }

    /// The genes with at least one edge, in the network's order.
    pub fn genes(&self) -> &[GeneId] {
        &self.genes
    }

    /// Whether `gene` has an edge.
    pub fn contains(&self, gene: GeneId) -> bool {
        self.genes.binary_search(&gene).is_ok()
    }

    /// Number of kept edges into `gene` (its regulators).
    pub fn in_degree(&self, gene: GeneId) -> u32 {
        self.regulators[gene.0 as usize]
    }

    /// Number of kept edges out of `gene` (its targets).
    pub fn out_degree(&self, gene: GeneId) -> u32 {
        self.targets[gene.0 as usize]
    }

    /// Number of kept edges at `gene`.
    pub fn degree(&self, gene: GeneId) -> u32 {
        self.in_degree(gene) + self.out_degree(gene)
    }

    /// The probability of the last edge kept.
    pub fn lowest_probability(&self) -> Option<f32> {
        self.edges().last().map(|edge| edge.probability)
    }

    /// Groups of genes connected by kept edges (whatever their direction), the largest first, then by their first gene;
    /// within a group in the network's order.
    pub fn components(&self) -> Vec<Vec<GeneId>> {
        let mut groups = Groups::new(self.grn.genes().len());
        for edge in self.edges() {
            groups.join(edge.regulator.0, edge.target.0);
        }
        let mut members = std::collections::BTreeMap::<u32, Vec<GeneId>>::new();
        for &gene in &self.genes {
            members.entry(groups.find(gene.0)).or_default().push(gene);
        }
        let mut components: Vec<Vec<GeneId>> = members.into_values().collect();
        components.sort_by(|a, b| b.len().cmp(&a.len()).then(a[0].cmp(&b[0])));
        components
    }
}
