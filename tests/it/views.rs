//! The views, driven by label as a user or a screen reader would, without a model file: the network comes as a snapshot
//! of a training run that the view follows.

use std::sync::Arc;

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use grn_explorer::app::state::{Prediction, TableKind, TrainingRun};
use grn_explorer::app::views::knock_out::{self, KnockOutView, Known};
use grn_explorer::app::views::response::{self, Comparison, ResponseView};
use grn_explorer::app::views::{self, Views};
use grn_explorer::app::{Action, State, theme};
use grn_explorer::data::{EffectTable, PerturbationKind};
use grn_explorer::document::NetworkFilter;
use grn_explorer::jobs::Silent;
use grn_explorer::models::baselines::TrainingShifts;
use grn_explorer::models::{Novelty, PredictedEffect, TrainedPerturbation};
use grn_explorer::network::filter::first_view;
use grn_explorer::network::{Edge, GeneId, Grn, NetworkGene, Sign, SignEvidence};
use grn_explorer::training::NetworkSnapshot;

/// A window with the side panel and the network.
struct Host {
    state: State,
    views: Views,
    actions: Vec<Action>,
    /// Everything that was asked for, in order.
    log: Vec<String>,
}

impl Host {
    fn new(network: Option<Arc<Grn>>) -> Self {
        let mut state = State::default();
        if let Some(network) = network {
            let snapshot = Some(NetworkSnapshot { epoch: 3, network });
            state.runtime.training = Some(TrainingRun { snapshot, ..TrainingRun::default() });
            state.view.follow_training = true;
        }
        Self { state, views: Views::default(), actions: Vec::new(), log: Vec::new() }
    }

    fn ui(&mut self, ui: &mut egui::Ui) {
        let Self { state, views, actions, log } = self;
        egui::Panel::left("side").exact_size(300.0).show(ui, |ui| {
            views::genes::show(&mut views.genes, &mut views.inspector, ui, state, actions);
        });
        egui::CentralPanel::default().show(ui, |ui| views::network::show(&mut views.network, ui, state, actions));
        if !actions.is_empty() {
            ui.ctx().request_repaint();
        }
        for action in actions.drain(..) {
            log.push(format!("{action:?}"));
            apply(action, state);
        }
    }
}

/// What the window does with the actions of these views.
fn apply(action: Action, state: &mut State) {
    let document = &mut state.document;
    state.view.fit_network = false;
    match action {
        Action::Select { gene, extend } => document.select(&gene, extend),
        Action::SelectAll(genes) => document.selection = genes,
        Action::ClearSelection => document.selection.clear(),
        Action::SetFilter(filter) => document.filter = *filter,
        Action::SetPaths(paths) => document.paths = paths,
        Action::SetTool(tool) => state.view.tool = tool,
        Action::ShowTable(table) => state.view.table = table,
        Action::SetStyle(style) => document.style = *style,
        Action::MoveNode { gene, position } => {
            Arc::make_mut(&mut document.positions).insert(gene.clone(), position);
            document.pinned.insert(gene);
        }
        Action::PinNode { gene, pinned: false } => _ = document.pinned.remove(&gene),
        Action::PinNode { gene, .. } => _ = document.pinned.insert(gene),
        Action::FitNetwork => state.view.fit_network = true,
        _ => {}
    }
}

/// A network of `genes` genes: hubs regulate many, signs alternate.
fn network(genes: u32) -> Arc<Grn> {
    let gene = |at: u32| NetworkGene {
        symbol: if at == 0 { "STAT1".to_owned() } else { format!("GENE{at}") },
        measured: at % 11 != 3,
        perturbed_cells: if at < genes / 3 { 40 + at * 7 } else { 0 },
        knock_down: (at < genes / 3 && at % 11 != 3).then_some(-1.2 + at as f32 * 0.02),
    };
    let mut edges = Vec::new();
    for target in 1..genes {
        for step in 0..3 {
            let regulator = (target * 7 + step * 13) % (2 + target / 3);
            if regulator == target
                || edges.iter().any(|edge: &Edge| edge.regulator.0 == regulator && edge.target.0 == target)
            {
                continue;
            }
            let sign = [Sign::Activates, Sign::Represses, Sign::Activates, Sign::Unknown][(target + step) as usize % 4];
            let probability = 0.52 - 0.02 * step as f32 - target as f32 * 2e-4;
            edges.push(Edge {
                sign,
                evidence: if sign == Sign::Unknown { SignEvidence::None } else { SignEvidence::Measured },
                shift: (sign != Sign::Unknown).then_some(if sign == Sign::Activates { -0.6 } else { 0.4 }),
                ..Edge::new(GeneId(regulator), GeneId(target), probability)
            });
        }
    }
    Arc::new(Grn::new((0..genes).map(gene).collect(), edges).unwrap())
}

