//! Whether the intervals around predicted shifts hold what they promise.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, Normal};

use crate::data::EffectTable;

/// Levels of the intervals that are judged.
pub const LEVELS: [f64; 4] = [0.5, 0.8, 0.9, 0.95];
/// Genes of a perturbation with the largest observed |shift|.
const TOP: usize = 20;

/// How often intervals of one level hold the observed shift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CoveragePoint {
    /// What is promised, 0 to 1.
    pub level: f64,
    /// Share of observed shifts within the ensemble's interval alone. It cannot reach the level where the measurement itself is
    /// noisy.
    pub coverage: f64,
    /// Share within the interval widened by the standard error of the observed shift: calibrated where this is the level.
    pub coverage_with_noise: f64,
    /// The latter over each perturbation's 20 genes with the largest observed |shift|.
    pub coverage_top_20: f64,
    /// Mean half width of the ensemble's interval (log2).
    pub half_width: f64,
}

/// The calibration of an ensemble's intervals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Which perturbations, in words.
    pub judged_on: String,
    /// Number of members.
    pub members: usize,
    /// Perturbations judged.
    pub perturbations: usize,
    /// Shifts judged: perturbations × genes, the perturbed genes left out.
    pub shifts: usize,
    /// By level.
    pub points: Vec<CoveragePoint>,
    /// Root of the mean squared distance of observed and predicted shift in units of its expected size, the root of the summed
    /// squares of spread and standard error: 1 where the spread is right, above where it is too small.
    pub standardised_error: f64,
}

/// One predicted shift with what is known of its error.
#[derive(Clone, Copy, Debug)]
struct Judged {
    /// |observed − predicted|.
    distance: f64,
    /// Standard deviation over the members.
    spread: f64,
    /// Standard error of the observed shift.
    error: f64,
    top: bool,
}

