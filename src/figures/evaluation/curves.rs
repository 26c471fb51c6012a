//! Curves of several methods: precision against recall, tests against the number of edges, coverage against level.

use super::Tone;
use crate::figures::axes::{Axis, Frame, Scale, plain, ticks_across, ticks_down, words};
use crate::figures::ends::{readable, spread};
use crate::figures::font::{shortened, text_width};
use crate::figures::response::scatter::heading;
use crate::figures::scene::{Anchor, Layer, Primitive, Scene, Stroke, Weight};
use crate::figures::theme::FigureTheme;
use crate::figures::{Figure, FigureScene, Hit, HitShape};

/// One method's curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Written at its end.
    pub name: String,
    /// Whose it is.
    pub tone: Tone,
    /// From left to right; points with a value that is not finite are skipped and counted, and leave a gap.
    pub points: Vec<[f32; 2]>,
}

/// A line to read the curves against.
#[derive(Clone, Debug, PartialEq)]
pub enum Guide {
    /// Where both values are equal.
    Diagonal,
    /// At this height, with what it means.
    Level(f32, String),
}

/// Curves with their names at their ends.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvesFigure {
    /// Above it; empty for none.
    pub title: String,
    /// What goes across.
    pub x_label: String,
    /// What goes up.
    pub y_label: String,
    /// Linear or logarithmic across.
    pub x_scale: Scale,
    /// Bounds of the values across and up; none to cover them.
    pub bounds: [Option<[f32; 2]>; 2],
    /// The curves.
    pub curves: Vec<Curve>,
    /// Dots at the points: for few points.
    pub dots: bool,
    /// What to read them against.
    pub guide: Option<Guide>,
    /// Font size in points.
    pub text_size: f32,
}

impl Default for CurvesFigure {
    fn default() -> Self {
        Self {
            title: String::new(),
            x_label: String::new(),
            y_label: String::new(),
            x_scale: Scale::Linear,
            bounds: [None, None],
            curves: Vec::new(),
            dots: false,
            guide: None,
            text_size: 7.0,
        }
    }
}

/// Of lines to read against, in points.
const DASH: [f32; 2] = [3.0, 2.0];

impl Figure for CurvesFigure {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let text = self.text_size;
        let drawn = |point: &&[f32; 2]| {
            point.iter().all(|part| part.is_finite()) && (self.x_scale == Scale::Linear || point[0] > 0.0)
        };
        let all = || self.curves.iter().flat_map(|curve| &curve.points);
        let skipped = all().filter(|point| !drawn(point)).count();
        let title = if self.title.is_empty() { 0.0 } else { text * 1.7 };
        let most = size[0] * 0.4;
        let name = |curve: &Curve| shortened(&curve.name, most, text, Weight::Regular);
        let widest =
            self.curves.iter().map(|curve| text_width(&name(curve), text, Weight::Regular)).fold(0.0, f32::max);
        let right = widest + text * 0.9;
        let axis = |part: usize, label: &str, scale: Scale, count: usize| match self.bounds[part] {
            Some([low, high]) if scale == Scale::Linear => Axis::between(low, high, label, count),
            _ => Axis::covering(all().filter(drawn).map(|point| point[part]), label, scale, count),
        };
        let x = axis(0, &self.x_label, self.x_scale, ticks_across(size[0] - right - text * 6.0, text));
        let y = axis(1, &self.y_label, Scale::Linear, ticks_down(size[1] - title - text * 4.0, text));
        let frame = Frame::new([[0.0, title], [size[0] - right, size[1]]], x, y, text);

