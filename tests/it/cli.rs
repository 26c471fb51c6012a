//! The real program, as a shell would run it.

use std::path::Path;
use std::process::{Command, Output};

use grn_explorer::models::TrainedModel;
use serde_json::Value;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grn-explorer"));
    command.current_dir(folder).args(arguments).env_remove("RUST_LOG").output().expect("the program starts")
}

/// Run and succeed; what was printed.
fn ok(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&ok(folder, &[arguments, &["--json", "--quiet"]].concat())).expect("JSON on stdout alone")
}

/// Run and fail with `code`; what was said. Nothing may be left behind.
fn fails(folder: &Path, code: i32, arguments: &[&str]) -> String {
    let before = listing(folder);
    let output = run(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
    assert_eq!(listing(folder), before, "{arguments:?} left something behind");
    assert!(!errors.contains("panicked"), "{errors}");
    errors
}

fn listing(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn simulated(folder: &Path) {
    let sizes = ["--genes", "40", "--perturbations", "8", "--cells", "400", "--seed", "3"];
    ok(folder, &[&["simulate", "screen.h5ad", "--truth", "truth.tsv"][..], &sizes].concat());
}

#[test]
fn a_run_that_does_not_fit_into_memory_is_refused_before_it_begins() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    simulated(at);
    std::fs::write(at.join("huge.toml"), SMALL.replace("decoder_hidden = 16", "decoder_hidden = 3000000"))
        .expect("written");
    let train = ["train", "screen.h5ad", "-o", "model.safetensors", "--config", "huge.toml"];
    let said = fails(at, 1, &train);
    assert!(said.contains("training would need about") && said.contains("are free; it fits with at most"), "{said}");
    assert!(said.contains("units in the decoder (now 3,000,000)"), "{said}");
    assert!(said.contains("decoder_hidden in the settings file; --ignore-memory goes ahead"), "{said}");
    assert!(!said.contains("Training on"), "{said}");

    std::fs::write(at.join("train.toml"), SMALL).expect("written");
    let train = ["train", "screen.h5ad", "-o", "model.safetensors", "--config", "train.toml", "--verbose"];
    let output = run(at, &train);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("Training needs about"), "{said}");
    assert!(said.contains("Batches made ahead") && said.contains("Predictions at the end"), "{said}");
}

#[test]
fn cells_are_drawn_from_a_model_as_a_screen() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    simulated(at);
    std::fs::write(at.join("train.toml"), SMALL).expect("written");
    ok(at, &["train", "screen.h5ad", "-o", "m.safetensors", "--config", "train.toml", "--epochs", "2", "-q"]);
    let sample = |output: &'static str, more: &[&'static str]| {
        let all = [&["sample", "m.safetensors", "--perturb", "TF002,TF010+TF003", "-o", output][..], more].concat();
        json(at, &all)
    };
    let told = sample("cells.h5ad", &["--cells", "300"]);
    assert_eq!((told["cells"].as_u64(), told["perturbations"][1].as_str()), (Some(900), Some("TF003+TF010")));
    let summary = json(at, &["inspect", "cells.h5ad"]);
    assert_eq!((summary["summary"]["cells"].as_u64(), summary["summary"]["genes"].as_u64()), (Some(900), Some(40)));
    let text = ok(at, &["inspect", "cells.h5ad"]);
    assert!(text.contains("2 perturbations") && text.contains("300"), "{text}");
    let hash = |name: &'static str| json(at, &["inspect", name])["hash"].as_str().map(str::to_owned);
    sample("again.h5ad", &["--cells", "300"]);
    sample("other.h5ad", &["--cells", "300", "--seed", "9"]);
    assert!(hash("again.h5ad") == hash("cells.h5ad") && hash("other.h5ad") != hash("cells.h5ad"));

    let unknown = fails(at, 1, &["sample", "m.safetensors", "--perturb", "TF01", "-o", "x.h5ad"]);
    assert!(unknown.contains("TF01 is not among the") && unknown.contains("TF010"), "{unknown}");
    let missing = fails(at, 2, &["sample", "m.safetensors", "--perturb", "TF002+", "-o", "x.h5ad"]);
    assert!(missing.contains("a gene is missing"), "{missing}");
}

#[test]
fn a_killed_training_goes_on_to_the_same_model() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    simulated(at);
    std::fs::write(at.join("train.toml"), SMALL).expect("written");
    let arguments = |output: &'static str, extra: &[&'static str]| -> Vec<&'static str> {
        let train =
            ["train", "screen.h5ad", "-o", output, "--config", "train.toml", "--epochs", "150", "--patience", "150"];
        [&train[..], &["--checkpoint-every", "0"], extra].concat()
    };
    ok(at, &arguments("whole.safetensors", &[]));
    assert!(!at.join("whole.safetensors.checkpoint").exists(), "what it was good for is done");

    let mut command = Command::new(env!("CARGO_BIN_EXE_grn-explorer"));
    command.current_dir(at).args(arguments("killed.safetensors", &[])).stderr(std::process::Stdio::null());
    let mut child = command.stdout(std::process::Stdio::null()).spawn().expect("the program starts");
    let checkpoint = at.join("killed.safetensors.checkpoint");
    while !checkpoint.exists() && child.try_wait().expect("a state").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(!at.join("killed.safetensors").exists(), "it was killed before its end");

    let resumed = run(at, &arguments("killed.safetensors", &["--resume"]));
    assert!(String::from_utf8_lossy(&resumed.stderr).contains("Going on after epoch"), "{resumed:?}");
    let read = |name: &str| std::fs::read(at.join(name)).expect("written");
    assert!(read("killed.safetensors") == read("whole.safetensors"), "the same model, to the byte");
    assert!(!checkpoint.exists());
}

