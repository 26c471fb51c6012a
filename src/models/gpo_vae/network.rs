//! The networks of GPO-VAE and its loss.
//!
//! Source: Baek, Park, Chok, Gim, Kang, "GPO-VAE: Modeling Explainable Gene Perturbation Responses utilizing GRN-Aligned
//! Parameter Optimization", arXiv 2501.18973. Symbols: B cells, G genes, T treatments, L latent dimensions, P particles,
//! C distinct conditions in a batch. A `[T, T]` mask logits, M `[P, T, T]` mask, E `[P, T, T]` effects, U `[P, 1, L]`
//! artifact effect, z `[P, B, L]` basal state, D dosage. A term called "ratio" is log prior − log posterior.

use candle_core::{Device, Result, Tensor};
use rand::RngExt as _;

use super::batch::{Batch, Present};
use super::config::GpoVaeConfig;
use super::entering::Entering;
use super::mask::{first_value, logit_of, parameter_of};
use super::noise::{Draw, Noise};
use super::variants::Likelihood;
use crate::models::nn::counts::{self, Counts, softplus};
use crate::models::nn::kernels;
use crate::models::nn::linear::{Activation, Linear, affine};
use crate::models::nn::mlp::{Normal, NormalMlp, ResidualMlp};
use crate::models::nn::parameters::{Parameters, Source, normal};
use crate::random::Rng;

/// Name of the parameter of effects on single genes.
pub(super) const GENE_EFFECTS: &str = "gene_effects";
/// A probability that is taken from a known network is no nearer to 0 and 1 than this.
const LEAST_PRIOR: f32 = 1e-3;

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
    /// Its parameters, see [`super::MaskParameters`].
    pub(super) mask: Tensor,
    /// Prior probabilities of single edges, T × T; none where all have that of the settings.
    pub(super) mask_prior: Option<Vec<f32>>,
    effect_encoder: NormalMlp,
    artifact_encoder: NormalMlp,
    basal_encoder: NormalMlp,
    decoder: ResidualMlp,
    decoder_head: Linear,
    /// The decoder's second head, where the likelihood has it.
    decoder_log_variance: Option<Linear>,
    /// Of treatments on single genes, T × G.
    gene_effects: Option<Tensor>,
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
    /// Of D(E∘M) and of U, where they enter.
    shared: Option<[Tensor; 2]>,
    bias: Tensor,
}

