//! Library-size normalisation and logarithm: x ↦ ln(1 + s·x / Σx), sparse in, sparse out.

use rayon::prelude::*;

use crate::data::CsrMatrix;
use crate::jobs::{Cancelled, Progress};

/// Rows between two looks at the cancel flag.
const ROWS_PER_CHUNK: usize = 1024;

/// The usual target of the normalisation: the median library size of the cells that have counts at all; none if no
/// cell has.
pub fn median_library_size(sizes: &[f64]) -> Option<f64> {
    let mut positive: Vec<f64> = sizes.iter().copied().filter(|size| *size > 0.0).collect();
    positive.sort_unstable_by(f64::total_cmp);
    let middle = positive.len() / 2;
    let upper = *positive.get(middle)?;
    Some(if positive.len() % 2 == 1 { upper } else { (positive[middle - 1] + upper) / 2.0 })
}

/// The rows `cells` of `counts`, each scaled to `target_sum` counts, then ln(1 + x): `cells.len()` × genes.
///
/// A cell without counts stays empty. The arithmetic is scanpy's (`normalize_total`, `log1p`): single precision,
/// x / (Σx / target), so that cells whose values tie there tie here. The logarithm is rounded once.
pub fn log_normalise(
    counts: &CsrMatrix,
    cells: &[u32],
    target_sum: f64,
    progress: &dyn Progress,
) -> Result<CsrMatrix, Cancelled> {
    let (starts, indices, mut values) = counts.select_rows(cells).into_parts();
    let mut rows: Vec<&mut [f32]> = Vec::with_capacity(cells.len());
    let mut rest = values.as_mut_slice();
    for bounds in starts.windows(2) {
        let (row, after) = rest.split_at_mut(bounds[1] - bounds[0]);
        rows.push(row);
        rest = after;
    }
    rows.par_chunks_mut(ROWS_PER_CHUNK).try_for_each(|chunk| {
        progress.check()?;
        for row in chunk {
            let total: f64 = row.iter().map(|&value| f64::from(value)).sum();
            let factor = total as f32 / target_sum as f32;
            for value in row.iter_mut() {
                *value = f64::from(*value / factor).ln_1p() as f32;
            }
        }
        Ok(())
    })?;
    Ok(CsrMatrix::new(cells.len(), counts.columns(), starts, indices, values).expect("the places of values are kept"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;

    #[test]
    fn cells_without_counts_are_left_out_of_the_median() {
        assert_eq!(median_library_size(&[0.0, 10.0, 30.0, 0.0]), Some(20.0));
        assert_eq!(median_library_size(&[0.0, 10.0, 30.0, 12.0]), Some(12.0));
        assert_eq!(median_library_size(&[0.0]), None);
    }

    #[test]
    fn cells_are_scaled_to_the_target_before_the_logarithm() {
        let counts = CsrMatrix::from_dense(3, 2, &[1.0, 3.0, 0.0, 0.0, 0.0, 2.0]);
        let normalised = log_normalise(&counts, &[2, 1, 0], 8.0, &Silent).unwrap();
        assert_eq!(normalised.rows(), 3);
        assert_eq!(normalised.get(0, 1), 9f32.ln());
        assert_eq!(normalised.row(1).0.len(), 0);
        assert_eq!((normalised.get(2, 0), normalised.get(2, 1)), (3f32.ln(), 7f32.ln()));
    }
}
