//! Prepare a screen and train on it.

use std::sync::Arc;

use crate::data::Dataset;
use crate::jobs::Progress;
use crate::models::{TrainConfig, TrainedModel};
use crate::preprocess::prepare;
use crate::training::{self, DeviceChoice, TrainError, TrainingObserver};

/// Prepare `dataset` and train; the observer is told of stages, device, epochs and snapshots.
///
/// # Errors
/// See [`TrainError`].
pub fn train(
    dataset: &Arc<Dataset>,
    config: &TrainConfig,
    device: DeviceChoice,
    observer: &dyn TrainingObserver,
) -> Result<TrainedModel, TrainError> {
    let progress: &dyn Progress = observer;
    progress.stage("Preparing the cells", None);
    let screen = prepare(dataset, &config.prepare, config.seed, progress)?;
    progress.check()?;
    training::train(&screen, config, device, observer)
}

/// What the user can do about `error`, in a sentence.
pub fn remedy(error: &TrainError) -> &'static str {
    use crate::preprocess::PrepareError;
    match error {
        TrainError::Cancelled(_) => "",
        TrainError::Prepare(PrepareError::NotCounts { .. }) => "Choose the matrix with raw counts on the data page",
        TrainError::Prepare(PrepareError::NoControls) => "Name the control label on the data page",
        TrainError::Prepare(PrepareError::NoPerturbations { .. }) => {
            "Lower the least number of cells per perturbation, or check the perturbation column on the data page"
        }
        TrainError::Prepare(_) => "Check the settings of the preparation",
        TrainError::Device { .. } => "Choose another device, or let the program choose",
        TrainError::Diverged { .. } => "Lower the learning rate, to a third for a start",
        TrainError::Setting { .. } | TrainError::Model(_) => "Check the settings of the model",
    }
}
