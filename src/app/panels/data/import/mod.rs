//! How the file was read, and other ways to read it: each choice can be changed, and what would come of it is told at once.

mod fields;
mod labels;
mod preview;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{RichText, Ui};

use super::card;
use crate::app::action::Action;
use crate::app::findings::{FoundPreview, PickedLabels};
use crate::app::panels::dialogs::primary_button;
use crate::app::state::State;
use crate::app::theme;
use crate::data::preview::Preview;
use crate::data::{Choice, Dataset, ImportOptions};

pub(in crate::app) use preview::difference;

/// Choices that are being changed, for one file.
#[derive(Default)]
pub(in crate::app) struct ImportForm {
    /// The file, what was read of it (its hash), and with which choices.
    of: Option<(PathBuf, String, ImportOptions)>,
    /// What was read, in the form of a preview.
    base: Option<Arc<Preview>>,
    /// The choices as they are now.
    options: ImportOptions,
    /// Shows only labels that contain this.
    filter: String,
    /// The labels in the order shown, which stays while they are ticked.
    order: Option<(Vec<String>, Vec<usize>)>,
    /// The labels file that was taken over last.
    taken: Option<Arc<PickedLabels>>,
}

/// What is known of the file that the form is about.
pub(in crate::app) struct Known<'a> {
    /// The file.
    pub data: &'a Path,
    /// The choices with which it was read; none if it was not.
    pub read: Option<&'a [Choice]>,
    /// The newest preview.
    pub newest: Option<&'a Arc<FoundPreview>>,
    /// What was read, in the form of a preview.
    pub base: Option<Arc<Preview>>,
}

impl ImportForm {
    /// Start anew unless it is for this file and these choices already.
    pub(in crate::app) fn follow(&mut self, path: &Path, dataset: Option<&Dataset>, applied: &ImportOptions) {
        let hash = dataset.map_or("", Dataset::hash);
        let same = |(known, read, options): &(PathBuf, String, ImportOptions)| {
            known == path && read == hash && options == applied
        };
        if !self.of.as_ref().is_some_and(same) {
            self.of = Some((path.to_owned(), hash.to_owned(), applied.clone()));
            self.base = dataset.map(|dataset| Arc::new(Preview::of_dataset(dataset)));
            self.options = applied.clone();
            self.filter.clear();
            self.order = None;
        }
    }

    /// The choices as they are now.
    pub(in crate::app) fn options(&self) -> &ImportOptions {
        &self.options
    }

    /// Whether a choice differs from those with which the file was read.
    pub(in crate::app) fn is_changed(&self) -> bool {
        self.of.as_ref().is_some_and(|(_, _, applied)| *applied != self.options)
    }

    /// Ask what the file would be with the choices as they are now.
    pub(in crate::app) fn ask(&self, path: &Path, state: &State, actions: &mut Vec<Action>) {
        let asked = &state.runtime.preview.asked;
        let is_known = self.base.is_some() && !self.is_changed();
        if !is_known && asked.as_ref().is_none_or(|(of, options)| of != path || *options != self.options) {
            actions.push(Action::PreviewImport(path.to_owned(), Box::new(self.options.clone())));
        }
    }

    /// Take over a labels file that was picked for the file `path`.
    pub(in crate::app) fn adopt(&mut self, path: &Path, state: &State) {
        let picked = &state.runtime.preview.labels;
        let is_new = match (picked, &self.taken) {
            (Some(picked), Some(taken)) => !Arc::ptr_eq(picked, taken),
            (picked, _) => picked.is_some(),
        };
        if is_new && let Some(picked) = picked.as_ref().filter(|picked| picked.data == path) {
            self.options.labels_file = Some(picked.labels.clone());
            self.taken = Some(picked.clone());
        }
    }

    /// Draw all choices.
    pub(in crate::app) fn fields(&mut self, ui: &mut Ui, known: &Known<'_>, actions: &mut Vec<Action>) {
        fields::show(self, ui, known, actions);
    }
}

