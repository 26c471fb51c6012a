//! Cells of several kinds as boxes, gene by gene, with predictions marked on them (as Roohani et al. 2023, GEARS, show them).

use super::paired_bars::{Rows, zero_line};
use crate::figures::axes::{Frame, plain, words};
use crate::figures::font::text_width;
use crate::figures::scene::{Anchor, Colour, Layer, Primitive, Scene, Stroke, Weight};
use crate::figures::theme::FigureTheme;
use crate::figures::{Figure, FigureScene, Hit, HitShape};

/// What cells are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellGroupKind {
    /// Measured, without a perturbation.
    Control,
    /// Measured, perturbed.
    Perturbed,
    /// Drawn from the model.
    Drawn,
}

impl CellGroupKind {
    /// `Control cells`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Control => "Control cells",
            Self::Perturbed => "Perturbed cells",
            Self::Drawn => "Predicted cells",
        }
    }

    pub(super) fn colour(self, theme: &FigureTheme) -> Colour {
        match self {
            Self::Control => theme.no_value.mix(theme.background, 0.35),
            Self::Perturbed => theme.observed,
            Self::Drawn => theme.predicted,
        }
    }
}

/// Where values lie (Tukey 1977): quartiles by linear interpolation; whiskers reach the last value within 1.5 times the
/// interquartile range of the box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoxStatistics {
    /// Number of values.
    pub cells: usize,
    /// Their mean.
    pub mean: f32,
    /// Lower quartile, median, upper quartile.
    pub quartiles: [f32; 3],
    /// Ends of the whiskers.
    pub whiskers: [f32; 2],
}

impl BoxStatistics {
    /// Of `values`; those that are not finite are left out. None without any.
    pub fn of(values: &[f32]) -> Option<Self> {
        let mut sorted: Vec<f32> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let quantile = |share: f32| {
            let at = share * (sorted.len() - 1) as f32;
            let (below, part) = (at.floor() as usize, at.fract());
            let above = sorted.get(below + 1).copied().unwrap_or(last);
            sorted[below] + (above - sorted[below]) * part
        };
        let quartiles = [0.25, 0.5, 0.75].map(quantile);
        let reach = 1.5 * (quartiles[2] - quartiles[0]);
        let low = sorted.iter().copied().find(|value| *value >= quartiles[0] - reach).unwrap_or(first);
        let high = sorted.iter().rev().copied().find(|value| *value <= quartiles[2] + reach).unwrap_or(last);
        let mean = (sorted.iter().map(|value| f64::from(*value)).sum::<f64>() / sorted.len() as f64) as f32;
        Some(Self { cells: sorted.len(), mean, quartiles, whiskers: [low, high] })
    }
}

/// One kind of cells.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxSeries {
    /// What the key says of it: `Control cells (412)`.
    pub label: String,
    /// Which kind.
    pub kind: CellGroupKind,
}

/// A prediction that is marked on the boxes.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxMark {
    /// Who predicts.
    pub label: String,
    /// It is the model's: a diamond; of others a square.
    pub of_model: bool,
}

/// A gene of the figure.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxedGene {
    /// Its symbol.
    pub label: String,
    /// Selected elsewhere: its name is bold.
    pub highlighted: bool,
    /// One for each of [`BoxesFigure::series`]; none without cells.
    pub boxes: Vec<Option<BoxStatistics>>,
    /// One for each of [`BoxesFigure::marks`]; none where it says nothing.
    pub marks: Vec<Option<f32>>,
}

/// Horizontal boxes, one row per gene, first on top.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxesFigure {
    /// Above it; empty for none.
    pub title: String,
    /// What is spread, with the unit.
    pub x_label: String,
    /// The kinds of cells, from top to bottom of a row.
    pub series: Vec<BoxSeries>,
    /// The predictions.
    pub marks: Vec<BoxMark>,
    /// The genes, in order.
    pub genes: Vec<BoxedGene>,
    /// Font size in points.
    pub text_size: f32,
}

impl Default for BoxesFigure {
    fn default() -> Self {
        Self {
            title: String::new(),
            x_label: "Change (log2)".into(),
            series: Vec::new(),
            marks: Vec::new(),
            genes: Vec::new(),
            text_size: 7.0,
        }
    }
}

