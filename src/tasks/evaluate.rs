//! Judge a model on measured cells, beside the baselines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::data::{CellRole, CsrMatrix, Dataset, EffectTable, Perturbation};
use crate::evaluation::CellSpace;
use crate::evaluation::calibration::{Calibration, calibration};
use crate::evaluation::networks::ScreenCells;
use crate::evaluation::report::{
    CONTROL, CellFacts, DatasetFacts, Discoveries, EdgeCalibration, GoldStandard, Method, ModelFacts, Ranking, Report,
    Seen, gold_standard, network_tests,
};
use crate::jobs::Progress;
use crate::models::baselines;
use crate::models::{Intervention, ModelCard, PredictError, TrainedModel, interval_factor};
use crate::network::Sign;
use crate::network::formats::MatrixRows;
use crate::network::known::KnownEdges;
use crate::preprocess::HeldOut;

use super::rankings::Sources;
use judging::Judging;
use measurement::Measurement;
use responding::GeneratedResponses;

mod judging;
mod likelihood;
mod measurement;
mod quality;
mod responding;

/// Which cells, and what else to hold the network against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluateOptions {
    /// Compare with all cells, training cells included, or with another data set; the report says so.
    pub all_cells: bool,
    /// Known edges: a network file of any kind.
    pub truth: Option<PathBuf>,
    /// What the rows of an adjacency matrix of known edges are.
    pub truth_rows: MatrixRows,
    /// Cells that boosted trees are grown on at most, as a baseline of the network; 0 leaves it out.
    pub tree_cells: usize,
    /// Draws for the importance-weighted bound; 0 leaves it out.
    pub particles: usize,
    /// Cells it is computed for at most; more are drawn from.
    pub weighed_cells: usize,
    /// Cells generated for each perturbation, and as control, for the quality-pass ratio; 0 leaves it out.
    pub generated_cells: usize,
}

impl EvaluateOptions {
    /// Cells that boosted trees are grown on at most unless told otherwise.
    pub const TREE_CELLS: usize = 5_000;
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self {
            all_cells: false,
            truth: None,
            truth_rows: MatrixRows::default(),
            tree_cells: Self::TREE_CELLS,
            particles: 100,
            weighed_cells: 10_000,
            generated_cells: 200,
        }
    }
}

/// A model with the file it came from.
pub struct JudgedModel<'a> {
    /// The model.
    pub model: &'a TrainedModel,
    /// Its file.
    pub path: &'a Path,
    /// BLAKE3 hash (hex) of the file.
    pub hash: &'a str,
}

