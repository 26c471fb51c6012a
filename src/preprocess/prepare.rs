//! All steps in order: a screen ready for training.
//!
//! Only kept cells take part: controls and the cells of kept perturbations. Quality limits and the target of the
//! normalisation (the median library size) are theirs. What the model learns from is chosen on training cells alone:
//! extra treatments and the mean and deviation of each gene; and a cell is matched to, or partnered with, cells of
//! its own split only, so that no test cell enters the training by a side door.

use std::sync::Arc;

use rand::RngExt as _;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::control_matching::{Matching, match_by};
use super::counterfactual::{Group, partners};
use super::doublets::find_by_batch;
use super::extra_treatments::extra_treatments;
use super::filters::{Filter, Filtered};
use super::held_out::{HeldOut, SplitBy, classes_in_words};
use super::normalise::{Expression, median_library_size};
use super::quality::{CellMetrics, QualityReport};
use super::selection::{Condition, Selection, dosages, list_in_words};
use super::split::{Shares, Split};
use crate::data::{CsrMatrix, Dataset, MatrixKind};
use crate::jobs::{Cancelled, Part, Progress};
use crate::random;

/// Settings of the preparation; every rule is optional and visible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrepareConfig {
    /// k: a cell fails quality control beyond median ± k·MAD.
    pub quality_mads: f64,
    /// Perturbations with fewer cells are left out.
    pub minimum_cells: usize,
    /// Keep a perturbed cell only if its target's count is at most the 10th percentile among controls (CausalBench).
    pub require_knock_down: bool,
    /// Add genes that no guide targets but that respond strongly as nodes.
    pub extra_treatments: bool,
    /// Only perturbations whose targets are all measured.
    pub measured_targets_only: bool,
    /// Share of cells never used in training.
    pub test_share: f64,
    /// Share of the remaining cells used to stop early.
    pub validation_share: f64,
    /// Perturbations (names) kept whole from the training.
    pub held_out_perturbations: Vec<String>,
    /// What else is kept whole from the training, so that the test shows how well it is predicted unseen.
    #[serde(skip_serializing_if = "is_default")]
    pub split: SplitBy,
    /// The share of it, 0 to 1.
    #[serde(skip_serializing_if = "is_usual_share")]
    pub held_out_share: f64,
    /// Look for doublets (Scrublet's method); a doublet fails quality control.
    #[serde(skip_serializing_if = "is_default")]
    pub doublets: bool,
    /// How a control cell is found for every cell.
    #[serde(skip_serializing_if = "is_default")]
    pub matching: Matching,
    /// Perturbations with fewer cells are left out before any other filter looks at cells; 0 for no limit (CausalBench: 26).
    #[serde(skip_serializing_if = "is_default")]
    pub minimum_cells_before: usize,
    /// Perturbations that change fewer genes are left out; 0 for no limit (CausalBench: 51).
    #[serde(skip_serializing_if = "is_default")]
    pub minimum_changed_genes: usize,
    /// Perturbations whose target falls by a smaller share are left out; 0 for no limit (CausalBench: 0.3).
    #[serde(skip_serializing_if = "is_default")]
    pub minimum_knock_down: f64,
}

/// Settings that later versions added are written only where they say something, so that the bytes of a model do not change
/// with the version.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_usual_share(share: &f64) -> bool {
    *share == HELD_OUT_SHARE
}

/// Held out by default, of what the split is about.
const HELD_OUT_SHARE: f64 = 0.2;

impl Default for PrepareConfig {
    fn default() -> Self {
        Self {
            quality_mads: 3.0,
            minimum_cells: 10,
            require_knock_down: false,
            extra_treatments: true,
            measured_targets_only: false,
            test_share: 0.2,
            validation_share: 0.2,
            held_out_perturbations: Vec::new(),
            split: SplitBy::default(),
            held_out_share: HELD_OUT_SHARE,
            doublets: false,
            matching: Matching::default(),
            minimum_cells_before: 0,
            minimum_changed_genes: 0,
            minimum_knock_down: 0.0,
        }
    }
}

