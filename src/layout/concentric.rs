//! Rings around one node: the first has its neighbours, the next theirs, and so on.

use std::f32::consts::{FRAC_PI_2, TAU};

use super::circular::circle_order;
use super::components::Neighbours;
use super::{LayoutConfig, LayoutEdge, LayoutNode, links, radii};

/// Positions around node `centre` at 0: a node's ring is its distance in edges, whatever their direction; nodes that no
/// edges lead to lie outside. A ring too full for one row has several. On its ring a node lies near its neighbours on
/// the ring within. A centre that is not there is that of the node with most edges.
pub fn concentric(nodes: &[LayoutNode], edges: &[LayoutEdge], centre: usize, config: &LayoutConfig) -> Vec<[f32; 2]> {
    let config = config.sane();
    let radii = radii(nodes);
    let neighbours = Neighbours::new(nodes.len(), &links(nodes.len(), edges));
    let mut positions = vec![[0.0; 2]; nodes.len()];
    if nodes.is_empty() {
        return positions;
    }
    let best = || (0..nodes.len()).max_by_key(|&node| (neighbours.of(node).len(), std::cmp::Reverse(node)));
    let centre = if centre < nodes.len() { centre } else { best().unwrap_or(0) };
    let distance = neighbours.distances(centre);
    // Where on its ring a node would be if all lay on one circle, as a share of the full turn.
    let mut share = vec![0.0_f32; nodes.len()];
    for (at, &node) in circle_order(nodes.len(), &neighbours, Some(centre)).iter().enumerate() {
        share[node] = at as f32 / nodes.len() as f32;
    }
    let mut rings: Vec<Vec<usize>> = Vec::new();
    let farthest = distance.iter().filter(|distance| **distance != u32::MAX).max().copied().unwrap_or(0);
    for node in (0..nodes.len()).filter(|&node| node != centre) {
        let ring = distance[node].min(farthest + 1) as usize - 1;
        if rings.len() <= ring {
            rings.resize(ring + 1, Vec::new());
        }
        rings[ring].push(node);
    }
    let widest = radii.iter().copied().fold(0.0, f32::max);
    let (row, room) = (2.0 * widest + config.gap, |node: usize| 2.0 * radii[node] + config.gap);
    let step = row + 0.8 * config.spacing;
    let mut inner = radii[centre];
    for (number, ring) in rings.iter_mut().enumerate().filter(|(_, ring)| !ring.is_empty()) {
        if number > 0 {
            for &node in ring.iter() {
                share[node] = mean_share(node, number as u32, &neighbours, &distance, &share);
            }
        }
        ring.sort_by(|&a, &b| share[a].total_cmp(&share[b]).then(a.cmp(&b)));
        let outside = if number as u32 >= farthest { step } else { 0.0 };
        inner = rows(ring, inner + step.max(0.5 * row) + outside, row, &room, &mut positions, &mut share);
    }
    positions
}

/// The mean direction of a node's neighbours on the ring within, as a share of the full turn; its own where they balance.
fn mean_share(node: usize, ring: u32, neighbours: &Neighbours, distance: &[u32], share: &[f32]) -> f32 {
    let within = neighbours.of(node).iter().filter(|&&other| distance[other] == ring);
    let sum = within.fold([0.0_f32; 2], |sum, &other| {
        let (sine, cosine) = (share[other] * TAU).sin_cos();
        [sum[0] + cosine, sum[1] + sine]
    });
    if sum[0].hypot(sum[1]) < 1e-3 { share[node] } else { (sum[1].atan2(sum[0]) / TAU).rem_euclid(1.0) }
}

/// Put `ring` in as many rows of circles as it takes, the first at least at `first` from the middle. Returns where the
/// last row ends; `share` becomes the direction in which each node lies.
fn rows(
    ring: &[usize],
    first: f32,
    row: f32,
    room: &impl Fn(usize) -> f32,
    positions: &mut [[f32; 2]],
    share: &mut [f32],
) -> f32 {
    let needed: f32 = ring.iter().map(|&node| room(node)).sum();
    let widest = ring.iter().map(|&node| room(node)).fold(0.0, f32::max);
    // A band as thick as a third of its middle radius looks round and is not mostly empty.
    let alone = needed * 1.1 / TAU;
    let radius = if alone <= 2.5 * first { first.max(alone) } else { first.max((needed * row / TAU * 3.0).sqrt()) };
    let room_in = |at: usize| TAU * (radius + at as f32 * row) / 1.1;
    let (mut count, mut capacity) = (1, room_in(0));
    while capacity < needed {
        capacity += room_in(count);
        count += 1;
    }
    // Dealt out in turn: the row that has the least of its share gets the next node.
    let mut dealt: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut filled = vec![0.0_f32; count];
    for &node in ring {
        let next = (0..count).min_by(|&a, &b| (filled[a] / room_in(a)).total_cmp(&(filled[b] / room_in(b))));
        let next = next.unwrap_or(0);
        filled[next] += room(node).max(if count > 1 { widest } else { 0.0 });
        dealt[next].push(node);
    }
    for (at, members) in dealt.iter().enumerate() {
        let radius = radius + at as f32 * row;
        let taken: f32 = members.iter().map(|&node| room(node)).sum();
        // A single row turns so that its nodes lie where they want to on the whole.
        let turn = if count == 1 { turn(members, &room, taken, share) } else { 0.0 };
        let mut along = 0.0;
        for &node in members {
            let at = ((along + 0.5 * room(node)) / taken + turn).rem_euclid(1.0);
            let (sine, cosine) = (at * TAU - FRAC_PI_2).sin_cos();
            positions[node] = [radius * cosine, radius * sine];
            share[node] = at;
            along += room(node);
        }
    }
    radius + (count - 1) as f32 * row
}

