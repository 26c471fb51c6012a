use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::jobs::Silent;
use crate::network::filter::NetworkFilter;
use crate::network::fixtures;

fn network(genes: u32, edges: &[(u32, u32, f32)]) -> Grn {
    signed(genes, &edges.iter().map(|&(a, b, p)| (a, b, p, Sign::Activates)).collect::<Vec<_>>())
}

fn signed(genes: u32, edges: &[(u32, u32, f32, Sign)]) -> Grn {
    fixtures::signed(fixtures::numbered(genes), edges)
}

fn all(grn: &Grn) -> NetworkView<'_> {
    NetworkFilter::default().apply(grn)
}

fn genes(path: &Path) -> Vec<u32> {
    path.genes().iter().map(|gene| gene.0).collect()
}

fn find(grn: &Grn, from: u32, to: u32, count: usize, walk: Walk) -> Vec<Path> {
    k_shortest(&all(grn), GeneId(from), GeneId(to), count, walk, &Silent).unwrap()
}

/// The example of Yen's algorithm by hand: 0 → 5 over 1, 2, 3, 4.
fn example() -> Grn {
    network(
        6,
        &[
            (0, 1, 0.5),
            (0, 2, 0.8),
            (1, 3, 0.5),
            (2, 1, 0.9),
            (2, 3, 0.5),
            (2, 4, 0.6),
            (3, 4, 0.8),
            (3, 5, 0.9),
            (4, 5, 0.7),
        ],
    )
}

#[test]
fn paths_come_in_the_order_of_their_probability() {
    let grn = example();
    let paths = find(&grn, 0, 5, 9, Walk::Along);
    let found: Vec<(Vec<u32>, f64)> = paths.iter().map(|path| (genes(path), path.probability(&grn))).collect();
    // 0.8·0.5·0.9, 0.8·0.6·0.7, 0.8·0.9·0.5·0.9, 0.5·0.5·0.9, 0.8·0.5·0.8·0.7, 0.8·0.9·0.5·0.8·0.7, 0.5·0.5·0.8·0.7
    let expected = [
        (vec![0, 2, 3, 5], 0.36),
        (vec![0, 2, 4, 5], 0.336),
        (vec![0, 2, 1, 3, 5], 0.324),
        (vec![0, 1, 3, 5], 0.225),
        (vec![0, 2, 3, 4, 5], 0.224),
        (vec![0, 2, 1, 3, 4, 5], 0.2016),
        (vec![0, 1, 3, 4, 5], 0.14),
    ];
    assert_eq!(found.len(), expected.len(), "there are no more");
    for ((genes, probability), (expected, product)) in found.iter().zip(&expected) {
        assert_eq!(genes, expected);
        assert!((probability - product).abs() < 1e-7, "{probability} instead of {product}");
    }
    for path in &paths {
        assert!(((-path.length()).exp() - path.probability(&grn)).abs() < 1e-12);
    }
    assert_eq!(find(&grn, 0, 5, 3, Walk::Along), paths[..3]);
    assert_eq!(shortest(&all(&grn), GeneId(0), GeneId(5), Walk::Along).as_ref(), Some(&paths[0]));
}

#[test]
fn direction_matters_unless_it_is_ignored() {
    let grn = example();
    assert!(find(&grn, 5, 0, 3, Walk::Along).is_empty());
    let back = find(&grn, 5, 0, 1, Walk::Either);
    assert_eq!(genes(&back[0]), [5, 3, 2, 0]);
    assert!(back[0].steps().iter().all(|step| !step.forward));
    // Between 0 and 1 both edges: the more probable one is walked, whichever way it points.
    let both = network(2, &[(0, 1, 0.4), (1, 0, 0.9)]);
    assert_eq!(find(&both, 0, 1, 9, Walk::Either)[0].steps(), [PathStep { edge: 0, forward: false }]);
    assert_eq!(find(&both, 0, 1, 9, Walk::Either).len(), 1, "one path of genes");
    assert_eq!(find(&both, 0, 1, 9, Walk::Along)[0].steps(), [PathStep { edge: 1, forward: true }]);
}

