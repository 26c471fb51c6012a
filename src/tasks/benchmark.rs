//! Rank edges by baselines alone, without a model, and hold them against known edges.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};

use super::evaluate::EvaluateOptions;
use super::import_choices::Decisions;
use super::open;
use super::rankings::Sources;
use crate::data::{Dataset, EffectTable, ImportOptions, MatrixKind, Orientation, text};
use crate::evaluation::networks::ScreenCells;
use crate::evaluation::report::{
    BenchmarkData, BenchmarkReport, FORMAT, GoldStandard, RankedMethod, Ranking, definitions, gold_standard,
    network_tests,
};
use crate::jobs::Progress;
use crate::models::baselines::NetworkBaseline;
use crate::network::Sign;
use crate::network::formats::{self, Column, FileEdge, FileNode, MatrixRows, NetworkContents, NetworkFormat};
use crate::network::known::KnownEdges;
use crate::words::{counted, grouped, listed};

/// Control cells from which on genes are correlated over these alone.
const ENOUGH_CONTROLS: usize = 100;

/// What to hold rankings against, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BenchmarkOptions {
    /// Known edges: a network file of any kind.
    pub truth: Option<PathBuf>,
    /// What the rows of an adjacency matrix of known edges are.
    pub truth_rows: MatrixRows,
    /// A table with expression without perturbation, for tables of effects; found beside the data by its name if there is one.
    pub wild_type: Option<PathBuf>,
    /// Cells that boosted trees are grown on at most; 0 leaves them out.
    pub tree_cells: usize,
    /// Of the draws.
    pub seed: u64,
    /// A folder for one table of edges per method.
    pub edges_out: Option<PathBuf>,
}

impl Default for BenchmarkOptions {
    fn default() -> Self {
        Self {
            truth: None,
            truth_rows: MatrixRows::default(),
            wild_type: None,
            tree_cells: EvaluateOptions::TREE_CELLS,
            seed: 0,
            edges_out: None,
        }
    }
}

/// Rank the edges between the genes of the data in `path` with every baseline that they permit.
///
/// # Errors
/// If a file cannot be read, if data and known edges share fewer than two genes, or if there are too many genes.
pub fn benchmark(
    path: &Path,
    decisions: &Decisions,
    options: &BenchmarkOptions,
    progress: &dyn Progress,
) -> anyhow::Result<BenchmarkReport> {
    let opened = |decisions: &Decisions| {
        open::decided(path, decisions, progress).with_context(|| format!("cannot open {}", path.display()))
    };
    let mut notes = Vec::new();
    let mut dataset = opened(decisions)?;
    let mut truth = options.truth.as_deref().map(|file| read_truth(file, options, &dataset, progress)).transpose()?;
    if let Some((known, _)) = &truth
        && let Some(turned) = turned(&dataset, known, decisions)
    {
        notes.push("The rows are genes: the known edges name them".to_owned());
        dataset = opened(&turned)?;
        truth = options.truth.as_deref().map(|file| read_truth(file, options, &dataset, progress)).transpose()?;
    }
    let symbols = dataset.genes().symbols();
    let genes: Vec<String> = match &truth {
        Some((known, _)) => symbols.iter().filter(|gene| known.genes().contains(*gene)).cloned().collect(),
        None => symbols.clone(),
    };
    if let Some((known, _)) = &truth
        && genes.len() < 2
    {
        let named: Vec<&String> = known.genes().iter().collect();
        bail!(
            "of the {} of the known edges {} in the data: they name {}, the data {}",
            counted(named.len(), "gene"),
            if genes.is_empty() { "none is" } else { "one is" },
            listed(&named, 4),
            listed(&symbols, 4)
        );
    }

    let cells = dataset.matrix_kind() != MatrixKind::Effects;
    if !cells && let Some(choice) = dataset.import().choices.iter().find(|choice| choice.what == "orientation") {
        notes.push(format!("Taken for {}: {}", choice.chosen, choice.reason));
    }
    if path.is_dir()
        && let Some(choice) = dataset.import().choices.iter().find(|choice| choice.what == "matrix")
    {
        notes.push(format!("{}: {}", choice.chosen, choice.reason));
    }
    let (effects, against) = effects(&dataset, path, options, progress)?;
    let controls = dataset.control_cells();
    let all = if dataset.perturbations().is_empty() && controls.is_empty() {
        (0..dataset.cell_count() as u32).collect()
    } else {
        [controls.clone(), dataset.cells_by_perturbation().concat()].concat()
    };
    let mut all: Vec<u32> = all;
    all.sort_unstable();
    let over_controls = cells && controls.len() >= ENOUGH_CONTROLS;
    notes.push(match over_controls {
        true => format!("Correlations are over the {}", counted(controls.len(), "control cell")),
        false => format!("Correlations are over all {}", counted(all.len(), if cells { "cell" } else { "row" })),
    });
    if options.tree_cells == 0 {
        notes.push("Boosted trees were left out".to_owned());
    }
    let sources = Sources {
        genes: &genes,
        effects: &effects,
        kind: dataset.kind(),
        correlated: Some((&dataset, if over_controls { controls.clone() } else { all.clone() })),
        explained: (options.tree_cells > 0).then_some((&*dataset, all.clone(), options.tree_cells)),
        seed: options.seed,
    };
    let Some(regulators) = sources.regulators() else {
        bail!(
            "the edges between {} genes are too many to rank; name fewer by --truth, or hold fewer by --held-genes",
            grouped(genes.len())
        );
    };
    let ranked = sources.rank(progress)?;
    notes.extend(ranked.notes.iter().cloned());
    let rankings = ranked.rankings();

    let mut report = BenchmarkReport {
        format: FORMAT,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        data: BenchmarkData {
            file: path.display().to_string(),
            hash: dataset.hash().to_owned(),
            rows: dataset.cell_count(),
            cells,
            genes: dataset.gene_count(),
            control_cells: controls.len(),
            perturbations: dataset.perturbations().len(),
            values: values(dataset.matrix_kind()).to_owned(),
            against,
        },
        ranked_genes: genes.len(),
        truth: truth.as_ref().map(|(_, label)| label.clone()),
        definitions: definitions(),
        ..BenchmarkReport::default()
    };
    if let (Some((known, _)), Some(file)) = (&truth, &options.truth) {
        report.gold_standards = against_truth(&rankings, known, file, &genes, &regulators, &effects, &mut notes);
    }
    if cells && controls.len() > 1 && !effects.perturbations.is_empty() {
        progress.stage("Testing edges", None);
        let screen = ScreenCells::new(&dataset, &all, &genes, progress)?;
        report.network_tests = Some(network_tests(&screen, genes.len(), &rankings, options.seed, progress)?);
    }
    for (baseline, ranking) in &ranked.methods {
        progress.check()?;
        let file = match &options.edges_out {
            Some(folder) => Some(write_edges(folder, *baseline, ranking, &genes)?),
            None => None,
        };
        report.methods.push(RankedMethod {
            method: ranking.method.clone(),
            definition: baseline.definition().to_owned(),
            edges: ranking.edges.len(),
            file: file.map(|file| file.display().to_string()),
        });
    }
    report.notes = notes;
    Ok(report)
}

