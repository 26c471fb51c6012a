//! Unsaved work survives a window that was not closed.

use std::path::Path;

use grn_explorer::app::state::Dialog;
use grn_explorer::app::{Action, App, Setup};
use grn_explorer::document::{NetworkFilter, NoteSubject};
use grn_explorer::session::recovery::Recovery;
use grn_explorer::training::DeviceChoice;

use super::{Window, screen, small};

/// A window that keeps its work in `folder`. Dropping it is a crash: it is not told that it ends.
fn window(folder: &Path) -> Window {
    let recovery = Some(Recovery::new(folder.join("recovery")));
    let setup = Setup { recovery, ..Setup::default() };
    let mut window = Window::start([1024.0, 640.0], egui::Theme::Light, setup);
    window.harness.run_steps(2);
    window
}

/// Let time pass until everything is kept.
fn kept(window: &mut Window, folder: &Path, done: impl Fn(&str) -> bool) {
    let text = || {
        let folders = std::fs::read_dir(folder.join("recovery")).into_iter().flatten().flatten();
        let sessions = folders.filter_map(|entry| std::fs::read_to_string(entry.path().join("session.grn.json")).ok());
        sessions.collect::<String>()
    };
    window.until("keeping", |_| done(&text()));
}

#[test]
fn changes_come_back_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = window(folder.path());
    first.open(&screen(folder.path()));
    assert_eq!(first.state().view.dialog, None, "nothing was lost before");
    first.send(Action::SetFilter(Box::new(NetworkFilter::top(17))));
    first.send(Action::SetNote(NoteSubject::Session, "STAT1 looks odd".to_owned()));
    kept(&mut first, folder.path(), |text| text.contains("STAT1 looks odd"));
    drop(first);

    // The question is asked even where another file is opened at once.
    let (files, recovery) = (vec![folder.path().join("screen.h5ad")], Recovery::new(folder.path().join("recovery")));
    let setup = Setup { files, recovery: Some(recovery), ..Setup::default() };
    let mut other = Window::start([1024.0, 640.0], egui::Theme::Light, setup);
    other.until("opening", |state| state.runtime.dataset.is_some() && !state.runtime.is_busy());
    assert!(matches!(other.state().view.dialog, Some(Dialog::Recover(_))));
    drop(other);

    let mut second = window(folder.path());
    assert!(matches!(second.state().view.dialog, Some(Dialog::Recover(_))));
    second.harness.run_steps(10);
    assert!(second.mentions("screen.h5ad"));
    // Another window that starts meanwhile has nothing to do with it.
    assert_eq!(window(folder.path()).state().view.dialog, None);
    second.click("Recover");
    second.until("opening", |state| state.runtime.dataset.is_some() && !state.runtime.is_busy());
    let document = &second.state().document;
    assert_eq!(
        (document.notes.on(&NoteSubject::Session), &document.filter),
        ("STAT1 looks odd", &NetworkFilter::top(17))
    );
    assert!(second.state().unsaved().is_some());
    assert_eq!(second.state().runtime.session_path, None);
    drop(second);

    // Recovered and crashed again.
    let mut third = window(folder.path());
    third.harness.run_steps(10);
    third.click("Throw away");
    assert_eq!(third.state().view.dialog, None);
    drop(third);
    assert_eq!(window(folder.path()).state().view.dialog, None);
}

/// As [`window`], with a checkpoint after every epoch.
fn training_window(folder: &Path) -> Window {
    let recovery = Some(Recovery::new(folder.join("recovery")));
    let setup = Setup { recovery, checkpoint_every: std::time::Duration::ZERO, ..Setup::default() };
    let mut window = Window::start([1024.0, 640.0], egui::Theme::Light, setup);
    window.harness.run_steps(2);
    window
}

