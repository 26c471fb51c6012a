//! Selecting with a box or a lasso: by tool, or with Shift (box, adds) and Ctrl (lasso) held while dragging.

use egui::{Pos2, Rect, Response, Shape, Stroke, StrokeKind, Ui, WidgetInfo};

use crate::app::state::{PickTool, TableKind};
use crate::app::{Action, State, theme};
use crate::document::PathQuery;

/// Points of a lasso are at least this far apart, on the screen.
const STEP: f32 = 3.0;

/// A selection under way.
#[derive(Clone, Debug)]
pub(super) struct Picking {
    outline: Outline,
    /// Keep what is selected already.
    adds: bool,
}

#[derive(Clone, Debug)]
enum Outline {
    Box(Pos2),
    Lasso(Vec<Pos2>),
}

/// What a drag that begins now would select with, and whether it adds to the selection; none where it pans.
fn wanted(ui: &Ui, state: &State) -> Option<(PickTool, bool)> {
    let modifiers = ui.input(|input| input.modifiers);
    let tool = match (state.view.tool, modifiers.command, modifiers.shift) {
        (_, true, _) => PickTool::Lasso,
        (PickTool::Pan, _, true) => PickTool::Box,
        (tool, ..) => tool,
    };
    (tool != PickTool::Pan).then_some((tool, modifiers.shift))
}

/// Begin, if the drag that starts with `response` is to select.
pub(super) fn begin(ui: &Ui, response: &Response, state: &State) -> Option<Picking> {
    if !response.drag_started_by(egui::PointerButton::Primary) {
        return None;
    }
    let (tool, adds) = wanted(ui, state)?;
    let from = ui.input(|input| input.pointer.press_origin())?;
    let outline = if tool == PickTool::Lasso { Outline::Lasso(vec![from]) } else { Outline::Box(from) };
    Some(Picking { outline, adds })
}

/// Follow the pointer and draw the outline within `area`. When the button is let go, select the genes among `nodes` (their
/// places on the screen, and symbols) that lie inside.
pub(super) fn follow<'a>(
    picking: &mut Option<Picking>,
    ui: &Ui,
    area: Rect,
    nodes: impl Iterator<Item = (Pos2, &'a str)>,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let Some(now) = picking else { return };
    let (to, down) = ui.input(|input| (input.pointer.interact_pos(), input.pointer.any_down()));
    let Some(to) = to else {
        *picking = None;
        return;
    };
    if let Outline::Lasso(points) = &mut now.outline
        && points.last().is_none_or(|last| last.distance(to) >= STEP)
    {
        points.push(to);
    }
    let accent = theme::colours(ui).accent;
    let painter = ui.painter_at(area);
    match &now.outline {
        Outline::Box(from) => {
            let shape = Rect::from_two_pos(*from, to);
            painter.rect(shape, 2.0, accent.gamma_multiply(0.1), Stroke::new(1.0, accent), StrokeKind::Middle);
        }
        Outline::Lasso(points) => {
            painter.add(Shape::closed_line(points.clone(), Stroke::new(1.5, accent)));
        }
    }
    if down {
        return;
    }
    let inside = |at: Pos2| match &now.outline {
        Outline::Box(from) => Rect::from_two_pos(*from, to).contains(at),
        Outline::Lasso(points) => surrounds(points, at),
    };
    let mut genes = if now.adds { state.document.selection.clone() } else { Vec::new() };
    let known: std::collections::HashSet<String> = genes.iter().cloned().collect();
    let new = nodes.filter(|(at, symbol)| inside(*at) && !known.contains(*symbol));
    genes.extend(new.map(|(_, symbol)| symbol.to_owned()));
    if genes != state.document.selection {
        actions.push(if genes.is_empty() { Action::ClearSelection } else { Action::SelectAll(genes) });
    }
    *picking = None;
}

