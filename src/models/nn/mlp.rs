//! Residual multi-layer perceptrons, as in the authors' networks.

use candle_core::{Result, Tensor};

use super::linear::{Activation, Linear};
use super::parameters::Parameters;

/// Linear + LeakyReLU, then x ← LeakyReLU(Linear(x)) + x for each further layer of the same width.
#[derive(Clone, Debug)]
pub struct ResidualMlp {
    first: Linear,
    rest: Vec<Linear>,
}

impl ResidualMlp {
    /// `layers` ≥ 1 layers of width `hidden` over `inputs` features, named `NAME.layers.I`.
    pub fn new(parameters: &mut Parameters, name: &str, inputs: usize, hidden: usize, layers: usize) -> Result<Self> {
        let first = parameters.linear(&format!("{name}.layers.0"), inputs, hidden)?;
        let rest = (1..layers)
            .map(|layer| parameters.linear(&format!("{name}.layers.{layer}"), hidden, hidden))
            .collect::<Result<_>>()?;
        Ok(Self { first, rest })
    }

    /// The first layer, for callers that feed it in parts.
    pub fn first(&self) -> &Linear {
        &self.first
    }

    /// `[…, inputs]` to `[…, hidden]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.after_first(self.first.forward(x, Activation::LeakyRelu)?)
    }

    /// The layers after the first, on its activated output.
    pub fn after_first(&self, mut x: Tensor) -> Result<Tensor> {
        for layer in &self.rest {
            x = (layer.forward(&x, Activation::LeakyRelu)? + x)?;
        }
        Ok(x)
    }
}

/// A diagonal normal distribution: mean and variance heads on a residual network.
#[derive(Clone, Debug)]
pub struct NormalMlp {
    /// The shared layers.
    pub mlp: ResidualMlp,
    mean: Linear,
    log_variance: Linear,
}

/// Mean and variance of independent normal variables.
#[derive(Clone, Debug)]
pub struct Normal {
    /// Means.
    pub mean: Tensor,
    /// Variances, all positive.
    pub variance: Tensor,
}

impl NormalMlp {
    /// Shared layers as in [`ResidualMlp::new`], heads named `NAME.mean` and `NAME.log_variance`.
    pub fn new(
        parameters: &mut Parameters,
        name: &str,
        [inputs, hidden, outputs]: [usize; 3],
        layers: usize,
    ) -> Result<Self> {
        Ok(Self {
            mlp: ResidualMlp::new(parameters, name, inputs, hidden, layers)?,
            mean: parameters.linear(&format!("{name}.mean"), hidden, outputs)?,
            log_variance: parameters.linear(&format!("{name}.log_variance"), hidden, outputs)?,
        })
    }

    /// The distribution at `x`.
    pub fn forward(&self, x: &Tensor) -> Result<Normal> {
        self.heads(&self.mlp.forward(x)?)
    }

    /// The distribution from the activated output of the first layer.
    pub fn after_first(&self, first: Tensor) -> Result<Normal> {
        self.heads(&self.mlp.after_first(first)?)
    }

    fn heads(&self, hidden: &Tensor) -> Result<Normal> {
        let mean = self.mean.forward(hidden, Activation::None)?;
        // exp overflows f32 at 88.7; the published code replaces ∞ afterwards, which gives no gradient either.
        let log_variance = self.log_variance.forward(hidden, Activation::None)?.clamp(-88.0, 88.0)?;
        Ok(Normal { mean, variance: (log_variance.exp()? + 1e-4)? })
    }
}

impl Normal {
    /// mean + √variance · noise.
    pub fn sample(&self, noise: &Tensor) -> Result<Tensor> {
        self.mean.broadcast_add(&self.variance.sqrt()?.broadcast_mul(noise)?)
    }

    /// log N(x; 0, σ²) − log q(x) at x = mean + √variance · noise, elementwise: ½(noise² + ln variance − x²/σ² − ln σ²).
    pub fn log_prior_ratio(&self, x: &Tensor, noise: &Tensor, scale: f64) -> Result<Tensor> {
        let squares = (noise.sqr()? - (x.sqr()? * (1.0 / (scale * scale)))?)?;
        ((squares.broadcast_add(&self.variance.log()?))? - 2.0 * scale.ln())? * 0.5
    }
}