impl Split {
    fn new(layer: &Linear, entering: Entering, treatments: usize, latent: usize) -> Result<Self> {
        let weight = layer.weight();
        let shared = match entering.shared {
            Some([offset, artifact]) => {
                Some([weight.narrow(1, offset, treatments)?, weight.narrow(1, artifact, latent)?])
            }
            None => None,
        };
        Ok(Self { own: weight.narrow(1, 0, entering.own)?, shared, bias: layer.bias().clone() })
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
        let Some([offset, artifact]) = &self.shared else {
            let (particles, _, _) = sample.masked_effect.dims3()?;
            let (_, cells, width) = own.dims3()?;
            return kernels::leaky_relu(&own.broadcast_as((particles, cells, width))?.contiguous()?);
        };
        let by_treatment = Self::of(offset, &sample.masked_effect)?;
        let offset = conditions.broadcast_matmul(&by_treatment)?;
        let artifact = Self::of(artifact, &sample.artifact)?;
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
    /// Log-likelihood of each cell in the branch that counts for it, `[P, B]`.
    pub likelihood: Tensor,
}

impl GpoVae {
    /// Build with parameters from `source`.
    ///
    /// # Errors
    /// If the settings do not go with these sizes (see [`GpoVaeConfig::problem_with`]), or a given parameter is missing or of
    /// another shape.
    pub fn new(sizes: Sizes, config: &GpoVaeConfig, source: Source, device: &Device) -> Result<Self> {
        if let Some(problem) = config.problem_with(sizes.treatments) {
            candle_core::bail!("{problem}");
        }
        let (treatments, latent) = (sizes.treatments, config.latent);
        let mut parameters = Parameters::new(source, device);
        let p = &mut parameters;
        let embedding = (config.embedding_hidden, config.embedding_layers);
        let effect = [2 * treatments, embedding.0, treatments];
        let basal = [Entering::encoder(config, sizes).inputs, config.basal_hidden, latent];
        let mask = p.get(config.mask.parameter(), &[treatments, treatments], |_| first_value(config.mask))?;
        let effect_encoder = NormalMlp::new(p, "effect_encoder", effect, embedding.1)?;
        let artifact_encoder = NormalMlp::new(p, "artifact_encoder", [latent, embedding.0, latent], embedding.1)?;
        let basal_encoder = NormalMlp::new(p, "basal_encoder", basal, config.basal_layers)?;
        let decoder_inputs = Entering::decoder(config, sizes).inputs;
        // With n layers configured the decoder has n + 1, as published.
        let decoder = ResidualMlp::new(p, "decoder", decoder_inputs, config.decoder_hidden, config.decoder_layers + 1)?;
        let decoder_head = p.linear("decoder.head", config.decoder_hidden, sizes.genes)?;
        let decoder_log_variance = match config.likelihood {
            Likelihood::Normal => Some(p.linear("decoder.log_variance", config.decoder_hidden, sizes.genes)?),
            Likelihood::LibraryNegativeBinomial | Likelihood::Poisson => None,
        };
        let gene_effects = match config.gene_effects > 0.0 {
            true => Some(p.get(GENE_EFFECTS, &[treatments, sizes.genes], |_| 0.0)?),
            false => None,
        };
        let log_concentration = match config.likelihood {
            Likelihood::LibraryNegativeBinomial => Some(p.get("log_concentration", &[sizes.genes], |_| 0.0)?),
            Likelihood::Poisson | Likelihood::Normal => None,
        };
        Ok(Self {
            sizes,
            config: config.clone(),
            parameters,
            mask,
            mask_prior: None,
            effect_encoder,
            artifact_encoder,
            basal_encoder,
            decoder,
            decoder_head,
            decoder_log_variance,
            gene_effects,
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

    /// Logits of all edges, row = regulator, column = target: A, or those of the probabilities that the mask has instead.
    pub fn mask_logits(&self) -> Result<Vec<Vec<f32>>> {
        let mut rows = self.mask.to_vec2()?;
        rows.iter_mut().flatten().for_each(|value| *value = logit_of(self.config.mask, *value));
        Ok(rows)
    }

    /// The logits of the edges of one treatment, by target.
    pub fn mask_row(&self, treatment: usize) -> Result<Vec<f32>> {
        let row: Vec<f32> = self.mask.get(treatment)?.to_vec1()?;
        Ok(row.into_iter().map(|value| logit_of(self.config.mask, value)).collect())
    }

    /// Start from a network known beforehand: the mask's parameters become those of these probabilities (T × T, row = regulator,
    /// column = target), brought within 0.001 … 0.999. With `as_prior` they are also the prior of the mask in the loss, in place of the one of the settings.
    ///
    /// # Errors
    /// If there are not T × T of them.
    pub fn set_known_network(&mut self, probabilities: &[f32], as_prior: bool) -> Result<()> {
        // A probability of 0 or 1 would make the other impossible.
        let bounded: Vec<f32> = probabilities.iter().map(|p| p.clamp(LEAST_PRIOR, 1.0 - LEAST_PRIOR)).collect();
        let parameters: Vec<f32> = bounded.iter().map(|&p| parameter_of(self.config.mask, p)).collect();
        let shape = (self.sizes.treatments, self.sizes.treatments);
        if parameters.len() != shape.0 * shape.1 {
            candle_core::bail!("{} probabilities are not those of {} × {} edges", parameters.len(), shape.0, shape.1);
        }
        let value = Tensor::from_vec(parameters, shape, self.parameters.device())?;
        self.parameters.set(self.config.mask.parameter(), &value)?;
        self.mask_prior = as_prior.then_some(bounded);
        Ok(())
    }

    /// The prior probabilities of single edges, T × T, row = regulator; none where all have that of the settings.
    pub fn mask_prior(&self) -> Option<&[f32]> {
        self.mask_prior.as_deref()
    }

    /// The same with these prior probabilities of single edges, as [`GpoVae::mask_prior`] gave them.
    ///
    /// # Errors
    /// If there are not T × T of them, or one is not above 0 and below 1.
    pub fn with_mask_prior(self, prior: Option<Vec<f32>>) -> Result<Self> {
        let pairs = self.sizes.treatments * self.sizes.treatments;
        let is_wrong = |prior: &Vec<f32>| prior.len() != pairs || !prior.iter().all(|p| *p > 0.0 && *p < 1.0);
        if prior.as_ref().is_some_and(is_wrong) {
            candle_core::bail!(
                "the mask's prior is no table of probabilities between 0 and 1, one for every pair of genes"
            );
        }
        Ok(Self { mask_prior: prior, ..self })
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
        let logits = self.logits_of(&rows)?;
        let temperature = self.config.mask_temperature;
        let soft = sigmoid(&(given(&draw.mask_logistic)?.broadcast_add(&logits)? * (1.0 / temperature))?)?;
        // Straight through: the rounded value forward, the gradient of the soft one.
        let mask = ((soft.round()? - &soft)?.detach() + &soft)?;
        let [log_odds, log_complement] = self.log_mask_prior(treatments)?;
        let log_prior = mask.broadcast_mul(&log_odds)?.broadcast_add(&log_complement)?;
        let log_posterior = mask.broadcast_mul(&logits)?.broadcast_sub(&softplus(&logits)?)?;
        let mask_ratio = (log_prior - log_posterior)?.sum(2)?;

        let one_hot = Tensor::eye(all, mask.dtype(), device)?.index_select(&rows, 0)?.unsqueeze(0)?;
        let posterior = self.encode_effects(&mask, &one_hot)?;
        let noise = given(&draw.effect)?;
        let effect = posterior.sample(&noise)?;
        let scale = self.config.effect_prior_scale;
        let effect_ratio = posterior.log_prior_ratio(&effect, &noise, scale)?.sum(2)?;

        let ones = Tensor::ones((1, latent), mask.dtype(), device)?;
        let posterior = self.artifact_encoder.forward(&ones)?;
        let noise = Tensor::from_slice(&draw.artifact, (particles, 1, latent), device)?;
        let artifact = posterior.sample(&noise)?;
        let artifact_ratio = posterior.log_prior_ratio(&artifact, &noise, 1.0)?.sum(2)?.squeeze(1)?;

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

        let entering = Entering::encoder(&self.config, self.sizes);
        let encoder = Split::new(self.basal_encoder.mlp.first(), entering, treatments, latent)?;
        let own =
            encoder.own(&Tensor::from_slice(&batch.dense().standardised, (cells, genes), device)?)?.unsqueeze(0)?;
        let entering = encoder.entering(&own, &sample, &conditions, &failed)?;
        let posterior = self.basal_encoder.after_first(entering)?;
        let basal_noise = Tensor::from_slice(basal_noise, (particles, cells, latent), device)?;
        let basal = posterior.sample(&basal_noise)?;
        let basal_ratio = posterior.log_prior_ratio(&basal, &basal_noise, 1.0)?;
        let decoded = self.decode(&basal, &sample, &conditions, &failed)?;
        let of_genes = match self.gene_effects_of(batch.treatments())? {
            Some(rows) => Some(conditions.matmul(&rows)?),
            None => None,
        };
        let likelihood = self.likelihood(&decoded, of_genes.as_ref(), &batch.dense().counts)?;
        Ok(Drawn { sample, conditions, encoder, own, basal_ratio, likelihood })
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
        let particles = self.config.particles;
        let device = self.parameters.device();
        let (cells, genes) = (batch.len(), self.sizes.genes);
        let mean = 1.0 / (cells * particles) as f64;
        let Drawn { sample, conditions, encoder, own, basal_ratio, likelihood } =
            self.draw(batch, &noise.factual, &noise.basal)?;
        let basal_ratio = basal_ratio.sum_all()?;
        let weights = Tensor::from_slice(&batch.reconstruction_weights, (1, cells), device)?;
        let reconstruction = likelihood.broadcast_mul(&weights)?.sum_all()?;

        let weights: Vec<f32> = batch.treatments().iter().map(|&at| batch.treatment_weights[at as usize]).collect();
        let weights = Tensor::from_slice(&weights, (1, weights.len()), device)?;
        let by_treatment = |ratio: &Tensor| ratio.broadcast_mul(&weights)?.sum_all();
        let particle_mean = -1.0 / particles as f64;
        let zero = || Tensor::zeros((), likelihood.dtype(), device);
        let counterfactual = match &batch.partners {
            Some(partners) if self.config.beta != 0.0 => {
                let other = self.sample(&noise.counterfactual, batch.partner_treatments())?;
                let count = partners.rows.len();
                let rows = Tensor::from_slice(&partners.rows, count, device)?;
                let flags = Tensor::from_slice(&partners.flags, (count, 1), device)?;
                let own = own.index_select(&rows, 1)?;
                let entering = encoder.entering(&own, &sample, &conditions.index_select(&rows, 0)?, &flags)?;
                let measured = self.basal_encoder.after_first(entering)?;
                let own = encoder.own(&Tensor::from_slice(&batch.dense().partners, (count, genes), device)?)?;
                let of_partners = self::conditions(&partners.present, count, device)?;
                let entering = encoder.entering(&own.unsqueeze(0)?, &other, &of_partners, &flags)?;
                let partner = self.basal_encoder.after_first(entering)?;
                (self.divergence(&partner, &measured)?.sum_all()? * (self.config.beta / particles as f64))?
            }
            _ => zero()?,
        };
        let mut of_effects = (by_treatment(&sample.effect_ratio)? * particle_mean)?;
        if let Some(rows) = self.gene_effects_of(batch.treatments())? {
            let costs = self.config.gene_effects_prior.costs(&rows, self.config.gene_effects)?;
            of_effects = (of_effects + by_treatment(&costs.unsqueeze(0)?)?)?;
        }
        let terms = [
            (reconstruction * -mean)?,
            (basal_ratio * -mean)?,
            of_effects,
            (by_treatment(&sample.mask_ratio)? * particle_mean)?,
            (sample.artifact_ratio.sum_all()? * (batch.artifact_weight * particle_mean))?,
            counterfactual,
            self.alignment(batch)?,
            self.sparsity()?,
        ];
        let mut total = terms[0].clone();
        for term in &terms[1..] {
            total = (total + term)?;
        }
        Ok(Loss { total, terms })
    }

    /// The decoder's last hidden layer on z, D(E∘M) and flag·U: `[P, B, H]`. Only the branch that counts for a cell is
    /// computed: its flag is 1 if it fails quality control.
    fn decode(&self, basal: &Tensor, sample: &Sample, conditions: &Tensor, flags: &Tensor) -> Result<Tensor> {
        let first = self.decoder_parts()?;
        self.decoder.after_first(first.entering(&first.own(basal)?, sample, conditions, flags)?)
    }

    /// The effects on single genes of some treatments, `[T', G]`.
    fn gene_effects_of(&self, treatments: &[u32]) -> Result<Option<Tensor>> {
        let Some(all) = &self.gene_effects else { return Ok(None) };
        let rows = Tensor::from_slice(treatments, treatments.len(), all.device())?;
        all.index_select(&rows, 0).map(Some)
    }

    /// What treatments (positions) at doses add to the decoder's output of every gene; empty where it is nothing.
    pub(super) fn gene_effects(&self, doses: &[(usize, f32)]) -> Result<Vec<f32>> {
        let mut sum = Vec::new();
        if let Some(all) = &self.gene_effects {
            for &(treatment, dose) in doses {
                let row: Vec<f32> = all.get(treatment)?.to_vec1()?;
                sum.resize(row.len(), 0.0);
                sum.iter_mut().zip(row).for_each(|(sum, effect)| *sum += dose * effect);
            }
        }
        Ok(sum)
    }

    /// Log-likelihood of each cell, `[P, B]`, from the decoder's last hidden layer and the effects on single genes, `[B, G]`.
    fn likelihood(&self, hidden: &Tensor, of_genes: Option<&Tensor>, observed: &Counts) -> Result<Tensor> {
        let mut decoded = self.decoder_head.forward(hidden, Activation::None)?;
        if let Some(of_genes) = of_genes {
            decoded = decoded.broadcast_add(of_genes)?;
        }
        match (&self.log_concentration, &self.decoder_log_variance) {
            (Some(log_concentration), _) => counts::library_negative_binomial(&decoded, log_concentration, observed),
            (None, Some(head)) => counts::normal(&decoded, &head.forward(hidden, Activation::None)?, observed),
            (None, None) => counts::poisson(&decoded, observed),
        }
    }

    /// KL(q ‖ p) elementwise, or the authors' expression, in which the mean difference is not divided by p's variance.
    fn divergence(&self, q: &Normal, p: &Normal) -> Result<Tensor> {
        let ratio = (&q.variance / &p.variance)?;
        let squared = (&q.mean - &p.mean)?.sqr()?;
        let distance = if self.config.exact_kl { (squared / &p.variance)? } else { squared };
        let log_ratio = ratio.log()?;
        (((distance + ratio)? - log_ratio)? - 1.0)? * 0.5
    }

    /// What the basal states `[S, L]` bring into the decoder's first layer, with its bias and before its activation: `[S, H]`.
    pub fn decoder_start(&self, basal: &Tensor) -> Result<Tensor> {
        self.decoder_parts()?.own(basal)
    }

    /// What an offset D(E∘M) `[S, T]` per state brings there: `[S, H]`, linear in the offset.
    pub fn decoder_offset(&self, offset: &Tensor) -> Result<Tensor> {
        match &self.decoder_parts()?.shared {
            Some([weight, _]) => Split::of(weight, offset),
            None => candle_core::bail!("effects do not enter the decoder"),
        }
    }

    /// Decoder outputs `[S, G]` of the good branch from the sum `[S, H]` of what enters its first layer.
    pub fn decode_from(&self, entering: &Tensor) -> Result<Tensor> {
        let hidden = self.decoder.after_first(kernels::leaky_relu(entering)?)?;
        self.decoder_head.forward(&hidden, Activation::None)
    }

    /// The decoder's second head there, the logarithms of variances less their floor, where the likelihood has it.
    pub fn decode_log_variance_from(&self, entering: &Tensor) -> Result<Option<Tensor>> {
        let Some(head) = &self.decoder_log_variance else { return Ok(None) };
        let hidden = self.decoder.after_first(kernels::leaky_relu(entering)?)?;
        head.forward(&hidden, Activation::None).map(Some)
    }

    fn decoder_parts(&self) -> Result<Split> {
        let entering = Entering::decoder(&self.config, self.sizes);
        Split::new(self.decoder.first(), entering, self.sizes.treatments, self.config.latent)
    }

    /// E∘M of one treatment for S draws of its mask and its effects, `[S, T]`.
    pub(super) fn drawn_effect(&self, treatment: usize, draws: usize, random: &mut Rng) -> Result<Tensor> {
        let (device, treatments) = (self.parameters.device(), self.sizes.treatments);
        let probabilities: Vec<f32> =
            self.mask_row(treatment)?.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect();
        let mut mask = Vec::with_capacity(draws * treatments);
        for _ in 0..draws {
            mask.extend(probabilities.iter().map(|p| f32::from(u8::from(random.random::<f32>() < *p))));
        }
        let mask = Tensor::from_vec(mask, (draws, treatments), device)?;
        let noise = normal(random, (draws, treatments), device)?;
        self.masked_effect(treatment, &mask, &noise)
    }

    /// E∘M of one treatment for S given mask rows `[S, T]` (zeros and ones) and noise `[S, T]`.
    fn masked_effect(&self, treatment: usize, mask_rows: &Tensor, noise: &Tensor) -> Result<Tensor> {
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
