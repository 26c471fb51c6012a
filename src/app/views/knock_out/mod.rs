//! The knock-out: which genes by which dose, how far the answer can be trusted, and the shift of every gene.

mod effects;
mod words;

use std::sync::Arc;

use egui::{RichText, Slider, TextEdit, Ui, WidgetInfo, vec2};
use egui_extras::{Column, TableBuilder};

pub use effects::{Effect, EffectColumn, Measured};
use words::dose_words;
pub use words::{asked, kind, verb};

use crate::app::state::{Prediction, WaveView};
use crate::app::widgets::{Sort, SortColumn, empty_page, evidence_badges, plain_header, shift_bar, signed};
use crate::app::{Action, ExportContent, ExportFormat, ExportRequest, State, theme};
use crate::data::{EffectTable, PerturbationKind};
use crate::models::{AskedCells, Novelty, PredictedEffect};
use crate::tasks::badges;
use crate::words::counted;

/// What this view keeps for itself.
pub struct KnockOutView {
    filter: String,
    sort: Sort<EffectColumn>,
    list: Option<List>,
    beyond: bool,
}

impl Default for KnockOutView {
    fn default() -> Self {
        Self { filter: String::new(), sort: Sort::falling(EffectColumn::Size), list: None, beyond: false }
    }
}

/// The effects of one prediction.
struct List {
    effect: Arc<PredictedEffect>,
    measured: Option<Measured>,
    effects: Vec<Effect>,
    order: Vec<u32>,
    ordered: Option<(Sort<EffectColumn>, String)>,
    largest: f32,
}

impl List {
    fn new(effect: &Arc<PredictedEffect>, known: &Known<'_>, targets: &[&str]) -> Self {
        let found = Measured::find(&effect.name, known.genes, known.held_out, known.training);
        let measured = found.and_then(|found| match effect.responding {
            None => Some(found),
            // In cells with several perturbations some escaped the one, some the other.
            Some(share) => (targets.len() == 1).then(|| found.of_responding(share)),
        });
        let effects = effects::effects(known.genes, effect, measured.as_ref(), targets);
        let sizes = effects.iter().flat_map(|effect| [Some(effect.predicted), effect.measured]).flatten();
        let largest = sizes.filter(|size| size.is_finite()).fold(0.0, |most: f32, size| most.max(size.abs()));
        Self { effect: effect.clone(), measured, effects, order: Vec::new(), ordered: None, largest }
    }
}

/// What the model knows about its screen.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Measured genes, in the order of predicted shifts.
    pub genes: &'a [String],
    /// Measured shifts over held-out cells.
    pub held_out: &'a EffectTable,
    /// Measured shifts over training cells.
    pub training: &'a EffectTable,
    /// How targets were perturbed.
    pub kind: PerturbationKind,
}

/// Draw it into all of `ui`.
pub fn show(view: &mut KnockOutView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(model) = &state.runtime.model else {
        let text = if state.has_no_model() {
            "A knock-out needs the model that learned the network; a network file has none"
        } else {
            "Open or train a model to predict knock-outs"
        };
        empty_page(ui, "No model", text, &[]);
        return;
    };
    let known = Known {
        genes: &model.card().genes,
        held_out: model.observed_held_out(),
        training: model.observed_in_training(),
        kind: model.card().perturbation_kind,
    };
    contents(view, ui, known, state, actions);
}

/// Draw it for a screen that is known.
pub fn contents(view: &mut KnockOutView, ui: &mut Ui, known: Known<'_>, state: &State, actions: &mut Vec<Action>) {
    doses(view, ui, known.kind, state, actions);
    match &state.runtime.prediction {
        Prediction::Failed(reason) => {
            ui.label(RichText::new("The knock-out cannot be predicted").strong());
            ui.label(reason);
            return;
        }
        Prediction::Pending { .. } => {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label("Predicting…");
            });
        }
        Prediction::None | Prediction::Ready(_) => {}
    }
    let Some(effect) = state.runtime.prediction.effect() else { return };
    if !view.list.as_ref().is_some_and(|list| Arc::ptr_eq(&list.effect, effect)) {
        let targets: Vec<&str> = state.document.knock_out.keys().map(String::as_str).collect();
        view.list = Some(List::new(effect, &known, &targets));
    }
    let Some(list) = &mut view.list else { return };
    trust(ui, list, state);
    ui.horizontal(|ui| {
        let room = (ui.available_width() - 92.0).max(60.0);
        let field = ui.add(TextEdit::singleline(&mut view.filter).hint_text("Filter genes").desired_width(room));
        field.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::TextInput, true, "Filter genes"));
        if ui.button("Save…").on_hover_text("Save this list as a table (TSV)").clicked() {
            actions.push(save(list));
        }
    });
    let wanted = (view.sort, view.filter.clone());
    if list.ordered.as_ref() != Some(&wanted) {
        list.order = effects::order(&list.effects, view.sort, &view.filter);
        list.ordered = Some(wanted);
    }
    if list.order.is_empty() {
        ui.label("No gene contains this text");
        return;
    }
    table(&mut view.sort, list, ui, state, actions);
}

