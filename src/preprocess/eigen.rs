//! Leading eigenvectors of symmetric matrices: Lanczos' iteration with full reorthogonalisation (Golub & Van Loan, ch. 10).

use rand::RngExt as _;
use rayon::prelude::*;

use crate::jobs::{Cancelled, Progress};
use crate::random;

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The `count` largest eigenvalues of a symmetric `size` × `size` matrix, the largest first, and their eigenvectors, by at most
/// `most_steps` steps of Lanczos' iteration (several times `count`; with `size` steps all are exact).
pub(crate) fn leading_eigenvectors(
    matrix: &[f64],
    size: usize,
    count: usize,
    most_steps: usize,
    seed: u64,
    progress: &dyn Progress,
) -> Result<(Vec<f64>, Vec<Vec<f64>>), Cancelled> {
    let mut random = random::stream(seed, "principal components");
    let steps = size.min(most_steps);
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
    let order = &order[..count.min(order.len())];
    Ok((order.iter().map(|&at| values[at]).collect(), order.par_iter().map(vector).collect()))
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
            let (values, vectors) = leading_eigenvectors(&matrix, size, size, 400, 1, &Silent).unwrap();
            let mut before = f64::INFINITY;
            for (at, vector) in vectors.iter().enumerate() {
                let image: Vec<f64> = matrix.chunks(size).map(|row| dot(row, vector)).collect();
                let value = dot(&image, vector);
                assert!(value <= before + 1e-9 && (value - values[at]).abs() < 1e-9);
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
        let (_, vectors) = leading_eigenvectors(&matrix, 5, 3, 400, 1, &Silent).unwrap();
        assert_eq!(vectors.len(), 3);
        assert!(dot(&vectors[0], &vectors[1]).abs() < 1e-9 && (dot(&vectors[2], &vectors[2]) - 1.0).abs() < 1e-9);
    }
}
