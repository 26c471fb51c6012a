//! Figures of what speaks for a prediction: cells behind a response, tests of all genes, all perturbations at a glance.

use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::{FigureRequest, observed, rows, unknown};
use crate::data::{Dataset, Perturbation};
use crate::evaluation::effects::{EffectOptions, compare};
use crate::figures::response::{BoxesFigure, GeneCellsFigure, HeatMapFigure, HeatMapOptions};
use crate::figures::screen::{Against, VolcanoFigure, VolcanoPoint};
use crate::figures::{Figure as _, FigureMetadata, FigureTheme, Scene};
use crate::jobs::{Cancelled, Progress};
use crate::models::TrainedModel;
use crate::models::baselines::{self, Baseline};
use crate::preprocess::differential::Test;
use crate::tasks::cell_response::{CellResponse, Prediction, Truth, cell_response};
use crate::tasks::heat_map;
use crate::tasks::preprocess::{TestedGroup, test_perturbation};

/// The heat map of a model's shifts.
pub(super) fn heat_map(
    model: &TrainedModel,
    options: HeatMapOptions,
    highlight: &[String],
    text_size: f32,
    progress: &dyn Progress,
) -> anyhow::Result<HeatMapFigure> {
    let (observed, _) = observed(model)?;
    let figure = heat_map::heat_map(observed, model.predicted(), options, progress)?;
    if figure.rows.is_empty() {
        bail!("the model predicts none of the measured perturbations");
    }
    Ok(HeatMapFigure { highlighted: highlight.to_vec(), text_size, ..figure })
}

/// What a heat map shows, in words.
pub(super) fn describe_heat_map(model: &TrainedModel, figure: &HeatMapFigure) -> anyhow::Result<String> {
    let (_, which) = observed(model)?;
    Ok(format!(
        "shifts of the {} genes that vary most under the {} perturbations with the largest ones, observed over {which}, ordered \
         by average linkage on correlation distance",
        figure.columns.len(),
        figure.rows.len()
    ))
}

pub(super) fn draw_heat_map(
    model: &TrainedModel,
    request: &FigureRequest,
    size: [f32; 2],
    theme: &FigureTheme,
    progress: &dyn Progress,
) -> anyhow::Result<(Scene, FigureMetadata)> {
    let figure = heat_map(model, request.heat_map, &request.highlight, request.text_size, progress)?;
    let metadata = FigureMetadata::new("Heat map of shifts", describe_heat_map(model, &figure)?)
        .with("shifts", request.heat_map.shifts.label().to_lowercase());
    Ok((figure.scene(size, theme).scene, metadata))
}

/// The baseline with the highest R² against the measured shifts of `perturbation`, as the response view marks it.
fn best_baseline(
    model: &TrainedModel,
    perturbation: &str,
    truth: Truth,
    progress: &dyn Progress,
) -> Result<Option<Baseline>, Cancelled> {
    let held_out = truth == Truth::HeldOut;
    let measured = if held_out { model.observed_held_out() } else { model.observed_in_training() };
    let Some(row) = measured.find(perturbation) else { return Ok(None) };
    let measured = measured.part(&[row]);
    let question = [Perturbation::of(perturbation.split('+'))];
    let answers = baselines::effects::all(model.training_shifts(), &question, progress)?.into_iter();
    // Against the training cells it would be the truth itself.
    let others = answers.filter(|answer| held_out || !answer.kind.is_the_measurement());
    let fit = |answer: Baseline| {
        let compared = compare(&answer.effects, &measured, EffectOptions::default());
        Some((compared.per_perturbation.first()?.r_squared?, answer))
    };
    Ok(others.filter_map(fit).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, answer)| answer))
}

/// Boxes of the cells of the genes with the largest measured shifts, with the model and the best baseline marked.
pub(super) fn boxes(
    model: &TrainedModel,
    found: &CellResponse,
    highlight: &[String],
    text_size: f32,
    progress: &dyn Progress,
) -> anyhow::Result<BoxesFigure> {
    let measured = match found.truth {
        Truth::HeldOut => model.observed_held_out(),
        Truth::Training => model.observed_in_training(),
    };
    let (row, own) = rows(measured, model.predicted(), &found.perturbation)?;
    let genes = found.top_genes(&measured.genes, measured.row(row));
    let baseline = best_baseline(model, &found.perturbation, found.truth, progress)?;
    let of_model = Prediction {
        label: "predicted mean".to_owned(),
        of_model: true,
        genes: &model.predicted().genes,
        shifts: model.predicted().row(own),
    };
    let others = baseline.iter().map(|answer| Prediction {
        label: answer.kind.label().to_lowercase(),
        of_model: false,
        genes: &answer.effects.genes,
        shifts: answer.effects.row(0),
    });
    let predictions: Vec<Prediction<'_>> = std::iter::once(of_model).chain(others).collect();
    Ok(BoxesFigure { text_size, ..found.boxes(&genes, &predictions, highlight) })
}

