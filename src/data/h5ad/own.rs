//! What this program notes in the files that it writes, so that it reads back exactly what it wrote.

use hdf5::Group;

use super::array::FileArray;
use super::write::PERTURBATION_COLUMN;
use crate::data::import::Notes;
use crate::data::{MatrixKind, PerturbationKind};

/// Group in `uns`; anndata shows it as a dictionary.
pub(super) const GROUP: &str = "grn_explorer";
/// Version of the notes; a later one is not trusted.
pub(super) const VERSION: &str = "1";

pub(super) fn matrix_kind_word(kind: MatrixKind) -> &'static str {
    match kind {
        MatrixKind::Counts => "counts",
        MatrixKind::LogNormalised => "log-normalised",
        MatrixKind::Scaled => "scaled",
        MatrixKind::Effects => "effects",
    }
}

pub(super) fn kind_word(kind: PerturbationKind) -> &'static str {
    match kind {
        PerturbationKind::KnockOut => "knock-out",
        PerturbationKind::KnockDown => "knock-down",
        PerturbationKind::Activation => "activation",
    }
}

/// The notes of `file`, if this program wrote it.
pub(super) fn read_notes(file: &Group) -> Option<Notes> {
    let path = format!("uns/{GROUP}");
    if !file.link_exists("uns") || !file.link_exists(&path) {
        return None;
    }
    let group = file.group(&path).ok()?;
    let word = |name: &str| FileArray::open(&group, &path, name, "a word").ok()?.text();
    if word("version")? != VERSION {
        return None;
    }
    let (matrix, kind) = (word("matrix_kind")?, word("perturbation_kind")?);
    let matrix_kinds = [MatrixKind::Counts, MatrixKind::LogNormalised, MatrixKind::Scaled, MatrixKind::Effects];
    let kinds = [PerturbationKind::KnockOut, PerturbationKind::KnockDown, PerturbationKind::Activation];
    Some(Notes {
        column: PERTURBATION_COLUMN,
        matrix_kind: matrix_kinds.into_iter().find(|kind| matrix_kind_word(*kind) == matrix)?,
        kind: kinds.into_iter().find(|other| kind_word(*other) == kind)?,
    })
}
