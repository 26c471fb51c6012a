//! The networks of GPO-VAE and its loss.
//!
//! Source: Baek, Park, Chok, Gim, Kang, "GPO-VAE: Modeling Explainable Gene Perturbation Responses utilizing GRN-Aligned
//! Parameter Optimization", arXiv 2501.18973. Symbols: B cells, G genes, T treatments, L latent dimensions, P particles,
//! C distinct conditions in a batch. A `[T, T]` mask logits, M `[P, T, T]` mask, E `[P, T, T]` effects, U `[P, 1, L]`
//! artifact effect, z `[P, B, L]` basal state, D dosage. A term called "ratio" is log prior − log posterior.

use candle_core::{Device, Result, Tensor};

use super::batch::{Batch, Present};
use super::config::{GpoVaeConfig, Likelihood};
use super::noise::{Draw, Noise};
use crate::models::nn::counts::{self, softplus};
use crate::models::nn::kernels;
use crate::models::nn::linear::{Activation, Linear, affine};
use crate::models::nn::mlp::{Normal, NormalMlp, ResidualMlp};
use crate::models::nn::parameters::{Parameters, Source};

/// logit(1 − ε) in f32: beyond, a probability is clamped to 1 − ε.
pub(super) const LARGEST_LOGIT: f64 = 15.942_385;

/// Numbers of genes and treatments, which fix the shapes together with the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// G.
    pub genes: usize,
    /// T.
    pub treatments: usize,
}

/// The model: all its networks and their parameters.
pub struct GpoVae {
    sizes: Sizes,
    config: GpoVaeConfig,
    parameters: Parameters,
    mask_logits: Tensor,
    effect_encoder: NormalMlp,
    artifact_encoder: NormalMlp,
    basal_encoder: NormalMlp,
    decoder: ResidualMlp,
    decoder_head: Linear,
    log_concentration: Option<Tensor>,
}

/// The loss and its terms as scalars, each as it enters the sum.
pub struct Loss {
    /// What is minimised.
    pub total: Tensor,
    /// In the order of [`crate::models::LossTerms`] without the total.
    pub terms: [Tensor; 8],
}

/// First layer of a network over \[own part, D(E∘M), flag·U\], its weight cut accordingly: the parts are added, not
/// concatenated.
struct Split {
    own: Tensor,
    offset: Tensor,
    artifact: Tensor,
    bias: Tensor,
}

impl Split {
    fn new(layer: &Linear, own: usize, treatments: usize, latent: usize) -> Result<Self> {
        let weight = layer.weight();
        Ok(Self {
            own: weight.narrow(1, 0, own)?,
            offset: weight.narrow(1, own, treatments)?,
            artifact: weight.narrow(1, own + treatments, latent)?,
            bias: layer.bias().clone(),
        })
    }

    /// Without bias and activation: `[…, T]` rows of offsets to `[…, H]`.
    fn of(weight: &Tensor, x: &Tensor) -> Result<Tensor> {
        let zero = Tensor::zeros(weight.dim(0)?, x.dtype(), x.device())?;
        affine(x, weight, &zero, Activation::None)
    }

    fn own(&self, x: &Tensor) -> Result<Tensor> {
        affine(x, &self.own, &self.bias, Activation::None)
    }

    /// LeakyReLU of the sum of all parts: own part `[P or 1, B, H]`, D `[B, T']` of the sample's treatments, flags `[B, 1]`.
    fn entering(&self, own: &Tensor, sample: &Sample, conditions: &Tensor, flags: &Tensor) -> Result<Tensor> {
        let by_treatment = Self::of(&self.offset, &sample.masked_effect)?;
        let offset = conditions.broadcast_matmul(&by_treatment)?;
        let artifact = Self::of(&self.artifact, &sample.artifact)?;
        kernels::leaky_relu(&(offset.broadcast_add(own)? + flags.broadcast_mul(&artifact)?)?)
    }
}

/// One draw of the global variables.
pub(super) struct Sample {
    /// E∘M `[P, T, T]`.
    masked_effect: Tensor,
    /// U `[P, 1, L]`.
    artifact: Tensor,
    /// Ratio of E, summed over its row, `[P, T']`: of the treatments asked for.
    pub effect_ratio: Tensor,
    /// Ratio of M, likewise.
    pub mask_ratio: Tensor,
    /// Ratio of U, summed, `[P]`.
    pub artifact_ratio: Tensor,
}

