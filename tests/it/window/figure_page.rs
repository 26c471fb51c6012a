//! The figure page: changed, exported, and made again without the window.

use std::path::Path;

use egui_kittest::kittest::Queryable;
use grn_explorer::app::state::{PageDrawing, Prediction, Tab};
use grn_explorer::app::{Action, ExportFormat, ExportRequest, State};
use grn_explorer::document::PagePanel;

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
    window.until("the prediction", |state| matches!(state.runtime.prediction, Prediction::Ready(_)));
    window.send(Action::SetTab(Tab::Network));
    window.until("the layout", |state| !state.document.positions.is_empty());
    window.send(Action::SetTab(Tab::Figure));
    let mut page_now = window.state().document.page.clone();
    page_now.panels = PagePanel::ALL.to_vec();
    // It needs another network; see the tests of comparisons.
    page_now.panels.retain(|panel| *panel != PagePanel::Comparison);
    window.send(Action::SetPage(Box::new(page_now)));
    drawn(&mut window, &["a", "b", "c", "d", "e"]);
    assert!(page(window.state()).left_out.is_empty());

    let session = folder.path().join("figure.grn.json");
    window.send(Action::SaveSessionTo(session.clone()));
    window.until("saving", |state| state.runtime.session_path.is_some() && !state.runtime.is_busy());
    drawn(&mut window, &["a", "b", "c", "d", "e"]);
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
    assert!(svg.contains("Predicted response to") && svg.contains("model hash"));
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
