//! What the columns of a table mean, told by their names; without names by what the first line holds.

use super::TableLayout;
use crate::network::formats::contents::sign_of_word;

/// What a column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    /// Whether the regulator activates or represses.
    Sign,
    /// Whether it activates.
    Stimulates,
    /// Whether it represses.
    Inhibits,
    /// Whether there is such an edge: 1 or 0.
    Present,
    /// A number.
    Number,
    /// Anything else.
    Text,
}

/// A column beside regulator and target.
#[derive(Clone, Debug)]
pub(super) struct Other {
    pub(super) at: usize,
    pub(super) name: String,
    pub(super) sense: Sense,
}

/// The columns of a table of edges.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) layout: TableLayout,
    pub(super) source: usize,
    pub(super) target: usize,
    pub(super) undirected: bool,
    pub(super) others: Vec<Other>,
}

/// Names of regulator and target that belong together, and whether they are undirected; the most telling first.
const ENDS: [(&str, &str, bool); 16] = [
    ("regulator", "target", false),
    ("source_genesymbol", "target_genesymbol", false),
    ("source", "target", false),
    ("tf", "target", false),
    ("tf", "gene", false),
    ("protein1", "protein2", true),
    ("node1", "node2", true),
    ("preferredname_a", "preferredname_b", true),
    ("gene1", "gene2", false),
    ("gene_a", "gene_b", true),
    ("interactor_a", "interactor_b", true),
    ("official symbol interactor a", "official symbol interactor b", true),
    ("from", "to", false),
    ("source_name", "target_name", false),
    ("regulatorgene", "targetgene", false),
    ("regulatory gene", "target gene", false),
];
/// Columns of gold standards that say 1 for an edge and 0 for a pair without one.
const PRESENT: [&str; 8] = ["present", "edge", "is_edge", "exists", "label", "truth", "gold", "is_true"];
const SIGNS: [&str; 6] = ["sign", "mor", "mode_of_regulation", "interaction", "effect", "regulation"];

impl Columns {
    /// By the names in `header`; none if they name no regulator and target.
    pub(super) fn named(header: &[String]) -> Option<Self> {
        let names: Vec<String> = header.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
        let find = |name: &str| names.iter().position(|known| known == name);
        let (source, target, undirected) =
            ENDS.iter().find_map(|(source, target, undirected)| Some((find(source)?, find(target)?, *undirected)))?;
        // CollecTRI's weight is a sign; elsewhere a weight is a number.
        let collectri =
            names[source] == "source" && find("weight").is_some() && !SIGNS.iter().any(|sign| find(sign).is_some());
        let others = (0..names.len()).filter(|at| *at != source && *at != target && !names[*at].is_empty()).map(|at| {
            let name = names[at].as_str();
            let sense = match name {
                "weight" if collectri => Sense::Sign,
                "is_stimulation" | "consensus_stimulation" => Sense::Stimulates,
                "is_inhibition" | "consensus_inhibition" => Sense::Inhibits,
                "probability" | "shift" | "combined_score" => Sense::Number,
                name if SIGNS.contains(&name) => Sense::Sign,
                name if PRESENT.contains(&name) => Sense::Present,
                _ => Sense::Text,
            };
            Other { at, name: header[at].trim().to_owned(), sense }
        });
        let others: Vec<Other> = others.collect();
        let has = |name: &str| find(name).is_some();
        let layout = match names[source].as_str() {
            "regulator" => TableLayout::Edges,
            "source_genesymbol" => TableLayout::OmniPath,
            "source" if collectri => TableLayout::CollecTri,
            "tf" if has("confidence") && has("mor") => TableLayout::Dorothea,
            "protein1" | "node1" | "preferredname_a" if has("combined_score") => TableLayout::String,
            "gene1" if has("mode_of_regulation") => TableLayout::Trrust,
            _ => TableLayout::Named,
        };
        Some(Self { layout, source, target, undirected, others })
    }

    /// By the fields of the first line, which is an edge; none if there are not two.
    pub(super) fn plain(first: &[String]) -> Option<Self> {
        if first.len() < 2 || first[..2].iter().any(String::is_empty) {
            return None;
        }
        let word = |at: usize| first.get(at).map(|text| text.parse::<f64>().is_err() && sign_of_word(text).is_some());
        let filled = |at: usize| first.get(at).is_some_and(|text| !text.is_empty());
        // As in SIF: the relation in the middle.
        if first.len() == 3 && filled(1) && word(1) == Some(true) {
            let others = vec![Other { at: 1, name: "interaction".to_owned(), sense: Sense::Sign }];
            return Some(Self { layout: TableLayout::Plain, source: 0, target: 2, undirected: false, others });
        }
        let third = first.get(2).map(String::as_str).unwrap_or_default();
        let (layout, others) = if filled(2) && word(2) == Some(true) {
            let layout = if first.len() == 4 { TableLayout::Trrust } else { TableLayout::Plain };
            (layout, vec![Other { at: 2, name: "sign".to_owned(), sense: Sense::Sign }])
        } else if matches!(third, "1" | "-1" | "1.0" | "-1.0" | "+1") {
            (TableLayout::Plain, vec![Other { at: 2, name: "sign".to_owned(), sense: Sense::Sign }])
        } else if third.parse::<f64>().is_ok() {
            (TableLayout::Plain, vec![Other { at: 2, name: "weight".to_owned(), sense: Sense::Number }])
        } else {
            (TableLayout::Plain, Vec::new())
        };
        Some(Self { layout, source: 0, target: 1, undirected: false, others })
    }

    /// Look at all rows of what may say 1 or 0: a column of a gold standard that has only these tells which edges there are, and so
    /// does one of 1 alone; a sign that is the same everywhere would say nothing.
    pub(super) fn settle<I: Iterator<Item = Vec<String>>>(&mut self, rows: impl Fn() -> I) {
        let plain = self.layout == TableLayout::Plain;
        for column in &mut self.others {
            let may = column.sense == Sense::Present || (plain && matches!(column.sense, Sense::Sign | Sense::Number));
            if !may {
                continue;
            }
            let mut any = false;
            let flags = rows().all(|row| {
                any = true;
                row.get(column.at).is_some_and(|text| matches!(text.as_str(), "0" | "1" | "0.0" | "1.0"))
            });
            column.sense = match (any && flags, column.sense) {
                (true, _) => Sense::Present,
                (false, Sense::Present) => Sense::Text,
                (false, sense) => sense,
            };
        }
    }
}
