//! What a file would be with other choices, beside what it is now.

use egui::{Grid, RichText, Ui};

use super::weak;
use crate::app::findings::FoundPreview;
use crate::app::theme;
use crate::data::Summary;
use crate::data::preview::Preview;
use crate::words::{grouped, listed};

/// Perturbations listed.
const LISTED: usize = 6;

/// Draw it; `open` is what was read.
pub(in crate::app) fn difference(ui: &mut Ui, found: &FoundPreview, open: Option<&Summary>) {
    let preview = match &found.result {
        Ok(preview) => preview,
        Err(problem) => {
            let text = RichText::new(problem).color(theme::colours(ui).bad);
            ui.add(egui::Label::new(text).wrap());
            return;
        }
    };
    numbers(ui, preview, open);
    ui.add_space(theme::SMALL);
    let genes = format!("Genes such as {}", preview.gene_examples.join(", "));
    ui.add(egui::Label::new(weak(ui, genes)).wrap());
    let largest: Vec<String> =
        preview.perturbations.iter().map(|row| format!("{} {}", row.name, grouped(row.cells))).collect();
    if !largest.is_empty() {
        ui.add(egui::Label::new(weak(ui, format!("Cells: {}", listed(&largest, LISTED)))).wrap());
    }
    for warning in &preview.warnings {
        ui.horizontal_top(|ui| {
            ui.label(RichText::new("▲").small().color(theme::colours(ui).warning));
            ui.add(egui::Label::new(RichText::new(warning).small()).wrap());
        });
    }
}

fn numbers(ui: &mut Ui, preview: &Preview, open: Option<&Summary>) {
    let combined =
        open.map(|summary| summary.perturbations.iter().filter(|perturbation| perturbation.targets.len() > 1).count());
    let cells_each = |cells: &mut dyn Iterator<Item = usize>| -> String {
        let mut cells: Vec<usize> = cells.collect();
        cells.sort_unstable();
        match (cells.first(), cells.last()) {
            (Some(least), Some(most)) => {
                format!("{} to {}, median {}", grouped(*least), grouped(*most), grouped(cells[cells.len() / 2]))
            }
            _ => "none".to_owned(),
        }
    };
    let measured = |summary: &Summary| {
        let targets = summary.perturbations.iter().flat_map(|perturbation| &perturbation.targets);
        targets.collect::<std::collections::BTreeSet<_>>().len()
    };
    let rows = [
        (
            "Perturbations",
            grouped(preview.perturbations.len()),
            open.map(|summary| grouped(summary.perturbations.len())),
        ),
        ("Of several genes", grouped(preview.combinations()), combined.map(grouped)),
        (
            "Cells of each",
            cells_each(&mut preview.perturbations.iter().map(|row| row.cells)),
            open.map(|summary| cells_each(&mut summary.perturbations.iter().map(|row| row.cells))),
        ),
        ("Control cells", grouped(preview.control_cells), open.map(|summary| grouped(summary.control_cells))),
        ("Unassigned cells", grouped(preview.unassigned_cells), open.map(|summary| grouped(summary.unassigned_cells))),
        ("Perturbed genes", grouped(preview.targets), open.map(|summary| grouped(measured(summary)))),
        ("… that are measured", grouped(preview.measured_targets), None),
        ("Kind", preview.kind.label().to_owned(), open.map(|summary| summary.kind.label().to_owned())),
    ];
    let colours = theme::colours(ui);
    Grid::new("preview").num_columns(2).min_row_height(20.0).spacing([theme::LARGE, 4.0]).show(ui, |ui| {
        for (name, after, before) in rows {
            ui.label(RichText::new(name).color(colours.text_weak));
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = theme::SMALL;
                let differs = before.as_ref().is_some_and(|before| *before != after);
                if let Some(before) = before.filter(|_| differs) {
                    ui.label(RichText::new(format!("{before} →")).color(colours.text_weak));
                }
                let text = RichText::new(after).text_style(theme::strong());
                ui.label(if differs { text.color(colours.accent) } else { text });
            });
            ui.end_row();
        }
    });
}
