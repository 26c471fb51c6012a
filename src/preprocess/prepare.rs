//! All steps in order: a screen ready for training.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::data::Dataset;
use crate::jobs::{Cancelled, Progress};

/// Settings of the preparation; every rule is optional and visible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrepareConfig {
    /// k: a cell fails quality control beyond median ± k·MAD.
    pub quality_mads: f64,
    /// Perturbations with fewer cells are left out.
    pub minimum_cells: usize,
    /// Keep a perturbed cell only if its target's count is at most the 10th percentile among controls (CausalBench).
    pub require_knock_down: bool,
    /// Add genes that no guide targets but that respond strongly as nodes.
    pub extra_treatments: bool,
    /// Only perturbations whose targets are all measured.
    pub measured_targets_only: bool,
    /// Share of cells never used in training.
    pub test_share: f64,
    /// Share of the remaining cells used to stop early.
    pub validation_share: f64,
    /// Perturbations (names) kept whole from the training.
    pub held_out_perturbations: Vec<String>,
}

impl Default for PrepareConfig {
    fn default() -> Self {
        Self {
            quality_mads: 3.0,
            minimum_cells: 10,
            require_knock_down: false,
            extra_treatments: true,
            measured_targets_only: false,
            test_share: 0.2,
            validation_share: 0.2,
            held_out_perturbations: Vec::new(),
        }
    }
}

/// What a cell is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// For the gradient.
    Training,
    /// For early stopping.
    Validation,
    /// Never in training.
    Test,
}

/// A screen ready for training. Rows are the kept cells; T is the number of treatments, G of genes.
#[derive(Clone, Debug)]
pub struct PreparedScreen {
    /// The screen.
    pub dataset: Arc<Dataset>,
    /// Kept rows of the data set: controls and cells of kept perturbations.
    pub cells: Vec<u32>,
    /// Symbols of the T treatments: perturbed genes sorted, then extra genes sorted.
    pub treatments: Vec<String>,
    /// Column of each treatment among the genes; none where it was not measured.
    pub treatment_columns: Vec<Option<u32>>,
    /// How many of the treatments were perturbed (they come first).
    pub perturbed_treatments: usize,
    /// Treatments (positions) of each kept cell; empty for controls.
    pub dosages: Vec<Vec<u32>>,
    /// Library size (row sum) of each kept cell.
    pub library_sizes: Vec<f32>,
    /// Whether each kept cell fails quality control.
    pub quality_failed: Vec<bool>,
    /// What each kept cell is used for.
    pub splits: Vec<Split>,
    /// |log-expression shift| of the treatments against the matched control cell: kept cells × T, row-major; 0 where the
    /// treatment was not measured.
    pub shifts: Vec<f32>,
    /// Counterfactual partners: dense rows of G counts.
    pub partners: Vec<Vec<f32>>,
    /// Partner of each kept cell, if there is one.
    pub partner_of_cell: Vec<Option<u32>>,
    /// Mean over training cells of log(1 + x), per gene.
    pub log_mean: Vec<f32>,
    /// Standard deviation of the same (n − 1 in the denominator; 0 for a gene without variation).
    pub log_std: Vec<f32>,
    /// What was left out and why, in words with counts.
    pub notes: Vec<String>,
}

/// Why a screen cannot be prepared.
#[derive(Debug, Error)]
pub enum PrepareError {
    /// The user cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The matrix is not counts.
    #[error("the matrix holds {found}, but the model needs raw counts; choose another matrix (a layer or raw/X)")]
    NotCounts {
        /// What it holds.
        found: &'static str,
    },
    /// No control cells.
    #[error("there are no control cells; name the control label")]
    NoControls,
    /// No perturbation with enough cells.
    #[error("no perturbation has at least {minimum} cells")]
    NoPerturbations {
        /// The setting.
        minimum: usize,
    },
    /// A name that is no perturbation.
    #[error("{name} is no perturbation of this screen, so it cannot be held out")]
    UnknownPerturbation {
        /// The name.
        name: String,
    },
}

/// Prepare `dataset` for training: quality flags, choice of perturbations, splits, normalisation, extra treatments,
/// matched controls, counterfactual partners, statistics for standardisation.
pub fn prepare(
    _dataset: &Arc<Dataset>,
    _config: &PrepareConfig,
    _seed: u64,
    _progress: &dyn Progress,
) -> Result<PreparedScreen, PrepareError> {
    unimplemented!()
}
