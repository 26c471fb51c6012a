//! Principal components of sparse values, every gene centred, and scaled to variance 1 where that is wanted.
//!
//! The covariance (or correlation) matrix of the chosen genes is summed from the stored values, and its leading eigenvectors come from
//! Lanczos' iteration (`preprocess::eigen`): a cell is never written out densely.

use rayon::prelude::*;

use crate::data::CsrMatrix;
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::eigen::leading_eigenvectors;

/// Parts the cells are summed in; the number does not depend on the threads.
const PARTS: usize = 4;
/// Steps of Lanczos' iteration at most: far beyond what 30 eigenvectors need.
const MOST_STEPS: usize = 400;
/// Not a chosen gene.
const NONE: u32 = u32::MAX;

/// What a stored value counts as: its cell's place among the rows, and the value. 0 must stay 0.
pub(crate) type ValueOf<'a> = &'a (dyn Fn(usize, f32) -> f64 + Sync);

/// Linear coordinates: Σ weights·value − offset.
pub(crate) struct Components {
    /// Place of each column among the chosen genes.
    place: Vec<u32>,
    /// Chosen genes × components.
    weights: Vec<f64>,
    offset: Vec<f64>,
}

impl Components {
    /// The leading `count` components (fewer if there are not that many) of the rows `rows` of `counts` in `genes`, of the
    /// correlation matrix if `scaled`, else of the covariance matrix.
    #[expect(clippy::too_many_arguments)]
    pub fn fit(
        counts: &CsrMatrix,
        rows: &[u32],
        value_of: ValueOf<'_>,
        scaled: bool,
        genes: &[u32],
        count: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        let mut place = vec![NONE; counts.columns()];
        genes.iter().enumerate().for_each(|(at, &gene)| place[gene as usize] = at as u32);
        let size = genes.len();
        let products = Products::sum(counts, rows, value_of, &place, size, progress)?;
        let cells = rows.len() as f64;
        let means: Vec<f64> = products.sums.iter().map(|sum| sum / cells).collect();
        let deviation = |gene: usize| match scaled {
            true => (products.matrix[gene * size + gene] / cells - means[gene].powi(2)).sqrt(),
            false => 1.0,
        };
        let deviations: Vec<f64> = (0..size).map(deviation).collect();
        let mut correlation = products.matrix;
        correlation.par_chunks_mut(size).enumerate().for_each(|(a, row)| {
            for (b, value) in row.iter_mut().enumerate() {
                let scale = deviations[a] * deviations[b];
                *value = if scale > 0.0 { (*value / cells - means[a] * means[b]) / scale } else { 0.0 };
            }
        });
        let count = count.min(size).min(rows.len() - 1);
        let vectors = leading_eigenvectors(&correlation, size, count, MOST_STEPS, seed, progress)?.1;
        let mut weights = vec![0.0; size * count];
        let mut offset = vec![0.0; count];
        for (component, vector) in vectors.iter().enumerate() {
            for gene in 0..size {
                if deviations[gene] > 0.0 {
                    weights[gene * count + component] = vector[gene] / deviations[gene];
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
        value_of: ValueOf<'_>,
        progress: &dyn Progress,
    ) -> Result<Vec<f32>, Cancelled> {
        let width = self.count();
        let mut points = vec![0.0; rows.len() * width];
        points.par_chunks_mut(width.max(1)).zip(rows).enumerate().try_for_each(|(at, (point, &row))| {
            progress.check()?;
            let mut sums: Vec<f64> = self.offset.iter().map(|offset| -offset).collect();
            for (column, value) in counts.row(row as usize).iter() {
                let place = self.place[column as usize];
                if place != NONE {
                    let value = value_of(at, value);
                    let weights = &self.weights[place as usize * width..][..width];
                    sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
                }
            }
            point.iter_mut().zip(sums).for_each(|(value, sum)| *value = sum as f32);
            Ok(())
        })?;
        Ok(points)
    }
}

/// Σ x and Σ x·xᵀ over cells, x = values of the chosen genes.
struct Products {
    sums: Vec<f64>,
    matrix: Vec<f64>,
}

impl Products {
    fn sum(
        counts: &CsrMatrix,
        rows: &[u32],
        value_of: ValueOf<'_>,
        place: &[u32],
        size: usize,
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        let part = rows.len().div_ceil(PARTS);
        let parts: Vec<Self> =
            rows.par_chunks(part)
                .enumerate()
                .map(|(number, rows)| {
                    let mut products = Self { sums: vec![0.0; size], matrix: vec![0.0; size * size] };
                    let mut cell = Vec::new();
                    for (at, &row) in rows.iter().enumerate() {
                        if at % 64 == 0 {
                            progress.check()?;
                        }
                        let stored = counts.row(row as usize).iter();
                        let chosen = stored.filter(|(column, _)| place[*column as usize] != NONE);
                        cell.clear();
                        cell.extend(chosen.map(|(column, value)| {
                            (place[column as usize] as usize, value_of(number * part + at, value))
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

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;
    use crate::jobs::Silent;
    use crate::random;

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
        let value = |at: usize, count: f32| 1e6 * f64::from(count) / totals[at];
        for scaled in [true, false] {
            let components = Components::fit(&counts, &rows, &value, scaled, &genes, 3, 1, &Silent).unwrap();
            let points = components.project(&counts, &rows, &value, &Silent).unwrap();
            for component in 0..3 {
                let values = || points.iter().skip(component).step_by(3).map(|&value| f64::from(value));
                let size = values().map(f64::abs).sum::<f64>() / 200.0;
                assert!((values().sum::<f64>() / 200.0).abs() < 1e-5 * size.max(10.0));
            }
            let spread =
                |component: usize| points.iter().skip(component).step_by(3).map(|value| value * value).sum::<f32>();
            assert!(spread(0) > spread(1) && spread(1) > spread(2));
        }
    }
}