const SMALL: &str = "device = \"cpu\"\n[model]\nlatent = 8\ndecoder_hidden = 16\nbasal_hidden = 16\nembedding_hidden = 16\n\
                     embedding_layers = 1\nparticles = 1\nbatch_size = 64\n[prepare]\nminimum_cells = 5\n";

#[cfg(unix)]
#[test]
fn members_trained_apart_are_the_ensemble_trained_at_once() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    simulated(at);
    std::fs::write(at.join("train.toml"), SMALL).expect("written");
    let settings = ["--config", "train.toml", "--epochs", "3", "--seed", "5"];
    let at_once = ["train", "screen.h5ad", "-o", "whole.safetensors", "--members", "3"];
    let told = json(at, &[&at_once[..], &settings].concat());
    assert_eq!(told["members"].as_u64(), Some(3));
    assert_eq!(listing(at), ["screen.h5ad", "train.toml", "truth.tsv", "whole.safetensors"], "members are joined");

    // As a cluster would run the script, task after task.
    let sbatch = r#"#!/bin/bash
for argument; do case $argument in --array=1-*) last=${argument#--array=1-};; esac; done
case "$*" in *--array*--requeue* | *--requeue*--array* | *--dependency=afterok:17\ *) ;; *) exit 1;; esac
for ((task = 1; task <= ${last:-1}; task++)); do SLURM_ARRAY_TASK_ID=$task bash -c "${!#}" >&2 || exit 1; done
case "$*" in *--parsable*) echo '17;cluster';; esac
"#;
    std::fs::write(at.join("sbatch"), sbatch).expect("written");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/cluster/ensemble-slurm.sh");
    let run_script = |arguments: &[&str]| {
        let path = format!("{}:{}", at.display(), std::env::var("PATH").expect("a path"));
        let mut command = Command::new("bash");
        command.arg(&script).args(arguments).current_dir(at).env("PATH", path);
        command.env("GRN_EXPLORER", env!("CARGO_BIN_EXE_grn-explorer")).env("SBATCH_OPTIONS", "--mem=1G");
        command.output().expect("bash")
    };
    let executable = Command::new("chmod").args(["+x", "sbatch"]).current_dir(at).status().expect("chmod");
    assert!(executable.success());
    let done = run_script(&[&["screen.h5ad", "my model.safetensors", "3"][..], &settings].concat());
    assert!(done.status.success(), "{done:?}");
    let read = |name: &str| std::fs::read(at.join(name)).expect("written");
    assert!(read("my model.safetensors") == read("whole.safetensors"), "the same ensemble, to the byte");
    let usage = run_script(&["screen.h5ad"]);
    assert!(usage.status.code() == Some(2) && String::from_utf8_lossy(&usage.stderr).contains("MEMBERS"), "{usage:?}");

    let member = "my model.member-1.safetensors";
    // Edges that members agree on: fewer, each told with the number of edges that every member keeps.
    let agreed = json(at, &["network", "whole.safetensors", "--top", "10", "--min-agreement", "1", "-o", "agreed.tsv"]);
    assert_eq!((agreed["members"].as_u64(), agreed["edges_kept_by_each_member"].as_u64()), (Some(3), Some(10)));
    let best = agreed["best"].as_array().expect("edges");
    assert!(!best.is_empty() && best.len() < 10, "{agreed}");
    assert!(best.iter().all(|edge| edge["members_keeping"] == 3), "{agreed}");
    let table = std::fs::read_to_string(at.join("agreed.tsv")).expect("written");
    let (head, rows) = table.split_once('\n').expect("a header");
    assert!(head.ends_with("agreement_best_10") && rows.lines().all(|row| row.ends_with("\t1")), "{table}");
    let figure = ["figure", "whole.safetensors", "--top", "10", "--min-agreement", "1", "-o", "agreed.svg"];
    ok(at, &figure);
    let svg = std::fs::read_to_string(at.join("agreed.svg")).expect("written");
    assert!(svg.contains("kept by at least 100 % of members"), "what was filtered is in the metadata");
    let alone = fails(at, 2, &["network", member, "--min-agreement", "0.5"]);
    assert!(alone.contains("needs the network of an ensemble"), "{alone}");
    assert!(fails(at, 2, &["network", "whole.safetensors", "--min-agreement", "80"]).contains("between 0 and 1"));
    let twice = fails(at, 1, &["merge", member, member, "-o", "twice.safetensors"]);
    assert!(twice.contains("member 1 is both in"), "{twice}");
    let both = fails(at, 2, &["train", "screen.h5ad", "-o", "x.safetensors", "--members", "3", "--member", "1"]);
    assert!(both.contains("cannot be used with"), "{both}");
}

