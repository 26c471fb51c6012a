//! Predicted against observed expression shifts: the average treatment effect (ATE) metrics of SAMS-VAE, CRADLE-VAE and
//! GPO-VAE, and the per-perturbation ones of the later benchmarks.
//!
//! Rows are matched by the name of the perturbation, columns by gene; what only one table has is left out and shows in
//! [`EffectMetrics::perturbations`]. "Flattened" means: the pairs of all perturbations in one list.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::bootstrap::{Part, Sums};
use super::{pearson, r_squared};
use crate::data::EffectTable;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectOptions {
    /// Leave the perturbed genes out of their own perturbation's row: they are what was done, not what followed. The
    /// published implementations keep them.
    pub leave_out_targets: bool,
}

impl Default for EffectOptions {
    fn default() -> Self {
        Self { leave_out_targets: true }
    }
}

/// The fit of one perturbation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerturbationFit {
    /// Its name.
    pub perturbation: String,
    /// Cells behind the observed shifts.
    pub cells: u32,
    /// Genes compared.
    pub genes: usize,
    /// Pearson's r over genes (Pearson-Δ).
    pub pearson: Option<f64>,
    /// R² over genes.
    pub r_squared: Option<f64>,
    /// Mean over genes of |predicted − observed|, log2 units.
    pub mean_absolute_error: f64,
    /// Pearson's r over the 20 genes with the largest observed |shift|.
    pub pearson_top_20: Option<f64>,
    /// R² over the same 20 genes.
    pub r_squared_top_20: Option<f64>,
    /// Share of those 20 genes whose predicted shift has the observed direction.
    pub direction_top_20: f64,
    /// Jaccard index of the two sets of 20 genes with the largest |shift|.
    pub jaccard_20: f64,
    /// The same with 50 genes.
    pub jaccard_50: f64,
}

/// The fit of all perturbations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EffectMetrics {
    /// Perturbations that both tables have.
    pub perturbations: usize,
    /// Genes that both tables have.
    pub genes: usize,
    /// ATE r: Pearson's r over all genes, flattened.
    pub pearson: Option<f64>,
    /// ATE R²: over all genes, flattened.
    pub r_squared: Option<f64>,
    /// Pearson's r over each perturbation's 20 genes with the largest observed |shift|, flattened.
    pub pearson_top_20: Option<f64>,
    /// R² over the same.
    pub r_squared_top_20: Option<f64>,
    /// Mean Jaccard index of the sets of 20 genes with the largest predicted and observed |shift|.
    pub jaccard_20: Option<f64>,
    /// The same with 50 genes.
    pub jaccard_50: Option<f64>,
    /// Pearson-Δ: mean of the perturbations' own r, over those where it is defined.
    pub mean_pearson: Option<f64>,
    /// Mean absolute error over all genes and perturbations, log2 units.
    pub mean_absolute_error: Option<f64>,
    /// Mean squared error over all genes and perturbations.
    pub mean_squared_error: Option<f64>,
    /// Mean share of the top 20 genes whose direction is right.
    pub direction_top_20: Option<f64>,
}

/// How well a prediction fits: all together and each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// All perturbations together.
    pub overall: EffectMetrics,
    /// Each perturbation that both tables have, in the observed table's order.
    pub per_perturbation: Vec<PerturbationFit>,
    /// What each of them adds to the metrics of all.
    pub parts: Vec<Part>,
}

