//! The bar on top: menus, pages, what is open, size and theme.

use egui::containers::menu::MenuButton;
use egui::{Align, Layout, RichText, Ui};

use super::command_button;
use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::opened;
use crate::app::state::{State, Tab};
use crate::app::theme::{self, ThemeChoice};
use crate::app::window::Room;
use crate::app::work::file_name;

/// Narrower than this, the menus fold into one.
const WIDE_BAR: f32 = 900.0;

const FILE: &[Option<Command>] = &[
    Some(Command::Open),
    Some(Command::OpenPath),
    Some(Command::OpenSample),
    Some(Command::OpenReference),
    Some(Command::OpenGeneNames),
    Some(Command::CompareWithFile),
    None,
    Some(Command::SaveSession),
    Some(Command::SaveSessionAs),
    Some(Command::SaveModel),
    None,
    Some(Command::Quit),
];
const EDIT: &[Option<Command>] = &[
    Some(Command::Undo),
    Some(Command::Redo),
    None,
    Some(Command::FindGene),
    Some(Command::SelectList),
    Some(Command::ClearSelection),
    Some(Command::HideSelection),
    Some(Command::ShowNeighbourhood),
    Some(Command::LeaveNeighbourhood),
    Some(Command::FindPaths),
    Some(Command::EndPaths),
    None,
    Some(Command::KnockOutSelection),
    Some(Command::ClearKnockOut),
    Some(Command::PlayWave),
    Some(Command::EndWave),
];
const VIEW: &[Option<Command>] = &[
    Some(Command::ToggleSidePanel),
    Some(Command::GeneTable),
    Some(Command::EdgeTable),
    Some(Command::GeneSetTable),
    Some(Command::Notes),
    Some(Command::ShowInteractions),
    Some(Command::ShowComparison),
    Some(Command::CompareWithReference),
    Some(Command::CompareWithBefore),
    Some(Command::OverlayComparison),
    Some(Command::EndComparison),
    None,
    Some(Command::FitNetwork),
    Some(Command::ResetLayout),
    None,
    Some(Command::ZoomIn),
    Some(Command::ZoomOut),
    Some(Command::ZoomReset),
    None,
    Some(Command::LightTheme),
    Some(Command::DarkTheme),
    Some(Command::SystemTheme),
];
const TRAINING: &[Option<Command>] = &[
    Some(Command::ShowTraining),
    Some(Command::PauseTraining),
    Some(Command::StopTraining),
    Some(Command::CancelTraining),
];
const HELP: &[Option<Command>] = &[Some(Command::Palette), Some(Command::Shortcuts), Some(Command::About)];

/// Draw the bar.
pub(in crate::app) fn show(ui: &mut Ui, room: Room, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SMALL;
        let wide = ui.available_width() >= WIDE_BAR;
        menus(ui, wide, state, actions);
        ui.add_space(theme::SMALL);
        ui.separator();
        ui.add_space(theme::SMALL);
        tabs(ui, room, state, actions);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if wide {
                theme_menu(ui, state, actions);
                size_menu(ui, state, actions);
                let search = egui::Button::new("Commands")
                    .shortcut_text(ui.ctx().format_shortcut(&Command::Palette.shortcuts()[0]));
                if ui.add(search).on_hover_text("Search all commands and genes").clicked() {
                    actions.push(Command::Palette.action(state));
                }
                let title = opened::title(state);
                if !title.is_empty() {
                    let unsaved = if state.unsaved().is_some() && !state.is_training() { " •" } else { "" };
                    let text = RichText::new(format!("{title}{unsaved}")).color(theme::colours(ui).text_weak);
                    ui.add_space(theme::MEDIUM);
                    let title = egui::Label::new(text).truncate().show_tooltip_when_elided(false);
                    ui.add(title).on_hover_text(paths(state));
                }
            }
        });
    });
}

fn menus(ui: &mut Ui, wide: bool, state: &State, actions: &mut Vec<Action>) {
    let groups = [("File", FILE), ("Edit", EDIT), ("View", VIEW), ("Training", TRAINING), ("Help", HELP)];
    if wide {
        for (name, commands) in groups {
            // The page of the same name is beside it.
            let name = if name == "Training" { continue } else { name };
            flat_menu(name).ui(ui, |ui| entries(ui, name, commands, state, actions));
        }
        return;
    }
    flat_menu("Menu").ui(ui, |ui| {
        for (name, commands) in groups {
            ui.menu_button(name, |ui| entries(ui, name, commands, state, actions));
        }
        command_button(ui, Command::Palette, state, actions);
    });
}

