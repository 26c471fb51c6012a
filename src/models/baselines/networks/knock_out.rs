//! The plain knock-out z-score: how far a gene lies from where it lies under the other knock-outs.

use super::{EdgeScores, singles};
use crate::data::{EffectTable, PerturbationKind, median};

/// Perturbations below which a standard deviation over them says little.
pub const FEWEST_KNOCK_OUTS: usize = 5;

/// |x_ij − median_j| / sd_j: x_ij the mean of gene j under perturbation of i, median and standard deviation over all single
/// perturbations, j's own among them. Genes that never vary have no score. A gene's control mean does not matter.
///
/// The z-score of Pinna et al. (2010, the winner of DREAM4) with the median in place of the mean: a few strong responses do not move it.
/// None with fewer than [`FEWEST_KNOCK_OUTS`].
pub fn knock_out_score(effects: &EffectTable, targets: &[String], kind: PerturbationKind) -> Option<EdgeScores> {
    let rows = singles(effects);
    if rows.len() < FEWEST_KNOCK_OUTS {
        return None;
    }
    let mut scores = EdgeScores::empty(effects, &rows, targets);
    let width = scores.targets.len();
    for (at, column) in super::columns(&effects.genes, targets).into_iter().enumerate() {
        let values: Vec<f64> = rows.iter().map(|&row| f64::from(effects.row(row)[column])).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        let Some(middle) = median(values.clone()).filter(|_| deviation > 0.0) else { continue };
        for (regulator, (&row, value)) in rows.iter().zip(values).enumerate() {
            if effects.perturbations[row] != effects.genes[column] {
                let z = (value - middle) / deviation;
                scores.set(regulator * width + at, z.abs() as f32, z as f32 * kind.direction());
            }
        }
    }
    Some(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Sign;

    #[test]
    fn scores_are_distances_from_the_median_in_standard_deviations() {
        let genes: Vec<String> = (0..5).map(|gene| format!("G{gene}")).collect();
        // Of gene 1 under knock-outs 0 to 4: 3, 0, 1, 1, 1.
        let mut shifts = vec![0.0f32; 25];
        [3.0, 0.0, 1.0, 1.0, 1.0].into_iter().enumerate().for_each(|(row, value)| shifts[row * 5 + 1] = value);
        let effects = EffectTable { perturbations: genes.clone(), genes: genes.clone(), cells: vec![1; 5], shifts };
        let scores = knock_out_score(&effects, &genes, PerturbationKind::KnockOut).unwrap();
        let deviation = ((9.0 + 3.0 - 5.0 * 1.2f64.powi(2)) / 5.0).sqrt();
        assert!((f64::from(scores.get("G0", "G1").unwrap()) - 2.0 / deviation).abs() < 1e-6);
        assert_eq!(scores.get("G2", "G1"), Some(0.0));
        assert_eq!((scores.get("G1", "G1"), scores.get("G0", "G2")), (None, None));
        let (_, _, _, sign) = scores.ranked()[0];
        assert_eq!(sign, Sign::Represses, "its loss raises the target");
        let few = EffectTable { perturbations: genes[..4].to_vec(), cells: vec![1; 4], ..effects };
        assert!(knock_out_score(&few, &genes, PerturbationKind::KnockOut).is_none());
    }
}
