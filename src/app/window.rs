//! The window itself: one frame after the other.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use egui::{Context, Frame, Key, Margin, Modifiers, Panel, Ui};

use super::action::Action;
use super::apply::{self, Request};
use super::chooser::{FileChooser, SystemDialogs};
use super::command::{Command, ZOOM};
use super::opened;
use super::panels::{self, Panels};
use super::state::{Preferences, Severity, State, Tab};
use super::theme;
use super::views::{self, Views};
use super::work::Work;
use crate::session::recovery::Recovery;

/// Where eframe keeps the preferences.
const PREFERENCES: &str = "preferences";
/// Names the window, and the folder of its preferences.
const NAME: &str = "grn-explorer";
/// Width of the side panel.
const SIDE: f32 = 300.0;
/// Narrower windows have no side panel, but a page instead.
const LEAST_FOR_SIDE: f32 = 820.0;
/// Network and response stand side by side where the centre is at least this wide.
const LEAST_FOR_SPLIT: f32 = 860.0;

/// Open the window, and in it `files` one after the other, without any the sample at the first start.
pub fn run(files: Vec<PathBuf>) -> anyhow::Result<()> {
    leave_a_core_to_the_window();
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("GRN Explorer")
            .with_app_id(NAME)
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([640.0, 400.0])
            .with_drag_and_drop(true),
        ..Default::default()
    };
    let recovery = eframe::storage_dir(NAME).map(|folder| Recovery::new(folder.join("recovery")));
    let setup = Setup { files, open_sample: true, recovery, ..Setup::default() };
    eframe::run_native(NAME, options, Box::new(move |creation| Ok(Box::new(App::new(creation, setup)))))
        .map_err(|error| anyhow::anyhow!("the window cannot be opened: {error}"))
}

/// Training uses all threads of the pool: one fewer than cores keeps the window smooth. `RAYON_NUM_THREADS` overrules.
fn leave_a_core_to_the_window() {
    if std::env::var_os("RAYON_NUM_THREADS").is_none() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // An error means that the pool exists already, which is as well.
        let _ = rayon::ThreadPoolBuilder::new().num_threads((cores - 1).max(1)).build_global();
    }
}

/// How a window starts.
pub struct Setup {
    /// To be opened at once, one after the other.
    pub files: Vec<PathBuf>,
    /// Open the sample if there are no files and the window was never opened before.
    pub open_sample: bool,
    /// Where unsaved work is kept for the case of a crash; none to keep nothing.
    pub recovery: Option<Recovery>,
    /// Time between checkpoints of a training run, which are kept there too.
    pub checkpoint_every: Duration,
    /// Asks for files.
    pub chooser: Arc<dyn FileChooser>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            open_sample: false,
            recovery: None,
            checkpoint_every: Duration::from_secs(60),
            chooser: Arc::new(SystemDialogs),
        }
    }
}

/// How much room there is, which decides the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// For the side panel.
    side: bool,
    /// For network and response side by side.
    split: bool,
}

impl Room {
    fn of(width: f32, state: &State) -> Self {
        let side = width >= LEAST_FOR_SIDE;
        let taken = if side && state.view.preferences.side_panel { SIDE } else { 0.0 };
        // Of a network file there is no response.
        Self { side, split: width - taken >= LEAST_FOR_SPLIT && !state.has_no_model() }
    }

    /// The pages, in order; that of the comparison while there is one.
    pub(super) fn tabs(self, state: &State) -> Vec<(Tab, &'static str)> {
        let mut tabs = vec![(Tab::Data, "Data")];
        if !self.side {
            tabs.push((Tab::Genes, "Genes"));
        }
        if self.split {
            tabs.push((Tab::Network, "Network and response"));
        } else {
            tabs.extend([(Tab::Network, "Network"), (Tab::Response, "Response")]);
        }
        if state.document.comparing.is_some() || state.view.tab == Tab::Compare {
            tabs.push((Tab::Compare, "Compare"));
        }
        if views::interactions::offers_pairs(state) || state.view.tab == Tab::Interactions {
            // The shorter word where the bar is short.
            tabs.push((Tab::Interactions, if self.side { "Interactions" } else { "Pairs" }));
        }
        tabs.extend([(Tab::Training, "Training"), (Tab::Evaluation, "Evaluation"), (Tab::Figure, "Figure")]);
        tabs
    }

