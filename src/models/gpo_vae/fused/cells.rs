//! The encoder of the basal states, over three groups of rows at once: every particle of the measured cells; of those with a
//! counterfactual partner under the other flag; and of the partners under the second draw.

use rayon::prelude::*;

use super::super::batch::{Batch, Partners};
use super::entering::Shared;
use super::networks::Networks;
use crate::models::nn::dense::{add_rows, affine, room};
use crate::models::nn::matrix::{Into, View, ViewMut, product};
use crate::models::nn::normal::{NormalPass, Pair, Prior, divergence, draw, draw_backward};
use crate::models::nn::vector;

/// What rows share, H the width of the first layer: E∘M through its weight, P × T' × H of each draw; and U, P × H of each. Or
/// the gradients by them.
pub(super) struct Given<S> {
    pub offsets: [S; 2],
    pub artifacts: [S; 2],
}

/// What is encoded.
pub(super) struct Encoded<'a> {
    pub batch: &'a Batch,
    pub partners: Option<&'a Partners>,
    pub particles: usize,
    /// P × B × L.
    pub noise: &'a [f32],
    pub exact_kl: bool,
    /// The gradient by the sum of z's ratios.
    pub by_ratio: f32,
    /// The gradient by the sum of divergences.
    pub by_divergence: f32,
}

/// Keeps its memory from step to step.
#[derive(Default)]
pub(super) struct Cells {
    /// The own part of the first layer: B rows, then B'.
    own: Vec<f32>,
    pass: NormalPass,
    /// Rows × L: of the first group the caller writes the gradient by z.
    pub by_mean: Vec<f32>,
}

impl Encoded<'_> {
    /// Cells in each group.
    fn counts(&self) -> [usize; 3] {
        let partners = self.partners.map_or(0, |partners| partners.rows.len());
        [self.batch.len(), partners, partners]
    }

    /// What the cells of a group share in a particle.
    fn shared<'s>(&'s self, group: usize, offsets: &'s [f32], artifact: &'s [f32]) -> Shared<'s> {
        let (present, cells, flags) = match (group, self.partners) {
            (1, Some(partners)) => (&self.batch.present, Some(&partners.rows[..]), &partners.flags),
            (2, Some(partners)) => (&partners.present, None, &partners.flags),
            _ => (&self.batch.present, None, &self.batch.failed),
        };
        Shared { offsets, artifact, present, cells, flags }
    }
}

/// The part of particle `p` in what all `particles` have.
fn part(values: &[f32], p: usize, particles: usize) -> &[f32] {
    let count = values.len() / particles;
    &values[p * count..][..count]
}

impl Cells {
    /// How many numbers it holds.
    pub fn held(&self) -> usize {
        self.own.len() + self.pass.held() + self.by_mean.len()
    }

    /// Basal states; gives the sum of their ratios, and that of the divergences.
    pub fn forward(&mut self, networks: &Networks<&[f32]>, encoded: &Encoded<'_>, given: &Given<&[f32]>) -> (f64, f64) {
        let (net, particles) = (&networks.basal, encoded.particles);
        let (hidden, latent) = (net.mean.inputs(), net.mean.outputs());
        let counts = encoded.counts();
        let genes = encoded.batch.dense().standardised.len() / counts[0].max(1);
        let (weight, bias) = (net.layers[0].matrix().columns(0, genes), net.layers[0].bias);
        let (own, of_partners) = room(&mut self.own, (counts[0] + counts[1]) * hidden).split_at_mut(counts[0] * hidden);
        affine(View::new(&encoded.batch.dense().standardised, genes), weight, bias, own);
        if encoded.partners.is_some() {
            affine(View::new(&encoded.batch.dense().partners, genes), weight, bias, of_partners);
        }

        let rows = particles * counts.iter().sum::<usize>();
        let mut rest = self.pass.enter(net, rows);
        for (group, cells) in counts.into_iter().enumerate() {
            let (second, own) = (usize::from(group == 2), if group == 2 { &*of_partners } else { &*own });
            for p in 0..particles {
                let (now, later) = rest.split_at_mut(cells * hidden);
                let offsets = part(given.offsets[second], p, particles);
                let artifact = part(given.artifacts[second], p, particles);
                encoded.shared(group, offsets, artifact).enter(now, Some(own));
                rest = later;
            }
        }
        self.pass.forward(net, rows);

        let measured = particles * counts[0] * latent;
        let of_partners = particles * counts[1] * latent;
        let (means, exponents) = (&mut self.pass.mean[..rows * latent], &mut self.pass.exponent[..rows * latent]);
        let ratios = draw(&mut means[..measured], &exponents[..measured], encoded.noise, latent, Prior::STANDARD);
        let by_mean = room(&mut self.by_mean, rows * latent);
        by_mean[measured..].copy_from_slice(&means[measured..]);
        let (p_mean, q_mean) = by_mean[measured..].split_at_mut(of_partners);
        let (p_exponent, q_exponent) = exponents[measured..].split_at_mut(of_partners);
        let pair = Pair { q_mean, q_exponent, p_mean, p_exponent };
        let divergence = divergence(pair, encoded.exact_kl, encoded.by_divergence);
        (ratios.iter().map(|ratio| f64::from(*ratio)).sum(), divergence)
    }

