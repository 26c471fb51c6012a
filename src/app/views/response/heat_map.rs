//! All perturbations at a glance: a clustered heat map of the genes that respond most.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use egui::{DragValue, ProgressBar, Ui, WidgetInfo, vec2};

use super::{Comparison, Truth, caption};
use crate::app::views::export::{Choice, Content, Draw, ExportDialog, Exportable, PRINT_TEXT_SIZE, of_model};
use crate::app::views::network::theme as figure_theme;
use crate::app::widgets::FigureWidget;
use crate::app::{Action, ExportContent, State, theme};
use crate::figures::response::{HeatMapFigure, HeatMapOptions, HeatMapShifts, MOST_IN_HEAT_MAP};
use crate::figures::{Figure as _, FigureMetadata};
use crate::jobs::{Job, Outcome};
use crate::tasks::heat_map::heat_map;

/// Font size on the screen.
const TEXT_SIZE: f32 = 11.0;

/// What is drawn, for a tooltip.
const HEAT_MAP: &str = "The perturbations with the largest shifts, and the genes whose shifts vary most over them. Both are ordered by average \
                        linkage on correlation distance (1 − r), predicted shifts in the order of the observed ones. Colours are centred on 0 \
                        and end at the 98th percentile of |shift|. A click opens the perturbation";

/// What this part keeps for itself.
#[derive(Default)]
pub struct HeatPart {
    /// Shown instead of the list, where there is no room for both.
    pub open: bool,
    options: HeatMapOptions,
    found: Option<(Arc<Comparison>, HeatMapOptions, Arc<HeatMapFigure>)>,
    job: Option<(Arc<Comparison>, HeatMapOptions, Job<HeatMapFigure>)>,
    cancelled: bool,
    version: u64,
    widget: FigureWidget,
}

impl HeatPart {
    fn follow(&mut self, ui: &Ui, comparison: &Arc<Comparison>) {
        if let Some((of, options, job)) = &mut self.job
            && let Some(outcome) = job.poll()
        {
            match outcome {
                Outcome::Finished(figure) => {
                    self.found = Some((of.clone(), *options, Arc::new(figure)));
                    self.version += 1;
                }
                Outcome::Cancelled | Outcome::Failed { .. } => self.cancelled = true,
            }
            self.job = None;
        }
        let is =
            |of: &Arc<Comparison>, options: &HeatMapOptions| Arc::ptr_eq(of, comparison) && *options == self.options;
        let found = self.found.as_ref().is_some_and(|(of, options, _)| is(of, options));
        let running = self.job.as_ref().is_some_and(|(of, options, _)| is(of, options));
        if found || running || self.cancelled {
            return;
        }
        let (context, input, options) = (ui.ctx().clone(), comparison.clone(), self.options);
        // Dropping the job before cancels it.
        let job = Job::spawn(
            "heat map",
            move || context.request_repaint(),
            move |progress| {
                let (observed, predicted) = input.tables();
                heat_map(observed, predicted, options, progress)
            },
        );
        self.job = Some((comparison.clone(), options, job));
    }
}

/// Draw it, as high as `height` if there is room for it.
#[allow(clippy::too_many_arguments)]
pub fn show(
    part: &mut HeatPart,
    ui: &mut Ui,
    height: f32,
    comparison: &Arc<Comparison>,
    export: &mut ExportDialog,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let top = ui.cursor().top();
    part.follow(ui, comparison);
    let found = part.found.as_ref().filter(|(of, ..)| Arc::ptr_eq(of, comparison)).map(|(.., figure)| figure.clone());
    toolbar(part, ui, comparison, found.as_ref(), export, state);
    let Some(figure) = found else {
        match &part.job {
            Some((.., job)) => {
                ui.horizontal(|ui| {
                    ui.add(ProgressBar::new(0.0).desired_width(160.0).animate(true));
                    ui.label("Ordering genes and perturbations");
                    if ui.button("Cancel").clicked() {
                        job.cancel();
                    }
                });
            }
            None => {
                ui.horizontal(|ui| {
                    ui.label("Cancelled");
                    if ui.button("Draw the heat map").clicked() {
                        part.cancelled = false;
                    }
                });
            }
        }
        return;
    };
    if figure.rows.is_empty() {
        ui.label("The model predicts none of the measured perturbations");
        return;
    }
    let selection = &state.document.selection;
    let height = height - (ui.cursor().top() - top) - theme::SMALL;
    let size = vec2(ui.available_width(), height).max(vec2(240.0, 260.0));
    let mut hasher = DefaultHasher::new();
    (part.version, selection).hash(&mut hasher);
    let (rows, columns) = (figure.rows.len(), figure.columns.len());
    let label = format!("Heat map of {rows} perturbations and {columns} genes");
    let drawn = part.widget.show(ui, size, hasher.finish(), &label, |size, dark| {
        let figure =
            HeatMapFigure { highlighted: selection.clone(), text_size: TEXT_SIZE, ..HeatMapFigure::clone(&figure) };
        figure.scene(size, &figure_theme(dark))
    });
    if let Some([_, row, _]) = drawn.clicked.and_then(|at| figure.cell_of(at)) {
        actions.push(Action::ShowPerturbation(Some(figure.rows[row].clone())));
        part.open = false;
    }
}

