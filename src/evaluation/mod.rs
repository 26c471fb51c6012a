//! How a prediction or a network is judged: plain arrays in, numbers with their definitions out.
//!
//! Nothing here knows a model; predictions, baselines and measurements all arrive as [`crate::data::EffectTable`]s or as
//! samples of expression, so that every method is measured with the same code.

pub mod bootstrap;
pub mod calibration;
pub mod ceiling;
pub mod clustering;
pub mod distances;
pub mod effects;
pub mod false_discovery;
mod importance;
pub mod interactions;
mod mann_whitney;
pub mod networks;
pub mod pairwise;
pub mod report;
mod sample;
mod space;

pub use importance::ImportanceWeights;
pub use mann_whitney::mann_whitney;
pub use sample::{Sample, wasserstein};
pub use space::CellSpace;

pub use crate::preprocess::correlation::{pearson, r_squared};
