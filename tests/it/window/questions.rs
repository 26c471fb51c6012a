//! Asking of a gene what moves it, and why.

use std::sync::Arc;

use egui_kittest::kittest::Queryable;
use grn_explorer::app::Action;
use grn_explorer::app::state::Prediction;
use grn_explorer::jobs::Silent;
use grn_explorer::models::Intervention;
use grn_explorer::network::hops::hops;

use super::sample;

#[test]
fn what_moves_a_gene_is_told_and_leads_to_the_whole_response() {
    let mut window = sample();
    let model = window.state().runtime.model.clone().unwrap();
    let (genes, held_out) = (&model.card().genes, model.observed_held_out());
    // A measured gene that no perturbation targets: it is no node of the network.
    let is_target =
        |gene: &String| model.card().perturbations.iter().any(|perturbation| perturbation.targets.contains(gene));
    let gene = genes.iter().find(|gene| !is_target(gene)).unwrap().clone();
    let column = held_out.genes.iter().position(|known| *known == gene).unwrap();
    let strongest = (0..held_out.perturbations.len())
        .max_by(|&a, &b| held_out.row(a)[column].abs().total_cmp(&held_out.row(b)[column].abs()))
        .unwrap();
    let strongest = held_out.perturbations[strongest].clone();

    window.send(Action::Select { gene: gene.clone(), extend: false });
    assert!(window.shows(&format!("What moves {gene}?")));
    window.click(&format!("Moved by {strongest}"));
    assert_eq!(window.state().view.perturbation, Some(strongest));
    window.click(&format!("Show all {} perturbations", model.predicted().perturbations.len()));
    assert!(window.shows("Show fewer perturbations"));

    // The picture and the numbers of it, as of other plots; the command line draws the same.
    let folder = tempfile::tempdir().unwrap();
    let [plot, table, again] = ["plot.svg", "table.tsv", "again.svg"].map(|name| folder.path().join(name));
    let button = format!("Export what moves {gene}");
    window.export_by(&button, &["For print"], &plot);
    let svg = std::fs::read_to_string(&plot).unwrap();
    for part in [format!("What moves {gene}"), format!("Shift of {gene} (log2)"), "model hash".to_owned()] {
        assert!(svg.contains(&part), "{part}");
    }
    window.export_by(&button, &["All perturbations (table)"], &table);
    let table = std::fs::read_to_string(&table).unwrap();
    assert_eq!(table.lines().count(), 1 + model.predicted().perturbations.len());
    assert!(table.starts_with("perturbation\tmeasured_shift\tmeasured_on\tcells\tsignificant"));
    let arguments = ["figure", "sample_data/sample_model.safetensors", "--view", "movers", "--gene", &gene, "-o"];
    let drawn = std::process::Command::new(env!("CARGO_BIN_EXE_grn-explorer"));
    let drawn = { drawn }.args(arguments).arg(&again).args(["--width", "89"]).output().unwrap();
    assert!(drawn.status.success(), "{drawn:?}");
    let body = |svg: &str| svg.split_once("</metadata>").expect("metadata").1.to_owned();
    assert_eq!(body(&std::fs::read_to_string(&again).unwrap()), body(&svg));
}

#[test]
fn why_a_gene_moves_is_shared_out_over_the_ways_of_the_network() {
    let mut window = sample();
    let network = window.state().network().unwrap().clone();
    let best = network.edges()[0];
    let (source, target) = (network.symbol(best.regulator).to_owned(), network.symbol(best.target).to_owned());
    window.send(Action::Select { gene: target.clone(), extend: false });
    assert!(!window.shows(&format!("Why does {target} move?")), "nothing is knocked out");
    window.send(Action::KnockOut(vec![(source.clone(), 1.0)]));
    window.until("the prediction", |state| matches!(state.runtime.prediction, Prediction::Ready(_)));
    window.harness.run_steps(4);
    window.harness.query_all_by_label(&target).next().expect("the gene").click();
    window.harness.run_steps(12);
    assert!(window.shows(&format!("Why does {target} move?")));
    window.until("the explanation", |state| state.runtime.explanation.is_some());
    let found = hops(&network, &[(best.regulator, 1.0)], best.target, 5, &Silent).unwrap();
    assert!(window.shows("Direct"));
    let share = 100.0 * found.steps[0] / found.total();
    assert!(window.mentions(&format!("{share:.0} %")));
    window.click(&format!("Way {source} → {target}"));
    assert_eq!(window.state().document.selection, [source.clone(), target]);
    // The knocked-out gene is not asked why it moves.
    window.send(Action::Select { gene: source.clone(), extend: false });
    assert!(!window.shows(&format!("Why does {source} move?")));
    assert!(window.harness.query_all_by_label_contains("Way ").next().is_none());
}

