//! Shifts of many genes under many perturbations as a heat map, with the hierarchies that order them.

use super::scatter::heading;
use crate::evaluation::clustering::Hierarchy;
use crate::figures::axes::{Axis, Frame, plain, words};
use crate::figures::font::{shortened, text_width};
use crate::figures::network::Area;
use crate::figures::scene::{Anchor, Colour, Layer, LinePiece, Primitive, Scene, Stroke, Weight};
use crate::figures::theme::FigureTheme;
use crate::figures::{Figure, FigureScene, Hit, HitShape};

/// Most perturbations, and most genes, of one heat map.
pub const MOST_IN_HEAT_MAP: usize = 200;

/// Which shifts are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HeatMapShifts {
    /// Measured ones.
    Observed,
    /// Those that the model predicts.
    Predicted,
    /// Both side by side, in the order of the measured ones.
    #[default]
    Both,
}

impl HeatMapShifts {
    /// All, in the order of the menu.
    pub const ALL: [Self; 3] = [Self::Both, Self::Observed, Self::Predicted];

    /// `Observed`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Observed => "Observed",
            Self::Predicted => "Predicted",
            Self::Both => "Both",
        }
    }
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeatMapOptions {
    /// Which shifts.
    pub shifts: HeatMapShifts,
    /// How many genes: those whose shifts vary most over the perturbations shown.
    pub genes: usize,
    /// How many perturbations: those with the largest shifts (root of the mean square).
    pub perturbations: usize,
}

impl Default for HeatMapOptions {
    fn default() -> Self {
        Self { shifts: HeatMapShifts::default(), genes: 50, perturbations: 60 }
    }
}

/// Colours told apart on each side of 0: neighbours of one colour become one rectangle, which keeps files small.
const STEPS: f32 = 24.0;
/// Cells reach so far under their neighbours, in points, so that no background shines through between them.
const OVERLAP: f32 = 0.25;

/// One heat map of several with the same rows and columns.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMapPanel {
    /// Above it: `Observed`.
    pub title: String,
    /// Rows × columns, row-major; not finite where there is no value.
    pub values: Vec<f32>,
}

/// Perturbations × genes, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMapFigure {
    /// Above everything; empty for none.
    pub title: String,
    /// What the colours are, with the unit.
    pub scale_label: String,
    /// What a row is, in the plural: `Perturbations`.
    pub rows_label: String,
    /// What a column is, in the plural: `Genes`.
    pub columns_label: String,
    /// Names of the rows, from top to bottom.
    pub rows: Vec<String>,
    /// What is told of each row beside its name, where there is something: `40 cells`.
    pub row_notes: Vec<String>,
    /// Names of the columns, from left to right.
    pub columns: Vec<String>,
    /// Side by side.
    pub panels: Vec<HeatMapPanel>,
    /// The hierarchy of the rows, leaves in any numbering: its order is that of `rows`.
    pub row_tree: Option<Hierarchy>,
    /// That of the columns.
    pub column_tree: Option<Hierarchy>,
    /// Where the colours end, on both sides of 0; larger values have the last colour.
    pub limit: f32,
    /// What has no value: `Perturbed itself`.
    pub no_value: String,
    /// Rows and columns whose name is bold.
    pub highlighted: Vec<String>,
    /// Font size in points.
    pub text_size: f32,
}

impl Default for HeatMapFigure {
    fn default() -> Self {
        Self {
            title: String::new(),
            scale_label: "Shift (log2)".into(),
            rows_label: "Perturbations".into(),
            columns_label: "Genes".into(),
            rows: Vec::new(),
            row_notes: Vec::new(),
            columns: Vec::new(),
            panels: Vec::new(),
            row_tree: None,
            column_tree: None,
            limit: 1.0,
            no_value: "No value".into(),
            highlighted: Vec::new(),
            text_size: 7.0,
        }
    }
}

/// Where everything lies.
struct Places {
    /// The cells of each panel.
    panels: Vec<Area>,
    /// Width and height of a cell.
    cell: [f32; 2],
    row_tree: Option<Area>,
    column_trees: Vec<Area>,
    /// Font size of the names of rows and columns.
    names: [f32; 2],
    header: f32,
}

impl HeatMapFigure {
    /// Number of cells that are drawn.
    pub fn cell_count(&self) -> usize {
        self.rows.len() * self.columns.len() * self.panels.len()
    }

