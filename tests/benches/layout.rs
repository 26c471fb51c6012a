//! How fast and how well large networks are laid out and drawn: `cargo bench --bench layout -- [PARTS] [SIZES] [OPTIONS]`.
//!
//! Parts are `quality` (time to the end of the layout and how good it is, beside two other crates with their own defaults:
//! fjadra, the forces of D3, and fa2, ForceAtlas2 for 300 iterations with Barnes–Hut on all cores; each ends after a
//! minute at the latest, as its number of iterations then tells), `steps` (iterations a
//! second), `frames` (what the processor does for a frame in which the camera, the layout or the pointer moves) and
//! `pictures` (the networks as PNG, for looking at, in the folder that `--folder` names). Sizes are numbers of genes, 500,
//! 5000 and 20000 unless said otherwise; `--repeat` is the number of frames and of steps. Without parts there are all but
//! the pictures: some minutes on two cores.
//!
//! Both kinds of graph have ten edges per gene: *modular*, planted communities with four edges in five inside; and
//! *scale-free*, by preferential attachment.

#![allow(clippy::print_stdout)]

use std::collections::{BTreeSet, HashSet};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use egui::{Pos2, RawInput, Rect, vec2};
use grn_explorer::app::widgets::{Placement, ScenePainter};
use grn_explorer::figures::export::{self, ExportOptions};
use grn_explorer::figures::network::{NetworkFigure, NetworkStyle};
use grn_explorer::figures::{FigureMetadata, FigureTheme};
use grn_explorer::layout::{ForceLayout, LayoutConfig, LayoutEdge, LayoutNode, quality};
use grn_explorer::network::filter::{Component, NetworkFilter};
use grn_explorer::network::{Edge, GeneId, Grn, NetworkGene, Sign, SignEvidence};
use grn_explorer::random;
use rand::RngExt;

