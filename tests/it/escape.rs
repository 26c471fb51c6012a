//! Cells that escaped their perturbation.

use std::sync::Arc;

use grn_explorer::data::simulate::{SimulateConfig, simulate};
use grn_explorer::data::{ImportOptions, h5ad};
use grn_explorer::jobs::Silent;
use grn_explorer::models::gpo_vae::Escaped;
use grn_explorer::models::{AskedCells, Intervention, TrainConfig, TrainedModel};
use grn_explorer::preprocess::escape::responding;
use grn_explorer::preprocess::{PrepareConfig, PreparedScreen, prepare};
use grn_explorer::training::{DeviceChoice, train};

use crate::reference::data_file;
use crate::training::{Watcher, small_config};

/// Three tenths of the cells escaped.
fn screen(config: &TrainConfig) -> PreparedScreen {
    let simulated = SimulateConfig {
        genes: 60,
        perturbations: 6,
        cells: 1500,
        ineffective_perturbations: 0,
        combinations: 0,
        escape_share: 0.3,
        seed: 4,
        ..SimulateConfig::small()
    };
    let dataset = Arc::new(simulate(&simulated, &Silent).unwrap().dataset);
    prepare(&dataset, &config.prepare, config.seed, &Silent).unwrap()
}

fn trained(escaped: Escaped) -> TrainedModel {
    let mut config = small_config(15);
    config.model.escaped = escaped;
    train(&screen(&config), &config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap()
}

/// The gene of which most cells were told apart, and the share that responds.
fn told(model: &TrainedModel) -> (String, f32) {
    let shares = model.card().treatments.iter().filter_map(|treatment| Some((treatment, treatment.responding?)));
    let (treatment, share) = shares.min_by(|a, b| a.1.total_cmp(&b.1)).expect("a share that is told");
    (treatment.symbol.clone(), share)
}

/// Mean log2(10,000·x/Σx + 1) of every gene.
fn means(counts: &[f32], genes: usize) -> Vec<f32> {
    let mut sums = vec![0.0; genes];
    for row in counts.chunks_exact(genes) {
        let total: f32 = row.iter().sum();
        sums.iter_mut().zip(row).for_each(|(sum, count)| *sum += (1e4 * count / total.max(1.0)).ln_1p());
    }
    sums.iter().map(|sum| sum * std::f32::consts::LOG2_E / (counts.len() / genes) as f32).collect()
}

#[test]
fn a_perturbation_is_answered_as_the_mixture_of_its_cells() {
    let model = trained(Escaped::ToldApart);
    let (gene, share) = told(&model);
    assert!((0.5..0.9).contains(&share), "{gene}: {share}");
    let question = Intervention::knock_out([&gene]);
    let predicted = model.predict(&question, &Silent).unwrap().shifts;
    let reopened = TrainedModel::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!(reopened.card().treatments, model.card().treatments);
    assert_eq!(reopened.predict(&question, &Silent).unwrap().shifts, predicted);
    // A share that is none is refused.
    let mut broken = model.to_bytes().unwrap();
    let key = br#"responding\":0."#;
    let at = broken.windows(key.len()).position(|part| part == key).expect("a share in the card");
    broken[at + key.len() - 2] = b'7';
    let refused = TrainedModel::from_bytes(&broken).unwrap_err().to_string();
    assert!(refused.contains("share of cells that respond"), "{refused}");
    // Drawn cells are of both kinds: their mean is what is predicted, and of the gene that moves most those that respond and those that do
    // not are further apart than their mean is from control.
    let genes = model.card().genes.len();
    let cells = |question: Option<&Intervention>| -> Vec<f32> {
        let portions = (0..3000).step_by(TrainedModel::GENERATED_AT_A_TIME);
        let of = |first| model.generate(question, first, TrainedModel::GENERATED_AT_A_TIME, 5, &Silent).unwrap().counts;
        portions.flat_map(of).collect()
    };
    let (drawn, control) = (means(&cells(Some(&question)), genes), means(&cells(None), genes));
    let largest = (0..genes).max_by(|&a, &b| predicted[a].abs().total_cmp(&predicted[b].abs())).unwrap();
    assert!(predicted[largest].abs() > 0.2, "{}", predicted[largest]);
    for gene in 0..genes {
        let found = drawn[gene] - control[gene];
        assert!((found - predicted[gene]).abs() < 0.25, "gene {gene}: {found}, predicted {}", predicted[gene]);
    }
}

#[test]
fn doses_and_combinations_have_their_escaped_cells() {
    let model = trained(Escaped::ToldApart);
    let (gene, _) = told(&model);
    let treatments = &model.card().treatments;
    let other = treatments.iter().find(|other| other.symbol != gene && other.perturbed_cells > 0).unwrap();
    let ask = |doses: &[(&str, f32)]| {
        let doses = doses.iter().map(|(gene, dose)| ((*gene).to_owned(), *dose));
        model.predict(&Intervention::with_doses(doses), &Silent).unwrap().shifts
    };
    let size = |shifts: &[f32]| shifts.iter().map(|shift| shift * shift).sum::<f32>();
    assert!(size(&ask(&[(&gene, 0.0)])) < 1e-6);
    assert!(size(&ask(&[(&gene, 0.5)])) < size(&ask(&[(&gene, 1.0)])));
    // Without a dose of it a gene in a combination changes nothing.
    let (alone, beside) = (ask(&[(&other.symbol, 1.0)]), ask(&[(&gene, 0.0), (&other.symbol, 1.0)]));
    let worst = alone.iter().zip(&beside).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 0.05, "{worst}");
}

