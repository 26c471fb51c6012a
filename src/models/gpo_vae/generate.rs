//! Cells drawn from the model: states, masks and effects from their distributions, counts from the likelihood.

use candle_core::Result;
use rand::RngExt as _;
use rand_distr::{Distribution as _, Gamma, Poisson, StandardNormal};
use rayon::prelude::*;

use super::network::GpoVae;
use super::predict::{add_to_rows, added};
use super::variants::Likelihood;
use crate::models::nn::counts::{MEAN_FLOOR, RATE_FLOOR, poisson_rate};
use crate::models::nn::normal::{LARGEST_LOG, VARIANCE_FLOOR};
use crate::models::nn::parameters::normal;
use crate::random::{self, Rng};

/// Above this mean a count is drawn from a Gamma–Poisson mixture; below, by summing probabilities.
const LARGE_MEAN: f64 = 64.0;

impl GpoVae {
    /// Counts of cells that pass quality control (the good branch), one for each of `libraries` (their library sizes, which only
    /// the negative binomial reads): cells × genes. Of normal distributions draws are rounded to counts. Treatments (positions)
    /// are applied at doses, and `beside` is added to the decoder's output of every gene, where it is not empty; z, E, M and the counts are drawn anew for every cell.
    ///
    /// The same for the same `seed` and `name`, whatever the number of threads.
    ///
    /// # Errors
    /// If the arithmetic fails.
    pub fn generate(
        &self,
        doses: &[(usize, f32)],
        beside: &[f32],
        libraries: &[f32],
        seed: u64,
        name: &str,
    ) -> Result<Vec<f32>> {
        let (device, cells) = (self.parameters().device(), libraries.len());
        let mut random = random::stream(seed, &format!("{name}: states"));
        let mut entering = self.decoder_start(&normal(&mut random, (cells, self.config().latent), device)?)?;
        for &(treatment, dose) in doses {
            let mut random = random::stream(seed, &format!("{name}: treatment {treatment}"));
            let effect = self.drawn_effect(treatment, cells, &mut random)?;
            entering = (entering + (self.decoder_offset(&effect)? * f64::from(dose))?)?;
        }
        let mut counts: Vec<f32> = self.decode_from(&entering)?.flatten_all()?.to_vec1()?;
        add_to_rows(&mut counts, &added(self.gene_effects(doses)?, beside));
        let log_variances: Vec<f32> = match self.decode_log_variance_from(&entering)? {
            Some(logs) => logs.flatten_all()?.to_vec1()?,
            None => Vec::new(),
        };
        let concentration: Vec<f64> = match self.log_concentration()? {
            Some(logs) => logs.iter().map(|log| f64::from(*log).exp()).collect(),
            None => Vec::new(),
        };
        let likelihood = self.config().likelihood;
        let genes = self.sizes().genes.max(1);
        counts.par_chunks_mut(genes).zip(libraries).enumerate().for_each(|(cell, (row, library))| {
            let mut random = random::stream(seed, &format!("{name}: counts of cell {cell}"));
            match likelihood {
                Likelihood::LibraryNegativeBinomial => negative_binomials(row, &concentration, *library, &mut random),
                Likelihood::Poisson => poissons(row, &mut random),
                Likelihood::Normal => normals(row, &log_variances[cell * genes..][..genes], &mut random),
            }
        });
        Ok(counts)
    }
}

/// Decoder outputs of a cell become counts with means library × softmax.
fn negative_binomials(row: &mut [f32], concentration: &[f64], library: f32, random: &mut Rng) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = row.iter().map(|output| f64::from(output - largest).exp()).sum();
    let scale = f64::from(library) / total;
    for (value, &c) in row.iter_mut().zip(concentration) {
        let mean = f64::from(*value - largest).exp() * scale;
        // As the likelihood has it.
        let rate = (c / (mean + f64::from(MEAN_FLOOR))).max(f64::from(RATE_FLOOR));
        *value = negative_binomial(c, rate, random) as f32;
    }
}

