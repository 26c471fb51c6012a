//! The table of gene sets: which of them the selected genes are rich in. The test runs away from the frame.

use std::sync::Arc;

use egui::{Align, RichText, Ui, WidgetInfo};
use egui_extras::{Column, TableBuilder};

use super::{filter_field, kinds, save, save_button};
use crate::app::attached::Attachment;
use crate::app::views::network::{attachment, p_text};
use crate::app::views::search;
use crate::app::widgets::{Sort, SortColumn, sort_headers};
use crate::app::{Action, State, theme};
use crate::jobs::{Job, Outcome};
use crate::network::Grn;
use crate::network::gene_sets::{Enriched, Enrichment, GeneSets, enrichment, write_enrichment};
use crate::words::{counted, grouped, listed};

/// Genes that a set must have in the background to be tested.
const LEAST: usize = 3;
/// False discovery rate up to which a set stands out.
const CLEAR: f64 = 0.05;
/// Below this width only the first columns have room, in points.
const WIDE: f32 = 520.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Name,
    Hits,
    Fold,
    Chance,
    Rate,
}

/// The columns, from left to right.
const COLUMNS: [SortColumn<Key>; 5] = [
    SortColumn::rising(Key::Name, "Gene set", "Name of the set"),
    SortColumn::falling(Key::Hits, "Genes", "Selected genes in the set, of all its genes in the background"),
    SortColumn::rising(Key::Rate, "q", "False discovery rate (Benjamini–Hochberg)"),
    SortColumn::rising(Key::Chance, "p", "Chance of at least so many shared genes (hypergeometric)"),
    SortColumn::falling(Key::Fold, "Fold", "Shared genes as a multiple of what chance would share"),
];

/// Genes that could have been selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Background {
    #[default]
    Network,
    DataSet,
}

/// What an answer is the answer to.
#[derive(Clone)]
struct Question {
    sets: Arc<GeneSets>,
    network: Arc<Grn>,
    selection: Vec<String>,
    background: Background,
    /// Genes of the data set, if they are the background.
    genes: Arc<[String]>,
}

impl Question {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.sets, &other.sets)
            && Arc::ptr_eq(&self.network, &other.network)
            && self.selection == other.selection
            && self.background == other.background
            && Arc::ptr_eq(&self.genes, &other.genes)
    }
}

/// What this table keeps for itself.
pub struct SetTable {
    sort: Sort<Key>,
    text: String,
    background: Background,
    asked: Option<Question>,
    job: Option<Job<Enrichment>>,
    found: Option<Arc<Enrichment>>,
    failed: Option<String>,
    /// Positions in the answer, in the order of the table, and what they were made for.
    rows: Arc<[usize]>,
    made: Option<(Sort<Key>, String, usize)>,
    /// Symbols of the data set and where they were taken from.
    genes: Option<(usize, Arc<[String]>)>,
}

impl Default for SetTable {
    fn default() -> Self {
        Self {
            sort: Sort::rising(Key::Chance),
            text: String::new(),
            background: Background::default(),
            asked: None,
            job: None,
            found: None,
            failed: None,
            rows: Arc::default(),
            made: None,
            genes: None,
        }
    }
}

