//! What chance makes of direct shifts: the same score with shuffled labels.
//!
//! The score of an edge is the direct shift that the network is aligned with, not the logit that training makes of it: its null needs
//! no training, is on its own scale to the last digit, and tells of the data, the same for every member of an ensemble and however long
//! was trained.
//!
//! Labels are shuffled between the cells of each perturbation and the control cells, as in a permutation test of two samples: where a
//! target does not respond to the regulator, its counts have the same distribution in both, and every labelling is as likely as the true
//! one. Shuffled among all cells, control would have the effects of all other perturbations in it, and the null would be wider; among
//! control cells alone, groups would be smaller than they are, and at few counts per cell the null too narrow.

use rand::seq::index;

use super::direct_parts;
use super::shifts::{Groups, Measured};
use crate::evaluation::false_discovery::AgainstNull;
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::{PreparedScreen, Split};
use crate::random::{self, Rng};

const STAGE: &str = "Testing edges against shuffled labels";

/// False discovery rate (q value) of the direct shift of every edge in the training cells of `screen`, T × T, row = regulator; NaN for
/// what was not tested: a gene and itself, targets that were not measured, regulators of which no two training cells are perturbed.
/// None where nothing is tested, or `shuffles` is 0.
///
/// For each of `shuffles` null networks every perturbation is drawn anew from its own and the control cells, as large as it is, within
/// batches where the data set tells them; the cells left are its control. What is tested is whether the target responds at all to the
/// regulator's perturbation, directly or by way of other genes. See [`AgainstNull`] for how scores become rates, and its sources.
///
/// # Errors
/// If cancelled.
pub fn false_discovery_rates(
    screen: &PreparedScreen,
    shuffles: usize,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Option<Vec<f32>>, Cancelled> {
    if shuffles == 0 {
        return Ok(None);
    }
    progress.stage(STAGE, Some(0.0));
    progress.check()?;
    let treatments = screen.treatments.len();
    let cells: Vec<u32> =
        (0..).zip(&screen.splits).filter(|(_, is)| **is == Split::Training).map(|(cell, _)| cell).collect();
    let measured = Measured::of(screen, &cells);
    let groups = Groups::of_cells(screen, &cells);
    let shifts = measured.shifts(&groups);
    let targets = || (0..treatments as u32).filter(|target| screen.treatment_columns[*target as usize].is_some());
    let tested: Vec<(u32, u32)> = (0..treatments as u32)
        .filter(|regulator| shifts[*regulator as usize].is_some())
        .flat_map(|regulator| targets().map(move |target| (regulator, target)))
        .filter(|(regulator, target)| regulator != target)
        .collect();
    if tested.is_empty() {
        return Ok(None);
    }
    let scores = |shifts: Vec<Option<Vec<f64>>>| -> Vec<f64> {
        let direct = direct_parts(&shifts);
        drop(shifts);
        tested.iter().map(|&(regulator, target)| direct[regulator as usize][target as usize]).collect()
    };
    let mut against = AgainstNull::new(&scores(shifts));
    let (strata, control) = (Strata::of(&groups, &batches(screen, &cells)), measured.sums(&groups.control));
    for shuffle in 0..shuffles {
        progress.stage(STAGE, Some(shuffle as f32 / shuffles as f32));
        progress.check()?;
        let mut random = random::stream(seed, &format!("labels, shuffle {}", shuffle + 1));
        let shifts = measured.redrawn(&groups, &control, &strata.draw(&mut random));
        progress.check()?;
        against.add_shuffle(scores(shifts));
    }
    let mut rates = vec![f32::NAN; treatments * treatments];
    for (&(regulator, target), rate) in tested.iter().zip(against.q_values()) {
        rates[regulator as usize * treatments + target as usize] = rate as f32;
    }
    Ok(Some(rates))
}

/// The batch of each cell; all the same where there are no batches.
fn batches(screen: &PreparedScreen, cells: &[u32]) -> Vec<usize> {
    let Some(batch) = screen.dataset.batch() else { return vec![0; cells.len()] };
    // Cells without a batch are one more.
    let code = |cell: &u32| batch.codes[screen.cells[*cell as usize] as usize];
    cells.iter().map(|cell| code(cell).map_or(batch.levels.len(), |code| code as usize)).collect()
}

/// Cells by batch.
struct Strata {
    control: Vec<Vec<u32>>,
    /// Of each treatment, for the batches in which it has cells: the batch, and the cells.
    treated: Vec<Vec<(usize, Vec<u32>)>>,
}

impl Strata {
    fn of(groups: &Groups, batches: &[usize]) -> Self {
        let by_batch = |cells: &[u32]| -> Vec<Vec<u32>> {
            let mut of_batch = vec![Vec::new(); batches.iter().max().map_or(0, |last| last + 1)];
            cells.iter().for_each(|&cell| of_batch[batches[cell as usize]].push(cell));
            of_batch
        };
        let treated = groups.treated.iter();
        let filled = |cells: &Vec<u32>| by_batch(cells).into_iter().enumerate().filter(|(_, cells)| !cells.is_empty());
        Self { control: by_batch(&groups.control), treated: treated.map(|cells| filled(cells).collect()).collect() }
    }

    /// Of each treatment as many cells of every batch as it has, from its own and the control cells.
    fn draw(&self, random: &mut Rng) -> Vec<Vec<u32>> {
        let mut of_batch = |(batch, own): &(usize, Vec<u32>)| -> Vec<u32> {
            let control = &self.control[*batch];
            let places = index::sample(random, own.len() + control.len(), own.len()).into_iter();
            places.map(|at| own.get(at).copied().unwrap_or_else(|| control[at - own.len()])).collect()
        };
        self.treated.iter().map(|batches| batches.iter().flat_map(&mut of_batch).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::simulate::{SimulateConfig, Simulated, simulate};
    use crate::jobs::Silent;
    use crate::preprocess::{PrepareConfig, prepare};

    fn screen(seed: u64) -> (Simulated, PreparedScreen) {
        let config = SimulateConfig {
            cells: 900,
            genes: 60,
            perturbations: 15,
            combinations: 3,
            seed,
            ..SimulateConfig::default()
        };
        let simulated = simulate(&config, &Silent).unwrap();
        let screen = prepare(&Arc::new(simulated.dataset.clone()), &PrepareConfig::default(), seed, &Silent).unwrap();
        (simulated, screen)
    }

    #[test]
    fn a_perturbation_is_drawn_from_its_own_and_the_control_cells_of_the_same_batches() {
        let treated = vec![(20..26).collect(), vec![26], vec![], (27..29).collect()];
        let groups = Groups { control: (0..20).collect(), treated };
        // Controls of two batches; the last perturbation is in a third, which has none.
        let batch = |cell: usize| match cell {
            0..14 | 20..24 => 0,
            14..27 => 1,
            _ => 2,
        };
        let batches: Vec<usize> = (0..29).map(batch).collect();
        let strata = Strata::of(&groups, &batches);
        let mut of_control = 0;
        for seed in 0..20 {
            let drawn = strata.draw(&mut random::stream(seed, "test"));
            let sizes: Vec<usize> = drawn.iter().map(Vec::len).collect();
            assert_eq!(sizes, [6, 1, 0, 2]);
            let in_batch =
                |group: usize, which| drawn[group].iter().filter(|cell| batch(**cell as usize) == which).count();
            assert_eq!([in_batch(0, 0), in_batch(0, 1), in_batch(1, 1)], [4, 2, 1]);
            let distinct: std::collections::BTreeSet<&u32> = drawn[0].iter().collect();
            assert!(distinct.len() == 6 && distinct.iter().all(|cell| **cell < 26));
            of_control += drawn[0].iter().filter(|cell| **cell < 20).count();
        }
        // 14 of 18 and 6 of 8 cells are control: 92 of 120.
        assert!((80..=104).contains(&of_control), "{of_control}");
    }

    #[test]
    fn labels_as_they_are_give_the_shifts_as_they_are() {
        let (_, screen) = screen(2);
        let cells: Vec<u32> = (0..screen.cells.len() as u32).collect();
        let (measured, groups) = (Measured::of(&screen, &cells), Groups::of_cells(&screen, &cells));
        let again = measured.redrawn(&groups, &measured.sums(&groups.control), &groups.treated);
        for (found, again) in measured.shifts(&groups).into_iter().flatten().zip(again.into_iter().flatten()) {
            assert!(found.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-6 * (1.0 + a)));
        }
    }

    #[test]
    fn what_was_not_perturbed_or_measured_is_not_tested() {
        let (_, mut screen) = screen(3);
        let treatments = screen.treatments.len();
        screen.treatment_columns[2] = None;
        let rates = false_discovery_rates(&screen, 5, 1, &Silent).unwrap().unwrap();
        assert_eq!(rates.len(), treatments * treatments);
        for (at, rate) in rates.iter().enumerate() {
            let (regulator, target) = (at / treatments, at % treatments);
            let tested = regulator != target && target != 2 && regulator < screen.perturbed_treatments;
            assert_eq!(!rate.is_nan(), tested, "{regulator} → {target}");
            assert!(rate.is_nan() || (*rate > 0.0 && *rate <= 1.0));
        }
        assert_eq!(false_discovery_rates(&screen, 0, 1, &Silent).unwrap(), None);
        let again = false_discovery_rates(&screen, 5, 1, &Silent).unwrap().unwrap();
        assert!(rates.iter().zip(again).all(|(a, b)| a.to_bits() == b.to_bits()));
        // Without control cells nothing is known.
        screen.dosages.iter_mut().filter(|dosages| dosages.is_empty()).for_each(|dosages| dosages.push(0));
        assert_eq!(false_discovery_rates(&screen, 5, 1, &Silent).unwrap(), None);
    }

    #[test]
    fn few_of_the_edges_found_are_false() {
        let (mut found, mut unreachable) = (0, 0);
        for seed in 1..=4 {
            let (simulated, screen) = screen(seed);
            let known = crate::network::known::KnownEdges::from(&simulated.truth);
            let rates = false_discovery_rates(&screen, 20, 1, &Silent).unwrap().unwrap();
            let symbols = &screen.treatments;
            for (regulator, rates) in symbols.iter().zip(rates.chunks_exact(symbols.len())) {
                let reachable = known.reachable(regulator);
                let best = symbols.iter().zip(rates).filter(|(_, rate)| **rate <= 0.1);
                best.for_each(|(target, _)| {
                    found += 1;
                    unreachable += usize::from(!reachable.contains(target.as_str()));
                });
            }
        }
        assert!(found >= 40 && unreachable * 10 <= found, "{unreachable} of {found}");
    }
}
