//! Pictures of the pages at two sizes and in both themes, compared with those in `tests/snapshots`.
//!
//! They need a graphics driver (lavapipe will do); without one they say so and pass. `UPDATE_SNAPSHOTS=1` draws them anew.

use std::collections::BTreeSet;

use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults};
use grn_explorer::app::attached::Attachment;
use grn_explorer::app::evaluations::EvaluationSettings;
use grn_explorer::app::findings::{EdgeTesting, GuideFinding, QualityFinding};
use grn_explorer::app::state::{DataSection, PageDrawing, Tab, TableKind, WaveView};
use grn_explorer::app::theme::ThemeChoice;
use grn_explorer::app::{Action, App, Setup};
use grn_explorer::document::{Comparing, Layout, NetworkFilter, NoteSubject, PathQuery};
use grn_explorer::layout::Method;

use super::compare::other;
use super::interactions::{mapped, pairs};
use super::{Answers, Window};

/// A window that can be photographed, or none where there is no graphics driver.
fn photographed(size: [f32; 2]) -> Option<Window> {
    let answers = std::sync::Arc::new(Answers::default());
    let setup = Setup { chooser: answers.clone(), ..Setup::default() };
    let options = SnapshotOptions::new().threshold(1.0).max_failed_pixels((size[0] * size[1] * 0.002) as usize);
    // Without an adapter the renderer panics while it is built.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        Harness::builder()
            .with_size(size)
            .with_options(options)
            .wgpu()
            .build_eframe(move |creation| App::new(creation, setup))
    }));
    std::panic::set_hook(hook);
    match built {
        Ok(harness) => Some(Window { harness, answers }),
        Err(_) => {
            eprintln!("skipped: no graphics driver to draw with (install mesa-vulkan-drivers)");
            None
        }
    }
}

