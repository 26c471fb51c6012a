//! `train`: a model from a data set.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::console::Console;
use super::failure::UsageError;
use super::import::{self, ImportArgs, named};
use super::memory;
use super::output;
use super::text::number;
use crate::data::ImportOptions;
use crate::models::gpo_vae::{GpoVaeConfig, Preset};
use crate::models::{PriorNetwork, TrainConfig};
use crate::preprocess::PrepareConfig;
use crate::tasks;
use crate::tasks::import_choices::Decisions;
use crate::training::{DeviceChoice, RunFiles, STOPPED};
use crate::words::counted;

/// Train a model on a data set.
#[derive(Debug, Args)]
pub struct Train {
    /// Screen (.h5ad, 10x .h5, matrix.mtx or its folder, .csv, .tsv)
    dataset: PathBuf,
    /// Model to write
    #[arg(short, long, value_name = "MODEL.safetensors")]
    output: PathBuf,
    /// Settings file (TOML): preset, device, seed, members, and the tables import, prepare, model, prior_network; options go
    /// before it
    #[arg(long, value_name = "TOML")]
    config: Option<PathBuf>,
    /// Settings to start from: our default, or as published for a data set
    #[arg(long, value_parser = ["default", "adamson", "k562", "rpe1"])]
    preset: Option<String>,
    /// Any setting of the model, such as mask=probabilities, sum_mode=true, input=standardise, prediction_samples=2500; may be
    /// given several times (a wrong name lists all)
    #[arg(long, value_name = "SETTING=VALUE")]
    set: Vec<String>,
    /// Network known beforehand, from which the learned one starts (a table of edges, SIF, GraphML, GEXF, CX2, DOT, JSON)
    #[arg(long, value_name = "FILE")]
    prior_network: Option<PathBuf>,
    /// Epochs at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Epochs without improvement before training ends
    #[arg(long, value_name = "N")]
    patience: Option<u32>,
    /// Seed: the same seed on the processor gives the same model
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Train an ensemble of N members, each with its own draws and on cells drawn again within every perturbation
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..), conflicts_with = "member")]
    members: Option<u32>,
    /// Train only member K of an ensemble, from 1; merge joins members of one seed and the same settings
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    member: Option<u32>,
    /// Where to compute
    #[arg(long, value_parser = ["auto", "cpu", "cuda", "metal"])]
    device: Option<String>,
    /// Go on with a run that was interrupted, from MODEL.checkpoint, where there is one; the result is that of a run that was not
    #[arg(long)]
    resume: bool,
    /// Seconds between checkpoints, which are written at the end of an epoch; 0 for one after each
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    checkpoint_every: u64,
    /// Learning rate
    #[arg(long, value_name = "X")]
    learning_rate: Option<f64>,
    /// Cells per batch
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    /// Perturbation to keep whole from the training; may be given several times
    #[arg(long, value_name = "NAME")]
    hold_out: Vec<String>,
    /// Only perturbations whose genes were all measured
    #[arg(long)]
    measured_targets_only: bool,
    /// Leave out perturbations with fewer cells
    #[arg(long, value_name = "N")]
    minimum_cells: Option<usize>,
    /// Share of cells never used in training
    #[arg(long, value_name = "SHARE")]
    test_share: Option<f64>,
    /// What the test is to show: unseen cells, perturbations, combinations, or genes with all that hits them
    #[arg(long, value_parser = ["cells", "perturbations", "combinations", "genes"])]
    split: Option<String>,
    /// Share of the perturbations, combinations or genes that --split keeps whole from the training
    #[arg(long, value_name = "SHARE")]
    held_out_share: Option<f64>,
    /// How a control cell is found for every cell
    #[arg(long, value_parser = ["sinkhorn", "wasserstein", "hungarian"])]
    matching: Option<String>,
    /// Look for doublets; they fail quality control
    #[arg(long)]
    doublets: bool,
    /// Leave out cells whose target's count is above the 10th percentile of control cells
    #[arg(long)]
    require_knock_down: bool,
    /// Leave out perturbations whose target falls by less than this share
    #[arg(long, value_name = "SHARE")]
    minimum_knock_down: Option<f64>,
    /// Leave out perturbations that change fewer genes
    #[arg(long, value_name = "N")]
    minimum_changed_genes: Option<usize>,
    /// All of CausalBench's filters: 26 cells, 51 changed genes, knock-down by 30 % and in every cell, 101 cells left
    #[arg(long)]
    causal_bench_filters: bool,
    /// Train also where the memory that is free will not do by the estimate
    #[arg(long)]
    ignore_memory: bool,
    /// How to read the data set.
    #[command(flatten)]
    import: ImportArgs,
}

