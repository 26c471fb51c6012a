//! How much memory a training run will need, told before anything is computed, and what to change where it is too much.
//!
//! The estimate rests on sizes and settings alone. It counts what the run takes beyond what is held already: the open data set is
//! not in it. Its parts are sums of arrays whose lengths are known ([`Footprint`]); only the plain path's share is fitted to
//! measurements.

use std::collections::BTreeMap;

use thiserror::Error;

use super::room;
use crate::data::{CellRole, Dataset};
use crate::models::TrainConfig;
use crate::models::gpo_vae::{Alignment, Footprint, GpoVaeConfig, GpuStep, Sizes, StepSize};
use crate::preprocess::PrepareConfig;
use crate::preprocess::control_matching::Matching;
use crate::preprocess::control_matching::sinkhorn::Settings as SinkhornSettings;
use crate::training::DeviceChoice;
use crate::words::{byte_size, grouped};

/// Bytes of a number of single precision.
const SINGLE: u64 = 4;
/// What is held per kept cell beside its shifts: position, library size, flags, partner, treatments.
const PER_CELL: u64 = 100;
/// Batches at a time: one is computed on, one waits, one is made.
const BATCHES: u64 = 3;
/// Threads, code and the allocator's slack.
const PROGRAM: u64 = 8 << 20;

/// What of a screen decides how much memory is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScreenSize {
    /// Genes held.
    pub genes: usize,
    /// Values stored of them.
    pub stored: usize,
    /// Control cells.
    pub controls: usize,
    /// Cells of each perturbation that is kept, and the numbers of its genes.
    pub conditions: Vec<(usize, Vec<usize>)>,
    /// Genes perturbed.
    pub treatments: usize,
}

impl ScreenSize {
    /// Of `dataset`, as far as `config` says which perturbations are kept: those with enough cells.
    pub fn of(dataset: &Dataset, config: &PrepareConfig) -> Self {
        let mut cells = vec![0; dataset.perturbations().len()];
        let mut controls = 0;
        for role in dataset.roles() {
            match role {
                CellRole::Control => controls += 1,
                CellRole::Perturbed(index) => cells[*index as usize] += 1,
                CellRole::Unassigned => {}
            }
        }
        let least = config.minimum_cells.max(config.minimum_cells_before).max(1);
        let mut number_of = BTreeMap::new();
        let mut conditions = Vec::new();
        for (perturbation, cells) in dataset.perturbations().iter().zip(cells) {
            let measured = || perturbation.targets().iter().all(|gene| dataset.genes().column(gene).is_some());
            if cells < least || perturbation.targets().is_empty() || (config.measured_targets_only && !measured()) {
                continue;
            }
            let number = |gene: &String| {
                let next = number_of.len();
                *number_of.entry(gene.clone()).or_insert(next)
            };
            conditions.push((cells, perturbation.targets().iter().map(number).collect()));
        }
        Self {
            genes: dataset.gene_count(),
            stored: dataset.matrix().stored(),
            controls,
            conditions,
            treatments: number_of.len(),
        }
    }

    /// Controls and cells of kept perturbations.
    pub fn cells(&self) -> usize {
        self.controls + self.conditions.iter().map(|(cells, _)| cells).sum::<usize>()
    }

    /// The largest step that is to be expected with these settings.
    fn step(&self, config: &TrainConfig) -> StepSize {
        let learned = (1.0 - config.prepare.test_share) * (1.0 - config.prepare.validation_share);
        let cells = config.model.batch_size.min((self.cells() as f64 * learned).ceil() as usize).max(1);
        let all = self.cells().max(1) as f64;
        let mut of_treatment = vec![0.0; self.treatments];
        for (count, genes) in &self.conditions {
            genes.iter().for_each(|&gene| of_treatment[gene] += *count as f64 / all);
        }
        let treatments = distinct(of_treatment.into_iter(), cells);
        let shares = self.conditions.iter().map(|(count, _)| *count as f64 / all);
        let conditions = distinct(shares.chain([self.controls as f64 / all]), cells);
        // Nearly every perturbation has a cell that fails quality control, and with it a partner for all its cells.
        StepSize { cells, treatments, partners: cells, partner_treatments: treatments, conditions }
    }
}

