//! Predicted responses: the same cells with and without the perturbation.
//!
//! S basal states z, masks M and effects E are drawn once from named streams; control and treatment share them, so their
//! difference carries no sampling noise of the basal state. The good branch is decoded at library sizes drawn from the
//! control cells (ours) or at 10,000 (as published).
//!
//! What a treatment at dose 1 brings into the decoder's first layer is linear in the dose and remembered: another dose, or a
//! combination of genes asked about before, takes one pass through the decoder and nothing else.

use std::collections::VecDeque;
use std::sync::Mutex;

use candle_core::{Result, Tensor};
use rand::RngExt as _;
use rayon::prelude::*;

use super::config::Likelihood;
use super::expectation::{CountDistribution, Curve, LogTable};
use super::network::GpoVae;
use crate::jobs::Progress;
use crate::models::nn::parameters::normal;
use crate::models::nn::vector;
use crate::random;

/// S: enough that the shifts of repeated seeds differ by about a hundredth of a log2 unit.
pub(super) const STATES: usize = 512;
/// Library sizes: quantiles of the control cells', each used by as many states.
pub(super) const LIBRARIES: usize = 8;
const PUBLISHED_LIBRARY: f32 = 10_000.0;
/// Treatments remembered at a time; less than a megabyte each.
pub(super) const REMEMBERED: usize = 64;
/// Genes that one thread works on at a time: their outputs lie side by side.
const TILE: usize = 16;

