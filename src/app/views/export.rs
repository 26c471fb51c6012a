//! The export dialog: a figure at a size in print, previewed, or its numbers as a table.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{Context, DragValue, Frame, Grid, Margin, Modal, RichText, Sense, TextEdit, Ui, Vec2, WidgetInfo, vec2};

use crate::app::widgets::{Placement, ScenePainter};
use crate::app::{Action, ExportContent, ExportFormat, ExportRequest, NetworkParts, State, TableMaker, theme};
use crate::figures::network::{Area, Camera, NetworkFigure};
use crate::figures::{FigureMetadata, FigureTheme, Scene, ThemeName};
use crate::network::formats::NetworkFormat;
use crate::tasks::figure::learned;

/// Points of a figure per millimetre in print.
const POINTS_PER_MM: f32 = 72.0 / 25.4;
/// Most choices shown side by side.
const FEW: usize = 5;
/// Font size in print, in points.
pub const PRINT_TEXT_SIZE: f32 = 7.0;

/// Draws a figure of a size in points.
pub type Draw = Arc<dyn Fn([f32; 2], &FigureTheme) -> Scene + Send + Sync>;

/// Something that can be saved.
#[derive(Clone)]
pub struct Choice {
    /// What the user reads.
    pub label: String,
    /// Name of the file without its ending.
    pub name: String,
    /// What it is.
    pub content: Content,
}

/// A figure or a table.
#[derive(Clone)]
pub enum Content {
    /// Drawn at the size asked for.
    Figure {
        /// Draws it.
        draw: Draw,
        /// Width over height.
        aspect: f32,
        /// Width to suggest, in millimetres.
        width_mm: f32,
        /// How it was made, written into the file.
        metadata: Box<FigureMetadata>,
    },
    /// Written as it is.
    Table(ExportContent),
    /// Written in a format of network files.
    Network(Arc<NetworkParts>),
}

/// How a network is seen on the screen.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Where one looks.
    pub camera: Camera,
    /// The part of the screen that the network takes.
    pub from: Area,
    /// The part with the legend, in points.
    pub size: [f32; 2],
}

/// What a view offers for export, the most likely choice first.
#[derive(Clone, Default)]
pub struct Exportable {
    /// The choices.
    pub choices: Vec<Choice>,
}

impl Exportable {
    /// The network as it is seen, and its edges.
    pub fn network(
        name: String,
        metadata: FigureMetadata,
        figure: NetworkFigure,
        parts: NetworkParts,
        seen: Seen,
    ) -> Self {
        let Seen { camera, from, size } = seen;
        let aspect = size[0] / size[1].max(1.0);
        let draw: Draw = Arc::new(move |size, theme| {
            let camera = camera.between(from, figure.area(size));
            figure.scene(size, &camera, theme).scene
        });
        let figure = Choice {
            label: "Network as on the screen".to_owned(),
            name,
            content: Content::Figure { draw, aspect, width_mm: 180.0, metadata: Box::new(metadata) },
        };
        let edges = |label: &str, name: &str, all: bool| Choice {
            label: label.to_owned(),
            name: name.to_owned(),
            content: Content::Table(ExportContent::Edges { all }),
        };
        let shown = edges("Edges shown (table)", "edges", false);
        let file = Choice {
            label: "Network for other programs (Cytoscape, Gephi, networkx, …)".to_owned(),
            name: "network".to_owned(),
            content: Content::Network(Arc::new(parts)),
        };
        Self { choices: vec![figure, file, shown, edges("All edges (table)", "all-edges", true)] }
    }
}

/// What every figure of the open model says of it: the hashes of its file (where it is in one) and of its data, and its seed.
pub fn of_model(mut metadata: FigureMetadata, state: &State) -> FigureMetadata {
    if let Some(model) = state.runtime.model.as_ref().filter(|_| !state.network_is_live()) {
        let file = state.document.sources.model.as_ref().filter(|_| !state.runtime.model_unsaved);
        metadata.model_hash = file.map(|file| file.hash.clone());
        metadata = learned(metadata, model.card());
    }
    metadata
}

