//! Local regression of one variable on another (loess, Cleveland & Devlin 1988), as interpolated by Cleveland & Grosse
//! 1991 ("Computational methods for local regression").
//!
//! A quadratic is fitted by weighted least squares to the nearest share `span` of the points, with tricube weights.
//! It is not fitted at every point: the range is halved at medians until a cell holds at most a fifth of the
//! neighbourhood; value and slope are fitted at the ends of the cells, and a cubic (Hermite) joins them. S, R and
//! scikit-misc compute loess that way by default (`surface="interpolate"`, `cell=0.2`), so their numbers are met only by
//! doing the same.

use thiserror::Error;

/// Share of the neighbourhood that a cell may hold (`cell`).
const CELL: f64 = 0.2;
/// How far the first cell reaches beyond the points, as a share of their range.
const MARGIN: f64 = 0.005;
/// Coefficients of a quadratic.
const TERMS: usize = 3;

/// Why no curve can be fitted.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub enum LoessError {
    /// Fewer points in a neighbourhood than a quadratic needs.
    #[error("{points} points are too few for a smooth curve with a span of {span}: {needed} are needed")]
    TooFewPoints {
        /// Number of points.
        points: usize,
        /// Share of the points in a neighbourhood.
        span: f64,
        /// Number needed.
        needed: usize,
    },
    /// All points of a neighbourhood lie at the same place.
    #[error("a neighbourhood of {points} points has no width: more than a share of {span} of the points are equal")]
    NoWidth {
        /// Points in the neighbourhood.
        points: usize,
        /// Share of the points in a neighbourhood.
        span: f64,
    },
}

/// The smooth value at each of `x`, given `y` there. All values must be finite.
pub fn loess(x: &[f64], y: &[f64], span: f64) -> Result<Vec<f64>, LoessError> {
    assert_eq!(x.len(), y.len(), "one y for every x");
    let points = x.len();
    let neighbours = points.min((points as f64 * span + 1e-5).floor() as usize);
    if neighbours <= TERMS {
        let needed = ((TERMS + 1) as f64 / span).ceil() as usize;
        return Err(LoessError::TooFewPoints { points, span, needed });
    }
    let mut order: Vec<usize> = (0..points).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let sorted = Points { x: order.iter().map(|&at| x[at]).collect(), y: order.iter().map(|&at| y[at]).collect() };
    let vertices = vertices(&sorted.x, (points as f64 * (span * CELL)).floor() as usize);
    let fits: Vec<Fit> = vertices
        .iter()
        .map(|&vertex| sorted.fit(vertex, neighbours).ok_or(LoessError::NoWidth { points: neighbours, span }))
        .collect::<Result<_, LoessError>>()?;
    Ok(x.iter().map(|&x| interpolate(&vertices, &fits, x)).collect())
}

/// Ends of all cells, ascending: `x` is sorted, and a cell of more than `most` points is cut near its median.
fn vertices(x: &[f64], most: usize) -> Vec<f64> {
    let (low, high) = (x[0], x[x.len() - 1]);
    let margin = MARGIN * (high - low).max(1e-10 * low.abs().max(high.abs()) + 1e-30);
    let mut ends = vec![low - margin, high + margin];
    let most_cells = x.len().max(200);
    // Cells in the order they are made: first point, last point, both ends.
    let mut cells = std::collections::VecDeque::from([(0, x.len() - 1, low - margin, high + margin)]);
    while let Some((first, last, from, to)) = cells.pop_front() {
        let made = 2 * ends.len() - 3;
        if last + 1 - first <= most || to <= from || made + 2 > most_cells {
            continue;
        }
        let cut = cut(x, first, last);
        if x[cut] == from || x[cut] == to {
            continue;
        }
        ends.push(x[cut]);
        cells.push_back((first, cut, from, x[cut]));
        cells.push_back((cut + 1, last, x[cut], to));
    }
    ends.sort_by(f64::total_cmp);
    ends
}

