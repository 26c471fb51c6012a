//! Entropic optimal transport between two clouds of points with uniform masses.
//!
//! Minimises ⟨P, C⟩ − ε·H(P) over plans P with row sums 1/n and column sums 1/m, C = scaled Euclidean distance. The
//! solution is P = diag(u)·K·diag(v) with K = exp(−C/ε); Sinkhorn's iteration alternates u = (1/n)/(Kv) and
//! v = (1/m)/(Kᵀu) (Cuturi 2013). Everything is in double precision.
//!
//! One pass over K computes u row by row and adds each row's share of Kᵀu at once, so K is read once per iteration.
//! K is kept where it fits in [`Settings::memory`] and otherwise computed anew in every pass: memory stays bounded
//! for any number of cells. Where ε is so small that K or the scalings leave the range of numbers, the iteration is
//! repeated with logarithms of everything, slower and safe.
//!
//! Rows are worked on in blocks whose number depends on n alone and whose sums are added in order: the result is the
//! same for any number of threads.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, s};
use rayon::prelude::*;

use crate::jobs::{Cancelled, Progress};
use crate::preprocess::normalise::Expression;

/// Blocks of rows at most: each holds a partial sum over the columns.
const MOST_BLOCKS: usize = 64;
/// Rows whose distances are computed together, so that a coordinate is fetched once for all of them.
const TILE: usize = 16;

/// How the transport is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Cost = Euclidean distance / this.
    pub distance_scale: f64,
    /// ε.
    pub regularisation: f64,
    /// Passes at most.
    pub iterations: usize,
    /// Ends when the column sums (1/m each) are off by less than this share of 1/m, as a Euclidean norm.
    pub tolerance: f64,
    /// Bytes that may be used to keep K.
    pub memory: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { distance_scale: 100.0, regularisation: 1.0, iterations: 1000, tolerance: 1e-9, memory: 256 << 20 }
    }
}

/// Points in a space of few dimensions, stored dimension by dimension (dimensions × points).
#[derive(Clone, Debug)]
pub struct Points {
    count: usize,
    dimensions: usize,
    coordinates: Vec<f64>,
}

impl Points {
    /// The rows `cells` of `expression` in the space of the genes `columns`.
    pub fn gather(expression: &Expression<'_>, cells: &[u32], columns: &[u32]) -> Self {
        let mut place = vec![u32::MAX; expression.columns()];
        for (dimension, &column) in columns.iter().enumerate() {
            place[column as usize] = dimension as u32;
        }
        let mut coordinates = vec![0.0; cells.len() * columns.len()];
        for (at, &cell) in cells.iter().enumerate() {
            for (gene, stored) in expression.stored(cell as usize).iter() {
                let dimension = place[gene as usize] as usize;
                if dimension < columns.len() {
                    let value = expression.value(cell as usize, stored);
                    coordinates[dimension * cells.len() + at] = f64::from(value);
                }
            }
        }
        Self { count: cells.len(), dimensions: columns.len(), coordinates }
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Euclidean distances from `point` to all of `others`, into `out`.
    pub(super) fn distances(&self, point: usize, others: &Self, out: &mut [f64]) {
        out.fill(0.0);
        for dimension in 0..self.dimensions {
            let here = self.dimension(dimension)[point];
            for (sum, there) in out.iter_mut().zip(others.dimension(dimension)) {
                let difference = here - there;
                *sum += difference * difference;
            }
        }
        out.iter_mut().for_each(|value| *value = value.sqrt());
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Points × dimensions.
    fn view(&self) -> ArrayView2<'_, f64> {
        ArrayView2::from_shape((self.dimensions, self.count), &self.coordinates)
            .map_or_else(|_| unreachable!("as many coordinates as points and dimensions"), ArrayView2::reversed_axes)
    }

    /// Squared lengths.
    fn squares(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.count];
        for dimension in 0..self.dimensions {
            squares.iter_mut().zip(self.dimension(dimension)).for_each(|(sum, value)| *sum += value * value);
        }
        squares
    }

    fn dimension(&self, dimension: usize) -> &[f64] {
        &self.coordinates[dimension * self.count..(dimension + 1) * self.count]
    }
}

