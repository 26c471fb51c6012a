//! From a label to the genes that it names.

use std::collections::HashSet;

use super::control::{ControlSign, control_sign, is_unassigned};
use super::guide::{GuideStyle, without_vector};
use crate::data::Genes;

/// What one label says of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A control.
    Control(ControlSign),
    /// Nobody knows.
    Unassigned,
    /// These genes were perturbed: at least one, sorted, each once.
    Targets(Vec<Target>),
}

/// One perturbed gene.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Its symbol; as in the label where the gene is not measured.
    pub symbol: String,
    /// Whether it is among the measured genes.
    pub measured: bool,
}

/// Reads labels in the light of the measured genes and of the column's other labels.
pub struct LabelReader<'a> {
    genes: &'a Genes,
    lower_case: std::collections::HashMap<String, Option<u32>>,
    /// Labels of the column without `_` and `+`: they name single targets even where these are not measured.
    singles: HashSet<&'a str>,
    /// Guide styles that the column uses: only these are stripped from names that lead to no measured gene.
    styles: Vec<GuideStyle>,
    style: LabelStyle,
    separator: Separator,
}

/// How a label that names several genes is taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Separator {
    /// At `+` and `|`, and at `_` between known names.
    #[default]
    ByTheRules,
    /// Not at all: every label is one condition.
    Never,
    /// Wherever this text stands.
    At(String),
}

impl Separator {
    /// What the user wrote: nothing, `none`, or the text.
    pub fn of(written: Option<&str>) -> Self {
        match written {
            None | Some("") => Self::ByTheRules,
            Some("none") => Self::Never,
            Some(text) => Self::At(text.to_owned()),
        }
    }

    fn parts<'a>(&self, label: &'a str) -> Vec<&'a str> {
        match self {
            Self::ByTheRules => split_joined(label),
            Self::Never => vec![label],
            Self::At(text) => label.split(text.as_str()).map(str::trim).filter(|part| !part.is_empty()).collect(),
        }
    }
}

/// By whose rules labels were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelStyle {
    /// By those of published screens: every convention is tried.
    Published,
    /// By this program: `control`, symbols, and symbols joined by `+`; nothing is cleaned.
    AsWritten,
}

enum Part {
    Control(ControlSign),
    Unassigned,
    Targets(Vec<Target>),
}

impl<'a> LabelReader<'a> {
    /// A reader for the labels of one column of a published screen.
    pub fn new(genes: &'a Genes, labels: impl IntoIterator<Item = &'a str> + Clone) -> Self {
        Self::with_style(genes, labels, LabelStyle::Published)
    }

    /// A reader for the labels of one column.
    pub fn with_style(genes: &'a Genes, labels: impl IntoIterator<Item = &'a str> + Clone, style: LabelStyle) -> Self {
        let mut lower_case = std::collections::HashMap::with_capacity(genes.len());
        for (column, gene) in genes.iter().enumerate() {
            // A lower-case name that two genes share leads to neither.
            lower_case
                .entry(gene.symbol.to_lowercase())
                .and_modify(|found| *found = None)
                .or_insert(Some(column as u32));
        }
        let singles = labels
            .clone()
            .into_iter()
            .map(str::trim)
            .filter(|label| !label.contains(['_', '+', '|']) && control_sign(label).is_none() && !is_unassigned(label))
            .collect();
        let separator = Separator::default();
        let mut reader = Self { genes, lower_case, singles, styles: Vec::new(), style, separator };
        reader.styles = reader.styles_of(labels);
        reader
    }

    /// The same, but labels are taken apart at `separator`.
    pub fn split_at(self, separator: Separator) -> Self {
        Self { separator, ..self }
    }

    /// The styles in which at least three guides, and more guides than there are plain gene names, name measured genes.
    fn styles_of(&self, labels: impl IntoIterator<Item = &'a str>) -> Vec<GuideStyle> {
        let mut votes = [0usize; GuideStyle::ALL.len()];
        let mut plain = 0;
        for label in labels {
            for piece in split_joined(label) {
                let piece = without_vector(piece);
                if self.gene(piece).is_some() {
                    plain += 1;
                } else if let Some(style) = GuideStyle::ALL
                    .iter()
                    .position(|style| style.strip(piece).is_some_and(|stem| self.gene(stem).is_some()))
                {
                    votes[style] += 1;
                }
            }
        }
        GuideStyle::ALL
            .into_iter()
            .zip(votes)
            .filter(|(_, votes)| *votes >= 3 && *votes > plain)
            .map(|(style, _)| style)
            .collect()
    }

