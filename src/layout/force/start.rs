//! Where nodes begin: known ones as they are, new ones beside their neighbours, new parts side by side.

use super::parts::Part;
use super::pivot;
use crate::layout::components::Neighbours;
use crate::layout::overlap::apart;
use crate::random;

/// The positions that can be used: numbers, and no two nodes in exactly the same place (the later ones count as new).
pub(super) fn known(nodes: usize, start: Option<&[Option<[f32; 2]>]>) -> Vec<Option<[f32; 2]>> {
    let mut taken = std::collections::HashSet::new();
    let sound = |place: &[f32; 2]| place.iter().all(|at| at.abs() < 1e7);
    (0..nodes)
        .map(|node| {
            let place = start?.get(node).copied()?.filter(sound)?;
            taken.insert(place.map(f32::to_bits)).then_some(place)
        })
        .collect()
}

/// First positions of all nodes but for the packing of the parts. `distance` is that wanted between neighbours.
pub(super) fn place(
    parts: &[Part],
    known: &[Option<[f32; 2]>],
    neighbours: &Neighbours,
    distance: f32,
    seed: u64,
) -> Vec<[f32; 2]> {
    let rng = &mut random::stream(seed, "layout start");
    let mut positions = vec![[0.0; 2]; known.len()];
    let mut index = vec![usize::MAX; known.len()];
    for part in parts {
        part.nodes.iter().enumerate().for_each(|(at, &node)| index[node] = at);
        if part.free {
            let places = pivot::place(&part.nodes, neighbours, &index, rng);
            for (&node, place) in part.nodes.iter().zip(places) {
                positions[node] = place.map(|coordinate| coordinate * distance);
            }
        } else {
            join(part, known, neighbours, distance, &index, &mut positions);
        }
    }
    part_twins(&mut positions, known, distance);
    positions
}

/// New nodes of a part that has known ones: those beside known nodes first, then those beside them.
fn join(
    part: &Part,
    known: &[Option<[f32; 2]>],
    neighbours: &Neighbours,
    distance: f32,
    index: &[usize],
    positions: &mut [[f32; 2]],
) {
    let mut placed: Vec<bool> = part.nodes.iter().map(|&node| known[node].is_some()).collect();
    let mut queue: Vec<usize> = part.nodes.iter().copied().filter(|&node| known[node].is_some()).collect();
    queue.iter().for_each(|&node| positions[node] = known[node].unwrap_or_default());
    let mut next = 0;
    while next < queue.len() {
        for &node in neighbours.of(queue[next]) {
            if std::mem::replace(&mut placed[index[node]], true) {
                continue;
            }
            // The middle of the neighbours that have a place; beside it where there is only one.
            let beside = neighbours.of(node).iter().filter(|&&other| known[other].is_some());
            let (mut sum, mut count) = ([0.0; 2], 0.0);
            for &other in beside {
                sum = [sum[0] + positions[other][0], sum[1] + positions[other][1]];
                count += 1.0;
            }
            if count == 0.0 {
                (sum, count) = (positions[queue[next]], 1.0);
            }
            let (x, y) = apart(node, queue[next]);
            let away = if count > 1.0 { 0.2 } else { 0.8 } * distance;
            positions[node] = [sum[0] / count + away * x, sum[1] / count + away * y];
            queue.push(node);
        }
        next += 1;
    }
}

/// Nodes in exactly the same place feel no force between them: the later ones step aside a little.
fn part_twins(positions: &mut [[f32; 2]], known: &[Option<[f32; 2]>], distance: f32) {
    let mut order: Vec<usize> = (0..positions.len()).collect();
    // Known ones first, so that they keep their place where they can.
    let key = |node: usize| (positions[node].map(f32::to_bits), known[node].is_none(), node);
    order.sort_unstable_by_key(|&node| key(node));
    let twins: Vec<[usize; 2]> =
        order.windows(2).map(|pair| [pair[0], pair[1]]).filter(|[a, b]| positions[*a] == positions[*b]).collect();
    for [a, b] in twins {
        let (x, y) = apart(a, b);
        positions[b] = [positions[b][0] + 0.05 * distance * x, positions[b][1] + 0.05 * distance * y];
    }
}
