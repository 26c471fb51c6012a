//! Expected log-expression under a count distribution, computed rather than sampled.
//!
//! An effect is a difference of means of log2(10,000·x/Σx + 1). Sampling counts adds noise that is larger than most
//! effects at a few hundred counts per cell; summing over the distribution of each count removes it (Rao–Blackwell).
//! The total Σx is taken at its given library size.

use rayon::prelude::*;
use statrs::function::gamma::{digamma, ln_gamma};

/// Above this mean a negative binomial is as good as the gamma distribution behind it.
const LARGE_MEAN: f64 = 1000.0;
/// Mass left out at each end of the sum.
const NEGLIGIBLE: f64 = 1e-9;

/// The distribution of one count.
#[derive(Clone, Copy, Debug)]
pub enum CountDistribution {
    /// Gamma–Poisson of this mean and concentration (variance mean + mean²/concentration).
    NegativeBinomial {
        /// Mean.
        mean: f64,
        /// Inverse dispersion.
        concentration: f64,
    },
    /// Poisson of this rate.
    Poisson {
        /// Mean and variance.
        rate: f64,
    },
}

/// log2(10,000·k/library + 1) for k = 0, 1, 2, …, kept for reuse across the genes of a cell.
pub struct LogTable {
    scale: f64,
    values: Vec<f64>,
}

impl LogTable {
    /// For a cell of this library size.
    pub fn new(library: f64) -> Self {
        Self { scale: 1e4 / library, values: vec![0.0] }
    }

    fn at(&mut self, count: usize) -> f64 {
        while self.values.len() <= count {
            self.values.push((self.values.len() as f64 * self.scale).ln_1p() * std::f64::consts::LOG2_E);
        }
        self.values[count]
    }
}

impl CountDistribution {
    fn mean(self) -> f64 {
        match self {
            Self::NegativeBinomial { mean, .. } => mean,
            Self::Poisson { rate } => rate,
        }
    }

    /// p(k + 1) / p(k).
    fn ratio(self, k: f64) -> f64 {
        match self {
            Self::NegativeBinomial { mean, concentration } => {
                (k + concentration) / (k + 1.0) * mean / (mean + concentration)
            }
            Self::Poisson { rate } => rate / (k + 1.0),
        }
    }

    fn ln_probability(self, k: f64) -> f64 {
        match self {
            Self::NegativeBinomial { mean, concentration: c } => {
                let combinations = match k {
                    0.0 => 0.0,
                    k => ln_gamma(k + c) - ln_gamma(c) - ln_gamma(k + 1.0),
                };
                combinations - c * (mean / c).ln_1p() + if k > 0.0 { k * (mean / (mean + c)).ln() } else { 0.0 }
            }
            Self::Poisson { rate } => k * rate.ln() - rate - ln_gamma(k + 1.0),
        }
    }

    /// E\[log2(10,000·x/library + 1)\].
    pub fn expected_log(self, table: &mut LogTable) -> f64 {
        let mean = self.mean();
        if mean.is_nan() || mean <= 0.0 {
            return 0.0;
        }
        if mean > LARGE_MEAN {
            let spread = match self {
                Self::NegativeBinomial { concentration: c, .. } => digamma(c) - c.ln(),
                Self::Poisson { .. } => 0.0,
            };
            return (mean * table.scale + 1.0).ln().max(0.0) * std::f64::consts::LOG2_E
                + spread * std::f64::consts::LOG2_E;
        }
        // From the middle outwards, so that nothing underflows.
        let middle = if mean < 20.0 { 0 } else { mean as usize };
        let start = self.ln_probability(middle as f64).exp();
        let mut sum = start * table.at(middle);
        let (mut probability, mut k) = (start, middle);
        loop {
            probability *= self.ratio(k as f64);
            k += 1;
            sum += probability * table.at(k);
            if k as f64 > mean && probability * (k as f64) < NEGLIGIBLE {
                break;
            }
        }
        probability = start;
        for k in (0..middle).rev() {
            probability /= self.ratio(k as f64);
            sum += probability * table.at(k);
            if probability * mean < NEGLIGIBLE {
                break;
            }
        }
        sum
    }
}

