//! Which node or edge is at a point.

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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkHits {
    /// The nodes, in the order they were drawn: later ones lie above.
    pub nodes: Vec<NodeHit>,
    /// Sampled lines of the edges, one after the other.
    points: Vec<[f32; 2]>,
    /// For each drawn edge: its position in the figure, its last point's position in `points`, plus one.
    edges: Vec<(u32, u32)>,
}

impl NetworkHits {
    pub(super) fn add_edge(&mut self, edge: usize, points: impl IntoIterator<Item = [f32; 2]>) {
        self.points.extend(points);
        self.edges.push((edge as u32, self.points.len() as u32));
    }

    /// The edges as drawn: position in the figure, points of its line.
    pub fn edges(&self) -> impl Iterator<Item = (usize, &[[f32; 2]])> {
        let mut from = 0;
        self.edges.iter().map(move |&(edge, to)| {
            let line = &self.points[from as usize..to as usize];
            from = to;
            (edge as usize, line)
        })
    }

    /// The topmost node at `point`, or the nearest at most `slack` points away: its position in the figure.
    pub fn node_at(&self, point: [f32; 2], slack: f32) -> Option<usize> {
        let away = |hit: &NodeHit| {
            let distance = (point[0] - hit.centre[0]).hypot(point[1] - hit.centre[1]) - hit.radius;
            (distance <= slack).then(|| distance.max(0.0))
        };
        let near = self.nodes.iter().rev().filter_map(|hit| Some((away(hit)?, hit.node)));
        near.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, node)| node)
    }

    /// The edge nearest to `point`, at most `slack` points away: its position in the figure.
    pub fn edge_at(&self, point: [f32; 2], slack: f32) -> Option<usize> {
        let near = self.edges().filter_map(|(edge, line)| {
            let distance =
                line.windows(2).map(|ends| to_segment(point, ends[0], ends[1])).fold(f32::INFINITY, f32::min);
            (distance <= slack).then_some((distance, edge))
        });
        near.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, edge)| edge)
    }

    /// The nodes whose centres lie in `area`: positions in the figure. For selecting by a box.
    pub fn nodes_in(&self, area: Area) -> Vec<usize> {
        let inside = |hit: &&NodeHit| (0..2).all(|at| (area[0][at]..=area[1][at]).contains(&hit.centre[at]));
        self.nodes.iter().filter(inside).map(|hit| hit.node).collect()
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
}