/// Where most of a point's mass goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// The point that receives most; the first of equals.
    pub to: usize,
    /// (largest − second largest mass) / largest; 1 with a single candidate.
    pub gap: f64,
}

/// A transport plan, as its scalings.
#[derive(Clone, Debug)]
pub struct Plan {
    /// One per point that mass leaves.
    pub choices: Vec<Choice>,
    /// ln u, up to a constant shared with `log_v`.
    pub log_u: Vec<f64>,
    /// ln v.
    pub log_v: Vec<f64>,
    /// Passes made.
    pub iterations: usize,
}

/// Move uniform mass on `from` to uniform mass on `to`. Neither may be empty.
pub fn transport(from: &Points, to: &Points, settings: &Settings, progress: &dyn Progress) -> Result<Plan, Cancelled> {
    let kernel = Kernel::new(from, to, settings, progress)?;
    match scale(&kernel, settings, progress)? {
        Some(plan) => Ok(plan),
        None => scale_logarithms(&kernel, settings, progress),
    }
}

/// −C/ε or its exponential, row by row.
struct Kernel<'a> {
    from: &'a Points,
    to: &'a Points,
    /// Squared lengths of both.
    squares: [Vec<f64>; 2],
    /// −1 / (scale·ε).
    factor: f64,
    /// All rows, if they fit.
    kept: Option<Vec<f64>>,
}

impl<'a> Kernel<'a> {
    fn new(from: &'a Points, to: &'a Points, settings: &Settings, progress: &dyn Progress) -> Result<Self, Cancelled> {
        assert_eq!(from.dimensions, to.dimensions, "both clouds lie in one space");
        let factor = -1.0 / (settings.distance_scale * settings.regularisation);
        let squares = [from.squares(), to.squares()];
        let mut kernel = Self { from, to, squares, factor, kept: None };
        let bytes = from.len().saturating_mul(to.len()).saturating_mul(size_of::<f64>());
        if bytes <= settings.memory {
            let mut kept = vec![0.0; from.len() * to.len()];
            kept.par_chunks_mut(TILE * to.len()).enumerate().try_for_each(|(tile, out)| {
                progress.check()?;
                kernel.compute(tile * TILE..tile * TILE + out.len() / to.len(), out);
                Ok(())
            })?;
            kernel.kept = Some(kept);
        }
        Ok(kernel)
    }

    /// ln K of `rows`, from |a − b|² = |a|² + |b|² − 2ab. Of neighbours 1e-7 apart nothing is left of that, which at the usual scale of 100
    /// changes K in the ninth digit.
    fn compute_logarithms(&self, rows: Range<usize>, out: &mut [f64]) {
        let [from, to] = &self.squares;
        let shape = (rows.len(), self.to.len());
        let Ok(mut products) = ArrayViewMut2::from_shape(shape, &mut *out) else {
            unreachable!("a place for each pair")
        };
        let points = self.from.view();
        general_mat_mul(-2.0, &points.slice(s![rows.clone(), ..]), &self.to.view().t(), 0.0, &mut products);
        for (row, out) in rows.zip(out.chunks_exact_mut(self.to.len())) {
            for (value, to) in out.iter_mut().zip(to) {
                *value = (*value + from[row] + to).max(0.0).sqrt() * self.factor;
            }
        }
    }

    fn compute(&self, rows: Range<usize>, out: &mut [f64]) {
        self.compute_logarithms(rows, out);
        for value in out {
            *value = value.exp();
        }
    }

    /// K of `rows` (a few), from memory or computed into `buffer`.
    fn rows<'b>(&'b self, rows: Range<usize>, buffer: &'b mut [f64]) -> &'b [f64] {
        let columns = self.to.len();
        match &self.kept {
            Some(kept) => &kept[rows.start * columns..rows.end * columns],
            None => {
                let buffer = &mut buffer[..rows.len() * columns];
                self.compute(rows, buffer);
                buffer
            }
        }
    }

    /// Space for a tile, if rows are not kept.
    fn buffer(&self) -> Vec<f64> {
        vec![0.0; if self.kept.is_some() { 0 } else { TILE * self.to.len() }]
    }

