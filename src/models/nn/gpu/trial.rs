//! The kernels held against candle's operations on the processor, on the device itself, before anything is trained with them.

use std::panic::catch_unwind;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use candle_core::{Device, Result, Tensor, Var};
use rand::RngExt as _;

use super::kernels::WORKING;
use crate::models::nn::adam::{Adam, AdamConfig};
use crate::models::nn::counts::{Counts, library_negative_binomial};
use crate::models::nn::kernels::leaky_relu;
use crate::models::nn::linear::{Activation, affine};
use crate::models::nn::parameters::{Parameters, Source, normal};
use crate::random;

/// Largest difference, over the largest value: f32 sums in another order, and the logarithm and exponential of another maker.
const TOLERANCE: f32 = 2e-3;

/// Compile the kernels for `device` and hold them against candle's operations.
///
/// # Errors
/// Why they are not used.
pub fn try_out(device: &Device) -> std::result::Result<(), String> {
    static TRIED: OnceLock<std::result::Result<(), String>> = OnceLock::new();
    let tried = TRIED.get_or_init(|| {
        WORKING.store(true, Ordering::Relaxed);
        // The bindings panic where the compiler's library is missing.
        let found = catch_unwind(|| compare(device)).unwrap_or_else(|_| Err("NVRTC is not installed".to_owned()));
        WORKING.store(found.is_ok(), Ordering::Relaxed);
        found
    });
    tried.clone()
}

fn compare(device: &Device) -> std::result::Result<(), String> {
    let told = |error: candle_core::Error| error.to_string().lines().next().unwrap_or_default().to_owned();
    let expected = outcomes(&Device::Cpu).map_err(told)?;
    let found = outcomes(device).map_err(told)?;
    for ((name, expected), (_, found)) in expected.iter().zip(&found) {
        let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let agrees = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE * largest + 1e-6;
        if expected.len() != found.len() || !expected.iter().zip(found).all(agrees) {
            return Err(format!("{name} differs from what the processor gives"));
        }
    }
    Ok(())
}

/// What the operations give on a device, and their gradients.
fn outcomes(device: &Device) -> Result<Vec<(&'static str, Vec<f32>)>> {
    let mut random = random::stream(1, "trial of kernels");
    let mut draw = |shape: Vec<usize>| Var::from_tensor(&normal(&mut random, shape, &Device::Cpu)?.to_device(device)?);
    let read = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
    let mut found = Vec::new();

    let (particles, cells, genes) = (2, 5, 300);
    let (logits, logs) = (draw(vec![particles, cells, genes])?, draw(vec![genes])?);
    // Zeros, small counts and some too large for a table.
    let value = |at: usize| [0.0, 1.0, 0.0, 3.0, 0.0, 41.0, 0.0][at % 7];
    let library = (0..cells).map(|cell| 500.0 + 100.0 * cell as f32).collect();
    let counts = Counts::new((0..cells * genes).map(value).collect(), library, genes);
    let likelihood = library_negative_binomial(&logits, &logs, &counts)?;
    found.push(("the log-likelihood of counts", read(&likelihood)?));
    let weights = draw(vec![particles, cells])?;
    let gradients = (likelihood * weights.as_tensor())?.sum_all()?.backward()?;
    for (name, var) in [("its gradient by logits", &logits), ("its gradient by concentrations", &logs)] {
        found.push((name, read(gradients.get(var).expect("it depends on it"))?));
    }

    let (rows, inputs, outputs) = (70, 9, 40);
    let (x, weight, bias) = (draw(vec![rows, inputs])?, draw(vec![outputs, inputs])?, draw(vec![outputs])?);
    let to_sum = draw(vec![rows, outputs])?;
    for activation in [Activation::None, Activation::LeakyRelu] {
        let y = leaky_relu(&affine(&x, &weight, &bias, activation)?)?;
        found.push(("a layer", read(&y)?));
        let gradients = (y * to_sum.as_tensor())?.sum_all()?.backward()?;
        for var in [&x, &weight, &bias] {
            found.push(("the gradient of a layer", read(gradients.get(var).expect("it depends on it"))?));
        }
    }

    let source = Source::Random(Box::new(random::stream(2, "trial of kernels")));
    let mut parameters = Parameters::new(source, device);
    let draw = |random: &mut random::Rng| random.random_range(-1.0..=1.0);
    let vars = [parameters.get("a", &[400, 3], draw)?, parameters.get("b", &[7], draw)?];
    let config = AdamConfig { learning_rate: 0.01, weight_decay: 0.1, clip_norm: 1.0, faster: &[("b", 3.0)] };
    let mut adam = Adam::new(config);
    for _ in 0..3 {
        let loss = ((vars[0].sqr()?.sum_all()? * 0.3)? + vars[1].sqr()?.sqr()?.sum_all()?)?;
        adam.step(&parameters, &loss.backward()?)?;
    }
    for (_, var) in parameters.iter() {
        found.push(("the optimiser's step", read(var)?));
    }
    Ok(found)
}
