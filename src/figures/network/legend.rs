//! The strip below the network that explains signs, widths, sizes and colours.

use crate::figures::font::text_width;
use crate::figures::network::draw::tint_colour;
use crate::figures::network::links::{Disc, Link};
use crate::figures::network::style::{EdgeTint, Tint};
use crate::figures::scene::{Anchor, Colour, Layer, Primitive, Stroke, Weight};
use crate::figures::theme::FigureTheme;
use crate::network::Sign;
use crate::words::grouped;

/// What the strip explains. Parts that are empty are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkLegend {
    /// The signs that occur.
    pub signs: Vec<Sign>,
    /// Whether signs have colours, or only ends.
    pub signs_coloured: bool,
    /// What the edges' colours mean, on a scale.
    pub edge_scale: Option<ScaleKey>,
    /// Kinds of edges.
    pub kinds: Vec<EdgeKey>,
    /// What the edges that are pointed out are.
    pub emphasis: Option<String>,
    /// What the widths of edges mean.
    pub widths: Option<WidthKey>,
    /// What the sizes of nodes mean.
    pub sizes: Option<SizeKey>,
    /// What the colours of nodes mean, on a scale.
    pub scale: Option<ScaleKey>,
    /// What they mean, by group.
    pub groups: Option<GroupKey>,
    /// How many edges are drawn at most at a time, and of how many; none where all are.
    pub thinned: Option<[usize; 2]>,
    /// Whether genes without a value are among those coloured.
    pub no_value: bool,
    /// Whether genes are explained that nothing has reached.
    pub not_reached: bool,
    /// What else there is to say.
    pub note: Option<String>,
    /// Whether genes that were perturbed in the screen are marked.
    pub perturbed: bool,
    /// Whether genes are knocked out.
    pub knocked_out: bool,
    /// Whether genes are shown that were not measured.
    pub unmeasured: bool,
}

/// A kind of edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EdgeKey {
    /// What it is.
    pub text: String,
    /// Its colour.
    pub tint: EdgeTint,
    /// Whether it carries a band.
    pub marked: bool,
    /// Whether it is dashed.
    pub dashed: bool,
}

/// Widths: the thickest edge and the thinnest.
#[derive(Clone, Debug, PartialEq)]
pub struct WidthKey {
    /// What is written at the end, and the width there.
    pub ends: [(String, f32); 2],
}

/// Sizes of nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct SizeKey {
    /// What they show: `Targets`.
    pub heading: String,
    /// Values and their radii.
    pub steps: Vec<(String, f32)>,
}

/// Which colours a scale has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleKind {
    /// From below zero to above.
    Diverging,
    /// From little to much.
    Sequential,
}

/// Colours on a scale.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleKey {
    /// What they show.
    pub label: String,
    /// Which colours.
    pub kind: ScaleKind,
    /// What is written at the ends.
    pub ends: [String; 2],
}

/// Colours of groups.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupKey {
    /// What they show.
    pub label: String,
    /// Groups with a colour of their own, and their names.
    pub groups: Vec<(u32, String)>,
    /// Number of groups without.
    pub others: usize,
}

/// A part that is not broken over two rows.
struct Item {
    width: f32,
    /// Draws it with its left end, on a row's middle, at the point given.
    draw: Box<dyn Fn([f32; 2], &FigureTheme, &mut Vec<Primitive>)>,
}

/// Number of steps of a colour bar.
const STEPS: usize = 48;

impl NetworkLegend {
    /// Height in points of the strip in a figure of `figure` points.
    pub(super) fn height(&self, figure: [f32; 2], size: f32) -> f32 {
        // Nothing in the strip grows with the zoom, or the network would jump while zooming.
        height(rows(&self.items(size, 1.0), figure, size).len(), size)
    }

