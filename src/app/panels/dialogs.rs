//! Questions and notes in front of the window; one at a time, closed with Escape.

use std::path::PathBuf;

use egui::{Context, Id, Key, Modal, RichText, TextEdit, Ui};

use super::data::import::{ImportForm, Known, difference};
use super::{gene_list, keys};
use crate::app::action::Action;
use crate::app::apply::with_path;
use crate::app::command::Command;
use crate::app::state::{Dialog, HeldBack, LostWork, MissingKind, PathPurpose, State, Tab};
use crate::app::theme;
use crate::words::counted;

/// What is being typed.
#[derive(Default)]
pub(in crate::app) struct Dialogs {
    shown: Option<Dialog>,
    text: String,
    chosen: usize,
    import: ImportForm,
    genes: gene_list::GeneListForm,
}

/// Most rows of the palette.
const ROWS: usize = 12;

/// Draw the dialog that is open, if one is.
pub(in crate::app) fn show(dialogs: &mut Dialogs, context: &Context, state: &State, actions: &mut Vec<Action>) {
    let fresh = dialogs.shown != state.view.dialog;
    if fresh {
        dialogs.shown.clone_from(&state.view.dialog);
        dialogs.chosen = 0;
        dialogs.text = match &state.view.dialog {
            Some(Dialog::Path { suggestion, .. }) => suggestion.clone(),
            _ => String::new(),
        };
        dialogs.import = ImportForm::default();
        dialogs.genes = gene_list::GeneListForm::default();
    }
    let Some(dialog) = &state.view.dialog else { return };
    let width: f32 = match dialog {
        Dialog::Shortcuts => 570.0,
        Dialog::Palette => 520.0,
        _ => 460.0,
    };
    let most = context.content_rect().size() - egui::vec2(48.0, 48.0);
    let frame = egui::Frame::popup(&context.global_style()).inner_margin(egui::Margin::same(theme::LARGE as i8));
    let response = Modal::new(Id::unique("dialog")).frame(frame).show(context, |ui| {
        ui.set_width(width.min(most.x));
        egui::ScrollArea::vertical().max_height(most.y).min_scrolled_height(most.y).show(ui, |ui| match dialog {
            Dialog::Palette => palette(dialogs, ui, fresh, state, actions),
            Dialog::Path { reason, purpose, .. } => {
                path(dialogs, ui, fresh, reason.as_deref(), purpose, state, actions);
            }
            Dialog::Import { path, problem, .. } => import(dialogs, ui, fresh, path, problem, state, actions),
            Dialog::Unsaved(held) => unsaved(ui, held, state, actions),
            Dialog::Missing => missing(ui, state, actions),
            Dialog::SelectList => gene_list::show(&mut dialogs.genes, ui, fresh, state, actions),
            Dialog::Shortcuts => {
                heading(ui, "Keys and pointer");
                keys::show(ui);
                close(ui, actions);
            }
            Dialog::About => about(ui, actions),
            Dialog::Recover(lost) => recover(ui, lost, actions),
        });
    });
    if response.should_close() {
        actions.push(Action::CloseDialog);
    }
}

pub(super) fn heading(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).heading());
    ui.add_space(theme::SMALL);
}

/// Buttons at the right, the most likely one last.
pub(super) fn buttons(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    ui.add_space(theme::MEDIUM);
    ui.horizontal_wrapped(add);
}

pub(super) fn primary(ui: &mut Ui, text: &str, enabled: bool) -> bool {
    ui.add_enabled(enabled, primary_button(ui, text)).clicked()
}

/// The button that most users want here.
pub(in crate::app) fn primary_button<'a>(ui: &Ui, text: &str) -> egui::Button<'a> {
    let colours = theme::colours(ui);
    egui::Button::new(RichText::new(text).color(colours.on_accent)).fill(colours.accent)
}

