//! The one path from frames and a matrix to a data set.

use std::path::PathBuf;

use super::choose::{choose_batch, choose_cell_type, choose_guide, choose_perturbations, control_flags, kind_columns};
use super::evidence::{Evidence, kind_label};
use super::genes::{ReadGenes, read_genes};
use super::{Frame, ImportError};
use crate::data::labels::{LabelStyle, Labels, assign, guess_kind};
use crate::data::preview::Preview;
use crate::data::{
    Categories, CellRole, Choice, CsrMatrix, Dataset, DatasetParts, Genes, ImportOptions, ImportReport, MatrixKind,
    PerturbationKind, Warning,
};
use crate::jobs::{Cancelled, Progress};
use crate::words::counted;

/// What this program noted in a file that it wrote, so that it reads back exactly what it wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) struct Notes {
    /// Column with the labels, as this program writes them.
    pub(in crate::data) column: &'static str,
    pub(in crate::data) matrix_kind: MatrixKind,
    pub(in crate::data) kind: PerturbationKind,
}

/// Where a data set comes from, and what its format told.
#[derive(Clone, Debug, Default)]
pub(in crate::data) struct Source {
    /// Name of the data set.
    pub(in crate::data) name: String,
    pub(in crate::data) path: PathBuf,
    /// What the values are, and why, where the format tells.
    pub(in crate::data) kind: Option<(MatrixKind, String)>,
    /// Choices about the matrix and the format: shown first.
    pub(in crate::data) choices: Vec<Choice>,
    pub(in crate::data) warnings: Vec<Warning>,
}

/// A matrix that was read, cells × genes.
#[derive(Debug)]
pub(in crate::data) struct ReadMatrix {
    pub(in crate::data) matrix: CsrMatrix,
    pub(in crate::data) evidence: Evidence,
    /// Values that shared cell and gene with another and were added to it.
    pub(in crate::data) added_up: usize,
}

/// Genes and labels, understood; only the matrix is missing.
#[derive(Debug)]
pub(in crate::data) struct Understood {
    genes: Genes,
    cells: Vec<String>,
    labels: Labels,
    kind: PerturbationKind,
    batch: Option<Categories>,
    cell_type: Option<Categories>,
    guide: Option<Categories>,
    notes: Option<Notes>,
    choices: Vec<Choice>,
    warnings: Vec<Warning>,
    /// Whether only some genes are held, and of cells without an assignment nothing.
    is_part: bool,
    /// Columns with words: of the cells, of the genes.
    columns: [Vec<String>; 2],
}

