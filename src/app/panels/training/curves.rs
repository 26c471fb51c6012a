//! Loss curves: one small plot per term, training and validation in each.

use std::sync::Arc;

use egui::{Color32, Rangef, RichText, Ui, Vec2b};
use egui_plot::{AxisHints, GridMark, Line, Plot, PlotPoints, VLine};

use super::weak;
use crate::app::action::{Action, ExportContent};
use crate::app::panels::data::card;
use crate::app::state::State;
use crate::app::theme;
use crate::app::views::export::{Choice, Content, Draw, ExportDialog, Exportable, PRINT_TEXT_SIZE, of_model};
use crate::figures::response::{LossFigure, LossSeries};
use crate::figures::{Figure as _, FigureMetadata};
use crate::models::{EpochMetrics, LossTerms};

/// Least width of a plot; as many stand in a row as fit.
const LEAST_WIDTH: f32 = 250.0;
const HEIGHT: f32 = 130.0;

/// What each term is, in the order of [`LossTerms::named`].
const HINTS: [&str; 9] = [
    "What is minimised: the sum of all terms",
    "How badly the counts are explained: negative log-likelihood",
    "How far the cells' own states are from their prior",
    "How far the perturbation effects are from their prior",
    "How far the network's mask is from its prior",
    "How far the artifact effect is from its prior",
    "How much good and failing cells of one perturbation disagree once the artifact is taken out",
    "How far the network is from the measured shifts",
    "How dense the network is",
];

/// Draw them; `export` is the dialog that saves one.
pub(super) fn show(export: &mut ExportDialog, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let runtime = &state.runtime;
    let run = runtime.training.as_ref().or(runtime.last_run.as_ref());
    let (epochs, best): (&[EpochMetrics], Option<u32>) = match (run, &runtime.model) {
        (Some(run), _) => (&run.epochs, run.best().map(|best| best.epoch)),
        (None, Some(model)) => (&model.card().history, Some(model.card().best_epoch)),
        (None, None) => (&[], None),
    };
    if epochs.is_empty() {
        if run.is_none() {
            ui.add_space(theme::LARGE);
            ui.label(weak(ui, "The loss curves appear here when training runs"));
        }
        return;
    }
    let member = match (run, &runtime.model) {
        (Some(run), _) => run.member,
        (None, Some(model)) => (model.member_count() > 1).then_some((1, model.member_count() as u32)),
        (None, None) => None,
    };
    let of_member = member.map(|(number, of)| format!(", member {number} of {of}")).unwrap_or_default();
    card(ui, &format!("Loss over epochs{of_member}"), |ui| {
        legend(ui);
        let width = ui.available_width();
        let columns = ((width / LEAST_WIDTH) as usize).clamp(1, 3);
        let each = (width - theme::MEDIUM * (columns - 1) as f32) / columns as f32;
        for row in (0..HINTS.len()).collect::<Vec<_>>().chunks(columns) {
            ui.horizontal_top(|ui| {
                for &term in row {
                    ui.allocate_ui(egui::vec2(each, HEIGHT + 28.0), |ui| {
                        ui.vertical(|ui| {
                            ui.set_width(each);
                            if heading(ui, term) {
                                export.open(exportable(term, epochs, best, state));
                            }
                            plot(ui, term, epochs, best);
                        });
                    });
                }
            });
        }
    });
    export.show(ui.ctx(), state, actions);
}

fn colours(ui: &Ui) -> (Color32, Color32) {
    let colours = theme::colours(ui);
    (colours.accent, colours.up)
}

fn legend(ui: &mut Ui) {
    let (training, validation) = colours(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("● Training").small().color(training));
        ui.label(RichText::new("● Validation").small().color(validation));
        ui.label(weak(ui, "│ Best epoch").small());
    });
}

fn name(term: usize) -> &'static str {
    LossTerms::default().named()[term].0
}

/// The name of a plot, and whether its export was asked for.
fn heading(ui: &mut Ui, term: usize) -> bool {
    let name = name(term);
    ui.horizontal(|ui| {
        ui.label(RichText::new(name).small().text_style(theme::strong())).on_hover_text(HINTS[term]);
        let right = egui::Layout::right_to_left(egui::Align::Center);
        let ask = ui.with_layout(right, |ui| ui.add(egui::Button::new(weak(ui, "Export…").small()).frame(false)));
        let ask = ask.inner;
        ask.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, format!("Export {name}")));
        ask.clicked()
    })
    .inner
}