/// Draws shared by every prediction of a model.
pub struct Predictor {
    /// What the basal states bring into the decoder's first layer, `[S, H]`.
    start: Tensor,
    libraries: Vec<f64>,
    /// Expected log-expression by gene and library; empty for the Poisson likelihood.
    curves: Vec<Vec<Curve>>,
    seed: u64,
    control: Vec<f32>,
    /// What treatments at dose 1 bring there, `[S, H]` each; those asked about last come last.
    remembered: Mutex<VecDeque<(usize, Tensor)>>,
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
            Some(logs) => Curve::of_genes(&logs, &libraries),
            None => Vec::new(),
        };
        let start = model.decoder_start(&basal)?.detach();
        let mut predictor = Self { start, libraries, curves, seed, control: Vec::new(), remembered: Mutex::default() };
        predictor.control = predictor.mean_log_expression(model, &model.decode_from(&predictor.start)?)?;
        Ok(predictor)
    }

    /// Predicted mean log2 expression of control cells, one per gene.
    pub fn control(&self) -> &[f32] {
        &self.control
    }

    /// Shift of every gene when treatments (positions) are applied at doses. Not numbers if cancelled meanwhile.
    pub fn shifts(&self, model: &GpoVae, doses: &[(usize, f32)], progress: &dyn Progress) -> Result<Vec<f32>> {
        let cancelled = || Ok(vec![f32::NAN; model.sizes().genes]);
        let mut entering = self.start.clone();
        for &(treatment, dose) in doses {
            if progress.is_cancelled() {
                return cancelled();
            }
            entering = (entering + (self.effect(model, treatment)? * f64::from(dose))?)?;
        }
        if progress.is_cancelled() {
            return cancelled();
        }
        let decoded = model.decode_from(&entering)?;
        if progress.is_cancelled() {
            return cancelled();
        }
        let treated = self.mean_log_expression(model, &decoded)?;
        Ok(treated.iter().zip(&self.control).map(|(treated, control)| treated - control).collect())
    }

    /// Draw what `treatment` (a position) brings, so that its first answer comes as quickly as the next.
    pub fn remember(&self, model: &GpoVae, treatment: usize) -> Result<()> {
        self.effect(model, treatment).map(|_| ())
    }

    /// What `treatment` at dose 1 brings into the decoder's first layer, `[S, H]`: as remembered, or drawn.
    fn effect(&self, model: &GpoVae, treatment: usize) -> Result<Tensor> {
        let remembered = || self.remembered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        {
            let mut remembered = remembered();
            if let Some(at) = remembered.iter().position(|(known, _)| *known == treatment)
                && let Some(known) = remembered.remove(at)
            {
                let effect = known.1.clone();
                remembered.push_back(known);
                return Ok(effect);
            }
        }
        // Two threads that ask at once draw the same.
        let effect = self.drawn_effect(model, treatment)?;
        let mut remembered = remembered();
        if remembered.len() >= REMEMBERED {
            remembered.pop_front();
        }
        remembered.push_back((treatment, effect.clone()));
        Ok(effect)
    }

    fn drawn_effect(&self, model: &GpoVae, treatment: usize) -> Result<Tensor> {
        Ok(model.decoder_offset(&self.masked_effect(model, treatment)?)?.detach())
    }

    /// Draws of E∘M of one treatment, `[S, T]`.
    fn masked_effect(&self, model: &GpoVae, treatment: usize) -> Result<Tensor> {
        let (device, treatments) = (model.parameters().device(), model.sizes().treatments);
        // A stream per treatment: the same effect alone and in every combination.
        let mut random = random::stream(self.seed, &format!("predict treatment {treatment}"));
        let row = model.mask_row(treatment)?;
        let probabilities: Vec<f32> = row.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect();
        let mut mask = Vec::with_capacity(STATES * treatments);
        for _ in 0..STATES {
            mask.extend(probabilities.iter().map(|p| if random.random::<f32>() < *p { 1.0f32 } else { 0.0 }));
        }
        let mask = Tensor::from_vec(mask, (STATES, treatments), device)?;
        let noise = normal(&mut random, (STATES, treatments), device)?;
        model.masked_effect(treatment, &mask, &noise)
    }

    /// Mean over states of E\[log2(10,000·x/Σx + 1)\], decoder outputs `[S, G]`; the same bytes whatever the number of
    /// threads.
    fn mean_log_expression(&self, model: &GpoVae, decoded: &Tensor) -> Result<Vec<f32>> {
        let decoded: Vec<f32> = decoded.flatten_all()?.to_vec1()?;
        let genes = model.sizes().genes;
        if genes == 0 {
            return Ok(Vec::new());
        }
        Ok(match model.config().likelihood {
            Likelihood::LibraryNegativeBinomial => self.mean_by_curves(&decoded, genes),
            Likelihood::Poisson => mean_of_poisson(&decoded, genes),
        })
    }

    /// Gene after gene, so that its curve stays at hand; within it by library and state.
    fn mean_by_curves(&self, decoded: &[f32], genes: usize) -> Vec<f32> {
        // What turns a decoder output into the ln of the mean count, ln(library / Σ exp), by state in the order of `place`.
        let scale = |(state, row): (usize, &[f32])| {
            let (largest, sum) = vector::sum_of_exponentials(row);
            (self.libraries[state % LIBRARIES] / sum).ln() - f64::from(largest)
        };
        let by_state: Vec<f64> = decoded.par_chunks_exact(genes).enumerate().map(scale).collect();
        let mut scales = vec![0.0; STATES];
        by_state.iter().enumerate().for_each(|(state, scale)| scales[place(state)] = *scale);
        let mut mean = vec![0.0f32; genes];
        mean.par_chunks_mut(TILE).enumerate().for_each(|(tile, mean)| {
            // The outputs of these genes, one gene after the other: each line of memory is read once.
            let from = tile * TILE;
            let mut outputs = vec![0.0f32; mean.len() * STATES];
            for (state, row) in decoded.chunks_exact(genes).enumerate() {
                let at = place(state);
                for (gene, logit) in row[from..from + mean.len()].iter().enumerate() {
                    outputs[gene * STATES + at] = *logit;
                }
            }
            for (gene, (mean, outputs)) in mean.iter_mut().zip(outputs.chunks_exact(STATES)).enumerate() {
                let classes = outputs.chunks_exact(STATES / LIBRARIES).zip(scales.chunks_exact(STATES / LIBRARIES));
                let mut sum = 0.0;
                for (curve, (outputs, scales)) in self.curves[from + gene].iter().zip(classes) {
                    sum += outputs
                        .iter()
                        .zip(scales)
                        .map(|(logit, scale)| curve.at(f64::from(*logit) + scale))
                        .sum::<f64>();
                }
                *mean = (sum / STATES as f64) as f32;
            }
        });
        mean
    }
}

/// Where a state stands when those of one library size stand together.
fn place(state: usize) -> usize {
    (state % LIBRARIES) * (STATES / LIBRARIES) + state / LIBRARIES
}

