//! Saving what the page shows.

use std::sync::Arc;

use egui::Ui;

use crate::app::action::{Action, ExportContent, ExportFormat, ExportRequest, TableMaker};
use crate::app::state::State;
use crate::app::views::export::{Choice, Content, Draw, ExportDialog, Exportable, PRINT_TEXT_SIZE, of_model};
use crate::figures::FigureMetadata;
use crate::tasks::report::{Judged, figures, html, tsv};

/// The buttons.
pub(super) fn buttons(
    dialog: &mut ExportDialog,
    ui: &mut Ui,
    judged: &[Judged],
    state: &State,
    actions: &mut Vec<Action>,
) {
    let hint = "A page with all tables, figures, definitions and settings that any browser opens";
    if ui.button("Save report…").on_hover_text(hint).clicked() {
        let all = state.runtime.evaluations.judged.clone();
        actions.push(request("evaluation", ExportFormat::Html, move || html(&all)));
    }
    let hint = "All numbers, for programs";
    if ui.button("Save numbers…").on_hover_text(hint).clicked() {
        let all = state.runtime.evaluations.judged.clone();
        actions.push(request("evaluation", ExportFormat::Json, move || {
            let reports: Vec<_> = all.iter().map(|one| &one.report).collect();
            serde_json::to_string_pretty(&reports).unwrap_or_default()
        }));
    }
    if ui.button("Export…").on_hover_text("One of the figures, or the table").clicked() {
        dialog.open(exportable(judged, state));
    }
}

fn request(name: &str, format: ExportFormat, make: impl Fn() -> String + Send + Sync + 'static) -> Action {
    Action::Export(ExportRequest {
        name: name.to_owned(),
        content: ExportContent::Made(TableMaker(Arc::new(make))),
        format,
        width_mm: 0.0,
        dpi: 0.0,
        path: None,
    })
}

fn exportable(judged: &[Judged], state: &State) -> Exportable {
    let mut result = Exportable::default();
    for figure in figures(judged, PRINT_TEXT_SIZE) {
        let metadata = of_model(FigureMetadata::new(figure.title.to_owned(), figure.caption.clone()), state);
        let drawn = figure.figure;
        let draw: Draw = Arc::new(move |size, theme| drawn.scene(size, theme).scene);
        let width_mm = if figure.wide { 183.0 } else { 89.0 };
        result.choices.push(Choice {
            label: figure.title.to_owned(),
            name: figure.key.to_owned(),
            content: Content::Figure { draw, aspect: figure.aspect, width_mm, metadata: Box::new(metadata) },
        });
    }
    let all = state.runtime.evaluations.judged.clone();
    result.add_table("Methods and metrics (table)".to_owned(), "evaluation", move || tsv(&all));
    result
}
