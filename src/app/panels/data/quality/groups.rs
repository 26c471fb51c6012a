//! Failing cells by perturbation or batch.

use egui::{Align, Layout, RichText, Sense, Ui};
use egui_extras::{Column, TableBuilder};

use crate::app::action::Action;
use crate::app::panels::data::table::cell;
use crate::app::state::State;
use crate::app::theme;
use crate::app::widgets::{Sort, SortColumn};
use crate::preprocess::quality::Rule;
use crate::preprocess::quality_groups::GroupQuality;
use crate::tasks::quality::Quality;
use crate::words::{counted, grouped};

/// By what the rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Name,
    Cells,
    Failing,
    Share,
}

/// What the table keeps for itself.
pub(super) struct GroupsTable {
    /// Batches instead of perturbations.
    pub batches: bool,
    pub sort: Sort<Key>,
}

const COLUMNS: [SortColumn<Key>; 4] = [
    SortColumn::rising(Key::Name, "Condition", "Control cells, a perturbation or a batch"),
    SortColumn::falling(Key::Cells, "Cells", "All its cells"),
    SortColumn::falling(Key::Failing, "Failing", "Cells that fail at least one rule"),
    SortColumn::falling(Key::Share, "Share", "Share of its cells that fail"),
];

/// Draw it into the rest of `ui`.
pub(super) fn show(table: &mut GroupsTable, ui: &mut Ui, quality: &Quality, state: &State, actions: &mut Vec<Action>) {
    table.batches &= !quality.batches.is_empty();
    let groups = if table.batches { &quality.batches } else { &quality.perturbations };
    ui.horizontal_wrapped(|ui| {
        if quality.batches.is_empty() {
            ui.label(RichText::new("By perturbation").heading());
        } else {
            ui.selectable_value(&mut table.batches, false, "By perturbation");
            ui.selectable_value(&mut table.batches, true, "By batch");
        }
        let marked = groups.iter().filter(|group| group.marked).count();
        if marked > 0 {
            let what = if table.batches { "batch" } else { "condition" };
            let text = match (marked, what) {
                (1, what) => format!("▲ 1 {what} with far more failing cells"),
                (_, "batch") => format!("▲ {marked} batches with far more failing cells"),
                _ => format!("▲ {} with far more failing cells", counted(marked, what)),
            };
            ui.label(RichText::new(text).small().color(theme::colours(ui).warning));
        }
    });
    let rows = sorted(groups, table.sort);
    let height = ui.available_height();
    let sort = &mut table.sort;
    let number = || Column::exact(66.0);
    TableBuilder::new(ui)
        .id_salt("quality groups")
        .striped(true)
        .sense(Sense::click())
        .cell_layout(Layout::left_to_right(Align::Center))
        .column(Column::remainder().at_least(100.0).clip(true))
        .columns(number(), 3)
        .min_scrolled_height(100.0)
        .max_scroll_height(height)
        .auto_shrink(false)
        .header(theme::ROW_HEIGHT + 4.0, |mut header| {
            for column in COLUMNS {
                header.col(|ui| {
                    cell(ui, column.key != Key::Name, |ui| column.header(ui, sort));
                });
            }
        })
        .body(|body| {
            body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
                let group = rows[row.index()];
                row.set_selected(state.view.perturbation.as_deref() == Some(&group.name));
                row.col(|ui| {
                    cell(ui, false, |ui| {
                        if group.marked {
                            ui.label(RichText::new("▲").small().color(theme::colours(ui).warning));
                        }
                        ui.add(egui::Label::new(&group.name).truncate().selectable(false));
                    });
                });
                let share = format!("{:.1} %", 100.0 * group.share());
                for text in [grouped(group.cells), grouped(group.failing), share] {
                    row.col(|ui| {
                        let text = RichText::new(text);
                        let text = if group.marked { text.color(theme::colours(ui).warning) } else { text };
                        cell(ui, true, |ui| ui.add(egui::Label::new(text).selectable(false)));
                    });
                }
                let response = row.response();
                response.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::accesskit::Role::Row, true, format!("quality of {}", group.name))
                });
                let response = response.on_hover_text(hint(group));
                let is_perturbation = !table.batches && !matches!(group.name.as_str(), "control" | "unassigned");
                if response.clicked() && is_perturbation {
                    actions.push(Action::ShowPerturbation(Some(group.name.clone())));
                }
            });
        });
}

fn hint(group: &GroupQuality) -> String {
    let mut lines = vec![format!("{}: {} of {}", group.name, grouped(group.failing), counted(group.cells, "cell"))];
    for (rule, &count) in Rule::ALL.iter().zip(&group.by_rule) {
        if count > 0 {
            lines.push(format!("{} fail by {}", grouped(count), rule.label()));
        }
    }
    if group.marked {
        let text =
            "Its cells fail far more often than the others: it may damage the cells, or its library did not work";
        lines.push(format!("{text} (adjusted p {:.0e})", group.adjusted_p));
    }
    lines.join("\n")
}

/// In the order wanted; equal ones by name.
fn sorted(groups: &[GroupQuality], sort: Sort<Key>) -> Vec<&GroupQuality> {
    let mut rows: Vec<&GroupQuality> = groups.iter().collect();
    rows.sort_by(|a, b| {
        let order = match sort.key {
            Key::Name => a.name.cmp(&b.name),
            Key::Cells => a.cells.cmp(&b.cells),
            Key::Failing => a.failing.cmp(&b.failing),
            Key::Share => a.share().total_cmp(&b.share()),
        };
        sort.apply(order).then_with(|| a.name.cmp(&b.name))
    });
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_by_any_column() {
        let group = |name: &str, cells, failing| GroupQuality {
            name: name.into(),
            cells,
            failing,
            by_rule: [0; 5],
            adjusted_p: 1.0,
            marked: false,
        };
        let groups = [group("B", 10, 5), group("A", 100, 6), group("C", 10, 5)];
        let names = |sort| sorted(&groups, sort).iter().map(|group| group.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(Sort::falling(Key::Share)), ["B", "C", "A"]);
        assert_eq!(names(Sort::falling(Key::Failing)), ["A", "B", "C"]);
        assert_eq!(names(Sort::rising(Key::Name)), ["A", "B", "C"]);
    }
}
