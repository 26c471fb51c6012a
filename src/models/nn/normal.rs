//! Normal distributions whose means and variances are heads of a network: draws from them, and the way back.
//!
//! A variance is exp(head) + 1e-4. As published, a head beyond ±88, where exp leaves single precision, has no gradient.

use rayon::prelude::*;

use super::dense::{Layer, PIECE, Residual, add_rows, affine, leaky_backward, room};
use super::matrix::{Into, View, ViewMut, product};
use super::vector;

/// What is added to every variance.
pub const VARIANCE_FLOOR: f32 = 1e-4;
/// Heads are kept within ± this.
pub const LARGEST_LOG: f32 = 88.0;

/// A residual network with two heads, or its gradient.
#[derive(Clone, Debug)]
pub struct NormalNet<W> {
    /// The shared layers, of one width.
    pub layers: Vec<Layer<W>>,
    /// Head of the means.
    pub mean: Layer<W>,
    /// Head of the logarithms of the variances.
    pub log_variance: Layer<W>,
}

/// The network over some rows, after its first layer, and what its backward pass needs.
#[derive(Default)]
pub struct NormalPass {
    residual: Residual,
    /// Means, rows × outputs; callers may draw in place.
    pub mean: Vec<f32>,
    /// exp of the other head, rows × outputs; for the backward pass callers put the gradient by that head here.
    pub exponent: Vec<f32>,
    gradient: Vec<f32>,
}

impl NormalPass {
    /// Room for the activated output of the first layer, `rows` rows.
    pub fn enter(&mut self, net: &NormalNet<&[f32]>, rows: usize) -> &mut [f32] {
        self.residual.enter(net.layers.len() - 1, rows * net.mean.inputs())
    }

    /// How many numbers it holds.
    pub fn held(&self) -> usize {
        self.residual.held() + self.mean.len() + self.exponent.len() + self.gradient.len()
    }

    /// Means and exponents from what [`NormalPass::enter`] was filled with.
    pub fn forward(&mut self, net: &NormalNet<&[f32]>, rows: usize) {
        self.residual.forward(&net.layers[1..], rows);
        let (width, outputs) = (net.mean.inputs(), net.mean.outputs());
        let hidden = View::new(self.residual.left(rows * width), width);
        affine(hidden, net.mean.matrix(), net.mean.bias, room(&mut self.mean, rows * outputs));
        let exponent = room(&mut self.exponent, rows * outputs);
        affine(hidden, net.log_variance.matrix(), net.log_variance.bias, exponent);
        exponent.par_chunks_mut(PIECE).for_each(|values| {
            vector::wide(
                #[inline(always)]
                || {
                    for value in values {
                        let log = if *value > LARGEST_LOG { LARGEST_LOG } else { *value };
                        *value = vector::exp(if log < -LARGEST_LOG { -LARGEST_LOG } else { log });
                    }
                },
            );
        });
    }

    /// From the gradients by the means, `[rows, outputs]`, and by the other head, which [`NormalPass::exponent`] holds, to that
    /// by what entered the first layer's activation.
    pub fn backward<G: AsMut<[f32]>>(
        &mut self,
        net: &NormalNet<&[f32]>,
        gradients: &mut NormalNet<G>,
        by_mean: &[f32],
    ) -> &mut [f32] {
        let (width, outputs) = (net.mean.inputs(), net.mean.outputs());
        let rows = by_mean.len() / outputs;
        let gradient = room(&mut self.gradient, rows * width);
        let hidden = View::new(self.residual.left(rows * width), width);
        let heads = [
            (by_mean, &net.mean, &mut gradients.mean, Into::Fresh),
            (&self.exponent[..rows * outputs], &net.log_variance, &mut gradients.log_variance, Into::Sum),
        ];
        for (slopes, layer, wanted, into) in heads {
            let slope = View::new(slopes, outputs);
            let weight = ViewMut::new(wanted.weight.as_mut(), width);
            product(weight, Into::Sum, 1.0, slope.transposed(), hidden);
            add_rows(wanted.bias.as_mut(), slopes);
            product(ViewMut::new(gradient, width), into, 1.0, slope, layer.matrix());
        }
        self.residual.backward(&net.layers[1..], &mut gradients.layers[1..], gradient);
        leaky_backward(gradient, self.residual.entered(rows * width));
        gradient
    }
}

/// The prior N(0, σ²) of what is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Prior {
    /// 1 / σ².
    precision: f32,
    /// ln σ².
    log_variance: f64,
}

impl Prior {
    /// N(0, 1).
    pub const STANDARD: Self = Self { precision: 1.0, log_variance: 0.0 };

    /// From the standard deviation σ.
    pub fn of_scale(scale: f64) -> Self {
        Self { precision: (1.0 / (scale * scale)) as f32, log_variance: 2.0 * scale.ln() }
    }
}

/// The mean becomes x; gives noise² + ln variance − x²/σ².
#[inline(always)]
fn draw_one(mean: &mut f32, exponent: f32, noise: f32, precision: f32) -> f32 {
    let variance = exponent + VARIANCE_FLOOR;
    *mean += variance.sqrt() * noise;
    noise * noise + vector::ln(variance) - *mean * *mean * precision
}

