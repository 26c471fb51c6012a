//! Predicted and observed shift of the most changed genes, side by side.

use super::scatter::heading;
use crate::figures::axes::{Axis, Frame, plain, ticks_across, words};
use crate::figures::font::{shortened, text_width};
use crate::figures::scene::{Anchor, Colour, Layer, Primitive, Scene, Stroke, Weight};
use crate::figures::theme::FigureTheme;
use crate::figures::{Figure, FigureScene, Hit, HitShape};

/// A gene of the figure.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedBar {
    /// Its symbol.
    pub label: String,
    /// Observed shift; not finite where it was not measured.
    pub observed: f32,
    /// Predicted shift.
    pub predicted: f32,
    /// Half the width of the interval around it, where there is one.
    pub half_width: Option<f32>,
    /// Selected elsewhere: its name is bold.
    pub highlighted: bool,
}

/// Horizontal bars in pairs, one row per gene, first on top.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedBarsFigure {
    /// Above it; empty for none.
    pub title: String,
    /// What the bars show, with the unit.
    pub x_label: String,
    /// The genes, in order.
    pub bars: Vec<PairedBar>,
    /// What the intervals are: `90 % interval, 10 members`.
    pub interval: String,
    /// Font size in points.
    pub text_size: f32,
}

impl Default for PairedBarsFigure {
    fn default() -> Self {
        Self {
            title: String::new(),
            x_label: "Shift".into(),
            bars: Vec::new(),
            interval: String::new(),
            text_size: 7.0,
        }
    }
}

impl PairedBarsFigure {
    /// The `count` genes of `bars` with the largest observed shift (predicted, where none was observed), largest first.
    pub fn of_largest(mut bars: Vec<PairedBar>, count: usize) -> Self {
        let shift = |bar: &PairedBar| if bar.observed.is_finite() { bar.observed.abs() } else { bar.predicted.abs() };
        bars.retain(|bar| shift(bar).is_finite());
        bars.sort_by(|a, b| shift(b).total_cmp(&shift(a)).then_with(|| a.label.cmp(&b.label)));
        bars.truncate(count);
        Self { bars, ..Self::default() }
    }
}

impl Figure for PairedBarsFigure {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let text = self.text_size;
        let values = || self.bars.iter().flat_map(|bar| [bar.observed, bar.predicted]);
        let skipped = values().filter(|value| !value.is_finite()).count();
        let rows = Rows::new(&self.title, true, self.bars.iter().map(|bar| bar.label.as_str()), size, text);
        let reaches = || self.bars.iter().flat_map(|bar| interval(bar.predicted, bar.half_width));
        let frame = rows.frame(values().chain(reaches().flatten()), &self.x_label);

        let mut axes = frame.x_axis(theme);
        axes.extend(rows.title(&self.title, &frame, theme));
        let explained = reaches().next().map(|_| self.interval.as_str());
        key(&frame, rows.key_at, explained, text, theme, &mut axes);
        let mut bars = Vec::new();
        let mut hits = Vec::new();
        for (index, bar) in self.bars.iter().enumerate() {
            let row = rows.row(index, self.bars.len(), &frame);
            let thickness = (row[1] - row[0]) * 0.38;
            let middle = f32::midpoint(row[0], row[1]);
            for (value, top, fill) in
                [(bar.observed, middle - thickness, theme.observed), (bar.predicted, middle, theme.predicted)]
            {
                bars.extend(rectangle(&frame, value, top, thickness, fill));
            }
            if let Some(ends) = interval(bar.predicted, bar.half_width) {
                bars.extend(whisker(&frame, ends, middle + thickness / 2.0, thickness, theme));
            }
            rows.name(&bar.label, middle, row, bar.highlighted, &frame, theme, &mut axes);
            let said = |value: f32| if value.is_finite() { plain(f64::from(value), 3) } else { "not measured".into() };
            let within = interval_text(bar.predicted, bar.half_width);
            let text =
                format!("{}\nobserved {}\npredicted {}{within}", bar.label, said(bar.observed), said(bar.predicted));
            let (min, max) = ([0.0, row[0]], [frame.area[1][0], row[1]]);
            hits.push(Hit { shape: HitShape::Rectangle { min, max }, index, text });
        }
        let layers = vec![
            Layer { name: "grid".into(), primitives: frame.grid(true, false, theme), clip: None },
            Layer { name: "bars".into(), primitives: bars, clip: None },
            Layer { name: "axes".into(), primitives: axes, clip: None },
            Layer { name: "zero".into(), primitives: zero_line(&frame, theme), clip: None },
        ];
        FigureScene { scene: Scene { size, background: Some(theme.background), layers }, hits, skipped }
    }
}

