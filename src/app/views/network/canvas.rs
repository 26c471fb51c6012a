//! Pointer and keys on the network.

use egui::{Color32, Rect, Response, Sense, Ui, WidgetInfo, pos2, vec2};

use super::eye::Pane;
use super::hand::{Node, WIDGETS, click};
use super::{NetworkView, picking, tooltip, wave};
use crate::app::state::WaveView;
use crate::app::views::knock_out::verb;
use crate::app::widgets::Placement;
use crate::app::{Action, State, theme};
use crate::network::{GeneId, Grn};

/// Draw the network into the rest of `ui`.
pub fn show(view: &mut NetworkView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let size = ui.available_size().max(vec2(80.0, 80.0));
    let (rect, background) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let size = [rect.width().round(), rect.height().round()];
    let dark = ui.visuals().dark_mode;
    let moment = ui.input(|input| input.stable_dt);
    let Some((drawn, moving)) = view.draw(state, size, dark, moment) else { return };
    let Some(network) = state.network() else { return };
    let placement = Placement::at(rect.min.round());
    let pane = Pane { number: 0, placement, area: drawn.scene.area, rect };
    let nodes = drawn.scene.hits.nodes.iter().map(|hit| {
        let gene = drawn.figure.nodes[hit.node].gene;
        Node { pane: &pane, network, gene, hit: *hit }
    });
    let nodes: Vec<Node<'_>> = nodes.collect();
    let painter = ui.painter_at(rect);
    paint(view, &painter, placement);
    if let (Some(now), Some(drawn)) = (view.wave.now(), &view.drawn) {
        wave::dots(now, drawn, &super::theme(dark), &painter, placement);
    }
    if moving {
        ui.ctx().request_repaint();
    }

    background.widget_info(|| {
        let text = format!("Network of {} genes", nodes.len());
        WidgetInfo::labeled(egui::Role::GraphicsDocument, true, text)
    });
    let frame = Frame { placement, network, state };
    let before = view.hovered.take();
    view.eye.wheel(ui, &background, std::iter::once(&pane));
    if nodes.len() <= WIDGETS {
        for shown in &nodes {
            let response = shown.widget(ui, &painter, "node", state);
            node(view, ui, response, shown, &frame, actions);
        }
        if view.hovered.is_none() {
            empty_space(view, ui, &background, &frame, actions);
        }
    } else {
        many(view, ui, &background, &nodes, &frame, actions);
    }
    if view.hovered != before {
        ui.ctx().request_repaint();
    }
    view.hand.pick(ui, rect, nodes.iter(), state, actions);
    notice(ui, rect, state);
}

/// What a handler needs to know about this frame.
struct Frame<'a> {
    placement: Placement,
    network: &'a Grn,
    state: &'a State,
}

fn paint(view: &mut NetworkView, painter: &egui::Painter, placement: Placement) {
    if let Some(drawn) = &view.drawn {
        view.painter.paint(painter, &drawn.scene.scene, drawn.version, placement);
    }
}

impl NetworkView {
    /// Zoom around the middle, for buttons and keys.
    pub(super) fn zoom_by(&mut self, factor: f32) {
        let Some(drawn) = &self.drawn else { return };
        let area = drawn.scene.area;
        self.eye.zoom(factor, [0, 1].map(|axis| f32::midpoint(area[0][axis], area[1][axis])), area);
    }
}

/// One node: hover, click, drag, menu.
fn node(
    view: &mut NetworkView,
    ui: &Ui,
    response: Response,
    node: &Node<'_>,
    frame: &Frame<'_>,
    actions: &mut Vec<Action>,
) {
    let dragged = view.hand.drags(node);
    if view.hand.points_at(ui, &response, node) {
        view.hovered = Some(node.gene);
    }
    actions.extend(view.hand.drag(ui, &response, node, &mut view.eye, &mut view.arrangement, frame.state));
    actions.extend(click(&response, node, frame.state));
    response.context_menu(|ui| menu(ui, node.symbol(), frame.state, actions));
    if !dragged {
        response.on_hover_ui_at_pointer(|ui| tooltip::gene(ui, frame.network, node.gene, frame.state));
    }
}

/// The space between nodes: pan, deselect, edges.
fn empty_space(view: &mut NetworkView, ui: &Ui, background: &Response, frame: &Frame<'_>, actions: &mut Vec<Action>) {
    view.hand.drag_background(ui, background, &mut view.eye, frame.state);
    // While the picture moves, nobody reads what lies under the pointer.
    let at = background.hover_pos().filter(|_| view.still && !background.dragged());
    let edge = at.zip(view.drawn.as_ref()).and_then(|(at, drawn)| {
        let edge = drawn.scene.hits.edge_at(frame.placement.to_scene(at), 3.5)?;
        let edge = drawn.figure.edges[edge];
        let ends = [edge.from, edge.to].map(|node| drawn.figure.nodes[node].gene);
        frame.network.edge(ends[0], ends[1])
    });
    if background.double_clicked() {
        view.eye.release();
    } else if background.clicked() {
        if let Some(edge) = edge {
            let ends = [edge.regulator, edge.target].map(|gene| frame.network.symbol(gene));
            actions.push(picking::select_ends(ui.ctx(), ends, frame.state));
        } else if !frame.state.document.selection.is_empty() {
            actions.push(Action::ClearSelection);
        }
    }
    if let Some(edge) = edge {
        let known = view.known.says(edge, frame.state);
        let shown = |ui: &mut Ui| tooltip::edge(ui, frame.network, edge, known.as_deref(), frame.state);
        // Whoever rests on an edge wants to know what the held-out cells say of it.
        if background.clone().on_hover_ui_at_pointer(shown).is_tooltip_open() && frame.state.edge_awaits_test(edge) {
            actions.push(Action::TestShownEdges);
        }
    }
}