fn harness(size: [f32; 2], host: Host) -> Harness<'static, Host> {
    Harness::builder()
        .with_size(size)
        .with_context_setup(theme::install)
        .build_ui_state(|ui, host: &mut Host| host.ui(ui), host)
}

fn open(size: [f32; 2]) -> Harness<'static, Host> {
    let mut harness = harness(size, Host::new(Some(network(60))));
    rest(&mut harness);
    harness
}

/// Let the layout come to rest.
fn rest(harness: &mut Harness<'static, Host>) {
    for step in 0..4000 {
        harness.run_steps(1);
        std::thread::sleep(std::time::Duration::from_millis(5));
        // The nodes glide to where the layout put them.
        if step >= 40 && !harness.state().views.network.is_arranging() {
            harness.run_steps(40);
            return;
        }
    }
    panic!("the layout does not end");
}

/// Saves what is seen where `GRN_LOOK_DIR` says, for eyes.
trait Look {
    fn save(&mut self, name: &str);
}

impl<S> Look for Harness<'static, S> {
    fn save(&mut self, name: &str) {
        if let Some(folder) = std::env::var_os("GRN_LOOK_DIR") {
            let path = std::path::Path::new(&folder).join(format!("{name}.png"));
            self.render().unwrap().save(path).unwrap();
        }
    }
}

#[test]
fn without_a_network_the_views_say_what_to_do() {
    let mut harness = harness([1024.0, 640.0], Host::new(None));
    harness.run();
    harness.get_by_label("No network yet");
    harness.get_by_label("Open the sample").click();
    harness.run();
    assert_eq!(harness.state().log, ["OpenSample"]);
    harness.save("empty");
}

#[test]
fn a_node_is_selected_by_its_label_and_the_inspector_shows_it() {
    let mut harness = open([1280.0, 800.0]);
    harness.save("network");
    harness.get_by_label("node STAT1").click();
    rest(&mut harness);
    assert_eq!(harness.state().state.document.selection, ["STAT1"]);
    harness.get_by_label("40 cells");
    harness.get_by_label("knock-down −1.20");
    harness.save("selected");
    let target = harness.query_all_by_label_contains("Target GENE").next().expect("STAT1 has targets");
    target.click();
    rest(&mut harness);
    assert!(harness.state().state.document.selection[0].starts_with("GENE"));
}

#[test]
fn shift_extends_the_selection_and_the_background_clears_it() {
    let mut harness = open([1280.0, 800.0]);
    harness.get_by_label("node STAT1").click();
    rest(&mut harness);
    harness.get_by_label("node GENE2").click_modifiers(egui::Modifiers::SHIFT);
    rest(&mut harness);
    assert_eq!(harness.state().state.document.selection, ["STAT1", "GENE2"]);
    // The corner of the canvas is free of nodes.
    let canvas = harness.query_all_by_label_contains("Network of").next().unwrap().rect();
    let corner = canvas.left_top() + egui::vec2(6.0, 6.0);
    harness.hover_at(corner);
    harness.run_steps(1);
    harness.drag_at(corner);
    harness.run_steps(1);
    harness.drop_at(corner);
    rest(&mut harness);
    assert!(harness.state().state.document.selection.is_empty());
}

