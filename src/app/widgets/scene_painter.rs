//! Paints the scenes of [`crate::figures`] with egui, so that the screen and the exported figure are one drawing.
//!
//! Lines and areas are tessellated once into meshes and kept while neither the scene nor its place on the screen changes.
//! Text is laid out by egui in every frame (its own cache makes that a look-up), because letters live in a texture that
//! egui rebuilds when it likes.

use std::f32::consts::FRAC_1_SQRT_2;
use std::sync::Arc;

use egui::epaint::{CornerRadiusF32, CubicBezierShape, Mesh, PathShape, PathStroke, TessellationOptions, Tessellator};
use egui::epaint::{TextShape, text::FontInsert, text::FontPriority, text::InsertFontFamily};
use egui::{
    Color32, Context, FontData, FontFamily, FontId, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2, pos2,
};

use super::quick_mesh;
use crate::figures::font;
use crate::figures::scene::{self, Anchor, Colour, Primitive, Weight};

const REGULAR: &str = "figure";
const BOLD: &str = "figure-bold";

/// Where a scene lies on the screen: a scene point p is painted at `origin` + `scale`·p.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Screen position of the scene's top left corner.
    pub origin: Pos2,
    /// Screen points per scene point.
    pub scale: f32,
}

impl Placement {
    /// At its own size with its top left corner at `origin`.
    pub fn at(origin: Pos2) -> Self {
        Self { origin, scale: 1.0 }
    }

    /// The whole scene, as large as possible and centred in `rect`.
    pub fn fit(size: [f32; 2], rect: Rect) -> Self {
        let scale = (rect.width() / size[0].max(1.0)).min(rect.height() / size[1].max(1.0));
        let painted = Vec2::from(size) * scale;
        Self { origin: rect.center() - painted * 0.5, scale }
    }

    /// From the scene to the screen.
    pub fn to_screen(self, point: [f32; 2]) -> Pos2 {
        self.origin + Vec2::from(point) * self.scale
    }

    /// From the screen to the scene.
    pub fn to_scene(self, point: Pos2) -> [f32; 2] {
        let point = (point - self.origin) / self.scale;
        [point.x, point.y]
    }
}

/// egui's colour for a scene's.
pub fn colour(Colour(red, green, blue, opacity): Colour) -> Color32 {
    Color32::from_rgba_unmultiplied(red, green, blue, opacity)
}

/// Give egui the figures' font. Works from the next frame on; until then text is painted in egui's own font.
pub fn install_figure_font(context: &Context) {
    for (name, bytes) in [(REGULAR, font::REGULAR), (BOLD, font::BOLD)] {
        let family = InsertFontFamily { family: FontFamily::Name(name.into()), priority: FontPriority::Highest };
        context.add_font(FontInsert::new(name, FontData::from_static(bytes), vec![family]));
    }
}

/// Lets the memory of one frame's meshes, tens of megabytes for a large network, serve the next: otherwise it goes back to
/// the system and is taken again page by page, which takes longer than drawing. glibc keeps as much as the largest block
/// freed so far, up to 32 MiB; other allocators keep what they will. To be called once, at the start.
pub fn keep_memory_of_frames() {
    const BLOCK: usize = (32 << 20) - (64 << 10);
    // Never written to: it takes no memory.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(BLOCK)));
}

/// Paints one scene and remembers its meshes.
#[derive(Default)]
pub struct ScenePainter {
    cached: Option<Cached>,
}

struct Cached {
    version: u64,
    placement: Placement,
    pixels_per_point: f32,
    steps: Vec<Step>,
}

/// Painting steps, bottom first.
enum Step {
    Mesh { clip: Option<Rect>, mesh: Arc<Mesh> },
    Text { clip: Option<Rect>, text: Text },
}

struct Text {
    position: Pos2,
    anchor: Anchor,
    text: String,
    size: f32,
    colour: Color32,
    weight: Weight,
    /// Clockwise, in radians.
    rotation: f32,
    halo: Option<Color32>,
}