/// What is to be done.
#[derive(Parser)]
struct Arguments {
    /// quality, steps, frames, pictures; and numbers of genes
    parts: Vec<String>,
    /// Frames and steps to measure
    #[arg(long, default_value_t = 60)]
    repeat: usize,
    /// Where pictures go
    #[arg(long, default_value = "target/layout-pictures")]
    folder: PathBuf,
    /// Said by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// Edges per gene.
const EDGES: usize = 10;
/// No layout is waited for any longer.
const PATIENCE: Duration = Duration::from_secs(60);
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
fn quality_table(sizes: &[usize]) {
    println!("| graph | genes | layout | seconds | iterations | per second | neighbours kept | stress |");
    println!("|---|---|---|---|---|---|---|---|");
    for &genes in sizes {
        for (graph, pairs) in [("modular", modular(genes)), ("scale-free", scale_free(genes))] {
            let edges = layout_edges(&pairs);
            let row = |name: &str, seconds: f64, iterations: usize, positions: &[[f32; 2]]| {
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
            row("ours", seconds, steps, layout.positions());

            let start = Instant::now();
            let links = pairs.iter().map(|&(from, to)| (from as usize, to as usize));
            let mut simulation = fjadra::SimulationBuilder::default()
                .build((0..genes).map(|_| fjadra::Node::default()))
                .add_force("link", fjadra::Link::new(links))
                .add_force("charge", fjadra::ManyBody::new())
                .add_force("center", fjadra::Center::new());
            let mut ticks = 0;
            while !simulation.is_finished() && start.elapsed() < PATIENCE {
                simulation.tick(1);
                ticks += 1;
            }
            let seconds = start.elapsed().as_secs_f64();
            let positions: Vec<[f32; 2]> = simulation.positions().map(|at| at.map(|at| at as f32)).collect();
            row("fjadra 0.2.1", seconds, ticks, &positions);

            let start = Instant::now();
            let mut random = random::stream(1, "start");
            let mut data = fa2::FA2Data::<f32>::with_capacity(genes, pairs.len());
            for _ in 0..genes {
                data.add_node_with_position(random.random(), random.random());
            }
            pairs.iter().for_each(|&(from, to)| data.add_edge(from as usize, to as usize));
            let settings = fa2::FA2Settings::from_graph_order(genes).with_barnes_hut().parallel(true);
            let mut layout = settings.build(data);
            let mut rounds = 0;
            while rounds < 300 && start.elapsed() < PATIENCE {
                layout.run(1);
                rounds += 1;
            }
            let seconds = start.elapsed().as_secs_f64();
            let positions: Vec<[f32; 2]> = layout.data().positions().map(|(x, y)| [x, y]).collect();
            row("fa2 0.3.0", seconds, rounds, &positions);
        }
    }
}

/// Draws the networks, light and dark, whole and close by.
fn pictures(sizes: &[usize], folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder");
    for &genes in sizes {
        for (graph, pairs) in [("modular", modular(genes)), ("scale-free", scale_free(genes))] {
            let grn = network(genes, &pairs);
            let positions = laid_out(genes, &layout_edges(&pairs), 300);
            let style = NetworkStyle { text_size: 12.0, ..NetworkStyle::default() };
            let figure = NetworkFigure::of(&grn, grn.edges(), &positions, &style);
            for (name, theme) in [("light", FigureTheme::light()), ("dark", FigureTheme::dark())] {
                for zoom in [1.0, 4.0, 16.0] {
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
}

/// Seconds that this thread computed; none where the system does not tell.
fn processor_seconds() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(told.split_whitespace().next()?.parse::<f64>().ok()? * 1e-9)
}

/// Milliseconds that this thread computed in each of `count` calls in the mean, whatever else the machine does meanwhile (by
/// the clock where the system does not tell); and by the clock in the fastest.
fn milliseconds(count: usize, mut what: impl FnMut()) -> [f64; 2] {
    what();
    let (start, computed) = (Instant::now(), processor_seconds());
    let mut fastest = f64::INFINITY;
    for _ in 0..count.max(1) {
        let start = Instant::now();
        what();
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    let clock = start.elapsed().as_secs_f64();
    let computed = computed.zip(processor_seconds()).map(|(from, to)| to - from);
    [computed.unwrap_or(clock) / count.max(1) as f64, fastest].map(|seconds| seconds * 1e3)
}

/// Steps of the layout from the middle of the way on: at least 30 a second are wanted.
fn steps(sizes: &[usize], repeat: usize) {
    println!("| genes | edges | ms a step | steps a second |\n|---|---|---|---|");
    for &genes in sizes {
        let edges = layout_edges(&modular(genes));
        let nodes = vec![LayoutNode { radius: 8.0 }; genes];
        let config = LayoutConfig { steps: 2 * (100 + repeat as u32), ..LayoutConfig::default() };
        let mut layout = ForceLayout::new(&nodes, &edges, &config, None);
        (0..100).for_each(|_| _ = layout.step());
        // By the clock: it computes on all cores.
        let start = Instant::now();
        (0..repeat).for_each(|_| _ = black_box(layout.step()));
        let each = start.elapsed().as_secs_f64() / repeat.max(1) as f64;
        println!("| {genes} | {} | {:.1} | {:.0} |", edges.len(), 1e3 * each, 1.0 / each);
    }
}

fn network(genes: usize, pairs: &Pairs) -> Grn {
    let gene = |at: usize| NetworkGene {
        symbol: format!("GENE{at}"),
        measured: true,
        perturbed_cells: if at.is_multiple_of(4) { 40 } else { 0 },
        ..NetworkGene::default()
    };
    let edge = |(at, &(from, to)): (usize, &(u32, u32))| Edge {
        sign: [Sign::Activates, Sign::Activates, Sign::Represses, Sign::Unknown][at % 4],
        evidence: SignEvidence::Measured,
        ..Edge::new(GeneId(from), GeneId(to), 0.9 - 0.8 * at as f32 / pairs.len() as f32)
    };
    Grn::new((0..genes).map(gene).collect(), pairs.iter().enumerate().map(edge).collect()).expect("a network")
}

/// What the processor does in a frame: the drawing, its meshes, and what egui makes of them. At most 16 ms are wanted for
/// 5,000 genes and 50,000 edges. Pixels are the graphics card's.
fn frames(sizes: &[usize], repeat: usize) {
    println!(
        "| genes | edges | view | what moves | ms computed a frame | fastest by the clock | edges drawn | vertices |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for &genes in sizes {
        let pairs = modular(genes);
        let grn = network(genes, &pairs);
        let positions = laid_out(genes, &layout_edges(&pairs), 60);
        let style = NetworkStyle { text_size: 12.0, ..NetworkStyle::default() };
        let mut figure = NetworkFigure::of(&grn, grn.edges(), &positions, &style);
        let theme = FigureTheme::light();
        let row = |view: &str, what: &str, [mean, fastest]: [f64; 2], drawn: [usize; 2]| {
            let edges = pairs.len();
            println!(
                "| {genes} | {edges} | {view} | {what} | {mean:.1} | {fastest:.1} | {} | {} |",
                drawn[0], drawn[1]
            );
        };
        let filter = NetworkFilter {
            per_target: Some(20),
            minimum_degree: 2,
            component: Some(Component::Largest),
            ..NetworkFilter::probable(0.1)
        };
        let times = milliseconds(5, || _ = black_box(filter.apply_counting(&grn).0.edge_count()));
        row("", "four filters (which edges are left)", times, [0, 0]);
        let times = milliseconds(5, || _ = black_box(NetworkFigure::of(&grn, grn.edges(), &positions, &style)));
        row("", "filter (figure anew)", times, [0, 0]);
        for (view, zoom) in [("whole", 1.0), ("× 4", 4.0), ("× 16", 16.0)] {
            let fitted = || {
                let mut camera = figure.fit(SIZE);
                camera.zoom *= zoom;
                camera
            };
            let mut camera = fitted();
            let times = milliseconds(repeat, || {
                camera.pan([0.5, 0.25]);
                black_box(figure.scene(SIZE, &camera, &theme).hits.nodes.len());
            });
            row(view, "panning, geometry only", times, [0, 0]);
            let mut window = Window::default();
            let mut camera = fitted();
            let times = milliseconds(repeat, || {
                camera.pan([0.5, 0.25]);
                window.frame(&figure, &camera, &theme);
            });
            row(view, "panning", times, window.drawn);
            let mut camera = fitted();
            let times = milliseconds(repeat, || {
                camera.zoom *= 1.003;
                window.frame(&figure, &camera, &theme);
            });
            row(view, "zooming", times, window.drawn);
            let camera = fitted();
            let mut moved = positions.clone();
            let times = milliseconds(repeat, || {
                moved.iter_mut().for_each(|at| at[0] += 0.05);
                figure.place(&moved);
                let camera = grn_explorer::figures::network::Camera { zoom: camera.zoom, ..figure.fit(SIZE) };
                window.frame(&figure, &camera, &theme);
            });
            row(view, "layout", times, window.drawn);
            figure.place(&positions);
            let mut gene = 0;
            let times = milliseconds(repeat, || {
                gene = (gene + 7919) % genes as u32;
                figure.point_at(Some(GeneId(gene)));
                window.frame(&figure, &camera, &theme);
            });
            row(view, "pointer, to another gene", times, window.drawn);
            figure.point_at(None);
            let scene = figure.scene(SIZE, &camera, &theme);
            let start = Instant::now();
            black_box(scene.hits.edge_at([0.0; 2], 1.0));
            let index = [start.elapsed().as_secs_f64() * 1e3; 2];
            row(view, "index of what lies where, once at rest", index, [0, 0]);
            let mut at = 0_u32;
            let times = milliseconds(repeat, || {
                at = at.wrapping_add(7919);
                let point = [(at % 1100) as f32, (at / 1100 % 800) as f32];
                black_box((scene.hits.node_at(point, 4.0), scene.hits.edge_at(point, 3.5)));
            });
            row(view, "what is under the pointer", times, [0, 0]);
        }
    }
}

/// What paints frames as the window does.
#[derive(Default)]
struct Window {
    context: egui::Context,
    painter: ScenePainter,
    version: u64,
    /// Edges and vertices of the frame painted last.
    drawn: [usize; 2],
}

impl Window {
    fn frame(&mut self, figure: &NetworkFigure, camera: &grn_explorer::figures::network::Camera, theme: &FigureTheme) {
        self.version += 1;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(SIZE[0], SIZE[1]))),
            ..RawInput::default()
        };
        let drawn = figure.scene(SIZE, camera, theme);
        let (painter, version) = (&mut self.painter, self.version);
        let output = self.context.run_ui(input, |ui| {
            painter.paint(ui.painter(), &drawn.scene, version, Placement::at(Pos2::ZERO));
        });
        let meshes = self.context.tessellate(output.shapes, output.pixels_per_point);
        let vertices = meshes.iter().map(|mesh| match &mesh.primitive {
            egui::epaint::Primitive::Mesh(mesh) => mesh.vertices.len(),
            egui::epaint::Primitive::Callback(_) => 0,
        });
        self.drawn = [drawn.hits.edges().count(), vertices.sum()];
    }
}

fn main() {
    grn_explorer::app::widgets::scene_painter::keep_memory_of_frames();
    let arguments = Arguments::parse();
    let (sizes, parts): (Vec<_>, Vec<_>) = arguments.parts.iter().partition(|part| part.parse::<usize>().is_ok());
    let mut sizes: Vec<usize> = sizes.into_iter().filter_map(|size| size.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![500, 5_000, 20_000];
    }
    let wanted = |part: &str| parts.iter().any(|given| *given == part) || parts.is_empty() && part != "pictures";
    if let Some(part) = parts.iter().find(|part| !["quality", "steps", "frames", "pictures"].contains(&part.as_str())) {
        println!("{part} is neither a part (quality, steps, frames, pictures) nor a number of genes");
        std::process::exit(2);
    }
    if wanted("quality") {
        quality_table(&sizes);
    }
    if wanted("steps") {
        steps(&sizes, arguments.repeat);
    }
    if wanted("frames") {
        frames(&sizes, arguments.repeat);
    }
    if wanted("pictures") {
        pictures(&sizes, &arguments.folder);
    }
}
