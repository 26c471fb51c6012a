//! The cells: their levels, then the counts that are seen of them.

use rand::RngExt;
use rand_distr::{Distribution, Gamma, Poisson, StandardNormal};

use super::SimulateConfig;
use super::design::Design;
use super::kinetics::Kinetics;
use super::wiring::Wiring;
use crate::data::{CellRole, PerturbationKind};
use crate::random::{self, Rng};

/// Shares of all transcripts of an unperturbed cell that are mitochondrial, ribosomal, from haemoglobin.
const QUALITY_SHARES: [f64; 3] = [0.06, 0.12, 0.003];
/// Independent states a cell is in (cycle, stress, …).
const STATES: usize = 2;

/// What is known of a simulated cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellFacts {
    /// The number of counts that was aimed at.
    pub library_size: f32,
    /// A dying cell: few counts, many of them mitochondrial.
    pub low_quality: bool,
    /// Two cells in one droplet; the label is that of the first.
    pub doublet: bool,
    /// The cell was perturbed, but at least one of its guides did nothing in it.
    pub escaped: bool,
    /// Its batch.
    pub batch: u32,
    /// What the cell really is: differs from its label where that is "unassigned".
    pub role: CellRole,
}

/// Everything a cell is drawn from.
pub(super) struct Source<'a> {
    config: &'a SimulateConfig,
    design: &'a Design,
    kinetics: Kinetics,
    mitochondrial: std::ops::Range<usize>,
    /// Level of each gene in an unperturbed cell, summing to 1.
    levels: Vec<f64>,
    /// Weight of each gene in each state of a cell: states × genes.
    loadings: Vec<f64>,
    /// Capture of each gene in each batch: batches × genes.
    capture: Vec<f64>,
    /// Steady state of the average cell of each condition: where the integration of its cells begins.
    starts: Vec<Vec<f64>>,
}

/// One cell's relative levels, before it is counted.
struct Expression {
    /// Share of each gene in the transcripts, summing to 1.
    shares: Vec<f64>,
    escaped: bool,
}

impl<'a> Source<'a> {
    pub fn new(config: &'a SimulateConfig, wiring: &Wiring, design: &'a Design) -> Self {
        let genes = config.genes;
        let rng = &mut random::stream(config.seed, "simulate genes");
        let mut levels = log_normal(genes, config.expression_spread, rng);
        let ranges = [&wiring.mitochondrial, &wiring.ribosomal, &wiring.haemoglobin];
        let ordinary: f64 = levels[..genes - config.quality_genes].iter().sum();
        let present = |range: &std::ops::Range<usize>, share: f64| if range.is_empty() { 0.0 } else { share };
        let shares: Vec<f64> = ranges.iter().zip(QUALITY_SHARES).map(|(range, share)| present(range, share)).collect();
        let rest = 1.0 - if ordinary > 0.0 { shares.iter().sum() } else { 0.0 };
        levels[..genes - config.quality_genes].iter_mut().for_each(|level| *level *= rest / ordinary);
        for (range, share) in ranges.into_iter().zip(shares) {
            let sum: f64 = levels[range.clone()].iter().sum();
            levels[range.clone()].iter_mut().for_each(|level| *level *= share / sum);
        }
        let normal: Vec<f64> = StandardNormal.sample_iter(&mut *rng).take(STATES * genes).collect();
        let spread = config.state_variation / (STATES as f64).sqrt();
        let loadings = normal.into_iter().map(|weight| weight * spread).collect();
        let rng = &mut random::stream(config.seed, "simulate batches");
        let capture = log_normal(config.batches * genes, config.batch_effect, rng);
        let mut source = Self {
            config,
            design,
            kinetics: Kinetics::new(config, wiring),
            mitochondrial: wiring.mitochondrial.clone(),
            levels,
            loadings,
            capture,
            starts: Vec::new(),
        };
        let normal_cell = vec![1.0; genes];
        let start = |condition: &super::design::Condition| {
            let mut production = normal_cell.clone();
            for &(target, efficiency) in &condition.targets {
                production[target] *= source.perturbed(efficiency);
            }
            source.kinetics.steady_state(&production, &normal_cell)
        };
        source.starts = design.conditions.iter().map(start).collect();
        source.starts.push(normal_cell.clone());
        source
    }