/// How `gene` is spread over the cells.
pub(super) fn gene_cells(found: &CellResponse, gene: &str, text_size: f32) -> anyhow::Result<GeneCellsFigure> {
    let figure = found.gene_cells(gene).with_context(|| unknown("measured gene", gene, &found.genes))?;
    Ok(GeneCellsFigure { text_size, ..figure })
}

fn dataset(request: &FigureRequest) -> anyhow::Result<&Arc<Dataset>> {
    request.dataset.as_ref().context("this view needs the data set that the model was trained on: --data FILE")
}

fn perturbation(request: &FigureRequest) -> anyhow::Result<&str> {
    request.perturbation.as_deref().context("this view needs a perturbation: --perturbation NAME")
}

pub(super) fn draw_boxes(
    model: &TrainedModel,
    request: &FigureRequest,
    size: [f32; 2],
    theme: &FigureTheme,
    progress: &dyn Progress,
) -> anyhow::Result<(Scene, FigureMetadata)> {
    let found = cell_response(dataset(request)?, model, perturbation(request)?, progress)?;
    let figure = boxes(model, &found, &request.highlight, request.text_size, progress)?;
    let metadata = FigureMetadata::new(format!("Cells with {}", found.perturbation), found.describe());
    Ok((figure.scene(size, theme).scene, metadata))
}

pub(super) fn draw_gene_cells(
    model: &TrainedModel,
    request: &FigureRequest,
    size: [f32; 2],
    theme: &FigureTheme,
    progress: &dyn Progress,
) -> anyhow::Result<(Scene, FigureMetadata)> {
    let gene = request.gene.as_deref().context("this view needs a gene: --gene GENE")?;
    let found = cell_response(dataset(request)?, model, perturbation(request)?, progress)?;
    let figure = gene_cells(&found, gene, request.text_size)?;
    let metadata = FigureMetadata::new(figure.title.clone(), found.describe()).with("gene", gene);
    Ok((figure.scene(size, theme).scene, metadata))
}

/// A volcano or MA plot of `found`.
pub fn differential(
    found: &TestedGroup,
    against: Against,
    [least_change, level]: [f64; 2],
    selection: &[String],
    text_size: f32,
) -> VolcanoFigure {
    let table = &found.table;
    let selected: std::collections::HashSet<&String> = selection.iter().collect();
    let point = |(at, gene): (usize, &String)| VolcanoPoint {
        label: gene.clone(),
        change: table.log_fold_changes[at],
        p: table.adjusted_p_values[at],
        mean: found.means[at],
        target: found.targets.contains(gene),
        highlighted: selected.contains(gene),
    };
    VolcanoFigure {
        against,
        points: found.genes.iter().enumerate().map(point).collect(),
        least_change: least_change as f32,
        level,
        labels: 16,
        text_size,
        ..VolcanoFigure::default()
    }
}

/// What a volcano or MA plot says of itself.
pub fn describe_differential(figure: &VolcanoFigure, found: &TestedGroup, dataset: &Dataset) -> FigureMetadata {
    let name = &found.perturbation;
    let description = format!(
        "Change of every gene in {} cells with {name} against {} control cells",
        found.cells, found.control_cells
    );
    let mut metadata = FigureMetadata::new(format!("{} of {name}", figure.against.label()), description)
        .with("test", found.test.label())
        .with("least |log2 fold change|", figure.least_change)
        .with("adjusted p below", figure.level);
    metadata.data_hash = Some(dataset.hash().to_owned());
    metadata
}

pub(super) fn draw_differential(
    against: Against,
    request: &FigureRequest,
    size: [f32; 2],
    theme: &FigureTheme,
    progress: &dyn Progress,
) -> anyhow::Result<(Scene, FigureMetadata)> {
    let (dataset, wanted) = (dataset(request)?, perturbation(request)?);
    let (figure, metadata) = tested(dataset, wanted, against, &request.highlight, request.text_size, progress)?;
    Ok((figure.scene(size, theme).scene, metadata))
}

/// A volcano or MA plot of the cells with the perturbation called `wanted`, at the usual test and limits.
pub(super) fn tested(
    dataset: &Arc<Dataset>,
    wanted: &str,
    against: Against,
    highlight: &[String],
    text_size: f32,
    progress: &dyn Progress,
) -> anyhow::Result<(VolcanoFigure, FigureMetadata)> {
    let names: Vec<String> = dataset.perturbations().iter().map(Perturbation::name).collect();
    let index = names.iter().position(|name| name == wanted);
    let index = index.with_context(|| unknown("perturbation of the data set", wanted, &names))?;
    let found = test_perturbation(dataset, index, Test::default(), progress)?;
    let limits = [f64::from(VolcanoFigure::default().least_change), VolcanoFigure::default().level];
    let mut figure = differential(&found, against, limits, highlight, text_size);
    figure.title.clone_from(&found.perturbation);
    let metadata = describe_differential(&figure, &found, dataset);
    Ok((figure, metadata))
}
