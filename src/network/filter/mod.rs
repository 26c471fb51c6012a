//! Which part of a network is shown: filters that combine, and the view they leave.
//!
//! Filters work in a fixed order, which is that of [`Step::ALL`], so that it never matters in which order a user sets them:
//!
//! 1. Tests of single edges: probability, false discovery rate, sign, evidence, regulators of a list, measured genes. They commute.
//! 2. An edge must be among the best of its regulator and among the best of its target, each counted among the edges that
//!    pass the tests. These two commute as well.
//! 3. The best edges of what is left: a limit of size, so that "the best 60, at most 2 per regulator" are 60 edges where
//!    there are as many.
//! 4. Of an ensemble, edges that too few members keep go: stability selection (Meinshausen and Bühlmann 2010) among the
//!    edges left so far, of which every member keeps as many, its best.
//! 5. Genes that the user hid go with their edges; nothing else takes their place.
//! 6. Genes with too few edges go, again and again until every gene left has enough (the k-core, Seidman 1983).
//! 7. One component, whatever the direction of edges.
//! 8. The neighbourhood of some genes, along the edges left.

mod default;
mod gene_list;
mod groups;
mod neighbourhood;
mod step;
mod view;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use default::first_view;
pub use gene_list::{GeneList, GeneListError};
pub use neighbourhood::{Neighbourhood, Reach};
pub use step::{Left, Step};
pub use view::NetworkView;

use groups::Groups;

use super::{Agreement, Edge, GeneId, Grn, Sign, SignEvidence};

/// Which signs are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signs {
    /// Activating edges.
    pub activates: bool,
    /// Repressing edges.
    pub represses: bool,
    /// Edges whose sign nothing tells.
    pub unknown: bool,
}

impl Default for Signs {
    fn default() -> Self {
        Self { activates: true, represses: true, unknown: true }
    }
}

impl Signs {
    /// Whether edges of `sign` are shown.
    pub fn has(self, sign: Sign) -> bool {
        match sign {
            Sign::Activates => self.activates,
            Sign::Represses => self.represses,
            Sign::Unknown => self.unknown,
        }
    }
}

/// Which evidence of the sign is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// A measured shift.
    pub measured: bool,
    /// A predicted shift.
    pub predicted: bool,
    /// A file.
    pub reference: bool,
    /// None.
    pub none: bool,
}

impl Default for Evidence {
    fn default() -> Self {
        Self { measured: true, predicted: true, reference: true, none: true }
    }
}

impl Evidence {
    /// Whether edges with this evidence are shown.
    pub fn has(self, evidence: SignEvidence) -> bool {
        match evidence {
            SignEvidence::Measured => self.measured,
            SignEvidence::Predicted => self.predicted,
            SignEvidence::Reference => self.reference,
            SignEvidence::None => self.none,
        }
    }
}

/// One part of what is left, connected whatever the direction of its edges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Component {
    /// The one with most genes; of several as large, the one whose first gene comes first in the network.
    Largest,
    /// The one with this gene; nothing where the gene has no edge left.
    Of(String),
}

/// What is shown of a network. Genes go by symbol, so that a filter outlives the network it was made for. The default
/// shows everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkFilter {
    /// Edges with at least this probability; one that is no number keeps nothing.
    pub minimum_probability: Option<f32>,
    /// Edges with at most this false discovery rate; those without one do not pass.
    pub false_discovery_rate: Option<f32>,
    /// Edges of these signs.
    pub signs: Signs,
    /// Edges whose sign rests on this.
    pub evidence: Evidence,
    /// Edges whose regulator is in this list, such as one of transcription factors.
    pub regulators: Option<Arc<GeneList>>,
    /// Edges between genes whose expression was measured.
    pub measured_only: bool,
    /// The best so many edges of each regulator.
    pub per_regulator: Option<usize>,
    /// The best so many edges of each target.
    pub per_target: Option<usize>,
    /// The best so many edges. Probabilities crowd near 0.5 (the model fits shifts, not odds), so rank is the handier
    /// measure.
    pub top: Option<usize>,
    /// Edges that at least this share (0 to 1) of an ensemble's members have among their own best, as many as are left
    /// before this filter. Other networks are left as they are.
    pub minimum_agreement: Option<f32>,
    /// Symbols of genes that are not shown.
    pub hidden: BTreeSet<String>,
    /// Genes with at least so many edges, in and out, among the edges shown; 0 and 1 leave all.
    pub minimum_degree: u32,
    /// One part of what is left.
    pub component: Option<Component>,
    /// The way of neighbourhoods that the user walked; the last one is shown.
    pub trail: Vec<Neighbourhood>,
}

