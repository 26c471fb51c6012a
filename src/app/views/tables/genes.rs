//! The table of genes.

use std::fmt::Write as _;
use std::sync::Arc;

use egui::{Align, RichText, Ui, WidgetInfo};
use egui_extras::{Column, TableBuilder};

use super::linked::Linked;
use super::{Head, head, save};
use crate::app::views::network::picking::extends;
use crate::app::views::network::{Shown, columns};
use crate::app::views::search;
use crate::app::widgets::{Sort, SortColumn, evidence_dot, signed, sort_headers, told};
use crate::app::{Action, State, theme};
use crate::models::PredictedEffect;
use crate::network::{GeneId, Grn};
use crate::words::grouped;

/// Below this width only the first columns have room, in points.
const WIDE: f32 = 460.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Symbol,
    Targets,
    Regulators,
    Cells,
    Own,
    Predicted,
}

/// The columns, from left to right.
const COLUMNS: [SortColumn<Key>; 6] = [
    SortColumn::rising(Key::Symbol, "Gene", "Symbol"),
    SortColumn::falling(Key::Targets, "Out", "Visible edges out of the gene"),
    SortColumn::falling(Key::Regulators, "In", "Visible edges into the gene"),
    SortColumn::falling(Key::Cells, "Cells", "Cells in which the gene was perturbed"),
    SortColumn::rising(Key::Own, "Own shift", "Its measured shift (log2) when it was perturbed itself"),
    SortColumn::rising(Key::Predicted, "Predicted", "Its predicted shift (log2) under the knock-out that is asked for"),
];

/// What this table keeps for itself.
pub struct GeneTable {
    sort: Sort<Key>,
    text: String,
    only_shown: bool,
    /// Rows in the order of the table, and what they were made for.
    rows: Arc<[GeneId]>,
    made: Option<(Sort<Key>, String, bool, usize)>,
    /// Predicted shift of each gene of the network, not finite for none, and the prediction it was taken from.
    predicted: Vec<f32>,
    effect: Option<Arc<PredictedEffect>>,
    linked: Linked,
}

impl Default for GeneTable {
    fn default() -> Self {
        Self {
            sort: Sort::falling(Key::Targets),
            text: String::new(),
            only_shown: false,
            rows: Arc::default(),
            made: None,
            predicted: Vec::new(),
            effect: None,
            linked: Linked::default(),
        }
    }
}

impl GeneTable {
    /// Other edges are shown: the rows are to be made anew.
    pub fn forget(&mut self) {
        self.made = None;
        self.effect = None;
        self.predicted.clear();
    }

    /// Draw it into all of `ui`; `docked` below the network, else alone in the side panel.
    pub fn show(&mut self, ui: &mut Ui, shown: &Shown, docked: bool, state: &State, actions: &mut Vec<Action>) {
        let network = shown.network();
        self.follow_prediction(network, state);
        let total = network.genes().len();
        let rows = self.rows.len();
        let (text, only_shown) = (&mut self.text, &mut self.only_shown);
        if head(ui, text, only_shown, Head { what: "gene", rows, total, docked }, state, actions) {
            actions.push(self.export(shown));
        }
        let effect = self.effect.as_ref().map_or(0, |effect| Arc::as_ptr(effect) as usize);
        let wanted = (self.sort, self.text.clone(), self.only_shown, effect);
        if self.made.as_ref() != Some(&wanted) {
            self.rows = self.sorted(shown).into();
            self.made = Some(wanted);
        }
        let goal = match (self.linked.follow(&state.document.selection, &[]), state.document.focus()) {
            (true, Some(gene)) => network.find(gene).and_then(|gene| self.rows.iter().position(|row| *row == gene)),
            _ => None,
        };
        if self.rows.is_empty() {
            ui.label("No gene fits");
            return;
        }
        self.table(ui, shown, goal, state, actions);
    }

