//! What moves the selected gene: every perturbation of the screen, by its measured and by its predicted shift.

use std::sync::Arc;

use egui::{RichText, Ui, WidgetInfo};

use crate::app::views::export::{Choice, Content, ExportDialog, Exportable, PRINT_TEXT_SIZE, of_model};
use crate::app::widgets::{shift_bar, signed};
use crate::app::{Action, ExportContent, State, TableMaker, theme};
use crate::figures::{Figure, FigureMetadata};
use crate::models::TrainedModel;
use crate::tasks::movers::{self, Mover};
use crate::words::{counted, grouped};

/// Rows shown before the user asks for all.
const FEW: usize = 6;

/// What this section keeps for itself.
#[derive(Default)]
pub(super) struct Movers {
    of: Option<(Arc<TrainedModel>, String)>,
    list: Vec<Mover>,
    all: bool,
    export: ExportDialog,
}

/// The plot and the table of what moves `gene`.
fn exportable(model: &Arc<TrainedModel>, gene: &str, state: &State) -> Exportable {
    let mut exportable = Exportable::default();
    if let Ok(figure) = movers::figure(model, gene, &state.document.selection, PRINT_TEXT_SIZE) {
        let metadata = FigureMetadata::new(figure.title.clone(), movers::describe(gene)).with("gene", gene);
        exportable.choices.push(Choice {
            label: "Perturbations that move it most".to_owned(),
            name: format!("what-moves-{gene}"),
            content: Content::Figure {
                draw: Arc::new(move |size, theme| figure.scene(size, theme).scene),
                aspect: 0.9,
                width_mm: 89.0,
                metadata: Box::new(of_model(metadata, state)),
            },
        });
    }
    let (model, of) = (model.clone(), gene.to_owned());
    let table = TableMaker(Arc::new(move || movers::table(&model, &of)));
    exportable.choices.push(Choice {
        label: "All perturbations (table)".to_owned(),
        name: format!("what-moves-{gene}"),
        content: Content::Table(ExportContent::Made(table)),
    });
    exportable
}

/// Draw it.
pub(super) fn show(
    view: &mut Movers,
    ui: &mut Ui,
    model: &Arc<TrainedModel>,
    gene: &str,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let is_known = |(of, about): &(Arc<TrainedModel>, String)| Arc::ptr_eq(of, model) && about == gene;
    if !view.of.as_ref().is_some_and(is_known) {
        view.list = movers::movers(model, gene);
        view.of = Some((model.clone(), gene.to_owned()));
        view.all = false;
    }
    ui.add_space(theme::MEDIUM);
    ui.horizontal_wrapped(|ui| {
        let title = ui.label(RichText::new(format!("What moves {gene}?")).strong());
        title.on_hover_text("Its shift (log2 against control) under each perturbation of the screen");
        if view.list.is_empty() {
            return;
        }
        let export = ui.small_button("Export…");
        let label = format!("Export what moves {gene}");
        export.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, &label));
        if export.on_hover_text("Save a plot or a table of these perturbations").clicked() {
            view.export.open(exportable(model, gene, state));
        }
    });
    view.export.show(ui.ctx(), state, actions);
    if view.list.is_empty() {
        ui.label(RichText::new("Its expression was not measured").color(theme::colours(ui).text_weak));
        return;
    }
    let shown = if view.all { view.list.len() } else { view.list.len().min(FEW) };
    let sizes = view.list.iter().flat_map(|mover| [mover.predicted, mover.measured.map(|measured| measured.shift)]);
    let largest = sizes.flatten().fold(0.0, |most: f32, shift| most.max(shift.abs()));
    egui::Grid::new("movers").num_columns(4).striped(true).spacing([theme::MEDIUM, 3.0]).show(ui, |ui| {
        let hints = [
            ("Perturbation", "Click to compare its whole response"),
            ("Pred.", "Predicted by the model"),
            ("Meas.", "Measured; weak where it is not significant (adjusted p 0.05, training cells)"),
            ("Bar, tick", "Bar: predicted shift. Tick: measured shift"),
        ];
        for (text, hint) in hints {
            ui.label(RichText::new(text).small().color(theme::colours(ui).text_weak)).on_hover_text(hint);
        }
        ui.end_row();
        for mover in &view.list[..shown] {
            row(ui, mover, largest, actions);
            ui.end_row();
        }
    });
    if view.list.len() > FEW {
        let text = if view.all { "Show fewer".to_owned() } else { format!("Show all {}", grouped(view.list.len())) };
        let button = ui.button(&text);
        button
            .widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, format!("{text} perturbations")));
        if button.clicked() {
            view.all = !view.all;
        }
    }
}

fn row(ui: &mut Ui, mover: &Mover, largest: f32, actions: &mut Vec<Action>) {
    let link = ui.link(&mover.perturbation);
    let label = format!("Moved by {}", mover.perturbation);
    link.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Link, true, &label));
    let mut hint = match mover.measured {
        Some(measured) => {
            format!("Measured over {} ({})", measured.over(), counted(measured.cells as usize, "cell"))
        }
        None => "Not measured".to_owned(),
    };
    if mover.own {
        hint.push_str("\nIt perturbs the gene itself: the shift is what was done, not what followed");
    }
    if link.on_hover_text(hint).clicked() {
        actions.push(Action::ShowPerturbation(Some(mover.perturbation.clone())));
    }
    ui.label(mover.predicted.map_or_else(|| "–".to_owned(), signed));
    let weak = theme::colours(ui).text_weak;
    match mover.measured {
        Some(measured) => {
            let text = RichText::new(signed(measured.shift));
            ui.label(if measured.significant == Some(false) { text.color(weak) } else { text });
        }
        None => _ = ui.label("–"),
    }
    ui.allocate_ui(egui::vec2(ui.available_width().clamp(40.0, 110.0), theme::ROW_HEIGHT - 8.0), |ui| {
        shift_bar(ui, mover.predicted, None, mover.measured.map(|measured| measured.shift), largest);
    });
}
