//! A matrix from (row, column, value) in any order.

use super::{Evidence, ImportError, ReadMatrix, add_up_repeated};
use crate::data::{CsrMatrix, Values};

/// Values with their places, cells × genes.
#[derive(Debug, Default)]
pub(in crate::data) struct Triplets {
    rows: Vec<u32>,
    columns: Vec<u32>,
    values: Values,
}

impl Triplets {
    /// Bytes that each value takes while it waits.
    pub(in crate::data) const BYTES: u64 = 10;

    /// Room for `length` values before the first; false if there is not enough memory.
    pub(in crate::data) fn reserve(&mut self, length: usize) -> bool {
        let Ok(values) = Values::try_with_capacity(length) else { return false };
        self.values = values;
        self.rows.try_reserve_exact(length).is_ok() && self.columns.try_reserve_exact(length).is_ok()
    }

    /// Add a value; zeros need no place.
    pub(in crate::data) fn push(&mut self, row: u32, column: u32, value: f32) {
        if value != 0.0 {
            self.rows.push(row);
            self.columns.push(column);
            self.values.push(value);
        }
    }

    /// The matrix of `rows` × `columns`. Values of one place are added up.
    pub(in crate::data) fn into_matrix(self, rows: usize, columns: usize) -> Result<ReadMatrix, ImportError> {
        let mut evidence = Evidence::default();
        evidence.add_all(self.values.iter());
        let mut starts = vec![0usize; rows + 1];
        for &row in &self.rows {
            starts[row as usize + 1] += 1;
        }
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        // 10x writes cell by cell: then everything is in its place already.
        let (mut indices, mut values) = if self.rows.is_sorted() {
            (self.columns, self.values)
        } else {
            let mut next = starts.clone();
            let mut indices = vec![0u32; self.columns.len()];
            let mut values = Values::default();
            values.extend_zeros(self.values.len());
            for ((&row, &column), value) in self.rows.iter().zip(&self.columns).zip(self.values.iter()) {
                let place = &mut next[row as usize];
                indices[*place] = column;
                values.set(*place, value);
                *place += 1;
            }
            (indices, values)
        };
        let added_up = add_up_repeated(&mut starts, &mut indices, &mut values);
        let matrix = CsrMatrix::new(rows, columns, starts, indices, values)?;
        Ok(ReadMatrix { matrix, evidence, added_up })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_find_their_places_in_any_order() {
        let places = [(1, 2, 3.0), (0, 1, 1.0), (1, 0, 2.0), (1, 2, 1.0), (0, 0, 0.0)];
        let mut triplets = Triplets::default();
        assert!(triplets.reserve(places.len()));
        places.iter().for_each(|&(row, column, value)| triplets.push(row, column, value));
        let read = triplets.into_matrix(3, 3).expect("sound");
        assert_eq!(read.matrix.row(0).iter().collect::<Vec<_>>(), [(1, 1.0)]);
        assert_eq!(read.matrix.row(1).iter().collect::<Vec<_>>(), [(0, 2.0), (2, 4.0)]);
        assert_eq!((read.matrix.row(2).len(), read.added_up, read.evidence.values), (0, 1, 4));
        let mut sorted = Triplets::default();
        sorted.push(0, 1, 1.0);
        sorted.push(2, 0, 2.0);
        assert_eq!(sorted.into_matrix(3, 2).expect("sound").matrix.starts(), [0, 1, 1, 2]);
    }
}
