//! Tables of genes and of edges, linked both ways with the network and the plots: what is selected there is marked here and
//! scrolled into view, and a click on a row selects. Beside them the gene sets of the selection, and the notes.

mod edges;
mod genes;
pub(in crate::app::views) mod linked;
mod notes;
mod sets;

use std::sync::Arc;

use egui::{RichText, TextEdit, Ui, WidgetInfo};

pub use edges::EdgeTable;
pub(in crate::app::views) use edges::{sign_colour, sign_word};
pub use genes::GeneTable;
pub use notes::NoteTable;
pub use sets::SetTable;

use super::network::Shown;
use crate::app::state::{State, TableKind};
use crate::app::{Action, ExportContent, ExportFormat, ExportRequest, TableMaker, theme};
use crate::words::{counted, grouped};

/// All tables, one of which is seen.
#[derive(Default)]
pub struct TablesView {
    shown: Option<Arc<Shown>>,
    genes: GeneTable,
    edges: EdgeTable,
    sets: SetTable,
    notes: NoteTable,
}

/// Draw the table that is asked for into all of `ui`.
pub fn show(view: &mut TablesView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let (Some(kind), Some(network)) = (state.view.table, state.network()) else { return };
    let Some(shown) = &state.shown() else { return };
    if !view.shown.as_ref().is_some_and(|known| Arc::ptr_eq(known, shown)) {
        view.shown = Some(shown.clone());
        view.genes.forget();
        view.edges.forget();
    }
    match kind {
        TableKind::Genes => view.genes.show(ui, shown, true, state, actions),
        TableKind::Edges => view.edges.show(ui, shown, state, actions),
        TableKind::GeneSets => view.sets.show(ui, network, state, actions),
        TableKind::Notes => view.notes.show(ui, network, state, actions),
    }
}

/// What the line above a table says.
struct Head {
    /// One of what it lists.
    what: &'static str,
    rows: usize,
    /// Rows without any filter.
    total: usize,
    /// Below the network, beside the other table; not alone in the side panel.
    docked: bool,
}

/// The choice between the tables.
fn kinds(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(now) = state.view.table else { return };
    let all = [
        (TableKind::Genes, "Genes"),
        (TableKind::Edges, "Edges"),
        (TableKind::GeneSets, "Gene sets"),
        (TableKind::Notes, "Notes"),
    ];
    for (kind, name) in all {
        let choice = ui.selectable_label(now == kind, name);
        let label = format!("Table of {}", name.to_lowercase());
        choice.widget_info(|| WidgetInfo::selected(egui::Role::Tab, true, now == kind, &label));
        if choice.clicked() {
            actions.push(Action::ShowTable(Some(kind)));
        }
    }
}

/// The field that filters rows by text.
pub(super) fn filter_field(ui: &mut Ui, text: &mut String, label: &str, width: f32) {
    let field = ui.add(TextEdit::singleline(text).hint_text(label).desired_width(width.max(60.0)));
    field.widget_info(|| WidgetInfo::labeled(egui::Role::TextInput, true, label));
}

/// A button that writes the table.
pub(super) fn save_button(ui: &mut Ui, what: &str) -> bool {
    let button = ui.button("Save…");
    button.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Save the table of {what}…")));
    button.on_hover_text("Save these rows as a table (TSV)").clicked()
}

/// Below this width there are two lines above a table, in points.
const ONE_LINE: f32 = 760.0;

/// The line above a table: which table, the filters of its rows, how many there are, and a button to save them; whether
/// that was clicked.
fn head(
    ui: &mut Ui,
    text: &mut String,
    only_shown: &mut bool,
    head: Head,
    state: &State,
    actions: &mut Vec<Action>,
) -> bool {
    let Head { what, rows, total, docked } = head;
    let wide = docked && ui.available_width() >= ONE_LINE;
    let mut save = false;
    let mut switches = |ui: &mut Ui| {
        let hint = format!("Only {what}s that pass the filters of the network; else all it has");
        ui.checkbox(only_shown, "Shown only").on_hover_text(hint);
        let text =
            if rows == total { counted(rows, what) } else { format!("{} of {}", grouped(rows), counted(total, what)) };
        ui.add(egui::Label::new(RichText::new(text).small().color(theme::colours(ui).text_weak)).truncate());
    };
    let mut finding = |ui: &mut Ui| {
        let room = if wide { 200.0 } else { ui.available_width() - 76.0 };
        filter_field(ui, text, &format!("Filter the {what}s"), room.min(240.0));
        save = save_button(ui, &format!("{what}s"));
    };
    ui.horizontal(|ui| {
        if docked {
            kinds(ui, state, actions);
        }
        if wide || !docked {
            finding(ui);
        }
        if docked {
            switches(ui);
        }
    });
    if !wide {
        ui.horizontal(|ui| if docked { finding(ui) } else { switches(ui) });
    }
    save
}

pub(super) fn save(name: &str, make: impl Fn() -> String + Send + Sync + 'static) -> Action {
    Action::Export(ExportRequest {
        name: name.to_owned(),
        content: ExportContent::Made(TableMaker(Arc::new(make))),
        format: ExportFormat::Tsv,
        width_mm: 0.0,
        dpi: 0.0,
        path: None,
    })
}
