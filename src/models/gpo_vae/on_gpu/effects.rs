//! Masks, effects and artifacts of both draws, and the way back from them.

use candle_core::Result;

use super::entering::BySampled;
use super::inputs::Draws;
use super::layers::{Heads, outputs, weight};
use super::normal::DrawnRows;
use super::rooms::{place, run, whole};
use super::{GpuStep, On, term};
use crate::models::gpo_vae::mask::LARGEST_LOGIT;
use crate::models::gpo_vae::variants::MaskParameters;
use crate::models::nn::gpu::{Argument, Array, Grid, Machine};
use crate::models::nn::kernels::LEAK;

/// What a draw of the variables that all cells share is, and what its way back needs.
pub(super) struct Effects {
    /// Of the mask's R rows, R × T.
    pub logits: Array,
    pub soft: Array,
    pub mask: Array,
    pub entered: Array,
    pub heads: Heads,
    pub noise: Array,
    pub effects: Array,
    /// E∘M, P × R × T.
    pub masked: Array,
    pub artifact_entered: Array,
    pub artifact_heads: Heads,
    pub artifact_noise: Array,
    /// U, 2P × L.
    pub artifacts: Array,
}

impl<M: Machine> GpuStep<M> {
    /// Whether the mask's parameters are probabilities, for kernels.
    pub(super) fn probabilities(&self) -> u32 {
        u32::from(self.config.mask == MaskParameters::Probabilities)
    }

    /// How many priors the mask has: one for all, or one for each of its entries.
    fn priors(&self) -> Argument {
        place(self.prior.len() / 2)
    }

    fn inverse_temperature(&self) -> f32 {
        (1.0 / self.config.mask_temperature) as f32
    }

    /// Masks, effects and artifacts of both draws.
    pub(super) fn effects(&mut self, on: &On<'_>, draws: &Draws, share: f32) -> Result<Effects> {
        let (packed, particles, treatments) = (on.packed, self.config.particles, self.sizes.treatments);
        let rows = packed.effects;
        let (pairs, count) = (rows * treatments, particles * rows * treatments);
        let (of_rows, seeds) = (on.at(&packed.rows), (on.at(&packed.by_effects), rows));
        let logits = self.rooms.room(("mask", "logits", 0), pairs)?;
        run!(
            self.rooms, "mask_logits", Grid::strides(pairs); self.values.mask, of_rows, logits, whole(treatments),
            place(pairs), self.probabilities(), LARGEST_LOGIT as f32
        );
        let (soft, mask) =
            (self.rooms.room(("mask", "soft", 0), count)?, self.rooms.room(("mask", "rounded", 0), count)?);
        run!(
            self.rooms, "mask_sample", Grid::strides(count); logits, draws.mask, soft, mask, place(pairs), place(count),
            self.inverse_temperature(), u32::from(draws.uniform)
        );
        let ratios = self.rooms.room(("mask", "ratios", 0), particles * rows)?;
        run!(
            self.rooms, "mask_ratio", Grid::rows(ratios.len()); mask, logits, self.prior, of_rows, ratios,
            whole(treatments), whole(rows), self.priors()
        );
        self.add_term(term::MASK, ratios, Some(seeds), share)?;

        let net = self.values.effect.clone();
        let first = &net.layers[0];
        let width = outputs(first);
        let entered = self.rooms.room(("effect", "entered", 0), particles * rows * width)?;
        let of_mask = weight(first).columns(0, treatments);
        self.rooms.product(entered.matrix(width), mask.matrix(treatments), of_mask.transposed())?;
        run!(
            self.rooms, "enter_effects", Grid::strides(entered.len()); entered, first.weight, first.bias, of_rows,
            whole(width), whole(rows), whole(treatments), place(entered.len()), LEAK
        );
        let heads = self.rooms.heads("effect", &net, entered)?;
        let effects = self.rooms.room(("effect", "drawn", 0), count)?;
        let mapping = self.effect_rows(rows);
        self.normal_draw(heads, draws.effect, effects, mapping)?;
        let scale = self.config.effect_prior_scale;
        self.normal_ratio(heads, (effects, draws.effect), mapping, scale, seeds, (term::EFFECT, share))?;
        let masked = self.rooms.room(("effect", "masked", 0), count)?;
        run!(self.rooms, "multiply", Grid::strides(count); effects, mask, masked, place(count));

        let net = self.values.artifact.clone();
        let artifact_entered = self.rooms.room(("artifact", "entered", 0), outputs(&net.layers[0]))?;
        self.rooms.affine(self.ones, &net.layers[0], artifact_entered, true)?;
        let artifact_heads = self.rooms.heads("artifact", &net, artifact_entered)?;
        let artifacts = self.rooms.room(("artifact", "drawn", 0), draws.artifact.len())?;
        let mapping = self.artifact_rows();
        self.normal_draw(artifact_heads, draws.artifact, artifacts, mapping)?;
        let seeds = (on.at(&packed.by_artifacts), 2 * particles);
        let drawn = (artifacts, draws.artifact);
        self.normal_ratio(artifact_heads, drawn, mapping, 1.0, seeds, (term::ARTIFACT, share))?;
        Ok(Effects {
            logits,
            soft,
            mask,
            entered,
            heads,
            noise: draws.effect,
            effects,
            masked,
            artifact_entered,
            artifact_heads,
            artifact_noise: draws.artifact,
            artifacts,
        })
    }

