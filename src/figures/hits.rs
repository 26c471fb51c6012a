//! Where a figure can be pointed at.

use super::scene::Scene;

/// The shape of a region that can be pointed at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HitShape {
    /// A disc.
    Disc {
        /// Its centre, in points of the scene.
        centre: [f32; 2],
        /// In points.
        radius: f32,
    },
    /// A rectangle.
    Rectangle {
        /// Top left.
        min: [f32; 2],
        /// Bottom right.
        max: [f32; 2],
    },
}

/// A region of a figure and what is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Where.
    pub shape: HitShape,
    /// Position of the thing in the figure's own list (points, bars, …).
    pub index: usize,
    /// What a tooltip says, lines separated by `\n`.
    pub text: String,
}

/// A drawn figure with the regions that can be pointed at.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureScene {
    /// What to draw.
    pub scene: Scene,
    /// What can be pointed at.
    pub hits: Vec<Hit>,
    /// Number of values that were not finite and so are not drawn.
    pub skipped: usize,
}

impl FigureScene {
    /// The thing nearest to `point`, at most `slack` points outside its region.
    pub fn hit(&self, point: [f32; 2], slack: f32) -> Option<&Hit> {
        let away = |hit: &&Hit| match hit.shape {
            HitShape::Disc { centre, radius } => {
                // A disc's middle wins over its neighbour's rim.
                let distance = (point[0] - centre[0]).hypot(point[1] - centre[1]);
                (distance <= radius + slack).then_some(distance)
            }
            HitShape::Rectangle { min, max } => {
                let outside = |at: usize| (min[at] - point[at]).max(point[at] - max[at]).max(0.0);
                let distance = outside(0).hypot(outside(1));
                (distance <= slack).then_some(distance)
            }
        };
        let near = self.hits.iter().filter_map(|hit| Some((away(&hit)?, hit)));
        near.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, hit)| hit)
    }
}
