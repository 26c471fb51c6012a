//! The figure for the paper: the panels of the document on one page, the same in the window and without one.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::bail;

use super::{evidence, find, learned, losses, observed, ranking, scatter, shifts};
use crate::data::Dataset;
use crate::document::{Document, EdgeAttribute, PagePanel};
use crate::figures::network::{NetworkFigure, NetworkStyle};
use crate::figures::screen::Against;
use crate::figures::svg::POINTS_PER_MM;
use crate::figures::{Figure, FigureMetadata, FigureTheme, NetworkPanel, Panel, PanelRow, PanelsFigure, Scene};
use crate::jobs::Progress;
use crate::models::{PredictedEffect, TrainedModel};
use crate::network::{Edge, GeneId};
use crate::tasks::arrange::Arranging;
use crate::tasks::cell_response::{CellResponse, cell_response};
use crate::tasks::compare;
use crate::tasks::edge_tests::EdgeTests;
use crate::tasks::interactions::{Interactions, has_pairs, map};
use crate::tasks::look::{self, Known, Look};
use crate::tasks::movers;
use crate::tasks::networks::OpenedNetwork;

/// A page that was drawn.
#[derive(Clone, Debug)]
pub struct Page {
    /// In points.
    pub scene: Scene,
    /// How it was made.
    pub metadata: FigureMetadata,
    /// Panels that have nothing to show, and why.
    pub left_out: Vec<(PagePanel, String)>,
}

/// Draw the page of `document` for its network, `opened`. `effect` is the answer to the document's knock-out; without it a knock-out is not drawn. `other` is
/// the network that the document compares with.
///
/// # Errors
/// If no panel has anything to show, a gene is unknown, or the work was cancelled.
pub fn page(
    document: &Document,
    opened: &OpenedNetwork,
    other: Option<&OpenedNetwork>,
    effect: Option<&PredictedEffect>,
    progress: &dyn Progress,
) -> anyhow::Result<Page> {
    let page = &document.page;
    let (mut drawn, mut left_out): (Vec<(PagePanel, Box<dyn Figure>, String)>, _) = (Vec::new(), Vec::new());
    let effect = effect.filter(|_| !document.knock_out.is_empty());
    let cells = Cells { document, opened, dataset: OnceCell::new(), found: OnceCell::new() };
    for &panel in &page.panels {
        progress.check()?;
        match figure(panel, document, opened, other, effect, &cells, progress) {
            Ok((figure, words)) => drawn.push((panel, figure, words)),
            Err(error) if error.is::<crate::jobs::Cancelled>() => return Err(error),
            Err(error) => left_out.push((panel, format!("{error:#}"))),
        }
    }
    if drawn.is_empty() {
        match left_out.first() {
            Some((panel, reason)) => bail!("{}: {reason}", panel.label().to_lowercase()),
            None => bail!("the page has no panels"),
        }
    }
    // So that no letter touches the edge.
    let margin = page.text_size * 0.6;
    let width = page.width_mm * POINTS_PER_MM - 2.0 * margin;
    let mut description = Vec::new();
    let mut rows: Vec<PanelRow> = Vec::new();
    let columns = page.columns.clamp(1, 3);
    let count = drawn.len();
    for (at, (panel, figure, words)) in drawn.into_iter().enumerate() {
        let letter = char::from(b'a' + (at % 26) as u8);
        description.push(format!("{letter}, {words}"));
        if at % columns == 0 {
            rows.push(PanelRow { height: 0.0, panels: Vec::new() });
        }
        // The last row may have fewer panels, which are wider then.
        let beside = columns.min(count - at / columns * columns);
        let height = width / beside as f32 * proportion(panel, beside);
        if let Some(row) = rows.last_mut() {
            row.height = row.height.max(height);
            row.panels.push(Panel { figure, share: if panel == PagePanel::Network { 1.25 } else { 1.0 } });
        }
    }
    let panels = PanelsFigure { title: String::new(), rows, text_size: page.text_size };
    let size = [width, panels.height()];
    let theme = FigureTheme::of(page.theme);
    let whole = [size[0] + 2.0 * margin, size[1] + 2.0 * margin];
    let mut scene = Scene { size: whole, background: Some(theme.background), layers: Vec::new() };
    scene.place(panels.scene(size, &theme).scene, [margin, margin], "");
    let mut metadata = FigureMetadata::new("Gene regulatory network and response", description.join("; "));
    if let Some(model) = &opened.model {
        let card = model.card();
        metadata = learned(metadata.with("data set", &card.dataset.name), card);
    }
    if let (None, Some(file)) = (&opened.model, &document.sources.network) {
        metadata = metadata.with("network file", format!("{}, BLAKE3 {}", opened.name, file.hash));
    }
    let mut metadata = metadata
        .with("edges", document.filter.describe())
        .with("layout", document.layout.describe())
        .with("style", document.style.describe())
        .with("width in mm", page.width_mm)
        .with("text in points", page.text_size);
    let attached = [
        ("reference network", document.sources.reference.as_ref()),
        ("names of genes", document.sources.gene_names.as_ref().filter(|_| document.sources.reference.is_some())),
        ("table of genes", document.sources.gene_table.as_ref().filter(|_| look::wants_table(&document.style))),
    ];
    for (name, file) in attached {
        if let Some(file) = file {
            let of = file.path.file_name().unwrap_or_default().to_string_lossy();
            metadata = metadata.with(name, format!("{of}, BLAKE3 {}", file.hash));
        }
    }
    if let Some(paths) = &document.paths {
        metadata = metadata.with("paths pointed out", format!("from {} to {}", paths.from, paths.to));
    }
    if let (Some(_), Some(file)) = (&document.comparing, compare::source(document)) {
        metadata = metadata.with("compared with", format!("{}, BLAKE3 {}", compare::names(document)[1], file.hash));
    }
    if let Some(effect) = effect {
        metadata = metadata.with("knock-out", effect.label());
    }
    metadata.model_hash = document.sources.model.as_ref().map(|file| file.hash.clone());
    Ok(Page { scene, metadata, left_out })
}

