//! Figures of a model, drawn without a window.

mod evidence;
mod page;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};

use super::arrange::Arranging;
use super::import_choices::Decisions;
use super::interactions::{self, InteractionOptions, Interactions, Pairs};
use super::look::{Known, Look, by_gene};
use super::movers;
use super::networks::OpenedNetwork;
use super::open;
use crate::data::{Dataset, EffectTable, nearest};
use crate::document::{Document, FileReference, Layout};
use crate::evaluation::{pearson, r_squared};
use crate::figures::export::{self, ExportOptions};
use crate::figures::network::{NetworkFigure, NetworkStyle, NodeColour};
use crate::figures::response::{
    HeatMapOptions, LossFigure, LossSeries, PairedBar, PairedBarsFigure, RankedGene, RankingFigure, ScatterFigure,
    ScatterPoint,
};
use crate::figures::screen::Against;
use crate::figures::{Figure, FigureMetadata, FigureTheme, Panel, PanelRow, PanelsFigure, Scene, ThemeName};
use crate::jobs::Progress;
use crate::layout::LayoutConfig;
use crate::models::{Intervention, ModelCard, PredictedEffect, Spread, TrainedModel};
use crate::network::filter::{NetworkFilter, first_view};
use crate::network::{Edge, GeneId, Grn};

pub use evidence::{describe_differential, differential};
pub use page::{Page, page};

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The network, its nodes coloured by the predicted shift where a knock-out is asked for.
    Network,
    /// Predicted against measured shifts, of one perturbation or of all.
    Response,
    /// The perturbations that shift a gene most, measured beside predicted.
    Movers,
    /// The largest predicted shifts under a knock-out.
    Effects,
    /// The course of the training.
    Training,
    /// A map of genetic interactions, or one pair against the sum of its singles.
    Interactions,
    /// Shifts of many genes under many perturbations, clustered.
    HeatMap,
    /// Cells of one perturbation as boxes, for the genes that change most.
    Cells,
    /// One gene in control, perturbed and predicted cells.
    GeneCells,
    /// Size against significance of every gene's change.
    Volcano,
    /// Mean expression against the size of every gene's change.
    MeanChange,
}

/// A figure to draw.
#[derive(Clone, Debug)]
pub struct FigureRequest {
    /// What.
    pub view: View,
    /// Which genes and edges; none for a readable number.
    pub filter: Option<NetworkFilter>,
    /// The data set of the views of cells and tests, and in whose cells interactions are measured; without it they are only predicted.
    pub dataset: Option<Arc<Dataset>>,
    /// What the heat map shows.
    pub heat_map: HeatMapOptions,
    /// The perturbation of the response view, or the pair of the interactions view; none for all together.
    pub perturbation: Option<String>,
    /// The gene of the movers view, or of the view of one gene's cells.
    pub gene: Option<String>,
    /// Every two of the perturbed genes in the interactions view.
    pub all_pairs: bool,
    /// The knock-out of the network and effects views.
    pub knock_out: Option<Intervention>,
    /// Genes to point out.
    pub highlight: Vec<String>,
    /// Colours.
    pub theme: ThemeName,
    /// Width over height; none for what suits the view.
    pub aspect: Option<f32>,
    /// Font size in points.
    pub text_size: f32,
    /// How the network is laid out.
    pub layout: Layout,
    /// Seed of the network's layout.
    pub seed: u64,
}

impl FigureRequest {
    /// `view` with everything else as usual: for print, in 7 point letters.
    pub fn new(view: View) -> Self {
        Self {
            view,
            filter: None,
            dataset: None,
            heat_map: HeatMapOptions::default(),
            perturbation: None,
            gene: None,
            all_pairs: false,
            knock_out: None,
            highlight: Vec::new(),
            theme: ThemeName::Paper,
            aspect: None,
            text_size: 7.0,
            layout: Layout::default(),
            seed: LayoutConfig::default().seed,
        }
    }
}

