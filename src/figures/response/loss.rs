//! Training curves.

use super::scatter::heading;
use crate::figures::axes::{Axis, Frame, Scale, plain, ticks_across, ticks_down, words};
use crate::figures::ends::{readable, spread};
use crate::figures::font::text_width;
use crate::figures::scene::{Anchor, Layer, Primitive, Scene, Stroke, Weight};
use crate::figures::theme::FigureTheme;
use crate::figures::{Figure, FigureScene, Hit, HitShape};

/// One term of the loss over the epochs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LossSeries {
    /// The term's name.
    pub name: String,
    /// Epoch and value on the training cells.
    pub train: Vec<[f32; 2]>,
    /// Epoch and value on the validation cells.
    pub validation: Vec<[f32; 2]>,
}

/// Curves of one or more terms, each named at its end; validation dashed.
#[derive(Clone, Debug, PartialEq)]
pub struct LossFigure {
    /// Above it; empty for none.
    pub title: String,
    /// What the curves show.
    pub y_label: String,
    /// The terms.
    pub series: Vec<LossSeries>,
    /// Linear or logarithmic values; on the latter values of zero and less are skipped and counted.
    pub scale: Scale,
    /// The epoch whose model is kept, marked by a line.
    pub best_epoch: Option<f32>,
    /// Font size in points.
    pub text_size: f32,
}

impl Default for LossFigure {
    fn default() -> Self {
        Self {
            title: String::new(),
            y_label: "Loss".into(),
            series: Vec::new(),
            scale: Scale::Linear,
            best_epoch: None,
            text_size: 7.0,
        }
    }
}

/// Dash and gap of validation curves, in points.
const DASH: [f32; 2] = [3.0, 1.8];

impl Figure for LossFigure {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let text = self.text_size;
        let drawn = |point: &&[f32; 2]| {
            point.iter().all(|part| part.is_finite()) && (self.scale == Scale::Linear || point[1] > 0.0)
        };
        let all = || self.series.iter().flat_map(|series| series.train.iter().chain(&series.validation));
        let skipped = all().filter(|point| !drawn(point)).count();

        let title = if self.title.is_empty() { 0.0 } else { text * 1.7 };
        let head = title + text * 1.5;
        let names =
            self.series.iter().map(|series| text_width(&series.name, text, Weight::Regular)).fold(0.0, f32::max);
        let named = self.series.len() > 1;
        let right = if named { (names + text * 0.8).min(size[0] * 0.35) } else { 0.0 };
        let last = all().filter(drawn).map(|point| point[0]).fold(1.0, f32::max);
        let first = all().filter(drawn).map(|point| point[0]).fold(last, f32::min).min(last - 1.0);
        let values = all().filter(drawn).map(|point| point[1]);
        let (mut y, low) = {
            let low = values.clone().fold(f32::INFINITY, f32::min);
            let count = ticks_down(size[1] - head - text * 4.0, text);
            (Axis::covering(values, &self.y_label, self.scale, count), low)
        };
        if self.scale == Scale::Linear && low >= 0.0 && low < y.high * 0.3 {
            // Losses that come near zero are read against zero.
            y = Axis::between(0.0, y.high, &self.y_label, ticks_down(size[1] - head - text * 4.0, text));
        }
        let mut x = Axis::between(first, last, "Epoch", ticks_across(size[0] - right - text * 6.0, text));
        x.ticks.retain(|(epoch, _)| epoch.fract() == 0.0);
        let frame = Frame::new([[0.0, head], [size[0] - right, size[1]]], x, y, text);

        let mut lines = Vec::new();
        let (mut hits, mut ends) = (Vec::new(), Vec::new());
        for (index, series) in self.series.iter().enumerate() {
            let colour = theme.series[index % theme.series.len()];
            for (points, dash, what) in
                [(&series.train, None, "training"), (&series.validation, Some(DASH), "validation")]
            {
                // A gap where a value is missing, not a line across it.
                for run in points.split(|point| !drawn(&point)) {
                    let run: Vec<[f32; 2]> = run.iter().filter_map(|point| frame.at(point[0], point[1])).collect();
                    match run.as_slice() {
                        [] => {}
                        [only] => {
                            lines.push(Primitive::Circle { centre: *only, radius: 1.2, fill: colour, stroke: None })
                        }
                        _ => {
                            lines.push(Primitive::Polyline { points: run, stroke: Stroke { width: 1.0, colour }, dash })
                        }
                    }
                }
                for point in points.iter().filter(drawn) {
                    let Some(centre) = frame.at(point[0], point[1]) else { continue };
                    let text =
                        format!("{}, {what}\nepoch {}\n{}", series.name, point[0], plain(f64::from(point[1]), 4));
                    hits.push(Hit { shape: HitShape::Disc { centre, radius: 2.5 }, index, text });
                }
            }
            let end = series.train.iter().rfind(drawn).or_else(|| series.validation.iter().rfind(drawn));
            if let Some(at) = end.and_then(|point| frame.at(point[0], point[1])) {
                ends.push((at[1], series.name.as_str(), colour));
            }
        }

        let mut labels = Vec::new();
        if named {
            let left = frame.area[1][0] + text * 0.6;
            for (middle, name, colour) in spread(ends, text * 1.2, frame.area[0][1], frame.area[1][1]) {
                labels.push(words(name, [left, middle], Anchor::Start, text, readable(colour, theme), 0.0));
            }
        }
        let mut axes = frame.axes(theme);
        if !self.title.is_empty() {
            axes.push(heading(&self.title, &frame, size[0], text, theme));
        }
        self.key(&frame, title + text * 0.85, theme, &mut axes);
        let mut grid = frame.grid(false, true, theme);
        if let Some(at) =
            self.best_epoch.and_then(|epoch| frame.at(epoch, frame.y.low)).filter(|at| frame.contains(*at))
        {
            let points = vec![[at[0], frame.area[0][1]], [at[0], frame.area[1][1]]];
            let stroke = Stroke { width: 0.7, colour: theme.highlight };
            grid.push(Primitive::Polyline { points, stroke, dash: None });
        }
        let clip = Some(frame.area);
        let layers = vec![
            Layer { name: "grid".into(), primitives: grid, clip: None },
            Layer { name: "curves".into(), primitives: lines, clip },
            Layer { name: "axes".into(), primitives: axes, clip: None },
            Layer { name: "labels".into(), primitives: labels, clip: None },
        ];
        FigureScene { scene: Scene { size, background: Some(theme.background), layers }, hits, skipped }
    }
}

impl LossFigure {
    /// What solid, dashed and upright lines are.
    fn key(&self, frame: &Frame, middle: f32, theme: &FigureTheme, out: &mut Vec<Primitive>) {
        let size = self.text_size;
        let has = |validation: bool| {
            self.series.iter().any(|series| !(if validation { &series.validation } else { &series.train }).is_empty())
        };
        let items = [
            (has(false), "Training", None, theme.text),
            (has(true), "Validation", Some(DASH), theme.text),
            (self.best_epoch.is_some(), "Model kept", None, theme.highlight),
        ];
        let mut x = frame.area[0][0];
        for (_, text, dash, colour) in items.into_iter().filter(|item| item.0) {
            let line = size * 1.8;
            let points = vec![[x, middle], [x + line, middle]];
            out.push(Primitive::Polyline { points, stroke: Stroke { width: 1.0, colour }, dash });
            x += line + size * 0.4;
            out.push(words(text, [x, middle], Anchor::Start, size, theme.text, 0.0));
            x += text_width(text, size, Weight::Regular) + size * 1.2;
        }
    }
}
