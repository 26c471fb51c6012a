//! How fast large networks are laid out and drawn: `cargo bench --bench layout`.
//!
//! `GRN_LAYOUT_TABLE=1 cargo bench --bench layout` prints instead, for networks of 500, 5,000 and 20,000 genes, the time to
//! the end of the layout and how good it is, beside two other crates with their own defaults (fjadra, the forces of D3; fa2,
//! ForceAtlas2 for 300 iterations with Barnes–Hut on all cores). `GRN_LAYOUT_PICTURES=FOLDER` draws these networks instead,
//! as PNG, for looking at.
//!
//! Both kinds of graph have ten edges per gene: *modular*, planted communities with four edges in five inside; and
//! *scale-free*, by preferential attachment.

use std::collections::{BTreeSet, HashSet};
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use egui::{Pos2, RawInput, Rect, vec2};
use grn_explorer::app::widgets::{Placement, ScenePainter};
use grn_explorer::figures::export::{self, ExportOptions};
use grn_explorer::figures::network::{NetworkFigure, NetworkStyle};
use grn_explorer::figures::{FigureMetadata, FigureTheme};
use grn_explorer::layout::{ForceLayout, LayoutConfig, LayoutEdge, LayoutNode, quality};
use grn_explorer::network::{Edge, GeneId, Grn, NetworkGene, Sign, SignEvidence};
use grn_explorer::random;
use rand::RngExt;

/// Edges per gene.
const EDGES: usize = 10;
/// The canvas that is drawn on.
const SIZE: [f32; 2] = [1100.0, 800.0];

/// Regulator and target of every edge.
type Pairs = Vec<(u32, u32)>;

fn below(random: &mut random::Rng, limit: usize) -> usize {
    ((random.random::<f64>() * limit as f64) as usize).min(limit - 1)
}

fn modular(genes: usize) -> Pairs {
    let mut random = random::stream(1, "modular");
    let communities = (((genes as f64).sqrt() / 2.0).round() as usize).max(5);
    let size = genes / communities;
    let (mut seen, mut pairs) = (HashSet::new(), Vec::new());
    while pairs.len() < genes * EDGES {
        let from = below(&mut random, genes);
        let to = if random.random::<f64>() < 0.8 {
            let first = (from / size).min(communities - 1) * size;
            let end = if first / size == communities - 1 { genes } else { first + size };
            first + below(&mut random, end - first)
        } else {
            below(&mut random, genes)
        };
        let pair = (from as u32, to as u32);
        if from != to && seen.insert(pair) {
            pairs.push(pair);
        }
    }
    pairs
}

fn scale_free(genes: usize) -> Pairs {
    let mut random = random::stream(1, "scale-free");
    // Each gene stands here as often as it has edges.
    let mut ends: Vec<u32> = (0..=EDGES as u32).collect();
    let mut pairs = Vec::new();
    for gene in EDGES + 1..genes {
        let mut regulators = BTreeSet::new();
        while regulators.len() < EDGES {
            regulators.insert(ends[below(&mut random, ends.len())]);
        }
        for regulator in regulators {
            pairs.push((regulator, gene as u32));
            ends.extend([regulator, gene as u32]);
        }
    }
    pairs
}

fn layout_edges(pairs: &Pairs) -> Vec<LayoutEdge> {
    pairs.iter().map(|&(from, to)| LayoutEdge { from, to, weight: 1.0 }).collect()
}

fn laid_out(genes: usize, edges: &[LayoutEdge], steps: u32) -> Vec<[f32; 2]> {
    let config = LayoutConfig { steps, ..LayoutConfig::default() };
    let mut layout = ForceLayout::new(&vec![LayoutNode { radius: 8.0 }; genes], edges, &config, None);
    layout.settle();
    layout.positions().to_vec()
}