    fn follow_prediction(&mut self, network: &Grn, state: &State) {
        let effect = state.runtime.prediction.effect();
        let same = match (&self.effect, effect) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        if same {
            return;
        }
        self.predicted.clear();
        self.effect = effect.cloned();
        if let (Some(effect), Some(model)) = (effect, &state.runtime.model) {
            let value = |column: Option<usize>| column.and_then(|column| effect.shifts.get(column)).copied();
            let values =
                columns(network, &model.card().genes).into_iter().map(|column| value(column).unwrap_or(f32::NAN));
            self.predicted = values.collect();
        }
    }

    fn predicted(&self, gene: GeneId) -> Option<f32> {
        self.predicted.get(gene.0 as usize).copied().filter(|shift| shift.is_finite())
    }

    fn sorted(&self, shown: &Shown) -> Vec<GeneId> {
        let network = shown.network();
        let part = self.text.trim().to_lowercase();
        let fits =
            |gene: &GeneId| (!self.only_shown || shown.has(*gene)) && search::contains(network.symbol(*gene), &part);
        let mut rows: Vec<GeneId> = (0..network.genes().len() as u32).map(GeneId).filter(fits).collect();
        let value = |gene: GeneId| match self.sort.key {
            Key::Symbol => None,
            Key::Targets => Some(shown.targets_of(gene) as f32),
            Key::Regulators => Some(shown.regulators_of(gene) as f32),
            Key::Cells => Some(network.gene(gene).perturbed_cells as f32),
            Key::Own => network.gene(gene).knock_down,
            Key::Predicted => self.predicted(gene),
        };
        rows.sort_by(|&a, &b| {
            let by_name = network.symbol(a).cmp(network.symbol(b));
            if self.sort.key == Key::Symbol {
                return self.sort.apply(by_name);
            }
            self.sort.numbers(value(a), value(b)).then(by_name)
        });
        rows
    }

    fn table(&mut self, ui: &mut Ui, shown: &Shown, goal: Option<usize>, state: &State, actions: &mut Vec<Action>) {
        let network = shown.network();
        let wide = ui.available_width() >= WIDE;
        let columns = match (wide, self.predicted.is_empty()) {
            (false, _) => &COLUMNS[..4],
            (true, true) => &COLUMNS[..5],
            (true, false) => &COLUMNS[..],
        };
        let mut builder = TableBuilder::new(ui)
            .id_salt("genes")
            .striped(true)
            .sense(egui::Sense::click())
            .auto_shrink(false)
            .cell_layout(egui::Layout::left_to_right(Align::Center))
            .column(Column::remainder().at_least(70.0).clip(true))
            .columns(Column::exact(if wide { 52.0 } else { 42.0 }), 3)
            .columns(Column::exact(84.0), columns.len() - 4);
        if let Some(goal) = goal {
            builder = builder.scroll_to_row(goal, Some(Align::Center));
        }
        let (rows, sort) = (self.rows.clone(), &mut self.sort);
        let header = builder.header(theme::ROW_HEIGHT, |mut header| {
            sort_headers(&mut header, sort, columns);
        });
        header.body(|body| {
            body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
                let id = rows[row.index()];
                let gene = network.gene(id);
                row.set_selected(state.document.is_selected(&gene.symbol));
                let badges = state.badges(gene);
                for &SortColumn { key, .. } in columns {
                    row.col(|ui| {
                        if key == Key::Symbol {
                            evidence_dot(ui, &badges);
                        }
                        let text = match key {
                            Key::Symbol => gene.symbol.clone(),
                            Key::Targets => number(shown.targets_of(id)),
                            Key::Regulators => number(shown.regulators_of(id)),
                            Key::Cells => number(gene.perturbed_cells),
                            Key::Own => gene.knock_down.map_or_else(|| "–".to_owned(), signed),
                            Key::Predicted => self.predicted(id).map_or_else(|| "–".to_owned(), signed),
                        };
                        let mut text = RichText::new(text);
                        if key == Key::Symbol && !gene.measured {
                            text = text.italics();
                        }
                        ui.add(egui::Label::new(text).selectable(false).truncate());
                    });
                }
                let response = row.response();
                let selected = state.document.is_selected(&gene.symbol);
                response.widget_info(|| {
                    WidgetInfo::selected(egui::Role::Row, true, selected, format!("gene {}", gene.symbol))
                });
                let response = response.on_hover_text(format!("{}\n{}", gene.symbol, told(&badges)));
                if response.clicked() {
                    self.linked.click();
                    actions.push(Action::Select { gene: gene.symbol.clone(), extend: extends(&response.ctx) });
                }
            });
        });
    }

    /// The rows as they stand, with all columns.
    fn export(&self, shown: &Shown) -> Action {
        let (shown, rows, predicted) = (shown.clone(), self.rows.clone(), self.predicted.clone());
        save("genes", move || table(&shown, &rows, &predicted))
    }
}

