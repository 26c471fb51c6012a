//! Follows the selection: which of it is new, and whether this table made it.

/// What a table knows of the selection.
#[derive(Default)]
pub(in crate::app::views) struct Linked {
    genes: Vec<String>,
    edges: Vec<u32>,
    own: bool,
}

impl Linked {
    /// The selection about to come is this table's own: nothing is to be scrolled.
    pub(in crate::app::views) fn click(&mut self) {
        self.own = true;
    }

    /// Whether other genes were selected, or other edges pointed out, since and not by this table.
    pub(in crate::app::views) fn follow(&mut self, genes: &[String], edges: &[u32]) -> bool {
        if self.genes == genes && self.edges == edges {
            return false;
        }
        self.genes = genes.to_vec();
        self.edges = edges.to_vec();
        let nothing = genes.is_empty() && edges.is_empty();
        !(std::mem::take(&mut self.own) || nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_others_select_is_scrolled_to() {
        let mut linked = Linked::default();
        let selection = |gene: &str| vec![gene.to_owned()];
        assert!(!linked.follow(&[], &[]));
        assert!(linked.follow(&selection("A"), &[]));
        assert!(!linked.follow(&selection("A"), &[]), "told once");
        linked.click();
        assert!(!linked.follow(&selection("B"), &[]));
        assert!(linked.follow(&selection("C"), &[]));
        assert!(linked.follow(&selection("C"), &[3]), "edges of a path");
        assert!(!linked.follow(&[], &[]), "nowhere to go");
    }
}