/// The curve of a term as a figure, and all of them as a table.
fn exportable(term: usize, epochs: &[EpochMetrics], best: Option<u32>, state: &State) -> Exportable {
    let name = name(term);
    let points = |part: fn(&EpochMetrics) -> &LossTerms| {
        epochs.iter().map(|epoch| [epoch.epoch as f32, part(epoch).named()[term].1 as f32]).collect()
    };
    let figure = LossFigure {
        y_label: name.to_owned(),
        series: vec![LossSeries {
            name: name.to_owned(),
            train: points(|epoch| &epoch.training),
            validation: points(|epoch| &epoch.validation),
        }],
        best_epoch: best.map(|best| best as f32),
        text_size: PRINT_TEXT_SIZE,
        ..LossFigure::default()
    };
    let mut metadata = FigureMetadata::new(format!("Course of the training: {name}"), HINTS[term]);
    // A run that goes on, or was given up, has no model.
    if state.runtime.model.as_ref().is_some_and(|model| model.card().history == epochs) {
        metadata = of_model(metadata, state);
    }
    let draw: Draw = Arc::new(move |size, theme| figure.scene(size, theme).scene);
    let content = Content::Figure { draw, aspect: 1.6, width_mm: 89.0, metadata: Box::new(metadata) };
    let file = format!("loss-{}", name.to_lowercase().replace(' ', "-"));
    let table = Content::Table(ExportContent::Table(table(epochs).into()));
    Exportable {
        choices: vec![
            Choice { label: format!("Curve of {name}"), name: file, content },
            Choice { label: "All terms (table)".to_owned(), name: "loss".to_owned(), content: table },
        ],
    }
}

/// Tab-separated: the epoch, then every term in training and validation.
fn table(epochs: &[EpochMetrics]) -> String {
    let mut text = "epoch".to_owned();
    for (name, _) in LossTerms::default().named() {
        let name = name.to_lowercase().replace(' ', "_");
        text.push_str(&format!("\ttraining_{name}\tvalidation_{name}"));
    }
    for epoch in epochs {
        text.push_str(&format!("\n{}", epoch.epoch));
        for ((_, training), (_, validation)) in epoch.training.named().into_iter().zip(epoch.validation.named()) {
            text.push_str(&format!("\t{training}\t{validation}"));
        }
    }
    text.push('\n');
    text
}

fn plot(ui: &mut Ui, term: usize, epochs: &[EpochMetrics], best: Option<u32>) {
    let name = name(term);
    let (training, validation) = colours(ui);
    let points = |part: fn(&EpochMetrics) -> &LossTerms| {
        let points = epochs.iter().map(|epoch| [f64::from(epoch.epoch), part(epoch).named()[term].1]);
        PlotPoints::from_iter(points.filter(|[_, value]| value.is_finite()))
    };
    let colours = theme::colours(ui);
    let (ink, weak) = (colours.text, colours.text_weak);
    // Axis numbers are captions.
    let caption = egui::TextStyle::Small.resolve(ui.style());
    ui.style_mut().text_styles.insert(egui::TextStyle::Body, caption);
    let link = ui.scope_id().with("epochs");
    Plot::new(("loss", name))
        .height(HEIGHT)
        .allow_scroll(false)
        .allow_zoom(false)
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .show_background(false)
        .set_margin_fraction(egui::vec2(0.02, 0.12))
        .link_cursor(link, Vec2b::new(true, false))
        .custom_x_axes(vec![axis(AxisHints::new_x(), ink).formatter(|mark, _| format!("{:.0}", mark.value))])
        .custom_y_axes(vec![
            axis(AxisHints::new_y(), ink).formatter(|mark, _| compact(mark.value, mark.step_size)).min_thickness(38.0),
        ])
        .grid_color(colours.line)
        .grid_fade(0.0)
        .x_grid_spacer(|input| marks(input.bounds, 1.0))
        .y_grid_spacer(|input| marks(input.bounds, 0.0))
        .show(ui, |plot| {
            if let Some(best) = best {
                plot.vline(VLine::new("Best epoch", f64::from(best)).color(weak).width(1.0));
            }
            plot.line(Line::new("Training", points(|epoch| &epoch.training)).color(training).width(1.5));
            plot.line(Line::new("Validation", points(|epoch| &epoch.validation)).color(validation).width(1.5));
        });
}

