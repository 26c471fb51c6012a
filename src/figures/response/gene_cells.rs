//! How one gene is spread over control, perturbed and predicted cells.

use super::boxes::CellGroupKind;
use super::scatter::heading;
use crate::figures::axes::{Axis, Frame, plain, ticks_across, words};
use crate::figures::font::text_width;
use crate::figures::scene::{Anchor, Layer, Primitive, Scene, Stroke, Weight};
use crate::figures::theme::FigureTheme;
use crate::figures::{Figure, FigureScene, Hit, HitShape};
use crate::words::grouped;

/// Bars of each histogram.
const BINS: usize = 30;

/// Cells of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneCells {
    /// Which.
    pub kind: CellGroupKind,
    /// Expression in each cell.
    pub values: Vec<f32>,
}

/// Histograms one below the other, with the same axes.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneCellsFigure {
    /// Above it; empty for none.
    pub title: String,
    /// What is spread, with the unit.
    pub x_label: String,
    /// The cells, from top to bottom. Values that are not finite are skipped and counted.
    pub groups: Vec<GeneCells>,
    /// Font size in points.
    pub text_size: f32,
}

impl Default for GeneCellsFigure {
    fn default() -> Self {
        Self { title: String::new(), x_label: "Expression".into(), groups: Vec::new(), text_size: 7.0 }
    }
}

/// Shares of the cells in [`BINS`] equal parts of `low` to `high`.
fn shares(values: &[f32], low: f32, high: f32) -> Vec<f32> {
    let mut counts = vec![0usize; BINS];
    let finite = values.iter().filter(|value| value.is_finite());
    for value in finite.clone() {
        let at = ((value - low) / (high - low) * BINS as f32) as usize;
        counts[at.min(BINS - 1)] += 1;
    }
    let all = finite.count().max(1) as f32;
    counts.into_iter().map(|count| count as f32 / all).collect()
}

impl Figure for GeneCellsFigure {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let text = self.text_size;
        let finite = || self.groups.iter().flat_map(|group| &group.values).copied().filter(|value| value.is_finite());
        let skipped = self.groups.iter().map(|group| group.values.len()).sum::<usize>() - finite().count();
        let low = finite().fold(0.0, f32::min);
        let high = finite().fold(low + 0.5, f32::max);
        let of_groups: Vec<Vec<f32>> = self.groups.iter().map(|group| shares(&group.values, low, high)).collect();
        let most = of_groups.iter().flatten().copied().fold(0.01, f32::max);
        let title = if self.title.is_empty() { 0.0 } else { text * 1.7 };
        let x = Axis { low, high, ..Axis::between(low, high, &self.x_label, ticks_across(size[0] - text * 6.0, text)) };
        let y = |label: &str| Axis::between(0.0, most * 1.05 * 100.0, label, 2);
        // The lowest frame has the horizontal axis; all are as wide and as high.
        let whole = Frame::new([[0.0, title], size], x, y("Cells (%)"), text);
        let [min, max] = whole.area;
        let count = self.groups.len().max(1) as f32;
        let each = (max[1] - min[1]) / count;
        let mut axes = whole.x_axis(theme);
        if !self.title.is_empty() {
            axes.push(heading(&self.title, &whole, size[0], text, theme));
        }
        let (mut bars, mut grid, mut lines, mut hits) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (at, (group, shares)) in self.groups.iter().zip(&of_groups).enumerate() {
            let top = min[1] + each * at as f32;
            // Room for what the cells are, above the bars.
            let area = [[min[0], top + text * 1.5], [max[0], top + each - text * 0.25]];
            let area = [area[0], [area[1][0], area[1][1].max(area[0][1] + 1.0)]];
            let label = if at == self.groups.len() / 2 { "Cells (%)" } else { "" };
            let frame = Frame::with_area(area, whole.x.clone(), y(label), text);
            grid.extend(frame.grid(true, true, theme));
            axes.extend(frame.y_axis(theme));
            let fill = group.kind.colour(theme);
            let stroke = Some(Stroke { width: 0.4, colour: fill.mix(theme.text, 0.35) });
            let edge = |bin: usize| low + (high - low) * bin as f32 / BINS as f32;
            for (bin, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                let (Some(foot), Some(head)) = (frame.at(edge(bin), 0.0), frame.at(edge(bin + 1), share * 100.0))
                else {
                    continue;
                };
                bars.push(Primitive::Rectangle {
                    min: [foot[0], head[1]],
                    max: [head[0], foot[1]],
                    corner: 0.0,
                    fill,
                    stroke,
                });
                let [from, to, share] =
                    [edge(bin), edge(bin + 1), share * 100.0].map(|value| plain(f64::from(value), 1));
                let text = format!("{}\n{from} to {to}\n{share} % of the cells", group.kind.label());
                let (min, max) = ([foot[0], area[0][1]], [head[0], area[1][1]]);
                hits.push(Hit { shape: HitShape::Rectangle { min, max }, index: at, text });
            }
            axes.extend(self.caption(group, &frame, theme));
            let values: Vec<f32> = group.values.iter().copied().filter(|value| value.is_finite()).collect();
            if let Some(x) = mean(&values).and_then(|mean| frame.at(mean, 0.0)) {
                let points = vec![[x[0], area[0][1]], [x[0], area[1][1]]];
                lines.push(Primitive::Polyline {
                    points,
                    stroke: Stroke { width: 0.9, colour: theme.text },
                    dash: Some([2.5, 1.8]),
                });
            }
        }
        let layers = vec![
            Layer { name: "grid".into(), primitives: grid, clip: None },
            Layer { name: "cells".into(), primitives: bars, clip: None },
            Layer { name: "means".into(), primitives: lines, clip: None },
            Layer { name: "axes".into(), primitives: axes, clip: None },
        ];
        FigureScene { scene: Scene { size, background: Some(theme.background), layers }, hits, skipped }
    }
}

