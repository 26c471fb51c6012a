//! Normalised dispersions (`flavor="seurat"`).
//!
//! On counts normalised per cell (log-normalised expression, the logarithm undone): m = mean, d = ln(variance / mean),
//! and ln(1 + m) cut into 20 bins of equal width. A gene's normalised dispersion is (d − mean of its bin) / standard
//! deviation of its bin; 1 where it is alone in its bin.

use std::cmp::Ordering;

use super::moments::Sums;
use crate::data::GeneMoments;
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::normalise::Expression;

/// Bins of the mean.
const BINS: usize = 20;

/// Which genes are taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    /// So many, by normalised dispersion.
    Top(usize),
    /// All within limits.
    Within(Limits),
}

/// Open intervals in which mean and normalised dispersion must lie. scanpy's by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Smallest and largest ln(1 + mean).
    pub mean: [f64; 2],
    /// Smallest and largest normalised dispersion.
    pub dispersion: [f64; 2],
}

impl Default for Limits {
    fn default() -> Self {
        Self { mean: [0.0125, 3.0], dispersion: [0.5, f64::INFINITY] }
    }
}

impl Limits {
    /// Undefined dispersions count as 0, as in Seurat.
    fn hold(&self, mean: f64, dispersion: f64) -> bool {
        let dispersion = finite(dispersion, 0.0);
        let within = |value: f64, [low, high]: [f64; 2]| value > low && value < high;
        within(mean, self.mean) && within(dispersion, self.dispersion)
    }
}

/// What was found; one entry per gene in every list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dispersions {
    /// Whether the gene is highly variable.
    pub selected: Vec<bool>,
    /// ln(1 + mean of the normalised counts); batch by batch, the mean of it over batches.
    pub means: Vec<f64>,
    /// ln(variance / mean); NaN for a gene without variation.
    pub dispersions: Vec<f64>,
    /// The same, standardised among genes of similar mean.
    pub normalised: Vec<f64>,
    /// In how many batches the gene is highly variable; 0 or 1 without batches.
    pub batches: Vec<u32>,
}

/// Judge all genes of `expression` (cells × genes, natural logarithm) on the rows `cells`.
pub fn by_dispersion(
    expression: &Expression<'_>,
    cells: &[u32],
    choice: Choice,
    progress: &dyn Progress,
) -> Result<Dispersions, Cancelled> {
    let sums = normalised_counts(expression, cells, progress)?;
    let genes: Vec<usize> = (0..expression.columns()).collect();
    let mut found = Dispersions::of_one_batch(&sums, &genes);
    found.select(choice);
    Ok(found)
}

/// Judge the genes in each of `batches` (rows of `expression`) on their own, then all together: with [`Choice::Top`] by
/// the number of batches that chose a gene, then by mean normalised dispersion; with limits, by the means over batches.
///
/// A gene that a batch does not express at all counts as 0 there.
pub fn by_dispersion_per_batch(
    expression: &Expression<'_>,
    batches: &[Vec<u32>],
    choice: Choice,
    progress: &dyn Progress,
) -> Result<Dispersions, Cancelled> {
    let genes = expression.columns();
    let mut means = Means::new(genes);
    let mut votes = vec![0; genes];
    for cells in batches.iter().filter(|cells| !cells.is_empty()) {
        let sums = normalised_counts(expression, cells, progress)?;
        let (expressed, silent): (Vec<usize>, Vec<usize>) = (0..genes).partition(|&gene| sums.present[gene] > 0);
        let mut found = Dispersions::of_one_batch(&sums, &expressed);
        found.select(choice);
        for (at, &gene) in expressed.iter().enumerate() {
            votes[gene] += u32::from(found.selected[at]);
            means.add(gene, [found.means[at], found.dispersions[at], found.normalised[at]]);
        }
        silent.iter().for_each(|&gene| means.add(gene, [0.0; 3]));
    }
    let [means, dispersions, mut normalised] = means.finish();
    let selected = match choice {
        Choice::Top(count) => {
            let mut order: Vec<usize> = (0..genes).collect();
            order.sort_by(|&a, &b| votes[b].cmp(&votes[a]).then(descending(normalised[a], normalised[b])));
            let mut selected = vec![false; genes];
            order.iter().take(count).for_each(|&gene| selected[gene] = true);
            selected
        }
        Choice::Within(limits) => {
            normalised.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = 0.0);
            (0..genes).map(|gene| limits.hold(means[gene], normalised[gene])).collect()
        }
    };
    Ok(Dispersions { selected, means, dispersions, normalised, batches: votes })
}

