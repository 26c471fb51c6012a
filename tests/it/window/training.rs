//! Training from the window.

use egui_kittest::kittest::{NodeT as _, Queryable as _};
use grn_explorer::app::Action;
use grn_explorer::app::findings::FilterFinding;
use grn_explorer::app::state::{Severity, Tab};
use grn_explorer::training::DeviceChoice;

use super::{Window, screen, small};

/// A window at its training page, with a simulated screen.
fn training_page(folder: &std::path::Path) -> Window {
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&screen(folder));
    window.send(Action::SetTab(Tab::Training));
    window
}

#[test]
fn a_few_epochs_give_a_model_with_curves() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = training_page(folder.path());
    window.send(Action::SetTraining(small(3), DeviceChoice::Cpu));
    window.click("Start training");
    assert!(window.state().is_training());
    window.until("training", |state| !state.is_training());
    let runtime = &window.state().runtime;
    assert!(runtime.model.is_some(), "{:?}", runtime.messages);
    let run = runtime.last_run.as_ref().unwrap();
    assert_eq!(run.epochs.len(), 3);
    assert!(run.device.is_some());
    assert!(runtime.model_unsaved);
    assert!(window.shows("Loss over epochs") && window.shows("Reconstruction"));
    window.click("Export Total");
    window.harness.run_steps(5);
    assert!(window.shows("Preview of the figure") && window.shows("All terms (table)"));
    window.click("Cancel");
    assert!(!window.shows("Preview of the figure"));

    // It is guarded, can be saved, and opens again without the data set.
    assert!(window.state().unsaved().is_some());
    let path = folder.path().join("mine.safetensors");
    window.answers.next(&path);
    window.send(Action::SaveModel);
    window.until("saving", |state| !state.runtime.model_unsaved);
    let mut other = Window::new([1280.0, 800.0]);
    other.open(&path);
    assert!(other.state().runtime.model.is_some() && other.state().runtime.dataset.is_none());
    assert_eq!(other.state().view.tab, Tab::Network);
}

#[test]
fn stop_keeps_the_best_and_cancel_keeps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = training_page(folder.path());
    let started =
        |state: &grn_explorer::app::State| state.runtime.training.as_ref().is_none_or(|run| !run.epochs.is_empty());

    window.send(Action::StartTraining(small(100_000), DeviceChoice::Cpu));
    window.until("the first epoch", started);
    window.click("Cancel");
    window.until("the end", |state| !state.is_training());
    assert!(window.state().runtime.model.is_none());

    window.send(Action::StartTraining(small(100_000), DeviceChoice::Cpu));
    window.until("the first epoch", started);
    window.click("Stop and keep the best");
    window.until("the end", |state| !state.is_training());
    assert!(window.state().runtime.model.is_some());
    assert!(window.state().runtime.messages.iter().any(|message| message.title == "Training finished"));
}

#[test]
fn training_waits_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = training_page(folder.path());
    window.send(Action::StartTraining(small(100_000), DeviceChoice::Cpu));
    let epochs = |state: &grn_explorer::app::State| state.runtime.training.as_ref().map_or(0, |run| run.epochs.len());
    window.until("the first epoch", |state| epochs(state) > 0);
    window.click("Pause");
    window.until("the pause", |state| state.runtime.training.as_ref().is_some_and(|run| run.paused));
    // What was under way when it was asked to wait may still arrive.
    std::thread::sleep(std::time::Duration::from_millis(300));
    window.harness.run_steps(3);
    let before = epochs(window.state());
    std::thread::sleep(std::time::Duration::from_millis(300));
    window.harness.run_steps(3);
    assert_eq!(epochs(window.state()), before, "nothing is learned meanwhile");
    window.click("Resume");
    window.until("more epochs", |state| epochs(state) > before);
    // A run that waits can be ended too.
    window.click("Pause");
    window.until("the pause", |state| state.runtime.training.as_ref().is_some_and(|run| run.paused));
    window.click("Stop and keep the best");
    window.until("the end", |state| !state.is_training());
    assert!(window.state().runtime.model.is_some());
}

