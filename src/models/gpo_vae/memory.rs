//! How much a model and its training hold in memory, from sizes and settings alone: nothing is computed, so a run that
//! cannot fit is known before it starts.
//!
//! Everything here counts numbers of single precision, four bytes each. Symbols as in [`super::GpoVae`]; T' are the treatments
//! that occur in a batch, B' its cells with a counterfactual partner.

use super::config::GpoVaeConfig;
use super::entering::Entering;
use super::network::Sizes;
use super::predict::{BLOCK, LIBRARIES, REMEMBERED};
use super::variants::{Likelihood, MaskParameters};

/// What a training step works on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepSize {
    /// B.
    pub cells: usize,
    /// T' of the cells.
    pub treatments: usize,
    /// B'.
    pub partners: usize,
    /// T' of the cells with a partner.
    pub partner_treatments: usize,
    /// Distinct sets of treatments, the empty one of control cells included.
    pub conditions: usize,
}

/// Sizes, settings and a step of them.
#[derive(Clone, Copy, Debug)]
pub struct Footprint<'a> {
    /// G and T.
    pub sizes: Sizes,
    /// The settings.
    pub config: &'a GpoVaeConfig,
    /// The step.
    pub step: StepSize,
}

/// Weight and bias.
fn linear(inputs: u64, outputs: u64) -> u64 {
    (inputs + 1) * outputs
}

/// A residual network with heads of mean and variance.
fn normal_network([inputs, hidden, outputs]: [u64; 3], layers: u64) -> u64 {
    linear(inputs, hidden) + (layers - 1) * linear(hidden, hidden) + 2 * linear(hidden, outputs)
}

/// What [`crate::models::nn::dense::Residual`] holds for a step.
fn residual(layers: u64, count: u64) -> u64 {
    (2 * layers + 1 + u64::from(layers > 0)) * count
}

/// What [`crate::models::nn::normal::NormalPass`] holds for a step.
fn normal_pass(rows: u64, layers: u64, hidden: u64, outputs: u64) -> u64 {
    residual(layers - 1, rows * hidden) + rows * (2 * outputs + hidden)
}

/// Large arrays, particles × cells × genes, that the plain path keeps for its way back, with those of the way back itself.
const PLAIN_ARRAYS: u64 = 40;