/// Expected log-expression of one gene at one library size as a function of ln mean, tabulated: a prediction asks for it
/// once per state and gene.
pub struct Curve {
    values: Vec<f64>,
}

/// Below this mean the expectation is proportional to the mean.
const LOWEST_LN_MEAN: f64 = -9.0;
const STEP: f64 = 0.25;
/// Between ln concentrations at which curves are summed, and how far they reach: beyond, a gene is all noise or none.
const LOG_STEP: f64 = 0.125;
const LOG_CONCENTRATIONS: [f64; 2] = [-5.0, 12.0];

impl Curve {
    /// For a negative binomial of this concentration and the table of its library; means reach up to the library size.
    pub fn new(concentration: f64, library: f64, table: &mut LogTable) -> Self {
        let highest = library.max(1.0).ln();
        // One point beyond each end for the cubic.
        let points = ((highest - LOWEST_LN_MEAN) / STEP).ceil() as usize + 4;
        let at = |point: usize| {
            let mean = (LOWEST_LN_MEAN + (point as f64 - 1.0) * STEP).exp();
            CountDistribution::NegativeBinomial { mean, concentration }.expected_log(table)
        };
        Self { values: (0..points).map(at).collect() }
    }

    /// Curves of thousands of genes, by gene and library. The expectation is smooth in ln concentration, too: it is summed at
    /// evenly spaced ones and interpolated between them, which takes a moment instead of minutes.
    pub fn of_genes(log_concentrations: &[f32], libraries: &[f64]) -> Vec<Vec<Self>> {
        let bounded = |log: f32| f64::from(log).clamp(LOG_CONCENTRATIONS[0], LOG_CONCENTRATIONS[1]);
        let finite = || log_concentrations.iter().filter(|log| !log.is_nan()).map(|log| bounded(*log));
        let lowest = finite().fold(f64::INFINITY, f64::min).min(LOG_CONCENTRATIONS[1]);
        let highest = finite().fold(lowest, f64::max);
        // Two points above the highest and one below the lowest for the cubic.
        let rows = ((highest - lowest) / LOG_STEP).floor() as usize + 4;
        let summed = |&library: &f64| -> Vec<Self> {
            let mut table = LogTable::new(library);
            let concentration = |row: usize| (lowest + (row as f64 - 1.0) * LOG_STEP).exp();
            (0..rows).map(|row| Self::new(concentration(row), library, &mut table)).collect()
        };
        let summed: Vec<Vec<Self>> = libraries.par_iter().map(summed).collect();
        let curve = |log: f32, rows: &[Self]| {
            let position = (bounded(log) - lowest) / LOG_STEP + 1.0;
            let row = (position as usize).clamp(1, rows.len() - 3);
            let t = position - row as f64;
            let [a, b, c, d] = [row - 1, row, row + 1, row + 2].map(|row| rows[row].values.iter());
            let values = a.zip(b).zip(c.zip(d));
            Self { values: values.map(|((a, b), (c, d))| between([*a, *b, *c, *d], t)).collect() }
        };
        log_concentrations.par_iter().map(|&log| summed.iter().map(|rows| curve(log, rows)).collect()).collect()
    }

    /// E\[log2(10,000·x/library + 1)\] at a mean, by cubic interpolation.
    pub fn at(&self, ln_mean: f64) -> f64 {
        if ln_mean.is_nan() {
            return f64::NAN;
        }
        if ln_mean < LOWEST_LN_MEAN {
            return self.values[1] * (ln_mean - LOWEST_LN_MEAN).exp();
        }
        let position = (ln_mean - LOWEST_LN_MEAN) / STEP + 1.0;
        let point = (position as usize).min(self.values.len() - 3);
        let t = position - point as f64;
        between([point - 1, point, point + 1, point + 2].map(|point| self.values[point]), t)
    }
}

