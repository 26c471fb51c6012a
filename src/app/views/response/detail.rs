//! One perturbation: scatter, top genes, and who predicts best.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use egui::{Grid, RichText, Ui, vec2};

use super::{
    ComparedPerturbation, Comparison, ERROR, Predictor, R, R_SQUARED, ResponseView, SHIFT, Truth, badges, caption,
    cells,
};
use crate::app::views::export::{Choice, Content, Draw, Exportable, PRINT_TEXT_SIZE, of_model};
use crate::app::views::network::theme as figure_theme;
use crate::app::widgets::{badge, coefficient, evidence_badge};
use crate::app::{Action, ExportContent, State, theme};
use crate::figures::response::{PairedBar, PairedBarsFigure, ScatterFigure, ScatterPoint};
use crate::figures::{Figure as _, FigureMetadata};
use crate::models::Spread;
use crate::tasks::tables::{INTERVAL_COLUMNS, interval_fields};
use crate::words::counted;

/// Font size of figures on the screen.
const TEXT_SIZE: f32 = 11.0;
/// Genes of the bars.
const TOP: usize = 20;

/// Draw it.
pub fn show(
    view: &mut ResponseView,
    ui: &mut Ui,
    comparison: &Arc<Comparison>,
    chosen: &ComparedPerturbation,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let Some((truth, cells, observed)) = comparison.observed(&chosen.name) else { return };
    let mut shown = view.predictor;
    // A baseline that has no answer here must not be drawn under its name.
    if chosen.fit(shown).is_none() {
        shown = Predictor::Model;
    }
    let Some(predicted) = comparison.predicted(shown, &chosen.name) else {
        ui.label("The model has no prediction for this perturbation");
        return;
    };
    head(view, ui, comparison, chosen, truth, cells, shown, state, actions);
    predictors(view, ui, chosen, shown);
    ui.add_space(theme::SMALL);

    let spread = spread(shown, &chosen.name, state);
    let (name, genes) = (&chosen.name, comparison.genes());
    let data = Data { name, genes, observed, predicted, spread, truth, shown };
    let selection = &state.document.selection;
    let mut hasher = DefaultHasher::new();
    (Arc::as_ptr(comparison) as usize, &chosen.name, shown, selection).hash(&mut hasher);
    let key = hasher.finish();

    let room = ui.available_width();
    let beside = room >= 620.0;
    let width = if beside { (room - theme::MEDIUM) * 0.5 } else { room };
    // Room for all rows of the bars at a readable size.
    let height = if beside { (TOP as f32 * 17.0 + 70.0).max(width * 0.8) } else { width.clamp(220.0, 420.0) };
    let mut clicked = None;
    ui.horizontal_top(|ui| {
        let label = format!("Scatter of predicted and measured shifts, {}", chosen.name);
        let drawn = view.scatter.show(ui, vec2(width, height), key, &label, |size, dark| {
            data.scatter(selection, chosen, TEXT_SIZE).scene(size, &figure_theme(dark))
        });
        clicked = drawn.clicked.and_then(|at| data.plotted().get(at).map(|plotted| plotted.gene.clone()));
        if beside {
            clicked = bars(view, ui, &data, selection, vec2(width, height), key).or(clicked.take());
        }
    });
    if !beside {
        let size = vec2(width, TOP as f32 * 17.0 + 70.0);
        clicked = bars(view, ui, &data, selection, size, key).or(clicked);
    }
    if let Some(gene) = clicked
        && state.network().is_some_and(|network| network.find(&gene).is_some())
    {
        actions.push(Action::Select { gene, extend: false });
    }
    cells::show(&mut view.cells, ui, comparison, chosen, shown, state, actions);
}

fn bars(
    view: &mut ResponseView,
    ui: &mut Ui,
    data: &Data<'_>,
    selection: &[String],
    size: egui::Vec2,
    key: u64,
) -> Option<String> {
    let label = format!("Predicted and measured shift of the {TOP} genes that change most, {}", data.name);
    let drawn = view
        .bars
        .show(ui, size, key, &label, |size, dark| data.bars(selection, TEXT_SIZE).scene(size, &figure_theme(dark)));
    drawn.clicked.and_then(|at| data.bars(selection, TEXT_SIZE).bars.get(at).map(|bar| bar.label.clone()))
}

