//! Masks and effects of the treatments that occur, and the artifact effect: two independent draws of each, the factual one and
//! that of the counterfactual term, as rows of one array.

use std::ops::Range;

use rayon::prelude::*;

use super::super::mask::LARGEST_LOGIT;
use super::super::noise::Draw;
use super::mask::{MaskPrior, through_logits};
use super::networks::Networks;
use crate::models::gpo_vae::GpoVaeConfig;
use crate::models::nn::dense::{PIECE, add_rows, leaky, leaky_affine, room};
use crate::models::nn::matrix::{Into, View, ViewMut, product};
use crate::models::nn::normal::{NormalPass, Prior, draw, draw_backward};
use crate::models::nn::vector;

/// The draws of a step.
pub(super) struct Draws<'a> {
    /// For the measured cells, and for the counterfactual partners.
    pub draws: [&'a Draw; 2],
    /// The treatments that each needs.
    pub treatments: [&'a [u32]; 2],
    /// Logits of the mask, T × T, and its prior.
    pub logits: &'a [f32],
    pub mask_prior: MaskPrior,
    /// Σ over cells of 1 / number of training cells, by treatment, as mean over cells.
    pub weights: &'a [f32],
    /// The same for the artifact.
    pub artifact_weight: f64,
    pub config: &'a GpoVaeConfig,
}

/// Keeps its memory from step to step. T treatments, T' those of a draw, P particles; rows are P × T' of the first draw, then
/// P × T' of the second.
#[derive(Default)]
pub(super) struct Effects {
    pass: NormalPass,
    soft: Vec<f32>,
    mask: Vec<f32>,
    /// E∘M, rows × T; the caller overwrites it with the gradient by it.
    pub masked: Vec<f32>,
    by_mask: Vec<f32>,
    /// Bias and one-hot part of the first layer, by treatment.
    table: Vec<f32>,
    artifact: NormalPass,
    /// U, P × L of the first draw, then of the second; the caller overwrites it likewise.
    pub artifacts: Vec<f32>,
    artifact_draws: Vec<f32>,
    artifact_exponents: Vec<f32>,
}

/// Terms of the loss: ratios of E, M and U.
pub(super) struct Terms {
    pub effect: f64,
    pub mask: f64,
    pub artifact: f64,
}

impl Draws<'_> {
    /// The prior of E.
    fn effect_prior(&self) -> Prior {
        Prior::of_scale(self.config.effect_prior_scale)
    }

    fn particles(&self) -> usize {
        self.config.particles
    }

    /// Rows of each draw.
    pub fn rows(&self) -> [Range<usize>; 2] {
        let [first, second] = self.treatments.map(|treatments| self.particles() * treatments.len());
        [0..first, first..first + second]
    }

    /// The treatment of a row, and where its table lies.
    fn treatment(&self, row: usize) -> (usize, usize) {
        let first = self.treatments[0].len();
        let of_first = self.particles() * first;
        if row < of_first {
            (self.treatments[0][row % first] as usize, row % first)
        } else {
            let at = (row - of_first) % self.treatments[1].len();
            (self.treatments[1][at] as usize, first + at)
        }
    }

    /// The gradient by a row's ratios.
    fn weight(&self, row: usize) -> f32 {
        match row < self.rows()[0].end {
            true => -self.weights[self.treatment(row).0] / self.particles() as f32,
            false => 0.0,
        }
    }
}

#[inline(always)]
fn clamped(logit: f32) -> f32 {
    let largest = LARGEST_LOGIT as f32;
    let below = if logit > largest { largest } else { logit };
    if below < -largest { -largest } else { below }
}

/// A row of the mask: soft values s = sigmoid((logit(u) + logit) / temperature) and rounded ones; gives Σ log prior − log
/// posterior of these. `prior` gives log π − log(1 − π) and log(1 − π) of an entry.
#[inline(always)]
fn draw_mask(
    soft: &mut [f32],
    mask: &mut [f32],
    (logits, logistic): (&[f32], &[f32]),
    per_temperature: f32,
    prior: impl Fn(usize) -> (f32, f32),
) -> f32 {
    let mut ratio = 0.0f32;
    let values = soft.iter_mut().zip(mask).zip(logits.iter().zip(logistic)).enumerate();
    for (at, ((soft, mask), (&logit, &logistic))) in values {
        let (log_odds, log_complement) = prior(at);
        let logit = clamped(logit);
        *soft = vector::sigmoid((logistic + logit) * per_temperature);
        *mask = if *soft >= 0.5 { 1.0 } else { 0.0 };
        ratio += *mask * (log_odds - logit) + log_complement + vector::softplus(logit);
    }
    ratio
}

