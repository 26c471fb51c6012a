//! What moves the selected gene: every perturbation of the screen, by its measured and by its predicted shift.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use egui::{RichText, Ui, WidgetInfo};

use crate::app::views::response::Truth;
use crate::app::widgets::{shift_bar, signed};
use crate::app::{Action, theme};
use crate::data::EffectTable;
use crate::models::TrainedModel;
use crate::words::{counted, grouped};

/// Rows shown before the user asks for all.
const FEW: usize = 6;

/// What this section keeps for itself.
#[derive(Default)]
pub(super) struct Movers {
    of: Option<(Arc<TrainedModel>, String)>,
    list: Vec<Mover>,
    all: bool,
}

/// A perturbation, and how it shifts the gene.
#[derive(Clone, Debug, PartialEq)]
struct Mover {
    perturbation: String,
    predicted: Option<f32>,
    measured: Option<Measured>,
    /// It perturbs the gene itself.
    own: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Measured {
    shift: f32,
    truth: Truth,
    cells: u32,
    /// Adjusted p < 0.05 among the training cells.
    significant: Option<bool>,
}

impl Mover {
    /// What it is sorted by.
    fn size(&self) -> f32 {
        self.measured.map(|measured| measured.shift).or(self.predicted).map_or(f32::NEG_INFINITY, f32::abs)
    }
}

/// The perturbations of `model` by what they do to `gene`; the gene's own first, then by the measured shift, or by the predicted one where there
/// is none.
fn movers(model: &TrainedModel, gene: &str) -> Vec<Mover> {
    let perturbations = model.card().perturbations.iter();
    let own = perturbations.filter(|known| known.targets.iter().any(|target| target == gene)).map(|known| known.name());
    let (training, significant) = (model.observed_in_training(), model.significant_in_training());
    among(gene, model.predicted(), model.observed_held_out(), training, significant, &own.collect())
}

/// One gene's column of a table of shifts: for each perturbation its row, and the shift where there is one.
fn column<'a>(table: &'a EffectTable, gene: &str) -> BTreeMap<&'a str, (usize, f32)> {
    let Some(column) = table.genes.iter().position(|known| known == gene) else { return BTreeMap::new() };
    let rows = table.perturbations.iter().enumerate();
    let shifts = rows.map(|(row, name)| (name.as_str(), (row, table.row(row)[column])));
    shifts.filter(|(_, (_, shift))| shift.is_finite()).collect()
}

fn among(
    gene: &str,
    predicted: &EffectTable,
    held_out: &EffectTable,
    training: &EffectTable,
    significant: &[bool],
    own: &BTreeSet<String>,
) -> Vec<Mover> {
    let at = training.genes.iter().position(|known| known == gene).unwrap_or(0);
    let is_significant = |row: usize| significant.get(row * training.genes.len() + at).copied();
    let tables = (held_out, training);
    let columns = [predicted, held_out, training].map(|table| column(table, gene));
    let names: BTreeSet<&str> = columns.iter().flat_map(|column| column.keys().copied()).collect();
    let mover = |name: &str| {
        let [predicted, held_out, training] = columns.each_ref().map(|column| column.get(name).copied());
        let significant = training.and_then(|(row, _)| is_significant(row));
        let of = |truth: Truth, cells: &EffectTable, found: Option<(usize, f32)>| {
            let (row, shift) = found?;
            Some(Measured { shift, truth, cells: cells.cells.get(row).copied().unwrap_or(0), significant })
        };
        Mover {
            perturbation: name.to_owned(),
            predicted: predicted.map(|(_, shift)| shift),
            measured: of(Truth::HeldOut, tables.0, held_out).or_else(|| of(Truth::Training, tables.1, training)),
            own: own.contains(name),
        }
    };
    let mut list: Vec<Mover> = names.into_iter().map(mover).collect();
    // Of equals the first by name, in whose order they are.
    list.sort_by(|a, b| b.own.cmp(&a.own).then(b.size().total_cmp(&a.size())));
    list
}

