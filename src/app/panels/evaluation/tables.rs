//! The tables of the page below its figures.

use egui::{CollapsingHeader, Grid, Response, RichText, ScrollArea, Ui};

use crate::app::theme;
use crate::evaluation::report::{Definition, Report};
use crate::tasks::report::{Judged, ReportTable, baseline_called, tables};

/// Tables as made last.
#[derive(Default)]
pub(super) struct Tables {
    of: Option<u64>,
    /// With the name of the model where there are several.
    tables: Vec<(String, ReportTable)>,
}

impl Tables {
    /// Draw the tables of what was `judged`, made anew when `version` is another.
    pub(super) fn show(&mut self, ui: &mut Ui, judged: &[Judged], version: u64) {
        if self.of != Some(version) {
            let of = |one: &Judged| if judged.len() > 1 { format!(": {}", one.name) } else { String::new() };
            let all = judged.iter().flat_map(|one| tables(&one.report).into_iter().map(move |table| (of(one), table)));
            self.tables = all.collect();
            self.of = Some(version);
        }
        for (at, (of, table)) in self.tables.iter().enumerate() {
            let report = &judged[0].report;
            let title = RichText::new(format!("{}{of}", table.title)).strong();
            let header = CollapsingHeader::new(title).id_salt(("evaluation table", at)).default_open(!table.long);
            header.show(ui, |ui| grid(ui, at, table, report));
            ui.add_space(theme::SMALL);
        }
    }
}

/// What a metric is, to a reader who points at it.
fn explained(label: Response, report: &Report, is: impl Fn(&Definition) -> bool) {
    if let Some(known) = report.definitions.iter().find(|known| is(known)) {
        label.on_hover_text(&known.definition);
    }
}

fn grid(ui: &mut Ui, at: usize, table: &ReportTable, report: &Report) {
    ScrollArea::horizontal().id_salt(("evaluation rows", at)).auto_shrink([false, true]).show(ui, |ui| {
        Grid::new(("evaluation grid", at)).striped(true).spacing([theme::LARGE, theme::SMALL]).show(ui, |ui| {
            for head in &table.header {
                let title = ui.label(RichText::new(head.title).small().strong());
                explained(title, report, |known| known.metric == head.metric);
            }
            ui.end_row();
            for row in &table.rows {
                for (column, cell) in row.iter().enumerate() {
                    let label = ui.label(cell);
                    match baseline_called(cell) {
                        Some(definition) => _ = label.on_hover_text(definition),
                        None if column == 0 => explained(label, report, |known| known.label == *cell),
                        None => {}
                    }
                }
                ui.end_row();
            }
        });
    });
    if !table.note.is_empty() {
        ui.label(RichText::new(&table.note).small().color(theme::colours(ui).text_weak));
    }
}