/// Compare `predicted` with `observed`.
///
/// The order of equal |shift|s is that of the observed table's genes. An empty intersection gives metrics of `None`.
pub fn compare(predicted: &EffectTable, observed: &EffectTable, options: EffectOptions) -> Comparison {
    let columns = shared_columns(predicted, observed);
    let mut flat = Pairs::default();
    let mut flat_top = Pairs::default();
    let (mut fits, mut parts) = (Vec::new(), Vec::new());
    for (row, name) in observed.perturbations.iter().enumerate() {
        let Some(predicted_row) = predicted.find(name) else { continue };
        let targets: Vec<&str> = if options.leave_out_targets { name.split('+').collect() } else { Vec::new() };
        let mut pairs = Pairs::default();
        for &(from, to) in &columns {
            if !targets.contains(&observed.genes[to].as_str()) {
                pairs.push(predicted.row(predicted_row)[from], observed.row(row)[to]);
            }
        }
        let order = Order { predicted: by_size(&pairs.predicted), observed: by_size(&pairs.observed) };
        let top = pairs.select(&order.observed[..order.observed.len().min(20)]);
        let jaccard_20 = order.jaccard(20);
        parts.push(Part { all: pairs.sums(), top: top.sums(), jaccard_20, pearson: pairs.pearson() });
        fits.push(PerturbationFit {
            perturbation: name.clone(),
            cells: observed.cells.get(row).copied().unwrap_or(0),
            genes: pairs.len(),
            pearson: pairs.pearson(),
            r_squared: pairs.r_squared(),
            mean_absolute_error: pairs.mean(|difference| difference.abs()).unwrap_or(0.0),
            pearson_top_20: top.pearson(),
            r_squared_top_20: top.r_squared(),
            direction_top_20: top.right_direction(),
            jaccard_20,
            jaccard_50: order.jaccard(50),
        });
        flat.extend(&pairs);
        flat_top.extend(&top);
    }
    let overall = EffectMetrics {
        perturbations: fits.len(),
        genes: columns.len(),
        pearson: flat.pearson(),
        r_squared: flat.r_squared(),
        pearson_top_20: flat_top.pearson(),
        r_squared_top_20: flat_top.r_squared(),
        jaccard_20: mean(fits.iter().map(|fit| fit.jaccard_20)),
        jaccard_50: mean(fits.iter().map(|fit| fit.jaccard_50)),
        mean_pearson: mean(fits.iter().filter_map(|fit| fit.pearson)),
        mean_absolute_error: flat.mean(f64::abs),
        mean_squared_error: flat.mean(|difference| difference * difference),
        direction_top_20: mean(fits.iter().map(|fit| fit.direction_top_20)),
    };
    Comparison { overall, per_perturbation: fits, parts }
}

/// (column in `predicted`, column in `observed`) of each gene that both have, in the observed order.
fn shared_columns(predicted: &EffectTable, observed: &EffectTable) -> Vec<(usize, usize)> {
    if predicted.genes == observed.genes {
        return (0..observed.genes.len()).map(|column| (column, column)).collect();
    }
    let at: HashMap<&str, usize> =
        predicted.genes.iter().enumerate().map(|(column, gene)| (gene.as_str(), column)).collect();
    let columns = observed.genes.iter().enumerate();
    columns.filter_map(|(to, gene)| at.get(gene.as_str()).map(|&from| (from, to))).collect()
}

/// Predicted and observed shifts of the same genes.
#[derive(Default)]
struct Pairs {
    predicted: Vec<f32>,
    observed: Vec<f32>,
}

impl Pairs {
    fn len(&self) -> usize {
        self.observed.len()
    }

    fn push(&mut self, predicted: f32, observed: f32) {
        self.predicted.push(predicted);
        self.observed.push(observed);
    }

    fn extend(&mut self, other: &Self) {
        self.predicted.extend_from_slice(&other.predicted);
        self.observed.extend_from_slice(&other.observed);
    }

    fn select(&self, positions: &[u32]) -> Self {
        let take = |from: &[f32]| positions.iter().map(|&at| from[at as usize]).collect();
        Self { predicted: take(&self.predicted), observed: take(&self.observed) }
    }

    fn sums(&self) -> Sums {
        Sums::of(self.predicted.iter().zip(&self.observed))
    }

    fn pearson(&self) -> Option<f64> {
        pearson(&self.predicted, &self.observed)
    }

    fn r_squared(&self) -> Option<f64> {
        r_squared(&self.predicted, &self.observed)
    }

    /// Mean over pairs of a function of predicted − observed.
    fn mean(&self, of: impl Fn(f64) -> f64) -> Option<f64> {
        mean(self.predicted.iter().zip(&self.observed).map(|(&p, &o)| of(f64::from(p) - f64::from(o))))
    }

    /// Share of pairs of equal sign; a predicted shift of zero has no direction and is wrong.
    fn right_direction(&self) -> f64 {
        mean(self.predicted.iter().zip(&self.observed).map(|(p, o)| f64::from(u8::from(p * o > 0.0)))).unwrap_or(0.0)
    }
}

/// Positions sorted by falling |shift|; ties in the order given.
fn by_size(shifts: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..shifts.len() as u32).collect();
    order.sort_by(|&a, &b| shifts[b as usize].abs().total_cmp(&shifts[a as usize].abs()));
    order
}

struct Order {
    predicted: Vec<u32>,
    observed: Vec<u32>,
}

