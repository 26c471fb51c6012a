//! Settings and presets.

use serde::{Deserialize, Serialize};

/// The distribution of counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likelihood {
    /// Gamma–Poisson with mean = library size × softmax(decoder).
    #[default]
    LibraryNegativeBinomial,
    /// Poisson with rate softplus(decoder).
    Poisson,
}

/// A named set of settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Ours: mends what the published settings get wrong on small screens.
    #[default]
    Default,
    /// As published for Adamson 2016.
    Adamson,
    /// As published for Replogle K562.
    K562,
    /// As published for Replogle RPE1.
    Rpe1,
}

/// Settings of the model and its optimiser; symbols are the paper's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GpoVaeConfig {
    /// Distribution of the counts.
    pub likelihood: Likelihood,
    /// L, latent dimensions.
    pub latent: usize,
    /// Width of the decoder's hidden layers.
    pub decoder_hidden: usize,
    /// Hidden layers of the decoder.
    pub decoder_layers: usize,
    /// Width of the basal encoder.
    pub basal_hidden: usize,
    /// Layers of the basal encoder.
    pub basal_layers: usize,
    /// Width of the encoders of E and U.
    pub embedding_hidden: usize,
    /// Layers of the encoders of E and U.
    pub embedding_layers: usize,
    /// P, Monte Carlo samples per cell.
    pub particles: usize,
    /// α, weight of the cells that pass quality control; none for the share of failing cells in the batch (as published).
    pub alpha: Option<f64>,
    /// β, weight of the counterfactual term.
    pub beta: f64,
    /// The exact Kullback–Leibler divergence instead of the authors' expression.
    pub exact_kl: bool,
    /// γ, weight of the network alignment.
    pub gamma: f64,
    /// λ, weight of the sparsity.
    pub lambda: f64,
    /// K, extra hops of the network.
    pub hops: usize,
    /// fc, the shift (log units) above which a pair counts as an edge.
    pub fold_change: f64,
    /// Prior probability of a mask entry.
    pub mask_prior: f64,
    /// Predict at the library sizes of the control cells; otherwise at 10,000 (as published).
    pub data_library: bool,
    /// Cells per batch.
    pub batch_size: usize,
    /// Learning rate.
    pub learning_rate: f64,
    /// L2 weight decay, added to the gradient.
    pub weight_decay: f64,
    /// Largest norm of the gradient.
    pub clip_norm: f64,
    /// Epochs at most.
    pub epochs: u32,
    /// Epochs without improvement of the validation loss before training ends.
    pub patience: u32,
}

impl Default for GpoVaeConfig {
    fn default() -> Self {
        Self {
            likelihood: Likelihood::default(),
            latent: 100,
            decoder_hidden: 400,
            decoder_layers: 1,
            basal_hidden: 400,
            basal_layers: 1,
            embedding_hidden: 400,
            embedding_layers: 4,
            particles: 5,
            alpha: Some(0.5),
            beta: 0.1,
            exact_kl: false,
            gamma: 100.0,
            lambda: 1.0,
            hops: 5,
            fold_change: 0.4,
            mask_prior: 0.3,
            data_library: true,
            batch_size: 512,
            learning_rate: 1e-3,
            weight_decay: 1e-6,
            clip_norm: 100.0,
            epochs: 150,
            patience: 30,
        }
    }
}