    fn rows_per_block(&self) -> usize {
        self.from.len().div_ceil(MOST_BLOCKS).next_multiple_of(TILE)
    }
}

/// Sinkhorn's iteration on the numbers themselves; none if they leave their range.
fn scale(kernel: &Kernel<'_>, settings: &Settings, progress: &dyn Progress) -> Result<Option<Plan>, Cancelled> {
    let (n, m) = (kernel.from.len(), kernel.to.len());
    let (row_mass, column_mass) = (1.0 / n as f64, 1.0 / m as f64);
    let tolerance = settings.tolerance * column_mass;
    let mut u = vec![0.0; n];
    let mut v = vec![column_mass; m];
    let mut iterations = 0;
    loop {
        iterations += 1;
        let sums: Vec<Vec<f64>> = u
            .par_chunks_mut(kernel.rows_per_block())
            .enumerate()
            .map(|(block, u)| {
                let first = block * kernel.rows_per_block();
                let mut buffer = kernel.buffer();
                let mut sums = vec![0.0; m];
                for (start, u) in (first..).step_by(TILE).zip(u.chunks_mut(TILE)) {
                    progress.check()?;
                    let rows = kernel.rows(start..start + u.len(), &mut buffer);
                    for (u, row) in u.iter_mut().zip(rows.chunks_exact(m)) {
                        *u = row_mass / dot(row, &v);
                        for (sum, value) in sums.iter_mut().zip(row) {
                            *sum += *u * value;
                        }
                    }
                }
                Ok(sums)
            })
            .collect::<Result<_, Cancelled>>()?;
        // Kᵀu; v·Kᵀu are the column sums of the plan with the old v.
        let mut transposed = vec![0.0; m];
        for block in &sums {
            for (total, sum) in transposed.iter_mut().zip(block) {
                *total += sum;
            }
        }
        let mut error = 0.0;
        let mut in_range = true;
        for (v, transposed) in v.iter_mut().zip(&transposed) {
            error += (*v * transposed - column_mass).powi(2);
            *v = column_mass / transposed;
            in_range &= v.is_finite() && *v > 0.0;
        }
        if !in_range || u.iter().any(|u| !(u.is_finite() && *u > 0.0)) {
            return Ok(None);
        }
        if error.sqrt() < tolerance || iterations >= settings.iterations {
            break;
        }
    }
    let choices = choose(kernel, &v, progress)?;
    let log = |values: &[f64]| values.iter().map(|value| value.ln()).collect();
    Ok(Some(Plan { choices, log_u: log(&u), log_v: log(&v), iterations }))
}

