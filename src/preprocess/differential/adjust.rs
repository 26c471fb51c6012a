//! Many tests at once.

/// Benjamini–Hochberg: the smallest false discovery rate at which each test is significant, in the order of
/// `p_values`, at most 1. NaN counts as 1.
///
/// Benjamini & Hochberg 1995; ties and clipping as in statsmodels' `multipletests(method="fdr_bh")`.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let p_of = |at: u32| if p_values[at as usize].is_nan() { 1.0 } else { p_values[at as usize] };
    let mut order: Vec<u32> = (0..p_values.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| p_of(a).total_cmp(&p_of(b)).then(a.cmp(&b)));
    let count = p_values.len() as f64;
    let mut adjusted = vec![0.0; p_values.len()];
    let mut smallest = 1.0f64;
    for (rank, &at) in order.iter().enumerate().rev() {
        smallest = smallest.min(p_of(at) / ((rank + 1) as f64 / count));
        adjusted[at as usize] = smallest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_step_up_rule_holds_on_a_worked_example() {
        let adjusted = benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005, f64::NAN]);
        let expected = [0.025, 0.05, 0.05, 0.025, 1.0];
        assert!(adjusted.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{adjusted:?}");
    }

    proptest! {
        #[test]
        fn adjusted_values_keep_the_order_and_never_fall(p in prop::collection::vec(0.0..=1.0f64, 0..60)) {
            let adjusted = benjamini_hochberg(&p);
            for (a, &raw) in adjusted.iter().zip(&p) {
                prop_assert!(*a >= raw * (1.0 - 1e-12) && *a <= 1.0);
                for (b, &other) in adjusted.iter().zip(&p) {
                    prop_assert!(raw > other || a <= b);
                }
            }
        }
    }
}
