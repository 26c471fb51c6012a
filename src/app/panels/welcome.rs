//! What the window shows while nothing is open.

use egui::{RichText, Ui};

use super::command_button;
use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::theme;
use crate::app::work::file_name;

/// Draw it.
pub(in crate::app) fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.vertical_centered(|ui| {
            ui.add_space((ui.available_height() * 0.18).min(120.0));
            ui.set_max_width(460.0);
            ui.label(RichText::new("See how genes regulate each other").text_style(theme::title()));
            ui.add_space(theme::SMALL);
            ui.label(
                RichText::new("Open a Perturb-seq screen (.h5ad) or a trained model, or drop the file here")
                    .color(theme::colours(ui).text_weak),
            );
            ui.add_space(theme::LARGE);
            if state.runtime.is_busy() {
                ui.spinner();
                return;
            }
            ui.spacing_mut().button_padding = egui::vec2(14.0, 7.0);
            for command in [Command::Open, Command::OpenPath, Command::OpenSample] {
                ui.allocate_ui(egui::vec2(260.0, 34.0), |ui| {
                    ui.with_layout(egui::Layout::top_down_justified(egui::Align::Center), |ui| {
                        command_button(ui, command, state, actions);
                    });
                });
            }
            let recent = &state.view.preferences.recent;
            if !recent.is_empty() {
                ui.add_space(theme::LARGE);
                ui.label(RichText::new("Recent").small().color(theme::colours(ui).text_weak));
                for path in recent.iter().take(5) {
                    if ui.link(file_name(path)).on_hover_text(path.display().to_string()).clicked() {
                        actions.push(Action::OpenPath(path.clone()));
                    }
                }
            }
        });
    });
}
