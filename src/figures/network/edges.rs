//! The edges of a network: each by itself while they can be told apart, in bulk where they are too many for that, and of
//! very many only the foremost.

use super::draw::{View, band, edge_colour, edge_scale, edge_width};
use super::labels::Traffic;
use super::links::{Disc, Line, Link};
use super::{Area, NetworkEdge, NetworkFigure, NetworkHits};
use crate::figures::scene::{Layer, LinePiece, Primitive, Stroke, Triangle};

/// More edges in sight are drawn in bulk: straight from the middle of one disc to that of the other, in few widths.
const MANY: usize = 2500;
/// Neighbours nearer to each other (in points) leave no room for arrowheads and bends among many edges.
const ROOMY: f32 = 15.0;
/// So many edges in sight are drawn in full strength; more are fainter, down to a part of it.
const STRONG: f32 = 4000.0;
const FAINTEST: f32 = 0.3;
/// At most so many edges are drawn at once, the foremost of those in sight: more would be a blot that says less, and too
/// slow to move. The last of them fade out, from this share on, so that none comes or goes at once as the camera moves.
pub(super) const MOST: usize = 60_000;
const FADING: f32 = 0.85;
/// Among so many edges in sight those that only pass, both ends beyond the area, begin to step back, and among so many more
/// fully: to this part of their strength, where the nearer end is so far off (in points).
const CROWD: [f32; 2] = [800.0, 1700.0];
const PASSING: f32 = 0.3;
const FAR: f32 = 80.0;
/// Pieces of a bent edge among many.
const PIECES: usize = 6;
/// Steps of width and strength among many edges.
const STEPS: f32 = 12.0;

impl NetworkFigure {
    /// The edges, less important ones below, those pointed out on top; and how many lines pass where.
    pub(super) fn edge_layer(&self, view: &View<'_>, hits: &mut NetworkHits) -> (Layer, Traffic) {
        // From the foremost on.
        let mut seen: Vec<u32> = Vec::with_capacity(self.edges.len().min(MOST));
        let (mut pointed_out, mut others): (Vec<u32>, usize) = (Vec::new(), 0);
        let mut dims = false;
        let beyond: Vec<u8> = view.discs.iter().map(|disc| beyond(*disc, view.area)).collect();
        for (at, edge) in self.edges.iter().enumerate().rev() {
            dims |= edge.highlighted;
            let (Some(from), Some(to)) = (beyond.get(edge.from), beyond.get(edge.to)) else { continue };
            if from & to != 0 || (from | to) & NOWHERE != 0 {
                continue;
            }
            if edge.highlighted {
                pointed_out.push(at as u32);
            } else {
                others += 1;
                if seen.len() < MOST {
                    seen.push(at as u32);
                }
            }
        }
        let count = seen.len() + pointed_out.len();
        let mut drawing = Drawing {
            figure: self,
            view,
            beyond: &beyond,
            widths: edge_scale(view.scale),
            dims,
            crowd: ((count as f32 - CROWD[0]) / CROWD[1]).clamp(0.0, 1.0),
            primitives: Vec::new(),
            traffic: Traffic::new(view.area, count),
            hits,
        };
        let whole = pointed_out.iter().rev().map(|at| *at as usize);
        // Pale lines across strong ones would look like cuts: those that only pass lie below.
        let strength = fading(others);
        let order = seen.iter().enumerate().rev().map(|(place, at)| (*at as usize, strength(place)));
        let (passing, near): (Vec<_>, Vec<_>) = order.partition(|(at, _)| drawing.presence(&self.edges[*at]) < 1.0);
        let order = passing.into_iter().chain(near);
        if count > MANY {
            drawing.in_bulk(order, count);
            // Those pointed out are few as a rule, and then whole.
            if pointed_out.len() > MANY {
                drawing.in_bulk(whole.map(|at| (at, 1.0)), count);
            } else {
                whole.for_each(|at| drawing.one(at));
            }
        } else {
            order.map(|(at, _)| at).chain(whole).for_each(|at| drawing.one(at));
        }
        let Drawing { primitives, traffic, .. } = drawing;
        (Layer { name: "edges".into(), primitives, clip: Some(view.area) }, traffic)
    }
}

