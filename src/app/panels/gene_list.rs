//! A pasted list of genes: what is found of it, and the selection of all that is.

use std::sync::Arc;

use egui::{RichText, TextEdit, Ui};

use super::dialogs::{buttons, heading, primary};
use crate::app::attached::Attachment;
use crate::app::views::attachment;
use crate::app::views::search::{FoundList, SearchIndex, words};
use crate::app::{Action, State, theme};
use crate::words::counted;

/// What is typed, and what was found of it.
#[derive(Default)]
pub(super) struct GeneListForm {
    text: String,
    index: Option<Arc<SearchIndex>>,
    found: Option<(String, FoundList)>,
}

impl GeneListForm {
    /// What is found of the text, looked up once.
    fn found(&mut self, state: &State) -> FoundList {
        let Some(index) = state.search() else { return FoundList::default() };
        if !self.index.as_ref().is_some_and(|known| Arc::ptr_eq(known, &index)) {
            self.index = Some(index.clone());
            self.found = None;
        }
        let found = match self.found.take().filter(|(text, _)| *text == self.text) {
            Some((_, found)) => found,
            None => index.all(words(&self.text)),
        };
        self.found = Some((self.text.clone(), found.clone()));
        found
    }
}

pub(super) fn show(form: &mut GeneListForm, ui: &mut Ui, fresh: bool, state: &State, actions: &mut Vec<Action>) {
    heading(ui, "Select a list of genes");
    let names =
        if state.runtime.attached.gene_names.is_some() { "Symbols, earlier symbols, synonyms" } else { "Symbols" };
    ui.label(format!("{names} or Ensembl identifiers, separated by anything"));
    let label = ui.label(RichText::new("Genes").small());
    let field = TextEdit::multiline(&mut form.text)
        .desired_width(f32::INFINITY)
        .desired_rows(6)
        .char_limit(2_000_000)
        .hint_text("STAT1, IRF1, JAK2 …");
    let field = egui::ScrollArea::vertical().max_height(180.0).show(ui, |ui| ui.add(field)).inner;
    let field = field.labelled_by(label.id);
    if fresh {
        field.request_focus();
    }
    let found = form.found(state);
    let weak = theme::colours(ui).text_weak;
    if let Some(remark) = found.remark() {
        ui.label(RichText::new(remark).small().color(weak));
    }
    ui.horizontal_wrapped(|ui| attachment(ui, Attachment::GeneNames, "Other gene names…", state, actions));
    let adds = !state.document.selection.is_empty();
    buttons(ui, |ui| {
        if ui.button("Cancel").clicked() {
            actions.push(Action::CloseDialog);
        }
        let some = !found.genes.is_empty();
        if adds {
            let add = ui.add_enabled(some, egui::Button::new("Add to the selection"));
            if add.clicked() {
                let mut genes = state.document.selection.clone();
                genes.extend(found.genes.iter().filter(|gene| !state.document.is_selected(gene)).cloned());
                actions.push(Action::SelectAll(genes));
                actions.push(Action::CloseDialog);
            }
        }
        if primary(ui, &format!("Select {}", counted(found.genes.len(), "gene")), some) {
            actions.push(Action::SelectAll(found.genes.clone()));
            actions.push(Action::CloseDialog);
        }
    });
}
