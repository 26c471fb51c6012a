//! Where long work reports and asks whether to go on.

use std::ops::Range;
use std::time::{Duration, Instant};

use thiserror::Error;

/// How soon paused work learns that it may go on.
const PAUSE: Duration = Duration::from_millis(20);

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

    /// Whether the user wants it to wait.
    fn is_paused(&self) -> bool {
        false
    }

    /// Wait while paused, until it is to go on or to end. Gives the time waited.
    fn wait_while_paused(&self) -> Duration {
        let begun = Instant::now();
        while self.is_paused() && !self.should_stop() {
            std::thread::sleep(PAUSE);
        }
        begun.elapsed()
    }

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

/// A part of longer work: what is reported to it fills the given part of the whole bar.
pub struct Part<'a> {
    whole: &'a dyn Progress,
    stage: Option<&'a str>,
    share: Range<f32>,
}

impl<'a> Part<'a> {
    /// The part `share` (within 0 to 1) of `whole`, under the names of its own stages.
    pub fn new(whole: &'a dyn Progress, share: Range<f32>) -> Self {
        Self { whole, stage: None, share }
    }

    /// The same under one name.
    pub fn named(whole: &'a dyn Progress, stage: &'a str, share: Range<f32>) -> Self {
        Self { whole, stage: Some(stage), share }
    }
}

impl Progress for Part<'_> {
    fn report(&self, update: ProgressUpdate) {
        let Range { start, end } = self.share;
        let fraction = start + (end - start) * update.fraction.unwrap_or(0.0);
        self.whole.stage(self.stage.unwrap_or(&update.stage), Some(fraction));
    }

    fn is_cancelled(&self) -> bool {
        self.whole.is_cancelled()
    }

    fn should_stop(&self) -> bool {
        self.whole.should_stop()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Told(Mutex<Vec<ProgressUpdate>>);

    impl Progress for Told {
        fn report(&self, update: ProgressUpdate) {
            self.0.lock().unwrap().push(update);
        }

        fn is_cancelled(&self) -> bool {
            true
        }

        fn should_stop(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_part_fills_its_share_and_hears_the_user() {
        let told = Told::default();
        let part = Part::named(&told, "Reading", 0.5..1.0);
        part.stage("inner", Some(0.5));
        Part::new(&part, 0.0..0.5).stage("innermost", None);
        Part::new(&told, 0.2..0.4).stage("own", Some(1.0));
        assert!(part.check().is_err() && !part.should_stop());
        let told: Vec<(String, Option<f32>)> =
            told.0.into_inner().unwrap().into_iter().map(|update| (update.stage, update.fraction)).collect();
        let stage = |name: &str, fraction| (name.to_owned(), Some(fraction));
        assert_eq!(told, [stage("Reading", 0.75), stage("Reading", 0.5), stage("own", 0.4)]);
    }
}
