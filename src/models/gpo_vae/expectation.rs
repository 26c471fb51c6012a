//! Expected log-expression under a count distribution, computed rather than sampled.
//!
//! An effect is a difference of means of log2(10,000·x/Σx + 1). Sampling counts adds noise that is larger than most
//! effects at a few hundred counts per cell; summing over the distribution of each count removes it (Rao–Blackwell).
//! The total Σx is taken at its given library size.

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

impl Curve {
    /// For a negative binomial of this concentration; means reach up to the library size.
    pub fn new(concentration: f64, library: f64) -> Self {
        let mut table = LogTable::new(library);
        let highest = library.max(1.0).ln();
        // One point beyond each end for the cubic.
        let points = ((highest - LOWEST_LN_MEAN) / STEP).ceil() as usize + 4;
        let at = |point: usize| {
            let mean = (LOWEST_LN_MEAN + (point as f64 - 1.0) * STEP).exp();
            CountDistribution::NegativeBinomial { mean, concentration }.expected_log(&mut table)
        };
        Self { values: (0..points).map(at).collect() }
    }

    /// E\[log2(10,000·x/library + 1)\] at a mean, by cubic interpolation (Catmull and Rom).
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
        let [a, b, c, d] = [point - 1, point, point + 1, point + 2].map(|point| self.values[point]);
        b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
    }
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
            let curve = Curve::new(concentration, library);
            for mean in [1e-6f64, 1e-3, 0.017, 0.3, 1.0, 7.7, 55.0, library * 0.9] {
                let exact = CountDistribution::NegativeBinomial { mean, concentration }
                    .expected_log(&mut LogTable::new(library));
                let found = curve.at(mean.ln());
                assert!((found - exact).abs() < 2e-3 * exact.max(0.05), "{mean} {concentration}: {found}, {exact}");
            }
        }
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
