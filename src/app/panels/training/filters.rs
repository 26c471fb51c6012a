//! Filters of perturbations and cells: each a switch, with what it leaves out.

use egui::{RichText, Ui};

use super::settings::{check, number, rows};
use super::weak;
use crate::app::findings::FilterFinding;
use crate::app::state::State;
use crate::app::theme;
use crate::data::PerturbationKind;
use crate::preprocess::{Filtered, PrepareConfig};
use crate::words::{counted, grouped, listed};

pub(super) fn show(ui: &mut Ui, state: &State, prepare: &mut PrepareConfig) {
    rows(ui, "filter settings", |ui| {
        check(
            ui,
            &mut prepare.measured_targets_only,
            "Measured targets only",
            "Leave out perturbations of genes that are not measured",
        );
        number!(
            ui,
            prepare.minimum_cells_before,
            0..=100_000,
            "Least cells at first",
            "Perturbations with fewer cells are left out before any other filter; 0 for no limit"
        );
        number!(
            ui,
            prepare.minimum_changed_genes,
            0..=100_000,
            "Least changed genes",
            "Perturbations that change fewer genes (Wilcoxon, adjusted p below 0.05) are left out; 0 for no limit"
        );
        number!(
            ui,
            prepare.minimum_knock_down,
            0.0..=1.0,
            0.01,
            "Least knock-down",
            "Perturbations whose target falls by a smaller share are left out; 0 for no limit"
        );
        check(
            ui,
            &mut prepare.require_knock_down,
            "Only knocked-down cells",
            "Keep a perturbed cell only if its target's count is at most the 10th percentile among the control cells",
        );
        number!(
            ui,
            prepare.minimum_cells,
            1..=100_000,
            "Least cells left",
            "Perturbations with fewer cells after all other filters are left out"
        );
    });
    ui.add_space(theme::SMALL);
    let button = ui.button("CausalBench's filters");
    let hint = "26 cells at first, 51 changed genes, knock-down by 30 %, only knocked-down cells, 101 cells left \
                (Chevalley 2025)";
    if button.on_hover_text(hint).clicked() {
        *prepare = std::mem::take(prepare).with_causal_bench_filters();
    }
    ui.add_space(theme::SMALL);
    found(ui, state, prepare);
}

/// What the filters leave out of the open data set.
fn found(ui: &mut Ui, state: &State, prepare: &PrepareConfig) {
    let Some(dataset) = &state.runtime.dataset else { return };
    match &state.runtime.findings.filters {
        FilterFinding::None => {
            ui.label(weak(ui, "Counting what they leave out"));
        }
        FilterFinding::Failed(reason) => {
            ui.add(egui::Label::new(RichText::new(reason).color(theme::colours(ui).warning)).wrap());
        }
        FilterFinding::Ready(of, filtered) => {
            ui.add_enabled_ui(**of == *prepare, |ui| table(ui, filtered, dataset.kind(), dataset.cell_count()));
        }
    }
}

fn table(ui: &mut Ui, filtered: &[Filtered], kind: PerturbationKind, cells: usize) {
    let activation = kind == PerturbationKind::Activation;
    let mut kept = cells;
    for filter in filtered.iter().filter(|filter| filter.cells > 0 || !filter.perturbations.is_empty()) {
        kept -= filter.cells.min(kept);
        let mut text = format!("{}: {}", filter.filter.in_words(activation), counted(filter.cells, "cell"));
        if !filter.perturbations.is_empty() {
            text = format!("{text}, {}", counted(filter.perturbations.len(), "perturbation"));
        }
        let label = ui.add(egui::Label::new(format!("− {text}")).wrap());
        if !filter.perturbations.is_empty() {
            label.on_hover_text(listed(&filter.perturbations, 40));
        }
    }
    let share = 100.0 * kept as f64 / cells.max(1) as f64;
    ui.label(RichText::new(format!("{} of {} left ({share:.0} %)", grouped(kept), counted(cells, "cell"))).strong());
}
