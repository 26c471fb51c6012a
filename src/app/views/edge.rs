//! The edges between the last two genes of the selection, as a click on an edge leaves it.

use egui::{RichText, Ui};

use super::edge_evidence;
use super::network::verb;
use super::notes::note;
use crate::app::{Action, State, theme};
use crate::document::NoteSubject;
use crate::network::Grn;

/// Draw them; nothing if there are none.
pub fn show(begun: &mut Option<NoteSubject>, ui: &mut Ui, network: &Grn, state: &State, actions: &mut Vec<Action>) {
    let [.., other, gene] = state.document.selection.as_slice() else { return };
    let (Some(other), Some(gene)) = (network.find(other), network.find(gene)) else { return };
    for edge in [network.edge(other, gene), network.edge(gene, other)].into_iter().flatten() {
        let (regulator, target) = (network.symbol(edge.regulator), network.symbol(edge.target));
        ui.add_space(theme::MEDIUM);
        ui.label(RichText::new(format!("{regulator} {} {target}", verb(edge.sign))).strong());
        let known = state.runtime.attached.reference.as_ref().map(|reference| {
            edge_evidence::in_reference(reference.sign_between(regulator, target), edge.sign, reference.name())
        });
        edge_evidence::facts(ui, network, edge, known.as_deref(), state);
        edge_evidence::actions(ui, network, edge, state, actions);
        note(ui, begun, NoteSubject::Edge(regulator.to_owned(), target.to_owned()), state, actions);
    }
}
