//! Where notes are written: on a gene, an edge, or the session.

use egui::{Role, TextEdit, Ui, WidgetInfo};

use crate::app::{Action, State};
use crate::document::NoteSubject;

/// The note on `subject` to read and change, or a button to begin one. `begun` is the
/// note that is being written.
pub fn note(
    ui: &mut Ui,
    begun: &mut Option<NoteSubject>,
    subject: NoteSubject,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let is_begun = begun.as_ref() == Some(&subject);
    if !is_begun && state.document.notes.on(&subject).is_empty() {
        let button = ui.button("Add a note");
        let label = format!("Add a note on {}", subject.describe());
        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
        if button.on_hover_text("Kept in the session, and written into network files").clicked() {
            *begun = Some(subject);
        }
        return;
    }
    let response = field(ui, &subject, state, actions);
    if response.lost_focus() {
        // Another one may have been begun by the same click.
        begun.take_if(|_| is_begun);
    } else if response.has_focus() {
        // It stays while it is written in, with or without text.
        *begun = Some(subject);
    } else if is_begun {
        response.request_focus();
    }
}

/// The field with the note on `subject`, as wide as there is room.
pub fn field(ui: &mut Ui, subject: &NoteSubject, state: &State, actions: &mut Vec<Action>) -> egui::Response {
    let mut text = state.document.notes.on(subject).to_owned();
    let label = format!("Note on {}", subject.describe());
    let field = TextEdit::multiline(&mut text).id_salt(&label).hint_text("Note").desired_rows(1);
    let response = ui.add(field.desired_width(f32::INFINITY));
    response.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, &label));
    if response.changed() {
        actions.push(Action::SetNote(subject.clone(), text));
    }
    response
}
