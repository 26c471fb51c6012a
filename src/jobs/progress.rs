//! Where long work reports and asks whether to go on.

use thiserror::Error;

/// How far the work is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProgressUpdate {
    /// What is being done: `Matching cells to controls`.
    pub stage: String,
    /// Share done, 0 to 1; none when it cannot be known.
    pub fraction: Option<f32>,
}

/// The user cancelled.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("cancelled")]
pub struct Cancelled;

/// Handed to everything that can take over a second. Call [`Progress::check`] at least every 0.1 s.
pub trait Progress: Sync {
    /// Tell how far the work is.
    fn report(&self, update: ProgressUpdate);

    /// Whether the user wants it ended and its result discarded.
    fn is_cancelled(&self) -> bool;

    /// Whether the user wants it ended, its result kept or not.
    fn should_stop(&self) -> bool;

    /// Report `stage` with `fraction` done.
    fn stage(&self, stage: &str, fraction: Option<f32>) {
        self.report(ProgressUpdate { stage: stage.to_owned(), fraction });
    }

    /// An error if cancelled: `progress.check()?` ends the work.
    fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

/// Reports to nobody and never ends: for tests and short work.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _: ProgressUpdate) {}

    fn is_cancelled(&self) -> bool {
        false
    }

    fn should_stop(&self) -> bool {
        false
    }
}
