//! Log-likelihood of counts.
//!
//! Gamma–Poisson (negative binomial) with mean μ = library · softmax(decoder) and a concentration c per gene, in the
//! published form: rate = max(c / (μ + 1e-4), 1e-6);
//! log p(x) = lgamma(x+c) − lgamma(c) − lgamma(x+1) + c·log(rate/(1+rate)) − x·log(1+rate).

use std::sync::Arc;

use candle_core::{D, Device, Result, Tensor};
use candle_nn::ops::softmax;
use rayon::prelude::*;
use statrs::function::gamma::{digamma, ln_gamma};

use super::normal::{LARGEST_LOG, VARIANCE_FLOOR};
use super::vector::{self, LANES};

/// Added to every mean.
pub const MEAN_FLOOR: f32 = 1e-4;
/// The least rate.
pub const RATE_FLOOR: f32 = 1e-6;
/// Counts up to this are common.
const MOST_IN_TABLE: f32 = 16.0;

/// Observed counts of a batch, B cells × G genes.
#[derive(Clone, Debug)]
pub struct Counts {
    values: Arc<Vec<f32>>,
    library: Arc<Vec<f32>>,
    genes: usize,
    /// The largest count for which tables are made.
    common: u32,
}

impl Counts {
    /// `values` row-major B × G, `library` the mean's scale per cell.
    pub fn new(values: Vec<f32>, library: Vec<f32>, genes: usize) -> Self {
        assert_eq!(values.len(), library.len() * genes, "counts are cells × genes");
        let largest = values.iter().copied().fold(0.0f32, f32::max);
        let common = largest.min(MOST_IN_TABLE) as u32;
        Self { values: Arc::new(values), library: Arc::new(library), genes, common }
    }

    /// Cell by cell.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.library.len()
    }

    fn tensor(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.values, (self.cells(), self.genes), device)
    }

    /// Σ_g lgamma(x + 1) of each cell.
    pub fn log_factorials(&self) -> Vec<f32> {
        let cell = |counts: &[f32]| counts.iter().map(|&x| log_factorial(x)).sum::<f64>() as f32;
        self.values.par_chunks(self.genes.max(1)).map(cell).collect()
    }
}

fn log_factorial(x: f32) -> f64 {
    ln_rising(1.0, x)
}

/// Σ_g log p(x_g) of every particle and cell under the Gamma–Poisson: `logits` `[P, B, G]` (the decoder's output),
/// `log_concentration` `[G]`; gives `[P, B]`. By candle's own operations; [`Concentration`] has the same by own loops.
pub fn library_negative_binomial(logits: &Tensor, log_concentration: &Tensor, counts: &Counts) -> Result<Tensor> {
    let device = logits.device();
    let x = counts.tensor(device)?;
    let library = Tensor::from_slice(&counts.library, (counts.cells(), 1), device)?;
    let mean = softmax(logits, D::Minus1)?.broadcast_mul(&library)?;
    let concentration = log_concentration.exp()?;
    let rate = (mean + f64::from(MEAN_FLOOR))?.recip()?.broadcast_mul(&concentration)?.maximum(RATE_FLOOR)?;
    let log_one_plus = (&rate + 1.0)?.log()?;
    let by_mean = (rate.log()? - &log_one_plus)?.broadcast_mul(&concentration)? - log_one_plus.broadcast_mul(&x)?;
    let by_cell =
        ln_gamma_tensor(&x.broadcast_add(&concentration)?)?.broadcast_sub(&ln_gamma_tensor(&concentration)?)?;
    let factorials = Tensor::from_vec(counts.log_factorials(), counts.cells(), device)?;
    by_mean?.sum(D::Minus1)?.broadcast_add(&(by_cell.sum(D::Minus1)? - factorials)?)
}

/// ln Γ for positive arguments by operations every device has: Lanczos' approximation in Numerical Recipes' six terms.
fn ln_gamma_tensor(x: &Tensor) -> Result<Tensor> {
    const COEFFICIENTS: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.120_865_097_386_617_9e-2,
        -0.539_523_938_495_3e-5,
    ];
    let mut series = (x.zeros_like()? + 1.000_000_000_190_015)?;
    for (at, coefficient) in COEFFICIENTS.iter().enumerate() {
        series = (series + ((x + (at + 1) as f64)?.recip()? * *coefficient)?)?;
    }
    let shifted = (x + 5.5)?;
    let log_series = ((series * 2.506_628_274_631_000_5)? / x)?.log()?;
    (((x + 0.5)? * shifted.log()?)? - shifted)? + log_series
}

