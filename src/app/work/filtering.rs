//! The filter of a large network is applied in the background.

use std::convert::Infallible;
use std::sync::Arc;

use super::{DEFECT, Work};
use crate::app::state::{Severity, State};
use crate::app::views::network::Shown;
use crate::document::NetworkFilter;
use crate::jobs::{Job, Outcome};
use crate::network::Grn;

/// The filter that is being applied.
#[derive(Default)]
pub(super) struct Filtering {
    job: Option<Job<Arc<Shown>>>,
    /// Of the job, or of one that failed.
    asked: Option<(Arc<Grn>, NetworkFilter)>,
}

impl Work {
    /// One filter at a time, then the newest: while one is dragged the picture follows.
    pub(super) fn poll_filtering(&mut self, state: &mut State) {
        let wake = self.wake();
        let Filtering { job, asked } = &mut self.filtering;
        if let Some(outcome) = job.as_mut().and_then(Job::poll) {
            *job = None;
            match outcome {
                Outcome::Finished(shown) => {
                    *asked = None;
                    state.take_filtered(shown);
                }
                Outcome::Cancelled => *asked = None,
                Outcome::Failed { message, .. } => {
                    state.runtime.tell(Severity::Error, "The filters cannot be applied", message, DEFECT);
                }
            }
        }
        if job.is_some() {
            return;
        }
        let Some((network, filter)) = state.to_be_filtered() else { return };
        if !asked.as_ref().is_some_and(|(of, failed)| Arc::ptr_eq(of, network) && failed == filter) {
            let (network, filter) = asked.insert((network.clone(), filter.clone())).clone();
            *job =
                Some(Job::spawn("filter", wake, move |_| Ok::<_, Infallible>(Arc::new(Shown::of(&network, &filter)))));
        }
    }
}
