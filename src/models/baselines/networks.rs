//! Baselines that score edges.

mod knock_out;
mod panel;
mod random_order;
mod ridge;
mod trees;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::{EffectTable, PerturbationKind};
use crate::jobs::{Cancelled, Progress};
use crate::network::Sign;

pub use knock_out::{FEWEST_KNOCK_OUTS, knock_out_score};
pub use panel::Panel;
pub use random_order::random_order;
pub use ridge::ridge;
pub use trees::trees;

/// Which baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkBaseline {
    /// |Δ| of the target under perturbation of the regulator.
    MeanDifference,
    /// Distance of the target from its median over all perturbations, in standard deviations.
    KnockOutScore,
    /// |r| of the two genes over cells.
    Correlation,
    /// Coefficients of a ridge regression over perturbation means.
    Ridge,
    /// Importances of boosted trees.
    Trees,
    /// No information.
    RandomOrder,
}

impl NetworkBaseline {
    /// All of them, in the order shown.
    pub const ALL: [Self; 6] =
        [Self::MeanDifference, Self::KnockOutScore, Self::Correlation, Self::Ridge, Self::Trees, Self::RandomOrder];

    /// For people: `Mean difference`.
    pub fn label(self) -> &'static str {
        match self {
            Self::MeanDifference => "Mean difference",
            Self::KnockOutScore => "Knock-out z-score",
            Self::Correlation => "Correlation",
            Self::Ridge => "Ridge regression",
            Self::Trees => "Boosted trees",
            Self::RandomOrder => "Random order",
        }
    }

    /// For names of files: `mean_difference`.
    pub fn file_stem(self) -> &'static str {
        match self {
            Self::MeanDifference => "mean_difference",
            Self::KnockOutScore => "knock_out_z_score",
            Self::Correlation => "correlation",
            Self::Ridge => "ridge",
            Self::Trees => "boosted_trees",
            Self::RandomOrder => "random_order",
        }
    }

    /// What the score is.
    pub fn definition(self) -> &'static str {
        match self {
            Self::MeanDifference => {
                "Absolute mean shift of the target under perturbation of the regulator (CausalBench); its sign gives that of the edge"
            }
            Self::KnockOutScore => {
                "|x − median| / sd of the target's mean under perturbation of the regulator; median and standard deviation over all single perturbations (Pinna 2010, with the median)"
            }
            Self::Correlation => "Absolute Pearson correlation of the two genes over cells; has no direction",
            Self::Ridge => {
                "|β|·rms(regulator)/rms(target) of a ridge regression of the target's shifts on those of all other genes over perturbations, its own left out, through the origin; penalty per target by generalised cross-validation (Golub 1979)"
            }
            Self::Trees => {
                "Importance of the regulator in stochastic gradient boosting of the target on all other genes over cells, in the style of GRNBoost2 (Moerman 2019): depth 3, learning rate 0.01, 10 % of the genes per split, 90 % of the cells per tree, early stopping on the others; summed decrease of the squared error, normalised per target, times the number of trees"
            }
            Self::RandomOrder => "A random order of the same pairs",
        }
    }
}

/// A score for each regulator and target; larger is better.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EdgeScores {
    /// Symbols, one per row.
    pub regulators: Vec<String>,
    /// Symbols, one per column.
    pub targets: Vec<String>,
    /// Regulators × targets, row-major; NaN where not defined, as for a gene and itself.
    pub scores: Vec<f32>,
    /// Above 0 where the regulator activates, below where it represses, as the scores; empty where the method does not tell.
    pub signs: Vec<f32>,
}

impl EdgeScores {
    /// No scores yet, and no signs, for the perturbations `rows` of `effects` and those of `targets` that are measured.
    fn empty(effects: &EffectTable, rows: &[usize], targets: &[String]) -> Self {
        let targets = names(&columns(&effects.genes, targets), &effects.genes);
        let size = rows.len() * targets.len();
        let regulators = rows.iter().map(|&row| effects.perturbations[row].clone()).collect();
        Self { regulators, targets, scores: vec![f32::NAN; size], signs: vec![0.0; size] }
    }

    fn set(&mut self, place: usize, score: f32, sign: f32) {
        self.scores[place] = score;
        self.signs[place] = sign;
    }

    /// The score of `regulator` → `target`; none where it is not defined.
    pub fn get(&self, regulator: &str, target: &str) -> Option<f32> {
        let row = self.regulators.iter().position(|name| name == regulator)?;
        let column = self.targets.iter().position(|name| name == target)?;
        Some(self.scores[row * self.targets.len() + column]).filter(|score| !score.is_nan())
    }

