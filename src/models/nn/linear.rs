//! Linear layer with bias and optional LeakyReLU: x ↦ act(x·Wᵀ + b).

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor};

use super::matrix::{Into, View, ViewMut, product};
use super::{dense, kernels};

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
        // A GPU takes no product with some columns of a matrix.
        affine_plain(&flat, &weight.contiguous()?, bias, activation)?
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
        let x = View::new(kernels::slice(x, x_layout)?, inputs);
        let weight = View::new(kernels::slice(weight, weight_layout)?, inputs);
        let bias = kernels::slice(bias, bias_layout)?;
        let mut y = vec![0.0f32; rows * outputs];
        match self.activation {
            Activation::None => dense::affine(x, weight, bias, &mut y),
            Activation::LeakyRelu => dense::leaky_affine(x, weight, bias, &mut y),
        }
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
        let mut slope: Vec<f32> = gradient.flatten_all()?.to_vec1()?;
        if self.activation == Activation::LeakyRelu {
            kernels::with_slice(y, |y| dense::leaky_backward(&mut slope, y))?;
        }
        let slopes = View::new(&slope, outputs);
        let mut for_weight = vec![0.0f32; outputs * inputs];
        kernels::with_slice(x, |x| {
            let out = ViewMut::new(&mut for_weight, inputs);
            product(out, Into::Fresh, 1.0, slopes.transposed(), View::new(x, inputs));
        })?;
        // Constants (the data) need no gradient, and theirs would be the widest product of all.
        let for_x = if x.track_op() {
            let mut for_x = vec![0.0f32; rows * inputs];
            kernels::with_slice(weight, |weight| {
                product(ViewMut::new(&mut for_x, inputs), Into::Fresh, 1.0, slopes, View::new(weight, inputs));
            })?;
            Some(Tensor::from_vec(for_x, (rows, inputs), &Device::Cpu)?)
        } else {
            None
        };
        let mut for_bias = vec![0.0f32; outputs];
        dense::add_rows(&mut for_bias, &slope);
        let for_weight = Tensor::from_vec(for_weight, (outputs, inputs), &Device::Cpu)?;
        Ok((for_x, Some(for_weight), Some(Tensor::from_vec(for_bias, bias.shape(), &Device::Cpu)?)))
    }
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
