//! Which node or edge is at a point: a grid is asked, made at the first question.

use std::cell::OnceCell;

use super::Area;

/// A node as drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NodeHit {
    /// Position in the figure's nodes.
    pub node: usize,
    /// In points of the scene.
    pub centre: [f32; 2],
    /// As drawn, in points.
    pub radius: f32,
}

/// Nodes and edges of a drawn network in points of its scene. What lies outside the area is not among them.
#[derive(Clone, Debug, Default)]
pub struct NetworkHits {
    /// The nodes, in the order they were drawn: later ones lie above.
    pub nodes: Vec<NodeHit>,
    /// Sampled lines of the edges, one after the other.
    points: Vec<[f32; 2]>,
    /// For each drawn edge: its position in the figure, its last point's position in `points`, plus one.
    edges: Vec<(u32, u32)>,
    node_index: OnceCell<Grid>,
    edge_index: OnceCell<Grid>,
}

impl PartialEq for NetworkHits {
    fn eq(&self, other: &Self) -> bool {
        // The grids follow from the rest.
        (&self.nodes, &self.points, &self.edges) == (&other.nodes, &other.points, &other.edges)
    }
}

impl NetworkHits {
    pub(super) fn add_edge(&mut self, edge: usize, points: impl IntoIterator<Item = [f32; 2]>) {
        self.points.extend(points);
        self.edges.push((edge as u32, self.points.len() as u32));
    }

    /// The edges as drawn: position in the figure, points of its line.
    pub fn edges(&self) -> impl Iterator<Item = (usize, &[[f32; 2]])> {
        (0..self.edges.len()).map(|at| (self.edges[at].0 as usize, self.line(at)))
    }

    fn line(&self, at: usize) -> &[[f32; 2]] {
        let from = if at == 0 { 0 } else { self.edges[at - 1].1 };
        &self.points[from as usize..self.edges[at].1 as usize]
    }

    /// The topmost node at `point`, or the nearest at most `slack` points away: its position in the figure.
    pub fn node_at(&self, point: [f32; 2], slack: f32) -> Option<usize> {
        let grid = self.node_index.get_or_init(|| {
            let boxes = self.nodes.iter().map(|hit| hit.centre.map(|at| [at - hit.radius, at + hit.radius]));
            let boxes: Vec<Area> = boxes.map(|[x, y]| [[x[0], y[0]], [x[1], y[1]]]).collect();
            Grid::new(&boxes, |at, cells| cells.all(boxes[at]))
        });
        let away = |at: u32| {
            let hit = &self.nodes[at as usize];
            let distance = (point[0] - hit.centre[0]).hypot(point[1] - hit.centre[1]) - hit.radius;
            (distance <= slack).then_some((distance.max(0.0), at))
        };
        let near = grid.near(point, slack).filter_map(away);
        // Of two that are equally near the upper one, which was drawn later.
        let nearest = near.min_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        nearest.map(|(_, at)| self.nodes[at as usize].node)
    }

    /// The edge nearest to `point`, at most `slack` points away: its position in the figure.
    pub fn edge_at(&self, point: [f32; 2], slack: f32) -> Option<usize> {
        let grid = self.edge_index.get_or_init(|| {
            let boxes: Vec<Area> = (0..self.edges.len()).map(|at| around(self.line(at))).collect();
            Grid::new(&boxes, |at, cells| {
                for ends in self.line(at).windows(2) {
                    cells.along(ends[0], ends[1]);
                }
            })
        });
        let away = |at: u32| {
            let line = self.line(at as usize);
            let distance =
                line.windows(2).map(|ends| to_segment(point, ends[0], ends[1])).fold(f32::INFINITY, f32::min);
            (distance <= slack).then_some((distance, at))
        };
        let near = grid.near(point, slack).filter_map(away);
        let nearest = near.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        nearest.map(|(_, at)| self.edges[at as usize].0 as usize)
    }

    /// The nodes whose centres lie in `area`: positions in the figure. For selecting by a box.
    pub fn nodes_in(&self, area: Area) -> Vec<usize> {
        let inside = |hit: &&NodeHit| (0..2).all(|at| (area[0][at]..=area[1][at]).contains(&hit.centre[at]));
        self.nodes.iter().filter(inside).map(|hit| hit.node).collect()
    }
}

/// The box around a line.
fn around(line: &[[f32; 2]]) -> Area {
    line.iter().fold([[f32::INFINITY; 2], [f32::NEG_INFINITY; 2]], |[low, high], point| {
        [[low[0].min(point[0]), low[1].min(point[1])], [high[0].max(point[0]), high[1].max(point[1])]]
    })
}