    /// (regulator, target, score, sign) of all defined pairs, best first; ties by position.
    pub fn ranked(&self) -> Vec<(&str, &str, f32, Sign)> {
        let mut edges: Vec<(&str, &str, f32, Sign)> = Vec::new();
        let sign = |place: usize| match self.signs.get(place) {
            Some(sign) if *sign > 0.0 => Sign::Activates,
            Some(sign) if *sign < 0.0 => Sign::Represses,
            _ => Sign::Unknown,
        };
        let width = self.targets.len();
        for (row, regulator) in self.regulators.iter().enumerate() {
            for (column, target) in self.targets.iter().enumerate() {
                let place = row * width + column;
                let score = self.scores[place];
                if !score.is_nan() {
                    edges.push((regulator, target, score, sign(place)));
                }
            }
        }
        edges.sort_by(|a, b| b.2.total_cmp(&a.2));
        edges
    }
}

/// The rows of `effects` where one gene was perturbed alone.
fn singles(effects: &EffectTable) -> Vec<usize> {
    (0..effects.perturbations.len()).filter(|&row| !effects.perturbations[row].contains('+')).collect()
}

/// Absolute mean difference: rows are the genes that were perturbed alone, columns the `targets` that were measured.
pub fn mean_difference(effects: &EffectTable, targets: &[String], kind: PerturbationKind) -> EdgeScores {
    let rows = singles(effects);
    let columns = columns(&effects.genes, targets);
    let mut result = EdgeScores::empty(effects, &rows, targets);
    for (at, &row) in rows.iter().enumerate() {
        for (place, &column) in columns.iter().enumerate() {
            if effects.genes[column] != effects.perturbations[row] {
                let shift = effects.row(row)[column];
                result.set(at * columns.len() + place, shift.abs(), shift * kind.direction());
            }
        }
    }
    result
}

/// Absolute Pearson correlation of those of `regulators` that `panel` has with all its genes; genes without variation have no score.
/// O(regulators · genes · cells) time.
pub fn correlation(panel: Panel, regulators: &[String], progress: &dyn Progress) -> Result<EdgeScores, Cancelled> {
    // Standardised so that a dot product is a correlation.
    let panel = panel.standardised();
    let count = panel.genes.len();
    let product = |a: usize, b: usize| -> f32 {
        let product: f64 = panel.row(a).iter().zip(panel.row(b)).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        if a == b { f32::NAN } else { product.clamp(-1.0, 1.0) as f32 }
    };
    let row = |a: usize| {
        progress.check()?;
        Ok((0..count).map(|b| product(a, b)).collect::<Vec<f32>>())
    };
    let rows = columns(&panel.genes, regulators);
    let signs = rows.par_iter().map(|&at| row(at)).collect::<Result<Vec<_>, Cancelled>>()?.concat();
    let scores = signs.iter().map(|correlation| correlation.abs()).collect();
    Ok(EdgeScores { regulators: names(&rows, &panel.genes), targets: panel.genes, scores, signs })
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
    use crate::data::{CellRole, CsrMatrix, Dataset, DatasetParts, Gene, ImportReport, MatrixKind};
    use crate::jobs::Silent;

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
        let scores = mean_difference(&training, &strings(&["A", "C", "Q", "B"]), PerturbationKind::KnockOut);
        let best: Vec<_> = scores.ranked().into_iter().take(3).collect();
        let (up, down) = (Sign::Represses, Sign::Activates);
        assert_eq!(best, [("Q", "B", 3.0, down), ("A", "C", 1.0, down), ("A", "B", 0.5, up)]);
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
            guide: None,
            import: ImportReport::default(),
            warnings: Vec::new(),
        })
        .unwrap();
        let panel = Panel::of(&dataset, &[0, 1, 2], &strings(&["D", "B", "A", "unmeasured"]));
        let some = correlation(panel.clone(), &strings(&["A", "unmeasured"]), &Silent).unwrap();
        let scores = correlation(panel.clone(), &panel.genes, &Silent).unwrap();
        assert_eq!(scores.regulators, ["D", "B", "A"]);
        assert_eq!((some.regulators.as_slice(), some.targets.len()), (&strings(&["A"])[..], 3));
        assert_eq!(some.get("A", "B"), scores.get("A", "B"));
        let log = |values: [f64; 3]| values.map(|value: f64| (100.0 * value).ln_1p() as f32);
        let (a, b) = (log([10.0, 20.0, 30.0]), log([50.0, 40.0, 30.0]));
        let mean = |v: [f32; 3]| v.iter().sum::<f32>() / 3.0;
        let sum = |v: [f32; 3], w: [f32; 3]| (0..3).map(|i| (v[i] - mean(v)) * (w[i] - mean(w))).sum::<f32>();
        let expected = (sum(a, b) / (sum(a, a) * sum(b, b)).sqrt()).abs();
        assert!((scores.get("A", "B").unwrap() - expected).abs() < 1e-5);
        assert_eq!(scores.get("A", "D"), None, "a gene without variation has no correlation");
        assert_eq!(scores.ranked().len(), 2);
        assert_eq!(scores.ranked()[0].3, Sign::Represses, "one falls as the other rises");
    }
}
