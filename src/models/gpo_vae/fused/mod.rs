//! The loss and its gradient on the processor, by hand: no graph of operations, no array made twice, every buffer kept for the
//! next step.
//!
//! It computes what [`GpoVae::loss`] computes, to rounding; tests hold one against the other at random shapes, and both against
//! the reference values. What makes it fast: products go straight into gradients that are there already; the decoder's output
//! becomes its own gradient where it lies, particle by particle; the effects are drawn only of treatments that occur in the
//! batch; loops are compiled for the widest vectors at hand. It is the same to the bit on any number of threads.

mod alignment;
mod cells;
mod decoder;
mod effects;
mod entering;
mod networks;

use std::collections::BTreeMap;

use candle_core::{Result, Storage, bail};

use self::alignment::Alignment;
use self::cells::{Cells, Encoded, Given};
use self::decoder::{Decoder, Wanted};
use self::effects::{Draws, Effects};
use self::entering::Shared;
use self::networks::Networks;
use super::batch::Batch;
use super::network::GpoVae;
use super::noise::Noise;
use crate::models::nn::dense::room;
use crate::models::nn::matrix::{Into, View, ViewMut, product};
use crate::models::nn::{kernels, vector};

/// The gradient by one parameter.
struct Gradient {
    name: String,
    values: Vec<f32>,
}

impl AsMut<[f32]> for Gradient {
    fn as_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

/// Steps of one model on the processor.
pub struct FusedStep {
    gradients: Networks<Gradient>,
    effects: Effects,
    cells: Cells,
    decoder: Decoder,
    alignment: Alignment,
    /// E∘M through the first layers of encoder and decoder, and the gradients by that.
    offsets: [Vec<f32>; 2],
    by_offsets: [Vec<f32>; 2],
    /// U likewise.
    artifacts: [Vec<f32>; 2],
    by_artifacts: [Vec<f32>; 2],
}

impl FusedStep {
    /// For steps of `model`.
    ///
    /// # Errors
    /// If a parameter is missing.
    pub fn new(model: &GpoVae) -> Result<Self> {
        let sizes: BTreeMap<&str, usize> =
            model.parameters().iter().map(|(name, var)| (name, var.elem_count())).collect();
        let gradients = Networks::build(model.config(), &mut |name| {
            let values = vec![0.0; *sizes.get(&*name)?];
            Some(Gradient { name, values })
        });
        let Some(gradients) = gradients else { bail!("the model lacks parameters") };
        Ok(Self {
            gradients,
            effects: Effects::default(),
            cells: Cells::default(),
            decoder: Decoder::default(),
            alignment: Alignment::default(),
            offsets: Default::default(),
            by_offsets: Default::default(),
            artifacts: Default::default(),
            by_artifacts: Default::default(),
        })
    }

    /// How many numbers its buffers hold, the gradients included: after the first step, what the steps take.
    pub fn held(&mut self) -> usize {
        let gradients: usize = self.gradients.all().into_iter().map(|gradient| gradient.values.len()).sum();
        let Self { effects, cells, decoder, alignment, offsets, by_offsets, artifacts, by_artifacts, .. } = self;
        let shared = [offsets, by_offsets, artifacts, by_artifacts].into_iter().flatten().map(|buffer| buffer.len());
        gradients + effects.held() + cells.held() + decoder.held() + alignment.held() + shared.sum::<usize>()
    }

    /// The gradient of the last step that learned, by parameter.
    pub fn gradients(&mut self) -> BTreeMap<&str, &[f32]> {
        self.gradients.all().into_iter().map(|gradient| (&*gradient.name, &*gradient.values)).collect()
    }

    /// The loss of a batch with all its noise given: the total, then the terms in the order of
    /// [`crate::models::LossTerms`]. With `learn` also its gradient, see [`FusedStep::gradients`].
    ///
    /// # Errors
    /// If the parameters are not on the processor.
    pub fn run(&mut self, model: &GpoVae, batch: &Batch, noise: &Noise, learn: bool) -> Result<[f64; 9]> {
        let held: Vec<_> = model.parameters().iter().map(|(name, var)| (name, var.storage_and_layout())).collect();
        let mut values = BTreeMap::new();
        for (name, (storage, layout)) in &held {
            let Storage::Cpu(storage) = &**storage else { bail!("the fused step is for the processor") };
            values.insert(*name, kernels::slice(storage, layout)?);
        }
        match Networks::build(model.config(), &mut |name| values.get(&*name).copied()) {
            Some(networks) => Ok(self.step(&networks, model, batch, noise, learn)),
            None => bail!("the model lacks parameters"),
        }
    }

