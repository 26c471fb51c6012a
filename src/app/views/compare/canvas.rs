//! Pointer and keys on the two networks: what happens in one happens in both.

use std::sync::Arc;

use egui::{Rect, Response, Sense, Ui, WidgetInfo, vec2};

use super::CompareView;
use crate::app::views::network::eye::Pane;
use crate::app::views::network::hand::{Node, WIDGETS, click};
use crate::app::views::network::picking::select_ends;
use crate::app::views::network::verb;
use crate::app::widgets::Placement;
use crate::app::{Action, State};
use crate::figures::network::NodeHit;
use crate::network::GeneId;
use crate::network::compare::Seen;
use crate::tasks::compare::Compared;
use crate::words::{counted, grouped};

/// What a handler needs to know about this frame.
struct Frame<'a> {
    panes: &'a [Pane],
    compared: &'a Compared,
    names: &'a [String; 2],
    state: &'a State,
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
    let whole = Placement::at(rect.min.round());
    let scenes = &drawn.scene.panes;
    let panes = scenes.iter().enumerate().map(|(number, scene)| {
        let placement = Placement::at(whole.to_screen(scene.at));
        let rect = Rect::from_min_max(placement.to_screen(scene.area[0]), placement.to_screen(scene.area[1]));
        Pane { number, placement, area: scene.area, rect }
    });
    let panes: Vec<Pane> = panes.collect();
    let nodes = panes.iter().zip(scenes.iter().zip(&drawn.figure.panes)).map(|(pane, (scene, figure))| {
        let gene = |hit: &NodeHit| figure.nodes[hit.node].gene;
        let node = |hit: &NodeHit| Node { pane, network: &compared.union.grn, gene: gene(hit), hit: *hit };
        scene.hits.nodes.iter().map(node).collect()
    });
    let nodes: Vec<Vec<Node<'_>>> = nodes.collect();
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
    let frame = Frame { panes: &panes, compared, names, state };
    let before = view.hovered.take();
    view.eye.wheel(ui, &background, panes.iter());
    let total: usize = nodes.iter().map(Vec::len).sum();
    for (pane, nodes) in panes.iter().zip(&nodes) {
        if total > WIDGETS {
            if let Some(found) = under_pointer(view, ui, &background, pane, nodes) {
                node(view, ui, background.clone(), found, &frame, actions);
            }
            continue;
        }
        let kind = match (panes.len(), pane.number) {
            (1, _) => "node",
            (_, 0) => "left node",
            _ => "right node",
        };
        for shown in nodes {
            let response = shown.widget(ui, &painter, kind, state);
            node(view, ui, response, shown, &frame, actions);
        }
    }
    if view.hovered.is_none() && view.hand.dragged().is_none() {
        empty_space(view, ui, &background, &frame, actions);
    }
    if view.hovered != before {
        ui.ctx().request_repaint();
    }
    view.hand.pick(ui, rect, nodes.iter().flatten(), state, actions);
}

/// More nodes than widgets are good for: the node of `pane` that the background stands for.
fn under_pointer<'a>(
    view: &CompareView,
    ui: &Ui,
    background: &Response,
    pane: &Pane,
    nodes: &'a [Node<'a>],
) -> Option<&'a Node<'a>> {
    if !view.hand.means_node(background) {
        return None;
    }
    nodes.iter().find(|node| view.hand.drags(node)).or_else(|| {
        let press = ui.input(|input| input.pointer.press_origin());
        let at = press.or(background.hover_pos()).filter(|at| pane.rect.contains(*at))?;
        let hits = &view.drawn.as_ref()?.scene.panes[pane.number].hits;
        let found = hits.node_at(pane.placement.to_scene(at), 4.0)?;
        nodes.iter().find(|node| node.hit.node == found)
    })
}

/// One node: hover, click, drag.
fn node(
    view: &mut CompareView,
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
    if !dragged {
        response.on_hover_ui_at_pointer(|ui| gene_facts(ui, node.gene, frame.compared, frame.names));
    }
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
fn empty_space(view: &mut CompareView, ui: &Ui, background: &Response, frame: &Frame<'_>, actions: &mut Vec<Action>) {
    let Frame { panes, compared, names, state } = *frame;
    view.hand.drag_background(ui, background, &mut view.eye, state);
    let at = background.hover_pos().filter(|_| !background.dragged());
    let row = at.zip(view.drawn.as_ref()).and_then(|(at, drawn)| {
        let pane = panes.iter().find(|pane| pane.rect.contains(at))?;
        let figure = &drawn.figure.panes[pane.number];
        let edge = drawn.scene.panes[pane.number].hits.edge_at(pane.placement.to_scene(at), 3.5)?;
        let [from, to] = [figure.edges[edge].from, figure.edges[edge].to].map(|node| figure.nodes[node].gene);
        let edge = compared.union.grn.edge(from, to)?;
        Some(compared.union.rows[edge.rank as usize - 1])
    });
    if background.double_clicked() {
        view.eye.release();
    } else if background.clicked() {
        match row.map(|row| &compared.comparison.edges[row]) {
            Some(edge) => actions.push(select_ends(ui.ctx(), [&edge.regulator, &edge.target], state)),
            None if !state.document.selection.is_empty() => actions.push(Action::ClearSelection),
            None => {}
        }
    }
    if let Some(row) = row {
        background.clone().on_hover_ui_at_pointer(|ui| edge_facts(ui, compared, row, names));
    }
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