/// The ends of an interval, where there is one.
pub(super) fn interval(value: f32, half_width: Option<f32>) -> Option<[f32; 2]> {
    half_width.filter(|half| half.is_finite() && value.is_finite()).map(|half| [value - half, value + half])
}

/// ` (−0.70 to −0.32)`, or nothing.
pub(super) fn interval_text(value: f32, half_width: Option<f32>) -> String {
    let text = |[low, high]: [f32; 2]| format!(" ({} to {})", plain(f64::from(low), 3), plain(f64::from(high), 3));
    interval(value, half_width).map(text).unwrap_or_default()
}

/// The line of an interval on a bar that is `thickness` thick.
pub(super) fn whisker(
    frame: &Frame,
    ends: [f32; 2],
    middle: f32,
    thickness: f32,
    theme: &FigureTheme,
) -> Vec<Primitive> {
    let [Some(low), Some(high)] = ends.map(|end| frame.at(end, 0.0).map(|at| at[0])) else { return Vec::new() };
    whisker_of([low, middle], [high, middle], thickness * 0.25, theme)
}

/// A line from `from` to `to` with caps that reach `cap` to both sides.
fn whisker_of(from: [f32; 2], to: [f32; 2], cap: f32, theme: &FigureTheme) -> Vec<Primitive> {
    let stroke = Stroke { width: 0.7, colour: theme.text };
    let line = |points: Vec<[f32; 2]>| Primitive::Polyline { points, stroke, dash: None };
    let end = |at: [f32; 2]| line(vec![[at[0], at[1] - cap], [at[0], at[1] + cap]]);
    vec![line(vec![from, to]), end(from), end(to)]
}

/// Which colour is observed and which predicted, and what the lines on bars are.
fn key(frame: &Frame, middle: f32, interval: Option<&str>, size: f32, theme: &FigureTheme, out: &mut Vec<Primitive>) {
    let mut x = frame.area[0][0];
    for (text, fill) in [("Observed", theme.observed), ("Predicted", theme.predicted)] {
        let side = size * 0.7;
        let (min, max) = ([x, middle - side / 2.0], [x + side, middle + side / 2.0]);
        out.push(Primitive::Rectangle { min, max, corner: 0.0, fill, stroke: None });
        x += side + size * 0.4;
        out.push(words(text, [x, middle], Anchor::Start, size, theme.text, 0.0));
        x += text_width(text, size, Weight::Regular) + size * 1.2;
    }
    if let Some(text) = interval {
        interval_key([x, middle], text, size, theme, out);
    }
}

/// What the lines on bars are, from `at` on.
pub(super) fn interval_key(at: [f32; 2], text: &str, size: f32, theme: &FigureTheme, out: &mut Vec<Primitive>) {
    let to = [at[0] + size * 1.2, at[1]];
    out.extend(whisker_of(at, to, size * 0.25, theme));
    out.push(words(text, [to[0] + size * 0.4, at[1]], Anchor::Start, size, theme.text, 0.0));
}

/// A bar from zero to `value`.
pub(super) fn rectangle(frame: &Frame, value: f32, top: f32, thickness: f32, fill: Colour) -> Option<Primitive> {
    let (zero, end) = (frame.at(0.0, 0.0)?[0], frame.at(value, 0.0)?[0]);
    let (min, max) = ([zero.min(end), top], [zero.max(end), top + thickness]);
    Some(Primitive::Rectangle { min, max, corner: 0.0, fill, stroke: None })
}

