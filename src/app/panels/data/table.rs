//! All perturbations: cells, and how their own target changed.

use egui::{Align, Layout, RichText, Sense, Ui};
use egui_extras::{Column, TableBuilder};

use crate::app::action::Action;
use crate::app::state::State;
use crate::app::theme;
use crate::app::widgets::{Sort, SortColumn, badge, signed};
use crate::data::{PerturbationKind, PerturbationSummary, Summary};
use crate::preprocess::target_check::Verdict;
use crate::words::{counted, grouped};

/// By what the rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Name,
    Cells,
    Shift,
    Remaining,
    P,
    Verdict,
}

/// Key, title, explanation, and whether the largest comes first.
const COLUMNS: [SortColumn<Key>; 6] = [
    SortColumn::rising(Key::Name, "Perturbation", "The gene, or the genes perturbed together"),
    SortColumn::falling(Key::Cells, "Cells", "Cells with this perturbation"),
    SortColumn::rising(
        Key::Shift,
        "Own shift",
        "How the perturbed gene itself changed: mean of log2(10,000·x/Σx + 1) minus that of the control cells; \
         a knock-out by cutting may leave the transcript",
    ),
    SortColumn::rising(
        Key::Remaining,
        "Remaining",
        "Mean normalised expression of the perturbed gene as a share of the control cells'",
    ),
    SortColumn::rising(
        Key::P,
        "Adjusted p",
        "One-sided Mann–Whitney test of the perturbed gene against the control cells, adjusted over all targets \
         (Benjamini–Hochberg)",
    ),
    SortColumn::rising(Key::Verdict, "Worked?", "What the expression of the perturbed gene itself says"),
];

/// A perturbation and what its target says.
#[derive(Clone, Copy)]
struct Row<'a> {
    perturbation: &'a PerturbationSummary,
    verdict: Verdict,
    adjusted_p: Option<f64>,
}

