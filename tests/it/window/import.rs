//! How a file is read: changed, previewed and kept, by label.

use egui_kittest::kittest::Queryable;
use grn_explorer::app::Action;
use grn_explorer::data::ImportOptions;

use super::{Window, screen};

/// The window with a small screen, once the labels are listed.
fn opened(folder: &std::path::Path) -> Window {
    let path = screen(folder);
    let mut window = Window::new([1280.0, 1500.0]);
    window.open(&path);
    window
}

#[test]
fn ticking_a_control_is_previewed_before_the_file_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = opened(folder.path());
    let summary = window.state().runtime.summary.clone().unwrap();
    let other = &summary.perturbations[0];
    assert!(!window.shows("With these choices"));
    window.click(&format!("Control: {}", other.name));
    window.until("the preview", |state| {
        let preview = &state.runtime.preview;
        let asked = preview.asked.as_ref().is_some_and(|(_, options)| options.control_labels.len() == 2);
        asked && preview.found.as_ref().is_some_and(|found| found.options.control_labels.len() == 2)
    });
    assert!(window.shows("With these choices"));
    let found = window.state().runtime.preview.found.clone().unwrap();
    let preview = found.result.as_ref().unwrap();
    assert_eq!(preview.control_cells, summary.control_cells + other.cells);
    assert_eq!(preview.perturbations.len(), summary.perturbations.len() - 1);
    assert_eq!(window.state().runtime.summary.as_ref().unwrap().control_cells, summary.control_cells, "not read yet");

    window.click("Read with these choices");
    window.until("reading", |state| state.document.sources.import.control_labels.len() == 2);
    assert_eq!(window.state().runtime.summary.as_ref().unwrap().control_cells, preview.control_cells);
    assert!(!window.shows("With these choices"));
}

#[test]
fn changes_can_be_undone_before_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = opened(folder.path());
    let name = window.state().runtime.summary.as_ref().unwrap().perturbations[1].name.clone();
    window.click(&format!("Unassigned: {name}"));
    window.until("the preview", |state| {
        state.runtime.preview.found.as_ref().is_some_and(|found| found.options.unassigned_labels == [name.as_str()])
    });
    window.click("Undo the changes");
    assert!(!window.shows("With these choices"));
    assert_eq!(window.state().document.sources.import, ImportOptions::default());
}

#[test]
fn choices_saved_beside_the_data_are_used_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = opened(folder.path());
    let path = folder.path().join("screen.h5ad");
    let name = window.state().runtime.summary.as_ref().unwrap().perturbations[0].name.clone();
    let options = ImportOptions { control_labels: vec![name.clone()], ..ImportOptions::default() };
    window.send(Action::ReadAgain(Box::new(options)));
    window.until("reading", |state| !state.document.sources.import.control_labels.is_empty());
    let beside = folder.path().join("screen.h5ad.import.toml");
    window.answers.next(&beside);
    window.click("Save choices…");
    window.until("saving", |_| beside.exists());
    assert!(std::fs::read_to_string(&beside).unwrap().contains(&name));

    window.open(&path);
    assert_eq!(window.state().document.sources.import.control_labels, [name]);
    let dataset = window.state().runtime.dataset.clone().unwrap();
    let control = dataset.import().choices.iter().find(|choice| choice.what == "control").unwrap();
    assert!(control.reason.starts_with("named in screen.h5ad.import.toml"), "{}", control.reason);
    // The rules are one click away, whatever lies beside the data.
    window.click("Back to the rules");
    window.until("reading", |state| state.document.sources.import == ImportOptions::default());
}

#[test]
fn whether_perturbations_worked_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let window = opened(folder.path());
    let check = window.state().runtime.targets.clone().unwrap();
    for (verdict, count) in check.counts() {
        let label = format!("{count} {}", verdict.label());
        assert!(window.harness.query_all_by_label(&label).next().is_some(), "{label}");
    }
}

#[test]
fn a_labels_file_can_be_chosen_and_left_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = opened(folder.path());
    let dataset = window.state().runtime.dataset.clone().unwrap();
    let mut table = "cell,gene\n".to_owned();
    for (at, cell) in dataset.cells().iter().enumerate() {
        table.push_str(&format!("{cell},{}\n", if at % 3 == 0 { "G001" } else { "control" }));
    }
    let labels = folder.path().join("guides.csv");
    std::fs::write(&labels, table).unwrap();

    window.answers.next(&labels);
    window.click("Choose…");
    window.until("the preview", |state| {
        let found = state.runtime.preview.found.as_ref();
        found.is_some_and(|found| found.options.labels_file.as_deref() == Some(&labels))
    });
    let found = window.state().runtime.preview.found.clone().unwrap();
    let preview = found.result.as_ref().unwrap();
    assert_eq!((preview.control_cells, preview.perturbations.len()), (200, 1));
    assert!(window.shows("With these choices"));
    let list = window.harness.get_by_role_and_label(egui::accesskit::Role::ComboBox, "Labels file");
    assert_eq!(list.value().as_deref(), Some("guides.csv"));
    window.click("Read with these choices");
    window.until("reading", |state| state.document.sources.import.labels_file.as_deref() == Some(&labels));
    window.until("the data set", |state| {
        state.runtime.summary.as_ref().is_some_and(|summary| summary.perturbations.len() == 1)
    });
    window.click("Back to the rules");
    window.until("reading", |state| state.document.sources.import == ImportOptions::default());
}

#[test]
fn guides_need_as_many_molecules_as_the_user_says() {
    let folder = crate::text_formats::with_guides();
    let mut window = Window::new([1280.0, 1500.0]);
    window.open(folder.path());
    let unassigned = |state: &grn_explorer::app::State| state.runtime.summary.as_ref().unwrap().unassigned_cells;
    assert_eq!(unassigned(window.state()), 3);
    // The last cell has 4 molecules of a guide.
    window.harness.get_by_role_and_label(egui::accesskit::Role::SpinButton, "Guide calls").focus();
    window.harness.run_steps(3);
    window.press(egui::Modifiers::COMMAND, egui::Key::A);
    window.harness.event(egui::Event::Text("4".to_owned()));
    window.harness.run_steps(2);
    window.press(egui::Modifiers::NONE, egui::Key::Enter);
    window.until("the preview", |state| {
        let found = state.runtime.preview.found.as_ref();
        found.is_some_and(|found| found.options.guide_threshold == Some(4))
    });
    window.click("Read with these choices");
    window.until("reading", |state| state.document.sources.import.guide_threshold == Some(4));
    window.until("the data set", |state| unassigned(state) == 2);
}
