//! How well models do: on cells that they have not seen, beside simple baselines and a replicate.

mod drawings;
mod export;
mod table;
mod tables;

use std::sync::Arc;

use egui::{Frame, Margin, ProgressBar, RichText, ScrollArea, Ui};

use crate::app::action::Action;
use crate::app::evaluations::{EvaluationSettings, Evaluations};
use crate::app::state::State;
use crate::app::theme;
use crate::app::views::export::ExportDialog;
use crate::app::widgets::empty_page;
use crate::tasks::report::{Judged, classes, differences, of_class, outcome};

/// What the page keeps for itself.
#[derive(Default)]
pub(in crate::app) struct EvaluationPage {
    drawings: drawings::Drawings,
    table: table::FitTable,
    tables: tables::Tables,
    export: ExportDialog,
    shown: Shown,
}

/// The reports as shown: of all perturbations, or of one class.
#[derive(Default)]
struct Shown {
    class: Option<String>,
    /// What was shown last: the version of the evaluations and the class.
    of: Option<(u64, Option<String>)>,
    judged: Arc<Vec<Judged>>,
    /// Grows with every change.
    version: u64,
}

impl Shown {
    fn update(&mut self, evaluations: &Evaluations) {
        let wanted = Some((evaluations.version, self.class.clone()));
        if self.of == wanted {
            return;
        }
        self.class = self.class.take().filter(|class| classes(&evaluations.judged).contains(&class.as_str()));
        self.judged = match &self.class {
            None => evaluations.judged.clone(),
            Some(class) => Arc::new(of_class(&evaluations.judged, class)),
        };
        self.of = Some((evaluations.version, self.class.clone()));
        self.version += 1;
    }

    /// Which perturbations are judged, where there are several classes.
    fn choose(&mut self, ui: &mut Ui, evaluations: &Evaluations) {
        let known = classes(&evaluations.judged);
        if known.is_empty() {
            return;
        }
        ui.horizontal_wrapped(|ui| {
            let hint = "What the training saw of a perturbation decides how hard it is to predict: each kind can be judged by itself";
            ui.label("Perturbations:").on_hover_text(hint);
            ui.selectable_value(&mut self.class, None, "all");
            for class in known {
                ui.selectable_value(&mut self.class, Some(class.to_owned()), class);
            }
        });
        ui.add_space(theme::SMALL);
    }
}

/// Draw the page.
pub(in crate::app) fn show(view: &mut EvaluationPage, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if state.runtime.model.is_none() && state.runtime.evaluations.judged.is_empty() {
        let text = "Open a model, or train one, to judge it on cells that it has not seen, beside simple baselines";
        if empty_page(ui, "Nothing to judge yet", text, &["Open a model…"]).is_some() {
            actions.push(Action::AskOpen);
        }
        return;
    }
    if state.runtime.dataset.is_none() {
        let text = "A model is judged on measured cells: open the data set that it was trained on";
        if empty_page(ui, "No data set", text, &["Open a data set…"]).is_some() {
            actions.push(Action::AskOpen);
        }
        return;
    }
    view.shown.update(&state.runtime.evaluations);
    let judged = view.shown.judged.clone();
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        head(view, ui, state, actions);
        if judged.is_empty() {
            explain(ui, state);
        } else {
            ui.add_space(theme::MEDIUM);
            view.shown.choose(ui, &state.runtime.evaluations);
            said(ui, &judged);
            ui.add_space(theme::MEDIUM);
            view.table.show(ui, &judged);
            ui.add_space(theme::LARGE);
            view.drawings.show(ui, &judged, view.shown.version);
            view.tables.show(ui, &judged, view.shown.version);
        }
    });
    view.export.show(ui.ctx(), state, actions);
}

/// What is judged, and the buttons.
fn head(view: &mut EvaluationPage, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let evaluations = &state.runtime.evaluations;
    let judged = &evaluations.judged;
    ui.label(RichText::new("Evaluation").heading());
    ui.add_space(theme::SMALL);
    if let Some((name, progress)) = &evaluations.running {
        ui.horizontal(|ui| {
            ui.label(format!("Evaluating {name}"));
            if ui.button("Cancel").clicked() {
                actions.push(Action::StopEvaluation);
            }
            let stage = if progress.stage.is_empty() { "Starting" } else { progress.stage.as_str() };
            match progress.fraction {
                Some(fraction) => _ = ui.add(ProgressBar::new(fraction).desired_width(220.0).text(stage)),
                None => {
                    ui.spinner();
                    ui.label(stage);
                }
            }
        });
    } else {
        ui.horizontal_wrapped(|ui| {
            let ready = state.runtime.model.is_some() && !state.network_is_live();
            let label = if judged.is_empty() { "Evaluate the model" } else { "Evaluate again" };
            let hint = "Judge the open model on the cells kept out of its training";
            let why_not = "No model is open, or it is still being trained";
            let button = ui.add_enabled(ready, egui::Button::new(label)).on_hover_text(hint);
            if button.on_disabled_hover_text(why_not).clicked() {
                actions.push(Action::Evaluate(None));
            }
            let hint = "Judge the model in another file on the same data, beside the ones here";
            if ui.button("Add a model…").on_hover_text(hint).clicked() {
                actions.push(Action::AskEvaluate);
            }
            if !judged.is_empty() {
                export::buttons(&mut view.export, ui, &view.shown.judged, state, actions);
            }
        });
    }
    choices(ui, state, actions);
    if let Some(failed) = &evaluations.failed {
        ui.add_space(theme::SMALL);
        ui.add(egui::Label::new(RichText::new(failed).color(theme::colours(ui).warning)).wrap());
        ui.label("Cells of another data set, or of the training, are compared with if you tick \"All cells\".");
    }
    if judged.len() > 1 {
        ui.horizontal_wrapped(|ui| {
            for (at, one) in judged.iter().enumerate() {
                ui.label(&one.name);
                let button = ui.small_button("×").on_hover_text("Take it off this page");
                button.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Take {} off this page", one.name))
                });
                if button.clicked() {
                    actions.push(Action::ForgetEvaluation(at));
                }
                ui.add_space(theme::MEDIUM);
            }
        });
    }
}

