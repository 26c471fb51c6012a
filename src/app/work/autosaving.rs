//! Keeping what is not saved, for the case that the program ends without being closed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::{OpenRequest, Work};
use crate::app::opened;
use crate::app::state::{Dialog, LostWork, Severity, State, Tab};
use crate::document::Document;
use crate::jobs::{Job, Outcome};
use crate::models::TrainedModel;
use crate::session::recovery::{About, Lost, Recovery, Slot};
use crate::tasks::open;
use crate::training::RunFiles;

/// No more often than this.
const EVERY: Duration = Duration::from_secs(3);

/// What was kept last.
#[derive(Clone)]
struct Kept {
    document: Document,
    /// The model that is in no file yet.
    model: Option<Arc<TrainedModel>>,
    /// A training run is under way, whose checkpoints lie in the slot.
    run: bool,
    slot: Arc<Slot>,
}

/// All that is needed to keep it.
#[derive(Default)]
pub(super) struct Autosaving {
    recovery: Option<Recovery>,
    /// This window's folder, once there was something to keep.
    slot: Option<Arc<Slot>>,
    kept: Option<Kept>,
    job: Option<Job<Kept>>,
    looked: Option<Instant>,
    /// It failed, and the user knows.
    told: bool,
    /// What other windows left, the newest first.
    lost: Vec<Lost>,
    /// Time between checkpoints of a training run.
    checkpoint_every: Duration,
    /// The training run among what was left is to go on, once that is open.
    go_on: bool,
}

impl Work {
    /// Keep what is unsaved below `recovery`. The question about what was left there, if something was.
    pub(in crate::app) fn recover_from(&mut self, recovery: Recovery, checkpoint_every: Duration) -> Option<Dialog> {
        self.autosaving.lost = recovery.lost();
        self.autosaving.checkpoint_every = checkpoint_every;
        // If that fails it is tried again, and told, when there is something to keep.
        self.autosaving.slot = recovery.claim().ok().map(Arc::new);
        self.autosaving.recovery = Some(recovery);
        self.lost()
    }

    fn lost(&self) -> Option<Dialog> {
        let lost = self.autosaving.lost.first()?;
        let About { name, session, model_unsaved, run, .. } = &lost.about;
        let lost = LostWork {
            name: name.clone(),
            session: session.clone(),
            model_unsaved: *model_unsaved,
            run: *run && lost.slot.has_run(),
            age: Duration::from_secs(lost.about.age()),
        };
        Some(Dialog::Recover(lost))
    }

    /// Where a training run is kept, and the folder's lock, which is held for as long; none where nothing is kept.
    pub(super) fn run_files(&self, resume: bool) -> Option<(Arc<Slot>, RunFiles)> {
        let slot = self.autosaving.slot.clone()?;
        let files = RunFiles { model: slot.run(), every: self.autosaving.checkpoint_every, resume };
        Some((slot, files))
    }

    /// Open what was left, and go on with its training run if that is wanted; from then on this window keeps it.
    pub(in crate::app) fn recover_lost(&mut self, go_on: bool) {
        if self.autosaving.lost.is_empty() {
            return;
        }
        self.autosaving.go_on = go_on;
        let lost = self.autosaving.lost.remove(0);
        self.open(OpenRequest::Lost(Arc::new(lost)));
    }

    /// Throw away what was left, and ask about the next.
    pub(in crate::app) fn forget_lost(&mut self, state: &mut State) {
        if !self.autosaving.lost.is_empty() {
            Slot::remove_shared(self.autosaving.lost.remove(0).slot);
        }
        state.view.dialog = self.lost();
    }

    /// The window was closed: nothing is to be recovered.
    pub(in crate::app) fn end_autosaving(&mut self) {
        let Autosaving { slot, kept, job, .. } = std::mem::take(&mut self.autosaving);
        drop((kept, job));
        if let Some(slot) = slot {
            // If a job still writes, the folder goes at the next start.
            Slot::remove_shared(slot);
        }
    }

