//! Tables of genes and of edges, linked both ways with the network and the plots: what is selected there is marked here and
//! scrolled into view, and a click on a row selects.

mod edges;
mod genes;
mod linked;

use egui::{RichText, TextEdit, Ui, WidgetInfo};

pub use edges::EdgeTable;
pub use genes::GeneTable;

use super::network::Shown;
use crate::app::state::{State, TableKind};
use crate::app::{Action, ExportContent, ExportFormat, ExportRequest, TableMaker, theme};
use crate::words::{counted, grouped};

/// Both tables, one of which is seen.
#[derive(Default)]
pub struct TablesView {
    shown: Option<Shown>,
    genes: GeneTable,
    edges: EdgeTable,
}

/// Draw the table that is asked for into all of `ui`.
pub fn show(view: &mut TablesView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let (Some(kind), Some(network)) = (state.view.table, state.network()) else { return };
    let filter = &state.document.filter;
    if !view.shown.as_ref().is_some_and(|shown| shown.is_current(network, filter)) {
        view.shown = Some(Shown::of(network, filter));
        view.genes.forget();
        view.edges.forget();
    }
    let Some(shown) = &view.shown else { return };
    match kind {
        TableKind::Genes => view.genes.show(ui, shown, state, actions),
        TableKind::Edges => view.edges.show(ui, shown, state, actions),
    }
}

/// The choice between the tables, for the line above them.
fn kinds(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(now) = state.view.table else { return };
    for (kind, text) in [(TableKind::Genes, "Genes"), (TableKind::Edges, "Edges")] {
        let choice = ui.selectable_label(now == kind, text);
        choice.widget_info(|| {
            WidgetInfo::selected(egui::Role::Tab, true, now == kind, format!("Table of {}", text.to_lowercase()))
        });
        if choice.clicked() {
            actions.push(Action::ShowTable(Some(kind)));
        }
    }
}

/// The field that filters rows by text.
fn filter_field(ui: &mut Ui, text: &mut String, label: &str, width: f32) {
    let field = ui.add(TextEdit::singleline(text).hint_text(label).desired_width(width.max(60.0)));
    field.widget_info(|| WidgetInfo::labeled(egui::Role::TextInput, true, label));
}

/// `48 rows`, or `48 of 300 rows`.
fn row_count(ui: &mut Ui, rows: usize, of: usize, what: &str) {
    let text = if rows == of { counted(rows, what) } else { format!("{} of {}", grouped(rows), counted(of, what)) };
    ui.add(egui::Label::new(RichText::new(text).small().color(theme::colours(ui).text_weak)).truncate());
}

/// A button that writes the table.
fn save_button(ui: &mut Ui, what: &str) -> bool {
    let button = ui.button("Save…");
    button.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Save the table of {what}…")));
    button.on_hover_text("Save these rows as a table (TSV)").clicked()
}

pub(super) fn save(name: &str, make: impl Fn() -> String + Send + Sync + 'static) -> Action {
    Action::Export(ExportRequest {
        name: name.to_owned(),
        content: ExportContent::Made(TableMaker(std::sync::Arc::new(make))),
        format: ExportFormat::Tsv,
        width_mm: 0.0,
        dpi: 0.0,
        path: None,
    })
}