impl ScenePainter {
    /// Paint `scene` within the clip rectangle of `painter`. A scene that differs from the one painted last must come
    /// with another `version`.
    pub fn paint(&mut self, painter: &Painter, scene: &scene::Scene, version: u64, placement: Placement) {
        let pixels_per_point = painter.pixels_per_point();
        let current = self.cached.as_ref().is_some_and(|cached| {
            cached.version == version && cached.placement == placement && cached.pixels_per_point == pixels_per_point
        });
        if !current {
            // Memory of the meshes painted last, if egui is done with them: a large network's take millions of corners.
            let before = self.cached.take().into_iter().flat_map(|cached| cached.steps);
            let spare = before.filter_map(|step| match step {
                Step::Mesh { mesh, .. } => Arc::try_unwrap(mesh).ok(),
                Step::Text { .. } => None,
            });
            let steps = prepare(scene, placement, pixels_per_point, &mut spare.collect());
            self.cached = Some(Cached { version, placement, pixels_per_point, steps });
        }
        let Some(cached) = &self.cached else { return };
        let fonts = Fonts::available(painter);
        for step in &cached.steps {
            match step {
                Step::Mesh { clip, mesh } => {
                    clipped(painter, *clip).add(Shape::mesh(mesh.clone()));
                }
                Step::Text { clip, text } => paint_text(&clipped(painter, *clip), text, &fonts),
            }
        }
    }
}

fn clipped(painter: &Painter, clip: Option<Rect>) -> Painter {
    match clip {
        Some(clip) => painter.with_clip_rect(clip.intersect(painter.clip_rect())),
        None => painter.clone(),
    }
}

/// Families to paint with: the figures' once egui has them.
struct Fonts {
    regular: FontFamily,
    bold: FontFamily,
}

impl Fonts {
    fn available(painter: &Painter) -> Self {
        let families = painter.fonts(|fonts| fonts.families());
        let family = |name: &str| {
            let wanted = FontFamily::Name(name.into());
            if families.contains(&wanted) { wanted } else { FontFamily::Proportional }
        };
        let fonts = Self { regular: family(REGULAR), bold: family(BOLD) };
        if fonts.regular == FontFamily::Proportional {
            install_figure_font(painter.ctx());
        }
        fonts
    }
}

/// Everything but text becomes meshes: as few as the order of painting allows. `spare` meshes give their memory.
fn prepare(scene: &scene::Scene, placement: Placement, pixels_per_point: f32, spare: &mut Vec<Mesh>) -> Vec<Step> {
    let options = TessellationOptions {
        // Discs from the texture of letters would go stale in a kept mesh.
        prerasterized_discs: false,
        coarse_tessellation_culling: false,
        ..TessellationOptions::default()
    };
    let mut tessellator = Tessellator::new(pixels_per_point, options, [1, 1], Vec::new());
    let mut steps = Vec::new();
    // In the order they were used: a layer's mesh is about as large in the next frame.
    spare.reverse();
    let mut next = || {
        let mut mesh = spare.pop().unwrap_or_default();
        mesh.clear();
        mesh
    };
    let mut mesh = next();
    let mut finish = |mesh: &mut Mesh, clip: Option<Rect>, steps: &mut Vec<Step>| {
        if !mesh.is_empty() {
            steps.push(Step::Mesh { clip, mesh: Arc::new(std::mem::replace(mesh, next())) });
        }
    };
    if let Some(background) = scene.background {
        let all = Rect::from_min_max(placement.origin, placement.to_screen(scene.size));
        tessellator.tessellate_shape(Shape::rect_filled(all, 0.0, colour(background)), &mut mesh);
    }
    let mut mesh_clip = None;
    for layer in &scene.layers {
        let clip = layer.clip.map(|[min, max]| Rect::from_min_max(placement.to_screen(min), placement.to_screen(max)));
        if clip != mesh_clip {
            finish(&mut mesh, mesh_clip, &mut steps);
            mesh_clip = clip;
        }
        for primitive in &layer.primitives {
            match primitive {
                Primitive::Text { position, anchor, text, size, colour: ink, weight, rotation, halo } => {
                    finish(&mut mesh, mesh_clip, &mut steps);
                    let text = Text {
                        position: placement.to_screen(*position),
                        anchor: *anchor,
                        text: text.clone(),
                        size: size * placement.scale,
                        colour: colour(*ink),
                        weight: *weight,
                        rotation: rotation.to_radians(),
                        halo: halo.map(colour),
                    };
                    steps.push(Step::Text { clip, text });
                }
                _ => tessellate(primitive, placement, 1.0 / pixels_per_point, &mut tessellator, &mut mesh),
            }
        }
    }
    finish(&mut mesh, mesh_clip, &mut steps);
    steps
}

