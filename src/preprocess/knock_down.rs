//! CausalBench's filter of single cells: did the perturbation work in this cell?
//!
//! A perturbed cell is kept only if the count of its target is at most the 10th percentile of that count among
//! control cells (linear interpolation). In a screen of activations the target must instead reach the 90th percentile.
//! A target that was not measured decides nothing; of a combination every measured target must pass.

use super::statistics::quantile;
use crate::data::{CellRole, Dataset, PerturbationKind};
use crate::jobs::{Cancelled, Progress};

/// The percentile, as a share.
const QUANTILE: f64 = 0.1;

/// The filter of one screen: a limit for each measured target.
#[derive(Clone, Debug)]
pub struct KnockDown {
    kind: PerturbationKind,
    /// Per perturbation, the columns of its measured targets with their limits.
    limits: Vec<Vec<(usize, f32)>>,
}

impl KnockDown {
    /// Limits from the control cells `controls` (rows of `dataset`).
    pub fn measure(dataset: &Dataset, controls: &[u32], progress: &dyn Progress) -> Result<Self, Cancelled> {
        let kind = dataset.kind();
        let share = if kind.direction() < 0.0 { QUANTILE } else { 1.0 - QUANTILE };
        let mut known = vec![None; dataset.gene_count()];
        let mut limits = Vec::with_capacity(dataset.perturbations().len());
        for perturbation in dataset.perturbations() {
            progress.check()?;
            let mut limits_here = Vec::new();
            for column in perturbation.targets().iter().filter_map(|target| dataset.genes().column(target)) {
                let limit = *known[column].get_or_insert_with(|| {
                    let count = |&cell: &u32| f64::from(dataset.matrix().get(cell as usize, column));
                    let mut counts: Vec<f64> = controls.iter().map(count).collect();
                    quantile(&mut counts, share).map(|limit| limit as f32)
                });
                limits_here.extend(limit.map(|limit| (column, limit)));
            }
            limits.push(limits_here);
        }
        Ok(Self { kind, limits })
    }

    /// Whether `cell` (a row of `dataset`) passes; controls do.
    pub fn passes(&self, dataset: &Dataset, cell: u32) -> bool {
        let CellRole::Perturbed(perturbation) = dataset.roles()[cell as usize] else { return true };
        self.limits[perturbation as usize].iter().all(|&(column, limit)| {
            let count = dataset.matrix().get(cell as usize, column);
            if self.kind.direction() < 0.0 { count <= limit } else { count >= limit }
        })
    }
}
