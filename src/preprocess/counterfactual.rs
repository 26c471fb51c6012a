//! Counterfactual partners: what a cell of this condition looks like when it fails quality control.
//!
//! The partner of a cell is the per-gene median count of up to 50 random failing cells of the same condition and
//! split; controls are a condition of their own. All cells of a condition and split share one partner.

use rand::seq::index;
use rayon::prelude::*;

use super::Split;
use super::statistics::median_f32;
use crate::data::CsrMatrix;
use crate::jobs::{Cancelled, Progress};
use crate::random;

/// Failing cells behind a partner at most.
const MOST_CELLS: usize = 50;

/// The cells of one condition (a perturbation or the control) in one split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// Name of the condition.
    pub condition: &'a str,
    /// The split.
    pub split: Split,
    /// Rows that fail quality control.
    pub failing: Vec<u32>,
}

/// The partner of each group: a dense row of gene counts, or none where no cell fails or all medians are 0 (the
/// model leaves such cells out of the counterfactual term in either case).
pub fn partners(
    counts: &CsrMatrix,
    groups: &[Group<'_>],
    seed: u64,
    progress: &dyn Progress,
) -> Result<Vec<Option<Vec<f32>>>, Cancelled> {
    groups
        .par_iter()
        .map(|group| {
            progress.check()?;
            let name = format!("partner of {} in {}", group.condition, group.split.label());
            let mut random = random::stream(seed, &name);
            let amount = group.failing.len().min(MOST_CELLS);
            let drawn = index::sample(&mut random, group.failing.len(), amount);
            let cells: Vec<u32> = drawn.iter().map(|at| group.failing[at]).collect();
            let partner = median_counts(counts, &cells);
            Ok(partner.iter().any(|count| *count != 0.0).then_some(partner))
        })
        .collect()
}

/// Per-gene median over `cells` (rows of `counts`); zeros if there are none.
fn median_counts(counts: &CsrMatrix, cells: &[u32]) -> Vec<f32> {
    let mut medians = vec![0.0; counts.columns()];
    let mut entries: Vec<(u32, f32)> = Vec::new();
    for &cell in cells {
        entries.extend(counts.row(cell as usize).iter());
    }
    entries.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut values = Vec::with_capacity(cells.len());
    for same_gene in entries.chunk_by(|a, b| a.0 == b.0) {
        // With more zeros than values the median is 0.
        if same_gene.len() * 2 < cells.len() {
            continue;
        }
        values.clear();
        values.extend(same_gene.iter().map(|entry| entry.1));
        values.resize(cells.len(), 0.0);
        medians[same_gene[0].0 as usize] = median_f32(&mut values).unwrap_or(0.0);
    }
    medians
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;

    #[test]
    fn the_median_counts_absent_values_as_zero() {
        let counts = CsrMatrix::from_dense(4, 3, &[1.0, 0.0, 5.0, 2.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 9.0, 7.0]);
        assert_eq!(median_counts(&counts, &[0, 1, 2]), [2.0, 0.0, 0.0]);
        assert_eq!(median_counts(&counts, &[0, 1, 2, 3]), [1.5, 0.0, 2.5]);
        assert_eq!(median_counts(&counts, &[]), [0.0; 3]);
    }

    #[test]
    fn at_most_fifty_cells_are_drawn_by_seed_and_name() {
        // Cell i has i counts: the median tells which cells were drawn.
        let counts = CsrMatrix::from_dense(200, 1, &(0..200).map(|value| value as f32).collect::<Vec<_>>());
        let group = |condition, cells: std::ops::Range<u32>| Group {
            condition,
            split: Split::Training,
            failing: cells.collect(),
        };
        let groups = [group("A", 0..50), group("A", 0..200), group("B", 0..200), group("C", 0..0)];
        let drawn = partners(&counts, &groups, 3, &Silent).unwrap();
        assert_eq!(drawn[0], Some(vec![24.5]));
        assert_ne!(drawn[1], drawn[2]);
        assert_eq!(drawn[3], None);
        assert_eq!(drawn, partners(&counts, &groups, 3, &Silent).unwrap());
        assert_ne!(drawn[1], partners(&counts, &groups, 4, &Silent).unwrap()[1]);
    }
}
