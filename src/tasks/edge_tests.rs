//! Each edge of a network held against cells that the training never saw: does its target change where its regulator was
//! perturbed, and in the direction that its sign says?
//!
//! The test of a pair is CausalBench's (Chevalley et al. 2022, [`crate::evaluation::networks`]); p values are adjusted over the
//! edges tested together. It tells of the whole effect of the regulator on the target, directly or by way of other genes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::data::{CellRole, Dataset, MatrixKind, PerturbationKind};
use crate::evaluation::networks::{EdgeTest, EdgeTests as _, EdgeVerdict, SIGNIFICANCE, ScreenCells};
use crate::jobs::Progress;
use crate::models::TrainedModel;
use crate::network::formats::{Column, ExtraColumn};
use crate::network::{Edge, Grn, Sign};
use crate::preprocess::differential::benjamini_hochberg;
use crate::words::grouped;

/// Most edges of a network that are tested together, its best.
pub const MOST_EDGES: usize = 20_000;

/// Cells that edges of a model's network are tested on.
pub struct HeldOutCells {
    cells: ScreenCells,
    number: HashMap<String, usize>,
    kind: PerturbationKind,
}

/// Why edges cannot be tested; none if they can.
pub fn obstacle(dataset: &Dataset, model: &TrainedModel) -> Option<String> {
    let card = model.card();
    if dataset.hash() != card.dataset.hash {
        return Some(format!(
            "{} is not the data set the model was trained on ({}), or it was read with other choices",
            dataset.name(),
            card.dataset.name
        ));
    }
    (dataset.matrix_kind() != MatrixKind::Counts).then(|| format!("the matrix of {} holds no counts", dataset.name()))
}

impl HeldOutCells {
    /// How genes were perturbed.
    pub fn kind(&self) -> PerturbationKind {
        self.kind
    }

    /// The cells of `dataset` that `model` never saw, with the tests of all pairs of genes of `network`.
    ///
    /// # Errors
    /// If there are none, or none without a perturbation, or it is another data set than the model's; and if cancelled.
    pub fn new(
        dataset: &Dataset,
        model: &TrainedModel,
        network: &Grn,
        progress: &dyn Progress,
    ) -> anyhow::Result<Self> {
        if let Some(obstacle) = obstacle(dataset, model) {
            anyhow::bail!(obstacle);
        }
        let cells = model.held_out_cells();
        anyhow::ensure!(!cells.is_empty(), "no cell was held out of this model's training");
        let controls = cells.iter().filter(|&&cell| dataset.roles()[cell as usize] == CellRole::Control);
        anyhow::ensure!(controls.count() > 0, "there are no control cells among the held-out cells to compare with");
        let genes: Vec<String> = network.genes().iter().map(|gene| gene.symbol.clone()).collect();
        let cells = ScreenCells::new(dataset, &cells, &genes, progress)?;
        let number = genes.into_iter().enumerate().map(|(at, gene)| (gene, at)).collect();
        Ok(Self { cells, number, kind: dataset.kind() })
    }
}

/// The tests of the edges of `network` at `positions`, in rising order; none for those that cannot be tested.
pub fn test_edges(cells: &HeldOutCells, network: &Grn, positions: &[u32]) -> Vec<(u32, Option<EdgeTest>)> {
    let test = |at: u32| {
        let edge = &network.edges()[at as usize];
        let number = |gene| cells.number.get(network.symbol(gene)).copied();
        cells.cells.test(number(edge.regulator)?, number(edge.target)?)
    };
    let mut order = positions.to_vec();
    order.sort_unstable();
    order.into_iter().map(|at| (at, test(at))).collect()
}

/// What the held-out cells say of one edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TestedEdge {
    /// Held-out control cells, and held-out cells whose regulator was perturbed.
    pub cells: [usize; 2],
    /// Two-sided Mann–Whitney p value.
    pub p_value: f64,
    /// The same, adjusted over all edges tested together (Benjamini–Hochberg).
    pub adjusted: f64,
    /// Wasserstein-1 distance of the two distributions of ln(1 + 10,000·x/Σx).
    pub wasserstein: f64,
    /// Difference of their means, log2 units: the observed shift.
    pub shift: f32,
    /// The sign that this shift means.
    pub implied: Sign,
}

impl TestedEdge {
    /// Whether the target changes beyond chance.
    pub fn is_significant(&self) -> bool {
        self.adjusted < SIGNIFICANCE
    }

    /// What it says of an edge with `sign`.
    pub fn verdict(&self, sign: Sign) -> EdgeVerdict {
        match self.is_significant() {
            false => EdgeVerdict::Unclear,
            true if sign == Sign::Unknown || sign == self.implied => EdgeVerdict::Supported,
            true => EdgeVerdict::Opposite,
        }
    }
}

