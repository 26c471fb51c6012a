//! What is looked at in passing, before anything is kept.

use super::super::H5adError;
use super::FileMatrix;
use crate::data::Genes;
use crate::data::reduce::{GeneMoments, Measuring, WholeCells};
use crate::jobs::{Part, Progress};

const STAGE: &str = "Measuring cells and genes";

impl FileMatrix {
    /// Sum over all cells, and over the rows `counted` for the moments of the genes. `is_log` tells that values are
    /// logarithms. Where the file is stored by genes it is gone over twice: a cell's sum must be known first.
    pub(in super::super) fn measure(
        &self,
        genes: &Genes,
        counted: &[bool],
        is_log: bool,
        progress: &dyn Progress,
    ) -> Result<(WholeCells, GeneMoments), H5adError> {
        let mut measuring = Measuring::new(genes, self.rows, is_log);
        if self.is_by_columns() {
            self.blocks(&Part::named(progress, STAGE, 0.0..0.5), |block| {
                for (gene, cells, values) in block.lines() {
                    for (&cell, &value) in cells.iter().zip(values) {
                        measuring.add_to_cell(cell as usize, gene, f64::from(value));
                    }
                }
                Ok(())
            })?;
            self.blocks(&Part::named(progress, STAGE, 0.5..1.0), |block| {
                for (gene, cells, values) in block.lines() {
                    for (&cell, &value) in cells.iter().zip(values).filter(|(cell, _)| counted[**cell as usize]) {
                        measuring.add_to_gene(cell as usize, gene, f64::from(value));
                    }
                }
                Ok(())
            })?;
        } else {
            self.blocks(&Part::named(progress, STAGE, 0.0..1.0), |block| {
                for (cell, genes, values) in block.lines() {
                    for (&gene, &value) in genes.iter().zip(values) {
                        measuring.add_to_cell(cell, gene as usize, f64::from(value));
                    }
                    if counted[cell] {
                        for (&gene, &value) in genes.iter().zip(values) {
                            measuring.add_to_gene(cell, gene as usize, f64::from(value));
                        }
                    }
                }
                Ok(())
            })?;
        }
        Ok(measuring.finish((0..self.rows).filter(|&row| counted[row])))
    }
}
