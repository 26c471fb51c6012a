//! What the network is aligned with in place of the cells' own shifts: the direct part of each perturbation's mean shift.
//!
//! The published term aligns A with |ΔX| − fc of single cells against single control cells. At a few hundred counts per cell that is
//! noise above all: its mean ranks edges little better than chance. The mean shift over all cells of a perturbation, in units of its
//! standard error, is what the data know of an edge; a shift that a chain over another perturbed gene explains as well is less than
//! that (the data processing inequality as in ARACNE, Margolin et al. 2006, softened).
//!
//! The same score with shuffled labels tells what chance makes of it: [`false_discovery_rates`].

mod null;
mod shifts;

use rayon::prelude::*;

use crate::preprocess::PreparedScreen;

pub use null::false_discovery_rates;
use shifts::{Groups, Measured};

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
        let shifts = Measured::of(screen, cells).shifts(&Groups::of_cells(screen, cells));
        let logits = direct_parts(&shifts).into_iter().flatten().map(logit).collect();
        Self { treatments: shifts.len(), logits, tested: shifts.iter().map(Option::is_some).collect() }
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

/// The direct part of standardised shifts, row = regulator, in standard errors; where nothing shows a regulator's shifts, what is
/// even.
fn direct_parts(shifts: &[Option<Vec<f64>>]) -> Vec<Vec<f64>> {
    let row = |regulator: usize| -> Vec<f64> {
        let Some(own) = &shifts[regulator] else { return vec![EVEN; shifts.len()] };
        // The best chain to each target over one other gene.
        let mut chains = vec![0.0f64; shifts.len()];
        for (between, theirs) in shifts.iter().enumerate().filter(|(between, _)| *between != regulator) {
            let Some(theirs) = theirs else { continue };
            let (first, to_itself) = (own[between], chains[between]);
            chains.iter_mut().zip(theirs).for_each(|(chain, second)| *chain = chain.max(first.min(*second)));
            chains[between] = to_itself;
        }
        // Its own shift is what was done.
        chains[regulator] = 0.0;
        own.iter().zip(chains).map(|(shift, chain)| shift / (1.0 + chain / (shift + BLUR))).collect()
    };
    (0..shifts.len()).into_par_iter().map(row).collect()
}

/// 0 at [`EVEN`].
fn logit(direct: f64) -> f32 {
    (2.0 * ((direct + BLUR) / (EVEN + BLUR)).ln()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_explains_what_lies_at_its_end() {
        // A → B → C: A moves C as B does, by way of B.
        let shifts = [Some(vec![30.0, 20.0, 12.0]), Some(vec![0.1, 30.0, 15.0]), Some(vec![0.3, 0.2, 30.0])];
        let logits = |shifts: &[Option<Vec<f64>>]| -> Vec<f32> {
            direct_parts(shifts).into_iter().flatten().map(logit).collect()
        };
        let found = logits(&shifts);
        let at = |from: usize, to: usize| found[from * 3 + to];
        assert!(at(0, 1) > 3.0 && at(1, 2) > 3.0, "{found:?}");
        assert!(at(0, 2) < at(1, 2) - 0.8, "the indirect one stands back: {found:?}");
        assert!(at(0, 2) > 0.0, "but is no proof of nothing");
        for (from, to) in [(1, 0), (2, 0), (2, 1)] {
            assert!(at(from, to) < -2.0);
        }
        // Just at two standard errors and without a chain an edge is even.
        let even = logits(&[Some(vec![9.0, 2.0]), None]);
        assert!(even[1].abs() < 1e-6 && even[2..] == [0.0, 0.0]);
    }
}
