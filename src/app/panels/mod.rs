//! The frame around the views: bars, messages, dialogs, and the pages for data and training.

pub(super) mod bar;
pub(super) mod data;
pub(super) mod dialogs;
pub(super) mod evaluation;
pub(super) mod figure_page;
mod gene_list;
mod keys;
pub(super) mod messages;
pub(super) mod status;
pub(super) mod training;
pub(super) mod welcome;

use super::action::Action;
use super::command::Command;
use super::state::State;

/// What the panels keep for themselves.
#[derive(Default)]
pub(super) struct Panels {
    pub(super) data: data::DataPage,
    pub(super) training: training::TrainingPage,
    pub(super) evaluation: evaluation::EvaluationPage,
    pub(super) figure: figure_page::FigureSettings,
    pub(super) dialogs: dialogs::Dialogs,
}

/// A menu entry or button for `command`, with its keys; disabled where it makes no sense.
fn command_button(ui: &mut egui::Ui, command: Command, state: &State, actions: &mut Vec<Action>) {
    let mut button = egui::Button::new(command.label());
    if let Some(keys) = command.shortcuts().first() {
        button = button.shortcut_text(ui.ctx().format_shortcut(keys));
    }
    let enabled = command.is_enabled(state);
    let response = ui.add_enabled(enabled, button);
    // The keys are no part of the name.
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, enabled, command.label()));
    if response.clicked() {
        actions.push(command.action(state));
        ui.close();
    }
}

/// `45 s`, `3 min 5 s`, `2 h 10 min`.
pub(super) fn duration(seconds: f32) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(duration(45.2), "45 s");
        assert_eq!(duration(185.0), "3 min 5 s");
        assert_eq!(duration(7800.0), "2 h 10 min");
    }
}
