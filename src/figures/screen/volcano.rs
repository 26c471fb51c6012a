//! Size against significance of the change of every gene (volcano plot), or mean expression against its size (MA plot, Dudoit et al.
//! 2002).

use std::collections::HashSet;

use crate::figures::axes::{Axis, Frame, Scale, plain, ticks_across, ticks_down, words};
use crate::figures::names::{Named, place};
use crate::figures::response::scatter::heading;
use crate::figures::scene::{Anchor, Colour, Layer, Primitive, Scene, Stroke};
use crate::figures::theme::FigureTheme;
use crate::figures::{Figure, FigureScene, Hit, HitShape};

/// Larger changes (log2) come from genes without any counts on one side; they are drawn at the edge.
const ONE_SIDED: f32 = 10.0;
/// Where −log10 p ends: smaller p values are drawn at the edge.
const MOST: f32 = 300.0;
/// Points nearer than this share of their radius to another one without name are not drawn: nobody would see them.
const THINNING: f32 = 0.7;

/// A gene.
#[derive(Clone, Debug, PartialEq)]
pub struct VolcanoPoint {
    /// Its symbol.
    pub label: String,
    /// log2 fold change.
    pub change: f32,
    /// Adjusted p value.
    pub p: f64,
    /// Mean log-normalised expression of perturbed and control cells; only the MA plot reads it.
    pub mean: f32,
    /// Itself perturbed.
    pub target: bool,
    /// Selected elsewhere.
    pub highlighted: bool,
}

/// Which way a gene changes beyond both thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Higher than in control cells.
    Up,
    /// Lower.
    Down,
    /// Not beyond both thresholds.
    Unchanged,
}

/// What the change of a gene is drawn against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Against {
    /// Its significance, upwards: a volcano plot.
    #[default]
    Significance,
    /// The mean expression, across: an MA plot.
    Mean,
}

impl Against {
    /// Both, the usual one first.
    pub const ALL: [Self; 2] = [Self::Significance, Self::Mean];

    /// `Volcano plot`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Significance => "Volcano plot",
            Self::Mean => "MA plot",
        }
    }
}

/// A volcano plot or an MA plot.
#[derive(Clone, Debug, PartialEq)]
pub struct VolcanoFigure {
    /// Which of them.
    pub against: Against,
    /// Above it; empty for none.
    pub title: String,
    /// Size of the change.
    pub change_label: String,
    /// Its significance.
    pub significance_label: String,
    /// The mean expression.
    pub mean_label: String,
    /// The genes. Those with a value that is not finite are skipped and counted.
    pub points: Vec<VolcanoPoint>,
    /// A gene is changed from this |log2 fold change| on …
    pub least_change: f32,
    /// … and below this adjusted p value.
    pub level: f64,
    /// How many genes to name besides targets and selected ones.
    pub labels: usize,
    /// Font size in points.
    pub text_size: f32,
}

impl Default for VolcanoFigure {
    fn default() -> Self {
        Self {
            against: Against::default(),
            title: String::new(),
            change_label: "log2 fold change".into(),
            significance_label: "−log10 adjusted p".into(),
            mean_label: "Mean expression, ln(1 + normalised counts)".into(),
            points: Vec::new(),
            least_change: 0.25,
            level: 0.05,
            labels: 12,
            text_size: 7.0,
        }
    }
}

/// A gene with its place.
struct Placed<'a> {
    index: usize,
    point: &'a VolcanoPoint,
    centre: [f32; 2],
    /// It lies beyond the axes and is drawn at their edge.
    outside: bool,
    direction: Direction,
}

impl VolcanoFigure {
    /// Which way `point` changes.
    pub fn direction(&self, point: &VolcanoPoint) -> Direction {
        if point.p >= self.level || point.change.abs() < self.least_change || point.change == 0.0 {
            Direction::Unchanged
        } else if point.change > 0.0 {
            Direction::Up
        } else {
            Direction::Down
        }
    }

    /// Numbers of genes up and down.
    pub fn counts(&self) -> [usize; 2] {
        [Direction::Up, Direction::Down]
            .map(|way| self.points.iter().filter(|point| self.direction(point) == way).count())
    }

    /// −log10 p, at most [`MOST`].
    fn height(p: f64) -> f32 {
        if p > 0.0 { (-p.log10()).max(0.0).min(f64::from(MOST)) as f32 } else { MOST }
    }

    fn has_place(&self, point: &VolcanoPoint) -> bool {
        let drawn = self.against == Against::Significance || point.mean.is_finite();
        point.change.is_finite() && !point.p.is_nan() && drawn
    }

