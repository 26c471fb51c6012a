//! A perturbation on its way through the whole network: what has reached each gene after one step, two, and so on.
//!
//! The sum of [`super::hops`], S = A + A²/T + A³/T² + …, for all genes at once instead of one target. Amounts have no sign:
//! they add up the logits of edges likelier than not, times the size of the dose. It shows what the learned network passes
//! on; it is neither a measurement nor a course in time.

use super::hops::{MOST_STEPS, logit, passing, shrink};
use super::{Edge, GeneId, Grn};
use crate::jobs::{Cancelled, Progress};

/// What arrives at every gene, step by step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wave {
    /// By step and gene: the doses at the sources, then what arrives with step 1, 2, …
    arriving: Vec<Vec<f64>>,
    /// By step and gene: the sum of what arrived with the steps from 1 on.
    arrived: Vec<Vec<f64>>,
    is_source: Vec<bool>,
    most: f64,
    /// By step, from 1 on: what it brings to all genes together, and the edges that bring most of it.
    brought: Vec<f64>,
    carriers: Vec<Carriers>,
}

/// The fewest edges that together bring [`CARRIED`] of what arrives with a step; of equals all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Carriers {
    /// What each of them brings at least.
    pub least: f64,
    /// How many they are.
    pub count: usize,
}

/// The share of a step that the carriers bring.
pub const CARRIED: f64 = 0.8;

/// The wave from `sources` (with their doses, whose sign does not matter) over the edges of `grn` that are likelier than not.
/// Takes time in proportion to the edges, [`MOST_STEPS`] times.
///
/// # Errors
/// When cancelled.
pub fn wave(grn: &Grn, sources: &[(GeneId, f64)], progress: &dyn Progress) -> Result<Wave, Cancelled> {
    let genes = grn.genes().len();
    let edges = passing(grn);
    let mut front = vec![0.0; genes];
    let mut is_source = vec![false; genes];
    for &(source, dose) in sources {
        front[source.0 as usize] += dose.abs();
        is_source[source.0 as usize] = true;
    }
    let mut arriving = vec![front];
    let mut arrived = vec![vec![0.0; genes]];
    let (mut totals, mut carriers) = (Vec::new(), Vec::new());
    for step in 0..MOST_STEPS {
        progress.check()?;
        let (front, shrink) = (&arriving[step], shrink(genes, step));
        let mut next = vec![0.0; genes];
        let mut brought = Vec::new();
        for &(from, to, weight) in &edges {
            let amount = front[from as usize] * weight * shrink;
            next[to as usize] += amount;
            if amount > 0.0 {
                brought.push(amount);
            }
        }
        if next.iter().all(|amount| *amount == 0.0) {
            break;
        }
        arrived.push(arrived[step].iter().zip(&next).map(|(before, now)| before + now).collect());
        totals.push(next.iter().sum());
        arriving.push(next);
        carriers.push(Carriers::of(brought));
    }
    let last = arrived.iter().next_back().into_iter().flatten().zip(&is_source);
    let most = last.filter(|(_, source)| !**source).fold(0.0, |most: f64, (amount, _)| most.max(*amount));
    Ok(Wave { arriving, arrived, is_source, most, brought: totals, carriers })
}

impl Carriers {
    /// Of edges that bring these amounts, all above zero.
    fn of(mut amounts: Vec<f64>) -> Self {
        amounts.sort_unstable_by(|a, b| b.total_cmp(a));
        let enough = CARRIED * amounts.iter().sum::<f64>();
        let mut sum = 0.0;
        let least = amounts.iter().find(|amount| {
            sum += **amount;
            sum >= enough
        });
        // Rounding may leave the sum short of all.
        let least = least.or(amounts.last()).copied().unwrap_or(0.0);
        Self { least, count: amounts.partition_point(|amount| *amount >= least) }
    }
}

impl Wave {
    /// The last step with which something arrives, [`MOST_STEPS`] at most; 0 if the sources pass nothing on.
    pub fn last(&self) -> usize {
        self.arriving.len().saturating_sub(1)
    }

    /// The last step that brings at least `share` of all that arrives anywhere; 0 if nothing does. Later ones fade.
    pub fn last_above(&self, share: f64) -> usize {
        (1..=self.last()).rev().find(|step| self.share(*step) >= share).unwrap_or(0)
    }

    /// The share of all that arrives anywhere which this step brings, counted from 1.
    pub fn share(&self, step: usize) -> f64 {
        let brought = step.checked_sub(1).and_then(|at| self.brought.get(at)).copied().unwrap_or(0.0);
        if brought > 0.0 { brought / self.brought.iter().sum::<f64>() } else { 0.0 }
    }