impl Figure for BoxesFigure {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let text = self.text_size;
        let key = self.key(size[0], theme);
        let names = self.genes.iter().map(|gene| gene.label.as_str());
        let rows = Rows::new(&self.title, true, names, size, text).with_room(key.lines, 5.5);
        let boxes = || self.genes.iter().flat_map(|gene| gene.boxes.iter().flatten());
        let marks = || self.genes.iter().flat_map(|gene| gene.marks.iter().flatten().copied());
        let reach = boxes().flat_map(|found| [found.whiskers[0], found.whiskers[1], found.mean]).chain(marks());
        let frame = rows.frame(reach, &self.x_label);
        let mut axes = frame.x_axis(theme);
        axes.extend(rows.title(&self.title, &frame, theme));
        axes.extend(key.primitives.into_iter().map(|primitive| primitive.moved([0.0, rows.key_at])));
        let (mut drawn, mut on_top, mut bands, mut hits) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (index, gene) in self.genes.iter().enumerate() {
            let [top, bottom] = rows.row(index, self.genes.len(), &frame);
            let middle = f32::midpoint(top, bottom);
            if index % 2 == 1 {
                let fill = theme.grid.mix(theme.background, 0.55);
                let (min, max) = ([frame.area[0][0], top], [frame.area[1][0], bottom]);
                bands.push(Primitive::Rectangle { min, max, corner: 0.0, fill, stroke: None });
            }
            let step = (bottom - top) * 0.86 / self.series.len().max(1) as f32;
            for (at, (series, found)) in self.series.iter().zip(&gene.boxes).enumerate() {
                let Some(found) = found else { continue };
                let centre = top + (bottom - top) * 0.07 + step * (at as f32 + 0.5);
                drawn.extend(one_box(&frame, found, centre, step * 0.74, series.kind.colour(theme), theme));
            }
            // At the perturbed cells, which they predict: the model's above, others below, so that neither hides the other.
            let row = self.series.iter().position(|series| series.kind == CellGroupKind::Perturbed).unwrap_or(0);
            let centre = top + (bottom - top) * 0.07 + step * (row as f32 + 0.5);
            for (mark, value) in self.marks.iter().zip(&gene.marks) {
                let Some(at) = value.and_then(|value| frame.at(value, 0.0)) else { continue };
                let middle = centre + step * if mark.of_model { -0.3 } else { 0.3 };
                on_top.push(mark_at([at[0], middle], (text * 0.3).min(step * 0.45), mark.of_model, theme));
            }
            rows.name(&gene.label, middle, [top, bottom], gene.highlighted, &frame, theme, &mut axes);
            let (min, max) = ([0.0, top], [frame.area[1][0], bottom]);
            hits.push(Hit { shape: HitShape::Rectangle { min, max }, index, text: self.hint(gene) });
        }
        let mut grid = bands;
        grid.extend(frame.grid(true, false, theme));
        let layers = vec![
            Layer { name: "grid".into(), primitives: grid, clip: None },
            Layer { name: "zero".into(), primitives: zero_line(&frame, theme), clip: None },
            Layer { name: "boxes".into(), primitives: drawn, clip: None },
            Layer { name: "predictions".into(), primitives: on_top, clip: None },
            Layer { name: "axes".into(), primitives: axes, clip: None },
        ];
        FigureScene { scene: Scene { size, background: Some(theme.background), layers }, hits, skipped: 0 }
    }
}

/// Whiskers, box, median and mean, around the height `centre`.
fn one_box(
    frame: &Frame,
    found: &BoxStatistics,
    centre: f32,
    thickness: f32,
    fill: Colour,
    theme: &FigureTheme,
) -> Vec<Primitive> {
    let x = |value: f32| frame.at(value, 0.0).map_or(frame.area[0][0], |at| at[0]);
    let line = |points: Vec<[f32; 2]>, width: f32, colour: Colour| Primitive::Polyline {
        points,
        stroke: Stroke { width, colour },
        dash: None,
    };
    let half = thickness / 2.0;
    let [low, high] = found.whiskers.map(x);
    let [first, median, third] = found.quartiles.map(x);
    let ink = fill.mix(theme.text, 0.45);
    let stroke = Some(Stroke { width: 0.5, colour: ink });
    let on_box = theme.text_on(fill);
    let narrow = third - first < 1.6;
    let mut out = vec![line(vec![[low, centre], [high, centre]], 0.7, ink)];
    let (min, max) = ([first - 0.4, centre - half], [third + 0.4, centre + half]);
    out.push(Primitive::Rectangle { min, max, corner: 0.0, fill, stroke });
    if !narrow {
        out.push(line(vec![[median, centre - half], [median, centre + half]], 1.0, on_box));
    }
    let radius = (thickness * 0.27).clamp(0.8, 2.2);
    let stroke = Some(Stroke { width: 0.6, colour: theme.text });
    out.push(Primitive::Circle { centre: [x(found.mean), centre], radius, fill: theme.background, stroke });
    out
}

fn mark_at(centre: [f32; 2], radius: f32, of_model: bool, theme: &FigureTheme) -> Primitive {
    let stroke = Some(Stroke { width: 0.8, colour: theme.background });
    if of_model {
        let corner = |x: f32, y: f32| [centre[0] + x * radius * 1.35, centre[1] + y * radius * 1.35];
        let points = vec![corner(0.0, -1.0), corner(1.0, 0.0), corner(0.0, 1.0), corner(-1.0, 0.0)];
        return Primitive::Polygon { points, fill: theme.predicted, stroke };
    }
    let (min, max) = ([centre[0] - radius, centre[1] - radius], [centre[0] + radius, centre[1] + radius]);
    Primitive::Rectangle { min, max, corner: 0.0, fill: theme.series[1], stroke }
}

/// What boxes and marks are, in as many lines as it takes; heights are against the middle of the first.
struct Key {
    primitives: Vec<Primitive>,
    lines: usize,
}

