//! γ · mean |D·S − (ΔX − fc)| with S = A + A²/T + …, without forming S.

use super::super::batch::Batch;
use crate::models::nn::dense::room;
use crate::models::nn::matrix::{Into, View, ViewMut, product};
use crate::models::nn::vector;

/// Keeps its memory from step to step.
#[derive(Default)]
pub(super) struct Alignment {
    /// D·A, D·A²/T, …: C × T each.
    terms: Vec<Vec<f32>>,
    sum: Vec<f32>,
    by_sum: Vec<f32>,
    by_term: [Vec<f32>; 2],
}

impl Alignment {
    /// How many numbers it holds.
    pub fn held(&self) -> usize {
        let buffers = self.terms.iter().chain([&self.sum, &self.by_sum]).chain(&self.by_term);
        buffers.map(Vec::len).sum()
    }

    /// The term of the loss; with `learn`, its gradient by A is added there.
    pub fn run(&mut self, logits: &[f32], batch: &Batch, gamma: f64, hops: usize, learn: Option<&mut [f32]>) -> f64 {
        let treatments = batch.treatment_measured.len();
        if batch.measured_treatments == 0 || gamma == 0.0 {
            return 0.0;
        }
        let (count, scale) = (batch.conditions.len() * treatments, 1.0 / treatments as f32);
        let a = View::new(logits, treatments);
        self.terms.resize_with(hops + 1, Vec::new);
        let first = room(&mut self.terms[0], count);
        first.fill(0.0);
        for (row, condition) in first.chunks_exact_mut(treatments).zip(&batch.conditions) {
            condition.iter().for_each(|&at| vector::add_rows(row, &logits[at as usize * treatments..][..treatments]));
        }
        let sum = room(&mut self.sum, count);
        sum.copy_from_slice(first);
        for hop in 0..hops {
            let (before, after) = self.terms.split_at_mut(hop + 1);
            let after = room(&mut after[0], count);
            let before = View::new(&before[hop][..count], treatments);
            product(ViewMut::new(after, treatments), Into::Fresh, scale, before, a);
            sum.iter_mut().zip(&*after).for_each(|(sum, term)| *sum += term);
        }
        let weight = gamma / (batch.len() * batch.measured_treatments) as f64;
        let by_sum = room(&mut self.by_sum, count);
        let total = distance(sum, batch, by_sum);
        if let Some(gradient) = learn {
            by_sum.iter_mut().for_each(|value| *value *= weight as f32);
            let [now, next] = &mut self.by_term;
            let (mut now, mut next) = (room(now, count), room(next, count));
            // From the last term back: its gradient, and A's part in it.
            now.copy_from_slice(by_sum);
            for hop in (0..hops).rev() {
                let before = View::new(&self.terms[hop][..count], treatments);
                let by_after = View::new(now, treatments);
                product(ViewMut::new(gradient, treatments), Into::Sum, scale, before.transposed(), by_after);
                next.copy_from_slice(by_sum);
                product(ViewMut::new(next, treatments), Into::Sum, scale, by_after, a.transposed());
                std::mem::swap(&mut now, &mut next);
            }
            for (row, condition) in now.chunks_exact(treatments).zip(&batch.conditions) {
                condition
                    .iter()
                    .for_each(|&at| vector::add_rows(&mut gradient[at as usize * treatments..][..treatments], row));
            }
        }
        total * weight
    }
}

/// Σ |D·S − target| over cells and measured treatments, where `sum` is D·S by condition; `by_sum` becomes the gradient by it.
fn distance(sum: &[f32], batch: &Batch, by_sum: &mut [f32]) -> f64 {
    let treatments = batch.treatment_measured.len();
    by_sum.fill(0.0);
    let mut total = 0.0f64;
    for (cell, targets) in batch.shift_targets.chunks_exact(treatments).enumerate() {
        let at = batch.condition_of_cell[cell] as usize * treatments;
        let (sum, by_sum) = (&sum[at..][..treatments], &mut by_sum[at..][..treatments]);
        let values = sum.iter().zip(targets).zip(&batch.treatment_measured).zip(by_sum);
        total += f64::from(
            values
                .map(|(((sum, target), measured), by_sum)| {
                    let difference = sum - target;
                    let sign = f32::from(u8::from(difference > 0.0)) - f32::from(u8::from(difference < 0.0));
                    *by_sum += sign * measured;
                    difference.abs() * measured
                })
                .sum::<f32>(),
        );
    }
    total
}
