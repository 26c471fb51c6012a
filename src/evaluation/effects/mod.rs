//! Predicted against observed expression shifts: the average treatment effect (ATE) metrics of SAMS-VAE, CRADLE-VAE and
//! GPO-VAE, and the per-perturbation ones of the later benchmarks.
//!
//! Rows are matched by the name of the perturbation, columns by gene; what only one table has is left out and shows in
//! [`EffectMetrics::perturbations`]. "Flattened" means: the pairs of all perturbations in one list. [`METRICS`] lists all
//! metrics; some need more than the two tables, see [`Beside`].

mod discrimination;
mod evidence;
mod metrics;
mod pairs;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::bootstrap::Part;
use crate::data::EffectTable;
use discrimination::Discrimination;
use pairs::{Order, Pairs, by_size, mean};

pub use evidence::{Evidence, SIGNIFICANT};
pub(super) use metrics::{COUNT, Pooled};
pub use metrics::{METRICS, Metric};

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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// Mean over genes of (predicted − observed)².
    #[serde(default)]
    pub mean_squared_error: f64,
    /// What more can be told where more is known.
    #[serde(flatten)]
    pub further: FurtherMetrics,
}

/// Metrics that need more than predicted and observed shifts, of one perturbation or, as means over perturbations, of all; none where
/// that is not at hand or they are not defined.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FurtherMetrics {
    /// Pearson's r of what is left of the shifts once the mean shift over all training perturbations is taken away (Systema).
    pub pearson_beyond_mean: Option<f64>,
    /// Pearson's r over the 20 genes with the largest |score| of the Wilcoxon test.
    pub pearson_top_20_de: Option<f64>,
    /// Mean squared error over the same genes.
    pub mse_top_20_de: Option<f64>,
    /// Share of the same genes whose predicted shift has the observed direction.
    pub direction_top_20_de: Option<f64>,
    /// Of the k genes that respond significantly the share among the k largest predicted |shift|s.
    pub de_overlap: Option<f64>,
    /// Mean squared error, each gene weighted by how much it tells the perturbation from all other cells.
    pub weighted_mse: Option<f64>,
    /// Euclidean distance over the 1,000 genes with the highest mean in control cells, log2 units.
    pub l2_top_1000: Option<f64>,
    /// 1 where the own truth is the nearest of all to the prediction, 0 where it is the farthest.
    pub discrimination: Option<f64>,
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
    /// Means over perturbations of what more can be told.
    #[serde(flatten)]
    pub further: FurtherMetrics,
}

/// What is known beside the two tables.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// Mean shift over all training perturbations, one per gene of the observed table.
    pub training_mean: Option<&'a [f32]>,
    /// Of the cells behind the observed table.
    pub evidence: Option<&'a Evidence>,
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
    compare_with(predicted, observed, options, Beside::default())
}

/// [`compare`] with all that is known `beside` the two tables.
pub fn compare_with(
    predicted: &EffectTable,
    observed: &EffectTable,
    options: EffectOptions,
    beside: Beside<'_>,
) -> Comparison {
    let columns = shared_columns(predicted, observed);
    let discrimination = Discrimination::new(predicted, observed, &columns);
    let genes = observed.genes.len();
    let (mut flat, mut flat_top) = (Pairs::default(), Pairs::default());
    let (mut fits, mut parts) = (Vec::new(), Vec::new());
    for (row, name) in observed.perturbations.iter().enumerate() {
        let Some(predicted_row) = predicted.find(name) else { continue };
        let targets: Vec<&str> = if options.leave_out_targets { name.split('+').collect() } else { Vec::new() };
        let mut pairs = Pairs::default();
        // Columns of the observed table.
        let mut kept = Vec::with_capacity(columns.len());
        for &(from, to) in &columns {
            if !targets.contains(&observed.genes[to].as_str()) {
                pairs.push(predicted.row(predicted_row)[from], observed.row(row)[to]);
                kept.push(to);
            }
        }
        let order = Order { predicted: by_size(&pairs.predicted), observed: by_size(&pairs.observed) };
        let top = pairs.select(order.first_observed(TOP));
        let mut further = FurtherMetrics {
            pearson_beyond_mean: beside.training_mean.and_then(|mean| pairs.less(mean, &kept).pearson()),
            discrimination: discrimination.of(row),
            ..FurtherMetrics::default()
        };
        if let Some(evidence) = beside.evidence {
            let own = |all: &[f32]| -> Vec<f32> { kept.iter().map(|&to| all[row * genes + to]).collect() };
            let by_score = by_size(&own(&evidence.scores));
            let top = pairs.select(&by_score[..by_score.len().min(TOP)]);
            let responding = kept.iter().filter(|&&to| evidence.significant[row * genes + to]).count();
            let high = by_size(&kept.iter().map(|&to| evidence.control_mean[to]).collect::<Vec<_>>());
            let high = pairs.select(&high[..high.len().min(HIGH)]);
            further.pearson_top_20_de = top.pearson();
            further.mse_top_20_de = top.mean(square);
            further.direction_top_20_de = (top.len() > 0).then(|| top.right_direction());
            further.de_overlap = (responding > 0).then(|| {
                Order { predicted: order.predicted.clone(), observed: by_score }.shared(responding) as f64
                    / responding as f64
            });
            further.weighted_mse = pairs.weighted_mse(&own(&evidence.against_others));
            further.l2_top_1000 = high.mean(square).map(|mean| (mean * high.len() as f64).sqrt());
        }
        let fit = PerturbationFit {
            perturbation: name.clone(),
            cells: observed.cells.get(row).copied().unwrap_or(0),
            genes: pairs.len(),
            pearson: pairs.pearson(),
            r_squared: pairs.r_squared(),
            mean_absolute_error: pairs.mean(f64::abs).unwrap_or(0.0),
            pearson_top_20: top.pearson(),
            r_squared_top_20: top.r_squared(),
            direction_top_20: top.right_direction(),
            jaccard_20: order.jaccard(TOP),
            jaccard_50: order.jaccard(50),
            mean_squared_error: pairs.mean(square).unwrap_or(0.0),
            further,
        };
        parts.push(Part { all: pairs.sums(), top: top.sums(), each: metrics::each(&fit) });
        fits.push(fit);
        flat.extend(&pairs);
        flat_top.extend(&top);
    }
    let means = |of: fn(&PerturbationFit) -> Option<f64>| mean(fits.iter().filter_map(of));
    let overall = EffectMetrics {
        perturbations: fits.len(),
        genes: columns.len(),
        pearson: flat.pearson(),
        r_squared: flat.r_squared(),
        pearson_top_20: flat_top.pearson(),
        r_squared_top_20: flat_top.r_squared(),
        jaccard_20: means(|fit| Some(fit.jaccard_20)),
        jaccard_50: means(|fit| Some(fit.jaccard_50)),
        mean_pearson: means(|fit| fit.pearson),
        mean_absolute_error: flat.mean(f64::abs),
        mean_squared_error: flat.mean(square),
        direction_top_20: means(|fit| Some(fit.direction_top_20)),
        further: FurtherMetrics::mean(fits.iter().map(|fit| &fit.further)),
    };
    Comparison { overall, per_perturbation: fits, parts }
}

