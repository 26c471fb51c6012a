//! The table of differences: every edge of either network, and who has it.

use std::collections::HashSet;
use std::sync::Arc;

use egui::{Align, RichText, Ui, WidgetInfo};
use egui_extras::{Column, TableBuilder};

use crate::app::views::network::picking::select_ends;
use crate::app::views::search;
use crate::app::views::tables::linked::Linked;
use crate::app::views::tables::{filter_field, save, save_button, sign_colour, sign_word};
use crate::app::widgets::{Sort, SortColumn, scene_painter, sort_headers};
use crate::app::{Action, State, theme};
use crate::network::Sign;
use crate::network::compare::{Compared as Edge, Seen, Side};
use crate::tasks::compare::Compared;
use crate::words::{counted, grouped};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Regulator,
    Target,
    Side,
    Rank(usize),
    Probability(usize),
    Sign(usize),
}

/// Which rows are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rows {
    #[default]
    All,
    Of(Side),
    Opposite,
}

/// Columns shown where there is little room, in points.
const WIDE: f32 = 640.0;
const NARROW: usize = 7;

/// What this table keeps for itself.
pub(super) struct DifferenceTable {
    sort: Sort<Key>,
    text: String,
    which: Rows,
    /// Positions of edges in the order of the table, and what they were made for.
    rows: Arc<[u32]>,
    made: Option<(Sort<Key>, String, Rows)>,
    linked: Linked,
}

impl Default for DifferenceTable {
    fn default() -> Self {
        Self {
            sort: Sort::rising(Key::Side),
            text: String::new(),
            which: Rows::All,
            rows: Arc::default(),
            made: None,
            linked: Linked::default(),
        }
    }
}

fn seen(edge: &Edge, side: usize) -> Option<Seen> {
    if side == 0 { edge.left } else { edge.right }
}

impl DifferenceTable {
    /// Other edges are compared: the rows are to be made anew.
    pub(super) fn forget(&mut self) {
        self.made = None;
    }

