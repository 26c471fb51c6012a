//! The cells behind the shifts of one perturbation: boxes of the genes that change most, and one gene's histograms.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use egui::{ProgressBar, RichText, Ui, vec2};

use super::{ComparedPerturbation, Comparison, Predictor, caption};
use crate::app::command::Command;
use crate::app::state::DataSection;
use crate::app::views::export::{Choice, Content, Draw, PRINT_TEXT_SIZE, of_model};
use crate::app::views::network::theme as figure_theme;
use crate::app::widgets::FigureWidget;
use crate::app::{Action, ExportContent, State, theme};
use crate::data::Dataset;
use crate::figures::response::{BoxesFigure, GeneCellsFigure};
use crate::figures::{Figure as _, FigureMetadata};
use crate::jobs::{Job, Outcome};
use crate::models::TrainedModel;
use crate::tasks::cell_response::{CellResponse, Prediction, cell_response};

/// Font size of figures on the screen.
const TEXT_SIZE: f32 = 11.0;
/// Height of a gene's row.
const ROW: f32 = 31.0;
/// Height of the histograms.
const CARD: f32 = 380.0;

/// What the boxes show, for a tooltip.
const BOXES: &str = "Each cell's log2(10,000·x/Σx + 1) minus the mean of the control cells. Boxes reach from the lower to the upper \
                     quartile, whiskers to the last cell within 1.5 times that range; the line is the median, the disc the mean. \
                     Predicted cells are drawn from the model and stand against its own control. The diamond is the predicted mean";

/// What is asked.
#[derive(Clone)]
struct Question {
    dataset: Arc<Dataset>,
    model: Arc<TrainedModel>,
    perturbation: String,
}

impl Question {
    fn is(&self, other: &Self) -> bool {
        let same = Arc::ptr_eq(&self.dataset, &other.dataset) && Arc::ptr_eq(&self.model, &other.model);
        same && self.perturbation == other.perturbation
    }
}

/// What this part keeps for itself.
#[derive(Default)]
pub struct CellsPart {
    found: Option<(Question, Arc<CellResponse>)>,
    job: Option<(Question, Job<CellResponse>)>,
    /// Why there is no answer; none if it was cancelled.
    stopped: Option<(Question, Option<String>)>,
    /// Grows with every answer.
    version: u64,
    /// The boxes, and what they were made for.
    figure: Option<(u64, Arc<BoxesFigure>)>,
    /// The gene of the histograms, where one of the figure was clicked.
    gene: Option<String>,
    boxes: FigureWidget,
    histograms: FigureWidget,
}

impl CellsPart {
    /// The cells of `perturbation`, if they are at hand.
    pub fn found(&self, perturbation: &str) -> Option<&Arc<CellResponse>> {
        self.found.as_ref().filter(|(asked, _)| asked.perturbation == perturbation).map(|(_, found)| found)
    }

    /// Look at the cells in the background.
    fn follow(&mut self, ui: &Ui, question: &Question) {
        if let Some((asked, job)) = &mut self.job
            && let Some(outcome) = job.poll()
        {
            match outcome {
                Outcome::Finished(found) => {
                    self.found = Some((asked.clone(), Arc::new(found)));
                    self.version += 1;
                }
                Outcome::Failed { message, .. } => self.stopped = Some((asked.clone(), Some(message))),
                Outcome::Cancelled => self.stopped = Some((asked.clone(), None)),
            }
            self.job = None;
        }
        let found = self.found.as_ref().map(|(asked, _)| asked);
        let stopped = self.stopped.as_ref().map(|(asked, _)| asked);
        let running = self.job.as_ref().map(|(asked, _)| asked);
        if [found, stopped, running].into_iter().flatten().any(|asked| asked.is(question)) {
            return;
        }
        let (context, input) = (ui.ctx().clone(), question.clone());
        // Dropping the job before cancels it.
        let job = Job::spawn(
            "cells",
            move || context.request_repaint(),
            move |progress| cell_response(&input.dataset, &input.model, &input.perturbation, progress),
        );
        self.job = Some((question.clone(), job));
    }
}

/// Draw it.
pub fn show(
    part: &mut CellsPart,
    ui: &mut Ui,
    comparison: &Comparison,
    chosen: &ComparedPerturbation,
    shown: Predictor,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let Some(model) = &state.runtime.model else { return };
    ui.add_space(theme::LARGE);
    ui.label(RichText::new("Cells").heading()).on_hover_text(BOXES);
    let Some(dataset) = &state.runtime.dataset else {
        let text = format!("The model file holds no cells: open the data set {} beside it", model.card().dataset.name);
        ui.add(egui::Label::new(text).wrap());
        if ui.button("Open the data set…").on_hover_text(&model.card().dataset.name).clicked() {
            actions.push(Action::AskOpen);
        }
        return;
    };
    let question = Question { dataset: dataset.clone(), model: model.clone(), perturbation: chosen.name.clone() };
    part.follow(ui, &question);
    let found = part.found.as_ref().filter(|(asked, _)| asked.is(&question)).map(|(_, found)| found.clone());
    let Some(found) = found else {
        waiting(part, ui, &question, actions);
        return;
    };
    caption(ui, found.describe()).on_hover_text(BOXES);
    if let Err(reason) = &found.drawn {
        caption(ui, format!("The model cannot draw cells: {reason}"));
    }
    figures(part, ui, &found, comparison, chosen, shown, state, actions);
}

