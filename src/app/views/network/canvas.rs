//! Pointer and keys on the network.

use egui::{Color32, CursorIcon, Id, Pos2, Rect, Response, Sense, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::picking::{self, Picking};
use super::{NetworkView, tooltip, wave};
use crate::app::state::WaveView;
use crate::app::views::knock_out::verb;
use crate::app::widgets::Placement;
use crate::app::{Action, State, theme};
use crate::figures::network::{Area, Camera, NodeHit};
use crate::network::{GeneId, Grn};

/// Up to this many nodes in sight each is a widget of its own, which keyboards and screen readers reach.
const WIDGETS: usize = 400;
/// Nodes are at least this easy to hit, in points.
const REACH: f32 = 9.0;

/// What the pointer is doing.
#[derive(Default)]
pub struct Canvas {
    /// The node that is dragged, and where it was taken relative to its centre (points).
    dragged: Option<(GeneId, Vec2)>,
    /// The node whose menu is open, where nodes are no widgets of their own.
    menu: Option<GeneId>,
    /// A box or lasso under way.
    picking: Option<Picking>,
}

/// Draw the network into the rest of `ui`.
pub fn show(view: &mut NetworkView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let size = ui.available_size().max(vec2(80.0, 80.0));
    let (rect, background) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let size = [rect.width().round(), rect.height().round()];
    let dark = ui.visuals().dark_mode;
    let moment = ui.input(|input| input.stable_dt);
    let Some((drawn, moving)) = view.draw(state, size, dark, moment) else { return };
    let (area, camera) = (drawn.scene.area, drawn.view.0);
    let nodes = drawn.scene.hits.nodes.clone();
    let genes: Vec<GeneId> = nodes.iter().map(|hit| drawn.figure.nodes[hit.node].gene).collect();
    let Some(network) = state.network() else { return };
    let placement = Placement::at(rect.min.round());
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
        WidgetInfo::labeled(egui::accesskit::Role::GraphicsDocument, true, text)
    });
    let frame = Frame { placement, area, camera, network, state };
    let before = view.hovered.take();
    wheel(view, ui, rect, &background, &frame);
    if nodes.len() <= WIDGETS {
        for (hit, gene) in nodes.iter().zip(&genes) {
            let reach = hit.radius.max(REACH);
            let region = Rect::from_center_size(placement.to_screen(hit.centre), Vec2::splat(reach * 2.0));
            let symbol = network.symbol(*gene);
            let response = ui.interact(region.intersect(rect), node_id(ui, symbol), Sense::click_and_drag());
            response.widget_info(|| {
                let selected = state.document.is_selected(symbol);
                WidgetInfo::selected(egui::accesskit::Role::Button, true, selected, format!("node {symbol}"))
            });
            if response.has_focus() {
                let ring = hit.radius + 4.0;
                let accent = Stroke::new(2.0, theme::colours(ui).accent);
                painter.circle_stroke(placement.to_screen(hit.centre), ring, accent);
            }
            node(view, ui, response, *gene, hit, &frame, actions);
        }
        if view.hovered.is_none() {
            empty_space(view, ui, &background, &frame, actions);
        }
    } else {
        many(view, ui, &background, &nodes, &genes, &frame, actions);
    }
    if view.hovered != before {
        ui.ctx().request_repaint();
    }
    let places = nodes.iter().zip(&genes);
    let places = places.map(|(hit, gene)| (placement.to_screen(hit.centre), network.symbol(*gene)));
    picking::follow(&mut view.canvas.picking, ui, rect, places, state, actions);
    notice(ui, rect, state);
}

/// What a handler needs to know about this frame.
struct Frame<'a> {
    placement: Placement,
    area: Area,
    camera: Camera,
    network: &'a Grn,
    state: &'a State,
}

impl Frame<'_> {
    /// The layout's point under a point of the screen that is kept inside the area.
    fn layout_point(&self, at: Pos2) -> [f32; 2] {
        let at = self.placement.to_scene(at);
        let inside = |axis: usize| {
            let (low, high) = (self.area[0][axis] + 4.0, self.area[1][axis] - 4.0);
            at[axis].max(low).min(high.max(low))
        };
        self.camera.to_world([inside(0), inside(1)], self.area)
    }
}

