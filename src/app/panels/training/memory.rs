//! What the next run needs in memory, told before it is started.

use egui::{Label, RichText, Ui};

use super::weak;
use crate::app::action::Action;
use crate::app::state::State;
use crate::app::theme;
use crate::models::TrainConfig;
use crate::tasks::memory::{Change, MemoryEstimate, TooLarge};
use crate::training::DeviceChoice;
use crate::words::{byte_size, grouped};

/// Draw it; tells whether the run may be started as it is.
pub(super) fn show(
    ui: &mut Ui,
    state: &State,
    config: &mut TrainConfig,
    device: DeviceChoice,
    actions: &mut Vec<Action>,
) -> bool {
    let Some(memory) = state.training_memory(config, device) else { return true };
    match &memory.found {
        Ok(estimate) => {
            let label = ui.add(Label::new(weak(ui, format!("Needs {}", estimate.in_words()))).wrap());
            label.on_hover_ui(|ui| parts(ui, estimate, memory.free));
            true
        }
        Err(error) => {
            refused(ui, error, config, device, actions);
            false
        }
    }
}

fn refused(ui: &mut Ui, error: &TooLarge, config: &mut TrainConfig, device: DeviceChoice, actions: &mut Vec<Action>) {
    let needs = format!("Needs {}, and {} are free", error.estimate.in_words(), byte_size(error.free));
    let text = RichText::new(needs).color(theme::colours(ui).bad);
    ui.add(Label::new(text).wrap()).on_hover_ui(|ui| parts(ui, &error.estimate, error.free));
    let remedy = match error.changes.is_empty() {
        true => "No single setting makes it fit: lower batch size, samples per cell and widths together",
        false => "It fits with",
    };
    ui.label(remedy);
    for change in &error.changes {
        if change.can_be_set() {
            let button = ui.button(words(change));
            if button.on_hover_text(format!("Instead of {}", grouped(change.now))).clicked() {
                change.apply(config);
            }
        } else {
            ui.add(Label::new(format!("{}: read the data set again with fewer", words(change))).wrap());
        }
    }
    ui.add_space(theme::SMALL);
    let anyway = ui.button("Start all the same");
    let hint = "The estimate may be too high; if it is not, the system may end the program or become very slow";
    if anyway.on_hover_text(hint).clicked() {
        actions.push(Action::StartTrainingAnyway(Box::new(config.clone()), device));
    }
}

fn words(change: &Change) -> String {
    format!("{} {}", grouped(change.to), change.setting.words())
}

fn parts(ui: &mut Ui, estimate: &MemoryEstimate, free: u64) {
    ui.label(format!(
        "An estimate from sizes and settings; {} are free now. Not all is needed at once:",
        byte_size(free)
    ));
    egui::Grid::new("memory parts").num_columns(2).spacing([theme::LARGE, 2.0]).show(ui, |ui| {
        for part in &estimate.parts {
            ui.label(part.name);
            ui.label(byte_size(part.bytes));
            ui.end_row();
        }
    });
}