impl PrepareConfig {
    /// These settings with all of CausalBench's filters switched on.
    pub fn with_causal_bench_filters(self) -> Self {
        Self {
            minimum_cells_before: 26,
            minimum_changed_genes: 51,
            minimum_knock_down: 0.3,
            require_knock_down: true,
            minimum_cells: 101,
            ..self
        }
    }

    /// The filters that are switched on, in the order applied.
    pub(super) fn filters(&self) -> Vec<Filter> {
        let mut filters = Vec::new();
        let mut add = |wanted: bool, filter: Filter| filters.extend(wanted.then_some(filter));
        add(self.measured_targets_only, Filter::UnmeasuredTarget);
        add(self.minimum_cells_before > 0, Filter::FewCells(self.minimum_cells_before));
        add(self.minimum_changed_genes > 0, Filter::FewChangedGenes(self.minimum_changed_genes));
        add(self.minimum_knock_down > 0.0, Filter::WeakKnockDown(self.minimum_knock_down));
        add(self.require_knock_down, Filter::UnchangedCell);
        add(true, Filter::FewCellsLeft(self.minimum_cells));
        filters
    }

    /// The first setting that makes no sense, in words.
    pub fn problem(&self) -> Option<String> {
        let shares = [
            ("test_share", self.test_share),
            ("validation_share", self.validation_share),
            ("held_out_share", self.held_out_share),
            ("minimum_knock_down", self.minimum_knock_down),
        ];
        let wrong = shares.into_iter().find(|(_, share)| !(0.0..1.0).contains(share));
        wrong.map(|(name, share)| format!("{name} is {share}, but must be at least 0 and below 1"))
    }
}

/// A screen ready for training. Rows are the kept cells; T is the number of treatments, G of genes.
#[derive(Clone, Debug)]
pub struct PreparedScreen {
    /// The screen.
    pub dataset: Arc<Dataset>,
    /// Kept rows of the data set: controls and cells of kept perturbations.
    pub cells: Vec<u32>,
    /// Symbols of the T treatments: perturbed genes sorted, then extra genes sorted.
    pub treatments: Vec<String>,
    /// Column of each treatment among the genes; none where it was not measured.
    pub treatment_columns: Vec<Option<u32>>,
    /// How many of the treatments were perturbed (they come first).
    pub perturbed_treatments: usize,
    /// Treatments (positions) of each kept cell; empty for controls.
    pub dosages: Vec<Vec<u32>>,
    /// Library size (row sum) of each kept cell.
    pub library_sizes: Vec<f32>,
    /// Whether each kept cell fails quality control.
    pub quality_failed: Vec<bool>,
    /// What each kept cell is used for.
    pub splits: Vec<Split>,
    /// |log-expression shift| of the treatments against the matched control cell: kept cells × T, row-major; 0 where the
    /// treatment was not measured. Empty in a screen that is only judged on.
    pub shifts: Vec<f32>,
    /// Counterfactual partners: dense rows of G counts.
    pub partners: Vec<Vec<f32>>,
    /// Partner of each kept cell, if there is one.
    pub partner_of_cell: Vec<Option<u32>>,
    /// Mean over training cells of log(1 + x), per gene.
    pub log_mean: Vec<f32>,
    /// Standard deviation of the same (n − 1 in the denominator; 0 for a gene without variation).
    pub log_std: Vec<f32>,
    /// Mean over training cells of the counts x, per gene.
    pub mean: Vec<f32>,
    /// Standard deviation of the same, likewise.
    pub std: Vec<f32>,
    /// What was left out and why, in words with counts.
    pub notes: Vec<String>,
    /// What each filter that is switched on took out, in the order applied.
    pub filtered: Vec<Filtered>,
    /// The perturbations kept whole from the training.
    pub held_out: Vec<HeldOut>,
}