/// Judge `judged` on `dataset`: on the cells that its file records as held out, unless told otherwise.
///
/// # Errors
/// If `dataset` is not what the model was trained on (and not all cells are asked for), if no cell was held out, if there
/// are no control cells among those, if the model predicts none of the perturbations, or if the known edges cannot be read.
pub fn evaluate(
    judged: &JudgedModel,
    dataset: &Arc<Dataset>,
    options: &EvaluateOptions,
    progress: &dyn Progress,
) -> anyhow::Result<Report> {
    let (model, card) = (judged.model, judged.model.card());
    let trained_on = dataset.hash() == card.dataset.hash;
    let truth = options.truth.as_deref().map(|path| read_truth(path, options, dataset, progress)).transpose()?;
    let cells = chosen_cells(model, dataset, trained_on, options.all_cells)?;

    progress.stage("Measuring shifts", None);
    let Some(observed) = EffectTable::observed(dataset, &cells) else {
        bail!("there are no control cells among the {} cells to compare with; use --all-cells", cells.len());
    };
    progress.check()?;
    let predicted = predictions(model, &observed, progress)?;
    if predicted.perturbations.is_empty() {
        bail!("the model predicts none of the {} perturbations of this data set", observed.perturbations.len());
    }
    let questions: Vec<Perturbation> =
        predicted.perturbations.iter().map(|name| Perturbation::of(name.split('+'))).collect();

    progress.stage("Computing baselines", None);
    let baselines = baselines::effects::all(model.training_shifts(), &questions, progress)?;
    progress.check()?;
    let own = Method { name: MODEL.into(), baseline: false, definition: model_definition(card), effects: &predicted };
    let others = baselines.iter().map(|baseline| Method {
        name: baseline.kind.label().to_owned(),
        baseline: true,
        definition: baseline.kind.definition().to_owned(),
        effects: &baseline.effects,
    });
    let methods: Vec<Method> = std::iter::once(own).chain(others).collect();
    let about = |name: &str| {
        let known = card.perturbations.iter().find(|perturbation| perturbation.name() == name);
        let training_cells = known.map_or(0, |perturbation| perturbation.training_cells);
        Seen { training_cells, class: class_of(card, name) }
    };
    let measured = Measurement::of(model, dataset, trained_on, &cells, &observed, &predicted, progress)?;
    let mut report = Report::of_effects(&methods, measured.with(&observed), &about);

    report.calibration = calibrated(model, dataset, &cells, &observed);
    progress.check()?;

    let nodes: Vec<String> = card.treatments.iter().map(|treatment| treatment.symbol.clone()).collect();
    let (rankings, of_rankings) = rankings(model, dataset, trained_on, &nodes, options, progress)?;
    progress.stage("Testing edges", None);
    let screen = ScreenCells::new(dataset, &cells, &nodes, progress)?;
    report.network_tests = Some(network_tests(&screen, nodes.len(), &rankings, card.settings.seed, progress)?);
    let known = truth.as_ref().map(|(_, truth)| known_edges(truth, card).0);
    report.edge_calibration = EdgeCalibration::of(&probabilities(model, &nodes), &screen, known.as_ref(), progress)?;
    report.discoveries = discoveries(model, truth.as_ref().map(|(_, truth)| truth));
    if let Some((path, truth)) = &truth {
        report.gold_standard = Some(against_truth(&rankings, truth, path, card));
    }

    let judging = Judging { model, dataset, trained_on, options };
    let mut left_out = judging.likelihood(&cells, &mut report, progress)?;
    let mut conditions: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for &cell in cells.iter().filter(|&&cell| dataset.roles()[cell as usize] != CellRole::Unassigned) {
        conditions.entry(judging.condition(cell)).or_default().push(cell);
    }
    let mut space = CellSpace::measure(dataset, &conditions, CONTROL, card.settings.seed, progress)?;
    let mut responses = GeneratedResponses::default();
    let mut generated = |condition: &str, counts: &CsrMatrix| {
        responses.take(condition, counts, progress)?;
        match &mut space {
            Some(space) => space.compare_generated(condition, counts, progress),
            None => Ok(()),
        }
    };
    left_out.extend(judging.quality_pass(&cells, &predicted, &mut report, &mut generated, progress)?);
    if let Some(space) = space.as_mut().filter(|_| trained_on && !options.all_cells) {
        let mut training: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for cell in model.training_cells() {
            training.entry(judging.condition(cell)).or_default().push(cell);
        }
        for (condition, rows) in training.iter().filter(|(condition, _)| *condition != CONTROL) {
            space.compare_training(condition, dataset.matrix(), rows, progress)?;
        }
    }
    report.distances = space.map(CellSpace::finish);
    let replicate = report.fits.ceiling.as_ref().and_then(|ceiling| ceiling.responding.clone());
    report.responding = responses.finish(model, MODEL, &observed, measured.evidence(), replicate.as_ref());

    report.model = model_facts(judged);
    report.dataset = DatasetFacts {
        file: dataset.source().map(|path| path.display().to_string()).unwrap_or_default(),
        hash: dataset.hash().to_owned(),
        cells: dataset.cell_count(),
        genes: dataset.gene_count(),
        trained_on,
    };
    report.cells = cell_facts(card, dataset, &cells, trained_on, options.all_cells);
    report.notes = notes(&report, card, &observed, &predicted);
    report.notes.extend(of_rankings);
    report.notes.extend(left_out);
    Ok(report)
}

/// Name of the model in the report.
const MODEL: &str = "GPO-VAE";

fn chosen_cells(model: &TrainedModel, dataset: &Dataset, trained_on: bool, all: bool) -> anyhow::Result<Vec<u32>> {
    if all {
        return Ok((0..dataset.cell_count() as u32).collect());
    }
    if !trained_on {
        let trained = &model.card().dataset;
        bail!(
            "this is not the data set the model was trained on ({}, {} cells × {} genes), or it was read with other choices \
             (matrix, perturbation column, control), so its held-out cells cannot be told; open that data set in the same \
             way, or pass --all-cells to compare with all cells of this one",
            trained.name,
            trained.cells,
            trained.genes
        );
    }
    let held_out = model.held_out_cells();
    if held_out.is_empty() {
        bail!("no cell was held out of this model's training; pass --all-cells, which the report will say");
    }
    Ok(held_out)
}