/// Σ_g log p(x_g) under a Poisson with rate max(softplus(decoder), 1e-6): `[P, B, G]` to `[P, B]`.
pub fn poisson(decoded: &Tensor, counts: &Counts) -> Result<Tensor> {
    let device = decoded.device();
    let rate = softplus(decoded)?.maximum(RATE_FLOOR)?;
    let x = counts.tensor(device)?;
    let factorials = Tensor::from_vec(counts.log_factorials(), counts.cells(), device)?;
    (rate.log()?.broadcast_mul(&x)? - rate)?.sum(D::Minus1)?.broadcast_sub(&factorials)
}

/// ½ ln 2π.
const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// Σ_g log p(x_g) under normal distributions, mean and ln(variance − 1e-4) `[P, B, G]` from the decoder's two heads: `[P, B]`.
pub fn normal(means: &Tensor, logs: &Tensor, counts: &Counts) -> Result<Tensor> {
    let x = counts.tensor(means.device())?;
    let variance = (logs.clamp(-LARGEST_LOG, LARGEST_LOG)?.exp()? + f64::from(VARIANCE_FLOOR))?;
    let squared = (x.broadcast_sub(means)?.sqr()? / &variance)?;
    let constant = -HALF_LOG_TWO_PI * counts.genes as f64;
    ((squared + variance.log()?)?.sum(D::Minus1)? * -0.5)? + constant
}

/// The rate of a Poisson distribution from a decoder output: softplus, at least [`RATE_FLOOR`].
pub fn poisson_rate(output: f32) -> f64 {
    let output = f64::from(output);
    (output.max(0.0) + (-output.abs()).exp().ln_1p()).max(1e-6)
}

/// ln(1 + eˣ) without overflow.
pub fn softplus(x: &Tensor) -> Result<Tensor> {
    x.relu()? + ((x.abs()?.neg()?.exp()? + 1.0)?.log()?)
}

/// The logits of a row become exp(logit − largest); gives their sum.
#[inline(always)]
fn exponentials(logits: &mut [f32]) -> f32 {
    let largest = vector::largest(logits);
    let mut sum = vector::Total::default();
    for at in runs(logits.len()) {
        let logits = &mut logits[at];
        sum.add(
            logits.len(),
            #[inline(always)]
            |lane| {
                logits[lane] = vector::exp(logits[lane] - largest);
                logits[lane]
            },
        );
    }
    sum.total() as f32
}

/// Rows that one thread sums before the sums are added in order: the same result whatever the number of threads.
const BLOCK: usize = 64;

/// Concentrations c, one for each gene, and what is computed of them once in a step.
#[derive(Default)]
pub struct Concentration {
    values: Vec<f32>,
    inverse: Vec<f32>,
}

impl Concentration {
    /// From log c.
    pub fn set(&mut self, logs: &[f32]) {
        self.values.clear();
        self.values.extend(logs.iter().map(|log| log.exp()));
        self.inverse.clear();
        self.inverse.extend(self.values.iter().map(|c| 1.0 / c));
    }

    /// How many numbers it holds.
    pub fn held(&self) -> usize {
        self.values.len() + self.inverse.len()
    }

    /// Σ_g ln Γ(x + c) − ln Γ(c) − ln Γ(x + 1) of each cell: what of the likelihood does not depend on the mean.
    pub fn terms(&self, counts: &Counts) -> Vec<f64> {
        let table = self.table(counts, f64::ln);
        let cell = |counts: &[f32]| {
            let seen = counts.iter().enumerate().filter(|(_, x)| **x != 0.0);
            let term = |gene: usize, x: f32| {
                let of_table = table.get(gene, x);
                of_table.unwrap_or_else(|| ln_rising(f64::from(self.values[gene]), x)) - log_factorial(x)
            };
            seen.map(|(gene, &x)| term(gene, x)).sum::<f64>()
        };
        counts.values.par_chunks(counts.genes.max(1)).map(cell).collect()
    }

