//! Predicted responses: the same cells with and without the perturbation.
//!
//! S basal states z, masks M and effects E are drawn from named streams; control and treatment share them, so their
//! difference carries no sampling noise of the basal state. The good branch is decoded at library sizes drawn from the
//! control cells (ours) or at 10,000 (as published). States come in blocks that are decoded one after the other, so that
//! memory does not grow with their number.
//!
//! What a treatment at dose 1 brings into the decoder's first layer is linear in the dose and remembered: another dose, or a
//! combination of genes asked about before, takes one pass through the decoder and nothing else.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Mutex, OnceLock, PoisonError};

use candle_core::{Result, Tensor};
use rayon::prelude::*;
use statrs::distribution::ContinuousCDF as _;

use super::expectation::{CountDistribution, Curve, LogTable};
use super::network::GpoVae;
use super::variants::Likelihood;
use crate::jobs::Progress;
use crate::models::nn::counts::poisson_rate;
use crate::models::nn::normal::{LARGEST_LOG, VARIANCE_FLOOR};
use crate::models::nn::parameters::normal;
use crate::models::nn::vector;
use crate::random;

/// States that are held at a time.
pub(super) const BLOCK: usize = 512;
/// Library sizes: quantiles of the control cells', each used by as many states (of a block, give or take one).
pub(super) const LIBRARIES: usize = 8;
const PUBLISHED_LIBRARY: f32 = 10_000.0;
/// Treatments remembered at a time, a block of each; less than a megabyte each.
pub(super) const REMEMBERED: usize = 64;
/// Counts of a gene that a state has where these are normal.
const QUANTILES: usize = 8;
/// States that one thread works on at a time.
const ROWS: usize = 16;
/// Genes that one thread works on at a time: their outputs lie side by side.
const TILE: usize = 16;

/// Some of the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    /// From 0.
    number: usize,
    /// Its states; S for short.
    states: usize,
}

/// Over which the slope by library sizes is taken, ln: about the differences between perturbations.
const LIBRARY_STEP: f64 = 0.1;
/// States over which a treatment's effect on the mean of every gene is taken.
const STATES_OF_MEANS: usize = 64;

/// What is remembered of a treatment: `[S, H]` of a block.
type Remembered = ((usize, usize), Tensor);

/// How deep cells are sequenced.
struct Depth {
    /// Library sizes.
    libraries: Vec<f64>,
    /// Expected log-expression by gene and library; empty for other likelihoods than the negative binomial.
    curves: Vec<Vec<Curve>>,
}

impl Depth {
    fn new(model: &GpoVae, libraries: Vec<f64>) -> Result<Self> {
        let logs = model.log_concentration()?;
        let curves = logs.map_or_else(Vec::new, |logs| Curve::of_genes(&logs, &libraries));
        Ok(Self { libraries, curves })
    }
}

/// Draws shared by every prediction of a model.
pub struct Predictor {
    /// What the basal states of the first block bring into the decoder's first layer, `[S, H]`.
    start: Tensor,
    /// States of all blocks.
    samples: usize,
    depth: Depth,
    seed: u64,
    control: Vec<f32>,
    /// What treatments at dose 1 bring there, by treatment and block; those asked about last come last.
    remembered: Mutex<VecDeque<Remembered>>,
    /// Means of every gene without any treatment, over the first states.
    unperturbed: OnceLock<Vec<f64>>,
    library_slopes: OnceLock<Vec<f32>>,
}

/// The blocks of so many states.
fn blocks(samples: usize) -> impl Iterator<Item = Block> {
    let of = move |number: usize| Block { number, states: (samples - number * BLOCK).min(BLOCK) };
    (0..samples.div_ceil(BLOCK)).map(of)
}

/// The name of a stream in a block: that of the first says nothing of blocks.
fn stream(seed: u64, name: &str, block: Block) -> random::Rng {
    match block.number {
        0 => random::stream(seed, name),
        number => random::stream(seed, &format!("{name}, block {number}")),
    }
}

