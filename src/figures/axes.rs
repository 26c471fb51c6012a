//! Axes: nice ticks, labels, grid.

use super::font::text_width;
use super::network::Area;
use super::scene::{Anchor, Colour, Primitive, Stroke, Weight};
use super::theme::FigureTheme;

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// By their decimal logarithm; values of zero and less have no place.
    Logarithmic,
}

/// An axis with its ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Value at its start.
    pub low: f32,
    /// Value at its end.
    pub high: f32,
    /// Linear or logarithmic.
    pub scale: Scale,
    /// What it shows, with the unit.
    pub label: String,
    /// Values with a tick and what is written there.
    pub ticks: Vec<(f32, String)>,
}

impl Axis {
    /// An axis from just below the lowest to just above the highest of `values` with about `count` ticks. Values that are
    /// not finite (or not positive on a logarithmic axis) are passed over; without any, or with all equal, the axis
    /// spans a range of one around them.
    pub fn covering(values: impl IntoIterator<Item = f32>, label: &str, scale: Scale, count: usize) -> Self {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for value in values {
            if value.is_finite() && (scale == Scale::Linear || value > 0.0) {
                low = low.min(value);
                high = high.max(value);
            }
        }
        match scale {
            Scale::Linear => {
                if low > high {
                    (low, high) = (0.0, 1.0);
                }
                if low == high {
                    let half = if low == 0.0 { 0.5 } else { low.abs() * 0.5 };
                    (low, high) = (low - half, high + half);
                }
                let margin = (high - low) * 0.04;
                Self::between(low - margin, high + margin, label, count)
            }
            Scale::Logarithmic => {
                if low > high {
                    (low, high) = (0.1, 1.0);
                }
                let (low, high) = (low.log10(), high.log10());
                let margin = ((high - low) * 0.04).max(0.05);
                Self::decades(low - margin, high + margin, label, count)
            }
        }
    }

    /// A linear axis from `low` to `high` exactly, with about `count` ticks.
    pub fn between(low: f32, high: f32, label: &str, count: usize) -> Self {
        Self { low, high, scale: Scale::Linear, label: label.into(), ticks: linear_ticks(low, high, count) }
    }

    /// A logarithmic axis from 10^`low` to 10^`high`.
    fn decades(low: f32, high: f32, label: &str, count: usize) -> Self {
        let (first, last) = (low.ceil() as i32, high.floor() as i32);
        let mut ticks = Vec::new();
        if last - first >= 1 {
            let step = ((last - first) as usize / count.max(1)).max(1);
            for power in (first..=last).step_by(step) {
                ticks.push((10.0_f32.powi(power), power_label(power)));
            }
        } else {
            // Less than a decade: 1, 2, 5 steps read better.
            for power in first - 1..=last + 1 {
                for digit in [1.0, 2.0, 3.0, 5.0, 7.0] {
                    let value = digit * 10.0_f32.powi(power);
                    if (low..=high).contains(&value.log10()) {
                        ticks.push((value, plain(f64::from(value), (-power).max(0) as usize)));
                    }
                }
            }
            while ticks.len() > count.max(2) {
                let mut keep = false;
                ticks.retain(|_| {
                    keep = !keep;
                    keep
                });
            }
        }
        let (low, high) = (10.0_f32.powf(low), 10.0_f32.powf(high));
        Self { low, high, scale: Scale::Logarithmic, label: label.into(), ticks }
    }

    /// Where `value` lies: 0 at the start, 1 at the end. None where it has no place.
    pub fn share(&self, value: f32) -> Option<f32> {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic if value > 0.0 => {
                (value.log10() - self.low.log10()) / (self.high.log10() - self.low.log10())
            }
            Scale::Logarithmic => return None,
        };
        share.is_finite().then_some(share)
    }

    fn widest_tick(&self, size: f32) -> f32 {
        self.ticks.iter().map(|(_, text)| text_width(text, size, Weight::Regular)).fold(0.0, f32::max)
    }
}

/// Multiples of 1, 2 or 5 times a power of ten within `low` to `high`, about `count`, with the decimals they need.
fn linear_ticks(low: f32, high: f32, count: usize) -> Vec<(f32, String)> {
    let (low, high) = (f64::from(low), f64::from(high));
    let extent = high - low;
    if !(extent.is_finite() && extent > 0.0) {
        return vec![(low as f32, plain(low, 2))];
    }
    let raw = extent / count.max(1) as f64;
    let power = raw.log10().floor();
    let fraction = raw / 10_f64.powf(power);
    let (digit, carry) = match fraction {
        f if f <= 1.4 => (1.0, 0.0),
        f if f <= 3.0 => (2.0, 0.0),
        f if f <= 7.0 => (5.0, 0.0),
        _ => (1.0, 1.0),
    };
    let step = digit * 10_f64.powf(power + carry);
    let decimals = (-(power + carry)).max(0.0) as usize;
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    let largest = low.abs().max(high.abs());
    (first..=last)
        .map(|number| {
            let value = number as f64 * step;
            let text = if !(1e-3..1e5).contains(&largest) { scientific(value) } else { plain(value, decimals) };
            (value as f32, text)
        })
        .collect()
}

