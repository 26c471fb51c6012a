//! The figure page, drawn in the background while it is shown; the newest question wins.

use std::sync::Arc;

use super::Work;
use crate::app::attached::Other;
use crate::app::state::{PageDrawing, Prediction, State, Tab};
use crate::document::Document;
use crate::jobs::{Job, Outcome};
use crate::models::PredictedEffect;
use crate::tasks::figure::{Page, page};
use crate::tasks::networks::OpenedNetwork;

/// What was asked last, and the job that answers it.
#[derive(Default)]
pub(super) struct Paging {
    asked: Option<Asked>,
    job: Option<Job<Page>>,
}

#[derive(Clone)]
struct Asked {
    document: Document,
    opened: Arc<OpenedNetwork>,
    other: Option<Other>,
    effect: Option<Arc<PredictedEffect>>,
}

impl Asked {
    fn is(&self, state: &State, other: Option<&Other>, effect: Option<&Arc<PredictedEffect>>) -> bool {
        let same_network = state.settled_network().is_some_and(|network| Arc::ptr_eq(&self.opened.grn, network));
        let same_effect = match (&self.effect, effect) {
            (Some(known), Some(effect)) => Arc::ptr_eq(known, effect),
            (None, None) => true,
            _ => false,
        };
        let same_other = self.other.as_ref() == other;
        same_network && same_other && same_effect && self.document == state.document
    }
}

impl Work {
    pub(super) fn poll_paging(&mut self, state: &mut State) {
        if state.settled_network().is_none() {
            self.paging = Paging::default();
            state.runtime.page = PageDrawing::None;
            return;
        }
        // While the knock-out is being predicted there is no answer to draw.
        let waits = matches!(state.runtime.prediction, Prediction::Pending { .. });
        let effect = state.runtime.prediction.effect();
        let other = state.other_network();
        if state.view.tab == Tab::Figure
            && !waits
            && !self.paging.asked.as_ref().is_some_and(|asked| asked.is(state, other.as_ref(), effect))
            && let Some(opened) = state.opened_network()
        {
            let asked = Asked { document: state.document.clone(), opened, other, effect: effect.cloned() };
            self.paging.asked = Some(asked.clone());
            self.paging.job = Some(Job::spawn("figure page", self.wake(), move |progress| {
                let other = asked.other.as_ref().map(Other::network);
                page(&asked.document, &asked.opened, other.as_deref(), asked.effect.as_deref(), progress)
            }));
        }
        let Some(outcome) = self.paging.job.as_mut().and_then(Job::poll) else { return };
        self.paging.job = None;
        match outcome {
            Outcome::Finished(page) => state.runtime.page = PageDrawing::Ready(Arc::new(page)),
            Outcome::Cancelled => {}
            Outcome::Failed { message, .. } => state.runtime.page = PageDrawing::Failed(message),
        }
    }
}
