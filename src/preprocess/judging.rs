//! A screen as a model trained on it needs it to be asked about its cells: what the preparation gave, without what only the
//! training reads (matched controls, shifts, partners).

use std::sync::Arc;

use super::prepare::{PrepareConfig, PreparedScreen, flag_doublets, moments};
use super::quality::{CellMetrics, QualityReport};
use super::selection::dosages;
use super::split::Split;
use crate::data::Dataset;
use crate::jobs::{Cancelled, Progress};

/// The cells that a training used.
#[derive(Clone, Debug)]
pub struct UsedCells {
    /// Rows of the data set, rising.
    pub cells: Vec<u32>,
    /// What each was used for.
    pub splits: Vec<Split>,
    /// Symbols of the treatments.
    pub treatments: Vec<String>,
}

/// What [`super::prepare`] gave for `used` with the same settings and seed; shifts are empty and no cell has a partner. The notes
/// tell of quality alone.
pub fn prepare_to_judge(
    dataset: &Arc<Dataset>,
    config: &PrepareConfig,
    used: UsedCells,
    seed: u64,
    progress: &dyn Progress,
) -> Result<PreparedScreen, Cancelled> {
    let UsedCells { cells, splits, treatments } = used;
    let mut notes = Vec::new();
    progress.stage("Checking the quality of cells", None);
    let metrics = CellMetrics::of(dataset, &cells, progress)?;
    let quality = QualityReport::judge(&metrics, config.quality_mads);
    let mut quality_failed: Vec<bool> = quality.failed.iter().map(|failed| failed.any()).collect();
    notes.push(quality.in_words());
    if config.doublets {
        flag_doublets(dataset, &cells, &mut quality_failed, seed, progress, &mut notes)?;
    }
    progress.stage("Measuring the spread of genes", None);
    let used = cells.iter().zip(&splits);
    let training: Vec<u32> = used.filter(|(_, split)| **split == Split::Training).map(|(&cell, _)| cell).collect();
    let [(log_mean, log_std), (mean, std)] = moments(dataset.matrix(), &training, progress)?;

    let dosages = dosages(dataset, &cells, &treatments);
    let columns = treatments.iter().map(|symbol| dataset.genes().column(symbol).map(|column| column as u32)).collect();
    Ok(PreparedScreen {
        dataset: dataset.clone(),
        perturbed_treatments: dosages.iter().flatten().max().map_or(0, |most| *most as usize + 1),
        treatment_columns: columns,
        treatments,
        dosages,
        library_sizes: cells.iter().map(|&row| dataset.matrix().row_sum(row as usize) as f32).collect(),
        quality_failed,
        splits,
        shifts: Vec::new(),
        partners: Vec::new(),
        partner_of_cell: vec![None; cells.len()],
        log_mean,
        log_std,
        mean,
        std,
        notes,
        filtered: Vec::new(),
        held_out: Vec::new(),
        cells,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::jobs::Silent;
    use crate::preprocess::prepare;

    #[test]
    fn it_is_what_the_training_saw() {
        let simulated = SimulateConfig { combinations: 3, ..SimulateConfig::small() };
        let dataset = Arc::new(simulate(&simulated, &Silent).unwrap().dataset);
        let config = PrepareConfig { doublets: true, quality_mads: 2.0, minimum_cells: 5, ..PrepareConfig::default() };
        let prepared = prepare(&dataset, &config, 7, &Silent).unwrap();
        assert!(prepared.quality_failed.contains(&true));
        let used = UsedCells {
            cells: prepared.cells.clone(),
            splits: prepared.splits.clone(),
            treatments: prepared.treatments.clone(),
        };
        let judged = prepare_to_judge(&dataset, &config, used, 7, &Silent).unwrap();
        assert_eq!(judged.quality_failed, prepared.quality_failed);
        assert_eq!(judged.dosages, prepared.dosages);
        assert_eq!(judged.library_sizes, prepared.library_sizes);
        assert_eq!((judged.log_mean, judged.log_std), (prepared.log_mean, prepared.log_std));
        assert_eq!((judged.mean, judged.std), (prepared.mean, prepared.std));
        assert_eq!(judged.treatment_columns, prepared.treatment_columns);
    }
}
