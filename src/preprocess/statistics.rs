//! Order statistics shared by the steps.

/// Median of `values` (the mean of the two middle ones for an even number), which are reordered; none if empty.
///
/// In single precision, like the tools whose thresholds ours must equal to the last bit.
pub(super) fn median_f32(values: &mut [f32]) -> Option<f32> {
    let count = values.len();
    if count == 0 {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable_by(count / 2, f32::total_cmp);
    let upper = *upper;
    if count % 2 == 1 {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f32::total_cmp)?;
    Some((lower + upper) / 2.0)
}

/// The `quantile` (0 to 1) of `values`, linearly interpolated between order statistics; none if empty. Reorders them.
pub(super) fn quantile(values: &mut [f64], quantile: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    values.sort_unstable_by(f64::total_cmp);
    let at = quantile.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (values[at.floor() as usize], values[at.ceil() as usize]);
    Some(low + (high - low) * at.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_even_and_no_values() {
        assert_eq!(median_f32(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median_f32(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median_f32(&mut []), None);
    }

    #[test]
    fn quantiles_interpolate_between_neighbours() {
        assert_eq!(quantile(&mut [10.0, 0.0, 5.0], 0.1), Some(1.0));
        assert_eq!(quantile(&mut [7.0], 0.1), Some(7.0));
        assert_eq!(quantile(&mut [], 0.1), None);
    }
}