#[test]
fn a_run_that_does_not_fit_into_memory_is_refused_and_can_be_mended() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = training_page(folder.path());
    window.harness.run_steps(3);
    assert!(window.mentions("of memory"), "what it needs is told before it starts");
    let mut config = small(1);
    config.model.decoder_hidden = 3_000_000;
    window.send(Action::SetTraining(config.clone(), DeviceChoice::Cpu));
    window.harness.run_steps(3);
    assert!(window.mentions("are free") && window.shows("Start all the same"));
    // The menu is no way round it.
    window.send(Action::StartTraining(config, DeviceChoice::Cpu));
    assert!(!window.state().is_training());
    let message = window.state().runtime.messages.last().unwrap();
    assert_eq!(message.title, "The memory will not do");
    assert!(message.detail.contains("units in the decoder (now 3,000,000)"), "{}", message.detail);

    let nodes = window.harness.query_all_by_label_contains("units in the decoder");
    let labels = nodes.filter_map(|node| node.accesskit_node().label());
    let fitting = { labels }.find(|label| label.ends_with("units in the decoder")).expect("a button");
    window.click(&fitting);
    window.harness.run_steps(3);
    let decoder = window.state().document.training.model.decoder_hidden;
    assert!((16..3_000_000).contains(&decoder));
    assert!(!window.shows("Start all the same"));
    window.send(Action::StartTrainingAnyway(small(1), DeviceChoice::Cpu));
    window.until("training", |state| !state.is_training());
    assert!(window.state().runtime.model.is_some());
    assert!(window.state().runtime.messages.iter().all(|message| message.title != "The memory will not do"));
}

#[test]
fn a_failure_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&screen(folder.path()));
    let mut config = small(2);
    config.prepare.minimum_cells = 100_000;
    window.send(Action::StartTraining(config, DeviceChoice::Cpu));
    window.until("the failure", |state| !state.is_training());
    let message = window.state().runtime.messages.last().unwrap();
    assert_eq!((message.severity, message.title.as_str()), (Severity::Error, "Training failed"));
    assert!(message.detail.contains("100000"), "{}", message.detail);
    assert!(message.remedy.contains("Lower the least number of cells"));
}

#[test]
fn a_session_saves_the_model_beside_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&screen(folder.path()));
    window.send(Action::StartTraining(small(1), DeviceChoice::Cpu));
    window.until("training", |state| !state.is_training());
    window.send(Action::SaveSessionTo(folder.path().join("mine.grn.json")));
    window.until("saving", |state| state.runtime.session_path.is_some());
    assert_eq!(window.state().unsaved(), None);
    assert!(folder.path().join("mine.safetensors").is_file());
    let mut other = Window::new([1280.0, 800.0]);
    other.open(&folder.path().join("mine.grn.json"));
    assert!(other.state().runtime.model.is_some() && other.state().runtime.dataset.is_some());
}

#[test]
fn filters_tell_what_they_leave_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 1000.0]);
    window.open(&screen(folder.path()));
    window.send(Action::SetTab(Tab::Training));
    window.click("Filters");
    let counted = |state: &grn_explorer::app::State| match &state.runtime.findings.filters {
        FilterFinding::Ready(of, _) => **of == state.document.training.prepare,
        _ => false,
    };
    window.until("the count", counted);
    window.harness.run_steps(3);
    let cells = window.state().runtime.dataset.as_ref().unwrap().cell_count();
    let unassigned = window.state().runtime.dataset.as_ref().unwrap().unassigned_cells().len();
    assert!(unassigned > 0 && window.mentions(&format!("no guide could be assigned: {unassigned} cells")));
    assert!(window.mentions(&format!("of {cells} cells left")));

    window.click("CausalBench's filters");
    assert_eq!(window.state().document.training.prepare.minimum_changed_genes, 51);
    window.until("the count", counted);
    window.harness.run_steps(3);
    // Forty genes: none of the perturbations changes 51.
    assert!(window.mentions("fewer than 51 changed genes"));
}
