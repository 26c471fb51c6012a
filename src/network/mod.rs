//! The gene regulatory network: genes, signed and ranked regulator → target edges, and what is asked of them.

pub mod filter;
pub mod formats;
mod grn;
pub mod recovery;
pub mod sign;
pub mod statistics;

pub use grn::{Edge, GeneId, Grn, GrnError, NetworkGene, Sign, SignEvidence};
