//! How a trained model is judged by the cells themselves: how well it explains them.

use std::sync::Arc;

use grn_explorer::data::simulate::{SimulateConfig, simulate};
use grn_explorer::data::{CsrMatrix, Dataset};
use grn_explorer::evaluation::report::Report;
use grn_explorer::jobs::{Cancelled, Progress, ProgressUpdate, Silent};
use grn_explorer::models::gpo_vae::Start;
use grn_explorer::models::{TrainConfig, TrainedModel};
use grn_explorer::preprocess::prepare;
use grn_explorer::preprocess::quality::{CellMetrics, QualityReport};
use grn_explorer::tasks::evaluate::{EvaluateOptions, JudgedModel, evaluate};
use grn_explorer::tasks::report::tables;
use grn_explorer::training::{DeviceChoice, NetworkSnapshot, TrainingObserver, train};

use super::training::small_config;

/// Reports to nobody and never ends.
pub struct Quiet;

impl Progress for Quiet {
    fn report(&self, _: ProgressUpdate) {}

    fn is_cancelled(&self) -> bool {
        false
    }

    fn should_stop(&self) -> bool {
        false
    }
}

impl TrainingObserver for Quiet {
    fn device(&self, _: &str) {}

    fn member(&self, _: u32, _: u32) {}

    fn resumed(&self, _: &[grn_explorer::models::EpochMetrics]) {}

    fn epoch(&self, _: grn_explorer::models::EpochMetrics) {}

    fn snapshot(&self, _: NetworkSnapshot) {}
}

fn trained(epochs: u32) -> (Arc<Dataset>, TrainedModel) {
    trained_on(&SimulateConfig::small(), &small_config(epochs))
}

fn trained_on(simulated: &SimulateConfig, config: &TrainConfig) -> (Arc<Dataset>, TrainedModel) {
    let dataset = Arc::new(simulate(simulated, &Silent).unwrap().dataset);
    let screen = prepare(&dataset, &config.prepare, config.seed, &Silent).unwrap();
    (dataset, train(&screen, config, DeviceChoice::Cpu, None, &Quiet).unwrap())
}

fn judged(dataset: &Arc<Dataset>, model: &TrainedModel, options: &EvaluateOptions) -> Report {
    let path = std::path::Path::new("model.safetensors");
    evaluate(&JudgedModel { model, path, hash: "hash" }, dataset, options, &Silent).unwrap()
}

fn options(particles: usize) -> EvaluateOptions {
    EvaluateOptions { particles, generated_cells: 0, ..EvaluateOptions::default() }
}

#[test]
fn the_bound_lies_above_the_elbo_rises_with_draws_and_with_learning() {
    let (dataset, model) = trained(8);
    let bound = |particles| judged(&dataset, &model, &options(particles)).likelihood.unwrap();
    let (one, few, many) = (bound(1), bound(7), bound(100));
    assert_eq!(one.cells, model.held_out_cells().len());
    assert_eq!((one.cells, many.particles), (one.of_cells, 100));
    // With one draw they are the same; the first draw is among the seven, and those among the hundred.
    assert!((one.iw_elbo - one.elbo).abs() < 1e-9 && (one.effective_particles - 1.0).abs() < 1e-9);
    assert!(one.iw_elbo < few.iw_elbo && few.iw_elbo < many.iw_elbo, "{one:?} {few:?} {many:?}");
    assert!(few.iw_elbo > few.elbo && many.iw_elbo > many.elbo + 0.1);
    assert!((few.elbo - many.elbo).abs() < 1.0, "they estimate the same");
    assert!(many.effective_particles > 1.0 && many.effective_particles < 100.0);
    assert_eq!(many.by_condition[0].condition, "control");
    let mean: f64 = many.by_condition.iter().map(|row| row.iw_elbo * row.cells as f64).sum::<f64>() / many.cells as f64;
    assert!((mean - many.iw_elbo).abs() < 1e-9);
    assert_eq!(bound(7), few, "the same seed, the same draws");

    let some = EvaluateOptions { weighed_cells: 20, ..options(5) };
    let some = judged(&dataset, &model, &some).likelihood.unwrap();
    assert_eq!((some.cells, some.of_cells), (20, one.cells));

    // One epoch from nothing; what starts from the moments of the counts explains cells better from the beginning.
    let mut config = small_config(1);
    (config.model.start, config.model.averaging) = (Start::Drawn, 0.0);
    let (_, fresh) = trained_on(&SimulateConfig::small(), &config);
    let fresh = judged(&dataset, &fresh, &options(20)).likelihood.unwrap();
    assert!(many.iw_elbo > fresh.iw_elbo + 1.0, "{} {}", many.iw_elbo, fresh.iw_elbo);
}

