//! Rankings of edges: tested in cells, and held against known edges.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::evaluation::networks::{EdgeTests, NetworkTest, false_omission_rate, reachable_by_round, test_network};
use crate::jobs::{Cancelled, Progress};
use crate::network::Sign;
use crate::network::recovery::{CurvePoint, Recovery, precision_recall, sign_accuracy, thinned};

/// Numbers of edges at which rankings are tested.
const SIZES: [usize; 17] = [10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000];
/// Points of a precision–recall curve.
const MOST_POINTS: usize = 200;
/// Random pairs for the false omission rate.
const OMITTED_PAIRS: usize = 500;

/// Edges from best to worst, by gene number.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// Who ranked them.
    pub method: String,
    /// Regulator, target, score (larger is better) and sign, best first.
    pub edges: Vec<(usize, usize, f64, Sign)>,
}

/// The tests of the best edges of a ranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkPoint {
    /// The method.
    pub method: String,
    /// How many testable edges were taken.
    pub edges: usize,
    /// The edges themselves.
    #[serde(flatten)]
    pub test: NetworkTest,
    /// Pairs that become reachable in the second and third round (paths of 2, and of 3 to 4 edges).
    pub further: Vec<NetworkTest>,
    /// Effects that the network misses.
    pub false_omission_rate: Option<f64>,
}

/// Statistical tests of rankings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkTests {
    /// Pairs whose regulator was perturbed and whose target was measured.
    pub testable_pairs: usize,
    /// One point per method and number of edges.
    pub points: Vec<NetworkPoint>,
}

/// Test the best edges of each of `rankings` among the pairs of `genes` (a count) that can be tested.
///
/// Edges that cannot be tested are left out before the best are taken, so that all methods are judged on the same pairs.
pub fn network_tests(
    tests: &dyn EdgeTests,
    genes: usize,
    rankings: &[Ranking],
    seed: u64,
    progress: &dyn Progress,
) -> Result<NetworkTests, Cancelled> {
    let measured: BTreeSet<usize> = (0..genes).filter(|&child| tests.is_measured(child)).collect();
    let perturbed: BTreeSet<usize> =
        (0..genes).filter(|&parent| !measured.is_empty() && tests.is_perturbed(parent)).collect();
    let testable_pairs = perturbed.iter().map(|parent| measured.len() - usize::from(measured.contains(parent))).sum();
    let mut points = Vec::new();
    let all: Vec<usize> = (0..genes).collect();
    for ranking in rankings {
        let testable = |edge: &&(usize, usize, f64, Sign)| {
            edge.0 != edge.1 && perturbed.contains(&edge.0) && measured.contains(&edge.1)
        };
        let edges: Vec<(usize, usize)> = ranking.edges.iter().filter(testable).map(|edge| (edge.0, edge.1)).collect();
        let mut sizes: Vec<usize> = SIZES.iter().copied().filter(|&size| size < edges.len()).collect();
        if edges.len() <= SIZES[SIZES.len() - 1] && !edges.is_empty() {
            sizes.push(edges.len());
        }
        for size in sizes {
            progress.check()?;
            let best = &edges[..size];
            let mut rounds = reachable_by_round(best.iter().copied(), 3).into_iter();
            let test = test_network(tests, rounds.next().unwrap_or_default());
            let further = rounds.map(|pairs| test_network(tests, pairs)).collect();
            let false_omission_rate = false_omission_rate(tests, best, &all, OMITTED_PAIRS, seed);
            points.push(NetworkPoint {
                method: ranking.method.clone(),
                edges: size,
                test,
                further,
                false_omission_rate,
            });
        }
    }
    Ok(NetworkTests { testable_pairs, points })
}

/// How many edges stand out from shuffled labels, and how many of them are false.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Discoveries {
    /// Edges that were tested.
    pub tested: usize,
    /// How often the labels were shuffled.
    pub shuffles: usize,
    /// By rising rate.
    pub levels: Vec<DiscoveryLevel>,
}

