//! All keys, and what the pointer does on the network.

use egui::{RichText, Ui};

use crate::app::command::Command;
use crate::app::theme;

/// What the pointer does on the network.
const POINTER: [(&str, &str); 10] = [
    ("Click a gene", "Select it"),
    ("Shift or Ctrl + click a gene", "Add it to the selection, or take it out"),
    ("Click an edge", "Select both its ends"),
    ("Drag a gene", "Move and pin it; double-click releases it"),
    ("Drag the space between", "Move the picture"),
    ("Shift + drag", "Select with a box, adding to the selection"),
    ("Ctrl + drag", "Select with a lasso; with Shift, adding to the selection"),
    ("Box or Lasso in the toolbar", "The same without holding a key; Shift adds"),
    ("Wheel or pinch", "Zoom where the pointer is"),
    ("Double-click the space between", "Show the whole network"),
];

/// Draw the list.
pub(in crate::app) fn show(ui: &mut Ui) {
    let weak = theme::colours(ui).text_weak;
    ui.label(RichText::new("On the network").strong());
    let grid = |id| egui::Grid::new(id).num_columns(2).spacing([theme::LARGE, 3.0]).striped(true);
    grid("pointer").show(ui, |ui| {
        for (gesture, what) in POINTER {
            ui.label(gesture);
            ui.label(RichText::new(what).color(weak));
            ui.end_row();
        }
        ui.label("Escape");
        ui.label(RichText::new("End the wave, or clear the selection").color(weak));
        ui.end_row();
    });
    ui.add_space(theme::MEDIUM);
    ui.label(RichText::new("Keys").strong());
    grid("keys").show(ui, |ui| {
        for command in Command::ALL {
            let keys: Vec<String> = command.shortcuts().iter().map(|keys| ui.ctx().format_shortcut(keys)).collect();
            if !keys.is_empty() {
                ui.label(keys.join(", "));
                ui.label(RichText::new(command.label()).color(weak));
                ui.end_row();
            }
        }
    });
}