    /// The way back from [`Concentration::terms`]: adds the gradient by log c, given that by the term of each cell.
    pub fn terms_backward(&self, counts: &Counts, by_term: &[f32], by_log: &mut [f32]) {
        let table = self.table(counts, f64::recip);
        let genes = counts.genes.max(1);
        let blocks = counts.values.par_chunks(genes * BLOCK).zip(by_term.par_chunks(BLOCK));
        let block = |(counts, weights): (&[f32], &[f32])| {
            let mut sums = vec![0.0f64; genes];
            for (counts, &weight) in counts.chunks_exact(genes).zip(weights) {
                for (gene, &x) in counts.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                    let of_table = table.get(gene, x);
                    let sum = of_table.unwrap_or_else(|| digamma_rising(f64::from(self.values[gene]), x));
                    sums[gene] += f64::from(weight) * sum;
                }
            }
            sums
        };
        let blocks: Vec<Vec<f64>> = blocks.map(block).collect();
        for (gene, (by_log, &c)) in by_log.iter_mut().zip(&self.values).enumerate() {
            *by_log += (blocks.iter().map(|sums| sums[gene]).sum::<f64>() * f64::from(c)) as f32;
        }
    }

    /// Σ_{i<x} of(c + i) of every gene, for the counts that are seen often enough to be worth a table.
    fn table(&self, counts: &Counts, of: impl Fn(f64) -> f64 + Sync) -> Table {
        let width = counts.common as usize + 1;
        let mut sums = vec![0.0f64; self.values.len() * width];
        sums.par_chunks_mut(width).zip(&self.values).with_min_len(64).for_each(|(sums, &c)| {
            for x in 1..width {
                sums[x] = sums[x - 1] + of(f64::from(c) + (x - 1) as f64);
            }
        });
        Table { width, sums }
    }

    /// The rest of the likelihood: Σ_g c·log(rate/(1+rate)) − x·log(1+rate) of every cell, from its row of `logits`. With
    /// `learn`, the gradient by each cell's sum (`by_cell`) is carried back: `logits` become the gradient by them, and that by
    /// log c is added to `learn`; without, the logits are used up.
    pub fn by_mean(&self, counts: &Counts, logits: &mut [f32], by_cell: &[f32], learn: Option<&mut [f32]>) -> Vec<f64> {
        let genes = counts.genes.max(1);
        let wanted = learn.is_some();
        let block = |scratch: &mut Vec<f32>, (block, logits): (usize, &mut [f32])| {
            let mut by_log = vec![0.0f32; if wanted { genes } else { 0 }];
            let row = |(at, logits): (usize, &mut [f32])| {
                let cell = block * BLOCK + at;
                let row = Row {
                    concentration: &self.values,
                    inverse: &self.inverse,
                    counts: &counts.values[cell * genes..][..genes],
                    library: counts.library[cell],
                };
                match wanted {
                    true => row.learn(logits, scratch, by_cell[cell], &mut by_log),
                    false => row.value(logits),
                }
            };
            let sums: Vec<f64> = logits.chunks_exact_mut(genes).enumerate().map(row).collect();
            (sums, by_log)
        };
        let blocks = logits.par_chunks_mut(genes * BLOCK).enumerate();
        let blocks: Vec<(Vec<f64>, Vec<f32>)> = blocks.map_init(|| vec![0.0; genes], block).collect();
        if let Some(learn) = learn {
            blocks.iter().for_each(|(_, by_log)| vector::add_rows(learn, by_log));
        }
        blocks.into_iter().flat_map(|(sums, _)| sums).collect()
    }
}

/// Sums for small whole counts, by gene.
struct Table {
    width: usize,
    sums: Vec<f64>,
}

impl Table {
    fn get(&self, gene: usize, x: f32) -> Option<f64> {
        let known = x.fract() == 0.0 && x >= 0.0 && x < self.width as f32;
        known.then(|| self.sums[gene * self.width + x as usize])
    }
}

/// One cell's genes.
struct Row<'a> {
    concentration: &'a [f32],
    inverse: &'a [f32],
    counts: &'a [f32],
    library: f32,
}

