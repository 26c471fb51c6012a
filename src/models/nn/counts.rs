//! Log-likelihood of counts.
//!
//! Gamma–Poisson (negative binomial) with mean μ = library · softmax(decoder) and a concentration c per gene, in the
//! published form: rate = max(c / (μ + 1e-4), 1e-6);
//! log p(x) = lgamma(x+c) − lgamma(c) − lgamma(x+1) + c·log(rate/(1+rate)) − x·log(1+rate).

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, D, Device, Layout, Result, Shape, Tensor};
use candle_nn::ops::softmax;
use rayon::prelude::*;
use statrs::function::gamma::{digamma, ln_gamma};

use super::kernels;
use super::vector::{self, LANES, RUN};

const MEAN_FLOOR: f32 = 1e-4;
const RATE_FLOOR: f32 = 1e-6;

/// Observed counts of a batch, B cells × G genes.
#[derive(Clone, Debug)]
pub struct Counts {
    values: Arc<Vec<f32>>,
    library: Arc<Vec<f32>>,
    genes: usize,
}

impl Counts {
    /// `values` row-major B × G, `library` the mean's scale per cell.
    pub fn new(values: Vec<f32>, library: Vec<f32>, genes: usize) -> Self {
        assert_eq!(values.len(), library.len() * genes, "counts are cells × genes");
        Self { values: Arc::new(values), library: Arc::new(library), genes }
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.library.len()
    }

    fn tensor(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.values, (self.cells(), self.genes), device)
    }

    /// Σ_g lgamma(x + 1) of each cell.
    fn log_factorials(&self) -> Vec<f32> {
        let cell = |counts: &[f32]| counts.iter().map(|&x| log_factorial(x)).sum::<f64>() as f32;
        self.values.par_chunks(self.genes.max(1)).map(cell).collect()
    }
}

fn log_factorial(x: f32) -> f64 {
    ln_rising(1.0, x)
}

/// Σ_g log p(x_g) of every particle and cell under the Gamma–Poisson: `logits` `[P, B, G]` (the decoder's output),
/// `log_concentration` `[G]`; gives `[P, B]`.
pub fn library_negative_binomial(logits: &Tensor, log_concentration: &Tensor, counts: &Counts) -> Result<Tensor> {
    if matches!(logits.device(), Device::Cpu) {
        logits.contiguous()?.apply_op2(log_concentration, Fused { counts: counts.clone() })
    } else {
        library_negative_binomial_plain(logits, log_concentration, counts)
    }
}

/// The same by candle's own operations.
pub fn library_negative_binomial_plain(logits: &Tensor, log_concentration: &Tensor, counts: &Counts) -> Result<Tensor> {
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

/// ln(1 + eˣ) without overflow.
pub fn softplus(x: &Tensor) -> Result<Tensor> {
    x.relu()? + ((x.abs()?.neg()?.exp()? + 1.0)?.log()?)
}

struct Fused {
    counts: Counts,
}

/// exp(logit − largest) of a row into `out`, and their sum.
#[inline(always)]
fn exponentials(logits: &[f32], out: &mut [f32]) -> f32 {
    let largest = vector::largest(logits);
    let mut lanes = [0.0f32; LANES];
    let (mut from, mut to) = (logits.chunks_exact(LANES), out.chunks_exact_mut(LANES));
    for (logits, out) in (&mut from).zip(&mut to) {
        for ((out, &logit), lane) in out.iter_mut().zip(logits).zip(&mut lanes) {
            *out = vector::exp(logit - largest);
            *lane += *out;
        }
    }
    let mut sum = vector::total(&lanes);
    for (out, &logit) in to.into_remainder().iter_mut().zip(from.remainder()) {
        *out = vector::exp(logit - largest);
        sum += f64::from(*out);
    }
    sum as f32
}

/// c·log(rate/(1+rate)) − x·log(1+rate) of one count, rate = max(c/(μ + 1e-4), 1e-6).
#[inline(always)]
fn by_mean(mean: f32, c: f32, x: f32) -> f32 {
    let floored = mean + MEAN_FLOOR;
    let rate = c / floored;
    let rate = if rate < RATE_FLOOR { RATE_FLOOR } else { rate };
    // log(rate/(1+rate)) = −log(1 + 1/rate): the one that loses nothing where the mean is small.
    -c * vector::ln_1p(1.0 / rate) - x * vector::ln_1p(rate)
}

/// Σ_g of [`by_mean`] over a cell; `scratch` has room for its genes.
fn by_mean_of_cell(logits: &[f32], concentration: &[f32], counts: &[f32], library: f32, scratch: &mut [f32]) -> f64 {
    vector::wide(
        #[inline(always)]
        || {
            let scale = library / exponentials(logits, scratch);
            let mut sum = 0.0f64;
            let runs = scratch.chunks(RUN).zip(concentration.chunks(RUN)).zip(counts.chunks(RUN));
            for ((shares, concentration), counts) in runs {
                let mut lanes = [0.0f32; LANES];
                let mut shares = shares.chunks_exact(LANES);
                let mut concentration = concentration.chunks_exact(LANES);
                let mut counts = counts.chunks_exact(LANES);
                for ((shares, concentration), counts) in (&mut shares).zip(&mut concentration).zip(&mut counts) {
                    for lane in 0..LANES {
                        lanes[lane] += by_mean(shares[lane] * scale, concentration[lane], counts[lane]);
                    }
                }
                let rest = shares.remainder().iter().zip(concentration.remainder()).zip(counts.remainder());
                sum += vector::total(&lanes);
                sum += rest.map(|((&share, &c), &x)| f64::from(by_mean(share * scale, c, x))).sum::<f64>();
            }
            sum
        },
    )
}

/// What the gradient of one cell needs of it.
struct Cell<'a> {
    logits: &'a [f32],
    counts: &'a [f32],
    library: f32,
    /// ∂loss/∂(log-likelihood of the cell).
    weight: f32,
}