/// Draw `request` in the size that `options` give it.
///
/// # Errors
/// If a gene or perturbation is unknown (the nearest names are told), if the view needs a knock-out and none is given, or
/// if there is nothing to draw.
pub fn draw(
    opened: &OpenedNetwork,
    request: &FigureRequest,
    options: &ExportOptions,
    progress: &dyn Progress,
) -> anyhow::Result<(Scene, FigureMetadata)> {
    progress.stage("Drawing", None);
    let theme = FigureTheme::of(request.theme);
    let size = |usual: f32| options.scene_size(request.aspect.unwrap_or(usual));
    let (scene, mut metadata) = match request.view {
        View::Network => network(opened, request, size(4.0 / 3.0), &theme, progress)?,
        View::Response => response(opened.need_model()?, request, size, &theme)?,
        View::Movers => movers(opened.need_model()?, request, size(0.9), &theme)?,
        View::Effects => effects(opened.need_model()?, request, size(0.9), &theme, progress)?,
        View::Interactions => interactions(opened.need_model()?, request, size, &theme, progress)?,
        View::Training => training(opened.need_model()?, request, size(1.6), &theme)?,
        View::HeatMap => evidence::draw_heat_map(opened.need_model()?, request, size(1.3), &theme, progress)?,
        View::Cells => evidence::draw_boxes(opened.need_model()?, request, size(0.8), &theme, progress)?,
        View::GeneCells => evidence::draw_gene_cells(opened.need_model()?, request, size(1.2), &theme, progress)?,
        View::Volcano => evidence::draw_differential(Against::Significance, request, size(1.1), &theme, progress)?,
        View::MeanChange => evidence::draw_differential(Against::Mean, request, size(1.1), &theme, progress)?,
    };
    if let Some(model) = &opened.model {
        metadata = learned(metadata, model.card());
    }
    Ok((scene, metadata))
}

/// The data set of `document`, in `file`, read as the document says, to be laid beside `model`.
///
/// # Errors
/// If it cannot be read.
fn dataset_of(
    document: &Document,
    file: &FileReference,
    model: &TrainedModel,
    progress: &dyn Progress,
) -> anyhow::Result<Arc<Dataset>> {
    let decisions = Decisions { options: document.sources.import.clone(), ..Decisions::default() };
    open::decided_for(model, &file.path, &decisions, progress)
        .with_context(|| format!("the data set {} cannot be read", file.path.display()))
}

/// What every figure of a model says of how it was learned.
pub fn learned(mut metadata: FigureMetadata, card: &ModelCard) -> FigureMetadata {
    metadata.data_hash = Some(card.dataset.hash.clone());
    metadata.with("seed of the training", card.settings.seed)
}

/// Draw `request` and write it; the ending of `path` decides the format. The file appears whole or not at all.
///
/// # Errors
/// As [`draw`], and if the format is unknown or the file cannot be written.
pub fn write(
    opened: &OpenedNetwork,
    hash: &str,
    request: &FigureRequest,
    options: &ExportOptions,
    path: &Path,
    progress: &dyn Progress,
) -> anyhow::Result<()> {
    export::Format::of(path)?;
    let (scene, mut metadata) = draw(opened, request, options, progress)?;
    match opened.model {
        Some(_) => metadata.model_hash = Some(hash.to_owned()),
        None => metadata = metadata.with("network file", format!("{}, BLAKE3 {hash}", opened.name)),
    }
    progress.check()?;
    export::write(&scene, &metadata, options, path)?;
    Ok(())
}