#[test]
fn from_a_simulated_screen_to_a_figure() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    simulated(at);
    let summary = json(at, &["inspect", "screen.h5ad"]);
    assert_eq!((summary["summary"]["cells"].as_u64(), summary["summary"]["genes"].as_u64()), (Some(400), Some(40)));
    let text = ok(at, &["inspect", "screen.h5ad"]);
    assert!(text.contains("8 perturbations") && text.contains("control"), "{text}");

    std::fs::write(at.join("train.toml"), SMALL).expect("settings");
    let train = ["train", "screen.h5ad", "-o", "model.safetensors", "--config", "train.toml", "--epochs", "3"];
    let trained = json(at, &train);
    assert_eq!(trained["epochs"], 3);
    assert!(ok(at, &["inspect", "model.safetensors"]).contains("3 epochs"));

    let edges = json(at, &["network", "model.safetensors", "-o", "edges.tsv", "--top", "10"]);
    assert_eq!(edges["edges"], 10);
    let table = std::fs::read_to_string(at.join("edges.tsv")).expect("edges");
    assert_eq!(table.lines().count(), 11);
    assert!(table.starts_with("regulator\ttarget\trank\tprobability\tsign\tevidence"));

    let gene = edges["best"][0]["regulator"].as_str().expect("a gene").to_owned();
    // Filters combine: the best of one regulator's list, without its best target.
    std::fs::write(at.join("factors.txt"), format!("{gene}\n")).expect("a list");
    let target = edges["best"][0]["target"].as_str().expect("a gene").to_owned();
    let filters = ["--regulators", "factors.txt", "--hide", &target, "--top", "5", "--component", "largest"];
    let filtered = json(at, &[&["network", "model.safetensors"], &filters[..]].concat());
    assert_eq!(
        filtered["filter"],
        format!("regulators in factors.txt (1 gene); best 5 edges; without {target}; largest component")
    );
    assert_eq!(filtered["edges"], 4, "one of the five is hidden");
    assert!(filtered["best"].as_array().expect("edges").iter().all(|edge| edge["regulator"] == gene.as_str()));
    let around = ["network", "model.safetensors", "--top", "10", "--neighbourhood", &gene, "--reach", "targets"];
    assert!(json(at, &around)["genes"].as_u64().expect("a number") >= 2);
    let unknown = fails(at, 2, &["network", "model.safetensors", "--hide", "NOBODY"]);
    assert!(unknown.contains("the network has no gene NOBODY"), "{unknown}");
    let effect = json(at, &["predict", "model.safetensors", "--knock-out", &gene, "-o", "effects.tsv"]);
    assert_eq!(effect["knock_out"], gene.as_str());
    let table = std::fs::read_to_string(at.join("effects.tsv")).expect("effects");
    assert_eq!(table.lines().count(), 41);
    // The words of the window.
    assert_eq!(effect["evidence"][0]["badge"], "trained on");
    let half = ok(at, &["predict", "model.safetensors", "--knock-out", &format!("{gene}=0.5")]);
    assert!(half.contains("trained on, ") && half.contains("partial dose: The screen has doses 0"), "{half}");
    // Cells that respond alone, by the sample's model, of whose cells some escaped.
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/sample_data/sample_model.safetensors");
    let of_sample = TrainedModel::open(Path::new(sample)).expect("a model");
    let mut told = of_sample.card().treatments.iter().filter(|treatment| treatment.responding.is_some());
    let escaped = &told.next().expect("a share of responding cells").symbol;
    let all = json(at, &["predict", sample, "--knock-out", escaped]);
    let responding = json(at, &["predict", sample, "--knock-out", escaped, "--responding"]);
    let share = responding["responding_share"].as_f64().expect("a share");
    assert!(all["responding_share"].is_null() && (0.1..1.0).contains(&share));
    let largest = |answer: &Value| answer["shifts"][0]["shift_log2"].as_f64().expect("a shift");
    assert!(
        (largest(&all) / largest(&responding) - share).abs() < 1e-3,
        "{} of {}",
        largest(&all),
        largest(&responding)
    );
    ok(at, &["figure", sample, "--view", "effects", "--knock-out", escaped, "--responding", "-o", "effects.svg"]);
    let drawn = std::fs::read_to_string(at.join("effects.svg")).expect("a figure");
    assert!(drawn.contains(&format!("Predicted response to {escaped}, responding cells")), "the title says so");
    let drawn =
        json(at, &["sample", sample, "--perturb", escaped, "--responding", "--cells", "5", "-o", "responding.h5ad"]);
    assert_eq!(drawn["responding"], true);
    // A gene beside the network: from the perturbations that were seen.
    let nodes = TrainedModel::open(&at.join("model.safetensors")).expect("a model").card().treatments.clone();
    let genes = table.lines().skip(1).filter_map(|line| line.split('\t').next());
    let beside = genes.clone().find(|gene| nodes.iter().all(|node| node.symbol != *gene)).expect("a gene beside");
    let effect = json(at, &["predict", "model.safetensors", "--knock-out", beside]);
    assert_eq!(effect["evidence"][0]["badge"], "never perturbed");
    assert!(effect["evidence"][1]["badge"].as_str().expect("a badge").starts_with("from "), "{}", effect["evidence"]);
    ok(at, &["figure", "model.safetensors", "--view", "network", "--knock-out", beside, "-o", "beside.svg"]);
    let drawn = std::fs::read_to_string(at.join("beside.svg")).expect("a figure");
    assert!(drawn.contains(&format!("Predicted shift, {beside} (log2)")));

    let evaluate =
        ["evaluate", "model.safetensors", "--data", "screen.h5ad", "-o", "report.json", "--truth", "truth.tsv"];
    let report = json(at, &evaluate);
    let written: Value = serde_json::from_slice(&std::fs::read(at.join("report.json")).expect("report")).expect("JSON");
    assert_eq!(written, report);
    assert_eq!(report["cells"]["held_out"], true);
    let methods: Vec<&str> =
        report["methods"].as_array().expect("methods").iter().filter_map(|method| method["method"].as_str()).collect();
    for expected in ["GPO-VAE", "No change", "Training mean", "Same-perturbation mean"] {
        assert!(methods.contains(&expected), "{methods:?}");
    }
    assert!(report["gold_standard"]["density"].as_f64().is_some_and(|density| density > 0.0));
    assert_eq!(report["ceiling"]["splits"], 5);
    assert!(report["methods"][0]["scaled"]["mean_squared_error"].is_number(), "{}", report["methods"][0]);
    assert!(
        report["methods"][0]["effects"]["discrimination"].as_f64().is_some_and(|found| (0.0..=1.0).contains(&found))
    );
    assert!(report["edge_calibration"]["bins"][0]["known"].is_number());
    std::fs::copy(at.join("model.safetensors"), at.join("same.safetensors")).expect("copy");
    let several = [
        "evaluate",
        "model.safetensors",
        "same.safetensors",
        "--data",
        "screen.h5ad",
        "--particles",
        "0",
        "--html",
        "page.html",
    ];
    let told = ok(at, &several);
    assert!(told.contains("Split-half replicate") && told.contains("\nsame\n===="), "{told}");
    let page = std::fs::read_to_string(at.join("page.html")).expect("page");
    assert!(page.contains("Evaluation of model, same") && page.ends_with("</html>\n"));
    let over = fails(at, 2, &["evaluate", "model.safetensors", "--data", "screen.h5ad", "--html", "screen.h5ad"]);
    assert!(over.contains("written over"), "{over}");
    let levels = report["discoveries"]["levels"].as_array().expect("levels");
    let [first, .., last] = levels.as_slice() else { panic!("{levels:?}") };
    assert!(first["edges"].as_u64() <= last["edges"].as_u64() && last["edges"].as_u64() > Some(0), "{levels:?}");
    assert!(last["unreachable"].as_f64() <= last["indirect_or_false"].as_f64());

    let found = json(at, &["network", "model.safetensors", "--fdr", "0.2", "-o", "found.tsv"]);
    assert_eq!(found["edges"], last["edges"]);
    assert!(found["best"][0]["false_discovery_rate"].as_f64().is_some_and(|rate| rate <= 0.2));
    let table = std::fs::read_to_string(at.join("found.tsv")).expect("table");
    assert!(table.lines().next().is_some_and(|head| head.ends_with("\tshift\tfalse_discovery_rate")), "{table}");
    let again = json(at, &["network", "found.tsv", "--fdr", "0.2"]);
    assert_eq!(again["edges"], found["edges"]);
    assert!(ok(at, &["network", "model.safetensors", "--fdr", "0.2"]).contains("FDR"));
    let wrong = fails(at, 2, &["network", "model.safetensors", "--fdr", "5"]);
    assert!(wrong.contains("between 0 and 1"), "{wrong}");

    for (view, file, start) in [
        ("network", "network.svg", &b"<?xml"[..]),
        ("response", "response.pdf", b"%PDF"),
        ("training", "training.png", b"\x89PNG"),
    ] {
        ok(at, &["figure", "model.safetensors", "--view", view, "-o", file, "--dpi", "100"]);
        assert!(std::fs::read(at.join(file)).expect("figure").starts_with(start), "{file}");
    }

    let of_cells = ["--data", "screen.h5ad", "--perturbation", &gene];
    for (view, file, options) in [
        ("heat-map", "map.svg", &["--genes", "12", "--shifts", "observed"][..]),
        ("cells", "cells.svg", &of_cells),
        ("gene-cells", "gene.svg", &[&of_cells[..], &["--gene", &target]].concat()),
        ("volcano", "volcano.svg", &of_cells),
        ("ma", "ma.svg", &of_cells),
    ] {
        ok(at, &[&["figure", "model.safetensors", "--view", view, "-o", file], options].concat());
        let svg = std::fs::read_to_string(at.join(file)).expect("figure");
        assert!(svg.contains(&gene) || view == "heat-map", "{view}");
    }
    let tested = ["network", "model.safetensors", "--top", "20", "--data", "screen.h5ad", "-o", "tested.tsv"];
    assert!(json(at, &tested)["held_out_tests"].as_str().expect("words").contains("supported by held-out cells"));
    let table = std::fs::read_to_string(at.join("tested.tsv")).expect("table");
    assert!(table.lines().next().is_some_and(|head| head.ends_with("\theld_out_p\theld_out_adjusted_p")), "{table}");
    ok(at, &["network", "model.safetensors", "--top", "20", "--data", "screen.h5ad", "-o", "tested.graphml"]);
    assert!(std::fs::read_to_string(at.join("tested.graphml")).expect("network").contains("held_out_wasserstein"));

    let start = ["figure", "model.safetensors", "-o", "cells.svg", "--view"];
    assert!(fails(at, 2, &[&start[..], &["cells"]].concat()).contains("needs --data FILE"));
    assert!(
        fails(at, 2, &[&start[..], &["network", "--genes", "9"]].concat()).contains("--genes is for --view heat-map")
    );
    let other = [&start[..], &["cells", "--data", "screen.h5ad", "--perturbation", "NOBODY"]].concat();
    assert!(fails(at, 1, &other).contains("NOBODY"));

    let unknown = fails(at, 1, &["predict", "model.safetensors", "--knock-out", &format!("{gene}X")]);
    assert!(unknown.contains("did you mean") && unknown.contains(&gene), "{unknown}");
    ok(at, &["simulate", "other.h5ad", "--genes", "40", "--perturbations", "8", "--cells", "400", "--seed", "4"]);
    let other = fails(at, 1, &["evaluate", "model.safetensors", "--data", "other.h5ad", "-o", "other.json"]);
    assert!(other.contains("--all-cells"), "{other}");
    let all = json(at, &["evaluate", "model.safetensors", "--data", "other.h5ad", "--all-cells"]);
    assert_eq!(all["dataset"]["trained_on"], false);
    let movers = ["figure", "model.safetensors", "--view", "movers", "-o", "movers.svg"];
    assert!(fails(at, 2, &movers).contains("needs --gene GENE"));
    assert!(fails(at, 1, &[&movers[..], &["--gene", "NONE"]].concat()).contains("no measured gene NONE"));
    let ending = fails(at, 2, &["figure", "model.safetensors", "--view", "network", "-o", "network.bmp"]);
    assert!(ending.contains(".svg"), "{ending}");
}

