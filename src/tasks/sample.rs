//! The bundled sample: a simulated screen and a model trained on it.

use std::path::{Path, PathBuf};

/// Name of the screen in the sample's folder.
pub const DATASET: &str = "sample.h5ad";
/// Name of the model.
pub const MODEL: &str = "sample_model.safetensors";

/// Where the sample's files are; each may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The screen.
    pub dataset: Option<PathBuf>,
    /// The model.
    pub model: Option<PathBuf>,
}

impl Sample {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.dataset.is_none() && self.model.is_none()
    }
}

/// Look for the sample, in this order: `sample_data` beside the program, `../share/grn-explorer/sample_data` from the
/// program, and the source folder it was built in.
pub fn find() -> Sample {
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent);
    let places = [
        folder.map(|folder| folder.join("sample_data")),
        folder.map(|folder| folder.join("../share/grn-explorer/sample_data")),
        Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data")),
    ];
    find_in(places.into_iter().flatten())
}

fn find_in(places: impl IntoIterator<Item = PathBuf>) -> Sample {
    let samples = places.into_iter().map(|place| {
        let file = |name: &str| Some(place.join(name)).filter(|path| path.is_file());
        Sample { dataset: file(DATASET), model: file(MODEL) }
    });
    let mut found = Sample::default();
    for sample in samples {
        found.dataset = found.dataset.or(sample.dataset);
        found.model = found.model.or(sample.model);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_that_has_a_file_wins() {
        let (near, far) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let places = || [near.path().to_owned(), far.path().to_owned()];
        assert!(find_in(places()).is_empty());
        for file in [near.path().join(MODEL), far.path().join(MODEL), far.path().join(DATASET)] {
            std::fs::write(file, "").unwrap();
        }
        let found = find_in(places());
        assert_eq!(found.model, Some(near.path().join(MODEL)));
        assert_eq!(found.dataset, Some(far.path().join(DATASET)));
    }
}
