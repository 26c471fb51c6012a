//! Quality of the cells and tests of the perturbations, computed while their pages are shown.

use std::sync::Arc;

use super::Work;
use crate::app::findings::{
    DoubletFinding, FilterFinding, Findings, GuideFinding, QualityFinding, Stopped, shown_perturbation,
};
use crate::app::state::{DataSection, State, Tab};
use crate::data::{Dataset, MatrixKind};
use crate::jobs::{Job, Outcome, ProgressUpdate};
use crate::preprocess::differential::Test;
use crate::preprocess::doublets::{CellDoublets, find_by_batch};
use crate::preprocess::guides::GuideCheck;
use crate::preprocess::quality::CellMetrics;
use crate::preprocess::{Filtered, PrepareConfig, preview_filters};
use crate::tasks::guides;
use crate::tasks::preprocess::{TestedGroup, test_perturbation};
use crate::tasks::quality::{self, Quality};

/// Most tested perturbations kept: going back to one of them is immediate.
const KEPT: usize = 64;

/// Jobs about the open data set.
#[derive(Default)]
pub(super) struct Screening {
    metrics: Option<Arc<CellMetrics>>,
    /// Limits that were judged last, or are being judged.
    mads: Option<f64>,
    quality: Option<Job<Option<Quality>>>,
    /// Limits of quality at which guides were compared last, or are being compared.
    guides_at: Option<f64>,
    guides: Option<Job<Option<GuideCheck>>>,
    doublets: Option<Job<CellDoublets>>,
    testing: Option<Testing>,
    /// Settings whose filters were counted last, or are being counted.
    filtered: Option<PrepareConfig>,
    filters: Option<Job<Vec<Filtered>>>,
    /// The perturbation shown by itself, so that it need not be counted in every frame.
    shown: Option<(Option<String>, Option<usize>)>,
}

struct Testing {
    perturbation: String,
    test: Test,
    job: Job<TestedGroup>,
}

impl Screening {
    /// What is being done, for the status bar.
    pub(super) fn activity(&self) -> Option<(String, ProgressUpdate)> {
        let quality = self.quality.as_ref().filter(|_| self.metrics.is_none());
        let quality = quality.map(|job| ("Quality of the cells".to_owned(), job.progress()));
        let testing = self.testing.as_ref();
        let guides = self.guides.as_ref().map(|job| ("Comparing guides".to_owned(), job.progress()));
        let doublets = self.doublets.as_ref().map(|job| ("Looking for doublets".to_owned(), job.progress()));
        quality
            .or(guides)
            .or(doublets)
            .or_else(|| testing.map(|testing| (format!("Testing {}", testing.perturbation), testing.job.progress())))
    }
}

impl Work {
    /// Follow the open data set and the page shown.
    pub(super) fn poll_screening(&mut self, state: &mut State) {
        let dataset = state.runtime.dataset.clone();
        let known = &state.runtime.findings.of;
        let same = match (known, &dataset) {
            (Some(known), Some(dataset)) => Arc::ptr_eq(known, dataset),
            (None, None) => true,
            _ => false,
        };
        if !same {
            // Dropping the jobs cancels them.
            self.screening = Screening::default();
            state.runtime.findings = Findings { of: dataset.clone(), ..Findings::default() };
        }
        let Some(dataset) = dataset else { return };
        self.poll_quality(&dataset, state);
        self.poll_guides(&dataset, state);
        self.poll_doublets(state);
        self.poll_testing(&dataset, state);
        self.poll_filters(&dataset, state);
    }

    /// Count what the filters leave out, while the settings of the training are shown.
    fn poll_filters(&mut self, dataset: &Arc<Dataset>, state: &mut State) {
        let wake = self.wake();
        let screening = &mut self.screening;
        if let Some(outcome) = screening.filters.as_mut().and_then(Job::poll) {
            screening.filters = None;
            match (outcome, &screening.filtered) {
                (Outcome::Finished(found), Some(config)) => {
                    state.runtime.findings.filters = FilterFinding::Ready(Arc::new(config.clone()), found.into());
                }
                (Outcome::Failed { message, .. }, _) => {
                    state.runtime.findings.filters = FilterFinding::Failed(message);
                }
                _ => {}
            }
        }
        let wanted = &state.document.training.prepare;
        let shown = state.view.tab == Tab::Training && !state.is_training();
        if shown && dataset.matrix_kind() == MatrixKind::Counts && screening.filtered.as_ref() != Some(wanted) {
            screening.filtered = Some(wanted.clone());
            let (dataset, config) = (dataset.clone(), wanted.clone());
            // Dropping the job before cancels it.
            let job = Job::spawn("filters", wake, move |progress| preview_filters(&dataset, &config, progress));
            screening.filters = Some(job);
        }
    }

    /// Look for doublets among the cells of the open data set, unless that is done already.
    pub(in crate::app) fn find_doublets(&mut self, state: &mut State) {
        let Some(dataset) = state.runtime.dataset.clone() else { return };
        if self.screening.doublets.is_some() {
            return;
        }
        state.runtime.findings.doublets = DoubletFinding::Running(ProgressUpdate::default());
        let job = Job::spawn("doublets", self.wake(), move |progress| {
            find_by_batch(&dataset, &dataset.held_cells(), 0, progress)
        });
        self.screening.doublets = Some(job);
    }

    /// Stop looking for doublets.
    pub(in crate::app) fn cancel_doublets(&mut self) {
        if let Some(job) = &self.screening.doublets {
            job.cancel();
        }
    }

