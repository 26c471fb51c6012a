//! Notes in the session file: three fields, of which the first is as old as sessions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::document::{self, NoteSubject};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Notes {
    notes: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    gene_notes: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    edge_notes: Vec<EdgeNote>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EdgeNote {
    regulator: String,
    target: String,
    note: String,
}

impl Notes {
    pub(super) fn of(notes: &document::Notes) -> Self {
        let mut written = Self::default();
        for (subject, text) in notes.iter() {
            let note = text.to_owned();
            match subject.clone() {
                NoteSubject::Session => written.notes = note,
                NoteSubject::Gene(gene) => _ = written.gene_notes.insert(gene, note),
                NoteSubject::Edge(regulator, target) => written.edge_notes.push(EdgeNote { regulator, target, note }),
            }
        }
        written
    }

    pub(super) fn into_notes(self) -> document::Notes {
        let mut notes = document::Notes::default();
        notes.write(NoteSubject::Session, &self.notes);
        for (gene, note) in self.gene_notes {
            notes.write(NoteSubject::Gene(gene), &note);
        }
        for EdgeNote { regulator, target, note } in self.edge_notes {
            notes.write(NoteSubject::Edge(regulator, target), &note);
        }
        notes
    }
}