/// How many different kinds occur among `draws`, given their shares: two standard deviations above what is expected.
fn distinct(shares: impl Iterator<Item = f64>, draws: usize) -> usize {
    let (mut mean, mut variance, mut kinds) = (0.0, 0.0, 0);
    for share in shares {
        let missing = (1.0 - share.clamp(0.0, 1.0)).powf(draws as f64);
        mean += 1.0 - missing;
        variance += missing * (1.0 - missing);
        kinds += 1;
    }
    ((mean + 2.0 * f64::sqrt(variance)).ceil() as usize).clamp(1, kinds.max(1))
}

/// A part of what a run needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub name: &'static str,
    /// Bytes.
    pub bytes: u64,
}

/// What a run needs beyond what is held already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryEstimate {
    /// Bytes at most at a time.
    pub peak: u64,
    /// Bytes on a GPU, where one computes.
    pub on_gpu: Option<u64>,
    /// What it is needed for. Not all of it is needed at the same time.
    pub parts: Vec<Part>,
}

/// Whether a GPU of this kind takes its steps by kernels of our own.
fn takes_kernels(config: &GpoVaeConfig, device: DeviceChoice) -> bool {
    device.is_cuda() && <GpuStep>::takes(config)
}

impl MemoryEstimate {
    /// For training on a screen of this size.
    pub fn of(screen: &ScreenSize, config: &TrainConfig, device: DeviceChoice) -> Self {
        let model = &config.model;
        let sizes = Sizes { genes: screen.genes, treatments: screen.treatments };
        let footprint = Footprint { sizes, config: model, step: screen.step(config) };
        let [cells, genes, treatments] = [screen.cells(), screen.genes, screen.treatments].map(|size| size as u64);
        let conditions = screen.conditions.len() as u64;
        // Partners: one for each condition and split.
        let partners = 3 * (conditions + 1) * genes * SINGLE;
        let prepared = cells * (treatments * SINGLE + PER_CELL) + partners;
        let preparing = preparing(screen, config) + prepared;
        let direct = direct_shifts(screen, config);
        // Tables of shifts in training and held out, and what is significant; rates of edges.
        let observed = conditions * genes * (2 * SINGLE + 1) + direct.rates;

        let parameters = footprint.parameters() * SINGLE;
        let on_processor = device.is_processor();
        let (step, on_gpu) = match on_processor {
            // Gradients are among the step's buffers.
            true => (footprint.fused_step() * SINGLE, None),
            false if takes_kernels(model, device) => (0, Some(footprint.gpu_step() * SINGLE + partners)),
            false => (0, Some((footprint.plain_step() + 3 * footprint.parameters()) * SINGLE)),
        };
        // On the processor: parameters and Adam's moments. Everywhere the best so far, and averages, which give way to the model's own
        // parameters after they were judged. A checkpoint takes copies of parameters and moments, when the batches of an epoch are gone.
        let averages = if config.model.averaging > 0.0 { 2 } else { 0 };
        let own = match on_processor {
            true => 3,
            // The model of a GPU with steps of its own lies here.
            false => u64::from(takes_kernels(model, device)),
        };
        let held = (own + 1 + averages) * parameters;
        let copies = 3 * parameters;
        let ahead = BATCHES * (footprint.batch() + footprint.noise()) * SINGLE;
        let network = 16 * treatments * treatments;
        let training = prepared + partners + observed + held + step + network + direct.targets + ahead.max(copies);
        // Targets are worked out when the parameters are there.
        let testing = prepared + partners + observed + parameters + direct.testing;
        let edges = (treatments * treatments).min(200_000) * 100;
        let predictions = footprint.predictions() * SINGLE + conditions * genes * SINGLE + network + edges;
        // What the steps held goes only when all is done, and of the batches the allocator gives back a part; the finished model is
        // another. Members of an ensemble that are done stay, ready to answer.
        let done = u64::from(config.members.unwrap_or(1).saturating_sub(1)) * (parameters + predictions);
        let (training, testing) = (training + done, testing + done);
        let predicting = prepared + partners + observed + held + parameters + step + ahead / 2 + predictions + done;
        let peak = PROGRAM + preparing.max(testing).max(training).max(predicting);
        let parts = [
            ("Preparing the screen", preparing - prepared),
            ("Prepared screen", prepared + partners),
            ("Measured shifts", observed),
            ("Direct shifts and tests of edges", direct.testing),
            ("Parameters and optimiser", held),
            ("Checkpoint", copies),
            ("Step", step),
            ("Batches made ahead", ahead),
            ("Predictions at the end", predictions),
            ("Members that are done", done),
        ];
        let parts = parts.into_iter().filter(|(_, bytes)| *bytes > 0).map(|(name, bytes)| Part { name, bytes });
        Self { peak, on_gpu, parts: parts.collect() }
    }