fn network(
    opened: &OpenedNetwork,
    request: &FigureRequest,
    size: [f32; 2],
    theme: &FigureTheme,
    progress: &dyn Progress,
) -> anyhow::Result<(Scene, FigureMetadata)> {
    let grn = &opened.grn;
    let filter = request.filter.clone().unwrap_or_else(|| first_view(grn));
    let view = filter.apply(grn);
    if view.edge_count() == 0 {
        bail!("no edge is left to draw ({}); loosen the filter", filter.describe());
    }
    let mut style =
        NetworkStyle { text_size: request.text_size, members_keep: view.members_keep(), ..NetworkStyle::default() };
    if opened.model.is_none() {
        // As the file says, where it says something.
        let mut document = Document::default();
        opened.begin(&mut document);
        let edges: Vec<&Edge> = view.edges().collect();
        let known = Known { file: Some(&opened.look), ..Known::default() };
        Look::of(&document.style, grn, &edges, &known).dress(&mut style);
    }
    style.selected = request.highlight.iter().map(|gene| find(grn, gene)).collect::<anyhow::Result<_>>()?;
    let mut asked = None;
    if let Some(knock_out) = &request.knock_out {
        let model = opened.need_model()?;
        let effect = model.predict(knock_out, progress)?;
        asked = Some(effect.label());
        // A gene beside the network has no node to mark; the model answered for it all the same.
        style.knocked_out = knock_out.doses().iter().filter_map(|(gene, _)| grn.find(gene)).collect();
        style.colour = NodeColour::Shift {
            values: by_gene(grn, &model.card().genes, &effect.shifts),
            limit: None,
            label: format!("Predicted shift, {} (log2)", effect.label()),
        };
    }
    let genes = view.genes();
    let mut arranging = Arranging::fresh(grn, view.edges(), request.layout.clone());
    arranging.config = LayoutConfig { seed: request.seed, aspect: size[0] / size[1], ..LayoutConfig::default() };
    if let Some(gene) = &request.layout.centre {
        find(grn, gene)?;
    }
    if request.layout == Layout::default() {
        arranging.start = grn.genes().iter().map(|gene| opened.positions.get(&gene.symbol).copied()).collect();
    }
    let positions = arranging.by_gene(&arranging.run(progress, &mut |_| {})?);
    let figure = NetworkFigure::of(grn, view.edges(), &positions, &style);
    let scene = figure.scene(size, &figure.fit(size), theme).scene;
    let description = format!("{} edges of {}, between {} genes", view.edge_count(), opened.words(), genes.len());
    let mut metadata = FigureMetadata::new("Gene regulatory network", description)
        .with("layout", request.layout.describe())
        .with("layout seed", request.seed)
        .with("edges", filter.describe());
    if let Some(asked) = asked {
        metadata = metadata.with("knock-out", asked);
    }
    Ok((scene, metadata))
}

/// Measured shifts to compare with, and what they are: held-out cells where there are any.
fn observed(model: &TrainedModel) -> anyhow::Result<(&EffectTable, &'static str)> {
    for (table, which) in
        [(model.observed_held_out(), "held-out cells"), (model.observed_in_training(), "training cells")]
    {
        if !table.perturbations.is_empty() {
            return Ok((table, which));
        }
    }
    bail!("the model file has no measured shifts to compare with")
}

