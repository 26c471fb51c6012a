//! Statistical evaluation of a network, as CausalBench does it (Chevalley et al. 2022): is the child's expression
//! different in cells whose parent was perturbed?
//!
//! A pair whose parent was not perturbed, or whose child was not measured, cannot be tested; it is left out of numerator
//! and denominator alike.

mod reach;

use rand::seq::SliceRandom as _;
use serde::{Deserialize, Serialize};

use super::pairwise::{PairTests, pair_tests};
use crate::data::{CellRole, CsrMatrix, Dataset, MatrixKind};
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::normalise::Expression;
use reach::Reach;

pub use reach::reachable_by_round;

/// A tested pair counts as true below this p value.
pub const SIGNIFICANCE: f64 = 0.05;

/// Where the tests come from. Genes are numbered by the caller.
pub trait EdgeTests {
    /// Whether `gene` was measured.
    fn is_measured(&self, gene: usize) -> bool;
    /// Whether there are cells whose `gene` alone was perturbed, and control cells.
    fn is_perturbed(&self, gene: usize) -> bool;
    /// The test of gene `child` between control cells and cells whose gene `parent` was perturbed; none if there are none or it was not
    /// measured.
    fn test(&self, parent: usize, child: usize) -> Option<EdgeTest>;
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

/// Test all `edges` (parent, child).
pub fn test_network(tests: &dyn EdgeTests, edges: impl IntoIterator<Item = (usize, usize)>) -> NetworkTest {
    let mut result = NetworkTest::default();
    let mut distances = 0.0;
    for (parent, child) in edges {
        let Some(test) = tests.test(parent, child) else {
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

/// Share of pairs with p < 0.05 among up to `most` random testable pairs of `genes` that no path of `edges` connects:
/// effects that the network misses (false omission rate). None if no such pair can be tested.
pub fn false_omission_rate(
    tests: &dyn EdgeTests,
    edges: &[(usize, usize)],
    genes: &[usize],
    most: usize,
    seed: u64,
) -> Option<f64> {
    let reach = Reach::of(edges.iter().copied()).closed();
    let mut pairs: Vec<(usize, usize)> = genes
        .iter()
        .flat_map(|&parent| genes.iter().map(move |&child| (parent, child)))
        .filter(|&(parent, child)| parent != child && !reach.connects(parent, child))
        .collect();
    pairs.shuffle(&mut crate::random::stream(seed, "false omission"));
    let tests = pairs.into_iter().filter_map(|(parent, child)| tests.test(parent, child)).take(most);
    let (missed, tested) = tests
        .fold((0u32, 0u32), |(missed, tested), test| (missed + u32::from(test.p_value < SIGNIFICANCE), tested + 1));
    (tested > 0).then(|| f64::from(missed) / f64::from(tested))
}

/// The tests of all pairs in the cells of a screen: of counts as ln(1 + 10,000·x/Σx), of other values as they are. Genes are numbered by
/// the list given.
pub struct ScreenCells {
    tests: PairTests,
    /// Control cells, and the cells of each group.
    control: usize,
    sizes: Vec<usize>,
    /// Of each gene, which group of cells has it perturbed, and which column of the tests it is.
    groups: Vec<Option<usize>>,
    columns: Vec<Option<usize>>,
}

impl ScreenCells {
    /// The `cells` (rows) of `dataset`, with `genes` numbered in the order given. Cells with several perturbed genes are
    /// left out: their shifts cannot be laid to one parent.
    pub fn new(dataset: &Dataset, cells: &[u32], genes: &[String], progress: &dyn Progress) -> Result<Self, Cancelled> {
        let number: std::collections::HashMap<&str, usize> =
            genes.iter().enumerate().map(|(at, gene)| (gene.as_str(), at)).collect();
        let (mut control, mut members) = (Vec::new(), vec![Vec::new(); genes.len()]);
        for &cell in cells {
            match dataset.roles()[cell as usize] {
                CellRole::Control => control.push(cell),
                CellRole::Unassigned => {}
                CellRole::Perturbed(index) => {
                    if let [target] = dataset.perturbations()[index as usize].targets()
                        && let Some(&gene) = number.get(target.as_str())
                    {
                        members[gene].push(cell);
                    }
                }
            }
        }
        let (mut groups, mut perturbed) = (vec![None; genes.len()], Vec::new());
        for (gene, cells) in members.into_iter().enumerate().filter(|(_, cells)| !cells.is_empty()) {
            groups[gene] = Some(perturbed.len());
            perturbed.push(cells);
        }
        let mut columns = vec![None; genes.len()];
        let mut place = vec![u32::MAX; dataset.gene_count()];
        let mut count = 0;
        for (gene, column) in genes.iter().enumerate() {
            if let Some(at) = dataset.genes().column(column) {
                columns[gene] = Some(count);
                place[at] = count as u32;
                count += 1;
            }
        }
        // Only the values of these genes are held again.
        let chosen: Vec<u32> = control.iter().chain(perturbed.iter().flatten()).copied().collect();
        let row = |&cell: &u32| {
            let stored = dataset.matrix().row(cell as usize).iter();
            stored.map(|(column, value)| (place[column as usize], value)).filter(|(at, _)| *at != u32::MAX).collect()
        };
        let matrix = CsrMatrix::from_rows(count, chosen.iter().map(row).collect()).expect("each gene is one column");
        let sizes: Vec<f64> = chosen.iter().map(|&cell| dataset.matrix().row_sum(cell as usize)).collect();
        let expression = match dataset.matrix_kind() {
            MatrixKind::Counts => Expression::of_counts(&matrix, &sizes, 1e4),
            _ => Expression::as_is(&matrix),
        };
        let mut next = 0;
        let mut rows = |cells: &Vec<u32>| -> Vec<u32> {
            next += cells.len() as u32;
            (next - cells.len() as u32..next).collect()
        };
        let control = rows(&control);
        let perturbed: Vec<Vec<u32>> = perturbed.iter().map(rows).collect();
        let tests = pair_tests(&expression, &perturbed, &control, progress)?;
        Ok(Self { tests, control: control.len(), sizes: perturbed.iter().map(Vec::len).collect(), groups, columns })
    }
}

impl EdgeTests for ScreenCells {
    fn is_measured(&self, gene: usize) -> bool {
        self.columns[gene].is_some()
    }

    fn is_perturbed(&self, gene: usize) -> bool {
        self.groups[gene].is_some_and(|group| self.tests.genes > 0 && self.tests.get(group, 0).is_some())
    }

    fn test(&self, parent: usize, child: usize) -> Option<EdgeTest> {
        let group = (*self.groups.get(parent)?)?;
        let found = self.tests.get(group, (*self.columns.get(child)?)?)?;
        let cells = [self.control, self.sizes[group]];
        let (p_value, wasserstein, difference) = (found.p_value, found.distance, found.difference);
        Some(EdgeTest { parent, child, p_value, wasserstein, cells, difference })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Sample, mann_whitney, wasserstein};
    use super::*;

    /// Gene 0's perturbation doubles gene 1; gene 2 was never perturbed; gene 3 was not measured.
    struct Toy;

    impl EdgeTests for Toy {
        fn is_measured(&self, gene: usize) -> bool {
            gene < 3
        }

        fn is_perturbed(&self, gene: usize) -> bool {
            gene != 2
        }

        fn test(&self, parent: usize, child: usize) -> Option<EdgeTest> {
            let factor = if (parent, child) == (0, 1) { 2.0 } else { 1.0 };
            let control = Sample::new((1..=20).map(f64::from));
            let own = Sample::new((1..=20).map(|value| factor * f64::from(value)));
            let p_value = mann_whitney(&control, &own)?;
            let wasserstein = wasserstein(&control, &own)?;
            (self.is_perturbed(parent) && self.is_measured(child)).then_some(EdgeTest {
                parent,
                child,
                p_value,
                wasserstein,
                cells: [control.len(), own.len()],
                difference: own.mean()? - control.mean()?,
            })
        }
    }

    #[test]
    fn what_cannot_be_tested_counts_neither_for_nor_against() {
        let result = test_network(&Toy, [(0, 1), (1, 0), (2, 1), (0, 3)]);
        assert_eq!((result.true_positives, result.false_positives, result.untestable), (1, 1, 2));
        // Doubling 1..=20 moves the mean by 10.5; the other tested pair does not move.
        assert!((result.mean_wasserstein.unwrap() - 5.25).abs() < 1e-12);
        assert_eq!(test_network(&Toy, [(2, 0)]).mean_wasserstein, None);
    }

    #[test]
    fn effects_that_no_path_explains_are_missed() {
        // Of the pairs without a path, (0, 1) is the one with an effect; gene 2 was never perturbed.
        assert_eq!(false_omission_rate(&Toy, &[], &[0, 1, 2], 500, 1), Some(0.25));
        assert_eq!(false_omission_rate(&Toy, &[(0, 1)], &[0, 1, 2], 500, 1), Some(0.0));
        assert_eq!(false_omission_rate(&Toy, &[], &[2], 500, 1), None);
    }

    #[test]
    fn all_pairs_of_a_screen_are_those_of_its_cells() {
        use crate::data::simulate::{SimulateConfig, simulate};
        let dataset = simulate(&SimulateConfig::small(), &crate::jobs::Silent).unwrap().dataset;
        // Not all genes, in another order, one that is not there.
        let mut genes: Vec<String> = dataset.genes().symbols().into_iter().rev().step_by(2).collect();
        genes.push("NOT MEASURED".to_owned());
        let cells: Vec<u32> = (0..dataset.cell_count() as u32).filter(|cell| cell % 3 > 0).collect();
        let screen = ScreenCells::new(&dataset, &cells, &genes, &crate::jobs::Silent).unwrap();
        let value = |cell: u32, gene: usize| {
            let column = dataset.genes().column(&genes[gene]).unwrap();
            let total = dataset.matrix().row_sum(cell as usize);
            (1e4 * f64::from(dataset.matrix().get(cell as usize, column)) / total).ln_1p()
        };
        let mut compared = 0;
        for parent in 0..genes.len() {
            let is_own = |role: CellRole| {
                let targets = role.perturbation().map(|index| dataset.perturbations()[index].targets());
                targets.is_some_and(|targets| targets == [genes[parent].clone()])
            };
            let of = |wanted: &dyn Fn(CellRole) -> bool, gene: usize| {
                let cells = cells.iter().filter(|&&cell| wanted(dataset.roles()[cell as usize]));
                Sample::new(cells.map(|&cell| value(cell, gene)))
            };
            for child in 0..genes.len() - 1 {
                let own = of(&is_own, child);
                assert_eq!(screen.is_perturbed(parent), !own.is_empty());
                let Some(test) = screen.test(parent, child) else { continue };
                let control = of(&|role| role == CellRole::Control, child);
                // Single precision may part or join ties.
                assert!((test.p_value - mann_whitney(&control, &own).unwrap()).abs() < 1e-3);
                assert!((test.wasserstein - wasserstein(&control, &own).unwrap()).abs() < 1e-6);
                compared += 1;
            }
            assert_eq!(screen.test(parent, genes.len() - 1), None);
        }
        assert!(compared > 50 && !screen.is_measured(genes.len() - 1), "{compared}");
    }
}
