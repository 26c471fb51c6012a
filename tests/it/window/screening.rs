//! Quality of the cells and differential expression, by label.

use egui_kittest::kittest::Queryable as _;
use grn_explorer::app::Action;
use grn_explorer::app::findings::{GuideFinding, QualityFinding};
use grn_explorer::app::state::{DataSection, Tab};
use grn_explorer::data::h5ad;
use grn_explorer::data::simulate::{SimulateConfig, simulate};
use grn_explorer::jobs::Silent;
use grn_explorer::preprocess::differential::Test;

use super::{Window, screen};

fn quality(window: &Window) -> &grn_explorer::tasks::quality::Quality {
    match &window.state().runtime.findings.quality {
        QualityFinding::Ready(quality) => quality,
        other => panic!("{other:?}"),
    }
}

#[test]
fn limits_are_recounted_at_once_and_undone() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&screen(folder.path()));
    window.click("Quality");
    window.until("the quality", |state| matches!(state.runtime.findings.quality, QualityFinding::Ready(_)));
    let at_three = quality(&window).report.failing;
    assert!(window.mentions("fail at least one rule"));
    assert!(!window.shows("Histogram: Doublet score"));
    window.click("Look for doublets");
    window.until("the doublets", |state| state.runtime.findings.doublets.known().is_some());
    assert!(window.mentions("called doublets"));
    assert!(window.shows("Histogram: Doublet score"));
    for label in ["Histogram: Total counts", "Histogram: Detected genes", "Total counts against detected genes"] {
        assert!(window.shows(label), "{label}");
    }
    assert!(window.shows("quality of control"));
    window.click("5 MAD");
    window.until("the recount", |state| match &state.runtime.findings.quality {
        QualityFinding::Ready(quality) => quality.report.mads == 5.0,
        _ => false,
    });
    assert!(quality(&window).report.failing <= at_three);
    assert_eq!(window.state().document.training.prepare.quality_mads, 5.0, "the training uses the same limit");
    window.send(Action::Undo);
    window.until("the recount", |state| match &state.runtime.findings.quality {
        QualityFinding::Ready(quality) => quality.report.mads == 3.0,
        _ => false,
    });
    assert_eq!(quality(&window).report.failing, at_three);
}

#[test]
fn plots_and_tables_of_the_quality_are_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&screen(folder.path()));
    window.send(Action::ShowSection(DataSection::Quality));
    window.until("the quality", |state| matches!(state.runtime.findings.quality, QualityFinding::Ready(_)));
    let (figure, cells) = (folder.path().join("quality.svg"), folder.path().join("cells.tsv"));
    window.export(&[], &figure);
    let figure = std::fs::read_to_string(&figure).unwrap();
    assert!(figure.contains("Detected genes") && figure.contains("MAD"));
    window.export(&["All cells (table)"], &cells);
    let cells = std::fs::read_to_string(&cells).unwrap();
    assert_eq!(cells.lines().count(), 301);
}

#[test]
fn a_volcano_follows_the_perturbation_shown_and_selects_genes() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&screen(folder.path()));
    window.click("Differential expression");
    window.until("the test", |state| !state.runtime.findings.tests.done.is_empty());
    let first = window.state().runtime.findings.tests.done[0].clone();
    assert!(window.shows(&format!("Volcano plot of {}", first.perturbation)));
    assert!(window.mentions("control cells"));
    let top = first.tsv().lines().nth(1).unwrap().split('\t').nth(1).unwrap().to_owned();
    window.click(&format!("gene {top}"));
    assert_eq!(window.state().document.selection, [top]);

    window.click("Next perturbation");
    let shown = window.state().view.perturbation.clone().unwrap();
    assert_ne!(shown, first.perturbation);
    window.until("the next test", |state| state.runtime.findings.tests.done.len() == 2);
    assert!(window.shows(&format!("Volcano plot of {shown}")));
    window.send(Action::SetTest(Test::WelchT));
    window.until("the other test", |state| state.runtime.findings.tests.done.len() == 3);
    assert_eq!(window.state().runtime.findings.tests.done[2].test, Test::WelchT);

    // What was tested is kept.
    window.send(Action::SetTest(Test::default()));
    window.click("Previous perturbation");
    assert_eq!(window.state().runtime.findings.tests.done.len(), 3);
    assert!(window.shows(&format!("Volcano plot of {}", first.perturbation)));
}

