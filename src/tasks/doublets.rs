//! Doublets of a screen, batch by batch: cells of different batches cannot share a droplet.

use crate::data::Dataset;
use crate::jobs::{Cancelled, Progress, ProgressUpdate};
use crate::preprocess::doublets::{DoubletError, Settings, find_doublets};
use crate::words::counted;

/// Doublets among all cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CellDoublets {
    /// Score of each cell, 0 to 1; NaN where its batch has too few cells.
    pub scores: Vec<f32>,
    /// Whether each cell is called a doublet.
    pub called: Vec<bool>,
    /// Score from which on cells are doublets; none if batches differ in it or none was found.
    pub threshold: Option<f32>,
    /// Batches without an answer, and why.
    pub notes: Vec<String>,
}

impl CellDoublets {
    /// Number of cells called doublets.
    pub fn count(&self) -> usize {
        self.called.iter().filter(|called| **called).count()
    }
}

/// Progress of one batch as a part of all.
struct Part<'a> {
    all: &'a dyn Progress,
    from: f32,
    share: f32,
}

impl Progress for Part<'_> {
    fn report(&self, update: ProgressUpdate) {
        let fraction = update.fraction.map(|fraction| self.from + fraction * self.share);
        self.all.report(ProgressUpdate { fraction, ..update });
    }

    fn is_cancelled(&self) -> bool {
        self.all.is_cancelled()
    }

    fn should_stop(&self) -> bool {
        self.all.should_stop()
    }
}

/// Look for doublets with the published settings.
pub fn doublets(dataset: &Dataset, seed: u64, progress: &dyn Progress) -> Result<CellDoublets, Cancelled> {
    let cells = dataset.cell_count();
    let batches: Vec<(String, Vec<u32>)> = match dataset.batch() {
        None => vec![(String::new(), (0..cells as u32).collect())],
        Some(batch) => {
            let mut batches: Vec<(String, Vec<u32>)> =
                batch.levels.iter().map(|level| (format!("batch {level}: "), Vec::new())).collect();
            let mut rest = Vec::new();
            for (cell, code) in (0..).zip(&batch.codes) {
                code.map_or(&mut rest, |code| &mut batches[code as usize].1).push(cell);
            }
            batches.push(("cells without a batch: ".to_owned(), rest));
            batches.retain(|(_, cells)| !cells.is_empty());
            batches
        }
    };
    let mut result =
        CellDoublets { scores: vec![f32::NAN; cells], called: vec![false; cells], ..CellDoublets::default() };
    let mut thresholds = Vec::new();
    let mut done = 0;
    for (name, rows) in &batches {
        let part = Part { all: progress, from: done as f32 / cells as f32, share: rows.len() as f32 / cells as f32 };
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
        let found = doublets(&dataset, 0, &Silent).unwrap();
        assert_eq!(found.scores.len(), 300);
        assert_eq!(found, doublets(&dataset, 0, &Silent).unwrap(), "the same seed gives the same");
        if let Some(threshold) = found.threshold {
            assert!(found.scores.iter().zip(&found.called).all(|(score, called)| *called == (*score > threshold)));
        }
        assert_eq!(found.count(), found.called.iter().filter(|called| **called).count());
    }
}
