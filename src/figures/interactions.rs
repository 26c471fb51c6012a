//! A map of genetic interactions: genes by genes, each pair a square.

use super::axes::plain;
use super::font::{shortened, text_width};
use super::network::bar_of;
use super::scene::{Anchor, Colour, Layer, Primitive, Scene, Stroke, Weight};
use super::theme::FigureTheme;
use super::{Figure, FigureScene, Hit, HitShape};

/// Below this height of a letter it could not be read.
const LEAST_LETTER: f32 = 3.5;
/// A square of a pair that is not clear, as a share of that of one that is.
const UNCLEAR: f32 = 0.5;

/// One pair in one half of the map.
#[derive(Clone, Debug, PartialEq)]
pub struct MapPair {
    /// Row: position of one gene.
    pub row: usize,
    /// Column: position of the other. Below the diagonal is what was measured, above it what is predicted.
    pub column: usize,
    /// By how much of the sum of the singles the pair does more than it; none where there is no sum to speak of.
    pub value: Option<f32>,
    /// Its class in a letter; empty for none.
    pub letter: String,
    /// A deviation is shown (significant, or clearly predicted): a full square, a small one else.
    pub clear: bool,
    /// It is pointed out.
    pub chosen: bool,
    /// All its numbers, for a tooltip.
    pub text: String,
}

/// Squares for pairs of genes, coloured by how much more or less than the sum of its singles a pair does.
#[derive(Clone, Debug, PartialEq)]
pub struct InteractionMap {
    /// Above it; empty for none.
    pub title: String,
    /// The genes, in the order of rows and columns.
    pub genes: Vec<String>,
    /// The pairs.
    pub pairs: Vec<MapPair>,
    /// What the colour says.
    pub label: String,
    /// What lies below and above the diagonal; empty for nothing.
    pub halves: [String; 2],
    /// Letters and what they mean.
    pub letters: Vec<(String, String)>,
    /// Where the colour scale ends.
    pub limit: f32,
    /// Font size in points.
    pub text_size: f32,
}

impl Default for InteractionMap {
    fn default() -> Self {
        Self {
            title: String::new(),
            genes: Vec::new(),
            pairs: Vec::new(),
            label: "Beyond the sum of the singles, as a share of it".into(),
            halves: Default::default(),
            letters: Vec::new(),
            limit: 1.0,
            text_size: 7.0,
        }
    }
}

/// Where the squares are.
struct Grid {
    origin: [f32; 2],
    cell: f32,
    names: f32,
    names_width: f32,
}

impl Grid {
    fn area(&self, row: usize, column: usize, share: f32) -> [[f32; 2]; 2] {
        let middle = [column, row].map(|at| (at as f32 + 0.5) * self.cell);
        let half = self.cell * share / 2.0;
        let at = |sign: f32| [0, 1].map(|axis| self.origin[axis] + middle[axis] + sign * half);
        [at(-1.0), at(1.0)]
    }
}

impl InteractionMap {
    /// The words below the map, in lines no wider than `width`.
    fn key_lines(&self, width: f32) -> Vec<String> {
        let letters = self.letters.iter().map(|(letter, meaning)| format!("{letter} {meaning}"));
        let halves = ["below the diagonal: ", "above: "].iter().zip(&self.halves);
        let halves = halves.filter(|(_, half)| !half.is_empty()).map(|(place, half)| format!("{place}{half}"));
        let sizes = self.pairs.iter().any(|pair| !pair.clear).then(|| "small squares: no deviation shown".to_owned());
        let mut lines: Vec<String> = Vec::new();
        for (gap, words) in halves
            .map(|words| ("   ", words))
            .chain(sizes.map(|words| ("   ", words)))
            .chain(letters.map(|words| ("   ", words)))
        {
            match lines.last_mut() {
                Some(line) if text_width(&format!("{line}{gap}{words}"), self.text_size, Weight::Regular) <= width => {
                    line.push_str(gap);
                    line.push_str(&words);
                }
                _ => lines.push(shortened(&words, width, self.text_size, Weight::Regular)),
            }
        }
        lines
    }

    fn grid(&self, size: [f32; 2], below: f32) -> Grid {
        let (text, count) = (self.text_size, self.genes.len().max(1) as f32);
        let title = if self.title.is_empty() { 0.0 } else { text * 1.7 };
        let widest = |names: f32| {
            let widths = self.genes.iter().map(|gene| text_width(gene, names, Weight::Regular));
            widths.fold(0.0, f32::max).min(size[0].min(size[1]) * 0.25)
        };
        // Names are as large as their rows are high, which depends on the room that they leave.
        let mut names = text;
        let mut cell = 0.0;
        for _ in 0..3 {
            let side = widest(names) + names * 0.6;
            cell = ((size[0] - side - text * 0.3) / count).min((size[1] - title - below - side) / count);
            names = text.min(cell * 0.95).max(text * 0.5);
        }
        // A few genes do not become a few huge squares.
        let cell = cell.clamp(0.0, text * 6.0);
        let names_width = widest(names);
        let side = names_width + names * 0.6;
        let across = side + cell * count;
        Grid { origin: [((size[0] - across) / 2.0).max(0.0) + side, title + side], cell, names, names_width }
    }

