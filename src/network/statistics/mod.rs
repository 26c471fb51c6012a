//! What the wiring alone says about each gene: degrees, PageRank, betweenness, communities; all over the edges shown.
//!
//! Values agree with networkx 3 (numbers in the tests), on the graph of the genes that have an edge.

mod betweenness;
mod communities;
mod page_rank;
mod topology;

pub use betweenness::{Betweenness, betweenness};
pub use communities::{Communities, communities};
pub use page_rank::page_rank;
pub use topology::Topology;

use super::{Edge, Grn};
use crate::jobs::{Cancelled, Part, Progress};

/// The statistics of every gene of a network, by its position in [`Grn::genes`]. Genes without an edge shown have degree,
/// PageRank and betweenness 0 and no community.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneStatistics {
    /// Number of edges into the gene: its regulators.
    pub in_degree: Vec<u32>,
    /// Number of edges out of the gene: its targets.
    pub out_degree: Vec<u32>,
    /// Share of a random walk along the edges that is at the gene; sums to 1.
    pub page_rank: Vec<f64>,
    /// Share of the shortest paths between other genes that lead through the gene, 0 to 1.
    pub betweenness: Vec<f64>,
    /// Number of genes from which paths were followed, where not from all: the betweenness is an estimate then.
    pub betweenness_sources: Option<usize>,
    /// The community of the gene; 0 is the largest.
    pub community: Vec<Option<u32>>,
    /// Number of communities.
    pub communities: usize,
    /// How much better the communities hold together than chance would have it (modularity, at most 1).
    pub modularity: f64,
}

impl GeneStatistics {
    /// The statistics of `grn` with only the edges `shown`. PageRank and communities weigh an edge by its probability;
    /// betweenness counts steps. `seed` decides the order in which communities are tried and the genes that betweenness
    /// samples in large networks; the same seed gives the same numbers whatever the number of threads.
    ///
    /// # Errors
    /// When cancelled.
    pub fn of<'a>(
        grn: &Grn,
        shown: impl IntoIterator<Item = &'a Edge>,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        let topology = Topology::of(grn.genes().len(), shown);
        progress.stage("Ranking genes", Some(0.0));
        let page_rank = page_rank(&topology, progress)?;
        let paths = Part::named(progress, "Counting shortest paths", 0.05..0.85);
        let between = betweenness(&topology, seed, &paths)?;
        let communities = communities(&topology, seed, &Part::named(progress, "Finding communities", 0.85..1.0))?;
        Ok(Self {
            in_degree: topology.in_degrees().to_vec(),
            out_degree: topology.out_degrees().to_vec(),
            page_rank,
            betweenness_sources: (!between.is_exact()).then_some(between.sources),
            betweenness: between.values,
            communities: communities.count,
            modularity: communities.modularity,
            community: communities.of_gene,
        })
    }
}

#[cfg(test)]
mod tests;
