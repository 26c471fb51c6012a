//! Between a [`Grn`] and what files carry.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::contents::{Column, FileEdge, FileNode, NetworkContents, Value};
use crate::network::statistics::GeneStatistics;
use crate::network::{Agreement, Edge, GeneId, Grn, GrnError, NetworkGene, Sign, SignEvidence};

/// What reading decided that the file does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Edges that stood in the file more than once; of each the most probable was kept, without sign where they differ.
    pub repeated: usize,
    /// The attribute that was scaled to become the probability; none if probabilities were given, or no number at all.
    pub scaled: Option<String>,
    /// No number for edges was found: all have probability 1, in the order of the file.
    pub unweighted: bool,
}

impl NetworkContents {
    /// The edges `shown` of `grn` and the genes they connect, in the network's order, with all that the network itself
    /// knows: `measured`, `perturbed_cells`, `knock_down` of genes; `rank`, `probability`, `sign`, `evidence`, `shift` of
    /// edges, where it is known `false_discovery_rate`, and of an ensemble `agreement_best_N`, the share of its members that have the
    /// edge among their best N.
    pub fn of<'a>(name: &str, grn: &Grn, shown: impl IntoIterator<Item = &'a Edge>) -> Self {
        let edges: Vec<&Edge> = shown.into_iter().collect();
        Self::of_kept(name, grn, &edges, Agreement::of(grn, edges.iter().copied()))
    }

    /// The same where it is known how many edges the members of an ensemble keep.
    pub fn of_kept(name: &str, grn: &Grn, edges: &[&Edge], agreement: Option<Agreement<'_>>) -> Self {
        let mut node_of: Vec<Option<usize>> = vec![None; grn.genes().len()];
        for edge in edges {
            for gene in [edge.regulator, edge.target] {
                node_of[gene.0 as usize] = Some(0);
            }
        }
        let ids: Vec<usize> = (0..node_of.len()).filter(|gene| node_of[*gene].is_some()).collect();
        ids.iter().enumerate().for_each(|(node, gene)| node_of[*gene] = Some(node));
        let node = |gene: GeneId| node_of[gene.0 as usize].unwrap_or_default();
        let genes = || ids.iter().map(|gene| &grn.genes()[*gene]);
        Self {
            name: name.to_owned(),
            undirected: false,
            nodes: genes().map(|gene| FileNode { symbol: gene.symbol.clone(), ..FileNode::default() }).collect(),
            node_columns: vec![
                Column::flags("measured", genes().map(|gene| gene.measured)),
                Column::integers("perturbed_cells", genes().map(|gene| Some(i64::from(gene.perturbed_cells)))),
                Column::singles("knock_down", genes().map(|gene| gene.knock_down)),
            ],
            edge_columns: vec![
                Column::integers("rank", edges.iter().map(|edge| Some(i64::from(edge.rank)))),
                Column::singles("probability", edges.iter().map(|edge| Some(edge.probability))),
                Column::texts("sign", edges.iter().map(|edge| Some(edge.sign.symbol()))),
                Column::texts("evidence", edges.iter().map(|edge| Some(edge.evidence.word()))),
                Column::singles("shift", edges.iter().map(|edge| edge.shift)),
            ]
            .into_iter()
            .chain(
                grn.has_false_discovery_rates().then(|| {
                    Column::singles("false_discovery_rate", edges.iter().map(|edge| edge.false_discovery_rate))
                }),
            )
            .chain(agreement.map(|agreement| {
                Column::singles(&agreement.column(), edges.iter().map(|edge| Some(agreement.share(edge))))
            }))
            .collect(),
            edges: edges
                .iter()
                .map(|edge| FileEdge { from: node(edge.regulator), to: node(edge.target), ..FileEdge::default() })
                .collect(),
        }
    }

    /// Add an attribute of genes, given by their position in `grn`.
    pub fn add_gene_numbers(&mut self, grn: &Grn, name: &str, of_gene: impl Fn(GeneId) -> Option<f64>) {
        let value = |node: &FileNode| grn.find(&node.symbol).and_then(&of_gene).unwrap_or(f64::NAN);
        let column = Column::numbers(name, self.nodes.iter().map(value));
        self.node_columns.push(column);
    }

    /// Add degrees, PageRank, betweenness and community (1 is the largest).
    pub fn add_statistics(&mut self, grn: &Grn, statistics: &GeneStatistics) {
        let ids: Vec<Option<usize>> =
            self.nodes.iter().map(|node| grn.find(&node.symbol).map(|gene| gene.0 as usize)).collect();
        let whole = |name: &str, of: &dyn Fn(usize) -> Option<i64>| {
            Column::integers(name, ids.iter().map(|gene| gene.and_then(of)))
        };
        let number = |name: &str, values: &[f64]| {
            Column::numbers(name, ids.iter().map(|gene| gene.map_or(f64::NAN, |gene| values[gene])))
        };
        self.node_columns.extend([
            whole("out_degree", &|gene| Some(i64::from(statistics.out_degree[gene]))),
            whole("in_degree", &|gene| Some(i64::from(statistics.in_degree[gene]))),
            number("page_rank", &statistics.page_rank),
            number("betweenness", &statistics.betweenness),
            whole("community", &|gene| statistics.community[gene].map(|community| i64::from(community) + 1)),
        ]);
    }

    /// The network: every edge once, each direction of an undirected one. Its probabilities are the attribute
    /// `probability`, else the first of `weight`, `score`, `combined_score` and `confidence` that is a number, scaled to at
    /// most 1, else 1.
    ///
    /// # Errors
    /// If a probability is none.
    pub fn to_grn(&self) -> Result<(Grn, Reading), GrnError> {
        let mut reading = Reading::default();
        let numbers = |column: &Column| -> Option<Vec<f64>> {
            let number = |value: &Option<Value>| value.as_ref().map_or(Some(0.0), Value::as_number);
            column.values.iter().map(number).collect()
        };
        let given = self.edge_column("probability").and_then(numbers);
        let probabilities: Vec<f64> = given.unwrap_or_else(|| {
            let weights = ["weight", "score", "combined_score", "confidence"].iter().find_map(|name| {
                let column = self.edge_column(name)?;
                Some((column.name.clone(), numbers(column)?))
            });
            match weights {
                Some((name, weights)) => {
                    let most = weights.iter().fold(0.0_f64, |most, weight| most.max(weight.abs()));
                    if most > 1.0 || weights.iter().any(|weight| *weight < 0.0) {
                        reading.scaled = Some(name);
                    }
                    let scale = if most > 1.0 { most } else { 1.0 };
                    weights.iter().map(|weight| weight.abs() / scale).collect()
                }
                None => {
                    reading.unweighted = true;
                    vec![1.0; self.edges.len()]
                }
            }
        });
        let signs = self.signs();
        let (evidence, shift) = (self.edge_column("evidence"), self.edge_column("shift"));
        let (rank, rate) = (self.edge_column("rank"), self.edge_column("false_discovery_rate"));
        let number_at = |column: Option<&Column>, row: usize| {
            column.and_then(|column| column.values[row].as_ref()).and_then(Value::as_number)
        };
        let mut order: Vec<usize> = (0..self.edges.len()).collect();
        order.sort_by(|a, b| {
            let rank = |row: usize| number_at(rank, row).unwrap_or(f64::MAX);
            rank(*a).total_cmp(&rank(*b)).then(a.cmp(b))
        });
        let mut at: HashMap<(usize, usize), usize> = HashMap::with_capacity(self.edges.len());
        let mut edges: Vec<Edge> = Vec::with_capacity(self.edges.len());
        for row in order {
            let FileEdge { from, to, .. } = self.edges[row];
            let evidence = evidence.and_then(|column| column.values[row].as_ref()).map(Value::to_text);
            let both = self.undirected && from != to;
            for (from, to) in [(from, to), (to, from)].into_iter().take(if both { 2 } else { 1 }) {
                let edge = Edge {
                    regulator: GeneId(from as u32),
                    target: GeneId(to as u32),
                    probability: probabilities[row] as f32,
                    rank: 0,
                    sign: signs[row],
                    evidence: evidence_of(evidence.as_deref(), signs[row]),
                    shift: number_at(shift, row).map(|shift| shift as f32),
                    false_discovery_rate: number_at(rate, row)
                        .map(|rate| rate as f32)
                        .filter(|rate| (0.0..=1.0).contains(rate)),
                };
                match at.entry((from, to)) {
                    Entry::Vacant(place) => {
                        place.insert(edges.len());
                        edges.push(edge);
                    }
                    Entry::Occupied(place) => {
                        reading.repeated += 1;
                        let known = &mut edges[*place.get()];
                        if known.sign != edge.sign {
                            known.sign = Sign::Unknown;
                            known.evidence = SignEvidence::None;
                        }
                        known.probability = known.probability.max(edge.probability);
                    }
                }
            }
        }
        let column = |name: &str| self.node_column(name);
        let (measured, cells, knock_down) = (column("measured"), column("perturbed_cells"), column("knock_down"));
        let genes = self.nodes.iter().enumerate().map(|(row, node)| NetworkGene {
            symbol: node.symbol.clone(),
            // What says nothing about it is taken as measured: only a trained model knows better.
            measured: measured.is_none_or(|column| column.values[row] != Some(Value::Flag(false))),
            perturbed_cells: number_at(cells, row).map_or(0, |cells| cells as u32),
            knock_down: number_at(knock_down, row).map(|shift| shift as f32),
        });
        Ok((Grn::new(genes.collect(), edges)?, reading))
    }
}

fn evidence_of(text: Option<&str>, sign: Sign) -> SignEvidence {
    match text {
        _ if sign == Sign::Unknown => SignEvidence::None,
        Some("measured") => SignEvidence::Measured,
        Some("predicted") => SignEvidence::Predicted,
        _ => SignEvidence::Reference,
    }
}