impl Predictor {
    /// `control_libraries` are library sizes of control cells.
    pub fn new(model: &GpoVae, control_libraries: &[f32], seed: u64) -> Result<Self> {
        let samples = model.config().prediction_samples.max(1);
        let mut sorted: Vec<f32> = control_libraries.to_vec();
        sorted.sort_by(f32::total_cmp);
        let libraries: Vec<f64> = (0..LIBRARIES)
            .map(|at| match sorted.len() {
                count if model.config().data_library && count > 0 => sorted[(2 * at + 1) * count / (2 * LIBRARIES)],
                _ => PUBLISHED_LIBRARY,
            })
            .map(f64::from)
            .collect();
        let depth = Depth::new(model, libraries)?;
        let start = drawn_start(model, seed, Block { number: 0, states: samples.min(BLOCK) })?;
        let mut predictor = Self {
            start,
            samples,
            depth,
            seed,
            control: Vec::new(),
            remembered: Mutex::default(),
            unperturbed: OnceLock::new(),
            library_slopes: OnceLock::new(),
        };
        let mut sums = vec![0.0; model.sizes().genes];
        for block in blocks(samples) {
            let start = predictor.start(model, block)?;
            predictor.add_log_expression(model, &start, &[], &predictor.depth, &mut sums)?;
        }
        predictor.control = predictor.means(&sums);
        Ok(predictor)
    }

    /// Predicted mean log2 expression of control cells, one per gene.
    pub fn control(&self) -> &[f32] {
        &self.control
    }

    /// Shift of every gene when treatments (positions) are applied at doses. `beside` is added to the decoder's output of every gene besides,
    /// where it is not empty ([`Predictor::effect_on_means`]). Not numbers if cancelled meanwhile.
    pub fn shifts(
        &self,
        model: &GpoVae,
        doses: &[(usize, f32)],
        beside: &[f32],
        progress: &dyn Progress,
    ) -> Result<Vec<f32>> {
        let cancelled = || Ok(vec![f32::NAN; model.sizes().genes]);
        let of_genes = added(model.gene_effects(doses)?, beside);
        let mut sums = vec![0.0; model.sizes().genes];
        for block in blocks(self.samples) {
            let mut entering = self.start(model, block)?.into_owned();
            for &(treatment, dose) in doses {
                if progress.is_cancelled() {
                    return cancelled();
                }
                entering = (entering + (self.effect(model, treatment, block)? * f64::from(dose))?)?;
            }
            if progress.is_cancelled() {
                return cancelled();
            }
            self.add_log_expression(model, &entering, &of_genes, &self.depth, &mut sums)?;
        }
        if progress.is_cancelled() {
            return cancelled();
        }
        Ok(self.means(&sums).iter().zip(&self.control).map(|(treated, control)| treated - control).collect())
    }

    /// What a treatment (a position) at dose 1 does to the mean of every gene, as what is added to the decoder's output of every gene: of
    /// the negative binomial the logarithm of a fold change.
    pub fn effect_on_means(&self, model: &GpoVae, treatment: usize) -> Result<Vec<f32>> {
        let block = Block { number: 0, states: self.samples.min(STATES_OF_MEANS) };
        let start = self.start.narrow(0, 0, block.states)?;
        let unperturbed = match self.unperturbed.get() {
            Some(known) => known,
            None => {
                let new = means_of_genes(model, &start, &[])?;
                self.unperturbed.get_or_init(|| new)
            }
        };
        let entering = (&start + self.drawn_effect(model, treatment, block)?)?;
        let perturbed = means_of_genes(model, &entering, &model.gene_effects(&[(treatment, 1.0)])?)?;
        let likelihood = model.config().likelihood;
        let output = |mean: f64| match likelihood {
            Likelihood::LibraryNegativeBinomial => mean.max(f64::MIN_POSITIVE).ln(),
            // ln(exp(mean) − 1), the inverse of softplus.
            Likelihood::Poisson => mean + (-(-mean).exp()).ln_1p(),
            Likelihood::Normal => mean,
        };
        Ok(perturbed.iter().zip(unperturbed).map(|(after, before)| (output(*after) - output(*before)) as f32).collect())
    }

