//! Expression gathered gene by gene, a block of genes at a time.

use rayon::prelude::*;

use crate::jobs::{Cancelled, Progress};
use crate::preprocess::normalise::Expression;

/// Genes of one block: their values fit into a few megabytes even of a hundred thousand cells.
pub(crate) const BLOCK: usize = 128;
/// Cells between two looks at the cancel flag.
const CELLS_PER_CHECK: usize = 4096;

/// Which cells are tested, and where each block of genes begins in their rows.
pub(crate) struct Blocks {
    /// Number of blocks.
    pub count: usize,
    /// Rows and their codes: 0 for control, else the number of the group + 1; by code.
    cells: Vec<(u32, u32)>,
    /// Per cell and block the first stored value that belongs to it, counted from the row's start; one more for the end.
    bounds: Vec<u32>,
}

impl Blocks {
    pub fn new(
        expression: &Expression<'_>,
        groups: &[Vec<u32>],
        control: &[u32],
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        let count = expression.columns().div_ceil(BLOCK);
        let members = std::iter::once(control).chain(groups.iter().map(Vec::as_slice));
        let cells: Vec<(u32, u32)> =
            members.zip(0..).flat_map(|(rows, code)| rows.iter().map(move |&row| (row, code))).collect();
        let mut bounds = vec![0; cells.len() * (count + 1)];
        bounds.par_chunks_mut((count + 1) * CELLS_PER_CHECK).zip(cells.par_chunks(CELLS_PER_CHECK)).try_for_each(
            |(bounds, cells)| {
                progress.check()?;
                for (bounds, (row, _)) in bounds.chunks_mut(count + 1).zip(cells) {
                    let columns = expression.stored(*row as usize).columns();
                    let mut from = 0;
                    for (block, bound) in bounds.iter_mut().enumerate() {
                        let first = (block * BLOCK) as u32;
                        from += columns[from..].partition_point(|&column| column < first);
                        *bound = from as u32;
                    }
                }
                Ok(())
            },
        )?;
        Ok(Self { count, cells, bounds })
    }

    /// The values of one block.
    pub fn gather(
        &self,
        block: usize,
        expression: &Expression<'_>,
        progress: &dyn Progress,
    ) -> Result<ByGene, Cancelled> {
        let first = block * BLOCK;
        let genes = BLOCK.min(expression.columns() - first);
        let part = |at: usize| {
            let (row, code) = self.cells[at];
            let bounds = &self.bounds[at * (self.count + 1) + block..][..2];
            (row as usize, code, expression.stored(row as usize).part(bounds[0] as usize..bounds[1] as usize))
        };
        let mut starts = vec![0; genes + 1];
        for at in 0..self.cells.len() {
            if at.is_multiple_of(CELLS_PER_CHECK) {
                progress.check()?;
            }
            for &column in part(at).2.columns() {
                starts[column as usize - first + 1] += 1;
            }
        }
        for gene in 0..genes {
            starts[gene + 1] += starts[gene];
        }
        let mut next = starts.clone();
        let (mut codes, mut found) = (vec![0; starts[genes]], vec![0.0; starts[genes]]);
        for at in 0..self.cells.len() {
            if at.is_multiple_of(CELLS_PER_CHECK) {
                progress.check()?;
            }
            let (row, code, stored) = part(at);
            for (column, value) in stored.iter() {
                let place = &mut next[column as usize - first];
                codes[*place] = code;
                found[*place] = expression.value(row, value);
                *place += 1;
            }
        }
        Ok(ByGene { starts, groups: codes, values: found })
    }
}

/// Non-zero expression sorted by gene, then group (control first): what the tests read, contiguous.
pub(crate) struct ByGene {
    starts: Vec<usize>,
    /// 0 for control, else the group's number + 1.
    groups: Vec<u32>,
    values: Vec<f32>,
}

impl ByGene {
    /// Number of genes.
    pub fn genes(&self) -> usize {
        self.starts.len() - 1
    }

    /// The non-zero values of one gene (counted from the first of the block): those of the control, then those of each of `groups`
    /// groups; `ends` says where each ends.
    pub fn values(&self, gene: usize, groups: usize) -> GeneValues {
        let range = self.starts[gene]..self.starts[gene + 1];
        let codes = &self.groups[range.clone()];
        let ends = (0..=groups as u32).map(|code| codes.partition_point(|&known| known <= code)).collect();
        GeneValues { values: self.values[range].iter().map(|&value| f64::from(value)).collect(), ends }
    }
}

/// The non-zero values of one gene.
pub(crate) struct GeneValues {
    values: Vec<f64>,
    ends: Vec<usize>,
}

impl GeneValues {
    /// Those of the control.
    pub fn control(&mut self) -> &mut [f64] {
        &mut self.values[..self.ends[0]]
    }

    /// Those of a group.
    pub fn group(&mut self, group: usize) -> &mut [f64] {
        &mut self.values[self.ends[group]..self.ends[group + 1]]
    }
}
