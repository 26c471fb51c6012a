//! The gene regulatory network: genes, signed and ranked regulator → target edges, and what is asked of them.

mod agreement;
pub mod compare;
pub mod filter;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod formats;
pub mod gene_names;
pub mod gene_sets;
pub mod gene_table;
mod grn;
pub mod hops;
mod hypergeometric;
pub mod known;
pub mod paths;
pub mod recovery;
pub mod reference;
pub mod sign;
pub mod statistics;
pub mod wave;

pub use agreement::{Agreement, MemberRanks};
pub use grn::{Edge, GeneId, Grn, GrnError, NetworkGene, Sign, SignEvidence};
