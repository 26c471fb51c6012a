//! The drawing of the network.

use super::labels::{Traffic, Wanted, place};
use super::legend::Mark;
use super::links::Disc;
use super::style::{EdgeTint, Tint};
use super::{Area, Camera, NetworkEdge, NetworkFigure, NetworkHits, NetworkNode, NetworkScene, NodeHit};
use crate::evaluation::networks::EdgeVerdict;
use crate::figures::scene::{Anchor, Colour, Layer, Primitive, Scene, Stroke, Weight};
use crate::figures::theme::FigureTheme;
use crate::network::{Sign, SignEvidence};

/// Distance between neighbours, in points, at which radii and widths are drawn as given.
const REFERENCE_SPACING: f32 = 40.0;
/// No disc is smaller, in points.
const LEAST_RADIUS: f32 = 1.1;
/// Smaller discs (in points) show no ring of what was perturbed: it would be all there is to see.
const LEAST_RINGED: f32 = 2.4;
/// Labels are tried for so many times as many nodes as may have one.
const TRIES: usize = 3;
/// Thinnest line that prints.
const HAIRLINE: f32 = 0.35;

/// By how much edges are wider or thinner where nodes are drawn `scale` times as large.
pub(super) fn edge_scale(scale: f32) -> f32 {
    scale.clamp(0.6, 1.35)
}

/// Width of an edge as drawn.
pub(super) fn edge_width(width: f32, edge_scale: f32) -> f32 {
    (width * edge_scale).max(HAIRLINE)
}

/// By how much rims and rings are wider or thinner.
fn line_scale(scale: f32) -> f32 {
    scale.clamp(0.5, 1.2)
}

/// Colour of a sign.
pub(super) fn sign_colour(sign: Sign, theme: &FigureTheme) -> Colour {
    match sign {
        Sign::Activates => theme.activation,
        Sign::Represses => theme.repression,
        Sign::Unknown => theme.unknown,
    }
}

/// Colour of what a sign rests on: as in plots where it is a prediction, as reference networks where it is from a file.
fn evidence_colour(evidence: SignEvidence, theme: &FigureTheme) -> Colour {
    match evidence {
        SignEvidence::Measured => theme.series[3],
        SignEvidence::Predicted => theme.predicted,
        SignEvidence::Reference => theme.known,
        SignEvidence::None => theme.unknown,
    }
}

/// Colour of an edge.
pub(super) fn edge_colour(tint: EdgeTint, sign: Sign, theme: &FigureTheme) -> Colour {
    match tint {
        EdgeTint::Sign => sign_colour(sign, theme),
        EdgeTint::Plain => theme.unknown,
        EdgeTint::Sequential(share) => theme.amount(0.15 + 0.85 * share),
        EdgeTint::Evidence(evidence) => evidence_colour(evidence, theme),
        EdgeTint::Tested(EdgeVerdict::Supported) => theme.predicted,
        EdgeTint::Tested(EdgeVerdict::Opposite) => theme.repression,
        EdgeTint::Tested(EdgeVerdict::Unclear | EdgeVerdict::NotTested) => theme.unknown,
        EdgeTint::Known(true) | EdgeTint::Missing => theme.known,
        EdgeTint::Known(false) => theme.unknown,
        EdgeTint::Given(colour) => colour,
        EdgeTint::Both => theme.node_rim,
        EdgeTint::Left => theme.series[0],
        EdgeTint::Right => theme.series[1],
    }
}

/// Colour of a node's inside.
pub(super) fn tint_colour(tint: Tint, theme: &FigureTheme) -> Colour {
    match tint {
        Tint::Diverging(share) => theme.shift(share),
        Tint::Sequential(share) => theme.amount(share),
        Tint::Group(group) => theme.group(group as usize),
    }
}

/// The band along an edge that the reference knows.
pub(super) fn band(stroke: Stroke, theme: &FigureTheme) -> Stroke {
    Stroke { width: stroke.width + 2.6, colour: theme.background.mix(theme.known, 0.42) }
}

