//! Adam with L2 weight decay added to the gradient (not decoupled) and a bound on the gradient's norm, as published.
//!
//! On the processor the step is in place; elsewhere it is built from candle's operations. A GPU that takes steps of its own has the
//! [`AdamNumbers`] of each.

use std::collections::BTreeMap;
use std::sync::Mutex;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, Device, InplaceOp1, Layout, Result, Tensor};
use rayon::prelude::*;

use super::kernels;
use super::parameters::Parameters;
use super::vector;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Settings of the optimiser.
#[derive(Clone, Copy, Debug)]
pub struct AdamConfig {
    /// Step size.
    pub learning_rate: f64,
    /// L2 weight decay.
    pub weight_decay: f64,
    /// Largest norm of the whole gradient; larger ones are scaled down to it.
    pub clip_norm: f64,
    /// Parameters that take larger steps: names, and how many times as large.
    pub faster: &'static [(&'static str, f64)],
}

impl AdamConfig {
    /// The learning rate of a parameter.
    pub fn rate_of(&self, name: &str) -> f64 {
        let faster = self.faster.iter().find(|(faster, _)| *faster == name);
        self.learning_rate * faster.map_or(1.0, |(_, times)| *times)
    }

    /// What the step of this number (from 1) is made with.
    pub fn numbers(&self, step: i32) -> AdamNumbers {
        let (first, second) = corrections(step);
        AdamNumbers {
            clip_norm: self.clip_norm as f32,
            weight_decay: self.weight_decay as f32,
            betas: [BETA1 as f32, BETA2 as f32],
            per_rate: (1.0 / first) as f32,
            root: (1.0 / second.sqrt()) as f32,
            epsilon: EPSILON as f32,
        }
    }
}

/// What a step is made with, beside learning rates.
#[derive(Clone, Copy, Debug)]
pub struct AdamNumbers {
    /// Largest norm of the whole gradient.
    pub clip_norm: f32,
    /// L2 weight decay, added to the gradient.
    pub weight_decay: f32,
    /// Decay of both moments.
    pub betas: [f32; 2],
    /// 1/(1 − β₁ᵗ), by which learning rates are multiplied.
    pub per_rate: f32,
    /// 1/√(1 − β₂ᵗ).
    pub root: f32,
    /// Added to the denominator.
    pub epsilon: f32,
}

/// 1 − βᵗ of both moments.
fn corrections(step: i32) -> (f64, f64) {
    (1.0 - BETA1.powi(step), 1.0 - BETA2.powi(step))
}

/// The optimiser's state.
pub struct Adam {
    config: AdamConfig,
    step: i32,
    moments: BTreeMap<String, Moments>,
}

/// What the optimiser remembers.
#[derive(Clone, Debug, Default)]
pub struct AdamState {
    /// Steps taken.
    pub steps: i32,
    /// First and second moment by parameter.
    pub moments: BTreeMap<String, [Vec<f32>; 2]>,
}

enum Moments {
    /// First and second moment.
    Slices(Mutex<(Vec<f32>, Vec<f32>)>),
    /// The same on a device, `[2, n]`.
    Tensor(Tensor),
}

impl Adam {
    /// Before the first step.
    pub fn new(config: AdamConfig) -> Self {
        Self { config, step: 0, moments: BTreeMap::new() }
    }