/// Predicted against measured shift of every gene under `perturbation` (the perturbed genes left out), or of the 20 genes with the largest measured
/// shift of every perturbation.
fn scatter(
    model: &TrainedModel,
    perturbation: Option<&str>,
    highlight: &[String],
    text_size: f32,
) -> anyhow::Result<ScatterFigure> {
    let (observed, which) = observed(model)?;
    let predicted = model.predicted();
    let highlighted = |gene: &str| highlight.iter().any(|wanted| wanted == gene);
    let (title, points, labels) = match perturbation {
        None => {
            let mut points = Vec::new();
            for (row, name) in observed.perturbations.iter().enumerate() {
                let Some(own) = predicted.find(name) else { continue };
                let shifts = observed.row(row);
                let widths = half_widths(model, own);
                let mut genes = others(observed, name);
                genes.sort_by(|&a, &b| shifts[b].abs().total_cmp(&shifts[a].abs()));
                points.extend(genes.into_iter().take(20).map(|gene| ScatterPoint {
                    x: shifts[gene],
                    y: predicted.row(own)[gene],
                    half_width: widths.as_ref().map(|widths| widths[gene]),
                    label: format!("{} in {name}", observed.genes[gene]),
                    highlighted: highlighted(&observed.genes[gene]),
                }));
            }
            (format!("Top 20 genes of {} perturbations", observed.perturbations.len()), points, 6)
        }
        Some(wanted) => {
            let (row, own) = rows(observed, predicted, wanted)?;
            let widths = half_widths(model, own);
            let points = others(observed, wanted).into_iter().map(|gene| ScatterPoint {
                x: observed.row(row)[gene],
                y: predicted.row(own)[gene],
                half_width: widths.as_ref().map(|widths| widths[gene]),
                label: observed.genes[gene].clone(),
                highlighted: highlighted(&observed.genes[gene]),
            });
            (format!("{wanted}, {} cells", observed.cells[row]), points.collect(), 10)
        }
    };
    let (x, y): (Vec<f32>, Vec<f32>) = points.iter().map(|point| (point.x, point.y)).unzip();
    let number = |value: Option<f64>| value.map_or("not defined".to_owned(), |value| format!("{value:.2}"));
    let mut statistics = vec![
        format!("r = {}", number(pearson(&y, &x))),
        format!("R² = {}", number(r_squared(&y, &x))),
        format!("{} points", points.len()),
    ];
    statistics.extend(model.spread_of(0).map(|spread| format!("lines: {}", spread.label())));
    let (x_label, y_label) = (format!("Observed shift (log2, {which})"), "Predicted shift (log2)".to_owned());
    Ok(ScatterFigure { title, x_label, y_label, points, statistics, labels, text_size, ..ScatterFigure::default() })
}

/// The 20 genes with the largest measured shifts under `perturbation`, measured beside predicted.
fn shifts(
    model: &TrainedModel,
    perturbation: &str,
    highlight: &[String],
    text_size: f32,
) -> anyhow::Result<PairedBarsFigure> {
    let (observed, _) = observed(model)?;
    let predicted = model.predicted();
    let (row, own) = rows(observed, predicted, perturbation)?;
    let widths = half_widths(model, own);
    let bars = others(observed, perturbation).into_iter().map(|gene| PairedBar {
        label: observed.genes[gene].clone(),
        observed: observed.row(row)[gene],
        predicted: predicted.row(own)[gene],
        half_width: widths.as_ref().map(|widths| widths[gene]),
        highlighted: highlight.contains(&observed.genes[gene]),
    });
    Ok(PairedBarsFigure {
        x_label: "Shift (log2)".to_owned(),
        interval: model.spread_of(own).map(|spread| spread.label()).unwrap_or_default(),
        text_size,
        ..PairedBarsFigure::of_largest(bars.collect(), 20)
    })
}

/// Half the widths of the intervals of a row of the predicted shifts, by gene; none for a single model.
fn half_widths(model: &TrainedModel, row: usize) -> Option<Vec<f32>> {
    model.spread_of(row).map(|spread| spread.half_widths())
}

/// The columns of the genes that `perturbation` does not perturb itself.
fn others(observed: &EffectTable, perturbation: &str) -> Vec<usize> {
    let targets: Vec<&str> = perturbation.split('+').collect();
    (0..observed.genes.len()).filter(|&gene| !targets.contains(&observed.genes[gene].as_str())).collect()
}

/// The rows of `perturbation` in both tables.
fn rows(observed: &EffectTable, predicted: &EffectTable, perturbation: &str) -> anyhow::Result<(usize, usize)> {
    let find = |what: &str, table: &EffectTable| {
        table.find(perturbation).with_context(|| unknown(what, perturbation, &table.perturbations))
    };
    Ok((find("measured perturbation", observed)?, find("predicted perturbation", predicted)?))
}

