//! The limits, settable, and how many cells lie beyond each.

use egui::{Align, Grid, Layout, RichText, Slider, Ui};

use super::export::exportable;
use crate::app::action::Action;
use crate::app::findings::DoubletFinding;
use crate::app::panels::data::card;
use crate::app::state::State;
use crate::app::theme;
use crate::app::views::export::ExportDialog;
use crate::preprocess::quality::{Rule, Threshold};
use crate::tasks::quality::Quality;
use crate::words::{counted, grouped};

/// Limits offered by a click.
pub(super) const USUAL: [f64; 3] = [3.0, 4.0, 5.0];

/// Draw it.
pub(super) fn show(
    export: &mut ExportDialog,
    ui: &mut Ui,
    quality: &Quality,
    state: &State,
    actions: &mut Vec<Action>,
) {
    card(ui, "", |ui| {
        ui.horizontal(|ui| {
            ui.label(RichText::new("Quality control").heading());
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.button("Export…").on_hover_text("Save the plots or the tables").clicked()
                    && let Some(dataset) = &state.runtime.dataset
                {
                    export.open(exportable(dataset, quality, state.runtime.findings.doublets.known()));
                }
            });
        });
        let (failing, all) = (quality.report.failing, quality.metrics.len());
        let share = 100.0 * failing as f64 / all.max(1) as f64;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = theme::SMALL;
            ui.label(RichText::new(counted(failing, "cell")).text_style(theme::strong()));
            ui.label(format!("of {} ({share:.1} %) fail at least one rule", grouped(all)));
        });
        setting(ui, state, actions);
        rules(ui, quality);
        absent(ui, quality);
        doublets(ui, state, actions);
    });
}

/// Doublets take longer: they are looked for when asked.
fn doublets(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.add_space(theme::SMALL);
    let hint = "Droplets that caught two cells, by Scrublet's method, batch by batch: cells are compared with simulated \
                doublets. Nothing is removed";
    let weak = theme::colours(ui).text_weak;
    match &state.runtime.findings.doublets {
        DoubletFinding::None => {
            if ui.button("Look for doublets").on_hover_text(hint).clicked() {
                actions.push(Action::FindDoublets);
            }
        }
        DoubletFinding::Running(progress) => {
            ui.horizontal(|ui| {
                let bar = egui::ProgressBar::new(progress.fraction.unwrap_or(0.0));
                ui.add(bar.desired_width(100.0).desired_height(8.0));
                ui.label(RichText::new("Looking for doublets…").small());
                if ui.small_button("Cancel").clicked() {
                    actions.push(Action::CancelDoublets);
                }
            });
        }
        DoubletFinding::Ready(found) => {
            let share = 100.0 * found.count() as f64 / found.called.len().max(1) as f64;
            let text = format!("{} called doublets ({share:.1} %)", counted(found.count(), "cell"));
            ui.label(text).on_hover_text(hint);
            for note in &found.notes {
                ui.add(egui::Label::new(RichText::new(note).small().color(weak)).wrap());
            }
        }
        DoubletFinding::Failed(reason) => {
            let text = RichText::new(format!("Doublets could not be looked for: {reason}"));
            ui.add(egui::Label::new(text.small().color(theme::colours(ui).bad)).wrap());
        }
    }
}

/// k.
fn setting(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let config = &state.document.training;
    let mut mads = config.prepare.quality_mads;
    ui.add_space(theme::SMALL);
    ui.horizontal_wrapped(|ui| {
        let hint = "A cell fails if it lies more than so many median absolute deviations (MAD) from the median: below it for \
                    counts and genes, above it for shares. Nothing is removed: the training is told which cells fail, with \
                    limits from the cells that it uses";
        let label = ui.label("Limit").on_hover_text(hint);
        for usual in USUAL {
            let text = format!("{usual:.0} MAD");
            if ui.selectable_label(mads == usual, text).clicked() {
                mads = usual;
            }
        }
        ui.spacing_mut().slider_width = 90.0;
        let slider = Slider::new(&mut mads, 1.0..=10.0).step_by(0.1).fixed_decimals(1);
        ui.add(slider).labelled_by(label.id).on_hover_text(hint);
    });
    if mads != config.prepare.quality_mads {
        let mut config = config.clone();
        config.prepare.quality_mads = mads;
        actions.push(Action::SetTraining(Box::new(config), state.document.device));
    }
}

