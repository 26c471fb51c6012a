//! A training run on disk: enough to go on as if it had never ended.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use candle_core::{Device, Tensor};
use safetensors::tensor::SafeTensors;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::files;
use crate::models::gpo_vae::GpoVae;
use crate::models::nn::adam::AdamState;
use crate::models::tensor_file::{self, Numbers};
use crate::models::{ModelCard, TrainConfig};

const KEY: &str = "grn-explorer-checkpoint";
/// Version of the layout.
const FORMAT: u32 = 1;
const PARAMETER: &str = "parameter.";
const BEST: &str = "best.";
const AVERAGED: &str = "averaged.";
const MOMENTS: [&str; 2] = ["first-moment.", "second-moment."];

/// Where and how often a run is kept, and whether it goes on from what is there.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    /// The file.
    pub path: PathBuf,
    /// It is written at the end of an epoch, when this much time has passed since it last was.
    pub every: Duration,
    /// Go on from the file where there is one.
    pub resume: bool,
}

/// Why a run cannot be kept, or cannot go on.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The operating system said no.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is of another kind, or broken.
    #[error("{} is no checkpoint that this program can go on from: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The file is of another run.
    #[error("{} is of another run: {difference}", path.display())]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// What differs.
        difference: String,
    },
}

/// A run after a whole number of epochs.
pub(super) struct Saved {
    pub card: ModelCard,
    pub epoch: u32,
    pub parameters: BTreeMap<String, Tensor>,
    pub best: BTreeMap<String, Tensor>,
    pub averaged: Option<BTreeMap<String, Tensor>>,
    pub optimiser: AdamState,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    epoch: u32,
    steps: i32,
    card: ModelCard,
}

impl Checkpoints {
    /// Keep `saved`, whole or not at all.
    pub(super) fn write(&self, saved: &Saved) -> Result<(), CheckpointError> {
        let io = |error| CheckpointError::Io { path: self.path.clone(), error };
        files::write_whole(&self.path, |file| write(saved, file)).map_err(io)
    }

    /// What there is to go on from, for the run that `card` describes; none where nothing is wanted or there.
    pub(super) fn read(&self, card: &ModelCard) -> Result<Option<Saved>, CheckpointError> {
        if !self.resume {
            return Ok(None);
        }
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(CheckpointError::Io { path: self.path.clone(), error }),
        };
        let broken = |reason| CheckpointError::Broken { path: self.path.clone(), reason };
        let saved = from_bytes(&bytes).map_err(broken)?;
        if let Some(difference) = difference(&saved.card, card) {
            return Err(CheckpointError::OtherRun { path: self.path.clone(), difference });
        }
        Ok(Some(saved))
    }
}

/// What keeps a run from going on as another, in words.
pub(super) fn difference(before: &ModelCard, now: &ModelCard) -> Option<String> {
    if before.program_version != now.program_version {
        return Some(format!("version {} wrote it, this is {}", before.program_version, now.program_version));
    }
    if before.dataset.hash != now.dataset.hash {
        return Some(format!("it was trained on {}, whose content differs", before.dataset.name));
    }
    let comparable = |settings: &TrainConfig| {
        let mut settings = settings.clone();
        (settings.model.epochs, settings.model.patience) = (0, 0);
        serde_json::to_value(&settings).ok()
    };
    if let (Some(before), Some(now)) = (&before.prior_network, &now.prior_network)
        && before.hash != now.hash
    {
        return Some(format!("it started from the network {}, and the content of {} differs", before.name, now.name));
    }
    let (before, now) = (comparable(&before.settings)?, comparable(&now.settings)?);
    first_difference("", &before, &now)
}

/// The first entry in which two values differ: its name, and both.
fn first_difference(name: &str, before: &serde_json::Value, now: &serde_json::Value) -> Option<String> {
    if let (Some(before), Some(now)) = (before.as_object(), now.as_object()) {
        let keys: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        let of =
            |map: &serde_json::Map<String, serde_json::Value>, key: &str| map.get(key).cloned().unwrap_or_default();
        return keys.into_iter().find_map(|key| first_difference(key, &of(before, key), &of(now, key)));
    }
    let shown = |value: &serde_json::Value| if value.is_null() { "not set".to_owned() } else { value.to_string() };
    (before != now).then(|| format!("{name} was {} and is now {}", shown(before), shown(now)))
}

fn write(saved: &Saved, file: &mut impl Write) -> std::io::Result<()> {
    let mut entries = Vec::new();
    let averaged = saved.averaged.iter().map(|averaged| (AVERAGED, averaged));
    for (prefix, tensors) in [(PARAMETER, &saved.parameters), (BEST, &saved.best)].into_iter().chain(averaged) {
        entries.extend(tensors.iter().map(|(name, tensor)| (format!("{prefix}{name}"), Numbers::Tensor(tensor))));
    }
    for (name, both) in &saved.optimiser.moments {
        let both = MOMENTS.iter().zip(both);
        entries.extend(both.map(|(prefix, moments)| (format!("{prefix}{name}"), Numbers::List(moments))));
    }
    let (epoch, steps, card) = (saved.epoch, saved.optimiser.steps, saved.card.clone());
    let text = serde_json::to_string(&Header { format: FORMAT, epoch, steps, card }).map_err(std::io::Error::other)?;
    tensor_file::write(file, &entries, KEY, &text)
}

fn from_bytes(bytes: &[u8]) -> Result<Saved, String> {
    let cut = |error: safetensors::SafeTensorError| format!("it is not whole, or of another kind ({error})");
    let tensors = SafeTensors::deserialize(bytes).map_err(cut)?;
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(cut)?;
    let text = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
    let text = text.ok_or("it lacks the entry of a checkpoint")?;
    let header: Header = serde_json::from_str(text).map_err(|error| format!("its description is broken: {error}"))?;
    if header.format != FORMAT {
        return Err(format!("it has format {}, this program writes {FORMAT}", header.format));
    }
    let (mut parameters, mut best, mut averaged) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut moments: BTreeMap<String, [Vec<f32>; 2]> = BTreeMap::new();
    for (name, view) in tensors.iter() {
        let values = tensor_file::f32_values(&view, name)?;
        if let Some((which, name)) =
            MOMENTS.iter().enumerate().find_map(|(which, prefix)| Some((which, name.strip_prefix(prefix)?)))
        {
            moments.entry(name.to_owned()).or_default()[which] = values;
            continue;
        }
        let tensor = Tensor::from_vec(values, view.shape(), &Device::Cpu).map_err(|error| error.to_string())?;
        if let Some(name) = name.strip_prefix(PARAMETER) {
            parameters.insert(name.to_owned(), tensor);
        } else if let Some(name) = name.strip_prefix(BEST) {
            best.insert(name.to_owned(), tensor);
        } else if let Some(name) = name.strip_prefix(AVERAGED) {
            averaged.insert(name.to_owned(), tensor);
        }
    }
    let averaged = Some(averaged).filter(|averaged| !averaged.is_empty());
    let optimiser = AdamState { steps: header.steps, moments };
    Ok(Saved { card: header.card, epoch: header.epoch, parameters, best, averaged, optimiser })
}

/// The parameters of `model` on the processor.
pub(super) fn on_processor(model: &GpoVae) -> candle_core::Result<BTreeMap<String, Tensor>> {
    let snapshot = model.parameters().snapshot()?;
    snapshot.into_iter().map(|(name, value)| Ok((name, value.to_device(&Device::Cpu)?))).collect()
}
