//! Labels without overlap: the most important first, each where it covers the fewest lines, none where there is no room.
//!
//! Greedy placement over eight positions around the node, as is usual for maps (Christensen, Marks & Shieber 1995,
//! doi:10.1145/212332.212334).

use super::Area;
use super::links::{Disc, Line};
use crate::figures::font::{self, text_width};
use crate::figures::scene::Weight;

/// A label that found room.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedLabel {
    /// Position of the node in the figure.
    pub node: usize,
    /// Middle of the text's box.
    pub middle: [f32; 2],
    /// The box: letters from the ascenders to the descenders.
    pub area: Area,
    /// Font size; smaller than the figure's where the label is inside its node.
    pub size: f32,
    /// Whether it is inside its node.
    pub inside: bool,
}

/// What is asked for one node.
pub(super) struct Wanted<'a> {
    pub node: usize,
    pub disc: Disc,
    /// Reach of rings around the disc.
    pub ring: f32,
    pub text: &'a str,
    pub weight: Weight,
    /// Shown even where it covers nodes (but never other labels).
    pub must: bool,
    /// The disc holds a mark of its own: the label goes beside it.
    pub marked: bool,
    /// How important the node is: labels of the most important may cover nodes that matter less.
    pub priority: f32,
}

/// Side of the cells that count lines, in points.
const CELL: f32 = 5.0;
/// Side of the cells that find neighbours, in points.
const BUCKET: f32 = 32.0;

/// How many lines pass each small cell.
pub(super) struct Traffic {
    columns: usize,
    rows: usize,
    origin: [f32; 2],
    counts: Vec<u16>,
    /// One line in so many is counted, so many times: a large network's lines are alike.
    stride: usize,
    seen: usize,
}

impl Traffic {
    pub(super) fn new(area: Area, lines: usize) -> Self {
        let columns = ((area[1][0] - area[0][0]).max(1.0) / CELL) as usize + 1;
        let rows = ((area[1][1] - area[0][1]).max(1.0) / CELL) as usize + 1;
        let counts = vec![0; columns * rows];
        Self { columns, rows, origin: area[0], counts, stride: lines.div_ceil(1000).max(1), seen: 0 }
    }

    pub(super) fn add(&mut self, line: Line, length: f32) {
        self.seen += 1;
        if !self.seen.is_multiple_of(self.stride) {
            return;
        }
        let weight = self.stride.min(usize::from(u16::MAX)) as u16;
        let steps = ((length / CELL) as usize).clamp(1, 400);
        for step in 0..=steps {
            let point = line.at(step as f32 / steps as f32);
            let (x, y) = ((point[0] - self.origin[0]) / CELL, (point[1] - self.origin[1]) / CELL);
            if x >= 0.0 && y >= 0.0 && (x as usize) < self.columns && (y as usize) < self.rows {
                let count = &mut self.counts[y as usize * self.columns + x as usize];
                *count = count.saturating_add(weight);
            }
        }
    }

    /// Mean number of lines in the cells of `area`.
    fn within(&self, area: Area) -> f32 {
        let cell = |value: f32, at: usize, limit: usize| {
            (((value - self.origin[at]) / CELL).max(0.0) as usize).min(limit.saturating_sub(1))
        };
        let (left, right) = (cell(area[0][0], 0, self.columns), cell(area[1][0], 0, self.columns));
        let (top, bottom) = (cell(area[0][1], 1, self.rows), cell(area[1][1], 1, self.rows));
        let mut sum = 0_u32;
        for row in top..=bottom {
            let row = &self.counts[row * self.columns..][left..=right];
            sum += row.iter().map(|count| u32::from(*count)).sum::<u32>();
        }
        sum as f32 / ((right - left + 1) * (bottom - top + 1)) as f32
    }
}

/// Finds what lies near a box.
struct Buckets {
    columns: usize,
    rows: usize,
    origin: [f32; 2],
    lists: Vec<Vec<u32>>,
}

