//! How far the members of an ensemble agree on an edge.

use super::filter::first_view;
use super::{Edge, Grn};

/// How the members of an ensemble rank the edges of the network that they form together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberRanks {
    members: usize,
    /// By position of the edge, then by member.
    ranks: Vec<u32>,
}

impl MemberRanks {
    /// Of each member the rank (from 1) of every edge in its own network, edges in the order of the network of all; as many for
    /// each.
    pub fn new(by_member: Vec<Vec<u32>>) -> Self {
        let members = by_member.len();
        let edges = by_member.iter().map(Vec::len).min().unwrap_or(0);
        let ranks = (0..edges).flat_map(|edge| by_member.iter().map(move |ranks| ranks[edge])).collect();
        Self { members, ranks }
    }

    /// Number of members.
    pub fn members(&self) -> usize {
        self.members
    }

    /// How many members are at least the share `least` of them.
    pub fn fewest(&self, least: f32) -> usize {
        // 0.7 × 10 may be more than 7 by a hair.
        (least * self.members as f32 - 1e-3).ceil().max(0.0) as usize
    }

    /// Number of edges.
    pub fn edges(&self) -> usize {
        self.ranks.len() / self.members.max(1)
    }

    fn of(&self, edge: &Edge) -> &[u32] {
        let at = (edge.rank as usize).wrapping_sub(1).wrapping_mul(self.members);
        self.ranks.get(at..at.wrapping_add(self.members)).unwrap_or_default()
    }
}

/// How many members of an ensemble keep each edge, where every member keeps as many edges as are shown: the selection
/// probability of an edge at that number (Meinshausen and Bühlmann 2010, Stability selection).
#[derive(Clone, Copy, Debug)]
pub struct Agreement<'a> {
    ranks: &'a MemberRanks,
    kept: usize,
}

impl<'a> Agreement<'a> {
    /// On the edges `shown` of `network`: every member keeps as many as the last one shown has rank, or, where all edges are
    /// shown, as many as are shown at first. None if the network is no ensemble's.
    pub fn of<'e>(network: &'a Grn, shown: impl IntoIterator<Item = &'e Edge>) -> Option<Self> {
        let ranks = network.member_ranks()?;
        let last = shown.into_iter().map(|edge| edge.rank as usize).max().unwrap_or(0);
        let kept = if last < network.edges().len() { last } else { first_view(network).top.unwrap_or(last) };
        Some(Self { ranks, kept })
    }

    /// On edges of `network` where every member keeps its best `kept`. None if the network is no ensemble's.
    pub fn among(network: &'a Grn, kept: usize) -> Option<Self> {
        Some(Self { ranks: network.member_ranks()?, kept })
    }

    /// Number of members.
    pub fn members(&self) -> usize {
        self.ranks.members
    }

    /// Number of edges that every member keeps, its best.
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// Whether at least the share `least` of the members keep `edge`.
    pub fn reaches(&self, edge: &Edge, least: f32) -> bool {
        self.keeping(edge) >= self.ranks.fewest(least)
    }

    /// How many members keep `edge`.
    pub fn keeping(&self, edge: &Edge) -> usize {
        self.ranks.of(edge).iter().filter(|rank| **rank as usize <= self.kept).count()
    }

    /// The share of members that keep it.
    pub fn share(&self, edge: &Edge) -> f32 {
        self.keeping(edge) as f32 / self.ranks.members.max(1) as f32
    }

    /// What a column of shares is called in files: `agreement_best_87`.
    pub fn column(&self) -> String {
        format!("agreement_best_{}", self.kept)
    }

    /// `Among the best 87 edges of 9 of 10 members`.
    pub fn told(&self, edge: &Edge) -> String {
        let edges = crate::words::counted(self.kept, "edge");
        format!("Among the best {edges} of {} of {} members", self.keeping(edge), self.members())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::fixtures::{edge, genes};

    #[test]
    fn members_keep_as_many_edges_as_are_shown() {
        let edges = vec![edge(0, 1, 0.9), edge(1, 2, 0.8), edge(0, 2, 0.7)];
        let network = Grn::new(genes(["A", "B", "C"]), edges).unwrap();
        assert!(Agreement::of(&network, network.edges()).is_none());
        let network = network.with_member_ranks(MemberRanks::new(vec![vec![1, 2, 3], vec![1, 3, 2], vec![3, 1, 2]]));
        let keeping = |shown: usize| {
            let agreement = Agreement::of(&network, &network.edges()[..shown]).unwrap();
            let counts = [0, 1, 2].map(|at| agreement.keeping(&network.edges()[at]));
            (agreement.kept(), counts)
        };
        assert_eq!(keeping(1), (1, [2, 1, 0]));
        assert_eq!(keeping(2), (2, [2, 2, 2]));
        assert_eq!(keeping(3), (3, [3, 3, 3]), "all of a small network are shown at first");
        let agreement = Agreement::of(&network, &network.edges()[..1]).unwrap();
        assert_eq!(agreement.share(&network.edges()[0]), 2.0 / 3.0);
        assert_eq!(agreement.told(&network.edges()[0]), "Among the best 1 edge of 2 of 3 members");
        // An edge of another network has no rank here.
        assert_eq!(agreement.keeping(&Edge { rank: 0, ..network.edges()[0] }), 0);
    }
}