impl NetworkFilter {
    /// The best `edges` edges.
    pub fn top(edges: usize) -> Self {
        Self { top: Some(edges), ..Self::default() }
    }

    /// Edges with at least this probability.
    pub fn probable(least: f32) -> Self {
        Self { minimum_probability: Some(least), ..Self::default() }
    }

    /// The best `edges` edges of each regulator.
    pub fn per_regulator(edges: usize) -> Self {
        Self { per_regulator: Some(edges), ..Self::default() }
    }

    /// Go on to the neighbourhood of `genes`, as far and in the direction that was looked at last.
    pub fn visit(&mut self, genes: Vec<String>) {
        let (hops, reach) = self.trail.last().map_or((1, Reach::Both), |last| (last.hops, last.reach));
        let next = Neighbourhood { genes, hops, reach };
        if self.trail.last() != Some(&next) {
            self.trail.push(next);
        }
    }

    /// Whether something keeps the number of edges within bounds.
    pub fn limits_number(&self) -> bool {
        [Step::Probability, Step::PerRegulator, Step::PerTarget, Step::Top, Step::Neighbourhood]
            .into_iter()
            .any(|step| self.is_set(step))
    }

    /// What is left of `grn`.
    pub fn apply<'a>(&self, grn: &'a Grn) -> NetworkView<'a> {
        self.walk(grn, |_, _| {})
    }

    /// What is left of `grn`, and how much after each filter that is set, in their order. The last entry counts what the
    /// view has.
    pub fn apply_counting<'a>(&self, grn: &'a Grn) -> (NetworkView<'a>, Vec<Left>) {
        let mut left = Vec::new();
        let mut seen = vec![0_u32; grn.genes().len()];
        let view = self.walk(grn, |step, edges| {
            let (mark, mut genes) = (left.len() as u32 + 1, 0);
            for edge in edges.iter().map(|&at| &grn.edges()[at as usize]) {
                for gene in [edge.regulator, edge.target] {
                    genes += usize::from(std::mem::replace(&mut seen[gene.0 as usize], mark) != mark);
                }
            }
            left.push(Left { step, edges: edges.len(), genes });
        });
        (view, left)
    }

    /// What is left; `after` is told each filter that is set and the positions of the edges that it left, rising.
    fn walk<'a>(&self, grn: &'a Grn, mut after: impl FnMut(Step, &[u32])) -> NetworkView<'a> {
        let edges = grn.edges();
        let mut kept: Vec<u32> = (0..edges.len() as u32).collect();
        let mut tell = |filter: &Self, step: Step, kept: &[u32]| {
            if filter.is_set(step) {
                after(step, kept);
            }
        };
        if let Some(least) = self.minimum_probability {
            // Edges are sorted by falling probability.
            kept.truncate(edges.partition_point(|edge| edge.probability >= least));
            tell(self, Step::Probability, &kept);
        }
        let mut test = |step: Step, kept: &mut Vec<u32>, passes: &dyn Fn(&Edge) -> bool| {
            if self.is_set(step) {
                kept.retain(|&at| passes(&edges[at as usize]));
                tell(self, step, kept);
            }
        };
        let most = self.false_discovery_rate.unwrap_or_default();
        let passes = |edge: &Edge| edge.false_discovery_rate.is_some_and(|rate| rate <= most);
        test(Step::FalseDiscovery, &mut kept, &passes);
        test(Step::Signs, &mut kept, &|edge| self.signs.has(edge.sign));
        test(Step::Evidence, &mut kept, &|edge| self.evidence.has(edge.evidence));
        if let Some(list) = &self.regulators {
            let listed: Vec<bool> = grn.genes().iter().map(|gene| list.contains(&gene.symbol)).collect();
            test(Step::Regulators, &mut kept, &|edge| listed[edge.regulator.0 as usize]);
        }
        let measured = |gene: GeneId| grn.gene(gene).measured;
        test(Step::Measured, &mut kept, &|edge| measured(edge.regulator) && measured(edge.target));
        self.limit(grn, &mut kept, &mut tell);
        let mut agreement = None;
        if let Some(least) = self.minimum_agreement {
            agreement = Agreement::of(grn, kept.last().map(|&at| &edges[at as usize]));
            if let Some(agreement) = agreement {
                kept.retain(|&at| agreement.reaches(&edges[at as usize], least));
            }
            tell(self, Step::Agreement, &kept);
        }
        if self.is_set(Step::Hidden) {
            let hidden: Vec<bool> = grn.genes().iter().map(|gene| self.hidden.contains(&gene.symbol)).collect();
            let is_hidden = |gene: GeneId| hidden[gene.0 as usize];
            kept.retain(|&at| !is_hidden(edges[at as usize].regulator) && !is_hidden(edges[at as usize].target));
            tell(self, Step::Hidden, &kept);
        }
        if self.is_set(Step::Degree) {
            core(grn, &mut kept, self.minimum_degree);
            tell(self, Step::Degree, &kept);
        }
        if let Some(component) = &self.component {
            keep_component(grn, &mut kept, component);
            tell(self, Step::Component, &kept);
        }
        if let Some(neighbourhood) = self.trail.last() {
            neighbourhood.keep(grn, &mut kept);
            tell(self, Step::Neighbourhood, &kept);
        }
        NetworkView::new(grn, kept, agreement.map(|agreement| agreement.kept()))
    }

    /// The limits of number: per regulator and per target at once, then in all.
    fn limit(&self, grn: &Grn, kept: &mut Vec<u32>, tell: &mut impl FnMut(&Self, Step, &[u32])) {
        let counted = |kept: &[u32], gene: &dyn Fn(&Edge) -> GeneId| -> Vec<u32> {
            let mut seen = vec![0_u32; grn.genes().len()];
            let mut place = |&at: &u32| {
                let seen = &mut seen[gene(&grn.edges()[at as usize]).0 as usize];
                *seen += 1;
                *seen
            };
            kept.iter().map(&mut place).collect()
        };
        // Both places are counted before either limit takes an edge away.
        let of_regulator = self.per_regulator.map(|most| (most, counted(kept, &|edge| edge.regulator)));
        let mut of_target = self.per_target.map(|most| (most, counted(kept, &|edge| edge.target)));
        if let Some((most, place)) = of_regulator {
            let within = |at: usize| place[at] as usize <= most;
            if let Some((_, place)) = &mut of_target {
                retain_at(place, within);
            }
            retain_at(kept, within);
            tell(self, Step::PerRegulator, kept);
        }
        if let Some((most, place)) = of_target {
            retain_at(kept, |at| place[at] as usize <= most);
            tell(self, Step::PerTarget, kept);
        }
        if let Some(most) = self.top {
            kept.truncate(most);
            tell(self, Step::Top, kept);
        }
    }
}

