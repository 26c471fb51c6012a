//! Sessions restore what was edited, and ask for files that are gone.

use grn_explorer::app::Action;
use grn_explorer::app::state::Dialog;
use grn_explorer::document::NetworkFilter;

use super::{Window, screen};

/// A window with edits saved to a session in `folder`.
fn saved(folder: &std::path::Path) -> std::path::PathBuf {
    let session = folder.join("mine.grn.json");
    let mut window = Window::new([1024.0, 640.0]);
    window.open(&screen(folder));
    let gene = window.state().runtime.summary.as_ref().unwrap().perturbations[0].targets[0].clone();
    window.send(Action::Select { gene: gene.clone(), extend: false });
    window.send(Action::MoveNode { gene: gene.clone(), position: [3.0, 4.0] });
    window.send(Action::SetFilter(Box::new(NetworkFilter::top(25))));
    window.send(Action::KnockOut(vec![(gene, 1.0)]));
    window.answers.next(&session);
    window.press(egui::Modifiers::COMMAND, egui::Key::S);
    window.until("saving", |state| state.runtime.session_path.is_some());
    session
}

#[test]
fn a_session_restores_everything() {
    let folder = tempfile::tempdir().unwrap();
    let session = saved(folder.path());
    let mut window = Window::new([1024.0, 640.0]);
    window.open(&session);
    let document = &window.state().document;
    assert_eq!(document.filter, NetworkFilter::top(25));
    assert_eq!(document.selection.len(), 1);
    let gene = &document.selection[0];
    assert_eq!(document.positions[gene], [3.0, 4.0]);
    assert!(document.pinned.contains(gene));
    assert_eq!(document.knock_out[gene], 1.0);
    assert_eq!(window.state().runtime.dataset.as_ref().unwrap().cell_count(), 300);
    assert_eq!(window.state().unsaved(), None);
    assert_eq!(window.state().history.undo_label(), None);
}

#[test]
fn a_missing_file_can_be_located() {
    let folder = tempfile::tempdir().unwrap();
    let session = saved(folder.path());
    let moved = folder.path().join("moved.h5ad");
    std::fs::rename(folder.path().join("screen.h5ad"), &moved).unwrap();
    let mut window = Window::new([1024.0, 640.0]);
    window.open(&session);
    window.until("the question", |state| state.view.dialog == Some(Dialog::Missing));
    assert!(window.shows("The session's data set is gone"));
    window.answers.next(&moved);
    window.click("Locate…");
    window.until("opening", |state| state.runtime.dataset.is_some());
    assert_eq!(window.state().document.filter, NetworkFilter::top(25));
    assert_eq!(window.state().document.sources.dataset.as_ref().unwrap().path, moved);
}

#[test]
fn a_session_of_other_data_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let session = saved(folder.path());
    let text = std::fs::read_to_string(&session).unwrap();
    let hash = grn_explorer::session::load(&session).unwrap().sources.dataset.unwrap().hash;
    std::fs::write(&session, text.replace(&hash, &"0".repeat(hash.len()))).unwrap();
    let mut window = Window::new([1024.0, 640.0]);
    window.open(&session);
    assert!(window.shows("The session's files have changed"));
}