/// The largest K·v of each row: u does not change which it is.
fn choose(kernel: &Kernel<'_>, v: &[f64], progress: &dyn Progress) -> Result<Vec<Choice>, Cancelled> {
    let rows: Vec<usize> = (0..kernel.from.len()).collect();
    let blocks: Vec<Vec<Choice>> = rows
        .par_chunks(kernel.rows_per_block())
        .map(|rows| {
            let mut buffer = kernel.buffer();
            let mut choices = Vec::with_capacity(rows.len());
            for tile in rows.chunks(TILE) {
                progress.check()?;
                let tile = kernel.rows(tile[0]..tile[0] + tile.len(), &mut buffer);
                choices.extend(tile.chunks_exact(v.len()).map(|row| {
                    let (to, most, second) = largest_two(row.iter().zip(v).map(|(value, v)| value * v));
                    Choice { to, gap: if v.len() == 1 { 1.0 } else { (most - second) / most } }
                }));
            }
            Ok(choices)
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(blocks.concat())
}

/// The same iteration on logarithms f = ln u, g = ln v.
fn scale_logarithms(kernel: &Kernel<'_>, settings: &Settings, progress: &dyn Progress) -> Result<Plan, Cancelled> {
    let (n, m) = (kernel.from.len(), kernel.to.len());
    let (row_mass, column_mass) = (-(n as f64).ln(), -(m as f64).ln());
    let tolerance = settings.tolerance / m as f64;
    let mut f = vec![0.0; n];
    let mut g = vec![column_mass; m];
    let mut iterations = 0;
    loop {
        iterations += 1;
        let sums: Vec<Vec<LogSum>> = f
            .par_chunks_mut(kernel.rows_per_block())
            .enumerate()
            .map(|(block, f)| {
                let first = block * kernel.rows_per_block();
                let mut buffer = vec![0.0; TILE * m];
                let mut sums = vec![LogSum::default(); m];
                for (start, f) in (first..).step_by(TILE).zip(f.chunks_mut(TILE)) {
                    progress.check()?;
                    kernel.compute_logarithms(start..start + f.len(), &mut buffer[..f.len() * m]);
                    for (f, values) in f.iter_mut().zip(buffer.chunks_exact(m)) {
                        let mut row = LogSum::default();
                        values.iter().zip(&g).for_each(|(value, g)| row.add(value + g));
                        *f = row_mass - row.logarithm();
                        sums.iter_mut().zip(values).for_each(|(sum, value)| sum.add(value + *f));
                    }
                }
                Ok(sums)
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut transposed = vec![LogSum::default(); m];
        for block in &sums {
            transposed.iter_mut().zip(block).for_each(|(total, sum)| total.join(sum));
        }
        let mut error = 0.0;
        for (g, transposed) in g.iter_mut().zip(&transposed) {
            let column = transposed.logarithm();
            error += ((*g + column).exp() - column_mass.exp()).powi(2);
            *g = column_mass - column;
        }
        if error.sqrt() < tolerance || iterations >= settings.iterations {
            break;
        }
    }
    let rows: Vec<usize> = (0..n).collect();
    let choices: Vec<Vec<Choice>> = rows
        .par_chunks(kernel.rows_per_block())
        .map(|rows| {
            let mut buffer = vec![0.0; TILE * m];
            let mut choices = Vec::with_capacity(rows.len());
            for tile in rows.chunks(TILE) {
                progress.check()?;
                kernel.compute_logarithms(tile[0]..tile[0] + tile.len(), &mut buffer[..tile.len() * m]);
                choices.extend(buffer.chunks_exact(m).take(tile.len()).map(|row| {
                    let (to, most, second) = largest_two(row.iter().zip(&g).map(|(value, g)| value + g));
                    Choice { to, gap: if m == 1 { 1.0 } else { -(second - most).exp_m1() } }
                }));
            }
            Ok(choices)
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(Plan { choices: choices.concat(), log_u: f, log_v: g, iterations })
}

/// Sum of exponentials, kept as largest exponent and rest.
#[derive(Clone, Copy, Debug)]
struct LogSum {
    largest: f64,
    rest: f64,
}

impl Default for LogSum {
    fn default() -> Self {
        Self { largest: f64::NEG_INFINITY, rest: 0.0 }
    }
}

impl LogSum {
    fn add(&mut self, exponent: f64) {
        self.join(&Self { largest: exponent, rest: 1.0 });
    }

    fn join(&mut self, other: &Self) {
        if other.largest > self.largest {
            self.rest = other.rest + self.rest * (self.largest - other.largest).exp();
            self.largest = other.largest;
        } else if other.largest > f64::NEG_INFINITY {
            self.rest += other.rest * (other.largest - self.largest).exp();
        }
    }

    fn logarithm(self) -> f64 {
        self.largest + self.rest.ln()
    }
}

/// Dot product with eight running sums, so that it vectorises.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (a_blocks, b_blocks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a_blocks.remainder().iter().zip(b_blocks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_blocks.zip(b_blocks) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Position of the largest value (the first of equals), the value, and the second largest.
fn largest_two(values: impl Iterator<Item = f64>) -> (usize, f64, f64) {
    let (mut at, mut most, mut second) = (0, f64::NEG_INFINITY, f64::NEG_INFINITY);
    for (position, value) in values.enumerate() {
        if value > most {
            (at, second, most) = (position, most, value);
        } else if value > second {
            second = value;
        }
    }
    (at, most, second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::CsrMatrix;
    use crate::jobs::Silent;

    fn points(dimensions: usize, rows: &[f64]) -> Points {
        let count = rows.len() / dimensions;
        let coordinates = (0..dimensions).flat_map(|d| (0..count).map(move |row| rows[row * dimensions + d]));
        Points { count, dimensions, coordinates: coordinates.collect() }
    }

    fn masses(kernel: &Kernel<'_>, plan: &Plan) -> Vec<Vec<f64>> {
        let mut row = vec![0.0; kernel.to.len()];
        let rows = plan.log_u.iter().enumerate().map(|(at, u)| {
            kernel.compute_logarithms(at..at + 1, &mut row);
            row.iter().zip(&plan.log_v).map(|(k, v)| (u + k + v).exp()).collect()
        });
        rows.collect()
    }

    #[test]
    fn gathered_points_keep_the_order_of_genes_and_cells() {
        let matrix = CsrMatrix::from_dense(2, 3, &[1.0, 0.0, 3.0, 4.0, 5.0, 0.0]);
        let expression = Expression::as_is(&matrix);
        let gathered = Points::gather(&expression, &[1, 0], &[2, 0]);
        assert_eq!(gathered.coordinates, [0.0, 3.0, 4.0, 1.0]);
    }

    #[test]
    fn with_little_regularisation_each_point_finds_its_neighbour() {
        let settings = Settings { distance_scale: 1.0, regularisation: 1e-4, ..Settings::default() };
        let from = points(2, &[0.0, 0.0, 10.0, 0.0, 0.0, 10.0]);
        let to = points(2, &[10.1, 0.0, 0.0, 9.9, 0.2, 0.0]);
        // exp(−0.1/0.0001) is 0 as a number: this takes the way over logarithms.
        let kernel = Kernel::new(&from, &to, &settings, &Silent).unwrap();
        assert!(scale(&kernel, &settings, &Silent).unwrap().is_none());
        let plain = Settings { regularisation: 0.1, ..settings };
        for settings in [settings, plain] {
            let plan = transport(&from, &to, &settings, &Silent).unwrap();
            assert_eq!(plan.choices.iter().map(|choice| choice.to).collect::<Vec<_>>(), [2, 0, 1]);
            assert!(plan.choices.iter().all(|choice| choice.gap > 0.99));
        }
    }

    #[test]
    fn a_single_candidate_is_taken_and_equal_ones_give_no_gap() {
        let one = points(1, &[3.0]);
        let two = points(1, &[1.0, 1.0]);
        let plan = transport(&two, &one, &Settings::default(), &Silent).unwrap();
        assert!(plan.choices.iter().all(|choice| choice.to == 0 && choice.gap == 1.0));
        let plan = transport(&one, &two, &Settings::default(), &Silent).unwrap();
        assert_eq!(plan.choices, [Choice { to: 0, gap: 0.0 }]);
    }

    proptest! {
        #[test]
        fn plans_have_uniform_margins_and_do_not_depend_on_memory_or_on_logarithms(
            from in prop::collection::vec(-4.0..4.0f64, 2..60),
            to in prop::collection::vec(-4.0..4.0f64, 2..60),
            scale_of_distance in 1.0..100.0f64,
        ) {
            let from = points(2, &from[..from.len() / 2 * 2]);
            let to = points(2, &to[..to.len() / 2 * 2]);
            let settings = Settings { distance_scale: scale_of_distance, ..Settings::default() };
            let kernel = Kernel::new(&from, &to, &settings, &Silent).unwrap();
            let plan = transport(&from, &to, &settings, &Silent).unwrap();
            let mass = masses(&kernel, &plan);
            for row in &mass {
                prop_assert!((row.iter().sum::<f64>() * from.len() as f64 - 1.0).abs() < 1e-7);
            }
            for column in 0..to.len() {
                let sum: f64 = mass.iter().map(|row| row[column]).sum();
                prop_assert!((sum * to.len() as f64 - 1.0).abs() < 1e-7);
            }
            let unkept = Settings { memory: 0, ..settings };
            prop_assert_eq!(&plan.choices, &transport(&from, &to, &unkept, &Silent).unwrap().choices);
            let slow = scale_logarithms(&kernel, &settings, &Silent).unwrap();
            for (a, b) in plan.choices.iter().zip(&slow.choices) {
                prop_assert!((a.gap - b.gap).abs() < 1e-6);
                prop_assert!(a.to == b.to || a.gap < 1e-6);
            }
        }
    }
}
