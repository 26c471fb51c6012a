//! What the user should know, above the page: failures and warnings with what to do.

use egui::{Align, Frame, Layout, Margin, RichText, Stroke, Ui};

use crate::app::action::Action;
use crate::app::state::{Severity, State};
use crate::app::theme;

/// At most so many are shown; the latest are.
const MOST: usize = 2;

/// Draw failures and warnings, the latest first.
pub(in crate::app) fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let serious = state.runtime.messages.iter().rev().filter(|message| message.severity != Severity::Done);
    for message in serious.take(MOST) {
        let colours = theme::colours(ui);
        let colour = if message.severity == Severity::Error { colours.bad } else { colours.warning };
        let frame = Frame::new()
            .fill(colours.card)
            .stroke(Stroke::new(1.0, colour))
            .corner_radius(theme::ROUNDING)
            .inner_margin(Margin::symmetric(12, 8))
            .outer_margin(Margin { bottom: 6, ..Margin::ZERO });
        frame.show(ui, |ui| {
            ui.with_layout(Layout::right_to_left(Align::TOP), |ui| {
                if ui.button("Dismiss").clicked() {
                    actions.push(Action::Dismiss(message.id));
                }
                if let Some(command) = message.command
                    && command.is_enabled(state)
                    && ui.button(command.label()).clicked()
                {
                    actions.push(command.action(state));
                    actions.push(Action::Dismiss(message.id));
                }
                ui.with_layout(Layout::top_down(Align::LEFT), |ui| {
                    ui.spacing_mut().item_spacing.y = 2.0;
                    ui.label(RichText::new(&message.title).color(colour).text_style(theme::strong()));
                    for text in [&message.detail, &message.remedy] {
                        if !text.is_empty() {
                            ui.add(egui::Label::new(text).wrap());
                        }
                    }
                });
            });
        });
    }
}
