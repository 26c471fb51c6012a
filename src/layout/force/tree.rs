//! Barnes–Hut: far groups of nodes repel as one (Barnes and Hut 1986).
//!
//! Bodies are sorted along a Z-shaped curve (Morton 1966); a cell is a stretch of it. Neighbours on the curve ask together:
//! what acts on a [`GROUP`] of them is listed once, and the list is then summed for each. Building takes O(n log n), a
//! query O(log n). The order of every sum depends on the positions only, never on the number of threads.

/// Bodies that ask together, and how many a leaf holds at most.
pub(super) const GROUP: usize = 16;
/// Numbers summed side by side; lists are filled up to a multiple of it.
const LANES: usize = 8;
/// Bits of each coordinate on the curve.
const BITS: u32 = 16;

#[derive(Clone, Copy, Debug)]
struct Cell {
    /// Centre of mass.
    centre: [f32; 2],
    mass: f32,
    /// Square of the larger side of the box around its bodies.
    size: f32,
    /// Its bodies along the curve.
    first: u32,
    end: u32,
    /// Where its first child is, and how many it has; none for a leaf.
    child: u32,
    children: u32,
}

/// A quadtree over bodies with masses.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    cells: Vec<Cell>,
    /// Bodies along the curve.
    order: Vec<u32>,
    x: Vec<f32>,
    y: Vec<f32>,
    mass: Vec<f32>,
    keys: Vec<u64>,
    /// How many times it was built.
    builds: u32,
}

/// What acts on a group of bodies: positions and masses, of single bodies and of far cells.
#[derive(Clone, Debug, Default)]
pub(super) struct Acting {
    x: Vec<f32>,
    y: Vec<f32>,
    mass: Vec<f32>,
    stack: Vec<u32>,
}

impl Tree {
    /// Sort bodies into the tree, in place of what was there. Its cells lie elsewhere each time, or bodies would line up
    /// along the borders of cells.
    pub fn build(&mut self, positions: &[[f32; 2]], mass: &[f32]) {
        self.cells.clear();
        let (min, max) = bounds(positions.iter().copied());
        let width = (max[0] - min[0]).max(max[1] - min[1]).max(1e-6);
        // Spread evenly over the plane (Roberts 2018, the sequence R2).
        let share = |step: f64| (f64::from(self.builds) * step).fract() as f32;
        let offset = [share(0.754_877_666_246_692_8), share(0.569_840_290_998_053_3)].map(|share| 0.5 * share * width);
        self.builds = self.builds.wrapping_add(1);
        let scale = ((1_u32 << BITS) - 1) as f32 / (1.5 * width);
        let key = |(body, at): (usize, &[f32; 2])| {
            let place = |axis: usize| spread(((at[axis] - min[axis] + offset[axis]) * scale) as u32);
            u64::from(place(0) | place(1) << 1) << 32 | body as u64
        };
        self.keys.clear();
        self.keys.extend(positions.iter().enumerate().map(key));
        self.keys.sort_unstable();
        self.order.clear();
        self.order.extend(self.keys.iter().map(|key| *key as u32));
        let fill = |lane: &mut Vec<f32>, of: &dyn Fn(usize) -> f32| {
            lane.clear();
            lane.extend(self.order.iter().map(|&body| of(body as usize)));
        };
        fill(&mut self.x, &|body| positions[body][0]);
        fill(&mut self.y, &|body| positions[body][1]);
        fill(&mut self.mass, &|body| mass[body]);
        if !positions.is_empty() {
            self.cells.push(EMPTY);
            self.divide(0, 0, positions.len(), BITS);
        }
    }

    /// Bodies along the curve: neighbours there are near each other.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// The centre of mass of all bodies.
    pub fn middle(&self) -> [f32; 2] {
        self.cells.first().map_or([0.0; 2], |root| root.centre)
    }