/// The place of a disc that has none.
const NOWHERE: u8 = 16;

/// Beyond which sides of the area a disc with all around it lies, one bit each: an edge whose ends lie beyond the same side
/// is out of sight (Cohen and Sutherland 1967).
fn beyond(disc: Disc, area: Area) -> u8 {
    let reach = disc.radius * 3.0 + 12.0;
    let sides = (0..2).map(|axis| {
        let at = disc.centre[axis];
        let before = u8::from(at + reach < area[0][axis]);
        let behind = u8::from(at - reach > area[1][axis]);
        (before | behind << 1) << (2 * axis) | if at.is_finite() { 0 } else { NOWHERE }
    });
    sides.fold(0, |all, side| all | side)
}

/// How strongly each of `count` edges in sight is drawn, by its place from the foremost on: all fully where there is room
/// for them, else the last ones fade to nothing. Continuous in both, so that nothing jumps as edges come into sight.
fn fading(count: usize) -> impl Fn(usize) -> f32 {
    let (most, from) = (MOST as f32, MOST as f32 * FADING);
    let fade = ((count as f32 - from) / (most - from)).clamp(0.0, 1.0);
    move |place| if fade > 0.0 { ((most - place as f32) / (most - from)).clamp(0.0, 1.0).powf(fade) } else { 1.0 }
}

struct Drawing<'a> {
    figure: &'a NetworkFigure,
    view: &'a View<'a>,
    /// By node: beyond which sides of the area it lies.
    beyond: &'a [u8],
    widths: f32,
    /// Some edges are pointed out: the others step back.
    dims: bool,
    /// How many edges there are in sight: none of them in the way of others (0) to too many (1).
    crowd: f32,
    primitives: Vec<Primitive>,
    traffic: Traffic,
    hits: &'a mut NetworkHits,
}

