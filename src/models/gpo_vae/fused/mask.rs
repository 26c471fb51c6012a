//! What the step needs of the mask beside its parameters: logits, prior, and the way back from the logits.

use super::super::mask::{EPSILON, log_odds, logit_of};
use crate::models::gpo_vae::{GpoVaeConfig, MaskParameters};
use crate::models::nn::dense::room;
use crate::models::nn::vector;

/// log π − log(1 − π) and log(1 − π) of the prior π of a mask's entries.
pub(super) enum MaskPrior {
    /// The same for all.
    Same(f32, f32),
    /// By entry, T × T.
    Each(Vec<(f32, f32)>),
}

impl MaskPrior {
    /// Of the settings, or of `priors` for single entries.
    pub fn new(config: &GpoVaeConfig, priors: Option<&[f32]>) -> Self {
        match priors {
            None => {
                let (odds, complement) = log_odds(config.mask_prior);
                Self::Same(odds, complement)
            }
            Some(priors) => Self::Each(priors.iter().map(|&prior| log_odds(f64::from(prior))).collect()),
        }
    }
}

/// The logits of `parameters`, in `scratch` where they are not the parameters themselves.
pub(super) fn logits_of<'a>(kind: MaskParameters, scratch: &'a mut Vec<f32>, parameters: &'a [f32]) -> &'a [f32] {
    if kind == MaskParameters::Logits {
        return parameters;
    }
    let logits = room(scratch, parameters.len());
    logits.iter_mut().zip(parameters).for_each(|(logit, &value)| *logit = logit_of(kind, value));
    logits
}

/// Let `of` add to the gradient by the logits, and carry it on to that by the parameters.
pub(super) fn through_logits(
    kind: MaskParameters,
    scratch: &mut Vec<f32>,
    parameters: &[f32],
    gradient: &mut [f32],
    of: impl FnOnce(&mut [f32]),
) {
    if kind == MaskParameters::Logits {
        return of(gradient);
    }
    let by_logits = room(scratch, parameters.len());
    by_logits.fill(0.0);
    of(by_logits);
    for ((gradient, by_logit), &p) in gradient.iter_mut().zip(by_logits).zip(parameters) {
        let inside = (EPSILON..=1.0 - EPSILON).contains(&p);
        *gradient += if inside { *by_logit / (p * (1.0 - p)) } else { 0.0 };
    }
}

/// Σ p, and with `learn` `scale` times its gradient by the parameters.
pub(super) fn sparsity(kind: MaskParameters, parameters: &[f32], scale: f32, learn: Option<&mut [f32]>) -> f64 {
    match kind {
        MaskParameters::Logits => {
            if let Some(gradient) = learn {
                for (gradient, &logit) in gradient.iter_mut().zip(parameters) {
                    let share = vector::sigmoid(logit);
                    *gradient += scale * share * (1.0 - share);
                }
            }
            parameters.iter().map(|&logit| f64::from(vector::sigmoid(logit))).sum()
        }
        MaskParameters::Probabilities => {
            if let Some(gradient) = learn {
                for (gradient, &p) in gradient.iter_mut().zip(parameters) {
                    *gradient += if p > 0.0 && p <= 1.0 { scale } else { 0.0 };
                }
            }
            parameters.iter().map(|&p| f64::from(p.clamp(0.0, 1.0))).sum()
        }
    }
}