fn toolbar(
    part: &mut HeatPart,
    ui: &mut Ui,
    comparison: &Comparison,
    found: Option<&Arc<HeatMapFigure>>,
    export: &mut ExportDialog,
    state: &State,
) {
    let before = part.options;
    ui.horizontal_wrapped(|ui| {
        shift_choices(ui, &mut part.options);
        size_choices(ui, &mut part.options, [comparison.perturbations.len(), comparison.genes().len()]);
        let button = ui.add_enabled(found.is_some(), egui::Button::new("Export…"));
        if button.on_hover_text("Save the heat map or its numbers").clicked()
            && let Some(figure) = found
        {
            export.open(exportable(figure, comparison, state));
        }
    });
    if let Some(truth) = comparison.first_truth().filter(|_| part.options.shifts != HeatMapShifts::Predicted) {
        caption(ui, format!("Observed shifts are means over {}", truth.label())).on_hover_text(HEAT_MAP);
    }
    if part.options != before {
        part.cancelled = false;
    }
}

/// Which shifts.
pub fn shift_choices(ui: &mut Ui, options: &mut HeatMapOptions) {
    for shifts in HeatMapShifts::ALL {
        let label = ui.selectable_label(options.shifts == shifts, shifts.label());
        if label.on_hover_text(HEAT_MAP).clicked() {
            options.shifts = shifts;
        }
    }
}

/// How many perturbations and genes (there are `all` of them).
pub fn size_choices(ui: &mut Ui, options: &mut HeatMapOptions, all: [usize; 2]) {
    let [perturbations, genes] = all.map(|all| all.clamp(2, MOST_IN_HEAT_MAP));
    for (what, value, most) in
        [("perturbations", &mut options.perturbations, perturbations), ("genes", &mut options.genes, genes)]
    {
        let mut shown = (*value).min(most);
        let field = ui.add(DragValue::new(&mut shown).range(2..=most).speed(0.5));
        field.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::SpinButton, true, format!("Number of {what}")));
        if field.on_hover_text(format!("How many {what} are drawn, at most {most}")).changed() {
            *value = shown;
        }
        ui.label(what);
    }
}

fn exportable(figure: &Arc<HeatMapFigure>, comparison: &Comparison, state: &State) -> Exportable {
    let truth = comparison.first_truth().map_or("no cells", Truth::label);
    let description = format!(
        "Shifts (log2) of {} genes under {} perturbations, observed ones over {}, ordered by average linkage on correlation \
         distance",
        figure.columns.len(),
        figure.rows.len(),
        truth
    );
    let metadata = of_model(FigureMetadata::new("Heat map of shifts", description), state);
    let highlighted = state.document.selection.clone();
    let printed = HeatMapFigure { text_size: PRINT_TEXT_SIZE, highlighted, ..HeatMapFigure::clone(figure) };
    let draw: Draw = Arc::new(move |size, theme| printed.scene(size, theme).scene);
    Exportable {
        choices: vec![
            Choice {
                label: "Heat map".to_owned(),
                name: "heat-map".to_owned(),
                content: Content::Figure { draw, aspect: 1.2, width_mm: 180.0, metadata: Box::new(metadata) },
            },
            Choice {
                label: "Heat map (table)".to_owned(),
                name: "heat-map".to_owned(),
                content: Content::Table(ExportContent::Table(figure.table().into())),
            },
        ],
    }
}
