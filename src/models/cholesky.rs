//! Systems of linear equations with a symmetric, positive definite matrix.

/// Partial sums that are added at once: as wide as two vector registers.
const LANES: usize = 8;

/// Σ a·b; the same bytes for the same input.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (left, right) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = left.remainder().iter().zip(right.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in left.zip(right) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum::<f64>() + rest
}

/// X of A·X = B by Cholesky's factorisation A = L·Lᵀ: `matrix` is A (size × size), `right` B (size × columns), both row-major. Not
/// numbers where A is not positive definite.
pub(super) fn solve(mut matrix: Vec<f64>, right: &[f64], size: usize, columns: usize) -> Vec<f64> {
    for row in 0..size {
        let (before, rest) = matrix.split_at_mut(row * size);
        let own = &mut rest[..size];
        for column in 0..row {
            let other = &before[column * size..][..=column];
            own[column] = (own[column] - dot(&own[..column], &other[..column])) / other[column];
        }
        own[row] = (own[row] - dot(&own[..row], &own[..row])).sqrt();
    }
    let mut solved = vec![0.0; size * columns];
    let mut x = vec![0.0; size];
    for column in 0..columns {
        for row in 0..size {
            let factors = &matrix[row * size..][..=row];
            x[row] = (right[row * columns + column] - dot(&factors[..row], &x[..row])) / factors[row];
        }
        for row in (0..size).rev() {
            x[row] /= matrix[row * size + row];
            let (earlier, value) = (&matrix[row * size..][..row], x[row]);
            x[..row].iter_mut().zip(earlier).for_each(|(x, factor)| *x -= factor * value);
        }
        x.iter().enumerate().for_each(|(row, &value)| solved[row * columns + column] = value);
    }
    solved
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;

    #[test]
    fn solutions_solve_their_equations() {
        let mut random = crate::random::stream(3, "cholesky test");
        for (size, columns) in [(1, 1), (2, 3), (9, 1), (31, 4)] {
            // A = F·Fᵀ + I.
            let factors: Vec<Vec<f64>> =
                (0..size).map(|_| (0..size + 3).map(|_| random.random::<f64>() - 0.5).collect()).collect();
            let entry =
                |row: usize, column: usize| dot(&factors[row], &factors[column]) + f64::from(u8::from(row == column));
            let matrix: Vec<f64> = (0..size * size).map(|at| entry(at / size, at % size)).collect();
            let right: Vec<f64> = (0..size * columns).map(|_| random.random::<f64>() - 0.5).collect();
            let solved = solve(matrix.clone(), &right, size, columns);
            for (at, expected) in right.iter().enumerate() {
                let (row, column) = (at / columns, at % columns);
                let found: f64 = (0..size).map(|k| matrix[row * size + k] * solved[k * columns + column]).sum();
                assert!((found - expected).abs() < 1e-12, "{size}: {found} is not {expected}");
            }
        }
        assert!(solve(vec![1.0, 2.0, 2.0, 1.0], &[1.0, 1.0], 2, 1).iter().all(|value| value.is_nan()));
    }
}
