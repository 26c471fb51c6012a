//! Library-size normalisation and logarithm: x ↦ ln(1 + s·x / Σx), sparse in, sparse out.

use rayon::prelude::*;

use super::variable_genes::Sums;
use crate::data::{CsrMatrix, Row, median};
use crate::jobs::{Cancelled, Progress};

/// Rows between two looks at the cancel flag.
const ROWS_PER_CHUNK: usize = 1024;

/// Whole counts whose normalised value is computed once per cell: most counts are this small.
const KEPT: usize = 8;

/// Log-normalised expression, computed from counts where it is read: a screen need not be held twice.
pub struct Expression<'a> {
    matrix: &'a CsrMatrix,
    /// Rows of the matrix; none for all in order.
    rows: Option<&'a [u32]>,
    cells: Option<Vec<CellScale>>,
}

/// How the counts of one cell are scaled.
struct CellScale {
    factor: f32,
    /// The values of 1, 2, … counts.
    kept: [f32; KEPT],
}

impl CellScale {
    /// The arithmetic of [`log_normalise`].
    fn new(size: f64, target_sum: f64) -> Self {
        let factor = size as f32 / target_sum as f32;
        let mut kept = [0.0; KEPT];
        for (at, kept) in kept.iter_mut().enumerate() {
            *kept = log_scaled((at + 1) as f32, factor);
        }
        Self { factor, kept }
    }

    fn value(&self, count: f32) -> f32 {
        let whole = count as usize;
        if (1..=KEPT).contains(&whole) && whole as f32 == count {
            self.kept[whole - 1]
        } else {
            log_scaled(count, self.factor)
        }
    }
}

/// ln(1 + x / factor).
fn log_scaled(count: f32, factor: f32) -> f32 {
    (count / factor).ln_1p()
}

impl<'a> Expression<'a> {
    /// Values that are log-normalised already.
    pub fn as_is(matrix: &'a CsrMatrix) -> Self {
        Self { matrix, rows: None, cells: None }
    }

    /// `counts` with each cell, whose counts sum up to `sizes` (one per row), scaled to `target_sum`, then ln(1 + x).
    pub fn of_counts(counts: &'a CsrMatrix, sizes: &[f64], target_sum: f64) -> Self {
        assert_eq!(sizes.len(), counts.rows(), "one library size per cell");
        Self { matrix: counts, rows: None, cells: Some(scales(sizes, target_sum)) }
    }

    /// The same of the rows `cells` of `counts` only, which become rows 0, 1, …; `sizes` are theirs.
    pub fn of_cells(counts: &'a CsrMatrix, cells: &'a [u32], sizes: &[f64], target_sum: f64) -> Self {
        assert_eq!(sizes.len(), cells.len(), "one library size per cell");
        Self { matrix: counts, rows: Some(cells), cells: Some(scales(sizes, target_sum)) }
    }

    /// Number of genes.
    pub fn columns(&self) -> usize {
        self.matrix.columns()
    }

    /// What is stored of the cell `row`: counts or log-normalised values.
    pub fn stored(&self, row: usize) -> Row<'a> {
        self.matrix.row(self.rows.map_or(row, |rows| rows[row] as usize))
    }

    /// The log-normalised value of what is `stored` for the cell `row`.
    pub fn value(&self, row: usize, stored: f32) -> f32 {
        self.cells.as_ref().map_or(stored, |cells| cells[row].value(stored))
    }

    /// Mean over the rows `cells` of every gene; not a number without cells.
    ///
    /// # Errors
    /// If cancelled.
    pub fn means(&self, cells: &[u32], progress: &dyn Progress) -> Result<Vec<f64>, Cancelled> {
        let value = |row, _, stored| f64::from(self.value(row, stored));
        Ok(Sums::over_rows(self.columns(), cells, |row| self.stored(row), value, progress)?.means())
    }

    /// The log-normalised value at `row`, `column`.
    pub fn get(&self, row: usize, column: u32) -> f32 {
        match self.stored(row).get(column) {
            0.0 => 0.0,
            stored => self.value(row, stored),
        }
    }
}

fn scales(sizes: &[f64], target_sum: f64) -> Vec<CellScale> {
    sizes.par_iter().map(|&size| CellScale::new(size, target_sum)).collect()
}