impl Drawing<'_> {
    fn strength(&self, edge: &NetworkEdge) -> f32 {
        match (self.dims, edge.highlighted) {
            (true, false) => edge.opacity * 0.4 * self.presence(edge),
            (true, true) => edge.opacity.max(0.85),
            (false, _) => edge.opacity * self.presence(edge),
        }
    }

    /// Less than 1 for edges that only pass, the farther their ends lie beyond the area.
    fn presence(&self, edge: &NetworkEdge) -> f32 {
        if self.crowd <= 0.0 {
            return 1.0;
        }
        let off = |node: usize| {
            let (at, [low, high]) = (self.view.discs[node].centre, self.view.area);
            (0..2).map(|axis| (low[axis] - at[axis]).max(at[axis] - high[axis])).fold(0.0, f32::max)
        };
        let passing = (off(edge.from).min(off(edge.to)) / FAR).clamp(0.0, 1.0);
        1.0 - self.crowd * (1.0 - PASSING) * passing
    }

    fn link(&self, edge: &NetworkEdge, stroke: Stroke) -> Option<Link> {
        let (from, to) = (self.view.discs[edge.from], self.view.discs[edge.to]);
        let scale = self.view.scale;
        let gap = 1.0 * scale.clamp(0.5, 1.5) + self.figure.ring(edge.to, scale);
        if edge.from == edge.to {
            Some(Link::around(from, edge.sign, stroke, scale, gap))
        } else {
            Link::new(from, to, edge.curved, edge.sign, stroke, scale, gap)
        }
    }

    /// An edge with everything that it has.
    fn one(&mut self, at: usize) {
        let (edge, theme) = (&self.figure.edges[at], self.view.theme);
        let colour = theme.background.mix(edge_colour(edge.tint, edge.sign, theme), self.strength(edge));
        let stroke = Stroke { width: edge_width(edge.width, self.widths), colour };
        let Some(link) = self.link(edge, stroke) else { return };
        if edge.marked {
            self.primitives.push(link.line.primitive(band(stroke, theme)));
        }
        self.primitives.push(if edge.dashed { link.line.dashed(stroke) } else { link.line.primitive(stroke) });
        self.primitives.extend(link.head);
        self.hits.add_edge(at, link.line.samples());
        let (from, to) = (self.view.discs[edge.from], self.view.discs[edge.to]);
        self.traffic.add(link.line, length(from, to));
    }

    /// Edges (with a part of their strength) as plain lines, `count` in all; with arrowheads and bends only where neighbours
    /// have room for them.
    fn in_bulk(&mut self, edges: impl Iterator<Item = (usize, f32)>, count: usize) {
        let theme = self.view.theme;
        let roomy = self.view.apart >= ROOMY;
        let faint = (STRONG / count as f32).sqrt().clamp(FAINTEST, 1.0);
        let (mut lines, mut heads) = (Vec::with_capacity(count), Vec::new());
        for (at, part) in edges {
            let edge = &self.figure.edges[at];
            // Few different strokes make small files.
            let stepped = |value: f32| (value * STEPS).ceil() / STEPS;
            let strength = stepped(self.strength(edge) * faint * part);
            let colour = theme.background.mix(edge_colour(edge.tint, edge.sign, theme), strength);
            let stroke = Stroke { width: stepped(edge_width(edge.width, self.widths)), colour };
            let (from, to) = (self.view.discs[edge.from], self.view.discs[edge.to]);
            let passes = !edge.curved && self.beyond[edge.from] != 0 && self.beyond[edge.to] != 0;
            if !roomy || passes {
                // The discs lie above, or out of sight: no need to find their rims.
                let ends = [from.centre, to.centre];
                if let Some(ends) = clipped(ends, self.view.area).filter(|_| edge.from != edge.to) {
                    lines.push(LinePiece { ends, stroke });
                    self.hits.add_edge(at, ends);
                    self.traffic.add(Line::Straight(ends), length(from, to));
                }
                continue;
            }
            let Some(link) = self.link(edge, stroke) else { continue };
            match link.line {
                Line::Straight(ends) => {
                    let Some(seen) = clipped(ends, self.view.area) else { continue };
                    lines.push(LinePiece { ends: seen, stroke });
                    self.hits.add_edge(at, seen);
                }
                Line::Bent(_) => {
                    let point = |step: usize| link.line.at(step as f32 / PIECES as f32);
                    let pieces = (0..PIECES).map(|step| [point(step), point(step + 1)]);
                    lines.extend(
                        pieces.filter_map(|ends| clipped(ends, self.view.area).map(|ends| LinePiece { ends, stroke })),
                    );
                    self.hits.add_edge(at, link.line.samples());
                }
            }
            self.traffic.add(link.line, length(from, to));
            match link.head {
                Some(Primitive::Polygon { points, fill, .. }) => {
                    if let [a, b, c] = points[..]
                        && inside(a, self.view.area)
                    {
                        heads.push(Triangle { corners: [a, b, c], fill });
                    }
                }
                Some(Primitive::Polyline { points, stroke, .. }) => {
                    if let [a, b] = points[..] {
                        lines.extend(clipped([a, b], self.view.area).map(|ends| LinePiece { ends, stroke }));
                    }
                }
                _ => {}
            }
        }
        self.primitives.push(Primitive::Lines(lines));
        if !heads.is_empty() {
            self.primitives.push(Primitive::Triangles(heads));
        }
    }
}

fn length(from: Disc, to: Disc) -> f32 {
    (to.centre[0] - from.centre[0]).hypot(to.centre[1] - from.centre[1])
}

