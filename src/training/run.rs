//! The loop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use rand::seq::SliceRandom as _;

use super::batches::Batches;
use super::checkpoint::{Saved, on_processor};
use super::device::Chosen;
use super::direct::false_discovery_rates;
use super::known::KnownNetwork;
use super::steps::Steps;
use super::{
    CheckpointError, Checkpoints, DeviceChoice, NetworkSnapshot, STOPPED, TrainError, TrainingObserver, device,
    observed,
};
use crate::models::gpo_vae::{Alignment, Batch, BatchContext, CountMoments, Escaped, GpoVae, Sizes, Start};
use crate::models::nn::parameters::Source;
use crate::models::{
    DatasetReference, EpochMetrics, LossTerms, MODEL_FORMAT, ModelCard, ModelError, ModelKind, Observed, PredictError,
    TrainConfig, TrainedModel, TrainedPerturbation, Treatment, signed_network,
};
use crate::preprocess::escape::{Responding, responding};
use crate::preprocess::{PreparedScreen, Split};
use crate::random;

/// Edges in a snapshot: what a window can show while training.
const SNAPSHOT_EDGES: usize = 5_000;

/// Train on `screen`.
///
/// Stop (`observer.should_stop`) ends after the current batch and keeps the best epoch; Cancel returns
/// [`TrainError::Cancelled`]. If the loss stops being a number, training ends with the last good state, and the card
/// says so.
///
/// A member of an ensemble (`config.member`) is trained on training cells that are drawn with replacement, within every
/// perturbation as many as it has (the bootstrap, Efron 1979), and with draws of its own; the split is that of the seed.
///
/// With `checkpoints` the run is kept as it goes, and goes on from what was kept where that is asked for: on the processor the
/// result is the same to the bit as that of a run that was never interrupted.
pub fn train(
    screen: &PreparedScreen,
    config: &TrainConfig,
    device: DeviceChoice,
    checkpoints: Option<&Checkpoints>,
    observer: &dyn TrainingObserver,
) -> Result<TrainedModel, TrainError> {
    train_on(&Prepared::new(screen, config, device, observer)?, config, checkpoints, observer)
}

/// What is worked out once for all members of an ensemble.
pub(super) struct Prepared<'a> {
    screen: &'a PreparedScreen,
    chosen: Chosen,
    observed: Observed,
    known: Option<KnownNetwork>,
    responding: Responding,
}

impl<'a> Prepared<'a> {
    pub fn new(
        screen: &'a PreparedScreen,
        config: &TrainConfig,
        device: DeviceChoice,
        observer: &dyn TrainingObserver,
    ) -> Result<Self, TrainError> {
        let chosen = device::choose(device)?;
        observer.device(&chosen.in_words(&config.model));
        let mut observed = observed::observe(screen, observer)?;
        // Shifts of single cells as the published network follows them have no null: there is no score of an edge but what is learned.
        if config.model.alignment == Alignment::DirectShifts && !screen.shifts.is_empty() {
            let shuffles = config.model.null_shuffles;
            observed.false_discovery_rates = false_discovery_rates(screen, shuffles, config.seed, observer)?;
        }
        let known = KnownNetwork::read(config, &screen.treatments, observer)?;
        let responding = match config.model.escaped {
            Escaped::ToldApart => responding(screen, observer)?,
            Escaped::Counted => Responding::all(screen),
        };
        Ok(Self { screen, chosen, observed, known, responding })
    }

    /// The card of a run that has not begun.
    pub fn card(&self, config: &TrainConfig) -> ModelCard {
        let mut card = card(self.screen, config, &self.observed, &self.responding);
        if let Some(known) = &self.known {
            card.settings.prior_network = Some(known.settings.clone());
            card.prior_network = Some(known.used.clone());
        }
        card
    }
}

