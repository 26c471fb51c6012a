//! First layers of the encoder of the basal state and of the decoder: what enters them beside their own parts, forward and backward.

use candle_core::Result;

use super::effects::Effects;
use super::layers::{outputs, weight};
use super::rooms::{place, run, whole};
use super::{GpuStep, On};
use crate::models::gpo_vae::entering::Entering;
use crate::models::nn::dense::Layer;
use crate::models::nn::gpu::{Array, Grid, Machine};
use crate::models::nn::kernels::LEAK;

/// A first layer.
#[derive(Clone, Copy)]
pub(super) struct First<'a> {
    pub tag: &'static str,
    pub layer: &'a Layer<Array>,
    pub gradient: &'a Layer<Array>,
    pub entering: Entering,
    /// That enter for each particle.
    pub rows: usize,
    /// Whether every particle has own parts.
    pub by_particle: bool,
}

/// What the treatments and the artifacts bring into a first layer.
#[derive(Clone, Copy)]
pub(super) struct Shared {
    pub offsets: Array,
    pub artifacts: Array,
}

/// The gradients by E∘M and U; `added` to what is there, or not.
#[derive(Clone, Copy)]
pub(super) struct BySampled {
    pub masked: Array,
    pub artifacts: Array,
    pub added: bool,
}

impl<M: Machine> GpuStep<M> {
    /// What E∘M and U bring into a first layer; none where they do not enter.
    pub(super) fn shared(&mut self, into: &First<'_>, effects: &Effects) -> Result<Option<Shared>> {
        let First { tag, layer: first, entering, .. } = *into;
        let Some([offset, artifact]) = entering.shared else { return Ok(None) };
        let (treatments, latent, width) = (self.sizes.treatments, self.config.latent, outputs(first));
        let shared = Shared {
            offsets: self.rooms.room((tag, "offsets", 0), effects.masked.len() / treatments * width)?,
            artifacts: self.rooms.room((tag, "artifacts", 0), effects.artifacts.len() / latent * width)?,
        };
        let part = weight(first).columns(offset, treatments).transposed();
        self.rooms.product(shared.offsets.matrix(width), effects.masked.matrix(treatments), part)?;
        let part = weight(first).columns(artifact, latent).transposed();
        self.rooms.product(shared.artifacts.matrix(width), effects.artifacts.matrix(latent), part)?;
        Ok(Some(shared))
    }

    /// The activated first layer from its own parts: of every particle's rows, or the same for all.
    pub(super) fn enter(
        &mut self,
        on: &On<'_>,
        into: &First<'_>,
        own: Array,
        shared: Option<Shared>,
        out: Array,
    ) -> Result<()> {
        let First { layer, rows, by_particle, .. } = *into;
        let packed = on.packed;
        let Shared { offsets, artifacts } = shared.unwrap_or(Shared { offsets: own, artifacts: own });
        run!(
            self.rooms, "enter", Grid::strides(out.len()); own, on.at(&packed.own_of), layer.bias, offsets, artifacts,
            on.at(&packed.of_entering.starts), on.at(&packed.of_entering.entries), on.at(&packed.flags),
            on.at(&packed.seconds), out, whole(layer.bias.len()), whole(rows), whole(packed.effects),
            whole(self.config.particles), u32::from(by_particle), u32::from(shared.is_some()), place(out.len()), LEAK
        );
        Ok(())
    }

    /// The way back from a first layer to E∘M and U, and to its weight for them.
    pub(super) fn shared_back(
        &mut self,
        on: &On<'_>,
        of: &First<'_>,
        effects: &Effects,
        slopes: Array,
        into: BySampled,
    ) -> Result<()> {
        let First { tag, layer: first, gradient: by_first, entering, rows, .. } = *of;
        let BySampled { masked: by_masked, artifacts: by_artifacts, added } = into;
        let Some([offset, artifact]) = entering.shared else { return Ok(()) };
        let (treatments, latent, width) = (self.sizes.treatments, self.config.latent, outputs(first));
        let (packed, particles) = (on.packed, self.config.particles);
        let by_offsets = self.rooms.room((tag, "by offsets", 0), effects.masked.len() / treatments * width)?;
        run!(
            self.rooms, "offsets_back", Grid::strides(by_offsets.len()); slopes, on.at(&packed.of_effects.starts),
            on.at(&packed.of_effects.entries), by_offsets, whole(width), whole(rows), whole(packed.effects),
            place(by_offsets.len())
        );
        let by_shared = self.rooms.room((tag, "by artifacts", 0), 2 * particles * width)?;
        run!(
            self.rooms, "artifacts_back", Grid::bands(width, 2 * particles); slopes, on.at(&packed.flags),
            on.at(&packed.seconds), by_shared, whole(width), whole(rows), whole(particles)
        );
        let keep = if added { 1.0 } else { 0.0 };
        let parts = [
            (offset, treatments, by_offsets, effects.masked, by_masked),
            (artifact, latent, by_shared, effects.artifacts, by_artifacts),
        ];
        for (from, columns, by_part, entered, by_entered) in parts {
            let slopes = by_part.matrix(width);
            let by_weight = weight(by_first).columns(from, columns);
            self.rooms.add_product(by_weight, slopes.transposed(), entered.matrix(columns))?;
            let part = weight(first).columns(from, columns);
            self.rooms.machine.product(by_entered.matrix(columns), keep, 1.0, slopes, part)?;
        }
        Ok(())
    }
}
