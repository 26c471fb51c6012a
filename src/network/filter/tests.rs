use proptest::prelude::*;

use super::*;
use crate::network::fixtures::edge;
use crate::network::{MemberRanks, NetworkGene};

fn network(genes: u32, edges: &[(u32, u32, f32)]) -> Grn {
    let gene = |at| NetworkGene { symbol: format!("G{at}"), measured: at % 3 != 2, ..NetworkGene::default() };
    let edge = |&(regulator, target, probability): &(u32, u32, f32)| Edge {
        sign: [Sign::Activates, Sign::Represses, Sign::Unknown][((regulator + target) % 3) as usize],
        evidence: [SignEvidence::Measured, SignEvidence::Predicted, SignEvidence::Reference, SignEvidence::None]
            [((regulator * 5 + target) % 4) as usize],
        false_discovery_rate: [None, Some(0.01), Some(0.1), Some(0.5)][((regulator * 3 + target) % 4) as usize],
        ..edge(regulator, target, probability)
    };
    Grn::new((0..genes).map(gene).collect(), edges.iter().map(edge).collect()).unwrap()
}

fn ranks(view: &NetworkView) -> Vec<u32> {
    view.edges().map(|edge| edge.rank).collect()
}

fn left(filter: &NetworkFilter, grn: &Grn) -> Vec<u32> {
    ranks(&filter.apply(grn))
}

#[test]
fn limits_keep_the_best_edges_and_the_genes_they_connect() {
    let grn = network(6, &[(0, 1, 0.9), (0, 2, 0.8), (3, 4, 0.7), (0, 4, 0.6), (4, 0, 0.6)]);
    let view = NetworkFilter::top(2).apply(&grn);
    assert_eq!(ranks(&view), [1, 2]);
    assert_eq!(view.genes(), [GeneId(0), GeneId(1), GeneId(2)]);
    assert_eq!((view.out_degree(GeneId(0)), view.in_degree(GeneId(1)), view.degree(GeneId(3))), (2, 1, 0));
    assert!(view.contains(GeneId(2)) && !view.contains(GeneId(3)));
    assert_eq!(view.lowest_probability(), Some(0.8));
    assert_eq!(left(&NetworkFilter::probable(0.6), &grn), [1, 2, 3, 4, 5]);
    assert_eq!(left(&NetworkFilter::probable(0.65), &grn), [1, 2, 3]);
    assert_eq!(left(&NetworkFilter::probable(f32::NAN), &grn), [] as [u32; 0]);
    assert_eq!(left(&NetworkFilter::per_regulator(1), &grn), [1, 3, 5]);
    assert_eq!(left(&NetworkFilter { per_target: Some(1), ..NetworkFilter::default() }, &grn), [1, 2, 3, 5]);
    assert_eq!(NetworkFilter::top(99).apply(&grn).edge_count(), 5);
    assert_eq!(NetworkFilter::default().apply(&grn).edge_count(), 5);
    assert_eq!(ranks(&NetworkFilter::top(4).apply(&grn).retain(|edge| edge.target == GeneId(4))), [3, 4]);
}

#[test]
fn limits_per_gene_come_before_the_limit_in_all() {
    let grn = network(6, &[(0, 1, 0.9), (0, 2, 0.8), (0, 3, 0.7), (4, 1, 0.6), (4, 5, 0.5), (5, 2, 0.4)]);
    let filter = NetworkFilter { per_regulator: Some(1), top: Some(2), ..NetworkFilter::default() };
    assert_eq!(left(&filter, &grn), [1, 4], "two edges, one of each regulator");
    // Both places are counted among all edges: 4 → G1 is the best of its regulator, but second of its target.
    let filter = NetworkFilter { per_regulator: Some(1), per_target: Some(1), ..NetworkFilter::default() };
    assert_eq!(left(&filter, &grn), [1]);
}

