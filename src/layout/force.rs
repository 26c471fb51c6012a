//! The force-directed layout (Fruchterman and Reingold 1991, with Barnes–Hut repulsion), one step at a time.
//!
//! Forces act within a connected part only: nodes repel with k²/d, edges pull with d²/k (k: the wanted distance), a weak
//! gravity holds the part together. Steps are bounded by a temperature that falls to a stop. Parts lie side by side,
//! packed in the end into the area wanted; last, discs that still overlap are pushed apart.

use rayon::prelude::*;

use super::components::{Neighbours, components};
use super::overlap::{apart, push_apart};
use super::pack::{Shape, pack};
use super::quadtree::Quadtree;
use super::{LayoutConfig, LayoutEdge, LayoutNode, links, pivot, radii};
use crate::random;

/// Steps that move the parts to their packed places.
const PACKING_STEPS: u32 = 30;
/// Sweeps at most that remove the last overlaps.
const SWEEPS: u32 = 300;
/// Temperature (in k) at the start of a fresh layout, of one that goes on from known positions, and at the end.
const HOT: f32 = 1.0;
const WARM: f32 = 0.4;
const COLD: f32 = 0.004;
/// Steps of a layout that goes on, or is disturbed, as a share of those of a fresh one.
const WARM_SHARE: f32 = 0.4;
/// How freely nodes move that had a place before: just enough to make room for new ones.
const KNOWN_MOBILITY: f32 = 0.04;
/// How freely nodes follow one that is dragged, by their distance from it in edges; all others hold on to their place.
const DRAG_MOBILITY: [f32; 3] = [1.0, 0.6, 0.25];
/// Parts of more nodes are worked on by several threads.
const PARALLEL: usize = 2000;

#[derive(Clone, Copy, Debug)]
struct Spring {
    from: usize,
    to: usize,
    strength: f32,
}

/// Nodes connected with each other.
#[derive(Clone, Debug)]
struct Part {
    nodes: Vec<usize>,
    springs: Vec<Spring>,
    /// All its nodes are new: it may be put anywhere.
    free: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Phase {
    /// Forces act; steps left and steps in all.
    Forces { left: u32, of: u32 },
    /// Parts move to their packed places: steps left, and how far each part has to go in all.
    Packing { left: u32, moves: Vec<[f32; 2]> },
    /// Discs are pushed apart.
    Overlaps { left: u32 },
    /// Nothing moves.
    Settled,
}

/// A layout that settles step by step, so that a window can show it on the way.
#[derive(Clone, Debug)]
pub struct ForceLayout {
    config: LayoutConfig,
    /// Wanted distance between the centres of connected nodes.
    distance: f32,
    radii: Vec<f32>,
    mass: Vec<f32>,
    mobility: Vec<f32>,
    /// How far a node goes per force: stiffly held nodes would swing otherwise.
    rate: Vec<f32>,
    pinned: Vec<bool>,
    positions: Vec<[f32; 2]>,
    parts: Vec<Part>,
    phase: Phase,
    temperature: f32,
    cooling: f32,
    tree: Quadtree,
}

impl ForceLayout {
    /// A layout of `nodes` and `edges`. Nodes with a position in `start` (by node; none for new nodes) begin there and
    /// hold on to it; new ones begin beside their neighbours. Without `start` everything is placed afresh.
    pub fn new(
        nodes: &[LayoutNode],
        edges: &[LayoutEdge],
        config: &LayoutConfig,
        start: Option<&[Option<[f32; 2]>]>,
    ) -> Self {
        let config = config.sane();
        let radii = radii(nodes);
        let links = links(nodes.len(), edges);
        let neighbours = Neighbours::new(nodes.len(), &links);
        let mean_radius = radii.iter().sum::<f32>() / radii.len().max(1) as f32;
        let distance = config.spacing + 2.0 * mean_radius;
        let known: Vec<Option<[f32; 2]>> = (0..nodes.len())
            .map(|node| start?.get(node).copied()?.filter(|place| place.iter().all(|at| at.abs() < 1e7)))
            .collect();
        let parts = parts(nodes.len(), edges, &links, &known);
        // Hubs need room around them.
        let mass = (0..nodes.len()).map(|node| 1.0 + 0.25 * (neighbours.of(node).len() as f32).sqrt()).collect();
        let fresh = known.iter().all(Option::is_none);
        let mut stiffness = vec![1.0f32; nodes.len()];
        for spring in parts.iter().flat_map(|part| &part.springs) {
            stiffness[spring.from] += spring.strength;
            stiffness[spring.to] += spring.strength;
        }
        let mut layout = Self {
            config,
            distance,
            mass,
            mobility: known.iter().map(|place| if place.is_some() { KNOWN_MOBILITY } else { 1.0 }).collect(),
            rate: stiffness.into_iter().map(|stiffness| 1.0 / stiffness).collect(),
            pinned: vec![false; nodes.len()],
            positions: vec![[0.0; 2]; nodes.len()],
            radii,
            parts,
            phase: Phase::Settled,
            temperature: 0.0,
            cooling: 1.0,
            tree: Quadtree::default(),
        };
        layout.place(&known, &neighbours);
        let steps = if fresh { config.steps } else { layout.warm_steps() };
        layout.heat(if fresh { HOT } else { WARM }, steps);
        layout
    }

