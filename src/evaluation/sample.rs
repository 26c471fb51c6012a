//! The values of one gene in a group of cells.

/// Sorted values of one gene, the zeros counted rather than stored: single-cell data are mostly zeros.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Values other than zero, increasing.
    values: Vec<f64>,
    /// How many of `values` are negative; the zeros come after them.
    negative: usize,
    zeros: usize,
}

impl Sample {
    /// A sample of `values` in any order; values that are not numbers are left out.
    pub fn new(values: impl IntoIterator<Item = f64>) -> Self {
        Self::with_zeros(values, 0)
    }

    /// A sample of `values` and `zeros` further zeros.
    pub fn with_zeros(values: impl IntoIterator<Item = f64>, mut zeros: usize) -> Self {
        let mut kept = Vec::new();
        for value in values {
            if value == 0.0 {
                zeros += 1;
            } else if !value.is_nan() {
                kept.push(value);
            }
        }
        kept.sort_unstable_by(f64::total_cmp);
        let negative = kept.partition_point(|&value| value < 0.0);
        Self { values: kept, negative, zeros }
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.values.len() + self.zeros
    }

    /// Mean of the values; none without cells.
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.values.iter().sum::<f64>() / self.len() as f64)
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Distinct values, increasing, each with the number of cells that have it.
    pub(super) fn runs(&self) -> Vec<(f64, usize)> {
        let mut runs: Vec<(f64, usize)> = Vec::new();
        let mut push = |value: f64, count: usize| match runs.last_mut() {
            Some(last) if last.0 == value => last.1 += count,
            _ => runs.push((value, count)),
        };
        self.values[..self.negative].iter().for_each(|&value| push(value, 1));
        if self.zeros > 0 {
            push(0.0, self.zeros);
        }
        self.values[self.negative..].iter().for_each(|&value| push(value, 1));
        runs
    }
}

/// Walk through the distinct values of both samples, increasing: value, count in `a`, count in `b`.
pub(super) fn merged(a: &Sample, b: &Sample) -> Vec<(f64, usize, usize)> {
    let (a, b) = (a.runs(), b.runs());
    let mut both = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let next_a = a.get(i).map_or(f64::INFINITY, |run| run.0);
        let next_b = b.get(j).map_or(f64::INFINITY, |run| run.0);
        let value = next_a.min(next_b);
        let mut counts = (0, 0);
        if i < a.len() && a[i].0 == value {
            counts.0 = a[i].1;
            i += 1;
        }
        if j < b.len() && b[j].0 == value {
            counts.1 = b[j].1;
            j += 1;
        }
        both.push((value, counts.0, counts.1));
    }
    both
}

/// Wasserstein-1 (earth mover's) distance of two samples: ∫ |F_a − F_b|, in the unit of the values. None if one is empty.
pub fn wasserstein(a: &Sample, b: &Sample) -> Option<f64> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (size_a, size_b) = (a.len() as f64, b.len() as f64);
    let (mut below_a, mut below_b, mut distance) = (0, 0, 0.0);
    let mut previous: Option<f64> = None;
    for (value, in_a, in_b) in merged(a, b) {
        if let Some(previous) = previous {
            distance += (value - previous) * (below_a as f64 / size_a - below_b as f64 / size_b).abs();
        }
        below_a += in_a;
        below_b += in_b;
        previous = Some(value);
    }
    Some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_stored_or_counted_are_the_same() {
        let stored = Sample::new([0.0, -1.0, 2.0, 0.0]);
        let counted = Sample::with_zeros([2.0, -1.0], 2);
        assert_eq!(stored, counted);
        assert_eq!(stored.runs(), [(-1.0, 1), (0.0, 2), (2.0, 1)]);
        assert_eq!((stored.mean(), Sample::default().mean()), (Some(0.25), None));
    }

    #[test]
    fn wasserstein_is_the_mean_way_to_go() {
        let a = Sample::new([0.0, 1.0, 3.0]);
        let b = Sample::new([5.0, 6.0, 8.0]);
        assert_eq!(wasserstein(&a, &b), Some(5.0));
        assert_eq!(wasserstein(&a, &a), Some(0.0));
        // Different sizes: half of the mass goes from 0 to 2.
        assert_eq!(wasserstein(&Sample::new([0.0]), &Sample::new([0.0, 2.0])), Some(1.0));
        assert_eq!(wasserstein(&a, &Sample::default()), None);
    }
}
