//! Two networks as one, so that they can be laid out together: every gene and every edge of either, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Comparison, Side};
use crate::network::{Edge, GeneId, Grn, NetworkGene, Sign};

/// Every gene and edge of a [`Comparison`], once.
#[derive(Clone, Debug, Default)]
pub struct Union {
    /// The genes that an edge of either connects, those of the first network in its order, then the others in that of the
    /// second. The probability of an edge says how good it is in the network that thinks best of it, from 1 for its best
    /// edge down: the two networks' own probabilities may be on different scales.
    pub grn: Arc<Grn>,
    /// By rank − 1 of the edges of [`Union::grn`]: the position in [`Comparison::edges`].
    pub rows: Vec<usize>,
    /// By gene: whether the first and the second network know it at all.
    pub known: Vec<[bool; 2]>,
    /// By position in [`Comparison::edges`]: how good the edge is in the first and the second network, from 1 for the best
    /// one down; none where it is not. Without ranks all are a half.
    pub quality: Vec<[Option<f32>; 2]>,
    /// By rank − 1 of the edges of [`Union::grn`]: whether the reverse edge is there too, in either network.
    pub has_reverse: Vec<bool>,
}

impl Union {
    /// Of the edges `comparison` found between `left` and `right`.
    pub fn of(comparison: &Comparison, left: &Grn, right: &Grn) -> Self {
        let quality = qualities(comparison);
        let wanted: BTreeSet<&str> =
            comparison.edges.iter().flat_map(|edge| [edge.regulator.as_str(), edge.target.as_str()]).collect();
        let is_wanted = |gene: &&NetworkGene| wanted.contains(gene.symbol.as_str());
        let first = left.genes().iter().filter(is_wanted);
        let then = right.genes().iter().filter(is_wanted).filter(|gene| left.find(&gene.symbol).is_none());
        let genes: Vec<NetworkGene> = first.chain(then).cloned().collect();
        let known = genes.iter().map(|gene| [left, right].map(|grn| grn.find(&gene.symbol).is_some())).collect();
        let id: BTreeMap<&str, u32> =
            genes.iter().enumerate().map(|(at, gene)| (gene.symbol.as_str(), at as u32)).collect();
        let mut row_of = BTreeMap::new();
        let mut edges = Vec::with_capacity(comparison.edges.len());
        for (row, edge) in comparison.edges.iter().enumerate() {
            let ends = [&edge.regulator, &edge.target].map(|symbol| id.get(symbol.as_str()).copied());
            // Every edge lies between genes of the network that it is of.
            let [Some(regulator), Some(target)] = ends else { continue };
            row_of.insert((regulator, target), row);
            let sign = edge.left.or(edge.right).map_or(Sign::Unknown, |seen| seen.sign);
            let quality = quality[row].into_iter().flatten().fold(0.0, f32::max);
            edges.push(Edge { sign, ..Edge::new(GeneId(regulator), GeneId(target), quality) });
        }
        let grn = Grn::new(genes, edges).unwrap_or_else(|error| {
            debug_assert!(false, "genes by symbol and edges by pair are unique: {error}");
            Grn::default()
        });
        let row = |edge: &Edge| row_of.get(&(edge.regulator.0, edge.target.0)).copied().unwrap_or_default();
        let reverse = |edge: &Edge| edge.regulator != edge.target && grn.edge(edge.target, edge.regulator).is_some();
        Self {
            rows: grn.edges().iter().map(row).collect(),
            has_reverse: grn.edges().iter().map(reverse).collect(),
            grn: Arc::new(grn),
            known,
            quality,
        }
    }
}

fn qualities(comparison: &Comparison) -> Vec<[Option<f32>; 2]> {
    let mut quality = vec![[None; 2]; comparison.edges.len()];
    for (side, without) in [(0, Side::Right), (1, Side::Left)] {
        let seen = |row: usize| {
            let edge = &comparison.edges[row];
            if side == 0 { edge.left } else { edge.right }
        };
        let mut rows: Vec<usize> =
            (0..comparison.edges.len()).filter(|row| comparison.edges[*row].side() != without).collect();
        rows.sort_by_key(|row| seen(*row).and_then(|seen| seen.rank).unwrap_or(u32::MAX));
        let count = rows.len() as f32;
        for (at, row) in rows.into_iter().enumerate() {
            let ranked = seen(row).is_some_and(|seen| seen.rank.is_some());
            quality[row][side] = Some(if ranked { (count - at as f32) / count } else { 0.5 });
        }
    }
    quality
}