/// The settings file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TrainFile {
    preset: Option<Preset>,
    device: Option<DeviceChoice>,
    seed: Option<u64>,
    members: Option<u32>,
    import: ImportOptions,
    prior_network: Option<PriorNetwork>,
    prepare: toml::Table,
    model: toml::Table,
}

struct Settings {
    config: TrainConfig,
    device: DeviceChoice,
    import: Decisions,
}

impl Train {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        let Settings { config, device, import } = self.settings()?;
        if let Some(problem) = config.model.problem() {
            return Err(UsageError(problem).into());
        }
        output::check(&self.output)?;
        output::distinct(&self.output, &[&self.dataset])?;
        let dataset = import::dataset(&self.dataset, &import, console)?;
        memory::check(&dataset, &config, device, self.ignore_memory, console)?;
        console.expect_epochs(config.model.epochs);
        let started = Instant::now();
        let files = RunFiles {
            model: self.output.clone(),
            every: Duration::from_secs(self.checkpoint_every),
            resume: self.resume,
        };
        if let Some(path) = files.left(config.members).first().filter(|_| !self.resume) {
            console.tell(&format!(
                "{} is of a run that did not end; this one begins anew (--resume would go on with it)",
                path.display()
            ));
        }
        let model = tasks::train::train(&dataset, &config, device, Some(&files), console)
            .with_context(|| format!("cannot train on {}", self.dataset.display()))?;
        model.save(&self.output).with_context(|| format!("cannot write {}", self.output.display()))?;
        // What they were good for is done. A run that was stopped may still go on.
        if model.card().settings.members == config.members && !model.card().ended.starts_with(STOPPED) {
            files.remove(config.members).map_err(|(path, error)| {
                anyhow::Error::new(error).context(format!("cannot remove {}", path.display()))
            })?;
        }
        let seconds = started.elapsed().as_secs_f64();