    /// One step. Returns whether anything still moves.
    pub fn step(&mut self) -> bool {
        match self.phase.clone() {
            Phase::Forces { left: 0, .. } => self.start_packing(),
            Phase::Forces { left, of } => {
                self.apply_forces();
                // From the middle of the way on, overlaps are removed gently.
                if 2 * left < of {
                    push_apart(&mut self.positions, &self.radii, &self.pinned, self.config.gap, 0.3);
                }
                self.temperature *= self.cooling;
                self.phase = Phase::Forces { left: left - 1, of };
            }
            Phase::Packing { left: 0, .. } => self.phase = Phase::Overlaps { left: SWEEPS },
            Phase::Packing { left, moves } => {
                // Smoothly: slow, fast, slow.
                let eased = |left: u32| {
                    let done = 1.0 - left as f32 / PACKING_STEPS as f32;
                    done * done * (3.0 - 2.0 * done)
                };
                let share = eased(left - 1) - eased(left);
                for (part, [x, y]) in self.parts.iter().zip(&moves) {
                    for &node in &part.nodes {
                        self.positions[node][0] += share * x;
                        self.positions[node][1] += share * y;
                    }
                }
                self.phase = Phase::Packing { left: left - 1, moves };
            }
            Phase::Overlaps { left: 0 } => self.phase = Phase::Settled,
            Phase::Overlaps { left } => {
                let worst = push_apart(&mut self.positions, &self.radii, &self.pinned, self.config.gap, 1.0);
                self.phase = if worst > 0.0 { Phase::Overlaps { left: left - 1 } } else { Phase::Settled };
            }
            Phase::Settled => {}
        }
        !self.is_settled()
    }

    /// Step until nothing moves.
    pub fn settle(&mut self) {
        while self.step() {}
    }

    /// Whether nothing moves any more.
    pub fn is_settled(&self) -> bool {
        self.phase == Phase::Settled
    }

    /// Where the centre of each node is.
    pub fn positions(&self) -> &[[f32; 2]] {
        &self.positions
    }

    /// Smallest and largest coordinates that the discs reach; zero without nodes.
    pub fn bounds(&self) -> [[f32; 2]; 2] {
        if self.positions.is_empty() {
            return [[0.0; 2]; 2];
        }
        let (mut min, mut max) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for (position, radius) in self.positions.iter().zip(&self.radii) {
            for axis in 0..2 {
                min[axis] = min[axis].min(position[axis] - radius);
                max[axis] = max[axis].max(position[axis] + radius);
            }
        }
        [min, max]
    }

    /// Hold `node` at `position`; its neighbours follow. A node that is not there, or a position that is no number, is
    /// passed over.
    pub fn pin(&mut self, node: usize, position: [f32; 2]) {
        if self.put(node, position) {
            self.pinned[node] = true;
        }
    }

    /// Let `node` move again.
    pub fn unpin(&mut self, node: usize) {
        if self.is_pinned(node) {
            self.pinned[node] = false;
            self.loosen_around(node);
            self.reheat();
        }
    }