impl SetTable {
    /// Draw it into all of `ui`.
    pub fn show(&mut self, ui: &mut Ui, network: &Arc<Grn>, state: &State, actions: &mut Vec<Action>) {
        self.follow(ui, network, state);
        ui.horizontal_wrapped(|ui| {
            kinds(ui, state, actions);
            attachment(ui, Attachment::GeneSets, "Gene sets…", state, actions);
            if state.runtime.attached.gene_sets.is_none() {
                return;
            }
            filter_field(ui, &mut self.text, "Filter the gene sets", 160.0);
            self.choose_background(ui, state);
            if let Some(found) = self.found.clone()
                && save_button(ui, "gene sets")
            {
                actions.push(save("gene-sets", move || write_enrichment(&found)));
            }
            if self.job.is_some() {
                ui.spinner();
            }
        });
        if state.runtime.attached.gene_sets.is_none() {
            let reading = state.document.sources.gene_sets.is_some();
            ui.label(if reading {
                "Reading the gene sets"
            } else {
                "Choose a GMT file of gene sets to see which of them the selected genes are rich in"
            });
            return;
        }
        if let Some(reason) = &self.failed {
            ui.label(RichText::new(reason).color(theme::colours(ui).bad));
            return;
        }
        if state.document.selection.is_empty() {
            ui.label("Select genes in the network or in a table to see which gene sets they are rich in");
            return;
        }
        let Some(found) = self.found.clone() else { return };
        let clear = found.sets.iter().filter(|set| set.q_value <= CLEAR).count();
        let text = format!(
            "{} of {} selected; {} tested, {} with q ≤ {CLEAR}",
            grouped(found.selected),
            counted(found.background, "gene"),
            counted(found.sets.len(), "set"),
            grouped(clear)
        );
        ui.label(RichText::new(text).small().color(theme::colours(ui).text_weak));
        self.sort_rows(&found);
        self.table(ui, &found, state, actions);
    }

    fn choose_background(&mut self, ui: &mut Ui, state: &State) {
        let choices = [(Background::Network, "Genes of the network"), (Background::DataSet, "Genes of the data set")];
        let now = choices.iter().find(|choice| choice.0 == self.background).map_or("", |choice| choice.1);
        let shown = egui::ComboBox::from_id_salt("background").selected_text(now).width(150.0).show_ui(ui, |ui| {
            for (choice, text) in choices {
                let there = choice == Background::Network || state.runtime.dataset.is_some();
                let label = egui::Button::selectable(choice == self.background, text);
                if ui.add_enabled(there, label).on_disabled_hover_text("No data set is open").clicked() {
                    self.background = choice;
                }
            }
        });
        let label = "Genes that could have been selected";
        shown.response.widget_info(|| WidgetInfo::labeled(egui::Role::ComboBox, true, label));
        shown.response.on_hover_text(format!("{label}: the background of the test"));
    }

    /// Ask anew where selection, sets or background are others.
    fn follow(&mut self, ui: &Ui, network: &Arc<Grn>, state: &State) {
        if let Some(outcome) = self.job.as_mut().and_then(Job::poll) {
            self.job = None;
            match outcome {
                Outcome::Finished(found) => self.found = Some(Arc::new(found)),
                Outcome::Cancelled => {}
                Outcome::Failed { message, .. } => self.failed = Some(message),
            }
            self.made = None;
        }
        let Some(sets) = &state.runtime.attached.gene_sets else {
            (self.asked, self.job, self.found, self.failed) = (None, None, None, None);
            return;
        };
        let dataset = state.runtime.dataset.as_ref();
        if dataset.is_none() {
            self.background = Background::Network;
        }
        let from = dataset.map_or(0, |dataset| Arc::as_ptr(dataset) as usize);
        if self.genes.as_ref().is_none_or(|(known, _)| *known != from) {
            let symbols = dataset.map(|dataset| dataset.genes().iter().map(|gene| gene.symbol.clone()).collect());
            self.genes = Some((from, symbols.unwrap_or_default()));
        }
        let question = Question {
            sets: sets.clone(),
            network: network.clone(),
            selection: state.document.selection.clone(),
            background: self.background,
            genes: self.genes.as_ref().map(|(_, genes)| genes.clone()).unwrap_or_default(),
        };
        if self.asked.as_ref().is_some_and(|asked| asked.is(&question)) {
            return;
        }
        self.asked = Some(question.clone());
        self.failed = None;
        if question.selection.is_empty() {
            (self.job, self.found) = (None, None);
            return;
        }
        let context = ui.ctx().clone();
        // Dropping the job before cancels it.
        self.job = Some(Job::spawn(
            "gene sets",
            move || context.request_repaint(),
            move |_| {
                let selection = question.selection.iter().map(String::as_str);
                Ok::<_, std::convert::Infallible>(match question.background {
                    Background::Network => {
                        let genes = question.network.genes().iter().map(|gene| gene.symbol.as_str());
                        enrichment(&question.sets, selection, genes, LEAST)
                    }
                    Background::DataSet => {
                        enrichment(&question.sets, selection, question.genes.iter().map(String::as_str), LEAST)
                    }
                })
            },
        ));
    }

