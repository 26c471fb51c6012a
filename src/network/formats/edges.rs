//! Tables of edges, tab-separated: one line per edge, best first.

use std::collections::HashMap;
use std::path::Path;

use thiserror::Error;

use crate::files;
use crate::network::filter::NetworkView;
use crate::network::{Agreement, Edge, GeneId, Grn, GrnError, NetworkGene, Sign, SignEvidence};

const COLUMNS: [&str; 7] = ["regulator", "target", "rank", "probability", "sign", "evidence", "shift"];
const RATE: &str = "false_discovery_rate";

/// Why a table of edges cannot be read or written.
#[derive(Debug, Error)]
pub enum EdgeFileError {
    /// The operating system said no.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is not a table.
    #[error(transparent)]
    Table(#[from] csv::Error),
    /// A column is missing.
    #[error("there is no column {column}; expected at least regulator, target and probability")]
    MissingColumn {
        /// Its name.
        column: &'static str,
    },
    /// A value that cannot be understood.
    #[error("line {line}: {column} is {found:?}, expected {expected}")]
    Value {
        /// Line, the header being 1.
        line: u64,
        /// Column.
        column: &'static str,
        /// What is there.
        found: String,
        /// What should be.
        expected: &'static str,
    },
    /// The edges form no network.
    #[error(transparent)]
    Network(#[from] GrnError),
}

/// A further column of a table of edges.
pub struct ExtraColumn<'a> {
    name: &'static str,
    value: Box<dyn Fn(&Edge) -> String + 'a>,
}

impl<'a> ExtraColumn<'a> {
    /// What `value` says of each edge, under `name`.
    pub fn new(name: &'static str, value: impl Fn(&Edge) -> String + 'a) -> Self {
        Self { name, value: Box::new(value) }
    }

