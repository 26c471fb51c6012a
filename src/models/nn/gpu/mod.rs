//! The hot parts of a training step on an NVIDIA GPU, by kernels of our own (`kernels.cu`): the log-likelihood of counts with the
//! decoder's softmax folded in, bias and activation of a layer, and the optimiser with the gradient's norm left on the device.
//!
//! They are compiled when a device is opened, and tried there against candle's own operations ([`try_out`]); where that fails training
//! goes on with candle's. Without the feature `cuda` nothing of it is there, and every function says so by giving nothing.

#[cfg(test)]
mod host;
#[cfg(feature = "cuda")]
mod kernels;
#[cfg(feature = "cuda")]
mod trial;

#[cfg(feature = "cuda")]
pub use kernels::{affine_end, count_likelihood, leaky, optimise};
#[cfg(feature = "cuda")]
pub use trial::try_out;

#[cfg(not(feature = "cuda"))]
pub use absent::{affine_end, count_likelihood, leaky, optimise, try_out};

/// What an optimiser's step is made with.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    /// Largest norm of the whole gradient.
    pub clip_norm: f32,
    /// L2 weight decay, added to the gradient.
    pub weight_decay: f32,
    /// Decay of both moments.
    pub betas: [f32; 2],
    /// 1/√(1 − β₂ᵗ).
    pub root: f32,
    /// Added to the denominator.
    pub epsilon: f32,
}

/// Blocks and threads of a launch.
#[cfg(any(feature = "cuda", test))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grid {
    blocks: u32,
    threads: [u32; 2],
}

#[cfg(any(feature = "cuda", test))]
impl Grid {
    /// Blocks that stride over many values, at most.
    const MOST_BLOCKS: usize = 1024;

    /// One block for each of `count` rows.
    fn rows(count: usize) -> Self {
        Self { blocks: count as u32, threads: [256, 1] }
    }

    /// Bands of 32 of `count` columns.
    fn bands(count: usize) -> Self {
        Self { blocks: count.div_ceil(32) as u32, threads: [32, 16] }
    }

    /// Blocks that stride over `count` values.
    fn strides(count: usize) -> Self {
        Self { blocks: count.div_ceil(256).clamp(1, Self::MOST_BLOCKS) as u32, threads: [256, 1] }
    }
}

/// Where there are no kernels.
#[cfg(not(feature = "cuda"))]
mod absent {
    use candle_core::{Device, Result, Tensor};

    use super::AdamStep;

    /// act(x + bias) of `x` `[rows, out]`, LeakyReLU of that slope (1: none); none where there are no kernels for its device.
    pub fn affine_end(_x: &Tensor, _bias: &Tensor, _leak: f32) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// LeakyReLU of that slope; none where there are no kernels for its device.
    pub fn leaky(_x: &Tensor, _leak: f32) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Σ_g log p(x_g) under the Gamma–Poisson: `logits` `[P, B, G]`, `log_concentration` `[G]`, `counts` `[B, G]`, `library` `[B]` to
    /// `[P, B]`; none where there are no kernels for their device.
    pub fn count_likelihood(
        _logits: &Tensor,
        _log_concentration: &Tensor,
        _counts: impl FnOnce(&Device) -> Result<[Tensor; 2]>,
    ) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// One step for (parameter, its gradient, both its moments `[2, n]`, its learning rate over 1 − β₁ᵗ); false where there are no
    /// kernels for their device.
    pub fn optimise(_parts: &[(&Tensor, Tensor, &Tensor, f32)], _step: &AdamStep) -> Result<bool> {
        Ok(false)
    }

    /// Compile the kernels for `device` and hold them against candle's operations.
    ///
    /// # Errors
    /// Why they are not used.
    pub fn try_out(_device: &Device) -> std::result::Result<(), String> {
        Err("this build has no CUDA".to_owned())
    }
}
