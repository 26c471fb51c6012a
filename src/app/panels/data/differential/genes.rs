//! All genes of one perturbation, sortable.

use std::sync::Arc;

use egui::{Align, Layout, RichText, Sense, TextEdit, Ui, WidgetInfo};
use egui_extras::{Column, TableBuilder};

use super::Thresholds;
use crate::app::action::Action;
use crate::app::panels::data::table::{cell, p_value};
use crate::app::state::State;
use crate::app::theme;
use crate::app::widgets::{Sort, SortColumn, signed};
use crate::tasks::preprocess::TestedGroup;

/// By what the rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Gene,
    Change,
    Score,
    P,
}

const COLUMNS: [SortColumn<Key>; 4] = [
    SortColumn::rising(Key::Gene, "Gene", "Its symbol"),
    SortColumn::falling(
        Key::Change,
        "log2 change",
        "log2 of the ratio of mean expression to that of the control cells; sorted by size",
    ),
    SortColumn::falling(
        Key::Score,
        "Score",
        "z of the Wilcoxon test, or Welch's t: positive where higher than in control cells",
    ),
    SortColumn::rising(Key::P, "Adjusted p", "Two-sided p value, adjusted over all genes (Benjamini–Hochberg)"),
];

/// What the table keeps for itself.
pub(super) struct GenesTable {
    sort: Sort<Key>,
    filter: String,
    order: Vec<u32>,
    ordered: Option<(Arc<TestedGroup>, Sort<Key>, String)>,
}

impl Default for GenesTable {
    fn default() -> Self {
        Self { sort: Sort::rising(Key::P), filter: String::new(), order: Vec::new(), ordered: None }
    }
}

/// Positions of the genes whose symbol contains `filter`, in the order of `sort`; ties by the size of the score.
fn order(found: &TestedGroup, sort: Sort<Key>, filter: &str) -> Vec<u32> {
    let wanted = filter.trim().to_lowercase();
    let table = &found.table;
    let fits = |at: &u32| found.genes[*at as usize].to_lowercase().contains(&wanted);
    let mut order: Vec<u32> = (0..found.genes.len() as u32).filter(fits).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (a as usize, b as usize);
        let by = match sort.key {
            Key::Gene => found.genes[a].cmp(&found.genes[b]),
            Key::Change => table.log_fold_changes[a].abs().total_cmp(&table.log_fold_changes[b].abs()),
            Key::Score => table.scores[a].total_cmp(&table.scores[b]),
            Key::P => table.adjusted_p_values[a].total_cmp(&table.adjusted_p_values[b]),
        };
        let size = table.scores[b].abs().total_cmp(&table.scores[a].abs());
        sort.apply(by).then(size).then_with(|| found.genes[a].cmp(&found.genes[b]))
    });
    order
}

/// Draw it into the rest of `ui`.
pub(super) fn show(
    genes: &mut GenesTable,
    ui: &mut Ui,
    found: &Arc<TestedGroup>,
    thresholds: Thresholds,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let field = TextEdit::singleline(&mut genes.filter).hint_text("Filter genes").desired_width(f32::INFINITY);
    let field = ui.add(field);
    field.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::TextInput, true, "Filter genes"));
    let current = genes
        .ordered
        .as_ref()
        .is_some_and(|(of, sort, filter)| Arc::ptr_eq(of, found) && *sort == genes.sort && *filter == genes.filter);
    if !current {
        genes.order = order(found, genes.sort, &genes.filter);
        genes.ordered = Some((found.clone(), genes.sort, genes.filter.clone()));
    }
    if genes.order.is_empty() {
        ui.label("No gene contains this text");
        return;
    }
    let height = ui.available_height();
    let (sort, rows) = (&mut genes.sort, &genes.order);
    TableBuilder::new(ui)
        .id_salt("differential genes")
        .striped(true)
        .sense(Sense::click())
        .cell_layout(Layout::left_to_right(Align::Center))
        .column(Column::remainder().at_least(80.0).clip(true))
        .column(Column::exact(88.0))
        .column(Column::exact(58.0))
        .column(Column::exact(82.0))
        .min_scrolled_height(120.0)
        .max_scroll_height(height)
        .auto_shrink(false)
        .header(theme::ROW_HEIGHT + 4.0, |mut header| {
            for column in COLUMNS {
                header.col(|ui| {
                    cell(ui, column.key != Key::Gene, |ui| column.header(ui, sort));
                });
            }
        })
        .body(|body| {
            body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
                let at = rows[row.index()] as usize;
                let gene = &found.genes[at];
                let table = &found.table;
                let (change, p) = (table.log_fold_changes[at], table.adjusted_p_values[at]);
                row.set_selected(state.document.is_selected(gene));
                row.col(|ui| {
                    cell(ui, false, |ui| {
                        ui.add(egui::Label::new(gene).truncate().selectable(false));
                        if found.targets.contains(gene) {
                            ui.label(RichText::new("target").small().color(theme::colours(ui).accent))
                                .on_hover_text("Itself perturbed");
                        }
                    });
                });
                let score = format!("{:+.1}", table.scores[at]).replace('-', "−");
                for (column, text) in [signed(change), score, p_value(p)].into_iter().enumerate() {
                    row.col(|ui| {
                        let mut text = RichText::new(text);
                        if column == 0 && p < thresholds.level && change.abs() >= thresholds.change {
                            let colours = theme::colours(ui);
                            text = text.color(if change < 0.0 { colours.down } else { colours.up });
                        }
                        cell(ui, true, |ui| ui.add(egui::Label::new(text).selectable(false)));
                    });
                }
                let response = row.response();
                response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Row, true, format!("gene {gene}")));
                if response.clicked() {
                    actions.push(Action::Select { gene: gene.clone(), extend: false });
                }
            });
        });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::differential::{DifferentialTable, Test};

    #[test]
    fn genes_are_sorted_and_filtered() {
        let found = TestedGroup {
            perturbation: "A".into(),
            targets: vec!["A".into()],
            test: Test::default(),
            cells: 5,
            control_cells: 9,
            genes: ["A", "B1", "B2"].map(String::from).to_vec().into(),
            table: DifferentialTable {
                genes: 3,
                scores: vec![-8.0, 2.0, 9.0],
                log_fold_changes: vec![-3.0, 0.1, 0.5],
                p_values: vec![0.0, 0.5, 0.0],
                adjusted_p_values: vec![0.0, 0.5, 0.0],
            },
            means: vec![0.1, 0.2, 0.3],
        };
        assert_eq!(order(&found, Sort::rising(Key::P), ""), [2, 0, 1], "equal p by the size of the score");
        assert_eq!(order(&found, Sort::falling(Key::Change), ""), [0, 2, 1]);
        assert_eq!(order(&found, Sort::rising(Key::Gene), " b"), [1, 2]);
    }
}
