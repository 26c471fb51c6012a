//! Facts about what is under the pointer.

use egui::{RichText, Ui};

use super::shown::verb;
use crate::app::views::edge_evidence;
use crate::app::widgets::{evidence_badges, signed};
use crate::app::{State, theme};
use crate::network::{Edge, GeneId, Grn};

/// A gene.
pub fn gene(ui: &mut Ui, network: &Grn, id: GeneId, state: &State) {
    let gene = network.gene(id);
    ui.label(RichText::new(&gene.symbol).strong());
    evidence_badges(ui, &state.badges(gene));
    if let (Some(effect), Some(model)) = (state.runtime.prediction.effect(), &state.runtime.model)
        && let Some(column) = model.card().genes.iter().position(|symbol| *symbol == gene.symbol)
        && let Some(shift) = effect.shifts.get(column)
    {
        ui.label(format!(
            "Predicted shift {} (log2), {} of {}",
            signed(*shift),
            model.card().perturbation_kind.label(),
            effect.label()
        ));
    }
    if let Some(told) = super::wave::told(id, state) {
        ui.label(told);
    }
    note(ui, state.document.notes.on_gene(&gene.symbol));
    if state.document.pinned.contains(&gene.symbol) {
        ui.label(RichText::new("Pinned; double-click to release").color(theme::colours(ui).text_weak));
    }
}

/// What the user wrote down, if anything.
fn note(ui: &mut Ui, note: &str) {
    if !note.trim().is_empty() {
        ui.label(RichText::new(note).italics());
    }
}

/// An edge.
pub fn edge(ui: &mut Ui, network: &Grn, edge: &Edge, known: Option<&str>, state: &State) {
    let (regulator, target) = (network.symbol(edge.regulator), network.symbol(edge.target));
    ui.label(RichText::new(format!("{regulator} {} {target}", verb(edge.sign))).strong());
    edge_evidence::facts(ui, network, edge, known, state);
    note(ui, state.document.notes.on_edge(regulator, target));
    if edge_evidence::has_response(regulator, state) {
        let text = format!("Click to keep this card, with a link to the response to {regulator}");
        ui.label(RichText::new(text).small().color(theme::colours(ui).text_weak));
    }
}
