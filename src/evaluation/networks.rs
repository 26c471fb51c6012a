//! Statistical evaluation of a network, as CausalBench does it (Chevalley et al. 2022): is the child's expression
//! different in cells whose parent was perturbed?
//!
//! A pair whose parent was not perturbed, or whose child was not measured, cannot be tested; it is left out of numerator
//! and denominator alike.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom as _;
use serde::{Deserialize, Serialize};

use super::{Sample, mann_whitney, wasserstein};
use crate::data::{CellRole, CsrMatrix, Dataset};

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
    /// Control cells, and cells whose parent was perturbed.
    pub cells: [usize; 2],
    /// Mean of the perturbed cells minus that of the control cells, same unit.
    pub difference: f64,
}

/// What held-out cells say of an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EdgeVerdict {
    /// It was not tested: the parent was not perturbed there, or the child not measured.
    #[default]
    NotTested,
    /// The child does not change beyond chance.
    Unclear,
    /// It changes beyond chance, and the way that the edge's sign says, if it has one.
    Supported,
    /// It changes beyond chance, the other way.
    Opposite,
}

impl EdgeVerdict {
    /// All, the best first.
    pub const ALL: [Self; 4] = [Self::Supported, Self::Opposite, Self::Unclear, Self::NotTested];

    /// For a legend: `Supported by held-out cells`.
    pub fn label(self) -> &'static str {
        match self {
            Self::NotTested => "Not tested",
            Self::Unclear => "No change beyond chance",
            Self::Supported => "Supported by held-out cells",
            Self::Opposite => "Opposed by held-out cells",
        }
    }
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
            let wasserstein = wasserstein(control, &perturbed)?;
            let cells = [control.len(), perturbed.len()];
            let difference = perturbed.mean()? - control.mean()?;
            Some(EdgeTest { parent, child, p_value, wasserstein, cells, difference })
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

/// Share of pairs with p < 0.05 among up to `most` random testable pairs of `genes` that no path of `edges` connects:
/// effects that the network misses (false omission rate). None if no such pair can be tested.
pub fn false_omission_rate(
    tester: &mut NetworkTester,
    edges: &[(usize, usize)],
    genes: &[usize],
    most: usize,
    seed: u64,
) -> Option<f64> {
    let reachable: BTreeSet<(usize, usize)> =
        reachable_by_round(edges.iter().copied(), usize::MAX).into_iter().flatten().collect();
    let mut pairs: Vec<(usize, usize)> = genes
        .iter()
        .flat_map(|&parent| genes.iter().map(move |&child| (parent, child)))
        .filter(|pair| pair.0 != pair.1 && !reachable.contains(pair))
        .collect();
    pairs.shuffle(&mut crate::random::stream(seed, "false omission"));
    let tests = pairs.into_iter().filter_map(|(parent, child)| tester.edge(parent, child)).take(most);
    let (missed, tested) = tests
        .fold((0u32, 0u32), |(missed, tested), test| (missed + u32::from(test.p_value < SIGNIFICANCE), tested + 1));
    (tested > 0).then(|| f64::from(missed) / f64::from(tested))
}

/// The cells of a screen, log-normalised: ln(1 + 10,000·x/Σx). Genes are numbered by the list given.
pub struct ScreenCells {
    /// Genes × chosen cells.
    by_gene: CsrMatrix,
    totals: Vec<f64>,
    /// Group of each chosen cell: 0 control, n + 1 single perturbation of gene number n, none anything else.
    groups: Vec<Option<usize>>,
    sizes: Vec<usize>,
    columns: Vec<Option<usize>>,
}

impl ScreenCells {
    /// The `cells` (rows) of `dataset`, with `genes` numbered in the order given. Cells with several perturbed genes are
    /// left out: their shifts cannot be laid to one parent.
    pub fn new(dataset: &Dataset, cells: &[u32], genes: &[String]) -> Self {
        let number: BTreeMap<&str, usize> = genes.iter().enumerate().map(|(at, gene)| (gene.as_str(), at)).collect();
        let group = |&cell: &u32| match dataset.roles()[cell as usize] {
            CellRole::Control => Some(0),
            CellRole::Unassigned => None,
            CellRole::Perturbed(index) => match dataset.perturbations()[index as usize].targets() {
                [target] => number.get(target.as_str()).map(|at| at + 1),
                _ => None,
            },
        };
        let groups: Vec<Option<usize>> = cells.iter().map(group).collect();
        let mut sizes = vec![0; genes.len() + 1];
        groups.iter().flatten().for_each(|&group| sizes[group] += 1);
        let chosen = dataset.matrix().select_rows(cells);
        Self {
            totals: chosen.row_sums(),
            by_gene: chosen.transposed(),
            groups,
            sizes,
            columns: genes.iter().map(|gene| dataset.genes().column(gene)).collect(),
        }
    }

    fn sample(&self, group: usize, gene: usize) -> Option<Sample> {
        let column = (*self.columns.get(gene)?)?;
        let size = *self.sizes.get(group).filter(|&&size| size > 0)?;
        let inside = self.by_gene.row(column).iter().filter(|&(cell, _)| self.groups[cell as usize] == Some(group));
        let value = |(cell, count): (u32, f32)| (1e4 * f64::from(count) / self.totals[cell as usize]).ln_1p();
        let values: Vec<f64> = inside.map(value).collect();
        let zeros = size - values.len();
        Some(Sample::with_zeros(values, zeros))
    }
}

impl Cells for ScreenCells {
    fn control(&self, child: usize) -> Option<Sample> {
        self.sample(0, child)
    }

    fn perturbed(&self, parent: usize, child: usize) -> Option<Sample> {
        self.sample(parent + 1, child)
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
        let test = tester.edge(0, 1).unwrap();
        assert_eq!((test.cells, test.difference), ([20, 20], 10.5));
    }

    #[test]
    fn rounds_join_the_sets_of_the_round_before() {
        let chain = reachable_by_round([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)], 3);
        assert_eq!(chain[1], BTreeSet::from([(0, 2), (1, 3), (2, 4), (3, 5)]));
        assert_eq!(chain[2], BTreeSet::from([(0, 3), (0, 4), (1, 4), (1, 5), (2, 5)]));
        let mut tester = NetworkTester::new(&Toy);
        // Of the pairs without a path, (0, 1) is the one with an effect; gene 2 was never perturbed.
        assert_eq!(false_omission_rate(&mut tester, &[], &[0, 1, 2], 500, 1), Some(0.25));
        assert_eq!(false_omission_rate(&mut tester, &[(0, 1)], &[0, 1, 2], 500, 1), Some(0.0));
        assert_eq!(false_omission_rate(&mut tester, &[], &[2], 500, 1), None);
        let cycle = reachable_by_round([(0, 1), (1, 0)], 3);
        assert_eq!(cycle.len(), 1, "a gene is not its own descendant");
    }
}
