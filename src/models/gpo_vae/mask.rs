//! The mask M in tensors: its logits and probabilities, whatever its parameters are, its alignment with the measured shifts
//! and its sparsity. The plain path; [`super::fused`] has the same in slices.

use candle_core::{Result, Tensor};
use candle_nn::ops::sigmoid;

use super::batch::Batch;
use super::network::GpoVae;
use super::variants::MaskParameters;

/// logit(1 − ε) in f32: beyond, a probability is clamped to 1 − ε.
pub(super) const LARGEST_LOGIT: f64 = 15.942_385;
/// The ε of this.
pub(super) const EPSILON: f32 = f32::EPSILON;
/// The logit of a parameter of the mask.
pub(super) fn logit_of(kind: MaskParameters, parameter: f32) -> f32 {
    match kind {
        MaskParameters::Logits => parameter,
        MaskParameters::Probabilities => {
            let p = parameter.clamp(EPSILON, 1.0 - EPSILON);
            p.ln() - (-p).ln_1p()
        }
    }
}

/// The parameter of a probability, which may be 0 or 1.
pub(super) fn parameter_of(kind: MaskParameters, probability: f32) -> f32 {
    match kind {
        MaskParameters::Logits => logit_of(MaskParameters::Probabilities, probability),
        MaskParameters::Probabilities => probability,
    }
}

/// Its first value, where nothing is known of the network: a probability of a half.
pub(super) fn first_value(kind: MaskParameters) -> f32 {
    match kind {
        MaskParameters::Logits => 0.0,
        MaskParameters::Probabilities => 0.5,
    }
}

/// log π − log(1 − π) and log(1 − π) of a prior π.
pub(super) fn log_odds(prior: f64) -> (f32, f32) {
    let complement = (-prior).ln_1p();
    ((prior.ln() - complement) as f32, complement as f32)
}

impl GpoVae {
    /// Logits of the edges of `rows` (regulators), clamped to ± [`LARGEST_LOGIT`].
    pub(super) fn logits_of(&self, rows: &Tensor) -> Result<Tensor> {
        let parameters = self.mask.index_select(rows, 0)?;
        match self.config().mask {
            MaskParameters::Logits => parameters.clamp(-LARGEST_LOGIT, LARGEST_LOGIT),
            MaskParameters::Probabilities => {
                let p = parameters.clamp(EPSILON, 1.0 - EPSILON)?;
                p.log()? - p.affine(-1.0, 1.0)?.log()?
            }
        }
    }

    /// log π − log(1 − π) and log(1 − π) of the mask's prior, for `rows` of it or (one number each) for all.
    pub(super) fn log_mask_prior(&self, rows: &[u32]) -> Result<[Tensor; 2]> {
        let treatments = self.sizes().treatments;
        let priors: Vec<f64> = match &self.mask_prior {
            Some(priors) => rows
                .iter()
                .flat_map(|&row| &priors[row as usize * treatments..][..treatments])
                .map(|&prior| f64::from(prior))
                .collect(),
            None => vec![self.config().mask_prior],
        };
        let shape = if self.mask_prior.is_some() { (rows.len(), treatments) } else { (1, 1) };
        let (odds, complements): (Vec<f32>, Vec<f32>) = priors.into_iter().map(log_odds).unzip();
        let device = self.parameters().device();
        Ok([Tensor::from_vec(odds, shape, device)?, Tensor::from_vec(complements, shape, device)?])
    }

    /// λ · Σ p / T².
    pub(super) fn sparsity(&self) -> Result<Tensor> {
        let treatments = self.sizes().treatments;
        let probabilities = match self.config().mask {
            MaskParameters::Logits => sigmoid(&self.mask)?,
            MaskParameters::Probabilities => self.mask.clamp(0.0f32, 1.0f32)?,
        };
        probabilities.sum_all()? * (self.config().lambda / (treatments * treatments) as f64)
    }

    /// γ · mean |D·S − target| over cells and measured treatments, S = A + A²/T + … of the logits A.
    pub(super) fn alignment(&self, batch: &Batch) -> Result<Tensor> {
        let config = self.config();
        if batch.measured_treatments == 0 || config.gamma == 0.0 {
            return Tensor::zeros((), self.mask.dtype(), self.mask.device());
        }
        let (device, treatments) = (self.parameters().device(), self.sizes().treatments);
        let mut chosen = vec![0.0f32; batch.conditions.len() * treatments];
        for (row, condition) in batch.conditions.iter().enumerate() {
            condition.iter().for_each(|&treatment| chosen[row * treatments + treatment as usize] = 1.0);
        }
        let chosen = Tensor::from_vec(chosen, (batch.conditions.len(), treatments), device)?;
        let cells = batch.len();
        let targets = Tensor::from_slice(&batch.shift_targets, (cells, treatments), device)?;
        let logits = match config.mask {
            MaskParameters::Logits => self.mask.clone(),
            MaskParameters::Probabilities => {
                let p = self.mask.clamp(EPSILON, 1.0 - EPSILON)?;
                (p.log()? - p.affine(-1.0, 1.0)?.log()?)?
            }
        };
        let sum = self.sum_of_powers(chosen.matmul(&logits)?, &logits)?;
        let measured = Tensor::from_slice(&batch.treatment_measured, (1, treatments), device)?;
        let condition_of_cell = Tensor::from_slice(&batch.condition_of_cell, cells, device)?;
        let difference = (sum.index_select(&condition_of_cell, 0)? - targets)?;
        // |difference|, with a gradient of 0 where it is 0: many are at first, where the mask starts at its targets.
        let distance = (difference.relu()? + difference.neg()?.relu()?)?;
        let total = distance.broadcast_mul(&measured)?.sum_all()?;
        total * (config.gamma / (cells * batch.measured_treatments) as f64)
    }

    /// `first` · (1 + A/T + A²/T² + …) up to K extra hops.
    fn sum_of_powers(&self, first: Tensor, a: &Tensor) -> Result<Tensor> {
        let scale = 1.0 / self.sizes().treatments as f64;
        let (mut term, mut sum) = (first.clone(), first);
        for _ in 0..self.config().alignment_hops() {
            term = (term.matmul(a)? * scale)?;
            sum = (sum + &term)?;
        }
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_probabilities_go_back_and_forth() {
        for kind in MaskParameters::ALL {
            assert_eq!(logit_of(kind, first_value(kind)), 0.0);
            for probability in [0.01f32, 0.3, 0.5, 0.98] {
                let logit = logit_of(kind, parameter_of(kind, probability));
                assert!((1.0 / (1.0 + (-logit).exp()) - probability).abs() < 1e-6, "{kind:?} {probability}");
            }
            for (bound, sign) in [(0.0, -1.0), (1.0, 1.0)] {
                let logit = f64::from(logit_of(kind, parameter_of(kind, bound)));
                assert!((logit * sign - LARGEST_LOGIT).abs() < 0.01, "{kind:?}: {logit}");
            }
        }
    }
}
