//! Which perturbed cells respond to their perturbation, and which escaped it.
//!
//! Some cells that carry a guide keep a working copy of its target and look like control cells (Papalexi et al. 2021, whose Mixscape
//! tells them apart by a projection of smoothed expression). Here their counts decide. Of the genes that respond to the perturbation
//! the counts x of its cells are a mixture of two negative binomials,
//!
//! π·∏_g NB(x_g; L·p_g, c_g) + (1 − π)·∏_g NB(x_g; L·q_g, c_g),
//!
//! L the cell's library size, q and the concentrations c those of control cells; π, the share of cells that respond, and p, what these
//! express, are fit by expectation maximisation (Dempster, Laird and Rubin 1977). Genes that vary together say the same twice: the
//! logarithm of the ratio of both products is divided by how much more it varies in control cells than if the genes were
//! independent (a composite likelihood, weighed as by Varin, Reid and Firth 2011).
//!
//! Escape is told only where the counts show it: at least three genes respond, and two kinds of cells explain them better than
//! one by five nats. Elsewhere all cells count as responding, and a share means nothing.

use rayon::prelude::*;

use super::prepare::PreparedScreen;
use super::split::Split;
use crate::data::{CellRole, CsrMatrix, Dataset, log2_moments};
use crate::jobs::{Cancelled, Progress};

/// Genes that respond are those whose mean of log2(1 + 10,000·x/L) differs by more standard errors than this.
const RESPONDS: f64 = 4.0;
/// The strongest of them are looked at.
const MOST_GENES: usize = 30;
/// With fewer, the shape of one gene's distribution is easily taken for two kinds of cells.
const FEWEST_GENES: usize = 3;
/// Log-likelihood by which the mixture must be better than cells that all respond alike; one more parameter alone brings half a unit.
const LEAST_GAIN: f64 = 5.0;
/// With fewer control or perturbed cells nothing is fit.
const FEWEST_CELLS: usize = 20;
/// Smallest overdispersion of a gene, 1 / concentration.
const LEAST_DISPERSION: f64 = 0.02;
const STEPS: usize = 200;
/// The share of responding cells is kept off 0 and 1 by this.
const LEAST_SHARE: f64 = 1e-3;

/// Which cells of a screen respond.
#[derive(Clone, Debug, PartialEq)]
pub struct Responding {
    /// By treatment, or perturbation of a data set, the share of the cells perturbed in it alone that respond; none where that cannot be told.
    pub shares: Vec<Option<f32>>,
    /// By kept cell, or row of a data set, the probability that it responds, given its counts; 1 where that cannot be told.
    pub probabilities: Vec<f32>,
}

impl Responding {
    /// All of them.
    pub fn all(screen: &PreparedScreen) -> Self {
        Self { shares: vec![None; screen.treatments.len()], probabilities: vec![1.0; screen.cells.len()] }
    }
}

/// Tell for every gene that was perturbed alone which of its cells respond. Fit on training cells that pass quality control; other cells are
/// judged by what these say. Combinations are left as they are. Deterministic.
///
/// # Errors
/// If cancelled.
pub fn responding(screen: &PreparedScreen, progress: &dyn Progress) -> Result<Responding, Cancelled> {
    let (mut control, mut groups) = (Vec::new(), vec![Group::default(); screen.treatments.len()]);
    for (cell, dosages) in screen.dosages.iter().enumerate().filter(|(cell, _)| !screen.quality_failed[*cell]) {
        let training = screen.splits[cell] == Split::Training;
        match dosages[..] {
            [] if training => control.push(cell),
            [treatment] if training => groups[treatment as usize].training.push(cell),
            [treatment] => groups[treatment as usize].others.push(cell),
            _ => {}
        }
    }
    let counts = Counts { matrix: screen.dataset.matrix(), rows: &screen.cells, libraries: &screen.library_sizes };
    counts.tell(&control, &groups, progress)
}