#[test]
fn there_is_no_path_to_oneself_nowhere_or_by_impossible_edges() {
    let grn = network(4, &[(0, 0, 0.9), (0, 1, 0.0), (1, 2, 0.5)]);
    assert!(find(&grn, 0, 0, 3, Walk::Either).is_empty());
    assert!(find(&grn, 0, 2, 3, Walk::Either).is_empty(), "an edge of probability 0 leads nowhere");
    assert!(find(&grn, 2, 3, 3, Walk::Either).is_empty());
    assert!(find(&grn, 1, 2, 0, Walk::Along).is_empty());
    assert_eq!(shortest(&all(&grn), GeneId(9), GeneId(1), Walk::Along), None, "no such gene");
    assert_eq!(shortest(&all(&grn), GeneId(1), GeneId(9), Walk::Along), None);
}

#[test]
fn certain_edges_have_no_length_and_fewer_of_them_come_first() {
    let grn = network(4, &[(0, 1, 1.0), (1, 2, 1.0), (2, 1, 1.0), (2, 3, 1.0), (0, 3, 1.0), (1, 3, 1.0)]);
    let paths = find(&grn, 0, 3, 9, Walk::Along);
    assert_eq!(paths.iter().map(genes).collect::<Vec<_>>(), [vec![0, 3], vec![0, 1, 3], vec![0, 1, 2, 3]]);
    assert!(paths.iter().all(|path| path.length() == 0.0));
}

#[test]
fn the_sign_of_a_path_is_the_product_of_its_signs() {
    use Sign::{Activates, Represses, Unknown};
    let edges = [(0, 1, 0.9, Represses), (1, 2, 0.9, Represses), (2, 3, 0.9, Represses), (3, 4, 0.9, Unknown)];
    let grn = signed(5, &edges);
    let sign = |to| find(&grn, 0, to, 1, Walk::Along)[0].sign(&grn);
    assert_eq!([1, 2, 3, 4].map(sign), [Represses, Activates, Represses, Unknown]);
}

#[test]
fn paths_keep_to_the_edges_that_are_shown() {
    let grn = example();
    let view = NetworkFilter::probable(0.55).apply(&grn);
    let paths = k_shortest(&view, GeneId(0), GeneId(5), 9, Walk::Along, &Silent).unwrap();
    assert_eq!(paths.iter().map(genes).collect::<Vec<_>>(), [[0, 2, 4, 5]]);
}

#[test]
fn what_genes_have_in_common_is_ordered_by_how_many_share_it() {
    // 4 regulates 0, 1, 2; 5 regulates 0, 1 strongly; 3 regulates 0, 2 weakly; 0 regulates 1 alone.
    let edges = [
        (4, 0, 0.5),
        (4, 1, 0.5),
        (4, 2, 0.5),
        (5, 0, 0.9),
        (5, 1, 0.9),
        (3, 0, 0.6),
        (3, 2, 0.6),
        (0, 1, 0.8),
        (4, 4, 0.9),
    ];
    let grn = network(6, &edges);
    let asked = [0, 1, 2].map(GeneId);
    let found = common_regulators(&all(&grn), &asked);
    assert_eq!(
        found.iter().map(|shared| (shared.gene.0, shared.edges.len())).collect::<Vec<_>>(),
        [(4, 3), (5, 2), (3, 2)]
    );
    let targets: Vec<u32> = found[0].edges.iter().map(|&edge| grn.edges()[edge as usize].target.0).collect();
    assert_eq!(targets, [0, 1, 2], "in the order asked");
    let found = common_targets(&all(&grn), &[GeneId(3), GeneId(4), GeneId(5), GeneId(5)]);
    assert_eq!(
        found.iter().map(|shared| (shared.gene.0, shared.edges.len())).collect::<Vec<_>>(),
        [(0, 3), (1, 2), (2, 2)]
    );
    assert!(common_targets(&all(&grn), &[GeneId(3)]).is_empty());
    // A selected gene may itself be the common regulator.
    let own = network(3, &[(0, 1, 0.9), (0, 2, 0.9)]);
    assert_eq!(common_regulators(&all(&own), &asked)[0].gene, GeneId(0));
}