    fn sort_rows(&mut self, found: &Arc<Enrichment>) {
        let wanted = (self.sort, self.text.clone(), Arc::as_ptr(found) as usize);
        if self.made.as_ref() == Some(&wanted) {
            return;
        }
        let part = self.text.trim().to_lowercase();
        let sets = &found.sets;
        let mut rows: Vec<usize> = (0..sets.len()).filter(|at| search::contains(&sets[*at].name, &part)).collect();
        rows.sort_by(|&a, &b| {
            let (a, b) = (&sets[a], &sets[b]);
            let order = match self.sort.key {
                Key::Name => a.name.cmp(&b.name),
                Key::Hits => a.hits.len().cmp(&b.hits.len()),
                Key::Fold => a.fold().total_cmp(&b.fold()),
                Key::Chance => a.p_value.total_cmp(&b.p_value),
                Key::Rate => a.q_value.total_cmp(&b.q_value),
            };
            self.sort.apply(order).then(a.p_value.total_cmp(&b.p_value)).then_with(|| a.name.cmp(&b.name))
        });
        (self.rows, self.made) = (rows.into(), Some(wanted));
    }

    fn table(&mut self, ui: &mut Ui, found: &Enrichment, state: &State, actions: &mut Vec<Action>) {
        let wide = ui.available_width() >= WIDE;
        let columns = if wide { &COLUMNS[..] } else { &COLUMNS[..3] };
        let builder = TableBuilder::new(ui)
            .id_salt("gene sets")
            .striped(true)
            .sense(egui::Sense::click())
            .auto_shrink(false)
            .cell_layout(egui::Layout::left_to_right(Align::Center))
            .column(Column::remainder().at_least(90.0).clip(true))
            .columns(Column::exact(76.0), columns.len() - 1);
        let (rows, sort) = (self.rows.clone(), &mut self.sort);
        let header = builder.header(theme::ROW_HEIGHT, |mut header| {
            sort_headers(&mut header, sort, columns);
        });
        header.body(|body| {
            body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
                let set = &found.sets[rows[row.index()]];
                for &SortColumn { key, .. } in columns {
                    row.col(|ui| {
                        let text = RichText::new(cell(set, key));
                        let text = if set.q_value <= CLEAR { text.strong() } else { text };
                        ui.add(egui::Label::new(text).selectable(false).truncate());
                    });
                }
                let response = row.response();
                response.widget_info(|| WidgetInfo::labeled(egui::Role::Row, true, format!("gene set {}", set.name)));
                let response = response.on_hover_ui(|ui| {
                    ui.label(RichText::new(&set.name).strong());
                    ui.label(format!("Selected: {}", listed(&set.hits, 30)));
                });
                response.context_menu(|ui| menu(ui, set, state, actions));
            });
        });
    }
}

fn cell(set: &Enriched, key: Key) -> String {
    match key {
        Key::Name => set.name.clone(),
        Key::Hits => format!("{} of {}", set.hits.len(), set.size),
        Key::Fold => format!("{:.1}", set.fold()),
        Key::Chance => p_text(set.p_value),
        Key::Rate => p_text(set.q_value),
    }
}

fn menu(ui: &mut Ui, set: &Enriched, state: &State, actions: &mut Vec<Action>) {
    if ui.button("Select its genes in the network").clicked()
        && let (Some(sets), Some(network)) = (&state.runtime.attached.gene_sets, state.network())
    {
        let genes = sets.sets.get(set.set).map(|set| &set.genes[..]).unwrap_or_default();
        actions.push(Action::SelectAll(genes.iter().filter(|gene| network.find(gene).is_some()).cloned().collect()));
    }
    if !set.hits.is_empty() && ui.button("Select only what is in it").clicked() {
        actions.push(Action::SelectAll(set.hits.clone()));
    }
}