/// The edges up to a false discovery rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DiscoveryLevel {
    /// The rate.
    pub rate: f64,
    /// Edges with at most this rate.
    pub edges: usize,
    /// Of these the share from a regulator to a gene that no path of known edges leads to, which is what the rate is about; none
    /// without known edges, or without edges.
    pub unreachable: Option<f64>,
    /// Of these the share that are no known edges themselves: by way of other genes, or not at all.
    pub indirect_or_false: Option<f64>,
}

impl Discoveries {
    /// At which rates.
    pub const RATES: [f64; 4] = [0.01, 0.05, 0.1, 0.2];

    /// Of edges with their false discovery rates, and, where it is known, whether a path of known edges leads from regulator to
    /// target, and whether one of them does.
    pub fn of(edges: &[(f32, Option<[bool; 2]>)], shuffles: usize) -> Self {
        let level = |rate: f64| {
            let found = || edges.iter().filter(|edge| f64::from(edge.0) <= rate);
            let count = found().count();
            let known = found().filter(|edge| edge.1.is_some()).count();
            let share = |which: usize| {
                let without = found().filter(|edge| edge.1.is_some_and(|known| !known[which])).count();
                (known > 0).then(|| without as f64 / known as f64)
            };
            DiscoveryLevel { rate, edges: count, unreachable: share(0), indirect_or_false: share(1) }
        };
        Self { tested: edges.len(), shuffles, levels: Self::RATES.map(level).into() }
    }
}

/// How a ranking recovers known edges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkScore {
    /// The method.
    pub method: String,
    /// Area under the precision–recall curve.
    pub auprc: Option<f64>,
    /// The same over density.
    pub auprc_ratio: Option<f64>,
    /// Area under the receiver operating characteristic.
    pub auroc: Option<f64>,
    /// Early precision ratio.
    pub early_precision_ratio: Option<f64>,
    /// Share of right signs.
    pub sign_accuracy: Option<f64>,
    /// Share of the pairs that the method ranks; the others come last, all tied.
    #[serde(default)]
    pub ranked_share: f64,
    /// The precision–recall curve, at most 200 points of it, evenly in recall.
    #[serde(default)]
    pub curve: Vec<CurvePoint>,
}

/// Rankings against known edges.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GoldStandard {
    /// The file with the known edges.
    pub file: String,
    /// Which pairs were ranked, in words.
    pub universe: String,
    /// Number of those pairs.
    pub candidates: usize,
    /// Known edges among them.
    pub true_edges: usize,
    /// Known edges that are not among them.
    pub true_edges_outside: usize,
    /// Known edges over pairs.
    pub density: Option<f64>,
    /// The model first.
    pub methods: Vec<NetworkScore>,
}