fn rules(ui: &mut Ui, quality: &Quality) {
    ui.add_space(theme::SMALL);
    let weak = theme::colours(ui).text_weak;
    Grid::new("quality rules").num_columns(4).striped(true).spacing([theme::LARGE, 4.0]).show(ui, |ui| {
        for (title, hint) in [
            ("Rule", "What is judged"),
            ("Median", "Over all cells, and the median absolute deviation from it"),
            ("Limit", "Cells beyond it fail"),
            ("Failing", "Cells that fail this rule; a cell can fail several"),
        ] {
            ui.label(RichText::new(title).small().strong().color(weak)).on_hover_text(hint);
        }
        ui.end_row();
        for threshold in quality.report.thresholds.iter().filter(|threshold| !is_absent(quality, threshold)) {
            ui.label(name(threshold.rule));
            ui.label(format!("{} ± {}", value(threshold, threshold.median), value(threshold, threshold.mad)));
            let side = if threshold.rule.fails_below() { "below" } else { "above" };
            // Nothing can lie below zero.
            let reachable = !(threshold.rule.fails_below() && threshold.limit <= 0.0);
            let limit =
                if reachable { format!("{side} {}", value(threshold, threshold.limit)) } else { "none".to_owned() };
            let shown = ui.label(limit);
            if !reachable {
                shown.on_hover_text("The limit lies below zero, where no cell can be");
            }
            let text = RichText::new(grouped(threshold.failing));
            let colours = theme::colours(ui);
            ui.label(if threshold.failing > 0 { text.color(colours.warning) } else { text });
            ui.end_row();
        }
    });
}

/// Which families of genes were not measured at all.
fn absent(ui: &mut Ui, quality: &Quality) {
    let absent: Vec<&str> = quality
        .report
        .thresholds
        .iter()
        .filter(|threshold| is_absent(quality, threshold))
        .map(|threshold| match threshold.rule {
            Rule::Mitochondrial => "mitochondrial (MT-)",
            Rule::Ribosomal => "ribosomal (RPS, RPL)",
            Rule::Haemoglobin => "haemoglobin (HB)",
            Rule::FewCounts | Rule::FewGenes => "any",
        })
        .collect();
    if !absent.is_empty() {
        let text = format!("No counts of {} genes in this file", absent.join(", "));
        let text = RichText::new(text).small().color(theme::colours(ui).text_weak);
        ui.add_space(theme::SMALL);
        ui.add(egui::Label::new(text).wrap());
    }
}

/// Whether every cell has zero.
pub(super) fn is_absent(quality: &Quality, threshold: &Threshold) -> bool {
    let histogram = &quality.histograms[threshold.rule as usize];
    threshold.median == 0.0
        && threshold.mad == 0.0
        && threshold.failing == 0
        && histogram.bins.iter().skip(1).all(|bin| bin.cells == 0)
}

/// The rule's metric for people.
pub(super) fn name(rule: Rule) -> &'static str {
    match rule {
        Rule::FewCounts => "Total counts",
        Rule::FewGenes => "Detected genes",
        Rule::Mitochondrial => "Mitochondrial",
        Rule::Ribosomal => "Ribosomal",
        Rule::Haemoglobin => "Haemoglobin",
    }
}

fn value(threshold: &Threshold, value: f32) -> String {
    if threshold.rule.fails_below() {
        let sign = if value < -0.5 { "−" } else { "" };
        format!("{sign}{}", grouped(value.abs().round() as usize))
    } else {
        format!("{value:.1} %")
    }
}
