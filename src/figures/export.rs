//! Figures as files: SVG, PDF with embedded fonts, PNG with its physical size.
//!
//! All three come from the one SVG text. Only the bundled font is used, so that a figure is the same on every machine.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use krilla::geom::Size;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt, SvgSettings};
use resvg::{tiny_skia, usvg};
use thiserror::Error;

use super::font;
use super::metadata::FigureMetadata;
use super::scene::Scene;
use super::svg::{POINTS_PER_MM, svg};
use crate::files;

/// Narrowest figure.
pub const MINIMUM_WIDTH_MM: f32 = 1.0;
/// Widest figure.
pub const MAXIMUM_WIDTH_MM: f32 = 1000.0;
/// Coarsest PNG.
pub const MINIMUM_DPI: f32 = 30.0;
/// Finest PNG.
pub const MAXIMUM_DPI: f32 = 2400.0;
/// A PNG of more pixels is refused: it would take gigabytes to draw.
pub const MAXIMUM_PIXELS: u64 = 200_000_000;

/// Why a figure was not exported.
#[derive(Debug, Error)]
pub enum FigureError {
    /// The file's ending is none that we write.
    #[error("{path} does not say which format to write: end its name with .svg, .pdf or .png")]
    UnknownFormat {
        /// The path as given.
        path: PathBuf,
    },
    /// A width out of range.
    #[error("a figure {found} mm wide cannot be made: choose a width from {MINIMUM_WIDTH_MM} to {MAXIMUM_WIDTH_MM} mm")]
    Width {
        /// What was asked for.
        found: f32,
    },
    /// A resolution out of range.
    #[error("a resolution of {found} DPI cannot be made: choose one from {MINIMUM_DPI} to {MAXIMUM_DPI} DPI")]
    Resolution {
        /// What was asked for.
        found: f32,
    },
    /// Too many pixels.
    #[error(
        "the PNG would have {width} × {height} pixels ({} megapixels, at most {} are drawn): \
         lower the resolution to {highest_dpi} DPI or less, or export SVG or PDF, which have no pixels",
        (*.width as u64 * *.height as u64) / 1_000_000, MAXIMUM_PIXELS / 1_000_000
    )]
    TooManyPixels {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// The finest resolution that would do.
        highest_dpi: u32,
    },
    /// A scene without area.
    #[error("the figure has no area ({width} × {height} points)")]
    NoArea {
        /// In points.
        width: f32,
        /// In points.
        height: f32,
    },
    /// One of the drawing libraries gave up.
    #[error("the figure could not be drawn as {format}: {reason}")]
    Drawing {
        /// Which format.
        format: Format,
        /// What the library said.
        reason: String,
    },
    /// The file could not be written.
    #[error("{path} could not be written: {source}")]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A file format of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Scalable Vector Graphics; text as text, layers named.
    Svg,
    /// Portable Document Format; fonts embedded.
    Pdf,
    /// Portable Network Graphics; pixels with their physical size.
    Png,
}

impl Format {
    /// All of them, as offered to the user.
    pub const ALL: [Self; 3] = [Self::Svg, Self::Pdf, Self::Png];

    /// The ending of its files, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
        }
    }

    /// The format that the ending of `path` names, in capitals or not.
    pub fn of(path: &Path) -> Result<Self, FigureError> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let found = Self::ALL.into_iter().find(|format| format.extension().eq_ignore_ascii_case(ending));
        found.ok_or_else(|| FigureError::UnknownFormat { path: path.to_owned() })
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Svg => "SVG",
            Self::Pdf => "PDF",
            Self::Png => "PNG",
        })
    }
}

/// How large and how fine; valid once built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExportOptions {
    width_mm: f32,
    dpi: f32,
    transparent: bool,
}

impl Default for ExportOptions {
    /// One column of a journal, 300 DPI, with the theme's background.
    fn default() -> Self {
        Self { width_mm: 89.0, dpi: 300.0, transparent: false }
    }
}

