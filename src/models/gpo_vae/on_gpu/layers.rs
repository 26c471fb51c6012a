//! Residual networks and their heads on the GPU, forward and backward. Gradients of weights and biases are added to zeros.

use candle_core::Result;

use super::rooms::{Rooms, place, run, whole};
use crate::models::nn::dense::Layer;
use crate::models::nn::gpu::{Array, Grid, Machine, Matrix};
use crate::models::nn::kernels::LEAK;
use crate::models::nn::normal::NormalNet;

/// No activation.
const NO_LEAK: f32 = 1.0;

pub(super) fn outputs(layer: &Layer<Array>) -> usize {
    layer.bias.len()
}

pub(super) fn inputs(layer: &Layer<Array>) -> usize {
    layer.weight.len() / layer.bias.len().max(1)
}

pub(super) fn weight(layer: &Layer<Array>) -> Matrix {
    layer.weight.matrix(inputs(layer))
}

/// Means and log variances.
#[derive(Clone, Copy)]
pub(super) struct Heads {
    pub means: Array,
    pub logs: Array,
}

impl<M: Machine> Rooms<M> {
    /// x·Wᵀ + b.
    pub fn affine(&mut self, x: Array, layer: &Layer<Array>, out: Array, activated: bool) -> Result<()> {
        self.product(out.matrix(outputs(layer)), x.matrix(inputs(layer)), weight(layer).transposed())?;
        let leak = if activated { LEAK } else { NO_LEAK };
        run!(self, "bias_leaky", Grid::strides(out.len()); out, layer.bias, whole(outputs(layer)), place(out.len()), leak);
        Ok(())
    }

    /// The way back through it: to its parameters, and to x (`by_x`: added or not).
    pub fn affine_back(
        &mut self,
        x: Array,
        layer: &Layer<Array>,
        gradient: &Layer<Array>,
        by_y: Array,
        (by_x, added): (Array, bool),
    ) -> Result<()> {
        let (slopes, x) = (by_y.matrix(outputs(layer)), x.matrix(inputs(layer)));
        self.add_product(weight(gradient), slopes.transposed(), x)?;
        self.column_sums(by_y, gradient.bias)?;
        let by_x = by_x.matrix(inputs(layer));
        self.machine.product(by_x, if added { 1.0 } else { 0.0 }, 1.0, slopes, weight(layer))
    }

    /// The layers after the first, from its activated output, which is kept.
    pub fn forward(&mut self, tag: &'static str, rest: &[Layer<Array>], entered: Array) -> Result<Array> {
        let mut x = entered;
        for (at, layer) in rest.iter().enumerate() {
            let (product, out) = (self.room((tag, "activated", at), x.len())?, self.room((tag, "sum", at), x.len())?);
            let width = outputs(layer);
            self.product(product.matrix(width), x.matrix(width), weight(layer).transposed())?;
            let grid = Grid::strides(x.len());
            run!(self, "residual", grid; product, layer.bias, x, out, whole(width), place(x.len()), LEAK);
            x = out;
        }
        Ok(x)
    }

    /// The way back: `by` becomes the gradient by what entered the first layer's activation.
    pub fn backward(
        &mut self,
        tag: &'static str,
        rest: &[Layer<Array>],
        gradients: &[Layer<Array>],
        entered: Array,
        by: Array,
    ) -> Result<()> {
        let (count, grid) = (by.len(), Grid::strides(by.len()));
        for (at, (layer, gradient)) in rest.iter().zip(gradients).enumerate().rev() {
            let x = if at == 0 { entered } else { self.room((tag, "sum", at - 1), count)? };
            let (activated, slope) = (self.room((tag, "activated", at), count)?, self.room((tag, "slope", 0), count)?);
            run!(self, "leaky_slope", grid; by, activated, slope, place(count), LEAK);
            self.affine_back(x, layer, gradient, slope, (by, true))?;
        }
        run!(self, "leaky_slope", grid; by, entered, by, place(count), LEAK);
        Ok(())
    }

    /// The heads of a network from its first layer's activated output.
    pub fn heads(&mut self, tag: &'static str, net: &NormalNet<Array>, entered: Array) -> Result<Heads> {
        let hidden = self.forward(tag, &net.layers[1..], entered)?;
        let count = hidden.len() / inputs(&net.mean) * outputs(&net.mean);
        let heads = Heads { means: self.room((tag, "means", 0), count)?, logs: self.room((tag, "logs", 0), count)? };
        self.affine(hidden, &net.mean, heads.means, false)?;
        self.affine(hidden, &net.log_variance, heads.logs, false)?;
        Ok(heads)
    }

    /// The way back from the gradients by the heads; gives that by what entered the first layer's activation.
    pub fn heads_back(
        &mut self,
        tag: &'static str,
        net: &NormalNet<Array>,
        gradients: &NormalNet<Array>,
        entered: Array,
        by: Heads,
    ) -> Result<Array> {
        let count = entered.len();
        let hidden = match net.layers.len() {
            1 => entered,
            layers => self.room((tag, "sum", layers - 2), count)?,
        };
        let by_hidden = self.room((tag, "by hidden", 0), count)?;
        self.affine_back(hidden, &net.mean, &gradients.mean, by.means, (by_hidden, false))?;
        self.affine_back(hidden, &net.log_variance, &gradients.log_variance, by.logs, (by_hidden, true))?;
        self.backward(tag, &net.layers[1..], &gradients.layers[1..], entered, by_hidden)?;
        Ok(by_hidden)
    }
}
