//! Sparse cells × genes matrices.

use thiserror::Error;

/// A matrix in compressed sparse row form: one row per cell, one column per gene.
///
/// Within a row the columns are strictly increasing; no zero is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct CsrMatrix {
    rows: usize,
    columns: usize,
    starts: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

/// Why arrays do not form a matrix.
#[derive(Debug, Error, PartialEq)]
pub enum MatrixError {
    /// `starts` must have one entry more than there are rows.
    #[error("indptr has {found} entries, expected {expected} (rows + 1)")]
    WrongStarts {
        /// Entries found.
        found: usize,
        /// Entries expected.
        expected: usize,
    },
    /// `starts` must begin at 0, never decrease and end at the number of values.
    #[error("indptr is not increasing from 0 to the number of values: entry {at} is {found}")]
    UnorderedStarts {
        /// Position in `starts`.
        at: usize,
        /// The entry found there.
        found: usize,
    },
    /// As many indices as values.
    #[error("{indices} indices but {values} values")]
    UnequalLengths {
        /// Number of indices.
        indices: usize,
        /// Number of values.
        values: usize,
    },
    /// A column index beyond the last column.
    #[error("row {row} has a value in column {column}, but there are only {columns} columns")]
    ColumnOutOfRange {
        /// Row with the index.
        row: usize,
        /// The index.
        column: u32,
        /// Number of columns.
        columns: usize,
    },
    /// The same column twice in a row.
    #[error("row {row} has column {column} twice")]
    RepeatedColumn {
        /// Row with the repetition.
        row: usize,
        /// The repeated column.
        column: u32,
    },
}

impl CsrMatrix {
    /// A matrix of `rows` × `columns` from its three arrays. Rows with unsorted columns are sorted and stored zeros
    /// dropped; anything else that is wrong is an error.
    pub fn new(
        rows: usize,
        columns: usize,
        starts: Vec<usize>,
        indices: Vec<u32>,
        values: Vec<f32>,
    ) -> Result<Self, MatrixError> {
        if starts.len() != rows + 1 {
            return Err(MatrixError::WrongStarts { found: starts.len(), expected: rows + 1 });
        }
        if indices.len() != values.len() {
            return Err(MatrixError::UnequalLengths { indices: indices.len(), values: values.len() });
        }
        let mut previous = 0;
        for (at, &start) in starts.iter().enumerate() {
            let wrong_end = at == rows && start != values.len();
            if start < previous || start > values.len() || (at == 0 && start != 0) || wrong_end {
                return Err(MatrixError::UnorderedStarts { at, found: start });
            }
            previous = start;
        }
        let mut matrix = Self { rows, columns, starts, indices, values };
        matrix.normalise()?;
        Ok(matrix)
    }

    /// From rows of (column, value) pairs.
    pub fn from_rows(columns: usize, rows: Vec<Vec<(u32, f32)>>) -> Result<Self, MatrixError> {
        let mut starts = Vec::with_capacity(rows.len() + 1);
        starts.push(0);
        let (mut indices, mut values) = (Vec::new(), Vec::new());
        for row in &rows {
            for &(column, value) in row {
                indices.push(column);
                values.push(value);
            }
            starts.push(indices.len());
        }
        Self::new(rows.len(), columns, starts, indices, values)
    }

    /// From a dense row-major array of `rows` × `columns`. Panics if the length differs.
    pub fn from_dense(rows: usize, columns: usize, dense: &[f32]) -> Self {
        assert_eq!(dense.len(), rows * columns, "dense array is rows × columns");
        let mut starts = Vec::with_capacity(rows + 1);
        starts.push(0);
        let (mut indices, mut values) = (Vec::new(), Vec::new());
        for row in 0..rows {
            for column in 0..columns {
                let value = dense[row * columns + column];
                if value != 0.0 {
                    indices.push(column as u32);
                    values.push(value);
                }
            }
            starts.push(indices.len());
        }
        Self { rows, columns, starts, indices, values }
    }

