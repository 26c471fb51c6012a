//! Which guide each cell got.
//!
//! Cells that escaped were drawn before; here they are shared out: guides of one target differ in how often cells escape them.

use rand::RngExt as _;
use rand_distr::{Distribution as _, LogNormal};

use super::cells::CellFacts;
use super::config::SimulateConfig;
use crate::data::{Categories, CellRole, Perturbation};
use crate::random;

/// Spread of the odds that a cell escapes, from guide to guide of one target.
const ESCAPE_SPREAD: f64 = 1.0;
/// The control's.
const NON_TARGETING: &str = "non-targeting";

/// Guides by name, `STAT1_g2`; of a combination one of each target. None if each target has one.
pub(super) fn draw(
    config: &SimulateConfig,
    perturbations: &[Perturbation],
    roles: &[CellRole],
    facts: &[CellFacts],
) -> Option<Categories> {
    if config.guides < 2 {
        return None;
    }
    let rng = &mut random::stream(config.seed, "simulate guides");
    let spread = LogNormal::new(0.0, ESCAPE_SPREAD).expect("the spread is finite");
    let mut levels: Vec<String> = Vec::new();
    // The first guide of each perturbation, and how the cells that escaped are shared out among its guides.
    let mut of_perturbation = Vec::with_capacity(perturbations.len());
    for perturbation in perturbations {
        let names = names(perturbation, config.guides);
        let odds: Vec<f64> = names.iter().map(|_| spread.sample(rng)).collect();
        of_perturbation.push((levels.len() as u32, odds));
        levels.extend(names);
    }
    let control = levels.len() as u32;
    levels.extend((1..=config.guides).map(|guide| format!("{NON_TARGETING}_g{guide}")));
    let mut one = |weights: &[f64]| -> u32 {
        let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
        let reached = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        reached.unwrap_or(0) as u32
    };
    let codes = roles.iter().zip(facts).map(|(role, facts)| match role {
        CellRole::Unassigned => None,
        CellRole::Control => Some(control + one(&vec![1.0; config.guides])),
        CellRole::Perturbed(index) => {
            let (first, odds) = &of_perturbation[*index as usize];
            Some(first + if facts.escaped { one(odds) } else { one(&vec![1.0; odds.len()]) })
        }
    });
    Some(Categories { name: "guide".to_owned(), codes: codes.collect(), levels })
}

/// One guide of each target, in every combination.
fn names(perturbation: &Perturbation, guides: usize) -> Vec<String> {
    let mut names = vec![String::new()];
    for target in perturbation.targets() {
        let joined = |name: &String| if name.is_empty() { String::new() } else { format!("{name}+") };
        let with = |name: &String| (1..=guides).map(|guide| format!("{}{target}_g{guide}", joined(name))).collect();
        names = names.iter().flat_map(|name| -> Vec<String> { with(name) }).collect();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::simulate::simulate;
    use crate::jobs::Silent;

    #[test]
    fn every_assigned_cell_has_a_guide_of_its_targets_and_guides_differ_in_escape() {
        let config =
            SimulateConfig { escape_share: 0.3, cells: 4000, combinations: 2, guides: 3, ..SimulateConfig::small() };
        let simulated = simulate(&config, &Silent).unwrap();
        let dataset = &simulated.dataset;
        let guides = dataset.guide().expect("guides");
        let perturbations = dataset.perturbations();
        let (mut escaped, mut all) = (vec![0.0; guides.levels.len()], vec![0.0; guides.levels.len()]);
        for ((code, role), facts) in guides.codes.iter().zip(dataset.roles()).zip(&simulated.cell_facts) {
            let name = code.map(|code| guides.levels[code as usize].as_str());
            match role {
                CellRole::Unassigned => assert_eq!(name, None),
                CellRole::Control => assert!(name.is_some_and(|name| name.starts_with("non-targeting_g"))),
                CellRole::Perturbed(index) => {
                    let of: Vec<&str> =
                        name.unwrap().split('+').map(|guide| guide.rsplit_once("_g").unwrap().0).collect();
                    assert_eq!(of, perturbations[*index as usize].targets());
                    all[code.unwrap() as usize] += 1.0;
                    escaped[code.unwrap() as usize] += f64::from(u8::from(facts.escaped));
                }
            }
        }
        assert_eq!(guides.levels.len(), 8 * 3 + 2 * 9 + 3);
        let shares: Vec<f64> = (0..24).map(|guide| escaped[guide] / all[guide]).collect();
        let spread = shares.iter().fold([1.0f64, 0.0], |[low, high], &share| [low.min(share), high.max(share)]);
        assert!(spread[0] < 0.15 && spread[1] > 0.45, "{shares:?}");
        // The counts are those of a screen without guides.
        let without = simulate(&SimulateConfig { guides: 1, ..config }, &Silent).unwrap().dataset;
        assert_eq!((without.guide(), without.hash()), (None, dataset.hash()));
    }
}
