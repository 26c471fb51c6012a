//! GPO-VAE: a variational autoencoder whose perturbation parameters are aligned with a gene regulatory network.

mod config;

pub use config::{GpoVaeConfig, Likelihood, Preset};
