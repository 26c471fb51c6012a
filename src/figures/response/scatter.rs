//! Predicted against observed shift of every gene.

use super::paired_bars::{interval, interval_text};
use crate::figures::axes::{Axis, Frame, Scale, ticks_across, ticks_down};
use crate::figures::font::{shortened, text_width};
use crate::figures::names::{Named, inside, place};
use crate::figures::network::Area;
use crate::figures::scene::{Anchor, Layer, Primitive, Scene, Stroke, Weight};
use crate::figures::theme::FigureTheme;
use crate::figures::{Figure, FigureScene, Hit, HitShape};

/// A gene of a scatter plot.
#[derive(Clone, Debug, PartialEq)]
pub struct ScatterPoint {
    /// Observed.
    pub x: f32,
    /// Predicted.
    pub y: f32,
    /// Half the width of the interval around the prediction, where there is one.
    pub half_width: Option<f32>,
    /// Its symbol.
    pub label: String,
    /// Selected or pointed at elsewhere: drawn above the others and labelled first.
    pub highlighted: bool,
}

/// A scatter plot on equal axes with the identity line.
#[derive(Clone, Debug, PartialEq)]
pub struct ScatterFigure {
    /// Above it; empty for none.
    pub title: String,
    /// Observed: what and in which unit.
    pub x_label: String,
    /// Predicted: what and in which unit.
    pub y_label: String,
    /// The horizontal value in a tooltip: `observed`.
    pub x_name: String,
    /// The vertical one: `predicted`.
    pub y_name: String,
    /// The genes. Points with a value that is not finite are skipped and counted.
    pub points: Vec<ScatterPoint>,
    /// Lines in the corner: `r = 0.61`, `R² = 0.35`, `200 genes`.
    pub statistics: Vec<String>,
    /// How many genes to name, those with the largest shifts first.
    pub labels: usize,
    /// Font size in points.
    pub text_size: f32,
}

impl Default for ScatterFigure {
    fn default() -> Self {
        Self {
            title: String::new(),
            x_label: "Observed shift".into(),
            y_label: "Predicted shift".into(),
            x_name: "observed".into(),
            y_name: "predicted".into(),
            points: Vec::new(),
            statistics: Vec::new(),
            labels: 12,
            text_size: 7.0,
        }
    }
}

impl Figure for ScatterFigure {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let text = self.text_size;
        let finite: Vec<(usize, &ScatterPoint)> =
            self.points.iter().enumerate().filter(|(_, point)| point.x.is_finite() && point.y.is_finite()).collect();
        let skipped = self.points.len() - finite.len();

        let title = if self.title.is_empty() { 0.0 } else { text * 1.7 };
        let outer = [[0.0, title], size];
        let across = |label: &str| {
            let count = ticks_across(size[0] - text * 6.0, text).min(ticks_down(size[1] - text * 5.0, text));
            let reaches = finite.iter().flat_map(|(_, point)| interval(point.y, point.half_width)).flatten();
            let values = finite.iter().flat_map(|(_, point)| [point.x, point.y]).chain(reaches);
            Axis::covering(values, label, Scale::Linear, count.max(3))
        };
        let frame = Frame::new(outer, across(&self.x_label), across(&self.y_label), text);

        let mut axes = frame.axes(theme);
        if !self.title.is_empty() {
            axes.push(heading(&self.title, &frame, size[0], text, theme));
        }
        let mut lines = frame.grid(true, true, theme);
        let ends = [frame.x.low, frame.x.high].map(|value| frame.at(value, value));
        if let [Some(from), Some(to)] = ends {
            let stroke = Stroke { width: 0.7, colour: theme.axis };
            lines.push(Primitive::Polyline { points: vec![from, to], stroke, dash: Some([3.0, 2.0]) });
        }
        let at = |x: f32, y: f32| frame.at(x, y).filter(|point| frame.contains(*point));
        for zero in [[at(0.0, frame.y.low), at(0.0, frame.y.high)], [at(frame.x.low, 0.0), at(frame.x.high, 0.0)]] {
            if let [Some(from), Some(to)] = zero {
                let stroke = Stroke { width: 0.5, colour: theme.axis.mix(theme.background, 0.45) };
                lines.push(Primitive::Polyline { points: vec![from, to], stroke, dash: None });
            }
        }