/// Why a screen cannot be prepared.
#[derive(Debug, Error)]
pub enum PrepareError {
    /// The user cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The matrix is not counts.
    #[error("the matrix holds {found}, but the model needs raw counts; choose another matrix (a layer or raw/X)")]
    NotCounts {
        /// What it holds.
        found: &'static str,
    },
    /// No control cells.
    #[error("there are no control cells; name the control label")]
    NoControls,
    /// No perturbation with enough cells.
    #[error("no perturbation has at least {minimum} cells")]
    NoPerturbations {
        /// The setting.
        minimum: usize,
    },
    /// Nothing to hold out.
    #[error("no cell has a combination of perturbations, so none can be held out; split in another way")]
    NoCombinations,
    /// Nothing would be left to train on.
    #[error("all {perturbations} perturbations would be held out with a share of {share}; lower the share")]
    NothingToTrain {
        /// Their number.
        perturbations: usize,
        /// The setting.
        share: f64,
    },
    /// A name that is no perturbation.
    #[error("{name} is no perturbation of this screen, so it cannot be held out{}", suggestion(nearest))]
    UnknownPerturbation {
        /// The name.
        name: String,
        /// Names like it, best first.
        nearest: Vec<String>,
    },
}

fn suggestion(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", nearest.join(", ")) }
}

/// Prepare `dataset` for training: quality flags, choice of perturbations, splits, normalisation, extra treatments,
/// matched controls, counterfactual partners, statistics for standardisation.
///
/// The same data set, settings and seed give the same result on any number of threads.
pub fn prepare(
    dataset: &Arc<Dataset>,
    config: &PrepareConfig,
    seed: u64,
    progress: &dyn Progress,
) -> Result<PreparedScreen, PrepareError> {
    match dataset.matrix_kind() {
        MatrixKind::Counts => {}
        MatrixKind::LogNormalised => return Err(PrepareError::NotCounts { found: "log-normalised values" }),
        MatrixKind::Scaled => return Err(PrepareError::NotCounts { found: "scaled values" }),
        MatrixKind::Effects => {
            return Err(PrepareError::NotCounts { found: "effects of perturbations without cells" });
        }
    }
    let mut notes = Vec::new();
    progress.stage("Choosing perturbations", Some(0.0));
    let selection = Selection::choose(dataset, config, seed, &mut notes, progress)?;
    let cells = &selection.cells;

    progress.stage("Checking the quality of cells", Some(0.05));
    let metrics = CellMetrics::of(dataset, cells, progress)?;
    let quality = QualityReport::judge(&metrics, config.quality_mads);
    let mut quality_failed: Vec<bool> = quality.failed.iter().map(|failed| failed.any()).collect();
    notes.push(quality.in_words());
    if config.doublets {
        let scope = Part::named(progress, "Looking for doublets", 0.06..0.1);
        flag_doublets(dataset, cells, &mut quality_failed, seed, &scope, &mut notes)?;
    }

    progress.stage("Splitting cells", Some(0.1));
    let splits = split(&selection, config, seed);
    let parts = Parts::new(&selection, &splits);
    let held_out = selection.held_out(dataset);
    notes.push(split_in_words(&held_out, &splits));

    progress.stage("Normalising counts", Some(0.12));
    let sizes: Vec<f64> = cells.iter().map(|&cell| dataset.matrix().row_sum(cell as usize)).collect();
    // The model's library sizes are over the genes that it has, the normalisation's over all that were measured.
    let whole_sizes: Vec<f64> = cells.iter().map(|&cell| dataset.library_size(cell as usize)).collect();
    let target_sum = median_library_size(&whole_sizes).unwrap_or(1.0);
    let expression = Expression::of_cells(dataset.matrix(), cells, &whole_sizes, target_sum);

    let mut treatments = selection.targets(dataset);
    let perturbed_treatments = treatments.len();
    let dosages = dosages(dataset, cells, &treatments);
    let mut treatment_columns: Vec<Option<u32>> =
        treatments.iter().map(|symbol| dataset.genes().column(symbol).map(|column| column as u32)).collect();
    let measured: Vec<u32> = treatment_columns.iter().copied().flatten().collect();
    note_unmeasured(&treatments, &treatment_columns, &mut notes);
    if config.extra_treatments {
        let scope = Part::named(progress, "Looking for genes that respond strongly", 0.2..0.5);
        let mut extra: Vec<(&str, u32)> = find_extra_treatments(&selection, &parts, &expression, &measured, &scope)?
            .into_iter()
            .map(|column| (dataset.genes().symbol(column as usize), column))
            .collect();
        extra.sort_unstable();
        let names: Vec<&str> = extra.iter().map(|(symbol, _)| *symbol).collect();
        if !names.is_empty() {
            notes.push(format!(
                "{} added as nodes: they respond strongly: {}",
                genes_in_words(&names),
                list_in_words(&names)
            ));
        }
        treatments.extend(names.into_iter().map(str::to_owned));
        treatment_columns.extend(extra.iter().map(|(_, column)| Some(*column)));
    }

    let scope = Part::named(progress, "Matching cells to controls", 0.5..0.9);
    let matched = find_controls(&selection, &parts, &expression, &measured, config.matching, seed, &scope, &mut notes)?;
    progress.stage("Measuring shifts", Some(0.9));
    let shifts = measure_shifts(&expression, &matched, &treatment_columns, progress)?;

    progress.stage("Finding counterfactual partners", Some(0.93));
    let (partners, partner_of_cell) = find_partners(dataset, &selection, &parts, &quality_failed, seed, progress)?;

    progress.stage("Measuring the spread of genes", Some(0.97));
    let training: Vec<u32> = (0..cells.len()).filter(|&at| splits[at] == Split::Training).map(|at| cells[at]).collect();
    let [(log_mean, log_std), (mean, std)] = moments(dataset.matrix(), &training, progress)?;
    progress.stage("Prepared", Some(1.0));
    Ok(PreparedScreen {
        dataset: dataset.clone(),
        treatments,
        treatment_columns,
        perturbed_treatments,
        dosages,
        library_sizes: sizes.iter().map(|&size| size as f32).collect(),
        quality_failed,
        splits,
        shifts,
        partners,
        partner_of_cell,
        log_mean,
        log_std,
        mean,
        std,
        notes,
        filtered: selection.filtered,
        held_out,
        cells: selection.cells,
    })
}

