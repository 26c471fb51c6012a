//! One pair: its numbers, and its genes against the sum of the singles.

use std::sync::Arc;

use egui::{Grid, RichText, Ui, vec2};

use super::{InteractionsView, TEXT_SIZE, figure_theme, key};
use crate::app::views::export::{Choice, Content, PRINT_TEXT_SIZE};
use crate::app::widgets::{coefficient, evidence_badges};
use crate::app::{Action, State, theme};
use crate::evaluation::interactions::{InteractionClass, Scores};
use crate::figures::{Figure as _, FigureMetadata};
use crate::tasks::interactions::{Interactions, PairInteraction, pair_scatter};
use crate::words::counted;

/// Draw it.
pub fn show(
    view: &mut InteractionsView,
    ui: &mut Ui,
    found: &Arc<Interactions>,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let Some(pair) = view.chosen.as_ref().and_then(|name| found.find(name)) else { return };
    let name = pair.name();
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&name).heading());
        if let Some(evidence) = state.evidence() {
            evidence_badges(ui, &evidence.of_perturbation(&name));
        }
        let knocked_out = state.document.knock_out.keys().eq(pair.targets.iter());
        let network =
            state.network().is_some_and(|network| pair.targets.iter().all(|gene| network.find(gene).is_some()));
        if network
            && state.runtime.model.is_some()
            && !knocked_out
            && ui.button("Show on the network").on_hover_text("Knock out both genes").clicked()
        {
            actions.push(Action::KnockOut(pair.targets.iter().map(|gene| (gene.clone(), 1.0)).collect()));
        }
    });
    verdict(ui, pair);
    numbers(ui, pair);
    ui.add_space(theme::SMALL);
    let room = ui.available_width();
    let both = pair.measured.is_some() && pair.predicted.is_some();
    let beside = both && room >= 560.0;
    let width = if beside { (room - theme::MEDIUM) * 0.5 } else { room.min(520.0) };
    let size = vec2(width, (width * 0.95).clamp(200.0, 460.0));
    let chosen = view.chosen.clone();
    let mut clicked = None;
    let mut plot = |ui: &mut Ui, predicted: bool| {
        let which = usize::from(predicted);
        let Some(figure) = pair_scatter(found, pair, predicted, TEXT_SIZE) else { return };
        let label = format!("Shifts of {name} against the sum of its singles, {}", ["measured", "predicted"][which]);
        let drawn = view.plots[which].show(ui, size, key(found, &chosen, 1 + which as u8), &label, |size, dark| {
            figure.scene(size, &figure_theme(dark))
        });
        clicked =
            drawn.clicked.and_then(|at| figure.points.get(at).map(|point| point.label.clone())).or(clicked.take());
    };
    if beside {
        ui.horizontal_top(|ui| [false, true].into_iter().for_each(|predicted| plot(ui, predicted)));
    } else {
        [false, true].into_iter().for_each(|predicted| plot(ui, predicted));
    }
    if let Some(gene) = clicked
        && state.network().is_some_and(|network| network.find(&gene).is_some())
    {
        actions.push(Action::Select { gene, extend: false });
    }
}

/// What it is, in a sentence.
fn verdict(ui: &mut Ui, pair: &PairInteraction) {
    let colours = theme::colours(ui);
    if let Some(one) = &pair.measured {
        let deviating = one.deviations.deviating();
        let text = match one.class {
            InteractionClass::Additive => "Measured: no deviation from the sum of the singles is shown".to_owned(),
            class => format!("Measured: {}. {}", class.label(), class.definition()),
        };
        ui.label(text);
        let tested = counted(one.deviations.tested.len(), "gene");
        let [control, a, b, both] = one.deviations.cells;
        let cells = format!(
            "{deviating} of {tested} deviate significantly; {both} cells of the pair, {a} and {b} of the singles, {control} controls"
        );
        ui.label(RichText::new(cells).small().color(colours.text_weak));
    } else {
        let text = "Not measured: the screen has too few cells of the pair, of its singles or of the control, or the data set is not open";
        ui.label(RichText::new(text).color(colours.text_weak));
    }
    if let Some(one) = &pair.predicted {
        let text = match one.class {
            InteractionClass::Additive => "Predicted: close to the sum of the singles".to_owned(),
            class => format!("Predicted: {}, a hypothesis. {}", class.label(), class.definition()),
        };
        ui.label(text);
        let text = "The model adds both genes in its latent space, so that it predicts little interaction";
        ui.label(RichText::new(text).small().color(colours.text_weak));
    }
}