        let radius = point_radius(finite.len(), text);
        // Below the points, fainter where there are many.
        let shown = (60.0 / finite.len().max(1) as f32).sqrt().clamp(0.08, 0.6);
        let mut intervals = Vec::new();
        for (_, point) in &finite {
            let Some([low, high]) = interval(point.y, point.half_width) else { continue };
            let [Some(from), Some(to)] = [low, high].map(|y| frame.at(point.x, y)) else { continue };
            let (width, colour) = match point.highlighted {
                true => (0.8, theme.highlight),
                false => (0.6, theme.predicted.with_opacity(shown)),
            };
            intervals.push(Primitive::Polyline {
                points: vec![from, to],
                stroke: Stroke { width, colour },
                dash: None,
            });
        }
        let mut points = Vec::with_capacity(finite.len());
        let mut hits = Vec::with_capacity(finite.len());
        let mut discs: Vec<[f32; 2]> = Vec::with_capacity(finite.len());
        for highlighted in [false, true] {
            for (index, point) in finite.iter().filter(|(_, point)| point.highlighted == highlighted) {
                let Some(centre) = frame.at(point.x, point.y) else { continue };
                let (radius, fill) = if highlighted {
                    (radius * 1.5, theme.highlight)
                } else {
                    (radius, theme.predicted.with_opacity(0.75))
                };
                let stroke = highlighted.then_some(Stroke { width: 0.6, colour: theme.background });
                points.push(Primitive::Circle { centre, radius, fill, stroke });
                discs.push(centre);
                let text = format!(
                    "{}\n{} {}\n{} {}{}",
                    point.label,
                    self.x_name,
                    crate::figures::axes::plain(f64::from(point.x), 3),
                    self.y_name,
                    crate::figures::axes::plain(f64::from(point.y), 3),
                    interval_text(point.y, point.half_width)
                );
                hits.push(Hit { shape: HitShape::Disc { centre, radius: radius + 1.0 }, index: *index, text });
            }
        }

        let (statistics, taken) = self.statistics(&frame, &discs, theme);
        let labels = self.names(&finite, &frame, &discs, radius, taken, theme);
        let clip = Some(frame.area);
        let layers = vec![
            Layer { name: "grid".into(), primitives: lines, clip },
            Layer { name: "intervals".into(), primitives: intervals, clip },
            // Points at the border are drawn whole.
            Layer { name: "points".into(), primitives: points, clip: None },
            Layer { name: "axes".into(), primitives: axes, clip: None },
            Layer { name: "labels".into(), primitives: labels, clip: None },
            Layer { name: "statistics".into(), primitives: statistics, clip: None },
        ];
        FigureScene { scene: Scene { size, background: Some(theme.background), layers }, hits, skipped }
    }
}

impl ScatterFigure {
    /// The statistics in the emptier of the two corners beside the identity line, and the box they take.
    fn statistics(&self, frame: &Frame, discs: &[[f32; 2]], theme: &FigureTheme) -> (Vec<Primitive>, Option<Area>) {
        let size = self.text_size;
        if self.statistics.is_empty() {
            return (Vec::new(), None);
        }
        let width = self.statistics.iter().map(|line| text_width(line, size, Weight::Regular)).fold(0.0, f32::max);
        let height = size * 1.35 * self.statistics.len() as f32;
        let ([min, max], gap) = (frame.area, size * 0.6);
        let corners = [
            [[min[0] + gap, min[1] + gap * 0.5], [min[0] + gap + width, min[1] + gap * 0.5 + height]],
            [[max[0] - gap - width, max[1] - gap * 0.5 - height], [max[0] - gap, max[1] - gap * 0.5]],
        ];
        let crowd = |corner: &Area| discs.iter().filter(|point| inside(*corner, **point, 2.0)).count();
        let corner = if crowd(&corners[1]) < crowd(&corners[0]) { corners[1] } else { corners[0] };
        let lines = self.statistics.iter().enumerate().map(|(at, line)| Primitive::Text {
            position: [corner[0][0], corner[0][1] + (at as f32 + 0.5) * size * 1.35],
            anchor: Anchor::Start,
            text: line.clone(),
            size,
            colour: theme.text,
            weight: Weight::Regular,
            rotation: 0.0,
            halo: Some(theme.background),
        });
        (lines.collect(), Some(corner))
    }