impl ExportOptions {
    /// A figure `width_mm` wide (1 to 1000), PNG at `dpi` (30 to 2400), with the scene's background or none.
    pub fn new(width_mm: f32, dpi: f32, transparent: bool) -> Result<Self, FigureError> {
        if !(MINIMUM_WIDTH_MM..=MAXIMUM_WIDTH_MM).contains(&width_mm) {
            return Err(FigureError::Width { found: width_mm });
        }
        if !(MINIMUM_DPI..=MAXIMUM_DPI).contains(&dpi) {
            return Err(FigureError::Resolution { found: dpi });
        }
        Ok(Self { width_mm, dpi, transparent })
    }

    /// Width in millimetres.
    pub fn width_mm(&self) -> f32 {
        self.width_mm
    }

    /// Pixels an inch.
    pub fn dpi(&self) -> f32 {
        self.dpi
    }

    /// Whether the background is left out.
    pub fn transparent(&self) -> bool {
        self.transparent
    }

    /// Size in points of a scene that is drawn for this width, `aspect` times as wide as high: text of 7 points in it is
    /// 7 points in print.
    pub fn scene_size(&self, aspect: f32) -> [f32; 2] {
        let width = self.width_mm * POINTS_PER_MM;
        [width, width / aspect]
    }

    /// Pixels of a PNG of `scene`: width, height.
    pub fn pixels(&self, scene: &Scene) -> Result<[u32; 2], FigureError> {
        let [width, height] = area(scene)?;
        let across = (f64::from(self.width_mm) / 25.4 * f64::from(self.dpi)).round().max(1.0);
        let down = (across * f64::from(height) / f64::from(width)).round().max(1.0);
        if across * down > MAXIMUM_PIXELS as f64 || down > f64::from(u32::MAX) {
            let highest = f64::from(self.dpi) * (MAXIMUM_PIXELS as f64 / (across * down)).sqrt();
            let (width, height) = (across as u32, down as u32);
            return Err(FigureError::TooManyPixels { width, height, highest_dpi: highest as u32 });
        }
        Ok([across as u32, down as u32])
    }
}

/// Writes `scene` to `path` in the format that the ending names. The file appears whole or not at all.
pub fn write(
    scene: &Scene,
    metadata: &FigureMetadata,
    options: &ExportOptions,
    path: &Path,
) -> Result<Format, FigureError> {
    let format = Format::of(path)?;
    let bytes = render(scene, metadata, options, format)?;
    files::write_whole(path, |file| file.write_all(&bytes))
        .map_err(|source| FigureError::Write { path: path.to_owned(), source })?;
    Ok(format)
}

/// `scene` as the bytes of a file.
pub fn render(
    scene: &Scene,
    metadata: &FigureMetadata,
    options: &ExportOptions,
    format: Format,
) -> Result<Vec<u8>, FigureError> {
    area(scene)?;
    let text = if options.transparent && scene.background.is_some() {
        svg(&Scene { background: None, ..scene.clone() }, metadata, options.width_mm)
    } else {
        svg(scene, metadata, options.width_mm)
    };
    match format {
        Format::Svg => Ok(text.into_bytes()),
        Format::Pdf => pdf(&text, scene, metadata, options),
        Format::Png => png(&text, scene, metadata, options),
    }
}

fn area(scene: &Scene) -> Result<[f32; 2], FigureError> {
    let [width, height] = scene.size;
    if width.is_finite() && height.is_finite() && width > 0.0 && height > 0.0 {
        Ok([width, height])
    } else {
        Err(FigureError::NoArea { width, height })
    }
}

static FONTS: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(font::REGULAR.to_vec());
    fonts.load_font_data(font::BOLD.to_vec());
    fonts.set_sans_serif_family(font::FAMILY);
    Arc::new(fonts)
});

fn tree(svg: &str, format: Format) -> Result<usvg::Tree, FigureError> {
    let options = usvg::Options { fontdb: FONTS.clone(), font_family: font::FAMILY.into(), ..usvg::Options::default() };
    usvg::Tree::from_str(svg, &options).map_err(|error| FigureError::Drawing { format, reason: error.to_string() })
}