    /// In one line: `about 412 MB of memory`.
    pub fn in_words(&self) -> String {
        let gpu = self.on_gpu.map_or(String::new(), |bytes| format!(", and about {} on the GPU", byte_size(bytes)));
        format!("about {} of memory{gpu}", byte_size(self.peak))
    }
}

/// What the alignment with direct shifts takes; nothing with any other.
#[derive(Clone, Copy, Default)]
struct DirectShifts {
    /// While shifts are measured under true and shuffled labels.
    testing: u64,
    /// What the network follows.
    targets: u64,
    /// False discovery rates.
    rates: u64,
}

fn direct_shifts(screen: &ScreenSize, config: &TrainConfig) -> DirectShifts {
    if config.model.alignment != Alignment::DirectShifts {
        return DirectShifts::default();
    }
    let pairs = (screen.treatments * screen.treatments) as u64;
    // The expression of the network's genes in the training cells: where it is not 0, the gene and a number of double precision.
    let share = screen.treatments.min(screen.genes) as f64 / screen.genes.max(1) as f64;
    let learned = (1.0 - config.prepare.test_share) * (1.0 - config.prepare.validation_share);
    let expression = (screen.stored as f64 * share * learned) as u64 * 12;
    // Of every pair in double precision the shift and its direct part; to test it also its place, score, their order, how many null
    // scores reach it, and the null scores.
    let tables = if config.model.null_shuffles > 0 { 2 * 8 + 8 + 8 + 4 + 8 + 8 + 4 } else { 2 * 8 + 4 };
    DirectShifts {
        testing: expression + tables * pairs,
        targets: SINGLE * pairs,
        rates: if config.model.null_shuffles > 0 { SINGLE * pairs } else { 0 },
    }
}

/// What the steps of the preparation take at most beside what they leave.
fn preparing(screen: &ScreenSize, config: &TrainConfig) -> u64 {
    let [cells, genes, treatments] = [screen.cells(), screen.genes, screen.treatments].map(|size| size as u64);
    let conditions = screen.conditions.len() as u64;
    let stored_per_gene = screen.stored as u64 / genes.max(1);
    // Scale of each cell, library sizes, quality metrics.
    let cell_facts = cells * 90;
    // Score, fold change, p and adjusted p of every gene in every group; where each block of 128 genes begins in each cell; the
    // values of the blocks under way, two for each thread.
    let threads = rayon::current_num_threads() as u64;
    let tests = conditions * genes * 36 + cells * (genes / 128 + 3) * 4 + threads * 128 * stored_per_gene * 8;
    let controls = screen.controls as u64;
    let largest = screen.conditions.iter().map(|(cells, _)| *cells as u64).max().unwrap_or(0);
    let points = |cells: u64| 8 * treatments * (cells + controls);
    let matching = match config.prepare.matching {
        Matching::Sinkhorn => {
            let kept = 8 * controls * controls.max(largest);
            let most = SinkhornSettings::default().memory as u64;
            points(controls.max(largest)) + kept.min(most) + 64 * 8 * controls
        }
        // The costs, and what the exact methods keep beside them.
        Matching::Wasserstein | Matching::Hungarian => points(largest) + 12 * largest * controls,
    };
    let doublets = if config.prepare.doublets { cells * 3 * 60 * 8 + 3 * screen.stored as u64 * 8 } else { 0 };
    cell_facts + tests.max(matching).max(doublets)
}

