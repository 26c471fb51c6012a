//! The connected parts of a graph, each with its springs.

use crate::layout::LayoutEdge;
use crate::layout::components::components;

/// Parts of at most so many nodes spread out freely; larger ones are held together neighbour by neighbour. See
/// [`Model`](super::model::Model).
const FEW: usize = 200;

/// Nodes connected with each other.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Rising.
    pub nodes: Vec<usize>,
    /// Ends of all springs, by their positions in `nodes`, with the spring's strength.
    pub springs: Vec<(u32, u32, f32)>,
    /// The springs of node i are `ends[starts[i]..starts[i + 1]]`: other end and strength.
    pub starts: Vec<u32>,
    pub ends: Vec<(u32, f32)>,
    /// It spreads out freely: few nodes.
    pub open: bool,
    /// All its nodes are new: it may be put anywhere.
    pub free: bool,
}

/// The parts. A spring is as strong as its edge's weight relative to the mean, within bounds: probabilities from different
/// models differ in scale.
pub(super) fn parts(
    nodes: usize,
    edges: &[LayoutEdge],
    links: &[(usize, usize)],
    known: &[Option<[f32; 2]>],
) -> Vec<Part> {
    let mut parts: Vec<Part> = components(nodes, links)
        .into_iter()
        .map(|nodes| Part {
            free: nodes.iter().all(|&node| known[node].is_none()),
            open: nodes.len() <= FEW,
            starts: vec![0; nodes.len() + 1],
            nodes,
            springs: Vec::new(),
            ends: Vec::new(),
        })
        .collect();
    let (mut part_of, mut index) = (vec![0; nodes], vec![0_u32; nodes]);
    for (at, part) in parts.iter().enumerate() {
        for (place, &node) in part.nodes.iter().enumerate() {
            (part_of[node], index[node]) = (at, place as u32);
        }
    }
    let usable = |edge: &&LayoutEdge| edge.weight.is_finite() && edge.weight > 0.0;
    let weights: Vec<f32> = edges.iter().filter(usable).map(|edge| edge.weight).collect();
    let mean = (weights.iter().sum::<f32>() / weights.len().max(1) as f32).max(f32::MIN_POSITIVE);
    for edge in edges {
        let (from, to) = (edge.from as usize, edge.to as usize);
        if from != to && from < nodes && to < nodes {
            let strength = if usable(&edge) { (edge.weight / mean).clamp(0.3, 3.0) } else { 0.3 };
            parts[part_of[from]].springs.push((index[from], index[to], strength));
        }
    }
    parts.iter_mut().for_each(Part::join);
    parts
}

impl Part {
    /// Find the springs of every node.
    fn join(&mut self) {
        for &(from, to, _) in &self.springs {
            self.starts[from as usize + 1] += 1;
            self.starts[to as usize + 1] += 1;
        }
        for at in 1..self.starts.len() {
            self.starts[at] += self.starts[at - 1];
        }
        let mut free = self.starts.clone();
        self.ends = vec![(0, 0.0); 2 * self.springs.len()];
        for &(from, to, strength) in &self.springs {
            for (at, other) in [(from, to), (to, from)] {
                self.ends[free[at as usize] as usize] = (other, strength);
                free[at as usize] += 1;
            }
        }
    }

    /// The springs of the node at `at`: other end and strength.
    pub fn springs_of(&self, at: usize) -> &[(u32, f32)] {
        &self.ends[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}