/// The gradient of [`by_mean_of_cell`] by the logits into `out`; that by log c is added to `for_concentration`.
fn gradient_of_cell(
    cell: &Cell<'_>,
    concentration: &[f32],
    shares: &mut [f32],
    out: &mut [f32],
    for_concentration: &mut [f32],
) {
    vector::wide(
        #[inline(always)]
        || {
            let sum = exponentials(cell.logits, shares);
            let (scale, weight) = (cell.library / sum, cell.weight);
            for ((((out, &share), &c), &x), for_concentration) in
                out.iter_mut().zip(&*shares).zip(concentration).zip(cell.counts).zip(for_concentration)
            {
                let mean = share * scale;
                let floored = mean + MEAN_FLOOR;
                let raw = c / floored;
                let above = raw > RATE_FLOOR;
                let rate = if above { raw } else { RATE_FLOOR };
                let by_rate = (c / rate - x) / ((1.0 + rate) * floored);
                // Below its floor the rate is constant.
                let by_rate = if above { by_rate } else { 0.0 };
                let by_c = by_rate - vector::ln_1p(1.0 / rate);
                *for_concentration += weight * c * by_c;
                *out = -weight * by_rate * rate * mean;
            }
            // softmax: ∂/∂logit = μ·∂/∂μ − share · Σ μ·∂/∂μ.
            let mut lanes = [0.0f32; LANES];
            let mut chunks = out.chunks_exact(LANES);
            for chunk in &mut chunks {
                lanes.iter_mut().zip(chunk).for_each(|(lane, value)| *lane += value);
            }
            let total = vector::total(&lanes) + chunks.remainder().iter().map(|&value| f64::from(value)).sum::<f64>();
            let per_share = total as f32 / sum;
            out.iter_mut().zip(&*shares).for_each(|(out, share)| *out -= share * per_share);
        },
    );
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

impl CustomOp2 for Fused {
    fn name(&self) -> &'static str {
        "library-negative-binomial"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        logits_layout: &Layout,
        log_concentration: &CpuStorage,
        concentration_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (particles, cells, genes) = logits_layout.shape().dims3()?;
        let logits = kernels::slice(logits, logits_layout)?;
        let concentration: Vec<f32> =
            kernels::slice(log_concentration, concentration_layout)?.iter().map(|log| log.exp()).collect();
        // Terms without the mean are the same for every particle.
        let of_cell: Vec<f64> = (self.counts.values.par_chunks(genes))
            .map(|counts| {
                let terms = counts.iter().zip(&concentration).filter(|(x, _)| **x != 0.0);
                terms.map(|(&x, &c)| ln_rising(f64::from(c), x) - log_factorial(x)).sum()
            })
            .collect();
        let row = |scratch: &mut Vec<f32>, (row, logits): (usize, &[f32])| {
            let cell = row % cells;
            let counts = &self.counts.values[cell * genes..][..genes];
            let library = self.counts.library[cell];
            (of_cell[cell] + by_mean_of_cell(logits, &concentration, counts, library, scratch)) as f32
        };
        let out: Vec<f32> =
            logits.par_chunks(genes).enumerate().with_min_len(8).map_init(|| vec![0.0; genes], row).collect();
        Ok((CpuStorage::F32(out), Shape::from((particles, cells))))
    }

    fn bwd(
        &self,
        logits: &Tensor,
        log_concentration: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (particles, cells, genes) = logits.dims3()?;
        let concentration: Vec<f32> = log_concentration.to_vec1::<f32>()?.iter().map(|log| log.exp()).collect();
        let gradient: Vec<f32> = gradient.flatten_all()?.to_vec1()?;
        let mut for_logits = vec![0.0f32; particles * cells * genes];
        // One partial sum per block of rows, added in order: the same result whatever the number of threads.
        const BLOCK: usize = 64;
        let partial: Vec<Vec<f32>> = kernels::with_slice(logits, |logits| {
            let blocks = for_logits.par_chunks_mut(BLOCK * genes).enumerate();
            let block = |shares: &mut Vec<f32>, (block, out): (usize, &mut [f32])| {
                let mut for_concentration = vec![0.0f32; genes];
                for (offset, out) in out.chunks_exact_mut(genes).enumerate() {
                    let row = block * BLOCK + offset;
                    let cell = Cell {
                        logits: &logits[row * genes..][..genes],
                        counts: &self.counts.values[row % cells * genes..][..genes],
                        library: self.counts.library[row % cells],
                        weight: gradient[row],
                    };
                    gradient_of_cell(&cell, &concentration, shares, out, &mut for_concentration);
                }
                for_concentration
            };
            blocks.map_init(|| vec![0.0; genes], block).collect()
        })?;
        let mut for_concentration = vec![0.0f64; genes];
        for block in &partial {
            for_concentration.iter_mut().zip(block).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        // ψ(x+c) − ψ(c) does not depend on the particle.
        let per_cell: Vec<f32> =
            (0..cells).map(|cell| (0..particles).map(|particle| gradient[particle * cells + cell]).sum()).collect();
        let by_gene: Vec<Vec<f64>> = (self.counts.values.par_chunks(genes * BLOCK).zip(per_cell.par_chunks(BLOCK)))
            .map(|(counts, weights)| {
                let mut sums = vec![0.0f64; genes];
                for (counts, weight) in counts.chunks_exact(genes).zip(weights) {
                    for (gene, &x) in counts.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                        let c = concentration[gene];
                        sums[gene] += f64::from(weight * c) * digamma_rising(f64::from(c), x);
                    }
                }
                sums
            })
            .collect();
        for sums in &by_gene {
            for_concentration.iter_mut().zip(sums).for_each(|(sum, value)| *sum += value);
        }
        let for_concentration: Vec<f32> = for_concentration.into_iter().map(|sum| sum as f32).collect();
        Ok((
            Some(Tensor::from_vec(for_logits, logits.shape(), &Device::Cpu)?),
            Some(Tensor::from_vec(for_concentration, genes, &Device::Cpu)?),
        ))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;
    use rand::RngExt as _;

    use super::super::parameters::normal;
    use super::*;

    #[test]
    fn fused_and_plain_agree_in_value_and_gradient() {
        let mut random = crate::random::stream(3, "counts");
        for (particles, cells, genes) in [(1, 1, 1), (2, 70, 9), (3, 5, 33)] {
            let logits =
                Var::from_tensor(&normal(&mut random, (particles, cells, genes), &Device::Cpu).unwrap()).unwrap();
            let log_c = Var::from_tensor(&normal(&mut random, genes, &Device::Cpu).unwrap()).unwrap();
            let weights = normal(&mut random, (particles, cells), &Device::Cpu).unwrap();
            let values: Vec<f32> = (0..cells * genes).map(|_| random.random_range(-9..40).max(0) as f32).collect();
            let library = values.chunks(genes).map(|row| row.iter().sum::<f32>().max(1.0)).collect();
            let counts = Counts::new(values, library, genes);
            let fused = library_negative_binomial(&logits, &log_c, &counts).unwrap();
            let plain = library_negative_binomial_plain(&logits, &log_c, &counts).unwrap();
            let relative = |a: &Tensor, b: &Tensor| {
                let (a, b): (Vec<f32>, Vec<f32>) =
                    (a.flatten_all().unwrap().to_vec1().unwrap(), b.flatten_all().unwrap().to_vec1().unwrap());
                let largest = b.iter().fold(1e-3f32, |largest, value| largest.max(value.abs()));
                a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest
            };
            assert!(relative(&fused, &plain) < 1e-4);
            let gradients = |y: &Tensor| (y * &weights).unwrap().sum_all().unwrap().backward().unwrap();
            let (fused, plain) = (gradients(&fused), gradients(&plain));
            for var in [&logits, &log_c] {
                assert!(relative(fused.get(var).unwrap(), plain.get(var).unwrap()) < 1e-3);
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