    fn frame(&self, size: [f32; 2]) -> Frame {
        let text = self.text_size;
        let title = if self.title.is_empty() { 0.0 } else { text * 1.7 };
        let finite = || self.points.iter().filter(|point| self.has_place(point));
        let inner = finite().map(|point| point.change.abs()).filter(|change| *change <= ONE_SIDED);
        let reach = inner.fold(self.least_change.max(0.5), f32::max) * 1.12;
        let (across, down) = (ticks_across(size[0] - text * 6.0, text), ticks_down(size[1] - text * 6.0, text));
        let [x, y] = match self.against {
            Against::Significance => {
                let highest = finite().map(|point| Self::height(point.p)).fold(2.0, f32::max) * 1.08;
                let x = Axis::between(-reach, reach, &self.change_label, across);
                [x, Axis::between(0.0, highest, &self.significance_label, down)]
            }
            Against::Mean => {
                let means = finite().map(|point| point.mean).chain([0.0]);
                let x = Axis::covering(means, &self.mean_label, Scale::Linear, across);
                [x, Axis::between(-reach, reach, &self.change_label, down)]
            }
        };
        Frame::new([[0.0, title + text * 1.4], size], x, y, text)
    }

    fn placed<'a>(&'a self, frame: &Frame) -> Vec<Placed<'a>> {
        let all = self.points.iter().enumerate();
        all.filter(|(_, point)| self.has_place(point))
            .filter_map(|(index, point)| {
                let axis = if self.against == Against::Mean { &frame.y } else { &frame.x };
                let change = point.change.clamp(axis.low, axis.high);
                let beyond = change != point.change;
                let (centre, outside) = match self.against {
                    Against::Significance => {
                        let least = point.p < 10f64.powf(-f64::from(MOST));
                        (frame.at(change, Self::height(point.p))?, beyond || least)
                    }
                    Against::Mean => (frame.at(point.mean, change)?, beyond),
                };
                Some(Placed { index, point, centre, outside, direction: self.direction(point) })
            })
            .collect()
    }

    /// Counts left and right above the frame, and a note where points lie beyond the axes.
    fn captions(&self, placed: &[Placed<'_>], frame: &Frame, theme: &FigureTheme) -> Vec<Primitive> {
        let text = self.text_size;
        let [up, down] = self.counts();
        let middle = frame.area[0][1] - text * 0.75;
        let [min, max] = frame.area;
        let mut out = vec![
            words(&format!("{down} down"), [min[0], middle], Anchor::Start, text, ink(Direction::Down, theme), 0.0),
            words(&format!("{up} up"), [max[0], middle], Anchor::End, text, ink(Direction::Up, theme), 0.0),
        ];
        let outside = placed.iter().filter(|placed| placed.outside).count();
        if outside > 0 {
            let note = format!("{outside} beyond the axes");
            let position = [f32::midpoint(min[0], max[0]), middle];
            out.push(words(&note, position, Anchor::Middle, text * 0.92, theme.weak_text, 0.0));
        }
        out
    }

    fn thresholds(&self, frame: &Frame, theme: &FigureTheme) -> Vec<Primitive> {
        let stroke = Stroke { width: 0.7, colour: theme.axis };
        let mut out = Vec::new();
        let mut line = |from: Option<[f32; 2]>, to: Option<[f32; 2]>| {
            if let (Some(from), Some(to)) = (from, to)
                && frame.contains(from)
                && frame.contains(to)
            {
                out.push(Primitive::Polyline { points: vec![from, to], stroke, dash: Some([2.5, 2.0]) });
            }
        };
        let changes = [-self.least_change, self.least_change].into_iter().filter(|_| self.least_change > 0.0);
        match self.against {
            Against::Significance => {
                let level = Self::height(self.level);
                line(frame.at(frame.x.low, level), frame.at(frame.x.high, level));
                changes.for_each(|change| line(frame.at(change, frame.y.low), frame.at(change, frame.y.high)));
            }
            Against::Mean => {
                line(frame.at(frame.x.low, 0.0), frame.at(frame.x.high, 0.0));
                changes.for_each(|change| line(frame.at(frame.x.low, change), frame.at(frame.x.high, change)));
            }
        }
        out
    }

    /// Names of targets and selected genes, then of those that stand out most, up and down in turn.
    fn names(&self, placed: &[Placed<'_>], frame: &Frame, radius: f32, theme: &FigureTheme) -> Vec<Primitive> {
        let reach = |placed: &Placed<'_>| {
            let (change, height) = (placed.point.change.abs(), Self::height(placed.point.p));
            match self.against {
                Against::Significance => (change / frame.x.high).min(1.0).hypot(height / frame.y.high),
                Against::Mean => (change / frame.y.high).min(1.0),
            }
        };
        let wanted = |placed: &Placed<'_>| placed.point.target || placed.point.highlighted;
        let mut order: Vec<&Placed<'_>> =
            placed.iter().filter(|placed| wanted(placed) || placed.direction != Direction::Unchanged).collect();
        order.sort_by(|a, b| {
            let first = wanted(b).cmp(&wanted(a));
            first.then(reach(b).total_cmp(&reach(a))).then_with(|| a.point.label.cmp(&b.point.label))
        });
        let wishes: Vec<Named<'_>> = order
            .iter()
            .map(|placed| Named { centre: placed.centre, name: &placed.point.label, highlighted: wanted(placed) })
            .collect();
        let discs: Vec<[f32; 2]> = order.iter().map(|placed| placed.centre).collect();
        place(&wishes, self.labels, frame, &discs, radius, None, self.text_size * 0.92, theme)
    }
}

