//! How well the model does over all perturbations together, beside the baselines.

use egui::{Grid, RichText, Ui};

use super::{Comparison, Predictor, R, R_SQUARED, Total, Truth, caption};
use crate::app::theme;
use crate::app::widgets::coefficient;
use crate::evaluation::effects::EffectMetrics;
use crate::words::counted;

/// With less height than this the table is folded away: the list of perturbations has to have room.
const HIGH: f32 = 440.0;

/// Draw it.
pub fn show(ui: &mut Ui, comparison: &Comparison) {
    let Some(total) = comparison.totals.first() else { return };
    let covered = total.of(Predictor::Model).map_or(0, |metrics| metrics.perturbations);
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
    if ui.available_height() >= HIGH {
        table(ui, total);
    } else {
        let all = egui::CollapsingHeader::new("Model and baselines").id_salt("fit of all, folded");
        all.show(ui, |ui| table(ui, total));
    }
    verdict(ui, total);
    ui.add_space(theme::SMALL);
}

type Value = fn(&EffectMetrics) -> Option<f64>;

/// What is told of every predictor.
const METRICS: [(&str, Value); 4] = [
    ("r", |metrics| metrics.pearson),
    ("R²", |metrics| metrics.r_squared),
    ("r top 20", |metrics| metrics.pearson_top_20),
    ("Jaccard 20", |metrics| metrics.jaccard_20),
];

fn table(ui: &mut Ui, total: &Total) {
    let definitions = [
        format!("{R} Here over all perturbations in one list (ATE r)"),
        format!("{R_SQUARED}. Here over all perturbations in one list (ATE R²)"),
        format!("{R}. Over each perturbation's 20 genes with the largest measured |shift|"),
        "Mean over perturbations of the Jaccard index (shared / all) of the two sets of 20 genes with the largest \
         predicted and measured |shift|"
            .to_owned(),
    ];
    Grid::new("fit of all").num_columns(5).striped(true).spacing([theme::LARGE, 4.0]).show(ui, |ui| {
        ui.label("");
        for ((title, _), definition) in METRICS.iter().zip(&definitions) {
            ui.label(RichText::new(*title).small().strong()).on_hover_text(definition);
        }
        ui.end_row();
        for (who, metrics) in &total.metrics {
            let text = RichText::new(who.label());
            let partly = if total.is_whole(metrics) {
                String::new()
            } else {
                format!(". It has an answer for {} alone", counted(metrics.perturbations, "perturbation"))
            };
            let text = if *who == Predictor::Model { text.strong() } else { text };
            let text = if partly.is_empty() { text } else { text.weak() };
            ui.label(text).on_hover_text(format!("{}{partly}", who.definition()));
            for (_, value) in METRICS {
                ui.label(coefficient(value(metrics)));
            }
            ui.end_row();
        }
    });
}

impl Total {
    /// Whether `metrics` are over as many perturbations as the model's.
    fn is_whole(&self, metrics: &EffectMetrics) -> bool {
        self.of(Predictor::Model).is_none_or(|model| model.perturbations == metrics.perturbations)
    }
}

/// A plain word on where a baseline does at least as well.
fn verdict(ui: &mut Ui, total: &Total) {
    let Some(verdict) = Verdict::of(total) else { return };
    let colours = theme::colours(ui);
    let ink = if verdict.worse.is_empty() { colours.good } else { colours.warning };
    ui.label(RichText::new(verdict.text()).color(ink));
}

/// In which metrics the model is better than every baseline that answers all it does, and in which one of them is at least as good.
#[derive(Debug, Default, PartialEq)]
struct Verdict {
    better: Vec<&'static str>,
    worse: Vec<&'static str>,
    /// Who is best in the latter.
    who: Vec<&'static str>,
}

impl Verdict {
    /// None where nothing can be compared.
    fn of(total: &Total) -> Option<Self> {
        let mut verdict = Self::default();
        for (name, value) in METRICS {
            let Some(model) = total.of(Predictor::Model).and_then(value) else { continue };
            // Over other perturbations a number says nothing about which is better.
            let whole = total.metrics.iter().filter(|(_, metrics)| total.is_whole(metrics));
            let baselines = whole.filter(|(who, _)| *who != Predictor::Model);
            let known = baselines.filter_map(|(who, metrics)| Some((value(metrics)?, *who)));
            match known.max_by(|a, b| a.0.total_cmp(&b.0)) {
                Some((best, who)) if best >= model => {
                    verdict.worse.push(name);
                    if !verdict.who.contains(&who.label()) {
                        verdict.who.push(who.label());
                    }
                }
                Some(_) => verdict.better.push(name),
                None => {}
            }
        }
        (!verdict.better.is_empty() || !verdict.worse.is_empty()).then_some(verdict)
    }

    fn text(&self) -> String {
        let (better, worse) = (self.better.join(", "), self.worse.join(", "));
        let who = self.who.join(" or ");
        match (self.better.is_empty(), self.worse.is_empty()) {
            (_, true) => format!("The model is better than every baseline ({better})"),
            (false, false) => format!("{who} is at least as good in {worse}; the model is better in {better}"),
            (true, false) => {
                format!(
                    "{who} is at least as good in all ({worse}): trust it more than the model for these perturbations"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::baselines::BaselineKind;

    fn metrics(r: f64, r_squared: f64, jaccard: Option<f64>) -> EffectMetrics {
        let (pearson, r_squared) = (Some(r), Some(r_squared));
        EffectMetrics { perturbations: 9, pearson, r_squared, jaccard_20: jaccard, ..EffectMetrics::default() }
    }

    fn verdict(model: [f64; 2], mean: [f64; 2]) -> String {
        let kinds = [Predictor::Model, Predictor::Baseline(BaselineKind::TrainingMean)];
        let of = [metrics(model[0], model[1], None), metrics(mean[0], mean[1], Some(0.5))];
        let mut all: Vec<_> = kinds.into_iter().zip(of).collect();
        // What answers other questions is no rival.
        let partly = EffectMetrics { perturbations: 1, ..metrics(0.99, 0.99, Some(0.9)) };
        all.push((Predictor::Baseline(BaselineKind::Additive), partly));
        Verdict::of(&Total { truth: Truth::HeldOut, metrics: all }).unwrap().text()
    }

    #[test]
    fn the_verdict_is_metric_by_metric() {
        assert_eq!(verdict([0.5, 0.2], [0.4, 0.1]), "The model is better than every baseline (r, R²)");
        let mixed = "Training mean is at least as good in r; the model is better in R²";
        assert_eq!(verdict([0.4, 0.2], [0.4, 0.1]), mixed);
        assert!(verdict([0.3, 0.0], [0.4, 0.1]).contains("at least as good in all (r, R²): trust it more"));
    }
}
