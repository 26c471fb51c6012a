//! Interactions in the cells of a screen.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{InteractionOptions, Measured, Within, needed};
use crate::data::{Categories, CellRole, CsrMatrix, Dataset, MatrixKind};
use crate::evaluation::interactions::additivity::{Condition, Deviations, LEVEL, Pair, test_pairs};
use crate::evaluation::interactions::{InteractionClass, Scores};
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::differential::benjamini_hochberg;
use crate::preprocess::normalise::log_normalise;

/// Counts that cells are scaled to, as for every other shift of the program.
const TARGET_SUM: f64 = 1e4;

type Found = (Vec<([String; 2], Measured)>, Vec<(String, String)>, String);

/// The interactions of those of `wanted` that `cells` of `dataset` tell of, the other pairs of the screen with the reason, and in
/// words what is compared with what.
pub(super) fn measure(
    dataset: &Dataset,
    cells: &[u32],
    wanted: &BTreeSet<[String; 2]>,
    options: &InteractionOptions,
    progress: &dyn Progress,
) -> anyhow::Result<Found> {
    let strata = strata(dataset, options.within);
    let words = match &strata {
        Some(categories) => format!("compared within each {}", categories.name),
        None => "compared with all control cells".to_owned(),
    };
    let perturbations = dataset.perturbations();
    let number = |targets: &[String]| perturbations.iter().position(|one| one.targets() == targets);
    let mut pairs: Vec<([String; 2], [usize; 3])> = Vec::new();
    let mut left_out = Vec::new();
    for targets in wanted {
        // Of pairs that nobody made there is nothing to say.
        let Some(both) = number(targets) else { continue };
        let singles = [0, 1].map(|at| number(&targets[at..=at]));
        match singles {
            [Some(a), Some(b)] => pairs.push((targets.clone(), [a, b, both])),
            _ => {
                let missing = if singles[0].is_none() { &targets[0] } else { &targets[1] };
                left_out.push((targets.join("+"), format!("{missing} was not perturbed alone")));
            }
        }
    }
    if pairs.is_empty() {
        return Ok((Vec::new(), left_out, words));
    }

    progress.stage("Measuring shifts", None);
    let used: BTreeSet<usize> = pairs.iter().flat_map(|(_, numbers)| *numbers).collect();
    let in_use = |cell: &u32| match dataset.roles()[*cell as usize] {
        CellRole::Control => true,
        CellRole::Perturbed(index) => used.contains(&(index as usize)),
        CellRole::Unassigned => false,
    };
    let cells: Vec<u32> = cells.iter().copied().filter(in_use).collect();
    let expression = log_expression(dataset, &cells, progress)?;
    let level_count = strata.map_or(1, |categories| categories.levels.len() + 1);
    let mut rows: BTreeMap<Option<usize>, Vec<Vec<u32>>> = BTreeMap::new();
    for (row, &cell) in cells.iter().enumerate() {
        let role = dataset.roles()[cell as usize].perturbation();
        let code = strata.and_then(|categories| categories.codes[cell as usize]);
        let stratum = code.map_or(level_count - 1, |code| code as usize);
        rows.entry(role).or_insert_with(|| vec![Vec::new(); level_count])[stratum].push(row as u32);
    }
    progress.check()?;
    let condition = |role: Option<usize>| {
        let empty = || vec![Vec::new(); level_count];
        Condition::new(&expression, rows.get(&role).cloned().unwrap_or_else(empty))
    };
    let control = condition(None);
    let conditions: BTreeMap<usize, Condition> =
        used.into_par_iter().map(|role| (role, condition(Some(role)))).collect::<Vec<_>>().into_iter().collect();
    let names: Vec<String> = pairs.iter().map(|(targets, _)| targets.join("+")).collect();
    let columns = |targets: &[String; 2]| -> Vec<u32> {
        targets.iter().filter_map(|gene| dataset.genes().column(gene)).map(|column| column as u32).collect()
    };
    let targets: Vec<Vec<u32>> = pairs.iter().map(|(targets, _)| columns(targets)).collect();
    let of = |at: usize| {
        let [a, b, both] = pairs[at].1.map(|role| &conditions[&role]);
        Pair { name: &names[at], control: &control, singles: [a, b], both, left_out: &targets[at] }
    };
    progress.stage("Comparing pairs with their singles", None);
    let all: Vec<Option<Deviations>> = (0..pairs.len())
        .into_par_iter()
        .map(|at| {
            progress.check()?;
            Ok(Deviations::of(&of(at), 1.0 / std::f64::consts::LN_2))
        })
        .collect::<Result<_, Cancelled>>()?;
    let (mut judged, mut found) = (Vec::new(), Vec::new());
    for (at, deviations) in all.into_iter().enumerate() {
        match deviations {
            Some(deviations) => {
                judged.push(at);
                found.push(deviations);
            }
            None => left_out.push((names[at].clone(), few(&of(at), strata))),
        }
    }
    let asked: Vec<Pair<'_>> = judged.iter().map(|&at| of(at)).collect();
    let p = test_pairs(&expression, &asked, &found, options.seed, progress)?;
    let adjusted = benjamini_hochberg(&p);
    let measured = judged.par_iter().zip(found).zip(p.into_par_iter().zip(adjusted)).map(
        |((&at, deviations), (p, adjusted_p))| {
            progress.check()?;
            let take =
                |list: &[f32]| deviations.responding.iter().map(|&gene| list[gene as usize]).collect::<Vec<f32>>();
            let [a, b, both] = deviations.shifts.each_ref().map(|list| take(list));
            let scores = Scores::of([&a, &b], &both, options.seed);
            let class = InteractionClass::of(&scores, adjusted_p < LEVEL);
            Ok((pairs[at].0.clone(), Measured { deviations, p, adjusted_p, scores, class }))
        },
    );
    Ok((measured.collect::<Result<_, Cancelled>>()?, left_out, words))
}

/// The categories whose levels are kept apart; none where there is one level only.
fn strata(dataset: &Dataset, within: Within) -> Option<&Categories> {
    let categories = match within {
        Within::CellType => dataset.cell_type(),
        Within::Batch => dataset.batch(),
        Within::Nothing => None,
    };
    categories.filter(|categories| categories.levels.len() > 1)
}

/// Natural logarithm of 1 + normalised counts, of `cells` in their order.
fn log_expression(dataset: &Dataset, cells: &[u32], progress: &dyn Progress) -> Result<CsrMatrix, Cancelled> {
    match dataset.matrix_kind() {
        MatrixKind::LogNormalised => Ok(dataset.matrix().select_rows(cells)),
        _ => log_normalise(dataset.matrix(), cells, TARGET_SUM, progress),
    }
}

/// Why a pair has too few cells.
fn few(pair: &Pair<'_>, strata: Option<&Categories>) -> String {
    let [control, a, b, both] = [pair.control, pair.singles[0], pair.singles[1], pair.both].map(Condition::cells);
    let within = strata.map_or(String::new(), |categories| format!(" in one and the same {}", categories.name));
    format!("it takes {}{within}; there are {both}, {a} and {b}, and {control}", needed())
}
