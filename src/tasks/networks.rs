//! Networks from model files and network files, and into network files with all that is known of their genes and edges.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use anyhow::bail;

use super::edge_tests::EdgeTests;
use super::open::{self, FileKind};
use crate::document::{Document, EdgeAttribute, GeneAttribute, Notes, PagePanel};
use crate::figures::FigureTheme;
use crate::figures::network::{EdgeTint, NetworkFigure};
use crate::figures::scene::Colour;
use crate::jobs::Progress;
use crate::layout::{ForceLayout, LayoutConfig, LayoutEdge, LayoutNode};
use crate::models::TrainedModel;
use crate::network::filter::{NetworkFilter, first_view};
use crate::network::formats::{self, Column, FileEdge, NetworkContents, Reading};
use crate::network::gene_table::GeneTable;
use crate::network::reference::{ReferenceNetwork, ReferenceOverlay};
use crate::network::statistics::GeneStatistics;
use crate::network::{Agreement, Edge, GeneId, Grn, Sign};
use crate::words::counted;

/// A network that came with places is shown as a whole up to so many edges: somebody laid out all of it.
const WHOLE: usize = 1500;
/// Places whose neighbours are nearer or farther than this are scaled to [`APART`], so that what is added to them fits in.
const SENSIBLE: std::ops::RangeInclusive<f32> = 20.0..=300.0;
const APART: f32 = 60.0;

/// How a network file says that its network looks. Parts that it does not give are none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileLook {
    /// Colours of genes, by position in the network.
    pub gene_colours: Option<Arc<[Option<Colour>]>>,
    /// Diameters of genes, in the units of the positions.
    pub gene_sizes: Option<Arc<[Option<f32>]>>,
    /// Colours of edges, by rank − 1.
    pub edge_colours: Option<Arc<[Option<Colour>]>>,
    /// Widths of edges, in the units of the positions.
    pub edge_widths: Option<Arc<[Option<f32>]>>,
}

/// A network, and where it came from.
#[derive(Clone, Debug)]
pub struct OpenedNetwork {
    /// The network.
    pub grn: Arc<Grn>,
    /// What it is called.
    pub name: String,
    /// The model that learned it; none of a network file.
    pub model: Option<Arc<TrainedModel>>,
    /// What reading decided that the file does not say, in words.
    pub notes: Vec<String>,
    /// Whether edges have different probabilities; in a list of edges without numbers none is better than another.
    pub is_ranked: bool,
    /// Where the file puts genes, by symbol.
    pub positions: Arc<BTreeMap<String, [f32; 2]>>,
    /// How it says that they look.
    pub look: FileLook,
    /// Its attributes of genes.
    pub table: Option<Arc<GeneTable>>,
}

impl OpenedNetwork {
    /// The network of `model`.
    pub fn of_model(name: String, model: Arc<TrainedModel>) -> Self {
        Self {
            grn: model.network().clone(),
            name,
            model: Some(model),
            notes: Vec::new(),
            is_ranked: true,
            positions: Arc::default(),
            look: FileLook::default(),
            table: None,
        }
    }

    /// The network in a file's `contents`.
    ///
    /// # Errors
    /// If its probabilities are none.
    pub fn of_contents(contents: &NetworkContents) -> anyhow::Result<Self> {
        let (grn, reading) = contents.to_grn()?;
        let first = grn.edges().first().map(|edge| edge.probability);
        let is_ranked = grn.edges().last().map(|edge| edge.probability) != first;
        let scale = scale_of(contents);
        let place = |node: &formats::FileNode| {
            Some((node.symbol.clone(), node.position.filter(|at| at.iter().all(|part| part.is_finite()))?))
        };
        let positions = contents.nodes.iter().filter_map(place);
        let positions = positions.map(|(symbol, at)| (symbol, at.map(|part| part * scale)));
        Ok(Self {
            name: contents.name.clone(),
            model: None,
            notes: reading_notes(&reading),
            is_ranked,
            positions: Arc::new(positions.collect()),
            look: FileLook::of(contents, &grn, scale),
            table: GeneTable::of_nodes(contents).map(Arc::new),
            grn: Arc::new(grn),
        })
    }

    /// The model, for what only a model can tell.
    ///
    /// # Errors
    /// Without one.
    pub fn need_model(&self) -> anyhow::Result<&TrainedModel> {
        match &self.model {
            Some(model) => Ok(model),
            None => bail!("a network file has no model: open the model that learned it, or train one"),
        }
    }

    /// `the network that GPO-VAE learned from SCREEN`, or `the network NAME`.
    pub fn words(&self) -> String {
        match &self.model {
            Some(model) => format!("the network that GPO-VAE learned from {}", model.card().dataset.name),
            None => format!("the network {}", self.name),
        }
    }