impl Footprint<'_> {
    fn sizes(&self) -> [u64; 4] {
        let config = self.config;
        [self.sizes.genes, self.sizes.treatments, config.latent, config.particles].map(|size| size as u64)
    }

    fn step(&self) -> [u64; 5] {
        let StepSize { cells, treatments, partners, partner_treatments, conditions } = self.step;
        // Without its term in the loss the second draw is not made.
        let counted = if self.config.beta == 0.0 { 0 } else { 1 };
        [cells, treatments, partners * counted, partner_treatments * counted, conditions].map(|size| size as u64)
    }

    /// Parameters of the model.
    pub fn parameters(&self) -> u64 {
        let [genes, treatments, latent, _] = self.sizes();
        let config = self.config;
        let embedding = (config.embedding_hidden as u64, config.embedding_layers as u64);
        let (basal, decoder) = (config.basal_hidden as u64, config.decoder_hidden as u64);
        let concentration = if config.likelihood == Likelihood::LibraryNegativeBinomial { genes } else { 0 };
        let heads = if config.likelihood == Likelihood::Normal { 2 } else { 1 };
        let entering = [Entering::encoder(config, self.sizes), Entering::decoder(config, self.sizes)];
        let [encoder_inputs, decoder_inputs] = entering.map(|entering| entering.inputs as u64);
        let gene_effects = if config.gene_effects > 0.0 { treatments * genes } else { 0 };
        treatments * treatments
            + gene_effects
            + normal_network([2 * treatments, embedding.0, treatments], embedding.1)
            + normal_network([latent, embedding.0, latent], embedding.1)
            + normal_network([encoder_inputs, basal, latent], config.basal_layers as u64)
            + linear(decoder_inputs, decoder)
            + config.decoder_layers as u64 * linear(decoder, decoder)
            + heads * linear(decoder, genes)
            + concentration
    }

    /// What [`super::FusedStep`] holds after a step, its gradients included: exactly [`super::FusedStep::held`].
    pub fn fused_step(&self) -> u64 {
        let config = self.config;
        let [genes, treatments, latent, particles] = self.sizes();
        let [cells, first, partners, second, conditions] = self.step();
        let (embedding, layers) = (config.embedding_hidden as u64, config.embedding_layers as u64);
        let (basal, decoder) = (config.basal_hidden as u64, config.decoder_hidden as u64);
        let rows = particles * (first + second);
        let effects = normal_pass(rows, layers, embedding, treatments)
            + 4 * rows * treatments
            + (first + second) * embedding
            + normal_pass(1, layers, embedding, latent)
            + 6 * particles * latent;
        let encoded = particles * (cells + 2 * partners);
        let cells_part = (cells + partners) * basal
            + normal_pass(encoded, config.basal_layers as u64, basal, latent)
            + encoded * latent;
        let concentration = if config.likelihood == Likelihood::LibraryNegativeBinomial { 2 * genes } else { 0 };
        let heads = if config.likelihood == Likelihood::Normal { 2 } else { 1 };
        let decoded =
            residual(config.decoder_layers as u64, cells * decoder) + cells * (heads * genes + decoder) + concentration;
        let (hops, pairs) = (config.alignment_hops() as u64, treatments * treatments);
        let aligned = if config.gamma == 0.0 { 0 } else { (hops + 5) * conditions * treatments };
        let alignment = match config.mask {
            MaskParameters::Logits => aligned,
            MaskParameters::Probabilities => aligned + 2 * pairs,
        };
        let shared = 2 * (rows * basal + particles * first * decoder) + 2 * particles * (2 * basal + decoder);
        self.parameters() + effects + cells_part + decoded + alignment + shared
    }

    /// What [`super::GpuStep`] holds on the GPU after a step, its parameters, gradients and moments included, but for the partners' table; at
    /// most: a batch has hardly as many counts that are not 0.
    pub fn gpu_step(&self) -> u64 {
        let config = self.config;
        let [genes, treatments, latent, particles] = self.sizes();
        let [cells, first, partners, second, conditions] = self.step();
        let (embedding, basal, decoder) =
            (config.embedding_hidden as u64, config.basal_hidden as u64, config.decoder_hidden as u64);
        let (effects, entering) = (first + second, cells + 2 * partners);
        let (drawn, all) = (particles * effects * treatments, treatments * treatments);
        // Of a network with heads: what entered, both arrays of each further layer, and the way back.
        let network = |rows: u64, hidden: u64, layers: u64, outputs: u64| {
            rows * hidden * (2 * layers + u64::from(layers > 1)) + 4 * rows * outputs
        };
        let shared = |hidden: u64| 2 * particles * (effects + 2) * hidden;
        let of_effects = 2 * effects * treatments
            + 10 * drawn
            + network(particles * effects, embedding, config.embedding_layers as u64, 0)
            + 4 * drawn;
        let of_artifacts = network(1, embedding, config.embedding_layers as u64, latent) + 6 * particles * latent;
        let of_states = 2 * (cells + partners) * basal
            + shared(basal)
            + network(particles * entering, basal, config.basal_layers as u64, latent)
            + 3 * particles * cells * latent;
        let of_decoder = particles * cells * (decoder + 2 * genes + 4)
            + shared(decoder)
            + network(particles * cells, decoder, config.decoder_layers as u64 + 1, 0);
        let of_cells = (2 * cells + partners) * genes + 3 * genes;
        let of_alignment = (config.alignment_hops() as u64 + 6) * conditions * treatments + 3 * all;
        let batch = 2 * cells * genes + cells * (treatments + 16) + 2 * all;
        let sums = 4096 + 3 * particles * (cells + effects);
        4 * self.parameters()
            + of_effects
            + of_artifacts
            + of_states
            + of_decoder
            + of_cells
            + of_alignment
            + batch
            + sums
    }

    /// What the plain path holds at most in a step, on the device where it runs: the arrays kept for the way back, the gradients
    /// and the temporaries of the optimiser. From counting its operations, each with its result and its gradient, and held against
    /// two measured steps (within 4 %).
    pub fn plain_step(&self) -> u64 {
        let config = self.config;
        let [genes, treatments, latent, particles] = self.sizes();
        let [cells, first, partners, second, conditions] = self.step();
        let (embedding, basal, decoder) =
            (config.embedding_hidden as u64, config.basal_hidden as u64, config.decoder_hidden as u64);
        let rows = particles * (first + second);
        let encoded = particles * (cells + 2 * partners);
        PLAIN_ARRAYS * particles * cells * genes
            + 6 * cells * genes
            + rows * (embedding * (6 * config.embedding_layers as u64 + 6) + treatments * 40)
            + encoded * (basal * (6 * config.basal_layers as u64 + 6) + latent * 24)
            + particles * cells * decoder * (6 * config.decoder_layers as u64 + 8)
            + (2 * config.alignment_hops() as u64 + 4) * conditions * treatments
            + 4 * cells * treatments
            + 2 * self.parameters()
    }

    /// A batch.
    pub fn batch(&self) -> u64 {
        let [genes, treatments, ..] = self.sizes();
        let [cells, _, partners, ..] = self.step();
        cells * (2 * genes + 2 * treatments) + partners * genes
    }

    /// Its noise.
    pub fn noise(&self) -> u64 {
        let [_, treatments, latent, particles] = self.sizes();
        let [cells, first, _, second, _] = self.step();
        particles * (2 * (first + second) * treatments + (2 + cells) * latent)
    }

    /// What a finished model holds to answer questions, while it answers one.
    pub fn predictions(&self) -> u64 {
        let [genes, treatments, latent, _] = self.sizes();
        let samples = self.config.prediction_samples.max(1);
        let (states, decoder) = (samples.min(BLOCK) as u64, self.config.decoder_hidden as u64);
        let embedding = self.config.embedding_hidden as u64;
        // Curves are in double precision; about 70 points reach from the smallest mean to a library of 10,000 counts.
        let curves = match self.config.likelihood {
            Likelihood::LibraryNegativeBinomial => genes * LIBRARIES as u64 * 2 * 74,
            Likelihood::Poisson | Likelihood::Normal => 0,
        };
        let remembered = (REMEMBERED as u64).min(treatments * samples.div_ceil(BLOCK) as u64);
        // The decoder's output lies there twice: as tensor and as values.
        states * (latent + (remembered + 4) * decoder + 2 * genes + 5 * treatments + 3 * embedding) + curves
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::models::gpo_vae::{GpoVae, Preset};
    use crate::models::nn::parameters::Source;

    #[test]
    fn parameters_are_counted_as_they_are_made() {
        let small = GpoVaeConfig {
            latent: 3,
            decoder_hidden: 9,
            basal_hidden: 8,
            embedding_hidden: 6,
            embedding_layers: 1,
            basal_layers: 3,
            decoder_layers: 4,
            ..GpoVaeConfig::default()
        };
        let poisson = GpoVaeConfig { likelihood: Likelihood::Poisson, decoder_layers: 0, ..small.clone() };
        let normal = GpoVaeConfig { likelihood: Likelihood::Normal, mean_field: true, ..small.clone() };
        let summed = GpoVaeConfig { sum_mode: true, latent: 5, ..small.clone() };
        for config in [small, poisson, normal, summed, GpoVaeConfig::preset(Preset::K562)] {
            for sizes in [Sizes { genes: 37, treatments: 5 }, Sizes { genes: 1, treatments: 2 }] {
                if config.problem_with(sizes.treatments).is_some() {
                    continue;
                }
                let source = Source::Random(Box::new(crate::random::stream(1, "parameters")));
                let model = GpoVae::new(sizes, &config, source, &Device::Cpu).unwrap();
                let made: usize = model.parameters().iter().map(|(_, var)| var.elem_count()).sum();
                let counted = Footprint { sizes, config: &config, step: StepSize::default() }.parameters();
                assert_eq!(counted, made as u64);
            }
        }
    }
}