/// The last point below the cut of the cell `first..=last`: the median, or the nearest place where neighbours differ
/// (first above, then below), if that is found before one end of the cell is reached.
fn cut(x: &[f64], first: usize, last: usize) -> usize {
    // Points are counted from 1 in the published algorithm, which decides to which side the median of an even number goes.
    let middle = (first + last + 2) / 2 - 1;
    let differs = |at: usize| x[at] != x[at + 1];
    for distance in 0.. {
        let above = middle + distance;
        if above >= last {
            break;
        }
        if differs(above) {
            return above;
        }
        if distance == 0 {
            continue;
        }
        let Some(below) = middle.checked_sub(distance).filter(|&below| below >= first) else { break };
        if differs(below) {
            return below;
        }
    }
    middle
}

/// Value and slope at a vertex.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Fit {
    value: f64,
    slope: f64,
}

/// Cubic between the vertices around `x`; a vertex belongs to the cell below it.
fn interpolate(vertices: &[f64], fits: &[Fit], x: f64) -> f64 {
    let right = vertices.partition_point(|&vertex| vertex < x).clamp(1, vertices.len() - 1);
    let (from, to) = (vertices[right - 1], vertices[right]);
    let (a, b) = (fits[right - 1], fits[right]);
    let (width, h) = (to - from, (x - from) / (to - from));
    let rest = 1.0 - h;
    let values = rest * rest * (1.0 + 2.0 * h) * a.value + h * h * (3.0 - 2.0 * h) * b.value;
    values + (h * rest * rest * a.slope - h * h * rest * b.slope) * width
}