    /// What a hit of this figure is: the panel, the row and the column.
    pub fn cell_of(&self, index: usize) -> Option<[usize; 3]> {
        let (rows, columns) = (self.rows.len(), self.columns.len());
        (index < self.cell_count()).then(|| [index / columns / rows, index / columns % rows, index % columns])
    }

    fn places(&self, size: [f32; 2]) -> Places {
        let text = self.text_size;
        let count = self.panels.len().max(1) as f32;
        let (rows, columns) = (self.rows.len().max(1) as f32, self.columns.len().max(1) as f32);
        let title = if self.title.is_empty() { 0.0 } else { text * 1.8 };
        let header = title + text * 3.4;
        let tree = |hierarchy: &Option<Hierarchy>, most: f32| match hierarchy {
            Some(tree) if tree.merges.len() > 1 => (most * 0.09).clamp(text * 1.6, text * 5.0),
            _ => 0.0,
        };
        let (left, top) = (tree(&self.row_tree, size[0]), tree(&self.column_tree, size[1]));
        let widest = |names: &[String]| {
            names.iter().map(|name| text_width(name, text, Weight::Bold)).fold(0.0, f32::max).min(text * 9.0)
        };
        let right = widest(&self.rows).min(size[0] * 0.25) + text * 0.9;
        let panel_title = if self.panels.len() > 1 { text * 1.5 } else { 0.0 };
        let gap = text * 1.1;
        let x = left + text * 1.9;
        let y = header + panel_title + top + text * 0.3;
        let width = ((size[0] - x - right - gap * (count - 1.0)) / count).max(1.0);
        // Names shrink to their row or column, to a point.
        let shrunk = |room: f32| text.min(room * 0.95).max(text * 0.72);
        let column_names = shrunk(width / columns);
        let bottom = (widest(&self.columns) * column_names / text).min(size[1] * 0.25) + text * 2.6;
        let height = (size[1] - y - bottom).max(1.0);
        let cell = [width / columns, height / rows];
        let panels: Vec<Area> = (0..self.panels.len())
            .map(|at| {
                let from = x + (width + gap) * at as f32;
                [[from, y], [from + width, y + height]]
            })
            .collect();
        Places {
            row_tree: (left > 0.0).then_some([[text * 1.6, y], [text * 1.6 + left, y + height]]),
            column_trees: panels
                .iter()
                .filter(|_| top > 0.0)
                .map(|area| [[area[0][0], y - top - text * 0.3], [area[1][0], y - text * 0.3]])
                .collect(),
            panels,
            names: [shrunk(cell[1]), column_names],
            cell,
            header: title,
        }
    }

    /// The colour of a value, of few.
    fn colour(&self, value: f32, theme: &FigureTheme) -> Colour {
        if !value.is_finite() {
            return theme.no_value;
        }
        let share = (value / self.limit).clamp(-1.0, 1.0);
        theme.shift((share * STEPS).round() / STEPS)
    }

    fn cells(&self, at: usize, area: Area, cell: [f32; 2], theme: &FigureTheme) -> Vec<Primitive> {
        let columns = self.columns.len();
        let mut out = Vec::new();
        for (row, values) in self.panels[at].values.chunks(columns.max(1)).take(self.rows.len()).enumerate() {
            let top = area[0][1] + cell[1] * row as f32;
            let mut from = 0;
            while from < columns {
                let fill = self.colour(values[from], theme);
                let run = values[from..].iter().take_while(|value| self.colour(**value, theme) == fill).count();
                let left = area[0][0] + cell[0] * from as f32;
                let right = left + cell[0] * run as f32;
                let min = [left, top];
                let max = [(right + OVERLAP).min(area[1][0]), (top + cell[1] + OVERLAP).min(area[1][1])];
                out.push(Primitive::Rectangle { min, max, corner: 0.0, fill, stroke: None });
                from += run.max(1);
            }
        }
        out
    }

