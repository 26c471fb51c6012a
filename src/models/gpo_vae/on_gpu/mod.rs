//! Loss, gradient and optimiser of a training step on a GPU: the formulas of [`super::FusedStep`], by kernels of our own over all particles at
//! once.
//!
//! Parameters, gradients and moments lie there side by side, all other memory is kept from step to step, cells come as their counts that are
//! not 0, draws are made there, and nothing is read back but the sums of a pass: the processor only says what is to be done next.

mod alignment;
mod decoder;
mod effects;
mod entering;
mod inputs;
mod layers;
mod normal;
mod packed;
mod rooms;
mod states;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use candle_core::{Result, Tensor, bail};

use self::decoder::Decoded;
pub use self::packed::Packed;
use self::rooms::{Rooms, place, run, whole};
use super::config::GpoVaeConfig;
use super::fused::Networks;
use super::mask::log_odds;
use super::network::{GpoVae, Sizes};
use super::noise::Noise;
use super::reading::Reading;
use super::variants::Likelihood;
use crate::models::nn::adam::{AdamConfig, AdamState};
use crate::models::nn::gpu::{Array, Grid, Machine, words};
use crate::models::nn::kernels;
use crate::models::nn::parameters::Parameters;

/// Terms of the loss, see [`crate::models::LossTerms`].
const TERMS: usize = 8;
/// Where each of them is summed.
mod term {
    pub const RECONSTRUCTION: usize = 0;
    pub const BASAL: usize = 1;
    pub const EFFECT: usize = 2;
    pub const MASK: usize = 3;
    pub const ARTIFACT: usize = 4;
    pub const COUNTERFACTUAL: usize = 5;
    pub const GRN: usize = 6;
    pub const SPARSITY: usize = 7;
}

/// Training steps of one model on a GPU. It has parameters of its own, which the model's are copied to and from.
pub struct GpuStep<M = Box<dyn Machine>> {
    rooms: Rooms<M>,
    sizes: Sizes,
    config: GpoVaeConfig,
    optimiser: AdamConfig,
    steps: i32,
    /// Where each parameter lies among all, by name.
    ranges: BTreeMap<String, Range<usize>>,
    /// Ranges of one learning rate.
    rates: Vec<(Range<usize>, f64)>,
    all: Flat,
    values: Networks<Array>,
    gradients: Networks<Array>,
    /// Log odds of the mask's prior, then log complements.
    prior: Array,
    ones: Array,
    terms: Array,
    /// How counts are read, with its tables on the GPU.
    reading: Option<OnGpu>,
}

/// All parameters one after the other, and what goes with each.
#[derive(Clone, Copy)]
struct Flat {
    values: Array,
    gradients: Array,
    moments: [Array; 2],
}

/// How counts are read: by gene, and the partners as they are read.
struct OnGpu {
    of: Arc<Reading>,
    tables: Array,
    partners: Array,
}

/// The batch on the GPU.
struct On<'a> {
    packed: &'a Packed,
    words: Array,
}

impl On<'_> {
    fn at(&self, range: &Range<usize>) -> Array {
        self.words.part(range.start, range.len())
    }
}

impl<M: Machine> GpuStep<M> {
    /// Whether a model of these settings takes its steps here: of the distributions of counts there are kernels for the negative binomial.
    pub fn takes(config: &GpoVaeConfig) -> bool {
        config.likelihood == Likelihood::LibraryNegativeBinomial
    }

