//! Nothing unsaved is lost without a question.

use grn_explorer::app::Action;
use grn_explorer::app::state::{Dialog, HeldBack};
use grn_explorer::document::NoteSubject;

use super::{Window, screen};

#[test]
fn edits_of_a_saved_session_are_guarded() {
    let folder = tempfile::tempdir().unwrap();
    let path = screen(folder.path());
    let session = folder.path().join("mine.grn.json");
    let mut window = Window::new([1024.0, 640.0]);
    window.open(&path);
    assert_eq!(window.state().unsaved(), None, "an opened file alone is nothing to save");
    window.send(Action::SaveSessionTo(session.clone()));
    window.until("saving", |state| state.runtime.session_path.is_some());
    assert_eq!(window.state().unsaved(), None);

    window.send(Action::Select { gene: "G1".into(), extend: false });
    assert!(window.state().unsaved().is_some());
    window.send(Action::OpenPath(path.clone()));
    assert_eq!(window.state().view.dialog, Some(Dialog::Unsaved(HeldBack::Open(path.clone()))));
    window.click("Cancel");
    assert_eq!(window.state().document.selection, ["G1"], "cancelled: nothing happened");

    window.send(Action::OpenPath(path.clone()));
    window.click("Save session");
    window.until("saving and opening", |state| state.runtime.session_path.is_none());
    assert!(window.state().document.selection.is_empty());
    let saved = grn_explorer::session::load(&session).unwrap();
    assert_eq!(saved.selection, ["G1"]);
}

#[test]
fn quitting_asks_first_and_can_discard() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::new([1024.0, 640.0]);
    window.open(&screen(folder.path()));
    window.send(Action::SaveSessionTo(folder.path().join("mine")));
    window.until("saving", |state| state.runtime.session_path.is_some());
    window.send(Action::SetNote(NoteSubject::Session, "look at STAT1".into()));
    window.send(Action::Quit);
    assert_eq!(window.state().view.dialog, Some(Dialog::Unsaved(HeldBack::Quit)));
    window.click("Do not save");
    assert_eq!(window.state().view.dialog, None);
    let saved = grn_explorer::session::load(&folder.path().join("mine.grn.json")).unwrap();
    assert!(saved.notes.is_empty());
}
