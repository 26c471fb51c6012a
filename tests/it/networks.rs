//! Published reference networks and gene sets as they are downloaded, and the sample's network in every format.

use std::path::Path;

use grn_explorer::jobs::Silent;
use grn_explorer::network::formats::{self, NetworkFormat};
use grn_explorer::network::gene_sets::{GeneSets, enrichment};
use grn_explorer::network::reference::{ReferenceNetwork, ReferenceOverlay};
use grn_explorer::network::statistics::GeneStatistics;
use grn_explorer::network::{Edge, Grn};
use grn_explorer::tasks::networks::{self, Extras};

use super::reference::data_file;

#[test]
fn published_reference_networks_are_read_as_they_are() {
    // Pairs and signs counted with Python: loops left out, pairs once, signs where all lines about a pair agree.
    let cases = [
        ("collectri.csv", "CollecTRI table", 42_716, Some(42_716), false),
        ("trrust_rawdata.human.tsv", "TRRUST table", 8_419, Some(4_644), false),
        ("dorothea_hs.tsv.gz", "DoRothEA table", 454_504, Some(454_504), false),
        ("CORUM_coreComplexes.txt.zip", "CORUM table", 48_188, Some(0), true),
        ("BEELINE_human_STRING-network.csv", "table with named columns", 99_146, Some(0), false),
    ];
    for (file, layout, edges, signed, undirected) in cases {
        let Some(path) = data_file(&format!("reference_networks/{file}")) else { return };
        let network = ReferenceNetwork::read(&path, &Silent).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!((network.layout(), network.is_undirected()), (layout, undirected), "{file}");
        assert!(
            network.edge_count() <= edges && network.edge_count() * 100 >= edges * 99,
            "{file}: {}",
            network.edge_count()
        );
        assert_eq!(Some(network.signed_count()), signed, "{file}");
    }
    let Some(path) = data_file("reference_networks/collectri.csv") else { return };
    let network = ReferenceNetwork::read(&path, &Silent).unwrap();
    assert_eq!((network.name(), network.edge_count()), ("collectri", 42_716));
    assert_eq!(network.sign_between("MYC", "TERT"), Some(grn_explorer::network::Sign::Activates));
}

#[test]
fn hallmarks_of_interferon_genes_are_those_of_scipy() {
    let Some(path) = data_file("reference_networks/h.all.v7.0.symbols.gmt") else { return };
    let sets = GeneSets::read(&path).unwrap();
    let background: std::collections::BTreeSet<&str> =
        sets.sets.iter().flat_map(|set| &set.genes).map(String::as_str).collect();
    assert_eq!((sets.sets.len(), background.len()), (50, 4_384));
    let selection = ["STAT1", "IRF1", "JAK2", "PSMB9", "GBP4", "CXCL10", "IFIT3", "TNFAIP3", "NFKBIA", "MYC"];
    let found = enrichment(&sets, selection, background, 3);
    assert_eq!((found.selected, found.sets.len()), (10, 50));
    // hypergeom.sf(hits − 1, 4384, size, 10) and false_discovery_control over all 50.
    let expected = [
        ("HALLMARK_INTERFERON_GAMMA_RESPONSE", 9, 200, 6.907_021_199_046_652e-12, 3.453_510_599_523_326e-10),
        ("HALLMARK_INTERFERON_ALPHA_RESPONSE", 5, 97, 1.104_297_763_118_573_8e-6, 2.760_744_407_796_434_4e-5),
        ("HALLMARK_TNFA_SIGNALING_VIA_NFKB", 5, 200, 3.929_601_482_082_236e-5, 6.549_335_803_470_394e-4),
        ("HALLMARK_COMPLEMENT", 4, 200, 7.106_967_305_232_528e-4, 6.826_436_444_722_34e-3),
    ];
    for (set, (name, hits, size, p, q)) in found.sets.iter().zip(expected) {
        assert_eq!((set.name.as_str(), set.hits.len(), set.size), (name, hits, size));
        assert!((set.p_value / p - 1.0).abs() < 1e-8 && (set.q_value / q - 1.0).abs() < 1e-8, "{set:?}");
    }
}

fn same(a: &Grn, b: &Grn, format: NetworkFormat) {
    assert_eq!(a.edges().len(), b.edges().len(), "{format:?}");
    for edge in a.edges() {
        let find = |gene| b.find(a.symbol(gene)).unwrap_or_else(|| panic!("{format:?}"));
        let other = b.edge(find(edge.regulator), find(edge.target)).unwrap_or_else(|| panic!("{format:?}"));
        assert_eq!(edge.sign, other.sign, "{format:?}");
        if format != NetworkFormat::Sif {
            assert_eq!((edge.probability, edge.shift), (other.probability, other.shift), "{format:?}");
        }
    }
}

#[test]
fn the_network_of_a_model_survives_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let opened = networks::open(Path::new("sample_data/sample_model.safetensors"), &Silent).unwrap();
    let whole = &opened.grn;
    let edges: Vec<&Edge> = whole.edges().iter().take(150).collect();
    let statistics = GeneStatistics::of(whole, edges.iter().copied(), 0, &Silent).unwrap();
    let positions = networks::lay_out(whole, &edges, 1, &Silent).unwrap();
    let style = grn_explorer::figures::network::NetworkStyle::default();
    let figure = grn_explorer::figures::network::NetworkFigure::of(whole, edges.iter().copied(), &positions, &style);
    let extras = Extras {
        name: "Sample".to_owned(),
        figure: Some(figure),
        statistics: Some(std::sync::Arc::new(statistics)),
        ..Extras::default()
    };
    let contents = networks::contents(whole, &edges, &extras);
    assert!(contents.nodes.iter().all(|node| node.position.is_some() && node.fill.is_some() && node.size.is_some()));
    assert!(contents.edges.iter().all(|edge| edge.colour.is_some() && edge.width.is_some()));
    let (grn, _) = contents.to_grn().unwrap();
    for format in NetworkFormat::ALL {
        let path = folder.path().join(format!("sample.{}", format.extension()));
        formats::write(&path, format, &contents).unwrap();
        let read = networks::open(&path, &Silent).unwrap();
        assert!(read.model.is_none());
        same(&grn, &read.grn, format);
        // What is written can be laid over what it was made from: everything is known.
        let reference = ReferenceNetwork::read(&path, &Silent).unwrap();
        let overlay = ReferenceOverlay::of(&reference, whole, None);
        let overlap = overlay.overlap(edges.iter().copied());
        assert_eq!(overlap.common, overlap.shown, "{format:?}");
        assert_eq!(overlap.opposite_sign, 0, "{format:?}");
        assert!(overlap.p_value < 1e-6, "{format:?}: {}", overlap.p_value);
    }
}
