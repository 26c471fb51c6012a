//! Baselines that score edges.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::{Dataset, EffectTable};

/// Which baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkBaseline {
    /// |Δ| of the target under perturbation of the regulator.
    MeanDifference,
    /// |r| of the two genes over control cells.
    Correlation,
}

impl NetworkBaseline {
    /// For people: `Mean difference`.
    pub fn label(self) -> &'static str {
        match self {
            Self::MeanDifference => "Mean difference",
            Self::Correlation => "Correlation",
        }
    }

    /// What the score is.
    pub fn definition(self) -> &'static str {
        match self {
            Self::MeanDifference => {
                "Absolute mean shift (log2) of the target in training cells whose regulator was perturbed (CausalBench)"
            }
            Self::Correlation => {
                "Absolute Pearson correlation of the two genes over the control cells of the training; has no direction"
            }
        }
    }
}

/// A score for each regulator and target; larger is better.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeScores {
    /// Symbols, one per row.
    pub regulators: Vec<String>,
    /// Symbols, one per column.
    pub targets: Vec<String>,
    /// Regulators × targets, row-major; NaN where not defined, as for a gene and itself.
    pub scores: Vec<f32>,
}

impl EdgeScores {
    /// The score of `regulator` → `target`; none where it is not defined.
    pub fn get(&self, regulator: &str, target: &str) -> Option<f32> {
        let row = self.regulators.iter().position(|name| name == regulator)?;
        let column = self.targets.iter().position(|name| name == target)?;
        Some(self.scores[row * self.targets.len() + column]).filter(|score| !score.is_nan())
    }

    /// (regulator, target, score) of all defined pairs, best first; ties by position.
    pub fn ranked(&self) -> Vec<(&str, &str, f32)> {
        let mut edges: Vec<(&str, &str, f32)> = Vec::new();
        for (row, regulator) in self.scores.chunks_exact(self.targets.len().max(1)).zip(&self.regulators) {
            for (&score, target) in row.iter().zip(&self.targets) {
                if !score.is_nan() {
                    edges.push((regulator, target, score));
                }
            }
        }
        edges.sort_by(|a, b| b.2.total_cmp(&a.2));
        edges
    }
}

/// Absolute mean difference: rows are the genes that were perturbed alone, columns the `targets` that were measured.
pub fn mean_difference(training: &EffectTable, targets: &[String]) -> EdgeScores {
    let columns = columns(&training.genes, targets);
    let rows = (0..training.perturbations.len()).filter(|&row| !training.perturbations[row].contains('+'));
    let mut result =
        EdgeScores { regulators: Vec::new(), targets: names(&columns, &training.genes), scores: Vec::new() };
    for row in rows {
        let regulator = &training.perturbations[row];
        let score = |&column: &usize| match &training.genes[column] == regulator {
            true => f32::NAN,
            false => training.row(row)[column].abs(),
        };
        result.scores.extend(columns.iter().map(score));
        result.regulators.push(regulator.clone());
    }
    result
}

/// Absolute Pearson correlation over `cells` (rows of `dataset`, control cells of the training) of
/// log(1 + 10,000·x/Σx), between the measured ones of `genes`; genes without variation have no score.
/// O(genes² · cells) time.
pub fn correlation(dataset: &Dataset, cells: &[u32], genes: &[String]) -> EdgeScores {
    let symbols = dataset.genes().symbols();
    let columns = columns(&symbols, genes);
    let mut position = vec![usize::MAX; symbols.len()];
    for (at, &column) in columns.iter().enumerate() {
        position[column] = at;
    }
    // Genes × cells, standardised so that a dot product is a correlation.
    let mut values = vec![vec![0f32; cells.len()]; columns.len()];
    for (at, &cell) in cells.iter().enumerate() {
        let total = dataset.matrix().row_sum(cell as usize);
        for (index, count) in dataset.matrix().row(cell as usize).iter() {
            if let Some(row) = values.get_mut(position[index as usize]) {
                row[at] = (1e4 * f64::from(count) / total).ln_1p() as f32;
            }
        }
    }
    values.par_iter_mut().for_each(|row| standardise(row));
    let score = |a: usize, b: usize| -> f32 {
        let product: f64 = values[a].iter().zip(&values[b]).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        if a == b { f32::NAN } else { product.abs().clamp(0.0, 1.0) as f32 }
    };
    let count = columns.len();
    let rows: Vec<Vec<f32>> = (0..count).into_par_iter().map(|a| (0..count).map(|b| score(a, b)).collect()).collect();
    let names = names(&columns, &symbols);
    EdgeScores { regulators: names.clone(), targets: names, scores: rows.concat() }
}