    fn divide(&mut self, at: usize, first: usize, end: usize, bits: u32) {
        let (mut sum, mut mass) = ([0.0_f32; 2], 0.0_f32);
        if end - first > GROUP && bits > 0 {
            // Up to four stretches, by the next two bits of the curve.
            let shift = 32 + 2 * (bits - 1);
            let mut stretches = [(0, 0); 4];
            let (mut count, mut from) = (0, first);
            while from < end {
                let quarter = self.keys[from] >> shift;
                let to = from + self.keys[from..end].partition_point(|key| key >> shift == quarter);
                stretches[count] = (from, to);
                (count, from) = (count + 1, to);
            }
            let child = self.cells.len();
            self.cells.extend([EMPTY; 4].iter().take(count));
            for (offset, &(from, to)) in stretches[..count].iter().enumerate() {
                self.divide(child + offset, from, to, bits - 1);
            }
            for cell in &self.cells[child..child + count] {
                sum = [sum[0] + cell.mass * cell.centre[0], sum[1] + cell.mass * cell.centre[1]];
                mass += cell.mass;
            }
            self.cells[at].child = child as u32;
            self.cells[at].children = count as u32;
        } else {
            for body in first..end {
                sum = [sum[0] + self.mass[body] * self.x[body], sum[1] + self.mass[body] * self.y[body]];
                mass += self.mass[body];
            }
        }
        let (min, max) = bounds((first..end).map(|body| [self.x[body], self.y[body]]));
        let cell = &mut self.cells[at];
        cell.centre = if mass > 0.0 { sum.map(|sum| sum / mass) } else { min };
        cell.mass = mass;
        cell.size = (max[0] - min[0]).max(max[1] - min[1]).powi(2);
        (cell.first, cell.end) = (first as u32, end as u32);
    }

    /// List what acts on the bodies `first..end` along the curve (themselves too): cells whose size is below `opening`
    /// times their distance from the box around the group are taken as one body.
    pub fn acting(&self, first: usize, end: usize, opening: f32, out: &mut Acting) {
        let Acting { x, y, mass, stack } = out;
        x.clear();
        y.clear();
        mass.clear();
        stack.clear();
        let (min, max) = bounds((first..end).map(|body| [self.x[body], self.y[body]]));
        let opening = opening * opening;
        if !self.cells.is_empty() {
            stack.push(0);
        }
        while let Some(at) = stack.pop() {
            let cell = &self.cells[at as usize];
            let away = |axis: usize| (min[axis] - cell.centre[axis]).max(cell.centre[axis] - max[axis]).max(0.0);
            let (across, down) = (away(0), away(1));
            if cell.size < opening * (across * across + down * down) {
                x.push(cell.centre[0]);
                y.push(cell.centre[1]);
                mass.push(cell.mass);
            } else if cell.children > 0 {
                stack.extend(cell.child..cell.child + cell.children);
            } else {
                let bodies = cell.first as usize..cell.end as usize;
                x.extend_from_slice(&self.x[bodies.clone()]);
                y.extend_from_slice(&self.y[bodies.clone()]);
                mass.extend_from_slice(&self.mass[bodies]);
            }
        }
        let full = x.len().next_multiple_of(LANES);
        x.resize(full, 0.0);
        y.resize(full, 0.0);
        mass.resize(full, 0.0);
    }
}

impl Acting {
    /// Σ mass · `strength`(squared distance) · (here − there). What lies exactly here has no part in it.
    pub fn sum(&self, here: [f32; 2], strength: impl Fn(f32) -> f32) -> [f32; 2] {
        let (mut across, mut down) = ([0.0_f32; LANES], [0.0_f32; LANES]);
        let lanes = self.x.chunks_exact(LANES).zip(self.y.chunks_exact(LANES)).zip(self.mass.chunks_exact(LANES));
        for ((x, y), mass) in lanes {
            for lane in 0..LANES {
                let (dx, dy) = (here[0] - x[lane], here[1] - y[lane]);
                let push = mass[lane] * strength(dx * dx + dy * dy);
                across[lane] += push * dx;
                down[lane] += push * dy;
            }
        }
        [across.iter().sum(), down.iter().sum()]
    }
}

