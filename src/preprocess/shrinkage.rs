//! Shifts drawn towards 0 as far as their errors say.
//!
//! Adaptive shrinkage (Stephens 2017, False discovery rates: a new deal): the true shifts of a perturbation's genes follow a mixture of
//! normal distributions around 0, of widths from far below the errors to beyond the largest shift and one of no width at all, whose
//! weights are fit to the measured ones by expectation maximisation; a shift becomes its mean given what was measured. Most genes do
//! not respond, and are drawn to 0; where many do, or a few strongly, these are left nearly as they are.

/// Between neighbouring widths.
const WIDTH_RATIO: f64 = 2.0;
/// Observations that the prior of the weights counts for the component without width (λ₀ of the paper).
const NULL_WEIGHT: f64 = 10.0;
const STEPS: usize = 300;
/// Cells that a gene's variance over many cells counts for in that of a few.
const PRIOR_CELLS: f64 = 10.0;

/// The variance of the mean over `cells` cells, of which `of_mean` is what they alone say (not a number for one), made one with the gene's
/// variance over many cells, `pooled`, which counts as ten of them: where none of a few cells shows a gene, its error is not 0.
pub fn variance_of_mean(of_mean: f64, cells: usize, pooled: f64) -> f64 {
    let count = cells as f64;
    // Squared distances from the mean.
    let own = if cells > 1 { of_mean * count * (count - 1.0) } else { 0.0 };
    (own + PRIOR_CELLS * pooled) / (count - 1.0 + PRIOR_CELLS) / count
}

/// Means of the true shifts given the measured `shifts` and their standard `errors`; a shift without an error that is a number above 0
/// stays as it is.
pub fn shrunken(shifts: &[f32], errors: &[f32]) -> Vec<f32> {
    let pairs = shifts.iter().zip(errors).map(|(&shift, &error)| (f64::from(shift), f64::from(error)));
    let is_told = |(shift, error): &(f64, f64)| shift.is_finite() && error.is_finite() && *error > 0.0;
    let told: Vec<(f64, f64)> = pairs.clone().filter(is_told).collect();
    let widths = widths(&told);
    let weights = weights(&told, &widths);
    let mean = |(shift, error): (f64, f64)| {
        let variances = widths.iter().map(|width| width * width);
        let logs: Vec<f64> = variances.clone().map(|variance| log_density(shift, variance + error * error)).collect();
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut all) = (0.0, 0.0);
        for ((log, weight), variance) in logs.iter().zip(&weights).zip(variances) {
            let weight = weight * (log - largest).exp();
            all += weight;
            sum += weight * variance / (variance + error * error);
        }
        shift * sum / all
    };
    pairs.map(|pair| if is_told(&pair) { mean(pair) as f32 } else { pair.0 as f32 }).collect()
}

/// From a tenth of the smallest error to twice the largest shift beyond its error, and 0.
fn widths(told: &[(f64, f64)]) -> Vec<f64> {
    let smallest = told.iter().map(|(_, error)| *error).fold(f64::INFINITY, f64::min) / 10.0;
    let beyond = told.iter().map(|(shift, error)| shift * shift - error * error).fold(0.0, f64::max);
    let largest = if beyond > 0.0 { 2.0 * beyond.sqrt() } else { 8.0 * smallest };
    let mut widths = vec![0.0];
    let mut width = largest;
    while width >= smallest && width.is_finite() && width > 0.0 && widths.len() < 64 {
        widths.push(width);
        width /= WIDTH_RATIO;
    }
    widths
}

