//! Predicted against measured response.

use crate::app::{Action, State};

/// What this view keeps for itself.
#[derive(Default)]
pub struct ResponseView {}

/// Draw it into all of `ui`.
pub fn show(_view: &mut ResponseView, ui: &mut egui::Ui, _state: &State, _actions: &mut Vec<Action>) {
    ui.label("Predicted against measured response");
}
