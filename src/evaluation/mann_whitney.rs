//! The Mann–Whitney U test (Wilcoxon rank-sum test), two-sided, as SciPy's `mannwhitneyu` computes it by default.

use statrs::function::erf::erfc;

use super::sample::{Sample, merged};

/// Above this size of the larger sample the normal approximation is used even without ties: the exact distribution
/// would take seconds and differ in no digit that matters.
const EXACT_SIZE: usize = 500;

/// Two-sided p value of the Mann–Whitney U test; None if a sample is empty.
///
/// Exact where one sample has at most 8 values and no value occurs twice; otherwise the normal approximation with
/// correction for ties and continuity. Samples without any variation give 1.
pub fn mann_whitney(a: &Sample, b: &Sample) -> Option<f64> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    // Mid-ranks: values that tie share the mean of their ranks.
    let (mut ranks_before, mut rank_sum, mut ties) = (0.0, 0.0, 0.0);
    for (_, in_a, in_b) in merged(a, b) {
        let count = (in_a + in_b) as f64;
        rank_sum += in_a as f64 * (ranks_before + (count + 1.0) / 2.0);
        ranks_before += count;
        ties += count * (count * count - 1.0);
    }
    Some(two_sided(rank_sum, ties, a.len(), b.len()))
}

/// The p value of `size_a` values whose ranks among themselves and `size_b` others add up to `rank_sum`; `ties` is Σ (t³ − t) over groups of
/// t equal values. Neither may be empty.
pub(super) fn two_sided(rank_sum: f64, ties: f64, size_a: usize, size_b: usize) -> f64 {
    let (small, large) = (size_a.min(size_b), size_a.max(size_b));
    let (size_a, size_b) = (size_a as f64, size_b as f64);
    let total = size_a + size_b;
    let u = rank_sum - size_a * (size_a + 1.0) / 2.0;
    let larger = u.max(size_a * size_b - u);
    if ties == 0.0 && small <= 8 && large <= EXACT_SIZE {
        return (2.0 * tail(small, large, larger as usize)).min(1.0);
    }
    let deviation = (size_a * size_b / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)))).sqrt();
    if deviation.is_nan() || deviation <= 0.0 {
        return 1.0;
    }
    let z = (larger - size_a * size_b / 2.0 - 0.5) / deviation;
    erfc(z / std::f64::consts::SQRT_2).clamp(0.0, 1.0)
}

/// P(U ≥ u) for samples of `small` and `large` values without ties under the null hypothesis.
///
/// By the recursion on which sample holds the largest value: P(m, n, u) = m/(m+n) P(m−1, n, u−n) + n/(m+n) P(m, n−1, u)
/// (Mann and Whitney 1947). O(small² · large²) time.
fn tail(small: usize, large: usize, u: usize) -> f64 {
    // by_small[m][u] for the current n.
    let mut by_small: Vec<Vec<f64>> = vec![vec![1.0]; small + 1];
    for n in 1..=large {
        let mut next: Vec<Vec<f64>> = Vec::with_capacity(small + 1);
        next.push(vec![1.0]);
        for m in 1..=small {
            let (share_m, share_n) = (m as f64 / (m + n) as f64, n as f64 / (m + n) as f64);
            let mut density = vec![0.0; m * n + 1];
            for (u, p) in next[m - 1].iter().enumerate() {
                density[u + n] += share_m * p;
            }
            for (u, p) in by_small[m].iter().enumerate() {
                density[u] += share_n * p;
            }
            next.push(density);
        }
        by_small = next;
    }
    by_small[small].iter().skip(u).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(a: &[f64], b: &[f64]) -> f64 {
        mann_whitney(&Sample::new(a.iter().copied()), &Sample::new(b.iter().copied())).unwrap()
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9 * expected, "{found} is not {expected}");
    }

    // Expected values from SciPy 1.17, `mannwhitneyu(a, b).pvalue`.
    #[test]
    fn small_samples_without_ties_are_exact() {
        close(p(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0, 7.0]), 0.05714285714285714);
        close(p(&[1.5, 9.0, 3.0], &[4.0, 5.0, 6.0, 7.0, 2.0]), 0.7857142857142857);
        assert_eq!(p(&[1.0, 4.0], &[2.0, 3.0]), 1.0);
    }

    #[test]
    fn ties_and_larger_samples_use_the_corrected_normal_approximation() {
        close(p(&[0.0, 0.0, 1.0, 2.0], &[0.0, 3.0, 3.0, 4.0, 5.0]), 0.10386194842613085);
        let a: Vec<f64> = (0..12).map(f64::from).collect();
        let b: Vec<f64> = (0..15).map(|value| f64::from(value) + 6.5).collect();
        close(p(&a, &b), 0.0002777351395131898);
    }

    #[test]
    fn samples_without_variation_show_no_difference() {
        assert_eq!(p(&[0.0; 20], &[0.0; 30]), 1.0);
        assert_eq!(mann_whitney(&Sample::default(), &Sample::new([1.0])), None);
    }
}
