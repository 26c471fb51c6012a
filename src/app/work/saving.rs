//! Saving sessions and models.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use super::{DEFECT, Work, file_name};
use crate::app::action::Action;
use crate::app::attached::Attachment;
use crate::app::state::{Severity, State};
use crate::document::{ComparedWith, Document, FileReference};
use crate::jobs::{Job, Outcome, Progress};
use crate::models::TrainedModel;
use crate::session;
use crate::tasks::open;

/// What was written.
pub(super) struct Saved {
    /// The document as it is in the session's file.
    session: Option<(PathBuf, Document)>,
    /// The model's file.
    model: Option<(Arc<TrainedModel>, FileReference)>,
    /// The file of the model before, which the document compares with.
    before: Option<FileReference>,
}

/// Something being saved.
pub(super) struct Saving {
    path: PathBuf,
    pub(super) job: Job<Saved>,
}

impl Saving {
    pub(super) fn title(&self) -> String {
        format!("Saving {}", file_name(&self.path))
    }
}

impl Work {
    /// Save the session to `path`; a model that is in no file yet is saved beside it.
    pub(in crate::app) fn save_session(&mut self, path: PathBuf, state: &State) {
        let path = with_extension(path, session::EXTENSION);
        let mut document = state.document.clone();
        let model = state.runtime.model.clone().filter(|_| state.runtime.model_unsaved);
        // What is compared with goes along, if it is in no file yet.
        let before = match &document.comparing {
            Some(comparing) if comparing.with == ComparedWith::Before && document.sources.before.is_none() => {
                state.runtime.attached.before.as_ref().and_then(|before| before.model.clone())
            }
            _ => None,
        };
        let target = path.clone();
        let job = Job::spawn("saving", self.wake(), move |progress| {
            let mut saved = Saved { session: None, model: None, before: None };
            if let Some(before) = before {
                let reference = write_model(&before, &beside(&target, "-before"), progress)?;
                document.sources.before = Some(reference.clone());
                saved.before = Some(reference);
            }
            if let Some(model) = model {
                let reference = write_model(&model, &beside(&target, ""), progress)?;
                document.sources.model = Some(reference.clone());
                saved.model = Some((model, reference));
            }
            session::save(&document, &target)?;
            saved.session = Some((target, document));
            anyhow::Ok(saved)
        });
        self.saving.push(Saving { path, job });
    }

    /// Save the model to `path`.
    pub(in crate::app) fn save_model(&mut self, path: PathBuf, state: &State) {
        let Some(model) = state.runtime.model.clone() else { return };
        let path = with_extension(path, "safetensors");
        let target = path.clone();
        let job = Job::spawn("saving", self.wake(), move |progress| {
            let reference = write_model(&model, &target, progress)?;
            anyhow::Ok(Saved { session: None, model: Some((model, reference)), before: None })
        });
        self.saving.push(Saving { path, job });
    }

    pub(super) fn poll_saving(&mut self, state: &mut State, actions: &mut Vec<Action>) {
        let mut ended = Vec::new();
        self.saving.retain_mut(|saving| match saving.job.poll() {
            Some(outcome) => {
                ended.push((saving.path.clone(), outcome));
                false
            }
            None => true,
        });
        for (path, outcome) in ended {
            match outcome {
                Outcome::Finished(saved) => {
                    if let Some(before) = &saved.before {
                        self.attaching.take(Attachment::Before, Some(before));
                    }
                    apply(saved, state);
                    state.runtime.tell(Severity::Done, format!("{} saved", file_name(&path)), "", "");
                    if state.unsaved().is_none()
                        && let Some(then) = state.runtime.after_saving.take()
                    {
                        actions.push(Action::Discard(then));
                    }
                }
                Outcome::Cancelled => {}
                Outcome::Failed { message, panicked } => {
                    state.runtime.after_saving = None;
                    let title = format!("{} cannot be saved", file_name(&path));
                    let remedy = if panicked { DEFECT } else { "Save it in another folder, or free some space" };
                    state.runtime.tell(Severity::Error, title, message, remedy);
                }
            }
        }
    }
}

fn apply(saved: Saved, state: &mut State) {
    if let Some((model, reference)) = saved.model
        && state.runtime.model.as_ref().is_some_and(|open| Arc::ptr_eq(open, &model))
    {
        state.document.sources.model = Some(reference);
        state.runtime.model_unsaved = false;
    }
    if saved.before.is_some() {
        state.document.sources.before = saved.before;
    }
    if let Some((path, mut document)) = saved.session {
        document.settle_as(&state.document);
        state.runtime.session_path = Some(path.clone());
        state.runtime.saved_document = Some(document);
        let recent = &mut state.view.preferences.recent;
        recent.retain(|other| *other != path);
        recent.insert(0, path);
    }
}

fn write_model(model: &TrainedModel, path: &Path, progress: &dyn Progress) -> anyhow::Result<FileReference> {
    progress.stage("Writing the model", None);
    model.save(path).with_context(|| format!("the model {}", path.display()))?;
    open::model_reference(path)
}

/// `mine.grn.json` → `mine.safetensors`, or `mine-2.safetensors` if that exists; `ending` stands behind the name.
fn beside(session: &Path, ending: &str) -> PathBuf {
    let name = file_name(session);
    let stem = name.strip_suffix(&format!(".{}", session::EXTENSION)).unwrap_or(&name);
    let stem = format!("{stem}{ending}");
    let candidate = |number: u32| match number {
        1 => session.with_file_name(format!("{stem}.safetensors")),
        number => session.with_file_name(format!("{stem}-{number}.safetensors")),
    };
    (1..).map(candidate).find(|path| !path.exists()).unwrap_or_else(|| candidate(1))
}

/// `path` with `extension` unless it has it.
fn with_extension(path: PathBuf, extension: &str) -> PathBuf {
    if file_name(&path).ends_with(&format!(".{extension}")) {
        return path;
    }
    let name = format!("{}.{extension}", file_name(&path));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_added_once() {
        assert_eq!(with_extension("a/b".into(), "grn.json"), Path::new("a/b.grn.json"));
        assert_eq!(with_extension("a/b.grn.json".into(), "grn.json"), Path::new("a/b.grn.json"));
        assert_eq!(with_extension("a/v1.2".into(), "safetensors"), Path::new("a/v1.2.safetensors"));
    }

    #[test]
    fn the_model_beside_a_session_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let session = folder.path().join("mine.grn.json");
        assert_eq!(beside(&session, ""), folder.path().join("mine.safetensors"));
        std::fs::write(folder.path().join("mine.safetensors"), "").unwrap();
        assert_eq!(beside(&session, ""), folder.path().join("mine-2.safetensors"));
        assert_eq!(beside(&session, "-before"), folder.path().join("mine-before.safetensors"));
    }
}
