//! Paths between genes, and what several genes have in common.
//!
//! The length of an edge is −ln of its probability, so that the shortest path is the one whose edges are most probable
//! together, if they were independent: the product of their probabilities is exp(−length). Edges of probability 0 lead
//! nowhere, and a path never meets a gene twice.

mod common;
mod routes;
mod yen;

pub use common::{Shared, common_regulators, common_targets};

use super::filter::{NetworkFilter, NetworkView};
use super::{GeneId, Grn, Sign};
use crate::jobs::{Cancelled, Progress};
use routes::Routes;

/// Whether a path follows the direction of edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Walk {
    /// From regulators to targets.
    #[default]
    Along,
    /// Either way, edge by edge.
    Either,
}

/// Most paths that are looked for.
pub const MOST_PATHS: usize = 50;

/// What paths are asked for. Genes go by symbol, so that the question outlives the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathQuery {
    /// Where they begin.
    pub from: String,
    /// Where they end.
    pub to: String,
    /// How many, at most [`MOST_PATHS`].
    pub count: usize,
    /// Which way.
    pub walk: Walk,
    /// Among all edges of the network, not only those shown.
    pub all_edges: bool,
    /// The one that is pointed out, by its place among those found; none for all.
    pub chosen: Option<usize>,
}

impl PathQuery {
    /// The five shortest paths along the edges shown.
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        let (from, to) = (from.into(), to.into());
        Self { from, to, count: 5, walk: Walk::Along, all_edges: false, chosen: None }
    }

    /// Whether `other` has the same answer: it differs at most in what is pointed out.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        Self { chosen: None, ..self.clone() } == Self { chosen: None, ..other.clone() }
    }
}

/// An edge of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathStep {
    /// Position in [`Grn::edges`].
    pub edge: u32,
    /// Whether it is walked from regulator to target.
    pub forward: bool,
}

/// A path: at least one edge, no gene twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    genes: Vec<GeneId>,
    steps: Vec<PathStep>,
    length: f64,
}

impl Path {
    /// The genes from the first to the last.
    pub fn genes(&self) -> &[GeneId] {
        &self.genes
    }

    /// The edges between them.
    pub fn steps(&self) -> &[PathStep] {
        &self.steps
    }

    /// Sum of −ln probability over its edges.
    pub fn length(&self) -> f64 {
        self.length
    }

    /// Product of its edges' probabilities.
    pub fn probability(&self, grn: &Grn) -> f64 {
        self.steps.iter().map(|step| f64::from(grn.edges()[step.edge as usize].probability)).product()
    }

    /// Product of its edges' signs: an even number of repressions activates. Unknown if one of them is.
    pub fn sign(&self, grn: &Grn) -> Sign {
        let mut represses = false;
        for step in &self.steps {
            match grn.edges()[step.edge as usize].sign {
                Sign::Activates => {}
                Sign::Represses => represses = !represses,
                Sign::Unknown => return Sign::Unknown,
            }
        }
        if represses { Sign::Represses } else { Sign::Activates }
    }
}

/// The most probable path between two genes along the edges of `view`; none if there is none, or if they are one gene.
pub fn shortest(view: &NetworkView, from: GeneId, to: GeneId, walk: Walk) -> Option<Path> {
    let routes = Routes::new(view, walk);
    let left = routes.lengths_to(to);
    yen::shortest(&routes, &left, from, to)
}

/// The `count` most probable paths between two genes along the edges of `view`, the shortest first; equal ones by their
/// number of edges, then by their genes. Fewer if there are no more. Yen's algorithm (1971) with Lawler's improvement
/// (1972), each search led by the lengths that are left in the whole network.
///
/// # Errors
/// If cancelled.
pub fn k_shortest(
    view: &NetworkView,
    from: GeneId,
    to: GeneId,
    count: usize,
    walk: Walk,
    progress: &dyn Progress,
) -> Result<Vec<Path>, Cancelled> {
    progress.stage("Looking for paths", None);
    let routes = Routes::new(view, walk);
    yen::k_shortest(&routes, from, to, count.min(MOST_PATHS), progress)
}

impl PathQuery {
    /// The paths asked for among the edges of `grn` that pass `filter` (among all where the question says so), as
    /// [`k_shortest`] finds them; none where `grn` lacks one of the two genes.
    ///
    /// # Errors
    /// If cancelled.
    pub fn answer(&self, grn: &Grn, filter: &NetworkFilter, progress: &dyn Progress) -> Result<Vec<Path>, Cancelled> {
        let (Some(from), Some(to)) = (grn.find(&self.from), grn.find(&self.to)) else { return Ok(Vec::new()) };
        let view = if self.all_edges { NetworkFilter::default().apply(grn) } else { filter.apply(grn) };
        k_shortest(&view, from, to, self.count, self.walk, progress)
    }

    /// The edges of `paths`, an answer to this question, that are pointed out: those of the chosen one, or of all. Positions
    /// in [`Grn::edges`], rising.
    pub fn pointed_out(&self, paths: &[Path]) -> Vec<u32> {
        let chosen = self.chosen.and_then(|chosen| paths.get(chosen));
        let paths = chosen.map_or(paths, std::slice::from_ref);
        let mut edges: Vec<u32> = paths.iter().flat_map(Path::steps).map(|step| step.edge).collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }
}

#[cfg(test)]
mod tests;
