//! Discs that overlap are pushed apart, as little as possible.

/// Removes overlaps sweep by sweep; keeps its memory between sweeps.
#[derive(Clone, Debug, Default)]
pub(super) struct Overlaps {
    /// Column, row (as one sortable number) and node, in that order.
    cells: Vec<(u64, u32)>,
    /// Where each cell begins in `cells`.
    starts: Vec<usize>,
}

impl Overlaps {
    /// One sweep: every pair of discs closer than its radii + `gap` is pushed apart along the line between their centres,
    /// each half the way (a fixed disc not at all, the other then all of it). Returns the largest overlap found.
    ///
    /// `share` of the overlap is removed: 1 for the final sweeps, less for a gentle push. O(n log n) for discs of similar
    /// size; the order of the pushes depends on nothing but the positions.
    pub fn sweep(&mut self, positions: &mut [[f32; 2]], radii: &[f32], fixed: &[bool], gap: f32, share: f32) -> f32 {
        let largest = radii.iter().copied().fold(0.0, f32::max);
        let side = (2.0 * largest + gap).max(1e-3);
        // Columns and rows around the middle of what a u32 holds; farther away all fall into the last one.
        let place = |at: f32| ((at / side).floor().clamp(-1e9, 1e9) as i64 + (1 << 31)) as u64;
        self.cells.clear();
        let cell = |(node, at): (usize, &[f32; 2])| (place(at[0]) << 32 | place(at[1]), node as u32);
        self.cells.extend(positions.iter().enumerate().map(cell));
        self.cells.sort_unstable();
        self.starts.clear();
        let firsts = (0..self.cells.len()).filter(|&at| at == 0 || self.cells[at].0 != self.cells[at - 1].0);
        self.starts.extend(firsts);
        let mut worst = 0.0f32;
        let mut push = |positions: &mut [[f32; 2]], a: u32, b: u32| {
            let (a, b) = (a as usize, b as usize);
            worst = worst.max(push_pair(positions, radii, fixed, gap, share, a, b));
        };
        // Cells below, and those of the next column, are found by walking along.
        let key = |at: usize| self.cells[self.starts[at]].0;
        let nodes = |at: usize| {
            let end = self.starts.get(at + 1).copied().unwrap_or(self.cells.len());
            &self.cells[self.starts[at]..end]
        };
        let mut beside = 0;
        for at in 0..self.starts.len() {
            for (index, &(_, a)) in nodes(at).iter().enumerate() {
                for &(_, b) in &nodes(at)[index + 1..] {
                    push(positions, a, b);
                }
            }
            let pair = |positions: &mut [[f32; 2]], other: usize, push: &mut dyn FnMut(&mut [[f32; 2]], u32, u32)| {
                for &(_, a) in nodes(at) {
                    for &(_, b) in nodes(other) {
                        push(positions, a, b);
                    }
                }
            };
            if at + 1 < self.starts.len() && key(at + 1) == key(at) + 1 {
                pair(positions, at + 1, &mut push);
            }
            let next = key(at) + (1 << 32);
            while beside < self.starts.len() && key(beside) + 1 < next {
                beside += 1;
            }
            for other in (beside..self.starts.len()).take_while(|&other| key(other) <= next + 1) {
                pair(positions, other, &mut push);
            }
        }
        worst
    }
}

/// Push one pair apart; how far it overlapped.
fn push_pair(
    positions: &mut [[f32; 2]],
    radii: &[f32],
    fixed: &[bool],
    gap: f32,
    share: f32,
    a: usize,
    b: usize,
) -> f32 {
    let wanted = radii[a] + radii[b] + gap;
    let (mut x, mut y) = (positions[b][0] - positions[a][0], positions[b][1] - positions[a][1]);
    let squared = x * x + y * y;
    if squared >= wanted * wanted || (fixed[a] && fixed[b]) {
        return 0.0;
    }
    let mut distance = squared.sqrt();
    let overlap = wanted - distance;
    // Rounding leaves a trace; that is no overlap.
    if overlap <= 1e-3 * wanted {
        return 0.0;
    }
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
    overlap
}

