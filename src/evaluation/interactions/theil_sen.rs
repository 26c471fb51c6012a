//! Robust regression on two regressors without an intercept.

use rand::RngExt as _;

use crate::random;

/// Pairs of genes whose solutions are looked at, at most; of more, so many are drawn.
const MOST_PAIRS: usize = 100_000;
/// Steps of the spatial median at most, and the change at which it has settled.
const STEPS: usize = 1_000;
const TOLERANCE: f64 = 1e-7;

/// The coefficients (c₁, c₂) of `y` ≈ c₁·`x₁` + c₂·`x₂` by the multiple Theil–Sen estimator (Dang, Peng, Wang and Zhang 2008): the
/// spatial median of the exact solutions of all pairs of genes, or of 100,000 drawn with `seed`, as Norman et al. (2019) fit a double
/// perturbation by its singles. Up to three genes in ten may deviate in any way.
///
/// None where no two genes give a solution (one regressor is zero, or both are the same up to scale), or lengths differ.
pub fn theil_sen(x: [&[f32]; 2], y: &[f32], seed: u64) -> Option<[f64; 2]> {
    let count = y.len();
    if x.iter().any(|list| list.len() != count) || count < 2 {
        return None;
    }
    let [first, second] = x.map(|list| list.iter().map(|&value| f64::from(value)).collect::<Vec<f64>>());
    let y: Vec<f64> = y.iter().map(|&value| f64::from(value)).collect();
    let solution = |i: usize, j: usize| {
        let determinant = first[i] * second[j] - first[j] * second[i];
        let size = (first[i] * second[j]).abs().max((first[j] * second[i]).abs());
        (determinant.abs() > 1e-12 * size && determinant.is_finite()).then(|| {
            let one = (y[i] * second[j] - y[j] * second[i]) / determinant;
            let two = (first[i] * y[j] - first[j] * y[i]) / determinant;
            [one, two]
        })
    };
    let mut solutions = Vec::new();
    if count * (count - 1) / 2 <= MOST_PAIRS {
        for i in 0..count {
            solutions.extend((i + 1..count).filter_map(|j| solution(i, j)));
        }
    } else {
        let mut random = random::stream(seed, "theil-sen");
        solutions.extend((0..MOST_PAIRS).filter_map(|_| {
            let i = random.random_range(0..count);
            let j = random.random_range(0..count - 1);
            solution(i, if j >= i { j + 1 } else { j })
        }));
    }
    solutions.retain(|solution| solution.iter().all(|value| value.is_finite()));
    spatial_median(&solutions)
}

/// The point with the least sum of distances to all `points` (Weiszfeld's algorithm as mended by Vardi and Zhang 2000 for steps that
/// meet a point).
fn spatial_median(points: &[[f64; 2]]) -> Option<[f64; 2]> {
    if points.is_empty() {
        return None;
    }
    // From the median of each coordinate, which far points cannot move.
    let middle = |at: usize| {
        let mut values: Vec<f64> = points.iter().map(|point| point[at]).collect();
        let half = values.len() / 2;
        *values.select_nth_unstable_by(half, f64::total_cmp).1
    };
    let mut centre = [middle(0), middle(1)];
    for _ in 0..STEPS {
        let (mut sum, mut weights, mut pull, mut here) = ([0.0; 2], 0.0, [0.0; 2], 0.0);
        for point in points {
            let offset = [point[0] - centre[0], point[1] - centre[1]];
            let distance = offset[0].hypot(offset[1]);
            if distance < 1e-12 {
                here += 1.0;
                continue;
            }
            for at in 0..2 {
                sum[at] += point[at] / distance;
                pull[at] += offset[at] / distance;
            }
            weights += 1.0 / distance;
        }
        if weights == 0.0 {
            return Some(centre);
        }
        let strength = pull[0].hypot(pull[1]);
        if strength <= here {
            return Some(centre);
        }
        let stay = if here > 0.0 { here / strength } else { 0.0 };
        let next = [0, 1].map(|at| (1.0 - stay) * sum[at] / weights + stay * centre[at]);
        let moved = (next[0] - centre[0]).hypot(next[1] - centre[1]);
        centre = next;
        if moved <= TOLERANCE * (1.0 + centre[0].hypot(centre[1])) {
            break;
        }
    }
    Some(centre)
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution as _, StandardNormal};

    use super::*;

    #[test]
    fn a_quarter_of_wild_genes_changes_little() {
        let mut random = random::stream(4, "theil-sen test");
        let mut normal = || -> f32 { StandardNormal.sample(&mut random) };
        for count in [80, 900] {
            let (a, b): (Vec<f32>, Vec<f32>) = (0..count).map(|_| (normal(), normal())).unzip();
            let y: Vec<f32> = (0..count)
                .map(|at| match at % 4 {
                    0 => 8.0 + 3.0 * normal(),
                    _ => 0.7 * a[at] - 1.2 * b[at] + 0.05 * normal(),
                })
                .collect();
            let [one, two] = theil_sen([&a, &b], &y, 1).unwrap();
            assert!((one - 0.7).abs() < 0.08 && (two + 1.2).abs() < 0.08, "{count} genes: {one}, {two}");
            assert_eq!(theil_sen([&a, &b], &y, 1), Some([one, two]));
        }
    }

    #[test]
    fn without_a_solution_there_is_none() {
        let a = [1.0, 2.0, 3.0];
        assert_eq!(theil_sen([&a, &[2.0, 4.0, 6.0]], &[1.0, 1.0, 1.0], 1), None);
        assert_eq!(theil_sen([&a, &[0.0; 3]], &a, 1), None);
        assert_eq!(theil_sen([&a, &a[..2]], &a, 1), None);
        let exact = theil_sen([&[1.0, 0.0, 1.0], &[0.0, 1.0, 1.0]], &[2.0, 3.0, 5.0], 1).unwrap();
        assert!((exact[0] - 2.0).abs() < 1e-9 && (exact[1] - 3.0).abs() < 1e-9);
    }

    #[test]
    fn the_median_of_a_triangle_is_where_its_corners_lie_at_equal_angles() {
        let found = spatial_median(&[[0.0, 0.0], [2.0, 0.0], [1.0, 3f64.sqrt()]]).unwrap();
        assert!((found[0] - 1.0).abs() < 1e-6 && (found[1] - 1.0 / 3f64.sqrt()).abs() < 1e-6, "{found:?}");
        // A corner of 120° and more is the median itself.
        let flat = spatial_median(&[[-5.0, 0.1], [0.0, 0.0], [5.0, 0.1]]).unwrap();
        assert!(flat[0].abs() < 1e-6 && flat[1].abs() < 1e-6, "{flat:?}");
    }
}
