//! Two networks beside each other: in one layout, with a table of differences, in sessions and on the figure page.

use std::path::{Path, PathBuf};

use egui_kittest::kittest::{NodeT, Queryable as _};
use grn_explorer::app::attached::Attachment;
use grn_explorer::app::state::{PageDrawing, Severity, Tab};
use grn_explorer::app::{Action, Command};
use grn_explorer::document::{ComparedWith, Comparing, NetworkFilter, OtherEdges, PagePanel};
use grn_explorer::jobs::Silent;
use grn_explorer::network::compare::Side;
use grn_explorer::network::formats::{self, NetworkContents, NetworkFormat};
use grn_explorer::network::{Edge, Grn, Sign};
use grn_explorer::tasks::compare::{Compared, compare};
use grn_explorer::tasks::networks;
use grn_explorer::training::DeviceChoice;

use super::{Window, screen, small};

const MODEL: &str = "sample_data/sample_model.safetensors";

fn model() -> networks::OpenedNetwork {
    networks::open(Path::new(MODEL), &Silent).unwrap()
}

/// The sample's network with every third edge left out, every fifth sign turned, one gene renamed, and other
/// probabilities.
pub fn other(folder: &Path) -> PathBuf {
    let opened = model();
    let grn = &opened.grn;
    let edges: Vec<Edge> = grn
        .edges()
        .iter()
        .filter(|edge| edge.rank % 3 != 0)
        .map(|edge| {
            let sign = match edge.sign {
                Sign::Activates if edge.rank % 5 == 0 => Sign::Represses,
                Sign::Represses if edge.rank % 5 == 0 => Sign::Activates,
                sign => sign,
            };
            Edge { sign, probability: edge.probability * 0.01, ..*edge }
        })
        .collect();
    let mut genes = grn.genes().to_vec();
    let last = genes.len() - 1;
    genes[last].symbol = "STRANGER".to_owned();
    let grn = Grn::new(genes, edges).unwrap();
    let path = folder.join("replicate.graphml");
    formats::write(&path, NetworkFormat::GraphMl, &NetworkContents::of("Replicate", &grn, grn.edges())).unwrap();
    path
}

fn open(size: [f32; 2]) -> Window {
    let mut window = Window::new(size);
    window.open(Path::new(MODEL));
    window.until("the layout", |state| !state.document.positions.is_empty());
    window
}

/// The comparison as the window must have it.
fn expected(window: &Window, path: &Path) -> Compared {
    let state = window.state();
    let other = networks::open(path, &Silent).unwrap();
    let comparing = state.document.comparing.unwrap();
    compare(state.network().unwrap(), &state.document.filter, &other, comparing.edges, &Silent).unwrap()
}

fn labels(window: &Window, start: &str) -> Vec<(String, egui::Rect)> {
    let nodes = window.harness.query_all_by_label_contains(start);
    let labelled = nodes.filter_map(|node| Some((node.accesskit_node().label()?, node.rect())));
    labelled.filter(|(label, _)| label.starts_with(start)).collect()
}