    /// What `label` says.
    pub fn read(&self, label: &str) -> Meaning {
        if self.style == LabelStyle::AsWritten {
            return self.read_as_written(label);
        }
        let label = label.trim();
        if is_unassigned(label) {
            return Meaning::Unassigned;
        }
        // Beside a control guide there may be one with a target: `NegCtrl0_KLF1`.
        if self.separator == Separator::ByTheRules
            && let Some(targets) = self.beside_control(label)
        {
            return Meaning::Targets(targets);
        }
        // `CTRL` is a gene too, but as a label it means control; `AAVS1` or `GFP` among the genes would be meant.
        match control_sign(label) {
            Some(ControlSign::Sure) => return Meaning::Control(ControlSign::Sure),
            Some(ControlSign::Weak) if self.gene(label).is_none() => return Meaning::Control(ControlSign::Weak),
            _ => {}
        }
        if let Some(target) = self.gene(label) {
            return Meaning::Targets(vec![target]);
        }
        let mut targets = Vec::new();
        let mut control = None;
        for piece in self.separator.parts(label) {
            match self.part(piece) {
                Part::Control(sign) => control = control.max(Some(sign)),
                Part::Unassigned => {}
                Part::Targets(found) => targets.extend(found),
            }
        }
        targets.sort();
        targets.dedup();
        match control {
            _ if !targets.is_empty() => Meaning::Targets(targets),
            Some(sign) => Meaning::Control(sign),
            None => Meaning::Unassigned,
        }
    }

    fn read_as_written(&self, label: &str) -> Meaning {
        match label {
            "control" => Meaning::Control(ControlSign::Sure),
            "" => Meaning::Unassigned,
            _ => {
                let target = |symbol: &str| {
                    let measured = self.genes.column(symbol).is_some_and(|column| self.genes.symbol(column) == symbol);
                    Target { symbol: symbol.to_owned(), measured }
                };
                Meaning::Targets(label.split('+').map(target).collect())
            }
        }
    }

    /// The measured gene with exactly this symbol or identifier (its version aside).
    fn gene(&self, name: &str) -> Option<Target> {
        let column = self.genes.column(name).or_else(|| {
            let (id, version) = name.split_once('.')?;
            let is_version = version.bytes().all(|byte| byte.is_ascii_digit());
            if is_version && super::is_ensembl(id) { self.genes.column(id) } else { None }
        })?;
        Some(Target { symbol: self.genes.symbol(column).to_owned(), measured: true })
    }

    fn part(&self, piece: &str) -> Part {
        if is_unassigned(piece) {
            return Part::Unassigned;
        }
        if let Some(target) = self.gene(piece) {
            return Part::Targets(vec![target]);
        }
        if let Some(sign) = control_sign(piece) {
            return Part::Control(sign);
        }
        let stem = without_vector(piece);
        if let Some(target) = self.gene(stem) {
            return Part::Targets(vec![target]);
        }
        let by_rules = self.separator == Separator::ByTheRules;
        if by_rules && let Some(parts) = self.doubled(stem) {
            return part_of(parts);
        }
        if by_rules && let Some(parts) = self.underscored(stem) {
            return part_of(parts);
        }
        for style in GuideStyle::ALL {
            if let Some(target) = style.strip(stem).and_then(|stem| self.gene(stem)) {
                return Part::Targets(vec![target]);
            }
        }
        if let Some(Some(column)) = self.lower_case.get(&stem.to_lowercase()) {
            let symbol = self.genes.symbol(*column as usize).to_owned();
            return Part::Targets(vec![Target { symbol, measured: true }]);
        }
        let plain = self.styles.iter().find_map(|style| style.strip(stem)).unwrap_or(stem);
        Part::Targets(vec![Target { symbol: plain.to_owned(), measured: false }])
    }

