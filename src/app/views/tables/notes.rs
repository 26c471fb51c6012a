//! All notes, to read, to change, and to go to what they are about.

use std::fmt::Write as _;

use egui::{Grid, RichText, ScrollArea, Ui, WidgetInfo};

use super::super::notes::field;
use super::{filter_field, kinds, save, save_button};
use crate::app::views::search;
use crate::app::{Action, State, theme};
use crate::document::{NoteSubject, Notes};
use crate::network::Grn;

/// Room for what a note is about, in points.
const SUBJECT_WIDTH: f32 = 170.0;

/// What this table keeps for itself.
#[derive(Default)]
pub struct NoteTable {
    text: String,
}

impl NoteTable {
    /// Draw it into all of `ui`.
    pub fn show(&mut self, ui: &mut Ui, network: &Grn, state: &State, actions: &mut Vec<Action>) {
        let notes = &state.document.notes;
        ui.horizontal_wrapped(|ui| {
            kinds(ui, state, actions);
            if notes.is_empty() {
                return;
            }
            filter_field(ui, &mut self.text, "Filter the notes", 160.0);
            if save_button(ui, "notes") {
                let notes = notes.clone();
                actions.push(save("notes", move || table(&notes)));
            }
        });
        let part = self.text.trim().to_lowercase();
        let part = if notes.is_empty() { "" } else { &part };
        ScrollArea::vertical().id_salt("notes").auto_shrink(false).show(ui, |ui| {
            Grid::new("notes").num_columns(2).spacing([theme::MEDIUM, theme::SMALL]).show(ui, |ui| {
                ui.set_min_width(ui.available_width());
                row(ui, &NoteSubject::Session, network, state, actions);
                for (subject, text) in notes.iter() {
                    let fits = || search::contains(&subject.describe(), part) || search::contains(text, part);
                    if *subject != NoteSubject::Session && fits() {
                        row(ui, subject, network, state, actions);
                    }
                }
            });
            if !notes.iter().any(|(subject, _)| *subject != NoteSubject::Session) {
                let text = "Notes on genes and edges begin in the side panel: select a gene, or click an edge";
                ui.label(RichText::new(text).color(theme::colours(ui).text_weak));
            }
        });
    }
}

fn row(ui: &mut Ui, subject: &NoteSubject, network: &Grn, state: &State, actions: &mut Vec<Action>) {
    ui.allocate_ui(egui::vec2(SUBJECT_WIDTH, theme::ROW_HEIGHT), |ui| {
        ui.set_min_width(SUBJECT_WIDTH);
        let genes: Vec<String> = match subject {
            NoteSubject::Session => {
                ui.label("The whole session");
                return;
            }
            NoteSubject::Gene(gene) => vec![gene.clone()],
            NoteSubject::Edge(regulator, target) => vec![regulator.clone(), target.clone()],
        };
        let name = subject.describe();
        if let Some(gone) = genes.iter().find(|gene| network.find(gene).is_none()) {
            let weak = RichText::new(&name).color(theme::colours(ui).text_weak);
            ui.label(weak).on_hover_text(format!("{gone} is no node of this network"));
            return;
        }
        let link = ui.link(&name);
        link.widget_info(|| WidgetInfo::labeled(egui::Role::Link, true, format!("Go to {name}")));
        if link.on_hover_text("Select it in the network").clicked() {
            actions.push(Action::SelectAll(genes));
        }
    });
    field(ui, subject, state, actions);
    ui.end_row();
}

/// All notes as tab-separated text: regulator or gene, target (empty for notes on genes and on the session), note in one line.
fn table(notes: &Notes) -> String {
    let mut text = String::from("gene\ttarget\tnote\n");
    for (subject, note) in notes.iter() {
        let (gene, target) = match subject {
            NoteSubject::Session => ("", ""),
            NoteSubject::Gene(gene) => (gene.as_str(), ""),
            NoteSubject::Edge(regulator, target) => (regulator.as_str(), target.as_str()),
        };
        let note = note.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "{gene}\t{target}\t{note}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_one_line_each() {
        let mut notes = Notes::default();
        notes.write(NoteSubject::Edge("STAT1".into(), "IRF1".into()), "seen\tin\nChIP");
        notes.write(NoteSubject::Session, "replicate 1");
        assert_eq!(table(&notes), "gene\ttarget\tnote\n\t\treplicate 1\nSTAT1\tIRF1\tseen in ChIP\n");
    }
}
