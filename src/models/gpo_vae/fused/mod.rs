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
mod mask;
mod networks;

use std::collections::BTreeMap;

use candle_core::{Result, Storage, bail};

use self::alignment::Alignment;
use self::cells::{Cells, Encoded, Given};
use self::decoder::{Decoder, Wanted, gene_effects_prior};
use self::effects::{Draws, Effects};
use self::entering::Shared;
use self::mask::{MaskPrior, logits_of, sparsity, through_logits};
pub(super) use self::networks::Networks;
use super::batch::Batch;
use super::entering::Entering;
use super::network::GpoVae;
use super::noise::Noise;
use super::variants::Likelihood;
use crate::models::nn::counts::normal_constant;
use crate::models::nn::dense::{Layer, room};
use crate::models::nn::kernels;
use crate::models::nn::matrix::{Into, View, ViewMut, product};

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

/// What goes into a first layer beside its own part.
#[derive(Clone, Copy)]
struct Part<'a> {
    /// The layer's weight.
    weight: View<'a>,
    entering: Entering,
    /// Rows of E∘M, and of U.
    rows: usize,
    artifact_rows: usize,
    /// Outputs of the layer.
    width: usize,
}

/// Steps of one model on the processor.
pub struct FusedStep {
    gradients: Networks<Gradient>,
    effects: Effects,
    cells: Cells,
    decoder: Decoder,
    alignment: Alignment,
    /// Logits of the mask and the gradient by them, where they are not its parameters.
    mask_logits: Vec<f32>,
    by_mask_logits: Vec<f32>,
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
            mask_logits: Vec::new(),
            by_mask_logits: Vec::new(),
            offsets: Default::default(),
            by_offsets: Default::default(),
            artifacts: Default::default(),
            by_artifacts: Default::default(),
        })
    }

    /// How many numbers its buffers hold, the gradients included: after the first step, what the steps take.
    pub fn held(&mut self) -> usize {
        let gradients: usize = self.gradients.all().into_iter().map(|gradient| gradient.values.len()).sum();
        let Self { effects, cells, decoder, alignment, .. } = self;
        let shared = [&self.offsets, &self.by_offsets, &self.artifacts, &self.by_artifacts].into_iter().flatten();
        let buffers = shared.chain([&self.mask_logits, &self.by_mask_logits]).map(Vec::len);
        let parts = [effects.held(), cells.held(), decoder.held(), alignment.held()];
        gradients + parts.into_iter().chain(buffers).sum::<usize>()
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
            logits: logits_of(config.mask, &mut self.mask_logits, networks.mask),
            mask_prior: MaskPrior::new(config, model.mask_prior.as_deref()),
            weights: &batch.treatment_weights,
            artifact_weight: batch.artifact_weight,
            config,
        };
        let ratios = self.effects.forward(networks, &draws);
        let of_genes = networks.gene_effects.map_or(0.0, |effects| {
            let by_effects = self.gradients.gene_effects.as_mut().filter(|_| learn).map(AsMut::as_mut);
            let prior = (config.gene_effects_prior, config.gene_effects);
            gene_effects_prior(effects, prior, batch.treatments(), &batch.treatment_weights, by_effects)
        });

        // What goes into both first layers beside their own parts: by treatment, and by particle.
        let [of_first, of_both] = draws.rows().map(|rows| rows.end);
        let masked = |rows: usize| View::new(&self.effects.masked[..rows * treatments], treatments);
        let artifacts = |rows: usize| View::new(&self.effects.artifacts[..rows * latent], latent);
        let parts = [
            Part {
                weight: networks.basal.layers[0].matrix(),
                entering: Entering::encoder(config, sizes),
                rows: of_both,
                artifact_rows: 2 * particles,
                width: networks.basal.mean.inputs(),
            },
            Part {
                weight: networks.decoder[0].matrix(),
                entering: Entering::decoder(config, sizes),
                rows: of_first,
                artifact_rows: particles,
                width: networks.head.inputs(),
            },
        ];
        for (at, part) in parts.iter().enumerate() {
            let offsets = room(&mut self.offsets[at], part.rows * part.width);
            let shared = room(&mut self.artifacts[at], part.artifact_rows * part.width);
            let Some([by_treatment, by_latent]) = part.entering.shared else {
                offsets.fill(0.0);
                shared.fill(0.0);
                continue;
            };
            let by_treatment = part.weight.columns(by_treatment, treatments).transposed();
            product(ViewMut::new(offsets, part.width), Into::Fresh, 1.0, masked(part.rows), by_treatment);
            let by_latent = part.weight.columns(by_latent, latent).transposed();
            product(ViewMut::new(shared, part.width), Into::Fresh, 1.0, artifacts(part.artifact_rows), by_latent);
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
        let [encoder_width, width] = parts.map(|part| part.width);
        let (first, second) = self.offsets[0][..of_both * encoder_width].split_at(of_first * encoder_width);
        let (artifact, other) = self.artifacts[0][..2 * particles * encoder_width].split_at(particles * encoder_width);
        let given = Given { offsets: [first, second], artifacts: [artifact, other] };
        let (basal_ratio, divergence) = self.cells.forward(networks, &encoded, &given);

        for (at, part) in parts.iter().enumerate().filter(|_| learn) {
            room(&mut self.by_offsets[at], part.rows * part.width).fill(0.0);
            room(&mut self.by_artifacts[at], part.artifact_rows * part.width).fill(0.0);
        }
        if let Some(logs) = networks.log_concentration {
            self.decoder.concentration.set(logs);
        }
        let by_cell: Vec<f32> =
            batch.reconstruction_weights.iter().map(|weight| (-mean * f64::from(*weight)) as f32).collect();
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
        let (concentration, counts) = (&self.decoder.concentration, &batch.dense().counts);
        let constant = match config.likelihood {
            Likelihood::LibraryNegativeBinomial => concentration.terms(counts),
            Likelihood::Poisson => counts.log_factorials().into_iter().map(|value| -f64::from(value)).collect(),
            Likelihood::Normal => vec![normal_constant(counts); cells],
        };
        likelihood += particles as f64 * weigh(&constant);

        let scale = config.lambda / (treatments * treatments) as f64;
        let mut by_mask = learn.then_some(&mut self.gradients.mask.values[..]);
        let (gamma, hops) = (config.gamma, config.alignment_hops());
        let (logits, aligned) = (draws.logits, &mut self.alignment);
        let mut alignment = 0.0;
        match &mut by_mask {
            Some(by_mask) => {
                through_logits(config.mask, &mut self.by_mask_logits, networks.mask, by_mask, |by_logits| {
                    alignment = aligned.run(logits, batch, gamma, hops, Some(by_logits));
                })
            }
            None => alignment = aligned.run(logits, batch, gamma, hops, None),
        }
        let sparsity = sparsity(config.mask, networks.mask, scale as f32, by_mask);
        if learn {
            if let Some(by_log) = &mut self.gradients.log_concentration {
                let by_term: Vec<f32> = by_cell.iter().map(|weight| weight * particles as f32).collect();
                self.decoder.concentration.terms_backward(counts, &by_term, &mut by_log.values);
            }
            let (first, second) = self.by_offsets[0][..of_both * encoder_width].split_at_mut(of_first * encoder_width);
            let (artifact, other) =
                self.by_artifacts[0][..2 * particles * encoder_width].split_at_mut(particles * encoder_width);
            let by_given = Given { offsets: [first, second], artifacts: [artifact, other] };
            self.cells.backward(networks, &encoded, &given, by_given, &mut self.gradients);
            through_first_layers(
                &parts,
                [&mut self.gradients.basal.layers[0], &mut self.gradients.decoder[0]],
                &mut self.effects,
                [(&self.by_offsets[0], &self.by_artifacts[0]), (&self.by_offsets[1], &self.by_artifacts[1])],
                treatments,
            );
            self.effects.backward(networks, &draws, &mut self.gradients, &mut self.by_mask_logits);
        }
        let terms = [
            -mean * likelihood,
            -mean * basal_ratio,
            ratios.effect + of_genes,
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
}

/// The way back through the parts of the first layers that E∘M and U enter: gradients of their weights, and those by E∘M and
/// U, which take the place of these. `by_shared` are those by what the parts bring into each layer.
fn through_first_layers(
    parts: &[Part<'_>; 2],
    layers: [&mut Layer<Gradient>; 2],
    effects: &mut Effects,
    by_shared: [(&[f32], &[f32]); 2],
    treatments: usize,
) {
    let [encoder, decoder] = parts;
    let latent = decoder.entering.own;
    let slopes = [0, 1].map(|at| {
        let (part, (by_offsets, by_artifacts)) = (&parts[at], by_shared[at]);
        let (offsets, artifacts) = (part.rows * part.width, part.artifact_rows * part.width);
        (View::new(&by_offsets[..offsets], part.width), View::new(&by_artifacts[..artifacts], part.width))
    });
    for ((part, layer), (by_offsets, by_artifacts)) in parts.iter().zip(layers).zip(slopes) {
        let Some(shared) = part.entering.shared else { continue };
        let masked = View::new(&effects.masked[..part.rows * treatments], treatments);
        let artifacts = View::new(&effects.artifacts[..part.artifact_rows * latent], latent);
        let entered = [(by_offsets, masked, treatments), (by_artifacts, artifacts, latent)];
        for (from, (slopes, entered, columns)) in shared.into_iter().zip(entered) {
            let weight = ViewMut::new(&mut layer.weight.values, part.entering.inputs).columns(from, columns);
            product(weight, Into::Sum, 1.0, slopes.transposed(), entered);
        }
    }
    // What enters no encoder has no gradient from there.
    if encoder.entering.shared.is_none() {
        effects.masked[..encoder.rows * treatments].fill(0.0);
        effects.artifacts[..encoder.artifact_rows * latent].fill(0.0);
    }
    for (at, (part, (by_offsets, by_artifacts))) in parts.iter().zip(slopes).enumerate() {
        let Some([by_treatment, by_latent]) = part.entering.shared else { continue };
        let into = if at == 0 { Into::Fresh } else { Into::Sum };
        let by_masked = ViewMut::new(&mut effects.masked[..part.rows * treatments], treatments);
        product(by_masked, into, 1.0, by_offsets, part.weight.columns(by_treatment, treatments));
        let by_artifact = ViewMut::new(&mut effects.artifacts[..part.artifact_rows * latent], latent);
        product(by_artifact, into, 1.0, by_artifacts, part.weight.columns(by_latent, latent));
    }
}

#[cfg(test)]
mod tests;
