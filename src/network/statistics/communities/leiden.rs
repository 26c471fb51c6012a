//! One pass of the Leiden algorithm: move nodes, refine the communities, go on with the graph of the refined ones.

use std::collections::VecDeque;

use rand::RngExt as _;
use rand::seq::SliceRandom as _;

use super::weighted::Weighted;
use crate::jobs::{Cancelled, Progress};
use crate::random::Rng;

/// How much a worse choice is tolerated while refining, in units of the mean weight of an edge.
const TOLERANCE: f64 = 0.01;
/// Gains below this share of the mean weight are rounding.
const ROUNDING: f64 = 1e-10;

/// Improve `communities` (one per node of `graph`, any numbers below the number of nodes); whether anything changed.
pub(super) fn pass(
    graph: &Weighted,
    communities: &mut [u32],
    random: &mut Rng,
    progress: &dyn Progress,
) -> Result<bool, Cancelled> {
    let mut changed = false;
    // The graph of this level, the community of each of its nodes, and which of them each gene is part of.
    let mut level = graph.clone();
    let mut of_level: Vec<u32> = communities.to_vec();
    let mut part_of: Vec<u32> = (0..graph.nodes() as u32).collect();
    loop {
        changed |= move_nodes(&level, &mut of_level, random, progress)?;
        let count = compact(&mut of_level);
        for (community, &part) in communities.iter_mut().zip(&part_of) {
            *community = of_level[part as usize];
        }
        if count == level.nodes() {
            return Ok(changed);
        }
        let mut refined = refine(&level, &of_level, random, progress)?;
        let groups = compact(&mut refined);
        if groups == level.nodes() {
            return Ok(changed);
        }
        let mut community_of_group = vec![0; groups];
        for (node, &group) in refined.iter().enumerate() {
            community_of_group[group as usize] = of_level[node];
        }
        level = level.grouped(&refined, groups);
        of_level = community_of_group;
        part_of.iter_mut().for_each(|part| *part = refined[*part as usize]);
    }
}

/// Moves each node to the neighbouring community (or one of its own) that raises modularity most, until no move does;
/// only nodes next to a move are looked at again.
fn move_nodes(
    graph: &Weighted,
    communities: &mut [u32],
    random: &mut Rng,
    progress: &dyn Progress,
) -> Result<bool, Cancelled> {
    let nodes = graph.nodes();
    let least = ROUNDING * mean_weight(graph);
    let mut strengths = vec![0.0; nodes];
    let mut sizes = vec![0_u32; nodes];
    for (node, &community) in communities.iter().enumerate() {
        strengths[community as usize] += graph.strength(node);
        sizes[community as usize] += 1;
    }
    let mut empty: Vec<u32> = (0..nodes as u32).filter(|&community| sizes[community as usize] == 0).collect();
    let mut queue: Vec<u32> = (0..nodes as u32).collect();
    queue.shuffle(random);
    let mut queue = VecDeque::from(queue);
    let mut waiting = vec![true; nodes];
    let mut around = Around::new(nodes);
    let mut changed = false;
    let mut looked_at = 0_usize;
    while let Some(node) = queue.pop_front() {
        looked_at += 1;
        if looked_at.is_multiple_of(4096) {
            progress.check()?;
        }
        let node = node as usize;
        waiting[node] = false;
        let own = communities[node];
        around.gather(graph, node, |other| Some(communities[other]));
        let strength = graph.strength(node);
        strengths[own as usize] -= strength;
        let gain = |community: u32, weight: f64| {
            weight - strength * strengths[community as usize] / graph.total().max(f64::MIN_POSITIVE)
        };
        let mut best = (own, gain(own, around.weight(own)));
        for &community in &around.touched {
            let gain = gain(community, around.weight(community));
            if gain > best.1 + least {
                best = (community, gain);
            }
        }
        if best.1 < -least
            && sizes[own as usize] > 1
            && let Some(&alone) = empty.last()
        {
            best = (alone, 0.0);
        }
        strengths[best.0 as usize] += strength;
        if best.0 == own {
            continue;
        }
        changed = true;
        communities[node] = best.0;
        if sizes[best.0 as usize] == 0 {
            empty.pop();
        }
        sizes[own as usize] -= 1;
        if sizes[own as usize] == 0 {
            empty.push(own);
        }
        sizes[best.0 as usize] += 1;
        for &(other, _) in graph.neighbours(node) {
            if communities[other as usize] != best.0 && !waiting[other as usize] {
                waiting[other as usize] = true;
                queue.push_back(other);
            }
        }
    }
    Ok(changed)
}