impl BoxesFigure {
    fn key(&self, width: f32, theme: &FigureTheme) -> Key {
        let (size, mut at) = (self.text_size, [self.text_size * 0.3, 0.0]);
        let mut key = Key { primitives: Vec::new(), lines: 1 };
        let sign = size * 0.9;
        let mut add = |text: &str, sign_at: &dyn Fn([f32; 2]) -> Primitive| {
            let whole = sign + size * 0.4 + text_width(text, size, Weight::Regular);
            if at[0] + whole > width && at[0] > size {
                at = [size * 0.3, at[1] + size * 1.5];
                key.lines += 1;
            }
            key.primitives.push(sign_at([at[0] + sign / 2.0, at[1]]));
            let position = [at[0] + sign + size * 0.4, at[1]];
            key.primitives.push(words(text, position, Anchor::Start, size, theme.text, 0.0));
            at[0] += whole + size * 1.1;
        };
        for series in &self.series {
            let fill = series.kind.colour(theme);
            let stroke = Some(Stroke { width: 0.5, colour: fill.mix(theme.text, 0.45) });
            add(&series.label, &|centre| {
                let (min, max) = (
                    [centre[0] - sign / 2.0, centre[1] - size * 0.35],
                    [centre[0] + sign / 2.0, centre[1] + size * 0.35],
                );
                Primitive::Rectangle { min, max, corner: 0.0, fill, stroke }
            });
        }
        let stroke = Some(Stroke { width: 0.6, colour: theme.text });
        add("mean", &|centre| Primitive::Circle { centre, radius: size * 0.2, fill: theme.background, stroke });
        for mark in &self.marks {
            add(&mark.label, &|centre| mark_at(centre, size * 0.36, mark.of_model, theme));
        }
        key
    }

    fn hint(&self, gene: &BoxedGene) -> String {
        let number = |value: f32| plain(f64::from(value), 2);
        let mut text = gene.label.clone();
        for (series, found) in self.series.iter().zip(&gene.boxes) {
            let Some(found) = found else { continue };
            let [first, median, third] = found.quartiles.map(number);
            let mean = number(found.mean);
            text.push_str(&format!("\n{}: mean {mean}, median {median}, quartiles {first} to {third}", series.label));
        }
        for (mark, value) in self.marks.iter().zip(&gene.marks) {
            if let Some(value) = value {
                text.push_str(&format!("\n{}: {}", mark.label, number(*value)));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_tukeys() {
        // numpy.percentile([1, 2, 3, 4, 5, 6, 7, 30], [25, 50, 75]) is 2.75, 4.5, 6.25; matplotlib's whiskers end at 1 and 7.
        let found = BoxStatistics::of(&[30.0, 3.0, 1.0, f32::NAN, 2.0, 7.0, 4.0, 5.0, 6.0]).unwrap();
        assert_eq!(found.quartiles, [2.75, 4.5, 6.25]);
        assert_eq!((found.whiskers, found.cells, found.mean), ([1.0, 7.0], 8, 7.25));
        assert_eq!(BoxStatistics::of(&[f32::NAN]), None);
        let one = BoxStatistics::of(&[2.0]).unwrap();
        assert_eq!((one.quartiles, one.whiskers), ([2.0; 3], [2.0; 2]));
    }

    fn figure() -> BoxesFigure {
        let series = [CellGroupKind::Control, CellGroupKind::Perturbed, CellGroupKind::Drawn];
        let gene = |at: usize| BoxedGene {
            label: format!("GENE{at}"),
            highlighted: false,
            boxes: (0..3).map(|kind| BoxStatistics::of(&[0.0, at as f32, kind as f32, -1.0])).collect(),
            marks: vec![Some(0.5), (at > 0).then_some(-0.25)],
        };
        BoxesFigure {
            series: series.map(|kind| BoxSeries { label: format!("{} (4)", kind.label()), kind }).to_vec(),
            marks: vec![
                BoxMark { label: "Model".into(), of_model: true },
                BoxMark { label: "No change".into(), of_model: false },
            ],
            genes: (0..3).map(gene).collect(),
            ..BoxesFigure::default()
        }
    }

    #[test]
    fn everything_is_told_on_hover_and_drawn_inside() {
        let drawn = figure().scene([300.0, 200.0], &FigureTheme::paper());
        assert_eq!(drawn.hits.len(), 3);
        assert!(drawn.hits[1].text.contains("Perturbed cells (4): mean"), "{}", drawn.hits[1].text);
        assert!(drawn.hits[1].text.ends_with("Model: 0.50\nNo change: −0.25"));
        assert!(!drawn.hits[0].text.contains("No change"));
        for layer in &drawn.scene.layers {
            for primitive in &layer.primitives {
                if let Primitive::Rectangle { min, max, .. } = primitive {
                    assert!(min[0] >= -0.5 && max[0] <= 300.5 && min[1] >= 0.0 && max[1] <= 200.5, "{primitive:?}");
                }
            }
        }
    }

    #[test]
    fn a_narrow_key_takes_more_lines() {
        let theme = FigureTheme::paper();
        assert_eq!(figure().key(600.0, &theme).lines, 1);
        assert!(figure().key(120.0, &theme).lines >= 3);
    }
}
