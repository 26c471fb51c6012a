//! The bar at the bottom: work under way, else the last success, else what is shown.

use egui::{Align, Layout, ProgressBar, RichText, Ui};

use super::duration;
use crate::app::action::Action;
use crate::app::state::{Severity, State};
use crate::app::theme;
use crate::jobs::ProgressUpdate;
use crate::words::counted;

/// Width of a progress bar.
const BAR: f32 = 120.0;

/// Draw the bar.
pub(in crate::app) fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        ui.set_min_height(22.0);
        let runtime = &state.runtime;
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(run) = &runtime.training {
                training(ui, run, actions);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                if let Some(activity) = runtime.activities.first() {
                    progress(ui, &activity.progress);
                    if activity.name.starts_with("Opening") && ui.small_button("Cancel").clicked() {
                        actions.push(Action::CancelOpening);
                    }
                    let stage = &activity.progress.stage;
                    let text =
                        if stage.is_empty() { activity.name.clone() } else { format!("{} · {stage}", activity.name) };
                    ui.add(egui::Label::new(RichText::new(text).small()).truncate());
                    return;
                }
                let done = runtime.messages.iter().rev().find(|message| message.severity == Severity::Done);
                if let Some(message) = done {
                    ui.label(RichText::new("●").small().color(theme::colours(ui).good));
                    if let Some(command) = message.command
                        && ui.small_button(command.label()).clicked()
                    {
                        actions.push(command.action(state));
                    }
                    let text = [message.title.as_str(), &message.detail].into_iter().filter(|part| !part.is_empty());
                    let text = text.collect::<Vec<_>>().join(" · ");
                    ui.add(egui::Label::new(RichText::new(&text).small()).truncate()).on_hover_text(text);
                    return;
                }
                let text = RichText::new(idle(state)).small().color(theme::colours(ui).text_weak);
                ui.add(egui::Label::new(text).truncate());
            });
        });
    });
}

fn training(ui: &mut Ui, run: &crate::app::state::TrainingRun, actions: &mut Vec<Action>) {
    let left = run.seconds_left().map(|left| format!(" · at most {} left", duration(left))).unwrap_or_default();
    if ui
        .add_enabled(!run.stopping, egui::Button::new("Stop").small())
        .on_hover_text("End the training and keep the best epoch")
        .clicked()
    {
        actions.push(Action::StopTraining);
    }
    let epoch = run.epochs.last().map_or(0, |epoch| epoch.epoch);
    let fraction = epoch as f32 / run.config.model.epochs.max(1) as f32;
    ui.add(ProgressBar::new(fraction).desired_width(BAR).desired_height(8.0));
    let text = match epoch {
        0 if run.progress.stage.is_empty() => "Training".to_owned(),
        0 => run.progress.stage.clone(),
        epoch if run.paused => format!("Epoch {epoch} · paused"),
        epoch => format!("Epoch {epoch}{left}"),
    };
    ui.label(RichText::new(text).small());
}

fn progress(ui: &mut Ui, progress: &ProgressUpdate) {
    match progress.fraction {
        Some(fraction) => {
            ui.add(ProgressBar::new(fraction).desired_width(BAR).desired_height(8.0));
        }
        None => {
            ui.spinner();
        }
    }
}

/// What is shown while nothing happens.
fn idle(state: &State) -> String {
    let mut parts = Vec::new();
    if let Some(dataset) = &state.runtime.dataset {
        parts.push(counted(dataset.cell_count(), "cell"));
        parts.push(counted(dataset.gene_count(), "gene"));
        parts.push(counted(dataset.perturbations().len(), "perturbation"));
    }
    if let Some(network) = state.network() {
        parts.push(format!("{} in the network", counted(network.genes().len(), "gene")));
    }
    if parts.is_empty() { "Ready".to_owned() } else { parts.join(" · ") }
}
