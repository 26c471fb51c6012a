//! The report of an evaluation: every number with its definition, the baselines beside the model, and what it rests on.

mod benchmark;
mod classes;
mod definitions;
mod distances;
mod edge_calibration;
mod likelihood;
mod network;
mod quality;
mod responding;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bootstrap::{Draws, Interval};
use super::calibration::Calibration;
use super::ceiling::Ceiling;
use super::effects::{Beside, EffectMetrics, EffectOptions, METRICS, PerturbationFit, compare, compare_with};
use crate::data::EffectTable;

pub use benchmark::{BenchmarkData, BenchmarkReport, RankedMethod};
pub use classes::{ClassFit, ClassReport, by_class};
pub use definitions::{Definition, definitions};
pub use distances::{DistanceRow, Distances, GeneratedDistance};
pub use edge_calibration::{EdgeBin, EdgeCalibration};
pub use likelihood::{CONTROL, CellLikelihood, Likelihood, LikelihoodRow};
pub use network::{
    Discoveries, DiscoveryLevel, GoldStandard, NetworkPoint, NetworkScore, NetworkTests, Ranking, gold_standard,
    network_tests,
};
pub use quality::{ConditionPass, QualityPass, QualityPassRow};
pub use responding::RespondingGenes;

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
    /// BLAKE3 hash (hex) of the rows evaluated on: two models with the same one are judged on the same cells.
    #[serde(default)]
    pub hash: String,
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
    /// The metrics on the scale from the training mean (0) to the split-half replicate (1), not clipped, by metric.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scaled: BTreeMap<String, f64>,
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
    /// How good a prediction can be; none where there are too few cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Ceiling>,
    /// The model against the best baseline.
    pub verdicts: Vec<Verdict>,
    /// One row per method and perturbation.
    pub per_perturbation: Vec<FitRow>,
    /// The fit by what was seen in training; empty where all perturbations are of one class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassReport>,
    /// Statistical tests of the network's edges in the evaluated cells.
    pub network_tests: Option<NetworkTests>,
    /// The network against known edges, where they were given.
    pub gold_standard: Option<GoldStandard>,
    /// The edges that stand out from shuffled labels; none where the model's training did not test them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discoveries: Option<Discoveries>,
    /// Whether edges with a higher probability respond more often; none where no edge can be tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge_calibration: Option<EdgeCalibration>,
    /// Whether the intervals of an ensemble hold what they promise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// How well the model explains held-out cells; none where it cannot be told, see the notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likelihood: Option<Likelihood>,
    /// Whether the same genes respond significantly in generated cells, training cells and a replicate as in observed cells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responding: Vec<RespondingGenes>,
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

/// The measurement that methods are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// Observed shifts.
    pub observed: &'a EffectTable,
    /// What is known beside them.
    pub beside: Beside<'a>,
    /// How good a prediction can be.
    pub ceiling: Option<&'a Ceiling>,
}

impl Report {
    /// Judge `methods` (the model first) by what was measured; `training_cells` tells how many cells of a perturbation were in the
    /// training. The facts, notes and networks are for the caller to fill in.
    pub fn of_effects(methods: &[Method], measured: Measured<'_>, training_cells: impl Fn(&str) -> u32) -> Self {
        let Measured { observed, beside, ceiling } = measured;
        let mut report = Self {
            format: FORMAT,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            definitions: definitions(),
            ceiling: ceiling.cloned(),
            ..Self::default()
        };
        let mut draws = Vec::with_capacity(methods.len());
        for method in methods {
            let without = compare_with(method.effects, observed, EffectOptions::default(), beside);
            let with = compare(method.effects, observed, EffectOptions { leave_out_targets: false });
            let drawn = Draws::of(&without.parts, BOOTSTRAP_SEED);
            let metrics = METRICS.iter().enumerate();
            report.methods.push(MethodReport {
                method: method.name.clone(),
                baseline: method.baseline,
                definition: method.definition.clone(),
                effects: without.overall,
                intervals: metrics.filter_map(|(at, one)| Some((one.key.to_owned(), drawn.interval(at)?))).collect(),
                scaled: BTreeMap::new(),
                effects_with_targets: with.overall,
            });
            draws.push(drawn);
            report.per_perturbation.extend(without.per_perturbation.into_iter().map(|fit| FitRow {
                method: method.name.clone(),
                training_cells: training_cells(&fit.perturbation),
                fit,
            }));
        }
        report.scale();
        report.verdicts = verdicts(&report.methods, &draws);
        report
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

    /// What a metric is called, for people.
    pub fn label<'a>(&'a self, metric: &'a str) -> &'a str {
        let known = self.definitions.iter().find(|definition| definition.metric == metric);
        known.map_or(metric, |definition| &definition.label)
    }
}

/// What stands at 0 on the scale of the metrics.
pub const SCALE_BASELINE: &str = "Training mean";

/// The same draws in every report: two reports of one screen differ by what they judge.
const BOOTSTRAP_SEED: u64 = 0;

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

    fn measured(observed: &EffectTable) -> Measured<'_> {
        Measured { observed, beside: Beside::default(), ceiling: None }
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
        let report = Report::of_effects(&methods, measured(&observed), |name| if name == "A" { 50 } else { 0 });
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
        let report = Report::of_effects(&[method("Model", false, &observed)], measured(&observed), |_| 1);
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
