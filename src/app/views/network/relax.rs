//! The layout as a job.

use crate::jobs::{Cancelled, JobContext, Progress as _};
use crate::layout::{ForceLayout, LayoutConfig, LayoutEdge, LayoutNode};

/// What is laid out.
pub struct LayoutInput {
    /// One disc per node.
    pub nodes: Vec<LayoutNode>,
    /// Regulator, target and weight.
    pub edges: Vec<LayoutEdge>,
    /// Where nodes lie; none for new ones.
    pub start: Vec<Option<[f32; 2]>>,
    /// Nodes that must stay.
    pub pinned: Vec<bool>,
}

/// Lay out `input`; nodes that have a position start from it and move little.
pub fn relax(input: &LayoutInput, context: &JobContext<(), Vec<[f32; 2]>>) -> Result<Vec<[f32; 2]>, Cancelled> {
    let fresh = input.start.iter().all(Option::is_none);
    let start = (!fresh).then_some(input.start.as_slice());
    let mut layout = ForceLayout::new(&input.nodes, &input.edges, &LayoutConfig::default(), start);
    for (node, start) in input.start.iter().enumerate() {
        if let (true, Some(position)) = (input.pinned[node], start) {
            layout.pin(node, *position);
        }
    }
    while layout.step() {
        context.check()?;
        context.preview(layout.positions().to_vec());
    }
    Ok(layout.positions().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{Job, Outcome};

    fn input(start: Vec<Option<[f32; 2]>>, pinned: Vec<bool>) -> LayoutInput {
        let edge = |from, to| LayoutEdge { from, to, weight: 0.5 };
        LayoutInput {
            nodes: vec![LayoutNode { radius: 8.0 }; start.len()],
            edges: vec![edge(0, 1), edge(1, 2), edge(0, 3)],
            start,
            pinned,
        }
    }

    fn run(input: LayoutInput) -> Vec<[f32; 2]> {
        match Job::spawn("layout", || {}, move |context| relax(&input, context)).wait() {
            Outcome::Finished(positions) => positions,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_same_input_gives_the_same_picture() {
        let fresh = || run(input(vec![None; 4], vec![false; 4]));
        assert_eq!(fresh(), fresh());
    }

    #[test]
    fn pinned_nodes_stay() {
        let start = vec![Some([500.0, -40.0]), Some([0.0, 0.0]), None, None];
        assert_eq!(run(input(start, vec![true, false, false, false]))[0], [500.0, -40.0]);
    }
}
