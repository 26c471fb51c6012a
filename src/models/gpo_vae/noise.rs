//! Every random draw of a training step, made outside the model so that it can be seeded and given.

use rand::RngExt as _;
use rand_distr::{Distribution as _, StandardNormal};
use rayon::prelude::*;

use super::batch::Batch;
use super::config::GpoVaeConfig;
use super::network::Sizes;
use crate::models::nn::vector;
use crate::random::{self, Rng};

/// Draws for the global variables: P particles, T treatments, of which only the effects of T' are needed.
#[derive(Clone, Debug, Default)]
pub struct Draw {
    /// logit(u) of uniform u, P × T' × T.
    pub mask_logistic: Vec<f32>,
    /// Standard normal, P × T' × T.
    pub effect: Vec<f32>,
    /// Standard normal, P × L.
    pub artifact: Vec<f32>,
}

/// Draws of one step.
#[derive(Clone, Debug, Default)]
pub struct Noise {
    /// For the measured cells: T' are [`Batch::treatments`].
    pub factual: Draw,
    /// The second, independent draw of the counterfactual term: T' are [`Batch::partner_treatments`].
    pub counterfactual: Draw,
    /// Standard normal, P × B × L.
    pub basal: Vec<f32>,
}

impl Draw {
    /// From uniform draws P × T' × T, which are clamped to \[ε, 1 − ε\].
    pub fn new(mut mask_uniform: Vec<f32>, effect: Vec<f32>, artifact: Vec<f32>) -> Self {
        mask_uniform.par_chunks_mut(1 << 13).for_each(|values| {
            vector::wide(
                #[inline(always)]
                || {
                    for value in values {
                        let u = value.clamp(f32::EPSILON, 1.0 - f32::EPSILON);
                        *value = vector::ln(u) - vector::ln(1.0 - u);
                    }
                },
            );
        });
        Self { mask_logistic: mask_uniform, effect, artifact }
    }

    fn random(random: &mut Rng, particles: usize, rows: usize, treatments: usize, latent: usize) -> Self {
        let count = particles * rows * treatments;
        let uniform = random::many(random, count, |random| random.random());
        Self::new(uniform, normal(random, count), normal(random, particles * latent))
    }
}

impl Noise {
    /// Draw for `batch`.
    pub fn random(random: &mut Rng, sizes: Sizes, config: &GpoVaeConfig, batch: &Batch) -> Self {
        let (particles, latent) = (config.particles, config.latent);
        let mut draw = |rows: usize| Draw::random(random, particles, rows, sizes.treatments, latent);
        let (factual, counterfactual) = (draw(batch.treatments().len()), draw(batch.partner_treatments().len()));
        Self { factual, counterfactual, basal: normal(random, particles * batch.len() * latent) }
    }
}

fn normal(random: &mut Rng, count: usize) -> Vec<f32> {
    random::many(random, count, |random| StandardNormal.sample(random))
}
