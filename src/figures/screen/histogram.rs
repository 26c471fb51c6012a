//! How a quality metric is spread over the cells, and which of them lie beyond its limit.

use crate::figures::axes::{Axis, Frame, Scale, plain, ticks_across, ticks_down, words};
use crate::figures::font::text_width;
use crate::figures::response::scatter::heading;
use crate::figures::scene::{Anchor, Layer, Primitive, Scene, Stroke, Weight};
use crate::figures::theme::FigureTheme;
use crate::figures::{Figure, FigureScene, Hit, HitShape};

/// Cells with values of one range.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// Lower end, included.
    pub from: f32,
    /// Upper end, excluded but by the last bin.
    pub to: f32,
    /// Cells in it.
    pub cells: u32,
    /// How many of them are beyond the limit.
    pub failing: u32,
}

/// Values counted in bins of equal width on their scale.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Ascending, without gaps.
    pub bins: Vec<Bin>,
    /// Linear or logarithmic.
    pub scale: Scale,
    /// Values without a place: not finite, or not positive on a logarithmic scale.
    pub left_out: usize,
}

impl Histogram {
    /// Count `values` in `count` bins; `fails` tells which are beyond the limit.
    pub fn of(values: &[f32], count: usize, scale: Scale, fails: impl Fn(f32) -> bool) -> Self {
        let placed = |value: f32| value.is_finite() && (scale == Scale::Linear || value > 0.0);
        let place = |value: f32| if scale == Scale::Linear { value } else { value.log10() };
        let back = |value: f32| if scale == Scale::Linear { value } else { 10f32.powf(value) };
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for value in values.iter().copied().filter(|value| placed(*value)) {
            (low, high) = (low.min(place(value)), high.max(place(value)));
        }
        let left_out = values.iter().filter(|value| !placed(**value)).count();
        if low > high || count == 0 {
            return Self { bins: Vec::new(), scale, left_out };
        }
        if scale == Scale::Linear && low >= 0.0 {
            // Shares are read from zero.
            low = 0.0;
        }
        if low == high {
            high = low + if scale == Scale::Linear { low.abs().max(1.0) } else { 0.1 };
        }
        let edge = |at: usize| back(low + (high - low) * at as f32 / count as f32);
        let mut bins: Vec<Bin> =
            (0..count).map(|at| Bin { from: edge(at), to: edge(at + 1), ..Bin::default() }).collect();
        for value in values.iter().copied().filter(|value| placed(*value)) {
            let at = ((place(value) - low) / (high - low) * count as f32) as usize;
            let bin = &mut bins[at.min(count - 1)];
            bin.cells += 1;
            bin.failing += u32::from(fails(value));
        }
        Self { bins, scale, left_out }
    }
}

/// A limit drawn across the histogram.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitLine {
    /// Where.
    pub value: f32,
    /// What it is called: `3 MAD`.
    pub label: String,
    /// The one in force: drawn solid.
    pub chosen: bool,
}

/// A histogram with its limits; failing cells in another colour.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramFigure {
    /// Above it; empty for none.
    pub title: String,
    /// What was measured, with the unit.
    pub x_label: String,
    /// What was counted.
    pub y_label: String,
    /// The bins.
    pub histogram: Histogram,
    /// The limits; those outside the bins are not drawn.
    pub limits: Vec<LimitLine>,
    /// Font size in points.
    pub text_size: f32,
}

impl Default for HistogramFigure {
    fn default() -> Self {
        Self {
            title: String::new(),
            x_label: String::new(),
            y_label: "Cells".into(),
            histogram: Histogram::default(),
            limits: Vec::new(),
            text_size: 7.0,
        }
    }
}

impl Figure for HistogramFigure {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let text = self.text_size;
        let bins = &self.histogram.bins;
        let title = if self.title.is_empty() { 0.0 } else { text * 1.7 };
        // The names of the limits stand above the frame.
        let head = title + if self.limits.is_empty() { 0.0 } else { text * 1.2 };
        let ends = bins.first().zip(bins.last()).map(|(first, last)| [first.from, last.to]);
        let across = ticks_across(size[0] - text * 6.0, text);
        let x = Axis::covering(ends.into_iter().flatten(), &self.x_label, self.histogram.scale, across);
        let most = bins.iter().map(|bin| bin.cells).max().unwrap_or(1) as f32;
        let y = Axis::between(0.0, most * 1.06, &self.y_label, ticks_down(size[1] - head - text * 4.0, text).min(5));
        let frame = Frame::new([[0.0, head], size], x, y, text);
        let mut axes = frame.axes(theme);
        if !self.title.is_empty() {
            axes.push(heading(&self.title, &frame, size[0], text, theme));
        }
        let (mut bars, mut hits) = (Vec::new(), Vec::new());
        for (index, bin) in bins.iter().enumerate().filter(|(_, bin)| bin.cells > 0) {
            let corner = |value: f32, cells: u32| frame.at(value, cells as f32);
            let (Some(foot), Some(top), Some(split)) =
                (corner(bin.from, 0), corner(bin.to, bin.cells), corner(bin.to, bin.failing))
            else {
                continue;
            };
            for (fill, low, high) in
                [(theme.repression, foot[1], split[1]), (theme.predicted.with_opacity(0.85), split[1], top[1])]
            {
                if low > high {
                    // A hair of background between bars.
                    let gap = ((top[0] - foot[0]) * 0.08).min(0.5);
                    let (min, max) = ([foot[0] + gap, high], [top[0] - gap, low]);
                    bars.push(Primitive::Rectangle { min, max, corner: 0.0, fill, stroke: None });
                }
            }
            let decimals = usize::from(bin.to < 100.0);
            let range = format!("{} to {}", plain(bin.from.into(), decimals), plain(bin.to.into(), decimals));
            let failing = if bin.failing > 0 { format!(", {} beyond the limit", bin.failing) } else { String::new() };
            let words = format!("{}\n{range}\n{} cells{failing}", self.x_label, bin.cells);
            let (min, max) = ([foot[0], frame.area[0][1]], [top[0], foot[1]]);
            hits.push(Hit { shape: HitShape::Rectangle { min, max }, index, text: words });
        }
        let layers = vec![
            Layer { name: "grid".into(), primitives: frame.grid(false, true, theme), clip: None },
            Layer { name: "bars".into(), primitives: bars, clip: Some(frame.area) },
            Layer { name: "limits".into(), primitives: self.limit_lines(&frame, theme), clip: None },
            Layer { name: "axes".into(), primitives: axes, clip: None },
        ];
        let skipped = self.histogram.left_out;
        FigureScene { scene: Scene { size, background: Some(theme.background), layers }, hits, skipped }
    }
}

