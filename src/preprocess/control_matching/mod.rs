//! A control cell for every cell, by optimal transport.
//!
//! For each condition the cells and the candidate controls get uniform masses; entropic optimal transport (Sinkhorn)
//! moves one onto the other at a cost of Euclidean distance / 100 with regularisation 1, and each cell is matched to
//! the control that receives most of its mass. Expression is log-normalised and restricted to the perturbed genes.
//! As the authors of GPO-VAE do with POT's `ot.sinkhorn`; see [`sinkhorn`] for how it is computed here.

pub mod sinkhorn;

use crate::data::CsrMatrix;
use crate::jobs::{Cancelled, Progress};
use sinkhorn::{Points, Settings, transport};

/// The control matched to a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// Row of the control.
    pub control: u32,
    /// How clear the choice was: (largest − second largest mass) / largest; 1 with a single candidate.
    pub relative_gap: f64,
}

/// Match each of `cells` to one of `controls` (rows of `expression`, cells × genes) by the genes `columns`.
///
/// Returns one match per cell, in their order. Without controls or cells the result is empty.
pub fn match_controls(
    expression: &CsrMatrix,
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
