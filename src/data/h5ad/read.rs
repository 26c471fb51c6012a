//! From a file to a [`Dataset`].

use std::path::Path;

use super::H5adError;
use super::choose::{ChosenMatrix, choose_matrix};
use super::file::open;
use super::frame::FileFrame;
use super::matrix::{FileMatrix, Keep};
use super::own::read_notes;
use super::tenx::TenX;
use super::write::PERTURBATION_COLUMN;
use crate::data::import::{Extended, Frame, Source, understand};
use crate::data::text::{cell_labels, data_set_name};
use crate::data::{Dataset, ImportOptions};
use crate::jobs::Progress;

/// Read the screen in the .h5ad file (or Cell Ranger's .h5) at `path`.
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
    if !file.link_exists("obs")
        && let Some(tenx) = TenX::find(&file)
    {
        return tenx.read(&file, path, options, progress);
    }
    let obs = FileFrame::open(&file, "obs")?;
    let notes = read_notes(&file).filter(|_| obs.find(PERTURBATION_COLUMN).is_some());
    progress.check()?;
    let ChosenMatrix { matrix, var: var_path, choice } = choose_matrix(&file, options.matrix.as_deref())?;
    let var = FileFrame::open(&file, var_path)?;
    check_shape(&matrix, &obs, &var)?;
    progress.check()?;
    let mut source = Source { name: data_set_name(path), path: path.to_owned(), ..Source::default() };
    source.choices.push(choice);
    let understood = if options.labels_file.is_some() {
        let labels = cell_labels(path, &[], &obs.row_names()?, options, progress)?;
        let mut first = Vec::new();
        if let Some(labels) = labels {
            source.choices.push(labels.choice);
            source.warnings.extend(labels.warnings);
            first = labels.columns;
        }
        let obs = Extended::new(&obs, first);
        understand::<H5adError, _, _>(&obs, &var, notes, None, options, progress)?
    } else {
        understand::<H5adError, _, _>(&obs, &var, notes, None, options, progress)?
    };
    let read =
        matrix.read(&Keep::default(), progress).map_err(|error| named(error, understood.cells(), &understood.genes().symbols()))?;
    Ok(understood.finish(read, source, options)?)
}

fn check_shape(matrix: &FileMatrix, obs: &FileFrame, var: &FileFrame) -> Result<(), H5adError> {
    for (found, expected, what, frame) in
        [(matrix.rows(), obs.length(), "cells", obs.name()), (matrix.columns(), var.length(), "genes", var.name())]
    {
        if found != expected {
            let expected = format!("{expected}, as many as {frame} has rows");
            return Err(H5adError::unexpected(matrix.path(), format!("{found} {what}"), expected));
        }
    }
    Ok(())
}

/// Say which cell and gene, not only which row and column.
pub(super) fn named(error: H5adError, cells: &[String], genes: &[String]) -> H5adError {
    let H5adError::NotFinite { path, cell, gene, value } = error else { return error };
    let number = |text: &str| text.strip_prefix("number ").and_then(|number| number.parse::<usize>().ok());
    let cell = number(&cell).and_then(|row| cells.get(row).cloned()).unwrap_or(cell);
    let gene = number(&gene).and_then(|column| genes.get(column).cloned()).unwrap_or(gene);
    H5adError::NotFinite { path, cell, gene, value }
}