/// Points, sorted by x.
struct Points {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Points {
    /// Quadratic around `at` through the `count` nearest points; none if they have no extent.
    fn fit(&self, at: f64, count: usize) -> Option<Fit> {
        let mut first = self.x.partition_point(|&x| x < at).saturating_sub(count).min(self.x.len() - count);
        // Move the window up while the point it would gain is nearer than the one it would lose.
        while first + count < self.x.len() && (self.x[first + count] - at).abs() < (self.x[first] - at).abs() {
            first += 1;
        }
        let (x, y) = (&self.x[first..first + count], &self.y[first..first + count]);
        let square = |x: f64| (x - at) * (x - at);
        let radius = square(x[0]).max(square(x[count - 1]));
        if radius <= 0.0 {
            return None;
        }
        let mut columns = [(); TERMS].map(|()| Vec::with_capacity(count));
        let mut values = Vec::with_capacity(count);
        for (&x, &y) in x.iter().zip(y) {
            let distance = (square(x) / radius).sqrt();
            let weight = (1.0 - distance.powi(3)).powi(3).max(0.0).sqrt();
            let mut term = weight;
            for column in &mut columns {
                column.push(term);
                term *= x - at;
            }
            values.push(weight * y);
        }
        if columns[0].iter().all(|weight| *weight == 0.0) {
            return None;
        }
        let [value, slope, _] = least_squares(columns, values);
        Some(Fit { value, slope })
    }
}

/// The shortest solution of columns · β = values, each column scaled to length 1; directions whose singular value is
/// below 100 ε of the largest are left out.
fn least_squares(mut columns: [Vec<f64>; TERMS], mut values: Vec<f64>) -> [f64; TERMS] {
    let mut scales = [1.0; TERMS];
    for (column, scale) in columns.iter_mut().zip(&mut scales) {
        let length = column.iter().map(|value| value * value).sum::<f64>().sqrt();
        if length > 0.0 {
            column.iter_mut().for_each(|value| *value /= length);
            *scale = length;
        }
    }
    let triangle = triangularise(&mut columns, &mut values);
    let (left, singular, right) = singular_values(triangle);
    let smallest = singular.iter().copied().fold(0.0, f64::max) * 100.0 * f64::EPSILON;
    let mut solution = [0.0; TERMS];
    for direction in 0..TERMS {
        if singular[direction] <= smallest {
            continue;
        }
        let amount = (0..TERMS).map(|row| left[direction][row] * values[row]).sum::<f64>() / singular[direction];
        for term in 0..TERMS {
            solution[term] += amount * right[direction][term] / scales[term];
        }
    }
    solution
}

/// Householder's QR: returns R (by columns) and leaves Qᵀ·values in `values`.
fn triangularise(columns: &mut [Vec<f64>; TERMS], values: &mut [f64]) -> [[f64; TERMS]; TERMS] {
    let mut triangle = [[0.0; TERMS]; TERMS];
    for step in 0..TERMS {
        let length = columns[step][step..].iter().map(|value| value * value).sum::<f64>().sqrt();
        let mut mirror = columns[step][step..].to_vec();
        let first = if mirror[0] > 0.0 { -length } else { length };
        mirror[0] -= first;
        let square: f64 = mirror.iter().map(|value| value * value).sum();
        let reflect = |vector: &mut [f64]| {
            if square > 0.0 {
                let along = 2.0 * mirror.iter().zip(&*vector).map(|(a, b)| a * b).sum::<f64>() / square;
                vector.iter_mut().zip(&mirror).for_each(|(value, mirror)| *value -= along * mirror);
            }
        };
        for column in columns.iter_mut().skip(step) {
            reflect(&mut column[step..]);
        }
        reflect(&mut values[step..]);
        for column in step..TERMS {
            triangle[column][step] = columns[column][step];
        }
    }
    triangle
}

/// Left vectors, singular values and right vectors of a matrix given by columns, by rotating its columns until they are
/// orthogonal (one-sided Jacobi, Hestenes 1958).
fn singular_values(mut columns: [[f64; TERMS]; TERMS]) -> ([[f64; TERMS]; TERMS], [f64; TERMS], [[f64; TERMS]; TERMS]) {
    let dot = |a: &[f64; TERMS], b: &[f64; TERMS]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut right = [[0.0; TERMS]; TERMS];
    (0..TERMS).for_each(|at| right[at][at] = 1.0);
    for _ in 0..60 {
        let mut rotated = false;
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            let (aa, bb, ab) =
                (dot(&columns[p], &columns[p]), dot(&columns[q], &columns[q]), dot(&columns[p], &columns[q]));
            if ab == 0.0 || ab.abs() <= f64::EPSILON * (aa * bb).sqrt() {
                continue;
            }
            rotated = true;
            let half = (bb - aa) / (2.0 * ab);
            let tangent = half.signum() / (half.abs() + (1.0 + half * half).sqrt());
            let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
            let sine = cosine * tangent;
            for matrix in [&mut columns, &mut right] {
                // p < q
                let (before, from) = matrix.split_at_mut(q);
                for (a, b) in before[p].iter_mut().zip(&mut from[0]) {
                    (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    let singular = columns.map(|column| dot(&column, &column).sqrt());
    for (column, length) in columns.iter_mut().zip(singular) {
        if length > 0.0 {
            column.iter_mut().for_each(|value| *value /= length);
        }
    }
    (columns, singular, right)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Points with ties, and what scikit-misc's `loess(x, y, span=0.3, degree=2)` makes of them.
    const X: [f64; 60] = [
        0.250, 0.875, 2.250, 0.750, 2.375, 0.625, 0.250, 0.375, 1.250, 0.250, 2.500, 1.500, 3.875, 0.625, 0.500, 3.500,
        1.500, 0.000, 0.750, 1.000, 2.375, 1.250, 0.500, 1.000, 2.000, 1.750, 1.500, 1.875, 2.125, 0.250, 3.500, 0.750,
        0.625, 3.250, 1.125, 0.625, 0.500, 2.625, 0.000, 1.125, 1.250, 1.375, 0.500, 0.250, 2.000, 1.750, 4.375, 1.375,
        0.750, 1.375, 1.625, 0.625, 3.250, 2.250, 1.000, 0.250, 0.625, 4.250, 0.625, 1.625,
    ];
    const Y: [f64; 60] = [
        0.0164, 0.1975, 1.0541, 0.7956, 0.7087, 0.6871, -0.0616, 0.0543, 0.7960, 0.3254, 0.7095, 0.2775, -0.7414,
        0.7111, 0.5604, -0.9298, 0.6405, 0.0240, 0.7926, 1.1655, 0.9697, 0.6940, 0.8754, 0.8085, 0.9363, 1.5300,
        1.1505, 0.9391, 1.3453, 0.0764, -0.0418, 0.5736, 1.0051, -0.1532, 0.9263, 0.8971, 0.4764, 0.6769, -0.4290,
        0.8153, 0.9460, 0.9479, 0.5874, -0.1786, 0.4623, 0.9120, -1.2556, 1.0709, 0.7776, 0.5339, 0.9085, -0.1259,
        -0.5492, 1.0991, 0.6015, 0.2054, 0.9301, -0.9550, 0.9541, 0.8395,
    ];
    const SMOOTH: [f64; 60] = [
        0.0402194376,
        0.6457402779,
        0.9548955955,
        0.7348500000,
        0.8894375593,
        0.7594421400,
        0.0402194376,
        0.2954167926,
        0.8512568520,
        0.0402194376,
        0.7969010713,
        0.7882052834,
        -0.8131265601,
        0.7594421400,
        0.6249000000,
        -0.4945632331,
        0.7882052834,
        -0.1961676477,
        0.7348500000,
        0.7656406564,
        0.8894375593,
        0.8512568520,
        0.6249000000,
        0.7656406564,
        1.0108101435,
        0.9987917724,
        0.7882052834,
        1.0100841874,
        0.9972126123,
        0.0402194376,
        -0.4945632331,
        0.7348500000,
        0.7594421400,
        -0.2449698602,
        0.8887809875,
        0.7594421400,
        0.6249000000,
        0.6812995802,
        -0.1961676477,
        0.8887809875,
        0.8512568520,
        0.7879353362,
        0.6249000000,
        0.0402194376,
        1.0108101435,
        0.9987917724,
        -1.1374342006,
        0.7879353362,
        0.7348500000,
        0.7879353362,
        0.9149633679,
        0.7594421400,
        -0.2449698602,
        0.9548955955,
        0.7656406564,
        0.0402194376,
        0.7594421400,
        -1.0675698052,
        0.7594421400,
        0.9149633679,
    ];

    #[test]
    fn points_with_ties_are_smoothed_as_by_the_published_program() {
        let smooth = loess(&X, &Y, 0.3).unwrap();
        for (at, (found, expected)) in smooth.iter().zip(SMOOTH).enumerate() {
            assert!((found - expected).abs() < 1e-8, "point {at}: {found} instead of {expected}");
        }
    }

    #[test]
    fn what_cannot_be_fitted_says_why() {
        let few = loess(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], 0.3);
        assert_eq!(few, Err(LoessError::TooFewPoints { points: 3, span: 0.3, needed: 14 }));
        let mut x = vec![1.0; 60];
        x.extend([2.0, 3.0, 4.0]);
        assert_eq!(loess(&x, &x, 0.3), Err(LoessError::NoWidth { points: 18, span: 0.3 }));
    }

    proptest! {
        #[test]
        fn a_quadratic_is_met_exactly_and_the_order_of_points_does_not_matter(
            mut x in prop::collection::vec(-3.0..3.0f64, 40..200), a in -2.0..2.0f64, b in -2.0..2.0f64,
        ) {
            let curve = |x: &f64| 0.5 + a * x + b * x * x;
            let y: Vec<f64> = x.iter().map(curve).collect();
            let smooth = loess(&x, &y, 0.3).unwrap();
            prop_assert!(smooth.iter().zip(&y).all(|(found, expected)| (found - expected).abs() < 1e-8));
            x.reverse();
            let again = loess(&x, &x.iter().map(curve).collect::<Vec<_>>(), 0.3).unwrap();
            prop_assert!(again.iter().rev().zip(&smooth).all(|(a, b)| (a - b).abs() < 1e-8));
        }
    }
}
