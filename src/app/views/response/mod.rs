//! Predicted against measured response, with the baselines that a model has to beat.
//!
//! One list of all perturbations, sortable by fit; one page for the perturbation chosen. Side by side where there is room,
//! one or the other where there is not.

mod cells;
mod comparison;
mod detail;
mod heat_map;
mod list;
mod overview;

use std::sync::Arc;

use egui::{RichText, ScrollArea, Ui};

pub use comparison::{ComparedPerturbation, Comparison, Fit, Predictor, Total, Truth};
pub use heat_map::{shift_choices, size_choices};

use super::export::ExportDialog;
use crate::app::widgets::{FigureWidget, Sort, empty_page};
use crate::app::{Action, State, theme};
use crate::jobs::{Job, Outcome};
use crate::models::TrainedModel;
use crate::tasks::badges::Badge;

/// Definition of r, for tooltips.
const R: &str = "Pearson's correlation r of predicted and measured shifts over all genes but the perturbed ones: 1 is a perfect \
                 line, whatever its slope; 0 no relation. It does not notice shifts that are all too large or too small";
/// Definition of R², for tooltips.
const R_SQUARED: &str = "R², the coefficient of determination: 1 − Σ(measured − predicted)² / Σ(measured − mean measured)², over \
                         all genes but the perturbed ones. 1 is perfect, 0 no better than one number for all genes; it \
                         can be negative. Unlike r it notices the size of the shifts";
/// Definition of the mean absolute error, for tooltips.
const ERROR: &str = "Mean over genes of |predicted − measured|, in log2 units; the perturbed genes are left out";
/// What a shift is.
const SHIFT: &str = "shift (log2)";

/// From this width on list and page stand side by side.
const WIDE: f32 = 860.0;

/// What this view keeps for itself.
pub struct ResponseView {
    comparison: Option<(Arc<TrainedModel>, Arc<Comparison>)>,
    job: Option<(Arc<TrainedModel>, Job<Comparison>)>,
    failed: Option<(Arc<TrainedModel>, String)>,
    predictor: Predictor,
    sort: Sort<list::FitColumn>,
    order: Vec<u32>,
    ordered: Option<(Sort<list::FitColumn>, String, usize)>,
    filter: String,
    scatter: FigureWidget,
    bars: FigureWidget,
    cells: cells::CellsPart,
    heat: heat_map::HeatPart,
    export: ExportDialog,
    seen_knock_out: String,
}

impl Default for ResponseView {
    fn default() -> Self {
        Self {
            comparison: None,
            job: None,
            failed: None,
            predictor: Predictor::Model,
            sort: Sort::falling(list::FitColumn::RSquared),
            order: Vec::new(),
            ordered: None,
            filter: String::new(),
            scatter: FigureWidget::default(),
            bars: FigureWidget::default(),
            cells: cells::CellsPart::default(),
            heat: heat_map::HeatPart::default(),
            export: ExportDialog::default(),
            seen_knock_out: String::new(),
        }
    }
}

/// Draw it into all of `ui`.
pub fn show(view: &mut ResponseView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(model) = &state.runtime.model else {
        let text = if state.has_no_model() {
            "A network file says who regulates whom, not how cells respond: open the model that learned it to compare its \
             predictions with the measured response"
        } else {
            "Once a model is open its predictions are compared here with the measured response to each perturbation"
        };
        empty_page(ui, "Nothing to compare yet", text, &[]);
        return;
    };
    view.follow(ui, model);
    // A panel beside the network is as wide while it waits as it is afterwards: the network does not move.
    ui.set_min_width(ui.available_width());
    let Some((_, comparison)) = view.comparison.as_ref().filter(|(known, _)| Arc::ptr_eq(known, model)) else {
        match &view.failed {
            Some((_, reason)) => _ = empty_page(ui, "The comparison failed", reason, &[]),
            None => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    ui.label("Comparing prediction with measurement…");
                });
            }
        }
        return;
    };
    let comparison = comparison.clone();
    contents(view, ui, &comparison, state, actions);
}

