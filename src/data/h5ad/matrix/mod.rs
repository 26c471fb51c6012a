//! A matrix of the file: CSR, CSC or dense.
//!
//! However it is stored, it is read as [`blocks`] of whole rows or columns, a few megabytes at a time: [`read`] keeps
//! them (all, or chosen cells and genes), [`measure`] only sums over them, so that a matrix larger than memory can be
//! looked at before it is decided what of it to keep.

mod blocks;
mod compressed;
mod measure;
mod places;
mod read;

use hdf5::Group;

use super::H5adError;
use super::array::FileArray;
use super::text::one_text;
use crate::data::import::Evidence;
use compressed::{Compressed, shape};
use places::Places;

pub(super) use read::Keep;

/// Values looked at in each of three places to tell counts from the rest.
const SAMPLE: usize = 1 << 16;

/// A matrix found in the file, its parts checked against each other.
#[derive(Debug)]
pub(super) struct FileMatrix {
    path: String,
    rows: usize,
    columns: usize,
    layout: Layout,
    /// Of compressed rows the columns that belong to the matrix, and how many there are in the file; none for all.
    chosen: Option<(Places, usize)>,
}

#[derive(Debug)]
enum Layout {
    /// Compressed rows; `starts` were read and found increasing.
    Rows(Compressed),
    /// Compressed columns.
    Columns(Compressed),
    Dense(FileArray),
}

impl FileMatrix {
    /// Open the matrix at `path`; none if there is nothing (an `X` of None).
    pub(super) fn open(file: &Group, path: &str) -> Result<Option<Self>, H5adError> {
        let expected = "a matrix (dense, csr_matrix or csc_matrix)";
        if !file.link_exists(path) {
            return Ok(None);
        }
        let Ok(group) = file.group(path) else {
            let dataset = file.dataset(path).map_err(|error| H5adError::unreadable(path, &error))?;
            if dataset.space().is_ok_and(|space| space.is_null()) {
                return Ok(None);
            }
            drop(dataset);
            let array = FileArray::open(file, "", path, expected)?;
            let [rows, columns] = *array.shape() else {
                let found = format!("shape {:?}", array.shape());
                return Err(H5adError::unexpected(path, found, "two dimensions, cells × genes"));
            };
            if array.element().is_text() {
                return Err(H5adError::unexpected(path, "text", "numbers"));
            }
            let layout = Layout::Dense(array);
            return Self { path: path.to_owned(), rows, columns, layout, chosen: None }.checked().map(Some);
        };
        let encoding = one_text(&group, "encoding-type").or_else(|| one_text(&group, "h5sparse_format"));
        let by_rows = match encoding.as_deref() {
            Some("csr_matrix" | "csr") => true,
            Some("csc_matrix" | "csc") => false,
            Some(other) => return Err(H5adError::unexpected(path, format!("a group encoded as {other}"), expected)),
            None => return Err(H5adError::unexpected(path, "a group without the attribute encoding-type", expected)),
        };
        let (rows, columns) = shape(&group, path)?;
        let compressed = Compressed::open(&group, path, if by_rows { rows } else { columns })?;
        let layout = if by_rows { Layout::Rows(compressed) } else { Layout::Columns(compressed) };
        Self { path: path.to_owned(), rows, columns, layout, chosen: None }.checked().map(Some)
    }

    /// The matrix of compressed rows whose arrays are members of `group`, which lies at `path`; only its columns `chosen`
    /// (rising), if there is a choice.
    pub(super) fn of_rows(
        group: &Group,
        path: &str,
        rows: usize,
        columns: usize,
        chosen: Option<&[u32]>,
    ) -> Result<Self, H5adError> {
        let layout = Layout::Rows(Compressed::open(group, path, rows)?);
        let chosen = chosen.map(|chosen| (Places::new(Some(chosen), columns), columns));
        let columns = chosen.as_ref().map_or(columns, |(places, _)| places.count());
        Self { path: path.to_owned(), rows, columns, layout, chosen }.checked()
    }

    fn checked(self) -> Result<Self, H5adError> {
        if self.rows > u32::MAX as usize || self.columns > u32::MAX as usize {
            let found = format!("shape {} × {}", self.rows, self.columns);
            return Err(H5adError::unexpected(&self.path, found, "fewer than 4,294,967,296 cells and genes"));
        }
        Ok(self)
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// How it is stored, in words.
    pub(super) fn layout(&self) -> &'static str {
        match self.layout {
            Layout::Rows(_) => "sparse rows",
            Layout::Columns(_) => "sparse columns",
            Layout::Dense(_) => "dense",
        }
    }

    /// Look at some values from the beginning, the middle and the end.
    pub(super) fn sample(&self) -> Result<Evidence, H5adError> {
        let mut evidence = Evidence::default();
        match &self.layout {
            Layout::Rows(parts) | Layout::Columns(parts) => {
                let length = parts.values.length()?;
                for start in starts_of_samples(length, SAMPLE) {
                    evidence.add(&parts.values.f32s(start..(start + SAMPLE).min(length))?);
                }
            }
            Layout::Dense(array) => {
                let rows = (SAMPLE / self.columns.max(1)).max(1);
                let columns = self.columns.min(SAMPLE);
                for start in starts_of_samples(self.rows, rows) {
                    evidence.add(&array.tile_f32s(start..(start + rows).min(self.rows), 0..columns)?);
                }
            }
        }
        Ok(evidence)
    }

    /// About how many values are not zero; of chosen columns no more than that.
    pub(super) fn stored(&self) -> Result<usize, H5adError> {
        match &self.layout {
            Layout::Rows(parts) | Layout::Columns(parts) => parts.values.length(),
            Layout::Dense(_) => {
                let looked_at = self.rows.min(3 * (SAMPLE / self.columns.max(1)).max(1)) * self.columns.min(SAMPLE);
                let share = self.sample()?.values as f64 / looked_at.max(1) as f64;
                Ok((share * self.rows as f64 * self.columns as f64).ceil() as usize)
            }
        }
    }

    fn not_finite(&self, row: usize, column: usize, value: f32) -> H5adError {
        let place = self.chosen.as_ref().map_or(Some(column as u32), |(places, _)| places.of(column));
        let gene = place.map_or_else(|| format!("feature {column}"), |place| format!("number {place}"));
        let cell = format!("number {row}");
        H5adError::NotFinite { path: self.path.clone(), cell, gene, value: f64::from(value) }
    }

    fn index_error(
        &self,
        array: &FileArray,
        major: &str,
        line: usize,
        found: i64,
        end: usize,
        minor: &str,
    ) -> H5adError {
        let found = format!("index {found} in {major} {line}");
        let expected = format!("0 to {} ({end} {minor}s)", end as i64 - 1);
        H5adError::unexpected(array.path(), found, expected)
    }
}

/// Beginnings of up to three samples of `size` that do not overlap.
fn starts_of_samples(length: usize, size: usize) -> Vec<usize> {
    if length <= 3 * size {
        return (0..length).step_by(size.max(1)).collect();
    }
    vec![0, (length - size) / 2, length - size]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_lie_within_the_array_and_do_not_overlap() {
        assert_eq!(starts_of_samples(10, 4), [0, 4, 8]);
        assert_eq!(starts_of_samples(100, 10), [0, 45, 90]);
        assert!(starts_of_samples(0, 10).is_empty());
    }
}