/// Most columns and rows of a grid.
const MOST_CELLS: f32 = 96.0;

/// What lies in each cell of a grid.
#[derive(Clone, Debug)]
struct Grid {
    origin: [f32; 2],
    /// Side of a cell.
    side: f32,
    columns: usize,
    rows: usize,
    /// The things of cell i are `things[starts[i]..starts[i + 1]]`.
    starts: Vec<u32>,
    things: Vec<u32>,
}

/// Collects the cells of one thing.
struct Cells<'a> {
    grid: &'a Grid,
    found: Vec<usize>,
}

impl Cells<'_> {
    /// All cells that a box meets.
    fn all(&mut self, area: Area) {
        let (low, high) = (self.grid.cell(area[0]), self.grid.cell(area[1]));
        for row in low[1]..=high[1] {
            self.found.extend((low[0]..=high[0]).map(|column| row * self.grid.columns + column));
        }
    }

    /// The cells along a line, and perhaps some beside it: column by column those between where it enters and leaves.
    fn along(&mut self, from: [f32; 2], to: [f32; 2]) {
        let (left, right) = if from[0] <= to[0] { (from, to) } else { (to, from) };
        let slope = (right[1] - left[1]) / (right[0] - left[0]).max(1e-6);
        let (first, last) = (self.grid.cell(left)[0], self.grid.cell(right)[0]);
        for column in first..=last {
            let border = |column: usize| self.grid.origin[0] + column as f32 * self.grid.side;
            let y = |x: f32| left[1] + (x.clamp(left[0], right[0]) - left[0]) * slope;
            let (a, b) = if first == last { (left[1], right[1]) } else { (y(border(column)), y(border(column + 1))) };
            let (low, high) = (self.grid.cell([0.0, a.min(b)])[1], self.grid.cell([0.0, a.max(b)])[1]);
            self.found.extend((low..=high).map(|row| row * self.grid.columns + column));
        }
    }
}

