//! The forces on the nodes of one part. Lengths here are in the wanted distance of neighbours.
//!
//! A part of few nodes spreads out freely: nodes repel with 1/x, springs pull with x² (Fruchterman and Reingold 1991), hubs
//! need room. In a large one such forces end in a ball of wool: what is far decides where a node lies. There, nodes repel
//! with x/(1 + x²)², which hardly reaches beyond the neighbours, and springs pull with x/(1 + x²) + 0.1 x: strongly where
//! they may succeed, weakly where they cannot (the t-distribution's force, Zhong, Xue, Zhang, Zhang, Ban, Deussen and Wang
//! 2023, doi:10.1109/TVCG.2023.3238821). The whole shape is that of the first placement.

use rayon::prelude::*;

use super::parts::Part;
use super::tree::{Acting, GROUP, Tree};
use crate::layout::LayoutConfig;

/// Gravity towards the middle of a part, per unit of the setting.
const GRAVITY: f32 = 2.5;
const COMPACT_GRAVITY: f32 = 0.004;
/// How strongly springs pull from afar where neighbours count.
const FAR: f32 = 0.1;
/// How far repulsion reaches there: a share of 1/x.
const LONG: f32 = 0.01;
/// Nodes nearer than this repel no more strongly.
const NEAR: f32 = 0.01;
/// Parts of more nodes are worked on by several threads.
const PARALLEL: usize = 600;

/// What does not change while a part is laid out.
#[derive(Clone, Debug)]
pub(super) struct Model {
    mass: Vec<f32>,
    /// How far a node goes per force: stiffly held nodes would swing otherwise.
    rate: Vec<f32>,
}

/// Memory that is used again in every step.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    tree: Tree,
    moves: Vec<[f32; 2]>,
}

impl Model {
    pub fn of(part: &Part, config: &LayoutConfig) -> Self {
        let springs = |at: usize| part.springs_of(at);
        let pulls = |at: usize| config.spring * springs(at).iter().map(|spring| spring.1).sum::<f32>();
        let nodes = 0..part.nodes.len();
        if part.open {
            // Hubs need room around them.
            let mass = |at: usize| 1.0 + 0.25 * (springs(at).len() as f32).sqrt();
            Self { mass: nodes.clone().map(mass).collect(), rate: nodes.map(|at| 1.0 / (1.0 + pulls(at))).collect() }
        } else {
            let rate = |at: usize| 1.0 / (1.0 + (1.0 + FAR) * pulls(at));
            Self { mass: vec![1.0; part.nodes.len()], rate: nodes.map(rate).collect() }
        }
    }

    /// Move the nodes of `part` one step, none farther than `temperature` times its mobility. Returns the sum of all ways.
    ///
    /// The same positions give the same steps to the last bit, whatever the number of threads: each node's forces are
    /// summed by one thread, in an order that depends on the positions only.
    pub fn step(
        &self,
        part: &Part,
        positions: &mut [[f32; 2]],
        mobility: &[f32],
        temperature: f32,
        config: &LayoutConfig,
        scratch: &mut Scratch,
    ) -> f64 {
        let Scratch { tree, moves } = scratch;
        tree.build(positions, &self.mass);
        moves.clear();
        moves.resize(positions.len(), [0.0; 2]);
        let step = Step { model: self, part, positions, mobility, temperature, config, tree };
        if positions.len() > PARALLEL {
            let groups = moves.par_chunks_mut(GROUP).enumerate().with_min_len(4);
            groups.for_each_init(Acting::default, |acting, (group, out)| step.group(group * GROUP, out, acting));
        } else {
            let mut acting = Acting::default();
            let groups = moves.chunks_mut(GROUP).enumerate();
            groups.for_each(|(group, out)| step.group(group * GROUP, out, &mut acting));
        }
        let mut way = 0.0;
        for (&body, [x, y]) in tree.order().iter().zip(moves) {
            let position = &mut positions[body as usize];
            *position = [position[0] + *x, position[1] + *y];
            way += f64::from(x.hypot(*y));
        }
        way
    }
}

struct Step<'a> {
    model: &'a Model,
    part: &'a Part,
    positions: &'a [[f32; 2]],
    mobility: &'a [f32],
    temperature: f32,
    config: &'a LayoutConfig,
    tree: &'a Tree,
}

impl Step<'_> {
    /// The moves of a group of bodies along the curve.
    fn group(&self, first: usize, out: &mut [[f32; 2]], acting: &mut Acting) {
        let bodies = &self.tree.order()[first..first + out.len()];
        if bodies.iter().all(|&body| self.mobility[body as usize] == 0.0) {
            return;
        }
        self.tree.acting(first, first + out.len(), self.config.opening, acting);
        for (&body, out) in bodies.iter().zip(out) {
            let at = body as usize;
            if self.mobility[at] > 0.0 {
                let force = self.force(at, acting);
                let length = force[0].hypot(force[1]);
                if length > 1e-9 && length.is_finite() {
                    let step = (length * self.model.rate[at]).min(self.temperature) * self.mobility[at] / length;
                    *out = force.map(|force| force * step);
                }
            }
        }
    }

    fn force(&self, at: usize, acting: &Acting) -> [f32; 2] {
        let (here, mass) = (self.positions[at], self.model.mass[at]);
        let open = self.part.open;
        let push = if open {
            acting.sum(here, |squared| 1.0 / squared.max(NEAR * NEAR))
        } else {
            acting.sum(here, |squared| {
                let near = 1.0 / (1.0 + squared);
                near * (near + LONG)
            })
        };
        let mut force = push.map(|push| self.config.repulsion * mass * push);
        for &(other, strength) in self.part.springs_of(at) {
            let there = self.positions[other as usize];
            let (x, y) = (there[0] - here[0], there[1] - here[1]);
            let squared = x * x + y * y;
            let pull = if open { squared.sqrt() } else { FAR + 1.0 / (1.0 + squared) };
            let pull = self.config.spring * strength * pull;
            force = [force[0] + pull * x, force[1] + pull * y];
        }
        // Gravity towards the middle, stronger along the axis that is to be short.
        let middle = self.tree.middle();
        let gravity = self.config.gravity * mass * if open { GRAVITY } else { COMPACT_GRAVITY };
        let lean = self.config.aspect.sqrt();
        [force[0] - gravity * (here[0] - middle[0]) / lean, force[1] - gravity * (here[1] - middle[1]) * lean]
    }
}
