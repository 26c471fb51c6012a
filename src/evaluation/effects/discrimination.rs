//! Is a prediction nearer to its own truth than to those of other perturbations (perturbation discrimination, Virtual Cell Challenge)?

use std::collections::HashSet;

use rayon::prelude::*;

use crate::data::EffectTable;

/// The scores of all perturbations that both tables have.
pub(super) struct Discrimination {
    /// By observed row; none where there is no prediction.
    scores: Vec<Option<f64>>,
}

impl Discrimination {
    /// Of `predicted` against all rows of `observed`, over the `columns` (predicted, observed) without those of any perturbed gene: a
    /// perturbed gene would give its perturbation away.
    pub fn new(predicted: &EffectTable, observed: &EffectTable, columns: &[(usize, usize)]) -> Self {
        let targets: HashSet<&str> = observed.perturbations.iter().flat_map(|name| name.split('+')).collect();
        let kept: Vec<(usize, usize)> =
            columns.iter().copied().filter(|&(_, to)| !targets.contains(observed.genes[to].as_str())).collect();
        let truths: Vec<Vec<f32>> = (0..observed.perturbations.len())
            .map(|row| unit(kept.iter().map(|&(_, to)| observed.row(row)[to]).collect()))
            .collect();
        let score = |(row, name): (usize, &String)| {
            let from = predicted.find(name)?;
            let own = unit(kept.iter().map(|&(from_column, _)| predicted.row(from)[from_column]).collect());
            share_farther(&truths, row, &own)
        };
        Self { scores: observed.perturbations.par_iter().enumerate().map(score).collect() }
    }

    /// Of an observed row.
    pub fn of(&self, row: usize) -> Option<f64> {
        self.scores[row]
    }
}

/// 1 − rank / (n − 1) of truth `own` among all n by cosine distance to `prediction`, counted from 0, ties at their mean rank. None with
/// fewer than two truths, or where one holds no number.
fn share_farther(truths: &[Vec<f32>], own: usize, prediction: &[f32]) -> Option<f64> {
    if truths.len() < 2 || prediction.is_empty() {
        return None;
    }
    // Both are of unit length: the nearer, the larger the product.
    let product = |truth: &Vec<f32>| -> f32 { truth.iter().zip(prediction).map(|(a, b)| a * b).sum() };
    let products: Vec<f32> = truths.iter().map(product).collect();
    if products.iter().any(|product| product.is_nan()) {
        return None;
    }
    let others = products.iter().enumerate().filter(|(at, _)| *at != own);
    let rank: f64 = others
        .map(|(_, other)| match other.total_cmp(&products[own]) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
        .sum();
    Some(1.0 - rank / (truths.len() - 1) as f64)
}

/// Scaled to unit length; all zeros, which have no direction, stay.
fn unit(mut values: Vec<f32>) -> Vec<f32> {
    let length = values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    if length > 0.0 {
        values.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &[&str], shifts: &[f32]) -> EffectTable {
        EffectTable {
            perturbations: names.iter().map(|name| (*name).to_owned()).collect(),
            genes: ["A", "X", "Y"].map(str::to_owned).to_vec(),
            cells: vec![1; names.len()],
            shifts: shifts.to_vec(),
        }
    }

    fn scores(predicted: &EffectTable, observed: &EffectTable) -> Vec<Option<f64>> {
        let columns: Vec<(usize, usize)> = (0..3).map(|column| (column, column)).collect();
        let found = Discrimination::new(predicted, observed, &columns);
        (0..observed.perturbations.len()).map(|row| found.of(row)).collect()
    }

    #[test]
    fn the_own_truth_is_looked_for_among_all_without_the_perturbed_genes() {
        let observed = table(&["A", "B", "C"], &[-9.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0]);
        assert_eq!(scores(&observed, &observed), [Some(1.0); 3]);
        // Right in the perturbed gene only, which does not count: nearest to C, then B, then A.
        let wrong = table(&["A"], &[-9.0, -1.0, 0.1]);
        assert_eq!(scores(&wrong, &observed), [Some(0.0), None, None]);
        let nothing = table(&["A", "B", "C"], &[0.0; 9]);
        assert_eq!(scores(&nothing, &observed), [Some(0.5); 3], "no change is as near to one as to another");
        let same = table(&["A", "B", "C"], &[0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
        let mean: f64 = scores(&same, &observed).into_iter().flatten().sum::<f64>() / 3.0;
        assert_eq!(mean, 0.5, "one answer to every question");
        assert_eq!(scores(&table(&["A"], &[0.0; 3]), &table(&["A"], &[0.0, 1.0, 0.0])), [None]);
    }
}