/// The shares of the components.
fn weights(told: &[(f64, f64)], widths: &[f64]) -> Vec<f64> {
    let count = widths.len();
    let mut weights = vec![1.0 / count as f64; count];
    let mut densities = Vec::with_capacity(told.len() * count);
    for &(shift, error) in told {
        let logs: Vec<f64> = widths.iter().map(|width| log_density(shift, width * width + error * error)).collect();
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        densities.extend(logs.iter().map(|log| (log - largest).exp()));
    }
    for _ in 0..STEPS {
        let mut sums = vec![0.0; count];
        sums[0] = NULL_WEIGHT - 1.0;
        for row in densities.chunks_exact(count) {
            let all: f64 = row.iter().zip(&weights).map(|(density, weight)| density * weight).sum();
            for ((sum, density), weight) in sums.iter_mut().zip(row).zip(&weights) {
                *sum += density * weight / all;
            }
        }
        let all: f64 = sums.iter().sum();
        let new: Vec<f64> = sums.iter().map(|sum| sum / all).collect();
        let moved = new.iter().zip(&weights).map(|(new, old)| (new - old).abs()).fold(0.0, f64::max);
        weights = new;
        if moved < 1e-5 {
            break;
        }
    }
    weights
}

/// Less a constant.
fn log_density(shift: f64, variance: f64) -> f64 {
    -0.5 * (shift * shift / variance + variance.ln())
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution as _, Normal};

    use super::*;

    /// True and measured shifts: `responding` genes with a standard deviation of `width`, the others none.
    fn drawn(responding: usize, width: f64) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        let mut random = crate::random::stream(3, "shrinkage");
        let (mut truth, mut measured, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for gene in 0..2000 {
            let error = 0.1 + 0.2 * (gene % 7) as f64 / 6.0;
            let shift = if gene < responding { Normal::new(0.0, width).unwrap().sample(&mut random) } else { 0.0 };
            truth.push(shift as f32);
            measured.push((shift + Normal::new(0.0, error).unwrap().sample(&mut random)) as f32);
            errors.push(error as f32);
        }
        (truth, measured, errors)
    }

    fn squares(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()
    }

    #[test]
    fn shrunken_shifts_are_nearer_to_the_truth() {
        for (responding, width, gain) in [(100, 1.0, 0.2), (1000, 0.3, 0.75), (2000, 1.5, 1.0)] {
            let (truth, measured, errors) = drawn(responding, width);
            let told = shrunken(&measured, &errors);
            let [before, after] = [squares(&measured, &truth), squares(&told, &truth)];
            assert!(after < gain * before, "{responding} genes of {width}: {after} of {before}");
            // The mean given the truth's own distribution is the best there is.
            let share = responding as f64 / 2000.0;
            let best: Vec<f32> = measured
                .iter()
                .zip(&errors)
                .map(|(&shift, &error)| {
                    let (shift, error) = (f64::from(shift), f64::from(error).powi(2));
                    let all = error + width * width;
                    let odds =
                        share / (1.0 - share).max(1e-12) * (log_density(shift, all) - log_density(shift, error)).exp();
                    (shift * width * width / all * (1.0 - 1.0 / (1.0 + odds))) as f32
                })
                .collect();
            assert!(after < 1.15 * squares(&best, &truth) + 1.0, "{after}, best {}", squares(&best, &truth));
        }
    }

    #[test]
    fn few_cells_have_the_variance_of_many() {
        // Of many cells it is their own, of one that of the others.
        assert!((variance_of_mean(4.0 / 1e6, 1_000_000, 1.0) * 1e6 - 4.0).abs() < 1e-3);
        assert_eq!(variance_of_mean(f64::NAN, 1, 3.0), 3.0);
        // Eleven cells with a variance of 2, and ten of 1.
        assert!((variance_of_mean(2.0 / 11.0, 11, 1.0) - (20.0 + 10.0) / 20.0 / 11.0).abs() < 1e-12);
    }

    #[test]
    fn where_nothing_responds_nothing_is_left() {
        let (_, measured, errors) = drawn(0, 1.0);
        let told = shrunken(&measured, &errors);
        assert!(squares(&told, &[0.0; 2000]) < 0.02 * squares(&measured, &[0.0; 2000]));
        assert!(told.iter().zip(&measured).all(|(told, measured)| told.abs() <= measured.abs()));
    }

    #[test]
    fn what_has_no_error_stays() {
        assert_eq!(shrunken(&[1.0, f32::NAN, -2.0], &[f32::NAN, 1.0, 0.0])[..1], [1.0]);
        assert_eq!(shrunken(&[-2.0], &[0.0]), [-2.0]);
        assert!(shrunken(&[], &[]).is_empty());
    }
}
