//! The network: a force-directed graph to look at, point at, drag and select.
//!
//! What is drawn is a [`NetworkFigure`] seen through its camera, the same drawing that is exported. This file turns state
//! into that figure and keeps it while nothing changes; `canvas` handles pointer and keys, `arrange` the layout.

pub(in crate::app::views) mod arrange;
mod canvas;
pub(in crate::app::views) mod eye;
pub(in crate::app::views) mod hand;
mod known;
mod layout_menu;
mod look;
pub(in crate::app::views) mod picking;
mod shown;
mod style_bar;
mod toolbar;
mod tooltip;
mod trail;
mod wave;

use std::sync::Arc;

use egui::Ui;

use arrange::Arrangement;
use eye::Eye;
use hand::Hand;
pub use known::Known;
pub use layout_menu::{chosen as chosen_layout, words as layout_words};
use look::LookKey;
pub use shown::{FALSE_DISCOVERY, Shown, agreement, columns, evidence, false_discovery, verb};
pub(in crate::app) use style_bar::attachment;
pub(in crate::app::views) use style_bar::p_text;

use super::export::{ExportDialog, Exportable, PRINT_TEXT_SIZE, Seen, of_model};
use crate::app::NetworkParts;
use crate::app::widgets::{ScenePainter, empty_page};
use crate::app::{Action, State};
use crate::document::{EdgeAttribute, GeneAttribute, NetworkFilter};
use crate::figures::network::{Camera, NetworkFigure, NetworkScene, NetworkStyle, NodeColour, NodeSize};
use crate::figures::{FigureMetadata, FigureTheme, ThemeName};
use crate::network::compare::Comparison;
use crate::network::filter::first_view;
use crate::network::{GeneId, Grn};
use crate::tasks::look::Look;
use crate::tasks::networks::Extras;
use crate::words::counted;

/// Font size of labels and legend on the screen.
pub(in crate::app::views) const TEXT_SIZE: f32 = 12.0;

/// What this view keeps for itself.
#[derive(Default)]
pub struct NetworkView {
    /// What passes the filter, and the same with the edges of paths.
    filtered: Option<Arc<Shown>>,
    shown: Option<Shown>,
    arrangement: Arrangement,
    eye: Eye,
    hand: Hand,
    hovered: Option<GeneId>,
    /// The node whose menu is open, where nodes are no widgets of their own.
    menu: Option<GeneId>,
    /// The picture is that of the frame before: worth an index of what lies where.
    still: bool,
    /// Neither the camera nor the layout moved since the frame before.
    steady: bool,
    known: Known,
    look: Option<(LookKey, Look)>,
    /// Grows with the look.
    look_version: u64,
    /// Whether the lines that choose the style are seen.
    style_bar: bool,
    drawn: Option<Drawn>,
    painter: ScenePainter,
    wave: wave::Player,
    export: ExportDialog,
    version: u64,
}

impl NetworkView {
    /// Whether the layout is still at work.
    pub fn is_arranging(&self) -> bool {
        self.arrangement.is_running()
    }
}

/// The figure and its drawing, and what they were made from.
struct Drawn {
    key: FigureKey,
    figure: NetworkFigure,
    /// What the figure follows without being made anew: the layout, and the pointer.
    arrangement: u64,
    hovered: Option<GeneId>,
    view: (Camera, [f32; 2], bool),
    scene: NetworkScene,
    version: u64,
}

#[derive(Clone, PartialEq)]
struct FigureKey {
    network: usize,
    filter: NetworkFilter,
    /// Positions of the edges of paths.
    paths: Vec<u32>,
    /// Which genes have a position.
    placed: u64,
    selection: Vec<GeneId>,
    knocked_out: Vec<GeneId>,
    look: u64,
    wave: Option<wave::WaveKey>,
    text_size: u32,
}

/// Draw it into all of `ui`.
pub fn show(view: &mut NetworkView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(network) = state.network() else {
        nothing(ui, state, actions);
        return;
    };
    if network.edges().is_empty() {
        empty_page(ui, "The network has no edges", "Train the model for longer, or on more perturbations", &[]);
        return;
    }
    view.follow(ui, network, state, actions);
    let Some(shown) = &view.shown else {
        let text = format!("Of {} those are sought that pass the filters", counted(network.edges().len(), "edge"));
        empty_page(ui, "Filtering the network", &text, &[]);
        return;
    };
    let (nothing_left, filter) = (shown.edge_count() == 0, shown.filter().describe());
    view.wave.follow(ui, state, actions);
    toolbar::show(view, ui, state, actions);
    if view.style_bar {
        style_bar::show(view, ui, state, actions);
    }
    trail::show(ui, state, actions);
    if nothing_left {
        let text = format!("The filters leave nothing of this network: {filter}");
        match empty_page(ui, "No edge passes the filters", &text, &["Reset all filters", "Undo"]) {
            Some(0) => actions.push(Action::SetFilter(Box::new(first_view(network)))),
            Some(_) => actions.push(Action::Undo),
            None => {}
        }
        return;
    }
    wave::strip(view, ui, state, actions);
    canvas::show(view, ui, state, actions);
    view.export.show(ui.ctx(), state, actions);
}