/// A disc with its mark.
pub(super) fn node_mark(disc: Disc, mark: Mark, line: f32, theme: &FigureTheme, out: &mut Vec<Primitive>) {
    let Disc { centre, radius } = disc;
    let circle = |radius: f32, fill: Colour, width: f32, colour: Colour| Primitive::Circle {
        centre,
        radius,
        fill,
        stroke: Some(Stroke { width, colour }),
    };
    let none = Colour(0, 0, 0, 0);
    match mark {
        Mark::Perturbed => {
            out.push(circle(radius, theme.node, line * 0.75, theme.node_rim));
            out.push(circle(radius + line * 2.1, none, line * 0.75, theme.node_rim));
        }
        Mark::KnockedOut => {
            out.push(circle(radius, theme.background, line * 1.3, theme.knock_out));
            cross(disc, line * 1.3, theme.knock_out, out);
        }
        Mark::NoValue => out.push(circle(radius, theme.no_value, line * 0.75, theme.node_rim)),
        Mark::Unmeasured => out.push(circle(radius, theme.background, line * 0.75, theme.node_rim)),
    }
}

fn cross(Disc { centre, radius }: Disc, width: f32, colour: Colour, out: &mut Vec<Primitive>) {
    let arm = radius * std::f32::consts::FRAC_1_SQRT_2;
    for side in [1.0, -1.0] {
        let points = vec![[centre[0] - arm, centre[1] - side * arm], [centre[0] + arm, centre[1] + side * arm]];
        out.push(Primitive::Polyline { points, stroke: Stroke { width, colour }, dash: None });
    }
}

impl NetworkEdge {
    /// Its colour in full strength.
    pub fn colour(&self, theme: &FigureTheme) -> Colour {
        edge_colour(self.tint, self.sign, theme)
    }
}

/// What the parts of a drawing share.
pub(super) struct View<'a> {
    pub discs: &'a [Disc],
    pub area: Area,
    /// Of the discs.
    pub scale: f32,
    /// How far neighbours are apart, in points.
    pub apart: f32,
    pub theme: &'a FigureTheme,
}

/// How large discs and lines are drawn where neighbours are so many points apart.
fn drawn_scale(apart: f32) -> f32 {
    (apart / REFERENCE_SPACING).clamp(0.14, 2.2)
}

/// The camera that shows all `positions` in `area` with room for labels beside the outermost, and no disc cut off:
/// `sticks_out` says how far they reach over the border if centres keep so far from it.
pub(super) fn fit_discs(
    positions: &[[f32; 2]],
    area: Area,
    text_size: f32,
    sticks_out: impl Fn(&Camera, f32) -> f32,
) -> Camera {
    let least = (area[1][0] - area[0][0]).min(area[1][1] - area[0][1]);
    let mut margin = (text_size * 2.4).min(least * 0.2);
    let mut camera = Camera::fit(positions, area, margin);
    // Discs shrink with the picture: a few rounds are enough.
    for _ in 0..4 {
        let over = sticks_out(&camera, margin);
        if over <= 0.0 {
            break;
        }
        margin = (margin + over).min(least * 0.4);
        camera = Camera::fit(positions, area, margin);
    }
    camera
}

impl NetworkFigure {
    /// Where the network is drawn in a figure of `size` points: all of it, less the legend.
    pub fn area(&self, size: [f32; 2]) -> Area {
        let strip = self.legend.as_ref().map_or(0.0, |legend| legend.height(size, self.text_size));
        [[0.0, 0.0], [size[0], size[1] - strip]]
    }

    /// The camera that shows all of it in a figure of `size` points.
    pub fn fit(&self, size: [f32; 2]) -> Camera {
        let positions: Vec<[f32; 2]> = self.nodes.iter().map(|node| node.position).collect();
        let area = self.area(size);
        fit_discs(&positions, area, self.text_size, |camera, margin| self.sticks_out(camera, area, margin))
    }

