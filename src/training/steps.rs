//! How the steps of a run are taken: by hand on the processor, on a GPU by kernels of our own, or by the tensor library's operations.

use candle_core::{Device, Result, Tensor};
use rand::RngExt as _;
use rayon::prelude::*;

use super::device::Chosen;
use crate::models::gpo_vae::{Batch, FusedStep, GpoVae, GpoVaeConfig, GpuStep, Noise, Packed, Sizes};
use crate::models::nn::adam::{Adam, AdamState};
use crate::models::nn::gpu;
use crate::random::Rng;

/// A GPU is asked after so many steps whether the loss is a number still: asking waits for it.
const ASKED_AFTER: usize = 32;

/// Where and how.
pub(super) enum Steps {
    /// By hand, on the processor.
    Processor(Box<FusedStep>, Adam),
    /// By kernels of our own, on a GPU; the model lies on the processor.
    Gpu(Box<GpuStep>),
    /// By the tensor library's operations, on the device of the model.
    Plain(Adam),
}

/// A batch that is ready for a step.
pub(super) enum Ready {
    /// With its draws.
    Here(Box<Batch>, Noise),
    /// For a GPU that draws for itself.
    Packed(Box<Packed>),
}

impl Ready {
    /// How many.
    pub fn cells(&self) -> usize {
        match self {
            Self::Here(batch, _) => batch.len(),
            Self::Packed(packed) => packed.cells(),
        }
    }
}

/// Makes batches ready for steps, on a thread of its own.
#[derive(Clone, Copy)]
pub(super) struct Maker<'a> {
    config: &'a GpoVaeConfig,
    sizes: Sizes,
    on_gpu: bool,
}

impl Maker<'_> {
    /// How many batches are made at a time. A GPU has done with one before a single thread has made the next.
    pub fn at_a_time(&self) -> usize {
        if self.on_gpu { 4 } else { 1 }
    }

    /// Of some cells each, as `batch` gives them.
    pub fn make(&self, of: &[&[u32]], batch: impl Fn(&[u32]) -> Batch + Sync, noise: &mut Rng) -> Vec<Ready> {
        if self.on_gpu {
            let packed = |cells: &&[u32]| Ready::Packed(Box::new(Packed::new(&batch(cells), self.config)));
            return of.par_iter().map(packed).collect();
        }
        let mut here = |cells: &&[u32]| {
            let mut batch = batch(cells);
            batch.make_dense();
            let noise = Noise::random(noise, self.sizes, self.config, &batch);
            Ready::Here(Box::new(batch), noise)
        };
        of.iter().map(&mut here).collect()
    }
}

/// The losses of a pass over cells, each batch by its share: the total first, then the terms.
#[derive(Default)]
pub(super) struct Pass {
    sums: [f64; 9],
    /// What the last step gave, on the device still: it is asked when the next one is under way, so that the device never waits for that.
    last: Option<(f64, Tensor)>,
    steps: usize,
}

impl Pass {
    /// Whether all are numbers.
    fn add(&mut self, share: f64, terms: [f64; 9]) -> bool {
        self.sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += share * term);
        terms.iter().all(|term| term.is_finite())
    }

    fn add_last(&mut self) -> Result<bool> {
        let Some((share, all)) = self.last.take() else { return Ok(true) };
        let mut terms = [0.0; 9];
        terms.iter_mut().zip(all.to_vec1::<f32>()?).for_each(|(value, term)| *value = f64::from(term));
        Ok(self.add(share, terms))
    }
}

impl Steps {
    /// The way that goes on the chosen device, and where the model has to lie for it.
    pub fn device(chosen: &Chosen, config: &GpoVaeConfig) -> Device {
        if Self::are_on_gpu(chosen, config) { Device::Cpu } else { chosen.device.clone() }
    }

    /// Whether a GPU takes them by kernels of our own.
    pub fn are_on_gpu(chosen: &Chosen, config: &GpoVaeConfig) -> bool {
        chosen.has_kernels && <GpuStep>::takes(config)
    }

