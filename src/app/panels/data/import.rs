//! How the file was read, and other ways to read it.

use egui::{ComboBox, RichText, TextEdit, Ui};

use super::card;
use crate::app::action::Action;
use crate::app::panels::dialogs::split_labels;
use crate::app::state::State;
use crate::app::theme;
use crate::data::{Choice, ImportOptions};

/// Other choices, not yet applied.
#[derive(Default)]
pub(in crate::app) struct ImportForm {
    /// Hash and options of the data set the form belongs to.
    of: Option<(String, ImportOptions)>,
    options: ImportOptions,
    labels: String,
}

/// The settings that can be overruled by choosing among alternatives, by the name the reader gives them.
fn slot<'a>(options: &'a mut ImportOptions, what: &str) -> Option<&'a mut Option<String>> {
    match what {
        "matrix" => Some(&mut options.matrix),
        "perturbation column" => Some(&mut options.perturbation_column),
        "gene names" => Some(&mut options.gene_column),
        "batch" => Some(&mut options.batch_column),
        "cell type" => Some(&mut options.cell_type_column),
        _ => None,
    }
}

pub(super) fn show(form: &mut ImportForm, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(dataset) = &state.runtime.dataset else { return };
    let applied = &state.document.sources.import;
    let of = (dataset.hash().to_owned(), applied.clone());
    if form.of.as_ref() != Some(&of) {
        form.options = applied.clone();
        form.labels = applied.control_labels.join(", ");
        form.of = Some(of);
    }
    card(ui, "How the file was read", |ui| {
        for choice in &dataset.import().choices {
            entry(form, ui, choice);
        }
        let label = ui
            .label(RichText::new("Control labels").small().color(theme::colours(ui).text_weak))
            .on_hover_text("Exactly as in the perturbation column, separated by commas; empty for the rule");
        let edit = TextEdit::singleline(&mut form.labels).desired_width(f32::INFINITY).hint_text("By the rule");
        ui.add(edit).labelled_by(label.id);
        form.options.control_labels = split_labels(&form.labels);
        let changed = form.options != *applied;
        ui.add_space(theme::SMALL);
        ui.horizontal_wrapped(|ui| {
            if ui
                .add_enabled(changed, egui::Button::new("Read again"))
                .on_hover_text("Read the file with these choices")
                .on_disabled_hover_text("Change a choice first")
                .clicked()
            {
                actions.push(Action::ReadAgain(Box::new(form.options.clone())));
            }
            let overruled = *applied != ImportOptions::default();
            if overruled && ui.button("Back to the rules").clicked() {
                actions.push(Action::ReadAgain(Box::default()));
            }
        });
    });
}

fn entry(form: &mut ImportForm, ui: &mut Ui, choice: &Choice) {
    let weak = theme::colours(ui).text_weak;
    let label = ui.label(RichText::new(sentence_case(&choice.what)).small().color(weak));
    match slot(&mut form.options, &choice.what).filter(|_| !choice.alternatives.is_empty()) {
        Some(chosen) => {
            let current = chosen.clone().unwrap_or_else(|| choice.chosen.clone());
            let mut picked = current.clone();
            let width = ui.available_width().min(320.0);
            let combo = ComboBox::from_id_salt(("import", &choice.what)).width(width).truncate().selected_text(&picked);
            let response = combo.show_ui(ui, |ui| {
                ui.selectable_value(&mut picked, choice.chosen.clone(), &choice.chosen);
                for alternative in &choice.alternatives {
                    ui.selectable_value(&mut picked, alternative.clone(), alternative);
                }
            });
            response.response.labelled_by(label.id);
            if picked != current {
                *chosen = Some(picked);
            }
        }
        None => {
            ui.add(egui::Label::new(RichText::new(&choice.chosen).text_style(theme::strong())).wrap());
        }
    }
    if !choice.reason.is_empty() {
        ui.add(egui::Label::new(RichText::new(&choice.reason).small().color(weak)).wrap());
    }
    ui.add_space(theme::SMALL);
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