/// Draw: `means` become x = mean + √variance · noise. Gives Σ log N(x; 0, σ²) − log q(x) of every row of `width`, which is
/// Σ ½(noise² + ln variance − x²/σ² − ln σ²).
pub fn draw(means: &mut [f32], exponents: &[f32], noise: &[f32], width: usize, prior: Prior) -> Vec<f32> {
    let (precision, constant) = (prior.precision, prior.log_variance * width as f64);
    let rows = means.par_chunks_mut(width).zip(exponents.par_chunks(width)).zip(noise.par_chunks(width));
    let row = |((means, exponents), noise): ((&mut [f32], &[f32]), &[f32])| {
        vector::wide(
            #[inline(always)]
            || {
                let mut sum = [0.0f32; vector::LANES];
                let (means, rest) = means.as_chunks_mut::<{ vector::LANES }>();
                let (exponents, rest_of_exponents) = exponents.as_chunks::<{ vector::LANES }>();
                let (noise, rest_of_noise) = noise.as_chunks::<{ vector::LANES }>();
                for ((means, exponents), noise) in means.iter_mut().zip(exponents).zip(noise) {
                    for lane in 0..vector::LANES {
                        sum[lane] += draw_one(&mut means[lane], exponents[lane], noise[lane], precision);
                    }
                }
                for ((mean, &exponent), &noise) in rest.iter_mut().zip(rest_of_exponents).zip(rest_of_noise) {
                    sum[0] += draw_one(mean, exponent, noise, precision);
                }
                (0.5 * (vector::total(&sum) - constant)) as f32
            },
        )
    };
    rows.with_min_len((PIECE / 4 / width.max(1)).max(1)).map(row).collect()
}

/// The way back from [`draw`] with the same `prior`: `by_x` becomes the gradient by the means, `exponents` that by the other
/// head. `weight` gives, for each row, the gradient by its sum.
pub fn draw_backward(
    x: &[f32],
    exponents: &mut [f32],
    noise: &[f32],
    by_x: &mut [f32],
    (width, prior): (usize, Prior),
    weight: impl Fn(usize) -> f32 + Sync,
) {
    let rows = (x.par_chunks(width).zip(noise.par_chunks(width)))
        .zip(exponents.par_chunks_mut(width).zip(by_x.par_chunks_mut(width)));
    rows.enumerate().with_min_len((PIECE / 4 / width.max(1)).max(1)).for_each(
        |(row, ((x, noise), (exponents, by_x)))| {
            let weight = weight(row);
            vector::wide(
                #[inline(always)]
                || {
                    let clamped = vector::exp(LARGEST_LOG);
                    let by_square = weight * prior.precision;
                    for ((&x, &noise), (exponent, by_x)) in x.iter().zip(noise).zip(exponents.iter_mut().zip(by_x)) {
                        let variance = *exponent + VARIANCE_FLOOR;
                        *by_x -= by_square * x;
                        let by_variance = 0.5 * (*by_x * noise / variance.sqrt() + weight / variance);
                        *exponent = if *exponent < clamped { by_variance * *exponent } else { 0.0 };
                    }
                },
            );
        },
    );
}

/// The four parts of two distributions, side by side.
pub struct Pair<'a> {
    /// Means of q; become the gradient by them.
    pub q_mean: &'a mut [f32],
    /// Exponents of q; become the gradient by that head.
    pub q_exponent: &'a mut [f32],
    /// Means of p, likewise.
    pub p_mean: &'a mut [f32],
    /// Exponents of p, likewise.
    pub p_exponent: &'a mut [f32],
}

/// Σ KL(q ‖ p), or with `exact` false the published expression, in which the difference of the means is not divided by p's
/// variance. `weight` is the gradient by this sum.
pub fn divergence(pair: Pair<'_>, exact: bool, weight: f32) -> f64 {
    let q = pair.q_mean.par_chunks_mut(PIECE).zip(pair.q_exponent.par_chunks_mut(PIECE));
    let p = pair.p_mean.par_chunks_mut(PIECE).zip(pair.p_exponent.par_chunks_mut(PIECE));
    let piece = |((q_mean, q_exponent), (p_mean, p_exponent)): ((&mut [f32], &mut [f32]), (&mut [f32], &mut [f32]))| {
        vector::wide(
            #[inline(always)]
            || {
                let clamped = vector::exp(LARGEST_LOG);
                let mut sum = 0.0f64;
                let runs = q_mean.chunks_mut(vector::LANES).zip(q_exponent.chunks_mut(vector::LANES));
                let runs = runs.zip(p_mean.chunks_mut(vector::LANES).zip(p_exponent.chunks_mut(vector::LANES)));
                for ((q_mean, q_exponent), (p_mean, p_exponent)) in runs {
                    let mut terms = [0.0f32; vector::LANES];
                    let values = q_mean.iter_mut().zip(q_exponent).zip(p_mean.iter_mut().zip(p_exponent));
                    for (term, ((q_mean, q_exponent), (p_mean, p_exponent))) in terms.iter_mut().zip(values) {
                        let (q, p) = (*q_exponent + VARIANCE_FLOOR, *p_exponent + VARIANCE_FLOOR);
                        let (ratio, distance) = (q / p, *q_mean - *p_mean);
                        let by = if exact { 1.0 / p } else { 1.0 };
                        *term = 0.5 * (distance * distance * by + ratio - vector::ln(ratio) - 1.0);
                        let by_mean = weight * distance * by;
                        let by_q = weight * 0.5 * (1.0 / p - 1.0 / q);
                        let more = if exact { distance * distance / p } else { 0.0 };
                        let by_p = weight * 0.5 * (1.0 - ratio - more) / p;
                        *q_mean = by_mean;
                        *p_mean = -by_mean;
                        *q_exponent = if *q_exponent < clamped { by_q * *q_exponent } else { 0.0 };
                        *p_exponent = if *p_exponent < clamped { by_p * *p_exponent } else { 0.0 };
                    }
                    sum += vector::total(&terms);
                }
                sum
            },
        )
    };
    // Pieces are added in order: the same sum whatever the number of threads.
    let sums: Vec<f64> = q.zip(p).map(piece).collect();
    sums.iter().sum()
}