    /// By how much the shift of every gene grows with the logarithm (ln) of the cells' library sizes, in control cells; empty where the
    /// likelihood knows no library sizes.
    ///
    /// log2(10,000·x/Σx + 1) of counts is not linear: cells with other totals have another mean of it, though nothing else changed.
    pub fn library_slopes(&self, model: &GpoVae) -> Result<&[f32]> {
        if let Some(known) = self.library_slopes.get() {
            return Ok(known);
        }
        let means = |step: f64| -> Result<Vec<f32>> {
            let libraries = self.depth.libraries.iter().map(|library| library * step.exp()).collect();
            let depth = Depth::new(model, libraries)?;
            let mut sums = vec![0.0; model.sizes().genes];
            for block in blocks(self.samples) {
                self.add_log_expression(model, &*self.start(model, block)?, &[], &depth, &mut sums)?;
            }
            Ok(self.means(&sums))
        };
        let slopes = match self.depth.curves.is_empty() {
            true => Vec::new(),
            false => {
                let (more, less) = (means(LIBRARY_STEP)?, means(-LIBRARY_STEP)?);
                let slope = |(more, less): (&f32, &f32)| (more - less) / (2.0 * LIBRARY_STEP) as f32;
                more.iter().zip(&less).map(slope).collect()
            }
        };
        Ok(self.library_slopes.get_or_init(|| slopes))
    }

    /// Draw what `treatment` (a position) brings, so that its first answer comes as quickly as the next.
    pub fn remember(&self, model: &GpoVae, treatment: usize) -> Result<()> {
        // The last block first: if not all can be remembered, those that are asked for first stay.
        let all: Vec<Block> = blocks(self.samples).take(REMEMBERED).collect();
        all.into_iter().rev().try_for_each(|block| self.effect(model, treatment, block).map(|_| ()))
    }

    /// What the basal states of a block bring into the decoder's first layer.
    fn start(&self, model: &GpoVae, block: Block) -> Result<Cow<'_, Tensor>> {
        match block.number {
            0 => Ok(Cow::Borrowed(&self.start)),
            _ => drawn_start(model, self.seed, block).map(Cow::Owned),
        }
    }

    /// What `treatment` at dose 1 brings into the decoder's first layer, `[S, H]`: as remembered, or drawn.
    fn effect(&self, model: &GpoVae, treatment: usize, block: Block) -> Result<Tensor> {
        let remembered = || self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (treatment, block.number);
        {
            let mut remembered = remembered();
            if let Some(at) = remembered.iter().position(|(known, _)| *known == key)
                && let Some(known) = remembered.remove(at)
            {
                let effect = known.1.clone();
                remembered.push_back(known);
                return Ok(effect);
            }
        }
        // Two threads that ask at once draw the same.
        let effect = self.drawn_effect(model, treatment, block)?;
        let mut remembered = remembered();
        if remembered.len() >= REMEMBERED {
            remembered.pop_front();
        }
        remembered.push_back((key, effect.clone()));
        Ok(effect)
    }

    fn drawn_effect(&self, model: &GpoVae, treatment: usize, block: Block) -> Result<Tensor> {
        Ok(model.decoder_offset(&self.masked_effect(model, treatment, block)?)?.detach())
    }

    /// Draws of E∘M of one treatment, `[S, T]`.
    fn masked_effect(&self, model: &GpoVae, treatment: usize, block: Block) -> Result<Tensor> {
        // A stream per treatment: the same effect alone and in every combination.
        let mut random = stream(self.seed, &format!("predict treatment {treatment}"), block);
        model.drawn_effect(treatment, block.states, &mut random)
    }

    /// Add to each gene's sum the Σ over the states of a block of E\[log2(10,000·x/Σx + 1)\], from what enters the decoder,
    /// `[S, H]`, and what is added to the decoder's output of every gene, if anything; the same bytes whatever the number of threads.
    fn add_log_expression(
        &self,
        model: &GpoVae,
        entering: &Tensor,
        of_genes: &[f32],
        depth: &Depth,
        sums: &mut [f64],
    ) -> Result<()> {
        let genes = model.sizes().genes;
        if genes == 0 {
            return Ok(());
        }
        let values = |tensor: Tensor| -> Result<Vec<f32>> { tensor.flatten_all()?.to_vec1() };
        let mut decoded = values(model.decode_from(entering)?)?;
        add_to_rows(&mut decoded, of_genes);
        match model.config().likelihood {
            Likelihood::LibraryNegativeBinomial => add_by_curves(depth, &decoded, sums),
            Likelihood::Poisson => add_poisson(&decoded, sums),
            Likelihood::Normal => {
                let Some(logs) = model.decode_log_variance_from(entering)? else {
                    candle_core::bail!("the decoder lacks the variances of its normal distributions")
                };
                add_normal(&decoded, &values(logs)?, sums);
            }
        }
        Ok(())
    }

    fn means(&self, sums: &[f64]) -> Vec<f32> {
        sums.iter().map(|sum| (sum / self.samples as f64) as f32).collect()
    }
}