/// The turn that brings the nodes of a row nearest to where they want to be.
fn turn(members: &[usize], room: &impl Fn(usize) -> f32, taken: f32, share: &[f32]) -> f32 {
    let mut sum = [0.0_f32; 2];
    let mut along = 0.0;
    for &node in members {
        let at = (along + 0.5 * room(node)) / taken;
        let (sine, cosine) = ((share[node] - at) * TAU).sin_cos();
        sum = [sum[0] + cosine, sum[1] + sine];
        along += room(node);
    }
    if sum[0].hypot(sum[1]) < 1e-3 { 0.0 } else { sum[1].atan2(sum[0]) / TAU }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: u32, to: u32) -> LayoutEdge {
        LayoutEdge { from, to, weight: 0.5 }
    }

    fn reach(positions: &[[f32; 2]], node: usize) -> f32 {
        positions[node][0].hypot(positions[node][1])
    }

    fn least_distance(positions: &[[f32; 2]]) -> f32 {
        let mut least = f32::INFINITY;
        for (at, a) in positions.iter().enumerate() {
            for b in &positions[at + 1..] {
                least = least.min((a[0] - b[0]).hypot(a[1] - b[1]));
            }
        }
        least
    }

    #[test]
    fn rings_are_distances_and_strangers_lie_outside() {
        // 3 is the centre: 0 and 4 beside it, 1 and 5 beyond, 2 farther on, 6 alone.
        let edges = [edge(3, 0), edge(4, 3), edge(0, 1), edge(5, 4), edge(1, 2)];
        let positions = concentric(&[LayoutNode { radius: 8.0 }; 7], &edges, 3, &LayoutConfig::default());
        assert_eq!(positions[3], [0.0, 0.0]);
        let ring = |node: usize| reach(&positions, node);
        assert!((ring(0) - ring(4)).abs() < 1e-3 && (ring(1) - ring(5)).abs() < 1e-3);
        assert!(ring(0) < ring(1) && ring(1) < ring(2) && ring(2) < ring(6));
        assert!(least_distance(&positions) > 16.0);
    }

    #[test]
    fn a_node_lies_outside_its_neighbour() {
        // Twelve spokes of two: the outer node of each lies beyond its inner one.
        let edges: Vec<LayoutEdge> =
            (0..12).flat_map(|at| [edge(0, 1 + at), edge(1 + at, 13 + (at * 5) % 12)]).collect();
        let positions = concentric(&[LayoutNode { radius: 8.0 }; 25], &edges, 0, &LayoutConfig::default());
        for at in 0..12 {
            let (inner, outer) = (positions[1 + at], positions[13 + (at * 5) % 12]);
            let angle = inner[1].atan2(inner[0]) - outer[1].atan2(outer[0]);
            assert!(angle.cos() > 0.85, "spoke {at} is bent by {angle}");
        }
    }

    #[test]
    fn full_rings_have_rows_and_nothing_overlaps() {
        for count in [0_usize, 1, 2, 3, 40, 900] {
            let edges: Vec<_> = (1..count as u32).map(|to| edge(0, to)).collect();
            let nodes: Vec<LayoutNode> =
                (0..count).map(|at| LayoutNode { radius: 6.0 + (at % 3) as f32 * 4.0 }).collect();
            let positions = concentric(&nodes, &edges, usize::MAX, &LayoutConfig::default());
            assert!(least_distance(&positions) > 12.0, "{count}: {}", least_distance(&positions));
            let farthest = (0..count).map(|node| reach(&positions, node)).fold(0.0, f32::max);
            assert!(farthest < 2000.0, "{count}: {farthest}");
        }
    }
}
