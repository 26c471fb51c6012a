//! Sparse cells × genes matrices.

use std::ops::Range;

use thiserror::Error;

use super::values::{RowValues, Values};

/// A matrix in compressed sparse row form: one row per cell, one column per gene.
///
/// Within a row the columns are strictly increasing; no zero is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct CsrMatrix {
    rows: usize,
    columns: usize,
    starts: Vec<usize>,
    indices: Vec<u32>,
    values: Values,
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

/// One row of a matrix: the columns that hold a value, rising, and the values.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    columns: &'a [u32],
    values: RowValues<'a>,
}

impl<'a> Row<'a> {
    /// The columns with a value.
    pub fn columns(self) -> &'a [u32] {
        self.columns
    }

    /// Number of stored values.
    pub fn len(self) -> usize {
        self.columns.len()
    }

    /// Whether all of the row is zero.
    pub fn is_empty(self) -> bool {
        self.columns.is_empty()
    }

    /// The values alone, in the order of the columns.
    pub fn values(self) -> impl ExactSizeIterator<Item = f32> + Clone + use<'a> {
        self.values.iter()
    }

    /// Columns with their values.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (u32, f32)> + Clone + use<'a> {
        self.columns.iter().copied().zip(self.values.iter())
    }

    /// The stored values at the positions `range` of this row; panics beyond its end.
    pub fn part(self, range: Range<usize>) -> Self {
        Self { columns: &self.columns[range.clone()], values: self.values.part(range) }
    }

    /// The value in `column`, 0 if none is stored. O(log of the stored values).
    pub fn get(self, column: u32) -> f32 {
        self.columns.binary_search(&column).map_or(0.0, |at| self.values.get(at))
    }

    /// Sum of the values: the library size of a cell.
    pub fn sum(self) -> f64 {
        self.values.sum()
    }
}

impl CsrMatrix {
    /// A matrix of `rows` × `columns` from its three arrays. Rows with unsorted columns are sorted and stored zeros
    /// dropped; anything else that is wrong is an error.
    pub fn new(
        rows: usize,
        columns: usize,
        starts: Vec<usize>,
        indices: Vec<u32>,
        values: impl Into<Values>,
    ) -> Result<Self, MatrixError> {
        let values = values.into();
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
        matrix.check_columns()?;
        let Self { starts, indices, values, .. } = &mut matrix;
        match values {
            Values::Small(values) => normalise(starts, indices, values)?,
            Values::Real(values) => normalise(starts, indices, values)?,
        }
        Ok(matrix)
    }

