//! The figure for the paper: its panels and sizes, and how it will look.

use std::sync::Arc;

use egui::{ComboBox, DragValue, Frame, RichText, ScrollArea, Sense, Ui, Vec2, WidgetInfo, vec2};

use crate::app::action::{Action, ExportContent, ExportFormat, ExportRequest};
use crate::app::state::{PageDrawing, State};
use crate::app::theme;
use crate::app::views::response::{shift_choices, size_choices};
use crate::app::widgets::{Placement, ScenePainter, empty_page};
use crate::document::{COLUMN_WIDTHS, FigurePage, PagePanel};
use crate::figures::ThemeName;
use crate::tasks::figure::Page;
use crate::tasks::methods;

/// Width of the settings.
const SETTINGS: f32 = 350.0;
/// Narrower pages have the settings above the figure.
const TWO_COLUMNS: f32 = 720.0;
/// Pixels per inch of a PNG: what journals ask for.
const DPI: f32 = 300.0;
const COLUMNS: [(usize, &str); 3] = [(1, "1"), (2, "2"), (3, "3")];
const THEMES: [(ThemeName, &str); 3] =
    [(ThemeName::Paper, "Paper"), (ThemeName::Light, "Light"), (ThemeName::Dark, "Dark")];

/// What the page keeps for itself.
#[derive(Default)]
pub(in crate::app) struct FigureSettings {
    painter: ScenePainter,
    drawn: Option<Arc<Page>>,
    version: u64,
}

/// Draw the page.
pub(in crate::app) fn show(view: &mut FigureSettings, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if state.runtime.model.is_none() && state.runtime.network_file.is_none() {
        let text = "A figure of network and response needs a model: open one, or train one on the open data set";
        if empty_page(ui, "No figure yet", text, &["Open a model…"]).is_some() {
            actions.push(Action::AskOpen);
        }
        return;
    }
    if ui.available_width() < TWO_COLUMNS {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            settings(ui, state, actions);
            ui.add_space(theme::LARGE);
            let width = ui.available_width();
            drawing(view, ui, state, vec2(width, width * 1.3));
        });
        return;
    }
    let panel = egui::Panel::left("figure settings").exact_size(SETTINGS).resizable(false).frame(Frame::NONE);
    panel.show_separator_line(false).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.set_max_width(ui.available_width() - theme::LARGE);
            settings(ui, state, actions);
        });
    });
    egui::CentralPanel::no_frame().show(ui, |ui| {
        let room = ui.available_size() - vec2(0.0, 8.0);
        drawing(view, ui, state, room);
    });
}

fn settings(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let mut page = state.document.page.clone();
    ui.label(RichText::new("Figure").heading());
    ui.add_space(theme::SMALL);
    panels(ui, &mut page);
    ui.add_space(theme::MEDIUM);
    perturbation(ui, &mut page, state);
    ui.add_space(theme::MEDIUM);
    if let Some(model) = state.runtime.model.as_ref().filter(|_| page.panels.contains(&PagePanel::HeatMap)) {
        ui.label(RichText::new("Heat map").strong());
        ui.horizontal(|ui| shift_choices(ui, &mut page.heat_map));
        let all = [model.predicted().perturbations.len(), model.card().genes.len()];
        ui.horizontal(|ui| size_choices(ui, &mut page.heat_map, all));
        ui.add_space(theme::MEDIUM);
    }
    let weak = theme::colours(ui).text_weak;
    egui::Grid::new("figure sizes").num_columns(2).spacing([theme::LARGE, theme::MEDIUM]).show(ui, |ui| {
        ui.label("Beside each other");
        ui.horizontal(|ui| {
            for (columns, text) in COLUMNS {
                let value = ui.selectable_value(&mut page.columns, columns, text);
                value.widget_info(|| {
                    WidgetInfo::selected(
                        egui::Role::RadioButton,
                        true,
                        page.columns == columns,
                        format!("{text} beside each other"),
                    )
                });
            }
        });
        ui.end_row();
        ui.label("Width");
        ui.vertical(|ui| {
            let field =
                DragValue::new(&mut page.width_mm).range(20.0..=500.0).speed(0.5).fixed_decimals(0).suffix(" mm");
            let field = ui.add(field);
            field.widget_info(|| WidgetInfo::labeled(egui::Role::SpinButton, true, "Width in millimetres"));
            ui.horizontal(|ui| {
                for (text, width) in [("One column", COLUMN_WIDTHS[0]), ("Two columns", COLUMN_WIDTHS[1])] {
                    if ui.small_button(text).on_hover_text(format!("{width} mm")).clicked() {
                        page.width_mm = width;
                    }
                }
            });
        });
        ui.end_row();
        ui.label("Text");
        let field = DragValue::new(&mut page.text_size).range(4.0..=20.0).speed(0.1).fixed_decimals(1).suffix(" pt");
        let field = ui.add(field).on_hover_text("Journals ask for 5 to 7 points");
        field.widget_info(|| WidgetInfo::labeled(egui::Role::SpinButton, true, "Text size in points"));
        ui.end_row();
        ui.label("Colours");
        ui.horizontal(|ui| {
            for (name, text) in THEMES {
                ui.selectable_value(&mut page.theme, name, text);
            }
        });
        ui.end_row();
    });
    if page != state.document.page {
        actions.push(Action::SetPage(Box::new(page)));
    }
    ui.add_space(theme::MEDIUM);
    export(ui, state, actions);
    ui.add_space(theme::MEDIUM);
    if let Some(model) = &state.runtime.model {
        let button = ui.button("Copy methods");
        if button.on_hover_text("A paragraph for the methods section, with the exact settings").clicked() {
            ui.ctx().copy_text(methods::paragraph(model, Some(&state.document)));
        }
    }
    if let PageDrawing::Ready(drawn) = &state.runtime.page {
        for (panel, reason) in &drawn.left_out {
            ui.add_space(theme::SMALL);
            let text = format!("{} is left out: {reason}", panel.label());
            ui.add(egui::Label::new(RichText::new(text).color(weak)).wrap());
        }
    }
}