/// Gene after gene, so that its curve stays at hand; within it by library and state.
fn add_by_curves(depth: &Depth, decoded: &[f32], sums: &mut [f64]) {
    let genes = sums.len();
    let states = decoded.len() / genes;
    // What turns a decoder output into the ln of the mean count, ln(library / Σ exp), by state in the order of `place`.
    let scale = |(state, row): (usize, &[f32])| {
        let (largest, sum) = vector::sum_of_exponentials(row);
        (depth.libraries[state % LIBRARIES] / sum).ln() - f64::from(largest)
    };
    let by_state: Vec<f64> = decoded.par_chunks_exact(genes).enumerate().map(scale).collect();
    let mut scales = vec![0.0; states];
    by_state.iter().enumerate().for_each(|(state, scale)| scales[place(state, states)] = *scale);
    sums.par_chunks_mut(TILE).enumerate().for_each(|(tile, sums)| {
        // The outputs of these genes, one gene after the other: each line of memory is read once.
        let from = tile * TILE;
        let mut outputs = vec![0.0f32; sums.len() * states];
        for (state, row) in decoded.chunks_exact(genes).enumerate() {
            let at = place(state, states);
            for (gene, logit) in row[from..from + sums.len()].iter().enumerate() {
                outputs[gene * states + at] = *logit;
            }
        }
        for (gene, (total, outputs)) in sums.iter_mut().zip(outputs.chunks_exact(states)).enumerate() {
            let mut sum = 0.0;
            for (library, curve) in depth.curves[from + gene].iter().enumerate() {
                let class = first_place(library, states)..first_place(library + 1, states);
                sum += outputs[class.clone()]
                    .iter()
                    .zip(&scales[class])
                    .map(|(logit, scale)| curve.at(f64::from(*logit) + scale))
                    .sum::<f64>();
            }
            *total += sum;
        }
    });
}

