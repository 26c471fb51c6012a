//! What the window shows while nothing is open.

use egui::{RichText, Ui};

use super::dialogs::primary_button;
use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::theme;
use crate::app::work::file_name;

/// Draw it.
pub(in crate::app) fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.vertical_centered(|ui| {
            ui.add_space((ui.available_height() * 0.22).min(180.0));
            ui.label(RichText::new("See how genes regulate each other").text_style(theme::title()));
            ui.add_space(theme::SMALL);
            let weak = theme::colours(ui).text_weak;
            ui.label(
                RichText::new(
                    "Open a Perturb-seq screen (.h5ad), a trained model or a network file, or drop a file here",
                )
                .color(weak),
            );
            ui.add_space(theme::LARGE);
            if state.runtime.is_busy() {
                ui.spinner();
                return;
            }
            for command in [Command::Open, Command::OpenPath, Command::OpenSample] {
                let text = command.label();
                let button = if command == Command::Open { primary_button(ui, text) } else { egui::Button::new(text) };
                if ui.add(button.min_size(egui::vec2(220.0, 34.0))).clicked() {
                    actions.push(command.action(state));
                }
            }
            let recent = &state.view.preferences.recent;
            if !recent.is_empty() {
                ui.add_space(theme::LARGE);
                ui.label(RichText::new("Opened before").small().color(weak));
                for path in recent.iter().take(5) {
                    if ui.link(file_name(path)).on_hover_text(path.display().to_string()).clicked() {
                        actions.push(Action::OpenPath(path.clone()));
                    }
                }
            }
        });
    });
}