/// Hold the intervals of an ensemble of `members` against `observed` shifts with the standard errors `errors` (same shape as its
/// shifts). `spread_of` gives predicted shifts and their standard deviations over the members by perturbation, in the order of the
/// observed genes; `factor` by how many of them an interval of a level reaches. The perturbed genes are left out. None if nothing
/// can be judged.
pub fn calibration(
    observed: &EffectTable,
    errors: &[f32],
    members: usize,
    factor: impl Fn(f64) -> f64,
    spread_of: impl Fn(&str) -> Option<(Vec<f32>, Vec<f32>)>,
) -> Option<Calibration> {
    let genes = observed.genes.len();
    let mut judged = Vec::new();
    let mut perturbations = 0;
    for (row, name) in observed.perturbations.iter().enumerate() {
        let Some((predicted, spread)) = spread_of(name) else { continue };
        let shifts = observed.row(row);
        let mut others: Vec<usize> =
            (0..genes).filter(|gene| !name.split('+').any(|target| target == observed.genes[*gene])).collect();
        others.sort_by(|&a, &b| shifts[b].abs().total_cmp(&shifts[a].abs()).then(a.cmp(&b)));
        perturbations += 1;
        judged.extend(others.into_iter().enumerate().map(|(place, gene)| Judged {
            distance: f64::from((shifts[gene] - predicted[gene]).abs()),
            spread: f64::from(spread[gene]),
            error: f64::from(errors[row * genes + gene]),
            top: place < TOP,
        }));
    }
    // Without spread and error nothing was claimed.
    judged.retain(|one| one.distance.is_finite() && one.spread.hypot(one.error) > 0.0);
    if judged.is_empty() {
        return None;
    }
    let normal = Normal::standard();
    let share = |of: &dyn Fn(&Judged) -> bool, holds: &dyn Fn(&Judged) -> bool| {
        let (mut all, mut held) = (0usize, 0usize);
        for one in judged.iter().filter(|one| of(one)) {
            all += 1;
            held += usize::from(holds(one));
        }
        held as f64 / all.max(1) as f64
    };
    let point = |level: f64| {
        let reach = factor(level);
        let noise = normal.inverse_cdf(0.5 + level / 2.0);
        let widened = |one: &Judged| one.distance <= (reach * one.spread).hypot(noise * one.error);
        CoveragePoint {
            level,
            coverage: share(&|_| true, &|one| one.distance <= reach * one.spread),
            coverage_with_noise: share(&|_| true, &widened),
            coverage_top_20: share(&|one| one.top, &widened),
            half_width: reach * judged.iter().map(|one| one.spread).sum::<f64>() / judged.len() as f64,
        }
    };
    let squares = judged.iter().map(|one| one.distance.powi(2) / (one.spread.powi(2) + one.error.powi(2)));
    Some(Calibration {
        judged_on: String::new(),
        members,
        perturbations,
        shifts: judged.len(),
        points: LEVELS.map(point).to_vec(),
        standardised_error: (squares.sum::<f64>() / judged.len() as f64).sqrt(),
    })
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution as _, StandardNormal};

    use super::*;

    /// Observed shifts around a truth that `members` predictions miss by `spread` and the measurement by `error`; the members
    /// claim `claimed` times their spread.
    fn judged(spread: f32, error: f32, claimed: f32) -> Calibration {
        let mut random = crate::random::stream(5, "calibration test");
        let (perturbations, genes, members) = (40, 200, 2000);
        let mut normal = || -> f32 { StandardNormal.sample(&mut random) };
        let truth: Vec<f32> = (0..perturbations * genes).map(|_| 0.3 * normal()).collect();
        let predicted: Vec<f32> = truth.iter().map(|truth| truth + spread * normal()).collect();
        let observed: Vec<f32> = truth.iter().map(|truth| truth + error * normal()).collect();
        let names: Vec<String> = (0..perturbations).map(|at| format!("P{at}")).collect();
        let table = EffectTable {
            perturbations: names.clone(),
            genes: (0..genes).map(|at| format!("G{at}")).collect(),
            cells: vec![10; perturbations],
            shifts: observed,
        };
        let errors = vec![error; perturbations * genes];
        let found = calibration(
            &table,
            &errors,
            members,
            |level| Normal::standard().inverse_cdf(0.5 + level / 2.0),
            |name| {
                let row = names.iter().position(|known| known == name)?;
                let range = row * genes..(row + 1) * genes;
                Some((predicted[range].to_vec(), vec![claimed * spread; genes]))
            },
        );
        found.unwrap()
    }

    #[test]
    fn right_intervals_are_found_right_and_narrow_ones_narrow() {
        let right = judged(0.1, 0.15, 1.0);
        assert_eq!((right.perturbations, right.shifts), (40, 8000));
        assert!((right.standardised_error - 1.0).abs() < 0.03, "{right:?}");
        for point in &right.points {
            assert!((point.coverage_with_noise - point.level).abs() < 0.02, "{point:?}");
            assert!(point.coverage < point.level - 0.1, "noise of the measurement is not in the ensemble: {point:?}");
        }
        let exact = judged(0.1, 0.0, 1.0);
        assert!(exact.points.iter().all(|point| point.coverage == point.coverage_with_noise));
        assert!(exact.points.iter().all(|point| (point.coverage - point.level).abs() < 0.02));
        let narrow = judged(0.1, 0.02, 0.3);
        assert!(narrow.standardised_error > 2.0);
        assert!(narrow.points.iter().all(|point| point.coverage_with_noise < point.level - 0.1), "{narrow:?}");
    }

    #[test]
    fn perturbed_genes_are_left_out_and_nothing_gives_nothing() {
        let table = EffectTable {
            perturbations: vec!["A+B".into(), "C".into()],
            genes: vec!["A".into(), "B".into(), "C".into()],
            cells: vec![9, 9],
            shifts: vec![-5.0, -5.0, 0.1, 0.0, 0.2, -4.0],
        };
        let found = calibration(&table, &[0.1; 6], 3, |_| 1.0, |_| Some((vec![0.0; 3], vec![0.3; 3]))).unwrap();
        assert_eq!((found.perturbations, found.shifts, found.points[0].coverage), (2, 3, 1.0));
        assert_eq!(calibration(&table, &[0.1; 6], 3, |_| 1.0, |_| None), None);
    }
}