/// More nodes than widgets are good for: the background finds the node under the pointer.
fn many(
    view: &mut NetworkView,
    ui: &Ui,
    background: &Response,
    nodes: &[Node<'_>],
    frame: &Frame<'_>,
    actions: &mut Vec<Action>,
) {
    let means_node = view.hand.means_node(background);
    let pressed = ui.input(|input| input.pointer.any_down() || input.pointer.any_released());
    let of = |gene: GeneId| nodes.iter().find(|node| node.gene == gene);
    let found = match view.hand.dragged() {
        Some(gene) => of(gene),
        // The pointer is on its menu.
        None if background.context_menu_opened() => view.menu.and_then(of),
        // While the picture moves, nobody reads what lies under the pointer.
        None if !(means_node && (view.steady || pressed)) => None,
        None => {
            let press = ui.input(|input| input.pointer.press_origin());
            let at = press.or(background.hover_pos()).map(|at| frame.placement.to_scene(at));
            let found = at.and_then(|at| view.drawn.as_ref()?.scene.hits.node_at(at, 4.0));
            found.and_then(|found| nodes.iter().find(|node| node.hit.node == found))
        }
    };
    if background.secondary_clicked() {
        view.menu = found.map(|node| node.gene);
    }
    match found {
        Some(found) if means_node => node(view, ui, background.clone(), found, frame, actions),
        _ => empty_space(view, ui, background, frame, actions),
    }
}

fn menu(ui: &mut Ui, symbol: &str, state: &State, actions: &mut Vec<Action>) {
    let document = &state.document;
    let (verb, can) = (verb(state), state.runtime.model.is_some());
    let why_not = "It needs a model; a network file has none";
    let knock_out = ui.add_enabled(can, egui::Button::new(format!("{verb} {symbol}")));
    if knock_out.on_disabled_hover_text(why_not).clicked() {
        actions.push(Action::KnockOut(vec![(symbol.to_owned(), 1.0)]));
    }
    let wave = ui.add_enabled(can, egui::Button::new(format!("Show the wave from {symbol}")));
    if wave.on_disabled_hover_text(why_not).clicked() {
        actions.push(Action::KnockOut(vec![(symbol.to_owned(), 1.0)]));
        actions.push(Action::SetWave(Some(WaveView { step: 0, playing: true })));
    }
    if !document.knock_out.is_empty() && !document.knock_out.contains_key(symbol) {
        let names: Vec<&str> = document.knock_out.keys().map(String::as_str).collect();
        if ui.button(format!("{verb} {symbol} with {}", names.join(", "))).clicked() {
            let mut doses: Vec<(String, f32)> = document.knock_out.clone().into_iter().collect();
            doses.push((symbol.to_owned(), 1.0));
            actions.push(Action::KnockOut(doses));
        }
    }
    let selected = document.is_selected(symbol);
    if ui.button(if selected { "Remove from the selection" } else { "Add to the selection" }).clicked() {
        actions.push(Action::Select { gene: symbol.to_owned(), extend: true });
    }
    picking::menu(ui, symbol, state, actions);
    let pinned = document.pinned.contains(symbol);
    if ui.button(if pinned { "Let the layout move it" } else { "Keep it in place" }).clicked() {
        actions.push(Action::PinNode { gene: symbol.to_owned(), pinned: !pinned });
    }
}

/// Says that the network is still being learned.
fn notice(ui: &Ui, rect: Rect, state: &State) {
    let Some(run) = state.runtime.training.as_ref().filter(|_| state.network_is_live()) else { return };
    let Some(snapshot) = &run.snapshot else { return };
    let colours = theme::colours(ui);
    let text = format!("Learning, epoch {}", snapshot.epoch);
    let font = egui::TextStyle::Small.resolve(ui.style());
    let galley = ui.painter().layout_no_wrap(text, font, colours.on_accent);
    let at = pos2(rect.left() + theme::MEDIUM, rect.top() + theme::MEDIUM);
    let frame = Rect::from_min_size(at, galley.size() + vec2(12.0, 6.0));
    ui.painter().rect_filled(frame, f32::from(theme::ROUNDING), colours.accent);
    ui.painter().galley(at + vec2(6.0, 3.0), galley, Color32::PLACEHOLDER);
}
