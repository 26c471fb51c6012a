//! The training page: settings, the run under way, and its loss curves.

mod cells;
mod curves;
mod filters;
mod memory;
mod run;
mod settings;
mod variants;

use egui::{Frame, RichText, ScrollArea, Ui};

use crate::app::action::Action;
use crate::app::state::State;
use crate::app::theme;
use crate::app::views::export::ExportDialog;

/// Wider than this, settings stand beside the curves.
const TWO_COLUMNS: f32 = 760.0;
/// Width of the settings.
const SETTINGS: f32 = 330.0;

/// What the page keeps for itself.
#[derive(Default)]
pub(in crate::app) struct TrainingPage {
    settings: settings::SettingsForm,
    export: ExportDialog,
}

/// Draw the page.
pub(in crate::app) fn show(page: &mut TrainingPage, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if ui.available_width() < TWO_COLUMNS {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.set_max_width(ui.available_width() - theme::MEDIUM);
            settings::show(&mut page.settings, ui, state, actions);
            ui.add_space(theme::LARGE);
            run::show(ui, state, actions);
            curves::show(&mut page.export, ui, state, actions);
        });
        return;
    }
    let panel = egui::Panel::left("training settings").exact_size(SETTINGS).resizable(false).frame(Frame::NONE);
    panel.show_separator_line(false).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.set_max_width(ui.available_width() - theme::LARGE);
            settings::show(&mut page.settings, ui, state, actions);
        });
    });
    egui::CentralPanel::no_frame().show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.set_max_width(ui.available_width() - theme::MEDIUM);
            run::show(ui, state, actions);
            curves::show(&mut page.export, ui, state, actions);
        });
    });
}

fn weak(ui: &Ui, text: impl Into<String>) -> RichText {
    RichText::new(text).color(theme::colours(ui).text_weak)
}
