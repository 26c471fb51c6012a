//! How many generated cells would pass quality control, beside the measured ones.

use serde::{Deserialize, Serialize};

/// The share of cells that pass at one limit; a mean over perturbations for perturbed cells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QualityPassRow {
    /// k: limits lie k median absolute deviations from the medians.
    pub mads: f64,
    /// Generated cells under the perturbations.
    pub generated: f64,
    /// Generated control cells.
    pub generated_control: f64,
    /// Measured cells of the same perturbations.
    pub measured: f64,
    /// Measured control cells.
    pub measured_control: f64,
}

/// The same for one condition, at each limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConditionPass {
    /// `control`, or the perturbation.
    pub condition: String,
    /// Measured cells.
    pub measured_cells: usize,
    /// Shares of generated cells that pass, in the order of the limits.
    pub generated: Vec<f64>,
    /// Shares of measured cells that pass.
    pub measured: Vec<f64>,
}

/// Quality control of generated cells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QualityPass {
    /// Cells generated under each perturbation and as control.
    pub generated_per_condition: usize,
    /// Perturbations.
    pub perturbations: usize,
    /// What was judged.
    pub rules: Vec<String>,
    /// What could not be judged: no gene of it is held.
    pub not_judged: Vec<String>,
    /// One row per limit.
    pub rows: Vec<QualityPassRow>,
    /// Control first.
    pub by_condition: Vec<ConditionPass>,
}

impl QualityPass {
    /// From `by_condition` at the limits `mads`: the control, if it is there, first.
    pub fn of(by_condition: Vec<ConditionPass>, mads: &[f64], generated_per_condition: usize) -> Self {
        let (control, perturbed): (Vec<&ConditionPass>, Vec<&ConditionPass>) =
            by_condition.iter().partition(|row| row.condition == super::CONTROL);
        let mean = |rows: &[&ConditionPass], of: &dyn Fn(&ConditionPass) -> f64| {
            rows.iter().map(|row| of(row)).sum::<f64>() / rows.len() as f64
        };
        let row = |(at, &mads): (usize, &f64)| QualityPassRow {
            mads,
            generated: mean(&perturbed, &|row| row.generated[at]),
            generated_control: mean(&control, &|row| row.generated[at]),
            measured: mean(&perturbed, &|row| row.measured[at]),
            measured_control: mean(&control, &|row| row.measured[at]),
        };
        Self {
            generated_per_condition,
            perturbations: perturbed.len(),
            rules: Vec::new(),
            not_judged: Vec::new(),
            rows: mads.iter().enumerate().map(row).collect(),
            by_condition: by_condition.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::CONTROL;
    use super::*;

    #[test]
    fn perturbations_count_alike_and_the_control_for_itself() {
        let pass = |condition: &str, measured_cells: usize, generated: f64, measured: f64| ConditionPass {
            condition: condition.to_owned(),
            measured_cells,
            generated: vec![generated, 1.0],
            measured: vec![measured, 1.0],
        };
        let rows = vec![pass(CONTROL, 9, 0.9, 0.8), pass("A", 1_000, 0.5, 0.4), pass("B", 10, 0.7, 1.0)];
        let found = QualityPass::of(rows, &[3.0, 5.0], 200);
        let first = &found.rows[0];
        assert_eq!((first.mads, first.generated_control, first.measured_control), (3.0, 0.9, 0.8));
        assert!((first.generated - 0.6).abs() < 1e-12 && (first.measured - 0.7).abs() < 1e-12);
        assert_eq!((found.perturbations, found.rows[1].generated), (2, 1.0));
    }
}