    /// Names of every so many rows right of the last panel, and of columns below each.
    fn names(&self, places: &Places, theme: &FigureTheme) -> Vec<Primitive> {
        let mut out = Vec::new();
        let name = |text: &str, position: [f32; 2], size: f32, room: f32, turned: bool| {
            let bold = self.highlighted.iter().any(|known| known == text);
            let weight = if bold { Weight::Bold } else { Weight::Regular };
            Primitive::Text {
                position,
                anchor: if turned { Anchor::End } else { Anchor::Start },
                text: shortened(text, room, size, weight),
                size,
                colour: theme.text,
                weight,
                rotation: if turned { -90.0 } else { 0.0 },
                halo: None,
            }
        };
        let text = self.text_size;
        let [row_size, column_size] = places.names;
        if let Some(area) = places.panels.last() {
            for row in shown(&self.rows, places.cell[1], row_size * 1.12, &self.highlighted) {
                let y = area[0][1] + places.cell[1] * (row as f32 + 0.5);
                out.push(name(&self.rows[row], [area[1][0] + text * 0.5, y], row_size, text * 9.0, false));
            }
        }
        for area in &places.panels {
            for column in shown(&self.columns, places.cell[0], column_size * 1.12, &self.highlighted) {
                let x = area[0][0] + places.cell[0] * (column as f32 + 0.5);
                out.push(name(&self.columns[column], [x, area[1][1] + text * 0.5], column_size, text * 9.0, true));
            }
        }
        out
    }

    /// What rows and columns are and how many, and what is above each panel.
    fn titles(&self, places: &Places, size: [f32; 2], theme: &FigureTheme) -> Vec<Primitive> {
        let text = self.text_size;
        let mut out = Vec::new();
        let (Some(first), Some(last)) = (places.panels.first(), places.panels.last()) else { return out };
        if !self.title.is_empty() {
            let frame = Frame::with_area(
                [[0.0, 0.0], size],
                Axis::between(0.0, 1.0, "", 2),
                Axis::between(0.0, 1.0, "", 2),
                text,
            );
            out.push(heading(&self.title, &frame, size[0], text, theme));
        }
        if self.panels.len() > 1 {
            for (panel, area) in self.panels.iter().zip(&places.panels) {
                let top = places.column_trees.first().map_or(area[0][1], |tree| tree[0][1]);
                let position = [f32::midpoint(area[0][0], area[1][0]), top - text * 0.75];
                out.push(words(&panel.title, position, Anchor::Middle, text, theme.text, 0.0));
            }
        }
        let middle = f32::midpoint(first[0][1], first[1][1]);
        let rows = format!("{} ({})", self.rows_label, self.rows.len());
        out.push(words(&rows, [text * 0.8, middle], Anchor::Middle, text, theme.text, -90.0));
        let columns = format!("{} ({})", self.columns_label, self.columns.len());
        let position = [f32::midpoint(first[0][0], last[1][0]), size[1] - text * 0.8];
        out.push(words(&columns, position, Anchor::Middle, text, theme.text, 0.0));
        out
    }

    /// The colour bar, with what it ends at, and what has no value.
    fn key(&self, places: &Places, size: [f32; 2], theme: &FigureTheme) -> Vec<Primitive> {
        let text = self.text_size;
        let label = text_width(&self.scale_label, text, Weight::Regular);
        let (left, top) = (text * 0.4, places.header + text * 0.5);
        let middle = top + text * 0.5;
        let mut out = vec![words(&self.scale_label, [left, middle], Anchor::Start, text, theme.text, 0.0)];
        let bar = [left + label + text * 0.9, (size[0] * 0.3).clamp(text * 6.0, text * 16.0)];
        let pieces = (2.0 * STEPS) as usize + 1;
        let width = bar[1] / pieces as f32;
        for piece in 0..pieces {
            let share = piece as f32 / STEPS - 1.0;
            let min = [bar[0] + width * piece as f32, top];
            let max = [(min[0] + width + OVERLAP).min(bar[0] + bar[1]), top + text];
            out.push(Primitive::Rectangle { min, max, corner: 0.0, fill: theme.shift(share), stroke: None });
        }
        let end = if self.limit >= 9.95 {
            0
        } else if self.limit >= 0.995 {
            1
        } else {
            2
        };
        let (low, high) = (plain(f64::from(-self.limit), end), plain(f64::from(self.limit), end));
        let ticks = [
            (0.0, format!("≤ {low}"), Anchor::Start),
            (0.5, "0".to_owned(), Anchor::Middle),
            (1.0, format!("≥ {high}"), Anchor::End),
        ];
        for (share, tick, anchor) in ticks {
            let position = [bar[0] + bar[1] * share, top + text * 1.85];
            out.push(words(&tick, position, anchor, text * 0.92, theme.weak_text, 0.0));
        }
        let any = self.panels.iter().any(|panel| panel.values.iter().any(|value| !value.is_finite()));
        let from = bar[0] + bar[1] + text * 1.4;
        if any && from + text * 1.3 + text_width(&self.no_value, text, Weight::Regular) < size[0] {
            let (min, max) = ([from, top], [from + text * 0.9, top + text]);
            out.push(Primitive::Rectangle { min, max, corner: 0.0, fill: theme.no_value, stroke: None });
            out.push(words(&self.no_value, [max[0] + text * 0.4, middle], Anchor::Start, text, theme.text, 0.0));
        }
        out
    }
}

