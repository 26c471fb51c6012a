//! The figure page: changed, exported, and made again without the window.

use std::path::Path;

use egui_kittest::kittest::Queryable;
use grn_explorer::app::state::{PageDrawing, Prediction, Tab};
use grn_explorer::app::{Action, ExportFormat, ExportRequest, State};
use grn_explorer::document::{EdgeAttribute, PagePanel, PathQuery, Style};
use grn_explorer::figures::response::HeatMapOptions;

use super::{Window, sample};

fn page(state: &State) -> &grn_explorer::tasks::figure::Page {
    match &state.runtime.page {
        PageDrawing::Ready(page) => page,
        other => panic!("{other:?}"),
    }
}

/// Wait until the page is drawn with `letters`.
fn drawn(window: &mut Window, letters: &[&str]) {
    window.until("the page", |state| match &state.runtime.page {
        PageDrawing::Ready(page) => {
            let text = &page.metadata.description;
            let has =
                |letter: &str| text.starts_with(&format!("{letter}, ")) || text.contains(&format!("; {letter}, "));
            letters.iter().all(|letter| has(letter)) && text.matches("; ").count() + 1 >= letters.len()
        }
        _ => false,
    });
}

#[test]
fn panels_can_be_added_moved_and_removed() {
    let mut window = sample();
    window.press(egui::Modifiers::COMMAND, egui::Key::Num5);
    assert_eq!(window.state().view.tab, Tab::Figure);
    drawn(&mut window, &["a", "b", "c"]);
    assert!(window.harness.query_by_label("Figure page").is_some());

    window.click("Move panel a down");
    let panels = &window.state().document.page.panels;
    assert_eq!(panels[..], [PagePanel::Scatter, PagePanel::Network, PagePanel::Shifts]);
    window.click("Remove panel a");
    window.click("Add a panel");
    window.click("Effects of the knock-out");
    let panels = &window.state().document.page.panels;
    assert_eq!(panels[..], [PagePanel::Network, PagePanel::Shifts, PagePanel::Effects]);
    window.until("the page", |state| match &state.runtime.page {
        PageDrawing::Ready(page) => page.left_out.iter().any(|(panel, _)| *panel == PagePanel::Effects),
        _ => false,
    });
    assert!(window.mentions("Effects of the knock-out is left out: no gene is knocked out"));

    window.click("One column");
    window.until("the page", |state| match &state.runtime.page {
        PageDrawing::Ready(page) => (page.scene.size[0] - 89.0 * 72.0 / 25.4).abs() < 0.01,
        _ => false,
    });
    let steps: Vec<Option<&str>> = vec![Some("Change the figure")];
    assert_eq!(vec![window.state().history.undo_label()], steps);
    window.send(Action::Undo);
    assert_eq!(window.state().document.page.width_mm, 183.0);
}

#[test]
fn the_session_gives_the_same_bytes_without_a_window() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = sample();
    let source = window.state().network().unwrap().edges()[0].regulator;
    let gene = window.state().network().unwrap().symbol(source).to_owned();
    window.send(Action::KnockOut(vec![(gene.clone(), 0.5)]));
    window.send(Action::Select { gene, extend: false });
    let style = Style { edge_colour: EdgeAttribute::HeldOut, ..Style::default() };
    window.send(Action::SetStyle(Box::new(style)));
    window.until("the prediction", |state| matches!(state.runtime.prediction, Prediction::Ready(_)));
    window.send(Action::SetTab(Tab::Network));
    window.until("the layout", |state| !state.document.positions.is_empty());
    window.send(Action::SetTab(Tab::Figure));
    let mut page_now = window.state().document.page.clone();
    page_now.panels = PagePanel::ALL.to_vec();
    // It needs another network; see the tests of comparisons.
    page_now.panels.retain(|panel| *panel != PagePanel::Comparison);
    page_now.heat_map = HeatMapOptions { genes: 12, perturbations: 9, ..HeatMapOptions::default() };
    window.send(Action::SetPage(Box::new(page_now)));
    drawn(&mut window, &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]);
    let left_out: Vec<PagePanel> = page(window.state()).left_out.iter().map(|(panel, _)| *panel).collect();
    assert_eq!(left_out, [PagePanel::Interactions], "the sample has no pairs");

    let session = folder.path().join("figure.grn.json");
    window.send(Action::SaveSessionTo(session.clone()));
    window.until("saving", |state| state.runtime.session_path.is_some() && !state.runtime.is_busy());
    drawn(&mut window, &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]);
    for (format, ending) in [(ExportFormat::Svg, "svg"), (ExportFormat::Pdf, "pdf"), (ExportFormat::Png, "png")] {
        let path = folder.path().join(format!("window.{ending}"));
        let drawn = page(window.state()).clone();
        window.send(Action::Export(ExportRequest {
            name: "figure".to_owned(),
            content: grn_explorer::app::ExportContent::Figure(drawn.scene.into(), Box::new(drawn.metadata)),
            format,
            width_mm: window.state().document.page.width_mm,
            dpi: 300.0,
            path: Some(path.clone()),
        }));
        window.until("the export", |state| path.exists() && !state.runtime.is_busy());
        let again = folder.path().join(format!("again.{ending}"));
        assert!(run(&["figure", &text(&session), "-o", &text(&again)]).status.success());
        assert!(std::fs::read(&path).unwrap() == std::fs::read(&again).unwrap(), "{ending} differs");
    }
    let svg = std::fs::read_to_string(folder.path().join("again.svg")).unwrap();
    assert!(svg.contains("Predicted response to") && svg.contains("What moves") && svg.contains("model hash"));
    // The heat map is as large as asked for.
    assert!(svg.contains("12 genes that vary most under the 9 perturbations"));
    // The page tests its own edges.
    assert!(svg.contains("Supported by held-out cells"));
}