impl Exportable {
    /// Offer a table that is made while it is written.
    pub fn add_table(&mut self, label: String, name: &str, make: impl Fn() -> String + Send + Sync + 'static) {
        let content = Content::Table(ExportContent::Made(TableMaker(Arc::new(make))));
        self.choices.push(Choice { label, name: name.to_owned(), content });
    }
}

/// The dialog of one view.
#[derive(Default)]
pub struct ExportDialog {
    open: Option<Open>,
    /// Settings last used, for the next time.
    settings: Settings,
    painter: ScenePainter,
    version: u64,
}

struct Open {
    what: Exportable,
    chosen: usize,
    width_mm: f32,
    path: String,
    preview: Option<(PreviewKey, Scene)>,
}

#[derive(Clone, Copy, PartialEq)]
struct PreviewKey {
    chosen: usize,
    width_mm: f32,
    theme: ThemeName,
}

struct Settings {
    format: ExportFormat,
    network: NetworkFormat,
    dpi: f32,
    for_print: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { format: ExportFormat::Svg, network: NetworkFormat::Cx2, dpi: 300.0, for_print: false }
    }
}

impl ExportDialog {
    /// Ask what and where to save.
    pub fn open(&mut self, what: Exportable) {
        let width_mm = what.choices.first().map_or(89.0, |choice| choice.content.width());
        self.open = Some(Open { what, chosen: 0, width_mm, path: String::new(), preview: None });
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Draw the dialog, if it is open.
    pub fn show(&mut self, context: &Context, state: &State, actions: &mut Vec<Action>) {
        let Some(mut open) = self.open.take() else { return };
        let mut done = false;
        let margin = Margin::same(theme::LARGE as i8);
        let frame = Frame::popup(&context.global_style()).inner_margin(margin);
        let modal = Modal::new(egui::Id::unique("export")).frame(frame).show(context, |ui| {
            ui.set_width((context.content_rect().width() - 80.0).clamp(260.0, 520.0));
            ui.label(RichText::new("Export").heading());
            ui.add_space(theme::SMALL);
            done = self.contents(&mut open, ui, state, actions);
        });
        if !done && !modal.should_close() {
            self.open = Some(open);
        }
    }

    /// Whether the dialog is done.
    fn contents(&mut self, open: &mut Open, ui: &mut Ui, _state: &State, actions: &mut Vec<Action>) -> bool {
        let before = open.chosen;
        choose(ui, &open.what.choices, &mut open.chosen);
        if open.chosen != before
            && let Some(choice) = open.what.choices.get(open.chosen)
        {
            open.width_mm = choice.content.width();
        }
        let Some(choice) = open.what.choices.get(open.chosen).cloned() else { return true };
        ui.add_space(theme::SMALL);
        let dark = ui.visuals().dark_mode;
        let theme_name = match (self.settings.for_print, dark) {
            (true, _) => ThemeName::Paper,
            (false, true) => ThemeName::Dark,
            (false, false) => ThemeName::Light,
        };
        if let Content::Figure { draw, aspect, .. } = &choice.content {
            self.settings.show(ui, &mut open.width_mm, *aspect);
            let key = PreviewKey { chosen: open.chosen, width_mm: open.width_mm, theme: theme_name };
            if open.preview.as_ref().is_none_or(|preview| preview.0 != key) {
                self.version += 1;
                open.preview = Some((key, draw(size(open.width_mm, *aspect), &FigureTheme::of(theme_name))));
            }
            if let Some((_, scene)) = &open.preview {
                preview(&mut self.painter, ui, scene, self.version);
            }
        }
        if let Content::Network(_) = choice.content {
            self.settings.show_network(ui);
        }
        self.save(open, &choice, ui, actions)
    }

    /// Path and buttons; whether the dialog is done.
    fn save(&mut self, open: &mut Open, choice: &Choice, ui: &mut Ui, actions: &mut Vec<Action>) -> bool {
        ui.add_space(theme::SMALL);
        let format = match choice.content {
            Content::Figure { .. } => self.settings.format,
            Content::Table(_) => ExportFormat::Tsv,
            Content::Network(_) => ExportFormat::Network(self.settings.network),
        };
        let hint = format!("File to write, such as {}.{}", choice.name, format.extension());
        let field = ui.add(TextEdit::singleline(&mut open.path).hint_text(hint).desired_width(f32::INFINITY));
        field.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::TextInput, true, "Path of the file"));
        let typed = Some(open.path.trim()).filter(|path| !path.is_empty()).map(|path| with_ending(path, format));
        if let Some(path) = typed.as_ref().filter(|path| path.exists()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            ui.label(RichText::new(format!("{name} exists and will be replaced")).color(theme::colours(ui).warning));
        }
        let mut done = false;
        ui.horizontal_wrapped(|ui| {
            let content = || match (&choice.content, &open.preview) {
                (Content::Figure { metadata, .. }, Some((_, scene))) => {
                    Some(ExportContent::Figure(Arc::new(scene.clone()), metadata.clone()))
                }
                (Content::Figure { .. }, None) => None,
                (Content::Table(table), _) => Some(table.clone()),
                (Content::Network(parts), _) => Some(ExportContent::Network(parts.clone())),
            };
            let request = |path: Option<PathBuf>| {
                let (name, width_mm, dpi) = (choice.name.clone(), open.width_mm, self.settings.dpi);
                Some(Action::Export(ExportRequest { name, content: content()?, format, width_mm, dpi, path }))
            };
            let why_not = "Type a path, or choose where to save";
            let save = ui.add_enabled(typed.is_some(), egui::Button::new("Save")).on_disabled_hover_text(why_not);
            if save.clicked() {
                actions.extend(request(typed.clone()));
                done = true;
            }
            if ui.button("Choose where…").clicked() {
                actions.extend(request(None));
                done = true;
            }
            done |= ui.button("Cancel").clicked();
        });
        done
    }
}