fn path(
    dialogs: &mut Dialogs,
    ui: &mut Ui,
    fresh: bool,
    reason: Option<&str>,
    purpose: &PathPurpose,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let (title, verb) = match purpose {
        PathPurpose::Open => ("Open a path".to_owned(), "Open"),
        PathPurpose::SaveSession => ("Save the session".to_owned(), "Save"),
        PathPurpose::SaveModel => ("Save the model".to_owned(), "Save"),
        PathPurpose::Locate(kind) => (format!("Locate the {}", kind.label()), "Use"),
        PathPurpose::Export => ("Export".to_owned(), "Export"),
        PathPurpose::Labels(_) => ("Labels of the cells".to_owned(), "Use"),
        PathPurpose::SaveChoices => ("Save how the data set is read".to_owned(), "Save"),
        PathPurpose::PriorNetwork => ("Network to start from".to_owned(), "Choose"),
        PathPurpose::Regulators => ("List of regulators".to_owned(), "Read"),
        PathPurpose::Evaluate => ("Model to judge".to_owned(), "Judge"),
        PathPurpose::KnownEdges => ("Known edges".to_owned(), "Choose"),
        PathPurpose::Attach(kind) => (kind.dialog().2.to_owned(), "Read"),
    };
    heading(ui, &title);
    if let Some(reason) = reason {
        ui.label(reason);
    }
    let label = ui.label(RichText::new("Path of the file").small());
    let ending = match purpose {
        PathPurpose::Attach(kind) => kind.dialog().1.first().copied().unwrap_or("tsv"),
        PathPurpose::Labels(_) | PathPurpose::Regulators | PathPurpose::PriorNetwork | PathPurpose::KnownEdges => "tsv",
        PathPurpose::Evaluate => "safetensors",
        _ => "h5ad",
    };
    let field = ui
        .add(
            TextEdit::singleline(&mut dialogs.text)
                .desired_width(f32::INFINITY)
                .hint_text(format!("/data/file.{ending}")),
        )
        .labelled_by(label.id);
    if fresh {
        field.request_focus();
    }
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let text = dialogs.text.trim();
    let path = expand_home(text);
    buttons(ui, |ui| {
        if ui.button("Cancel").clicked() {
            actions.push(Action::CloseDialog);
        }
        if (primary(ui, verb, !text.is_empty()) || entered) && !text.is_empty() {
            if let Some(action) = with_path(purpose, path, state) {
                actions.push(action);
            }
            if !matches!(purpose, PathPurpose::Locate(_)) {
                actions.push(Action::CloseDialog);
            }
        }
    });
}

/// `~/x` as shells read it.
fn expand_home(text: &str) -> PathBuf {
    match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(text),
    }
}

fn import(
    dialogs: &mut Dialogs,
    ui: &mut Ui,
    fresh: bool,
    path: &std::path::Path,
    problem: &str,
    state: &State,
    actions: &mut Vec<Action>,
) {
    heading(ui, "How are the cells labelled?");
    ui.label(crate::app::work::file_name(path));
    ui.label(RichText::new(problem).color(theme::colours(ui).bad));
    ui.add_space(theme::SMALL);
    let form = &mut dialogs.import;
    if let Some(Dialog::Import { options, .. }) = dialogs.shown.as_ref().filter(|_| fresh) {
        form.follow(path, None, options);
    }
    form.adopt(path, state);
    form.ask(path, state, actions);
    let newest = state.runtime.preview.newest(path);
    form.fields(ui, &Known { data: path, read: None, newest, base: None }, actions);
    let found = state.runtime.preview.of(path, form.options());
    match found {
        Some(found) => difference(ui, found, None),
        None => {
            ui.spinner();
        }
    }
    let good = found.is_some_and(|found| found.result.is_ok());
    buttons(ui, |ui| {
        if ui.button("Cancel").clicked() {
            actions.push(Action::CloseDialog);
        }
        if primary(ui, "Open", good) {
            actions.push(Action::CloseDialog);
            actions.push(Action::OpenWith(path.to_owned(), Box::new(dialogs.import.options().clone())));
        }
    });
}

