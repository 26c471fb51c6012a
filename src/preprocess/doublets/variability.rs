//! Which genes tell cells apart: those with more noise than their mean explains (v-score, Klein et al. 2015).
//!
//! The Fano factor (variance / mean) of pure counting noise with some efficiency is c + b·mean. c is the most common
//! Fano factor (at least 1), b is fitted to the lower edge of the cloud of genes in the plane of ln mean and
//! ln(variance / mean²); a gene's score is its Fano factor over that curve.

use super::Settings;
use crate::data::CsrMatrix;
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::statistics::quantile;
use crate::preprocess::variable_genes::Sums;

/// Bins of ln mean in which the lower edge is looked for.
const EDGE_BINS: usize = 50;
/// The lower edge, as a percentile.
const EDGE: f64 = 0.1;
/// Bins in which the most common Fano factor is looked for.
const FANO_BINS: usize = 200;

/// Columns of the genes that take part, ascending: expressed enough and above the percentile of variability.
pub(super) fn variable_genes(
    counts: &CsrMatrix,
    rows: &[u32],
    totals: &[f64],
    settings: &Settings,
    progress: &dyn Progress,
) -> Result<Vec<u32>, Cancelled> {
    let target = totals.iter().sum::<f64>() / totals.len() as f64;
    let mut factor = vec![0.0; counts.rows()];
    rows.iter().zip(totals).for_each(|(&row, total)| factor[row as usize] = target / total);
    let sums = Sums::over_rows(
        counts.columns(),
        rows,
        |row| counts.row(row),
        |row, _, value| f64::from(value) * factor[row],
        progress,
    )?;
    let least = settings.least_counts;
    let enough = |row: usize, _: usize, value: f32| f64::from(u8::from(f64::from(value) * factor[row] >= least));
    let enough = Sums::over_rows(counts.columns(), rows, |row| counts.row(row), enough, progress)?.first;

    let cells = rows.len() as f64;
    let mut genes = Vec::new();
    let (mut means, mut fano) = (Vec::new(), Vec::new());
    for gene in 0..counts.columns() {
        let mean = sums.first[gene] / cells;
        let variance = sums.second[gene] / cells - mean * mean;
        if mean > 0.0 && variance > 0.0 {
            genes.push(gene);
            means.push(mean);
            fano.push(variance / mean);
        }
    }
    if genes.is_empty() {
        return Ok(Vec::new());
    }
    let noise = CountingNoise::fit(&means, &fano);
    let scores: Vec<f64> = means.iter().zip(&fano).map(|(&mean, &fano)| fano / noise.fano(mean)).collect();
    let least_score = quantile(&mut scores.clone(), settings.variability_percentile / 100.0).unwrap_or(0.0);
    let taken = genes
        .iter()
        .zip(&scores)
        .filter(|&(&gene, &score)| score >= least_score && enough[gene] >= settings.least_cells as f64);
    Ok(taken.map(|(&gene, _)| gene as u32).collect())
}

/// Fano factor = c + b·mean.
struct CountingNoise {
    c: f64,
    b: f64,
}

impl CountingNoise {
    fn fit(means: &[f64], fano: &[f64]) -> Self {
        let c = most_common(fano).max(1.0);
        let x: Vec<f64> = means.iter().map(|mean| mean.ln()).collect();
        let y: Vec<f64> = means.iter().zip(fano).map(|(mean, fano)| (fano / mean).ln()).collect();
        let edge = lower_edge(&x, &y);
        let misfit = |b: f64| -> f64 {
            let sum = edge.iter().map(|&(x, y)| ((c * (-x).exp() + b).ln() - y).abs()).sum::<f64>();
            if sum.is_nan() { f64::INFINITY } else { sum }
        };
        Self { c, b: simplex_minimum(misfit, 0.1) }
    }

    fn fano(&self, mean: f64) -> f64 {
        self.c + self.b * mean
    }
}

/// Centre of the fullest of 200 bins of ln `values`, as a value.
fn most_common(values: &[f64]) -> f64 {
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let low = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if high <= low {
        return values[0];
    }
    let mut counts = [0u32; FANO_BINS];
    for log in &logs {
        counts[(((log - low) / (high - low) * FANO_BINS as f64) as usize).min(FANO_BINS - 1)] += 1;
    }
    // The first of equals.
    let most = counts.iter().copied().max().unwrap_or(0);
    let fullest = counts.iter().position(|&count| count == most).unwrap_or(0);
    (low + (fullest as f64 + 0.5) / FANO_BINS as f64 * (high - low)).exp()
}

/// Low percentile of y in bins of x; an empty bin repeats the one before.
fn lower_edge(x: &[f64], y: &[f64]) -> Vec<(f64, f64)> {
    let low = x.iter().copied().fold(f64::INFINITY, f64::min);
    let high = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = (high - low) / EDGE_BINS as f64;
    let mut bins = vec![Vec::new(); EDGE_BINS];
    for (&x, &y) in x.iter().zip(y) {
        let bin = if width > 0.0 { ((x - low) / width) as usize } else { 0 };
        if let Some(bin) = bins.get_mut(bin) {
            bin.push(y);
        }
    }
    let mut edge: Vec<(f64, f64)> = Vec::new();
    for (at, mut values) in bins.into_iter().enumerate() {
        let value = quantile(&mut values, EDGE / 100.0).or(edge.last().map(|last| last.1));
        edge.extend(value.map(|value| (low + (at as f64 + 0.5) * width, value)));
    }
    edge
}

/// The simplex method of Nelder & Mead 1965 in one dimension, begun at `start` and 5 % above it.
fn simplex_minimum(f: impl Fn(f64) -> f64, start: f64) -> f64 {
    const PRECISION: f64 = 1e-4;
    let mut best = (start, f(start));
    let mut worst = (1.05 * start, f(1.05 * start));
    for _ in 0..200 {
        if worst.1 < best.1 {
            std::mem::swap(&mut best, &mut worst);
        }
        if (worst.0 - best.0).abs() <= PRECISION && (worst.1 - best.1).abs() <= PRECISION {
            break;
        }
        let step = best.0 - worst.0;
        let at = |x: f64| (x, f(x));
        let reflected = at(best.0 + step);
        let next = if reflected.1 < best.1 {
            let expanded = at(best.0 + 2.0 * step);
            Some(if expanded.1 < reflected.1 { expanded } else { reflected })
        } else if reflected.1 < worst.1 {
            let contracted = at(best.0 + 0.5 * step);
            (contracted.1 <= reflected.1).then_some(contracted)
        } else {
            let contracted = at(best.0 - 0.5 * step);
            (contracted.1 < worst.1).then_some(contracted)
        };
        worst = next.unwrap_or_else(|| at(best.0 - 0.5 * step));
    }
    if worst.1 < best.1 { worst.0 } else { best.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simplex_finds_a_minimum_in_one_dimension() {
        assert!((simplex_minimum(|x| (x - 0.7).abs(), 0.1) - 0.7).abs() < 1e-3);
        assert!((simplex_minimum(|x| (x + 0.2) * (x + 0.2), 0.1) + 0.2).abs() < 1e-2);
    }

    #[test]
    fn counting_noise_is_recovered_from_its_lower_edge() {
        let means: Vec<f64> = (0..400).map(|at| (at as f64 / 60.0 - 3.0).exp()).collect();
        let fano: Vec<f64> = means.iter().map(|mean| 1.0 + 0.25 * mean).collect();
        let noise = CountingNoise::fit(&means, &fano);
        assert!((noise.b - 0.25).abs() < 0.03 && noise.c < 1.2, "{} {}", noise.b, noise.c);
    }
}
