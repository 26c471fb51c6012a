//! From blocks to a matrix in memory: all cells and genes, or those that are kept.

use super::super::H5adError;
use super::FileMatrix;
use super::places::Places;
use crate::data::import::{Evidence, ReadMatrix, add_up_repeated};
use crate::data::{CsrMatrix, Values};
use crate::jobs::{Part, Progress};

/// Which cells and genes are held in memory; everything by default.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Keep {
    /// Rows of the file, rising; none for all. The others stay, without values.
    pub(in super::super) rows: Option<Vec<u32>>,
    /// Columns of the file, rising; none for all.
    pub(in super::super) columns: Option<Vec<u32>>,
    /// How many values will be kept at most, where that is known.
    pub(in super::super) stored: Option<usize>,
}

impl Keep {
    /// The genes `columns` of the cells that are `assigned`.
    pub(in super::super) fn part(assigned: &[bool], columns: Vec<u32>, stored: Option<usize>) -> Self {
        let rows = (0..).zip(assigned).filter(|(_, assigned)| **assigned).map(|(row, _)| row).collect();
        Self { rows: Some(rows), columns: Some(columns), stored }
    }
}

impl FileMatrix {
    /// Read what `keep` names.
    pub(in super::super) fn read(&self, keep: &Keep, progress: &dyn Progress) -> Result<ReadMatrix, H5adError> {
        let mut held = vec![keep.rows.is_none(); self.rows];
        keep.rows.iter().flatten().for_each(|&row| held[row as usize] = true);
        let columns = Places::new(keep.columns.as_deref(), self.columns);
        let everything = keep.rows.is_none() && keep.columns.is_none();
        let stored = match keep.stored {
            Some(stored) => stored,
            None if everything && !self.is_dense() => self.stored()?,
            None => 0,
        };
        let (mut starts, mut indices, mut values, evidence) = if self.is_by_columns() {
            self.place_columns(&held, &columns, progress)?
        } else {
            self.append_rows(&held, &columns, stored, progress)?
        };
        progress.check()?;
        let added_up = add_up_repeated(&mut starts, &mut indices, &mut values);
        progress.check()?;
        let matrix = CsrMatrix::new(self.rows, columns.count(), starts, indices, values)
            .map_err(|error| H5adError::unexpected(&self.path, error.to_string(), "a sound sparse matrix"))?;
        Ok(ReadMatrix { matrix, evidence, added_up })
    }

    fn append_rows(
        &self,
        held: &[bool],
        columns: &Places,
        stored: usize,
        progress: &dyn Progress,
    ) -> Result<(Vec<usize>, Vec<u32>, Values, Evidence), H5adError> {
        let mut starts = Vec::with_capacity(self.rows + 1);
        starts.push(0);
        let mut indices = self.reserve::<u32>(stored)?;
        let mut values = self.reserve_values(stored)?;
        let mut kept = Vec::new();
        let evidence = self.blocks(progress, |block| {
            for (row, row_columns, row_values) in block.lines() {
                if !held[row] {
                    // Stays empty.
                } else if let Places::All(_) = columns {
                    indices.extend_from_slice(row_columns);
                    values.extend(row_values);
                } else {
                    kept.clear();
                    for (&column, &value) in row_columns.iter().zip(row_values) {
                        if let Some(column) = columns.of(column as usize) {
                            indices.push(column);
                            kept.push(value);
                        }
                    }
                    values.extend(&kept);
                }
                starts.push(indices.len());
            }
            Ok(())
        })?;
        Ok((starts, indices, values, evidence))
    }

    /// Two passes: count the values of each row, then put each value in its place.
    fn place_columns(
        &self,
        held: &[bool],
        columns: &Places,
        progress: &dyn Progress,
    ) -> Result<(Vec<usize>, Vec<u32>, Values, Evidence), H5adError> {
        let mut starts = vec![0usize; self.rows + 1];
        self.blocks(&Part::new(progress, 0.0..0.4), |block| {
            for (column, column_rows, _) in block.lines() {
                if columns.of(column).is_some() {
                    for &row in column_rows {
                        starts[row as usize + 1] += usize::from(held[row as usize]);
                    }
                }
            }
            Ok(())
        })?;
        for row in 0..self.rows {
            starts[row + 1] += starts[row];
        }
        let total = starts[self.rows];
        let mut next = starts.clone();
        let mut indices = self.reserve::<u32>(total)?;
        indices.resize(total, 0);
        let mut values = self.reserve_values(total)?;
        values.extend_zeros(total);
        let evidence = self.blocks(&Part::new(progress, 0.4..1.0), |block| {
            for (column, column_rows, column_values) in block.lines() {
                let Some(column) = columns.of(column) else { continue };
                for (&row, &value) in column_rows.iter().zip(column_values).filter(|(row, _)| held[**row as usize]) {
                    let place = &mut next[row as usize];
                    indices[*place] = column;
                    values.set(*place, value);
                    *place += 1;
                }
            }
            Ok(())
        })?;
        Ok((starts, indices, values, evidence))
    }

    fn reserve_values(&self, length: usize) -> Result<Values, H5adError> {
        let bytes = (length as u64).saturating_mul(2);
        Values::try_with_capacity(length).map_err(|_| H5adError::TooLarge { path: self.path.clone(), bytes })
    }

    fn reserve<T>(&self, length: usize) -> Result<Vec<T>, H5adError> {
        let mut space = Vec::new();
        let bytes = (length as u64).saturating_mul(size_of::<T>() as u64);
        space.try_reserve_exact(length).map_err(|_| H5adError::TooLarge { path: self.path.clone(), bytes })?;
        Ok(space)
    }
}