fn run(arguments: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_grn-explorer")).args(arguments).output().unwrap()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn settled(window: &mut Window) {
    window.until("the comparison", |state| !state.runtime.is_busy());
    for _ in 0..400 {
        window.harness.run_steps(2);
        if window.mentions(" in both") && !labels(window, "left node ").is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    window.harness.run_steps(60);
}

#[test]
fn two_networks_share_layout_selection_and_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = other(folder.path());
    let mut window = open([1440.0, 900.0]);
    window.send(Command::ShowComparison.action(window.state()));
    assert!(window.shows("Nothing to compare with yet"));
    window.answers.next(&path);
    window.click("Compare with another network…");
    window.until("reading", |state| state.runtime.attached.compared.is_some());
    assert_eq!(window.state().view.tab, Tab::Compare);
    assert_eq!(window.state().document.comparing, Some(Comparing::with(ComparedWith::File)));
    assert_eq!(window.state().history.undo_label(), Some("Compare two networks"));
    settled(&mut window);

    // As many edges of both, whatever the scale of their probabilities.
    let found = expected(&window, &path);
    let count = |side: Side| found.comparison.count(side);
    assert_eq!(count(Side::Left), count(Side::Right));
    assert!(count(Side::Both) > 10 && count(Side::Left) > 5 && found.comparison.contradictions() > 0);
    assert!(window.shows(&format!("{} in both", count(Side::Both))));
    assert!(window.shows(&format!("{} only in sample_model", count(Side::Left))));
    assert!(window.shows(&format!("{} only in replicate", count(Side::Right))));
    assert!(window.mentions("Jaccard 0.") && window.mentions(" signs agree") && window.mentions(" by chance, p = "));
    assert_eq!(found.only[1], ["STRANGER"]);
    assert!(window.shows("2 genes in one only"));

    // Every gene that both know lies at the same place of both panes.
    let (left, right) = (labels(&window, "left node "), labels(&window, "right node "));
    assert!(left.len() > 20 && right.len() > 20);
    let shift = {
        let gene = left[0].0.strip_prefix("left node ").unwrap();
        let twin = right.iter().find(|(label, _)| label == &format!("right node {gene}")).unwrap();
        twin.1.center() - left[0].1.center()
    };
    assert!(shift.x > 200.0 && shift.y.abs() < 0.5);
    for (label, rect) in &left {
        let gene = label.strip_prefix("left node ").unwrap();
        if let Some((_, twin)) = right.iter().find(|(label, _)| label == &format!("right node {gene}")) {
            assert!(((twin.center() - rect.center()) - shift).length() < 1.0, "{gene}");
        }
    }

    // Selecting in the table, on the left and on the right is one selection.
    let row = &found.comparison.edges[0];
    window.click(&format!("difference {} → {}", row.regulator, row.target));
    assert_eq!(window.state().document.selection, [row.regulator.clone(), row.target.clone()]);
    window.click(&right[1].0);
    let gene = right[1].0.strip_prefix("right node ").unwrap().to_owned();
    assert_eq!(window.state().document.selection, [gene]);
    window.send(Action::ClearSelection);

    // The wheel over one zooms both; moving a gene moves it in both.
    let from = labels(&window, &left[3].0)[0].1.center();
    window.harness.hover_at(from);
    window.harness.run_steps(2);
    window.harness.drag_at(from);
    window.harness.run_steps(2);
    window.harness.hover_at(from + egui::vec2(30.0, 24.0));
    window.harness.run_steps(2);
    window.harness.drop_at(from + egui::vec2(30.0, 24.0));
    window.harness.run_steps(30);
    let gene = left[3].0.strip_prefix("left node ").unwrap().to_owned();
    assert!(window.state().document.pinned.contains(&gene));
    let now = labels(&window, &left[3].0)[0].1.center();
    assert!((now - from - egui::vec2(30.0, 24.0)).length() < 3.0, "{now:?} from {from:?}");
    if let Some((_, twin)) = labels(&window, &format!("right node {gene}")).first() {
        assert!(((twin.center() - now) - shift).length() < 1.5);
    }
    window.send(Action::Undo);
    assert!(!window.state().document.pinned.contains(&gene));

    // Rows by side; overlaid; other edges. Each a step.
    window.click("Rows: Opposite signs");
    assert!(window.shows(&format!("{} edges", found.comparison.contradictions())));
    window.click("Rows: All");
    window.click("Overlaid");
    assert_eq!(window.state().history.undo_label(), Some("Show both networks overlaid"));
    window.harness.run_steps(4);
    assert!(labels(&window, "left node ").is_empty() && !labels(&window, "node ").is_empty());
    window.send(Action::Undo);
    assert!(!window.state().document.comparing.unwrap().overlaid);
    let same = Comparing { edges: OtherEdges::SameFilter, ..window.state().document.comparing.unwrap() };
    window.send(Action::SetComparing(Some(same)));
    window
        .send(Action::SetFilter(Box::new(NetworkFilter { minimum_probability: Some(0.4), ..NetworkFilter::top(40) })));
    settled(&mut window);
    assert!(window.shows("0 in both") && window.shows("0 only in replicate"), "its probabilities are a hundredth");
    window.send(Action::Undo);
    window.send(Action::Undo);
    settled(&mut window);
    window.harness.run_steps(60);
    assert!(window.harness.run_ok().is_some(), "an idle window must not repaint for ever");
}

