//! The window itself.

use std::path::PathBuf;

use super::action::Action;
use super::state::State;
use super::theme;
use super::views::{self, Views};

/// Open the window, and in it `file` if given.
pub fn run(file: Option<PathBuf>) -> anyhow::Result<()> {
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("GRN Explorer")
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([640.0, 400.0]),
        ..Default::default()
    };
    eframe::run_native("grn-explorer", options, Box::new(move |creation| Ok(Box::new(App::new(creation, file)))))
        .map_err(|error| anyhow::anyhow!("the window cannot be opened: {error}"))
}

/// The window.
pub struct App {
    state: State,
    views: Views,
    actions: Vec<Action>,
}

impl App {
    /// A window that opens `file`, if given.
    pub fn new(creation: &eframe::CreationContext<'_>, file: Option<PathBuf>) -> Self {
        theme::install(&creation.egui_ctx);
        let actions = file.map(Action::OpenPath).into_iter().collect();
        Self { state: State::default(), views: Views::default(), actions }
    }

    /// All state, to read.
    pub fn state(&self) -> &State {
        &self.state
    }
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let Self { state, views, actions } = self;
        egui::Panel::left("side").show(ui, |ui| {
            views::genes::show(&mut views.genes, &mut views.inspector, ui, state, actions);
        });
        egui::CentralPanel::default().show(ui, |ui| {
            views::network::show(&mut views.network, ui, state, actions);
            views::response::show(&mut views.response, ui, state, actions);
        });
        if !self.actions.is_empty() {
            ui.ctx().request_repaint();
        }
    }
}
