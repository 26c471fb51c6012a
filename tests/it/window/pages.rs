//! Every page fits: at the smallest window and at 200 % nothing lies outside or on top of something else.

use egui_kittest::kittest::{NodeT, Queryable};
use grn_explorer::app::Action;
use grn_explorer::app::state::Tab;
use grn_explorer::document::{EdgeAttribute, GeneAttribute, Style};

use super::{Window, screen};

const TABS: [Tab; 5] = [Tab::Data, Tab::Genes, Tab::Network, Tab::Response, Tab::Training];

#[test]
fn the_bars_fit_at_every_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = screen(folder.path());
    for (size, zoom) in [([1024.0, 640.0], 1.0), ([1280.0, 800.0], 1.0), ([1024.0, 640.0], 2.0)] {
        let mut window = Window::new(size);
        window.open(&path);
        window.send(Action::SetZoom(zoom));
        for tab in TABS {
            window.send(Action::SetTab(tab));
            window.harness.run_steps(4);
            let bounds = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::Vec2::from(size) / zoom).expand(0.5);
            // The bar's own buttons; rectangles are in points of the zoomed window.
            for label in ["Data", "Training"] {
                let node = window.harness.query_all_by_label(label).next().expect(label);
                let rect = node.rect();
                assert!(bounds.contains_rect(rect), "{label} at {size:?}, zoom {zoom}, {tab:?}: {rect:?}");
            }
        }
    }
}

#[test]
fn tabs_do_not_overlap() {
    for width in [640.0, 820.0, 1024.0, 1280.0] {
        let folder = tempfile::tempdir().unwrap();
        let mut window = Window::new([width, 640.0]);
        window.open(&screen(folder.path()));
        let rects: Vec<egui::Rect> = ["Data", "Network", "Network and response", "Response", "Training"]
            .into_iter()
            .filter_map(|label| {
                let found = window.harness.query_all_by_label(label);
                found.filter(|node| node.accesskit_node().bounding_box().is_some()).map(|node| node.rect()).next()
            })
            .filter(|rect| rect.top() < 40.0)
            .collect();
        assert!(rects.len() >= 3, "{width}: {rects:?}");
        for (at, a) in rects.iter().enumerate() {
            for b in &rects[at + 1..] {
                assert!(!a.shrink(0.5).intersects(*b), "{width}: {a:?} and {b:?}");
            }
        }
    }
}

#[test]
fn what_chooses_the_style_takes_one_line_in_a_small_window() {
    for zoom in [1.0, 2.0] {
        let mut window = Window::new([1024.0, 640.0]);
        window.open(std::path::Path::new("sample_data/sample_model.safetensors"));
        window.send(Action::SetZoom(zoom));
        window.send(Action::SetTab(Tab::Network));
        window.until("the layout", |state| !state.document.positions.is_empty());
        window.click("Style and reference network");
        // The longest names there are.
        let style = Style {
            gene_colour: GeneAttribute::Prediction,
            gene_size: GeneAttribute::Measurement,
            edge_colour: EdgeAttribute::Probability,
            edge_width: EdgeAttribute::Probability,
            ..Style::default()
        };
        window.send(Action::SetStyle(Box::new(style)));
        window.harness.run_steps(20);
        let bounds = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1024.0, 640.0) / zoom).expand(0.5);
        let labels = ["Colour of genes", "Size of genes", "Colour of edges", "Width of edges", "More of the style"];
        let rects = labels.map(|label| window.harness.get_by_label(label).rect());
        assert!(rects.iter().all(|rect| bounds.contains_rect(*rect)), "zoom {zoom}: {rects:?}");
        for pair in rects.windows(2) {
            assert!(!pair[0].shrink(0.5).intersects(pair[1]), "zoom {zoom}: {rects:?}");
        }
        let lines = |rects: &[egui::Rect]| rects.windows(2).filter(|pair| pair[1].top() > pair[0].bottom()).count() + 1;
        assert_eq!(lines(&rects), if zoom == 1.0 { 1 } else { 2 }, "zoom {zoom}: {rects:?}");
        // What had no room is in the menu.
        window.click("More of the style");
        assert!(window.shows("Table of genes…") && window.shows("Reference network…"));
        window.click("Usual style");
        assert_eq!(window.state().document.style, Style::default());
    }
}

#[test]
fn the_settings_are_labelled_and_undoable() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&screen(folder.path()));
    window.click("Train a model…");
    assert_eq!(window.state().view.tab, Tab::Training);
    for label in ["Preset", "Device", "Epochs", "Seed", "Learning rate", "Batch size"] {
        assert!(window.shows(label), "{label}");
    }
    window.click("Model");
    window.click("Learned network");
    for label in ["Prior of an edge", "Parameters", "Temperature", "Start from"] {
        assert!(window.shows(label), "{label}");
    }
    let file = folder.path().join("known.sif");
    std::fs::write(&file, "A activates B\n").unwrap();
    window.answers.next(&file);
    window.click("Choose a network…");
    let known = |state: &grn_explorer::app::State| state.document.training.prior_network.clone();
    window.until("the file", |state| known(state).is_some());
    assert_eq!(known(window.state()).unwrap().file, file);
    for label in ["known.sif", "Its edges", "Other pairs", "Prior from it, too"] {
        assert!(window.shows(label), "{label}");
    }
    window.click("None");
    assert_eq!(known(window.state()), None);
    window.click("Encoder and decoder");
    for label in ["Counts", "Encoder reads", "From counts alone", "Sum of effects", "Spread of effects"] {
        assert!(window.shows(label), "{label}");
    }
    window.click("Prediction");
    assert!(window.shows("Samples") && window.shows("Library sizes of the data"));

    let mut config = window.state().document.training.clone();
    config.model.epochs = 3;
    window.send(Action::SetTraining(Box::new(config), grn_explorer::training::DeviceChoice::Cpu));
    assert_eq!(window.state().document.training.model.epochs, 3);
    window.send(Action::Undo);
    assert_eq!(window.state().document.training.model.epochs, 80);
}

#[test]
fn reading_again_with_another_control_needs_one_click() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&screen(folder.path()));
    let other = window.state().runtime.summary.as_ref().unwrap().perturbations[0].name.clone();
    let before = window.state().runtime.summary.as_ref().unwrap().control_cells;
    let options = grn_explorer::data::ImportOptions { control_labels: vec![other], ..Default::default() };
    window.send(Action::ReadAgain(Box::new(options.clone())));
    window.until("reading", |state| state.document.sources.import == options);
    assert_ne!(window.state().runtime.summary.as_ref().unwrap().control_cells, before);
    window.click("Back to the rules");
    window.until("reading", |state| state.document.sources.import == Default::default());
    assert_eq!(window.state().runtime.summary.as_ref().unwrap().control_cells, before);
}

#[test]
fn labels_that_the_rules_do_not_understand_are_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = screen(folder.path());
    let mut window = Window::new([1024.0, 640.0]);
    let options = grn_explorer::data::ImportOptions { perturbation_column: Some("nope".into()), ..Default::default() };
    window.send(Action::OpenWith(path, Box::new(options)));
    window.until("the question", |state| state.view.dialog.is_some());
    assert!(window.shows("How are the cells labelled?"));
    assert!(window.shows("Perturbation column"));
    // The file by the rules tells what there is to choose from.
    window.until("the lists", |state| state.runtime.preview.found.is_some());
    assert!(window.mentions("nope"));
}
