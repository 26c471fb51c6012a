//! The line above the network: what the colours say, zoom, export.

use egui::{RichText, Ui, WidgetInfo};

use super::style_bar::close_together;
use super::{NetworkView, layout_menu, picking};
use crate::app::state::WaveView;
use crate::app::views::knock_out::asked;
use crate::app::widgets::evidence_badge;
use crate::app::{Action, State, theme};
use crate::tasks::badges;
use crate::words::{counted, grouped};

/// Draw it.
pub fn show(view: &mut NetworkView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        close_together(ui);
        let more = ui.selectable_label(view.style_bar, "Style");
        more.widget_info(|| {
            WidgetInfo::selected(egui::accesskit::Role::Button, true, view.style_bar, "Style and reference network")
        });
        if more.on_hover_text("What colours, sizes and widths say; a table of genes, a reference network").clicked() {
            view.style_bar = !view.style_bar;
        }
        layout_menu::show(view, ui, state, actions);
        if state.is_training() {
            let mut follow = state.view.follow_training;
            let hint = "Show the edges of the network as it is learned, from the latest epoch";
            if ui.checkbox(&mut follow, "Follow the training").on_hover_text(hint).changed() {
                actions.push(Action::FollowTraining(follow));
            }
        }
        if button(ui, "−", "Zoom out") {
            view.zoom_by(1.0 / 1.25);
        }
        if button(ui, "+", "Zoom in") {
            view.zoom_by(1.25);
        }
        if ui.button("Fit").on_hover_text("Show the whole network").clicked() {
            actions.push(Action::FitNetwork);
        }
        picking::tools(ui, state, actions);
        if ui.button("Export…").on_hover_text("Save this figure or the list of edges").clicked()
            && let Some(content) = view.exportable(state)
        {
            view.export.open(content);
        }
        // The side panel says so as well.
        if let Some(shown) = view.shown.as_ref().filter(|_| !state.view.preferences.side_panel) {
            let text = format!(
                "{} of {}, {} of {}",
                grouped(shown.edge_count()),
                counted(shown.network().edges().len(), "edge"),
                grouped(shown.gene_count()),
                counted(shown.network().genes().len(), "gene"),
            );
            let text = RichText::new(text).small().color(theme::colours(ui).text_weak);
            // On a line of its own rather than broken.
            ui.add(egui::Label::new(text).extend());
        }
    });
    knock_out(ui, state, actions);
}

fn button(ui: &mut Ui, text: &str, label: &str) -> bool {
    let response = ui.button(text);
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, label));
    response.on_hover_text(label).clicked()
}

/// The knock-out that is shown, in a line of its own.
fn knock_out(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    use crate::app::state::Prediction;
    if state.document.knock_out.is_empty() {
        return;
    }
    let colours = theme::colours(ui);
    ui.horizontal_wrapped(|ui| {
        close_together(ui);
        ui.label(RichText::new(asked(state)).strong());
        match &state.runtime.prediction {
            Prediction::Ready(effect) => {
                let known = state.evidence().map(|evidence| evidence.of_doses(&state.document.knock_out));
                let known = known.unwrap_or_else(|| vec![effect.novelty.into()]);
                for badge in known.into_iter().chain(badges::borrowed(effect)) {
                    evidence_badge(ui, &badge);
                }
            }
            Prediction::Pending { .. } => {
                ui.spinner();
            }
            Prediction::Failed(reason) => {
                ui.label(RichText::new(reason).color(colours.bad));
            }
            Prediction::None => {}
        }
        if state.view.wave.is_none() && state.can_show_wave() {
            let wave = ui.button("Wave");
            wave.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, "Wave through the network"));
            let hint = "Watch what the learned network passes on from here, step by step";
            if wave.on_hover_text(hint).clicked() {
                actions.push(Action::SetWave(Some(WaveView { step: 0, playing: true })));
            }
        }
        let clear = ui.button("Clear");
        clear.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, "Clear knock-out"));
        if clear.on_hover_text("End the knock-out").clicked() {
            actions.push(Action::ClearKnockOut);
        }
    });
}