/// Every so many names that they do not overlap at `need` points each, and those highlighted that leave room.
fn shown(names: &[String], step: f32, need: f32, highlighted: &[String]) -> Vec<usize> {
    let every = (need / step.max(1e-3)).ceil().max(1.0) as usize;
    let mut taken: Vec<usize> = (0..names.len()).filter(|at| highlighted.contains(&names[*at])).collect();
    taken.dedup_by(|b, a| *b - *a < every);
    let mut also = Vec::new();
    for at in (0..names.len()).step_by(every) {
        if taken.iter().all(|known| known.abs_diff(at) >= every) {
            also.push(at);
        }
    }
    taken.extend(also);
    taken
}

/// The lines of a hierarchy in `area`, its root at the left (`down` false: leaves at the right, spread downwards) or at the top.
fn tree(hierarchy: &Hierarchy, area: Area, down: bool, theme: &FigureTheme) -> Primitive {
    let count = hierarchy.order.len();
    let farthest = hierarchy.merges.iter().map(|merge| merge.distance).fold(f32::MIN_POSITIVE, f32::max);
    // Along the leaves, and away from them: 0 at the leaves, 1 at the root.
    let point = |along: f32, away: f32| {
        let [min, max] = area;
        if down {
            [min[0] + (max[0] - min[0]) * along, max[1] - (max[1] - min[1]) * away]
        } else {
            [max[0] - (max[0] - min[0]) * away, min[1] + (max[1] - min[1]) * along]
        }
    };
    let mut at: Vec<(f32, f32)> = vec![(0.0, 0.0); count];
    for (place, &leaf) in hierarchy.order.iter().enumerate() {
        at[leaf] = ((place as f32 + 0.5) / count as f32, 0.0);
    }
    let stroke = Stroke { width: 0.5, colour: theme.axis };
    let mut lines = Vec::with_capacity(hierarchy.merges.len() * 3);
    for merge in &hierarchy.merges {
        let [a, b] = merge.of.map(|of| at[of]);
        let away = (merge.distance / farthest).clamp(0.0, 1.0);
        for ends in [
            [point(a.0, a.1), point(a.0, away)],
            [point(b.0, b.1), point(b.0, away)],
            [point(a.0, away), point(b.0, away)],
        ] {
            lines.push(LinePiece { ends, stroke });
        }
        at.push(((a.0 + b.0) / 2.0, away));
    }
    Primitive::Lines(lines)
}

