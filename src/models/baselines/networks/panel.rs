//! Expression of chosen genes in chosen cells, gene by gene: what correlations and trees read.

use rayon::prelude::*;

use super::columns;
use crate::data::{Dataset, MatrixKind};

/// Genes × cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// Symbols, one per row.
    pub genes: Vec<String>,
    /// Number of columns.
    pub cells: usize,
    /// Row-major; ln(1 + 10,000·x/Σx) of counts, other values as they are.
    pub values: Vec<f32>,
}

impl Panel {
    /// The `genes` that `dataset` has, in `cells` (its rows).
    pub fn of(dataset: &Dataset, cells: &[u32], genes: &[String]) -> Self {
        let symbols = dataset.genes().symbols();
        let chosen = columns(&symbols, genes);
        let mut place = vec![usize::MAX; symbols.len()];
        chosen.iter().enumerate().for_each(|(at, &column)| place[column] = at);
        let counts = dataset.matrix_kind() == MatrixKind::Counts;
        let mut values = vec![0f32; chosen.len() * cells.len()];
        for (at, &cell) in cells.iter().enumerate() {
            let total = dataset.matrix().row_sum(cell as usize);
            for (column, value) in dataset.matrix().row(cell as usize).iter() {
                let row = place[column as usize];
                if row != usize::MAX {
                    values[row * cells.len() + at] = match counts {
                        true => (1e4 * f64::from(value) / total).ln_1p() as f32,
                        false => value,
                    };
                }
            }
        }
        let genes = chosen.iter().map(|&column| symbols[column].clone()).collect();
        Self { genes, cells: cells.len(), values }
    }

    /// The values of gene number `gene`.
    pub fn row(&self, gene: usize) -> &[f32] {
        &self.values[gene * self.cells..(gene + 1) * self.cells]
    }

    /// The same with every row at mean 0 and Euclidean length 1; NaN without variation.
    pub(super) fn standardised(mut self) -> Self {
        if self.cells > 0 {
            self.values.par_chunks_mut(self.cells).for_each(standardise);
        }
        self
    }
}

fn standardise(row: &mut [f32]) {
    let mean = row.iter().map(|&value| f64::from(value)).sum::<f64>() / row.len() as f64;
    let length = row.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>().sqrt();
    // What is left of equal values after rounding to f32 is no variation.
    let noise = 1e-6 * mean.abs() * (row.len() as f64).sqrt();
    let scale = if length > noise { 1.0 / length } else { f64::NAN };
    row.iter_mut().for_each(|value| *value = ((f64::from(*value) - mean) * scale) as f32);
}
