//! Edges that are known to be there: what rankings are held against.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Sign;
use super::formats::{self, FormatError, MatrixRows, NetworkContents, TableLayout};
use crate::data::simulate::TrueNetwork;
use crate::jobs::Progress;

/// Known edges between genes, each once. A gene without edges may be among the genes: where the file names it, its pairs are known
/// not to be edges.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownEdges {
    genes: BTreeSet<String>,
    edges: BTreeMap<String, BTreeMap<String, Sign>>,
}

impl KnownEdges {
    /// The edges in the network file `path`, of any format that [`formats::read`] knows, and how the file was understood. The genes of
    /// an adjacency matrix without names are `genes`, in their order; what its rows are tells `matrix`.
    ///
    /// # Errors
    /// As [`formats::read`], and if a matrix without names has another number of genes than `genes`.
    pub fn read(
        path: &Path,
        matrix: MatrixRows,
        genes: &[String],
        progress: &dyn Progress,
    ) -> Result<(Self, String), FormatError> {
        let (mut contents, layout) = formats::read_with(path, matrix, progress)?;
        let mut label = layout.map_or("network", TableLayout::label).to_owned();
        if layout == Some(TableLayout::Matrix) {
            label = format!("{label}: {}", matrix.label());
            let numbered = contents.nodes.iter().enumerate().all(|(at, node)| node.symbol == (at + 1).to_string());
            if numbered {
                if contents.nodes.len() != genes.len() {
                    let found = format!("a matrix of {} genes without names", contents.nodes.len());
                    let expected = format!("one of the {} genes of the data, or names", genes.len());
                    return Err(FormatError::unexpected("line 1", found, expected));
                }
                contents.nodes.iter_mut().zip(genes).for_each(|(node, gene)| node.symbol.clone_from(gene));
                label.push_str(", in the order of the genes of the data");
            }
        }
        Ok((Self::of(&contents), label))
    }

    /// The edges of `contents`, undirected ones in both directions; of unknown sign where it is given twice and differs.
    pub fn of(contents: &NetworkContents) -> Self {
        let symbol = |node: usize| contents.nodes[node].symbol.clone();
        let mut known =
            Self { genes: contents.nodes.iter().map(|node| node.symbol.clone()).collect(), ..Self::default() };
        for (edge, sign) in contents.edges.iter().zip(contents.signs()) {
            known.insert(symbol(edge.from), symbol(edge.to), sign);
            if contents.undirected {
                known.insert(symbol(edge.to), symbol(edge.from), sign);
            }
        }
        known
    }

    fn insert(&mut self, regulator: String, target: String, sign: Sign) {
        let known = self.edges.entry(regulator).or_default().entry(target).or_insert(sign);
        if *known != sign {
            *known = Sign::Unknown;
        }
    }

    /// All genes that the file names, sorted.
    pub fn genes(&self) -> &BTreeSet<String> {
        &self.genes
    }

    /// Regulator, target and sign, sorted.
    pub fn edges(&self) -> impl Iterator<Item = (&str, &str, Sign)> {
        self.edges.iter().flat_map(|(regulator, targets)| {
            targets.iter().map(move |(target, sign)| (regulator.as_str(), target.as_str(), *sign))
        })
    }

    /// The sign of the edge regulator → target, if there is one.
    pub fn edge(&self, regulator: &str, target: &str) -> Option<Sign> {
        self.edges.get(regulator)?.get(target).copied()
    }

    /// All genes that a path of edges leads to from `gene`, itself only if a loop leads back.
    pub fn reachable(&self, gene: &str) -> BTreeSet<&str> {
        let (mut reached, mut next) = (BTreeSet::new(), vec![gene]);
        while let Some(regulator) = next.pop() {
            for target in self.edges.get(regulator).into_iter().flat_map(BTreeMap::keys) {
                if reached.insert(target.as_str()) {
                    next.push(target);
                }
            }
        }
        reached
    }
}

impl From<&TrueNetwork> for KnownEdges {
    fn from(truth: &TrueNetwork) -> Self {
        let mut known = Self::default();
        for edge in truth.edges() {
            known.genes.extend([edge.regulator.clone(), edge.target.clone()]);
            let sign = if edge.activates { Sign::Activates } else { Sign::Represses };
            known.insert(edge.regulator.clone(), edge.target.clone(), sign);
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::simulate::TrueEdge;
    use crate::jobs::Silent;

    fn read(text: &str, genes: &[&str]) -> Result<(KnownEdges, String), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known.tsv");
        std::fs::write(&path, text).unwrap();
        let genes: Vec<String> = genes.iter().map(|gene| (*gene).to_owned()).collect();
        KnownEdges::read(&path, MatrixRows::Targets, &genes, &Silent).map_err(|error| error.to_string())
    }

    #[test]
    fn paths_lead_as_far_as_their_edges() {
        let (known, _) = read("regulator\ttarget\nA\tB\nB\tC\nC\tB\nD\tA\nAB\tE\n", &[]).unwrap();
        let reachable = |gene: &str| known.reachable(gene).into_iter().collect::<Vec<_>>().concat();
        assert_eq!(["A", "B", "D", "E", "none"].map(reachable), ["BC", "BC", "ABC", "", ""]);
    }

    #[test]
    fn the_genes_of_a_nameless_matrix_are_those_of_the_data() {
        let matrix = "0 0 0 0\n1 0 0 0\n0 0 0 0\n0 0 1 0\n";
        let (known, label) = read(matrix, &["A", "B", "C", "D"]).unwrap();
        assert_eq!(known.edges().collect::<Vec<_>>(), [("A", "B", Sign::Unknown), ("C", "D", Sign::Unknown)]);
        assert!(label.contains("rows are targets") && label.contains("order of the genes"), "{label}");
        assert!(read(matrix, &["A"]).unwrap_err().contains("one of the 1 genes of the data"));
    }

    #[test]
    fn absent_pairs_name_genes_and_contradictions_leave_no_sign() {
        let (known, _) = read("A\tB\t1\nB\tC\t0\n", &[]).unwrap();
        assert_eq!((known.genes().len(), known.edges().count(), known.edge("B", "C")), (3, 1, None));
        let (known, _) = read("regulator\ttarget\tsign\nA\tB\t+\nA\tB\t-\n", &[]).unwrap();
        assert_eq!(known.edge("A", "B"), Some(Sign::Unknown));
    }

    #[test]
    fn what_a_simulation_writes_is_read_back() {
        let edge = |regulator: &str, target: &str, activates| TrueEdge {
            regulator: regulator.into(),
            target: target.into(),
            activates,
            strength: 0.5,
        };
        let truth = TrueNetwork::new(vec![edge("B", "A", false), edge("A", "B", true)]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truth.tsv");
        truth.write(&path).unwrap();
        let (read, _) = KnownEdges::read(&path, MatrixRows::Targets, &[], &Silent).unwrap();
        assert_eq!(read, KnownEdges::from(&truth));
        assert_eq!(read.edge("B", "A"), Some(Sign::Represses));
    }
}
