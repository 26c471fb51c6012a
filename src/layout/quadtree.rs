//! Barnes–Hut: far groups of nodes repel as one (Barnes and Hut 1986). Building takes O(n log n), each query O(log n).

/// Cells are not divided further than this: coincident nodes share one.
const DEPTH: u32 = 20;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Cell {
    /// Sum of mass × position, later the centre of mass.
    centre: [f32; 2],
    mass: f32,
    /// Width of the square.
    width: f32,
    /// First of four consecutive children.
    children: u32,
    /// First body of a leaf; its others follow in `next`.
    body: u32,
}

/// A quadtree over bodies with masses.
#[derive(Clone, Debug, Default)]
pub(super) struct Quadtree {
    cells: Vec<Cell>,
    next: Vec<u32>,
}

impl Quadtree {
    /// Sort `bodies` (position, mass) into the tree, in place of what was there.
    pub fn build(&mut self, bodies: &[([f32; 2], f32)]) {
        self.cells.clear();
        self.next.clear();
        self.next.resize(bodies.len(), NONE);
        let (mut min, mut max) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for (position, _) in bodies {
            for axis in 0..2 {
                min[axis] = min[axis].min(position[axis]);
                max[axis] = max[axis].max(position[axis]);
            }
        }
        let width = (max[0] - min[0]).max(max[1] - min[1]).max(1e-3) * 1.001;
        let middle = [0.5 * (min[0] + max[0]), 0.5 * (min[1] + max[1])];
        self.cells.push(Cell { centre: [0.0; 2], mass: 0.0, width, children: NONE, body: NONE });
        for body in 0..bodies.len() {
            self.insert(body, bodies, middle);
        }
        for cell in &mut self.cells {
            if cell.mass > 0.0 {
                cell.centre = cell.centre.map(|sum| sum / cell.mass);
            }
        }
    }

    /// The centre of mass of all bodies.
    pub fn middle(&self) -> [f32; 2] {
        self.cells.first().map_or([0.0; 2], |root| root.centre)
    }

    fn insert(&mut self, body: usize, bodies: &[([f32; 2], f32)], mut middle: [f32; 2]) {
        let (position, mass) = bodies[body];
        let mut at = 0;
        for depth in 0.. {
            let cell = &mut self.cells[at];
            let empty = cell.mass == 0.0 && cell.body == NONE;
            cell.mass += mass;
            cell.centre[0] += mass * position[0];
            cell.centre[1] += mass * position[1];
            let width = cell.width;
            if cell.children == NONE {
                if empty || depth == DEPTH {
                    self.next[body] = cell.body;
                    cell.body = body as u32;
                    return;
                }
                // A leaf with one body becomes four; its body moves down.
                let resident = std::mem::replace(&mut cell.body, NONE) as usize;
                let first = self.cells.len() as u32;
                self.cells[at].children = first;
                let child = Cell { centre: [0.0; 2], mass: 0.0, width: 0.5 * width, children: NONE, body: NONE };
                self.cells.extend([child; 4]);
                let (position, mass) = bodies[resident];
                let child = &mut self.cells[first as usize + quadrant(position, middle)];
                child.mass = mass;
                child.centre = position.map(|coordinate| coordinate * mass);
                child.body = resident as u32;
            }
            let quadrant = quadrant(position, middle);
            at = self.cells[at].children as usize + quadrant;
            let quarter = 0.25 * width;
            middle[0] += if quadrant & 1 == 1 { quarter } else { -quarter };
            middle[1] += if quadrant & 2 == 2 { quarter } else { -quarter };
        }
    }

    /// Call `act` with position and mass of every other body or far group as seen by `body`: groups whose width is below
    /// `opening` times their distance are taken as one.
    pub fn visit(
        &self,
        body: usize,
        bodies: &[([f32; 2], f32)],
        opening: f32,
        stack: &mut Vec<u32>,
        mut act: impl FnMut([f32; 2], f32, usize),
    ) {
        let here = bodies[body].0;
        stack.clear();
        stack.push(0);
        while let Some(at) = stack.pop() {
            let cell = &self.cells[at as usize];
            if cell.children == NONE {
                let mut other = cell.body;
                while other != NONE {
                    if other as usize != body {
                        let (position, mass) = bodies[other as usize];
                        act(position, mass, other as usize);
                    }
                    other = self.next[other as usize];
                }
                continue;
            }
            let (x, y) = (cell.centre[0] - here[0], cell.centre[1] - here[1]);
            if cell.width * cell.width < opening * opening * (x * x + y * y) {
                act(cell.centre, cell.mass, usize::MAX);
            } else {
                stack.extend((0..4).map(|child| cell.children + child).filter(|&child| {
                    let child = &self.cells[child as usize];
                    child.mass > 0.0
                }));
            }
        }
    }
}

fn quadrant(position: [f32; 2], middle: [f32; 2]) -> usize {
    usize::from(position[0] >= middle[0]) | usize::from(position[1] >= middle[1]) << 1
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    fn pull(tree: &Quadtree, bodies: &[([f32; 2], f32)], body: usize, opening: f32) -> [f32; 2] {
        let mut sum = [0.0; 2];
        tree.visit(body, bodies, opening, &mut Vec::new(), |position, mass, _| {
            let (x, y) = (bodies[body].0[0] - position[0], bodies[body].0[1] - position[1]);
            let squared = (x * x + y * y).max(1e-6);
            sum[0] += mass * x / squared;
            sum[1] += mass * y / squared;
        });
        sum
    }

    #[test]
    fn far_groups_act_almost_as_their_members() {
        let mut rng = crate::random::stream(1, "test");
        let bodies: Vec<_> = (0..500)
            .map(|_| ([rng.random::<f32>() * 100.0, rng.random::<f32>() * 60.0], 1.0 + rng.random::<f32>()))
            .collect();
        let mut tree = Quadtree::default();
        tree.build(&bodies);
        let (mut error, mut size) = (0.0, 0.0);
        for body in 0..bodies.len() {
            let (exact, fast) = (pull(&tree, &bodies, body, 0.0), pull(&tree, &bodies, body, 0.8));
            error += (exact[0] - fast[0]).hypot(exact[1] - fast[1]);
            size += exact[0].hypot(exact[1]);
        }
        assert!(error < 0.03 * size, "{error} of {size}");
    }

    #[test]
    fn every_other_body_is_met_once_even_where_all_coincide() {
        let bodies = vec![([3.0, 4.0], 1.0); 50];
        let mut tree = Quadtree::default();
        tree.build(&bodies);
        let mut met = 0;
        tree.visit(7, &bodies, 0.8, &mut Vec::new(), |_, _, _| met += 1);
        assert_eq!(met, 49);
    }
}
