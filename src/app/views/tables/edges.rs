//! The table of edges.

use std::collections::HashSet;
use std::sync::Arc;

use egui::{Align, RichText, Ui, WidgetInfo};
use egui_extras::{Column, TableBuilder};

use super::linked::Linked;
use super::{Head, head, save};
use crate::app::views::edge_evidence::HELD_OUT;
use crate::app::views::network::picking::select_ends;
use crate::app::views::network::{FALSE_DISCOVERY, Shown, p_text};
use crate::app::views::search;
use crate::app::widgets::{Sort, SortColumn, signed, sort_headers};
use crate::app::{Action, State, theme};
use crate::document::EdgeAttribute;
use crate::network::formats::write_table;
use crate::network::{Edge, GeneId, Grn, Sign, SignEvidence};
use crate::tasks::edge_tests::EdgeTests;
use crate::words::grouped;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Regulator,
    Sign,
    Target,
    Rank,
    Probability,
    Agreement,
    FalseDiscovery,
    HeldOut,
    Evidence,
    Shift,
}

/// The columns, from left to right.
const COLUMNS: [SortColumn<Key>; 10] = [
    SortColumn::rising(Key::Regulator, "Regulator", "Who regulates"),
    SortColumn::rising(Key::Sign, "Sign", "Whether the regulator raises or lowers the target"),
    SortColumn::rising(Key::Target, "Target", "Who is regulated"),
    SortColumn::rising(Key::Rank, "Rank", "Rank among all edges of the model; 1 is the best"),
    SortColumn::falling(
        Key::Agreement,
        "Kept by",
        "Members of the ensemble that have the edge among their own best, as many as the last edge shown has rank",
    ),
    SortColumn::rising(Key::FalseDiscovery, "FDR", FALSE_DISCOVERY),
    SortColumn::rising(Key::HeldOut, "Held-out p", HELD_OUT),
    SortColumn::falling(
        Key::Probability,
        "Prob.",
        "The model's probability of the edge. Probabilities crowd near 0.5 by construction: trust the rank",
    ),
    SortColumn::rising(Key::Evidence, "Evidence", "What the sign rests on"),
    SortColumn::falling(
        Key::Shift,
        "Shift",
        "Shift (log2) of the target under perturbation of the regulator that gave the sign",
    ),
];
/// Columns shown where there is little room, in points.
const WIDE: f32 = 600.0;
const NARROW: usize = 5;

/// What this table keeps for itself.
pub struct EdgeTable {
    sort: Sort<Key>,
    text: String,
    all: bool,
    /// Positions of edges in the order of the table, and what they were made for.
    rows: Arc<[u32]>,
    made: Option<(Sort<Key>, String, bool, usize)>,
    /// The place of each gene in the alphabet, and the network it is of.
    alphabet: Option<(Arc<Grn>, Vec<u32>)>,
    linked: Linked,
}

impl Default for EdgeTable {
    fn default() -> Self {
        Self {
            sort: Sort::rising(Key::Rank),
            text: String::new(),
            all: false,
            rows: Arc::default(),
            made: None,
            alphabet: None,
            linked: Linked::default(),
        }
    }
}

/// The selected genes of a network, and which edges belong to them.
struct Selected {
    genes: HashSet<GeneId>,
    /// Positions of the edges of paths that are pointed out, rising.
    paths: Vec<u32>,
}

impl Selected {
    fn of(network: &Grn, selection: &[String], paths: Vec<u32>) -> Self {
        Self { genes: selection.iter().filter_map(|gene| network.find(gene)).collect(), paths }
    }

    /// Edges of paths; without any, those between selected genes, or at the gene where it is one alone.
    fn has(&self, edge: &Edge) -> bool {
        if !self.paths.is_empty() {
            return self.paths.binary_search(&(edge.rank - 1)).is_ok();
        }
        let (regulator, target) = (self.genes.contains(&edge.regulator), self.genes.contains(&edge.target));
        if self.genes.len() > 1 { regulator && target } else { regulator || target }
    }
}

impl EdgeTable {
    /// Other edges are shown: the rows are to be made anew.
    pub fn forget(&mut self) {
        self.made = None;
    }

