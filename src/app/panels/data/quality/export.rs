//! What can be saved: the plots, alone and together, and the tables.

use std::sync::Arc;

use super::limits::{is_absent, name};
use super::plots::{cells, doublet_scores, histogram};
use crate::app::action::{ExportContent, TableMaker};
use crate::app::views::export::{Choice, Content, Draw, Exportable, PRINT_TEXT_SIZE};
use crate::data::Dataset;
use crate::figures::{Figure, FigureMetadata, Panel, PanelRow, PanelsFigure};
use crate::preprocess::doublets::CellDoublets;
use crate::preprocess::quality::Threshold;
use crate::tasks::preprocess::cells_table;
use crate::tasks::quality::Quality;

/// Height of a row of the page with all plots, in points.
const ROW: f32 = 120.0;

pub(super) fn exportable(
    dataset: &Arc<Dataset>,
    quality: &Quality,
    doublets: Option<&Arc<CellDoublets>>,
) -> Exportable {
    let quality = Arc::new(quality.clone());
    let mads = quality.report.mads;
    let metadata = |title: String| {
        let mut metadata = FigureMetadata::new(title, quality.report.in_words());
        metadata.data_hash = Some(dataset.hash().to_owned());
        Box::new(metadata.with("limit in MAD", mads).with("data set", dataset.name()))
    };
    let figure = |label: &str, file: &str, draw: Draw, aspect: f32, width_mm: f32| Choice {
        label: label.to_owned(),
        name: file.to_owned(),
        content: Content::Figure { draw, aspect, width_mm, metadata: metadata(label.to_owned()) },
    };
    let shown: Vec<Threshold> =
        quality.report.thresholds.iter().filter(|threshold| !is_absent(&quality, threshold)).copied().collect();
    let all: Draw = {
        let (quality, shown) = (quality.clone(), shown.clone());
        Arc::new(move |size, theme| page(&quality, &shown).scene(size, theme).scene)
    };
    let mut choices =
        vec![figure("All plots", "quality", all, 180.0 / (rows(&shown) as f32 * ROW * 25.4 / 72.0), 180.0)];
    let scatter: Draw = {
        let quality = quality.clone();
        Arc::new(move |size, theme| cells(&quality, PRINT_TEXT_SIZE).scene(size, theme).scene)
    };
    choices.push(figure("Total counts against detected genes", "counts-and-genes", scatter, 1.2, 89.0));
    for threshold in shown {
        let quality = quality.clone();
        let draw: Draw =
            Arc::new(move |size, theme| histogram(&quality, &threshold, PRINT_TEXT_SIZE).scene(size, theme).scene);
        let label = format!("Histogram: {}", name(threshold.rule).to_lowercase());
        let file = format!("histogram-{}", name(threshold.rule).to_lowercase().replace(' ', "-"));
        choices.push(figure(&label, &file, draw, 1.5, 89.0));
    }
    if let Some(found) = doublets {
        let found = found.clone();
        let draw: Draw = Arc::new(move |size, theme| doublet_scores(&found, PRINT_TEXT_SIZE).scene(size, theme).scene);
        choices.push(figure("Histogram: doublet score", "histogram-doublet-score", draw, 1.5, 89.0));
    }
    let table = |label: &str, file: &str, make: Arc<dyn Fn() -> String + Send + Sync>| Choice {
        label: label.to_owned(),
        name: file.to_owned(),
        content: Content::Table(ExportContent::Made(TableMaker(make))),
    };
    let (found, dataset) = (quality.clone(), dataset.clone());
    let doublets = doublets.cloned();
    let make = Arc::new(move || cells_table(&dataset, &found.metrics, &found.report, doublets.as_deref()));
    choices.push(table("All cells (table)", "cells", make));
    let found = quality.clone();
    let make = Arc::new(move || Quality::groups_table("perturbation", &found.perturbations));
    choices.push(table("By perturbation (table)", "quality-by-perturbation", make));
    if !quality.batches.is_empty() {
        let make = Arc::new(move || Quality::groups_table("batch", &quality.batches));
        choices.push(table("By batch (table)", "quality-by-batch", make));
    }
    Exportable { choices }
}

/// All plots, at most three beside each other, in rows as even as can be: none is stretched over a row of its own.
fn page(quality: &Quality, shown: &[Threshold]) -> PanelsFigure {
    let mut figures: Vec<Box<dyn Figure>> = Vec::new();
    for threshold in shown {
        figures.push(Box::new(histogram(quality, threshold, PRINT_TEXT_SIZE)));
    }
    figures.push(Box::new(cells(quality, PRINT_TEXT_SIZE)));
    let (count, rows) = (figures.len(), rows(shown));
    let mut figures = figures.into_iter();
    let row = |row: usize| {
        let length = (row + 1) * count / rows - row * count / rows;
        let panels = figures.by_ref().take(length).map(|figure| Panel { figure, share: 1.0 }).collect();
        PanelRow { height: ROW, panels }
    };
    PanelsFigure { title: String::new(), rows: (0..rows).map(row).collect(), text_size: PRINT_TEXT_SIZE }
}

/// Rows of the page with these histograms and the scatter plot.
fn rows(shown: &[Threshold]) -> usize {
    (shown.len() + 1).div_ceil(3)
}
