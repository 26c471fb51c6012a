//! Communities apart from each other: each is laid out by itself, then all as discs.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::components::components;
use super::disc::spread;
use super::pack::{Shape, pack};
use super::{ForceLayout, LayoutConfig, LayoutEdge, LayoutNode, radii};
use crate::jobs::{Cancelled, Progress};

/// Free space between two communities, in wanted distances of neighbours.
const MOAT: f32 = 1.0;

/// Communities of more genes are spread over a disc: forces leave them dense where the hubs are, and thin at the rim.
const CROWD: usize = 200;

/// A community laid out by itself.
struct Cluster {
    nodes: Vec<usize>,
    /// Relative to its middle.
    places: Vec<[f32; 2]>,
    radius: f32,
}

/// Positions in which the nodes of a community lie together and no two communities meet. `community` has the number of
/// each node's community; nodes beyond its end form one of their own. Communities that share many edges lie near each
/// other, each turned so that its bridges are short.
///
/// # Errors
/// When cancelled.
pub fn by_community(
    nodes: &[LayoutNode],
    edges: &[LayoutEdge],
    community: &[u32],
    config: &LayoutConfig,
    progress: &dyn Progress,
) -> Result<Vec<[f32; 2]>, Cancelled> {
    let mut members: BTreeMap<Option<u32>, Vec<usize>> = BTreeMap::new();
    for node in 0..nodes.len() {
        // Those without a community come last.
        let number = community.get(node).map(|number| u32::MAX - number);
        members.entry(number).or_default().push(node);
    }
    let groups: Vec<Vec<usize>> = members.into_values().rev().collect();
    let (mut group_of, mut index) = (vec![0_usize; nodes.len()], vec![0_u32; nodes.len()]);
    for (group, members) in groups.iter().enumerate() {
        for (place, &node) in members.iter().enumerate() {
            (group_of[node], index[node]) = (group, place as u32);
        }
    }
    let mut inside: Vec<Vec<LayoutEdge>> = vec![Vec::new(); groups.len()];
    let mut between: BTreeMap<(u32, u32), f32> = BTreeMap::new();
    let mut bridges: Vec<(usize, usize)> = Vec::new();
    for edge in edges {
        let (from, to) = (edge.from as usize, edge.to as usize);
        if from == to || from >= nodes.len() || to >= nodes.len() {
            continue;
        }
        let (a, b) = (group_of[from], group_of[to]);
        if a == b {
            inside[a].push(LayoutEdge { from: index[from], to: index[to], weight: edge.weight });
        } else {
            let weight = if edge.weight.is_finite() { edge.weight.max(0.0) } else { 0.0 };
            *between.entry((a.min(b) as u32, a.max(b) as u32)).or_default() += weight;
            bridges.push((from, to));
        }
    }
    let square = LayoutConfig { aspect: 1.0, ..*config };
    let clusters: Vec<Cluster> = groups
        .into_par_iter()
        .zip(inside)
        .map(|(members, edges)| cluster(members, nodes, &edges, &square, progress))
        .collect::<Result<_, _>>()?;

    // The communities as discs; edges between large ones are many by their size alone.
    let mean = nodes.iter().map(|node| node.radius).filter(|radius| radius.is_finite()).sum::<f32>();
    let moat = MOAT * (config.sane().spacing + 2.0 * mean / nodes.len().max(1) as f32);
    let discs: Vec<LayoutNode> =
        clusters.iter().map(|cluster| LayoutNode { radius: cluster.radius + 0.5 * moat }).collect();
    let size = |group: u32| clusters[group as usize].nodes.len() as f32;
    let pulls: Vec<LayoutEdge> = between
        .into_iter()
        .map(|((from, to), weight)| LayoutEdge { from, to, weight: weight / (size(from) * size(to)).sqrt() })
        .collect();
    let mut layout = ForceLayout::new(&discs, &pulls, &LayoutConfig { spacing: moat, ..*config }, None);
    while layout.step() {
        progress.check()?;
    }
    let centres = closer(&clusters, &pulls, layout.positions(), moat, config.sane().aspect);

    let turns = turns(&clusters, &centres, &group_of, &index, &bridges);
    let mut positions = vec![[0.0; 2]; nodes.len()];
    for ((cluster, centre), (cosine, sine)) in clusters.iter().zip(&centres).zip(turns) {
        for (&node, [x, y]) in cluster.nodes.iter().zip(&cluster.places) {
            positions[node] = [centre[0] + x * cosine - y * sine, centre[1] + x * sine + y * cosine];
        }
    }
    Ok(positions)
}

