//! A reference network seen from a learned one.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::ReferenceNetwork;
use crate::network::gene_names::GeneNames;
use crate::network::hypergeometric::at_least;
use crate::network::{Edge, GeneId, Grn, Sign};

/// A pair of the reference between two genes of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReferenceEdge {
    /// Who regulates.
    pub regulator: GeneId,
    /// Who is regulated.
    pub target: GeneId,
    /// Activation or repression, where the reference says so.
    pub sign: Sign,
}

/// What a reference knows of the genes and edges of a network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReferenceOverlay {
    /// Whether names were compared without regard to case: mouse genes against human ones.
    pub ignoring_case: bool,
    /// Genes of the network that the reference knows by another name.
    pub renamed: usize,
    /// By rank − 1 of the network's edges: the sign in the reference (unknown if it has none) of those it knows.
    of_edge: Vec<Option<Sign>>,
    /// Pairs of the reference between genes of the network, sorted; of an undirected one both directions.
    between: Vec<ReferenceEdge>,
    /// Genes of the network that have an edge out, or in, and that the reference knows as such.
    regulators: BTreeSet<GeneId>,
    targets: BTreeSet<GeneId>,
    /// Genes of the network that the reference knows.
    genes: usize,
}

/// How many of the edges shown are known, against chance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overlap {
    /// Genes of the network that the reference knows.
    pub genes: usize,
    /// Pairs that both could have: a regulator and a target that occur as such in network and reference.
    pub pairs: u64,
    /// Of those pairs, the ones in the reference.
    pub known: u64,
    /// Of those pairs, the edges shown.
    pub shown: u64,
    /// Edges shown that are in the reference.
    pub common: u64,
    /// How many would be by chance.
    pub expected: f64,
    /// The chance of at least so many (hypergeometric).
    pub p_value: f64,
    /// Common edges with the same sign in both.
    pub same_sign: u64,
    /// Common edges with opposite signs.
    pub opposite_sign: u64,
}

/// Find the genes of `grn` that are not yet in the reference among its symbols that mean the same gene and stand for no
/// other; how many were found.
fn by_other_names(
    in_reference: &mut [Option<u32>],
    reference: &ReferenceNetwork,
    grn: &Grn,
    names: &GeneNames,
) -> usize {
    let taken: HashSet<u32> = in_reference.iter().flatten().copied().collect();
    let mut of_gene: HashMap<u32, u32> = HashMap::new();
    for (at, symbol) in reference.symbols.iter().enumerate().rev().filter(|(at, _)| !taken.contains(&(*at as u32))) {
        if let Some(gene) = names.gene(symbol) {
            of_gene.insert(gene, at as u32);
        }
    }
    let mut renamed = 0;
    for (gene, found) in grn.genes().iter().zip(in_reference).filter(|(_, found)| found.is_none()) {
        *found = names.gene(&gene.symbol).and_then(|gene| of_gene.get(&gene).copied());
        renamed += usize::from(found.is_some());
    }
    renamed
}

