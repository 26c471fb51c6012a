//! Regulators above, targets below (after Sugiyama, Tagawa and Toda 1981).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::components::Neighbours;
use super::{LayoutConfig, LayoutEdge, LayoutNode, links, radii};

/// Sweeps down and up that order the nodes of each layer by the middle of their neighbours.
const SWEEPS: usize = 12;

/// Positions in layers around 0: a node lies below its regulators, except where edges form a cycle (then the weaker of
/// them point up). Layers that are too wide for the area wanted are broken into several rows; nodes without an edge come
/// last.
pub fn layered(nodes: &[LayoutNode], edges: &[LayoutEdge], config: &LayoutConfig) -> Vec<[f32; 2]> {
    let config = config.sane();
    let radii = radii(nodes);
    let links = links(nodes.len(), edges);
    let neighbours = Neighbours::new(nodes.len(), &links);
    let mut layers = layers(nodes.len(), edges);
    let lonely: Vec<usize> = (0..nodes.len()).filter(|&node| neighbours.of(node).is_empty()).collect();
    layers.iter_mut().for_each(|layer| layer.retain(|&node| !neighbours.of(node).is_empty()));
    layers.retain(|layer| !layer.is_empty());

    order(&mut layers, &neighbours, nodes.len());
    if !lonely.is_empty() {
        layers.push(lonely);
    }
    // Rows short enough for the area: with n nodes in all, √(n · aspect · row height / node width) in one.
    let widest = radii.iter().copied().fold(0.0, f32::max);
    let mean = radii.iter().sum::<f32>() / radii.len().max(1) as f32;
    let across = 2.0 * mean + config.gap + 0.35 * config.spacing;
    let down = 2.0 * widest + config.gap + 0.8 * config.spacing;
    let longest = ((nodes.len() as f32 * config.aspect * down / across).sqrt().ceil() as usize).max(4);
    let mut rows: Vec<Vec<usize>> = Vec::new();
    for layer in &layers {
        let pieces = layer.len().div_ceil(longest);
        // Neighbours in the layer go to neighbouring places: dealt out in turn, so that a row spans the whole width.
        rows.extend((0..pieces).map(|piece| layer.iter().copied().skip(piece).step_by(pieces).collect()));
    }
    let mut positions = vec![[0.0; 2]; nodes.len()];
    let width = |row: &Vec<usize>| row.iter().map(|&node| 2.0 * radii[node] + across - 2.0 * mean).sum::<f32>();
    let full = rows.iter().map(width).fold(0.0, f32::max);
    let height = down * rows.len() as f32;
    let wide = (height * config.aspect).clamp(full, 2.0 * full);
    let top = -0.5 * down * rows.len().saturating_sub(1) as f32;
    for (at, row) in rows.iter().enumerate() {
        // Rows that are nearly full spread over the whole width, short ones stay together in the middle.
        let stretch = (wide / width(row).max(1e-6)).min(2.5);
        let mut x = -0.5 * width(row) * stretch;
        for &node in row {
            let room = (2.0 * radii[node] + across - 2.0 * mean) * stretch;
            positions[node] = [x + 0.5 * room, top + at as f32 * down];
            x += room;
        }
    }
    positions
}

/// Layers from above: each node one below the lowest of its regulators (longest path), cycles broken.
fn layers(nodes: usize, edges: &[LayoutEdge]) -> Vec<Vec<usize>> {
    let place = sequence(nodes, edges);
    let mut forward: Vec<(usize, usize)> =
        links(nodes, edges).into_iter().filter(|&(from, to)| place[from] < place[to]).collect();
    forward.sort_by_key(|&(from, to)| (place[from], place[to]));
    let mut level = vec![0usize; nodes];
    for &(from, to) in &forward {
        level[to] = level[to].max(level[from] + 1);
    }
    // A node that nothing regulates comes down to just above its highest target.
    let mut regulated = vec![false; nodes];
    let mut highest = vec![usize::MAX; nodes];
    for &(from, to) in &forward {
        regulated[to] = true;
        highest[from] = highest[from].min(level[to]);
    }
    for node in (0..nodes).filter(|&node| !regulated[node] && highest[node] != usize::MAX) {
        level[node] = highest[node] - 1;
    }
    let mut layers = vec![Vec::new(); level.iter().max().map_or(0, |last| last + 1)];
    level.iter().enumerate().for_each(|(node, &level)| layers[level].push(node));
    layers
}

