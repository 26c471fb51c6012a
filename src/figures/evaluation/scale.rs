//! All metrics of all methods on one scale: 0 the training mean, 1 the split-half replicate.

use super::Tone;
use crate::figures::axes::{Axis, Frame, plain, ticks_across, words};
use crate::figures::font::{shortened, text_width};
use crate::figures::response::scatter::heading;
use crate::figures::scene::{Anchor, Colour, Layer, Primitive, Scene, Stroke, Weight};
use crate::figures::theme::FigureTheme;
use crate::figures::{Figure, FigureScene, Hit, HitShape};

/// A row of the figure.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledMetric {
    /// Its name.
    pub label: String,
    /// What the number is, for people who point at it.
    pub definition: String,
    /// One value per method; none where it has none.
    pub values: Vec<Option<f32>>,
}

/// Metrics as rows, methods as dots.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleFigure {
    /// Above it; empty for none.
    pub title: String,
    /// Names and whose they are, in the order of the values.
    pub methods: Vec<(String, Tone)>,
    /// From top to bottom.
    pub metrics: Vec<ScaledMetric>,
    /// What 0 and 1 are.
    pub ends: [String; 2],
    /// Font size in points.
    pub text_size: f32,
}

/// The axis covers the values as far as these bounds, and at least the inner ones; values beyond are arrow heads at the border.
const OUTER: [f32; 2] = [-1.5, 3.0];
const INNER: [f32; 2] = [-0.4, 1.25];
/// Programs that have none of the fonts named draw letters up to this much wider.
const SLACK: f32 = 1.12;
/// Radius of a dot over the font size.
const DOT: f32 = 0.36;

impl ScaleFigure {
    /// Height in points that rows and legend need at a width.
    pub fn height(&self, width: f32) -> f32 {
        let text = self.text_size;
        self.head() + self.legend(width).1 + text * (1.75 * self.metrics.len() as f32 + 3.2)
    }

    fn bounds(&self) -> [f32; 2] {
        let values =
            || self.metrics.iter().flat_map(|metric| metric.values.iter().flatten()).filter(|value| value.is_finite());
        let low = values().copied().fold(INNER[0], f32::min).max(OUTER[0]);
        let high = values().copied().fold(INNER[1], f32::max).min(OUTER[1]);
        let margin = (high - low) * 0.03;
        [low - margin, high + margin]
    }

    fn head(&self) -> f32 {
        if self.title.is_empty() { 0.0 } else { self.text_size * 1.7 }
    }

    /// Places of the legend's items (left, line) and its height.
    fn legend(&self, width: f32) -> (Vec<[f32; 2]>, f32) {
        let text = self.text_size;
        let (mut x, mut line) = (0.0, 0);
        let mut places = Vec::new();
        for (name, _) in &self.methods {
            let item = text * 1.3 + SLACK * text_width(name, text, Weight::Regular);
            if x > 0.0 && x + item > width {
                (x, line) = (0.0, line + 1);
            }
            places.push([x, text * (0.8 + 1.4 * line as f32)]);
            x += item + text * 1.2;
        }
        let lines = if self.methods.is_empty() { 0 } else { line + 1 };
        (places, text * 1.4 * lines as f32 + text * 1.6)
    }
}

impl Figure for ScaleFigure {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let text = self.text_size;
        let (places, legend_height) = self.legend(size[0]);
        let top = self.head() + legend_height;
        let most = size[0] * 0.45;
        let name = |metric: &ScaledMetric| shortened(&metric.label, most, text, Weight::Regular);
        let widest =
            self.metrics.iter().map(|metric| text_width(&name(metric), text, Weight::Regular)).fold(0.0, f32::max);
        let names = SLACK * widest;
        let area = [[names + text, top], [size[0] - text * 0.8, size[1] - text * 3.2]];
        let bounds = self.bounds();
        let x = Axis::between(
            bounds[0],
            bounds[1],
            "Share of the way from the training mean to a replicate",
            ticks_across(area[1][0] - area[0][0], text).min(8),
        );
        let rows = self.metrics.len().max(1) as f32;
        let y = Axis { ticks: Vec::new(), ..Axis::between(rows, 0.0, "", 2) };
        let frame = Frame::with_area(area, x, y, text);
        let row_height = (area[1][1] - area[0][1]) / rows;

