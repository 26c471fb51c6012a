//! Lists of predicted and observed shifts, and orders of genes.

use crate::evaluation::bootstrap::Sums;
use crate::evaluation::{pearson, r_squared};

/// Predicted and observed shifts of the same genes.
#[derive(Default)]
pub(super) struct Pairs {
    pub predicted: Vec<f32>,
    pub observed: Vec<f32>,
}

impl Pairs {
    pub fn len(&self) -> usize {
        self.observed.len()
    }

    pub fn push(&mut self, predicted: f32, observed: f32) {
        self.predicted.push(predicted);
        self.observed.push(observed);
    }

    pub fn extend(&mut self, other: &Self) {
        self.predicted.extend_from_slice(&other.predicted);
        self.observed.extend_from_slice(&other.observed);
    }

    pub fn select(&self, positions: &[u32]) -> Self {
        let take = |from: &[f32]| positions.iter().map(|&at| from[at as usize]).collect();
        Self { predicted: take(&self.predicted), observed: take(&self.observed) }
    }

    pub fn sums(&self) -> Sums {
        Sums::of(self.predicted.iter().zip(&self.observed))
    }

    pub fn pearson(&self) -> Option<f64> {
        pearson(&self.predicted, &self.observed)
    }

    pub fn r_squared(&self) -> Option<f64> {
        r_squared(&self.predicted, &self.observed)
    }

    /// Mean over pairs of a function of predicted − observed.
    pub fn mean(&self, of: impl Fn(f64) -> f64) -> Option<f64> {
        mean(self.predicted.iter().zip(&self.observed).map(|(&p, &o)| of(f64::from(p) - f64::from(o))))
    }

    /// Share of pairs of equal sign; a predicted shift of zero has no direction and is wrong.
    pub fn right_direction(&self) -> f64 {
        mean(self.predicted.iter().zip(&self.observed).map(|(p, o)| f64::from(u8::from(p * o > 0.0)))).unwrap_or(0.0)
    }

    /// Both less a `mean` per gene of the observed table, of which these are the genes `kept`.
    pub fn less(&self, mean: &[f32], kept: &[usize]) -> Self {
        let less = |from: &[f32]| from.iter().zip(kept).map(|(shift, &gene)| shift - mean[gene]).collect();
        Self { predicted: less(&self.predicted), observed: less(&self.observed) }
    }

    /// Σ w·(predicted − observed)² with w the squares of `sizes` scaled from their least to their largest, as shares of their sum. None
    /// where all are the same.
    pub fn weighted_mse(&self, sizes: &[f32]) -> Option<f64> {
        let bounds =
            sizes.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &size| (low.min(size), high.max(size)));
        let (low, extent) = (f64::from(bounds.0), f64::from(bounds.1) - f64::from(bounds.0));
        if !(extent.is_finite() && extent > 0.0) {
            return None;
        }
        let (mut errors, mut weights) = (0.0, 0.0);
        for ((&p, &o), &size) in self.predicted.iter().zip(&self.observed).zip(sizes) {
            let weight = ((f64::from(size) - low) / extent).powi(2);
            errors += weight * (f64::from(p) - f64::from(o)).powi(2);
            weights += weight;
        }
        Some(errors / weights)
    }
}

/// Positions sorted by falling |shift|; ties in the order given.
pub(super) fn by_size(shifts: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..shifts.len() as u32).collect();
    order.sort_by(|&a, &b| shifts[b as usize].abs().total_cmp(&shifts[a as usize].abs()));
    order
}

/// Genes by falling size of their predicted and of their observed shifts.
pub(super) struct Order {
    pub predicted: Vec<u32>,
    pub observed: Vec<u32>,
}

impl Order {
    /// The first `size` of the observed order, fewer where there are not as many.
    pub fn first_observed(&self, size: usize) -> &[u32] {
        &self.observed[..size.min(self.observed.len())]
    }

    /// Number of genes that the first `size` of both orders share.
    pub fn shared(&self, size: usize) -> usize {
        let mut predicted = self.predicted[..size.min(self.predicted.len())].to_vec();
        predicted.sort_unstable();
        self.first_observed(size).iter().filter(|at| predicted.binary_search(at).is_ok()).count()
    }

    /// |A ∩ B| / |A ∪ B| of the first `size` of both orders; 0 where there is nothing.
    pub fn jaccard(&self, size: usize) -> f64 {
        let (size, common) = (size.min(self.observed.len()), self.shared(size));
        if size == 0 { 0.0 } else { common as f64 / (2 * size - common) as f64 }
    }
}

pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.into_iter().fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}
