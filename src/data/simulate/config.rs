//! Settings of a simulated screen.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::data::PerturbationKind;
use crate::jobs::Cancelled;

/// How a regulator's level x acts on its target: ρ(x), scaled so that ρ = 1 at the level of an unperturbed cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "function", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Regulation {
    /// ρ(x) = 2xⁿ / (1 + xⁿ), half of its maximum at the unperturbed level.
    Hill {
        /// n: 1 is gradual, 4 a switch.
        coefficient: f64,
    },
    /// ρ(x) = min(x, 2): proportional until it saturates.
    LinearSaturating,
}

/// A simulated screen. The same settings give the same screen, however many threads draw it.
///
/// Shares lie between 0 and 1; spreads are standard deviations of the natural logarithm unless stated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulateConfig {
    /// Measured genes, regulators and quality genes included.
    pub genes: usize,
    /// Genes perturbed alone, one condition each.
    pub perturbations: usize,
    /// Conditions in which two of the perturbed genes are perturbed together, besides the single ones.
    pub combinations: usize,
    /// Cells, controls and unassigned cells included.
    pub cells: usize,
    /// Seed of every random stream.
    pub seed: u64,

    /// Genes that regulate others; none for a quarter of the genes, or as many as the perturbations need.
    pub regulators: Option<usize>,
    /// Mitochondrial, ribosomal and haemoglobin genes, which nothing regulates; they tell low-quality cells.
    pub quality_genes: usize,
    /// Mean number of targets of a regulator (out-degree).
    pub mean_targets: f64,
    /// γ of the scale-free out-degree distribution k^−γ, above 1: the smaller, the larger the hubs.
    pub degree_exponent: f64,
    /// How much likelier a regulator is to be a target than any other gene.
    pub regulator_preference: f64,
    /// Regulators form a hierarchy; how likely a regulator is to target one above it, relative to one below: 0 for a
    /// network without cycles, 1 for no hierarchy.
    pub feedback: f64,
    /// Share of the edges that repress.
    pub repression_share: f64,
    /// Smallest and largest strength of an edge: by how much (log2) the target's production falls or rises when the
    /// regulator is lost altogether.
    pub strength: [f64; 2],
    /// How a regulator acts on its targets.
    pub regulation: Regulation,

    /// How targets are perturbed.
    pub kind: PerturbationKind,
    /// Mean efficiency of a perturbation: the share of the target's production that is lost (knock-out, knock-down), or
    /// the share of [`SimulateConfig::activation_fold`] that is reached.
    pub efficiency_mean: f64,
    /// Standard deviation of the efficiency from perturbation to perturbation.
    pub efficiency_spread: f64,
    /// Factor on the target's production at full activation.
    pub activation_fold: f64,
    /// Share of perturbed cells in which the perturbation has no effect.
    pub escape_share: f64,
    /// Guides of each target, which differ in how often cells escape them; 1 for no column of guides.
    pub guides: usize,
    /// Single perturbations whose guides do nothing.
    pub ineffective_perturbations: usize,
    /// Share of the single perturbations that hit genes without targets.
    pub bystander_share: f64,

    /// Spread of the genes' levels.
    pub expression_spread: f64,
    /// Spread, from cell to cell, of each gene's production; it passes on to the gene's targets.
    pub cell_variation: f64,
    /// Spread of the state shared by all genes of a cell, which acts on each gene's production with its own weight.
    pub state_variation: f64,
    /// Mean number of counts in a cell of good quality.
    pub library_mean: f64,
    /// Spread of the number of counts.
    pub library_spread: f64,
    /// φ of the counts' variance μ + φμ² (negative binomial); 0 for Poisson.
    pub dispersion: f64,
    /// Share of dying cells: few counts, many of them mitochondrial.
    pub low_quality_share: f64,
    /// Share of droplets with two cells.
    pub doublet_share: f64,
    /// Number of batches.
    pub batches: usize,
    /// Spread of each gene's capture from batch to batch.
    pub batch_effect: f64,
    /// Share of cells with a guide that targets nothing.
    pub control_share: f64,
    /// Share of cells whose guide could not be told.
    pub unassigned_share: f64,
}

