//! Judging models on the open data set, in the background.

use std::path::PathBuf;

use super::{DEFECT, Work, file_name};
use crate::app::evaluations::Evaluations;
use crate::app::state::State;
use crate::jobs::{Job, Outcome};
use crate::tasks;
use crate::tasks::evaluate::{EvaluateOptions, JudgedModel};
use crate::tasks::report::Judged;

/// An evaluation under way.
pub(super) struct Evaluating {
    name: String,
    pub(super) job: Job<Judged>,
}

impl Evaluating {
    pub(super) fn title(&self) -> String {
        format!("Evaluating {}", self.name)
    }
}

impl Work {
    /// Judge the model in `path`, or the open one; ignored while another is judged or without data.
    pub(in crate::app) fn evaluate(&mut self, path: Option<PathBuf>, state: &mut State) {
        let (None, Some(dataset)) = (&self.evaluating, state.runtime.dataset.clone()) else { return };
        let open = state.runtime.model.clone().filter(|_| path.is_none());
        if path.is_none() && open.is_none() {
            return;
        }
        let file = state.document.sources.model.clone().filter(|_| path.is_none() && !state.runtime.model_unsaved);
        let shown = path.as_deref().or(file.as_ref().map(|file| file.path.as_path()));
        let name = shown
            .and_then(|path| path.file_stem())
            .map_or_else(|| "model trained here".to_owned(), |stem| stem.to_string_lossy().into_owned());
        let settings = state.view.evaluation.clone();
        let defaults = EvaluateOptions::default();
        let options = EvaluateOptions {
            all_cells: settings.all_cells,
            truth: settings.known_edges,
            particles: if settings.likelihood { defaults.particles } else { 0 },
            generated_cells: if settings.generated_cells { defaults.generated_cells } else { 0 },
            ..defaults
        };
        let judged_as = name.clone();
        let job = Job::spawn("evaluating", self.wake(), move |progress| {
            let (model, file) = match (open, path) {
                (Some(model), _) => (model, file),
                (None, Some(path)) => {
                    let (model, file) = tasks::open::model(&path, progress)?;
                    (model, Some(file))
                }
                (None, None) => anyhow::bail!("there is no model"),
            };
            let (path, hash) = file.map(|file| (file.path, file.hash)).unwrap_or_default();
            let judged = JudgedModel { model: &model, path: &path, hash: &hash };
            let report = tasks::evaluate::evaluate(&judged, &dataset, &options, progress)?;
            Ok(Judged { name: judged_as, report })
        });
        state.runtime.evaluations.failed = None;
        self.evaluating = Some(Evaluating { name, job });
    }

    /// End the evaluation under way.
    pub(in crate::app) fn stop_evaluation(&mut self) {
        if let Some(evaluating) = &self.evaluating {
            evaluating.job.cancel();
        }
    }

    pub(super) fn poll_evaluating(&mut self, state: &mut State) {
        let hash = state.runtime.dataset.as_ref().map(|dataset| dataset.hash().to_owned()).unwrap_or_default();
        let evaluations = &mut state.runtime.evaluations;
        if evaluations.dataset != hash {
            // Dropping the job cancels it.
            self.evaluating = None;
            *evaluations = Evaluations { dataset: hash, version: evaluations.version + 1, ..Evaluations::default() };
        }
        if let Some(outcome) = self.evaluating.as_mut().and_then(|evaluating| evaluating.job.poll()) {
            let name = self.evaluating.take().map(|evaluating| evaluating.name).unwrap_or_default();
            match outcome {
                Outcome::Finished(judged) => evaluations.add(judged),
                Outcome::Cancelled => {}
                Outcome::Failed { message, panicked } => {
                    let remedy = if panicked { format!(". {DEFECT}") } else { String::new() };
                    evaluations.failed = Some(format!("{name} cannot be judged: {message}{remedy}"));
                }
            }
        }
        evaluations.running =
            self.evaluating.as_ref().map(|evaluating| (evaluating.name.clone(), evaluating.job.progress()));
    }
}

/// The name of a file, for buttons; `None` has none.
pub(in crate::app) fn short(path: Option<&PathBuf>) -> Option<String> {
    path.map(|path| file_name(path))
}