/// One slider per gene, and one for all where there are several.
fn doses(view: &mut KnockOutView, ui: &mut Ui, kind: PerturbationKind, state: &State, actions: &mut Vec<Action>) {
    let doses = &state.document.knock_out;
    view.beyond |= doses.values().any(|dose| !(0.0..=1.0).contains(dose));
    let range = if view.beyond { -1.0..=2.0 } else { 0.0..=1.0 };
    let mut changed: Option<Vec<(String, f32)>> = None;
    for (gene, &dose) in doses {
        let (wanted, remove) = slider(ui, gene, dose, &range, &format!("Dose of {gene}"), kind, |ui| {
            let remove = ui.small_button("×");
            remove.widget_info(|| {
                WidgetInfo::labeled(egui::accesskit::Role::Button, true, format!("Remove {gene} from knock-out"))
            });
            remove.on_hover_text("Do not perturb this gene").clicked()
        });
        if let Some(value) = wanted {
            changed = Some(with_dose(state, gene, Some(value)));
        }
        if remove {
            changed = Some(with_dose(state, gene, None));
        }
    }
    if doses.len() > 1 {
        // Where they differ it stands at their mean.
        let mean = doses.values().sum::<f32>() / doses.len() as f32;
        let same = doses.values().all(|dose| (dose - mean).abs() < 1e-6);
        let name = if same { "All" } else { "All (mean)" };
        let (wanted, ()) = slider(ui, name, mean, &range, "Dose of all genes", kind, |_| ());
        if let Some(value) = wanted {
            changed = Some(doses.keys().map(|gene| (gene.clone(), rounded(value))).collect());
        }
    }
    if let Some(doses) = changed {
        actions.push(if doses.is_empty() { Action::ClearKnockOut } else { Action::KnockOut(doses) });
    }
    asked_cells(ui, state, actions);
    ui.horizontal_wrapped(|ui| {
        let hint = "Let doses go below 0 and above 1: extrapolation, which nothing in the screen supports";
        ui.checkbox(&mut view.beyond, "Allow doses beyond 0 to 1").on_hover_text(hint);
        if ui.button("Clear").on_hover_text("Perturb nothing").clicked() {
            actions.push(Action::ClearKnockOut);
        }
        if state.view.wave.is_none() && state.can_show_wave() {
            let hint = "Watch what the learned network passes on from here, step by step";
            if ui.button("Show the wave").on_hover_text(hint).clicked() {
                actions.push(Action::SetWave(Some(WaveView { step: 0, playing: true })));
            }
        }
    });
}

/// Which cells are asked about, where some escape.
fn asked_cells(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let share = state.responding_share();
    if share >= 1.0 {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.label("Cells");
        let responding = format!("Responding ({:.0} %)", 100.0 * share);
        for (cells, text, hint) in [
            (
                AskedCells::All,
                "All",
                "As the screen has them: those that escaped the perturbation look like control cells",
            ),
            (
                AskedCells::Responding,
                &responding,
                "Those that respond alone: what the perturbation does where it works",
            ),
        ] {
            let chosen = state.document.asked_cells == cells;
            let choice = ui.selectable_label(chosen, text);
            choice.widget_info(|| {
                WidgetInfo::selected(egui::Role::RadioButton, true, chosen, format!("Ask about cells: {text}"))
            });
            if choice.on_hover_text(hint).clicked() && !chosen {
                actions.push(Action::AskOf(cells));
            }
        }
    });
}