/// The usual target of the normalisation: the median library size of the cells that have counts at all; none if no
/// cell has.
pub fn median_library_size(sizes: &[f64]) -> Option<f64> {
    median(sizes.iter().copied().filter(|size| *size > 0.0).collect())
}

/// The rows `cells` of `counts`, each scaled to `target_sum` counts, then ln(1 + x): `cells.len()` × genes.
///
/// A cell without counts stays empty. The arithmetic is scanpy's (`normalize_total`, `log1p`): single precision,
/// x / (Σx / target), so that cells whose values tie there tie here. The logarithm is the system's in single
/// precision, which is NumPy's too: another rounding would make other ties, and ties move ranks.
pub fn log_normalise(
    counts: &CsrMatrix,
    cells: &[u32],
    target_sum: f64,
    progress: &dyn Progress,
) -> Result<CsrMatrix, Cancelled> {
    let sizes: Vec<f64> = cells.iter().map(|&cell| counts.row_sum(cell as usize)).collect();
    let (starts, indices, values) = counts.select_rows(cells).into_parts();
    let mut values = values.into_f32s();
    let mut rows: Vec<&mut [f32]> = Vec::with_capacity(cells.len());
    let mut rest = values.as_mut_slice();
    for bounds in starts.windows(2) {
        let (row, after) = rest.split_at_mut(bounds[1] - bounds[0]);
        rows.push(row);
        rest = after;
    }
    rows.par_chunks_mut(ROWS_PER_CHUNK).zip(sizes.par_chunks(ROWS_PER_CHUNK)).try_for_each(|(chunk, sizes)| {
        progress.check()?;
        for (row, &total) in chunk.iter_mut().zip(sizes) {
            let factor = total as f32 / target_sum as f32;
            for value in row.iter_mut() {
                *value = log_scaled(*value, factor);
            }
        }
        Ok(())
    })?;
    Ok(CsrMatrix::new(cells.len(), counts.columns(), starts, indices, values).expect("the places of values are kept"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;

    #[test]
    fn cells_without_counts_are_left_out_of_the_median() {
        assert_eq!(median_library_size(&[0.0, 10.0, 30.0, 0.0]), Some(20.0));
        assert_eq!(median_library_size(&[0.0, 10.0, 30.0, 12.0]), Some(12.0));
        assert_eq!(median_library_size(&[0.0]), None);
    }

    #[test]
    fn expression_computed_on_reading_is_that_of_the_whole_matrix() {
        let counts = CsrMatrix::from_dense(3, 3, &[1.0, 3.0, 20.0, 0.0, 0.0, 0.0, 2.5, 0.0, 2.0]);
        let expected = log_normalise(&counts, &[0, 1, 2], 7.0, &Silent).unwrap();
        let expression = Expression::of_counts(&counts, &counts.row_sums(), 7.0);
        for row in 0..3 {
            for column in 0..3 {
                let stored = counts.get(row, column);
                let found = if stored == 0.0 { 0.0 } else { expression.value(row, stored) };
                assert_eq!(found, expected.get(row, column), "{row} {column}");
            }
        }
        assert_eq!(Expression::as_is(&expected).value(0, 0.25), 0.25);
        let means = expression.means(&[0, 2], &Silent).unwrap();
        assert!((means[0] - f64::from(expected.get(0, 0) + expected.get(2, 0)) / 2.0).abs() < 1e-6);
        assert!(expression.means(&[], &Silent).unwrap()[0].is_nan());
    }

    #[test]
    fn cells_are_scaled_to_the_target_before_the_logarithm() {
        let counts = CsrMatrix::from_dense(3, 2, &[1.0, 3.0, 0.0, 0.0, 0.0, 2.0]);
        let normalised = log_normalise(&counts, &[2, 1, 0], 8.0, &Silent).unwrap();
        assert_eq!(normalised.rows(), 3);
        // The compiler may round a constant differently from the system's logarithm.
        let near = |found: f32, counts: f64| (f64::from(found) - counts.ln_1p()).abs() < 3e-7;
        assert!(near(normalised.get(0, 1), 8.0));
        assert_eq!(normalised.row(1).len(), 0);
        assert!(near(normalised.get(2, 0), 2.0) && near(normalised.get(2, 1), 6.0));
    }
}
