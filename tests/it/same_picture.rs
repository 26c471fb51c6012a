//! The screen and the file are one picture: each scene is painted by the window's painter on a graphics driver and drawn
//! from its SVG, and the two are compared pixel by pixel.
//!
//! Letters differ most: egui moves upright text to whole pixels and draws it from a texture. So a share of the pixels may
//! differ; but the mean colour of no small square may differ by much, which no missing line or letter passes.

use std::sync::{Arc, Mutex, PoisonError};

use egui_kittest::Harness;
use grn_explorer::app::widgets::scene_painter::install_figure_font;
use grn_explorer::app::widgets::{Placement, ScenePainter};
use grn_explorer::figures::export::{self, ExportOptions, Format};
use grn_explorer::figures::network::{Camera, NetworkFigure, NetworkStyle};
use grn_explorer::figures::scene::Scene;
use grn_explorer::figures::svg::POINTS_PER_MM;
use grn_explorer::figures::{FigureMetadata, FigureTheme};

use super::figures;

/// Sum of all differences as a share of all ink (what differs from the background): soft edges of thin lines and letters
/// make it up to 0.42, two pixels to the side 0.9 and more.
const OF_INK: f64 = 0.5;
/// A pixel differs if one of its channels does by more than this; and so large a share of the pixels may.
const CHANNEL: u8 = 40;
const SHARE: f64 = 0.08;
/// Side of the squares that are compared by their mean, and the largest difference of a channel's mean between two.
const SQUARE: usize = 12;
const SQUARE_DIFFERENCE: f64 = 45.0;

/// Red, green and blue of each pixel, row by row.
struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

/// What is painted in a frame.
#[derive(Default)]
struct Stage {
    scene: Option<Arc<Scene>>,
    version: u64,
    painter: ScenePainter,
}

/// The window's painter on a graphics driver, or none where there is no driver.
fn stage(pixels_per_point: f32) -> Option<Harness<'static, Stage>> {
    // One at a time: the hook is the whole program's.
    static BUILDING: Mutex<()> = Mutex::new(());
    let _alone = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let built = std::panic::catch_unwind(|| {
        let ui = |ui: &mut egui::Ui, stage: &mut Stage| {
            let painter = ui.ctx().layer_painter(egui::LayerId::background());
            if let Some(scene) = &stage.scene {
                stage.painter.paint(&painter, scene, stage.version, Placement::at(egui::Pos2::ZERO));
            }
        };
        Harness::builder()
            .with_size([960.0, 960.0])
            .with_pixels_per_point(pixels_per_point)
            .with_context_setup(install_figure_font)
            .wgpu()
            .build_ui_state(ui, Stage::default())
    });
    std::panic::set_hook(hook);
    if built.is_err() {
        eprintln!("skipped: no graphics driver to draw with (install mesa-vulkan-drivers)");
    }
    built.ok()
}

fn on_screen(stage: &mut Harness<'static, Stage>, scene: &Scene, pixels_per_point: f32) -> Picture {
    let state = stage.state_mut();
    state.scene = Some(Arc::new(scene.clone()));
    state.version += 1;
    stage.run_steps(3);
    let image = stage.render().expect("a picture");
    let [width, height] = scene.size.map(|at| (at * pixels_per_point).round() as usize);
    let pixel = |x: usize, y: usize| {
        let [red, green, blue, _] = image.get_pixel(x as u32, y as u32).0;
        [red, green, blue]
    };
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect();
    Picture { width, height, pixels }
}

fn in_file(scene: &Scene, pixels_per_point: f32) -> Picture {
    let options = ExportOptions::new(scene.size[0] / POINTS_PER_MM, 72.0 * pixels_per_point, false).expect("a size");
    let bytes = export::render(scene, &FigureMetadata::default(), &options, Format::Png).expect("a figure");
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut bytes).expect("pixels");
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    Picture { width, height, pixels: bytes.chunks_exact(3).map(|parts| [parts[0], parts[1], parts[2]]).collect() }
}

/// By how much two pictures differ.
#[derive(Debug)]
struct Difference {
    of_ink: f64,
    share: f64,
    /// The square that differs most.
    square: f64,
    at: [usize; 2],
}

impl Difference {
    fn between(a: &Picture, b: &Picture) -> Self {
        assert_eq!((a.width, a.height), (b.width, b.height));
        let apart = |(a, b): (&[u8; 3], &[u8; 3])| [0, 1, 2].map(|at| a[at].abs_diff(b[at]));
        let apart: Vec<[u8; 3]> = a.pixels.iter().zip(&b.pixels).map(apart).collect();
        let sum: f64 = apart.iter().flatten().map(|part| f64::from(*part)).sum();
        let differ = apart.iter().filter(|parts| parts.iter().any(|part| *part > CHANNEL)).count();
        let paper = b.pixels[0];
        let ink = |pixel: &[u8; 3]| (0..3).map(|at| f64::from(pixel[at].abs_diff(paper[at]))).sum::<f64>();
        let mut found = Self {
            of_ink: sum / b.pixels.iter().map(ink).sum::<f64>().max(1.0),
            share: differ as f64 / apart.len() as f64,
            square: 0.0,
            at: [0, 0],
        };
        for y in (0..a.height - SQUARE).step_by(SQUARE) {
            for x in (0..a.width - SQUARE).step_by(SQUARE) {
                let mean = |picture: &Picture| {
                    let rows = (y..y + SQUARE).flat_map(|y| &picture.pixels[y * picture.width + x..][..SQUARE]);
                    let sum = rows.fold([0_u32; 3], |sum, pixel| [0, 1, 2].map(|at| sum[at] + u32::from(pixel[at])));
                    sum.map(|sum| f64::from(sum) / (SQUARE * SQUARE) as f64)
                };
                let (a, b) = (mean(a), mean(b));
                let most = (0..3).map(|at| (a[at] - b[at]).abs()).fold(0.0, f64::max);
                if most > found.square {
                    (found.square, found.at) = (most, [x, y]);
                }
            }
        }
        found
    }