/// What the model predicts for the perturbations of `observed`: its own table, and an answer to those that it has not.
fn predictions(model: &TrainedModel, observed: &EffectTable, progress: &dyn Progress) -> anyhow::Result<EffectTable> {
    let known = model.predicted();
    let mut table = EffectTable { genes: known.genes.clone(), ..EffectTable::default() };
    let count = observed.perturbations.len();
    for (at, name) in observed.perturbations.iter().enumerate() {
        progress.stage("Predicting", Some(at as f32 / count as f32));
        progress.check()?;
        let shifts = match known.find(name) {
            Some(row) => known.row(row).to_vec(),
            None => match model.predict(&Intervention::knock_out(name.split('+')), progress) {
                Ok(effect) => effect.shifts,
                Err(PredictError::UnknownGene { .. }) => continue,
                Err(error) => return Err(error.into()),
            },
        };
        table.perturbations.push(name.clone());
        table.cells.push(0);
        table.shifts.extend(shifts);
    }
    Ok(table)
}

/// The intervals of an ensemble against the observed shifts: of perturbations that were kept whole from the training where there
/// are any, else of all.
fn calibrated(model: &TrainedModel, dataset: &Dataset, cells: &[u32], observed: &EffectTable) -> Option<Calibration> {
    let (predicted, members) = (model.predicted(), model.member_count());
    if members < 2 || observed.genes != predicted.genes {
        return None;
    }
    let whole = model.card().perturbations.iter().filter(|known| known.held_out);
    let whole: BTreeSet<String> = whole.map(crate::models::TrainedPerturbation::name).collect();
    let only_whole = observed.perturbations.iter().any(|name| whole.contains(name));
    let errors = EffectTable::standard_errors(dataset, cells);
    let factor = |level| interval_factor(members, level);
    let mut found = calibration(observed, &errors, members, factor, |name| {
        let row = predicted.find(name).filter(|_| !only_whole || whole.contains(name))?;
        Some((predicted.row(row).to_vec(), model.spread_of(row)?.of_genes))
    })?;
    found.judged_on = match only_whole {
        true => "perturbations that were kept whole from the training",
        false => "perturbations that were seen in the training",
    }
    .to_owned();
    Some(found)
}

/// What the training saw of a perturbation: `single, seen`, `combination, seen`, and of what it did not see the class of GEARS
/// ([`HeldOut::class`]), such as `1 of 2 seen`.
fn class_of(card: &ModelCard, name: &str) -> String {
    let targets: Vec<&str> = name.split('+').collect();
    let seen = |wanted: &[&str]| {
        let same =
            card.perturbations.iter().find(|known| known.targets.iter().map(String::as_str).eq(wanted.iter().copied()));
        same.is_some_and(|known| !known.held_out && known.training_cells > 0)
    };
    match (seen(&targets), targets.len()) {
        (true, 1) => "single, seen".to_owned(),
        (true, _) => "combination, seen".to_owned(),
        (false, genes) => {
            let seen_alone = targets.iter().filter(|gene| seen(&[gene])).count();
            HeldOut { name: name.to_owned(), genes, seen_alone }.class()
        }
    }
}

fn model_definition(card: &ModelCard) -> String {
    let library = if card.settings.model.data_library { "the library sizes of the data" } else { "10,000 counts" };
    format!("Predicted shifts of the trained model against its own control, at {library}")
}