/// The genes `rows` as tab-separated text: symbol, visible edges out and in, whether measured, cells perturbed, own shift
/// and predicted shift (log2, empty where there is none).
fn table(shown: &Shown, rows: &[GeneId], predicted: &[f32]) -> String {
    let mut text =
        String::from("gene\ttargets\tregulators\tmeasured\tperturbed_cells\town_shift_log2\tpredicted_shift_log2\n");
    let number = |value: Option<f32>| value.filter(|value| value.is_finite()).map(|value| value.to_string());
    for &id in rows {
        let gene = shown.network().gene(id);
        let _ = writeln!(
            text,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}",
            gene.symbol,
            shown.targets_of(id),
            shown.regulators_of(id),
            gene.measured,
            gene.perturbed_cells,
            number(gene.knock_down).unwrap_or_default(),
            number(predicted.get(id.0 as usize).copied()).unwrap_or_default()
        );
    }
    text
}

fn number(number: u32) -> String {
    if number == 0 { "–".to_owned() } else { grouped(number as usize) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::NetworkFilter;
    use crate::network::NetworkGene;
    use crate::network::fixtures::edge;

    fn shown() -> Shown {
        let gene = |symbol: &str, cells, knock_down: Option<f32>| NetworkGene {
            symbol: symbol.into(),
            measured: knock_down.is_some(),
            perturbed_cells: cells,
            knock_down,
        };
        let genes = vec![gene("B", 5, None), gene("A", 0, Some(-1.5)), gene("C", 9, Some(0.25)), gene("D", 0, None)];
        let grn = Grn::new(genes, vec![edge(0, 1, 0.9), edge(0, 2, 0.8), edge(3, 0, 0.1)]).unwrap();
        Shown::of(&Arc::new(grn), &NetworkFilter::top(2))
    }

    #[test]
    fn genes_are_sorted_filtered_and_written() {
        let shown = shown();
        let rows = |sort: Sort<Key>, text: &str, only_shown: bool| {
            let table: GeneTable = GeneTable { sort, text: text.into(), only_shown, ..GeneTable::default() };
            table
                .sorted(&shown)
                .iter()
                .map(|gene| shown.network().symbol(*gene).to_owned())
                .collect::<Vec<String>>()
                .concat()
        };
        assert_eq!(rows(Sort::falling(Key::Targets), "", false), "BACD");
        assert_eq!(rows(Sort::rising(Key::Own), "", false), "ACBD", "without a value last");
        assert_eq!(rows(Sort::falling(Key::Own), "", false), "CABD");
        assert_eq!(rows(Sort::falling(Key::Symbol), "", true), "CBA");
        assert_eq!(rows(Sort::rising(Key::Symbol), " d", false), "D");
        assert_eq!(
            table(&shown, &[GeneId(2), GeneId(0)], &[f32::NAN, 0.5, -0.125]),
            "gene\ttargets\tregulators\tmeasured\tperturbed_cells\town_shift_log2\tpredicted_shift_log2\n\
             C\t0\t1\ttrue\t9\t0.25\t-0.125\nB\t2\t0\tfalse\t5\t\t\n"
        );
    }
}
