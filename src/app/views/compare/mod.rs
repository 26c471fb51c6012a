//! The open network beside another one, in one layout: side by side or one over the other, with a table of differences.
//!
//! What both have and what only one has is worked out on a thread of its own ([`crate::tasks::compare`]); the drawing is
//! that of the figure page. This file follows the state; `bar` chooses, `canvas` handles the pointer.

mod bar;
mod canvas;
mod table;

use std::sync::Arc;

use egui::{Frame, Margin, Panel, Ui};

use super::export::{Choice, Content, ExportDialog, Exportable, PRINT_TEXT_SIZE, of_model};
use super::network::arrange::Arrangement;
use super::network::eye::Eye;
use super::network::hand::Hand;
use super::network::{Shown, TEXT_SIZE, theme};
use crate::app::attached::{Attachment, Other};
use crate::app::command::Command;
use crate::app::widgets::{ScenePainter, empty_page};
use crate::app::{Action, State};
use crate::document::{Comparing, NetworkFilter, OtherEdges};
use crate::figures::network::{Camera, CompareFigure, CompareScene, CompareStyle};
use crate::figures::{Figure as _, FigureMetadata};
use crate::jobs::{Cancelled, Job, Outcome};
use crate::network::filter::first_view;
use crate::network::{GeneId, Grn};
use crate::tasks::compare::{self, Compared};

/// Height of the table below, as a share of the page.
const TABLE: f32 = 0.34;

/// What this view keeps for itself.
#[derive(Default)]
pub struct CompareView {
    asked: Option<Asked>,
    job: Option<Job<(Compared, Shown)>>,
    failed: Option<String>,
    compared: Option<Arc<Compared>>,
    /// Both networks as one, all of it.
    shown: Option<Shown>,
    arrangement: Arrangement,
    eye: Eye,
    hand: Hand,
    hovered: Option<GeneId>,
    drawn: Option<Drawn>,
    painter: ScenePainter,
    table: table::DifferenceTable,
    no_table: bool,
    export: ExportDialog,
    version: u64,
}

/// What was compared last, or is being compared.
#[derive(Clone, PartialEq)]
struct Asked {
    left: Same<Grn>,
    filter: NetworkFilter,
    other: Other,
    edges: OtherEdges,
}

/// Equal where it is the very same.
#[derive(Clone)]
struct Same<T>(Arc<T>);

impl<T> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The figure and its drawing, and what they were made from.
struct Drawn {
    key: FigureKey,
    figure: CompareFigure,
    view: (Camera, [f32; 2], bool),
    scene: CompareScene,
    version: u64,
}

#[derive(Clone, PartialEq)]
struct FigureKey {
    compared: usize,
    names: [String; 2],
    overlaid: bool,
    arrangement: u64,
    selection: Vec<GeneId>,
    hovered: Option<GeneId>,
}

/// Draw it into all of `ui`.
pub fn show(view: &mut CompareView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(left) = state.settled_network() else {
        let text = "Open a model or a network file first; then lay another one beside it";
        if empty_page(ui, "No network yet", text, &["Open a file…"]).is_some() {
            actions.push(Action::AskOpen);
        }
        return;
    };
    let Some(comparing) = state.document.comparing else {
        nothing(ui, state, actions);
        return;
    };
    let Some(other) = state.other_network() else {
        gone(ui, comparing, state, actions);
        return;
    };
    view.follow(ui, left, comparing, other, state, actions);
    let names = compare::names(&state.document);
    let compared = view.compared.clone();
    bar::show(view, ui, comparing, compared.as_deref(), &names, state, actions);
    let Some(compared) = compared else {
        match &view.failed {
            Some(reason) => _ = empty_page(ui, "The networks cannot be compared", reason, &[]),
            None => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    ui.label("Comparing…");
                });
            }
        }
        return;
    };
    if compared.comparison.edges.is_empty() {
        let text = format!("The filters leave nothing of both networks: {}", state.document.filter.describe());
        match empty_page(ui, "No edge passes the filters", &text, &["Reset all filters", "Undo"]) {
            Some(0) => actions.push(Action::SetFilter(Box::new(first_view(left)))),
            Some(_) => actions.push(Action::Undo),
            None => {}
        }
        return;
    }
    if !view.no_table {
        let most = (ui.available_height() - 140.0).max(90.0);
        Panel::bottom("differences")
            .frame(Frame::new().inner_margin(Margin { top: 8, ..Margin::ZERO }))
            .default_size((ui.available_height() * TABLE).min(most))
            .size_range(90.0..=most)
            .show(ui, |ui| view.table.show(ui, &compared, &names, state, actions));
    }
    egui::CentralPanel::no_frame().show(ui, |ui| canvas::show(view, ui, &compared, &names, state, actions));
    view.export.show(ui.ctx(), state, actions);
}