/// Draw it.
pub(super) fn show(view: &mut Movers, ui: &mut Ui, model: &Arc<TrainedModel>, gene: &str, actions: &mut Vec<Action>) {
    let is_known = |(of, about): &(Arc<TrainedModel>, String)| Arc::ptr_eq(of, model) && about == gene;
    if !view.of.as_ref().is_some_and(is_known) {
        view.list = movers(model, gene);
        view.of = Some((model.clone(), gene.to_owned()));
        view.all = false;
    }
    ui.add_space(theme::MEDIUM);
    let title = ui.label(RichText::new(format!("What moves {gene}?")).strong());
    title.on_hover_text("Its shift (log2 against control) under each perturbation of the screen");
    if view.list.is_empty() {
        ui.label(RichText::new("Its expression was not measured").color(theme::colours(ui).text_weak));
        return;
    }
    let shown = if view.all { view.list.len() } else { view.list.len().min(FEW) };
    let sizes = view.list.iter().flat_map(|mover| [mover.predicted, mover.measured.map(|measured| measured.shift)]);
    let largest = sizes.flatten().fold(0.0, |most: f32, shift| most.max(shift.abs()));
    egui::Grid::new("movers").num_columns(4).striped(true).spacing([theme::MEDIUM, 3.0]).show(ui, |ui| {
        let hints = [
            ("Perturbation", "Click to compare its whole response"),
            ("Pred.", "Predicted by the model"),
            ("Meas.", "Measured; weak where it is not significant (adjusted p 0.05, training cells)"),
            ("Bar, tick", "Bar: predicted shift. Tick: measured shift"),
        ];
        for (text, hint) in hints {
            ui.label(RichText::new(text).small().color(theme::colours(ui).text_weak)).on_hover_text(hint);
        }
        ui.end_row();
        for mover in &view.list[..shown] {
            row(ui, mover, largest, actions);
            ui.end_row();
        }
    });
    if view.list.len() > FEW {
        let text = if view.all { "Show fewer".to_owned() } else { format!("Show all {}", grouped(view.list.len())) };
        let button = ui.button(&text);
        button
            .widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, format!("{text} perturbations")));
        if button.clicked() {
            view.all = !view.all;
        }
    }
}

fn row(ui: &mut Ui, mover: &Mover, largest: f32, actions: &mut Vec<Action>) {
    let link = ui.link(&mover.perturbation);
    let label = format!("Moved by {}", mover.perturbation);
    link.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Link, true, &label));
    let mut hint = match mover.measured {
        Some(measured) => {
            format!("Measured over {} ({})", measured.truth.label(), counted(measured.cells as usize, "cell"))
        }
        None => "Not measured".to_owned(),
    };
    if mover.own {
        hint.push_str("\nIt perturbs the gene itself: the shift is what was done, not what followed");
    }
    if link.on_hover_text(hint).clicked() {
        actions.push(Action::ShowPerturbation(Some(mover.perturbation.clone())));
    }
    ui.label(mover.predicted.map_or_else(|| "–".to_owned(), signed));
    let weak = theme::colours(ui).text_weak;
    match mover.measured {
        Some(measured) => {
            let text = RichText::new(signed(measured.shift));
            ui.label(if measured.significant == Some(false) { text.color(weak) } else { text });
        }
        None => _ = ui.label("–"),
    }
    ui.allocate_ui(egui::vec2(ui.available_width().clamp(40.0, 110.0), theme::ROW_HEIGHT - 8.0), |ui| {
        shift_bar(ui, mover.predicted, None, mover.measured.map(|measured| measured.shift), largest);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_perturbation_comes_first_then_measured_and_predicted_shifts_by_size() {
        let table = |names: &[&str], shifts: &[f32], cells: u32| EffectTable {
            perturbations: names.iter().map(|name| (*name).to_owned()).collect(),
            genes: vec!["X".to_owned(), "Y".to_owned()],
            cells: vec![cells; names.len()],
            shifts: shifts.iter().flat_map(|&shift| [0.0, shift]).collect(),
        };
        let predicted = table(&["A", "B", "C", "Y"], &[0.1, -3.0, 0.4, -5.0], 0);
        let held_out = table(&["A", "Y"], &[-0.9, -1.0], 5);
        let training = table(&["A", "C"], &[0.7, f32::NAN], 50);
        let significant = [false, true, false, false];
        let list = among("Y", &predicted, &held_out, &training, &significant, &BTreeSet::from(["Y".to_owned()]));
        let names: Vec<&str> = list.iter().map(|mover| mover.perturbation.as_str()).collect();
        assert_eq!(names, ["Y", "B", "A", "C"]);
        let measured = list[2].measured.unwrap();
        assert_eq!((measured.shift, measured.truth, measured.significant), (-0.9, Truth::HeldOut, Some(true)));
        assert_eq!(list[3].measured, None);
        assert!(among("Z", &predicted, &held_out, &training, &significant, &BTreeSet::new()).is_empty());
    }
}