    /// The targets of a label with a control guide and another guide.
    fn beside_control(&self, label: &str) -> Option<Vec<Target>> {
        if !label.contains('_') || control_sign(label).is_none() {
            return None;
        }
        let parts = self.doubled(label).or_else(|| self.underscored(label))?;
        match part_of(parts) {
            Part::Targets(mut targets) => {
                targets.sort();
                targets.dedup();
                Some(targets)
            }
            Part::Control(_) | Part::Unassigned => None,
        }
    }

    /// Norman 2019 writes both guides twice: `CEBPE_NegCtrl0__CEBPE_NegCtrl0`. Written so, a half is a target also where it is not measured.
    fn doubled(&self, name: &str) -> Option<Vec<Part>> {
        let (first, second) = name.split_once("__")?;
        if let (Some(first), Some(second)) = (self.underscored(first), self.underscored(second)) {
            return Some(first.into_iter().chain(second).collect());
        }
        let halves: Vec<&str> = first.split('_').map(str::trim).collect();
        if first != second || halves.len() != 2 || halves.iter().any(|half| half.is_empty()) {
            return None;
        }
        let part = |half: &str| match (self.gene(half), control_sign(half)) {
            (Some(target), _) => Part::Targets(vec![target]),
            (None, Some(sign)) => Part::Control(sign),
            (None, None) => Part::Targets(vec![Target { symbol: half.to_owned(), measured: false }]),
        };
        Some(halves.into_iter().map(part).collect())
    }

    /// The halves of `A_B`, where all are genes, single targets of the column, or controls; with one gene at least two parts.
    fn underscored(&self, name: &str) -> Option<Vec<Part>> {
        let one = |half: &str| {
            if let Some(target) = self.gene(half) {
                Some(Part::Targets(vec![target]))
            } else if control_sign(half) == Some(ControlSign::Sure) {
                Some(Part::Control(ControlSign::Sure))
            } else if self.singles.contains(half) {
                Some(Part::Targets(vec![Target { symbol: half.to_owned(), measured: false }]))
            } else {
                None
            }
        };
        let halves: Vec<&str> = name.split('_').map(str::trim).collect();
        if halves.len() < 2 || halves.iter().any(|half| half.is_empty()) {
            return None;
        }
        halves.into_iter().map(one).collect()
    }
}

fn part_of(parts: Vec<Part>) -> Part {
    let mut targets = Vec::new();
    for part in parts {
        if let Part::Targets(found) = part {
            targets.extend(found);
        }
    }
    // Only what `underscored` and `doubled` accept comes here: genes and controls.
    if targets.is_empty() { Part::Control(ControlSign::Sure) } else { Part::Targets(targets) }
}