    /// z of particle `p`, B × L, and room for the gradient by it.
    pub fn basal(&mut self, p: usize, count: usize) -> (&[f32], &mut [f32]) {
        let at = p * count..(p + 1) * count;
        (&self.pass.mean[at.clone()], &mut self.by_mean[at])
    }

    /// From the gradients by z, which [`Cells::by_mean`] holds, to those of the parameters and of what was given.
    pub fn backward<G: AsMut<[f32]>>(
        &mut self,
        networks: &Networks<&[f32]>,
        encoded: &Encoded<'_>,
        given: &Given<&[f32]>,
        by_given: Given<&mut [f32]>,
        gradients: &mut Networks<G>,
    ) {
        let (net, particles) = (&networks.basal, encoded.particles);
        let (hidden, latent) = (net.mean.inputs(), net.mean.outputs());
        let counts = encoded.counts();
        let rows = particles * counts.iter().sum::<usize>();
        let measured = particles * counts[0] * latent;
        let by_mean = &mut self.by_mean[..rows * latent];
        let (x, exponents) = (&self.pass.mean[..measured], &mut self.pass.exponent[..measured]);
        let prior = (latent, Prior::STANDARD);
        draw_backward(x, exponents, encoded.noise, &mut by_mean[..measured], prior, |_| encoded.by_ratio);
        let slopes = &*self.pass.backward(net, &mut gradients.basal, by_mean);
        let (first, rest) = slopes.split_at(particles * counts[0] * hidden);
        let (second, third) = rest.split_at(particles * counts[1] * hidden);

        let Given { offsets: [by_first, by_second], artifacts: [artifacts_first, artifacts_second] } = by_given;
        let each = given.offsets.map(|offsets| (offsets.len() / particles).max(1));
        let of_first = by_first.par_chunks_mut(each[0]).zip(artifacts_first.par_chunks_mut(hidden));
        of_first.enumerate().for_each(|(p, (by_offsets, by_artifact))| {
            for (group, slopes) in [(0, first), (1, second)] {
                let (offsets, artifact) =
                    (part(given.offsets[0], p, particles), part(given.artifacts[0], p, particles));
                let shared = encoded.shared(group, offsets, artifact);
                shared.backward(part(slopes, p, particles), by_offsets, by_artifact);
            }
        });
        let of_second = by_second.par_chunks_mut(each[1]).zip(artifacts_second.par_chunks_mut(hidden));
        of_second.enumerate().for_each(|(p, (by_offsets, by_artifact))| {
            let (offsets, artifact) = (part(given.offsets[1], p, particles), part(given.artifacts[1], p, particles));
            encoded.shared(2, offsets, artifact).backward(part(third, p, particles), by_offsets, by_artifact);
        });

        // The own parts are the same for all particles, and those of the cells with a partner for two groups.
        let own = &mut self.own[..(counts[0] + counts[1]) * hidden];
        own.fill(0.0);
        let (own, of_partners) = own.split_at_mut(counts[0] * hidden);
        let mut place = vec![None; counts[0]];
        if let Some(partners) = encoded.partners {
            partners.rows.iter().enumerate().for_each(|(at, &row)| place[row as usize] = Some(at));
        }
        let add = |sums: &mut [f32], slopes: &[f32], cell: usize, cells: usize| {
            (0..particles).for_each(|p| vector::add_rows(sums, &slopes[(p * cells + cell) * hidden..][..hidden]));
        };
        own.par_chunks_mut(hidden).enumerate().with_min_len(16).for_each(|(cell, sums)| {
            add(sums, first, cell, counts[0]);
            if let Some(at) = place[cell] {
                add(sums, second, at, counts[1]);
            }
        });
        of_partners.par_chunks_mut(hidden).enumerate().with_min_len(16).for_each(|(cell, sums)| {
            add(sums, third, cell, counts[2]);
        });

        let by_layer = &mut gradients.basal.layers[0];
        let genes = encoded.batch.dense().standardised.len() / counts[0].max(1);
        let standardised = encoded.partners.map(|_| (&*of_partners, &encoded.batch.dense().partners));
        for (slopes, x) in std::iter::once((&*own, &encoded.batch.dense().standardised)).chain(standardised) {
            let by_weight = ViewMut::new(by_layer.weight.as_mut(), net.layers[0].inputs()).columns(0, genes);
            product(by_weight, Into::Sum, 1.0, View::new(slopes, hidden).transposed(), View::new(x, genes));
            add_rows(by_layer.bias.as_mut(), slopes);
        }
    }
}