    /// Let `document` begin with this network: what is shown of it first, where the file puts its genes and how it says
    /// that they look.
    pub fn begin(&self, document: &mut Document) {
        document.filter = first_view(&self.grn);
        if self.model.is_some() {
            return;
        }
        if !self.positions.is_empty() && self.grn.edges().len() <= WHOLE {
            document.filter = NetworkFilter::default();
        }
        document.positions = self.positions.clone();
        let (look, style) = (&self.look, &mut document.style);
        if look.gene_colours.is_some() {
            style.gene_colour = GeneAttribute::File;
        }
        if look.gene_sizes.is_some() {
            style.gene_size = GeneAttribute::File;
        }
        if look.edge_colours.is_some() {
            style.edge_colour = EdgeAttribute::File;
        }
        if look.edge_widths.is_some() {
            style.edge_width = EdgeAttribute::File;
        }
        document.page.panels = vec![PagePanel::Network];
        document.page.columns = 1;
    }
}

/// What the places of a file are multiplied by.
fn scale_of(contents: &NetworkContents) -> f32 {
    let mut corners = [[f32::INFINITY; 2], [f32::NEG_INFINITY; 2]];
    let mut count = 0;
    for at in contents.nodes.iter().filter_map(|node| node.position).filter(|at| at.iter().all(|part| part.is_finite()))
    {
        count += 1;
        for (axis, part) in at.into_iter().enumerate() {
            corners[0][axis] = corners[0][axis].min(part);
            corners[1][axis] = corners[1][axis].max(part);
        }
    }
    let extent = [0, 1].map(|axis| corners[1][axis] - corners[0][axis]);
    let apart = (extent[0].max(extent[1] * 0.1) * extent[1].max(extent[0] * 0.1) / count.max(1) as f32).sqrt();
    let strange = count > 1 && apart.is_finite() && apart > 0.0 && !SENSIBLE.contains(&apart);
    if strange { APART / apart } else { 1.0 }
}

impl FileLook {
    fn of(contents: &NetworkContents, grn: &Grn, scale: f32) -> Self {
        fn some<T>(list: Vec<Option<T>>) -> Option<Arc<[Option<T>]>> {
            list.iter().any(Option::is_some).then(|| list.into())
        }
        let colour = |[red, green, blue]: [u8; 3]| Colour(red, green, blue, 255);
        let length = |length: Option<f32>| length.filter(|length| length.is_finite() && *length > 0.0);
        let mut row_of: HashMap<(usize, usize), usize> = HashMap::new();
        for (row, edge) in contents.edges.iter().enumerate() {
            row_of.entry((edge.from, edge.to)).or_insert(row);
            if contents.undirected {
                row_of.entry((edge.to, edge.from)).or_insert(row);
            }
        }
        let of_edge = |edge: &Edge| {
            let row = row_of.get(&(edge.regulator.0 as usize, edge.target.0 as usize));
            row.map(|row| contents.edges[*row]).unwrap_or_default()
        };
        let edges = || grn.edges().iter().map(of_edge);
        Self {
            gene_colours: some(contents.nodes.iter().map(|node| node.fill.map(colour)).collect()),
            gene_sizes: some(contents.nodes.iter().map(|node| length(node.size).map(|size| size * scale)).collect()),
            edge_colours: some(edges().map(|edge| edge.colour.map(colour)).collect()),
            edge_widths: some(edges().map(|edge| length(edge.width).map(|width| width * scale)).collect()),
        }
    }
}

/// Open the network of the model `path`, or in a network file (a table of edges, SIF, GraphML, GEXF, CX2, DOT, JSON).
///
/// # Errors
/// If it is neither, or damaged; names the place.
pub fn open(path: &Path, progress: &dyn Progress) -> anyhow::Result<OpenedNetwork> {
    let kind = open::kind_of(path);
    if matches!(kind, Ok(FileKind::Model)) {
        let (model, _) = open::model(path, progress)?;
        return Ok(OpenedNetwork::of_model(model.card().dataset.name.clone(), model));
    }
    let by_name = formats::NetworkFormat::of(path).is_ok();
    if !matches!(kind, Ok(FileKind::Network)) && (!by_name || matches!(kind, Ok(FileKind::Session))) {
        kind?;
        bail!(
            "this is a data set or session, neither a model nor a network file (.tsv, .sif, .graphml, .gexf, .cx2, .dot, \
             .json); grn-explorer train makes a model from a data set"
        );
    }
    read(path, progress)
}

/// Read the network file `path`.
///
/// # Errors
/// If it is none, or damaged, or holds no edge; names the place.
pub fn read(path: &Path, progress: &dyn Progress) -> anyhow::Result<OpenedNetwork> {
    let (contents, layout) = formats::read(path, progress)?;
    let mut opened = OpenedNetwork::of_contents(&contents)?;
    opened.notes.splice(0..0, layout.iter().map(|layout| format!("read as a {}", layout.label())));
    if contents.undirected {
        opened.notes.push("its edges have no direction: each is there both ways".to_owned());
    }
    Ok(opened)
}

