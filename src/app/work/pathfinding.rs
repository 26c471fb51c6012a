//! Paths between genes follow the document's question in the background.

use std::sync::Arc;

use super::Work;
use crate::app::findings::{FoundPaths, PathFinding};
use crate::app::state::State;
use crate::document::{NetworkFilter, PathQuery};
use crate::jobs::{Job, Outcome};
use crate::network::Grn;
use crate::network::paths::Path;

/// What was asked last, and the job that answers it.
#[derive(Default)]
pub(super) struct Pathfinder {
    asked: Option<Asked>,
    job: Option<Job<Vec<Path>>>,
}

struct Asked {
    network: Arc<Grn>,
    query: PathQuery,
    /// Where paths keep to.
    filter: NetworkFilter,
}

impl Asked {
    fn is(&self, network: &Arc<Grn>, query: &PathQuery, filter: &NetworkFilter) -> bool {
        Arc::ptr_eq(&self.network, network)
            && self.query.asks_the_same(query)
            && (query.all_edges || self.filter == *filter)
    }
}

impl Work {
    pub(super) fn poll_pathfinding(&mut self, state: &mut State) {
        let wake = self.wake();
        let finder = &mut self.pathfinding;
        let (Some(query), Some(network)) = (&state.document.paths, state.network()) else {
            if finder.asked.is_some() || !matches!(state.runtime.paths, PathFinding::None) {
                *finder = Pathfinder::default();
                state.runtime.paths = PathFinding::None;
            }
            return;
        };
        let filter = &state.document.filter;
        if !finder.asked.as_ref().is_some_and(|asked| asked.is(network, query, filter)) {
            let ends = [&query.from, &query.to].map(|gene| network.find(gene).ok_or(gene));
            finder.asked = Some(Asked { network: network.clone(), query: query.clone(), filter: filter.clone() });
            // Dropping the job before cancels it.
            finder.job = None;
            if let Some(missing) = ends.into_iter().find_map(Result::err) {
                state.runtime.paths = PathFinding::Failed(format!("{missing} is no node of this network"));
                return;
            }
            let (network, query) = (network.clone(), query.clone());
            let filter = filter.clone();
            finder.job = Some(Job::spawn("paths", wake, move |progress| query.answer(&network, &filter, progress)));
            let previous = state.runtime.paths.found().cloned();
            state.runtime.paths = PathFinding::Running { previous };
        }
        let (Some(outcome), Some(asked)) = (finder.job.as_mut().and_then(Job::poll), &finder.asked) else { return };
        finder.job = None;
        state.runtime.paths = match outcome {
            Outcome::Finished(paths) => {
                let (network, query) = (asked.network.clone(), asked.query.clone());
                PathFinding::Ready(Arc::new(FoundPaths { network, query, paths }))
            }
            Outcome::Cancelled => PathFinding::None,
            Outcome::Failed { message, .. } => PathFinding::Failed(message),
        };
    }
}
