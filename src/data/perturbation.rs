//! What was done to each cell.

use serde::{Deserialize, Serialize};

/// How the screen perturbs its targets; it decides the sign that a measured shift gives to an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PerturbationKind {
    /// The gene is cut (CRISPR nuclease): no functional product.
    #[default]
    KnockOut,
    /// The gene is repressed (CRISPR interference, RNA interference).
    KnockDown,
    /// The gene is activated (CRISPR activation, over-expression).
    Activation,
}

impl PerturbationKind {
    /// −1 where the target loses activity, +1 where it gains.
    pub fn direction(self) -> f32 {
        match self {
            Self::KnockOut | Self::KnockDown => -1.0,
            Self::Activation => 1.0,
        }
    }

    /// In words, for people: `knock-out`.
    pub fn label(self) -> &'static str {
        match self {
            Self::KnockOut => "knock-out",
            Self::KnockDown => "knock-down",
            Self::Activation => "activation",
        }
    }
}

/// One condition of the screen: the gene or genes perturbed together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Perturbation {
    targets: Vec<String>,
}

impl Perturbation {
    /// The perturbation of `targets` (symbols); their order and repetitions do not matter.
    pub fn of<S: Into<String>>(targets: impl IntoIterator<Item = S>) -> Self {
        let mut targets: Vec<String> = targets.into_iter().map(Into::into).collect();
        targets.sort();
        targets.dedup();
        Self { targets }
    }

    /// The perturbed genes, sorted.
    pub fn targets(&self) -> &[String] {
        &self.targets
    }

    /// `STAT1`, or `JAK2+STAT1` for a combination.
    pub fn name(&self) -> String {
        self.targets.join("+")
    }
}

/// What a cell is in the experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CellRole {
    /// Got a guide that targets nothing.
    Control,
    /// Got the perturbation with this index in `Dataset::perturbations`.
    Perturbed(u32),
    /// No guide could be assigned: never taken for a control.
    Unassigned,
}

impl CellRole {
    /// The perturbation's index, if the cell has one.
    pub fn perturbation(self) -> Option<usize> {
        match self {
            Self::Perturbed(index) => Some(index as usize),
            Self::Control | Self::Unassigned => None,
        }
    }
}
