//! An undirected, weighted graph, and the graph of its groups.

use crate::network::statistics::Topology;

/// Neighbours and weights of every node; a loop counts twice in its node's strength.
#[derive(Clone, Debug)]
pub(super) struct Weighted {
    starts: Vec<usize>,
    /// Neighbours without the node itself, rising.
    neighbours: Vec<(u32, f64)>,
    /// Weight of each node's loop, counted once.
    loops: Vec<f64>,
    /// Sum of the weights at each node.
    strengths: Vec<f64>,
    /// Sum of all weights, twice.
    total: f64,
}

impl Weighted {
    /// Both directions of an edge together.
    pub(super) fn of(topology: &Topology) -> Self {
        let edges = (0..topology.nodes())
            .flat_map(|node| topology.weighted_targets(node).map(move |(target, weight)| (node, target, weight)));
        Self::from_edges(topology.nodes(), edges)
    }

    fn from_edges(nodes: usize, edges: impl Iterator<Item = (usize, usize, f64)>) -> Self {
        let mut loops = vec![0.0; nodes];
        let mut ends = Vec::new();
        for (from, to, weight) in edges {
            if from == to {
                loops[from] += weight;
            } else {
                ends.push((from as u32, to as u32, weight));
                ends.push((to as u32, from as u32, weight));
            }
        }
        ends.sort_by_key(|&(from, to, _)| (from, to));
        let mut strengths: Vec<f64> = loops.iter().map(|weight| 2.0 * weight).collect();
        let mut neighbours: Vec<(u32, f64)> = Vec::with_capacity(ends.len());
        let mut starts = vec![0; nodes + 1];
        let mut last = None;
        for (from, to, weight) in ends {
            strengths[from as usize] += weight;
            match neighbours.last_mut() {
                Some(known) if last == Some((from, to)) => known.1 += weight,
                _ => {
                    neighbours.push((to, weight));
                    starts[from as usize + 1] += 1;
                }
            }
            last = Some((from, to));
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let total = strengths.iter().sum();
        Self { starts, neighbours, loops, strengths, total }
    }

    pub(super) fn nodes(&self) -> usize {
        self.loops.len()
    }

    pub(super) fn neighbours(&self, node: usize) -> &[(u32, f64)] {
        &self.neighbours[self.starts[node]..self.starts[node + 1]]
    }

    pub(super) fn strength(&self, node: usize) -> f64 {
        self.strengths[node]
    }

    /// Sum of all strengths.
    pub(super) fn total(&self) -> f64 {
        self.total
    }

    /// The graph whose nodes are the `count` groups, `group` naming that of each node.
    pub(super) fn grouped(&self, group: &[u32], count: usize) -> Self {
        let inner = self.loops.iter().enumerate().map(|(node, &weight)| (node, node, weight));
        let between = (0..self.nodes()).flat_map(|node| {
            let rising = move |&&(other, _): &&(u32, f64)| other as usize > node;
            self.neighbours(node).iter().filter(rising).map(move |&(other, weight)| (node, other as usize, weight))
        });
        let edges = inner.chain(between).map(|(a, b, weight)| (group[a] as usize, group[b] as usize, weight));
        Self::from_edges(count, edges.filter(|(.., weight)| *weight != 0.0))
    }

    /// Share of the weight within `communities` beyond the expectation of a graph of the same strengths.
    pub(super) fn modularity(&self, communities: &[u32]) -> f64 {
        if self.total <= 0.0 {
            return 0.0;
        }
        let count = communities.iter().max().map_or(0, |last| *last as usize + 1);
        let mut within = vec![0.0; count];
        let mut strengths = vec![0.0; count];
        for node in 0..self.nodes() {
            let own = communities[node];
            strengths[own as usize] += self.strengths[node];
            within[own as usize] += 2.0 * self.loops[node];
            let same = self.neighbours(node).iter().filter(|(other, _)| communities[*other as usize] == own);
            within[own as usize] += same.map(|(_, weight)| weight).sum::<f64>();
        }
        let of_one = |(within, strength): (&f64, &f64)| within / self.total - (strength / self.total).powi(2);
        within.iter().zip(&strengths).map(of_one).sum()
    }
}