/// The model's network and the baselines', over the same nodes, and what to know of them.
fn rankings(
    model: &TrainedModel,
    dataset: &Dataset,
    trained_on: bool,
    nodes: &[String],
    options: &EvaluateOptions,
    progress: &dyn Progress,
) -> anyhow::Result<(Vec<Ranking>, Vec<String>)> {
    let number: BTreeMap<&str, usize> = nodes.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let network = model.network();
    let own = network.edges().iter().filter_map(|edge| {
        let (regulator, target) = (network.symbol(edge.regulator), network.symbol(edge.target));
        // The rank, not the probability: probabilities may tie after rounding.
        Some((*number.get(regulator)?, *number.get(target)?, -f64::from(edge.rank), edge.sign))
    });
    let own = Ranking { method: MODEL.into(), edges: own.collect() };
    // Only cells that the model saw, too.
    let training = if trained_on { model.training_cells() } else { Vec::new() };
    let is_control = |&cell: &u32| dataset.roles()[cell as usize] == CellRole::Control;
    let sources = Sources {
        genes: nodes,
        effects: model.observed_in_training(),
        kind: model.card().perturbation_kind,
        correlated: trained_on.then(|| (dataset, training.iter().copied().filter(is_control).collect())),
        explained: (trained_on && options.tree_cells > 0).then_some((dataset, training, options.tree_cells)),
        seed: model.card().settings.seed,
    };
    let mut ranked = sources.rank(progress)?;
    if !trained_on {
        ranked
            .notes
            .push("Edges are not ranked by correlation and trees: the training cells are not at hand".to_owned());
    }
    Ok((std::iter::once(own).chain(ranked.rankings()).collect(), ranked.notes))
}

fn read_truth(
    path: &Path,
    options: &EvaluateOptions,
    dataset: &Dataset,
    progress: &dyn Progress,
) -> anyhow::Result<(PathBuf, KnownEdges)> {
    let (known, _) = KnownEdges::read(path, options.truth_rows, &dataset.genes().symbols(), progress)
        .with_context(|| format!("cannot read the known edges in {}", path.display()))?;
    Ok((path.to_owned(), known))
}

/// The edges of the model's network with their probabilities, over `nodes`.
fn probabilities(model: &TrainedModel, nodes: &[String]) -> Vec<(usize, usize, f64)> {
    let number: BTreeMap<&str, usize> = nodes.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let network = model.network();
    let edges = network.edges().iter();
    let numbered = edges.filter_map(|edge| {
        let [regulator, target] = [edge.regulator, edge.target].map(|gene| number.get(network.symbol(gene)).copied());
        Some((regulator?, target?, f64::from(edge.probability)))
    });
    numbered.collect()
}

/// The known edges between the network's genes by their numbers, and how many others there are.
fn known_edges(truth: &KnownEdges, card: &ModelCard) -> (BTreeMap<(usize, usize), Sign>, usize) {
    let number: BTreeMap<&str, usize> =
        card.treatments.iter().enumerate().map(|(at, treatment)| (treatment.symbol.as_str(), at)).collect();
    let mut outside = 0;
    let mut known = BTreeMap::new();
    for (regulator, target, sign) in truth.edges() {
        match (number.get(regulator), number.get(target)) {
            (Some(&regulator), Some(&target)) => {
                known.insert((regulator, target), sign);
            }
            _ => outside += 1,
        }
    }
    (known, outside)
}

fn against_truth(rankings: &[Ranking], truth: &KnownEdges, path: &Path, card: &ModelCard) -> GoldStandard {
    let (known, outside) = known_edges(truth, card);
    let treatments = || card.treatments.iter().enumerate();
    let regulators: Vec<usize> = treatments().filter(|(_, gene)| gene.perturbed_cells > 0).map(|(at, _)| at).collect();
    let targets: Vec<usize> = treatments().filter(|(_, gene)| gene.column.is_some()).map(|(at, _)| at).collect();
    let mut gold = gold_standard(rankings, &known, &regulators, &targets);
    gold.true_edges_outside += outside;
    gold.file = path.display().to_string();
    gold.universe = format!(
        "{} perturbed regulators × {} measured genes of the network, a gene and itself left out",
        regulators.len(),
        targets.len()
    );
    gold
}

/// The edges that stand out from shuffled labels, held against the known edges.
fn discoveries(model: &TrainedModel, truth: Option<&KnownEdges>) -> Option<Discoveries> {
    let (rates, card) = (model.false_discovery_rates()?, model.card());
    let symbols: Vec<&str> = card.treatments.iter().map(|treatment| treatment.symbol.as_str()).collect();
    let mut edges = Vec::new();
    for (regulator, rates) in symbols.iter().zip(rates.chunks_exact(symbols.len().max(1))) {
        let reachable = truth.map(|truth| truth.reachable(regulator));
        let tested = symbols.iter().zip(rates).filter(|(_, rate)| !rate.is_nan());
        edges.extend(tested.map(|(target, &rate)| {
            let known = truth.zip(reachable.as_ref());
            (
                rate,
                known.map(|(truth, reachable)| [reachable.contains(target), truth.edge(regulator, target).is_some()]),
            )
        }));
    }
    Some(Discoveries::of(&edges, card.settings.model.null_shuffles))
}

