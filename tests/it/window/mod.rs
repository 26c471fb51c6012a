//! The window driven as a user drives it: by labels, keys and drags.

mod compare;
mod ensemble;
mod escaped;
mod evaluating;
mod evidence;
mod figure_page;
mod finding;
mod flows;
mod guards;
mod import;
mod interactions;
mod journey;
mod known;
mod network_file;
mod notes;
mod pages;
mod questions;
mod recovery;
mod screening;
mod sessions;
mod snapshots;
mod training;
mod wave;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use grn_explorer::app::chooser::{FileChooser, FileFilter};
use grn_explorer::app::{Action, App, Setup, State};
use grn_explorer::data::h5ad;
use grn_explorer::data::simulate::{SimulateConfig, simulate};
use grn_explorer::jobs::Silent;
use grn_explorer::models::TrainConfig;

/// Longest wait for background work.
const PATIENCE: Duration = Duration::from_secs(60);

/// Answers file dialogs with what the test put in.
#[derive(Default)]
pub struct Answers(Mutex<Vec<PathBuf>>);

impl Answers {
    /// The next dialog returns `path`.
    pub fn next(&self, path: impl Into<PathBuf>) {
        self.0.lock().unwrap().push(path.into());
    }

    fn take(&self) -> Option<PathBuf> {
        // As long as a person takes at least: a dialog that ends at once is taken for none.
        std::thread::sleep(Duration::from_millis(450));
        self.0.lock().unwrap().pop()
    }
}

impl FileChooser for Answers {
    fn open(&self, _: &str, _: &FileFilter, _: Option<&Path>) -> Option<PathBuf> {
        self.take()
    }

    fn save(&self, _: &str, _: &FileFilter, _: Option<&Path>, _: &str) -> Option<PathBuf> {
        self.take()
    }
}

/// A window under test.
pub struct Window {
    pub harness: Harness<'static, App>,
    pub answers: Arc<Answers>,
}

impl Window {
    /// A window of `size` points with nothing open.
    pub fn new(size: [f32; 2]) -> Self {
        Self::with(size, None, egui::Theme::Light)
    }

    /// A window that opens `file`.
    pub fn with(size: [f32; 2], file: Option<PathBuf>, theme: egui::Theme) -> Self {
        Self::start(size, theme, Setup { files: file.into_iter().collect(), ..Setup::default() })
    }

    /// A window that starts as `setup` says.
    pub fn start(size: [f32; 2], theme: egui::Theme, setup: Setup) -> Self {
        let answers = Arc::new(Answers::default());
        let setup = Setup { chooser: answers.clone(), ..setup };
        let harness = Harness::builder()
            .with_size(size)
            .with_theme(theme)
            .build_eframe(move |creation| App::new(creation, setup));
        Self { harness, answers }
    }

    /// All state.
    pub fn state(&self) -> &State {
        self.harness.state().state()
    }

    /// Queue an action, as a panel would, and apply it.
    pub fn send(&mut self, action: Action) {
        self.harness.state_mut().send(action);
        self.harness.run_steps(2);
    }

    /// Let frames pass until `done`; fails after [`PATIENCE`].
    pub fn until(&mut self, what: &str, done: impl Fn(&State) -> bool) {
        let start = Instant::now();
        while !done(self.state()) {
            let (messages, dialog) = (&self.state().runtime.messages, &self.state().view.dialog);
            assert!(start.elapsed() < PATIENCE, "{what} did not happen: {messages:?}, {dialog:?}");
            self.harness.step();
            std::thread::sleep(Duration::from_millis(5));
        }
        self.harness.run_steps(3);
    }

    /// Let frames pass until nothing that is computed beside them is waited for.
    pub fn settle(&mut self) {
        let start = Instant::now();
        let pending =
            ["Comparing prediction with measurement…", "Reading cells", "Drawing cells", "Reading held-out cells"];
        let spins =
            |window: &Self| window.harness.query_all_by_role(egui::accesskit::Role::ProgressIndicator).next().is_some();
        while spins(self) || pending.iter().any(|label| self.mentions(label)) {
            assert!(start.elapsed() < PATIENCE, "the window waits for ever");
            self.harness.step();
            std::thread::sleep(Duration::from_millis(5));
        }
        self.harness.run_steps(8);
    }

    /// Open `path` and wait for it.
    pub fn open(&mut self, path: &Path) {
        self.send(Action::OpenPath(path.to_owned()));
        self.until("opening", |state| !state.runtime.is_busy());
    }

    /// Scroll to what is labelled `label`, and click it.
    pub fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).scroll_to_me();
        self.harness.run_steps(12);
        self.harness.get_by_label(label).click();
        self.harness.run_steps(3);
    }

    /// Whether something is labelled `label`.
    pub fn shows(&self, label: &str) -> bool {
        self.harness.query_all_by_label(label).next().is_some()
    }

    /// Whether something's label contains `part`.
    pub fn mentions(&self, part: &str) -> bool {
        self.harness.query_all_by_label_contains(part).next().is_some()
    }

    /// Open the export dialog, click the labels in `choices` one after the other, save to `path` and wait until it is
    /// written.
    pub fn export(&mut self, choices: &[&str], path: &Path) {
        self.export_by("Export…", choices, path);
    }

    /// The same of the dialog that the button `label` opens.
    pub fn export_by(&mut self, label: &str, choices: &[&str], path: &Path) {
        self.click(label);
        self.harness.run_steps(6);
        for choice in choices {
            if !self.shows(choice) {
                // Of many there is a list.
                self.harness.get_by_label_contains("What to export").click();
                self.harness.run_steps(4);
            }
            self.click(choice);
        }
        self.click("Path of the file");
        self.harness.get_by_label("Path of the file").type_text(path.to_str().unwrap());
        self.harness.run_steps(3);
        self.click("Save");
        self.until("the export", |state| !state.runtime.is_busy());
    }

    /// Press keys together.
    pub fn press(&mut self, modifiers: egui::Modifiers, key: egui::Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.run_steps(3);
    }
}

/// The sample with its model, on the page of the network.
pub fn sample() -> Window {
    let mut window = Window::new([1280.0, 800.0]);
    window.send(Action::OpenSample);
    window.until("opening", |state| state.runtime.model.is_some() && !state.runtime.is_busy());
    window.send(Action::SetTab(grn_explorer::app::state::Tab::Network));
    window
}

/// A small simulated screen in `folder`.
pub fn screen(folder: &Path) -> PathBuf {
    let config = SimulateConfig { genes: 40, perturbations: 6, cells: 300, seed: 3, ..SimulateConfig::small() };
    let simulated = simulate(&config, &Silent).unwrap();
    let path = folder.join("screen.h5ad");
    h5ad::write(&path, &simulated.dataset).unwrap();
    path
}

/// Settings of a training run that takes a moment.
pub fn small(epochs: u32) -> Box<TrainConfig> {
    let mut config = TrainConfig::default();
    let model = &mut config.model;
    (model.latent, model.decoder_hidden, model.basal_hidden, model.embedding_hidden) = (8, 16, 16, 16);
    (model.embedding_layers, model.particles, model.batch_size, model.epochs) = (1, 2, 64, epochs);
    config.prepare.minimum_cells = 3;
    Box::new(config)
}