    /// How far discs with their rings reach over the border of `area`, in points; 0 where none does. All centres lie
    /// `margin` points within it.
    pub(super) fn sticks_out(&self, camera: &Camera, area: Area, margin: f32) -> f32 {
        // Room for the widest ring: the picture stays where it is when a gene is selected.
        let ring = |scale: f32| 4.0 * line_scale(scale);
        // Of many nodes none is that large, which is soon told.
        let [width, height] = [0, 1].map(|axis| area[1][axis] - area[0][axis]);
        let apart = (width.max(height * 0.1) * height.max(width * 0.1) / self.nodes.len().max(1) as f32).sqrt();
        let largest = self.nodes.iter().map(|node| node.radius).fold(0.0, f32::max);
        let most = drawn_scale(apart);
        if self.nodes.len() > 1 && (largest * most).max(LEAST_RADIUS) + ring(most) <= margin {
            return 0.0;
        }
        let scale = self.scale(camera);
        let ring = ring(scale);
        let reach = |node: &NetworkNode| {
            let centre = camera.to_screen(node.position, area);
            let radius = (node.radius * scale).max(LEAST_RADIUS) + ring;
            let over = |axis: usize| (area[0][axis] - centre[axis] + radius).max(centre[axis] + radius - area[1][axis]);
            over(0).max(over(1))
        };
        self.nodes.iter().map(reach).filter(|over| over.is_finite()).fold(0.0, f32::max)
    }

    /// How large discs and lines are drawn, against those of neighbours 40 points apart.
    fn scale(&self, camera: &Camera) -> f32 {
        drawn_scale(camera.zoom * self.spacing())
    }

    /// Typical distance between neighbours in the layout's plane.
    pub fn spacing(&self) -> f32 {
        if let Some(spacing) = self.spacing {
            return spacing;
        }
        if self.nodes.len() < 2 {
            return REFERENCE_SPACING;
        }
        // Of the middle nine tenths, so that one node dragged away changes nothing.
        let extent = [0, 1].map(|at| {
            let mut values: Vec<f32> =
                self.nodes.iter().map(|node| node.position[at]).filter(|value| value.is_finite()).collect();
            let (low, high) = (values.len() / 20, values.len().saturating_sub(1) - values.len() / 20);
            if values.is_empty() {
                return 0.0;
            }
            let low = *values.select_nth_unstable_by(low, f32::total_cmp).1;
            *values.select_nth_unstable_by(high, f32::total_cmp).1 - low
        });
        let area = extent[0].max(extent[1] * 0.1) * extent[1].max(extent[0] * 0.1);
        let spacing = (area / self.nodes.len() as f32).sqrt();
        // Where genes lie in clusters far apart, what counts is how near they are within them.
        let spacing = nearest(&self.nodes).map_or(spacing, |nearest| spacing.min(1.3 * nearest));
        if spacing.is_finite() && spacing > 0.0 { spacing } else { REFERENCE_SPACING }
    }

    /// Draws the network in a figure of `size` points. Nodes without a finite position are left out.
    pub fn scene(&self, size: [f32; 2], camera: &Camera, theme: &FigureTheme) -> NetworkScene {
        let area = self.area(size);
        let spacing = self.spacing();
        let scale = self.scale(camera);
        let discs: Vec<Disc> = self
            .nodes
            .iter()
            .map(|node| Disc {
                centre: camera.to_screen(node.position, area),
                radius: (node.radius * scale).max(LEAST_RADIUS),
            })
            .collect();
        let mut hits = NetworkHits::default();
        // How far neighbours are apart on paper, however small the discs may get.
        let apart = camera.zoom * spacing;
        let view = View { discs: &discs, area, scale, apart, theme };
        let (edges, traffic) = self.edge_layer(&view, &mut hits);
        let nodes = self.node_layer(&discs, area, scale, theme, &mut hits);
        let (labels, placed) = self.label_layer(&discs, area, scale, theme, &traffic);
        let mut layers = vec![edges, nodes, labels];
        if let Some(legend) = &self.legend {
            layers.push(legend.layer(size, self.text_size, scale, theme));
        }
        NetworkScene { scene: Scene { size, background: Some(theme.background), layers }, hits, area, labels: placed }
    }