fn response(
    model: &TrainedModel,
    request: &FigureRequest,
    size: impl Fn(f32) -> [f32; 2],
    theme: &FigureTheme,
) -> anyhow::Result<(Scene, FigureMetadata)> {
    let (_, which) = observed(model)?;
    let scatter = scatter(model, request.perturbation.as_deref(), &request.highlight, request.text_size)?;
    let Some(wanted) = &request.perturbation else {
        let metadata = FigureMetadata::new(
            "Predicted against observed shifts",
            format!("The 20 genes with the largest observed shift of each perturbation, measured on {which}"),
        );
        return Ok((scatter.scene(size(1.1), theme).scene, metadata));
    };
    let bars = shifts(model, wanted, &request.highlight, request.text_size)?;
    let size = size(1.9);
    let page = PanelsFigure {
        title: String::new(),
        rows: vec![PanelRow {
            height: size[1],
            panels: vec![
                Panel { figure: Box::new(scatter), share: 1.0 },
                Panel { figure: Box::new(bars), share: 0.85 },
            ],
        }],
        text_size: request.text_size,
    };
    let metadata = FigureMetadata::new(
        format!("Response to {wanted}"),
        format!(
            "Predicted against observed shift of every gene under {wanted}, measured on {which}; the perturbed genes are left out"
        ),
    );
    Ok((page.scene(size, theme).scene, metadata))
}

/// The genes with the largest shifts of `effect`.
fn ranking(model: &TrainedModel, effect: &PredictedEffect, highlight: &[String], text_size: f32) -> RankingFigure {
    let widths = effect.spread.as_ref().map(Spread::half_widths);
    let genes = model.card().genes.iter().zip(&effect.shifts).enumerate().map(|(at, (gene, &shift))| RankedGene {
        label: gene.clone(),
        shift,
        half_width: widths.as_ref().map(|widths| widths[at]),
        highlighted: highlight.contains(gene),
    });
    RankingFigure {
        title: format!("Predicted response to {}", effect.label()),
        x_label: "Predicted shift (log2)".to_owned(),
        interval: effect.spread.as_ref().map(Spread::label).unwrap_or_default(),
        text_size,
        ..RankingFigure::of_extremes(genes.collect(), 15)
    }
}

fn movers(
    model: &TrainedModel,
    request: &FigureRequest,
    size: [f32; 2],
    theme: &FigureTheme,
) -> anyhow::Result<(Scene, FigureMetadata)> {
    let Some(gene) = &request.gene else { bail!("this view needs a gene: --gene GENE") };
    let genes = &model.card().genes;
    if !genes.contains(gene) {
        bail!("{}", unknown("measured gene", gene, genes));
    }
    let figure = movers::figure(model, gene, &request.highlight, request.text_size)?;
    let metadata = FigureMetadata::new(figure.title.clone(), movers::describe(gene));
    Ok((figure.scene(size, theme).scene, metadata.with("gene", gene)))
}

/// Interactions of the pairs in the screen, measured in `dataset` where it is at hand; of `all` pairs that the model predicts where that
/// is asked for or the screen has none.
fn pairs_of(
    model: &TrainedModel,
    dataset: Option<&Arc<Dataset>>,
    all: bool,
    progress: &dyn Progress,
) -> anyhow::Result<Interactions> {
    let in_screen = interactions::has_pairs(dataset.map(|dataset| &**dataset), Some(model));
    let pairs = if all || !in_screen { Pairs::All } else { Pairs::InScreen };
    let options = InteractionOptions { pairs, ..InteractionOptions::default() };
    interactions::interactions(dataset, Some(model), &options, progress)
}

