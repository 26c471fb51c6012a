//! A screen in memory, valid by construction.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::labels::Level;
use super::{CellRole, CsrMatrix, Gene, Genes, Perturbation, PerturbationKind, Values, WholeCells};
use crate::jobs::{Cancelled, Progress, Silent};

/// Rows between two looks at the cancel flag.
const ROWS_PER_CHECK: usize = 1024;

/// What the numbers of a matrix are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatrixKind {
    /// Whole non-negative numbers: unique molecules per gene.
    Counts,
    /// Log1p of library-normalised counts.
    LogNormalised,
    /// Centred or scaled values, some negative: no model of counts can use them.
    Scaled,
    /// Effects of perturbations, one row per perturbation, without cells: to look at only.
    Effects,
}

/// One decision taken while opening a file, shown to the user and overridable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What was decided: `matrix`, `perturbation column`, `control`, ….
    pub what: String,
    /// The decision: `layers/counts`.
    pub chosen: String,
    /// Why, in a clause a biologist understands.
    pub reason: String,
    /// What else the file offers.
    pub alternatives: Vec<String>,
}

/// How the file was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportReport {
    /// All decisions in the order taken.
    pub choices: Vec<Choice>,
    /// Every label of the perturbation column that a cell has, and what it was taken for.
    pub levels: Vec<Level>,
    /// Columns of the cells that can serve as labels.
    pub cell_columns: Vec<String>,
    /// Columns of the genes that can serve as names.
    pub gene_columns: Vec<String>,
}

/// Something the user should know; never a reason to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// In plain words, with counts.
    pub message: String,
}

/// A column of categories: one code per cell, none where the cell has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Categories {
    /// Column name in the file.
    pub name: String,
    /// The levels.
    pub levels: Vec<String>,
    /// Per cell, an index into `levels`.
    pub codes: Vec<Option<u32>>,
}

impl Categories {
    /// Those of `cells` that each level has, in the order of the levels; without the levels that none has. Cells without a
    /// value come last, without a name.
    pub fn divide(&self, cells: &[u32]) -> Vec<(Option<&str>, Vec<u32>)> {
        let mut parts: Vec<(Option<&str>, Vec<u32>)> =
            self.levels.iter().map(|level| (Some(level.as_str()), Vec::new())).collect();
        let mut rest = Vec::new();
        for &cell in cells {
            self.codes[cell as usize].map_or(&mut rest, |code| &mut parts[code as usize].1).push(cell);
        }
        parts.push((None, rest));
        parts.retain(|(_, cells)| !cells.is_empty());
        parts
    }
}

/// The parts of a [`Dataset`], unchecked.
#[derive(Clone, Debug)]
pub struct DatasetParts {
    /// Short name, usually the file's stem.
    pub name: String,
    /// The file it came from.
    pub source: Option<PathBuf>,
    /// Cells × genes.
    pub matrix: CsrMatrix,
    /// What the matrix holds.
    pub matrix_kind: MatrixKind,
    /// One per column, symbols unique.
    pub genes: Vec<Gene>,
    /// One name (barcode) per row.
    pub cells: Vec<String>,
    /// The conditions other than control, each once.
    pub perturbations: Vec<Perturbation>,
    /// One per row.
    pub roles: Vec<CellRole>,
    /// How targets are perturbed.
    pub kind: PerturbationKind,
    /// Batch (lane, gem group) of each cell.
    pub batch: Option<Categories>,
    /// Cell type or line of each cell.
    pub cell_type: Option<Categories>,
    /// Guide that each cell got, where the file names it beside its target.
    pub guide: Option<Categories>,
    /// How the file was understood.
    pub import: ImportReport,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// Why parts do not form a data set.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DatasetError {
    /// Two lengths that must agree do not.
    #[error("{what}: found {found}, expected {expected}")]
    Length {
        /// Which array.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length it must have.
        expected: usize,
    },
    /// A symbol occurs twice.
    #[error("gene symbol {symbol} occurs twice")]
    RepeatedGene {
        /// The symbol.
        symbol: String,
    },
    /// A perturbation occurs twice.
    #[error("perturbation {name} occurs twice")]
    RepeatedPerturbation {
        /// Its name.
        name: String,
    },
    /// A cell names a perturbation that does not exist.
    #[error("cell {cell} has perturbation number {index}, but there are only {perturbations}")]
    UnknownPerturbation {
        /// Row.
        cell: usize,
        /// Index found.
        index: u32,
        /// Number of perturbations.
        perturbations: usize,
    },
    /// A value is NaN or infinite.
    #[error("the value of cell {cell} and gene {gene} is not a number")]
    NotFinite {
        /// Row.
        cell: usize,
        /// Gene symbol.
        gene: String,
    },
    /// No cells or no genes.
    #[error("the data set has no {what}")]
    Empty {
        /// `cells` or `genes`.
        what: &'static str,
    },
}

