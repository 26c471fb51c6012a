use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;
use crate::data::ImportOptions;
use crate::document::{
    ComparedWith, Comparing, EdgeAttribute, FileReference, GeneAttribute, Layout, NetworkFilter, NoteSubject, Notes,
    OtherEdges, PathQuery, Sources, Style,
};
use crate::layout::Method;
use crate::models::AskedCells;
use crate::network::filter::{Component, Evidence, GeneList, Neighbourhood, Reach, Signs};
use crate::network::paths::Walk;
use crate::training::DeviceChoice;

fn document(folder: &Path) -> Document {
    let mut document = Document {
        sources: Sources {
            dataset: Some(FileReference { path: folder.join("screen.h5ad"), hash: "ab".into() }),
            import: ImportOptions { matrix: Some("layers/counts".into()), ..ImportOptions::default() },
            model: Some(FileReference { path: folder.join("model.safetensors"), hash: "cd".into() }),
            network: Some(FileReference { path: folder.join("net.cx2"), hash: "77".into() }),
            compared: Some(FileReference { path: folder.join("other.graphml"), hash: "88".into() }),
            before: Some(FileReference { path: folder.join("before.safetensors"), hash: "99".into() }),
            reference: Some(FileReference { path: folder.join("collectri.csv"), hash: "ef".into() }),
            gene_table: Some(FileReference { path: folder.join("genes.tsv"), hash: "01".into() }),
            gene_sets: None,
            gene_names: Some(FileReference { path: folder.join("hgnc_complete_set.txt"), hash: "02".into() }),
        },
        device: DeviceChoice::Cpu,
        filter: NetworkFilter {
            minimum_probability: Some(0.5),
            false_discovery_rate: Some(0.05),
            signs: Signs { represses: false, ..Signs::default() },
            evidence: Evidence { none: false, ..Evidence::default() },
            regulators: Some(Arc::new(GeneList::new("allTFs.txt", ["STAT1", "Irf1"]))),
            measured_only: true,
            per_regulator: Some(3),
            per_target: Some(4),
            top: Some(90),
            minimum_agreement: Some(0.75),
            hidden: BTreeSet::from(["GAPDH".into()]),
            minimum_degree: 2,
            component: Some(Component::Of("STAT1".into())),
            trail: vec![Neighbourhood { genes: vec!["STAT1".into()], hops: 2, reach: Reach::Targets }],
        },
        layout: Layout { method: Method::Concentric, centre: Some("STAT1".into()), gravity: 2.5, ..Layout::default() },
        positions: Arc::new(BTreeMap::from([("STAT1".into(), [1.5, -2.25]), ("JAK2".into(), [0.1, 1e-8])])),
        pinned: BTreeSet::from(["JAK2".into()]),
        selection: vec!["STAT1".into(), "IRF1".into()],
        paths: Some(PathQuery { walk: Walk::Either, chosen: Some(2), ..PathQuery::new("STAT1", "IRF1") }),
        asked_cells: AskedCells::Responding,
        knock_out: BTreeMap::from([("IFNGR1".into(), 1.0), ("STAT1".into(), 0.3)]),
        style: Style {
            gene_colour: GeneAttribute::Column("essential".into()),
            gene_size: GeneAttribute::Betweenness,
            edge_colour: EdgeAttribute::Reference,
            edge_width: EdgeAttribute::Probability,
            mark_known: false,
            show_missing: true,
        },
        comparing: Some(Comparing {
            edges: OtherEdges::SameFilter,
            overlaid: true,
            ..Comparing::with(ComparedWith::File)
        }),
        notes: {
            let mut notes = Notes::default();
            notes.write(NoteSubject::Session, "β-catenin, \"quoted\"\nsecond line");
            notes.write(NoteSubject::Gene("STAT1".into()), "two guides");
            notes.write(NoteSubject::Edge("STAT1".into(), "IRF1".into()), "ChIP");
            notes
        },
        ..Document::default()
    };
    document.training.seed = 7;
    document.training.model.alpha = None;
    document
}