fn reading_notes(reading: &Reading) -> Vec<String> {
    let mut notes = Vec::new();
    if reading.repeated > 0 {
        let repeated = counted(reading.repeated, "repeated edge");
        notes.push(format!("{repeated} left out, signs kept where they agree"));
    }
    if let Some(name) = &reading.scaled {
        notes.push(format!("{name} divided by its largest value serves as probability"));
    }
    if reading.unweighted {
        notes.push("no weights: every edge has probability 1, ranked as in the file".to_owned());
    }
    notes
}

/// Where the genes that `edges` connect lie, by their position in `grn`; not finite for the others. Force-directed, the
/// same for the same seed.
///
/// # Errors
/// When cancelled.
pub fn lay_out(grn: &Grn, edges: &[&Edge], seed: u64, progress: &dyn Progress) -> anyhow::Result<Vec<[f32; 2]>> {
    let mut targets = vec![None::<u32>; grn.genes().len()];
    for edge in edges {
        targets[edge.target.0 as usize].get_or_insert(0);
        *targets[edge.regulator.0 as usize].get_or_insert(0) += 1;
    }
    let genes: Vec<usize> = (0..targets.len()).filter(|gene| targets[*gene].is_some()).collect();
    let most = targets.iter().flatten().copied().max().unwrap_or(1).max(1) as f32;
    let mut slot = vec![u32::MAX; targets.len()];
    genes.iter().enumerate().for_each(|(at, gene)| slot[*gene] = at as u32);
    // As large as they are drawn, and some room for a label.
    let node = |gene: &usize| LayoutNode { radius: 8.0 + 8.0 * (targets[*gene].unwrap_or(0) as f32 / most).sqrt() };
    let nodes: Vec<LayoutNode> = genes.iter().map(node).collect();
    let edge = |edge: &&Edge| LayoutEdge {
        from: slot[edge.regulator.0 as usize],
        to: slot[edge.target.0 as usize],
        weight: edge.probability,
    };
    let edges: Vec<LayoutEdge> = edges.iter().map(edge).collect();
    let config = LayoutConfig { seed, ..LayoutConfig::default() };
    let mut layout = ForceLayout::new(&nodes, &edges, &config, None);
    progress.stage("Laying out", None);
    while layout.step() {
        progress.check()?;
    }
    let mut positions = vec![[f32::NAN; 2]; targets.len()];
    for (gene, position) in genes.iter().zip(layout.positions()) {
        positions[*gene] = *position;
    }
    Ok(positions)
}

/// What goes into a network file beside the network.
#[derive(Clone, Default)]
pub struct Extras {
    /// What it is called.
    pub name: String,
    /// Where and how it is drawn: positions, sizes, colours, widths.
    pub figure: Option<NetworkFigure>,
    /// Degrees, PageRank, betweenness, communities.
    pub statistics: Option<Arc<GeneStatistics>>,
    /// The name of a reference network, and what it knows: becomes the attributes `in_reference` and `reference_sign`.
    pub reference: Option<Arc<ReferenceOverlay>>,
    /// What held-out cells say of the edges: become the attributes `held_out_…`.
    pub tests: Option<Arc<EdgeTests>>,
    /// Numbers of genes by their position in the network, with their names: `predicted_shift`.
    pub shifts: Vec<(String, Vec<f32>)>,
    /// How many edges every member of an ensemble keeps, its best; none for as many as are written.
    pub members_keep: Option<usize>,
    /// What the user wrote down: becomes the attribute `note` of genes and edges.
    pub notes: Notes,
}

/// The edges `shown` of `grn` with `extras`, ready to be written.
pub fn contents(grn: &Grn, shown: &[&Edge], extras: &Extras) -> NetworkContents {
    let agreement = match extras.members_keep {
        Some(kept) => Agreement::among(grn, kept),
        None => Agreement::of(grn, shown.iter().copied()),
    };
    let mut contents = NetworkContents::of_kept(&extras.name, grn, shown, agreement);
    if let Some(statistics) = &extras.statistics {
        contents.add_statistics(grn, statistics);
    }
    for (name, shifts) in &extras.shifts {
        contents.add_gene_numbers(grn, name, |gene| shifts.get(gene.0 as usize).map(|shift| f64::from(*shift)));
    }
    if let Some(overlay) = &extras.reference {
        let known: Vec<Option<Sign>> = shown.iter().map(|edge| overlay.sign_of(edge)).collect();
        contents.edge_columns.push(Column::flags("in_reference", known.iter().map(Option::is_some)));
        let text = |sign: &Option<Sign>| match sign {
            Some(Sign::Activates) => Some("+"),
            Some(Sign::Represses) => Some("-"),
            Some(Sign::Unknown) => Some("?"),
            None => None,
        };
        contents.edge_columns.push(Column::texts("reference_sign", known.iter().map(text)));
    }
    if let Some(tests) = &extras.tests {
        contents.edge_columns.extend(tests.attributes(shown));
    }
    add_notes(&mut contents, &extras.notes);
    if let Some(figure) = &extras.figure {
        draw(&mut contents, grn, figure);
    }
    contents
}

