//! The members of an ensemble, one after the other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::checkpoint::difference;
use super::run::{Prepared, train_on};
use super::{CheckpointError, Checkpoints, DeviceChoice, STOPPED, TrainError, TrainingObserver};
use crate::models::{MergeError, ModelError, TrainConfig, TrainedModel, merge};
use crate::preprocess::PreparedScreen;

/// Where a run is kept as it goes, beside the file of its model, so that an interruption loses little.
#[derive(Clone, Debug)]
pub struct RunFiles {
    /// The file of the model or ensemble.
    pub model: PathBuf,
    /// Between checkpoints.
    pub every: Duration,
    /// Go on from what is there.
    pub resume: bool,
}

impl RunFiles {
    /// The checkpoints of a single model: `NAME.safetensors.checkpoint`.
    pub fn checkpoints(&self) -> Checkpoints {
        self.checkpoints_of(&self.model)
    }

    /// The file of a member of an ensemble that is trained to its end: `NAME.member-3.safetensors` of `NAME.safetensors`.
    pub fn member(&self, member: u32) -> PathBuf {
        let ending = self.model.extension().and_then(|ending| ending.to_str()).unwrap_or("safetensors");
        self.model.with_extension(format!("member-{member}.{ending}"))
    }

    fn checkpoints_of(&self, model: &Path) -> Checkpoints {
        Checkpoints { path: model.with_added_extension("checkpoint"), every: self.every, resume: self.resume }
    }

    /// The files that are there, of an ensemble of so many members or of a single model.
    pub fn left(&self, members: Option<u32>) -> Vec<PathBuf> {
        let of_member = |member| [self.member(member), self.checkpoints_of(&self.member(member)).path];
        let all: Vec<PathBuf> = match members {
            Some(count) => (1..=count).flat_map(of_member).collect(),
            None => vec![self.checkpoints().path],
        };
        all.into_iter().filter(|path| path.exists()).collect()
    }

    /// Take them away: the model is written.
    ///
    /// # Errors
    /// The operating system's, with the file that it is about.
    pub fn remove(&self, members: Option<u32>) -> Result<(), (PathBuf, std::io::Error)> {
        self.left(members).into_iter().try_for_each(|path| std::fs::remove_file(&path).map_err(|error| (path, error)))
    }
}

/// Train the members of an ensemble (`config.members`, at least 2) and join them. The result is that of [`super::train`] for each member and
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
    device: DeviceChoice,
    files: Option<&RunFiles>,
    observer: &dyn TrainingObserver,
) -> Result<TrainedModel, TrainError> {
    let count = config.members.unwrap_or(0);
    if count < 2 {
        return Err(TrainError::Setting { problem: "members must be at least 2".to_owned() });
    }
    let prepared = Prepared::new(screen, config, device, observer)?;
    let mut members: Vec<(PathBuf, TrainedModel)> = Vec::new();
    let mut stopped = None;
    for member in 1..=count {
        observer.member(member, count);
        let config = TrainConfig { member: Some(member), members: None, ..config.clone() };
        let kept = files.map(|files| {
            let path = files.member(member);
            (path.clone(), files.checkpoints_of(&path), files.resume)
        });
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
        _ => merge(members, observer).map_err(|error| match error {
            MergeError::Cancelled(cancelled) => TrainError::Cancelled(cancelled),
            other => other.into(),
        }),
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