/// Every score, measured beside predicted.
fn numbers(ui: &mut Ui, pair: &PairInteraction) {
    let measured = pair.measured.as_ref();
    let predicted = pair.predicted.as_ref();
    let score = |of: fn(&Scores) -> Option<f64>| {
        [measured.map(|one| of(&one.scores)), predicted.map(|one| of(&one.scores))].map(Option::flatten)
    };
    let rows: [(&str, &str, [Option<f64>; 2]); 9] = [
        (
            "Beyond the sum",
            "By how much of the sum of the singles' shifts the pair does more than the sum: 0 is additive, −0.5 is what one of two equal \
             singles does. Measured: corrected for the noise of the shifts; n/a where the sum is not above noise",
            [measured.and_then(|one| one.deviations.relative), predicted.and_then(|one| one.relative)],
        ),
        (
            "Deviation (log2)",
            "Root of the mean squared deviation from the sum over genes; measured: what exceeds noise",
            [measured.map(|one| one.deviations.size), predicted.map(|one| one.size)],
        ),
        (
            "Magnitude",
            "|(cA, cB)| of δAB ≈ cA·δA + cB·δB (Theil–Sen; Norman et al. 2019): 1.41 where the pair is the sum",
            score(|scores| scores.magnitude),
        ),
        (
            "Fit",
            "Distance correlation of cA·δA + cB·δB and δAB: low where the pair does something new",
            score(|scores| scores.fit),
        ),
        ("Singles alike", "Distance correlation of δA and δB", score(|scores| scores.similarity_of_singles)),
        ("Pair alike", "Distance correlation of (δA, δB) and δAB", score(|scores| scores.similarity_to_pair)),
        (
            "Equality",
            "The smaller of the distance correlations of δA and δB with δAB over the larger; low also where one single is weak",
            score(|scores| scores.equality),
        ),
        ("Dominance", "|log10 |cA/cB||: above 0.25 one of the two decides", score(|scores| scores.dominance)),
        (
            "Adjusted p",
            "Of the whole pair, over the pairs measured together (Benjamini–Hochberg)",
            [measured.map(|one| one.adjusted_p), None],
        ),
    ];
    let columns: Vec<(usize, &str)> = [(measured.is_some(), "Measured"), (predicted.is_some(), "Predicted")]
        .into_iter()
        .enumerate()
        .filter_map(|(at, (there, title))| there.then_some((at, title)))
        .collect();
    ui.scope(|ui| {
        // Nothing here is clicked: rows need not be as high as buttons.
        ui.spacing_mut().interact_size.y = 0.0;
        let grid = Grid::new("scores of the pair").num_columns(columns.len() + 1).striped(true);
        grid.spacing([theme::LARGE, 3.0]).show(ui, |ui| {
            ui.label("");
            for (_, title) in &columns {
                ui.label(RichText::new(*title).small().strong());
            }
            ui.end_row();
            for (title, definition, values) in rows {
                ui.label(title).on_hover_text(definition);
                for &(at, _) in &columns {
                    ui.label(match (title, values[at]) {
                        ("Adjusted p", Some(p)) if p < 0.005 => format!("{p:.0e}").replace('-', "−"),
                        ("Adjusted p", None) => "–".to_owned(),
                        (_, value) => coefficient(value),
                    });
                }
                ui.end_row();
            }
        });
    });
}

/// The plots of the pair called `chosen`, for export.
pub fn choices(
    found: &Arc<Interactions>,
    chosen: Option<&str>,
    metadata: &dyn Fn(&str, String) -> Box<FigureMetadata>,
) -> Vec<Choice> {
    let Some(pair) = chosen.and_then(|name| found.find(name)) else { return Vec::new() };
    let one = |(predicted, what): (bool, &str)| {
        let figure = pair_scatter(found, pair, predicted, PRINT_TEXT_SIZE)?;
        let name = pair.name();
        Some(Choice {
            label: format!("{name}, {what}"),
            name: format!("interaction-{what}-{}", name.replace('+', "-")),
            content: Content::Figure {
                draw: Arc::new(move |size, theme| figure.scene(size, theme).scene),
                aspect: 1.05,
                width_mm: 89.0,
                metadata: metadata(
                    &format!("Interaction of {name}"),
                    format!("Shifts of the pair against the sum of its singles, {what}"),
                ),
            },
        })
    };
    [(false, "measured"), (true, "predicted")].into_iter().filter_map(one).collect()
}
