//! First values of parameters that are known before the first step.
//!
//! The mean expression of the genes spans several natural logarithms, and every step of Adam moves a parameter by about the learning
//! rate: drawn at random, most of the first epochs go into finding it.

use candle_core::{Result, Tensor};

use super::Sizes;
use super::network::{GENE_EFFECTS, GpoVae};
use super::variants::Likelihood;
use crate::models::nn::normal::VARIANCE_FLOOR;

/// Concentrations start within these: beyond, moments say nothing.
const CONCENTRATIONS: [f64; 2] = [0.05, 100.0];
/// Standard deviation of the posterior of E at first. All cells of a perturbation tell of its effect together, so that it ends narrow;
/// drawn at random it begins at 1, and is noise in all that the first epochs learn of effects.
const EFFECT_SPREAD: f64 = 0.1;
/// Counts added to the sum of each gene: one that no cell shows is not impossible.
const ADDED: f64 = 0.5;

/// Moments of the counts of the training cells.
pub struct CountMoments<'a> {
    /// Mean of the counts of each gene.
    pub mean: &'a [f32],
    /// Their standard deviation.
    pub std: &'a [f32],
    /// Library sizes.
    pub libraries: &'a [f32],
    /// What treatments do to the gene that they perturb: its share of the counts over that in control cells.
    pub own_effects: &'a [OwnEffect],
}

/// What a treatment does to the gene that it perturbs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OwnEffect {
    /// Position of the treatment.
    pub treatment: usize,
    /// The gene's column.
    pub column: usize,
    /// ln of its fold change.
    pub log_fold: f32,
}

impl CountMoments<'_> {
    /// Share of each gene in the counts, at least a little.
    fn shares(&self) -> Vec<f64> {
        let cells = self.libraries.len().max(1) as f64;
        let shown: Vec<f64> = self.mean.iter().map(|&mean| f64::from(mean) + ADDED / cells).collect();
        let total: f64 = shown.iter().sum();
        shown.into_iter().map(|mean| mean / total).collect()
    }

    /// Concentration c of each gene: with x of mean ℓ·f and variance ℓ·f + (ℓ·f)²/c at library size ℓ,
    /// Var x = f·E ℓ + f²·E ℓ²/c + f²·Var ℓ.
    fn concentrations(&self) -> Vec<f64> {
        let cells = self.libraries.len().max(1) as f64;
        let mean_library = self.libraries.iter().map(|&size| f64::from(size)).sum::<f64>() / cells;
        let squares = self.libraries.iter().map(|&size| f64::from(size).powi(2)).sum::<f64>() / cells;
        let variance = (squares - mean_library * mean_library).max(0.0);
        let of = |(&mean, &std): (&f32, &f32)| {
            let (mean, std) = (f64::from(mean), f64::from(std));
            let share = mean / mean_library.max(1e-9);
            let beyond = std * std - mean - share * share * variance;
            let c = share * share * squares / beyond.max(1e-12);
            if c.is_finite() && mean > 0.0 { c.clamp(CONCENTRATIONS[0], CONCENTRATIONS[1]) } else { 1.0 }
        };
        self.mean.iter().zip(self.std).map(of).collect()
    }
}

