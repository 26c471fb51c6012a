//! Linear layer with bias and optional LeakyReLU: x ↦ act(x·Wᵀ + b).

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::kernels::{self, LEAK, View};
use super::vector;

/// What follows the affine map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing: a head.
    None,
    /// LeakyReLU with slope 0.01.
    LeakyRelu,
}

/// A layer: weight `[out, in]`, bias `[out]`.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    /// A layer of these parameters.
    pub fn new(weight: Tensor, bias: Tensor) -> Self {
        Self { weight, bias }
    }

    /// Weight `[out, in]`.
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// Bias `[out]`.
    pub fn bias(&self) -> &Tensor {
        &self.bias
    }

    /// Apply to `x` of any shape `[…, in]`; gives `[…, out]`.
    pub fn forward(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        affine(x, &self.weight, &self.bias, activation)
    }
}

/// act(x·Wᵀ + b) for `x` `[…, in]`, `weight` `[out, in]`, `bias` `[out]`.
pub fn affine(x: &Tensor, weight: &Tensor, bias: &Tensor, activation: Activation) -> Result<Tensor> {
    let mut shape = x.dims().to_vec();
    let inputs = shape.pop().unwrap_or(0);
    let rows = shape.iter().product::<usize>();
    shape.push(weight.dim(0)?);
    let flat = x.reshape((rows, inputs))?;
    let y = if matches!(x.device(), Device::Cpu) {
        flat.contiguous()?.apply_op3(&weight.contiguous()?, bias, Fused { activation })?
    } else {
        affine_plain(&flat, weight, bias, activation)?
    };
    y.reshape(shape)
}

/// The same by candle's own operations, for `x` `[rows, in]`.
pub fn affine_plain(x: &Tensor, weight: &Tensor, bias: &Tensor, activation: Activation) -> Result<Tensor> {
    let y = x.matmul(&weight.t()?)?.broadcast_add(bias)?;
    match activation {
        Activation::None => Ok(y),
        Activation::LeakyRelu => kernels::leaky_relu(&y),
    }
}

struct Fused {
    activation: Activation,
}

impl CustomOp3 for Fused {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, inputs) = x_layout.shape().dims2()?;
        let (outputs, _) = weight_layout.shape().dims2()?;
        let x = View::new(kernels::slice(x, x_layout)?, rows, inputs);
        let weight = View::new(kernels::slice(weight, weight_layout)?, outputs, inputs);
        let bias = kernels::slice(bias, bias_layout)?;
        let mut y = kernels::matmul(x, weight.transposed());
        let leaky = self.activation == Activation::LeakyRelu;
        y.par_chunks_mut(outputs.max(1) * 64).for_each(|rows| {
            for row in rows.chunks_exact_mut(outputs) {
                for (y, bias) in row.iter_mut().zip(bias) {
                    let sum = *y + bias;
                    *y = if leaky { sum.max(LEAK * sum) } else { sum };
                }
            }
        });
        Ok((CpuStorage::F32(y), Shape::from((rows, outputs))))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (rows, inputs) = x.dims2()?;
        let outputs = weight.dim(0)?;
        let gradient = gradient.contiguous()?;
        let products = |slope: &[f32]| {
            let slope = View::new(slope, rows, outputs);
            let for_weight =
                kernels::with_slice(x, |x| kernels::matmul(slope.transposed(), View::new(x, rows, inputs)))?;
            // Constants (the data) need no gradient, and theirs would be the widest product of all.
            let for_x = if x.track_op() {
                let product = kernels::with_slice(weight, |w| kernels::matmul(slope, View::new(w, outputs, inputs)))?;
                Some(Tensor::from_vec(product, (rows, inputs), &Device::Cpu)?)
            } else {
                None
            };
            let for_weight = Tensor::from_vec(for_weight, (outputs, inputs), &Device::Cpu)?;
            let for_bias = Tensor::from_vec(sum_of_rows(slope.values, outputs), bias.shape(), &Device::Cpu)?;
            Ok((for_x, Some(for_weight), Some(for_bias)))
        };
        match self.activation {
            Activation::None => kernels::with_slice(&gradient, products)?,
            Activation::LeakyRelu => products(&kernels::leaky_slopes(&gradient, y)?),
        }
    }
}

/// Sum over the rows of `values`, `width` numbers each.
fn sum_of_rows(values: &[f32], width: usize) -> Vec<f32> {
    // Blocks are added in order: the same sum whatever the number of threads.
    let block = |rows: &[f32]| {
        let mut sums = vec![0.0f32; width];
        vector::add_rows(&mut sums, rows);
        sums
    };
    let blocks: Vec<Vec<f32>> = values.par_chunks(width.max(1) * 256).map(block).collect();
    let mut sums = vec![0.0f32; width];
    blocks.iter().for_each(|block| vector::add_rows(&mut sums, block));
    sums
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::super::parameters::normal;
    use super::*;

    fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
        (a - b).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar().unwrap()
    }

    #[test]
    fn fused_and_plain_agree_in_value_and_gradient() {
        let mut random = crate::random::stream(1, "linear");
        for (rows, inputs, outputs) in [(1, 1, 1), (7, 3, 5), (64, 33, 17)] {
            let mut draw = |shape| Var::from_tensor(&normal(&mut random, shape, &Device::Cpu).unwrap()).unwrap();
            let (x, w) = (draw(vec![rows, inputs]), draw(vec![outputs, inputs]));
            let (b, weights) = (draw(vec![outputs]), draw(vec![rows, outputs]));
            for activation in [Activation::None, Activation::LeakyRelu] {
                let fused = affine(&x, &w, &b, activation).unwrap();
                let plain = affine_plain(&x, &w, &b, activation).unwrap();
                assert!(largest_difference(&fused, &plain) < 1e-4);
                let gradients = |y: &Tensor| (y * weights.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
                let (fused, plain) = (gradients(&fused), gradients(&plain));
                for var in [&x, &w, &b] {
                    assert!(largest_difference(fused.get(var).unwrap(), plain.get(var).unwrap()) < 1e-3);
                }
            }
        }
    }
}
