//! The side panel: what is shown of the network, search for a gene, and pages for what was found: filters, all genes, the
//! selected gene, the effects of the knock-out.

mod filters;
mod find;
mod limit;

use egui::Ui;

use super::inspector::{self, InspectorView};
use super::knock_out::{self, KnockOutView};
use super::network::Shown;
use super::tables::GeneTable;
use crate::app::widgets::empty_page;
use crate::app::{Action, State, theme};

/// What this view keeps for itself.
#[derive(Default)]
pub struct GenesView {
    page: Page,
    shown: Option<Shown>,
    find: find::FindField,
    filters: filters::FiltersPage,
    table: GeneTable,
    knock_out: KnockOutView,
    /// Selection and knock-out at the last frame: a change turns the page.
    seen: (Option<String>, Vec<String>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Page {
    Filters,
    #[default]
    Genes,
    Selected,
    KnockOut,
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
    let filter = &state.document.filter;
    if !view.shown.as_ref().is_some_and(|shown| shown.is_current(network, filter)) {
        view.shown = Some(Shown::of(network, filter));
        view.table.forget();
    }
    let Some(shown) = &view.shown else { return };
    if limit::show(ui, shown, state, actions) {
        view.page = Page::Filters;
    }
    ui.separator();
    if view.find.show(ui, network, state, actions) {
        view.page = Page::Selected;
    }
    turn_page(&mut view.page, &mut view.seen, state);
    pages(&mut view.page, ui, state);
    match view.page {
        Page::Filters => view.filters.show(ui, shown, state, actions),
        Page::Genes => view.table.show(ui, shown, state, actions),
        Page::Selected => inspector::show(inspector, ui, state, actions),
        Page::KnockOut => knock_out::show(&mut view.knock_out, ui, state, actions),
    }
}

/// What the user just did decides the page: selecting shows the gene, knocking out the effects. Who sets filters stays
/// with them.
fn turn_page(page: &mut Page, seen: &mut (Option<String>, Vec<String>), state: &State) {
    let now: (Option<String>, Vec<String>) =
        (state.document.focus().map(str::to_owned), state.document.knock_out.keys().cloned().collect());
    if now.1 != seen.1 && !now.1.is_empty() {
        *page = Page::KnockOut;
    } else if now.0 != seen.0 && now.0.is_some() && *page != Page::Filters {
        *page = Page::Selected;
    } else if (now.1.is_empty() && *page == Page::KnockOut) || (now.0.is_none() && *page == Page::Selected) {
        *page = if now.0.is_some() { Page::Selected } else { Page::Genes };
    }
    *seen = now;
}

fn pages(page: &mut Page, ui: &mut Ui, state: &State) {
    ui.horizontal_wrapped(|ui| {
        ui.selectable_value(page, Page::Filters, "Filters").on_hover_text("What is shown of the network");
        ui.selectable_value(page, Page::Genes, "All genes");
        if let Some(focus) = state.document.focus() {
            ui.selectable_value(page, Page::Selected, focus).on_hover_text("The selected gene");
        }
        if !state.document.knock_out.is_empty() {
            ui.selectable_value(page, Page::KnockOut, "Knock-out");
        }
    });
    ui.add_space(theme::SMALL);
}
