//! The run under way, or how the last one ended.

use egui::{Grid, ProgressBar, RichText, Ui};

use super::weak;
use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::panels::data::card;
use crate::app::panels::dialogs::primary_button;
use crate::app::panels::duration;
use crate::app::state::{State, TrainingRun};
use crate::app::theme;
use crate::words::grouped;

pub(super) fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if let Some(run) = &state.runtime.training {
        card(ui, "Training", |ui| running(ui, run, state, actions));
    } else if let Some(run) = &state.runtime.last_run {
        card(ui, "Last run", |ui| ended(ui, run, state, actions));
    }
}

fn running(ui: &mut Ui, run: &TrainingRun, state: &State, actions: &mut Vec<Action>) {
    let epoch = run.epochs.last().map_or(0, |epoch| epoch.epoch);
    let most = run.config.model.epochs.max(1);
    let fraction = if epoch == 0 { run.progress.fraction.unwrap_or(0.0) } else { epoch as f32 / most as f32 };
    let fraction = match run.member {
        Some((number, of)) => ((number - 1) as f32 + fraction) / of.max(1) as f32,
        None => fraction,
    };
    ui.add(ProgressBar::new(fraction).desired_height(8.0));
    let stage = match epoch {
        0 if run.progress.stage.is_empty() => "Starting".to_owned(),
        0 => run.progress.stage.clone(),
        epoch => format!("Epoch {epoch} of at most {most}"),
    };
    let stage = match run.member {
        Some((number, of)) => format!("Member {number} of {of} · {stage}"),
        None => stage,
    };
    ui.label(match (run.stopping, run.paused) {
        (true, _) => "Ending after this batch…".to_owned(),
        (false, true) => format!("Paused · {stage}"),
        (false, false) => stage,
    });
    facts(ui, run);
    ui.add_space(theme::SMALL);
    ui.horizontal_wrapped(|ui| {
        let pause = if run.paused { "Resume" } else { "Pause" };
        let pause = ui.add_enabled(Command::PauseTraining.is_enabled(state), egui::Button::new(pause));
        let pause = pause.on_hover_text("Wait after this batch and leave the processor to other work");
        if pause.on_disabled_hover_text("Only epochs can wait").clicked() {
            actions.push(Command::PauseTraining.action(state));
        }
        let (keep, hint) = match run.member {
            Some((number, _)) if number > 1 => {
                ("Stop and keep the members", "End now; the members that were trained become the model")
            }
            _ => ("Stop and keep the best", "End now; the epoch with the lowest validation loss becomes the model"),
        };
        if ui.add_enabled(!run.stopping, egui::Button::new(keep)).on_hover_text(hint).clicked() {
            actions.push(Action::StopTraining);
        }
        let cancel = ui.add_enabled(!run.stopping, egui::Button::new("Cancel"));
        if cancel.on_hover_text("End now and keep nothing").clicked() {
            actions.push(Action::CancelTraining);
        }
        let mut follow = state.view.follow_training;
        let check = ui.checkbox(&mut follow, "Show the network while it is learned");
        if check.on_hover_text("The network page shows the best edges of the latest epoch").changed() {
            actions.push(Action::FollowTraining(follow));
        }
    });
}

fn ended(ui: &mut Ui, run: &TrainingRun, state: &State, actions: &mut Vec<Action>) {
    ui.add(egui::Label::new(format!("Ended: {}", run.ended.as_deref().unwrap_or("unknown"))).wrap());
    facts(ui, run);
    if Command::CompareWithBefore.is_enabled(state) {
        ui.add_space(theme::SMALL);
        let button = ui.button(Command::CompareWithBefore.label());
        if button.on_hover_text("What this run changed in the network, edge by edge").clicked() {
            actions.push(Command::CompareWithBefore.action(state));
        }
    }
    if state.runtime.model_unsaved {
        ui.add_space(theme::SMALL);
        ui.horizontal_wrapped(|ui| {
            if ui.add(primary_button(ui, Command::SaveModel.label())).clicked() {
                actions.push(Action::SaveModel);
            }
            if ui.button(Command::ShowNetwork.label()).clicked() {
                actions.push(Command::ShowNetwork.action(state));
            }
        });
    }
}

fn facts(ui: &mut Ui, run: &TrainingRun) {
    let mut facts: Vec<(&str, String)> = Vec::new();
    if let Some(device) = &run.device {
        facts.push(("Device", device.clone()));
    }
    facts.push((
        "Time",
        match run.seconds_left().filter(|_| run.ended.is_none()) {
            Some(left) => format!("{}, at most {} left", duration(run.elapsed), duration(left)),
            None => duration(run.elapsed),
        },
    ));
    if let Some(last) = run.epochs.last() {
        let speed =
            format!("{} cells a second, {:.2} s an epoch", grouped(last.cells_per_second as usize), last.seconds);
        facts.push(("Speed", speed));
    }
    if let Some(best) = run.best() {
        facts.push((
            "Best so far",
            format!("epoch {} with a validation loss of {:.2}", best.epoch, best.validation.total),
        ));
    }
    Grid::new("run facts").num_columns(2).min_row_height(20.0).spacing([theme::LARGE, 3.0]).show(ui, |ui| {
        for (name, value) in facts {
            ui.label(weak(ui, name));
            ui.add(egui::Label::new(RichText::new(value)).wrap());
            ui.end_row();
        }
    });
}