/// Numbers in full colour however close they stand; there are few.
fn axis<'a>(hints: AxisHints<'a>, ink: Color32) -> AxisHints<'a> {
    hints.label_spacing(Rangef::new(1.0, 2.0)).tick_label_color(ink)
}

/// Three to six round values within `bounds`, their step at least `least`.
fn marks((low, high): (f64, f64), least: f64) -> Vec<GridMark> {
    let range = high - low;
    if !(range.is_finite() && range > 0.0) {
        return Vec::new();
    }
    let power = 10f64.powf((range / 4.0).log10().floor());
    let rounds = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step_size = rounds.into_iter().find(|step| range / step <= 5.0).unwrap_or(10.0 * power).max(least);
    let first = (low / step_size).ceil() as i64;
    let last = (high / step_size).floor() as i64;
    (first..=last).map(|at| GridMark { value: at as f64 * step_size, step_size }).collect()
}

/// `0.012`, `3.4`, `25k` and the like, with as many decimals as a step needs, so that the numbers of an axis match.
fn compact(value: f64, step: f64) -> String {
    let size = value.abs();
    // A step of exactly 0.1 has a logarithm a little off −1.
    let decimals = (-step.abs().max(1e-9).log10() - 1e-6).ceil().max(0.0) as usize;
    let text = if size >= 1e6 {
        format!("{:.1}M", size / 1e6)
    } else if size >= 1e4 {
        format!("{:.*}k", usize::from(step < 1e3), size / 1e3)
    } else if size > 0.0 && size < 1e-3 {
        let power = size.log10().floor();
        let digits = (decimals as f64 + power).max(0.0) as usize;
        format!("{:.digits$}e−{}", size / 10f64.powf(power), -power)
    } else {
        format!("{size:.decimals$}")
    };
    if value < 0.0 { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_is_explained() {
        assert_eq!(LossTerms::default().named().len(), HINTS.len());
    }

    #[test]
    fn the_table_has_a_row_per_epoch_and_two_columns_per_term() {
        let epochs = [1, 2].map(|epoch| EpochMetrics { epoch, ..EpochMetrics::default() });
        let text = table(&epochs);
        let widths: Vec<usize> = text.lines().map(|line| line.split('\t').count()).collect();
        assert_eq!(widths, [19, 19, 19]);
        assert!(text.contains("validation_network_alignment"));
    }

    #[test]
    fn marks_are_few_and_round() {
        for bounds in [(0.0, 25.0), (0.0791, 0.0815), (-3.0, 522.0), (1.0, 1.5)] {
            let marks = marks(bounds, 0.0);
            assert!((2..=6).contains(&marks.len()), "{bounds:?}: {}", marks.len());
        }
        let values: Vec<f64> = marks((0.2, 3.4), 1.0).iter().map(|mark| mark.value).collect();
        assert_eq!(values, [1.0, 2.0, 3.0]);
        assert!(marks((1.0, 1.0), 0.0).is_empty() && marks((f64::NAN, 1.0), 0.0).is_empty());
    }

    #[test]
    fn axis_numbers_are_short_and_match_each_other() {
        let axis = |values: &[f64], step| values.iter().map(|value| compact(*value, step)).collect::<Vec<_>>();
        assert_eq!(axis(&[0.0, 0.5, 1.0], 0.5), ["0.0", "0.5", "1.0"]);
        assert_eq!(axis(&[-20.0, 0.0, 100.0], 20.0), ["−20", "0", "100"]);
        assert_eq!(axis(&[0.0735, 0.0740], 0.0005), ["0.0735", "0.0740"]);
        assert_eq!(axis(&[0.07, 0.075], 0.005), ["0.070", "0.075"]);
        assert_eq!(axis(&[0.1680, 0.16805], 5e-5), ["0.16800", "0.16805"]);
        assert_eq!(axis(&[1.2e-5, 1.3e-5], 1e-6), ["1.2e−5", "1.3e−5"]);
        assert_eq!(axis(&[2e-4, 4e-4], 2e-4), ["2e−4", "4e−4"]);
        assert_eq!(axis(&[25_400.0, 25_600.0], 200.0), ["25.4k", "25.6k"]);
        assert_eq!(axis(&[2.5e6], 5e5), ["2.5M"]);
    }
}
