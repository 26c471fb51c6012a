//! Yen's algorithm: the next path leaves one of those found at some gene, by another edge than all that came the same way.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::Path;
use super::routes::{Reached, Route, Routes};
use crate::jobs::{Cancelled, Progress};
use crate::network::GeneId;

/// A path that may be the next, and where it left the one it was made from.
struct Candidate {
    path: Path,
    left_at: usize,
}

impl Ord for Candidate {
    /// The greatest is the next: the shortest, then the one with fewest edges, then by its genes.
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (&self.path, &other.path);
        let order = b.length.total_cmp(&a.length).then(b.genes.len().cmp(&a.genes.len()));
        order.then_with(|| b.genes.cmp(&a.genes))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

pub(super) fn shortest(routes: &Routes, left: &[f64], from: GeneId, to: GeneId) -> Option<Path> {
    Search::new(routes, left, to).run(&[from], &[], &[])
}

pub(super) fn k_shortest(
    routes: &Routes,
    from: GeneId,
    to: GeneId,
    count: usize,
    progress: &dyn Progress,
) -> Result<Vec<Path>, Cancelled> {
    let left = routes.lengths_to(to);
    let mut search = Search::new(routes, &left, to);
    let mut candidates: BinaryHeap<Candidate> = BinaryHeap::new();
    candidates.extend(search.run(&[from], &[], &[]).map(|path| Candidate { path, left_at: 0 }));
    let mut found: Vec<Path> = Vec::new();
    while found.len() < count {
        let Some(Candidate { path, left_at }) = candidates.pop() else { break };
        found.push(path.clone());
        if found.len() == count {
            break;
        }
        // Where it left the path before, that one's own search has looked already (Lawler).
        for at in left_at..path.genes.len() - 1 {
            progress.check()?;
            let root = &path.genes[..=at];
            let same_way = found.iter().filter(|other| other.genes.len() > at + 1 && other.genes[..=at] == *root);
            let barred: Vec<u32> = same_way.map(|other| other.genes[at + 1].0).collect();
            let next = search.run(root, &path.steps[..at], &barred);
            candidates.extend(next.map(|path| Candidate { path, left_at: at }));
        }
    }
    Ok(found)
}

/// Searches towards one goal, again and again, in the same memory.
struct Search<'a> {
    routes: &'a Routes,
    /// The length left from each gene in the whole graph. Barring edges only adds to it, so it leads the search (A*; Hart,
    /// Nilsson and Raphael 1968).
    left: &'a [f64],
    goal: u32,
    length: Vec<f64>,
    edges: Vec<u32>,
    came: Vec<Option<(u32, Route)>>,
}

impl<'a> Search<'a> {
    fn new(routes: &'a Routes, left: &'a [f64], goal: GeneId) -> Self {
        let genes = routes.gene_count();
        Self {
            routes,
            left,
            goal: goal.0,
            length: vec![f64::INFINITY; genes],
            edges: vec![0; genes],
            came: vec![None; genes],
        }
    }

    /// The shortest path that begins with the genes `root` (joined by `steps`), does not go on to `barred`, and meets no
    /// gene twice.
    fn run(&mut self, root: &[GeneId], steps: &[super::PathStep], barred: &[u32]) -> Option<Path> {
        let (&start, before) = root.split_last()?;
        let start = start.0;
        if start == self.goal || !self.left.get(start as usize)?.is_finite() {
            return None;
        }
        self.length.fill(f64::INFINITY);
        self.came.fill(None);
        for gene in before {
            // Nothing is shorter: the search never comes here.
            self.length[gene.0 as usize] = f64::NEG_INFINITY;
        }
        self.length[start as usize] = 0.0;
        self.edges[start as usize] = 0;
        let mut rim = BinaryHeap::from([Reached { length: self.left[start as usize], edges: 0, gene: start }]);
        while let Some(Reached { edges, gene, .. }) = rim.pop() {
            if gene == self.goal {
                return Some(self.path(root, steps));
            }
            if edges > self.edges[gene as usize] {
                continue;
            }
            for route in self.routes.out(gene) {
                let to = route.to as usize;
                if !self.left[to].is_finite() || (gene == start && barred.contains(&route.to)) {
                    continue;
                }
                let length = self.length[gene as usize] + route.length;
                let better = length < self.length[to] || (length == self.length[to] && edges + 1 < self.edges[to]);
                if better {
                    self.length[to] = length;
                    self.edges[to] = edges + 1;
                    self.came[to] = Some((gene, *route));
                    rim.push(Reached { length: length + self.left[to], edges: edges + 1, gene: route.to });
                }
            }
        }
        None
    }

    /// The path found, with its root.
    fn path(&self, root: &[GeneId], steps: &[super::PathStep]) -> Path {
        let mut rest = Vec::new();
        let mut at = self.goal;
        while let Some((from, route)) = self.came[at as usize] {
            rest.push(route);
            at = from;
        }
        rest.reverse();
        let mut path = Path { genes: root.to_vec(), steps: steps.to_vec(), length: 0.0 };
        for route in &rest {
            path.genes.push(GeneId(route.to));
            path.steps.push(route.step);
        }
        // Summed from the beginning, so that a path has one length however it was found.
        for pair in path.genes.windows(2) {
            let out = self.routes.out(pair[0].0);
            let way = out.binary_search_by_key(&pair[1].0, |route| route.to);
            path.length += way.map_or(f64::INFINITY, |at| out[at].length);
        }
        path
    }
}