#[test]
fn paths_that_are_pointed_out_are_on_the_page_too() {
    let mut window = sample();
    let network = window.state().network().unwrap().clone();
    // The best edge that is not shown: good enough to be among the ways from its regulator to its target.
    let view = window.state().document.filter.apply(&network);
    let shown: std::collections::BTreeSet<u32> = view.edges().map(|edge| edge.rank - 1).collect();
    let last = *network.edges().iter().find(|edge| !shown.contains(&(edge.rank - 1))).expect("an edge not shown");
    let [from, to] = [last.regulator, last.target].map(|gene| network.symbol(gene).to_owned());
    window.send(Action::SetTab(Tab::Figure));
    let mut page_now = window.state().document.page.clone();
    page_now.panels = vec![PagePanel::Network];
    window.send(Action::SetPage(Box::new(page_now)));
    drawn(&mut window, &["a"]);
    let edges = |window: &Window| -> usize {
        let text = &page(window.state()).metadata.description;
        text.split_once(' ').and_then(|(_, rest)| rest.split(' ').next()?.parse().ok()).expect("a number of edges")
    };
    let before = edges(&window);
    let mut query = PathQuery::new(&from, &to);
    (query.all_edges, query.count) = (true, 3);
    window.send(Action::SetPaths(Some(query.clone())));
    let told = |state: &State, name: &str, value: &str| match &state.runtime.page {
        PageDrawing::Ready(page) => page.metadata.entries().any(|entry| entry.0 == name && entry.1.contains(value)),
        _ => false,
    };
    window.until("the page with paths", |state| told(state, "paths pointed out", &from));
    window.until("the paths", |state| state.runtime.paths.found().is_some());
    let of_paths = window.state().runtime.paths.edges(&network, Some(&query));
    assert!(of_paths.contains(&(last.rank - 1)));
    assert_eq!(edges(&window), before + of_paths.iter().filter(|edge| !shown.contains(edge)).count());
    assert!(told(window.state(), "style", "colour of genes: predicted shift"));
    // The chosen one alone.
    let choices = (0..query.count).map(|chosen| PathQuery { chosen: Some(chosen), ..query.clone() });
    let of_choice = |query: PathQuery| (window.state().runtime.paths.edges(&network, Some(&query)), query);
    let (edges_of_one, query) =
        choices.map(of_choice).find(|(edges, _)| edges.contains(&(last.rank - 1))).expect("one path is that edge");
    let more = edges_of_one.iter().filter(|edge| !shown.contains(edge)).count();
    window.send(Action::SetPaths(Some(query)));
    window.until("the page with one path", |state| match &state.runtime.page {
        PageDrawing::Ready(page) => page.metadata.description.contains(&format!("a, {} edges", before + more)),
        _ => false,
    });
}

#[test]
fn the_methods_are_copied() {
    let mut window = sample();
    window.send(Action::SetTab(Tab::Figure));
    drawn(&mut window, &["a", "b", "c"]);
    window.harness.get_by_label("Copy methods").click();
    let mut copied = None;
    for _ in 0..4 {
        window.harness.step();
        let commands = &window.harness.output().platform_output.commands;
        copied = copied.or(commands.iter().find_map(|command| match command {
            egui::OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        }));
    }
    let state = window.state();
    let expected =
        grn_explorer::tasks::methods::paragraph(state.runtime.model.as_ref().unwrap(), Some(&state.document));
    assert_eq!(copied, Some(expected));
}

#[test]
fn a_session_without_a_model_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let session = folder.path().join("empty.grn.json");
    grn_explorer::session::save(&Default::default(), &session).unwrap();
    let output = run(&["figure", &text(&session), "-o", &text(&folder.path().join("x.svg"))]);
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("the session has no model"), "{error}");
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn run(arguments: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_grn-explorer")).args(arguments).output().unwrap()
}
