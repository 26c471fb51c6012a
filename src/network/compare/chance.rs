//! How much of an overlap is more than chance.

use std::collections::BTreeSet;

use super::{Comparison, Side};
use crate::network::Grn;
use crate::network::hypergeometric::at_least;

/// How many edges two networks have in common, against chance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chance {
    /// Pairs that both could have: a regulator and a target that both networks know as such. No gene regulates itself.
    pub pairs: u64,
    /// Of those pairs, the edges compared of the first network.
    pub left: u64,
    /// Of those pairs, the edges compared of the second.
    pub right: u64,
    /// Of those pairs, the edges that both have.
    pub common: u64,
    /// How many that would be by chance.
    pub expected: f64,
    /// The chance of at least so many (hypergeometric).
    pub p_value: f64,
}

impl Comparison {
    /// The overlap against chance, which draws as many pairs of a regulator (a gene with an edge out in both of the whole
    /// networks `left` and `right`) and a target (one with an edge in in both).
    pub fn chance(&self, left: &Grn, right: &Grn) -> Chance {
        let ends = |grn: &Grn| -> [BTreeSet<String>; 2] {
            let mut has = vec![[false; 2]; grn.genes().len()];
            for edge in grn.edges().iter().filter(|edge| edge.regulator != edge.target) {
                has[edge.regulator.0 as usize][0] = true;
                has[edge.target.0 as usize][1] = true;
            }
            [0, 1].map(|end| {
                let genes = grn.genes().iter().zip(&has).filter(|(_, has)| has[end]);
                genes.map(|(gene, _)| gene.symbol.clone()).collect()
            })
        };
        let ([out_left, in_left], [out_right, in_right]) = (ends(left), ends(right));
        let regulators: BTreeSet<&String> = out_left.intersection(&out_right).collect();
        let targets: BTreeSet<&String> = in_left.intersection(&in_right).collect();
        let both = regulators.intersection(&targets).count() as u64;
        let pairs = regulators.len() as u64 * targets.len() as u64 - both;
        let mut chance = Chance { pairs, ..Chance::default() };
        for edge in &self.edges {
            let possible =
                edge.regulator != edge.target && regulators.contains(&edge.regulator) && targets.contains(&edge.target);
            if !possible {
                continue;
            }
            let side = edge.side();
            chance.left += u64::from(side != Side::Right);
            chance.right += u64::from(side != Side::Left);
            chance.common += u64::from(side == Side::Both);
        }
        chance.expected = chance.left as f64 * chance.right as f64 / (pairs as f64).max(1.0);
        chance.p_value = at_least(chance.common, pairs, chance.right, chance.left);
        chance
    }
}
