//! Settings and presets.

use serde::{Deserialize, Serialize};

use super::network::GENE_EFFECTS;
use super::variants::{Alignment, Escaped, GeneEffectsPrior, InputScale, Likelihood, MaskParameters, Start, Unseen};
use crate::models::nn::adam::AdamConfig;
use crate::words::{counted, grouped};

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
    /// What the encoder of the basal state reads of the counts.
    #[serde(skip_serializing_if = "is_default")]
    pub input: InputScale,
    /// The encoder of the basal state reads the counts alone, not what treatments and artifact bring.
    #[serde(skip_serializing_if = "is_default")]
    pub mean_field: bool,
    /// The decoder reads the sum z + D(E∘M) \[+ U\] instead of the three side by side; L must be the number of treatments.
    #[serde(skip_serializing_if = "is_default")]
    pub sum_mode: bool,
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
    /// What the network is aligned with.
    #[serde(default, skip_serializing_if = "is_default")]
    pub alignment: Alignment,
    /// How often the labels of the cells are shuffled to tell the false discovery rate of edges; 0 for not at all. Only with
    /// [`Alignment::DirectShifts`]; changes nothing of what is learned.
    #[serde(skip_serializing_if = "is_usual_number_of_shuffles")]
    pub null_shuffles: usize,
    /// λ, weight of the sparsity.
    pub lambda: f64,
    /// K, extra hops of the network.
    pub hops: usize,
    /// fc, the shift (log units) above which a pair counts as an edge.
    pub fold_change: f64,
    /// Prior probability of a mask entry.
    pub mask_prior: f64,
    /// What the parameters of the mask are.
    #[serde(skip_serializing_if = "is_default")]
    pub mask: MaskParameters,
    /// Temperature at which masks are sampled (Gumbel softmax): low ones are nearer to 0 and 1, with steeper gradients.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub mask_temperature: f64,
    /// Standard deviation of the prior of E.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub effect_prior_scale: f64,
    /// Scale (natural log units) of the prior of what a treatment does to single genes beside its effect on the latent state; 0 for
    /// nothing of the kind (as published).
    ///
    /// Most entries are near 0, a few are not: what the latent state does not explain of a strong response is not lost, and the
    /// noise of a weak one is not learned.
    #[serde(default, skip_serializing_if = "is_default")]
    pub gene_effects: f64,
    /// Which prior that is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub gene_effects_prior: GeneEffectsPrior,
    /// What cells are taken for that escaped their perturbation.
    #[serde(default, skip_serializing_if = "is_default")]
    pub escaped: Escaped,
    /// What is answered for genes that no training cell was perturbed in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unseen: Unseen,
    /// Predict at the library sizes of the control cells, and of cells of a perturbation by as much more or less as theirs are in training;
    /// otherwise at 10,000 (as published).
    pub data_library: bool,
    /// Samples of the basal state, the mask and the effects whose mean a predicted effect is.
    #[serde(skip_serializing_if = "is_usual_number_of_samples")]
    pub prediction_samples: usize,
    /// Cells per batch.
    pub batch_size: usize,
    /// Learning rate.
    pub learning_rate: f64,
    /// What the parameters start from that the moments of the counts give.
    #[serde(default, skip_serializing_if = "is_default")]
    pub start: Start,
    /// Epochs over which parameters are averaged before they are judged and kept; 0 for those of the last step (as published).
    #[serde(default, skip_serializing_if = "is_default")]
    pub averaging: f64,
    /// L2 weight decay, added to the gradient.
    pub weight_decay: f64,
    /// Largest norm of the gradient.
    pub clip_norm: f64,
    /// Epochs at most.
    pub epochs: u32,
    /// Epochs without improvement of the validation loss before training ends.
    pub patience: u32,
}

/// How much larger the optimiser's steps are for effects on single genes. Their gradients are small and noisy, each from the few cells of
/// its treatment: at the learning rate of the networks large effects are not reached by the epoch that is kept.
const GENE_EFFECTS_RATE: f64 = 10.0;

/// Enough that the effects of repeated seeds differ by about a hundredth of a log2 unit.
const PREDICTION_SAMPLES: usize = 512;
/// Enough to tell a rate of 1 % where few edges stand out; they take well under the time of an epoch.
const NULL_SHUFFLES: usize = 50;
const PUBLISHED_PREDICTION_SAMPLES: usize = 2500;

// What is as it always was is not written: a file says the same as before the setting came.

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn one() -> f64 {
    1.0
}

fn is_one(value: &f64) -> bool {
    *value == 1.0
}

