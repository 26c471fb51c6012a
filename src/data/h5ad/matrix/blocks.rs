//! A matrix as it streams by: whole rows or columns at a time.

use std::ops::Range;

use super::super::H5adError;
use super::super::ahead::read_ahead;
use super::super::array::{FileArray, whole_chunks};
use super::compressed::Compressed;
use super::places::Places;
use super::{FileMatrix, Layout};
use crate::data::import::Evidence;
use crate::jobs::Progress;

/// Values per slice of a sparse matrix: 2 MiB of each array.
const SLICE: usize = 1 << 19;
/// Values per tile of a dense matrix: 16 MiB.
const TILE: usize = 1 << 22;

const STAGE: &str = "Reading the matrix";

/// Some lines of a matrix: rows, or columns where it is stored by columns.
pub(super) struct Block<'a> {
    /// Number of the first line.
    first: usize,
    /// Where each line starts in `minor` and `values`; one more than there are lines.
    starts: &'a [usize],
    minor: &'a [u32],
    values: &'a [f32],
}

impl<'a> Block<'a> {
    /// Each line: its number, its columns (or rows) as they are stored, and the values.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &'a [u32], &'a [f32])> {
        let (minor, values) = (self.minor, self.values);
        let ranges = self.starts.windows(2).map(|bounds| bounds[0]..bounds[1]);
        (self.first..).zip(ranges).map(move |(line, range)| (line, &minor[range.clone()], &values[range]))
    }
}

impl FileMatrix {
    /// Whether every value is stored.
    pub(super) fn is_dense(&self) -> bool {
        matches!(self.layout, Layout::Dense(_))
    }

    /// Whether its lines are columns.
    pub(super) fn is_by_columns(&self) -> bool {
        matches!(self.layout, Layout::Columns(_))
    }

