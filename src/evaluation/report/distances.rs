//! How far the cells of each perturbation are from control cells, and from those that a model generates.

use serde::{Deserialize, Serialize};

/// Two groups of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratedDistance {
    /// Generated cells.
    pub cells: usize,
    /// Between generated and observed cells.
    pub e_distance: f64,
    /// The same.
    pub mmd: Option<f64>,
}

/// One perturbation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DistanceRow {
    /// Its name.
    pub perturbation: String,
    /// Observed cells.
    pub cells: usize,
    /// Between observed and control cells.
    pub e_distance: f64,
    /// The same, at most [`Distances::most_kernel_cells`] of each.
    pub mmd: Option<f64>,
    /// That the E-distance is chance.
    pub permutation_p_value: f64,
    /// Benjamini–Hochberg over the perturbations.
    pub adjusted_p_value: f64,
    /// Observed against generated cells; none where no cells were generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<GeneratedDistance>,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Distances {
    /// Principal components that distances are in.
    pub components: usize,
    /// Genes that they are of.
    pub genes: usize,
    /// Control cells.
    pub control_cells: usize,
    /// Shuffles behind the p values.
    pub permutations: usize,
    /// Bandwidth of the kernel of the maximum mean discrepancy: the median distance between control cells.
    pub bandwidth: Option<f64>,
    /// Cells of a group whose kernel is computed at most; of more, a random part.
    pub most_kernel_cells: usize,
    /// One per perturbation with two or more cells.
    pub rows: Vec<DistanceRow>,
}
