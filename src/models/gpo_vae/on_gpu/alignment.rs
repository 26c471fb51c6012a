//! What the mask is held to: its alignment with the measured shifts, and its sparsity.

use candle_core::Result;

use super::rooms::{place, run, whole};
use super::{GpuStep, On, term};
use crate::models::gpo_vae::variants::MaskParameters;
use crate::models::nn::gpu::{Array, Grid, Machine};

impl<M: Machine> GpuStep<M> {
    /// The alignment of the network with the shifts, and its sparsity; gives the gradient by all logits of the former.
    pub(super) fn alignment(&mut self, on: &On<'_>, learn: bool, share: f32) -> Result<Array> {
        let (packed, treatments) = (on.packed, self.sizes.treatments);
        let all = treatments * treatments;
        let grid = Grid::strides(all);
        let parts = self.rooms.room(("mask", "sizes", 0), grid.blocks())?;
        run!(self.rooms, "mask_size", grid; self.values.mask, parts, place(all), self.probabilities());
        self.add_term(term::SPARSITY, parts, None, share * (self.config.lambda / all as f64) as f32)?;

        let by_all = self.rooms.room(("alignment", "by logits", 0), all)?;
        self.fill(by_all)?;
        if packed.measured_treatments == 0 || self.config.gamma == 0.0 {
            return Ok(by_all);
        }
        let logits = match self.config.mask {
            MaskParameters::Logits => self.values.mask,
            MaskParameters::Probabilities => {
                let every: Vec<u32> = (0..treatments as u32).collect();
                let every = self.rooms.put(("alignment", "treatments", 0), &every)?;
                let logits = self.rooms.room(("alignment", "logits", 0), all)?;
                run!(
                    self.rooms, "mask_logits", grid; self.values.mask, every, logits, whole(treatments), place(all),
                    1u32, f32::MAX
                );
                logits
            }
        };
        let count = packed.conditions * treatments;
        let (grid, scale, hops) = (Grid::strides(count), 1.0 / treatments as f32, self.config.alignment_hops());
        let mut room = |what: &'static str, at: usize| self.rooms.room(("alignment", what, at), count);
        let (sum, distances, by_sum) = (room("sum", 0)?, room("distances", 0)?, room("by sum", 0)?);
        let terms = (0..=hops).map(|hop| room("term", hop)).collect::<Result<Vec<_>>>()?;
        let (mut now, mut next) = (room("by term", 0)?, room("by term", 1)?);
        run!(
            self.rooms, "sum_rows", grid; logits, on.at(&packed.of_conditions.starts),
            on.at(&packed.of_conditions.entries), terms[0], whole(treatments), place(count)
        );
        run!(self.rooms, "copy", grid; terms[0], sum, place(count));
        let a = logits.matrix(treatments);
        for pair in terms.windows(2) {
            self.rooms.machine.product(pair[1].matrix(treatments), 0.0, scale, pair[0].matrix(treatments), a)?;
            run!(self.rooms, "add", grid; sum, pair[1], place(count));
        }
        let factor = (self.config.gamma / (packed.cells * packed.measured_treatments) as f64) as f32;
        let cells = &packed.condition_cells;
        run!(
            self.rooms, "distance", grid; sum, on.at(&packed.targets), on.at(&packed.measured), on.at(&cells.starts),
            on.at(&cells.entries), distances, by_sum, whole(treatments), place(count), factor
        );
        self.add_term(term::GRN, distances, None, share * factor)?;
        if !learn {
            return Ok(by_all);
        }
        // From the last term back: its gradient, and A's part in it.
        run!(self.rooms, "copy", grid; by_sum, now, place(count));
        for term in terms[..hops].iter().rev() {
            let by_after = now.matrix(treatments);
            let before = term.matrix(treatments).transposed();
            self.rooms.machine.product(by_all.matrix(treatments), 1.0, scale, before, by_after)?;
            run!(self.rooms, "copy", grid; by_sum, next, place(count));
            self.rooms.machine.product(next.matrix(treatments), 1.0, scale, by_after, a.transposed())?;
            std::mem::swap(&mut now, &mut next);
        }
        let by_rows = self.rooms.room(("alignment", "by rows", 0), all)?;
        run!(
            self.rooms, "sum_rows", Grid::strides(all); now, on.at(&packed.of_treatments.starts),
            on.at(&packed.of_treatments.entries), by_rows, whole(treatments), place(all)
        );
        run!(self.rooms, "add", Grid::strides(all); by_all, by_rows, place(all));
        Ok(by_all)
    }
}