/// A screen: counts, genes, and the role of every cell. Immutable; shared between threads in an `Arc`.
#[derive(Clone, Debug)]
pub struct Dataset {
    parts: DatasetParts,
    genes: Genes,
    hash: String,
    /// Over all genes of the file, where not all are held.
    whole: Option<WholeCells>,
}

impl Dataset {
    /// Check `parts` and hash them.
    pub fn new(parts: DatasetParts) -> Result<Self, DatasetError> {
        Self::checked(parts, &Silent).expect("silence is never cancelled")
    }

    /// As [`Dataset::new`], which takes a second for a hundred million values; the outer error tells that it was cancelled.
    pub fn checked(mut parts: DatasetParts, progress: &dyn Progress) -> Result<Result<Self, DatasetError>, Cancelled> {
        if let Err(error) = check(&parts) {
            return Ok(Err(error));
        }
        if let Values::Real(_) = parts.matrix.values() {
            for cell in 0..parts.matrix.rows() {
                if cell.is_multiple_of(ROWS_PER_CHECK) {
                    progress.check()?;
                }
                if let Some((column, _)) = parts.matrix.row(cell).iter().find(|(_, value)| !value.is_finite()) {
                    let gene = parts.genes[column as usize].symbol.clone();
                    return Ok(Err(DatasetError::NotFinite { cell, gene }));
                }
            }
        }
        parts.matrix.narrow();
        let hash = hash(&parts, progress)?;
        let genes = Genes::new(std::mem::take(&mut parts.genes));
        Ok(Ok(Self { parts, genes, hash, whole: None }))
    }

    /// The same data set, of which not all genes are held: `whole` is what its cells had over all of them, in the order of
    /// the rows.
    ///
    /// # Errors
    /// If there is not one entry per cell.
    pub fn part_of(mut self, whole: WholeCells) -> Result<Self, DatasetError> {
        let expected = self.cell_count();
        let lengths = [whole.total_counts.len(), whole.detected_genes.len()];
        let families = whole.family_counts.iter().map(Vec::len);
        for found in lengths.into_iter().chain(families) {
            if found != expected {
                return Err(DatasetError::Length { what: "sums over all genes", found, expected });
            }
        }
        self.whole = Some(whole);
        Ok(self)
    }

    /// What the cells had over all genes of the file; none if all genes are held.
    pub fn whole_cells(&self) -> Option<&WholeCells> {
        self.whole.as_ref()
    }

    /// Counts of the cell `row` over all genes of the file, also those that are not held. What a cell is normalised by.
    pub fn library_size(&self, row: usize) -> f64 {
        self.whole.as_ref().map_or_else(|| self.parts.matrix.row_sum(row), |whole| whole.total_counts[row])
    }

    /// Short name.
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// The file it came from.
    pub fn source(&self) -> Option<&std::path::Path> {
        self.parts.source.as_deref()
    }

    /// BLAKE3 hash (hex) of the matrix, genes and labels: the same data give the same hash wherever they were stored.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Cells × genes.
    pub fn matrix(&self) -> &CsrMatrix {
        &self.parts.matrix
    }

    /// What the matrix holds.
    pub fn matrix_kind(&self) -> MatrixKind {
        self.parts.matrix_kind
    }

    /// The measured genes.
    pub fn genes(&self) -> &Genes {
        &self.genes
    }

    /// Cell names (barcodes).
    pub fn cells(&self) -> &[String] {
        &self.parts.cells
    }

    /// Number of cells.
    pub fn cell_count(&self) -> usize {
        self.parts.matrix.rows()
    }

    /// Number of genes.
    pub fn gene_count(&self) -> usize {
        self.parts.matrix.columns()
    }

    /// The conditions other than control.
    pub fn perturbations(&self) -> &[Perturbation] {
        &self.parts.perturbations
    }

    /// The role of each cell.
    pub fn roles(&self) -> &[CellRole] {
        &self.parts.roles
    }

    /// How targets are perturbed.
    pub fn kind(&self) -> PerturbationKind {
        self.parts.kind
    }

    /// Batch of each cell.
    pub fn batch(&self) -> Option<&Categories> {
        self.parts.batch.as_ref()
    }

    /// Cell type of each cell.
    pub fn cell_type(&self) -> Option<&Categories> {
        self.parts.cell_type.as_ref()
    }

    /// Guide that each cell got.
    pub fn guide(&self) -> Option<&Categories> {
        self.parts.guide.as_ref()
    }

    /// How the file was understood.
    pub fn import(&self) -> &ImportReport {
        &self.parts.import
    }

