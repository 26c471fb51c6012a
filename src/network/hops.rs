//! How an effect spreads: what a perturbed gene passes on in one step, in two, and so on.
//!
//! GPO-VAE aligns its network with the shifts of the screen through S = A + A²/T + A³/T² + … (Baek et al. 2025), A the edge
//! logits and T the number of genes. Here the same sum is taken over the edges that the model holds for likelier than not, by
//! the logit of their probability, so that every term is positive and the steps have shares. It interprets the learned
//! network; it is not a measurement.

use super::{GeneId, Grn};
use crate::jobs::{Cancelled, Progress};

/// Longest way that is followed: as many steps as the model's own sum.
pub const MOST_STEPS: usize = 6;

/// What reaches one gene from others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hops {
    /// What arrives after 1, 2, … steps; [`MOST_STEPS`] of them.
    pub steps: Vec<f64>,
    /// The ways on which most arrives, best first.
    pub ways: Vec<Way>,
}

/// From a perturbed gene to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// The genes it leads over, both ends included.
    pub genes: Vec<GeneId>,
    /// What arrives on it, in the unit of [`Hops::steps`].
    pub amount: f64,
}

impl Hops {
    /// All that arrives.
    pub fn total(&self) -> f64 {
        self.steps.iter().sum()
    }
}

/// A way on its way: its end, and where in the list the rest is.
struct Stop {
    gene: u32,
    before: Option<u32>,
    amount: f64,
}

/// What reaches `target` from `sources` (with their doses, whose sign does not matter), and the `most` best ways.
///
/// Every gene passes on only its own `most` best ways; among ways that go over few genes that is exact, else close.
///
/// # Errors
/// When cancelled.
pub fn hops(
    grn: &Grn,
    sources: &[(GeneId, f64)],
    target: GeneId,
    most: usize,
    progress: &dyn Progress,
) -> Result<Hops, Cancelled> {
    let genes = grn.genes().len();
    let edges = passing(grn);
    let mut amounts = vec![0.0; genes];
    let mut stops: Vec<Stop> = Vec::new();
    let mut fronts: Vec<Vec<u32>> = vec![Vec::new(); genes];
    for &(source, dose) in sources {
        amounts[source.0 as usize] += dose.abs();
        fronts[source.0 as usize] = vec![stops.len() as u32];
        stops.push(Stop { gene: source.0, before: None, amount: dose.abs() });
    }
    let mut found = Hops::default();
    let mut ends: Vec<(f64, u32)> = Vec::new();
    for step in 0..MOST_STEPS {
        progress.check()?;
        let shrink = shrink(genes, step);
        let mut next = vec![0.0; genes];
        let mut arriving: Vec<Vec<(f64, u32)>> = vec![Vec::new(); genes];
        for &(from, to, weight) in &edges {
            next[to as usize] += amounts[from as usize] * weight * shrink;
            for &stop in &fronts[from as usize] {
                if !passes(&stops, stop, to) {
                    arriving[to as usize].push((stops[stop as usize].amount * weight * shrink, stop));
                }
            }
        }
        amounts = next;
        found.steps.push(amounts[target.0 as usize]);
        for (gene, mut arriving) in arriving.into_iter().enumerate() {
            // Of equals the one found first: the edges come in the order of their ranks.
            arriving.sort_by(|a, b| b.0.total_cmp(&a.0));
            arriving.truncate(most);
            fronts[gene].clear();
            for (amount, before) in arriving {
                let at = stops.len() as u32;
                stops.push(Stop { gene: gene as u32, before: Some(before), amount });
                if gene as u32 == target.0 {
                    ends.push((amount, at));
                } else {
                    // What has arrived goes no further.
                    fronts[gene].push(at);
                }
            }
        }
    }
    ends.sort_by(|a, b| b.0.total_cmp(&a.0));
    ends.truncate(most);
    found.ways = ends.into_iter().map(|(amount, end)| Way { genes: trace(&stops, end), amount }).collect();
    Ok(found)
}

/// The edges that pass something on, best first: regulator, target, and the logit of the probability. Those likelier than not,
/// none from a gene to itself.
pub(super) fn passing(grn: &Grn) -> Vec<(u32, u32, f64)> {
    let likely = grn.edges().iter().take_while(|edge| edge.probability > 0.5);
    likely
        .filter(|edge| edge.regulator != edge.target)
        .map(|edge| (edge.regulator.0, edge.target.0, logit(edge.probability)))
        .collect()
}

/// By how much less arrives with each step after the first (`step` 0), among so many genes: the T of S.
pub(super) fn shrink(genes: usize, step: usize) -> f64 {
    if step == 0 { 1.0 } else { 1.0 / genes.max(1) as f64 }
}

