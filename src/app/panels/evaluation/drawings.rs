//! The figures of the page.

use egui::{Frame, Margin, RichText, Ui, vec2};

use crate::app::theme;
use crate::app::views::network::theme as figure_theme;
use crate::app::widgets::FigureWidget;
use crate::tasks::report::{Judged, ReportFigure, figures};

/// Font size on the screen.
const TEXT_SIZE: f32 = 11.0;
/// Two figures stand beside each other from this width on.
const TWO: f32 = 760.0;

/// Figures as drawn last.
#[derive(Default)]
pub(super) struct Drawings {
    of: Option<u64>,
    figures: Vec<ReportFigure>,
    widgets: Vec<FigureWidget>,
}

impl Drawings {
    /// Draw the figures of what was `judged`, made anew when `version` is another.
    pub(super) fn show(&mut self, ui: &mut Ui, judged: &[Judged], version: u64) {
        if self.of != Some(version) {
            self.figures = figures(judged, TEXT_SIZE);
            self.widgets.clear();
            self.widgets.resize_with(self.figures.len(), FigureWidget::default);
            self.of = Some(version);
        }
        let all = ui.available_width();
        let half = if all >= TWO { (all - theme::LARGE) / 2.0 } else { all };
        let mut figures = self.figures.iter().zip(&mut self.widgets).peekable();
        while let Some((figure, widget)) = figures.next() {
            if figure.wide || half == all {
                card(ui, figure, widget, all, version);
            } else {
                let beside = figures.next_if(|(next, _)| !next.wide);
                ui.horizontal_top(|ui| {
                    card(ui, figure, widget, half, version);
                    if let Some((figure, widget)) = beside {
                        card(ui, figure, widget, half, version);
                    }
                });
            }
            ui.add_space(theme::MEDIUM);
        }
    }
}

fn card(ui: &mut Ui, figure: &ReportFigure, widget: &mut FigureWidget, width: f32, version: u64) {
    let colours = theme::colours(ui);
    let margin = 12;
    let frame = Frame::new().fill(colours.panel).corner_radius(6).inner_margin(Margin::same(margin));
    frame.show(ui, |ui| {
        let inside = width - 2.0 * f32::from(margin);
        ui.vertical(|ui| {
            ui.set_width(inside);
            ui.label(RichText::new(figure.title).strong());
            let height = figure.height.unwrap_or((inside / figure.aspect).min(380.0));
            widget.show(ui, vec2(inside, height), version, figure.title, |size, dark| {
                figure.figure.scene(size, &figure_theme(dark))
            });
            ui.add(egui::Label::new(RichText::new(&figure.caption).small().color(colours.text_weak)).wrap());
        });
    });
}
