//! Two networks beside each other: what both have, and what only one of them has.

mod chance;
mod union;

use std::collections::BTreeMap;
use std::fmt::Write as _;

pub use chance::Chance;
pub use union::Union;

use super::reference::ReferenceOverlay;
use super::{Edge, Grn, Sign};

/// An edge as one network has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Its rank, where edges are ranked.
    pub rank: Option<u32>,
    /// Its probability, where there is one.
    pub probability: Option<f32>,
    /// Its sign.
    pub sign: Sign,
}

/// Who has an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Both networks.
    Both,
    /// Only the first.
    Left,
    /// Only the second.
    Right,
}

/// An edge of either network.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Symbol of the regulator.
    pub regulator: String,
    /// Symbol of the target.
    pub target: String,
    /// As the first has it.
    pub left: Option<Seen>,
    /// As the second has it.
    pub right: Option<Seen>,
}

/// Two networks, edge by edge: first what both have, then what only the first has, then what only the second has; within
/// these by rank, then by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Every edge of either.
    pub edges: Vec<Compared>,
}

impl Compared {
    /// Who has it.
    pub fn side(&self) -> Side {
        match (&self.left, &self.right) {
            (Some(_), Some(_)) => Side::Both,
            (_, None) => Side::Left,
            (None, _) => Side::Right,
        }
    }

    /// Whether both have it, with opposite signs.
    pub fn contradicts(&self) -> bool {
        let signs = self.left.zip(self.right).map(|(left, right)| (left.sign, right.sign));
        matches!(signs, Some((Sign::Activates, Sign::Represses) | (Sign::Represses, Sign::Activates)))
    }
}

