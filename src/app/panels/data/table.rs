//! All perturbations: cells, and how their own target changed.

use std::cmp::Ordering;

use egui::{Align, Layout, RichText, Sense, Ui};
use egui_extras::{Column, TableBuilder};

use crate::app::action::Action;
use crate::app::state::State;
use crate::app::theme;
use crate::data::{PerturbationSummary, Summary};
use crate::words::{counted, grouped};

/// By what the rows are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Key {
    Name,
    #[default]
    Cells,
    Shift,
    Remaining,
    P,
}

/// Sort order of the table.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::app) struct Sorting {
    key: Key,
    reversed: bool,
}

const COLUMNS: [(Key, &str, &str); 5] = [
    (Key::Name, "Perturbation", "The gene, or the genes perturbed together"),
    (Key::Cells, "Cells", "Cells with this perturbation"),
    (
        Key::Shift,
        "Own shift",
        "How the perturbed gene itself changed: mean of log2(10,000·x/Σx + 1) minus that of the control cells; \
         a knock-out by cutting may leave the transcript",
    ),
    (Key::Remaining, "Remaining", "Mean normalised expression of the perturbed gene as a share of the control cells'"),
    (Key::P, "p", "Two-sided Mann–Whitney test of the perturbed gene against the control cells"),
];

pub(super) fn show(sorting: &mut Sorting, ui: &mut Ui, summary: &Summary, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        ui.label(RichText::new("Perturbations").heading());
        let text = counted(summary.perturbations.len(), "condition");
        ui.label(RichText::new(text).color(theme::colours(ui).text_weak));
    });
    let rows = sorted(&summary.perturbations, *sorting);
    let number = || Column::exact(92.0);
    let height = ui.available_height();
    egui::ScrollArea::horizontal().auto_shrink([false, false]).show(ui, |ui| {
        TableBuilder::new(ui)
            .id_salt("perturbations")
            .striped(true)
            .sense(Sense::click())
            .cell_layout(Layout::left_to_right(Align::Center))
            .column(Column::remainder().at_least(110.0).clip(true))
            .columns(number(), 4)
            .min_scrolled_height(120.0)
            .max_scroll_height(height)
            .auto_shrink(false)
            .header(theme::ROW_HEIGHT + 4.0, |mut header| {
                for (key, label, hint) in COLUMNS {
                    header.col(|ui| {
                        let arrow = match (sorting.key == key, sorting.reversed) {
                            (false, _) => "",
                            (true, false) => " ▼",
                            (true, true) => " ▲",
                        };
                        let button =
                            egui::Button::new(RichText::new(format!("{label}{arrow}")).text_style(theme::strong()))
                                .frame_when_inactive(false);
                        if ui.add(button).on_hover_text(hint).clicked() {
                            let reversed = sorting.key == key && !sorting.reversed;
                            *sorting = Sorting { key, reversed };
                        }
                    });
                }
            })
            .body(|body| {
                body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
                    let perturbation = rows[row.index()];
                    row.set_selected(perturbation.targets.iter().all(|gene| state.document.is_selected(gene)));
                    cells(&mut row, perturbation);
                    let response = row.response();
                    let hint = format!("Select {} in the network", perturbation.name);
                    if response.on_hover_text(hint).clicked() {
                        actions.push(Action::SelectAll(perturbation.targets.clone()));
                        actions.push(Action::ShowPerturbation(Some(perturbation.name.clone())));
                    }
                });
            });
    });
}

fn cells(row: &mut egui_extras::TableRow<'_, '_>, perturbation: &PerturbationSummary) {
    row.col(|ui| {
        cell(ui, false, |ui| {
            ui.add(egui::Label::new(&perturbation.name).truncate().selectable(false));
            if !perturbation.measured {
                ui.label(RichText::new("not measured").small().color(theme::colours(ui).text_weak))
                    .on_hover_text("The perturbed gene is not among the measured genes");
            }
        });
    });
    let knock_down = perturbation.knock_down;
    let texts = [
        grouped(perturbation.cells),
        knock_down.map_or_else(|| "–".to_owned(), |own| signed(own.log2_shift)),
        knock_down
            .and_then(|own| own.remaining)
            .map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", 100.0 * share)),
        knock_down.map_or_else(|| "–".to_owned(), |own| p_value(own.p_value)),
    ];
    for (at, text) in texts.into_iter().enumerate() {
        row.col(|ui| {
            let mut text = RichText::new(text);
            if at == 1
                && let Some(own) = knock_down
                && own.p_value < 0.05
            {
                let colours = theme::colours(ui);
                text = text.color(if own.log2_shift < 0.0 { colours.down } else { colours.up });
            }
            cell(ui, true, |ui| ui.add(egui::Label::new(text).selectable(false)));
        });
    }
}

