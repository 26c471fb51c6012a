//! What the user writes down: on the whole session, on genes, on edges.

use std::collections::BTreeMap;

/// What a note is about. Genes go by symbol.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoteSubject {
    /// The session as a whole.
    Session,
    /// A gene.
    Gene(String),
    /// The edge from a regulator to a target.
    Edge(String, String),
}

impl NoteSubject {
    /// As the user reads it: `STAT1`, `STAT1 → IRF1`.
    pub fn describe(&self) -> String {
        match self {
            Self::Session => "the session".to_owned(),
            Self::Gene(gene) => gene.clone(),
            Self::Edge(regulator, target) => format!("{regulator} → {target}"),
        }
    }
}

/// Free text by what it is about; what is blank is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(BTreeMap<NoteSubject, String>);

impl Notes {
    /// The note on `subject`; empty for none.
    pub fn on(&self, subject: &NoteSubject) -> &str {
        self.0.get(subject).map_or("", String::as_str)
    }

    /// The note on the gene `symbol`; empty for none.
    pub fn on_gene(&self, symbol: &str) -> &str {
        if self.0.is_empty() { "" } else { self.on(&NoteSubject::Gene(symbol.to_owned())) }
    }

    /// The note on the edge from `regulator` to `target`; empty for none.
    pub fn on_edge(&self, regulator: &str, target: &str) -> &str {
        if self.0.is_empty() { "" } else { self.on(&NoteSubject::Edge(regulator.to_owned(), target.to_owned())) }
    }

    /// Write `text` down on `subject`, in place of what was there; no text removes the note.
    pub fn write(&mut self, subject: NoteSubject, text: &str) {
        if text.is_empty() {
            self.0.remove(&subject);
        } else {
            self.0.insert(subject, text.to_owned());
        }
    }

    /// All notes: that on the session, then on genes, then on edges, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&NoteSubject, &str)> {
        self.0.iter().map(|(subject, text)| (subject, text.as_str()))
    }

    /// Whether nothing is written down.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_kept_by_subject_and_go_with_their_text() {
        let edge = || NoteSubject::Edge("STAT1".into(), "IRF1".into());
        let mut notes = Notes::default();
        notes.write(edge(), "known since 1994");
        notes.write(NoteSubject::Gene("STAT1".into()), "two guides");
        notes.write(NoteSubject::Session, "replicate 1");
        assert_eq!(notes.on_gene("STAT1"), "two guides");
        assert_eq!(notes.on_edge("STAT1", "IRF1"), "known since 1994");
        assert_eq!(notes.on_edge("IRF1", "STAT1"), "", "the other way round is another edge");
        let order: Vec<String> = notes.iter().map(|(subject, _)| subject.describe()).collect();
        assert_eq!(order, ["the session", "STAT1", "STAT1 → IRF1"]);
        notes.write(edge(), "");
        assert_eq!(notes.iter().count(), 2);
    }
}