    fn names(&self, grid: &Grid, theme: &FigureTheme) -> Vec<Primitive> {
        if grid.cell < grid.names * 0.6 {
            return Vec::new();
        }
        let chosen = |at: usize| self.pairs.iter().any(|pair| pair.chosen && (pair.row == at || pair.column == at));
        let mut out = Vec::new();
        for (at, gene) in self.genes.iter().enumerate() {
            let weight = if chosen(at) { Weight::Bold } else { Weight::Regular };
            let text = shortened(gene, grid.names_width + 0.1, grid.names, weight);
            let middle = (at as f32 + 0.5) * grid.cell;
            let gap = grid.names * 0.4;
            for (position, anchor, rotation) in [
                ([grid.origin[0] - gap, grid.origin[1] + middle], Anchor::End, 0.0),
                ([grid.origin[0] + middle, grid.origin[1] - gap], Anchor::Start, -90.0),
            ] {
                out.push(Primitive::Text {
                    position,
                    anchor,
                    text: text.clone(),
                    size: grid.names,
                    colour: theme.text,
                    weight,
                    rotation,
                    halo: None,
                });
            }
        }
        out
    }
}

fn words(text: &str, position: [f32; 2], anchor: Anchor, size: f32, colour: Colour) -> Primitive {
    let (text, weight) = (text.to_owned(), Weight::Regular);
    Primitive::Text { position, anchor, text, size, colour, weight, rotation: 0.0, halo: None }
}

impl Figure for InteractionMap {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let text = self.text_size;
        let lines = self.key_lines(size[0]);
        let below = text * (5.0 + 1.35 * lines.len() as f32);
        let grid = self.grid(size, below);
        let (count, limit) = (self.genes.len(), self.limit.max(f32::MIN_POSITIVE));
        let end = [0, 1].map(|axis| grid.origin[axis] + grid.cell * count as f32);

        let mut back = Vec::new();
        let line = |from: [f32; 2], to: [f32; 2], width: f32, colour: Colour| Primitive::Polyline {
            points: vec![from, to],
            stroke: Stroke { width, colour },
            dash: None,
        };
        for at in 0..=count {
            let along = grid.cell * at as f32;
            let (x, y) = (grid.origin[0] + along, grid.origin[1] + along);
            back.push(line([x, grid.origin[1]], [x, end[1]], 0.35, theme.grid));
            back.push(line([grid.origin[0], y], [end[0], y], 0.35, theme.grid));
        }
        for gene in 0..count {
            let [min, max] = grid.area(gene, gene, 1.0);
            back.push(Primitive::Rectangle { min, max, corner: 0.0, fill: theme.grid, stroke: None });
        }

        let (mut squares, mut letters, mut hits) = (Vec::new(), Vec::new(), Vec::new());
        let mut skipped = 0;
        for (index, pair) in self.pairs.iter().enumerate() {
            let value = pair.value.filter(|value| value.is_finite());
            skipped += usize::from(value.is_none());
            let fill = value.map_or(theme.no_value, |value| theme.shift(value / limit));
            let [min, max] = grid.area(pair.row, pair.column, if pair.clear { 0.96 } else { UNCLEAR });
            let stroke = match (pair.chosen, pair.clear) {
                (true, _) => Some(Stroke { width: 1.4, colour: theme.highlight }),
                (false, true) => Some(Stroke { width: 0.5, colour: theme.axis }),
                (false, false) => Some(Stroke { width: 0.3, colour: theme.axis.mix(theme.background, 0.5) }),
            };
            squares.push(Primitive::Rectangle { min, max, corner: 0.0, fill, stroke });
            let letter = (grid.cell * 0.62).min(text * 1.2);
            if pair.clear && !pair.letter.is_empty() && letter >= LEAST_LETTER {
                letters.push(Primitive::Text {
                    position: [f32::midpoint(min[0], max[0]), f32::midpoint(min[1], max[1])],
                    anchor: Anchor::Middle,
                    text: pair.letter.clone(),
                    size: letter,
                    colour: theme.text_on(fill),
                    weight: Weight::Bold,
                    rotation: 0.0,
                    halo: None,
                });
            }
            let [min, max] = grid.area(pair.row, pair.column, 1.0);
            hits.push(Hit { shape: HitShape::Rectangle { min, max }, index, text: pair.text.clone() });
        }

