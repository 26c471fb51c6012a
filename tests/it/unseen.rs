//! Genes that no training cell was perturbed in.

use grn_explorer::jobs::Silent;
use grn_explorer::models::gpo_vae::Unseen;
use grn_explorer::models::{Intervention, Novelty, PredictError, TrainConfig, TrainedModel, merge};
use grn_explorer::training::{DeviceChoice, train};

use crate::training::{Watcher, small_config, small_screen};

/// Perturbations kept whole from the training.
const HELD_OUT: usize = 2;

fn config(unseen: Unseen) -> TrainConfig {
    let mut config = small_config(12);
    let screen = small_screen(&config);
    // The first treatments by name.
    config.prepare.held_out_perturbations = screen.treatments[..HELD_OUT].to_vec();
    config.model.unseen = unseen;
    config
}

fn trained(config: &TrainConfig) -> TrainedModel {
    train(&small_screen(config), config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap()
}

/// A measured gene that is no node of the network.
fn other_gene(model: &TrainedModel) -> String {
    let card = model.card();
    let is_node = |gene: &&String| card.treatments.iter().any(|treatment| treatment.symbol == **gene);
    card.genes.iter().find(|gene| !is_node(gene)).expect("more genes than nodes").clone()
}

#[test]
fn a_gene_that_was_not_seen_is_answered_from_those_that_were() {
    let config = config(Unseen::Transferred);
    let model = trained(&config);
    let reopened = TrainedModel::from_bytes(&model.to_bytes().unwrap()).unwrap();
    let held_out = &config.prepare.held_out_perturbations;
    let predict = |model: &TrainedModel, gene: &str, dose: f32| {
        model.predict(&Intervention::with_doses([(gene.to_owned(), dose)]), &Silent).unwrap()
    };
    for (row, name) in model.predicted().perturbations.iter().enumerate() {
        let single = !name.contains('+');
        if !single {
            continue;
        }
        let effect = predict(&model, name, 1.0);
        assert_eq!(effect.lenders.is_some(), held_out.contains(name), "{name}");
        assert_eq!(effect.shifts, model.predicted().row(row), "{name}");
        assert_eq!(effect, predict(&reopened, name, 1.0), "{name} of the reopened model");
        if held_out.contains(name) {
            assert!(matches!(effect.novelty, Novelty::HeldOut { .. }), "{:?}", effect.novelty);
        }
    }
    // Any gene that is measured, at any dose, alone and with others.
    let other = other_gene(&model);
    let whole = predict(&model, &other, 1.0);
    assert_eq!(whole.novelty, Novelty::NeverPerturbed);
    let lenders = whole.lenders.unwrap();
    let seen = model.card().perturbations.iter().filter(|shown| shown.targets.len() == 1 && shown.was_seen());
    assert_eq!(lenders.perturbations, seen.count());
    assert!(lenders.pearson.is_some_and(|r| (-1.0..1.0).contains(&r)), "{lenders:?}");
    let size = |shifts: &[f32]| shifts.iter().map(|shift| shift * shift).sum::<f32>().sqrt();
    assert!(size(&whole.shifts) > 0.0);
    assert!(predict(&model, &other, 0.0).shifts.iter().all(|shift| *shift == 0.0));
    let half = size(&predict(&model, &other, 0.5).shifts) / size(&whole.shifts);
    assert!((0.3..0.7).contains(&half), "{half}");
    let known = model.card().perturbations.iter().find(|shown| shown.was_seen()).unwrap().targets[0].clone();
    let both = model.predict(&Intervention::knock_out([known.clone(), other.clone()]), &Silent).unwrap();
    assert!(both.lenders.is_some() && both.shifts != predict(&model, &known, 1.0).shifts);
    // Its cells can be drawn, and nothing is asked of genes that are not there.
    let cells = model.generate(Some(&Intervention::knock_out([other])), 0, 20, 1, &Silent).unwrap();
    assert!(cells.counts.iter().sum::<f32>() > 0.0);
    let nobody = model.predict(&Intervention::knock_out(["nobody"]), &Silent).unwrap_err();
    assert!(matches!(nobody, PredictError::UnknownGene { count, .. } if count >= model.card().genes.len()), "{nobody}");
}

#[test]
fn as_published_a_gene_is_answered_from_its_own_parameters() {
    let config = config(Unseen::Learned);
    let model = trained(&config);
    let held_out =
        model.predict(&Intervention::knock_out([&config.prepare.held_out_perturbations[0]]), &Silent).unwrap();
    assert_eq!(held_out.lenders, None);
    let refused = model.predict(&Intervention::knock_out([other_gene(&model)]), &Silent).unwrap_err();
    let nodes = model.card().treatments.len();
    assert!(matches!(refused, PredictError::UnknownGene { count, .. } if count == nodes), "{refused}");
    // The training is the same.
    let transferred = trained(&TrainConfig {
        model: grn_explorer::models::gpo_vae::GpoVaeConfig { unseen: Unseen::Transferred, ..config.model.clone() },
        ..config
    });
    assert_eq!(model.card().history.len(), transferred.card().history.len());
    let losses = |model: &TrainedModel| model.card().history.iter().map(|epoch| epoch.validation).collect::<Vec<_>>();
    assert_eq!(losses(&model), losses(&transferred));
}

#[test]
fn an_ensemble_predicts_what_it_was_not_shown_as_it_is_asked() {
    let config = TrainConfig { members: None, ..config(Unseen::Transferred) };
    let member = |number: u32| {
        let config = TrainConfig { member: Some(number), ..config.clone() };
        (format!("{number}.safetensors").into(), trained(&config))
    };
    let ensemble = merge(vec![member(1), member(2)], &Silent).unwrap();
    let reopened = TrainedModel::from_bytes(&ensemble.to_bytes().unwrap()).unwrap();
    for name in &config.prepare.held_out_perturbations {
        let row = ensemble.predicted().perturbations.iter().position(|known| known == name).unwrap();
        for model in [&ensemble, &reopened] {
            let asked = model.predict(&Intervention::knock_out([name]), &Silent).unwrap();
            assert_eq!(asked.shifts, model.predicted().row(row), "{name}");
            assert_eq!(asked.spread, model.spread_of(row), "{name}");
            assert!(asked.spread.unwrap().of_genes.iter().any(|deviation| *deviation > 0.0));
        }
    }
}