#[test]
fn filters_change_what_is_shown_and_are_taken_back() {
    let mut harness = open([1280.0, 800.0]);
    let nodes = |harness: &Harness<'static, Host>| harness.query_all_by_label_contains("node ").count();
    let before = nodes(&harness);
    harness.get_by_label("Number of edges").set_value_accesskit(20.0);
    rest(&mut harness);
    assert_eq!(harness.state().state.document.filter, NetworkFilter::top(20));
    assert!(nodes(&harness) < before, "{} of {before}", nodes(&harness));
    harness.get_by_label("Filters").click();
    rest(&mut harness);
    harness.get_by_label("Per regulator").click();
    rest(&mut harness);
    let filter = |harness: &Harness<'static, Host>| harness.state().state.document.filter.clone();
    assert_eq!((filter(&harness).top, filter(&harness).per_regulator), (Some(20), Some(2)), "filters combine");
    harness.get_by_label("Probability").click();
    rest(&mut harness);
    assert!(filter(&harness).minimum_probability.is_some());
    harness.get_by_label("Lowest probability");
    harness.save("probability");
    // Each filter tells what it left; one click takes it back.
    let total = network(60).edges().len();
    harness.get_by_label_contains(&format!(" of {total} edges between"));
    assert!(harness.query_all_by_label_contains("edges · ").count() >= 3);
    harness.get_by_label("Reset Per regulator").click();
    rest(&mut harness);
    assert_eq!(filter(&harness).per_regulator, None);
    harness.get_by_label("Edges: Represses").click();
    rest(&mut harness);
    assert!(!filter(&harness).signs.represses && filter(&harness).signs.activates);
    harness.get_by_label_contains("Take back: activating or unsigned").click();
    rest(&mut harness);
    assert!(filter(&harness).signs.represses);
    harness.get_by_label("Show everything").scroll_to_me();
    rest(&mut harness);
    harness.get_by_label("Show everything").click();
    rest(&mut harness);
    assert_eq!(filter(&harness), NetworkFilter::default());
    harness.get_by_label("Reset all filters").scroll_to_me();
    rest(&mut harness);
    harness.get_by_label("Reset all filters").click();
    rest(&mut harness);
    assert_eq!(filter(&harness), first_view(&network(60)));
}

#[test]
fn a_search_completes_selects_and_explains() {
    let mut harness = open([1280.0, 800.0]);
    harness.get_by_label("Find a gene").click();
    harness.run_steps(2);
    harness.get_by_label("Find a gene").type_text("stat");
    harness.run_steps(2);
    harness.get_by_label("Go to STAT1");
    harness.key_press(egui::Key::Enter);
    rest(&mut harness);
    assert_eq!(harness.state().state.document.selection, ["STAT1"]);
    harness.get_by_label("Find a gene").click();
    harness.run_steps(2);
    harness.get_by_label("Find a gene").type_text("qqqq");
    harness.run_steps(2);
    harness.get_by_label("No gene is called like “qqqq”");
}

#[test]
fn the_table_of_genes_sorts_by_its_headers() {
    let mut harness = open([1280.0, 800.0]);
    let first = |harness: &Harness<'static, Host>| {
        let rows = harness.query_all_by_label_contains("gene ");
        let rows: Vec<_> = rows.filter(|row| row.rect().height() > 4.0).map(|row| (row.rect().top(), row)).collect();
        let top = rows.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        top.1.accesskit_node().label().unwrap()
    };
    harness.get_by_label("Sort by Cells").click();
    rest(&mut harness);
    assert_eq!(first(&harness), "gene GENE19", "the gene perturbed in most cells");
    harness.get_by_label("Sort by Gene").click();
    rest(&mut harness);
    assert_eq!(first(&harness), "gene GENE1");
    harness.get_by_label("Sort by Gene").click();
    rest(&mut harness);
    assert_eq!(first(&harness), "gene STAT1");
}

#[test]
fn dragging_a_node_pins_it_where_it_is_dropped() {
    let mut harness = open([1280.0, 800.0]);
    let from = harness.get_by_label("node STAT1").rect().center();
    let to = from + egui::vec2(60.0, 40.0);
    harness.hover_at(from);
    harness.run_steps(2);
    harness.drag_at(from);
    harness.run_steps(2);
    harness.hover_at(from + egui::vec2(20.0, 20.0));
    harness.run_steps(2);
    harness.hover_at(to);
    harness.run_steps(2);
    harness.drop_at(to);
    rest(&mut harness);
    assert!(harness.state().state.document.pinned.contains("STAT1"));
    let now = harness.get_by_label("node STAT1").rect().center();
    assert!(now.distance(to) < 4.0, "{now} instead of {to}");
}

#[test]
fn panning_and_zooming_move_the_picture_and_fit_brings_it_back() {
    let mut harness = open([1280.0, 800.0]);
    let at = |harness: &Harness<'static, Host>| harness.get_by_label("node STAT1").rect().center();
    let before = at(&harness);
    harness.get_by_label("Zoom in").click();
    rest(&mut harness);
    let zoomed = at(&harness);
    assert!(before.distance(zoomed) > 0.5);
    harness.get_by_label("Fit").click();
    rest(&mut harness);
    assert!(at(&harness).distance(before) < 2.0, "{} instead of {before}", at(&harness));
}

