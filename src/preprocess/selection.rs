//! Which conditions and cells take part: controls, and cells of the perturbations that pass every rule asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::filters::{Filter, Filtered, changed_genes, mean_change};
use super::held_out::{HeldOut, SplitBy, draw};
use super::knock_down::KnockDown;
use super::prepare::{PrepareConfig, PrepareError};
use crate::data::{Dataset, Perturbation, nearest};
use crate::jobs::{Cancelled, Progress};

/// A perturbation, or the control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// The perturbation's name; random streams are named after it.
    pub name: String,
    /// Number of the perturbation in the data set; none for the control.
    pub perturbation: Option<usize>,
    /// All its cells are for testing.
    pub held_out: bool,
    /// Its cells, as positions among the kept cells, ascending.
    pub cells: Vec<u32>,
}

/// What takes part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Selection {
    /// Rows of the data set, ascending.
    pub cells: Vec<u32>,
    /// The control first, then the kept perturbations in the data set's order.
    pub conditions: Vec<Condition>,
    /// What each filter that is switched on took out, in the order applied.
    pub filtered: Vec<Filtered>,
}

impl Selection {
    /// Choose by the rules of `config`; what is left out goes to `notes` with counts. `seed` draws what is held out.
    pub fn choose(
        dataset: &Dataset,
        config: &PrepareConfig,
        seed: u64,
        notes: &mut Vec<String>,
        progress: &dyn Progress,
    ) -> Result<Self, PrepareError> {
        let mut held_out = named_held_out(dataset, config)?;
        let controls = controls(dataset)?;
        let (groups, filtered) = filter(dataset, config, &controls, progress)?;
        for filtered in &filtered {
            note_filtered(dataset, filtered, notes);
        }
        if groups.is_empty() {
            return Err(PrepareError::NoPerturbations { minimum: config.minimum_cells });
        }
        for index in held_out.iter().filter(|index| !groups.contains_key(index)) {
            notes.push(format!("{} was to be held out but is left out", dataset.perturbations()[*index].name()));
        }
        held_out.extend(drawn_held_out(dataset, config, &groups, seed)?);
        let mut cells: Vec<u32> = controls.iter().chain(groups.values().flatten()).copied().collect();
        cells.sort_unstable();
        // Every row is kept once, so it is found.
        let position = |row: &u32| cells.binary_search(row).unwrap_or_default() as u32;
        let mut conditions = vec![Condition {
            name: "control cells".to_owned(),
            perturbation: None,
            held_out: false,
            cells: controls.iter().map(position).collect(),
        }];
        conditions.extend(groups.iter().map(|(&index, rows)| Condition {
            name: dataset.perturbations()[index].name(),
            perturbation: Some(index),
            held_out: held_out.contains(&index),
            cells: rows.iter().map(position).collect(),
        }));
        Ok(Self { cells, conditions, filtered })
    }

    /// The control.
    pub fn control(&self) -> &Condition {
        &self.conditions[0]
    }

    /// The kept perturbations.
    pub fn perturbed(&self) -> &[Condition] {
        &self.conditions[1..]
    }

    /// The perturbations kept whole from the training.
    pub fn held_out(&self, dataset: &Dataset) -> Vec<HeldOut> {
        let targets = |condition: &Condition| {
            condition.perturbation.map_or(&[][..], |index| dataset.perturbations()[index].targets())
        };
        let singles = self.perturbed().iter().filter(|condition| !condition.held_out);
        let seen: BTreeSet<&String> =
            singles.filter_map(|condition| if let [gene] = targets(condition) { Some(gene) } else { None }).collect();
        let held_out = self.perturbed().iter().filter(|condition| condition.held_out);
        held_out
            .map(|condition| {
                let genes = targets(condition);
                let seen_alone = genes.iter().filter(|gene| seen.contains(gene)).count();
                HeldOut { name: condition.name.clone(), genes: genes.len(), seen_alone }
            })
            .collect()
    }

