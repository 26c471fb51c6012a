//! Principal components of sparse counts: counts per million, every gene scaled to mean 0 and variance 1.
//!
//! The correlation matrix of the chosen genes is summed from the stored values, and its leading eigenvectors come from
//! Lanczos' iteration with full reorthogonalisation (Golub & Van Loan, ch. 10): a cell is never written out densely.

use rand::RngExt as _;
use rayon::prelude::*;

use crate::data::CsrMatrix;
use crate::jobs::{Cancelled, Progress};
use crate::random;

/// Counts that every cell is scaled to.
const TARGET: f64 = 1e6;
/// Parts the cells are summed in; the number does not depend on the threads.
const PARTS: usize = 4;
/// Steps of Lanczos' iteration at most: far beyond what 30 eigenvectors need.
const MOST_STEPS: usize = 400;
/// Not a chosen gene.
const NONE: u32 = u32::MAX;

/// Linear coordinates: Σ weights·count / total − offset.
pub(super) struct Components {
    /// Place of each column among the chosen genes.
    place: Vec<u32>,
    /// Chosen genes × components.
    weights: Vec<f64>,
    offset: Vec<f64>,
}

impl Components {
    /// The leading `count` components (fewer if there are not that many) of the rows `rows` of `counts` in `genes`.
    pub fn fit(
        counts: &CsrMatrix,
        rows: &[u32],
        totals: &[f64],
        genes: &[u32],
        count: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        let mut place = vec![NONE; counts.columns()];
        genes.iter().enumerate().for_each(|(at, &gene)| place[gene as usize] = at as u32);
        let size = genes.len();
        let products = Products::sum(counts, rows, totals, &place, size, progress)?;
        let cells = rows.len() as f64;
        let means: Vec<f64> = products.sums.iter().map(|sum| sum / cells).collect();
        let deviations: Vec<f64> =
            (0..size).map(|gene| (products.matrix[gene * size + gene] / cells - means[gene].powi(2)).sqrt()).collect();
        let mut correlation = products.matrix;
        correlation.par_chunks_mut(size).enumerate().for_each(|(a, row)| {
            for (b, value) in row.iter_mut().enumerate() {
                let scale = deviations[a] * deviations[b];
                *value = if scale > 0.0 { (*value / cells - means[a] * means[b]) / scale } else { 0.0 };
            }
        });
        let count = count.min(size).min(rows.len() - 1);
        let vectors = leading_eigenvectors(&correlation, size, count, seed, progress)?;
        let mut weights = vec![0.0; size * count];
        let mut offset = vec![0.0; count];
        for (component, vector) in vectors.iter().enumerate() {
            for gene in 0..size {
                if deviations[gene] > 0.0 {
                    weights[gene * count + component] = TARGET * vector[gene] / deviations[gene];
                    offset[component] += means[gene] * vector[gene] / deviations[gene];
                }
            }
        }
        Ok(Self { place, weights, offset })
    }

    /// Number of components.
    pub fn count(&self) -> usize {
        self.offset.len()
    }

    /// Coordinates of the rows `rows`: rows × components.
    pub fn project(
        &self,
        counts: &CsrMatrix,
        rows: &[u32],
        totals: &[f64],
        progress: &dyn Progress,
    ) -> Result<Vec<f32>, Cancelled> {
        let width = self.count();
        let mut points = vec![0.0; rows.len() * width];
        points.par_chunks_mut(width).zip(rows.par_iter().zip(totals)).try_for_each(|(point, (&row, total))| {
            progress.check()?;
            let mut sums: Vec<f64> = self.offset.iter().map(|offset| -offset).collect();
            for (column, value) in counts.row(row as usize).iter() {
                let place = self.place[column as usize];
                if place != NONE {
                    let share = f64::from(value) / total;
                    let weights = &self.weights[place as usize * width..][..width];
                    sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += share * weight);
                }
            }
            point.iter_mut().zip(sums).for_each(|(value, sum)| *value = sum as f32);
            Ok(())
        })?;
        Ok(points)
    }
}

/// Σ x and Σ x·xᵀ over cells, x = counts per million of the chosen genes.
struct Products {
    sums: Vec<f64>,
    matrix: Vec<f64>,
}

