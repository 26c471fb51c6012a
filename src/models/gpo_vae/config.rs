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
    /// Ours: mends what the published settings get wrong on small screens, and takes more, smaller steps.
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
            batch_size: 128,
            learning_rate: 1e-3,
            weight_decay: 1e-6,
            clip_norm: 100.0,
            epochs: 80,
            patience: 30,
        }
    }
}

impl GpoVaeConfig {
    /// The settings of a preset. The published presets keep the authors' values throughout.
    pub fn preset(preset: Preset) -> Self {
        let published = Self {
            alpha: None,
            data_library: false,
            batch_size: 512,
            learning_rate: 3e-4,
            epochs: 2000,
            ..Self::default()
        };
        match preset {
            Preset::Default => Self::default(),
            Preset::Adamson => published,
            Preset::K562 => Self { basal_hidden: 200, fold_change: 0.8, lambda: 5.0, ..published },
            Preset::Rpe1 => Self { latent: 200, basal_hidden: 200, fold_change: 0.5, lambda: 10.0, ..published },
        }
    }

    /// Where these settings differ from every published preset in a way that changes the result, in words.
    pub fn differs_from_paper(&self) -> Vec<String> {
        let mut differences = Vec::new();
        if let Some(alpha) = self.alpha {
            differences.push(format!(
                "α = {alpha}: the weight of cells that pass quality control is fixed; the paper uses the share of failing cells, which \
                 all but ignores the passing ones where few fail"
            ));
        }
        if self.data_library {
            differences.push(
                "effects are predicted at the library sizes of the control cells; the paper predicts at 10,000 counts per cell".into(),
            );
        }
        if self.exact_kl {
            differences.push("the counterfactual term is the exact Kullback–Leibler divergence".into());
        }
        if self.learning_rate != 3e-4 {
            differences.push(format!("learning rate {}; the paper uses 0.0003", self.learning_rate));
        }
        if self.batch_size != 512 {
            differences.push(format!("batches of {} cells; the paper uses 512", self.batch_size));
        }
        if self.epochs < 2000 {
            differences.push(format!("at most {} epochs; the paper allows 2,000", self.epochs));
        }
        differences
    }

    /// What is wrong with these settings, if anything: the setting, and what it must be.
    pub fn problem(&self) -> Option<String> {
        let counts = [
            ("latent", self.latent),
            ("decoder-hidden", self.decoder_hidden),
            ("basal-hidden", self.basal_hidden),
            ("basal-layers", self.basal_layers),
            ("embedding-hidden", self.embedding_hidden),
            ("embedding-layers", self.embedding_layers),
            ("particles", self.particles),
            ("batch-size", self.batch_size),
            ("epochs", self.epochs as usize),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Some(format!("{name} must be at least 1"));
        }
        let shares = [("mask-prior", Some(self.mask_prior)), ("alpha", self.alpha)];
        for (name, value) in shares {
            if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
                return Some(format!("{name} must be between 0 and 1"));
            }
        }
        if !(self.mask_prior > 0.0 && self.mask_prior < 1.0) {
            return Some("mask-prior must be above 0 and below 1".into());
        }
        let weights = [("learning-rate", self.learning_rate), ("clip-norm", self.clip_norm)];
        if let Some((name, _)) = weights.iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            return Some(format!("{name} must be a number above 0"));
        }
        let weights = [
            ("beta", self.beta),
            ("gamma", self.gamma),
            ("lambda", self.lambda),
            ("fold-change", self.fold_change),
            ("weight-decay", self.weight_decay),
        ];
        let wrong = weights.iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0));
        wrong.map(|(name, _)| format!("{name} must be a number, 0 or above"))
    }
}