/// Nothing was chosen to compare with.
fn nothing(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let text = "Lay another network beside this one: of another model or replicate, of a network file, a reference, or the \
                one before the last training run. Both are drawn in one layout, with what both have and what only one has";
    let mut commands = vec![Command::CompareWithFile];
    let others = [Command::CompareWithReference, Command::CompareWithBefore];
    commands.extend(others.into_iter().filter(|command| command.is_enabled(state)));
    if !Command::CompareWithReference.is_enabled(state) {
        commands.push(Command::OpenReference);
    }
    let labels: Vec<&str> = commands.iter().map(|command| command.label()).collect();
    if let Some(chosen) = empty_page(ui, "Nothing to compare with yet", text, &labels) {
        actions.push(commands[chosen].action(state));
    }
}

/// What was chosen is not at hand: it is being read, or cannot be.
fn gone(ui: &mut Ui, comparing: Comparing, state: &State, actions: &mut Vec<Action>) {
    if let Some(file) = compare::source(&state.document).filter(|_| state.runtime.is_busy()) {
        ui.horizontal(|ui| {
            ui.spinner();
            ui.label(format!("Reading {}…", crate::app::work::file_name(&file.path)));
        });
        return;
    }
    let text = match comparing.with {
        crate::document::ComparedWith::File => "The other network was put away or cannot be read",
        crate::document::ComparedWith::Reference => "The reference network was put away or cannot be read",
        crate::document::ComparedWith::Before => "The network before the training was in no file, and is gone",
    };
    let buttons = [Command::CompareWithFile.label(), Command::EndComparison.label()];
    match empty_page(ui, "The other network is not there", text, &buttons) {
        Some(0) => actions.push(Action::AskAttach(Attachment::Compared)),
        Some(_) => actions.push(Action::SetComparing(None)),
        None => {}
    }
}

impl CompareView {
    /// Bring the comparison and the layout up to the state.
    fn follow(
        &mut self,
        ui: &Ui,
        left: &Arc<Grn>,
        comparing: Comparing,
        other: Other,
        state: &State,
        actions: &mut Vec<Action>,
    ) {
        if let Some(outcome) = self.job.as_mut().and_then(Job::poll) {
            self.job = None;
            match outcome {
                Outcome::Finished((compared, shown)) => {
                    self.shown = Some(shown);
                    self.compared = Some(Arc::new(compared));
                    self.hovered = None;
                    self.table.forget();
                }
                Outcome::Cancelled => {}
                Outcome::Failed { message, .. } => self.failed = Some(message),
            }
        }
        let filter = state.document.filter.clone();
        let asked = Asked { left: Same(left.clone()), filter, other, edges: comparing.edges };
        if self.asked.as_ref() != Some(&asked) {
            let another =
                self.asked.as_ref().is_none_or(|before| before.left != asked.left || before.other != asked.other);
            if another {
                (self.compared, self.shown, self.failed) = (None, None, None);
                self.eye.release();
            }
            self.asked = Some(asked.clone());
            let context = ui.ctx().clone();
            // Dropping the job before cancels it.
            self.job = Some(Job::spawn(
                "comparison",
                move || context.request_repaint(),
                move |progress| {
                    let other = asked.other.network();
                    let compared = compare::compare(&asked.left.0, &asked.filter, &other, asked.edges, progress)?;
                    let shown = Shown::of(&compared.union.grn, &NetworkFilter::default());
                    Ok::<_, Cancelled>((compared, shown))
                },
            ));
        }
        let Some(shown) = &self.shown else { return };
        if self.arrangement.follow_state(ui, shown, state, actions) {
            actions.push(Action::SettleLayout(self.arrangement.by_symbol()));
        }
        if state.view.fit_network {
            self.eye.release();
        }
    }

