//! Open what a path names: the content decides what it is, never the extension.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};

use super::import_choices::Decisions;
use super::room::room;
use crate::data::preview::Preview;
use crate::data::{Dataset, ImportOptions, ImportReport, KeptGenes, Room, h5ad, text};
use crate::document::FileReference;
use crate::jobs::Progress;
use crate::models::TrainedModel;
use crate::network::formats;
use crate::session;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A screen: HDF5, a matrix market file (or its folder), or a table.
    Dataset,
    /// Safetensors: a trained model.
    Model,
    /// A session of the window.
    Session,
    /// A network: GraphML, GEXF, CX2, DOT, JSON, SIF, or a table of edges.
    Network,
}

/// How a screen is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storage {
    Hdf5,
    Text,
}

/// Endings that only HDF5 has.
const HDF5_ENDINGS: [&str; 3] = ["h5ad", "h5", "hdf5"];
/// Endings of the files that [`kind_of`] knows as screens, for file dialogs.
pub const DATASET_ENDINGS: &[&str] = &["h5ad", "h5", "hdf5", "mtx", "csv", "tsv", "tab", "txt", "gz"];

/// Endings of network files that are not those of screens, for file dialogs.
pub const NETWORK_ENDINGS: &[&str] = &["sif", "graphml", "gexf", "cx2", "dot", "gv", "json", "zip"];

/// Tell what `path` holds from its first bytes. A folder is a screen if it holds a matrix market file, or one table per
/// intervention.
///
/// # Errors
/// If it cannot be read, is empty, or is none of these.
pub fn kind_of(path: &Path) -> anyhow::Result<FileKind> {
    let mut file = File::open(path)?;
    if file.metadata()?.is_dir() {
        if storage_of(path)?.is_some() {
            return Ok(FileKind::Dataset);
        }
        bail!(
            "it is a folder without a matrix (matrix.mtx or matrix.mtx.gz) or tables called after interventions (iv=3.txt), expected a file"
        );
    }
    let mut start = Vec::new();
    file.by_ref().take(4096).read_to_end(&mut start)?;
    if start.is_empty() {
        bail!("the file is empty");
    }
    if session::looks_like_session(&String::from_utf8_lossy(&start)) {
        return Ok(FileKind::Session);
    }
    // Safetensors: the length of the header (8 bytes, little-endian), then a JSON object. As text it would be a huge length.
    if start.len() > 8 && start[8] == b'{' && start[7] == 0 {
        return Ok(FileKind::Model);
    }
    let storage = storage_of(path)?;
    if storage != Some(Storage::Hdf5) && formats::format_of(path)?.is_some() {
        return Ok(FileKind::Network);
    }
    if storage.is_some() {
        return Ok(FileKind::Dataset);
    }
    if start.starts_with(&[0x1f, 0x8b]) {
        bail!("the file is compressed with gzip and is no table; decompress it first");
    }
    bail!(
        "it is neither a data set (.h5ad, 10x .h5, matrix.mtx, or a table .csv or .tsv), nor a model (.safetensors), nor a session \
         (.grn.json), nor a network (.graphml, .gexf, .cx2, .dot, .sif, .json, or a table with columns regulator and target)"
    )
}

fn storage_of(path: &Path) -> anyhow::Result<Option<Storage>> {
    // HDF5 may keep a block of the user's before its signature; its reader knows where to look.
    if !path.is_dir() && h5ad::looks_like_hdf5(path) {
        return Ok(Some(Storage::Hdf5));
    }
    // Text under such a name is no table, but a page of an error or a pointer to the file.
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    if ending.is_some_and(|ending| HDF5_ENDINGS.iter().any(|known| ending == *known)) {
        return Ok(None);
    }
    Ok(text::kind_of(path)?.map(|_| Storage::Text))
}

/// Read the screen in `path`, whatever its format.
pub fn dataset(path: &Path, options: &ImportOptions, progress: &dyn Progress) -> anyhow::Result<Arc<Dataset>> {
    dataset_into(&room(), path, options, progress)
}

