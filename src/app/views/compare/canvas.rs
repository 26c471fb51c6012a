//! Pointer and keys on the two networks: what happens in one happens in both.

use egui::{CursorIcon, Pos2, Rect, Response, Sense, Stroke, Ui, Vec2, WidgetInfo, vec2};

use super::CompareView;
use crate::app::views::network::picking::{self, Picking};
use crate::app::views::network::verb;
use crate::app::widgets::Placement;
use crate::app::{Action, State, theme};
use crate::figures::network::{Area, Camera, NodeHit};
use crate::network::GeneId;
use crate::network::compare::Seen;
use crate::tasks::compare::Compared;
use crate::words::{counted, grouped};

use std::sync::Arc;

/// Up to this many nodes in sight each is a widget of its own, which keyboards and screen readers reach.
const WIDGETS: usize = 400;
/// Nodes are at least this easy to hit, in points.
const REACH: f32 = 9.0;

/// What the pointer is doing.
#[derive(Default)]
pub(super) struct Canvas {
    /// The node that is dragged in a pane, and where it was taken relative to its centre (points).
    dragged: Option<(usize, GeneId, Vec2)>,
    picking: Option<Picking>,
}

/// A pane on the screen.
struct Place {
    number: usize,
    placement: Placement,
    rect: Rect,
    area: Area,
    nodes: Vec<(NodeHit, GeneId)>,
}

/// Draw both networks into the rest of `ui`.
pub(super) fn show(
    view: &mut CompareView,
    ui: &mut Ui,
    compared: &Arc<Compared>,
    names: &[String; 2],
    state: &State,
    actions: &mut Vec<Action>,
) {
    let size = ui.available_size().max(vec2(80.0, 80.0));
    let (rect, background) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let size = [rect.width().round(), rect.height().round()];
    let dark = ui.visuals().dark_mode;
    let moment = ui.input(|input| input.stable_dt);
    let Some((drawn, moving)) = view.draw(compared, names, state, size, dark, moment) else { return };
    let camera = drawn.view.0;
    let whole = Placement::at(rect.min.round());
    let places: Vec<Place> = drawn
        .scene
        .panes
        .iter()
        .zip(&drawn.figure.panes)
        .enumerate()
        .map(|(number, (pane, figure))| {
            let placement = Placement::at(whole.to_screen(pane.at));
            let rect = Rect::from_min_max(placement.to_screen(pane.area[0]), placement.to_screen(pane.area[1]));
            let nodes = pane.hits.nodes.iter().map(|hit| (*hit, figure.nodes[hit.node].gene)).collect();
            Place { number, placement, rect, area: pane.area, nodes }
        })
        .collect();
    let painter = ui.painter_at(rect);
    if let Some(drawn) = &view.drawn {
        view.painter.paint(&painter, &drawn.scene.scene, drawn.version, whole);
    }
    if moving {
        ui.ctx().request_repaint();
    }
    background.widget_info(|| {
        let text = format!("Comparison of {} and {}", names[0], names[1]);
        WidgetInfo::labeled(egui::Role::GraphicsDocument, true, text)
    });
    let before = view.hovered.take();
    wheel(view, ui, rect, &background, &places, camera);
    let grn = compared.union.grn.clone();
    let total: usize = places.iter().map(|place| place.nodes.len()).sum();
    let pointer = ui.input(|input| input.pointer.press_origin()).or(background.hover_pos());
    for place in &places {
        if total > WIDGETS {
            // The background finds the node under the pointer.
            let dragged = view.canvas.dragged.filter(|dragged| dragged.0 == place.number).map(|dragged| dragged.1);
            let found = dragged.and_then(|gene| place.nodes.iter().find(|node| node.1 == gene)).or_else(|| {
                let at = place.placement.to_scene(pointer.filter(|at| place.rect.contains(*at))?);
                let drawn = view.drawn.as_ref()?;
                let node = drawn.scene.panes[place.number].hits.node_at(at, 4.0)?;
                place.nodes.iter().find(|(hit, _)| hit.node == node)
            });
            let pannable = !background.dragged() || view.canvas.dragged.is_some() || background.drag_started();
            if let Some((hit, gene)) = found.copied().filter(|_| pannable) {
                node(view, ui, background.clone(), gene, &hit, place, camera, compared, names, state, actions);
            }
            continue;
        }
        let side = match (places.len(), place.number) {
            (1, _) => "node",
            (_, 0) => "left node",
            _ => "right node",
        };
        for (hit, gene) in &place.nodes {
            let symbol = grn.symbol(*gene);
            let region =
                Rect::from_center_size(place.placement.to_screen(hit.centre), Vec2::splat(hit.radius.max(REACH) * 2.0));
            let id = ui.scope_id().with(("compared node", place.number, symbol));
            let response = ui.interact(region.intersect(place.rect), id, Sense::click_and_drag());
            response.widget_info(|| {
                let selected = state.document.is_selected(symbol);
                WidgetInfo::selected(egui::Role::Button, true, selected, format!("{side} {symbol}"))
            });
            if response.has_focus() {
                let accent = Stroke::new(2.0, theme::colours(ui).accent);
                painter.circle_stroke(place.placement.to_screen(hit.centre), hit.radius + 4.0, accent);
            }
            node(view, ui, response, *gene, hit, place, camera, compared, names, state, actions);
        }
    }
    if view.hovered.is_none() && view.canvas.dragged.is_none() {
        empty_space(view, ui, &background, &places, camera, compared, names, state, actions);
    }
    if view.hovered != before {
        ui.ctx().request_repaint();
    }
    let nodes = places.iter().flat_map(|place| {
        place.nodes.iter().map(|(hit, gene)| (place.placement.to_screen(hit.centre), grn.symbol(*gene)))
    });
    picking::follow(&mut view.canvas.picking, ui, rect, nodes, state, actions);
}

