//! Differential expression: every group of cells against the same control cells, gene by gene.
//!
//! The definitions are those of scanpy's `rank_genes_groups` with a reference group, on log-normalised expression
//! (natural logarithm): the Wilcoxon rank-sum test (Mann–Whitney) with or without tie correction and without
//! continuity correction, or Welch's t; two-sided p values; Benjamini–Hochberg within each group.
//!
//! Expression is mostly zero, so ranks are computed from the non-zero values and one tied block of zeros, and the
//! control's values of a gene are sorted once for all groups (`preprocess::ranks`, which the tests of network edges use too): O(nnz·log nnz)
//! for all genes and groups together.

mod adjust;
pub(crate) mod blocks;
mod gene;
mod tails;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

pub use adjust::benjamini_hochberg;
pub use tails::{ln_normal_two_sided, normal_two_sided, student_two_sided};

use crate::jobs::{Cancelled, Progress};
use crate::preprocess::normalise::Expression;
use blocks::{BLOCK, Blocks};

/// Added to both means before the ratio, as scanpy does.
const PSEUDOCOUNT: f64 = 1e-9;

/// Which test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Wilcoxon rank-sum, normal approximation.
    Wilcoxon {
        /// Divide by the standard deviation corrected for ties. scanpy's default is not to.
        tie_correction: bool,
    },
    /// Welch's t test: unequal variances.
    WelchT,
}

/// Results: groups × genes, row-major in every list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DifferentialTable {
    /// Number of genes G; the row of group i is `i·G..(i + 1)·G`.
    pub genes: usize,
    /// z of the Wilcoxon test or Welch's t: positive where the group is higher than control. 0 where undefined.
    pub scores: Vec<f64>,
    /// log2((exp(mean of group) − 1 + 1e-9) / (exp(mean of control) − 1 + 1e-9)), means of the log-normalised values.
    pub log_fold_changes: Vec<f32>,
    /// Two-sided p values; 1 where the test is undefined.
    pub p_values: Vec<f64>,
    /// Benjamini–Hochberg within the group.
    pub adjusted_p_values: Vec<f64>,
}

impl Default for Test {
    fn default() -> Self {
        Self::Wilcoxon { tie_correction: false }
    }
}

impl Test {
    /// All tests, the usual one first.
    pub const ALL: [Self; 3] =
        [Self::Wilcoxon { tie_correction: false }, Self::Wilcoxon { tie_correction: true }, Self::WelchT];

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Wilcoxon { tie_correction: false } => "Wilcoxon",
            Self::Wilcoxon { tie_correction: true } => "Wilcoxon, ties corrected",
            Self::WelchT => "Welch t",
        }
    }
}

impl DifferentialTable {
    /// Where the row of `group` lies in each list.
    pub fn range(&self, group: usize) -> std::ops::Range<usize> {
        group * self.genes..(group + 1) * self.genes
    }
}