/// How models are judged.
fn choices(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let mut settings = state.view.evaluation.clone();
    ui.horizontal_wrapped(|ui| {
        let tick = |ui: &mut Ui, value: &mut bool, label: &str, hint: &str| {
            ui.checkbox(value, label).on_hover_text(hint);
        };
        tick(
            ui,
            &mut settings.generated_cells,
            "Generated cells",
            "Draw cells from the model and tell which share passes quality control",
        );
        tick(
            ui,
            &mut settings.likelihood,
            "Likelihood",
            "How well the model explains each cell (IW-ELBO, 100 draws): takes minutes on a large screen",
        );
        tick(
            ui,
            &mut settings.all_cells,
            "All cells",
            "Compare with training cells too, or with a data set that the model was not trained on; the report says so",
        );
        let name = crate::app::work::short(settings.known_edges.as_ref());
        let label = name.map_or_else(|| "Known edges…".to_owned(), |name| format!("Known edges: {name}"));
        let hint = "A network of true edges, to hold the learned one against: precision and recall";
        if ui.button(label).on_hover_text(hint).clicked() {
            actions.push(Action::AskKnownEdges);
        }
        if settings.known_edges.is_some() {
            let forget = ui.small_button("×").on_hover_text("Do without known edges");
            forget.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::Button, true, "Do without known edges".to_owned())
            });
            if forget.clicked() {
                settings = EvaluationSettings { known_edges: None, ..settings.clone() };
            }
        }
    });
    if settings != state.view.evaluation {
        actions.push(Action::SetEvaluation(Box::new(settings)));
    }
}

/// What will be told, before anything is.
fn explain(ui: &mut Ui, state: &State) {
    if state.runtime.evaluations.running.is_some() {
        return;
    }
    ui.add_space(theme::LARGE);
    ui.scope(|ui| {
        ui.set_max_width(ui.available_width().min(620.0));
        let text = "Simple baselines often do as well as a trained model. Here both are judged by the same cells, which neither \
                    has seen: the mean of all perturbations, the mean of the same perturbation's training cells, a low-rank \
                    linear model, and, as the best that can be hoped for, one half of the cells predicting the other. The network is \
                    tested edge by edge in the same cells.";
        ui.label(RichText::new(text).color(theme::colours(ui).text_weak));
    });
}

/// What a reader must know first.
fn said(ui: &mut Ui, judged: &[Judged]) {
    let colours = theme::colours(ui);
    for difference in differences(judged) {
        note(ui, &difference);
    }
    for one in judged {
        let of = if judged.len() > 1 { format!("{}: ", one.name) } else { String::new() };
        let report = &one.report;
        let told = outcome(report, &report.fits);
        let mut sentence = format!("{of}{told}");
        if of.is_empty() {
            let mut letters = told.chars();
            let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
            sentence = format!("{first}{}", letters.as_str());
        }
        let colour = if report.fits.clearly(false).next().is_none() { colours.text_strong } else { colours.warning };
        ui.add(egui::Label::new(RichText::new(sentence).color(colour)).wrap());
        let cells = &report.cells;
        let counts = format!(
            "Compared with {} ({} control, {} perturbed); the perturbed genes are left out of their own rows",
            cells.evaluated_on, cells.evaluated_control, cells.evaluated_perturbed
        );
        ui.label(RichText::new(counts).small().color(colours.text_weak));
        let about_verdicts = |text: &&String| text.starts_with("A baseline ");
        for text in report.notes.iter().filter(|text| !about_verdicts(text)) {
            ui.label(RichText::new(text).small().color(colours.text_weak));
        }
    }
}

fn note(ui: &mut Ui, text: &str) {
    let colours = theme::colours(ui);
    Frame::new().fill(colours.panel).inner_margin(Margin::symmetric(10, 6)).show(ui, |ui| {
        ui.add(egui::Label::new(RichText::new(text).color(colours.warning)).wrap());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::report::{ClassReport, Fits, Report};

    #[test]
    fn a_class_that_is_no_longer_there_gives_way_to_all() {
        let one = |name: &str, classes: &[&str]| {
            let class = |class: &&str| ClassReport { class: (*class).into(), perturbations: 1, fits: Fits::default() };
            let classes = classes.iter().map(class).collect();
            Judged { name: name.into(), report: Report { classes, ..Report::default() } }
        };
        let mut evaluations = Evaluations::default();
        evaluations.add(one("a", &["single, seen", "unseen gene"]));
        evaluations.add(one("b", &[]));
        let mut shown = Shown::default();
        shown.update(&evaluations);
        assert_eq!((shown.judged.len(), shown.version), (2, 1));
        shown.update(&evaluations);
        assert_eq!(shown.version, 1, "nothing changed");
        shown.class = Some("unseen gene".into());
        shown.update(&evaluations);
        assert_eq!((shown.judged.len(), shown.version), (1, 2), "the second model has no classes");
        evaluations.forget(0);
        shown.update(&evaluations);
        assert_eq!((shown.class.as_deref(), shown.judged.len(), shown.version), (None, 1, 3));
    }
}
