//! The network itself.

use std::collections::HashMap;

use petgraph::Direction;
use petgraph::stable_graph::{NodeIndex, StableDiGraph};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::agreement::MemberRanks;

/// A gene of a network: its position in [`Grn::genes`]. Stable while the network lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GeneId(pub u32);

/// Whether the regulator raises or lowers its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// Losing the regulator lowers the target.
    Activates,
    /// Losing the regulator raises the target.
    Represses,
    /// No evidence either way.
    #[default]
    Unknown,
}

/// What a sign rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignEvidence {
    /// The target's measured shift under perturbation of the regulator, significant.
    Measured,
    /// The predicted shift; the measured one is absent or not significant.
    Predicted,
    /// A file said so.
    Reference,
    /// Nothing.
    #[default]
    None,
}

impl Sign {
    /// In tables: `+`, `-` or `?`.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Activates => "+",
            Self::Represses => "-",
            Self::Unknown => "?",
        }
    }
}

impl SignEvidence {
    /// In tables: `measured`, `predicted`, `reference` or `none`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Predicted => "predicted",
            Self::Reference => "reference",
            Self::None => "none",
        }
    }
}

/// A node's facts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkGene {
    /// Its symbol, unique in the network.
    pub symbol: String,
    /// Whether its expression was measured.
    pub measured: bool,
    /// Number of cells in which it was perturbed (alone or with others).
    pub perturbed_cells: u32,
    /// Its own measured shift (log2) when perturbed, where measured.
    pub knock_down: Option<f32>,
}

impl NetworkGene {
    /// Gene `symbol`, of which nothing else is known.
    pub fn named(symbol: impl Into<String>) -> Self {
        Self { symbol: symbol.into(), ..Self::default() }
    }
}

/// A directed edge regulator → target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// Who regulates.
    pub regulator: GeneId,
    /// Who is regulated.
    pub target: GeneId,
    /// The model's probability, 0 to 1.
    pub probability: f32,
    /// 1 for the best edge; ranks are unique.
    pub rank: u32,
    /// Activation or repression.
    pub sign: Sign,
    /// What the sign rests on.
    pub evidence: SignEvidence,
    /// The shift (log2) of the target under perturbation of the regulator that gave the sign, where there is one.
    pub shift: Option<f32>,
    /// The false discovery rate at which the measured shift of the target stands out from shuffled labels (q value, 0 to 1): of all
    /// edges with this rate or a lower one that share is expected to be chance. None where it was not tested.
    pub false_discovery_rate: Option<f32>,
}

impl Edge {
    /// An edge of which nothing else is known. [`Grn::new`] ranks it.
    pub fn new(regulator: GeneId, target: GeneId, probability: f32) -> Self {
        let (sign, evidence) = (Sign::Unknown, SignEvidence::None);
        Self { regulator, target, probability, rank: 0, sign, evidence, shift: None, false_discovery_rate: None }
    }
}

/// Why genes and edges do not form a network.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum GrnError {
    /// A symbol occurs twice.
    #[error("gene {symbol} occurs twice in the network")]
    RepeatedGene {
        /// The symbol.
        symbol: String,
    },
    /// An edge names a gene that is not there.
    #[error("an edge names gene number {id}, but there are only {genes}")]
    UnknownGene {
        /// The position it names.
        id: u32,
        /// Number of genes.
        genes: usize,
    },
    /// The same edge twice.
    #[error("edge {regulator} → {target} occurs twice")]
    RepeatedEdge {
        /// Regulator's symbol.
        regulator: String,
        /// Target's symbol.
        target: String,
    },
    /// A probability that is none.
    #[error("edge {regulator} → {target} has probability {found}, expected 0 to 1")]
    Probability {
        /// Regulator's symbol.
        regulator: String,
        /// Target's symbol.
        target: String,
        /// What was found, as text.
        found: String,
    },
}

/// A gene regulatory network: immutable, valid, its edges ranked.
#[derive(Clone, Debug, Default)]
pub struct Grn {
    genes: Vec<NetworkGene>,
    by_symbol: HashMap<String, GeneId>,
    /// Node weights are the genes' positions; edge weights positions in `edges`. Node indices never leave this file.
    graph: StableDiGraph<GeneId, u32>,
    edges: Vec<Edge>,
    member_ranks: Option<MemberRanks>,
    has_false_discovery_rates: bool,
}

