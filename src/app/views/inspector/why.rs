//! Why the selected gene moves: what the learned network passes on to it from the genes that are knocked out.

use std::sync::Arc;

use egui::{RichText, Ui, WidgetInfo, vec2};

use crate::app::state::WaveView;
use crate::app::views::knock_out::kind;
use crate::app::widgets::signed;
use crate::app::{Action, State, theme};
use crate::models::PredictedEffect;
use crate::network::{GeneId, Grn};
use crate::words::listed;

/// Steps that bring less than this are not worth a line.
const LEAST: f64 = 0.005;

/// Draw it; nothing if no other gene is knocked out.
pub(super) fn show(ui: &mut Ui, network: &Arc<Grn>, gene: GeneId, state: &State, actions: &mut Vec<Action>) {
    let symbol = network.symbol(gene);
    let doses = &state.document.knock_out;
    let Some(effect) = state.runtime.prediction.effect().filter(|_| !doses.is_empty()) else { return };
    if doses.contains_key(symbol) {
        return;
    }
    let shift = shift_of(symbol, effect, state);
    let sources = listed(&doses.keys().cloned().collect::<Vec<_>>(), 3);
    ui.add_space(theme::MEDIUM);
    let title = RichText::new(format!("Why does {symbol} move?")).strong();
    let titled = ui.horizontal_wrapped(|ui| {
        let title = ui.label(title);
        let hint = "Watch what the network passes on, step by step";
        if state.view.wave.is_none() && ui.small_button("Show as a wave").on_hover_text(hint).clicked() {
            actions.push(Action::SetWave(Some(WaveView { step: 0, playing: true })));
        }
        title
    });
    titled.inner.on_hover_text(
        "The predicted shift is shared out by what the learned network passes on in so many steps (S = A + A²/T + …, the sum that the \
         training aligns with the measured shifts). It interprets the network; it is no measurement",
    );
    let weak = theme::colours(ui).text_weak;
    match shift {
        Some(shift) => {
            _ = ui.label(format!("Predicted {} for the {} of {sources}", signed(shift), kind(state).label()))
        }
        None => _ = ui.label(RichText::new("Its expression was not measured, so no shift is predicted").color(weak)),
    }
    let found = state
        .runtime
        .explanation
        .as_ref()
        .filter(|found| Arc::ptr_eq(&found.network, network) && found.doses == *doses && found.gene == gene);
    let Some(found) = found.map(|found| &found.hops) else {
        ui.spinner();
        return;
    };
    let total = found.total();
    if total <= 0.0 {
        let text = format!(
            "The network has no way from {sources} to {symbol}: what the model predicts rests on the response as a whole"
        );
        ui.add(egui::Label::new(RichText::new(text).color(weak)).wrap());
        return;
    }
    egui::Grid::new("steps").num_columns(4).spacing([theme::MEDIUM, 3.0]).show(ui, |ui| {
        for (at, &amount) in found.steps.iter().enumerate() {
            let share = amount / total;
            if share < LEAST {
                continue;
            }
            ui.label(if at == 0 { "Direct".to_owned() } else { format!("{} steps", at + 1) });
            share_bar(ui, share as f32);
            ui.label(format!("{:.0} %", 100.0 * share));
            ui.label(RichText::new(shift.map_or_else(String::new, |shift| signed(shift * share as f32))).color(weak));
            ui.end_row();
        }
    });
    for way in &found.ways {
        if way.amount / total < LEAST {
            continue;
        }
        let names: Vec<String> = way.genes.iter().map(|&gene| network.symbol(gene).to_owned()).collect();
        let text = names.join(" → ");
        ui.horizontal_wrapped(|ui| {
            let link = ui.link(&text);
            link.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Link, true, format!("Way {text}")));
            if link.on_hover_text("Select the genes on this way").clicked() {
                // The gene that was asked about comes last: it stays the one shown.
                actions.push(Action::SelectAll(names));
            }
            ui.label(RichText::new(format!("{:.0} %", 100.0 * way.amount / total)).color(weak));
        });
    }
}

fn shift_of(symbol: &str, effect: &PredictedEffect, state: &State) -> Option<f32> {
    let genes = &state.runtime.model.as_ref()?.card().genes;
    let at = genes.iter().position(|gene| gene == symbol)?;
    effect.shifts.get(at).copied().filter(|shift| shift.is_finite())
}

fn share_bar(ui: &mut Ui, share: f32) {
    let colours = theme::colours(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(90.0, 8.0), egui::Sense::hover());
    ui.painter().rect_filled(rect, 2.0, colours.line);
    let filled = egui::Rect::from_min_size(rect.min, vec2(rect.width() * share.clamp(0.0, 1.0), rect.height()));
    ui.painter().rect_filled(filled, 2.0, colours.accent);
}