        let mut key = Vec::new();
        if !self.title.is_empty() {
            key.push(Primitive::Text {
                position: [size[0] / 2.0, text * 0.85],
                anchor: Anchor::Middle,
                text: shortened(&self.title, size[0], text * 1.1, Weight::Bold),
                size: text * 1.1,
                colour: theme.text,
                weight: Weight::Bold,
                rotation: 0.0,
                halo: None,
            });
        }
        // The bar below the map, with what its ends mean.
        let mut y = end[1] + text * 1.1;
        let bar = (text * 16.0).min(size[0] * 0.5);
        let left = (size[0] - bar) / 2.0;
        bar_of([left, y], [left + bar, y + text * 0.8], |share| theme.shift(2.0 * share - 1.0), theme, &mut key);
        y += text * 1.5;
        for (share, number) in [
            (0.0, format!("{} less", plain(f64::from(-limit), 1))),
            (0.5, "0".to_owned()),
            (1.0, format!("+{} more", plain(f64::from(limit), 1))),
        ] {
            key.push(words(&number, [left + bar * share, y], Anchor::Middle, text, theme.weak_text));
        }
        y += text * 1.35;
        key.push(words(
            &shortened(&self.label, size[0], text, Weight::Regular),
            [size[0] / 2.0, y],
            Anchor::Middle,
            text,
            theme.text,
        ));
        for line in &lines {
            y += text * 1.35;
            key.push(words(line, [size[0] / 2.0, y], Anchor::Middle, text, theme.weak_text));
        }

        let layer = |name: &str, primitives| Layer { name: name.into(), primitives, clip: None };
        let layers = vec![
            layer("grid", back),
            layer("pairs", squares),
            layer("letters", letters),
            layer("names", self.names(&grid, theme)),
            layer("key", key),
        ];
        FigureScene { scene: Scene { size, background: Some(theme.background), layers }, hits, skipped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(genes: usize) -> InteractionMap {
        let pair = |row: usize, column: usize, value: Option<f32>, clear: bool| MapPair {
            row,
            column,
            value,
            letter: "S".to_owned(),
            clear,
            chosen: false,
            text: format!("{row} {column}"),
        };
        InteractionMap {
            genes: (0..genes).map(|at| format!("GENE{at}")).collect(),
            pairs: vec![pair(1, 0, Some(0.8), true), pair(0, 1, Some(-0.4), false), pair(2, 0, None, true)],
            halves: ["measured".to_owned(), "predicted".to_owned()],
            letters: vec![("S".to_owned(), "synergy".to_owned())],
            ..InteractionMap::default()
        }
    }

    #[test]
    fn every_pair_is_where_it_is_pointed_at_and_inside_the_figure() {
        for (genes, size) in [(3, [300.0, 340.0]), (60, [500.0, 420.0]), (3, [120.0, 120.0])] {
            let (figure, theme) = (map(genes), FigureTheme::paper());
            let drawn = figure.scene(size, &theme);
            assert_eq!((drawn.hits.len(), drawn.skipped), (3, 1));
            for hit in &drawn.hits {
                let HitShape::Rectangle { min, max } = hit.shape else { panic!("a square") };
                assert!(min[0] >= 0.0 && min[1] >= 0.0 && max[0] <= size[0] && max[1] <= size[1], "{hit:?}");
                let middle = [f32::midpoint(min[0], max[0]), f32::midpoint(min[1], max[1])];
                assert_eq!(drawn.hit(middle, 0.0).unwrap().index, hit.index);
            }
            let [below, above] = [0, 1].map(|at| match drawn.hits[at].shape {
                HitShape::Rectangle { min, .. } => min[1] - min[0],
                HitShape::Disc { .. } => 0.0,
            });
            assert!(below > above, "row 1, column 0 lies below the diagonal");
        }
    }

    #[test]
    fn clear_pairs_have_letters_and_colours_and_the_key_tells_them() {
        let drawn = map(4).scene([300.0, 340.0], &FigureTheme::paper());
        let layer = |name: &str| drawn.scene.layers.iter().find(|layer| layer.name == name).unwrap();
        assert_eq!(layer("letters").primitives.len(), 2);
        let fills: Vec<Colour> = (layer("pairs").primitives.iter())
            .map(|one| match one {
                Primitive::Rectangle { fill, .. } => *fill,
                other => panic!("{other:?}"),
            })
            .collect();
        let theme = FigureTheme::paper();
        assert_eq!(fills, [theme.shift(0.8), theme.shift(-0.4), theme.no_value]);
        let written: Vec<&str> = (layer("key").primitives.iter())
            .filter_map(|one| match one {
                Primitive::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let written = written.join("\n");
        for words in ["S synergy", "below the diagonal: measured", "above: predicted", "no deviation shown"] {
            assert!(written.contains(words), "{written}");
        }
    }
}
