//! Evidence in the window: cells behind a response, and edges held against cells that the training never saw.

use std::time::{Duration, Instant};

use egui_kittest::kittest::Queryable as _;
use grn_explorer::app::Action;
use grn_explorer::app::findings::EdgeTesting;
use grn_explorer::app::state::{Tab, TableKind};
use grn_explorer::document::{EdgeAttribute, Style};

use super::{PATIENCE, Window, sample};

impl Window {
    /// Let frames pass until something's label contains `part`.
    pub fn until_mentioned(&mut self, part: &str) {
        let start = Instant::now();
        while !self.mentions(part) {
            assert!(start.elapsed() < PATIENCE, "{part:?} is not shown");
            self.harness.step();
            std::thread::sleep(Duration::from_millis(5));
        }
        self.harness.run_steps(3);
    }
}

/// The perturbation with most held-out cells.
fn perturbation(window: &Window) -> String {
    let model = window.state().runtime.model.clone().unwrap();
    let held_out = model.observed_held_out();
    let most = (0..held_out.cells.len()).max_by_key(|&row| held_out.cells[row]).unwrap();
    held_out.perturbations[most].clone()
}

#[test]
fn cells_are_shown_behind_the_shifts_and_saved() {
    let mut window = Window::new([1000.0, 800.0]);
    window.send(Action::OpenSample);
    window.until("opening", |state| state.runtime.model.is_some() && !state.runtime.is_busy());
    let name = perturbation(&window);
    window.send(Action::SetTab(Tab::Response));
    window.send(Action::ShowPerturbation(Some(name.clone())));
    window.until_mentioned(&format!("Boxes of the cells for the 20 genes that change most, {name}"));
    assert!(window.mentions("cells drawn from the model"));
    assert!(window.mentions("Histograms of "));
    let folder = tempfile::tempdir().unwrap();
    let (figure, table) = (folder.path().join("cells.svg"), folder.path().join("cells.tsv"));
    window.export(&["Boxes of the cells"], &figure);
    let figure = std::fs::read_to_string(&figure).unwrap();
    for expected in ["Control cells", "Perturbed cells", "Predicted cells", "predicted mean"] {
        assert!(figure.contains(expected), "{expected}");
    }
    window.export(&["Boxes of the cells (table)"], &table);
    let table = std::fs::read_to_string(&table).unwrap();
    assert_eq!(table.lines().count(), 1 + 20 * 3);
    window.click("Heat map");
    window.until_mentioned("Heat map of ");
    let map = folder.path().join("map.svg");
    window.export(&[], &map);
    assert!(std::fs::read_to_string(&map).unwrap().contains("Predicted"));
    window.click("Observed");
    window.until_mentioned("Observed shifts are means over held-out cells");
    window.send(Action::ShowPerturbation(Some(name.clone())));
    window.until_mentioned("Boxes of the cells for the 20 genes");
    window.click("Volcano and MA plot");
    window.until("the test", |state| !state.runtime.findings.tests.done.is_empty());
    assert_eq!(window.state().runtime.findings.tests.done[0].perturbation, name);
    window.click("MA");
    assert!(window.shows(&format!("MA plot of {name}")));
}

#[test]
fn without_the_data_set_the_page_says_how_to_open_it() {
    let mut window = Window::new([1280.0, 800.0]);
    window.open(std::path::Path::new("sample_data/sample_model.safetensors"));
    let name = perturbation(&window);
    window.send(Action::SetTab(Tab::Response));
    window.send(Action::ShowPerturbation(Some(name)));
    window.until_mentioned("The model file holds no cells");
    assert!(window.shows("Open the data set…"));
    let style = Style { edge_colour: EdgeAttribute::HeldOut, ..Style::default() };
    window.send(Action::SetTab(Tab::Network));
    window.send(Action::SetStyle(Box::new(style)));
    window.click("Style and reference network");
    window.until_mentioned("it has the held-out cells");
    assert!(matches!(window.state().runtime.edge_testing, EdgeTesting::None));
}

#[test]
fn edges_are_coloured_and_told_by_their_test_on_held_out_cells() {
    let mut window = sample();
    let style = Style { edge_colour: EdgeAttribute::HeldOut, ..Style::default() };
    window.send(Action::SetStyle(Box::new(style)));
    window.click("Style and reference network");
    window.until("the tests", |state| matches!(state.runtime.edge_testing, EdgeTesting::Ready(_)));
    assert!(window.mentions("tested edges supported by held-out cells"));
    let tests = window.state().runtime.edge_testing.known().unwrap().clone();
    let network = window.state().network().unwrap().clone();
    let shown = window.state().document.filter.apply(&network);
    assert!(shown.edges().all(|edge| tests.knows(edge)));
    let edge = *shown.edges().find(|edge| tests.get(edge).is_some()).unwrap();
    let ends = [edge.regulator, edge.target].map(|gene| network.symbol(gene).to_owned());
    window.send(Action::SelectAll(ends.to_vec()));
    window.until_mentioned("Held-out cells: ");
    assert!(window.mentions(&format!("cells with {}", ends[0])));

    // A further edge between selected genes is tested with those shown.
    let hidden = *network.edges().iter().find(|edge| !tests.knows(edge)).unwrap();
    let others = [hidden.regulator, hidden.target].map(|gene| network.symbol(gene).to_owned());
    window.send(Action::SelectAll(others.to_vec()));
    window.until("its test", |state| match &state.runtime.edge_testing {
        EdgeTesting::Ready(tests) => tests.knows(&hidden),
        _ => false,
    });
    window.send(Action::ShowTable(Some(TableKind::Edges)));
    window.harness.run_steps(10);
    assert!(window.shows("Sort by Held-out p"));
    window.click(&format!("Response to {}", others[0]));
    assert_eq!((window.state().view.tab, window.state().view.perturbation.as_ref()), (Tab::Response, Some(&others[0])));
}

#[test]
fn an_edge_is_tested_when_it_is_pointed_at() {
    let mut window = sample();
    window.until("the layout", |state| !state.document.positions.is_empty());
    window.harness.run_steps(20);
    assert!(matches!(window.state().runtime.edge_testing, EdgeTesting::None), "nobody asked yet");
    let network = window.state().network().unwrap().clone();
    let shown = window.state().document.filter.apply(&network);
    // The middle of one or the other edge may lie below a node or a label.
    for edge in shown.edges().take(10) {
        let ends = [edge.regulator, edge.target].map(|gene| {
            let node = format!("node {}", network.symbol(gene));
            window.harness.get_by_label(&node).rect().center()
        });
        window.harness.hover_at(ends[0] + (ends[1] - ends[0]) * 0.5);
        window.harness.run_steps(12);
        if !matches!(window.state().runtime.edge_testing, EdgeTesting::None) {
            break;
        }
    }
    window.until_mentioned("Held-out cells: ");
    assert!(window.mentions("Click to keep this card, with a link to the response to"));
}
