//! Choices of how the model is built, each with the published one as its default.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

/// The distribution of counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likelihood {
    /// Gamma–Poisson with mean = library size × softmax(decoder).
    #[default]
    LibraryNegativeBinomial,
    /// Poisson with rate softplus(decoder).
    Poisson,
    /// Normal, mean and variance exp(·) + 1e-4 from two heads of the decoder. Of raw counts it is a rough picture: it knows
    /// neither library sizes nor that a count is no less than 0.
    Normal,
}

impl Likelihood {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::LibraryNegativeBinomial, Self::Poisson, Self::Normal];

    /// What the user reads: `Negative binomial`.
    pub fn label(self) -> &'static str {
        match self {
            Self::LibraryNegativeBinomial => "Negative binomial",
            Self::Poisson => "Poisson",
            Self::Normal => "Normal",
        }
    }
}

/// What the encoder of the basal state reads of the counts x. Means and standard deviations are those of the training cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputScale {
    /// (log(1 + x) − mean) / standard deviation.
    #[default]
    LogStandardise,
    /// (x − mean) / standard deviation.
    Standardise,
    /// The counts as they are.
    None,
}

/// What the network A is aligned with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alignment {
    /// |ΔX| − fc of every cell against its matched control cell (as published).
    #[default]
    Cells,
    /// The direct part of the perturbation's mean shift in standard errors, as a logit that is 0 at two of them; the mask starts
    /// there. Without hops: they are taken out of the shifts instead.
    DirectShifts,
}

impl Alignment {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Cells, Self::DirectShifts];

    /// What the user reads: `Direct shifts`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Cells => "Single cells",
            Self::DirectShifts => "Direct shifts",
        }
    }
}

impl InputScale {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::LogStandardise, Self::Standardise, Self::None];

    /// What the user reads: `Log-standardised`.
    pub fn label(self) -> &'static str {
        match self {
            Self::LogStandardise => "Log-standardised",
            Self::Standardise => "Standardised",
            Self::None => "Raw counts",
        }
    }

    /// What is read of a count. NaN and −∞ become 1e-6, +∞ becomes 1e6 (a gene without variation in training).
    pub fn of(self, count: f32, mean: f32, std: f32) -> f32 {
        let value = match self {
            Self::LogStandardise => (count.ln_1p() - mean) / std,
            Self::Standardise => (count - mean) / std,
            Self::None => count,
        };
        match value {
            value if value.is_nan() || value == f32::NEG_INFINITY => 1e-6,
            f32::INFINITY => 1e6,
            value => value,
        }
    }
}

/// What the parameters start from that are known before the first step: the mean expression of every gene (the bias of the decoder's
/// head), its concentration, and how widely effects are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Drawn like all others, concentrations and the spread of effects 1 (as published): the first epochs find the mean expression.
    #[default]
    Drawn,
    /// The moments over the training cells; effects with a standard deviation of 0.1.
    Moments,
}

impl Start {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Drawn, Self::Moments];

    /// What the user reads: `Moments of the data`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Drawn => "Drawn",
            Self::Moments => "Moments of the data",
        }
    }
}

/// What the parameters of the mask are. The formulas are those of the logits A either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskParameters {
    /// Logits A, at first 0.
    #[default]
    Logits,
    /// Probabilities p, at first 0.5 and kept off 0 and 1 where they are used: A = log p − log(1 − p).
    Probabilities,
}

impl MaskParameters {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Logits, Self::Probabilities];

    /// What the user reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::Logits => "Logits",
            Self::Probabilities => "Probabilities",
        }
    }

    /// The name of the parameter.
    pub(super) fn parameter(self) -> &'static str {
        match self {
            Self::Logits => "mask_logits",
            Self::Probabilities => "mask_probabilities",
        }
    }
}

/// What the model answers for a gene that no training cell was perturbed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unseen {
    /// What its own parameters say, which no cell has taught (as published).
    #[default]
    Learned,
    /// A weighted sum of the effects of genes that were perturbed: of all alike, and the more of those that respond as it does. Every
    /// measured gene can be asked about.
    Transferred,
}

impl Unseen {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Learned, Self::Transferred];

    /// What the user reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::Learned => "Own parameters",
            Self::Transferred => "From seen perturbations",
        }
    }
}

/// How large effects on single genes are taken to be before any data; tails fall with the square either way, so that large effects are
/// hardly drawn to 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GeneEffectsPrior {
    /// Flat about 0: −log p = log(1 + (x/s)²) and a constant. Small effects are kept, with the noise in them.
    #[default]
    Cauchy,
    /// Peaked at 0: −log p = 2·log(1 + |x|/s) and a constant, the generalised double Pareto of shape 1 (Armagan, Dunson and Lee 2013). What
    /// the cells do not show clearly is drawn to 0.
    DoublePareto,
}

/// Of the scale: up to about here |x| is x²/2, for a slope at 0 (√(x² + ε²) − ε in place of |x|).
const ROUNDED: f64 = 0.02;