/// The parts of a label joined by `+` or `|`, which no symbol contains; the `_+_` of a guide's strand joins nothing.
fn split_joined(label: &str) -> Vec<&str> {
    let bytes = label.as_bytes();
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let strand = byte == b'+' && at > 0 && bytes[at - 1] == b'_' && bytes.get(at + 1) == Some(&b'_');
        if (byte == b'+' || byte == b'|') && !strand {
            parts.push(&label[start..at]);
            start = at + 1;
        }
    }
    parts.push(&label[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Gene;

    fn genes() -> Genes {
        let mut list: Vec<Gene> =
            ["TP53", "STAT1", "HLA-A", "CEBPE", "SET", "ELK1", "CTRL", "Nfkb1", "NKX2-1"].map(Gene::named).to_vec();
        list.push(Gene { symbol: "JAK2".into(), ensembl: Some("ENSG00000096968".into()) });
        Genes::new(list)
    }

    fn names(meaning: Meaning) -> Vec<String> {
        match meaning {
            Meaning::Targets(targets) => targets.into_iter().map(|target| target.symbol).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn single_genes_and_combinations() {
        let genes = genes();
        let reader = LabelReader::new(&genes, []);
        for (label, expected) in [
            ("TP53", vec!["TP53"]),
            ("HLA-A", vec!["HLA-A"]),
            ("TP53+ctrl", vec!["TP53"]),
            ("ctrl+TP53", vec!["TP53"]),
            ("TP53+STAT1", vec!["STAT1", "TP53"]),
            ("TP53 + STAT1", vec!["STAT1", "TP53"]),
            ("TP53+TP53", vec!["TP53"]),
            ("ENSG00000096968.14 || TP53", vec!["JAK2", "TP53"]),
            ("TP53_STAT1", vec!["STAT1", "TP53"]),
            ("CEBPE_NegCtrl0__CEBPE_NegCtrl0", vec!["CEBPE"]),
            ("CEBPE_SET__CEBPE_SET", vec!["CEBPE", "SET"]),
            ("NegCtrl0_SET__NegCtrl0_SET", vec!["SET"]),
            ("NegCtrl10_SET", vec!["SET"]),
            ("NegCtrl0_KLF1__NegCtrl0_KLF1", vec!["KLF1"]),
            ("KLF1_CEBPE__KLF1_CEBPE", vec!["CEBPE", "KLF1"]),
            ("NKX2-1", vec!["NKX2-1"]),
            ("NFKB1", vec!["Nfkb1"]),
            ("TP53_pDS258", vec!["TP53"]),
            ("p_sgELK1_2", vec!["ELK1"]),
            ("TP53_+_7687490.23-P1P2", vec!["TP53"]),
            ("ELK1g2|STAT1g1", vec!["ELK1", "STAT1"]),
        ] {
            assert_eq!(names(reader.read(label)), expected, "{label}");
        }
    }

    #[test]
    fn controls_and_unassigned_cells_are_neither_genes_nor_each_other() {
        let genes = genes();
        let reader = LabelReader::new(&genes, []);
        for label in [
            "ctrl",
            "CTRL",
            "ctrl+ctrl",
            "NegCtrl0_NegCtrl1__NegCtrl0_NegCtrl1",
            "NTg1|NTg4",
            "INTERGENIC12",
            "non_targeting_00023",
            "neg_ctrl_2",
        ] {
            assert_eq!(reader.read(label), Meaning::Control(ControlSign::Sure), "{label}");
        }
        for label in ["", "nan", "*", "None"] {
            assert_eq!(reader.read(label), Meaning::Unassigned, "{label}");
        }
    }

    #[test]
    fn the_user_decides_where_labels_are_taken_apart() {
        let genes = genes();
        let reader = |written: Option<&str>| LabelReader::new(&genes, []).split_at(Separator::of(written));
        assert_eq!(names(reader(Some("--")).read("TP53--STAT1--ctrl")), ["STAT1", "TP53"]);
        assert_eq!(names(reader(Some("_")).read("TP53_FOO")), ["FOO", "TP53"]);
        assert_eq!(names(reader(Some("none")).read("TP53+STAT1")), ["TP53+STAT1"]);
        assert_eq!(names(reader(Some("none")).read("TP53_STAT1")), ["TP53_STAT1"]);
        assert_eq!(names(reader(None).read("TP53+STAT1")), ["STAT1", "TP53"]);
    }

    #[test]
    fn an_underscore_splits_only_between_known_names() {
        let genes = genes();
        let reader = LabelReader::new(&genes, ["KLF1", "KLF1_TP53", "KLF1_FOO"]);
        assert_eq!(names(reader.read("KLF1_TP53")), ["KLF1", "TP53"]);
        assert_eq!(names(reader.read("KLF1_FOO")), ["KLF1_FOO"]);
    }

    #[test]
    fn a_guide_number_is_dropped_where_the_column_is_made_of_guides() {
        let genes = genes();
        let guides = ["TP53g1", "TP53g2", "STAT1g1", "BRD4g1", "NTg1"];
        let reader = LabelReader::new(&genes, guides);
        let unmeasured = Meaning::Targets(vec![Target { symbol: "BRD4".into(), measured: false }]);
        assert_eq!(reader.read("BRD4g1"), unmeasured);
        let plain = LabelReader::new(&genes, ["TP53", "STAT1", "SET", "BRD4g1"]);
        assert_eq!(names(plain.read("BRD4g1")), ["BRD4g1"]);
        assert_eq!(names(plain.read("H2AC-1")), ["H2AC-1"]);
    }
}
