//! The network.

use crate::app::{Action, State};

/// What this view keeps for itself.
#[derive(Default)]
pub struct NetworkView {}

/// Draw it into all of `ui`.
pub fn show(_view: &mut NetworkView, ui: &mut egui::Ui, _state: &State, _actions: &mut Vec<Action>) {
    ui.label("The network");
}