impl GpoVae {
    /// Start from these moments: the bias of the decoder's head becomes what decodes to the mean expression, the concentrations
    /// those of the spread around it, and effects are drawn narrowly around their means.
    ///
    /// # Errors
    /// If there are not G means.
    pub fn start_from(&self, moments: &CountMoments<'_>) -> Result<()> {
        let genes = self.sizes().genes;
        let set = |name: &str, values: Vec<f64>| {
            let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
            let count = values.len();
            self.parameters().set(name, &Tensor::from_vec(values, count, self.parameters().device())?)
        };
        set("effect_encoder.log_variance.bias", vec![2.0 * EFFECT_SPREAD.ln(); self.sizes().treatments])?;
        let bias = "decoder.head.bias";
        let logarithms = |values: Vec<f64>| values.into_iter().map(f64::ln).collect();
        match self.config().likelihood {
            Likelihood::LibraryNegativeBinomial => {
                // Around 0, as drawn ones are.
                let logs: Vec<f64> = logarithms(moments.shares());
                let middle = logs.iter().sum::<f64>() / genes.max(1) as f64;
                set(bias, logs.into_iter().map(|log| log - middle).collect())?;
                self.start_own_effects(moments.own_effects)?;
                set("log_concentration", logarithms(moments.concentrations()))
            }
            // What softplus makes the mean.
            Likelihood::Poisson => {
                let inverse = |&mean: &f32| {
                    let mean = f64::from(mean).max(1e-3);
                    mean + (-(-mean).exp()).ln_1p()
                };
                set(bias, moments.mean.iter().map(inverse).collect())
            }
            Likelihood::Normal => {
                set(bias, moments.mean.iter().map(|&mean| f64::from(mean)).collect())?;
                let log = |&std: &f32| (f64::from(std).powi(2) - f64::from(VARIANCE_FLOOR)).max(1e-4).ln();
                set("decoder.log_variance.bias", moments.std.iter().map(log).collect())
            }
        }
    }