/// All paths without a loop, by trying everything.
fn every_path(grn: &Grn, from: u32, to: u32, walk: Walk) -> Vec<(f64, Vec<u32>)> {
    fn extend(grn: &Grn, to: u32, walk: Walk, path: &mut Vec<u32>, found: &mut BTreeSet<Vec<u32>>) {
        let last = path[path.len() - 1];
        if last == to {
            found.insert(path.clone());
            return;
        }
        for edge in grn.edges().iter().filter(|edge| edge.probability > 0.0) {
            let (a, b) = (edge.regulator.0, edge.target.0);
            for (a, b) in [(a, b), (b, a)].into_iter().take(if walk == Walk::Along { 1 } else { 2 }) {
                if a == last && !path.contains(&b) {
                    path.push(b);
                    extend(grn, to, walk, path, found);
                    path.pop();
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    if from != to {
        extend(grn, to, walk, &mut vec![from], &mut found);
    }
    let length = |path: &[u32]| -> f64 {
        let best = |a: u32, b: u32| {
            let forward = grn.edge(GeneId(a), GeneId(b)).map(|edge| edge.probability);
            let backward = grn.edge(GeneId(b), GeneId(a)).map(|edge| edge.probability).filter(|_| walk == Walk::Either);
            -f64::from(forward.into_iter().chain(backward).fold(0.0, f32::max)).ln()
        };
        path.windows(2).map(|pair| best(pair[0], pair[1])).sum()
    };
    let mut found: Vec<(f64, Vec<u32>)> = found.into_iter().map(|path| (length(&path), path)).collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The same lengths as by trying everything, each path once and without loops, and the same each time.
    #[test]
    fn no_path_is_missed(
        count in 2..7_u32,
        edges in proptest::collection::vec((0..7_u32, 0..7_u32, 0..11_u8), 0..26),
        ends in (0..7_u32, 0..7_u32),
        wanted in 1..40_usize,
        either in any::<bool>(),
    ) {
        let mut seen = BTreeSet::new();
        let edges: Vec<(u32, u32, f32)> = edges
            .into_iter()
            .map(|(a, b, tenth)| (a % count, b % count, f32::from(tenth) / 10.0))
            .filter(|(a, b, _)| seen.insert((*a, *b)))
            .collect();
        let grn = network(count, &edges);
        let (from, to) = (ends.0 % count, ends.1 % count);
        let walk = if either { Walk::Either } else { Walk::Along };
        let paths = find(&grn, from, to, wanted, walk);
        let expected = every_path(&grn, from, to, walk);
        prop_assert_eq!(paths.len(), expected.len().min(wanted));
        let known: BTreeSet<Vec<u32>> = expected.iter().map(|(_, genes)| genes.clone()).collect();
        let mut once = BTreeSet::new();
        for (path, (length, _)) in paths.iter().zip(&expected) {
            prop_assert!((path.length() - length).abs() < 1e-9, "{} instead of {length}", path.length());
            prop_assert!(known.contains(&genes(path)) && once.insert(genes(path)));
            for (pair, step) in path.genes().windows(2).zip(path.steps()) {
                let edge = &grn.edges()[step.edge as usize];
                let ends = if step.forward { [edge.regulator, edge.target] } else { [edge.target, edge.regulator] };
                prop_assert_eq!(pair, ends);
            }
        }
        prop_assert_eq!(paths, find(&grn, from, to, wanted, walk));
    }
}