fn nothing(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if state.is_training() {
        let text = "The network appears here when training has ended; follow the training to watch it being learned";
        if empty_page(ui, "No network yet", text, &["Follow the training"]).is_some() {
            actions.push(Action::FollowTraining(true));
        }
    } else if state.runtime.dataset.is_some() {
        let text = "Train a model on the open data set to learn its network, or open a model that was trained before";
        match empty_page(ui, "No network yet", text, &["Set up training", "Open a model…"]) {
            Some(0) => actions.push(Action::SetTab(crate::app::state::Tab::Training)),
            Some(_) => actions.push(Action::AskOpen),
            None => {}
        }
    } else {
        let text = "Open a trained model to see its network, or a Perturb-seq data set (.h5ad) to train one; the sample \
                    brings both";
        match empty_page(ui, "No network yet", text, &["Open a file…", "Open the sample"]) {
            Some(0) => actions.push(Action::AskOpen),
            Some(_) => actions.push(Action::OpenSample),
            None => {}
        }
    }
}

impl NetworkView {
    /// Bring edges, positions and colours up to the state.
    fn follow(&mut self, ui: &Ui, network: &Arc<Grn>, state: &State, actions: &mut Vec<Action>) {
        let Some(filtered) = state.shown() else {
            (self.shown, self.filtered) = (None, None);
            return;
        };
        let paths = state.runtime.paths.edges(network, state.document.paths.as_ref());
        let same = self.filtered.as_ref().is_some_and(|known| Arc::ptr_eq(known, &filtered));
        if !same || self.shown.as_ref().is_none_or(|shown| shown.also() != paths) {
            self.shown = Some(Shown::clone(&filtered).with(&paths));
            self.filtered = Some(filtered);
            self.hovered = None;
        }
        let Some(shown) = &self.shown else { return };
        if self.arrangement.follow_state(ui, shown, state, actions) && !state.network_is_live() {
            actions.push(Action::SettleLayout(self.arrangement.by_symbol()));
        }
        if state.view.fit_network {
            self.eye.release();
        }
        let context = ui.ctx().clone();
        self.known.follow(shown, state, move || context.request_repaint());
        self.follow_look(state);
    }

    fn follow_look(&mut self, state: &State) {
        let Some(shown) = &self.shown else { return };
        let key = LookKey::of(shown, &self.known, state);
        if self.look.as_ref().is_some_and(|(of, _)| *of == key) {
            return;
        }
        let look = look::look(shown, &self.known, state);
        if self.look.as_ref().is_none_or(|(_, before)| *before != look) {
            self.look_version += 1;
        }
        self.look = Some((key, look));
    }

    /// The figure for `size` points, made anew only if something changed.
    fn draw(&mut self, state: &State, size: [f32; 2], dark: bool, moment: f32) -> Option<(&Drawn, bool)> {
        let (shown, (_, look)) = (self.shown.as_ref()?, self.look.as_ref()?);
        let network = shown.network();
        let ids = |symbols: &mut dyn Iterator<Item = &String>| -> Vec<GeneId> {
            symbols.filter_map(|symbol| network.find(symbol)).collect()
        };
        let key = FigureKey {
            network: Arc::as_ptr(network) as usize,
            filter: shown.filter().clone(),
            paths: shown.also().to_vec(),
            placed: self.arrangement.placed(),
            selection: ids(&mut state.document.selection.iter()),
            knocked_out: ids(&mut state.document.knock_out.keys()),
            look: self.look_version,
            wave: self.wave.now().map(|now| now.key().clone()),
            text_size: TEXT_SIZE as u32,
        };
        let (arrangement, hovered) = (self.arrangement.version(), self.hovered);
        let before = self.version;
        let seen = self.drawn.as_ref().map(|drawn| (drawn.arrangement, drawn.view));
        let (figure, scene) = match self.drawn.take() {
            Some(mut drawn) if drawn.key == key => {
                let same = drawn.arrangement == arrangement && drawn.hovered == hovered;
                if drawn.arrangement != arrangement {
                    drawn.figure.place(self.arrangement.positions());
                }
                if drawn.hovered != hovered {
                    drawn.figure.point_at(hovered);
                }
                (drawn.figure, same.then_some((drawn.view, drawn.scene, drawn.version)))
            }
            _ => (figure(shown, &self.arrangement, &key, hovered, look, self.wave.now(), TEXT_SIZE), None),
        };
        let (camera, moving) = self.eye.follow(figure.fit(size), moment);
        let view = (camera, size, dark);
        let (scene, version) = match scene {
            Some((known, scene, version)) if known == view => (scene, version),
            _ => {
                self.version += 1;
                (figure.scene(size, &camera, &theme(dark)), self.version)
            }
        };
        self.still = self.version == before;
        self.steady = seen == Some((arrangement, view));
        self.drawn = Some(Drawn { key, figure, arrangement, hovered, view, scene, version });
        self.drawn.as_ref().map(|drawn| (drawn, moving))
    }