/// What one gene gives.
struct Gene {
    /// c·log(rate/(1+rate)) − x·log(1+rate).
    value: f32,
    /// Its derivative by the logit, as if the other shares stayed.
    by_share: f32,
    /// Its derivative by log c.
    by_log: f32,
}

/// rate = max(c/(μ + 1e-4), 1e-6) at the mean μ; `inverse` is 1/c.
#[inline(always)]
fn gene(mean: f32, c: f32, inverse: f32, x: f32) -> Gene {
    let m = mean + MEAN_FLOOR;
    let (by_m, by_sum) = (1.0 / m, 1.0 / (m + c));
    let above = c * by_m > RATE_FLOOR;
    let rate = if c * by_m < RATE_FLOOR { RATE_FLOOR } else { c * by_m };
    let odds = if m * inverse > 1.0 / RATE_FLOOR { 1.0 / RATE_FLOOR } else { m * inverse };
    // log(rate/(1+rate)) = −log(1 + 1/rate): the one that loses nothing where the mean is small.
    let l = vector::ln_1p_of(odds, c * by_sum);
    // Below its floor the rate is constant.
    let by_c = if above { (m - x) * by_sum } else { 0.0 };
    Gene {
        value: -c * l - x * vector::ln_1p_of(rate, m * by_sum),
        by_share: -by_c * c * by_m * mean,
        by_log: c * (by_c - l),
    }
}

impl Row<'_> {
    /// Σ of [`Gene::value`]; `logits` are used up.
    fn value(&self, logits: &mut [f32]) -> f64 {
        vector::wide(
            #[inline(always)]
            || {
                let scale = self.library / exponentials(logits);
                let mut sum = vector::Total::default();
                for at in runs(logits.len()) {
                    let (shares, c) = (&logits[at.clone()], &self.concentration[at.clone()]);
                    let (inverse, counts) = (&self.inverse[at.clone()], &self.counts[at]);
                    sum.add(
                        shares.len(),
                        #[inline(always)]
                        |lane| gene(shares[lane] * scale, c[lane], inverse[lane], counts[lane]).value,
                    );
                }
                sum.total()
            },
        )
    }

    /// The same; `logits` become the gradient by them and that by log c is added to `by_log`. `weight` is the gradient by the
    /// sum.
    fn learn(&self, logits: &mut [f32], shares: &mut [f32], weight: f32, by_log: &mut [f32]) -> f64 {
        vector::wide(
            #[inline(always)]
            || {
                let sum = exponentials(logits);
                shares.copy_from_slice(logits);
                let scale = self.library / sum;
                let (mut value, mut by_share) = (vector::Total::default(), vector::Total::default());
                for at in runs(logits.len()) {
                    let (shares, c) = (&shares[at.clone()], &self.concentration[at.clone()]);
                    let (inverse, counts) = (&self.inverse[at.clone()], &self.counts[at.clone()]);
                    let (out, by_log) = (&mut logits[at.clone()], &mut by_log[at]);
                    value.add(
                        shares.len(),
                        #[inline(always)]
                        |lane| {
                            let gene = gene(shares[lane] * scale, c[lane], inverse[lane], counts[lane]);
                            by_log[lane] += weight * gene.by_log;
                            out[lane] = weight * gene.by_share;
                            gene.value
                        },
                    );
                    by_share.add(
                        out.len(),
                        #[inline(always)]
                        |lane| out[lane],
                    );
                }
                // softmax: ∂/∂logit = μ·∂/∂μ − share · Σ μ·∂/∂μ.
                let per_share = by_share.total() as f32 / sum;
                logits.iter_mut().zip(&*shares).for_each(|(out, share)| *out -= share * per_share);
                value.total()
            },
        )
    }
}

/// Ranges of [`LANES`] from 0 to `count`, the last one shorter.
#[inline(always)]
fn runs(count: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..count.div_ceil(LANES)).map(move |run| run * LANES..((run + 1) * LANES).min(count))
}

