//! The force-directed layout with Barnes–Hut repulsion, one step at a time.
//!
//! Forces ([`model`]) act within a connected part only; a weak gravity holds the part together. Steps are bounded by a
//! temperature that falls to a stop. Then parts are scaled so that discs have room, and packed side by side into the area
//! wanted; last, discs that still overlap are pushed apart. The same input gives the same positions to the last bit,
//! whatever the number of threads.

mod model;
mod parts;
mod pivot;
mod start;
mod tree;

use super::components::Neighbours;
use super::overlap::Overlaps;
use super::pack::{Shape, pack};
use super::{LayoutConfig, LayoutEdge, LayoutNode, links, radii};
use model::{Model, Scratch};
use parts::{Part, parts};

/// Steps that move the parts to their packed places.
const PACKING_STEPS: u32 = 30;
/// Sweeps at most that remove the last overlaps.
const SWEEPS: u32 = 300;
/// Temperature (in wanted distances) at the start of a fresh layout, of one that goes on from known positions, while a node
/// is dragged, and at the end.
const HOT: f32 = 1.0;
const WARM: f32 = 0.4;
const GENTLE: f32 = 0.12;
const COLD: f32 = 0.004;
/// How far nodes of a large part are apart at least, as a share of the mean distance of neighbours; those with twice the
/// radius four times as far. Sweeps at most to that end.
const HUBS_APART: f32 = 0.3;
const HUB_SWEEPS: u32 = 60;
/// Steps of a layout that goes on, or is disturbed, as a share of those of a fresh one.
const WARM_SHARE: f32 = 0.4;
/// How freely nodes move that had a place before, where most of the picture is new.
const KNOWN_MOBILITY: f32 = 0.04;
/// How freely nodes follow one that is dragged, by their distance from it in edges; all others keep their place.
const DRAG_MOBILITY: [f32; 3] = [1.0, 0.6, 0.25];
/// More nodes two edges away keep their place as well: they would be the whole graph.
const MOST_DRAGGED: usize = 200;
/// Where the mean way of a step falls below this share of the wanted distance, nothing more is to come.
const STILL: f64 = 5e-4;
/// Up to so many steps in a row must be still.
const STILL_STEPS: u32 = 5;

#[derive(Clone, Debug, PartialEq)]
enum Phase {
    /// Forces act; steps left and steps in all.
    Forces { left: u32, of: u32 },
    /// Parts move to their packed places: steps left, and how far each node has to go in all.
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
    mobility: Vec<f32>,
    pinned: Vec<bool>,
    positions: Vec<[f32; 2]>,
    parts: Vec<Part>,
    models: Vec<Model>,
    phase: Phase,
    temperature: f32,
    cooling: f32,
    still: u32,
    overlaps: Overlaps,
    scratch: Scratch,
    /// Positions and mobilities of one part.
    local: (Vec<[f32; 2]>, Vec<f32>),
}