/// What a row of masks was drawn from, and what the gradients by it are.
struct DrawnRow<'a> {
    logits: &'a [f32],
    soft: &'a [f32],
    mask: &'a [f32],
    by_mask: &'a [f32],
    /// The gradient by the row's ratio.
    weight: f32,
    per_temperature: f32,
}

impl DrawnRow<'_> {
    /// From the gradient by the mask, through the soft one, to that by its logits. `log_odds` gives log π − log(1 − π).
    #[inline(always)]
    fn backward(&self, by_logits: &mut [f32], log_odds: impl Fn(usize) -> f32) {
        let weight = self.weight;
        let values = by_logits.iter_mut().zip(self.logits).zip(self.soft.iter().zip(self.mask).zip(self.by_mask));
        for (at, ((by_logit, &logit), ((&soft, &mask), &by_mask))) in values.enumerate() {
            let bounded = clamped(logit);
            let by_soft = by_mask + weight * (log_odds(at) - bounded);
            let direct = weight * (vector::sigmoid(bounded) - mask);
            let all = by_soft * soft * (1.0 - soft) * self.per_temperature + direct;
            *by_logit += if bounded == logit { all } else { 0.0 };
        }
    }
}

impl Effects {
    /// How many numbers it holds.
    pub fn held(&self) -> usize {
        let Self { pass, soft, mask, masked, by_mask, table, artifact, artifacts, artifact_draws, artifact_exponents } =
            self;
        let buffers = [soft, mask, masked, by_mask, table, artifacts, artifact_draws, artifact_exponents];
        pass.held() + artifact.held() + buffers.into_iter().map(Vec::len).sum::<usize>()
    }

    /// Draw masks, effects and artifacts.
    pub fn forward(&mut self, networks: &Networks<&[f32]>, draws: &Draws<'_>) -> Terms {
        let [first, second] = draws.rows();
        let (rows, net) = (second.end, &networks.effect);
        let (treatments, hidden) = (net.mean.outputs(), net.mean.inputs());
        let per_temperature = (1.0 / draws.config.mask_temperature) as f32;

        let soft = room(&mut self.soft, rows * treatments);
        let mask = room(&mut self.mask, rows * treatments);
        let noise = |name: fn(&Draw) -> &[f32], row: usize| match first.contains(&row) {
            true => &name(draws.draws[0])[row * treatments..][..treatments],
            false => &name(draws.draws[1])[(row - first.end) * treatments..][..treatments],
        };
        let row = |(row, (soft, mask)): (usize, (&mut [f32], &mut [f32]))| {
            let from = draws.treatment(row).0 * treatments;
            let of = (&draws.logits[from..][..treatments], noise(|draw| &draw.mask_logistic, row));
            vector::wide(
                #[inline(always)]
                || match &draws.mask_prior {
                    MaskPrior::Same(log_odds, log_complement) => {
                        draw_mask(soft, mask, of, per_temperature, |_| (*log_odds, *log_complement))
                    }
                    MaskPrior::Each(priors) => {
                        let priors = &priors[from..][..treatments];
                        draw_mask(soft, mask, of, per_temperature, |at| priors[at])
                    }
                },
            )
        };
        let by_row = soft.par_chunks_mut(treatments).zip(mask.par_chunks_mut(treatments)).enumerate();
        let ratios: Vec<f32> = by_row.with_min_len((PIECE / 16 / treatments.max(1)).max(1)).map(row).collect();
        let weighted = |ratios: &[f32]| -> f64 {
            ratios.iter().enumerate().map(|(row, ratio)| f64::from(draws.weight(row)) * f64::from(*ratio)).sum()
        };
        let of_mask = weighted(&ratios[first.clone()]);

        let layer = &net.layers[0];
        let weight = layer.matrix();
        let every: Vec<u32> = draws.treatments.concat();
        let table = room(&mut self.table, every.len() * hidden);
        table.par_chunks_mut(hidden).zip(&every).for_each(|(row, &treatment)| {
            let column = treatments + treatment as usize;
            row.iter_mut().enumerate().for_each(|(out, value)| *value = layer.bias[out] + weight.at(out, column));
        });
        let entering = self.pass.enter(net, rows);
        let of_mask_part = weight.columns(0, treatments).transposed();
        product(ViewMut::new(entering, hidden), Into::Fresh, 1.0, View::new(mask, treatments), of_mask_part);
        entering.par_chunks_mut(hidden).enumerate().with_min_len((PIECE / hidden).max(1)).for_each(|(row, values)| {
            let own = &table[draws.treatment(row).1 * hidden..][..hidden];
            values.iter_mut().zip(own).for_each(|(value, own)| *value = leaky(*value + own));
        });
        self.pass.forward(net, rows);
        let count = rows * treatments;
        let (means, exponents) = (&mut self.pass.mean[..count], &self.pass.exponent[..count]);
        let middle = first.end * treatments;
        let (of_first, of_second) = means.split_at_mut(middle);
        let prior = draws.effect_prior();
        let ratios = draw(of_first, &exponents[..middle], &draws.draws[0].effect, treatments, prior);
        draw(of_second, &exponents[middle..], &draws.draws[1].effect, treatments, prior);
        let of_effect = weighted(&ratios);
        let masked = room(&mut self.masked, count);
        let pieces = means.par_chunks(PIECE).zip(mask.par_chunks(PIECE));
        masked.par_chunks_mut(PIECE).zip(pieces).for_each(|(masked, (means, mask))| {
            masked.iter_mut().zip(means.iter().zip(mask)).for_each(|(masked, (effect, mask))| *masked = effect * mask);
        });

        Terms { effect: of_effect, mask: of_mask, artifact: self.artifacts(networks, draws) }
    }