    /// Whether `node` is held.
    pub fn is_pinned(&self, node: usize) -> bool {
        self.pinned.get(node).copied().unwrap_or(false)
    }

    /// Put `node` at `position` without holding it there.
    pub fn move_node(&mut self, node: usize, position: [f32; 2]) {
        self.put(node, position);
    }

    /// Let the nodes move again for a while, gently.
    pub fn reheat(&mut self) {
        // Whoever disturbs a layout wants the rest to stay about where it is.
        self.parts.iter_mut().for_each(|part| part.free = false);
        let steps = self.warm_steps();
        let hot = self.temperature.max(WARM * self.distance) / self.distance;
        self.heat(hot.min(HOT), steps);
    }

    fn put(&mut self, node: usize, position: [f32; 2]) -> bool {
        let sound = node < self.positions.len() && position.iter().all(|at| at.abs() < 1e7);
        if sound && (self.positions[node] != position || !self.pinned[node]) {
            self.positions[node] = position;
            self.loosen_around(node);
            self.reheat();
        }
        sound
    }

    /// Let `node` and those near it move, and all others hardly.
    fn loosen_around(&mut self, node: usize) {
        self.mobility.fill(KNOWN_MOBILITY);
        let mut near = vec![node];
        let mut reached = vec![false; self.positions.len()];
        reached[node] = true;
        let part = self.parts.iter().find(|part| part.nodes.binary_search(&node).is_ok());
        let springs = part.map_or(&[][..], |part| &part.springs);
        for mobility in DRAG_MOBILITY {
            near.iter().for_each(|&node| self.mobility[node] = mobility);
            let mut next = Vec::new();
            for spring in springs {
                for (a, b) in [(spring.from, spring.to), (spring.to, spring.from)] {
                    if near.contains(&a) && !std::mem::replace(&mut reached[b], true) {
                        next.push(b);
                    }
                }
            }
            near = next;
        }
    }

    fn warm_steps(&self) -> u32 {
        ((self.config.steps as f32 * WARM_SHARE) as u32).max(1)
    }

    fn heat(&mut self, temperature: f32, steps: u32) {
        if self.positions.is_empty() {
            return;
        }
        self.temperature = temperature * self.distance;
        self.cooling = (COLD / temperature).powf(1.0 / steps as f32).min(1.0);
        self.phase = Phase::Forces { left: steps, of: steps };
    }

