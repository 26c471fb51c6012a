//! How far two groups of cells are apart as distributions, not gene by gene.
//!
//! Points are rows of `width` coordinates, usually the leading principal components of log-normalised expression.

use rand::seq::SliceRandom as _;

use crate::random::Rng;

/// Sums over a group from which its part of the E-distance follows.
#[derive(Clone, Debug)]
struct Moments {
    cells: f64,
    sum: Vec<f64>,
    squares: f64,
}

impl Moments {
    fn empty(width: usize) -> Self {
        Self { cells: 0.0, sum: vec![0.0; width], squares: 0.0 }
    }

    fn add(&mut self, point: &[f32], origin: &[f64]) {
        self.cells += 1.0;
        for ((sum, &value), origin) in self.sum.iter_mut().zip(point).zip(origin) {
            let value = f64::from(value) - origin;
            *sum += value;
            self.squares += value * value;
        }
    }

    /// Σ |x − x'|² over the ordered pairs of the group, over n (n − 1).
    fn within(&self) -> f64 {
        let length: f64 = self.sum.iter().map(|sum| sum * sum).sum();
        2.0 * (self.squares - length / self.cells) / (self.cells - 1.0)
    }

    fn e_distance(&self, other: &Self) -> f64 {
        let product: f64 = self.sum.iter().zip(&other.sum).map(|(a, b)| a * b).sum();
        let between =
            self.squares / self.cells + other.squares / other.cells - 2.0 * product / (self.cells * other.cells);
        2.0 * between - self.within() - other.within()
    }
}

/// The mean of all points: what sums are taken around, so that they stay small.
fn origin(points: &[&[f32]], width: usize) -> Vec<f64> {
    let mut mean = vec![0.0; width];
    let mut count = 0.0f64;
    for point in points.iter().flat_map(|points| points.chunks_exact(width)) {
        count += 1.0;
        mean.iter_mut().zip(point).for_each(|(mean, &value)| *mean += f64::from(value));
    }
    mean.iter_mut().for_each(|mean| *mean /= count.max(1.0));
    mean
}

/// E-distance of the groups `a` and `b` (points × `width`): 2δ − σ_a − σ_b with δ the mean squared Euclidean distance between the groups and
/// σ those within them over n (n − 1) pairs (Peidli et al. 2024, scPerturb; Székely and Rizzo 2013). Without bias: 0 is expected of
/// two samples of one distribution, so it may be below. None unless both have two points. O(points · width).
pub fn e_distance(a: &[f32], b: &[f32], width: usize) -> Option<f64> {
    let (first, second) = moments(a, b, width)?;
    Some(first.e_distance(&second))
}

fn moments(a: &[f32], b: &[f32], width: usize) -> Option<(Moments, Moments)> {
    if width == 0 || a.len() < 2 * width || b.len() < 2 * width {
        return None;
    }
    let origin = origin(&[a, b], width);
    let of = |points: &[f32]| {
        let mut moments = Moments::empty(width);
        points.chunks_exact(width).for_each(|point| moments.add(point, &origin));
        moments
    };
    Some((of(a), of(b)))
}

/// Probability of an E-distance at least as large where labels are shuffled between `a` and `b`: (1 + number of `permutations` with
/// one) / (1 + permutations). None unless both have two points.
pub fn e_distance_p_value(a: &[f32], b: &[f32], width: usize, permutations: usize, random: &mut Rng) -> Option<f64> {
    let (first, second) = moments(a, b, width)?;
    let observed = first.e_distance(&second);
    let origin = origin(&[a, b], width);
    // The smaller group is drawn; the rest follows from the sums of both.
    let (count, cells) = (a.len().min(b.len()) / width, (a.len() + b.len()) / width);
    let point = |at: usize| match at * width < a.len() {
        true => &a[at * width..(at + 1) * width],
        false => &b[at * width - a.len()..(at + 1) * width - a.len()],
    };
    let mut whole = first.clone();
    whole.cells += second.cells;
    whole.squares += second.squares;
    whole.sum.iter_mut().zip(&second.sum).for_each(|(sum, more)| *sum += more);
    let mut order: Vec<u32> = (0..cells as u32).collect();
    let mut as_large = 0;
    for _ in 0..permutations {
        let (drawn, _) = order.partial_shuffle(random, count);
        let mut group = Moments::empty(width);
        drawn.iter().for_each(|&at| group.add(point(at as usize), &origin));
        let rest = Moments {
            cells: whole.cells - group.cells,
            squares: whole.squares - group.squares,
            sum: whole.sum.iter().zip(&group.sum).map(|(whole, own)| whole - own).collect(),
        };
        // Rounding must not tell equal ones apart.
        as_large += usize::from(group.e_distance(&rest) >= observed - 1e-9 * observed.abs());
    }
    Some((1 + as_large) as f64 / (1 + permutations) as f64)
}

fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Median Euclidean distance between different points of `points` (× `width`): the usual bandwidth of [`mmd`]. None with fewer than two, or if
/// it is 0. O(points²).
pub fn median_distance(points: &[f32], width: usize) -> Option<f64> {
    if width == 0 {
        return None;
    }
    let points: Vec<&[f32]> = points.chunks_exact(width).collect();
    let mut squares: Vec<f32> = (1..points.len())
        .flat_map(|a| (0..a).map(move |b| (a, b)))
        .map(|(a, b)| squared_distance(points[a], points[b]))
        .collect();
    if squares.is_empty() {
        return None;
    }
    let middle = squares.len() / 2;
    let (below, &mut upper, _) = squares.select_nth_unstable_by(middle, f32::total_cmp);
    let root = |square: f32| f64::from(square).sqrt();
    let median = match (points.len() * (points.len() - 1) / 2) % 2 {
        0 => (root(upper) + root(below.iter().copied().fold(0.0, f32::max))) / 2.0,
        _ => root(upper),
    };
    Some(median).filter(|median| *median > 0.0)
}

/// The kernel of [`mmd`].
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// −1 / (2σ²).
    factor: f32,
    width: usize,
}

impl Kernel {
    /// exp(−|x − y|² / (2σ²)) for points of `width` coordinates, σ = `bandwidth`.
    pub fn new(bandwidth: f64, width: usize) -> Self {
        Self { factor: (-0.5 / (bandwidth * bandwidth)) as f32, width }
    }

    fn sum(self, a: &[f32], others: &[f32]) -> f64 {
        let values = others.chunks_exact(self.width).map(|b| (self.factor * squared_distance(a, b)).exp());
        f64::from(values.sum::<f32>())
    }

    /// Mean over all pairs of different points of one group. None with fewer than two.
    pub fn within(self, points: &[f32]) -> Option<f64> {
        let count = points.len() / self.width.max(1);
        let rows = points.chunks_exact(self.width.max(1)).enumerate();
        let sum: f64 = rows.map(|(at, point)| self.sum(point, &points[..at * self.width])).sum();
        (count > 1).then(|| 2.0 * sum / (count * (count - 1)) as f64)
    }

    /// Mean over all pairs of a point of each group. None if one is empty.
    pub fn between(self, a: &[f32], b: &[f32]) -> Option<f64> {
        let pairs = (a.len() / self.width.max(1)) * (b.len() / self.width.max(1));
        (pairs > 0).then(|| a.chunks_exact(self.width).map(|point| self.sum(point, b)).sum::<f64>() / pairs as f64)
    }
}

