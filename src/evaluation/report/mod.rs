//! The report of an evaluation: every number with its definition, the baselines beside the model, and what it rests on.

mod benchmark;
mod classes;
mod definitions;
mod distances;
mod edge_calibration;
mod fits;
mod likelihood;
mod network;
mod quality;
mod responding;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::calibration::Calibration;
use super::effects::PerturbationFit;

pub use benchmark::{BenchmarkData, BenchmarkReport, RankedMethod};
pub use classes::{ClassReport, by_class, classes};
pub use definitions::{Definition, definitions};
pub use distances::{DistanceRow, Distances, GroupDistance, MeanDistance};
pub use edge_calibration::{EdgeBin, EdgeCalibration};
use fits::BOOTSTRAP_SEED;
pub use fits::{Fits, Measured, Method, MethodReport, SCALE_BASELINE, Verdict};
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

/// How a method did on one perturbation, the perturbed genes left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitRow {
    /// The method.
    pub method: String,
    /// Cells of this perturbation in the training.
    pub training_cells: u32,
    /// What was seen of it; empty where all perturbations are of one class.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// The fit.
    #[serde(flatten)]
    pub fit: PerturbationFit,
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
    /// How the methods did on all perturbations.
    #[serde(flatten)]
    pub fits: Fits,
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

impl Report {
    /// Judge `methods` (the model first) by what was measured; `about` tells of a perturbation what the training saw of it. The facts, notes
    /// and networks are for the caller to fill in.
    pub fn of_effects(methods: &[Method], measured: Measured<'_>, about: &dyn Fn(&str) -> Seen) -> Self {
        let class_of = |name: &str| about(name).class;
        let (fits, each) = Fits::of(methods, measured, measured.ceilings.map(|ceilings| &ceilings.all));
        let classes = by_class(methods, measured, &class_of);
        let mut report = Self {
            format: FORMAT,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            definitions: definitions(),
            fits,
            classes,
            ..Self::default()
        };
        for (method, fits) in methods.iter().zip(each) {
            report.per_perturbation.extend(fits.into_iter().map(|fit| {
                let Seen { training_cells, class } = about(&fit.perturbation);
                let class = if report.classes.is_empty() { String::new() } else { class };
                FitRow { method: method.name.clone(), training_cells, class, fit }
            }));
        }
        report
    }

    /// The same report with the fit of the perturbations of one class in place of that of all. None if there is no such class.
    pub fn of_class(&self, class: &str) -> Option<Self> {
        let found = self.classes.iter().find(|known| known.class == class)?;
        let of_class = |row: &&FitRow| row.class == class;
        Some(Self {
            fits: found.fits.clone(),
            per_perturbation: self.per_perturbation.iter().filter(of_class).cloned().collect(),
            ..self.clone()
        })
    }

    /// What a metric is; empty for one that is not known.
    pub fn definition(&self, metric: &str) -> &str {
        let known = self.definitions.iter().find(|definition| definition.metric == metric);
        known.map_or("", |definition| &definition.definition)
    }

    /// What a metric is called, for people.
    pub fn label<'a>(&'a self, metric: &'a str) -> &'a str {
        let known = self.definitions.iter().find(|definition| definition.metric == metric);
        known.map_or(metric, |definition| &definition.label)
    }
}

/// What the training saw of a perturbation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Cells of it.
    pub training_cells: u32,
    /// Its class: `single, seen`, `unseen gene`, `1 of 2 seen`.
    pub class: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::EffectTable;
    use crate::evaluation::effects::Beside;

    /// Six perturbations, the `shifts` of the first ones over and over.
    fn table(shifts: &[f32]) -> EffectTable {
        EffectTable {
            perturbations: ["A", "B", "C", "D", "E", "F"].map(String::from).to_vec(),
            genes: ["A", "X", "Y", "Z"].map(String::from).to_vec(),
            cells: vec![5; 6],
            shifts: shifts.iter().copied().cycle().take(24).collect(),
        }
    }

    fn method<'a>(name: &str, baseline: bool, effects: &'a EffectTable) -> Method<'a> {
        Method { name: name.into(), baseline, definition: "A test".into(), effects }
    }

    fn measured(observed: &EffectTable) -> Measured<'_> {
        Measured { observed, beside: Beside::default(), ceilings: None }
    }

    fn seen(name: &str) -> Seen {
        Seen { training_cells: if name == "A" { 50 } else { 0 }, class: "single, seen".into() }
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
        let report = Report::of_effects(&methods, measured(&observed), &seen);
        let names: Vec<&str> = report.fits.verdicts.iter().map(|verdict| verdict.best_baseline.as_str()).collect();
        assert!(!names.is_empty() && names.iter().all(|name| *name == "No change"), "{names:?}");
        let error = report.fits.verdicts.iter().find(|verdict| verdict.metric == "mean_absolute_error").unwrap();
        assert!(error.model_wins && error.model < error.baseline);
        let difference = error.difference.unwrap();
        assert!(difference.low <= error.model - error.baseline && error.model - error.baseline <= difference.high);
        let interval = report.fits.methods[0].intervals["mean_absolute_error"];
        assert!(interval.low <= error.model && error.model <= interval.high);
        assert!(report.fits.methods[2].intervals.is_empty(), "of one perturbation");
        assert_eq!(report.per_perturbation.len(), 13);
        assert_eq!(report.per_perturbation[0].training_cells, 50);
        // With the perturbed gene, whose shift is large and right, the correlation is higher.
        assert!(report.fits.methods[0].effects_with_targets.pearson > report.fits.methods[0].effects.pearson);
    }

    #[test]
    fn every_number_has_a_definition_and_json_comes_back_the_same() {
        let observed = table(&[-3.0, 1.0, 2.0, 0.0, 0.0, 1.0, -1.0, 0.5]);
        let report = Report::of_effects(&[method("Model", false, &observed)], measured(&observed), &seen);
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