#[test]
fn a_session_round_trips() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.grn.json");
    let document = document(folder.path());
    save(&document, &path).unwrap();
    assert_eq!(load(&path).unwrap(), document);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file stays behind");
    assert!(looks_like_session(&std::fs::read_to_string(&path).unwrap()));
}

#[test]
fn the_default_document_round_trips() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.grn.json");
    save(&Document::default(), &path).unwrap();
    assert_eq!(load(&path).unwrap(), Document::default());
}

#[test]
fn a_folder_that_moved_as_a_whole_still_opens() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    std::fs::create_dir(&here).unwrap();
    std::fs::write(here.join("screen.h5ad"), "").unwrap();
    save(&document(&here), &here.join("mine.grn.json")).unwrap();
    std::fs::rename(&here, &there).unwrap();
    let moved = load(&there.join("mine.grn.json")).unwrap();
    assert_eq!(moved.sources.dataset.unwrap().path, there.join("screen.h5ad"));
    assert_eq!(moved.sources.model.unwrap().path, here.join("model.safetensors"), "the one not found keeps its name");
}

#[test]
fn what_is_no_session_is_refused_with_a_reason() {
    let read = |text: &str| from_json(text, Path::new("/")).map_err(|error| error.to_string());
    assert!(read("not json").unwrap_err().contains("not a session"));
    assert!(read("[]").unwrap_err().contains("no JSON object"));
    assert!(read("{}").unwrap_err().contains("grn_explorer_session"));
    assert!(read(r#"{"grn_explorer_session": 99}"#).unwrap_err().contains("newer version"));
    let damaged = read(r#"{"grn_explorer_session": 1, "selection": 3}"#).unwrap_err();
    assert!(damaged.contains("damaged") && damaged.contains("expected a sequence"), "{damaged}");
    assert!(read(r#"{"grn_explorer_session": 1, "threshold": {"minimum_probability": 7.0}}"#).is_err());
    assert!(read(r#"{"grn_explorer_session": 1, "filter": {"minimum_probability": -1.0}}"#).is_err());
    assert!(read(r#"{"grn_explorer_session": 1, "filter": {"minimum_agreement": 1.5}}"#).is_err());
    assert!(read(r#"{"grn_explorer_session": 1, "filter": {"false_discovery_rate": 1.5}}"#).is_err());
    assert!(read(r#"{"grn_explorer_session": 1, "filter": {"trail": [{"genes": ["A"], "hops": 0}]}}"#).is_err());
    let strong = read(r#"{"grn_explorer_session": 1, "layout": {"repulsion": 1e9}}"#).unwrap_err();
    assert!(strong.contains("the layout's repulsion is 1000000000"), "{strong}");
    assert!(read(r#"{"grn_explorer_session": 1, "paths": {"from": "A", "to": "B", "count": 0}}"#).is_err());
}

#[test]
fn a_session_without_newer_fields_takes_their_defaults() {
    let document = from_json(r#"{"grn_explorer_session": 1, "selection": ["A"]}"#, Path::new("/")).unwrap();
    assert_eq!(document, Document { selection: vec!["A".into()], ..Document::default() });
}

#[test]
fn a_folder_that_does_not_exist_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("mine.grn.json");
    assert!(matches!(save(&Document::default(), &path), Err(SessionError::Io(_))));
    assert!(!path.exists());
}

#[test]
fn a_session_from_before_filters_shows_the_same_edges() {
    let filter = |threshold: &str| {
        let text = format!(r#"{{"grn_explorer_session": 1, "threshold": {threshold}}}"#);
        from_json(&text, Path::new("/")).unwrap().filter
    };
    assert_eq!(filter(r#"{"top": 25}"#), NetworkFilter::top(25));
    assert_eq!(filter(r#"{"top_per_regulator": 2}"#), NetworkFilter::per_regulator(2));
    assert_eq!(filter(r#"{"minimum_probability": 0.25}"#), NetworkFilter::probable(0.25));
    assert_eq!(filter("null"), Document::default().filter);
    let everything = from_json(r#"{"grn_explorer_session": 1, "filter": {}}"#, Path::new("/")).unwrap();
    assert_eq!(everything.filter, NetworkFilter::default());
}