/// Between the middle two of four evenly spaced values, by the share `t` of their distance (Catmull and Rom).
fn between([a, b, c, d]: [f64; 4], t: f64) -> f64 {
    b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, Gamma, Poisson};

    use super::*;

    #[test]
    fn it_is_the_mean_of_many_samples() {
        let mut random = crate::random::stream(5, "expectation");
        for (mean, concentration, library) in
            [(0.3, 0.5, 150.0), (5.0, 2.0, 2500.0), (60.0, 3.0, 2500.0), (900.0, 40.0, 1e4)]
        {
            let gamma = Gamma::new(concentration, mean / concentration).unwrap();
            let samples = 200_000;
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..samples {
                let rate: f64 = gamma.sample(&mut random);
                let count: f64 = if rate > 1e-12 { Poisson::new(rate).unwrap().sample(&mut random) } else { 0.0 };
                let value = (1e4 * count / library + 1.0).log2();
                sum += value;
                squares += value * value;
            }
            let sampled = sum / f64::from(samples);
            let error = ((squares / f64::from(samples) - sampled * sampled) / f64::from(samples)).sqrt();
            let found =
                CountDistribution::NegativeBinomial { mean, concentration }.expected_log(&mut LogTable::new(library));
            assert!((found - sampled).abs() < 5.0 * error, "mean {mean}: {found}, sampled {sampled} ± {error}");
        }
    }

    #[test]
    fn the_curve_is_the_sum() {
        for (concentration, library) in [(0.2, 150.0), (1.0, 2500.0), (30.0, 1e4)] {
            let curve = Curve::new(concentration, library, &mut LogTable::new(library));
            for mean in [1e-6f64, 1e-3, 0.017, 0.3, 1.0, 7.7, 55.0, library * 0.9] {
                let exact = CountDistribution::NegativeBinomial { mean, concentration }
                    .expected_log(&mut LogTable::new(library));
                let found = curve.at(mean.ln());
                assert!((found - exact).abs() < 2e-3 * exact.max(0.05), "{mean} {concentration}: {found}, {exact}");
            }
        }
    }

    #[test]
    fn curves_between_concentrations_are_those_of_the_sum() {
        let (logs, libraries) = ([-1.37f32, 0.0, 0.06, 0.71, 2.9, 40.0, f32::NAN], [900.0, 4000.0]);
        let curves = Curve::of_genes(&logs, &libraries);
        for (log, curves) in logs.iter().zip(&curves) {
            for (library, curve) in libraries.iter().zip(curves) {
                if log.is_nan() {
                    assert!(curve.at(0.0).is_nan());
                    continue;
                }
                let concentration = f64::from(log.min(12.0)).exp();
                let exact = Curve::new(concentration, *library, &mut LogTable::new(*library));
                for mean in [0.01f64, 0.3, 2.0, 17.0, 160.0] {
                    let (found, exact) = (curve.at(mean.ln()), exact.at(mean.ln()));
                    assert!((found - exact).abs() < 5e-5 * exact.max(0.1), "{mean} {log}: {found}, {exact}");
                }
            }
        }
        assert_eq!(Curve::of_genes(&[0.5], &libraries)[0].len(), 2);
        assert!(Curve::of_genes(&[], &libraries).is_empty());
    }

    #[test]
    fn the_large_mean_form_joins_the_sum() {
        let at = |mean| {
            CountDistribution::NegativeBinomial { mean, concentration: 5.0 }.expected_log(&mut LogTable::new(1e4))
        };
        assert!((at(LARGE_MEAN * 1.0001) - at(LARGE_MEAN * 0.9999)).abs() < 0.01);
        let poisson = |rate| CountDistribution::Poisson { rate }.expected_log(&mut LogTable::new(1e4));
        assert!((poisson(LARGE_MEAN * 1.0001) - poisson(LARGE_MEAN * 0.9999)).abs() < 0.01);
    }
}
