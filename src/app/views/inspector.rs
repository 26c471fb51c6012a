//! The selected gene.

use crate::app::{Action, State};

/// What this view keeps for itself.
#[derive(Default)]
pub struct InspectorView {}

/// Draw it into all of `ui`.
pub fn show(_view: &mut InspectorView, ui: &mut egui::Ui, _state: &State, _actions: &mut Vec<Action>) {
    ui.label("The selected gene");
}
