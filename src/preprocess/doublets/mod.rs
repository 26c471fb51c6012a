//! Doublets: droplets that caught two cells, by Scrublet's method (Wolock, Lopez & Klein, Cell Systems 2019).
//!
//! Doublets are simulated by adding the counts of random pairs of cells. Observed cells and simulated doublets are
//! placed in one space: counts per million, the most variable genes, each scaled to variance 1, the leading principal
//! components of the observed cells. The share of simulated doublets among a cell's nearest neighbours gives, by Bayes'
//! rule with the expected share of doublets as prior, the score: how likely the cell is a doublet of two different
//! kinds of cells. The threshold lies at the minimum between the two modes of the simulated doublets' scores.
//!
//! The coordinates are linear in the counts, so those of a simulated doublet are the mean of its parents', weighted by
//! their counts: no count is ever added, which makes the simulation nearly free.

mod batches;
mod neighbours;
mod threshold;
mod variability;

use rand::RngExt as _;
use rayon::prelude::*;
use thiserror::Error;

use crate::data::CsrMatrix;
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::components::Components;
use crate::random;
pub use batches::{CellDoublets, find_by_batch};
use neighbours::simulated_neighbours;

/// How doublets are looked for; the defaults are the published ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Simulated doublets per observed cell.
    pub simulated_per_cell: f64,
    /// Share of doublets expected among the cells: the prior.
    pub expected_share: f64,
    /// A gene takes part if at least this many cells have …
    pub least_cells: usize,
    /// … at least so many counts (after scaling each cell to the mean number of counts).
    pub least_counts: f64,
    /// Genes below this percentile of variability are left out.
    pub variability_percentile: f64,
    /// Principal components.
    pub components: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            simulated_per_cell: 2.0,
            expected_share: 0.1,
            least_cells: 3,
            least_counts: 3.0,
            variability_percentile: 85.0,
            components: 30,
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Doublets {
    /// Score of each cell, 0 to 1; 0 for a cell without counts.
    pub scores: Vec<f64>,
    /// Scores of the simulated doublets.
    pub simulated_scores: Vec<f64>,
    /// Cells above this score are doublets; none if the simulated scores do not have two modes.
    pub threshold: Option<f64>,
    /// Whether each cell is called a doublet.
    pub called: Vec<bool>,
    /// Number of genes that the cells were compared by.
    pub genes: usize,
}

impl Doublets {
    /// Number of cells called doublets.
    pub fn count(&self) -> usize {
        self.called.iter().filter(|called| **called).count()
    }

    /// Share of the simulated doublets above the threshold: how many of the true ones can be told at all.
    pub fn detectable_share(&self) -> Option<f64> {
        let above = |limit: f64| self.simulated_scores.iter().filter(|score| **score > limit).count();
        self.threshold.map(|limit| above(limit) as f64 / self.simulated_scores.len().max(1) as f64)
    }
}

/// Why doublets cannot be looked for.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub enum DoubletError {
    /// The user cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Too few cells with counts.
    #[error("{cells} cells with counts are too few to look for doublets: {needed} are needed")]
    TooFewCells {
        /// Cells with counts.
        cells: usize,
        /// Cells needed.
        needed: usize,
    },
    /// Too few genes vary.
    #[error("{genes} genes are variable and expressed enough to look for doublets: 2 are needed")]
    TooFewGenes {
        /// Genes left.
        genes: usize,
    },
}

/// Cells needed: below, no neighbourhood means anything.
const LEAST_CELLS: usize = 30;