impl HistogramFigure {
    fn limit_lines(&self, frame: &Frame, theme: &FigureTheme) -> Vec<Primitive> {
        let text = self.text_size * 0.92;
        let mut out = Vec::new();
        // Names from left to right, each where the one before leaves room; the chosen one is always there.
        let mut lines: Vec<(f32, &LimitLine)> = self
            .limits
            .iter()
            .filter_map(|limit| Some((frame.at(limit.value, 0.0)?[0], limit)))
            .filter(|(x, _)| (frame.area[0][0] - 0.01..=frame.area[1][0] + 0.01).contains(x))
            .collect();
        lines.sort_by(|a, b| b.1.chosen.cmp(&a.1.chosen).then(a.0.total_cmp(&b.0)));
        let mut taken: Vec<[f32; 2]> = Vec::new();
        for (x, limit) in lines {
            let colour = if limit.chosen { theme.text } else { theme.weak_text };
            let (width, dash) = if limit.chosen { (1.1, None) } else { (0.7, Some([2.5, 2.0])) };
            let points = vec![[x, frame.area[0][1]], [x, frame.area[1][1]]];
            out.push(Primitive::Polyline { points, stroke: Stroke { width, colour }, dash });
            let half = text_width(&limit.label, text, Weight::Regular) / 2.0;
            let room = [x - half - text * 0.25, x + half + text * 0.25];
            if taken.iter().any(|other| room[0] < other[1] && other[0] < room[1]) {
                continue;
            }
            taken.push(room);
            let position = [x, frame.area[0][1] - text * 0.65];
            out.push(words(&limit.label, position, Anchor::Middle, text, colour, 0.0));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_with_a_place_is_counted_once() {
        let values = [0.0, 1.0, 10.0, 100.0, 1000.0, f32::NAN];
        let linear = Histogram::of(&values, 10, Scale::Linear, |value| value > 500.0);
        assert_eq!(linear.bins.iter().map(|bin| bin.cells).sum::<u32>(), 5);
        assert_eq!(linear.bins.iter().map(|bin| bin.failing).sum::<u32>(), 1);
        assert_eq!((linear.bins[9].cells, linear.left_out), (1, 1));
        let decades = Histogram::of(&values, 3, Scale::Logarithmic, |_| false);
        assert_eq!(decades.bins.iter().map(|bin| bin.cells).collect::<Vec<_>>(), [1, 1, 2]);
        assert_eq!(decades.left_out, 2);
        assert!((decades.bins[1].from - 10.0).abs() < 1e-3);
    }

    #[test]
    fn equal_and_no_values_still_draw() {
        for values in [vec![], vec![0.0; 4], vec![7.0; 3]] {
            for scale in [Scale::Linear, Scale::Logarithmic] {
                let histogram = Histogram::of(&values, 8, scale, |_| true);
                let figure = HistogramFigure { histogram, ..HistogramFigure::default() };
                let drawn = figure.scene([200.0, 120.0], &FigureTheme::paper());
                assert!(drawn.hits.iter().all(|hit| matches!(hit.shape, HitShape::Rectangle { .. })));
            }
        }
    }

    #[test]
    fn names_of_limits_do_not_overlap_and_the_chosen_one_stays() {
        let histogram = Histogram::of(&[1.0, 50.0, 100.0], 10, Scale::Linear, |_| false);
        let line = |value: f32, chosen| LimitLine { value, label: format!("{value} MAD"), chosen };
        let limits = vec![line(50.0, false), line(50.5, true), line(400.0, false)];
        let figure = HistogramFigure { histogram, limits, ..HistogramFigure::default() };
        let scene = figure.scene([200.0, 120.0], &FigureTheme::paper()).scene;
        let layer = scene.layers.iter().find(|layer| layer.name == "limits").unwrap();
        let texts: Vec<_> = layer
            .primitives
            .iter()
            .filter_map(|primitive| match primitive {
                Primitive::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(texts, ["50.5 MAD"]);
    }
}
