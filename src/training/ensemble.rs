//! The members of an ensemble, one after the other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::checkpoint::difference;
use super::run::{Prepared, train_on};
use super::{CheckpointError, Checkpoints, DeviceChoice, STOPPED, TrainError, TrainingObserver, device, observed};
use crate::models::{ModelError, TrainConfig, TrainedModel, merge};
use crate::preprocess::PreparedScreen;

/// Where members are kept until all are trained, so that an interruption loses no more than one of them in part.
#[derive(Clone, Debug)]
pub struct MemberFiles {
    /// The file of the ensemble; those of its members stand beside it.
    pub ensemble: PathBuf,
    /// Between checkpoints of a member under way.
    pub every: Duration,
    /// Take the members that are there, and go on with the one that was under way.
    pub resume: bool,
}

impl MemberFiles {
    /// The file of a member: `NAME.member-3.safetensors` of `NAME.safetensors`.
    pub fn of(&self, member: u32) -> PathBuf {
        let ending = self.ensemble.extension().and_then(|ending| ending.to_str()).unwrap_or("safetensors");
        self.ensemble.with_extension(format!("member-{member}.{ending}"))
    }

    fn checkpoints(&self, member: u32) -> Checkpoints {
        let path = self.of(member).with_added_extension("checkpoint");
        Checkpoints { path, every: self.every, resume: self.resume }
    }

    /// The files of the first `count` members that are there, whole or under way.
    pub fn left(&self, count: u32) -> Vec<PathBuf> {
        let both = |member| [self.of(member), self.checkpoints(member).path];
        (1..=count).flat_map(both).filter(|path| path.exists()).collect()
    }

    /// Take them away: the ensemble is written.
    ///
    /// # Errors
    /// The operating system's, with the file that it is about.
    pub fn remove(&self, count: u32) -> Result<(), (PathBuf, std::io::Error)> {
        self.left(count).into_iter().try_for_each(|path| std::fs::remove_file(&path).map_err(|error| (path, error)))
    }
}

/// Train `count` members of an ensemble, at least 2, and join them. The result is that of [`super::train`] for each member and
/// [`merge`], to the bit on the processor.
///
/// Stop ends after the current batch and joins the members that were trained to their end; where there is none, or one, that
/// one is the result, a single model. Cancel returns [`TrainError::Cancelled`]; what is in `files` stays.
///
/// # Errors
/// See [`super::train`].
pub fn train_members(
    screen: &PreparedScreen,
    config: &TrainConfig,
    count: u32,
    device: DeviceChoice,
    files: Option<&MemberFiles>,
    observer: &dyn TrainingObserver,
) -> Result<TrainedModel, TrainError> {
    let (device, detail) = device::choose(device)?;
    observer.device(&detail);
    let observed = observed::observe(screen, observer)?;
    let prepared = Prepared { screen, device: &device, observed: &observed };
    let mut members: Vec<(PathBuf, TrainedModel)> = Vec::new();
    let mut stopped = None;
    for member in 1..=count {
        observer.member(member, count);
        let config = TrainConfig { member: Some(member), ..config.clone() };
        let kept = files.map(|files| (files.of(member), files.checkpoints(member), files.resume));
        if let Some((path, _, true)) = &kept
            && let Some(model) = finished(path, &prepared, &config)?
        {
            observer.resumed(&model.card().history);
            members.push((path.clone(), model));
            continue;
        }
        let model = train_on(&prepared, &config, kept.as_ref().map(|(_, checkpoints, _)| checkpoints), observer)?;
        if model.card().ended.starts_with(STOPPED) {
            stopped = Some(model);
            break;
        }
        let path = match kept {
            Some((path, checkpoints, _)) => {
                let io = |error| CheckpointError::Io { path: path.clone(), error };
                match model.save(&path) {
                    Err(ModelError::Io(error)) => return Err(io(error).into()),
                    other => other?,
                }
                if checkpoints.path.exists() {
                    std::fs::remove_file(&checkpoints.path).map_err(io)?;
                }
                path
            }
            None => PathBuf::from(format!("member {member}")),
        };
        members.push((path, model));
    }
    match (members.len(), stopped) {
        // The first member was stopped: its best epoch is what there is.
        (0, Some(model)) => Ok(model),
        (1, _) => Ok(members.remove(0).1),
        _ => Ok(merge(members)?),
    }
}

/// The model in the file of a member that was trained to its end before, if it is the one wanted.
fn finished(path: &Path, prepared: &Prepared<'_>, config: &TrainConfig) -> Result<Option<TrainedModel>, TrainError> {
    if !path.exists() {
        return Ok(None);
    }
    let broken = |error: ModelError| CheckpointError::Broken { path: path.to_owned(), reason: error.to_string() };
    let model = TrainedModel::open(path).map_err(broken)?;
    let settings = &model.card().settings.model;
    let difference = difference(model.card(), &prepared.card(config)).or_else(|| {
        // A run that goes on may have more epochs than before; a member is at its end.
        (*settings != config.model).then(|| {
            format!(
                "it was trained for at most {} epochs with a patience of {}, not {} and {}",
                settings.epochs, settings.patience, config.model.epochs, config.model.patience
            )
        })
    });
    match difference {
        Some(difference) => Err(CheckpointError::OtherRun { path: path.to_owned(), difference }.into()),
        None => Ok(Some(model)),
    }
}
