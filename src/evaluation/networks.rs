//! Statistical evaluation of a network, as CausalBench does it (Chevalley et al. 2022): is the child's expression
//! different in cells whose parent was perturbed?
//!
//! A pair whose parent was not perturbed, or whose child was not measured, cannot be tested; it is left out of numerator
//! and denominator alike.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Sample, mann_whitney, wasserstein};

/// A tested pair counts as true below this p value.
pub const SIGNIFICANCE: f64 = 0.05;

/// Where the cells come from: the values of a gene in control cells and in the cells of a perturbed gene. Genes are
/// numbered by the caller.
pub trait Cells {
    /// Values of gene `child` in control cells; none if it was not measured.
    fn control(&self, child: usize) -> Option<Sample>;
    /// Values of gene `child` in cells whose gene `parent` was perturbed; none if there are no such cells or the child was
    /// not measured.
    fn perturbed(&self, parent: usize, child: usize) -> Option<Sample>;
}

/// The test of one edge.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EdgeTest {
    /// Number of the parent.
    pub parent: usize,
    /// Number of the child.
    pub child: usize,
    /// Two-sided Mann–Whitney p value.
    pub p_value: f64,
    /// Wasserstein-1 distance between the two samples, in the unit of the expression.
    pub wasserstein: f64,
}

/// The tests of a set of pairs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkTest {
    /// Pairs with p < 0.05.
    pub true_positives: usize,
    /// Tested pairs with a larger p.
    pub false_positives: usize,
    /// Pairs that could not be tested.
    pub untestable: usize,
    /// Mean over tested pairs of the Wasserstein-1 distance.
    pub mean_wasserstein: Option<f64>,
}

/// Tests edges, and remembers what it tested.
pub struct NetworkTester<'a> {
    cells: &'a dyn Cells,
    controls: BTreeMap<usize, Option<Sample>>,
    tests: BTreeMap<(usize, usize), Option<EdgeTest>>,
}

impl<'a> NetworkTester<'a> {
    /// Test in `cells`.
    pub fn new(cells: &'a dyn Cells) -> Self {
        Self { cells, controls: BTreeMap::new(), tests: BTreeMap::new() }
    }

    /// Test the edge `parent` → `child`; none if it cannot be tested.
    pub fn edge(&mut self, parent: usize, child: usize) -> Option<EdgeTest> {
        if let Some(test) = self.tests.get(&(parent, child)) {
            return *test;
        }
        let control = self.controls.entry(child).or_insert_with(|| self.cells.control(child));
        let test = control.as_ref().and_then(|control| {
            let perturbed = self.cells.perturbed(parent, child)?;
            let p_value = mann_whitney(control, &perturbed)?;
            Some(EdgeTest { parent, child, p_value, wasserstein: wasserstein(control, &perturbed)? })
        });
        self.tests.insert((parent, child), test);
        test
    }

    /// Test all `edges` (parent, child).
    pub fn network(&mut self, edges: impl IntoIterator<Item = (usize, usize)>) -> NetworkTest {
        let mut result = NetworkTest::default();
        let mut distances = 0.0;
        for (parent, child) in edges {
            let Some(test) = self.edge(parent, child) else {
                result.untestable += 1;
                continue;
            };
            distances += test.wasserstein;
            if test.p_value < SIGNIFICANCE {
                result.true_positives += 1;
            } else {
                result.false_positives += 1;
            }
        }
        let tested = result.true_positives + result.false_positives;
        result.mean_wasserstein = (tested > 0).then(|| distances / tested as f64);
        result
    }
}

/// The pairs that `edges` connect, by how far apart they are: the edges themselves, then the pairs that become reachable
/// in each of at most `steps` − 1 further rounds.
///
/// As in CausalBench, each round joins the reachable sets of the round before: the second holds paths of two edges, the
/// third those of three and four (that page calls them path lengths 1 to 3). A gene is not its own descendant. Ends early
/// when a round adds nothing.
pub fn reachable_by_round(
    edges: impl IntoIterator<Item = (usize, usize)>,
    steps: usize,
) -> Vec<BTreeSet<(usize, usize)>> {
    let mut reach: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut rounds = vec![BTreeSet::new()];
    for (parent, child) in edges {
        reach.entry(parent).or_default().insert(child);
        rounds[0].insert((parent, child));
    }
    while rounds.len() < steps {
        let mut fresh = BTreeSet::new();
        for (&parent, children) in &reach {
            let further = children.iter().filter_map(|child| reach.get(child)).flatten();
            let new = further.filter(|&&child| child != parent && !children.contains(&child));
            fresh.extend(new.map(|&child| (parent, child)));
        }
        if fresh.is_empty() {
            break;
        }
        for &(parent, child) in &fresh {
            reach.entry(parent).or_default().insert(child);
        }
        rounds.push(fresh);
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gene 0's perturbation doubles gene 1; gene 2 was never perturbed; gene 3 was not measured.
    struct Toy;

    impl Cells for Toy {
        fn control(&self, child: usize) -> Option<Sample> {
            (child < 3).then(|| Sample::new((1..=20).map(f64::from)))
        }

        fn perturbed(&self, parent: usize, child: usize) -> Option<Sample> {
            let factor = if (parent, child) == (0, 1) { 2.0 } else { 1.0 };
            (parent != 2 && child < 3).then(|| Sample::new((1..=20).map(|value| factor * f64::from(value))))
        }
    }

    #[test]
    fn what_cannot_be_tested_counts_neither_for_nor_against() {
        let mut tester = NetworkTester::new(&Toy);
        let result = tester.network([(0, 1), (1, 0), (2, 1), (0, 3)]);
        assert_eq!((result.true_positives, result.false_positives, result.untestable), (1, 1, 2));
        // Doubling 1..=20 moves the mean by 10.5; the other tested pair does not move.
        assert!((result.mean_wasserstein.unwrap() - 5.25).abs() < 1e-12);
        assert_eq!(tester.network([(2, 0)]).mean_wasserstein, None);
    }

    #[test]
    fn rounds_join_the_sets_of_the_round_before() {
        let chain = reachable_by_round([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)], 3);
        assert_eq!(chain[1], BTreeSet::from([(0, 2), (1, 3), (2, 4), (3, 5)]));
        assert_eq!(chain[2], BTreeSet::from([(0, 3), (0, 4), (1, 4), (1, 5), (2, 5)]));
        let cycle = reachable_by_round([(0, 1), (1, 0)], 3);
        assert_eq!(cycle.len(), 1, "a gene is not its own descendant");
    }
}
