//! Where nodes are drawn: force-directed and other layouts in plain coordinates, seeded, knowing nothing of genes or
//! windows.
//!
//! Lengths are in one unit throughout (points, at zoom 1), y goes down. Nodes are discs, named by their position in the
//! slice handed in. The same input and seed give the same positions.

mod circular;
mod components;
mod force;
mod layered;
mod overlap;
mod pack;
mod pivot;
mod quadtree;

use serde::{Deserialize, Serialize};

pub use circular::circular;
pub use force::ForceLayout;
pub use layered::layered;

/// A node: a disc.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayoutNode {
    /// Radius of the disc; what is drawn around it (a label) may be counted in.
    pub radius: f32,
}

/// An edge. Self-edges and edges that name no node are passed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayoutEdge {
    /// The regulator.
    pub from: u32,
    /// The target.
    pub to: u32,
    /// How strongly it pulls relative to the others (its probability).
    pub weight: f32,
}

/// Settings of all layouts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LayoutConfig {
    /// Seed of the start positions.
    pub seed: u64,
    /// Free space wanted between the discs of connected nodes.
    pub spacing: f32,
    /// Free space kept between any two discs.
    pub gap: f32,
    /// Width over height of the area to fill.
    pub aspect: f32,
    /// How strongly the nodes of a component are drawn to its middle.
    pub gravity: f32,
    /// Barnes–Hut: a group of nodes that looks smaller than this (size over distance) acts as one.
    pub opening: f32,
    /// Steps until a fresh layout has cooled down.
    pub steps: u32,
}

impl Default for LayoutConfig {
    fn default() -> Self {
        Self { seed: 1, spacing: 42.0, gap: 6.0, aspect: 4.0 / 3.0, gravity: 2.5, opening: 0.8, steps: 300 }
    }
}

impl LayoutConfig {
    /// Settings that no calculation can stumble over: what is not a number or out of range becomes the default.
    fn sane(&self) -> Self {
        let default = Self::default();
        let keep = |value: f32, least: f32, most: f32, instead: f32| {
            if (least..=most).contains(&value) { value } else { instead }
        };
        Self {
            seed: self.seed,
            spacing: keep(self.spacing, 1e-3, 1e6, default.spacing),
            gap: keep(self.gap, 0.0, 1e6, default.gap),
            aspect: keep(self.aspect, 0.05, 20.0, default.aspect),
            gravity: keep(self.gravity, 0.0, 10.0, default.gravity),
            opening: keep(self.opening, 0.0, 2.0, default.opening),
            steps: self.steps.clamp(1, 100_000),
        }
    }
}

/// Radii that are numbers and not negative.
fn radii(nodes: &[LayoutNode]) -> Vec<f32> {
    nodes.iter().map(|node| if node.radius.is_finite() { node.radius.max(0.0) } else { 0.0 }).collect()
}

/// Edges that connect two different nodes, by position.
fn links(nodes: usize, edges: &[LayoutEdge]) -> Vec<(usize, usize)> {
    let ends = edges.iter().map(|edge| (edge.from as usize, edge.to as usize));
    ends.filter(|&(from, to)| from != to && from < nodes && to < nodes).collect()
}
