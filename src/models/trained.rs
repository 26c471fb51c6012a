//! A trained model and its file.

use std::path::Path;
use std::sync::Arc;

use thiserror::Error;

use super::{Intervention, ModelCard, PredictedEffect};
use crate::data::EffectTable;
use crate::jobs::{Cancelled, Progress};
use crate::network::Grn;

/// Why a model file cannot be opened or written.
#[derive(Debug, Error)]
pub enum ModelError {
    /// The operating system said no.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is not a model of ours.
    #[error("{reason}")]
    NotAModel {
        /// What was found instead.
        reason: String,
    },
    /// Arithmetic failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// Why a question cannot be answered.
#[derive(Debug, Error)]
pub enum PredictError {
    /// The gene is no node of this model's network.
    #[error("{gene} is not among the {count} genes this model can perturb{}", hint(.nearest))]
    UnknownGene {
        /// What was asked for.
        gene: String,
        /// Number of genes that can be perturbed.
        count: usize,
        /// The most similar names.
        nearest: Vec<String>,
    },
    /// The user cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Arithmetic failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

fn hint(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", nearest.join(", ")) }
}

/// A trained model: opens without its data set. Cheap to share in an `Arc`, safe to use from several threads.
pub struct TrainedModel {
    card: ModelCard,
}

impl TrainedModel {
    /// Read `NAME.safetensors`.
    pub fn open(_path: &Path) -> Result<Self, ModelError> {
        unimplemented!()
    }

    /// Write atomically.
    pub fn save(&self, _path: &Path) -> Result<(), ModelError> {
        unimplemented!()
    }

    /// What the file says about itself.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The learned network with signs: all treatments, the best edges (at most 200,000), self-edges left out.
    pub fn network(&self) -> &Arc<Grn> {
        unimplemented!()
    }

    /// Measured shifts over the training cells of each perturbation.
    pub fn observed_in_training(&self) -> &EffectTable {
        unimplemented!()
    }

    /// Measured shifts over cells never used in training (test), against test controls. Empty when there are none.
    pub fn observed_held_out(&self) -> &EffectTable {
        unimplemented!()
    }

    /// Predicted shifts of every perturbation of the screen, same genes.
    pub fn predicted(&self) -> &EffectTable {
        unimplemented!()
    }

    /// Rows of the training data set never used in training, valid only for a data set with the card's hash.
    pub fn held_out_cells(&self) -> Vec<u32> {
        unimplemented!()
    }

    /// Rows of the training data set used for the gradient (likewise).
    pub fn training_cells(&self) -> Vec<u32> {
        unimplemented!()
    }

    /// Predict the response to `intervention`. Takes well under a second for hundreds of genes; deterministic.
    pub fn predict(
        &self,
        _intervention: &Intervention,
        _progress: &dyn Progress,
    ) -> Result<PredictedEffect, PredictError> {
        unimplemented!()
    }
}