#[test]
fn while_a_dose_is_dragged_the_newest_question_wins() {
    let mut window = sample();
    let model = window.state().runtime.model.clone().unwrap();
    let genes: Vec<String> =
        model.card().perturbations.iter().take(2).flat_map(|shown| shown.targets.clone()).collect();
    let asked = |dose: f32| genes.iter().map(|gene| (gene.clone(), dose)).collect::<Vec<(String, f32)>>();
    window.send(Action::KnockOut(asked(1.0)));
    window.until("the prediction", |state| matches!(state.runtime.prediction, Prediction::Ready(_)));
    let whole = window.state().runtime.prediction.effect().unwrap().clone();
    for step in (0..20).rev() {
        window.harness.state_mut().send(Action::KnockOut(asked(0.05 * step as f32)));
        window.harness.step();
        assert!(window.state().runtime.prediction.effect().is_some(), "an answer is shown all the time");
    }
    window.send(Action::KnockOut(asked(0.35)));
    window.until("the newest", |state| matches!(state.runtime.prediction, Prediction::Ready(_)));
    let found = window.state().runtime.prediction.effect().unwrap().clone();
    let expected = model.predict(&Intervention::with_doses(asked(0.35)), &Silent).unwrap();
    assert_eq!(*found, expected);
    assert!(!Arc::ptr_eq(&found, &whole) && found.name.contains("× 0.35"));
}

#[test]
fn doses_of_several_genes_are_set_together_and_told() {
    let mut window = sample();
    let model = window.state().runtime.model.clone().unwrap();
    let genes: Vec<String> =
        model.card().perturbations.iter().take(2).flat_map(|shown| shown.targets.clone()).collect();
    window.send(Action::KnockOut(genes.iter().map(|gene| (gene.clone(), 1.0)).collect()));
    window.until("the prediction", |state| matches!(state.runtime.prediction, Prediction::Ready(_)));
    window.harness.get_by_label("Dose of all genes").set_value_accesskit(0.35);
    window.harness.run_steps(4);
    assert!(window.state().document.knock_out.values().all(|dose| *dose == 0.35));
    window.until("the prediction", |state| matches!(state.runtime.prediction, Prediction::Ready(_)));
    let what = model.card().perturbation_kind.label();
    assert!(window.mentions(&format!("partial {what}: 35 % of the screen's")));
    assert!(window.mentions("partial dose") && window.mentions(&format!("{} × 0.35", genes[0])));
    // Beyond the screen in dose, and in the number of genes.
    window.click("Allow doses beyond 0 to 1");
    window.harness.get_by_label(&format!("Dose of {}", genes[0])).set_value_accesskit(-0.5);
    window.harness.run_steps(4);
    assert!(window.mentions("dose out of range") && window.mentions("the other way; beyond the screen"));
    let many: Vec<(String, f32)> =
        model.card().treatments.iter().take(5).map(|treatment| (treatment.symbol.clone(), 1.0)).collect();
    window.send(Action::KnockOut(many));
    window.until("the prediction", |state| matches!(state.runtime.prediction, Prediction::Ready(_)));
    assert!(window.shows("out of range"));
}

#[test]
fn badges_say_in_every_place_what_a_gene_rests_on() {
    let mut window = sample();
    let network = window.state().network().unwrap().clone();
    let never = network.genes().iter().find(|gene| gene.perturbed_cells == 0);
    let gene = network.symbol(network.edges()[0].regulator).to_owned();
    let badges = window.state().evidence().unwrap().of_gene(&gene);
    let labels: Vec<String> = badges.iter().map(grn_explorer::tasks::badges::Badge::label).collect();
    assert_eq!(labels[0], "trained on");
    // Inspector, and the list of genes on hover.
    window.send(Action::Select { gene: gene.clone(), extend: false });
    window.harness.run_steps(4);
    assert!(labels.iter().all(|label| window.mentions(label)), "{labels:?}");
    window.click("All genes");
    let row = window.harness.get_by_label(&format!("gene {gene}")).rect().center();
    window.harness.hover_at(row);
    window.harness.run_steps(12);
    assert!(window.mentions(&format!("{gene}\nTrained on\n{}", labels[1])));
    // The node's tooltip.
    window.until("the layout", |state| !state.document.positions.is_empty());
    window.send(Action::ShowPerturbation(None));
    let node = window.harness.get_by_label(&format!("node {gene}")).rect().center();
    window.harness.hover_at(node);
    window.harness.run_steps(12);
    assert!(labels.iter().all(|label| window.shows(label)), "{labels:?}");
    if let Some(never) = never {
        window.send(Action::Select { gene: never.symbol.clone(), extend: false });
        window.harness.run_steps(4);
        assert!(window.mentions("never perturbed"));
    }
}