fn model_facts(judged: &JudgedModel) -> ModelFacts {
    let card = judged.model.card();
    ModelFacts {
        file: judged.path.display().to_string(),
        hash: judged.hash.to_owned(),
        kind: MODEL.to_owned(),
        program_version: card.program_version.clone(),
        best_epoch: card.best_epoch,
        epochs: card.history.last().map_or(0, |epoch| epoch.epoch),
        ended: card.ended.clone(),
        differs_from_paper: card.differs_from_paper.clone(),
        settings: serde_json::to_value(&card.settings).unwrap_or_default(),
    }
}

fn cell_facts(card: &ModelCard, dataset: &Dataset, cells: &[u32], trained_on: bool, all: bool) -> CellFacts {
    let count = |wanted: fn(CellRole) -> bool| {
        cells.iter().filter(|&&cell| wanted(dataset.roles()[cell as usize])).count() as u32
    };
    let sum = |of: fn(&crate::models::TrainedPerturbation) -> u32| card.perturbations.iter().map(of).sum();
    let evaluated_on = match (all, trained_on) {
        (false, _) => "cells held out of the training",
        (true, true) => "all cells, those of the training included",
        (true, false) => "all cells of a data set that the model was not trained on",
    };
    CellFacts {
        evaluated_on: evaluated_on.to_owned(),
        held_out: !all || !trained_on,
        control: card.control_cells,
        perturbed: [
            sum(|perturbation| perturbation.training_cells),
            sum(|perturbation| perturbation.validation_cells),
            sum(|perturbation| perturbation.test_cells),
        ],
        evaluated_control: count(|role| role == CellRole::Control),
        evaluated_perturbed: count(|role| role.perturbation().is_some()),
        hash: hash_of(cells),
    }
}

fn hash_of(cells: &[u32]) -> String {
    let mut hasher = blake3::Hasher::new();
    cells.iter().for_each(|cell| _ = hasher.update(&cell.to_le_bytes()));
    hasher.finalize().to_hex().to_string()
}

/// What a reader must know to read the numbers right.
fn notes(report: &Report, card: &ModelCard, observed: &EffectTable, predicted: &EffectTable) -> Vec<String> {
    let mut notes = Vec::new();
    if !report.cells.held_out {
        notes.push(
            "Training cells are among those compared with: the fit is better than it would be on new cells".into(),
        );
    }
    if !report.dataset.trained_on {
        notes.push("This is not the data set the model was trained on".into());
    }
    if !report.classes.is_empty() {
        let classes: Vec<String> =
            report.classes.iter().map(|class| format!("{}: {}", class.class, class.perturbations)).collect();
        notes.push(format!(
            "The numbers of all perturbations together mix what the training saw of them ({}): each class is judged by itself too",
            classes.join("; ")
        ));
    }
    let missing = observed.perturbations.len() - predicted.perturbations.len();
    if missing > 0 {
        notes.push(format!("{missing} perturbations are not covered: their genes are no nodes of the model's network"));
    }
    let held_out = |name: &String| card.perturbations.iter().any(|known| known.held_out && known.name() == *name);
    let unseen = observed.perturbations.iter().filter(|name| held_out(name)).count();
    notes.push(if unseen == 0 {
        "Split by cells: every perturbation was seen in the training, so the same-perturbation training mean is the answer \
         to beat"
            .into()
    } else {
        format!("{unseen} perturbations were kept whole from the training")
    });
    let few = observed.cells.iter().filter(|&&cells| cells < 30).count();
    if few > 0 {
        notes.push(format!("{few} perturbations have fewer than 30 evaluated cells: their observed shifts are noisy"));
    }
    let lost = |clear: bool| -> Vec<&str> {
        let lost = report.fits.verdicts.iter().filter(|verdict| !verdict.model_wins && verdict.is_clear() == clear);
        lost.map(|verdict| report.label(&verdict.metric)).collect()
    };
    for (metrics, how) in
        [(lost(true), "is clearly better than the model"), (lost(false), "does as well as the model or better")]
    {
        if !metrics.is_empty() {
            notes.push(format!("A baseline {how} in {}", metrics.join(", ")));
        }
    }
    notes
}
