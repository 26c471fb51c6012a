//! Cells of a prepared screen as batches.

use crate::models::gpo_vae::{BatchContext, BatchData, GpoVaeConfig, standardise};
use crate::preprocess::{PreparedScreen, Split};

/// Makes batches; the screen stays sparse, a batch is dense.
pub(super) struct Batches<'a> {
    screen: &'a PreparedScreen,
    /// The standardised value of a count of 0, per gene: most entries.
    of_zero: Vec<f32>,
    /// Partners, standardised.
    partners: Vec<Vec<f32>>,
}

impl<'a> Batches<'a> {
    pub fn new(screen: &'a PreparedScreen) -> Self {
        let statistics = || screen.log_mean.iter().zip(&screen.log_std);
        let of_row = |row: &Vec<f32>| {
            row.iter().zip(statistics()).map(|(&count, (&mean, &std))| standardise(count, mean, std)).collect()
        };
        Self {
            screen,
            of_zero: statistics().map(|(&mean, &std)| standardise(0.0, mean, std)).collect(),
            partners: screen.partners.iter().map(of_row).collect(),
        }
    }

    /// Positions (among the kept cells) of the cells used as `split`.
    pub fn cells(&self, split: Split) -> Vec<u32> {
        let cells = self.screen.splits.iter().enumerate().filter(|(_, is)| **is == split);
        cells.map(|(cell, _)| cell as u32).collect()
    }

    /// What all batches share, counted over the training cells.
    pub fn context(&self, config: &GpoVaeConfig) -> BatchContext {
        let screen = self.screen;
        let mut cells_per_treatment = vec![0.0; screen.treatments.len()];
        let mut failing_cells = 0.0;
        for &cell in &self.cells(Split::Training) {
            let cell = cell as usize;
            screen.dosages[cell].iter().for_each(|&treatment| cells_per_treatment[treatment as usize] += 1.0);
            failing_cells += f32::from(u8::from(screen.quality_failed[cell]));
        }
        BatchContext {
            cells_per_treatment,
            failing_cells,
            treatment_measured: screen.treatment_columns.iter().map(Option::is_some).collect(),
            fold_change: config.fold_change as f32,
            alpha: config.alpha,
        }
    }

    /// The cells at these positions.
    pub fn batch(&self, cells: &[u32]) -> BatchData {
        let screen = self.screen;
        let (genes, treatments) = (screen.dataset.gene_count(), screen.treatments.len());
        let mut data = BatchData { counts: vec![0.0; cells.len() * genes], ..BatchData::default() };
        data.standardised.reserve(cells.len() * genes);
        for (row, &cell) in cells.iter().enumerate() {
            let cell = cell as usize;
            data.standardised.extend_from_slice(&self.of_zero);
            for (column, count) in screen.dataset.matrix().row(screen.cells[cell] as usize).iter() {
                let (at, gene) = (row * genes + column as usize, column as usize);
                data.counts[at] = count;
                data.standardised[at] = standardise(count, screen.log_mean[gene], screen.log_std[gene]);
            }
            data.library.push(screen.library_sizes[cell]);
            data.dosages.push(screen.dosages[cell].clone());
            data.quality_failed.push(screen.quality_failed[cell]);
            data.shifts.extend_from_slice(&screen.shifts[cell * treatments..(cell + 1) * treatments]);
            if let Some(partner) = screen.partner_of_cell[cell] {
                data.partner_rows.push(row as u32);
                data.partners.extend_from_slice(&self.partners[partner as usize]);
            }
        }
        data
    }
}