/// Squared maximum mean discrepancy of the groups `a` and `b` (points × `width`), the unbiased estimate with the kernel
/// exp(−|x − y|² / (2·`bandwidth`²)) (Gretton et al. 2012, eq. 3): mean kernel within a plus within b (different points only) less twice that
/// between. 0 is expected of two samples of one distribution, so it may be below. None unless both have two points. O(points²).
pub fn mmd(a: &[f32], b: &[f32], width: usize, bandwidth: f64) -> Option<f64> {
    let kernel = Kernel::new(bandwidth, width);
    Some(kernel.within(a)? + kernel.within(b)? - 2.0 * kernel.between(a, b)?)
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;
    use crate::random;

    fn points(count: usize, width: usize, shift: f32, seed: u64) -> Vec<f32> {
        let mut random = random::stream(seed, "points");
        (0..count * width).map(|_| random.random::<f32>() * 2.0 + shift).collect()
    }

    fn mean_square(a: &[f32], b: &[f32], width: usize, same: bool) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for (i, x) in a.chunks_exact(width).enumerate() {
            for (j, y) in b.chunks_exact(width).enumerate() {
                if !same || i != j {
                    sum += x.iter().zip(y).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum::<f64>();
                    count += 1.0;
                }
            }
        }
        sum / count
    }

    #[test]
    fn e_distance_is_that_of_all_pairs() {
        for (a, b, width) in [(17, 23, 5), (2, 40, 1), (9, 9, 50)] {
            let (x, y) = (points(a, width, 100.0, 1), points(b, width, 100.5, 2));
            let plain = 2.0 * mean_square(&x, &y, width, false)
                - mean_square(&x, &x, width, true)
                - mean_square(&y, &y, width, true);
            let found = e_distance(&x, &y, width).unwrap();
            assert!((found - plain).abs() < 1e-6 * plain.abs().max(1.0), "{found} {plain}");
            assert_eq!(e_distance(&x, &y, width), e_distance(&x, &y, width));
        }
        assert_eq!(e_distance(&[1.0], &[1.0, 2.0], 1), None);
        assert_eq!(e_distance(&[0.0, 2.0], &[1.0, 3.0], 1), Some(2.0 * 3.0 - 4.0 - 4.0));
    }

    #[test]
    fn a_shift_is_found_and_none_is_not() {
        let control = points(300, 4, 0.0, 1);
        let p = |group: &[f32]| {
            e_distance_p_value(group, &control, 4, 199, &mut random::stream(1, "permutations")).unwrap()
        };
        assert_eq!(p(&points(40, 4, 0.5, 2)), 1.0 / 200.0);
        let same: Vec<f64> = (10..40).map(|seed| p(&points(40, 4, 0.0, seed))).collect();
        let small = same.iter().filter(|p| **p <= 0.1).count();
        assert!(small <= 9 && same.iter().any(|p| *p > 0.5), "{same:?}");
        // The larger group may be the one asked about.
        assert_eq!(
            e_distance_p_value(&control, &points(40, 4, 0.5, 2), 4, 199, &mut random::stream(1, "x")).unwrap(),
            1.0 / 200.0
        );
    }

    #[test]
    fn mmd_is_that_of_all_pairs() {
        let (x, y, width) = (points(12, 3, 0.0, 1), points(20, 3, 0.4, 2), 3);
        let bandwidth = median_distance(&[x.clone(), y.clone()].concat(), width).unwrap();
        let k = |a: &[f32], b: &[f32]| {
            let square: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
            (-square / (2.0 * bandwidth * bandwidth)).exp()
        };
        let mean = |a: &[f32], b: &[f32], same: bool| {
            let pairs = a.chunks_exact(width).enumerate().flat_map(|(i, x)| {
                b.chunks_exact(width).enumerate().filter(move |(j, _)| !same || i != *j).map(move |(_, y)| (x, y))
            });
            let values: Vec<f64> = pairs.map(|(x, y)| k(x, y)).collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        let plain = mean(&x, &x, true) + mean(&y, &y, true) - 2.0 * mean(&x, &y, false);
        let found = mmd(&x, &y, width, bandwidth).unwrap();
        assert!((found - plain).abs() < 1e-6, "{found} {plain}");
        assert!(mmd(&x, &points(20, 3, 0.0, 3), width, bandwidth).unwrap() < found);
        assert_eq!(mmd(&x[..3], &y, width, bandwidth), None);
    }

    #[test]
    fn distances_agree_with_another_program() {
        // NumPy and SciPy's cdist by the formulas of scperturb (corrected σ) and of the unbiased MMD².
        let grid = |rows: usize, value: &dyn Fn(f64, f64) -> f64| -> Vec<f32> {
            (0..rows * 4).map(|at| value((at / 4) as f64, (at % 4) as f64) as f32).collect()
        };
        let x = grid(11, &|i, j| (7.0 * i + 3.0 * j).sin());
        let y = grid(7, &|i, j| (5.0 * i + 2.0 * j).cos() + 0.5);
        assert!((e_distance(&x, &y, 4).unwrap() - 1.410_545_557_724_654_8).abs() < 1e-7);
        let bandwidth = median_distance(&[x.clone(), y.clone()].concat(), 4).unwrap();
        assert!((bandwidth - 1.917_056_526_905_394_3).abs() < 1e-6);
        assert!((mmd(&x, &y, 4, bandwidth).unwrap() - 0.172_889_603_934_282_65).abs() < 1e-6);
    }

    #[test]
    fn the_median_is_over_pairs_of_different_points() {
        // Distances 1, 3, 2.
        assert_eq!(median_distance(&[0.0, 1.0, 3.0], 1), Some(2.0));
        // Distances 1, 1, 2, 5, 4, 3: the mean of the two in the middle.
        assert_eq!(median_distance(&[0.0, 1.0, 2.0, 5.0], 1), Some(2.5));
        assert_eq!(median_distance(&[1.0, 1.0, 1.0], 1), None);
        assert_eq!(median_distance(&[1.0], 1), None);
    }
}