/// The panels in their order.
fn panels(ui: &mut Ui, page: &mut FigurePage) {
    ui.label(RichText::new("Panels").strong());
    let (mut swap, mut remove) = (None, None);
    let count = page.panels.len();
    for (at, panel) in page.panels.iter().enumerate() {
        ui.horizontal(|ui| {
            let letter = char::from(b'a' + (at % 26) as u8);
            ui.label(RichText::new(letter.to_string()).strong());
            let name = panel.label();
            let right = egui::Layout::right_to_left(egui::Align::Center);
            ui.label(name);
            ui.with_layout(right, |ui| {
                let button = |ui: &mut Ui, text: &str, label: String, enabled: bool| {
                    let button = ui.add_enabled(enabled, egui::Button::new(text).small());
                    button.widget_info(|| WidgetInfo::labeled(egui::Role::Button, enabled, &label));
                    button.on_hover_text(label).clicked()
                };
                if button(ui, "×", format!("Remove panel {letter}"), true) {
                    remove = Some(at);
                }
                if button(ui, "↓", format!("Move panel {letter} down"), at + 1 < count) {
                    swap = Some(at);
                }
                if button(ui, "↑", format!("Move panel {letter} up"), at > 0) {
                    swap = Some(at - 1);
                }
            });
        });
    }
    if let Some(at) = swap {
        page.panels.swap(at, at + 1);
    }
    if let Some(at) = remove {
        page.panels.remove(at);
    }
    ui.menu_button("Add a panel", |ui| {
        for panel in PagePanel::ALL {
            if ui.button(panel.label()).clicked() {
                page.panels.push(panel);
                ui.close();
            }
        }
    });
}

/// The perturbation of all panels that show one.
fn perturbation(ui: &mut Ui, page: &mut FigurePage, state: &State) {
    let Some(model) = &state.runtime.model else { return };
    let names = [model.observed_held_out(), model.observed_in_training()]
        .into_iter()
        .find(|table| !table.perturbations.is_empty())
        .map_or(&[][..], |table| &table.perturbations);
    let label = ui.label(RichText::new("Perturbation").strong());
    let shown = page.perturbation.clone().unwrap_or_else(|| "All, and the strongest".to_owned());
    let combo = ComboBox::from_id_salt("figure perturbation").width(ui.available_width().min(240.0)).height(320.0);
    let response = combo.selected_text(shown).show_ui(ui, |ui| {
        ui.selectable_value(&mut page.perturbation, None, "All, and the strongest");
        for name in names {
            ui.selectable_value(&mut page.perturbation, Some(name.clone()), name);
        }
    });
    response.response.labelled_by(label.id);
}

fn export(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let ready = match &state.runtime.page {
        PageDrawing::Ready(page) => Some(page),
        _ => None,
    };
    ui.horizontal_wrapped(|ui| {
        for (format, text) in
            [(ExportFormat::Pdf, "Save PDF…"), (ExportFormat::Svg, "Save SVG…"), (ExportFormat::Png, "Save PNG…")]
        {
            if ui.add_enabled(ready.is_some(), egui::Button::new(text)).clicked()
                && let Some(page) = ready
            {
                let content = ExportContent::Figure(Arc::new(page.scene.clone()), Box::new(page.metadata.clone()));
                let width_mm = state.document.page.width_mm;
                let name = "figure".to_owned();
                actions.push(Action::Export(ExportRequest { name, content, format, width_mm, dpi: DPI, path: None }));
            }
        }
    });
    let hint = "The saved session gives the same figure without a window: grn-explorer figure SESSION -o FILE";
    ui.add(egui::Label::new(RichText::new(hint).small().color(theme::colours(ui).text_weak)).wrap());
}

/// The page as large as it fits.
fn drawing(view: &mut FigureSettings, ui: &mut Ui, state: &State, room: Vec2) {
    let page = match &state.runtime.page {
        PageDrawing::Ready(page) => page,
        PageDrawing::Failed(reason) => {
            ui.label(RichText::new("The figure cannot be drawn").strong());
            ui.add(egui::Label::new(reason).wrap());
            return;
        }
        PageDrawing::None => {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label("Drawing…");
            });
            return;
        }
    };
    if !view.drawn.as_ref().is_some_and(|drawn| Arc::ptr_eq(drawn, page)) {
        view.drawn = Some(page.clone());
        view.version += 1;
    }
    let size = page.scene.size;
    let scale = (room.x / size[0]).min(room.y / size[1]).max(0.05);
    let (rect, response) = ui.allocate_exact_size(Vec2::from(size) * scale, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, "Figure page"));
    view.painter.paint(&ui.painter_at(rect), &page.scene, view.version, Placement::fit(size, rect));
    let line = egui::Stroke::new(1.0, theme::colours(ui).line);
    ui.painter().rect_stroke(rect, 0.0, line, egui::StrokeKind::Outside);
}