/// What a run has left below `folder`.
fn run_files(folder: &Path) -> usize {
    let folders = std::fs::read_dir(folder.join("recovery")).into_iter().flatten().flatten();
    let files = folders.flat_map(|entry| std::fs::read_dir(entry.path()).into_iter().flatten().flatten());
    files.filter(|entry| entry.file_name().to_string_lossy().starts_with("run.")).count()
}

#[test]
fn a_training_run_goes_on_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = training_window(folder.path());
    first.open(&screen(folder.path()));
    first.send(Action::StartTraining(small(100_000), DeviceChoice::Cpu));
    let epochs = |state: &grn_explorer::app::State| state.runtime.training.as_ref().map_or(0, |run| run.epochs.len());
    first.until("epochs", |state| epochs(state) >= 3);
    kept(&mut first, folder.path(), |text| text.contains("100000"));
    first.until("a checkpoint", |_| run_files(folder.path()) > 0);
    drop(first);

    // The run of a window that is gone in this process ends after its batch; then its folder is free.
    let mut second = training_window(folder.path());
    for _ in 0..200 {
        if second.state().view.dialog.is_some() {
            break;
        }
        drop(second);
        std::thread::sleep(std::time::Duration::from_millis(50));
        second = training_window(folder.path());
    }
    second.harness.run_steps(10);
    assert!(second.mentions("A training run was under way"));
    second.click("Recover and train on");
    second.until("training", |state| epochs(state) >= 3);
    let numbers: Vec<u32> =
        second.state().runtime.training.as_ref().unwrap().epochs.iter().map(|epoch| epoch.epoch).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u32), "the epochs before are among them: {numbers:?}");
    assert!(second.state().runtime.training.as_ref().unwrap().epochs[0].seconds == 0.0, "it was not run again");
    second.send(Action::StopTraining);
    second.until("the end", |state| !state.is_training());
    assert!(second.state().runtime.model.is_some(), "{:?}", second.state().runtime.messages);
    // Once the model is kept the checkpoints go.
    second.until("keeping", |_| run_files(folder.path()) == 0);

    // A run that is cancelled leaves nothing.
    second.send(Action::StartTraining(small(100_000), DeviceChoice::Cpu));
    second.until("a checkpoint", |_| run_files(folder.path()) > 0);
    second.send(Action::CancelTraining);
    second.until("the end", |state| !state.is_training());
    assert_eq!(run_files(folder.path()), 0);
}

#[test]
fn a_trained_model_that_is_in_no_file_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = window(folder.path());
    first.open(&screen(folder.path()));
    first.send(Action::StartTraining(small(2), Default::default()));
    first.until("training", |state| state.runtime.model_unsaved);
    kept(&mut first, folder.path(), |text| text.contains("model.safetensors"));
    let edges = first.state().network().unwrap().edges().len();
    drop(first);

    let mut second = window(folder.path());
    second.harness.run_steps(10);
    assert!(second.mentions("A trained model that is in no file"));
    second.click("Recover");
    second.until("opening", |state| state.runtime.model.is_some() && !state.runtime.is_busy());
    assert_eq!(second.state().network().unwrap().edges().len(), edges);
    assert!(second.state().runtime.model_unsaved && second.state().document.sources.model.is_none());
    // Saved, it is the user's own, and nothing is left to recover.
    let session = folder.path().join("mine.grn.json");
    second.send(Action::SaveSessionTo(session.clone()));
    second.until("saving", |state| state.runtime.session_path.as_ref() == Some(&session));
    assert!(folder.path().join("mine.safetensors").is_file());
    kept(&mut second, folder.path(), str::is_empty);
}

#[test]
fn a_window_that_is_closed_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(folder.path());
    window.open(&screen(folder.path()));
    window.send(Action::SetNote(NoteSubject::Session, "to be kept".to_owned()));
    kept(&mut window, folder.path(), |text| text.contains("to be kept"));
    eframe::App::on_exit(window.harness.state_mut() as &mut App, None);
    assert_eq!(std::fs::read_dir(folder.path().join("recovery")).unwrap().count(), 0);
}
