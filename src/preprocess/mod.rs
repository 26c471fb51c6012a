//! From counts to model input: each step a function from data to data, its settings recorded.
//!
//! [`prepare`] runs them all in order; each also stands alone, over the cells it is given.

pub(crate) mod components;
pub mod control_matching;
pub(crate) mod correlation;
pub mod counterfactual;
pub mod differential;
pub mod doublets;
pub(crate) mod eigen;
pub mod escape;
pub mod extra_treatments;
mod filters;
pub mod gene_metrics;
pub mod guides;
mod held_out;
mod judging;
pub mod knock_down;
pub mod normalise;
mod prepare;
pub mod quality;
pub mod quality_groups;
pub(crate) mod ranks;
mod selection;
pub mod shrinkage;
mod split;
mod statistics;
pub mod target_check;
pub mod variable_genes;

pub use filters::{Filter, Filtered};
pub use held_out::{HeldOut, SplitBy};
pub use judging::{UsedCells, prepare_to_judge};
pub use prepare::{PrepareConfig, PrepareError, PreparedScreen, prepare};
pub use selection::preview_filters;
pub use split::{Shares, Split};