#[test]
fn a_model_of_some_genes_is_judged_on_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    simulated(at);
    let trained = ["train", "screen.h5ad", "-o", "part.safetensors", "--held-genes", "25", "--epochs", "1"];
    ok(at, &trained);
    let card = json(at, &["inspect", "part.safetensors"]);
    assert_eq!(card["model"]["dataset"]["genes"], 25);
    assert!(card["model"]["dataset"]["genes_of_file"].as_u64() > Some(25), "{}", card["model"]["dataset"]);
    let report = json(at, &["evaluate", "part.safetensors", "--data", "screen.h5ad", "-o", "part.json"]);
    assert_eq!(report["dataset"]["trained_on"], true);
    assert_eq!(report["dataset"]["genes"], 25);
    // A table is read whole: there is nothing to choose.
    std::fs::write(at.join("table.csv"), "cell,A,B\nc1,1,0\nc2,0,2\n").unwrap();
    let refused = fails(at, 1, &["inspect", "table.csv", "--held-genes", "1"]);
    assert!(refused.contains("read whole"), "{refused}");
}

#[test]
fn a_screen_is_measured_and_tested_into_tables() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    simulated(at);
    let found = json(at, &["preprocess", "screen.h5ad", "-o", "out", "--adjusted-below", "0.05"]);
    assert_eq!(found["written"].as_array().map(Vec::len), Some(4));
    let table = |name: &str| std::fs::read_to_string(at.join("out").join(name)).expect("table");
    assert_eq!((table("cells.tsv").lines().count(), table("genes.tsv").lines().count()), (401, 41));
    let tests = table("differential.tsv");
    assert!(tests.starts_with("perturbation\tgene\tscore\tlog2_fold_change\tp_value\tadjusted_p_value\n"));
    let significant: u64 = found["summary"]["perturbations"]
        .as_array()
        .expect("perturbations")
        .iter()
        .map(|tested| tested["up"].as_u64().unwrap_or(0) + tested["down"].as_u64().unwrap_or(0))
        .sum();
    assert_eq!(tests.lines().count() as u64, 1 + significant);
    let text = ok(at, &["preprocess", "screen.h5ad", "-o", "out", "--test", "none", "--mads", "5"]);
    assert!(text.contains("fail quality control at 5 MAD") && !text.contains("differential.tsv"), "{text}");
    // Of a screen that names guides there is a table of them.
    assert!(at.join("out/guides.tsv").exists());
    ok(at, &["preprocess", "screen.h5ad", "-o", "none", "--test", "none", "--guide-column", "none"]);
    assert!(!at.join("none/guides.tsv").exists());
    crate::guides::screen(at);
    let text = ok(at, &["preprocess", "guides.h5ad", "-o", "guides", "--test", "none"]);
    assert!(text.contains("13 guides; fewer cells respond to "), "{text}");
    let table = std::fs::read_to_string(at.join("guides/guides.tsv")).expect("guides");
    assert!(table.lines().count() == 14 && table.contains("\tyes\t"), "{table}");
    let negative = fails(at, 2, &["preprocess", "screen.h5ad", "-o", "out", "--mads=-1"]);
    assert!(negative.contains("above 0"), "{negative}");
    let taken = fails(at, 2, &["preprocess", "screen.h5ad", "-o", "screen.h5ad"]);
    assert!(taken.contains("is a file"), "{taken}");
}