/// How far it is, or why there is nothing.
fn waiting(part: &mut CellsPart, ui: &mut Ui, question: &Question, actions: &mut Vec<Action>) {
    if let Some((_, job)) = part.job.as_ref().filter(|(asked, _)| asked.is(question)) {
        let progress = job.progress();
        ui.horizontal(|ui| {
            let bar = ProgressBar::new(progress.fraction.unwrap_or(0.0)).desired_width(180.0);
            ui.add(bar.animate(progress.fraction.is_none()));
            ui.label(if progress.stage.is_empty() { "Reading cells" } else { &progress.stage });
            if ui.button("Cancel").clicked() {
                job.cancel();
            }
        });
        return;
    }
    let reason = part.stopped.as_ref().and_then(|(_, reason)| reason.clone());
    ui.horizontal_wrapped(|ui| {
        match &reason {
            Some(reason) => ui.add(egui::Label::new(reason).wrap()),
            None => ui.label("Cancelled"),
        };
        if ui.button(if reason.is_some() { "Try again" } else { "Look at the cells" }).clicked() {
            part.stopped = None;
        }
        if reason.is_some() && ui.button(Command::Open.label()).clicked() {
            actions.push(Action::AskOpen);
        }
    });
}

/// Who is marked on the boxes: the model, and the baseline drawn, else the one that fits best.
fn marked(chosen: &ComparedPerturbation, shown: Predictor) -> Vec<Predictor> {
    let baseline = match shown {
        Predictor::Model => chosen.best_baseline().map(|(who, _)| who),
        drawn => Some(drawn),
    };
    [Predictor::Model].into_iter().chain(baseline).filter(|who| chosen.fit(*who).is_some()).collect()
}

/// The figure of boxes, in the order of the measured shifts.
fn boxes(
    found: &CellResponse,
    comparison: &Comparison,
    chosen: &ComparedPerturbation,
    shown: Predictor,
    selection: &[String],
    text_size: f32,
) -> BoxesFigure {
    let Some((_, _, observed)) = comparison.observed(&chosen.name) else { return BoxesFigure::default() };
    let genes = found.top_genes(comparison.genes(), observed);
    let predictions = marked(chosen, shown).into_iter().filter_map(|who| {
        let label = if who == Predictor::Model { "predicted mean".to_owned() } else { who.label().to_lowercase() };
        let shifts = comparison.predicted(who, &chosen.name)?;
        Some(Prediction { label, of_model: who == Predictor::Model, genes: comparison.genes(), shifts })
    });
    let predictions: Vec<Prediction<'_>> = predictions.collect();
    BoxesFigure { text_size, ..found.boxes(&genes, &predictions, selection) }
}

/// The gene of the histograms: the one selected last, else the one clicked here, else the one that changes most.
fn gene_of(part: &CellsPart, found: &CellResponse, figure: &BoxesFigure, selection: &[String]) -> Option<String> {
    let known = |gene: &&String| found.find(gene).is_some();
    let selected = selection.last().filter(known);
    let first = || figure.genes.first().map(|gene| gene.label.clone());
    part.gene.as_ref().filter(known).or(selected).cloned().or_else(first)
}

fn histograms(found: &CellResponse, gene: &str, text_size: f32) -> Option<GeneCellsFigure> {
    Some(GeneCellsFigure { text_size, ..found.gene_cells(gene)? })
}

