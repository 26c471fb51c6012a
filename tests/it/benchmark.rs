//! Baselines of networks on gold standards, without a model.

use std::path::{Path, PathBuf};

use grn_explorer::data::ImportOptions;
use grn_explorer::evaluation::report::{BenchmarkReport, NetworkScore};
use grn_explorer::jobs::Silent;
use grn_explorer::network::formats;
use grn_explorer::network::formats::MatrixRows;
use grn_explorer::tasks::benchmark::{BenchmarkOptions, benchmark};
use grn_explorer::tasks::import_choices::Decisions;

use super::reference::{data_dir, data_file};

fn run(data: &Path, truth: &Path, options: BenchmarkOptions) -> BenchmarkReport {
    let options = BenchmarkOptions { truth: Some(truth.to_owned()), ..options };
    let report = benchmark(data, &Decisions::default(), &options, &Silent).unwrap_or_else(|error| panic!("{error:#}"));
    for gold in &report.gold_standards {
        println!("{} ({} of {} pairs)", gold.universe, gold.true_edges, gold.candidates);
        for score in &gold.methods {
            println!(
                "  {:20} AUPRC {:.3} AUROC {:.3} EPR {:.2} signs {:?} ranked {:.2}",
                score.method,
                score.auprc.unwrap_or(f64::NAN),
                score.auroc.unwrap_or(f64::NAN),
                score.early_precision_ratio.unwrap_or(f64::NAN),
                score.sign_accuracy,
                score.ranked_share
            );
        }
    }
    report.notes.iter().for_each(|note| println!("  {note}"));
    report
}

fn score<'a>(report: &'a BenchmarkReport, method: &str) -> &'a NetworkScore {
    let gold = &report.gold_standards[0];
    gold.methods.iter().find(|score| score.method == method).unwrap_or_else(|| panic!("{method}"))
}

fn near(found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.expect("a value");
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

fn default() -> BenchmarkOptions {
    BenchmarkOptions::default()
}

/// A folder of the data, or none with a printed reason.
fn data_folder(name: &str) -> Option<PathBuf> {
    let path = data_dir().join(name);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is not there (set GRN_DATA_DIR)", path.display());
    None
}

#[test]
fn the_plain_knock_out_score_does_on_dream4_what_it_is_known_for() {
    let known = [(1, 0.488, 0.908), (2, 0.388, 0.797), (3, 0.380, 0.829)];
    for (network, auprc, auroc) in known {
        let name = |file: &str| format!("dream4_size100/net{network}/{file}");
        let Some(data) = data_file(&name(&format!("insilico_size100_{network}_knockouts.tsv"))) else { return };
        let Some(truth) = data_file(&name(&format!("DREAM4_GoldStandard_InSilico_Size100_{network}.tsv"))) else {
            return;
        };
        let report = run(&data, &truth, BenchmarkOptions { tree_cells: 0, ..default() });
        assert!(report.data.against.as_ref().unwrap().contains("wildtype"), "{:?}", report.data.against);
        assert_eq!((report.data.cells, report.gold_standards.len()), (false, 1));
        assert_eq!(report.gold_standards[0].candidates, 9_900);
        let z = score(&report, "Knock-out z-score");
        near(z.auprc, auprc, 0.000_5);
        near(z.auroc, auroc, 0.000_55);
        let curve = &z.curve;
        assert!((50..=200).contains(&curve.len()) && (curve.last().unwrap().recall - 1.0).abs() < 1e-12);
        let density = report.gold_standards[0].density.unwrap();
        near(score(&report, "Random order").auprc, density, 0.01);
        // Others know something, too, and less.
        for method in ["Mean difference", "Correlation", "Ridge regression"] {
            let own = score(&report, method).auprc.unwrap();
            assert!(own > 2.0 * density && own < auprc, "{method} {own}");
        }
    }
}

#[test]
fn boosted_trees_find_edges_of_dream4() {
    let name = |file: &str| format!("dream4_size100/net1/{file}");
    let Some(data) = data_file(&name("insilico_size100_1_knockouts.tsv")) else { return };
    let Some(truth) = data_file(&name("DREAM4_GoldStandard_InSilico_Size100_1.tsv")) else { return };
    let report = run(&data, &truth, default());
    let trees = score(&report, "Boosted trees");
    // As scikit-learn's boosting with the same settings: 0.067 and 0.074, 0.768 and 0.771 with two seeds.
    near(trees.auprc, 0.07, 0.02);
    near(trees.auroc, 0.77, 0.03);
    assert_eq!(trees.sign_accuracy, None);
    let knock_downs = data.with_file_name("insilico_size100_1_knockdowns.tsv");
    let report = run(&knock_downs, &truth, BenchmarkOptions { tree_cells: 0, ..default() });
    assert!(score(&report, "Knock-out z-score").auroc.unwrap() > 0.7);
}

#[test]
fn floats_of_a_simulated_screen_are_taken_as_they_are() {
    let Some(folder) = data_folder("sergio_knockout") else { return };
    let find = |ending: &str| {
        let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.to_string_lossy().ends_with(ending)).min().unwrap()
    };
    let report = run(&find(".h5ad"), &find(".csv"), BenchmarkOptions { tree_cells: 1_000, ..default() });
    assert!(report.data.values.contains("as they are"), "{}", report.data.values);
    assert!(report.truth.as_ref().unwrap().contains("rows are targets"));
    let gold = &report.gold_standards[0];
    assert_eq!(gold.candidates, 90);
    for method in ["Mean difference", "Boosted trees"] {
        assert!(score(&report, method).auprc.unwrap() > gold.density.unwrap(), "{method}");
    }
    let turned = BenchmarkOptions { tree_cells: 0, truth_rows: MatrixRows::Regulators, ..default() };
    let turned = run(&find(".h5ad"), &find(".csv"), turned);
    let of = |report: &BenchmarkReport| score(report, "Mean difference").auprc;
    assert!(of(&turned) < of(&report), "the other way round it fits worse");
    assert!(report.network_tests.is_some());
}

