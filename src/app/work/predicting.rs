//! The prediction follows the document's knock-out in the background.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Work;
use crate::app::state::{Prediction, State};
use crate::jobs::{Job, Outcome};
use crate::models::{Intervention, PredictError, PredictedEffect, TrainedModel};

/// What was asked last, and the job that answers it.
#[derive(Default)]
pub(super) struct Predictor {
    asked: Option<(Arc<TrainedModel>, BTreeMap<String, f32>)>,
    job: Option<Job<PredictedEffect>>,
}

impl Predictor {
    /// Ask anew even if nothing changed.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    fn is_answering(&self, model: &Arc<TrainedModel>, doses: &BTreeMap<String, f32>) -> bool {
        self.asked.as_ref().is_some_and(|(asked, about)| Arc::ptr_eq(asked, model) && about == doses)
    }
}

impl Work {
    pub(super) fn poll_predicting(&mut self, state: &mut State) {
        let wake = self.wake();
        let predictor = &mut self.predicting;
        let prediction = &mut state.runtime.prediction;
        let doses = &state.document.knock_out;
        let Some(model) = state.runtime.model.as_ref().filter(|_| !doses.is_empty()) else {
            if predictor.asked.is_some() || !matches!(prediction, Prediction::None) {
                predictor.forget();
                *prediction = Prediction::None;
            }
            return;
        };
        if !predictor.is_answering(model, doses) {
            predictor.asked = Some((model.clone(), doses.clone()));
            let (model, doses) = (model.clone(), doses.clone());
            // Dropping the job before cancels it.
            predictor.job = Some(Job::spawn("prediction", wake, move |progress| {
                model.predict(&Intervention::with_doses(doses), progress).map_err(PredictFailure)
            }));
            *prediction = Prediction::Pending { previous: prediction.effect().cloned() };
        }
        let Some(outcome) = predictor.job.as_mut().and_then(Job::poll) else { return };
        predictor.job = None;
        *prediction = match outcome {
            Outcome::Finished(effect) => Prediction::Ready(Arc::new(effect)),
            Outcome::Cancelled => Prediction::None,
            Outcome::Failed { message, panicked: false } => Prediction::Failed(message),
            Outcome::Failed { message, panicked: true } => {
                Prediction::Failed(format!("the prediction failed by a defect of the program: {message}"))
            }
        };
    }
}

/// The sentence for the user.
struct PredictFailure(PredictError);

impl std::fmt::Display for PredictFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}