/// Train one model.
pub(super) fn train_on(
    prepared: &Prepared<'_>,
    config: &TrainConfig,
    checkpoints: Option<&Checkpoints>,
    observer: &dyn TrainingObserver,
) -> Result<TrainedModel, TrainError> {
    let treatments = prepared.screen.treatments.len();
    if let Some(problem) = config.model.problem().or_else(|| config.model.problem_with(treatments)) {
        return Err(TrainError::Setting { problem });
    }
    let mut run = Run::new(prepared, config)?;
    run.epochs(checkpoints, observer)?;
    let Run { model, best, card, .. } = run;
    let tensor = |error| TrainError::Model(ModelError::Tensor(error));
    // Answers are computed on the processor: they are small, and the file then does not depend on the device.
    let given = Source::Given(best.into_iter().collect());
    let prior = model.mask_prior().map(<[f32]>::to_vec);
    let model = GpoVae::new(model.sizes(), model.config(), given, &Device::Cpu).map_err(tensor)?;
    let model = model.with_mask_prior(prior).map_err(tensor)?;
    TrainedModel::assemble(card, model, prepared.observed.clone(), observer).map_err(|error| match error {
        PredictError::Cancelled(cancelled) => TrainError::Cancelled(cancelled),
        PredictError::Tensor(error) => tensor(error),
        other => TrainError::Setting { problem: other.to_string() },
    })
}

struct Run<'a> {
    config: &'a TrainConfig,
    observed: &'a Observed,
    batches: Batches<'a>,
    context: BatchContext,
    model: GpoVae,
    steps: Steps,
    card: ModelCard,
    /// Parameters of the best epoch so far, on the processor.
    best: BTreeMap<String, Tensor>,
    /// Parameters averaged over epochs, likewise; none before the first epoch, or where they are not averaged.
    averaged: Option<BTreeMap<String, Tensor>>,
}

/// Why an epoch was not completed.
enum Interrupted {
    Stopped,
    NotANumber,
}

impl<'a> Run<'a> {
    fn new(prepared: &'a Prepared<'_>, config: &'a TrainConfig) -> Result<Self, TrainError> {
        let Prepared { screen, chosen, observed, known, responding } = prepared;
        let card = prepared.card(config);
        let sizes = Sizes { genes: screen.dataset.gene_count(), treatments: screen.treatments.len() };
        let source = Source::Random(Box::new(stream(config, "parameters")));
        let device = Steps::device(chosen, &config.model);
        let mut model = GpoVae::new(sizes, &config.model, source, &device).map_err(ModelError::from)?;
        let batches = Batches::new(screen, config, responding);
        if let Some(KnownNetwork { settings, probabilities, .. }) = known {
            model.set_known_network(probabilities, settings.as_prior).map_err(ModelError::from)?;
        } else if let Some(direct) = batches.direct() {
            model.set_known_network(&direct.start(config.model.mask_prior), false).map_err(ModelError::from)?;
        }
        if config.model.start == Start::Moments {
            let training =
                screen.splits.iter().zip(&screen.library_sizes).filter(|(split, _)| **split == Split::Training);
            let libraries: Vec<f32> = training.map(|(_, size)| *size).collect();
            let own_effects = batches.own_effects();
            let moments =
                CountMoments { mean: &screen.mean, std: &screen.std, libraries: &libraries, own_effects: &own_effects };
            model.start_from(&moments).map_err(ModelError::from)?;
        }
        let steps = Steps::new(chosen, &model).map_err(ModelError::from)?;
        let context = batches.context(&config.model);
        let best = on_processor(&model).map_err(ModelError::from)?;
        Ok(Self { config, observed, batches, context, model, steps, card, best, averaged: None })
    }