#[test]
fn a_folder_of_interventions_is_a_screen() {
    let Some(folder) = data_folder("sachs2005") else { return };
    let truth = folder.join("consensus_edges.tsv");
    let report = run(&folder, &truth, BenchmarkOptions { tree_cells: 1_000, ..default() });
    assert_eq!((report.data.genes, report.data.perturbations), (11, 5));
    assert!(report.data.control_cells > 800 && report.data.cells);
    assert!(report.notes.iter().any(|note| note.contains("counted from 0")), "{:?}", report.notes);
    assert_eq!(report.gold_standards.len(), 2, "all pairs, and those of the five perturbed proteins");
    assert_eq!(report.gold_standards[1].candidates, 50);
    // Phosphorylation of neighbours goes together: the oldest finding on these data.
    assert!(score(&report, "Correlation").auprc.unwrap() > 1.5 * report.gold_standards[0].density.unwrap());
}

#[test]
fn observational_cells_with_genes_in_rows_are_ranked_too() {
    for name in ["GSD-2000-1", "HSC-2000-1", "VSC-2000-1", "mCAD-2000-1"] {
        let Some(folder) = data_folder(&format!("beeline_curated/{name}")) else { return };
        let options = BenchmarkOptions { tree_cells: 500, ..default() };
        let report = run(&folder.join("ExpressionData.csv"), &folder.join("refNetwork.csv"), options);
        assert_eq!((report.data.rows, report.data.perturbations), (2_000, 0));
        let methods: Vec<&str> = report.methods.iter().map(|method| method.method.as_str()).collect();
        assert_eq!(methods, ["Correlation", "Boosted trees", "Random order"]);
        assert!(score(&report, "Correlation").sign_accuracy.is_some(), "the reference has signs");
        assert_eq!(score(&report, "Boosted trees").ranked_share, 1.0);
    }
}

#[test]
fn ranked_edges_are_written_and_read_as_networks() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let mut table = "A\tB\tC\tD\tE\n".to_owned();
    for row in 0..5 {
        let value = |column: usize| if row == column { 0.0 } else { 1.0 + 0.1 * ((row * 7 + column * 3) % 5) as f64 };
        table.push_str(&(0..5).map(|column| format!("{:.2}", value(column))).collect::<Vec<_>>().join("\t"));
        table.push('\n');
    }
    let data = write("knockouts.tsv", &table);
    let truth = write("truth.tsv", "A\tB\t1\nB\tC\t1\nC\tA\t0\nD\tE\t0\n");
    let out = folder.path().join("edges");
    let report = run(&data, &truth, BenchmarkOptions { edges_out: Some(out.clone()), ..default() });
    assert_eq!(report.data.against.as_deref(), Some("the median over the perturbations, as there is no control"));
    for method in &report.methods {
        let (contents, _) = formats::read(Path::new(method.file.as_ref().unwrap()), &Silent).unwrap();
        assert_eq!(contents.edges.len(), method.edges, "{}", method.method);
        assert!(contents.to_grn().is_ok());
    }
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), report.methods.len());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(serde_json::from_value::<BenchmarkReport>(json).unwrap(), report);

    let strangers = write("strangers.tsv", "X\tY\t1\nY\tZ\t0\n");
    let options = BenchmarkOptions { truth: Some(strangers), ..default() };
    let error = benchmark(&data, &Decisions::from(ImportOptions::default()), &options, &Silent).unwrap_err();
    assert!(format!("{error:#}").contains("none is in the data"), "{error:#}");
}
