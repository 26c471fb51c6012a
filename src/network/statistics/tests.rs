//! Numbers are those of networkx 3.6.

use super::*;
use crate::jobs::Silent;
use crate::network::fixtures::network;

/// Edges by a generator that Python has too.
fn drawn(genes: u64, edges: usize, seed: u64) -> Vec<(u32, u32, f32)> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut seen = std::collections::BTreeSet::new();
    let mut found = Vec::new();
    while found.len() < edges {
        let (from, to) = (next() % genes, next() % genes);
        let probability = (next() % 1000 + 1) as f32 / 1000.0;
        if seen.insert((from, to)) {
            found.push((from as u32, to as u32, probability));
        }
    }
    found
}

fn statistics(grn: &Grn, seed: u64) -> GeneStatistics {
    GeneStatistics::of(grn, grn.edges(), seed, &Silent).unwrap()
}

#[test]
fn degrees_ranks_and_betweenness_are_those_of_networkx() {
    let grn = network(41, &drawn(40, 120, 7));
    let found = statistics(&grn, 0);
    let expected = [
        (0, 4, 2, 0.025_221_003_343_218_92, 0.102_952_895_058_158_22),
        (1, 6, 3, 0.070_732_077_230_133_46, 0.077_711_907_975_065_84),
        (5, 5, 5, 0.031_566_347_512_736_7, 0.097_580_489_685_752_85),
        (17, 2, 3, 0.012_814_939_103_220_003, 0.046_606_901_870_059_77),
        (39, 3, 2, 0.017_462_299_532_001_496, 0.030_936_315_146_841_465),
        (40, 0, 0, 0.0, 0.0),
    ];
    for (gene, regulators, targets, rank, between) in expected {
        assert_eq!((found.in_degree[gene], found.out_degree[gene]), (regulators, targets), "gene {gene}");
        assert!((found.page_rank[gene] - rank).abs() < 1e-9, "gene {gene}: {}", found.page_rank[gene]);
        assert!((found.betweenness[gene] - between).abs() < 1e-12, "gene {gene}: {}", found.betweenness[gene]);
    }
    assert!((found.page_rank.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert_eq!(found.betweenness_sources, None);
    assert_eq!(found.community[40], None);
}

#[test]
fn communities_are_at_least_as_good_as_the_best_of_many_runs_of_networkx() {
    let grn = network(40, &drawn(40, 120, 7));
    // The best of 50 runs of its Louvain algorithm reaches 0.42932.
    let best = (0..10).map(|seed| statistics(&grn, seed).modularity).fold(0.0, f64::max);
    assert!(best > 0.429, "{best}");
    assert_eq!(statistics(&grn, 3), statistics(&grn, 3));
}

/// Zachary's karate club, 34 members.
const CLUB: [&[u32]; 34] = [
    &[1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31],
    &[2, 3, 7, 13, 17, 19, 21, 30],
    &[3, 7, 8, 9, 13, 27, 28, 32],
    &[7, 12, 13],
    &[6, 10],
    &[6, 10, 16],
    &[16],
    &[],
    &[30, 32, 33],
    &[33],
    &[],
    &[],
    &[],
    &[33],
    &[32, 33],
    &[32, 33],
    &[],
    &[],
    &[32, 33],
    &[33],
    &[32, 33],
    &[],
    &[32, 33],
    &[25, 27, 29, 32, 33],
    &[25, 27, 31],
    &[31],
    &[29, 33],
    &[33],
    &[31, 33],
    &[32, 33],
    &[32, 33],
    &[32, 33],
    &[33],
    &[],
];

#[test]
fn the_karate_club_falls_apart_at_the_known_optimum() {
    let of_one = |(from, to): (usize, &&[u32])| to.iter().map(|&to| (from as u32, to, 1.0)).collect::<Vec<_>>();
    let edges: Vec<_> = CLUB.iter().enumerate().flat_map(of_one).collect();
    assert_eq!(edges.len(), 78);
    for seed in 0..8 {
        let found = statistics(&network(34, &edges), seed);
        // No division is better (Brandes and others 2008).
        assert!((found.modularity - 0.419_789_612).abs() < 1e-8, "seed {seed}: {}", found.modularity);
        assert_eq!(found.communities, 4);
        let of = |gene: usize| found.community[gene].unwrap();
        assert_eq!((of(33), of(0), of(5)), (0, 1, 3), "numbered by size: 12, 11, 6, 5 members");
    }
}

#[test]
fn cliques_joined_by_single_edges_are_found_apart() {
    let mut edges = Vec::new();
    for clique in 0..12_u32 {
        for (a, b) in (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b))) {
            // Whichever the direction.
            let (from, to) = if (a + b) % 2 == 0 { (a, b) } else { (b, a) };
            edges.push((clique * 6 + from, clique * 6 + to, 0.9));
        }
        edges.push((clique * 6, (clique * 6 + 7) % 72, 0.9));
    }
    let found = statistics(&network(72, &edges), 1);
    assert_eq!(found.communities, 12);
    for clique in 0..12 {
        let members = &found.community[clique * 6..clique * 6 + 6];
        assert!(members.iter().all(|member| *member == members[0]), "{members:?}");
    }
}

