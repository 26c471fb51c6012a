//! The lines of edges: from rim to rim, with an arrowhead, a tee or nothing at the target.

use crate::figures::scene::{Primitive, Stroke};
use crate::network::Sign;

/// By how much the ends of a bent edge turn away from the straight line, in radians.
const BEND: f32 = 0.38;

/// A node's disc in the figure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disc {
    pub centre: [f32; 2],
    pub radius: f32,
}

/// An edge's line, trimmed at both rims.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line {
    Straight([[f32; 2]; 2]),
    Bent([[f32; 2]; 4]),
}

/// How large the end of an edge of `width` points is, as drawn at `scale`.
pub(super) fn head_length(width: f32, scale: f32) -> f32 {
    2.1 * width + 2.6 * scale.clamp(0.55, 1.5)
}

/// The line and the head of one edge.
pub(super) struct Link {
    pub line: Line,
    pub head: Option<Primitive>,
}

impl Link {
    /// The edge between two discs; none where they touch and no line is to be seen.
    pub(super) fn new(
        from: Disc,
        to: Disc,
        curved: bool,
        sign: Sign,
        stroke: Stroke,
        scale: f32,
        gap: f32,
    ) -> Option<Self> {
        let (dx, dy) = (to.centre[0] - from.centre[0], to.centre[1] - from.centre[1]);
        let distance = dx.hypot(dy);
        let free = distance - from.radius - to.radius - gap;
        if free < 0.8 || !free.is_finite() {
            return None;
        }
        let ahead = [dx / distance, dy / distance];
        let (leave, arrive) = if curved { (turned(ahead, -BEND), turned(ahead, BEND)) } else { (ahead, ahead) };
        let start = along(from.centre, leave, from.radius);
        let tip = along(to.centre, arrive, -(to.radius + gap));
        let head = head_length(stroke.width, scale).min(free * 0.7);
        let (end, head) = end_of(tip, arrive, head, sign, stroke);
        let line = if curved {
            let reach = free * 0.36;
            Line::Bent([start, along(start, leave, reach), along(end, arrive, -reach), end])
        } else {
            Line::Straight([start, end])
        };
        Some(Self { line, head })
    }

    /// A loop above a gene that regulates itself.
    pub(super) fn around(node: Disc, sign: Sign, stroke: Stroke, scale: f32, gap: f32) -> Self {
        let up = [0.0, -1.0];
        let (leave, arrive) = (turned(up, -0.55), turned([0.0, 1.0], 0.55));
        let start = along(node.centre, leave, node.radius);
        let tip = along(node.centre, arrive, -(node.radius + gap));
        let (end, head) = end_of(tip, arrive, head_length(stroke.width, scale), sign, stroke);
        let reach = node.radius * 1.6 + 6.0 * scale;
        Self { line: Line::Bent([start, along(start, leave, reach), along(end, arrive, -reach), end]), head }
    }
}

/// Where the line ends, and what is drawn from there to `tip`.
fn end_of(tip: [f32; 2], ahead: [f32; 2], head: f32, sign: Sign, stroke: Stroke) -> ([f32; 2], Option<Primitive>) {
    let across = [-ahead[1], ahead[0]];
    match sign {
        Sign::Unknown => (tip, None),
        Sign::Activates => {
            let half = head * 0.42;
            let base = along(tip, ahead, -head);
            // The line runs a little into the head so that no seam shows.
            let end = along(tip, ahead, -head * 0.8);
            let points = vec![tip, along(base, across, half), along(base, across, -half)];
            (end, Some(Primitive::Polygon { points, fill: stroke.colour, stroke: None }))
        }
        Sign::Represses => {
            let half = head * 0.55;
            let width = (stroke.width * 1.15).max(head * 0.2);
            let middle = along(tip, ahead, -width / 2.0);
            let bar = vec![along(middle, across, half), along(middle, across, -half)];
            (middle, Some(Primitive::Polyline { points: bar, stroke: Stroke { width, ..stroke }, dash: None }))
        }
    }
}

impl Line {
    /// What draws it.
    pub(super) fn primitive(self, stroke: Stroke) -> Primitive {
        match self {
            Self::Straight(ends) => Primitive::Polyline { points: ends.to_vec(), stroke, dash: None },
            Self::Bent(points) => Primitive::Curve { points, stroke },
        }
    }

    /// What draws it dashed.
    pub(super) fn dashed(self, stroke: Stroke) -> Primitive {
        let dash = Some([stroke.width * 3.0 + 1.5, stroke.width * 1.5 + 1.5]);
        Primitive::Polyline { points: self.samples().collect(), stroke, dash }
    }

    /// Points along it, ends included: two for a straight line.
    pub(super) fn samples(self) -> impl Iterator<Item = [f32; 2]> {
        let steps: usize = match self {
            Self::Straight(_) => 1,
            Self::Bent(_) => 10,
        };
        (0..=steps).map(move |step| self.at(step as f32 / steps as f32))
    }

    /// The point a share `t` of the way.
    pub(super) fn at(self, t: f32) -> [f32; 2] {
        match self {
            Self::Straight([from, to]) => [0, 1].map(|at| from[at] + (to[at] - from[at]) * t),
            Self::Bent([a, b, c, d]) => {
                let u = 1.0 - t;
                let weights = [u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t];
                [0, 1].map(|at| weights[0] * a[at] + weights[1] * b[at] + weights[2] * c[at] + weights[3] * d[at])
            }
        }
    }
}

fn turned([x, y]: [f32; 2], angle: f32) -> [f32; 2] {
    let (sine, cosine) = angle.sin_cos();
    [x * cosine - y * sine, x * sine + y * cosine]
}

fn along(point: [f32; 2], direction: [f32; 2], by: f32) -> [f32; 2] {
    [point[0] + direction[0] * by, point[1] + direction[1] * by]
}
