//! Genetic interactions: a map of all pairs, and the page of the pair chosen.
//!
//! Measured interactions need the data set, whose cells are tested; predicted ones the model. Both are worked out on a thread of its
//! own ([`crate::tasks::interactions`]) while this page is shown.

mod detail;

use std::sync::Arc;

use egui::{Frame, Margin, RichText, ScrollArea, Ui, vec2};

use super::export::{Choice, Content, ExportDialog, Exportable, PRINT_TEXT_SIZE, of_model};
use super::network::theme as figure_theme;
use crate::app::widgets::{FigureWidget, empty_page};
use crate::app::{Action, ExportContent, State, theme};
use crate::data::Dataset;
use crate::figures::{Figure as _, FigureMetadata};
use crate::jobs::{Job, Outcome};
use crate::models::TrainedModel;
use crate::tasks::interactions::{
    InteractionOptions, Interactions, Pairs, gene_table, has_pairs, interactions, map, pair_table,
};
use crate::words::counted;

/// Font size of figures on the screen.
const TEXT_SIZE: f32 = 11.0;
/// From this width on map and page stand side by side.
const WIDE: f32 = 860.0;

/// What this view keeps for itself.
#[derive(Default)]
pub struct InteractionsView {
    asked: Option<Asked>,
    job: Option<Job<Interactions>>,
    failed: Option<String>,
    found: Option<Arc<Interactions>>,
    /// Predict every two of the perturbed genes.
    all_pairs: bool,
    /// Only cells held out of the training.
    held_out: bool,
    chosen: Option<String>,
    map: FigureWidget,
    plots: [FigureWidget; 2],
    export: ExportDialog,
}

/// What was asked last, or is being worked out.
#[derive(Clone)]
struct Asked {
    dataset: Option<Arc<Dataset>>,
    model: Option<Arc<TrainedModel>>,
    all_pairs: bool,
    held_out: bool,
}

impl PartialEq for Asked {
    fn eq(&self, other: &Self) -> bool {
        let same_data = match (&self.dataset, &other.dataset) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        let same_model = match (&self.model, &other.model) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        same_data && same_model && self.all_pairs == other.all_pairs && self.held_out == other.held_out
    }
}

/// Whether there are pairs to show without asking for predictions: cells or a model of two genes perturbed together.
pub fn offers_pairs(state: &State) -> bool {
    has_pairs(state.runtime.dataset.as_deref(), state.runtime.model.as_deref())
}

/// Draw it into all of `ui`.
pub fn show(view: &mut InteractionsView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let (dataset, model) = (&state.runtime.dataset, &state.runtime.model);
    if dataset.is_none() && model.is_none() {
        let text = "Interactions are measured in the cells of a screen that perturbed genes two at a time, or predicted by a model. \
                    Open either";
        if empty_page(ui, "No interactions yet", text, &["Open a file…"]).is_some() {
            actions.push(Action::AskOpen);
        }
        return;
    }
    if !offers_pairs(state) && !view.all_pairs {
        let needed = "This screen perturbed no two genes together. To measure an interaction it takes cells with both genes perturbed, \
                      cells of each alone, and control cells";
        let (text, buttons): (String, &[&str]) = match model {
            Some(_) => (
                format!("{needed}. The model can predict every pair: hypotheses for the next screen"),
                &["Predict all pairs"],
            ),
            None => (format!("{needed}. A model of this screen could predict pairs"), &[]),
        };
        if empty_page(ui, "No pairs in this screen", &text, buttons).is_some() {
            view.all_pairs = true;
        }
        return;
    }
    view.follow(ui, state);
    bar(view, ui, state);
    let Some(found) = view.found.clone() else {
        match &view.failed {
            Some(reason) => {
                if empty_page(ui, "No interactions to show", reason, &["Try again"]).is_some() {
                    (view.asked, view.failed) = (None, None);
                }
            }
            None => waiting(view, ui),
        }
        return;
    };
    contents(view, ui, &found, state, actions);
    view.export.show(ui.ctx(), state, actions);
}

