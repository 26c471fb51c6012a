//! The neighbourhood of some genes: an ego network.

use std::collections::VecDeque;

use crate::network::Grn;

/// Which way a neighbourhood is walked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Along edges and against them.
    #[default]
    Both,
    /// Against edges: regulators, their regulators, ….
    Regulators,
    /// Along edges: targets, their targets, ….
    Targets,
}

/// Genes and what is at most so many edges away from one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbourhood {
    /// Symbols in the middle; those that the network does not have are passed over.
    pub genes: Vec<String>,
    /// How many edges away, from 1 to [`Self::MOST_HOPS`]; others are taken for the nearest of these.
    pub hops: u8,
    /// Which way.
    pub reach: Reach,
}

impl Neighbourhood {
    /// Farther away nearly everything is a neighbour.
    pub const MOST_HOPS: u8 = 3;

    /// Keep the edges between genes of the neighbourhood, which is walked along the edges `kept`.
    pub(super) fn keep(&self, grn: &Grn, kept: &mut Vec<u32>) {
        let genes = grn.genes().len();
        // Where the walk may go from each gene.
        let mut next: Vec<Vec<u32>> = vec![Vec::new(); genes];
        for edge in kept.iter().map(|&at| &grn.edges()[at as usize]) {
            if self.reach != Reach::Regulators {
                next[edge.regulator.0 as usize].push(edge.target.0);
            }
            if self.reach != Reach::Targets {
                next[edge.target.0 as usize].push(edge.regulator.0);
            }
        }
        let hops = self.hops.clamp(1, Self::MOST_HOPS);
        let mut away = vec![u8::MAX; genes];
        let mut queue = VecDeque::new();
        for gene in self.genes.iter().filter_map(|symbol| grn.find(symbol)) {
            away[gene.0 as usize] = 0;
            queue.push_back(gene.0);
        }
        while let Some(gene) = queue.pop_front() {
            let farther = away[gene as usize] + 1;
            if farther > hops {
                continue;
            }
            for &other in &next[gene as usize] {
                if away[other as usize] == u8::MAX {
                    away[other as usize] = farther;
                    queue.push_back(other);
                }
            }
        }
        let near = |at: u32| {
            let edge = &grn.edges()[at as usize];
            away[edge.regulator.0 as usize] <= hops && away[edge.target.0 as usize] <= hops
        };
        kept.retain(|&at| near(at));
    }
}
