//! One loop for every model: device, seeds, events, early stopping.

mod batches;
mod checkpoint;
mod device;
mod direct;
mod ensemble;
mod importance;
mod known;
mod observed;
mod run;
mod steps;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::jobs::{Cancelled, JobContext, Progress};
use crate::models::{EpochMetrics, MergeError, ModelError};
use crate::network::Grn;
use crate::preprocess::PrepareError;

pub use checkpoint::{CheckpointError, Checkpoints};
pub use direct::false_discovery_rates;
pub use ensemble::{RunFiles, train_members};
pub use importance::{CellBounds, importance_bounds};
pub use run::train;

/// How the words begin that say why a run ended, where the user stopped it.
pub const STOPPED: &str = "stopped by the user";

/// Where to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceChoice {
    /// The best there is: CUDA, then Metal, then the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
    /// An Apple GPU.
    Metal,
}

impl DeviceChoice {
    /// Whether this choice computes on the processor, as far as can be told without opening a device.
    pub fn is_processor(self) -> bool {
        match self {
            Self::Cpu => true,
            Self::Cuda | Self::Metal => false,
            Self::Auto => !candle_core::utils::cuda_is_available() && !candle_core::utils::metal_is_available(),
        }
    }

    /// Whether it computes on an NVIDIA GPU, as far as that can be told.
    pub fn is_cuda(self) -> bool {
        match self {
            Self::Cuda => true,
            Self::Cpu | Self::Metal => false,
            Self::Auto => candle_core::utils::cuda_is_available(),
        }
    }
}

/// The network as it stands during training.
#[derive(Clone, Debug)]
pub struct NetworkSnapshot {
    /// After this epoch.
    pub epoch: u32,
    /// The best edges so far.
    pub network: Arc<Grn>,
}

/// Who watches a training run.
pub trait TrainingObserver: Progress {
    /// The device was chosen; `detail` names it and, after a fall-back, says why.
    fn device(&self, detail: &str);
    /// The training of a member of an ensemble begins: its number, of how many.
    fn member(&self, number: u32, of: u32);
    /// The run goes on after these epochs.
    fn resumed(&self, history: &[EpochMetrics]);
    /// An epoch ended.
    fn epoch(&self, metrics: EpochMetrics);
    /// The network as it stands.
    fn snapshot(&self, snapshot: NetworkSnapshot);
}

/// What a training job sends while it runs.
#[derive(Clone, Debug)]
pub enum TrainingEvent {
    /// The device in use, in words.
    Device(String),
    /// The training of a member of an ensemble begins: its number, of how many.
    Member(u32, u32),
    /// An epoch ended.
    Epoch(EpochMetrics),
}

impl TrainingObserver for JobContext<TrainingEvent, NetworkSnapshot> {
    fn device(&self, detail: &str) {
        self.metric(TrainingEvent::Device(detail.to_owned()));
    }

    fn member(&self, number: u32, of: u32) {
        self.metric(TrainingEvent::Member(number, of));
    }

    fn resumed(&self, history: &[EpochMetrics]) {
        history.iter().for_each(|metrics| self.epoch(*metrics));
    }

    fn epoch(&self, metrics: EpochMetrics) {
        self.metric(TrainingEvent::Epoch(metrics));
    }

    fn snapshot(&self, snapshot: NetworkSnapshot) {
        self.preview(snapshot);
    }
}

/// Why there is no trained model.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The user cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The data cannot be prepared; never [`PrepareError::Cancelled`].
    #[error(transparent)]
    Prepare(PrepareError),
    /// The device asked for is not there.
    #[error("{reason}")]
    Device {
        /// Why, and what to do.
        reason: String,
    },
    /// The network known beforehand cannot be taken.
    #[error("the network {} cannot be taken to start from: {reason}", path.display())]
    PriorNetwork {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// A setting is wrong.
    #[error("{problem}")]
    Setting {
        /// Which, and what it must be.
        problem: String,
    },
    /// The loss became infinite or not a number before one epoch was done.
    #[error(
        "training diverged in epoch {epoch}: the loss is not a number; lower the learning rate (now {learning_rate})"
    )]
    Diverged {
        /// The epoch.
        epoch: u32,
        /// The setting to change.
        learning_rate: f64,
    },
    /// The model could not be built.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The run cannot be kept, or cannot go on.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The members do not form an ensemble.
    #[error(transparent)]
    Merge(#[from] MergeError),
}

impl From<PrepareError> for TrainError {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            other => Self::Prepare(other),
        }
    }
}
