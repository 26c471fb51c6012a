//! What several views need of the state, worked out once for all of them.

use std::cell::RefCell;
use std::sync::Arc;

use super::state::State;
use super::views::network::Shown;
use super::views::search::SearchIndex;
use crate::models::TrainedModel;
use crate::network::NetworkGene;
use crate::tasks::badges::{self, Badge, Evidence};

/// Answers to what was asked last; made anew when what they rest on changes.
#[derive(Default)]
pub(super) struct Memo {
    shown: RefCell<Option<Arc<Shown>>>,
    search: RefCell<Option<Arc<SearchIndex>>>,
    evidence: RefCell<Option<(Arc<TrainedModel>, Arc<Evidence>)>>,
}

impl State {
    /// The part of the network that passes the document's filter; none without a network. The same for as long as nothing
    /// of it changes.
    pub fn shown(&self) -> Option<Arc<Shown>> {
        let (network, filter) = (self.network()?, &self.document.filter);
        let mut memo = self.memo.shown.borrow_mut();
        let known = memo.take().filter(|shown| shown.is_current(network, filter));
        Some(memo.insert(known.unwrap_or_else(|| Arc::new(Shown::of(network, filter)))).clone())
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

    /// All names of the genes of the network and of the measured genes; none without a network.
    pub fn search(&self) -> Option<Arc<SearchIndex>> {
        let (network, dataset) = (self.network()?, self.runtime.dataset.as_ref());
        let mut memo = self.memo.search.borrow_mut();
        let known = memo.take().filter(|index| index.is_current(network, dataset));
        let make = || {
            let measured = self.runtime.model.as_ref().map(|model| model.card().genes.as_slice()).unwrap_or_default();
            Arc::new(SearchIndex::new(network, dataset, measured))
        };
        Some(memo.insert(known.unwrap_or_else(make)).clone())
    }
}