impl Figure for HeatMapFigure {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let places = self.places(size);
        let (mut cells, mut trees, mut hits) = (Vec::new(), Vec::new(), Vec::with_capacity(self.cell_count()));
        let mut skipped = 0;
        for (at, area) in places.panels.iter().enumerate() {
            cells.extend(self.cells(at, *area, places.cell, theme));
            let panel = &self.panels[at];
            for (index, value) in panel.values.iter().enumerate().take(self.rows.len() * self.columns.len()) {
                let (row, column) = (index / self.columns.len(), index % self.columns.len());
                let min = [area[0][0] + places.cell[0] * column as f32, area[0][1] + places.cell[1] * row as f32];
                let max = [min[0] + places.cell[0], min[1] + places.cell[1]];
                let said = match value.is_finite() {
                    true => format!("{} {}", self.scale_label.to_lowercase(), plain(f64::from(*value), 2)),
                    false => self.no_value.to_lowercase(),
                };
                skipped += usize::from(!value.is_finite());
                let which = if self.panels.len() > 1 { format!("{}: ", panel.title) } else { String::new() };
                let note = self.row_notes.get(row).filter(|note| !note.is_empty());
                let note = note.map(|note| format!(" ({note})")).unwrap_or_default();
                let text = format!("{} in {}{note}\n{which}{said}", self.columns[column], self.rows[row]);
                let index = at * self.rows.len() * self.columns.len() + index;
                hits.push(Hit { shape: HitShape::Rectangle { min, max }, index, text });
            }
        }
        if let (Some(hierarchy), Some(area)) = (&self.row_tree, places.row_tree) {
            trees.push(tree(hierarchy, area, false, theme));
        }
        if let Some(hierarchy) = &self.column_tree {
            trees.extend(places.column_trees.iter().map(|area| tree(hierarchy, *area, true, theme)));
        }
        let mut labels = self.names(&places, theme);
        labels.extend(self.titles(&places, size, theme));
        let layers = vec![
            Layer { name: "cells".into(), primitives: cells, clip: None },
            Layer { name: "trees".into(), primitives: trees, clip: None },
            Layer { name: "labels".into(), primitives: labels, clip: None },
            Layer { name: "key".into(), primitives: self.key(&places, size, theme), clip: None },
        ];
        FigureScene { scene: Scene { size, background: Some(theme.background), layers }, hits, skipped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::clustering::cluster;

    fn figure(rows: usize, columns: usize) -> HeatMapFigure {
        let value = |at: usize| ((at * 7919 % 101) as f32 - 50.0) / 25.0;
        let values: Vec<f32> = (0..rows * columns).map(value).collect();
        let profiles: Vec<Vec<f32>> = values.chunks(columns).map(<[f32]>::to_vec).collect();
        let genes: Vec<Vec<f32>> = (0..columns).map(|at| profiles.iter().map(|row| row[at]).collect()).collect();
        HeatMapFigure {
            rows: (0..rows).map(|at| format!("P{at}")).collect(),
            columns: (0..columns).map(|at| format!("GENE{at}")).collect(),
            panels: ["Observed", "Predicted"]
                .map(|title| HeatMapPanel { title: title.into(), values: values.clone() })
                .to_vec(),
            row_tree: Some(cluster(&profiles)),
            column_tree: Some(cluster(&genes)),
            ..HeatMapFigure::default()
        }
    }

    #[test]
    fn a_cell_says_gene_perturbation_and_value() {
        let mut figure = figure(5, 8);
        figure.panels[1].values[9] = f32::NAN;
        let drawn = figure.scene([400.0, 300.0], &FigureTheme::paper());
        assert_eq!((drawn.hits.len(), drawn.skipped), (80, 1));
        assert_eq!(drawn.hits[49].text, "GENE1 in P1\nPredicted: no value");
        assert_eq!(figure.cell_of(drawn.hits[49].index), Some([1, 1, 1]));
        assert!(drawn.hits[0].text.starts_with("GENE0 in P0\nObserved: shift (log2) −2.00"), "{}", drawn.hits[0].text);
        assert_eq!(figure.cell_of(80), None);
    }

    #[test]
    fn names_never_overlap_and_those_pointed_out_are_there() {
        let names: Vec<String> = (0..300).map(|at| format!("G{at}")).collect();
        let mut found = shown(&names, 2.0, 8.0, &["G7".to_owned(), "G9".to_owned(), "G100".to_owned()]);
        assert!(found.contains(&7) && found.contains(&100) && !found.contains(&9));
        found.sort_unstable();
        assert!(found.windows(2).all(|pair| pair[1] - pair[0] >= 4), "{found:?}");
        assert_eq!(shown(&names, 20.0, 8.0, &[]).len(), 300);
    }

    #[test]
    fn neighbours_of_one_colour_are_one_rectangle() {
        let mut figure = figure(40, 50);
        figure.panels.iter_mut().for_each(|panel| panel.values.fill(0.001));
        let drawn = figure.scene([400.0, 300.0], &FigureTheme::dark());
        let cells = drawn.scene.layers.iter().find(|layer| layer.name == "cells").unwrap();
        assert_eq!(cells.primitives.len(), 80);
    }

    #[test]
    fn nothing_and_no_room_are_drawn_too() {
        assert!(HeatMapFigure::default().scene([200.0, 100.0], &FigureTheme::light()).hits.is_empty());
        assert_eq!(figure(3, 3).scene([10.0, 10.0], &FigureTheme::light()).hits.len(), 18);
        assert_eq!(figure(1, 3).scene([300.0, 200.0], &FigureTheme::light()).hits.len(), 6);
    }
}