    /// Draw it into all of `ui`.
    pub fn show(&mut self, ui: &mut Ui, shown: &Shown, state: &State, actions: &mut Vec<Action>) {
        let network = shown.network();
        let mut only_shown = !self.all;
        let (rows, total) = (self.rows.len(), network.edges().len());
        if head(ui, &mut self.text, &mut only_shown, Head { what: "edge", rows, total, docked: true }, state, actions) {
            let (shown, rows, tests) = (shown.clone(), self.rows.clone(), state.edge_tests().cloned());
            actions.push(save("edges", move || table(&shown, &rows, tests.as_deref())));
        }
        self.all = !only_shown;
        let tests = state.edge_tests().filter(|_| self.sort.key == Key::HeldOut);
        let tests = tests.map_or(0, |tests| Arc::as_ptr(tests) as usize);
        let wanted = (self.sort, self.text.clone(), self.all, tests);
        if self.made.as_ref() != Some(&wanted) {
            self.rows = self.sorted(shown, state.edge_tests().map(|tests| &**tests)).into();
            self.made = Some(wanted);
        }
        let paths = state.runtime.paths.edges(network, state.document.paths.as_ref());
        let selected = Selected::of(network, &state.document.selection, paths);
        let goal = self
            .linked
            .follow(&state.document.selection, &selected.paths)
            .then(|| self.rows.iter().position(|&row| selected.has(&network.edges()[row as usize])));
        if self.rows.is_empty() {
            ui.label("No edge fits");
            return;
        }
        self.table(ui, shown, goal.flatten(), &selected, state, actions);
    }

    /// The place of each gene in the alphabet.
    fn alphabet(&mut self, network: &Arc<Grn>) -> &[u32] {
        if !self.alphabet.as_ref().is_some_and(|(known, _)| Arc::ptr_eq(known, network)) {
            let mut order: Vec<u32> = (0..network.genes().len() as u32).collect();
            order.sort_by_key(|&gene| network.symbol(GeneId(gene)));
            let mut place = vec![0; order.len()];
            for (at, gene) in order.into_iter().enumerate() {
                place[gene as usize] = at as u32;
            }
            self.alphabet = Some((network.clone(), place));
        }
        self.alphabet.as_ref().map_or(&[], |(_, place)| place)
    }

    fn sorted(&mut self, shown: &Shown, tests: Option<&EdgeTests>) -> Vec<u32> {
        let network = shown.network().clone();
        let edges = network.edges();
        let mut rows: Vec<u32> = if self.all {
            (0..edges.len() as u32).collect()
        } else {
            shown.edges().map(|edge| edge.rank - 1).collect()
        };
        let part = self.text.trim().to_lowercase();
        if !part.is_empty() {
            let fits: Vec<bool> = network.genes().iter().map(|gene| search::contains(&gene.symbol, &part)).collect();
            let has = |gene: GeneId| fits[gene.0 as usize];
            rows.retain(|&row| has(edges[row as usize].regulator) || has(edges[row as usize].target));
        }
        let sort = self.sort;
        let by = |rows: &mut [u32], value: &dyn Fn(&Edge) -> Option<f32>| {
            // Equal ones by rank.
            rows.sort_by(|&a, &b| sort.numbers(value(&edges[a as usize]), value(&edges[b as usize])));
        };
        match sort.key {
            Key::Regulator | Key::Target => {
                let place = self.alphabet(&network);
                let gene = |edge: &Edge| if sort.key == Key::Regulator { edge.regulator } else { edge.target };
                rows.sort_by(|&a, &b| {
                    let place = |row: u32| place[gene(&edges[row as usize]).0 as usize];
                    sort.apply(place(a).cmp(&place(b)))
                });
            }
            Key::Rank if sort.falling => rows.reverse(),
            Key::Rank => {}
            Key::Probability => by(&mut rows, &|edge| Some(edge.probability)),
            Key::Sign => by(&mut rows, &|edge| match edge.sign {
                Sign::Activates => Some(0.0),
                Sign::Represses => Some(1.0),
                Sign::Unknown => None,
            }),
            Key::Evidence => by(&mut rows, &|edge| match edge.evidence {
                SignEvidence::Measured => Some(0.0),
                SignEvidence::Predicted => Some(1.0),
                SignEvidence::Reference => Some(2.0),
                SignEvidence::None => None,
            }),
            Key::Agreement => {
                let agreement = shown.agreement();
                by(&mut rows, &|edge| agreement.map(|agreement| agreement.share(edge)));
            }
            Key::FalseDiscovery => by(&mut rows, &|edge| edge.false_discovery_rate),
            Key::HeldOut => by(&mut rows, &|edge| tests.and_then(|tests| Some(tests.get(edge)?.adjusted as f32))),
            Key::Shift => by(&mut rows, &|edge| edge.shift),
        }
        rows
    }

