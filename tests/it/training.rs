//! Training end to end on a small simulated screen.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use grn_explorer::data::simulate::{SimulateConfig, TrueEdge, simulate};
use grn_explorer::jobs::{Job, Outcome, Progress, ProgressUpdate, Silent};
use grn_explorer::models::gpo_vae::Alignment;
use grn_explorer::models::gpo_vae::{GpoVaeConfig, InputScale, Likelihood, MaskParameters};
use grn_explorer::models::{
    EpochMetrics, Intervention, MergeError, Novelty, PredictError, PriorNetwork, TrainConfig, TrainedModel, merge,
};
use grn_explorer::network::{Agreement, Edge};
use grn_explorer::preprocess::{PreparedScreen, prepare};
use grn_explorer::tasks::methods::paragraph;
use grn_explorer::training::{
    CheckpointError, Checkpoints, DeviceChoice, NetworkSnapshot, RunFiles, TrainError, TrainingEvent, TrainingObserver,
    importance_bounds, train, train_members,
};

/// A configuration that trains in a moment.
pub fn small_config(epochs: u32) -> TrainConfig {
    let mut config = TrainConfig { seed: 3, ..TrainConfig::default() };
    config.model.latent = 8;
    config.model.decoder_hidden = 16;
    config.model.basal_hidden = 16;
    config.model.embedding_hidden = 16;
    config.model.embedding_layers = 2;
    config.model.particles = 2;
    config.model.batch_size = 64;
    config.model.epochs = epochs;
    config.prepare.minimum_cells = 5;
    config
}

/// A small simulated screen, prepared.
pub fn small_screen(config: &TrainConfig) -> PreparedScreen {
    let dataset = Arc::new(simulate(&SimulateConfig::small(), &Silent).expect("simulated").dataset);
    prepare(&dataset, &config.prepare, config.seed, &Silent).expect("prepared")
}

/// Looks at what it is told.
#[derive(Default)]
pub struct Watcher {
    stop_after: u32,
    cancel_after: u32,
    epochs: Mutex<Vec<EpochMetrics>>,
    snapshots: AtomicU32,
    members: Mutex<Vec<u32>>,
}

impl Watcher {
    fn seen(&self) -> u32 {
        self.epochs.lock().unwrap().len() as u32
    }
}

impl Progress for Watcher {
    fn report(&self, _: ProgressUpdate) {}

    fn is_cancelled(&self) -> bool {
        self.cancel_after > 0 && self.seen() >= self.cancel_after
    }

    fn should_stop(&self) -> bool {
        self.is_cancelled() || (self.stop_after > 0 && self.seen() >= self.stop_after)
    }
}

impl TrainingObserver for Watcher {
    fn device(&self, detail: &str) {
        assert!(detail.starts_with("processor"), "{detail}");
    }

    fn member(&self, number: u32, _: u32) {
        self.members.lock().unwrap().push(number);
    }

    fn resumed(&self, history: &[EpochMetrics]) {
        history.iter().for_each(|metrics| self.epoch(*metrics));
    }

    fn epoch(&self, metrics: EpochMetrics) {
        self.epochs.lock().unwrap().push(metrics);
    }

    fn snapshot(&self, snapshot: NetworkSnapshot) {
        assert!(!snapshot.network.edges().is_empty());
        self.snapshots.fetch_add(1, Ordering::Relaxed);
    }
}