    fn epochs(&mut self, checkpoints: Option<&Checkpoints>, observer: &dyn TrainingObserver) -> Result<(), TrainError> {
        let mut done = 0;
        if let Some(checkpoints) = checkpoints
            && let Some(saved) = checkpoints.read(&self.card)?
        {
            done = saved.epoch;
            self.resume(saved).map_err(|error| CheckpointError::Broken {
                path: checkpoints.path.clone(),
                reason: error.to_string(),
            })?;
            observer.resumed(&self.card.history);
        }
        let settings = &self.config.model;
        let (config, cells) = (self.config, self.batches.cells(Split::Training));
        let validation = self.batches.cells(Split::Validation);
        let best = self.card.history.iter().find(|metrics| metrics.epoch == self.card.best_epoch);
        let mut best_loss = best.map_or(f64::INFINITY, |metrics| metrics.validation.total);
        let mut ended = format!("after the {} epochs asked for", settings.epochs);
        let (begun, mut kept) = (Instant::now(), Instant::now());
        for epoch in done + 1..=settings.epochs {
            observer.check()?;
            if observer.should_stop() {
                ended = format!("{STOPPED} after {} epochs", epoch - 1);
                break;
            }
            // A run that goes on may have been at its end.
            if epoch - 1 - self.card.best_epoch >= settings.patience && self.card.best_epoch > 0 {
                ended = early(settings.patience);
                break;
            }
            let share = (epoch - 1) as f32 / settings.epochs as f32;
            observer.stage(&format!("Training, epoch {epoch} of {}", settings.epochs), Some(share));
            let (start, mut waited) = (Instant::now(), Duration::ZERO);
            // Every epoch has streams of its own: a run that goes on draws what it would have drawn.
            let mut order = cells.clone();
            order.shuffle(&mut stream(config, &format!("shuffle, epoch {epoch}")));
            let mut noise = stream(config, &format!("training noise, epoch {epoch}"));
            let training = match self.pass(&order, &mut noise, true, &mut waited, observer)? {
                Ok(terms) => terms,
                Err(Interrupted::Stopped) => {
                    ended = format!("{STOPPED} in epoch {epoch}");
                    break;
                }
                Err(Interrupted::NotANumber) => {
                    ended = self.diverged(epoch)?;
                    break;
                }
            };
            let own = self.average(epoch).map_err(ModelError::from)?;
            // The same draws each epoch, so that epochs differ by their parameters alone.
            let mut fixed = stream(config, "validation noise");
            let judged = match validation.is_empty() {
                true => Ok(training),
                false => self.pass(&validation, &mut fixed, false, &mut waited, observer)?,
            };
            let validation = match judged {
                Ok(terms) => terms,
                Err(Interrupted::Stopped) => {
                    ended = format!("{STOPPED} in epoch {epoch}");
                    break;
                }
                Err(Interrupted::NotANumber) => {
                    ended = self.diverged(epoch)?;
                    break;
                }
            };
            let seconds = start.elapsed().saturating_sub(waited).as_secs_f32();
            let cells_per_second = order.len() as f32 / seconds.max(1e-6);
            let metrics = EpochMetrics { epoch, training, validation, seconds, cells_per_second };
            self.card.history.push(metrics);
            if validation.total < best_loss {
                best_loss = validation.total;
                self.card.best_epoch = epoch;
                self.best = on_processor(&self.model).map_err(ModelError::from)?;
            }
            observer.epoch(metrics);
            self.snapshot(epoch, observer)?;
            if let Some(own) = own {
                self.set_parameters(&own).map_err(ModelError::from)?;
            }
            if let Some(checkpoints) = checkpoints.filter(|checkpoints| kept.elapsed() >= checkpoints.every) {
                checkpoints.write(&self.saved(epoch).map_err(ModelError::from)?)?;
                kept = Instant::now();
            }
            if epoch - self.card.best_epoch >= settings.patience {
                ended = early(settings.patience);
                break;
            }
        }
        tracing::debug!(seconds = begun.elapsed().as_secs_f32(), "training ended {ended}");
        observer.check()?;
        self.card.ended = ended;
        Ok(())
    }

    /// Let the model have its averaged parameters, those of this epoch included, and give back its own. None where none are averaged.
    ///
    /// An exponential average (Polyak and Juditsky 1992, Acceleration of stochastic approximation by averaging): single steps are
    /// noisy, and the largest effects gain most by it.
    fn average(&mut self, epoch: u32) -> candle_core::Result<Option<BTreeMap<String, Tensor>>> {
        let over = self.config.model.averaging;
        if over <= 0.0 {
            return Ok(None);
        }
        let own = on_processor(&self.model)?;
        // At first the plain mean of the epochs so far.
        let share = (1.0 - (-1.0 / over).exp()).max(1.0 / f64::from(epoch));
        let averaged = match self.averaged.take() {
            Some(before) => {
                let mixed = |(name, now): (&String, &Tensor)| {
                    let Some(before) = before.get(name) else { candle_core::bail!("no average of {name}") };
                    let value = (before + ((now - before)? * share)?)?;
                    Ok((name.clone(), value))
                };
                own.iter().map(mixed).collect::<candle_core::Result<_>>()?
            }
            None => own.clone(),
        };
        self.set_parameters(&averaged)?;
        self.averaged = Some(averaged);
        Ok(Some(own))
    }

