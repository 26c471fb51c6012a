//! What can be wrong with a text file.

use thiserror::Error;

use crate::data::import::ImportError;
use crate::jobs::Cancelled;

/// Why a matrix market file, a table or a list cannot be read. The caller adds the name of the file that was opened; a file beside it is
/// named here.
#[derive(Debug, Error)]
pub enum TextError {
    /// The user cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The system could not read it.
    #[error("{file} cannot be read: {reason}")]
    Read {
        /// File name.
        file: String,
        /// The system's words.
        reason: String,
    },
    /// Something else is there.
    #[error("{place}: found {found}, expected {expected}")]
    Unexpected {
        /// File name and line.
        place: String,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// A file that belongs to it is not there.
    #[error("{expected} is missing in {folder}, which has {found}")]
    Missing {
        /// Name of the folder.
        folder: String,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// The lists do not fit the matrix.
    #[error("{matrix} has {rows} rows and {columns} columns, but {lists}")]
    Sizes {
        /// Name of the matrix file.
        matrix: String,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
        /// Lengths of the lists: `features.tsv has 3 genes and barcodes.tsv 5 cells`.
        lists: String,
    },
    /// A file of labels is about other cells.
    #[error(
        "{file}: no column holds cells of the data set; the cells are called {cells}, its first row has {first}; expected one row per cell, \
         with the cell's name in a column"
    )]
    OtherCells {
        /// The file with labels.
        file: String,
        /// Some cells of the data set.
        cells: String,
        /// Its first row.
        first: String,
    },
    /// More than fits in memory.
    #[error("{place}: {bytes} bytes do not fit in memory")]
    TooLarge {
        /// File name and what for.
        place: String,
        /// What would be needed.
        bytes: u64,
    },
    /// Columns, genes and matrix do not make a data set.
    #[error(transparent)]
    Import(#[from] ImportError),
}

impl TextError {
    pub(super) fn unexpected(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Unexpected { place: place.into(), found: found.into(), expected: expected.into() }
    }
}

/// `text` for a message: cut, without control characters.
pub(super) fn shown(text: &[u8]) -> String {
    const MOST: usize = 40;
    let text = String::from_utf8_lossy(text);
    let plain: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MOST).collect();
    let cut = if text.chars().count() > MOST { "…" } else { "" };
    if plain.trim().is_empty() { "nothing".to_owned() } else { format!("{:?}{cut}", plain.trim_end()) }
}