impl ReferenceOverlay {
    /// Lay `reference` over `grn`. Names match exactly, or without regard to case where that finds more than twice as many.
    /// Genes that the reference does not know so are looked for by their other names in `names`.
    pub fn of(reference: &ReferenceNetwork, grn: &Grn, names: Option<&GeneNames>) -> Self {
        let exact: Vec<Option<u32>> =
            grn.genes().iter().map(|gene| reference.by_symbol.get(&gene.symbol).copied()).collect();
        let upper: HashMap<String, u32> =
            reference.symbols.iter().enumerate().rev().map(|(at, name)| (name.to_uppercase(), at as u32)).collect();
        let caseless: Vec<Option<u32>> =
            grn.genes().iter().map(|gene| upper.get(&gene.symbol.to_uppercase()).copied()).collect();
        let count = |found: &[Option<u32>]| found.iter().flatten().count();
        let ignoring_case = count(&caseless) > 2 * count(&exact);
        let mut in_reference = if ignoring_case { caseless } else { exact };
        let renamed = names.map_or(0, |names| by_other_names(&mut in_reference, reference, grn, names));

        let mut in_network: HashMap<u32, Vec<GeneId>> = HashMap::new();
        for (at, found) in in_reference.iter().enumerate() {
            found.iter().for_each(|found| in_network.entry(*found).or_default().push(GeneId(at as u32)));
        }
        let mut between = BTreeSet::new();
        let (mut regulates, mut regulated) = (BTreeSet::new(), BTreeSet::new());
        for (&(from, to), &sign) in &reference.edges {
            let ends = |at: u32| in_network.get(&at).map_or(&[][..], Vec::as_slice);
            let directions = [(from, to), (to, from)];
            for (from, to) in directions.into_iter().take(if reference.undirected { 2 } else { 1 }) {
                regulates.extend(ends(from));
                regulated.extend(ends(to));
                for &regulator in ends(from) {
                    let others = ends(to).iter().filter(|target| **target != regulator);
                    between.extend(others.map(|&target| ReferenceEdge { regulator, target, sign }));
                }
            }
        }
        let between: Vec<ReferenceEdge> = between.into_iter().collect();
        let of_pair: HashMap<(GeneId, GeneId), Sign> =
            between.iter().map(|edge| ((edge.regulator, edge.target), edge.sign)).collect();
        let of_edge = grn.edges().iter().map(|edge| of_pair.get(&(edge.regulator, edge.target)).copied()).collect();
        let (mut sources, mut sinks) = (BTreeSet::new(), BTreeSet::new());
        for edge in grn.edges() {
            sources.insert(edge.regulator);
            sinks.insert(edge.target);
        }
        Self {
            ignoring_case,
            renamed,
            of_edge,
            between,
            regulators: sources.intersection(&regulates).copied().collect(),
            targets: sinks.intersection(&regulated).copied().collect(),
            genes: count(&in_reference),
        }
    }

    /// The sign that the reference gives `edge` (unknown if it gives none); none if it does not know the pair.
    pub fn sign_of(&self, edge: &Edge) -> Option<Sign> {
        self.of_edge.get(edge.rank as usize - 1).copied().flatten()
    }

    /// Pairs of the reference between genes of the network, sorted; of an undirected one both directions.
    pub fn between(&self) -> &[ReferenceEdge] {
        &self.between
    }

    /// Pairs of the reference between the genes that the edges `shown` connect, without those edges.
    pub fn missing<'a>(&self, shown: impl IntoIterator<Item = &'a Edge>) -> Vec<ReferenceEdge> {
        let (mut genes, mut there) = (BTreeSet::new(), BTreeSet::new());
        for edge in shown {
            genes.extend([edge.regulator, edge.target]);
            there.insert((edge.regulator, edge.target));
        }
        let among = |edge: &&ReferenceEdge| {
            genes.contains(&edge.regulator)
                && genes.contains(&edge.target)
                && !there.contains(&(edge.regulator, edge.target))
        };
        self.between.iter().filter(among).copied().collect()
    }

    /// How many of the edges `shown` are known, and how surprising that is. Chance draws as many pairs of a regulator and
    /// a target, both known to network and reference as such; no gene regulates itself.
    pub fn overlap<'a>(&self, shown: impl IntoIterator<Item = &'a Edge>) -> Overlap {
        let (regulators, targets) = (&self.regulators, &self.targets);
        let both = regulators.intersection(targets).count() as u64;
        let pairs = regulators.len() as u64 * targets.len() as u64 - both;
        let candidate = |regulator: GeneId, target: GeneId| {
            regulator != target && regulators.contains(&regulator) && targets.contains(&target)
        };
        let known = self.between.iter().filter(|edge| candidate(edge.regulator, edge.target)).count() as u64;
        let mut overlap = Overlap { genes: self.genes, pairs, known, ..Overlap::default() };
        for edge in shown.into_iter().filter(|edge| candidate(edge.regulator, edge.target)) {
            overlap.shown += 1;
            let Some(sign) = self.sign_of(edge) else { continue };
            overlap.common += 1;
            if sign != Sign::Unknown && edge.sign != Sign::Unknown {
                *if sign == edge.sign { &mut overlap.same_sign } else { &mut overlap.opposite_sign } += 1;
            }
        }
        overlap.expected = overlap.shown as f64 * known as f64 / (pairs as f64).max(1.0);
        overlap.p_value = at_least(overlap.common, pairs, known, overlap.shown);
        overlap
    }
}