#[test]
fn a_comparison_is_kept_exported_and_drawn_without_a_window() {
    let folder = tempfile::tempdir().unwrap();
    let path = other(folder.path());
    let mut window = open([1280.0, 800.0]);
    window.send(Action::Attach(Attachment::Compared, path.clone()));
    window.until("reading", |state| state.runtime.attached.compared.is_some());
    settled(&mut window);
    let found = expected(&window, &path);

    let table = folder.path().join("differences.tsv");
    window.export(&["Differences (table)"], &table);
    assert_eq!(std::fs::read_to_string(&table).unwrap(), found.comparison.table());

    let mut page = window.state().document.page.clone();
    page.panels = vec![PagePanel::Comparison, PagePanel::Network];
    page.columns = 1;
    window.send(Action::SetPage(Box::new(page)));
    window.send(Action::SetTab(Tab::Figure));
    let session = folder.path().join("mine.grn.json");
    window.send(Action::SaveSessionTo(session.clone()));
    window.until("saving", |state| state.runtime.session_path.is_some() && !state.runtime.is_busy());
    window
        .until("the page", |state| matches!(&state.runtime.page, PageDrawing::Ready(page) if page.left_out.is_empty()));
    window.harness.run_steps(10);
    let PageDrawing::Ready(drawn) = window.state().runtime.page.clone() else { panic!("the page") };
    for ending in ["svg", "pdf", "png"] {
        let (here, there) = (folder.path().join(format!("a.{ending}")), folder.path().join(format!("b.{ending}")));
        let options = grn_explorer::figures::ExportOptions::new(183.0, 300.0, false).unwrap();
        grn_explorer::figures::export::write(&drawn.scene, &drawn.metadata, &options, &here).unwrap();
        let output = run(&["figure", &text(&session), "-o", &text(&there)]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(std::fs::read(&here).unwrap() == std::fs::read(&there).unwrap(), "{ending}");
    }
    let svg = std::fs::read_to_string(folder.path().join("b.svg")).unwrap();
    assert!(svg.contains("Only in replicate") && svg.contains("Jaccard index") && svg.contains("compared with"));

    // It opens again as it was.
    let mut again = Window::new([1024.0, 640.0]);
    again.open(&session);
    again.until("reading", |state| state.runtime.attached.compared.is_some());
    assert_eq!(again.state().document.comparing, window.state().document.comparing);
    assert!(again.state().runtime.messages.iter().all(|message| message.severity == Severity::Done));
    again.send(Action::SetTab(Tab::Compare));
    settled(&mut again);
    assert!(again.shows(&format!("{} in both", found.comparison.count(Side::Both))));
    again.send(Action::SetComparing(None));
    assert!(again.shows("Nothing to compare with yet"));

    // The command line alone.
    let alone = folder.path().join("alone.svg");
    let output = run(&["figure", MODEL, "--compare", &text(&path), "--top", "50", "-o", &text(&alone)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let alone = std::fs::read_to_string(&alone).unwrap();
    assert!(alone.contains("sample_model, 50 edges") && alone.contains("replicate, 50 edges"));
    let output = run(&["figure", MODEL, "--compare", "nowhere.cx2", "-o", &text(&folder.path().join("x.svg"))]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("cannot open nowhere.cx2"));
}

#[test]
fn a_reference_is_compared_by_its_edges_between_the_genes_shown() {
    let mut window = open([1024.0, 640.0]);
    assert!(!Command::CompareWithReference.is_enabled(window.state()));
    window.send(Action::Attach(Attachment::Reference, "sample_data/sample_truth.tsv".into()));
    window.until("the reference", |state| state.runtime.attached.reference.is_some());
    window.send(Command::CompareWithReference.action(window.state()));
    assert_eq!(window.state().document.comparing.unwrap().edges, OtherEdges::BetweenShown);
    settled(&mut window);
    let reference = window.state().runtime.attached.reference.clone().unwrap();
    let other = grn_explorer::tasks::compare::of_reference(&reference);
    let state = window.state();
    let found =
        compare(state.network().unwrap(), &state.document.filter, &other, OtherEdges::BetweenShown, &Silent).unwrap();
    assert!(found.comparison.edges.iter().all(|edge| edge.right.is_none_or(|seen| seen.rank.is_none())));
    assert!(window.shows(&format!("{} only in sample_truth", found.comparison.count(Side::Right))));
    // Asked for as many edges as are shown, an unranked network has no best ones: said so, and all are taken.
    let asked = Comparing { edges: OtherEdges::SameNumber, ..window.state().document.comparing.unwrap() };
    window.send(Action::SetComparing(Some(asked)));
    settled(&mut window);
    assert!(window.mentions("ranks no edges"));
    assert!(window.shows(&format!("{} only in sample_truth", found.comparison.count(Side::Right))));
}

#[test]
fn the_network_before_a_training_run_is_kept_to_compare_with() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&screen(folder.path()));
    let trained = |window: &mut Window, epochs: u32| {
        window.send(Action::StartTraining(small(epochs), DeviceChoice::Cpu));
        window.until("the training", |state| state.is_training());
        window.until("the end", |state| !state.is_training());
    };
    trained(&mut window, 2);
    assert!(!Command::CompareWithBefore.is_enabled(window.state()), "there was none");
    let first = window.state().runtime.model.clone().unwrap();
    trained(&mut window, 4);
    let before = window.state().runtime.attached.before.clone().unwrap();
    assert!(std::sync::Arc::ptr_eq(before.model.as_ref().unwrap(), &first));
    window.send(Command::CompareWithBefore.action(window.state()));
    settled(&mut window);
    assert!(window.mentions("only in the network before"));

    // In no file until the session is saved; then it is there again.
    let session = folder.path().join("mine.grn.json");
    window.send(Action::SaveSessionTo(session.clone()));
    window.until("saving", |state| state.runtime.session_path.is_some() && !state.runtime.is_busy());
    let file = window.state().document.sources.before.clone().unwrap();
    assert_eq!(file.path, folder.path().join("mine-before.safetensors"));
    assert!(std::fs::read(&file.path).unwrap() == first.to_bytes().unwrap());
    assert_eq!(window.state().unsaved(), None);
    let mut again = Window::new([1280.0, 800.0]);
    again.open(&session);
    again.until("reading", |state| state.runtime.attached.before.is_some());
    again.send(Action::SetTab(Tab::Compare));
    settled(&mut again);
    assert!(again.mentions("only in mine-before"));
    // Another document has nothing of it.
    again.open(Path::new(MODEL));
    assert!(again.state().runtime.attached.before.is_none() && again.state().document.comparing.is_none());
}
