//! From a file to a [`Dataset`].

use std::path::Path;

use hdf5::Group;

use super::H5adError;
use super::choose::{ChosenMatrix, choose_matrix};
use super::file::open;
use super::frame::FileFrame;
use super::matrix::{FileMatrix, Keep};
use super::own::read_notes;
use super::tenx::TenX;
use super::write::PERTURBATION_COLUMN;
use crate::data::import::{Extended, Frame, ImportError, Source, Understood, understand};
use crate::data::preview::Preview;
use crate::data::reduce::{BYTES_PER_VALUE, choose_genes};
use crate::data::text::{cell_labels, data_set_name};
use crate::data::{Choice, Dataset, ImportOptions, KeptGenes, MatrixKind, Room, WholeCells};
use crate::jobs::Progress;
use crate::words::{byte_size, grouped};

/// Read the screen in the .h5ad file (or Cell Ranger's .h5) at `path`.
///
/// What the file leaves open is decided by the rules of published screens, unless `options` decides it; each decision is a
/// [`Choice`](crate::data::Choice) of the result, each oddity a [`Warning`](crate::data::Warning). A file without recognisable
/// perturbations opens too, all its cells unassigned.
///
/// All genes are held, whatever their number; see [`read_into`].
///
/// # Errors
/// Names the HDF5 path, what was found there and what was expected; the caller adds the name of the file.
pub fn read(path: &Path, options: &ImportOptions, progress: &dyn Progress) -> Result<Dataset, H5adError> {
    read_into(None, path, options, progress)
}

/// As [`read`], but where the matrix does not fit into `room` (or `options` ask for fewer genes) it is gone over once to
/// measure all cells and genes, and once more to keep the perturbed genes and as many of the most variable others as fit.
/// Of cells without an assignment nothing but the measurements is kept then.
pub fn read_into(
    room: Option<&Room<'_>>,
    path: &Path,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Dataset, H5adError> {
    progress.stage("Opening the file", None);
    let file = open(path)?;
    let (matrix, mut understood, mut source) = labels_and_names(&file, path, options, progress)?;
    let named = |error: H5adError| named(error, understood.cells(), &understood.genes().symbols());
    let part = match room {
        Some(room) => choose_part(&matrix, &understood, room, options, progress).map_err(named)?,
        None => None,
    };
    let Some(Part { keep, whole, choice }) = part else {
        let read = matrix.read(&Keep::default(), progress).map_err(named)?;
        return understood.finish(read, source, options, progress);
    };
    let read = matrix.read(&keep, progress).map_err(named)?;
    source.choices.push(choice);
    understood.keep_genes(keep.columns.as_deref().unwrap_or_default());
    Ok(understood.finish::<H5adError>(read, source, options, progress)?.part_of(whole).map_err(ImportError::from)?)
}

/// Tell what [`read`] would make of the file at `path`: the matrix is only sampled, so that this is quick even of a file larger than
/// memory. (Captured guides are in the matrix: those of Cell Ranger's files are read for it.)
///
/// # Errors
/// As `read`, where labels, names or the choice of the matrix are concerned.
pub fn preview(path: &Path, options: &ImportOptions, progress: &dyn Progress) -> Result<Preview, H5adError> {
    progress.stage("Looking at labels and names", None);
    let file = open(path)?;
    let (_, understood, source) = labels_and_names(&file, path, options, progress)?;
    Ok(understood.preview(source))
}

/// Everything but the matrix itself.
fn labels_and_names(
    file: &Group,
    path: &Path,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<(FileMatrix, Understood, Source), H5adError> {
    if !file.link_exists("obs")
        && let Some(tenx) = TenX::find(file)
    {
        return tenx.labels_and_names(file, path, options, progress);
    }
    let obs = FileFrame::open(file, "obs")?;
    let notes = read_notes(file).filter(|_| obs.find(PERTURBATION_COLUMN).is_some());
    progress.check()?;
    let ChosenMatrix { matrix, var: var_path, choice } = choose_matrix(file, options.matrix.as_deref())?;
    let var = FileFrame::open(file, var_path)?;
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
    Ok((matrix, understood, source))
}

const GENES_HELD: &str = "genes held";

/// What is held of a large screen.
struct Part {
    keep: Keep,
    whole: WholeCells,
    choice: Choice,
}

/// Which genes to hold; none for all.
fn choose_part(
    matrix: &FileMatrix,
    understood: &Understood,
    room: &Room<'_>,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Option<Part>, H5adError> {
    let genes = understood.genes();
    let needed = BYTES_PER_VALUE.saturating_mul(matrix.stored()? as u64);
    if let Some(names) = room.genes {
        let mut columns: Vec<u32> =
            names.iter().filter_map(|name| genes.column(name)).map(|column| column as u32).collect();
        columns.sort_unstable();
        columns.dedup();
        let choice = Choice {
            what: GENES_HELD.to_owned(),
            chosen: format!("{} of {}", grouped(columns.len()), grouped(genes.len())),
            reason: "those of the model".to_owned(),
            alternatives: Vec::new(),
        };
        let assigned = understood.assigned();
        let (whole, _) = matrix.measure(genes, &assigned, false, progress)?;
        return Ok(Some(Part { keep: Keep::part(&assigned, columns, None), whole, choice }));
    }
    let asked = match options.genes {
        Some(KeptGenes::All(_)) => return Ok(None),
        Some(KeptGenes::Count(count)) if count >= genes.len() => return Ok(None),
        Some(KeptGenes::Count(count)) => Some(count),
        None if needed <= room.bytes => return Ok(None),
        None => None,
    };
    let kind = match options.matrix_kind {
        Some(kind) => kind,
        None => matrix.sample()?.kind(),
    };
    let assigned = understood.assigned();
    let (whole, moments) = matrix.measure(genes, &assigned, kind != MatrixKind::Counts, progress)?;
    let (rank, targets) = (room.rank.rank(&moments), understood.targets());
    let choose = |most, bytes| choose_genes(&rank, &targets, &moments.present, most, bytes);
    let (columns, stored) = match asked {
        Some(count) => choose(Some(count), u64::MAX),
        None => {
            // A round number, so that machines with a little more or less memory choose alike.
            let fitting = choose(None, room.bytes).0.len();
            let step = if fitting >= 1000 { 1000 } else { 100 };
            choose(Some(fitting / step * step), u64::MAX)
        }
    };
    let kept = format!("{} of {}", grouped(columns.len()), grouped(genes.len()));
    let of_which = "the perturbed genes and the most variable of the others";
    let choice = Choice {
        what: GENES_HELD.to_owned(),
        reason: match asked {
            Some(_) => format!("named by you: {of_which}"),
            None => format!(
                "{of_which}: all would take {}, and there is room for {}",
                byte_size(needed),
                byte_size(room.bytes)
            ),
        },
        chosen: kept,
        alternatives: vec![KeptGenes::ALL.to_string()],
    };
    Ok(Some(Part { keep: Keep::part(&assigned, columns, Some(stored)), whole, choice }))
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