    /// Set the model's parameters to values that are on the processor.
    fn set_parameters(&mut self, values: &BTreeMap<String, Tensor>) -> candle_core::Result<()> {
        let parameters = self.model.parameters();
        let on_device = |(name, value): (&String, &Tensor)| Ok((name.clone(), value.to_device(parameters.device())?));
        parameters.restore(&values.iter().map(on_device).collect::<candle_core::Result<_>>()?)?;
        self.steps.take_parameters(&self.model)
    }

    /// All that the rest of the run needs.
    fn saved(&mut self, epoch: u32) -> candle_core::Result<Saved> {
        Ok(Saved {
            card: self.card.clone(),
            epoch,
            parameters: on_processor(&self.model)?,
            best: self.best.clone(),
            averaged: self.averaged.clone(),
            optimiser: self.steps.optimiser_state()?,
        })
    }

    fn resume(&mut self, saved: Saved) -> candle_core::Result<()> {
        let parameters = self.model.parameters();
        let fits = |values: &BTreeMap<String, Tensor>| {
            parameters.iter().all(|(name, var)| values.get(name).is_some_and(|value| value.dims() == var.dims()))
        };
        if !fits(&saved.parameters) || !fits(&saved.best) || !saved.averaged.as_ref().is_none_or(fits) {
            candle_core::bail!("its parameters are not those of this model");
        }
        self.set_parameters(&saved.parameters)?;
        self.steps.restore_optimiser(saved.optimiser, &self.model)?;
        self.best = saved.best;
        self.averaged = saved.averaged;
        // The rest of the card is that of this run: more epochs may be asked for than before.
        self.card.history = saved.card.history;
        self.card.best_epoch = saved.card.best_epoch;
        Ok(())
    }

    /// The words for the card, or an error if there is no good state to keep.
    fn diverged(&self, epoch: u32) -> Result<String, TrainError> {
        let learning_rate = self.config.model.learning_rate;
        if self.card.best_epoch == 0 {
            return Err(TrainError::Diverged { epoch, learning_rate });
        }
        Ok(format!(
            "in epoch {epoch}, where the loss stopped being a number; the parameters of epoch {} were kept; a lower learning \
             rate than {learning_rate} may help",
            self.card.best_epoch
        ))
    }

    /// One pass over `cells`: with steps of the optimiser, or only the loss. `waited` grows by the time that it was paused.
    fn pass(
        &mut self,
        cells: &[u32],
        noise: &mut random::Rng,
        learn: bool,
        waited: &mut Duration,
        observer: &dyn TrainingObserver,
    ) -> Result<Result<LossTerms, Interrupted>, TrainError> {
        let Self { config, batches, context, model, steps, .. } = self;
        let maker = steps.maker(&config.model, model.sizes());
        let mut pass = steps.begin(noise).map_err(ModelError::from)?;
        let (ahead, ready) = sync_channel(maker.at_a_time());
        // The next batches are made while the step of the last one is computed.
        let ended = std::thread::scope(|scope| -> Result<Result<(), Interrupted>, TrainError> {
            let ready = ready;
            scope.spawn(move || {
                let chunks: Vec<&[u32]> = cells.chunks(config.model.batch_size).collect();
                for chunks in chunks.chunks(maker.at_a_time()) {
                    let batch = |chunk: &[u32]| Batch::new(batches.batch(chunk), context);
                    for batch in maker.make(chunks, batch, noise) {
                        // The step has ended early: nobody waits.
                        if ahead.send(batch).is_err() {
                            return;
                        }
                    }
                }
            });
            for batch in &ready {
                *waited += observer.wait_while_paused();
                observer.check()?;
                if observer.should_stop() {
                    return Ok(Err(Interrupted::Stopped));
                }
                let share = batch.cells() as f64 / cells.len() as f64;
                if !steps.take(model, &batch, learn, share, &mut pass).map_err(ModelError::from)? {
                    return Ok(Err(Interrupted::NotANumber));
                }
            }
            Ok(Ok(()))
        });
        if let Err(interrupted) = ended? {
            return Ok(Err(interrupted));
        }
        let Some(sums) = steps.end(model, pass, learn).map_err(ModelError::from)? else {
            return Ok(Err(Interrupted::NotANumber));
        };
        // f32 arithmetic has no more than seven digits; more would not survive the decimal text of the model's card.
        let rounded = |value: f64| format!("{value:.6e}").parse::<f64>().unwrap_or(value);
        let [total, reconstruction, basal, effect, mask, artifact, counterfactual, grn, sparsity] = sums.map(rounded);
        Ok(Ok(LossTerms { total, reconstruction, basal, effect, mask, artifact, counterfactual, grn, sparsity }))
    }

