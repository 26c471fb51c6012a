//! Figures: the drawing is sound, its files are what they claim, and odd input does no harm.
//!
//! `cargo test --test it figures::gallery -- --ignored` writes every figure in every theme to `GRN_GALLERY` for looking at.

use std::path::Path;

use grn_explorer::data::EffectTable;
use grn_explorer::figures::axes::Scale;
use grn_explorer::figures::export::{self, ExportOptions, FigureError, Format};
use grn_explorer::figures::network::{Area, Camera, NetworkFigure, NetworkStyle, NodeColour};
use grn_explorer::figures::response::{
    BoxMark, BoxSeries, BoxStatistics, BoxedGene, BoxesFigure, CellGroupKind, GeneCells, GeneCellsFigure,
    HeatMapFigure, HeatMapOptions, HeatMapShifts, LossFigure, LossSeries, PairedBar, PairedBarsFigure, RankedGene,
    RankingFigure, ScatterFigure, ScatterPoint,
};
use grn_explorer::figures::scene::{Anchor, Primitive};
use grn_explorer::figures::screen::{Against, VolcanoFigure, VolcanoPoint};
use grn_explorer::figures::{
    Figure, FigureMetadata, FigureTheme, NetworkPanel, Panel, PanelRow, PanelsFigure, Scene, ThemeName, font, svg,
};
use grn_explorer::jobs::Silent;
use grn_explorer::network::{Edge, GeneId, Grn, NetworkGene, Sign, SignEvidence};
use grn_explorer::tasks;
use proptest::prelude::*;
use rand::RngExt;
use resvg::usvg;

const SYMBOLS: [&str; 60] = [
    "STAT1", "JAK2", "IFNGR1", "IFNGR2", "IRF1", "PSMB9", "CD274", "SMAD4", "MYC", "SPI1", "BRD4", "CUL3", "ETV7",
    "CAV1", "ATF2", "NFKBIA", "TNFRSF14", "UBE2L6", "PDCD1LG2", "CMTM6", "MARCH8", "POU2F2", "STAT2", "STAT3",
    "STAT5A", "CXCL10", "GBP1", "GBP2", "TAP1", "HLA-A", "HLA-B", "HLA-DRA", "B2M", "IDO1", "IRF7", "IRF9", "ISG15",
    "MX1", "OAS1", "IFIT1", "IFIT3", "WARS1", "SOCS1", "SOCS3", "TRIM22", "LAP3", "APOL1", "CCL2", "CXCL9", "CXCL11",
    "FAM26F", "NLRC5", "CIITA", "PSMB8", "PSMB10", "PSME1", "ICAM1", "VCAM1", "LGALS9", "SERPING1",
];

/// A network with a few hubs, drawn by a seed, and positions that a force-directed layout might give.
pub fn network(genes: usize, edges: usize, seed: u64) -> (Grn, Vec<[f32; 2]>) {
    let mut random = grn_explorer::random::stream(seed, "figure");
    let symbol = |at: usize| SYMBOLS.get(at).map_or_else(|| format!("GENE{at}"), |symbol| (*symbol).to_owned());
    let list = (0..genes)
        .map(|at| NetworkGene {
            symbol: symbol(at),
            measured: at % 17 != 5,
            perturbed_cells: if at < genes / 4 { 40 } else { 0 },
            knock_down: None,
        })
        .collect();
    let hubs = (genes / 6).max(2);
    let mut seen = std::collections::BTreeSet::new();
    let mut found = Vec::new();
    while found.len() < edges {
        let from = (random.random::<f32>().powi(3) * hubs as f32) as u32;
        let to = (random.random::<f32>() * genes as f32) as u32;
        if from == to || !seen.insert((from, to)) {
            continue;
        }
        let sign = match found.len() % 7 {
            0..4 => Sign::Activates,
            4 | 5 => Sign::Represses,
            _ => Sign::Unknown,
        };
        let probability = 0.9 - 0.4 * found.len() as f32 / edges as f32;
        let evidence = SignEvidence::Measured;
        found.push(Edge { sign, evidence, ..Edge::new(GeneId(from), GeneId(to), probability) });
    }
    let grn = Grn::new(list, found).expect("a valid network");
    let positions = laid_out(&grn, &mut random);
    (grn, positions)
}

/// A plain force-directed layout, enough for a picture.
fn laid_out(grn: &Grn, random: &mut impl RngExt) -> Vec<[f32; 2]> {
    let count = grn.genes().len();
    let mut at: Vec<[f32; 2]> =
        (0..count).map(|_| [random.random::<f32>() * 10.0, random.random::<f32>() * 7.0]).collect();
    let rounds = if count > 400 { 0 } else { 300 };
    for round in 0..rounds {
        let mut force = vec![[0.0_f32; 2]; count];
        for a in 0..count {
            for b in 0..count {
                let (dx, dy) = (at[a][0] - at[b][0], at[a][1] - at[b][1]);
                let square = dx * dx + dy * dy + 0.01;
                force[a][0] += dx / square;
                force[a][1] += dy / square;
            }
            force[a][0] -= at[a][0] * 0.25;
            force[a][1] -= at[a][1] * 0.45;
        }
        for edge in grn.edges() {
            let (a, b) = (edge.regulator.0 as usize, edge.target.0 as usize);
            for axis in 0..2 {
                let pull = (at[b][axis] - at[a][axis]) * 0.35;
                force[a][axis] += pull;
                force[b][axis] -= pull;
            }
        }
        let step = 0.12 * (1.0 - round as f32 / rounds as f32);
        for (at, force) in at.iter_mut().zip(force) {
            let size = force[0].hypot(force[1]).max(1e-6);
            let go = step * size.min(4.0) / size;
            *at = [at[0] + force[0] * go, at[1] + force[1] * go];
        }
    }
    at
}

fn shifts(count: usize, seed: u64) -> Vec<ScatterPoint> {
    let mut random = grn_explorer::random::stream(seed, "shifts");
    let mut normal = move || (0..6).map(|_| random.random::<f32>()).sum::<f32>() - 3.0;
    (0..count)
        .map(|at| {
            let size = if at < 14 { 0.8 } else { 0.08 };
            let x = normal() * size;
            let y = x * 0.6 + normal() * 0.05;
            let label = SYMBOLS.get(at).map_or_else(|| format!("GENE{at}"), |symbol| (*symbol).to_owned());
            ScatterPoint { x, y, half_width: None, label, highlighted: at == 2 }
        })
        .collect()
}

fn scatter(text_size: f32) -> ScatterFigure {
    ScatterFigure {
        title: "IFNGR1 knock-out".into(),
        x_label: "Observed shift (log)".into(),
        y_label: "Predicted shift (log)".into(),
        points: shifts(200, 3),
        statistics: vec!["r = 0.93".into(), "R² = 0.71".into(), "199 genes".into()],
        text_size,
        ..ScatterFigure::default()
    }
}

fn bars(text_size: f32) -> PairedBarsFigure {
    let bars = shifts(200, 3)
        .into_iter()
        .map(|point| PairedBar {
            label: point.label,
            observed: point.x,
            predicted: point.y,
            half_width: point.half_width,
            highlighted: false,
        })
        .collect();
    let title = "Top 20 genes by observed shift".into();
    PairedBarsFigure { title, x_label: "Shift (log)".into(), text_size, ..PairedBarsFigure::of_largest(bars, 20) }
}

fn ranking(text_size: f32) -> RankingFigure {
    let genes = shifts(200, 3)
        .into_iter()
        .map(|point| RankedGene {
            label: point.label,
            shift: point.y,
            half_width: point.half_width,
            highlighted: point.highlighted,
        })
        .collect();
    let (title, x_label) = ("Knock-out of IFNGR1".into(), "Predicted shift (log)".into());
    RankingFigure { title, x_label, text_size, ..RankingFigure::of_extremes(genes, 10) }
}