    /// The page that stands for `tab`.
    pub(super) fn shown(self, tab: Tab) -> Tab {
        match tab {
            Tab::Genes if self.side => Tab::Network,
            Tab::Response if self.split => Tab::Network,
            tab => tab,
        }
    }
}

/// The window.
pub struct App {
    state: State,
    views: Views,
    panels: Panels,
    work: Work,
    actions: Vec<Action>,
    /// Files to open when the one before them is open.
    waiting: VecDeque<PathBuf>,
    closing: bool,
    title: String,
    /// Whether a text field had the focus when the last frame was drawn.
    typing: bool,
}

impl App {
    /// A window.
    pub fn new(creation: &eframe::CreationContext<'_>, setup: Setup) -> Self {
        crate::app::widgets::scene_painter::keep_memory_of_frames();
        let context = &creation.egui_ctx;
        theme::install(context);
        // Sizes go by our own commands, between 100 % and 200 %.
        context.options_mut(|options| options.zoom_with_keyboard = false);
        let mut state = State::default();
        if let Some(preferences) =
            creation.storage.and_then(|storage| eframe::get_value::<Preferences>(storage, PREFERENCES))
        {
            state.view.preferences = preferences;
        }
        let zoom = &mut state.view.preferences.zoom;
        *zoom = if zoom.is_finite() { zoom.clamp(*ZOOM.start(), *ZOOM.end()) } else { 1.0 };
        let first = setup.open_sample && !state.view.preferences.opened_before;
        let mut waiting = VecDeque::from(setup.files);
        let action = waiting.pop_front().map(Action::OpenPath).or_else(|| {
            let there = !crate::tasks::sample::find().is_empty();
            (first && there).then_some(Action::OpenSample)
        });
        let mut work = Work::new(context.clone(), setup.chooser);
        // Asked in front of whatever opens.
        let every = setup.checkpoint_every;
        let question = setup.recovery.and_then(|recovery| work.recover_from(recovery, every)).map(Action::ShowDialog);
        let actions = action.into_iter().chain(question).collect();
        let mut app = Self {
            state,
            views: Views::default(),
            panels: Panels::default(),
            work,
            actions,
            waiting,
            closing: false,
            title: String::new(),
            typing: false,
        };
        app.follow_preferences(context);
        app
    }