#[test]
fn choices_are_written_and_found_beside_the_data() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    simulated(at);
    let quick = json(at, &["inspect", "screen.h5ad", "--quick"]);
    assert_eq!((quick["preview"]["cells"].as_u64(), quick["preview"]["genes"].as_u64()), (Some(400), Some(40)));
    assert!(ok(at, &["inspect", "screen.h5ad", "--quick"]).contains("How it would be read"));
    let label = quick["preview"]["perturbations"][0]["name"].as_str().expect("a name").to_owned();

    // Another control, written where it is named, and where it is found by itself.
    for (file, extra) in [("mine.toml", &["--import", "mine.toml"][..]), ("screen.h5ad.import.toml", &[])] {
        let write = ["inspect", "screen.h5ad", "--control", &label, "--write-import", file];
        ok(at, &write);
        let found = json(at, &[&["inspect", "screen.h5ad"][..], extra].concat());
        assert_eq!(found["import"]["control_labels"][0], label.as_str());
        let control = found["choices"].as_array().expect("choices").iter().find(|choice| choice["what"] == "control");
        let reason = control.expect("control")["reason"].as_str().expect("reason").to_owned();
        assert!(reason.starts_with(&format!("named in {file}")), "{reason}");
    }
    // What is asked for goes before the file.
    let asked = json(at, &["inspect", "screen.h5ad", "--control", "control"]);
    assert_eq!(asked["import"]["control_labels"][0], "control");
    std::fs::write(at.join("mine.toml"), "control = 3\n").expect("choices");
    let wrong = fails(at, 1, &["inspect", "screen.h5ad", "--import", "mine.toml"]);
    assert!(wrong.contains("mine.toml") && wrong.contains("control"), "{wrong}");
}