fn ink(direction: Direction, theme: &FigureTheme) -> Colour {
    match direction {
        Direction::Up => theme.shift(1.0),
        Direction::Down => theme.shift(-1.0),
        Direction::Unchanged => theme.unknown,
    }
}

/// A triangle that points out of the frame, of an MA plot up or down.
fn arrow(centre: [f32; 2], radius: f32, frame: &Frame, against: Against, fill: Colour) -> Primitive {
    let [min, max] = frame.area;
    let top = centre[1] - min[1];
    let out: [f32; 2] = if against == Against::Mean {
        [0.0, if top < max[1] - centre[1] { -1.0 } else { 1.0 }]
    } else if (centre[0] - min[0]).min(max[0] - centre[0]) < top {
        if centre[0] - min[0] < max[0] - centre[0] { [-1.0, 0.0] } else { [1.0, 0.0] }
    } else {
        [0.0, -1.0]
    };
    let side = [-out[1], out[0]];
    let corner = |along: f32, across: f32| [0, 1].map(|at| centre[at] + (out[at] * along + side[at] * across) * radius);
    let points = vec![corner(1.5, 0.0), corner(-0.9, 1.2), corner(-0.9, -1.2)];
    Primitive::Polygon { points, fill, stroke: None }
}

impl Figure for VolcanoFigure {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let text = self.text_size;
        let frame = self.frame(size);
        let placed = self.placed(&frame);
        let skipped = self.points.len() - placed.len();
        let mut axes = frame.axes(theme);
        if !self.title.is_empty() {
            axes.push(heading(&self.title, &frame, size[0], text, theme));
        }
        axes.extend(self.captions(&placed, &frame, theme));
        let mut lines = frame.grid(true, true, theme);
        lines.extend(self.thresholds(&frame, theme));
        let radius = text * if placed.len() > 3000 { 0.2 } else { 0.25 };
        let mut points = Vec::new();
        let mut hits = Vec::with_capacity(placed.len());
        let mut drawn = HashSet::new();
        // Unchanged genes at the bottom, changed ones above, those with a name on top.
        let rank = |placed: &Placed<'_>| {
            let named = placed.point.target || placed.point.highlighted;
            if named { 2 } else { u8::from(placed.direction != Direction::Unchanged) }
        };
        let mut order: Vec<&Placed<'_>> = placed.iter().collect();
        order.sort_by_key(|placed| rank(placed));
        for placed in order {
            let (centre, rank) = (placed.centre, rank(placed));
            let step = radius * THINNING;
            let cell = centre.map(|part| (part / step) as i32);
            if rank == 2 || placed.outside || drawn.insert((cell, placed.direction == Direction::Unchanged)) {
                let mut fill = ink(placed.direction, theme);
                if placed.direction == Direction::Unchanged {
                    fill = fill.with_opacity(0.55);
                }
                let (mut radius, mut stroke) = (radius, None);
                if rank == 2 {
                    radius *= 1.5;
                    fill = if placed.point.target { theme.highlight } else { fill.with_opacity(1.0) };
                    stroke = Some(Stroke { width: 0.8, colour: theme.text });
                }
                points.push(if placed.outside {
                    arrow(centre, radius, &frame, self.against, fill)
                } else {
                    Primitive::Circle { centre, radius, fill, stroke }
                });
            }
            hits.push(Hit {
                shape: HitShape::Disc { centre, radius: radius + 0.5 },
                index: placed.index,
                text: self.hint(placed.point),
            });
        }
        let labels = self.names(&placed, &frame, radius, theme);
        let layers = vec![
            Layer { name: "grid".into(), primitives: lines, clip: Some(frame.area) },
            // Points at the border are drawn whole.
            Layer { name: "genes".into(), primitives: points, clip: None },
            Layer { name: "axes".into(), primitives: axes, clip: None },
            Layer { name: "labels".into(), primitives: labels, clip: None },
        ];
        FigureScene { scene: Scene { size, background: Some(theme.background), layers }, hits, skipped }
    }
}

