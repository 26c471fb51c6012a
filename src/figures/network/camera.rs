//! From the layout's plane to the figure and back.

/// A rectangle: top left, bottom right.
pub type Area = [[f32; 2]; 2];

/// Which part of the layout's plane is seen, and how large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// The point of the plane in the middle of the area.
    pub centre: [f32; 2],
    /// Points of the figure per unit of the plane.
    pub zoom: f32,
}

impl Default for Camera {
    fn default() -> Self {
        Self { centre: [0.0, 0.0], zoom: 1.0 }
    }
}

impl Camera {
    /// The camera that shows all `positions` inside `area`, `margin` points from its border.
    pub fn fit(positions: &[[f32; 2]], area: Area, margin: f32) -> Self {
        let mut low = [f32::INFINITY; 2];
        let mut high = [f32::NEG_INFINITY; 2];
        for position in positions.iter().filter(|position| position.iter().all(|part| part.is_finite())) {
            for at in 0..2 {
                low[at] = low[at].min(position[at]);
                high[at] = high[at].max(position[at]);
            }
        }
        if low[0] > high[0] {
            return Self::default();
        }
        let room = [0, 1].map(|at| (area[1][at] - area[0][at] - 2.0 * margin).max(1.0));
        let extent = [0, 1].map(|at| high[at] - low[at]);
        let zoom = (0..2).filter(|at| extent[*at] > 0.0).map(|at| room[at] / extent[at]).fold(f32::INFINITY, f32::min);
        let centre = [0, 1].map(|at| low[at] + extent[at] / 2.0);
        Self { centre, zoom: if zoom.is_finite() { zoom } else { 1.0 } }
    }

    /// Where a point of the plane lies in the figure.
    pub fn to_screen(&self, world: [f32; 2], area: Area) -> [f32; 2] {
        [0, 1].map(|at| (world[at] - self.centre[at]) * self.zoom + f32::midpoint(area[0][at], area[1][at]))
    }

    /// Which point of the plane is shown at a point of the figure.
    pub fn to_world(&self, screen: [f32; 2], area: Area) -> [f32; 2] {
        [0, 1].map(|at| (screen[at] - f32::midpoint(area[0][at], area[1][at])) / self.zoom + self.centre[at])
    }

    /// Moves what is seen by `delta` points of the figure.
    pub fn pan(&mut self, delta: [f32; 2]) {
        for (centre, delta) in self.centre.iter_mut().zip(delta) {
            *centre -= delta / self.zoom;
        }
    }

    /// Enlarges by `factor` around `anchor`, a point of the figure, which stays where it is.
    pub fn zoom_at(&mut self, factor: f32, anchor: [f32; 2], area: Area) {
        let fixed = self.to_world(anchor, area);
        self.zoom = (self.zoom * factor).clamp(1e-6, 1e6);
        let moved = self.to_world(anchor, area);
        self.centre = [0, 1].map(|at| self.centre[at] + fixed[at] - moved[at]);
    }

    /// The camera that shows in `to` what this one shows in `from`: for an export of what is on the screen.
    pub fn between(&self, from: Area, to: Area) -> Self {
        let ratio = |at: usize| (to[1][at] - to[0][at]) / (from[1][at] - from[0][at]).max(1e-6);
        Self { centre: self.centre, zoom: self.zoom * ratio(0).min(ratio(1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = [[10.0, 20.0], [210.0, 120.0]];

    #[test]
    fn everything_fits_and_comes_back() {
        let positions = [[-5.0, 1.0], [15.0, 3.0], [f32::NAN, 0.0]];
        let camera = Camera::fit(&positions, AREA, 10.0);
        assert_eq!(camera.to_screen(positions[0], AREA)[0], 20.0);
        assert_eq!(camera.to_screen(positions[1], AREA)[0], 200.0);
        let back = camera.to_world(camera.to_screen([2.0, 2.5], AREA), AREA);
        assert!((back[0] - 2.0).abs() < 1e-4 && (back[1] - 2.5).abs() < 1e-4);
    }

    #[test]
    fn a_single_point_or_none_is_no_trouble() {
        assert_eq!(Camera::fit(&[], AREA, 10.0), Camera::default());
        let camera = Camera::fit(&[[3.0, 4.0]], AREA, 10.0);
        assert_eq!(camera.to_screen([3.0, 4.0], AREA), [110.0, 70.0]);
    }

    #[test]
    fn zooming_keeps_the_anchor_and_panning_follows_the_pointer() {
        let mut camera = Camera { centre: [1.0, 2.0], zoom: 3.0 };
        let held = camera.to_world([50.0, 60.0], AREA);
        camera.zoom_at(2.5, [50.0, 60.0], AREA);
        let at = camera.to_screen(held, AREA);
        assert!((at[0] - 50.0).abs() < 1e-3 && (at[1] - 60.0).abs() < 1e-3);
        camera.pan([7.0, -3.0]);
        let at = camera.to_screen(held, AREA);
        assert!((at[0] - 57.0).abs() < 1e-3 && (at[1] - 57.0).abs() < 1e-3);
    }
}
