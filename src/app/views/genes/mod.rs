//! The side panel: what is shown of the network, search for a gene, and pages for what was found: filters, all genes, the
//! selected gene, the effects of the knock-out.

mod filters;
mod find;
mod limit;
mod paths;

use std::sync::Arc;

use egui::Ui;

pub(super) use filters::reach;

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
    shown: Option<Arc<Shown>>,
    find: find::FindField,
    filters: filters::FiltersPage,
    paths: paths::PathsPage,
    table: GeneTable,
    knock_out: KnockOutView,
    /// What turns the page, at the last frame.
    seen: Seen,
}

/// What turns the page when it changes: the selected gene, the knock-out, the ends of paths.
#[derive(Default, PartialEq)]
struct Seen {
    focus: Option<String>,
    knock_out: Vec<String>,
    paths: Option<(String, String)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Page {
    Filters,
    #[default]
    Genes,
    Selected,
    Paths,
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
    let Some(shown) = &state.shown() else {
        if state.network().is_some() {
            // It is about to be filtered.
            return;
        }
        empty_page(ui, "No genes yet", "Genes and edges are listed here once there is a network", &[]);
        return;
    };
    if !view.shown.as_ref().is_some_and(|known| Arc::ptr_eq(known, shown)) {
        view.shown = Some(shown.clone());
        view.table.forget();
    }
    if limit::show(ui, shown, state, actions) {
        view.page = Page::Filters;
    }
    ui.separator();
    if view.find.show(ui, state, actions) {
        view.page = if state.document.selection.len() > 1 { view.page } else { Page::Selected };
    }
    turn_page(&mut view.page, &mut view.seen, state);
    pages(&mut view.page, ui, state);
    match view.page {
        Page::Filters => view.filters.show(ui, shown, state, actions),
        Page::Genes => view.table.show(ui, shown, false, state, actions),
        Page::Paths => view.paths.show(ui, shown, state, actions),
        Page::Selected => inspector::show(inspector, ui, state, actions),
        Page::KnockOut => knock_out::show(&mut view.knock_out, ui, state, actions),
    }
}

/// Whether there is something to say about what lies between genes.
fn between(state: &State) -> bool {
    state.document.paths.is_some() || state.document.selection.len() > 1
}

/// What the user just did decides the page: selecting shows the gene, knocking out the effects, asking for paths those. Who
/// sets filters or looks at what lies between genes stays with that.
fn turn_page(page: &mut Page, seen: &mut Seen, state: &State) {
    let document = &state.document;
    let now = Seen {
        focus: document.focus().map(str::to_owned),
        knock_out: document.knock_out.keys().cloned().collect(),
        paths: document.paths.as_ref().map(|query| (query.from.clone(), query.to.clone())),
    };
    let stays = *page == Page::Filters || (*page == Page::Paths && between(state));
    let gone = match page {
        Page::KnockOut => now.knock_out.is_empty(),
        Page::Selected => now.focus.is_none(),
        Page::Paths => !between(state),
        Page::Filters | Page::Genes => false,
    };
    if now.paths != seen.paths && now.paths.is_some() {
        *page = Page::Paths;
    } else if now.knock_out != seen.knock_out && !now.knock_out.is_empty() {
        *page = Page::KnockOut;
    } else if now.focus != seen.focus && now.focus.is_some() && !stays {
        *page = Page::Selected;
    } else if gone {
        *page = if now.focus.is_some() { Page::Selected } else { Page::Genes };
    }
    *seen = now;
}

fn pages(page: &mut Page, ui: &mut Ui, state: &State) {
    ui.horizontal_wrapped(|ui| {
        // As many as there are fit into one line.
        ui.spacing_mut().item_spacing.x = 3.0;
        ui.spacing_mut().button_padding.x = 7.0;
        ui.selectable_value(page, Page::Filters, "Filters").on_hover_text("What is shown of the network");
        ui.selectable_value(page, Page::Genes, "All genes");
        if let Some(focus) = state.document.focus() {
            ui.selectable_value(page, Page::Selected, focus).on_hover_text("The selected gene");
        }
        if between(state) {
            let hint = "Paths between genes, and what the selected have in common";
            ui.selectable_value(page, Page::Paths, "Between").on_hover_text(hint);
        }
        if !state.document.knock_out.is_empty() {
            ui.selectable_value(page, Page::KnockOut, "Knock-out");
        }
    });
    ui.add_space(theme::SMALL);
}
