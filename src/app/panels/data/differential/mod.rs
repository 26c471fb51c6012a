//! Differential expression: the volcano or MA plot of one perturbation beside the table of its genes.

mod choose;
mod genes;
mod volcano;

use std::sync::Arc;

use egui::{Align, DragValue, Frame, Layout, ProgressBar, RichText, ScrollArea, Ui, WidgetInfo};

use crate::app::action::Action;
use crate::app::findings::shown_perturbation;
use crate::app::state::{DataSection, State};
use crate::app::theme;
use crate::app::views::export::ExportDialog;
use crate::app::widgets::{FigureWidget, empty_page};
use crate::data::Dataset;
use crate::figures::screen::Against;
use crate::preprocess::differential::Test;
use crate::tasks::preprocess::TestedGroup;
use crate::words::counted;

/// Wider than this, the table stands beside the plot.
const TWO_COLUMNS: f32 = 720.0;
/// Wider than this, all settings stand in one row.
const ONE_ROW: f32 = 860.0;
/// Fewer cells than this tell little.
const FEW: usize = 10;

/// What the view keeps for itself.
#[derive(Default)]
pub(super) struct DifferentialView {
    against: Against,
    thresholds: Thresholds,
    filter: String,
    figure: FigureWidget,
    genes: genes::GenesTable,
    export: ExportDialog,
    /// What the plot was drawn for, numbered so that another result never looks the same.
    drawn: Option<(Arc<TestedGroup>, u64)>,
    /// The perturbation shown by itself, so that it need not be counted in every frame.
    shown: Option<(Arc<Dataset>, Option<String>, Option<usize>)>,
}

/// From where on a gene counts as changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Thresholds {
    /// |log2 fold change| at least.
    change: f32,
    /// Adjusted p value below.
    level: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { change: 0.25, level: 0.05 }
    }
}

/// Draw it.
pub(super) fn show(view: &mut DifferentialView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(dataset) = &state.runtime.dataset else { return };
    let Some(index) = view.follow(dataset, state) else {
        empty_page(
            ui,
            "No perturbations",
            "Without perturbations there is nothing to compare with the control cells",
            &[],
        );
        return;
    };
    let name = dataset.perturbations()[index].name();
    let found = state.runtime.findings.tests.find(&name, state.view.test).cloned();
    toolbar(view, ui, dataset, index, found.as_ref(), state, actions);
    let Some(found) = found else {
        waiting(ui, &name, state, actions);
        return;
    };
    let version = match &view.drawn {
        Some((drawn, version)) if Arc::ptr_eq(drawn, &found) => *version,
        Some((_, version)) => version + 1,
        None => 0,
    };
    view.drawn = Some((found.clone(), version));
    if ui.available_width() < TWO_COLUMNS {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.set_max_width(ui.available_width() - theme::MEDIUM);
            caption(ui, &found, view.thresholds);
            let size = egui::vec2(ui.available_width(), (ui.available_width() * 0.8).clamp(260.0, 420.0));
            volcano::show(view, ui, size, &found, version, state, actions);
            let size = egui::vec2(ui.available_width(), 320.0);
            ui.allocate_ui(size, |ui| genes::show(&mut view.genes, ui, &found, view.thresholds, state, actions));
        });
    } else {
        let width = (ui.available_width() * 0.38).clamp(300.0, 440.0);
        let panel = egui::Panel::right("differential genes").exact_size(width).resizable(false).frame(Frame::NONE);
        panel.show_separator_line(false).show(ui, |ui| {
            genes::show(&mut view.genes, ui, &found, view.thresholds, state, actions);
        });
        egui::CentralPanel::no_frame().show(ui, |ui| {
            caption(ui, &found, view.thresholds);
            let size = ui.available_size() - egui::vec2(theme::LARGE, 0.0);
            volcano::show(view, ui, size, &found, version, state, actions);
        });
    }
    view.export.show(ui.ctx(), state, actions);
}

impl DifferentialView {
    /// The perturbation to show.
    fn follow(&mut self, dataset: &Arc<Dataset>, state: &State) -> Option<usize> {
        let chosen = &state.view.perturbation;
        let known = self.shown.as_ref().filter(|(of, name, _)| Arc::ptr_eq(of, dataset) && name == chosen);
        if known.is_none() {
            let index = shown_perturbation(dataset, chosen.as_deref());
            self.shown = Some((dataset.clone(), chosen.clone(), index));
        }
        self.shown.as_ref().and_then(|(_, _, index)| *index)
    }
}