/// The same with what the members of an ensemble are apart.
fn with_intervals(text_size: f32) -> [Box<dyn Figure>; 3] {
    let interval = || "90 % interval, 10 members".to_owned();
    let half = |predicted: f32| Some(0.04 + 0.25 * predicted.abs());
    let (mut scatter, mut bars, mut ranking) = (scatter(text_size), bars(text_size), ranking(text_size));
    scatter.points.iter_mut().for_each(|point| point.half_width = half(point.y));
    scatter.statistics.push(interval());
    bars.bars.iter_mut().for_each(|bar| bar.half_width = half(bar.predicted));
    ranking.genes.iter_mut().for_each(|gene| gene.half_width = half(gene.shift));
    (bars.interval, ranking.interval) = (interval(), interval());
    [Box::new(scatter), Box::new(bars), Box::new(ranking)]
}

/// Expression of a gene of which many cells have nothing.
fn cells(count: usize, mean: f32, seed: u64) -> Vec<f32> {
    let mut random = grn_explorer::random::stream(seed, "cells");
    let mut value = move || {
        let (share, spread) = (random.random::<f32>(), (0..4).map(|_| random.random::<f32>()).sum::<f32>() - 2.0);
        if share < 0.35 { 0.0 } else { (mean + spread).max(0.0) }
    };
    (0..count).map(|_| value()).collect()
}

const KINDS: [CellGroupKind; 3] = [CellGroupKind::Control, CellGroupKind::Perturbed, CellGroupKind::Drawn];

fn boxes(text_size: f32) -> BoxesFigure {
    let mut points = shifts(200, 3);
    points.sort_by(|a, b| b.x.abs().total_cmp(&a.x.abs()));
    let gene = |(at, point): (usize, &ScatterPoint)| BoxedGene {
        label: point.label.clone(),
        highlighted: at == 3,
        boxes: [0.0, point.x, point.y]
            .iter()
            .zip(0..)
            .map(|(shift, kind)| {
                let values = cells(60 + 90 * kind, 2.5, (at * 3 + kind) as u64);
                BoxStatistics::of(&values.iter().map(|value| value - 1.6 + shift).collect::<Vec<_>>())
            })
            .collect(),
        marks: vec![Some(point.y), Some(point.x * 0.4)],
    };
    BoxesFigure {
        title: "IFNGR1: 20 largest measured shifts".into(),
        x_label: "Change against the mean control cell (log2)".into(),
        series: KINDS.map(|kind| BoxSeries { label: format!("{} (150)", kind.label()), kind }).to_vec(),
        marks: vec![
            BoxMark { label: "predicted mean".into(), of_model: true },
            BoxMark { label: "same-perturbation mean".into(), of_model: false },
        ],
        genes: points.iter().take(20).enumerate().map(gene).collect(),
        text_size,
    }
}

fn gene_cells(text_size: f32) -> GeneCellsFigure {
    let values = [cells(400, 3.0, 1), cells(60, 2.0, 2), cells(500, 2.2, 3)];
    GeneCellsFigure {
        title: "STAT1 under IFNGR1".into(),
        x_label: "STAT1, log2(10,000·x/Σx + 1)".into(),
        groups: KINDS.into_iter().zip(values).map(|(kind, values)| GeneCells { kind, values }).collect(),
        text_size,
    }
}

/// Groups of perturbations that move groups of genes.
fn heat_map(text_size: f32, both: bool, rows: usize, columns: usize) -> HeatMapFigure {
    let mut random = grn_explorer::random::stream(5, "heat map");
    let symbol = |at: usize| SYMBOLS.get(at).map_or_else(|| format!("GENE{at}"), |symbol| (*symbol).to_owned());
    let names: Vec<String> = (0..rows).map(symbol).collect();
    let table = EffectTable {
        perturbations: names,
        genes: (0..columns).map(symbol).collect(),
        cells: vec![40; rows],
        shifts: (0..rows * columns)
            .map(|at| {
                let (row, column) = (at / columns, at % columns);
                let group = if row % 4 == column % 4 { 1.0 } else { 0.1 };
                group * if row % 3 == 0 { -0.8 } else { 0.6 } + 0.3 * (random.random::<f32>() - 0.5)
            })
            .collect(),
    };
    let predicted = EffectTable { shifts: table.shifts.iter().map(|shift| shift * 0.6).collect(), ..table.clone() };
    let shifts = if both { HeatMapShifts::Both } else { HeatMapShifts::Observed };
    let options = HeatMapOptions { shifts, genes: columns, perturbations: rows };
    let figure = tasks::heat_map::heat_map(&table, &predicted, options, &Silent).unwrap();
    HeatMapFigure { text_size, highlighted: vec!["STAT1".into()], ..figure }
}

fn mean_change(text_size: f32) -> VolcanoFigure {
    let point = |(at, point): (usize, ScatterPoint)| VolcanoPoint {
        label: point.label,
        change: point.x * 2.0,
        p: if point.x.abs() > 0.5 { 1e-9 } else { 0.4 },
        mean: 0.05 + (at * 37 % 100) as f32 * 0.03,
        target: at == 0,
        highlighted: point.highlighted,
    };
    let points = shifts(200, 3).into_iter().enumerate().map(point).collect();
    VolcanoFigure { title: "IFNGR1".into(), against: Against::Mean, points, text_size, ..VolcanoFigure::default() }
}

fn loss(text_size: f32, scale: Scale) -> LossFigure {
    let curve = |start: f32, end: f32, speed: f32, noise: f32| -> Vec<[f32; 2]> {
        (1..=60)
            .map(|epoch| {
                let epoch = epoch as f32;
                [epoch, end + (start - end) * (-epoch * speed).exp() + noise * (epoch * 1.7).sin()]
            })
            .collect()
    };
    let series = [
        ("Total", 900.0, 420.0, 0.08),
        ("Reconstruction", 800.0, 380.0, 0.09),
        ("KL", 60.0, 22.0, 0.05),
        ("Effect", 20.0, 12.0, 0.03),
        ("Sparsity", 15.0, 11.0, 0.03),
    ];
    let series = series
        .into_iter()
        .map(|(name, start, end, speed)| LossSeries {
            name: name.into(),
            train: curve(start, end, speed, 0.0),
            validation: curve(start * 1.05, end * 1.06, speed, end * 0.01),
        })
        .collect();
    let (title, y_label) = ("Training of GPO-VAE".into(), "Loss per cell".into());
    LossFigure { title, y_label, series, scale, best_epoch: Some(48.0), text_size }
}

fn network_figure(text_size: f32, coloured: bool, genes: usize, edges: usize) -> NetworkFigure {
    let (grn, positions) = network(genes, edges, 11);
    let style = NetworkStyle {
        text_size,
        colour: if coloured {
            let values =
                (0..genes).map(|at| if at % 9 == 4 { f32::NAN } else { ((at * 7919) % 23) as f32 / 11.0 - 1.0 });
            NodeColour::Shift { values: values.collect(), limit: None, label: "Predicted shift (log)".into() }
        } else {
            NodeColour::Plain
        },
        knocked_out: if coloured { vec![GeneId(2)] } else { vec![] },
        selected: if coloured { vec![GeneId(2)] } else { vec![] },
        ..NetworkStyle::default()
    };
    NetworkFigure::of(&grn, grn.edges(), &positions, &style)
}

