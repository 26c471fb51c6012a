//! The plots: a histogram per metric, and counts against genes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use egui::{Ui, vec2};

use super::QualityView;
use super::limits::{USUAL, is_absent, name};
use crate::app::theme;
use crate::app::views::network::theme as figure_theme;
use crate::figures::Figure as _;
use crate::figures::axes::Scale;
use crate::figures::screen::{CellPoint, CellsFigure, Histogram, HistogramFigure, LimitLine};
use crate::preprocess::doublets::CellDoublets;
use crate::preprocess::quality::Threshold;
use crate::tasks::quality::Quality;
use crate::words::grouped;

/// Font size on the screen.
const TEXT_SIZE: f32 = 11.0;
/// Least width of a plot; as many stand in a row as fit.
const LEAST_WIDTH: f32 = 270.0;

/// What is drawn.
enum Plot<'a> {
    Metric(&'a Threshold),
    Doublets(&'a CellDoublets),
    Cells,
}

/// The histogram of one metric.
pub(super) fn histogram(quality: &Quality, threshold: &Threshold, text_size: f32) -> HistogramFigure {
    let rule = threshold.rule;
    let sign = if rule.fails_below() { -1.0 } else { 1.0 };
    let mads = quality.report.mads;
    let line = |k: f64, chosen: bool| LimitLine {
        value: threshold.median + sign * k as f32 * threshold.mad,
        label: if k.fract() == 0.0 { format!("{k:.0}") } else { format!("{k:.1}") } + if chosen { " MAD" } else { "" },
        chosen,
    };
    let mut limits = vec![line(mads, true)];
    limits.extend(USUAL.into_iter().filter(|usual| *usual != mads).map(|usual| line(usual, false)));
    let unit = if rule.fails_below() { "" } else { " (% of counts)" };
    HistogramFigure {
        x_label: format!("{}{unit}", name(rule)),
        histogram: quality.histograms[rule as usize].clone(),
        limits,
        text_size,
        ..HistogramFigure::default()
    }
}

/// Scores of how likely each cell is a doublet.
pub(super) fn doublet_scores(found: &CellDoublets, text_size: f32) -> HistogramFigure {
    let is_called = |score: f32| found.threshold.is_some_and(|threshold| score > threshold);
    let line = |value: f32| LimitLine { value, label: "threshold".to_owned(), chosen: true };
    HistogramFigure {
        x_label: "Doublet score".to_owned(),
        histogram: Histogram::of(&found.scores, 60, Scale::Linear, is_called),
        limits: found.threshold.map(line).into_iter().collect(),
        text_size,
        ..HistogramFigure::default()
    }
}

/// Counts against genes.
pub(super) fn cells(quality: &Quality, text_size: f32) -> CellsFigure {
    let metrics = &quality.metrics;
    let point = |&cell: &u32| {
        let cell = cell as usize;
        let failed = quality.report.failed[cell];
        let words: Vec<&str> = failed.iter().map(|rule| rule.label()).collect();
        CellPoint {
            x: metrics.total_counts[cell],
            y: metrics.detected_genes[cell] as f32,
            fails: failed.any().then(|| words.join(", ")),
        }
    };
    let (drawn, all) = (quality.drawn.len(), metrics.len());
    let note = if drawn < all { format!("{} of {} cells", grouped(drawn), grouped(all)) } else { String::new() };
    CellsFigure { points: quality.drawn.iter().map(point).collect(), note, text_size, ..CellsFigure::default() }
}

/// Draw them.
pub(super) fn show(
    view: &mut QualityView,
    ui: &mut Ui,
    quality: &Quality,
    doublets: Option<&Arc<CellDoublets>>,
    version: u64,
) {
    let shown: Vec<&Threshold> =
        quality.report.thresholds.iter().filter(|threshold| !is_absent(quality, threshold)).collect();
    let room = ui.available_width();
    let columns = ((room / LEAST_WIDTH) as usize).clamp(1, 3);
    let width = ((room - theme::MEDIUM * (columns - 1) as f32) / columns as f32).floor();
    let size = vec2(width, (width * 0.66).clamp(170.0, 260.0));
    let key = |plot: usize| {
        let mut hasher = DefaultHasher::new();
        (version, plot).hash(&mut hasher);
        hasher.finish()
    };
    let plots: Vec<Plot<'_>> = shown
        .into_iter()
        .map(Plot::Metric)
        .chain(doublets.map(|found| Plot::Doublets(found)))
        .chain([Plot::Cells])
        .collect();
    for row in plots.chunks(columns) {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = theme::MEDIUM;
            for plot in row {
                match plot {
                    Plot::Metric(threshold) => {
                        let at = threshold.rule as usize;
                        let label = format!("Histogram: {}", name(threshold.rule));
                        view.histograms[at].show(ui, size, key(at), &label, |size, dark| {
                            histogram(quality, threshold, TEXT_SIZE).scene(size, &figure_theme(dark))
                        });
                    }
                    Plot::Doublets(found) => {
                        view.doublets.show(ui, size, key(8), "Histogram: Doublet score", |size, dark| {
                            doublet_scores(found, TEXT_SIZE).scene(size, &figure_theme(dark))
                        });
                    }
                    Plot::Cells => {
                        view.cells.show(ui, size, key(9), "Total counts against detected genes", |size, dark| {
                            cells(quality, TEXT_SIZE).scene(size, &figure_theme(dark))
                        });
                    }
                }
            }
        });
        ui.add_space(theme::MEDIUM);
    }
}
