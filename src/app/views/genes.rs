//! The side panel: which edges are shown, search for a gene, and three lists: all genes, the selected gene, the effects of
//! the knock-out.

use std::sync::Arc;

use egui::{Key, RichText, Slider, TextEdit, Ui, WidgetInfo};
use egui_extras::{Column, TableBuilder};

use super::inspector::{self, InspectorView};
use super::knock_out::{self, KnockOutView};
use super::network::Shown;
use super::search;
use crate::app::widgets::{Sort, empty_page, sort_header};
use crate::app::{Action, State, theme};
use crate::document::Threshold;
use crate::network::{GeneId, Grn};
use crate::words::{counted, grouped};

/// What this view keeps for itself.
pub struct GenesView {
    text: String,
    /// Which suggestion the arrow keys chose.
    chosen: usize,
    page: Page,
    sort: Sort<GeneColumn>,
    shown: Option<Shown>,
    /// Rows in the order of the table, and what they were sorted for.
    rows: Vec<GeneId>,
    sorted: Option<Sort<GeneColumn>>,
    knock_out: KnockOutView,
    /// Selection and knock-out at the last frame: a change turns the page.
    seen: (Option<String>, Vec<String>),
}

impl Default for GenesView {
    fn default() -> Self {
        Self {
            text: String::new(),
            chosen: 0,
            page: Page::Genes,
            sort: Sort::falling(GeneColumn::Targets),
            shown: None,
            rows: Vec::new(),
            sorted: None,
            knock_out: KnockOutView::default(),
            seen: Default::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Genes,
    Selected,
    KnockOut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GeneColumn {
    Symbol,
    Targets,
    Regulators,
    Cells,
}

/// Draw it into all of `ui`.
pub fn show(
    view: &mut GenesView,
    inspector: &mut InspectorView,
    ui: &mut Ui,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let Some(network) = state.network() else {
        empty_page(ui, "No genes yet", "Genes and edges are listed here once there is a network", &[]);
        return;
    };
    let threshold = state.document.threshold;
    if !view.shown.as_ref().is_some_and(|shown| shown.is_current(network, threshold)) {
        view.shown = Some(Shown::of(network, threshold));
        view.sorted = None;
    }
    edges(view, ui, network, state, actions);
    ui.separator();
    search_field(view, ui, network, state, actions);
    turn_page(view, state);
    pages(view, ui, state);
    match view.page {
        Page::Genes => table(view, ui, network, state, actions),
        Page::Selected => inspector::show(inspector, ui, state, actions),
        Page::KnockOut => knock_out::show(&mut view.knock_out, ui, state, actions),
    }
}

/// What the user just did decides the page: selecting shows the gene, knocking out the effects.
fn turn_page(view: &mut GenesView, state: &State) {
    let now: (Option<String>, Vec<String>) =
        (state.document.focus().map(str::to_owned), state.document.knock_out.keys().cloned().collect());
    if now.1 != view.seen.1 && !now.1.is_empty() {
        view.page = Page::KnockOut;
    } else if now.0 != view.seen.0 && now.0.is_some() {
        view.page = Page::Selected;
    } else if (now.1.is_empty() && view.page == Page::KnockOut) || (now.0.is_none() && view.page == Page::Selected) {
        view.page = if now.0.is_some() { Page::Selected } else { Page::Genes };
    }
    view.seen = now;
}

fn pages(view: &mut GenesView, ui: &mut Ui, state: &State) {
    ui.horizontal_wrapped(|ui| {
        ui.selectable_value(&mut view.page, Page::Genes, "All genes");
        if let Some(focus) = state.document.focus() {
            ui.selectable_value(&mut view.page, Page::Selected, focus).on_hover_text("The selected gene");
        }
        if !state.document.knock_out.is_empty() {
            ui.selectable_value(&mut view.page, Page::KnockOut, "Knock-out");
        }
    });
    ui.add_space(theme::SMALL);
}

/// Which edges are shown.
fn edges(view: &GenesView, ui: &mut Ui, network: &Arc<Grn>, state: &State, actions: &mut Vec<Action>) {
    let threshold = state.document.threshold;
    let Some(shown) = &view.shown else { return };
    let total = network.edges().len();
    ui.horizontal_wrapped(|ui| {
        let kinds = [
            (matches!(threshold, Threshold::Top(_)), "Best", "The best edges by rank", Threshold::Top(shown.edge_count().max(1))),
            (
                matches!(threshold, Threshold::TopPerRegulator(_)),
                "Per regulator",
                "The best edges of each regulator, so that no regulator is left out",
                Threshold::TopPerRegulator(2),
            ),
            (
                matches!(threshold, Threshold::MinimumProbability(_)),
                "Probability",
                "Edges with at least this probability. The model's probabilities crowd near 0.5 because they are fitted to \
                 shifts of tenths of a log unit: their order tells more than their value",
                Threshold::MinimumProbability(shown.edges().last().map_or(0.5, |edge| edge.probability)),
            ),
        ];
        for (now, text, hint, change) in kinds {
            if ui.selectable_label(now, text).on_hover_text(hint).clicked() && !now {
                actions.push(Action::SetThreshold(change));
            }
        }
    });
    if let Some(changed) = slider(ui, network, threshold) {
        actions.push(Action::SetThreshold(changed));
    }
    let text = format!(
        "{} of {} between {} of {}",
        grouped(shown.edge_count()),
        counted(total, "edge"),
        grouped(shown.gene_count()),
        counted(network.genes().len(), "gene")
    );
    ui.label(RichText::new(text).small().color(theme::colours(ui).text_weak));
}

/// The slider of one kind of threshold; the new threshold if it was moved.
fn slider(ui: &mut Ui, network: &Grn, threshold: Threshold) -> Option<Threshold> {
    let edges = network.edges();
    ui.spacing_mut().slider_width = (ui.available_width() - 76.0).clamp(60.0, 260.0);
    let label = |response: egui::Response, label: &str| {
        response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Slider, true, label));
        response.changed()
    };
    match threshold {
        Threshold::Top(count) => {
            let mut count = count.clamp(1, edges.len().max(1));
            let slider = Slider::new(&mut count, 1..=edges.len().max(1)).logarithmic(true).integer();
            label(ui.add(slider), "Number of edges").then_some(Threshold::Top(count))
        }
        Threshold::TopPerRegulator(most) => {
            let highest = network.genes().len().saturating_sub(1).clamp(1, 50);
            let mut most = most.clamp(1, highest);
            label(ui.add(Slider::new(&mut most, 1..=highest).integer()), "Edges per regulator")
                .then_some(Threshold::TopPerRegulator(most))
        }
        Threshold::MinimumProbability(least) => {
            let (high, low) = (edges.first()?.probability, edges.last()?.probability);
            let mut least = least.clamp(low, high);
            // Only the range that occurs: outside it nothing changes.
            let slider = Slider::new(&mut least, low..=high).fixed_decimals(3).smart_aim(false);
            label(ui.add(slider), "Lowest probability").then_some(Threshold::MinimumProbability(least))
        }
    }
}

fn search_field(view: &mut GenesView, ui: &mut Ui, network: &Grn, state: &State, actions: &mut Vec<Action>) {
    let field = TextEdit::singleline(&mut view.text).hint_text("Find a gene").desired_width(f32::INFINITY);
    let response = ui.add(field);
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::TextInput, true, "Find a gene"));
    if state.view.focus_search {
        response.request_focus();
    }
    if response.changed() {
        view.chosen = 0;
    }
    let measured = state.runtime.model.as_ref().map(|model| model.card().genes.as_slice()).unwrap_or_default();
    let found = search::find(&view.text, network, measured, 6);
    if view.text.trim().is_empty() {
        return;
    }
    let enter = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if response.has_focus() {
        let (down, up) = ui.input(|input| (input.key_pressed(Key::ArrowDown), input.key_pressed(Key::ArrowUp)));
        let last = found.genes.len().saturating_sub(1);
        view.chosen = if down { (view.chosen + 1).min(last) } else { view.chosen.saturating_sub(usize::from(up)) };
    }
    let mut picked = enter.then(|| found.genes.get(view.chosen).cloned()).flatten();
    if let Some(remark) = &found.remark {
        ui.label(RichText::new(remark).small().color(theme::colours(ui).text_weak));
    }
    for (at, gene) in found.genes.iter().enumerate() {
        let suggestion = ui.selectable_label(at == view.chosen, gene);
        suggestion.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, format!("Go to {gene}")));
        if suggestion.clicked() {
            picked = Some(gene.clone());
        }
    }
    ui.add_space(theme::SMALL);
    if let Some(gene) = picked {
        view.text.clear();
        view.page = Page::Selected;
        actions.push(Action::Select { gene, extend: false });
    }
}