    pub fn new(chosen: &Chosen, model: &GpoVae) -> Result<Self> {
        let config = model.config();
        let adam = || Adam::new(config.optimiser());
        Ok(match &chosen.device {
            device if Self::are_on_gpu(chosen, config) => {
                Self::Gpu(Box::new(GpuStep::new(model, gpu::machine(device)?)?))
            }
            Device::Cpu => Self::Processor(Box::new(FusedStep::new(model)?), adam()),
            _ => Self::Plain(adam()),
        })
    }

    pub fn maker<'a>(&self, config: &'a GpoVaeConfig, sizes: Sizes) -> Maker<'a> {
        Maker { config, sizes, on_gpu: matches!(self, Self::Gpu(_)) }
    }

    /// The model's parameters are others now.
    pub fn take_parameters(&mut self, model: &GpoVae) -> Result<()> {
        if let Self::Gpu(step) = self { step.take_parameters(model.parameters()) } else { Ok(()) }
    }

    pub fn optimiser_state(&mut self) -> Result<AdamState> {
        match self {
            Self::Gpu(step) => step.optimiser_state(),
            Self::Processor(_, adam) | Self::Plain(adam) => adam.state(),
        }
    }

    pub fn restore_optimiser(&mut self, state: AdamState, model: &GpoVae) -> Result<()> {
        match self {
            Self::Gpu(step) => step.restore_optimiser(state),
            Self::Processor(_, adam) | Self::Plain(adam) => adam.restore(state, model.parameters()),
        }
    }

    /// Begin a pass; its draws are from `noise` on.
    pub fn begin(&mut self, noise: &mut Rng) -> Result<Pass> {
        if let Self::Gpu(step) = self {
            step.begin_pass(noise.random())?;
        }
        Ok(Pass::default())
    }

    /// A step, with `learn` also of the optimiser; false when a loss turned out to be no number.
    pub fn take(&mut self, model: &GpoVae, ready: &Ready, learn: bool, share: f64, pass: &mut Pass) -> Result<bool> {
        match (self, ready) {
            (Self::Gpu(step), Ready::Packed(packed)) => {
                step.run(packed, None, learn, share)?;
                if learn {
                    step.optimise()?;
                }
                pass.steps += 1;
                Ok(!pass.steps.is_multiple_of(ASKED_AFTER) || step.losses()?.iter().all(|term| term.is_finite()))
            }
            (Self::Processor(fused, adam), Ready::Here(batch, noise)) => {
                let terms = fused.run(model, batch, noise, learn)?;
                if learn && terms[0].is_finite() {
                    adam.step_slices(model.parameters(), &fused.gradients())?;
                }
                Ok(pass.add(share, terms))
            }
            (Self::Plain(adam), Ready::Here(batch, noise)) => {
                let loss = model.loss(batch, noise)?;
                if learn {
                    adam.step(model.parameters(), &loss.total.backward()?)?;
                }
                let all: Vec<Tensor> = std::iter::once(&loss.total).chain(&loss.terms).map(Tensor::detach).collect();
                let held = pass.add_last()?;
                pass.last = Some((share, Tensor::stack(&all, 0)?));
                Ok(held)
            }
            _ => candle_core::bail!("a batch was made ready for another device"),
        }
    }

    /// The losses of a pass that is at its end, all steps of which are done by then; none when one turned out to be no number. With `learned` the
    /// model has the parameters that were.
    pub fn end(&mut self, model: &GpoVae, mut pass: Pass, learned: bool) -> Result<Option<[f64; 9]>> {
        let held = match self {
            Self::Gpu(step) => {
                if learned {
                    step.give_parameters(model.parameters())?;
                }
                pass.sums = step.losses()?;
                pass.sums.iter().all(|term| term.is_finite())
            }
            Self::Processor(..) | Self::Plain(_) => pass.add_last()?,
        };
        Ok(held.then_some(pass.sums))
    }
}
