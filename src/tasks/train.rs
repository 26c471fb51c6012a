//! Prepare a screen and train on it.

use std::sync::Arc;

use crate::data::Dataset;
use crate::jobs::Progress;
use crate::models::{TrainConfig, TrainedModel};
use crate::preprocess::prepare;
use crate::training::{self, Checkpoints, DeviceChoice, TrainError, TrainingObserver};

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
    let progress: &dyn Progress = observer;
    progress.stage("Preparing the cells", None);
    let screen = prepare(dataset, &config.prepare, config.seed, progress)?;
    progress.check()?;
    training::train(&screen, config, device, checkpoints, observer)
}