fn values(kind: MatrixKind) -> &'static str {
    match kind {
        MatrixKind::Counts => "counts, taken as ln(1 + 10,000·x/Σx); shifts in log2",
        MatrixKind::LogNormalised => "log-normalised values, taken as they are; shifts in log2",
        MatrixKind::Scaled => "values that are no counts, taken as they are",
        MatrixKind::Effects => "one value per perturbation and gene, taken as they are",
    }
}

fn read_truth(
    file: &Path,
    options: &BenchmarkOptions,
    dataset: &Dataset,
    progress: &dyn Progress,
) -> anyhow::Result<(KnownEdges, String)> {
    KnownEdges::read(file, options.truth_rows, &dataset.genes().symbols(), progress)
        .with_context(|| format!("cannot read the known edges in {}", file.display()))
}

/// The decisions with the other orientation, where the known edges name what was taken for cells.
fn turned(dataset: &Dataset, known: &KnownEdges, decisions: &Decisions) -> Option<Decisions> {
    if decisions.options.orientation.is_some() || dataset.matrix_kind() == MatrixKind::Effects {
        return None;
    }
    let names = |names: &[String]| names.iter().filter(|name| known.genes().contains(*name)).count();
    let (of_genes, of_cells) = (names(&dataset.genes().symbols()), names(dataset.cells()));
    let table = dataset.import().choices.iter().find(|choice| choice.what == "orientation")?;
    let orientation = match table.chosen.as_str() {
        "cells in rows" => Orientation::GenesInRows,
        _ => Orientation::CellsInRows,
    };
    let options = ImportOptions { orientation: Some(orientation), ..ImportOptions::default() };
    (of_cells > of_genes).then(|| decisions.clone().under(options))
}