    /// First positions: known ones as they are, new nodes beside their neighbours, new parts side by side.
    fn place(&mut self, known: &[Option<[f32; 2]>], neighbours: &Neighbours) {
        let rng = &mut random::stream(self.config.seed, "layout start");
        let mut index = vec![usize::MAX; known.len()];
        for part in &self.parts {
            part.nodes.iter().enumerate().for_each(|(at, &node)| index[node] = at);
            if part.free {
                let places = pivot::place(&part.nodes, neighbours, &index, rng);
                for (&node, place) in part.nodes.iter().zip(places) {
                    self.positions[node] = place.map(|coordinate| coordinate * self.distance);
                }
                continue;
            }
            let mut placed: Vec<bool> = part.nodes.iter().map(|&node| known[node].is_some()).collect();
            let mut queue: Vec<usize> = part.nodes.iter().copied().filter(|&node| known[node].is_some()).collect();
            queue.iter().for_each(|&node| self.positions[node] = known[node].unwrap_or_default());
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
                        sum = [sum[0] + self.positions[other][0], sum[1] + self.positions[other][1]];
                        count += 1.0;
                    }
                    if count == 0.0 {
                        (sum, count) = (self.positions[queue[next]], 1.0);
                    }
                    let (x, y) = apart(node, queue[next]);
                    let away = if count > 1.0 { 0.2 } else { 0.8 } * self.distance;
                    self.positions[node] = [sum[0] / count + away * x, sum[1] / count + away * y];
                    queue.push(node);
                }
                next += 1;
            }
        }
        let moves = self.packed();
        self.shift(&moves);
    }

    /// How far each part is from its packed place. Parts with known or pinned nodes stay.
    fn packed(&self) -> Vec<[f32; 2]> {
        let margin = 0.5 * self.config.gap + 0.2 * self.distance;
        let shape = |part: &Part| Shape {
            discs: part.nodes.iter().map(|&node| (self.positions[node], self.radii[node] + margin)).collect(),
            lines: part.springs.iter().map(|spring| [self.positions[spring.from], self.positions[spring.to]]).collect(),
            fixed: !part.free || part.nodes.iter().any(|&node| self.pinned[node]),
        };
        pack(&self.parts.iter().map(shape).collect::<Vec<_>>(), self.config.aspect)
    }

    fn shift(&mut self, moves: &[[f32; 2]]) {
        for (part, [x, y]) in self.parts.iter().zip(moves) {
            for &node in &part.nodes {
                self.positions[node][0] += x;
                self.positions[node][1] += y;
            }
        }
    }

    fn start_packing(&mut self) {
        let moves = self.packed();
        let still = moves.iter().all(|step| *step == [0.0; 2]);
        self.phase =
            if still { Phase::Overlaps { left: SWEEPS } } else { Phase::Packing { left: PACKING_STEPS, moves } };
    }

    fn apply_forces(&mut self) {
        let (mut bodies, mut stack) = (Vec::new(), Vec::new());
        let mut place = vec![0; self.positions.len()];
        let mut tree = std::mem::take(&mut self.tree);
        for part in &self.parts {
            if part.nodes.len() < 2 {
                continue;
            }
            bodies.clear();
            bodies.extend(part.nodes.iter().map(|&node| (self.positions[node], self.mass[node])));
            part.nodes.iter().enumerate().for_each(|(at, &node)| place[node] = at);
            tree.build(&bodies);
            let around = Surroundings { bodies: &bodies, tree: &tree, distance: self.distance, config: &self.config };
            let mut forces: Vec<[f32; 2]> = if bodies.len() > PARALLEL {
                (0..bodies.len()).into_par_iter().map_init(Vec::new, |stack, at| around.force(at, stack)).collect()
            } else {
                (0..bodies.len()).map(|at| around.force(at, &mut stack)).collect()
            };
            for spring in &part.springs {
                let (from, to) = (self.positions[spring.from], self.positions[spring.to]);
                let (x, y) = (to[0] - from[0], to[1] - from[1]);
                let pull = spring.strength * x.hypot(y) / self.distance;
                for (node, pull) in [(spring.from, pull), (spring.to, -pull)] {
                    forces[place[node]][0] += pull * x;
                    forces[place[node]][1] += pull * y;
                }
            }
            for (&node, force) in part.nodes.iter().zip(&forces) {
                let length = force[0].hypot(force[1]);
                if self.pinned[node] || length <= 1e-9 || !length.is_finite() {
                    continue;
                }
                let step = (length * self.rate[node]).min(self.temperature) * self.mobility[node] / length;
                self.positions[node][0] += step * force[0];
                self.positions[node][1] += step * force[1];
            }
        }
        self.tree = tree;
    }
}

/// What acts on a node besides its springs.
struct Surroundings<'a> {
    bodies: &'a [([f32; 2], f32)],
    tree: &'a Quadtree,
    distance: f32,
    config: &'a LayoutConfig,
}

impl Surroundings<'_> {
    fn force(&self, at: usize, stack: &mut Vec<u32>) -> [f32; 2] {
        let (here, mass) = self.bodies[at];
        let squared_distance = self.distance * self.distance;
        let mut force = [0.0f32; 2];
        self.tree.visit(at, self.bodies, self.config.opening, stack, |other, other_mass, name| {
            let (mut x, mut y) = (here[0] - other[0], here[1] - other[1]);
            let mut squared = x * x + y * y;
            if squared < 1e-4 * squared_distance {
                // As good as coincident: push as if a hundredth of the distance away, in a direction of the pair's own.
                let direction = apart(at.min(name), at.max(name));
                let away = if at < name { 0.01 } else { -0.01 } * self.distance;
                (x, y) = (x + away * direction.0, y + away * direction.1);
                squared = (x * x + y * y).max(1e-4 * squared_distance);
            }
            let push = mass * other_mass * squared_distance / squared;
            force = [force[0] + push * x, force[1] + push * y];
        });
        // Gravity towards the middle, stronger along the axis that is to be short.
        let middle = self.tree.middle();
        let lean = self.config.aspect.sqrt();
        force[0] -= self.config.gravity * mass * (here[0] - middle[0]) / lean;
        force[1] -= self.config.gravity * mass * (here[1] - middle[1]) * lean;
        force
    }
}