    /// For steps of `model`, which lies on the processor.
    ///
    /// # Errors
    /// If the machine fails, or [`GpuStep::takes`] not these settings.
    pub fn new(model: &GpoVae, machine: M) -> Result<Self> {
        let config = model.config().clone();
        if !Self::takes(&config) {
            bail!("there are no kernels for the {} likelihood", config.likelihood.label());
        }
        let mut rooms = Rooms::new(machine);
        let optimiser = config.optimiser();
        let parameters = model.parameters();
        // Those of one learning rate side by side.
        let mut order: Vec<(f64, &str, usize)> =
            parameters.iter().map(|(name, var)| (optimiser.rate_of(name), name, var.elem_count())).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
        let (mut ranges, mut rates, mut end) = (BTreeMap::new(), Vec::<(Range<usize>, f64)>::new(), 0);
        for (rate, name, count) in order {
            match rates.last_mut() {
                Some((range, last)) if *last == rate => range.end += count,
                _ => rates.push((end..end + count, rate)),
            }
            ranges.insert(name.to_owned(), end..end + count);
            end += count;
        }
        let mut flat = |what: &'static str| rooms.room(("parameters", what, 0), end);
        let all = Flat {
            values: flat("values")?,
            gradients: flat("gradients")?,
            moments: [flat("first moments")?, flat("second moments")?],
        };
        let within = |array: Array| {
            Networks::build(&config, &mut |name| {
                let range: &Range<usize> = ranges.get(&name)?;
                Some(array.part(range.start, range.len()))
            })
        };
        let (Some(values), Some(gradients)) = (within(all.values), within(all.gradients)) else {
            bail!("the model lacks parameters");
        };
        let priors: Vec<f64> = match model.mask_prior() {
            Some(priors) => priors.iter().map(|&prior| f64::from(prior)).collect(),
            None => vec![config.mask_prior],
        };
        let (odds, complements): (Vec<f32>, Vec<f32>) = priors.into_iter().map(log_odds).unzip();
        let prior = rooms.put_numbers(("mask", "prior", 0), &[odds, complements].concat())?;
        let ones = rooms.put_numbers(("artifact", "ones", 0), &vec![1.0; config.latent])?;
        let terms = rooms.room(("loss", "terms", 0), TERMS)?;
        let sizes = model.sizes();
        let mut step = Self {
            rooms,
            sizes,
            config,
            optimiser,
            steps: 0,
            ranges,
            rates,
            all,
            values,
            gradients,
            prior,
            ones,
            terms,
            reading: None,
        };
        for moments in all.moments {
            step.fill(moments)?;
        }
        step.take_parameters(parameters)?;
        step.begin_pass(0)?;
        Ok(step)
    }

    fn fill(&mut self, values: Array) -> Result<()> {
        run!(self.rooms, "fill", Grid::strides(values.len()); values, place(values.len()), 0.0f32);
        Ok(())
    }

    /// Take the parameters of a model on the processor.
    pub fn take_parameters(&mut self, parameters: &Parameters) -> Result<()> {
        let mut all = vec![0u32; self.all.values.len()];
        for (name, var) in parameters.iter() {
            let Some(range) = self.ranges.get(name) else { bail!("there is no parameter {name}") };
            let given = var.flatten_all()?.contiguous()?;
            kernels::with_slice(&given, |values| all[range.clone()].copy_from_slice(&words(values)))?;
        }
        self.rooms.machine.upload(&all, self.all.values)
    }

    /// Give its parameters to a model on the processor.
    pub fn give_parameters(&mut self, parameters: &Parameters) -> Result<()> {
        let all = self.rooms.machine.download(self.all.values)?;
        let of = |(name, var): (&str, &candle_core::Var)| {
            let Some(range) = self.ranges.get(name) else { bail!("there is no parameter {name}") };
            Ok((name.to_owned(), Tensor::from_slice(&all[range.clone()], var.shape(), var.device())?))
        };
        parameters.restore(&parameters.iter().map(of).collect::<Result<_>>()?)
    }

    /// The state of its optimiser.
    pub fn optimiser_state(&mut self) -> Result<AdamState> {
        let [first, second] = self.all.moments;
        let (first, second) = (self.rooms.machine.download(first)?, self.rooms.machine.download(second)?);
        let of = |(name, range): (&String, &Range<usize>)| {
            (name.clone(), [first[range.clone()].to_vec(), second[range.clone()].to_vec()])
        };
        Ok(AdamState { steps: self.steps, moments: self.ranges.iter().map(of).collect() })
    }

    /// Go on from such a state; moments of unknown parameters, or of another size, are an error.
    pub fn restore_optimiser(&mut self, state: AdamState) -> Result<()> {
        let mut all = [vec![0.0f32; self.all.values.len()], vec![0.0f32; self.all.values.len()]];
        for (name, moments) in &state.moments {
            let Some(range) = self.ranges.get(name) else { bail!("there is no parameter {name}") };
            for (all, moments) in all.iter_mut().zip(moments) {
                if moments.len() != range.len() {
                    bail!("the moments of {name} are not of its size");
                }
                all[range.clone()].copy_from_slice(moments);
            }
        }
        self.steps = state.steps;
        for (array, values) in self.all.moments.into_iter().zip(&all) {
            self.rooms.machine.upload(&words(values), array)?;
        }
        Ok(())
    }

