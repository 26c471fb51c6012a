//! How well the model does over all perturbations together, beside the references.

use egui::{Grid, RichText, Ui};

use super::{Comparison, Predictor, R, R_SQUARED, Total, Truth, caption};
use crate::app::theme;
use crate::app::widgets::coefficient;
use crate::evaluation::effects::EffectMetrics;
use crate::words::counted;

/// Draw it.
pub fn show(ui: &mut Ui, comparison: &Comparison) {
    let Some(total) = comparison.totals.first() else { return };
    let covered = total.metrics[Predictor::Model as usize].as_ref().map_or(0, |metrics| metrics.perturbations);
    let title = match total.truth {
        Truth::HeldOut => "Fit to held-out cells",
        Truth::Training => "Fit to training cells",
    };
    ui.label(RichText::new(title).heading());
    caption(ui, format!("{} together, perturbed genes left out", counted(covered, "perturbation")));
    if total.truth == Truth::Training {
        let text = "No cells were held out: these numbers say how well the model remembers, not how well it predicts";
        ui.label(RichText::new(text).color(theme::colours(ui).warning));
    }
    table(ui, total);
    verdict(ui, total);
    ui.add_space(theme::SMALL);
}

type Value = fn(&EffectMetrics) -> Option<f64>;

fn table(ui: &mut Ui, total: &Total) {
    let columns: [(&str, String, Value); 4] = [
        ("r", format!("{R} Here over all perturbations in one list (ATE r)"), |metrics| metrics.pearson),
        ("R²", format!("{R_SQUARED}. Here over all perturbations in one list (ATE R²)"), |metrics| metrics.r_squared),
        ("r top 20", format!("{R}. Over each perturbation's 20 genes with the largest measured |shift|"), |metrics| {
            metrics.pearson_top_20
        }),
        (
            "Jaccard 20",
            "Mean over perturbations of the Jaccard index (shared / all) of the two sets of 20 genes with the largest \
             predicted and measured |shift|"
                .to_owned(),
            |metrics| metrics.jaccard_20,
        ),
    ];
    Grid::new("fit of all").num_columns(5).striped(true).spacing([theme::LARGE, 4.0]).show(ui, |ui| {
        ui.label("");
        for (title, definition, _) in &columns {
            ui.label(RichText::new(*title).small().strong()).on_hover_text(definition);
        }
        ui.end_row();
        for who in Predictor::ALL {
            let Some(metrics) = &total.metrics[who as usize] else { continue };
            let text = RichText::new(who.short());
            ui.label(if who == Predictor::Model { text.strong() } else { text }).on_hover_text(who.definition());
            for (_, _, value) in &columns {
                ui.label(coefficient(value(metrics)));
            }
            ui.end_row();
        }
    });
}

/// A plain word where a reference does at least as well.
fn verdict(ui: &mut Ui, total: &Total) {
    let value = |who: Predictor| total.metrics[who as usize].as_ref().and_then(|metrics| metrics.r_squared);
    let Some(model) = value(Predictor::Model) else { return };
    let references = Predictor::ALL[1..].iter().filter_map(|who| Some((value(*who)?, *who)));
    let Some((best, who)) = references.max_by(|a, b| a.0.total_cmp(&b.0)) else { return };
    let colours = theme::colours(ui);
    let (text, ink) = if best >= model {
        (
            format!(
                "{} fits at least as well (R² {} against {}): trust it more than the model for these perturbations",
                who.short(),
                coefficient(Some(best)),
                coefficient(Some(model))
            ),
            colours.warning,
        )
    } else {
        (
            format!(
                "The model fits better than every reference; the best is {} (R² {} against {})",
                who.short().to_lowercase(),
                coefficient(Some(best)),
                coefficient(Some(model))
            ),
            colours.good,
        )
    };
    ui.label(RichText::new(text).color(ink));
}
