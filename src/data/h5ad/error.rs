//! What can be wrong with a file.

use thiserror::Error;

use crate::data::import::ImportError;
use crate::data::text::TextError;
use crate::jobs::Cancelled;

/// Why an .h5ad file cannot be read or written. The caller adds the file's name.
#[derive(Debug, Error)]
pub enum H5adError {
    /// The user cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The file cannot be opened at all.
    #[error("cannot open the file: {reason}")]
    Open {
        /// The system's or the HDF5 library's words.
        reason: String,
    },
    /// Not an HDF5 file.
    #[error("not an HDF5 file: it begins with {found}; expected an .h5ad file as anndata writes it")]
    NotHdf5 {
        /// Its first bytes.
        found: String,
    },
    /// Shorter than its own header says.
    #[error("the file is cut short: found {found} bytes, expected {expected}; copy or download it again")]
    Truncated {
        /// Its length in bytes.
        found: u64,
        /// The length that the header tells.
        expected: u64,
    },
    /// Something is not there.
    #[error("{path} is missing; expected {expected}")]
    Missing {
        /// HDF5 path.
        path: String,
        /// What should be there.
        expected: String,
    },
    /// Something else is there.
    #[error("{path}: found {found}, expected {expected}")]
    Unexpected {
        /// HDF5 path.
        path: String,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// Compressed in a way that this program has no filter for.
    #[error(
        "{path}: compressed with {filter}, expected gzip, lzf or none; write the file again with anndata's compression=\"gzip\""
    )]
    MissingFilter {
        /// HDF5 path.
        path: String,
        /// Name and number of the filter.
        filter: String,
    },
    /// The HDF5 library gave up.
    #[error("{path}: HDF5 could not read it ({reason}); the file is probably damaged")]
    Unreadable {
        /// HDF5 path.
        path: String,
        /// The library's words.
        reason: String,
    },
    /// A value that is not a finite number.
    #[error("{path}: found {value} for cell {cell} and gene {gene}, expected a finite number")]
    NotFinite {
        /// HDF5 path.
        path: String,
        /// Name (or row number) of the cell.
        cell: String,
        /// Symbol (or column number) of the gene.
        gene: String,
        /// The value.
        value: f64,
    },
    /// More than fits in memory.
    #[error("{path}: {bytes} bytes do not fit in memory")]
    TooLarge {
        /// HDF5 path.
        path: String,
        /// What would be needed.
        bytes: u64,
    },
    /// The system gives no thread to read with.
    #[error("the system refused a thread to read with ({reason}); close other programs and try again")]
    NoThread {
        /// The system's words.
        reason: String,
    },
    /// A matrix that the user named does not exist.
    #[error("there is no matrix {matrix}; the file has {available}")]
    UnknownMatrix {
        /// The matrix that was asked for.
        matrix: String,
        /// Those that there are.
        available: String,
    },
    /// Columns, genes and matrix do not make a data set.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A table with labels of the cells cannot be used.
    #[error(transparent)]
    Labels(#[from] TextError),
    /// The file cannot be written.
    #[error("cannot write the file: {reason}")]
    Write {
        /// The system's or the HDF5 library's words.
        reason: String,
    },
}

impl H5adError {
    pub(super) fn unexpected(path: &str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Unexpected { path: path.to_owned(), found: found.into(), expected: expected.into() }
    }

    pub(super) fn missing(path: &str, expected: impl Into<String>) -> Self {
        Self::Missing { path: path.to_owned(), expected: expected.into() }
    }

    pub(super) fn missing_filter(path: &str, id: i32) -> Self {
        Self::MissingFilter { path: path.to_owned(), filter: filter_name(id) }
    }

    pub(super) fn unreadable(path: &str, error: &hdf5::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), reason: root_cause(error) }
    }
}

/// The innermost message of HDF5's stack tells most: `H5Z_pipeline(): required filter is not registered`.
pub(super) fn root_cause(error: &hdf5::Error) -> String {
    match error {
        hdf5::Error::Internal(reason) => reason.clone(),
        hdf5::Error::HDF5(stack) => match stack.clone().expand() {
            Ok(stack) => stack.iter().last().map_or_else(|| error.to_string(), |frame| frame.description().to_owned()),
            Err(_) => error.to_string(),
        },
    }
}

fn filter_name(id: i32) -> String {
    let name = match id {
        4 => "szip",
        307 => "bzip2",
        32000 => "lzf",
        32001 => "blosc",
        32004 => "lz4",
        32008 => "bitshuffle",
        32013 => "zfp",
        32015 => "zstd",
        32026 => "blosc2",
        _ => return format!("an unknown filter (number {id})"),
    };
    format!("{name} (HDF5 filter {id})")
}