    /// Reach of the rings around a node.
    pub(super) fn ring(&self, node: usize, scale: f32) -> f32 {
        let node = &self.nodes[node];
        line_scale(scale)
            * if node.selected {
                3.0
            } else if node.perturbed || node.hovered {
                2.1
            } else {
                0.4
            }
    }

    fn node_layer(&self, discs: &[Disc], area: Area, scale: f32, theme: &FigureTheme, hits: &mut NetworkHits) -> Layer {
        let line = line_scale(scale);
        let coloured = self.nodes.iter().any(|node| node.tint.is_some());
        let mut primitives = Vec::with_capacity(self.nodes.len());
        let mut order: Vec<usize> =
            (0..self.nodes.len()).filter(|at| !out_of_sight(discs[*at], discs[*at], area)).collect();
        // Those that matter above the others.
        order.sort_by_key(|at| {
            let node = &self.nodes[*at];
            (node.hovered, node.selected, node.knocked_out)
        });
        for at in order {
            let (node, disc) = (&self.nodes[at], discs[at]);
            let Disc { centre, radius } = disc;
            let ring = |radius: f32, width: f32, colour: Colour| Primitive::Circle {
                centre,
                radius,
                fill: Colour(0, 0, 0, 0),
                stroke: Some(Stroke { width, colour }),
            };
            let fill = self.fill(at, coloured, theme);
            let mut rim = Stroke { width: 0.7 * line, colour: theme.node_rim };
            if node.faint {
                rim.colour = theme.background.mix(theme.node_rim, 0.4);
            }
            if node.knocked_out {
                rim = Stroke { width: 1.3 * line, colour: theme.knock_out };
            }
            primitives.push(Primitive::Circle { centre, radius, fill, stroke: Some(rim) });
            if node.knocked_out {
                cross(disc, 1.3 * line, theme.knock_out, &mut primitives);
            }
            if node.selected {
                primitives.push(ring(radius + 2.0 * line, 1.7 * line, theme.highlight));
            } else if node.hovered {
                primitives.push(ring(radius + 1.5 * line, 1.1 * line, theme.highlight));
            } else if node.perturbed && radius >= LEAST_RINGED {
                primitives.push(ring(radius + 1.6 * line, 0.6 * line, theme.node_rim));
            }
            hits.nodes.push(NodeHit { node: at, centre, radius });
        }
        Layer { name: "nodes".into(), primitives, clip: Some(area) }
    }

    fn label_layer(
        &self,
        discs: &[Disc],
        area: Area,
        scale: f32,
        theme: &FigureTheme,
        traffic: &Traffic,
    ) -> (Layer, Vec<super::PlacedLabel>) {
        let size = self.text_size;
        // More labels the closer one looks, never so many that they hide the network.
        let room = (area[1][0] - area[0][0]) * (area[1][1] - area[0][1]) / (size * size);
        let most = (room / 15.0 * scale.clamp(0.5, 1.0)) as usize + 4;
        let mut order: Vec<usize> = (0..self.nodes.len())
            .filter(|at| {
                let centre = discs[*at].centre;
                (0..2).all(|axis| (area[0][axis]..=area[1][axis]).contains(&centre[axis]))
            })
            .collect();
        let rank = |at: usize| {
            let node = &self.nodes[at];
            (u8::from(node.hovered) << 2) | (u8::from(node.selected) << 1) | u8::from(node.knocked_out)
        };
        let by_importance = |a: &usize, b: &usize| {
            let priority = |at: usize| self.nodes[at].priority;
            rank(*b).cmp(&rank(*a)).then(priority(*b).total_cmp(&priority(*a))).then(a.cmp(b))
        };
        // Of thousands of nodes only the most important have a chance; those that must have a label come first.
        let must = order.iter().filter(|at| rank(**at) > 0).count();
        let tried = must + TRIES * most;
        if order.len() > tried {
            order.select_nth_unstable_by(tried, by_importance);
            order.truncate(tried);
        }
        order.sort_unstable_by(by_importance);
        let wanted: Vec<Wanted<'_>> = order
            .into_iter()
            .map(|at| Wanted {
                node: at,
                disc: discs[at],
                ring: self.ring(at, scale),
                text: &self.nodes[at].label,
                weight: self.weight(at),
                must: rank(at) > 0,
                marked: self.nodes[at].knocked_out,
                priority: self.nodes[at].priority,
            })
            .collect();
        let coloured = self.nodes.iter().any(|node| node.tint.is_some());
        let placed = place(&wanted, discs, traffic, area, size, most);
        let primitives = placed
            .iter()
            .map(|label| {
                let node = &self.nodes[label.node];
                let inside = self.fill(label.node, coloured, theme);
                Primitive::Text {
                    position: label.middle,
                    anchor: Anchor::Middle,
                    text: node.label.clone(),
                    size: label.size,
                    colour: match (label.inside, node.faint) {
                        (true, _) => theme.text_on(inside),
                        (false, true) => theme.weak_text,
                        (false, false) => theme.text,
                    },
                    weight: self.weight(label.node),
                    rotation: 0.0,
                    halo: (!label.inside).then_some(theme.background),
                }
            })
            .collect();
        (Layer { name: "labels".into(), primitives, clip: Some(area) }, placed)
    }