/// The cells of the page's perturbation, read and looked at once for all panels that show them.
struct Cells<'a> {
    document: &'a Document,
    opened: &'a OpenedNetwork,
    dataset: OnceCell<Arc<Dataset>>,
    found: OnceCell<CellResponse>,
}

impl Cells<'_> {
    fn get(&self, progress: &dyn Progress) -> anyhow::Result<&CellResponse> {
        if let Some(found) = self.found.get() {
            return Ok(found);
        }
        let found = cell_response(self.dataset(progress)?, self.opened.need_model()?, &self.perturbation()?, progress)?;
        Ok(self.found.get_or_init(|| found))
    }

    fn dataset(&self, progress: &dyn Progress) -> anyhow::Result<&Arc<Dataset>> {
        if let Some(found) = self.dataset.get() {
            return Ok(found);
        }
        let model = self.opened.need_model()?;
        let Some(file) = &self.document.sources.dataset else {
            bail!("the cells are in the data set that the model was trained on; open it beside the model");
        };
        let found = super::dataset_of(self.document, file, model, progress)?;
        Ok(self.dataset.get_or_init(|| found))
    }

    /// The perturbation of the page, or the strongest.
    fn perturbation(&self) -> anyhow::Result<String> {
        match &self.document.page.perturbation {
            Some(name) => Ok(name.clone()),
            None => strongest(self.opened.need_model()?),
        }
    }

    fn interactions(&self, progress: &dyn Progress) -> anyhow::Result<Interactions> {
        let model = self.opened.need_model()?;
        let dataset = match &self.document.sources.dataset {
            Some(_) => Some(self.dataset(progress)?),
            None => None,
        };
        if !has_pairs(dataset.map(|dataset| &**dataset), Some(model)) {
            bail!(
                "the screen perturbed no two genes together; the page \"Interactions\" predicts pairs and exports their map"
            );
        }
        super::pairs_of(model, dataset, false, progress)
    }
}