fn is_usual_number_of_samples(value: &usize) -> bool {
    *value == PREDICTION_SAMPLES
}

fn is_usual_number_of_shuffles(value: &usize) -> bool {
    *value == NULL_SHUFFLES
}

impl Default for GpoVaeConfig {
    fn default() -> Self {
        Self {
            likelihood: Likelihood::default(),
            input: InputScale::default(),
            mean_field: false,
            sum_mode: false,
            latent: 100,
            decoder_hidden: 400,
            decoder_layers: 1,
            basal_hidden: 400,
            basal_layers: 1,
            embedding_hidden: 400,
            embedding_layers: 4,
            particles: 2,
            alpha: Some(0.5),
            beta: 0.1,
            exact_kl: false,
            gamma: 100.0,
            alignment: Alignment::DirectShifts,
            null_shuffles: NULL_SHUFFLES,
            lambda: 1.0,
            hops: 5,
            fold_change: 0.4,
            mask_prior: 0.3,
            mask: MaskParameters::default(),
            mask_temperature: 1.0,
            effect_prior_scale: 0.3,
            gene_effects: 0.35,
            gene_effects_prior: GeneEffectsPrior::DoublePareto,
            escaped: Escaped::ToldApart,
            unseen: Unseen::Transferred,
            data_library: true,
            prediction_samples: PREDICTION_SAMPLES,
            batch_size: 128,
            learning_rate: 1e-3,
            start: Start::Moments,
            averaging: 5.0,
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
            alignment: Alignment::Cells,
            start: Start::Drawn,
            averaging: 0.0,
            particles: 5,
            effect_prior_scale: 1.0,
            gene_effects: 0.0,
            gene_effects_prior: GeneEffectsPrior::default(),
            escaped: Escaped::Counted,
            unseen: Unseen::Learned,
            data_library: false,
            prediction_samples: PUBLISHED_PREDICTION_SAMPLES,
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
                "effects are predicted at the library sizes of the control cells, for perturbed cells by as much more or less as the screen \
                 shows; the paper predicts at 10,000 counts per cell"
                    .into(),
            );
        }
        if self.prediction_samples != PUBLISHED_PREDICTION_SAMPLES {
            differences.push(format!(
                "a predicted effect is the mean of {} samples; the paper takes 2,500",
                grouped(self.prediction_samples)
            ));
        }
        self.variants_in_words(&mut differences);
        if self.exact_kl {
            differences.push("the counterfactual term is the exact Kullback–Leibler divergence".into());
        }
        if self.learning_rate != 3e-4 {
            differences.push(format!("learning rate {}; the paper uses 0.0003", self.learning_rate));
        }
        if self.batch_size != 512 {
            differences.push(format!("batches of {} cells; the paper uses 512", self.batch_size));
        }
        if self.particles != 5 {
            differences.push(format!(
                "{} of the latent variables per cell; the paper takes 5",
                counted(self.particles, "sample")
            ));
        }
        if self.averaging > 0.0 {
            differences.push(format!("parameters are averaged over about {} epochs; in the paper not", self.averaging));
        }
        if self.epochs < 2000 {
            differences.push(format!("at most {} epochs; the paper allows 2,000", self.epochs));
        }
        differences
    }

    fn variants_in_words(&self, differences: &mut Vec<String>) {
        match self.likelihood {
            Likelihood::LibraryNegativeBinomial => {}
            Likelihood::Poisson => differences.push(
                "counts follow a Poisson distribution; the paper uses a negative binomial with the cell's library size"
                    .into(),
            ),
            Likelihood::Normal => differences.push(
                "counts follow a normal distribution; the paper uses a negative binomial with the cell's library size"
                    .into(),
            ),
        }
        match self.input {
            InputScale::LogStandardise => {}
            InputScale::Standardise => differences
                .push("the encoder reads standardised counts; the paper standardises their logarithms".into()),
            InputScale::None => differences
                .push("the encoder reads the counts as they are; the paper standardises their logarithms".into()),
        }
        if self.mean_field {
            differences.push(
                "the basal state is encoded from the counts alone; in the paper also from the effects of treatments and artifact".into(),
            );
        }
        if self.alignment == Alignment::DirectShifts {
            differences.push(
                "the network is aligned with the direct part of mean shifts in standard errors; in the paper with the shifts of single \
                 cells"
                    .into(),
            );
        }
        if self.start == Start::Moments {
            differences.push(
                "the mean expression of genes and its spread start from the moments of the counts, and effects with a standard deviation of \
                 0.1; in the paper they start like all other parameters, and with 1"
                    .into(),
            );
        }
        if self.sum_mode {
            differences
                .push("the decoder reads the sum of basal state and effects; in the paper both side by side".into());
        }
        if self.mask == MaskParameters::Probabilities {
            differences.push("the mask has probabilities as parameters; in the paper logits".into());
        }
        if self.mask_temperature != 1.0 {
            differences.push(format!("masks are sampled at temperature {}; in the paper at 1", self.mask_temperature));
        }
        if self.effect_prior_scale != 1.0 {
            differences.push(format!(
                "the priors of effects have a standard deviation of {}; in the paper of 1",
                self.effect_prior_scale
            ));
        }
        if self.gene_effects > 0.0 {
            differences.push(format!(
                "beside its effect on the latent state a perturbation has one on single genes ({} of scale {}); in the paper not",
                self.gene_effects_prior.in_words(),
                self.gene_effects
            ));
        }
        if self.escaped == Escaped::ToldApart {
            differences.push(
                "cells that escaped their perturbation are told by their counts and trained on as control cells; in the paper as \
                 perturbed ones"
                    .into(),
            );
        }
        if self.unseen == Unseen::Transferred {
            differences.push(
                "a gene that no training cell was perturbed in is answered from the perturbations that were seen; in the paper from \
                 parameters of its own, which nothing has taught"
                    .into(),
            );
        }
    }

    /// How the parameters are optimised.
    pub fn optimiser(&self) -> AdamConfig {
        AdamConfig {
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
            clip_norm: self.clip_norm,
            faster: &[(GENE_EFFECTS, GENE_EFFECTS_RATE)],
        }
    }

    /// Extra hops of the network that enter its alignment.
    pub fn alignment_hops(&self) -> usize {
        match self.alignment {
            Alignment::Cells => self.hops,
            Alignment::DirectShifts => 0,
        }
    }

    /// What keeps these settings from a network of `treatments` genes, if anything.
    pub fn problem_with(&self, treatments: usize) -> Option<String> {
        (self.sum_mode && self.latent != treatments).then(|| {
            format!(
                "sum_mode adds the effects of the network's genes to the latent dimensions, so that there must be as many of both: \
                 latent is {}, and this screen's network has {}; set latent = {treatments}, or sum_mode = false",
                self.latent,
                counted(treatments, "gene"),
            )
        })
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
            ("prediction-samples", self.prediction_samples),
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
        let weights = [
            ("learning-rate", self.learning_rate),
            ("clip-norm", self.clip_norm),
            ("mask-temperature", self.mask_temperature),
            ("effect-prior-scale", self.effect_prior_scale),
        ];
        if let Some((name, _)) = weights.iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            return Some(format!("{name} must be a number above 0"));
        }
        let weights = [
            ("beta", self.beta),
            ("gamma", self.gamma),
            ("lambda", self.lambda),
            ("fold-change", self.fold_change),
            ("weight-decay", self.weight_decay),
            ("averaging", self.averaging),
            ("gene-effects", self.gene_effects),
        ];
        let wrong = weights.iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0));
        wrong.map(|(name, _)| format!("{name} must be a number, 0 or above"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_from_files_and_old_files_mean_what_they_meant() {
        for preset in [Preset::Default, Preset::Adamson, Preset::K562, Preset::Rpe1] {
            let config = GpoVaeConfig::preset(preset);
            let text = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<GpoVaeConfig>(&text).unwrap(), config, "{preset:?}");
            assert_eq!(config.problem(), None);
        }
        // What is not written is as it was before the setting came.
        let old: GpoVaeConfig = serde_json::from_str("{}").unwrap();
        assert_eq!((old.start, old.alignment, old.averaging), (Start::Drawn, Alignment::Cells, 0.0));
        assert_eq!((old.effect_prior_scale, old.mask_temperature, old.gene_effects), (1.0, 1.0, 0.0));
        assert_eq!((old.unseen, old.escaped), (Unseen::Learned, Escaped::Counted));
    }

    #[test]
    fn the_published_presets_differ_from_the_paper_in_nothing() {
        for preset in [Preset::Adamson, Preset::K562, Preset::Rpe1] {
            assert_eq!(GpoVaeConfig::preset(preset).differs_from_paper(), Vec::<String>::new());
        }
        let differences = GpoVaeConfig::default().differs_from_paper().join("; ");
        for part in [
            "α = 0.5",
            "direct part",
            "moments of the counts",
            "averaged over about 5",
            "2 samples",
            "single genes",
            "were seen",
            "escaped",
        ] {
            assert!(differences.contains(part), "{part}: {differences}");
        }
    }
}