/// Buttons of the toolbar: what a drag does, and the tables.
pub(super) fn tools(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    for (tool, text, hint) in [
        (PickTool::Box, "Box", "Select with a box: drag; Shift adds. Without this button: hold Shift while dragging"),
        (
            PickTool::Lasso,
            "Lasso",
            "Select with a lasso: drag; Shift adds. Without this button: hold Ctrl while dragging",
        ),
    ] {
        let on = state.view.tool == tool;
        let button = ui.selectable_label(on, text);
        button.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, on, format!("{text} selection")));
        if button.on_hover_text(hint).clicked() {
            actions.push(Action::SetTool(if on { PickTool::Pan } else { tool }));
        }
    }
    let on = state.view.table.is_some();
    let button = ui.selectable_label(on, "Tables");
    button.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, on, "Tables"));
    if button.on_hover_text("Genes and edges as tables below the network").clicked() {
        actions.push(Action::ShowTable((!on).then_some(TableKind::Genes)));
    }
}

/// Whether a click adds to what is selected: with Shift or Ctrl.
pub(in crate::app::views) fn extends(context: &egui::Context) -> bool {
    context.input(|input| input.modifiers.shift || input.modifiers.command)
}

/// A click on an edge selects both its ends; with Shift or Ctrl, beside what is selected.
pub(in crate::app::views) fn select_ends(context: &egui::Context, ends: [&str; 2], state: &State) -> Action {
    let mut genes = if extends(context) { state.document.selection.clone() } else { Vec::new() };
    for symbol in ends {
        if !genes.iter().any(|known| known == symbol) {
            genes.push(symbol.to_owned());
        }
    }
    Action::SelectAll(genes)
}

/// What can be done with a gene to find others: entries of its menu.
pub(super) fn menu(ui: &mut Ui, symbol: &str, state: &State, actions: &mut Vec<Action>) {
    let document = &state.document;
    if ui.button("Show its neighbourhood").clicked() {
        let mut filter = document.filter.clone();
        filter.visit(vec![symbol.to_owned()]);
        actions.push(Action::SetFilter(Box::new(filter)));
    }
    if let Some(from) = document.selection.iter().rev().find(|gene| *gene != symbol)
        && ui.button(format!("Find paths from {from}")).clicked()
    {
        actions.push(Action::SetPaths(Some(PathQuery::new(from, symbol))));
    }
    if ui.button("Hide it").clicked() {
        let mut filter = document.filter.clone();
        filter.hidden.insert(symbol.to_owned());
        actions.push(Action::SetFilter(Box::new(filter)));
    }
}

/// Whether the closed line through `points` surrounds `at`: a ray from it crosses the line an odd number of times.
fn surrounds(points: &[Pos2], at: Pos2) -> bool {
    let mut inside = false;
    for (here, point) in points.iter().enumerate() {
        let before = points[(here + points.len() - 1) % points.len()];
        if (point.y > at.y) != (before.y > at.y) {
            let crossing = before.x + (at.y - before.y) / (point.y - before.y) * (point.x - before.x);
            inside ^= at.x < crossing;
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    #[test]
    fn a_lasso_surrounds_what_is_inside_it() {
        // A U, open above.
        let u = [(0, 0), (1, 0), (1, 2), (2, 2), (2, 0), (3, 0), (3, 3), (0, 3)];
        let u: Vec<Pos2> = u.map(|(x, y)| pos2(x as f32, y as f32)).to_vec();
        assert!(surrounds(&u, pos2(0.5, 1.0)) && surrounds(&u, pos2(2.5, 1.0)) && surrounds(&u, pos2(1.5, 2.5)));
        assert!(!surrounds(&u, pos2(1.5, 1.0)), "between its arms");
        assert!(!surrounds(&u, pos2(4.0, 1.0)) && !surrounds(&u, pos2(-1.0, 1.0)));
        assert!(!surrounds(&[], pos2(0.0, 0.0)) && !surrounds(&u[..2], pos2(0.5, 0.0)));
    }
}
