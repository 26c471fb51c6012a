//! Agreement of two lists of numbers.

/// Pearson's correlation of `x` and `y`, computed in double precision.
///
/// None where it is not defined: fewer than two pairs, a list without variation, a value that is not finite, or lists of
/// different lengths.
///
/// ```
/// use grn_explorer::evaluation::pearson;
/// assert_eq!(pearson(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]), Some(1.0));
/// assert_eq!(pearson(&[1.0, 1.0], &[2.0, 4.0]), None);
/// ```
pub fn pearson(x: &[f32], y: &[f32]) -> Option<f64> {
    if x.len() != y.len() {
        return None;
    }
    let (mean_x, square_x) = moments(x)?;
    let (mean_y, square_y) = moments(y)?;
    let pairs = x.iter().zip(y);
    let product: f64 = pairs.map(|(&x, &y)| (f64::from(x) - mean_x) * (f64::from(y) - mean_y)).sum();
    Some((product / (square_x * square_y).sqrt()).clamp(-1.0, 1.0))
}

/// R², the coefficient of determination of `predicted` for `observed`: 1 − Σ(o − p)² / Σ(o − mean o)².
///
/// 1 is a perfect prediction, 0 no better than the mean of the observed values, and it has no lower bound. It is not the
/// square of Pearson's correlation: scale and offset count. None where the observed values do not vary, where a value is
/// not finite, or where the lists are empty or of different lengths.
pub fn r_squared(predicted: &[f32], observed: &[f32]) -> Option<f64> {
    if predicted.len() != observed.len() {
        return None;
    }
    let (_, total) = moments(observed)?;
    let pairs = predicted.iter().zip(observed);
    let residual: f64 = pairs.map(|(&p, &o)| (f64::from(o) - f64::from(p)).powi(2)).sum();
    residual.is_finite().then(|| 1.0 - residual / total)
}

/// Mean and sum of squared deviations; none if the values do not vary.
fn moments(values: &[f32]) -> Option<(f64, f64)> {
    let first = values.first()?;
    if values.iter().all(|value| value == first) {
        return None;
    }
    let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64;
    let squares = values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>();
    (squares.is_finite() && squares > 0.0).then_some((mean, squares))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_defined_is_none() {
        assert_eq!(pearson(&[], &[]), None);
        assert_eq!(pearson(&[1.0], &[2.0]), None);
        assert_eq!(pearson(&[1.0, f32::NAN], &[2.0, 3.0]), None);
        assert_eq!(pearson(&[0.1; 9], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]), None);
        assert_eq!(r_squared(&[1.0, 2.0], &[3.0, 3.0]), None);
        assert_eq!(r_squared(&[f32::INFINITY, 2.0], &[3.0, 4.0]), None);
        assert_eq!(r_squared(&[1.0], &[3.0, 4.0]), None);
    }

    #[test]
    fn r_squared_counts_scale_and_offset() {
        let observed = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(r_squared(&observed, &observed), Some(1.0));
        assert_eq!(r_squared(&[2.5; 4], &observed), Some(0.0));
        // Off by one everywhere: 1 − 4/5, while the correlation is 1.
        let shifted = [2.0, 3.0, 4.0, 5.0];
        assert!((r_squared(&shifted, &observed).unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(pearson(&shifted, &observed), Some(1.0));
        assert!((pearson(&[4.0, 3.0, 2.0, 1.5], &observed).unwrap() + 0.989_778_3).abs() < 1e-6);
    }
}
