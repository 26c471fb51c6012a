//! What the encoder of the basal state reads of counts, and cells as their counts that are not 0.

use std::sync::Arc;

use super::variants::InputScale;

/// What is read of the counts of each gene, and the counterfactual partners as they are read; the same for all batches.
#[derive(Debug)]
pub struct Reading {
    scale: InputScale,
    /// Mean and standard deviation of each gene over the training cells.
    moments: Vec<(f32, f32)>,
    /// What is read of a count of 0: of most.
    of_zero: Vec<f32>,
    /// N rows.
    partners: Vec<Vec<f32>>,
}

impl Reading {
    /// By the moments of each gene over the training cells, of the counts or (for a logarithmic scale) of ln(1 + count); `partners` are
    /// rows of G counts.
    pub fn new(scale: InputScale, means: &[f32], deviations: &[f32], partners: &[Vec<f32>]) -> Self {
        let moments: Vec<(f32, f32)> = means.iter().copied().zip(deviations.iter().copied()).collect();
        let of_row = |row: &Vec<f32>| row.iter().zip(&moments).map(|(&count, &of)| read(scale, count, of)).collect();
        Self {
            scale,
            of_zero: moments.iter().map(|&of| read(scale, 0.0, of)).collect(),
            partners: partners.iter().map(of_row).collect(),
            moments,
        }
    }

    /// Whether logarithms of the counts are read.
    pub(super) fn reads_logs(&self) -> bool {
        self.scale == InputScale::LogStandardise
    }

    /// Of each gene what is read of a count of 0, mean and standard deviation (0 where it does not vary): 3 × G.
    pub(super) fn tables(&self) -> Vec<f32> {
        let of = |&(mean, deviation): &(f32, f32)| match self.scale {
            // Raw counts are read as they are.
            InputScale::None => (0.0, 1.0),
            _ if deviation > 0.0 => (mean, deviation),
            _ => (0.0, 0.0),
        };
        let (means, deviations): (Vec<f32>, Vec<f32>) = self.moments.iter().map(of).unzip();
        [self.of_zero.clone(), means, deviations].concat()
    }

    /// The partners as they are read, N × G.
    pub(super) fn partners(&self) -> Vec<f32> {
        self.partners.concat()
    }
}

/// What is read of a count, given the gene's mean and standard deviation over the training cells.
///
/// A gene that varies in no training cell says nothing in the others either. (The published rule makes a count of it 1e6 there: far from
/// all that was trained on, where the loss of a validation cell is infinite.)
fn read(scale: InputScale, count: f32, (mean, deviation): (f32, f32)) -> f32 {
    let varies = deviation > 0.0 || scale == InputScale::None;
    scale.of(if varies { count } else { 0.0 }, if varies { mean } else { 0.0 }, deviation)
}

/// B cells by their counts that are not 0.
#[derive(Clone, Debug)]
pub struct SparseCells {
    /// Where each cell's counts begin, and the end: B + 1.
    pub(super) starts: Vec<u32>,
    /// Genes.
    pub(super) columns: Vec<u32>,
    pub(super) values: Vec<f32>,
    /// Of the cells that have a partner: which one.
    pub(super) partners: Vec<u32>,
    pub(super) reading: Arc<Reading>,
}

/// Cells in full: counts, what the encoder reads of them, and of the partners.
pub(super) struct DenseCells {
    /// B × G.
    pub counts: Vec<f32>,
    /// B × G.
    pub read: Vec<f32>,
    /// B' × G.
    pub partners: Vec<f32>,
}

impl SparseCells {
    /// No cells yet.
    pub fn new(reading: Arc<Reading>) -> Self {
        Self { starts: vec![0], columns: Vec::new(), values: Vec::new(), partners: Vec::new(), reading }
    }

    /// A further cell, by its counts (gene, count) that are not 0, and its partner's number if it has one.
    pub fn push(&mut self, counts: impl Iterator<Item = (u32, f32)>, partner: Option<u32>) {
        for (column, value) in counts {
            self.columns.push(column);
            self.values.push(value);
        }
        self.starts.push(self.columns.len() as u32);
        self.partners.extend(partner);
    }

    /// In full, on the processor.
    pub(super) fn dense(&self) -> DenseCells {
        let Reading { scale, moments, of_zero, partners, .. } = &*self.reading;
        let genes = moments.len();
        let mut dense = DenseCells {
            counts: vec![0.0; (self.starts.len() - 1) * genes],
            read: Vec::with_capacity((self.starts.len() - 1) * genes),
            partners: Vec::with_capacity(self.partners.len() * genes),
        };
        for (row, bounds) in self.starts.windows(2).enumerate() {
            dense.read.extend_from_slice(of_zero);
            for at in bounds[0] as usize..bounds[1] as usize {
                let (gene, count) = (self.columns[at] as usize, self.values[at]);
                dense.counts[row * genes + gene] = count;
                dense.read[row * genes + gene] = read(*scale, count, moments[gene]);
            }
        }
        self.partners.iter().for_each(|&partner| dense.partners.extend_from_slice(&partners[partner as usize]));
        dense
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gene_that_no_training_cell_shows_says_nothing() {
        for input in [InputScale::LogStandardise, InputScale::Standardise] {
            for moments in [(0.0, 0.0), (1.5, 0.0), (f32::NAN, f32::NAN)] {
                assert_eq!(
                    (read(input, 7.0, moments), read(input, 0.0, moments)),
                    (1e-6, 1e-6),
                    "{input:?} {moments:?}"
                );
            }
            assert_eq!(read(input, 7.0, (0.7, 0.5)), input.of(7.0, 0.7, 0.5));
        }
        assert_eq!(read(InputScale::None, 7.0, (0.0, 0.0)), 7.0);
    }

    #[test]
    fn sparse_cells_are_the_dense_ones() {
        let rows = [vec![0.0, 3.0, 0.0, 1.0], vec![0.0; 4], vec![5.0, 0.0, 0.0, 2.0]];
        let (means, deviations) = ([0.5, 0.7, 0.0, 0.2], [1.5, 0.4, 0.0, 0.3]);
        let partners = [vec![1.0, 0.0, 0.0, 2.0], vec![0.0, 4.0, 9.0, 0.0]];
        for scale in InputScale::ALL {
            let reading = Arc::new(Reading::new(scale, &means, &deviations, &partners));
            let mut cells = SparseCells::new(Arc::clone(&reading));
            for (row, partner) in rows.iter().zip([None, Some(1), Some(0)]) {
                let stored = row.iter().enumerate().filter(|(_, count)| **count != 0.0);
                cells.push(stored.map(|(gene, &count)| (gene as u32, count)), partner);
            }
            let expected = |row: &Vec<f32>| -> Vec<f32> {
                (0..4).map(|gene| read(scale, row[gene], (means[gene], deviations[gene]))).collect()
            };
            let dense = cells.dense();
            assert_eq!(dense.counts, rows.concat());
            assert_eq!(dense.read, rows.iter().flat_map(&expected).collect::<Vec<_>>());
            assert_eq!(dense.partners, [&partners[1], &partners[0]].into_iter().flat_map(expected).collect::<Vec<_>>());
        }
    }
}