/// Name the genes of `var` and read the labels of `obs`. The column `sure`, if any, holds perturbations for certain: it is taken where no
/// other looks so.
pub(in crate::data) fn understand<E, O, V>(
    obs: &O,
    var: &V,
    notes: Option<Notes>,
    sure: Option<&str>,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Understood, E>
where
    E: From<ImportError> + From<Cancelled>,
    O: Frame<Error: Into<E>>,
    V: Frame<Error: Into<E>>,
{
    progress.stage("Reading genes and labels", None);
    let ReadGenes { genes, choice, mut warnings } =
        read_genes(var, options.gene_column.as_deref()).map_err(Into::into)?;
    let mut choices = vec![choice];
    let genes = Genes::new(genes);
    let cells = obs.row_names().map_err(Into::into)?;
    progress.check()?;
    let screen = read_screen(obs, &genes, notes, sure, options).map_err(Into::into)?;
    progress.check()?;
    choices.extend(screen.choices);
    warnings.extend(screen.warnings);
    let taken = screen.column.as_str();
    let (batch, batch_choice) = choose_batch(obs, taken, options.batch_column.as_deref()).map_err(Into::into)?;
    let (cell_type, cell_type_choice) =
        choose_cell_type(obs, taken, options.cell_type_column.as_deref()).map_err(Into::into)?;
    let (guide, guide_choice) =
        choose_guide(obs, taken, &screen.labels, options.guide_column.as_deref()).map_err(Into::into)?;
    choices.extend(batch_choice);
    choices.extend(cell_type_choice);
    choices.extend(guide_choice);
    let (labels, kind) = (screen.labels, screen.kind);
    let columns = [columns_of_words(obs), columns_of_words(var)];
    let is_part = false;
    Ok(Understood { genes, cells, labels, kind, batch, cell_type, guide, notes, choices, warnings, is_part, columns })
}

fn columns_of_words<F: Frame>(frame: &F) -> Vec<String> {
    frame.columns().iter().filter(|name| frame.has_words(name)).cloned().collect()
}

impl Understood {
    pub(in crate::data) fn genes(&self) -> &Genes {
        &self.genes
    }

    pub(in crate::data) fn cells(&self) -> &[String] {
        &self.cells
    }

    /// Per cell whether it is a control or perturbed.
    pub(in crate::data) fn assigned(&self) -> Vec<bool> {
        self.labels.roles.iter().map(|role| *role != CellRole::Unassigned).collect()
    }

    /// Columns of the perturbed genes that were measured.
    pub(in crate::data) fn targets(&self) -> Vec<u32> {
        let targets = self.labels.perturbations.iter().flat_map(|perturbation| perturbation.targets());
        let mut columns: Vec<u32> =
            targets.filter_map(|target| self.genes.column(target)).map(|column| column as u32).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Go on with the genes in `columns` only.
    pub(in crate::data) fn keep_genes(&mut self, columns: &[u32]) {
        self.is_part = true;
        self.genes = Genes::new(columns.iter().map(|&column| self.genes.get(column as usize).clone()).collect());
    }

    /// What `finish` would make of this, as far as it can be told without the matrix.
    pub(in crate::data) fn preview(self, source: Source) -> Preview {
        let choices = source.choices.into_iter().chain(self.choices).collect();
        let warnings = source.warnings.into_iter().chain(self.warnings).map(|warning| warning.message).collect();
        let [cell_columns, gene_columns] = self.columns;
        let Labels { perturbations, roles, levels, .. } = self.labels;
        let import = ImportReport { choices, levels, cell_columns, gene_columns };
        Preview::of(&self.genes, &perturbations, &roles, self.kind, import, warnings)
    }

    /// Nothing is compared with control cells: that there are none is no news.
    pub(in crate::data) fn need_no_control(&mut self) {
        if !self.labels.roles.contains(&CellRole::Control) {
            self.choices.retain(|choice| choice.what != "control");
            self.warnings.retain(|warning| !warning.message.contains("means control"));
        }
    }

    /// Decide what the values are, and put everything together.
    pub(in crate::data) fn finish<E>(
        self,
        read: ReadMatrix,
        source: Source,
        options: &ImportOptions,
        progress: &dyn Progress,
    ) -> Result<Dataset, E>
    where
        E: From<ImportError> + From<Cancelled>,
    {
        progress.stage("Checking the values", None);
        progress.check()?;
        let ReadMatrix { mut matrix, evidence, added_up } = read;
        let Source { name, path, kind: told, mut choices, mut warnings } = source;
        // Somebody may have normalised our counts since.
        let noted = self.notes.map(|notes| notes.matrix_kind);
        let noted = noted.filter(|kind| *kind != MatrixKind::Counts || evidence.kind() == MatrixKind::Counts);
        let found = noted.or(told.as_ref().map(|(kind, _)| *kind)).unwrap_or_else(|| evidence.kind());
        let matrix_kind = options.matrix_kind.unwrap_or(found);
        let reason = match (options.matrix_kind, noted, told) {
            (Some(_), ..) => format!("named by you; {}", evidence.reason("all")),
            (None, Some(_), _) => "noted in the file by this program".to_owned(),
            (None, None, Some((_, why))) => why,
            (None, None, None) => evidence.reason("all"),
        };
        choices.push(Choice {
            what: "values".to_owned(),
            chosen: kind_label(matrix_kind).to_owned(),
            reason,
            alternatives: [MatrixKind::Counts, MatrixKind::LogNormalised, MatrixKind::Scaled]
                .into_iter()
                .filter(|kind| *kind != matrix_kind)
                .map(|kind| kind_label(kind).to_owned())
                .collect(),
        });
        match matrix_kind {
            MatrixKind::Counts => matrix = whole(matrix)?,
            MatrixKind::LogNormalised => warnings.push(Warning {
                message:
                    "the file has no counts, only log-normalised values: it can be looked at, but not be trained on"
                        .to_owned(),
            }),
            MatrixKind::Scaled => warnings.push(Warning {
                message: "the file has neither counts nor log-normalised values: no model can use it".to_owned(),
            }),
            MatrixKind::Effects => warnings.push(Warning {
                message:
                    "the file has effects of perturbations, not cells: they can be looked at, but no model can be \
                          trained on them"
                        .to_owned(),
            }),
        }
        if added_up > 0 {
            let message = format!("{} stored twice for one cell and gene were added up", counted(added_up, "value"));
            warnings.push(Warning { message });
        }
        let empty = (0..matrix.rows()).filter(|&row| matrix.row(row).is_empty()).count();
        let empty = if self.is_part { 0 } else { empty };
        if empty > 0 && matrix_kind != MatrixKind::Effects {
            warnings.push(Warning { message: format!("{} without any value", counted(empty, "cell")) });
        }
        choices.extend(self.choices);
        warnings.extend(self.warnings);
        let [cell_columns, gene_columns] = self.columns;
        progress.check()?;
        let parts = DatasetParts {
            name,
            source: Some(path),
            matrix,
            matrix_kind,
            genes: self.genes.iter().cloned().collect(),
            cells: self.cells,
            perturbations: self.labels.perturbations,
            roles: self.labels.roles,
            kind: self.kind,
            batch: self.batch,
            cell_type: self.cell_type,
            guide: self.guide,
            import: ImportReport { choices, levels: self.labels.levels, cell_columns, gene_columns },
            warnings,
        };
        Ok(Dataset::checked(parts, progress)?.map_err(ImportError::from)?)
    }
}

struct Screen {
    /// Name of the perturbation column; empty if there is none.
    column: String,
    labels: Labels,
    kind: PerturbationKind,
    choices: Vec<Choice>,
    warnings: Vec<Warning>,
}

fn read_screen<F: Frame>(
    obs: &F,
    genes: &Genes,
    notes: Option<Notes>,
    sure: Option<&str>,
    options: &ImportOptions,
) -> Result<Screen, F::Error> {
    let mut options = options.clone();
    let mut style = LabelStyle::Published;
    if let Some(notes) = notes
        && options.perturbation_column.is_none()
        && obs.label_columns() == 0
    {
        options.perturbation_column = Some(notes.column.to_owned());
        style = LabelStyle::AsWritten;
    }
    let mut chosen = choose_perturbations(obs, genes, sure, &options)?;
    if style == LabelStyle::AsWritten {
        chosen.choice.reason = "written by this program".to_owned();
    }
    let mut choices = vec![chosen.choice];
    let mut warnings = Vec::new();
    let (column, mut labels) = match chosen.column {
        Some(column) => {
            // Flags of the file say nothing of the labels that somebody puts beside it.
            let from_labels = |name: &String| obs.columns()[..obs.label_columns()].contains(name);
            let flags = if style == LabelStyle::AsWritten { None } else { control_flags(obs)? };
            let flags = flags.filter(|flags| from_labels(&flags.column) == from_labels(&column.name));
            let labels = assign(&column, flags.as_ref(), genes, style, &options).map_err(ImportError::from)?;
            (column.name, labels)
        }
        None => {
            let message = "no column with perturbations was found, so no cell is assigned: name the column";
            warnings.push(Warning { message: message.to_owned() });
            let roles = vec![CellRole::Unassigned; obs.length()];
            (String::new(), Labels { roles, ..Labels::default() })
        }
    };
    choices.append(&mut labels.choices);
    warnings.append(&mut labels.warnings);
    let (mut kind, mut choice, warning) = guess_kind(&kind_columns(obs)?, &labels.roles);
    if let Some(decided) = options.kind.or(notes.map(|notes| notes.kind)) {
        choice.alternatives.push(kind.label().to_owned());
        choice.alternatives.retain(|other| other != decided.label());
        choice.alternatives.dedup();
        choice.chosen = decided.label().to_owned();
        let by_user = options.kind.is_some();
        choice.reason = if by_user { "named by you" } else { "noted in the file by this program" }.to_owned();
        kind = decided;
    } else {
        warnings.extend(warning);
    }
    choices.push(choice);
    Ok(Screen { column, labels, kind, choices, warnings })
}

/// Counts stored as fractions next to a whole number are that number.
fn whole(matrix: CsrMatrix) -> Result<CsrMatrix, ImportError> {
    if matrix.values().iter().all(|value| value.fract() == 0.0) {
        return Ok(matrix);
    }
    let (rows, columns) = (matrix.rows(), matrix.columns());
    let (starts, indices, values) = matrix.into_parts();
    let mut values = values.into_f32s();
    for value in &mut values {
        if (*value - value.round()).abs() <= 1e-3 {
            *value = value.round();
        }
    }
    Ok(CsrMatrix::new(rows, columns, starts, indices, values)?)
}
