//! Filters of perturbations and cells, each a switch that tells what it took out.
//!
//! CausalBench (Chevalley et al. 2025) keeps a perturbation with more than 50 differentially expressed genes, a knock-down
//! of at least 30 % and more than 25 cells; of its cells those whose target's count is at most the 10th percentile of the
//! control cells; and then the perturbations with more than 100 cells left. There the first three numbers come from a
//! table published with the data; here they are measured.

use rayon::prelude::*;

use super::differential::{Test, differential};
use super::normalise::{Expression, median_library_size};
use crate::data::Dataset;
use crate::jobs::{Cancelled, Progress};

/// Adjusted p value below which a gene counts as changed.
const SIGNIFICANT: f64 = 0.05;

/// A reason to leave cells out. In the order in which filters are applied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Filter {
    /// No guide could be assigned.
    Unassigned,
    /// A target of the perturbation is not measured.
    UnmeasuredTarget,
    /// The perturbation has fewer cells than this, before any are left out.
    FewCells(usize),
    /// Fewer genes than this change.
    FewChangedGenes(usize),
    /// The target's mean falls by less than this share (or rises by less, in a screen of activations).
    WeakKnockDown(f64),
    /// The target's count in this cell is above the 10th percentile of control cells (below the 90th, of activations).
    UnchangedCell,
    /// The perturbation has fewer cells than this left.
    FewCellsLeft(usize),
}

impl Filter {
    /// The reason in words.
    pub fn in_words(self, activation: bool) -> String {
        match self {
            Self::Unassigned => "no guide could be assigned".to_owned(),
            Self::UnmeasuredTarget => "target not measured".to_owned(),
            Self::FewCells(cells) => format!("fewer than {cells} cells to begin with"),
            Self::FewChangedGenes(genes) => format!("fewer than {genes} changed genes"),
            Self::WeakKnockDown(share) if activation => format!("target up by less than {} %", 100.0 * share),
            Self::WeakKnockDown(share) => format!("target down by less than {} %", 100.0 * share),
            Self::UnchangedCell if activation => "target below the 90th percentile of control cells".to_owned(),
            Self::UnchangedCell => "target above the 10th percentile of control cells".to_owned(),
            Self::FewCellsLeft(cells) => format!("fewer than {cells} cells"),
        }
    }
}

/// What a filter that is switched on took out.
#[derive(Clone, Debug, PartialEq)]
pub struct Filtered {
    /// The filter.
    pub filter: Filter,
    /// Names of the perturbations that it left out whole.
    pub perturbations: Vec<String>,
    /// Number of cells that it left out.
    pub cells: usize,
}

/// Genes that change in each of `groups` against `controls` (rows of `dataset`): Wilcoxon test with ties corrected, adjusted
/// p value below 0.05.
pub(super) fn changed_genes(
    dataset: &Dataset,
    groups: &[Vec<u32>],
    controls: &[u32],
    progress: &dyn Progress,
) -> Result<Vec<usize>, Cancelled> {
    let sizes: Vec<f64> = (0..dataset.cell_count()).map(|cell| dataset.library_size(cell)).collect();
    let used: Vec<f64> = groups.iter().flatten().chain(controls).map(|&cell| sizes[cell as usize]).collect();
    let target = median_library_size(&used).unwrap_or(1.0);
    let expression = Expression::of_counts(dataset.matrix(), &sizes, target);
    let table = differential(&expression, groups, controls, Test::Wilcoxon { tie_correction: true }, progress)?;
    let changed =
        |group: usize| table.adjusted_p_values[table.range(group)].iter().filter(|p| **p < SIGNIFICANT).count();
    Ok((0..groups.len()).map(changed).collect())
}

/// By which share the mean of the gene in `column` (counts per count of the cell) lies above that in `controls`: −0.4 is
/// a knock-down by 40 %. None where no control has a count of it.
pub(super) fn mean_change(dataset: &Dataset, column: usize, cells: &[u32], controls: &[u32]) -> Option<f64> {
    let mean = |cells: &[u32]| {
        let share = |&cell: &u32| {
            let size = dataset.library_size(cell as usize);
            if size > 0.0 { f64::from(dataset.matrix().get(cell as usize, column)) / size } else { 0.0 }
        };
        // In order: sums must not depend on threads.
        cells.par_iter().map(share).collect::<Vec<f64>>().iter().sum::<f64>() / cells.len().max(1) as f64
    };
    let control = mean(controls);
    (control > 0.0).then(|| mean(cells) / control - 1.0)
}
