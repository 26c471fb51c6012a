//! Which edges are shown: thresholds, and the view they leave.

use serde::{Deserialize, Serialize};

use super::{Edge, GeneId, Grn};

/// How many edges are kept. Edge probabilities crowd near 0.5 (the model fits shifts, not odds), so rank is the
/// handier measure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Threshold {
    /// The best so many edges.
    Top(usize),
    /// Every edge with at least this probability.
    MinimumProbability(f32),
    /// The best so many edges of each regulator.
    TopPerRegulator(usize),
}

/// What a threshold leaves of a network: edges, and the genes they connect. Borrows the network, copies nothing of it.
#[derive(Clone, Debug)]
pub struct NetworkView<'a> {
    grn: &'a Grn,
    edges: Vec<u32>,
    genes: Vec<GeneId>,
    regulators: Vec<u32>,
    targets: Vec<u32>,
}

impl Threshold {
    /// What is left of `grn`.
    pub fn apply(self, grn: &Grn) -> NetworkView<'_> {
        let edges = grn.edges();
        let kept: Vec<u32> = match self {
            Self::Top(most) => (0..edges.len().min(most) as u32).collect(),
            Self::MinimumProbability(least) => {
                // Edges are sorted by falling probability; a threshold that is no number keeps nothing.
                let count = edges.partition_point(|edge| edge.probability >= least);
                (0..count as u32).collect()
            }
            Self::TopPerRegulator(most) => {
                let mut given = vec![0; grn.genes().len()];
                let keep = |edge: &Edge| {
                    let given = &mut given[edge.regulator.0 as usize];
                    *given += 1;
                    *given <= most
                };
                positions(edges, keep)
            }
        };
        NetworkView::new(grn, kept)
    }
}

fn positions(edges: &[Edge], mut keep: impl FnMut(&Edge) -> bool) -> Vec<u32> {
    edges.iter().enumerate().filter(|(_, edge)| keep(edge)).map(|(at, _)| at as u32).collect()
}

impl<'a> NetworkView<'a> {
    /// The view with the edges of `grn` at the positions `edges` (rising).
    fn new(grn: &'a Grn, edges: Vec<u32>) -> Self {
        let mut regulators = vec![0; grn.genes().len()];
        let mut targets = regulators.clone();
        for &at in &edges {
            let edge = &grn.edges()[at as usize];
            targets[edge.regulator.0 as usize] += 1;
            regulators[edge.target.0 as usize] += 1;
        }
        let connected = (0..grn.genes().len()).filter(|&gene| regulators[gene] + targets[gene] > 0);
        let genes = connected.map(|gene| GeneId(gene as u32)).collect();
        Self { grn, edges, genes, regulators, targets }
    }

    /// The same view with only the edges that `keep` says yes to.
    pub fn retain(self, mut keep: impl FnMut(&Edge) -> bool) -> Self {
        let mut edges = self.edges;
        edges.retain(|&at| keep(&self.grn.edges()[at as usize]));
        Self::new(self.grn, edges)
    }

    /// The whole network.
    pub fn grn(&self) -> &'a Grn {
        self.grn
    }

    /// The edges kept, best first.
    pub fn edges(&self) -> impl ExactSizeIterator<Item = &'a Edge> + '_ {
        self.edges.iter().map(|&at| &self.grn.edges()[at as usize])
    }

    /// Number of edges kept.
    pub fn edge_count(&self) -> usize {
        self.edges.len()
    }

    /// The genes with at least one edge, in the network's order.
    pub fn genes(&self) -> &[GeneId] {
        &self.genes
    }

    /// Whether `gene` has an edge.
    pub fn contains(&self, gene: GeneId) -> bool {
        self.genes.binary_search(&gene).is_ok()
    }

    /// Number of kept edges into `gene` (its regulators).
    pub fn in_degree(&self, gene: GeneId) -> u32 {
        self.regulators[gene.0 as usize]
    }

    /// Number of kept edges out of `gene` (its targets).
    pub fn out_degree(&self, gene: GeneId) -> u32 {
        self.targets[gene.0 as usize]
    }

    /// Number of kept edges at `gene`.
    pub fn degree(&self, gene: GeneId) -> u32 {
        self.in_degree(gene) + self.out_degree(gene)
    }

    /// The probability of the last edge kept.
    pub fn lowest_probability(&self) -> Option<f32> {
        self.edges().last().map(|edge| edge.probability)
    }

    /// Groups of genes connected by kept edges (whatever their direction), the largest first, then by their first gene;
    /// within a group in the network's order.
    pub fn components(&self) -> Vec<Vec<GeneId>> {
        let mut groups = Groups::new(self.grn.genes().len());
        for edge in self.edges() {
            groups.join(edge.regulator.0, edge.target.0);
        }
        let mut members = std::collections::BTreeMap::<u32, Vec<GeneId>>::new();
        for &gene in &self.genes {
            members.entry(groups.find(gene.0)).or_default().push(gene);
        }
        let mut components: Vec<Vec<GeneId>> = members.into_values().collect();
        components.sort_by(|a, b| b.len().cmp(&a.len()).then(a[0].cmp(&b[0])));
        components
    }
}

/// Disjoint sets, each named after its smallest member.
struct Groups(Vec<u32>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count as u32).collect())
    }

    fn find(&mut self, member: u32) -> u32 {
        let mut at = member;
        while self.0[at as usize] != at {
            let above = self.0[self.0[at as usize] as usize];
            self.0[at as usize] = above;
            at = above;
        }
        at
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}

/// Fewest and most edges of a first view, and edges per connected gene beyond which it stops growing.
const FIRST_VIEW: (usize, usize) = (40, 120);
const EDGES_PER_GENE: f64 = 1.5;

