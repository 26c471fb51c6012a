//! Knock-outs that are known to do nothing are not called by a trained ensemble more often than it says; those known to act are.
//!
//! A model far smaller than the default and fewer epochs, so that the test takes a minute: what it is sure of is less than what the
//! default finds, its rate is the same.

use std::sync::Arc;

use grn_explorer::data::ImportOptions;
use grn_explorer::jobs::Silent;
use grn_explorer::models::{CALL_RATE, Intervention, TrainConfig, TrainedModel};
use grn_explorer::preprocess::prepare;
use grn_explorer::tasks::open;
use grn_explorer::training::{DeviceChoice, train_members};

use super::judging::Quiet;
use super::reference::data_file;

/// Of Papalexi et al. 2021: no measured response.
const IDLE: [&str; 9] = ["CD86", "CAV1", "ATF2", "PDCD1LG2", "ETV7", "MARCH8", "POU2F2", "IRF7", "STAT5A"];
/// The strongest responses.
const STRONG: [&str; 6] = ["IFNGR1", "IFNGR2", "JAK2", "STAT1", "SMAD4", "IRF1"];

/// Share of genes outside their interval, and number of genes called.
fn judged(model: &TrainedModel, gene: &str) -> (f64, usize) {
    let effect = model.predict(&Intervention::knock_out([gene]), &Silent).unwrap();
    let genes = &model.card().genes;
    let widths = effect.spread.as_ref().unwrap().half_widths();
    let others = (0..genes.len()).filter(|&at| genes[at] != gene);
    let outside = others.filter(|&at| effect.shifts[at].abs() > widths[at]).count();
    let called = effect.adjusted_p(genes).unwrap().iter().filter(|p| **p < CALL_RATE).count();
    (outside as f64 / genes.len() as f64, called)
}

#[test]
fn knock_outs_without_effect_are_not_called_more_often_than_stated() {
    let Some(path) = data_file("papalexi2021/papalexi2021_rep1.h5ad") else { return };
    let dataset = open::dataset(&path, &ImportOptions::default(), &Silent).unwrap();
    let mut config = TrainConfig { members: Some(5), seed: 1, ..TrainConfig::default() };
    let model = &mut config.model;
    (model.latent, model.decoder_hidden, model.basal_hidden, model.embedding_hidden) = (16, 32, 32, 32);
    (model.embedding_layers, model.particles, model.epochs, model.null_shuffles) = (2, 1, 8, 0);
    (model.learning_rate, model.prediction_samples) = (5e-3, 256);
    let begun = std::time::Instant::now();
    let screen = prepare(&Arc::clone(&dataset), &config.prepare, config.seed, &Silent).unwrap();
    let model = train_members(&screen, &config, DeviceChoice::Cpu, None, &Quiet).unwrap();
    println!("prepared and trained in {:.0} s", begun.elapsed().as_secs_f32());
    let [idle, strong] = [&IDLE[..], &STRONG].map(|genes| {
        let found: Vec<(f64, usize)> = genes.iter().map(|gene| judged(&model, gene)).collect();
        genes.iter().zip(&found).for_each(|(gene, (outside, called))| {
            println!("{gene}: {:.0} % outside their interval, {called} called", 100.0 * outside);
        });
        found
    });
    let mean = |of: &[(f64, usize)]| of.iter().map(|(outside, _)| outside).sum::<f64>() / of.len() as f64;
    let called = |of: &[(f64, usize)]| of.iter().filter(|(_, called)| *called > 0).count();
    // 10 % of the shifts of an idle gene lie outside their interval, and genes of one knock-out go together.
    assert!(mean(&idle) < 0.15, "{}", mean(&idle));
    assert!(mean(&strong) > 2.0 * mean(&idle), "{} against {}", mean(&strong), mean(&idle));
    // Of nine at 5 %, more than two has a probability of less than 1 %.
    assert!(called(&idle) <= 2, "{} of 9 that do nothing are called", called(&idle));
    assert!(called(&strong) >= 3, "{} of 6 that act are called", called(&strong));
}