fn inside(point: [f32; 2], area: Area) -> bool {
    (0..2).all(|axis| (area[0][axis] - 8.0..=area[1][axis] + 8.0).contains(&point[axis]))
}

/// The part of a line that lies in `area` and a little around it; none if no part does (Liang and Barsky 1984).
fn clipped([from, to]: [[f32; 2]; 2], area: Area) -> Option<[[f32; 2]; 2]> {
    const AROUND: f32 = 4.0;
    let (mut enter, mut leave) = (0.0_f32, 1.0_f32);
    for axis in 0..2 {
        let way = to[axis] - from[axis];
        if !way.is_finite() {
            return None;
        }
        let (low, high) = (area[0][axis] - AROUND - from[axis], area[1][axis] + AROUND - from[axis]);
        if way == 0.0 {
            if low > 0.0 || high < 0.0 {
                return None;
            }
        } else {
            let (a, b) = (low / way, high / way);
            enter = enter.max(a.min(b));
            leave = leave.min(a.max(b));
        }
    }
    let at = |share: f32| [0, 1].map(|axis| from[axis] + (to[axis] - from[axis]) * share);
    if enter >= leave {
        return None;
    }
    Some([if enter > 0.0 { at(enter) } else { from }, if leave < 1.0 { at(leave) } else { to }])
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = [[0.0, 0.0], [100.0, 50.0]];

    #[test]
    fn the_last_of_too_many_edges_fade() {
        let places = [0, MOST / 2, MOST * 9 / 10, MOST - 1];
        assert_eq!(places.map(fading((MOST as f32 * FADING) as usize)), [1.0; 4]);
        let crowded = places.map(fading(4 * MOST));
        assert!(crowded[..2] == [1.0; 2] && (0.5..0.8).contains(&crowded[2]) && crowded[3] < 0.01, "{crowded:?}");
        // One edge more changes nothing much, whatever the number.
        for count in (MOST / 2..2 * MOST).step_by(97) {
            let (one, more) = (fading(count), fading(count + 1));
            let last = count.min(MOST) - 1;
            assert!((one(last) - more(last)).abs() < 0.05 && (one(last / 2) - more(last / 2)).abs() < 1e-3, "{count}");
            // The edge that no longer finds room was next to nothing.
            assert!(count < MOST || one(MOST - 1) < 0.01, "{count}");
        }
    }

    #[test]
    fn edges_with_both_ends_beyond_one_side_are_out_of_sight() {
        let place = |x: f32, y: f32| beyond(Disc { centre: [x, y], radius: 1.0 }, AREA);
        assert_eq!(
            [place(50.0, 25.0), place(-14.0, 60.0), place(114.0, -14.0)],
            [0; 3],
            "what is around it may be seen"
        );
        assert_eq!([place(-16.0, 25.0), place(116.0, 25.0), place(50.0, -16.0), place(50.0, 66.0)], [1, 2, 4, 8]);
        assert_eq!((place(-16.0, 66.0), place(f32::NAN, 25.0)), (9, NOWHERE));
    }

    #[test]
    fn only_what_is_seen_of_a_line_is_kept() {
        assert_eq!(clipped([[10.0, 10.0], [90.0, 40.0]], AREA), Some([[10.0, 10.0], [90.0, 40.0]]));
        assert_eq!(clipped([[-104.0, 20.0], [204.0, 20.0]], AREA), Some([[-4.0, 20.0], [104.0, 20.0]]));
        assert_eq!(clipped([[50.0, -154.0], [50.0, 25.0]], AREA), Some([[50.0, -4.0], [50.0, 25.0]]));
        // The box around it meets the area, the line does not.
        assert_eq!(clipped([[-60.0, 30.0], [60.0, 130.0]], AREA), None);
        assert_eq!(clipped([[10.0, 70.0], [90.0, 70.0]], AREA), None);
        assert_eq!(clipped([[f32::NAN, 0.0], [1.0, 1.0]], AREA), None);
    }
}
