//! The list of all metrics: what reports, tables and intervals go through.

use super::pairs::mean;
use super::{EffectMetrics, FurtherMetrics, PerturbationFit};
use crate::evaluation::bootstrap::Sums;

/// How a metric of all perturbations comes about.
pub(in crate::evaluation) enum Pooled {
    /// From the pairs of all genes, and of each perturbation's 20 largest shifts, in one list.
    Flat(fn(&Sums, &Sums) -> Option<f64>),
    /// As the mean of what it is for each perturbation, see [`each`].
    Mean(fn(&PerturbationFit) -> Option<f64>),
}

/// A metric of predicted shifts.
pub struct Metric {
    /// Its key in reports and definitions.
    pub key: &'static str,
    /// Its value over all perturbations.
    pub value: fn(&EffectMetrics) -> Option<f64>,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// Value of a prediction that is the same for all genes or perturbations, for which it is not defined: correlations are then 0.
    pub of_constant: Option<f64>,
    pub(in crate::evaluation) pooled: Pooled,
}

/// Number of metrics.
pub const COUNT: usize = 18;

/// All, in the order shown.
pub const METRICS: [Metric; COUNT] = [
    correlation("pearson", |all| all.pearson, Pooled::Flat(|all, _| all.pearson())),
    metric("r_squared", |all| all.r_squared, true, Pooled::Flat(|all, _| all.r_squared())),
    correlation("pearson_top_20", |all| all.pearson_top_20, Pooled::Flat(|_, top| top.pearson())),
    metric("r_squared_top_20", |all| all.r_squared_top_20, true, Pooled::Flat(|_, top| top.r_squared())),
    metric("jaccard_20", |all| all.jaccard_20, true, Pooled::Mean(|fit| Some(fit.jaccard_20))),
    metric("jaccard_50", |all| all.jaccard_50, true, Pooled::Mean(|fit| Some(fit.jaccard_50))),
    correlation("mean_pearson", |all| all.mean_pearson, Pooled::Mean(|fit| fit.pearson)),
    correlation(
        "pearson_top_20_de",
        |all| all.further.pearson_top_20_de,
        Pooled::Mean(|fit| fit.further.pearson_top_20_de),
    ),
    correlation(
        "pearson_beyond_mean",
        |all| all.further.pearson_beyond_mean,
        Pooled::Mean(|fit| fit.further.pearson_beyond_mean),
    ),
    metric("discrimination", |all| all.further.discrimination, true, Pooled::Mean(|fit| fit.further.discrimination)),
    metric("direction_top_20", |all| all.direction_top_20, true, Pooled::Mean(|fit| Some(fit.direction_top_20))),
    metric(
        "direction_top_20_de",
        |all| all.further.direction_top_20_de,
        true,
        Pooled::Mean(|fit| fit.further.direction_top_20_de),
    ),
    metric("de_overlap", |all| all.further.de_overlap, true, Pooled::Mean(|fit| fit.further.de_overlap)),
    metric("mean_absolute_error", |all| all.mean_absolute_error, false, Pooled::Flat(|all, _| all.absolute_error())),
    metric("mean_squared_error", |all| all.mean_squared_error, false, Pooled::Flat(|all, _| all.squared_error())),
    metric("mse_top_20_de", |all| all.further.mse_top_20_de, false, Pooled::Mean(|fit| fit.further.mse_top_20_de)),
    metric("weighted_mse", |all| all.further.weighted_mse, false, Pooled::Mean(|fit| fit.further.weighted_mse)),
    metric("l2_top_1000", |all| all.further.l2_top_1000, false, Pooled::Mean(|fit| fit.further.l2_top_1000)),
];

type Value = fn(&EffectMetrics) -> Option<f64>;

const fn metric(key: &'static str, value: Value, higher_is_better: bool, pooled: Pooled) -> Metric {
    Metric { key, value, higher_is_better, of_constant: None, pooled }
}