    /// The figure for a file: without what the pointer does.
    fn exportable(&self, state: &State) -> Option<Exportable> {
        let (shown, (_, look), drawn) = (self.shown.as_ref()?, self.look.as_ref()?, self.drawn.as_ref()?);
        let key = &drawn.key;
        let wave = self.wave.now().filter(|now| Some(now.key()) == key.wave.as_ref());
        let figure = figure(shown, &self.arrangement, key, None, look, wave, PRINT_TEXT_SIZE);
        let (camera, size, _) = drawn.view;
        let from = drawn.scene.area;
        let description = format!(
            "Gene regulatory network: {} of {} edges between {} genes",
            shown.edge_count(),
            shown.network().edges().len(),
            shown.gene_count()
        );
        let mut metadata = FigureMetadata::new("Gene regulatory network", description)
            .with("edges shown", shown.filter().describe())
            .with("layout", state.document.layout.describe())
            .with("style", state.document.style.describe());
        let mut name = "network".to_owned();
        if let Some(wave) = wave {
            name = wave.file_name();
            metadata = metadata.with("wave", wave.describe());
        }
        match &look.colour {
            _ if wave.is_some() => {}
            NodeColour::Shift { label, .. } => {
                metadata = metadata.with("node colour", label);
                if state.document.style.gene_colour == GeneAttribute::Prediction {
                    let genes: Vec<&str> = state.document.knock_out.keys().map(String::as_str).collect();
                    name = format!("network-{}", genes.join("-"));
                }
            }
            NodeColour::Amount { label, .. } | NodeColour::Groups { label, .. } => {
                metadata = metadata.with("node colour", label);
            }
            NodeColour::Given(_) => metadata = metadata.with("node colour", "as in the network file"),
            NodeColour::Plain | NodeColour::Arrived { .. } => {}
        }
        if let NodeSize::Amount { label, .. } = &look.size {
            metadata = metadata.with("node size", label);
        }
        if let (true, Some(tests)) = (state.document.style.edge_colour == EdgeAttribute::HeldOut, state.edge_tests()) {
            metadata = metadata.with("edge colour", tests.describe());
        }
        if let (Some(lines), Some(file)) = (&look.reference, &state.document.sources.reference) {
            metadata = metadata.with("reference network", format!("{}, BLAKE3 {}", lines.label, file.hash));
        }
        if let (true, Some(file)) = (state.has_no_model(), &state.document.sources.network) {
            metadata = metadata.with("network file", format!("BLAKE3 {}", file.hash));
        }
        let metadata = of_model(metadata, state);
        let parts = NetworkParts {
            network: shown.network().clone(),
            filter: shown.filter().clone(),
            extras: Extras {
                name: "Gene regulatory network".to_owned(),
                figure: Some(figure.clone()),
                statistics: self.known.current_statistics().cloned(),
                reference: self.known.overlay().cloned(),
                tests: state.edge_tests().cloned(),
                shifts: look::shifts(shown.network(), state),
                notes: state.document.notes.clone(),
                members_keep: shown.members_keep(),
            },
        };
        let mut exportable = Exportable::network(name, metadata, figure, parts, Seen { camera, from, size });
        if let (Some(overlay), Some(reference)) = (self.known.overlay().cloned(), &state.runtime.attached.reference) {
            let shown = shown.clone();
            exportable.add_table(format!("Comparison with {} (table)", reference.name()), "comparison", move || {
                let edges: Vec<&crate::network::Edge> = shown.edges().collect();
                Comparison::with_reference(shown.network(), &edges, &overlay).table()
            });
        }
        Some(exportable)
    }
}

/// Colours of figures on the screen.
pub fn theme(dark: bool) -> FigureTheme {
    FigureTheme::of(if dark { ThemeName::Dark } else { ThemeName::Light })
}

fn figure(
    shown: &Shown,
    arrangement: &Arrangement,
    key: &FigureKey,
    hovered: Option<GeneId>,
    look: &Look,
    wave: Option<&wave::Now>,
    text_size: f32,
) -> NetworkFigure {
    let mut style = NetworkStyle {
        text_size,
        legend: true,
        selected: key.selection.clone(),
        emphasised: key.paths.iter().map(|edge| edge + 1).collect(),
        hovered,
        knocked_out: key.knocked_out.clone(),
        isolated: false,
        mark_perturbed: true,
        members_keep: shown.members_keep(),
        ..NetworkStyle::default()
    };
    look.clone().dress(&mut style);
    if let Some(wave) = wave {
        wave.dress(&mut style, shown);
    }
    NetworkFigure::of(shown.network(), shown.edges(), arrangement.positions(), &style)
}