    /// Draw `cell`: its non-zero counts (column, count) and its facts.
    pub fn cell(&self, cell: usize) -> (Vec<(u32, f32)>, CellFacts) {
        let config = self.config;
        let rng = &mut random::stream(config.seed, &format!("simulate cell {cell}"));
        let role = self.design.truth[cell];
        let batch = rng.random_range(0..config.batches);
        let low_quality = rng.random_bool(config.low_quality_share);
        let doublet = rng.random_bool(config.doublet_share);
        let mut expression = self.expression(role, rng);
        let mut library = self.library(rng);
        if doublet {
            let partner = self.design.truth[rng.random_range(0..self.design.truth.len())];
            let other = self.expression(partner, rng);
            let other_library = self.library(rng);
            for (share, other) in expression.shares.iter_mut().zip(&other.shares) {
                *share = (*share * library + other * other_library) / (library + other_library);
            }
            library += other_library;
        }
        if low_quality {
            library *= 0.1 + 0.25 * rng.random::<f64>();
            let wanted = 0.25 + 0.25 * rng.random::<f64>();
            self.leak(&mut expression.shares, wanted);
        }
        let capture = &self.capture[batch * config.genes..(batch + 1) * config.genes];
        expression.shares.iter_mut().zip(capture).for_each(|(share, capture)| *share *= capture);
        let total: f64 = expression.shares.iter().sum();
        let mut counts = Vec::with_capacity(config.genes);
        for (column, share) in expression.shares.iter().enumerate() {
            let count = negative_binomial(library * share / total, config.dispersion, rng);
            if count > 0.0 {
                counts.push((column as u32, count as f32));
            }
        }
        let escaped = expression.escaped;
        let library_size = library as f32;
        (counts, CellFacts { library_size, low_quality, doublet, escaped, batch: batch as u32, role })
    }

    fn expression(&self, role: CellRole, rng: &mut Rng) -> Expression {
        let config = self.config;
        let states: [f64; STATES] = std::array::from_fn(|_| StandardNormal.sample(rng));
        let mut production: Vec<f64> = (0..config.genes)
            .map(|gene| {
                let own: f64 = StandardNormal.sample(rng);
                let shared: f64 =
                    states.iter().enumerate().map(|(at, state)| state * self.loadings[at * config.genes + gene]).sum();
                (config.cell_variation * own + shared).exp()
            })
            .collect();
        let mut escaped = false;
        if let Some(condition) = role.perturbation() {
            for &(target, efficiency) in &self.design.conditions[condition].targets {
                if rng.random_bool(config.escape_share) {
                    escaped = true;
                } else {
                    production[target] *= self.perturbed(efficiency);
                }
            }
        }
        let start = role.perturbation().unwrap_or(self.starts.len() - 1);
        let mut shares = self.kinetics.steady_state(&production, &self.starts[start]);
        shares.iter_mut().zip(&self.levels).for_each(|(share, level)| *share *= level);
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        Expression { shares, escaped }
    }

    /// The factor of a perturbation on its target's production.
    fn perturbed(&self, efficiency: f64) -> f64 {
        match self.config.kind {
            PerturbationKind::KnockOut | PerturbationKind::KnockDown => 1.0 - efficiency,
            PerturbationKind::Activation => 1.0 + efficiency * (self.config.activation_fold - 1.0),
        }
    }

    fn library(&self, rng: &mut Rng) -> f64 {
        let spread = self.config.library_spread;
        let normal: f64 = StandardNormal.sample(rng);
        // The mean of exp(σN − σ²/2) is 1.
        self.config.library_mean * (spread * normal - 0.5 * spread * spread).exp()
    }

    /// Cytoplasm leaks, mitochondria stay: raise their share to `wanted`.
    fn leak(&self, shares: &mut [f64], wanted: f64) {
        let range = &self.mitochondrial;
        let present: f64 = shares[range.clone()].iter().sum();
        if present <= 0.0 || present >= wanted {
            return;
        }
        for (gene, share) in shares.iter_mut().enumerate() {
            *share *= if range.contains(&gene) { wanted / present } else { (1.0 - wanted) / (1.0 - present) };
        }
    }
}

fn log_normal(count: usize, spread: f64, rng: &mut Rng) -> Vec<f64> {
    let normal = StandardNormal.sample_iter(rng).take(count);
    normal.map(|value: f64| (spread * value).exp()).collect()
}

/// A count of mean μ and variance μ + φμ²: Poisson with a gamma-distributed mean.
fn negative_binomial(mean: f64, dispersion: f64, rng: &mut Rng) -> f64 {
    let mut rate = mean;
    if dispersion > 0.0
        && let Ok(gamma) = Gamma::new(1.0 / dispersion, mean * dispersion)
    {
        rate = gamma.sample(rng);
    }
    Poisson::new(rate).map_or(0.0, |poisson| poisson.sample(rng))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_the_mean_and_variance_of_a_negative_binomial() {
        let rng = &mut random::stream(1, "test");
        for (mean, dispersion) in [(5.0, 0.4), (40.0, 0.15), (0.3, 1.0), (12.0, 0.0)] {
            let draws: Vec<f64> = (0..40_000).map(|_| negative_binomial(mean, dispersion, rng)).collect();
            let average = draws.iter().sum::<f64>() / draws.len() as f64;
            let variance = draws.iter().map(|draw| (draw - average).powi(2)).sum::<f64>() / draws.len() as f64;
            let expected = mean + dispersion * mean * mean;
            assert!((average / mean - 1.0).abs() < 0.03, "mean {average}, expected {mean}");
            assert!((variance / expected - 1.0).abs() < 0.06, "variance {variance}, expected {expected}");
        }
    }
}
