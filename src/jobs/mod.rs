//! Background work: a thread with a handle, progress, Stop, Cancel and caught panics.
//!
//! A job owns its input. Three lanes lead back: the latest progress (older ones are dropped), every metric in order,
//! and the latest preview. Stop asks the work to end early and keep what it has; Cancel asks it to end and discard.
//! This module knows nothing of genes or windows.

mod progress;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub use progress::{Cancelled, Part, Progress, ProgressUpdate, Silent};

/// Candle's backward pass recurses: 2 MiB, the default, overflows.
const STACK_BYTES: usize = 16 << 20;
/// At most thirty wake-ups a second.
const WAKE_INTERVAL: Duration = Duration::from_millis(33);

/// How a job ended.
#[derive(Debug)]
pub enum Outcome<T> {
    /// With a result; also after Stop.
    Finished(T),
    /// The user cancelled it.
    Cancelled,
    /// With an error or a panic.
    Failed {
        /// What went wrong, outermost first.
        message: String,
        /// Whether it was a panic: a defect of the program, not of the input.
        panicked: bool,
    },
}

struct Shared<P> {
    stop: AtomicBool,
    cancel: AtomicBool,
    pause: AtomicBool,
    progress: Mutex<ProgressUpdate>,
    preview: Mutex<Option<P>>,
    last_wake: Mutex<Option<Instant>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl<P> Shared<P> {
    fn wake(&self, force: bool) {
        let mut last = lock(&self.last_wake);
        let due = last.is_none_or(|at| at.elapsed() >= WAKE_INTERVAL);
        if force || due {
            *last = Some(Instant::now());
            drop(last);
            (self.wake)();
        }
    }
}

/// A panicking job must not take the window with it: a poisoned lane still holds a whole value.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What running work sees: where to report and whether to end.
pub struct JobContext<M = (), P = ()> {
    shared: Arc<Shared<P>>,
    metrics: Sender<M>,
}

impl<M: Send, P: Send> JobContext<M, P> {
    /// Send a metric; every one arrives, in order.
    pub fn metric(&self, metric: M) {
        // The receiver is gone only when the handle was dropped, which also cancels.
        let _ = self.metrics.send(metric);
        self.shared.wake(false);
    }

    /// Show a snapshot; only the latest is kept.
    pub fn preview(&self, preview: P) {
        *lock(&self.shared.preview) = Some(preview);
        self.shared.wake(false);
    }
}

impl<M: Send, P: Send> Progress for JobContext<M, P> {
    fn report(&self, update: ProgressUpdate) {
        *lock(&self.shared.progress) = update;
        self.shared.wake(false);
    }

    fn is_cancelled(&self) -> bool {
        self.shared.cancel.load(Ordering::Relaxed)
    }

    fn should_stop(&self) -> bool {
        self.shared.stop.load(Ordering::Relaxed) || self.is_cancelled()
    }

    fn is_paused(&self) -> bool {
        self.shared.pause.load(Ordering::Relaxed)
    }
}

/// A running or ended job. Dropping it cancels the work.
pub struct Job<T, M = (), P = ()> {
    name: String,
    started: Instant,
    shared: Arc<Shared<P>>,
    metrics: Receiver<M>,
    outcome: Receiver<Outcome<T>>,
    ended: bool,
}

impl<T, M, P> Job<T, M, P>
where
    T: Send + 'static,
    M: Send + 'static,
    P: Send + 'static,
{
    /// Run `work` on a thread called `name`; `wake` is called (at most every 33 ms) when there is news.
    pub fn spawn<E, F>(name: &str, wake: impl Fn() + Send + Sync + 'static, work: F) -> Self
    where
        E: std::fmt::Display,
        F: FnOnce(&JobContext<M, P>) -> Result<T, E> + Send + 'static,
    {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            cancel: AtomicBool::new(false),
            pause: AtomicBool::new(false),
            progress: Mutex::new(ProgressUpdate::default()),
            preview: Mutex::new(None),
            last_wake: Mutex::new(None),
            wake: Box::new(wake),
        });
        let (metric_sender, metrics) = channel();
        let (outcome_sender, outcome) = channel();
        let context = JobContext { shared: shared.clone(), metrics: metric_sender };
        let failed = outcome_sender.clone();
        let spawned = std::thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn(move || {
            let result = std::panic::catch_unwind(AssertUnwindSafe(|| work(&context)));
            let outcome = match result {
                Ok(Ok(_)) | Ok(Err(_)) if context.is_cancelled() => Outcome::Cancelled,
                Ok(Ok(value)) => Outcome::Finished(value),
                // `{:#}` prints the whole chain of causes for anyhow errors.
                Ok(Err(error)) => Outcome::Failed { message: format!("{error:#}"), panicked: false },
                Err(panic) => Outcome::Failed { message: panic_message(&*panic), panicked: true },
            };
            let _ = outcome_sender.send(outcome);
            context.shared.wake(true);
        });
        if let Err(error) = spawned {
            let message = format!("could not start a thread: {error}");
            let _ = failed.send(Outcome::Failed { message, panicked: false });
        }
        Self { name: name.to_owned(), started: Instant::now(), shared, metrics, outcome, ended: false }
    }