/// The inside of a cell: numbers at the right, words at the left.
fn cell<R>(ui: &mut Ui, number: bool, add: impl FnOnce(&mut Ui) -> R) -> R {
    let layout = if number { Layout::right_to_left(Align::Center) } else { Layout::left_to_right(Align::Center) };
    ui.with_layout(layout, |ui| {
        ui.add_space(theme::MEDIUM);
        add(ui)
    })
    .inner
}

/// `+0.42`, `−1.30`.
fn signed(value: f64) -> String {
    if value < 0.0 { format!("−{:.2}", -value) } else { format!("+{value:.2}") }
}

/// `0.031`, `2e-9`.
fn p_value(p: f64) -> String {
    if p >= 0.001 {
        format!("{p:.3}")
    } else if p <= 0.0 {
        "< 1e-300".to_owned()
    } else {
        format!("{p:.0e}")
    }
}

/// Numbers from the largest, names from A; rows without a value last, either way round.
fn sorted(rows: &[PerturbationSummary], sorting: Sorting) -> Vec<&PerturbationSummary> {
    let mut sorted: Vec<&PerturbationSummary> = rows.iter().collect();
    let value = |row: &PerturbationSummary| match sorting.key {
        Key::Name => None,
        Key::Cells => Some(row.cells as f64),
        // The strongest knock-down and the smallest p first.
        Key::Shift => row.knock_down.map(|own| -own.log2_shift),
        Key::Remaining => row.knock_down.and_then(|own| own.remaining).map(|share| -share),
        Key::P => row.knock_down.map(|own| -own.p_value),
    };
    sorted.sort_by(|a, b| {
        let order = match (value(a), value(b)) {
            (Some(x), Some(y)) if sorting.reversed => x.total_cmp(&y),
            (Some(x), Some(y)) => y.total_cmp(&x),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) if sorting.key == Key::Name && sorting.reversed => b.name.cmp(&a.name),
            (None, None) => Ordering::Equal,
        };
        order.then_with(|| a.name.cmp(&b.name))
    });
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::KnockDown;

    fn row(name: &str, cells: usize, shift: Option<f64>) -> PerturbationSummary {
        PerturbationSummary {
            name: name.into(),
            targets: vec![name.into()],
            cells,
            measured: shift.is_some(),
            knock_down: shift.map(|log2_shift| KnockDown { log2_shift, remaining: Some(0.5), p_value: 0.01 }),
        }
    }

    #[test]
    fn rows_without_a_value_stay_last() {
        let rows = [row("B", 5, Some(-0.2)), row("A", 9, None), row("C", 7, Some(-1.0))];
        let names = |key, reversed| {
            let sorted = sorted(&rows, Sorting { key, reversed });
            sorted.iter().map(|row| row.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(Key::Cells, false), ["A", "C", "B"]);
        assert_eq!(names(Key::Cells, true), ["B", "C", "A"]);
        assert_eq!(names(Key::Shift, false), ["C", "B", "A"]);
        assert_eq!(names(Key::Shift, true), ["B", "C", "A"]);
        assert_eq!(names(Key::Name, false), ["A", "B", "C"]);
        assert_eq!(names(Key::Name, true), ["C", "B", "A"]);
    }

    #[test]
    fn numbers_are_short_and_signed() {
        assert_eq!((signed(-1.304), signed(0.4)), ("−1.30".to_owned(), "+0.40".to_owned()));
        assert_eq!((p_value(0.0312), p_value(2.2e-9)), ("0.031".to_owned(), "2e-9".to_owned()));
    }
}
