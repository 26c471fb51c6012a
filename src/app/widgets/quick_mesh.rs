//! Lines, triangles and small discs put straight into a mesh: what a large network is made of, several times faster than
//! by way of general shapes. Edges are soft over one pixel, as egui's own are.

use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Color32, Pos2, Vec2};

/// Discs of larger radius (in points) are left to egui, which rounds them more finely.
pub(super) const LARGEST_DISC: f32 = 40.0;
/// Discs of smaller radius show no rim of its own.
const SMALL: f32 = 3.0;

fn vertex(mesh: &mut Mesh, pos: Pos2, color: Color32) {
    mesh.vertices.push(Vertex { pos, uv: WHITE_UV, color });
}

/// A straight line of `width` points; `soft` is the width of a pixel in points.
pub(super) fn line(mesh: &mut Mesh, [from, to]: [Pos2; 2], width: f32, colour: Color32, soft: f32) {
    let along = to - from;
    let length = along.length();
    if length <= 0.0 || width <= 0.0 || !length.is_finite() {
        return;
    }
    let across = along.rot90() / length;
    let first = mesh.vertices.len() as u32;
    let clear = Color32::TRANSPARENT;
    if width <= soft {
        // Thinner than a pixel: fainter instead.
        let colour = colour.gamma_multiply(width / soft);
        for end in [from, to] {
            vertex(mesh, end - across * soft, clear);
            vertex(mesh, end, colour);
            vertex(mesh, end + across * soft, clear);
        }
        strips(mesh, first, 3);
    } else {
        let (inner, outer) = (0.5 * (width - soft), 0.5 * (width + soft));
        for end in [from, to] {
            vertex(mesh, end - across * outer, clear);
            vertex(mesh, end - across * inner, colour);
            vertex(mesh, end + across * inner, colour);
            vertex(mesh, end + across * outer, clear);
        }
        strips(mesh, first, 4);
    }
}

/// Triangles between two rows of `count` vertices, from `first` on.
fn strips(mesh: &mut Mesh, first: u32, count: u32) {
    for at in first..first + count - 1 {
        mesh.indices.extend([at, at + 1, at + count, at + 1, at + count, at + count + 1]);
    }
}

/// A filled triangle.
pub(super) fn triangle(mesh: &mut Mesh, corners: [Pos2; 3], fill: Color32, soft: f32) {
    let middle = (corners[0].to_vec2() + corners[1].to_vec2() + corners[2].to_vec2()) / 3.0;
    if !middle.x.is_finite() || !middle.y.is_finite() {
        return;
    }
    let first = mesh.vertices.len() as u32;
    for corner in corners {
        // Soft from half a pixel within to half a pixel without, as seen from the middle.
        let out = (corner.to_vec2() - middle).normalized() * 0.5 * soft;
        vertex(mesh, corner - out, fill);
        vertex(mesh, corner + out, Color32::TRANSPARENT);
    }
    mesh.indices.extend([first, first + 2, first + 4]);
    for (a, b) in [(0, 2), (2, 4), (4, 0)] {
        mesh.indices.extend([first + a, first + a + 1, first + b, first + a + 1, first + b, first + b + 1]);
    }
}

/// A disc with an optional rim (width and colour), which lies half within.
pub(super) fn disc(mesh: &mut Mesh, centre: Pos2, radius: f32, fill: Color32, rim: Option<(f32, Color32)>, soft: f32) {
    if !(centre.x.is_finite() && centre.y.is_finite() && radius > 0.0) {
        return;
    }
    let half = 0.5 * soft;
    let clear = Color32::TRANSPARENT;
    let rim = rim.filter(|(width, colour)| *width > 0.0 && *colour != clear);
    let turns = directions(radius);
    let around = turns.len() as u32;
    let first = mesh.vertices.len() as u32;
    // Radius and colour of each circle of vertices, from within.
    let mut circles: [(f32, Color32); 4] = [(0.0, clear); 4];
    let count = match rim {
        None => {
            circles[..2].copy_from_slice(&[(radius - half, fill), (radius + half, clear)]);
            2
        }
        Some((width, colour)) if radius <= SMALL && width < soft && fill != clear => {
            // No inside that could be told from its rim: from the fill in the middle to the rim's colour.
            let thin = mix(fill, colour, (width / soft).min(1.0));
            let radius = radius + 0.5 * width;
            circles[..2].copy_from_slice(&[(radius - half, thin), (radius + half, clear)]);
            2
        }
        Some((width, colour)) if width <= soft => {
            let share = width / soft;
            let thin = if fill == clear { colour.gamma_multiply(share) } else { mix(fill, colour, share) };
            circles[..3].copy_from_slice(&[(radius - soft, fill), (radius, thin), (radius + soft, clear)]);
            3
        }
        Some((width, colour)) => {
            let (inner, outer) = (radius - 0.5 * width, radius + 0.5 * width);
            circles = [(inner - half, fill), (inner + half, colour), (outer - half, colour), (outer + half, clear)];
            4
        }
    };
    for &(reach, colour) in &circles[..count] {
        let reach = reach.max(0.0);
        for turn in turns {
            vertex(mesh, centre + *turn * reach, colour);
        }
    }
    if fill != clear {
        let middle = mesh.vertices.len() as u32;
        vertex(mesh, centre, fill);
        for at in 0..around {
            mesh.indices.extend([middle, first + at, first + (at + 1) % around]);
        }
    }
    for circle in 0..count as u32 - 1 {
        let (inner, outer) = (first + circle * around, first + (circle + 1) * around);
        for at in 0..around {
            let next = (at + 1) % around;
            mesh.indices.extend([inner + at, inner + next, outer + at, inner + next, outer + at, outer + next]);
        }
    }
}