/// Mean over states `[S, H]` of the share of counts of every gene, of its rate or of its mean, as the likelihood has it.
fn means_of_genes(model: &GpoVae, entering: &Tensor, of_genes: &[f32]) -> Result<Vec<f64>> {
    let genes = model.sizes().genes;
    let mut decoded: Vec<f32> = model.decode_from(entering)?.flatten_all()?.to_vec1()?;
    add_to_rows(&mut decoded, of_genes);
    let mut means = vec![0.0f64; genes];
    let states = decoded.len() as f64 / genes.max(1) as f64;
    for row in decoded.chunks_exact(genes.max(1)) {
        let share = |largest: f32, sum: f64| move |output: f32| f64::from(output - largest).exp() / sum;
        let add = |value: &dyn Fn(f32) -> f64, means: &mut [f64]| {
            means.iter_mut().zip(row).for_each(|(mean, &output)| *mean += value(output) / states);
        };
        match model.config().likelihood {
            Likelihood::LibraryNegativeBinomial => {
                let (largest, sum) = vector::sum_of_exponentials(row);
                add(&share(largest, sum), &mut means);
            }
            Likelihood::Poisson => add(&poisson_rate, &mut means),
            Likelihood::Normal => add(&f64::from, &mut means),
        }
    }
    Ok(means)
}

/// What is added to every gene in all; nothing where both are empty.
pub(super) fn added(mut to_genes: Vec<f32>, beside: &[f32]) -> Vec<f32> {
    to_genes.resize(to_genes.len().max(beside.len()), 0.0);
    to_genes.iter_mut().zip(beside).for_each(|(sum, own)| *sum += own);
    to_genes
}

/// Add the same to every row; nothing where it is empty.
pub(super) fn add_to_rows(rows: &mut [f32], each: &[f32]) {
    if !each.is_empty() {
        rows.par_chunks_exact_mut(each.len()).for_each(|row| vector::add_rows(row, each));
    }
}

fn drawn_start(model: &GpoVae, seed: u64, block: Block) -> Result<Tensor> {
    let shape = (block.states, model.config().latent);
    let basal = normal(&mut stream(seed, "predict basal", block), shape, model.parameters().device())?;
    Ok(model.decoder_start(&basal)?.detach())
}

/// Where the first of `states` states with a library size stands, when those of one stand together.
fn first_place(library: usize, states: usize) -> usize {
    library * (states / LIBRARIES) + library.min(states % LIBRARIES)
}

/// Where a state stands.
fn place(state: usize, states: usize) -> usize {
    first_place(state % LIBRARIES, states) + state / LIBRARIES
}

/// The rate is not scaled by a library; the cell's own total is.
fn add_poisson(decoded: &[f32], sums: &mut [f64]) {
    let genes = sums.len();
    // Blocks of a fixed size, added in order.
    let block = |rows: &[f32]| {
        let mut sums = vec![0.0f64; genes];
        for row in rows.chunks_exact(genes) {
            let rates: Vec<f64> = row.iter().map(|&output| poisson_rate(output)).collect();
            let mut table = LogTable::new(rates.iter().sum());
            for (sum, &rate) in sums.iter_mut().zip(&rates) {
                *sum += CountDistribution::Poisson { rate }.expected_log(&mut table);
            }
        }
        sums
    };
    let blocks: Vec<Vec<f64>> = decoded.par_chunks(ROWS * genes).map(block).collect();
    add_in_order(&blocks, sums);
}

/// Each state has a few counts of each gene, at quantiles of its distribution: of every gene the states have all quantiles, evenly
/// spaced, once. Counts below 0 count as 0; the total is that of the expected counts.
fn add_normal(means: &[f32], logs: &[f32], sums: &mut [f64]) {
    let genes = sums.len();
    let states = means.len() / genes;
    let standard = statrs::distribution::Normal::standard();
    let all = states * QUANTILES;
    let quantiles: Vec<f64> = (0..all).map(|at| standard.inverse_cdf((at as f64 + 0.5) / all as f64)).collect();
    let block = |(number, (means, logs)): (usize, (&[f32], &[f32]))| {
        let mut sums = vec![0.0f64; genes];
        for (at, (means, logs)) in means.chunks_exact(genes).zip(logs.chunks_exact(genes)).enumerate() {
            let state = number * ROWS + at;
            let total: f64 = means.iter().map(|&mean| f64::from(mean.max(0.0))).sum();
            let scale = 1e4 / total.max(1.0);
            for (gene, (sum, (&mean, &log))) in sums.iter_mut().zip(means.iter().zip(logs)).enumerate() {
                let variance = f64::from(log.clamp(-LARGEST_LOG, LARGEST_LOG)).exp() + f64::from(VARIANCE_FLOOR);
                let (mean, deviation) = (f64::from(mean), variance.sqrt());
                let own = quantiles[(state + gene) % states..].iter().step_by(states);
                let logs = own.map(|quantile| (scale * (mean + deviation * quantile).max(0.0)).ln_1p());
                *sum += logs.sum::<f64>() * std::f64::consts::LOG2_E / QUANTILES as f64;
            }
        }
        sums
    };
    let rows = means.par_chunks(ROWS * genes).zip(logs.par_chunks(ROWS * genes));
    let blocks: Vec<Vec<f64>> = rows.enumerate().map(block).collect();
    add_in_order(&blocks, sums);
}