fn node_id(ui: &Ui, symbol: &str) -> Id {
    ui.scope_id().with(("network node", symbol))
}

fn paint(view: &mut NetworkView, painter: &egui::Painter, placement: Placement) {
    if let Some(drawn) = &view.drawn {
        view.painter.paint(painter, &drawn.scene.scene, drawn.version, placement);
    }
}

/// Wheel and pinch zoom where the pointer is.
fn wheel(view: &mut NetworkView, ui: &Ui, rect: Rect, background: &Response, frame: &Frame<'_>) {
    // `contains_pointer` is false where a window or popup lies above.
    let on_top = background.contains_pointer() || ui.rect_contains_pointer(rect);
    let Some(at) = ui.input(|input| input.pointer.hover_pos()).filter(|at| on_top && rect.contains(*at)) else {
        return;
    };
    let factor = ui.input(|input| input.zoom_delta() * (input.smooth_scroll_delta().y / 240.0).exp());
    if (factor - 1.0).abs() > 1e-4 {
        let mut camera = frame.camera;
        zoom(&mut camera, factor, frame.placement.to_scene(at), frame.area);
        view.camera = Some(camera);
        view.camera_held = true;
        ui.ctx().request_repaint();
    }
}

/// Zoom within sensible limits: from a fifth of the default to where three neighbours fill the screen.
fn zoom(camera: &mut Camera, factor: f32, at: [f32; 2], area: Area) {
    camera.zoom_at(factor, at, area);
}

impl NetworkView {
    /// Zoom around the middle, for buttons and keys.
    pub(super) fn zoom_by(&mut self, factor: f32) {
        let Some(drawn) = &self.drawn else { return };
        let area = drawn.scene.area;
        let middle = [0, 1].map(|axis| f32::midpoint(area[0][axis], area[1][axis]));
        let mut camera = drawn.view.0;
        zoom(&mut camera, factor, middle, area);
        self.camera = Some(camera);
        self.camera_held = true;
    }
}

/// One node: hover, click, drag, menu.
fn node(
    view: &mut NetworkView,
    ui: &Ui,
    response: Response,
    gene: GeneId,
    hit: &NodeHit,
    frame: &Frame<'_>,
    actions: &mut Vec<Action>,
) {
    let symbol = frame.network.symbol(gene);
    let dragged = view.canvas.dragged.is_some_and(|(dragged, _)| dragged == gene);
    if (response.hovered() && view.canvas.dragged.is_none() && view.canvas.picking.is_none()) || dragged {
        view.hovered = Some(gene);
        ui.ctx().set_cursor_icon(if dragged { CursorIcon::Grabbing } else { CursorIcon::PointingHand });
    }
    drag(view, ui, &response, gene, frame.placement.to_screen(hit.centre), frame, actions);
    click(&response, symbol, ui, frame.state, actions);
    response.context_menu(|ui| menu(ui, symbol, frame.state, actions));
    if !dragged {
        response.on_hover_ui_at_pointer(|ui| tooltip::gene(ui, frame.network, gene, frame.state));
    }
}

fn click(response: &Response, symbol: &str, ui: &Ui, state: &State, actions: &mut Vec<Action>) {
    if response.double_clicked() {
        if state.document.pinned.contains(symbol) {
            actions.push(Action::PinNode { gene: symbol.to_owned(), pinned: false });
        }
    } else if response.clicked() {
        let extend = ui.input(|input| input.modifiers.shift || input.modifiers.command);
        actions.push(Action::Select { gene: symbol.to_owned(), extend });
    }
}

