//! Dense layers on slices, forward and backward, for steps that keep their memory.
//!
//! A gradient is that of the loss; gradients of weights and biases are added to what is there.

use rayon::prelude::*;

use super::kernels::LEAK;
use super::matrix::{Into, View, ViewMut, product};
use super::vector;

/// Numbers that one thread works on at a time.
pub const PIECE: usize = 1 << 14;

/// A layer, or its gradient: weight `[out, in]`, bias `[out]`.
#[derive(Clone, Debug)]
pub struct Layer<W> {
    /// Row by row.
    pub weight: W,
    /// One for each output.
    pub bias: W,
}

impl<'a> Layer<&'a [f32]> {
    /// The weight as a matrix.
    pub fn matrix(&self) -> View<'a> {
        View::new(self.weight, self.inputs())
    }

    /// Numbers that enter.
    pub fn inputs(&self) -> usize {
        self.weight.len() / self.bias.len().max(1)
    }

    /// Numbers that come out.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }
}

/// The first `count` numbers of a buffer that grows when it has to; they are what was there.
pub fn room(buffer: &mut Vec<f32>, count: usize) -> &mut [f32] {
    if buffer.len() < count {
        buffer.resize(count, 0.0);
    }
    &mut buffer[..count]
}

/// x·Wᵀ + b of the rows of `x`, into `out`.
pub fn affine(x: View, weight: View, bias: &[f32], out: &mut [f32]) {
    product(ViewMut::new(out, bias.len()), Into::Fresh, 1.0, x, weight.transposed());
    by_row(
        out,
        bias.len(),
        #[inline(always)]
        |row| row.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias),
    );
}

/// LeakyReLU(x·Wᵀ + b) of the rows of `x`, into `out`.
pub fn leaky_affine(x: View, weight: View, bias: &[f32], out: &mut [f32]) {
    product(ViewMut::new(out, bias.len()), Into::Fresh, 1.0, x, weight.transposed());
    by_row(
        out,
        bias.len(),
        #[inline(always)]
        |row| row.iter_mut().zip(bias).for_each(|(value, bias)| *value = leaky(*value + bias)),
    );
}

/// LeakyReLU.
#[inline(always)]
pub fn leaky(x: f32) -> f32 {
    x.max(LEAK * x)
}

fn by_row(values: &mut [f32], width: usize, change: impl Fn(&mut [f32]) + Sync) {
    let width = width.max(1);
    values.par_chunks_mut((PIECE / width).max(1) * width).for_each(|rows| {
        vector::wide(
            #[inline(always)]
            || {
                for row in rows.chunks_exact_mut(width) {
                    change(row);
                }
            },
        );
    });
}

/// `gradient` becomes that by what entered LeakyReLU, told from what came out of it (the sign is kept).
pub fn leaky_backward(gradient: &mut [f32], activated: &[f32]) {
    gradient.par_chunks_mut(PIECE).zip(activated.par_chunks(PIECE)).for_each(|(gradient, activated)| {
        vector::wide(
            #[inline(always)]
            || {
                for (gradient, &activated) in gradient.iter_mut().zip(activated) {
                    *gradient *= if activated > 0.0 { 1.0 } else { LEAK };
                }
            },
        );
    });
}

/// Σ over the rows of `values`, added to `sums`: the same whatever the number of threads.
pub fn add_rows(sums: &mut [f32], values: &[f32]) {
    let width = sums.len().max(1);
    let block = |rows: &[f32]| {
        let mut sums = vec![0.0f32; width];
        vector::add_rows(&mut sums, rows);
        sums
    };
    let blocks: Vec<Vec<f32>> = values.par_chunks(width * 256).map(block).collect();
    blocks.iter().for_each(|block| vector::add_rows(sums, block));
}

/// The layers x ← LeakyReLU(x·Wᵀ + b) + x after a first one, and what their backward pass needs.
#[derive(Default)]
pub struct Residual {
    /// What enters each layer, and what leaves the last.
    states: Vec<Vec<f32>>,
    /// What each layer adds.
    added: Vec<Vec<f32>>,
    slopes: Vec<f32>,
}

impl Residual {
    /// Room for what enters the first of `layers`: `count` numbers.
    pub fn enter(&mut self, layers: usize, count: usize) -> &mut [f32] {
        self.states.resize_with(layers + 1, Vec::new);
        self.added.resize_with(layers, Vec::new);
        room(&mut self.states[0], count)
    }

    /// How many numbers it holds.
    pub fn held(&self) -> usize {
        self.states.iter().chain(&self.added).map(Vec::len).sum::<usize>() + self.slopes.len()
    }

    /// What entered the first layer, `count` numbers.
    pub fn entered(&self, count: usize) -> &[f32] {
        &self.states[0][..count]
    }

    /// What left the last layer, `count` numbers.
    pub fn left(&self, count: usize) -> &[f32] {
        self.states.last().map_or(&[], |state| &state[..count])
    }

    /// Carry what [`Residual::enter`] was filled with, `rows` rows, through `layers`.
    pub fn forward(&mut self, layers: &[Layer<&[f32]>], rows: usize) {
        for (at, layer) in layers.iter().enumerate() {
            let width = layer.outputs();
            let (before, after) = self.states.split_at_mut(at + 1);
            let (before, after) = (&before[at][..rows * width], room(&mut after[0], rows * width));
            let added = room(&mut self.added[at], rows * width);
            leaky_affine(View::new(before, width), layer.matrix(), layer.bias, added);
            let pieces = before.par_chunks(PIECE).zip(added.par_chunks(PIECE));
            after.par_chunks_mut(PIECE).zip(pieces).for_each(|(after, (before, added))| {
                after
                    .iter_mut()
                    .zip(before.iter().zip(added))
                    .for_each(|(after, (before, added))| *after = before + added);
            });
        }
    }

    /// `gradient` by what left becomes that by what entered.
    pub fn backward<G: AsMut<[f32]>>(
        &mut self,
        layers: &[Layer<&[f32]>],
        gradients: &mut [Layer<G>],
        gradient: &mut [f32],
    ) {
        for (at, (layer, wanted)) in layers.iter().zip(gradients).enumerate().rev() {
            let width = layer.outputs();
            let (added, slopes) = (&self.added[at][..gradient.len()], room(&mut self.slopes, gradient.len()));
            let pieces = added.par_chunks(PIECE).zip(gradient.par_chunks(PIECE));
            slopes.par_chunks_mut(PIECE).zip(pieces).for_each(|(slopes, (added, gradient))| {
                for (slope, (&added, &gradient)) in slopes.iter_mut().zip(added.iter().zip(gradient)) {
                    *slope = if added > 0.0 { gradient } else { LEAK * gradient };
                }
            });
            let before = View::new(&self.states[at][..gradient.len()], width);
            let weight = ViewMut::new(wanted.weight.as_mut(), width);
            product(weight, Into::Sum, 1.0, View::new(slopes, width).transposed(), before);
            add_rows(wanted.bias.as_mut(), slopes);
            product(ViewMut::new(gradient, width), Into::Sum, 1.0, View::new(slopes, width), layer.matrix());
        }
    }
}