    /// Draw it into all of `ui`.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        compared: &Arc<Compared>,
        names: &[String; 2],
        state: &State,
        actions: &mut Vec<Action>,
    ) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 5.0;
            for (rows, text, hint) in [
                (Rows::All, "All", "Every edge of either network".to_owned()),
                (Rows::Of(Side::Both), "Both", "Edges that both networks have".to_owned()),
                (Rows::Of(Side::Left), "Left", format!("Edges that only {} has", names[0])),
                (Rows::Of(Side::Right), "Right", format!("Edges that only {} has", names[1])),
                (Rows::Opposite, "Opposite signs", "Edges of both with opposite signs".to_owned()),
            ] {
                let choice = ui.selectable_label(self.which == rows, text);
                let label = format!("Rows: {text}");
                choice.widget_info(|| WidgetInfo::selected(egui::Role::RadioButton, true, self.which == rows, &label));
                if choice.on_hover_text(hint).clicked() {
                    self.which = rows;
                }
            }
            filter_field(ui, &mut self.text, "Filter the differences", 150.0);
            if save_button(ui, "differences") {
                let compared = compared.clone();
                actions.push(save("differences", move || compared.comparison.table()));
            }
            let text = counted(self.rows.len(), "edge");
            ui.add(egui::Label::new(RichText::new(text).small().color(theme::colours(ui).text_weak)).truncate());
        });
        let wanted = (self.sort, self.text.clone(), self.which);
        if self.made.as_ref() != Some(&wanted) {
            self.rows = self.sorted(&compared.comparison.edges).into();
            self.made = Some(wanted);
        }
        let selection: HashSet<&str> = state.document.selection.iter().map(String::as_str).collect();
        let is_selected = |edge: &Edge| {
            let (regulator, target) = (selection.contains(&*edge.regulator), selection.contains(&*edge.target));
            if selection.len() > 1 { regulator && target } else { regulator || target }
        };
        let edges = &compared.comparison.edges;
        let goal = self
            .linked
            .follow(&state.document.selection, &[])
            .then(|| self.rows.iter().position(|&row| is_selected(&edges[row as usize])));
        if self.rows.is_empty() {
            ui.label("No edge fits");
            return;
        }
        self.table(ui, compared, names, goal.flatten(), &is_selected, state, actions);
    }

    fn sorted(&self, edges: &[Edge]) -> Vec<u32> {
        let part = self.text.trim().to_lowercase();
        let fits = |edge: &Edge| {
            let of_side = match self.which {
                Rows::All => true,
                Rows::Of(side) => edge.side() == side,
                Rows::Opposite => edge.contradicts(),
            };
            let has = |symbol: &str| part.is_empty() || search::contains(symbol, &part);
            of_side && (has(&edge.regulator) || has(&edge.target))
        };
        let mut rows: Vec<u32> = (0..edges.len() as u32).filter(|row| fits(&edges[*row as usize])).collect();
        let sort = self.sort;
        let value = |edge: &Edge| match sort.key {
            Key::Regulator | Key::Target => None,
            Key::Side => Some(match edge.side() {
                Side::Both => 0.0,
                Side::Left => 1.0,
                Side::Right => 2.0,
            }),
            Key::Rank(side) => seen(edge, side)?.rank.map(f64::from),
            Key::Probability(side) => seen(edge, side)?.probability.map(f64::from),
            Key::Sign(side) => match seen(edge, side)?.sign {
                Sign::Activates => Some(0.0),
                Sign::Represses => Some(1.0),
                Sign::Unknown => None,
            },
        };
        // Equal ones as they were.
        rows.sort_by(|&a, &b| {
            let (a, b) = (&edges[a as usize], &edges[b as usize]);
            match sort.key {
                Key::Regulator => sort.apply(a.regulator.cmp(&b.regulator)),
                Key::Target => sort.apply(a.target.cmp(&b.target)),
                _ => sort.numbers(value(a), value(b)),
            }
        });
        rows
    }

    #[allow(clippy::too_many_arguments)]
    fn table(
        &mut self,
        ui: &mut Ui,
        compared: &Compared,
        names: &[String; 2],
        goal: Option<usize>,
        is_selected: &dyn Fn(&Edge) -> bool,
        state: &State,
        actions: &mut Vec<Action>,
    ) {
        let in_each = |what: &str| [0, 1].map(|side: usize| format!("{what} in {}", names[side]));
        let (ranks, signs, probabilities) = (in_each("Rank"), in_each("Sign"), in_each("Probability"));
        let all = [
            SortColumn::rising(Key::Regulator, "Regulator", "Who regulates"),
            SortColumn::rising(Key::Target, "Target", "Who is regulated"),
            SortColumn::rising(Key::Side, "In", "Who has the edge"),
            SortColumn::rising(Key::Rank(0), "L rank", &ranks[0]),
            SortColumn::rising(Key::Sign(0), "L sign", &signs[0]),
            SortColumn::rising(Key::Rank(1), "R rank", &ranks[1]),
            SortColumn::rising(Key::Sign(1), "R sign", &signs[1]),
            SortColumn::falling(Key::Probability(0), "L prob.", &probabilities[0]),
            SortColumn::falling(Key::Probability(1), "R prob.", &probabilities[1]),
        ];
        let columns = if ui.available_width() >= WIDE { &all[..] } else { &all[..NARROW] };
        let figure = crate::app::views::network::theme(ui.visuals().dark_mode);
        let name = || Column::remainder().at_least(60.0).clip(true);
        let mut builder = TableBuilder::new(ui)
            .id_salt("differences")
            .striped(true)
            .sense(egui::Sense::click())
            .auto_shrink(false)
            .min_scrolled_height(0.0)
            .cell_layout(egui::Layout::left_to_right(Align::Center))
            .columns(name(), 2)
            .column(Column::exact(104.0).clip(true))
            .column(Column::exact(60.0))
            .column(Column::exact(76.0))
            .column(Column::exact(60.0))
            .column(Column::exact(76.0));
        if columns.len() > NARROW {
            builder = builder.columns(Column::exact(66.0), 2);
        }
        if let Some(goal) = goal {
            builder = builder.scroll_to_row(goal, Some(Align::Center));
        }
        let (rows, sort, linked) = (self.rows.clone(), &mut self.sort, &mut self.linked);
        let header = builder.header(theme::ROW_HEIGHT, |mut header| {
            sort_headers(&mut header, sort, columns);
        });
        header.body(|body| {
            body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
                let edge = &compared.comparison.edges[rows[row.index()] as usize];
                let selected = is_selected(edge);
                row.set_selected(selected);
                for &SortColumn { key, .. } in columns {
                    row.col(|ui| {
                        let text = match key {
                            Key::Regulator => RichText::new(&edge.regulator),
                            Key::Target => RichText::new(&edge.target),
                            Key::Side => {
                                let (text, colour) = match edge.side() {
                                    Side::Both if edge.contradicts() => ("both, opposite", figure.node_rim),
                                    Side::Both => ("both", figure.node_rim),
                                    Side::Left => ("only left", figure.series[0]),
                                    Side::Right => ("only right", figure.series[1]),
                                };
                                RichText::new(text).color(scene_painter::colour(colour))
                            }
                            Key::Rank(side) => {
                                let rank = seen(edge, side).and_then(|seen| seen.rank);
                                RichText::new(rank.map_or_else(|| "–".to_owned(), |rank| grouped(rank as usize)))
                            }
                            Key::Probability(side) => {
                                let probability = seen(edge, side).and_then(|seen| seen.probability);
                                RichText::new(probability.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}")))
                            }
                            Key::Sign(side) => match seen(edge, side).map(|seen| seen.sign) {
                                Some(sign) => RichText::new(sign_word(sign)).color(sign_colour(ui, sign)),
                                None => RichText::new("–"),
                            },
                        };
                        ui.add(egui::Label::new(text).selectable(false).truncate());
                    });
                }
                let response = row.response();
                response.widget_info(|| {
                    let label = format!("difference {} → {}", edge.regulator, edge.target);
                    WidgetInfo::selected(egui::Role::Row, true, selected, label)
                });
                if response.clicked() {
                    linked.click();
                    actions.push(select_ends(&response.ctx, [&edge.regulator, &edge.target], state));
                }
            });
        });
    }
}
