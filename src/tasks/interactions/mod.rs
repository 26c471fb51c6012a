//! Genetic interactions of a screen: what pairs of perturbed genes do beyond the sum of what each does, measured in its cells and
//! predicted by a model.

mod figure;
mod measured;
mod predicted;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::bail;

use crate::data::{CellRole, Dataset, MatrixKind, nearest};
use crate::evaluation::interactions::additivity::{DRAWS, Deviations, LEAST_IN_STRATUM};
use crate::evaluation::interactions::{InteractionClass, Scores};
use crate::jobs::Progress;
use crate::models::{Novelty, TrainedModel};
use crate::words::{counted, listed};

pub use figure::{describe, map, pair_scatter};
pub use table::{gene_table, json, pair_table};

/// Cells compared with each other: levels of what else the cells differ in never enter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Within {
    /// Cells of one cell type, where the data set has cell types.
    #[default]
    CellType,
    /// Cells of one batch.
    Batch,
    /// All cells.
    Nothing,
}

impl Within {
    /// All, with their names in commands.
    pub const ALL: [(&'static str, Self); 3] =
        [("cell-type", Self::CellType), ("batch", Self::Batch), ("nothing", Self::Nothing)];
}

/// Which pairs.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Pairs {
    /// Those the screen perturbed together (or the model's card tells of).
    #[default]
    InScreen,
    /// These.
    Named(Vec<[String; 2]>),
    /// Every two of the perturbed genes: for a model only, beside those measured.
    All,
}

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InteractionOptions {
    /// Which pairs.
    pub pairs: Pairs,
    /// Only cells held out of the model's training.
    pub held_out: bool,
    /// Cells compared.
    pub within: Within,
    /// Seed of the tests' draws.
    pub seed: u64,
}

/// A pair as it was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Gene by gene.
    pub deviations: Deviations,
    /// p value of the whole pair, were it additive.
    pub p: f64,
    /// Benjamini–Hochberg over the pairs judged together.
    pub adjusted_p: f64,
    /// Over the genes that respond.
    pub scores: Scores,
    /// The kind of interaction.
    pub class: InteractionClass,
}

/// A pair as a model predicts it.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    /// How far the pair is from what the model saw.
    pub novelty: Novelty,
    /// Predicted δ_A, δ_B and δ_AB of every gene of [`Interactions::genes`]; not numbers where the model lacks the gene.
    pub shifts: [Vec<f32>; 3],
    /// Half the width of the interval of δ_AB − δ_A − δ_B over an ensemble's members, see [`crate::models::INTERVAL_LEVEL`]; none of
    /// a single model.
    pub half_widths: Option<Vec<f32>>,
    /// Over the genes that respond where the pair was measured (and 10 of them do), else over all but the perturbed ones.
    pub scores: Scores,
    /// The kind of interaction that is predicted.
    pub class: InteractionClass,
    /// See [`crate::evaluation::interactions::relative_strength`].
    pub relative: Option<f64>,
    /// Root of the mean squared deviation, log2.
    pub size: f64,
}

/// Two genes perturbed together.
#[derive(Clone, Debug, PartialEq)]
pub struct PairInteraction {
    /// Sorted.
    pub targets: [String; 2],
    /// From the cells, where there are enough.
    pub measured: Option<Measured>,
    /// From the model, where there is one that knows both genes.
    pub predicted: Option<Predicted>,
}

