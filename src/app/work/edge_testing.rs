//! The edges shown, tested on held-out cells in the background while somebody asks for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Work;
use crate::app::findings::EdgeTesting;
use crate::app::state::State;
use crate::data::Dataset;
use crate::document::EdgeAttribute;
use crate::evaluation::networks::EdgeTest;
use crate::jobs::{Job, Outcome, Progress as _};
use crate::models::TrainedModel;
use crate::network::{Edge, Grn};
use crate::tasks::edge_tests::{EdgeTests, HeldOutCells, MOST_EDGES, obstacle, test_edges};

type Tests = Vec<(u32, Option<EdgeTest>)>;

/// What is being tested, and what was.
#[derive(Default)]
pub(super) struct EdgeTester {
    of: Option<Of>,
    cells: Option<Arc<HeldOutCells>>,
    /// Every edge tested so far; other edges shown take what is there.
    known: BTreeMap<u32, Option<EdgeTest>>,
    /// The edges asked for last.
    asked: Option<Asked>,
    /// Whether an edge was pointed at since.
    pointed: bool,
    job: Option<Job<(Arc<HeldOutCells>, Tests)>>,
}

#[derive(Clone)]
struct Of {
    dataset: Arc<Dataset>,
    model: Arc<TrainedModel>,
    network: Arc<Grn>,
}

impl Of {
    fn is(&self, other: &Self) -> bool {
        let data = Arc::ptr_eq(&self.dataset, &other.dataset) && Arc::ptr_eq(&self.model, &other.model);
        data && Arc::ptr_eq(&self.network, &other.network)
    }
}

#[derive(Clone, PartialEq)]
struct Asked {
    /// The edges shown.
    shown: Arc<[u32]>,
    /// The edges between the last two genes of the selection.
    between: Vec<u32>,
}

impl State {
    /// Positions of the edges between the last two genes of the selection in the network's list.
    pub(in crate::app) fn edges_between(&self) -> Vec<u32> {
        let [.., other, gene] = self.document.selection.as_slice() else { return Vec::new() };
        let Some(network) = self.network() else { return Vec::new() };
        let (Some(other), Some(gene)) = (network.find(other), network.find(gene)) else { return Vec::new() };
        let edges = [network.edge(other, gene), network.edge(gene, other)].into_iter().flatten();
        edges.map(|edge| edge.rank - 1).collect()
    }

    /// Why edges cannot be tested on held-out cells; none if they can.
    pub(in crate::app) fn edge_test_obstacle(&self) -> Option<String> {
        if self.network_is_live() {
            return Some("The network is still being learned".to_owned());
        }
        let Some(model) = &self.runtime.model else {
            return Some("Held-out cells are known to the model alone that learned the network".to_owned());
        };
        match &self.runtime.dataset {
            Some(dataset) => obstacle(dataset, model),
            None => Some(format!("Open the data set {} too: it has the held-out cells", model.card().dataset.name)),
        }
    }

    /// Whether an edge could be tested on held-out cells, and nobody tests it yet.
    pub(in crate::app) fn edge_awaits_test(&self, edge: &Edge) -> bool {
        matches!(self.runtime.edge_testing, EdgeTesting::None | EdgeTesting::Ready(_))
            && self.edge_test_obstacle().is_none()
            && self.edge_tests().is_none_or(|tests| !tests.knows(edge))
    }

    /// The tests of the network shown, as far as they are known.
    pub(in crate::app) fn edge_tests(&self) -> Option<&Arc<EdgeTests>> {
        let network = self.network()?;
        self.runtime.edge_testing.known().filter(|tests| tests.is_of(network))
    }
}