fn drag(
    view: &mut NetworkView,
    ui: &Ui,
    response: &Response,
    gene: GeneId,
    centre: Pos2,
    frame: &Frame<'_>,
    actions: &mut Vec<Action>,
) {
    let pointer = ui.input(|input| input.pointer.interact_pos());
    if let Some(picking) = picking::begin(ui, response, frame.state) {
        view.canvas.picking = Some(picking);
        return;
    }
    if response.drag_started_by(egui::PointerButton::Primary)
        && let Some(press) = ui.input(|input| input.pointer.press_origin())
    {
        view.canvas.dragged = Some((gene, centre - press));
        view.camera = Some(frame.camera);
        view.camera_held = true;
    }
    let Some((_, offset)) = view.canvas.dragged.filter(|(dragged, _)| *dragged == gene) else { return };
    if let (true, Some(at)) = (response.dragged(), pointer) {
        let position = frame.layout_point(at + offset);
        view.arrangement.hold(gene, position);
        ui.ctx().request_repaint();
    }
    if response.drag_stopped() || !ui.input(|input| input.pointer.any_down()) {
        view.canvas.dragged = None;
        // The document learns of it once, when the node is dropped.
        if let Some((gene, position)) = view.arrangement.release() {
            actions.push(Action::MoveNode { gene: frame.network.symbol(gene).to_owned(), position });
        }
    }
}

/// The space between nodes: pan, deselect, edges.
fn empty_space(view: &mut NetworkView, ui: &Ui, background: &Response, frame: &Frame<'_>, actions: &mut Vec<Action>) {
    if let Some(picking) = picking::begin(ui, background, frame.state) {
        view.canvas.picking = Some(picking);
    }
    if background.dragged() && view.canvas.picking.is_none() && view.canvas.dragged.is_none() {
        let mut camera = frame.camera;
        let by = background.drag_delta();
        camera.pan([by.x, by.y]);
        view.camera = Some(camera);
        view.camera_held = true;
        ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
        ui.ctx().request_repaint();
    }
    // While the picture moves, nobody reads what lies under the pointer.
    let at = background.hover_pos().filter(|_| view.still && !background.dragged());
    let edge = at.zip(view.drawn.as_ref()).and_then(|(at, drawn)| {
        let edge = drawn.scene.hits.edge_at(frame.placement.to_scene(at), 3.5)?;
        let edge = drawn.figure.edges[edge];
        let ends = [edge.from, edge.to].map(|node| drawn.figure.nodes[node].gene);
        frame.network.edge(ends[0], ends[1])
    });
    if background.double_clicked() {
        view.camera_held = false;
    } else if background.clicked() {
        if let Some(edge) = edge {
            actions.push(picking::edge(ui, frame.network, edge, frame.state));
        } else if !frame.state.document.selection.is_empty() {
            actions.push(Action::ClearSelection);
        }
    }
    if let Some(edge) = edge {
        let known = view.known.says(edge);
        background.clone().on_hover_ui_at_pointer(|ui| tooltip::edge(ui, frame.network, edge, known, frame.state));
    }
}

/// More nodes than widgets are good for: the background finds the node under the pointer.
fn many(
    view: &mut NetworkView,
    ui: &Ui,
    background: &Response,
    nodes: &[NodeHit],
    genes: &[GeneId],
    frame: &Frame<'_>,
    actions: &mut Vec<Action>,
) {
    let pannable = !background.dragged() || view.canvas.dragged.is_some() || background.drag_started();
    let pressed = ui.input(|input| input.pointer.any_down() || input.pointer.any_released());
    let at = match view.canvas.dragged {
        Some((gene, _)) => genes.iter().position(|known| *known == gene),
        // The pointer is on its menu.
        None if background.context_menu_opened() => {
            view.canvas.menu.and_then(|gene| genes.iter().position(|known| *known == gene))
        }
        // While the picture moves, nobody reads what lies under the pointer.
        None if !(pannable && (view.steady || pressed)) => None,
        None => {
            let press = ui.input(|input| input.pointer.press_origin());
            let at = press.or(background.hover_pos()).map(|at| frame.placement.to_scene(at));
            let found = at.and_then(|at| view.drawn.as_ref()?.scene.hits.node_at(at, 4.0));
            found.and_then(|found| nodes.iter().position(|hit| hit.node == found))
        }
    };
    if background.secondary_clicked() {
        view.canvas.menu = at.map(|at| genes[at]);
    }
    match at {
        Some(at) if pannable => node(view, ui, background.clone(), genes[at], &nodes[at], frame, actions),
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