#[test]
fn single_edges_are_tested_by_sign_evidence_regulator_and_measurement() {
    let grn = network(6, &[(0, 1, 0.9), (0, 2, 0.8), (0, 3, 0.7), (1, 0, 0.6), (1, 3, 0.5)]);
    let signs = Signs { activates: true, represses: false, unknown: false };
    assert_eq!(left(&NetworkFilter { signs, ..NetworkFilter::default() }, &grn), [3], "0 + 3 is a multiple of 3");
    let evidence = Evidence { measured: false, predicted: true, reference: false, none: false };
    assert_eq!(left(&NetworkFilter { evidence, ..NetworkFilter::default() }, &grn), [1, 4]);
    let regulators = Some(Arc::new(GeneList::new("list", ["g1", "unknown"])));
    assert_eq!(left(&NetworkFilter { regulators, ..NetworkFilter::default() }, &grn), [4, 5]);
    assert_eq!(left(&NetworkFilter { measured_only: true, ..NetworkFilter::default() }, &grn), [1, 3, 4, 5]);
    let rate = |most| left(&NetworkFilter { false_discovery_rate: Some(most), ..NetworkFilter::default() }, &grn);
    // Of the edges in their order: 0.01, 0.1, 0.5, 0.5, 0.1.
    assert_eq!((rate(0.009), rate(0.01), rate(0.1)), (vec![], vec![1], vec![1, 2, 5]));
    let untested = network(6, &[(0, 4, 0.9)]);
    assert!(!untested.has_false_discovery_rates() && grn.has_false_discovery_rates());
    assert!(left(&NetworkFilter { false_discovery_rate: Some(1.0), ..NetworkFilter::default() }, &untested).is_empty());
}

#[test]
fn members_of_an_ensemble_judge_the_edges_left_by_the_limits() {
    let edges = [(0, 1, 0.9), (0, 2, 0.8), (3, 4, 0.7), (4, 5, 0.6)];
    let agreed = |least, top| NetworkFilter { minimum_agreement: Some(least), ..NetworkFilter::top(top) };
    assert_eq!(left(&agreed(1.0, 3), &network(6, &edges)), [1, 2, 3], "no ensemble: nothing to go by");
    let ranks_of = vec![vec![1, 2, 3, 4], vec![1, 4, 2, 3], vec![3, 2, 1, 4], vec![1, 3, 4, 2]];
    let grn = network(6, &edges).with_member_ranks(MemberRanks::new(ranks_of));
    // Of their best 3 all four have the first, three the others; of their best 2 three, two and two.
    assert_eq!(left(&agreed(1.0, 3), &grn), [1]);
    assert_eq!(left(&agreed(0.75, 3), &grn), [1, 2, 3]);
    assert_eq!(left(&agreed(0.75, 2), &grn), [1]);
    assert_eq!(left(&agreed(0.0, 3), &grn), [1, 2, 3]);
    let view = agreed(0.75, 2).apply(&grn);
    let agreement = view.agreement().unwrap();
    assert_eq!((view.members_keep(), agreement.kept()), (Some(2), 2), "counted as before the filter");
    assert_eq!(agreement.keeping(&grn.edges()[1]), 2);
    // Hidden genes go afterwards and change no count.
    let hidden = NetworkFilter { hidden: BTreeSet::from(["G4".into()]), ..agreed(0.75, 3) };
    assert_eq!((left(&hidden, &grn), hidden.apply(&grn).members_keep()), (vec![1, 2], Some(3)));
    let open = NetworkFilter::top(2).apply(&grn);
    assert_eq!((open.members_keep(), open.agreement().unwrap().kept()), (None, 2));
    let shares = MemberRanks::new(vec![vec![1]; 10]);
    assert_eq!([0.0, 0.7, 0.71, 1.0].map(|share| shares.fewest(share)), [0, 7, 8, 10]);
}

#[test]
fn hidden_genes_leave_a_gap_that_nothing_fills() {
    let grn = network(6, &[(0, 1, 0.9), (0, 2, 0.8), (3, 4, 0.7), (4, 5, 0.6)]);
    let hidden = BTreeSet::from(["G0".to_owned(), "no gene".to_owned()]);
    assert_eq!(left(&NetworkFilter { hidden, ..NetworkFilter::top(3) }, &grn), [3]);
}

#[test]
fn every_gene_left_has_enough_edges() {
    // A triangle with a tail of two.
    let grn = network(6, &[(0, 1, 0.9), (1, 2, 0.8), (2, 0, 0.7), (2, 3, 0.6), (3, 4, 0.5)]);
    let degree = |least| left(&NetworkFilter { minimum_degree: least, ..NetworkFilter::default() }, &grn);
    assert_eq!(degree(1), [1, 2, 3, 4, 5]);
    assert_eq!(degree(2), [1, 2, 3], "the tail goes edge by edge");
    assert_eq!(degree(3), [] as [u32; 0]);
    let own = network(2, &[(0, 0, 0.9), (1, 1, 0.8), (0, 1, 0.7)]);
    let filter = NetworkFilter { minimum_degree: 3, ..NetworkFilter::default() };
    assert_eq!(left(&filter, &own), [1, 2, 3], "a loop counts twice");
}