/// How far the work is.
fn waiting(view: &InteractionsView, ui: &mut Ui) {
    let Some(job) = &view.job else { return };
    let progress = job.progress();
    ui.horizontal(|ui| {
        ui.spinner();
        let share = progress.fraction.map(|share| format!(", {:.0} %", 100.0 * share)).unwrap_or_default();
        let stage = if progress.stage.is_empty() { "Comparing pairs with their singles" } else { &progress.stage };
        // Before the words, whose length changes: it stays where it is.
        if ui.button("Cancel").clicked() {
            job.cancel();
        }
        ui.label(format!("{stage}{share}"));
    });
}

/// What is asked for.
fn bar(view: &mut InteractionsView, ui: &mut Ui, state: &State) {
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("Genetic interactions").heading());
        let has_model = state.runtime.model.is_some();
        let text =
            "Predict every two of the perturbed genes, also those never perturbed together: hypotheses, not findings";
        ui.add_enabled(has_model, egui::Checkbox::new(&mut view.all_pairs, "All pairs"))
            .on_hover_text(text)
            .on_disabled_hover_text("Pairs that were not measured are predicted by a model; none is open");
        let tells = state.runtime.model.as_ref().zip(state.runtime.dataset.as_ref());
        let tells = tells.is_some_and(|(model, dataset)| {
            model.card().dataset.hash == dataset.hash() && !model.held_out_cells().is_empty()
        });
        ui.add_enabled(tells, egui::Checkbox::new(&mut view.held_out, "Held-out cells only"))
            .on_hover_text("Measure in cells that the model never saw: fewer, but a test of its predictions")
            .on_disabled_hover_text("Which cells were held out is told by a model of the open data set");
        if let Some(found) = &view.found
            && ui.button("Export…").on_hover_text("Save the map, the plots or their numbers").clicked()
        {
            view.export.open(exportable(found, view.chosen.as_deref(), state));
        }
        if view.found.is_some() {
            waiting(view, ui);
        }
    });
}

fn contents(
    view: &mut InteractionsView,
    ui: &mut Ui,
    found: &Arc<Interactions>,
    state: &State,
    actions: &mut Vec<Action>,
) {
    if view.chosen.as_ref().is_none_or(|name| found.find(name).is_none()) {
        view.chosen = found.pairs.first().map(crate::tasks::interactions::PairInteraction::name);
    }
    if ui.available_width() >= WIDE {
        let left = ui.available_width() * 0.52;
        let frame = Frame::new().inner_margin(Margin { right: 12, ..Margin::ZERO });
        egui::Panel::left("interaction map").frame(frame).exact_size(left).resizable(false).show(ui, |ui| {
            summary(ui, found);
            let size = vec2(ui.available_width(), (ui.available_height() - 8.0).max(200.0));
            draw_map(view, ui, found, size);
        });
        let frame = Frame::new().inner_margin(Margin { left: 12, ..Margin::ZERO });
        egui::CentralPanel::default().frame(frame).show(ui, |ui| {
            ScrollArea::vertical().id_salt("pair").auto_shrink(false).show(ui, |ui| {
                detail::show(view, ui, found, state, actions);
            });
        });
    } else {
        ScrollArea::vertical().id_salt("interactions").auto_shrink(false).show(ui, |ui| {
            summary(ui, found);
            let width = ui.available_width();
            draw_map(view, ui, found, vec2(width, width * 1.1));
            detail::show(view, ui, found, state, actions);
        });
    }
}

/// How many pairs deviate, and what to know.
fn summary(ui: &mut Ui, found: &Interactions) {
    let measured: Vec<_> = found.pairs.iter().filter_map(|pair| pair.measured.as_ref()).collect();
    let predicted = found.pairs.len() - measured.len();
    let mut text = Vec::new();
    if !measured.is_empty() {
        let clear = measured.iter().filter(|one| one.adjusted_p < 0.05).count();
        text.push(format!(
            "{} measured, {clear} of them more or less than the sum of their singles (adjusted p < 0.05: one in twenty of these is \
             expected to be none)",
            counted(measured.len(), "pair")
        ));
    }
    if predicted > 0 {
        text.push(format!("{} predicted only", counted(predicted, "pair")));
    }
    let response = ui.label(RichText::new(text.join("; ")).small().color(theme::colours(ui).text_weak));
    response.on_hover_text(found.notes.join("\n\n"));
}