/// Time, iterations and quality of three layouts for each graph.
#[allow(clippy::print_stdout)]
fn table() {
    println!("| graph | genes | layout | seconds | iterations | per second | neighbours kept | stress |");
    println!("|---|---|---|---|---|---|---|---|");
    for genes in [500, 5_000, 20_000] {
        for (graph, pairs) in [("modular", modular(genes)), ("scale-free", scale_free(genes))] {
            let edges = layout_edges(&pairs);
            let row = |name: &str, start: Instant, iterations: usize, positions: &[[f32; 2]], seconds: Option<f64>| {
                let seconds = seconds.unwrap_or_else(|| start.elapsed().as_secs_f64());
                let kept = quality::neighbourhood_preservation(positions, &edges).unwrap_or(f64::NAN);
                let stress = quality::stress(positions, &edges, 200).unwrap_or(f64::NAN);
                let speed = iterations as f64 / seconds;
                println!(
                    "| {graph} | {genes} | {name} | {seconds:.2} | {iterations} | {speed:.0} | {kept:.3} | {stress:.4} |"
                );
            };
            let start = Instant::now();
            let nodes = vec![LayoutNode { radius: 8.0 }; genes];
            let mut layout = ForceLayout::new(&nodes, &edges, &LayoutConfig::default(), None);
            let mut steps = 1;
            while layout.step() {
                steps += 1;
            }
            let seconds = start.elapsed().as_secs_f64();
            row("ours", start, steps, layout.positions(), Some(seconds));

            let start = Instant::now();
            let links = pairs.iter().map(|&(from, to)| (from as usize, to as usize));
            let mut simulation = fjadra::SimulationBuilder::default()
                .build((0..genes).map(|_| fjadra::Node::default()))
                .add_force("link", fjadra::Link::new(links))
                .add_force("charge", fjadra::ManyBody::new())
                .add_force("center", fjadra::Center::new());
            let mut ticks = 0;
            while !simulation.is_finished() {
                simulation.tick(1);
                ticks += 1;
            }
            let seconds = start.elapsed().as_secs_f64();
            let positions: Vec<[f32; 2]> = simulation.positions().map(|at| at.map(|at| at as f32)).collect();
            row("fjadra 0.2.1", start, ticks, &positions, Some(seconds));

            let start = Instant::now();
            let mut random = random::stream(1, "start");
            let mut data = fa2::FA2Data::<f32>::with_capacity(genes, pairs.len());
            for _ in 0..genes {
                data.add_node_with_position(random.random(), random.random());
            }
            pairs.iter().for_each(|&(from, to)| data.add_edge(from as usize, to as usize));
            let settings = fa2::FA2Settings::from_graph_order(genes).with_barnes_hut().parallel(true);
            let mut layout = settings.build(data);
            layout.run(300);
            let seconds = start.elapsed().as_secs_f64();
            let positions: Vec<[f32; 2]> = layout.data().positions().map(|(x, y)| [x, y]).collect();
            row("fa2 0.3.0", start, 300, &positions, Some(seconds));
        }
    }
}

/// Draws the networks, light and dark, whole and close by.
fn pictures(folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder");
    for (graph, genes, pairs) in [
        ("modular", 5_000, modular(5_000)),
        ("scale-free", 5_000, scale_free(5_000)),
        ("modular", 20_000, modular(20_000)),
    ] {
        let grn = network(genes, &pairs);
        let positions = laid_out(genes, &layout_edges(&pairs), 300);
        let style = NetworkStyle { text_size: 12.0, ..NetworkStyle::default() };
        let figure = NetworkFigure::of(&grn, grn.edges(), &positions, &style);
        for (name, theme) in [("light", FigureTheme::light()), ("dark", FigureTheme::dark())] {
            for zoom in [1.0, 3.0, 10.0] {
                let mut camera = figure.fit(SIZE);
                camera.zoom *= zoom;
                let scene = figure.scene(SIZE, &camera, &theme).scene;
                let options = ExportOptions::new(SIZE[0] / 96.0 * 25.4, 96.0, false).expect("a size");
                let path = folder.join(format!("{graph}-{genes}-{name}-{zoom}.png"));
                export::write(&scene, &FigureMetadata::default(), &options, &path).expect("a picture");
            }
        }
    }
}

/// What was asked for instead of the benchmarks; whether anything was.
fn instead() -> bool {
    if let Some(folder) = std::env::var_os("GRN_LAYOUT_PICTURES") {
        pictures(Path::new(&folder));
        return true;
    }
    let wanted = std::env::var_os("GRN_LAYOUT_TABLE").is_some();
    if wanted {
        table();
    }
    wanted
}