#[test]
fn components_are_found_whatever_the_direction() {
    let grn = network(9, &[(5, 6, 0.9), (0, 1, 0.9), (2, 1, 0.8), (3, 2, 0.1), (7, 8, 0.1)]);
    let components = NetworkFilter::top(3).apply(&grn).components();
    assert_eq!(components, [vec![GeneId(0), GeneId(1), GeneId(2)], vec![GeneId(5), GeneId(6)]]);
    assert!(NetworkFilter::top(0).apply(&grn).components().is_empty());
    let component = |component| NetworkFilter { component: Some(component), ..NetworkFilter::default() };
    assert_eq!(left(&component(Component::Largest), &grn), [2, 3, 4]);
    assert_eq!(left(&component(Component::Of("G6".into())), &grn), [1]);
    assert_eq!(left(&component(Component::Of("G4".into())), &grn), [] as [u32; 0], "no edge");
    assert_eq!(left(&component(Component::Of("?".into())), &grn), [] as [u32; 0], "no gene");
    // Of two as large the first in the network.
    let twins = network(4, &[(2, 3, 0.9), (0, 1, 0.8)]);
    assert_eq!(left(&component(Component::Largest), &twins), [2]);
}

#[test]
fn a_neighbourhood_reaches_as_far_and_in_the_direction_that_is_asked() {
    // 0 → 1 → 2 → 3 → 4, and 5 → 1, 2 → 0.
    let grn = network(6, &[(0, 1, 0.9), (1, 2, 0.8), (2, 3, 0.7), (3, 4, 0.6), (5, 1, 0.5), (2, 0, 0.4)]);
    let around = |gene: &str, hops, reach| {
        let trail = vec![Neighbourhood { genes: vec![gene.into()], hops, reach }];
        left(&NetworkFilter { trail, ..NetworkFilter::default() }, &grn)
    };
    assert_eq!(around("G1", 1, Reach::Targets), [2]);
    assert_eq!(around("G1", 2, Reach::Targets), [1, 2, 3, 6], "edges between those reached are all shown");
    assert_eq!(around("G1", 1, Reach::Regulators), [1, 5]);
    assert_eq!(around("G4", 3, Reach::Regulators), [2, 3, 4]);
    assert_eq!(around("G5", 2, Reach::Both), [1, 2, 5, 6]);
    assert_eq!(around("G5", 9, Reach::Both), [1, 2, 3, 5, 6], "no farther than three");
    assert_eq!(around("?", 1, Reach::Both), [] as [u32; 0]);
    let pair = Neighbourhood { genes: vec!["G0".into(), "G4".into()], hops: 1, reach: Reach::Both };
    let back = Neighbourhood { genes: vec!["G5".into()], ..pair.clone() };
    let filter = NetworkFilter { trail: vec![back, pair], ..NetworkFilter::default() };
    assert_eq!(left(&filter, &grn), [1, 2, 3, 4, 6], "of a trail the last counts: 0, 1, 2 and 4, 3");
}

#[test]
fn filters_say_what_they_do() {
    assert_eq!(NetworkFilter::default().describe(), "all edges");
    let filter = NetworkFilter {
        false_discovery_rate: Some(0.05),
        signs: Signs { unknown: false, ..Signs::default() },
        evidence: Evidence { measured: false, predicted: false, reference: false, none: false },
        per_regulator: Some(2),
        minimum_agreement: Some(0.8),
        hidden: BTreeSet::from(["B".into(), "A".into()]),
        minimum_degree: 2,
        component: Some(Component::Largest),
        trail: vec![Neighbourhood { genes: vec!["C".into()], hops: 2, reach: Reach::Targets }],
        ..NetworkFilter::top(1500)
    };
    assert_eq!(
        filter.describe(),
        "false discovery rate at most 0.05; activating or repressing edges; no evidence; best 2 of each regulator; best 1,500 edges; \
         kept by at least 80 % of members; without A, B; at least 2 edges per gene; largest component; targets of C within 2 hops"
    );
    for step in Step::ALL {
        assert_eq!(filter.words(step).is_some(), filter.is_set(step), "{step:?}");
        assert!(!filter.without(step).is_set(step), "{step:?}");
    }
    let bare = Step::ALL.into_iter().fold(filter, |filter, step| filter.without(step));
    assert_eq!(bare, NetworkFilter::default());
}