    fn table(
        &mut self,
        ui: &mut Ui,
        shown: &Shown,
        goal: Option<usize>,
        selected: &Selected,
        state: &State,
        actions: &mut Vec<Action>,
    ) {
        let (network, agreement, tests) = (shown.network(), shown.agreement(), state.edge_tests());
        let narrow = ui.available_width() < WIDE;
        // Where there is room for one of them, what colours the edges.
        let one_only = narrow && tests.is_some() && state.document.style.edge_colour == EdgeAttribute::HeldOut;
        let there = COLUMNS.iter().filter(|column| match column.key {
            Key::Agreement => agreement.is_some() && !one_only,
            Key::FalseDiscovery => network.has_false_discovery_rates() && !one_only,
            Key::HeldOut => tests.is_some(),
            _ => true,
        });
        let most = if narrow { NARROW } else { COLUMNS.len() };
        let columns: Vec<SortColumn<Key>> = there.take(most).copied().collect();
        let name = || Column::remainder().at_least(60.0).clip(true);
        let mut builder = TableBuilder::new(ui)
            .id_salt("edges")
            .striped(true)
            .sense(egui::Sense::click())
            .auto_shrink(false)
            .cell_layout(egui::Layout::left_to_right(Align::Center))
            .column(name())
            .column(Column::exact(76.0))
            .column(name())
            .column(Column::exact(60.0));
        for column in columns.iter().skip(NARROW - 1) {
            let width = if matches!(column.key, Key::Evidence | Key::HeldOut) { 80.0 } else { 60.0 };
            builder = builder.column(Column::exact(width));
        }
        if let Some(goal) = goal {
            builder = builder.scroll_to_row(goal, Some(Align::Center));
        }
        let (rows, sort) = (self.rows.clone(), &mut self.sort);
        let header = builder.header(theme::ROW_HEIGHT, |mut header| {
            sort_headers(&mut header, sort, &columns);
        });
        header.body(|body| {
            body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
                let edge = &network.edges()[rows[row.index()] as usize];
                let (regulator, target) = (network.symbol(edge.regulator), network.symbol(edge.target));
                let is_selected = selected.has(edge);
                row.set_selected(is_selected);
                for &SortColumn { key, .. } in &columns {
                    row.col(|ui| {
                        let text = match key {
                            Key::Regulator => regulator.to_owned(),
                            Key::Target => target.to_owned(),
                            Key::Rank => grouped(edge.rank as usize),
                            Key::Probability => format!("{:.3}", edge.probability),
                            Key::Sign => sign_word(edge.sign).to_owned(),
                            Key::Agreement => agreement.map_or_else(String::new, |agreement| {
                                format!("{} of {}", agreement.keeping(edge), agreement.members())
                            }),
                            Key::FalseDiscovery => match edge.false_discovery_rate {
                                Some(rate) => p_text(f64::from(rate)),
                                None => "–".to_owned(),
                            },
                            Key::HeldOut => match tests.and_then(|tests| tests.get(edge)) {
                                Some(test) => p_text(test.adjusted),
                                None => "–".to_owned(),
                            },
                            Key::Evidence => edge.evidence.word().to_owned(),
                            Key::Shift => edge.shift.map_or_else(|| "–".to_owned(), signed),
                        };
                        let text = RichText::new(text);
                        let text = if key == Key::Sign { text.color(sign_colour(ui, edge.sign)) } else { text };
                        ui.add(egui::Label::new(text).selectable(false).truncate());
                    });
                }
                let response = row.response();
                response.widget_info(|| {
                    WidgetInfo::selected(egui::Role::Row, true, is_selected, format!("edge {regulator} → {target}"))
                });
                if response.clicked() {
                    self.linked.click();
                    actions.push(select_ends(&response.ctx, [regulator, target], state));
                }
            });
        });
    }
}

pub(in crate::app::views) fn sign_word(sign: Sign) -> &'static str {
    match sign {
        Sign::Activates => "activates",
        Sign::Represses => "represses",
        Sign::Unknown => "–",
    }
}

