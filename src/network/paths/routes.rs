//! The edges of a view as a graph to be walked.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::{PathStep, Walk};
use crate::network::GeneId;
use crate::network::filter::NetworkView;

/// A way from one gene to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) to: u32,
    pub(super) length: f64,
    pub(super) step: PathStep,
}

/// For each gene the ways out of it and into it, ordered by the other gene, at most one for each.
pub(super) struct Routes {
    out: Lists,
    /// The same turned round: `to` is where a way comes from. None where ways go both ways anyhow.
    back: Option<Lists>,
}

struct Lists {
    /// Where the ways of each gene begin; one more than there are genes.
    first: Vec<u32>,
    routes: Vec<Route>,
}

impl Lists {
    fn new(genes: usize, mut routes: Vec<(u32, Route)>) -> Self {
        // Of two ways between the same genes the shorter stays, of equals the one along its edge.
        routes.sort_by(|(a, x), (b, y)| {
            let order = a.cmp(b).then(x.to.cmp(&y.to)).then(x.length.total_cmp(&y.length));
            order.then(y.step.forward.cmp(&x.step.forward))
        });
        routes.dedup_by_key(|(from, route)| (*from, route.to));
        let mut first = vec![0; genes + 1];
        for (from, _) in &routes {
            first[*from as usize + 1] += 1;
        }
        for gene in 0..genes {
            first[gene + 1] += first[gene];
        }
        Self { first, routes: routes.into_iter().map(|(_, route)| route).collect() }
    }

    fn of(&self, gene: u32) -> &[Route] {
        &self.routes[self.first[gene as usize] as usize..self.first[gene as usize + 1] as usize]
    }
}

impl Routes {
    pub(super) fn new(view: &NetworkView, walk: Walk) -> Self {
        let (mut out, mut back) = (Vec::with_capacity(view.edge_count()), Vec::new());
        for edge in view.edges() {
            let length = -f64::from(edge.probability).ln();
            if !length.is_finite() || edge.regulator == edge.target {
                continue;
            }
            let step = |forward| PathStep { edge: edge.rank - 1, forward };
            let (regulator, target) = (edge.regulator.0, edge.target.0);
            // −ln 1 is −0.
            let length = length.max(0.0);
            out.push((regulator, Route { to: target, length, step: step(true) }));
            let turned = (target, Route { to: regulator, length, step: step(walk == Walk::Along) });
            if walk == Walk::Either { &mut out } else { &mut back }.push(turned);
        }
        let genes = view.grn().genes().len();
        let back = (walk == Walk::Along).then(|| Lists::new(genes, back));
        Self { out: Lists::new(genes, out), back }
    }

    pub(super) fn gene_count(&self) -> usize {
        self.out.first.len() - 1
    }

    /// The ways out of a gene.
    pub(super) fn out(&self, gene: u32) -> &[Route] {
        self.out.of(gene)
    }

    /// The length of the shortest path from each gene to `goal`, infinite where there is none (Dijkstra 1959).
    pub(super) fn lengths_to(&self, goal: GeneId) -> Vec<f64> {
        let back = self.back.as_ref().unwrap_or(&self.out);
        let mut left = vec![f64::INFINITY; self.gene_count()];
        let mut next = BinaryHeap::new();
        if let Some(goal_left) = left.get_mut(goal.0 as usize) {
            *goal_left = 0.0;
            next.push(Reached { length: 0.0, edges: 0, gene: goal.0 });
        }
        while let Some(Reached { length, edges, gene }) = next.pop() {
            if length > left[gene as usize] {
                continue;
            }
            for route in back.of(gene) {
                let length = length + route.length;
                if length < left[route.to as usize] {
                    left[route.to as usize] = length;
                    next.push(Reached { length, edges: edges + 1, gene: route.to });
                }
            }
        }
        left
    }
}

/// A gene on the rim of a search. The greatest is the one to look at next: the shortest, then the one with fewest edges,
/// then the first in the network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reached {
    pub(super) length: f64,
    pub(super) edges: u32,
    pub(super) gene: u32,
}

impl Ord for Reached {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = other.length.total_cmp(&self.length).then(other.edges.cmp(&self.edges));
        order.then(other.gene.cmp(&self.gene))
    }
}

impl PartialOrd for Reached {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Reached {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Reached {}