/// By how much to scale positions so that nine discs in ten do not meet their nearest neighbour, within bounds.
pub(super) fn scale_for_room(positions: &[[f32; 2]], radii: &[f32]) -> f32 {
    let count = positions.len();
    let extent = [0, 1].map(|axis| {
        let values = positions.iter().map(|at| at[axis]);
        values.clone().fold(f32::MIN, f32::max) - values.fold(f32::MAX, f32::min)
    });
    let side = (extent[0] * extent[1] / count.max(1) as f32).sqrt().max(1e-3);
    // Sorted by cell; who lies in the cells around is found by search.
    let cell = |at: [f32; 2]| at.map(|at| (at / side).floor().clamp(-1e9, 1e9) as i64);
    let mut cells: Vec<([i64; 2], u32)> =
        positions.iter().enumerate().map(|(node, at)| (cell(*at), node as u32)).collect();
    cells.sort_unstable();
    // Distance from the nearest disc as a share of what the two need.
    let mut room: Vec<f32> = (0..count)
        .map(|node| {
            let [column, row] = cell(positions[node]);
            let mut least = f32::INFINITY;
            for column in column - 1..=column + 1 {
                let first = cells.partition_point(|(at, _)| *at < [column, row - 1]);
                let near = cells[first..].iter().take_while(|(at, _)| *at <= [column, row + 1]);
                for other in near.map(|(_, other)| *other as usize).filter(|other| *other != node) {
                    let (a, b) = (positions[node], positions[other]);
                    let needed = (radii[node] + radii[other]).max(1e-3);
                    least = least.min((a[0] - b[0]).hypot(a[1] - b[1]) / needed);
                }
            }
            least
        })
        .collect();
    if count < 2 {
        return 1.0;
    }
    let tenth = *room.select_nth_unstable_by(count / 10, f32::total_cmp).1;
    if tenth.is_finite() { (1.0 / tenth.max(1e-3)).clamp(0.5, 4.0) } else { 1.0 }
}

/// Mean distance of neighbours: the side of the square that a place has for itself, the outermost tenth of them left out.
pub(super) fn spacing(places: &[[f32; 2]]) -> f32 {
    let extent = [0, 1].map(|axis| {
        let mut values: Vec<f32> = places.iter().map(|at| at[axis]).collect();
        let (low, high) = (values.len() / 20, values.len().saturating_sub(1) - values.len() / 20);
        if values.is_empty() {
            return 0.0;
        }
        let low = *values.select_nth_unstable_by(low, f32::total_cmp).1;
        *values.select_nth_unstable_by(high, f32::total_cmp).1 - low
    });
    (extent[0] * extent[1] / places.len().max(1) as f32).sqrt()
}

/// A direction for two nodes at the same place, different for every pair and always the same for one.
pub(super) fn apart(a: usize, b: usize) -> (f32, f32) {
    // Multiples of the golden angle never repeat.
    let turns = (a as f64 * 0.618_033_988_749_895 + b as f64 * 0.381_966_011_250_105).fract();
    let angle = (turns * std::f64::consts::TAU) as f32;
    (angle.cos(), angle.sin())
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    /// Pairs that overlap by more than rounding, by looking at all.
    fn overlapping(positions: &[[f32; 2]], radii: &[f32], gap: f32) -> usize {
        let pairs = (0..positions.len()).flat_map(|a| (a + 1..positions.len()).map(move |b| (a, b)));
        pairs
            .filter(|&(a, b)| {
                let away = (positions[a][0] - positions[b][0]).hypot(positions[a][1] - positions[b][1]);
                away < 0.998 * (radii[a] + radii[b] + gap)
            })
            .count()
    }

    #[test]
    fn sweeps_part_all_discs_and_leave_fixed_ones() {
        let mut rng = crate::random::stream(3, "test");
        let mut positions: Vec<[f32; 2]> =
            (0..200).map(|_| [rng.random::<f32>() * 200.0, rng.random::<f32>() * 200.0]).collect();
        let radii: Vec<f32> = (0..200).map(|at| 3.0 + (at % 5) as f32).collect();
        let fixed: Vec<bool> = (0..200).map(|at| at == 7).collect();
        let (before, held) = (overlapping(&positions, &radii, 2.0), positions[7]);
        assert!(before > 100, "{before}");
        let mut overlaps = Overlaps::default();
        for _ in 0..400 {
            if overlaps.sweep(&mut positions, &radii, &fixed, 2.0, 1.0) == 0.0 {
                break;
            }
        }
        assert_eq!(overlapping(&positions, &radii, 2.0), 0);
        assert_eq!(positions[7], held);
    }

    #[test]
    fn a_sweep_finds_every_pair() {
        let mut rng = crate::random::stream(4, "test");
        let mut positions: Vec<[f32; 2]> =
            (0..300).map(|_| [rng.random::<f32>() * 90.0 - 45.0, rng.random::<f32>() * 90.0 - 45.0]).collect();
        let radii = vec![2.0; 300];
        let mut deepest = 0.0_f32;
        for a in 0..300 {
            for b in a + 1..300 {
                let away = (positions[a][0] - positions[b][0]).hypot(positions[a][1] - positions[b][1]);
                deepest = deepest.max(5.0 - away);
            }
        }
        // Nothing is moved with a share of 0, so that all pairs are judged as they are.
        let found = Overlaps::default().sweep(&mut positions, &radii, &[false; 300], 1.0, 0.0);
        assert!((found - deepest).abs() < 1e-5, "{found} and {deepest}");
    }
}
