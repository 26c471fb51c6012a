//! A network file opened as the network itself: without model and data, with its places and its style.

use std::path::{Path, PathBuf};

use egui::{Key, Modifiers};
use grn_explorer::app::state::{PageDrawing, Severity, Tab, TableKind};
use grn_explorer::app::{Action, Command};
use grn_explorer::document::{EdgeAttribute, GeneAttribute, NetworkFilter, PagePanel, PathQuery};
use grn_explorer::jobs::Silent;
use grn_explorer::network::formats::{self, NetworkContents, NetworkFormat};
use grn_explorer::tasks::networks;

use super::{Window, sample};

/// The best edges of the sample's network, with places, colours and an attribute.
fn contents() -> NetworkContents {
    let opened = networks::open(Path::new("sample_data/sample_model.safetensors"), &Silent).unwrap();
    let mut contents = NetworkContents::of("Mine", &opened.grn, &opened.grn.edges()[..90]);
    contents.add_gene_numbers(&opened.grn, "score", |gene| Some(f64::from(gene.0)));
    for (at, node) in contents.nodes.iter_mut().enumerate() {
        node.position = Some([(at % 8) as f32 * 70.0, (at / 8) as f32 * 70.0]);
        node.fill = Some([0x20, 0x80, 0xC0]);
        node.size = Some(30.0);
    }
    for edge in &mut contents.edges {
        (edge.colour, edge.width) = (Some([0x90, 0x30, 0x60]), Some(2.0));
    }
    contents
}

fn write(folder: &Path, name: &str, format: NetworkFormat) -> PathBuf {
    let path = folder.join(name);
    formats::write(&path, format, &contents()).unwrap();
    path
}

