//! The report of a benchmark: baselines that rank edges, without a model.

use serde::{Deserialize, Serialize};

use super::{Definition, GoldStandard, NetworkTests};

/// What edges were ranked from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkData {
    /// Its file or folder.
    pub file: String,
    /// Content hash, see [`crate::data::Dataset::hash`].
    pub hash: String,
    /// Cells, or rows of a table of effects.
    pub rows: usize,
    /// Whether the rows are cells.
    pub cells: bool,
    /// Number of genes.
    pub genes: usize,
    /// Control cells.
    pub control_cells: usize,
    /// Different perturbations.
    pub perturbations: usize,
    /// What the values are and how they were used, in words.
    pub values: String,
    /// What shifts are against, in words; none where nothing was perturbed.
    pub against: Option<String>,
}

/// A method that ranked edges.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RankedMethod {
    /// Its name.
    pub method: String,
    /// What its score is.
    pub definition: String,
    /// How many pairs it ranked.
    pub edges: usize,
    /// The file with its edges, if one was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// The whole report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkReport {
    /// Version of the layout, that of [`super::FORMAT`].
    pub format: u32,
    /// Version of the program that wrote it.
    pub program_version: String,
    /// The data.
    pub data: BenchmarkData,
    /// Genes between which edges were ranked.
    pub ranked_genes: usize,
    /// How the file of known edges was understood.
    pub truth: Option<String>,
    /// What a reader must know.
    pub notes: Vec<String>,
    /// The methods.
    pub methods: Vec<RankedMethod>,
    /// Against the known edges: over all pairs, and, where not every gene was perturbed, over the perturbed regulators alone.
    pub gold_standards: Vec<GoldStandard>,
    /// Statistical tests of the best edges in the cells; none without control or perturbed cells.
    pub network_tests: Option<NetworkTests>,
    /// What every number is.
    pub definitions: Vec<Definition>,
}