/// A column of notes on genes and one of notes on edges, where there are any.
fn add_notes(contents: &mut NetworkContents, notes: &Notes) {
    let text = |note| Some(note).filter(|note: &&str| !note.trim().is_empty());
    let on_gene = |node: usize| text(notes.on_gene(&contents.nodes[node].symbol));
    let on_edge = |edge: &FileEdge| {
        let [regulator, target] = [edge.from, edge.to].map(|node| contents.nodes[node].symbol.as_str());
        text(notes.on_edge(regulator, target))
    };
    let genes = Column::texts("note", (0..contents.nodes.len()).map(on_gene));
    let edges = Column::texts("note", contents.edges.iter().map(on_edge));
    let any = |column: &Column| column.values.iter().any(Option::is_some);
    contents.node_columns.extend(Some(genes).filter(any));
    contents.edge_columns.extend(Some(edges).filter(any));
}

/// Take positions, sizes and colours from a figure, as for print.
fn draw(contents: &mut NetworkContents, grn: &Grn, figure: &NetworkFigure) {
    let theme = FigureTheme::paper();
    // Radii and widths are given for neighbours 40 points apart.
    let scale = figure.spacing() / 40.0;
    let rgb = |Colour(red, green, blue, _): Colour| [red, green, blue];
    let mut node_of: Vec<Option<usize>> = vec![None; grn.genes().len()];
    figure.nodes.iter().enumerate().for_each(|(at, node)| node_of[node.gene.0 as usize] = Some(at));
    let place = |symbol: &str| grn.find(symbol).and_then(|gene: GeneId| node_of[gene.0 as usize]);
    let mut edge_of = HashMap::new();
    for edge in figure.edges.iter().filter(|edge| edge.tint != EdgeTint::Missing) {
        edge_of.insert((edge.from, edge.to), edge);
    }
    let nodes: Vec<Option<usize>> = contents.nodes.iter().map(|node| place(&node.symbol)).collect();
    for (node, at) in contents.nodes.iter_mut().zip(&nodes) {
        if let Some(drawn) = at.map(|at| &figure.nodes[at]) {
            node.position = Some(drawn.position);
            node.size = Some(2.0 * drawn.radius * scale);
            node.fill = Some(rgb(figure.fill_of(drawn, &theme)));
        }
    }
    for edge in &mut contents.edges {
        if let (Some(from), Some(to)) = (nodes[edge.from], nodes[edge.to])
            && let Some(drawn) = edge_of.get(&(from, to))
        {
            edge.colour = Some(rgb(drawn.colour(&theme)));
            edge.width = Some(drawn.width * scale);
        }
    }
}

/// Read the reference network `path`: known regulation in a network file, or the network that another model learned (the
/// edges that its own first view shows).
///
/// # Errors
/// Names the place; the caller adds the file.
pub fn reference(path: &Path, progress: &dyn Progress) -> anyhow::Result<ReferenceNetwork> {
    if matches!(open::kind_of(path), Ok(FileKind::Model)) {
        let (model, _) = open::model(path, progress)?;
        let grn = model.network();
        let view = first_view(grn).apply(grn);
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let contents = NetworkContents::of(&name, grn, view.edges());
        return Ok(ReferenceNetwork::of(&contents, &format!("model, best {}", counted(view.edge_count(), "edge"))));
    }
    Ok(ReferenceNetwork::read(path, progress)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::NoteSubject;
    use crate::network::fixtures::{edge, genes};

    #[test]
    fn notes_become_attributes_where_there_are_any() {
        let grn = Grn::new(genes(["A", "B", "C"]), vec![edge(0, 1, 0.9), edge(1, 0, 0.8)]).unwrap();
        let shown: Vec<&Edge> = grn.edges().iter().collect();
        let mut extras = Extras::default();
        extras.notes.write(NoteSubject::Edge("B".into(), "A".into()), "feeds back");
        extras.notes.write(NoteSubject::Gene("C".into()), "in no edge shown");
        let written = contents(&grn, &shown, &extras);
        let notes = written.edge_column("note").unwrap();
        assert_eq!(notes.values.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
        assert_eq!(notes.values[1].as_ref().unwrap().to_text(), "feeds back");
        assert!(written.node_column("note").is_none());
    }
}