/// Test every gene of `expression` (cells × genes, log-normalised) in each of `groups` against `control`. Both are rows
/// of `expression`; the groups must not overlap each other or the control. Values are normalised where they are read, a few
/// blocks of genes at a time.
///
/// Groups or controls with fewer than two cells give scores of 0 and p values of 1 under [`Test::WelchT`].
pub fn differential(
    expression: &Expression<'_>,
    groups: &[Vec<u32>],
    control: &[u32],
    test: Test,
    progress: &dyn Progress,
) -> Result<DifferentialTable, Cancelled> {
    let genes = expression.columns();
    let mut table = DifferentialTable {
        genes,
        scores: vec![0.0; groups.len() * genes],
        log_fold_changes: vec![0.0; groups.len() * genes],
        p_values: vec![1.0; groups.len() * genes],
        adjusted_p_values: Vec::new(),
    };
    progress.stage("Testing genes", Some(0.0));
    let blocks = Blocks::new(expression, groups, control, progress)?;
    let (done, results) = (AtomicUsize::new(0), Mutex::new(&mut table));
    (0..blocks.count).into_par_iter().try_for_each(|block| {
        let by_gene = blocks.gather(block, expression, progress)?;
        let first = block * BLOCK;
        for gene in 0..by_gene.genes() {
            progress.check()?;
            let mut values = by_gene.values(gene, groups.len());
            let of_control = gene::Control::new(values.control(), control.len());
            let of_group = |(group, cells): (usize, &Vec<u32>)| of_control.test(values.group(group), cells.len(), test);
            let tests: Vec<gene::GeneTest> = groups.iter().enumerate().map(of_group).collect();
            let mut table = results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            for (group, result) in tests.iter().enumerate() {
                let at = group * genes + first + gene;
                table.scores[at] = result.score;
                table.log_fold_changes[at] = result.log_fold_change;
                table.p_values[at] = result.p_value;
            }
        }
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress.stage("Testing genes", Some(done as f32 / blocks.count as f32));
        Ok(())
    })?;
    progress.check()?;
    table.adjusted_p_values = if genes == 0 {
        Vec::new()
    } else {
        table.p_values.par_chunks(genes).map(benjamini_hochberg).collect::<Vec<_>>().concat()
    };
    Ok(table)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::CsrMatrix;
    use crate::jobs::Silent;

    const WILCOXON: Test = Test::Wilcoxon { tie_correction: false };
    const TIE_CORRECTED: Test = Test::Wilcoxon { tie_correction: true };

    /// Rank sums by comparing every pair: slow and plain.
    fn plain_wilcoxon(group: &[f32], control: &[f32], tie_correction: bool) -> f64 {
        let all: Vec<f32> = group.iter().chain(control).copied().collect();
        let rank = |value: f32| {
            let below = all.iter().filter(|other| **other < value).count() as f64;
            let same = all.iter().filter(|other| **other == value).count() as f64;
            (below + (same + 1.0) / 2.0, same)
        };
        let sum: f64 = group.iter().map(|&value| rank(value).0).sum();
        let (n, m) = (group.len() as f64, control.len() as f64);
        let total = n + m;
        let ties: f64 = all.iter().map(|&value| rank(value).1.powi(2) - 1.0).sum();
        let correction = if tie_correction { 1.0 - ties / (total.powi(3) - total) } else { 1.0 };
        let z = (sum - n * (total + 1.0) / 2.0) / (correction * n * m * (total + 1.0) / 12.0).sqrt();
        if z.is_nan() { 0.0 } else { z }
    }

    fn one_gene(groups: &[&[f32]], control: &[f32]) -> (CsrMatrix, Vec<Vec<u32>>, Vec<u32>) {
        let mut dense = control.to_vec();
        let mut rows = Vec::new();
        for group in groups {
            let first = dense.len() as u32;
            dense.extend_from_slice(group);
            rows.push((first..dense.len() as u32).collect());
        }
        (CsrMatrix::from_dense(dense.len(), 1, &dense), rows, (0..control.len() as u32).collect())
    }

    #[test]
    fn welch_t_agrees_with_a_textbook_example() {
        // t and p of SciPy's ttest_ind(…, equal_var=False).
        let group = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4];
        let control = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 24.4];
        let (matrix, groups, controls) = one_gene(&[&group], &control);
        let table = differential(&Expression::as_is(&matrix), &groups, &controls, Test::WelchT, &Silent).unwrap();
        assert!((table.scores[0] + 2.852_954_870_171_521_5).abs() < 1e-6, "{}", table.scores[0]);
        assert!((table.p_values[0] - 0.008_071_938_172_194_903).abs() < 1e-8, "{}", table.p_values[0]);
    }

    #[test]
    fn a_gene_without_counts_is_neutral_in_every_test() {
        let (matrix, groups, controls) = one_gene(&[&[0.0; 4]], &[0.0; 3]);
        for test in [WILCOXON, TIE_CORRECTED, Test::WelchT] {
            let table = differential(&Expression::as_is(&matrix), &groups, &controls, test, &Silent).unwrap();
            assert_eq!((table.scores[0], table.p_values[0], table.adjusted_p_values[0]), (0.0, 1.0, 1.0));
            assert_eq!(table.log_fold_changes[0], 0.0);
        }
    }

    #[test]
    fn groups_without_cells_are_neutral() {
        let (matrix, mut groups, controls) = one_gene(&[&[1.0, 2.0]], &[0.0, 3.0, 1.0]);
        groups.push(Vec::new());
        for test in [WILCOXON, TIE_CORRECTED, Test::WelchT] {
            let table = differential(&Expression::as_is(&matrix), &groups, &controls, test, &Silent).unwrap();
            assert_eq!((table.scores[1], table.p_values[1]), (0.0, 1.0));
            assert!(table.log_fold_changes[1].is_finite());
        }
    }

    fn expression() -> impl Strategy<Value = Vec<f32>> {
        let value =
            prop_oneof![3 => Just(0.0f32), 4 => (1i8..6).prop_map(f32::from), 1 => (-3i8..0).prop_map(f32::from)];
        prop::collection::vec(value, 1..40)
    }

    proptest! {
        #[test]
        fn sparse_ranks_equal_plain_ones(a in expression(), b in expression(), control in expression()) {
            let (matrix, groups, controls) = one_gene(&[&a, &b], &control);
            for tie_correction in [false, true] {
                let table =
                    differential(&Expression::as_is(&matrix), &groups, &controls, Test::Wilcoxon { tie_correction }, &Silent).unwrap();
                for (group, score) in [&a, &b].into_iter().zip(&table.scores) {
                    let expected = plain_wilcoxon(group, &control, tie_correction);
                    prop_assert!((score - expected).abs() < 1e-9, "{score} {expected}");
                }
                prop_assert!(table.p_values.iter().all(|p| (0.0..=1.0).contains(p)));
            }
        }

        #[test]
        fn the_order_of_cells_does_not_matter_and_swapping_sides_flips_the_sign(
            a in expression(), control in expression(), rotation in 0usize..40,
        ) {
            let (matrix, groups, controls) = one_gene(&[&a], &control);
            let mut rotated = (groups.clone(), controls.clone());
            rotated.0[0].rotate_left(rotation % a.len());
            rotated.1.rotate_left(rotation % control.len());
            for test in [WILCOXON, TIE_CORRECTED] {
                let table = differential(&Expression::as_is(&matrix), &groups, &controls, test, &Silent).unwrap();
                let again = differential(&Expression::as_is(&matrix), &rotated.0, &rotated.1, test, &Silent).unwrap();
                prop_assert_eq!(table.scores[0], again.scores[0]);
                prop_assert_eq!(table.p_values[0], again.p_values[0]);
                let swapped = differential(&Expression::as_is(&matrix), std::slice::from_ref(&controls), &groups[0], test, &Silent).unwrap();
                prop_assert!((swapped.scores[0] + table.scores[0]).abs() < 1e-9);
            }
        }
    }
}
