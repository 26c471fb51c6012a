//! Which conditions and cells take part: controls, and cells of the perturbations that pass every rule asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::knock_down::KnockDown;
use super::prepare::{PrepareConfig, PrepareError};
use crate::data::{Dataset, Perturbation, nearest};
use crate::jobs::Progress;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selection {
    /// Rows of the data set, ascending.
    pub cells: Vec<u32>,
    /// The control first, then the kept perturbations in the data set's order.
    pub conditions: Vec<Condition>,
}

impl Selection {
    /// Choose by the rules of `config`; what is left out goes to `notes` with counts.
    pub fn choose(
        dataset: &Dataset,
        config: &PrepareConfig,
        notes: &mut Vec<String>,
        progress: &dyn Progress,
    ) -> Result<Self, PrepareError> {
        let held_out = held_out(dataset, config)?;
        let controls = dataset.control_cells();
        if controls.is_empty() {
            return Err(PrepareError::NoControls);
        }
        let unassigned = dataset.unassigned_cells().len();
        if unassigned > 0 {
            notes.push(format!("{} left out: no guide could be assigned", cells_in_words(unassigned)));
        }
        let mut groups: BTreeMap<usize, Vec<u32>> = dataset.cells_by_perturbation().into_iter().enumerate().collect();
        groups.retain(|&index, cells| {
            // The empty combination is no perturbation, and one without cells has nothing to say.
            !cells.is_empty() && !dataset.perturbations()[index].targets().is_empty()
        });
        if config.measured_targets_only {
            drop_unmeasured(dataset, &mut groups, notes);
        }
        if config.require_knock_down {
            drop_unchanged_cells(dataset, &controls, &mut groups, notes, progress)?;
        }
        drop_small(dataset, config.minimum_cells, &mut groups, notes);
        if groups.is_empty() {
            return Err(PrepareError::NoPerturbations { minimum: config.minimum_cells });
        }
        for index in held_out.iter().filter(|index| !groups.contains_key(index)) {
            notes.push(format!("{} was to be held out but is left out", dataset.perturbations()[*index].name()));
        }
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
        Ok(Self { cells, conditions })
    }

    /// The control.
    pub fn control(&self) -> &Condition {
        &self.conditions[0]
    }

    /// The kept perturbations.
    pub fn perturbed(&self) -> &[Condition] {
        &self.conditions[1..]
    }

    /// Targets of the kept perturbations, sorted.
    pub fn targets(&self, dataset: &Dataset) -> Vec<String> {
        let indices = self.perturbed().iter().filter_map(|condition| condition.perturbation);
        let targets = indices.flat_map(|index| dataset.perturbations()[index].targets());
        targets.cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Positions among `treatments` (sorted) of what each kept cell received.
    pub fn dosages(&self, dataset: &Dataset, treatments: &[String]) -> Vec<Vec<u32>> {
        let mut dosages = vec![Vec::new(); self.cells.len()];
        for condition in self.perturbed() {
            let targets = condition.perturbation.map_or(&[][..], |index| dataset.perturbations()[index].targets());
            let received: Vec<u32> = targets
                .iter()
                .filter_map(|target| treatments.binary_search(target).ok())
                .map(|position| position as u32)
                .collect();
            for &cell in &condition.cells {
                dosages[cell as usize].clone_from(&received);
            }
        }
        dosages
    }
}

fn held_out(dataset: &Dataset, config: &PrepareConfig) -> Result<BTreeSet<usize>, PrepareError> {
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

fn drop_unmeasured(dataset: &Dataset, groups: &mut BTreeMap<usize, Vec<u32>>, notes: &mut Vec<String>) {
    let measured = |index: usize| {
        let targets = dataset.perturbations()[index].targets();
        targets.iter().all(|target| dataset.genes().column(target).is_some())
    };
    let dropped = drop_where(groups, |index, _| !measured(index));
    note_dropped(dataset, &dropped, "target not measured", notes);
}

fn drop_small(dataset: &Dataset, minimum: usize, groups: &mut BTreeMap<usize, Vec<u32>>, notes: &mut Vec<String>) {
    let dropped = drop_where(groups, |_, cells| cells.len() < minimum);
    note_dropped(dataset, &dropped, &format!("fewer than {minimum} cells"), notes);
}

fn drop_unchanged_cells(
    dataset: &Dataset,
    controls: &[u32],
    groups: &mut BTreeMap<usize, Vec<u32>>,
    notes: &mut Vec<String>,
    progress: &dyn Progress,
) -> Result<(), PrepareError> {
    let knock_down = KnockDown::measure(dataset, controls, progress)?;
    let (mut before, mut after) = (0, 0);
    for cells in groups.values_mut() {
        progress.check()?;
        before += cells.len();
        cells.retain(|&cell| knock_down.passes(dataset, cell));
        after += cells.len();
    }
    if before > after {
        notes.push(format!("{} left out: {}", cells_in_words(before - after), knock_down.in_words()));
    }
    Ok(())
}

/// Take out the groups that `unwanted` names.
fn drop_where(
    groups: &mut BTreeMap<usize, Vec<u32>>,
    unwanted: impl Fn(usize, &[u32]) -> bool,
) -> Vec<(usize, Vec<u32>)> {
    groups.extract_if(.., |&index, cells| unwanted(index, cells)).collect()
}

fn note_dropped(dataset: &Dataset, dropped: &[(usize, Vec<u32>)], reason: &str, notes: &mut Vec<String>) {
    if dropped.is_empty() {
        return;
    }
    let names: Vec<String> = dropped.iter().map(|(index, _)| dataset.perturbations()[*index].name()).collect();
    let cells: usize = dropped.iter().map(|(_, cells)| cells.len()).sum();
    notes.push(format!(
        "{} {} ({}) left out: {reason}: {}",
        names.len(),
        if names.len() == 1 { "perturbation" } else { "perturbations" },
        cells_in_words(cells),
        list_in_words(&names)
    ));
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