impl VolcanoFigure {
    fn hint(&self, point: &VolcanoPoint) -> String {
        let p = if point.p > 0.0 { format!("{:.1e}", point.p) } else { "below 1e-300".to_owned() };
        let target = if point.target { " (perturbed)" } else { "" };
        let change = plain(f64::from(point.change), 2);
        let mean = match self.against {
            Against::Significance => String::new(),
            Against::Mean => format!("\nmean expression {}", plain(f64::from(point.mean), 2)),
        };
        format!("{}{target}\nlog2 fold change {change}\nadjusted p {p}{mean}", point.label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(label: &str, change: f32, p: f64) -> VolcanoPoint {
        VolcanoPoint { label: label.into(), change, p, mean: 1.0, target: false, highlighted: false }
    }

    fn figure(points: Vec<VolcanoPoint>) -> VolcanoFigure {
        VolcanoFigure { points, ..VolcanoFigure::default() }
    }

    fn texts(scene: &Scene) -> Vec<String> {
        let all = scene.layers.iter().flat_map(|layer| &layer.primitives);
        all.filter_map(|primitive| match primitive {
            Primitive::Text { text, .. } => Some(text.clone()),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn a_gene_is_changed_only_beyond_both_thresholds() {
        let figure = figure(vec![
            point("UP", 1.0, 1e-5),
            point("DOWN", -0.3, 0.049),
            point("SMALL", 0.2, 1e-9),
            point("UNSURE", 3.0, 0.05),
        ]);
        assert_eq!(figure.counts(), [1, 1]);
        assert_eq!(figure.direction(&figure.points[3]), Direction::Unchanged);
    }

    #[test]
    fn what_lies_beyond_the_axes_is_drawn_at_their_edge_and_counted() {
        let figure = figure(vec![point("A", 1.0, 1e-5), point("GONE", -28.0, 0.001), point("SURE", 0.8, 0.0)]);
        let drawn = figure.scene([300.0, 300.0], &FigureTheme::paper());
        let polygons = drawn.scene.layers.iter().flat_map(|layer| &layer.primitives);
        assert_eq!(polygons.filter(|primitive| matches!(primitive, Primitive::Polygon { .. })).count(), 2);
        assert!(texts(&drawn.scene).iter().any(|text| text.contains("2 beyond the axes")));
        assert!(drawn.hits.iter().any(|hit| hit.text.contains("below 1e-300")));
        assert_eq!(drawn.hits.len(), 3);
    }

    #[test]
    fn an_ma_plot_has_the_change_upwards_and_the_mean_across() {
        let mut points = vec![point("UP", 1.0, 1e-5), point("DOWN", -1.0, 0.2), point("FAR", -30.0, 1e-9)];
        (points[0].mean, points[1].mean) = (0.5, 3.0);
        points.push(VolcanoPoint { mean: f32::NAN, ..point("NOWHERE", 1.0, 1e-5) });
        let figure = VolcanoFigure { against: Against::Mean, ..figure(points) };
        let drawn = figure.scene([300.0, 300.0], &FigureTheme::paper());
        assert_eq!((drawn.hits.len(), drawn.skipped, figure.counts()), (3, 1, [2, 1]));
        let centre = |at: usize| match drawn.hits.iter().find(|hit| hit.index == at).unwrap().shape {
            HitShape::Disc { centre, .. } => centre,
            HitShape::Rectangle { .. } => unreachable!("points are discs"),
        };
        assert!(centre(0)[0] < centre(1)[0] && centre(0)[1] < centre(1)[1]);
        assert!(texts(&drawn.scene).iter().any(|text| text.contains("1 beyond the axes")));
        assert!(drawn.hits.iter().any(|hit| hit.text.ends_with("mean expression 3.00")));
    }

    #[test]
    fn the_perturbed_gene_is_named_even_if_it_did_not_change() {
        let mut points: Vec<VolcanoPoint> = (0..40).map(|at| point(&format!("G{at}"), 1.0 + at as f32, 1e-9)).collect();
        points.push(VolcanoPoint { target: true, ..point("STAT1", 0.0, 0.9) });
        points.push(point("NAN", f32::NAN, 0.5));
        let drawn = figure(points).scene([300.0, 300.0], &FigureTheme::dark());
        assert!(texts(&drawn.scene).contains(&"STAT1".to_owned()));
        assert_eq!(drawn.skipped, 1);
    }

    #[test]
    fn thousands_of_equal_points_are_drawn_once() {
        let figure = figure(vec![point("X", 0.01, 0.9); 5000]);
        let drawn = figure.scene([300.0, 300.0], &FigureTheme::paper());
        let genes = drawn.scene.layers.iter().find(|layer| layer.name == "genes").unwrap();
        assert_eq!((genes.primitives.len(), drawn.hits.len()), (1, 5000));
        assert!(figure.scene([40.0, 20.0], &FigureTheme::paper()).hits.len() == 5000);
    }
}
