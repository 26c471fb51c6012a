//! The report of an evaluation: every number with its definition, the baselines beside the model, and what it rests on.

mod benchmark;
mod definitions;
mod distances;
mod likelihood;
mod network;
mod quality;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bootstrap::{self, Draws, Interval};
use super::calibration::Calibration;
use super::effects::{EffectMetrics, EffectOptions, PerturbationFit, compare};
use crate::data::EffectTable;

pub use benchmark::{BenchmarkData, BenchmarkReport, RankedMethod};
pub use definitions::{Definition, definitions};
pub use distances::{DistanceRow, Distances, GeneratedDistance};
pub use likelihood::{CONTROL, CellLikelihood, Likelihood, LikelihoodRow};
pub use network::{
    Discoveries, DiscoveryLevel, GoldStandard, NetworkPoint, NetworkScore, NetworkTests, Ranking, gold_standard,
    network_tests,
};
pub use quality::{ConditionPass, QualityPass, QualityPassRow};

/// Version of the layout.
pub const FORMAT: u32 = 1;

/// The model judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Its file.
    pub file: String,
    /// BLAKE3 hash (hex) of the file.
    pub hash: String,
    /// Which model.
    pub kind: String,
    /// Version of the program that trained it.
    pub program_version: String,
    /// The epoch kept, and of how many.
    pub best_epoch: u32,
    /// Epochs run.
    pub epochs: u32,
    /// Why training ended.
    pub ended: String,
    /// Where the settings differ from the paper.
    pub differs_from_paper: Vec<String>,
    /// All settings.
    pub settings: Value,
}

/// The data it was judged on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatasetFacts {
    /// Its file.
    pub file: String,
    /// Content hash, see [`crate::data::Dataset::hash`].
    pub hash: String,
    /// Number of cells.
    pub cells: usize,
    /// Number of genes.
    pub genes: usize,
    /// Whether it is what the model was trained on.
    pub trained_on: bool,
}

/// Numbers of cells behind the figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CellFacts {
    /// Which cells gave the observed shifts, in words.
    pub evaluated_on: String,
    /// Whether none of them was used in training.
    pub held_out: bool,
    /// Control cells in training, validation and test.
    pub control: [u32; 3],
    /// Perturbed cells in training, validation and test.
    pub perturbed: [u32; 3],
    /// Control cells evaluated on.
    pub evaluated_control: u32,
    /// Perturbed cells evaluated on.
    pub evaluated_perturbed: u32,
}

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
    /// The perturbed genes kept, as the published implementations do.
    pub effects_with_targets: EffectMetrics,
}

/// How a method did on one perturbation, the perturbed genes left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitRow {
    /// The method.
    pub method: String,
    /// Cells of this perturbation in the training.
    pub training_cells: u32,
    /// The fit.
    #[serde(flatten)]
    pub fit: PerturbationFit,
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
    /// The model's value less the baseline's, 95 % interval over perturbations; none where they cover different ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Interval>,
}

impl Verdict {
    /// Whether the difference is more than the choice of perturbations may bring about.
    pub fn is_clear(&self) -> bool {
        self.difference.is_some_and(|difference| difference.low > 0.0 || difference.high < 0.0)
    }
}

/// The whole report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of this layout.
    pub format: u32,
    /// Version of the program that wrote it.
    pub program_version: String,
    /// The model.
    pub model: ModelFacts,
    /// The data.
    pub dataset: DatasetFacts,
    /// The cells.
    pub cells: CellFacts,
    /// What a reader must know.
    pub notes: Vec<String>,
    /// The model first, then the baselines.
    pub methods: Vec<MethodReport>,
    /// The model against the best baseline.
    pub verdicts: Vec<Verdict>,
    /// One row per method and perturbation.
    pub per_perturbation: Vec<FitRow>,
    /// Statistical tests of the network's edges in the evaluated cells.
    pub network_tests: Option<NetworkTests>,
    /// The network against known edges, where they were given.
    pub gold_standard: Option<GoldStandard>,
    /// The edges that stand out from shuffled labels; none where the model's training did not test them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discoveries: Option<Discoveries>,
    /// Whether the intervals of an ensemble hold what they promise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// How well the model explains held-out cells; none where it cannot be told, see the notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likelihood: Option<Likelihood>,
    /// How many cells drawn from the model pass quality control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality_pass: Option<QualityPass>,
    /// How far cells of each perturbation are from control and from generated ones; none without control cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distances: Option<Distances>,
    /// What every metric is.
    pub definitions: Vec<Definition>,
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

impl Report {
    /// Judge `methods` (the model first) against `observed` shifts; `training_cells` tells how many cells of a
    /// perturbation were in the training. The facts, notes and networks are for the caller to fill in.
    pub fn of_effects(methods: &[Method], observed: &EffectTable, training_cells: impl Fn(&str) -> u32) -> Self {
        let mut report = Self { format: FORMAT, definitions: definitions(), ..Self::default() };
        report.program_version = env!("CARGO_PKG_VERSION").to_owned();
        let mut draws = Vec::with_capacity(methods.len());
        for method in methods {
            let without = compare(method.effects, observed, EffectOptions { leave_out_targets: true });
            let with = compare(method.effects, observed, EffectOptions { leave_out_targets: false });
            let drawn = Draws::of(&without.parts, BOOTSTRAP_SEED);
            let metrics = bootstrap::METRICS.iter().enumerate();
            report.methods.push(MethodReport {
                method: method.name.clone(),
                baseline: method.baseline,
                definition: method.definition.clone(),
                effects: without.overall,
                intervals: metrics.filter_map(|(at, name)| Some(((*name).to_owned(), drawn.interval(at)?))).collect(),
                effects_with_targets: with.overall,
            });
            draws.push(drawn);
            report.per_perturbation.extend(without.per_perturbation.into_iter().map(|fit| FitRow {
                method: method.name.clone(),
                training_cells: training_cells(&fit.perturbation),
                fit,
            }));
        }
        report.verdicts = verdicts(&report.methods, &draws);
        report
    }
}

