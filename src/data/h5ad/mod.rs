//! AnnData files (.h5ad) as Python's anndata writes them, old and new, and Cell Ranger's .h5 (`tenx`). The only user of HDF5.
//!
//! Reading: [`read`] opens the file (`file`), chooses a matrix (`choose`), gives the frames `obs` and `var` (`frame`, `compound`) to the rules
//! of `data::import`, and streams the matrix into compressed rows (`matrix`). `array` is the one place that asks HDF5 for data: there
//! claimed sizes are held against stored ones before memory is taken. Writing: [`write()`] and [`write_with`].
//!
//! Format: the on-disk specification of anndata 0.12 (encoding versions `anndata` 0.1.0, `dataframe` 0.2.0, `csr_matrix` 0.1.0, …), and of
//! what older versions left (`dataframe` 0.1.0 with `__categories`, arrays of records, `h5sparse_format`).

mod ahead;
mod array;
mod choose;
mod compound;
mod error;
mod file;
mod frame;
mod matrix;
mod own;
mod read;
mod tenx;
mod text;
mod write;
mod write_matrix;
mod write_stream;

pub use error::H5adError;
pub use file::looks_like_hdf5;
pub use read::{preview, read, read_into};
pub use write::{ExtraColumn, WriteOptions, write, write_with};
pub use write_matrix::MatrixLayout;
pub use write_stream::{Portion, StreamHeader, write_stream};

pub use super::ImportOptions;