#[test]
fn bad_input_is_told_in_a_sentence_with_its_remedy() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    simulated(at);
    let train =
        |extra: &[&'static str]| [&["train", "screen.h5ad", "-o", "m.safetensors", "--epochs", "1"], extra].concat();

    let column = fails(at, 1, &train(&["--perturbation-column", "nonsense"]));
    assert!(column.contains("nonsense") && column.contains("perturbation"), "{column}");
    let control = fails(at, 1, &train(&["--control", "nobody"]));
    assert!(control.contains("nobody"), "{control}");
    if !cfg!(any(feature = "cuda", feature = "metal")) {
        let device = fails(at, 1, &train(&["--device", "cuda"]));
        assert!(device.contains("--device cpu"), "{device}");
    }
    let nowhere = fails(at, 2, &["train", "screen.h5ad", "-o", "nowhere/m.safetensors"]);
    assert!(nowhere.contains("no folder"), "{nowhere}");
    let itself = fails(at, 2, &["train", "screen.h5ad", "-o", "screen.h5ad"]);
    assert!(itself.contains("written over"), "{itself}");

    std::fs::write(at.join("notes.h5ad"), "gene,cell\nA,1\n").expect("file");
    let text = fails(
        at,
        1,
        &train(&[]).iter().map(|word| if *word == "screen.h5ad" { "notes.h5ad" } else { *word }).collect::<Vec<_>>(),
    );
    assert!(text.contains("notes.h5ad") && text.contains("HDF5"), "{text}");
    let whole = std::fs::read(at.join("screen.h5ad")).expect("screen");
    std::fs::write(at.join("cut.h5ad"), &whole[..whole.len() / 2]).expect("file");
    let cut = fails(at, 1, &["inspect", "cut.h5ad"]);
    assert!(cut.contains("cut.h5ad"), "{cut}");
    let missing = fails(at, 1, &["inspect", "missing.h5ad"]);
    assert!(missing.contains("help:"), "{missing}");

    fails(at, 2, &["train", "screen.h5ad"]);
    fails(at, 2, &["simulate", "x.h5ad", "--cells", "3"]);
    assert!(fails(at, 2, &["trian"]).contains("train"));
    assert!(ok(at, &["--help"]).contains("Exit codes"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().expect("folder");
    simulated(folder.path());
    let command = format!("'{}' inspect screen.h5ad --json | head -c 1", env!("CARGO_BIN_EXE_grn-explorer"));
    let output = Command::new("sh").current_dir(folder.path()).args(["-c", &command]).output().expect("a shell");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Start a long training run, press Ctrl-C as soon as `ready` is said on stderr, and wait for the end: code and messages.
#[cfg(unix)]
fn interrupted(folder: &Path, ready: &str) -> (Option<i32>, String) {
    use std::io::{BufRead as _, BufReader};
    let arguments = "train screen.h5ad -o model.safetensors --config train.toml --epochs 100000 --verbose".split(' ');
    let mut program = Command::new(env!("CARGO_BIN_EXE_grn-explorer"))
        .current_dir(folder)
        .args(arguments)
        .env_remove("RUST_LOG")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut said = String::new();
    let mut pressed = false;
    for line in BufReader::new(program.stderr.take().expect("piped")).lines() {
        let line = line.expect("UTF-8");
        if !pressed && line.contains(ready) {
            pressed = true;
            let kill = Command::new("kill").args(["-INT", &program.id().to_string()]).status();
            assert!(kill.expect("kill").success());
        }
        said.push_str(&line);
        said.push('\n');
    }
    assert!(pressed, "never said {ready}: {said}");
    (program.wait().expect("ended").code(), said)
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_best_epoch_or_leaves_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    simulated(at);
    std::fs::write(at.join("train.toml"), format!("{SMALL}\n")).expect("settings");
    let before = listing(at);
    let (code, said) = interrupted(at, "Preparing");
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("nothing was written"), "{said}");
    assert_eq!(listing(at), before);

    let (code, said) = interrupted(at, "Epoch 2/");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("best epoch so far is kept"), "{said}");
    assert!(ok(at, &["inspect", "model.safetensors"]).contains("stopped by the user"));
}

#[test]
fn a_network_goes_to_other_programs_and_is_compared_with_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/sample_model.safetensors");
    let model = model.to_str().unwrap();
    for ending in ["tsv", "sif", "graphml", "gexf", "cx2", "dot", "json"] {
        let file = format!("net.{ending}");
        let written = json(at, &["network", model, "-o", &file, "--top", "80"]);
        assert_eq!(written["edges"], 80, "{ending}");
        // What was written is a network itself.
        let read = json(at, &["network", &file]);
        assert_eq!(read["edges"], 80, "{ending}");
        assert_eq!(read["best"][0]["sign"], written["best"][0]["sign"], "{ending}");
    }
    let converted =
        json(at, &["network", "net.cx2", "-o", "again.graphml", "--top", "10", "--statistics", "genes.tsv"]);
    assert_eq!(converted["edges"], 10);
    assert!(converted["modularity"].as_f64().is_some());
    let genes = std::fs::read_to_string(at.join("genes.tsv")).unwrap();
    assert!(genes.starts_with("gene\tout_degree\tin_degree\tpage_rank\tbetweenness\tcommunity\n"));
    assert_eq!(genes.lines().count() as u64, converted["genes"].as_u64().unwrap() + 1);

    let compared = json(at, &["network", model, "--top", "200", "--reference", "net.sif"]);
    let reference = &compared["reference"];
    assert_eq!((reference["common"].as_u64(), reference["edges"].as_u64()), (Some(80), Some(80)));
    assert!(reference["p_value"].as_f64().unwrap() < 1e-9 && reference["layout"] == "SIF file");
    let text = ok(at, &["network", model, "--top", "200", "--reference", "net.sif"]);
    assert!(text.contains("edges are known") && text.contains("… and 180 more"), "{text}");

    let differences = ["network", "net.tsv", "--compare", "net.sif", "--differences", "both.tsv"];
    let both = json(at, &differences);
    assert_eq!((both["compared"]["both"].as_u64(), both["compared"]["shared"].as_f64()), (Some(80), Some(1.0)));
    assert_eq!(std::fs::read_to_string(at.join("both.tsv")).unwrap().lines().count(), 81);
    let two = json(at, &["network", model, "--top", "50", "--compare", "net.tsv"]);
    assert_eq!((two["compared"]["both"].as_u64(), two["compared"]["right"].as_u64()), (Some(50), Some(0)));
    // A reference with other symbols is understood by a table of names.
    let sif = std::fs::read_to_string(at.join("net.sif")).expect("written");
    std::fs::write(at.join("old.sif"), sif.replace("TF0", "OLD")).expect("written");
    let names: String = (0..100).map(|at| format!("TF0{at:02}\tOLD{at:02}\n")).collect();
    std::fs::write(at.join("names.tsv"), format!("symbol\tprev_symbol\n{names}")).expect("written");
    let renamed = ["network", model, "--top", "200", "--reference", "old.sif", "--gene-names", "names.tsv"];
    let understood = json(at, &renamed);
    assert_eq!(understood["reference"]["common"], compared["reference"]["common"]);
    assert!(understood["reference"]["genes_by_other_names"].as_u64() > Some(10), "{understood}");
    assert!(ok(at, &renamed).contains("by other names"));
    let no_names = fails(at, 1, &[&renamed[..7], &["net.sif"]].concat());
    assert!(no_names.contains("net.sif cannot be read as names of genes") && no_names.contains("alias_symbol"));
    let same = json(at, &["network", model, "--top", "50", "--reference", model]);
    assert!(same["reference"]["layout"].as_str().unwrap().starts_with("model, best"), "{same}");

    let best = &compared["best"];
    let names: Vec<&str> = (0..6).map(|edge| best[edge]["target"].as_str().unwrap()).collect();
    std::fs::write(at.join("sets.gmt"), format!("hits\tx\t{}\nelsewhere\tx\tA\tB\tC\n", names.join("\t"))).unwrap();
    let genes = names[..3].join(",");
    let tested = ["network", model, "--gene-sets", "sets.gmt", "--genes", &genes, "--enrichment", "sets.tsv"];
    let sets = json(at, &tested);
    assert_eq!(sets["gene_sets"]["sets"][0]["name"], "hits");
    assert!(std::fs::read_to_string(at.join("sets.tsv")).unwrap().starts_with("set\tselected\tsize\t"));

    let untested = fails(at, 2, &["network", "net.sif", "--fdr", "0.05"]);
    assert!(untested.contains("no edge of this network has a false discovery rate"), "{untested}");
    let ending = fails(at, 2, &["network", model, "-o", "net.xls"]);
    assert!(ending.contains(".cx2"), "{ending}");
    std::fs::write(at.join("bad.sif"), "A activates B\nA activates\n").unwrap();
    let bad = fails(at, 1, &["network", model, "--reference", "bad.sif"]);
    assert!(bad.contains("bad.sif cannot be read") && bad.contains("line 2"), "{bad}");
    let unknown = fails(at, 2, &["network", model, "--gene-sets", "sets.gmt", "--genes", "NOSUCH"]);
    assert!(unknown.contains("the network has no gene NOSUCH"), "{unknown}");
}

