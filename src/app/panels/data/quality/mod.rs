//! Quality of the cells: how each metric is spread, which cells lie beyond the limits, and where there are more of them.

mod export;
mod groups;
mod limits;
mod plots;

use std::sync::Arc;

use egui::{Frame, ScrollArea, Ui};

use crate::app::action::Action;
use crate::app::findings::QualityFinding;
use crate::app::state::State;
use crate::app::theme;
use crate::app::views::export::ExportDialog;
use crate::app::widgets::{FigureWidget, Sort, empty_page};
use crate::tasks::quality::Quality;

/// Wider than this, the limits stand beside the plots.
const TWO_COLUMNS: f32 = 860.0;

/// What the view keeps for itself.
pub(super) struct QualityView {
    histograms: [FigureWidget; 5],
    cells: FigureWidget,
    doublets: FigureWidget,
    groups: groups::GroupsTable,
    export: ExportDialog,
    /// What the plots were drawn for, numbered so that another result never looks the same.
    drawn: Option<(Arc<Quality>, u64)>,
}

impl Default for QualityView {
    fn default() -> Self {
        Self {
            histograms: Default::default(),
            cells: FigureWidget::default(),
            doublets: FigureWidget::default(),
            groups: groups::GroupsTable { batches: false, sort: Sort::falling(groups::Key::Share) },
            export: ExportDialog::default(),
            drawn: None,
        }
    }
}

/// Draw it.
pub(super) fn show(view: &mut QualityView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let quality = match &state.runtime.findings.quality {
        QualityFinding::Ready(quality) => quality.clone(),
        QualityFinding::None => {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label("Measuring the cells…");
            });
            return;
        }
        QualityFinding::NoCounts => {
            let text = "Quality is judged by counts, but the matrix that was read holds none. Choose another matrix on the \
                        import page, if the file has one";
            empty_page(ui, "No counts, no quality control", text, &[]);
            return;
        }
        QualityFinding::Failed(reason) => {
            empty_page(ui, "The quality could not be measured", reason, &[]);
            return;
        }
    };
    let version = match &view.drawn {
        Some((drawn, version)) if Arc::ptr_eq(drawn, &quality) => *version,
        Some((_, version)) => version + 1,
        None => 0,
    };
    view.drawn = Some((quality.clone(), version));
    let doublets = state.runtime.findings.doublets.known();
    if ui.available_width() < TWO_COLUMNS {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.set_max_width(ui.available_width() - theme::MEDIUM);
            limits::show(&mut view.export, ui, &quality, state, actions);
            plots::show(view, ui, &quality, doublets, version);
            let size = egui::vec2(ui.available_width(), 320.0);
            ui.allocate_ui(size, |ui| groups::show(&mut view.groups, ui, &quality, state, actions));
        });
    } else {
        let width = (ui.available_width() * 0.4).clamp(430.0, 500.0);
        let panel = egui::Panel::left("quality limits").exact_size(width).resizable(false).frame(Frame::NONE);
        panel.show_separator_line(false).show(ui, |ui| {
            ui.set_max_width(ui.available_width() - theme::LARGE);
            limits::show(&mut view.export, ui, &quality, state, actions);
            groups::show(&mut view.groups, ui, &quality, state, actions);
        });
        let frame = Frame::new().inner_margin(egui::Margin { left: 8, ..egui::Margin::ZERO });
        egui::CentralPanel::no_frame().frame(frame).show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                ui.set_max_width(ui.available_width() - theme::MEDIUM);
                plots::show(view, ui, &quality, doublets, version);
            });
        });
    }
    view.export.show(ui.ctx(), state, actions);
}
