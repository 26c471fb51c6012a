//! The tests of one gene: all groups against one sorted control.

use super::{PSEUDOCOUNT, Test, normal_two_sided, student_two_sided};

/// One gene in one group.
#[derive(Clone, Copy, Debug)]
pub(super) struct GeneTest {
    pub score: f64,
    pub log_fold_change: f32,
    pub p_value: f64,
}

/// Number, mean and variance (n − 1) of values of which most are zero.
#[derive(Clone, Copy, Debug)]
struct Moments {
    cells: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    /// Of `nonzero` and as many zeros as make `cells` values.
    fn new(nonzero: &[f32], cells: usize) -> Self {
        let zeros = (cells - nonzero.len()) as f64;
        let cells = cells as f64;
        let mean = if cells > 0.0 { nonzero.iter().map(|&value| f64::from(value)).sum::<f64>() / cells } else { 0.0 };
        let squares: f64 = nonzero.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum();
        Self { cells, mean, variance: (squares + zeros * mean * mean) / (cells - 1.0) }
    }

    /// Welch's t against `control`, and its p value.
    fn welch(&self, control: &Self) -> (f64, f64) {
        let (a, b) = (self.variance / self.cells, control.variance / control.cells);
        let t = (self.mean - control.mean) / (a + b).sqrt();
        // Welch–Satterthwaite degrees of freedom.
        let freedom = (a + b).powi(2) / (a * a / (self.cells - 1.0) + b * b / (control.cells - 1.0));
        if t.is_nan() || freedom.is_nan() { (0.0, 1.0) } else { (t, student_two_sided(t, freedom)) }
    }
}

/// Equal control values.
#[derive(Clone, Copy, Debug)]
struct Block {
    value: f32,
    /// Control cells with a smaller value.
    below: usize,
    /// Control cells with this value.
    count: usize,
}

/// The control's values of one gene, sorted, with zeros as one block.
#[derive(Debug)]
pub(super) struct Control {
    blocks: Vec<Block>,
    cells: usize,
    /// Σ (t³ − t) over the blocks.
    ties: f64,
    moments: Moments,
}

impl Control {
    /// From the non-zero values (which are sorted in place) among `cells` cells.
    pub fn new(nonzero: &mut [f32], cells: usize) -> Self {
        let moments = Moments::new(nonzero, cells);
        let mut blocks = Vec::with_capacity(nonzero.len() + 1);
        let (mut below, mut ties) = (0, 0.0);
        for_each_block(nonzero, cells, |value, count| {
            blocks.push(Block { value, below, count });
            below += count;
            ties += tie_term(count);
        });
        Self { blocks, cells, ties, moments }
    }

    /// Test the non-zero values of a group (which are sorted in place) among `cells` cells.
    pub fn test(&self, nonzero: &mut [f32], cells: usize, test: Test) -> GeneTest {
        let moments = Moments::new(nonzero, cells);
        let ratio = (moments.mean.exp_m1() + PSEUDOCOUNT) / (self.moments.mean.exp_m1() + PSEUDOCOUNT);
        let (score, p_value) = match test {
            Test::Wilcoxon { tie_correction } => {
                let score = self.wilcoxon(nonzero, cells, tie_correction);
                (score, normal_two_sided(score))
            }
            Test::WelchT => moments.welch(&self.moments),
        };
        GeneTest { score, log_fold_change: ratio.log2() as f32, p_value }
    }

    /// z of the rank sum of the group; 0 where all values are equal or a side is empty.
    fn wilcoxon(&self, nonzero: &mut [f32], cells: usize, tie_correction: bool) -> f64 {
        let (n, m) = (cells as f64, self.cells as f64);
        let total = n + m;
        let (mut sum, mut ties) = (0.0, self.ties);
        let (mut below_in_group, mut from) = (0, 0);
        for_each_block(nonzero, cells, |value, count| {
            // Both sides are sorted: what was passed is not looked at again.
            from += self.blocks[from..].partition_point(|block| block.value < value);
            let (below, same) = match self.blocks.get(from) {
                Some(block) if block.value == value => (block.below, block.count),
                Some(block) => (block.below, 0),
                None => (self.cells, 0),
            };
            // Mean of the ranks that the tied values share.
            let rank = (below_in_group + below) as f64 + (count + same + 1) as f64 / 2.0;
            sum += count as f64 * rank;
            ties += tie_term(count + same) - tie_term(same);
            below_in_group += count;
        });
        let correction = if tie_correction && total >= 2.0 { 1.0 - ties / (total.powi(3) - total) } else { 1.0 };
        let deviation = (correction * n * m * (total + 1.0) / 12.0).sqrt();
        let score = (sum - n * (total + 1.0) / 2.0) / deviation;
        if score.is_finite() { score } else { 0.0 }
    }
}

fn tie_term(count: usize) -> f64 {
    let count = count as f64;
    count * count * count - count
}

/// Sort `nonzero` and call `each` with every distinct value and its count, ascending, zeros (so many as make `cells`
/// values) among them.
fn for_each_block(nonzero: &mut [f32], cells: usize, mut each: impl FnMut(f32, usize)) {
    nonzero.sort_unstable_by(f32::total_cmp);
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