impl PairInteraction {
    /// `JAK2+STAT1`.
    pub fn name(&self) -> String {
        self.targets.join("+")
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interactions {
    /// Genes of every list of shifts.
    pub genes: Vec<String>,
    /// Measured pairs first, by rising p; then the others, by falling predicted deviation.
    pub pairs: Vec<PairInteraction>,
    /// Which cells the measurement rests on, in words; empty without one.
    pub cells: String,
    /// Pairs that could not be told, and why.
    pub left_out: Vec<(String, String)>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

impl Interactions {
    /// What a map of them shows, in words.
    pub fn describe(&self) -> String {
        let pairs = counted(self.pairs.len(), "pair");
        match self.pairs.iter().any(|pair| pair.measured.is_some()) {
            false => format!("Predicted deviations of {pairs} of genes from the sum of their singles"),
            true => {
                format!("Deviations of {pairs} of genes from the sum of their singles, measured in {}", self.cells)
            }
        }
    }

    /// The pair called `name`.
    pub fn find(&self, name: &str) -> Option<&PairInteraction> {
        self.pairs.iter().find(|pair| pair.name() == name)
    }
}

/// Measure and predict the interactions of `dataset` (its cells) and `model`, either or both.
///
/// # Errors
/// If there is neither, if the data are scaled values or effects, if a named gene is unknown (the nearest are told), if held-out cells
/// are asked for that cannot be told, if there is no pair to tell of, or if cancelled.
pub fn interactions(
    dataset: Option<&Arc<Dataset>>,
    model: Option<&TrainedModel>,
    options: &InteractionOptions,
    progress: &dyn Progress,
) -> anyhow::Result<Interactions> {
    let mut found = Interactions::default();
    let wanted = wanted_pairs(dataset, model, &options.pairs)?;
    let mut by_pair: BTreeMap<[String; 2], PairInteraction> = BTreeMap::new();
    let entry = |targets: &[String; 2]| PairInteraction { targets: targets.clone(), measured: None, predicted: None };
    if let Some(dataset) = dataset {
        found.genes = dataset.genes().symbols();
        let cells = chosen_cells(dataset, model, options.held_out)?;
        let (measured, left_out, words) = measured::measure(dataset, &cells, &wanted, options, progress)?;
        found.left_out = left_out;
        found.cells = match options.held_out {
            true => format!("cells held out of the training, {words}"),
            false => format!("all cells, {words}"),
        };
        for (targets, measured) in measured {
            by_pair.entry(targets.clone()).or_insert_with(|| entry(&targets)).measured = Some(measured);
        }
    }
    if let Some(model) = model {
        if found.genes.is_empty() {
            found.genes.clone_from(&model.card().genes);
        }
        let responding: BTreeMap<[String; 2], Vec<u32>> = by_pair
            .iter()
            .filter_map(|(targets, pair)| {
                Some((targets.clone(), pair.measured.as_ref()?.deviations.responding.clone()))
            })
            .collect();
        for (targets, predicted) in
            predicted::predict(model, &found.genes, &wanted, &responding, options.seed, progress)?
        {
            by_pair.entry(targets.clone()).or_insert_with(|| entry(&targets)).predicted = Some(predicted);
        }
    }
    found.pairs = by_pair.into_values().collect();
    if found.pairs.is_empty() {
        return Err(nothing(dataset, model, &found));
    }
    let p = |pair: &PairInteraction| pair.measured.as_ref().map_or(f64::INFINITY, |measured| measured.p);
    let size = |pair: &PairInteraction| pair.predicted.as_ref().map_or(0.0, |predicted| predicted.size);
    found.pairs.sort_by(|a, b| {
        p(a).total_cmp(&p(b)).then(size(b).total_cmp(&size(a))).then_with(|| a.targets.cmp(&b.targets))
    });
    found.notes = notes(&found, dataset.map(|dataset| &**dataset), model, options);
    Ok(found)
}

/// Whether two genes were perturbed together in `dataset`, or in the screen that `model` was trained on.
pub fn has_pairs(dataset: Option<&Dataset>, model: Option<&TrainedModel>) -> bool {
    let in_data = |dataset: &Dataset| dataset.perturbations().iter().any(|known| known.targets().len() == 2);
    let in_model = |model: &TrainedModel| model.card().perturbations.iter().any(|known| known.targets.len() == 2);
    dataset.is_some_and(in_data) || model.is_some_and(in_model)
}

fn pair_of(targets: &[String]) -> Option<[String; 2]> {
    <[String; 2]>::try_from(targets.to_vec()).ok()
}

fn wanted_pairs(
    dataset: Option<&Arc<Dataset>>,
    model: Option<&TrainedModel>,
    pairs: &Pairs,
) -> anyhow::Result<BTreeSet<[String; 2]>> {
    let of_data = || dataset.iter().flat_map(|dataset| dataset.perturbations().iter().map(|one| one.targets()));
    let of_model = || model.iter().flat_map(|model| model.card().perturbations.iter().map(|one| &one.targets[..]));
    let in_screen = || of_data().chain(of_model()).filter_map(pair_of).collect::<BTreeSet<_>>();
    let perturbed = || of_data().chain(of_model()).flatten().cloned().collect::<BTreeSet<String>>();
    Ok(match (pairs, dataset, model) {
        (_, None, None) => {
            bail!("interactions are measured in a data set or predicted by a model, and there is neither")
        }
        (Pairs::InScreen, ..) => in_screen(),
        (Pairs::All, _, None) => bail!("pairs that were never measured can only be predicted, which takes a model"),
        (Pairs::All, ..) => {
            let genes: Vec<String> = perturbed().into_iter().collect();
            let mut all = in_screen();
            for (at, first) in genes.iter().enumerate() {
                all.extend(genes[at + 1..].iter().map(|second| [first.clone(), second.clone()]));
            }
            all
        }
        (Pairs::Named(named), ..) => {
            let mut known = perturbed();
            known.extend(model.iter().flat_map(|model| model.card().treatments.iter().map(|one| one.symbol.clone())));
            for gene in named.iter().flatten() {
                if !known.contains(gene) {
                    let near = nearest(gene, known.iter().map(String::as_str), 3);
                    let hint =
                        if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) };
                    bail!("{gene} is not among the {} perturbed{hint}", counted(known.len(), "gene"));
                }
            }
            named.iter().map(|[a, b]| if a <= b { [a.clone(), b.clone()] } else { [b.clone(), a.clone()] }).collect()
        }
    })
}

fn chosen_cells(dataset: &Dataset, model: Option<&TrainedModel>, held_out: bool) -> anyhow::Result<Vec<u32>> {
    match dataset.matrix_kind() {
        MatrixKind::Counts | MatrixKind::LogNormalised => {}
        MatrixKind::Scaled => {
            bail!("the matrix holds scaled values, whose shifts do not add up; name a matrix with counts")
        }
        MatrixKind::Effects => {
            bail!("the table holds effects of perturbations without cells, so nothing can be tested")
        }
    }
    let cells = match (held_out, model) {
        (false, _) => dataset.held_cells(),
        (true, None) => bail!("which cells were held out is told by a model"),
        (true, Some(model)) if model.card().dataset.hash != dataset.hash() => bail!(
            "this is not the data set the model was trained on ({}), or it was read with other choices, so its held-out cells \
             cannot be told; take all cells",
            model.card().dataset.name
        ),
        (true, Some(model)) => model.held_out_cells(),
    };
    Ok(cells.into_iter().filter(|&cell| dataset.roles()[cell as usize] != CellRole::Unassigned).collect())
}

/// Why there is no pair to tell of.
fn nothing(dataset: Option<&Arc<Dataset>>, model: Option<&TrainedModel>, found: &Interactions) -> anyhow::Error {
    if let Some((pair, reason)) = found.left_out.first() {
        return anyhow::anyhow!(
            "none of the {} can be judged; {pair}: {reason}",
            counted(found.left_out.len(), "pair")
        );
    }
    let what = if dataset.is_some() { "the screen" } else { "the model's screen" };
    let remedy = if model.is_some() {
        "predicted interactions of all pairs are there for the asking (--all-pairs)"
    } else {
        "a model of it (--model) predicts those of pairs that were never made"
    };
    anyhow::anyhow!("{what} perturbed no two genes together, so no interaction was measured; {remedy}")
}

fn notes(
    found: &Interactions,
    dataset: Option<&Dataset>,
    model: Option<&TrainedModel>,
    options: &InteractionOptions,
) -> Vec<String> {
    let mut notes = Vec::new();
    let count = |of: fn(&PairInteraction) -> bool| found.pairs.iter().filter(|pair| of(pair)).count();
    let measured = count(|pair| pair.measured.is_some());
    if measured > 0 {
        notes.push(format!(
            "Deviations are δAB − δA − δB in log2 units, tested with the errors of all four means (Welch); a pair by its \
             clearest gene (Simes) and by its mean squared t ({DRAWS} draws of signs for its cells), times two; adjusted p are false discovery rates (Benjamini–Hochberg), over the genes of a pair or over the \
             pairs. At 5 % one in twenty of what is called significant is expected to be none"
        ));
    }
    if let Some(dataset) = dataset {
        let larger = dataset.perturbations().iter().filter(|one| one.targets().len() > 2).count();
        if larger > 0 {
            notes.push(format!("{} of more than two genes are left out", counted(larger, "combination")));
        }
    }
    if !found.left_out.is_empty() {
        let names: Vec<&str> = found.left_out.iter().map(|(name, _)| name.as_str()).collect();
        let (_, reason) = &found.left_out[0];
        notes.push(format!("{} not measured: {} ({reason})", counted(names.len(), "pair"), listed(&names, 3)));
    }
    if let Some(model) = model {
        let unmeasured = count(|pair| pair.measured.is_none());
        if unmeasured > 0 {
            notes.push(format!("{} predicted only: a hypothesis to test, no finding", counted(unmeasured, "pair")));
        }
        notes.push(
            "The model adds the effects of the two genes in its latent space; only its decoder makes more or less of them than a sum, so \
             that it tells of little interaction where the biology has much"
                .to_owned(),
        );
        let trained_pairs = model.card().perturbations.iter().any(|one| one.targets.len() == 2 && !one.held_out);
        if !trained_pairs {
            notes.push("The model never saw two genes perturbed together".to_owned());
        }
        if !options.held_out
            && dataset.is_some_and(|dataset| dataset.hash() == model.card().dataset.hash)
            && trained_pairs
        {
            notes.push("Training cells are among those measured: the prediction is not a test of the model".to_owned());
        }
    }
    notes
}

/// What a pair needs to be measured, in words.
fn needed() -> String {
    format!("at least {LEAST_IN_STRATUM} cells of the pair, of each gene alone, and of the control")
}

#[cfg(test)]
mod tests;