/// Put one primitive into `mesh`; `soft` is the width of a pixel in points.
fn tessellate(primitive: &Primitive, placement: Placement, soft: f32, tessellator: &mut Tessellator, mesh: &mut Mesh) {
    let place = |point: &[f32; 2]| placement.to_screen(*point);
    let line = |stroke: &scene::Stroke| Stroke::new(stroke.width * placement.scale, colour(stroke.colour));
    let rim = |stroke: &Option<scene::Stroke>| stroke.as_ref().map_or(Stroke::NONE, line);
    match primitive {
        Primitive::Polyline { points, stroke, dash } => {
            let points: Vec<Pos2> = points.iter().map(place).collect();
            match dash {
                Some([dash, gap]) if dash + gap > 0.0 => {
                    let (dash, gap) = (dash * placement.scale, gap * placement.scale);
                    for shape in Shape::dashed_line(&points, line(stroke), dash, gap) {
                        tessellator.tessellate_shape(shape, mesh);
                    }
                }
                _ => tessellator.tessellate_shape(Shape::line(points, PathStroke::from(line(stroke))), mesh),
            }
        }
        Primitive::Lines(lines) => {
            // Six corners and four triangles each, as a rule.
            mesh.reserve_vertices(6 * lines.len());
            mesh.reserve_triangles(4 * lines.len());
            for piece in lines {
                let ends = [place(&piece.ends[0]), place(&piece.ends[1])];
                let width = piece.stroke.width * placement.scale;
                quick_mesh::line(mesh, ends, width, colour(piece.stroke.colour), soft);
            }
        }
        Primitive::Triangles(triangles) => {
            for one in triangles {
                let [a, b, c] = &one.corners;
                quick_mesh::triangle(mesh, [place(a), place(b), place(c)], colour(one.fill), soft);
            }
        }
        Primitive::Curve { points, stroke } => {
            let points = [place(&points[0]), place(&points[1]), place(&points[2]), place(&points[3])];
            let curve = CubicBezierShape::from_points_stroke(points, false, Color32::TRANSPARENT, line(stroke));
            tessellator.tessellate_cubic_bezier(&curve, mesh);
        }
        Primitive::Polygon { points, fill, stroke } => {
            let points = clockwise(points.iter().map(place).collect());
            let shape = PathShape { points, closed: true, fill: colour(*fill), stroke: PathStroke::from(rim(stroke)) };
            tessellator.tessellate_path(&shape, mesh);
        }
        Primitive::Circle { centre, radius, fill, stroke } => {
            let (centre, radius) = (place(centre), radius * placement.scale);
            if radius <= quick_mesh::LARGEST_DISC {
                let rim = stroke.as_ref().map(|rim| (rim.width * placement.scale, colour(rim.colour)));
                return quick_mesh::disc(mesh, centre, radius, colour(*fill), rim, soft);
            }
            tessellator.tessellate_shape(Shape::circle_filled(centre, radius, colour(*fill)), mesh);
            if stroke.is_some() {
                tessellator.tessellate_shape(Shape::circle_stroke(centre, radius, rim(stroke)), mesh);
            }
        }
        Primitive::Rectangle { min, max, corner, fill, stroke } => {
            let rect = Rect::from_two_pos(place(min), place(max));
            let corner = CornerRadiusF32::same(corner * placement.scale);
            let shape = egui::epaint::RectShape::new(rect, corner, colour(*fill), rim(stroke), StrokeKind::Middle);
            tessellator.tessellate_shape(shape.into(), mesh);
        }
        Primitive::Text { .. } => {}
    }
}

/// egui's soft edges need corners in clockwise order (y goes down).
fn clockwise(mut points: Vec<Pos2>) -> Vec<Pos2> {
    let next = points.iter().cycle().skip(1);
    let area: f32 = points.iter().zip(next).map(|(a, b)| a.x * b.y - b.x * a.y).sum();
    if area < 0.0 {
        points.reverse();
    }
    points
}

/// Eight directions around a letter.
const AROUND: [[f32; 2]; 8] = [
    [1.0, 0.0],
    [FRAC_1_SQRT_2, FRAC_1_SQRT_2],
    [0.0, 1.0],
    [-FRAC_1_SQRT_2, FRAC_1_SQRT_2],
    [-1.0, 0.0],
    [-FRAC_1_SQRT_2, -FRAC_1_SQRT_2],
    [0.0, -1.0],
    [FRAC_1_SQRT_2, -FRAC_1_SQRT_2],
];