    fn figure(&self, compared: &Compared, key: &FigureKey, text_size: f32) -> CompareFigure {
        let style = CompareStyle {
            names: key.names.clone(),
            overlaid: key.overlaid,
            text_size,
            selected: key.selection.clone(),
            hovered: key.hovered,
        };
        CompareFigure::of(&compared.comparison, &compared.union, self.arrangement.positions(), &style)
    }

    /// The figure for `size` points, made anew only if something changed; whether the camera is on its way.
    fn draw(
        &mut self,
        compared: &Arc<Compared>,
        names: &[String; 2],
        state: &State,
        size: [f32; 2],
        dark: bool,
        moment: f32,
    ) -> Option<(&Drawn, bool)> {
        let key = FigureKey {
            compared: Arc::as_ptr(compared) as usize,
            names: names.clone(),
            overlaid: state.document.comparing.is_some_and(|comparing| comparing.overlaid),
            arrangement: self.arrangement.version(),
            selection: compare::ids(&compared.union, &state.document.selection),
            hovered: self.hovered,
        };
        let previous = self.drawn.take();
        let (figure, known) = match previous {
            Some(drawn) if drawn.key == key => (drawn.figure, Some((drawn.view, drawn.scene, drawn.version))),
            _ => (self.figure(compared, &key, TEXT_SIZE), None),
        };
        let (camera, moving) = self.eye.follow(figure.fit(size), moment);
        let view = (camera, size, dark);
        let (scene, version) = match known {
            Some((of, scene, version)) if of == view => (scene, version),
            _ => {
                self.version += 1;
                (figure.draw(size, &camera, &theme(dark)), self.version)
            }
        };
        self.drawn = Some(Drawn { key, figure, view, scene, version });
        self.drawn.as_ref().map(|drawn| (drawn, moving))
    }

    /// The figure and the table for files.
    fn exportable(&self, compared: &Arc<Compared>, state: &State) -> Option<Exportable> {
        let drawn = self.drawn.as_ref()?;
        let key = FigureKey { hovered: None, ..drawn.key.clone() };
        let (camera, size, _) = drawn.view;
        let mut figure = self.figure(compared, &key, PRINT_TEXT_SIZE);
        figure.view = Some((camera, [[0.0, 0.0], drawn.figure.pane_size(size)]));
        let mut metadata =
            FigureMetadata::new("Comparison of two networks", compare::describe(&state.document, compared))
                .with("edges shown", state.document.filter.describe())
                .with("layout", state.document.layout.describe());
        if let Some(file) = compare::source(&state.document) {
            metadata = metadata.with("compared with", format!("{}, BLAKE3 {}", key.names[1], file.hash));
        }
        let metadata = of_model(metadata, state);
        let content = Content::Figure {
            draw: Arc::new(move |size, theme| figure.scene(size, theme).scene),
            aspect: size[0] / size[1].max(1.0),
            width_mm: 180.0,
            metadata: Box::new(metadata),
        };
        let label = "Comparison as on the screen".to_owned();
        let mut exportable = Exportable { choices: vec![Choice { label, name: "comparison".to_owned(), content }] };
        let compared = compared.clone();
        exportable.add_table("Differences (table)".to_owned(), "differences", move || compared.comparison.table());
        Some(exportable)
    }
}
