//! Families of genes that tell the state of a cell, known by their names.

/// A family whose share of a cell's counts is looked at in quality control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GeneFamily {
    /// Genes of the mitochondrial genome (`MT-`): much of them in a torn cell.
    Mitochondrial,
    /// Ribosomal proteins (`RPS`, `RPL`).
    Ribosomal,
    /// Haemoglobins (`HB`, next letter not `P`): red blood cells.
    Haemoglobin,
}

impl GeneFamily {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mitochondrial, Self::Ribosomal, Self::Haemoglobin];

    /// Whether `symbol` is one of the family. Upper and lower case are the same, so that mouse symbols (`mt-Nd1`, `Rps3`)
    /// count too.
    pub fn holds(self, symbol: &str) -> bool {
        let starts = |prefix: &str| symbol.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        match self {
            Self::Mitochondrial => starts("MT-"),
            Self::Ribosomal => starts("RPS") || starts("RPL"),
            Self::Haemoglobin => {
                starts("HB") && symbol[2..].chars().next().is_some_and(|next| !next.eq_ignore_ascii_case(&'P'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gene_families_are_told_by_their_names() {
        let families = |symbol: &str| GeneFamily::ALL.into_iter().find(|family| family.holds(symbol));
        assert_eq!(families("MT-ND1"), Some(GeneFamily::Mitochondrial));
        assert_eq!(families("mt-Nd1"), Some(GeneFamily::Mitochondrial));
        assert_eq!(families("MTOR"), None);
        assert_eq!(families("RPLP0"), Some(GeneFamily::Ribosomal));
        assert_eq!(families("Rps27a"), Some(GeneFamily::Ribosomal));
        assert_eq!(families("HBB"), Some(GeneFamily::Haemoglobin));
        assert_eq!(families("HBP1"), None);
        assert_eq!(families("HB"), None);
        assert_eq!(families("µ"), None);
    }
}