/// A draw of the Gamma–Poisson whose Gamma has shape `c` and this rate.
fn negative_binomial(c: f64, rate: f64, random: &mut Rng) -> f64 {
    if !(c > 0.0 && rate.is_finite()) {
        return 0.0;
    }
    if c / rate > LARGE_MEAN {
        let mean = Gamma::new(c, 1.0 / rate).map_or(0.0, |gamma| gamma.sample(random));
        return poisson(mean, random);
    }
    // p(0) = (rate/(1+rate))^c, p(k) = p(k−1) · (c + k − 1)/k · 1/(1+rate).
    let odds = 1.0 / (1.0 + rate);
    by_summing((c * -(1.0 / rate).ln_1p()).exp(), |k| (c + k - 1.0) / k * odds, random)
}

fn poissons(row: &mut [f32], random: &mut Rng) {
    for value in row {
        *value = poisson(poisson_rate(*value), random) as f32;
    }
}

fn normals(row: &mut [f32], log_variances: &[f32], random: &mut Rng) {
    for (value, log) in row.iter_mut().zip(log_variances) {
        let deviation = (log.clamp(-LARGEST_LOG, LARGEST_LOG).exp() + VARIANCE_FLOOR).sqrt();
        let noise: f32 = StandardNormal.sample(random);
        *value = (*value + deviation * noise).round().max(0.0);
    }
}

fn poisson(mean: f64, random: &mut Rng) -> f64 {
    if mean > LARGE_MEAN {
        return Poisson::new(mean).map_or(0.0, |poisson| poisson.sample(random));
    }
    by_summing((-mean).exp(), |k| mean / k, random)
}