impl Buckets {
    fn new(area: Area) -> Self {
        let columns = ((area[1][0] - area[0][0]).max(1.0) / BUCKET) as usize + 1;
        let rows = ((area[1][1] - area[0][1]).max(1.0) / BUCKET) as usize + 1;
        Self { columns, rows, origin: area[0], lists: vec![Vec::new(); columns * rows] }
    }

    fn cells(&self, area: Area) -> impl Iterator<Item = usize> + use<> {
        let cell = |value: f32, at: usize, limit: usize| {
            (((value - self.origin[at]) / BUCKET).max(0.0) as usize).min(limit.saturating_sub(1))
        };
        let columns = self.columns;
        let (left, right) = (cell(area[0][0], 0, columns), cell(area[1][0], 0, columns));
        let (top, bottom) = (cell(area[0][1], 1, self.rows), cell(area[1][1], 1, self.rows));
        (top..=bottom).flat_map(move |row| (left..=right).map(move |column| row * columns + column))
    }

    fn add(&mut self, area: Area, item: usize) {
        for cell in self.cells(area) {
            self.lists[cell].push(item as u32);
        }
    }

    fn any(&self, area: Area, mut meets: impl FnMut(usize) -> bool) -> bool {
        self.cells(area).any(|cell| self.lists[cell].iter().any(|item| meets(*item as usize)))
    }
}

fn overlap(a: Area, b: Area) -> bool {
    (0..2).all(|at| a[0][at] < b[1][at] && b[0][at] < a[1][at])
}

fn covers(area: Area, disc: Disc, gap: f32) -> bool {
    let nearest = [0, 1].map(|at| disc.centre[at].clamp(area[0][at], area[1][at]));
    (nearest[0] - disc.centre[0]).hypot(nearest[1] - disc.centre[1]) < disc.radius + gap
}

/// More lines than this in every cell, and a label is not read.
const BUSY: f32 = 2.2;

/// Cost of one line through every cell: a position with a line through it gives way to any that is free.
const LINE: f32 = 1.2;

/// Positions around a node: horizontal and vertical direction, cost of choosing it.
const AROUND: [([f32; 2], f32); 12] = [
    ([1.0, 0.0], 0.0),
    ([-1.0, 0.0], 0.15),
    ([0.0, -1.0], 0.1),
    ([0.0, 1.0], 0.12),
    ([0.72, -0.72], 0.25),
    ([0.72, 0.72], 0.27),
    ([-0.72, -0.72], 0.33),
    ([-0.72, 0.72], 0.35),
    ([0.38, -0.92], 0.3),
    ([0.38, 0.92], 0.32),
    ([-0.38, -0.92], 0.36),
    ([-0.38, 0.92], 0.38),
];

/// Places the labels of `wanted` (most important first) in `area`, at most `most` of them besides those that must be.
pub(super) fn place(
    wanted: &[Wanted<'_>],
    discs: &[Disc],
    traffic: &Traffic,
    area: Area,
    size: f32,
    most: usize,
) -> Vec<PlacedLabel> {
    let mut near_discs = Buckets::new(area);
    for (at, disc) in discs.iter().enumerate() {
        let reach = |sign: f32| [disc.centre[0] + sign * disc.radius, disc.centre[1] + sign * disc.radius];
        let box_ = [reach(-1.0), reach(1.0)];
        // Labels stay within the area: what lies outside is in nobody's way.
        if overlap(box_, area) {
            near_discs.add(box_, at);
        }
    }
    let mut priority = vec![f32::NEG_INFINITY; discs.len()];
    for wish in wanted {
        priority[wish.node] = wish.priority;
    }
    let mut near_labels = Buckets::new(area);
    let mut placed: Vec<PlacedLabel> = Vec::new();
    let mut free_choice = 0;
    let important = wanted.iter().map(|wish| wish.priority).nth(3.max(most / 10)).unwrap_or(f32::NEG_INFINITY);
    for wish in wanted {
        if !wish.must && free_choice >= most {
            break;
        }
        let surroundings = Surroundings { discs, near_discs: &near_discs, placed: &placed, near_labels: &near_labels };
        let eager = wish.priority > important && wish.priority >= 1.0;
        let Some(label) = surroundings.find(wish, eager, &priority, traffic, area, size) else { continue };
        near_labels.add(label.area, placed.len());
        placed.push(label);
        free_choice += usize::from(!wish.must);
    }
    placed
}

/// What a label must keep clear of.
struct Surroundings<'a> {
    discs: &'a [Disc],
    near_discs: &'a Buckets,
    placed: &'a [PlacedLabel],
    near_labels: &'a Buckets,
}