    /// Targets of the kept perturbations, sorted.
    pub fn targets(&self, dataset: &Dataset) -> Vec<String> {
        let indices = self.perturbed().iter().filter_map(|condition| condition.perturbation);
        let targets = indices.flat_map(|index| dataset.perturbations()[index].targets());
        targets.cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Positions among `treatments` of what each of `cells` (rows) received, rising; none for controls.
pub(super) fn dosages(dataset: &Dataset, cells: &[u32], treatments: &[String]) -> Vec<Vec<u32>> {
    let number: BTreeMap<&str, u32> = treatments.iter().map(String::as_str).zip(0..).collect();
    let of_perturbation = |perturbation: &Perturbation| -> Vec<u32> {
        let targets = perturbation.targets().iter();
        let mut numbers: Vec<u32> = targets.filter_map(|target| number.get(target.as_str()).copied()).collect();
        numbers.sort_unstable();
        numbers
    };
    let received: Vec<Vec<u32>> = dataset.perturbations().iter().map(of_perturbation).collect();
    let dosage = |&row: &u32| {
        let role = dataset.roles()[row as usize];
        role.perturbation().map_or_else(Vec::new, |index| received[index].clone())
    };
    cells.iter().map(dosage).collect()
}

fn controls(dataset: &Dataset) -> Result<Vec<u32>, PrepareError> {
    let controls = dataset.control_cells();
    if controls.is_empty() { Err(PrepareError::NoControls) } else { Ok(controls) }
}

/// What the filters of `config` leave of the perturbations, and what each took out.
fn filter(
    dataset: &Dataset,
    config: &PrepareConfig,
    controls: &[u32],
    progress: &dyn Progress,
) -> Result<(Groups, Vec<Filtered>), PrepareError> {
    let mut groups: Groups = dataset.cells_by_perturbation().into_iter().enumerate().collect();
    groups.retain(|&index, cells| {
        // The empty combination is no perturbation, and one without cells has nothing to say.
        !cells.is_empty() && !dataset.perturbations()[index].targets().is_empty()
    });
    let mut filtered = Vec::new();
    let unassigned = dataset.unassigned_cells().len();
    if unassigned > 0 {
        filtered.push(Filtered { filter: Filter::Unassigned, perturbations: Vec::new(), cells: unassigned });
    }
    for filter in config.filters() {
        progress.check()?;
        filtered.push(apply(filter, dataset, controls, &mut groups, progress)?);
    }
    Ok((groups, filtered))
}

/// What each filter of `config` would take out of `dataset`, without preparing it: for a preview.
///
/// # Errors
/// Without control cells, or if cancelled. That nothing is left is no error here.
pub fn preview_filters(
    dataset: &Dataset,
    config: &PrepareConfig,
    progress: &dyn Progress,
) -> Result<Vec<Filtered>, PrepareError> {
    Ok(filter(dataset, config, &controls(dataset)?, progress)?.1)
}

/// Rows of each perturbation, by its number.
type Groups = BTreeMap<usize, Vec<u32>>;

/// What the settings draw at random.
fn drawn_held_out(
    dataset: &Dataset,
    config: &PrepareConfig,
    groups: &Groups,
    seed: u64,
) -> Result<Vec<usize>, PrepareError> {
    let kept: Vec<usize> = groups.keys().copied().collect();
    let targets: Vec<&[String]> = kept.iter().map(|&index| dataset.perturbations()[index].targets()).collect();
    if config.split == SplitBy::Combinations && !targets.iter().any(|genes| genes.len() > 1) {
        return Err(PrepareError::NoCombinations);
    }
    let drawn = draw(config.split, config.held_out_share, &targets, seed);
    if config.split != SplitBy::Cells && drawn.len() == kept.len() {
        return Err(PrepareError::NothingToTrain { perturbations: kept.len(), share: config.held_out_share });
    }
    Ok(drawn.into_iter().map(|at| kept[at]).collect())
}

/// What the settings name.
fn named_held_out(dataset: &Dataset, config: &PrepareConfig) -> Result<BTreeSet<usize>, PrepareError> {
    let names: Vec<String> = dataset.perturbations().iter().map(Perturbation::name).collect();
    let find = |wanted: &String| {
        // `STAT1+JAK2` and `JAK2+STAT1` are one combination.
        let same = Perturbation::of(wanted.split('+').map(str::trim));
        let index = dataset.perturbations().iter().position(|perturbation| *perturbation == same);
        index.or_else(|| names.iter().position(|name| name == wanted)).ok_or_else(|| {
            let nearest = nearest(wanted, names.iter().map(String::as_str), 3);
            PrepareError::UnknownPerturbation {
                name: wanted.clone(),
                nearest: nearest.into_iter().map(str::to_owned).collect(),
            }
        })
    };
    config.held_out_perturbations.iter().map(find).collect()
}

fn apply(
    filter: Filter,
    dataset: &Dataset,
    controls: &[u32],
    groups: &mut Groups,
    progress: &dyn Progress,
) -> Result<Filtered, Cancelled> {
    let targets = |index: usize| dataset.perturbations()[index].targets();
    let mut cells = 0;
    let dropped = match filter {
        Filter::Unassigned => Vec::new(),
        Filter::UnmeasuredTarget => {
            drop_where(groups, |index, _| targets(index).iter().any(|target| dataset.genes().column(target).is_none()))
        }
        Filter::FewCells(least) | Filter::FewCellsLeft(least) => drop_where(groups, |_, cells| cells.len() < least),
        Filter::FewChangedGenes(least) => {
            let rows: Vec<Vec<u32>> = groups.values().cloned().collect();
            let changed = changed_genes(dataset, &rows, controls, progress)?;
            let few: BTreeSet<usize> =
                groups.keys().copied().zip(changed).filter(|(_, changed)| *changed < least).map(|(at, _)| at).collect();
            drop_where(groups, |index, _| few.contains(&index))
        }
        Filter::WeakKnockDown(share) => {
            let direction = f64::from(dataset.kind().direction());
            drop_where(groups, |index, cells| {
                let mut columns = targets(index).iter().filter_map(|target| dataset.genes().column(target));
                columns.any(|column| {
                    mean_change(dataset, column, cells, controls).is_some_and(|change| change * direction < share)
                })
            })
        }
        Filter::UnchangedCell => {
            let knock_down = KnockDown::measure(dataset, controls, progress)?;
            for rows in groups.values_mut() {
                progress.check()?;
                let before = rows.len();
                rows.retain(|&cell| knock_down.passes(dataset, cell));
                cells += before - rows.len();
            }
            drop_where(groups, |_, cells| cells.is_empty())
        }
    };
    let perturbations = dropped.iter().map(|(index, _)| dataset.perturbations()[*index].name()).collect();
    cells += dropped.iter().map(|(_, cells)| cells.len()).sum::<usize>();
    Ok(Filtered { filter, perturbations, cells })
}

/// Take out the groups that `unwanted` names.
fn drop_where(groups: &mut Groups, unwanted: impl Fn(usize, &[u32]) -> bool) -> Vec<(usize, Vec<u32>)> {
    groups.extract_if(.., |&index, cells| unwanted(index, cells)).collect()
}

fn note_filtered(dataset: &Dataset, filtered: &Filtered, notes: &mut Vec<String>) {
    let Filtered { filter, perturbations: names, cells } = filtered;
    let reason = filter.in_words(dataset.kind().direction() > 0.0);
    let cells_left_out = cells_in_words(*cells);
    match (filter, names.len()) {
        (Filter::Unassigned | Filter::UnchangedCell, _) => notes.push(format!("{cells_left_out} left out: {reason}")),
        // The usual limit on cells is always on: it is noted where it acts.
        (Filter::FewCellsLeft(_), 0) => {}
        (_, 0) => notes.push(format!("No perturbation left out: {reason}")),
        (_, count) => {
            let perturbations = if count == 1 { "perturbation" } else { "perturbations" };
            notes.push(format!(
                "{count} {perturbations} ({cells_left_out}) left out: {reason}: {}",
                list_in_words(names)
            ));
        }
    }
}

/// `1 cell`, `12 cells`.
pub(super) fn cells_in_words(count: usize) -> String {
    if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") }
}

/// The first twelve names, and how many more.
pub(super) fn list_in_words<S: AsRef<str>>(names: &[S]) -> String {
    const MOST: usize = 12;
    let shown: Vec<&str> = names.iter().take(MOST).map(AsRef::as_ref).collect();
    let more = names.len().saturating_sub(MOST);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}
