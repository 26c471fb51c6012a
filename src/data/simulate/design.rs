//! Which genes are perturbed, how well, and what each cell is.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::{Beta, Distribution, StandardNormal};

use super::SimulateConfig;
use super::wiring::Wiring;
use crate::data::CellRole;
use crate::random;

/// One condition other than control.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// Perturbed columns with the efficiency of each.
    pub targets: Vec<(usize, f64)>,
}

/// The experiment before it is done.
#[derive(Clone, Debug)]
pub(super) struct Design {
    /// Single perturbations sorted by column, then combinations.
    pub conditions: Vec<Condition>,
    /// What each cell's label says.
    pub roles: Vec<CellRole>,
    /// What each cell really is: as its label says, but for unassigned cells.
    pub truth: Vec<CellRole>,
}

impl Design {
    pub fn draw(config: &SimulateConfig, wiring: &Wiring) -> Self {
        let conditions = conditions(config, wiring);
        let (roles, truth) = roles(config, conditions.len());
        Self { conditions, roles, truth }
    }
}

fn conditions(config: &SimulateConfig, wiring: &Wiring) -> Vec<Condition> {
    let rng = &mut random::stream(config.seed, "simulate perturbations");
    // A regulator is perturbed the more likely, the more targets it has.
    let mut keys: Vec<(f64, usize)> = wiring
        .out_degrees()
        .into_iter()
        .enumerate()
        .map(|(at, degree)| ((1.0 - rng.random::<f64>()).ln() / degree as f64, at))
        .collect();
    keys.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut columns: Vec<usize> =
        keys.iter().take(config.perturbations - config.bystanders()).map(|&(_, column)| column).collect();
    let mut others: Vec<usize> = (wiring.regulators..config.genes - config.quality_genes).collect();
    others.shuffle(rng);
    columns.extend(others.iter().take(config.bystanders()));
    columns.sort_unstable();

    let mut idle: Vec<usize> = columns.clone();
    idle.shuffle(rng);
    idle.truncate(config.ineffective_perturbations);
    let efficiencies: Vec<f64> = columns
        .iter()
        .map(|column| {
            let drawn = efficiency(config, rng);
            if idle.contains(column) { 0.0 } else { drawn }
        })
        .collect();
    let single = |at: usize| (columns[at], efficiencies[at]);
    let mut conditions: Vec<Condition> = (0..columns.len()).map(|at| Condition { targets: vec![single(at)] }).collect();

    let mut pairs = std::collections::BTreeSet::new();
    while pairs.len() < config.combinations {
        let (a, b) = (rng.random_range(0..columns.len()), rng.random_range(0..columns.len()));
        if a != b {
            pairs.insert((a.min(b), a.max(b)));
        }
    }
    conditions.extend(pairs.into_iter().map(|(a, b)| Condition { targets: vec![single(a), single(b)] }));
    conditions
}

/// An efficiency between 0 and 1 with the set mean and spread (a beta distribution; its spread has an upper bound).
fn efficiency(config: &SimulateConfig, rng: &mut random::Rng) -> f64 {
    let mean = config.efficiency_mean;
    let widest = mean * (1.0 - mean);
    let variance = config.efficiency_spread.powi(2).min(0.9 * widest);
    if variance < 1e-12 {
        return mean;
    }
    let size = widest / variance - 1.0;
    Beta::new(mean * size, (1.0 - mean) * size).map_or(mean, |beta| beta.sample(rng))
}

/// Labels and truth of all cells, in random order. Every condition gets at least one cell, the others by a log-normal
/// weight: no screen is even.
fn roles(config: &SimulateConfig, conditions: usize) -> (Vec<CellRole>, Vec<CellRole>) {
    let rng = &mut random::stream(config.seed, "simulate labels");
    let weights: Vec<f64> =
        (0..conditions).map(|_| (0.25 * Distribution::<f64>::sample(&StandardNormal, rng)).exp()).collect();
    let total: f64 = weights.iter().sum();
    let spare = (config.perturbed_cells() - conditions) as f64;
    let mut roles = vec![CellRole::Control; config.control_cells()];
    let (mut due, mut given) = (0.0, 0);
    for (condition, weight) in weights.iter().enumerate() {
        due += spare * weight / total;
        let upto = if condition + 1 == conditions { spare as usize } else { due.round() as usize };
        roles.extend(std::iter::repeat_n(CellRole::Perturbed(condition as u32), 1 + upto - given));
        given = upto;
    }
    let assigned = roles.len();
    for _ in 0..config.unassigned_cells() {
        roles.push(roles[rng.random_range(0..assigned)]);
    }
    let mut cells: Vec<usize> = (0..roles.len()).collect();
    cells.shuffle(rng);
    let label = |&cell: &usize| if cell < assigned { roles[cell] } else { CellRole::Unassigned };
    (cells.iter().map(label).collect(), cells.iter().map(|&cell| roles[cell]).collect())
}