#[test]
fn the_export_dialog_previews_and_asks_for_the_file() {
    let mut harness = open([1280.0, 800.0]);
    harness.get_by_label("Export…").click();
    rest(&mut harness);
    harness.get_by_label("Preview of the figure");
    harness.get_by_label("PNG").click();
    rest(&mut harness);
    harness.save("export");
    harness.get_by_label("Path of the file").click();
    harness.run_steps(2);
    harness.get_by_label("Path of the file").type_text("net");
    harness.run_steps(2);
    harness.get_by_label("Save").click();
    rest(&mut harness);
    let export = harness.state().log.iter().find(|action| action.starts_with("Export")).unwrap();
    assert!(export.contains("net.png") && export.contains("width_mm: 180.0"), "{}", &export[..200]);
    assert!(harness.query_by_label("Preview of the figure").is_none(), "the dialog is closed");
}

#[test]
fn everything_fits_into_a_small_window_in_both_themes() {
    for dark in [false, true] {
        let mut host = harness([1024.0, 640.0], Host::new(Some(network(200))));
        host.ctx.set_theme(if dark { egui::Theme::Dark } else { egui::Theme::Light });
        rest(&mut host);
        let window = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1024.0, 640.0));
        for label in ["Export…", "Fit", "Zoom in", "Find a gene", "Number of edges"] {
            assert!(window.contains_rect(host.get_by_label(label).rect()), "{label} is cut off");
        }
        host.save(if dark { "small-dark" } else { "small-light" });
    }
}

/// The tables alone.
struct TablesHost {
    state: State,
    view: views::tables::TablesView,
}

/// 50,000 genes that each regulate the next and the second next.
fn large() -> Arc<Grn> {
    let genes: u32 = 50_000;
    let gene = |at| NetworkGene { measured: true, ..NetworkGene::named(format!("GENE{at}")) };
    let edge = |at: u32| {
        let target = GeneId((at / 2 + 1 + at % 2) % genes);
        Edge::new(GeneId(at / 2), target, (at * 7919 % 100_003) as f32 / 100_003.0)
    };
    Arc::new(Grn::new((0..genes).map(gene).collect(), (0..2 * genes).map(edge).collect()).unwrap())
}

#[test]
fn tables_of_fifty_thousand_rows_draw_only_what_is_seen() {
    let mut state = State::default();
    let snapshot = Some(NetworkSnapshot { epoch: 3, network: large() });
    state.runtime.training = Some(TrainingRun { snapshot, ..TrainingRun::default() });
    state.view.follow_training = true;
    state.view.table = Some(TableKind::Genes);
    state.document.filter = NetworkFilter::default();
    let host = TablesHost { state, view: Default::default() };
    let mut harness = Harness::builder().with_size([800.0, 600.0]).with_context_setup(theme::install).build_ui_state(
        |ui, host: &mut TablesHost| views::tables::show(&mut host.view, ui, &host.state, &mut Vec::new()),
        host,
    );
    for (kind, rows, row) in [(TableKind::Genes, "50,000 genes", "gene "), (TableKind::Edges, "100,000 edges", "edge ")]
    {
        harness.state_mut().state.view.table = Some(kind);
        harness.run_steps(4);
        harness.get_by_label(rows);
        let drawn = harness.query_all_by_label_contains(row).count();
        assert!((10..60).contains(&drawn), "{drawn} rows are drawn");
        let start = std::time::Instant::now();
        harness.run_steps(30);
        println!("{rows}: {:.1} ms a frame", start.elapsed().as_secs_f64() * 1000.0 / 30.0);
        let start = std::time::Instant::now();
        harness.get_by_label(if kind == TableKind::Genes { "Sort by Gene" } else { "Sort by Regulator" }).click();
        harness.run_steps(3);
        println!("{rows}: sorted by name in {:.0} ms", start.elapsed().as_secs_f64() * 1000.0);
        harness.state_mut().state.document.selection = vec!["GENE31234".into()];
        harness.run_steps(30);
        assert!(harness.query_all_by_label_contains("GENE31234").next().is_some(), "scrolled into view");
        harness.state_mut().state.document.selection.clear();
    }
}