    /// The largest effects of all are those on the perturbed genes themselves; they are measured, and steps take long to get there.
    fn start_own_effects(&self, own_effects: &[OwnEffect]) -> Result<()> {
        let Sizes { genes, treatments } = self.sizes();
        let has_effects = self.config().gene_effects > 0.0;
        let fit = |own: &&OwnEffect| own.treatment < treatments && own.column < genes && own.log_fold.is_finite();
        let mut effects = vec![0.0f32; treatments * genes];
        for own in own_effects.iter().filter(fit).filter(|_| has_effects) {
            effects[own.treatment * genes + own.column] = own.log_fold;
        }
        match has_effects {
            true => {
                let effects = Tensor::from_vec(effects, (treatments, genes), self.parameters().device())?;
                self.parameters().set(GENE_EFFECTS, &effects)
            }
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use rand_distr::{Distribution as _, Gamma, LogNormal, Poisson};

    use super::super::{GpoVaeConfig, Start};
    use super::*;
    use crate::models::nn::parameters::Source;
    use crate::random;

    /// Counts of cells from shares and concentrations, and their moments: mean, standard deviation, library sizes.
    fn drawn(shares: &[f64], concentrations: &[f64], cells: usize) -> [Vec<f32>; 3] {
        let mut random = random::stream(4, "counts");
        let sizes = LogNormal::new(6.0, 0.4).unwrap();
        let mut counts = vec![Vec::with_capacity(cells); shares.len()];
        let mut libraries = Vec::with_capacity(cells);
        for _ in 0..cells {
            let library: f64 = sizes.sample(&mut random);
            for ((gene, &share), &c) in counts.iter_mut().zip(shares).zip(concentrations) {
                let rate = Gamma::new(c, library * share / c).unwrap().sample(&mut random);
                gene.push(if rate > 1e-9 { Poisson::new(rate).unwrap().sample(&mut random) } else { 0.0 });
            }
            libraries.push(library as f32);
        }
        let mean = |counts: &Vec<f64>| counts.iter().sum::<f64>() / cells as f64;
        let std = |counts: &Vec<f64>| {
            let mean = mean(counts);
            (counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / (cells - 1) as f64).sqrt() as f32
        };
        [counts.iter().map(|counts| mean(counts) as f32).collect(), counts.iter().map(std).collect(), libraries]
    }

    #[test]
    fn moments_give_back_shares_and_concentrations() {
        let (shares, concentrations) = ([0.5, 0.3, 0.15, 0.05], [0.4, 1.0, 4.0, 20.0]);
        let [mean, std, libraries] = drawn(&shares, &concentrations, 20_000);
        let moments = CountMoments { mean: &mean, std: &std, libraries: &libraries, own_effects: &[] };
        for (found, is) in moments.shares().iter().zip(shares) {
            assert!((found / is - 1.0).abs() < 0.05, "{found}, is {is}");
        }
        for (found, is) in moments.concentrations().iter().zip(concentrations) {
            assert!((found / is - 1.0).abs() < 0.35, "{found}, is {is}");
        }
        // What tells nothing stays within bounds.
        let odd = CountMoments {
            mean: &[0.0, 2.0, f32::NAN],
            std: &[0.0, 0.1, f32::NAN],
            libraries: &[10.0, 10.0],
            own_effects: &[],
        };
        assert_eq!(odd.concentrations(), [1.0, CONCENTRATIONS[1], 1.0]);
        let none = CountMoments { mean: &[0.0, 1.0], std: &[0.0, 1.0], libraries: &[], own_effects: &[] };
        assert!(none.shares().iter().all(|share| *share > 0.0) && none.concentrations().iter().all(|c| c.is_finite()));
    }

    #[test]
    fn a_model_starts_with_the_mean_expression() {
        let shares = [0.6, 0.25, 0.1, 0.05];
        let [mean, std, libraries] = drawn(&shares, &[2.0; 4], 4_000);
        let moments = CountMoments { mean: &mean, std: &std, libraries: &libraries, own_effects: &[] };
        for likelihood in [Likelihood::LibraryNegativeBinomial, Likelihood::Poisson, Likelihood::Normal] {
            let config = GpoVaeConfig { likelihood, start: Start::Moments, latent: 4, ..GpoVaeConfig::default() };
            let source = Source::Random(Box::new(random::stream(2, "model")));
            let model = GpoVae::new(Sizes { genes: 4, treatments: 3 }, &config, source, &Device::Cpu).unwrap();
            model.start_from(&moments).unwrap();
            let value = |name: &str| -> Vec<f32> {
                let (_, var) = model.parameters().iter().find(|(known, _)| *known == name).unwrap();
                var.to_vec1().unwrap()
            };
            let bias = value("decoder.head.bias");
            let spread = value("effect_encoder.log_variance.bias");
            assert!(spread.iter().all(|log| ((log / 2.0).exp() - 0.1).abs() < 1e-6));
            match likelihood {
                Likelihood::LibraryNegativeBinomial => {
                    let sum: f32 = bias.iter().map(|bias| bias.exp()).sum();
                    let found = bias.iter().map(|bias| f64::from(bias.exp() / sum));
                    assert!(found.zip(shares).all(|(found, share)| (found / share - 1.0).abs() < 0.1));
                    assert!(value("log_concentration").iter().all(|log| (f64::from(*log) - 2f64.ln()).abs() < 0.5));
                }
                Likelihood::Poisson => {
                    let rate = |bias: &f32| crate::models::nn::counts::poisson_rate(*bias) as f32;
                    assert!(bias.iter().map(rate).zip(&mean).all(|(rate, mean)| (rate / mean - 1.0).abs() < 1e-3));
                }
                Likelihood::Normal => {
                    assert_eq!(bias, mean);
                    let variances = value("decoder.log_variance.bias");
                    assert!(variances.iter().zip(&std).all(|(log, std)| (log.exp() / (std * std) - 1.0).abs() < 1e-2));
                }
            }
        }
        let own_effects = [OwnEffect { treatment: 1, column: 2, log_fold: -1.5 }];
        let moments = CountMoments { own_effects: &own_effects, ..moments };
        for gene_effects in [0.0, 0.3] {
            let config = GpoVaeConfig { gene_effects, latent: 4, ..GpoVaeConfig::default() };
            let source = Source::Random(Box::new(random::stream(2, "model")));
            let model = GpoVae::new(Sizes { genes: 4, treatments: 3 }, &config, source, &Device::Cpu).unwrap();
            model.start_from(&moments).unwrap();
            let effects = model.parameters().iter().find(|(name, _)| *name == GENE_EFFECTS);
            assert_eq!(effects.is_some(), gene_effects > 0.0);
            if let Some((_, effects)) = effects {
                let rows: Vec<Vec<f32>> = effects.to_vec2().unwrap();
                assert_eq!(rows, [[0.0; 4], [0.0, 0.0, -1.5, 0.0], [0.0; 4]]);
            }
        }
        let config = GpoVaeConfig::default();
        let source = Source::Random(Box::new(random::stream(2, "model")));
        let model = GpoVae::new(Sizes { genes: 5, treatments: 3 }, &config, source, &Device::Cpu).unwrap();
        assert!(model.start_from(&moments).is_err(), "moments of other genes");
    }
}
