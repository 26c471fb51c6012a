//! The matrix of a file that is written.

use std::ops::Range;

use hdf5::{Group, H5Type};
use ndarray::ArrayView2;

use super::H5adError;
use super::write::{CHUNK, GZIP_LEVEL, encode, failed, new_numbers};
use crate::data::CsrMatrix;
use crate::jobs::Progress;

/// Values converted and written at a time.
const SLICE: usize = 16 * CHUNK;
/// Values per chunk of a dense matrix: 1 MiB.
const DENSE_CHUNK: usize = 1 << 18;
const STAGE: &str = "Writing the matrix";

/// How a matrix is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatrixLayout {
    /// Compressed sparse rows: what most tools write.
    #[default]
    Rows,
    /// Compressed sparse columns.
    Columns,
    /// Every value, zeros included.
    Dense,
}

impl MatrixLayout {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rows, Self::Columns, Self::Dense];

    /// Its name in settings: `rows`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Columns => "columns",
            Self::Dense => "dense",
        }
    }
}

/// Write `matrix` as `X` of `file`.
pub(super) fn write_matrix(
    file: &Group,
    matrix: &CsrMatrix,
    layout: MatrixLayout,
    progress: &dyn Progress,
) -> Result<(), H5adError> {
    match layout {
        MatrixLayout::Rows => write_sparse(file, matrix, "csr_matrix", [matrix.rows(), matrix.columns()], progress),
        MatrixLayout::Columns => {
            let shape = [matrix.rows(), matrix.columns()];
            write_sparse(file, &matrix.transposed(), "csc_matrix", shape, progress)
        }
        MatrixLayout::Dense => write_dense(file, matrix, progress),
    }
}

fn write_sparse(
    file: &Group,
    lines: &CsrMatrix,
    encoding: &str,
    shape: [usize; 2],
    progress: &dyn Progress,
) -> Result<(), H5adError> {
    let open = || {
        let group = file.create_group("X")?;
        encode(&group, encoding, "0.1.0")?;
        let attribute = group.new_attr::<i64>().shape([2]).create("shape")?;
        attribute.write_raw(&shape.map(|length| length as i64))?;
        Ok(group)
    };
    let group = open().map_err(|error: hdf5::Error| failed(&error))?;
    let stored = lines.stored();
    let values = |range: Range<usize>| lines.values().slice(range).iter().collect::<Vec<f32>>();
    write_slices(&group, "data", stored, values, progress, 0.0..0.4)?;
    let (indices, starts) = (lines.indices(), lines.starts());
    // SciPy wants one integer type for both, and uses 32 bits where they suffice.
    if i32::try_from(stored).is_ok() {
        let cut = |range: Range<usize>| indices[range].iter().map(|&index| index as i32).collect::<Vec<i32>>();
        write_slices(&group, "indices", stored, cut, progress, 0.4..1.0)?;
        let cut = |range: Range<usize>| starts[range].iter().map(|&start| start as i32).collect::<Vec<i32>>();
        write_slices(&group, "indptr", starts.len(), cut, progress, 1.0..1.0)
    } else {
        let cut = |range: Range<usize>| indices[range].iter().map(|&index| i64::from(index)).collect::<Vec<i64>>();
        write_slices(&group, "indices", stored, cut, progress, 0.4..1.0)?;
        let cut = |range: Range<usize>| starts[range].iter().map(|&start| start as i64).collect::<Vec<i64>>();
        write_slices(&group, "indptr", starts.len(), cut, progress, 1.0..1.0)
    }
}

/// Write an array of `length` slice by slice, so that it is never held whole in another type.
fn write_slices<T: H5Type>(
    group: &Group,
    name: &str,
    length: usize,
    slice: impl Fn(Range<usize>) -> Vec<T>,
    progress: &dyn Progress,
    share: Range<f32>,
) -> Result<(), H5adError> {
    let array = new_numbers::<T>(group, name, length).map_err(|error| failed(&error))?;
    for start in (0..length).step_by(SLICE) {
        progress.check()?;
        progress.stage(STAGE, Some(share.start + (share.end - share.start) * start as f32 / length as f32));
        let range = start..(start + SLICE).min(length);
        array.write_slice(&slice(range.clone()), range).map_err(|error| failed(&error))?;
    }
    Ok(())
}

fn write_dense(file: &Group, matrix: &CsrMatrix, progress: &dyn Progress) -> Result<(), H5adError> {
    let (rows, columns) = (matrix.rows(), matrix.columns());
    let chunk = [(DENSE_CHUNK / columns.max(1)).clamp(1, rows.max(1)), columns.clamp(1, DENSE_CHUNK)];
    let open = || {
        let builder = file.new_dataset::<f32>().chunk(chunk).shuffle().deflate(GZIP_LEVEL);
        let array = builder.shape([rows, columns]).create("X")?;
        encode(&array, "array", "0.2.0")?;
        Ok(array)
    };
    let array = open().map_err(|error: hdf5::Error| failed(&error))?;
    let mut band = Vec::new();
    for first in (0..rows).step_by(chunk[0]) {
        progress.check()?;
        progress.stage(STAGE, Some(first as f32 / rows as f32));
        let last = (first + chunk[0]).min(rows);
        band.resize((last - first) * columns, 0.0);
        for (row, out) in (first..last).zip(band.chunks_exact_mut(columns)) {
            matrix.copy_row(row, out);
        }
        let view = ArrayView2::from_shape((last - first, columns), &band)
            .map_err(|error| H5adError::Write { reason: error.to_string() })?;
        array.write_slice(view, (first..last, 0..columns)).map_err(|error| failed(&error))?;
    }
    Ok(())
}
