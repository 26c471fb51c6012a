//! γ · mean |D·S − sigmoid(ΔX − fc)| of a mask of probabilities: A is the probabilities with each row divided by its sum,
//! S = A + A² + … with each column stretched to 0 … 1. The stretch needs all of S, so it is formed.

use super::super::batch::Batch;
use super::super::mask::{LEAST_SUM, ROUNDING, SPAN_FLOOR};
use super::alignment::distance;
use crate::models::nn::dense::room;
use crate::models::nn::matrix::{Into, View, ViewMut, product};
use crate::models::nn::vector;

/// Keeps its memory from step to step.
#[derive(Default)]
pub(super) struct Stretched {
    /// A, A², …: T × T each.
    terms: Vec<Vec<f32>>,
    /// Sums of the rows of probabilities; 0 where there are no edges.
    row_sums: Vec<f32>,
    sum: Vec<f32>,
    columns: Vec<Column>,
    /// D·S and the gradient by it, C × T.
    by_condition: [Vec<f32>; 2],
    by_sum: Vec<f32>,
    by_term: [Vec<f32>; 2],
    by_a: Vec<f32>,
}

/// What stretches a column of S.
#[derive(Clone, Copy)]
struct Column {
    least: f32,
    /// Where its least and its largest entry are.
    rows: [usize; 2],
    /// 1 / (largest − least); 0 for a column that is constant but for rounding.
    stretch: f32,
}

impl Column {
    fn of(sum: &[f32], treatments: usize, column: usize) -> Self {
        let (mut least, mut largest, mut rows) = (f32::INFINITY, f32::NEG_INFINITY, [0, 0]);
        for (row, &value) in sum.iter().skip(column).step_by(treatments).enumerate() {
            if value < least {
                (least, rows[0]) = (value, row);
            }
            if value > largest {
                (largest, rows[1]) = (value, row);
            }
        }
        let span = largest - least;
        let stretch = if span > ROUNDING * largest { 1.0 / (span + SPAN_FLOOR) } else { 0.0 };
        Self { least, rows, stretch }
    }
}

impl Stretched {
    /// How many numbers it holds, in numbers of single precision.
    pub fn held(&self) -> usize {
        let buffers = self.terms.iter().chain(&self.by_condition).chain(&self.by_term);
        let buffers = buffers.chain([&self.row_sums, &self.sum, &self.by_sum, &self.by_a]);
        buffers.map(Vec::len).sum::<usize>() + self.columns.len() * size_of::<Column>() / size_of::<f32>()
    }