    fn step(
        &mut self,
        networks: &Networks<&[f32]>,
        model: &GpoVae,
        batch: &Batch,
        noise: &Noise,
        learn: bool,
    ) -> [f64; 9] {
        let (config, sizes) = (model.config(), model.sizes());
        let (treatments, latent, particles) = (sizes.treatments, config.latent, config.particles);
        let (cells, mean) = (batch.len(), 1.0 / (batch.len() * particles) as f64);
        if learn {
            self.gradients.all().into_iter().for_each(|gradient| gradient.values.fill(0.0));
        }
        let partners = batch.partners.as_ref().filter(|_| config.beta != 0.0);
        let draws = Draws {
            draws: [&noise.factual, &noise.counterfactual],
            treatments: [batch.treatments(), partners.map_or(&[], |partners| &partners.present.treatments)],
            weights: &batch.treatment_weights,
            artifact_weight: batch.artifact_weight,
            config,
        };
        let ratios = self.effects.forward(networks, &draws);

        // What goes into both first layers beside their own parts: by treatment, and by particle.
        let [of_first, of_both] = draws.rows().map(|rows| rows.end);
        let basal = networks.basal.layers[0].matrix();
        let decoder = networks.decoder[0].matrix();
        let masked = |rows: usize| View::new(&self.effects.masked[..rows * treatments], treatments);
        let artifacts = |rows: usize| View::new(&self.effects.artifacts[..rows * latent], latent);
        let widths = [networks.basal.mean.inputs(), networks.head.inputs()];
        // Of each: weight, where its own part ends, rows of E∘M, rows of U.
        let parts = [(basal, sizes.genes, of_both, 2 * particles), (decoder, latent, of_first, particles)];
        for (at, (weight, own, rows, artifact_rows)) in parts.into_iter().enumerate() {
            let width = widths[at];
            let offsets = room(&mut self.offsets[at], rows * width);
            let by_treatment = weight.columns(own, treatments).transposed();
            product(ViewMut::new(offsets, width), Into::Fresh, 1.0, masked(rows), by_treatment);
            let shared = room(&mut self.artifacts[at], artifact_rows * width);
            let by_latent = weight.columns(own + treatments, latent).transposed();
            product(ViewMut::new(shared, width), Into::Fresh, 1.0, artifacts(artifact_rows), by_latent);
        }

        let encoded = Encoded {
            batch,
            partners,
            particles,
            noise: &noise.basal,
            exact_kl: config.exact_kl,
            by_ratio: -mean as f32,
            by_divergence: (config.beta / particles as f64) as f32,
        };
        let (first, second) = self.offsets[0][..of_both * widths[0]].split_at(of_first * widths[0]);
        let (artifact, other) = self.artifacts[0][..2 * particles * widths[0]].split_at(particles * widths[0]);
        let given = Given { offsets: [first, second], artifacts: [artifact, other] };
        let (basal_ratio, divergence) = self.cells.forward(networks, &encoded, &given);

        for (at, (_, _, rows, artifact_rows)) in parts.into_iter().enumerate().filter(|_| learn) {
            room(&mut self.by_offsets[at], rows * widths[at]).fill(0.0);
            room(&mut self.by_artifacts[at], artifact_rows * widths[at]).fill(0.0);
        }
        if let Some(logs) = networks.log_concentration {
            self.decoder.concentration.set(logs);
        }
        let by_cell: Vec<f32> =
            batch.reconstruction_weights.iter().map(|weight| (-mean * f64::from(*weight)) as f32).collect();
        let width = widths[1];
        let per_particle = batch.treatments().len() * width;
        let mut likelihood = 0.0;
        let weigh = |sums: &[f64]| -> f64 {
            sums.iter().zip(&batch.reconstruction_weights).map(|(sum, weight)| sum * f64::from(*weight)).sum()
        };
        for p in 0..particles {
            let (z, by_basal) = self.cells.basal(p, cells * latent);
            let (offsets, artifact) = (p * per_particle..(p + 1) * per_particle, p * width..(p + 1) * width);
            let shared = Shared {
                offsets: &self.offsets[1][offsets.clone()],
                artifact: &self.artifacts[1][artifact.clone()],
                present: &batch.present,
                cells: None,
                flags: &batch.failed,
            };
            let wanted = learn.then(|| Wanted {
                networks: &mut self.gradients,
                by_basal,
                by_offsets: &mut self.by_offsets[1][offsets],
                by_artifact: &mut self.by_artifacts[1][artifact],
            });
            likelihood += weigh(&self.decoder.run(networks, batch, z, &shared, &by_cell, wanted));
        }
        let concentration = &self.decoder.concentration;
        let constant = match networks.log_concentration {
            Some(_) => concentration.terms(&batch.counts),
            None => batch.counts.log_factorials().into_iter().map(|value| -f64::from(value)).collect(),
        };
        likelihood += particles as f64 * weigh(&constant);

        let scale = config.lambda / (treatments * treatments) as f64;
        let sparsity: f64 = networks.mask_logits.iter().map(|&logit| f64::from(vector::sigmoid(logit))).sum();
        let by_logits = learn.then_some(&mut self.gradients.mask_logits.values[..]);
        let alignment = self.alignment.run(networks.mask_logits, batch, config.gamma, config.hops, by_logits);
        if learn {
            if let Some(by_log) = &mut self.gradients.log_concentration {
                let by_term: Vec<f32> = by_cell.iter().map(|weight| weight * particles as f32).collect();
                self.decoder.concentration.terms_backward(&batch.counts, &by_term, &mut by_log.values);
            }
            let by_logits = &mut self.gradients.mask_logits.values;
            for (by_logit, &logit) in by_logits.iter_mut().zip(networks.mask_logits) {
                let share = vector::sigmoid(logit);
                *by_logit += scale as f32 * share * (1.0 - share);
            }
            let (first, second) = self.by_offsets[0][..of_both * widths[0]].split_at_mut(of_first * widths[0]);
            let (artifact, other) =
                self.by_artifacts[0][..2 * particles * widths[0]].split_at_mut(particles * widths[0]);
            let by_given = Given { offsets: [first, second], artifacts: [artifact, other] };
            self.cells.backward(networks, &encoded, &given, by_given, &mut self.gradients);
            self.through_first_layers(&parts, widths, treatments, latent);
            self.effects.backward(networks, &draws, &mut self.gradients);
        }
        let terms = [
            -mean * likelihood,
            -mean * basal_ratio,
            ratios.effect,
            ratios.mask,
            ratios.artifact,
            config.beta / particles as f64 * divergence,
            alignment,
            scale * sparsity,
        ];
        let mut all = [terms.iter().sum(); 9];
        all[1..].copy_from_slice(&terms);
        all
    }

