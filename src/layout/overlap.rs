//! Discs that overlap are pushed apart, as little as possible.

use std::collections::BTreeMap;

/// One sweep: every pair of discs closer than its radii + `gap` is pushed apart along the line between their centres,
/// each half the way (a fixed disc not at all, the other then all of it). Returns the largest overlap found.
///
/// `share` of the overlap is removed: 1 for the final sweeps, less for a gentle push. O(n) for discs of similar size.
pub(super) fn push_apart(positions: &mut [[f32; 2]], radii: &[f32], fixed: &[bool], gap: f32, share: f32) -> f32 {
    let largest = radii.iter().copied().fold(0.0, f32::max);
    let cell = (2.0 * largest + gap).max(1e-3);
    let key = |position: [f32; 2]| ((position[0] / cell).floor() as i64, (position[1] / cell).floor() as i64);
    // Sorted, so that the order of the pushes is always the same.
    let mut cells: BTreeMap<(i64, i64), Vec<usize>> = BTreeMap::new();
    for (node, &position) in positions.iter().enumerate() {
        cells.entry(key(position)).or_default().push(node);
    }
    let mut worst = 0.0f32;
    let mut push = |positions: &mut [[f32; 2]], a: usize, b: usize| {
        if fixed[a] && fixed[b] {
            return;
        }
        let mut x = positions[b][0] - positions[a][0];
        let mut y = positions[b][1] - positions[a][1];
        let mut distance = x.hypot(y);
        let overlap = radii[a] + radii[b] + gap - distance;
        // Rounding leaves a trace; that is no overlap.
        if overlap <= 1e-3 * (radii[a] + radii[b] + gap) {
            return;
        }
        worst = worst.max(overlap);
        if distance < 1e-6 {
            (x, y) = apart(a, b);
            distance = 1.0;
        }
        let step = share * overlap / distance;
        let (move_a, move_b) = match (fixed[a], fixed[b]) {
            (true, _) => (0.0, step),
            (_, true) => (step, 0.0),
            _ => (0.5 * step, 0.5 * step),
        };
        positions[a] = [positions[a][0] - move_a * x, positions[a][1] - move_a * y];
        positions[b] = [positions[b][0] + move_b * x, positions[b][1] + move_b * y];
    };
    for (&(column, row), nodes) in &cells {
        for (at, &a) in nodes.iter().enumerate() {
            for &b in &nodes[at + 1..] {
                push(positions, a, b);
            }
        }
        for beside in [(column + 1, row - 1), (column + 1, row), (column + 1, row + 1), (column, row + 1)] {
            if let Some(others) = cells.get(&beside) {
                for &a in nodes {
                    for &b in others {
                        push(positions, a, b);
                    }
                }
            }
        }
    }
    worst
}

/// A direction for two nodes at the same place, different for every pair and always the same for one.
pub(super) fn apart(a: usize, b: usize) -> (f32, f32) {
    // Multiples of the golden angle never repeat.
    let turns = (a as f64 * 0.618_033_988_749_895 + b as f64 * 0.381_966_011_250_105).fract();
    let angle = (turns * std::f64::consts::TAU) as f32;
    (angle.cos(), angle.sin())
}
