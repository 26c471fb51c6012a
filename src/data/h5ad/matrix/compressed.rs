//! The three arrays of a sparse matrix in the file, and its shape.

use hdf5::{Group, Location};

use super::super::H5adError;
use super::super::array::{FileArray, join};
use super::super::text::integer_attribute;

/// Compressed rows or columns; `starts` were read and found increasing.
#[derive(Debug)]
pub(super) struct Compressed {
    pub(super) starts: Vec<usize>,
    pub(super) indices: FileArray,
    pub(super) values: FileArray,
}

impl Compressed {
    /// Open the arrays of `group`; there must be `lines` rows or columns.
    pub(super) fn open(group: &Group, path: &str, lines: usize) -> Result<Self, H5adError> {
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

/// Numbers of cells and genes.
pub(super) fn shape(group: &Location, path: &str) -> Result<(usize, usize), H5adError> {
    let name = if group.attr("shape").is_ok() { "shape" } else { "h5sparse_shape" };
    let place = join(path, &format!("attribute {name}"));
    let expected = "two numbers, cells and genes";
    let Some(numbers) = integer_attribute(group, name) else { return Err(H5adError::missing(&place, expected)) };
    match numbers[..] {
        [rows, columns] if rows >= 0 && columns >= 0 => Ok((rows as usize, columns as usize)),
        _ => Err(H5adError::unexpected(&place, format!("{numbers:?}"), expected)),
    }
}