impl Grn {
    /// A network of `genes` and `edges`. Edges are sorted by falling probability (ties by the order given, so callers
    /// rank by a finer score by sorting first) and their ranks assigned 1, 2, 3, ….
    pub fn new(genes: Vec<NetworkGene>, mut edges: Vec<Edge>) -> Result<Self, GrnError> {
        let mut by_symbol = HashMap::with_capacity(genes.len());
        for (at, gene) in genes.iter().enumerate() {
            if by_symbol.insert(gene.symbol.clone(), GeneId(at as u32)).is_some() {
                return Err(GrnError::RepeatedGene { symbol: gene.symbol.clone() });
            }
        }
        let mut seen = std::collections::HashSet::with_capacity(edges.len());
        for edge in &edges {
            for id in [edge.regulator.0, edge.target.0] {
                if id as usize >= genes.len() {
                    return Err(GrnError::UnknownGene { id, genes: genes.len() });
                }
            }
            let symbols = || {
                let symbol = |id: GeneId| genes[id.0 as usize].symbol.clone();
                (symbol(edge.regulator), symbol(edge.target))
            };
            if !(0.0..=1.0).contains(&edge.probability) {
                let (regulator, target) = symbols();
                return Err(GrnError::Probability { regulator, target, found: edge.probability.to_string() });
            }
            if !seen.insert((edge.regulator, edge.target)) {
                let (regulator, target) = symbols();
                return Err(GrnError::RepeatedEdge { regulator, target });
            }
        }
        edges.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        let mut graph = StableDiGraph::with_capacity(genes.len(), edges.len());
        for at in 0..genes.len() {
            graph.add_node(GeneId(at as u32));
        }
        for (at, edge) in edges.iter_mut().enumerate() {
            edge.rank = at as u32 + 1;
            graph.add_edge(node(edge.regulator), node(edge.target), at as u32);
        }
        let has_false_discovery_rates = edges.iter().any(|edge| edge.false_discovery_rate.is_some());
        Ok(Self { genes, by_symbol, graph, edges, member_ranks: None, has_false_discovery_rates })
    }

    /// The same with the ranks that the members of an ensemble give its edges.
    pub fn with_member_ranks(self, ranks: MemberRanks) -> Self {
        debug_assert_eq!(ranks.edges(), self.edges.len(), "one rank per edge and member");
        Self { member_ranks: Some(ranks), ..self }
    }

    /// How the members of the ensemble that this is the network of rank its edges; none for a single model.
    pub fn member_ranks(&self) -> Option<&MemberRanks> {
        self.member_ranks.as_ref()
    }

    /// Whether any edge has a false discovery rate.
    pub fn has_false_discovery_rates(&self) -> bool {
        self.has_false_discovery_rates
    }

    /// The genes; a [`GeneId`] is a position in this slice.
    pub fn genes(&self) -> &[NetworkGene] {
        &self.genes
    }

    /// The facts of one gene.
    pub fn gene(&self, id: GeneId) -> &NetworkGene {
        &self.genes[id.0 as usize]
    }

    /// The symbol of one gene.
    pub fn symbol(&self, id: GeneId) -> &str {
        &self.genes[id.0 as usize].symbol
    }

    /// The gene called `symbol`.
    pub fn find(&self, symbol: &str) -> Option<GeneId> {
        self.by_symbol.get(symbol).copied()
    }

    /// All edges, best first; the edge of rank r is at position r − 1.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The edge regulator → target.
    pub fn edge(&self, regulator: GeneId, target: GeneId) -> Option<&Edge> {
        let found = self.graph.find_edge(node(regulator), node(target))?;
        Some(&self.edges[self.graph[found] as usize])
    }

    /// Edges into `gene`, best first.
    pub fn regulators(&self, gene: GeneId) -> Vec<&Edge> {
        self.around(gene, Direction::Incoming)
    }

    /// Edges out of `gene`, best first.
    pub fn targets(&self, gene: GeneId) -> Vec<&Edge> {
        self.around(gene, Direction::Outgoing)
    }

    fn around(&self, gene: GeneId, direction: Direction) -> Vec<&Edge> {
        let edges = self.graph.edges_directed(node(gene), direction);
        let mut edges: Vec<&Edge> = edges.map(|edge| &self.edges[*edge.weight() as usize]).collect();
        edges.sort_by_key(|edge| edge.rank);
        edges
    }
}

fn node(id: GeneId) -> NodeIndex {
    NodeIndex::new(id.0 as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::fixtures::{edge, genes};

    #[test]
    fn edges_are_ranked_and_found_from_both_ends() {
        let grn = Grn::new(genes(["A", "B", "C"]), vec![edge(0, 1, 0.2), edge(0, 2, 0.9), edge(2, 1, 0.5)]).unwrap();
        assert_eq!(grn.edges().iter().map(|edge| edge.rank).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(grn.edge(GeneId(0), GeneId(2)).unwrap().rank, 1);
        let targets: Vec<_> = grn.targets(GeneId(0)).iter().map(|edge| grn.symbol(edge.target)).collect();
        assert_eq!(targets, ["C", "B"]);
        let regulators: Vec<_> = grn.regulators(GeneId(1)).iter().map(|edge| grn.symbol(edge.regulator)).collect();
        assert_eq!(regulators, ["C", "A"]);
        assert_eq!(grn.find("B"), Some(GeneId(1)));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        let twice = Grn::new(genes(["A", "A"]), vec![]);
        assert_eq!(twice.unwrap_err(), GrnError::RepeatedGene { symbol: "A".into() });
        let stranger = Grn::new(genes(["A"]), vec![edge(0, 1, 0.5)]);
        assert_eq!(stranger.unwrap_err(), GrnError::UnknownGene { id: 1, genes: 1 });
        let nan = Grn::new(genes(["A", "B"]), vec![edge(0, 1, f32::NAN)]);
        assert!(matches!(nan, Err(GrnError::Probability { .. })));
    }
}
