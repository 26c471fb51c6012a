//! Several figures on one page, with panel letters.

use super::network::{Camera, NetworkFigure};
use super::scene::{Anchor, Layer, Primitive, Scene, Weight};
use super::theme::FigureTheme;
use super::{Figure, FigureScene, HitShape};

/// A figure in its place.
pub struct Panel {
    /// What is drawn.
    pub figure: Box<dyn Figure>,
    /// Its width beside the others of its row: twice the share, twice the width.
    pub share: f32,
}

/// Panels beside each other.
pub struct PanelRow {
    /// In points.
    pub height: f32,
    /// From left to right.
    pub panels: Vec<Panel>,
}

/// A page of panels lettered a, b, c, … from left to right, top to bottom.
#[derive(Default)]
pub struct PanelsFigure {
    /// Above everything; empty for none.
    pub title: String,
    /// From top to bottom.
    pub rows: Vec<PanelRow>,
    /// Font size in points; letters are a little larger and bold.
    pub text_size: f32,
}

impl PanelsFigure {
    /// Height in points of the page at the rows' own heights.
    pub fn height(&self) -> f32 {
        let rows = self.rows.iter().map(|row| row.height).sum::<f32>();
        self.title_height() + rows + self.gap() * self.rows.len().saturating_sub(1) as f32
    }

    fn title_height(&self) -> f32 {
        if self.title.is_empty() { 0.0 } else { self.text_size * 2.2 }
    }

    fn gap(&self) -> f32 {
        self.text_size * 1.5
    }

    fn letter_height(&self) -> f32 {
        self.text_size * 1.35
    }
}

/// Panel `number` from 0: a to z, then aa, ab, ….
fn letter(number: usize) -> String {
    let last = char::from(b'a' + (number % 26) as u8);
    if number < 26 { last.to_string() } else { format!("{}{last}", letter(number / 26 - 1)) }
}

impl Figure for PanelsFigure {
    /// Rows keep their proportions if `size` is not as high as [`PanelsFigure::height`].
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let (gap, text) = (self.gap(), self.text_size);
        let mut scene = Scene { size, background: Some(theme.background), layers: Vec::new() };
        let mut hits = Vec::new();
        let mut skipped = 0;
        let bold = |text: &str, position: [f32; 2], size: f32| Primitive::Text {
            position,
            anchor: Anchor::Start,
            text: text.to_owned(),
            size,
            colour: theme.text,
            weight: Weight::Bold,
            rotation: 0.0,
            halo: None,
        };
        let mut letters = Vec::new();
        if !self.title.is_empty() {
            letters.push(bold(&self.title, [0.0, text * 0.8], text * 1.15));
        }
        let fixed = self.title_height() + gap * self.rows.len().saturating_sub(1) as f32;
        let heights = self.rows.iter().map(|row| row.height).sum::<f32>();
        let stretch = if heights > 0.0 { ((size[1] - fixed) / heights).max(0.05) } else { 1.0 };
        let mut top = self.title_height();
        let mut number = 0;
        for row in &self.rows {
            let height = row.height * stretch;
            let shares = row.panels.iter().map(|panel| panel.share).sum::<f32>().max(f32::MIN_POSITIVE);
            let room = size[0] - gap * row.panels.len().saturating_sub(1) as f32;
            let mut left = 0.0;
            for panel in &row.panels {
                let name = letter(number);
                let width = room * panel.share / shares;
                let head = self.letter_height();
                let drawn = panel.figure.scene([width.max(1.0), (height - head).max(1.0)], theme);
                letters.push(bold(&name, [left, top + text * 0.8], text * 1.3));
                let at = [left, top + head];
                let moved = |point: [f32; 2]| [point[0] + at[0], point[1] + at[1]];
                hits.extend(drawn.hits.into_iter().map(|mut hit| {
                    hit.shape = match hit.shape {
                        HitShape::Disc { centre, radius } => HitShape::Disc { centre: moved(centre), radius },
                        HitShape::Rectangle { min, max } => HitShape::Rectangle { min: moved(min), max: moved(max) },
                    };
                    hit
                }));
                skipped += drawn.skipped;
                scene.place(drawn.scene, at, &format!("{name} "));
                left += width + gap;
                number += 1;
            }
            top += height + gap;
        }
        scene.layers.push(Layer { name: "panel letters".into(), primitives: letters, clip: None });
        FigureScene { scene, hits, skipped }
    }
}

/// The network as a panel: all of it, or what a camera saw in an area of the screen.
pub struct NetworkPanel {
    /// The network.
    pub figure: NetworkFigure,
    /// The camera and the area that it was used with; none to show everything.
    pub view: Option<(Camera, super::network::Area)>,
}

impl Figure for NetworkPanel {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let camera = match &self.view {
            Some((camera, from)) => camera.between(*from, self.figure.area(size)),
            None => self.figure.fit(size),
        };
        let drawn = self.figure.scene(size, &camera, theme);
        let hits = drawn.hits.nodes.iter().map(|node| super::Hit {
            shape: HitShape::Disc { centre: node.centre, radius: node.radius },
            index: node.node,
            text: self.figure.nodes[node.node].label.clone(),
        });
        let skipped =
            self.figure.nodes.iter().filter(|node| !node.position.iter().all(|part| part.is_finite())).count();
        FigureScene { hits: hits.collect(), scene: drawn.scene, skipped }
    }
}

#[cfg(test)]
mod tests {
    use super::letter;

    #[test]
    fn panels_are_lettered() {
        assert_eq!([0, 1, 25, 26, 27, 52].map(letter), ["a", "b", "z", "aa", "ab", "ba"]);
    }
}