/// A number with a true minus sign, and no minus before zero.
pub(super) fn plain(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().any(|digit| digit.is_ascii_digit() && digit != '0') => format!("−{rest}"),
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

fn scientific(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let power = value.abs().log10().floor();
    let digits = value / 10_f64.powf(power);
    let digits = plain((digits * 10.0).round() / 10.0, usize::from((digits * 10.0).round() as i64 % 10 != 0));
    format!("{digits}e{}", plain(power, 0))
}

fn power_label(power: i32) -> String {
    match power {
        -3..=4 => plain(10_f64.powi(power), (-power).max(0) as usize),
        _ => format!("1e{}", plain(f64::from(power), 0)),
    }
}

/// The rectangle that data are drawn in, with its two axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Top left, bottom right.
    pub area: Area,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    text_size: f32,
}

/// Room in points around a frame for what stands there, from the sizes of its labels.
pub(super) fn margins(x: &Axis, y: &Axis, size: f32) -> [[f32; 2]; 2] {
    let label = |axis: &Axis| if axis.label.is_empty() { 0.0 } else { size * 1.5 };
    let left = y.widest_tick(size) + tick(size) + size * 0.45 + label(y) + size * 0.2;
    let bottom = tick(size) + size * 1.35 + label(x) + size * 0.15;
    let last = x.ticks.last().map_or(0.0, |(_, text)| text_width(text, size, Weight::Regular) / 2.0);
    [[left, size * 0.7], [last.max(size * 0.6) + 1.0, bottom]]
}

/// Length of a tick.
fn tick(size: f32) -> f32 {
    size * 0.4
}

/// How many ticks have room along a horizontal axis of `length` points.
pub(super) fn ticks_across(length: f32, size: f32) -> usize {
    ((length / (size * 4.6)) as usize).clamp(2, 8)
}

/// How many ticks have room along a vertical axis of `length` points.
pub(super) fn ticks_down(length: f32, size: f32) -> usize {
    ((length / (size * 3.4)) as usize).clamp(2, 8)
}

impl Frame {
    /// A frame that fills `outer` but for the room of its labels and ticks.
    pub fn new(outer: Area, x: Axis, y: Axis, text_size: f32) -> Self {
        let [[left, top], [right, bottom]] = margins(&x, &y, text_size);
        let area = [
            [outer[0][0] + left, outer[0][1] + top],
            [(outer[1][0] - right).max(outer[0][0] + left + 1.0), (outer[1][1] - bottom).max(outer[0][1] + top + 1.0)],
        ];
        Self { area, x, y, text_size }
    }

    /// A frame with its rectangle given.
    pub fn with_area(area: Area, x: Axis, y: Axis, text_size: f32) -> Self {
        Self { area, x, y, text_size }
    }

    /// Where the point (`x`, `y`) is drawn; none where it has no place. It may lie outside the frame.
    pub fn at(&self, x: f32, y: f32) -> Option<[f32; 2]> {
        let (across, up) = (self.x.share(x)?, self.y.share(y)?);
        let [min, max] = self.area;
        Some([min[0] + across * (max[0] - min[0]), max[1] - up * (max[1] - min[1])])
    }

    /// Whether a point of the scene lies in the frame.
    pub fn contains(&self, point: [f32; 2]) -> bool {
        (0..2).all(|at| (self.area[0][at] - 0.01..=self.area[1][at] + 0.01).contains(&point[at]))
    }

    /// Grid lines: vertical ones, horizontal ones.
    pub fn grid(&self, across: bool, down: bool, theme: &FigureTheme) -> Vec<Primitive> {
        let [min, max] = self.area;
        let stroke = Stroke { width: 0.4, colour: theme.grid };
        let mut out = Vec::new();
        if across {
            for x in self.tick_places(&self.x, min[0], max[0]) {
                out.push(Primitive::Polyline { points: vec![[x, min[1]], [x, max[1]]], stroke, dash: None });
            }
        }
        if down {
            for y in self.tick_places(&self.y, max[1], min[1]) {
                out.push(Primitive::Polyline { points: vec![[min[0], y], [max[0], y]], stroke, dash: None });
            }
        }
        out
    }

