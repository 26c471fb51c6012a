//! A first placement that shows the global shape: pivot multidimensional scaling (Brandes and Pich 2006). Distances in
//! the graph to a few pivots are projected on their two main axes; O(pivots · (nodes + edges)).

use rand::RngExt;

use crate::layout::components::Neighbours;
use crate::random::Rng;

const PIVOTS: usize = 40;
const ROUNDS: usize = 60;

/// Positions of the nodes of one connected `part`, distances in edges, centred on 0, the widest axis along x. A little
/// noise keeps equivalent nodes (leaves of one hub) apart.
pub(super) fn place(part: &[usize], neighbours: &Neighbours, index: &[usize], rng: &mut Rng) -> Vec<[f32; 2]> {
    let count = part.len();
    let mut noise = || [rng.random::<f32>() - 0.5, rng.random::<f32>() - 0.5];
    if count < 3 {
        let line = |at: usize| at as f32 - 0.5 * (count - 1) as f32;
        return (0..count).map(|at| [line(at), 0.1 * noise()[1]]).collect();
    }
    // Pivots: each as far as possible from those before; the first is the best connected node.
    let mut pivot = (0..count).max_by_key(|&at| (neighbours.of(part[at]).len(), count - at)).unwrap_or(0);
    let mut nearest = vec![u32::MAX; count];
    let mut columns: Vec<Vec<f32>> = Vec::new();
    while columns.len() < PIVOTS.min(count) {
        let distance = distances(pivot, part, neighbours, index);
        for (nearest, &distance) in nearest.iter_mut().zip(&distance) {
            *nearest = (*nearest).min(distance);
        }
        columns.push(distance.iter().map(|&distance| (distance as f32).powi(2)).collect());
        pivot = (0..count).max_by_key(|&at| (nearest[at], count - at)).unwrap_or(0);
        if nearest[pivot] == 0 {
            break;
        }
    }
    double_centre(&mut columns, count);
    // Main axes of the small matrix CᵀC by power iteration.
    let pivots = columns.len();
    let product: Vec<f32> = (0..pivots * pivots).map(|at| dot(&columns[at / pivots], &columns[at % pivots])).collect();
    let mut axes: Vec<Vec<f32>> = Vec::new();
    for _ in 0..2 {
        let mut axis: Vec<f32> = (0..pivots).map(|_| noise()[0]).collect();
        for _ in 0..ROUNDS {
            let mut turned: Vec<f32> = product.chunks(pivots).map(|row| dot(row, &axis)).collect();
            for before in &axes {
                let along = dot(&turned, before);
                turned.iter_mut().zip(before).for_each(|(value, before)| *value -= along * before);
            }
            let length = dot(&turned, &turned).sqrt();
            if length <= 1e-12 {
                break;
            }
            axis = turned.into_iter().map(|value| value / length).collect();
        }
        axes.push(axis);
    }
    let mut places: Vec<[f32; 2]> = (0..count)
        .map(|node| {
            let along = |axis: &[f32]| columns.iter().zip(axis).map(|(column, weight)| column[node] * weight).sum();
            [along(&axes[0]), along(&axes[1])]
        })
        .collect();
    // The projection has no scale of its own: make the mean length of an edge 1.
    let (mut total, mut edges) = (0.0, 0);
    for (at, &node) in part.iter().enumerate() {
        for &neighbour in neighbours.of(node) {
            let other = places[index[neighbour]];
            total += (places[at][0] - other[0]).hypot(places[at][1] - other[1]);
            edges += 1;
        }
    }
    let scale = if total > 1e-9 { edges as f32 / total } else { 1.0 };
    for place in &mut places {
        let noise = noise();
        *place = [place[0] * scale + 0.3 * noise[0], place[1] * scale + 0.3 * noise[1]];
    }
    places
}

/// Number of edges from `from` (a position in `part`) to every node of the part.
fn distances(from: usize, part: &[usize], neighbours: &Neighbours, index: &[usize]) -> Vec<u32> {
    let mut distance = vec![u32::MAX; part.len()];
    distance[from] = 0;
    let mut queue = vec![from];
    let mut next = 0;
    while next < queue.len() {
        let at = queue[next];
        next += 1;
        for &neighbour in neighbours.of(part[at]) {
            let neighbour = index[neighbour];
            if distance[neighbour] == u32::MAX {
                distance[neighbour] = distance[at] + 1;
                queue.push(neighbour);
            }
        }
    }
    distance
}

/// −½ (x − column mean − row mean + mean), so that squared distances become inner products.
fn double_centre(columns: &mut [Vec<f32>], rows: usize) {
    let pivots = columns.len() as f32;
    let column_means: Vec<f32> = columns.iter().map(|column| column.iter().sum::<f32>() / rows as f32).collect();
    let row_means: Vec<f32> =
        (0..rows).map(|row| columns.iter().map(|column| column[row]).sum::<f32>() / pivots).collect();
    let mean = column_means.iter().sum::<f32>() / pivots;
    for (column, column_mean) in columns.iter_mut().zip(&column_means) {
        for (value, row_mean) in column.iter_mut().zip(&row_means) {
            *value = -0.5 * (*value - column_mean - row_mean + mean);
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
