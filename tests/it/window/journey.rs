//! One sitting, from the sample to a figure: what a biologist does in the first ten minutes, by label.

use egui_kittest::kittest::{NodeT as _, Queryable as _};
use grn_explorer::app::Action;
use grn_explorer::app::state::Tab;
use grn_explorer::document::NetworkFilter;
use grn_explorer::training::DeviceChoice;

use super::{Window, small};

/// Symbols of the genes drawn.
fn nodes(window: &Window) -> Vec<String> {
    let labels = window.harness.query_all_by_label_contains("node ").filter_map(|node| node.accesskit_node().label());
    labels.filter_map(|label| label.strip_prefix("node ").map(str::to_owned)).collect()
}

/// Let the layout come to rest: nodes are clicked where they lie.
fn rest(window: &mut Window) {
    window.until("the layout", |state| !state.document.positions.is_empty());
    window.harness.run_steps(30);
}

#[test]
fn from_the_sample_to_a_figure() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.harness.run_steps(3);
    window.click("Open the sample");
    window.until("opening", |state| !state.runtime.is_busy() && state.runtime.model.is_some());
    assert_eq!(window.state().view.tab, Tab::Network);
    rest(&mut window);
    let edges = window.state().document.filter.top.expect("by rank");
    assert!((40..=120).contains(&edges), "{edges} edges at first");

    // Select a regulator that was perturbed, and knock it out.
    let model = window.state().runtime.model.clone().unwrap();
    let perturbed = |gene: &String| model.observed_held_out().find(gene).is_some();
    let gene = nodes(&window).into_iter().find(perturbed).expect("a perturbed gene is drawn");
    window.harness.get_by_label(&format!("node {gene}")).click();
    window.harness.run_steps(3);
    assert_eq!(window.state().document.focus(), Some(gene.as_str()));
    assert!(window.mentions("trained on") && window.mentions("knock-down "));
    window.harness.query_all_by_label("Knock out").next().expect("a button").click();
    window.harness.run_steps(3);
    window.until("the prediction", |state| state.runtime.prediction.effect().is_some());
    assert!(window.shows("trained on") && window.mentions("held out"));
    let shifts = &window.state().runtime.prediction.effect().unwrap().shifts;
    assert!(shifts.iter().any(|shift| shift.abs() > 0.05), "nothing answers to {gene}");

    // Fewer edges.
    let before = nodes(&window).len();
    window.harness.get_by_label("Number of edges").set_value_accesskit(15.0);
    window.harness.run_steps(5);
    assert_eq!(window.state().document.filter, NetworkFilter::top(15));
    assert!(nodes(&window).len() < before);

    // Train for a few epochs, stop.
    window.send(Action::SetTab(Tab::Training));
    window.send(Action::SetTraining(small(100_000), DeviceChoice::Cpu));
    window.click("Start training");
    let epochs = |state: &grn_explorer::app::State| state.runtime.training.as_ref().map_or(0, |run| run.epochs.len());
    window.until("two epochs", |state| epochs(state) >= 2);
    window.click("Stop and keep the best");
    window.until("the end", |state| !state.is_training());
    let runtime = &window.state().runtime;
    assert!(runtime.model_unsaved, "{:?}", runtime.messages);
    assert!(!std::sync::Arc::ptr_eq(runtime.model.as_ref().unwrap(), &model));

    // Export what is seen.
    window.send(Action::SetTab(Tab::Network));
    rest(&mut window);
    let path = folder.path().join("figure.svg");
    window.export(&[], &path);
    let figure = std::fs::read_to_string(&path).unwrap();
    let drawn = nodes(&window);
    assert!(!drawn.is_empty() && drawn.iter().any(|gene| figure.contains(&format!(">{gene}<"))), "text is text");
}