/// Colours and sizes by what is known of genes, lines by a reference.
fn styled(text_size: f32, groups: bool) -> NetworkFigure {
    use grn_explorer::figures::network::{EdgeColour, EdgeWidth, NodeSize, ReferenceLines};
    let (grn, positions) = network(60, 110, 11);
    let reference = ReferenceLines {
        label: "CollecTRI".into(),
        known: (0..grn.edges().len()).map(|at| at % 3 == 0).collect(),
        mark: true,
        missing: (0..12).map(|at| (GeneId(at), GeneId(59 - 2 * at), Sign::Activates)).collect(),
    };
    let numbers: Vec<f32> = (0..60).map(|at| ((at * 7919) % 61) as f32 / 61.0).collect();
    let style = NetworkStyle {
        text_size,
        colour: if groups {
            let of_gene = (0..60).map(|at| Some(at % 10)).collect();
            NodeColour::Groups {
                of_gene,
                names: (1..=10).map(|at| at.to_string()).collect(),
                label: "Community".into(),
            }
        } else {
            NodeColour::Amount { values: numbers.clone(), label: "Betweenness".into() }
        },
        size: NodeSize::Amount { values: numbers, label: "PageRank".into() },
        edge_colour: if groups { EdgeColour::Known } else { EdgeColour::Sign },
        edge_width: if groups { EdgeWidth::Same } else { EdgeWidth::Probability },
        reference: Some(reference),
        ..NetworkStyle::default()
    };
    NetworkFigure::of(&grn, grn.edges(), &positions, &style)
}

fn close_up(text_size: f32) -> NetworkFigure {
    let (grn, _) = network(8, 0, 1);
    let edge = |regulator: u32, target: u32, sign: Sign| Edge {
        sign,
        evidence: SignEvidence::Measured,
        ..Edge::new(GeneId(regulator), GeneId(target), 0.9 - 0.05 * regulator as f32)
    };
    let edges = vec![
        edge(0, 1, Sign::Activates),
        edge(1, 0, Sign::Represses),
        edge(0, 0, Sign::Activates),
        edge(2, 2, Sign::Represses),
        edge(2, 0, Sign::Unknown),
        edge(2, 3, Sign::Represses),
        edge(0, 4, Sign::Activates),
        edge(5, 4, Sign::Represses),
        edge(4, 5, Sign::Represses),
    ];
    let grn = Grn::new(grn.genes().to_vec(), edges).expect("a valid network");
    let positions: Vec<[f32; 2]> = vec![[0.0, 0.0], [3.0, 0.4], [-2.4, 1.4], [-4.0, -0.6], [0.8, 2.8], [3.6, 2.6]];
    let style = NetworkStyle { text_size, hovered: Some(GeneId(4)), ..NetworkStyle::default() };
    NetworkFigure::of(&grn, grn.edges(), &positions, &style)
}

fn page(text_size: f32, width: f32) -> PanelsFigure {
    let panel = |figure: Box<dyn Figure>, share: f32| Panel { figure, share };
    let network = NetworkPanel { figure: network_figure(text_size, true, 45, 80), view: None };
    if width < 300.0 {
        let row = |figure: Box<dyn Figure>, height: f32| PanelRow {
            height: width * height,
            panels: vec![panel(figure, 1.0)],
        };
        return PanelsFigure {
            title: String::new(),
            rows: vec![
                row(Box::new(network), 0.85),
                row(Box::new(scatter(text_size)), 0.8),
                row(Box::new(bars(text_size)), 0.8),
            ],
            text_size,
        };
    }
    PanelsFigure {
        title: String::new(),
        rows: vec![
            PanelRow {
                height: width * 0.42,
                panels: vec![panel(Box::new(network), 1.5), panel(Box::new(ranking(text_size)), 1.0)],
            },
            PanelRow {
                height: width * 0.42,
                panels: vec![panel(Box::new(scatter(text_size)), 1.0), panel(Box::new(bars(text_size)), 1.0)],
            },
        ],
        text_size,
    }
}

fn metadata() -> FigureMetadata {
    let mut metadata = FigureMetadata::new("Network <of> \"A & B\"", "Edges above rank 80").with("edges", 80);
    metadata.model_hash = Some("0123abcd".into());
    metadata
}

/// Every figure with its name and how wide it is made, in millimetres.
pub fn figures(theme: &FigureTheme) -> Vec<(&'static str, f32, Scene)> {
    let mut out = Vec::new();
    for (width_mm, text) in [(89.0, 7.0), (183.0, 7.0), (320.0, 12.0)] {
        let width = width_mm * svg::POINTS_PER_MM;
        let size = [width, width * 0.72];
        let mut add = |name, scene| out.push((name, width_mm, scene));
        for (name, coloured, genes, edges) in
            [("network", false, 40, 60), ("network-shift", true, 60, 110), ("network-large", false, 300, 600)]
        {
            let figure = network_figure(text, coloured, genes, edges);
            add(name, figure.scene(size, &figure.fit(size), theme).scene);
        }
        for (name, groups) in [("network-amounts", false), ("network-groups", true)] {
            let figure = styled(text, groups);
            add(name, figure.scene(size, &figure.fit(size), theme).scene);
        }
        // A pair that regulates each other and a gene that regulates itself, near to.
        let close = close_up(text);
        add("network-close", close.scene(size, &close.fit(size), theme).scene);
        add("scatter", scatter(text).scene([width, width], theme).scene);
        add("bars", bars(text).scene([width, width * 0.9], theme).scene);
        add("ranking", ranking(text).scene([width, width * 0.8], theme).scene);
        let [scatter, bars, ranking] = with_intervals(text);
        add("scatter-intervals", scatter.scene([width, width], theme).scene);
        add("bars-intervals", bars.scene([width, width * 0.9], theme).scene);
        add("ranking-intervals", ranking.scene([width, width * 0.8], theme).scene);
        add("boxes", boxes(text).scene([width, width * 1.05], theme).scene);
        add("gene-cells", gene_cells(text).scene([width, width * 0.85], theme).scene);
        add("heat-map", heat_map(text, true, 25, 40).scene(size, theme).scene);
        add("heat-map-large", heat_map(text, false, 180, 200).scene([width, width], theme).scene);
        add("ma", mean_change(text).scene([width, width * 0.9], theme).scene);
        add("loss", loss(text, Scale::Linear).scene(size, theme).scene);
        add("loss-log", loss(text, Scale::Logarithmic).scene(size, theme).scene);
        let page = page(text, width);
        add("page", page.scene([width, page.height()], theme).scene);
    }
    out
}

fn texts(scene: &Scene) -> impl Iterator<Item = (&str, f32)> {
    scene.layers.iter().flat_map(|layer| &layer.primitives).filter_map(|primitive| match primitive {
        Primitive::Text { text, size, .. } => Some((text.as_str(), *size)),
        _ => None,
    })
}

fn parsed(svg: &str) -> usvg::Tree {
    usvg::Tree::from_str(svg, &usvg::Options::default()).expect("well-formed SVG")
}

#[test]
fn svg_is_well_formed_keeps_text_and_is_the_same_twice() {
    for (name, width_mm, scene) in figures(&FigureTheme::paper()) {
        let first = svg::svg(&scene, &metadata(), width_mm);
        assert_eq!(first, svg::svg(&scene, &metadata(), width_mm), "{name}");
        let tree = parsed(&first);
        assert!((tree.size().width() - width_mm / 25.4 * 96.0).abs() < 0.1, "{name}: {:?}", tree.size());
        let written = first.matches("</text>").count();
        assert_eq!(written, texts(&scene).count(), "{name}");
        assert!(written > 5, "{name} has {written} texts");
        assert!(first.contains("<title>Network &lt;of&gt; &quot;A &amp; B&quot;</title>"));
        assert!(first.contains(">0123abcd<") && first.contains("GRN explorer"));
        assert!(!first.contains("NaN") && !first.contains("inf\""), "{name}");
    }
}

#[test]
fn layers_of_the_network_are_named_for_editors() {
    let figure = network_figure(7.0, true, 30, 50);
    let drawn = figure.scene([252.0, 180.0], &figure.fit([252.0, 180.0]), &FigureTheme::paper());
    let text = svg::svg(&drawn.scene, &metadata(), 89.0);
    for layer in ["edges", "nodes", "labels", "legend"] {
        let group = format!("<g id=\"{layer}\" inkscape:groupmode=\"layer\" inkscape:label=\"{layer}\"");
        assert!(text.contains(&group), "{layer}");
    }
    assert!(text.contains("font-family=\"Arial, Helvetica, 'Liberation Sans', sans-serif\""));
    assert!(text.contains("paint-order=\"stroke\""));
    assert!(text.contains("clip-path=\"url(#clip-0)\"") && text.contains("<clipPath id=\"clip-0\">"));
}