    fn snapshot(&self, epoch: u32, observer: &dyn TrainingObserver) -> Result<(), TrainError> {
        let logits = self.model.mask_logits().map_err(ModelError::from)?;
        let none = crate::data::EffectTable::default();
        let network = signed_network(&self.card, &[logits], self.observed, &none, SNAPSHOT_EDGES);
        observer.snapshot(NetworkSnapshot { epoch, network: Arc::new(network) });
        Ok(())
    }
}

/// The stream `name` of a run: a member of an ensemble has its own.
pub(super) fn stream(config: &TrainConfig, name: &str) -> random::Rng {
    match config.member {
        Some(member) => random::stream(config.seed, &format!("member {member}, {name}")),
        None => random::stream(config.seed, name),
    }
}

fn early(patience: u32) -> String {
    format!("early: no better validation loss in {patience} epochs")
}

/// What is known before the first epoch.
fn card(screen: &PreparedScreen, config: &TrainConfig, observed: &Observed, responding: &Responding) -> ModelCard {
    let dataset = &screen.dataset;
    let mut perturbations: Vec<TrainedPerturbation> = dataset
        .perturbations()
        .iter()
        .map(|perturbation| TrainedPerturbation {
            targets: perturbation.targets().to_vec(),
            held_out: screen.held_out.iter().any(|held| held.name == perturbation.name()),
            ..TrainedPerturbation::default()
        })
        .collect();
    let mut control_cells = [0u32; 3];
    for (&row, split) in screen.cells.iter().zip(&screen.splits) {
        let role = dataset.roles()[row as usize];
        match role.perturbation() {
            Some(index) => {
                let shown = &mut perturbations[index];
                *match split {
                    Split::Training => &mut shown.training_cells,
                    Split::Validation => &mut shown.validation_cells,
                    Split::Test => &mut shown.test_cells,
                } += 1;
            }
            None => control_cells[*split as usize] += 1,
        }
    }
    perturbations.retain(|shown| shown.training_cells + shown.validation_cells + shown.test_cells > 0);
    let mut perturbed_cells = vec![0u32; screen.treatments.len()];
    screen.dosages.iter().flatten().for_each(|&treatment| perturbed_cells[treatment as usize] += 1);
    let treatments = screen.treatments.iter().zip(&screen.treatment_columns);
    let treatments = treatments
        .zip(perturbed_cells.into_iter().zip(&responding.shares))
        .map(|((symbol, &column), (perturbed_cells, &responding))| Treatment {
            responding,
            symbol: symbol.clone(),
            column,
            perturbed_cells,
            knock_down: column
                .zip(observed.training.find(symbol))
                .map(|(column, row)| observed.training.row(row)[column as usize]),
        })
        .collect();
    ModelCard {
        format: MODEL_FORMAT,
        kind: ModelKind::GpoVae,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        dataset: DatasetReference {
            name: dataset.name().to_owned(),
            hash: dataset.hash().to_owned(),
            cells: dataset.cell_count() as u32,
            genes: dataset.gene_count() as u32,
            genes_of_file: dataset.whole_cells().map_or(0, |whole| whole.genes as u32),
        },
        perturbation_kind: dataset.kind(),
        genes: dataset.genes().symbols(),
        treatments,
        perturbations,
        control_cells,
        settings: config.clone(),
        prior_network: None,
        differs_from_paper: config.differs_from_paper(),
        history: Vec::new(),
        best_epoch: 0,
        ended: String::new(),
        members: Vec::new(),
    }
}