impl Grid {
    /// A grid over `boxes`, one for each thing; `cover` tells the cells of a thing.
    fn new(boxes: &[Area], cover: impl Fn(usize, &mut Cells<'_>)) -> Self {
        let finite = boxes.iter().filter(|area| area.iter().flatten().all(|at| at.is_finite()));
        let whole = finite.fold([[f32::INFINITY; 2], [f32::NEG_INFINITY; 2]], |[low, high], area| {
            [[low[0].min(area[0][0]), low[1].min(area[0][1])], [high[0].max(area[1][0]), high[1].max(area[1][1])]]
        });
        let extent = [0, 1].map(|axis| (whole[1][axis] - whole[0][axis]).max(0.0));
        let extent = if extent.iter().all(|at| at.is_finite()) { extent } else { [0.0; 2] };
        let side = (extent[0].max(extent[1]) / MOST_CELLS).max(1.0);
        let count = |axis: usize| (extent[axis] / side) as usize + 1;
        let mut grid = Self {
            origin: if boxes.is_empty() { [0.0; 2] } else { whole[0] },
            side,
            columns: count(0),
            rows: count(1),
            starts: Vec::new(),
            things: Vec::new(),
        };
        let mut pairs: Vec<u64> = Vec::with_capacity(boxes.len() * 4);
        let mut cells = Cells { grid: &grid, found: Vec::new() };
        for (thing, area) in boxes.iter().enumerate() {
            if area.iter().flatten().all(|at| at.is_finite()) {
                cover(thing, &mut cells);
                pairs.extend(cells.found.drain(..).map(|cell| (cell as u64) << 32 | thing as u64));
            }
        }
        let mut starts = vec![0_u32; grid.columns * grid.rows + 1];
        for pair in &pairs {
            starts[(pair >> 32) as usize + 1] += 1;
        }
        for cell in 1..starts.len() {
            starts[cell] += starts[cell - 1];
        }
        let mut free = starts.clone();
        let mut things = vec![0; pairs.len()];
        for pair in pairs {
            let at = &mut free[(pair >> 32) as usize];
            things[*at as usize] = pair as u32;
            *at += 1;
        }
        (grid.starts, grid.things) = (starts, things);
        grid
    }

    fn cell(&self, point: [f32; 2]) -> [usize; 2] {
        let place = |axis: usize, count: usize| {
            (((point[axis] - self.origin[axis]) / self.side).max(0.0) as usize).min(count - 1)
        };
        [place(0, self.columns), place(1, self.rows)]
    }

    /// The things in the cells that come within `slack` of `point`, some of them more than once.
    fn near(&self, point: [f32; 2], slack: f32) -> impl Iterator<Item = u32> {
        let (low, high) = (self.cell(point.map(|at| at - slack - 1.0)), self.cell(point.map(|at| at + slack + 1.0)));
        let cells = (low[1]..=high[1]).flat_map(move |row| (low[0]..=high[0]).map(move |column| (row, column)));
        cells.flat_map(move |(row, column)| {
            let cell = row * self.columns + column;
            self.things[self.starts[cell] as usize..self.starts[cell + 1] as usize].iter().copied()
        })
    }
}

fn to_segment(point: [f32; 2], from: [f32; 2], to: [f32; 2]) -> f32 {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length = dx * dx + dy * dy;
    let share = if length > 0.0 {
        (((point[0] - from[0]) * dx + (point[1] - from[1]) * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (point[0] - from[0] - share * dx).hypot(point[1] - from[1] - share * dy)
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn nodes_and_edges_are_found_where_they_are() {
        let mut hits = NetworkHits::default();
        hits.nodes.push(NodeHit { node: 4, centre: [0.0, 0.0], radius: 5.0 });
        hits.nodes.push(NodeHit { node: 7, centre: [6.0, 0.0], radius: 5.0 });
        hits.add_edge(2, [[0.0, 50.0], [100.0, 50.0]]);
        hits.add_edge(3, [[0.0, 60.0], [50.0, 80.0], [100.0, 60.0]]);
        assert_eq!(hits.node_at([3.0, 0.0], 0.0), Some(7), "the upper of two");
        assert_eq!(hits.node_at([-4.0, 0.0], 0.0), Some(4));
        assert_eq!(hits.node_at([-8.0, 0.0], 2.0), None);
        assert_eq!(hits.edge_at([30.0, 52.0], 4.0), Some(2));
        assert_eq!(hits.edge_at([50.0, 79.0], 4.0), Some(3));
        assert_eq!(hits.edge_at([30.0, 20.0], 4.0), None);
        assert_eq!(hits.nodes_in([[-1.0, -1.0], [1.0, 1.0]]), [4]);
    }

    #[test]
    fn the_grid_finds_what_looking_at_all_finds() {
        let mut random = crate::random::stream(1, "hits");
        let mut number = |span: f32| random.random::<f32>() * span - 0.1 * span;
        for (count, span) in [(1, 10.0), (40, 300.0), (700, 900.0)] {
            let mut hits = NetworkHits::default();
            for at in 0..count {
                let centre = [number(span), number(span)];
                hits.nodes.push(NodeHit { node: at * 3, centre, radius: 1.0 + number(12.0).abs() });
                let corners = 2 + at % 4;
                let line: Vec<[f32; 2]> = (0..corners).map(|_| [number(span), number(span)]).collect();
                hits.add_edge(at * 5, line);
            }
            // Level and upright lines, and one that goes nowhere.
            hits.add_edge(9001, [[0.0, 0.5 * span], [span, 0.5 * span]]);
            hits.add_edge(9002, [[0.5 * span, 0.0], [0.5 * span, span]]);
            hits.add_edge(9003, [[0.3 * span, 0.3 * span]; 2]);
            hits.nodes.push(NodeHit { node: 9004, centre: [f32::NAN, 1.0], radius: 3.0 });
            for _ in 0..2000 {
                let (point, slack) = ([number(1.2 * span), number(1.2 * span)], number(9.0).max(0.0));
                let node = hits.nodes.iter().rev().filter_map(|hit| {
                    let away = (point[0] - hit.centre[0]).hypot(point[1] - hit.centre[1]) - hit.radius;
                    (away <= slack).then_some((away.max(0.0), hit.node))
                });
                let node = node.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, node)| node);
                assert_eq!(hits.node_at(point, slack), node, "{point:?} ± {slack}");
                let edge = hits.edges().filter_map(|(edge, line)| {
                    let away = line.windows(2).map(|ends| to_segment(point, ends[0], ends[1]));
                    let away = away.fold(f32::INFINITY, f32::min);
                    (away <= slack).then_some((away, edge))
                });
                let edge = edge.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, edge)| edge);
                assert_eq!(hits.edge_at(point, slack), edge, "{point:?} ± {slack}");
            }
        }
        assert_eq!(NetworkHits::default().node_at([0.0, 0.0], 5.0), None);
        assert_eq!(NetworkHits::default().edge_at([0.0, 0.0], 5.0), None);
    }
}
