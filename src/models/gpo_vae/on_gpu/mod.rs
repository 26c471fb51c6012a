//! Loss, gradient and optimiser of a training step on a GPU: the formulas of [`super::FusedStep`], by kernels of our own over all particles at
//! once.
//!
//! Parameters, gradients and moments lie there side by side, all other memory is kept from step to step, cells come as their counts that are
//! not 0, draws are made there, and nothing is read back but the sums of a pass: the processor only says what is to be done next.

mod layers;
mod packed;
mod rooms;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use candle_core::{Result, Tensor, bail};

use self::layers::{Heads, outputs, weight};
pub use self::packed::Packed;
use self::packed::PackedCells;
use self::rooms::{Rooms, place, run, whole};
use super::config::GpoVaeConfig;
use super::entering::Entering;
use super::fused::Networks;
use super::mask::LARGEST_LOGIT;
use super::network::{GpoVae, Sizes};
use super::noise::{Draw, Noise};
use super::reading::Reading;
use super::variants::{GeneEffectsPrior, Likelihood, MaskParameters};
use crate::models::nn::adam::{AdamConfig, AdamState};
use crate::models::nn::gpu::{Argument, Array, Grid, Machine, words};
use crate::models::nn::kernels::{self, LEAK};
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
    /// What the tables on the GPU are of.
    reading: Option<Arc<Reading>>,
}

/// All parameters one after the other, and what goes with each.
#[derive(Clone, Copy)]
struct Flat {
    values: Array,
    gradients: Array,
    moments: [Array; 2],
}

/// What a draw of the variables that all cells share is, and what its way back needs.
struct Effects {
    logits: Array,
    soft: Array,
    mask: Array,
    entered: Array,
    heads: Heads,
    noise: Array,
    effects: Array,
    masked: Array,
    artifact_entered: Array,
    artifact_heads: Heads,
    artifact_noise: Array,
    artifacts: Array,
}

/// Draws on the GPU.
struct Draws {
    mask: Array,
    /// Whether those of the mask are uniform, not logistic.
    uniform: bool,
    effect: Array,
    artifact: Array,
    basal: Array,
}

/// What the treatments and the artifacts bring into a first layer.
#[derive(Clone, Copy)]
struct Shared {
    offsets: Array,
    artifacts: Array,
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
        let complements: Vec<f64> = priors.iter().map(|prior| (-prior).ln_1p()).collect();
        let odds = priors.iter().zip(&complements).map(|(prior, complement)| (prior.ln() - complement) as f32);
        let prior: Vec<f32> = odds.chain(complements.iter().map(|&complement| complement as f32)).collect();
        let prior = rooms.put(("mask", "prior", 0), &words(&prior).collect::<Vec<_>>())?;
        let ones = rooms.put(("artifact", "ones", 0), &words(&vec![1.0; config.latent]).collect::<Vec<_>>())?;
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
            let put =
                |values: &[f32]| all[range.clone()].iter_mut().zip(words(values)).for_each(|(to, word)| *to = word);
            kernels::with_slice(&given, put)?;
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
            self.rooms.machine.upload(&words(values).collect::<Vec<_>>(), array)?;
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

        let encoder = Entering::encoder(&self.config, self.sizes);
        let (particles, latent) = (self.config.particles, self.config.latent);
        let (cells, rows) = (packed.cells, packed.entering());
        let first = self.values.basal.layers[0].clone();
        let width = outputs(&first);
        let own = self.rooms.room(("basal", "own", 0), (cells + packed.partners) * width)?;
        let of_own = weight(&first).columns(0, encoder.own);
        self.rooms.product(own.matrix(width), read.matrix(encoder.own), of_own.transposed())?;
        let shared = self.shared("basal", &first, encoder, &effects)?;
        let entered = self.rooms.room(("basal", "entered", 0), particles * rows * width)?;
        self.enter(&on, own, &first.bias, shared, entered, rows, false)?;
        let net = self.values.basal.clone();
        let heads = self.rooms.heads("basal", &net, entered)?;
        let count = particles * cells * latent;
        let basal = self.rooms.room(("basal", "states", 0), count)?;
        let mapping = [whole(latent), whole(cells), whole(rows), whole(particles * rows)];
        self.normal_draw(heads, draws.basal, basal, mapping)?;
        let by_basal = on.at(&packed.by_basal);
        self.normal_ratio(heads, (basal, draws.basal), mapping, 1.0, (by_basal, 1), (term::BASAL, share))?;
        let by_heads = Heads {
            means: self.rooms.room(("basal", "by means", 0), heads.means.len())?,
            logs: self.rooms.room(("basal", "by logs", 0), heads.logs.len())?,
        };
        if packed.partners > 0 {
            let sums = self.rooms.room(("basal", "divergences", 0), particles * packed.partners)?;
            let seed = (self.config.beta / particles as f64) as f32;
            run!(
                self.rooms, "divergence", Grid::rows(sums.len()); heads.means, heads.logs, sums, by_heads.means,
                by_heads.logs, whole(latent), whole(rows), whole(cells), whole(packed.partners),
                u32::from(self.config.exact_kl), seed
            );
            self.add_term(term::COUNTERFACTUAL, sums, None, share * seed)?;
        }