/// What is exported: buttons for a few choices, a list for many.
fn choose(ui: &mut Ui, choices: &[Choice], chosen: &mut usize) {
    if choices.len() <= FEW {
        for (at, choice) in choices.iter().enumerate() {
            ui.radio_value(chosen, at, &choice.label);
        }
        return;
    }
    let selected = choices.get(*chosen).map_or("", |choice| choice.label.as_str());
    let combo = egui::ComboBox::from_id_salt("export choice").width(ui.available_width().min(360.0));
    let response = combo.height(320.0).selected_text(selected).show_ui(ui, |ui| {
        for (at, choice) in choices.iter().enumerate() {
            ui.selectable_value(chosen, at, &choice.label);
        }
    });
    let label = format!("What to export: {selected}");
    response.response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::ComboBox, true, &label));
}

impl Settings {
    /// Formats of network files, each with what it carries.
    fn show_network(&mut self, ui: &mut Ui) {
        for (format, hint) in [
            (NetworkFormat::Cx2, "Attributes, positions, colours, sizes, signs as arrows; opens in Cytoscape"),
            (NetworkFormat::Gexf, "Attributes, positions, colours and sizes; opens in Gephi"),
            (NetworkFormat::GraphMl, "Attributes and positions; for networkx, igraph, yEd and others"),
            (NetworkFormat::Json, "Attributes and positions; for networkx and D3"),
            (NetworkFormat::Dot, "Attributes, positions and colours; drawn by neato -n"),
            (NetworkFormat::Sif, "Regulator, sign and target only"),
            (NetworkFormat::Table, "One line per edge, with attributes of edges"),
        ] {
            ui.radio_value(&mut self.network, format, format.label()).on_hover_text(hint);
        }
        let text = "The edges shown, with statistics of their genes, shifts, and what the reference network knows";
        ui.label(RichText::new(text).small().color(theme::colours(ui).text_weak));
    }