/// Metrics of the verdicts: name, value, whether more is better.
const COMPARED: [(&str, fn(&EffectMetrics) -> Option<f64>, bool); 6] = [
    ("pearson", |metrics| metrics.pearson, true),
    ("r_squared", |metrics| metrics.r_squared, true),
    ("pearson_top_20", |metrics| metrics.pearson_top_20, true),
    ("r_squared_top_20", |metrics| metrics.r_squared_top_20, true),
    ("jaccard_20", |metrics| metrics.jaccard_20, true),
    ("mean_absolute_error", |metrics| metrics.mean_absolute_error, false),
];

/// The same draws in every report: two reports of one screen differ by what they judge.
const BOOTSTRAP_SEED: u64 = 0;

/// The model against the best baseline that covers at least as many perturbations; `draws` are those of the methods.
fn verdicts(methods: &[MethodReport], draws: &[Draws]) -> Vec<Verdict> {
    let Some(at) = methods.iter().position(|method| !method.baseline) else { return Vec::new() };
    let (model, own_draws) = (&methods[at], &draws[at]);
    let fair = |(method, _): &(&MethodReport, &Draws)| {
        method.baseline && method.effects.perturbations >= model.effects.perturbations
    };
    let compared = COMPARED.iter().filter_map(|&(metric, value, more_is_better)| {
        let own = value(&model.effects)?;
        let sign = if more_is_better { 1.0 } else { -1.0 };
        let (best, their_draws, theirs) = methods
            .iter()
            .zip(draws)
            .filter(fair)
            .filter_map(|(method, draws)| Some((method, draws, value(&method.effects)?)))
            .max_by(|a, b| (sign * a.2).total_cmp(&(sign * b.2)))?;
        let same = best.effects.perturbations == model.effects.perturbations;
        let number = bootstrap::METRICS.iter().position(|name| *name == metric);
        Some(Verdict {
            metric: metric.to_owned(),
            model: own,
            best_baseline: best.method.clone(),
            baseline: theirs,
            model_wins: sign * own > sign * theirs,
            difference: number.filter(|_| same).and_then(|number| own_draws.difference(their_draws, number)),
        })
    });
    compared.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(shifts: &[f32]) -> EffectTable {
        EffectTable {
            perturbations: vec!["A".into(), "B".into()],
            genes: vec!["A".into(), "X".into(), "Y".into(), "Z".into()],
            cells: vec![5, 6],
            shifts: shifts.to_vec(),
        }
    }

    fn method<'a>(name: &str, baseline: bool, effects: &'a EffectTable) -> Method<'a> {
        Method { name: name.into(), baseline, definition: "A test".into(), effects }
    }

    #[test]
    fn the_best_baseline_that_covers_as_much_is_what_the_model_is_held_against() {
        let observed = table(&[-3.0, 1.0, 2.0, 0.0, 0.0, 1.0, -1.0, 0.5]);
        let model = table(&[-3.0, 1.0, 1.0, 0.0, 0.0, 1.0, -1.0, 0.5]);
        let nothing = table(&[0.0; 8]);
        let mut partial = observed.clone();
        partial.perturbations.truncate(1);
        partial.shifts.truncate(4);
        let methods =
            [method("Model", false, &model), method("No change", true, &nothing), method("Partial", true, &partial)];
        let report = Report::of_effects(&methods, &observed, |name| if name == "A" { 50 } else { 0 });
        let names: Vec<&str> = report.verdicts.iter().map(|verdict| verdict.best_baseline.as_str()).collect();
        assert!(!names.is_empty() && names.iter().all(|name| *name == "No change"), "{names:?}");
        let error = report.verdicts.iter().find(|verdict| verdict.metric == "mean_absolute_error").unwrap();
        assert!(error.model_wins && error.model < error.baseline);
        let difference = error.difference.unwrap();
        assert!(difference.low <= error.model - error.baseline && error.model - error.baseline <= difference.high);
        let interval = report.methods[0].intervals["mean_absolute_error"];
        assert!(interval.low <= error.model && error.model <= interval.high);
        assert!(report.methods[2].intervals.is_empty(), "of one perturbation");
        assert_eq!(report.per_perturbation.len(), 5);
        assert_eq!(report.per_perturbation[0].training_cells, 50);
        // With the perturbed gene, whose shift is large and right, the correlation is higher.
        assert!(report.methods[0].effects_with_targets.pearson > report.methods[0].effects.pearson);
    }

    #[test]
    fn every_number_has_a_definition_and_json_comes_back_the_same() {
        let observed = table(&[-3.0, 1.0, 2.0, 0.0, 0.0, 1.0, -1.0, 0.5]);
        let report = Report::of_effects(&[method("Model", false, &observed)], &observed, |_| 1);
        let json = serde_json::to_value(&report).unwrap();
        let defined: Vec<String> = report.definitions.iter().map(|definition| definition.metric.clone()).collect();
        for metric in json["methods"][0]["effects"].as_object().unwrap().keys() {
            assert!(defined.contains(metric), "{metric} has no definition");
        }
        for metric in json["per_perturbation"][0].as_object().unwrap().keys() {
            let known = ["method", "perturbation", "cells", "training_cells"].contains(&metric.as_str());
            assert!(known || defined.contains(metric), "{metric} has no definition");
        }
        assert_eq!(serde_json::from_value::<Report>(json).unwrap(), report);
    }
}