fn run(arguments: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_grn-explorer")).args(arguments).output().unwrap()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_network_file_opens_with_its_places_and_style_and_is_explored() {
    let folder = tempfile::tempdir().unwrap();
    // The content decides, whatever the file is called.
    let path = write(folder.path(), "mine.data", NetworkFormat::Cx2);
    let mut window = Window::new([1440.0, 900.0]);
    window.answers.next(&path);
    window.press(Modifiers::COMMAND, Key::O);
    window.until("opening", |state| state.runtime.network_file.is_some() && !state.runtime.is_busy());
    let state = window.state();
    assert_eq!(state.view.tab, Tab::Network);
    assert_eq!(state.network().unwrap().edges().len(), 90);
    assert!(state.runtime.model.is_none() && state.runtime.dataset.is_none());
    let (document, given) = (&state.document, contents());
    assert_eq!(document.filter, NetworkFilter::default(), "somebody laid out all of it");
    assert!(given.nodes.iter().all(|node| document.positions[&node.symbol] == node.position.unwrap()));
    assert_eq!((&document.style.gene_colour, &document.style.gene_size), (&GeneAttribute::File, &GeneAttribute::File));
    assert_eq!((document.style.edge_colour, document.style.edge_width), (EdgeAttribute::File, EdgeAttribute::File));
    assert_eq!(document.sources.network.as_ref().unwrap().path, path);
    assert_eq!(state.unsaved(), None);
    window.harness.run_steps(30);
    assert!(window.shows("Export…"), "the toolbar is there");
    let drawn: Vec<_> = given.nodes.iter().filter(|node| window.shows(&format!("node {}", node.symbol))).collect();
    assert_eq!(drawn.len(), given.nodes.len());

    // Filters, selection, paths, tables, statistics.
    window.send(Action::SetFilter(Box::new(NetworkFilter::top(40))));
    assert_eq!(window.state().shown().unwrap().edge_count(), 40);
    window.send(Action::Undo);
    let edge = given.edges[0];
    let ends = [edge.from, edge.to].map(|node| given.nodes[node].symbol.clone());
    window.send(Action::SelectAll(ends.to_vec()));
    window.send(Action::SetPaths(Some(PathQuery::new(&ends[0], &ends[1]))));
    window.until("the paths", |state| state.runtime.paths.found().is_some());
    assert!(!window.state().runtime.paths.found().unwrap().paths.is_empty());
    window.send(Action::SetPaths(None));
    window.send(Action::ShowTable(Some(TableKind::Edges)));
    window.harness.run_steps(6);
    assert!(window.mentions(&format!("edge {} → {}", ends[0], ends[1])));
    window.send(Action::ShowTable(None));
    let mut style = window.state().document.style.clone();
    style.gene_colour = GeneAttribute::Column("score".into());
    style.gene_size = GeneAttribute::Betweenness;
    window.send(Action::SetStyle(Box::new(style.clone())));
    window.harness.run_steps(30);

    // What only a model can do says what is missing.
    assert!(!Command::KnockOutSelection.is_enabled(window.state()));
    window.send(Action::SetTab(Tab::Response));
    window.harness.run_steps(4);
    assert!(window.shows("Nothing to compare yet") && window.mentions("open the model that learned it"));
    window.send(Action::SetTab(Tab::Training));
    window.harness.run_steps(4);
    assert!(window.mentions("A network file holds no cells") && !Command::StartTraining.is_enabled(window.state()));
    window.send(Action::SetTab(Tab::Data));
    window.harness.run_steps(4);
    assert!(window.shows("Network file") && window.mentions("score"), "its attributes are listed");

    // The figure, the session, and the same bytes without a window.
    assert_eq!(window.state().document.page.panels, [PagePanel::Network]);
    window.send(Action::SetTab(Tab::Figure));
    window.until("the page", |state| matches!(state.runtime.page, PageDrawing::Ready(_)));
    let session = folder.path().join("mine.grn.json");
    window.send(Action::SaveSessionTo(session.clone()));
    window.until("saving", |state| state.runtime.session_path.is_some() && !state.runtime.is_busy());
    let PageDrawing::Ready(page) = window.state().runtime.page.clone() else { panic!("the page") };
    let here = folder.path().join("window.svg");
    let options = grn_explorer::figures::ExportOptions::new(183.0, 300.0, false).unwrap();
    grn_explorer::figures::export::write(&page.scene, &page.metadata, &options, &here).unwrap();
    let there = folder.path().join("again.svg");
    let output = run(&["figure", &text(&session), "-o", &text(&there)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(std::fs::read(&here).unwrap() == std::fs::read(&there).unwrap());

    let mut again = Window::new([1024.0, 640.0]);
    again.open(&session);
    again.until("the network", |state| state.runtime.network_file.is_some());
    assert_eq!(again.state().document, window.state().document);
    assert!(again.state().runtime.messages.iter().all(|message| message.severity == Severity::Done));
    again.harness.run_steps(20);
    assert!(again.shows(&format!("node {}", ends[0])));
    // A model takes its place.
    again.open(Path::new("sample_data/sample_model.safetensors"));
    assert!(again.state().runtime.network_file.is_none() && again.state().document.sources.network.is_none());
}

#[test]
fn every_format_opens_and_what_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = sample();
    for format in NetworkFormat::ALL {
        let path = write(folder.path(), &format!("net.{}", format.extension()), format);
        window.open(&path);
        let state = window.state();
        assert!(state.runtime.model.is_none() && state.runtime.dataset.is_none(), "{format:?}");
        assert_eq!(state.network().unwrap().edges().len(), 90, "{format:?}");
        assert_eq!(state.document.sources.network.as_ref().unwrap().path, path, "{format:?}");
        let placed = !matches!(format, NetworkFormat::Table | NetworkFormat::Sif);
        let styled = placed && !matches!(format, NetworkFormat::GraphMl | NetworkFormat::Json);
        assert_eq!(state.document.filter == NetworkFilter::default(), placed, "{format:?}");
        assert_eq!(state.document.style.gene_colour == GeneAttribute::File, styled, "{format:?}");
    }
    let before = window.state().document.clone();
    for (name, content, reason) in [
        ("cut.graphml", "<graphml><graph>\n<node id='a'>\n</graph></graphml>", "this is no GraphML file"),
        ("end.cx2", "[{\"CXVersion\": \"2.0\"}, {\"nodes\": [{\"x\": 1}]}]", "node 1: found"),
        ("none.sif", "A\nB\nC\n", "it is neither"),
        ("empty.gexf", "<gexf><graph><nodes/></graph></gexf>", "it holds no edge"),
        ("prose.dot", "digraph of nothing", "it is neither"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        window.open(&path);
        let message = window.state().runtime.messages.last().unwrap().clone();
        assert_eq!(message.title, format!("{name} cannot be opened"), "{message:?}");
        assert!(message.detail.contains(reason), "{message:?}");
        assert!(!message.remedy.is_empty());
    }
    assert_eq!(window.state().document, before, "what cannot be opened changes nothing");
}

#[test]
fn a_network_file_is_drawn_without_a_window() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "net.gexf", NetworkFormat::Gexf);
    for arguments in [&["--view", "page"][..], &["--view", "network"]] {
        let svg = folder.path().join("net.svg");
        let output = run(&[&["figure", &text(&path), "-o", &text(&svg)], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let drawn = std::fs::read_to_string(&svg).unwrap();
        assert!(drawn.contains("90 edges of the network Mine") && drawn.contains("network file"));
        assert!(drawn.to_lowercase().contains("#2080c0"), "the colours of the file");
    }
    let output = run(&["figure", &text(&path), "--view", "response", "-o", &text(&folder.path().join("x.svg"))]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("a network file has no model"));
}
