//! What a model file says about itself.

use serde::{Deserialize, Serialize};

use super::gpo_vae::GpoVaeConfig;
use super::{PriorNetwork, PriorNetworkUse};
use crate::data::PerturbationKind;
use crate::preprocess::PrepareConfig;

/// Which model it is; more kinds will come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// GPO-VAE (Baek et al. 2025).
    #[default]
    GpoVae,
}

/// Everything that decides a training run besides the data: same settings, same data, same machine, same bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Seed of every random stream.
    pub seed: u64,
    /// Which member of an ensemble, from 1: its own draws, and training cells drawn with replacement within every
    /// perturbation. The split into training and test cells is that of the seed, the same for all members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<u32>,
    /// Train an ensemble of so many members, at least 2; none for a single model, or a single member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<u32>,
    /// How cells and genes are prepared.
    pub prepare: PrepareConfig,
    /// The model and its optimiser.
    pub model: GpoVaeConfig,
    /// A network known beforehand, from which the mask starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior_network: Option<PriorNetwork>,
}

impl TrainConfig {
    /// Where these settings differ from every published preset in a way that changes the result, in words.
    pub fn differs_from_paper(&self) -> Vec<String> {
        let mut differences = self.model.differs_from_paper();
        if let Some(network) = &self.prior_network {
            let prior = if network.as_prior { ", which is also its prior" } else { "" };
            differences.push(format!(
                "the mask starts from the network {}{prior}; the published presets start from none",
                network.name()
            ));
        }
        differences
    }
}

/// The data set a model was trained on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetReference {
    /// Its name.
    pub name: String,
    /// Its content hash, see [`crate::data::Dataset::hash`].
    pub hash: String,
    /// Number of cells.
    pub cells: u32,
    /// Number of genes.
    pub genes: u32,
    /// Genes of the file, where it has more than were held in memory; else 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub genes_of_file: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A node of the network: a perturbed gene, or one that responds strongly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Treatment {
    /// Its symbol.
    pub symbol: String,
    /// Its column among the genes; none if it was not measured.
    pub column: Option<u32>,
    /// Cells in which it was perturbed, alone or in a combination; 0 for an extra gene.
    pub perturbed_cells: u32,
    /// Its own measured shift (log2) when perturbed alone.
    pub knock_down: Option<f32>,
    /// Share of the training cells perturbed in it alone that responded; the others escaped. None where that was not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responding: Option<f32>,
}

/// A perturbation the model was shown, or that was held out from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainedPerturbation {
    /// Genes perturbed together, sorted.
    pub targets: Vec<String>,
    /// Cells used for the gradient.
    pub training_cells: u32,
    /// Cells used to stop early.
    pub validation_cells: u32,
    /// Cells never used in training.
    pub test_cells: u32,
    /// The whole perturbation was kept from the training.
    pub held_out: bool,
}

impl TrainedPerturbation {
    /// `STAT1`, or `JAK2+STAT1`.
    pub fn name(&self) -> String {
        self.targets.join("+")
    }

    /// Whether training cells taught it.
    pub fn was_seen(&self) -> bool {
        !self.held_out && self.training_cells > 0
    }
}

/// The loss and its terms, each as it enters the sum that is minimised (paper: −ELBO, β·KL, γ·GRN, λ·sparsity).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LossTerms {
    /// What is minimised.
    pub total: f64,
    /// Negative log-likelihood of the counts.
    pub reconstruction: f64,
    /// Basal state z against its prior.
    pub basal: f64,
    /// Perturbation effects E against their prior.
    pub effect: f64,
    /// Mask M against its prior.
    pub mask: f64,
    /// Artifact effect U against its prior.
    pub artifact: f64,
    /// Counterfactual term.
    pub counterfactual: f64,
    /// Alignment of the network with the shifts.
    pub grn: f64,
    /// Sparsity of the network.
    pub sparsity: f64,
}

impl LossTerms {
    /// Name and value of every term, the total first.
    pub fn named(&self) -> [(&'static str, f64); 9] {
        [
            ("Total", self.total),
            ("Reconstruction", self.reconstruction),
            ("Basal state", self.basal),
            ("Effects", self.effect),
            ("Mask", self.mask),
            ("Artifact", self.artifact),
            ("Counterfactual", self.counterfactual),
            ("Network alignment", self.grn),
            ("Sparsity", self.sparsity),
        ]
    }
}

/// One epoch of training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// From 1.
    pub epoch: u32,
    /// Mean over the training batches.
    pub training: LossTerms,
    /// Mean over the validation batches.
    pub validation: LossTerms,
    /// Wall-clock seconds; not kept in the file, so that the same seed gives the same bytes.
    #[serde(skip)]
    pub seconds: f32,
    /// Training cells per second; not kept in the file.
    #[serde(skip)]
    pub cells_per_second: f32,
}

/// How one member of an ensemble was trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MemberRun {
    /// Its number, see [`TrainConfig::member`].
    pub member: u32,
    /// Losses by epoch.
    pub history: Vec<EpochMetrics>,
    /// The epoch whose parameters were kept.
    pub best_epoch: u32,
    /// Why its training ended.
    pub ended: String,
}

/// What a model file says about itself: enough to show it without the data set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Version of this card's layout.
    pub format: u32,
    /// Which model.
    pub kind: ModelKind,
    /// Version of the program that trained it.
    pub program_version: String,
    /// What it was trained on.
    pub dataset: DatasetReference,
    /// How targets were perturbed.
    pub perturbation_kind: PerturbationKind,
    /// Measured genes in column order.
    pub genes: Vec<String>,
    /// Nodes of the network.
    pub treatments: Vec<Treatment>,
    /// Conditions with their numbers of cells.
    pub perturbations: Vec<TrainedPerturbation>,
    /// Control cells in training, validation and test.
    pub control_cells: [u32; 3],
    /// All settings.
    pub settings: TrainConfig,
    /// What was taken from a network known beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_network: Option<PriorNetworkUse>,
    /// Where the settings differ from the paper, in words; empty for the preset "as published".
    pub differs_from_paper: Vec<String>,
    /// One entry per epoch; of an ensemble those of its first member.
    pub history: Vec<EpochMetrics>,
    /// The epoch whose parameters were kept; of an ensemble that of its first member.
    pub best_epoch: u32,
    /// Why training ended, in words.
    pub ended: String,
    /// The members of an ensemble, by number; empty for a single model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberRun>,
}