fn trained(epochs: u32, watcher: &Watcher) -> Result<TrainedModel, TrainError> {
    let config = small_config(epochs);
    train(&small_screen(&config), &config, DeviceChoice::Cpu, None, watcher)
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_the_loss_falls() {
    let watcher = Watcher::default();
    let first = trained(6, &watcher).unwrap().to_bytes().unwrap();
    let second = trained(6, &Watcher::default()).unwrap().to_bytes().unwrap();
    assert!(first == second, "two runs of one seed differ");
    let epochs = watcher.epochs.lock().unwrap();
    assert_eq!(epochs.len(), 6);
    assert_eq!(watcher.snapshots.load(Ordering::Relaxed), 6);
    assert!(epochs[5].training.total < epochs[0].training.total);
    assert!(epochs[5].validation.reconstruction < epochs[0].validation.reconstruction);
}

#[test]
fn a_model_survives_its_file_and_answers_without_the_data() {
    let model = trained(3, &Watcher::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    model.save(&path).unwrap();
    let opened = TrainedModel::open(&path).unwrap();
    assert!(opened.to_bytes().unwrap() == model.to_bytes().unwrap(), "the file changes when read and written");
    assert_eq!(opened.network().edges(), model.network().edges());
    assert_eq!(opened.observed_held_out(), model.observed_held_out());
    assert_eq!(opened.card().history.len(), 3);

    let shown = opened.card().perturbations.iter().find(|shown| shown.training_cells > 0).unwrap().clone();
    let question = Intervention::knock_out(shown.targets.clone());
    let answer = opened.predict(&question, &Silent).unwrap();
    assert!(matches!(answer.novelty, Novelty::Measured { .. }));
    let row = opened.predicted().find(&shown.name()).unwrap();
    assert_eq!(answer.shifts, opened.predicted().row(row), "the stored prediction is the answer");
    assert!(answer.control.iter().all(|level| level.is_finite() && *level >= 0.0));
    let nothing = Intervention::with_doses([(shown.targets[0].clone(), 0.0)]);
    assert!(opened.predict(&nothing, &Silent).unwrap().shifts.iter().all(|shift| shift.abs() < 1e-6));
    let twice = Intervention::with_doses([(shown.targets[0].clone(), 2.0)]);
    assert!(opened.predict(&twice, &Silent).unwrap().extrapolated);
}

#[test]
fn every_variant_trains_and_answers_from_its_file() {
    let screen = small_screen(&small_config(2));
    let latent = screen.treatments.len();
    let usual = small_config(2).model;
    let variants = [
        GpoVaeConfig { likelihood: Likelihood::Normal, input: InputScale::Standardise, ..usual.clone() },
        GpoVaeConfig { sum_mode: true, latent, mean_field: true, ..usual.clone() },
        GpoVaeConfig {
            mask: MaskParameters::Probabilities,
            mask_temperature: 0.5,
            effect_prior_scale: 0.5,
            input: InputScale::None,
            learning_rate: 1e-4,
            prediction_samples: 700,
            ..usual
        },
    ];
    for model in variants {
        let config = TrainConfig { model, ..small_config(2) };
        let trained = train(&screen, &config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap();
        let bytes = trained.to_bytes().unwrap();
        let opened = TrainedModel::from_bytes(&bytes).unwrap();
        assert_eq!(opened.card().settings, config);
        assert!(opened.to_bytes().unwrap() == bytes);
        assert!(opened.network().edges().iter().all(|edge| (0.0..=1.0).contains(&edge.probability)));
        let shown = opened.card().perturbations.iter().find(|shown| shown.training_cells > 0).unwrap();
        let answer = opened.predict(&Intervention::knock_out(shown.targets.clone()), &Silent).unwrap();
        assert_eq!(answer.shifts, opened.predicted().row(opened.predicted().find(&shown.name()).unwrap()));
        assert!(answer.shifts.iter().all(|shift| shift.is_finite()));
        assert!(opened.card().differs_from_paper.len() > 5, "{:?}", opened.card().differs_from_paper);
    }
}

#[test]
fn the_mask_starts_from_a_known_network_and_the_model_tells_which() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = small_config(1);
    let screen = small_screen(&config);
    let genes = &screen.treatments;
    let file = folder.path().join("known.sif");
    let known = |edges: &[(usize, usize)]| {
        let lines = edges.iter().map(|&(from, to)| format!("{} activates {}\n", genes[from], genes[to]));
        std::fs::write(&file, lines.collect::<String>() + "ELSEWHERE activates NOWHERE\n").unwrap();
    };
    known(&[(0, 1), (1, 2), (3, 0)]);
    config.prior_network = Some(PriorNetwork::new(&file));
    // So small a step leaves the mask where it starts.
    config.model.learning_rate = 1e-9;
    let path = folder.path().join("run.checkpoint");
    let run = |config: &TrainConfig, resume: bool| {
        let checkpoints = Checkpoints { path: path.clone(), every: std::time::Duration::ZERO, resume };
        train(&screen, config, DeviceChoice::Cpu, Some(&checkpoints), &Watcher::default())
    };
    let model = run(&config, false).unwrap();
    let mut best: Vec<(String, String)> = model.network().edges()[..3]
        .iter()
        .map(|edge| {
            assert!((edge.probability - 0.9).abs() < 1e-3, "{}", edge.probability);
            let symbol = |gene| model.network().gene(gene).symbol.clone();
            (symbol(edge.regulator), symbol(edge.target))
        })
        .collect();
    best.sort();
    let mut expected = [(0, 1), (1, 2), (3, 0)].map(|(from, to)| (genes[from].clone(), genes[to].clone()));
    expected.sort();
    assert_eq!(best, expected);
    assert!((model.network().edges()[3].probability - 0.3).abs() < 1e-3, "the others start from the prior");

    let card = model.card();
    let used = card.prior_network.clone().unwrap();
    assert_eq!((used.edges, used.edges_elsewhere, used.genes_elsewhere, &*used.name), (3, 1, 2, "known.sif"));
    let settings = card.settings.prior_network.as_ref().unwrap();
    assert_eq!(settings.file, std::path::Path::new("known.sif"), "no folder of this machine");
    assert_eq!((&settings.hash, settings.hash.len()), (&used.hash, 64));
    assert!(card.differs_from_paper.iter().any(|words| words.contains("known.sif")));
    let opened = TrainedModel::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!((&opened.card().prior_network, &opened.card().settings), (&card.prior_network, &card.settings));

    // As prior it is in the mask's term of the loss.
    config.prior_network.as_mut().unwrap().as_prior = true;
    let with_prior = train(&screen, &config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap();
    let mask = |model: &TrainedModel| model.card().history[0].training.mask;
    assert!(mask(&with_prior) != mask(&model));
    // It is in the file: a model that was read weighs draws as the one that was trained.
    let perturbed: Vec<u32> = (0..).zip(&screen.dosages).filter(|(_, of)| of.contains(&0)).map(|(at, _)| at).collect();
    let bound = |model: &TrainedModel| importance_bounds(model, &screen, &perturbed, 4, &Silent).unwrap().bounds;
    let bytes = with_prior.to_bytes().unwrap();
    let read = TrainedModel::from_bytes(&bytes).unwrap();
    assert!(read.to_bytes().unwrap() == bytes && !read.lacks_prior());
    assert_eq!(bound(&read), bound(&with_prior));
    assert!(bound(&with_prior) != bound(&model));
    config.prior_network.as_mut().unwrap().as_prior = false;

    // A run does not go on from another network, nor from none.
    let refused = |config: &TrainConfig| match run(config, true).unwrap_err() {
        TrainError::Checkpoint(CheckpointError::OtherRun { difference, .. }) => difference,
        other => panic!("{other}"),
    };
    known(&[(0, 1), (1, 2)]);
    assert!(refused(&config).contains("the content of known.sif differs"));
    let without = TrainConfig { prior_network: None, ..config.clone() };
    assert!(refused(&without).contains("prior_network was"), "{}", refused(&without));

    let wrong = |config: &TrainConfig| run(config, false).unwrap_err().to_string();
    config.prior_network.as_mut().unwrap().hash = used.hash;
    assert!(wrong(&config).contains("its content is another"));
    known(&[]);
    config.prior_network = Some(PriorNetwork::new(&file));
    let error = wrong(&config);
    assert!(error.contains("known.sif") && error.contains("none of its 1 edge lies between"), "{error}");
    config.prior_network = Some(PriorNetwork::new(folder.path().join("absent.sif")));
    assert!(wrong(&config).contains("absent.sif"));
}

#[test]
fn no_edge_leads_into_a_gene_that_was_not_measured() {
    let config = small_config(1);
    let mut screen = small_screen(&config);
    screen.treatment_columns[0] = None;
    let unmeasured = screen.treatments[0].clone();
    let model = train(&screen, &config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap();
    let network = model.network();
    let gene = network.find(&unmeasured).unwrap();
    assert!(network.regulators(gene).is_empty());
    assert_eq!(network.targets(gene).len(), screen.treatments.len() - 1);
}

#[test]
fn unknown_genes_are_refused_with_the_nearest_names() {
    let model = trained(1, &Watcher::default()).unwrap();
    let known = model.card().treatments[0].symbol.clone();
    let error = model.predict(&Intervention::knock_out([format!("{known}x")]), &Silent).unwrap_err();
    assert!(matches!(&error, PredictError::UnknownGene { nearest, .. } if nearest.contains(&known)), "{error}");
    let nobody = model.predict(&Intervention::knock_out(Vec::<String>::new()), &Silent).unwrap_err();
    assert!(matches!(nobody, PredictError::NoGene));
}

#[test]
fn broken_model_files_are_refused_in_words() {
    let bytes = trained(1, &Watcher::default()).unwrap().to_bytes().unwrap();
    for cut in [0, 5, 100, bytes.len() / 2, bytes.len() - 1] {
        let error = TrainedModel::from_bytes(&bytes[..cut]).unwrap_err();
        assert!(error.to_string().contains("safetensors"), "{error}");
    }
    let other = safetensors::serialize(Vec::<(&str, safetensors::tensor::TensorView)>::new(), None).unwrap();
    let error = TrainedModel::from_bytes(&other).unwrap_err();
    assert!(error.to_string().contains("not a model of this program"), "{error}");
}

#[test]
fn stop_keeps_the_best_epoch_and_cancel_discards() {
    let stopped = trained(50, &Watcher { stop_after: 2, ..Watcher::default() }).unwrap();
    assert_eq!(stopped.card().history.len(), 2);
    assert!(stopped.card().ended.contains("stopped by the user"), "{}", stopped.card().ended);
    let cancelled = trained(50, &Watcher { cancel_after: 2, ..Watcher::default() });
    assert!(matches!(cancelled, Err(TrainError::Cancelled(_))));
}

#[test]
fn a_run_goes_on_from_its_checkpoint_as_if_it_had_never_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.checkpoint");
    let config = small_config(6);
    let screen = small_screen(&config);
    let run = |config: &TrainConfig, resume: bool, watcher: &Watcher| {
        let checkpoints = Checkpoints { path: path.clone(), every: std::time::Duration::ZERO, resume };
        train(&screen, config, DeviceChoice::Cpu, Some(&checkpoints), watcher)
    };
    let whole = train(&screen, &config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap();
    let cancelled = run(&config, false, &Watcher { cancel_after: 3, ..Watcher::default() });
    assert!(matches!(cancelled, Err(TrainError::Cancelled(_))));
    let watcher = Watcher::default();
    let resumed = run(&config, true, &watcher).unwrap();
    assert!(resumed.to_bytes().unwrap() == whole.to_bytes().unwrap(), "the resumed run is another one");
    assert_eq!((watcher.seen(), watcher.snapshots.load(Ordering::Relaxed)), (6, 3), "three epochs were trained again");
    // Its end is no end where more epochs are asked for.
    let more = run(&small_config(8), true, &Watcher::default()).unwrap();
    let whole = train(&screen, &small_config(8), DeviceChoice::Cpu, None, &Watcher::default()).unwrap();
    assert!(more.to_bytes().unwrap() == whole.to_bytes().unwrap());

    let mut other = small_config(8);
    other.model.learning_rate = 0.5;
    let error = run(&other, true, &Watcher::default()).unwrap_err();
    let TrainError::Checkpoint(CheckpointError::OtherRun { difference, .. }) = error else { panic!("{error}") };
    assert_eq!(difference, "learning_rate was 0.001 and is now 0.5");
    let bytes = std::fs::read(&path).unwrap();
    for broken in [&bytes[..bytes.len() / 2], &whole.to_bytes().unwrap()] {
        std::fs::write(&path, broken).unwrap();
        let error = run(&small_config(8), true, &Watcher::default()).unwrap_err();
        assert!(matches!(error, TrainError::Checkpoint(CheckpointError::Broken { .. })), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    let begun = run(&config, true, &Watcher::default()).unwrap();
    assert_eq!(begun.card().history.len(), 6, "nothing to go on from: from the start");
}

#[test]
fn divergence_ends_in_words_with_the_last_good_state() {
    let mut config = small_config(60);
    config.model.learning_rate = 1e6;
    config.model.clip_norm = 1e12;
    let screen = small_screen(&config);
    match train(&screen, &config, DeviceChoice::Cpu, None, &Watcher::default()) {
        Ok(model) => {
            assert!(model.card().ended.contains("stopped being a number"));
            assert!(model.predicted().shifts.iter().all(|shift| shift.is_finite()));
        }
        Err(error) => assert!(matches!(error, TrainError::Diverged { .. }), "{error}"),
    }
}

#[test]
fn a_wrong_setting_and_an_absent_device_are_refused() {
    let mut config = small_config(1);
    let screen = small_screen(&config);
    if !cfg!(feature = "cuda") {
        let error = train(&screen, &config, DeviceChoice::Cuda, None, &Watcher::default()).unwrap_err();
        assert!(error.to_string().contains("CUDA"), "{error}");
    }
    config.model.sum_mode = true;
    let error = train(&screen, &config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap_err().to_string();
    let advice = format!("set latent = {}, or sum_mode = false", screen.treatments.len());
    assert!(error.contains("latent is 8") && error.contains(&advice), "{error}");
    config.model.particles = 0;
    let error = train(&screen, &config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap_err();
    assert!(error.to_string().contains("particles"), "{error}");
}

#[test]
fn a_job_carries_every_epoch_and_the_latest_network() {
    let job: Job<TrainedModel, TrainingEvent, NetworkSnapshot> = Job::spawn(
        "train",
        || {},
        |context| {
            let config = small_config(3);
            train(&small_screen(&config), &config, DeviceChoice::Cpu, None, context)
        },
    );
    let started = std::time::Instant::now();
    let mut events = Vec::new();
    let mut latest = None;
    while events.iter().filter(|event| matches!(event, TrainingEvent::Epoch(_))).count() < 3 {
        events.extend(job.drain_metrics());
        latest = job.take_preview().or(latest);
        assert!(started.elapsed().as_secs() < 300, "no epochs arrive");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(matches!(events[0], TrainingEvent::Device(_)));
    let Outcome::Finished(model) = job.wait() else { panic!("training failed") };
    assert_eq!(model.card().best_epoch.min(3), model.card().best_epoch);
}

#[test]
fn an_ensemble_is_its_members_and_tells_how_they_differ() {
    let config = TrainConfig { members: Some(3), ..small_config(3) };
    let screen = small_screen(&config);
    let member = |number: u32| {
        let config = TrainConfig { member: Some(number), members: None, ..config.clone() };
        train(&screen, &config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap()
    };
    let watcher = Watcher::default();
    let ensemble = train_members(&screen, &config, DeviceChoice::Cpu, None, &watcher).unwrap();
    assert_eq!(*watcher.members.lock().unwrap(), [1, 2, 3]);
    // In any order, whether they were trained in one run or apart.
    let apart = [3, 1, 2].map(|number| (format!("{number}").into(), member(number)));
    let merged = merge(apart.into(), &Silent).unwrap();
    let bytes = ensemble.to_bytes().unwrap();
    assert!(merged.to_bytes().unwrap() == bytes);

    assert_eq!((ensemble.member_count(), ensemble.card().members.len()), (3, 3));
    assert_eq!(ensemble.card().settings, config);
    let members = [1, 2, 3].map(member);
    assert_ne!(members[0].card().history, members[1].card().history);
    assert_eq!(members[0].held_out_cells(), members[1].held_out_cells(), "members share what they hold out");
    let spread = ensemble.spread_of(0).unwrap().of_genes;
    let of = |at: usize| members.each_ref().map(|model| f64::from(model.predicted().shifts[at]));
    for at in [0, 7, spread.len() - 1] {
        let mean = of(at).iter().sum::<f64>() / 3.0;
        let square = of(at).iter().map(|shift| (shift - mean).powi(2)).sum::<f64>() / 2.0;
        assert!((f64::from(ensemble.predicted().shifts[at]) - mean).abs() < 1e-6);
        assert!((f64::from(spread[at]) - square.sqrt()).abs() < 1e-6);
    }
    assert!(spread.iter().any(|spread| *spread > 1e-4));
    let rates = |model: &TrainedModel| -> Vec<u32> {
        model.false_discovery_rates().unwrap().iter().map(|rate| rate.to_bits()).collect()
    };
    assert!(members.iter().all(|member| rates(member) == rates(&ensemble)), "they tell of the data, not of the draws");

    // What is stored is what is answered, after the file was read, too.
    let opened = TrainedModel::from_bytes(&bytes).unwrap();
    assert!(opened.to_bytes().unwrap() == bytes);
    let name = &opened.predicted().perturbations[0];
    let answer = opened.predict(&Intervention::knock_out(name.split('+')), &Silent).unwrap();
    let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    let genes = opened.card().genes.len();
    assert!(near(&answer.shifts, opened.predicted().row(0)));
    assert!(near(&answer.spread.unwrap().of_genes, &spread) && genes == spread.len());
    assert_eq!(members[0].predict(&Intervention::knock_out(name.split('+')), &Silent).unwrap().spread, None);

    let network = opened.network();
    let best = &network.edges()[0];
    let probability = |model: &TrainedModel| {
        let network = model.network();
        let edge = network.edge(best.regulator, best.target).unwrap();
        (edge.probability, edge.rank)
    };
    let of_members = members.each_ref().map(probability);
    let mean = of_members.iter().map(|(probability, _)| probability).sum::<f32>() / 3.0;
    assert!((best.probability - mean).abs() < 1e-6);
    let kept = of_members.iter().filter(|(_, rank)| *rank <= 5).count();
    let agreement = Agreement::of(network, &network.edges()[..5]).unwrap();
    assert_eq!((agreement.members(), agreement.kept(), agreement.keeping(best)), (3, 5, kept));
}

#[test]
fn what_is_no_ensemble_is_refused_with_the_reason() {
    let config = small_config(1);
    let screen = small_screen(&config);
    let model = |member: Option<u32>, seed: u64, epochs: u32| {
        let mut config = TrainConfig { member, seed, ..config.clone() };
        config.model.epochs = epochs;
        train(&screen, &config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap()
    };
    let both = |a: TrainedModel, b: TrainedModel| merge(vec![("a".into(), a), ("b".into(), b)], &Silent).unwrap_err();
    let first = || model(Some(1), 3, 1);
    assert!(matches!(merge(vec![("a".into(), first())], &Silent), Err(MergeError::TooFew { count: 1 })));
    assert!(matches!(both(first(), first()), MergeError::Twice { member: 1, .. }));
    assert!(matches!(both(first(), model(None, 3, 1)), MergeError::NoMember { .. }));
    let seeds = both(first(), model(Some(2), 4, 1)).to_string();
    assert!(seeds.contains("their seeds are 3 and 4"), "{seeds}");
    let settings = both(first(), model(Some(2), 3, 2)).to_string();
    assert!(settings.contains("their settings differ"), "{settings}");
}

#[test]
fn an_ensemble_goes_on_with_the_member_that_was_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let config = TrainConfig { members: Some(3), ..small_config(3) };
    let screen = small_screen(&config);
    let files = |resume: bool| RunFiles {
        model: folder.path().join("model.safetensors"),
        every: std::time::Duration::ZERO,
        resume,
    };
    let run =
        |files: &RunFiles, watcher: &Watcher| train_members(&screen, &config, DeviceChoice::Cpu, Some(files), watcher);
    // In the second epoch of the second member.
    let cancelled = run(&files(false), &Watcher { cancel_after: 4, ..Watcher::default() });
    assert!(matches!(cancelled, Err(TrainError::Cancelled(_))));
    let left = files(false).left(Some(3));
    let name = |number: u32, ending: &str| folder.path().join(format!("model.member-{number}.safetensors{ending}"));
    assert_eq!(left, [name(1, ""), name(2, ".checkpoint")]);
    let watcher = Watcher::default();
    let resumed = run(&files(true), &watcher).unwrap();
    assert_eq!(watcher.snapshots.load(Ordering::Relaxed), 2 + 3, "what was done is not done again");
    let whole = train_members(&screen, &config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap();
    assert!(resumed.to_bytes().unwrap() == whole.to_bytes().unwrap());
    files(true).remove(Some(3)).unwrap();
    assert!(files(true).left(Some(3)).is_empty());

    // Stopped in the third: the two that are whole are the ensemble.
    let stopped = run(&files(false), &Watcher { stop_after: 7, ..Watcher::default() }).unwrap();
    assert_eq!(stopped.card().members.iter().map(|run| run.member).collect::<Vec<_>>(), [1, 2]);
    // Stopped in the first: a model, of its best epoch.
    let stopped = run(&files(false), &Watcher { stop_after: 1, ..Watcher::default() }).unwrap();
    assert_eq!((stopped.member_count(), stopped.card().history.len()), (1, 1));

    let mut longer = config.clone();
    longer.model.epochs = 4;
    let error = train_members(&screen, &longer, DeviceChoice::Cpu, Some(&files(true)), &Watcher::default());
    let Err(TrainError::Checkpoint(CheckpointError::OtherRun { difference, .. })) = error else { panic!() };
    assert!(difference.contains("at most 3 epochs"), "{difference}");
}

#[test]
fn edges_have_false_discovery_rates_where_they_can_be_tested() {
    let mut config = small_config(1);
    let screen = small_screen(&config);
    let trained = |config: &TrainConfig| train(&screen, config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap();
    let model = trained(&config);
    let network = model.network();
    assert!(network.has_false_discovery_rates());
    for edge in network.edges() {
        let perturbed = network.gene(edge.regulator).perturbed_cells > 0;
        assert_eq!(edge.false_discovery_rate.is_some(), perturbed, "{edge:?}");
        let place = edge.regulator.0 as usize * network.genes().len() + edge.target.0 as usize;
        let kept = model.false_discovery_rates().unwrap()[place];
        assert_eq!(edge.false_discovery_rate, Some(kept).filter(|rate| !rate.is_nan()));
    }
    let strongest = |edge: &&Edge| edge.false_discovery_rate.is_some_and(|rate| rate <= 0.1);
    assert!(network.edges().iter().any(|edge| strongest(&edge)), "something is found");
    let opened = TrainedModel::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!(opened.network().edges(), network.edges());
    assert!(paragraph(&opened, None).contains("measured after 50 shuffles of the labels"));

    // Of the shifts of single cells there is no null, and learning is the same without tests.
    config.model.null_shuffles = 0;
    let without = trained(&config);
    assert!(!paragraph(&without, None).contains("shuffle"));
    assert!(without.false_discovery_rates().is_none() && !without.network().has_false_discovery_rates());
    let untested = |edge: &Edge| Edge { false_discovery_rate: None, ..*edge };
    assert!(network.edges().iter().map(untested).eq(without.network().edges().iter().copied()));
    config.model.null_shuffles = 5;
    config.model.alignment = Alignment::Cells;
    let cells = trained(&config);
    assert!(cells.false_discovery_rates().is_none());
    assert!(!TrainedModel::from_bytes(&cells.to_bytes().unwrap()).unwrap().network().has_false_discovery_rates());
}

#[test]
fn true_edges_come_first_in_a_network_that_follows_direct_shifts() {
    let simulated = simulate(&SimulateConfig::small(), &Silent).unwrap();
    let mean_rank = |alignment: Alignment| {
        let mut config = small_config(2);
        config.model.alignment = alignment;
        let screen = small_screen(&config);
        let model = train(&screen, &config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap();
        let network = model.network();
        let rank = |edge: &TrueEdge| {
            let perturbed = network.find(&edge.regulator).filter(|gene| network.gene(*gene).perturbed_cells > 0)?;
            Some(network.edge(perturbed, network.find(&edge.target)?)?.rank)
        };
        let ranks: Vec<u32> = simulated.truth.edges().iter().filter_map(rank).collect();
        assert!(ranks.len() > 5, "{} true edges lie between perturbed genes", ranks.len());
        let mean = ranks.iter().sum::<u32>() as f64 / ranks.len() as f64;
        mean / network.edges().len() as f64
    };
    let (direct, cells) = (mean_rank(Alignment::DirectShifts), mean_rank(Alignment::Cells));
    assert!(direct < 0.25 && direct < cells, "mean rank of true edges, as a share: {direct:.2}, {cells:.2}");
}

#[test]
fn parameters_are_averaged_over_epochs_where_that_is_asked_for() {
    let logits = |epochs: u32, averaging: f64| {
        let mut config = small_config(epochs);
        config.model.averaging = averaging;
        let model = train(&small_screen(&config), &config, DeviceChoice::Cpu, None, &Watcher::default()).unwrap();
        let network = model.network();
        let of = |edge: &Edge| (network.symbol(edge.regulator).to_owned(), network.symbol(edge.target).to_owned());
        let edges = network.edges().iter().map(|edge| (of(edge), edge.probability));
        edges.collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!(logits(1, 5.0), logits(1, 0.0), "of one epoch there is nothing to average");
    // So short an average is the last epoch; a longer one is not.
    assert_eq!(logits(3, 0.01), logits(3, 0.0));
    assert_ne!(logits(3, 5.0), logits(3, 0.0));
}
