//! The network behind a simulated screen, and its file, which `network::known` reads.

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

/// Why a file of true edges cannot be made or written.
#[derive(Debug, Error)]
pub enum TruthError {
    /// The operating system said no.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is not a table.
    #[error(transparent)]
    Table(#[from] csv::Error),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(regulator: &str, target: &str, activates: bool, strength: f64) -> TrueEdge {
        TrueEdge { regulator: regulator.into(), target: target.into(), activates, strength }
    }

    #[test]
    fn the_file_is_a_table_of_edges() {
        let network = TrueNetwork::new(vec![edge("B", "A", false, 0.5), edge("A", "B", true, 1.25)]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truth.tsv");
        network.write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "regulator\ttarget\tsign\tstrength\nA\tB\t+\t1.2500\nB\tA\t-\t0.5000\n");
        assert!(network.edge("A", "B").unwrap().activates);
        assert!(network.edge("A", "A").is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_edge_occurs_once() {
        let twice = TrueNetwork::new(vec![edge("A", "B", true, 1.0), edge("A", "B", false, 2.0)]);
        assert!(twice.unwrap_err().to_string().contains("occurs twice"));
    }
}
