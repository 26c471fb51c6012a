//! Where a command writes: results to stdout, progress to stderr.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{Common, interrupt};
use crate::jobs::{Progress, ProgressUpdate};
use crate::models::EpochMetrics;
use crate::training::{NetworkSnapshot, TrainingObserver};

/// Steps of a bar whose length is a share.
const STEPS: u64 = 1000;

/// What a command writes to.
pub(super) struct Console {
    json: bool,
    quiet: bool,
    verbose: bool,
    /// Once a training run has a best epoch, the first Ctrl-C asks to stop, not to cancel.
    stoppable: bool,
    /// Drawn on a terminal only.
    bar: Option<ProgressBar>,
    state: Mutex<State>,
}

struct State {
    stage: String,
    started: Instant,
    told_stop: bool,
    /// Of a training run: epochs at most, and the best so far.
    epochs: u32,
    best: Option<(u32, f64)>,
    /// Of an ensemble: the number of the member under way, of how many.
    member: Option<(u32, u32)>,
}

impl State {
    /// The best epoch after this one, and the number of all.
    fn seen(&mut self, metrics: &EpochMetrics) -> (Option<(u32, f64)>, u32) {
        let total = metrics.validation.total;
        if total.is_finite() && self.best.is_none_or(|(_, best)| total < best) {
            self.best = Some((metrics.epoch, total));
        }
        (self.best, self.epochs)
    }
}

impl Console {
    pub(super) fn new(common: &Common, stoppable: bool) -> Self {
        let bar = (!common.quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(STEPS);
            bar.set_style(spinner());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        let (stage, started) = (String::new(), Instant::now());
        let state = State { stage, started, told_stop: false, epochs: 0, best: None, member: None };
        Self {
            json: common.json,
            quiet: common.quiet,
            verbose: common.verbose,
            stoppable,
            bar,
            state: Mutex::new(state),
        }
    }

    /// Print a result: JSON if that is wanted, else `text`.
    pub(super) fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string_pretty(value)? } else { text() };
        self.print(&text)
    }

    /// Print `text` to stdout, ending with a line break.
    pub(super) fn print(&self, text: &str) -> anyhow::Result<()> {
        let write = || {
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes())?;
            if !text.ends_with('\n') {
                out.write_all(b"\n")?;
            }
            out.flush()
        };
        Ok(self.beside_bar(write)?)
    }

    /// Tell something to stderr, unless quiet.
    pub(super) fn tell(&self, text: &str) {
        if !self.quiet {
            // Where stderr is closed there is nobody to tell.
            let _ = self.beside_bar(|| writeln!(std::io::stderr(), "{text}"));
        }
    }

    /// Tell it only where more is to be told.
    pub(super) fn detail(&self, text: &str) {
        if self.verbose {
            self.tell(text);
        }
    }

    /// How many epochs a training run has at most.
    pub(super) fn expect_epochs(&self, epochs: u32) {
        self.lock().epochs = epochs;
    }

    /// Take the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn beside_bar<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg}").expect("the template is fixed")
}

fn measured() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg} {wide_bar} {percent:>3} %")
        .expect("the template is fixed")
        .progress_chars("━╸─")
}

impl Progress for Console {
    fn report(&self, update: ProgressUpdate) {
        let new_stage = {
            let mut state = self.lock();
            let new = state.stage != update.stage;
            state.stage.clone_from(&update.stage);
            new
        };
        if let Some(bar) = &self.bar {
            match update.fraction {
                Some(fraction) => {
                    bar.set_style(measured());
                    bar.set_position((fraction.clamp(0.0, 1.0) * STEPS as f32) as u64);
                }
                None => bar.set_style(spinner()),
            }
            bar.set_message(update.stage);
        } else if new_stage && self.verbose && !update.stage.is_empty() {
            let seconds = self.lock().started.elapsed().as_secs_f32();
            self.tell(&format!("[{seconds:6.1} s] {}", update.stage));
        }
    }

    fn is_cancelled(&self) -> bool {
        let keeps_something = self.stoppable && {
            let state = self.lock();
            state.best.is_some() || state.member.is_some_and(|(number, _)| number > 1)
        };
        interrupt::count() > u32::from(keeps_something)
    }

    fn should_stop(&self) -> bool {
        let stop = interrupt::count() > 0;
        if stop && self.stoppable && !std::mem::replace(&mut self.lock().told_stop, true) {
            let member = self.lock().member;
            self.tell(match member {
                Some((number, _)) if number > 1 => {
                    "Stopping; the members that are trained are kept. Ctrl-C again ends at once, --resume goes on later"
                }
                _ => "Stopping; the best epoch so far is kept. Ctrl-C again discards the training",
            });
        }
        stop
    }
}

impl TrainingObserver for Console {
    fn device(&self, detail: &str) {
        self.tell(&format!("Training on {detail}"));
    }

    fn member(&self, number: u32, of: u32) {
        {
            let mut state = self.lock();
            (state.member, state.best) = (Some((number, of)), None);
        }
        self.tell(&format!("Member {number} of {of}"));
    }

    fn resumed(&self, history: &[EpochMetrics]) {
        history.iter().for_each(|metrics| _ = self.lock().seen(metrics));
        self.tell(&format!("Going on after epoch {}", history.last().map_or(0, |metrics| metrics.epoch)));
    }

    fn epoch(&self, metrics: EpochMetrics) {
        let (best, epochs) = self.lock().seen(&metrics);
        let best_epoch = best.map_or("none".to_owned(), |(epoch, _)| epoch.to_string());
        let (training, validation) = (metrics.training.total, metrics.validation.total);
        let line = format!(
            "Epoch {}/{epochs}  loss {training:.2}  validation {validation:.2}  best {best_epoch}  {:.1} s, {:.0} cells/s",
            metrics.epoch, metrics.seconds, metrics.cells_per_second
        );
        if let Some(bar) = &self.bar {
            bar.set_style(measured());
            bar.set_position(u64::from(metrics.epoch) * STEPS / u64::from(epochs.max(1)));
            bar.set_message(line);
        } else if self.verbose || metrics.epoch == 1 || metrics.epoch.is_multiple_of(10) || metrics.epoch == epochs {
            self.tell(&line);
        }
    }

    fn snapshot(&self, _: NetworkSnapshot) {}
}