fn add_in_order(blocks: &[Vec<f64>], sums: &mut [f64]) {
    for block in blocks {
        sums.iter_mut().zip(block).for_each(|(sum, value)| *sum += value);
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::jobs::Silent;
    use crate::models::gpo_vae::{GpoVaeConfig, Sizes};
    use crate::models::nn::parameters::Source;

    const SIZES: Sizes = Sizes { genes: 37, treatments: 9 };

    fn model(likelihood: Likelihood, prediction_samples: usize) -> GpoVae {
        let config = GpoVaeConfig {
            likelihood,
            prediction_samples,
            latent: 6,
            decoder_hidden: 12,
            embedding_hidden: 10,
            embedding_layers: 2,
            gene_effects: 0.1,
            ..GpoVaeConfig::default()
        };
        let source = Source::Random(Box::new(random::stream(4, "model")));
        let model = GpoVae::new(SIZES, &config, source, &Device::Cpu).unwrap();
        let mut random = random::stream(5, "effects on genes");
        let effects = normal(&mut random, (SIZES.treatments, SIZES.genes), &Device::Cpu).unwrap();
        model.parameters().set("gene_effects", &(effects * 0.2).unwrap()).unwrap();
        model
    }

    fn predictor(model: &GpoVae) -> Predictor {
        let libraries: Vec<f32> = (0..40).map(|at| 300.0 + 25.0 * at as f32).collect();
        Predictor::new(model, &libraries, 7).unwrap()
    }

    /// State after state, as written in the paper: the offset D(E∘M) in full, the exponentials in double precision.
    fn plain(predictor: &Predictor, model: &GpoVae, doses: &[(usize, f32)]) -> Vec<f32> {
        let mut sums = vec![0.0; SIZES.genes];
        for block in blocks(predictor.samples) {
            let shape = (block.states, SIZES.treatments);
            let mut offset = Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
            for &(treatment, dose) in doses {
                let effect = predictor.masked_effect(model, treatment, block).unwrap();
                offset = (offset + (effect * f64::from(dose)).unwrap()).unwrap();
            }
            let start = predictor.start(model, block).unwrap();
            let entering = (&*start + model.decoder_offset(&offset).unwrap()).unwrap();
            add_block(predictor, model, &entering, doses, &mut sums);
        }
        let samples = predictor.samples as f64;
        sums.iter().zip(predictor.control()).map(|(sum, control)| (sum / samples) as f32 - control).collect()
    }

    fn add_block(predictor: &Predictor, model: &GpoVae, entering: &Tensor, doses: &[(usize, f32)], sums: &mut [f64]) {
        let mut rows: Vec<Vec<f32>> = model.decode_from(entering).unwrap().to_vec2().unwrap();
        let effects = model.parameters().iter().find(|(name, _)| *name == "gene_effects").unwrap().1;
        let effects: Vec<Vec<f32>> = effects.to_vec2().unwrap();
        for row in &mut rows {
            for &(treatment, dose) in doses {
                row.iter_mut().zip(&effects[treatment]).for_each(|(value, effect)| *value += dose * effect);
            }
        }
        let logs: Option<Vec<Vec<f32>>> =
            model.decode_log_variance_from(entering).unwrap().map(|logs| logs.to_vec2().unwrap());
        for (state, row) in rows.iter().enumerate() {
            match model.config().likelihood {
                Likelihood::LibraryNegativeBinomial => {
                    let library = predictor.depth.libraries[state % LIBRARIES];
                    let total: f64 = row.iter().map(|logit| f64::from(*logit).exp()).sum();
                    for (gene, logit) in row.iter().enumerate() {
                        let curve = &predictor.depth.curves[gene][state % LIBRARIES];
                        sums[gene] += curve.at(f64::from(*logit) + (library / total).ln());
                    }
                }
                Likelihood::Poisson => {
                    let rates: Vec<f64> = row.iter().map(|x| f64::from(*x).exp().ln_1p().max(1e-6)).collect();
                    let mut table = LogTable::new(rates.iter().sum());
                    for (sum, &rate) in sums.iter_mut().zip(&rates) {
                        *sum += CountDistribution::Poisson { rate }.expected_log(&mut table);
                    }
                }
                // By summing over many quantiles of the distribution.
                Likelihood::Normal => {
                    let total: f64 = row.iter().map(|mean| f64::from(mean.max(0.0))).sum();
                    for ((sum, mean), log) in sums.iter_mut().zip(row).zip(&logs.as_ref().unwrap()[state]) {
                        let deviation = (f64::from(*log).exp() + 1e-4).sqrt();
                        let normal = statrs::distribution::Normal::new(f64::from(*mean), deviation).unwrap();
                        let at = |quantile: usize| {
                            let x = normal.inverse_cdf((quantile as f64 + 0.5) / 200.0);
                            (1e4 * x.max(0.0) / total.max(1.0) + 1.0).log2()
                        };
                        *sum += (0..200).map(at).sum::<f64>() / 200.0;
                    }
                }
            }
        }
    }

    #[test]
    fn quick_and_plain_answers_agree() {
        for (likelihood, samples, tolerance) in [
            (Likelihood::LibraryNegativeBinomial, 512, 3e-6),
            (Likelihood::LibraryNegativeBinomial, 1100, 3e-6),
            (Likelihood::LibraryNegativeBinomial, 3, 3e-6),
            (Likelihood::Poisson, 512, 3e-6),
            (Likelihood::Poisson, 600, 3e-6),
            (Likelihood::Normal, 512, 0.05),
        ] {
            let model = model(likelihood, samples);
            let predictor = predictor(&model);
            for doses in [&[(3, 1.0)][..], &[(3, 0.35), (0, 1.0), (8, -0.5)], &[(3, 2.0), (5, 0.05)], &[]] {
                let quick = predictor.shifts(&model, doses, &[], &Silent).unwrap();
                let plain = plain(&predictor, &model, doses);
                let differences = quick.iter().zip(&plain).map(|(a, b)| (a - b).abs());
                let worst = differences.fold(0.0, f32::max);
                assert!(worst < tolerance, "{likelihood:?} {doses:?}: {worst}");
                assert!(doses.is_empty() || quick.iter().any(|shift| shift.abs() > 1e-3), "{quick:?}");
            }
        }
    }

    #[test]
    fn the_effect_on_means_does_what_the_treatment_does() {
        for likelihood in Likelihood::ALL {
            let model = model(likelihood, 512);
            let predictor = predictor(&model);
            let answer =
                |doses: &[(usize, f32)], beside: &[f32]| predictor.shifts(&model, doses, beside, &Silent).unwrap();
            assert!(answer(&[], &[]).iter().all(|shift| *shift == 0.0));
            let own = answer(&[(3, 1.0)], &[]);
            let beside = answer(&[], &predictor.effect_on_means(&model, 3).unwrap());
            let worst = own.iter().zip(&beside).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let largest = own.iter().fold(0.0f32, |largest, shift| largest.max(shift.abs()));
            assert!(worst < 0.15 * largest, "{likelihood:?}: {worst} of {largest}");
        }
    }

    #[test]
    fn slopes_by_library_size_tell_what_other_library_sizes_do() {
        let model = model(Likelihood::LibraryNegativeBinomial, 512);
        let with = |times: f32| {
            let libraries: Vec<f32> = (0..40).map(|at| times * (300.0 + 25.0 * at as f32)).collect();
            Predictor::new(&model, &libraries, 7).unwrap()
        };
        let (usual, deeper) = (with(1.0), with(1.15));
        let slopes = usual.library_slopes(&model).unwrap();
        assert!(slopes.iter().any(|slope| slope.abs() > 0.1));
        for ((usual, deeper), slope) in usual.control().iter().zip(deeper.control()).zip(slopes) {
            let expected = deeper - usual;
            assert!((slope * 1.15f32.ln() - expected).abs() < 0.01 + 0.1 * expected.abs(), "{slope}: {expected}");
        }
        assert!(predictor(&self::model(Likelihood::Poisson, 64)).library_slopes(&model).unwrap().is_empty());
    }

    #[test]
    fn states_of_one_library_stand_together() {
        for states in [1, 7, 8, 9, 452, 512] {
            let mut places: Vec<usize> = (0..states).map(|state| place(state, states)).collect();
            for (state, &place) in places.iter().enumerate() {
                let library = state % LIBRARIES;
                assert!((first_place(library, states)..first_place(library + 1, states)).contains(&place));
            }
            places.sort_unstable();
            assert!(places.into_iter().eq(0..states));
        }
    }

    #[test]
    fn blocks_are_all_of_the_states_and_the_first_is_the_same_whatever_their_number() {
        let of = |samples| blocks(samples).map(|block| block.states).collect::<Vec<_>>();
        assert_eq!(of(512), [512]);
        assert_eq!(of(2500), [512, 512, 512, 512, 452]);
        assert_eq!(of(1), [1]);
        let (few, many) = (model(Likelihood::Poisson, 512), model(Likelihood::Poisson, 1500));
        let (few, many) = ((predictor(&few), few), (predictor(&many), many));
        let values = |tensor: &Tensor| tensor.to_vec2::<f32>().unwrap();
        assert_eq!(values(&few.0.start), values(&many.0.start));
        let block = |number| Block { number, states: 40 };
        let effect = |number| values(&many.0.masked_effect(&many.1, 3, block(number)).unwrap());
        assert!(effect(0) != effect(1) && effect(1) != effect(2), "blocks draw anew");
        // More samples, nearly the same answer: the mean settles.
        let answers =
            [&few, &many].map(|(predictor, model)| predictor.shifts(model, &[(3, 1.0)], &[], &Silent).unwrap());
        let worst = answers[0].iter().zip(&answers[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst > 0.0 && worst < 0.1, "{worst}");
    }

    #[test]
    fn what_is_remembered_changes_no_answer() {
        let model = model(Likelihood::LibraryNegativeBinomial, 512);
        let (fresh, used) = (predictor(&model), predictor(&model));
        for treatment in 0..SIZES.treatments {
            used.shifts(&model, &[(treatment, 0.5)], &[], &Silent).unwrap();
        }
        let doses = [(2, 0.25), (7, 1.0)];
        let answers = [&fresh, &used, &used].map(|predictor| predictor.shifts(&model, &doses, &[], &Silent).unwrap());
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[1], answers[2]);
        let remembered = used.remembered.lock().unwrap();
        let last: Vec<usize> = remembered.iter().rev().take(2).map(|((treatment, _), _)| *treatment).collect();
        assert_eq!((remembered.len(), last), (SIZES.treatments, vec![7, 2]));
    }
}