    fn normalise(&mut self) -> Result<(), MatrixError> {
        let mut has_zero = false;
        let mut pairs = Vec::new();
        for row in 0..self.rows {
            let range = self.starts[row]..self.starts[row + 1];
            let columns = &self.indices[range.clone()];
            if let Some(&column) = columns.iter().find(|&&column| column as usize >= self.columns) {
                return Err(MatrixError::ColumnOutOfRange { row, column, columns: self.columns });
            }
            if !columns.is_sorted() {
                pairs.clear();
                pairs.extend(range.clone().map(|at| (self.indices[at], self.values[at])));
                pairs.sort_by_key(|&(column, _)| column);
                for (at, &(column, value)) in range.clone().zip(&pairs) {
                    self.indices[at] = column;
                    self.values[at] = value;
                }
            }
            if let Some(pair) = self.indices[range.clone()].windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(MatrixError::RepeatedColumn { row, column: pair[0] });
            }
            has_zero |= self.values[range].contains(&0.0);
        }
        if has_zero {
            let mut kept = 0;
            let mut start = 0;
            for row in 0..self.rows {
                let end = self.starts[row + 1];
                for at in start..end {
                    if self.values[at] != 0.0 {
                        self.indices[kept] = self.indices[at];
                        self.values[kept] = self.values[at];
                        kept += 1;
                    }
                }
                start = end;
                self.starts[row + 1] = kept;
            }
            self.indices.truncate(kept);
            self.values.truncate(kept);
        }
        Ok(())
    }

    /// Number of cells.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of genes.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of stored (non-zero) values.
    pub fn stored(&self) -> usize {
        self.values.len()
    }

    /// Row boundaries (`indptr`), rows + 1 entries.
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// Column of each stored value.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// The stored values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The arrays: row boundaries, columns, values; [`CsrMatrix::new`] makes a matrix of them again.
    pub fn into_parts(self) -> (Vec<usize>, Vec<u32>, Vec<f32>) {
        (self.starts, self.indices, self.values)
    }

    /// Columns and values of `row`.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.starts[row]..self.starts[row + 1];
        (&self.indices[range.clone()], &self.values[range])
    }

    /// Value at `row`, `column`.
    pub fn get(&self, row: usize, column: usize) -> f32 {
        let (columns, values) = self.row(row);
        columns.binary_search(&(column as u32)).map_or(0.0, |at| values[at])
    }

    /// Sum of `row`: the library size of a cell.
    pub fn row_sum(&self, row: usize) -> f64 {
        self.row(row).1.iter().map(|&value| f64::from(value)).sum()
    }

    /// Sums of all rows.
    pub fn row_sums(&self) -> Vec<f64> {
        (0..self.rows).map(|row| self.row_sum(row)).collect()
    }

    /// Write `row` into `out` (length = columns), zeros included.
    pub fn copy_row(&self, row: usize, out: &mut [f32]) {
        out.fill(0.0);
        let (columns, values) = self.row(row);
        for (&column, &value) in columns.iter().zip(values) {
            out[column as usize] = value;
        }
    }

    /// The rows named by `rows`, in that order.
    pub fn select_rows(&self, rows: &[u32]) -> Self {
        let mut starts = Vec::with_capacity(rows.len() + 1);
        starts.push(0);
        let (mut indices, mut values) = (Vec::new(), Vec::new());
        for &row in rows {
            let (columns, row_values) = self.row(row as usize);
            indices.extend_from_slice(columns);
            values.extend_from_slice(row_values);
            starts.push(indices.len());
        }
        Self { rows: rows.len(), columns: self.columns, starts, indices, values }
    }

    /// The same matrix by columns (compressed sparse column form read as rows): genes × cells.
    pub fn transposed(&self) -> Self {
        let mut starts = vec![0; self.columns + 1];
        for &column in &self.indices {
            starts[column as usize + 1] += 1;
        }
        for column in 0..self.columns {
            starts[column + 1] += starts[column];
        }
        let mut next = starts.clone();
        let mut indices = vec![0; self.indices.len()];
        let mut values = vec![0.0; self.values.len()];
        for row in 0..self.rows {
            let (columns, row_values) = self.row(row);
            for (&column, &value) in columns.iter().zip(row_values) {
                let at = &mut next[column as usize];
                indices[*at] = row as u32;
                values[*at] = value;
                *at += 1;
            }
        }
        Self { rows: self.columns, columns: self.rows, starts, indices, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsorted_rows_are_sorted_and_zeros_dropped() {
        let matrix = CsrMatrix::new(2, 3, vec![0, 3, 4], vec![2, 0, 1, 1], vec![3.0, 1.0, 0.0, 5.0]).unwrap();
        assert_eq!(matrix.row(0), (&[0, 2][..], &[1.0, 3.0][..]));
        assert_eq!(matrix.row(1), (&[1][..], &[5.0][..]));
        assert_eq!(matrix.stored(), 3);
        assert_eq!(matrix.transposed().transposed(), matrix);
        assert_eq!(matrix.select_rows(&[1]).get(0, 1), 5.0);
    }

    #[test]
    fn broken_arrays_are_errors() {
        let out_of_range = CsrMatrix::new(1, 2, vec![0, 1], vec![2], vec![1.0]);
        assert_eq!(out_of_range, Err(MatrixError::ColumnOutOfRange { row: 0, column: 2, columns: 2 }));
        let decreasing = CsrMatrix::new(2, 2, vec![0, 2, 1], vec![0, 1], vec![1.0, 1.0]);
        assert_eq!(decreasing, Err(MatrixError::UnorderedStarts { at: 2, found: 1 }));
        let repeated = CsrMatrix::new(1, 2, vec![0, 2], vec![1, 1], vec![1.0, 1.0]);
        assert_eq!(repeated, Err(MatrixError::RepeatedColumn { row: 0, column: 1 }));
    }
}
