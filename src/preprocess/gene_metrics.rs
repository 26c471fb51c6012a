//! Each gene over all cells: how much of it, in how many cells, and how variable.

use std::ops::Range;

use rayon::prelude::*;

use super::normalise::Expression;
use crate::jobs::{Cancelled, Progress};

/// Rows summed up by themselves before the sums are added, in order: the result does not depend on the number of threads.
const ROWS_PER_CHUNK: usize = 8192;
/// Rows between two looks at the cancel flag.
const ROWS_PER_CHECK: usize = 1024;

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

/// Sums of one gene.
#[derive(Clone, Copy, Default)]
struct Sums {
    cells: u32,
    stored: f64,
    log: f64,
    log_squares: f64,
}

impl GeneMetrics {
    /// Measure the rows `cells` of `expression`.
    pub fn measure(expression: &Expression<'_>, cells: &[u32], progress: &dyn Progress) -> Result<Self, Cancelled> {
        let genes = expression.columns();
        let sum = |range: Range<usize>| {
            let mut sums = vec![Sums::default(); genes];
            for (at, &cell) in cells[range].iter().enumerate() {
                if at.is_multiple_of(ROWS_PER_CHECK) {
                    progress.check()?;
                }
                for (column, stored) in expression.stored(cell as usize).iter() {
                    let sums = &mut sums[column as usize];
                    let log = f64::from(expression.value(cell as usize, stored));
                    sums.cells += 1;
                    sums.stored += f64::from(stored);
                    sums.log += log;
                    sums.log_squares += log * log;
                }
            }
            Ok(sums)
        };
        let mut total = vec![Sums::default(); genes];
        // As many chunks at a time as threads, so that few partial sums are held.
        let together = ROWS_PER_CHUNK * rayon::current_num_threads().max(1);
        for first in (0..cells.len()).step_by(together) {
            progress.stage("Measuring genes", Some(first as f32 / cells.len() as f32));
            let last = (first + together).min(cells.len());
            let chunks: Vec<Range<usize>> =
                (first..last).step_by(ROWS_PER_CHUNK).map(|from| from..(from + ROWS_PER_CHUNK).min(last)).collect();
            let parts = chunks.into_par_iter().map(sum).collect::<Result<Vec<_>, Cancelled>>()?;
            for part in parts {
                for (total, part) in total.iter_mut().zip(part) {
                    total.cells += part.cells;
                    total.stored += part.stored;
                    total.log += part.log;
                    total.log_squares += part.log_squares;
                }
            }
        }
        let n = cells.len() as f64;
        let mut metrics = Self::default();
        for sums in total {
            let log_mean = sums.log / n.max(1.0);
            metrics.detected_cells.push(sums.cells);
            metrics.mean.push(sums.stored / n.max(1.0));
            metrics.log_mean.push(log_mean);
            let variance = (sums.log_squares - n * log_mean * log_mean) / (n - 1.0);
            metrics.log_variance.push(if variance > 0.0 { variance } else { 0.0 });
        }
        Ok(metrics)
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
