//! Small coloured words that say how far a prediction can be trusted.

use egui::{Color32, CornerRadius, Frame, Margin, Response, RichText, Ui};

use crate::app::theme;
use crate::models::Novelty;
use crate::words::counted;

/// `text` on a soft ground of `colour`, explained on hover.
pub fn badge(ui: &mut Ui, text: &str, colour: Color32, explanation: &str) -> Response {
    let frame = Frame::NONE
        .fill(colour.gamma_multiply(0.14))
        .corner_radius(CornerRadius::same(theme::ROUNDING))
        .inner_margin(Margin::symmetric(6, 1));
    let shown =
        frame.show(ui, |ui| ui.add(egui::Label::new(RichText::new(text).small().color(colour)).selectable(false)));
    shown.response.on_hover_text(explanation)
}

/// `measured`, `held out`, `new combination` or `never perturbed`, with what that rests on.
pub fn novelty_badge(ui: &mut Ui, novelty: Novelty) -> Response {
    let colours = theme::colours(ui);
    let colour = match novelty {
        Novelty::Measured { .. } => colours.good,
        Novelty::HeldOut { .. } => colours.accent,
        Novelty::NewCombination => colours.warning,
        Novelty::NeverPerturbed => colours.bad,
    };
    badge(ui, novelty_label(novelty), colour, &novelty_explanation(novelty))
}

/// The badge's word.
pub fn novelty_label(novelty: Novelty) -> &'static str {
    match novelty {
        Novelty::Measured { .. } => "measured",
        Novelty::HeldOut { .. } => "held out",
        Novelty::NewCombination => "new combination",
        Novelty::NeverPerturbed => "never perturbed",
    }
}

/// What the badge means here.
pub fn novelty_explanation(novelty: Novelty) -> String {
    let cells = |count: u32| counted(count as usize, "cell");
    match novelty {
        Novelty::Measured { training_cells, test_cells } => format!(
            "The model was trained on {} of this very perturbation; {} were kept out of the training",
            cells(training_cells),
            cells(test_cells)
        ),
        Novelty::HeldOut { cells: count } => {
            format!("In the screen ({}), but kept out of the training as a whole", cells(count))
        }
        Novelty::NewCombination => "These genes were perturbed one by one or in other combinations, never together: \
             the model adds what it learned of each"
            .to_owned(),
        Novelty::NeverPerturbed => {
            "The screen never perturbed this gene: the prediction rests on the network alone, so treat it as a guess"
                .to_owned()
        }
    }
}