/// Keep the elements whose position passes.
fn retain_at<T>(list: &mut Vec<T>, passes: impl Fn(usize) -> bool) {
    let mut at = 0;
    list.retain(|_| {
        at += 1;
        passes(at - 1)
    });
}

/// Take away genes with fewer than `least` edges until there are none. A loop counts once out and once in. Linear in the
/// edges: each goes once (Batagelj and Zaversnik 2003).
fn core(grn: &Grn, kept: &mut Vec<u32>, least: u32) {
    let genes = grn.genes().len();
    let ends = |at: u32| {
        let edge = &grn.edges()[at as usize];
        [edge.regulator.0 as usize, edge.target.0 as usize]
    };
    let mut around: Vec<Vec<u32>> = vec![Vec::new(); genes];
    let mut degree = vec![0_u32; genes];
    for (edge, &at) in kept.iter().enumerate() {
        for gene in ends(at) {
            degree[gene] += 1;
            around[gene].push(edge as u32);
        }
    }
    let mut gone = vec![false; kept.len()];
    let mut too_few: Vec<usize> = (0..genes).filter(|&gene| degree[gene] > 0 && degree[gene] < least).collect();
    while let Some(gene) = too_few.pop() {
        for &edge in &around[gene] {
            if std::mem::replace(&mut gone[edge as usize], true) {
                continue;
            }
            for end in ends(kept[edge as usize]) {
                degree[end] -= 1;
                // Each gene falls below the limit once.
                if degree[end] + 1 == least {
                    too_few.push(end);
                }
            }
        }
    }
    retain_at(kept, |edge| !gone[edge]);
}

fn keep_component(grn: &Grn, kept: &mut Vec<u32>, component: &Component) {
    let mut groups = Groups::new(grn.genes().len());
    for edge in kept.iter().map(|&at| &grn.edges()[at as usize]) {
        groups.join(edge.regulator.0, edge.target.0);
    }
    let wanted = match component {
        Component::Of(symbol) => grn.find(symbol).map(|gene| groups.find(gene.0)),
        Component::Largest => {
            let mut sizes = vec![0_u32; grn.genes().len()];
            for gene in 0..grn.genes().len() as u32 {
                sizes[groups.find(gene) as usize] += 1;
            }
            // Groups are named after their first gene; of equals the first wins.
            (0..sizes.len() as u32).max_by_key(|&group| (sizes[group as usize], std::cmp::Reverse(group)))
        }
    };
    kept.retain(|&at| Some(groups.find(grn.edges()[at as usize].regulator.0)) == wanted);
}

#[cfg(test)]
mod tests;