/// Sums of the normalised counts: the logarithm undone, in single precision as scanpy does.
/// All genes, the largest normalised dispersion first; of equals the first. Genes without variation come last.
///
/// For screens that are not held whole: `genes` was summed while the file streamed by. What [`by_dispersion`] ranks by, but
/// for its single precision.
pub fn rank_by_dispersion(genes: &GeneMoments) -> Vec<u32> {
    let sums = Sums {
        first: genes.first.clone(),
        second: genes.second.clone(),
        present: genes.present.clone(),
        cells: genes.cells,
    };
    let all: Vec<usize> = (0..genes.first.len()).collect();
    let normalised = Dispersions::of_one_batch(&sums, &all).normalised;
    let mut order: Vec<u32> = (0..all.len() as u32).collect();
    order.sort_by(|&a, &b| descending(normalised[a as usize], normalised[b as usize]));
    order
}

fn normalised_counts(expression: &Expression<'_>, cells: &[u32], progress: &dyn Progress) -> Result<Sums, Cancelled> {
    let undone = |row: usize, _: usize, stored: f32| f64::from(expression.value(row, stored).exp_m1());
    Sums::over_rows(expression.columns(), cells, |row| expression.stored(row), undone, progress)
}

impl Dispersions {
    /// Of `genes`, in their order; nothing selected yet.
    fn of_one_batch(sums: &Sums, genes: &[usize]) -> Self {
        let (all_means, variances) = (sums.means(), sums.variances());
        let mut means = Vec::with_capacity(genes.len());
        let mut dispersions = Vec::with_capacity(genes.len());
        for &gene in genes {
            let mean = if all_means[gene] == 0.0 { 1e-12 } else { all_means[gene] };
            let ratio = variances[gene] / mean;
            dispersions.push(if ratio == 0.0 { f64::NAN } else { ratio.ln() });
            means.push(mean.ln_1p());
        }
        let normalised = normalise(&means, &dispersions);
        let nothing = genes.len();
        Self { selected: vec![false; nothing], means, dispersions, normalised, batches: vec![0; nothing] }
    }

    fn select(&mut self, choice: Choice) {
        match choice {
            Choice::Within(limits) => {
                let genes = self.means.iter().zip(&self.normalised);
                self.selected = genes.map(|(&mean, &dispersion)| limits.hold(mean, dispersion)).collect();
            }
            Choice::Top(count) => {
                let mut defined: Vec<f64> = self.normalised.iter().copied().filter(|value| !value.is_nan()).collect();
                defined.sort_by(|a, b| b.total_cmp(a));
                // Genes that tie with the last one taken are taken too.
                let last = defined.get(count.min(defined.len()).wrapping_sub(1)).copied();
                let passes = |&value: &f64| last.is_some_and(|last| finite(value, f64::NEG_INFINITY) >= last);
                self.selected = self.normalised.iter().map(passes).collect();
            }
        }
        self.batches = self.selected.iter().map(|&selected| u32::from(selected)).collect();
    }
}

/// Infinite values become the largest number, undefined ones `undefined`.
fn finite(value: f64, undefined: f64) -> f64 {
    if value.is_nan() { undefined } else { value.clamp(f64::MIN, f64::MAX) }
}

/// Largest first, NaN last.
fn descending(a: f64, b: f64) -> Ordering {
    b.partial_cmp(&a).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// (dispersion − mean) / standard deviation of the bin of its mean.
fn normalise(means: &[f64], dispersions: &[f64]) -> Vec<f64> {
    let bins = bins_of(means);
    let count = bins.iter().copied().max().map_or(0, |last| last + 1);
    let mut members = vec![Vec::new(); count];
    for (&bin, &dispersion) in bins.iter().zip(dispersions) {
        if !dispersion.is_nan() {
            members[bin].push(dispersion);
        }
    }
    let moments: Vec<(f64, f64)> = members
        .iter()
        .map(|values| {
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            match values.len() {
                // A gene alone in its bin gets 1.
                1 => (0.0, mean),
                _ => (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()),
            }
        })
        .collect();
    let standard = |(&bin, &dispersion): (&usize, &f64)| {
        let (mean, deviation) = moments[bin];
        (dispersion - mean) / deviation
    };
    bins.iter().zip(dispersions).map(standard).collect()
}

/// The bin of each value: (lowest, highest] in [`BINS`] parts of equal width, as pandas' `cut` draws them.
fn bins_of(values: &[f64]) -> Vec<usize> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if low == high {
        let margin = if low == 0.0 { 0.001 } else { 0.001 * low.abs() };
        (low - margin, high + margin)
    } else {
        (low, high)
    };
    let step = (high - low) / BINS as f64;
    // The lowest value belongs to the first bin: pandas lowers its edge.
    let edges: Vec<f64> = (1..BINS).map(|edge| edge as f64 * step + low).chain([high]).collect();
    values.iter().map(|&value| edges.partition_point(|&edge| edge < value).min(BINS - 1)).collect()
}

