//! What a file would be read as: answered in the background while choices change.

use std::path::PathBuf;
use std::sync::Arc;

use super::exporting::Exporting;
use super::{Work, file_name};
use crate::app::findings::FoundPreview;
use crate::app::state::{Severity, State};
use crate::data::ImportOptions;
use crate::jobs::{Job, Outcome};
use crate::tasks::{import_choices, open};

impl Work {
    /// Look at `path` with `options`; a question that is not answered yet is dropped.
    pub(in crate::app) fn preview(&mut self, path: PathBuf, options: ImportOptions, state: &mut State) {
        let asked = Some((path.clone(), options.clone()));
        if state.runtime.preview.asked == asked {
            return;
        }
        state.runtime.preview.asked = asked;
        self.previewing = Some(Job::spawn("preview", self.wake(), move |progress| {
            let result = open::preview(&path, &options, progress).map_err(|error| format!("{error:#}"));
            let by_rules = match &result {
                Ok(_) => None,
                Err(_) => open::preview(&path, &ImportOptions::default(), progress).ok(),
            };
            anyhow::Ok(FoundPreview { path, options, result, by_rules })
        }));
    }

    pub(super) fn poll_previewing(&mut self, state: &mut State) {
        let Some(outcome) = self.previewing.as_mut().and_then(Job::poll) else { return };
        self.previewing = None;
        match outcome {
            Outcome::Finished(found) => state.runtime.preview.found = Some(Arc::new(found)),
            Outcome::Cancelled => {}
            Outcome::Failed { message, .. } => {
                state.runtime.tell(Severity::Error, "The file cannot be looked at", message, "");
            }
        }
    }

    /// Write how the open data set is read to `path`.
    pub(in crate::app) fn save_choices(&mut self, path: PathBuf, state: &State) {
        let Some(file) = &state.document.sources.dataset else { return };
        let (data, options, target) = (file.path.clone(), state.document.sources.import.clone(), path.clone());
        let named = if path.extension().is_some() { target } else { target.with_file_name(file_name(&path) + ".toml") };
        let job = Job::spawn("exporting", self.wake(), move |progress| {
            let preview = open::preview(&data, &options, progress)?;
            import_choices::write(&named, &import_choices::settled(&options, &preview), &data)
        });
        self.exporting.push(Exporting { path, job });
    }
}