/// Splits each community into well-connected groups: every node begins alone and joins, at random by gain, a group within
/// its community that it fits; the name of each node's group.
fn refine(
    graph: &Weighted,
    communities: &[u32],
    random: &mut Rng,
    progress: &dyn Progress,
) -> Result<Vec<u32>, Cancelled> {
    let nodes = graph.nodes();
    let mean = mean_weight(graph).max(f64::MIN_POSITIVE);
    let total = graph.total().max(f64::MIN_POSITIVE);
    let mut whole = vec![0.0; nodes];
    for node in 0..nodes {
        whole[communities[node] as usize] += graph.strength(node);
    }
    let within = |node: usize| -> f64 {
        let same = |(other, _): &&(u32, f64)| communities[*other as usize] == communities[node];
        graph.neighbours(node).iter().filter(same).map(|(_, weight)| weight).sum()
    };
    let mut groups: Vec<u32> = (0..nodes as u32).collect();
    let mut strengths: Vec<f64> = (0..nodes).map(|node| graph.strength(node)).collect();
    // Weight between each group and the rest of its community.
    let mut outward: Vec<f64> = (0..nodes).map(within).collect();
    let mut alone = vec![true; nodes];
    let mut order: Vec<u32> = (0..nodes as u32).collect();
    order.shuffle(random);
    let mut around = Around::new(nodes);
    let mut choices: Vec<(u32, f64)> = Vec::new();
    for (at, &node) in order.iter().enumerate() {
        if at.is_multiple_of(4096) {
            progress.check()?;
        }
        let node = node as usize;
        let (strength, all) = (graph.strength(node), whole[communities[node] as usize]);
        let fits = |outward: f64, strength: f64| outward + ROUNDING * mean >= strength * (all - strength) / total;
        if !alone[node] || !fits(outward[node], strength) {
            continue;
        }
        around.gather(graph, node, |other| (communities[other] == communities[node]).then(|| groups[other]));
        choices.clear();
        choices.push((groups[node], 0.0));
        for &group in &around.touched {
            if group == groups[node] || !fits(outward[group as usize], strengths[group as usize]) {
                continue;
            }
            let gain = around.weight(group) - strength * strengths[group as usize] / total;
            if gain >= 0.0 {
                choices.push((group, gain / mean));
            }
        }
        let group = choose(&choices, random);
        if group == groups[node] {
            continue;
        }
        // What led to the group leads outward no more, whatever else led out of the node does now.
        let joining = around.weight(group);
        outward[group as usize] += outward[node] - 2.0 * joining;
        strengths[group as usize] += strength;
        groups[node] = group;
        alone[node] = false;
        alone[group as usize] = false;
    }
    Ok(groups)
}

/// One of `choices` by the exponential of its gain.
fn choose(choices: &[(u32, f64)], random: &mut Rng) -> u32 {
    let best = choices.iter().map(|(_, gain)| *gain).fold(f64::NEG_INFINITY, f64::max);
    let chance = |gain: f64| ((gain - best) / TOLERANCE).exp();
    let mut left = random.random::<f64>() * choices.iter().map(|(_, gain)| chance(*gain)).sum::<f64>();
    for &(group, gain) in choices {
        left -= chance(gain);
        if left < 0.0 {
            return group;
        }
    }
    choices[choices.len() - 1].0
}

fn mean_weight(graph: &Weighted) -> f64 {
    let ends: usize = (0..graph.nodes()).map(|node| graph.neighbours(node).len()).sum();
    graph.total() / ends.max(1) as f64
}

/// Weight from one node to each community around it.
struct Around {
    weights: Vec<f64>,
    /// Communities with an edge, in the order of the neighbours.
    touched: Vec<u32>,
}

impl Around {
    fn new(communities: usize) -> Self {
        Self { weights: vec![0.0; communities], touched: Vec::new() }
    }

    fn gather(&mut self, graph: &Weighted, node: usize, community: impl Fn(usize) -> Option<u32>) {
        for &community in &self.touched {
            self.weights[community as usize] = 0.0;
        }
        self.touched.clear();
        for &(other, weight) in graph.neighbours(node) {
            if weight > 0.0
                && let Some(community) = community(other as usize)
            {
                if self.weights[community as usize] == 0.0 {
                    self.touched.push(community);
                }
                self.weights[community as usize] += weight;
            }
        }
    }

    fn weight(&self, community: u32) -> f64 {
        self.weights[community as usize]
    }
}

/// Numbers what is used 0, 1, 2, … in the order of first use; how many there are.
fn compact(names: &mut [u32]) -> usize {
    let mut number = vec![u32::MAX; names.iter().max().map_or(0, |last| *last as usize + 1)];
    let mut count = 0;
    for name in names {
        let number = &mut number[*name as usize];
        if *number == u32::MAX {
            *number = count;
            count += 1;
        }
        *name = *number;
    }
    count as usize
}