/// The place of each node in an order in which little weight points backwards (Eades, Lin and Smyth 1993): sinks to the
/// end, sources to the front, else the node that gives most more than it takes.
fn sequence(nodes: usize, edges: &[LayoutEdge]) -> Vec<usize> {
    let mut out = vec![Vec::new(); nodes];
    let mut into = vec![Vec::new(); nodes];
    let (mut gives, mut takes) = (vec![0.0f64; nodes], vec![0.0f64; nodes]);
    let (mut targets, mut regulators) = (vec![0usize; nodes], vec![0usize; nodes]);
    for edge in edges {
        let (from, to) = (edge.from as usize, edge.to as usize);
        if from == to || from >= nodes || to >= nodes {
            continue;
        }
        let weight = if edge.weight.is_finite() { f64::from(edge.weight.max(0.0)) } else { 0.0 };
        out[from].push((to, weight));
        into[to].push((from, weight));
        gives[from] += weight;
        takes[to] += weight;
        targets[from] += 1;
        regulators[to] += 1;
    }
    // Who waits: those with no targets left, those with no regulators left, and all by what they give beyond what they
    // take (a number that falls and rises; of equal ones the first comes last in the set).
    let surplus = |gives: &[f64], takes: &[f64], node: usize| Surplus(gives[node] - takes[node], node);
    let mut sinks: BTreeSet<usize> = (0..nodes).filter(|&node| targets[node] == 0).collect();
    let mut sources: BTreeSet<usize> = (0..nodes).filter(|&node| regulators[node] == 0).collect();
    let mut givers: BTreeSet<Surplus> = (0..nodes).map(|node| surplus(&gives, &takes, node)).collect();
    let mut left = vec![true; nodes];
    let (mut front, mut back) = (Vec::new(), Vec::new());
    while let Some(&Surplus(_, giver)) = givers.last() {
        let (node, to_front) = match (sinks.first(), sources.first()) {
            (Some(&sink), _) => (sink, false),
            (None, Some(&source)) => (source, true),
            (None, None) => (giver, true),
        };
        left[node] = false;
        sinks.remove(&node);
        sources.remove(&node);
        givers.remove(&surplus(&gives, &takes, node));
        if to_front {
            front.push(node)
        } else {
            back.push(node)
        }
        for &(target, weight) in out[node].iter().filter(|(target, _)| left[*target]) {
            givers.remove(&surplus(&gives, &takes, target));
            takes[target] -= weight;
            givers.insert(surplus(&gives, &takes, target));
            regulators[target] -= 1;
            if regulators[target] == 0 {
                sources.insert(target);
            }
        }
        for &(regulator, weight) in into[node].iter().filter(|(regulator, _)| left[*regulator]) {
            givers.remove(&surplus(&gives, &takes, regulator));
            gives[regulator] -= weight;
            givers.insert(surplus(&gives, &takes, regulator));
            targets[regulator] -= 1;
            if targets[regulator] == 0 {
                sinks.insert(regulator);
            }
        }
    }
    let mut place = vec![0; nodes];
    front.into_iter().chain(back.into_iter().rev()).enumerate().for_each(|(at, node)| place[node] = at);
    place
}

/// What a node gives beyond what it takes; of equal ones the first is the greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Surplus(f64, usize);

impl Eq for Surplus {}

impl Ord for Surplus {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(other.1.cmp(&self.1))
    }
}