    fn tick_places(&self, axis: &Axis, from: f32, to: f32) -> Vec<f32> {
        axis.ticks.iter().filter_map(|(value, _)| Some(from + axis.share(*value)? * (to - from))).collect()
    }

    /// The axes with ticks and labels.
    pub fn axes(&self, theme: &FigureTheme) -> Vec<Primitive> {
        let mut out = self.x_axis(theme);
        out.extend(self.y_axis(theme));
        out
    }

    /// The horizontal axis below the frame.
    pub fn x_axis(&self, theme: &FigureTheme) -> Vec<Primitive> {
        let ([min, max], size) = (self.area, self.text_size);
        let mut out = vec![line([min[0], max[1]], [max[0], max[1]], theme)];
        for (x, (_, text)) in self.tick_places(&self.x, min[0], max[0]).into_iter().zip(&self.x.ticks) {
            out.push(line([x, max[1]], [x, max[1] + tick(size)], theme));
            let position = [x, max[1] + tick(size) + size * 0.75];
            out.push(words(text, position, Anchor::Middle, size, theme.weak_text, 0.0));
        }
        if !self.x.label.is_empty() {
            let position = [f32::midpoint(min[0], max[0]), max[1] + tick(size) + size * 2.2];
            out.push(words(&self.x.label, position, Anchor::Middle, size, theme.text, 0.0));
        }
        out
    }

    /// The vertical axis left of the frame.
    pub fn y_axis(&self, theme: &FigureTheme) -> Vec<Primitive> {
        let ([min, max], size) = (self.area, self.text_size);
        let mut out = vec![line(min, [min[0], max[1]], theme)];
        for (y, (_, text)) in self.tick_places(&self.y, max[1], min[1]).into_iter().zip(&self.y.ticks) {
            out.push(line([min[0] - tick(size), y], [min[0], y], theme));
            let position = [min[0] - tick(size) - size * 0.35, y];
            out.push(words(text, position, Anchor::End, size, theme.weak_text, 0.0));
        }
        if !self.y.label.is_empty() {
            let left = min[0] - tick(size) - size * 0.45 - self.y.widest_tick(size) - size * 0.85;
            let position = [left, f32::midpoint(min[1], max[1])];
            out.push(words(&self.y.label, position, Anchor::Middle, size, theme.text, -90.0));
        }
        out
    }
}

fn line(from: [f32; 2], to: [f32; 2], theme: &FigureTheme) -> Primitive {
    let stroke = Stroke { width: 0.6, colour: theme.axis };
    Primitive::Polyline { points: vec![from, to], stroke, dash: None }
}

/// Plain words.
pub(super) fn words(
    text: &str,
    position: [f32; 2],
    anchor: Anchor,
    size: f32,
    colour: Colour,
    rotation: f32,
) -> Primitive {
    let text = text.to_owned();
    Primitive::Text { position, anchor, text, size, colour, weight: Weight::Regular, rotation, halo: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_have_a_true_minus() {
        assert_eq!(labels(&Axis::between(-1.1, 1.1, "", 5)), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(labels(&Axis::between(0.0, 100.0, "", 5)), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(&Axis::between(-0.021, 0.031, "", 5)), ["−0.02", "−0.01", "0.00", "0.01", "0.02", "0.03"]);
        assert_eq!(labels(&Axis::between(0.0, 3e6, "", 3)), ["0", "1e6", "2e6", "3e6"]);
    }

    #[test]
    fn an_axis_of_nothing_or_of_one_value_is_still_an_axis() {
        for values in [vec![], vec![f32::NAN], vec![2.0], vec![0.0, 0.0], vec![-3.0; 4]] {
            for scale in [Scale::Linear, Scale::Logarithmic] {
                let axis = Axis::covering(values.clone(), "", scale, 4);
                assert!(axis.low < axis.high && axis.low.is_finite() && axis.high.is_finite(), "{values:?} {scale:?}");
                assert!(!axis.ticks.is_empty(), "{values:?} {scale:?}");
            }
        }
    }

    #[test]
    fn logarithmic_axes_have_decades() {
        let axis = Axis::covering([0.01, 250.0], "", Scale::Logarithmic, 6);
        assert_eq!(labels(&axis), ["0.01", "0.1", "1", "10", "100"]);
        assert_eq!(axis.share(0.0), None);
        assert!((axis.share(1.0).unwrap() - 0.463).abs() < 0.02);
        assert_eq!(labels(&Axis::covering([150.0, 600.0], "", Scale::Logarithmic, 4)), ["200", "300", "500"]);
    }
}