fn dataset_into(
    room: &Room<'_>,
    path: &Path,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> anyhow::Result<Arc<Dataset>> {
    let dataset = match storage_of(path)? {
        Some(Storage::Text) => {
            if let Some(KeptGenes::Count(_)) = options.genes {
                bail!(
                    "only of HDF5 files can some genes be held; tables and matrix.mtx are read whole: leave the choice out"
                )
            }
            // A quarter of the free memory is room for a matrix; while it is read, it may take most.
            text::read_into(room.bytes.saturating_mul(3), path, options, progress)?
        }
        // Its errors tell what the file is instead.
        Some(Storage::Hdf5) | None => h5ad::read_into(Some(room), path, options, progress)?,
    };
    Ok(Arc::new(dataset))
}

/// Read the screen in `path` with `decisions`; a choice that came from their file says so.
pub fn decided(path: &Path, decisions: &Decisions, progress: &dyn Progress) -> anyhow::Result<Arc<Dataset>> {
    decided_into(&room(), path, decisions, progress)
}

/// As [`decided`], to judge `model` with: if it was trained on some of the genes of a file, the same are held.
pub fn decided_for(
    model: &TrainedModel,
    path: &Path,
    decisions: &Decisions,
    progress: &dyn Progress,
) -> anyhow::Result<Arc<Dataset>> {
    let card = model.card();
    let is_part = card.dataset.genes_of_file > card.dataset.genes && decisions.options.genes.is_none();
    let genes = is_part.then_some(card.genes.as_slice());
    decided_into(&Room { genes, ..room() }, path, decisions, progress)
}

fn decided_into(
    room: &Room<'_>,
    path: &Path,
    decisions: &Decisions,
    progress: &dyn Progress,
) -> anyhow::Result<Arc<Dataset>> {
    let dataset = match &decisions.file {
        None => return dataset_into(room, path, &decisions.options, progress),
        Some((file, _)) => dataset_into(room, path, &decisions.options, progress)
            .with_context(|| format!("with the choices in {}", file.display()))?,
    };
    let import = dataset.import();
    let import = ImportReport { choices: decisions.named_in(&import.choices), ..import.clone() };
    Ok(Arc::new(Arc::unwrap_or_clone(dataset).with_import(import)))
}

/// What `path` would be read as: of an HDF5 file from labels and names alone, of others by reading it.
pub fn preview(path: &Path, options: &ImportOptions, progress: &dyn Progress) -> anyhow::Result<Preview> {
    match storage_of(path)? {
        Some(Storage::Text) => Ok(Preview::of_dataset(&*dataset(path, options, progress)?)),
        Some(Storage::Hdf5) | None => Ok(h5ad::preview(path, options, progress)?),
    }
}

/// Read the model in `path`; the reference has the hash of its bytes.
pub fn model(path: &Path, progress: &dyn Progress) -> anyhow::Result<(Arc<TrainedModel>, FileReference)> {
    progress.stage("Reading the model", None);
    let model = TrainedModel::open(path)?;
    progress.check()?;
    Ok((Arc::new(model), model_reference(path)?))
}

/// Refer to the model file `path` by the hash of its bytes.
pub fn model_reference(path: &Path) -> anyhow::Result<FileReference> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?).context("reading the model again")?;
    Ok(FileReference { path: path.to_owned(), hash: hasher.finalize().to_hex().to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Result<FileKind, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        kind_of(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_content_decides() {
        assert_eq!(kind(b"\x89HDF\r\n\x1a\n rest"), Ok(FileKind::Dataset));
        assert_eq!(kind(b"\x02\0\0\0\0\0\0\0{}"), Ok(FileKind::Model));
        assert_eq!(kind(b"{\n \"grn_explorer_session\": 1}"), Ok(FileKind::Session));
        assert_eq!(kind(b"\tG1\tG2\nc1\t0\t3\n"), Ok(FileKind::Dataset));
        assert_eq!(kind(b"%%MatrixMarket matrix coordinate integer general\n"), Ok(FileKind::Dataset));
        assert_eq!(kind(b"regulator\ttarget\nA\tB\n"), Ok(FileKind::Network));
        assert_eq!(kind(b"<?xml version='1.0'?><graphml/>"), Ok(FileKind::Network));
        assert!(kind(b"just some words\nand others\n, so what").unwrap_err().contains("neither a data set"));
        assert!(kind(b"").unwrap_err().contains("empty"));
        assert!(kind(b"\x1f\x8b\x08").is_err());
        assert!(kind_of(Path::new("/nowhere/at/all")).is_err());
        assert!(kind_of(&std::env::temp_dir()).is_err());
    }
}