#[allow(clippy::too_many_arguments)]
fn toolbar(
    view: &mut DifferentialView,
    ui: &mut Ui,
    dataset: &Arc<Dataset>,
    index: usize,
    found: Option<&Arc<TestedGroup>>,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let what = |ui: &mut Ui, actions: &mut Vec<Action>, filter: &mut String| {
        choose::show(filter, ui, dataset, index, actions);
        tests(ui, state, actions);
    };
    let (filter, thresholds, export) = (&mut view.filter, &mut view.thresholds, &mut view.export);
    let against = &mut view.against;
    let mut limits = |ui: &mut Ui| {
        for other in Against::ALL {
            let hint = match other {
                Against::Significance => "log2 fold change against its significance",
                Against::Mean => "Mean expression against log2 fold change: small means, large scatter",
            };
            ui.selectable_value(against, other, other.label().trim_end_matches(" plot")).on_hover_text(hint);
        }
        limits(ui, thresholds);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let button = ui.add_enabled(found.is_some(), egui::Button::new("Export…"));
            if button.on_hover_text("Save the plot or the table").clicked()
                && let Some(found) = found
            {
                let selection = &state.document.selection;
                export.open(volcano::exportable(dataset, found, *against, *thresholds, selection));
            }
        });
    };
    if ui.available_width() >= ONE_ROW {
        ui.horizontal(|ui| {
            what(ui, actions, filter);
            limits(ui);
        });
    } else {
        ui.horizontal(|ui| what(ui, actions, filter));
        ui.horizontal(limits);
    }
    ui.add_space(theme::SMALL);
}

/// How genes are tested.
fn tests(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let mut test = state.view.test;
    let combo = egui::ComboBox::from_id_salt("test").width(150.0).selected_text(test.label());
    let response = combo.show_ui(ui, |ui| {
        for other in Test::ALL {
            ui.selectable_value(&mut test, other, other.label());
        }
    });
    response.response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::ComboBox, true, "Test"));
    response.response.on_hover_text(
        "How genes are tested against the control cells, on log-normalised counts; as scanpy's rank_genes_groups",
    );
    if test != state.view.test {
        actions.push(Action::SetTest(test));
    }
}

/// From where on a gene counts as changed.
fn limits(ui: &mut Ui, thresholds: &mut Thresholds) {
    let label = ui.label("|log2 change| from").on_hover_text("Smaller changes are not counted");
    ui.add(DragValue::new(&mut thresholds.change).range(0.0..=5.0).speed(0.01).fixed_decimals(2)).labelled_by(label.id);
    let hint = "False discovery rate over all genes (Benjamini–Hochberg)";
    let label = ui.label("adjusted p below").on_hover_text(hint);
    let combo = egui::ComboBox::from_id_salt("level").width(70.0).selected_text(format!("{}", thresholds.level));
    let response = combo.show_ui(ui, |ui| {
        for level in [0.1, 0.05, 0.01, 0.001, 1e-5, 1e-10] {
            ui.selectable_value(&mut thresholds.level, level, format!("{level}"));
        }
    });
    response.response.labelled_by(label.id);
}

/// What the plot rests on.
fn caption(ui: &mut Ui, found: &TestedGroup, thresholds: Thresholds) {
    let [up, down] = volcano::counts(found, thresholds);
    let colours = theme::colours(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SMALL;
        ui.label(RichText::new(&found.perturbation).heading());
        let cells =
            format!("{} against {}", counted(found.cells, "cell"), counted(found.control_cells, "control cell"));
        ui.label(RichText::new(cells).color(colours.text_weak));
        ui.add_space(theme::MEDIUM);
        ui.label(RichText::new(format!("{} up", counted(up, "gene"))).color(colours.up));
        ui.label(RichText::new(format!("{} down", counted(down, "gene"))).color(colours.down));
    });
    if found.cells < FEW {
        let text = "Fewer than ten cells: only very large changes can be told from chance";
        ui.label(RichText::new(text).color(colours.warning));
    }
}

/// While there is nothing to draw.
fn waiting(ui: &mut Ui, name: &str, state: &State, actions: &mut Vec<Action>) {
    let tests = &state.runtime.findings.tests;
    let stopped = tests.stopped.as_ref();
    if let Some(stopped) = stopped.filter(|stopped| stopped.perturbation == name && stopped.test == state.view.test) {
        let clicked = match &stopped.reason {
            None => empty_page(ui, "Cancelled", &format!("{name} was not tested"), &["Test again"]),
            Some(reason) if reason.contains("control") => {
                let clicked = empty_page(ui, "Nothing to compare with", reason, &["Choose the control labels"]);
                if clicked.is_some() {
                    actions.push(Action::ShowSection(DataSection::Import));
                }
                None
            }
            Some(reason) => empty_page(ui, &format!("{name} cannot be tested"), reason, &["Test again"]),
        };
        if clicked.is_some() {
            actions.push(Action::TestAgain);
        }
        return;
    }
    let progress = tests.running.as_ref().map(|(_, progress)| progress.clone()).unwrap_or_default();
    ui.horizontal(|ui| {
        match progress.fraction {
            Some(fraction) => _ = ui.add(ProgressBar::new(fraction).desired_width(160.0).desired_height(8.0)),
            None => _ = ui.spinner(),
        }
        ui.label(format!("Testing all genes of {name} against the control cells…"));
        if ui.button("Cancel").clicked() {
            actions.push(Action::CancelTesting);
        }
    });
}
