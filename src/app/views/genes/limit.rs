//! Above everything else: how many edges are shown, and which filters are set.

use egui::{Button, RichText, Slider, Ui, WidgetInfo};

use crate::app::views::network::Shown;
use crate::app::{Action, State, theme};
use crate::document::NetworkFilter;
use crate::network::filter::Step;
use crate::words::{counted, grouped};

/// Longest text of a filter that is set.
const LONGEST: usize = 34;

/// Draw it. Gives back whether the user wants to see all filters.
pub(super) fn show(ui: &mut Ui, shown: &Shown, state: &State, actions: &mut Vec<Action>) -> bool {
    let filter = &state.document.filter;
    let total = shown.network().edges().len();
    let mut count = filter.top.unwrap_or(total).clamp(1, total.max(1));
    ui.scope(|ui| {
        ui.spacing_mut().slider_width = (ui.available_width() - 76.0).clamp(60.0, 260.0);
        let slider = ui.add(number(Slider::new(&mut count, 1..=total.max(1)).logarithmic(true).integer()));
        slider.widget_info(|| WidgetInfo::slider(true, count as f64, "Number of edges"));
        if slider.on_hover_text("The best edges by rank, of those that pass the other filters").changed() {
            let top = (count < total).then_some(count);
            actions.push(Action::SetFilter(Box::new(NetworkFilter { top, ..filter.clone() })));
        }
    });
    let text = format!(
        "{} of {} between {} of {}",
        grouped(shown.edge_count()),
        counted(total, "edge"),
        grouped(shown.gene_count()),
        counted(shown.network().genes().len(), "gene")
    );
    ui.label(RichText::new(text).small().color(theme::colours(ui).text_weak));
    chips(ui, filter, actions)
}

/// Large numbers in groups of digits, as elsewhere; typed as anybody writes them.
fn number(slider: Slider<'_>) -> Slider<'_> {
    slider
        .custom_formatter(|count, _| grouped(count as usize))
        .custom_parser(|text| text.replace([',', ' ', '\u{202f}', '\''], "").parse().ok())
}

/// The filters that are set beside the number of edges: a click on one shows all filters, its cross takes it back.
fn chips(ui: &mut Ui, filter: &NetworkFilter, actions: &mut Vec<Action>) -> bool {
    let mut wanted = false;
    let set = |step: &Step| *step != Step::Top && filter.is_set(*step);
    if !Step::ALL.iter().any(set) {
        return false;
    }
    ui.horizontal_wrapped(|ui| {
        let spacing = ui.spacing_mut();
        spacing.item_spacing = egui::vec2(theme::SMALL, theme::SMALL);
        spacing.button_padding = egui::vec2(7.0, 2.0);
        spacing.interact_size.y = 18.0;
        for step in Step::ALL.into_iter().filter(set) {
            let Some(words) = filter.words(step) else { continue };
            let mut short: String = words.chars().take(LONGEST).collect();
            if short.len() < words.len() {
                short.push('…');
            }
            let text = RichText::new(format!("{short}  ×")).small();
            let chip = ui.add(Button::new(text));
            chip.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Take back: {words}")));
            if chip.on_hover_text(format!("{words}\nClick to take it back")).clicked() {
                actions.push(Action::SetFilter(Box::new(filter.without(step))));
            }
        }
        let all = ui.add(Button::new(RichText::new("Edit…").small()));
        all.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, "Edit the filters"));
        wanted = all.on_hover_text("Show all filters").clicked();
    });
    wanted
}
