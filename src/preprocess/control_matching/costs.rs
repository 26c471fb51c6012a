//! What it costs to move from one point to another: Euclidean distance, scaled.

use rayon::prelude::*;

use super::sinkhorn::Points;
use crate::jobs::{Cancelled, Progress};

/// Costs of every pair, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Costs {
    /// From row-major `values`; panics if there are not rows × columns of them.
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), rows * columns, "costs are rows × columns");
        Self { rows, columns, values }
    }

    /// Euclidean distance / `scale` between the points of `from` (rows) and of `to` (columns).
    pub fn between(from: &Points, to: &Points, scale: f64, progress: &dyn Progress) -> Result<Self, Cancelled> {
        let columns = to.len();
        let mut values = vec![0.0; from.len() * columns];
        values.par_chunks_mut(columns.max(1)).enumerate().try_for_each(|(row, out)| {
            progress.check()?;
            from.distances(row, to, out);
            out.iter_mut().for_each(|value| *value /= scale);
            Ok(())
        })?;
        Ok(Self { rows: from.len(), columns, values })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Costs of one row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// Cost of one pair.
    pub fn get(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    /// The largest cost, 0 if there is none.
    pub fn largest(&self) -> f64 {
        self.values.iter().copied().fold(0.0, f64::max)
    }
}