/// What each kept cell is used for.
fn split(selection: &Selection, config: &PrepareConfig, seed: u64) -> Vec<Split> {
    let shares = Shares { test: config.test_share, validation: config.validation_share };
    let mut splits = vec![Split::Test; selection.cells.len()];
    for condition in selection.conditions.iter().filter(|condition| !condition.held_out) {
        let divided = shares.divide(condition.cells.len(), &condition.name, seed);
        for (&cell, split) in condition.cells.iter().zip(divided) {
            splits[cell as usize] = split;
        }
    }
    splits
}

/// The cells of each condition in each split, as positions among the kept cells: what matching and partners work on.
struct Parts {
    /// Conditions × splits.
    cells: Vec<[Vec<u32>; 3]>,
}

impl Parts {
    fn new(selection: &Selection, splits: &[Split]) -> Self {
        let part = |cells: &[u32]| {
            Split::ALL.map(|split| cells.iter().copied().filter(|&cell| splits[cell as usize] == split).collect())
        };
        Self { cells: selection.conditions.iter().map(|condition| part(&condition.cells)).collect() }
    }

    /// Of condition number `condition` (0 is the control).
    fn of(&self, condition: usize, split: Split) -> &[u32] {
        &self.cells[condition][split as usize]
    }
}

fn find_extra_treatments(
    selection: &Selection,
    parts: &Parts,
    expression: &Expression<'_>,
    measured: &[u32],
    progress: &dyn Progress,
) -> Result<Vec<u32>, Cancelled> {
    let groups: Vec<Vec<u32>> = (1..selection.conditions.len())
        .map(|condition| parts.of(condition, Split::Training).to_vec())
        .filter(|cells| !cells.is_empty())
        .collect();
    extra_treatments(expression, &groups, parts.of(0, Split::Training), measured, progress)
}