    /// From rows of (column, value) pairs.
    pub fn from_rows(columns: usize, rows: Vec<Vec<(u32, f32)>>) -> Result<Self, MatrixError> {
        let mut starts = Vec::with_capacity(rows.len() + 1);
        starts.push(0);
        let mut indices = Vec::new();
        let mut values = Values::default();
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
        let mut indices = Vec::new();
        let mut values = Values::default();
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

    fn check_columns(&self) -> Result<(), MatrixError> {
        let limit = self.columns;
        if let Some(at) = self.indices.iter().position(|&column| column as usize >= limit) {
            let row = self.starts.partition_point(|&start| start <= at) - 1;
            return Err(MatrixError::ColumnOutOfRange { row, column: self.indices[at], columns: limit });
        }
        Ok(())
    }

    /// Hold the values in two bytes each, if all of them are whole numbers that fit.
    pub fn narrow(&mut self) {
        self.values.narrow();
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
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The arrays: row boundaries, columns, values; [`CsrMatrix::new`] makes a matrix of them again.
    pub fn into_parts(self) -> (Vec<usize>, Vec<u32>, Values) {
        (self.starts, self.indices, self.values)
    }

    /// The stored part of `row`.
    pub fn row(&self, row: usize) -> Row<'_> {
        let range = self.starts[row]..self.starts[row + 1];
        Row { columns: &self.indices[range.clone()], values: self.values.slice(range) }
    }

    /// Value at `row`, `column`.
    pub fn get(&self, row: usize, column: usize) -> f32 {
        self.row(row).get(column as u32)
    }

    /// Sum of `row`: the library size of a cell.
    pub fn row_sum(&self, row: usize) -> f64 {
        self.row(row).sum()
    }

    /// Sums of all rows.
    pub fn row_sums(&self) -> Vec<f64> {
        (0..self.rows).map(|row| self.row_sum(row)).collect()
    }

    /// Write `row` into `out` (length = columns), zeros included.
    pub fn copy_row(&self, row: usize, out: &mut [f32]) {
        out.fill(0.0);
        for (column, value) in self.row(row).iter() {
            out[column as usize] = value;
        }
    }

    /// The rows named by `rows`, in that order.
    pub fn select_rows(&self, rows: &[u32]) -> Self {
        let stored = rows.iter().map(|&row| self.starts[row as usize + 1] - self.starts[row as usize]).sum();
        let mut starts = Vec::with_capacity(rows.len() + 1);
        starts.push(0);
        let mut indices = Vec::with_capacity(stored);
        let mut values = self.values.empty_like(stored);
        for &row in rows {
            let range = self.starts[row as usize]..self.starts[row as usize + 1];
            indices.extend_from_slice(&self.indices[range.clone()]);
            values.extend_from(&self.values, range);
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
        let mut indices = vec![0; self.indices.len()];
        let mut next = starts.clone();
        let mut place = |row: usize, column: u32| {
            let at = &mut next[column as usize];
            indices[*at] = row as u32;
            *at += 1;
            *at - 1
        };
        let values = match &self.values {
            Values::Small(values) => Values::Small(scatter(&self.starts, &self.indices, values, &mut place)),
            Values::Real(values) => Values::Real(scatter(&self.starts, &self.indices, values, &mut place)),
        };
        Self { rows: self.columns, columns: self.rows, starts, indices, values }
    }
}

/// Each value at the place that `place` gives for its row and column.
fn scatter<T: Copy + Default>(
    starts: &[usize],
    columns: &[u32],
    values: &[T],
    place: &mut impl FnMut(usize, u32) -> usize,
) -> Vec<T> {
    let mut placed = vec![T::default(); values.len()];
    for (row, bounds) in starts.windows(2).enumerate() {
        for at in bounds[0]..bounds[1] {
            placed[place(row, columns[at])] = values[at];
        }
    }
    placed
}

/// Sort each row by column and drop zeros; a repeated column is an error.
fn normalise<T: Copy + Default + PartialEq>(
    starts: &mut [usize],
    indices: &mut Vec<u32>,
    values: &mut Vec<T>,
) -> Result<(), MatrixError> {
    let zero = T::default();
    let mut has_zero = false;
    let mut pairs = Vec::new();
    let rows = starts.len() - 1;
    for row in 0..rows {
        let range = starts[row]..starts[row + 1];
        let (columns, row_values) = (&mut indices[range.clone()], &mut values[range]);
        if !columns.is_sorted() {
            pairs.clear();
            pairs.extend(columns.iter().copied().zip(row_values.iter().copied()));
            pairs.sort_by_key(|&(column, _)| column);
            for ((column, value), &pair) in columns.iter_mut().zip(row_values.iter_mut()).zip(&pairs) {
                (*column, *value) = pair;
            }
        }
        if let Some(pair) = columns.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(MatrixError::RepeatedColumn { row, column: pair[0] });
        }
        has_zero |= row_values.contains(&zero);
    }
    if has_zero {
        let (mut kept, mut start) = (0, 0);
        for row in 0..rows {
            let end = starts[row + 1];
            for at in start..end {
                if values[at] != zero {
                    indices[kept] = indices[at];
                    values[kept] = values[at];
                    kept += 1;
                }
            }
            start = end;
            starts[row + 1] = kept;
        }
        indices.truncate(kept);
        values.truncate(kept);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsorted_rows_are_sorted_and_zeros_dropped() {
        let matrix = CsrMatrix::new(2, 3, vec![0, 3, 4], vec![2, 0, 1, 1], vec![3.0, 1.0, 0.0, 5.0]).unwrap();
        assert_eq!(matrix.row(0).iter().collect::<Vec<_>>(), [(0, 1.0), (2, 3.0)]);
        assert_eq!(matrix.row(1).iter().collect::<Vec<_>>(), [(1, 5.0)]);
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

    #[test]
    fn narrow_and_wide_values_answer_alike() {
        let wide = CsrMatrix::new(3, 3, vec![0, 2, 2, 4], vec![0, 2, 0, 1], vec![1.0, 3.0, 65_535.0, 2.0]).unwrap();
        let mut narrow = wide.clone();
        narrow.narrow();
        assert!(matches!(narrow.values(), Values::Small(_)));
        for row in 0..3 {
            assert!(narrow.row(row).iter().eq(wide.row(row).iter()));
            assert_eq!(narrow.row_sum(row), wide.row_sum(row));
        }
        assert_eq!(narrow.select_rows(&[2, 0]).row_sums(), [65_537.0, 4.0]);
        let mut back = narrow.transposed();
        assert_eq!(back, wide.transposed());
        back = back.transposed();
        assert_eq!(back, wide);
    }
}
