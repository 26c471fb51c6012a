//! The data page: what was opened, how it was read and why, and whether the perturbations worked.

mod differential;
mod effects;
mod facts;
mod guides;
pub(in crate::app) mod import;
mod model;
mod network;
mod quality;
mod table;

use std::sync::Arc;

use egui::{Frame, Margin, RichText, ScrollArea, Stroke, Ui};

use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::state::{DataSection, State, Tab};
use crate::app::theme;
use crate::app::widgets::Sort;
use crate::data::{Dataset, MatrixKind, Summary};

/// Wider than this, the table stands beside the facts.
const TWO_COLUMNS: f32 = 860.0;
/// Height of the table below the facts.
const TABLE_BELOW: f32 = 320.0;

/// What the page keeps for itself.
pub(in crate::app) struct DataPage {
    import: import::ImportForm,
    table: Sort<table::Key>,
    quality: quality::QualityView,
    differential: differential::DifferentialView,
    guides: guides::GuidesView,
}

impl Default for DataPage {
    fn default() -> Self {
        Self {
            import: import::ImportForm::default(),
            table: Sort::falling(table::Key::Cells),
            quality: quality::QualityView::default(),
            differential: differential::DifferentialView::default(),
            guides: guides::GuidesView::default(),
        }
    }
}

/// Draw the page; something is open.
pub(in crate::app) fn show(page: &mut DataPage, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let (Some(summary), true) = (&state.runtime.summary, state.runtime.dataset.is_some()) else {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            header(ui, state, actions);
            model::show(ui, state);
            network::show(ui, state);
        });
        return;
    };
    sections(ui, state, actions);
    match state.view.section {
        DataSection::Import => {}
        DataSection::Quality => return quality::show(&mut page.quality, ui, state, actions),
        DataSection::Guides => return guides::show(&mut page.guides, ui, state, actions),
        DataSection::Differential => return differential::show(&mut page.differential, ui, state, actions),
    }
    if ui.available_width() < TWO_COLUMNS {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            left(page, ui, state, actions);
            if page.import.is_changed() {
                import::show_preview(&mut page.import, ui, state, actions);
            }
            ui.add_space(theme::MEDIUM);
            ui.allocate_ui(egui::vec2(ui.available_width(), TABLE_BELOW), |ui| {
                perturbations(page, ui, summary, state, actions);
            });
        });
        return;
    }
    let width = (ui.available_width() * 0.46).min(560.0);
    egui::Panel::left("data facts")
        .exact_size(width)
        .resizable(false)
        .show_separator_line(false)
        .frame(Frame::NONE)
        .show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                // Room for the scroll bar.
                ui.set_max_width(ui.available_width() - theme::LARGE);
                left(page, ui, state, actions);
            });
        });
    egui::CentralPanel::no_frame().show(ui, |ui| {
        if page.import.is_changed() {
            import::show_preview(&mut page.import, ui, state, actions);
        }
        perturbations(page, ui, summary, state, actions);
    });
}

/// The table of all perturbations: of their cells, or of their effects where there are no cells.
fn perturbations(page: &mut DataPage, ui: &mut Ui, summary: &Summary, state: &State, actions: &mut Vec<Action>) {
    if summary.matrix_kind == MatrixKind::Effects {
        effects::show(ui, summary, state, actions);
    } else {
        table::show(&mut page.table, ui, summary, state, actions);
    }
}

/// The parts of the page.
fn sections(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SMALL;
        for (section, label, hint) in [
            (DataSection::Import, "Import", "How the file was read, and whether the perturbations worked"),
            (DataSection::Quality, "Quality", "Damaged cells, and where they are more frequent"),
            (DataSection::Guides, "Guides", "Which guides work, beside the others of their targets"),
            (DataSection::Differential, "Differential expression", "What each perturbation changes: volcano plot"),
        ] {
            let selected = state.view.section == section;
            if ui.selectable_label(selected, label).on_hover_text(hint).clicked() {
                actions.push(Action::ShowSection(section));
            }
        }
    });
    ui.add_space(theme::MEDIUM);
}

fn left(page: &mut DataPage, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    header(ui, state, actions);
    facts::show(ui, state);
    warnings(ui, state);
    import::show(&mut page.import, ui, state, actions);
    model::show(ui, state);
}

fn header(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let runtime = &state.runtime;
    let name = match (&runtime.dataset, &runtime.model) {
        (Some(dataset), _) => dataset.name().to_owned(),
        (None, Some(model)) => format!("Model of {}", model.card().dataset.name),
        (None, None) => runtime.network_file.as_ref().map(|file| format!("Network {}", file.name)).unwrap_or_default(),
    };
    ui.add(egui::Label::new(RichText::new(name).text_style(theme::title())).wrap());
    if let Some(file) = &state.document.sources.dataset {
        let path = RichText::new(file.path.display().to_string()).small().color(theme::colours(ui).text_weak);
        ui.add(egui::Label::new(path).truncate());
    }
    ui.add_space(theme::SMALL);
    ui.horizontal_wrapped(|ui| {
        let has_cells = |dataset: &Arc<Dataset>| dataset.matrix_kind() != MatrixKind::Effects;
        if runtime.dataset.as_ref().is_some_and(has_cells) {
            let text = if state.is_training() { "Show the training" } else { "Train a model…" };
            if ui.add(super::dialogs::primary_button(ui, text)).clicked() {
                actions.push(Action::SetTab(Tab::Training));
            }
        }
        if (runtime.model.is_some() || state.has_no_model()) && ui.button(Command::ShowNetwork.label()).clicked() {
            actions.push(Command::ShowNetwork.action(state));
        }
    });
    ui.add_space(theme::MEDIUM);
}

/// A titled group of facts.
pub(in crate::app) fn card<R>(ui: &mut Ui, title: &str, add: impl FnOnce(&mut Ui) -> R) -> R {
    let colours = theme::colours(ui);
    let frame = Frame::new()
        .fill(colours.card)
        .stroke(Stroke::new(1.0, colours.line))
        .corner_radius(theme::ROUNDING)
        .inner_margin(Margin::symmetric(14, 12))
        .outer_margin(Margin { bottom: 10, ..Margin::ZERO });
    frame
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            if !title.is_empty() {
                ui.label(RichText::new(title).heading());
                ui.add_space(theme::SMALL);
            }
            add(ui)
        })
        .inner
}

fn warnings(ui: &mut Ui, state: &State) {
    let Some(dataset) = &state.runtime.dataset else { return };
    if dataset.warnings().is_empty() {
        return;
    }
    card(ui, "Worth knowing", |ui| {
        for warning in dataset.warnings() {
            ui.horizontal_top(|ui| {
                ui.label(RichText::new("▲").color(theme::colours(ui).warning));
                ui.add(egui::Label::new(&warning.message).wrap());
            });
        }
    });
}