    pub(super) fn layer(&self, figure: [f32; 2], size: f32, scale: f32, theme: &FigureTheme) -> Layer {
        let items = self.items(size, scale);
        let rows = rows(&items, figure, size);
        let top = figure[1] - height(rows.len(), size);
        let mut primitives = Vec::new();
        if rows.is_empty() {
            return Layer { name: "legend".into(), primitives, clip: None };
        }
        let rule = Stroke { width: 0.5, colour: theme.grid };
        let margin = size * 0.8;
        let points = vec![[margin, top + size * 0.2], [figure[0] - margin, top + size * 0.2]];
        primitives.push(Primitive::Polyline { points, stroke: rule, dash: None });
        for (number, row) in rows.iter().enumerate() {
            let middle = top + size * 0.55 + (number as f32 + 0.5) * row_height(size);
            for (item, left) in row {
                (items[*item].draw)([*left, middle], theme, &mut primitives);
            }
        }
        Layer { name: "legend".into(), primitives, clip: None }
    }

    fn items(&self, size: f32, scale: f32) -> Vec<Item> {
        let mut items = Vec::new();
        let width = |text: &str| text_width(text, size, Weight::Regular);
        let line = size * 2.2;
        for sign in [Sign::Activates, Sign::Represses, Sign::Unknown] {
            if self.signs.contains(&sign) {
                let text = match sign {
                    Sign::Activates => "Activates",
                    Sign::Represses => "Represses",
                    Sign::Unknown => "Sign unknown",
                };
                let tint = if self.signs_coloured { EdgeTint::Sign } else { EdgeTint::Plain };
                let key = EdgeKey { text: text.to_owned(), tint, ..EdgeKey::default() };
                items.push(Item {
                    width: line + size * 0.5 + width(text),
                    draw: Box::new(move |[left, middle], theme, out| {
                        edge_glyph(sign, &key, [left, middle], line, size, theme, out);
                        out.push(words(text, [left + line + size * 0.5, middle], size, theme.text));
                    }),
                });
            }
        }
        let emphasis = self.emphasis.clone().map(|text| EdgeKey { text, ..EdgeKey::default() });
        for key in emphasis.into_iter().chain(self.kinds.clone()) {
            items.push(Item {
                width: line + size * 0.5 + width(&key.text),
                draw: Box::new(move |[left, middle], theme, out| {
                    edge_glyph(Sign::Unknown, &key, [left, middle], line, size, theme, out);
                    out.push(words(&key.text, [left + line + size * 0.5, middle], size, theme.text));
                }),
            });
        }
        if let Some(note) = self.note.clone() {
            let draw = move |[left, middle]: [f32; 2], theme: &FigureTheme, out: &mut Vec<Primitive>| {
                out.push(words(&note, [left, middle], size, theme.text));
            };
            items.push(Item { width: self.note.as_deref().map_or(0.0, width), draw: Box::new(draw) });
        }
        items.extend(self.edge_scale.clone().map(|key| scale_item(key, 0.15, size)));
        items.extend(self.scale.clone().map(|key| scale_item(key, 0.0, size)));
        if let Some(GroupKey { label, groups, others }) = self.groups.clone() {
            // Each by itself, so that long lists break into rows; the first carries the heading.
            let mut heading = Some(label);
            let more = (others > 0).then(|| (u32::MAX, format!("{others} more")));
            for (group, name) in groups.into_iter().chain(more) {
                let heading = heading.take();
                let gap = size * 0.5;
                let before = heading.as_ref().map_or(0.0, |heading| width(heading) + gap);
                let radius = size * 0.38;
                items.push(Item {
                    width: before + 2.0 * radius + gap + width(&name),
                    draw: Box::new(move |[left, middle], theme, out| {
                        out.extend(heading.as_ref().map(|text| words(text, [left, middle], size, theme.text)));
                        let left = left + before;
                        let fill = tint_colour(Tint::Group(group), theme);
                        let stroke = Some(Stroke { width: 0.6, colour: theme.node_rim });
                        out.push(Primitive::Circle { centre: [left + radius, middle], radius, fill, stroke });
                        out.push(words(&name, [left + 2.0 * radius + gap, middle], size, theme.text));
                    }),
                });
            }
        }
        if let Some(WidthKey { ends: [(head, thick), (tail, thin)] }) = self.widths.clone() {
            let (line, gap) = (size * 2.4, size * 0.4);
            let edge = super::draw::edge_scale(scale);
            items.push(Item {
                width: width(&head) + width(&tail) + line + 2.0 * gap,
                draw: Box::new(move |[left, middle], theme, out| {
                    let from = left + text_width(&head, size, Weight::Regular) + gap;
                    out.push(words(&head, [left, middle], size, theme.text));
                    let (thick, thin) = (super::draw::edge_width(thick, edge), super::draw::edge_width(thin, edge));
                    let points = vec![
                        [from, middle - thick / 2.0],
                        [from + line, middle - thin / 2.0],
                        [from + line, middle + thin / 2.0],
                        [from, middle + thick / 2.0],
                    ];
                    out.push(Primitive::Polygon { points, fill: theme.weak_text, stroke: None });
                    out.push(words(&tail, [from + line + gap, middle], size, theme.text));
                }),
            });
        }
        if let Some([most, all]) = self.thinned {
            let text = format!("At most {} of {} edges drawn, each gene’s best first", grouped(most), grouped(all));
            items.push(Item {
                width: width(&text),
                draw: Box::new(move |at, theme, out| out.push(words(&text, at, size, theme.text))),
            });
        }
        if let Some(SizeKey { heading, steps }) = self.sizes.clone() {
            let gap = size * 0.35;
            // As large as in the figure, or all smaller by the same share where the row is too low; the widths of the
            // parts are those of the largest discs, so that nothing moves while zooming.
            let most = row_height(size) * 0.55;
            let largest = steps.iter().map(|(_, radius)| *radius).fold(f32::MIN_POSITIVE, f32::max);
            let shrunk = scale.min(most / largest);
            let discs: Vec<(String, f32)> = steps.into_iter().map(|(text, radius)| (text, radius * shrunk)).collect();
            let total = discs.iter().map(|(text, radius)| 2.0 * radius + gap * 1.8 + width(text) + gap).sum::<f32>();
            items.push(Item {
                width: width(&heading) + gap * 0.8 + total,
                draw: Box::new(move |[left, middle], theme, out| {
                    out.push(words(&heading, [left, middle], size, theme.text));
                    let mut x = left + text_width(&heading, size, Weight::Regular) + gap * 1.6;
                    for (text, radius) in &discs {
                        let stroke = Some(Stroke { width: 0.6, colour: theme.node_rim });
                        let centre = [x + radius, middle];
                        out.push(Primitive::Circle { centre, radius: *radius, fill: theme.node, stroke });
                        x += 2.0 * radius + gap;
                        out.push(words(text, [x, middle], size, theme.text));
                        x += text_width(text, size, Weight::Regular) + gap * 1.8;
                    }
                }),
            });
        }
        let marks = [
            (self.perturbed, Mark::Perturbed, "Perturbed in the screen"),
            (self.knocked_out, Mark::KnockedOut, "Knocked out"),
            (self.not_reached, Mark::NoValue, "Not reached"),
            (self.no_value, Mark::NoValue, "No value"),
            (self.unmeasured, Mark::Unmeasured, "Not measured"),
        ];
        for (shown, mark, text) in marks {
            if shown {
                let radius = size * 0.38;
                items.push(Item {
                    width: 2.0 * radius + size * 0.8 + width(text),
                    draw: Box::new(move |[left, middle], theme, out| {
                        let disc = Disc { centre: [left + radius + size * 0.2, middle], radius };
                        super::draw::node_mark(disc, mark, 0.8, theme, out);
                        out.push(words(text, [left + 2.0 * radius + size * 0.8, middle], size, theme.text));
                    }),
                });
            }
        }
        items
    }
}