/// The rate is not scaled by a library; the cell's own total is.
fn mean_of_poisson(decoded: &[f32], genes: usize) -> Vec<f32> {
    // Blocks of a fixed size, added in order.
    let block = |rows: &[f32]| {
        let mut sums = vec![0.0f64; genes];
        for row in rows.chunks_exact(genes) {
            let rates: Vec<f64> =
                row.iter().map(|&x| (f64::from(x).max(0.0) + (-f64::from(x).abs()).exp().ln_1p()).max(1e-6)).collect();
            let mut table = LogTable::new(rates.iter().sum());
            for (sum, &rate) in sums.iter_mut().zip(&rates) {
                *sum += CountDistribution::Poisson { rate }.expected_log(&mut table);
            }
        }
        sums
    };
    let blocks: Vec<Vec<f64>> = decoded.par_chunks(16 * genes).map(block).collect();
    let mut mean = vec![0.0f64; genes];
    for block in &blocks {
        mean.iter_mut().zip(block).for_each(|(sum, value)| *sum += value);
    }
    mean.into_iter().map(|sum| (sum / STATES as f64) as f32).collect()
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::jobs::Silent;
    use crate::models::gpo_vae::{GpoVaeConfig, Sizes};
    use crate::models::nn::parameters::Source;

    const SIZES: Sizes = Sizes { genes: 37, treatments: 9 };

    fn model(likelihood: Likelihood) -> GpoVae {
        let config = GpoVaeConfig {
            likelihood,
            latent: 6,
            decoder_hidden: 12,
            embedding_hidden: 10,
            embedding_layers: 2,
            ..GpoVaeConfig::default()
        };
        let source = Source::Random(Box::new(random::stream(4, "model")));
        GpoVae::new(SIZES, &config, source, &Device::Cpu).unwrap()
    }

    fn predictor(model: &GpoVae) -> Predictor {
        let libraries: Vec<f32> = (0..40).map(|at| 300.0 + 25.0 * at as f32).collect();
        Predictor::new(model, &libraries, 7).unwrap()
    }

    /// State after state, as written in the paper: the offset D(E∘M) in full, the exponentials in double precision.
    fn plain(predictor: &Predictor, model: &GpoVae, doses: &[(usize, f32)]) -> Vec<f32> {
        let mut offset = Tensor::zeros((STATES, SIZES.treatments), candle_core::DType::F32, &Device::Cpu).unwrap();
        for &(treatment, dose) in doses {
            let effect = predictor.masked_effect(model, treatment).unwrap();
            offset = (offset + (effect * f64::from(dose)).unwrap()).unwrap();
        }
        let entering = (&predictor.start + model.decoder_offset(&offset).unwrap()).unwrap();
        let rows: Vec<Vec<f32>> = model.decode_from(&entering).unwrap().to_vec2().unwrap();
        let mut sums = vec![0.0; SIZES.genes];
        for (state, row) in rows.iter().enumerate() {
            match model.config().likelihood {
                Likelihood::LibraryNegativeBinomial => {
                    let library = predictor.libraries[state % LIBRARIES];
                    let total: f64 = row.iter().map(|logit| f64::from(*logit).exp()).sum();
                    for (gene, logit) in row.iter().enumerate() {
                        let curve = &predictor.curves[gene][state % LIBRARIES];
                        sums[gene] += curve.at(f64::from(*logit) + (library / total).ln());
                    }
                }
                Likelihood::Poisson => {
                    let rates: Vec<f64> = row.iter().map(|x| f64::from(*x).exp().ln_1p().max(1e-6)).collect();
                    let mut table = LogTable::new(rates.iter().sum());
                    for (sum, &rate) in sums.iter_mut().zip(&rates) {
                        *sum += CountDistribution::Poisson { rate }.expected_log(&mut table);
                    }
                }
            }
        }
        sums.iter().zip(predictor.control()).map(|(sum, control)| (sum / STATES as f64) as f32 - control).collect()
    }

    #[test]
    fn quick_and_plain_answers_agree() {
        for likelihood in [Likelihood::LibraryNegativeBinomial, Likelihood::Poisson] {
            let model = model(likelihood);
            let predictor = predictor(&model);
            for doses in [&[(3, 1.0)][..], &[(3, 0.35), (0, 1.0), (8, -0.5)], &[(3, 2.0), (5, 0.05)], &[]] {
                let quick = predictor.shifts(&model, doses, &Silent).unwrap();
                let plain = plain(&predictor, &model, doses);
                let differences = quick.iter().zip(&plain).map(|(a, b)| (a - b).abs());
                let worst = differences.fold(0.0, f32::max);
                assert!(worst < 3e-6, "{doses:?}: {worst}");
                assert!(doses.is_empty() || quick.iter().any(|shift| shift.abs() > 1e-3), "{quick:?}");
            }
        }
    }

    #[test]
    fn states_of_one_library_stand_together() {
        let mut places: Vec<usize> = (0..STATES).map(place).collect();
        assert!((0..STATES).all(|state| places[state] / (STATES / LIBRARIES) == state % LIBRARIES));
        places.sort_unstable();
        assert!(places.into_iter().eq(0..STATES));
    }

    #[test]
    fn what_is_remembered_changes_no_answer() {
        let model = model(Likelihood::LibraryNegativeBinomial);
        let (fresh, used) = (predictor(&model), predictor(&model));
        for treatment in 0..SIZES.treatments {
            used.shifts(&model, &[(treatment, 0.5)], &Silent).unwrap();
        }
        let doses = [(2, 0.25), (7, 1.0)];
        let answers = [&fresh, &used, &used].map(|predictor| predictor.shifts(&model, &doses, &Silent).unwrap());
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[1], answers[2]);
        let remembered = used.remembered.lock().unwrap();
        let last: Vec<usize> = remembered.iter().rev().take(2).map(|(treatment, _)| *treatment).collect();
        assert_eq!((remembered.len(), last), (SIZES.treatments, vec![7, 2]));
    }
}
