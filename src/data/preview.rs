//! What a file would be read as, told from its labels and names alone: the matrix is only sampled.

use std::collections::BTreeSet;

use serde::Serialize;

use super::labels::{Level, LevelUse};
use super::{CellRole, Choice, Dataset, Genes, ImportReport, Perturbation, PerturbationKind};

/// A file as it would be read with certain choices.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preview {
    /// Number of cells.
    pub cells: usize,
    /// Number of genes.
    pub genes: usize,
    /// The first few gene names.
    pub gene_examples: Vec<String>,
    /// All decisions, in the order taken.
    pub choices: Vec<Choice>,
    /// What the user should know, in plain words.
    pub warnings: Vec<String>,
    /// Every label of the perturbation column that a cell has, and what it is taken for.
    pub levels: Vec<Level>,
    /// Cells that are controls.
    pub control_cells: usize,
    /// Cells without an assignment.
    pub unassigned_cells: usize,
    /// The perturbations, those with most cells first.
    pub perturbations: Vec<PreviewPerturbation>,
    /// Perturbed genes.
    pub targets: usize,
    /// How many of them are among the measured genes.
    pub measured_targets: usize,
    /// How targets are perturbed.
    pub kind: PerturbationKind,
    /// Columns of the cells that can serve as labels.
    pub cell_columns: Vec<String>,
    /// Columns of the genes that can serve as names.
    pub gene_columns: Vec<String>,
}

/// One perturbation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreviewPerturbation {
    /// Its name.
    pub name: String,
    /// Cells that have it.
    pub cells: usize,
    /// Number of genes perturbed together.
    pub targets: usize,
    /// Whether all of them are among the measured genes.
    pub measured: bool,
}

/// Gene names shown as examples.
const EXAMPLES: usize = 8;

impl Preview {
    /// Of a screen that was read.
    pub fn of_dataset(dataset: &Dataset) -> Self {
        let warnings = dataset.warnings().iter().map(|warning| warning.message.clone()).collect();
        let import = dataset.import().clone();
        Self::of(dataset.genes(), dataset.perturbations(), dataset.roles(), dataset.kind(), import, warnings)
    }

    /// From what was read of labels and names.
    pub(super) fn of(
        genes: &Genes,
        perturbations: &[Perturbation],
        roles: &[CellRole],
        kind: PerturbationKind,
        import: ImportReport,
        warnings: Vec<String>,
    ) -> Self {
        let mut cells = vec![0usize; perturbations.len()];
        let (mut control_cells, mut unassigned_cells) = (0, 0);
        for role in roles {
            match role {
                CellRole::Control => control_cells += 1,
                CellRole::Unassigned => unassigned_cells += 1,
                CellRole::Perturbed(index) => cells[*index as usize] += 1,
            }
        }
        let is_measured = |target: &String| genes.column(target).is_some();
        let targets: BTreeSet<&String> = perturbations.iter().flat_map(|perturbation| perturbation.targets()).collect();
        let measured_targets = targets.iter().filter(|target| is_measured(target)).count();
        let mut listed: Vec<PreviewPerturbation> = perturbations
            .iter()
            .zip(cells)
            .map(|(perturbation, cells)| PreviewPerturbation {
                name: perturbation.name(),
                cells,
                targets: perturbation.targets().len(),
                measured: perturbation.targets().iter().all(is_measured),
            })
            .collect();
        listed.sort_by(|a, b| b.cells.cmp(&a.cells).then_with(|| a.name.cmp(&b.name)));
        let ImportReport { choices, levels, cell_columns, gene_columns } = import;
        Self {
            cells: roles.len(),
            genes: genes.len(),
            gene_examples: genes.iter().take(EXAMPLES).map(|gene| gene.symbol.clone()).collect(),
            choices,
            warnings,
            levels,
            control_cells,
            unassigned_cells,
            targets: targets.len(),
            measured_targets,
            perturbations: listed,
            kind,
            cell_columns,
            gene_columns,
        }
    }

    /// The labels taken for controls.
    pub fn control_labels(&self) -> Vec<String> {
        let controls = self.levels.iter().filter(|level| level.taken_for == LevelUse::Control);
        controls.map(|level| level.label.clone()).collect()
    }

    /// Number of perturbations of several genes.
    pub fn combinations(&self) -> usize {
        self.perturbations.iter().filter(|perturbation| perturbation.targets > 1).count()
    }
}