        let mut back = Vec::new();
        for row in (0..self.metrics.len()).step_by(2) {
            let above = area[0][1] + row as f32 * row_height;
            back.push(Primitive::Rectangle {
                min: [0.0, above],
                max: [area[1][0], above + row_height],
                corner: 0.0,
                fill: theme.grid.with_opacity(0.45),
                stroke: None,
            });
        }
        let mut axes = frame.x_axis(theme);
        for (value, meaning) in [0.0, 1.0].into_iter().zip(&self.ends) {
            let Some(at) = frame.at(value, 0.0) else { continue };
            let points = vec![[at[0], area[0][1]], [at[0], area[1][1]]];
            back.push(Primitive::Polyline { points, stroke: Stroke { width: 0.8, colour: theme.axis }, dash: None });
            axes.push(words(meaning, [at[0], area[0][1] - text * 0.8], Anchor::Middle, text, theme.weak_text, 0.0));
        }
        if !self.title.is_empty() {
            axes.push(heading(&self.title, &frame, size[0], text, theme));
        }
        for ((name, tone), place) in self.methods.iter().zip(&places) {
            let middle = [place[0] + text * 0.5, self.head() + place[1]];
            axes.push(dot(middle, text * DOT, tone.colour(theme), theme));
            let at = [place[0] + text * 1.3, middle[1]];
            axes.push(words(name, at, Anchor::Start, text, theme.text, 0.0));
        }
        let (mut dots, mut hits) = (Vec::new(), Vec::new());
        for (row, metric) in self.metrics.iter().enumerate() {
            let middle = area[0][1] + (row as f32 + 0.5) * row_height;
            axes.push(words(&name(metric), [names, middle], Anchor::End, text, theme.text, 0.0));
            hits.push(Hit {
                shape: HitShape::Rectangle {
                    min: [0.0, middle - row_height / 2.0],
                    max: [names, middle + row_height / 2.0],
                },
                index: row,
                text: format!("{}\n{}", metric.label, metric.definition),
            });
            let mut order: Vec<usize> = (0..self.methods.len().min(metric.values.len())).collect();
            order.sort_by_key(|&method| self.methods[method].1.rank());
            let mut beyond = [0.0; 2];
            for method in order {
                let Some(value) = metric.values[method].filter(|value| value.is_finite()) else { continue };
                let Some([x, _]) = frame.at(value.clamp(bounds[0], bounds[1]), 0.0) else { continue };
                let (who, tone) = &self.methods[method];
                let (colour, radius) = (tone.colour(theme), text * DOT);
                // Arrow heads stand behind each other, the last one nearest to the border.
                let mut x = x;
                dots.push(if value < bounds[0] || value > bounds[1] {
                    let (side, way) = if value < bounds[0] { (0, -1.0) } else { (1, 1.0) };
                    x -= way * beyond[side] * radius * 2.4;
                    beyond[side] += 1.0;
                    head([x, middle], way * radius * 1.3, colour)
                } else {
                    dot([x, middle], radius, colour, theme)
                });
                let text = format!("{who}\n{} {}", metric.label, plain(f64::from(value), 2));
                hits.push(Hit {
                    shape: HitShape::Disc { centre: [x, middle], radius: radius + 1.0 },
                    index: row,
                    text,
                });
            }
        }
        let layers = vec![
            Layer { name: "rows".into(), primitives: back, clip: None },
            Layer { name: "axes".into(), primitives: axes, clip: None },
            Layer { name: "methods".into(), primitives: dots, clip: None },
        ];
        FigureScene { scene: Scene { size, background: Some(theme.background), layers }, hits, skipped: 0 }
    }
}

/// A dot whose rim keeps it apart from others.
fn dot(centre: [f32; 2], radius: f32, fill: Colour, theme: &FigureTheme) -> Primitive {
    Primitive::Circle { centre, radius, fill, stroke: Some(Stroke { width: 0.5, colour: theme.background }) }
}

/// An arrow head with its tip at `tip`: there is more beyond the border.
fn head(tip: [f32; 2], length: f32, fill: Colour) -> Primitive {
    let half = length.abs() * 0.7;
    let points = vec![tip, [tip[0] - 1.6 * length, tip[1] - half], [tip[0] - 1.6 * length, tip[1] + half]];
    Primitive::Polygon { points, fill, stroke: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure() -> ScaleFigure {
        let row = |label: &str, values: [Option<f32>; 2]| ScaledMetric {
            label: label.into(),
            definition: "A test".into(),
            values: values.to_vec(),
        };
        ScaleFigure {
            title: String::new(),
            methods: vec![("Model".into(), Tone::Model), ("No change".into(), Tone::Other(0))],
            metrics: vec![row("r", [Some(0.5), None]), row("R²", [Some(0.9), Some(-30.0)])],
            ends: ["training mean".into(), "replicate".into()],
            text_size: 7.0,
        }
    }

    #[test]
    fn what_lies_beyond_the_border_is_an_arrow_head_and_told_in_full() {
        let figure = figure();
        let drawn = figure.scene([240.0, figure.height(240.0)], &FigureTheme::paper());
        let methods = &drawn.scene.layers[2].primitives;
        assert_eq!(methods.len(), 3);
        assert_eq!(methods.iter().filter(|one| matches!(one, Primitive::Polygon { .. })).count(), 1);
        assert!(drawn.hits.iter().any(|hit| hit.text.contains("R² −30.00")));
        assert!(drawn.hits.iter().any(|hit| hit.text == "r\nA test"));
    }

    #[test]
    fn the_legend_breaks_into_lines_where_it_does_not_fit() {
        let mut figure = figure();
        figure.methods = (0..8).map(|at| (format!("Baseline number {at}"), Tone::Other(at))).collect();
        assert!(figure.height(150.0) > figure.height(600.0));
    }
}
