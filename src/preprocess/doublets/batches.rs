//! Doublets of a screen, batch by batch: cells of different batches cannot share a droplet.

use super::{DoubletError, Settings, find_doublets};
use crate::data::Dataset;
use crate::jobs::{Cancelled, Part, Progress};
use crate::words::counted;

/// Doublets among the cells of a screen; one entry per row in each list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CellDoublets {
    /// Score of each cell, 0 to 1; NaN where it was not looked at, or its batch has too few cells.
    pub scores: Vec<f32>,
    /// Whether each cell is called a doublet.
    pub called: Vec<bool>,
    /// Score from which on cells are doublets; none if batches differ in it or none was found.
    pub threshold: Option<f32>,
    /// Number of batches looked at by themselves.
    pub batches: usize,
    /// Batches without an answer, and why.
    pub notes: Vec<String>,
}

impl CellDoublets {
    /// Number of cells called doublets.
    pub fn count(&self) -> usize {
        self.called.iter().filter(|called| **called).count()
    }
}

/// Look for doublets among the rows `cells` of `dataset`, in each batch by itself, with the published settings.
///
/// A batch that cannot be searched, or whose simulated doublets do not stand apart, is noted and has none.
pub fn find_by_batch(
    dataset: &Dataset,
    cells: &[u32],
    seed: u64,
    progress: &dyn Progress,
) -> Result<CellDoublets, Cancelled> {
    let batches: Vec<(String, Vec<u32>)> = match dataset.batch() {
        None => vec![(String::new(), cells.to_vec())],
        Some(batch) => {
            let named = |level: Option<&str>| match level {
                Some(level) => format!("batch {level}: "),
                None => "cells without a batch: ".to_owned(),
            };
            batch.divide(cells).into_iter().map(|(level, cells)| (named(level), cells)).collect()
        }
    };
    let rows = dataset.cell_count();
    let mut result = CellDoublets {
        scores: vec![f32::NAN; rows],
        called: vec![false; rows],
        batches: batches.len(),
        ..CellDoublets::default()
    };
    let mut thresholds = Vec::new();
    let mut done = 0;
    let share = |cells_done: usize| cells_done as f32 / cells.len().max(1) as f32;
    for (name, rows) in &batches {
        let part = Part::new(progress, share(done)..share(done + rows.len()));
        done += rows.len();
        let sizes: Vec<f64> = rows.iter().map(|&row| dataset.library_size(row as usize)).collect();
        match find_doublets(dataset.matrix(), rows, &sizes, &Settings::default(), seed, &part) {
            Ok(found) => {
                for (at, &row) in rows.iter().enumerate() {
                    result.scores[row as usize] = found.scores[at] as f32;
                    result.called[row as usize] = found.called[at];
                }
                if found.threshold.is_none() {
                    let text = "no threshold, as the simulated doublets do not stand apart; nothing is called";
                    result.notes.push(format!("{name}{text}"));
                }
                thresholds.push(found.threshold);
            }
            Err(DoubletError::Cancelled(cancelled)) => return Err(cancelled),
            Err(error) => result.notes.push(format!("{name}{error}")),
        }
    }
    if let [only] = thresholds[..] {
        result.threshold = only.map(|threshold| threshold as f32);
    }
    if result.notes.len() > 3 {
        let text =
            format!("{} could not be searched", counted(result.notes.len(), "batch").replace("batchs", "batches"));
        result.notes = vec![text];
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::jobs::Silent;

    #[test]
    fn every_cell_has_a_score_and_calls_lie_above_the_threshold() {
        let config = SimulateConfig { genes: 150, perturbations: 6, cells: 300, seed: 5, ..SimulateConfig::small() };
        let dataset = simulate(&config, &Silent).unwrap().dataset;
        let found = find_by_batch(&dataset, &dataset.held_cells(), 0, &Silent).unwrap();
        assert_eq!(found.scores.len(), 300);
        assert_eq!(
            found,
            find_by_batch(&dataset, &dataset.held_cells(), 0, &Silent).unwrap(),
            "the same seed gives the same"
        );
        if let Some(threshold) = found.threshold {
            assert!(found.scores.iter().zip(&found.called).all(|(score, called)| *called == (*score > threshold)));
        }
        assert_eq!(found.count(), found.called.iter().filter(|called| **called).count());
    }
}