fn paint_text(painter: &Painter, text: &Text, fonts: &Fonts) {
    let family = match text.weight {
        Weight::Regular => fonts.regular.clone(),
        Weight::Bold => fonts.bold.clone(),
    };
    let font = FontId::new(text.size, family);
    let galley = painter.layout_no_wrap(text.text.clone(), font, text.colour);
    let Some(first) = galley.rows.first().and_then(|row| Some((row.pos, row.row.glyphs.first()?))) else { return };
    // The middle of the capitals: half their height above the base line.
    let base_line = first.0.y + first.1.pos.y;
    let middle = base_line - font::CAPITAL_HEIGHT * text.size * 0.5;
    let left = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => galley.rect.width() * 0.5,
        Anchor::End => galley.rect.width(),
    };
    let rotation = egui::emath::Rot2::from_angle(text.rotation);
    let corner = text.position - rotation * pos2(left, middle).to_vec2();
    // Only upright text is moved to whole pixels; turned text would jitter.
    let corner = if text.rotation == 0.0 {
        let pixels = painter.pixels_per_point();
        pos2((corner.x * pixels).round() / pixels, (corner.y * pixels).round() / pixels)
    } else {
        corner
    };
    let shape = |at: Pos2, ink: Color32| {
        let mut shape = TextShape::new(at, galley.clone(), ink).with_angle(text.rotation);
        shape.override_text_color = Some(ink);
        shape
    };
    if let Some(halo) = text.halo {
        let width = (text.size * 0.12).clamp(1.0, 3.0);
        painter.extend(AROUND.iter().map(|[x, y]| Shape::Text(shape(corner + Vec2::new(*x, *y) * width, halo))));
    }
    painter.add(shape(corner, text.colour));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fitted_scene_is_centred_and_points_go_there_and_back() {
        let placement = Placement::fit([100.0, 50.0], Rect::from_min_max(pos2(10.0, 10.0), pos2(210.0, 210.0)));
        assert_eq!(placement, Placement { origin: pos2(10.0, 60.0), scale: 2.0 });
        assert_eq!(placement.to_screen([100.0, 50.0]), pos2(210.0, 160.0));
        assert_eq!(placement.to_scene(placement.to_screen([7.0, 9.0])), [7.0, 9.0]);
    }

    #[test]
    fn polygons_turn_clockwise_on_the_screen() {
        let square = vec![pos2(0.0, 0.0), pos2(1.0, 0.0), pos2(1.0, 1.0), pos2(0.0, 1.0)];
        let reversed: Vec<Pos2> = square.iter().rev().copied().collect();
        assert_eq!(clockwise(square.clone()), square);
        assert_eq!(clockwise(reversed), square);
    }

    #[test]
    fn neighbouring_layers_share_a_mesh_and_a_clip_parts_them() {
        let disc =
            |x: f32| Primitive::Circle { centre: [x, 5.0], radius: 2.0, fill: Colour::hex(0xFF0000), stroke: None };
        let layer = |clip| scene::Layer { name: "discs".into(), primitives: vec![disc(1.0), disc(2.0)], clip };
        let mut drawing = scene::Scene { size: [10.0, 10.0], background: None, layers: vec![layer(None), layer(None)] };
        assert_eq!(prepare(&drawing, Placement::at(Pos2::ZERO), 1.0, &mut Vec::new()).len(), 1);
        drawing.layers[1].clip = Some([[0.0, 0.0], [5.0, 5.0]]);
        let steps = prepare(&drawing, Placement { origin: pos2(3.0, 0.0), scale: 2.0 }, 1.0, &mut Vec::new());
        let clips: Vec<_> = steps.iter().map(|step| matches!(step, Step::Mesh { clip: Some(_), .. })).collect();
        assert_eq!(clips, [false, true]);
        let Step::Mesh { clip: Some(clip), mesh } = &steps[1] else { panic!("a clipped mesh") };
        assert_eq!(*clip, Rect::from_min_max(pos2(3.0, 0.0), pos2(13.0, 10.0)));
        assert!(mesh.is_valid());
    }
}
