//! What is learned from a screen: the models, the honest baselines beside them, and the file a model is kept in.
//!
//! This room and [`crate::training`] are the only ones that name candle.

pub mod baselines;
mod card;
mod cholesky;
pub mod gpo_vae;
mod intervention;
pub mod nn;
mod prior_network;
pub(crate) mod tensor_file;
mod trained;

pub use card::{
    DatasetReference, EpochMetrics, LossTerms, MemberRun, ModelCard, ModelKind, TrainConfig, TrainedPerturbation,
    Treatment,
};
pub use intervention::{
    AskedCells, CALL_RATE, INTERVAL_LEVEL, Intervention, Lenders, Novelty, PredictedEffect, Spread, interval_factor,
};
pub use prior_network::{PriorNetwork, PriorNetworkUse};
pub use trained::{
    GeneratedCells, MODEL_FORMAT, MergeError, ModelError, Observed, PredictError, TrainedModel, merge, signed_network,
};