/// A setting that decides how much memory is needed, the mildest to change first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Cells per batch.
    BatchSize,
    /// Particles.
    Particles,
    /// Genes held of the data set.
    HeldGenes,
    /// Width of the encoders of E and U.
    EmbeddingHidden,
    /// Width of the decoder.
    DecoderHidden,
    /// Width of the encoder of z.
    BasalHidden,
    /// Latent dimensions.
    Latent,
}

impl Setting {
    const ALL: [Self; 7] = [
        Self::BatchSize,
        Self::Particles,
        Self::HeldGenes,
        Self::EmbeddingHidden,
        Self::DecoderHidden,
        Self::BasalHidden,
        Self::Latent,
    ];

    /// For people: `cells per batch`.
    pub fn words(self) -> &'static str {
        match self {
            Self::BatchSize => "cells per batch",
            Self::Particles => "samples per cell (particles)",
            Self::HeldGenes => "genes held of the data set",
            Self::EmbeddingHidden => "units in the effect encoder",
            Self::DecoderHidden => "units in the decoder",
            Self::BasalHidden => "units in the basal encoder",
            Self::Latent => "latent dimensions",
        }
    }

    /// Where it is set on the command line.
    pub fn option(self) -> &'static str {
        match self {
            Self::BatchSize => "--batch-size",
            Self::Particles => "particles in the settings file",
            Self::HeldGenes => "--held-genes",
            Self::EmbeddingHidden => "embedding_hidden in the settings file",
            Self::DecoderHidden => "decoder_hidden in the settings file",
            Self::BasalHidden => "basal_hidden in the settings file",
            Self::Latent => "latent in the settings file",
        }
    }

    /// Less than this is of no use.
    fn least(self) -> usize {
        match self {
            Self::Particles => 1,
            Self::BatchSize | Self::Latent => 8,
            Self::HeldGenes => 100,
            Self::EmbeddingHidden | Self::DecoderHidden | Self::BasalHidden => 16,
        }
    }

    fn get(self, screen: &ScreenSize, config: &TrainConfig) -> usize {
        match self {
            Self::BatchSize => config.model.batch_size,
            Self::Particles => config.model.particles,
            Self::HeldGenes => screen.genes,
            Self::EmbeddingHidden => config.model.embedding_hidden,
            Self::DecoderHidden => config.model.decoder_hidden,
            Self::BasalHidden => config.model.basal_hidden,
            Self::Latent => config.model.latent,
        }
    }

    fn set(self, screen: &mut ScreenSize, config: &mut TrainConfig, value: usize) {
        let place = match self {
            Self::BatchSize => &mut config.model.batch_size,
            Self::Particles => &mut config.model.particles,
            Self::HeldGenes => {
                screen.stored = screen.stored / screen.genes.max(1) * value;
                &mut screen.genes
            }
            Self::EmbeddingHidden => &mut config.model.embedding_hidden,
            Self::DecoderHidden => &mut config.model.decoder_hidden,
            Self::BasalHidden => &mut config.model.basal_hidden,
            Self::Latent => &mut config.model.latent,
        };
        *place = value;
    }
}

/// A setting and the largest value of it that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The setting.
    pub setting: Setting,
    /// As it is.
    pub now: usize,
    /// The largest that fits, if nothing else is changed.
    pub to: usize,
}

impl Change {
    /// Whether the settings of a run can be changed so; how many genes are held is decided where the data set is read.
    pub fn can_be_set(self) -> bool {
        self.setting != Setting::HeldGenes
    }

    /// Make the change.
    pub fn apply(self, config: &mut TrainConfig) {
        self.setting.set(&mut ScreenSize::default(), config, self.to);
    }

