//! What a view says when it has nothing to show.

use egui::{Align, Layout, RichText, Ui};

use crate::app::theme;

/// A title, what to do, and buttons, in the middle of `ui`. Gives back the position of the button that was clicked.
pub fn empty_page(ui: &mut Ui, title: &str, text: &str, buttons: &[&str]) -> Option<usize> {
    let mut clicked = None;
    let height = 110.0 + if buttons.is_empty() { 0.0 } else { 40.0 };
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        ui.add_space(((ui.available_height() - height) * 0.4).max(theme::LARGE));
        ui.label(RichText::new(title).text_style(theme::title()));
        ui.add_space(theme::SMALL);
        ui.scope(|ui| {
            ui.set_max_width(ui.available_width().min(460.0));
            ui.label(RichText::new(text).color(theme::colours(ui).text_weak));
        });
        ui.add_space(theme::MEDIUM);
        for (at, button) in buttons.iter().enumerate() {
            if ui.button(*button).clicked() {
                clicked = Some(at);
            }
        }
    });
    clicked
}