    /// One distribution, drawn from for every particle and draw.
    fn artifacts(&mut self, networks: &Networks<&[f32]>, draws: &Draws<'_>) -> f64 {
        let net = &networks.artifact;
        let latent = net.mean.outputs();
        let ones = vec![1.0f32; latent];
        let layer = &net.layers[0];
        leaky_affine(View::new(&ones, latent), layer.matrix(), layer.bias, self.artifact.enter(net, 1));
        self.artifact.forward(net, 1);
        self.artifact_draws.clear();
        self.artifact_exponents.clear();
        for _ in 0..2 * draws.particles() {
            self.artifact_draws.extend_from_slice(&self.artifact.mean[..latent]);
            self.artifact_exponents.extend_from_slice(&self.artifact.exponent[..latent]);
        }
        let (noise, prior) = (artifact_noise(draws, latent), Prior::STANDARD);
        let ratios = draw(&mut self.artifact_draws, &self.artifact_exponents, &noise, latent, prior);
        self.artifacts.clone_from(&self.artifact_draws);
        let sum: f64 = ratios[..draws.particles()].iter().map(|ratio| f64::from(*ratio)).sum();
        -draws.artifact_weight / draws.particles() as f64 * sum
    }

    /// From the gradients that [`Effects::masked`] and [`Effects::artifacts`] hold to those of the parameters. `by_logits` is
    /// for the gradient by the mask's logits where these are not its parameters.
    pub fn backward<G: AsMut<[f32]>>(
        &mut self,
        networks: &Networks<&[f32]>,
        draws: &Draws<'_>,
        gradients: &mut Networks<G>,
        by_logits: &mut Vec<f32>,
    ) {
        let [first, second] = draws.rows();
        let (rows, net) = (second.end, &networks.effect);
        let (treatments, hidden) = (net.mean.outputs(), net.mean.inputs());
        let (count, middle) = (rows * treatments, first.end * treatments);
        let by_masked = &mut self.masked[..count];
        let by_mask = room(&mut self.by_mask, count);
        let mask = &self.mask[..count];
        let pieces = self.pass.mean[..count].par_chunks(PIECE).zip(mask.par_chunks(PIECE));
        let wanted = by_mask.par_chunks_mut(PIECE).zip(by_masked.par_chunks_mut(PIECE));
        wanted.zip(pieces).for_each(|((by_mask, by_masked), (effect, mask))| {
            for ((by_mask, by_masked), (effect, mask)) in by_mask.iter_mut().zip(by_masked).zip(effect.iter().zip(mask))
            {
                *by_mask = *by_masked * effect;
                *by_masked *= mask;
            }
        });
        let by_effect = by_masked;
        let (effects, exponents) = (&self.pass.mean[..count], &mut self.pass.exponent[..count]);
        let ranges = [(0..middle, 0, first.start), (middle..count, 1, second.start)];
        for (range, which, start) in ranges {
            let noise = &draws.draws[which].effect;
            let (x, by_x) = (&effects[range.clone()], &mut by_effect[range.clone()]);
            let prior = (treatments, draws.effect_prior());
            draw_backward(x, &mut exponents[range], noise, by_x, prior, |row| draws.weight(start + row));
        }
        let slopes = &*self.pass.backward(net, &mut gradients.effect, by_effect);
        let by_layer = &mut gradients.effect.layers[0];
        let (weight, width) = (net.layers[0].matrix(), 2 * treatments);
        let of_mask_part = ViewMut::new(by_layer.weight.as_mut(), width).columns(0, treatments);
        let slope = View::new(slopes, hidden);
        product(of_mask_part, Into::Sum, 1.0, slope.transposed(), View::new(mask, treatments));
        product(ViewMut::new(by_mask, treatments), Into::Sum, 1.0, slope, weight.columns(0, treatments));
        add_rows(by_layer.bias.as_mut(), slopes);
        // The one-hot part: each treatment has a column.
        let tables = draws.treatments[0].len() + draws.treatments[1].len();
        let table = room(&mut self.table, tables * hidden);
        table.fill(0.0);
        for (row, slope) in slopes.chunks_exact(hidden).enumerate() {
            vector::add_rows(&mut table[draws.treatment(row).1 * hidden..][..hidden], slope);
        }
        let mut by_weight = ViewMut::new(by_layer.weight.as_mut(), width);
        for (&treatment, row) in draws.treatments.concat().iter().zip(table.chunks_exact(hidden)) {
            for (out, value) in row.iter().enumerate() {
                *by_weight.at(out, treatments + treatment as usize) += value;
            }
        }
        through_logits(draws.config.mask, by_logits, networks.mask, gradients.mask.as_mut(), |by_logits| {
            self.mask_backward(treatments, draws, by_logits);
        });
        self.artifacts_backward(networks, draws, gradients);
    }