    /// The job's name, as given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The latest progress.
    pub fn progress(&self) -> ProgressUpdate {
        lock(&self.shared.progress).clone()
    }

    /// Metrics that came since the last call, in order.
    pub fn drain_metrics(&self) -> Vec<M> {
        self.metrics.try_iter().collect()
    }

    /// The latest preview, once.
    pub fn take_preview(&self) -> Option<P> {
        lock(&self.shared.preview).take()
    }

    /// Ask the work to end early with what it has.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }

    /// Ask the work to end and discard what it has.
    pub fn cancel(&self) {
        self.shared.cancel.store(true, Ordering::Relaxed);
    }

    /// Ask the work to wait, or to go on. Work that cannot wait goes on.
    pub fn pause(&self, paused: bool) {
        self.shared.pause.store(paused, Ordering::Relaxed);
    }

    /// Whether it was asked to wait.
    pub fn is_paused(&self) -> bool {
        self.shared.pause.load(Ordering::Relaxed)
    }

    /// Whether Stop was asked for.
    pub fn is_stopping(&self) -> bool {
        self.shared.stop.load(Ordering::Relaxed)
    }

    /// Whether Cancel was asked for.
    pub fn is_cancelling(&self) -> bool {
        self.shared.cancel.load(Ordering::Relaxed)
    }

    /// How it ended, once, without waiting.
    pub fn poll(&mut self) -> Option<Outcome<T>> {
        if self.ended {
            return None;
        }
        let outcome = match self.outcome.try_recv() {
            Ok(outcome) => outcome,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => gone(),
        };
        self.ended = true;
        Some(outcome)
    }

    /// Wait for the end.
    pub fn wait(mut self) -> Outcome<T> {
        self.ended = true;
        self.outcome.recv().unwrap_or_else(|_| gone())
    }
}

impl<T, M, P> Drop for Job<T, M, P> {
    fn drop(&mut self) {
        if !self.ended {
            self.shared.cancel.store(true, Ordering::Relaxed);
        }
    }
}

fn gone<T>() -> Outcome<T> {
    Outcome::Failed { message: "the work ended without a result".to_owned(), panicked: true }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown panic".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_arrive_in_order_and_the_last_preview_wins() {
        let job: Job<u32, u32, u32> = Job::spawn(
            "count",
            || {},
            |context| {
                for number in 0..100 {
                    context.metric(number);
                    context.preview(number);
                }
                Ok::<_, Cancelled>(7)
            },
        );
        let metrics: Vec<u32> = job.metrics.iter().collect();
        assert_eq!(metrics, (0..100).collect::<Vec<_>>());
        assert_eq!(job.take_preview(), Some(99));
        assert_eq!(job.take_preview(), None);
        assert!(matches!(job.wait(), Outcome::Finished(7)));
    }

    #[test]
    fn a_panic_becomes_a_message() {
        let job: Job<()> = Job::spawn("panic", || {}, |_| -> Result<(), Cancelled> { panic!("row {}", 3) });
        match job.wait() {
            Outcome::Failed { message, panicked: true } => assert_eq!(message, "row 3"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn cancel_discards_and_stop_keeps() {
        let wait = |context: &JobContext| {
            while !context.should_stop() {
                std::thread::sleep(Duration::from_millis(1));
            }
            context.check()?;
            Ok::<_, Cancelled>(1)
        };
        let job: Job<i32> = Job::spawn("cancelled", || {}, wait);
        job.cancel();
        assert!(matches!(job.wait(), Outcome::Cancelled));
        let job: Job<i32> = Job::spawn("stopped", || {}, wait);
        job.stop();
        assert!(matches!(job.wait(), Outcome::Finished(1)));
    }
}
