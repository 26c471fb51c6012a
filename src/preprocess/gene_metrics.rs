//! Each gene over all cells: how much of it, in how many cells, and how variable.

use super::normalise::Expression;
use super::variable_genes::Sums;
use crate::jobs::{Cancelled, Progress};

/// One value per gene in each list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GeneMetrics {
    /// Number of cells with at least one count.
    pub detected_cells: Vec<u32>,
    /// Mean of what is stored (counts) over the cells.
    pub mean: Vec<f64>,
    /// Mean of the log-normalised values.
    pub log_mean: Vec<f64>,
    /// Variance of the log-normalised values, divided by n − 1; 0 for a single cell.
    pub log_variance: Vec<f64>,
}

impl GeneMetrics {
    /// Measure the rows `cells` of `expression`.
    pub fn measure(expression: &Expression<'_>, cells: &[u32], progress: &dyn Progress) -> Result<Self, Cancelled> {
        progress.stage("Measuring genes", None);
        let sums = |of: &(dyn Fn(usize, f32) -> f64 + Sync)| {
            let row = |row| expression.stored(row);
            Sums::over_rows(expression.columns(), cells, row, |row, _, stored| of(row, stored), progress)
        };
        let log = sums(&|row, stored| f64::from(expression.value(row, stored)))?;
        let stored = sums(&|_, stored| f64::from(stored))?;
        let none = cells.is_empty();
        let or_zero = |values: Vec<f64>| {
            // Of no cell, or of a single one, nothing varies; rounding may leave a little less than nothing.
            values.into_iter().map(|value| if value > 0.0 && !none { value } else { 0.0 }).collect()
        };
        let (mean, log_mean) = (or_zero(stored.means()), or_zero(log.means()));
        Ok(Self { log_variance: or_zero(log.variances()), detected_cells: log.present, mean, log_mean })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::CsrMatrix;
    use crate::jobs::Silent;

    #[test]
    fn means_and_variances_count_the_zeros() {
        let counts = CsrMatrix::from_dense(3, 2, &[1.0, 0.0, 3.0, 0.0, 0.0, 0.0]);
        let metrics = GeneMetrics::measure(&Expression::as_is(&counts), &[0, 1, 2], &Silent).unwrap();
        assert_eq!(metrics.detected_cells, [2, 0]);
        assert_eq!(metrics.log_mean, [4.0 / 3.0, 0.0]);
        assert!((metrics.log_variance[0] - 7.0 / 3.0).abs() < 1e-12);
        assert_eq!(metrics.log_variance[1], 0.0);
        let one = GeneMetrics::measure(&Expression::as_is(&counts), &[1], &Silent).unwrap();
        assert_eq!((one.mean[0], one.log_variance[0]), (3.0, 0.0));
    }
}