pub(super) fn show(sort: &mut Sort<Key>, ui: &mut Ui, summary: &Summary, state: &State, actions: &mut Vec<Action>) {
    let Some(check) = &state.runtime.targets else { return };
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("Perturbations").heading());
        let text = counted(summary.perturbations.len(), "condition");
        ui.label(RichText::new(text).color(theme::colours(ui).text_weak));
        for (verdict, count) in check.counts() {
            let text = format!("{} {}", grouped(count), verdict.label());
            badge(ui, &text, verdict_colour(ui, verdict), verdict.explanation(summary.kind));
        }
    });
    let judged = check.verdicts.iter().zip(&check.adjusted_p_values);
    let all = summary.perturbations.iter().zip(judged);
    let all = all.map(|(perturbation, (&verdict, &adjusted_p))| Row { perturbation, verdict, adjusted_p });
    let rows = sorted(all.collect(), *sort);
    let number = || Column::exact(78.0);
    let height = ui.available_height();
    egui::ScrollArea::horizontal().auto_shrink([false, false]).show(ui, |ui| {
        TableBuilder::new(ui)
            .id_salt("perturbations")
            .striped(true)
            .sense(Sense::click())
            .cell_layout(Layout::left_to_right(Align::Center))
            .column(Column::remainder().at_least(90.0).clip(true))
            .column(Column::exact(62.0))
            .columns(number(), 3)
            .column(Column::exact(100.0))
            .min_scrolled_height(120.0)
            .max_scroll_height(height)
            .auto_shrink(false)
            .header(theme::ROW_HEIGHT + 4.0, |mut header| {
                for column in COLUMNS {
                    header.col(|ui| {
                        cell(ui, !matches!(column.key, Key::Name | Key::Verdict), |ui| column.header(ui, sort));
                    });
                }
            })
            .body(|body| {
                body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
                    let shown = rows[row.index()];
                    let perturbation = shown.perturbation;
                    row.set_selected(perturbation.targets.iter().all(|gene| state.document.is_selected(gene)));
                    cells(&mut row, shown, summary.kind);
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

/// The colour of a verdict.
fn verdict_colour(ui: &Ui, verdict: Verdict) -> egui::Color32 {
    let colours = theme::colours(ui);
    match verdict {
        Verdict::Worked => colours.good,
        Verdict::Weak => colours.warning,
        Verdict::None => colours.bad,
        Verdict::Combination | Verdict::NotMeasured | Verdict::TooFew => colours.text_weak,
    }
}

fn cells(row: &mut egui_extras::TableRow<'_, '_>, shown: Row<'_>, kind: PerturbationKind) {
    let perturbation = shown.perturbation;
    row.col(|ui| {
        cell(ui, false, |ui| ui.add(egui::Label::new(&perturbation.name).truncate().selectable(false)));
    });
    let knock_down = perturbation.knock_down;
    let texts = [
        grouped(perturbation.cells),
        knock_down.map_or_else(|| "–".to_owned(), |own| signed(own.log2_shift as f32)),
        knock_down
            .and_then(|own| own.remaining)
            .map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", 100.0 * share)),
        shown.adjusted_p.map_or_else(|| "–".to_owned(), p_value),
    ];
    for (at, text) in texts.into_iter().enumerate() {
        row.col(|ui| {
            let mut text = RichText::new(text);
            if at == 1
                && let Some(own) = knock_down
                && matches!(shown.verdict, Verdict::Worked | Verdict::Weak)
            {
                let colours = theme::colours(ui);
                text = text.color(if own.log2_shift < 0.0 { colours.down } else { colours.up });
            }
            cell(ui, true, |ui| ui.add(egui::Label::new(text).selectable(false)));
        });
    }
    row.col(|ui| {
        let text = RichText::new(shown.verdict.label()).color(verdict_colour(ui, shown.verdict));
        cell(ui, false, |ui| ui.add(egui::Label::new(text).truncate().selectable(false)))
            .on_hover_text(shown.verdict.explanation(kind));
    });
}

/// The inside of a cell: numbers at the right, words at the left.
pub(super) fn cell<R>(ui: &mut Ui, number: bool, add: impl FnOnce(&mut Ui) -> R) -> R {
    let layout = if number { Layout::right_to_left(Align::Center) } else { Layout::left_to_right(Align::Center) };
    ui.with_layout(layout, |ui| {
        ui.add_space(theme::MEDIUM);
        add(ui)
    })
    .inner
}

/// `0.031`, `2e-9`.
pub(super) fn p_value(p: f64) -> String {
    if p >= 0.001 {
        format!("{p:.3}")
    } else if p <= 0.0 {
        "< 1e-300".to_owned()
    } else {
        format!("{p:.0e}")
    }
}

/// Rows without a value come last, either way round; equal ones by name.
fn sorted(mut rows: Vec<Row<'_>>, sort: Sort<Key>) -> Vec<Row<'_>> {
    let value = |row: &Row<'_>| match sort.key {
        Key::Name => None,
        Key::Cells => Some(row.perturbation.cells as f64),
        Key::Shift => row.perturbation.knock_down.map(|own| own.log2_shift),
        Key::Remaining => row.perturbation.knock_down.and_then(|own| own.remaining),
        Key::P => row.adjusted_p,
        Key::Verdict => Verdict::ALL.iter().position(|verdict| *verdict == row.verdict).map(|at| at as f64),
    };
    rows.sort_by(|a, b| {
        let by_name = a.perturbation.name.cmp(&b.perturbation.name);
        if sort.key == Key::Name {
            return sort.apply(by_name);
        }
        sort.numbers(value(a), value(b)).then(by_name)
    });
    rows
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
            effects: None,
        }
    }

    #[test]
    fn rows_without_a_value_stay_last() {
        let rows = [row("B", 5, Some(-0.2)), row("A", 9, None), row("C", 7, Some(-1.0))];
        let verdicts = [Verdict::Weak, Verdict::NotMeasured, Verdict::Worked];
        let names = |sort| {
            let shown = rows.iter().zip(verdicts);
            let shown = shown.map(|(perturbation, verdict)| Row { perturbation, verdict, adjusted_p: None }).collect();
            sorted(shown, sort).iter().map(|row| row.perturbation.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(Sort::rising(Key::Verdict)), ["C", "B", "A"]);
        assert_eq!(names(Sort::falling(Key::Cells)), ["A", "C", "B"]);
        assert_eq!(names(Sort::rising(Key::Cells)), ["B", "C", "A"]);
        assert_eq!(names(Sort::rising(Key::Shift)), ["C", "B", "A"]);
        assert_eq!(names(Sort::falling(Key::Shift)), ["B", "C", "A"]);
        assert_eq!(names(Sort::rising(Key::Name)), ["A", "B", "C"]);
        assert_eq!(names(Sort::falling(Key::Name)), ["C", "B", "A"]);
    }

    #[test]
    fn p_values_are_short() {
        assert_eq!((p_value(0.0312), p_value(2.2e-9)), ("0.031".to_owned(), "2e-9".to_owned()));
    }
}