pub(in crate::app::views) fn sign_colour(ui: &Ui, sign: Sign) -> egui::Color32 {
    let figure = crate::app::views::network::theme(ui.visuals().dark_mode);
    let colour = crate::app::widgets::scene_painter::colour;
    match sign {
        Sign::Activates => colour(figure.activation),
        Sign::Represses => colour(figure.repression),
        Sign::Unknown => theme::colours(ui).text_weak,
    }
}

/// The edges `rows` as tab-separated text, as files of edges have them.
fn table(shown: &Shown, rows: &[u32], tests: Option<&EdgeTests>) -> String {
    let (network, mut text) = (shown.network(), Vec::new());
    let edges = rows.iter().map(|&row| &network.edges()[row as usize]);
    // Memory takes all that is written.
    let extra = tests.map(EdgeTests::columns).unwrap_or_default();
    let _ = write_table(network, edges, shown.agreement(), &extra, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::NetworkFilter;
    use crate::network::fixtures;

    fn shown() -> Shown {
        let edge = |regulator, target, probability, sign, evidence, shift| Edge {
            sign,
            evidence,
            shift,
            ..fixtures::edge(regulator, target, probability)
        };
        let edges = vec![
            edge(2, 0, 0.9, Sign::Represses, SignEvidence::Measured, Some(0.5)),
            edge(0, 1, 0.8, Sign::Unknown, SignEvidence::None, None),
            edge(1, 2, 0.7, Sign::Activates, SignEvidence::Predicted, Some(-2.0)),
            edge(1, 0, 0.1, Sign::Activates, SignEvidence::Predicted, Some(-1.0)),
        ];
        let grn = Grn::new(fixtures::genes(["IRF1", "STAT1", "JAK2"]), edges).unwrap();
        Shown::of(&Arc::new(grn), &NetworkFilter::top(3))
    }

    #[test]
    fn edges_are_sorted_and_filtered() {
        let shown = shown();
        let rows = |sort, text: &str, all| {
            let mut table = EdgeTable { sort, text: text.into(), all, ..EdgeTable::default() };
            table.sorted(&shown, None).iter().map(|row| row + 1).collect::<Vec<u32>>()
        };
        assert_eq!(rows(Sort::rising(Key::Rank), "", false), [1, 2, 3]);
        assert_eq!(rows(Sort::falling(Key::Rank), "", true), [4, 3, 2, 1]);
        assert_eq!(rows(Sort::rising(Key::Regulator), "", true), [2, 1, 3, 4], "equal ones by rank");
        assert_eq!(rows(Sort::falling(Key::Target), "", false), [2, 3, 1]);
        assert_eq!(rows(Sort::rising(Key::Shift), "", true), [3, 4, 1, 2], "without a value last");
        assert_eq!(rows(Sort::falling(Key::Shift), "", true), [1, 4, 3, 2]);
        assert_eq!(rows(Sort::rising(Key::Sign), "", true), [3, 4, 1, 2]);
        assert_eq!(rows(Sort::rising(Key::Rank), " jak", true), [1, 3]);
    }

    #[test]
    fn edges_are_written_as_elsewhere() {
        let shown = shown();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edges.tsv");
        crate::network::formats::write_edges(&path, &NetworkFilter::default().apply(shown.network()), &[]).unwrap();
        assert_eq!(table(&shown, &[0, 1, 2, 3], None), std::fs::read_to_string(&path).unwrap());
    }

    #[test]
    fn edges_between_selected_genes_are_selected() {
        let shown = shown();
        let chosen = |genes: &[&str], paths: &[u32]| {
            let selection: Vec<String> = genes.iter().map(|gene| (*gene).to_owned()).collect();
            let selected = Selected::of(shown.network(), &selection, paths.to_vec());
            shown.network().edges().iter().filter(|edge| selected.has(edge)).map(|edge| edge.rank).collect::<Vec<_>>()
        };
        assert_eq!(chosen(&["IRF1"], &[]), [1, 2, 4]);
        assert_eq!(chosen(&["IRF1", "STAT1"], &[]), [2, 4]);
        assert_eq!(chosen(&["IRF1", "STAT1"], &[0, 2]), [1, 3], "paths are meant first");
        assert!(chosen(&[], &[]).is_empty());
    }
}
