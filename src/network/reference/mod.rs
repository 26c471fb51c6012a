//! Reference networks: what others found, read from a file, and laid over a learned network.

mod overlay;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

pub use overlay::{Overlap, ReferenceEdge, ReferenceOverlay};

use super::formats::{FormatError, NetworkContents, NetworkFormat, format_of, read};
use super::{Edge, GeneId, Grn, NetworkGene, Sign, SignEvidence};
use crate::jobs::Progress;

/// Known regulation: pairs of genes with their signs, each pair once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReferenceNetwork {
    name: String,
    layout: String,
    undirected: bool,
    symbols: Vec<String>,
    by_symbol: HashMap<String, u32>,
    edges: BTreeMap<(u32, u32), Sign>,
    repeated: usize,
}

impl ReferenceNetwork {
    /// Read `path`: a table (own, CollecTRI, TRRUST, DoRothEA, STRING, CORUM, OmniPath or similar columns), SIF, GraphML,
    /// GEXF, CX2, DOT or JSON.
    ///
    /// # Errors
    /// Names the line, what was found and what was expected; the caller adds the file.
    pub fn read(path: &Path, progress: &dyn Progress) -> Result<Self, FormatError> {
        let (contents, layout) = read(path, progress)?;
        let layout = match layout {
            Some(layout) => layout.label().to_owned(),
            None => {
                let format = format_of(path)?.map_or_else(|| NetworkFormat::of(path), Ok)?;
                format!("{} file", format.extension().to_uppercase())
            }
        };
        if contents.edges.is_empty() {
            return Err(FormatError::unexpected("the whole file", "no edge", "a network with edges"));
        }
        Ok(Self::of(&contents, &layout))
    }

    /// The network in `contents`. Genes that regulate themselves are left out; of a pair that occurs more than once the
    /// sign is kept where all agree (those without a sign do not count).
    pub fn of(contents: &NetworkContents, layout: &str) -> Self {
        let mut network = Self {
            name: contents.name.clone(),
            layout: layout.to_owned(),
            undirected: contents.undirected,
            symbols: contents.nodes.iter().map(|node| node.symbol.clone()).collect(),
            ..Self::default()
        };
        network.by_symbol = network.symbols.iter().enumerate().map(|(at, name)| (name.clone(), at as u32)).collect();
        let mut conflicting = std::collections::BTreeSet::new();
        for (edge, sign) in contents.edges.iter().zip(contents.signs()) {
            if edge.from == edge.to {
                continue;
            }
            let pair = network.pair(edge.from as u32, edge.to as u32);
            match network.edges.get_mut(&pair) {
                None => {
                    network.edges.insert(pair, sign);
                }
                Some(known) => {
                    network.repeated += 1;
                    if *known == Sign::Unknown && !conflicting.contains(&pair) {
                        *known = sign;
                    } else if sign != Sign::Unknown && *known != sign {
                        *known = Sign::Unknown;
                        conflicting.insert(pair);
                    }
                }
            }
        }
        network
    }

    fn pair(&self, a: u32, b: u32) -> (u32, u32) {
        if self.undirected { (a.min(b), a.max(b)) } else { (a, b) }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How its file was understood: `CollecTRI table`.
    pub fn layout(&self) -> &str {
        &self.layout
    }

    /// Whether its pairs have no direction.
    pub fn is_undirected(&self) -> bool {
        self.undirected
    }

    /// Number of genes.
    pub fn gene_count(&self) -> usize {
        self.symbols.len()
    }

    /// Number of pairs.
    pub fn edge_count(&self) -> usize {
        self.edges.len()
    }

    /// Number of pairs whose sign is known.
    pub fn signed_count(&self) -> usize {
        self.edges.values().filter(|sign| **sign != Sign::Unknown).count()
    }

    /// Lines that told a pair again.
    pub fn repeated(&self) -> usize {
        self.repeated
    }

    /// As a network: every pair an edge of probability 1 (a reference ranks none), those without direction both ways.
    pub fn to_grn(&self) -> Grn {
        let genes = self.symbols.iter().map(|symbol| NetworkGene { measured: true, ..NetworkGene::named(symbol) });
        let edge = |regulator: u32, target: u32, sign: Sign| Edge {
            sign,
            evidence: if sign == Sign::Unknown { SignEvidence::None } else { SignEvidence::Reference },
            ..Edge::new(GeneId(regulator), GeneId(target), 1.0)
        };
        let both = if self.undirected { 2 } else { 1 };
        let edges = self.edges.iter().flat_map(|(&(from, to), &sign)| {
            [(from, to), (to, from)].into_iter().take(both).map(move |(from, to)| edge(from, to, sign))
        });
        Grn::new(genes.collect(), edges.collect()).unwrap_or_else(|error| {
            debug_assert!(false, "symbols and pairs are unique: {error}");
            Grn::default()
        })
    }

    /// The sign of `regulator` → `target` if the pair is known, in either direction if it has none.
    pub fn sign_between(&self, regulator: &str, target: &str) -> Option<Sign> {
        let (from, to) = (*self.by_symbol.get(regulator)?, *self.by_symbol.get(target)?);
        self.edges.get(&self.pair(from, to)).copied()
    }
}

#[cfg(test)]
mod tests;