impl ForceLayout {
    /// A layout of `nodes` and `edges`. Nodes with a position in `start` (by node; none for new nodes) begin there; new
    /// ones begin beside their neighbours. Where at least half of the nodes are known, these stay exactly where they are
    /// and only the new ones move; nothing moves where all are known. Where most are new, known ones drift a little to make
    /// room. Without `start` everything is placed afresh.
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
        let known = start::known(nodes.len(), start);
        let parts = parts(nodes.len(), edges, &links, &known);
        let kept = known.iter().flatten().count();
        let held = if 2 * kept >= nodes.len() { 0.0 } else { KNOWN_MOBILITY };
        let mut layout = Self {
            config,
            distance,
            mobility: known.iter().map(|place| if place.is_some() { held } else { 1.0 }).collect(),
            pinned: vec![false; nodes.len()],
            positions: start::place(&parts, &known, &neighbours, distance, config.seed),
            radii,
            models: parts.iter().map(|part| Model::of(part, &config)).collect(),
            parts,
            phase: Phase::Settled,
            temperature: 0.0,
            cooling: 1.0,
            still: 0,
            overlaps: Overlaps::default(),
            scratch: Scratch::default(),
            local: Default::default(),
        };
        let moves = layout.packed(&layout.positions);
        layout.positions.iter_mut().zip(&moves).for_each(|(at, by)| *at = [at[0] + by[0], at[1] + by[1]]);
        if kept < nodes.len() {
            let (hot, steps) = if kept == 0 { (HOT, config.steps) } else { (WARM, layout.warm_steps()) };
            layout.heat(hot, steps);
        }
        layout
    }

    /// One step. Returns whether anything still moves.
    pub fn step(&mut self) -> bool {
        match std::mem::replace(&mut self.phase, Phase::Settled) {
            Phase::Forces { left: 0, .. } => self.start_packing(),
            Phase::Forces { left, of } => {
                let way = self.apply_forces();
                // From the middle of the way on, overlaps are removed gently.
                if 2 * left < of {
                    self.push_apart(true, 0.3);
                }
                self.temperature *= self.cooling;
                self.still = if way < STILL { self.still + 1 } else { 0 };
                let left = if self.still >= STILL_STEPS { 0 } else { left - 1 };
                self.phase = Phase::Forces { left, of };
            }
            Phase::Packing { left: 0, .. } => self.phase = Phase::Overlaps { left: SWEEPS },
            Phase::Packing { left, moves } => {
                // Smoothly: slow, fast, slow.
                let eased = |left: u32| {
                    let done = 1.0 - left as f32 / PACKING_STEPS as f32;
                    done * done * (3.0 - 2.0 * done)
                };
                let share = eased(left - 1) - eased(left);
                for (at, [x, y]) in self.positions.iter_mut().zip(&moves) {
                    *at = [at[0] + share * x, at[1] + share * y];
                }
                self.phase = Phase::Packing { left: left - 1, moves };
            }
            Phase::Overlaps { left: 0 } => {}
            Phase::Overlaps { left } => {
                if self.push_apart(false, 1.0) > 0.0 {
                    self.phase = Phase::Overlaps { left: left - 1 };
                }
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

    /// Hold `node` where it is, and let nothing else know.
    pub fn hold(&mut self, node: usize) {
        if let Some(pinned) = self.pinned.get_mut(node) {
            *pinned = true;
        }
    }

    /// Let `node` move again.
    pub fn unpin(&mut self, node: usize) {
        if self.is_pinned(node) {
            self.pinned[node] = false;
            self.disturb(node);
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

    /// Let `node` and those near it find a new place, and all others stay.
    pub fn disturb(&mut self, node: usize) {
        if node < self.positions.len() {
            self.loosen_around(node);
            self.reheat();
        }
    }

    /// Hold `node` at `position` while it is dragged: those near it follow gently, all others stay.
    pub fn drag(&mut self, node: usize, position: [f32; 2]) {
        if !self.is_sound(node, position) {
            return;
        }
        self.positions[node] = position;
        self.pinned[node] = true;
        self.loosen_around(node);
        self.temperature = 0.0;
        self.reheat_to(GENTLE);
    }

    /// Hold `node` at `position` while it is dragged through a layout that goes on.
    pub fn carry(&mut self, node: usize, position: [f32; 2]) {
        if self.is_sound(node, position) {
            self.positions[node] = position;
            self.pinned[node] = true;
            if self.is_settled() {
                self.temperature = 0.0;
                self.reheat_to(GENTLE);
            }
        }
    }

    /// Let all nodes that are not pinned move freely, from where they are: after the settings changed.
    pub fn loosen(&mut self) {
        self.mobility.fill(1.0);
        self.reheat();
    }

    /// Let the nodes move again for a while, gently.
    pub fn reheat(&mut self) {
        self.reheat_to(WARM);
    }

    fn reheat_to(&mut self, temperature: f32) {
        // Whoever disturbs a layout wants the rest to stay about where it is.
        self.parts.iter_mut().for_each(|part| part.free = false);
        let steps = self.warm_steps();
        let hot = self.temperature.max(temperature);
        self.heat(hot.min(HOT), steps);
    }

    fn is_sound(&self, node: usize, position: [f32; 2]) -> bool {
        node < self.positions.len() && position.iter().all(|at| at.abs() < 1e7)
    }

    fn put(&mut self, node: usize, position: [f32; 2]) -> bool {
        let sound = self.is_sound(node, position);
        if sound && (self.positions[node] != position || !self.pinned[node]) {
            self.positions[node] = position;
            self.disturb(node);
        }
        sound
    }

    fn loosen_around(&mut self, node: usize) {
        self.mobility.fill(0.0);
        let Some((part, at)) = self.parts.iter().find_map(|part| Some((part, part.nodes.binary_search(&node).ok()?)))
        else {
            return;
        };
        let mut reached = vec![false; part.nodes.len()];
        reached[at] = true;
        let mut near = vec![at];
        for (steps, mobility) in DRAG_MOBILITY.into_iter().enumerate() {
            if steps > 1 && near.len() > MOST_DRAGGED {
                return;
            }
            near.iter().for_each(|&at| self.mobility[part.nodes[at]] = mobility);
            let mut next = Vec::new();
            for &(other, _) in near.iter().flat_map(|&at| part.springs_of(at)) {
                if !std::mem::replace(&mut reached[other as usize], true) {
                    next.push(other as usize);
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
        self.temperature = temperature;
        self.cooling = (COLD / temperature).powf(1.0 / steps as f32).min(1.0);
        self.still = 0;
        self.phase = Phase::Forces { left: steps, of: steps };
    }

    /// Whether each node keeps its place, whatever its neighbours do.
    fn fixed(&self) -> Vec<bool> {
        self.pinned.iter().zip(&self.mobility).map(|(pinned, mobility)| *pinned || *mobility == 0.0).collect()
    }

    /// Push overlapping discs apart, only those of parts that spread freely or all; the largest overlap.
    fn push_apart(&mut self, open: bool, share: f32) -> f32 {
        let mut fixed = self.fixed();
        if open {
            let closed = self.parts.iter().filter(|part| !part.open);
            closed.flat_map(|part| &part.nodes).for_each(|&node| fixed[node] = true);
            if fixed.iter().all(|fixed| *fixed) {
                return 0.0;
            }
        }
        self.overlaps.sweep(&mut self.positions, &self.radii, &fixed, self.config.gap, share)
    }

    /// How far each node is from its packed place if the nodes lay at `positions`. Parts with known or pinned nodes stay.
    fn packed(&self, positions: &[[f32; 2]]) -> Vec<[f32; 2]> {
        let mut moves = vec![[0.0; 2]; positions.len()];
        let margin = 0.5 * self.config.gap + 0.2 * self.distance;
        let shape = |part: &Part| Shape {
            discs: part.nodes.iter().map(|&node| (positions[node], self.radii[node] + margin)).collect(),
            lines: part
                .springs
                .iter()
                .map(|&(from, to, _)| [from, to].map(|end| positions[part.nodes[end as usize]]))
                .collect(),
            fixed: !part.free || part.nodes.iter().any(|&node| self.pinned[node]),
        };
        let shapes: Vec<Shape> = self.parts.iter().map(shape).collect();
        if shapes.iter().all(|shape| shape.fixed) {
            return moves;
        }
        for (part, by) in self.parts.iter().zip(pack(&shapes, self.config.aspect)) {
            part.nodes.iter().for_each(|&node| moves[node] = by);
        }
        moves
    }

    fn start_packing(&mut self) {
        let mut scaled = self.positions.clone();
        for part in self.parts.iter().filter(|part| part.free && !part.open) {
            self.make_room(part, &mut scaled);
            self.part_hubs(part, &mut scaled);
        }
        let mut moves = self.packed(&scaled);
        for ((step, to), from) in moves.iter_mut().zip(&scaled).zip(&self.positions) {
            *step = [step[0] + to[0] - from[0], step[1] + to[1] - from[1]];
        }
        let still = moves.iter().all(|step| *step == [0.0; 2]);
        self.phase =
            if still { Phase::Overlaps { left: SWEEPS } } else { Phase::Packing { left: PACKING_STEPS, moves } };
    }

    /// Scale a part about its middle so that nearly all its discs have room.
    fn make_room(&self, part: &Part, positions: &mut [[f32; 2]]) {
        if part.nodes.iter().any(|&node| self.pinned[node]) {
            return;
        }
        let places: Vec<[f32; 2]> = part.nodes.iter().map(|&node| positions[node]).collect();
        let radii: Vec<f32> = part.nodes.iter().map(|&node| self.radii[node] + 0.5 * self.config.gap).collect();
        let scale = super::overlap::scale_for_room(&places, &radii);
        let count = places.len() as f32;
        let middle = [0, 1].map(|axis| places.iter().map(|place| place[axis]).sum::<f32>() / count);
        for &node in &part.nodes {
            positions[node] = [0, 1].map(|axis| middle[axis] + (positions[node][axis] - middle[axis]) * scale);
        }
    }

    /// Take the heaps of hubs in a large part apart: those that share their targets lie side by side, far nearer than nodes are
    /// on average, and a figure draws its discs by that.
    fn part_hubs(&self, part: &Part, positions: &mut [[f32; 2]]) {
        if part.nodes.iter().any(|&node| self.pinned[node]) {
            return;
        }
        let mut places: Vec<[f32; 2]> = part.nodes.iter().map(|&node| positions[node]).collect();
        let spacing = super::overlap::spacing(&places);
        let count = part.nodes.len() as f32;
        let mean = part.nodes.iter().map(|&node| self.radii[node]).sum::<f32>() / count;
        if !(mean > 0.0 && spacing.is_finite()) {
            return;
        }
        let room: Vec<f32> =
            part.nodes.iter().map(|&node| 0.5 * HUBS_APART * spacing * (self.radii[node] / mean).powi(2)).collect();
        let fixed = vec![false; places.len()];
        let mut overlaps = Overlaps::default();
        for _ in 0..HUB_SWEEPS {
            if overlaps.sweep(&mut places, &room, &fixed, 0.0, 0.8) < 0.02 * spacing {
                break;
            }
        }
        part.nodes.iter().zip(places).for_each(|(&node, place)| positions[node] = place);
    }

    /// Let the forces act once; the mean way of the nodes that may move, in wanted distances.
    fn apply_forces(&mut self) -> f64 {
        let (places, mobility) = &mut self.local;
        let (mut way, mut moving) = (0.0, 0_usize);
        for (part, model) in self.parts.iter().zip(&self.models).filter(|(part, _)| part.nodes.len() > 1) {
            places.clear();
            places.extend(part.nodes.iter().map(|&node| self.positions[node].map(|at| at / self.distance)));
            mobility.clear();
            mobility.extend(part.nodes.iter().map(|&node| if self.pinned[node] { 0.0 } else { self.mobility[node] }));
            let free = mobility.iter().filter(|mobility| **mobility > 0.0).count();
            if free == 0 {
                continue;
            }
            moving += free;
            way += model.step(part, places, mobility, self.temperature, &self.config, &mut self.scratch);
            for ((&node, place), mobility) in part.nodes.iter().zip(places.iter()).zip(mobility.iter()) {
                if *mobility > 0.0 {
                    self.positions[node] = place.map(|at| at * self.distance);
                }
            }
        }
        way / moving.max(1) as f64
    }
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
    fn neighbours_follow_a_dragged_node_gently_and_others_stay() {
        // Two rings of twelve, and a path from one to the other.
        let ring = |first: u32| (0..12).map(move |at| (first + at, first + (at + 1) % 12));
        let path = [(0, 24), (24, 25), (25, 26), (26, 12)];
        let edges = edges(&ring(0).chain(ring(12)).chain(path).collect::<Vec<_>>());
        let nodes = nodes(27);
        let mut layout = settled(&nodes, &edges);
        let start = layout.positions().to_vec();
        let mut largest = 0.0_f32;
        for step in 1..=60 {
            let before = layout.positions().to_vec();
            layout.drag(0, [start[0][0] + 4.0 * step as f32, start[0][1]]);
            layout.step();
            assert_eq!(layout.positions()[0], [start[0][0] + 4.0 * step as f32, start[0][1]]);
            let way = |(a, b): (&[f32; 2], &[f32; 2])| (a[0] - b[0]).hypot(a[1] - b[1]);
            largest = layout.positions()[1..].iter().zip(&before[1..]).map(way).fold(largest, f32::max);
        }
        assert!(largest < 12.0, "{largest} points in a step");
        layout.settle();
        let moved = |node: usize| {
            let (a, b) = (start[node], layout.positions()[node]);
            (a[0] - b[0]).hypot(a[1] - b[1])
        };
        assert!([1, 11, 24].into_iter().all(|node| moved(node) > 15.0), "{} {} {}", moved(1), moved(11), moved(24));
        assert!((3..10).chain(12..24).all(|node| moved(node) == 0.0), "three edges away all stay");
        // Carried through a layout that runs, it is where the pointer is.
        layout.loosen();
        layout.carry(5, [7.0, 8.0]);
        layout.settle();
        assert_eq!(layout.positions()[5], [7.0, 8.0]);
        layout.drag(99, [0.0; 2]);
        layout.carry(1, [f32::NAN, 0.0]);
        assert!(layout.is_settled());
    }

    #[test]
    fn known_nodes_stay_and_new_ones_join_their_neighbours() {
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
        assert_eq!(first.positions()[..14], second.positions()[..14], "what was known stays exactly where it was");
        assert!(distance(&second, 0, 14) < 150.0 && distance(&second, 13, 15) < 150.0);
        assert!(second.positions().iter().flatten().all(|at| at.is_finite()));
        // Where all are known there is nothing to do, until someone asks for it.
        let start: Vec<_> = second.positions().iter().map(|&place| Some(place)).collect();
        let mut third = ForceLayout::new(&nodes, &more, &LayoutConfig::default(), Some(&start));
        assert!(third.is_settled() && third.positions() == second.positions());
        third.loosen();
        assert!(third.step() && third.positions() != second.positions());
    }

    #[test]
    fn where_most_is_new_known_nodes_make_room_but_stay_near() {
        let (nodes, edges) = (nodes(17), cliques());
        let first = settled(&nodes, &edges);
        let start: Vec<_> = (0..17).map(|node| (node < 6).then(|| first.positions()[node])).collect();
        let mut second = ForceLayout::new(&nodes, &edges, &LayoutConfig::default(), Some(&start));
        second.settle();
        let moved = |node: usize| {
            let (a, b) = (first.positions()[node], second.positions()[node]);
            (a[0] - b[0]).hypot(a[1] - b[1])
        };
        assert!((0..6).map(moved).fold(0.0, f32::max) < 45.0);
    }

    /// Communities of eighty nodes, each node with four edges within and one to anywhere.
    fn many(count: u32) -> (Vec<LayoutNode>, Vec<LayoutEdge>) {
        use rand::RngExt;
        let mut rng = crate::random::stream(5, "test");
        let mut pairs = Vec::new();
        for node in 0..count {
            pairs.extend((0..4).map(|_| (node, node / 80 * 80 + (rng.random::<f32>() * 80.0) as u32)));
            pairs.push((node, (rng.random::<f32>() * count as f32) as u32));
        }
        (nodes(count as usize), edges(&pairs))
    }

    #[test]
    fn every_number_of_threads_gives_the_same_bits() {
        let (nodes, edges) = many(800);
        let config = LayoutConfig { steps: 10, ..LayoutConfig::default() };
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut layout = ForceLayout::new(&nodes, &edges, &config, None);
                layout.settle();
                layout.positions().iter().map(|at| at.map(f32::to_bits)).collect::<Vec<_>>()
            })
        };
        let one = with(1);
        assert_eq!(one, with(2));
        assert_eq!(one, with(7));
    }

    #[test]
    fn a_large_layout_keeps_neighbours_together_and_discs_apart() {
        let (nodes, edges) = many(400);
        let layout = settled(&nodes, &edges);
        let kept = crate::layout::quality::neighbourhood_preservation(layout.positions(), &edges).unwrap();
        // At random it would be about 0.02.
        assert!(kept > 0.3, "{kept}");
        let stress = crate::layout::quality::stress(layout.positions(), &edges, 50).unwrap();
        assert!(stress < 0.25, "{stress}");
        let touching = (0..400).filter(|&a| (0..400).any(|b| a != b && distance(&layout, a, b) < 16.0)).count();
        assert_eq!(touching, 0, "discs that overlap another");
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