impl Work {
    pub(super) fn poll_edge_testing(&mut self, state: &mut State) {
        let of = || {
            let runtime = &state.runtime;
            let network = state.network()?.clone();
            Some(Of { dataset: runtime.dataset.clone()?, model: runtime.model.clone()?, network })
        };
        let Some(of) = of().filter(|_| state.edge_test_obstacle().is_none()) else {
            if self.edge_testing.of.take().is_some() {
                self.edge_testing = EdgeTester::default();
                state.runtime.edge_testing = EdgeTesting::None;
            }
            return;
        };
        if !self.edge_testing.of.as_ref().is_some_and(|known| known.is(&of)) {
            // Dropping the job cancels it.
            self.edge_testing = EdgeTester { of: Some(of.clone()), ..EdgeTester::default() };
            state.runtime.edge_testing = EdgeTesting::None;
        }
        self.take_tests(&of, state);
        let between = state.edges_between();
        let pointed = std::mem::take(&mut self.edge_testing.pointed);
        if state.document.style.edge_colour != EdgeAttribute::HeldOut && between.is_empty() && !pointed {
            return;
        }
        let Some(shown) = state.shown() else { return };
        let asked = Asked { shown: shown.edge_positions().clone(), between };
        let same = |known: &Asked| Arc::ptr_eq(&known.shown, &asked.shown) && known.between == asked.between;
        if self.edge_testing.asked.as_ref().is_some_and(same) {
            return;
        }
        self.edge_testing.asked = Some(asked);
        self.test_missing(&of, state);
    }

    /// Take what a job found, and adjust the p values of all edges asked for.
    fn take_tests(&mut self, of: &Of, state: &mut State) {
        let tester = &mut self.edge_testing;
        let Some(job) = &mut tester.job else { return };
        match job.poll() {
            None => {
                let previous = state.runtime.edge_testing.known().cloned();
                state.runtime.edge_testing = EdgeTesting::Running(job.progress(), previous);
            }
            Some(Outcome::Finished((cells, found))) => {
                tester.cells = Some(cells);
                tester.known.extend(found);
                tester.job = None;
                self.test_missing(of, state);
            }
            Some(Outcome::Cancelled) => {
                tester.job = None;
                state.runtime.edge_testing = EdgeTesting::Stopped(None);
            }
            Some(Outcome::Failed { message, .. }) => {
                tester.job = None;
                state.runtime.edge_testing = EdgeTesting::Stopped(Some(message));
            }
        }
    }

    /// Test those of the edges asked for that were not tested before; where there are none, the answer is there.
    fn test_missing(&mut self, of: &Of, state: &mut State) {
        let wake = self.wake();
        let tester = &mut self.edge_testing;
        let Some(asked) = &tester.asked else { return };
        let best = &asked.shown[..asked.shown.len().min(MOST_EDGES)];
        let mut wanted: Vec<u32> = best.iter().chain(&asked.between).copied().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let missing: Vec<u32> = wanted.iter().copied().filter(|at| !tester.known.contains_key(at)).collect();
        if let (true, Some(cells)) = (missing.is_empty(), &tester.cells) {
            let found = wanted.iter().filter_map(|at| Some((*at, *tester.known.get(at)?)));
            let left_out = asked.shown.len() - best.len();
            let tests = EdgeTests::of(&of.network, cells.kind(), found, left_out);
            state.runtime.edge_testing = EdgeTesting::Ready(Arc::new(tests));
            return;
        }
        let (of, cells) = (of.clone(), tester.cells.clone());
        let previous = state.runtime.edge_testing.known().cloned();
        state.runtime.edge_testing = EdgeTesting::Running(Default::default(), previous);
        // Dropping the job before cancels it.
        tester.job = Some(Job::spawn("edge tests", wake, move |progress| {
            progress.stage("Reading held-out cells", None);
            let cells = match cells {
                Some(cells) => cells,
                None => Arc::new(HeldOutCells::new(&of.dataset, &of.model, &of.network, progress)?),
            };
            let found = test_edges(&cells, &of.network, &missing);
            anyhow::Ok((cells, found))
        }));
    }

    /// Stop testing edges.
    pub(in crate::app) fn cancel_edge_tests(&mut self) {
        if let Some(job) = &self.edge_testing.job {
            job.cancel();
        }
    }

    /// Test the edges that are shown.
    pub(in crate::app) fn test_shown_edges(&mut self) {
        self.edge_testing.pointed = true;
    }

    /// Test again what was stopped.
    pub(in crate::app) fn test_edges_again(&mut self) {
        self.edge_testing.asked = None;
    }
}