    /// `at most 512 cells per batch (now 4,096)`.
    pub fn in_words(self) -> String {
        format!("at most {} {} (now {})", grouped(self.to), self.setting.words(), grouped(self.now))
    }
}

/// A run that would need more memory than there is.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("training would need {}, and {} are free{}", .estimate.in_words(), byte_size(*.free), hint(.changes))]
pub struct TooLarge {
    /// What it would need.
    pub estimate: MemoryEstimate,
    /// Bytes that are free.
    pub free: u64,
    /// Each of these alone makes it fit; the mildest first.
    pub changes: Vec<Change>,
}

fn hint(changes: &[Change]) -> String {
    match changes {
        [] => "; no single setting makes it fit: lower cells per batch, samples per cell and genes together".to_owned(),
        changes => {
            let words: Vec<String> = changes.iter().map(|change| change.in_words()).collect();
            format!("; it fits with {}", words.join(", or with "))
        }
    }
}

/// Changes named at most.
const MOST_CHANGES: usize = 3;

/// Whether a run fits into what is free.
///
/// # Errors
/// If it does not: with the settings that would make it fit.
pub fn check(
    screen: &ScreenSize,
    config: &TrainConfig,
    device: DeviceChoice,
    free: u64,
) -> Result<MemoryEstimate, TooLarge> {
    let estimate = MemoryEstimate::of(screen, config, device);
    if estimate.peak <= free {
        return Ok(estimate);
    }
    let fits = |setting: Setting, value: usize| {
        let (mut screen, mut config) = (screen.clone(), config.clone());
        setting.set(&mut screen, &mut config, value);
        MemoryEstimate::of(&screen, &config, device).peak <= free
    };
    let change = |setting: Setting| {
        let now = setting.get(screen, config);
        let least = setting.least();
        if now <= least || !fits(setting, least) {
            return None;
        }
        // The largest that fits lies between these.
        let (mut to, mut beyond) = (least, now);
        while beyond - to > 1 {
            let middle = to + (beyond - to) / 2;
            if fits(setting, middle) { to = middle } else { beyond = middle }
        }
        Some(Change { setting, now, to: rounded(to, least) })
    };
    let changes = Setting::ALL.into_iter().filter_map(change).take(MOST_CHANGES).collect();
    Err(TooLarge { estimate, free, changes })
}

/// Down to two digits: the estimate is no better.
fn rounded(value: usize, least: usize) -> usize {
    let mut unit = 1;
    while value / unit >= 100 {
        unit *= 10;
    }
    (value / unit * unit).max(least)
}

/// Bytes of memory that are free now.
pub fn free() -> u64 {
    room::free()
}

