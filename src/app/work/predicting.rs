//! The prediction follows the document's knock-out in the background: the newest question wins.
//!
//! While a dose is dragged, every frame asks anew. A question that is being answered for other doses of the same genes is
//! answered to its end (a moment) and shown meanwhile, so that the picture follows the slider; then the newest is taken up,
//! those between are never asked. A question for other genes ends at once. What a gene brings is drawn when it is selected, before
//! anybody asks.

use std::sync::Arc;

use super::Work;
use crate::app::state::{Prediction, State};
use crate::jobs::{Job, Outcome};
use crate::models::{Intervention, PredictError, PredictedEffect, TrainedModel};

/// Selected genes that are drawn ahead.
const MOST_READY: usize = 8;

/// The newest question, and the job that answers it or the one before.
#[derive(Default)]
pub(super) struct Predictor {
    asked: Option<Question>,
    running: Option<(Question, Job<PredictedEffect>)>,
    /// Who may be asked about next: the selected genes.
    ready: Option<(Arc<TrainedModel>, Vec<String>, Job<()>)>,
}

/// The response of a model to doses of genes.
#[derive(Clone)]
struct Question {
    model: Arc<TrainedModel>,
    asked: Intervention,
}

impl PartialEq for Question {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.model, &other.model) && self.asked == other.asked
    }
}

impl Question {
    /// Whether it differs from `other` in doses or cells at most.
    fn is_near(&self, other: &Self) -> bool {
        let genes = |question: &Self| question.asked.doses().iter().map(|(gene, _)| gene.clone()).collect::<Vec<_>>();
        Arc::ptr_eq(&self.model, &other.model) && genes(self) == genes(other)
    }
}

impl Predictor {
    /// Ask anew even if nothing changed.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Work {
    pub(super) fn poll_predicting(&mut self, state: &mut State) {
        self.get_ready(state);
        let wake = self.wake();
        let Predictor { asked, running, .. } = &mut self.predicting;
        let prediction = &mut state.runtime.prediction;
        let Some((model, intervention)) = state.runtime.model.as_ref().zip(state.document.intervention()) else {
            if asked.is_some() || !matches!(prediction, Prediction::None) {
                (*asked, *running) = (None, None);
                *prediction = Prediction::None;
            }
            return;
        };
        let is_asked = |question: &Question| Arc::ptr_eq(&question.model, model) && question.asked == intervention;
        if !asked.as_ref().is_some_and(is_asked) {
            let question = Question { model: model.clone(), asked: intervention.clone() };
            let same_model = asked.as_ref().is_some_and(|before| Arc::ptr_eq(&before.model, model));
            let previous = prediction.effect().filter(|_| same_model).cloned();
            *prediction = Prediction::Pending { previous };
            // Dropping a job cancels it.
            running.take_if(|(before, _)| !before.is_near(&question));
            *asked = Some(question);
        }
        let outcome = running.as_mut().and_then(|(_, job)| job.poll());
        if let Some(outcome) = outcome
            && let Some((question, _)) = running.take()
        {
            take(outcome, asked.as_ref() == Some(&question), prediction);
        }
        if let (None, Prediction::Pending { .. }, Some(question)) = (&running, &*prediction, asked) {
            let question = question.clone();
            let Question { model, asked } = question.clone();
            let job =
                Job::spawn("prediction", wake, move |progress| model.predict(&asked, progress).map_err(PredictFailure));
            *running = Some((question, job));
        }
    }
}

impl Work {
    /// Draw ahead for the selected genes; not while a model trains, which needs the processor more.
    fn get_ready(&mut self, state: &State) {
        let predictor = &mut self.predicting;
        let Some(model) = state.runtime.model.as_ref().filter(|_| !state.is_training()) else {
            predictor.ready = None;
            return;
        };
        let genes = &state.document.selection[..state.document.selection.len().min(MOST_READY)];
        let is_ready =
            |(of, known, _): &(Arc<TrainedModel>, Vec<String>, Job<()>)| Arc::ptr_eq(of, model) && known == genes;
        if predictor.ready.as_ref().is_some_and(is_ready) || predictor.running.is_some() {
            return;
        }
        let (asked, genes) = (model.clone(), genes.to_vec());
        let about = genes.clone();
        let job = Job::spawn(
            "ready to predict",
            || {},
            move |progress| asked.get_ready(&about, progress).map_err(PredictFailure),
        );
        predictor.ready = Some((model.clone(), genes, job));
    }
}

/// Take the answer to the newest question, or to one before.
fn take(outcome: Outcome<PredictedEffect>, newest: bool, prediction: &mut Prediction) {
    *prediction = match (outcome, newest) {
        (Outcome::Finished(effect), true) => Prediction::Ready(Arc::new(effect)),
        (Outcome::Finished(effect), false) => Prediction::Pending { previous: Some(Arc::new(effect)) },
        // What ails an older question is no news; the newest is asked next.
        (_, false) => return,
        (Outcome::Cancelled, true) => Prediction::None,
        (Outcome::Failed { message, panicked: false }, true) => Prediction::Failed(message),
        (Outcome::Failed { message, panicked: true }, true) => {
            Prediction::Failed(format!("the prediction failed by a defect of the program: {message}"))
        }
    };
}

/// The sentence for the user.
struct PredictFailure(PredictError);

impl std::fmt::Display for PredictFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Novelty;

    fn effect(name: &str) -> PredictedEffect {
        PredictedEffect {
            name: name.into(),
            novelty: Novelty::NeverPerturbed,
            lenders: None,
            extrapolated: false,
            responding: None,
            shifts: vec![0.5],
            spread: None,
            control: vec![1.0],
        }
    }

    fn failed() -> Outcome<PredictedEffect> {
        Outcome::Failed { message: "no".into(), panicked: false }
    }

    #[test]
    fn an_older_answer_is_shown_until_the_newest_is_there() {
        let mut prediction = Prediction::Pending { previous: None };
        take(Outcome::Finished(effect("A × 0.4")), false, &mut prediction);
        assert!(matches!(&prediction, Prediction::Pending { previous: Some(shown) } if shown.name == "A × 0.4"));
        take(failed(), false, &mut prediction);
        assert_eq!(prediction.effect().unwrap().name, "A × 0.4", "an older failure is no news");
        take(Outcome::Finished(effect("A × 0.5")), true, &mut prediction);
        assert!(matches!(&prediction, Prediction::Ready(shown) if shown.name == "A × 0.5"));
        take(failed(), true, &mut prediction);
        assert!(matches!(&prediction, Prediction::Failed(reason) if reason == "no"));
    }
}