/// What is special about a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Perturbed,
    KnockedOut,
    NoValue,
    Unmeasured,
}

fn row_height(size: f32) -> f32 {
    size * 1.75
}

fn height(rows: usize, size: f32) -> f32 {
    if rows == 0 { 0.0 } else { rows as f32 * row_height(size) + size * 0.9 }
}

/// Which items stand in which row, and where they begin. Rows that would take more than two fifths of the figure's height
/// are left out: first things come first.
fn rows(items: &[Item], figure: [f32; 2], size: f32) -> Vec<Vec<(usize, f32)>> {
    let mut rows = all_rows(items, figure[0], size);
    while height(rows.len(), size) > figure[1] * 0.4 {
        rows.pop();
    }
    rows
}

fn all_rows(items: &[Item], width: f32, size: f32) -> Vec<Vec<(usize, f32)>> {
    let (margin, gap) = (size * 0.8, size * 1.6);
    let mut rows: Vec<Vec<(usize, f32)>> = Vec::new();
    let mut left = margin;
    for (at, item) in items.iter().enumerate() {
        if rows.is_empty() || left + item.width > width - margin {
            rows.push(Vec::new());
            left = margin;
        }
        if let Some(row) = rows.last_mut() {
            row.push((at, left));
        }
        left += item.width + gap;
    }
    rows
}