/// Nodes on a spiral of whole numbers: a layout that no processor computes differently.
fn spiral(window: &mut Window) {
    let network = window.state().network().unwrap().clone();
    let shown = window.state().document.filter.apply(&network);
    let ends = shown.edges().flat_map(|edge| [edge.regulator, edge.target]);
    let genes: BTreeSet<String> = ends.map(|gene| network.symbol(gene).to_owned()).collect();
    window.until("the layout", |state| genes.iter().all(|gene| state.document.positions.contains_key(gene)));
    // Until it has come to rest, the layout may place them once more.
    let mut known = None;
    while known.as_ref() != Some(&window.state().document.positions) {
        known = Some(window.state().document.positions.clone());
        for _ in 0..60 {
            window.harness.step();
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
    place_on_spiral(window, genes);
}

fn place_on_spiral(window: &mut Window, genes: impl IntoIterator<Item = String>) {
    let place = |(at, gene): (usize, String)| {
        let (turn, reach) = (at as f32 * 2.4, 40.0 * (at as f32 + 1.0).sqrt());
        (gene, [(reach * turn.cos()).round(), (reach * turn.sin()).round()])
    };
    let places = genes.into_iter().enumerate().map(place).collect();
    window.send(Action::SettleLayout(places));
    window.harness.run_steps(40);
}

/// The pages of one size and theme, or none where nothing can be drawn.
fn pages(size: [f32; 2], theme: ThemeChoice, name: &str, wanted: &[&str]) -> Option<SnapshotResults> {
    let mut window = photographed(size)?;
    window.send(Action::SetTheme(theme));
    let photograph = |window: &mut Window, page: &str| {
        // Nothing glows under the pointer.
        window.harness.hover_at(egui::pos2(1.0, size[1] - 1.0));
        window.harness.run_steps(8);
        if wanted.contains(&page) {
            window.settle();
            window.harness.snapshot(format!("{page}-{name}"));
        }
    };
    photograph(&mut window, "welcome");
    // Paths below the project's folder, where tests run: what is shown does not depend on the machine.
    for file in ["sample_data/sample.h5ad", "sample_data/sample_model.safetensors"] {
        window.open(std::path::Path::new(file));
    }
    spiral(&mut window);
    photograph(&mut window, "network");
    if wanted.contains(&"style") {
        use grn_explorer::document::{EdgeAttribute, GeneAttribute, Style};
        let before = window.state().document.style.clone();
        window.click("Style and reference network");
        window.send(Action::Attach(Attachment::Reference, "sample_data/sample_truth.tsv".into()));
        window.until("the reference", |state| state.runtime.attached.reference.is_some());
        let style = Style {
            gene_colour: GeneAttribute::Community,
            gene_size: GeneAttribute::Betweenness,
            edge_width: EdgeAttribute::Probability,
            show_missing: true,
            ..Style::default()
        };
        window.send(Action::SetStyle(Box::new(style)));
        window.harness.run_steps(60);
        photograph(&mut window, "style");
        // The other pages say nothing of it.
        let told: Vec<_> = window.state().runtime.messages.iter().map(|message| message.id).collect();
        told.into_iter().for_each(|message| window.send(Action::Dismiss(message)));
        window.send(Action::Detach(Attachment::Reference));
        window.send(Action::SetStyle(Box::new(before)));
        window.click("Style and reference network");
        window.harness.run_steps(20);
    }
    window.send(Action::SetTab(Tab::Data));
    photograph(&mut window, "data");
    window.send(Action::ShowSection(DataSection::Quality));
    window.until("the quality", |state| matches!(state.runtime.findings.quality, QualityFinding::Ready(_)));
    photograph(&mut window, "quality");
    window.send(Action::ShowSection(DataSection::Differential));
    window.until("the test", |state| !state.runtime.findings.tests.done.is_empty());
    photograph(&mut window, "volcano");
    window.send(Action::SetTab(Tab::Training));
    photograph(&mut window, "training");
    window.send(Action::SetTab(Tab::Network));
    window.send(Action::Select { gene: "TF046".into(), extend: false });
    window.send(Action::KnockOut(vec![("TF046".into(), 1.0)]));
    window.until("the prediction", |state| state.runtime.prediction.effect().is_some());
    photograph(&mut window, "knock-out");
    if wanted.contains(&"wave") {
        window.send(Action::SetWave(Some(WaveView { step: 1, playing: false })));
        window.until("the wave", |state| state.wave().is_some());
        window.harness.run_steps(40);
        photograph(&mut window, "wave");
        window.send(Action::SetWave(None));
    }
    window.send(Action::ClearKnockOut);
    window.send(Action::ShowTable(Some(TableKind::Edges)));
    window.send(Action::SelectAll(vec!["TF046".into(), "GENE094".into()]));
    window.until("the tests of edges", |state| matches!(state.runtime.edge_testing, EdgeTesting::Ready(_)));
    window.send(Action::SetPaths(Some(PathQuery::new("TF046", "GENE094"))));
    window.until("the paths", |state| state.runtime.paths.found().is_some());
    window.harness.run_steps(60);
    photograph(&mut window, "paths");
    window.send(Action::SetPaths(None));
    let notes = [
        (NoteSubject::Session, "First replicate; the second one agrees but for GENE078"),
        (NoteSubject::Gene("GENE060".into()), "Two guides agree"),
        (NoteSubject::Edge("GENE060".into(), "GENE078".into()), "Known from ChIP-seq in THP-1 cells"),
    ];
    for (subject, text) in notes {
        window.send(Action::SetNote(subject, text.to_owned()));
    }
    window.send(Action::ShowTable(Some(TableKind::Notes)));
    photograph(&mut window, "notes");
    window.send(Action::ClearSelection);
    window.send(Action::ShowTable(None));
    window.click("Filters");
    let filter = NetworkFilter { minimum_degree: 2, per_regulator: Some(4), ..NetworkFilter::top(55) };
    window.send(Action::SetFilter(Box::new(filter)));
    spiral(&mut window);
    photograph(&mut window, "filters");
    for (method, name) in [(Method::Layered, "layers"), (Method::Concentric, "rings"), (Method::Circular, "circle")] {
        if wanted.contains(&name) {
            let centre = Some("TF046".to_owned()).filter(|_| method == Method::Concentric);
            window.send(Action::SetLayout(Box::new(Layout { method, centre, ..Layout::default() })));
            window.until("the layout", |state| !state.document.positions.is_empty());
            window.harness.run_steps(60);
            photograph(&mut window, name);
        }
    }
    if wanted.contains(&"gene-sets") {
        gene_sets(&mut window);
        photograph(&mut window, "gene-sets");
        window.send(Action::ShowTable(None));
    }
    if wanted.contains(&"figure") {
        window.send(Action::SetTab(Tab::Figure));
        window.until("the page", |state| matches!(state.runtime.page, PageDrawing::Ready(_)));
        window.harness.run_steps(20);
        photograph(&mut window, "figure");
    }
    Some(window.harness.take_snapshot_results())
}

/// Eight genes selected, and the table of the gene sets that they are rich in.
fn gene_sets(window: &mut Window) {
    let folder = tempfile::tempdir().unwrap();
    let gmt = folder.path().join("sets.gmt");
    let set = |name: &str, from: usize, to: usize| {
        let genes: Vec<String> = (from..to).map(|gene| format!("TF{gene:03}")).collect();
        format!("{name}\t\t{}\n", genes.join("\t"))
    };
    let text = set("INTERFERON RESPONSE", 1, 12) + &set("G2M CHECKPOINT", 8, 30) + &set("UNFOLDED PROTEIN", 30, 50);
    std::fs::write(&gmt, text).unwrap();
    window.send(Action::Attach(Attachment::GeneSets, gmt));
    window.until("the gene sets", |state| state.runtime.attached.gene_sets.is_some());
    let told: Vec<_> = window.state().runtime.messages.iter().map(|message| message.id).collect();
    told.into_iter().for_each(|message| window.send(Action::Dismiss(message)));
    window.send(Action::ShowTable(Some(TableKind::GeneSets)));
    window.send(Action::SelectAll((1..9).map(|gene| format!("TF{gene:03}")).collect()));
    window.harness.run_steps(40);
}

#[test]
fn the_pages_look_as_they_did() {
    let of_both_halves = ["knock-out", "wave", "paths", "notes", "filters"];
    let mut small_light = vec!["welcome", "network", "style", "data", "quality", "volcano", "training"];
    small_light.extend(of_both_halves);
    let mut large_dark = small_light.clone();
    small_light.extend(["rings", "figure"]);
    large_dark.extend(["layers", "gene-sets", "figure"]);
    let (small, large) = ([1024.0, 640.0], [1440.0, 900.0]);
    let mut results = SnapshotResults::new();
    let large_light = [&of_both_halves[..], &["circle"]].concat();
    for (size, theme, name, wanted) in [
        (small, ThemeChoice::Light, "small-light", &small_light[..]),
        (large, ThemeChoice::Dark, "large-dark", &large_dark[..]),
        // The other half of the pairs: the pages that have the most in them.
        (small, ThemeChoice::Dark, "small-dark", &of_both_halves[..]),
        (large, ThemeChoice::Light, "large-light", &large_light[..]),
    ] {
        let Some(drawn) = pages(size, theme, name, wanted) else { return };
        results.extend(drawn);
    }
}

/// Pictures of a page in a small and a large window, light and dark.
fn both_sizes_and_themes(draw: fn([f32; 2], ThemeChoice, &str) -> Option<SnapshotResults>) {
    let (small, large) = ([1024.0, 640.0], [1440.0, 900.0]);
    let mut results = SnapshotResults::new();
    for (size, theme, name) in [
        (small, ThemeChoice::Light, "small-light"),
        (small, ThemeChoice::Dark, "small-dark"),
        (large, ThemeChoice::Light, "large-light"),
        (large, ThemeChoice::Dark, "large-dark"),
    ] {
        let Some(drawn) = draw(size, theme, name) else { return };
        results.extend(drawn);
    }
}

/// The page of a comparison with another network in its own window, or none where nothing can be drawn.
fn comparison(size: [f32; 2], theme: ThemeChoice, name: &str) -> Option<SnapshotResults> {
    let mut window = photographed(size)?;
    window.send(Action::SetTheme(theme));
    window.open(std::path::Path::new("sample_data/sample_model.safetensors"));
    window.send(Action::SetFilter(Box::new(NetworkFilter::top(60))));
    let folder = tempfile::tempdir().unwrap();
    window.send(Action::Attach(Attachment::Compared, other(folder.path())));
    window.until("the other network", |state| state.runtime.attached.compared.is_some());
    window.until("the layout", |state| state.document.positions.contains_key("STRANGER"));
    // All genes of both, in a fixed order.
    let network = window.state().network().unwrap().clone();
    let mut genes: Vec<String> = network.genes().iter().map(|gene| gene.symbol.clone()).collect();
    genes.push("STRANGER".to_owned());
    place_on_spiral(&mut window, genes);
    window.harness.hover_at(egui::pos2(1.0, size[1] - 1.0));
    window.harness.run_steps(60);
    window.harness.snapshot(format!("compare-{name}"));
    if name == "large-light" {
        let overlaid = window.state().document.comparing.map(|comparing| Comparing { overlaid: true, ..comparing });
        window.send(Action::SetComparing(overlaid));
        window.send(Action::Select { gene: "TF046".into(), extend: false });
        window.harness.run_steps(60);
        window.harness.snapshot(format!("overlaid-{name}"));
    }
    Some(window.harness.take_snapshot_results())
}

#[test]
fn a_comparison_looks_as_it_did() {
    both_sizes_and_themes(comparison);
}

#[test]
fn guides_look_as_they_did() {
    let folder = tempfile::tempdir().unwrap();
    let path = crate::guides::screen(folder.path());
    let mut results = SnapshotResults::new();
    for (size, theme, name) in
        [([1000.0, 640.0], ThemeChoice::Light, "small-light"), ([1440.0, 900.0], ThemeChoice::Dark, "large-dark")]
    {
        let Some(mut window) = photographed(size) else { return };
        window.send(Action::SetTheme(theme));
        window.open(&path);
        window.send(Action::ShowSection(DataSection::Guides));
        window.until("the guides", |state| matches!(state.runtime.findings.guides, GuideFinding::Ready(_)));
        window.harness.hover_at(egui::pos2(1.0, size[1] - 1.0));
        window.harness.run_steps(20);
        window.harness.snapshot(format!("guides-{name}"));
        results.extend(window.harness.take_snapshot_results());
    }
}

/// The page of an evaluation, or none where nothing can be drawn.
fn evaluation(size: [f32; 2], theme: ThemeChoice, name: &str) -> Option<SnapshotResults> {
    let mut window = photographed(size)?;
    window.send(Action::SetTheme(theme));
    for file in ["sample_data/sample.h5ad", "sample_data/sample_model.safetensors"] {
        window.open(std::path::Path::new(file));
    }
    window.send(Action::SetTab(Tab::Evaluation));
    window.harness.run_steps(4);
    if name == "small-light" {
        window.harness.snapshot(format!("evaluation-empty-{name}"));
    }
    let known = Some("sample_data/sample_truth.tsv".into());
    let settings = EvaluationSettings { known_edges: known, ..EvaluationSettings::default() };
    window.send(Action::SetEvaluation(Box::new(settings)));
    window.click("Evaluate the model");
    window.until("the evaluation", |state| !state.runtime.evaluations.judged.is_empty());
    window.harness.hover_at(egui::pos2(1.0, size[1] - 1.0));
    window.harness.run_steps(20);
    window.harness.snapshot(format!("evaluation-{name}"));
    if name == "large-dark" {
        let shown = window.harness.query_all_by_label("False discovery rates of edges").next();
        shown.expect("the last figure").scroll_to_me();
        window.harness.run_steps(60);
        window.harness.snapshot(format!("evaluation-network-{name}"));
    }
    Some(window.harness.take_snapshot_results())
}

#[test]
fn an_evaluation_looks_as_it_did() {
    let mut results = SnapshotResults::new();
    for (size, theme, name) in [
        ([1024.0, 640.0], ThemeChoice::Light, "small-light"),
        ([1440.0, 1600.0], ThemeChoice::Light, "tall-light"),
        ([1440.0, 900.0], ThemeChoice::Dark, "large-dark"),
    ] {
        let Some(drawn) = evaluation(size, theme, name) else { return };
        results.extend(drawn);
    }
}

/// The map of interactions of a screen with pairs.
fn interactions(size: [f32; 2], zoom: f32, theme: ThemeChoice, name: &str) -> Option<SnapshotResults> {
    let folder = tempfile::tempdir().unwrap();
    let mut window = photographed(size)?;
    window.send(Action::SetTheme(theme));
    window.send(Action::SetZoom(zoom));
    window.open(&pairs(folder.path()));
    let told: Vec<_> = window.state().runtime.messages.iter().map(|message| message.id).collect();
    told.into_iter().for_each(|message| window.send(Action::Dismiss(message)));
    window.send(Action::SetTab(Tab::Interactions));
    mapped(&mut window);
    window.harness.hover_at(egui::pos2(1.0, size[1] - 1.0));
    window.harness.run_steps(8);
    window.harness.snapshot(format!("interactions-{name}"));
    Some(window.harness.take_snapshot_results())
}

#[test]
fn interactions_look_as_they_did() {
    let (small, large) = ([1024.0, 640.0], [1440.0, 900.0]);
    let mut results = SnapshotResults::new();
    for (size, zoom, theme, name) in [
        (small, 1.0, ThemeChoice::Light, "small-light"),
        (small, 2.0, ThemeChoice::Dark, "double-dark"),
        (large, 1.0, ThemeChoice::Dark, "large-dark"),
        (large, 1.0, ThemeChoice::Light, "large-light"),
    ] {
        let Some(drawn) = interactions(size, zoom, theme, name) else { return };
        results.extend(drawn);
    }
}

/// Cells behind a response, the heat map of all, and edges coloured by their test on held-out cells, or none where nothing can be
/// drawn.
fn evidence(size: [f32; 2], theme: ThemeChoice, name: &str) -> Option<SnapshotResults> {
    use grn_explorer::document::{EdgeAttribute, Style};
    let mut window = photographed(size)?;
    window.send(Action::SetTheme(theme));
    for file in ["sample_data/sample.h5ad", "sample_data/sample_model.safetensors"] {
        window.open(std::path::Path::new(file));
    }
    let photograph = |window: &mut Window, page: &str| {
        window.harness.hover_at(egui::pos2(1.0, size[1] - 1.0));
        window.harness.run_steps(8);
        window.harness.snapshot(format!("{page}-{name}"));
    };
    window.send(Action::ToggleSidePanel);
    spiral(&mut window);
    window.send(Action::SetTab(Tab::Response));
    window.until_mentioned("Fit to held-out cells");
    if window.shows("Heat map") {
        window.click("Heat map");
    }
    window.until_mentioned("Heat map of ");
    photograph(&mut window, "heat-map");
    window.send(Action::ShowPerturbation(Some("TF046".into())));
    window.until_mentioned("Boxes of the cells");
    photograph(&mut window, "response");
    let label = "Histograms of ";
    window.harness.query_all_by_label_contains(label).next().unwrap().scroll_to_me();
    window.harness.run_steps(30);
    photograph(&mut window, "cells");
    window.send(Action::ToggleSidePanel);
    window.send(Action::SetTab(Tab::Network));
    let style = Style { edge_colour: EdgeAttribute::HeldOut, ..Style::default() };
    window.send(Action::SetStyle(Box::new(style)));
    window.click("Style and reference network");
    window.send(Action::Attach(Attachment::Reference, "sample_data/sample_truth.tsv".into()));
    window.until("the reference", |state| state.runtime.attached.reference.is_some());
    let told: Vec<_> = window.state().runtime.messages.iter().map(|message| message.id).collect();
    told.into_iter().for_each(|message| window.send(Action::Dismiss(message)));
    let network = window.state().network().unwrap().clone();
    let best = network.edges().iter().find(|edge| network.gene(edge.regulator).perturbed_cells > 0).unwrap();
    let ends = [best.regulator, best.target].map(|gene| network.symbol(gene).to_owned());
    window.send(Action::SelectAll(ends.to_vec()));
    window.until_mentioned("tested edges supported");
    // There is room for both.
    window.send(Action::ShowTable((size[0] > 1200.0).then_some(TableKind::Edges)));
    window.harness.run_steps(60);
    photograph(&mut window, "evidence");
    Some(window.harness.take_snapshot_results())
}

#[test]
fn evidence_looks_as_it_did() {
    both_sizes_and_themes(evidence);
}