    pub(super) fn poll_autosaving(&mut self, state: &mut State) {
        if let Some(outcome) = self.autosaving.job.as_mut().and_then(Job::poll) {
            self.autosaving.job = None;
            match outcome {
                Outcome::Finished(kept) => {
                    if !kept.run && !state.is_training() {
                        kept.slot.clear_run();
                    }
                    self.autosaving.slot = Some(kept.slot.clone());
                    self.autosaving.kept = Some(kept);
                    self.autosaving.told = false;
                }
                Outcome::Cancelled => {}
                Outcome::Failed { message, .. } if !self.autosaving.told => {
                    self.autosaving.told = true;
                    let title = "Changes cannot be kept for the case of a crash";
                    state.runtime.tell(Severity::Warning, title, message, "Save the session often, or free some space");
                }
                Outcome::Failed { .. } => {}
            }
        }
        let Some(recovery) = self.autosaving.recovery.clone() else { return };
        if self.autosaving.job.is_some() {
            return;
        }
        if let Some(left) = self.autosaving.looked.and_then(|looked| EVERY.checked_sub(looked.elapsed())) {
            // An idle window draws no frames: what just changed is looked at then.
            self.context.request_repaint_after(left.max(Duration::from_millis(1)));
            return;
        }
        self.autosaving.looked = Some(Instant::now());
        let model = state.runtime.model.clone().filter(|_| state.runtime.model_unsaved);
        let run = state.is_training();
        if model.is_none() && !run && !is_edited(state) {
            if self.autosaving.kept.take().is_some()
                && let Some(slot) = &self.autosaving.slot
            {
                slot.clear();
            }
            return;
        }
        // Nothing else may happen for a while: look again then.
        self.context.request_repaint_after(EVERY);
        let same = |a: &Option<Arc<TrainedModel>>, b: &Option<Arc<TrainedModel>>| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        let kept = self.autosaving.kept.as_ref();
        let model_is_kept = kept.is_some_and(|kept| same(&kept.model, &model));
        if model_is_kept && kept.is_some_and(|kept| kept.run == run && kept.document == state.document) {
            return;
        }
        let (document, slot) = (state.document.clone(), self.autosaving.slot.clone());
        let about = About::now(opened::title(state), state.runtime.session_path.clone(), model.is_some(), run);
        self.autosaving.job = Some(Job::spawn("keeping changes", self.wake(), move |_| {
            let slot = match slot {
                Some(slot) => slot,
                None => Arc::new(recovery.claim().context("in the folder for unsaved work")?),
            };
            let mut written = document.clone();
            if let Some(model) = &model {
                if !model_is_kept {
                    model.save(&slot.model())?;
                }
                written.sources.model = Some(open::model_reference(&slot.model())?);
            }
            slot.write(&written, &about)?;
            anyhow::Ok(Kept { document, model, run, slot })
        }));
    }

    /// What was left was opened: this window goes on with its folder.
    pub(super) fn take_over(&mut self, lost: &Lost, state: &mut State) {
        let slot = lost.slot.clone();
        let model = state.runtime.model.clone().filter(|_| state.runtime.model_unsaved);
        let (document, run) = (state.document.clone(), lost.about.run);
        self.autosaving.kept = Some(Kept { document, model, run, slot: slot.clone() });
        if let Some(own) = self.autosaving.slot.replace(slot) {
            Slot::remove_shared(own);
        }
        if std::mem::take(&mut self.autosaving.go_on) && lost.slot.has_run() {
            let (config, device) = (state.document.training.clone(), state.document.device);
            self.train(config, device, true, state);
            state.view.tab = Tab::Training;
        }
    }
}

/// Whether the document differs from what is in a file, or, where it is in none, from what was opened.
fn is_edited(state: &State) -> bool {
    match &state.runtime.saved_document {
        Some(saved) => *saved != state.document,
        None => state.history.undo_label().is_some(),
    }
}

/// How a recovered document goes on.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::app) struct Recovered {
    /// The session's file, and what it holds; none if it has none.
    pub(in crate::app) session: Option<(PathBuf, Box<Document>)>,
    /// The model is in no file of the user's.
    pub(in crate::app) model_unsaved: bool,
}