/// The matched control of each kept cell, both as positions among the kept cells.
#[allow(clippy::too_many_arguments, reason = "one step, taken from its caller for length")]
fn find_controls(
    selection: &Selection,
    parts: &Parts,
    expression: &Expression<'_>,
    measured: &[u32],
    matching: Matching,
    seed: u64,
    progress: &dyn Progress,
    notes: &mut Vec<String>,
) -> Result<Vec<u32>, Cancelled> {
    let mut matched = vec![0; selection.cells.len()];
    let mut random = random::stream(seed, "random controls");
    if measured.is_empty() {
        notes.push("No perturbed gene was measured: cells are compared with random control cells".to_owned());
    }
    let mut done = 0;
    for split in Split::ALL {
        let mut controls = parts.of(0, split);
        let needed = (0..selection.conditions.len()).any(|condition| !parts.of(condition, split).is_empty());
        if controls.is_empty() && needed {
            notes.push(format!("No control cell in the {} part: its cells are matched to all controls", split.label()));
            controls = &selection.control().cells;
        }
        for condition in 0..selection.conditions.len() {
            progress.check()?;
            progress.stage("", Some(done as f32 / selection.cells.len() as f32));
            let cells = parts.of(condition, split);
            if measured.is_empty() {
                for &cell in cells {
                    matched[cell as usize] = controls[random.random_range(0..controls.len())];
                }
            } else {
                let matches = match_by(matching, expression, measured, cells, controls, progress)?;
                for (&cell, found) in cells.iter().zip(matches) {
                    matched[cell as usize] = found.control;
                }
            }
            done += cells.len();
        }
    }
    Ok(matched)
}

/// |log-normalised expression − that of the matched control|: cells × treatments, 0 where not measured.
fn measure_shifts(
    expression: &Expression<'_>,
    matched: &[u32],
    treatment_columns: &[Option<u32>],
    progress: &dyn Progress,
) -> Result<Vec<f32>, Cancelled> {
    let width = treatment_columns.len();
    let mut shifts = vec![0.0; matched.len() * width];
    shifts.par_chunks_mut(width.max(1)).enumerate().try_for_each(|(cell, row)| {
        progress.check()?;
        let control = matched[cell] as usize;
        for (shift, column) in row.iter_mut().zip(treatment_columns) {
            if let Some(column) = *column {
                *shift = (expression.get(cell, column) - expression.get(control, column)).abs();
            }
        }
        Ok(())
    })?;
    Ok(shifts)
}

/// The distinct partners, and the partner of each kept cell.
type Partners = (Vec<Vec<f32>>, Vec<Option<u32>>);

fn find_partners(
    dataset: &Dataset,
    selection: &Selection,
    parts: &Parts,
    quality_failed: &[bool],
    seed: u64,
    progress: &dyn Progress,
) -> Result<Partners, Cancelled> {
    let mut groups = Vec::new();
    let mut members = Vec::new();
    for (condition, Condition { name, .. }) in selection.conditions.iter().enumerate() {
        for split in Split::ALL {
            let cells = parts.of(condition, split);
            let failing = cells.iter().filter(|&&cell| quality_failed[cell as usize]);
            let failing: Vec<u32> = failing.map(|&cell| selection.cells[cell as usize]).collect();
            if !failing.is_empty() {
                groups.push(Group { condition: name, split, failing });
                members.push(cells);
            }
        }
    }
    let found = partners(dataset.matrix(), &groups, seed, progress)?;
    let mut distinct = Vec::new();
    let mut partner_of_cell = vec![None; selection.cells.len()];
    for (partner, cells) in found.into_iter().zip(members) {
        let Some(partner) = partner else { continue };
        for &cell in cells {
            partner_of_cell[cell as usize] = Some(distinct.len() as u32);
        }
        distinct.push(partner);
    }
    Ok((distinct, partner_of_cell))
}

