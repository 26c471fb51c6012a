//! How well a model explains held-out cells.

use serde::{Deserialize, Serialize};

/// What a bound of the log-likelihood is over some cells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LikelihoodRow {
    /// `control`, or the perturbation.
    pub condition: String,
    /// Cells.
    pub cells: usize,
    /// Mean over them.
    pub iw_elbo: f64,
}

/// The importance-weighted bound of the log-likelihood of held-out cells, natural logarithm, per cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Likelihood {
    /// Draws of the latent variables for each cell, over all members.
    pub particles: usize,
    /// Cells it was computed for.
    pub cells: usize,
    /// Cells that there are; those that it was computed for were drawn among them.
    pub of_cells: usize,
    /// Mean over cells.
    pub iw_elbo: f64,
    /// Standard error of that mean over cells.
    pub standard_error: f64,
    /// The plain bound, by the same draws.
    pub elbo: f64,
    /// As how many equal draws the weights of a cell count, median over cells.
    pub effective_particles: f64,
    /// By condition, control first.
    pub by_condition: Vec<LikelihoodRow>,
}

/// What is known of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CellLikelihood {
    /// `control`, or the perturbation.
    pub condition: String,
    /// Its bound.
    pub bound: f64,
    /// Its ELBO.
    pub elbo: f64,
    /// Its effective draws.
    pub effective: f64,
}

impl Likelihood {
    /// Over `cells`, which were drawn among `of_cells`; none without cells.
    pub fn of(cells: &[CellLikelihood], particles: usize, of_cells: usize) -> Option<Self> {
        let count = cells.len();
        if count == 0 {
            return None;
        }
        let mean = |of: &dyn Fn(&CellLikelihood) -> f64| cells.iter().map(of).sum::<f64>() / count as f64;
        let iw_elbo = mean(&|cell| cell.bound);
        let variance = mean(&|cell| (cell.bound - iw_elbo).powi(2)) * count as f64 / (count.max(2) - 1) as f64;
        let mut by_condition: Vec<LikelihoodRow> = Vec::new();
        for cell in cells {
            let known = by_condition.iter_mut().find(|row| row.condition == cell.condition);
            match known {
                Some(row) => {
                    row.cells += 1;
                    row.iw_elbo += cell.bound;
                }
                None => {
                    let condition = cell.condition.clone();
                    by_condition.push(LikelihoodRow { condition, cells: 1, iw_elbo: cell.bound });
                }
            }
        }
        by_condition.iter_mut().for_each(|row| row.iw_elbo /= row.cells as f64);
        by_condition
            .sort_by(|a, b| (a.condition != CONTROL, &a.condition).cmp(&(b.condition != CONTROL, &b.condition)));
        let mut effective: Vec<f64> = cells.iter().map(|cell| cell.effective).collect();
        effective.sort_by(f64::total_cmp);
        Some(Self {
            particles,
            cells: count,
            of_cells,
            iw_elbo,
            standard_error: (variance / count as f64).sqrt(),
            elbo: mean(&|cell| cell.elbo),
            effective_particles: effective[count / 2],
            by_condition,
        })
    }
}

/// The condition of control cells in reports.
pub const CONTROL: &str = "control";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_over_cells_and_control_comes_first() {
        let cell = |condition: &str, bound: f64| CellLikelihood {
            condition: condition.to_owned(),
            bound,
            elbo: bound - 1.0,
            effective: -bound,
        };
        let cells = [cell("A", -2.0), cell(CONTROL, -4.0), cell("A", -6.0)];
        let found = Likelihood::of(&cells, 100, 30).unwrap();
        assert_eq!((found.cells, found.of_cells, found.iw_elbo, found.elbo), (3, 30, -4.0, -5.0));
        assert!((found.standard_error - (8.0f64 / 2.0 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(found.effective_particles, 4.0);
        let rows: Vec<(&str, usize, f64)> =
            found.by_condition.iter().map(|row| (row.condition.as_str(), row.cells, row.iw_elbo)).collect();
        assert_eq!(rows, [(CONTROL, 1, -4.0), ("A", 2, -4.0)]);
        assert_eq!(Likelihood::of(&[], 100, 0), None);
    }
}