/// The line at zero, over the bars.
pub(super) fn zero_line(frame: &Frame, theme: &FigureTheme) -> Vec<Primitive> {
    let Some(zero) = frame.at(0.0, 0.0) else { return Vec::new() };
    let points = vec![[zero[0], frame.area[0][1]], [zero[0], frame.area[1][1]]];
    vec![Primitive::Polyline { points, stroke: Stroke { width: 0.6, colour: theme.axis }, dash: None }]
}

/// One row per gene with its name to the left: what all bar figures share.
pub(super) struct Rows {
    size: [f32; 2],
    text: f32,
    /// Font size of the names: smaller where rows are narrow.
    names: f32,
    names_width: f32,
    top: f32,
    /// Font sizes that a row is high at most: a few genes do not become a few thick beams.
    tallest: f32,
    /// Middle of the row of the key.
    pub key_at: f32,
}

impl Rows {
    pub(super) fn new<'a>(
        title: &str,
        key: bool,
        names: impl ExactSizeIterator<Item = &'a str> + Clone,
        size: [f32; 2],
        text: f32,
    ) -> Self {
        let title = if title.is_empty() { 0.0 } else { text * 1.7 };
        let key_at = title + text * 0.85;
        let top = title + if key { text * 1.9 } else { text * 0.5 };
        let room = (size[1] - top - text * 4.0) / names.len().max(1) as f32;
        let names_size = text.min(room * 0.95).max(text * 0.72);
        let width = names.map(|name| text_width(name, names_size, Weight::Bold)).fold(0.0, f32::max);
        Self { size, text, names: names_size, names_width: width.min(size[0] * 0.35), top, tallest: 3.2, key_at }
    }

    /// The same with a key of so many lines, and rows of up to so many font sizes.
    pub(super) fn with_room(mut self, key_lines: usize, tallest: f32) -> Self {
        self.top += self.text * 1.5 * key_lines.saturating_sub(1) as f32;
        self.tallest = tallest;
        self
    }

    /// The frame whose horizontal axis has room for `values` and zero.
    pub(super) fn frame(&self, values: impl Iterator<Item = f32>, label: &str) -> Frame {
        let left = self.names_width + self.text * 0.9;
        let count = ticks_across(self.size[0] - left, self.text);
        let x = Axis::covering(values.chain([0.0]), label, crate::figures::axes::Scale::Linear, count);
        let y = Axis { ticks: Vec::new(), ..Axis::between(0.0, 1.0, "", 2) };
        let mut frame = Frame::new([[0.0, 0.0], self.size], x, y, self.text);
        frame.area[0] = [left, self.top];
        frame
    }

    /// Top and bottom of a row.
    pub(super) fn row(&self, index: usize, count: usize, frame: &Frame) -> [f32; 2] {
        let height = (frame.area[1][1] - frame.area[0][1]) / count.max(1) as f32;
        let height = height.min(self.text * self.tallest);
        let top = frame.area[0][1] + height * index as f32;
        [top, top + height]
    }

    pub(super) fn title(&self, title: &str, frame: &Frame, theme: &FigureTheme) -> Option<Primitive> {
        (!title.is_empty()).then(|| heading(title, frame, self.size[0], self.text, theme))
    }

    /// The gene's name, left out of rows too narrow for it.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn name(
        &self,
        name: &str,
        middle: f32,
        row: [f32; 2],
        bold: bool,
        frame: &Frame,
        theme: &FigureTheme,
        out: &mut Vec<Primitive>,
    ) {
        if row[1] - row[0] < self.names * 0.7 {
            return;
        }
        let weight = if bold { Weight::Bold } else { Weight::Regular };
        out.push(Primitive::Text {
            position: [frame.area[0][0] - self.text * 0.5, middle],
            anchor: Anchor::End,
            text: shortened(name, self.names_width + 0.1, self.names, weight),
            size: self.names,
            colour: theme.text,
            weight,
            rotation: 0.0,
            halo: None,
        });
    }
}
