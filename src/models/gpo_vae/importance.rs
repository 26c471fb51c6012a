//! Importance weights of cells: how well the model explains them.
//!
//! log w of a cell x and a draw of z, E, M and U from the posterior:
//!
//! log p(x | good or bad branch, as the cell passes quality control or not) + log p(z) − log q(z)
//!   + Σ_t 1/n_t · (log p(E_t, M_t) − log q(E_t, M_t)) + qc/n_qc · (log p(U) − log q(U))
//!
//! over the treatments t that the cell received. E, M and U are shared by all cells. As in the training, and as in SAMS-VAE and
//! CRADLE-VAE, every cell bears its part of them: n_t is the number of training cells with the treatment, n_qc of those that fail
//! quality control; a part with no training cell is left out. The likelihood is not weighted by α: that would bound nothing.

use candle_core::Result;

use super::batch::{Batch, BatchContext};
use super::network::{Drawn, GpoVae};
use super::noise::Noise;

impl GpoVae {
    /// log w of every particle of `noise` and every cell of `batch`: P × B. Counterfactual draws are not used.
    ///
    /// # Errors
    /// If the arithmetic fails.
    pub fn log_weights(&self, batch: &Batch, noise: &Noise, context: &BatchContext) -> Result<Vec<f64>> {
        let Drawn { sample, basal_ratio, likelihood, .. } = self.draw(batch, &noise.factual, &noise.basal)?;
        let (cells, present) = (batch.len(), batch.treatments());
        // Likelihood and ratio of z: P × B.
        let own: Vec<f32> = (likelihood + basal_ratio.sum(2)?)?.flatten_all()?.to_vec1()?;
        let shared: Vec<f32> = (sample.effect_ratio + sample.mask_ratio)?.flatten_all()?.to_vec1()?;
        let artifact: Vec<f32> = sample.artifact_ratio.to_vec1()?;
        let part = |count: f32| if count > 0.0 { 1.0 / f64::from(count) } else { 0.0 };
        let of_treatment: Vec<f64> =
            present.iter().map(|&treatment| part(context.cells_per_treatment[treatment as usize])).collect();
        let of_artifact = part(context.failing_cells);
        let weight = |(at, own): (usize, f32)| {
            let (particle, cell) = (at / cells, at % cells);
            let ratio = |place: &u32| {
                let place = *place as usize;
                of_treatment[place] * f64::from(shared[particle * present.len() + place])
            };
            let of_shared: f64 = batch.present.of_cell(cell).iter().map(ratio).sum();
            let of_flag = f64::from(batch.failed[cell]) * of_artifact * f64::from(artifact[particle]);
            f64::from(own) + of_shared + of_flag
        };
        Ok(own.into_iter().enumerate().map(weight).collect())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use statrs::function::gamma::ln_gamma;

    use super::*;
    use crate::models::gpo_vae::{BatchData, GpoVaeConfig, Likelihood, Sizes};
    use crate::models::nn::parameters::{Source, normal};
    use crate::random;

    const SIZES: Sizes = Sizes { genes: 5, treatments: 3 };

    fn case(likelihood: Likelihood) -> (GpoVae, BatchData, BatchContext) {
        let config = GpoVaeConfig {
            effect_prior_scale: 1.0,
            likelihood,
            latent: 2,
            decoder_hidden: 4,
            basal_hidden: 3,
            embedding_hidden: 4,
            embedding_layers: 2,
            particles: 3,
            ..GpoVaeConfig::default()
        };
        let source = Source::Random(Box::new(random::stream(2, "parameters")));
        let model = GpoVae::new(SIZES, &config, source, &Device::Cpu).unwrap();
        for (_, var) in model.parameters().iter() {
            let noise = normal(&mut random::stream(3, "noise"), var.shape(), &Device::Cpu).unwrap();
            var.set(&(var.as_detached_tensor() + (noise * 0.3).unwrap()).unwrap()).unwrap();
        }
        let counts: Vec<f32> = vec![0.0, 3.0, 1.0, 0.0, 9.0, 2.0, 0.0, 0.0, 1.0, 1.0, 4.0, 4.0, 0.0, 20.0, 1.0];
        let data = BatchData {
            standardised: counts.iter().map(|count: &f32| count.ln_1p() - 0.5).collect(),
            library: counts.chunks(5).map(|row| row.iter().sum()).collect(),
            counts,
            dosages: vec![vec![0, 2], Vec::new(), vec![1]],
            quality_failed: vec![false, true, false],
            shifts: vec![0.0; 9],
            ..BatchData::default()
        };
        let context = BatchContext {
            // Of the second no cell was in the training.
            cells_per_treatment: vec![7.0, 0.0, 3.0],
            failing_cells: 5.0,
            treatment_measured: vec![true; 3],
            fold_change: 0.4,
            alpha: Some(0.5),
        };
        (model, data, context)
    }

    #[test]
    fn weights_are_the_plain_formula_cell_by_cell() {
        for likelihood in Likelihood::ALL {
            let (model, data, context) = case(likelihood);
            let batch = Batch::new(data.clone(), &context);
            let noise = Noise::random(&mut random::stream(1, "draws"), SIZES, model.config(), &batch);
            let found = model.log_weights(&batch, &noise, &context).unwrap();
            assert_eq!(found.len(), 9);

            let drawn = model.draw(&batch, &noise.factual, &noise.basal).unwrap();
            let ratios: Vec<Vec<Vec<f32>>> = drawn.basal_ratio.to_vec3().unwrap();
            let [likelihoods, effect, mask]: [Vec<Vec<f32>>; 3] =
                [&drawn.likelihood, &drawn.sample.effect_ratio, &drawn.sample.mask_ratio]
                    .map(|values| values.to_vec2().unwrap());
            let artifact: Vec<f32> = drawn.sample.artifact_ratio.to_vec1().unwrap();
            for (at, found) in found.iter().enumerate() {
                let (particle, cell) = (at / 3, at % 3);
                let mut expected = f64::from(likelihoods[particle][cell]);
                expected += ratios[particle][cell].iter().map(|ratio| f64::from(*ratio)).sum::<f64>();
                let of = |treatment: usize| f64::from(effect[particle][treatment] + mask[particle][treatment]);
                expected += match cell {
                    0 => of(0) / 7.0 + of(2) / 3.0,
                    1 => f64::from(artifact[particle]) / 5.0,
                    // No training cell stands behind this one.
                    _ => 0.0,
                };
                assert!((found - expected).abs() < 2e-5 * expected.abs().max(1.0), "{at}: {found}, not {expected}");
            }
        }
    }

    /// With the posterior at the prior the weight is the likelihood, and its bound the logarithm of a plain mean.
    #[test]
    fn a_posterior_at_the_prior_leaves_the_likelihood() {
        let (model, data, context) = case(Likelihood::Poisson);
        for (name, var) in model.parameters().iter() {
            let zeros = var.zeros_like().unwrap();
            let prior = model.config().mask_prior;
            if name == "mask_logits" {
                var.set(&(zeros + (prior / (1.0 - prior)).ln()).unwrap()).unwrap();
            } else if !name.starts_with("decoder") {
                // Variances are exp(head) + 1e-4.
                let bias = if name.ends_with("log_variance.bias") { (1.0f64 - 1e-4).ln() } else { 0.0 };
                var.set(&(zeros + bias).unwrap()).unwrap();
            }
        }
        let batch = Batch::new(data.clone(), &context);
        let noise = Noise::random(&mut random::stream(5, "draws"), SIZES, model.config(), &batch);
        let weights = model.log_weights(&batch, &noise, &context).unwrap();
        // By hand: z, E and U are the noise, and the decoder reads them.
        let (mut found, mut plain) = (0.0, 0.0);
        for particle in 0..3 {
            let basal = &noise.basal[particle * 6..particle * 6 + 2];
            let z = candle_core::Tensor::from_slice(basal, (1, 2), &Device::Cpu).unwrap();
            // The first cell fails nothing and got treatments 0 and 2.
            let mut entering = model.decoder_start(&z).unwrap();
            for (place, treatment) in batch.treatments().iter().enumerate().filter(|(_, at)| [0, 2].contains(*at)) {
                let at = (particle * batch.treatments().len() + place) * 3;
                let logits = model.mask_row(*treatment as usize).unwrap();
                let of_target = |target: usize| {
                    let on = noise.factual.mask_logistic[at + target] + logits[target] >= 0.0;
                    if on { noise.factual.effect[at + target] } else { 0.0 }
                };
                let offset: Vec<f32> = (0..3).map(of_target).collect();
                let offset = candle_core::Tensor::from_vec(offset, (1, 3), &Device::Cpu).unwrap();
                entering = (entering + model.decoder_offset(&offset).unwrap()).unwrap();
            }
            let outputs: Vec<Vec<f32>> = model.decode_from(&entering).unwrap().to_vec2().unwrap();
            let mut log = 0.0;
            for (output, x) in outputs[0].iter().zip(&data.counts) {
                let (rate, x) = (f64::from(*output).exp().ln_1p(), f64::from(*x));
                log += x * rate.ln() - rate - ln_gamma(x + 1.0);
            }
            assert!((weights[particle * 3] - log).abs() < 1e-3, "{} {log}", weights[particle * 3]);
            found += weights[particle * 3].exp() / 3.0;
            plain += log.exp() / 3.0;
        }
        assert!((f64::ln(found) - f64::ln(plain)).abs() < 1e-3, "{found} {plain}");
    }
}
