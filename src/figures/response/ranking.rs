//! The genes that a knock-out raises and lowers most.

use super::paired_bars::{Rows, interval, interval_key, interval_text, rectangle, whisker, zero_line};
use crate::figures::axes::plain;
use crate::figures::scene::{Layer, Scene};
use crate::figures::theme::FigureTheme;
use crate::figures::{Figure, FigureScene, Hit, HitShape};

/// A gene and its shift.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedGene {
    /// Its symbol.
    pub label: String,
    /// Its shift.
    pub shift: f32,
    /// Half the width of the interval around it, where there is one.
    pub half_width: Option<f32>,
    /// Selected elsewhere: its name is bold.
    pub highlighted: bool,
}

/// Horizontal bars from the most raised gene to the most lowered, coloured by the shift.
#[derive(Clone, Debug, PartialEq)]
pub struct RankingFigure {
    /// Above it; empty for none.
    pub title: String,
    /// What the bars show, with the unit.
    pub x_label: String,
    /// The genes, in order.
    pub genes: Vec<RankedGene>,
    /// What the intervals are: `90 % interval, 10 members`.
    pub interval: String,
    /// Where the colour scale ends; none for the largest shift shown.
    pub limit: Option<f32>,
    /// Font size in points.
    pub text_size: f32,
    /// Values that were not finite and so are not among the genes.
    pub skipped: usize,
}

impl Default for RankingFigure {
    fn default() -> Self {
        Self {
            title: String::new(),
            x_label: "Predicted shift".into(),
            genes: Vec::new(),
            interval: String::new(),
            limit: None,
            text_size: 7.0,
            skipped: 0,
        }
    }
}

impl RankingFigure {
    /// The `each` genes that rise most and the `each` that fall most, from up to down. Values that are not finite are
    /// counted and left out, zeros left out.
    pub fn of_extremes(genes: Vec<RankedGene>, each: usize) -> Self {
        let all = genes.len();
        let mut genes: Vec<RankedGene> = genes.into_iter().filter(|gene| gene.shift.is_finite()).collect();
        let skipped = all - genes.len();
        genes.sort_by(|a, b| b.shift.total_cmp(&a.shift).then_with(|| a.label.cmp(&b.label)));
        let up = genes.iter().take(each).filter(|gene| gene.shift > 0.0).count();
        let down = genes.iter().rev().take(each).filter(|gene| gene.shift < 0.0).count();
        let lowest = genes.split_off(genes.len() - down);
        genes.truncate(up);
        genes.extend(lowest);
        Self { genes, skipped, ..Self::default() }
    }
}

impl Figure for RankingFigure {
    fn scene(&self, size: [f32; 2], theme: &FigureTheme) -> FigureScene {
        let values = || self.genes.iter().map(|gene| gene.shift).filter(|shift| shift.is_finite());
        let largest = values().map(f32::abs).fold(0.0, f32::max);
        let limit = self.limit.filter(|limit| *limit > 0.0).unwrap_or(largest).max(f32::MIN_POSITIVE);
        let names = self.genes.iter().map(|gene| gene.label.as_str());
        let reaches = || self.genes.iter().flat_map(|gene| interval(gene.shift, gene.half_width));
        let has_intervals = reaches().next().is_some();
        let rows = Rows::new(&self.title, has_intervals, names, size, self.text_size);
        let frame = rows.frame(values().chain(reaches().flatten()), &self.x_label);
        let mut axes = frame.x_axis(theme);
        axes.extend(rows.title(&self.title, &frame, theme));
        if has_intervals {
            interval_key([frame.area[0][0], rows.key_at], &self.interval, self.text_size, theme, &mut axes);
        }
        let (mut bars, mut hits) = (Vec::new(), Vec::new());
        for (index, gene) in self.genes.iter().enumerate() {
            let row = rows.row(index, self.genes.len(), &frame);
            let (thickness, middle) = ((row[1] - row[0]) * 0.72, f32::midpoint(row[0], row[1]));
            // Never so pale that the bar is lost on the background.
            let share = (gene.shift / limit).clamp(-1.0, 1.0);
            let fill = theme.shift(share.signum() * (0.4 + 0.6 * share.abs()));
            bars.extend(rectangle(&frame, gene.shift, middle - thickness / 2.0, thickness, fill));
            if let Some(ends) = interval(gene.shift, gene.half_width) {
                bars.extend(whisker(&frame, ends, middle, thickness * 0.6, theme));
            }
            rows.name(&gene.label, middle, row, gene.highlighted, &frame, theme, &mut axes);
            let within = interval_text(gene.shift, gene.half_width);
            let text = format!("{}\n{} {}{within}", gene.label, self.x_label, plain(f64::from(gene.shift), 3));
            let (min, max) = ([0.0, row[0]], [frame.area[1][0], row[1]]);
            hits.push(Hit { shape: HitShape::Rectangle { min, max }, index, text });
        }
        let skipped = self.skipped + self.genes.len() - values().count();
        let layers = vec![
            Layer { name: "grid".into(), primitives: frame.grid(true, false, theme), clip: None },
            Layer { name: "bars".into(), primitives: bars, clip: None },
            Layer { name: "axes".into(), primitives: axes, clip: None },
            Layer { name: "zero".into(), primitives: zero_line(&frame, theme), clip: None },
        ];
        FigureScene { scene: Scene { size, background: Some(theme.background), layers }, hits, skipped }
    }
}
