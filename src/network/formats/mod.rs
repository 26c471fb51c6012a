//! Networks as files.

mod edges;
mod truth;

pub use edges::{EdgeFileError, read_edges, write_edges};
pub use truth::true_network;