const fn correlation(key: &'static str, value: Value, pooled: Pooled) -> Metric {
    Metric { key, value, higher_is_better: true, of_constant: Some(0.0), pooled }
}

impl EffectMetrics {
    /// The mean of several metrics by metric, over those that define it.
    pub fn mean(all: &[Self]) -> Self {
        let of = |value: Value| mean(all.iter().filter_map(value));
        let least = |count: fn(&Self) -> usize| all.iter().map(count).min().unwrap_or(0);
        Self {
            perturbations: least(|one| one.perturbations),
            genes: least(|one| one.genes),
            pearson: of(|one| one.pearson),
            r_squared: of(|one| one.r_squared),
            pearson_top_20: of(|one| one.pearson_top_20),
            r_squared_top_20: of(|one| one.r_squared_top_20),
            jaccard_20: of(|one| one.jaccard_20),
            jaccard_50: of(|one| one.jaccard_50),
            mean_pearson: of(|one| one.mean_pearson),
            mean_absolute_error: of(|one| one.mean_absolute_error),
            mean_squared_error: of(|one| one.mean_squared_error),
            direction_top_20: of(|one| one.direction_top_20),
            further: FurtherMetrics::mean(all.iter().map(|one| &one.further)),
        }
    }
}

impl FurtherMetrics {
    /// The mean of several by metric, over those that define it.
    pub(super) fn mean<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> Self {
        let of = |value: fn(&Self) -> Option<f64>| mean(all.clone().filter_map(value));
        Self {
            pearson_beyond_mean: of(|one| one.pearson_beyond_mean),
            pearson_top_20_de: of(|one| one.pearson_top_20_de),
            mse_top_20_de: of(|one| one.mse_top_20_de),
            direction_top_20_de: of(|one| one.direction_top_20_de),
            de_overlap: of(|one| one.de_overlap),
            weighted_mse: of(|one| one.weighted_mse),
            l2_top_1000: of(|one| one.l2_top_1000),
            discrimination: of(|one| one.discrimination),
        }
    }
}

impl Metric {
    /// The metric with this key.
    pub fn named(key: &str) -> Option<&'static Self> {
        METRICS.iter().find(|metric| metric.key == key)
    }

    /// `value` on the scale from `baseline` (0) to `ceiling` (1), not clipped; none where the ceiling is no better than the baseline, or
    /// something is not defined (the correlation of a constant baseline counts as 0).
    pub fn scaled(&self, value: Option<f64>, baseline: Option<f64>, ceiling: Option<f64>) -> Option<f64> {
        let baseline = baseline.or(self.of_constant)?;
        let (value, ceiling) = (value?, ceiling?);
        let sign = if self.higher_is_better { 1.0 } else { -1.0 };
        let extent = ceiling - baseline;
        (sign * extent > 1e-9).then(|| (value - baseline) / extent)
    }
}

/// What a perturbation adds to the metrics that are means; not a number where one is not defined or no mean.
pub(super) fn each(fit: &PerturbationFit) -> [f64; COUNT] {
    METRICS.each_ref().map(|metric| match metric.pooled {
        Pooled::Mean(of) => of(fit).unwrap_or(f64::NAN),
        Pooled::Flat(_) => f64::NAN,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_goes_from_the_baseline_to_the_ceiling() {
        let scaled = |key: &str, value, baseline, ceiling| Metric::named(key).unwrap().scaled(value, baseline, ceiling);
        assert_eq!(scaled("pearson", Some(0.5), Some(0.25), Some(0.75)), Some(0.5));
        assert_eq!(scaled("mean_pearson", Some(1.0), None, Some(0.5)), Some(2.0), "not clipped; a constant has r = 0");
        assert!((scaled("mean_absolute_error", Some(0.3), Some(0.4), Some(0.2)).unwrap() - 0.5).abs() < 1e-12);
        assert_eq!(scaled("mean_absolute_error", Some(0.3), Some(0.2), Some(0.4)), None, "the replicate is worse");
        assert_eq!(scaled("jaccard_20", Some(0.3), None, Some(0.4)), None);
    }
}
