//! Background work of the window: each kind of job has a file; nothing here waits.
//!
//! [`Work::poll`] runs once a frame: it takes what the jobs sent and either writes it into the [`Runtime`] or queues an
//! action.

mod attaching;
mod autosaving;
mod choosing;
mod edge_testing;
mod evaluating;
mod explaining;
mod exporting;
mod filtering;
mod listing;
mod naming;
mod opening;
mod paging;
mod pathfinding;
mod predicting;
mod previewing;
mod saving;
mod screening;
mod training;
mod waving;

use std::sync::Arc;

use super::action::Action;
use super::chooser::FileChooser;
use super::findings::FoundPreview;
use super::state::{Activity, Runtime, State};
use crate::jobs::Job;

pub(super) use autosaving::Recovered;
pub(super) use choosing::{Choosing, Purpose, known_edges, start_from};
pub(super) use evaluating::short;
pub(super) use opening::{OpenRequest, Opened, OpenedNetworkFile};

/// What went wrong in a job, and what to do about it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) detail: String,
    pub(super) remedy: String,
}

impl Failure {
    fn new(error: &anyhow::Error, remedy: impl Into<String>) -> Self {
        Self { detail: format!("{error:#}"), remedy: remedy.into() }
    }
}

/// A panic is a defect of the program; say so and what still works.
const DEFECT: &str = "This is a defect of the program; everything else goes on. Please report it with the words above";

/// All jobs.
pub(super) struct Work {
    context: egui::Context,
    chooser: Arc<dyn FileChooser>,
    choosing: Option<Choosing>,
    opening: Option<opening::Opening>,
    training: Option<training::Training>,
    predicting: predicting::Predictor,
    previewing: Option<Job<FoundPreview>>,
    screening: screening::Screening,
    saving: Vec<saving::Saving>,
    exporting: Vec<exporting::Exporting>,
    evaluating: Option<evaluating::Evaluating>,
    filtering: filtering::Filtering,
    listing: Option<listing::Listing>,
    attaching: attaching::Attaching,
    edge_testing: edge_testing::EdgeTester,
    naming: naming::Naming,
    autosaving: autosaving::Autosaving,
    paging: paging::Paging,
    explaining: explaining::Explaining,
    pathfinding: pathfinding::Pathfinder,
    waving: waving::Waving,
}

impl Work {
    pub(super) fn new(context: egui::Context, chooser: Arc<dyn FileChooser>) -> Self {
        Self {
            context,
            chooser,
            choosing: None,
            opening: None,
            training: None,
            predicting: predicting::Predictor::default(),
            previewing: None,
            screening: screening::Screening::default(),
            saving: Vec::new(),
            exporting: Vec::new(),
            evaluating: None,
            filtering: filtering::Filtering::default(),
            listing: None,
            attaching: attaching::Attaching::default(),
            edge_testing: edge_testing::EdgeTester::default(),
            naming: naming::Naming::default(),
            autosaving: autosaving::Autosaving::default(),
            paging: paging::Paging::default(),
            explaining: explaining::Explaining::default(),
            pathfinding: pathfinding::Pathfinder::default(),
            waving: waving::Waving::default(),
        }
    }

    /// What wakes the window when a job has news.
    fn wake(&self) -> impl Fn() + Send + Sync + 'static {
        let context = self.context.clone();
        move || context.request_repaint()
    }

    /// Take what the jobs sent.
    pub(super) fn poll(&mut self, state: &mut State, actions: &mut Vec<Action>) {
        self.poll_choosing(state, actions);
        self.poll_opening(state, actions);
        self.poll_training(state);
        self.poll_saving(state, actions);
        self.poll_exporting(state);
        self.poll_listing(state, actions);
        self.poll_attaching(state);
        self.poll_filtering(state);
        self.poll_naming(state);
        self.poll_pathfinding(state);
        self.poll_predicting(state);
        self.poll_previewing(state);
        self.poll_screening(state);
        self.poll_evaluating(state);
        self.poll_paging(state);
        self.poll_explaining(state);
        self.poll_waving(state);
        self.poll_edge_testing(state);
        self.poll_autosaving(state);
        self.list_activities(&mut state.runtime);
    }

    fn list_activities(&self, runtime: &mut Runtime) {
        fn activity<T: Send + 'static>(name: String, job: &Job<T>) -> Activity {
            Activity { name, progress: job.progress() }
        }
        runtime.activities.clear();
        if let Some(opening) = &self.opening {
            runtime.activities.push(activity(opening.title(), &opening.job));
        }
        if let Some(evaluating) = &self.evaluating {
            runtime.activities.push(activity(evaluating.title(), &evaluating.job));
        }
        if let Some((name, progress)) = self.screening.activity() {
            runtime.activities.push(Activity { name, progress });
        }
        let attaching = self.attaching.activities();
        runtime.activities.extend(attaching.map(|(name, progress)| Activity { name, progress }));
        runtime.activities.extend(self.saving.iter().map(|saving| activity(saving.title(), &saving.job)));
        runtime.activities.extend(self.exporting.iter().map(|export| activity(export.title(), &export.job)));
    }
}

/// The name of a file for people.
pub(super) fn file_name(path: &std::path::Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