#[test]
fn cells_that_respond_are_asked_about_alone() {
    let model = trained(Escaped::ToldApart);
    let (gene, share) = told(&model);
    assert_eq!(model.responding_share([gene.as_str()]), share);
    let question = Intervention::knock_out([&gene]);
    let among = question.clone().among(AskedCells::Responding);
    let (all, responding) = (model.predict(&question, &Silent).unwrap(), model.predict(&among, &Silent).unwrap());
    assert_eq!((all.responding, responding.responding), (None, Some(share)));
    assert_eq!((all.label(), responding.label()), (gene.clone(), format!("{gene}, responding cells")));
    assert_eq!(responding.name, gene, "the question is the same");
    // Those that escaped are like control cells: the mean over all cells is the share times that of those that respond.
    for (all, responding) in all.shifts.iter().zip(&responding.shifts) {
        assert!((all - share * responding).abs() < 1e-4, "{all}, {share} of {responding}");
    }
    // Where all respond it is the same answer, and says so.
    let treatments = &model.card().treatments;
    let none_escapes =
        |other: &&grn_explorer::models::Treatment| other.responding.is_none() && other.perturbed_cells > 0;
    let other = &treatments.iter().find(none_escapes).expect("a gene of which no cell escaped").symbol;
    let question = Intervention::knock_out([other]);
    let answer = |question: &Intervention| model.predict(question, &Silent).unwrap();
    assert_eq!(answer(&question.clone().among(AskedCells::Responding)), answer(&question));
    // In a combination all respond to both.
    let both = Intervention::knock_out([&gene, other]);
    let [all, responding] = [AskedCells::All, AskedCells::Responding].map(|cells| answer(&both.clone().among(cells)));
    assert_eq!(responding.responding, Some(share));
    let size = |shifts: &[f32]| shifts.iter().map(|shift| shift * shift).sum::<f32>();
    assert!(size(&responding.shifts) > size(&all.shifts));
    // Drawn cells are of the one kind.
    let genes = model.card().genes.len();
    let drawn = |cells: AskedCells| {
        let question = Intervention::knock_out([&gene]).among(cells);
        means(&model.generate(Some(&question), 0, 2000, 5, &Silent).unwrap().counts, genes)
    };
    let expected = model.predict(&among, &Silent).unwrap();
    let largest = (0..genes).max_by(|&a, &b| expected.shifts[a].abs().total_cmp(&expected.shifts[b].abs())).unwrap();
    let difference = drawn(AskedCells::Responding)[largest] - drawn(AskedCells::All)[largest];
    let told = (1.0 - share) * expected.shifts[largest];
    assert!((difference - told).abs() < 0.25 && difference * told > 0.0, "{difference}, expected {told}");
}

#[test]
fn as_published_every_cell_counts() {
    let model = trained(Escaped::Counted);
    assert!(model.card().treatments.iter().all(|treatment| treatment.responding.is_none()));
    let text = serde_json::to_string(model.card()).unwrap();
    assert!(!text.contains("responding"), "a card as it was before");
}

/// In a real screen of the interferon response the genes of its pathway show which cells escaped, and nothing but their counts tells that
/// one guide of IFNGR1 works far less often than the others.
#[test]
fn in_a_real_screen_guides_differ_in_how_many_cells_escape() {
    let Some(path) = data_file("papalexi2021/papalexi2021_rep1.h5ad") else { return };
    let dataset = Arc::new(h5ad::read(&path, &ImportOptions::default(), &Silent).unwrap());
    let screen = prepare(&dataset, &PrepareConfig::default(), 1, &Silent).unwrap();
    let found = responding(&screen, &Silent).unwrap();
    let told: Vec<(&str, f32)> = screen
        .treatments
        .iter()
        .zip(&found.shares)
        .filter_map(|(symbol, share)| Some((symbol.as_str(), (*share)?)))
        .collect();
    println!("{told:?}");
    let pathway = ["IFNGR1", "IFNGR2", "IRF1", "JAK2", "STAT1", "STAT2", "SMAD4"];
    assert!(told.iter().all(|(symbol, _)| pathway.contains(symbol)), "{told:?}");
    for expected in ["IFNGR1", "IFNGR2", "JAK2", "STAT1"] {
        assert!(told.iter().any(|(symbol, share)| *symbol == expected && (0.5..0.9).contains(share)), "{told:?}");
    }
    let guides = dataset.guide().expect("guides");
    let share = |guide: &str| {
        let level = guides.levels.iter().position(|level| level == guide).expect("a guide") as u32;
        let is_own = |(row, _): &(&u32, &f32)| guides.codes[**row as usize] == Some(level);
        let own: Vec<f32> = screen.cells.iter().zip(&found.probabilities).filter(is_own).map(|(_, p)| *p).collect();
        own.iter().sum::<f32>() / own.len() as f32
    };
    let [first, second, third] = ["IFNGR1g1", "IFNGR1g2", "IFNGR1g3"].map(share);
    println!("IFNGR1 by guide: {first} {second} {third}");
    assert!(second < 0.5 && first > 0.65 && third > 0.65);
}
