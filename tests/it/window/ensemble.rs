//! How sure an ensemble is: trained in the window, shown on the network, in tables, in the answer and in files.

use grn_explorer::app::Action;
use grn_explorer::app::state::{Prediction, Tab, TableKind};
use grn_explorer::document::{EdgeAttribute, NetworkFilter, Style};
use grn_explorer::models::{INTERVAL_LEVEL, TrainConfig};
use grn_explorer::network::Agreement;
use grn_explorer::training::DeviceChoice;

use super::{Window, screen, small};

#[test]
fn an_ensemble_tells_how_sure_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&screen(folder.path()));
    window.send(Action::SetTab(Tab::Training));
    let config = TrainConfig { members: Some(3), ..*small(3) };
    window.send(Action::SetTraining(Box::new(config), DeviceChoice::Cpu));
    window.click("Start training");
    window.until("the second member", |state| {
        state.runtime.training.as_ref().is_none_or(|run| run.member.is_some_and(|(number, _)| number > 1))
    });
    window.until("training", |state| !state.is_training());
    let model = window.state().runtime.model.clone().expect("a model");
    assert_eq!(model.member_count(), 3);
    assert!(window.shows("Loss over epochs, member 3 of 3"));

    // The network: what members agree on, in the colours, the table and beside a selected edge.
    window.send(Action::SetTab(Tab::Network));
    window.send(Action::SetFilter(Box::new(NetworkFilter::top(12))));
    let style = Style { edge_colour: EdgeAttribute::Agreement, ..Style::default() };
    window.send(Action::SetStyle(Box::new(style)));
    window.send(Action::ShowTable(Some(TableKind::Edges)));
    window.harness.run_steps(20);
    let network = model.network();
    let best = &network.edges()[0];
    let agreement = Agreement::of(network, &network.edges()[..12]).unwrap();
    assert_eq!((agreement.kept(), agreement.members()), (12, 3));
    assert!(window.mentions("Kept by"));
    assert!(window.mentions(&format!("{} of 3", agreement.keeping(best))));
    let ends = [best.regulator, best.target].map(|gene| network.symbol(gene).to_owned());
    window.send(Action::SelectAll(ends.to_vec()));
    window.harness.run_steps(20);
    let told = agreement.told(best);
    assert!(window.mentions(&told), "{told}");

    // Only what all members agree on: a filter as the others, with what it left, undone in one step.
    window.click("Filters");
    window.click("Agreement");
    window.harness.run_steps(4);
    let fewest = NetworkFilter { minimum_agreement: Some(2.0 / 3.0), ..NetworkFilter::top(12) };
    assert_eq!(window.state().document.filter, fewest);
    assert!(window.shows("Fewest members that keep an edge"));
    let all = NetworkFilter { minimum_agreement: Some(1.0), ..fewest };
    window.send(Action::SetFilter(Box::new(all.clone())));
    window.harness.run_steps(4);
    let left = all.apply(network);
    assert!(left.edge_count() < 12 && left.edges().all(|edge| agreement.keeping(edge) == 3));
    let shown = window.state().shown().expect("a network");
    assert_eq!((shown.edge_count(), shown.agreement().unwrap().kept()), (left.edge_count(), 12));
    assert!(window.mentions(&format!("{} edges · ", left.edge_count())));
    window.send(Action::Undo);
    window.send(Action::Undo);
    assert_eq!(window.state().document.filter, NetworkFilter::top(12));

    // What its training tested: beside the edge, as a filter and a colour; in the table where it has room.
    let rated = |edge: &&grn_explorer::network::Edge| edge.false_discovery_rate.is_some_and(|rate| rate <= 0.05);
    let expected = network.edges().iter().filter(rated).count();
    assert!(expected > 0, "something is found");
    let tested = network.edges()[..12].iter().find(|edge| edge.false_discovery_rate.is_some()).expect("a tested edge");
    let ends = [tested.regulator, tested.target].map(|gene| network.symbol(gene).to_owned());
    window.send(Action::SelectAll(ends.to_vec()));
    window.click("Between");
    window.harness.run_steps(20);
    assert!(window.mentions("False discovery rate "));
    window.click("Filters");
    window.send(Action::SetFilter(Box::default()));
    window.click("FDR at most");
    window.harness.run_steps(20);
    assert_eq!(window.state().document.filter.false_discovery_rate, Some(0.05));
    assert_eq!(window.state().document.filter.apply(network).edge_count(), expected);
    let style = Style { edge_colour: EdgeAttribute::FalseDiscovery, ..Style::default() };
    window.send(Action::SetStyle(Box::new(style)));
    window.click("Style and reference network");
    window.click("Colour of edges");
    window.harness.run_steps(20);
    assert!(window.mentions("False discovery"), "it is among the colours of edges");

    // A knock-out: the answer has intervals, on the screen and in the table that is saved.
    let gene = model.card().treatments.iter().find(|treatment| treatment.perturbed_cells > 0).unwrap().symbol.clone();
    window.send(Action::KnockOut(vec![(gene.clone(), 1.0)]));
    window.until("the answer", |state| matches!(state.runtime.prediction, Prediction::Ready(_)));
    let effect = window.state().runtime.prediction.effect().expect("an answer").clone();
    let spread = effect.spread.as_ref().expect("a spread");
    assert_eq!((spread.members, spread.label().as_str()), (3, "90 % interval, 3 members"));
    assert_eq!(INTERVAL_LEVEL, 0.9);
    assert!(spread.half_widths().iter().any(|half| *half > 0.0));

    // Kept and opened again it says the same.
    let path = folder.path().join("ensemble.safetensors");
    window.answers.next(&path);
    window.send(Action::SaveModel);
    window.until("saving", |state| !state.runtime.model_unsaved);
    let mut other = Window::new([2400.0, 1000.0]);
    other.open(&path);
    other.send(Action::ShowTable(Some(TableKind::Edges)));
    other.harness.run_steps(20);
    assert!(other.mentions("FDR"));
    let opened = other.state().runtime.model.clone().expect("a model");
    assert_eq!(opened.member_count(), 3);
    assert_eq!(opened.network().member_ranks(), network.member_ranks());
    other.send(Action::SetTab(Tab::Data));
    other.harness.run_steps(5);
    assert!(other.mentions("3 members") || other.mentions("kept epochs"));
    assert_eq!(other.state().document.training.members, Some(3), "the next run would be of as many");
}

#[test]
fn after_a_member_is_opened_the_next_run_is_a_model_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&screen(folder.path()));
    let config = TrainConfig { member: Some(2), ..*small(1) };
    window.send(Action::StartTraining(Box::new(config), DeviceChoice::Cpu));
    window.until("training", |state| !state.is_training());
    let path = folder.path().join("member.safetensors");
    window.answers.next(&path);
    window.send(Action::SaveModel);
    window.until("saving", |state| !state.runtime.model_unsaved);
    let mut other = Window::new([1280.0, 800.0]);
    other.open(&path);
    assert_eq!(other.state().runtime.model.as_ref().unwrap().card().settings.member, Some(2));
    assert_eq!(other.state().document.training.member, None);
}