/// A draw of all latent variables, and what it makes of the cells of a batch.
pub(super) struct Drawn {
    pub sample: Sample,
    /// D of the cells, `[B, T']`.
    conditions: Tensor,
    /// First layer of the encoder of z.
    encoder: Split,
    /// The cells' own part in it, `[1, B, H]`.
    own: Tensor,
    /// Ratio of z, `[P, B, L]`.
    pub basal_ratio: Tensor,
    /// The decoder's output in the branch that counts for each cell, `[P, B, G]`.
    pub decoded: Tensor,
}

impl GpoVae {
    /// Build with parameters from `source`.
    pub fn new(sizes: Sizes, config: &GpoVaeConfig, source: Source, device: &Device) -> Result<Self> {
        let (treatments, latent) = (sizes.treatments, config.latent);
        let mut parameters = Parameters::new(source, device);
        let p = &mut parameters;
        let embedding = (config.embedding_hidden, config.embedding_layers);
        let effect = [2 * treatments, embedding.0, treatments];
        let basal = [sizes.genes + treatments + latent, config.basal_hidden, latent];
        let mask_logits = p.get("mask_logits", &[treatments, treatments], |_| 0.0)?;
        let effect_encoder = NormalMlp::new(p, "effect_encoder", effect, embedding.1)?;
        let artifact_encoder = NormalMlp::new(p, "artifact_encoder", [latent, embedding.0, latent], embedding.1)?;
        let basal_encoder = NormalMlp::new(p, "basal_encoder", basal, config.basal_layers)?;
        let decoder_inputs = latent + treatments + latent;
        // With n layers configured the decoder has n + 1, as published.
        let decoder = ResidualMlp::new(p, "decoder", decoder_inputs, config.decoder_hidden, config.decoder_layers + 1)?;
        let decoder_head = p.linear("decoder.head", config.decoder_hidden, sizes.genes)?;
        let log_concentration = match config.likelihood {
            Likelihood::LibraryNegativeBinomial => Some(p.get("log_concentration", &[sizes.genes], |_| 0.0)?),
            Likelihood::Poisson => None,
        };
        Ok(Self {
            sizes,
            config: config.clone(),
            parameters,
            mask_logits,
            effect_encoder,
            artifact_encoder,
            basal_encoder,
            decoder,
            decoder_head,
            log_concentration,
        })
    }

    /// Shapes.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Settings.
    pub fn config(&self) -> &GpoVaeConfig {
        &self.config
    }

    /// All parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// A, row = regulator, column = target.
    pub fn mask_logits(&self) -> Result<Vec<Vec<f32>>> {
        self.mask_logits.to_vec2()
    }

    /// The row of A of one treatment: the logits of its edges, by target.
    pub fn mask_row(&self, treatment: usize) -> Result<Vec<f32>> {
        self.mask_logits.get(treatment)?.to_vec1()
    }

    /// log c per gene, where the likelihood has it.
    pub fn log_concentration(&self) -> Result<Option<Vec<f32>>> {
        self.log_concentration.as_ref().map(Tensor::to_vec1).transpose()
    }

    /// Concatenate mask rows `[…, T, T]` with their treatments' one-hot vectors and encode.
    fn encode_effects(&self, mask_rows: &Tensor, one_hot: &Tensor) -> Result<Normal> {
        let one_hot = one_hot.broadcast_as(mask_rows.shape())?;
        self.effect_encoder.forward(&Tensor::cat(&[mask_rows, &one_hot], 2)?)
    }

    /// One draw of the variables that all cells share; of E and M only the rows of `treatments`.
    fn sample(&self, draw: &Draw, treatments: &[u32]) -> Result<Sample> {
        let device = self.parameters.device();
        let (all, latent, particles) = (self.sizes.treatments, self.config.latent, self.particles(draw));
        let rows = Tensor::from_slice(treatments, treatments.len(), device)?;
        let given = |values: &[f32]| Tensor::from_slice(values, (particles, treatments.len(), all), device);
        let logits = self.mask_logits.index_select(&rows, 0)?.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)?;
        let soft = sigmoid(&given(&draw.mask_logistic)?.broadcast_add(&logits)?)?;
        // Straight through: the rounded value forward, the gradient of the soft one.
        let mask = ((soft.round()? - &soft)?.detach() + &soft)?;
        let prior = self.config.mask_prior;
        let (log_prior, log_complement) = (prior.ln(), (-prior).ln_1p());
        let log_prior = ((&mask * (log_prior - log_complement))? + log_complement)?;
        let log_posterior = mask.broadcast_mul(&logits)?.broadcast_sub(&softplus(&logits)?)?;
        let mask_ratio = (log_prior - log_posterior)?.sum(2)?;