    fn effect_rows(&self, rows: usize) -> DrawnRows {
        let heads = self.config.particles * rows;
        DrawnRows { width: self.sizes.treatments, inner: rows, stride: rows, heads }
    }

    /// All draws have the same heads.
    fn artifact_rows(&self) -> DrawnRows {
        DrawnRows { width: self.config.latent, inner: 1, stride: 1, heads: 1 }
    }

    /// The way back from E∘M and U to the parameters of their encoders and of the mask; `by_all` is the gradient by all logits of what does
    /// not draw.
    pub(super) fn effects_back(&mut self, on: &On<'_>, effects: &Effects, by: BySampled, by_all: Array) -> Result<()> {
        let BySampled { masked: by_masked, artifacts: by_artifacts, .. } = by;
        let (packed, particles, treatments) = (on.packed, self.config.particles, self.sizes.treatments);
        let rows = packed.effects;
        let (pairs, count) = (rows * treatments, by_masked.len());
        let (of_rows, seeds, places) = (on.at(&packed.rows), on.at(&packed.by_effects), on.at(&packed.places));
        let by_mask = self.rooms.room(("mask", "by rounded", 0), count)?;
        let by_effects = by_masked;
        run!(
            self.rooms, "masked_back", Grid::strides(count); by_masked, effects.mask, effects.effects, by_mask,
            place(count)
        );
        let net = self.values.effect.clone();
        let gradients = self.gradients.effect.clone();
        let by = Heads {
            means: self.rooms.room(("effect", "by means", 0), count)?,
            logs: self.rooms.room(("effect", "by logs", 0), count)?,
        };
        let drawn = (effects.effects, effects.noise, by_effects);
        let mapping = self.effect_rows(rows);
        self.normal_back(effects.heads, drawn, by, mapping, (seeds, rows), self.config.effect_prior_scale)?;
        let slopes = self.rooms.heads_back("effect", &net, &gradients, effects.entered, by)?;
        let (first, by_first) = (&net.layers[0], &gradients.layers[0]);
        let width = outputs(first);
        let by_mask_part = weight(by_first).columns(0, treatments);
        let slope = slopes.matrix(width);
        self.rooms.add_product(by_mask_part, slope.transposed(), effects.mask.matrix(treatments))?;
        self.rooms.column_sums(slopes, by_first.bias)?;
        run!(
            self.rooms, "one_hot_back", Grid::strides(treatments * width); slopes, places, by_first.weight,
            whole(width), whole(rows), whole(treatments), whole(particles), place(treatments * width)
        );
        self.rooms.add_product(by_mask.matrix(treatments), slope, weight(first).columns(0, treatments))?;
        let by_rows = self.rooms.room(("mask", "by logits", 0), pairs)?;
        run!(
            self.rooms, "mask_back", Grid::strides(pairs); effects.logits, effects.soft, effects.mask, by_mask,
            self.prior, of_rows, seeds, by_rows, whole(treatments), place(pairs), place(count), self.priors(),
            self.inverse_temperature()
        );
        let all = treatments * treatments;
        run!(
            self.rooms, "mask_parameters_back", Grid::strides(all); by_all, by_rows, places, self.values.mask,
            self.gradients.mask, whole(treatments), whole(rows), place(all), self.probabilities(),
            (self.config.lambda / all as f64) as f32
        );

        let net = self.values.artifact.clone();
        let gradients = self.gradients.artifact.clone();
        let latent = self.config.latent;
        let by = Heads {
            means: self.rooms.room(("artifact", "by means", 0), latent)?,
            logs: self.rooms.room(("artifact", "by logs", 0), latent)?,
        };
        let drawn = (effects.artifacts, effects.artifact_noise, by_artifacts);
        let (mapping, seeds) = (self.artifact_rows(), (on.at(&packed.by_artifacts), 2 * particles));
        self.normal_back(effects.artifact_heads, drawn, by, mapping, seeds, 1.0)?;
        let slopes = self.rooms.heads_back("artifact", &net, &gradients, effects.artifact_entered, by)?;
        let by_first = &gradients.layers[0];
        let slope = slopes.matrix(slopes.len());
        self.rooms.add_product(weight(by_first), slope.transposed(), self.ones.matrix(latent))?;
        self.rooms.column_sums(slopes, by_first.bias)
    }
}
