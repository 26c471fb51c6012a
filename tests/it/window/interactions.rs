//! The map of genetic interactions and the page of a pair, of screens with and without pairs.

use std::path::{Path, PathBuf};

use grn_explorer::app::Action;
use grn_explorer::app::command::Command;
use grn_explorer::app::state::{PageDrawing, Tab};
use grn_explorer::data::h5ad;
use grn_explorer::data::simulate::{SimulateConfig, simulate};
use grn_explorer::document::{FigurePage, PagePanel};
use grn_explorer::jobs::Silent;
use grn_explorer::training::DeviceChoice;

use super::{Window, screen, small};

/// A screen with pairs.
pub fn pairs(folder: &Path) -> PathBuf {
    let config = SimulateConfig {
        genes: 60,
        perturbations: 12,
        ineffective_perturbations: 3,
        combinations: 24,
        cells: 2000,
        seed: 8,
        ..SimulateConfig::small()
    };
    let path = folder.join("pairs.h5ad");
    h5ad::write(&path, &simulate(&config, &Silent).unwrap().dataset).unwrap();
    path
}

/// Until the map is there.
pub fn mapped(window: &mut Window) {
    let begun = std::time::Instant::now();
    while !window.mentions("Map of genetic interactions") {
        assert!(begun.elapsed().as_secs() < 60, "no map");
        window.harness.step();
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    window.harness.run_steps(4);
}

#[test]
fn pairs_of_a_screen_are_mapped_and_told_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&pairs(folder.path()));
    window.click("Interactions");
    mapped(&mut window);
    assert!(window.mentions("24 pairs measured"));
    assert!(window.mentions("cells of the pair") && window.shows("Magnitude") && window.shows("Dominance"));
    assert!(window.mentions("against the sum of its singles, measured"));

    let table = folder.path().join("pairs.tsv");
    window.export(&["All pairs (table)"], &table);
    let text = std::fs::read_to_string(&table).unwrap();
    assert!(text.lines().count() == 25 && text.starts_with("pair\tgene_a"));
    let figure = folder.path().join("map.svg");
    window.export(&["Map of all pairs"], &figure);
    let text = std::fs::read_to_string(&figure).unwrap();
    assert!(text.contains("Genetic interactions") && text.contains("TF"));
}

#[test]
fn the_map_of_a_screen_with_pairs_is_a_panel_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&pairs(folder.path()));
    window.send(Action::SetTraining(small(1), DeviceChoice::Cpu));
    window.send(Action::SetTab(Tab::Training));
    window.click("Start training");
    window.until("training", |state| !state.is_training() && state.runtime.model.is_some());
    let model = folder.path().join("pairs.safetensors");
    window.send(Action::SaveModelTo(model.clone()));
    window.until("the model's file", |state| model.exists() && !state.runtime.is_busy());
    window.send(Action::SetTab(Tab::Figure));
    let page = FigurePage { panels: vec![PagePanel::Interactions], ..FigurePage::default() };
    window.send(Action::SetPage(Box::new(page)));
    window.until("the page", |state| match &state.runtime.page {
        PageDrawing::Ready(page) => page.metadata.description.contains("Deviations of 24 pairs of genes"),
        _ => false,
    });
}

#[test]
fn a_screen_without_pairs_says_what_it_takes_and_offers_predictions() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1000.0, 700.0]);
    window.open(&screen(folder.path()));
    assert!(!window.shows("Interactions"), "no page of what is not there");
    window.send(Action::SetTab(Tab::Interactions));
    assert!(window.shows("No pairs in this screen") && window.mentions("cells of each alone"));
    assert!(!window.shows("Predict all pairs"));

    // With a model of it, pairs are predicted.
    window.send(Action::SetTraining(small(2), DeviceChoice::Cpu));
    window.send(Action::SetTab(Tab::Training));
    window.click("Start training");
    window.until("training", |state| !state.is_training() && state.runtime.model.is_some());
    assert!(Command::ShowInteractions.is_enabled(window.state()));
    window.send(Command::ShowInteractions.action(window.state()));
    window.click("Predict all pairs");
    mapped(&mut window);
    assert!(window.mentions("15 pairs predicted only") && window.mentions("predicts little interaction"));
    assert!(window.mentions("Not measured"));
    window.click("Show on the network");
    assert_eq!(window.state().document.knock_out.len(), 2);
}

#[test]
fn predicting_all_pairs_can_be_cancelled_and_tried_again() {
    let mut window = super::sample();
    window.send(Action::SetTab(Tab::Interactions));
    window.click("Predict all pairs");
    window.click("Cancel");
    window.until_mentioned("Cancelled");
    window.click("Try again");
    assert!(window.mentions("Predicting pairs") || window.mentions("pairs with their singles"));
    window.click("Cancel");
    window.until_mentioned("Cancelled");
}