    /// The gradient of the last step that learned, by parameter.
    pub fn gradients(&mut self) -> Result<BTreeMap<String, Vec<f32>>> {
        let all = self.rooms.machine.download(self.all.gradients)?;
        Ok(self.ranges.iter().map(|(name, range)| (name.clone(), all[range.clone()].to_vec())).collect())
    }

    /// What it holds on the GPU so far, in bytes.
    pub fn held(&self) -> usize {
        self.rooms.held()
    }

    /// Sum the losses anew, and draw from this seed on.
    pub fn begin_pass(&mut self, seed: u64) -> Result<()> {
        self.rooms.machine.seed(seed)?;
        self.fill(self.terms)
    }

    /// The losses since [`GpuStep::begin_pass`], each by its share: the total, then the terms in the order of [`crate::models::LossTerms`].
    /// It waits until all of them are there.
    pub fn losses(&mut self) -> Result<[f64; TERMS + 1]> {
        let terms = self.rooms.machine.download(self.terms)?;
        let mut all = [terms.iter().map(|&term| f64::from(term)).sum(); TERMS + 1];
        all[1..].iter_mut().zip(terms).for_each(|(all, term)| *all = f64::from(term));
        Ok(all)
    }

    /// The loss of a batch, added by `share` to that of the pass, with its draws given or made here; with `learn` also its gradient.
    pub fn run(&mut self, packed: &Packed, noise: Option<&Noise>, learn: bool, share: f64) -> Result<()> {
        if learn {
            self.fill(self.all.gradients)?;
        }
        let on = On { packed, words: self.rooms.put(("batch", "words", 0), &packed.words)? };
        let share = share as f32;
        let draws = self.draws(packed, noise)?;
        let (counts, read) = self.cells(&on)?;
        let effects = self.effects(&on, &draws, share)?;
        let by_all = self.alignment(&on, learn, share)?;
        self.gene_effects_prior(&on, share)?;

        let states = self.states(&on, read, &effects, &draws, share)?;
        let given = Decoded { counts, basal: states.basal, effects: &effects };
        let Some((by_basal, by_sampled)) = self.decode(&on, given, learn, share)? else { return Ok(()) };
        self.states_back(&on, read, &effects, &states, by_basal, by_sampled)?;
        self.effects_back(&on, &effects, by_sampled, by_all)
    }

    /// A step of the optimiser with the last gradient; none where its norm is no number.
    pub fn optimise(&mut self) -> Result<()> {
        self.steps += 1;
        let numbers = self.optimiser.numbers(self.steps);
        let Flat { values, gradients, moments: [first, second] } = self.all;
        let grid = Grid::strides(gradients.len());
        let parts = self.rooms.room(("optimiser", "squares", 0), grid.blocks())?;
        run!(self.rooms, "squares", grid; gradients, parts, place(gradients.len()));
        let [beta1, beta2] = numbers.betas;
        for (range, rate) in self.rates.clone() {
            let of = |array: Array| array.part(range.start, range.len());
            run!(
                self.rooms, "adam", Grid::strides(range.len()); of(values), of(gradients), of(first), of(second), parts,
                place(range.len()), whole(parts.len()), numbers.clip_norm, numbers.weight_decay, beta1, beta2,
                rate as f32 * numbers.per_rate, numbers.root, numbers.epsilon
            );
        }
        Ok(())
    }

    /// Add to a term of the loss `scale` · Σ of values, each by its weight (which come again after so many).
    fn add_term(&mut self, term: usize, values: Array, weights: Option<(Array, usize)>, scale: f32) -> Result<()> {
        let (of, period) = weights.unwrap_or((values, 1));
        let sum = self.terms.part(term, 1);
        run!(
            self.rooms, "weighted_sum", Grid::one(); values, of, sum, place(values.len()), whole(period),
            u32::from(weights.is_some()), scale
        );
        Ok(())
    }
}