    fn poll_doublets(&mut self, state: &mut State) {
        let Some(job) = &mut self.screening.doublets else { return };
        let finding = &mut state.runtime.findings.doublets;
        *finding = match job.poll() {
            None => DoubletFinding::Running(job.progress()),
            Some(outcome) => {
                self.screening.doublets = None;
                match outcome {
                    Outcome::Finished(found) => DoubletFinding::Ready(Arc::new(found)),
                    Outcome::Cancelled => DoubletFinding::None,
                    Outcome::Failed { message, .. } => DoubletFinding::Failed(message),
                }
            }
        };
    }

    fn poll_quality(&mut self, dataset: &Arc<Dataset>, state: &mut State) {
        let wake = self.wake();
        let screening = &mut self.screening;
        if let Some(outcome) = screening.quality.as_mut().and_then(Job::poll) {
            screening.quality = None;
            state.runtime.findings.quality = match outcome {
                Outcome::Finished(Some(found)) => {
                    screening.metrics = Some(found.metrics.clone());
                    QualityFinding::Ready(Arc::new(found))
                }
                Outcome::Finished(None) => QualityFinding::NoCounts,
                Outcome::Cancelled => QualityFinding::None,
                Outcome::Failed { message, .. } => QualityFinding::Failed(message),
            };
        }
        let shown = state.view.tab == Tab::Data && state.view.section == DataSection::Quality;
        let mads = state.document.training.prepare.quality_mads;
        let hopeless = matches!(state.runtime.findings.quality, QualityFinding::NoCounts | QualityFinding::Failed(_));
        // What is being counted is counted to its end: while a slider moves there is always something to see.
        if !shown || hopeless || screening.quality.is_some() || screening.mads == Some(mads) {
            return;
        }
        screening.mads = Some(mads);
        let (dataset, metrics) = (dataset.clone(), screening.metrics.clone());
        screening.quality = Some(Job::spawn("quality", wake, move |progress| {
            let metrics = match metrics {
                Some(metrics) => Some(metrics),
                None => quality::measure(&dataset, progress)?,
            };
            metrics.map(|metrics| quality::judge(&dataset, metrics, mads, progress)).transpose()
        }));
    }

    /// Compare the guides while they are shown.
    fn poll_guides(&mut self, dataset: &Arc<Dataset>, state: &mut State) {
        let wake = self.wake();
        let screening = &mut self.screening;
        let found = &mut state.runtime.findings.guides;
        if let Some(outcome) = screening.guides.as_mut().and_then(Job::poll) {
            screening.guides = None;
            *found = match outcome {
                Outcome::Finished(Some(check)) => GuideFinding::Ready(Arc::new(check)),
                Outcome::Finished(None) if dataset.guide().is_none() => GuideFinding::NoGuides,
                Outcome::Finished(None) => GuideFinding::NoCounts,
                Outcome::Cancelled => GuideFinding::None,
                Outcome::Failed { message, .. } => GuideFinding::Failed(message),
            };
        }
        let shown = state.view.tab == Tab::Data && state.view.section == DataSection::Guides;
        let mads = state.document.training.prepare.quality_mads;
        if !shown || screening.guides.is_some() || screening.guides_at == Some(mads) {
            return;
        }
        screening.guides_at = Some(mads);
        let (dataset, metrics) = (dataset.clone(), screening.metrics.clone());
        let job = Job::spawn("guides", wake, move |progress| guides::measure(&dataset, metrics, mads, progress));
        screening.guides = Some(job);
    }

    fn poll_testing(&mut self, dataset: &Arc<Dataset>, state: &mut State) {
        let wake = self.wake();
        let screening = &mut self.screening;
        let tests = &mut state.runtime.findings.tests;
        if let Some(testing) = &mut screening.testing
            && let Some(outcome) = testing.job.poll()
            && let Some(Testing { perturbation, test, .. }) = screening.testing.take()
        {
            let stopped = |reason| tests.stopped = Some(Stopped { perturbation, test, reason });
            match outcome {
                Outcome::Finished(group) => {
                    if tests.done.len() >= KEPT {
                        tests.done.remove(0);
                    }
                    tests.done.push(Arc::new(group));
                }
                Outcome::Cancelled => stopped(None),
                Outcome::Failed { message, .. } => stopped(Some(message)),
            }
        }
        let shown = state.view.tab == Tab::Data && state.view.section == DataSection::Differential;
        if shown {
            let chosen = &state.view.perturbation;
            if screening.shown.as_ref().is_none_or(|(of, _)| of != chosen) {
                screening.shown = Some((chosen.clone(), shown_perturbation(dataset, chosen.as_deref())));
            }
            let wanted = screening.shown.as_ref().and_then(|(_, index)| *index);
            if let Some(index) = wanted {
                let (name, test) = (dataset.perturbations()[index].name(), state.view.test);
                let is = |perturbation: &str, other: Test| perturbation == name && other == test;
                let running = screening.testing.as_ref().is_some_and(|testing| is(&testing.perturbation, testing.test));
                let stopped = tests.stopped.as_ref().is_some_and(|stopped| is(&stopped.perturbation, stopped.test));
                if !running && !stopped && tests.find(&name, test).is_none() {
                    tests.stopped = None;
                    let dataset = dataset.clone();
                    // Dropping the job before cancels it.
                    let job =
                        Job::spawn("testing", wake, move |progress| test_perturbation(&dataset, index, test, progress));
                    screening.testing = Some(Testing { perturbation: name, test, job });
                }
            }
        }
        tests.running =
            screening.testing.as_ref().map(|testing| (testing.perturbation.clone(), testing.job.progress()));
    }

    /// End the test under way.
    pub(in crate::app) fn cancel_testing(&mut self) {
        if let Some(testing) = &self.screening.testing {
            testing.job.cancel();
        }
    }
}
