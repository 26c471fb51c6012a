//! Cells drawn from a trained model, as a screen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;

use crate::data::h5ad::{H5adError, Portion, StreamHeader, write_stream};
use crate::jobs::Progress;
use crate::models::{Intervention, PredictError, TrainedModel};

/// Which cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CellRequest {
    /// Perturbations at full dose, each once; control cells are always drawn.
    pub perturbations: Vec<Intervention>,
    /// Cells of each, and control cells.
    pub cells: usize,
    /// Seed of the draws.
    pub seed: u64,
}

/// Draw the cells of `request` from `model`, whose file has this BLAKE3 `hash` (hex), and write them to `path` (.h5ad), whole or not at
/// all; the number of cells written. Memory does not grow with their number. The same request gives the same cells.
///
/// # Errors
/// If a gene is none that the model can perturb, or the file cannot be written; [`crate::jobs::Cancelled`].
pub fn write(
    model: &TrainedModel,
    hash: &str,
    path: &Path,
    request: &CellRequest,
    progress: &dyn Progress,
) -> anyhow::Result<usize> {
    let mut seen = BTreeSet::new();
    let perturbed = request.perturbations.iter().filter(|perturbation| seen.insert(perturbation.name()));
    let conditions: Vec<Option<&Intervention>> = std::iter::once(None).chain(perturbed.map(Some)).collect();
    for question in &conditions {
        // Before hours go into the others.
        model.generate(*question, 0, 0, request.seed, progress)?;
    }
    let card = model.card();
    let name = |question: &Option<&Intervention>| question.map_or_else(|| "control".to_owned(), Intervention::name);
    let responding = request.perturbations.iter().any(|perturbation| !perturbation.cells().is_usual());
    let header = StreamHeader {
        genes: card.genes.clone(),
        conditions: conditions.iter().map(name).collect(),
        kind: card.perturbation_kind,
        notes: BTreeMap::from([
            ("seed".to_owned(), request.seed.to_string()),
            ("model_hash".to_owned(), hash.to_owned()),
            ("trained_on".to_owned(), card.dataset.name.clone()),
            ("trained_on_hash".to_owned(), card.dataset.hash.clone()),
            ("program_version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("perturbed_cells".to_owned(), if responding { "responding" } else { "all" }.to_owned()),
        ]),
    };
    let all = conditions.len() * request.cells;
    let (mut condition, mut first) = (0, 0);
    let next = || -> Result<Option<Portion>, WriteError> {
        if first == request.cells {
            (condition, first) = (condition + 1, 0);
        }
        if condition == conditions.len() || request.cells == 0 {
            return Ok(None);
        }
        progress.stage("Drawing cells", Some((condition * request.cells + first) as f32 / all as f32));
        let count = TrainedModel::GENERATED_AT_A_TIME.min(request.cells - first);
        let drawn = model.generate(conditions[condition], first, count, request.seed, progress)?;
        first += count;
        Ok(Some(Portion { condition, counts: drawn.counts, library_sizes: drawn.libraries }))
    };
    let written = write_stream(path, &header, next, progress);
    written.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(all)
}

/// Why no file was written.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    File(#[from] H5adError),
    #[error(transparent)]
    Model(#[from] PredictError),
}