#[test]
fn every_letter_can_be_drawn() {
    for (name, _, scene) in figures(&FigureTheme::light()) {
        for (text, _) in texts(&scene) {
            assert!(text.chars().all(font::has_glyph), "{name}: {text}");
        }
    }
}

#[test]
fn a_png_has_its_pixels_and_its_physical_size() {
    let scene = scatter(7.0).scene([252.0, 200.0], &FigureTheme::paper()).scene;
    for (width_mm, dpi, transparent) in [(89.0, 300.0, false), (40.0, 96.0, true), (12.5, 600.0, false)] {
        let options = ExportOptions::new(width_mm, dpi, transparent).unwrap();
        let bytes = export::render(&scene, &metadata(), &options, Format::Png).unwrap();
        assert_eq!(bytes, export::render(&scene, &metadata(), &options, Format::Png).unwrap(), "same bytes twice");
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let info = reader.info();
        let expected = (width_mm / 25.4 * dpi).round();
        assert_eq!(info.width as f32, expected);
        assert!((info.height as f32 - expected * 200.0 / 252.0).abs() <= 0.5);
        let dimensions = info.pixel_dims.unwrap();
        assert_eq!(dimensions.unit, png::Unit::Meter);
        let printed = info.width as f32 / dimensions.xppu as f32 * 1000.0;
        assert!((printed - width_mm).abs() < 0.01, "{printed} mm instead of {width_mm}");
        assert_eq!(dimensions.xppu, dimensions.yppu);
        if transparent {
            assert_eq!((info.color_type, pixels[3]), (png::ColorType::Rgba, 0));
        } else {
            assert_eq!((info.color_type, &pixels[..3]), (png::ColorType::Rgb, [255; 3].as_slice()));
        }
        assert!(pixels.iter().any(|part| *part != pixels[0]), "something is drawn");
        let software = info.utf8_text.iter().find(|text| text.keyword == "Software").unwrap();
        assert!(software.get_text().unwrap().starts_with("GRN explorer"));
    }
}

#[test]
fn letters_are_drawn_by_the_bundled_font() {
    // One letter, black on white: without a font nothing would be drawn.
    let text = Primitive::Text {
        position: [50.0, 50.0],
        anchor: Anchor::Middle,
        text: "H".into(),
        size: 100.0,
        colour: grn_explorer::figures::scene::Colour::hex(0),
        weight: grn_explorer::figures::scene::Weight::Regular,
        rotation: 0.0,
        halo: None,
    };
    let layer = grn_explorer::figures::scene::Layer { name: "t".into(), primitives: vec![text], clip: None };
    let background = Some(grn_explorer::figures::scene::Colour::hex(0xFFFFFF));
    let scene = Scene { size: [100.0, 100.0], background, layers: vec![layer] };
    let options = ExportOptions::new(100.0, 25.4 * 2.0, false).unwrap();
    let bytes = export::render(&scene, &FigureMetadata::default(), &options, Format::Png).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let dark: Vec<[usize; 2]> =
        (0..200 * 200).filter(|at| pixels[at * 3] < 128).map(|at| [at % 200, at / 200]).collect();
    let (top, bottom) = (dark.iter().map(|at| at[1]).min().unwrap(), dark.iter().map(|at| at[1]).max().unwrap());
    let (left, right) = (dark.iter().map(|at| at[0]).min().unwrap(), dark.iter().map(|at| at[0]).max().unwrap());
    // The position is the middle of the capital, which is 68.8 of 100 points high; 2 pixels a point.
    assert!((top + bottom).abs_diff(199) <= 2 && (bottom - top + 1).abs_diff(138) <= 2, "{top} {bottom}");
    assert!((left + right).abs_diff(199) <= 4, "{left} {right}");
}

#[test]
fn a_pdf_embeds_its_fonts_and_its_text_can_be_read() {
    let page = page(7.0, 518.0);
    let scene = page.scene([518.0, page.height()], &FigureTheme::paper()).scene;
    let options = ExportOptions::new(183.0, 300.0, false).unwrap();
    let bytes = export::render(&scene, &metadata(), &options, Format::Pdf).unwrap();
    assert_eq!(bytes, export::render(&scene, &metadata(), &options, Format::Pdf).unwrap(), "same bytes twice");
    assert!(bytes.starts_with(b"%PDF-"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.pdf");
    std::fs::write(&path, &bytes).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let output = std::process::Command::new(program).args(arguments).arg(&path).arg("-").output();
        output.ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Some(text) = run("pdftotext", &["-layout"]) else {
        println!("skipped: pdftotext is not installed");
        return;
    };
    for word in ["STAT1", "Predicted shift (log)", "R² = 0.71", "Knock-out of IFNGR1", "Represses"] {
        assert!(text.contains(word), "{word} is not in the text:\n{text}");
    }
    let fonts = std::process::Command::new("pdffonts").arg(&path).output().unwrap();
    let fonts = String::from_utf8_lossy(&fonts.stdout).into_owned();
    let rows: Vec<&str> = fonts.lines().skip(2).collect();
    assert!(rows.iter().any(|row| row.contains("LiberationSans-Bold")), "{fonts}");
    assert!(rows.iter().all(|row| row.contains("LiberationSans") && row.contains("yes yes yes")), "{fonts}");
    let info = std::process::Command::new("pdfinfo").arg(&path).output().unwrap();
    let info = String::from_utf8_lossy(&info.stdout).into_owned();
    assert!(info.contains("Network <of>") && info.contains("GRN explorer"), "{info}");
    assert!(info.contains("Page size:       518."), "{info}");
}

#[test]
fn the_file_appears_whole_or_not_at_all() {
    let scene = scatter(7.0).scene([252.0, 200.0], &FigureTheme::dark()).scene;
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.svg", "b.pdf", "c.PNG"] {
        let path = folder.path().join(name);
        export::write(&scene, &metadata(), &ExportOptions::default(), &path).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() > 1000, "{name}");
    }
    let bad = folder.path().join("figure.tiff");
    let error = export::write(&scene, &metadata(), &ExportOptions::default(), &bad).unwrap_err();
    assert!(matches!(error, FigureError::UnknownFormat { .. }));
    let nowhere = folder.path().join("missing").join("a.svg");
    let error = export::write(&scene, &metadata(), &ExportOptions::default(), &nowhere).unwrap_err();
    assert!(matches!(error, FigureError::Write { .. }));
    let huge = ExportOptions::new(1000.0, 2400.0, false).unwrap();
    let error = export::write(&scene, &metadata(), &huge, &folder.path().join("huge.png")).unwrap_err();
    assert!(matches!(error, FigureError::TooManyPixels { .. }));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing half-written is left");
}

#[test]
fn a_scene_without_area_is_refused() {
    for size in [[0.0, 10.0], [f32::NAN, 10.0], [10.0, -1.0]] {
        let scene = Scene { size, background: None, layers: vec![] };
        let error = export::render(&scene, &FigureMetadata::default(), &ExportOptions::default(), Format::Svg);
        assert!(matches!(error, Err(FigureError::NoArea { .. })));
    }
}

/// Pairs of texts of a layer whose boxes meet.
fn overlaps(areas: &[Area]) -> usize {
    let meet = |a: &Area, b: &Area| (0..2).all(|at| a[0][at] < b[1][at] - 0.01 && b[0][at] < a[1][at] - 0.01);
    (0..areas.len()).map(|a| (a + 1..areas.len()).filter(|b| meet(&areas[a], &areas[*b])).count()).sum()
}