/// Communities that no edges connect, placed anew as near to each other as the moat allows: the forces between communities
/// keep these apart by the size of the largest.
fn closer(clusters: &[Cluster], pulls: &[LayoutEdge], centres: &[[f32; 2]], moat: f32, aspect: f32) -> Vec<[f32; 2]> {
    let links: Vec<(usize, usize)> = pulls.iter().map(|pull| (pull.from as usize, pull.to as usize)).collect();
    let parts = components(clusters.len(), &links);
    let mut placed = centres.to_vec();
    if parts.len() < 2 {
        return placed;
    }
    let mut part_of = vec![0; clusters.len()];
    for (number, part) in parts.iter().enumerate() {
        part.iter().for_each(|&cluster| part_of[cluster] = number);
    }
    let mut shapes: Vec<Shape> = parts
        .iter()
        .map(|part| Shape {
            discs: part.iter().map(|&at| (centres[at], clusters[at].radius + 0.5 * moat)).collect(),
            lines: Vec::new(),
            fixed: false,
        })
        .collect();
    for &(from, to) in &links {
        shapes[part_of[from]].lines.push([centres[from], centres[to]]);
    }
    for (part, by) in parts.iter().zip(pack(&shapes, aspect)) {
        part.iter().for_each(|&at| placed[at] = [0, 1].map(|axis| centres[at][axis] + by[axis]));
    }
    placed
}

fn cluster(
    members: Vec<usize>,
    nodes: &[LayoutNode],
    edges: &[LayoutEdge],
    config: &LayoutConfig,
    progress: &dyn Progress,
) -> Result<Cluster, Cancelled> {
    let discs: Vec<LayoutNode> = members.iter().map(|&node| nodes[node]).collect();
    let mut layout = ForceLayout::new(&discs, edges, config, None);
    while layout.step() {
        progress.check()?;
    }
    if members.len() > CROWD {
        let config = config.sane();
        let radii = radii(&discs);
        let distance = config.spacing + 2.0 * radii.iter().sum::<f32>() / radii.len() as f32;
        let disc = spread(layout.positions(), &radii, distance);
        return Ok(Cluster { nodes: members, places: disc.places, radius: disc.radius });
    }
    let [min, max] = layout.bounds();
    let middle = [0, 1].map(|axis| f32::midpoint(min[axis], max[axis]));
    let places: Vec<[f32; 2]> =
        layout.positions().iter().map(|place| [place[0] - middle[0], place[1] - middle[1]]).collect();
    let reach = |(place, disc): (&[f32; 2], &LayoutNode)| place[0].hypot(place[1]) + disc.radius.max(0.0);
    let radius = places.iter().zip(&discs).map(reach).fold(0.0, f32::max);
    Ok(Cluster { nodes: members, places, radius })
}