impl Order {
    /// |A ∩ B| / |A ∪ B| of the first `size` of both orders; 0 where there is nothing.
    fn jaccard(&self, size: usize) -> f64 {
        let size = size.min(self.observed.len());
        let mut a = self.predicted[..size].to_vec();
        a.sort_unstable();
        let common = self.observed[..size].iter().filter(|at| a.binary_search(at).is_ok()).count();
        if size == 0 { 0.0 } else { common as f64 / (2 * size - common) as f64 }
    }
}

fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.into_iter().fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(perturbations: &[&str], genes: &[&str], shifts: &[f32]) -> EffectTable {
        EffectTable {
            perturbations: perturbations.iter().map(|name| (*name).to_owned()).collect(),
            genes: genes.iter().map(|name| (*name).to_owned()).collect(),
            cells: vec![7; perturbations.len()],
            shifts: shifts.to_vec(),
        }
    }

    #[test]
    fn rows_and_columns_are_matched_by_name() {
        let observed = table(&["A", "B"], &["X", "Y", "Z"], &[1.0, 2.0, 4.0, -1.0, 0.0, 1.0]);
        let predicted = table(&["C", "A"], &["Z", "W", "X", "Y"], &[9.0, 9.0, 9.0, 9.0, 4.0, 9.0, 1.0, 2.0]);
        let Comparison { overall: metrics, per_perturbation, .. } =
            compare(&predicted, &observed, EffectOptions::default());
        assert_eq!((metrics.perturbations, metrics.genes), (1, 3));
        assert_eq!(metrics.r_squared, Some(1.0));
        assert_eq!(metrics.mean_absolute_error, Some(0.0));
        assert_eq!(per_perturbation[0].perturbation, "A");
        assert_eq!(per_perturbation[0].cells, 7);
    }

    #[test]
    fn the_perturbed_genes_are_left_out_of_their_own_row_only() {
        let genes = ["A", "B", "C", "D"];
        let observed = table(&["A+B", "C"], &genes, &[-5.0, -5.0, 1.0, 2.0, 1.0, 2.0, -5.0, 4.0]);
        let predicted = table(&["A+B", "C"], &genes, &[9.0, 9.0, 1.0, 2.0, 1.0, 2.0, 9.0, 4.0]);
        let without = compare(&predicted, &observed, EffectOptions::default());
        assert_eq!(without.overall.r_squared, Some(1.0));
        assert_eq!(without.per_perturbation.iter().map(|fit| fit.genes).collect::<Vec<_>>(), [2, 3]);
        let with = compare(&predicted, &observed, EffectOptions { leave_out_targets: false });
        assert!(with.overall.r_squared.unwrap() < 0.0);
    }

    #[test]
    fn a_prediction_of_no_change_has_no_correlation_but_errors() {
        let observed = table(&["A"], &["X", "Y"], &[1.0, -1.0]);
        let nothing = table(&["A"], &["X", "Y"], &[0.0, 0.0]);
        let metrics = compare(&nothing, &observed, EffectOptions::default()).overall;
        assert_eq!(metrics.pearson, None);
        assert_eq!(metrics.r_squared, Some(0.0));
        assert_eq!(metrics.mean_absolute_error, Some(1.0));
        assert_eq!(metrics.direction_top_20, Some(0.0));
        let strangers = compare(&table(&["Q"], &["X", "Y"], &[0.0, 0.0]), &observed, EffectOptions::default()).overall;
        assert_eq!((strangers.perturbations, strangers.pearson, strangers.jaccard_20), (0, None, None));
    }

    #[test]
    fn jaccard_counts_the_shared_part_of_the_largest_shifts() {
        // 60 genes: the 20 largest observed are 0..20, the 20 largest predicted 10..30, so 10 of 30 are shared.
        let genes: Vec<String> = (0..60).map(|gene| format!("G{gene}")).collect();
        let genes: Vec<&str> = genes.iter().map(String::as_str).collect();
        let observed: Vec<f32> = (0..60).map(|gene| 60.0 - gene as f32).collect();
        let predicted: Vec<f32> = (0..60).map(|gene| if (10..30).contains(&gene) { -9.0 } else { 0.1 }).collect();
        let metrics =
            compare(&table(&["P"], &genes, &predicted), &table(&["P"], &genes, &observed), EffectOptions::default());
        assert!((metrics.overall.jaccard_20.unwrap() - 10.0 / 30.0).abs() < 1e-12);
    }
}