        let back = self.decode(&on, counts, basal, &effects, learn, share)?;
        let Some((by_basal_state, by_masked, by_artifacts)) = back else { return Ok(()) };
        self.normal_back(heads, (basal, draws.basal, by_basal_state), by_heads, mapping, (by_basal, 1), 1.0)?;
        let gradients = self.gradients.basal.clone();
        let slopes = self.rooms.heads_back("basal", &net, &gradients, entered, by_heads)?;
        let by_own = self.rooms.room(("basal", "by own", 0), own.len())?;
        run!(
            self.rooms, "own_back", Grid::strides(own.len()); slopes, on.at(&packed.partner_of), by_own, whole(width),
            whole(rows), whole(cells), whole(packed.partners), whole(particles), place(own.len())
        );
        let by_first = &gradients.layers[0];
        let by_own_part = weight(by_first).columns(0, encoder.own);
        self.rooms.add_product(by_own_part, by_own.matrix(width).transposed(), read.matrix(encoder.own))?;
        self.rooms.column_sums(by_own, by_first.bias)?;
        let into = (by_masked, by_artifacts, true);
        self.shared_back("basal", &on, (&first, by_first), encoder, &effects, (slopes, rows), into)?;
        self.effects_back(&on, &effects, by_masked, by_artifacts, by_all)
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
            self.rooms, "weighted_sum", Grid::one(); values, of, sum, place(values.len()), 1u32, whole(period),
            u32::from(weights.is_some()), scale
        );
        Ok(())
    }

    fn draws(&mut self, packed: &Packed, noise: Option<&Noise>) -> Result<Draws> {
        let (particles, latent, treatments) = (self.config.particles, self.config.latent, self.sizes.treatments);
        let pairs = particles * packed.effects * treatments;
        let mut room = |what: &'static str, count: usize| self.rooms.room(("draws", what, 0), count);
        let draws = Draws {
            mask: room("mask", pairs)?,
            uniform: noise.is_none(),
            effect: room("effect", pairs)?,
            artifact: room("artifact", 2 * particles * latent)?,
            basal: room("basal", particles * packed.cells * latent)?,
        };
        let machine = &mut self.rooms.machine;
        let Some(noise) = noise else {
            machine.uniform(draws.mask)?;
            for array in [draws.effect, draws.artifact, draws.basal] {
                machine.normal(array)?;
            }
            return Ok(draws);
        };
        // Those of the cells and of the partners are side by side for each particle.
        let [first, second] =
            [packed.first_effects, packed.effects - packed.first_effects].map(|rows| rows * treatments);
        let beside = |of: fn(&Draw) -> &[f32]| -> Vec<u32> {
            let mut all = Vec::with_capacity(pairs);
            for particle in 0..particles {
                all.extend(words(&of(&noise.factual)[particle * first..][..first]));
                if second > 0 {
                    all.extend(words(&of(&noise.counterfactual)[particle * second..][..second]));
                }
            }
            all
        };
        machine.upload(&beside(|draw| &draw.mask_logistic), draws.mask)?;
        machine.upload(&beside(|draw| &draw.effect), draws.effect)?;
        let mut artifact: Vec<u32> = words(&noise.factual.artifact).collect();
        artifact.extend(words(&noise.counterfactual.artifact));
        artifact.resize(2 * particles * latent, 0);
        machine.upload(&artifact, draws.artifact)?;
        machine.upload(&words(&noise.basal).collect::<Vec<_>>(), draws.basal)?;
        Ok(draws)
    }

    /// Counts of the cells, and what the encoder reads of cells and partners.
    fn cells(&mut self, on: &On<'_>) -> Result<(Array, Array)> {
        let (packed, genes) = (on.packed, self.sizes.genes);
        match &packed.content {
            PackedCells::Dense { counts, read } => Ok((on.at(counts), on.at(read))),
            PackedCells::Sparse { columns, values, partners, reading } => {
                if self.reading.as_ref().is_none_or(|held| !Arc::ptr_eq(held, reading)) {
                    self.rooms.put(("cells", "tables", 0), &words(&reading.tables()).collect::<Vec<_>>())?;
                    self.rooms.put(("cells", "partners", 0), &words(&reading.partners()).collect::<Vec<_>>())?;
                    self.reading = Some(Arc::clone(reading));
                }
                let tables = self.rooms.room(("cells", "tables", 0), 3 * genes)?;
                let counts = self.rooms.room(("cells", "counts", 0), packed.cells * genes)?;
                let read = self.rooms.room(("cells", "read", 0), (packed.cells + packed.partners) * genes)?;
                run!(
                    self.rooms, "expand", Grid::rows(packed.cells); on.at(&columns.starts), on.at(&columns.entries),
                    on.at(values), tables, counts, read, whole(genes), u32::from(reading.reads_logs())
                );
                let count = packed.partners * genes;
                if count > 0 {
                    let table = self.rooms.room(("cells", "partners", 0), 0)?;
                    let of_partners = read.part(packed.cells * genes, count);
                    run!(
                        self.rooms, "gather_rows", Grid::strides(count); table, on.at(partners), of_partners,
                        whole(genes), place(count)
                    );
                }
                Ok((counts, read))
            }
        }
    }

    fn probabilities(&self) -> u32 {
        u32::from(self.config.mask == MaskParameters::Probabilities)
    }

    /// How many priors the mask has: one for all, or one for each of its entries.
    fn priors(&self) -> Argument {
        place(self.prior.len() / 2)
    }

    fn inverse_temperature(&self) -> f32 {
        (1.0 / self.config.mask_temperature) as f32
    }

    /// Masks, effects and artifacts of both draws.
    fn effects(&mut self, on: &On<'_>, draws: &Draws, share: f32) -> Result<Effects> {
        let (packed, particles, treatments) = (on.packed, self.config.particles, self.sizes.treatments);
        let rows = packed.effects;
        let (pairs, count) = (rows * treatments, particles * rows * treatments);
        let (of_rows, seeds) = (on.at(&packed.rows), (on.at(&packed.by_effects), rows));
        let logits = self.rooms.room(("mask", "logits", 0), pairs)?;
        run!(
            self.rooms, "mask_logits", Grid::strides(pairs); self.values.mask, of_rows, logits, whole(treatments),
            place(pairs), self.probabilities(), LARGEST_LOGIT as f32
        );
        let (soft, mask) =
            (self.rooms.room(("mask", "soft", 0), count)?, self.rooms.room(("mask", "rounded", 0), count)?);
        run!(
            self.rooms, "mask_sample", Grid::strides(count); logits, draws.mask, soft, mask, place(pairs), place(count),
            self.inverse_temperature(), u32::from(draws.uniform)
        );
        let ratios = self.rooms.room(("mask", "ratios", 0), particles * rows)?;
        run!(
            self.rooms, "mask_ratio", Grid::rows(ratios.len()); mask, logits, self.prior, of_rows, ratios,
            whole(treatments), whole(rows), self.priors()
        );
        self.add_term(term::MASK, ratios, Some(seeds), share)?;

        let net = self.values.effect.clone();
        let first = &net.layers[0];
        let width = outputs(first);
        let entered = self.rooms.room(("effect", "entered", 0), particles * rows * width)?;
        let of_mask = weight(first).columns(0, treatments);
        self.rooms.product(entered.matrix(width), mask.matrix(treatments), of_mask.transposed())?;
        run!(
            self.rooms, "enter_effects", Grid::strides(entered.len()); entered, first.weight, first.bias, of_rows,
            whole(width), whole(rows), whole(treatments), place(entered.len()), LEAK
        );
        let heads = self.rooms.heads("effect", &net, entered)?;
        let effects = self.rooms.room(("effect", "drawn", 0), count)?;
        let mapping = self.effect_mapping(rows);
        self.normal_draw(heads, draws.effect, effects, mapping)?;
        let scale = self.config.effect_prior_scale;
        self.normal_ratio(heads, (effects, draws.effect), mapping, scale, seeds, (term::EFFECT, share))?;
        let masked = self.rooms.room(("effect", "masked", 0), count)?;
        run!(self.rooms, "multiply", Grid::strides(count); effects, mask, masked, place(count));

        let net = self.values.artifact.clone();
        let artifact_entered = self.rooms.room(("artifact", "entered", 0), outputs(&net.layers[0]))?;
        self.rooms.affine(self.ones, &net.layers[0], artifact_entered, true)?;
        let artifact_heads = self.rooms.heads("artifact", &net, artifact_entered)?;
        let artifacts = self.rooms.room(("artifact", "drawn", 0), draws.artifact.len())?;
        let mapping = self.artifact_mapping();
        self.normal_draw(artifact_heads, draws.artifact, artifacts, mapping)?;
        let seeds = (on.at(&packed.by_artifacts), 2 * particles);
        let drawn = (artifacts, draws.artifact);
        self.normal_ratio(artifact_heads, drawn, mapping, 1.0, seeds, (term::ARTIFACT, share))?;
        Ok(Effects {
            logits,
            soft,
            mask,
            entered,
            heads,
            noise: draws.effect,
            effects,
            masked,
            artifact_entered,
            artifact_heads,
            artifact_noise: draws.artifact,
            artifacts,
        })
    }

    fn effect_mapping(&self, rows: usize) -> [Argument; 4] {
        [whole(self.sizes.treatments), whole(rows), whole(rows), whole(self.config.particles * rows)]
    }

    /// All draws have the same heads.
    fn artifact_mapping(&self) -> [Argument; 4] {
        [whole(self.config.latent), whole(1), whole(1), whole(1)]
    }

    fn normal_draw(&mut self, heads: Heads, noise: Array, x: Array, mapping: [Argument; 4]) -> Result<()> {
        let [width, inner, stride, count] = mapping;
        run!(
            self.rooms, "normal_draw", Grid::strides(x.len()); heads.means, heads.logs, noise, x, width, inner, stride,
            count, place(x.len())
        );
        Ok(())
    }

    /// Log ratios of draws to a prior of this standard deviation, by row; their weighted sum is added to a term.
    fn normal_ratio(
        &mut self,
        heads: Heads,
        (x, noise): (Array, Array),
        mapping: [Argument; 4],
        scale: f64,
        weights: (Array, usize),
        (term, share): (usize, f32),
    ) -> Result<()> {
        let [width, inner, stride, count] = mapping;
        let Argument::Whole(columns) = width else { bail!("a width is a whole number") };
        let sums = self.rooms.room(("loss", "ratios", 0), x.len() / columns as usize)?;
        run!(
            self.rooms, "normal_ratio", Grid::rows(sums.len()); x, heads.logs, noise, sums, width, inner, stride, count,
            (1.0 / (scale * scale)) as f32, (2.0 * scale.ln()) as f32
        );
        self.add_term(term, sums, Some(weights), share)
    }

    fn normal_back(
        &mut self,
        heads: Heads,
        (x, noise, by_x): (Array, Array, Array),
        by: Heads,
        mapping: [Argument; 4],
        (seeds, period): (Array, usize),
        scale: f64,
    ) -> Result<()> {
        let [width, inner, stride, count] = mapping;
        run!(
            self.rooms, "normal_back", Grid::strides(x.len()); x, heads.logs, noise, by_x, seeds, by.means, by.logs,
            width, inner, stride, count, place(x.len()), whole(period), (1.0 / (scale * scale)) as f32
        );
        Ok(())
    }

    /// What E∘M and U bring into a first layer; none where they do not enter.
    fn shared(
        &mut self,
        tag: &'static str,
        first: &crate::models::nn::dense::Layer<Array>,
        entering: Entering,
        effects: &Effects,
    ) -> Result<Option<Shared>> {
        let Some([offset, artifact]) = entering.shared else { return Ok(None) };
        let (treatments, latent, width) = (self.sizes.treatments, self.config.latent, outputs(first));
        let shared = Shared {
            offsets: self.rooms.room((tag, "offsets", 0), effects.masked.len() / treatments * width)?,
            artifacts: self.rooms.room((tag, "artifacts", 0), effects.artifacts.len() / latent * width)?,
        };
        let part = weight(first).columns(offset, treatments).transposed();
        self.rooms.product(shared.offsets.matrix(width), effects.masked.matrix(treatments), part)?;
        let part = weight(first).columns(artifact, latent).transposed();
        self.rooms.product(shared.artifacts.matrix(width), effects.artifacts.matrix(latent), part)?;
        Ok(Some(shared))
    }

    /// The activated first layer from its own parts: of every particle's rows, or the same for all.
    #[allow(clippy::too_many_arguments)]
    fn enter(
        &mut self,
        on: &On<'_>,
        own: Array,
        bias: &Array,
        shared: Option<Shared>,
        out: Array,
        rows: usize,
        by_particle: bool,
    ) -> Result<()> {
        let packed = on.packed;
        let Shared { offsets, artifacts } = shared.unwrap_or(Shared { offsets: own, artifacts: own });
        run!(
            self.rooms, "enter", Grid::strides(out.len()); own, on.at(&packed.own_of), *bias, offsets, artifacts,
            on.at(&packed.of_entering.starts), on.at(&packed.of_entering.entries), on.at(&packed.flags),
            on.at(&packed.seconds), out, whole(bias.len()), whole(rows), whole(packed.effects),
            whole(self.config.particles), u32::from(by_particle), u32::from(shared.is_some()), place(out.len()), LEAK
        );
        Ok(())
    }

    /// The way back from a first layer to E∘M and U (added to what is there, or not), and to its weight for them.
    #[allow(clippy::too_many_arguments)]
    fn shared_back(
        &mut self,
        tag: &'static str,
        on: &On<'_>,
        (first, by_first): (&crate::models::nn::dense::Layer<Array>, &crate::models::nn::dense::Layer<Array>),
        entering: Entering,
        effects: &Effects,
        (slopes, rows): (Array, usize),
        (by_masked, by_artifacts, added): (Array, Array, bool),
    ) -> Result<()> {
        let Some([offset, artifact]) = entering.shared else { return Ok(()) };
        let (treatments, latent, width) = (self.sizes.treatments, self.config.latent, outputs(first));
        let (packed, particles) = (on.packed, self.config.particles);
        let by_offsets = self.rooms.room((tag, "by offsets", 0), effects.masked.len() / treatments * width)?;
        run!(
            self.rooms, "offsets_back", Grid::strides(by_offsets.len()); slopes, on.at(&packed.of_effects.starts),
            on.at(&packed.of_effects.entries), by_offsets, whole(width), whole(rows), whole(packed.effects),
            place(by_offsets.len())
        );
        let by_shared = self.rooms.room((tag, "by artifacts", 0), 2 * particles * width)?;
        run!(
            self.rooms, "artifacts_back", Grid::bands(width, 2 * particles); slopes, on.at(&packed.flags),
            on.at(&packed.seconds), by_shared, whole(width), whole(rows), whole(particles)
        );
        let keep = if added { 1.0 } else { 0.0 };
        let parts = [
            (offset, treatments, by_offsets, effects.masked, by_masked),
            (artifact, latent, by_shared, effects.artifacts, by_artifacts),
        ];
        for (from, columns, by_part, entered, by_entered) in parts {
            let slopes = by_part.matrix(width);
            let by_weight = weight(by_first).columns(from, columns);
            self.rooms.add_product(by_weight, slopes.transposed(), entered.matrix(columns))?;
            let part = weight(first).columns(from, columns);
            self.rooms.machine.product(by_entered.matrix(columns), keep, 1.0, slopes, part)?;
        }
        Ok(())
    }

    /// The decoder and the likelihood; with `learn` the way back to the basal states, E∘M and U.
    fn decode(
        &mut self,
        on: &On<'_>,
        counts: Array,
        basal: Array,
        effects: &Effects,
        learn: bool,
        share: f32,
    ) -> Result<Option<(Array, Array, Array)>> {
        let (packed, particles, genes) = (on.packed, self.config.particles, self.sizes.genes);
        let (cells, entering) = (packed.cells, Entering::decoder(&self.config, self.sizes));
        let layers = self.values.decoder.clone();
        let head = self.values.head.clone();
        let (first, width) = (&layers[0], outputs(&layers[0]));
        let rows = particles * cells;
        let own = self.rooms.room(("decoder", "own", 0), rows * width)?;
        let of_own = weight(first).columns(0, entering.own);
        self.rooms.product(own.matrix(width), basal.matrix(entering.own), of_own.transposed())?;
        let shared = self.shared("decoder", first, entering, effects)?;
        let entered = self.rooms.room(("decoder", "entered", 0), rows * width)?;
        self.enter(on, own, &first.bias, shared, entered, cells, true)?;
        let hidden = self.rooms.forward("decoder", &layers[1..], entered)?;
        let logits = self.rooms.room(("decoder", "logits", 0), rows * genes)?;
        self.rooms.product(logits.matrix(genes), hidden.matrix(width), weight(&head).transposed())?;
        let (of_rows, of_entering) = (on.at(&packed.rows), &packed.of_entering);
        run!(
            self.rooms, "decoded", Grid::strides(logits.len()); logits, head.bias,
            self.values.gene_effects.unwrap_or(head.bias), on.at(&of_entering.starts), on.at(&of_entering.entries),
            of_rows, whole(cells), whole(genes), u32::from(self.values.gene_effects.is_some()), place(logits.len())
        );
        let Some(log_c) = self.values.log_concentration else { bail!("the model has no concentrations") };
        let (library, weights) = (on.at(&packed.library), on.at(&packed.by_likelihood));
        let (scales, sums) =
            (self.rooms.room(("decoder", "scales", 0), 2 * rows)?, self.rooms.room(("loss", "likelihood", 0), rows)?);
        let grid = Grid::rows(rows);
        run!(self.rooms, "row_scales", grid; logits, library, scales, whole(genes), whole(cells));
        run!(self.rooms, "counts_value", grid; logits, scales, log_c, counts, sums, whole(genes), whole(cells));
        self.add_term(term::RECONSTRUCTION, sums, Some((weights, cells)), share)?;
        let sums = self.rooms.room(("loss", "count terms", 0), cells)?;
        run!(self.rooms, "count_terms", Grid::rows(cells); log_c, counts, sums, whole(genes));
        self.add_term(term::RECONSTRUCTION, sums, Some((weights, cells)), share * particles as f32)?;
        if !learn {
            return Ok(None);
        }

        let by_logits = self.rooms.room(("decoder", "by logits", 0), rows * genes)?;
        run!(
            self.rooms, "counts_by_logits", grid; logits, scales, log_c, counts, library, weights, by_logits,
            whole(genes), whole(cells)
        );
        if let Some(by_log) = self.gradients.log_concentration {
            let grid = Grid::bands(genes, 1);
            run!(
                self.rooms, "counts_by_log", grid; logits, scales, log_c, counts, weights, by_log, whole(genes),
                whole(cells), whole(rows)
            );
            run!(
                self.rooms, "count_terms_by_log", grid; log_c, counts, weights, by_log, whole(genes), whole(cells),
                particles as f32
            );
        }
        if let Some(by_effects) = self.gradients.gene_effects {
            run!(
                self.rooms, "gene_effects_back", Grid::pieces(genes, packed.first_effects); by_logits,
                on.at(&packed.of_effects.starts), on.at(&packed.of_effects.entries), of_rows, by_effects,
                whole(particles), whole(cells), whole(genes)
            );
        }
        let gradients = self.gradients.decoder.clone();
        let slopes = self.rooms.room(("decoder", "by hidden", 0), rows * width)?;
        let by_head = self.gradients.head.clone();
        self.rooms.affine_back(hidden, &head, &by_head, by_logits, (slopes, false))?;
        self.rooms.backward("decoder", &layers[1..], &gradients[1..], entered, slopes)?;
        let by_own = weight(&gradients[0]).columns(0, entering.own);
        self.rooms.add_product(by_own, slopes.matrix(width).transposed(), basal.matrix(entering.own))?;
        self.rooms.column_sums(slopes, gradients[0].bias)?;
        let by_basal = self.rooms.room(("decoder", "by states", 0), basal.len())?;
        self.rooms.product(by_basal.matrix(entering.own), slopes.matrix(width), of_own)?;
        let by_masked = self.rooms.room(("effect", "by masked", 0), effects.masked.len())?;
        let by_artifacts = self.rooms.room(("artifact", "by drawn", 0), effects.artifacts.len())?;
        let into = (by_masked, by_artifacts, false);
        self.shared_back("decoder", on, (first, &gradients[0]), entering, effects, (slopes, cells), into)?;
        Ok(Some((by_basal, by_masked, by_artifacts)))
    }

    /// The way back from E∘M and U to the parameters of their encoders and of the mask; `by_all` is the gradient by all logits of what does
    /// not draw.
    fn effects_back(
        &mut self,
        on: &On<'_>,
        effects: &Effects,
        by_masked: Array,
        by_artifacts: Array,
        by_all: Array,
    ) -> Result<()> {
        let (packed, particles, treatments) = (on.packed, self.config.particles, self.sizes.treatments);
        let rows = packed.effects;
        let (pairs, count) = (rows * treatments, by_masked.len());
        let (of_rows, seeds, places) = (on.at(&packed.rows), on.at(&packed.by_effects), on.at(&packed.places));
        let by_mask = self.rooms.room(("mask", "by rounded", 0), count)?;
        let by_effects = by_masked;
        run!(
            self.rooms, "masked_back", Grid::strides(count); by_masked, effects.mask, effects.effects, by_mask,
            place(count)
        );
        let net = self.values.effect.clone();
        let gradients = self.gradients.effect.clone();
        let by = Heads {
            means: self.rooms.room(("effect", "by means", 0), count)?,
            logs: self.rooms.room(("effect", "by logs", 0), count)?,
        };
        let drawn = (effects.effects, effects.noise, by_effects);
        let mapping = self.effect_mapping(rows);
        self.normal_back(effects.heads, drawn, by, mapping, (seeds, rows), self.config.effect_prior_scale)?;
        let slopes = self.rooms.heads_back("effect", &net, &gradients, effects.entered, by)?;
        let (first, by_first) = (&net.layers[0], &gradients.layers[0]);
        let width = outputs(first);
        let by_mask_part = weight(by_first).columns(0, treatments);
        let slope = slopes.matrix(width);
        self.rooms.add_product(by_mask_part, slope.transposed(), effects.mask.matrix(treatments))?;
        self.rooms.column_sums(slopes, by_first.bias)?;
        run!(
            self.rooms, "one_hot_back", Grid::strides(treatments * width); slopes, places, by_first.weight,
            whole(width), whole(rows), whole(treatments), whole(particles), place(treatments * width)
        );
        self.rooms.add_product(by_mask.matrix(treatments), slope, weight(first).columns(0, treatments))?;
        let by_rows = self.rooms.room(("mask", "by logits", 0), pairs)?;
        run!(
            self.rooms, "mask_back", Grid::strides(pairs); effects.logits, effects.soft, effects.mask, by_mask,
            self.prior, of_rows, seeds, by_rows, whole(treatments), place(pairs), place(count), self.priors(),
            self.inverse_temperature()
        );
        let all = treatments * treatments;
        run!(
            self.rooms, "mask_parameters_back", Grid::strides(all); by_all, by_rows, places, self.values.mask,
            self.gradients.mask, whole(treatments), whole(rows), place(all), self.probabilities(),
            (self.config.lambda / all as f64) as f32
        );

        let net = self.values.artifact.clone();
        let gradients = self.gradients.artifact.clone();
        let latent = self.config.latent;
        let by = Heads {
            means: self.rooms.room(("artifact", "by means", 0), latent)?,
            logs: self.rooms.room(("artifact", "by logs", 0), latent)?,
        };
        let drawn = (effects.artifacts, effects.artifact_noise, by_artifacts);
        let (mapping, seeds) = (self.artifact_mapping(), (on.at(&packed.by_artifacts), 2 * particles));
        self.normal_back(effects.artifact_heads, drawn, by, mapping, seeds, 1.0)?;
        let slopes = self.rooms.heads_back("artifact", &net, &gradients, effects.artifact_entered, by)?;
        let by_first = &gradients.layers[0];
        let slope = slopes.matrix(slopes.len());
        self.rooms.add_product(weight(by_first), slope.transposed(), self.ones.matrix(latent))?;
        self.rooms.column_sums(slopes, by_first.bias)
    }

    /// The alignment of the network with the shifts, and its sparsity; gives the gradient by all logits of the former.
    fn alignment(&mut self, on: &On<'_>, learn: bool, share: f32) -> Result<Array> {
        let (packed, treatments) = (on.packed, self.sizes.treatments);
        let all = treatments * treatments;
        let grid = Grid::strides(all);
        let parts = self.rooms.room(("mask", "sizes", 0), grid.blocks())?;
        run!(self.rooms, "mask_size", grid; self.values.mask, parts, place(all), self.probabilities());
        self.add_term(term::SPARSITY, parts, None, share * (self.config.lambda / all as f64) as f32)?;

        let by_all = self.rooms.room(("alignment", "by logits", 0), all)?;
        self.fill(by_all)?;
        if packed.measured_treatments == 0 || self.config.gamma == 0.0 {
            return Ok(by_all);
        }
        let logits = match self.config.mask {
            MaskParameters::Logits => self.values.mask,
            MaskParameters::Probabilities => {
                let every: Vec<u32> = (0..treatments as u32).collect();
                let every = self.rooms.put(("alignment", "treatments", 0), &every)?;
                let logits = self.rooms.room(("alignment", "logits", 0), all)?;
                run!(
                    self.rooms, "mask_logits", grid; self.values.mask, every, logits, whole(treatments), place(all),
                    1u32, f32::MAX
                );
                logits
            }
        };
        let count = packed.conditions * treatments;
        let (grid, scale, hops) = (Grid::strides(count), 1.0 / treatments as f32, self.config.alignment_hops());
        let mut room = |what: &'static str, at: usize| self.rooms.room(("alignment", what, at), count);
        let (sum, distances, by_sum) = (room("sum", 0)?, room("distances", 0)?, room("by sum", 0)?);
        let terms = (0..=hops).map(|hop| room("term", hop)).collect::<Result<Vec<_>>>()?;
        let (mut now, mut next) = (room("by term", 0)?, room("by term", 1)?);
        run!(
            self.rooms, "sum_rows", grid; logits, on.at(&packed.of_conditions.starts),
            on.at(&packed.of_conditions.entries), terms[0], whole(treatments), place(count)
        );
        run!(self.rooms, "copy", grid; terms[0], sum, place(count));
        let a = logits.matrix(treatments);
        for pair in terms.windows(2) {
            self.rooms.machine.product(pair[1].matrix(treatments), 0.0, scale, pair[0].matrix(treatments), a)?;
            run!(self.rooms, "add", grid; sum, pair[1], place(count));
        }
        let factor = (self.config.gamma / (packed.cells * packed.measured_treatments) as f64) as f32;
        let cells = &packed.condition_cells;
        run!(
            self.rooms, "distance", grid; sum, on.at(&packed.targets), on.at(&packed.measured), on.at(&cells.starts),
            on.at(&cells.entries), distances, by_sum, whole(treatments), place(count), factor
        );
        self.add_term(term::GRN, distances, None, share * factor)?;
        if !learn {
            return Ok(by_all);
        }
        // From the last term back: its gradient, and A's part in it.
        run!(self.rooms, "copy", grid; by_sum, now, place(count));
        for term in terms[..hops].iter().rev() {
            let by_after = now.matrix(treatments);
            let before = term.matrix(treatments).transposed();
            self.rooms.machine.product(by_all.matrix(treatments), 1.0, scale, before, by_after)?;
            run!(self.rooms, "copy", grid; by_sum, next, place(count));
            self.rooms.machine.product(next.matrix(treatments), 1.0, scale, by_after, a.transposed())?;
            std::mem::swap(&mut now, &mut next);
        }
        let by_rows = self.rooms.room(("alignment", "by rows", 0), all)?;
        run!(
            self.rooms, "sum_rows", Grid::strides(all); now, on.at(&packed.of_treatments.starts),
            on.at(&packed.of_treatments.entries), by_rows, whole(treatments), place(all)
        );
        run!(self.rooms, "add", Grid::strides(all); by_all, by_rows, place(all));
        Ok(by_all)
    }

    /// −log of the prior of effects on single genes, and its gradient, which must be the first that is written.
    fn gene_effects_prior(&mut self, on: &On<'_>, share: f32) -> Result<()> {
        let (Some(values), Some(by)) = (self.values.gene_effects, self.gradients.gene_effects) else { return Ok(()) };
        let packed = on.packed;
        let sums = self.rooms.room(("loss", "gene effects", 0), packed.first_effects)?;
        run!(
            self.rooms, "gene_effects_prior", Grid::rows(sums.len()); values, on.at(&packed.rows),
            on.at(&packed.effect_weights), sums, by, whole(self.sizes.genes),
            u32::from(self.config.gene_effects_prior == GeneEffectsPrior::DoublePareto),
            self.config.gene_effects as f32
        );
        self.add_term(term::EFFECT, sums, None, share)
    }
}
