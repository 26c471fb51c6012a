//! All perturbations of a table of effects: their own value and the genes that they change most.

use egui::{Align, Label, Layout, RichText, Sense, Ui};
use egui_extras::{Column, TableBuilder};

use super::table::cell;
use crate::app::action::Action;
use crate::app::state::State;
use crate::app::theme;
use crate::app::widgets::signed;
use crate::data::Summary;
use crate::words::counted;

/// Title, explanation, and whether it holds numbers.
const COLUMNS: [(&str, &str, bool); 3] = [
    ("Perturbation", "The gene, or the genes perturbed together", false),
    ("Own value", "The table's value for the perturbed gene itself", true),
    ("Strongest", "The genes whose values lie farthest from their median over all perturbations", false),
];

pub(super) fn show(ui: &mut Ui, summary: &Summary, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        ui.label(RichText::new("Effects").heading());
        let text = counted(summary.perturbations.len(), "perturbation");
        ui.label(RichText::new(text).color(theme::colours(ui).text_weak));
    });
    let rows = &summary.perturbations;
    let height = ui.available_height();
    egui::ScrollArea::horizontal().auto_shrink([false, false]).show(ui, |ui| {
        TableBuilder::new(ui)
            .id_salt("effects")
            .striped(true)
            .sense(Sense::click())
            .cell_layout(Layout::left_to_right(Align::Center))
            .column(Column::initial(130.0).at_least(90.0).clip(true))
            .column(Column::exact(92.0))
            .column(Column::remainder().at_least(220.0).clip(true))
            .min_scrolled_height(120.0)
            .max_scroll_height(height)
            .auto_shrink(false)
            .header(theme::ROW_HEIGHT + 4.0, |mut header| {
                for (title, hint, number) in COLUMNS {
                    header.col(|ui| {
                        cell(ui, number, |ui| ui.label(RichText::new(title).strong()).on_hover_text(hint));
                    });
                }
            })
            .body(|body| {
                body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
                    let perturbation = &rows[row.index()];
                    row.set_selected(perturbation.targets.iter().all(|gene| state.document.is_selected(gene)));
                    let effects = perturbation.effects.as_ref();
                    let own = effects.and_then(|effects| effects.own);
                    let others = effects.map_or_else(Vec::new, |effects| {
                        effects.others.iter().map(|(gene, value)| format!("{gene} {}", signed(*value))).collect()
                    });
                    let own = own.map_or_else(|| "–".to_owned(), signed);
                    for (text, number) in [(perturbation.name.clone(), false), (own, true), (others.join(", "), false)]
                    {
                        row.col(|ui| {
                            cell(ui, number, |ui| ui.add(Label::new(text).truncate().selectable(false)));
                        });
                    }
                    if row.response().clicked() {
                        actions.push(Action::SelectAll(perturbation.targets.clone()));
                    }
                });
            });
    });
}
