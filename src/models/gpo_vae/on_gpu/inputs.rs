//! What a step reads: draws, and the cells.

use std::sync::Arc;

use candle_core::Result;

use super::packed::{Packed, PackedCells};
use super::rooms::{place, run, whole};
use super::{GpuStep, On, OnGpu};
use crate::models::gpo_vae::noise::{Draw, Noise};
use crate::models::nn::gpu::{Array, Grid, Machine, words};

/// Draws on the GPU.
pub(super) struct Draws {
    pub mask: Array,
    /// Whether those of the mask are uniform, not logistic.
    pub uniform: bool,
    pub effect: Array,
    pub artifact: Array,
    pub basal: Array,
}

impl<M: Machine> GpuStep<M> {
    pub(super) fn draws(&mut self, packed: &Packed, noise: Option<&Noise>) -> Result<Draws> {
        let (particles, latent, treatments) = (self.config.particles, self.config.latent, self.sizes.treatments);
        let pairs = particles * packed.effects * treatments;
        let mut room = |what: &'static str, count: usize| self.rooms.room(("draws", what, 0), count);
        let draws = Draws {
            mask: room("mask", pairs)?,
            uniform: noise.is_none(),
            effect: room("effect", pairs)?,
            artifact: room("artifact", 2 * particles * latent)?,
            basal: room("basal", particles * packed.cells * latent)?,
        };
        let machine = &mut self.rooms.machine;
        let Some(noise) = noise else {
            machine.uniform(draws.mask)?;
            for array in [draws.effect, draws.artifact, draws.basal] {
                machine.normal(array)?;
            }
            return Ok(draws);
        };
        // Those of the cells and of the partners are side by side for each particle.
        let [first, second] =
            [packed.first_effects, packed.effects - packed.first_effects].map(|rows| rows * treatments);
        let beside = |of: fn(&Draw) -> &[f32]| -> Vec<u32> {
            let mut all = Vec::with_capacity(pairs);
            for particle in 0..particles {
                all.extend(words(&of(&noise.factual)[particle * first..][..first]));
                if second > 0 {
                    all.extend(words(&of(&noise.counterfactual)[particle * second..][..second]));
                }
            }
            all
        };
        machine.upload(&beside(|draw| &draw.mask_logistic), draws.mask)?;
        machine.upload(&beside(|draw| &draw.effect), draws.effect)?;
        let mut artifact = words(&noise.factual.artifact);
        artifact.extend(words(&noise.counterfactual.artifact));
        artifact.resize(2 * particles * latent, 0);
        machine.upload(&artifact, draws.artifact)?;
        machine.upload(&words(&noise.basal), draws.basal)?;
        Ok(draws)
    }

    /// Counts of the cells, and what the encoder reads of cells and partners.
    pub(super) fn cells(&mut self, on: &On<'_>) -> Result<(Array, Array)> {
        let (packed, genes) = (on.packed, self.sizes.genes);
        match &packed.content {
            PackedCells::Dense { counts, read } => Ok((on.at(counts), on.at(read))),
            PackedCells::Sparse { columns, values, partners, reading } => {
                let (tables, table) = match &self.reading {
                    Some(held) if Arc::ptr_eq(&held.of, reading) => (held.tables, held.partners),
                    _ => {
                        let tables = self.rooms.put_numbers(("cells", "tables", 0), &reading.tables())?;
                        let partners = self.rooms.put_numbers(("cells", "partners", 0), &reading.partners())?;
                        self.reading = Some(OnGpu { of: Arc::clone(reading), tables, partners });
                        (tables, partners)
                    }
                };
                let counts = self.rooms.room(("cells", "counts", 0), packed.cells * genes)?;
                let read = self.rooms.room(("cells", "read", 0), (packed.cells + packed.partners) * genes)?;
                run!(
                    self.rooms, "expand", Grid::rows(packed.cells); on.at(&columns.starts), on.at(&columns.entries),
                    on.at(values), tables, counts, read, whole(genes), u32::from(reading.reads_logs())
                );
                let count = packed.partners * genes;
                if count > 0 {
                    let of_partners = read.part(packed.cells * genes, count);
                    run!(
                        self.rooms, "gather_rows", Grid::strides(count); table, on.at(partners), of_partners,
                        whole(genes), place(count)
                    );
                }
                Ok((counts, read))
            }
        }
    }
}