/// Tell for every perturbation of `dataset` of one gene which of its cells respond, from all of them but those that are `left_out` (a flag
/// for each row). Combinations are left as they are. Deterministic.
///
/// # Errors
/// If cancelled.
pub fn responding_in(dataset: &Dataset, left_out: &[bool], progress: &dyn Progress) -> Result<Responding, Cancelled> {
    let rows: Vec<u32> = (0..dataset.cell_count() as u32).collect();
    let libraries: Vec<f32> = rows.iter().map(|&row| dataset.matrix().row_sum(row as usize) as f32).collect();
    let (mut control, mut groups) = (Vec::new(), vec![Group::default(); dataset.perturbations().len()]);
    for (cell, role) in dataset.roles().iter().enumerate().filter(|(cell, _)| !left_out[*cell]) {
        match role {
            CellRole::Control => control.push(cell),
            &CellRole::Perturbed(index) if dataset.perturbations()[index as usize].targets().len() == 1 => {
                groups[index as usize].training.push(cell);
            }
            CellRole::Perturbed(_) | CellRole::Unassigned => {}
        }
    }
    Counts { matrix: dataset.matrix(), rows: &rows, libraries: &libraries }.tell(&control, &groups, progress)
}

/// Counts of cells, by rows of a matrix.
#[derive(Clone, Copy)]
struct Counts<'a> {
    matrix: &'a CsrMatrix,
    /// Of each cell.
    rows: &'a [u32],
    libraries: &'a [f32],
}

impl Counts<'_> {
    /// What the cells of `groups` are, held against `control`.
    fn tell(self, control: &[usize], groups: &[Group], progress: &dyn Progress) -> Result<Responding, Cancelled> {
        progress.stage("Telling cells that escaped their perturbation", None);
        let mut found = Responding { shares: vec![None; groups.len()], probabilities: vec![1.0; self.rows.len()] };
        let cells = Cells { all: self, control, moments: Moments::of(self, control) };
        let fit = |group: &Group| -> Result<Option<Mixture>, Cancelled> {
            progress.check()?;
            Ok(cells.mixture(&group.training))
        };
        let mixtures: Vec<Option<Mixture>> = groups.par_iter().map(fit).collect::<Result<_, _>>()?;
        for (treatment, (group, mixture)) in groups.iter().zip(mixtures).enumerate() {
            let Some(mixture) = mixture else { continue };
            found.shares[treatment] = Some(mixture.share as f32);
            for &cell in group.training.iter().chain(&group.others) {
                found.probabilities[cell] = mixture.probability(&cells.counts(cell, &mixture.genes)) as f32;
            }
        }
        Ok(found)
    }
}

/// Cells (positions among the kept ones) that were perturbed in one gene alone and pass quality control.
#[derive(Clone, Debug, Default)]
struct Group {
    training: Vec<usize>,
    others: Vec<usize>,
}

/// Sums over some cells, per gene.
struct Moments {
    cells: f64,
    /// Σ L and Σ L².
    libraries: [f64; 2],
    /// Σ x, Σ x² and Σ x·L.
    sums: Vec<[f64; 3]>,
    /// Mean of log2(1 + 10,000·x/L), and the variance of that mean.
    logs: (Vec<f64>, Vec<f64>),
}

impl Moments {
    fn of(all: Counts<'_>, cells: &[usize]) -> Self {
        let matrix = all.matrix;
        let rows: Vec<u32> = cells.iter().map(|&cell| all.rows[cell]).collect();
        let mut moments = Self {
            cells: cells.len() as f64,
            libraries: [0.0; 2],
            sums: vec![[0.0; 3]; matrix.columns()],
            logs: log2_moments(matrix, &rows),
        };
        for &cell in cells {
            let library = f64::from(all.libraries[cell]);
            moments.libraries[0] += library;
            moments.libraries[1] += library * library;
            for (gene, count) in matrix.row(all.rows[cell] as usize).iter() {
                let x = f64::from(count);
                let terms = [x, x * x, x * library];
                moments.sums[gene as usize].iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
            }
        }
        moments
    }

    /// Share of all counts.
    fn share(&self, gene: usize) -> f64 {
        (self.sums[gene][0] / self.libraries[0]).max(1e-7)
    }

