//! The decoder and the likelihood of counts, particle by particle: what one needs fits into the processor's cache, and the
//! decoder's output, the widest array of all, becomes its own gradient where it lies.

use rayon::prelude::*;

use super::super::batch::{Batch, Present};
use super::super::variants::GeneEffectsPrior;
use super::entering::Shared;
use super::networks::Networks;
use crate::models::nn::counts::{self, Concentration};
use crate::models::nn::dense::{Residual, add_rows, affine, leaky_backward, room};
use crate::models::nn::matrix::{Into, View, ViewMut, product};
use crate::models::nn::vector;

/// Keeps its memory from step to step.
#[derive(Default)]
pub(super) struct Decoder {
    residual: Residual,
    decoded: Vec<f32>,
    log_variances: Vec<f32>,
    gradient: Vec<f32>,
    pub concentration: Concentration,
}

/// Where the gradients of a particle go; those of parameters are added.
pub(super) struct Wanted<'a, G> {
    pub networks: &'a mut Networks<G>,
    /// By z, B × L: written.
    pub by_basal: &'a mut [f32],
    /// As [`Shared::backward`] has it.
    pub by_offsets: &'a mut [f32],
    pub by_artifact: &'a mut [f32],
}

impl Decoder {
    /// How many numbers it holds.
    pub fn held(&self) -> usize {
        let buffers = self.decoded.len() + self.log_variances.len() + self.gradient.len();
        self.residual.held() + buffers + self.concentration.held()
    }

    /// Log-likelihood of each cell at the basal states `basal` (B × L) of one particle, without the terms that do not depend on
    /// the mean. `by_cell` is the gradient by each.
    pub fn run<G: AsMut<[f32]>>(
        &mut self,
        networks: &Networks<&[f32]>,
        batch: &Batch,
        basal: &[f32],
        shared: &Shared<'_>,
        by_cell: &[f32],
        wanted: Option<Wanted<'_, G>>,
    ) -> Vec<f64> {
        let (cells, first, head) = (batch.len(), &networks.decoder[0], &networks.head);
        let (width, latent) = (first.outputs(), basal.len() / batch.len().max(1));
        let (basal, weight) = (View::new(basal, latent), first.matrix().columns(0, latent));
        let entered = self.residual.enter(networks.decoder.len() - 1, cells * width);
        affine(basal, weight, first.bias, entered);
        shared.enter(entered, None);
        self.residual.forward(&networks.decoder[1..], cells);
        let genes = head.outputs();
        let decoded = room(&mut self.decoded, cells * genes);
        let hidden = View::new(self.residual.left(cells * width), width);
        affine(hidden, head.matrix(), head.bias, decoded);
        if let Some(effects) = networks.gene_effects {
            add_gene_effects(decoded, effects, &batch.present, genes);
        }
        let second = networks.log_variance.as_ref();
        let log_variances = room(&mut self.log_variances, second.map_or(0, |_| cells * genes));
        if let Some(second) = second {
            affine(hidden, second.matrix(), second.bias, log_variances);
        }
        let counts = &batch.dense().counts;
        let Some(wanted) = wanted else {
            return match (networks.log_concentration, second) {
                (Some(_), _) => self.concentration.by_mean(counts, decoded, by_cell, None),
                (None, Some(_)) => counts::normal_step(counts, decoded, log_variances, by_cell, false),
                (None, None) => counts::poisson_step(counts, decoded, by_cell, false),
            };
        };
        let gradients = wanted.networks;
        let sums = match (&mut gradients.log_concentration, second) {
            (Some(by_log), _) => self.concentration.by_mean(counts, decoded, by_cell, Some(by_log.as_mut())),
            (None, Some(_)) => counts::normal_step(counts, decoded, log_variances, by_cell, true),
            (None, None) => counts::poisson_step(counts, decoded, by_cell, true),
        };
        if let Some(by_effects) = &mut gradients.gene_effects {
            gene_effects_backward(decoded, by_effects.as_mut(), &batch.present, genes);
        }
        let by_decoded = View::new(decoded, genes);
        let by_weight = ViewMut::new(gradients.head.weight.as_mut(), width);
        product(by_weight, Into::Sum, 1.0, by_decoded.transposed(), hidden);
        add_rows(gradients.head.bias.as_mut(), decoded);
        let gradient = room(&mut self.gradient, cells * width);
        product(ViewMut::new(gradient, width), Into::Fresh, 1.0, by_decoded, head.matrix());
        if let (Some(second), Some(wanted)) = (second, &mut gradients.log_variance) {
            let slopes = View::new(log_variances, genes);
            let by_weight = ViewMut::new(wanted.weight.as_mut(), width);
            product(by_weight, Into::Sum, 1.0, slopes.transposed(), hidden);
            add_rows(wanted.bias.as_mut(), log_variances);
            product(ViewMut::new(gradient, width), Into::Sum, 1.0, slopes, second.matrix());
        }
        let (by_first, by_rest) = gradients.decoder.split_at_mut(1);
        self.residual.backward(&networks.decoder[1..], by_rest, gradient);
        leaky_backward(gradient, self.residual.entered(cells * width));
        let slopes = View::new(gradient, width);
        let by_weight = ViewMut::new(by_first[0].weight.as_mut(), first.inputs()).columns(0, latent);
        product(by_weight, Into::Sum, 1.0, slopes.transposed(), basal);
        add_rows(by_first[0].bias.as_mut(), gradient);
        product(ViewMut::new(wanted.by_basal, latent), Into::Fresh, 1.0, slopes, weight);
        shared.backward(gradient, wanted.by_offsets, wanted.by_artifact);
        sums
    }
}

/// Add to the decoder's output of every cell (B × G) what its treatments do to single genes, rows of `effects` (T × G).
fn add_gene_effects(decoded: &mut [f32], effects: &[f32], present: &Present, genes: usize) {
    decoded.par_chunks_mut(genes.max(1)).enumerate().for_each(|(cell, row)| {
        for &place in present.of_cell(cell) {
            let effect = &effects[present.treatments[place as usize] as usize * genes..][..genes];
            vector::add_rows(row, effect);
        }
    });
}

/// The way back: the gradient by each cell's output is added to that by the effects of its treatments.
fn gene_effects_backward(by_decoded: &[f32], by_effects: &mut [f32], present: &Present, genes: usize) {
    for (cell, row) in by_decoded.chunks_exact(genes.max(1)).enumerate() {
        for &place in present.of_cell(cell) {
            let effect = &mut by_effects[present.treatments[place as usize] as usize * genes..][..genes];
            vector::add_rows(effect, row);
        }
    }
}

/// −log of the prior of effects on single genes, less its constant, of the treatments that occur, by their weights; with `by_effects`
/// its gradient, too.
pub(super) fn gene_effects_prior(
    effects: &[f32],
    (prior, scale): (GeneEffectsPrior, f64),
    treatments: &[u32],
    weights: &[f32],
    mut by_effects: Option<&mut [f32]>,
) -> f64 {
    let genes = effects.len() / weights.len().max(1);
    let of = |&treatment: &u32| {
        let (rows, weight) =
            (treatment as usize * genes..(treatment as usize + 1) * genes, weights[treatment as usize]);
        if let Some(by_effects) = &mut by_effects {
            let pairs = by_effects[rows.clone()].iter_mut().zip(&effects[rows.clone()]);
            pairs.for_each(|(slope, effect)| *slope += weight * prior.slope(*effect, scale));
        }
        f64::from(weight) * effects[rows].iter().map(|effect| prior.cost(*effect, scale)).sum::<f64>()
    };
    treatments.iter().map(of).sum()
}
