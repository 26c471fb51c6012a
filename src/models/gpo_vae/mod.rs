//! GPO-VAE: a variational autoencoder whose perturbation parameters are aligned with a gene regulatory network.

mod batch;
mod config;
mod expectation;
mod fused;
mod memory;
mod network;
mod noise;
mod predict;

pub use batch::{Batch, BatchContext, BatchData, standardise};
pub use config::{GpoVaeConfig, Likelihood, Preset};
pub use fused::FusedStep;
pub use memory::{Footprint, StepSize};
pub use network::{GpoVae, Loss, Sizes};
pub use noise::{Draw, Noise};
pub use predict::Predictor;