#[test]
fn the_first_view_is_neither_empty_nor_a_hairball() {
    let count = |grn: &Grn| {
        let filter = first_view(grn);
        assert_eq!(filter.without(Step::Top), NetworkFilter::default());
        filter.top.unwrap()
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

/// Any small network: up to 12 genes, any pairs, few different probabilities so that there are ties.
fn any_network() -> impl Strategy<Value = Grn> {
    (2..13_u32).prop_flat_map(|genes| {
        let edge = (0..genes, 0..genes, 0..6_u8);
        proptest::collection::vec(edge, 0..50).prop_map(move |edges| {
            let mut seen = BTreeSet::new();
            let edges: Vec<(u32, u32, f32)> = edges
                .into_iter()
                .filter(|(regulator, target, _)| seen.insert((*regulator, *target)))
                .map(|(regulator, target, tenth)| (regulator, target, f32::from(tenth) / 5.0))
                .collect();
            network(genes, &edges)
        })
    })
}

/// Any filter, each part set or not.
fn any_filter() -> impl Strategy<Value = NetworkFilter> {
    let option = proptest::option::of::<std::ops::Range<usize>>;
    let symbol = || (0..12_u32).prop_map(|at| format!("G{at}"));
    let signs = (any::<bool>(), any::<bool>(), any::<bool>());
    let component =
        prop_oneof![Just(None), Just(Some(Component::Largest)), symbol().prop_map(|gene| Some(Component::Of(gene)))];
    let reach = prop_oneof![Just(Reach::Both), Just(Reach::Regulators), Just(Reach::Targets)];
    let trail =
        proptest::collection::vec(
            (proptest::collection::vec(symbol(), 1..3), 1..4_u8, reach)
                .prop_map(|(genes, hops, reach)| Neighbourhood { genes, hops, reach }),
            0..2,
        );
    let list = proptest::option::of(proptest::collection::vec(symbol(), 0..9));
    let probability = (proptest::option::of(0.0..1.0_f32), proptest::option::of(0.0..0.6_f32));
    let edges = (probability, signs, 0..16_u8, list, any::<bool>());
    let limits = (option(0..5), option(0..5), option(0..30), proptest::option::of(0.0..1.0_f32));
    let genes = (proptest::collection::btree_set(symbol(), 0..3), 0..4_u32, component, trail);
    (edges, limits, genes).prop_map(|(edges, limits, genes)| {
        let ((minimum_probability, false_discovery_rate), (activates, represses, unknown), kinds, list, measured_only) =
            edges;
        let (per_regulator, per_target, top, minimum_agreement) = limits;
        let (hidden, minimum_degree, component, trail) = genes;
        let kind = |bit: u8| kinds & (1 << bit) == 0;
        NetworkFilter {
            minimum_probability,
            false_discovery_rate,
            signs: Signs { activates, represses, unknown },
            evidence: Evidence { measured: kind(0), predicted: kind(1), reference: kind(2), none: kind(3) },
            regulators: list.map(|genes| Arc::new(GeneList::new("list", genes))),
            measured_only,
            per_regulator,
            per_target,
            top,
            minimum_agreement,
            hidden,
            minimum_degree,
            component,
            trail,
        }
    })
}

/// The part of `grn` left by `filter` as a network of the same genes.
fn part(grn: &Grn, filter: &NetworkFilter) -> Grn {
    Grn::new(grn.genes().to_vec(), filter.apply(grn).edges().copied().collect()).unwrap()
}

fn pairs(grn: &Grn) -> Vec<(GeneId, GeneId)> {
    grn.edges().iter().map(|edge| (edge.regulator, edge.target)).collect()
}

/// `filter` with nothing but `step`.
fn only(filter: &NetworkFilter, step: Step) -> NetworkFilter {
    Step::ALL.into_iter().filter(|other| *other != step).fold(filter.clone(), |filter, other| filter.without(other))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// All filters at once are the same as one after the other in their order, with both limits per gene in one.
    #[test]
    fn filters_work_one_after_the_other(grn in any_network(), filter in any_filter()) {
        let mut left = part(&grn, &Step::ALL[6..].iter().fold(filter.clone(), |filter, step| filter.without(*step)));
        let per_gene = NetworkFilter {
            per_regulator: filter.per_regulator,
            per_target: filter.per_target,
            ..NetworkFilter::default()
        };
        left = part(&left, &per_gene);
        for step in &Step::ALL[8..] {
            left = part(&left, &only(&filter, *step));
        }
        prop_assert_eq!(pairs(&left), pairs(&part(&grn, &filter)));
    }

    /// Tests of single edges, hidden genes among them, give the same in any order.
    #[test]
    fn tests_of_edges_commute(grn in any_network(), filter in any_filter(), order in any::<u64>()) {
        let mut tests = Step::ALL[..6].to_vec();
        tests.push(Step::Hidden);
        let forward = tests.iter().fold(NetworkFilter::default(), |all, step| all_of(&all, &filter, *step));
        let mut seed = order;
        for at in (1..tests.len()).rev() {
            tests.swap(at, (seed % (at as u64 + 1)) as usize);
            seed /= at as u64 + 1;
        }
        let mut left = part(&grn, &NetworkFilter::default());
        for step in tests {
            left = part(&left, &only(&filter, step));
        }
        prop_assert_eq!(pairs(&left), pairs(&part(&grn, &forward)));
    }

    /// Counts never grow, are told for what is set and nothing else, and the last ones are those of the view.
    #[test]
    fn counts_add_up(grn in any_network(), filter in any_filter()) {
        let (view, left) = filter.apply_counting(&grn);
        prop_assert_eq!(ranks(&view), ranks(&filter.apply(&grn)));
        let set: Vec<Step> = Step::ALL.into_iter().filter(|step| filter.is_set(*step)).collect();
        prop_assert_eq!(left.iter().map(|left| left.step).collect::<Vec<_>>(), set);
        let mut before = (grn.edges().len(), grn.genes().len());
        for left in &left {
            prop_assert!(left.edges <= before.0 && left.genes <= before.1);
            prop_assert!(left.genes <= 2 * left.edges);
            before = (left.edges, left.genes);
        }
        if let Some(last) = left.last() {
            prop_assert_eq!((last.edges, last.genes), (view.edge_count(), view.genes().len()));
        }
        let degrees: u32 = view.genes().iter().map(|gene| view.degree(*gene)).sum();
        prop_assert_eq!(degrees as usize, 2 * view.edge_count());
    }

    /// Loosening a filter never hides an edge, but for what follows a limit of number or joins components.
    #[test]
    fn tests_and_degrees_only_take_away(grn in any_network(), filter in any_filter(), looser in 0..7_usize) {
        let simple = NetworkFilter { per_regulator: None, per_target: None, top: None, component: None, ..filter };
        let step = [
            Step::Probability,
            Step::FalseDiscovery,
            Step::Signs,
            Step::Evidence,
            Step::Regulators,
            Step::Hidden,
            Step::Degree,
        ][looser];
        let (tight, loose) = (left(&simple, &grn), left(&simple.without(step), &grn));
        prop_assert!(tight.iter().all(|rank| loose.contains(rank)));
    }

    /// Every gene of a core has enough edges, and no larger part does.
    #[test]
    fn a_core_is_the_largest_part_with_enough_edges(grn in any_network(), least in 2..4_u32) {
        let view = NetworkFilter { minimum_degree: least, ..NetworkFilter::default() }.apply(&grn);
        prop_assert!(view.genes().iter().all(|gene| view.degree(*gene) >= least));
        // Take genes away one by one, whichever comes first.
        let mut edges: Vec<Edge> = grn.edges().to_vec();
        while let Some(gene) = (0..grn.genes().len() as u32).map(GeneId).find(|gene| {
            let ends = edges.iter().flat_map(|edge| [edge.regulator, edge.target]);
            (1..least as usize).contains(&ends.filter(|end| end == gene).count())
        }) {
            edges.retain(|edge| edge.regulator != gene && edge.target != gene);
        }
        prop_assert_eq!(ranks(&view), edges.iter().map(|edge| edge.rank).collect::<Vec<_>>());
    }
}

/// `all` with `step` of `filter`.
fn all_of(all: &NetworkFilter, filter: &NetworkFilter, step: Step) -> NetworkFilter {
    let mut all = all.clone();
    match step {
        Step::Probability => all.minimum_probability = filter.minimum_probability,
        Step::FalseDiscovery => all.false_discovery_rate = filter.false_discovery_rate,
        Step::Signs => all.signs = filter.signs,
        Step::Evidence => all.evidence = filter.evidence,
        Step::Regulators => all.regulators = filter.regulators.clone(),
        Step::Measured => all.measured_only = filter.measured_only,
        Step::Hidden => all.hidden = filter.hidden.clone(),
        other => panic!("{other:?} is no test of edges"),
    }
    all
}