fn unsaved(ui: &mut Ui, held: &HeldBack, state: &State, actions: &mut Vec<Action>) {
    heading(ui, state.unsaved().unwrap_or("Everything is saved"));
    let what = match held {
        HeldBack::Quit => "closing the window",
        HeldBack::Open(_) | HeldBack::OpenWith(..) | HeldBack::OpenSample => "opening another file",
    };
    let training = state.is_training();
    if training {
        ui.label(format!("It ends by {what}, and what it learned so far is lost"));
    } else {
        ui.label(format!("It is lost by {what} unless you save it"));
    }
    buttons(ui, |ui| {
        let back = if training { "Keep training" } else { "Cancel" };
        if ui.button(back).clicked() {
            actions.push(Action::CloseDialog);
        }
        let discard = if training { "End the training" } else { "Do not save" };
        if ui.button(discard).clicked() {
            actions.push(Action::Discard(held.clone()));
        }
        if !training {
            let save = if state.runtime.session_path.is_some() { "Save session" } else { "Save model…" };
            if primary(ui, save, true) {
                actions.push(Action::SaveThen(held.clone()));
            }
        }
    });
}

fn missing(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(session) = &state.runtime.incomplete else {
        actions.push(Action::CloseDialog);
        return;
    };
    let Some(&kind) = session.missing.first() else { return };
    let sources = &session.document.sources;
    let file = match kind {
        MissingKind::Dataset => &sources.dataset,
        MissingKind::Model => &sources.model,
        MissingKind::Network => &sources.network,
    };
    heading(ui, &format!("The session's {} is gone", kind.label()));
    if let Some(file) = file {
        ui.label("It was at");
        ui.add(egui::Label::new(RichText::new(file.path.display().to_string()).monospace()).wrap());
    }
    buttons(ui, |ui| {
        if ui.button("Cancel").clicked() {
            actions.push(Action::CloseDialog);
        }
        if ui.button(format!("Open without the {}", kind.label())).clicked() {
            actions.push(Action::Locate(kind, None));
        }
        if ui.button("Type its path…").clicked() {
            let purpose = PathPurpose::Locate(kind);
            actions.push(Action::ShowDialog(Dialog::Path { reason: None, purpose, suggestion: String::new() }));
        }
        if primary(ui, "Locate…", true) {
            actions.push(Action::AskLocate(kind));
        }
    });
}

fn recover(ui: &mut Ui, lost: &LostWork, actions: &mut Vec<Action>) {
    heading(ui, "GRN Explorer was not closed the last time");
    let minutes = lost.age.as_secs() / 60;
    let age = match (minutes, minutes / 60, minutes / (24 * 60)) {
        (0, ..) => "less than a minute ago".to_owned(),
        (minutes, 0, _) => format!("{} ago", counted(minutes as usize, "minute")),
        (_, hours, 0) => format!("{} ago", counted(hours as usize, "hour")),
        (_, _, days) => format!("{} ago", counted(days as usize, "day")),
    };
    ui.label(format!("Changes that were not saved were kept {age}"));
    ui.label(RichText::new(&lost.name).strong());
    if lost.model_unsaved {
        ui.label("A trained model that is in no file is among them");
    }
    if lost.run {
        ui.label("A training run was under way; it can go on from its last checkpoint");
    }
    if let Some(session) = &lost.session {
        let text = RichText::new(session.display().to_string()).small().color(theme::colours(ui).text_weak);
        ui.add(egui::Label::new(text).wrap());
    }
    buttons(ui, |ui| {
        if ui.button("Not now").on_hover_text("Ask again at the next start").clicked() {
            actions.push(Action::CloseDialog);
        }
        if ui.button("Throw away").clicked() {
            actions.push(Action::ForgetLost);
        }
        if lost.run {
            if ui.button("Recover").on_hover_text("Without the training run").clicked() {
                actions.push(Action::Recover);
            }
            if primary(ui, "Recover and train on", true) {
                actions.push(Action::RecoverAndTrain);
            }
        } else if primary(ui, "Recover", true) {
            actions.push(Action::Recover);
        }
    });
}

fn about(ui: &mut Ui, actions: &mut Vec<Action>) {
    heading(ui, "GRN Explorer");
    ui.label(format!("Version {}", env!("CARGO_PKG_VERSION")));
    ui.label("Gene regulatory networks learned from Perturb-seq screens with GPO-VAE (Baek et al. 2025)");
    ui.label("Everything is computed on this machine; nothing is sent anywhere");
    ui.label(RichText::new("MIT or Apache-2.0").small().color(theme::colours(ui).text_weak));
    close(ui, actions);
}

fn close(ui: &mut Ui, actions: &mut Vec<Action>) {
    buttons(ui, |ui| {
        if ui.button("Close").clicked() {
            actions.push(Action::CloseDialog);
        }
    });
}

