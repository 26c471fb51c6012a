//! The first layer of the two networks that read \[own part, D(E∘M), flag·U\], after its products.

use rayon::prelude::*;

use super::super::batch::Present;
use crate::models::nn::dense::{PIECE, leaky};
use crate::models::nn::vector;

/// What cells share, of one particle; H is the layer's width.
pub(super) struct Shared<'a> {
    /// E∘M through the layer's weight, T' × H.
    pub offsets: &'a [f32],
    /// U through it, H.
    pub artifact: &'a [f32],
    /// Which rows of `offsets` each cell takes, for all cells of a batch or for its partners.
    pub present: &'a Present,
    /// The cells by their position there; none for all.
    pub cells: Option<&'a [u32]>,
    /// How much of `artifact` each cell takes.
    pub flags: &'a [f32],
}

impl Shared<'_> {
    /// The position of a cell in what is there for all.
    fn position(&self, cell: usize) -> usize {
        self.cells.map_or(cell, |cells| cells[cell] as usize)
    }

    /// `rows` (cells × H) become the activated output. `own` has the own part of all cells where `rows` has not got it yet.
    pub fn enter(&self, rows: &mut [f32], own: Option<&[f32]>) {
        let width = self.artifact.len().max(1);
        rows.par_chunks_mut(width).enumerate().with_min_len((PIECE / width).max(1)).for_each(|(cell, row)| {
            if let Some(own) = own {
                row.copy_from_slice(&own[self.position(cell) * width..][..width]);
            }
            vector::wide(
                #[inline(always)]
                || {
                    for &place in self.present.of_cell(self.position(cell)) {
                        let offset = &self.offsets[place as usize * width..][..width];
                        row.iter_mut().zip(offset).for_each(|(value, offset)| *value += offset);
                    }
                    let flag = self.flags[cell];
                    row.iter_mut()
                        .zip(self.artifact)
                        .for_each(|(value, artifact)| *value = leaky(*value + flag * artifact));
                },
            );
        });
    }

    /// The way back: from the gradient by each cell's row to that by the offsets and by the artifact, added to what is there.
    pub fn backward(&self, slopes: &[f32], by_offsets: &mut [f32], by_artifact: &mut [f32]) {
        let width = self.artifact.len().max(1);
        vector::wide(
            #[inline(always)]
            || {
                for (cell, slope) in slopes.chunks_exact(width).enumerate() {
                    for &place in self.present.of_cell(self.position(cell)) {
                        let offset = &mut by_offsets[place as usize * width..][..width];
                        offset.iter_mut().zip(slope).for_each(|(sum, value)| *sum += value);
                    }
                    let flag = self.flags[cell];
                    if flag != 0.0 {
                        by_artifact.iter_mut().zip(slope).for_each(|(sum, value)| *sum += flag * value);
                    }
                }
            },
        );
    }
}