        let one_hot = Tensor::eye(all, mask.dtype(), device)?.index_select(&rows, 0)?.unsqueeze(0)?;
        let posterior = self.encode_effects(&mask, &one_hot)?;
        let noise = given(&draw.effect)?;
        let effect = posterior.sample(&noise)?;
        let effect_ratio = posterior.log_prior_ratio(&effect, &noise)?.sum(2)?;

        let ones = Tensor::ones((1, latent), mask.dtype(), device)?;
        let posterior = self.artifact_encoder.forward(&ones)?;
        let noise = Tensor::from_slice(&draw.artifact, (particles, 1, latent), device)?;
        let artifact = posterior.sample(&noise)?;
        let artifact_ratio = posterior.log_prior_ratio(&artifact, &noise)?.sum(2)?.squeeze(1)?;

        Ok(Sample { masked_effect: (effect * mask)?, artifact, effect_ratio, mask_ratio, artifact_ratio })
    }

    /// What a draw of all latent variables, `basal_noise` P × B × L, makes of the measured cells of `batch`.
    pub(super) fn draw(&self, batch: &Batch, draw: &Draw, basal_noise: &[f32]) -> Result<Drawn> {
        let (treatments, latent, particles) = (self.sizes.treatments, self.config.latent, self.particles(draw));
        let device = self.parameters.device();
        let (cells, genes) = (batch.len(), self.sizes.genes);
        let sample = self.sample(draw, batch.treatments())?;
        let conditions = conditions(&batch.present, cells, device)?;
        let failed = Tensor::from_slice(&batch.failed, (cells, 1), device)?;

        let encoder = Split::new(self.basal_encoder.mlp.first(), self.sizes.genes, treatments, latent)?;
        let own = encoder.own(&Tensor::from_slice(&batch.standardised, (cells, genes), device)?)?.unsqueeze(0)?;
        let entering = encoder.entering(&own, &sample, &conditions, &failed)?;
        let posterior = self.basal_encoder.after_first(entering)?;
        let basal_noise = Tensor::from_slice(basal_noise, (particles, cells, latent), device)?;
        let basal = posterior.sample(&basal_noise)?;
        let basal_ratio = posterior.log_prior_ratio(&basal, &basal_noise)?;
        let decoded = self.decode(&basal, &sample, &conditions, &failed)?;
        Ok(Drawn { sample, conditions, encoder, own, basal_ratio, decoded })
    }

    /// How many particles a draw has.
    fn particles(&self, draw: &Draw) -> usize {
        draw.artifact.len() / self.config.latent
    }

    /// The loss of a batch with all its noise given, by the tensor library's own operations and with its gradient.
    ///
    /// This is the plain path, which every device has. [`super::FusedStep`] computes the same on the processor, several times
    /// faster.
    pub fn loss(&self, batch: &Batch, noise: &Noise) -> Result<Loss> {
        let (treatments, particles) = (self.sizes.treatments, self.config.particles);
        let device = self.parameters.device();
        let (cells, genes) = (batch.len(), self.sizes.genes);
        let mean = 1.0 / (cells * particles) as f64;
        let Drawn { sample, conditions, encoder, own, basal_ratio, decoded } =
            self.draw(batch, &noise.factual, &noise.basal)?;
        let basal_ratio = basal_ratio.sum_all()?;

        let likelihood = match &self.log_concentration {
            Some(log_concentration) => counts::library_negative_binomial(&decoded, log_concentration, &batch.counts)?,
            None => counts::poisson(&decoded, &batch.counts)?,
        };
        let weights = Tensor::from_slice(&batch.reconstruction_weights, (1, cells), device)?;
        let reconstruction = likelihood.broadcast_mul(&weights)?.sum_all()?;

        let weights: Vec<f32> = batch.treatments().iter().map(|&at| batch.treatment_weights[at as usize]).collect();
        let weights = Tensor::from_slice(&weights, (1, weights.len()), device)?;
        let by_treatment = |ratio: &Tensor| ratio.broadcast_mul(&weights)?.sum_all();
        let particle_mean = -1.0 / particles as f64;
        let zero = || Tensor::zeros((), decoded.dtype(), device);
        let counterfactual = match &batch.partners {
            Some(partners) if self.config.beta != 0.0 => {
                let other = self.sample(&noise.counterfactual, batch.partner_treatments())?;
                let count = partners.rows.len();
                let rows = Tensor::from_slice(&partners.rows, count, device)?;
                let flags = Tensor::from_slice(&partners.flags, (count, 1), device)?;
                let own = own.index_select(&rows, 1)?;
                let entering = encoder.entering(&own, &sample, &conditions.index_select(&rows, 0)?, &flags)?;
                let measured = self.basal_encoder.after_first(entering)?;
                let own = encoder.own(&Tensor::from_slice(&partners.standardised, (count, genes), device)?)?;
                let of_partners = self::conditions(&partners.present, count, device)?;
                let entering = encoder.entering(&own.unsqueeze(0)?, &other, &of_partners, &flags)?;
                let partner = self.basal_encoder.after_first(entering)?;
                (self.divergence(&partner, &measured)?.sum_all()? * (self.config.beta / particles as f64))?
            }
            _ => zero()?,
        };
        let terms = [
            (reconstruction * -mean)?,
            (basal_ratio * -mean)?,
            (by_treatment(&sample.effect_ratio)? * particle_mean)?,
            (by_treatment(&sample.mask_ratio)? * particle_mean)?,
            (sample.artifact_ratio.sum_all()? * (batch.artifact_weight * particle_mean))?,
            counterfactual,
            self.alignment(batch)?,
            (sigmoid(&self.mask_logits)?.sum_all()? * (self.config.lambda / (treatments * treatments) as f64))?,
        ];
        let mut total = terms[0].clone();
        for term in &terms[1..] {
            total = (total + term)?;
        }
        Ok(Loss { total, terms })
    }

    /// The decoder on \[z, D(E∘M), flag·U\]: `[P, B, G]`, before the likelihood's link. Only the branch that counts for a
    /// cell is computed: its flag is 1 if it fails quality control.
    fn decode(&self, basal: &Tensor, sample: &Sample, conditions: &Tensor, flags: &Tensor) -> Result<Tensor> {
        let first = self.decoder_parts()?;
        let hidden = self.decoder.after_first(first.entering(&first.own(basal)?, sample, conditions, flags)?)?;
        self.decoder_head.forward(&hidden, Activation::None)
    }

    /// KL(q ‖ p) elementwise, or the authors' expression, in which the mean difference is not divided by p's variance.
    fn divergence(&self, q: &Normal, p: &Normal) -> Result<Tensor> {
        let ratio = (&q.variance / &p.variance)?;
        let squared = (&q.mean - &p.mean)?.sqr()?;
        let distance = if self.config.exact_kl { (squared / &p.variance)? } else { squared };
        let log_ratio = ratio.log()?;
        (((distance + ratio)? - log_ratio)? - 1.0)? * 0.5
    }

    /// γ · mean |D·S − (ΔX − fc)| with S = A + A²/T + …, without forming S; once per condition.
    fn alignment(&self, batch: &Batch) -> Result<Tensor> {
        if batch.measured_treatments == 0 || self.config.gamma == 0.0 {
            return Tensor::zeros((), self.mask_logits.dtype(), self.mask_logits.device());
        }
        let (device, treatments) = (self.parameters.device(), self.sizes.treatments);
        let scale = 1.0 / treatments as f64;
        let mut chosen = vec![0.0f32; batch.conditions.len() * treatments];
        for (row, condition) in batch.conditions.iter().enumerate() {
            condition.iter().for_each(|&treatment| chosen[row * treatments + treatment as usize] = 1.0);
        }
        let mut term =
            Tensor::from_vec(chosen, (batch.conditions.len(), treatments), device)?.matmul(&self.mask_logits)?;
        let mut sum = term.clone();
        for _ in 0..self.config.hops {
            term = (term.matmul(&self.mask_logits)? * scale)?;
            sum = (sum + &term)?;
        }
        let cells = batch.len();
        let targets = Tensor::from_slice(&batch.shift_targets, (cells, treatments), device)?;
        let measured = Tensor::from_slice(&batch.treatment_measured, (1, treatments), device)?;
        let condition_of_cell = Tensor::from_slice(&batch.condition_of_cell, cells, device)?;
        let difference = (sum.index_select(&condition_of_cell, 0)? - targets)?;
        let total = difference.abs()?.broadcast_mul(&measured)?.sum_all()?;
        total * (self.config.gamma / (cells * batch.measured_treatments) as f64)
    }

    /// What the basal states `[S, L]` bring into the decoder's first layer, with its bias and before its activation: `[S, H]`.
    pub fn decoder_start(&self, basal: &Tensor) -> Result<Tensor> {
        self.decoder_parts()?.own(basal)
    }

    /// What an offset D(E∘M) `[S, T]` per state brings there: `[S, H]`, linear in the offset.
    pub fn decoder_offset(&self, offset: &Tensor) -> Result<Tensor> {
        Split::of(&self.decoder_parts()?.offset, offset)
    }

    /// Decoder outputs `[S, G]` of the good branch from the sum `[S, H]` of what enters its first layer.
    pub fn decode_from(&self, entering: &Tensor) -> Result<Tensor> {
        let hidden = self.decoder.after_first(kernels::leaky_relu(entering)?)?;
        self.decoder_head.forward(&hidden, Activation::None)
    }

    fn decoder_parts(&self) -> Result<Split> {
        Split::new(self.decoder.first(), self.config.latent, self.sizes.treatments, self.config.latent)
    }

    /// E∘M of one treatment for S given mask rows `[S, T]` (zeros and ones) and noise `[S, T]`.
    pub fn masked_effect(&self, treatment: usize, mask_rows: &Tensor, noise: &Tensor) -> Result<Tensor> {
        // Of the one-hot part of the input only one column of the weights is left.
        let (first, treatments) = (self.effect_encoder.mlp.first(), self.sizes.treatments);
        let chosen = first.weight().narrow(1, treatments + treatment, 1)?.squeeze(1)?;
        let (weight, bias) = (first.weight().narrow(1, 0, treatments)?, (first.bias() + chosen)?);
        let hidden = affine(mask_rows, &weight, &bias, Activation::LeakyRelu)?;
        self.effect_encoder.after_first(hidden)?.sample(noise)? * mask_rows
    }
}