/// Hold `rankings` against the known edges `truth` over all pairs of `regulators` and `targets` (gene numbers), a gene
/// and itself left out. Pairs that a ranking does not have come last, all tied.
pub fn gold_standard(
    rankings: &[Ranking],
    truth: &BTreeMap<(usize, usize), Sign>,
    regulators: &[usize],
    targets: &[usize],
) -> GoldStandard {
    let pairs: Vec<(usize, usize)> = regulators
        .iter()
        .flat_map(|&regulator| targets.iter().map(move |&target| (regulator, target)))
        .filter(|(regulator, target)| regulator != target)
        .collect();
    let true_edges = pairs.iter().filter(|pair| truth.contains_key(pair)).count();
    let score = |ranking: &Ranking| {
        let given: BTreeMap<(usize, usize), (f64, Sign)> = ranking
            .edges
            .iter()
            .map(|&(regulator, target, score, sign)| ((regulator, target), (score, sign)))
            .collect();
        let value = |pair: &(usize, usize)| given.get(pair).map_or(f64::NEG_INFINITY, |edge| edge.0);
        let candidates: Vec<(f64, bool)> = pairs.iter().map(|pair| (value(pair), truth.contains_key(pair))).collect();
        let recovery = Recovery::of(&candidates);
        let signs = pairs.iter().filter_map(|pair| Some((given.get(pair)?.1, *truth.get(pair)?)));
        NetworkScore {
            method: ranking.method.clone(),
            auprc: recovery.auprc,
            auprc_ratio: recovery.auprc_ratio(),
            auroc: recovery.auroc,
            early_precision_ratio: recovery.early_precision_ratio,
            sign_accuracy: sign_accuracy(signs),
            ranked_share: pairs.iter().filter(|pair| given.contains_key(pair)).count() as f64
                / pairs.len().max(1) as f64,
            curve: thinned(precision_recall(&candidates), MOST_POINTS),
        }
    };
    GoldStandard {
        file: String::new(),
        universe: String::new(),
        candidates: pairs.len(),
        true_edges,
        true_edges_outside: truth.len() - true_edges,
        density: (!pairs.is_empty()).then(|| true_edges as f64 / pairs.len() as f64),
        methods: rankings.iter().map(score).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::networks::EdgeTest;
    use crate::jobs::Silent;

    fn ranking(method: &str, edges: &[(usize, usize)]) -> Ranking {
        let score = |at: usize| 1.0 - at as f64 / 100.0;
        let edges = edges.iter().enumerate().map(|(at, &(a, b))| (a, b, score(at), Sign::Activates)).collect();
        Ranking { method: method.into(), edges }
    }

    #[test]
    fn a_perfect_ranking_beats_a_reversed_one_over_the_same_pairs() {
        let truth = BTreeMap::from([((0, 1), Sign::Activates), ((1, 2), Sign::Represses), ((5, 6), Sign::Activates)]);
        let rankings = [ranking("good", &[(0, 1), (1, 2), (0, 2)]), ranking("bad", &[(0, 2), (1, 0)])];
        let gold = gold_standard(&rankings, &truth, &[0, 1], &[0, 1, 2]);
        assert_eq!((gold.candidates, gold.true_edges, gold.true_edges_outside), (4, 2, 1));
        assert_eq!(gold.methods[0].auprc, Some(1.0));
        assert_eq!(gold.methods[0].sign_accuracy, Some(0.5));
        // Both true edges tie at the end: precision 2/4 at recall 1.
        assert_eq!(gold.methods[1].auprc, Some(0.5));
    }

    #[test]
    fn false_ones_are_counted_among_the_edges_up_to_a_rate() {
        let path = |direct| Some([true, direct]);
        let edges = [(0.004, path(true)), (0.03, path(false)), (0.04, Some([false, false])), (0.5, path(true))];
        let found = Discoveries::of(&edges, 20);
        let at = |rate: f64| found.levels.iter().find(|level| level.rate == rate).cloned().unwrap();
        assert_eq!((found.tested, at(0.01).edges, at(0.01).unreachable), (4, 1, Some(0.0)));
        assert_eq!((at(0.05).edges, at(0.05).unreachable), (3, Some(1.0 / 3.0)));
        assert_eq!(at(0.05).indirect_or_false, Some(2.0 / 3.0));
        let unknown = Discoveries::of(&edges.map(|(rate, _)| (rate, None)), 20);
        assert_eq!((unknown.levels[1].edges, unknown.levels[1].unreachable), (3, None));
    }

    struct Toy;

    impl EdgeTests for Toy {
        fn is_measured(&self, gene: usize) -> bool {
            gene < 3
        }

        fn is_perturbed(&self, gene: usize) -> bool {
            gene < 2
        }

        fn test(&self, parent: usize, child: usize) -> Option<EdgeTest> {
            let p_value = if (parent, child) == (0, 1) { 0.001 } else { 0.7 };
            (parent < 2 && child < 3).then_some(EdgeTest {
                parent,
                child,
                p_value,
                wasserstein: 1.0,
                cells: [20, 20],
                difference: 1.0,
            })
        }
    }

    #[test]
    fn untestable_edges_do_not_use_up_places() {
        let edges = [(2, 0), (3, 0), (0, 3), (0, 1), (1, 0)];
        let tests = network_tests(&Toy, 4, &[ranking("model", &edges)], 1, &Silent).unwrap();
        assert_eq!(tests.testable_pairs, 4);
        assert_eq!(tests.points.len(), 1);
        let point = &tests.points[0];
        assert_eq!((point.edges, point.test.true_positives, point.test.false_positives), (2, 1, 1));
        assert_eq!(point.test.untestable, 0);
        assert_eq!(point.false_omission_rate, Some(0.0));
    }
}