/// Means over batches that leave out undefined values.
struct Means {
    sums: [Vec<f64>; 3],
    counts: [Vec<u32>; 3],
}

impl Means {
    fn new(genes: usize) -> Self {
        Self { sums: [(); 3].map(|()| vec![0.0; genes]), counts: [(); 3].map(|()| vec![0; genes]) }
    }

    fn add(&mut self, gene: usize, values: [f64; 3]) {
        for ((sums, counts), value) in self.sums.iter_mut().zip(&mut self.counts).zip(values) {
            if !value.is_nan() {
                sums[gene] += value;
                counts[gene] += 1;
            }
        }
    }

    /// NaN where no batch had a value.
    fn finish(mut self) -> [Vec<f64>; 3] {
        for (sums, counts) in self.sums.iter_mut().zip(&self.counts) {
            sums.iter_mut().zip(counts).for_each(|(sum, &count)| *sum /= f64::from(count));
        }
        self.sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::CsrMatrix;
    use crate::jobs::Silent;

    #[test]
    fn bins_have_equal_width_and_include_the_lowest_value() {
        let values: Vec<f64> = (0..=40).map(f64::from).collect();
        let bins = bins_of(&values);
        assert_eq!((bins[0], bins[1], bins[2], bins[3]), (0, 0, 0, 1));
        assert_eq!((bins[39], bins[40]), (19, 19));
        assert_eq!(bins_of(&[2.0, 2.0]), bins_of(&[0.0, 0.0]));
        assert_eq!(bins_of(&[2.0, 2.0])[0], 9);
    }

    #[test]
    fn a_gene_alone_in_its_bin_gets_one_and_one_without_variation_nothing() {
        let normalised = normalise(&[0.0, 1.0, 10.0, 0.0], &[0.5, 0.7, -3.0, f64::NAN]);
        assert_eq!(normalised[2], 1.0);
        assert!(normalised[3].is_nan());
        // Two values one standard deviation apart: ±1/√2.
        let pair = normalise(&[0.0, 0.1, 10.0], &[1.0, 2.0, 0.3]);
        assert!((pair[0] + 0.5f64.sqrt()).abs() < 1e-12 && (pair[1] - 0.5f64.sqrt()).abs() < 1e-12);
    }

    /// Gene 0 is constant, 1 varies little, 2 varies much, 3 is absent; all others are in between.
    fn matrix(cells: usize) -> CsrMatrix {
        let mut dense = Vec::new();
        for cell in 0..cells {
            let wobble = (cell % 5) as f32;
            dense.extend([1.0, 1.0 + 0.01 * wobble, if cell % 10 == 0 { 3.0 } else { 0.0 }, 0.0]);
            dense.extend((0..6).map(|gene| 0.8 + 0.02 * gene as f32 * wobble));
        }
        CsrMatrix::from_dense(cells, 10, &dense)
    }

    #[test]
    fn the_variable_gene_is_found_alone_and_in_every_batch() {
        let matrix = matrix(60);
        let expression = Expression::as_is(&matrix);
        let all: Vec<u32> = (0..60).collect();
        let found = by_dispersion(&expression, &all, Choice::Top(1), &Silent).unwrap();
        assert!(found.dispersions[3].is_nan());
        let largest = (0..10).filter(|&gene| !found.normalised[gene].is_nan());
        let largest = largest.max_by(|&a, &b| found.normalised[a].total_cmp(&found.normalised[b])).unwrap();
        assert!(found.selected[largest]);
        let batches = [all[..20].to_vec(), all[20..].to_vec(), Vec::new()];
        let per_batch = by_dispersion_per_batch(&expression, &batches, Choice::Top(3), &Silent).unwrap();
        assert_eq!(per_batch.selected.iter().filter(|selected| **selected).count(), 3);
        assert_eq!(per_batch.batches[3], 0);
        assert_eq!(per_batch.normalised[3], 0.0);
        assert!(per_batch.batches.iter().all(|&votes| votes <= 2));
        let none = by_dispersion_per_batch(&expression, &batches, Choice::Within(Limits::default()), &Silent).unwrap();
        assert!(none.normalised.iter().all(|value| !value.is_nan()));
    }
}