/// Height over width that suits a panel with others beside it.
fn proportion(panel: PagePanel, beside: usize) -> f32 {
    match (panel, beside) {
        (PagePanel::Comparison, 1) => 0.58,
        (PagePanel::Comparison, _) => 1.3,
        (PagePanel::Network, 1) => 0.75,
        (PagePanel::Network, _) => 1.0,
        (PagePanel::Scatter, 1) => 0.7,
        (PagePanel::Scatter, _) => 0.95,
        (PagePanel::Shifts | PagePanel::Movers | PagePanel::Effects, 1) => 0.55,
        (PagePanel::Shifts | PagePanel::Movers | PagePanel::Effects, _) => 0.95,
        (PagePanel::HeatMap, 1) => 0.75,
        (PagePanel::HeatMap, _) => 0.95,
        (PagePanel::Cells, _) => 1.15,
        (PagePanel::GeneCells, 1) => 0.55,
        (PagePanel::GeneCells, _) => 0.85,
        (PagePanel::Volcano | PagePanel::MeanChange, 1) => 0.7,
        (PagePanel::Volcano | PagePanel::MeanChange, _) => 0.95,
        (PagePanel::Interactions, _) => 1.1,
        (PagePanel::Training, 1) => 0.45,
        (PagePanel::Training, _) => 0.7,
    }
}

/// The figure of one panel, and what it shows.
fn figure(
    panel: PagePanel,
    document: &Document,
    opened: &OpenedNetwork,
    other: Option<&OpenedNetwork>,
    effect: Option<&PredictedEffect>,
    cells: &Cells<'_>,
    progress: &dyn Progress,
) -> anyhow::Result<(Box<dyn Figure>, String)> {
    let (page, highlight) = (&document.page, &document.selection);
    let wanted = page.perturbation.as_deref();
    let model = || opened.need_model();
    Ok(match panel {
        PagePanel::Network => {
            let (figure, words) = network(document, opened, effect, cells, progress)?;
            (Box::new(NetworkPanel { figure, view: None }), words)
        }
        PagePanel::Comparison => {
            let (Some(comparing), Some(other)) = (&document.comparing, other) else {
                bail!("no other network is laid beside this one");
            };
            let compared = compare::compare(&opened.grn, &document.filter, other, comparing.edges, progress)?;
            if compared.comparison.edges.is_empty() {
                bail!("neither network has an edge to draw ({}); loosen the filter", document.filter.describe());
            }
            let figure = compare::figure(document, comparing, &compared, page.text_size, progress)?;
            (Box::new(figure), compare::describe(document, &compared))
        }
        PagePanel::Scatter => {
            let (_, which) = observed(model()?)?;
            let of = wanted.map_or_else(
                || "the 20 genes with the largest measured shift of each perturbation".to_owned(),
                |name| format!("every gene under {name}"),
            );
            let words = format!("predicted against measured shifts of {of}, measured on {which}");
            (Box::new(scatter(model()?, wanted, highlight, page.text_size)?), words)
        }
        PagePanel::Shifts => {
            let name = match wanted {
                Some(name) => name.to_owned(),
                None => strongest(model()?)?,
            };
            let words = format!("the genes with the largest measured shifts under {name}, beside the predicted ones");
            let mut figure = shifts(model()?, &name, highlight, page.text_size)?;
            figure.title = name;
            (Box::new(figure), words)
        }
        PagePanel::Movers => {
            let Some(gene) = document.focus() else { bail!("no gene is selected") };
            (Box::new(movers::figure(model()?, gene, highlight, page.text_size)?), movers::describe(gene))
        }
        PagePanel::Effects => {
            let Some(effect) = effect else { bail!("no gene is knocked out") };
            let words = format!("the genes with the largest predicted shifts under perturbation of {}", effect.label());
            (Box::new(ranking(model()?, effect, highlight, page.text_size)), words)
        }
        PagePanel::HeatMap => {
            let figure = evidence::heat_map(model()?, page.heat_map, highlight, page.text_size, progress)?;
            let words = evidence::describe_heat_map(model()?, &figure)?;
            (Box::new(figure), words)
        }
        PagePanel::Cells => {
            let found = cells.get(progress)?;
            let figure = evidence::boxes(model()?, found, highlight, page.text_size, progress)?;
            (Box::new(figure), format!("cells of the genes with the largest measured shifts: {}", found.describe()))
        }
        PagePanel::GeneCells => {
            let Some(gene) = document.focus() else { bail!("no gene is selected") };
            let found = cells.get(progress)?;
            let figure = evidence::gene_cells(found, gene, page.text_size)?;
            (Box::new(figure), format!("{gene} in cells: {}", found.describe()))
        }
        PagePanel::Volcano | PagePanel::MeanChange => {
            let against = if panel == PagePanel::Volcano { Against::Significance } else { Against::Mean };
            let (figure, metadata) = evidence::tested(
                cells.dataset(progress)?,
                &cells.perturbation()?,
                against,
                highlight,
                page.text_size,
                progress,
            )?;
            (Box::new(figure), format!("{}: {}", metadata.title, metadata.description))
        }
        PagePanel::Interactions => {
            let found = cells.interactions(progress)?;
            let (figure, _) = map(&found, None, page.text_size);
            (Box::new(figure), found.describe())
        }
        PagePanel::Training => {
            (Box::new(losses(model()?, page.text_size)?), "loss after each epoch of the training".to_owned())
        }
    })
}