fn interactions(
    model: &TrainedModel,
    request: &FigureRequest,
    size: impl Fn(f32) -> [f32; 2],
    theme: &FigureTheme,
    progress: &dyn Progress,
) -> anyhow::Result<(Scene, FigureMetadata)> {
    let found = pairs_of(model, request.dataset.as_ref(), request.all_pairs, progress)?;
    let notes = found.notes.join(" ");
    let Some(wanted) = &request.perturbation else {
        let (map, _) = interactions::map(&found, None, request.text_size);
        let metadata = FigureMetadata::new("Genetic interactions", found.describe()).with("notes", notes);
        return Ok((map.scene(size(0.86), theme).scene, metadata));
    };
    let names: Vec<String> = found.pairs.iter().map(interactions::PairInteraction::name).collect();
    let pair = found.find(wanted).with_context(|| unknown("pair", wanted, &names))?;
    let plots: Vec<Panel> = [false, true]
        .into_iter()
        .filter_map(|predicted| interactions::pair_scatter(&found, pair, predicted, request.text_size))
        .map(|figure| Panel { figure: Box::new(figure), share: 1.0 })
        .collect();
    let size = size(if plots.len() > 1 { 2.0 } else { 1.05 });
    let rows = vec![PanelRow { height: size[1], panels: plots }];
    let page = PanelsFigure { title: String::new(), rows, text_size: request.text_size };
    let metadata = FigureMetadata::new(
        format!("Interaction of {wanted}"),
        "Shift of every gene under the pair against the sum of its singles; the perturbed genes are left out",
    );
    Ok((page.scene(size, theme).scene, metadata.with("notes", notes)))
}

fn effects(
    model: &TrainedModel,
    request: &FigureRequest,
    size: [f32; 2],
    theme: &FigureTheme,
    progress: &dyn Progress,
) -> anyhow::Result<(Scene, FigureMetadata)> {
    let Some(knock_out) = &request.knock_out else { bail!("this view needs a knock-out: --knock-out GENE") };
    let effect = model.predict(knock_out, progress)?;
    let figure = ranking(model, &effect, &request.highlight, request.text_size);
    let metadata = FigureMetadata::new(
        figure.title.clone(),
        format!("The genes with the largest predicted shifts under perturbation of {}", effect.label()),
    );
    Ok((figure.scene(size, theme).scene, metadata.with("knock-out", effect.label())))
}

fn training(
    model: &TrainedModel,
    request: &FigureRequest,
    size: [f32; 2],
    theme: &FigureTheme,
) -> anyhow::Result<(Scene, FigureMetadata)> {
    let figure = losses(model, request.text_size)?;
    let description = format!("Loss after each epoch; {}", model.card().ended);
    let metadata = FigureMetadata::new("Course of the training", description);
    Ok((figure.scene(size, theme).scene, metadata))
}

/// Loss after each epoch.
fn losses(model: &TrainedModel, text_size: f32) -> anyhow::Result<LossFigure> {
    let card = model.card();
    if card.history.is_empty() {
        bail!("the model file has no history of its training");
    }
    let points = |of: fn(&crate::models::EpochMetrics) -> f64| {
        card.history.iter().map(|epoch| [epoch.epoch as f32, of(epoch) as f32]).collect()
    };
    Ok(LossFigure {
        y_label: match card.members.len() {
            0 => "Loss".to_owned(),
            count => format!("Loss, first of {count} members"),
        },
        series: vec![LossSeries {
            name: "Total".to_owned(),
            train: points(|epoch| epoch.training.total),
            validation: points(|epoch| epoch.validation.total),
        }],
        best_epoch: Some(card.best_epoch as f32),
        text_size,
        ..LossFigure::default()
    })
}

fn find(grn: &Grn, gene: &str) -> anyhow::Result<GeneId> {
    let symbols: Vec<String> = grn.genes().iter().map(|gene| gene.symbol.clone()).collect();
    grn.find(gene).with_context(|| unknown("gene of the network", gene, &symbols))
}

/// `there is no measured perturbation STAT; did you mean STAT1?`.
fn unknown(what: &str, name: &str, names: &[String]) -> String {
    let nearest = nearest(name, names.iter().map(String::as_str), 3);
    let hint = if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", nearest.join(", ")) };
    format!("there is no {what} {name}{hint}")
}
