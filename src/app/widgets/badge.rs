//! Small coloured words that say what a gene or perturbation rests on; which, is decided in [`crate::tasks::badges`].

use egui::{Align, Color32, CornerRadius, Frame, Layout, Margin, Response, RichText, Sense, TextStyle, Ui, vec2};

use crate::app::theme;
use crate::tasks::badges::{Badge, Tone};

/// Left and right of the words.
const MARGIN: i8 = 6;

/// `text` on a soft ground of `colour`, explained on hover. A row that wraps breaks before it, never within it.
pub fn badge(ui: &mut Ui, text: &str, colour: Color32, explanation: &str) -> Response {
    if !ui.layout().main_wrap() {
        return in_place(ui, text, colour, explanation);
    }
    let font = TextStyle::Small.resolve(ui.style());
    let words = ui.painter().layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER);
    let width = words.size().x + 2.0 * f32::from(MARGIN);
    if width > ui.available_size_before_wrap().x && ui.cursor().left() > ui.max_rect().left() + 1.0 {
        ui.end_row();
    }
    // As high in every row.
    let size = vec2(width, ui.spacing().interact_size.y);
    let layout = Layout::left_to_right(Align::Center);
    ui.allocate_ui_with_layout(size, layout, |ui| in_place(ui, text, colour, explanation)).inner
}

fn in_place(ui: &mut Ui, text: &str, colour: Color32, explanation: &str) -> Response {
    let frame = Frame::NONE
        .fill(colour.gamma_multiply(0.14))
        .corner_radius(CornerRadius::same(theme::ROUNDING))
        .inner_margin(Margin::symmetric(MARGIN, 1));
    let shown =
        frame.show(ui, |ui| ui.add(egui::Label::new(RichText::new(text).small().color(colour)).selectable(false)));
    shown.response.on_hover_text(explanation)
}

/// One of them, in the colour of its tone.
pub fn evidence_badge(ui: &mut Ui, shown: &Badge) -> Response {
    badge(ui, &shown.label(), colour(ui, shown.tone()), &shown.explanation())
}

/// All of them in a row, which breaks where it has to.
pub fn evidence_badges(ui: &mut Ui, badges: &[Badge]) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(theme::SMALL, 3.0);
        for shown in badges {
            evidence_badge(ui, shown);
        }
    });
}

/// The first of them as a dot, all of them on hover: for rows without room for words. Its label says what the words would.
pub fn evidence_dot(ui: &mut Ui, badges: &[Badge]) {
    let (rect, response) = ui.allocate_exact_size(vec2(9.0, 14.0), Sense::hover());
    let Some(first) = badges.first() else { return };
    let colour = colour(ui, first.tone());
    if matches!(first, Badge::NeverPerturbed) {
        ui.painter().circle_stroke(rect.center(), 3.0, egui::Stroke::new(1.2, theme::colours(ui).text_weak));
    } else {
        ui.painter().circle_filled(rect.center(), 3.6, colour);
    }
    response.on_hover_text(told(badges));
}

/// All of them in words, one a line.
pub fn told(badges: &[Badge]) -> String {
    let line = |badge: &Badge| {
        let label = badge.label();
        let mut letters = label.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}", letters.as_str())
    };
    badges.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn colour(ui: &Ui, tone: Tone) -> Color32 {
    let colours = theme::colours(ui);
    match tone {
        Tone::Good => colours.good,
        Tone::Plain => colours.text_weak,
        Tone::Test => colours.accent,
        Tone::Careful => colours.warning,
        Tone::Bad => colours.bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_badges_are_told_one_a_line() {
        let badges = [Badge::TrainedOn { training_cells: 3, test_cells: 0 }, Badge::Cells(40), Badge::NotMeasured];
        assert_eq!(told(&badges), "Trained on\n40 cells\nNot measured");
    }
}