/// A screen of 30 perturbations and 120 genes: shifts follow the perturbation's number, measurement adds noise.
struct Screen {
    held_out: EffectTable,
    training: EffectTable,
    predicted: EffectTable,
    perturbations: Vec<TrainedPerturbation>,
}

impl Screen {
    fn new() -> Self {
        let names: Vec<String> =
            (0..30).map(|at| if at == 0 { "STAT1".to_owned() } else { format!("GENE{at}") }).collect();
        let genes: Vec<String> =
            (0..120).map(|at| if at == 0 { "STAT1".to_owned() } else { format!("GENE{at}") }).collect();
        // A rough bell from a hash: no two runs differ.
        let noise = |row: usize, gene: usize, salt: usize| {
            let mix = |k: usize| {
                ((row * 7919 + gene * 104_729 + salt * 15_485_863 + k * 32_452_843) % 10_007) as f32 / 10_007.0
            };
            mix(1) + mix(2) + mix(3) - 1.5
        };
        let truth = |row: usize, gene: usize| {
            if gene == row {
                -1.4
            } else if (gene * 31 + row * 17).is_multiple_of(9) {
                1.1 * noise(row, gene, 0)
            } else {
                0.05
            }
        };
        let table = |rows: &[usize], cells: u32, spread: f32, salt: usize, scale: f32| EffectTable {
            perturbations: rows.iter().map(|&row| names[row].clone()).collect(),
            genes: genes.clone(),
            cells: rows.iter().map(|&row| if cells == 0 { 0 } else { cells + row as u32 }).collect(),
            shifts: rows
                .iter()
                .flat_map(|&row| (0..120).map(move |gene| scale * truth(row, gene) + spread * noise(row, gene, salt)))
                .collect(),
        };
        let (all, measured): (Vec<usize>, Vec<usize>) = ((0..30).collect(), (0..26).collect());
        let seen = |row: usize| TrainedPerturbation {
            targets: vec![names[row].clone()],
            training_cells: if row == 5 { 0 } else { 60 + row as u32 },
            validation_cells: 12,
            test_cells: if row < 26 { 15 + row as u32 } else { 0 },
            held_out: row == 5,
        };
        Self {
            held_out: table(&measured, 15, 0.12, 1, 1.0),
            training: table(&all, 60, 0.06, 2, 1.0),
            predicted: table(&all, 0, 0.05, 3, 0.8),
            perturbations: (0..30).map(seen).collect(),
        }
    }

    fn known(&self) -> Known<'_> {
        let kind = PerturbationKind::KnockOut;
        Known { genes: &self.predicted.genes, held_out: &self.held_out, training: &self.training, kind }
    }
}

/// The response view alone.
struct ResponseHost {
    state: State,
    view: ResponseView,
    comparison: Arc<Comparison>,
    log: Vec<String>,
}

fn response(size: [f32; 2], dark: bool) -> Harness<'static, ResponseHost> {
    let screen = Screen::new();
    let comparison = Comparison::new(
        &screen.perturbations,
        &screen.held_out,
        TrainingShifts::without_errors(&screen.training),
        &screen.predicted,
        &Silent,
    )
    .expect("never cancelled");
    let host = ResponseHost {
        state: State::default(),
        view: ResponseView::default(),
        comparison: Arc::new(comparison),
        log: Vec::new(),
    };
    let mut harness = Harness::builder().with_size(size).with_context_setup(theme::install).build_ui_state(
        |ui, host: &mut ResponseHost| {
            let mut actions = Vec::new();
            response::contents(&mut host.view, ui, &host.comparison, &host.state, &mut actions);
            for action in actions {
                host.log.push(format!("{action:?}"));
                if let Action::ShowPerturbation(name) = action {
                    host.state.view.perturbation = name;
                    ui.ctx().request_repaint();
                }
            }
        },
        host,
    );
    harness.ctx.set_theme(if dark { egui::Theme::Dark } else { egui::Theme::Light });
    harness.run_steps(4);
    harness
}