/// Score the rows `cells` of `counts`, which have `sizes` counts in all (over all measured genes), and call doublets. Cells of different lanes cannot share a droplet: call once per
/// batch. The same seed gives the same scores on any number of threads.
pub fn find_doublets(
    counts: &CsrMatrix,
    cells: &[u32],
    sizes: &[f64],
    settings: &Settings,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Doublets, DoubletError> {
    assert_eq!(cells.len(), sizes.len(), "one library size per cell");
    let with_counts: Vec<usize> = (0..cells.len()).filter(|&at| sizes[at] > 0.0).collect();
    if with_counts.len() < LEAST_CELLS {
        return Err(DoubletError::TooFewCells { cells: with_counts.len(), needed: LEAST_CELLS });
    }
    let rows: Vec<u32> = with_counts.iter().map(|&at| cells[at]).collect();
    let totals: Vec<f64> = with_counts.iter().map(|&at| sizes[at]).collect();
    let observed = rows.len();

    progress.stage("Choosing genes that tell doublets", Some(0.0));
    let genes = variability::variable_genes(counts, &rows, &totals, settings, progress)?;
    if genes.len() < 2 {
        return Err(DoubletError::TooFewGenes { genes: genes.len() });
    }
    progress.stage("Finding principal components", Some(0.1));
    let per_million = |at: usize, count: f32| 1e6 * f64::from(count) / totals[at];
    let components = Components::fit(counts, &rows, &per_million, true, &genes, settings.components, seed, progress)?;
    let width = components.count();
    let mut points = components.project(counts, &rows, &per_million, progress)?;

    progress.stage("Simulating doublets", Some(0.3));
    let simulated = (observed as f64 * settings.simulated_per_cell).round() as usize;
    let mut random = random::stream(seed, "simulated doublets");
    for _ in 0..simulated {
        let (a, b) = (random.random_range(0..observed), random.random_range(0..observed));
        let share = totals[a] / (totals[a] + totals[b]);
        for dimension in 0..width {
            let (a, b) = (points[a * width + dimension], points[b * width + dimension]);
            points.push((share * f64::from(a) + (1.0 - share) * f64::from(b)) as f32);
        }
    }

    progress.stage("Comparing cells with simulated doublets", Some(0.35));
    let ratio = simulated as f64 / observed as f64;
    let neighbourhood = (0.5 * (observed as f64).sqrt()).round();
    let count = ((neighbourhood * (1.0 + ratio)).round() as usize).clamp(1, observed + simulated - 1);
    let simulated_neighbours = simulated_neighbours(&points, width, observed, count, seed, progress)?;
    let score = |&near: &u32| score(near, count, ratio, settings.expected_share);
    let all: Vec<f64> = simulated_neighbours.par_iter().map(score).collect();
    let (found, simulated_scores) = all.split_at(observed);

    let threshold = threshold::between_modes(simulated_scores);
    let mut scores = vec![0.0; cells.len()];
    with_counts.iter().zip(found).for_each(|(&at, &score)| scores[at] = score);
    let called = scores.iter().map(|&score| threshold.is_some_and(|threshold| score > threshold)).collect();
    Ok(Doublets { scores, simulated_scores: simulated_scores.to_vec(), threshold, called, genes: genes.len() })
}

/// Posterior probability of a doublet with `near` simulated ones among `count` neighbours, `ratio` simulated doublets per
/// cell and the prior `expected` (Wolock et al. 2019, STAR methods).
fn score(near: u32, count: usize, ratio: f64, expected: f64) -> f64 {
    // Laplace's estimate of the share of simulated doublets in the neighbourhood.
    let share = (f64::from(near) + 1.0) / (count as f64 + 2.0);
    let weighted = share * expected / ratio;
    weighted / (1.0 - expected - share * (1.0 - expected - expected / ratio))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;

    #[test]
    fn a_neighbourhood_without_information_scores_about_the_prior() {
        // Two of three neighbours are simulated where two of three points are.
        assert!((score(60, 90, 2.0, 0.1) - 0.1).abs() < 0.005);
        assert!(score(90, 90, 2.0, 0.1) > 0.6);
        assert!(score(0, 90, 2.0, 0.1) < 0.01);
    }

    /// `cells` cells of three kinds with 20 marker genes each, and as many more doublets as `doublets`.
    fn screen(cells: usize, doublets: usize) -> CsrMatrix {
        let mut random = random::stream(2, "cells of three kinds");
        let mut dense = Vec::new();
        let mut cell = |kinds: &[usize]| {
            for gene in 0..100 {
                let mean: f64 = kinds.iter().map(|&kind| if gene / 20 == kind { 12.0 } else { 1.0 }).sum();
                let count = (0..60).filter(|_| random.random::<f64>() < mean / 60.0).count();
                dense.push(count as f32);
            }
        };
        (0..cells).for_each(|at| cell(&[at % 3]));
        (0..doublets).for_each(|at| cell(&[at % 3, (at + 1) % 3]));
        CsrMatrix::from_dense(cells + doublets, 100, &dense)
    }

    fn find(counts: &CsrMatrix, cells: &[u32], seed: u64) -> Result<Doublets, DoubletError> {
        let sizes: Vec<f64> = cells.iter().map(|&cell| counts.row_sum(cell as usize)).collect();
        find_doublets(counts, cells, &sizes, &Settings::default(), seed, &Silent)
    }

    #[test]
    fn doublets_of_different_kinds_are_found_and_the_seed_decides() {
        let counts = screen(600, 40);
        let cells: Vec<u32> = (0..640).collect();
        let found = find(&counts, &cells, 1).unwrap();
        assert!(found.threshold.is_some(), "{found:?}");
        let right = (600..640).filter(|&at| found.called[at]).count();
        let wrong = (0..600).filter(|&at| found.called[at]).count();
        assert!(right >= 36 && wrong <= 12, "{right} right, {wrong} wrong");
        assert!(found.detectable_share().unwrap() > 0.4);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let alone = pool.install(|| find(&counts, &cells, 1).unwrap());
        assert_eq!(found, alone);
        let other = find(&counts, &cells, 2).unwrap();
        assert_ne!(found.scores, other.scores);
    }

    #[test]
    fn cells_without_counts_score_nothing_and_too_few_cells_are_an_error() {
        let counts = screen(60, 0);
        let mut rows: Vec<Vec<(u32, f32)>> = vec![Vec::new()];
        for cell in 0..60 {
            rows.push(counts.row(cell).iter().collect());
        }
        let counts = CsrMatrix::from_rows(100, rows).unwrap();
        let all: Vec<u32> = (0..61).collect();
        let found = find(&counts, &all, 1).unwrap();
        assert_eq!((found.scores[0], found.called[0], found.scores.len()), (0.0, false, 61));
        let error = find(&counts, &all[..20], 1).unwrap_err();
        assert_eq!(error, DoubletError::TooFewCells { cells: 19, needed: 30 });
        let silent = CsrMatrix::from_dense(60, 2, &[1.0; 120]);
        let error = find(&silent, &all[..60], 1).unwrap_err();
        assert!(matches!(error, DoubletError::TooFewGenes { .. }));
    }
}