impl Products {
    fn sum(
        counts: &CsrMatrix,
        rows: &[u32],
        totals: &[f64],
        place: &[u32],
        size: usize,
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        let part = rows.len().div_ceil(PARTS);
        let parts: Vec<Self> =
            rows.par_chunks(part)
                .zip(totals.par_chunks(part))
                .map(|(rows, totals)| {
                    let mut products = Self { sums: vec![0.0; size], matrix: vec![0.0; size * size] };
                    let mut cell = Vec::new();
                    for (at, (&row, total)) in rows.iter().zip(totals).enumerate() {
                        if at % 64 == 0 {
                            progress.check()?;
                        }
                        let stored = counts.row(row as usize).iter();
                        let chosen = stored.filter(|(column, _)| place[*column as usize] != NONE);
                        cell.clear();
                        cell.extend(chosen.map(|(column, value)| {
                            (place[column as usize] as usize, TARGET * f64::from(value) / total)
                        }));
                        // Columns ascend and so do places: each pair is met once, above the diagonal.
                        for (first, &(a, value)) in cell.iter().enumerate() {
                            products.sums[a] += value;
                            let row = &mut products.matrix[a * size..(a + 1) * size];
                            for &(b, other) in &cell[first..] {
                                row[b] += value * other;
                            }
                        }
                    }
                    Ok(products)
                })
                .collect::<Result<_, Cancelled>>()?;
        let mut total = Self { sums: vec![0.0; size], matrix: vec![0.0; size * size] };
        for part in parts {
            total.sums.iter_mut().zip(part.sums).for_each(|(sum, more)| *sum += more);
            total.matrix.iter_mut().zip(part.matrix).for_each(|(sum, more)| *sum += more);
        }
        for a in 0..size {
            for b in 0..a {
                total.matrix[a * size + b] = total.matrix[b * size + a];
            }
        }
        Ok(total)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Eigenvectors of the `count` largest eigenvalues of a symmetric `size` × `size` matrix, the largest first.
fn leading_eigenvectors(
    matrix: &[f64],
    size: usize,
    count: usize,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Vec<Vec<f64>>, Cancelled> {
    let mut random = random::stream(seed, "principal components");
    let steps = size.min(MOST_STEPS);
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(steps);
    let (mut diagonal, mut beside) = (Vec::with_capacity(steps), Vec::with_capacity(steps));
    let mut next: Vec<f64> = (0..size).map(|_| random.random::<f64>() - 0.5).collect();
    let mut length = dot(&next, &next).sqrt();
    for _ in 0..steps {
        progress.check()?;
        next.iter_mut().for_each(|value| *value /= length);
        let mut image: Vec<f64> = matrix.par_chunks(size).map(|row| dot(row, &next)).collect();
        diagonal.push(dot(&image, &next));
        basis.push(std::mem::take(&mut next));
        // Twice is enough (Kahan & Parlett).
        orthogonalise(&mut image, &basis);
        orthogonalise(&mut image, &basis);
        length = dot(&image, &image).sqrt();
        if length < 1e-10 && basis.len() < size {
            // An invariant space: go on in a new direction.
            beside.push(0.0);
            image = (0..size).map(|_| random.random::<f64>() - 0.5).collect();
            orthogonalise(&mut image, &basis);
            orthogonalise(&mut image, &basis);
            length = dot(&image, &image).sqrt();
        } else {
            beside.push(length);
        }
        next = image;
    }
    let (values, vectors) = tridiagonal_eigenvectors(diagonal, beside);
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let vector = |&at: &usize| {
        let mut sum = vec![0.0; size];
        for (base, &share) in basis.iter().zip(&vectors[at]) {
            sum.iter_mut().zip(base).for_each(|(sum, base)| *sum += share * base);
        }
        sum
    };
    Ok(order.iter().take(count).map(vector).collect())
}

fn orthogonalise(vector: &mut [f64], basis: &[Vec<f64>]) {
    for base in basis {
        let along = dot(vector, base);
        vector.iter_mut().zip(base).for_each(|(value, base)| *value -= along * base);
    }
}

/// Eigenvalues and eigenvectors of a symmetric tridiagonal matrix, by the QL method with implicit shifts (Golub & Van Loan,
/// ch. 8). `beside[i]` stands between `diagonal[i]` and `diagonal[i + 1]`; its last entry is not used.
fn tridiagonal_eigenvectors(mut diagonal: Vec<f64>, mut beside: Vec<f64>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let size = diagonal.len();
    // Row i holds the share of basis vector … in eigenvector i.
    let mut vectors: Vec<Vec<f64>> = (0..size)
        .map(|at| {
            let mut unit = vec![0.0; size];
            unit[at] = 1.0;
            unit
        })
        .collect();
    if let Some(last) = beside.last_mut() {
        *last = 0.0;
    }
    for start in 0..size {
        for _ in 0..60 {
            let negligible =
                |at: &usize| beside[*at].abs() <= f64::EPSILON * (diagonal[*at].abs() + diagonal[*at + 1].abs());
            let end = (start..size - 1).find(negligible).unwrap_or(size - 1);
            if end == start {
                break;
            }
            let half = (diagonal[start + 1] - diagonal[start]) / (2.0 * beside[start]);
            let root = half.hypot(1.0);
            let mut shifted = diagonal[end] - diagonal[start] + beside[start] / (half + root.copysign(half));
            let (mut sine, mut cosine, mut lost) = (1.0, 1.0, 0.0);
            let mut interrupted = false;
            for at in (start..end).rev() {
                let (f, b) = (sine * beside[at], cosine * beside[at]);
                let root = f.hypot(shifted);
                beside[at + 1] = root;
                if root == 0.0 {
                    diagonal[at + 1] -= lost;
                    beside[end] = 0.0;
                    interrupted = true;
                    break;
                }
                (sine, cosine) = (f / root, shifted / root);
                shifted = diagonal[at + 1] - lost;
                let change = (diagonal[at] - shifted) * sine + 2.0 * cosine * b;
                lost = sine * change;
                diagonal[at + 1] = shifted + lost;
                shifted = cosine * change - b;
                let (low, high) = vectors.split_at_mut(at + 1);
                for (a, b) in low[at].iter_mut().zip(&mut high[0]) {
                    (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
                }
            }
            if interrupted {
                continue;
            }
            diagonal[start] -= lost;
            beside[start] = shifted;
            beside[end] = 0.0;
        }
    }
    (diagonal, vectors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;

    #[test]
    fn eigenvectors_of_a_symmetric_matrix_solve_its_equation() {
        for size in [2, 3, 17, 60] {
            let mut random = random::stream(3, "matrix");
            let mut matrix = vec![0.0; size * size];
            for a in 0..size {
                for b in 0..=a {
                    let value = random.random::<f64>() - 0.5;
                    matrix[a * size + b] = value;
                    matrix[b * size + a] = value;
                }
            }
            let vectors = leading_eigenvectors(&matrix, size, size, 1, &Silent).unwrap();
            let mut before = f64::INFINITY;
            for (at, vector) in vectors.iter().enumerate() {
                let image: Vec<f64> = matrix.chunks(size).map(|row| dot(row, vector)).collect();
                let value = dot(&image, vector);
                assert!(value <= before + 1e-9);
                before = value;
                for (image, entry) in image.iter().zip(vector) {
                    assert!((image - value * entry).abs() < 1e-9, "size {size}");
                }
                for (other, vector_b) in vectors.iter().enumerate() {
                    let expected = f64::from(u8::from(at == other));
                    assert!((dot(vector, vector_b) - expected).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn equal_eigenvalues_do_not_end_the_iteration() {
        let mut matrix = vec![0.0; 25];
        (0..5).for_each(|at| matrix[at * 6] = 2.0);
        let vectors = leading_eigenvectors(&matrix, 5, 3, 1, &Silent).unwrap();
        assert_eq!(vectors.len(), 3);
        assert!(dot(&vectors[0], &vectors[1]).abs() < 1e-9 && (dot(&vectors[2], &vectors[2]) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn coordinates_have_the_eigenvalues_as_variance_and_are_linear() {
        let mut random = random::stream(4, "counts");
        let dense: Vec<f32> = (0..200 * 8)
            .map(|at| ((at / 8 % 4) as f32 * f32::from(u8::from(at % 8 < 4)) + 5.0 * random.random::<f32>()).round())
            .collect();
        let counts = CsrMatrix::from_dense(200, 8, &dense);
        let rows: Vec<u32> = (0..200).collect();
        let totals = counts.row_sums();
        let genes: Vec<u32> = (0..8).collect();
        let components = Components::fit(&counts, &rows, &totals, &genes, 3, 1, &Silent).unwrap();
        let points = components.project(&counts, &rows, &totals, &Silent).unwrap();
        for component in 0..3 {
            let values = || points.iter().skip(component).step_by(3).map(|&value| f64::from(value));
            assert!((values().sum::<f64>() / 200.0).abs() < 1e-4);
        }
        let spread =
            |component: usize| points.iter().skip(component).step_by(3).map(|value| value * value).sum::<f32>();
        assert!(spread(0) > spread(1) && spread(1) > spread(2));
    }
}