/// Mean 0 and Euclidean length 1; NaN without variation.
fn standardise(row: &mut [f32]) {
    let mean = row.iter().map(|&value| f64::from(value)).sum::<f64>() / row.len() as f64;
    let length = row.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>().sqrt();
    // What is left of equal values after rounding to f32 is no variation.
    let noise = 1e-6 * mean.abs() * (row.len() as f64).sqrt();
    let scale = if length > noise { 1.0 / length } else { f64::NAN };
    row.iter_mut().for_each(|value| *value = ((f64::from(*value) - mean) * scale) as f32);
}

/// Columns of those of `wanted` that are among `genes`, in the order wanted.
fn columns(genes: &[String], wanted: &[String]) -> Vec<usize> {
    let at: std::collections::HashMap<&str, usize> =
        genes.iter().enumerate().map(|(column, gene)| (gene.as_str(), column)).collect();
    wanted.iter().filter_map(|gene| at.get(gene.as_str()).copied()).collect()
}

fn names(columns: &[usize], genes: &[String]) -> Vec<String> {
    columns.iter().map(|&column| genes[column].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{CellRole, CsrMatrix, DatasetParts, Gene, ImportReport, MatrixKind, PerturbationKind};

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn mean_difference_ranks_by_size_and_skips_self_edges_and_combinations() {
        let training = EffectTable {
            perturbations: strings(&["A", "A+B", "Q"]),
            genes: strings(&["A", "B", "C"]),
            cells: vec![1; 3],
            shifts: vec![-5.0, 0.5, -1.0, 9.0, 9.0, 9.0, 0.1, -3.0, 0.2],
        };
        let scores = mean_difference(&training, &strings(&["A", "C", "Q", "B"]));
        let best: Vec<_> = scores.ranked().into_iter().take(3).collect();
        assert_eq!(best, [("Q", "B", 3.0), ("A", "C", 1.0), ("A", "B", 0.5)]);
        assert_eq!(scores.get("A", "A"), None);
        assert_eq!(scores.get("A", "Q"), None);
    }

    #[test]
    fn correlation_is_over_the_given_cells_and_log_normalised() {
        // Every cell has 100 counts; B rises as A falls in cells 0 to 2, D is constant, cell 3 is not asked for.
        let dense = [10.0, 50.0, 35.0, 5.0, 20.0, 40.0, 35.0, 5.0, 30.0, 30.0, 35.0, 5.0, 95.0, 0.0, 5.0, 0.0];
        let dataset = Dataset::new(DatasetParts {
            name: "test".into(),
            source: None,
            matrix: CsrMatrix::from_dense(4, 4, &dense),
            matrix_kind: MatrixKind::Counts,
            genes: ["A", "B", "C", "D"].map(Gene::named).to_vec(),
            cells: strings(&["1", "2", "3", "4"]),
            perturbations: Vec::new(),
            roles: vec![CellRole::Control; 4],
            kind: PerturbationKind::KnockOut,
            batch: None,
            cell_type: None,
            import: ImportReport::default(),
            warnings: Vec::new(),
        })
        .unwrap();
        let scores = correlation(&dataset, &[0, 1, 2], &strings(&["D", "B", "A", "unmeasured"]));
        assert_eq!(scores.regulators, ["D", "B", "A"]);
        let log = |values: [f64; 3]| values.map(|value: f64| (100.0 * value).ln_1p() as f32);
        let (a, b) = (log([10.0, 20.0, 30.0]), log([50.0, 40.0, 30.0]));
        let mean = |v: [f32; 3]| v.iter().sum::<f32>() / 3.0;
        let sum = |v: [f32; 3], w: [f32; 3]| (0..3).map(|i| (v[i] - mean(v)) * (w[i] - mean(w))).sum::<f32>();
        let expected = (sum(a, b) / (sum(a, a) * sum(b, b)).sqrt()).abs();
        assert!((scores.get("A", "B").unwrap() - expected).abs() < 1e-5);
        assert_eq!(scores.get("A", "D"), None, "a gene without variation has no correlation");
        assert_eq!(scores.ranked().len(), 2);
    }
}
