//! Open what a path names: the content decides what it is, never the extension.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::data::{Dataset, ImportOptions, h5ad};
use crate::document::FileReference;
use crate::jobs::Progress;
use crate::models::TrainedModel;
use crate::session;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// HDF5: a screen.
    Dataset,
    /// Safetensors: a trained model.
    Model,
    /// A session of the window.
    Session,
}

/// Tell what `path` holds from its first bytes.
///
/// # Errors
/// If it cannot be read, is a folder, is empty, or is none of the three.
pub fn kind_of(path: &Path) -> anyhow::Result<FileKind> {
    let mut file = File::open(path)?;
    if file.metadata()?.is_dir() {
        bail!("it is a folder, expected a file");
    }
    let mut start = Vec::new();
    file.by_ref().take(4096).read_to_end(&mut start)?;
    if start.is_empty() {
        bail!("the file is empty");
    }
    // HDF5 may keep a block of the user's before its signature; its reader knows where to look.
    if start.starts_with(b"\x89HDF\r\n\x1a\n") || h5ad::looks_like_hdf5(path) {
        return Ok(FileKind::Dataset);
    }
    // Safetensors: the length of the header (8 bytes, little-endian), then a JSON object.
    if start.len() > 8 && start[8] == b'{' {
        return Ok(FileKind::Model);
    }
    if session::looks_like_session(&String::from_utf8_lossy(&start)) {
        return Ok(FileKind::Session);
    }
    if start.starts_with(&[0x1f, 0x8b]) {
        bail!("the file is compressed with gzip; decompress it first");
    }
    bail!("it is neither a data set (.h5ad), nor a model (.safetensors), nor a session (.grn.json)")
}

/// Read the screen in `path`.
pub fn dataset(path: &Path, options: &ImportOptions, progress: &dyn Progress) -> anyhow::Result<Arc<Dataset>> {
    Ok(Arc::new(h5ad::read(path, options, progress)?))
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
        assert!(kind(b"gene\tcell\n").unwrap_err().contains("neither a data set"));
        assert!(kind(b"").unwrap_err().contains("empty"));
        assert!(kind(b"\x1f\x8b\x08").unwrap_err().contains("gzip"));
        assert!(kind_of(Path::new("/nowhere/at/all")).is_err());
        assert!(kind_of(&std::env::temp_dir()).is_err());
    }
}