/// Cosine and sine of the turn of each community that points its bridges at the communities they lead to: the angle that
/// makes Σ (turned place · direction of the other community) greatest.
fn turns(
    clusters: &[Cluster],
    centres: &[[f32; 2]],
    group_of: &[usize],
    index: &[u32],
    bridges: &[(usize, usize)],
) -> Vec<(f32, f32)> {
    let mut sums = vec![[0.0_f64; 2]; clusters.len()];
    for &(from, to) in bridges {
        for (node, other) in [(from, to), (to, from)] {
            let (here, there) = (group_of[node], group_of[other]);
            let place = clusters[here].places[index[node] as usize].map(f64::from);
            let away = [0, 1].map(|axis| f64::from(centres[there][axis] - centres[here][axis]));
            let length = away[0].hypot(away[1]).max(1e-9);
            sums[here][0] += (place[0] * away[0] + place[1] * away[1]) / length;
            sums[here][1] += (place[0] * away[1] - place[1] * away[0]) / length;
        }
    }
    let turn = |[along, across]: [f64; 2]| {
        let length = along.hypot(across);
        if length > 1e-9 { ((along / length) as f32, (across / length) as f32) } else { (1.0, 0.0) }
    };
    sums.into_iter().map(turn).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::jobs::Silent;

    /// Four rings of twelve, each tied to the next by one edge.
    fn rings() -> (Vec<LayoutEdge>, Vec<u32>) {
        let mut edges = Vec::new();
        for ring in 0..4 {
            for at in 0..12 {
                let weight = 0.5;
                edges.push(LayoutEdge { from: ring * 12 + at, to: ring * 12 + (at + 1) % 12, weight });
            }
            edges.push(LayoutEdge { from: ring * 12, to: (ring + 1) % 4 * 12 + 6, weight: 0.5 });
        }
        (edges, (0..48).map(|node| node / 12).collect())
    }

    fn apart(a: [f32; 2], b: [f32; 2]) -> f32 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[test]
    fn communities_do_not_meet_and_are_whole() {
        let (edges, community) = rings();
        let nodes = vec![LayoutNode { radius: 8.0 }; 50];
        let place = || by_community(&nodes, &edges, &community, &LayoutConfig::default(), &Silent).unwrap();
        let positions = place();
        assert_eq!(positions, place(), "the same picture each time");
        // The two nodes beyond the slice are one more.
        let number = |node: usize| community.get(node).copied().unwrap_or(4);
        let mean = |group: u32| {
            let members: Vec<usize> = (0..50).filter(|&node| number(node) == group).collect();
            let sum = |axis: usize| members.iter().map(|&node| positions[node][axis]).sum::<f32>();
            [sum(0) / members.len() as f32, sum(1) / members.len() as f32]
        };
        let reach = |group: u32| {
            let members = (0..50).filter(|&node| number(node) == group);
            members.map(|node| apart(positions[node], mean(group))).fold(0.0, f32::max)
        };
        for a in 0..5 {
            for b in a + 1..5 {
                assert!(apart(mean(a), mean(b)) > reach(a) + reach(b), "{a} and {b}");
            }
        }
        for a in 0..50 {
            for b in a + 1..50 {
                assert!(apart(positions[a], positions[b]) > 16.0, "{a} and {b}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        /// Hubs that share their targets, communities of all sizes: in each the genes lie apart, and none lies between those
        /// of another.
        #[test]
        fn genes_of_large_communities_lie_apart_and_communities_too(
            (sizes, hubs, seed) in (prop::collection::vec(1_u32..420, 1..7), 1_u32..9, 0_u64..1000),
        ) {
            use rand::RngExt;
            let mut random = crate::random::stream(seed, "communities");
            let mut below = |most: u32| ((random.random::<f32>() * most as f32) as u32).min(most - 1);
            let (mut community, mut edges, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
            for (number, &size) in sizes.iter().enumerate() {
                let first = community.len() as u32;
                let hubs = hubs.min(size);
                for at in 0..size {
                    community.push(number as u32);
                    nodes.push(LayoutNode { radius: if at < hubs { 16.0 } else { 8.0 } });
                    for _ in 0..3 {
                        edges.push(LayoutEdge { from: first + below(hubs), to: first + at, weight: 0.7 });
                    }
                    if at % 9 == 0 {
                        edges.push(LayoutEdge { from: first + at, to: below(first + at + 1), weight: 0.5 });
                    }
                }
            }
            let positions = by_community(&nodes, &edges, &community, &LayoutConfig::default(), &Silent).unwrap();
            let wanted = LayoutConfig::default().spacing + 16.0;
            for a in 0..nodes.len() {
                for b in a + 1..nodes.len() {
                    let away = apart(positions[a], positions[b]);
                    let large = sizes[community[a] as usize] as usize > CROWD;
                    if community[a] != community[b] {
                        prop_assert!(away > 0.9 * wanted, "{a} and {b} of two communities: {away}");
                    } else if large {
                        prop_assert!(away > 0.6 * wanted, "{a} and {b} of one community: {away}");
                    } else {
                        prop_assert!(away > nodes[a].radius + nodes[b].radius, "{a} and {b}: {away}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_community_without_edges_to_others_lies_beside_them() {
        // Four rings tied together, and a pair by itself.
        let (mut edges, mut community) = rings();
        edges.push(LayoutEdge { from: 48, to: 49, weight: 0.5 });
        community.extend([4, 4]);
        let nodes = vec![LayoutNode { radius: 8.0 }; 50];
        let config = LayoutConfig { aspect: 1.4, ..LayoutConfig::default() };
        let positions = by_community(&nodes, &edges, &community, &config, &Silent).unwrap();
        let nearest = (0..48).map(|node| apart(positions[node], positions[48])).fold(f32::INFINITY, f32::min);
        let wanted = config.spacing + 16.0;
        assert!(nearest < 3.0 * wanted, "{nearest}, where neighbours are {wanted} apart");
        // It takes no more room than the rings take anyway, or hardly.
        let extent = |count: usize, axis: usize| {
            let along = positions[..count].iter().map(|at| at[axis]);
            along.clone().fold(f32::NEG_INFINITY, f32::max) - along.fold(f32::INFINITY, f32::min)
        };
        let area = |count: usize| extent(count, 0) * extent(count, 1);
        assert!(area(50) < 1.3 * area(48), "{} and {}", area(50), area(48));
    }

    #[test]
    fn a_community_turns_its_bridge_to_the_other() {
        // Two rings tied by their nodes 0 and 12.
        let (edges, community) = rings();
        let bridge = LayoutEdge { from: 0, to: 12, weight: 0.5 };
        let inside = |edge: &&LayoutEdge| edge.from < 24 && edge.to < 24 && edge.from / 12 == edge.to / 12;
        let edges: Vec<LayoutEdge> = edges.iter().filter(inside).copied().chain([bridge]).collect();
        let nodes = vec![LayoutNode { radius: 8.0 }; 24];
        let positions = by_community(&nodes, &edges, &community[..24], &LayoutConfig::default(), &Silent).unwrap();
        let length = apart(positions[0], positions[12]);
        let pairs = (0..12).flat_map(|a| (12..24).map(move |b| (a, b)));
        let shorter = pairs.filter(|&(a, b)| apart(positions[a], positions[b]) < length).count();
        assert!(shorter <= 12, "{shorter} of 144 pairs lie nearer");
    }

    #[test]
    fn no_nodes_one_community_and_no_communities_are_no_trouble() {
        let place = |count: usize, community: &[u32]| {
            let nodes = vec![LayoutNode { radius: 8.0 }; count];
            by_community(&nodes, &[], community, &LayoutConfig::default(), &Silent).unwrap()
        };
        assert!(place(0, &[]).is_empty());
        for positions in [place(3, &[7, 7, 7]), place(3, &[]), place(3, &[2, 0, 1])] {
            assert!(positions.iter().flatten().all(|at| at.is_finite()));
            assert!(apart(positions[0], positions[1]) > 16.0);
        }
    }
}