        let mut order: Vec<&Curve> = self.curves.iter().collect();
        order.sort_by_key(|curve| curve.tone.rank());
        let (mut lines, mut ends) = (Vec::new(), Vec::new());
        for curve in order {
            let colour = curve.tone.colour(theme);
            let width = if curve.tone == Tone::Model { 1.4 } else { 0.9 };
            for run in curve.points.split(|point| !drawn(&point)) {
                let run: Vec<[f32; 2]> = run.iter().filter_map(|point| frame.at(point[0], point[1])).collect();
                if self.dots || run.len() == 1 {
                    let dot =
                        |&centre: &[f32; 2]| Primitive::Circle { centre, radius: 1.6, fill: colour, stroke: None };
                    lines.extend(run.iter().map(dot));
                }
                if run.len() > 1 {
                    lines.push(Primitive::Polyline { points: run, stroke: Stroke { width, colour }, dash: None });
                }
            }
            if let Some(at) = curve.points.iter().rfind(drawn).and_then(|point| frame.at(point[0], point[1])) {
                ends.push((at[1], curve.name.as_str(), colour));
            }
        }
        let mut hits = Vec::new();
        for (index, curve) in self.curves.iter().enumerate() {
            for point in curve.points.iter().filter(drawn) {
                let Some(centre) = frame.at(point[0], point[1]).filter(|at| frame.contains(*at)) else { continue };
                let [x, y] = point.map(|value| plain(f64::from(value), 3));
                let text = format!("{}\n{} {x}\n{} {y}", curve.name, self.x_label, self.y_label);
                hits.push(Hit { shape: HitShape::Disc { centre, radius: 2.5 }, index, text });
            }
        }
        let mut labels = Vec::new();
        let left = frame.area[1][0] + text * 0.6;
        for (middle, name, colour) in spread(ends, text * 1.2, frame.area[0][1], frame.area[1][1]) {
            let name = shortened(name, most, text, Weight::Regular);
            labels.push(words(&name, [left, middle], Anchor::Start, text, readable(colour, theme), 0.0));
        }
        let mut grid = frame.grid(false, true, theme);
        self.guide(&frame, theme, &mut grid);
        let mut axes = frame.axes(theme);
        if !self.title.is_empty() {
            axes.push(heading(&self.title, &frame, size[0], text, theme));
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

impl CurvesFigure {
    fn guide(&self, frame: &Frame, theme: &FigureTheme, out: &mut Vec<Primitive>) {
        let stroke = Stroke { width: 0.8, colour: theme.weak_text };
        let line = |points: Vec<[f32; 2]>| Primitive::Polyline { points, stroke, dash: Some(DASH) };
        match &self.guide {
            Some(Guide::Diagonal) => {
                let [low, high] = [frame.x.low.max(frame.y.low), frame.x.high.min(frame.y.high)];
                let ends = [low, high].map(|value| frame.at(value, value));
                if let [Some(from), Some(to)] = ends {
                    out.push(line(vec![from, to]));
                }
            }
            Some(Guide::Level(height, meaning)) => {
                let Some(at) = frame.at(frame.x.low, *height).filter(|at| frame.contains(*at)) else { return };
                out.push(line(vec![[frame.area[0][0], at[1]], [frame.area[1][0], at[1]]]));
                let place = [frame.area[1][0] - 2.0, at[1] - self.text_size * 0.8];
                out.push(words(meaning, place, Anchor::End, self.text_size, theme.weak_text, 0.0));
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure() -> CurvesFigure {
        let curve = |name: &str, tone, points: &[[f32; 2]]| Curve { name: name.into(), tone, points: points.to_vec() };
        CurvesFigure {
            x_label: "recall".into(),
            y_label: "precision".into(),
            bounds: [Some([0.0, 1.0]), Some([0.0, 1.0])],
            curves: vec![
                curve("Model", Tone::Model, &[[0.0, 1.0], [0.5, 0.8], [1.0, 0.1]]),
                curve("Random", Tone::Other(0), &[[0.0, 0.1], [0.5, f32::NAN], [1.0, 0.1]]),
            ],
            guide: Some(Guide::Level(0.1, "chance".into())),
            ..CurvesFigure::default()
        }
    }

    #[test]
    fn the_model_is_on_top_and_a_missing_value_is_a_gap() {
        let drawn = figure().scene([200.0, 150.0], &FigureTheme::paper());
        assert_eq!(drawn.skipped, 1);
        let curves = drawn.scene.layers.iter().find(|layer| layer.name == "curves").unwrap();
        let lines = curves.primitives.iter().filter(|one| matches!(one, Primitive::Polyline { .. })).count();
        assert_eq!((lines, curves.primitives.len()), (1, 3), "one curve, and two dots of the one with the gap");
        assert!(matches!(curves.primitives.last(), Some(Primitive::Polyline { .. })), "the model's is the last");
        assert_eq!(drawn.hits.len(), 5);
        assert!(drawn.hits[0].text.starts_with("Model\nrecall 0.000\nprecision 1.000"));
        let labels = &drawn.scene.layers[3].primitives;
        let heights: Vec<f32> = labels
            .iter()
            .map(|label| match label {
                Primitive::Text { position, .. } => position[1],
                other => panic!("{other:?}"),
            })
            .collect();
        assert!((heights[0] - heights[1]).abs() >= 7.0 * 1.2 - 0.01, "names that end at one place are moved apart");
    }

    #[test]
    fn a_figure_without_curves_is_a_frame() {
        let empty = CurvesFigure::default().scene([100.0, 80.0], &FigureTheme::dark());
        assert!(empty.hits.is_empty() && empty.scene.layers[1].primitives.is_empty());
    }
}