/// Genes of the metrics "top 20".
const TOP: usize = 20;
/// Genes of the distance over those expressed most.
const HIGH: usize = 1000;

fn square(value: f64) -> f64 {
    value * value
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

    /// Two perturbations of genes that are not measured, with what cells would tell of them.
    fn known() -> (EffectTable, Evidence) {
        let genes: Vec<String> = (0..24).map(|gene| format!("G{gene}")).collect();
        let shift = |at: usize| if at < 24 { at as f32 - 12.0 } else { 0.1 * (at as f32 - 24.0) };
        let observed = EffectTable {
            perturbations: vec!["P".into(), "Q".into()],
            genes,
            cells: vec![9, 9],
            shifts: (0..48).map(shift).collect(),
        };
        let evidence = Evidence {
            control_mean: (0..24).map(|gene| gene as f32).collect(),
            // The order of genes by score is the reverse of that by shift.
            scores: (0..48).map(|at| if at < 24 { 13.0 - (at as f32 - 12.0).abs() } else { 1.0 }).collect(),
            significant: (0..48).map(|at| (8..16).contains(&at)).collect(),
            against_others: (0..48).map(|at| if at == 3 { 2.0 } else { 0.0 }).collect(),
        };
        (observed, evidence)
    }

    #[test]
    fn genes_of_the_test_are_those_that_respond_most_surely() {
        let (observed, evidence) = known();
        let mut predicted = observed.clone();
        predicted.shifts[3] += 0.5;
        let beside = Beside { evidence: Some(&evidence), training_mean: None };
        let found = compare_with(&predicted, &observed, EffectOptions::default(), beside);
        let first = &found.per_perturbation[0].further;
        // Of 24 genes the 20 surest leave out 0, 1, 22 and 23: the error at gene 3 is among them.
        assert_eq!(first.mse_top_20_de, Some(0.25 / 20.0));
        // The weight is all on that gene.
        assert_eq!(first.weighted_mse, Some(0.25));
        assert_eq!(first.l2_top_1000, Some(0.5), "fewer genes than 1,000: over all");
        // The eight genes that respond are those with the smallest shifts, which are predicted last.
        assert_eq!(first.de_overlap, Some(0.0));
        assert_eq!(found.per_perturbation[1].further.de_overlap, None, "nothing responds");
        assert_eq!(found.overall.further.de_overlap, Some(0.0));
        assert_eq!(found.per_perturbation[1].further.weighted_mse, None);
        assert_eq!(first.pearson_beyond_mean, None, "no training mean given");
    }

    #[test]
    fn the_shift_common_to_all_explains_nothing_beyond_itself() {
        let (observed, _) = known();
        let common: Vec<f32> = (0..24).map(|gene| (gene as f32).sin()).collect();
        let shift = |table: &EffectTable| {
            let mut shifted = table.clone();
            shifted.shifts.iter_mut().enumerate().for_each(|(at, shift)| *shift += 10.0 * common[at % 24]);
            shifted
        };
        let scaled: Vec<f32> = common.iter().map(|mean| 10.0 * mean).collect();
        let beside = Beside { training_mean: Some(&scaled), evidence: None };
        let mut mean = observed.clone();
        mean.shifts = [scaled.clone(), scaled.clone()].concat();
        let found = compare_with(&mean, &shift(&observed), EffectOptions::default(), beside).overall;
        assert!(found.mean_pearson.unwrap() > 0.5, "the common shift looks like a good prediction");
        assert_eq!(found.further.pearson_beyond_mean, None, "it tells no perturbation from another");
        let right = compare_with(&shift(&observed), &shift(&observed), EffectOptions::default(), beside).overall;
        assert!((right.further.pearson_beyond_mean.unwrap() - 1.0).abs() < 1e-6);
    }
}