#[test]
fn perturbations_sort_by_fit_and_open() {
    let mut harness = response([460.0, 760.0], false);
    harness.save("response-list");
    let first = |harness: &Harness<'static, ResponseHost>| {
        let rows = harness
            .query_all_by_label_contains("perturbation ")
            .filter(|row| row.accesskit_node().label().is_some_and(|label| label.starts_with("perturbation ")));
        let top = rows.min_by(|a, b| a.rect().top().total_cmp(&b.rect().top())).unwrap();
        top.accesskit_node().label().unwrap()
    };
    harness.get_by_label("Sort by Cells").click();
    harness.run_steps(4);
    assert_eq!(first(&harness), "perturbation GENE29", "89 training cells");
    harness.get_by_label("Sort by Perturbation").click();
    harness.run_steps(4);
    harness.get_by_label("perturbation GENE1").click();
    harness.run_steps(4);
    assert_eq!(harness.state().state.view.perturbation.as_deref(), Some("GENE1"));
    harness.get_by_label("Measured over 16 held-out cells");
    harness.get_by_label("Scatter of predicted and measured shifts, GENE1");
    harness.save("response-detail");
    harness.get_by_label("Training mean").click();
    harness.run_steps(4);
    harness.get_by_label("All perturbations").click();
    harness.run_steps(4);
    assert_eq!(harness.state().state.view.perturbation, None);
}

#[test]
fn a_fit_to_training_cells_is_called_so() {
    let mut harness = response([1200.0, 760.0], true);
    harness.save("response-wide");
    harness.get_by_label("Sort by Perturbation").click();
    harness.run_steps(4);
    harness.get_by_label("Filter perturbations").click();
    harness.run_steps(2);
    harness.get_by_label("Filter perturbations").type_text("gene28");
    harness.run_steps(4);
    harness.get_by_label("perturbation GENE28").click();
    harness.run_steps(4);
    harness.get_by_label("Measured over 88 training cells");
    assert!(harness.query_all_by_label_contains("shows memory, not prediction").next().is_some());
    harness.save("response-training");
}

/// The knock-out page alone.
struct KnockOutHost {
    state: State,
    view: KnockOutView,
    screen: Screen,
    doses: Option<Vec<(String, f32)>>,
    selected: Option<String>,
}

#[test]
fn the_effects_of_a_knock_out_are_listed_sorted_and_filtered() {
    let screen = Screen::new();
    let mut state = State::default();
    state.document.knock_out.insert("GENE3".to_owned(), 1.0);
    let row = screen.predicted.find("GENE3").unwrap();
    state.runtime.prediction = Prediction::Ready(Arc::new(PredictedEffect {
        name: "GENE3".to_owned(),
        novelty: Novelty::Measured { training_cells: 63, test_cells: 18 },
        lenders: None,
        extrapolated: false,
        responding: None,
        shifts: screen.predicted.row(row).to_vec(),
        spread: None,
        control: vec![3.0; 120],
    }));
    let snapshot = Some(NetworkSnapshot { epoch: 3, network: network(60) });
    state.runtime.training = Some(TrainingRun { snapshot, ..TrainingRun::default() });
    state.view.follow_training = true;
    let host = KnockOutHost { state, view: KnockOutView::default(), screen, doses: None, selected: None };
    let mut harness = Harness::builder().with_size([300.0, 640.0]).with_context_setup(theme::install).build_ui_state(
        |ui, host: &mut KnockOutHost| {
            let mut actions = Vec::new();
            let KnockOutHost { state, view, screen, .. } = host;
            knock_out::contents(view, ui, screen.known(), state, &mut actions);
            for action in actions {
                match action {
                    Action::KnockOut(doses) => host.doses = Some(doses),
                    Action::Select { gene, .. } => host.selected = Some(gene),
                    _ => {}
                }
            }
        },
        host,
    );
    harness.run_steps(4);
    harness.save("knock-out");
    harness.get_by_label("trained on");
    harness.get_by_label("63 cells in training, 18 cells held out");
    harness.get_by_label("Measured shifts are means over 18 held-out cells");
    // The gene that was knocked out has the largest shift of all.
    harness.get_by_label("effect GENE3").click();
    harness.run_steps(4);
    assert_eq!(harness.state().selected.as_deref(), Some("GENE3"));
    harness.get_by_label("Filter genes").click();
    harness.run_steps(2);
    harness.get_by_label("Filter genes").type_text("stat");
    harness.run_steps(4);
    harness.get_by_label("effect STAT1");
    assert!(harness.query_by_label("effect GENE3").is_none());
    harness.get_by_label("Dose of GENE3").set_value_accesskit(0.5);
    harness.run_steps(4);
    assert_eq!(harness.state().doses, Some(vec![("GENE3".to_owned(), 0.5)]));
}
