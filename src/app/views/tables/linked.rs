//! Follows the selection: which of it is new, and whether this table made it.

/// What a table knows of the selection.
#[derive(Default)]
pub(super) struct Linked {
    seen: Vec<String>,
    own: bool,
}

impl Linked {
    /// The selection about to come is this table's own: nothing is to be scrolled.
    pub(super) fn click(&mut self) {
        self.own = true;
    }

    /// Whether something else was selected since, and not by this table.
    pub(super) fn follow(&mut self, selection: &[String]) -> bool {
        if self.seen == selection {
            return false;
        }
        self.seen = selection.to_vec();
        !std::mem::take(&mut self.own) && !selection.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_others_select_is_scrolled_to() {
        let mut linked = Linked::default();
        let selection = |gene: &str| vec![gene.to_owned()];
        assert!(!linked.follow(&[]));
        assert!(linked.follow(&selection("A")));
        assert!(!linked.follow(&selection("A")), "told once");
        linked.click();
        assert!(!linked.follow(&selection("B")));
        assert!(linked.follow(&selection("C")));
        assert!(!linked.follow(&[]), "nowhere to go");
    }
}
