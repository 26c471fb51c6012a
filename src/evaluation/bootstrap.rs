//! How sure the metrics of a comparison are: perturbations drawn with replacement (the bootstrap, Efron 1979).
//!
//! The perturbations are what is sampled: other ones would have been as good a choice, while the genes of one perturbation move
//! together. Methods are compared on the same draws, so that what is hard for all of them cancels.

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use super::effects::{COUNT, METRICS, Pooled};
use crate::random;

/// Draws of all perturbations.
pub const DRAWS: usize = 2_000;
/// Share of the draws within an interval.
pub const LEVEL: f64 = 0.95;

/// Perturbations without which there is no interval: of fewer than six even values that all lie on one side would do so by chance more
/// than one time in twenty (2 · 2⁻⁵).
pub const FEWEST: usize = 6;

/// Sums over predicted (p) and observed (o) shifts, of which r and R² are functions: those of several perturbations add up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    count: f64,
    predicted: f64,
    observed: f64,
    predicted_squares: f64,
    observed_squares: f64,
    products: f64,
    absolute_errors: f64,
}

impl Sums {
    /// Over pairs of a predicted and an observed shift.
    pub fn of<'a>(pairs: impl Iterator<Item = (&'a f32, &'a f32)>) -> Self {
        let mut sums = Self::default();
        for (&p, &o) in pairs {
            let (p, o) = (f64::from(p), f64::from(o));
            sums.count += 1.0;
            sums.predicted += p;
            sums.observed += o;
            sums.predicted_squares += p * p;
            sums.observed_squares += o * o;
            sums.products += p * o;
            sums.absolute_errors += (p - o).abs();
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.predicted += other.predicted;
        self.observed += other.observed;
        self.predicted_squares += other.predicted_squares;
        self.observed_squares += other.observed_squares;
        self.products += other.products;
        self.absolute_errors += other.absolute_errors;
    }

    /// Pearson's r.
    pub fn pearson(&self) -> Option<f64> {
        let spread = |sum: f64, squares: f64| (squares - sum * sum / self.count).max(0.0);
        let both = spread(self.predicted, self.predicted_squares) * spread(self.observed, self.observed_squares);
        let r = (self.products - self.predicted * self.observed / self.count) / both.sqrt();
        r.is_finite().then_some(r)
    }

    /// R².
    pub fn r_squared(&self) -> Option<f64> {
        let value = 1.0 - self.squared_errors() / (self.observed_squares - self.observed * self.observed / self.count);
        value.is_finite().then_some(value)
    }

    /// Mean of |p − o|.
    pub fn absolute_error(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.absolute_errors / self.count)
    }

    /// Mean of (p − o)².
    pub fn squared_error(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.squared_errors() / self.count)
    }

    fn squared_errors(&self) -> f64 {
        self.predicted_squares - 2.0 * self.products + self.observed_squares
    }
}

/// What one perturbation adds to the metrics of all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Over all its genes.
    pub all: Sums,
    /// Over its 20 genes with the largest observed |shift|.
    pub top: Sums,
    /// Its own value of each of [`METRICS`] that is a mean over perturbations; not a number where it has none.
    pub each: [f64; COUNT],
}

/// The bounds of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Below lie 2.5 % of the draws.
    pub low: f64,
    /// Above lie 2.5 % of the draws.
    pub high: f64,
}

/// Metrics in every draw of the perturbations, in the order of [`METRICS`]; NaN where one is not defined.
pub struct Draws {
    by_metric: [Vec<f64>; COUNT],
}

impl Draws {
    /// Draw the perturbations of `parts` with replacement; the same draws for every method with as many of them. None of fewer than
    /// [`FEWEST`].
    pub fn of(parts: &[Part], seed: u64) -> Self {
        let mut random = random::stream(seed, "bootstrap of perturbations");
        let mut by_metric: [Vec<f64>; COUNT] = Default::default();
        if parts.len() < FEWEST {
            return Self { by_metric };
        }
        for _ in 0..DRAWS {
            let drawn = (0..parts.len()).map(|_| &parts[random.random_range(0..parts.len())]);
            let values = metrics(drawn);
            by_metric.iter_mut().zip(values).for_each(|(all, value)| all.push(value));
        }
        Self { by_metric }
    }

    /// The interval of a metric (its number in [`METRICS`]).
    pub fn interval(&self, metric: usize) -> Option<Interval> {
        interval(self.by_metric[metric].iter().copied())
    }

    /// The interval of the difference to `other` in a metric, draw by draw. None if they are not of as many draws.
    pub fn difference(&self, other: &Self, metric: usize) -> Option<Interval> {
        let (own, theirs) = (&self.by_metric[metric], &other.by_metric[metric]);
        if own.len() != theirs.len() {
            return None;
        }
        interval(own.iter().zip(theirs).map(|(own, theirs)| own - theirs))
    }
}