/// Mean and standard deviation (n − 1) of ln(1 + x), and of x itself, over the rows `cells` of `counts`, per gene.
pub(super) fn moments(
    counts: &CsrMatrix,
    cells: &[u32],
    progress: &dyn Progress,
) -> Result<[(Vec<f32>, Vec<f32>); 2], Cancelled> {
    let genes = counts.columns();
    let (mut means, mut present) = (vec![[0.0f64; 2]; genes], vec![0u32; genes]);
    let each = |visit: &mut dyn FnMut(usize, [f64; 2])| {
        for (at, &cell) in cells.iter().enumerate() {
            if at % 1024 == 0 {
                progress.check()?;
            }
            for (column, value) in counts.row(cell as usize).iter() {
                let value = f64::from(value);
                visit(column as usize, [value.ln_1p(), value]);
            }
        }
        Ok(())
    };
    each(&mut |gene, values| {
        means[gene].iter_mut().zip(values).for_each(|(mean, value)| *mean += value);
        present[gene] += 1;
    })?;
    let count = cells.len() as f64;
    means.iter_mut().flatten().for_each(|mean| *mean /= count.max(1.0));
    // In two passes: the difference of large sums would lose the small spread of constant genes.
    let absent = means.iter().zip(&present).map(|(means, &present)| {
        let absent = count - f64::from(present);
        means.map(|mean| absent * mean * mean)
    });
    let mut squares: Vec<[f64; 2]> = absent.collect();
    each(&mut |gene, values| {
        let (squares, means) = (&mut squares[gene], &means[gene]);
        squares.iter_mut().zip(values.iter().zip(means)).for_each(|(square, (value, mean))| {
            *square += (value - mean).powi(2);
        });
    })?;
    let deviation = |square: f64| if count > 1.0 { (square / (count - 1.0)).sqrt() as f32 } else { 0.0 };
    Ok([0, 1].map(|which| {
        let mean = means.iter().map(|means| means[which] as f32).collect();
        (mean, squares.iter().map(|squares| deviation(squares[which])).collect())
    }))
}

fn note_unmeasured(treatments: &[String], columns: &[Option<u32>], notes: &mut Vec<String>) {
    let unmeasured: Vec<&str> =
        treatments.iter().zip(columns).filter(|(_, column)| column.is_none()).map(|(name, _)| name.as_str()).collect();
    if !unmeasured.is_empty() {
        notes.push(format!(
            "{} perturbed but not measured, so without a shift of their own: {}",
            genes_in_words(&unmeasured),
            list_in_words(&unmeasured)
        ));
    }
}

fn genes_in_words(names: &[&str]) -> String {
    if names.len() == 1 { "1 gene".to_owned() } else { format!("{} genes", names.len()) }
}

fn split_in_words(held_out: &[HeldOut], splits: &[Split]) -> String {
    let count = |which| splits.iter().filter(|split| **split == which).count();
    let [training, validation, test] = Split::ALL.map(count);
    let mut text =
        format!("{training} training, {validation} validation and {test} test cells, divided within each perturbation");
    if !held_out.is_empty() {
        let names: Vec<&str> = held_out.iter().map(|held| held.name.as_str()).collect();
        text.push_str(&format!("; held out whole: {} ({})", list_in_words(&names), classes_in_words(held_out)));
    }
    text
}

/// Mark doublets among `cells` (rows of `dataset`) as failing.
pub(super) fn flag_doublets(
    dataset: &Dataset,
    cells: &[u32],
    failed: &mut [bool],
    seed: u64,
    progress: &dyn Progress,
    notes: &mut Vec<String>,
) -> Result<(), Cancelled> {
    let found = find_by_batch(dataset, cells, seed, progress)?;
    for (failed, &cell) in failed.iter_mut().zip(cells) {
        *failed |= found.called[cell as usize];
    }
    let called = found.count();
    let share = 100.0 * called as f64 / cells.len().max(1) as f64;
    let mut text = format!("{called} of {} cells ({share:.1} %) are doublets and fail quality control", cells.len());
    if found.batches > 1 {
        text.push_str(&format!("; looked for in each of {} batches", found.batches));
    }
    notes.push(text);
    notes.extend(found.notes.into_iter().map(|note| format!("Doublets: {note}")));
    Ok(())
}