fn pdf(svg: &str, scene: &Scene, metadata: &FigureMetadata, options: &ExportOptions) -> Result<Vec<u8>, FigureError> {
    let failed = |reason: String| FigureError::Drawing { format: Format::Pdf, reason };
    let tree = tree(svg, Format::Pdf)?;
    let width = options.width_mm * POINTS_PER_MM;
    let height = width * scene.size[1] / scene.size[0];
    let (Some(size), Some(page)) = (Size::from_wh(width, height), PageSettings::from_wh(width, height)) else {
        return Err(FigureError::NoArea { width, height });
    };
    let mut document = krilla::Document::new();
    document.set_metadata(
        krilla::metadata::Metadata::new()
            .title(metadata.title.clone())
            .description(metadata.as_text())
            .creator(metadata.program.clone())
            .language("en".into()),
    );
    let mut page = document.start_page_with(page);
    let mut surface = page.surface();
    let drawn = surface.draw_svg(&tree, size, SvgSettings::default());
    surface.finish();
    page.finish();
    drawn.ok_or_else(|| failed("the page could not be laid out".into()))?;
    document.finish().map_err(|error| failed(format!("{error:?}")))
}

fn png(svg: &str, scene: &Scene, metadata: &FigureMetadata, options: &ExportOptions) -> Result<Vec<u8>, FigureError> {
    let failed = |reason: String| FigureError::Drawing { format: Format::Png, reason };
    let [width, height] = options.pixels(scene)?;
    let tree = tree(svg, Format::Png)?;
    let mut pixels =
        tiny_skia::Pixmap::new(width, height).ok_or_else(|| failed("there is not enough memory".into()))?;
    let transform =
        tiny_skia::Transform::from_scale(width as f32 / tree.size().width(), height as f32 / tree.size().height());
    resvg::render(&tree, transform, &mut pixels.as_mut());

    let opaque = !options.transparent && scene.background.is_some_and(|colour| colour.3 == 255);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(if opaque { png::ColorType::Rgb } else { png::ColorType::Rgba });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    let per_metre = (f64::from(width) / f64::from(options.width_mm) * 1000.0).round() as u32;
    let dimensions = png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit: png::Unit::Meter };
    encoder.set_pixel_dims(Some(dimensions));
    for (keyword, text) in
        [("Title", &metadata.title), ("Software", &metadata.program), ("Description", &metadata.as_text())]
    {
        if !text.is_empty() {
            encoder.add_itxt_chunk(keyword.into(), text.clone()).map_err(|error| failed(error.to_string()))?;
        }
    }
    let mut writer = encoder.write_header().map_err(|error| failed(error.to_string()))?;
    let channels = if opaque { 3 } else { 4 };
    let mut data = Vec::with_capacity(pixels.pixels().len() * channels);
    for pixel in pixels.pixels() {
        let colour = pixel.demultiply();
        data.extend_from_slice(&[colour.red(), colour.green(), colour.blue(), colour.alpha()][..channels]);
    }
    writer.write_image_data(&data).map_err(|error| failed(error.to_string()))?;
    writer.finish().map_err(|error| failed(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_names_the_format() {
        assert_eq!(Format::of(Path::new("a/b.PDF")).unwrap(), Format::Pdf);
        let message = Format::of(Path::new("figure.tiff")).unwrap_err().to_string();
        assert_eq!(message, "figure.tiff does not say which format to write: end its name with .svg, .pdf or .png");
    }

    #[test]
    fn options_out_of_range_are_refused_with_the_remedy() {
        for width in [0.0, -1.0, 1001.0, f32::NAN] {
            assert!(matches!(ExportOptions::new(width, 300.0, false), Err(FigureError::Width { .. })));
        }
        for dpi in [29.0, 2401.0, f32::INFINITY] {
            assert!(matches!(ExportOptions::new(89.0, dpi, false), Err(FigureError::Resolution { .. })));
        }
        let scene = Scene { size: [100.0, 100.0], background: None, layers: vec![] };
        let message = ExportOptions::new(1000.0, 2400.0, false).unwrap().pixels(&scene).unwrap_err().to_string();
        assert!(message.contains("8927 megapixels, at most 200"), "{message}");
        assert!(message.contains("359 DPI or less"), "{message}");
    }

    #[test]
    fn what_is_drawn_for_a_width_has_its_points() {
        let [width, height] = ExportOptions::default().scene_size(1.5);
        assert!((width - 252.28).abs() < 0.01 && (height - 168.19).abs() < 0.01);
    }
}
