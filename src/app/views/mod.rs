//! What the window shows of a model. Each view keeps only what is its own (camera, sort order, text being typed); it
//! reads the [`State`](super::State) and pushes [`Action`](super::Action)s.

pub mod compare;
pub mod edge;
mod edge_evidence;
pub mod export;
pub mod genes;
pub mod inspector;
pub mod interactions;
pub mod knock_out;
pub mod network;
pub mod notes;
pub mod response;
pub mod search;
pub mod tables;

use genes::reach;
pub(in crate::app) use network::attachment;

/// All views of one window.
#[derive(Default)]
pub struct Views {
    /// The centre: the network.
    pub network: network::NetworkView,
    /// Beside it, or a page of its own: predicted against measured.
    pub response: response::ResponseView,
    /// The side panel: filter, search, and the list of genes; shows the inspector while a gene is selected.
    pub genes: genes::GenesView,
    /// The selected gene and the knock-out, inside the side panel.
    pub inspector: inspector::InspectorView,
    /// The network beside another one.
    pub compare: compare::CompareView,
    /// What pairs of genes do beyond the sum of what each does.
    pub interactions: interactions::InteractionsView,
    /// Below the network, when asked for: all genes or edges.
    pub tables: tables::TablesView,
}