    /// By the method of moments: what the squared distances of the counts from L·share leave beside the Poisson variance.
    fn concentration(&self, gene: usize) -> f64 {
        let [x, squares, by_library] = self.sums[gene];
        let share = self.share(gene);
        let distances = squares - 2.0 * share * by_library + share * share * self.libraries[1];
        let dispersion = (distances - x) / (share * share * self.libraries[1]);
        1.0 / dispersion.max(LEAST_DISPERSION)
    }
}

/// What is told of a gene.
#[derive(Clone)]
struct GeneOfMixture {
    column: u32,
    concentration: f64,
    /// Shares of all counts in control cells, and in cells that respond.
    control: f64,
    responding: f64,
}

impl GeneOfMixture {
    /// Log ratio of the probabilities of `count` counts of a cell that responds and of one like control.
    fn log_ratio(&self, count: f64, library: f64) -> f64 {
        let c = self.concentration;
        let [own, control] = [library * self.responding, library * self.control];
        let growth = (c + control) / (c + own);
        c * growth.ln() + count * (self.responding / self.control * growth).ln()
    }
}

/// Cells that respond and cells like control.
struct Mixture {
    genes: Vec<GeneOfMixture>,
    /// π.
    share: f64,
    /// What log ratios are divided by.
    alike: f64,
}

impl Mixture {
    fn log_ratio(&self, cell: &CellCounts) -> f64 {
        let ratios = self.genes.iter().zip(&cell.counts).map(|(gene, &count)| gene.log_ratio(count, cell.library));
        ratios.sum::<f64>() / self.alike
    }

    /// That a cell responds.
    fn probability(&self, cell: &CellCounts) -> f64 {
        1.0 / (1.0 + (-self.log_ratio(cell) - (self.share / (1.0 - self.share)).ln()).exp())
    }

    /// What the cells that respond express, each with a weight: with as many counts as half a middling cell of the control has.
    fn weigh(&mut self, cells: &[CellCounts], weights: &[f64], middling: f64) {
        let libraries: f64 = cells.iter().zip(weights).map(|(cell, weight)| weight * cell.library).sum();
        for (at, gene) in self.genes.iter_mut().enumerate() {
            let counts: f64 = cells.iter().zip(weights).map(|(cell, weight)| weight * cell.counts[at]).sum();
            gene.responding = (counts + 0.5 * middling * gene.control) / (libraries + 0.5 * middling);
        }
    }

    /// Expectation and maximisation in turn, from these weights of the cells; the gain of the log-likelihood over that of control cells.
    fn fit(&mut self, cells: &[CellCounts], mut weights: Vec<f64>, middling: f64) -> f64 {
        let mut likelihood = f64::NEG_INFINITY;
        for _ in 0..STEPS {
            self.weigh(cells, &weights, middling);
            let count = cells.len() as f64;
            self.share = (weights.iter().sum::<f64>() / count).clamp(LEAST_SHARE, 1.0 - LEAST_SHARE);
            let before = std::mem::replace(&mut likelihood, 0.0);
            for (cell, weight) in cells.iter().zip(&mut weights) {
                let [own, control] = [self.share.ln() + self.log_ratio(cell), (1.0 - self.share).ln()];
                let all = own.max(control) + (-(own - control).abs()).exp().ln_1p();
                likelihood += all;
                *weight = (own - all).exp();
            }
            if (likelihood - before).abs() < 1e-6 {
                break;
            }
        }
        likelihood
    }
}

/// Counts of some genes.
struct CellCounts {
    library: f64,
    counts: Vec<f64>,
}

struct Cells<'a> {
    all: Counts<'a>,
    /// Positions.
    control: &'a [usize],
    /// Theirs.
    moments: Moments,
}