#[test]
fn generated_cells_are_judged_by_the_limits_of_the_measured_ones() {
    let (dataset, model) = trained(40);
    let options = EvaluateOptions { generated_cells: 300, ..options(0) };
    let report = judged(&dataset, &model, &options);
    let pass = report.quality_pass.as_ref().unwrap();
    assert_eq!(pass.rows.iter().map(|row| row.mads).collect::<Vec<_>>(), [3.0, 4.0, 5.0]);
    assert_eq!((pass.generated_per_condition, pass.perturbations), (300, report.fits.methods[0].effects.perturbations));
    for pair in pass.rows.windows(2) {
        assert!(pair[0].generated <= pair[1].generated && pair[0].measured <= pair[1].measured, "{pair:?}");
    }
    // The control by hand.
    let used: Vec<u32> = model.used_cells().map(|(row, _)| row).collect();
    let metrics = CellMetrics::measure(dataset.matrix(), dataset.genes(), &used, &Silent).unwrap();
    let limits = QualityReport::judge(&metrics, 4.0);
    let generated: Vec<f32> = [(0, 128), (128, 128), (256, 44)]
        .into_iter()
        .flat_map(|(first, count)| {
            model.generate(None, first, count, model.card().settings.seed, &Silent).unwrap().counts
        })
        .collect();
    let passes = |row: &[f32]| {
        let counts = CsrMatrix::from_dense(1, row.len(), row);
        let metrics = CellMetrics::measure(&counts, dataset.genes(), &[0], &Silent).unwrap();
        limits.thresholds.iter().all(|threshold| !threshold.fails(metrics.values(threshold.rule)[0]))
    };
    let passing = generated.chunks(dataset.gene_count()).filter(|row| passes(row)).count();
    assert!((pass.rows[1].generated_control - passing as f64 / 300.0).abs() < 1e-9, "{passing} {pass:?}");
    assert!(passing > 0 && passing < 300);
    assert_eq!(pass.by_condition[0].condition, "control");
    assert_eq!((pass.rules.len(), pass.not_judged.len()), (5, 0));
    assert!(report.definitions.iter().any(|definition| definition.metric == "quality_pass"));
    assert_eq!(judged(&dataset, &model, &options).quality_pass, report.quality_pass);

    // Without genes of a family nothing is said of its share.
    let without = SimulateConfig { quality_genes: 0, ..SimulateConfig::small() };
    let (dataset, model) = trained_on(&without, &small_config(1));
    let report = judged(&dataset, &model, &options);
    let pass = report.quality_pass.unwrap();
    assert_eq!(
        (pass.rules.as_slice(), pass.not_judged.len()),
        (&["counts", "detected genes"].map(String::from)[..], 3)
    );
    assert!(report.notes.iter().any(|note| note.contains("counts and detected genes alone")), "{:?}", report.notes);
}

