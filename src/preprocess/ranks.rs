//! Many groups of cells against the same control cells, gene by gene: ranks and distances of values of which most are zero.
//!
//! The control's values are sorted once, equal ones together and zeros counted rather than stored; a group is then ranked by binary
//! search: O(k·log n) for its k values that are not zero, beside n of the control.

/// The control's values of one gene, sorted, with zeros among them.
#[derive(Debug)]
pub(crate) struct SortedControl {
    /// Distinct values, rising.
    values: Vec<f64>,
    /// Control cells below each of them; one more for all.
    below: Vec<usize>,
    /// Sum of the values of these cells.
    sums: Vec<f64>,
    /// Σ (t³ − t) over groups of t equal values.
    ties: f64,
}

/// How a group ranks among itself and the control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RankSum {
    /// Sum of the group's ranks, equal values sharing the mean of theirs.
    pub sum: f64,
    /// Σ (t³ − t) over equal values of both.
    pub ties: f64,
}

impl SortedControl {
    /// From the values other than zero (which are sorted in place) of `cells` cells.
    pub fn new(nonzero: &mut [f64], cells: usize) -> Self {
        let mut control = Self {
            values: Vec::with_capacity(nonzero.len() + 1),
            below: Vec::with_capacity(nonzero.len() + 2),
            sums: Vec::with_capacity(nonzero.len() + 2),
            ties: 0.0,
        };
        let (mut below, mut sum) = (0, 0.0);
        sort(nonzero);
        for_each_block(nonzero, cells, |value, count| {
            control.values.push(value);
            control.below.push(below);
            control.sums.push(sum);
            below += count;
            sum += value * count as f64;
            control.ties += tie_term(count);
        });
        control.below.push(below);
        control.sums.push(sum);
        control
    }

    /// Number of control cells.
    pub fn cells(&self) -> usize {
        self.below[self.values.len()]
    }

    /// The ranks of a group of `cells` cells with the values `nonzero`, sorted by [`sort`].
    pub fn rank_sum(&self, nonzero: &[f64], cells: usize) -> RankSum {
        let mut result = RankSum { sum: 0.0, ties: self.ties };
        let (mut below_in_group, mut from) = (0, 0);
        for_each_block(nonzero, cells, |value, count| {
            // Both sides are sorted: what was passed is not looked at again.
            from += self.values[from..].partition_point(|known| *known < value);
            let same = match self.values.get(from) {
                Some(known) if *known == value => self.below[from + 1] - self.below[from],
                _ => 0,
            };
            // Mean of the ranks that the tied values share.
            let rank = (below_in_group + self.below[from]) as f64 + (count + same + 1) as f64 / 2.0;
            result.sum += count as f64 * rank;
            result.ties += tie_term(count + same) - tie_term(same);
            below_in_group += count;
        });
        result
    }

    /// Wasserstein-1 distance ∫|F − G| of the control's distribution F from that of a group of `cells` cells with the values
    /// `nonzero`, sorted by [`sort`]. Neither may be empty.
    ///
    /// Between two values of the group G is constant and F rises, so that they cross once at most; the integral of F up to any
    /// value follows from sums of the sorted values.
    pub fn wasserstein(&self, nonzero: &[f64], cells: usize) -> f64 {
        let (size, own) = (self.cells() as f64, cells as f64);
        // ∫F from −∞ to x; `at` is the number of distinct control values below x.
        let area = |x: f64, at: usize| (self.below[at] as f64 * x - self.sums[at]) / size;
        let (mut distance, mut below, mut from) = (0.0, 0usize, 0);
        let mut before: Option<(f64, usize)> = None;
        for_each_block(nonzero, cells, |value, count| {
            from += self.values[from..].partition_point(|known| *known < value);
            let end = area(value, from);
            distance += match before {
                None => end,
                Some((previous, start)) => {
                    let share = below as f64 / own;
                    // From the first control value on at which F reaches the share: counts are compared, to be exact.
                    let is_below = |&through: &usize| through * cells < below * self.cells();
                    let crossing = start + self.below[start + 1..=from].partition_point(is_below);
                    let (x, at) = match () {
                        () if !is_below(&self.below[start]) => (previous, start),
                        () if crossing < from => (self.values[crossing], crossing),
                        () => (value, from),
                    };
                    let (begin, middle) = (area(previous, start), area(x, at));
                    share * (x - previous) - (middle - begin) + (end - middle) - share * (value - x)
                }
            };
            below += count;
            before = Some((value, from));
        });
        // Beyond the group's largest value: ∫(1 − F).
        let (largest, at) = before.unwrap_or_default();
        let last = self.values.len();
        let rest = self.below[last] - self.below[at];
        // Rounding may leave less than nothing.
        (distance + ((self.sums[last] - self.sums[at]) - rest as f64 * largest) / size).max(0.0)
    }
}

fn tie_term(count: usize) -> f64 {
    let count = count as f64;
    count * (count * count - 1.0)
}

/// Sort values for [`SortedControl::rank_sum`].
pub(crate) fn sort(values: &mut [f64]) {
    values.sort_unstable_by(f64::total_cmp);
}

/// Call `each` with every distinct value of the sorted `nonzero` and its count, ascending, zeros (so many as make `cells` values)
/// among them.
fn for_each_block(nonzero: &[f64], cells: usize, mut each: impl FnMut(f64, usize)) {
    let (negative, positive) = nonzero.split_at(nonzero.partition_point(|value| *value < 0.0));
    for block in negative.chunk_by(|a, b| a == b) {
        each(block[0], block.len());
    }
    let zeros = cells - nonzero.len();
    if zeros > 0 {
        each(0.0, zeros);
    }
    for block in positive.chunk_by(|a, b| a == b) {
        each(block[0], block.len());
    }
}
