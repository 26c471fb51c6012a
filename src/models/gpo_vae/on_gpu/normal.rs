//! Normal variables on the GPU: draws, ratios to their prior, the way back.

use candle_core::Result;

use super::GpuStep;
use super::layers::Heads;
use super::rooms::{place, run, whole};
use crate::models::nn::gpu::{Array, Grid, Machine};

/// How rows of draws, `width` in each, have their heads: the row's is ((row / inner) · stride + row % inner) % heads.
#[derive(Clone, Copy)]
pub(super) struct DrawnRows {
    pub width: usize,
    pub inner: usize,
    pub stride: usize,
    pub heads: usize,
}

impl<M: Machine> GpuStep<M> {
    /// mean + √variance · noise.
    pub(super) fn normal_draw(&mut self, heads: Heads, noise: Array, x: Array, rows: DrawnRows) -> Result<()> {
        let DrawnRows { width, inner, stride, heads: count } = rows;
        run!(
            self.rooms, "normal_draw", Grid::strides(x.len()); heads.means, heads.logs, noise, x, whole(width), whole(inner),
            whole(stride), whole(count), place(x.len())
        );
        Ok(())
    }

    /// Log ratios of draws to a prior of this standard deviation, by row; their weighted sum is added to a term.
    pub(super) fn normal_ratio(
        &mut self,
        heads: Heads,
        (x, noise): (Array, Array),
        rows: DrawnRows,
        scale: f64,
        weights: (Array, usize),
        (term, share): (usize, f32),
    ) -> Result<()> {
        let DrawnRows { width, inner, stride, heads: count } = rows;
        let sums = self.rooms.room(("loss", "ratios", 0), x.len() / width)?;
        run!(
            self.rooms, "normal_ratio", Grid::rows(sums.len()); x, heads.logs, noise, sums, whole(width), whole(inner),
            whole(stride), whole(count), (1.0 / (scale * scale)) as f32, (2.0 * scale.ln()) as f32
        );
        self.add_term(term, sums, Some(weights), share)
    }

    /// The way back from the draws, and from the ratios of their rows (`seeds`, again after `period`), to the heads.
    pub(super) fn normal_back(
        &mut self,
        heads: Heads,
        (x, noise, by_x): (Array, Array, Array),
        by: Heads,
        rows: DrawnRows,
        (seeds, period): (Array, usize),
        scale: f64,
    ) -> Result<()> {
        let DrawnRows { width, inner, stride, heads: count } = rows;
        run!(
            self.rooms, "normal_back", Grid::strides(x.len()); x, heads.logs, noise, by_x, seeds, by.means, by.logs,
            whole(width), whole(inner), whole(stride), whole(count), place(x.len()), whole(period),
            (1.0 / (scale * scale)) as f32
        );
        Ok(())
    }
}
