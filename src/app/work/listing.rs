//! Reading a list of regulators.

use std::path::PathBuf;
use std::sync::Arc;

use super::{DEFECT, Work, file_name};
use crate::app::action::Action;
use crate::app::state::{Severity, State};
use crate::document::NetworkFilter;
use crate::jobs::{Job, Outcome};
use crate::network::filter::GeneList;
use crate::tasks::gene_list;
use crate::words::grouped;

/// A list being read.
pub(super) struct Listing {
    path: PathBuf,
    job: Job<GeneList>,
}

impl Work {
    /// Read the list of regulators in `path`; one that is still being read is dropped.
    pub(in crate::app) fn read_regulators(&mut self, path: PathBuf) {
        let file = path.clone();
        let job = Job::spawn("list of genes", self.wake(), move |_| gene_list::read(&file));
        self.listing = Some(Listing { path, job });
    }

    pub(super) fn poll_listing(&mut self, state: &mut State, actions: &mut Vec<Action>) {
        let Some(outcome) = self.listing.as_mut().and_then(|listing| listing.job.poll()) else { return };
        let Some(Listing { path, .. }) = self.listing.take() else { return };
        let name = file_name(&path);
        match outcome {
            Outcome::Finished(list) => {
                if let Some(network) = state.network() {
                    let here = network.genes().iter().filter(|gene| list.contains(&gene.symbol)).count();
                    let detail = format!("{} of its {} genes are in the network", grouped(here), grouped(list.len()));
                    let severity = if here == 0 { Severity::Warning } else { Severity::Done };
                    let remedy = if here == 0 { "Is it a list of symbols, and of the same species?" } else { "" };
                    state.runtime.tell(severity, format!("{name} read"), detail, remedy);
                }
                let filter = NetworkFilter { regulators: Some(Arc::new(list)), ..state.document.filter.clone() };
                actions.push(Action::SetFilter(Box::new(filter)));
            }
            Outcome::Cancelled => {}
            Outcome::Failed { message, panicked } => {
                let remedy = if panicked { DEFECT } else { "Choose a text file with one gene symbol per line" };
                state.runtime.tell(Severity::Error, format!("{name} cannot be read"), message, remedy);
            }
        }
    }
}