/// Log-likelihood of every cell under a Poisson with rate max(softplus(decoder), 1e-6), less ln Γ(x + 1). With `learn`, the
/// decoder's output becomes the gradient by it, given that by each cell's sum (`by_cell`).
pub fn poisson_step(counts: &Counts, decoded: &mut [f32], by_cell: &[f32], learn: bool) -> Vec<f64> {
    let genes = counts.genes.max(1);
    let rows = decoded.par_chunks_mut(genes).zip(counts.values.par_chunks(genes)).zip(by_cell);
    let row = |((decoded, counts), &weight): ((&mut [f32], &[f32]), &f32)| {
        vector::wide(
            #[inline(always)]
            || {
                let mut sum = vector::Total::default();
                for at in runs(decoded.len()) {
                    let (decoded, counts) = (&mut decoded[at.clone()], &counts[at]);
                    sum.add(
                        counts.len(),
                        #[inline(always)]
                        |lane| {
                            let (value, x) = (decoded[lane], counts[lane]);
                            let soft = vector::softplus(value);
                            let rate = if soft < RATE_FLOOR { RATE_FLOOR } else { soft };
                            if learn {
                                let slope = if soft > RATE_FLOOR { vector::sigmoid(value) } else { 0.0 };
                                decoded[lane] = weight * (x / rate - 1.0) * slope;
                            }
                            x * vector::ln(rate) - rate
                        },
                    );
                }
                sum.total()
            },
        )
    };
    rows.map(row).collect()
}

/// What of [`normal_step`] does not depend on the model: −½ ln 2π for each gene.
pub fn normal_constant(counts: &Counts) -> f64 {
    -HALF_LOG_TWO_PI * counts.genes as f64
}

/// Log-likelihood of every cell under normal distributions, less [`normal_constant`]. With `learn`, means and `logs` (of the
/// variances, see [`normal`]) become the gradients by them, given that by each cell's sum (`by_cell`).
pub fn normal_step(counts: &Counts, means: &mut [f32], logs: &mut [f32], by_cell: &[f32], learn: bool) -> Vec<f64> {
    let genes = counts.genes.max(1);
    let heads = means.par_chunks_mut(genes).zip(logs.par_chunks_mut(genes));
    let rows = heads.zip(counts.values.par_chunks(genes)).zip(by_cell);
    let row = |(((means, logs), counts), &weight): (((&mut [f32], &mut [f32]), &[f32]), &f32)| {
        vector::wide(
            #[inline(always)]
            || {
                let mut sum = vector::Total::default();
                for at in runs(means.len()) {
                    let (means, logs, counts) = (&mut means[at.clone()], &mut logs[at.clone()], &counts[at]);
                    sum.add(
                        counts.len(),
                        #[inline(always)]
                        |lane| {
                            let log = logs[lane];
                            let bounded = if log > LARGEST_LOG { LARGEST_LOG } else { log };
                            let exponent = vector::exp(if bounded < -LARGEST_LOG { -LARGEST_LOG } else { bounded });
                            let (variance, distance) = (exponent + VARIANCE_FLOOR, counts[lane] - means[lane]);
                            let squared = distance * distance / variance;
                            if learn {
                                means[lane] = weight * distance / variance;
                                let by_log = 0.5 * weight * (squared - 1.0) * exponent / variance;
                                logs[lane] = if log.abs() < LARGEST_LOG { by_log } else { 0.0 };
                            }
                            -0.5 * (squared + vector::ln(variance))
                        },
                    );
                }
                sum.total()
            },
        )
    };
    rows.map(row).collect()
}

/// ln Γ(c + x) − ln Γ(c): for the small whole numbers that counts are, the logarithm of a product.
fn ln_rising(c: f64, x: f32) -> f64 {
    if is_small(x) {
        (0..x as u32).map(|step| c + f64::from(step)).product::<f64>().ln()
    } else {
        ln_gamma(c + f64::from(x)) - ln_gamma(c)
    }
}

/// ψ(c + x) − ψ(c), likewise a sum.
fn digamma_rising(c: f64, x: f32) -> f64 {
    if is_small(x) {
        (0..x as u32).map(|step| 1.0 / (c + f64::from(step))).sum()
    } else {
        digamma(c + f64::from(x)) - digamma(c)
    }
}

fn is_small(x: f32) -> bool {
    (0.0..=16.0).contains(&x) && x.fract() == 0.0
}

#[cfg(test)]
mod tests {
    use candle_core::Var;
    use rand::RngExt as _;

    use super::super::parameters::normal;
    use super::*;

