//! Predicted responses: the same cells with and without the perturbation.
//!
//! S basal states z, masks M and effects E are drawn once from named streams; control and treatment share them, so their
//! difference carries no sampling noise of the basal state. The good branch is decoded at library sizes drawn from the
//! control cells (ours) or at 10,000 (as published).

use candle_core::{Result, Tensor};
use rand::RngExt as _;
use rayon::prelude::*;

use super::config::Likelihood;
use super::expectation::{CountDistribution, Curve, LogTable};
use super::network::GpoVae;
use crate::jobs::Progress;
use crate::models::nn::parameters::normal;
use crate::random;

/// S: enough that the shifts of repeated seeds differ by about a hundredth of a log2 unit.
const STATES: usize = 512;
/// Library sizes: quantiles of the control cells', each used by as many states.
const LIBRARIES: usize = 8;
const PUBLISHED_LIBRARY: f32 = 10_000.0;

/// Draws shared by every prediction of a model.
pub struct Predictor {
    basal: Tensor,
    libraries: Vec<f64>,
    /// Expected log-expression by gene and library; empty for the Poisson likelihood.
    curves: Vec<Vec<Curve>>,
    seed: u64,
    control: Vec<f32>,
}

impl Predictor {
    /// `control_libraries` are library sizes of control cells.
    pub fn new(model: &GpoVae, control_libraries: &[f32], seed: u64) -> Result<Self> {
        let device = model.parameters().device();
        let basal = normal(&mut random::stream(seed, "predict basal"), (STATES, model.config().latent), device)?;
        let mut sorted: Vec<f32> = control_libraries.to_vec();
        sorted.sort_by(f32::total_cmp);
        let libraries: Vec<f64> = (0..LIBRARIES)
            .map(|at| match sorted.len() {
                count if model.config().data_library && count > 0 => sorted[(2 * at + 1) * count / (2 * LIBRARIES)],
                _ => PUBLISHED_LIBRARY,
            })
            .map(f64::from)
            .collect();
        let curves = match model.log_concentration()? {
            Some(logs) => logs
                .par_iter()
                .map(|log| {
                    let concentration = f64::from(*log).exp();
                    libraries.iter().map(|&library| Curve::new(concentration, library)).collect()
                })
                .collect(),
            None => Vec::new(),
        };
        let mut predictor = Self { basal, libraries, curves, seed, control: Vec::new() };
        predictor.control = predictor.mean_log_expression(model, &model.decode_control(&predictor.basal)?)?;
        Ok(predictor)
    }

    /// Predicted mean log2 expression of control cells, one per gene.
    pub fn control(&self) -> &[f32] {
        &self.control
    }

    /// Shift of every gene when treatments (positions) are applied at doses.
    pub fn shifts(&self, model: &GpoVae, doses: &[(usize, f32)], progress: &dyn Progress) -> Result<Vec<f32>> {
        let device = model.parameters().device();
        let treatments = model.sizes().treatments;
        let mut offset = Tensor::zeros((STATES, treatments), self.basal.dtype(), device)?;
        let logits = model.mask_logits()?;
        for &(treatment, dose) in doses {
            if progress.is_cancelled() {
                break;
            }
            // A stream per treatment: the same effect alone and in every combination.
            let mut random = random::stream(self.seed, &format!("predict treatment {treatment}"));
            let probabilities: Vec<f32> = logits[treatment].iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect();
            let mut mask = Vec::with_capacity(STATES * treatments);
            for _ in 0..STATES {
                mask.extend(probabilities.iter().map(|p| if random.random::<f32>() < *p { 1.0f32 } else { 0.0 }));
            }
            let mask = Tensor::from_vec(mask, (STATES, treatments), device)?;
            let noise = normal(&mut random, (STATES, treatments), device)?;
            offset = (offset + (model.masked_effect(treatment, &mask, &noise)? * f64::from(dose))?)?;
        }
        let treated = self.mean_log_expression(model, &model.decode_offset(&self.basal, &offset)?)?;
        Ok(treated.iter().zip(&self.control).map(|(treated, control)| treated - control).collect())
    }

    /// Mean over states of E\[log2(10,000·x/Σx + 1)\], decoder outputs `[S, G]`.
    fn mean_log_expression(&self, model: &GpoVae, decoded: &Tensor) -> Result<Vec<f32>> {
        let genes = model.sizes().genes;
        let decoded: Vec<f32> = decoded.flatten_all()?.to_vec1()?;
        let likelihood = model.config().likelihood;
        // Blocks of a fixed size, added in order: the same bytes whatever the number of threads.
        let block = |(at, rows): (usize, &[f32])| {
            let mut sums = vec![0.0f64; genes];
            for (offset, row) in rows.chunks_exact(genes).enumerate() {
                let class = (at * 16 + offset) % LIBRARIES;
                match likelihood {
                    Likelihood::LibraryNegativeBinomial => {
                        let library = self.libraries[class];
                        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                        let total: f64 = row.iter().map(|logit| f64::from(logit - largest).exp()).sum();
                        let scale = (library / total).ln();
                        for ((sum, logit), curves) in sums.iter_mut().zip(row).zip(&self.curves) {
                            *sum += curves[class].at(f64::from(logit - largest) + scale);
                        }
                    }
                    Likelihood::Poisson => {
                        // The rate is not scaled by a library; the cell's own total is.
                        let rates: Vec<f64> = row
                            .iter()
                            .map(|&x| (f64::from(x).max(0.0) + (-f64::from(x).abs()).exp().ln_1p()).max(1e-6))
                            .collect();
                        let mut table = LogTable::new(rates.iter().sum());
                        for (sum, &rate) in sums.iter_mut().zip(&rates) {
                            *sum += CountDistribution::Poisson { rate }.expected_log(&mut table);
                        }
                    }
                }
            }
            sums
        };
        let blocks: Vec<Vec<f64>> = decoded.par_chunks(16 * genes).enumerate().map(block).collect();
        let mut mean = vec![0.0f64; genes];
        for block in &blocks {
            mean.iter_mut().zip(block).for_each(|(sum, value)| *sum += value);
        }
        Ok(mean.into_iter().map(|sum| (sum / STATES as f64) as f32).collect())
    }
}