impl PartialOrd for Surplus {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Order the nodes within the layers so that neighbours lie above each other: going down and up, each node moves to the
/// mean place of its neighbours in the layers already passed.
fn order(layers: &mut [Vec<usize>], neighbours: &Neighbours, nodes: usize) {
    let mut level = vec![usize::MAX; nodes];
    let mut place = vec![0.5f32; nodes];
    let settle = |layer: &[usize], place: &mut Vec<f32>| {
        layer.iter().enumerate().for_each(|(at, &node)| place[node] = (at as f32 + 0.5) / layer.len() as f32);
    };
    for (at, layer) in layers.iter().enumerate() {
        layer.iter().for_each(|&node| level[node] = at);
        settle(layer, &mut place);
    }
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        for step in 0..layers.len() {
            let at = if down { step } else { layers.len() - 1 - step };
            let key = |node: usize| {
                let passed = neighbours.of(node).iter().filter(|&&other| {
                    if down { level[other] < at } else { level[other] > at && level[other] != usize::MAX }
                });
                let (sum, count) = passed.fold((0.0, 0), |(sum, count), &other| (sum + place[other], count + 1));
                if count == 0 { place[node] } else { sum / count as f32 }
            };
            let mut keyed: Vec<(f32, usize)> = layers[at].iter().map(|&node| (key(node), node)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            layers[at] = keyed.into_iter().map(|(_, node)| node).collect();
            settle(&layers[at], &mut place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: u32, to: u32, weight: f32) -> LayoutEdge {
        LayoutEdge { from, to, weight }
    }

    fn place(count: usize, edges: &[LayoutEdge]) -> Vec<[f32; 2]> {
        layered(&vec![LayoutNode { radius: 8.0 }; count], edges, &LayoutConfig::default())
    }

    #[test]
    fn targets_lie_below_their_regulators() {
        let edges = [edge(0, 1, 0.5), edge(1, 2, 0.5), edge(0, 2, 0.5), edge(3, 2, 0.5), edge(1, 4, 0.5)];
        let positions = place(6, &edges);
        for edge in &edges {
            assert!(positions[edge.from as usize][1] < positions[edge.to as usize][1], "{edge:?}");
        }
        let lowest = positions.iter().map(|at| at[1]).fold(f32::MIN, f32::max);
        assert_eq!(positions[5][1], lowest);
    }

    #[test]
    fn the_weakest_edge_of_a_cycle_points_up() {
        let positions = place(3, &[edge(0, 1, 0.9), edge(1, 2, 0.8), edge(2, 0, 0.1)]);
        assert!(positions[0][1] < positions[1][1] && positions[1][1] < positions[2][1]);
    }

    #[test]
    fn edges_that_need_not_cross_do_not() {
        // Three hubs with four targets each, named in turn.
        let edges: Vec<_> = (0..12).map(|at| edge(at % 3, 3 + at, 0.5)).collect();
        let nodes = vec![LayoutNode { radius: 2.0 }; 15];
        let wide = LayoutConfig { aspect: 20.0, ..LayoutConfig::default() };
        let positions = layered(&nodes, &edges, &wide);
        for a in &edges {
            for b in &edges {
                let at = |node: u32| positions[node as usize][0];
                let crosses = (at(a.from) - at(b.from)) * (at(a.to) - at(b.to)) < 0.0;
                assert!(!crosses, "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn wide_layers_are_broken_and_nothing_overlaps() {
        let edges: Vec<_> = (1..120).map(|to| edge(0, to, 0.5)).collect();
        let positions = place(122, &edges);
        let span = |axis: usize| {
            let values = positions.iter().map(|at| at[axis]);
            values.clone().fold(f32::MIN, f32::max) - values.fold(f32::MAX, f32::min)
        };
        assert!((0.7..2.5).contains(&(span(0) / span(1))), "{} × {}", span(0), span(1));
        for a in 0..122 {
            for b in a + 1..122 {
                let (p, q) = (positions[a], positions[b]);
                assert!((p[0] - q[0]).hypot(p[1] - q[1]) > 16.0, "{a} and {b}");
            }
        }
        assert!(place(0, &[]).is_empty());
        assert_eq!(place(1, &[edge(0, 0, 1.0)]), [[0.0, 0.0]]);
    }
}