fn mean(values: &[f32]) -> Option<f32> {
    let sum = values.iter().map(|value| f64::from(*value)).sum::<f64>();
    (!values.is_empty()).then(|| (sum / values.len() as f64) as f32)
}

impl GeneCellsFigure {
    /// Which cells, how many, their mean (the dashed line), and how many have none of the gene.
    fn caption(&self, group: &GeneCells, frame: &Frame, theme: &FigureTheme) -> Vec<Primitive> {
        let size = self.text_size;
        let values: Vec<f32> = group.values.iter().copied().filter(|value| value.is_finite()).collect();
        let middle = frame.area[0][1] - size * 0.7;
        let label = group.kind.label();
        let mut out = vec![Primitive::Text {
            position: [frame.area[0][0], middle],
            anchor: Anchor::Start,
            text: label.to_owned(),
            size,
            colour: theme.text,
            weight: Weight::Bold,
            rotation: 0.0,
            halo: None,
        }];
        let Some(mean) = mean(&values) else { return out };
        let zeros = values.iter().filter(|value| **value == 0.0).count() as f64 / values.len() as f64;
        let cells = grouped(values.len());
        let (mean, zeros) = (plain(f64::from(mean), 2), plain(zeros * 100.0, 0));
        let room = frame.area[1][0] - frame.area[0][0] - text_width(label, size, Weight::Bold) - size;
        let all = [
            format!("{cells} cells, mean {mean} (dashed), none in {zeros} %"),
            format!("{cells} cells, mean {mean}"),
            format!("mean {mean}"),
        ];
        if let Some(text) = all.iter().find(|text| text_width(text, size, Weight::Regular) <= room) {
            out.push(words(text, [frame.area[1][0], middle], Anchor::End, size, theme.weak_text, 0.0));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_shares_of_the_cells_of_each_kind() {
        let found = shares(&[0.0, 0.0, 3.0, 1.5, f32::NAN], 0.0, 3.0);
        assert_eq!((found[0], found[15], found[29]), (0.5, 0.25, 0.25));
        assert_eq!(found.iter().sum::<f32>(), 1.0);
    }

    #[test]
    fn cells_without_any_count_still_make_a_picture() {
        let group = |kind, values: &[f32]| GeneCells { kind, values: values.to_vec() };
        let figure = GeneCellsFigure {
            groups: vec![
                group(CellGroupKind::Control, &[0.0; 8]),
                group(CellGroupKind::Perturbed, &[]),
                group(CellGroupKind::Drawn, &[0.0, 1.0, f32::NAN]),
            ],
            ..GeneCellsFigure::default()
        };
        for size in [[300.0, 200.0], [20.0, 10.0]] {
            let drawn = figure.scene(size, &FigureTheme::dark());
            assert_eq!((drawn.hits.len(), drawn.skipped), (3, 1));
        }
        let said: Vec<String> = figure
            .scene([400.0, 200.0], &FigureTheme::dark())
            .scene
            .layers
            .into_iter()
            .flat_map(|layer| layer.primitives)
            .filter_map(|primitive| match primitive {
                Primitive::Text { text, .. } => Some(text),
                _ => None,
            })
            .collect();
        assert!(said.contains(&"8 cells, mean 0.00 (dashed), none in 100 %".to_owned()), "{said:?}");
        assert!(said.contains(&"2 cells, mean 0.50 (dashed), none in 50 %".to_owned()), "{said:?}");
    }
}
