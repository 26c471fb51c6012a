//! The tests of one gene: all groups against one sorted control.

use super::{PSEUDOCOUNT, Test, normal_two_sided, student_two_sided};
use crate::preprocess::ranks::{SortedControl, sort};

/// One gene in one group.
#[derive(Clone, Copy, Debug)]
pub(super) struct GeneTest {
    pub score: f64,
    pub log_fold_change: f32,
    pub p_value: f64,
}

/// Number, mean and variance (n − 1) of values of which most are zero.
#[derive(Clone, Copy, Debug)]
struct Moments {
    cells: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    /// Of `nonzero` and as many zeros as make `cells` values.
    fn new(nonzero: &[f64], cells: usize) -> Self {
        let zeros = (cells - nonzero.len()) as f64;
        let cells = cells as f64;
        let mean = if cells > 0.0 { nonzero.iter().sum::<f64>() / cells } else { 0.0 };
        let squares: f64 = nonzero.iter().map(|value| (value - mean).powi(2)).sum();
        Self { cells, mean, variance: (squares + zeros * mean * mean) / (cells - 1.0) }
    }

    /// Welch's t against `control`, and its p value.
    fn welch(&self, control: &Self) -> (f64, f64) {
        let (a, b) = (self.variance / self.cells, control.variance / control.cells);
        let t = (self.mean - control.mean) / (a + b).sqrt();
        // Welch–Satterthwaite degrees of freedom.
        let freedom = (a + b).powi(2) / (a * a / (self.cells - 1.0) + b * b / (control.cells - 1.0));
        if t.is_nan() || freedom.is_nan() { (0.0, 1.0) } else { (t, student_two_sided(t, freedom)) }
    }
}

/// The control's values of one gene.
#[derive(Debug)]
pub(super) struct Control {
    sorted: SortedControl,
    moments: Moments,
}

impl Control {
    /// From the non-zero values (which are sorted in place) among `cells` cells.
    pub fn new(nonzero: &mut [f64], cells: usize) -> Self {
        let moments = Moments::new(nonzero, cells);
        Self { sorted: SortedControl::new(nonzero, cells), moments }
    }

    /// Test the non-zero values of a group (which are sorted in place) among `cells` cells.
    pub fn test(&self, nonzero: &mut [f64], cells: usize, test: Test) -> GeneTest {
        let moments = Moments::new(nonzero, cells);
        let ratio = (moments.mean.exp_m1() + PSEUDOCOUNT) / (self.moments.mean.exp_m1() + PSEUDOCOUNT);
        let (score, p_value) = match test {
            Test::Wilcoxon { tie_correction } => {
                sort(nonzero);
                let score = self.wilcoxon(nonzero, cells, tie_correction);
                (score, normal_two_sided(score))
            }
            Test::WelchT => moments.welch(&self.moments),
        };
        GeneTest { score, log_fold_change: ratio.log2() as f32, p_value }
    }

    /// z of the rank sum of the group; 0 where all values are equal or a side is empty.
    fn wilcoxon(&self, sorted: &[f64], cells: usize, tie_correction: bool) -> f64 {
        let (n, m) = (cells as f64, self.sorted.cells() as f64);
        let total = n + m;
        let ranks = self.sorted.rank_sum(sorted, cells);
        let correction = if tie_correction && total >= 2.0 { 1.0 - ranks.ties / (total.powi(3) - total) } else { 1.0 };
        let deviation = (correction * n * m * (total + 1.0) / 12.0).sqrt();
        let score = (ranks.sum - n * (total + 1.0) / 2.0) / deviation;
        if score.is_finite() { score } else { 0.0 }
    }
}