/// Wheel and pinch zoom where the pointer is, in both.
fn wheel(view: &mut CompareView, ui: &Ui, rect: Rect, background: &Response, places: &[Place], camera: Camera) {
    let on_top = background.contains_pointer() || ui.rect_contains_pointer(rect);
    let Some(at) = ui.input(|input| input.pointer.hover_pos()).filter(|_| on_top) else { return };
    let Some(place) = places.iter().find(|place| place.rect.contains(at)) else { return };
    let factor = ui.input(|input| input.zoom_delta() * (input.smooth_scroll_delta().y / 240.0).exp());
    if (factor - 1.0).abs() > 1e-4 {
        let mut camera = camera;
        camera.zoom_at(factor, place.placement.to_scene(at), place.area);
        view.camera = Some(camera);
        view.camera_held = true;
        ui.ctx().request_repaint();
    }
}

/// The layout's point under a point of the screen that is kept inside the pane.
fn layout_point(place: &Place, camera: Camera, at: Pos2) -> [f32; 2] {
    let at = place.placement.to_scene(at);
    let inside = |axis: usize| {
        let (low, high) = (place.area[0][axis] + 4.0, place.area[1][axis] - 4.0);
        at[axis].max(low).min(high.max(low))
    };
    camera.to_world([inside(0), inside(1)], place.area)
}

/// One node: hover, click, drag.
#[allow(clippy::too_many_arguments)]
fn node(
    view: &mut CompareView,
    ui: &Ui,
    response: Response,
    gene: GeneId,
    hit: &NodeHit,
    place: &Place,
    camera: Camera,
    compared: &Compared,
    names: &[String; 2],
    state: &State,
    actions: &mut Vec<Action>,
) {
    let symbol = compared.union.grn.symbol(gene);
    let is_dragged = |view: &CompareView| {
        view.canvas.dragged.is_some_and(|(pane, dragged, _)| pane == place.number && dragged == gene)
    };
    let free = view.canvas.dragged.is_none() && view.canvas.picking.is_none();
    if (response.hovered() && free) || is_dragged(view) {
        view.hovered = Some(gene);
        ui.ctx().set_cursor_icon(if free { CursorIcon::PointingHand } else { CursorIcon::Grabbing });
    }
    if let Some(picking) = picking::begin(ui, &response, state) {
        view.canvas.picking = Some(picking);
    } else if response.drag_started_by(egui::PointerButton::Primary)
        && let Some(press) = ui.input(|input| input.pointer.press_origin())
    {
        view.canvas.dragged = Some((place.number, gene, place.placement.to_screen(hit.centre) - press));
        view.camera = Some(camera);
        view.camera_held = true;
    }
    if let Some((_, _, offset)) = view.canvas.dragged.filter(|_| is_dragged(view)) {
        let pointer = ui.input(|input| input.pointer.interact_pos());
        if let (true, Some(at)) = (response.dragged(), pointer) {
            let position = layout_point(place, camera, at + offset);
            view.arrangement.hold(gene, position);
            ui.ctx().request_repaint();
        }
        if response.drag_stopped() || !ui.input(|input| input.pointer.any_down()) {
            view.canvas.dragged = None;
            // The document learns of it once, when the node is dropped.
            if let Some((gene, position)) = view.arrangement.release() {
                let gene = compared.union.grn.symbol(gene).to_owned();
                actions.push(Action::MoveNode { gene, position });
            }
        }
        return;
    }
    if response.double_clicked() {
        if state.document.pinned.contains(symbol) {
            actions.push(Action::PinNode { gene: symbol.to_owned(), pinned: false });
        }
    } else if response.clicked() {
        let extend = ui.input(|input| input.modifiers.shift || input.modifiers.command);
        actions.push(Action::Select { gene: symbol.to_owned(), extend });
    }
    response.on_hover_ui_at_pointer(|ui| gene_facts(ui, gene, compared, names));
}

