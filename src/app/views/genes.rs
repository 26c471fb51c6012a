//! The side panel: which edges are shown, search for a gene, all genes; the inspector while a gene is selected.

use super::inspector::{self, InspectorView};
use crate::app::{Action, State};

/// What this view keeps for itself.
#[derive(Default)]
pub struct GenesView {}

/// Draw it into all of `ui`.
pub fn show(
    _view: &mut GenesView,
    inspector: &mut InspectorView,
    ui: &mut egui::Ui,
    state: &State,
    actions: &mut Vec<Action>,
) {
    ui.label("Genes");
    inspector::show(inspector, ui, state, actions);
}
