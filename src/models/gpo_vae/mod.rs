//! GPO-VAE: a variational autoencoder whose perturbation parameters are aligned with a gene regulatory network.

mod batch;
mod config;
mod entering;
mod expectation;
mod fused;
mod generate;
mod importance;
mod mask;
mod memory;
mod network;
mod noise;
mod on_gpu;
mod predict;
mod reading;
mod start;
mod trial;
mod variants;

pub use batch::{Batch, BatchContext, BatchData};
pub use config::{GpoVaeConfig, Preset};
pub use fused::FusedStep;
pub use memory::{Footprint, StepSize};
pub use network::{GpoVae, Loss, Sizes};
pub use noise::{Draw, Noise};
pub use on_gpu::{GpuStep, Packed};
pub use predict::Predictor;
pub use reading::{Reading, SparseCells};
pub use start::{CountMoments, OwnEffect};
pub use trial::try_out;
pub use variants::{Alignment, Escaped, GeneEffectsPrior, InputScale, Likelihood, MaskParameters, Start, Unseen};