/// The box of a text: capitals, as wide as the font says.
fn text_area(primitive: &Primitive) -> Option<Area> {
    let Primitive::Text { position, anchor, text, size, weight, .. } = primitive else { return None };
    let width = font::text_width(text, *size, *weight);
    let left = match anchor {
        Anchor::Start => position[0],
        Anchor::Middle => position[0] - width / 2.0,
        Anchor::End => position[0] - width,
    };
    let half = font::CAPITAL_HEIGHT * size / 2.0;
    Some([[left, position[1] - half], [left + width, position[1] + half]])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn labels_never_overlap(seed in 0_u64..1000, genes in 3_usize..120, zoom in 0.3_f32..4.0, text in 5.0_f32..16.0) {
        let (grn, positions) = network(genes, genes, seed);
        let style = NetworkStyle { text_size: text, selected: vec![GeneId(0), GeneId(1)], ..NetworkStyle::default() };
        let figure = NetworkFigure::of(&grn, grn.edges(), &positions, &style);
        let size = [500.0, 380.0];
        let mut camera = figure.fit(size);
        camera.zoom *= zoom;
        let drawn = figure.scene(size, &camera, &FigureTheme::light());
        let areas: Vec<Area> = drawn.labels.iter().map(|label| label.area).collect();
        prop_assert_eq!(overlaps(&areas), 0);
        for label in &drawn.labels {
            prop_assert!((0..2).all(|at| label.area[0][at] >= drawn.area[0][at] && label.area[1][at] <= drawn.area[1][at]));
            let named = &figure.nodes[label.node];
            let free = !(named.selected || named.hovered || named.knocked_out || label.inside);
            // A label may cover only what matters less than its own node.
            for node in drawn.hits.nodes.iter().filter(|node| free && figure.nodes[node.node].priority >= named.priority) {
                let nearest = [0, 1].map(|at: usize| node.centre[at].clamp(label.area[0][at], label.area[1][at]));
                let away = (nearest[0] - node.centre[0]).hypot(nearest[1] - node.centre[1]);
                prop_assert!(away >= node.radius, "label of {} covers node {}", named.label, node.node);
            }
        }
    }

    #[test]
    fn names_in_a_scatter_plot_never_overlap(seed in 0_u64..1000, count in 0_usize..300, text in 5.0_f32..14.0) {
        let figure = ScatterFigure { points: shifts(count, seed), labels: 40, text_size: text, ..scatter(text) };
        let drawn = figure.scene([300.0, 280.0], &FigureTheme::paper());
        let names = drawn.scene.layers.iter().filter(|layer| layer.name == "labels" || layer.name == "statistics");
        let areas: Vec<Area> = names.flat_map(|layer| &layer.primitives).filter_map(text_area).collect();
        prop_assert_eq!(overlaps(&areas), 0);
    }
}

#[test]
fn nothing_is_cut_off() {
    for theme in [FigureTheme::paper(), FigureTheme::dark()] {
        for (name, width_mm, scene) in figures(&theme) {
            for primitive in scene.layers.iter().flat_map(|layer| &layer.primitives) {
                let Some(area) = text_area(primitive) else { continue };
                let Primitive::Text { text, rotation, position, .. } = primitive else { continue };
                if *rotation != 0.0 {
                    let half = (area[1][0] - area[0][0]) / 2.0;
                    let room = position[1] - half >= 0.0 && position[1] + half <= scene.size[1];
                    assert!(room, "{name} {width_mm} mm: {text} is longer than the figure is high");
                    continue;
                }
                let inside = (0..2).all(|at| area[0][at] >= -0.01 && area[1][at] <= scene.size[at] + 0.01);
                assert!(inside, "{name} {width_mm} mm: {text} at {area:?} of {:?}", scene.size);
            }
        }
    }
}

#[test]
fn print_sizes_stay_readable() {
    for (name, width_mm, scene) in figures(&FigureTheme::paper()) {
        if width_mm > 200.0 {
            continue;
        }
        for (text, size) in texts(&scene) {
            assert!((5.0..=10.0).contains(&size), "{name} {width_mm} mm: {text} in {size} points");
        }
    }
}

#[test]
fn the_legend_explains_what_occurs_and_nothing_else() {
    let words = |figure: &NetworkFigure| {
        let scene = figure.scene([600.0, 400.0], &figure.fit([600.0, 400.0]), &FigureTheme::light()).scene;
        let legend = scene.layers.iter().find(|layer| layer.name == "legend").expect("a legend");
        legend
            .primitives
            .iter()
            .filter_map(|primitive| match primitive {
                Primitive::Text { text, .. } => Some(text.clone()),
                _ => None,
            })
            .collect::<Vec<_>>()
            .join(" | ")
    };
    let all = words(&network_figure(8.0, true, 60, 110));
    for word in
        ["Activates", "Represses", "Sign unknown", "Rank 1", "110", "Targets", "Knocked out", "Predicted shift (log)"]
    {
        assert!(all.contains(word), "{word}: {all}");
    }
    let (grn, positions) = network(12, 3, 1);
    let few = words(&NetworkFigure::of(&grn, grn.edges(), &positions, &NetworkStyle::default()));
    assert!(few.contains("Activates"));
    for word in ["Represses", "unknown", "Knocked out", "shift"] {
        assert!(!few.contains(word), "{word}: {few}");
    }
}

#[test]
fn styles_say_what_they_show() {
    use grn_explorer::figures::network::{EdgeColour, EdgeTint, EdgeWidth, NodeSize, ReferenceLines, Tint};
    let (grn, positions) = network(30, 50, 5);
    let numbers: Vec<f32> = (0..30).map(|at| if at == 3 { f32::NAN } else { at as f32 * 0.01 }).collect();
    let known = (0..grn.edges().len()).map(|at| at % 2 == 0).collect();
    let missing = vec![(GeneId(0), GeneId(1), Sign::Represses), (GeneId(0), GeneId(99), Sign::Unknown)];
    let reference = ReferenceLines { label: "CollecTRI".into(), known, mark: true, missing };
    let style = NetworkStyle {
        colour: NodeColour::Amount { values: numbers.clone(), label: "Betweenness".into() },
        size: NodeSize::Amount { values: numbers, label: "PageRank".into() },
        edge_colour: EdgeColour::Probability,
        edge_width: EdgeWidth::Probability,
        reference: Some(reference.clone()),
        isolated: true,
        ..NetworkStyle::default()
    };
    let figure = NetworkFigure::of(&grn, grn.edges(), &positions, &style);
    let legend = figure.legend.clone().expect("a legend");
    let scale = legend.scale.expect("a scale");
    assert_eq!((scale.label.as_str(), scale.ends), ("Betweenness", ["0".to_owned(), "0.29".to_owned()]));
    assert_eq!(legend.sizes.expect("sizes").heading, "PageRank");
    assert!(legend.no_value && legend.edge_scale.is_some() && !legend.signs_coloured);
    assert_eq!(
        legend.kinds.iter().map(|key| key.text.as_str()).collect::<Vec<_>>(),
        ["In CollecTRI", "Only in CollecTRI"]
    );
    assert_eq!(figure.nodes[3].tint, None);
    assert_eq!(
        (figure.nodes[0].tint, figure.nodes[29].tint),
        (Some(Tint::Sequential(0.0)), Some(Tint::Sequential(1.0)))
    );
    assert!(figure.nodes.windows(2).skip(4).all(|pair| pair[1].radius > pair[0].radius), "larger with the number");
    let dashed: Vec<_> = figure.edges.iter().filter(|edge| edge.dashed).collect();
    assert_eq!((dashed.len(), dashed[0].tint, dashed[0].sign), (1, EdgeTint::Missing, Sign::Represses));
    assert_eq!(figure.edges.iter().filter(|edge| edge.marked).count(), 25);
    let last = figure.edges.last().expect("the best edge");
    assert_eq!((last.tint, figure.edges.len()), (EdgeTint::Sequential(1.0), 51));

    let of_gene = (0..30).map(|at| (at != 4).then_some(at % 11)).collect();
    let names = (1..=11).map(|at| at.to_string()).collect();
    let style = NetworkStyle {
        colour: NodeColour::Groups { of_gene, names, label: "Community".into() },
        size: NodeSize::Same,
        edge_colour: EdgeColour::Known,
        edge_width: EdgeWidth::Same,
        reference: Some(reference),
        isolated: true,
        ..NetworkStyle::default()
    };
    let figure = NetworkFigure::of(&grn, grn.edges(), &positions, &style);
    let legend = figure.legend.clone().expect("a legend");
    let groups = legend.groups.expect("groups");
    assert_eq!((groups.groups.len(), groups.others), (7, 4));
    assert!(legend.widths.is_none() && legend.sizes.is_none() && legend.scale.is_none());
    let texts: Vec<&str> = legend.kinds.iter().map(|key| key.text.as_str()).collect();
    assert_eq!(texts, ["In CollecTRI", "Not in CollecTRI", "Only in CollecTRI"]);
    assert!(figure.edges.iter().all(|edge| !edge.marked), "the colour says it already");
    let by_evidence = NetworkStyle { edge_colour: EdgeColour::Evidence, reference: None, ..NetworkStyle::default() };
    let evidence = NetworkFigure::of(&grn, grn.edges(), &positions, &by_evidence);
    for (edge, drawn) in grn.edges().iter().rev().zip(&evidence.edges) {
        assert_eq!(drawn.tint, EdgeTint::Evidence(edge.evidence));
    }
    let legend = evidence.legend.expect("a legend");
    assert!(!legend.signs_coloured, "signs have ends only");
    let kinds: std::collections::BTreeSet<&str> = legend.kinds.iter().map(|key| key.text.as_str()).collect();
    let occur = grn.edges().iter().map(|edge| match edge.evidence {
        SignEvidence::Measured => "Sign measured",
        SignEvidence::Predicted => "Sign predicted",
        SignEvidence::Reference => "Sign from a file",
        SignEvidence::None => "No evidence of the sign",
    });
    assert_eq!(kinds, occur.collect());
    assert!(figure.nodes.windows(2).all(|pair| pair[0].radius == pair[1].radius));
}