/// The colour a share of the way from `a` to `b`.
fn mix(a: Color32, b: Color32, share: f32) -> Color32 {
    let part = |at: usize| (f32::from(a[at]) + (f32::from(b[at]) - f32::from(a[at])) * share).round() as u8;
    Color32::from_rgba_premultiplied(part(0), part(1), part(2), part(3))
}

/// Directions of the corners of a disc: as many as its size shows, and as long as makes the shape as large as the disc.
fn directions(radius: f32) -> &'static [Vec2] {
    use std::sync::LazyLock;
    fn circle(count: usize) -> Vec<Vec2> {
        let turn = std::f32::consts::TAU / count as f32;
        let length = (turn / turn.sin()).sqrt();
        (0..count).map(|at| length * Vec2::angled(turn * at as f32)).collect()
    }
    static CIRCLES: LazyLock<[Vec<Vec2>; 6]> = LazyLock::new(|| [6, 8, 12, 18, 28, 48].map(circle));
    let at = [1.6, 3.2, 5.0, 10.0, 20.0].iter().filter(|limit| radius > **limit).count();
    &CIRCLES[at]
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    /// The area of all triangles, each weighed by the mean opacity of its corners.
    fn ink(mesh: &Mesh) -> f32 {
        let triangles = mesh.indices.chunks_exact(3).map(|corners| {
            let [a, b, c] = [0, 1, 2].map(|at| mesh.vertices[corners[at] as usize]);
            let area = 0.5 * ((b.pos - a.pos).x * (c.pos - a.pos).y - (b.pos - a.pos).y * (c.pos - a.pos).x).abs();
            area * (f32::from(a.color.a()) + f32::from(b.color.a()) + f32::from(c.color.a())) / 3.0 / 255.0
        });
        triangles.sum()
    }

    #[test]
    fn the_ink_of_a_line_is_its_length_times_its_width() {
        for width in [0.2, 0.8, 1.0, 2.5, 7.0] {
            let mut mesh = Mesh::default();
            line(&mut mesh, [pos2(3.0, 4.0), pos2(33.0, 44.0)], width, Color32::WHITE, 1.0);
            assert!(mesh.is_valid());
            assert!((ink(&mesh) / (50.0 * width) - 1.0).abs() < 0.02, "{width}: {}", ink(&mesh));
        }
        let mut mesh = Mesh::default();
        line(&mut mesh, [pos2(3.0, 4.0); 2], 1.0, Color32::WHITE, 1.0);
        line(&mut mesh, [pos2(f32::NAN, 4.0), pos2(1.0, 1.0)], 1.0, Color32::WHITE, 1.0);
        assert!(mesh.is_empty());
    }

    #[test]
    fn the_ink_of_a_disc_is_its_area() {
        for radius in [1.2, 3.0, 8.0, 35.0] {
            for rim in [None, Some((0.6, Color32::WHITE)), Some((2.0, Color32::WHITE))] {
                let mut mesh = Mesh::default();
                disc(&mut mesh, pos2(7.0, 7.0), radius, Color32::WHITE, rim, 1.0);
                assert!(mesh.is_valid());
                let full = radius + rim.map_or(0.0, |(width, _)| width * 0.5);
                let area = std::f32::consts::PI * full * full;
                assert!((ink(&mesh) / area - 1.0).abs() < 0.2, "{radius} {rim:?}: {} of {area}", ink(&mesh));
                assert!(
                    radius > 2.0 || rim.is_some_and(|(width, _)| width > 1.0) || mesh.vertices.len() <= 17,
                    "{radius}: {}",
                    mesh.vertices.len()
                );
            }
        }
        // Only a rim: nothing within.
        let mut ring = Mesh::default();
        disc(&mut ring, pos2(7.0, 7.0), 10.0, Color32::TRANSPARENT, Some((2.0, Color32::WHITE)), 1.0);
        let area = std::f32::consts::TAU * 10.0 * 2.0;
        assert!((ink(&ring) / area - 1.0).abs() < 0.05, "{} of {area}", ink(&ring));
    }

    #[test]
    fn the_ink_of_a_triangle_is_its_area() {
        let mut mesh = Mesh::default();
        triangle(&mut mesh, [pos2(0.0, 0.0), pos2(20.0, 0.0), pos2(10.0, 20.0)], Color32::WHITE, 1.0);
        assert!(mesh.is_valid());
        assert!((ink(&mesh) / 200.0 - 1.0).abs() < 0.05, "{}", ink(&mesh));
    }
}