    /// Colour of the inside of `node`, one of this figure's.
    pub fn fill_of(&self, node: &NetworkNode, theme: &FigureTheme) -> Colour {
        Self::inside(node, self.nodes.iter().any(|node| node.tint.is_some()), theme)
    }

    fn fill(&self, node: usize, coloured: bool, theme: &FigureTheme) -> Colour {
        Self::inside(&self.nodes[node], coloured, theme)
    }

    fn inside(node: &NetworkNode, coloured: bool, theme: &FigureTheme) -> Colour {
        if node.faint {
            return theme.background;
        }
        node.fill.unwrap_or_else(|| match (node.tint, node.measured) {
            (Some(tint), _) => tint_colour(tint, theme),
            (None, true) if coloured => theme.no_value,
            (None, true) => theme.node,
            (None, false) => theme.background,
        })
    }

    fn weight(&self, node: usize) -> Weight {
        let node = &self.nodes[node];
        if node.selected || node.hovered || node.knocked_out { Weight::Bold } else { Weight::Regular }
    }
}

/// Whether the box around two discs lies outside the area, or they are nowhere.
fn out_of_sight(a: Disc, b: Disc, area: Area) -> bool {
    let reach = a.radius.max(b.radius) * 3.0 + 12.0;
    (0..2).any(|at| {
        let (low, high) = (a.centre[at].min(b.centre[at]), a.centre[at].max(b.centre[at]));
        !(low.is_finite() && high.is_finite()) || high + reach < area[0][at] || low - reach > area[1][at]
    })
}
/// The median distance of a node to the nearest other: of all nodes of a small network, of some of a large one, so that it
/// takes the same time in every frame. None for fewer than two places.
fn nearest(nodes: &[NetworkNode]) -> Option<f32> {
    /// Pairs that are looked at.
    const PAIRS: usize = 360_000;
    /// Nodes asked about at the least.
    const LEAST: usize = 16;
    let places: Vec<[f32; 2]> =
        nodes.iter().map(|node| node.position).filter(|at| at.iter().all(|part| part.is_finite())).collect();
    if places.len() < 2 {
        return None;
    }
    let asked = (PAIRS / places.len()).clamp(LEAST, places.len().max(LEAST));
    let square = |a: &[f32; 2], b: &[f32; 2]| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
    let to_nearest = |(at, here): (usize, &[f32; 2])| {
        let others = places[..at].iter().chain(&places[at + 1..]);
        others.map(|there| square(here, there)).fold(f32::INFINITY, f32::min)
    };
    let mut squares: Vec<f32> =
        places.iter().enumerate().step_by(places.len().div_ceil(asked)).map(to_nearest).collect();
    let middle = squares.len() / 2;
    Some(squares.select_nth_unstable_by(middle, f32::total_cmp).1.sqrt()).filter(|distance| *distance > 0.0)
}
