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
    if x <= 1.0 && (x == 0.0 || x == 1.0) { 0.0 } else { ln_gamma(f64::from(x) + 1.0) }
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

/// exp(logit − largest) of a row and their sum.
fn exponentials(logits: &[f32], out: &mut [f32]) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    out.iter_mut().zip(logits).for_each(|(out, logit)| *out = (logit - largest).exp());
    out.iter().sum()
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
        let at_zero: Vec<f64> = concentration.iter().map(|&c| ln_gamma(f64::from(c))).collect();
        // Terms without the mean are the same for every particle.
        let of_cell: Vec<f64> = (self.counts.values.par_chunks(genes))
            .map(|counts| {
                let terms = counts.iter().zip(&concentration).zip(&at_zero).filter(|((x, _), _)| **x != 0.0);
                terms.map(|((&x, &c), at_zero)| ln_gamma(f64::from(x + c)) - at_zero - log_factorial(x)).sum()
            })
            .collect();
        let row = |scratch: &mut Vec<f32>, (row, logits): (usize, &[f32])| {
            let cell = row % cells;
            let counts = &self.counts.values[cell * genes..][..genes];
            let scale = self.counts.library[cell] / exponentials(logits, scratch);
            let mut sum = 0.0f64;
            for ((&share, &c), &x) in scratch.iter().zip(&concentration).zip(counts) {
                let rate = (c / (share * scale + MEAN_FLOOR)).max(RATE_FLOOR);
                let log_one_plus = rate.ln_1p();
                sum += f64::from(c * (rate.ln() - log_one_plus) - x * log_one_plus);
            }
            (of_cell[cell] + sum) as f32
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
        let at_zero: Vec<f32> = concentration.iter().map(|&c| digamma(f64::from(c)) as f32).collect();
        let mut for_logits = vec![0.0f32; particles * cells * genes];
        // One partial sum per block of cells, added in order: the same result whatever the number of threads.
        const BLOCK: usize = 64;
        let blocks = cells.div_ceil(BLOCK);
        let partial = kernels::with_slice(logits, |logits| {
            // Blocks of one particle are contiguous rows of the gradient.
            let rows_of = |particle: usize, block: usize| {
                let (start, end) = (block * BLOCK, ((block + 1) * BLOCK).min(cells));
                (particle * cells + start, particle * cells + end)
            };
            let mut chunks = Vec::with_capacity(particles * blocks);
            let mut rest = for_logits.as_mut_slice();
            for particle in 0..particles {
                for block in 0..blocks {
                    let (start, end) = rows_of(particle, block);
                    let (chunk, tail) = rest.split_at_mut((end - start) * genes);
                    chunks.push((start, chunk));
                    rest = tail;
                }
            }
            chunks
                .into_par_iter()
                .map(|(start, chunk)| {
                    let mut for_concentration = vec![0.0f32; genes];
                    for (offset, out) in chunk.chunks_exact_mut(genes).enumerate() {
                        let row = start + offset;
                        let cell = row % cells;
                        let counts = &self.counts.values[cell * genes..][..genes];
                        let weight = gradient[row];
                        let sum = exponentials(&logits[row * genes..][..genes], out);
                        let scale = self.counts.library[cell] / sum;
                        let mut total = 0.0f32;
                        for (gene, out) in out.iter_mut().enumerate() {
                            let (c, x) = (concentration[gene], counts[gene]);
                            let mean = *out * scale;
                            let raw = c / (mean + MEAN_FLOOR);
                            let rate = raw.max(RATE_FLOOR);
                            let one_plus = 1.0 + rate;
                            let mut by_c = rate.ln() - rate.ln_1p();
                            let mut by_mean = 0.0;
                            if raw > RATE_FLOOR {
                                let by_rate = (c / rate - x) / one_plus;
                                by_c += by_rate / (mean + MEAN_FLOOR);
                                by_mean = -by_rate * rate / (mean + MEAN_FLOOR);
                            }
                            for_concentration[gene] += weight * c * by_c;
                            *out = weight * by_mean * mean;
                            total += *out;
                        }
                        // softmax: ∂/∂logit = μ·∂/∂μ − share · Σ μ·∂/∂μ, the share again from the logits.
                        let largest = logits[row * genes..][..genes].iter().copied().fold(f32::NEG_INFINITY, f32::max);
                        for (out, logit) in out.iter_mut().zip(&logits[row * genes..][..genes]) {
                            *out -= (logit - largest).exp() / sum * total;
                        }
                    }
                    for_concentration
                })
                .collect::<Vec<_>>()
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
                        let slope = digamma(f64::from(x + c)) as f32 - at_zero[gene];
                        sums[gene] += f64::from(weight * c * slope);
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
}
