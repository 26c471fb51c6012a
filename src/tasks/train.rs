//! Prepare a screen and train on it.

use std::sync::Arc;

use crate::data::Dataset;
use crate::jobs::Progress;
use crate::models::{TrainConfig, TrainedModel};
use crate::preprocess::{PreparedScreen, prepare};
use crate::training::{self, DeviceChoice, RunFiles, TrainError, TrainingObserver};

/// Prepare `dataset` and train a model, or an ensemble where `config.members` asks for one; the observer is told of stages,
/// device, epochs and snapshots.
///
/// # Errors
/// See [`TrainError`].
pub fn train(
    dataset: &Arc<Dataset>,
    config: &TrainConfig,
    device: DeviceChoice,
    files: Option<&RunFiles>,
    observer: &dyn TrainingObserver,
) -> Result<TrainedModel, TrainError> {
    let screen = prepared(dataset, config, observer)?;
    match config.members {
        Some(_) => training::train_members(&screen, config, device, files, observer),
        None => {
            let checkpoints = files.map(RunFiles::checkpoints);
            training::train(&screen, config, device, checkpoints.as_ref(), observer)
        }
    }
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
