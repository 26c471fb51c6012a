//! Networks from model files and network files, and into network files with all that is known of their genes and edges.

use std::path::Path;
use std::sync::Arc;

use anyhow::bail;

use super::open::{self, FileKind};
use crate::document::Notes;
use crate::figures::FigureTheme;
use crate::figures::network::NetworkFigure;
use crate::figures::scene::Colour;
use crate::jobs::Progress;
use crate::layout::{ForceLayout, LayoutConfig, LayoutEdge, LayoutNode};
use crate::models::TrainedModel;
use crate::network::filter::first_view;
use crate::network::formats::{self, Column, FileEdge, NetworkContents, Reading};
use crate::network::reference::{ReferenceNetwork, ReferenceOverlay};
use crate::network::statistics::GeneStatistics;
use crate::network::{Edge, GeneId, Grn, Sign};
use crate::words::counted;

/// A network, and where it came from.
pub struct OpenedNetwork {
    /// The network.
    pub grn: Arc<Grn>,
    /// What it is called.
    pub name: String,
    /// The model that learned it; none of a network file.
    pub model: Option<Arc<TrainedModel>>,
    /// What reading decided that the file does not say, in words.
    pub notes: Vec<String>,
}

/// Open the network of the model `path`, or in a network file (a table of edges, SIF, GraphML, GEXF, CX2, DOT, JSON).
///
/// # Errors
/// If it is neither, or damaged; names the place.
pub fn open(path: &Path, progress: &dyn Progress) -> anyhow::Result<OpenedNetwork> {
    let kind = open::kind_of(path);
    if matches!(kind, Ok(FileKind::Model)) {
        let (model, _) = open::model(path, progress)?;
        let name = model.card().dataset.name.clone();
        return Ok(OpenedNetwork { grn: model.network().clone(), name, model: Some(model), notes: Vec::new() });
    }
    if formats::NetworkFormat::of(path).is_err() || matches!(kind, Ok(FileKind::Session)) {
        kind?;
        bail!(
            "this is a data set or session, neither a model nor a network file (.tsv, .sif, .graphml, .gexf, .cx2, .dot, \
             .json); grn-explorer train makes a model from a data set"
        );
    }
    let (contents, layout) = formats::read(path, progress)?;
    let (grn, reading) = contents.to_grn()?;
    let mut notes: Vec<String> = layout.iter().map(|layout| format!("read as a {}", layout.label())).collect();
    notes.extend(reading_notes(&reading));
    Ok(OpenedNetwork { grn: Arc::new(grn), name: contents.name, model: None, notes })
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
    /// Numbers of genes by their position in the network, with their names: `predicted_shift`.
    pub shifts: Vec<(String, Vec<f32>)>,
    /// What the user wrote down: becomes the attribute `note` of genes and edges.
    pub notes: Notes,
}

/// The edges `shown` of `grn` with `extras`, ready to be written.
pub fn contents(grn: &Grn, shown: &[&Edge], extras: &Extras) -> NetworkContents {
    let mut contents = NetworkContents::of(&extras.name, grn, shown.iter().copied());
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
    let mut edge_of = std::collections::HashMap::new();
    for edge in figure.edges.iter().filter(|edge| !edge.dashed) {
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
    use crate::network::{NetworkGene, SignEvidence};

    #[test]
    fn notes_become_attributes_where_there_are_any() {
        let gene = |symbol: &str| NetworkGene { symbol: symbol.into(), ..NetworkGene::default() };
        let edge = |regulator, target, probability| Edge {
            regulator: GeneId(regulator),
            target: GeneId(target),
            probability,
            rank: 0,
            sign: Sign::Unknown,
            evidence: SignEvidence::None,
            shift: None,
        };
        let grn = Grn::new(["A", "B", "C"].map(gene).to_vec(), vec![edge(0, 1, 0.9), edge(1, 0, 0.8)]).unwrap();
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