/// Numbers of edges on both sides.
fn gene_facts(ui: &mut Ui, gene: GeneId, compared: &Compared, names: &[String; 2]) {
    let union = &compared.union;
    ui.label(egui::RichText::new(union.grn.symbol(gene)).strong());
    for (side, name) in names.iter().enumerate() {
        let (mut out, mut into) = (0, 0);
        for (edge, &row) in union.grn.edges().iter().zip(&union.rows) {
            if union.quality[row][side].is_some() {
                out += usize::from(edge.regulator == gene);
                into += usize::from(edge.target == gene);
            }
        }
        ui.label(if union.known[gene.0 as usize][side] {
            format!("{name}: {}, {}", counted(out, "target"), counted(into, "regulator"))
        } else {
            format!("{name}: not in this network")
        });
    }
}

/// The space between nodes: pan, deselect, edges.
#[allow(clippy::too_many_arguments)]
fn empty_space(
    view: &mut CompareView,
    ui: &Ui,
    background: &Response,
    places: &[Place],
    camera: Camera,
    compared: &Compared,
    names: &[String; 2],
    state: &State,
    actions: &mut Vec<Action>,
) {
    if let Some(picking) = picking::begin(ui, background, state) {
        view.canvas.picking = Some(picking);
    }
    if background.dragged() && view.canvas.picking.is_none() {
        let mut camera = camera;
        let by = background.drag_delta();
        camera.pan([by.x, by.y]);
        view.camera = Some(camera);
        view.camera_held = true;
        ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
        ui.ctx().request_repaint();
    }
    let at = background.hover_pos().filter(|_| !background.dragged());
    let row = at.zip(view.drawn.as_ref()).and_then(|(at, drawn)| {
        let place = places.iter().find(|place| place.rect.contains(at))?;
        let figure = &drawn.figure.panes[place.number];
        let edge = drawn.scene.panes[place.number].hits.edge_at(place.placement.to_scene(at), 3.5)?;
        let [from, to] = [figure.edges[edge].from, figure.edges[edge].to].map(|node| figure.nodes[node].gene);
        let edge = compared.union.grn.edge(from, to)?;
        Some(compared.union.rows[edge.rank as usize - 1])
    });
    if background.double_clicked() {
        view.camera_held = false;
    } else if background.clicked() {
        match row {
            Some(row) => {
                // With Shift or Ctrl beside what is selected.
                let adds = ui.input(|input| input.modifiers.shift || input.modifiers.command);
                let genes = if adds { state.document.selection.clone() } else { Vec::new() };
                actions.push(select(compared, row, genes));
            }
            None if !state.document.selection.is_empty() => actions.push(Action::ClearSelection),
            None => {}
        }
    }
    if let Some(row) = row {
        background.clone().on_hover_ui_at_pointer(|ui| edge_facts(ui, compared, row, names));
    }
}

/// Select both ends of an edge beside `genes`.
pub(super) fn select(compared: &Compared, row: usize, mut genes: Vec<String>) -> Action {
    let edge = &compared.comparison.edges[row];
    for symbol in [&edge.regulator, &edge.target] {
        if !genes.contains(symbol) {
            genes.push(symbol.clone());
        }
    }
    Action::SelectAll(genes)
}

/// What both networks say of an edge.
fn edge_facts(ui: &mut Ui, compared: &Compared, row: usize, names: &[String; 2]) {
    let edge = &compared.comparison.edges[row];
    let sign = edge.left.or(edge.right).map(|seen| seen.sign).unwrap_or_default();
    let verb = if edge.contradicts() { "→" } else { verb(sign) };
    ui.label(egui::RichText::new(format!("{} {verb} {}", edge.regulator, edge.target)).strong());
    for (seen, name) in [edge.left, edge.right].into_iter().zip(names) {
        ui.label(format!("{name}: {}", said(seen, edge.contradicts())));
    }
}

/// `rank 3, probability 0.812`.
fn said(seen: Option<Seen>, with_sign: bool) -> String {
    let Some(seen) = seen else { return "not among the edges compared".to_owned() };
    let mut parts = Vec::new();
    if with_sign {
        parts.push(verb(seen.sign).to_owned());
    }
    parts.extend(seen.rank.map(|rank| format!("rank {}", grouped(rank as usize))));
    parts.extend(seen.probability.map(|probability| format!("probability {probability:.3}")));
    if parts.is_empty() { "there".to_owned() } else { parts.join(", ") }
}
