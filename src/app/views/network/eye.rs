//! From where nodes are seen: the camera follows the layout until the user takes hold of it.

use egui::{CursorIcon, Pos2, Rect, Response, Ui};

use crate::app::widgets::Placement;
use crate::figures::network::{Area, Camera};

/// Nodes that are dragged stay at least this far from the border of their pane, in points.
const BORDER: f32 = 4.0;

/// The camera of a view.
#[derive(Default)]
pub(in crate::app::views) struct Eye {
    camera: Option<Camera>,
    /// The user moved the camera: it no longer follows the layout.
    held: bool,
}

/// A part of the screen where the layout's plane is seen.
#[derive(Clone, Copy)]
pub(in crate::app::views) struct Pane {
    /// Tells it from the others of the view.
    pub number: usize,
    /// Where its scene lies on the screen.
    pub placement: Placement,
    /// What of its scene the camera fills.
    pub area: Area,
    /// Where the pointer is in it.
    pub rect: Rect,
}

impl Eye {
    /// The camera of this frame, on its way to the one that shows everything, `fitted`, unless it is held; and whether it
    /// is still on its way. `moment` is the time since the last frame in seconds.
    pub(in crate::app::views) fn follow(&mut self, fitted: Camera, moment: f32) -> (Camera, bool) {
        let (camera, moving) = match self.camera {
            Some(camera) if self.held => (camera, false),
            Some(camera) => towards(camera, fitted, moment),
            None => (fitted, false),
        };
        self.camera = Some(camera);
        (camera, moving)
    }

    /// Stay where it is, whatever the layout does.
    pub(in crate::app::views) fn hold(&mut self) {
        self.held = true;
    }

    /// Follow the layout again.
    pub(in crate::app::views) fn release(&mut self) {
        self.held = false;
    }

    /// Enlarge by `factor` around `at`, a point of a scene that the camera fills in `area`.
    pub(in crate::app::views) fn zoom(&mut self, factor: f32, at: [f32; 2], area: Area) {
        if let Some(camera) = &mut self.camera {
            camera.zoom_at(factor, at, area);
            self.held = true;
        }
    }

    /// Wheel and pinch zoom where the pointer is, in the one of `panes` that has it.
    pub(in crate::app::views) fn wheel<'a>(
        &mut self,
        ui: &Ui,
        background: &Response,
        mut panes: impl Iterator<Item = &'a Pane>,
    ) {
        // `contains_pointer` is false where a window or popup lies above.
        let on_top = background.contains_pointer() || ui.rect_contains_pointer(background.rect);
        let Some(at) = ui.input(|input| input.pointer.hover_pos()).filter(|_| on_top) else { return };
        let Some(pane) = panes.find(|pane| pane.rect.contains(at)) else { return };
        let factor = ui.input(|input| input.zoom_delta() * (input.smooth_scroll_delta().y / 240.0).exp());
        if (factor - 1.0).abs() > 1e-4 {
            self.zoom(factor, pane.placement.to_scene(at), pane.area);
            ui.ctx().request_repaint();
        }
    }

    /// What is seen moves with a drag of the background.
    pub(super) fn pan(&mut self, ui: &Ui, background: &Response) {
        if let Some(camera) = &mut self.camera {
            camera.pan(background.drag_delta().into());
            self.held = true;
        }
        ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
        ui.ctx().request_repaint();
    }

    /// The layout's point under a point of the screen that is kept inside `pane`.
    pub(super) fn layout_point(&self, pane: &Pane, at: Pos2) -> [f32; 2] {
        let at = pane.placement.to_scene(at);
        let inside = |axis: usize| {
            let (low, high) = (pane.area[0][axis] + BORDER, pane.area[1][axis] - BORDER);
            at[axis].max(low).min(high.max(low))
        };
        self.camera.unwrap_or_default().to_world([inside(0), inside(1)], pane.area)
    }
}

/// The camera a moment later on its way to `goal`, and whether it is still moving.
fn towards(camera: Camera, goal: Camera, moment: f32) -> (Camera, bool) {
    let share = 1.0 - (-10.0 * moment.min(0.1)).exp();
    let mix = |from: f32, to: f32| from + (to - from) * share;
    let centre = [mix(camera.centre[0], goal.centre[0]), mix(camera.centre[1], goal.centre[1])];
    let zoom = mix(camera.zoom.max(1e-6).ln(), goal.zoom.max(1e-6).ln()).exp();
    let away = (0..2).map(|axis| ((goal.centre[axis] - centre[axis]) * goal.zoom).abs()).fold(0.0, f32::max);
    let near = away < 0.5 && (zoom / goal.zoom - 1.0).abs() < 2e-3;
    if near || !away.is_finite() { (goal, false) } else { (Camera { centre, zoom }, true) }
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    #[test]
    fn it_follows_what_fits_until_it_is_held() {
        let mut eye = Eye::default();
        let goal = |x: f32| Camera { centre: [x, 0.0], zoom: 2.0 };
        assert_eq!(eye.follow(goal(5.0), 0.1), (goal(5.0), false), "there is nothing to come from");
        let (on_the_way, moving) = eye.follow(goal(100.0), 0.1);
        assert!(moving && on_the_way.centre[0] > 5.0 && on_the_way.centre[0] < 100.0);
        eye.hold();
        assert_eq!(eye.follow(goal(300.0), 0.1), (on_the_way, false));
        eye.release();
        while eye.follow(goal(300.0), 0.1).1 {}
        assert_eq!(eye.follow(goal(300.0), 0.1), (goal(300.0), false));
        eye.zoom(3.0, [0.0, 0.0], [[0.0; 2], [10.0; 2]]);
        assert_eq!(eye.follow(goal(0.0), 0.1).0.zoom, 6.0, "a camera that the user moved is held");
    }

    #[test]
    fn what_is_dragged_stays_in_its_pane() {
        let mut eye = Eye::default();
        eye.follow(Camera { centre: [0.0, 0.0], zoom: 1.0 }, 0.0);
        let rect = Rect::from_min_max(pos2(50.0, 0.0), pos2(150.0, 60.0));
        let pane = Pane { number: 0, placement: Placement::at(rect.min), area: [[0.0; 2], [100.0, 60.0]], rect };
        assert_eq!(eye.layout_point(&pane, pos2(110.0, 20.0)), [10.0, -10.0]);
        assert_eq!(eye.layout_point(&pane, pos2(900.0, -7.0)), [46.0, -26.0]);
    }
}