#[test]
fn a_perturbation_chosen_in_a_table_is_the_one_in_the_volcano() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&screen(folder.path()));
    let name = window.state().runtime.summary.as_ref().unwrap().perturbations[2].name.clone();
    window.send(Action::ShowPerturbation(Some(name.clone())));
    let action = grn_explorer::app::Command::ShowDifferential.action(window.state());
    window.send(action);
    assert_eq!((window.state().view.tab, window.state().view.section), (Tab::Data, DataSection::Differential));
    window.until("the test", |state| state.runtime.findings.tests.done.len() == 1);
    assert_eq!(window.state().runtime.findings.tests.done[0].perturbation, name);
    // Opening another file forgets what was found.
    window.open(&screen(folder.path()));
    assert!(window.state().runtime.findings.tests.done.is_empty());
    assert_eq!(window.state().view.section, DataSection::Import);
}

#[test]
fn guides_are_compared_sorted_found_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    // Of a screen that names none there is nothing to compare, and the way out is told.
    let config = SimulateConfig { cells: 300, guides: 1, ..SimulateConfig::small() };
    let path = folder.path().join("none.h5ad");
    h5ad::write(&path, &simulate(&config, &Silent).unwrap().dataset).unwrap();
    window.open(&path);
    window.click("Guides");
    window.until("the answer", |state| matches!(state.runtime.findings.guides, GuideFinding::NoGuides));
    window.harness.run_steps(2);
    assert!(window.shows("No guides"));
    window.click("Import page");
    assert_eq!(window.state().view.section, DataSection::Import);

    window.open(&crate::guides::screen(folder.path()));
    assert!(window.mentions("13 guides; 6 targets with several"));
    window.click("Guides");
    window.until("the guides", |state| matches!(state.runtime.findings.guides, GuideFinding::Ready(_)));
    window.harness.run_steps(2);
    assert!(window.mentions("13 guides of column sgRNA"));
    let GuideFinding::Ready(check) = window.state().runtime.findings.guides.clone() else { unreachable!() };
    let less: Vec<&str> =
        check.guides.iter().filter(|guide| guide.works_less()).map(|guide| guide.name.as_str()).collect();
    assert!(less.len() >= 3 && less.iter().all(|name| name.ends_with("_g1")), "{less:?}");
    assert!(window.mentions(&format!("▲ {} guides with fewer responding cells", less.len())));
    // A click shows the perturbation.
    let weak = check.guides.iter().find(|guide| guide.works_less()).unwrap();
    window.click(&format!("guide {}", weak.name));
    assert_eq!(window.state().view.perturbation, weak.perturbation);
    let field = window.harness.get_by_label("Filter guides");
    field.focus();
    window.harness.run_steps(1);
    window.harness.get_by_label("Filter guides").type_text(weak.perturbation.as_ref().unwrap());
    window.harness.run_steps(3);
    let other = check.guides.iter().find(|guide| guide.perturbation != weak.perturbation).unwrap();
    assert!(window.shows(&format!("guide {}", weak.name)) && !window.shows(&format!("guide {}", other.name)));
    let path = folder.path().join("guides.tsv");
    window.answers.next(&path);
    window.click("Save…");
    window.until("the table", |_| path.is_file());
    let saved = std::fs::read_to_string(&path).unwrap();
    assert_eq!(saved, grn_explorer::tasks::guides::table(&check));
    assert_eq!(saved.lines().count(), 14);
}
