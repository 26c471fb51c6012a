//! Explore gene regulatory networks (GRNs) learned from Perturb-seq screens.
//!
//! The rooms of the house, from what was measured to what is shown; each may use the rooms above it, never those
//! below (`ARCHITECTURE.md` has the plan, a test holds the code to it).

pub mod files;
pub mod history;
pub mod jobs;
pub mod random;
mod words;

pub mod data;

pub mod network;
pub mod preprocess;

pub mod evaluation;
pub mod models;

pub mod layout;
pub mod training;

pub mod figures;

pub mod document;
pub mod session;

pub mod tasks;

#[cfg(feature = "gui")]
pub mod app;
pub mod cli;