    /// What it says of `edge`.
    pub fn of(&self, edge: &Edge) -> String {
        (self.value)(edge)
    }
}

/// Write the edges of `view`, best first: `regulator`, `target`, `rank`, `probability`, `sign` (`+` activates, `-`
/// represses, `?` unknown), `evidence` (`measured`, `predicted`, `reference`, `none`) and `shift` (log2, empty where
/// there is none); where it is known also `false_discovery_rate`, empty for edges that were not tested, and of an ensemble `agreement_best_N`, the share of its members that have the edge among their best N.
/// Numbers keep all their digits. Columns of `extra` come last. The file appears whole or not at all.
pub fn write_edges(path: &Path, view: &NetworkView, extra: &[ExtraColumn<'_>]) -> Result<(), EdgeFileError> {
    files::write_whole(path, |file| write_table(view.grn(), view.edges(), view.agreement(), extra, file))
}

/// Write `edges` of `grn` in their order, with the columns of [`write_edges`].
///
/// # Errors
/// If `out` cannot be written.
pub fn write_table<'a>(
    grn: &Grn,
    edges: impl Iterator<Item = &'a Edge>,
    agreement: Option<Agreement<'_>>,
    extra: &[ExtraColumn<'_>],
    out: impl std::io::Write,
) -> Result<(), EdgeFileError> {
    let mut table = csv::WriterBuilder::new().delimiter(b'\t').from_writer(out);
    let rated = grn.has_false_discovery_rates();
    let columns = COLUMNS.into_iter().chain(rated.then_some(RATE)).map(str::to_owned);
    let extra_names = extra.iter().map(|column| column.name.to_owned());
    table.write_record(columns.chain(agreement.map(|agreement| agreement.column())).chain(extra_names))?;
    for edge in edges {
        let (rank, probability) = (edge.rank.to_string(), edge.probability.to_string());
        let shift = edge.shift.map(|shift| shift.to_string()).unwrap_or_default();
        let rate = edge.false_discovery_rate.map(|rate| rate.to_string()).unwrap_or_default();
        let share = agreement.map(|agreement| agreement.share(edge).to_string());
        let (regulator, target) = (grn.symbol(edge.regulator), grn.symbol(edge.target));
        let fields = [regulator, target, &rank, &probability, edge.sign.symbol(), edge.evidence.word(), &shift];
        let rate = rated.then_some(rate.as_str());
        let extra: Vec<String> = extra.iter().map(|column| column.of(edge)).collect();
        let extra = extra.iter().map(String::as_str);
        table.write_record(fields.into_iter().chain(rate).chain(share.as_deref()).chain(extra))?;
    }
    table.flush()?;
    Ok(())
}

/// Read such a table as a network of the genes it names, in the order they appear. Columns may come in any order, others
/// beside them are passed over; only `regulator`, `target` and `probability` must be there. Edges are ranked anew by
/// probability, ties in the order of the lines.
pub fn read_edges(path: &Path) -> Result<Grn, EdgeFileError> {
    let mut table = csv::ReaderBuilder::new().delimiter(b'\t').flexible(true).from_path(path)?;
    let header = table.headers()?.clone();
    let find = |column: &str| header.iter().position(|name| name.trim() == column);
    let need = |column| find(column).ok_or(EdgeFileError::MissingColumn { column });
    let (regulator, target, probability) = (need("regulator")?, need("target")?, need("probability")?);
    let (sign, evidence, shift, rate) = (find("sign"), find("evidence"), find("shift"), find(RATE));
    let mut genes: Vec<NetworkGene> = Vec::new();
    let mut ids = HashMap::new();
    let mut edges = Vec::new();
    for record in table.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |at: usize| record.get(at).unwrap_or_default().trim();
        let wrong =
            |column, found: &str, expected| EdgeFileError::Value { line, column, found: found.to_owned(), expected };
        let mut id = |column, at| {
            let symbol = field(at);
            if symbol.is_empty() {
                return Err(wrong(column, symbol, "a gene symbol"));
            }
            Ok(*ids.entry(symbol.to_owned()).or_insert_with(|| {
                genes.push(NetworkGene::named(symbol));
                GeneId(genes.len() as u32 - 1)
            }))
        };
        let (regulator, target) = (id("regulator", regulator)?, id("target", target)?);
        let probability = match field(probability).parse::<f32>() {
            Ok(number) if (0.0..=1.0).contains(&number) => number,
            _ => return Err(wrong("probability", field(probability), "a number from 0 to 1")),
        };
        let sign = match sign.map(field) {
            None | Some("" | "?" | "0") => Sign::Unknown,
            Some("+" | "1" | "+1") => Sign::Activates,
            Some("-" | "−" | "-1") => Sign::Represses,
            Some(other) => return Err(wrong("sign", other, "+, - or ?")),
        };
        let evidence = match evidence.map(field) {
            None | Some("") if sign != Sign::Unknown => SignEvidence::Reference,
            None | Some("" | "none") => SignEvidence::None,
            Some("measured") => SignEvidence::Measured,
            Some("predicted") => SignEvidence::Predicted,
            Some("reference") => SignEvidence::Reference,
            Some(other) => {
                return Err(wrong("evidence", other, "measured, predicted, reference or none"));
            }
        };
        let shift = match shift.map(field) {
            None | Some("") => None,
            Some(text) => match text.parse::<f32>() {
                Ok(number) if number.is_finite() => Some(number),
                _ => return Err(wrong("shift", text, "a number or nothing")),
            },
        };
        let rate = match rate.map(field) {
            None | Some("") => None,
            Some(text) => match text.parse::<f32>() {
                Ok(number) if (0.0..=1.0).contains(&number) => Some(number),
                _ => return Err(wrong(RATE, text, "a number from 0 to 1, or nothing")),
            },
        };
        let known =
            Edge { sign, evidence, shift, false_discovery_rate: rate, ..Edge::new(regulator, target, probability) };
        edges.push(known);
    }
    Ok(Grn::new(genes, edges)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::filter::NetworkFilter;
    use crate::network::fixtures;

    fn grn() -> Grn {
        let edge = |regulator, target, probability, sign, evidence, shift| Edge {
            sign,
            evidence,
            shift,
            ..fixtures::edge(regulator, target, probability)
        };
        let edges = vec![
            edge(0, 1, 0.512_345_7, Sign::Activates, SignEvidence::Measured, Some(-1.25)),
            edge(1, 2, 0.5, Sign::Represses, SignEvidence::Predicted, Some(1e-7)),
            edge(2, 0, 0.25, Sign::Unknown, SignEvidence::None, None),
        ];
        Grn::new(fixtures::genes(["JAK2", "STAT1", "HLA-A"]), edges).unwrap()
    }

    #[test]
    fn edges_are_read_back_to_the_last_digit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edges.tsv");
        let grn = grn();
        write_edges(&path, &NetworkFilter::top(3).apply(&grn), &[]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "regulator\ttarget\trank\tprobability\tsign\tevidence\tshift\n\
             JAK2\tSTAT1\t1\t0.5123457\t+\tmeasured\t-1.25\n\
             STAT1\tHLA-A\t2\t0.5\t-\tpredicted\t0.0000001\n\
             HLA-A\tJAK2\t3\t0.25\t?\tnone\t\n"
        );
        let read = read_edges(&path).unwrap();
        assert_eq!(read.edges(), grn.edges());
        assert_eq!(read.genes(), grn.genes());

        let rated = |edge: &Edge| Edge { false_discovery_rate: edge.shift.map(|_| 0.012_5), ..*edge };
        let rated = Grn::new(grn.genes().to_vec(), grn.edges().iter().map(rated).collect()).unwrap();
        write_edges(&path, &NetworkFilter::top(3).apply(&rated), &[]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let last: Vec<&str> = text.lines().filter_map(|line| line.split('\t').nth(7)).collect();
        assert_eq!(last, ["false_discovery_rate", "0.0125", "0.0125", ""]);
        assert_eq!(read_edges(&path).unwrap().edges(), rated.edges());
    }

    #[test]
    fn what_is_no_table_of_edges_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broken.tsv");
        let message = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_edges(&path).unwrap_err().to_string()
        };
        assert!(message("regulator\ttarget\nA\tB\n").starts_with("there is no column probability"));
        let head = "regulator\ttarget\tprobability\tsign\tevidence\tshift\n";
        assert_eq!(
            message(&format!("{head}A\tB\t0.5\t+\tmeasured\t1\nB\tA\t1.5\t+\tmeasured\t1\n")),
            "line 3: probability is \"1.5\", expected a number from 0 to 1"
        );
        assert!(message(&format!("{head}A\tB\t0.5\tup\tmeasured\t1\n")).contains("sign is \"up\""));
        assert!(message(&format!("{head}A\tB\t0.5\t+\trumour\t1\n")).contains("evidence is \"rumour\""));
        assert!(message(&format!("{head}A\tB\t0.5\t+\tmeasured\tx\n")).contains("shift is \"x\""));
        let rated = "regulator\ttarget\tprobability\tfalse_discovery_rate\nA\tB\t0.5\t2\n";
        assert!(message(rated).contains("false_discovery_rate is \"2\", expected a number from 0 to 1"));
        assert!(message(&format!("{head}A\t\t0.5\t+\tmeasured\t1\n")).contains("a gene symbol"));
        let twice = message(&format!("{head}A\tB\t0.5\t+\tmeasured\t1\nA\tB\t0.4\t+\tmeasured\t1\n"));
        assert_eq!(twice, "edge A → B occurs twice");
    }

    #[test]
    fn columns_that_may_be_absent_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short.tsv");
        std::fs::write(&path, "probability\ttarget\tregulator\tsign\n0.5\tB\tA\t-\n").unwrap();
        let grn = read_edges(&path).unwrap();
        assert_eq!(grn.symbol(grn.edges()[0].regulator), "A");
        assert_eq!((grn.edges()[0].sign, grn.edges()[0].evidence), (Sign::Represses, SignEvidence::Reference));
    }
}
