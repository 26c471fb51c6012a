//! How well a column of `obs` serves as the perturbation column.

use super::{ControlSign, LabelReader, Meaning};
use crate::data::{Categories, Genes};

/// Names that published screens give the perturbation column, the most telling first.
pub const PERTURBATION_COLUMNS: &[&str] = &[
    "perturbation",
    "target_gene",
    "gene",
    "condition",
    "genetic_perturbation_id",
    "guide_identity",
    "target",
    "gene_target",
    "target_genes",
    "perturbed_gene",
    "perturbation_name",
    "perturbations",
    "knockout",
    "ko",
    "guide_target",
    "guide",
    "guide_id",
    "sgrna",
    "grna",
    "sgid_ab",
    "feature_call",
    "grna_lenient",
    "perturbation_raw",
    "treatment",
];
/// Fewest and most labels of a perturbation column.
const LEVELS: std::ops::RangeInclusive<usize> = 2..=20_000;

/// How well a column serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnFit {
    /// Labels that at least one cell has.
    pub levels: usize,
    /// Labels that name targets.
    pub targeting: usize,
    /// Labels all of whose targets are measured.
    pub measured: usize,
    /// Labels at least one of whose targets is measured.
    pub partly_measured: usize,
    /// Labels whose targets at least look like gene symbols.
    pub symbol_like: usize,
    /// Whether a label means control by convention.
    pub has_control: bool,
}

impl ColumnFit {
    /// Most labels are genes of the data set.
    pub fn is_good(&self) -> bool {
        LEVELS.contains(&self.levels) && self.targeting > 0 && 2 * self.measured >= self.targeting
    }

    /// There is a control, and the other labels can be genes, few of which were measured: targeted panels and files cut down to the
    /// variable genes are so.
    pub fn is_possible(&self) -> bool {
        LEVELS.contains(&self.levels)
            && self.has_control
            && self.targeting > 0
            && (self.partly_measured > 0 || 2 * self.symbol_like >= self.targeting)
    }
}

/// Judge `column` by the labels that cells have.
pub fn fit(column: &Categories, genes: &Genes) -> ColumnFit {
    let mut used = vec![false; column.levels.len()];
    for code in column.codes.iter().flatten() {
        used[*code as usize] = true;
    }
    let labels: Vec<&str> =
        column.levels.iter().zip(&used).filter(|(_, used)| **used).map(|(level, _)| level.as_str()).collect();
    let mut fit = ColumnFit {
        levels: labels.len(),
        targeting: 0,
        measured: 0,
        partly_measured: 0,
        symbol_like: 0,
        has_control: false,
    };
    if !LEVELS.contains(&fit.levels) {
        return fit;
    }
    let reader = LabelReader::new(genes, labels.iter().copied());
    for label in labels {
        match reader.read(label) {
            Meaning::Control(sign) => fit.has_control |= sign == ControlSign::Sure,
            Meaning::Unassigned => {}
            Meaning::Targets(targets) => {
                fit.targeting += 1;
                fit.measured += usize::from(targets.iter().all(|target| target.measured));
                fit.partly_measured += usize::from(targets.iter().any(|target| target.measured));
                fit.symbol_like += usize::from(targets.iter().all(|target| looks_like_symbol(&target.symbol)));
            }
        }
    }
    fit
}

/// `STAT1`, `HLA-A`, `C1orf112`, `Stat1`: short, starts with a capital, and has a second capital or a digit.
pub fn looks_like_symbol(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    (2..=16).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(inner)
        && name.bytes().skip(1).any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Gene;

    fn column(labels: &[&str]) -> Categories {
        let levels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
        let codes = (0..labels.len() as u32).map(Some).collect();
        Categories { name: "c".into(), levels, codes }
    }

    #[test]
    fn a_column_of_measured_genes_is_good_and_of_cell_types_is_not() {
        let genes = Genes::new(["STAT1", "JAK2"].map(Gene::named).to_vec());
        assert!(fit(&column(&["control", "STAT1", "JAK2", "STAT1+JAK2", "nan"]), &genes).is_good());
        let types = fit(&column(&["control", "monocyte", "B cell"]), &genes);
        assert!(!types.is_good() && !types.is_possible());
        let panel = fit(&column(&["non-targeting", "STAT1", "CD86", "CAV1", "IRF7"]), &genes);
        assert!(!panel.is_good() && panel.is_possible());
        assert!(!fit(&column(&["STAT1"]), &genes).is_good());
    }

    #[test]
    fn labels_without_cells_do_not_count() {
        let genes = Genes::new(["STAT1"].map(Gene::named).to_vec());
        let mut unused = column(&["control", "STAT1", "X1", "X2", "X3"]);
        unused.codes = vec![Some(0), Some(1), None];
        assert_eq!(fit(&unused, &genes).levels, 2);
        assert!(fit(&unused, &genes).is_good());
    }
}