fn words(text: &str, position: [f32; 2], size: f32, colour: Colour) -> Primitive {
    Primitive::Text {
        position,
        anchor: Anchor::Start,
        text: text.to_owned(),
        size,
        colour,
        weight: Weight::Regular,
        rotation: 0.0,
        halo: None,
    }
}

/// A colour bar between its ends, behind its label. `from` is the share of the scale at which a sequential one begins.
fn scale_item(ScaleKey { label, kind, ends }: ScaleKey, from: f32, size: f32) -> Item {
    let width = |text: &str| text_width(text, size, Weight::Regular);
    let (bar, gap) = (size * 7.0, size * 0.5);
    Item {
        width: width(&label) + width(&ends[0]) + width(&ends[1]) + bar + gap * 3.0,
        draw: Box::new(move |[left, middle], theme, out| {
            out.push(words(&label, [left, middle], size, theme.text));
            let mut x = left + text_width(&label, size, Weight::Regular) + gap;
            out.push(words(&ends[0], [x, middle], size, theme.text));
            x += text_width(&ends[0], size, Weight::Regular) + gap;
            let colour = |share: f32| match kind {
                ScaleKind::Diverging => theme.shift(2.0 * share - 1.0),
                ScaleKind::Sequential => theme.amount(from + (1.0 - from) * share),
            };
            bar_of([x, middle - size * 0.38], [x + bar, middle + size * 0.38], colour, theme, out);
            out.push(words(&ends[1], [x + bar + gap, middle], size, theme.text));
        }),
    }
}

fn edge_glyph(
    sign: Sign,
    key: &EdgeKey,
    [left, middle]: [f32; 2],
    line: f32,
    size: f32,
    theme: &FigureTheme,
    out: &mut Vec<Primitive>,
) {
    let stroke = Stroke { width: size * 0.13, colour: super::draw::edge_colour(key.tint, sign, theme) };
    let ends = [left, left + line].map(|x| Disc { centre: [x, middle], radius: 0.0 });
    if let Some(link) = Link::new(ends[0], ends[1], false, sign, stroke, size / 8.0, 0.0) {
        if key.marked {
            out.push(link.line.primitive(super::draw::band(stroke, theme)));
        }
        out.push(if key.dashed { link.line.dashed(stroke) } else { link.line.primitive(stroke) });
        out.extend(link.head);
    }
}

/// A horizontal bar whose colour changes from left (0) to right (1). Each step reaches to the right end and is covered by
/// the next, so that no seams show.
pub(in crate::figures) fn bar_of(
    min: [f32; 2],
    max: [f32; 2],
    colour: impl Fn(f32) -> Colour,
    theme: &FigureTheme,
    out: &mut Vec<Primitive>,
) {
    for step in 0..STEPS {
        let fill = colour((step as f32 + 0.5) / STEPS as f32);
        let left = min[0] + (max[0] - min[0]) * step as f32 / STEPS as f32;
        out.push(Primitive::Rectangle { min: [left, min[1]], max, corner: 0.0, fill, stroke: None });
    }
    let (none, stroke) = (Colour(0, 0, 0, 0), Some(Stroke { width: 0.4, colour: theme.axis }));
    out.push(Primitive::Rectangle { min, max, corner: 0.0, fill: none, stroke });
}
