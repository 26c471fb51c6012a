//! Every gene in every group of cells against the same control cells: Mann–Whitney and Wasserstein, all pairs at once.
//!
//! The same numbers as [`super::mann_whitney()`] and [`super::wasserstein`] pair by pair, in a fraction of the time: a gene's control
//! values are sorted once for all groups (`preprocess::ranks`), zeros are counted, genes are read a block at a time so
//! that memory stays bounded, and blocks are worked on in parallel.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::mann_whitney::two_sided;
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::differential::blocks::{BLOCK, Blocks};
use crate::preprocess::normalise::Expression;
use crate::preprocess::ranks::{SortedControl, sort};

/// Tests of groups × genes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PairTests {
    /// Number of genes.
    pub genes: usize,
    /// Two-sided Mann–Whitney p values, row-major; NaN of a group without cells.
    pub p_values: Vec<f64>,
    /// Wasserstein-1 distances in the unit of the expression; NaN of a group without cells.
    pub distances: Vec<f64>,
    /// Mean of the group minus that of control, same unit; NaN of a group without cells.
    pub differences: Vec<f64>,
}

/// The test of one gene in one group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairTest {
    /// Two-sided Mann–Whitney p value.
    pub p_value: f64,
    /// Wasserstein-1 distance.
    pub distance: f64,
    /// Mean of the group minus that of control.
    pub difference: f64,
}

impl PairTests {
    /// The test of `gene` in `group`; none if the group has no cells.
    pub fn get(&self, group: usize, gene: usize) -> Option<PairTest> {
        let at = group * self.genes + gene;
        let test =
            PairTest { p_value: self.p_values[at], distance: self.distances[at], difference: self.differences[at] };
        Some(test).filter(|test| !test.p_value.is_nan())
    }
}

/// Test every gene of `expression` (cells × genes) in each of `groups` against `control`; both are rows of it. Without control cells nothing
/// is tested. The same result whatever the number of threads; O((n log n + Σ k log n) · genes) for n control values and k of a group
/// that are not zero.
pub fn pair_tests(
    expression: &Expression<'_>,
    groups: &[Vec<u32>],
    control: &[u32],
    progress: &dyn Progress,
) -> Result<PairTests, Cancelled> {
    let genes = expression.columns();
    let size = groups.len() * genes;
    let none = || vec![f64::NAN; size];
    let mut tests = PairTests { genes, p_values: none(), distances: none(), differences: none() };
    if control.is_empty() {
        return Ok(tests);
    }
    progress.stage("Testing pairs", Some(0.0));
    let blocks = Blocks::new(expression, groups, control, progress)?;
    let (done, results) = (AtomicUsize::new(0), Mutex::new(&mut tests));
    (0..blocks.count).into_par_iter().try_for_each(|block| {
        let by_gene = blocks.gather(block, expression, progress)?;
        let first = block * BLOCK;
        for gene in 0..by_gene.genes() {
            progress.check()?;
            let mut values = by_gene.values(gene, groups.len());
            let mean = |values: &[f64], cells: usize| values.iter().sum::<f64>() / cells as f64;
            let base = mean(values.control(), control.len());
            let sorted = SortedControl::new(values.control(), control.len());
            let mut found = Vec::with_capacity(groups.len());
            for (group, cells) in groups.iter().enumerate().filter(|(_, cells)| !cells.is_empty()) {
                let own = values.group(group);
                sort(own);
                let ranks = sorted.rank_sum(own, cells.len());
                let p_value = two_sided(ranks.sum, ranks.ties, cells.len(), control.len());
                let difference = mean(own, cells.len()) - base;
                found.push((group, p_value, sorted.wasserstein(own, cells.len()), difference));
            }
            let mut tests = results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            for (group, p_value, distance, difference) in found {
                let at = group * genes + first + gene;
                tests.p_values[at] = p_value;
                tests.distances[at] = distance;
                tests.differences[at] = difference;
            }
        }
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress.stage("Testing pairs", Some(done as f32 / blocks.count as f32));
        Ok(())
    })?;
    Ok(tests)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Sample, mann_whitney, wasserstein};
    use super::*;
    use crate::data::CsrMatrix;
    use crate::jobs::Silent;

    fn values(most: usize) -> impl Strategy<Value = Vec<f32>> {
        let value = prop_oneof![
            4 => Just(0.0f32),
            3 => (1i8..6).prop_map(f32::from),
            1 => (-3i8..0).prop_map(f32::from),
            3 => -2.0f32..9.0,
        ];
        prop::collection::vec(value, 1..most)
    }

    proptest! {
        #[test]
        fn all_pairs_at_once_are_the_same_as_one_by_one(
            control in values(60), a in values(40), b in values(9), scale in prop::sample::select(vec![1.0f32, 1e-3, 100.0]),
        ) {
            let groups = [a, b];
            let dense: Vec<f32> = control.iter().chain(groups.iter().flatten()).map(|value| value * scale).collect();
            let matrix = CsrMatrix::from_dense(dense.len(), 1, &dense);
            let mut next = control.len() as u32;
            let rows: Vec<Vec<u32>> = groups
                .iter()
                .map(|group| {
                    next += group.len() as u32;
                    (next - group.len() as u32..next).collect()
                })
                .collect();
            let controls: Vec<u32> = (0..control.len() as u32).collect();
            let tests = pair_tests(&Expression::as_is(&matrix), &rows, &controls, &Silent).unwrap();
            let sample = |rows: &[u32]| Sample::new(rows.iter().map(|&row| f64::from(dense[row as usize])));
            for (group, rows) in rows.iter().enumerate() {
                let PairTest { p_value, distance, difference } = tests.get(group, 0).unwrap();
                let (one, other) = (sample(&controls), sample(rows));
                let expected = mann_whitney(&one, &other).unwrap();
                prop_assert!((p_value - expected).abs() <= 1e-12 * expected.max(1e-300), "{p_value} {expected}");
                let expected = other.mean().unwrap() - one.mean().unwrap();
                prop_assert!((difference - expected).abs() <= 1e-9 * f64::from(scale).max(1.0), "{difference} {expected}");
                let expected = wasserstein(&one, &other).unwrap();
                prop_assert!((distance - expected).abs() <= 1e-12 * f64::from(scale).max(1.0), "{distance} {expected}");
            }
        }
    }

    #[test]
    fn groups_without_cells_are_not_tested_and_threads_do_not_matter() {
        let dense: Vec<f32> =
            (0..60 * 300).map(|at| ((at * 7919) % 11) as f32 * f32::from(u8::from(at % 3 == 0))).collect();
        let matrix = CsrMatrix::from_dense(60, 300, &dense);
        let expression = Expression::of_counts(&matrix, &matrix.row_sums(), 1e4);
        let groups = vec![(20..35).collect(), Vec::new(), (35..60).collect()];
        let control: Vec<u32> = (0..20).collect();
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| pair_tests(&expression, &groups, &control, &Silent).unwrap())
        };
        let (one, three) = (on(1), on(3));
        assert!(one.p_values.iter().zip(&three.p_values).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert!(one.distances.iter().zip(&three.distances).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert_eq!(one.get(1, 5), None);
        assert!((0..300).all(|gene| {
            one.get(2, gene).is_some_and(|test| (0.0..=1.0).contains(&test.p_value) && test.distance >= 0.0)
        }));
        assert_eq!(pair_tests(&expression, &groups, &[], &Silent).unwrap().get(0, 0), None);
    }
}