/// D of `cells` over the treatments that occur, `[B, T']`.
fn conditions(present: &Present, cells: usize, device: &Device) -> Result<Tensor> {
    let count = present.treatments.len();
    let mut chosen = vec![0.0f32; cells * count];
    for (cell, row) in chosen.chunks_exact_mut(count).enumerate() {
        present.of_cell(cell).iter().for_each(|&place| row[place as usize] = 1.0);
    }
    Tensor::from_vec(chosen, (cells, count), device)
}

fn sigmoid(x: &Tensor) -> Result<Tensor> {
    candle_nn::ops::sigmoid(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::nn::parameters::normal;

    #[test]
    fn the_effect_of_one_treatment_is_that_among_all() {
        let (sizes, states) = (Sizes { genes: 5, treatments: 7 }, 11);
        let config = GpoVaeConfig { latent: 3, embedding_hidden: 6, embedding_layers: 2, ..GpoVaeConfig::default() };
        let source = Source::Random(Box::new(crate::random::stream(2, "model")));
        let model = GpoVae::new(sizes, &config, source, &Device::Cpu).unwrap();
        let mut random = crate::random::stream(3, "draws");
        let mut draw = || normal(&mut random, (states, 7), &Device::Cpu).unwrap();
        let (mask, noise) = (draw().ge(0.0).unwrap().to_dtype(candle_core::DType::F32).unwrap(), draw());
        for treatment in [0, 4, 6] {
            let mut chosen = vec![0.0f32; 7];
            chosen[treatment] = 1.0;
            let chosen = Tensor::from_vec(chosen, (1, 1, 7), &Device::Cpu).unwrap();
            let posterior = model.encode_effects(&mask.unsqueeze(0).unwrap(), &chosen).unwrap();
            let whole = (posterior.sample(&noise.unsqueeze(0).unwrap()).unwrap().squeeze(0).unwrap() * &mask).unwrap();
            let found = model.masked_effect(treatment, &mask, &noise).unwrap();
            let difference = (whole - found).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(difference < 1e-5, "{difference}");
        }
    }
}
