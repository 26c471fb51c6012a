//! What cells tell of a shift beside its mean: which genes respond at all, and how surely.

use crate::data::{CellRole, Dataset, MatrixKind, mean_expression};
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::differential::{Test, differential};
use crate::preprocess::normalise::Expression;

/// Adjusted p below which a gene counts as differentially expressed.
pub const SIGNIFICANT: f64 = 0.05;

/// Tests of the cells behind an observed table: rows and columns are those of [`crate::data::EffectTable::observed`] with the same
/// arguments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// [`mean_expression`] of the control cells, one per gene.
    pub control_mean: Vec<f32>,
    /// z of the Wilcoxon rank-sum test against control, ties corrected; perturbations × genes, row-major.
    pub scores: Vec<f32>,
    /// Whether its p value, adjusted within the perturbation (Benjamini and Hochberg), is below [`SIGNIFICANT`].
    pub significant: Vec<bool>,
    /// |t| (Welch) of the perturbation's cells against all other cells, control included; 0 where undefined.
    pub against_others: Vec<f32>,
}

impl Evidence {
    /// Of `cells` (rows of `dataset`).
    pub fn of_cells(dataset: &Dataset, cells: &[u32], progress: &dyn Progress) -> Result<Self, Cancelled> {
        let mut control = Vec::new();
        let mut groups = vec![Vec::new(); dataset.perturbations().len()];
        for &cell in cells {
            match dataset.roles()[cell as usize] {
                CellRole::Control => control.push(cell),
                CellRole::Perturbed(index) => groups[index as usize].push(cell),
                CellRole::Unassigned => {}
            }
        }
        groups.retain(|group| !group.is_empty());
        let sizes: Vec<f64> = (0..dataset.cell_count()).map(|row| dataset.matrix().row_sum(row)).collect();
        let expression = match dataset.matrix_kind() {
            MatrixKind::Counts => Expression::of_counts(dataset.matrix(), &sizes, 1e4),
            _ => Expression::as_is(dataset.matrix()),
        };
        let tests = differential(&expression, &groups, &control, Test::Wilcoxon { tie_correction: true }, progress)?;
        let control_mean = mean_expression(dataset, &control);
        Ok(Self {
            control_mean: control_mean.into_iter().map(|mean| mean as f32).collect(),
            scores: tests.scores.iter().map(|&score| score as f32).collect(),
            significant: tests.adjusted_p_values.iter().map(|p| *p < SIGNIFICANT).collect(),
            against_others: against_others(&expression, &control, &groups),
        })
    }

    /// The perturbations of some `rows` alone, as [`crate::data::EffectTable::part`].
    pub fn part(&self, rows: &[usize]) -> Self {
        let genes = self.control_mean.len();
        fn take<T: Copy>(from: &[T], rows: &[usize], genes: usize) -> Vec<T> {
            rows.iter().flat_map(|&row| from[row * genes..(row + 1) * genes].iter().copied()).collect()
        }
        Self {
            control_mean: self.control_mean.clone(),
            scores: take(&self.scores, rows, genes),
            significant: take(&self.significant, rows, genes),
            against_others: take(&self.against_others, rows, genes),
        }
    }
}

/// Sum and sum of squares of every gene.
struct Moments {
    sum: Vec<f64>,
    squares: Vec<f64>,
    cells: f64,
}

impl Moments {
    fn of(expression: &Expression<'_>, cells: &[u32]) -> Self {
        let genes = expression.columns();
        let mut moments = Self { sum: vec![0.0; genes], squares: vec![0.0; genes], cells: cells.len() as f64 };
        for &cell in cells {
            for (column, stored) in expression.stored(cell as usize).iter() {
                let value = f64::from(expression.value(cell as usize, stored));
                moments.sum[column as usize] += value;
                moments.squares[column as usize] += value * value;
            }
        }
        moments
    }

    /// Mean of a gene and the variance of that mean.
    fn mean(&self, gene: usize, less: Option<&Self>) -> (f64, f64) {
        let of = |from: &Vec<f64>, less: Option<&Vec<f64>>| from[gene] - less.map_or(0.0, |less| less[gene]);
        let cells = self.cells - less.map_or(0.0, |less| less.cells);
        let mean = of(&self.sum, less.map(|less| &less.sum)) / cells;
        let squares = of(&self.squares, less.map(|less| &less.squares));
        let variance = ((squares - cells * mean * mean) / (cells - 1.0)).max(0.0);
        (mean, variance / cells)
    }
}

/// |t| of each group against all other cells.
fn against_others(expression: &Expression<'_>, control: &[u32], groups: &[Vec<u32>]) -> Vec<f32> {
    let genes = expression.columns();
    let mut all = Moments::of(expression, control);
    let own: Vec<Moments> = groups.iter().map(|group| Moments::of(expression, group)).collect();
    for moments in &own {
        all.cells += moments.cells;
        all.sum.iter_mut().zip(&moments.sum).for_each(|(all, own)| *all += own);
        all.squares.iter_mut().zip(&moments.squares).for_each(|(all, own)| *all += own);
    }
    let t = |moments: &Moments, gene: usize| {
        let ((mean, error), (others, their_error)) = (moments.mean(gene, None), all.mean(gene, Some(moments)));
        let t = (mean - others) / (error + their_error).sqrt();
        if t.is_finite() { t.abs() as f32 } else { 0.0 }
    };
    own.iter().flat_map(|moments| (0..genes).map(|gene| t(moments, gene)).collect::<Vec<_>>()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::data::{EffectTable, log2_moments};
    use crate::jobs::Silent;

    #[test]
    fn rows_are_those_of_the_observed_table_and_t_is_welchs() {
        let config = SimulateConfig { cells: 400, genes: 30, perturbations: 4, ..SimulateConfig::default() };
        let screen = simulate(&config, &Silent).unwrap();
        let dataset = &screen.dataset;
        let cells: Vec<u32> = (0..dataset.cell_count() as u32).filter(|cell| cell % 2 == 0).collect();
        let observed = EffectTable::observed(dataset, &cells).unwrap();
        let evidence = Evidence::of_cells(dataset, &cells, &Silent).unwrap();
        assert_eq!(evidence.scores.len(), observed.shifts.len());
        assert_eq!(evidence.control_mean.len(), observed.genes.len());
        let agree = evidence.scores.iter().zip(&observed.shifts).filter(|(z, shift)| **z * **shift > 0.0).count();
        assert!(agree * 10 > observed.shifts.len() * 8, "scores have the direction of the shifts");
        assert!(evidence.significant.iter().any(|yes| *yes));

        let used = |name: &str| {
            let is =
                |role| matches!(role, CellRole::Perturbed(at) if dataset.perturbations()[at as usize].name() == name);
            let roles = dataset.roles();
            let assigned = cells.iter().copied().filter(|cell| roles[*cell as usize] != CellRole::Unassigned);
            assigned.partition::<Vec<u32>, _>(|cell| is(roles[*cell as usize]))
        };
        let (group, others) = used(&observed.perturbations[1]);
        let ((mean, error), (their_mean, their_error)) =
            (log2_moments(dataset.matrix(), &group), log2_moments(dataset.matrix(), &others));
        for gene in 0..observed.genes.len() {
            let t = (mean[gene] - their_mean[gene]) / (error[gene] + their_error[gene]).sqrt();
            let found = evidence.against_others[observed.genes.len() + gene];
            assert!((f64::from(found) - t.abs()).abs() < 1e-3 * (1.0 + t.abs()), "{found} is not {t}");
        }
    }
}
