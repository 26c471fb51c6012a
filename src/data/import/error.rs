//! What can be wrong with the contents of a file, whatever its format.

use thiserror::Error;

use crate::data::labels::LabelError;
use crate::data::{DatasetError, MatrixError};

/// Why columns, genes and a matrix do not make a data set. The caller adds the file's name.
#[derive(Debug, Error)]
pub enum ImportError {
    /// A column that the user named does not exist.
    #[error("{frame} has no column {column}; {hint}")]
    UnknownColumn {
        /// `obs`, `var`, or the file with the columns.
        frame: String,
        /// The column that was asked for.
        column: String,
        /// Columns that there are.
        hint: String,
    },
    /// The features are not what a screen has.
    #[error("{frame}: found {found}, expected {expected}")]
    Features {
        /// The file or group with the features.
        frame: String,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// A label that the user named does not exist.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// The arrays are no matrix.
    #[error("the matrix is not sound: {0}")]
    Matrix(#[from] MatrixError),
    /// The parts do not form a data set.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}