const EMPTY: Cell = Cell { centre: [0.0; 2], mass: 0.0, size: 0.0, first: 0, end: 0, child: 0, children: 0 };

fn bounds(positions: impl Iterator<Item = [f32; 2]>) -> ([f32; 2], [f32; 2]) {
    positions.fold(([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]), |(min, max), [x, y]| {
        ([min[0].min(x), min[1].min(y)], [max[0].max(x), max[1].max(y)])
    })
}

/// The lower 16 bits of `value`, a gap after each.
fn spread(value: u32) -> u32 {
    let mut value = value & 0xFFFF;
    value = (value | value << 8) & 0x00FF_00FF;
    value = (value | value << 4) & 0x0F0F_0F0F;
    value = (value | value << 2) & 0x3333_3333;
    (value | value << 1) & 0x5555_5555
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    fn bodies(count: usize) -> (Vec<[f32; 2]>, Vec<f32>) {
        let mut rng = crate::random::stream(1, "test");
        (0..count)
            .map(|_| ([rng.random::<f32>() * 100.0, rng.random::<f32>() * 60.0], 1.0 + rng.random::<f32>()))
            .unzip()
    }

    /// The push on every body, in the order of the bodies.
    fn pushes(positions: &[[f32; 2]], mass: &[f32], opening: f32) -> Vec<[f32; 2]> {
        let (mut tree, mut acting) = (Tree::default(), Acting::default());
        tree.build(positions, mass);
        let mut out = vec![[0.0; 2]; positions.len()];
        for first in (0..positions.len()).step_by(GROUP) {
            let end = (first + GROUP).min(positions.len());
            tree.acting(first, end, opening, &mut acting);
            for &body in &tree.order()[first..end] {
                out[body as usize] = acting.sum(positions[body as usize], |squared| 1.0 / squared.max(1e-6));
            }
        }
        out
    }

    #[test]
    fn with_no_opening_the_sum_is_that_over_all_pairs() {
        let (positions, mass) = bodies(300);
        for (body, push) in pushes(&positions, &mass, 0.0).into_iter().enumerate() {
            let mut sum = [0.0_f64; 2];
            for (other, mass) in positions.iter().zip(&mass) {
                let apart = [0, 1].map(|axis| f64::from(positions[body][axis] - other[axis]));
                let squared = (apart[0] * apart[0] + apart[1] * apart[1]).max(1e-6);
                sum = [0, 1].map(|axis| sum[axis] + f64::from(*mass) * apart[axis] / squared);
            }
            assert!((f64::from(push[0]) - sum[0]).hypot(f64::from(push[1]) - sum[1]) < 1e-3 * (1.0 + sum[0].abs()));
        }
    }

    #[test]
    fn far_groups_act_almost_as_their_members() {
        let (positions, mass) = bodies(2000);
        let (exact, fast) = (pushes(&positions, &mass, 0.0), pushes(&positions, &mass, 0.9));
        let error: f32 = exact.iter().zip(&fast).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).sum();
        let size: f32 = exact.iter().map(|a| a[0].hypot(a[1])).sum();
        assert!(error < 0.02 * size, "{error} of {size}");
    }

    #[test]
    fn every_other_body_acts_once_even_where_all_coincide() {
        let (positions, mass) = (vec![[3.0, 4.0]; 500], vec![1.0; 500]);
        let (mut tree, mut acting) = (Tree::default(), Acting::default());
        tree.build(&positions, &mass);
        tree.acting(0, GROUP, 0.8, &mut acting);
        assert_eq!(acting.mass.iter().sum::<f32>(), 500.0);
        assert_eq!(acting.sum([3.0, 4.0], |_| 1.0), [0.0, 0.0]);
        assert_eq!(tree.middle(), [3.0, 4.0]);
    }
}