/// A readable first view: the best edges, from 40 (or all there are) to 120, as many as keep at most 1.5 edges per
/// connected gene. Edges that share the last one's probability exactly are not split between shown and hidden where
/// that is possible within the bounds.
pub fn default_threshold(grn: &Grn) -> Threshold {
    let edges = grn.edges();
    let (least, most) = FIRST_VIEW;
    if edges.len() <= least {
        return Threshold::Top(edges.len());
    }
    let most = most.min(edges.len());
    let mut connected = vec![false; grn.genes().len()];
    let mut genes = 0usize;
    let mut best = least;
    for (at, edge) in edges[..most].iter().enumerate() {
        for id in [edge.regulator.0, edge.target.0] {
            genes += usize::from(!std::mem::replace(&mut connected[id as usize], true));
        }
        let count = at + 1;
        let whole = edges.get(count).is_none_or(|next| next.probability < edge.probability);
        if count > least && whole && count as f64 <= EDGES_PER_GENE * genes as f64 {
            best = count;
        }
    }
    Threshold::Top(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{NetworkGene, Sign, SignEvidence};

    fn network(genes: u32, edges: &[(u32, u32, f32)]) -> Grn {
        let gene = |at| NetworkGene { symbol: format!("G{at}"), ..NetworkGene::default() };
        let edge = |&(regulator, target, probability): &(u32, u32, f32)| Edge {
            regulator: GeneId(regulator),
            target: GeneId(target),
            probability,
            rank: 0,
            sign: Sign::Unknown,
            evidence: SignEvidence::None,
            shift: None,
        };
        Grn::new((0..genes).map(gene).collect(), edges.iter().map(edge).collect()).unwrap()
    }

    fn ranks(view: &NetworkView) -> Vec<u32> {
        view.edges().map(|edge| edge.rank).collect()
    }

    #[test]
    fn thresholds_keep_the_best_edges_and_the_genes_they_connect() {
        let grn = network(6, &[(0, 1, 0.9), (0, 2, 0.8), (3, 4, 0.7), (0, 4, 0.6), (4, 0, 0.6)]);
        let view = Threshold::Top(2).apply(&grn);
        assert_eq!(ranks(&view), [1, 2]);
        assert_eq!(view.genes(), [GeneId(0), GeneId(1), GeneId(2)]);
        assert_eq!((view.out_degree(GeneId(0)), view.in_degree(GeneId(1)), view.degree(GeneId(3))), (2, 1, 0));
        assert!(view.contains(GeneId(2)) && !view.contains(GeneId(3)));
        assert_eq!(view.lowest_probability(), Some(0.8));
        assert_eq!(ranks(&Threshold::MinimumProbability(0.6).apply(&grn)), [1, 2, 3, 4, 5]);
        assert_eq!(ranks(&Threshold::MinimumProbability(0.65).apply(&grn)), [1, 2, 3]);
        assert_eq!(ranks(&Threshold::MinimumProbability(f32::NAN).apply(&grn)), [] as [u32; 0]);
        assert_eq!(ranks(&Threshold::TopPerRegulator(1).apply(&grn)), [1, 3, 5]);
        assert_eq!(Threshold::Top(99).apply(&grn).edge_count(), 5);
        assert_eq!(ranks(&Threshold::Top(4).apply(&grn).retain(|edge| edge.target == GeneId(4))), [3, 4]);
    }

    #[test]
    fn components_are_found_whatever_the_direction() {
        let grn = network(7, &[(5, 6, 0.9), (0, 1, 0.9), (2, 1, 0.8), (3, 2, 0.1)]);
        let components = Threshold::Top(3).apply(&grn).components();
        assert_eq!(components, [vec![GeneId(0), GeneId(1), GeneId(2)], vec![GeneId(5), GeneId(6)]]);
        assert!(Threshold::Top(0).apply(&grn).components().is_empty());
    }

    #[test]
    fn the_first_view_is_neither_empty_nor_a_hairball() {
        let count = |grn: &Grn| match default_threshold(grn) {
            Threshold::Top(count) => count,
            other => panic!("{other:?}"),
        };
        assert_eq!(count(&network(3, &[(0, 1, 0.5), (1, 2, 0.4)])), 2);
        assert_eq!(count(&network(3, &[])), 0);
        // Dense: 30 genes, every pair, all probabilities different.
        let pairs = |genes: u32| (0..genes).flat_map(move |a| (0..genes).map(move |b| (a, b))).filter(|(a, b)| a != b);
        let dense: Vec<_> = pairs(30).enumerate().map(|(at, (a, b))| (a, b, 1.0 - at as f32 / 1000.0)).collect();
        let grn = network(30, &dense);
        assert!((40..=46).contains(&count(&grn)), "{}", count(&grn));
        // Sparse: a long chain stops at the upper bound.
        let chain: Vec<_> = (0..400).map(|at| (at, at + 1, 1.0 - at as f32 / 1000.0)).collect();
        assert_eq!(count(&network(401, &chain)), 120);
        // All probabilities equal: still a readable number.
        let equal: Vec<_> = pairs(40).map(|(a, b)| (a, b, 0.5)).collect();
        assert_eq!(count(&network(40, &equal)), 40);
        // A tie at the end is taken whole or left whole.
        let tied: Vec<_> = (0..200).map(|at| (at, at + 1, if at < 60 { 0.9 } else { 0.8 })).collect();
        assert_eq!(count(&network(201, &tied)), 60);
    }

    #[test]
    fn a_threshold_survives_its_file() {
        for threshold in [Threshold::Top(7), Threshold::MinimumProbability(0.25), Threshold::TopPerRegulator(3)] {
            let text = serde_json::to_string(&threshold).unwrap();
            assert_eq!(serde_json::from_str::<Threshold>(&text).unwrap(), threshold);
        }
    }
}