/// Name, what the measurement rests on, actions.
#[allow(clippy::too_many_arguments)]
fn head(
    view: &mut ResponseView,
    ui: &mut Ui,
    comparison: &Comparison,
    chosen: &ComparedPerturbation,
    truth: Truth,
    cells: u32,
    shown: Predictor,
    state: &State,
    actions: &mut Vec<Action>,
) {
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&chosen.name).heading());
        for badge in badges(chosen, state) {
            evidence_badge(ui, &badge);
        }
        if let Some(who) = chosen.beaten_by() {
            let hint = format!("{} fits at least as well as the model (R²). {}", who.label(), who.definition());
            badge(ui, "baseline wins", theme::colours(ui).warning, &hint);
        }
        if ui.button("Export…").on_hover_text("Save the plots or their numbers").clicked() {
            let mut what = exportable(comparison, chosen, shown, state);
            let after = what.choices.len().min(2);
            what.choices.splice(after..after, cells::choices(&view.cells, comparison, chosen, shown, state));
            view.export.open(what);
        }
        let targets: Vec<&str> = chosen.name.split('+').collect();
        let knocked_out = state.document.knock_out.keys().map(String::as_str).eq(targets.iter().copied());
        if !knocked_out && ui.button("Show on the network").on_hover_text("Knock out these genes").clicked() {
            actions.push(Action::KnockOut(targets.iter().map(|gene| ((*gene).to_owned(), 1.0)).collect()));
        }
    });
    caption(
        ui,
        format!(
            "Measured over {}",
            counted(cells as usize, "cell").replace(
                "cell",
                match truth {
                    Truth::HeldOut => "held-out cell",
                    Truth::Training => "training cell",
                }
            )
        ),
    );
    let colours = theme::colours(ui);
    if let Some(who) = chosen.beaten_by() {
        let text = format!("{} fits at least as well as the model here", who.label());
        ui.label(RichText::new(text).color(colours.warning));
    }
    if truth == Truth::Training {
        let text = "No cell of this perturbation was held out: the model was trained on these very cells, so a good fit \
                    shows memory, not prediction";
        ui.label(RichText::new(text).color(colours.warning));
    } else if cells < 10 {
        let text = "Fewer than ten cells: the measured shift is mostly noise, and no prediction can fit it well";
        ui.label(RichText::new(text).color(colours.warning));
    }
}

/// Everyone's fit; a click draws that one.
fn predictors(view: &mut ResponseView, ui: &mut Ui, chosen: &ComparedPerturbation, shown: Predictor) {
    Grid::new("predictors").num_columns(4).striped(true).spacing([theme::LARGE, 2.0]).show(ui, |ui| {
        ui.label(RichText::new("Drawn").small().strong()).on_hover_text("Choose whose prediction is drawn");
        for (title, definition) in [("r", R), ("R²", R_SQUARED), ("Error", ERROR)] {
            ui.label(RichText::new(title).small().strong()).on_hover_text(definition);
        }
        ui.end_row();
        for (who, fit) in &chosen.fits {
            let radio = ui.add(egui::RadioButton::new(shown == *who, who.label()));
            if radio.on_hover_text(who.definition()).clicked() {
                view.predictor = *who;
            }
            for value in [fit.r, fit.r_squared, Some(fit.error)] {
                ui.label(coefficient(value));
            }
            ui.end_row();
        }
    });
    let without: Vec<Predictor> = Predictor::all().filter(|who| chosen.fit(*who).is_none()).collect();
    if !without.is_empty() {
        let why = |who: &Predictor| match (who, chosen.truth) {
            (who, Truth::Training) if who.is_the_measurement() => {
                format!("{}: it would be the measurement itself, as no cells were held out", who.label())
            }
            _ => format!("{}: {}", who.label(), who.definition()),
        };
        let why: Vec<String> = without.iter().map(why).collect();
        let names: Vec<&str> = without.iter().map(|who| who.label()).collect();
        caption(ui, format!("Without an answer here: {}", names.join(", "))).on_hover_text(why.join("\n"));
    }
}

/// What is drawn.
struct Data<'a> {
    name: &'a str,
    genes: &'a [String],
    observed: &'a [f32],
    predicted: &'a [f32],
    /// Of the model's predictions, where it is an ensemble.
    spread: Option<Spread>,
    truth: Truth,
    shown: Predictor,
}

/// How far the members of an ensemble are from each other in what the model predicts for `perturbation`.
fn spread(shown: Predictor, perturbation: &str, state: &State) -> Option<Spread> {
    let model = state.runtime.model.as_ref().filter(|_| shown == Predictor::Model)?;
    model.spread_of(model.predicted().find(perturbation)?)
}

/// A gene that is plotted: measured and predicted shift, and half the width of the interval around the latter.
struct Plotted<'a> {
    gene: &'a String,
    observed: f32,
    predicted: f32,
    half_width: Option<f32>,
}