/// The interval of a mean over perturbations, of one value each; the same draws for as many values. None of fewer than [`FEWEST`].
pub fn interval_of_mean(values: &[f64], seed: u64) -> Option<Interval> {
    if values.len() < FEWEST {
        return None;
    }
    let mut random = random::stream(seed, "bootstrap of perturbations");
    let mut mean = || {
        let sum: f64 = (0..values.len()).map(|_| values[random.random_range(0..values.len())]).sum();
        sum / values.len() as f64
    };
    interval((0..DRAWS).map(|_| mean()))
}

/// In the order of [`METRICS`].
fn metrics<'a>(parts: impl Iterator<Item = &'a Part>) -> [f64; COUNT] {
    let (mut all, mut top) = (Sums::default(), Sums::default());
    let (mut sums, mut defined) = ([0.0; COUNT], [0.0; COUNT]);
    for part in parts {
        all.add(&part.all);
        top.add(&part.top);
        for ((sum, defined), &value) in sums.iter_mut().zip(&mut defined).zip(&part.each) {
            if value.is_finite() {
                *sum += value;
                *defined += 1.0;
            }
        }
    }
    std::array::from_fn(|at| match METRICS[at].pooled {
        Pooled::Flat(of) => of(&all, &top).unwrap_or(f64::NAN),
        Pooled::Mean(_) => sums[at] / defined[at],
    })
}

/// None where fewer than half of the draws have a value.
fn interval(values: impl Iterator<Item = f64>) -> Option<Interval> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    if values.len() < DRAWS / 2 {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    let outside = (1.0 - LEVEL) / 2.0;
    Some(Interval { low: at(outside), high: at(1.0 - outside) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evaluation::{pearson, r_squared};

    fn part(predicted: &[f32], observed: &[f32]) -> Part {
        let all = Sums::of(predicted.iter().zip(observed));
        Part { all, top: all, each: [0.5; COUNT] }
    }

    proptest! {
        #[test]
        fn sums_give_the_metrics_of_the_pairs(pairs in proptest::collection::vec((-3f32..3.0, -3f32..3.0), 3..60)) {
            let (p, o): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let split = p.len() / 2;
            let mut sums = Sums::of(p[..split].iter().zip(&o[..split]));
            sums.add(&Sums::of(p[split..].iter().zip(&o[split..])));
            prop_assert!((sums.pearson().unwrap() - pearson(&p, &o).unwrap()).abs() < 1e-6);
            prop_assert!((sums.r_squared().unwrap() - r_squared(&p, &o).unwrap()).abs() < 1e-6);
        }
    }

    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        // Perturbations whose r is 0.5 in truth, screens of 40.
        use rand_distr::{Distribution as _, StandardNormal};
        let mut random = random::stream(3, "test screens");
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let (mut held, screens) = (0, 60);
        for _ in 0..screens {
            let parts: Vec<Part> = (0..40)
                .map(|_| {
                    let pairs = (0..30).map(|_| {
                        let (shared, own) = (normal(), normal());
                        (shared as f32, (0.5 * shared + 0.75f64.sqrt() * own) as f32)
                    });
                    let (p, o): (Vec<f32>, Vec<f32>) = pairs.unzip();
                    part(&p, &o)
                })
                .collect();
            let found = Draws::of(&parts, 1).interval(0).unwrap();
            held += u32::from(found.low <= 0.5 && 0.5 <= found.high);
        }
        assert!((51..=60).contains(&held), "{held} of {screens} intervals of 95 % hold the truth");
    }

    #[test]
    fn methods_that_are_the_same_differ_by_nothing() {
        let observed = [1.0f32, -2.0, 0.5, 3.0];
        let parts: Vec<Part> = (0..8).map(|at| part(&[0.9, -1.5, at as f32, 2.0], &observed)).collect();
        let draws = Draws::of(&parts, 7);
        for metric in 0..COUNT {
            assert_eq!(draws.difference(&draws, metric), Some(Interval { low: 0.0, high: 0.0 }));
        }
        let better: Vec<Part> = (0..8).map(|_| part(&observed, &observed)).collect();
        let difference = Draws::of(&better, 7).difference(&draws, 1).unwrap();
        assert!(difference.low > 0.0, "{difference:?}");
        assert!(Draws::of(&parts[..FEWEST], 7).interval(0).is_some());
        assert_eq!(
            Draws::of(&parts[..FEWEST - 1], 7).interval(0),
            None,
            "five perturbations tell too little of others"
        );
        assert_eq!(draws.difference(&Draws::of(&parts[..1], 7), 0), None);
    }

    #[test]
    fn a_mean_of_one_value_each_is_the_same_as_of_a_metric() {
        // Metric 4 is a mean over perturbations.
        let values: Vec<f64> = (0..12).map(|at| f64::from(at).sin()).collect();
        let of = |value: &f64| Part { each: [*value; COUNT], ..part(&[1.0], &[1.0]) };
        let parts: Vec<Part> = values.iter().map(of).collect();
        let (all, one) = (Draws::of(&parts, 3).interval(4).unwrap(), interval_of_mean(&values, 3).unwrap());
        assert!((all.low - one.low).abs() < 1e-12 && (all.high - one.high).abs() < 1e-12, "{all:?} {one:?}");
        assert_eq!(interval_of_mean(&values[..FEWEST - 1], 3), None);
    }
}
