//! Variances of standardised counts (`flavor="seurat_v3"`).
//!
//! In each batch a smooth curve of log10 variance on log10 mean says which deviation σ a gene of this mean should have.
//! Counts are cut at mean + σ·√n (n cells), and the standardised variance is Σ(count − mean)² / ((n − 1)σ²). Genes are
//! ranked by it in every batch; those among the first `top` of any batch compete by their median rank over those
//! batches, then by the number of batches.

use thiserror::Error;

use super::loess::{LoessError, loess};
use super::moments::Sums;
use crate::data::{CsrMatrix, median};
use crate::jobs::{Cancelled, Progress};

/// What was found; one entry per gene in every list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StandardisedVariances {
    /// Whether the gene is highly variable.
    pub selected: Vec<bool>,
    /// Mean count over all batches together.
    pub means: Vec<f64>,
    /// Variance (n − 1) of the counts over all batches together.
    pub variances: Vec<f64>,
    /// Standardised variance, the mean over batches.
    pub normalised: Vec<f64>,
    /// Median rank (0 is the most variable gene) over the batches in which it is among the first; NaN if in none.
    pub ranks: Vec<f64>,
    /// Number of these batches.
    pub batches: Vec<u32>,
}

/// Why genes cannot be ranked.
#[derive(Debug, Error, PartialEq)]
pub enum VariableGenesError {
    /// The user cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// No curve of variance on mean.
    #[error(
        "no curve of variance on mean for batch {batch}: {reason}; leave out genes that few cells express, or widen the span"
    )]
    NoCurve {
        /// Number of the batch, from 1.
        batch: usize,
        /// Why.
        reason: LoessError,
    },
    /// A batch with too few cells to have a variance.
    #[error("batch {batch} has {cells} cells, but a variance needs at least 2")]
    TooFewCells {
        /// Number of the batch, from 1.
        batch: usize,
        /// Its cells.
        cells: usize,
    },
}

/// The `top` most variable genes of `counts` (cells × genes) over `batches` (rows of `counts`; one list without
/// batches). `span` is the share of the genes that shapes the curve at a point; 0.3 is usual.
pub fn by_standardised_variance(
    counts: &CsrMatrix,
    batches: &[Vec<u32>],
    top: usize,
    span: f64,
    progress: &dyn Progress,
) -> Result<StandardisedVariances, VariableGenesError> {
    let genes = counts.columns();
    let mut total: Option<Sums> = None;
    let mut normalised = vec![0.0; genes];
    let mut ranks = vec![Vec::new(); genes];
    for (at, cells) in batches.iter().enumerate() {
        if cells.len() < 2 {
            return Err(VariableGenesError::TooFewCells { batch: at + 1, cells: cells.len() });
        }
        let sums = Sums::over(counts, cells, |_, value| f64::from(value), progress)?;
        let here = standardise(counts, cells, &sums, span, progress)?
            .map_err(|reason| VariableGenesError::NoCurve { batch: at + 1, reason })?;
        let mut order: Vec<u32> = (0..genes as u32).collect();
        order.sort_by(|&a, &b| here[b as usize].total_cmp(&here[a as usize]));
        for (rank, &gene) in order.iter().take(top).enumerate() {
            ranks[gene as usize].push(rank as f64);
        }
        normalised.iter_mut().zip(&here).for_each(|(sum, value)| *sum += value);
        match &mut total {
            Some(total) => total.add(&sums),
            none => *none = Some(sums),
        }
    }
    normalised.iter_mut().for_each(|sum| *sum /= batches.len() as f64);
    let batches: Vec<u32> = ranks.iter().map(|ranks| ranks.len() as u32).collect();
    let ranks: Vec<f64> = ranks.into_iter().map(|ranks| median(ranks).unwrap_or(f64::NAN)).collect();
    let mut order: Vec<usize> = (0..genes).collect();
    // Genes that no batch ranks come last.
    let rank = |gene: usize| if ranks[gene].is_nan() { f64::INFINITY } else { ranks[gene] };
    order.sort_by(|&a, &b| rank(a).total_cmp(&rank(b)).then(batches[b].cmp(&batches[a])));
    let mut selected = vec![false; genes];
    order.iter().take(top).for_each(|&gene| selected[gene] = true);
    let (means, variances) = total.map(|sums| (sums.means(), sums.variances())).unwrap_or_default();
    Ok(StandardisedVariances { selected, means, variances, normalised, ranks, batches })
}

