//! Connected parts.

/// The connected parts of a graph, largest first, then by their first node; nodes rise within a part.
pub(super) fn components(nodes: usize, links: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let neighbours = Neighbours::new(nodes, links);
    let mut seen = vec![false; nodes];
    let mut parts = Vec::new();
    for first in 0..nodes {
        if std::mem::replace(&mut seen[first], true) {
            continue;
        }
        let mut part = vec![first];
        let mut next = 0;
        while next < part.len() {
            for &neighbour in neighbours.of(part[next]) {
                if !std::mem::replace(&mut seen[neighbour], true) {
                    part.push(neighbour);
                }
            }
            next += 1;
        }
        part.sort_unstable();
        parts.push(part);
    }
    parts.sort_by(|a: &Vec<usize>, b| b.len().cmp(&a.len()).then(a[0].cmp(&b[0])));
    parts
}

/// Neighbours of every node, whatever the direction of the edge.
pub(super) struct Neighbours {
    starts: Vec<usize>,
    ends: Vec<usize>,
}

impl Neighbours {
    pub fn new(nodes: usize, links: &[(usize, usize)]) -> Self {
        let mut starts = vec![0; nodes + 1];
        for &(a, b) in links {
            starts[a + 1] += 1;
            starts[b + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut free = starts.clone();
        let mut ends = vec![0; links.len() * 2];
        for &(a, b) in links {
            for (from, to) in [(a, b), (b, a)] {
                ends[free[from]] = to;
                free[from] += 1;
            }
        }
        Self { starts, ends }
    }

    pub fn of(&self, node: usize) -> &[usize] {
        &self.ends[self.starts[node]..self.starts[node + 1]]
    }

    /// Number of edges from `from` to every node; `u32::MAX` where no edges lead. O(nodes + edges).
    pub fn distances(&self, from: usize) -> Vec<u32> {
        let mut distance = vec![u32::MAX; self.starts.len() - 1];
        let mut queue = Vec::new();
        if let Some(first) = distance.get_mut(from) {
            *first = 0;
            queue.push(from);
        }
        let mut next = 0;
        while next < queue.len() {
            let at = queue[next];
            next += 1;
            for &neighbour in self.of(at) {
                if distance[neighbour] == u32::MAX {
                    distance[neighbour] = distance[at] + 1;
                    queue.push(neighbour);
                }
            }
        }
        distance
    }
}