fn draw_map(view: &mut InteractionsView, ui: &mut Ui, found: &Arc<Interactions>, size: egui::Vec2) {
    let chosen = view.chosen.clone();
    let key = key(found, &chosen, 0);
    let label = format!("Map of genetic interactions, {}", counted(found.pairs.len(), "pair"));
    let drawn = view.map.show(ui, size, key, &label, |size, dark| {
        map(found, chosen.as_deref(), TEXT_SIZE).0.scene(size, &figure_theme(dark))
    });
    if let Some(at) = drawn.clicked {
        let (_, positions) = map(found, chosen.as_deref(), TEXT_SIZE);
        view.chosen = positions.get(at).and_then(|&at| found.pairs.get(at)).map(|pair| pair.name());
    }
}

/// Of what a figure draws.
fn key(found: &Arc<Interactions>, chosen: &Option<String>, which: u8) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (Arc::as_ptr(found) as usize, chosen, which).hash(&mut hasher);
    hasher.finish()
}

impl InteractionsView {
    /// Work it out in the background whenever something else is asked.
    fn follow(&mut self, ui: &Ui, state: &State) {
        if let Some(outcome) = self.job.as_mut().and_then(Job::poll) {
            self.job = None;
            match outcome {
                Outcome::Finished(found) => (self.found, self.failed) = (Some(Arc::new(found)), None),
                Outcome::Failed { message, .. } => (self.found, self.failed) = (None, Some(message)),
                Outcome::Cancelled if self.found.is_none() => self.failed = Some("Cancelled".to_owned()),
                Outcome::Cancelled => {}
            }
        }
        let (dataset, model) = (state.runtime.dataset.clone(), state.runtime.model.clone());
        let asked = Asked { all_pairs: self.all_pairs && model.is_some(), held_out: self.held_out, dataset, model };
        if self.asked.as_ref() == Some(&asked) {
            return;
        }
        let same_files = self.asked.as_ref().is_some_and(|before| {
            let (all_pairs, held_out) = (before.all_pairs, before.held_out);
            *before == Asked { all_pairs, held_out, ..asked.clone() }
        });
        if !same_files {
            (self.found, self.failed, self.held_out) = (None, None, false);
        }
        let asked = Asked { held_out: self.held_out, ..asked };
        self.asked = Some(asked.clone());
        let context = ui.ctx().clone();
        let options = InteractionOptions {
            pairs: if asked.all_pairs { Pairs::All } else { Pairs::InScreen },
            held_out: asked.held_out,
            ..InteractionOptions::default()
        };
        // Dropping the job before cancels it.
        self.job = Some(Job::spawn(
            "interactions",
            move || context.request_repaint(),
            move |progress| interactions(asked.dataset.as_ref(), asked.model.as_deref(), &options, progress),
        ));
    }
}

fn exportable(found: &Arc<Interactions>, chosen: Option<&str>, state: &State) -> Exportable {
    let (drawn, _) = map(found, chosen, PRINT_TEXT_SIZE);
    let metadata = |title: &str, description: String| {
        let metadata = FigureMetadata::new(title, description).with("notes", found.notes.join(" "));
        Box::new(of_model(metadata, state))
    };
    let mut choices = vec![Choice {
        label: "Map of all pairs".to_owned(),
        name: "interactions".to_owned(),
        content: Content::Figure {
            draw: Arc::new(move |size, theme| drawn.scene(size, theme).scene),
            aspect: 0.86,
            width_mm: 120.0,
            metadata: metadata("Genetic interactions", found.describe()),
        },
    }];
    choices.extend(detail::choices(found, chosen, &metadata));
    let (pairs, genes) = (found.clone(), found.clone());
    choices.push(Choice {
        label: "All pairs (table)".to_owned(),
        name: "interactions".to_owned(),
        content: Content::Table(ExportContent::Table(pair_table(&pairs).into())),
    });
    let mut all = Exportable { choices };
    all.add_table("All genes of all pairs (table)".to_owned(), "interactions-genes", move || gene_table(&genes));
    all
}