    /// One step with gradients of the tensor library. Parameters without a gradient stay as they are.
    pub fn step(&mut self, parameters: &Parameters, gradients: &GradStore) -> Result<()> {
        if matches!(parameters.device(), Device::Cpu) {
            let mut squares = 0.0;
            for gradient in parameters.iter().filter_map(|(_, var)| gradients.get(var)) {
                squares += kernels::with_slice(&gradient.contiguous()?, sum_of_squares)?;
            }
            let now = self.begin(squares);
            for (name, var) in parameters.iter() {
                let Some(gradient) = gradients.get(var) else { continue };
                let gradient = gradient.contiguous()?;
                kernels::with_slice(&gradient, |gradient| self.in_place(name, var.as_tensor(), gradient, &now))??;
            }
            return Ok(());
        }
        for (name, var) in parameters.iter() {
            if gradients.get(var).is_some() && !self.moments.contains_key(name) {
                let zeros = Tensor::zeros((2, var.elem_count()), var.dtype(), var.device())?;
                self.moments.insert(name.to_owned(), Moments::Tensor(zeros));
            }
        }
        self.step += 1;
        let corrections = corrections(self.step);
        let found = parameters.iter().filter_map(|(_, var)| gradients.get(var));
        let squares = found.map(|gradient| gradient.sqr()?.sum_all()).collect::<Result<Vec<_>>>()?;
        // One transfer from the device.
        let squares: f64 = Tensor::stack(&squares, 0)?.to_vec1::<f32>()?.into_iter().map(f64::from).sum();
        let scale = self.scale(squares.sqrt());
        for (name, var) in parameters.iter() {
            let (Some(gradient), Some(Moments::Tensor(moments))) = (gradients.get(var), self.moments.get_mut(name))
            else {
                continue;
            };
            let gradient =
                ((gradient * scale)? + (var.as_detached_tensor() * self.config.weight_decay)?)?.flatten_all()?;
            let first = ((moments.get(0)? * BETA1)? + (&gradient * (1.0 - BETA1))?)?;
            let second = ((moments.get(1)? * BETA2)? + (gradient.sqr()? * (1.0 - BETA2))?)?;
            let denominator = ((&second / corrections.1)?.sqrt()? + EPSILON)?;
            let change = ((&first * (self.config.rate_of(name) / corrections.0))? / denominator)?;
            var.set(&(var.as_detached_tensor() - change.reshape(var.shape())?)?)?;
            *moments = Tensor::stack(&[first, second], 0)?;
        }
        Ok(())
    }

    /// The same with gradients in slices, by name, for parameters on the processor; gives the gradient's norm before clipping.
    pub fn step_slices(&mut self, parameters: &Parameters, gradients: &BTreeMap<&str, &[f32]>) -> Result<f64> {
        let found = parameters.iter().filter_map(|(name, _)| gradients.get(name));
        let now = self.begin(found.map(|gradient| sum_of_squares(gradient)).sum());
        for (name, var) in parameters.iter() {
            if let Some(gradient) = gradients.get(name) {
                self.in_place(name, var.as_tensor(), gradient, &now)?;
            }
        }
        Ok(now.norm)
    }

    /// The state so far: the number of steps, and both moments by parameter.
    pub fn state(&self) -> Result<AdamState> {
        let of = |(name, moments): (&String, &Moments)| {
            let both = match moments {
                Moments::Slices(moments) => {
                    let moments = moments.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    [moments.0.clone(), moments.1.clone()]
                }
                Moments::Tensor(moments) => [moments.get(0)?.to_vec1::<f32>()?, moments.get(1)?.to_vec1::<f32>()?],
            };
            Ok((name.clone(), both))
        };
        Ok(AdamState { steps: self.step, moments: self.moments.iter().map(of).collect::<Result<_>>()? })
    }

    /// Go on from `state`; moments of parameters that `parameters` lacks, or of another size, are an error.
    pub fn restore(&mut self, state: AdamState, parameters: &Parameters) -> Result<()> {
        let vars: BTreeMap<&str, _> = parameters.iter().collect();
        self.step = state.steps;
        self.moments.clear();
        for (name, [first, second]) in state.moments {
            let Some(var) = vars.get(&*name) else { candle_core::bail!("there is no parameter {name}") };
            if first.len() != var.elem_count() || second.len() != var.elem_count() {
                candle_core::bail!("the moments of {name} are not of its size");
            }
            let moments = match var.device() {
                Device::Cpu => Moments::Slices(Mutex::new((first, second))),
                device => Moments::Tensor(Tensor::from_vec([first, second].concat(), (2, var.elem_count()), device)?),
            };
            self.moments.insert(name, moments);
        }
        Ok(())
    }

    fn begin(&mut self, squares: f64) -> Now {
        let norm = squares.sqrt();
        self.step += 1;
        Now { norm, scale: self.scale(norm), corrections: corrections(self.step) }
    }

    /// What clipping makes of a gradient of that norm.
    fn scale(&self, norm: f64) -> f64 {
        (self.config.clip_norm / (norm + 1e-6)).min(1.0)
    }

