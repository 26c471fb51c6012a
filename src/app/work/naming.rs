//! Names from a table are added to the search in the background.

use std::convert::Infallible;
use std::sync::Arc;

use super::Work;
use crate::app::state::State;
use crate::app::views::search::SearchIndex;
use crate::jobs::{Job, Outcome};
use crate::network::Grn;
use crate::network::gene_names::GeneNames;

/// The index that is being made.
#[derive(Default)]
pub(super) struct Naming {
    job: Option<Job<Arc<SearchIndex>>>,
    /// Of the job, or of one that failed.
    asked: Option<(Arc<Grn>, Option<Arc<GeneNames>>)>,
}

impl Work {
    pub(super) fn poll_naming(&mut self, state: &State) {
        let wake = self.wake();
        let Naming { job, asked } = &mut self.naming;
        if let Some(outcome) = job.as_mut().and_then(Job::poll) {
            *job = None;
            if let Outcome::Finished(index) = outcome {
                *asked = None;
                state.take_search(index);
            }
        }
        let Some(network) = state.network().filter(|_| job.is_none() && state.names_are_new()) else { return };
        let names = &state.runtime.attached.gene_names;
        let same = |(of, failed): &(Arc<Grn>, Option<Arc<GeneNames>>)| {
            Arc::ptr_eq(of, network) && failed.as_ref().map(Arc::as_ptr) == names.as_ref().map(Arc::as_ptr)
        };
        if asked.as_ref().is_some_and(same) {
            return;
        }
        let (network, names) = asked.insert((network.clone(), names.clone())).clone();
        let (dataset, model) = (state.runtime.dataset.clone(), state.runtime.model.clone());
        *job = Some(Job::spawn("names", wake, move |_| {
            let measured = model.as_ref().map(|model| model.card().genes.as_slice()).unwrap_or_default();
            let index = SearchIndex::new(&network, dataset.as_ref(), measured, names.as_ref());
            Ok::<_, Infallible>(Arc::new(index))
        }));
    }
}