impl Surroundings<'_> {
    /// Whether no label placed before meets `area`, with a little air between words.
    fn free_of_labels(&self, area: Area, size: f32) -> bool {
        let air = size * 0.15;
        let padded = [[area[0][0] - air, area[0][1]], [area[1][0] + air, area[1][1]]];
        !self.near_labels.any(padded, |other| overlap(padded, self.placed[other].area))
    }

    /// What it costs to cover the discs under `area`; none where it must not.
    fn cost_of_discs(&self, area: Area, wish: &Wanted<'_>, eager: bool, priority: &[f32]) -> Option<f32> {
        let mut cost = 0.0;
        let refused = self.near_discs.any(area, |other| {
            if !covers(area, self.discs[other], 0.8) {
                return false;
            }
            cost += if wish.must { 10.0 } else { 2.0 };
            !(wish.must || eager && priority[other] < wish.priority && other != wish.node)
        });
        (!refused).then_some(cost)
    }

    fn find(
        &self,
        wish: &Wanted<'_>,
        eager: bool,
        priority: &[f32],
        traffic: &Traffic,
        area: Area,
        size: f32,
    ) -> Option<PlacedLabel> {
        let Disc { centre, radius } = wish.disc;
        let width = text_width(wish.text, size, wish.weight);
        if width <= 0.0 {
            return None;
        }
        let outside = |box_: Area| (0..2).any(|at| box_[0][at] < area[0][at] + 1.0 || box_[1][at] > area[1][at] - 1.0);
        // Inside, a little smaller if need be.
        let inside = size.min(size * (radius * 1.78) / width);
        if !wish.marked && inside >= size * 0.82 && radius >= size * 0.75 {
            let box_ = text_box(centre, width * inside / size, inside);
            if !outside(box_) && self.free_of_labels(box_, size) {
                return Some(PlacedLabel { node: wish.node, middle: centre, area: box_, size: inside, inside: true });
            }
        }
        let mut best: Option<(f32, PlacedLabel)> = None;
        for ([right, down], cost) in AROUND {
            let reach = radius + wish.ring + size * 0.22;
            // Beside the node the text ends there; above and below it is centred, in between partly.
            let shift = (right * 1.4).clamp(-1.0, 1.0) * width / 2.0;
            let rise = if down == 0.0 { 0.0 } else { down.signum() * size * font::CAPITAL_HEIGHT * 0.62 };
            let middle = [centre[0] + right * reach + shift, centre[1] + down * reach + rise];
            let box_ = text_box(middle, width, size);
            if outside(box_) || !self.free_of_labels(box_, size) {
                continue;
            }
            let lines = traffic.within(box_);
            if lines > BUSY && !wish.must && !eager {
                continue;
            }
            let Some(covered) = self.cost_of_discs(box_, wish, eager, priority) else { continue };
            let cost = cost + LINE * lines + covered;
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, PlacedLabel { node: wish.node, middle, area: box_, size, inside: false }));
            }
        }
        best.map(|(_, label)| label)
    }
}

/// The box of a text around its middle (the middle of its capitals).
fn text_box(middle: [f32; 2], width: f32, size: f32) -> Area {
    let capitals = font::CAPITAL_HEIGHT / 2.0 * size;
    let below = capitals + font::DESCENT * size * 0.75;
    [[middle[0] - width / 2.0, middle[1] - capitals - size * 0.1], [middle[0] + width / 2.0, middle[1] + below]]
}
