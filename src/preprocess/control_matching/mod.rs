//! A control cell for every cell, by optimal transport.
//!
//! For each condition the cells and the candidate controls get uniform masses, which are moved onto each other at a cost of
//! Euclidean distance / 100; expression is log-normalised and restricted to the perturbed genes. A [`Matching`] says how:
//! entropic transport as the authors of GPO-VAE do with POT's `ot.sinkhorn` ([`sinkhorn`]), exact transport
//! ([`network_simplex`]), or one control of its own for every cell ([`assignment`]).

pub mod assignment;
pub mod costs;
pub mod network_simplex;
pub mod sinkhorn;

use serde::{Deserialize, Serialize};

use super::normalise::Expression;
use crate::jobs::{Cancelled, Progress};
use costs::Costs;
use sinkhorn::{Points, Settings, transport};

/// How cells are matched to controls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matching {
    /// Entropic optimal transport, regularisation 1: the control that receives most of the cell's mass.
    #[default]
    Sinkhorn,
    /// Exact optimal transport (Wasserstein): the control that receives most of the cell's mass, the first of equals.
    Wasserstein,
    /// One-to-one assignment at the smallest total cost (Hungarian method). Where there are more cells than controls, those
    /// left over get the nearest control.
    Hungarian,
}

impl Matching {
    /// All ways, the usual one first.
    pub const ALL: [Self; 3] = [Self::Sinkhorn, Self::Wasserstein, Self::Hungarian];

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Sinkhorn => "Sinkhorn",
            Self::Wasserstein => "Wasserstein",
            Self::Hungarian => "Hungarian",
        }
    }
}

/// The control matched to a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// Row of the control.
    pub control: u32,
    /// How clear the choice was: (largest − second largest mass) / largest; 1 with a single candidate.
    pub relative_gap: f64,
}

/// Match each of `cells` to one of `controls` (rows of `expression`, cells × genes) by the genes `columns`, entropically.
///
/// Returns one match per cell, in their order. Without controls or cells the result is empty.
pub fn match_controls(
    expression: &Expression<'_>,
    columns: &[u32],
    cells: &[u32],
    controls: &[u32],
    settings: &Settings,
    progress: &dyn Progress,
) -> Result<Vec<Match>, Cancelled> {
    if controls.is_empty() || cells.is_empty() {
        return Ok(Vec::new());
    }
    let from = Points::gather(expression, cells, columns);
    let to = Points::gather(expression, controls, columns);
    let plan = transport(&from, &to, settings, progress)?;
    Ok(plan.choices.iter().map(|choice| Match { control: controls[choice.to], relative_gap: choice.gap }).collect())
}

/// As [`match_controls`], in the way `matching` with its usual settings.
///
/// The exact ways hold the cost of every pair: 8 bytes each.
pub fn match_by(
    matching: Matching,
    expression: &Expression<'_>,
    columns: &[u32],
    cells: &[u32],
    controls: &[u32],
    progress: &dyn Progress,
) -> Result<Vec<Match>, Cancelled> {
    let settings = Settings::default();
    if matching == Matching::Sinkhorn {
        return match_controls(expression, columns, cells, controls, &settings, progress);
    }
    if controls.is_empty() || cells.is_empty() {
        return Ok(Vec::new());
    }
    if cells == controls {
        // Staying costs nothing.
        return Ok(cells.iter().map(|&control| Match { control, relative_gap: 1.0 }).collect());
    }
    let from = Points::gather(expression, cells, columns);
    let to = Points::gather(expression, controls, columns);
    let choices = match matching {
        Matching::Hungarian => one_to_one(&from, &to, settings.distance_scale, progress)?,
        _ => exact(&from, &to, settings.distance_scale, progress)?,
    };
    Ok(choices.into_iter().map(|(at, relative_gap)| Match { control: controls[at], relative_gap }).collect())
}