/// All genes with their numbers of visible edges.
fn table(view: &mut GenesView, ui: &mut Ui, network: &Grn, state: &State, actions: &mut Vec<Action>) {
    let Some(shown) = &view.shown else { return };
    if view.sorted != Some(view.sort) {
        view.rows = sorted(network, shown, view.sort);
        view.sorted = Some(view.sort);
    }
    let rows = &view.rows;
    let sort = &mut view.sort;
    let narrow = Column::exact(52.0);
    let builder = TableBuilder::new(ui)
        .id_salt("genes")
        .striped(true)
        .sense(egui::Sense::click())
        .cell_layout(egui::Layout::left_to_right(egui::Align::Center))
        .column(Column::remainder().at_least(70.0).clip(true))
        .column(narrow)
        .column(narrow)
        .column(narrow);
    let header = builder.header(theme::ROW_HEIGHT, |mut header| {
        header.col(|ui| _ = sort_header(ui, sort, GeneColumn::Symbol, "Gene", "Symbol", false));
        let text = "Visible edges out of the gene";
        header.col(|ui| _ = sort_header(ui, sort, GeneColumn::Targets, "Out", text, true));
        let text = "Visible edges into the gene";
        header.col(|ui| _ = sort_header(ui, sort, GeneColumn::Regulators, "In", text, true));
        let text = "Cells in which the gene was perturbed";
        header.col(|ui| _ = sort_header(ui, sort, GeneColumn::Cells, "Cells", text, true));
    });
    header.body(|body| {
        body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
            let id = rows[row.index()];
            let gene = network.gene(id);
            row.set_selected(state.document.is_selected(&gene.symbol));
            row.col(|ui| _ = ui.add(egui::Label::new(&gene.symbol).selectable(false).truncate()));
            let numbers = [shown.targets_of(id), shown.regulators_of(id), gene.perturbed_cells];
            for number in numbers {
                row.col(|ui| {
                    let text = if number == 0 { "–".to_owned() } else { grouped(number as usize) };
                    ui.add(egui::Label::new(text).selectable(false));
                });
            }
            let response = row.response();
            response
                .widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Row, true, format!("gene {}", gene.symbol)));
            if response.clicked() {
                let extend = response.ctx.input(|input| input.modifiers.shift || input.modifiers.command);
                actions.push(Action::Select { gene: gene.symbol.clone(), extend });
            }
        });
    });
}

fn sorted(network: &Grn, shown: &Shown, sort: Sort<GeneColumn>) -> Vec<GeneId> {
    let mut rows: Vec<GeneId> = (0..network.genes().len() as u32).map(GeneId).collect();
    let value = |id: GeneId| match sort.key {
        GeneColumn::Symbol => 0,
        GeneColumn::Targets => shown.targets_of(id),
        GeneColumn::Regulators => shown.regulators_of(id),
        GeneColumn::Cells => network.gene(id).perturbed_cells,
    };
    rows.sort_by(|&a, &b| {
        let by_name = network.symbol(a).cmp(network.symbol(b));
        match sort.key {
            GeneColumn::Symbol => sort.apply(by_name),
            _ => sort.apply(value(a).cmp(&value(b))).then(by_name),
        }
    });
    rows
}
