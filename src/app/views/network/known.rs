//! What is known of the genes and edges shown beyond the network itself: statistics and the reference network, computed
//! away from the frame and kept while nothing changes.

use std::sync::Arc;

use super::Shown;
use crate::app::state::State;
use crate::app::views::edge_evidence::in_reference;
use crate::document::NetworkFilter;
use crate::jobs::{Job, Outcome};
use crate::network::gene_names::GeneNames;
use crate::network::reference::{Overlap, ReferenceNetwork, ReferenceOverlay};
use crate::network::statistics::GeneStatistics;
use crate::network::{Edge, Grn};
use crate::tasks::look::{STATISTICS_SEED, needs_statistics};

/// Statistics of the edges shown, and what the reference knows of them.
#[derive(Default)]
pub struct Known {
    statistics: Option<Arc<GeneStatistics>>,
    /// What they were made of, or are being made of.
    counted: Option<(Arc<Grn>, NetworkFilter)>,
    counting: Option<Job<GeneStatistics>>,
    /// Why there are none.
    failed: Option<String>,
    overlay: Option<Arc<ReferenceOverlay>>,
    laid: Option<(Arc<Grn>, Arc<ReferenceNetwork>, Option<Arc<GeneNames>>)>,
    laying: Option<Job<ReferenceOverlay>>,
    overlap: Option<(NetworkFilter, Overlap)>,
    version: u64,
}

impl Known {
    /// Grows whenever something new is known.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Statistics of the edges shown; of those shown before while they are counted anew.
    pub fn statistics(&self) -> Option<&Arc<GeneStatistics>> {
        self.statistics.as_ref()
    }

    /// Statistics of exactly the edges shown.
    pub fn current_statistics(&self) -> Option<&Arc<GeneStatistics>> {
        self.statistics.as_ref().filter(|_| self.counting.is_none())
    }

    /// Whether statistics are being computed.
    pub fn is_counting(&self) -> bool {
        self.counting.is_some()
    }

    /// Why there are no statistics.
    pub fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// What the reference network knows.
    pub fn overlay(&self) -> Option<&Arc<ReferenceOverlay>> {
        self.overlay.as_ref()
    }

    /// How many of the edges shown the reference knows.
    pub fn overlap(&self) -> Option<&Overlap> {
        self.overlap.as_ref().map(|(_, overlap)| overlap)
    }

    /// Bring everything up to the state.
    pub(super) fn follow(&mut self, shown: &Shown, state: &State, wake: impl Fn() + Send + Sync + Clone + 'static) {
        self.follow_statistics(shown, state, wake.clone());
        self.follow_reference(shown, state, wake);
    }

    fn follow_statistics(&mut self, shown: &Shown, state: &State, wake: impl Fn() + Send + Sync + 'static) {
        if let Some(outcome) = self.counting.as_mut().and_then(Job::poll) {
            self.counting = None;
            match outcome {
                Outcome::Finished(found) => self.statistics = Some(Arc::new(found)),
                Outcome::Cancelled => {}
                Outcome::Failed { message, .. } => self.failed = Some(message),
            }
            self.version += 1;
        }
        let network = shown.network();
        if self.counted.as_ref().is_some_and(|(counted, _)| !Arc::ptr_eq(counted, network)) {
            (self.counted, self.counting, self.statistics, self.failed) = (None, None, None, None);
            self.version += 1;
        }
        let asked = needs_statistics(&state.document.style);
        let filter = shown.filter();
        if asked && self.counted.as_ref().is_none_or(|(_, counted)| counted != filter) {
            self.counted = Some((network.clone(), filter.clone()));
            self.failed = None;
            let (network, edges) = (network.clone(), shown.positions().to_vec());
            // Dropping the job before cancels it.
            self.counting = Some(Job::spawn("statistics", wake, move |progress| {
                let edges = edges.iter().map(|at| &network.edges()[*at as usize]);
                GeneStatistics::of(&network, edges, STATISTICS_SEED, progress)
            }));
        }
    }

    fn follow_reference(&mut self, shown: &Shown, state: &State, wake: impl Fn() + Send + Sync + 'static) {
        if let Some(outcome) = self.laying.as_mut().and_then(Job::poll) {
            self.laying = None;
            if let Outcome::Finished(overlay) = outcome {
                self.overlay = Some(Arc::new(overlay));
            }
            self.version += 1;
        }
        let network = shown.network();
        let reference = state.runtime.attached.reference.as_ref();
        let names = state.runtime.attached.gene_names.as_ref();
        let current = match (&self.laid, reference) {
            (Some((laid, of, by)), Some(reference)) => {
                let same_names = by.as_ref().map(Arc::as_ptr) == names.map(Arc::as_ptr);
                same_names && Arc::ptr_eq(laid, network) && Arc::ptr_eq(of, reference)
            }
            (None, None) => true,
            _ => false,
        };
        if !current {
            (self.laid, self.laying, self.overlay, self.overlap) = (None, None, None, None);
            self.version += 1;
            if let Some(reference) = reference {
                self.laid = Some((network.clone(), reference.clone(), names.cloned()));
                let (network, reference, names) = (network.clone(), reference.clone(), names.cloned());
                self.laying = Some(Job::spawn("reference", wake, move |_| {
                    Ok::<_, std::convert::Infallible>(ReferenceOverlay::of(&reference, &network, names.as_deref()))
                }));
            }
        }
        let filter = shown.filter();
        if let Some(overlay) = &self.overlay
            && self.overlap.as_ref().is_none_or(|(of, _)| of != filter)
        {
            self.overlap = Some((filter.clone(), overlay.overlap(shown.edges())));
        }
    }

    /// What the reference says of an edge, in a clause; none without reference.
    pub fn says(&self, edge: &Edge, state: &State) -> Option<String> {
        let name = state.runtime.attached.reference.as_ref()?.name();
        Some(in_reference(self.overlay.as_ref()?.sign_of(edge), edge.sign, name))
    }
}