    /// Go over all of it: every line comes once and whole, in order; indices are in range, values finite.
    /// Gives back what the values are.
    pub(super) fn blocks(
        &self,
        progress: &dyn Progress,
        mut take: impl FnMut(Block<'_>) -> Result<(), H5adError>,
    ) -> Result<Evidence, H5adError> {
        match (&self.layout, &self.chosen) {
            (Layout::Rows(parts), Some((places, all))) => {
                let (mut chosen, mut evidence) = (SparseTile::default(), Evidence::default());
                self.sparse_blocks(parts, *all, ["row", "column"], progress, |block| {
                    chosen.choose(&block, places);
                    evidence.add(&chosen.values);
                    let SparseTile { starts, indices, values } = &chosen;
                    take(Block { first: block.first, starts, minor: indices, values })
                })?;
                Ok(evidence)
            }
            (Layout::Rows(parts), None) => self.sparse_blocks(parts, self.columns, ["row", "column"], progress, take),
            (Layout::Columns(parts), _) => self.sparse_blocks(parts, self.rows, ["column", "row"], progress, take),
            (Layout::Dense(array), _) => self.dense_blocks(array, progress, take),
        }
    }

    fn sparse_blocks(
        &self,
        parts: &Compressed,
        end: usize,
        [major, minor]: [&str; 2],
        progress: &dyn Progress,
        mut take: impl FnMut(Block<'_>) -> Result<(), H5adError>,
    ) -> Result<Evidence, H5adError> {
        let total = parts.values.length()?;
        let line_of = |at: usize| parts.starts.partition_point(|&start| start <= at).saturating_sub(1);
        let read = |range: Range<usize>| {
            let mut indices = Vec::with_capacity(range.len());
            let bad = parts.indices.indices(range.clone(), end, &mut indices)?;
            if let Some((at, bad)) = bad {
                return Err(self.index_error(&parts.indices, major, line_of(at), bad, end, minor));
            }
            Ok((indices, parts.values.f32s(range)?))
        };
        let mut evidence = Evidence::default();
        // What was read of lines that are not given away yet: from the start of `line` on.
        let (mut line, mut indices, mut values) = (0, Vec::new(), Vec::new());
        let mut starts = Vec::new();
        let mut give = |line: &mut usize, last: usize, indices: &mut Vec<u32>, values: &mut Vec<f32>| {
            starts.clear();
            let base = parts.starts[*line];
            starts.extend(parts.starts[*line..=last].iter().map(|start| start - base));
            let count = starts.last().copied().unwrap_or(0);
            let block = Block { first: *line, starts: &starts, minor: &indices[..count], values: &values[..count] };
            take(block)?;
            indices.drain(..count);
            values.drain(..count);
            *line = last;
            Ok::<(), H5adError>(())
        };
        read_ahead(parts.values.slices(SLICE)?, read, |range, (slice_indices, slice)| {
            progress.check()?;
            progress.stage(STAGE, Some(range.start as f32 / total.max(1) as f32));
            if let Some(at) = slice.iter().position(|value| !value.is_finite()) {
                let (line, other) = (line_of(range.start + at), slice_indices[at] as usize);
                let (row, column) = if self.is_by_columns() { (other, line) } else { (line, other) };
                return Err(self.not_finite(row, column, slice[at]));
            }
            evidence.add(&slice);
            indices.extend_from_slice(&slice_indices);
            values.extend_from_slice(&slice);
            let last = parts.starts.partition_point(|&start| start <= range.end) - 1;
            if last > line { give(&mut line, last, &mut indices, &mut values) } else { Ok(()) }
        })?;
        let lines = parts.starts.len() - 1;
        if line < lines {
            give(&mut line, lines, &mut indices, &mut values)?;
        }
        Ok(evidence)
    }

    /// Tile by tile, so that no more than a few tiles are ever dense; tiles are whole chunks, so that none is
    /// decompressed twice.
    fn dense_blocks(
        &self,
        array: &FileArray,
        progress: &dyn Progress,
        mut take: impl FnMut(Block<'_>) -> Result<(), H5adError>,
    ) -> Result<Evidence, H5adError> {
        let width = self.columns.max(1);
        let chunk_rows = array.chunk(0).unwrap_or(1).clamp(1, self.rows.max(1));
        let band = whole_chunks(TILE / width, Some(chunk_rows));
        // A band of tall chunks can be too large: cut it into columns of chunks.
        let tile_columns = if band.saturating_mul(width) <= 2 * TILE {
            width
        } else {
            whole_chunks((TILE / band).max(1), array.chunk(1)).min(width)
        };
        let places = (0..self.rows).step_by(band).flat_map(|first| {
            let rows = first..(first + band).min(self.rows);
            let lefts = (0..self.columns).step_by(tile_columns);
            lefts.map(move |left| (rows.clone(), left..(left + tile_columns).min(self.columns)))
        });
        let read = |(rows, columns): (Range<usize>, Range<usize>)| array.tile_f32s(rows, columns);
        let mut evidence = Evidence::default();
        let mut tiles: Vec<SparseTile> = Vec::new();
        let mut band = SparseTile::default();
        read_ahead(places, read, |(rows, columns), dense| {
            let done = rows.start as f32 + rows.len() as f32 * columns.start as f32 / width as f32;
            progress.check()?;
            progress.stage(STAGE, Some(done / self.rows.max(1) as f32));
            if let Some(at) = dense.iter().position(|value| !value.is_finite()) {
                let (row, column) = (rows.start + at / columns.len(), columns.start + at % columns.len());
                return Err(self.not_finite(row, column, dense[at]));
            }
            evidence.add(&dense);
            let last = columns.end == self.columns;
            tiles.push(SparseTile::of(&dense, columns));
            if last {
                band.join(&tiles, rows.len());
                tiles.clear();
                take(Block { first: rows.start, starts: &band.starts, minor: &band.indices, values: &band.values })?;
            }
            Ok(())
        })?;
        Ok(evidence)
    }
}

#[derive(Default)]
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

    /// Become the part of `block` that has a place.
    fn choose(&mut self, block: &Block<'_>, places: &Places) {
        self.starts.clear();
        self.indices.clear();
        self.values.clear();
        self.starts.push(0);
        for (_, columns, values) in block.lines() {
            for (&column, &value) in columns.iter().zip(values) {
                if let Some(place) = places.of(column as usize) {
                    self.indices.push(place);
                    self.values.push(value);
                }
            }
            self.starts.push(self.indices.len());
        }
    }

    /// Become `tiles` (from left to right) side by side.
    fn join(&mut self, tiles: &[Self], rows: usize) {
        self.starts.clear();
        self.indices.clear();
        self.values.clear();
        self.starts.push(0);
        for row in 0..rows {
            for tile in tiles {
                let stored = tile.starts[row]..tile.starts[row + 1];
                self.indices.extend_from_slice(&tile.indices[stored.clone()]);
                self.values.extend_from_slice(&tile.values[stored]);
            }
            self.starts.push(self.indices.len());
        }
    }
}
