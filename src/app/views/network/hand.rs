//! What the pointer does with nodes, in the network and where two are compared: point at one, click it, drag it, select
//! many, or move what is seen.

use egui::{CursorIcon, Painter, PointerButton, Pos2, Rect, Response, Sense, Stroke, Ui, Vec2, WidgetInfo};

use super::arrange::Arrangement;
use super::eye::{Eye, Pane};
use super::picking::{self, Picking};
use crate::app::{Action, State, theme};
use crate::figures::network::NodeHit;
use crate::network::{GeneId, Grn};

/// Up to this many nodes in sight each is a widget of its own, which keyboards and screen readers reach.
pub(in crate::app::views) const WIDGETS: usize = 400;
/// Nodes are at least this easy to hit, in points.
const REACH: f32 = 9.0;

/// A node in sight.
#[derive(Clone, Copy)]
pub(in crate::app::views) struct Node<'a> {
    pub pane: &'a Pane,
    pub network: &'a Grn,
    pub gene: GeneId,
    pub hit: NodeHit,
}

impl<'a> Node<'a> {
    /// Its gene's symbol.
    pub(in crate::app::views) fn symbol(&self) -> &'a str {
        self.network.symbol(self.gene)
    }

    /// Its centre on the screen.
    pub(in crate::app::views) fn centre(&self) -> Pos2 {
        self.pane.placement.to_screen(self.hit.centre)
    }

    /// A widget of its own, labelled `kind` and the gene's symbol.
    pub(in crate::app::views) fn widget(&self, ui: &Ui, painter: &Painter, kind: &str, state: &State) -> Response {
        let region = Rect::from_center_size(self.centre(), Vec2::splat(self.hit.radius.max(REACH) * 2.0));
        let symbol = self.symbol();
        let id = ui.scope_id().with(("node", self.pane.number, symbol));
        let response = ui.interact(region.intersect(self.pane.rect), id, Sense::click_and_drag());
        response.widget_info(|| {
            let selected = state.document.is_selected(symbol);
            WidgetInfo::selected(egui::Role::Button, true, selected, format!("{kind} {symbol}"))
        });
        if response.has_focus() {
            let accent = Stroke::new(2.0, theme::colours(ui).accent);
            painter.circle_stroke(self.centre(), self.hit.radius + 4.0, accent);
        }
        response
    }
}

/// What is under way.
#[derive(Default)]
pub(in crate::app::views) struct Hand {
    /// The node that is dragged: its pane, its gene, and where it was taken relative to its centre (points).
    dragged: Option<(usize, GeneId, Vec2)>,
    /// A box or lasso.
    picking: Option<Picking>,
}

impl Hand {
    /// The gene of the node that is dragged.
    pub(in crate::app::views) fn dragged(&self) -> Option<GeneId> {
        self.dragged.map(|dragged| dragged.1)
    }

    /// Whether `node` is dragged.
    pub(in crate::app::views) fn drags(&self, node: &Node<'_>) -> bool {
        self.dragged.is_some_and(|(pane, gene, _)| (pane, gene) == (node.pane.number, node.gene))
    }

    /// Where the background stands for all nodes: whether the one under the pointer is meant, and not what is panned.
    pub(in crate::app::views) fn means_node(&self, background: &Response) -> bool {
        !background.dragged() || self.dragged.is_some() || background.drag_started()
    }

    /// Whether `node` is pointed at or dragged; the pointer's picture says which.
    pub(in crate::app::views) fn points_at(&self, ui: &Ui, response: &Response, node: &Node<'_>) -> bool {
        let (dragged, free) = (self.drags(node), self.dragged.is_none() && self.picking.is_none());
        let pointed = dragged || (free && response.hovered());
        if pointed {
            ui.ctx().set_cursor_icon(if dragged { CursorIcon::Grabbing } else { CursorIcon::PointingHand });
        }
        pointed
    }

    /// Begin and follow a drag of `node`, or a selection that begins on it. The document learns of a drag once, when the
    /// node is dropped.
    pub(in crate::app::views) fn drag(
        &mut self,
        ui: &Ui,
        response: &Response,
        node: &Node<'_>,
        eye: &mut Eye,
        arrangement: &mut Arrangement,
        state: &State,
    ) -> Option<Action> {
        if let Some(picking) = picking::begin(ui, response, state) {
            self.picking = Some(picking);
            return None;
        }
        if response.drag_started_by(PointerButton::Primary)
            && let Some(press) = ui.input(|input| input.pointer.press_origin())
        {
            self.dragged = Some((node.pane.number, node.gene, node.centre() - press));
            eye.hold();
        }
        let (_, gene, offset) = self.dragged.filter(|_| self.drags(node))?;
        let (pointer, down) = ui.input(|input| (input.pointer.interact_pos(), input.pointer.any_down()));
        if let (true, Some(at)) = (response.dragged(), pointer) {
            arrangement.hold(gene, eye.layout_point(node.pane, at + offset));
            ui.ctx().request_repaint();
        }
        if down && !response.drag_stopped() {
            return None;
        }
        self.dragged = None;
        let (_, position) = arrangement.release()?;
        Some(Action::MoveNode { gene: node.symbol().to_owned(), position })
    }

    /// A drag that begins between nodes selects, or moves what is seen.
    pub(in crate::app::views) fn drag_background(
        &mut self,
        ui: &Ui,
        background: &Response,
        eye: &mut Eye,
        state: &State,
    ) {
        if let Some(picking) = picking::begin(ui, background, state) {
            self.picking = Some(picking);
        }
        if background.dragged() && self.picking.is_none() && self.dragged.is_none() {
            eye.pan(ui, background);
        }
    }

    /// Follow a box or lasso over `nodes` within `area`, and select the genes inside once it is closed.
    pub(in crate::app::views) fn pick<'a>(
        &mut self,
        ui: &Ui,
        area: Rect,
        nodes: impl Iterator<Item = &'a Node<'a>>,
        state: &State,
        actions: &mut Vec<Action>,
    ) {
        let places = nodes.map(|node| (node.centre(), node.symbol()));
        picking::follow(&mut self.picking, ui, area, places, state, actions);
    }
}

/// What a click on `node` asks for: select it; a double click lets the layout move it.
pub(in crate::app::views) fn click(response: &Response, node: &Node<'_>, state: &State) -> Option<Action> {
    let gene = || node.symbol().to_owned();
    if response.double_clicked() {
        let pinned = state.document.pinned.contains(node.symbol());
        pinned.then(|| Action::PinNode { gene: gene(), pinned: false })
    } else {
        response.clicked().then(|| Action::Select { gene: gene(), extend: picking::extends(&response.ctx) })
    }
}
