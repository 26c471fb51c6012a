//! Names of points in a plot: beside their point where there is room, a little away on a thin line where not.

use crate::figures::axes::Frame;
use crate::figures::font::{CAPITAL_HEIGHT, text_width};
use crate::figures::network::Area;
use crate::figures::scene::{Anchor, Primitive, Stroke, Weight};
use crate::figures::theme::FigureTheme;

/// A point that would like its name.
pub(in crate::figures) struct Named<'a> {
    pub centre: [f32; 2],
    pub name: &'a str,
    /// In bold, and further away if need be.
    pub highlighted: bool,
}

/// Directions beside a point: the first that is free is taken.
const BESIDE: [[f32; 2]; 8] =
    [[1.0, 0.0], [-1.0, 0.0], [0.0, -1.0], [0.0, 1.0], [0.75, -0.9], [0.75, 0.9], [-0.75, -0.9], [-0.75, 0.9]];

/// Places at most `most` names (and those highlighted) of `wishes`, most important first. A name covers neither another
/// name, nor what is `taken`, nor one of `discs` of `radius`.
#[allow(clippy::too_many_arguments)]
pub(in crate::figures) fn place(
    wishes: &[Named<'_>],
    most: usize,
    frame: &Frame,
    discs: &[[f32; 2]],
    radius: f32,
    taken: Option<Area>,
    size: f32,
    theme: &FigureTheme,
) -> Vec<Primitive> {
    let mut boxes: Vec<Area> = taken.into_iter().collect();
    let mut out = Vec::new();
    let mut placed = 0;
    // In a dense cloud few find room; asking thousands would only cost time.
    for wish in wishes.iter().take(most * 3 + 20) {
        if placed >= most && !wish.highlighted {
            continue;
        }
        let weight = if wish.highlighted { Weight::Bold } else { Weight::Regular };
        let width = text_width(wish.name, size, weight);
        if width <= 0.0 {
            continue;
        }
        let half = [width / 2.0, size * CAPITAL_HEIGHT * 0.5 + 0.6];
        let free = |area: Area| {
            let in_frame = (0..2).all(|at| area[0][at] > frame.area[0][at] && area[1][at] < frame.area[1][at]);
            in_frame
                && !boxes.iter().any(|other| (0..2).all(|at| area[0][at] < other[1][at] && other[0][at] < area[1][at]))
                && !discs.iter().any(|disc| inside(area, *disc, radius * 0.6))
        };
        let Some((middle, area)) = beside(wish.centre, half, radius, size, &free)
            .or_else(|| away(wish.centre, half, size, if wish.highlighted { 16.0 } else { 3.0 }, &free))
        else {
            continue;
        };
        boxes.push(area);
        placed += 1;
        out.extend(leader(wish.centre, area, radius, size, theme));
        out.push(Primitive::Text {
            position: middle,
            anchor: Anchor::Middle,
            text: wish.name.to_owned(),
            size,
            colour: theme.text,
            weight,
            rotation: 0.0,
            halo: Some(theme.background),
        });
    }
    out
}

fn around(middle: [f32; 2], half: [f32; 2]) -> Area {
    [[middle[0] - half[0], middle[1] - half[1]], [middle[0] + half[0], middle[1] + half[1]]]
}

fn beside(
    centre: [f32; 2],
    half: [f32; 2],
    radius: f32,
    size: f32,
    free: &impl Fn(Area) -> bool,
) -> Option<([f32; 2], Area)> {
    let gap = radius + size * 0.25;
    BESIDE.into_iter().find_map(|[right, down]| {
        let side = if right == 0.0 { 0.0 } else { half[0] * f32::signum(right) };
        let middle = [centre[0] + right * gap + side, centre[1] + down * (gap + half[1] * 0.8)];
        let area = around(middle, half);
        free(area).then_some((middle, area))
    })
}

/// The nearest free place on growing rings of up to `reach` font sizes.
fn away(
    centre: [f32; 2],
    half: [f32; 2],
    size: f32,
    reach: f32,
    free: &impl Fn(Area) -> bool,
) -> Option<([f32; 2], Area)> {
    let mut distance = 1.2;
    while distance <= reach {
        for step in 0..16 {
            // Alternately left and right of straight up.
            let turn = if step % 2 == 0 { step as f32 } else { -(step as f32 + 1.0) } * std::f32::consts::PI / 16.0;
            let (sine, cosine) = turn.sin_cos();
            let middle =
                [centre[0] + sine * (distance * size + half[0]), centre[1] - cosine * (distance * size + half[1])];
            let area = around(middle, half);
            if free(area) {
                return Some((middle, area));
            }
        }
        distance += 0.6;
    }
    None
}

/// A thin line from a point to a name that is not beside it.
fn leader(centre: [f32; 2], area: Area, radius: f32, size: f32, theme: &FigureTheme) -> Option<Primitive> {
    let nearest = [0, 1].map(|at| centre[at].clamp(area[0][at], area[1][at]));
    let (dx, dy) = (nearest[0] - centre[0], nearest[1] - centre[1]);
    let length = dx.hypot(dy);
    if length < radius + size * 0.8 {
        return None;
    }
    let from = [centre[0] + dx / length * radius, centre[1] + dy / length * radius];
    let stroke = Stroke { width: 0.5, colour: theme.weak_text };
    Some(Primitive::Polyline { points: vec![from, nearest], stroke, dash: None })
}

/// Whether `point` lies in `area` or at most `slack` outside it.
pub(in crate::figures) fn inside(area: Area, point: [f32; 2], slack: f32) -> bool {
    (0..2).all(|at| point[at] > area[0][at] - slack && point[at] < area[1][at] + slack)
}