    /// Log-likelihood of each cell and the gradients by the weighted sum of them, of logits and log c.
    type Results = (Vec<f32>, Vec<f32>, Vec<f32>);

    fn plain(logits: &Var, log_c: &Var, weights: &Tensor, counts: &Counts) -> Results {
        let sums = library_negative_binomial(logits, log_c, counts).unwrap();
        let gradients = (&sums * weights).unwrap().sum_all().unwrap().backward().unwrap();
        let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1().unwrap();
        (values(&sums), values(gradients.get(logits).unwrap()), values(gradients.get(log_c).unwrap()))
    }

    fn looped(logits: &Var, log_c: &Var, weights: &Tensor, counts: &Counts) -> Results {
        let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let (mut logits, log_c, weights) = (values(logits), values(log_c), values(weights));
        let mut concentration = Concentration::default();
        concentration.set(&log_c);
        let mut by_log = vec![0.0; log_c.len()];
        let unlearned = concentration.by_mean(counts, &mut logits.clone(), &weights, None);
        let sums = concentration.by_mean(counts, &mut logits, &weights, Some(&mut by_log));
        assert!(sums.iter().zip(&unlearned).all(|(a, b)| (a - b).abs() <= 1e-6 * a.abs()));
        let terms = concentration.terms(counts);
        concentration.terms_backward(counts, &weights, &mut by_log);
        (sums.iter().zip(&terms).map(|(sum, term)| (sum + term) as f32).collect(), logits, by_log)
    }

    #[test]
    fn loops_and_formulas_agree_in_value_and_gradient() {
        let mut random = crate::random::stream(3, "counts");
        for (cells, genes, largest) in [(1, 1, 40), (70, 9, 40), (5, 33, 3), (130, 50, 3000)] {
            let logits = Var::from_tensor(&normal(&mut random, (1, cells, genes), &Device::Cpu).unwrap()).unwrap();
            let log_c = Var::from_tensor(&normal(&mut random, genes, &Device::Cpu).unwrap()).unwrap();
            let weights = normal(&mut random, (1, cells), &Device::Cpu).unwrap();
            let values: Vec<f32> =
                (0..cells * genes).map(|_| random.random_range(-largest / 4..largest).max(0) as f32).collect();
            let library = values.chunks(genes).map(|row| row.iter().sum::<f32>().max(1.0)).collect();
            let counts = Counts::new(values, library, genes);
            let (plain, looped) =
                (plain(&logits, &log_c, &weights, &counts), looped(&logits, &log_c, &weights, &counts));
            for (plain, looped) in [(plain.0, looped.0), (plain.1, looped.1), (plain.2, looped.2)] {
                let largest = plain.iter().fold(1e-3f32, |largest, value| largest.max(value.abs()));
                for (plain, looped) in plain.iter().zip(&looped) {
                    assert!((plain - looped).abs() <= 5e-4 * largest, "{cells} × {genes}: {looped}, not {plain}");
                }
            }
        }
    }

    #[test]
    fn ln_gamma_by_tensor_operations_is_ln_gamma() {
        let at = [0.01f32, 0.5, 1.0, 2.5, 10.0, 123.0];
        let found: Vec<f32> = ln_gamma_tensor(&Tensor::new(&at, &Device::Cpu).unwrap()).unwrap().to_vec1().unwrap();
        for (at, found) in at.iter().zip(found) {
            let expected = ln_gamma(f64::from(*at));
            assert!((f64::from(found) - expected).abs() < 1e-5 * expected.abs().max(1.0), "{at}: {found} {expected}");
        }
    }

    #[test]
    fn products_and_sums_are_differences_of_gamma_functions() {
        for c in [1e-3, 0.7, 1.0, 34.5, 1e5] {
            for x in [0.0f32, 1.0, 2.0, 16.0, 17.0, 2.5, 300.0] {
                let (upper, lower) = (c + f64::from(x), c);
                let expected = ln_gamma(upper) - ln_gamma(lower);
                assert!((ln_rising(c, x) - expected).abs() < 1e-7 * expected.abs().max(1.0), "{c} {x}");
                let expected = digamma(upper) - digamma(lower);
                assert!((digamma_rising(c, x) - expected).abs() < 1e-7 * expected.abs().max(1.0), "{c} {x}");
            }
        }
    }
}
