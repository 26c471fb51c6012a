//! The metrics against those of the field's own tools.

use std::collections::BTreeMap;

use grn_explorer::data::{CsrMatrix, EffectTable};
use grn_explorer::evaluation::effects::{EffectOptions, compare};
use grn_explorer::evaluation::networks::{EdgeTest, EdgeTests, reachable_by_round, test_network};
use grn_explorer::evaluation::pairwise::pair_tests;
use grn_explorer::evaluation::{Sample, mann_whitney, wasserstein};
use grn_explorer::jobs::Silent;
use grn_explorer::preprocess::normalise::Expression;

use crate::reference::{Case, cases};

fn effects(case: &Case, name: &str, genes: usize) -> EffectTable {
    let shifts = case.f32s(name);
    let rows = shifts.len() / genes;
    EffectTable {
        perturbations: (0..rows).map(|row| format!("perturbation {row}")).collect(),
        genes: (0..genes).map(|column| format!("gene {column}")).collect(),
        cells: vec![0; rows],
        shifts,
    }
}

fn close(what: &str, found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.unwrap_or(f64::NAN);
    assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected}");
}

#[test]
fn golden_effect_metrics_agree_with_the_reference() {
    for case in cases("metrics") {
        let genes = case.tensor("observed_ate").dims()[1];
        let (predicted, observed) = (effects(&case, "predicted_ate", genes), effects(&case, "observed_ate", genes));
        let metrics = compare(&predicted, &observed, EffectOptions { leave_out_targets: false }).overall;
        let expected = case.json["ate"].as_object().expect("ate");
        for (metric, value) in expected {
            let found = match metric.as_str() {
                "pearson_all_genes" => metrics.pearson,
                "r2_all_genes" => metrics.r_squared,
                "pearson_top20" => metrics.pearson_top_20,
                "r2_top20" => metrics.r_squared_top_20,
                "jaccard_top20" => metrics.jaccard_20,
                "jaccard_top50" => metrics.jaccard_50,
                other => panic!("{}: unknown metric {other}", case.name),
            };
            close(&format!("{} {metric}", case.name), found, value.as_f64().unwrap(), 1e-6);
        }
    }
}

/// Cells × genes, with −1 or the perturbed gene's number per cell.
struct Measured {
    genes: usize,
    expression: Vec<f64>,
    labels: Vec<i64>,
}

impl Measured {
    fn sample(&self, label: i64, gene: usize) -> Option<Sample> {
        let cells = self.labels.iter().enumerate().filter(|(_, found)| **found == label);
        let sample = Sample::new(cells.map(|(cell, _)| self.expression[cell * self.genes + gene]));
        (!sample.is_empty()).then_some(sample)
    }
}

impl EdgeTests for Measured {
    fn is_measured(&self, gene: usize) -> bool {
        gene < self.genes
    }

    fn is_perturbed(&self, gene: usize) -> bool {
        self.labels.contains(&(gene as i64))
    }

    fn test(&self, parent: usize, child: usize) -> Option<EdgeTest> {
        let (control, perturbed) = (self.sample(-1, child)?, self.sample(parent as i64, child)?);
        let (p_value, wasserstein) = (mann_whitney(&control, &perturbed)?, wasserstein(&control, &perturbed)?);
        Some(EdgeTest { parent, child, p_value, wasserstein, cells: [0, 0], difference: 0.0 })
    }
}

impl Measured {
    /// All pairs at once: group g has gene g perturbed.
    fn at_once(&self) -> grn_explorer::evaluation::pairwise::PairTests {
        let dense: Vec<f32> = self.expression.iter().map(|&value| value as f32).collect();
        let matrix = CsrMatrix::from_dense(self.labels.len(), self.genes, &dense);
        let cells = |label: i64| -> Vec<u32> {
            (0..self.labels.len() as u32).filter(|&cell| self.labels[cell as usize] == label).collect()
        };
        let groups: Vec<Vec<u32>> = (0..self.genes as i64).map(cells).collect();
        pair_tests(&Expression::as_is(&matrix), &groups, &cells(-1), &Silent).expect("never cancelled")
    }
}

#[test]
fn golden_network_tests_agree_with_the_reference() {
    for case in cases("metrics") {
        let genes = case.tensor("log1p_expression").dims()[1];
        let labels = case.f64s("label_index").into_iter().map(|label| label as i64).collect();
        let cells = Measured { genes, expression: case.f64s("log1p_expression"), labels };
        let edges = case.f64s("edges");
        let edges: Vec<_> = edges.chunks_exact(2).map(|pair| (pair[0] as usize, pair[1] as usize)).collect();
        let at_once = cells.at_once();

        let expected: BTreeMap<(String, String), (f64, f64)> = case.json["edges"]
            .as_array()
            .expect("edges")
            .iter()
            .map(|edge| {
                let name = |end: &str| edge[end].as_str().unwrap().to_owned();
                ((name("parent"), name("child")), (edge["p"].as_f64().unwrap(), edge["wasserstein"].as_f64().unwrap()))
            })
            .collect();
        let tested: Vec<_> = edges.iter().filter_map(|&(parent, child)| cells.test(parent, child)).collect();
        assert_eq!(tested.len(), expected.len(), "{}: number of testable edges", case.name);
        for test in tested {
            let what = format!("{} {} → {}", case.name, test.parent, test.child);
            let (p_value, distance) = find(&expected, test.parent, test.child).unwrap_or_else(|| panic!("{what}"));
            close(&format!("{what} p"), Some(test.p_value), p_value, 1e-6 * p_value);
            close(&format!("{what} Wasserstein"), Some(test.wasserstein), distance, 1e-6);
            let found = at_once.get(test.parent, test.child).unwrap_or_else(|| panic!("{what}"));
            let (p, w) = (found.p_value, found.distance);
            close(&format!("{what} p, all at once"), Some(p), p_value, 1e-6 * p_value);
            close(&format!("{what} Wasserstein, all at once"), Some(w), distance, 1e-6);
        }

        let network = &case.json["network"];
        let further = network["all_path_results"].as_array().expect("all_path_results");
        let rounds = reachable_by_round(edges, 3);
        assert_eq!(rounds.len(), 1 + further.len(), "{}: path lengths", case.name);
        let expected = std::iter::once(&network["output_graph"]).chain(further);
        for (at, (pairs, expected)) in rounds.into_iter().zip(expected).enumerate() {
            let what = format!("{} path length {}", case.name, at + 1);
            let result = test_network(&cells, pairs);
            assert_eq!(Some(result.true_positives as u64), expected["true_positives"].as_u64(), "{what}");
            assert_eq!(Some(result.false_positives as u64), expected["false_positives"].as_u64(), "{what}");
            let distance = expected["wasserstein_distance"]["mean"].as_f64().unwrap();
            close(&what, result.mean_wasserstein, distance, 1e-6);
        }
    }
}

/// The reference names genes `G000`, `G001`, …: the number is what counts.
fn find(edges: &BTreeMap<(String, String), (f64, f64)>, parent: usize, child: usize) -> Option<(f64, f64)> {
    let number = |name: &str| name.trim_start_matches(|letter: char| !letter.is_ascii_digit()).parse::<usize>().ok();
    let found = edges.iter().find(|((p, c), _)| number(p) == Some(parent) && number(c) == Some(child));
    found.map(|(_, values)| *values)
}
