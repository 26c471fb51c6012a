//! Methods × metrics.

use egui::{Align, Layout, RichText, ScrollArea, Ui};
use egui_extras::{Column, TableBuilder};

use crate::app::theme;
use crate::evaluation::effects::{METRICS, Metric};
use crate::tasks::report::{Judged, JudgedMethod, methods};

/// Width of a column of numbers, and of the names.
const NUMBER: f32 = 94.0;
const NAME: f32 = 232.0;

/// The table, and which numbers it shows.
#[derive(Default)]
pub(super) struct FitTable {
    scaled: bool,
}

impl FitTable {
    /// Draw it.
    pub(super) fn show(&mut self, ui: &mut Ui, judged: &[Judged]) {
        let report = &judged[0].report;
        ui.horizontal(|ui| {
            ui.selectable_value(&mut self.scaled, false, "Values");
            let hint = report.definition("scaled");
            ui.selectable_value(&mut self.scaled, true, "On the scale").on_hover_text(hint);
            let weak = theme::colours(ui).text_weak;
            ui.label(
                RichText::new("Point at a name or a number for more; the best of each column stands out")
                    .small()
                    .color(weak),
            );
        });
        ui.add_space(theme::SMALL);
        let rows = methods(judged);
        let scaled = self.scaled;
        let shown: Vec<&Metric> = METRICS
            .iter()
            .filter(|metric| !scaled || rows.iter().any(|row| row.method.scaled.contains_key(metric.key)))
            .collect();
        let ceiling = report.fits.ceiling.as_ref();
        let count = rows.len() + usize::from(ceiling.is_some());
        let height = (count as f32 + 1.0) * (theme::ROW_HEIGHT + 4.0) + 34.0;
        ScrollArea::horizontal().id_salt("fit").max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            TableBuilder::new(ui)
                .id_salt("fit table")
                .striped(true)
                .vscroll(false)
                .cell_layout(Layout::left_to_right(Align::Center))
                .column(Column::exact(NAME).clip(true))
                .columns(Column::exact(NUMBER), shown.len())
                .header(theme::ROW_HEIGHT + 16.0, |mut header| {
                    header.col(|_| {});
                    for metric in &shown {
                        header.col(|ui| {
                            let arrow = if metric.higher_is_better { "↑" } else { "↓" };
                            let text = RichText::new(format!("{} {arrow}", report.label(metric.key))).small().strong();
                            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                                ui.add(egui::Label::new(text).wrap().halign(Align::Max))
                                    .on_hover_text(report.definition(metric.key));
                            });
                        });
                    }
                })
                .body(|body| {
                    body.rows(theme::ROW_HEIGHT + 2.0, count, |mut row| {
                        let at = row.index();
                        match rows.get(at) {
                            Some(one) => {
                                row.col(|ui| name(ui, &one.name, &one.method.definition, !one.method.baseline));
                                for metric in &shown {
                                    row.col(|ui| number(ui, one, &rows, metric, scaled));
                                }
                            }
                            None => {
                                row.col(|ui| name(ui, "Split-half replicate", report.definition("ceiling"), false));
                                for metric in &shown {
                                    let value = if scaled {
                                        Some(1.0)
                                    } else {
                                        ceiling.and_then(|found| (metric.value)(&found.effects))
                                    };
                                    row.col(|ui| _ = right(ui, RichText::new(text(value, scaled)).italics()));
                                }
                            }
                        }
                    });
                });
        });
    }
}

fn name(ui: &mut Ui, name: &str, definition: &str, strong: bool) {
    let text = RichText::new(name);
    let text = if strong { text.strong() } else { text };
    ui.add(egui::Label::new(text).truncate()).on_hover_text(definition);
}

fn text(value: Option<f64>, scaled: bool) -> String {
    let digits = if scaled { 2 } else { 3 };
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}").replace('-', "−"))
}

fn right(ui: &mut Ui, text: RichText) -> egui::Response {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(text)).inner
}

fn number(ui: &mut Ui, one: &JudgedMethod<'_>, all: &[JudgedMethod<'_>], metric: &Metric, scaled: bool) {
    let of = |one: &JudgedMethod<'_>| match scaled {
        true => one.method.scaled.get(metric.key).copied(),
        false => (metric.value)(&one.method.effects),
    };
    let value = of(one);
    let sign = if scaled || metric.higher_is_better { 1.0 } else { -1.0 };
    let best = all.iter().filter(|one| one.covers_all).filter_map(of).max_by(|a, b| (sign * a).total_cmp(&(sign * b)));
    let told = RichText::new(text(value, scaled));
    let told = if value.is_some() && value == best && one.covers_all { told.strong() } else { told };
    let response = right(ui, told);
    let interval = one.method.intervals.get(metric.key).filter(|_| !scaled);
    if let Some(interval) = interval {
        response.on_hover_text(format!(
            "95 % interval over perturbations: {} … {}\n{} perturbations",
            text(Some(interval.low), false),
            text(Some(interval.high), false),
            one.method.effects.perturbations
        ));
    }
}
