//! Which perturbation is shown.

use std::sync::Arc;

use egui::{PopupCloseBehavior, TextEdit, Ui, WidgetInfo};

use crate::app::action::Action;
use crate::app::theme;
use crate::data::Dataset;

/// Draw the list and the buttons beside it.
pub(super) fn show(filter: &mut String, ui: &mut Ui, dataset: &Arc<Dataset>, index: usize, actions: &mut Vec<Action>) {
    let perturbations = dataset.perturbations();
    let name = perturbations[index].name();
    let mut wanted = None;
    let combo = egui::ComboBox::from_id_salt("perturbation shown")
        .width(150.0)
        .height(340.0)
        .selected_text(&name)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    let response = combo.show_ui(ui, |ui| {
        let field = ui.add(TextEdit::singleline(filter).hint_text("Filter").desired_width(f32::INFINITY));
        field.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::TextInput, true, "Filter the perturbations"));
        // Whoever opens the list can type at once.
        if ui.memory(|memory| memory.focused().is_none()) {
            field.request_focus();
        }
        let text = filter.trim().to_lowercase();
        let fits: Vec<(usize, String)> = perturbations
            .iter()
            .map(|perturbation| perturbation.name())
            .enumerate()
            .filter(|(_, name)| name.to_lowercase().contains(&text))
            .collect();
        if fits.is_empty() {
            ui.label("No perturbation contains this text");
        }
        egui::ScrollArea::vertical().max_height(280.0).show_rows(ui, theme::ROW_HEIGHT, fits.len(), |ui, rows| {
            for (at, name) in &fits[rows] {
                if ui.selectable_label(*at == index, name).clicked() {
                    wanted = Some(*at);
                    ui.close();
                }
            }
        });
    });
    let label = format!("Perturbation {name}");
    response.response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::ComboBox, true, &label));
    let count = perturbations.len();
    for (text, label, to) in
        [("<", "Previous perturbation", (index + count - 1) % count), (">", "Next perturbation", (index + 1) % count)]
    {
        let button = ui.add_enabled(count > 1, egui::Button::new(text));
        button.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, count > 1, label));
        if button.on_hover_text(label).clicked() {
            wanted = Some(to);
        }
    }
    if let Some(at) = wanted {
        actions.push(Action::ShowPerturbation(Some(perturbations[at].name())));
    }
}
