//! A matrix of the file: CSR, CSC or dense, read in slices into compressed rows.

use std::ops::Range;

use hdf5::{Group, Location};

use super::H5adError;
use super::ahead::read_ahead;
use super::array::{FileArray, join, whole_chunks};
use super::text::{integer_attribute, one_text};
use crate::data::import::{Evidence, ReadMatrix, add_up_repeated};
use crate::data::{CsrMatrix, Values};
use crate::jobs::Progress;

/// Values per slice of a sparse matrix: 2 MiB of each array.
const SLICE: usize = 1 << 19;
/// Values per tile of a dense matrix: 16 MiB.
const TILE: usize = 1 << 22;
/// Values looked at in each of three places to tell counts from the rest.
const SAMPLE: usize = 1 << 16;
const STAGE: &str = "Reading the matrix";

/// A matrix found in the file, its parts checked against each other.
#[derive(Debug)]
pub(super) struct FileMatrix {
    path: String,
    rows: usize,
    columns: usize,
    layout: Layout,
}

#[derive(Debug)]
enum Layout {
    /// Compressed rows; `starts` were read and found increasing.
    Rows(Compressed),
    /// Compressed columns.
    Columns(Compressed),
    Dense(FileArray),
}

#[derive(Debug)]
struct Compressed {
    starts: Vec<usize>,
    indices: FileArray,
    values: FileArray,
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
            return Self { path: path.to_owned(), rows, columns, layout }.checked().map(Some);
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
        Self { path: path.to_owned(), rows, columns, layout }.checked().map(Some)
    }

    /// The matrix of compressed rows whose arrays are members of `group`, which lies at `path`.
    pub(super) fn of_rows(group: &Group, path: &str, rows: usize, columns: usize) -> Result<Self, H5adError> {
        let layout = Layout::Rows(Compressed::open(group, path, rows)?);
        Self { path: path.to_owned(), rows, columns, layout }.checked()
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

    /// Read all of it.
    pub(super) fn read(&self, progress: &dyn Progress) -> Result<ReadMatrix, H5adError> {
        match &self.layout {
            Layout::Rows(parts) => self.read_rows(parts, progress),
            Layout::Columns(parts) => self.read_columns(parts, progress),
            Layout::Dense(array) => self.read_dense(array, progress),
        }
    }

    fn not_finite(&self, row: usize, column: usize, value: f32) -> H5adError {
        let (cell, gene) = (format!("number {row}"), format!("number {column}"));
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

    fn read_rows(&self, parts: &Compressed, progress: &dyn Progress) -> Result<ReadMatrix, H5adError> {
        let total = parts.values.length()?;
        let mut indices = self.reserve::<u32>(total)?;
        let mut values = self.reserve_values(total)?;
        let mut evidence = Evidence::default();
        let line_of = |at: usize| parts.starts.partition_point(|&start| start <= at).saturating_sub(1);
        let read = |range: Range<usize>| {
            let mut columns = Vec::with_capacity(range.len());
            let bad = parts.indices.indices(range.clone(), self.columns, &mut columns)?;
            if let Some((at, bad)) = bad {
                return Err(self.index_error(&parts.indices, "row", line_of(at), bad, self.columns, "column"));
            }
            Ok((columns, parts.values.f32s(range)?))
        };
        read_ahead(parts.values.slices(SLICE)?, read, |range, (columns, slice)| {
            progress.check()?;
            progress.stage(STAGE, Some(range.start as f32 / total.max(1) as f32));
            if let Some(at) = slice.iter().position(|value| !value.is_finite()) {
                return Err(self.not_finite(line_of(range.start + at), columns[at] as usize, slice[at]));
            }
            evidence.add(&slice);
            indices.extend_from_slice(&columns);
            values.extend(&slice);
            Ok(())
        })?;
        let mut starts = parts.starts.clone();
        let added_up = add_up_repeated(&mut starts, &mut indices, &mut values);
        self.finish(starts, indices, values, evidence, added_up)
    }

    /// Two passes over the indices: count the values of each row, then put each value in its place.
    fn read_columns(&self, parts: &Compressed, progress: &dyn Progress) -> Result<ReadMatrix, H5adError> {
        let total = parts.values.length()?;
        let line_of = |at: usize| parts.starts.partition_point(|&start| start <= at).saturating_sub(1);
        let mut starts = vec![0usize; self.rows + 1];
        let mut slice_indices = Vec::new();
        for range in parts.indices.slices(SLICE)? {
            progress.check()?;
            progress.stage(STAGE, Some(0.3 * range.start as f32 / total.max(1) as f32));
            slice_indices.clear();
            if let Some((at, bad)) = parts.indices.indices(range, self.rows, &mut slice_indices)? {
                return Err(self.index_error(&parts.indices, "column", line_of(at), bad, self.rows, "row"));
            }
            for &row in &slice_indices {
                starts[row as usize + 1] += 1;
            }
        }
        for row in 0..self.rows {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let mut indices = self.reserve::<u32>(total)?;
        indices.resize(total, 0);
        let mut values = self.reserve_values(total)?;
        values.extend_zeros(total);
        let mut evidence = Evidence::default();
        let read = |range: Range<usize>| {
            let mut rows = Vec::with_capacity(range.len());
            // They were found sound in the first pass.
            parts.indices.indices(range.clone(), self.rows, &mut rows)?;
            Ok((rows, parts.values.f32s(range)?))
        };
        read_ahead(parts.values.slices(SLICE)?, read, |range, (rows, slice)| {
            progress.check()?;
            progress.stage(STAGE, Some(0.3 + 0.7 * range.start as f32 / total.max(1) as f32));
            evidence.add(&slice);
            let mut column = line_of(range.start);
            for (at, (&row, &value)) in range.zip(rows.iter().zip(&slice)) {
                while parts.starts[column + 1] <= at {
                    column += 1;
                }
                if !value.is_finite() {
                    return Err(self.not_finite(row as usize, column, value));
                }
                let place = &mut next[row as usize];
                indices[*place] = column as u32;
                values.set(*place, value);
                *place += 1;
            }
            Ok(())
        })?;
        let added_up = add_up_repeated(&mut starts, &mut indices, &mut values);
        self.finish(starts, indices, values, evidence, added_up)
    }

    /// Tile by tile, so that no more than a tile is ever dense; tiles are whole chunks, so that none is decompressed twice.
    fn read_dense(&self, array: &FileArray, progress: &dyn Progress) -> Result<ReadMatrix, H5adError> {
        let width = self.columns.max(1);
        let chunk_rows = array.chunk(0).unwrap_or(1).clamp(1, self.rows.max(1));
        let band = whole_chunks(TILE / width, Some(chunk_rows));
        // A band of tall chunks can be too large: cut it into columns of chunks.
        let tile_columns = if band.saturating_mul(width) <= 2 * TILE {
            width
        } else {
            whole_chunks((TILE / band).max(1), array.chunk(1)).min(width)
        };
        let mut starts = vec![0usize];
        let (mut indices, mut values) = (Vec::new(), Values::default());
        let mut evidence = Evidence::default();
        let mut tiles: Vec<SparseTile> = Vec::new();
        let places = (0..self.rows).step_by(band).flat_map(|first| {
            let rows = first..(first + band).min(self.rows);
            let lefts = (0..self.columns).step_by(tile_columns);
            lefts.map(move |left| (rows.clone(), left..(left + tile_columns).min(self.columns)))
        });
        let read = |(rows, columns): (Range<usize>, Range<usize>)| array.tile_f32s(rows, columns);
        read_ahead(places, read, |(rows, columns), dense| {
            progress.check()?;
            let (first, left) = (rows.start, columns.start);
            let done = (first as f32 + rows.len() as f32 * left as f32 / width as f32) / self.rows.max(1) as f32;
            progress.stage(STAGE, Some(done));
            if let Some(at) = dense.iter().position(|value| !value.is_finite()) {
                let (row, column) = (first + at / columns.len(), left + at % columns.len());
                return Err(self.not_finite(row, column, dense[at]));
            }
            evidence.add(&dense);
            let last = columns.end == self.columns;
            tiles.push(SparseTile::of(&dense, columns));
            if !last {
                return Ok(());
            }
            for row in 0..rows.len() {
                for tile in &tiles {
                    let stored = tile.starts[row]..tile.starts[row + 1];
                    indices.extend_from_slice(&tile.indices[stored.clone()]);
                    values.extend(&tile.values[stored]);
                }
                starts.push(indices.len());
            }
            tiles.clear();
            Ok(())
        })?;
        self.finish(starts, indices, values, evidence, 0)
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

    fn finish(
        &self,
        starts: Vec<usize>,
        indices: Vec<u32>,
        values: Values,
        evidence: Evidence,
        added_up: usize,
    ) -> Result<ReadMatrix, H5adError> {
        let matrix = CsrMatrix::new(self.rows, self.columns, starts, indices, values)
            .map_err(|error| H5adError::unexpected(&self.path, error.to_string(), "a sound sparse matrix"))?;
        Ok(ReadMatrix { matrix, evidence, added_up })
    }
}

struct SparseTile {
    starts: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl SparseTile {
    fn of(dense: &[f32], columns: Range<usize>) -> Self {
        let mut tile = Self { starts: vec![0], indices: Vec::new(), values: Vec::new() };
        for row in dense.chunks_exact(columns.len()) {
            for (column, &value) in columns.clone().zip(row) {
                if value != 0.0 {
                    tile.indices.push(column as u32);
                    tile.values.push(value);
                }
            }
            tile.starts.push(tile.indices.len());
        }
        tile
    }
}

impl Compressed {
    fn open(group: &Group, path: &str, lines: usize) -> Result<Self, H5adError> {
        let indptr = FileArray::open(group, path, "indptr", "where each row or column starts")?;
        let indices = FileArray::open(group, path, "indices", "the index of each value")?;
        let values = FileArray::open(group, path, "data", "the values")?;
        let (found, stored) = (indptr.length()?, values.length()?);
        if found.checked_sub(1) != Some(lines) {
            let expected = format!("{} (one more than the {lines} of the shape)", lines.saturating_add(1));
            return Err(H5adError::unexpected(indptr.path(), format!("{found} entries"), expected));
        }
        if indices.length()? != stored {
            let expected = format!("{stored}, as many as {}", values.path());
            return Err(H5adError::unexpected(indices.path(), format!("{} entries", indices.length()?), expected));
        }
        if !indices.element().is_integer() {
            return Err(H5adError::unexpected(indices.path(), "something else", "whole numbers"));
        }
        if values.element().is_text() {
            return Err(H5adError::unexpected(values.path(), "text", "numbers"));
        }
        let mut starts = Vec::with_capacity(found);
        let mut previous = 0;
        for (at, start) in indptr.i64s(0..found)?.into_iter().enumerate() {
            let sound = start >= previous && start as u64 <= stored as u64 && (at > 0 || start == 0);
            if !sound || (at == lines && start as u64 != stored as u64) {
                let expected = format!("numbers that never decrease, from 0 to {stored} (the number of values)");
                return Err(H5adError::unexpected(indptr.path(), format!("{start} at position {at}"), expected));
            }
            previous = start;
            starts.push(start as usize);
        }
        Ok(Self { starts, indices, values })
    }
}

fn shape(group: &Location, path: &str) -> Result<(usize, usize), H5adError> {
    let name = if group.attr("shape").is_ok() { "shape" } else { "h5sparse_shape" };
    let place = join(path, &format!("attribute {name}"));
    let expected = "two numbers, cells and genes";
    let Some(numbers) = integer_attribute(group, name) else { return Err(H5adError::missing(&place, expected)) };
    match numbers[..] {
        [rows, columns] if rows >= 0 && columns >= 0 => Ok((rows as usize, columns as usize)),
        _ => Err(H5adError::unexpected(&place, format!("{numbers:?}"), expected)),
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
