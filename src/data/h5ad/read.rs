//! From a file to a [`Dataset`].

use std::path::Path;

use super::H5adError;
use super::choose::{
    ChosenMatrix, choose_batch, choose_cell_type, choose_matrix, choose_perturbations, control_flags, kind_columns,
};
use super::evidence::kind_label;
use super::file::open;
use super::frame::Frame;
use super::genes::{ReadGenes, read_genes};
use super::matrix::{FileMatrix, ReadMatrix};
use super::own::{Notes, read_notes};
use super::write::PERTURBATION_COLUMN;
use crate::data::labels::{LabelStyle, Labels, assign, guess_kind};
use crate::data::{
    CellRole, Choice, CsrMatrix, Dataset, DatasetParts, Genes, ImportOptions, ImportReport, MatrixKind,
    PerturbationKind, Warning,
};
use crate::jobs::Progress;
use crate::words::counted;

/// Read the screen in the .h5ad file at `path`.
///
/// What the file leaves open is decided by the rules of published screens, unless `options` decides it; each decision is a
/// [`Choice`](crate::data::Choice) of the result, each oddity a [`Warning`](crate::data::Warning). A file without recognisable
/// perturbations opens too, all its cells unassigned.
///
/// # Errors
/// Names the HDF5 path, what was found there and what was expected; the caller adds the name of the file.
pub fn read(path: &Path, options: &ImportOptions, progress: &dyn Progress) -> Result<Dataset, H5adError> {
    progress.stage("Opening the file", None);
    let file = open(path)?;
    let obs = Frame::open(&file, "obs")?;
    let notes = read_notes(&file).filter(|_| obs.find(PERTURBATION_COLUMN).is_some());
    progress.check()?;
    let ChosenMatrix { matrix, var: var_path, choice } = choose_matrix(&file, options.matrix.as_deref())?;
    let mut choices = vec![choice];
    let mut warnings = Vec::new();
    let var = Frame::open(&file, var_path)?;
    check_shape(&matrix, &obs, &var, var_path)?;
    progress.check()?;

    progress.stage("Reading genes and labels", None);
    let ReadGenes { genes, choice: gene_choice, warnings: gene_warnings } =
        read_genes(&var, var_path, options.gene_column.as_deref())?;
    let genes = Genes::new(genes);
    let cells = obs.row_names()?;
    progress.check()?;
    let screen = read_screen(&obs, &genes, notes, options)?;
    progress.check()?;
    let taken = screen.column.as_str();
    let (batch, batch_choice) = choose_batch(&obs, taken, options.batch_column.as_deref())?;
    let (cell_type, cell_type_choice) = choose_cell_type(&obs, taken, options.cell_type_column.as_deref())?;

    let ReadMatrix { mut matrix, evidence, added_up } =
        matrix.read(progress).map_err(|error| named(error, &cells, &genes))?;
    // Somebody may have normalised our counts since.
    let noted = notes.map(|notes| notes.matrix_kind);
    let noted = noted.filter(|kind| *kind != MatrixKind::Counts || evidence.kind() == MatrixKind::Counts);
    let found = noted.unwrap_or_else(|| evidence.kind());
    let matrix_kind = options.matrix_kind.unwrap_or(found);
    let reason = match (options.matrix_kind, noted) {
        (Some(_), _) => format!("named by you; {}", evidence.reason("all")),
        (None, Some(_)) => "noted in the file by this program".to_owned(),
        (None, None) => evidence.reason("all"),
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
            message: "the file has no counts, only log-normalised values: it can be looked at, but not be trained on"
                .to_owned(),
        }),
        MatrixKind::Scaled => warnings.push(Warning {
            message: "the file has neither counts nor log-normalised values: no model can use it".to_owned(),
        }),
    }
    if added_up > 0 {
        let message = format!("{} stored twice for one cell and gene were added up", counted(added_up, "value"));
        warnings.push(Warning { message });
    }
    let empty = (0..matrix.rows()).filter(|&row| matrix.row(row).is_empty()).count();
    if empty > 0 {
        warnings.push(Warning { message: format!("{} without any value", counted(empty, "cell")) });
    }

    choices.push(gene_choice);
    choices.extend(screen.choices);
    choices.extend(batch_choice);
    choices.extend(cell_type_choice);
    warnings.extend(gene_warnings);
    warnings.extend(screen.warnings);
    let name = path.file_stem().map_or_else(|| "screen".to_owned(), |stem| stem.to_string_lossy().into_owned());
    Ok(Dataset::new(DatasetParts {
        name,
        source: Some(path.to_owned()),
        matrix,
        matrix_kind,
        genes: genes.iter().cloned().collect(),
        cells,
        perturbations: screen.labels.perturbations,
        roles: screen.labels.roles,
        kind: screen.kind,
        batch,
        cell_type,
        import: ImportReport { choices },
        warnings,
    })?)
}