#[allow(clippy::too_many_arguments)]
fn figures(
    part: &mut CellsPart,
    ui: &mut Ui,
    found: &Arc<CellResponse>,
    comparison: &Comparison,
    chosen: &ComparedPerturbation,
    shown: Predictor,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let selection = &state.document.selection;
    let mut hasher = DefaultHasher::new();
    (part.version, &chosen.name, shown, selection).hash(&mut hasher);
    let key = hasher.finish();
    let known = part.figure.take().filter(|(of, _)| *of == key);
    let make = || (key, Arc::new(boxes(found, comparison, chosen, shown, selection, TEXT_SIZE)));
    let figure = part.figure.insert(known.unwrap_or_else(make)).1.clone();
    let room = ui.available_width();
    let beside = room >= 760.0;
    let width = if beside { (room - theme::MEDIUM) * 0.6 } else { room };
    let size = vec2(width, figure.genes.len() as f32 * ROW + 90.0);
    let mut clicked = None;
    ui.horizontal_top(|ui| {
        let label =
            format!("Boxes of the cells for the {} genes that change most, {}", figure.genes.len(), chosen.name);
        let drawn = part.boxes.show(ui, size, key, &label, |size, dark| figure.scene(size, &figure_theme(dark)));
        clicked = drawn.clicked.and_then(|at| figure.genes.get(at)).map(|gene| gene.label.clone());
        if beside {
            ui.vertical(|ui| card(part, ui, found, &figure, chosen, state, actions));
        }
    });
    if !beside {
        card(part, ui, found, &figure, chosen, state, actions);
    }
    if let Some(gene) = clicked {
        if state.network().is_some_and(|network| network.find(&gene).is_some()) {
            actions.push(Action::Select { gene: gene.clone(), extend: false });
        }
        part.gene = Some(gene);
    }
}

/// One gene's histograms, and the way to the tests.
fn card(
    part: &mut CellsPart,
    ui: &mut Ui,
    found: &Arc<CellResponse>,
    figure: &BoxesFigure,
    chosen: &ComparedPerturbation,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let Some(gene) = gene_of(part, found, figure, &state.document.selection) else { return };
    ui.horizontal_wrapped(|ui| {
        ui.label("Gene");
        let combo = egui::ComboBox::from_id_salt("gene of the histograms").selected_text(&gene).width(110.0);
        let shown = combo.show_ui(ui, |ui| {
            for other in &figure.genes {
                if ui.selectable_label(other.label == gene, &other.label).clicked() {
                    part.gene = Some(other.label.clone());
                }
            }
        });
        let label = format!("Gene of the histograms, {gene}");
        shown.response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::ComboBox, true, &label));
        let hint = "Test every gene in all cells with this perturbation: volcano and MA plot, with a table";
        if ui.button("Volcano and MA plot").on_hover_text(hint).clicked() {
            actions.push(Action::ShowPerturbation(Some(chosen.name.clone())));
            actions.push(Action::ShowSection(DataSection::Differential));
        }
    });
    let size = vec2(ui.available_width(), CARD);
    let mut hasher = DefaultHasher::new();
    (part.version, &gene).hash(&mut hasher);
    let label = format!("Histograms of {gene} in control, perturbed and predicted cells");
    part.histograms.show(ui, size, hasher.finish(), &label, |size, dark| {
        let figure = histograms(found, &gene, TEXT_SIZE).unwrap_or_default();
        figure.scene(size, &figure_theme(dark))
    });
}

/// The figures and their numbers.
pub fn choices(
    part: &CellsPart,
    comparison: &Comparison,
    chosen: &ComparedPerturbation,
    shown: Predictor,
    state: &State,
) -> Vec<Choice> {
    let Some(found) = part.found(&chosen.name) else { return Vec::new() };
    let selection = &state.document.selection;
    let figure = boxes(found, comparison, chosen, shown, selection, PRINT_TEXT_SIZE);
    let genes: Vec<String> = figure.genes.iter().map(|gene| gene.label.clone()).collect();
    let name = chosen.name.replace('+', "-");
    let choice = |label: &str, name: String, what: String, aspect: f32, draw: Draw| {
        let metadata =
            FigureMetadata::new(format!("{label}, {}", chosen.name), format!("{what}: {}", found.describe()));
        let metadata = Box::new(of_model(metadata.with("unit", "log2(10,000·x/Σx + 1)"), state));
        Choice { label: label.to_owned(), name, content: Content::Figure { draw, aspect, width_mm: 120.0, metadata } }
    };
    let mut choices = Vec::new();
    if let Some(gene) = gene_of(part, found, &figure, selection)
        && let Some(figure) = histograms(found, &gene, PRINT_TEXT_SIZE)
    {
        let draw: Draw = Arc::new(move |size, theme| figure.scene(size, theme).scene);
        let what = format!("{gene} in cells with {} perturbed", chosen.name);
        choices.push(choice(&format!("Cells of {gene}"), format!("cells-{gene}-{name}"), what, 1.2, draw));
    }
    let draw: Draw = Arc::new(move |size, theme| figure.scene(size, theme).scene);
    let what = format!("The genes with the largest measured shifts under {}", chosen.name);
    choices.insert(0, choice("Boxes of the cells", format!("cells-{name}"), what, 0.8, draw));
    choices.push(Choice {
        label: "Boxes of the cells (table)".to_owned(),
        name: format!("cells-{name}"),
        content: Content::Table(ExportContent::Table(found.table(&genes).into())),
    });
    choices
}