    /// The term of the loss; with `learn`, its gradient by the probabilities is added there.
    pub fn run(
        &mut self,
        probabilities: &[f32],
        batch: &Batch,
        gamma: f64,
        hops: usize,
        learn: Option<&mut [f32]>,
    ) -> f64 {
        let treatments = batch.treatment_measured.len();
        if batch.measured_treatments == 0 || gamma == 0.0 {
            return 0.0;
        }
        let count = treatments * treatments;
        self.forward(probabilities, treatments, hops);
        let of_conditions = batch.conditions.len() * treatments;
        let [by_condition, by_distance] = &mut self.by_condition;
        let (by_condition, by_distance) = (room(by_condition, of_conditions), room(by_distance, of_conditions));
        by_condition.fill(0.0);
        let sum = &self.sum[..count];
        for (row, condition) in by_condition.chunks_exact_mut(treatments).zip(&batch.conditions) {
            for &at in condition {
                let values = row.iter_mut().zip(&sum[at as usize * treatments..]).zip(&self.columns);
                values.for_each(|((value, sum), column)| *value += (sum - column.least) * column.stretch);
            }
        }
        let weight = gamma / (batch.len() * batch.measured_treatments) as f64;
        let total = distance(by_condition, batch, by_distance, vector::sigmoid);
        if let Some(gradient) = learn {
            let by_sum = room(&mut self.by_sum, count);
            by_sum.fill(0.0);
            for (row, condition) in by_distance.chunks_exact(treatments).zip(&batch.conditions) {
                for &at in condition {
                    let by_sum = &mut by_sum[at as usize * treatments..][..treatments];
                    by_sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight as f32 * value);
                }
            }
            self.backward(probabilities, treatments, hops, gradient);
        }
        total * weight
    }

    /// A, its powers, their sum and what stretches it.
    fn forward(&mut self, probabilities: &[f32], treatments: usize, hops: usize) {
        let count = probabilities.len();
        self.terms.resize_with(hops + 1, Vec::new);
        self.row_sums.clear();
        let first = room(&mut self.terms[0], count);
        for (row, values) in first.chunks_exact_mut(treatments).zip(probabilities.chunks_exact(treatments)) {
            row.iter_mut().zip(values).for_each(|(a, p)| *a = p.clamp(0.0, 1.0));
            let sum: f32 = row.iter().sum();
            let sum = if sum > LEAST_SUM { sum } else { 0.0 };
            row.iter_mut().for_each(|a| *a = if sum > 0.0 { *a / sum } else { 0.0 });
            self.row_sums.push(sum);
        }
        let sum = room(&mut self.sum, count);
        sum.copy_from_slice(first);
        for hop in 0..hops {
            let (before, after) = self.terms.split_at_mut(hop + 1);
            let after = room(&mut after[0], count);
            let (last, a) = (View::new(&before[hop][..count], treatments), View::new(&before[0][..count], treatments));
            product(ViewMut::new(after, treatments), Into::Fresh, 1.0, last, a);
            sum.iter_mut().zip(&*after).for_each(|(sum, term)| *sum += term);
        }
        self.columns.clear();
        self.columns.extend((0..treatments).map(|column| Column::of(sum, treatments, column)));
    }

    /// From the gradient by the stretched sum, in `by_sum`, to that by the probabilities.
    fn backward(&mut self, probabilities: &[f32], treatments: usize, hops: usize, gradient: &mut [f32]) {
        let count = probabilities.len();
        let (sum, by_sum) = (&self.sum[..count], &mut self.by_sum[..count]);
        for (at, column) in self.columns.iter().enumerate() {
            let (mut by_least, mut by_largest) = (0.0, 0.0);
            for row in 0..treatments {
                let (value, by_value) = (sum[row * treatments + at], &mut by_sum[row * treatments + at]);
                *by_value *= column.stretch;
                let by_span = *by_value * (value - column.least) * column.stretch;
                by_least += by_span - *by_value;
                by_largest -= by_span;
            }
            by_sum[column.rows[0] * treatments + at] += by_least;
            by_sum[column.rows[1] * treatments + at] += by_largest;
        }
        let [now, next] = &mut self.by_term;
        let (mut now, mut next) = (room(now, count), room(next, count));
        now.copy_from_slice(by_sum);
        let a = View::new(&self.terms[0][..count], treatments);
        let by_a = room(&mut self.by_a, count);
        by_a.fill(0.0);
        for hop in (0..hops).rev() {
            let before = View::new(&self.terms[hop][..count], treatments);
            let by_after = View::new(now, treatments);
            product(ViewMut::new(by_a, treatments), Into::Sum, 1.0, before.transposed(), by_after);
            next.copy_from_slice(by_sum);
            product(ViewMut::new(next, treatments), Into::Sum, 1.0, by_after, a.transposed());
            std::mem::swap(&mut now, &mut next);
        }
        by_a.iter_mut().zip(now).for_each(|(by_a, now)| *by_a += *now);
        let rows = by_a.chunks_exact(treatments).zip(self.terms[0].chunks_exact(treatments));
        let rows = rows.zip(&self.row_sums).zip(probabilities.chunks_exact(treatments));
        for (gradient, (((by_a, a), &sum), p)) in gradient.chunks_exact_mut(treatments).zip(rows) {
            if sum == 0.0 {
                continue;
            }
            let shared: f32 = by_a.iter().zip(a).map(|(by_a, a)| by_a * a).sum();
            for ((gradient, by_a), p) in gradient.iter_mut().zip(by_a).zip(p) {
                *gradient += if (0.0..=1.0).contains(p) { (by_a - shared) / sum } else { 0.0 };
            }
        }
    }
}