fn flat_menu(name: &str) -> MenuButton<'_> {
    MenuButton::from_button(egui::Button::new(name).frame_when_inactive(false))
}

fn entries(ui: &mut Ui, name: &str, commands: &[Option<Command>], state: &State, actions: &mut Vec<Action>) {
    ui.set_min_width(220.0);
    for command in commands {
        match command {
            Some(command) => command_button(ui, *command, state, actions),
            None => {
                ui.separator();
            }
        }
        if name == "File" && *command == Some(Command::OpenSample) {
            recent(ui, state, actions);
        }
    }
}

fn recent(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let recent = &state.view.preferences.recent;
    ui.add_enabled_ui(!recent.is_empty(), |ui| {
        ui.menu_button("Open recent", |ui| {
            ui.set_max_width(420.0);
            for path in recent {
                let button = egui::Button::new(file_name(path)).wrap_mode(egui::TextWrapMode::Truncate);
                if ui.add(button).on_hover_text(path.display().to_string()).clicked() {
                    actions.push(Action::OpenPath(path.clone()));
                    ui.close();
                }
            }
            ui.separator();
            if ui.button("Clear the list").clicked() {
                actions.push(Action::ClearRecent);
                ui.close();
            }
        });
    });
}

fn tabs(ui: &mut Ui, room: Room, state: &State, actions: &mut Vec<Action>) {
    let tabs = room.tabs(state);
    if tabs.len() > 6 && ui.available_width() < 480.0 {
        // The last one is to be in sight at 200 % too.
        ui.spacing_mut().button_padding.x = 5.0;
    }
    for (tab, label) in tabs {
        let selected = room.shown(state.view.tab) == tab;
        let hint = match tab {
            Tab::Data => "What was opened and how it was read",
            Tab::Genes => "Edges shown, search for a gene, the selected gene",
            Tab::Network => "The network that the model learned",
            Tab::Response => "Predicted and measured response",
            Tab::Training => "Train a model on the open data set",
            Tab::Evaluation => "How well models do on cells that they have not seen, beside simple baselines",
            Tab::Figure => "The figure for the paper: panels, sizes, export",
            Tab::Compare => "The network beside another one",
            Tab::Interactions => "What pairs of genes do beyond the sum of what each does",
        };
        let label = if tab == Tab::Training && state.is_training() { format!("{label} •") } else { label.to_owned() };
        if ui.selectable_label(selected, label).on_hover_text(hint).clicked() {
            actions.push(Action::SetTab(tab));
        }
    }
}

fn theme_menu(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    flat_menu("Theme").ui(ui, |ui| {
        let choices =
            [(ThemeChoice::Light, "Light"), (ThemeChoice::Dark, "Dark"), (ThemeChoice::System, "As the system")];
        for (choice, label) in choices {
            if ui.radio(state.view.preferences.theme == choice, label).clicked() {
                actions.push(Action::SetTheme(choice));
                ui.close();
            }
        }
    });
}

fn size_menu(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let zoom = state.view.preferences.zoom;
    let name = format!("{:.0} %", zoom * 100.0);
    flat_menu(&name).ui(ui, |ui| {
        for percent in [100, 110, 125, 150, 175, 200] {
            let size = percent as f32 / 100.0;
            if ui.radio((zoom - size).abs() < 0.005, format!("{percent} % size")).clicked() {
                actions.push(Action::SetZoom(size));
                ui.close();
            }
        }
    });
}

/// Full paths of what is open.
fn paths(state: &State) -> String {
    let sources = &state.document.sources;
    let mut lines = Vec::new();
    if let Some(path) = &state.runtime.session_path {
        lines.push(format!("Session {}", path.display()));
    }
    if let Some(file) = &sources.dataset {
        lines.push(format!("Data set {}", file.path.display()));
    }
    match (&state.runtime.model, &sources.model) {
        (Some(_), Some(file)) => lines.push(format!("Model {}", file.path.display())),
        (Some(_), None) => lines.push("Model trained here, not saved yet".to_owned()),
        (None, _) => {}
    }
    if let (None, Some(file)) = (&state.runtime.model, &sources.network) {
        lines.push(format!("Network {}", file.path.display()));
    }
    lines.join("\n")
}
