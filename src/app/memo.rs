//! What several views need of the state, worked out once for all of them.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::state::State;
use super::views::network::Shown;
use super::views::search::SearchIndex;
use crate::data::Dataset;
use crate::document::NetworkFilter;
use crate::models::{TrainConfig, TrainedModel};
use crate::network::{Grn, NetworkGene};
use crate::tasks::badges::{self, Badge, Evidence};
use crate::tasks::memory::{self, MemoryEstimate, TooLarge};
use crate::training::DeviceChoice;

/// Answers to what was asked last; made anew when what they rest on changes.
#[derive(Default)]
pub(super) struct Memo {
    shown: RefCell<Option<Arc<Shown>>>,
    search: RefCell<Option<Arc<SearchIndex>>>,
    evidence: RefCell<Option<(Arc<TrainedModel>, Arc<Evidence>)>>,
    memory: RefCell<Option<Arc<TrainingMemory>>>,
}

/// A network with at most so many edges is filtered within a frame, in less than 2 ms; a larger one beside it.
const FILTERED_AT_ONCE: usize = 20_000;

/// How often is looked how much memory is free.
const LOOKED_EVERY: Duration = Duration::from_secs(2);

/// What a training run needs in memory.
pub(super) struct TrainingMemory {
    dataset: Arc<Dataset>,
    config: TrainConfig,
    device: DeviceChoice,
    looked: Instant,
    /// Whether it fits, and what it needs.
    pub found: Result<MemoryEstimate, TooLarge>,
    /// Bytes that were free then.
    pub free: u64,
}

impl State {
    /// The part of the network that passes the document's filter; none without a network. The same for as long as nothing
    /// of it changes. Of a large network it is that of the filter before while the last is being applied, at first none.
    pub fn shown(&self) -> Option<Arc<Shown>> {
        let (network, filter) = (self.network()?, &self.document.filter);
        let mut memo = self.memo.shown.borrow_mut();
        let known = memo.take();
        if self.is_filtered_beside(network) {
            *memo = known.filter(|shown| Arc::ptr_eq(shown.network(), network));
            return memo.clone();
        }
        let known = known.filter(|shown| shown.is_current(network, filter));
        Some(memo.insert(known.unwrap_or_else(|| Arc::new(Shown::of(network, filter)))).clone())
    }

    /// Whether filters are applied to it beside the frame. One that is being learned is small, and soon another.
    fn is_filtered_beside(&self, network: &Grn) -> bool {
        network.edges().len() > FILTERED_AT_ONCE && !self.network_is_live()
    }

    /// The large network and the filter that is still to be applied to it, if any.
    pub(super) fn to_be_filtered(&self) -> Option<(&Arc<Grn>, &NetworkFilter)> {
        let (network, filter) = (self.network()?, &self.document.filter);
        let memo = self.memo.shown.borrow();
        let current = memo.as_ref().is_some_and(|shown| shown.is_current(network, filter));
        (self.is_filtered_beside(network) && !current).then_some((network, filter))
    }

    /// Take what passes the filter of a large network.
    pub(super) fn take_filtered(&self, shown: Arc<Shown>) {
        *self.memo.shown.borrow_mut() = Some(shown);
    }

    /// What the open model saw of genes and perturbations; none without a model.
    pub fn evidence(&self) -> Option<Arc<Evidence>> {
        let model = self.runtime.model.as_ref()?;
        let mut memo = self.memo.evidence.borrow_mut();
        let known = memo.take().filter(|(of, _)| Arc::ptr_eq(of, model));
        let make = || (model.clone(), Arc::new(Evidence::of(model.card())));
        Some(memo.insert(known.unwrap_or_else(make)).1.clone())
    }

    /// The badges of a gene of the network shown; while it is being learned, what the network says of it.
    pub fn badges(&self, gene: &NetworkGene) -> Vec<Badge> {
        match self.evidence().filter(|_| !self.network_is_live()) {
            Some(evidence) => evidence.of_gene(&gene.symbol),
            None => {
                let mut badges = badges::of_network(gene);
                if self.has_no_model() {
                    // Of a network file nothing says that there was a screen.
                    badges.retain(|badge| *badge != Badge::NeverPerturbed);
                }
                badges
            }
        }
    }

    /// What training with these settings on the open data set needs in memory; none without a data set.
    pub(super) fn training_memory(&self, config: &TrainConfig, device: DeviceChoice) -> Option<Arc<TrainingMemory>> {
        let dataset = self.runtime.dataset.as_ref()?;
        let mut memo = self.memo.memory.borrow_mut();
        let known = memo.take().filter(|memory| {
            let asked = memory.config == *config && memory.device == device;
            asked && Arc::ptr_eq(&memory.dataset, dataset) && memory.looked.elapsed() < LOOKED_EVERY
        });
        let make = || {
            let free = memory::free();
            let screen = memory::ScreenSize::of(dataset, &config.prepare);
            let found = memory::check(&screen, config, device, free);
            let (dataset, config, looked) = (dataset.clone(), config.clone(), Instant::now());
            Arc::new(TrainingMemory { dataset, config, device, looked, found, free })
        };
        Some(memo.insert(known.unwrap_or_else(make)).clone())
    }

    /// All names of the genes of the network and of the measured genes; none without a network. Names from a table are
    /// added in the background.
    pub fn search(&self) -> Option<Arc<SearchIndex>> {
        let (network, dataset) = (self.network()?, self.runtime.dataset.as_ref());
        let mut memo = self.memo.search.borrow_mut();
        let known = memo.take().filter(|index| index.is_current(network, dataset));
        let make = || {
            let measured = self.runtime.model.as_ref().map(|model| model.card().genes.as_slice()).unwrap_or_default();
            Arc::new(SearchIndex::new(network, dataset, measured, None))
        };
        Some(memo.insert(known.unwrap_or_else(make)).clone())
    }

    /// Whether the table of names that is loaded is not yet, or no longer, in [`Self::search`].
    pub(super) fn names_are_new(&self) -> bool {
        let memo = self.memo.search.borrow();
        memo.as_ref().is_some_and(|index| !index.has_names(self.runtime.attached.gene_names.as_ref()))
    }

    /// Take an index, if it is of what is open.
    pub(super) fn take_search(&self, index: Arc<SearchIndex>) {
        if self.network().is_some_and(|network| index.is_current(network, self.runtime.dataset.as_ref())) {
            *self.memo.search.borrow_mut() = Some(index);
        }
    }
}
