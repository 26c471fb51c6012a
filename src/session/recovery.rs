//! What a window keeps while it runs, so that nothing is lost if it ends without being closed.
//!
//! Every window has a folder of its own with the session, what belongs to it ([`About`]) and, if it is in no file yet, the
//! model. It holds a lock on the folder: one that is there without a lock belongs to a program that crashed or was killed.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{EXTENSION, SessionError, load, save};
use crate::document::Document;
use crate::files;

const LOCK: &str = "lock";
const ABOUT: &str = "about.json";
const SESSION: &str = "session";
const MODEL: &str = "model.safetensors";
/// What the files of a training run begin with.
const RUN: &str = "run.";

/// The folder with the folders of all windows.
#[derive(Clone, Debug)]
pub struct Recovery {
    root: PathBuf,
}

/// The folder of one window, locked for as long as this lives.
#[derive(Debug)]
pub struct Slot {
    folder: PathBuf,
    // Held, never read.
    _lock: File,
}

/// What the session does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// What was open, for people.
    pub name: String,
    /// The file of the session, if it has one.
    pub session: Option<PathBuf>,
    /// The model was in no file yet: it lies in the slot.
    pub model_unsaved: bool,
    /// A training run was under way: its checkpoints lie in the slot.
    #[serde(default)]
    pub run: bool,
    /// When it was written, in seconds since 1970.
    pub written: u64,
}

/// Work that was not saved.
#[derive(Debug)]
pub struct Lost {
    /// Where it lies.
    pub slot: Arc<Slot>,
    /// What it is.
    pub about: About,
}

impl Recovery {
    /// Everything lies below `root`, which need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// A folder for this window.
    pub fn claim(&self) -> io::Result<Slot> {
        let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let folder = self.root.join(format!("{}-{moment}", std::process::id()));
        fs::create_dir_all(&folder)?;
        lock(&folder)?.ok_or_else(|| io::Error::other("another program holds the folder"))
    }

    /// What programs left that were not closed, the newest first. Folders without anything are removed.
    pub fn lost(&self) -> Vec<Lost> {
        let Ok(entries) = fs::read_dir(&self.root) else { return Vec::new() };
        let mut lost: Vec<Lost> = Vec::new();
        for folder in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
            let Ok(Some(slot)) = lock(&folder) else { continue };
            match slot.about() {
                Some(about) if slot.session().is_file() => lost.push(Lost { slot: Arc::new(slot), about }),
                _ => slot.remove(),
            }
        }
        lost.sort_by(|a, b| b.about.written.cmp(&a.about.written).then_with(|| a.slot.folder.cmp(&b.slot.folder)));
        lost
    }
}

/// The folder, if nobody else holds it.
fn lock(folder: &Path) -> io::Result<Option<Slot>> {
    let file = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Slot { folder: folder.to_owned(), _lock: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl About {
    /// Of what is written now.
    pub fn now(name: String, session: Option<PathBuf>, model_unsaved: bool, run: bool) -> Self {
        let written = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { name, session, model_unsaved, run, written }
    }

    /// Seconds since it was written.
    pub fn age(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().saturating_sub(self.written)
    }
}

impl Slot {
    /// The session's file.
    pub fn session(&self) -> PathBuf {
        self.folder.join(format!("{SESSION}.{EXTENSION}"))
    }

    /// Where a model goes that is in no file yet.
    pub fn model(&self) -> PathBuf {
        self.folder.join(MODEL)
    }

    /// Beside which file the checkpoints of a training run go.
    pub fn run(&self) -> PathBuf {
        self.folder.join(format!("{RUN}safetensors"))
    }

    /// The files of a training run that lie here.
    fn run_files(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let of_run = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(RUN);
        entries.flatten().filter(of_run).map(|entry| entry.path()).collect()
    }

    /// Whether there is a checkpoint of a training run to go on from.
    pub fn has_run(&self) -> bool {
        !self.run_files().is_empty()
    }

    /// Keep nothing of a training run any more.
    pub fn clear_run(&self) {
        // What is not there need not go.
        self.run_files().iter().for_each(|path| _ = fs::remove_file(path));
    }

    fn about(&self) -> Option<About> {
        serde_json::from_str(&fs::read_to_string(self.folder.join(ABOUT)).ok()?).ok()
    }

    /// Keep `document`.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn write(&self, document: &Document, about: &About) -> Result<(), SessionError> {
        let text = serde_json::to_string_pretty(about).map_err(io::Error::other)?;
        files::write_whole::<SessionError>(&self.folder.join(ABOUT), |file| Ok(file.write_all(text.as_bytes())?))?;
        save(document, &self.session())
    }

    /// What was kept.
    ///
    /// # Errors
    /// As [`load`].
    pub fn read(&self) -> Result<Document, SessionError> {
        load(&self.session())
    }

    /// Keep nothing any more, but stay.
    pub fn clear(&self) {
        for path in [self.session(), self.folder.join(ABOUT), self.model()] {
            // What is not there need not go.
            let _ = fs::remove_file(path);
        }
        self.clear_run();
    }

    /// Remove the folder; while others hold it, only what is in it.
    pub fn remove_shared(slot: Arc<Self>) {
        match Arc::try_unwrap(slot) {
            Ok(slot) => slot.remove(),
            Err(slot) => slot.clear(),
        }
    }

    fn remove(self) {
        let Self { folder, _lock: lock } = self;
        drop(lock);
        // What cannot be removed is offered again at the next start.
        let _ = fs::remove_dir_all(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::NoteSubject;

    fn about(name: &str, written: u64) -> About {
        About { name: name.to_owned(), session: None, model_unsaved: false, run: false, written }
    }

    #[test]
    fn what_was_not_closed_is_found_and_what_runs_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let recovery = Recovery::new(root.path().join("recovery"));
        assert!(recovery.lost().is_empty());
        let mut document = Document::default();
        document.notes.write(NoteSubject::Session, "STAT1 first");
        let running = recovery.claim().unwrap();
        running.write(&document, &about("running", 3)).unwrap();
        let crashed = recovery.claim().unwrap();
        crashed.write(&document, &about("crashed", 1)).unwrap();
        drop(crashed);
        let later = recovery.claim().unwrap();
        later.write(&document, &about("later", 2)).unwrap();
        drop(later);
        // Claimed, and nothing written before the end.
        drop(recovery.claim().unwrap());

        let mut lost = recovery.lost();
        assert_eq!(lost.iter().map(|lost| lost.about.name.as_str()).collect::<Vec<_>>(), ["later", "crashed"]);
        assert!(recovery.lost().is_empty(), "whoever found them first has them");
        let crashed = lost.pop().unwrap();
        assert_eq!(crashed.slot.read().unwrap(), document);
        Slot::remove_shared(crashed.slot);
        drop(lost);
        assert_eq!(recovery.lost().len(), 1);
        running.clear();
        drop(running);
        assert_eq!(recovery.lost().len(), 1, "cleared is as good as closed");
        assert_eq!(fs::read_dir(root.path().join("recovery")).unwrap().count(), 1);
    }

    #[test]
    fn damaged_leftovers_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let recovery = Recovery::new(root.path());
        let slot = recovery.claim().unwrap();
        slot.write(&Document::default(), &about("x", 1)).unwrap();
        fs::write(slot.folder.join(ABOUT), "{").unwrap();
        drop(slot);
        assert!(recovery.lost().is_empty());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
