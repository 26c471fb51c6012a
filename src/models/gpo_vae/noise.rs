//! Every random draw of a training step, made outside the model so that it can be seeded and given.

use candle_core::{Device, Result, Tensor};
use rand::RngExt as _;
use rayon::prelude::*;

use super::config::GpoVaeConfig;
use super::network::Sizes;
use crate::models::nn::parameters::normal;
use crate::random::{self, Rng};

/// Draws for the global variables.
#[derive(Clone, Debug)]
pub struct Draw {
    /// logit(u) of uniform u, `[P, T, T]`.
    pub mask_logistic: Tensor,
    /// Standard normal, `[P, T, T]`.
    pub effect: Tensor,
    /// Standard normal, `[P, 1, L]`.
    pub artifact: Tensor,
}

/// Draws of one step.
#[derive(Clone, Debug)]
pub struct Noise {
    /// For the measured cells.
    pub factual: Draw,
    /// The second, independent draw of the counterfactual term.
    pub counterfactual: Draw,
    /// Standard normal, `[P, B, L]`.
    pub basal: Tensor,
}

impl Draw {
    /// From uniform draws `[P, T, T]`, which are clamped to \[ε, 1 − ε\].
    pub fn new(mask_uniform: &[f32], effect: Tensor, artifact: Tensor) -> Result<Self> {
        let logistic = mask_uniform.par_iter().map(|u| {
            let u = u.clamp(f32::EPSILON, 1.0 - f32::EPSILON);
            u.ln() - (1.0 - u).ln()
        });
        let logistic: Vec<f32> = logistic.collect();
        Ok(Self { mask_logistic: Tensor::from_vec(logistic, effect.shape(), effect.device())?, effect, artifact })
    }

    fn random(random: &mut Rng, particles: usize, treatments: usize, latent: usize, device: &Device) -> Result<Self> {
        let uniform = random::many(random, particles * treatments * treatments, |random| random.random());
        let effect = normal(random, (particles, treatments, treatments), device)?;
        Self::new(&uniform, effect, normal(random, (particles, 1, latent), device)?)
    }
}

impl Noise {
    /// Draw for a batch of `cells`.
    pub fn random(
        random: &mut Rng,
        sizes: Sizes,
        config: &GpoVaeConfig,
        cells: usize,
        device: &Device,
    ) -> Result<Self> {
        let (particles, latent) = (config.particles, config.latent);
        let mut draw = || Draw::random(random, particles, sizes.treatments, latent, device);
        let (factual, counterfactual) = (draw()?, draw()?);
        Ok(Self { factual, counterfactual, basal: normal(random, (particles, cells, latent), device)? })
    }
}