/// A dose with its name before it and its meaning below; the dose wanted, if it was changed.
fn slider<T>(
    ui: &mut Ui,
    name: &str,
    dose: f32,
    range: &std::ops::RangeInclusive<f32>,
    label: &str,
    kind: PerturbationKind,
    after: impl FnOnce(&mut Ui) -> T,
) -> (Option<f32>, T) {
    let mut value = dose;
    let shown = ui.horizontal(|ui| {
        let left = egui::Layout::left_to_right(egui::Align::Center);
        ui.allocate_ui_with_layout(vec2(74.0, 20.0), left, |ui| {
            ui.set_min_width(74.0);
            ui.add(egui::Label::new(RichText::new(name).strong()).truncate());
        });
        ui.spacing_mut().slider_width = (ui.available_width() - 100.0).clamp(40.0, 160.0);
        let slider = ui.add(Slider::new(&mut value, range.clone()).step_by(0.05).fixed_decimals(2));
        slider.widget_info(|| WidgetInfo::slider(true, f64::from(value), label));
        let hint = format!(
            "1 is the {} of the screen, 0 none; below 0 is the opposite, above 1 more than was done",
            kind.label()
        );
        let changed = slider.on_hover_text(hint).changed();
        (changed, after(ui))
    });
    if dose != 1.0 {
        let text = RichText::new(dose_words(kind, dose)).small().color(theme::colours(ui).text_weak);
        ui.add(egui::Label::new(text).wrap());
    }
    let (changed, after) = shown.inner;
    (changed.then_some(value), after)
}

/// Two decimals, as shown: 0.15000001 would give the prediction another name.
fn rounded(dose: f32) -> f32 {
    (dose * 100.0).round() / 100.0
}

fn with_dose(state: &State, gene: &str, dose: Option<f32>) -> Vec<(String, f32)> {
    let mut doses = state.document.knock_out.clone();
    match dose {
        Some(dose) => _ = doses.insert(gene.to_owned(), rounded(dose)),
        None => _ = doses.remove(gene),
    }
    doses.into_iter().collect()
}

/// How far the answer can be trusted.
fn trust(ui: &mut Ui, list: &List, state: &State) {
    let colours = theme::colours(ui);
    let known = state.evidence().map(|evidence| evidence.of_doses(&state.document.knock_out));
    let mut known = known.unwrap_or_else(|| vec![list.effect.novelty.into()]);
    let genes = state.runtime.model.as_ref().map(|model| &model.card().genes[..]);
    known.extend(badges::borrowed(&list.effect));
    known.extend(genes.and_then(|genes| badges::response(&list.effect, genes)));
    evidence_badges(ui, &known);
    ui.horizontal_wrapped(|ui| {
        let cells = |count: u32| counted(count as usize, "cell");
        let text = match list.effect.novelty {
            Novelty::Measured { training_cells, test_cells } => {
                format!("{} in training, {} held out", cells(training_cells), cells(test_cells))
            }
            Novelty::HeldOut { cells: count } => format!("{}, none in training", cells(count)),
            Novelty::NewCombination => "each gene was perturbed, never these together".to_owned(),
            Novelty::NeverPerturbed => "no cell of the screen shows this".to_owned(),
        };
        ui.label(RichText::new(text).small());
    });
    let text = list.measured.as_ref().map(|measured| {
        let mut text = format!("Measured shifts are means over {} {}", measured.cells, measured.truth.label());
        if let Some(share) = measured.share {
            text.push_str(&format!(", divided by the share that responds ({:.0} %)", 100.0 * share));
        }
        text
    });
    let of_many = list.effect.responding.filter(|_| list.measured.is_none() && state.document.knock_out.len() > 1);
    let of_many = of_many.map(|_| "Without measured shifts: a screen has those of all cells together".to_owned());
    if let Some(text) = text.or(of_many) {
        ui.label(RichText::new(text).small().color(colours.text_weak));
    }
}

fn save(list: &List) -> Action {
    let order = effects::order(&list.effects, Sort::falling(EffectColumn::Size), "");
    let text = effects::table(&list.effects, &order, list.measured.as_ref());
    Action::Export(ExportRequest {
        name: format!("effects-{}", file_name(&list.effect.label())),
        content: ExportContent::Table(text.into()),
        format: ExportFormat::Tsv,
        width_mm: 0.0,
        dpi: 0.0,
        path: None,
    })
}