impl Known<'_> {
    /// The decision called `what`: as the file was read, unless the choices have changed since.
    fn choice(&self, what: &str, options: &ImportOptions, changed: bool) -> Option<&Choice> {
        let (first, second) = self.both(options, changed);
        [first, second].into_iter().flatten().flatten().find(|choice| choice.what == what)
    }

    /// All decisions.
    fn all(&self, options: &ImportOptions, changed: bool) -> &[Choice] {
        let (first, second) = self.both(options, changed);
        first.or(second).unwrap_or_default()
    }

    /// The decisions to show, and those to fall back on.
    fn both(&self, options: &ImportOptions, changed: bool) -> (Option<&[Choice]>, Option<&[Choice]>) {
        let previewed = self.lists(changed).map(|preview| preview.choices.as_slice());
        let fresh = self.newest.is_some_and(|found| found.options == *options);
        if changed && fresh { (previewed, self.read) } else { (self.read, previewed) }
    }

    /// What there is to choose from.
    fn lists(&self, changed: bool) -> Option<&Preview> {
        let newest = self.newest.and_then(|found| found.lists()).filter(|_| changed || self.base.is_none());
        newest.or(self.base.as_deref())
    }
}

/// Draw the card.
pub(super) fn show(form: &mut ImportForm, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let (Some(dataset), Some(file)) = (&state.runtime.dataset, &state.document.sources.dataset) else { return };
    let applied = &state.document.sources.import;
    form.follow(&file.path, Some(dataset), applied);
    form.adopt(&file.path, state);
    form.ask(&file.path, state, actions);
    let known = Known {
        data: &file.path,
        read: Some(&dataset.import().choices),
        newest: state.runtime.preview.newest(&file.path),
        base: form.base.clone(),
    };
    card(ui, "How the file was read", |ui| {
        form.fields(ui, &known, actions);
        ui.add_space(theme::SMALL);
        ui.horizontal_wrapped(|ui| {
            let changed = form.is_changed();
            if ui
                .add_enabled(changed, egui::Button::new("Read again"))
                .on_hover_text("Read the file with these choices")
                .on_disabled_hover_text("Change a choice first")
                .clicked()
            {
                actions.push(Action::ReadAgain(Box::new(form.options.clone())));
            }
            let overruled = *applied != ImportOptions::default();
            if overruled && ui.button("Back to the rules").on_hover_text("Read the file as if nothing was decided").clicked()
            {
                actions.push(Action::ReadAgain(Box::default()));
            }
            let hint = "Write how the file was read into a small file that the command line takes with --import; beside the \
                        data it is found by itself";
            if ui.button("Save choices…").on_hover_text(hint).clicked() {
                actions.push(Action::SaveChoices);
            }
        });
    });
}

/// What would come of the changed choices, beside what is open.
pub(super) fn show_preview(form: &mut ImportForm, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(file) = &state.document.sources.dataset else { return };
    let found = state.runtime.preview.of(&file.path, &form.options);
    card(ui, "With these choices", |ui| {
        match found {
            None => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    ui.label("Looking at labels and names…");
                });
            }
            Some(found) => difference(ui, found, state.runtime.summary.as_deref()),
        }
        ui.add_space(theme::SMALL);
        ui.horizontal_wrapped(|ui| {
            let good = found.is_some_and(|found| found.result.is_ok());
            if ui.add_enabled(good, primary_button(ui, "Read with these choices")).clicked() {
                actions.push(Action::ReadAgain(Box::new(form.options.clone())));
            }
            if ui.button("Undo the changes").clicked()
                && let Some((_, _, applied)) = &form.of
            {
                form.options = applied.clone();
            }
        });
    });
}

fn weak(ui: &Ui, text: impl Into<String>) -> RichText {
    RichText::new(text).small().color(theme::colours(ui).text_weak)
}
