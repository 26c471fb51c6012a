//! Training, in the background.

use std::sync::Arc;

use super::{DEFECT, Failure, Work, file_name};
use crate::app::attached::Attachment;
use crate::app::command::Command;
use crate::app::state::{Prediction, Severity, State, TrainingRun};
use crate::jobs::{Cancelled, Job, Outcome};
use crate::models::{TrainConfig, TrainedModel};
use crate::preprocess::PrepareError;
use crate::tasks;
use crate::tasks::networks::OpenedNetwork;
use crate::training::{DeviceChoice, NetworkSnapshot, TrainError, TrainingEvent};

/// A training run.
pub(super) struct Training {
    job: Job<Result<TrainedModel, Failure>, TrainingEvent, NetworkSnapshot>,
}

impl Work {
    /// Whether a run of these settings fits into memory; otherwise the user is told what would.
    pub(in crate::app) fn may_train(&self, config: &TrainConfig, device: DeviceChoice, state: &mut State) -> bool {
        let Some(Err(error)) = state.training_memory(config, device).map(|memory| memory.found.clone()) else {
            return true;
        };
        let remedy = "Change the setting, or start all the same on the training page";
        state.runtime.tell(Severity::Error, TOO_LARGE, error.to_string(), remedy);
        state.runtime.offer(Command::ShowTraining);
        false
    }

    /// Train on the open data set; ignored while a run is under way or without data. The run is kept in the folder for unsaved
    /// work; with `resume` it goes on with the one that is there.
    pub(in crate::app) fn train(&mut self, config: TrainConfig, device: DeviceChoice, resume: bool, state: &mut State) {
        let (None, Some(dataset)) = (&self.training, state.runtime.dataset.clone()) else { return };
        let settings = config.clone();
        let kept = self.run_files(resume);
        if let Some((slot, _)) = kept.as_ref().filter(|_| !resume) {
            slot.clear_run();
        }
        let job = Job::spawn("training", self.wake(), move |observer| {
            // The folder stays locked for as long as the run may write there.
            let files = kept.as_ref().map(|(_, files)| files);
            match tasks::train::train(&dataset, &settings, device, files, observer) {
                Ok(model) => Ok(Ok(model)),
                Err(TrainError::Cancelled(_)) => Err(Cancelled),
                Err(error) => {
                    let remedy = remedy(&error);
                    Ok(Err(Failure::new(&error.into(), remedy)))
                }
            }
        });
        self.training = Some(Training { job });
        state.runtime.training = Some(TrainingRun { config, ..TrainingRun::default() });
        state.runtime.last_run = None;
        state.runtime.messages.retain(|message| ![FAILED, TOO_LARGE].contains(&&*message.title));
    }

    pub(in crate::app) fn pause_training(&mut self, paused: bool) {
        if let Some(training) = &self.training {
            training.job.pause(paused);
        }
    }

    pub(in crate::app) fn stop_training(&mut self) {
        if let Some(training) = &self.training {
            training.job.stop();
        }
    }

    pub(in crate::app) fn cancel_training(&mut self) {
        if let Some(training) = &self.training {
            training.job.cancel();
        }
    }

    pub(super) fn poll_training(&mut self, state: &mut State) {
        let Some(training) = &mut self.training else { return };
        // The outcome first: everything sent before the end is drained after it is known.
        let outcome = training.job.poll();
        if let Some(run) = &mut state.runtime.training {
            for event in training.job.drain_metrics() {
                match event {
                    TrainingEvent::Device(device) => run.device = Some(device),
                    TrainingEvent::Member(number, of) => {
                        run.member = Some((number, of));
                        run.epochs.clear();
                    }
                    TrainingEvent::Epoch(metrics) => run.epochs.push(metrics),
                }
            }
            if let Some(snapshot) = training.job.take_preview() {
                run.snapshot = Some(snapshot);
            }
            run.progress = training.job.progress();
            run.elapsed = training.job.elapsed().as_secs_f32();
            run.paused = training.job.is_paused();
            run.stopping = training.job.is_stopping() || training.job.is_cancelling();
        }
        let Some(outcome) = outcome else { return };
        self.training = None;
        let mut run = state.runtime.training.take().unwrap_or_default();
        match outcome {
            Outcome::Finished(Ok(model)) => {
                let card = model.card();
                run.ended = Some(card.ended.clone());
                let detail = match card.members.is_empty() {
                    true => format!("The parameters of epoch {} were kept ({})", card.best_epoch, card.ended),
                    false => format!("The model is an ensemble: {}", card.ended),
                };
                state.runtime.tell(Severity::Done, "Training finished", detail, "");
                state.runtime.offer(Command::ShowNetwork);
                if let Some(before) = state.runtime.model.replace(Arc::new(model)) {
                    // What there was, to compare with.
                    let file = state.document.sources.model.take();
                    let name =
                        file.as_ref().map_or_else(|| "the network before".to_owned(), |file| file_name(&file.path));
                    self.attaching.take(Attachment::Before, file.as_ref());
                    state.document.sources.before = file;
                    state.runtime.attached.before = Some(Arc::new(OpenedNetwork::of_model(name, before)));
                }
                state.runtime.model_unsaved = true;
                state.runtime.prediction = Prediction::None;
                state.document.sources.model = None;
                state.view.perturbation = None;
                self.predicting.forget();
            }
            Outcome::Finished(Err(failure)) => {
                run.ended = Some(failure.detail.clone());
                state.runtime.tell(Severity::Error, FAILED, failure.detail, failure.remedy);
                state.runtime.offer(Command::ShowTraining);
            }
            Outcome::Cancelled => {
                run.ended = Some("cancelled; nothing was kept".to_owned());
                if let Some((slot, _)) = self.run_files(false) {
                    slot.clear_run();
                }
            }
            Outcome::Failed { message, panicked } => {
                run.ended = Some(message.clone());
                let remedy = if panicked { DEFECT } else { "" };
                state.runtime.tell(Severity::Error, FAILED, message, remedy);
            }
        }
        state.runtime.last_run = Some(run);
    }
}

const FAILED: &str = "Training failed";
const TOO_LARGE: &str = "The memory will not do";

/// What the user of the window can do about `error`.
fn remedy(error: &TrainError) -> &'static str {
    match error {
        TrainError::Cancelled(_) => "",
        TrainError::Prepare(PrepareError::NotCounts { .. }) => "Choose the matrix with raw counts on the data page",
        TrainError::Prepare(PrepareError::NoControls) => "Name the control label on the data page",
        TrainError::Prepare(PrepareError::NoPerturbations { .. }) => {
            "Lower the least number of cells per perturbation, or check the perturbation column on the data page"
        }
        TrainError::Prepare(_) => "Check the settings of the preparation",
        TrainError::Checkpoint(_) => "Start the training anew; free some space if the disk is full",
        TrainError::Merge(_) => "",
        TrainError::Device { .. } => "Choose another device, or let the program choose",
        TrainError::Diverged { .. } => "Lower the learning rate, to a third for a start",
        TrainError::PriorNetwork { .. } => "Choose another network to start from, or none",
        TrainError::Setting { .. } | TrainError::Model(_) => "Check the settings of the model",
    }
}
