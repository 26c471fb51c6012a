//! The edges between the last two genes of the selection, as a click on an edge leaves it.

use egui::{RichText, Ui};

use super::network::{FALSE_DISCOVERY, agreement, evidence, false_discovery, verb};
use super::notes::note;
use crate::app::{Action, State, theme};
use crate::document::NoteSubject;
use crate::network::Grn;
use crate::words::grouped;

/// Draw them; nothing if there are none.
pub fn show(begun: &mut Option<NoteSubject>, ui: &mut Ui, network: &Grn, state: &State, actions: &mut Vec<Action>) {
    let [.., other, gene] = state.document.selection.as_slice() else { return };
    let (Some(other), Some(gene)) = (network.find(other), network.find(gene)) else { return };
    for edge in [network.edge(other, gene), network.edge(gene, other)].into_iter().flatten() {
        let (regulator, target) = (network.symbol(edge.regulator), network.symbol(edge.target));
        ui.add_space(theme::MEDIUM);
        ui.label(RichText::new(format!("{regulator} {} {target}", verb(edge.sign))).strong());
        let (rank, all) = (grouped(edge.rank as usize), grouped(network.edges().len()));
        ui.label(format!("Rank {rank} of {all}, probability {:.3}", edge.probability));
        if let Some(agreement) = agreement(edge, state) {
            ui.label(agreement);
        }
        if let Some(rate) = false_discovery(edge) {
            ui.label(rate).on_hover_text(FALSE_DISCOVERY);
        }
        ui.label(format!("Sign from {}", evidence(edge)));
        note(ui, begun, NoteSubject::Edge(regulator.to_owned(), target.to_owned()), state, actions);
    }
}