    /// The way back through the parts of the first layers that E∘M and U enter: gradients of their weights, and those by E∘M and
    /// U, which take the place of these.
    fn through_first_layers(
        &mut self,
        parts: &[(View<'_>, usize, usize, usize); 2],
        widths: [usize; 2],
        treatments: usize,
        latent: usize,
    ) {
        let Self { gradients, effects, by_offsets, by_artifacts, .. } = self;
        let layers = [&mut gradients.basal.layers[0], &mut gradients.decoder[0]];
        for (at, layer) in layers.into_iter().enumerate() {
            let (_, own, rows, artifact_rows) = parts[at];
            let inputs = own + treatments + latent;
            let mut add = |slopes: &[f32], from: usize, entered: View<'_>, columns: usize| {
                let weight = ViewMut::new(&mut layer.weight.values, inputs).columns(from, columns);
                product(weight, Into::Sum, 1.0, View::new(slopes, widths[at]).transposed(), entered);
            };
            let masked = View::new(&effects.masked[..rows * treatments], treatments);
            add(&by_offsets[at][..rows * widths[at]], own, masked, treatments);
            let artifacts = View::new(&effects.artifacts[..artifact_rows * latent], latent);
            add(&by_artifacts[at][..artifact_rows * widths[at]], own + treatments, artifacts, latent);
        }
        for (at, (weight, own, rows, artifact_rows)) in parts.iter().copied().enumerate() {
            let into = if at == 0 { Into::Fresh } else { Into::Sum };
            let slopes = View::new(&by_offsets[at][..rows * widths[at]], widths[at]);
            let by_masked = ViewMut::new(&mut effects.masked[..rows * treatments], treatments);
            product(by_masked, into, 1.0, slopes, weight.columns(own, treatments));
            let slopes = View::new(&by_artifacts[at][..artifact_rows * widths[at]], widths[at]);
            let by_artifact = ViewMut::new(&mut effects.artifacts[..artifact_rows * latent], latent);
            product(by_artifact, into, 1.0, slopes, weight.columns(own + treatments, latent));
        }
    }
}

#[cfg(test)]
mod tests;