    /// The same data, understood as `import` tells.
    pub fn with_import(mut self, import: ImportReport) -> Self {
        self.parts.import = import;
        self
    }

    /// What the user should know.
    pub fn warnings(&self) -> &[Warning] {
        &self.parts.warnings
    }

    /// Rows of the cells whose values are held: all, unless only some genes are; then those that are assigned.
    pub fn held_cells(&self) -> Vec<u32> {
        self.cells_where(|role| self.whole.is_none() || role != CellRole::Unassigned)
    }

    /// Rows of control cells.
    pub fn control_cells(&self) -> Vec<u32> {
        self.cells_where(|role| role == CellRole::Control)
    }

    /// Rows of cells that could not be assigned.
    pub fn unassigned_cells(&self) -> Vec<u32> {
        self.cells_where(|role| role == CellRole::Unassigned)
    }

    /// Rows of the cells of each perturbation, in the order of [`Dataset::perturbations`].
    pub fn cells_by_perturbation(&self) -> Vec<Vec<u32>> {
        let mut cells = vec![Vec::new(); self.parts.perturbations.len()];
        for (row, role) in self.parts.roles.iter().enumerate() {
            if let Some(index) = role.perturbation() {
                cells[index].push(row as u32);
            }
        }
        cells
    }

    fn cells_where(&self, wanted: impl Fn(CellRole) -> bool) -> Vec<u32> {
        let roles = self.parts.roles.iter().enumerate();
        roles.filter(|(_, role)| wanted(**role)).map(|(row, _)| row as u32).collect()
    }
}

/// Whether the parts agree; all but the values.
fn check(parts: &DatasetParts) -> Result<(), DatasetError> {
    let (rows, columns) = (parts.matrix.rows(), parts.matrix.columns());
    if rows == 0 {
        return Err(DatasetError::Empty { what: "cells" });
    }
    if columns == 0 {
        return Err(DatasetError::Empty { what: "genes" });
    }
    for (what, found, expected) in [
        ("genes", parts.genes.len(), columns),
        ("cell names", parts.cells.len(), rows),
        ("cell labels", parts.roles.len(), rows),
        ("batch labels", parts.batch.as_ref().map_or(rows, |batch| batch.codes.len()), rows),
        ("cell types", parts.cell_type.as_ref().map_or(rows, |types| types.codes.len()), rows),
        ("guides", parts.guide.as_ref().map_or(rows, |guides| guides.codes.len()), rows),
    ] {
        if found != expected {
            return Err(DatasetError::Length { what, found, expected });
        }
    }
    let mut seen = std::collections::HashSet::new();
    for gene in &parts.genes {
        if !seen.insert(gene.symbol.as_str()) {
            return Err(DatasetError::RepeatedGene { symbol: gene.symbol.clone() });
        }
    }
    let mut seen = std::collections::HashSet::new();
    for perturbation in &parts.perturbations {
        if !seen.insert(perturbation) {
            return Err(DatasetError::RepeatedPerturbation { name: perturbation.name() });
        }
    }
    let perturbations = parts.perturbations.len();
    for (cell, role) in parts.roles.iter().enumerate() {
        if let CellRole::Perturbed(index) = *role
            && index as usize >= perturbations
        {
            return Err(DatasetError::UnknownPerturbation { cell, index, perturbations });
        }
    }
    Ok(())
}

fn hash(parts: &DatasetParts, progress: &dyn Progress) -> Result<String, Cancelled> {
    let mut hasher = blake3::Hasher::new();
    let matrix = &parts.matrix;
    for number in [matrix.rows(), matrix.columns()] {
        hasher.update(&(number as u64).to_le_bytes());
    }
    let mut buffer = Vec::new();
    for row in 0..matrix.rows() {
        if row.is_multiple_of(ROWS_PER_CHECK) {
            progress.check()?;
        }
        let stored = matrix.row(row);
        buffer.clear();
        buffer.extend_from_slice(&(stored.len() as u64).to_le_bytes());
        for (column, value) in stored.iter() {
            buffer.extend_from_slice(&column.to_le_bytes());
            buffer.extend_from_slice(&value.to_le_bytes());
        }
        hasher.update(&buffer);
    }
    let mut text = |word: &str| {
        hasher.update(&(word.len() as u64).to_le_bytes());
        hasher.update(word.as_bytes());
    };
    for gene in &parts.genes {
        text(&gene.symbol);
    }
    for role in &parts.roles {
        match role {
            CellRole::Control => text("control"),
            CellRole::Unassigned => text("unassigned"),
            CellRole::Perturbed(index) => text(&format!("perturbed {}", parts.perturbations[*index as usize].name())),
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}
