//! The way of neighbourhoods that the user walked, to go back along.

use egui::{RichText, Ui, WidgetInfo};

use crate::app::views::reach;
use crate::app::{Action, State, theme};
use crate::network::filter::{Neighbourhood, Step};
use crate::words::{counted, listed};

/// Draw it, if a neighbourhood is shown.
pub(super) fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let filter = &state.document.filter;
    let Some(last) = filter.trail.len().checked_sub(1) else { return };
    let mut changed = filter.clone();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SMALL;
        let link = ui.link("Whole network");
        if link.on_hover_text("Leave the neighbourhood").clicked() {
            changed = filter.without(Step::Neighbourhood);
        }
        for (at, around) in filter.trail.iter().enumerate() {
            ui.label(RichText::new("›").color(theme::colours(ui).text_weak));
            let text = words(around);
            if at == last {
                ui.label(RichText::new(text).strong());
                continue;
            }
            let link = ui.link(&text);
            link.widget_info(|| WidgetInfo::labeled(egui::Role::Link, true, format!("Back to {text}")));
            if link.clicked() {
                changed.trail.truncate(at + 1);
            }
        }
        if changed.trail.len() > last {
            ui.add_space(theme::MEDIUM);
            reach(ui, &mut changed.trail[last]);
        }
    });
    if changed != *filter {
        actions.push(Action::SetFilter(Box::new(changed)));
    }
}

/// `STAT1, 2 hops`.
fn words(around: &Neighbourhood) -> String {
    format!("{}, {}", listed(&around.genes, 2), counted(usize::from(around.hops), "hop"))
}