impl Cells<'_> {
    fn counts(&self, cell: usize, genes: &[GeneOfMixture]) -> CellCounts {
        let row = self.all.matrix.row(self.all.rows[cell] as usize);
        CellCounts {
            library: f64::from(self.all.libraries[cell]),
            counts: genes.iter().map(|gene| f64::from(row.get(gene.column))).collect(),
        }
    }

    /// The genes that differ most between `cells` and control cells, by column.
    fn genes(&self, cells: &[usize]) -> Vec<GeneOfMixture> {
        let own = Moments::of(self.all, cells);
        let errors = |gene: usize| {
            let [(means, variances), (control, of_control)] = [&own.logs, &self.moments.logs];
            (means[gene] - control[gene]).abs() / (variances[gene] + of_control[gene]).sqrt().max(f64::MIN_POSITIVE)
        };
        let mut found: Vec<(usize, f64)> = (0..own.sums.len()).map(|gene| (gene, errors(gene))).collect();
        found.retain(|(_, errors)| *errors > RESPONDS);
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(MOST_GENES);
        let gene = |(gene, _): (usize, f64)| GeneOfMixture {
            column: gene as u32,
            concentration: self.moments.concentration(gene),
            control: self.moments.share(gene),
            responding: own.share(gene),
        };
        found.into_iter().map(gene).collect()
    }

    /// How the cells of a perturbation are mixed; none where that cannot be told.
    fn mixture(&self, cells: &[usize]) -> Option<Mixture> {
        if cells.len().min(self.control.len()) < FEWEST_CELLS || self.moments.libraries[0] <= 0.0 {
            return None;
        }
        let genes = self.genes(cells);
        if genes.len() < FEWEST_GENES {
            return None;
        }
        let of = |cells: &[usize]| -> Vec<CellCounts> { cells.iter().map(|&cell| self.counts(cell, &genes)).collect() };
        let (own, control) = (of(cells), of(self.control));
        let middling = self.moments.libraries[0] / self.moments.cells;
        let mut one = Mixture { genes, share: 1.0 - LEAST_SHARE, alike: 1.0 };
        let everyone = vec![1.0; own.len()];
        one.weigh(&own, &everyone, middling);
        one.alike = alike(&one.genes, &control);
        let ratios: Vec<f64> = own.iter().map(|cell| one.log_ratio(cell)).collect();
        let alone: f64 = ratios.iter().sum();
        let mut sorted = ratios.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted[sorted.len() / 2];
        // Most respond, or the better half.
        let starts = [vec![0.9; own.len()], ratios.iter().map(|ratio| f64::from(u8::from(*ratio > middle))).collect()];
        let mut best: Option<(f64, Mixture)> = None;
        for weights in starts {
            let mut mixture = Mixture { genes: one.genes.clone(), ..one };
            let likelihood = mixture.fit(&own, weights, middling);
            if best.as_ref().is_none_or(|(known, _)| likelihood > *known) {
                best = Some((likelihood, mixture));
            }
        }
        best.filter(|(likelihood, _)| likelihood - alone > LEAST_GAIN).map(|(_, mixture)| mixture)
    }
}