#[test]
fn a_sample_of_sources_estimates_without_bias_and_repeats() {
    let topology = Topology::of(40, network(40, &drawn(40, 120, 7)).edges());
    let exact = betweenness(&topology, 0, &Silent).unwrap();
    assert!(exact.is_exact() && exact.sources == exact.genes);
    let sampled = |seed| betweenness::from_sources(&topology, 10, seed, &Silent).unwrap();
    assert_eq!(sampled(1), sampled(1));
    assert_ne!(sampled(1), sampled(2));
    assert_eq!((sampled(1).sources, sampled(1).is_exact()), (10, false));
    let runs: Vec<Betweenness> = (0..600).map(sampled).collect();
    for gene in 0..40 {
        let mean = runs.iter().map(|run| run.values[gene]).sum::<f64>() / runs.len() as f64;
        assert!((mean - exact.values[gene]).abs() < 0.012, "gene {gene}: {mean}, not {}", exact.values[gene]);
    }
}

#[test]
fn networks_without_edges_or_weights_have_statistics_too() {
    let empty = statistics(&network(3, &[]), 0);
    assert_eq!((empty.page_rank, empty.betweenness, empty.communities), (vec![0.0; 3], vec![0.0; 3], 0));
    let weightless = statistics(&network(3, &[(0, 1, 0.0), (1, 1, 0.0)]), 0);
    assert_eq!(weightless.page_rank, [0.5, 0.5, 0.0]);
    assert_eq!((weightless.communities, weightless.modularity), (2, 0.0));
    let pair = statistics(&network(2, &[(0, 1, 0.5)]), 0);
    assert_eq!((pair.betweenness, pair.communities), (vec![0.0, 0.0], 1));
}

#[test]
fn a_cancelled_computation_ends() {
    struct Stopped;
    impl Progress for Stopped {
        fn report(&self, _: crate::jobs::ProgressUpdate) {}
        fn is_cancelled(&self) -> bool {
            true
        }
        fn should_stop(&self) -> bool {
            true
        }
    }
    let grn = network(40, &drawn(40, 120, 7));
    assert_eq!(GeneStatistics::of(&grn, grn.edges(), 0, &Stopped), Err(Cancelled));
}

/// Not part of the usual run: `cargo test --release --lib large_networks -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn large_networks_take_seconds() {
    for (genes, edges) in [(500, 5_000), (5_000, 50_000), (20_000, 200_000)] {
        let grn = network(genes, &drawn(u64::from(genes), edges, 1));
        let topology = Topology::of(grn.genes().len(), grn.edges());
        let start = std::time::Instant::now();
        page_rank(&topology, &Silent).unwrap();
        let ranked = start.elapsed();
        let between = betweenness(&topology, 0, &Silent).unwrap();
        let followed = start.elapsed();
        let found = communities(&topology, 0, &Silent).unwrap();
        eprintln!(
            "{genes} genes, {edges} edges: PageRank {ranked:?}, betweenness {:?} ({} sources), communities {:?} \
             ({}, modularity {:.4})",
            followed - ranked,
            between.sources,
            start.elapsed() - followed,
            found.count,
            found.modularity
        );
    }
}