/// Centres of the discs in the layer of the nodes.
fn discs(svg: &str) -> Vec<[f32; 2]> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let layer = document.descendants().find(|node| node.attribute("id") == Some("nodes")).expect("a layer of nodes");
    let discs = layer.descendants().filter(|node| node.has_tag_name("circle"));
    // Some have a ring around them, or a mark.
    let mut centres: Vec<[f32; 2]> =
        discs.map(|disc| ["cx", "cy"].map(|name| disc.attribute(name).unwrap().parse().unwrap())).collect();
    centres.dedup();
    centres
}

#[test]
fn every_way_to_lay_out_makes_a_figure_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/sample_model.safetensors");
    let model = model.to_str().unwrap();
    let draw = |layout: &str, more: &[&str]| {
        let start = ["figure", model, "--view", "network", "--top", "60", "--layout", layout, "-o", "network.svg"];
        ok(at, &[&start[..], more].concat());
        std::fs::read_to_string(at.join("network.svg")).unwrap()
    };
    // Different values, where less than half a point apart is the same.
    let distinct = |values: &mut dyn Iterator<Item = f32>| {
        let mut values: Vec<f32> = values.collect();
        values.sort_by(f32::total_cmp);
        values.dedup_by(|a, b| (*a - *b).abs() < 0.5);
        values.len()
    };
    let methods = ["force", "layers", "circle", "communities", "rings"];
    let drawn = methods.map(|layout| draw(layout, &[]));
    let genes = discs(&drawn[0]).len();
    assert!(genes > 20, "{genes}");
    for (at, (layout, svg)) in methods.iter().zip(&drawn).enumerate() {
        assert_eq!(*svg, draw(layout, &[]), "{layout} is the same twice");
        assert_eq!(discs(svg).len(), genes, "{layout}");
        assert!(drawn[..at].iter().all(|other| discs(other) != discs(svg)), "{layout} is one of the others");
    }
    let [force, layers, circle, _, rings] = drawn.each_ref().map(|svg| discs(svg));
    let from = |centre: [f32; 2]| move |disc: &[f32; 2]| (disc[0] - centre[0]).hypot(disc[1] - centre[1]);
    let middle = [0, 1].map(|axis| circle.iter().map(|disc| disc[axis]).sum::<f32>() / genes as f32);
    let reach: Vec<f32> = circle.iter().map(from(middle)).collect();
    let (least, most) = (reach.iter().copied().fold(f32::MAX, f32::min), reach.iter().copied().fold(0.0, f32::max));
    assert!(most - least < 0.1 * most, "on a circle: {least} to {most} points from the middle");
    let heights = |discs: &[[f32; 2]]| distinct(&mut discs.iter().map(|disc| disc[1]));
    assert!(heights(&layers) * 2 < genes && heights(&force) * 3 > genes * 2, "few layers: {}", heights(&layers));
    let on_rings = rings.iter().map(|centre| distinct(&mut rings.iter().map(from(*centre)))).min().unwrap();
    assert!(on_rings * 2 < genes, "some gene lies in the middle of {on_rings} rings");
    // Around another gene, by another seed; and what cannot be.
    let best = json(at, &["network", model, "--top", "60"]);
    let target = best["best"][3]["target"].as_str().unwrap();
    assert_ne!(draw("rings", &["--centre", target]), drawn[4]);
    assert_ne!(draw("force", &["--layout-seed", "7"]), drawn[0]);
    // The figure page takes the layout too, and says what it does not take.
    let page = |layout: &str| {
        ok(at, &["figure", model, "--layout", layout, "-o", "page.svg"]);
        std::fs::read_to_string(at.join("page.svg")).expect("page")
    };
    assert!(page("circle") != page("layers"));
    let refused = fails(at, 2, &["figure", model, "--layout-seed", "7", "-o", "other.svg"]);
    assert!(refused.contains("add --view network"), "{refused}");
    let start = ["figure", model, "--view", "network", "-o", "network.svg"];
    let centre = fails(at, 2, &[&start[..], &["--layout", "circle", "--centre", target]].concat());
    assert!(centre.contains("--centre GENE needs --layout rings"), "{centre}");
    assert!(fails(at, 2, &[&start[..], &["--layout", "spiral"]].concat()).contains("communities"));
}

