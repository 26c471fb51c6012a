//! The wiring of the edges shown, packed for algorithms: genes with an edge, numbered from 0, and their neighbours.

use std::ops::Range;

use crate::network::Edge;

/// Genes with an edge ("nodes", numbered in the network's order) and the directed, weighted edges between them.
#[derive(Clone, Debug)]
pub struct Topology {
    /// Position in the network, by node.
    genes: Vec<u32>,
    in_degrees: Vec<u32>,
    out_degrees: Vec<u32>,
    /// Where the targets of a node begin in `targets`; one more than nodes.
    starts: Vec<u32>,
    /// Nodes.
    targets: Vec<u32>,
    /// Probabilities, beside `targets`.
    weights: Vec<f64>,
}

impl Topology {
    /// The wiring of `edges` in a network of `genes` genes.
    pub fn of<'a>(genes: usize, edges: impl IntoIterator<Item = &'a Edge>) -> Self {
        let edges: Vec<&Edge> = edges.into_iter().collect();
        let mut in_degrees = vec![0_u32; genes];
        let mut out_degrees = vec![0_u32; genes];
        for edge in &edges {
            out_degrees[edge.regulator.0 as usize] += 1;
            in_degrees[edge.target.0 as usize] += 1;
        }
        let mut node_of = vec![u32::MAX; genes];
        let mut connected = Vec::new();
        let mut starts = vec![0];
        for gene in 0..genes {
            if in_degrees[gene] + out_degrees[gene] > 0 {
                node_of[gene] = connected.len() as u32;
                connected.push(gene as u32);
                starts.push(starts[starts.len() - 1] + out_degrees[gene]);
            }
        }
        let mut next = starts.clone();
        let mut targets = vec![0; edges.len()];
        let mut weights = vec![0.0; edges.len()];
        for edge in &edges {
            let place = &mut next[node_of[edge.regulator.0 as usize] as usize];
            targets[*place as usize] = node_of[edge.target.0 as usize];
            weights[*place as usize] = f64::from(edge.probability);
            *place += 1;
        }
        Self { genes: connected, in_degrees, out_degrees, starts, targets, weights }
    }

    /// Number of edges into each gene of the network.
    pub fn in_degrees(&self) -> &[u32] {
        &self.in_degrees
    }

    /// Number of edges out of each gene of the network.
    pub fn out_degrees(&self) -> &[u32] {
        &self.out_degrees
    }

    /// Number of genes with an edge.
    pub(super) fn nodes(&self) -> usize {
        self.genes.len()
    }

    /// Number of edges.
    pub(super) fn edges(&self) -> usize {
        self.targets.len()
    }

    /// Values of nodes as values of the network's genes; `absent` for genes without an edge.
    pub(super) fn by_gene<T: Copy>(&self, of_nodes: &[T], absent: T) -> Vec<T> {
        let mut values = vec![absent; self.in_degrees.len()];
        for (&gene, &value) in self.genes.iter().zip(of_nodes) {
            values[gene as usize] = value;
        }
        values
    }

    /// The targets of `node`.
    pub(super) fn targets(&self, node: usize) -> &[u32] {
        &self.targets[self.range(node)]
    }

    /// The targets of `node` with the weights of the edges.
    pub(super) fn weighted_targets(&self, node: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.range(node);
        self.targets[range.clone()].iter().zip(&self.weights[range]).map(|(&target, &weight)| (target as usize, weight))
    }

    fn range(&self, node: usize) -> Range<usize> {
        self.starts[node] as usize..self.starts[node + 1] as usize
    }
}