impl Data<'_> {
    /// The genes without the perturbed ones: those are what was done.
    fn plotted(&self) -> Vec<Plotted<'_>> {
        let widths = self.spread.as_ref().map(Spread::half_widths);
        let all = self.genes.iter().zip(self.observed.iter().zip(self.predicted)).enumerate();
        let all = all.map(|(at, (gene, (observed, predicted)))| Plotted {
            gene,
            observed: *observed,
            predicted: *predicted,
            half_width: widths.as_ref().map(|widths| widths[at]),
        });
        all.filter(|plotted| !self.name.split('+').any(|target| target == plotted.gene)).collect()
    }

    fn predicted_label(&self) -> String {
        match self.shown {
            Predictor::Model => format!("Predicted {SHIFT}"),
            other => format!("{} {SHIFT}", other.label()),
        }
    }

    fn scatter(&self, selection: &[String], chosen: &ComparedPerturbation, text_size: f32) -> ScatterFigure {
        let selected: HashSet<&String> = selection.iter().collect();
        let point = |plotted: Plotted<'_>| ScatterPoint {
            x: plotted.observed,
            y: plotted.predicted,
            half_width: plotted.half_width,
            label: plotted.gene.clone(),
            highlighted: selected.contains(plotted.gene),
        };
        let points: Vec<ScatterPoint> = self.plotted().into_iter().map(point).collect();
        let fit = chosen.fit(self.shown).unwrap_or_default();
        let mut statistics = vec![
            format!("r = {}", coefficient(fit.r)),
            format!("R² = {}", coefficient(fit.r_squared)),
            counted(points.len(), "gene"),
        ];
        statistics.extend(self.spread.as_ref().map(|spread| format!("lines: {}", spread.label())));
        ScatterFigure {
            title: self.name.to_owned(),
            x_label: format!("Measured {SHIFT}, {}", self.truth.label()),
            y_label: self.predicted_label(),
            points,
            statistics,
            text_size,
            ..ScatterFigure::default()
        }
    }

    fn bars(&self, selection: &[String], text_size: f32) -> PairedBarsFigure {
        let selected: HashSet<&String> = selection.iter().collect();
        let bar = |plotted: Plotted<'_>| PairedBar {
            label: plotted.gene.clone(),
            observed: plotted.observed,
            predicted: plotted.predicted,
            half_width: plotted.half_width,
            highlighted: selected.contains(plotted.gene),
        };
        PairedBarsFigure {
            title: format!("{}: {TOP} largest measured shifts", self.name),
            x_label: "Shift (log2)".to_owned(),
            interval: self.spread.as_ref().map(Spread::label).unwrap_or_default(),
            text_size,
            ..PairedBarsFigure::of_largest(self.plotted().into_iter().map(bar).collect(), TOP)
        }
    }

    fn table(&self) -> String {
        let truth = if self.truth == Truth::HeldOut { "held_out" } else { "training" };
        let mut text = format!("gene\tmeasured_shift_log2_{truth}\tpredicted_shift_log2");
        text.push_str(if self.spread.is_some() { INTERVAL_COLUMNS } else { "" });
        text.push('\n');
        for Plotted { gene, observed, predicted, half_width } in self.plotted() {
            let interval = interval_fields(predicted, half_width);
            text.push_str(&format!("{gene}\t{observed}\t{predicted}{interval}\n"));
        }
        text
    }
}

fn exportable(comparison: &Comparison, chosen: &ComparedPerturbation, shown: Predictor, state: &State) -> Exportable {
    let selection = &state.document.selection;
    let Some((truth, _, observed)) = comparison.observed(&chosen.name) else { return Exportable::default() };
    let Some(predicted) = comparison.predicted(shown, &chosen.name) else { return Exportable::default() };
    let (spread, genes) = (spread(shown, &chosen.name, state), comparison.genes());
    let data = Data { name: &chosen.name, genes, observed, predicted, spread, truth, shown };
    let name = chosen.name.replace('+', "-");
    let (scatter, bars) = (data.scatter(selection, chosen, PRINT_TEXT_SIZE), data.bars(selection, PRINT_TEXT_SIZE));
    let fit = chosen.fit(shown).unwrap_or_default();
    let figure = |label: &str, name: String, aspect: f32, draw: Draw| {
        let title = format!("{label}, {}", chosen.name);
        let description = format!("Predicted and measured shifts (log2) under perturbation of {}", chosen.name);
        let metadata = FigureMetadata::new(title, description)
            .with("predictor", shown.label())
            .with("measured over", format!("{} {}", chosen.cells, chosen.truth.label()))
            .with("r", coefficient(fit.r))
            .with("R²", coefficient(fit.r_squared));
        let metadata = of_model(metadata, state);
        Choice {
            label: label.to_owned(),
            name,
            content: Content::Figure { draw, aspect, width_mm: 89.0, metadata: Box::new(metadata) },
        }
    };
    Exportable {
        choices: vec![
            figure(
                "Scatter plot",
                format!("scatter-{name}"),
                1.0,
                Arc::new(move |size, theme| scatter.scene(size, theme).scene),
            ),
            figure(
                "Bars of the genes that change most",
                format!("top-genes-{name}"),
                0.9,
                Arc::new(move |size, theme| bars.scene(size, theme).scene),
            ),
            Choice {
                label: "Shifts of all genes (table)".to_owned(),
                name: format!("shifts-{name}"),
                content: Content::Table(ExportContent::Table(data.table().into())),
            },
            Choice {
                label: "Fit of all perturbations (table)".to_owned(),
                name: "fit-per-perturbation".to_owned(),
                content: Content::Table(ExportContent::Table(super::list::tsv(comparison).into())),
            },
        ],
    }
}