    fn in_place(&mut self, name: &str, parameter: &Tensor, gradient: &[f32], now: &Now) -> Result<()> {
        let count = parameter.elem_count();
        if !self.moments.contains_key(name) {
            let moments = Moments::Slices(Mutex::new((vec![0.0; count], vec![0.0; count])));
            self.moments.insert(name.to_owned(), moments);
        }
        match self.moments.get(name) {
            Some(Moments::Slices(moments)) => {
                let (rate, decay) = (self.config.rate_of(name), self.config.weight_decay);
                parameter.inplace_op1(&Update { rate, decay, now, gradient, moments })
            }
            _ => Ok(()),
        }
    }
}

/// What all parameters of a step share.
struct Now {
    /// Of the whole gradient, before clipping.
    norm: f64,
    /// What clipping makes of it.
    scale: f64,
    /// 1 − βᵗ of both moments.
    corrections: (f64, f64),
}

fn sum_of_squares(values: &[f32]) -> f64 {
    // Pieces are added in order: the same sum whatever the number of threads.
    let pieces: Vec<f64> = values.par_chunks(1 << 14).map(vector::sum_of_squares).collect();
    pieces.iter().sum()
}

struct Update<'a> {
    rate: f64,
    decay: f64,
    now: &'a Now,
    gradient: &'a [f32],
    moments: &'a Mutex<(Vec<f32>, Vec<f32>)>,
}

impl InplaceOp1 for Update<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(&self, value: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let gradient = self.gradient;
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("expected a contiguous parameter")
        };
        let CpuStorage::F32(values) = value else { candle_core::bail!("expected an f32 parameter") };
        let mut moments = self.moments.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (first, second) = &mut *moments;
        let (scale, decay) = (self.now.scale as f32, self.decay as f32);
        let rate = (self.rate / self.now.corrections.0) as f32;
        let root = (1.0 / self.now.corrections.1.sqrt()) as f32;
        let (beta1, beta2, epsilon) = (BETA1 as f32, BETA2 as f32, EPSILON as f32);
        const PIECE: usize = 1 << 14;
        let moments = first.par_chunks_mut(PIECE).zip(second.par_chunks_mut(PIECE));
        let pieces = values[start..end].par_chunks_mut(PIECE).zip(gradient.par_chunks(PIECE)).zip(moments);
        pieces.for_each(|((values, gradient), (first, second))| {
            vector::wide(
                #[inline(always)]
                || {
                    let moments = first.iter_mut().zip(second);
                    for ((value, gradient), (first, second)) in values.iter_mut().zip(gradient).zip(moments) {
                        let gradient = gradient * scale + decay * *value;
                        *first += (1.0 - beta1) * (gradient - *first);
                        *second = beta2 * *second + (1.0 - beta2) * gradient * gradient;
                        *value -= rate * *first / (second.sqrt() * root + epsilon);
                    }
                },
            );
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::nn::parameters::Source;

    #[test]
    fn a_faster_parameter_takes_larger_steps_of_the_same_direction() {
        let source = Source::Random(Box::new(crate::random::stream(1, "adam test")));
        let mut parameters = Parameters::new(source, &Device::Cpu);
        let names = ["fast", "plain"];
        for name in names {
            parameters.get(name, &[3], |_| 0.0).unwrap();
        }
        let config = AdamConfig { learning_rate: 0.01, weight_decay: 0.0, clip_norm: 1e9, faster: &[("fast", 10.0)] };
        let mut adam = Adam::new(config);
        let slopes = [0.5f32, -2.0, 1e-3];
        for _ in 0..4 {
            adam.step_slices(&parameters, &names.map(|name| (name, &slopes[..])).into()).unwrap();
        }
        let values = |name| {
            let var = parameters.iter().find(|(known, _)| *known == name).unwrap().1;
            var.to_vec1::<f32>().unwrap()
        };
        // Gradients that stay the same: a whole step each time, whatever their size.
        for ((fast, plain), slope) in values("fast").iter().zip(values("plain")).zip(slopes) {
            assert!((plain + 0.04 * slope.signum()).abs() < 1e-4, "{plain}");
            assert!((fast - 10.0 * plain).abs() < 1e-4, "{fast}, {plain}");
        }
    }
}