/// By how much more the sum over genes of log ratios varies in control cells than if genes were independent, 1 or more.
fn alike(genes: &[GeneOfMixture], control: &[CellCounts]) -> f64 {
    let variance = |values: &[f64]| -> f64 {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| (value - mean).powi(2)).sum()
    };
    let mut all = vec![0.0; control.len()];
    let mut independent = 0.0;
    for (at, gene) in genes.iter().enumerate() {
        let ratios: Vec<f64> = control.iter().map(|cell| gene.log_ratio(cell.counts[at], cell.library)).collect();
        independent += variance(&ratios);
        all.iter_mut().zip(ratios).for_each(|(sum, ratio)| *sum += ratio);
    }
    if independent > 0.0 { (variance(&all) / independent).max(1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::simulate::{SimulateConfig, Simulated, simulate};
    use crate::jobs::Silent;
    use crate::preprocess::{PrepareConfig, prepare};

    fn screen(escape_share: f64) -> (Simulated, PreparedScreen) {
        let config = SimulateConfig {
            genes: 120,
            perturbations: 12,
            cells: 2400,
            seed: 5,
            escape_share,
            doublet_share: 0.0,
            bystander_share: 0.0,
            ineffective_perturbations: 2,
            ..SimulateConfig::default()
        };
        let simulated = simulate(&config, &Silent).unwrap();
        let screen = prepare(&Arc::new(simulated.dataset.clone()), &PrepareConfig::default(), 1, &Silent).unwrap();
        (simulated, screen)
    }

    #[test]
    fn the_share_of_cells_that_escaped_is_found_and_which_they_are() {
        let (simulated, screen) = screen(0.3);
        let found = responding(&screen, &Silent).unwrap();
        let mut told = 0;
        for (treatment, share) in found.shares.iter().enumerate() {
            let of = |cell: &usize| screen.dosages[*cell] == [treatment as u32] && !screen.quality_failed[*cell];
            let cells: Vec<usize> = (0..screen.cells.len()).filter(of).collect();
            let responds = |cell: usize| !simulated.cell_facts[screen.cells[cell] as usize].escaped;
            let Some(share) = share else {
                assert!(cells.iter().all(|&cell| found.probabilities[cell] == 1.0));
                continue;
            };
            told += 1;
            let fit: Vec<usize> =
                cells.iter().copied().filter(|&cell| screen.splits[cell] == Split::Training).collect();
            let truth = fit.iter().filter(|&&cell| responds(cell)).count() as f32 / fit.len() as f32;
            assert!((share - truth).abs() < 0.15, "{}: {share}, true {truth}", screen.treatments[treatment]);
            // Cells that were not fit are told, too.
            let right = cells.iter().filter(|&&cell| (found.probabilities[cell] > 0.5) == responds(cell)).count();
            assert!(right as f32 > 0.75 * cells.len() as f32, "{}", screen.treatments[treatment]);
        }
        assert!(told >= 7, "{:?}", found.shares);
        assert!(screen.dosages.iter().zip(&found.probabilities).all(|(dosages, p)| !dosages.is_empty() || *p == 1.0));
    }

    #[test]
    fn where_no_cell_escapes_hardly_any_is_said_to() {
        let (_, screen) = screen(0.0);
        let found = responding(&screen, &Silent).unwrap();
        assert!(found.shares.iter().flatten().all(|share| *share > 0.9), "{:?}", found.shares);
        let mean = found.probabilities.iter().sum::<f32>() / found.probabilities.len() as f32;
        assert!(mean > 0.985, "{mean}");
    }

    #[test]
    fn labels_that_say_nothing_tell_no_escape() {
        let (_, mut screen) = screen(0.3);
        // Control cells under the name of a perturbation.
        let control: Vec<usize> = (0..screen.cells.len()).filter(|&cell| screen.dosages[cell].is_empty()).collect();
        screen.dosages.iter_mut().for_each(|dosages| dosages.clear());
        control.iter().for_each(|&cell| screen.dosages[cell] = vec![cell as u32 % 2]);
        let found = responding(&screen, &Silent).unwrap();
        assert_eq!(found.shares, Responding::all(&screen).shares);
        // No control cells at all.
        screen.dosages.iter_mut().for_each(|dosages| *dosages = vec![0]);
        assert_eq!(responding(&screen, &Silent).unwrap(), Responding::all(&screen));
    }

    #[test]
    fn log_ratios_are_those_of_negative_binomials() {
        use statrs::function::gamma::ln_gamma;
        let log = |k: f64, mean: f64, c: f64| {
            ln_gamma(k + c) - ln_gamma(c) - ln_gamma(k + 1.0) + c * (c / (c + mean)).ln() + k * (mean / (c + mean)).ln()
        };
        let gene = GeneOfMixture { column: 0, concentration: 3.7, control: 2e-3, responding: 4e-4 };
        for (count, library) in [(0.0, 900.0), (1.0, 900.0), (12.0, 5000.0)] {
            let expected = log(count, library * 4e-4, 3.7) - log(count, library * 2e-3, 3.7);
            assert!((gene.log_ratio(count, library) - expected).abs() < 1e-9);
        }
    }
}