#[test]
fn interactions_are_measured_and_predicted_and_drawn() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    let sizes = ["--genes", "40", "--perturbations", "6", "--combinations", "5", "--cells", "900", "--seed", "3"];
    ok(at, &[&["simulate", "screen.h5ad"][..], &sizes].concat());
    std::fs::write(at.join("train.toml"), SMALL).expect("written");
    ok(at, &["train", "screen.h5ad", "-o", "m.safetensors", "--config", "train.toml", "--epochs", "2", "-q"]);

    let text = ok(at, &["interactions", "screen.h5ad", "-o", "pairs.tsv", "--genes", "genes.tsv", "-q"]);
    assert!(text.contains("5 pairs measured (all cells") && text.contains("false discovery rates"), "{text}");
    let table = std::fs::read_to_string(at.join("pairs.tsv")).expect("table");
    assert_eq!(table.lines().count(), 6);
    assert_eq!(std::fs::read_to_string(at.join("genes.tsv")).expect("table").lines().count(), 5 * 38 + 1);

    let both = ["interactions", "screen.h5ad", "--model", "m.safetensors", "--held-out", "--within", "nothing"];
    let found = json(at, &both);
    let pairs = found["pairs"].as_array().expect("pairs");
    assert!(pairs.iter().all(|pair| pair["predicted"]["deviation_log2"].is_f64()));
    assert!(found["cells"].as_str().expect("words").contains("held out"));

    let found = json(at, &["interactions", "--model", "m.safetensors", "--all-pairs"]);
    let pairs = found["pairs"].as_array().expect("pairs");
    assert_eq!(pairs.len(), 15);
    let sizes: Vec<f64> =
        pairs.iter().map(|pair| pair["predicted"]["deviation_log2"].as_f64().expect("size")).collect();
    assert!(sizes.windows(2).all(|pair| pair[0] >= pair[1]), "ranked: {sizes:?}");

    let name = pairs[0]["pair"].as_str().expect("name");
    let gene = name.split('+').next().expect("gene");
    ok(at, &["figure", "m.safetensors", "--view", "interactions", "--data", "screen.h5ad", "-o", "map.svg", "-q"]);
    let map = std::fs::read_to_string(at.join("map.svg")).expect("figure");
    assert!(map.contains("below the diagonal: measured") && map.contains("above: predicted"));
    let one = ["figure", "m.safetensors", "--view", "interactions", "--all-pairs", "--perturbation", name];
    ok(at, &[&one[..], &["-o", "pair.svg", "-q"]].concat());

    let said = fails(at, 1, &["interactions", "screen.h5ad", "--pairs", &format!("{gene}+NOTHING")]);
    assert!(said.contains("NOTHING is not among"), "{said}");
    assert!(fails(at, 2, &["interactions", "screen.h5ad", "--pairs", gene]).contains("no pair of genes"));
    assert!(fails(at, 2, &["interactions", "screen.h5ad", "--all-pairs"]).contains("--model"));
    assert!(fails(at, 2, &["interactions", "m.safetensors"]).contains("not a data set"));
    assert!(
        fails(at, 2, &["figure", "m.safetensors", "--view", "effects", "--all-pairs", "-o", "x.svg"])
            .contains("interactions")
    );
}

#[test]
fn baselines_are_held_against_known_edges_without_a_model() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    simulated(at);
    let report =
        json(at, &["benchmark", "screen.h5ad", "--truth", "truth.tsv", "--edges-out", "edges", "-o", "b.json"]);
    let methods = report["methods"].as_array().expect("methods");
    assert_eq!(methods.len(), 6);
    assert_eq!(listing(&at.join("edges")).len(), 6);
    let written: Value =
        serde_json::from_str(&std::fs::read_to_string(at.join("b.json")).expect("report")).expect("JSON");
    assert_eq!(written["gold_standards"], report["gold_standards"]);
    let gold = report["gold_standards"].as_array().expect("standards").last().expect("one");
    let auroc = |method: &str| {
        let scores = gold["methods"].as_array().expect("methods");
        scores.iter().find(|score| score["method"] == method).expect("method")["auroc"].as_f64().expect("value")
    };
    assert!(auroc("Mean difference") > 0.6, "{}", auroc("Mean difference"));
    // What was ranked is a network that opens, and no ranking is held against itself by mistake.
    let said = ok(at, &["benchmark", "screen.h5ad", "--truth", "edges/random_order.tsv", "--no-trees", "-q"]);
    assert!(said.contains("Mean difference") && !said.contains("Boosted trees  "), "{said}");
    assert!(fails(at, 1, &["benchmark", "screen.h5ad", "--truth", "nothing.tsv"]).contains("nothing.tsv"));
    assert!(fails(at, 2, &["benchmark", "screen.h5ad", "--no-trees", "--tree-cells", "5"]).contains("cannot be used"));
    std::fs::write(at.join("other.tsv"), "X\tY\t1\nY\tX\t0\n").expect("written");
    let said = fails(at, 1, &["benchmark", "screen.h5ad", "--truth", "other.tsv"]);
    assert!(said.contains("of the 2 genes of the known edges none is in the data"), "{said}");
}
