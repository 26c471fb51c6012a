//! Writing figures and tables.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;

use super::{DEFECT, Work, file_name};
use crate::app::action::{ExportContent, ExportFormat, ExportRequest, NetworkParts};
use crate::app::state::{Severity, State};
use crate::document::NetworkFilter;
use crate::figures::export::{self, ExportOptions};
use crate::jobs::{Job, Outcome};
use crate::network::Edge;
use crate::network::formats::{self, NetworkFormat, write_edges};
use crate::network::statistics::GeneStatistics;
use crate::tasks::look::STATISTICS_SEED;
use crate::tasks::{networks, tables};

/// A figure or table being written.
pub(super) struct Exporting {
    pub(super) path: PathBuf,
    pub(super) job: Job<()>,
}

impl Exporting {
    pub(super) fn title(&self) -> String {
        format!("Exporting {}", file_name(&self.path))
    }
}

impl Work {
    /// Write what `request` says to `path`.
    pub(in crate::app) fn export(&mut self, request: ExportRequest, path: PathBuf, state: &State) {
        let path = with_ending(path, request.format.extension());
        let network = state.network().cloned();
        let filter = state.document.filter.clone();
        let effect = state.runtime.prediction.effect().cloned();
        let model = state.runtime.model.clone();
        let tests = state.edge_tests().cloned();
        let target = path.clone();
        let job = Job::spawn("exporting", self.wake(), move |progress| {
            match request.content {
                ExportContent::Figure(scene, metadata) => {
                    let options = ExportOptions::new(request.width_mm, request.dpi, false)?;
                    export::write(&scene, &metadata, &options, &target)?;
                }
                ExportContent::Edges { all } => {
                    let Some(network) = network else { bail!("there is no network") };
                    let filter = if all { NetworkFilter::default() } else { filter };
                    let extra = tests.as_ref().map(|tests| tests.columns()).unwrap_or_default();
                    write_edges(&target, &filter.apply(&network), &extra)?;
                }
                ExportContent::Network(parts) => {
                    let ExportFormat::Network(format) = request.format else { bail!("no format of networks") };
                    let NetworkParts { network, filter, mut extras } = Arc::unwrap_or_clone(parts);
                    let view = filter.apply(&network);
                    let edges: Vec<&Edge> = view.edges().collect();
                    if extras.statistics.is_none() && !matches!(format, NetworkFormat::Table | NetworkFormat::Sif) {
                        let found = GeneStatistics::of(&network, edges.iter().copied(), STATISTICS_SEED, progress)?;
                        extras.statistics = Some(Arc::new(found));
                    }
                    formats::write(&target, format, &networks::contents(&network, &edges, &extras))?;
                }
                ExportContent::Effects => {
                    let (Some(effect), Some(model)) = (effect, model) else { bail!("nothing was predicted") };
                    tables::write_effects(&target, &effect, &model.card().genes)?;
                }
                ExportContent::Table(text) => tables::write_text(&target, &text)?,
                ExportContent::Made(table) => tables::write_text(&target, &(table.0)())?,
            }
            anyhow::Ok(())
        });
        self.exporting.push(Exporting { path, job });
    }

    pub(super) fn poll_exporting(&mut self, state: &mut State) {
        let runtime = &mut state.runtime;
        self.exporting.retain_mut(|exporting| {
            let Some(outcome) = exporting.job.poll() else { return true };
            let name = file_name(&exporting.path);
            match outcome {
                Outcome::Finished(()) => {
                    let detail = exporting.path.display().to_string();
                    runtime.tell(Severity::Done, format!("{name} exported"), detail, "");
                }
                Outcome::Cancelled => {}
                Outcome::Failed { message, panicked } => {
                    let remedy = if panicked { DEFECT } else { "Export to another folder, or change size or format" };
                    runtime.tell(Severity::Error, format!("{name} cannot be exported"), message, remedy);
                }
            }
            false
        });
    }
}

/// `path` ending in `.extension`, which decides the format.
fn with_ending(path: PathBuf, extension: &str) -> PathBuf {
    let has = path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension));
    if has { path } else { path.with_file_name(format!("{}.{extension}", file_name(&path))) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_format_asked_for_decides_the_ending() {
        assert_eq!(with_ending("a/b".into(), "svg"), Path::new("a/b.svg"));
        assert_eq!(with_ending("a/b.SVG".into(), "svg"), Path::new("a/b.SVG"));
        assert_eq!(with_ending("a/b.pdf".into(), "svg"), Path::new("a/b.pdf.svg"));
    }
}