/// Whether training on `dataset` fits into the memory that is free now.
///
/// # Errors
/// As [`check`].
pub fn check_now(dataset: &Dataset, config: &TrainConfig, device: DeviceChoice) -> Result<MemoryEstimate, TooLarge> {
    check(&ScreenSize::of(dataset, &config.prepare), config, device, free())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::jobs::Silent;
    use crate::models::gpo_vae::{Likelihood, Preset};

    /// 600 perturbations of 200 cells each, 10,000 controls, 8,500 genes.
    fn large() -> ScreenSize {
        ScreenSize {
            genes: 8_500,
            stored: 130_000 * 2_500,
            controls: 10_000,
            conditions: (0..600).map(|gene| (200, vec![gene])).collect(),
            treatments: 600,
        }
    }

    fn published() -> TrainConfig {
        TrainConfig { model: GpoVaeConfig::preset(Preset::K562), ..TrainConfig::default() }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        let (screen, config) = (large(), published());
        let needed = MemoryEstimate::of(&screen, &config, DeviceChoice::Cpu).peak;
        assert!(check(&screen, &config, DeviceChoice::Cpu, needed).is_ok());
        let refused = check(&screen, &config, DeviceChoice::Cpu, needed * 9 / 10).unwrap_err();
        assert!(!refused.changes.is_empty(), "{refused}");
        for change in &refused.changes {
            let (mut screen, mut config) = (screen.clone(), config.clone());
            change.setting.set(&mut screen, &mut config, change.to);
            let then = check(&screen, &config, DeviceChoice::Cpu, refused.free);
            assert!(change.to < change.now && then.is_ok(), "{change:?}");
        }
        let text = refused.to_string();
        assert!(
            text.contains("are free; it fits with at most ") && text.contains(" cells per batch (now 512)"),
            "{text}"
        );
        // Nothing alone makes room in next to nothing.
        let none = check(&screen, &config, DeviceChoice::Cpu, 1 << 20).unwrap_err();
        assert!(none.changes.is_empty() && none.to_string().contains("no single setting"));
    }

    #[test]
    fn a_gpu_holds_the_step_and_the_processor_the_rest() {
        let (screen, config) = (large(), published());
        let here = MemoryEstimate::of(&screen, &config, DeviceChoice::Cpu);
        let there = MemoryEstimate::of(&screen, &config, DeviceChoice::Cuda);
        let members = TrainConfig { members: Some(4), ..config.clone() };
        let four = MemoryEstimate::of(&screen, &members, DeviceChoice::Cpu);
        assert!(four.peak > here.peak && four.parts.iter().any(|part| part.name == "Members that are done"));
        assert!(here.on_gpu.is_none() && there.peak < here.peak);
        // By kernels of our own the decoder's output lies there twice, by the tensor library's operations forty times.
        let output = 4 * 5 * 512 * 8_500;
        let mut poisson = config.clone();
        poisson.model.likelihood = Likelihood::Poisson;
        let plain = MemoryEstimate::of(&screen, &poisson, DeviceChoice::Cuda).on_gpu.unwrap();
        let by_kernels = there.on_gpu.unwrap();
        assert!(by_kernels > 2 * output && plain > 40 * output && by_kernels < plain / 4, "{by_kernels} {plain}");
        assert!(there.in_words().ends_with(" on the GPU"));
        assert!(there.parts.iter().all(|part| part.name != "Step"));
    }

    #[test]
    fn tests_of_edges_are_in_it() {
        let mut config = TrainConfig::default();
        let part = |config: &TrainConfig| {
            let parts = MemoryEstimate::of(&large(), config, DeviceChoice::Cpu).parts;
            parts.iter().find(|part| part.name == "Direct shifts and tests of edges").map(|part| part.bytes)
        };
        // 600 × 600 pairs, and the counts of 600 of 8,500 genes.
        let with = part(&config).unwrap();
        config.model.null_shuffles = 0;
        let without = part(&config).unwrap();
        assert_eq!(with - without, 36 * 600 * 600);
        assert!((100 << 20..250 << 20).contains(&without), "{without}");
        config.model.alignment = Alignment::Cells;
        assert_eq!(part(&config), None);
    }

    #[test]
    fn kept_perturbations_are_counted() {
        let dataset = simulate(&SimulateConfig::small(), &Silent).unwrap().dataset;
        let config = PrepareConfig { minimum_cells: 1, ..PrepareConfig::default() };
        let size = ScreenSize::of(&dataset, &config);
        assert_eq!(size.controls, dataset.control_cells().len());
        assert_eq!(size.cells() + dataset.unassigned_cells().len(), dataset.cell_count());
        let none = ScreenSize::of(&dataset, &PrepareConfig { minimum_cells: 1_000_000, ..config });
        assert_eq!((none.conditions.len(), none.treatments), (0, 0));
        assert_eq!(distinct([0.5, 0.5].into_iter(), 100), 2);
        assert_eq!(distinct(std::iter::repeat_n(1.0 / 600.0, 600), 1), 1 + 2);
    }

    proptest! {
        #[test]
        fn more_of_anything_needs_no_less(which in 0..Setting::ALL.len(), value in 20..2_000usize, more in 1..500usize) {
            let setting = Setting::ALL[which];
            let needed = |value| {
                let (mut screen, mut config) = (large(), published());
                setting.set(&mut screen, &mut config, value);
                MemoryEstimate::of(&screen, &config, DeviceChoice::Cpu).peak
            };
            prop_assert!(needed(value) <= needed(value + more));
        }
    }
}
