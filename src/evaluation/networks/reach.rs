//! Which genes paths of edges connect.

/// Genes × genes, a bit each.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    genes: usize,
    words: usize,
    bits: Vec<u64>,
}

impl Reach {
    /// Where single `edges` lead.
    pub(super) fn of(edges: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let edges: Vec<(usize, usize)> = edges.into_iter().collect();
        let genes = edges.iter().map(|&(parent, child)| parent.max(child) + 1).max().unwrap_or(0);
        let words = genes.div_ceil(64);
        let mut reach = Self { genes, words, bits: vec![0; genes * words] };
        edges.iter().for_each(|&(parent, child)| reach.bits[parent * words + child / 64] |= 1 << (child % 64));
        reach
    }

    /// Whether `parent` leads to `child`.
    pub(super) fn connects(&self, parent: usize, child: usize) -> bool {
        parent < self.genes
            && child < self.genes
            && self.bits[parent * self.words + child / 64] >> (child % 64) & 1 == 1
    }

    /// All connected pairs, sorted.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let all = (0..self.genes).flat_map(|parent| (0..self.genes).map(move |child| (parent, child)));
        all.filter(|&(parent, child)| self.connects(parent, child)).collect()
    }

    /// Join where each gene leads with where these lead; a gene is not its own descendant. The pairs that are new.
    fn round(&self) -> Self {
        let row = |gene: usize| &self.bits[gene * self.words..(gene + 1) * self.words];
        let mut fresh = Self { bits: vec![0; self.bits.len()], ..*self };
        for parent in 0..self.genes {
            let new = &mut fresh.bits[parent * self.words..(parent + 1) * self.words];
            for child in (0..self.genes).filter(|&child| self.connects(parent, child)) {
                new.iter_mut().zip(row(child)).for_each(|(new, further)| *new |= further);
            }
            new.iter_mut().zip(row(parent)).for_each(|(new, known)| *new &= !known);
            new[parent / 64] &= !(1 << (parent % 64));
        }
        fresh
    }

    /// Add the pairs of `fresh`; whether there are any.
    fn add(&mut self, fresh: &Self) -> bool {
        self.bits.iter_mut().zip(&fresh.bits).for_each(|(bits, new)| *bits |= new);
        fresh.bits.iter().any(|bits| *bits != 0)
    }

    /// Where paths of any length lead.
    pub(super) fn closed(mut self) -> Self {
        loop {
            let fresh = self.round();
            if !self.add(&fresh) {
                return self;
            }
        }
    }
}

/// The pairs that `edges` connect, by how far apart they are: the edges themselves, then the pairs that become reachable
/// in each of at most `steps` − 1 further rounds; sorted.
///
/// As in CausalBench, each round joins the reachable sets of the round before: the second holds paths of two edges, the
/// third those of three and four (that page calls them path lengths 1 to 3). A gene is not its own descendant. Ends early
/// when a round adds nothing.
pub fn reachable_by_round(edges: impl IntoIterator<Item = (usize, usize)>, steps: usize) -> Vec<Vec<(usize, usize)>> {
    let mut reach = Reach::of(edges);
    let mut rounds = vec![reach.pairs()];
    while rounds.len() < steps {
        let fresh = reach.round();
        if !reach.add(&fresh) {
            break;
        }
        rounds.push(fresh.pairs());
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_join_the_sets_of_the_round_before() {
        let chain = reachable_by_round([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)], 3);
        assert_eq!(chain[1], [(0, 2), (1, 3), (2, 4), (3, 5)]);
        assert_eq!(chain[2], [(0, 3), (0, 4), (1, 4), (1, 5), (2, 5)]);
        let cycle = reachable_by_round([(0, 1), (1, 0)], 3);
        assert_eq!(cycle.len(), 1, "a gene is not its own descendant");
        assert_eq!(reachable_by_round([], 3), [[]]);
    }

    #[test]
    fn closing_finds_what_a_search_finds() {
        let edges: Vec<(usize, usize)> = (0..90).map(|at| ((at * 37) % 131, (at * 53 + 11) % 131)).collect();
        let reach = Reach::of(edges.iter().copied()).closed();
        for from in 0..131 {
            let (mut seen, mut next) = (std::collections::BTreeSet::new(), vec![from]);
            while let Some(gene) = next.pop() {
                let children = edges.iter().filter(|edge| edge.0 == gene).map(|edge| edge.1);
                children.for_each(|child| {
                    if seen.insert(child) {
                        next.push(child);
                    }
                });
            }
            for to in (0..131).filter(|&to| to != from) {
                assert_eq!(reach.connects(from, to), seen.contains(&to), "{from} {to}");
            }
        }
    }
}