#[test]
fn what_the_members_of_an_ensemble_agree_on_stands_out() {
    use grn_explorer::figures::network::{EdgeColour, EdgeTint, EdgeWidth};
    use grn_explorer::network::MemberRanks;
    let (grn, positions) = network(30, 50, 5);
    let best = grn.edges().len() as u32;
    // The first member ranks as all do together, the second the other way round.
    let ranks = MemberRanks::new(vec![(1..=best).collect(), (1..=best).rev().collect(), (1..=best).collect()]);
    let grn = grn.with_member_ranks(ranks);
    let shown = &grn.edges()[..20];
    let style = |edge_colour, edge_width| NetworkStyle { edge_colour, edge_width, ..NetworkStyle::default() };
    let figure = NetworkFigure::of(&grn, shown, &positions, &style(EdgeColour::Sign, EdgeWidth::Rank));
    assert!(figure.edges.iter().all(|edge| !edge.dashed && edge.opacity == figure.edges[0].opacity));
    let texts = |figure: &NetworkFigure| -> Vec<String> {
        figure.legend.as_ref().expect("a legend").kinds.iter().map(|key| key.text.clone()).collect()
    };
    assert_eq!(texts(&figure), ["All among the best 20 of at least half of 3 members"]);

    let odd = MemberRanks::new(vec![(1..=best).rev().collect(), (1..=best).rev().collect(), (1..=best).collect()]);
    let grn = grn.with_member_ranks(odd);
    let figure =
        NetworkFigure::of(&grn, &grn.edges()[..20], &positions, &style(EdgeColour::Agreement, EdgeWidth::Agreement));
    assert!(figure.edges.iter().all(|edge| edge.dashed && edge.tint == EdgeTint::Sequential(1.0 / 3.0)));
    let legend = figure.legend.clone().expect("a legend");
    assert_eq!(texts(&figure), ["Among the best 20 of fewer than half of 3 members"]);
    let scale = legend.edge_scale.expect("a scale of colours");
    assert_eq!((scale.label.as_str(), scale.ends), ("Kept by members", ["0".to_owned(), "3 of 3".to_owned()]));
    assert_eq!(legend.widths.expect("widths").ends[0].0, "Kept by 3 of 3");
}

#[test]
fn no_disc_is_cut_off_in_a_figure_of_the_whole() {
    for (genes, edges) in [(2, 1), (3, 2), (5, 4), (9, 12), (30, 50), (200, 300)] {
        let figure = network_figure(7.0, true, genes, edges);
        for size in [[120.0, 100.0], [250.0, 180.0], [500.0, 400.0], [900.0, 260.0]] {
            let drawn = figure.scene(size, &figure.fit(size), &FigureTheme::paper());
            assert_eq!(drawn.hits.nodes.len(), figure.nodes.len());
            for hit in &drawn.hits.nodes {
                let inside = (0..2).all(|axis| {
                    let (low, high) = (drawn.area[0][axis], drawn.area[1][axis]);
                    low <= hit.centre[axis] - hit.radius && hit.centre[axis] + hit.radius <= high
                });
                assert!(inside, "{genes} genes in {size:?}: {hit:?} of {:?}", drawn.area);
            }
        }
    }
}

#[test]
fn edges_are_coloured_by_their_false_discovery_rate() {
    use grn_explorer::figures::network::{EdgeColour, EdgeTint};
    let (grn, positions) = network(30, 50, 5);
    let rates = [Some(1.0), Some(0.001), None, Some(0.0001), Some(0.031_622_78)];
    let rated = grn.edges().iter().zip(rates.into_iter().cycle());
    let rated = rated.map(|(edge, rate)| Edge { false_discovery_rate: rate, ..*edge }).collect();
    let grn = Grn::new(grn.genes().to_vec(), rated).unwrap();
    let style = NetworkStyle { edge_colour: EdgeColour::FalseDiscovery, ..NetworkStyle::default() };
    let figure = NetworkFigure::of(&grn, &grn.edges()[..5], &positions, &style);
    // The best edge is drawn last.
    let tints: Vec<EdgeTint> = figure.edges.iter().rev().map(|edge| edge.tint).collect();
    assert_eq!(
        tints[..4],
        [0.0, 1.0, -1.0, 1.0].map(|at| if at < 0.0 { EdgeTint::Plain } else { EdgeTint::Sequential(at) })
    );
    assert!(matches!(tints[4], EdgeTint::Sequential(at) if (at - 0.5).abs() < 1e-3));
    let legend = figure.legend.expect("a legend");
    let scale = legend.edge_scale.expect("a scale");
    assert_eq!((scale.label.as_str(), scale.ends), ("False discovery rate", ["1".to_owned(), "≤ 0.001".to_owned()]));
    assert_eq!(legend.kinds.iter().map(|key| key.text.as_str()).collect::<Vec<_>>(), ["Not tested"]);
}

#[test]
fn arrows_end_at_the_rim_of_their_target() {
    let figure = network_figure(7.0, false, 40, 60);
    let size = [500.0, 400.0];
    let drawn = figure.scene(size, &figure.fit(size), &FigureTheme::paper());
    let disc = |node: usize| drawn.hits.nodes.iter().find(|hit| hit.node == node).expect("the node is drawn");
    let mut seen = 0;
    for (edge, line) in drawn.hits.edges() {
        let edge = &figure.edges[edge];
        for (end, node) in [(line[0], disc(edge.from)), (line[line.len() - 1], disc(edge.to))] {
            let away = (end[0] - node.centre[0]).hypot(end[1] - node.centre[1]) - node.radius;
            assert!((-0.01..14.0).contains(&away), "an end lies {away} points from the rim");
        }
        seen += 1;
    }
    // Only an edge between discs that touch has no room to be seen.
    let touching = figure.edges.iter().filter(|edge| {
        let (from, to) = (disc(edge.from), disc(edge.to));
        (from.centre[0] - to.centre[0]).hypot(from.centre[1] - to.centre[1]) < from.radius + to.radius + 4.0
    });
    assert!(seen + touching.count() >= figure.edges.len() && seen > 50, "{seen} edges are drawn");
}