impl Comparison {
    /// The edges `left` of one network and `right` of another; genes are the same if their symbols are.
    pub fn of<'a>(
        left: (&Grn, impl IntoIterator<Item = &'a Edge>),
        right: (&Grn, impl IntoIterator<Item = &'a Edge>),
    ) -> Self {
        let mut edges: BTreeMap<(String, String), [Option<Seen>; 2]> = BTreeMap::new();
        let mut add = |side: usize, grn: &Grn, edge: &Edge| {
            let pair = (grn.symbol(edge.regulator).to_owned(), grn.symbol(edge.target).to_owned());
            let seen = Seen { rank: Some(edge.rank), probability: Some(edge.probability), sign: edge.sign };
            edges.entry(pair).or_default()[side] = Some(seen);
        };
        left.1.into_iter().for_each(|edge| add(0, left.0, edge));
        right.1.into_iter().for_each(|edge| add(1, right.0, edge));
        Self::sorted(edges)
    }

    /// The edges `shown` of `grn` and what a reference knows among the genes they connect.
    pub fn with_reference(grn: &Grn, shown: &[&Edge], overlay: &ReferenceOverlay) -> Self {
        let mut edges: BTreeMap<(String, String), [Option<Seen>; 2]> = BTreeMap::new();
        let of_reference = |sign| Some(Seen { rank: None, probability: None, sign });
        for edge in shown {
            let pair = (grn.symbol(edge.regulator).to_owned(), grn.symbol(edge.target).to_owned());
            let seen = Seen { rank: Some(edge.rank), probability: Some(edge.probability), sign: edge.sign };
            edges.insert(pair, [Some(seen), overlay.sign_of(edge).and_then(of_reference)]);
        }
        for edge in overlay.missing(shown.iter().copied()) {
            let pair = (grn.symbol(edge.regulator).to_owned(), grn.symbol(edge.target).to_owned());
            edges.insert(pair, [None, of_reference(edge.sign)]);
        }
        Self::sorted(edges)
    }

    fn sorted(edges: BTreeMap<(String, String), [Option<Seen>; 2]>) -> Self {
        let compared = |((regulator, target), [left, right]): (_, [_; 2])| Compared { regulator, target, left, right };
        let mut edges: Vec<Compared> = edges.into_iter().map(compared).collect();
        let rank = |edge: &Compared| edge.left.or(edge.right).and_then(|seen| seen.rank).unwrap_or(u32::MAX);
        edges.sort_by(|a, b| a.side().cmp(&b.side()).then(rank(a).cmp(&rank(b))));
        Self { edges }
    }

    /// How many edges are on `side`.
    pub fn count(&self, side: Side) -> usize {
        self.edges.iter().filter(|edge| edge.side() == side).count()
    }

    /// Share of the edges of either that both have (Jaccard index); none without edges.
    pub fn shared(&self) -> Option<f64> {
        (!self.edges.is_empty()).then(|| self.count(Side::Both) as f64 / self.edges.len() as f64)
    }

    /// Common edges with opposite signs.
    pub fn contradictions(&self) -> usize {
        self.edges.iter().filter(|edge| edge.contradicts()).count()
    }

    /// Common edges with the same sign in both.
    pub fn agreements(&self) -> usize {
        let agrees = |edge: &&Compared| {
            let signs = edge.left.zip(edge.right).map(|(left, right)| (left.sign, right.sign));
            signs.is_some_and(|(left, right)| left == right && left != Sign::Unknown)
        };
        self.edges.iter().filter(agrees).count()
    }

    /// The second network ranks no edges: leave out what is only the order of its file.
    pub fn forget_ranks_of_right(&mut self) {
        for seen in self.edges.iter_mut().filter_map(|edge| edge.right.as_mut()) {
            (seen.rank, seen.probability) = (None, None);
        }
    }

    /// All of it as tab-separated text: regulator, target, who has it (`both`, `left`, `right`), and rank, probability and
    /// sign in each.
    pub fn table(&self) -> String {
        let mut text = String::from(
            "regulator\ttarget\tin\tleft_rank\tleft_probability\tleft_sign\tright_rank\tright_probability\tright_sign\n",
        );
        for edge in &self.edges {
            let side = match edge.side() {
                Side::Both => "both",
                Side::Left => "left",
                Side::Right => "right",
            };
            let _ = write!(text, "{}\t{}\t{side}", edge.regulator, edge.target);
            for seen in [edge.left, edge.right] {
                let rank = seen.and_then(|seen| seen.rank).map(|rank| rank.to_string()).unwrap_or_default();
                let probability = seen.and_then(|seen| seen.probability).map(|number| number.to_string());
                let sign = seen.map_or("", |seen| seen.sign.symbol());
                let _ = write!(text, "\t{rank}\t{}\t{sign}", probability.unwrap_or_default());
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::fixtures::{genes, signed};

    fn network(symbols: &[&str], edges: &[(u32, u32, f32, Sign)]) -> Grn {
        signed(genes(symbols), edges)
    }

    #[test]
    fn edges_are_told_apart_by_symbol() {
        use Sign::{Activates, Represses, Unknown};
        let left = network(&["A", "B", "C"], &[(0, 1, 0.9, Activates), (0, 2, 0.8, Activates), (1, 2, 0.7, Unknown)]);
        let right = network(&["C", "B", "A"], &[(2, 1, 0.6, Represses), (1, 0, 0.5, Activates), (0, 2, 0.4, Unknown)]);
        let found = Comparison::of((&left, left.edges()), (&right, right.edges()));
        let sides: Vec<(&str, &str, Side)> =
            found.edges.iter().map(|edge| (edge.regulator.as_str(), edge.target.as_str(), edge.side())).collect();
        assert_eq!(
            sides,
            [("A", "B", Side::Both), ("B", "C", Side::Both), ("A", "C", Side::Left), ("C", "A", Side::Right)]
        );
        assert_eq!((found.count(Side::Both), found.contradictions(), found.shared()), (2, 1, Some(0.5)));
        assert_eq!(found.table().lines().nth(1), Some("A\tB\tboth\t1\t0.9\t+\t1\t0.6\t-"),);
        assert_eq!(found.table().lines().nth(4), Some("C\tA\tright\t\t\t\t3\t0.4\t?"));
        assert_eq!(Comparison::default().shared(), None);
        assert_eq!(found.agreements(), 0, "one has opposite signs, one has none on the right");
    }

    #[test]
    fn the_union_has_every_gene_and_edge_once() {
        use Sign::{Activates, Unknown};
        let left = network(&["A", "B", "C", "ALONE"], &[(0, 1, 0.9, Activates), (0, 2, 0.8, Activates)]);
        let right = network(&["X", "B", "A"], &[(2, 1, 0.1, Unknown), (2, 0, 0.05, Unknown), (1, 2, 0.04, Unknown)]);
        let found = Comparison::of((&left, left.edges()), (&right, right.edges()));
        let union = Union::of(&found, &left, &right);
        let symbols: Vec<&str> = union.grn.genes().iter().map(|gene| gene.symbol.as_str()).collect();
        assert_eq!(symbols, ["A", "B", "C", "X"], "the first network's genes first");
        assert_eq!(union.known, [[true, true], [true, true], [true, false], [false, true]]);
        assert_eq!((union.grn.edges().len(), union.rows.len()), (4, 4));
        for (edge, &row) in union.grn.edges().iter().zip(&union.rows) {
            let compared = &found.edges[row];
            let ends = (union.grn.symbol(edge.regulator), union.grn.symbol(edge.target));
            assert_eq!(ends, (compared.regulator.as_str(), compared.target.as_str()));
        }
        // Of two scales the order counts: A → B is the best of both, A → C the second of two, A → X the second of three.
        let of = |target: &str| {
            let row = found.edges.iter().position(|edge| edge.regulator == "A" && edge.target == target).unwrap();
            union.quality[row]
        };
        assert_eq!((of("B"), of("C"), of("X")), ([Some(1.0), Some(1.0)], [Some(0.5), None], [None, Some(2.0 / 3.0)]));
        assert_eq!(union.grn.symbol(union.grn.edges()[0].target), "B");
        let mut unranked = found.clone();
        unranked.forget_ranks_of_right();
        assert_eq!(Union::of(&unranked, &left, &right).quality.iter().filter(|of| of[1] == Some(0.5)).count(), 3);
    }

    #[test]
    fn an_overlap_is_weighed_against_chance() {
        use Sign::Unknown;
        // Regulators of both: A, B. Targets of both: B, C, D. Of 2 × 3 pairs B → B is none.
        let left = network(
            &["A", "B", "C", "D", "E"],
            &[(0, 1, 0.9, Unknown), (0, 2, 0.8, Unknown), (1, 3, 0.7, Unknown), (4, 0, 0.6, Unknown)],
        );
        let right = network(
            &["A", "B", "C", "D", "F"],
            &[(0, 1, 0.9, Unknown), (0, 2, 0.8, Unknown), (1, 3, 0.7, Unknown), (1, 4, 0.6, Unknown)],
        );
        let found = Comparison::of((&left, &left.edges()[..2]), (&right, right.edges()));
        let chance = found.chance(&left, &right);
        assert_eq!((chance.pairs, chance.left, chance.right, chance.common), (5, 2, 3, 2));
        assert!((chance.expected - 1.2).abs() < 1e-12);
        // scipy.stats.hypergeom.sf(1, 5, 3, 2)
        assert!((chance.p_value - 0.3).abs() < 1e-9, "{}", chance.p_value);
        assert_eq!(Comparison::default().chance(&Grn::default(), &Grn::default()).p_value, 1.0);
    }
}