/// The perturbation with the largest measured shifts (root of the mean square).
fn strongest(model: &TrainedModel) -> anyhow::Result<String> {
    let (observed, _) = observed(model)?;
    let size =
        |row: usize| observed.row(row).iter().filter(|shift| shift.is_finite()).map(|shift| shift * shift).sum::<f32>();
    let found = (0..observed.perturbations.len()).max_by(|&a, &b| size(a).total_cmp(&size(b)).then(b.cmp(&a)));
    match found {
        Some(row) => Ok(observed.perturbations[row].clone()),
        None => bail!("the model file has no measured shifts"),
    }
}

fn network(
    document: &Document,
    opened: &OpenedNetwork,
    effect: Option<&PredictedEffect>,
    cells: &Cells<'_>,
    progress: &dyn Progress,
) -> anyhow::Result<(NetworkFigure, String)> {
    let grn = &opened.grn;
    let model = opened.model.as_deref();
    let view = document.filter.apply(grn);
    if view.edge_count() == 0 {
        bail!("no edge is left to draw ({}); loosen the filter", document.filter.describe());
    }
    let ids = |symbols: &mut dyn Iterator<Item = &String>| -> Vec<GeneId> {
        symbols.filter_map(|symbol| grn.find(symbol)).collect()
    };
    let mut style = NetworkStyle {
        text_size: document.page.text_size,
        legend: true,
        selected: ids(&mut document.selection.iter()),
        knocked_out: if effect.is_some() { ids(&mut document.knock_out.keys()) } else { Vec::new() },
        mark_perturbed: true,
        members_keep: view.members_keep(),
        ..NetworkStyle::default()
    };
    // Paths may lead over edges that do not pass the filter.
    let pointed_out = match &document.paths {
        Some(query) => query.pointed_out(&query.answer(grn, &document.filter, progress)?),
        None => Vec::new(),
    };
    style.emphasised = pointed_out.iter().map(|edge| edge + 1).collect();
    let positions = view.edges().map(|edge| edge.rank - 1).chain(pointed_out).collect::<BTreeSet<u32>>();
    let edges: Vec<&Edge> = positions.into_iter().map(|at| &grn.edges()[at as usize]).collect();
    let tests = match (&document.sources.dataset, model) {
        (Some(_), Some(model)) if document.style.edge_colour == EdgeAttribute::HeldOut => {
            let shown: Vec<u32> = edges.iter().map(|edge| edge.rank - 1).collect();
            Some(EdgeTests::run(cells.dataset(progress)?, model, grn, &shown, progress)?)
        }
        _ => None,
    };
    let known = Known {
        tests: tests.as_ref(),
        effect: effect.zip(model).map(|(effect, model)| (effect, &model.card().genes[..])),
        measured: document
            .page
            .perturbation
            .as_ref()
            .zip(model)
            .and_then(|(name, model)| look::measured(grn, model, name)),
        file: Some(&opened.look),
        file_table: opened.table.as_deref(),
        ..Known::default()
    };
    Look::of_document(document, grn, &edges, known, progress)?.dress(&mut style);
    if let Some(gene) = &document.layout.centre {
        find(grn, gene)?;
    }
    let arranging = Arranging::of_document(grn, edges.iter().copied(), document);
    let positions = arranging.positions(progress)?;
    let words = format!("{} edges of {}, between {} genes", edges.len(), opened.words(), arranging.genes().len());
    Ok((NetworkFigure::of(grn, edges, &positions, &style), words))
}