#[test]
fn the_pointer_finds_what_is_drawn() {
    let figure = network_figure(7.0, false, 40, 60);
    let size = [900.0, 700.0];
    let drawn = figure.scene(size, &figure.fit(size), &FigureTheme::light());
    for hit in &drawn.hits.nodes {
        assert_eq!(drawn.hits.node_at(hit.centre, 0.0), Some(hit.node));
    }
    let (edge, line) = drawn.hits.edges().next().expect("an edge");
    let middle = [0, 1].map(|at| f32::midpoint(line[0][at], line[1][at]));
    let found = drawn.hits.edge_at(middle, 3.0).expect("the edge");
    assert!(found == edge || drawn.hits.edges().any(|(other, _)| other == found));
    let scene = scatter(8.0).scene([400.0, 400.0], &FigureTheme::light());
    for hit in &scene.hits {
        let grn_explorer::figures::HitShape::Disc { centre, .. } = hit.shape else { panic!("points are discs") };
        let found = scene.hit(centre, 2.0).expect("a point");
        assert!(found.text.contains("observed") && found.text.contains("predicted"));
    }
}

/// Lines and triangles of a layer that are drawn in bulk, and everything else in it.
fn bulk(scene: &Scene) -> (usize, usize, usize) {
    let layer = scene.layers.iter().find(|layer| layer.name == "edges").expect("edges");
    layer.primitives.iter().fold((0, 0, 0), |(lines, heads, others), primitive| match primitive {
        Primitive::Lines(pieces) => (lines + pieces.len(), heads, others),
        Primitive::Triangles(triangles) => (lines, heads + triangles.len(), others),
        _ => (lines, heads, others + 1),
    })
}

#[test]
fn thousands_of_edges_are_drawn_in_bulk_with_heads_where_there_is_room() {
    let (grn, positions) = network(1500, 6000, 5);
    let positions: Vec<[f32; 2]> = positions.iter().map(|at| at.map(|at| at * 100.0)).collect();
    let style = NetworkStyle { text_size: 12.0, ..NetworkStyle::default() };
    let figure = NetworkFigure::of(&grn, grn.edges(), &positions, &style);
    let (size, theme) = ([900.0, 700.0], FigureTheme::light());
    let whole = figure.scene(size, &figure.fit(size), &theme);
    let area = whole.area;
    let apart = figure.fit(size).zoom * figure.spacing();
    // Neighbours have room for heads or not; a little closer or farther and it is the other way.
    let camera = |apart_wanted: f32| Camera { zoom: figure.fit(size).zoom * apart_wanted / apart, ..figure.fit(size) };
    let (far, near) = (figure.scene(size, &camera(13.0), &theme), figure.scene(size, &camera(17.0), &theme));
    let (lines, heads, others) = bulk(&far.scene);
    assert!(lines > 5900 && heads == 0 && others == 0, "{lines} lines, {heads} heads, {others} others");
    let (lines, heads, others) = bulk(&near.scene);
    assert!(lines > 4000 && heads > 1500 && others == 0, "{lines} lines, {heads} heads, {others} others");
    // Close by, every edge is drawn with all it has.
    let close = figure.scene(size, &camera(150.0), &theme);
    let (lines, heads, others) = bulk(&close.scene);
    assert!(lines == 0 && heads == 0 && others > 100, "{lines} lines, {heads} heads, {others} others");
    for drawn in [&whole, &far, &near, &close] {
        let areas: Vec<Area> = drawn.labels.iter().map(|label| label.area).collect();
        assert!(!areas.is_empty() && overlaps(&areas) == 0);
        for (_, line) in drawn.hits.edges().take(500) {
            let middle = [0, 1].map(|at| f32::midpoint(line[0][at], line[line.len() - 1][at]));
            assert!(line.len() > 2 || drawn.hits.edge_at(middle, 1.0).is_some());
        }
        let text = svg::svg(&drawn.scene, &metadata(), 180.0);
        parsed(&text);
        assert!(text.matches("<path").count() < 12_000 && !text.contains("NaN"));
    }
    // Nothing reaches far beyond the area: what is out of sight is cut off.
    let layer = near.scene.layers.iter().find(|layer| layer.name == "edges").expect("edges");
    for piece in layer.primitives.iter().flat_map(|primitive| match primitive {
        Primitive::Lines(pieces) => pieces.as_slice(),
        _ => &[],
    }) {
        assert!(
            piece.ends.iter().all(|end| (0..2).all(|at| (area[0][at] - 5.0..=area[1][at] + 5.0).contains(&end[at])))
        );
    }
    // The edges of a gene that is pointed at stand out, whole.
    let style = NetworkStyle { hovered: Some(GeneId(0)), ..style };
    let pointed = NetworkFigure::of(&grn, grn.edges(), &positions, &style);
    let own = grn.edges().iter().filter(|edge| edge.regulator == GeneId(0) || edge.target == GeneId(0)).count();
    let (_, _, others) = bulk(&pointed.scene(size, &camera(13.0), &theme).scene);
    assert!(own > 20 && others >= own, "{others} primitives for {own} edges");
}

#[test]
fn of_very_many_edges_each_genes_best_are_drawn_and_the_legend_says_so() {
    let (grn, positions) = network(3000, 90_000, 6);
    let style = NetworkStyle { text_size: 12.0, ..NetworkStyle::default() };
    let figure = NetworkFigure::of(&grn, grn.edges(), &positions, &style);
    let (size, theme) = ([900.0, 700.0], FigureTheme::light());
    let mut camera = figure.fit(size);
    let drawn = |camera: &Camera| {
        let scene = figure.scene(size, camera, &theme);
        let edges: std::collections::BTreeSet<usize> = scene.hits.edges().map(|(edge, _)| edge).collect();
        (scene, edges)
    };
    let (whole, edges) = drawn(&camera);
    assert!((59_000..=60_000).contains(&bulk(&whole.scene).0), "{:?}", bulk(&whole.scene));
    let ends = |edge: &usize| [figure.edges[*edge].from, figure.edges[*edge].to];
    let covered: std::collections::BTreeSet<usize> = edges.iter().flat_map(ends).collect();
    assert_eq!(covered.len(), figure.nodes.len(), "no gene loses all of its edges");
    assert!(
        texts(&whole.scene).any(|(text, _)| text == "At most 60,000 of 90,000 edges drawn, each gene’s best first")
    );
    // Close by, all in sight are drawn.
    camera.zoom *= 30.0;
    let (_, close) = drawn(&camera);
    assert!(close.iter().any(|edge| !edges.contains(edge)));
    // While it is moved, hardly any comes or goes.
    camera.zoom /= 22.0;
    let (_, before) = drawn(&camera);
    camera.pan([2.0, 1.0]);
    let (_, after) = drawn(&camera);
    let changed = before.symmetric_difference(&after).count();
    assert!(before.len() > 20_000 && changed * 50 < before.len(), "{changed} of {}", before.len());
    // Few enough are drawn as ever.
    let few = NetworkFigure::of(&grn, &grn.edges()[..5000], &positions, &style);
    assert!(few.legend.is_some_and(|legend| legend.thinned.is_none()));
}

#[test]
fn a_figure_follows_the_layout_and_the_pointer_as_if_made_anew() {
    let (grn, mut positions) = network(80, 300, 7);
    for emphasised in [vec![], vec![3, 5, 8]] {
        let style = NetworkStyle { selected: vec![GeneId(2)], emphasised, ..NetworkStyle::default() };
        let mut figure = NetworkFigure::of(&grn, grn.edges(), &positions, &style);
        positions.iter_mut().for_each(|at| *at = [at[1] + 1.0, 2.0 * at[0]]);
        figure.place(&positions);
        assert!(figure == NetworkFigure::of(&grn, grn.edges(), &positions, &style));
        for hovered in [Some(GeneId(0)), Some(GeneId(2)), Some(GeneId(7)), None] {
            figure.point_at(hovered);
            let style = NetworkStyle { hovered, ..style.clone() };
            assert!(figure == NetworkFigure::of(&grn, grn.edges(), &positions, &style), "{hovered:?}");
        }
    }
}