#[test]
fn all_baselines_rank_the_edges_and_cells_are_compared_as_distributions() {
    let simulated = simulate(&SimulateConfig::small(), &Silent).unwrap();
    let (dataset, model) = trained(5);
    let folder = tempfile::tempdir().unwrap();
    let truth = folder.path().join("truth.tsv");
    simulated.truth.write(&truth).unwrap();
    let options = EvaluateOptions { generated_cells: 60, truth: Some(truth), tree_cells: 100, ..options(0) };
    let report = judged(&dataset, &model, &options);
    let gold = report.gold_standard.as_ref().unwrap();
    let methods: Vec<&str> = gold.methods.iter().map(|score| score.method.as_str()).collect();
    let expected = [
        "GPO-VAE",
        "Mean difference",
        "Knock-out z-score",
        "Correlation",
        "Ridge regression",
        "Boosted trees",
        "Random order",
    ];
    assert_eq!(methods, expected);
    let tested: std::collections::BTreeSet<&str> =
        report.network_tests.as_ref().unwrap().points.iter().map(|point| point.method.as_str()).collect();
    assert_eq!(tested.len(), expected.len());
    for score in &gold.methods {
        assert!(!score.curve.is_empty() && score.curve.len() <= 200 && score.ranked_share > 0.0, "{}", score.method);
    }
    assert!(
        report.notes.iter().any(|note| note.starts_with("Boosted trees were grown on 100 of")),
        "{:?}",
        report.notes
    );

    let distances = report.distances.as_ref().unwrap();
    assert_eq!(distances.rows.len(), report.fits.methods[0].effects.perturbations);
    assert!(distances.rows.iter().all(|row| row.generated.is_some_and(|generated| generated.cells == 60)));
    assert!(distances.rows.iter().all(|row| row.training.is_some_and(|training| training.cells > row.cells)));
    let means = &distances.means;
    let of = |from: &str| means.iter().find(|mean| mean.from.starts_with(from)).unwrap();
    assert!(of("training").e_distance < of("control").e_distance, "{means:?}");
    assert!(means.iter().all(|mean| mean.perturbations == distances.rows.len() && mean.interval.is_some()));
    let json = serde_json::to_value(&report).unwrap();
    let is_defined = |key: &str| report.definitions.iter().any(|definition| definition.metric == key);
    for (values, others) in [
        (&json["gold_standard"]["methods"][0], &["method", "curve"][..]),
        (&json["gold_standard"]["methods"][0]["curve"][0], &["taken"]),
        (&json["distances"]["rows"][0], &["perturbation", "cells", "generated", "training"]),
        (&json["distances"]["rows"][0]["generated"], &["cells"]),
    ] {
        for key in values.as_object().unwrap().keys().filter(|key| !others.contains(&key.as_str())) {
            assert!(is_defined(key), "{key} has no definition");
        }
    }

    for head in tables(&report).iter().flat_map(|table| &table.header) {
        assert!(head.metric.is_empty() || is_defined(head.metric), "{} has no definition", head.title);
    }

    let without = judged(&dataset, &model, &EvaluateOptions { tree_cells: 0, generated_cells: 0, ..options });
    assert!(without.gold_standard.unwrap().methods.iter().all(|score| score.method != "Boosted trees"));
    assert!(without.distances.unwrap().rows.iter().all(|row| row.generated.is_none()));
}

#[test]
fn what_cannot_be_weighed_is_said() {
    let (dataset, model) = trained(1);
    assert_eq!(judged(&dataset, &model, &options(0)).likelihood, None);
    let other = Arc::new(simulate(&SimulateConfig { seed: 9, ..SimulateConfig::small() }, &Silent).unwrap().dataset);
    let all = EvaluateOptions { all_cells: true, ..options(3) };
    let report = judged(&other, &model, &all);
    assert_eq!(report.likelihood, None);
    assert!(report.notes.iter().any(|note| note.starts_with("No IW-ELBO")), "{:?}", report.notes);

    /// Ends the work at a stage.
    struct Until(&'static str, std::sync::atomic::AtomicBool);

    impl Progress for Until {
        fn report(&self, update: ProgressUpdate) {
            self.1.fetch_or(update.stage == self.0, std::sync::atomic::Ordering::Relaxed);
        }

        fn is_cancelled(&self) -> bool {
            self.1.load(std::sync::atomic::Ordering::Relaxed)
        }

        fn should_stop(&self) -> bool {
            self.is_cancelled()
        }
    }

    let until = Until("Weighing draws of held-out cells", std::sync::atomic::AtomicBool::new(false));
    let path = std::path::Path::new("model.safetensors");
    let ended = evaluate(&JudgedModel { model: &model, path, hash: "" }, &dataset, &options(1000), &until);
    let error = ended.unwrap_err();
    assert!(
        error.chain().any(|cause| cause.is::<Cancelled>() || cause.to_string() == Cancelled.to_string()),
        "{error:#}"
    );
}