/// The count at which the sum of probabilities passes a uniform draw: `first` is p(0), `ratio` p(k) / p(k−1).
fn by_summing(first: f64, ratio: impl Fn(f64) -> f64, random: &mut Rng) -> f64 {
    let uniform: f64 = random.random();
    let (mut count, mut probability, mut sum) = (0.0, first, first);
    while sum <= uniform && (probability > f64::EPSILON * 1e-3 || sum < 0.5) {
        count += 1.0;
        probability *= ratio(count);
        sum += probability;
    }
    count
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::models::gpo_vae::{GpoVaeConfig, Sizes};
    use crate::models::nn::parameters::Source;

    const SIZES: Sizes = Sizes { genes: 30, treatments: 4 };

    fn model(likelihood: Likelihood) -> GpoVae {
        let config = GpoVaeConfig {
            likelihood,
            latent: 5,
            decoder_hidden: 8,
            basal_hidden: 6,
            embedding_hidden: 6,
            embedding_layers: 2,
            ..GpoVaeConfig::default()
        };
        let source = Source::Random(Box::new(random::stream(4, "model")));
        GpoVae::new(SIZES, &config, source, &Device::Cpu).unwrap()
    }

    #[test]
    fn counts_have_the_mean_and_variance_of_their_distribution() {
        let mut random = random::stream(1, "draws");
        for (mean, c) in [(0.02, 0.3), (1.7, 5.0), (40.0, 0.7), (63.0, 20.0), (300.0, 2.0), (5_000.0, 50.0)] {
            let draws: Vec<f64> = (0..60_000).map(|_| negative_binomial(c, c / mean, &mut random)).collect();
            let found = draws.iter().sum::<f64>() / draws.len() as f64;
            let variance = draws.iter().map(|draw| (draw - found).powi(2)).sum::<f64>() / draws.len() as f64;
            let expected = mean + mean * mean / c;
            assert!((found - mean).abs() < 5.0 * (expected / 60_000.0).sqrt(), "{mean} {c}: {found}");
            assert!((variance / expected - 1.0).abs() < 0.15, "{mean} {c}: {variance}, not {expected}");
            let draws: Vec<f64> = (0..60_000).map(|_| poisson(mean, &mut random)).collect();
            let found = draws.iter().sum::<f64>() / draws.len() as f64;
            assert!((found - mean).abs() < 5.0 * (mean / 60_000.0).sqrt(), "{mean}: {found}");
        }
        assert_eq!(negative_binomial(f64::NAN, 1.0, &mut random), 0.0);
    }

    #[test]
    fn cells_have_their_library_and_the_same_seed_gives_the_same_cells() {
        let model = model(Likelihood::LibraryNegativeBinomial);
        let libraries: Vec<f32> = (0..400).map(|cell| if cell % 2 == 0 { 500.0 } else { 2_000.0 }).collect();
        let cells = model.generate(&[(1, 1.0), (3, 0.5)], &[], &libraries, 3, "A").unwrap();
        assert!(cells.iter().all(|count| *count >= 0.0 && count.fract() == 0.0));
        let mean = |odd: usize| {
            let sums = cells.chunks(30).skip(odd).step_by(2).map(|row| row.iter().sum::<f32>());
            sums.sum::<f32>() / 200.0
        };
        assert!((mean(0) / 500.0 - 1.0).abs() < 0.15 && (mean(1) / 2_000.0 - 1.0).abs() < 0.15);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| model.generate(&[(1, 1.0), (3, 0.5)], &[], &libraries, 3, "A").unwrap())
        };
        assert!(on(1) == cells && on(3) == cells);
        assert!(model.generate(&[(1, 1.0), (3, 0.5)], &[], &libraries, 3, "B").unwrap() != cells);
        assert!(model.generate(&[], &[], &[], 3, "A").unwrap().is_empty());
        for likelihood in [Likelihood::Poisson, Likelihood::Normal] {
            let counted = self::model(likelihood).generate(&[], &[], &libraries, 3, "A").unwrap();
            assert!(counted.iter().any(|count| *count > 0.0));
            assert!(counted.iter().all(|count| *count >= 0.0 && count.fract() == 0.0));
        }
    }

    #[test]
    fn the_mean_of_generated_cells_is_what_is_predicted() {
        let model = model(Likelihood::LibraryNegativeBinomial);
        // An effect on a single gene, beside what the latent state does.
        let mut effects = vec![0.0f32; SIZES.treatments * SIZES.genes];
        effects[2 * SIZES.genes + 4] = 1.5;
        let effects = candle_core::Tensor::from_vec(effects, (SIZES.treatments, SIZES.genes), &Device::Cpu).unwrap();
        model.parameters().set("gene_effects", &effects).unwrap();
        let libraries = vec![3_000.0f32; 6_000];
        let predictor = super::super::Predictor::new(&model, &libraries, 5).unwrap();
        let lent = predictor.effect_on_means(&model, 2).unwrap();
        let all: &[(usize, f32)] = &[(2, 1.0)];
        let expression = |doses: &[(usize, f32)], beside: &[f32], name: &str| -> Vec<f64> {
            let cells = model.generate(doses, beside, &libraries, 5, name).unwrap();
            let mut sums = vec![0.0; 30];
            for row in cells.chunks(30) {
                // At the given library size, as predictions have it.
                row.iter().zip(&mut sums).for_each(|(count, sum)| *sum += (f64::from(*count) * 1e4 / 3e3 + 1.0).log2());
            }
            sums.iter().map(|sum| sum / 6_000.0).collect()
        };
        let control = expression(&[], &[], "control");
        for (gene, control) in control.iter().enumerate() {
            assert!((control - f64::from(predictor.control()[gene])).abs() < 0.25, "{gene}: {control}");
        }
        for (doses, beside, name) in [(all, &[][..], "treated"), (&[], &lent, "lent")] {
            let shifts = predictor.shifts(&model, doses, beside, &crate::jobs::Silent).unwrap();
            let largest = (0..30).max_by(|a, b| shifts[*a].total_cmp(&shifts[*b]));
            assert!(largest == Some(4) && shifts[4] > 0.6, "{name}: {shifts:?}");
            for (gene, treated) in expression(doses, beside, name).into_iter().enumerate() {
                let shift = treated - control[gene];
                let predicted = shifts[gene];
                assert!((shift - f64::from(predicted)).abs() < 0.25, "{name}, {gene}: {shift}, predicted {predicted}");
            }
        }
    }
}