    fn show(&mut self, ui: &mut Ui, width_mm: &mut f32, aspect: f32) {
        Grid::new("export settings").num_columns(2).spacing([theme::LARGE, theme::MEDIUM]).show(ui, |ui| {
            ui.label("Format");
            ui.horizontal_wrapped(|ui| {
                for (format, text, hint) in [
                    (ExportFormat::Svg, "SVG", "Scalable; text stays text, layers are named"),
                    (ExportFormat::Pdf, "PDF", "Scalable, for print; fonts embedded"),
                    (ExportFormat::Png, "PNG", "Pixels"),
                ] {
                    ui.selectable_value(&mut self.format, format, text).on_hover_text(hint);
                }
            });
            ui.end_row();
            ui.label("Width");
            ui.horizontal_wrapped(|ui| {
                let field =
                    ui.add(DragValue::new(width_mm).range(20.0..=500.0).speed(0.5).fixed_decimals(0).suffix(" mm"));
                field.widget_info(|| {
                    WidgetInfo::labeled(egui::accesskit::Role::SpinButton, true, "Width in millimetres")
                });
                for (text, width) in [("One column", 89.0), ("Two columns", 183.0)] {
                    if ui.small_button(text).on_hover_text(format!("{width} mm")).clicked() {
                        *width_mm = width;
                    }
                }
            });
            ui.end_row();
            if self.format == ExportFormat::Png {
                ui.label("Resolution");
                ui.horizontal_wrapped(|ui| {
                    let field =
                        ui.add(DragValue::new(&mut self.dpi).range(72.0..=1200.0).fixed_decimals(0).suffix(" DPI"));
                    field.widget_info(|| {
                        WidgetInfo::labeled(egui::accesskit::Role::SpinButton, true, "Resolution in DPI")
                    });
                    let pixels = *width_mm / 25.4 * self.dpi;
                    ui.label(format!("{:.0} × {:.0} pixels", pixels, pixels / aspect));
                });
                ui.end_row();
            }
            ui.label("Colours");
            ui.horizontal_wrapped(|ui| {
                ui.selectable_value(&mut self.for_print, false, "As on the screen");
                ui.selectable_value(&mut self.for_print, true, "For print").on_hover_text("Black on white");
            });
            ui.end_row();
        });
    }
}

impl Content {
    fn width(&self) -> f32 {
        match self {
            Self::Figure { width_mm, .. } => *width_mm,
            Self::Table(_) | Self::Network(_) => 89.0,
        }
    }
}

/// Size in points of a figure so many millimetres wide.
fn size(width_mm: f32, aspect: f32) -> [f32; 2] {
    let width = width_mm * POINTS_PER_MM;
    [width, width / aspect.max(0.05)]
}

/// `path` with the ending of `format`, unless it has it.
fn with_ending(path: &str, format: ExportFormat) -> PathBuf {
    let path = PathBuf::from(path);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if ending.eq_ignore_ascii_case(format.extension()) {
        return path;
    }
    let mut name = path.into_os_string();
    name.push(".");
    name.push(format.extension());
    PathBuf::from(name)
}

fn preview(painter: &mut ScenePainter, ui: &mut Ui, scene: &Scene, version: u64) {
    ui.add_space(theme::SMALL);
    let most = vec2(ui.available_width(), (ui.ctx().content_rect().height() - 330.0).clamp(60.0, 260.0));
    let scale = (most.x / scene.size[0]).min(most.y / scene.size[1]);
    let shown = Vec2::from(scene.size) * scale;
    ui.vertical_centered(|ui| {
        let (rect, response) = ui.allocate_exact_size(shown, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Image, true, "Preview of the figure"));
        painter.paint(&ui.painter_at(rect), scene, version, Placement::fit(scene.size, rect));
        let line = egui::Stroke::new(1.0, theme::colours(ui).line);
        ui.painter().rect_stroke(rect, 0.0, line, egui::StrokeKind::Outside);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_gets_the_ending_of_its_format_once() {
        let ending = |path: &str, format| with_ending(path, format).to_string_lossy().into_owned();
        assert_eq!(ending("a/net", ExportFormat::Svg), "a/net.svg");
        assert_eq!(ending("a/net.SVG", ExportFormat::Svg), "a/net.SVG");
        assert_eq!(ending("a/JAK2.0", ExportFormat::Pdf), "a/JAK2.0.pdf");
    }

    #[test]
    fn one_inch_is_72_points() {
        assert_eq!(size(25.4, 2.0), [72.0, 36.0]);
    }
}
