//! A figure is data first; one drawing of it becomes SVG, and from that PNG and PDF.
//!
//! Plain data ([`network::NetworkFigure`], [`response::ScatterFigure`], …) and a [`theme::FigureTheme`] give a
//! [`scene::Scene`], a list of drawing primitives, with the regions that can be pointed at. The window paints the scene;
//! [`export`] writes the same one to a file. Text is measured and embedded with the one bundled [`font`].

pub mod axes;
mod ends;
pub mod evaluation;
pub mod export;
pub mod font;
mod hits;
pub mod interactions;
pub mod metadata;
mod names;
pub mod network;
pub mod panels;
pub mod response;
pub mod scene;
pub mod screen;
pub mod svg;
pub mod theme;

pub use export::{ExportOptions, FigureError, Format};
pub use hits::{FigureScene, Hit, HitShape};
pub use metadata::FigureMetadata;
pub use panels::{NetworkPanel, Panel, PanelRow, PanelsFigure};
pub use scene::Scene;
pub use theme::{FigureTheme, ThemeName};

/// Data that can be drawn in any size.
pub trait Figure {
    /// Draws it in `size` points.
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene;
}
