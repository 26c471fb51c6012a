//! Notes on genes, edges and the session.

use egui_kittest::kittest::Queryable;
use grn_explorer::app::Action;
use grn_explorer::document::NoteSubject;

use super::{Window, sample};

/// Type `text` into the field with this label.
fn write(window: &mut Window, label: &str, text: &str) {
    let field = window.harness.get_by_label(label);
    field.focus();
    field.type_text(text);
    window.harness.run_steps(4);
}

#[test]
fn notes_are_written_kept_found_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = sample();
    let network = window.state().network().unwrap().clone();
    let best = network.edges()[0];
    let (regulator, target) = (network.symbol(best.regulator).to_owned(), network.symbol(best.target).to_owned());
    let edge = NoteSubject::Edge(regulator.clone(), target.clone());

    // Both ends selected, as a click on the edge does.
    window.send(Action::SelectAll(vec![regulator.clone(), target.clone()]));
    window.harness.run_steps(4);
    window.click(&format!("Add a note on {target}"));
    write(&mut window, &format!("Note on {target}"), "two guides agree");
    window.click(&format!("Add a note on {regulator} → {target}"));
    write(&mut window, &format!("Note on {regulator} → {target}"), "seen in ChIP");
    assert_eq!(window.state().document.notes.on_gene(&target), "two guides agree");
    assert_eq!(window.state().document.notes.on(&edge), "seen in ChIP");

    // What is typed into one field is one step.
    // Escape leaves the field.
    window.press(egui::Modifiers::NONE, egui::Key::Escape);
    assert_eq!(window.state().document.selection.len(), 2, "only the field is left");
    assert_eq!(window.state().history.undo_label(), Some(format!("Note on {regulator} → {target}").as_str()));
    window.send(Action::Undo);
    window.harness.run_steps(4);
    assert_eq!(window.state().document.notes.on(&edge), "");
    assert_eq!(window.state().document.notes.on_gene(&target), "two guides agree");
    window.send(Action::Redo);
    window.harness.run_steps(4);

    // The table of notes leads back to what they are about, and takes one on the whole session.
    window.send(Action::ClearSelection);
    window.send(Action::ShowTable(Some(grn_explorer::app::state::TableKind::Notes)));
    window.harness.run_steps(6);
    write(&mut window, "Note on the session", "replicate 1");
    window.click(&format!("Go to {regulator} → {target}"));
    assert_eq!(window.state().document.selection, [regulator.clone(), target.clone()]);

    let session = folder.path().join("noted.grn.json");
    window.send(Action::SaveSessionTo(session.clone()));
    window.until("saving", |state| state.runtime.session_path.is_some());
    let kept = grn_explorer::session::load(&session).unwrap();
    assert_eq!(kept.notes, window.state().document.notes);
    assert_eq!(kept.notes.on(&NoteSubject::Session), "replicate 1");
}