    /// All state, to read.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Queue a change, as a panel does; it is applied in the next frame.
    pub fn send(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Keys, dropped files, and the wish to close.
    fn take_input(&mut self, context: &Context) {
        if context.input(|input| input.viewport().close_requested()) && !self.closing {
            if self.state.unsaved().is_some() {
                context.send_viewport_cmd(egui::ViewportCommand::CancelClose);
                self.actions.push(Action::Quit);
            } else {
                self.closing = true;
            }
        }
        // A second pass of one frame sees the same events again.
        if context.current_pass_index() == 0 {
            let dropped: Vec<PathBuf> =
                context.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
            let mut dropped = dropped.into_iter();
            if let Some(first) = dropped.next() {
                // What was still to come belongs to what is open no more.
                self.waiting = dropped.collect();
                self.actions.push(Action::OpenPath(first));
            } else if !self.state.runtime.is_busy() && self.state.view.dialog.is_none() {
                // What was opened took older failures away: one that is told is that of the file before, on which the rest may build.
                if self.state.runtime.messages.iter().any(|message| message.severity == Severity::Error) {
                    self.waiting.clear();
                }
                self.actions.extend(self.waiting.pop_front().map(Action::OpenPath));
            }
        }
        if self.state.view.dialog.is_none() {
            self.take_shortcuts(context);
        }
        // What is typed into one field is one step, as what is dragged.
        if !context.input(|input| input.pointer.any_down()) && !context.text_edit_focused() {
            self.state.history.seal();
        }
    }

    fn take_shortcuts(&mut self, context: &Context) {
        // Escape takes the focus from a field before the frame begins.
        let typing = self.typing || context.text_edit_focused();
        let mut shortcuts: Vec<(Command, egui::KeyboardShortcut)> = Command::ALL
            .into_iter()
            .flat_map(|command| command.shortcuts().iter().map(move |keys| (command, *keys)))
            .collect();
        // Ctrl + Shift + Z also holds Ctrl + Z: the longer one first.
        shortcuts.sort_by_key(|(_, keys)| !keys.modifiers.shift);
        for (command, keys) in shortcuts {
            // While typing, undo and redo are the text field's.
            if typing && matches!(command, Command::Undo | Command::Redo) {
                continue;
            }
            if context.input_mut(|input| input.consume_shortcut(&keys)) && command.is_enabled(&self.state) {
                self.actions.push(command.action(&self.state));
            }
        }
        if !typing
            && !context.any_popup_open()
            && let Some(command) =
                [Command::EndWave, Command::ClearSelection].into_iter().find(|command| command.is_enabled(&self.state))
            && context.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))
        {
            self.actions.push(command.action(&self.state));
        }
    }

    fn apply_actions(&mut self, context: &Context) {
        self.state.view.focus_search = false;
        self.state.view.fit_network = false;
        self.state.view.run_layout = false;
        for action in std::mem::take(&mut self.actions) {
            if apply::apply(action, &mut self.state, &mut self.work) == Some(Request::Close) {
                self.closing = true;
                context.send_viewport_cmd(egui::ViewportCommand::Close);
            }
        }
    }

    fn follow_preferences(&mut self, context: &Context) {
        let preferences = &self.state.view.preferences;
        context.set_theme(preferences.theme);
        context.set_zoom_factor(preferences.zoom);
        let open = opened::title(&self.state);
        let title = if open.is_empty() { "GRN Explorer".to_owned() } else { format!("{open} – GRN Explorer") };
        if title != self.title {
            context.send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    fn draw(&mut self, ui: &mut Ui) {
        self.draw_panels(ui);
        self.typing = ui.ctx().text_edit_focused();
    }

    fn draw_panels(&mut self, ui: &mut Ui) {
        let Self { state, views, panels, actions, .. } = self;
        let colours = theme::colours(ui);
        let bar = Frame::new().fill(colours.panel).inner_margin(Margin::symmetric(10, 6));
        let room = Room::of(ui.available_width(), state);
        let tab = room.shown(state.view.tab);
        Panel::top("bar").frame(bar).show(ui, |ui| panels::bar::show(ui, room, state, actions));
        Panel::bottom("status")
            .frame(bar.inner_margin(Margin::symmetric(10, 3)))
            .show(ui, |ui| panels::status::show(ui, state, actions));
        let empty = state.runtime.dataset.is_none() && state.network().is_none();
        let explores = matches!(tab, Tab::Network | Tab::Response | Tab::Compare);
        if room.side && state.view.preferences.side_panel && explores && !empty {
            Panel::left("side")
                .frame(Frame::new().fill(colours.panel).inner_margin(Margin::symmetric(12, 10)))
                .default_size(SIDE)
                .size_range(240.0..=420.0)
                .show(ui, |ui| views::genes::show(&mut views.genes, &mut views.inspector, ui, state, actions));
        }
        let page = Frame::new().fill(colours.page);
        egui::CentralPanel::default().frame(page).show(ui, |ui| {
            // The canvas fills the page; everything else keeps a margin.
            let margin = if explores && !empty { Margin::ZERO } else { Margin::symmetric(18, 14) };
            let inset = Frame::new().inner_margin(Margin::symmetric(12, 8));
            let has_messages = state.runtime.messages.iter().any(|message| message.severity != Severity::Done);
            if has_messages {
                Frame::new().inner_margin(Margin { left: 12, right: 12, top: 8, bottom: 0 }).show(ui, |ui| {
                    panels::messages::show(ui, state, actions);
                });
            }
            Frame::new().inner_margin(margin).show(ui, |ui| {
                if empty {
                    return panels::welcome::show(ui, state, actions);
                }
                match tab {
                    Tab::Data => panels::data::show(&mut panels.data, ui, state, actions),
                    Tab::Training => panels::training::show(&mut panels.training, ui, state, actions),
                    Tab::Evaluation => panels::evaluation::show(&mut panels.evaluation, ui, state, actions),
                    Tab::Figure => panels::figure_page::show(&mut panels.figure, ui, state, actions),
                    Tab::Genes => views::genes::show(&mut views.genes, &mut views.inspector, ui, state, actions),
                    Tab::Network if room.split => {
                        let half = ui.available_width() * 0.45;
                        Panel::right("response")
                            .frame(inset)
                            .default_size(half)
                            .size_range(340.0..=ui.available_width() - 340.0)
                            .show(ui, |ui| views::response::show(&mut views.response, ui, state, actions));
                        egui::CentralPanel::no_frame().frame(inset).show(ui, |ui| network(views, ui, state, actions));
                    }
                    Tab::Network => {
                        inset.show(ui, |ui| network(views, ui, state, actions));
                    }
                    Tab::Compare => {
                        inset.show(ui, |ui| views::compare::show(&mut views.compare, ui, state, actions));
                    }
                    Tab::Interactions => views::interactions::show(&mut views.interactions, ui, state, actions),
                    Tab::Response => {
                        inset.show(ui, |ui| views::response::show(&mut views.response, ui, state, actions));
                    }
                }
            });
        });
        panels::dialogs::show(&mut panels.dialogs, &ui.ctx().clone(), state, actions);
        drop_hint(ui);
    }
}

/// The network, and the table below it if one is asked for.
fn network(views: &mut Views, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if state.view.table.is_some() && state.network().is_some() {
        let most = (ui.available_height() - 160.0).max(100.0);
        Panel::bottom("tables")
            .frame(Frame::new().inner_margin(Margin { top: 8, ..Margin::ZERO }))
            .default_size((ui.available_height() * 0.36).min(most))
            .size_range(100.0..=most)
            .show(ui, |ui| views::tables::show(&mut views.tables, ui, state, actions));
    }
    egui::CentralPanel::no_frame().show(ui, |ui| views::network::show(&mut views.network, ui, state, actions));
}

/// Says what happens while a file hovers over the window.
fn drop_hint(ui: &Ui) {
    if ui.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let context = ui.ctx();
    let colours = theme::colours(ui);
    let area = context.content_rect();
    let layer = egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop hint"));
    let painter = context.layer_painter(layer);
    painter.rect_filled(area, 0.0, colours.page.gamma_multiply(0.85));
    let font = theme::title().resolve(ui.style());
    painter.text(area.center(), egui::Align2::CENTER_CENTER, "Drop to open", font, colours.text_strong);
}

impl eframe::App for App {
    fn logic(&mut self, context: &Context, _frame: &mut eframe::Frame) {
        self.apply_actions(context);
        self.work.poll(&mut self.state, &mut self.actions);
        self.follow_preferences(context);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.take_input(ui.ctx());
        self.draw(ui);
        if !self.actions.is_empty() {
            ui.ctx().request_repaint();
        }
    }

    fn on_exit(&mut self, _context: Option<&eframe::glow::Context>) {
        self.work.end_autosaving();
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        let preferences = Preferences { opened_before: true, ..self.state.view.preferences.clone() };
        eframe::set_value(storage, PREFERENCES, &preferences);
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // A job's drop cancels it; say so here because closing the window relies on it.
        self.work.cancel_opening();
        self.work.cancel_training();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_can_be_reached_at_every_width() {
        let mut state = State::default();
        for side_panel in [true, false] {
            state.view.preferences.side_panel = side_panel;
            for width in [400.0, 640.0, 820.0, 1024.0, 1280.0, 2000.0] {
                let room = Room::of(width, &state);
                let tabs = [Tab::Data, Tab::Genes, Tab::Network, Tab::Response, Tab::Training, Tab::Figure];
                for tab in tabs.into_iter().chain([Tab::Compare, Tab::Interactions, Tab::Evaluation]) {
                    let shown = room.shown(tab);
                    state.view.tab = shown;
                    assert!(room.tabs(&state).iter().any(|(other, _)| *other == shown), "{tab:?} at {width}");
                }
            }
        }
    }
}