    /// The edges that bring most of this step, counted from 1.
    pub fn carriers(&self, step: usize) -> Carriers {
        step.checked_sub(1).and_then(|at| self.carriers.get(at)).copied().unwrap_or_default()
    }

    /// Whether `edge` is one of them.
    pub fn is_carrier(&self, edge: &Edge, step: usize) -> bool {
        let carried = self.carried(edge, step);
        carried > 0.0 && carried >= self.carriers(step).least
    }

    /// What arrives at each gene with exactly this step; with step 0 the doses at the sources. Nothing after the last.
    pub fn arriving(&self, step: usize) -> &[f64] {
        self.arriving.get(step).map_or(&[], Vec::as_slice)
    }

    /// What has arrived at each gene with the steps from 1 to this one.
    pub fn arrived(&self, step: usize) -> &[f64] {
        self.arrived.get(step.min(self.last())).map_or(&[], Vec::as_slice)
    }

    /// Whether the wave starts at this gene.
    pub fn is_source(&self, gene: GeneId) -> bool {
        self.is_source.get(gene.0 as usize).copied().unwrap_or(false)
    }

    /// The most that arrives at a gene that is no source, with all steps together.
    pub fn most(&self) -> f64 {
        self.most
    }

    /// How many genes that are no sources have been reached with this step.
    pub fn reached(&self, step: usize) -> usize {
        let reached = self.arrived(step).iter().zip(&self.is_source);
        reached.filter(|(amount, source)| **amount > 0.0 && !**source).count()
    }