/// Draw a comparison that is at hand.
pub fn contents(
    view: &mut ResponseView,
    ui: &mut Ui,
    comparison: &Arc<Comparison>,
    state: &State,
    actions: &mut Vec<Action>,
) {
    if comparison.perturbations.is_empty() {
        let text = "The model file holds no measured shifts, so there is nothing to compare its predictions with";
        empty_page(ui, "No measurement", text, &[]);
        return;
    }
    view.follow_knock_out(comparison, state, actions);
    let chosen = state.view.perturbation.as_deref().and_then(|name| comparison.find(name));
    if ui.available_width() >= WIDE {
        wide(view, ui, comparison, chosen, state, actions);
    } else if let Some(chosen) = chosen {
        ScrollArea::vertical().id_salt("response").auto_shrink(false).show(ui, |ui| {
            ui.horizontal(|ui| {
                for (label, hint, map) in [
                    ("All perturbations", "Back to the list", false),
                    ("Heat map", "All perturbations at a glance", true),
                ] {
                    if ui.button(label).on_hover_text(hint).clicked() {
                        actions.push(Action::ShowPerturbation(None));
                        view.heat.open = map;
                    }
                }
            });
            detail::show(view, ui, comparison, chosen, state, actions);
        });
    } else if view.heat.open {
        let height = ui.available_height();
        ScrollArea::vertical().id_salt("heat map").auto_shrink(false).show(ui, |ui| {
            let back = ui.button("List of perturbations").on_hover_text("Back to the list");
            if back.clicked() {
                view.heat.open = false;
            }
            let height = height - back.rect.height() - ui.spacing().item_spacing.y;
            heat_map::show(&mut view.heat, ui, height, comparison, &mut view.export, state, actions);
        });
    } else {
        overview::show(ui, comparison);
        if ui.button("Heat map").on_hover_text("All perturbations at a glance").clicked() {
            view.heat.open = true;
        }
        list::show(view, ui, comparison, None, state, actions);
    }
    view.export.show(ui.ctx(), state, actions);
}

/// List on the left, page on the right.
fn wide(
    view: &mut ResponseView,
    ui: &mut Ui,
    comparison: &Arc<Comparison>,
    chosen: Option<&ComparedPerturbation>,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let left = (ui.available_width() * 0.42).clamp(360.0, 520.0);
    egui::Panel::left("response list").exact_size(left).resizable(false).show(ui, |ui| {
        overview::show(ui, comparison);
        list::show(view, ui, comparison, chosen, state, actions);
    });
    egui::CentralPanel::default().show(ui, |ui| match chosen {
        Some(chosen) => {
            if ui.button("Heat map").on_hover_text("All perturbations at a glance").clicked() {
                actions.push(Action::ShowPerturbation(None));
            }
            ScrollArea::vertical().id_salt("response").auto_shrink(false).show(ui, |ui| {
                detail::show(view, ui, comparison, chosen, state, actions);
            });
        }
        None => {
            let height = ui.available_height();
            heat_map::show(&mut view.heat, ui, height, comparison, &mut view.export, state, actions);
        }
    });
}

impl ResponseView {
    /// Compare in the background whenever another model is open.
    fn follow(&mut self, ui: &Ui, model: &Arc<TrainedModel>) {
        if let Some((compared, job)) = &mut self.job
            && let Some(outcome) = job.poll()
        {
            match outcome {
                Outcome::Finished(comparison) => {
                    self.comparison = Some((compared.clone(), Arc::new(comparison)));
                    self.failed = None;
                }
                Outcome::Failed { message, .. } => self.failed = Some((compared.clone(), message)),
                Outcome::Cancelled => {}
            }
            self.job = None;
            self.ordered = None;
        }
        let done = self.comparison.as_ref().map(|done| &done.0);
        let failed = self.failed.as_ref().map(|failed| &failed.0);
        let running = self.job.as_ref().map(|running| &running.0);
        if [done, failed, running].into_iter().flatten().any(|known| Arc::ptr_eq(known, model)) {
            return;
        }
        let (context, input) = (ui.ctx().clone(), model.clone());
        let job = Job::spawn(
            "compare",
            move || context.request_repaint(),
            move |progress| {
                Comparison::new(
                    &input.card().perturbations,
                    input.observed_held_out(),
                    input.training_shifts(),
                    input.predicted(),
                    progress,
                )
            },
        );
        self.job = Some((model.clone(), job));
    }

    /// Knocking out what the screen perturbed shows that perturbation here.
    fn follow_knock_out(&mut self, comparison: &Comparison, state: &State, actions: &mut Vec<Action>) {
        let full = state.document.knock_out.values().all(|dose| *dose == 1.0);
        let names: Vec<&str> = state.document.knock_out.keys().map(String::as_str).collect();
        let name = names.join("+");
        if self.seen_knock_out != name {
            if full && comparison.find(&name).is_some() && state.view.perturbation.as_deref() != Some(&name) {
                actions.push(Action::ShowPerturbation(Some(name.clone())));
            }
            self.seen_knock_out = name;
        }
    }
}

/// What is known of a perturbation.
fn badges(perturbation: &ComparedPerturbation, state: &State) -> Vec<Badge> {
    let known = state.evidence().map(|evidence| evidence.of_perturbation(&perturbation.name));
    known.unwrap_or_else(|| vec![perturbation.novelty.into()])
}

/// A line of caption text.
fn caption(ui: &mut Ui, text: impl Into<String>) -> egui::Response {
    ui.label(RichText::new(text.into()).small().color(theme::colours(ui).text_weak))
}
