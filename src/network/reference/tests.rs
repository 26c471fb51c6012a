use super::*;
use crate::network::formats::{FileEdge, FileNode};
use crate::network::gene_names::GeneNames;
use crate::network::{Edge, GeneId, Grn, NetworkGene, SignEvidence, fixtures};

fn reference(undirected: bool, edges: &[(&str, &str, &str)]) -> ReferenceNetwork {
    let mut contents = NetworkContents { name: "known".to_owned(), undirected, ..NetworkContents::default() };
    let node = |symbol: &str, contents: &mut NetworkContents| {
        contents.nodes.iter().position(|node| node.symbol == symbol).unwrap_or_else(|| {
            contents.nodes.push(FileNode { symbol: symbol.to_owned(), ..FileNode::default() });
            contents.nodes.len() - 1
        })
    };
    for (from, to, _) in edges {
        let (from, to) = (node(from, &mut contents), node(to, &mut contents));
        contents.edges.push(FileEdge { from, to, ..FileEdge::default() });
    }
    let signs = edges.iter().map(|(.., sign)| Some(*sign));
    contents.edge_columns.push(crate::network::formats::Column::texts("sign", signs));
    ReferenceNetwork::of(&contents, "table")
}

fn network(symbols: &[&str], edges: &[(u32, u32, Sign)]) -> Grn {
    let gene = |symbol: &&str| NetworkGene { measured: true, ..NetworkGene::named(*symbol) };
    let edge = |(at, &(regulator, target, sign)): (usize, &(u32, u32, Sign))| Edge {
        sign,
        evidence: SignEvidence::Measured,
        ..fixtures::edge(regulator, target, 1.0 - at as f32 / 100.0)
    };
    Grn::new(symbols.iter().map(gene).collect(), edges.iter().enumerate().map(edge).collect()).unwrap()
}

#[test]
fn repeated_pairs_keep_the_sign_on_which_all_agree() {
    let known = reference(
        false,
        &[
            ("A", "B", "+"),
            ("A", "B", "?"),
            ("A", "C", "+"),
            ("A", "C", "-"),
            ("A", "C", "+"),
            ("B", "A", "?"),
            ("B", "A", "-"),
            ("C", "C", "+"),
        ],
    );
    assert_eq!((known.edge_count(), known.repeated(), known.signed_count()), (3, 4, 2));
    assert_eq!(known.sign_between("A", "B"), Some(Sign::Activates));
    assert_eq!(known.sign_between("A", "C"), Some(Sign::Unknown));
    assert_eq!(known.sign_between("B", "A"), Some(Sign::Represses));
    assert_eq!(
        (known.sign_between("C", "C"), known.sign_between("C", "A"), known.sign_between("X", "A")),
        (None, None, None)
    );
}

#[test]
fn overlap_counts_what_both_could_have() {
    let known =
        reference(false, &[("A", "B", "+"), ("A", "C", "-"), ("B", "D", "+"), ("X", "A", "+"), ("B", "Y", "?")]);
    let edges = [
        (0, 1, Sign::Activates),
        (0, 2, Sign::Activates),
        (0, 3, Sign::Unknown),
        (1, 2, Sign::Activates),
        (1, 3, Sign::Unknown),
        (4, 1, Sign::Activates),
    ];
    let grn = network(&["A", "B", "C", "D", "E"], &edges);
    let overlay = ReferenceOverlay::of(&known, &grn, None);
    assert!(!overlay.ignoring_case);
    let overlap = overlay.overlap(&grn.edges()[..4]);
    // Regulators A and B (E is unknown), targets B, C and D: 6 pairs less B → B.
    assert_eq!((overlap.genes, overlap.pairs, overlap.known, overlap.shown, overlap.common), (4, 5, 3, 4, 2));
    assert_eq!((overlap.same_sign, overlap.opposite_sign), (1, 1));
    assert!((overlap.expected - 2.4).abs() < 1e-12);
    // hypergeom.sf(1, 5, 3, 4): at least two of three cannot be missed.
    assert!((overlap.p_value - 1.0).abs() < 1e-12);
    let missing = overlay.missing(&grn.edges()[..4]);
    assert_eq!(missing, [ReferenceEdge { regulator: GeneId(1), target: GeneId(3), sign: Sign::Activates }]);
    assert_eq!(overlay.between().len(), 3);
    assert_eq!(overlay.overlap(&[] as &[Edge]).p_value, 1.0);
}

#[test]
fn undirected_pairs_count_both_ways() {
    let known = reference(true, &[("B", "A", "?"), ("A", "B", "?")]);
    assert_eq!((known.edge_count(), known.sign_between("A", "B")), (1, Some(Sign::Unknown)));
    let grn = network(&["A", "B", "C"], &[(0, 1, Sign::Activates), (1, 0, Sign::Unknown), (1, 2, Sign::Unknown)]);
    let overlay = ReferenceOverlay::of(&known, &grn, None);
    assert_eq!(grn.edges().iter().map(|edge| overlay.sign_of(edge).is_some()).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(overlay.between().len(), 2);
}

#[test]
fn genes_of_another_species_match_without_case() {
    let known = reference(false, &[("STAT1", "IRF1", "+"), ("JAK2", "STAT1", "+")]);
    let grn = network(&["Stat1", "Irf1", "Jak2"], &[(0, 1, Sign::Activates)]);
    let overlay = ReferenceOverlay::of(&known, &grn, None);
    assert!(overlay.ignoring_case);
    assert_eq!(overlay.overlap(grn.edges()).common, 1);
}

#[test]
fn genes_are_known_by_their_other_names_where_these_mean_one_gene() {
    let known = reference(false, &[("WDR66", "P21", "+"), ("CFAP251", "TP53", "-"), ("MLL", "CIP1", "+")]);
    let grn = network(&["CFAP251", "CDKN1A", "KMT2A", "TP53"], &[(0, 3, Sign::Represses), (2, 1, Sign::Activates)]);
    let text = "symbol\tprev_symbol\talias_symbol\nCFAP251\tWDR66\t\nCDKN1A\t\tP21|CIP1\nTCEAL1\t\tP21\nKMT2A\tMLL\t\n";
    let names = GeneNames::parse(text, "names.tsv").unwrap();
    let told = |names| {
        let overlay = ReferenceOverlay::of(&known, &grn, names);
        (overlay.renamed, overlay.overlap(grn.edges()).genes, overlay.overlap(grn.edges()).common)
    };
    assert_eq!(told(None), (0, 2, 1));
    // MLL and CIP1; CFAP251 is known by its symbol, P21 may be another gene.
    assert_eq!(told(Some(&names)), (2, 4, 2));
}