/// The connected parts with their springs. A spring is as strong as its edge's weight relative to the mean, within
/// bounds: probabilities from different models differ in scale.
fn parts(nodes: usize, edges: &[LayoutEdge], links: &[(usize, usize)], known: &[Option<[f32; 2]>]) -> Vec<Part> {
    let mut parts: Vec<Part> = components(nodes, links)
        .into_iter()
        .map(|nodes| Part { free: nodes.iter().all(|&node| known[node].is_none()), nodes, springs: Vec::new() })
        .collect();
    let mut part_of = vec![0; nodes];
    for (at, part) in parts.iter().enumerate() {
        part.nodes.iter().for_each(|&node| part_of[node] = at);
    }
    let usable = |edge: &&LayoutEdge| edge.weight.is_finite() && edge.weight > 0.0;
    let weights: Vec<f32> = edges.iter().filter(usable).map(|edge| edge.weight).collect();
    let mean = (weights.iter().sum::<f32>() / weights.len().max(1) as f32).max(f32::MIN_POSITIVE);
    for edge in edges {
        let (from, to) = (edge.from as usize, edge.to as usize);
        if from != to && from < nodes && to < nodes {
            let strength = if usable(&edge) { (edge.weight / mean).clamp(0.3, 3.0) } else { 0.3 };
            parts[part_of[from]].springs.push(Spring { from, to, strength });
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(count: usize) -> Vec<LayoutNode> {
        vec![LayoutNode { radius: 8.0 }; count]
    }

    fn edges(pairs: &[(u32, u32)]) -> Vec<LayoutEdge> {
        pairs.iter().map(|&(from, to)| LayoutEdge { from, to, weight: 0.5 }).collect()
    }

    fn settled(nodes: &[LayoutNode], edges: &[LayoutEdge]) -> ForceLayout {
        let mut layout = ForceLayout::new(nodes, edges, &LayoutConfig::default(), None);
        layout.settle();
        layout
    }

    fn distance(layout: &ForceLayout, a: usize, b: usize) -> f32 {
        let (a, b) = (layout.positions()[a], layout.positions()[b]);
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    /// Two cliques of six with one bridge, a pair, and three single nodes.
    fn cliques() -> Vec<LayoutEdge> {
        let mut pairs = vec![(5, 6), (12, 13)];
        for first in [0, 6] {
            pairs.extend((0..6).flat_map(|a| (a + 1..6).map(move |b| (first + a, first + b))));
        }
        edges(&pairs)
    }

    #[test]
    fn the_same_seed_gives_the_same_positions() {
        let (nodes, edges) = (nodes(17), cliques());
        assert_eq!(settled(&nodes, &edges).positions(), settled(&nodes, &edges).positions());
        let mut other = ForceLayout::new(&nodes, &edges, &LayoutConfig { seed: 2, ..LayoutConfig::default() }, None);
        other.settle();
        assert_ne!(other.positions(), settled(&nodes, &edges).positions());
    }

    #[test]
    fn connected_nodes_are_nearer_than_others() {
        let layout = settled(&nodes(17), &cliques());
        let within = (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b)));
        let far = within.map(|(a, b)| distance(&layout, a, b)).fold(0.0, f32::max);
        let across = (0..5).flat_map(|a| (7..12).map(move |b| (a, b)));
        let near = across.map(|(a, b)| distance(&layout, a, b)).fold(f32::INFINITY, f32::min);
        assert!(far < near, "{far} within a clique, {near} between them");
    }

    #[test]
    fn nothing_overlaps_and_nothing_flies_away() {
        let mut nodes = nodes(17);
        nodes[0].radius = 30.0;
        let layout = settled(&nodes, &cliques());
        for a in 0..17 {
            for b in a + 1..17 {
                let least = nodes[a].radius + nodes[b].radius + LayoutConfig::default().gap;
                assert!(distance(&layout, a, b) > 0.99 * least, "{a} and {b}");
            }
        }
        let [min, max] = layout.bounds();
        assert!(max[0] - min[0] < 700.0 && max[1] - min[1] < 500.0, "{min:?} to {max:?}");
    }

    #[test]
    fn pinned_nodes_stay_and_others_follow() {
        let (nodes, edges) = (nodes(17), cliques());
        let mut layout = settled(&nodes, &edges);
        let start = layout.positions().to_vec();
        layout.pin(0, [900.0, 700.0]);
        assert!(!layout.is_settled() && layout.is_pinned(0));
        layout.settle();
        assert_eq!(layout.positions()[0], [900.0, 700.0]);
        let from_pin = |place: [f32; 2]| (place[0] - 900.0).hypot(place[1] - 700.0);
        for (place, before) in layout.positions()[1..6].iter().zip(&start[1..6]) {
            assert!(from_pin(*place) < 0.8 * from_pin(*before), "{before:?} to {place:?}");
        }
        // What is not connected with it stays.
        assert!((12..17).all(|node| (layout.positions()[node][0] - start[node][0]).abs() < 30.0));
        layout.unpin(0);
        layout.settle();
        assert_ne!(layout.positions()[0], [900.0, 700.0]);
        layout.pin(99, [0.0, 0.0]);
        layout.move_node(1, [f32::NAN, 0.0]);
        assert!(layout.positions()[1][0].is_finite());
    }

    #[test]
    fn a_known_layout_hardly_moves_and_new_nodes_join_their_neighbours() {
        let (nodes, edges) = (nodes(17), cliques());
        let first = settled(&nodes, &edges);
        // Node 14 gets an edge to node 0, node 15 one to the pair; node 16 leaves nothing to know.
        let more = [edges.clone(), self::edges(&[(0, 14), (13, 15)])].concat();
        let start: Vec<_> = first.positions().iter().map(|&place| Some(place)).collect();
        let mut start = start;
        start[14] = None;
        start[15] = None;
        start[16] = Some([f32::NAN, 1.0]);
        let mut second = ForceLayout::new(&nodes, &more, &LayoutConfig::default(), Some(&start));
        second.settle();
        let moved = |node: usize| {
            let (a, b) = (first.positions()[node], second.positions()[node]);
            (a[0] - b[0]).hypot(a[1] - b[1])
        };
        let farthest = (0..14).map(moved).fold(0.0, f32::max);
        assert!(farthest < 45.0, "{farthest}");
        assert!(distance(&second, 0, 14) < 150.0 && distance(&second, 13, 15) < 150.0);
        assert!(second.positions().iter().flatten().all(|at| at.is_finite()));
    }

    #[test]
    fn few_coincident_and_strange_nodes_are_no_trouble() {
        let mut none = ForceLayout::new(&[], &[], &LayoutConfig::default(), None);
        assert!(!none.step() && none.positions().is_empty() && none.bounds() == [[0.0; 2]; 2]);
        assert!(settled(&nodes(1), &[]).positions()[0].iter().all(|at| at.is_finite()));
        let start = vec![Some([5.0, 5.0]); 12];
        let ring = edges(&(0..12).map(|at| (at, (at + 1) % 12)).collect::<Vec<_>>());
        let mut layout = ForceLayout::new(&nodes(12), &ring, &LayoutConfig::default(), Some(&start));
        layout.settle();
        for a in 0..12 {
            for b in a + 1..12 {
                assert!(distance(&layout, a, b) > 20.0, "{a} and {b}: {}", distance(&layout, a, b));
            }
        }
        let strange = [
            LayoutEdge { from: 0, to: 0, weight: 1.0 },
            LayoutEdge { from: 0, to: 77, weight: 1.0 },
            LayoutEdge { from: 0, to: 1, weight: f32::NAN },
        ];
        let odd = LayoutConfig { spacing: f32::NAN, aspect: 0.0, steps: 0, gravity: -1.0, ..LayoutConfig::default() };
        let mut layout = ForceLayout::new(&[LayoutNode { radius: f32::NAN }; 3], &strange, &odd, None);
        layout.settle();
        assert!(layout.positions().iter().flatten().all(|at| at.is_finite()));
    }
}