    /// Names of the genes with the largest shifts, highlighted ones first.
    fn names(
        &self,
        finite: &[(usize, &ScatterPoint)],
        frame: &Frame,
        discs: &[[f32; 2]],
        radius: f32,
        taken: Option<Area>,
        theme: &FigureTheme,
    ) -> Vec<Primitive> {
        let mut order: Vec<&ScatterPoint> = finite.iter().map(|(_, point)| *point).collect();
        let reach = |point: &ScatterPoint| point.x.abs().max(point.y.abs());
        order.sort_by(|a, b| {
            b.highlighted.cmp(&a.highlighted).then(reach(b).total_cmp(&reach(a))).then_with(|| a.label.cmp(&b.label))
        });
        // A gene has a point in every perturbation: of many that are highlighted only the farthest are named.
        let wishes: Vec<Named<'_>> = order
            .into_iter()
            .enumerate()
            .filter_map(|(place, point)| {
                let centre = frame.at(point.x, point.y)?;
                Some(Named { centre, name: &point.label, highlighted: point.highlighted && place < self.labels })
            })
            .collect();
        place(&wishes, self.labels, frame, discs, radius, taken, self.text_size * 0.92, theme)
    }
}

/// Smaller points where there are many.
fn point_radius(count: usize, text: f32) -> f32 {
    let most = text * 0.27;
    (most * (400.0 / count.max(1) as f32).powf(0.25)).clamp(most * 0.5, most)
}

/// A figure's title: over the middle of its frame, moved aside or shortened where the figure is too narrow for that.
pub(in crate::figures) fn heading(
    text: &str,
    frame: &Frame,
    width: f32,
    text_size: f32,
    theme: &FigureTheme,
) -> Primitive {
    let size = text_size * 1.08;
    let text = shortened(text, width - 1.0, size, Weight::Bold);
    let half = text_width(&text, size, Weight::Bold) / 2.0 + 0.5;
    let middle = f32::midpoint(frame.area[0][0], frame.area[1][0]).min(width - half).max(half);
    Primitive::Text {
        position: [middle, text_size * 1.15],
        anchor: Anchor::Middle,
        text,
        size,
        colour: theme.text,
        weight: Weight::Bold,
        rotation: 0.0,
        halo: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::ThemeName;

    #[test]
    fn of_many_highlighted_points_the_farthest_are_named() {
        let point = |at: usize| ScatterPoint {
            label: format!("G{at}"),
            x: at as f32 * 0.1,
            y: (at * 37 % 50) as f32 * 0.1,
            half_width: None,
            highlighted: at.is_multiple_of(2),
        };
        let figure = ScatterFigure { points: (0..50).map(point).collect(), labels: 5, ..ScatterFigure::default() };
        let drawn = figure.scene([400.0, 400.0], &FigureTheme::of(ThemeName::Paper));
        let names = drawn.scene.layers.iter().find(|layer| layer.name == "labels").unwrap();
        let mut named = Vec::new();
        for primitive in &names.primitives {
            if let Primitive::Text { text, weight, .. } = primitive {
                assert!(
                    *weight == Weight::Bold
                        && figure.points.iter().any(|point| point.highlighted && point.label == *text)
                );
                named.push(text);
            }
        }
        assert!((3..=5).contains(&named.len()), "{named:?}");
    }
}