        let card = model.card();
        let best = card.history.iter().find(|epoch| epoch.epoch == card.best_epoch);
        let validation = best.map(|epoch| epoch.validation.total);
        let result = json!({
            "output": self.output,
            "dataset": self.dataset,
            "dataset_hash": card.dataset.hash,
            "epochs": card.history.len(),
            "best_epoch": card.best_epoch,
            "best_validation_loss": validation,
            "ended": card.ended,
            "seconds": seconds,
            "genes": card.genes.len(),
            "treatments": card.treatments.len(),
            "edges": model.network().edges().len(),
            "members": model.member_count(),
            "prior_network": card.prior_network,
            "differs_from_paper": card.differs_from_paper,
            "settings": card.settings,
        });
        console.result(&result, || {
            if model.member_count() > 1 {
                return format!("Wrote {} in {seconds:.0} s: {}", self.output.display(), card.ended);
            }
            format!(
                "Wrote {} after {} in {seconds:.0} s: the best epoch is {} (validation loss {}); {}",
                self.output.display(),
                counted(card.history.len(), "epoch"),
                card.best_epoch,
                number(validation, 2),
                card.ended
            )
        })
    }

    /// Preset, then settings file, then options.
    fn settings(&self) -> anyhow::Result<Settings> {
        let file = self.config.as_deref().map(read_settings).transpose()?.unwrap_or_default();
        let preset = self.preset.as_deref().map(named).or(file.preset).unwrap_or_default();
        let shown = self.config.as_deref().unwrap_or(Path::new("")).display();
        let wrong = |table: &str, error: serde_json::Error| UsageError(format!("{shown}: [{table}] {error}"));
        let base = GpoVaeConfig::preset(preset);
        let model = merged(&base, file.model).map_err(|error| wrong("model", error))?;
        let model = merged(&model, self.set()?).map_err(|error| UsageError(format!("--set: {error}")))?;
        let prepare = merged(&TrainConfig::default().prepare, file.prepare).map_err(|error| wrong("prepare", error))?;
        let mut config = TrainConfig {
            seed: file.seed.unwrap_or_default(),
            member: self.member,
            // One member is no ensemble.
            members: self.members.or(file.members).filter(|_| self.member.is_none()),
            prepare,
            model,
            prior_network: self.prior_network(file.prior_network)?,
        };
        if let Some(seed) = self.seed {
            config.seed = seed;
        }
        if let Some(epochs) = self.epochs {
            config.model.epochs = epochs;
        }
        if let Some(patience) = self.patience {
            config.model.patience = patience;
        }
        if let Some(rate) = self.learning_rate {
            config.model.learning_rate = rate;
        }
        if let Some(size) = self.batch_size {
            config.model.batch_size = size;
        }
        self.over_prepare(&mut config.prepare)?;
        if let Some(problem) = config.prepare.problem() {
            return Err(UsageError(format!("{shown}: [prepare] {problem}")).into());
        }
        let device = self.device.as_deref().map(named).or(file.device).unwrap_or_default();
        Ok(Settings { config, device, import: self.import.decide(&self.dataset, file.import)? })
    }

    /// What `--set` gives.
    fn set(&self) -> anyhow::Result<toml::Table> {
        let mut settings = toml::Table::new();
        for given in &self.set {
            let Some((name, value)) = given.split_once('=') else {
                return Err(UsageError(format!("--set {given}: expected SETTING=VALUE")).into());
            };
            // Words need no quotes.
            let read = |text: &str| text.parse::<toml::Table>().ok()?.remove("value");
            let word = || toml::Value::String(value.trim().to_owned());
            settings.insert(name.trim().replace('-', "_"), read(&format!("value = {value}")).unwrap_or_else(word));
        }
        Ok(settings)
    }

    /// The network known beforehand: the option's file with the other settings of the settings file. A file that the settings
    /// file names lies beside it.
    fn prior_network(&self, of_file: Option<PriorNetwork>) -> anyhow::Result<Option<PriorNetwork>> {
        let beside = |file: &Path| self.config.as_deref().and_then(Path::parent).map(|folder| folder.join(file));
        let network = match (&self.prior_network, of_file) {
            (Some(file), Some(settings)) => Some(PriorNetwork { file: file.clone(), ..settings }),
            (Some(file), None) => Some(PriorNetwork::new(file)),
            (None, Some(settings)) => {
                Some(PriorNetwork { file: beside(&settings.file).unwrap_or(settings.file.clone()), ..settings })
            }
            (None, None) => None,
        };
        match network.as_ref().and_then(PriorNetwork::problem) {
            Some(problem) => Err(UsageError(problem).into()),
            None => Ok(network),
        }
    }

    /// The options of the preparation.
    fn over_prepare(&self, prepare: &mut PrepareConfig) -> anyhow::Result<()> {
        if self.causal_bench_filters {
            *prepare = std::mem::take(prepare).with_causal_bench_filters();
        }
        for (name, share, setting) in [
            ("--test-share", self.test_share, &mut prepare.test_share),
            ("--held-out-share", self.held_out_share, &mut prepare.held_out_share),
            ("--minimum-knock-down", self.minimum_knock_down, &mut prepare.minimum_knock_down),
        ] {
            let Some(share) = share else { continue };
            if !(0.0..1.0).contains(&share) {
                return Err(UsageError(format!("{name} is {share}, but must be at least 0 and below 1")).into());
            }
            *setting = share;
        }
        prepare.minimum_cells = self.minimum_cells.unwrap_or(prepare.minimum_cells);
        prepare.minimum_changed_genes = self.minimum_changed_genes.unwrap_or(prepare.minimum_changed_genes);
        prepare.split = self.split.as_deref().map_or(prepare.split, named);
        prepare.matching = self.matching.as_deref().map_or(prepare.matching, named);
        prepare.doublets |= self.doublets;
        prepare.require_knock_down |= self.require_knock_down;
        prepare.measured_targets_only |= self.measured_targets_only;
        if !self.hold_out.is_empty() {
            prepare.held_out_perturbations.clone_from(&self.hold_out);
        }
        Ok(())
    }
}