impl Default for SimulateConfig {
    fn default() -> Self {
        Self {
            genes: 200,
            perturbations: 40,
            combinations: 0,
            cells: 3000,
            seed: 1,
            regulators: None,
            quality_genes: 12,
            mean_targets: 6.0,
            degree_exponent: 2.5,
            regulator_preference: 2.0,
            feedback: 0.1,
            repression_share: 0.35,
            strength: [0.6, 2.0],
            regulation: Regulation::Hill { coefficient: 2.0 },
            kind: PerturbationKind::KnockOut,
            efficiency_mean: 0.9,
            efficiency_spread: 0.07,
            activation_fold: 4.0,
            escape_share: 0.05,
            guides: 3,
            ineffective_perturbations: 2,
            bystander_share: 0.1,
            expression_spread: 0.8,
            cell_variation: 0.25,
            state_variation: 0.2,
            library_mean: 2500.0,
            library_spread: 0.3,
            dispersion: 0.15,
            low_quality_share: 0.04,
            doublet_share: 0.03,
            batches: 2,
            batch_effect: 0.08,
            control_share: 0.2,
            unassigned_share: 0.03,
        }
    }
}

/// Why a screen cannot be simulated.
#[derive(Debug, Error, PartialEq)]
pub enum SimulateError {
    /// A setting is out of range.
    #[error("{setting} is {found}, but must be {expected}")]
    OutOfRange {
        /// Its name.
        setting: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// The settings ask for more genes than there are.
    #[error("{wanted} {what} do not fit into {genes} genes; raise genes or lower {lower}")]
    TooFewGenes {
        /// How many are wanted.
        wanted: usize,
        /// Of what.
        what: &'static str,
        /// The number of genes.
        genes: usize,
        /// The settings that could be lowered.
        lower: &'static str,
    },
    /// More conditions than cells.
    #[error("{cells} cells are too few: {conditions} conditions leave some without a cell")]
    TooFewCells {
        /// The setting.
        cells: usize,
        /// Conditions, the control included.
        conditions: usize,
    },
    /// The user cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl SimulateConfig {
    /// A screen that is drawn in an instant: 40 genes, 8 perturbations, 400 cells. For tests and trials.
    pub fn small() -> Self {
        Self {
            genes: 40,
            perturbations: 8,
            cells: 400,
            quality_genes: 6,
            mean_targets: 4.0,
            ineffective_perturbations: 1,
            ..Self::default()
        }
    }

    /// Whether the settings make sense together.
    pub fn check(&self) -> Result<(), SimulateError> {
        let share = "between 0 and 1";
        for (setting, found) in [
            ("feedback", self.feedback),
            ("repression_share", self.repression_share),
            ("efficiency_mean", self.efficiency_mean),
            ("escape_share", self.escape_share),
            ("bystander_share", self.bystander_share),
            ("low_quality_share", self.low_quality_share),
            ("doublet_share", self.doublet_share),
            ("control_share", self.control_share),
            ("unassigned_share", self.unassigned_share),
        ] {
            require((0.0..=1.0).contains(&found), setting, found, share)?;
        }
        let spread = "between 0 and 3";
        for (setting, found) in [
            ("efficiency_spread", self.efficiency_spread),
            ("expression_spread", self.expression_spread),
            ("cell_variation", self.cell_variation),
            ("state_variation", self.state_variation),
            ("library_spread", self.library_spread),
            ("batch_effect", self.batch_effect),
        ] {
            require((0.0..=3.0).contains(&found), setting, found, spread)?;
        }
        let [weakest, strongest] = self.strength;
        let ordered = weakest > 0.0 && weakest <= strongest && strongest <= 10.0;
        require(ordered, "strength", format!("{weakest} to {strongest}"), "a rising range within 0 to 10")?;
        require((0.1..=1e4).contains(&self.mean_targets), "mean_targets", self.mean_targets, "between 0.1 and 10,000")?;
        require((1.05..=10.0).contains(&self.degree_exponent), "degree_exponent", self.degree_exponent, "1.05 to 10")?;
        let preference = self.regulator_preference;
        require((0.0..=1e3).contains(&preference), "regulator_preference", preference, "between 0 and 1,000")?;
        if let Regulation::Hill { coefficient } = self.regulation {
            require((0.5..=8.0).contains(&coefficient), "regulation.coefficient", coefficient, "between 0.5 and 8")?;
        }
        let fold = self.activation_fold;
        require((1.0..=1e3).contains(&fold), "activation_fold", fold, "between 1 and 1,000")?;
        require((1.0..=1e7).contains(&self.library_mean), "library_mean", self.library_mean, "1 to 10 million")?;
        require((0.0..=100.0).contains(&self.dispersion), "dispersion", self.dispersion, "between 0 and 100")?;
        for (setting, found, least, most) in [
            ("genes", self.genes, 2, 1_000_000),
            ("perturbations", self.perturbations, 1, 1_000_000),
            ("cells", self.cells, 1, 100_000_000),
            ("batches", self.batches, 1, 10_000),
            ("guides", self.guides, 1, 100),
            ("ineffective_perturbations", self.ineffective_perturbations, 0, self.perturbations),
            ("combinations", self.combinations, 0, self.perturbations * self.perturbations.saturating_sub(1) / 2),
        ] {
            require((least..=most).contains(&found), setting, found, format!("between {least} and {most}"))?;
        }
        let roles = self.control_share + self.unassigned_share;
        require(roles < 1.0, "control_share + unassigned_share", roles, "below 1")?;

        let too_few = |wanted, what, lower| {
            if wanted <= self.genes {
                return Ok(());
            }
            Err(SimulateError::TooFewGenes { wanted, what, genes: self.genes, lower })
        };
        let (regulators, bystanders) = (self.regulator_count(), self.bystanders());
        too_few(self.perturbations + self.quality_genes, "perturbed and quality genes", "perturbations")?;
        let others = regulators + bystanders + self.quality_genes;
        too_few(others, "regulators, perturbed bystanders and quality genes", "regulators or bystander_share")?;
        let perturbed = self.perturbations - bystanders;
        let enough = format!("at least {perturbed} (perturbations less bystanders)");
        require(regulators >= perturbed.max(1), "regulators", regulators, enough)?;
        let conditions = self.perturbations + self.combinations;
        if self.perturbed_cells() < conditions || self.control_cells() == 0 {
            return Err(SimulateError::TooFewCells { cells: self.cells, conditions: conditions + 1 });
        }
        Ok(())
    }

    /// Number of regulators, chosen if it is not set.
    pub fn regulator_count(&self) -> usize {
        let room = self.genes.saturating_sub(self.quality_genes + self.bystanders());
        let wanted = (self.genes / 4).max((self.perturbations - self.bystanders()) * 5 / 4).max(1);
        self.regulators.unwrap_or(wanted.min(room))
    }

    /// Perturbed genes that regulate nothing.
    pub(super) fn bystanders(&self) -> usize {
        (self.perturbations as f64 * self.bystander_share).round() as usize
    }

    pub(super) fn unassigned_cells(&self) -> usize {
        (self.cells as f64 * self.unassigned_share).round() as usize
    }

    pub(super) fn control_cells(&self) -> usize {
        (self.cells as f64 * self.control_share).round() as usize
    }

    pub(super) fn perturbed_cells(&self) -> usize {
        self.cells.saturating_sub(self.control_cells() + self.unassigned_cells())
    }
}

fn require(
    holds: bool,
    setting: &'static str,
    found: impl std::fmt::Display,
    expected: impl Into<String>,
) -> Result<(), SimulateError> {
    if holds {
        return Ok(());
    }
    Err(SimulateError::OutOfRange { setting, found: found.to_string(), expected: expected.into() })
}