    fn is_small(&self) -> bool {
        self.of_ink <= OF_INK && self.share <= SHARE && self.square <= SQUARE_DIFFERENCE
    }
}

/// Keeps both pictures for looking at where `GRN_GALLERY` names a folder.
fn keep(name: &str, picture: &Picture) {
    let Some(folder) = std::env::var_os("GRN_GALLERY") else { return };
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = std::fs::File::create(std::path::Path::new(&folder).join(name)).expect("a file");
    let mut encoder = png::Encoder::new(file, picture.width as u32, picture.height as u32);
    encoder.set_color(png::ColorType::Rgb);
    let bytes: Vec<u8> = picture.pixels.iter().flatten().copied().collect();
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&bytes)).expect("a PNG");
}

/// A network too large for edge by edge: with heads, and without.
fn large(theme: &FigureTheme) -> Vec<(&'static str, Scene)> {
    let size = [700.0, 560.0];
    let style = NetworkStyle { text_size: 12.0, ..NetworkStyle::default() };
    let (grn, positions) = figures::network(1500, 6000, 5);
    let figure = NetworkFigure::of(&grn, grn.edges(), &positions, &style);
    // As near as brings neighbours so far apart.
    let drawn = [("bulk", 12.0), ("bulk-heads", 18.0)].map(|(name, apart)| {
        let camera = Camera { zoom: apart / figure.spacing(), ..figure.fit(size) };
        (name, figure.scene(size, &camera, theme).scene)
    });
    drawn.into()
}

#[test]
fn the_file_shows_what_the_screen_shows() {
    let Some(mut whole) = stage(1.0) else { return };
    let mut fine = stage(2.0).expect("the same driver");
    let mut failed = Vec::new();
    for (theme_name, theme) in [("light", FigureTheme::light()), ("dark", FigureTheme::dark())] {
        let all = figures::figures(&theme).into_iter().filter(|(_, width, _)| *width > 300.0);
        let all = all.map(|(name, _, scene)| (name, scene)).chain(large(&theme));
        // In dark colours what has most in it.
        let wanted =
            |name: &str| theme_name == "light" || ["network-shift", "scatter", "page", "bulk-heads"].contains(&name);
        let all: Vec<(&str, Scene)> = all.filter(|(name, _)| wanted(name)).collect();
        for (name, scene) in &all {
            // Fine pixels for some: they take four times as long.
            let scales: &[f32] = if ["network-shift", "scatter"].contains(name) { &[1.0, 2.0] } else { &[1.0] };
            for &scale in scales {
                let stage = if scale > 1.0 { &mut fine } else { &mut whole };
                let (screen, file) = (on_screen(stage, scene, scale), in_file(scene, scale));
                let difference = Difference::between(&screen, &file);
                keep(&format!("{name}-{theme_name}-{scale}-screen.png"), &screen);
                keep(&format!("{name}-{theme_name}-{scale}-file.png"), &file);
                if std::env::var_os("GRN_GALLERY").is_some() {
                    eprintln!("{name} {theme_name} × {scale}: {difference:?}");
                }
                if !difference.is_small() {
                    failed.push(format!("{name}, {theme_name}, × {scale}: {difference:?}"));
                }
            }
        }
    }
    assert!(failed.is_empty(), "screen and file differ: {failed:#?}");
}

#[test]
fn a_picture_that_lacks_something_is_told_from_the_whole() {
    let Some(mut stage) = stage(1.0) else { return };
    let theme = FigureTheme::light();
    let all = figures::figures(&theme);
    let (_, _, scene) = all.into_iter().find(|(name, width, _)| *name == "network" && *width > 300.0).expect("it");
    let whole = in_file(&scene, 1.0);
    assert!(Difference::between(&on_screen(&mut stage, &scene, 1.0), &whole).is_small());
    // Without labels, without nodes, with the two signs' colours exchanged, and with everything a little to the right.
    for layer in ["labels", "nodes"] {
        let mut lacking = scene.clone();
        lacking.layers.retain(|known| known.name != layer);
        let difference = Difference::between(&on_screen(&mut stage, &lacking, 1.0), &whole);
        assert!(!difference.is_small(), "without {layer}: {difference:?}");
    }
    let mut shifted = Scene { layers: Vec::new(), ..scene.clone() };
    shifted.place(scene, [2.0, 0.0], "");
    let difference = Difference::between(&on_screen(&mut stage, &shifted, 1.0), &whole);
    assert!(!difference.is_small(), "{difference:?}");
    let mut exchanged = FigureTheme::light();
    std::mem::swap(&mut exchanged.activation, &mut exchanged.repression);
    let all = figures::figures(&exchanged);
    let (_, _, scene) = all.into_iter().find(|(name, width, _)| *name == "network" && *width > 300.0).expect("it");
    let difference = Difference::between(&on_screen(&mut stage, &scene, 1.0), &whole);
    assert!(!difference.is_small(), "{difference:?}");
}
