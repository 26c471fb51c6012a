//! Prepare a screen and train on it.

use std::sync::Arc;

use crate::data::Dataset;
use crate::jobs::Progress;
use crate::models::{TrainConfig, TrainedModel};
use crate::preprocess::{PreparedScreen, prepare};
use crate::training::{self, Checkpoints, DeviceChoice, MemberFiles, TrainError, TrainingObserver};

/// Prepare `dataset` and train; the observer is told of stages, device, epochs and snapshots.
///
/// # Errors
/// See [`TrainError`].
pub fn train(
    dataset: &Arc<Dataset>,
    config: &TrainConfig,
    device: DeviceChoice,
    checkpoints: Option<&Checkpoints>,
    observer: &dyn TrainingObserver,
) -> Result<TrainedModel, TrainError> {
    let screen = prepared(dataset, config, observer)?;
    training::train(&screen, config, device, checkpoints, observer)
}

/// Prepare `dataset` and train `count` members of an ensemble, one after the other; see [`training::train_members`].
///
/// # Errors
/// See [`TrainError`].
pub fn train_members(
    dataset: &Arc<Dataset>,
    config: &TrainConfig,
    count: u32,
    device: DeviceChoice,
    files: Option<&MemberFiles>,
    observer: &dyn TrainingObserver,
) -> Result<TrainedModel, TrainError> {
    let screen = prepared(dataset, config, observer)?;
    training::train_members(&screen, config, count, device, files, observer)
}

fn prepared(
    dataset: &Arc<Dataset>,
    config: &TrainConfig,
    progress: &dyn Progress,
) -> Result<PreparedScreen, TrainError> {
    progress.stage("Preparing the cells", None);
    let screen = prepare(dataset, &config.prepare, config.seed, progress)?;
    progress.check()?;
    Ok(screen)
}
