//! How the methods did on some perturbations: every metric with its interval, on the scale, and against the best baseline.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::data::EffectTable;
use crate::evaluation::bootstrap::{Draws, Interval};
use crate::evaluation::ceiling::{Ceiling, Ceilings};
use crate::evaluation::effects::{
    Beside, EffectMetrics, EffectOptions, METRICS, PerturbationFit, compare, compare_with,
};

/// How a method did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodReport {
    /// `GPO-VAE`, `Training mean`.
    pub method: String,
    /// Whether it is a baseline.
    pub baseline: bool,
    /// What it is.
    pub definition: String,
    /// The perturbed genes left out of their own rows.
    pub effects: EffectMetrics,
    /// Between which values 95 % of the metrics lie where other perturbations of the same kind had been chosen, by metric.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub intervals: BTreeMap<String, Interval>,
    /// The metrics on the scale from the training mean (0) to the split-half replicate (1), not clipped, by metric.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scaled: BTreeMap<String, f64>,
    /// The perturbed genes kept, as the published implementations do.
    pub effects_with_targets: EffectMetrics,
}

/// The model against the best baseline in one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Name of the metric, as in the definitions.
    pub metric: String,
    /// The model's value.
    pub model: f64,
    /// The best baseline.
    pub best_baseline: String,
    /// Its value.
    pub baseline: f64,
    /// Whether the model is better.
    pub model_wins: bool,
    /// The model's value less the baseline's, 95 % interval over perturbations; none where they cover different ones, or too few
    /// (see [`crate::evaluation::bootstrap::FEWEST`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Interval>,
}

impl Verdict {
    /// Whether the difference is more than the choice of perturbations may bring about.
    pub fn is_clear(&self) -> bool {
        self.difference.is_some_and(|difference| difference.low > 0.0 || difference.high < 0.0)
    }

    /// What comes of it, in words.
    pub fn words(&self) -> &'static str {
        match (self.model_wins, self.is_clear()) {
            (true, true) => "model better",
            (false, true) => "baseline better",
            (_, false) if self.difference.is_none() => "not compared",
            (_, false) => "no clear difference",
        }
    }
}

/// A prediction to judge.
#[derive(Clone, Debug)]
pub struct Method<'a> {
    /// Its name.
    pub name: String,
    /// Whether it is a baseline.
    pub baseline: bool,
    /// What it is.
    pub definition: String,
    /// What it predicts.
    pub effects: &'a EffectTable,
}

/// The measurement that methods are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// Observed shifts.
    pub observed: &'a EffectTable,
    /// What is known beside them.
    pub beside: Beside<'a>,
    /// How good a prediction can be, of all and by class.
    pub ceilings: Option<&'a Ceilings>,
}

/// How the methods did on the same perturbations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fits {
    /// The model first, then the baselines.
    pub methods: Vec<MethodReport>,
    /// How good a prediction can be; none where there are too few cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Ceiling>,
    /// The model against the best baseline.
    pub verdicts: Vec<Verdict>,
}

impl Fits {
    /// Judge `methods` (the model first) by what was measured, and the fit of every perturbation by method.
    pub(super) fn of(
        methods: &[Method],
        measured: Measured<'_>,
        ceiling: Option<&Ceiling>,
    ) -> (Self, Vec<Vec<PerturbationFit>>) {
        let Measured { observed, beside, .. } = measured;
        let mut found = Self { ceiling: ceiling.cloned(), ..Self::default() };
        let (mut draws, mut each) = (Vec::with_capacity(methods.len()), Vec::with_capacity(methods.len()));
        for method in methods {
            let without = compare_with(method.effects, observed, EffectOptions::default(), beside);
            let with = compare(method.effects, observed, EffectOptions { leave_out_targets: false });
            let drawn = Draws::of(&without.parts, BOOTSTRAP_SEED);
            let metrics = METRICS.iter().enumerate();
            found.methods.push(MethodReport {
                method: method.name.clone(),
                baseline: method.baseline,
                definition: method.definition.clone(),
                effects: without.overall,
                intervals: metrics.filter_map(|(at, one)| Some((one.key.to_owned(), drawn.interval(at)?))).collect(),
                scaled: BTreeMap::new(),
                effects_with_targets: with.overall,
            });
            draws.push(drawn);
            each.push(without.per_perturbation);
        }
        found.scale();
        found.verdicts = verdicts(&found.methods, &draws);
        (found, each)
    }

    /// Put the methods on the scale between [`SCALE_BASELINE`] and ceiling.
    fn scale(&mut self) {
        let baseline = self.methods.iter().find(|method| method.method == SCALE_BASELINE);
        let (Some(baseline), Some(ceiling)) = (baseline.map(|found| found.effects.clone()), &self.ceiling) else {
            return;
        };
        // Of fewer perturbations baseline and ceiling would be others.
        for method in self.methods.iter_mut().filter(|method| method.effects.perturbations == baseline.perturbations) {
            let scaled = METRICS.iter().filter_map(|metric| {
                let [value, low, high] = [&method.effects, &baseline, &ceiling.effects].map(metric.value);
                Some((metric.key.to_owned(), metric.scaled(value, low, high)?))
            });
            method.scaled = scaled.collect();
        }
    }

    /// The metrics in which the model, or a baseline, is clearly better.
    pub fn clearly(&self, model_wins: bool) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(move |verdict| verdict.model_wins == model_wins && verdict.is_clear())
    }

    /// The model.
    pub fn model(&self) -> Option<&MethodReport> {
        self.methods.iter().find(|method| !method.baseline)
    }
}

/// What stands at 0 on the scale of the metrics.
pub const SCALE_BASELINE: &str = "Training mean";

/// The same draws in every report: two reports of one screen differ by what they judge.
pub(super) const BOOTSTRAP_SEED: u64 = 0;

/// The model against the best baseline that covers at least as many perturbations; `draws` are those of the methods.
fn verdicts(methods: &[MethodReport], draws: &[Draws]) -> Vec<Verdict> {
    let Some(at) = methods.iter().position(|method| !method.baseline) else { return Vec::new() };
    let (model, own_draws) = (&methods[at], &draws[at]);
    let fair = |(method, _): &(&MethodReport, &Draws)| {
        method.baseline && method.effects.perturbations >= model.effects.perturbations
    };
    let compared = METRICS.iter().enumerate().filter_map(|(number, metric)| {
        let own = (metric.value)(&model.effects)?;
        let sign = if metric.higher_is_better { 1.0 } else { -1.0 };
        let (best, their_draws, theirs) = methods
            .iter()
            .zip(draws)
            .filter(fair)
            .filter_map(|(method, draws)| {
                Some((method, draws, (metric.value)(&method.effects).or(metric.of_constant)?))
            })
            .max_by(|a, b| (sign * a.2).total_cmp(&(sign * b.2)))?;
        let same = best.effects.perturbations == model.effects.perturbations;
        Some(Verdict {
            metric: metric.key.to_owned(),
            model: own,
            best_baseline: best.method.clone(),
            baseline: theirs,
            model_wins: sign * own > sign * theirs,
            difference: if same { own_draws.difference(their_draws, number) } else { None },
        })
    });
    compared.collect()
}