#[test]
fn intervals_are_drawn_told_and_explained() {
    let plain: [Box<dyn Figure>; 3] = [Box::new(scatter(7.0)), Box::new(bars(7.0)), Box::new(ranking(7.0))];
    for (with, without) in with_intervals(7.0).iter().zip(plain) {
        let [with, without] =
            [with.scene([252.0, 300.0], &FigureTheme::paper()), without.scene([252.0, 300.0], &FigureTheme::paper())];
        let lines = |scene: &Scene| {
            let all = scene.layers.iter().flat_map(|layer| &layer.primitives);
            all.filter(|primitive| matches!(primitive, Primitive::Polyline { .. })).count()
        };
        assert!(lines(&with.scene) >= lines(&without.scene) + 20, "every row or point has its line");
        assert!(texts(&with.scene).any(|(text, _)| text == "90 % interval, 10 members"));
        assert!(with.hits.iter().all(|hit| hit.text.contains(" to ")), "{:?}", with.hits[0].text);
        assert!(without.hits.iter().all(|hit| !hit.text.contains(" to ")));
    }
}

#[test]
fn odd_input_is_drawn_without_harm() {
    let theme = FigureTheme::light();
    let point = |x: f32, y: f32| ScatterPoint { x, y, half_width: None, label: "A".into(), highlighted: false };
    let cases = [
        (vec![], 0, 0),
        (vec![point(1.0, 1.0)], 1, 0),
        (vec![point(0.0, 0.0); 5], 5, 0),
        (vec![point(2.5, 2.5); 3], 3, 0),
        (vec![point(f32::NAN, 1.0), point(1.0, f32::INFINITY), point(0.5, 0.2)], 1, 2),
        (vec![point(1e30, -1e30), point(1e-30, 0.0)], 2, 0),
        (vec![ScatterPoint { half_width: Some(f32::NAN), ..point(0.5, 0.2) }, point(1.0, 1.0)], 2, 0),
        (vec![ScatterPoint { half_width: Some(1e30), ..point(0.5, 0.2) }, point(1.0, 1.0)], 2, 0),
    ];
    for (points, drawn, skipped) in cases {
        let figure = ScatterFigure { points, ..scatter(7.0) };
        let scene = figure.scene([252.0, 252.0], &theme);
        assert_eq!((scene.hits.len(), scene.skipped), (drawn, skipped));
        parsed(&svg::svg(&scene.scene, &metadata(), 89.0));
        let bars: Vec<PairedBar> = figure
            .points
            .iter()
            .map(|point| PairedBar {
                label: "A".into(),
                observed: point.x,
                predicted: point.y,
                half_width: point.half_width,
                highlighted: false,
            })
            .collect();
        let scene =
            PairedBarsFigure { bars: bars.clone(), ..PairedBarsFigure::default() }.scene([252.0, 200.0], &theme);
        assert_eq!(scene.skipped, skipped);
        parsed(&svg::svg(&scene.scene, &metadata(), 89.0));
        let largest = PairedBarsFigure::of_largest(bars, 20).scene([252.0, 200.0], &theme);
        parsed(&svg::svg(&largest.scene, &metadata(), 89.0));
        let genes = figure
            .points
            .iter()
            .map(|point| RankedGene {
                label: "A".into(),
                shift: point.x,
                half_width: point.half_width,
                highlighted: false,
            })
            .collect::<Vec<_>>();
        let bad = genes.iter().filter(|gene| !gene.shift.is_finite()).count();
        let scene = RankingFigure::of_extremes(genes, 10).scene([252.0, 200.0], &theme);
        assert_eq!(scene.skipped, bad);
        parsed(&svg::svg(&scene.scene, &metadata(), 89.0));
    }
    let mut broken = loss(7.0, Scale::Logarithmic);
    broken.series[0].train[3][1] = f32::NAN;
    broken.series[1].validation[5][1] = -1.0;
    assert_eq!(broken.scene([252.0, 180.0], &theme).skipped, 2);
    let empty = LossFigure::default().scene([252.0, 180.0], &theme);
    parsed(&svg::svg(&empty.scene, &metadata(), 89.0));
    let tiny = page(7.0, 100.0).scene([3.0, 3.0], &theme);
    parsed(&svg::svg(&tiny.scene, &metadata(), 89.0));
}

#[test]
fn an_empty_network_and_one_in_a_single_place_are_drawn() {
    let theme = FigureTheme::dark();
    let size = [252.0, 180.0];
    let empty = NetworkFigure::of(&Grn::default(), &[], &[], &NetworkStyle::default());
    assert!(empty.scene(size, &empty.fit(size), &theme).hits.nodes.is_empty());
    let (grn, positions) = network(20, 30, 2);
    for positions in [vec![[1.0, 1.0]; 20], vec![[f32::NAN, 0.0]; 20], positions[..3].to_vec()] {
        let figure =
            NetworkFigure::of(&grn, grn.edges(), &positions, &NetworkStyle { isolated: true, ..Default::default() });
        for camera in
            [figure.fit(size), Camera { centre: [0.0, 0.0], zoom: 1e6 }, Camera { centre: [9.0, 0.0], zoom: 1e-6 }]
        {
            let drawn = figure.scene(size, &camera, &theme);
            parsed(&svg::svg(&drawn.scene, &metadata(), 89.0));
        }
    }
}

#[test]
fn both_directions_bend_apart() {
    let genes = ["A", "B"].map(|symbol| NetworkGene { measured: true, ..NetworkGene::named(symbol) });
    let edge = |regulator: u32, target: u32| Edge {
        sign: Sign::Activates,
        ..Edge::new(GeneId(regulator), GeneId(target), 0.5)
    };
    let grn = Grn::new(genes.to_vec(), vec![edge(0, 1), edge(1, 0), edge(0, 0)]).unwrap();
    let figure = NetworkFigure::of(&grn, grn.edges(), &[[0.0, 0.0], [1.0, 0.0]], &NetworkStyle::default());
    let drawn = figure.scene([300.0, 200.0], &figure.fit([300.0, 200.0]), &FigureTheme::paper());
    let middles: Vec<f32> = drawn.hits.edges().map(|(_, line)| line[line.len() / 2][1]).collect();
    let node = drawn.hits.nodes[0].centre[1];
    let sides: Vec<f32> = drawn
        .hits
        .edges()
        .filter(|(edge, _)| figure.edges[*edge].curved)
        .map(|(_, line)| line[line.len() / 2][1] - node)
        .collect();
    assert_eq!(middles.len(), 3, "the loop is drawn too");
    assert!(sides.len() == 2 && sides[0] * sides[1] < 0.0, "{sides:?}");
    assert!(sides.iter().all(|side| side.abs() > 3.0), "{sides:?}");
}

/// Writes every figure in every theme as PNG, for looking at.
#[test]
#[ignore = "writes pictures to the folder that GRN_GALLERY names"]
fn gallery() {
    let folder = std::env::var("GRN_GALLERY").unwrap_or_else(|_| "target/gallery".into());
    std::fs::create_dir_all(&folder).unwrap();
    for theme in [ThemeName::Light, ThemeName::Dark, ThemeName::Paper] {
        for (name, width_mm, scene) in figures(&FigureTheme::of(theme)) {
            let dpi = if width_mm < 100.0 {
                300.0
            } else if width_mm < 200.0 {
                200.0
            } else {
                96.0
            };
            let options = ExportOptions::new(width_mm, dpi, false).unwrap();
            let file = format!("{name}-{width_mm}-{theme:?}.png").to_lowercase();
            export::write(&scene, &metadata(), &options, &Path::new(&folder).join(&file)).unwrap();
            if name == "page" || name == "network-shift" {
                for ending in ["pdf", "svg"] {
                    let path = Path::new(&folder).join(&file).with_extension(ending);
                    export::write(&scene, &metadata(), &options, &path).unwrap();
                }
            }
        }
    }
}