/// `STAT1 × 0.5+JAK2` as part of a file name.
fn file_name(name: &str) -> String {
    name.chars().map(|letter| if letter.is_alphanumeric() || letter == '.' { letter } else { '-' }).collect()
}

fn table(sort: &mut Sort<EffectColumn>, list: &List, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let network = state.network();
    let has_measured = list.measured.is_some();
    let mut builder = TableBuilder::new(ui)
        .id_salt("effects")
        .striped(true)
        .sense(egui::Sense::click())
        // No taller than its place, or the panel grows over what is below.
        .min_scrolled_height(0.0)
        .cell_layout(egui::Layout::left_to_right(egui::Align::Center))
        .column(Column::exact(84.0).clip(true))
        .column(Column::exact(56.0));
    if has_measured {
        builder = builder.column(Column::exact(62.0));
    }
    let builder = builder.column(Column::remainder().at_least(40.0).clip(true));
    let header = builder.header(theme::ROW_HEIGHT, |mut header| {
        header.col(|ui| _ = SortColumn::rising(EffectColumn::Gene, "Gene", "Symbol").header(ui, sort));
        let text = "Predicted shift of the mean log2(10,000·x/Σx + 1) against control cells; sorted by size";
        header.col(|ui| _ = SortColumn::falling(EffectColumn::Size, "Shift", text).header(ui, sort));
        if let Some(measured) = &list.measured {
            let among = if measured.share.is_some() { ", those of cells that respond" } else { "" };
            let text = format!("The same, measured over {}{among}; sorted by size", measured.truth.label());
            header.col(|ui| _ = SortColumn::falling(EffectColumn::Measured, "Meas.", &text).header(ui, sort));
        }
        let line = list.effect.spread.as_ref().map(|spread| format!(". Line: {}", spread.label())).unwrap_or_default();
        let text = if has_measured { "Bar: predicted shift. Tick: measured shift" } else { "Predicted shift" };
        let text = &format!("{text}{line}");
        header.col(|ui| plain_header(ui, if has_measured { "Bar, tick" } else { "" }, text));
    });
    header.body(|body| {
        body.rows(theme::ROW_HEIGHT, list.order.len(), |mut row| {
            let effect = &list.effects[list.order[row.index()] as usize];
            let node = network.is_some_and(|network| network.find(&effect.gene).is_some());
            row.set_selected(state.document.is_selected(&effect.gene));
            row.col(|ui| {
                let mut text = RichText::new(&effect.gene);
                if effect.target {
                    text = text.strong();
                }
                ui.add(egui::Label::new(text).selectable(false).truncate());
            });
            row.col(|ui| _ = ui.add(egui::Label::new(signed(effect.predicted)).selectable(false)));
            if has_measured {
                row.col(|ui| {
                    let text = effect.measured.map_or("–".to_owned(), signed);
                    ui.add(egui::Label::new(text).selectable(false));
                });
            }
            row.col(|ui| shift_bar(ui, Some(effect.predicted), effect.half_width, effect.measured, list.largest));
            let response = row.response();
            response.widget_info(|| {
                WidgetInfo::labeled(egui::accesskit::Role::Row, true, format!("effect {}", effect.gene))
            });
            let hint = match (effect.target, node) {
                (true, _) => "Knocked out; its own shift is what was done, not what followed",
                (false, true) => "Click to select the gene in the network",
                (false, false) => "Click to see what moves it; it is no node of the network",
            };
            let interval = match (effect.half_width, &list.effect.spread) {
                (Some(half), Some(spread)) => {
                    let [low, high] = [effect.predicted - half, effect.predicted + half].map(signed);
                    let p = effect.adjusted_p.filter(|_| !effect.target);
                    let p = p.map(|p| format!("Adjusted p {p:.3}\n")).unwrap_or_default();
                    format!("{low} to {high} ({})\n{p}", spread.label())
                }
                _ => String::new(),
            };
            let text = format!("{}\n{interval}In control cells {:.2}\n{hint}", effect.gene, effect.control);
            if response.on_hover_text(text).clicked() {
                actions.push(Action::Select { gene: effect.gene.clone(), extend: false });
            }
        });
    });
}
