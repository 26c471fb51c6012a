//! What the network is aligned with in place of the cells' own shifts: the direct part of each perturbation's mean shift.
//!
//! The published term aligns A with |ΔX| − fc of single cells against single control cells. At a few hundred counts per cell that is
//! noise above all: its mean ranks edges little better than chance. The mean shift over all cells of a perturbation, in units of its
//! standard error, is what the data know of an edge; a shift that a chain over another perturbed gene explains as well is less than
//! that (the data processing inequality as in ARACNE, Margolin et al. 2006, softened).

use rayon::prelude::*;

use crate::data::log2_moments;
use crate::preprocess::PreparedScreen;

/// Added to standard errors (log2): a gene that no cell shows is not certain.
const LEAST_ERROR: f64 = 0.02;
/// The direct shift, in standard errors, at which an edge is as probable as not.
const EVEN: f64 = 2.0;
/// Shifts below are alike.
const BLUR: f64 = 0.5;

/// The logits that the network is aligned with, T × T, row = regulator.
pub(super) struct DirectShifts {
    treatments: usize,
    logits: Vec<f32>,
    /// Whether there are cells that show the treatment's shifts.
    tested: Vec<bool>,
}

impl DirectShifts {
    /// Over the cells at these positions (among the kept ones) of `screen`, a cell as often as it is there.
    pub fn of(screen: &PreparedScreen, cells: &[u32]) -> Self {
        let treatments = screen.treatments.len();
        let rows = |wanted: &dyn Fn(&[u32]) -> bool| -> Vec<u32> {
            let chosen = cells.iter().filter(|cell| wanted(&screen.dosages[**cell as usize]));
            chosen.map(|cell| screen.cells[*cell as usize]).collect()
        };
        let counts = screen.dataset.matrix();
        let control = rows(&|dosages| dosages.is_empty());
        let (base, base_variance) = log2_moments(counts, &control);
        let standardised = |treatment: u32| -> Option<Vec<f64>> {
            let alone = rows(&|dosages| dosages == [treatment]);
            let cells = if alone.len() > 1 { alone } else { rows(&|dosages| dosages.contains(&treatment)) };
            if cells.len() < 2 || control.len() < 2 {
                return None;
            }
            let (mean, variance) = log2_moments(counts, &cells);
            let shift = |gene: usize| {
                let error = (variance[gene] + base_variance[gene]).sqrt() + LEAST_ERROR;
                ((mean[gene] - base[gene]) / error).abs()
            };
            let columns = screen.treatment_columns.iter();
            Some(columns.map(|column| column.map_or(0.0, |column| shift(column as usize))).collect())
        };
        let shifts: Vec<Option<Vec<f64>>> = (0..treatments as u32).into_par_iter().map(standardised).collect();
        Self { treatments, logits: logits(&shifts, treatments), tested: shifts.iter().map(Option::is_some).collect() }
    }

    /// The row of a treatment; none where no cell shows its shifts.
    pub fn row(&self, treatment: u32) -> Option<&[f32]> {
        let at = treatment as usize;
        self.tested[at].then(|| &self.logits[at * self.treatments..(at + 1) * self.treatments])
    }

    /// What the rows of the treatments of a cell should add up to.
    pub fn of_cell(&self, dosages: &[u32]) -> Vec<f32> {
        let mut sum = vec![0.0; self.treatments];
        for row in dosages.iter().filter_map(|&treatment| self.row(treatment)) {
            sum.iter_mut().zip(row).for_each(|(sum, logit)| *sum += logit);
        }
        sum
    }

    /// The probabilities that the mask starts with, T × T: the prior where nothing is known.
    pub fn start(&self, prior: f64) -> Vec<f32> {
        let row = |treatment: u32| -> Vec<f32> {
            match self.row(treatment) {
                Some(logits) => logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect(),
                None => vec![prior as f32; self.treatments],
            }
        };
        (0..self.treatments as u32).flat_map(row).collect()
    }
}

/// Logits of the direct part of standardised shifts.
fn logits(shifts: &[Option<Vec<f64>>], treatments: usize) -> Vec<f32> {
    let row = |regulator: usize| -> Vec<f32> {
        let Some(own) = &shifts[regulator] else { return vec![0.0; treatments] };
        let direct = |target: usize| {
            let shift = own[target];
            let over = |between: usize| match &shifts[between] {
                Some(theirs) if between != regulator && between != target => own[between].min(theirs[target]),
                _ => 0.0,
            };
            // Its own shift is what was done.
            let chain = if target == regulator { 0.0 } else { (0..treatments).map(over).fold(0.0, f64::max) };
            shift / (1.0 + chain / (shift + BLUR))
        };
        (0..treatments).map(|target| (2.0 * ((direct(target) + BLUR) / (EVEN + BLUR)).ln()) as f32).collect()
    };
    (0..treatments).into_par_iter().flat_map_iter(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_explains_what_lies_at_its_end() {
        // A → B → C: A moves C as B does, by way of B.
        let shifts = [Some(vec![30.0, 20.0, 12.0]), Some(vec![0.1, 30.0, 15.0]), Some(vec![0.3, 0.2, 30.0])];
        let found = logits(&shifts, 3);
        let at = |from: usize, to: usize| found[from * 3 + to];
        assert!(at(0, 1) > 3.0 && at(1, 2) > 3.0, "{found:?}");
        assert!(at(0, 2) < at(1, 2) - 0.8, "the indirect one stands back: {found:?}");
        assert!(at(0, 2) > 0.0, "but is no proof of nothing");
        for (from, to) in [(1, 0), (2, 0), (2, 1)] {
            assert!(at(from, to) < -2.0);
        }
        // Just at two standard errors and without a chain an edge is even.
        let even = logits(&[Some(vec![9.0, 2.0]), None], 2);
        assert!(even[1].abs() < 1e-6 && even[2..] == [0.0, 0.0]);
    }
}