    /// From the gradient by the mask, through the soft one, to that by its logits.
    fn mask_backward(&self, treatments: usize, draws: &Draws<'_>, by_logits: &mut [f32]) {
        let per_temperature = (1.0 / draws.config.mask_temperature) as f32;
        let rows = draws.rows();
        by_logits.par_chunks_mut(treatments).enumerate().for_each(|(treatment, by_logits)| {
            let from = treatment * treatments;
            let logits = &draws.logits[from..][..treatments];
            for (rows, of_draw) in rows.iter().zip(draws.treatments) {
                let Ok(place) = of_draw.binary_search(&(treatment as u32)) else { continue };
                for row in rows.clone().skip(place).step_by(of_draw.len()) {
                    let at = row * treatments..(row + 1) * treatments;
                    let (soft, mask, by_mask) = (&self.soft[at.clone()], &self.mask[at.clone()], &self.by_mask[at]);
                    let weight = draws.weight(row);
                    let drawn = DrawnRow { logits, soft, mask, by_mask, weight, per_temperature };
                    vector::wide(
                        #[inline(always)]
                        || match &draws.mask_prior {
                            MaskPrior::Same(log_odds, _) => drawn.backward(by_logits, |_| *log_odds),
                            MaskPrior::Each(priors) => drawn.backward(by_logits, |at| priors[from + at].0),
                        },
                    );
                }
            }
        });
    }

    fn artifacts_backward<G: AsMut<[f32]>>(
        &mut self,
        networks: &Networks<&[f32]>,
        draws: &Draws<'_>,
        gradients: &mut Networks<G>,
    ) {
        let net = &networks.artifact;
        let latent = net.mean.outputs();
        let weight = (-draws.artifact_weight / draws.particles() as f64) as f32;
        let weight = |row: usize| if row < draws.particles() { weight } else { 0.0 };
        let noise = artifact_noise(draws, latent);
        let (x, exponents) = (&self.artifact_draws, &mut self.artifact_exponents);
        draw_backward(x, exponents, &noise, &mut self.artifacts, (latent, Prior::STANDARD), weight);
        let mut by_mean = vec![0.0f32; latent];
        vector::add_rows(&mut by_mean, &self.artifacts);
        let by_exponent = &mut self.artifact.exponent[..latent];
        by_exponent.fill(0.0);
        vector::add_rows(by_exponent, exponents);
        let slopes = &*self.artifact.backward(net, &mut gradients.artifact, &by_mean);
        let by_layer = &mut gradients.artifact.layers[0];
        let ones = vec![1.0f32; latent];
        let by_weight = ViewMut::new(by_layer.weight.as_mut(), latent);
        product(by_weight, Into::Sum, 1.0, View::new(slopes, slopes.len()).transposed(), View::new(&ones, latent));
        add_rows(by_layer.bias.as_mut(), slopes);
    }
}

/// Of both draws; zeros where there is no second one, whose artifacts then are in no term.
fn artifact_noise(draws: &Draws<'_>, latent: usize) -> Vec<f32> {
    let mut noise = draws.draws.map(|draw| &draw.artifact[..]).concat();
    noise.resize(2 * draws.particles() * latent, 0.0);
    noise
}