/// Standardised variances over `cells`.
fn standardise(
    counts: &CsrMatrix,
    cells: &[u32],
    sums: &Sums,
    span: f64,
    progress: &dyn Progress,
) -> Result<Result<Vec<f64>, LoessError>, Cancelled> {
    let (means, variances) = (sums.means(), sums.variances());
    let varying: Vec<usize> = (0..means.len()).filter(|&gene| variances[gene] > 0.0).collect();
    let log = |values: &[f64]| varying.iter().map(|&gene| values[gene].log10()).collect::<Vec<f64>>();
    let curve = match loess(&log(&means), &log(&variances), span) {
        Ok(curve) => curve,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut deviations = vec![1.0; means.len()];
    varying.iter().zip(curve).for_each(|(&gene, log)| deviations[gene] = 10f64.powf(log).sqrt());
    let count = cells.len() as f64;
    let limits: Vec<f64> =
        deviations.iter().zip(&means).map(|(deviation, mean)| deviation * count.sqrt() + mean).collect();
    let cut = Sums::over(counts, cells, |gene, value| f64::from(value).min(limits[gene]), progress)?;
    let variance = |gene: usize| {
        let (mean, deviation) = (means[gene], deviations[gene]);
        (count * mean * mean + cut.second[gene] - 2.0 * cut.first[gene] * mean)
            / ((count - 1.0) * deviation * deviation)
    };
    Ok(Ok((0..means.len()).map(variance).collect()))
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;
    use crate::jobs::Silent;

    /// 200 cells × 60 genes of rising mean; gene 30 is four times as high in every tenth cell.
    fn counts() -> CsrMatrix {
        let mut random = crate::random::stream(1, "counts");
        let mut dense = Vec::new();
        for cell in 0..200 {
            for gene in 0..60 {
                let mean = 0.2 + 0.1 * gene as f64;
                let factor = if gene == 30 && cell % 10 == 0 { 8.0 } else { 1.0 };
                // Twenty trials: near enough to a Poisson count.
                let count = (0..20).filter(|_| random.random::<f64>() < mean * factor / 20.0).count();
                dense.push(if gene == 59 { 2.0 } else { count as f32 });
            }
        }
        CsrMatrix::from_dense(200, 60, &dense)
    }

    #[test]
    fn the_gene_with_more_variance_than_its_mean_explains_comes_first() {
        let counts = counts();
        let all: Vec<u32> = (0..200).collect();
        let found = by_standardised_variance(&counts, std::slice::from_ref(&all), 5, 0.3, &Silent).unwrap();
        assert_eq!(found.ranks[30], 0.0);
        assert_eq!(found.selected.iter().filter(|selected| **selected).count(), 5);
        assert_eq!((found.variances[59], found.normalised[59]), (0.0, 0.0));
        let batches = [all[..90].to_vec(), all[90..].to_vec()];
        let found = by_standardised_variance(&counts, &batches, 5, 0.3, &Silent).unwrap();
        assert!(found.selected[30] && found.batches[30] == 2);
        assert!((found.means[59] - 2.0).abs() < 1e-12);
    }

    #[test]
    fn too_little_to_rank_says_why() {
        let few = CsrMatrix::from_dense(3, 2, &[1.0, 0.0, 2.0, 1.0, 0.0, 3.0]);
        let error = by_standardised_variance(&few, &[vec![0, 1, 2]], 1, 0.3, &Silent).unwrap_err();
        assert!(matches!(error, VariableGenesError::NoCurve { batch: 1, .. }), "{error}");
        let error = by_standardised_variance(&few, &[vec![0]], 1, 0.3, &Silent).unwrap_err();
        assert_eq!(error, VariableGenesError::TooFewCells { batch: 1, cells: 1 });
    }
}