/// The tests of a network's edges.
#[derive(Clone, Debug)]
pub struct EdgeTests {
    network: Arc<Grn>,
    /// By position in the network's list; none for those that cannot be tested.
    tests: BTreeMap<u32, Option<TestedEdge>>,
    verdicts: Arc<[EdgeVerdict]>,
    told: String,
    /// How many edges were left out because there were more than [`MOST_EDGES`].
    pub left_out: usize,
}

impl EdgeTests {
    /// From the tests of edges of `network`, adjusted together.
    pub fn of(
        network: &Arc<Grn>,
        kind: PerturbationKind,
        found: impl IntoIterator<Item = (u32, Option<EdgeTest>)>,
        left_out: usize,
    ) -> Self {
        let found: Vec<(u32, Option<EdgeTest>)> = found.into_iter().collect();
        let p_values: Vec<f64> = found.iter().filter_map(|(_, test)| Some(test.as_ref()?.p_value)).collect();
        let mut adjusted = benjamini_hochberg(&p_values).into_iter();
        let tested = |test: EdgeTest, adjusted: f64| {
            let shift = (test.difference / std::f64::consts::LN_2) as f32;
            let implied = match shift * kind.direction() {
                none if none == 0.0 || !none.is_finite() => Sign::Unknown,
                up if up > 0.0 => Sign::Activates,
                _ => Sign::Represses,
            };
            let EdgeTest { cells, p_value, wasserstein, .. } = test;
            TestedEdge { cells, p_value, adjusted, wasserstein, shift, implied }
        };
        let tests =
            found.into_iter().map(|(at, test)| (at, test.map(|test| tested(test, adjusted.next().unwrap_or(1.0)))));
        let tests = tests.collect();
        let mut all = Self { network: network.clone(), tests, verdicts: Arc::default(), told: String::new(), left_out };
        let verdict = |edge: &Edge| all.get(edge).map_or(EdgeVerdict::NotTested, |test| test.verdict(edge.sign));
        all.verdicts = network.edges().iter().map(verdict).collect();
        all.told = all.tell();
        all
    }

    /// All edges of `network` at `positions` (the best [`MOST_EDGES`] of them) on the cells of `dataset` that `model` never saw.
    ///
    /// # Errors
    /// As [`HeldOutCells::new`], and if cancelled.
    pub fn run(
        dataset: &Dataset,
        model: &TrainedModel,
        network: &Arc<Grn>,
        positions: &[u32],
        progress: &dyn Progress,
    ) -> anyhow::Result<Self> {
        progress.stage("Reading held-out cells", None);
        let cells = HeldOutCells::new(dataset, model, network, progress)?;
        let best = &positions[..positions.len().min(MOST_EDGES)];
        let found = test_edges(&cells, network, best);
        Ok(Self::of(network, cells.kind, found, positions.len() - best.len()))
    }

    /// Whether they are of `network`.
    pub fn is_of(&self, network: &Arc<Grn>) -> bool {
        Arc::ptr_eq(&self.network, network)
    }

    /// The test of `edge`, if it was tested.
    pub fn get(&self, edge: &Edge) -> Option<&TestedEdge> {
        self.tests.get(&(edge.rank - 1))?.as_ref()
    }

    /// Whether it was looked at, tested or not.
    pub fn knows(&self, edge: &Edge) -> bool {
        self.tests.contains_key(&(edge.rank - 1))
    }

    /// Edges that were tested.
    pub fn tested(&self) -> usize {
        self.tests.values().flatten().count()
    }

    /// What the cells say of every edge of the network, by rank − 1.
    pub fn verdicts(&self) -> &Arc<[EdgeVerdict]> {
        &self.verdicts
    }

    /// In one line: `31 of 200 tested edges supported by held-out cells, 4 opposed by them`.
    pub fn describe(&self) -> &str {
        &self.told
    }

    fn tell(&self) -> String {
        let count = |wanted: EdgeVerdict| self.verdicts.iter().filter(|verdict| **verdict == wanted).count();
        let (tested, supported) = (self.tested(), count(EdgeVerdict::Supported));
        let mut text =
            format!("{} of {} tested edges supported by held-out cells", grouped(supported), grouped(tested));
        match count(EdgeVerdict::Opposite) {
            0 => {}
            other => text.push_str(&format!(", {} opposed by them", grouped(other))),
        }
        match self.tests.len() - tested {
            0 => {}
            untested => text.push_str(&format!("; {} cannot be tested", grouped(untested))),
        }
        if self.left_out > 0 {
            text.push_str(&format!("; {} beyond the best {} left out", grouped(self.left_out), grouped(MOST_EDGES)));
        }
        text
    }

