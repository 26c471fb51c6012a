//! From counts to model input: each step a function from data to data, its settings recorded.
//!
//! [`prepare`] runs them all in order; each also stands alone, over the cells it is given.

pub mod control_matching;
pub mod counterfactual;
pub mod differential;
pub mod doublets;
pub mod extra_treatments;
pub mod gene_metrics;
pub mod knock_down;
pub mod normalise;
mod prepare;
pub mod quality;
pub mod quality_groups;
mod selection;
mod split;
mod statistics;
pub mod target_check;
pub mod variable_genes;

pub use prepare::{PrepareConfig, PrepareError, PreparedScreen, prepare};
pub use split::{Shares, Split};
