//! Simulate a screen and write it with the network behind it.

use std::path::Path;

use anyhow::Context;

use crate::data::Categories;
use crate::data::h5ad::{self, ExtraColumn, MatrixLayout, WriteOptions};
use crate::data::simulate::{CellFacts, SimulateConfig, Simulated, simulate};
use crate::jobs::Progress;

/// Simulate a screen, write it to `path` (.h5ad, the matrix as `layout`) and its true edges to `truth`, if given.
///
/// # Errors
/// If the settings make no sense together, or a file cannot be written; then neither is left behind.
pub fn run(
    config: &SimulateConfig,
    path: &Path,
    layout: MatrixLayout,
    truth: Option<&Path>,
    progress: &dyn Progress,
) -> anyhow::Result<Simulated> {
    let simulated = simulate(config, progress)?;
    progress.stage("Writing", None);
    progress.check()?;
    // The small file first: if the large one fails, it is taken back.
    let existed = truth.is_some_and(Path::exists);
    if let Some(truth) = truth {
        simulated.truth.write(truth).with_context(|| format!("cannot write {}", truth.display()))?;
    }
    let facts = &simulated.cell_facts;
    let flag = |name: &str, of: fn(&CellFacts) -> bool| {
        ExtraColumn::Categories(Categories {
            name: name.to_owned(),
            levels: vec!["no".to_owned(), "yes".to_owned()],
            codes: facts.iter().map(|cell| Some(u32::from(of(cell)))).collect(),
        })
    };
    let extra = vec![
        flag("true_low_quality", |cell| cell.low_quality),
        flag("true_doublet", |cell| cell.doublet),
        flag("true_escaped", |cell| cell.escaped),
    ];
    let written = h5ad::write_with(path, &simulated.dataset, &WriteOptions { layout, extra }, progress);
    if written.is_err()
        && !existed
        && let Some(truth) = truth
    {
        let _ = std::fs::remove_file(truth);
    }
    written.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(simulated)
}
