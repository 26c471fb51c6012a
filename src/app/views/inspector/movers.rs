//! What moves the selected gene: every perturbation of the screen, by its measured and by its predicted shift.

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
    let targets = |name: &str| {
        model
            .card()
            .perturbations
            .iter()
            .any(|known| known.name() == name && known.targets.iter().any(|target| target == gene))
    };
    let (training, significant) = (model.observed_in_training(), model.significant_in_training());
    among(gene, model.predicted(), model.observed_held_out(), training, significant, targets)
}

fn among(
    gene: &str,
    predicted: &EffectTable,
    held_out: &EffectTable,
    training: &EffectTable,
    significant: &[bool],
    own: impl Fn(&str) -> bool,
) -> Vec<Mover> {
    let shift = |table: &EffectTable, name: &str| {
        let column = table.genes.iter().position(|known| known == gene)?;
        let row = table.find(name)?;
        let shift = table.row(row)[column];
        shift.is_finite().then(|| (shift, table.cells.get(row).copied().unwrap_or(0), row * table.genes.len() + column))
    };
    let names = [predicted, held_out, training].into_iter().flat_map(|table| &table.perturbations);
    let mut list: Vec<Mover> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    for name in names.filter(|name| known.insert(name.as_str())) {
        let in_training = shift(training, name);
        let significant = in_training.and_then(|(_, _, at)| significant.get(at).copied());
        let of = |truth: Truth, found: Option<(f32, u32, usize)>| {
            found.map(|(shift, cells, _)| Measured { shift, truth, cells, significant })
        };
        list.push(Mover {
            perturbation: name.clone(),
            predicted: shift(predicted, name).map(|(shift, ..)| shift),
            measured: of(Truth::HeldOut, shift(held_out, name)).or_else(|| of(Truth::Training, in_training)),
            own: own(name),
        });
    }
    list.retain(|mover| mover.predicted.is_some() || mover.measured.is_some());
    list.sort_by(|a, b| {
        b.own.cmp(&a.own).then(b.size().total_cmp(&a.size())).then_with(|| a.perturbation.cmp(&b.perturbation))
    });
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
        shift_bar(ui, mover.predicted, mover.measured.map(|measured| measured.shift), largest);
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
        let list = among("Y", &predicted, &held_out, &training, &significant, |name| name == "Y");
        let names: Vec<&str> = list.iter().map(|mover| mover.perturbation.as_str()).collect();
        assert_eq!(names, ["Y", "B", "A", "C"]);
        let measured = list[2].measured.unwrap();
        assert_eq!((measured.shift, measured.truth, measured.significant), (-0.9, Truth::HeldOut, Some(true)));
        assert_eq!(list[3].measured, None);
        assert!(among("Z", &predicted, &held_out, &training, &significant, |_| false).is_empty());
    }
}