/// One step of the layout: at least 30 a second are wanted.
fn steps(criterion: &mut Criterion) {
    if instead() {
        return;
    }
    let mut group = criterion.benchmark_group("layout step");
    group.sample_size(20);
    for genes in [5_000, 20_000] {
        let edges = layout_edges(&modular(genes));
        let nodes = vec![LayoutNode { radius: 8.0 }; genes];
        let config = LayoutConfig { steps: 400, ..LayoutConfig::default() };
        let mut layout = ForceLayout::new(&nodes, &edges, &config, None);
        (0..100).for_each(|_| _ = layout.step());
        group.bench_function(format!("{genes} genes, {} edges", edges.len()), |bench| {
            // Always steps from the middle of the way.
            bench.iter_batched_ref(|| layout.clone(), |layout| black_box(layout.step()), BatchSize::LargeInput);
        });
    }
    group.finish();
}

fn network(genes: usize, pairs: &Pairs) -> Grn {
    let gene = |at: usize| NetworkGene {
        symbol: format!("GENE{at}"),
        measured: true,
        perturbed_cells: if at.is_multiple_of(4) { 40 } else { 0 },
        ..NetworkGene::default()
    };
    let edge = |(at, &(from, to)): (usize, &(u32, u32))| Edge {
        regulator: GeneId(from),
        target: GeneId(to),
        probability: 0.9 - 0.8 * at as f32 / pairs.len() as f32,
        rank: 0,
        sign: [Sign::Activates, Sign::Activates, Sign::Represses, Sign::Unknown][at % 4],
        evidence: SignEvidence::Measured,
        shift: None,
    };
    Grn::new((0..genes).map(gene).collect(), pairs.iter().enumerate().map(edge).collect()).expect("a network")
}

/// What the processor does in a frame of panning: the drawing, its meshes, and what egui makes of them. At most 16 ms are
/// wanted for 5,000 genes and 50,000 edges. Pixels are the graphics card's.
fn frames(criterion: &mut Criterion) {
    if ["GRN_LAYOUT_TABLE", "GRN_LAYOUT_PICTURES"].iter().any(|name| std::env::var_os(name).is_some()) {
        return;
    }
    let mut group = criterion.benchmark_group("frame");
    group.sample_size(20);
    for genes in [5_000, 20_000] {
        let pairs = modular(genes);
        let grn = network(genes, &pairs);
        let positions = laid_out(genes, &layout_edges(&pairs), 60);
        let style = NetworkStyle { text_size: 12.0, ..NetworkStyle::default() };
        let figure = NetworkFigure::of(&grn, grn.edges(), &positions, &style);
        let theme = FigureTheme::light();
        let name = |what: &str| format!("{what}, {genes} genes, {} edges", pairs.len());
        group.bench_function(name("figure"), |bench| {
            bench.iter(|| black_box(NetworkFigure::of(&grn, grn.edges(), &positions, &style).edges.len()));
        });
        for (what, zoom) in [("whole", 1.0), ("four times larger", 4.0), ("sixteen times larger", 16.0)] {
            let mut camera = figure.fit(SIZE);
            camera.zoom *= zoom;
            group.bench_function(name(&format!("geometry, {what}")), |bench| {
                bench.iter(|| {
                    camera.pan([0.5, 0.25]);
                    black_box(figure.scene(SIZE, &camera, &theme).hits.nodes.len())
                });
            });
            let mut camera = figure.fit(SIZE);
            camera.zoom *= zoom;
            let (context, mut painter, mut version) = (egui::Context::default(), ScenePainter::default(), 0);
            let input = || RawInput {
                screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(SIZE[0], SIZE[1]))),
                ..RawInput::default()
            };
            group.bench_function(name(&format!("geometry and meshes, {what}")), |bench| {
                bench.iter(|| {
                    camera.pan([0.5, 0.25]);
                    version += 1;
                    let scene = figure.scene(SIZE, &camera, &theme).scene;
                    let output = context.run_ui(input(), |ui| {
                        painter.paint(ui.painter(), &scene, version, Placement::at(Pos2::ZERO));
                    });
                    black_box(context.tessellate(output.shapes, output.pixels_per_point).len())
                });
            });
            let scene = figure.scene(SIZE, &camera, &theme);
            let mut at = 0_u32;
            group.bench_function(name(&format!("edge under the pointer, {what}")), |bench| {
                bench.iter(|| {
                    at = at.wrapping_add(7919);
                    let point = [(at % 1100) as f32, (at / 1100 % 800) as f32];
                    black_box((scene.hits.node_at(point, 4.0), scene.hits.edge_at(point, 3.5)))
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, steps, frames);
criterion_main!(benches);
