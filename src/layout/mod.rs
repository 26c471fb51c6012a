//! Where nodes are drawn: force-directed and other layouts in plain coordinates, seeded, knowing nothing of genes or
//! windows. [`quality`] says how good a layout is.
//!
//! Lengths are in one unit throughout (points, at zoom 1), y goes down. Nodes are discs, named by their position in the
//! slice handed in. The same input and seed give the same positions.

mod circular;
mod community;
mod components;
mod concentric;
mod disc;
mod force;
mod layered;
mod overlap;
mod pack;
pub mod quality;

use serde::{Deserialize, Serialize};

pub use circular::circular;
pub use community::by_community;
pub use concentric::concentric;
pub use force::ForceLayout;
pub use layered::layered;

/// A way to lay out a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// By forces between nodes: [`ForceLayout`].
    #[default]
    Force,
    /// Regulators above their targets: [`layered`].
    Layered,
    /// All on a circle: [`circular`].
    Circular,
    /// Communities apart from each other: [`by_community`].
    Communities,
    /// Rings around one gene: [`concentric`].
    Concentric,
}

impl Method {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Force, Self::Layered, Self::Circular, Self::Communities, Self::Concentric];
}

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
    /// How strongly the nodes of a component are drawn to its middle; 1 as usual, 0 not at all.
    pub gravity: f32,
    /// How strongly nodes push each other away; 1 as usual.
    pub repulsion: f32,
    /// How strongly edges pull; 1 as usual.
    pub spring: f32,
    /// Barnes–Hut: a group of nodes that looks smaller than this (size over distance) acts as one.
    pub opening: f32,
    /// Steps until a fresh layout has cooled down.
    pub steps: u32,
}

impl Default for LayoutConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            spacing: 42.0,
            gap: 6.0,
            aspect: 4.0 / 3.0,
            gravity: 1.0,
            repulsion: 1.0,
            spring: 1.0,
            opening: 0.8,
            steps: 300,
        }
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
            repulsion: keep(self.repulsion, 0.01, 100.0, default.repulsion),
            spring: keep(self.spring, 0.01, 100.0, default.spring),
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