/// What the palette offers.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Command(Command),
    Gene(String),
}

/// Commands and genes that fit `query`, best first.
fn matches(query: &str, state: &State) -> Vec<Entry> {
    let query = query.trim().to_lowercase();
    let words: Vec<&str> = query.split_whitespace().collect();
    let fits = |text: &str| {
        let text = text.to_lowercase();
        // "layout" finds "Lay out on a circle".
        let joined = text.replace(' ', "");
        words.iter().all(|word| text.contains(word) || (word.len() > 4 && joined.contains(word)))
    };
    let commands = Command::ALL.into_iter().filter(|command| *command != Command::Palette);
    let commands = commands.filter(|command| command.is_enabled(state) && fits(command.label())).map(Entry::Command);
    // With a remark they are only similar: commands have names too.
    let found = state.search().map(|index| index.find(&query, ROWS)).filter(|found| found.remark.is_none());
    let genes = found.unwrap_or_default().genes.into_iter().map(|hit| Entry::Gene(hit.symbol));
    // A gene's own name first, then commands, then genes that only contain it.
    let (exact, other): (Vec<Entry>, Vec<Entry>) =
        genes.partition(|entry| matches!(entry, Entry::Gene(symbol) if symbol.to_lowercase() == query));
    exact.into_iter().chain(commands).chain(other).take(ROWS).collect()
}

fn palette(dialogs: &mut Dialogs, ui: &mut Ui, fresh: bool, state: &State, actions: &mut Vec<Action>) {
    let (down, up, enter) = ui.input_mut(|input| {
        use egui::Modifiers;
        (
            input.consume_key(Modifiers::NONE, Key::ArrowDown),
            input.consume_key(Modifiers::NONE, Key::ArrowUp),
            input.key_pressed(Key::Enter),
        )
    });
    let field = TextEdit::singleline(&mut dialogs.text)
        .desired_width(f32::INFINITY)
        .hint_text("Search commands and genes")
        .id(Id::unique("palette search"));
    let field = ui.add(field);
    field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Search commands and genes"));
    if fresh {
        field.request_focus();
    }
    if field.changed() {
        dialogs.chosen = 0;
    }
    let entries = matches(&dialogs.text, state);
    if entries.is_empty() {
        ui.label(RichText::new("Nothing fits").color(theme::colours(ui).text_weak));
        return;
    }
    if down {
        dialogs.chosen = (dialogs.chosen + 1) % entries.len();
    }
    if up {
        dialogs.chosen = (dialogs.chosen + entries.len() - 1) % entries.len();
    }
    dialogs.chosen = dialogs.chosen.min(entries.len() - 1);
    ui.add_space(theme::SMALL);
    ui.spacing_mut().item_spacing.y = 1.0;
    for (at, entry) in entries.iter().enumerate() {
        let (text, note) = match entry {
            Entry::Command(command) => {
                let keys = command.shortcuts().first().map(|keys| ui.ctx().format_shortcut(keys));
                (command.label().to_owned(), keys.unwrap_or_default())
            }
            Entry::Gene(symbol) => (symbol.clone(), "gene".to_owned()),
        };
        let button = egui::Button::new(text)
            .shortcut_text(note)
            .selected(at == dialogs.chosen)
            .frame_when_inactive(at == dialogs.chosen)
            .min_size(egui::vec2(ui.available_width(), 0.0));
        if ui.add(button).clicked() || (enter && at == dialogs.chosen) {
            actions.push(Action::CloseDialog);
            match entry {
                Entry::Command(command) => actions.push(command.action(state)),
                Entry::Gene(symbol) => {
                    actions.push(Action::Select { gene: symbol.clone(), extend: false });
                    actions.push(Action::SetTab(Tab::Network));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_finds_by_any_words_and_offers_only_what_works() {
        let state = State::default();
        assert_eq!(matches("path open", &state), [Entry::Command(Command::OpenPath)]);
        assert!(matches("undo", &state).is_empty(), "there is nothing to undo");
        assert_eq!(matches("openpath", &state), matches("open path", &state));
        assert_eq!(matches("", &state).len(), ROWS);
    }
}