    /// Columns of a table of edges; empty for edges that were not tested.
    pub fn columns(&self) -> Vec<ExtraColumn<'_>> {
        let of = |edge: &Edge, text: &dyn Fn(&TestedEdge) -> String| self.get(edge).map(text).unwrap_or_default();
        vec![
            ExtraColumn::new("held_out_cells", move |edge| of(edge, &|test| test.cells[1].to_string())),
            ExtraColumn::new("held_out_shift", move |edge| of(edge, &|test| test.shift.to_string())),
            ExtraColumn::new("held_out_wasserstein", move |edge| of(edge, &|test| test.wasserstein.to_string())),
            ExtraColumn::new("held_out_p", move |edge| of(edge, &|test| test.p_value.to_string())),
            ExtraColumn::new("held_out_adjusted_p", move |edge| of(edge, &|test| test.adjusted.to_string())),
        ]
    }

    /// Attributes of `edges` in a network file.
    pub fn attributes(&self, edges: &[&Edge]) -> Vec<Column> {
        let tests: Vec<Option<&TestedEdge>> = edges.iter().map(|edge| self.get(edge)).collect();
        let numbers = |name: &str, of: &dyn Fn(&TestedEdge) -> f64| {
            Column::numbers(name, tests.iter().map(|test| test.map_or(f64::NAN, of)).collect::<Vec<_>>())
        };
        let shifts = tests.iter().map(|test| test.map(|test| test.shift)).collect::<Vec<_>>();
        let cells = tests.iter().map(|test| test.map(|test| test.cells[1] as i64)).collect::<Vec<_>>();
        vec![
            Column::integers("held_out_cells", cells),
            Column::singles("held_out_shift", shifts),
            numbers("held_out_wasserstein", &|test| test.wasserstein),
            numbers("held_out_p", &|test| test.p_value),
            numbers("held_out_adjusted_p", &|test| test.adjusted),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::fixtures::{edge, genes};

    fn test(p_value: f64, difference: f64) -> EdgeTest {
        EdgeTest { parent: 0, child: 1, p_value, wasserstein: difference.abs(), cells: [90, 12], difference }
    }

    fn tests() -> EdgeTests {
        let signed = |from, to, sign| Edge { sign, ..edge(from, to, 0.9) };
        let edges = vec![
            signed(0, 1, Sign::Activates),
            signed(0, 2, Sign::Represses),
            signed(1, 2, Sign::Unknown),
            signed(1, 0, Sign::Activates),
            signed(2, 0, Sign::Activates),
        ];
        let network = Arc::new(Grn::new(genes(["A", "B", "C"]), edges).unwrap());
        let ln2 = std::f64::consts::LN_2;
        let found = [
            (0, Some(test(0.001, -ln2))),
            (1, Some(test(0.002, -0.5 * ln2))),
            (2, Some(test(0.01, 0.2))),
            (3, Some(test(0.4, 0.1))),
            (4, None),
        ];
        EdgeTests::of(&network, PerturbationKind::KnockOut, found, 0)
    }

    #[test]
    fn p_values_are_adjusted_over_what_was_tested() {
        let tests = tests();
        let adjusted: Vec<f64> =
            tests.network.edges().iter().filter_map(|edge| Some(tests.get(edge)?.adjusted)).collect();
        let expected = [0.004, 0.004, 0.01 * 4.0 / 3.0, 0.4];
        assert!(adjusted.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{adjusted:?}");
        assert_eq!(tests.tested(), 4);
        let edge = &tests.network.edges()[4];
        assert!(tests.knows(edge) && tests.get(edge).is_none());
    }

    #[test]
    fn where_the_regulator_was_lost_a_falling_target_speaks_for_activation() {
        let tests = tests();
        use EdgeVerdict::{NotTested, Opposite, Supported, Unclear};
        assert_eq!(tests.verdicts()[..], [Supported, Opposite, Supported, Unclear, NotTested]);
        let first = tests.get(&tests.network.edges()[0]).unwrap();
        assert_eq!((first.implied, first.shift, first.cells), (Sign::Activates, -1.0, [90, 12]));
        let told = "2 of 4 tested edges supported by held-out cells, 1 opposed by them; 1 cannot be tested";
        assert_eq!(tests.describe(), told);
    }

    #[test]
    fn columns_are_empty_for_what_was_not_tested() {
        let tests = tests();
        let edges: Vec<&Edge> = tests.network.edges().iter().collect();
        let columns = tests.columns();
        assert_eq!(columns[0].of(edges[0]), "12");
        assert!(columns.iter().all(|column| column.of(edges[4]).is_empty()));
        let attributes = tests.attributes(&edges);
        assert_eq!(attributes.len(), 5);
        assert!(attributes.iter().all(|column| column.values[0].is_some() && column.values[4].is_none()));
    }
}
