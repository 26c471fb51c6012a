//! Total counts against detected genes of every cell, failing cells in another colour.

use crate::figures::axes::{Axis, Frame, Scale, plain, ticks_across, ticks_down, words};
use crate::figures::font::text_width;
use crate::figures::response::scatter::heading;
use crate::figures::scene::{Anchor, Layer, Primitive, Scene, Weight};
use crate::figures::theme::FigureTheme;
use crate::figures::{Figure, FigureScene, Hit, HitShape};

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CellPoint {
    /// Total counts.
    pub x: f32,
    /// Detected genes.
    pub y: f32,
    /// The rules that it fails in words; none if it passes.
    pub fails: Option<String>,
}

/// Cells on logarithmic axes.
#[derive(Clone, Debug, PartialEq)]
pub struct CellsFigure {
    /// Above it; empty for none.
    pub title: String,
    /// What is counted across.
    pub x_label: String,
    /// What is counted upwards.
    pub y_label: String,
    /// The cells drawn. Cells with a zero have no place and are counted.
    pub points: Vec<CellPoint>,
    /// A line below the title, such as how many cells are drawn; empty for none.
    pub note: String,
    /// Font size in points.
    pub text_size: f32,
}

impl Default for CellsFigure {
    fn default() -> Self {
        Self {
            title: String::new(),
            x_label: "Total counts".into(),
            y_label: "Detected genes".into(),
            points: Vec::new(),
            note: String::new(),
            text_size: 7.0,
        }
    }
}

impl Figure for CellsFigure {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let text = self.text_size;
        let title = if self.title.is_empty() { 0.0 } else { text * 1.7 };
        let head = title + text * 1.4;
        let axis = |values: &mut dyn Iterator<Item = f32>, label: &str, ticks: usize| {
            Axis::covering(values, label, Scale::Logarithmic, ticks)
        };
        let x = axis(&mut self.points.iter().map(|cell| cell.x), &self.x_label, ticks_across(size[0], text).min(6));
        let y = axis(&mut self.points.iter().map(|cell| cell.y), &self.y_label, ticks_down(size[1], text).min(6));
        let frame = Frame::new([[0.0, head], size], x, y, text);
        let mut axes = frame.axes(theme);
        if !self.title.is_empty() {
            axes.push(heading(&self.title, &frame, size[0], text, theme));
        }
        axes.extend(self.legend(title, &frame, theme));
        let radius = text * 0.16;
        let (mut points, mut hits, mut skipped) = (Vec::new(), Vec::new(), 0);
        // Failing cells above the others.
        for failing in [false, true] {
            for (index, cell) in self.points.iter().enumerate().filter(|(_, cell)| cell.fails.is_some() == failing) {
                let Some(centre) = frame.at(cell.x, cell.y) else {
                    skipped += 1;
                    continue;
                };
                let fill = if failing { theme.repression } else { theme.predicted.with_opacity(0.55) };
                points.push(Primitive::Circle { centre, radius, fill, stroke: None });
                let fails = cell.fails.as_ref().map_or_else(|| "passes".to_owned(), |rules| format!("fails {rules}"));
                let words = format!(
                    "{} {}\n{} {}\n{fails}",
                    self.x_label,
                    plain(cell.x.into(), 0),
                    self.y_label,
                    plain(cell.y.into(), 0)
                );
                hits.push(Hit { shape: HitShape::Disc { centre, radius: radius + 0.5 }, index, text: words });
            }
        }
        let layers = vec![
            Layer { name: "grid".into(), primitives: frame.grid(true, true, theme), clip: Some(frame.area) },
            Layer { name: "cells".into(), primitives: points, clip: None },
            Layer { name: "axes".into(), primitives: axes, clip: None },
        ];
        FigureScene { scene: Scene { size, background: Some(theme.background), layers }, hits, skipped }
    }
}

impl CellsFigure {
    /// What the colours mean, and the note, in one line above the frame.
    fn legend(&self, top: f32, frame: &Frame, theme: &FigureTheme) -> Vec<Primitive> {
        let text = self.text_size * 0.92;
        let (mut left, middle) = (frame.area[0][0], top + text * 0.8);
        let mut out = Vec::new();
        for (name, fill) in [("passes", theme.predicted), ("fails", theme.repression)] {
            let centre = [left + text * 0.3, middle];
            out.push(Primitive::Circle { centre, radius: text * 0.28, fill, stroke: None });
            out.push(words(name, [left + text * 0.85, middle], Anchor::Start, text, theme.weak_text, 0.0));
            left += text * 1.9 + text_width(name, text, Weight::Regular);
        }
        if !self.note.is_empty() && left + text_width(&self.note, text, Weight::Regular) < frame.area[1][0] {
            out.push(words(&self.note, [frame.area[1][0], middle], Anchor::End, text, theme.weak_text, 0.0));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_without_counts_have_no_place_and_failing_ones_lie_above() {
        let cell = |x: f32, fails: bool| CellPoint { x, y: x, fails: fails.then(|| "counts".to_owned()) };
        let points = vec![cell(10.0, true), cell(100.0, false), cell(0.0, true)];
        let figure = CellsFigure { points, ..CellsFigure::default() };
        let drawn = figure.scene([200.0, 200.0], &FigureTheme::light());
        assert_eq!(drawn.skipped, 1);
        assert_eq!(drawn.hits.iter().map(|hit| hit.index).collect::<Vec<_>>(), [1, 0]);
        assert!(drawn.hits[1].text.ends_with("fails counts"));
    }
}
