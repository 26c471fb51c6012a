//! Mean and variance of every gene over some cells of a sparse matrix.

use rayon::prelude::*;

use crate::data::{CsrMatrix, Row};
use crate::jobs::{Cancelled, Progress};

/// Parts that the cells are summed in, at most: the number does not depend on the threads, so that the sums do not.
const MOST_PARTS: usize = 16;
/// Cells in a part at least.
const LEAST_CELLS: usize = 512;

/// Sums over cells, one entry per gene.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::preprocess) struct Sums {
    /// Σ x.
    pub first: Vec<f64>,
    /// Σ x².
    pub second: Vec<f64>,
    /// Cells with a stored (non-zero) value.
    pub present: Vec<u32>,
    /// Number of cells.
    pub cells: usize,
}

impl Sums {
    /// Over the rows `cells` of `matrix`, of `transform(gene, value)`, which must keep zero zero.
    pub fn over(
        matrix: &CsrMatrix,
        cells: &[u32],
        transform: impl Fn(usize, f32) -> f64 + Sync,
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        Self::over_rows(
            matrix.columns(),
            cells,
            |row| matrix.row(row),
            |_, gene, value| transform(gene, value),
            progress,
        )
    }

    /// The same of `transform(row, gene, value)` over the rows `cells`, of `genes` columns, that `stored` gives.
    pub fn over_rows<'a>(
        genes: usize,
        cells: &[u32],
        stored: impl Fn(usize) -> Row<'a> + Sync,
        transform: impl Fn(usize, usize, f32) -> f64 + Sync,
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        let empty = || Self { first: vec![0.0; genes], second: vec![0.0; genes], present: vec![0; genes], cells: 0 };
        let part = cells.len().div_ceil(MOST_PARTS).max(LEAST_CELLS);
        let parts: Vec<Self> = cells
            .par_chunks(part)
            .map(|cells| {
                let mut sums = empty();
                sums.cells = cells.len();
                for (at, &cell) in cells.iter().enumerate() {
                    if at % 256 == 0 {
                        progress.check()?;
                    }
                    for (column, value) in stored(cell as usize).iter() {
                        let gene = column as usize;
                        let value = transform(cell as usize, gene, value);
                        sums.first[gene] += value;
                        sums.second[gene] += value * value;
                        sums.present[gene] += 1;
                    }
                }
                Ok(sums)
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut total = empty();
        parts.iter().for_each(|part| total.add(part));
        Ok(total)
    }

    /// Add those over other cells.
    pub fn add(&mut self, other: &Self) {
        self.first.iter_mut().zip(&other.first).for_each(|(sum, more)| *sum += more);
        self.second.iter_mut().zip(&other.second).for_each(|(sum, more)| *sum += more);
        self.present.iter_mut().zip(&other.present).for_each(|(sum, more)| *sum += more);
        self.cells += other.cells;
    }

    /// Mean of every gene.
    pub fn means(&self) -> Vec<f64> {
        let count = self.cells as f64;
        self.first.iter().map(|sum| sum / count).collect()
    }

    /// Variance (n − 1) of every gene: mean of squares − square of mean, as scanpy computes it. NaN for a single cell.
    pub fn variances(&self) -> Vec<f64> {
        let count = self.cells as f64;
        let variance = |(first, second): (&f64, &f64)| {
            let mean = first / count;
            (second / count - mean * mean) * (count / (count - 1.0))
        };
        self.first.iter().zip(&self.second).map(variance).collect()
    }
}