    /// What `edge`, one of the network's, brings with this step, counted from 1.
    pub fn carried(&self, edge: &Edge, step: usize) -> f64 {
        let passes = edge.probability > 0.5 && edge.regulator != edge.target && (1..=self.last()).contains(&step);
        let front = step.checked_sub(1).filter(|_| passes).map(|before| self.arriving(before));
        let amount = front.and_then(|front| front.get(edge.regulator.0 as usize)).copied().unwrap_or(0.0);
        if amount > 0.0 { amount * logit(edge.probability) * shrink(self.is_source.len(), step - 1) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::jobs::Silent;
    use crate::network::fixtures::network as grn;
    use crate::network::hops::hops;

    fn from(grn: &Grn, sources: &[(u32, f64)]) -> Wave {
        let sources: Vec<(GeneId, f64)> = sources.iter().map(|&(gene, dose)| (GeneId(gene), dose)).collect();
        wave(grn, &sources, &Silent).unwrap()
    }

    #[test]
    fn a_chain_is_walked_one_gene_at_a_step() {
        let grn = grn(4, &[(0, 1, 0.75), (1, 2, 0.9), (2, 3, 0.4), (1, 0, 0.75)]);
        let wave = from(&grn, &[(0, -0.5)]);
        let unit = 3f64.ln();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
        assert_eq!(wave.arriving(0), [0.5, 0.0, 0.0, 0.0]);
        assert_eq!(wave.arrived(0), [0.0; 4]);
        close(wave.arriving(1)[1], 0.5 * unit);
        close(wave.arriving(2)[2], 0.5 * unit * 2.0 * unit / 4.0);
        close(wave.most(), wave.arrived(9)[1]);
        assert_eq!([0, 1, 2, 6].map(|step| wave.reached(step)), [0, 1, 2, 2], "the unlikely edge passes nothing on");
        assert!(wave.is_source(GeneId(0)) && !wave.is_source(GeneId(1)));
        assert_eq!((wave.last_above(0.05), wave.last_above(0.9)), (2, 0), "the third brings 4 %, none brings 90 %");
        assert_eq!(wave.last(), MOST_STEPS, "it runs in a circle");
    }

    #[test]
    fn a_wave_ends_where_nothing_is_passed_on() {
        let grn = grn(3, &[(0, 1, 0.9), (1, 2, 0.9)]);
        assert_eq!(from(&grn, &[(0, 1.0)]).last(), 2);
        let none = from(&grn, &[(2, 1.0)]);
        assert_eq!((none.last(), none.most(), none.reached(1)), (0, 0.0, 0));
        assert_eq!(none.arrived(3), [0.0; 3]);
        assert_eq!(none.carried(&grn.edges()[0], 1), 0.0);
        assert_eq!(from(&grn, &[]).last(), 0);
    }

    #[test]
    fn the_carriers_bring_most_of_a_step() {
        assert_eq!(Carriers::of(vec![1.0, 5.0, 3.0, 1.0]), Carriers { least: 3.0, count: 2 });
        assert_eq!(Carriers::of(vec![1.0, 1.0, 1.0]), Carriers { least: 1.0, count: 3 }, "of equals all");
        assert_eq!(Carriers::of(Vec::new()), Carriers::default());
        let grn = grn(4, &[(0, 1, 0.99), (0, 2, 0.55), (1, 3, 0.7), (3, 0, 0.9)]);
        let wave = from(&grn, &[(0, 1.0)]);
        let carriers = |step| grn.edges().iter().filter(|edge| wave.is_carrier(edge, step)).count();
        assert_eq!([0, 1, 2, 3].map(carriers), [0, 1, 1, 1]);
        assert!(wave.share(1) > 0.5 && wave.share(0) == 0.0);
        let all: f64 = (1..=wave.last()).map(|step| wave.share(step)).sum();
        assert!((all - 1.0).abs() < 1e-12);
    }

    fn edges() -> impl Strategy<Value = Vec<(u32, u32, f32)>> {
        let pairs = (0..36u32).map(|at| (at / 6, at % 6)).filter(|(from, to)| from != to);
        let pairs: Vec<(u32, u32)> = pairs.collect();
        prop::collection::vec(0.0f32..1.0, pairs.len())
            .prop_map(move |values| pairs.iter().zip(values).map(|(&(from, to), value)| (from, to, value)).collect())
    }

    proptest! {
        #[test]
        fn it_agrees_with_what_reaches_one_target(edges in edges(), doses in (-1.0..1.0f64, -1.0..1.0f64)) {
            let grn = grn(6, &edges);
            let sources = [(0, doses.0), (3, doses.1)];
            let wave = from(&grn, &sources);
            let sources = sources.map(|(gene, dose)| (GeneId(gene), dose));
            for target in (0..6).map(GeneId) {
                let found = hops(&grn, &sources, target, 1, &Silent).unwrap();
                let mut sum = 0.0;
                for (at, amount) in found.steps.iter().enumerate() {
                    sum += amount;
                    let here = wave.arriving(at + 1).get(target.0 as usize).copied().unwrap_or(0.0);
                    prop_assert!((here - amount).abs() <= 1e-12 * amount.max(1.0));
                    let arrived = wave.arrived(at + 1)[target.0 as usize];
                    prop_assert!((arrived - sum).abs() <= 1e-12 * sum.max(1.0));
                }
            }
        }

        #[test]
        fn what_arrives_is_what_the_edges_bring(edges in edges(), dose in 0.1..2.0f64) {
            let grn = grn(6, &edges);
            let wave = from(&grn, &[(1, dose)]);
            for step in 1..=wave.last() {
                let mut sums = [0.0; 6];
                for edge in grn.edges() {
                    sums[edge.target.0 as usize] += wave.carried(edge, step);
                }
                for (sum, amount) in sums.iter().zip(wave.arriving(step)) {
                    prop_assert!((sum - amount).abs() <= 1e-12 * amount.max(1.0));
                }
            }
            for step in 1..=wave.last() {
                let carriers: Vec<&Edge> = grn.edges().iter().filter(|edge| wave.is_carrier(edge, step)).collect();
                let brought: f64 = carriers.iter().map(|edge| wave.carried(edge, step)).sum();
                prop_assert!(brought >= (CARRIED - 1e-9) * wave.arriving(step).iter().sum::<f64>());
                prop_assert_eq!(carriers.len(), wave.carriers(step).count);
            }
            prop_assert!(grn.edges().iter().all(|edge| wave.carried(edge, wave.last() + 1) == 0.0));
        }

        #[test]
        fn doses_add_up(edges in edges(), a in 0.0..1.0f64, b in 0.0..1.0f64, times in 0.1..3.0f64) {
            let grn = grn(6, &edges);
            let (together, one, other) =
                (from(&grn, &[(0, a * times), (2, b * times)]), from(&grn, &[(0, a)]), from(&grn, &[(2, b)]));
            for step in 0..=MOST_STEPS {
                for gene in 0..6 {
                    let at = |wave: &Wave| wave.arriving(step).get(gene).copied().unwrap_or(0.0);
                    let sum = times * (at(&one) + at(&other));
                    prop_assert!((at(&together) - sum).abs() <= 1e-9 * sum.max(1.0));
                }
            }
        }
    }
}
