//! The network behind a simulated screen, and its file.

use std::collections::BTreeSet;
use std::path::Path;

use thiserror::Error;

use crate::files;

/// An edge that is really there.
#[derive(Clone, Debug, PartialEq)]
pub struct TrueEdge {
    /// Symbol of the regulator.
    pub regulator: String,
    /// Symbol of the target.
    pub target: String,
    /// Whether losing the regulator lowers the target (+ in the file) or raises it (−).
    pub activates: bool,
    /// log2 change of the target's production when the regulator is lost altogether, without its sign; not negative.
    pub strength: f64,
}

/// All edges that are really there, sorted by regulator and target, each once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrueNetwork {
    edges: Vec<TrueEdge>,
}

/// Why a file of true edges cannot be read or written.
#[derive(Debug, Error)]
pub enum TruthError {
    /// The operating system said no.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is not a table.
    #[error(transparent)]
    Table(#[from] csv::Error),
    /// A column is missing.
    #[error("there is no column {column}; expected regulator, target, sign, strength")]
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
    /// The same edge twice.
    #[error("edge {regulator} → {target} occurs twice")]
    RepeatedEdge {
        /// Regulator's symbol.
        regulator: String,
        /// Target's symbol.
        target: String,
    },
}

impl TrueNetwork {
    /// A network of `edges`, in any order.
    pub fn new(mut edges: Vec<TrueEdge>) -> Result<Self, TruthError> {
        edges.sort_by(|a, b| (&a.regulator, &a.target).cmp(&(&b.regulator, &b.target)));
        let same = |pair: &&[TrueEdge]| pair[0].regulator == pair[1].regulator && pair[0].target == pair[1].target;
        if let Some(pair) = edges.windows(2).find(same) {
            let (regulator, target) = (pair[0].regulator.clone(), pair[0].target.clone());
            return Err(TruthError::RepeatedEdge { regulator, target });
        }
        Ok(Self { edges })
    }

    /// The edges, sorted by regulator and target.
    pub fn edges(&self) -> &[TrueEdge] {
        &self.edges
    }

    /// The edge regulator → target, if there is one.
    pub fn edge(&self, regulator: &str, target: &str) -> Option<&TrueEdge> {
        let key = (regulator, target);
        let at = self.edges.binary_search_by(|edge| (edge.regulator.as_str(), edge.target.as_str()).cmp(&key)).ok()?;
        Some(&self.edges[at])
    }

    /// All genes that a path of edges leads to from `gene`, itself only if a loop leads back.
    pub fn reachable(&self, gene: &str) -> BTreeSet<&str> {
        let (mut reached, mut next) = (BTreeSet::new(), vec![gene]);
        while let Some(regulator) = next.pop() {
            let first = self.edges.partition_point(|edge| edge.regulator.as_str() < regulator);
            for edge in self.edges[first..].iter().take_while(|edge| edge.regulator == regulator) {
                if reached.insert(edge.target.as_str()) {
                    next.push(&edge.target);
                }
            }
        }
        reached
    }

    /// Write a tab-separated table (`regulator`, `target`, `sign` + or −, `strength`) atomically. The minus sign is
    /// the ASCII hyphen, as other tools expect.
    pub fn write(&self, path: &Path) -> Result<(), TruthError> {
        files::write_whole(path, |file| {
            let mut table = csv::WriterBuilder::new().delimiter(b'\t').from_writer(file);
            table.write_record(["regulator", "target", "sign", "strength"])?;
            for edge in &self.edges {
                let sign = if edge.activates { "+" } else { "-" };
                table.write_record([&edge.regulator, &edge.target, sign, &format!("{:.4}", edge.strength)])?;
            }
            table.flush()?;
            Ok(())
        })
    }

    /// Read such a table. Columns may come in any order and others beside them; `strength` may be absent (1 then). Signs
    /// are `+`, `-`, `−`, `1`, `-1`, `activation`, `repression`.
    pub fn read(path: &Path) -> Result<Self, TruthError> {
        let mut table = csv::ReaderBuilder::new().delimiter(b'\t').flexible(true).from_path(path)?;
        let header = table.headers()?.clone();
        let find = |column: &'static str| header.iter().position(|name| name.trim() == column);
        let need = |column| find(column).ok_or(TruthError::MissingColumn { column });
        let (regulator, target, sign) = (need("regulator")?, need("target")?, need("sign")?);
        let strength = find("strength");
        let mut edges = Vec::new();
        for record in table.records() {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            let field = |at: usize| record.get(at).unwrap_or_default().trim().to_owned();
            let wrong = |column, found, expected| TruthError::Value { line, column, found, expected };
            let symbol = |column, at| match field(at) {
                empty if empty.is_empty() => Err(wrong(column, empty, "a gene symbol")),
                symbol => Ok(symbol),
            };
            let activates = match field(sign).as_str() {
                "+" | "1" | "+1" | "activation" => true,
                "-" | "−" | "-1" | "repression" => false,
                other => return Err(wrong("sign", other.to_owned(), "+ or -")),
            };
            let strength = match strength.map(field) {
                None => 1.0,
                Some(text) => match text.parse::<f64>() {
                    Ok(number) if number.is_finite() && number >= 0.0 => number,
                    _ => return Err(wrong("strength", text, "a number not below 0")),
                },
            };
            let (regulator, target) = (symbol("regulator", regulator)?, symbol("target", target)?);
            edges.push(TrueEdge { regulator, target, activates, strength });
        }
        Self::new(edges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(regulator: &str, target: &str, activates: bool, strength: f64) -> TrueEdge {
        TrueEdge { regulator: regulator.into(), target: target.into(), activates, strength }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let network = TrueNetwork::new(vec![edge("B", "A", false, 0.5), edge("A", "B", true, 1.25)]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truth.tsv");
        network.write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "regulator\ttarget\tsign\tstrength\nA\tB\t+\t1.2500\nB\tA\t-\t0.5000\n");
        assert_eq!(TrueNetwork::read(&path).unwrap(), network);
        assert!(network.edge("A", "B").unwrap().activates);
        assert!(network.edge("A", "A").is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn paths_lead_as_far_as_their_edges() {
        let edges = [("A", "B"), ("B", "C"), ("C", "B"), ("D", "A"), ("AB", "E")];
        let edges = edges.map(|(regulator, target)| edge(regulator, target, true, 1.0));
        let network = TrueNetwork::new(edges.into()).unwrap();
        let reachable = |gene: &str| network.reachable(gene).into_iter().collect::<Vec<_>>().concat();
        let found = ["A", "B", "D", "E", "none"].map(reachable);
        assert_eq!(found, ["BC", "BC", "ABC", "", ""]);
    }

    #[test]
    fn what_is_no_true_network_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            let path = folder.path().join("broken.tsv");
            std::fs::write(&path, text).unwrap();
            TrueNetwork::read(&path).unwrap_err().to_string()
        };
        assert!(read("regulator\ttarget\nA\tB\n").contains("no column sign"));
        let message = read("regulator\ttarget\tsign\nA\tB\t+\nB\tC\t?\n");
        assert_eq!(message, "line 3: sign is \"?\", expected + or -");
        assert!(read("regulator\ttarget\tsign\tstrength\nA\tB\t+\t-1\n").contains("strength is \"-1\""));
        assert!(read("regulator\ttarget\tsign\nA\tB\t+\nA\tB\t-\n").contains("occurs twice"));
        assert!(read("regulator\ttarget\tsign\n\tB\t+\n").contains("a gene symbol"));
    }
}