fn check_shape(matrix: &FileMatrix, obs: &Frame, var: &Frame, var_path: &str) -> Result<(), H5adError> {
    for (found, expected, what, frame) in
        [(matrix.rows(), obs.length(), "cells", "obs"), (matrix.columns(), var.length(), "genes", var_path)]
    {
        if found != expected {
            let expected = format!("{expected}, as many as {frame} has rows");
            return Err(H5adError::unexpected(matrix.path(), format!("{found} {what}"), expected));
        }
    }
    Ok(())
}

struct Screen {
    /// Name of the perturbation column; empty if there is none.
    column: String,
    labels: Labels,
    kind: PerturbationKind,
    choices: Vec<Choice>,
    warnings: Vec<Warning>,
}

fn read_screen(obs: &Frame, genes: &Genes, notes: Option<Notes>, options: &ImportOptions) -> Result<Screen, H5adError> {
    let mut options = options.clone();
    let mut style = LabelStyle::Published;
    if notes.is_some() && options.perturbation_column.is_none() {
        options.perturbation_column = Some(PERTURBATION_COLUMN.to_owned());
        style = LabelStyle::AsWritten;
    }
    let mut chosen = choose_perturbations(obs, genes, &options)?;
    if style == LabelStyle::AsWritten {
        chosen.choice.reason = "written by this program".to_owned();
    }
    let mut choices = vec![chosen.choice];
    let mut warnings = Vec::new();
    let (column, mut labels) = match chosen.column {
        Some(column) => {
            let flags = if style == LabelStyle::AsWritten { None } else { control_flags(obs)? };
            let labels = assign(&column, flags.as_ref(), genes, style, &options)?;
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
fn whole(matrix: CsrMatrix) -> Result<CsrMatrix, H5adError> {
    if matrix.values().iter().all(|value| value.fract() == 0.0) {
        return Ok(matrix);
    }
    let near = |value: &mut f32| {
        if (*value - value.round()).abs() <= 1e-3 {
            *value = value.round();
        }
    };
    let (rows, columns) = (matrix.rows(), matrix.columns());
    let (starts, indices, values) = matrix.into_parts();
    let mut values = values.into_f32s();
    values.iter_mut().for_each(near);
    CsrMatrix::new(rows, columns, starts, indices, values)
        .map_err(|error| H5adError::unexpected("X", error.to_string(), "a sound sparse matrix"))
}

/// Say which cell and gene, not only which row and column.
fn named(error: H5adError, cells: &[String], genes: &Genes) -> H5adError {
    let H5adError::NotFinite { path, cell, gene, value } = error else { return error };
    let number = |text: &str| text.strip_prefix("number ").and_then(|number| number.parse::<usize>().ok());
    let cell = number(&cell).and_then(|row| cells.get(row).cloned()).unwrap_or(cell);
    let gene =
        number(&gene).filter(|&column| column < genes.len()).map_or(gene, |column| genes.symbol(column).to_owned());
    H5adError::NotFinite { path, cell, gene, value }
}
