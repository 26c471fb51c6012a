//! Distance correlation of values that belong together, of any number of dimensions.

/// The distance correlation of `x` and `y` (Székely, Rizzo and Bakirov 2007, Annals of Statistics 35:2769; the biased estimate, as
/// they define it): 0 where nothing of one follows from the other, 1 where they agree up to scale, offset and sign. Each is a list
/// of coordinates, one value per gene in each: `&[a]` is a plain list, `&[a, b]` a list of points in the plane.
///
/// None where it is not defined: fewer than two genes, one side all the same, lengths that differ, or a value that is not finite.
/// O(n²) time, O(n) memory.
pub fn distance_correlation(x: &[&[f32]], y: &[&[f32]]) -> Option<f64> {
    let count = x.first()?.len();
    let fits = |side: &[&[f32]]| {
        !side.is_empty() && side.iter().all(|list| list.len() == count && list.iter().all(|value| value.is_finite()))
    };
    if count < 2 || !fits(x) || !fits(y) {
        return None;
    }
    let (x_means, x_mean) = mean_distances(x, count);
    let (y_means, y_mean) = mean_distances(y, count);
    let (mut both, mut of_x, mut of_y) = (0.0, 0.0, 0.0);
    for i in 0..count {
        // Both matrices are symmetric: what is off the diagonal counts twice.
        for j in i..count {
            let a = distance(x, i, j) - x_means[i] - x_means[j] + x_mean;
            let b = distance(y, i, j) - y_means[i] - y_means[j] + y_mean;
            let weight = if i == j { 1.0 } else { 2.0 };
            both += weight * a * b;
            of_x += weight * a * a;
            of_y += weight * b * b;
        }
    }
    let spread = (of_x * of_y).sqrt();
    // Rounding leaves a little of a side that does not vary.
    let least = 1e-20 * (x_mean * y_mean * (count * count) as f64).max(f64::MIN_POSITIVE);
    (spread > least).then(|| (both.max(0.0) / spread).sqrt().min(1.0))
}

/// The mean distance of every point to all (itself included), and the mean of these.
fn mean_distances(points: &[&[f32]], count: usize) -> (Vec<f64>, f64) {
    let mut sums = vec![0.0; count];
    for i in 0..count {
        for j in i + 1..count {
            let distance = distance(points, i, j);
            sums[i] += distance;
            sums[j] += distance;
        }
    }
    sums.iter_mut().for_each(|sum| *sum /= count as f64);
    let mean = sums.iter().sum::<f64>() / count as f64;
    (sums, mean)
}

fn distance(points: &[&[f32]], i: usize, j: usize) -> f64 {
    match points {
        [only] => f64::from((only[i] - only[j]).abs()),
        [first, second] => f64::from(first[i] - first[j]).hypot(f64::from(second[i] - second[j])),
        several => several.iter().map(|list| f64::from(list[i] - list[j]).powi(2)).sum::<f64>().sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_agree_and_constants_have_none() {
        let x = [0.0, 1.0, 3.0, -2.0, 0.5];
        let line = x.map(|value| 3.0 - 2.0 * value);
        assert!((distance_correlation(&[&x], &[&line]).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(distance_correlation(&[&x], &[&[2.0; 5]]), None);
        assert_eq!(distance_correlation(&[&x], &[&line[..4]]), None);
        assert_eq!(distance_correlation(&[&[1.0]], &[&[2.0]]), None);
        assert_eq!(distance_correlation(&[&x], &[&[f32::NAN; 5]]), None);
    }

    #[test]
    fn dependence_without_correlation_is_seen() {
        let x: Vec<f32> = (-20..=20).map(|at| at as f32).collect();
        let square: Vec<f32> = x.iter().map(|value| value * value).collect();
        assert!(crate::evaluation::pearson(&x, &square).unwrap().abs() < 1e-9);
        assert!(distance_correlation(&[&x], &[&square]).unwrap() > 0.4);
    }
}
