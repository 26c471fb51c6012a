//! Asking of a gene what moves it, and why.

use egui_kittest::kittest::Queryable;
use grn_explorer::app::Action;
use grn_explorer::app::state::Prediction;
use grn_explorer::jobs::Silent;
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
    window.click(&target);
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
