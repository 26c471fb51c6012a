//! What the user decides about a file instead of the rules.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{KeptGenes, MatrixKind, PerturbationKind};

/// What the rows of a table or of a matrix market file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// One row per cell.
    CellsInRows,
    /// One row per gene.
    GenesInRows,
}

/// Decisions that override the rules by which a file is understood. The default overrides nothing.
///
/// A small file of these (TOML or JSON) makes a script open a screen as the window did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportOptions {
    /// Column of `obs` with the perturbation of each cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perturbation_column: Option<String>,
    /// Labels of control cells, exactly as in the column; when given, no other label is a control.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub control_labels: Vec<String>,
    /// Labels of unassigned cells, exactly as in the column, besides those that always mean it (`nan`, empty, …).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unassigned_labels: Vec<String>,
    /// What joins the genes of a combination in a label, such as `+`; `none` if no label is a combination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combination_separator: Option<String>,
    /// The matrix to use: `X`, `raw/X` or `layers/NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matrix: Option<String>,
    /// What the matrix holds, where its values mislead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matrix_kind: Option<MatrixKind>,
    /// Column of `var` with the gene symbols; `index` for the row names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gene_column: Option<String>,
    /// Column of `obs` with the batch; `none` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_column: Option<String>,
    /// Column of `obs` with the cell type; `none` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell_type_column: Option<String>,
    /// Column of `obs` with the guide that each cell got; `none` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guide_column: Option<String>,
    /// How many genes are held in memory; none for all that fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genes: Option<KeptGenes>,
    /// How targets are perturbed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<PerturbationKind>,
    /// A table with labels of the cells (CSV or TSV, one row per cell, the cell's name in a column), beside the columns that the file itself
    /// has; `none` for none, also where one lies beside the file. A relative path is looked up beside the data first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels_file: Option<PathBuf>,
    /// What the rows of a table are, where names and sizes leave it open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orientation: Option<Orientation>,
    /// Molecules of a captured guide from which on a cell counts as having it (10x files with guide capture; 5 unless given).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guide_threshold: Option<u32>,
}

impl ImportOptions {
    /// What is decided here, and what is left open here as `base` decides it.
    pub fn over(self, base: Self) -> Self {
        let list = |own: Vec<String>, base| if own.is_empty() { base } else { own };
        Self {
            perturbation_column: self.perturbation_column.or(base.perturbation_column),
            control_labels: list(self.control_labels, base.control_labels),
            unassigned_labels: list(self.unassigned_labels, base.unassigned_labels),
            combination_separator: self.combination_separator.or(base.combination_separator),
            matrix: self.matrix.or(base.matrix),
            matrix_kind: self.matrix_kind.or(base.matrix_kind),
            gene_column: self.gene_column.or(base.gene_column),
            batch_column: self.batch_column.or(base.batch_column),
            cell_type_column: self.cell_type_column.or(base.cell_type_column),
            guide_column: self.guide_column.or(base.guide_column),
            genes: self.genes.or(base.genes),
            kind: self.kind.or(base.kind),
            labels_file: self.labels_file.or(base.labels_file),
            orientation: self.orientation.or(base.orientation),
            guide_threshold: self.guide_threshold.or(base.guide_threshold),
        }
    }
}
