//! All nodes on a circle, neighbours close to each other.

use super::components::{Neighbours, components};
use super::{LayoutConfig, LayoutEdge, LayoutNode, links, radii};

/// Rounds of moving each node to the middle of its neighbours.
const ROUNDS: usize = 24;

/// Positions of the nodes on a circle around 0, wide enough that no two discs overlap. Connected parts follow each other,
/// and within a part nodes are ordered so that edges are short.
pub fn circular(nodes: &[LayoutNode], edges: &[LayoutEdge], config: &LayoutConfig) -> Vec<[f32; 2]> {
    let config = config.sane();
    let radii = radii(nodes);
    let links = links(nodes.len(), edges);
    let neighbours = Neighbours::new(nodes.len(), &links);
    let order = circle_order(nodes.len(), &neighbours, None);
    // Each node takes an arc as long as its disc and the space beside it.
    let space = config.gap + 0.2 * config.spacing;
    let room: Vec<f32> = order.iter().map(|&node| 2.0 * radii[node] + space).collect();
    let around: f32 = room.iter().sum();
    let mut positions = vec![[0.0; 2]; nodes.len()];
    if nodes.len() < 2 {
        return positions;
    }
    // A chord is shorter than its arc, by a third at most for three or more nodes; two nodes face each other.
    let widest = room.iter().copied().fold(0.0, f32::max);
    let radius = (1.1 * around / std::f32::consts::TAU).max(0.6 * widest);
    let mut along = 0.0;
    for (&node, room) in order.iter().zip(&room) {
        let angle = std::f32::consts::TAU * (along + 0.5 * room) / around - std::f32::consts::FRAC_PI_2;
        positions[node] = [radius * angle.cos(), radius * angle.sin()];
        along += room;
    }
    positions
}

/// The nodes (but `without`, if given) in the order of a circle with short edges: connected parts follow each other.
pub(super) fn circle_order(nodes: usize, neighbours: &Neighbours, without: Option<usize>) -> Vec<usize> {
    let mut order = Vec::with_capacity(nodes);
    let mut ordering = Ordering { neighbours, without, seen: vec![false; nodes], place: vec![0; nodes] };
    // What is left without one node may be in more parts than before; depth first finds them all.
    let linked: Vec<(usize, usize)> = (0..nodes)
        .flat_map(|node| neighbours.of(node).iter().map(move |&other| (node, other)))
        .filter(|&(a, b)| a < b && Some(a) != without && Some(b) != without)
        .collect();
    for part in components(nodes, &linked) {
        if part != [without.unwrap_or(usize::MAX)] {
            order.extend(ordering.of(&part, part.len() == nodes));
        }
    }
    order
}

struct Ordering<'a> {
    neighbours: &'a Neighbours,
    without: Option<usize>,
    seen: Vec<bool>,
    place: Vec<usize>,
}

impl Ordering<'_> {
    fn around(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.neighbours.of(node).iter().copied().filter(|&other| Some(other) != self.without)
    }

    fn settle(&mut self, order: &[usize]) {
        order.iter().enumerate().for_each(|(at, &node)| self.place[node] = at);
    }

    /// Order the nodes of a part by going through it depth first from its best connected node, then let each node drift
    /// to the middle (on the circle) of its neighbours. A part that fills the circle is `closed`: it has no ends; any
    /// other is a stretch of it.
    fn of(&mut self, part: &[usize], closed: bool) -> Vec<usize> {
        let degree = |node: usize| self.neighbours.of(node).len();
        let Some(&first) = part.iter().max_by_key(|&&node| (degree(node), std::cmp::Reverse(node))) else {
            return Vec::new();
        };
        let mut order = Vec::with_capacity(part.len());
        let mut stack = vec![first];
        while let Some(node) = stack.pop() {
            if std::mem::replace(&mut self.seen[node], true) {
                continue;
            }
            order.push(node);
            let mut next: Vec<usize> = self.around(node).filter(|&other| !self.seen[other]).collect();
            next.sort_by_key(|&other| (self.neighbours.of(other).len(), other));
            stack.extend(next);
        }
        self.settle(&order);
        let mut best = (self.length(&order, closed), order.clone());
        for _ in 0..ROUNDS {
            let key = |node: usize| {
                let (sum, count) = self
                    .around(node)
                    .fold((self.place[node], 1), |(sum, count), other| (sum + self.place[other], count + 1));
                sum as f32 / count as f32
            };
            let mut keyed: Vec<(f32, usize)> = order.iter().map(|&node| (key(node), node)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(self.place[a.1].cmp(&self.place[b.1])));
            order = keyed.into_iter().map(|(_, node)| node).collect();
            self.settle(&order);
            let found = self.length(&order, closed);
            if found < best.0 {
                best = (found, order.clone());
            }
        }
        best.1
    }

    /// The length of all edges along the circle.
    fn length(&self, order: &[usize], closed: bool) -> usize {
        let apart = |a: usize, b: usize| {
            let along = self.place[a].abs_diff(self.place[b]);
            if closed { along.min(order.len() - along) } else { along }
        };
        order.iter().map(|&node| self.around(node).map(|other| apart(node, other)).sum::<usize>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: u32, to: u32) -> LayoutEdge {
        LayoutEdge { from, to, weight: 1.0 }
    }

    #[test]
    fn discs_on_the_circle_do_not_overlap() {
        for count in [0, 1, 2, 3, 4, 50] {
            let nodes: Vec<_> = (0..count).map(|at| LayoutNode { radius: 4.0 + (at % 7) as f32 * 5.0 }).collect();
            let positions = circular(&nodes, &[], &LayoutConfig::default());
            for a in 0..count {
                for b in a + 1..count {
                    let (p, q) = (positions[a], positions[b]);
                    let distance = (p[0] - q[0]).hypot(p[1] - q[1]);
                    assert!(distance > nodes[a].radius + nodes[b].radius, "{a} and {b} of {count}: {distance}");
                }
            }
        }
    }

    #[test]
    fn a_hub_lies_in_the_middle_of_its_targets() {
        let nodes = vec![LayoutNode { radius: 5.0 }; 60];
        let edges: Vec<_> = (1..21).map(|target| edge(0, target)).collect();
        let positions = circular(&nodes, &edges, &LayoutConfig::default());
        let distance = |node: usize| {
            let (a, b) = (positions[0], positions[node]);
            (a[0] - b[0]).hypot(a[1] - b[1])
        };
        let nearer = (21..60).filter(|&stranger| (1..21).any(|target| distance(target) > distance(stranger))).count();
        assert!(nearer <= 2, "{nearer}");
    }

    #[test]
    fn a_ring_named_in_disorder_becomes_a_ring() {
        let nodes = vec![LayoutNode { radius: 5.0 }; 31];
        // 7 and 31 have no common divisor: one ring.
        let edges: Vec<_> = (0..31).map(|at| edge(at * 7 % 31, (at + 1) * 7 % 31)).collect();
        let positions = circular(&nodes, &edges, &LayoutConfig::default());
        let radius = positions[0][0].hypot(positions[0][1]);
        for edge in &edges {
            let (a, b) = (positions[edge.from as usize], positions[edge.to as usize]);
            assert!((a[0] - b[0]).hypot(a[1] - b[1]) < radius * 0.5);
        }
    }
}