fn read_settings(path: &Path) -> anyhow::Result<TrainFile> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    Ok(toml::from_str(&text).map_err(|error| UsageError(format!("{shown}: {error}")))?)
}

/// `base` with the entries of `over`; an entry that `base` does not know is an error.
fn merged<T: serde::Serialize + serde::de::DeserializeOwned>(
    base: &T,
    over: toml::Table,
) -> Result<T, serde_json::Error> {
    // By way of JSON, which has a value for "none": a table would lose it, and the default come in its place.
    let mut settings = serde_json::to_value(base)?;
    for (name, value) in over {
        settings[&name] = serde_json::to_value(value)?;
    }
    serde_json::from_value(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Arguments, Command};
    use crate::models::gpo_vae::{InputScale, MaskParameters};
    use crate::preprocess::SplitBy;
    use crate::preprocess::control_matching::Matching;
    use clap::Parser as _;

    fn settings(arguments: &[&str], file: Option<&str>) -> anyhow::Result<Settings> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("train.toml");
        let mut all = vec!["grn-explorer", "train", "screen.h5ad", "-o", "model.safetensors"];
        all.extend(arguments);
        if let Some(text) = file {
            std::fs::write(&config, text).unwrap();
            all.extend(["--config", config.to_str().unwrap()]);
        }
        match Arguments::try_parse_from(all)?.command {
            Some(Command::Train(train)) => train.settings(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_go_before_the_file_and_the_file_before_the_preset() {
        let file = "preset = \"k562\"\nseed = 5\n[model]\nepochs = 40\nhops = 2\n[prepare]\nminimum_cells = 3\n\
                    [import]\nperturbation_column = \"gene\"\ncontrol_labels = [\"NT\"]\n";
        let found = settings(&["--epochs", "7", "--control", "ctrl", "--hold-out", "JAK2"], Some(file)).unwrap();
        assert_eq!((found.config.model.epochs, found.config.model.hops), (7, 2));
        assert_eq!(found.config.model.lambda, GpoVaeConfig::preset(Preset::K562).lambda);
        assert_eq!((found.config.seed, found.config.prepare.minimum_cells), (5, 3));
        assert_eq!(found.config.prepare.held_out_perturbations, ["JAK2"]);
        assert_eq!(found.import.options.perturbation_column.as_deref(), Some("gene"));
        assert_eq!(found.import.options.control_labels, ["ctrl"]);
        assert_eq!(settings(&["--device", "cpu"], None).unwrap().device, DeviceChoice::Cpu);
    }

    #[test]
    fn the_network_known_beforehand_is_named_by_the_option_or_beside_the_settings() {
        let file = "[prior_network]\nfile = \"known.sif\"\nlisted = 0.8\nas_prior = true\n";
        let found = settings(&[], Some(file)).unwrap().config.prior_network.unwrap();
        assert!(found.file.is_absolute() && found.name() == "known.sif", "{found:?}");
        assert_eq!((found.listed, found.unlisted, found.as_prior), (0.8, None, true));
        let found = settings(&["--prior-network", "other.tsv"], Some(file)).unwrap().config.prior_network.unwrap();
        assert_eq!((found.file, found.listed), (PathBuf::from("other.tsv"), 0.8));
        let found = settings(&["--prior-network", "other.tsv"], None).unwrap().config.prior_network;
        assert_eq!(found, Some(PriorNetwork::new("other.tsv")));
        assert_eq!(settings(&[], None).unwrap().config.prior_network, None);
        let error = settings(&[], Some("[prior_network]\nfile = \"known.sif\"\nlisted = 8\n")).map(|_| ()).unwrap_err();
        assert!(error.is::<UsageError>() && error.to_string().contains("between 0 and 1"), "{error:#}");
    }

    #[test]
    fn any_setting_of_the_model_can_be_given() {
        let options =
            ["--set", "mask=probabilities", "--set", "sum-mode=true", "--set", "gamma = 7.5", "--epochs", "4"];
        let found = settings(&options, Some("[model]\ngamma = 3.0\nhops = 2\n")).unwrap().config.model;
        assert_eq!((found.mask, found.sum_mode), (MaskParameters::Probabilities, true));
        assert_eq!((found.gamma, found.hops, found.epochs), (7.5, 2, 4));
        for (given, expected) in [("mask", "SETTING=VALUE"), ("masc=1", "mask_temperature"), ("hops=many", "many")] {
            let error = settings(&["--set", given], None).map(|_| ()).unwrap_err();
            assert!(error.is::<UsageError>() && error.to_string().contains(expected), "{given}: {error:#}");
        }
    }

    #[test]
    fn a_preset_is_what_it_says_to_the_last_setting() {
        let presets = [
            ("default", Preset::Default),
            ("adamson", Preset::Adamson),
            ("k562", Preset::K562),
            ("rpe1", Preset::Rpe1),
        ];
        for (name, preset) in presets {
            assert_eq!(
                settings(&["--preset", name], None).unwrap().config.model,
                GpoVaeConfig::preset(preset),
                "{name}"
            );
        }
        let file = "preset = \"rpe1\"\n[model]\nmask = \"probabilities\"\nsum_mode = true\ninput = \"standardise\"\n";
        let found = settings(&[], Some(file)).unwrap().config.model;
        let expected = GpoVaeConfig {
            mask: MaskParameters::Probabilities,
            sum_mode: true,
            input: InputScale::Standardise,
            ..GpoVaeConfig::preset(Preset::Rpe1)
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn the_preparation_can_be_chosen_by_options_and_by_the_file() {
        let options = [
            "--split",
            "genes",
            "--held-out-share",
            "0.3",
            "--matching",
            "hungarian",
            "--doublets",
            "--causal-bench-filters",
            "--minimum-cells",
            "40",
        ];
        let prepare = settings(&options, None).unwrap().config.prepare;
        assert_eq!((prepare.split, prepare.held_out_share), (SplitBy::Genes, 0.3));
        assert_eq!((prepare.matching, prepare.doublets), (Matching::Hungarian, true));
        assert_eq!((prepare.minimum_cells_before, prepare.minimum_changed_genes, prepare.minimum_cells), (26, 51, 40));
        let file = "[prepare]\nsplit = \"combinations\"\nmatching = \"wasserstein\"\nminimum_knock_down = 0.5\n";
        let prepare = settings(&["--minimum-knock-down", "0.2"], Some(file)).unwrap().config.prepare;
        assert_eq!((prepare.split, prepare.matching), (SplitBy::Combinations, Matching::Wasserstein));
        assert_eq!(prepare.minimum_knock_down, 0.2);
        for (arguments, file) in
            [(&["--held-out-share", "1.5"][..], None), (&[], Some("[prepare]\nheld_out_share = -1\n"))]
        {
            let error = settings(arguments, file).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains("must be at least 0 and below 1"), "{error:#}");
        }
    }

    #[test]
    fn what_the_file_says_wrongly_is_told() {
        for (file, expected) in [
            ("epoch = 3", "epoch"),
            ("[model]\nepoch = 3", "epoch"),
            ("[model]\nepochs = \"many\"", "many"),
            ("a b", "train.toml"),
        ] {
            let error = settings(&[], Some(file)).map(|_| ()).unwrap_err();
            assert!(error.is::<UsageError>(), "{error:#}");
            assert!(error.to_string().contains(expected), "{error:#}");
        }
    }
}