/// The largest share of each point's mass under exact transport, and how much larger it is than the second.
fn exact(from: &Points, to: &Points, scale: f64, progress: &dyn Progress) -> Result<Vec<(usize, f64)>, Cancelled> {
    let costs = Costs::between(from, to, scale, progress)?;
    let flow = network_simplex::transport(&costs, progress)?;
    let mut most = vec![(0, 0u64, 0u64); from.len()];
    for (row, column, units) in flow.entries {
        let (at, first, second) = &mut most[row];
        if units > *first {
            (*at, *second, *first) = (column, *first, units);
        } else {
            *second = (*second).max(units);
        }
    }
    Ok(most.into_iter().map(|(at, first, second)| (at, (first - second) as f64 / first.max(1) as f64)).collect())
}

/// The point of `to` assigned to each of `from`; those left over get the nearest.
fn one_to_one(from: &Points, to: &Points, scale: f64, progress: &dyn Progress) -> Result<Vec<(usize, f64)>, Cancelled> {
    if from.len() <= to.len() {
        let costs = Costs::between(from, to, scale, progress)?;
        return Ok(assignment::assign(&costs, progress)?.into_iter().map(|at| (at, 1.0)).collect());
    }
    let costs = Costs::between(to, from, scale, progress)?;
    let mut nearest = vec![(f64::INFINITY, 0); from.len()];
    for control in 0..costs.rows() {
        for (nearest, &cost) in nearest.iter_mut().zip(costs.row(control)) {
            if cost < nearest.0 {
                *nearest = (cost, control);
            }
        }
    }
    for (control, cell) in assignment::assign(&costs, progress)?.into_iter().enumerate() {
        nearest[cell].1 = control;
    }
    Ok(nearest.into_iter().map(|(_, control)| (control, 1.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::CsrMatrix;
    use crate::jobs::Silent;

    /// One gene: controls at 0, 1, 2, 10, cells where told.
    fn matched(matching: Matching, cells: &[f32]) -> Vec<u32> {
        let values: Vec<f32> = [0.0, 1.0, 2.0, 10.0].into_iter().chain(cells.iter().copied()).collect();
        let matrix = CsrMatrix::from_dense(values.len(), 1, &values);
        let expression = Expression::as_is(&matrix);
        let rows: Vec<u32> = (4..values.len() as u32).collect();
        let found = match_by(matching, &expression, &[0], &rows, &[0, 1, 2, 3], &Silent).unwrap();
        found.iter().map(|found| found.control).collect()
    }

    #[test]
    fn every_cell_gets_a_control_of_its_own_while_there_are_any() {
        assert_eq!(matched(Matching::Hungarian, &[1.1, 0.9]), [2, 1]);
        // Four controls for six cells: the two left over share.
        let six = matched(Matching::Hungarian, &[0.0, 0.1, 1.0, 2.0, 9.0, 2.1]);
        assert_eq!(six, [0, 0, 1, 2, 3, 2]);
        assert_eq!(matched(Matching::Wasserstein, &[0.1, 0.9, 2.1, 9.5]), [0, 1, 2, 3]);
        // Two cells share four controls: half of each cell's mass goes to each of two.
        assert_eq!(matched(Matching::Wasserstein, &[0.4, 6.0]), [0, 2]);
    }

    #[test]
    fn controls_stay_where_they_are_and_nothing_is_matched_to_nothing() {
        let matrix = CsrMatrix::from_dense(3, 1, &[1.0, 1.0, 2.0]);
        let expression = Expression::as_is(&matrix);
        for matching in [Matching::Wasserstein, Matching::Hungarian] {
            let found = match_by(matching, &expression, &[0], &[0, 1, 2], &[0, 1, 2], &Silent).unwrap();
            assert_eq!(found.iter().map(|found| found.control).collect::<Vec<_>>(), [0, 1, 2]);
            assert!(match_by(matching, &expression, &[0], &[], &[0], &Silent).unwrap().is_empty());
            assert!(match_by(matching, &expression, &[0], &[0], &[], &Silent).unwrap().is_empty());
        }
    }
}