/// Shifts per perturbation, and what they are against.
fn effects(
    dataset: &Arc<Dataset>,
    path: &Path,
    options: &BenchmarkOptions,
    progress: &dyn Progress,
) -> anyhow::Result<(EffectTable, Option<String>)> {
    let cells: Vec<u32> = (0..dataset.cell_count() as u32).collect();
    let wild_type = options
        .wild_type
        .clone()
        .or_else(|| (dataset.matrix_kind() == MatrixKind::Effects).then(|| text::wild_type_beside(path)).flatten());
    if dataset.perturbations().is_empty() {
        return Ok((EffectTable { genes: dataset.genes().symbols(), ..EffectTable::default() }, None));
    }
    if let Some(file) = wild_type {
        if dataset.matrix_kind() == MatrixKind::Counts {
            bail!("a wild type serves values that are no counts; these are, and are compared with their control cells");
        }
        let base = text::profile(&file, &dataset.genes().symbols(), progress)
            .with_context(|| format!("cannot read the wild type in {}", file.display()))?;
        let scale = if dataset.matrix_kind() == MatrixKind::LogNormalised { std::f64::consts::LOG2_E } else { 1.0 };
        let base: Vec<f64> = base.into_iter().map(|value| value * scale).collect();
        let label = format!("the wild type in {}", file.display());
        return Ok((EffectTable::against(dataset, &cells, Some(&base)), Some(label)));
    }
    if let Some(effects) = EffectTable::observed(dataset, &cells) {
        return Ok((effects, Some(counted(dataset.control_cells().len(), "control cell"))));
    }
    let label = "the median over the perturbations, as there is no control".to_owned();
    Ok((EffectTable::against(dataset, &cells, None), Some(label)))
}

/// Over all pairs of `genes` where edges were ranked from all of them (the `ranked`), and over those whose regulator was perturbed where
/// not all were.
fn against_truth(
    rankings: &[Ranking],
    known: &KnownEdges,
    file: &Path,
    genes: &[String],
    ranked: &[String],
    effects: &EffectTable,
    notes: &mut Vec<String>,
) -> Vec<GoldStandard> {
    let number: BTreeMap<&str, usize> = genes.iter().enumerate().map(|(at, gene)| (gene.as_str(), at)).collect();
    let (mut edges, mut outside, mut loops) = (BTreeMap::<(usize, usize), Sign>::new(), 0, 0);
    for (regulator, target, sign) in known.edges() {
        match (number.get(regulator), number.get(target)) {
            (Some(regulator), Some(target)) if regulator == target => loops += 1,
            (Some(&regulator), Some(&target)) => {
                edges.insert((regulator, target), sign);
            }
            _ => outside += 1,
        }
    }
    if loops > 0 {
        notes.push(format!("{} of a gene to itself left out", counted(loops, "known edge")));
    }
    let all: Vec<usize> = (0..genes.len()).collect();
    let perturbed: BTreeSet<&str> = effects.perturbations.iter().map(String::as_str).collect();
    let regulators: Vec<usize> = all.iter().copied().filter(|&at| perturbed.contains(genes[at].as_str())).collect();
    let standard = |regulators: &[usize], universe: String| {
        let mut gold = gold_standard(rankings, &edges, regulators, &all);
        gold.true_edges_outside += outside;
        gold.file = file.display().to_string();
        gold.universe = universe;
        gold
    };
    let count = genes.len();
    let mut standards = Vec::new();
    if ranked.len() == count {
        standards
            .push(standard(&all, format!("all ordered pairs of the {count} genes that data and known edges share")));
    }
    if !regulators.is_empty() && regulators.len() < count {
        let universe = format!("{} perturbed regulators × the same {count} genes", regulators.len());
        standards.push(standard(&regulators, universe));
    }
    standards
}

/// All edges of `ranking`, best first, as a table that this program reads as a network.
fn write_edges(
    folder: &Path,
    baseline: NetworkBaseline,
    ranking: &Ranking,
    genes: &[String],
) -> anyhow::Result<PathBuf> {
    let path = folder.join(format!("{}.{}", baseline.file_stem(), NetworkFormat::Table.extension()));
    let edges = &ranking.edges;
    let contents = NetworkContents {
        name: ranking.method.clone(),
        nodes: genes.iter().map(|gene| FileNode { symbol: gene.clone(), ..FileNode::default() }).collect(),
        edges: edges.iter().map(|edge| FileEdge { from: edge.0, to: edge.1, ..FileEdge::default() }).collect(),
        edge_columns: vec![
            Column::integers("rank", (1..=edges.len()).map(|rank| Some(rank as i64))),
            Column::singles("score", edges.iter().map(|edge| Some(edge.2 as f32))),
            Column::texts("sign", edges.iter().map(|edge| Some(edge.3.symbol()))),
        ],
        ..NetworkContents::default()
    };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    formats::write(&path, NetworkFormat::Table, &contents)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
