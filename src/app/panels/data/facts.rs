//! The screen in numbers.

use egui::{Grid, RichText, Ui};

use super::card;
use crate::app::state::State;
use crate::app::theme;
use crate::data::MatrixKind;
use crate::words::grouped;

/// `raw counts`, ….
pub(super) fn matrix_kind(kind: MatrixKind) -> &'static str {
    match kind {
        MatrixKind::Counts => "raw counts",
        MatrixKind::LogNormalised => "log-normalised values",
        MatrixKind::Scaled => "scaled values",
        MatrixKind::Effects => "effects, without cells",
    }
}

pub(super) fn show(ui: &mut Ui, state: &State) {
    let Some(summary) = &state.runtime.summary else { return };
    let single = summary.perturbations.iter().filter(|perturbation| perturbation.targets.len() == 1).count();
    let combined = summary.perturbations.len() - single;
    let perturbations = match combined {
        0 => grouped(single),
        combined => format!("{} ({} of several genes)", grouped(single + combined), grouped(combined)),
    };
    let facts = [
        ("Cells", grouped(summary.cells), "Rows of the matrix"),
        ("Genes", grouped(summary.genes), "Columns of the matrix"),
        ("Perturbations", perturbations, "Conditions other than control: a gene, or several perturbed together"),
        (
            "Kind",
            summary.kind.label().to_owned(),
            "How the screen perturbs its targets; it decides the sign of an edge",
        ),
        ("Control cells", grouped(summary.control_cells), "Cells with a guide that targets nothing"),
        (
            "Unassigned cells",
            grouped(summary.unassigned_cells),
            "Cells without a guide that could be told; left out, never taken for controls",
        ),
        ("Values", matrix_kind(summary.matrix_kind).to_owned(), "What the matrix holds; training needs raw counts"),
        (
            "Median per cell",
            format!(
                "{} molecules, {} genes",
                grouped(summary.median_counts.round() as usize),
                grouped(summary.median_genes.round() as usize)
            ),
            "Median over cells of the sum of values, and of the genes with a value",
        ),
        ("Not zero", format!("{:.1} %", 100.0 * summary.density), "Share of the matrix that is not zero"),
    ];
    // Without cells nothing can be told of them.
    let of_effects = ["Genes", "Perturbations", "Kind", "Values"];
    let is_shown = |name: &str| summary.matrix_kind != MatrixKind::Effects || of_effects.contains(&name);
    card(ui, "", |ui| {
        Grid::new("facts").num_columns(2).min_row_height(20.0).spacing([theme::LARGE, 4.0]).show(ui, |ui| {
            for (name, value, hint) in facts.into_iter().filter(|(name, ..)| is_shown(name)) {
                ui.label(RichText::new(name).color(theme::colours(ui).text_weak)).on_hover_text(hint);
                ui.label(RichText::new(value).text_style(theme::strong()));
                ui.end_row();
            }
        });
    });
}