impl GeneEffectsPrior {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Cauchy, Self::DoublePareto];

    /// What the user reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::Cauchy => "Flat about 0",
            Self::DoublePareto => "Peaked at 0",
        }
    }

    /// In a sentence: `Cauchy prior`.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Cauchy => "Cauchy prior",
            Self::DoublePareto => "generalised double Pareto prior",
        }
    }

    /// −log of the density at `x`, less its constant.
    #[inline(always)]
    pub(super) fn cost(self, x: f32, scale: f64) -> f64 {
        match self {
            Self::Cauchy => {
                let squared = (scale * scale) as f32;
                f64::from(x * x / squared).ln_1p()
            }
            Self::DoublePareto => {
                let rounded = (ROUNDED * scale) as f32;
                2.0 * f64::from(((x * x + rounded * rounded).sqrt() - rounded) / scale as f32).ln_1p()
            }
        }
    }

    /// Its derivative.
    #[inline(always)]
    pub(super) fn slope(self, x: f32, scale: f64) -> f32 {
        match self {
            Self::Cauchy => {
                let squared = (scale * scale) as f32;
                2.0 * x / (squared + x * x)
            }
            Self::DoublePareto => {
                let (scale, rounded) = (scale as f32, (ROUNDED * scale) as f32);
                let root = (x * x + rounded * rounded).sqrt();
                2.0 * x / (root * (scale + root - rounded))
            }
        }
    }

    /// Σ of the cost over each row, by the tensor library's operations: T' × G to T'.
    pub(super) fn costs(self, rows: &Tensor, scale: f64) -> Result<Tensor> {
        let logs = match self {
            Self::Cauchy => ((rows.sqr()? * scale.powi(-2))? + 1.0)?.log()?,
            Self::DoublePareto => {
                let rounded = ROUNDED * scale;
                let size = ((rows.sqr()? + rounded * rounded)?.sqrt()? - rounded)?;
                (((size * scale.recip())? + 1.0)?.log()? * 2.0)?
            }
        };
        logs.sum(1)
    }
}

/// What a cell is taken for that carries a guide but looks like a control cell ([`crate::preprocess::escape`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Escaped {
    /// A perturbed cell like all others (as published): the effect that is learned is that of the mixture.
    #[default]
    Counted,
    /// A control cell, so that the effect is that of cells that respond; the response of a perturbation is that of its mixture of both.
    ToldApart,
}

impl Escaped {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Counted, Self::ToldApart];

    /// What the user reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::Counted => "Perturbed like all",
            Self::ToldApart => "Told apart",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_priors_of_gene_effects_have_their_slopes_and_shapes() {
        for prior in GeneEffectsPrior::ALL {
            let cost = |x: f32| prior.cost(x, 0.4);
            assert_eq!((cost(0.0), prior.slope(0.0, 0.4)), (0.0, 0.0));
            for x in [-3.0f32, -0.3, -0.004, 0.001, 0.02, 0.5, 2.5] {
                let step = 1e-3 * x.abs();
                let slope = (cost(x + step) - cost(x - step)) / f64::from(2.0 * step);
                let found = f64::from(prior.slope(x, 0.4));
                assert!((slope - found).abs() < 0.02 * slope.abs() + 1e-3, "{prior:?} at {x}: {found}, {slope}");
                assert_eq!(cost(x), cost(-x));
            }
            // Tails fall with the square: ten times as far costs 2·ln 10.
            assert!((cost(4e4) - cost(4e3) - 2.0 * 10f64.ln()).abs() < 1e-3);
            let rows = [[0.3f32, -1.2, 0.0], [0.01, 0.0, 5.0]];
            let tensor = Tensor::new(&rows, &candle_core::Device::Cpu).unwrap();
            let sums: Vec<f32> = prior.costs(&tensor, 0.4).unwrap().to_vec1().unwrap();
            for (sum, row) in sums.iter().zip(rows) {
                let expected: f64 = row.iter().map(|x| cost(*x)).sum();
                assert!((f64::from(*sum) - expected).abs() < 1e-4 * expected, "{prior:?}");
            }
        }
        let small = |prior: GeneEffectsPrior| prior.cost(0.05, 0.4);
        assert!(small(GeneEffectsPrior::DoublePareto) > 5.0 * small(GeneEffectsPrior::Cauchy), "peaked at 0");
    }

    #[test]
    fn the_input_is_scaled_as_asked_and_never_infinite() {
        assert_eq!(InputScale::LogStandardise.of(0.0, 0.5, 0.25), -2.0);
        assert_eq!(InputScale::Standardise.of(3.0, 2.0, 0.5), 2.0);
        assert_eq!(InputScale::None.of(7.0, 2.0, 0.5), 7.0);
        for scale in [InputScale::LogStandardise, InputScale::Standardise] {
            assert_eq!(scale.of(0.0, 0.0, 0.0), 1e-6, "a gene without counts");
            assert_eq!(scale.of(1.0, 0.0, 0.0), 1e6, "one that only test cells have");
            assert_eq!(scale.of(0.0, 1.0, 0.0), 1e-6);
        }
    }
}