/// ln(p / (1 − p)).
pub(super) fn logit(probability: f32) -> f64 {
    // A probability of 1 would weigh infinitely much.
    let probability = f64::from(probability).min(1.0 - 1e-7);
    (probability / (1.0 - probability)).ln()
}

/// Whether the way that ends at `stop` goes over `gene`.
fn passes(stops: &[Stop], stop: u32, gene: u32) -> bool {
    let mut at = Some(stop);
    while let Some(stop) = at {
        let stop = &stops[stop as usize];
        if stop.gene == gene {
            return true;
        }
        at = stop.before;
    }
    false
}

fn trace(stops: &[Stop], end: u32) -> Vec<GeneId> {
    let mut genes = Vec::new();
    let mut at = Some(end);
    while let Some(stop) = at {
        let stop = &stops[stop as usize];
        genes.push(GeneId(stop.gene));
        at = stop.before;
    }
    genes.reverse();
    genes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::jobs::Silent;
    use crate::network::fixtures::network as grn;

    fn reaching(grn: &Grn, sources: &[(GeneId, f64)], target: GeneId, most: usize) -> Hops {
        hops(grn, sources, target, most, &Silent).unwrap()
    }

    fn names(hops: &Hops) -> Vec<Vec<u32>> {
        hops.ways.iter().map(|way| way.genes.iter().map(|gene| gene.0).collect()).collect()
    }

    #[test]
    fn a_diamond_is_split_by_steps_and_ways() {
        // ln(0.75 / 0.25) = ln 3 and ln(0.9 / 0.1) = ln 9 = 2 ln 3.
        let grn =
            grn(4, &[(0, 3, 0.75), (0, 1, 0.9), (1, 3, 0.75), (0, 2, 0.75), (2, 3, 0.75), (3, 0, 0.9), (1, 2, 0.4)]);
        let found = reaching(&grn, &[(GeneId(0), 1.0)], GeneId(3), 5);
        let unit = 3f64.ln();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6 * b.abs().max(1.0), "{a} {b}");
        close(found.steps[0], unit);
        close(found.steps[1], (2.0 * unit * unit + unit * unit) / 4.0);
        // 0 → 3 → 0 → 3 comes back: part of the sum, but no way to be told.
        close(found.steps[2], unit * 2.0 * unit * unit / 16.0);
        assert_eq!(names(&found), [vec![0, 3], vec![0, 1, 3], vec![0, 2, 3]]);
        close(found.ways[1].amount, 2.0 * unit * unit / 4.0);
        assert_eq!(reaching(&grn, &[(GeneId(0), -0.5)], GeneId(3), 5).steps[0], found.steps[0] / 2.0);
    }

    #[test]
    fn without_a_way_nothing_arrives() {
        let grn = grn(3, &[(0, 1, 0.9), (2, 1, 0.9), (1, 2, 0.5)]);
        let found = reaching(&grn, &[(GeneId(0), 1.0)], GeneId(2), 3);
        assert_eq!((found.total(), found.ways.len()), (0.0, 0));
        assert_eq!(found.steps.len(), MOST_STEPS);
    }

    proptest! {
        #[test]
        fn steps_are_powers_of_the_matrix(values in prop::collection::vec(0.0f32..1.0, 25), target in 1u32..5) {
            let edges: Vec<(u32, u32, f32)> = values
                .iter()
                .enumerate()
                .map(|(at, &value)| (at as u32 / 5, at as u32 % 5, value))
                .filter(|(from, to, _)| from != to)
                .collect();
            let found = reaching(&grn(5, &edges), &[(GeneId(0), 1.0)], GeneId(target), 4);
            let mut matrix = [[0.0; 5]; 5];
            for &(from, to, value) in edges.iter().filter(|edge| edge.2 > 0.5) {
                matrix[from as usize][to as usize] = logit(value);
            }
            let mut row = matrix[0];
            for step in &found.steps {
                prop_assert!((row[target as usize] - step).abs() <= 1e-9 * step.abs().max(1.0));
                let mut next = [0.0; 5];
                for from in 0..5 {
                    for to in 0..5 {
                        next[to] += row[from] * matrix[from][to] / 5.0;
                    }
                }
                row = next;
            }
            for way in &found.ways {
                let product: f64 = way.genes.windows(2).map(|pair| matrix[pair[0].0 as usize][pair[1].0 as usize]).product();
                let amount = product / 5f64.powi(way.genes.len() as i32 - 2);
                prop_assert!((amount - way.amount).abs() <= 1e-9 * amount);
                prop_assert!((way.genes[0], way.genes[way.genes.len() - 1]) == (GeneId(0), GeneId(target)));
            }
            prop_assert!(found.ways.windows(2).all(|pair| pair[0].amount >= pair[1].amount));
            prop_assert!(found.ways.iter().map(|way| way.amount).sum::<f64>() <= found.total() * (1.0 + 1e-9));
        }
    }
}
