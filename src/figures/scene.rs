//! Drawing primitives: one list serves the window and the exported figure, so the two agree.
//!
//! Lengths are points (1/72 inch in a figure, a logical pixel on the screen), the origin is the top left corner, y goes
//! down.

/// A colour: red, green, blue and opacity, 0 to 255, not premultiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colour(pub u8, pub u8, pub u8, pub u8);

impl Colour {
    /// An opaque colour from `0xRRGGBB`.
    pub const fn hex(rgb: u32) -> Self {
        Self((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8, 255)
    }

    /// The same colour with `opacity` from 0 to 1.
    pub fn with_opacity(self, opacity: f32) -> Self {
        Self(self.0, self.1, self.2, (opacity.clamp(0.0, 1.0) * 255.0).round() as u8)
    }

    /// The colour a share `t` (0 to 1) of the way to `other`.
    pub fn mix(self, other: Self, t: f32) -> Self {
        let t = t.clamp(0.0, 1.0);
        let part = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * t).round() as u8;
        Self(part(self.0, other.0), part(self.1, other.1), part(self.2, other.2), part(self.3, other.3))
    }
}

/// A line's width and colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// In points.
    pub width: f32,
    /// Its colour.
    pub colour: Colour,
}

/// Where a text's position lies in it, horizontally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// At its left end.
    Start,
    /// In its middle.
    Middle,
    /// At its right end.
    End,
}

/// How heavy the letters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Body text.
    Regular,
    /// Headings and panel letters.
    Bold,
}

/// A straight line among many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinePiece {
    /// Its ends.
    pub ends: [[f32; 2]; 2],
    /// Its stroke.
    pub stroke: Stroke,
}

/// A filled triangle among many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Triangle {
    /// Its corners.
    pub corners: [[f32; 2]; 3],
    /// Inside.
    pub fill: Colour,
}

/// One thing to draw.
#[derive(Clone, Debug, PartialEq)]
pub enum Primitive {
    /// An open line through points.
    Polyline {
        /// At least two.
        points: Vec<[f32; 2]>,
        /// Its stroke.
        stroke: Stroke,
        /// Length of dashes and gaps; none for a solid line.
        dash: Option<[f32; 2]>,
    },
    /// Straight lines, the first at the bottom: what tens of thousands of edges are drawn with.
    Lines(Vec<LinePiece>),
    /// Triangles, the first at the bottom.
    Triangles(Vec<Triangle>),
    /// A cubic Bézier curve: start, two controls, end.
    Curve {
        /// The four points.
        points: [[f32; 2]; 4],
        /// Its stroke.
        stroke: Stroke,
    },
    /// A filled convex shape.
    Polygon {
        /// Corners in order.
        points: Vec<[f32; 2]>,
        /// Inside.
        fill: Colour,
        /// Outline, if any.
        stroke: Option<Stroke>,
    },
    /// A disc.
    Circle {
        /// Its centre.
        centre: [f32; 2],
        /// In points.
        radius: f32,
        /// Inside.
        fill: Colour,
        /// Outline, if any.
        stroke: Option<Stroke>,
    },
    /// A rectangle with rounded corners.
    Rectangle {
        /// Top left.
        min: [f32; 2],
        /// Bottom right.
        max: [f32; 2],
        /// Radius of its corners.
        corner: f32,
        /// Inside.
        fill: Colour,
        /// Outline, if any.
        stroke: Option<Stroke>,
    },
    /// A line of text; `position` is its anchor on the vertical middle of its capital letters.
    Text {
        /// Where.
        position: [f32; 2],
        /// Which part of the text is there.
        anchor: Anchor,
        /// What it says.
        text: String,
        /// Font size in points.
        size: f32,
        /// Its colour.
        colour: Colour,
        /// How heavy.
        weight: Weight,
        /// Clockwise, in degrees, around `position`.
        rotation: f32,
        /// A halo behind the letters, so that they stay readable over lines.
        halo: Option<Colour>,
    },
}

/// A named group of primitives: `edges`, `nodes`, `labels`; becomes a layer in SVG editors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// What it draws, bottom first.
    pub primitives: Vec<Primitive>,
    /// Nothing is drawn outside this rectangle (min, max), if given.
    pub clip: Option<[[f32; 2]; 2]>,
}

/// A whole drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Width and height in points.
    pub size: [f32; 2],
    /// Behind everything; none for transparent.
    pub background: Option<Colour>,
    /// Bottom first.
    pub layers: Vec<Layer>,
}

impl Primitive {
    /// The same `by` points to the right and down.
    pub fn moved(mut self, by: [f32; 2]) -> Self {
        let shift = |point: &mut [f32; 2]| {
            point[0] += by[0];
            point[1] += by[1];
        };
        match &mut self {
            Self::Polyline { points, .. } | Self::Polygon { points, .. } => points.iter_mut().for_each(shift),
            Self::Lines(lines) => lines.iter_mut().flat_map(|line| &mut line.ends).for_each(shift),
            Self::Triangles(triangles) => triangles.iter_mut().flat_map(|one| &mut one.corners).for_each(shift),
            Self::Curve { points, .. } => points.iter_mut().for_each(shift),
            Self::Circle { centre, .. } => shift(centre),
            Self::Rectangle { min, max, .. } => {
                shift(min);
                shift(max);
            }
            Self::Text { position, .. } => shift(position),
        }
        self
    }
}

impl Scene {
    /// Adds the layers of `other` with its top left corner at `at`, their names led by `prefix`.
    pub fn place(&mut self, other: Self, at: [f32; 2], prefix: &str) {
        self.layers.extend(other.layers.into_iter().map(|layer| Layer {
            name: format!("{prefix}{}", layer.name),
            primitives: layer.primitives.into_iter().map(|primitive| primitive.moved(at)).collect(),
            clip: layer.clip.map(|clip| clip.map(|corner| [corner[0] + at[0], corner[1] + at[1]])),
        }));
    }
}
