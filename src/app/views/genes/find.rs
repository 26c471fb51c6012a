//! The search field: one gene by name, or a pasted list.

use std::sync::Arc;

use egui::{Key, RichText, TextEdit, Ui, WidgetInfo};

use crate::app::attached::Attachment;
use crate::app::views::search::{Found, FoundList, SearchIndex};
use crate::app::{Action, State, theme};
use crate::words::counted;

/// Most suggestions.
const SUGGESTIONS: usize = 6;

/// What is typed, and what was found for it.
#[derive(Default)]
pub(super) struct FindField {
    text: String,
    /// Which suggestion the arrow keys chose.
    chosen: usize,
    index: Option<Arc<SearchIndex>>,
    answer: Option<(String, Answer)>,
}

enum Answer {
    One(Found),
    Many(FoundList),
}

impl FindField {
    /// Draw it. Gives back whether genes were selected.
    pub(super) fn show(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) -> bool {
        let Some(index) = state.search() else { return false };
        let field = TextEdit::singleline(&mut self.text)
            .hint_text("Find a gene, or paste a list")
            .char_limit(200_000)
            .desired_width(f32::INFINITY);
        let response = ui.add(field);
        response.widget_info(|| WidgetInfo::labeled(egui::Role::TextInput, true, "Find a gene"));
        if state.view.focus_search {
            response.request_focus();
        }
        if response.changed() {
            self.chosen = 0;
        }
        if self.text.trim().is_empty() {
            self.answer = None;
            return false;
        }
        let enter = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let (down, up) = ui.input(|input| (input.key_pressed(Key::ArrowDown), input.key_pressed(Key::ArrowUp)));
        let (down, up) = (down && response.has_focus(), up && response.has_focus());
        let nothing = match self.answer(&index) {
            Answer::One(found) => found.remark.is_some(),
            Answer::Many(found) => !found.missing.is_empty(),
        };
        let picked = match self.answer(&index) {
            Answer::Many(found) => list(ui, found, enter),
            Answer::One(found) => {
                let found = found.clone();
                let last = found.genes.len().saturating_sub(1);
                self.chosen =
                    if down { (self.chosen + 1).min(last) } else { self.chosen.saturating_sub(usize::from(up)) };
                // The very gene that was named comes before similar nodes.
                let named = found.remark.is_some().then(|| beside_the_network(ui, &found, state)).flatten();
                let picked = suggestions(ui, &found, self.chosen, enter);
                let picked = picked.map(|gene| Action::Select { gene, extend: false });
                let beside = found.remark.is_none().then(|| beside_the_network(ui, &found, state)).flatten();
                named.or(picked).or(beside)
            }
        };
        if nothing && !index.knows_names() && state.document.sources.gene_names.is_none() {
            let link = ui.link("Load other gene names…");
            let hint = "A table with earlier symbols and synonyms, such as the complete set of the HGNC";
            if link.on_hover_text(hint).clicked() {
                actions.push(Action::AskAttach(Attachment::GeneNames));
            }
        }
        ui.add_space(theme::SMALL);
        let Some(action) = picked else { return false };
        self.text.clear();
        actions.push(action);
        true
    }

    /// What is found for the text, looked up once.
    fn answer(&mut self, index: &Arc<SearchIndex>) -> &Answer {
        if !self.index.as_ref().is_some_and(|known| Arc::ptr_eq(known, index)) {
            self.index = Some(index.clone());
            self.answer = None;
        }
        let text = &self.text;
        let known = self.answer.take().filter(|(asked, _)| asked == text);
        let make = || {
            let answer = match index.list(text) {
                Some(found) => Answer::Many(found),
                None => Answer::One(index.find(text, SUGGESTIONS)),
            };
            (text.clone(), answer)
        };
        &self.answer.insert(known.unwrap_or_else(make)).1
    }
}

/// The suggestions for one name; the one that was picked.
fn suggestions(ui: &mut Ui, found: &Found, chosen: usize, enter: bool) -> Option<String> {
    let mut picked = enter.then(|| found.genes.get(chosen)).flatten().map(|hit| hit.symbol.clone());
    if let Some(remark) = &found.remark {
        ui.label(RichText::new(remark).small().color(theme::colours(ui).text_weak));
    }
    for (at, hit) in found.genes.iter().enumerate() {
        let text = match &hit.alias {
            Some(alias) => format!("{} ({alias})", hit.symbol),
            None => hit.symbol.clone(),
        };
        let suggestion = ui.selectable_label(at == chosen, text);
        suggestion.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Go to {}", hit.symbol)));
        if suggestion.clicked() {
            picked = Some(hit.symbol.clone());
        }
    }
    picked
}

/// Measured genes that are no nodes, of which the model can tell what their loss would do; the question that was picked.
fn beside_the_network(ui: &mut Ui, found: &Found, state: &State) -> Option<Action> {
    let model = state.runtime.model.as_ref()?;
    let mut picked = None;
    for gene in found.measured.iter().filter(|gene| model.can_perturb(gene)) {
        let kind = model.card().perturbation_kind.label();
        let link = ui.link(format!("{gene}: predict its {kind}"));
        let hint = "No node of the network, and never perturbed: predicted from the perturbations that were seen";
        if link.on_hover_text(hint).clicked() {
            picked = Some(Action::KnockOut(vec![(gene.clone(), 1.0)]));
        }
    }
    picked
}

/// What was found of a list; the selection if it was asked for.
fn list(ui: &mut Ui, found: &FoundList, enter: bool) -> Option<Action> {
    let some = !found.genes.is_empty();
    let button = ui.add_enabled(some, egui::Button::new(format!("Select {}", counted(found.genes.len(), "gene"))));
    if let Some(remark) = found.remark() {
        ui.label(RichText::new(remark).small().color(theme::colours(ui).text_weak));
    }
    ((button.clicked() || enter) && some).then(|| Action::SelectAll(found.genes.clone()))
}
