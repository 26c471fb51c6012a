//! Importances of regulators by stochastic gradient boosting of trees, in the style of GRNBoost2 (Moerman et al. 2019).
//!
//! Per target a regression of its expression on that of all regulators but itself: up to 5,000 trees of depth 3, learning rate 0.01, each
//! grown on 90 % of the cells without replacement, 10 % of the regulators (at least one) looked at per split. After each tree the loss on
//! the cells left out is compared with what it was before the tree; once its mean improvement over the last 25 trees is below 0, growing
//! ends. The importance of a regulator is the sum over its splits of the decrease of the squared error, normalised to sum to 1 over the
//! regulators of a target, times the number of trees: well explained targets get more trees, which makes targets comparable.
//!
//! Different from arboreto with scikit-learn: values are held in at most 255 bins of about equal size (exact up to 255 distinct values),
//! as in histogram-based boosting; the improvement is measured on the same left-out cells before and after a tree, as
//! scikit-learn did until 1.3; and the random numbers are ours.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::RngExt as _;
use rayon::prelude::*;

use super::{EdgeScores, Panel};
use crate::jobs::{Cancelled, Progress};
use crate::random::{self, Rng};

/// Trees of a target at most.
const MOST_TREES: usize = 5_000;
/// Share of a tree's mean that is added.
const LEARNING_RATE: f64 = 0.01;
/// Share of the cells that a tree is grown on.
const SUBSAMPLE: f64 = 0.9;
/// Share of the regulators that a split looks at.
const FEATURES: f64 = 0.1;
/// Splits from root to leaf at most.
const DEPTH: usize = 3;
/// Trees over which the improvement must be above 0.
const WINDOW: usize = 25;
/// Bins of a regulator's values.
const BINS: usize = 255;

/// Scores of `regulators` × `targets`, of each those that `panel` has; a target is never its own regulator. A target that does not vary
/// has none. The same for the same seed, whatever the number of threads. O(trees · cells · regulators) per target.
pub fn trees(
    panel: &Panel,
    regulators: &[String],
    targets: &[String],
    seed: u64,
    progress: &dyn Progress,
) -> Result<EdgeScores, Cancelled> {
    let rows = super::columns(&panel.genes, regulators);
    progress.stage("Growing trees", Some(0.0));
    let features: Vec<Feature> = rows.par_iter().map(|&gene| Feature::of(panel.row(gene))).collect();
    progress.check()?;
    let chosen = super::columns(&panel.genes, targets);
    let done = AtomicUsize::new(0);
    let columns: Vec<Vec<f32>> = chosen
        .par_iter()
        .map(|&target| {
            let random = random::stream(seed, &format!("trees {}", panel.genes[target]));
            let own = rows.iter().position(|&row| row == target);
            let importances = Boosting::new(&features, panel.row(target), own, random).run(progress)?;
            let finished = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress.stage("Growing trees", Some(finished as f32 / chosen.len() as f32));
            Ok(importances)
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut scores = EdgeScores {
        regulators: super::names(&rows, &panel.genes),
        targets: super::names(&chosen, &panel.genes),
        scores: vec![f32::NAN; rows.len() * chosen.len()],
        signs: Vec::new(),
    };
    for (at, (column, &target)) in columns.iter().zip(&chosen).enumerate() {
        for (row, &importance) in column.iter().enumerate().filter(|(row, _)| rows[*row] != target) {
            scores.scores[row * chosen.len() + at] = importance;
        }
    }
    Ok(scores)
}

/// A regulator's values in bins.
struct Feature {
    bins: Vec<u8>,
    count: usize,
}

impl Feature {
    /// Equal values share a bin; bins hold about equally many cells.
    fn of(values: &[f32]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f32::total_cmp);
        let mut distinct = sorted.clone();
        distinct.dedup();
        // The largest value of each bin.
        let bounds = if distinct.len() <= BINS {
            distinct
        } else {
            let share = sorted.len() as f64 / BINS as f64;
            let mut bounds: Vec<f32> =
                (1..=BINS).map(|bin| sorted[((bin as f64 * share) as usize).clamp(1, sorted.len()) - 1]).collect();
            bounds.dedup();
            bounds
        };
        let bin = |value: &f32| bounds.partition_point(|bound| bound < value).min(bounds.len() - 1) as u8;
        Self { bins: values.iter().map(bin).collect(), count: bounds.len() }
    }
}

/// The boosting of one target.
struct Boosting<'a> {
    features: &'a [Feature],
    /// Regulators that vary, the target itself (its place among them) left out; shuffled in place.
    candidates: Vec<u32>,
    residuals: Vec<f64>,
    /// Cells; those at the end are left out of a tree.
    order: Vec<u32>,
    importances: Vec<f64>,
    random: Rng,
    sums: [(f64, u32); BINS],
    /// Residuals of the cells of a node, in their order.
    own: Vec<f64>,
}

/// Where a node parts its cells: those in bins up to `bin` go to the left.
struct Split {
    feature: u32,
    bin: u8,
    gain: f64,
}

impl<'a> Boosting<'a> {
    fn new(features: &'a [Feature], values: &[f32], target: Option<usize>, random: Rng) -> Self {
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len().max(1) as f64;
        let varies = |at: &u32| Some(*at as usize) != target && features[*at as usize].count > 1;
        Self {
            features,
            candidates: (0..features.len() as u32).filter(varies).collect(),
            residuals: values.iter().map(|&value| f64::from(value) - mean).collect(),
            order: (0..values.len() as u32).collect(),
            importances: vec![0.0; features.len()],
            random,
            sums: [(0.0, 0); BINS],
            own: Vec::with_capacity(values.len()),
        }
    }

    /// One importance per feature; NaN if there is nothing to explain.
    fn run(mut self, progress: &dyn Progress) -> Result<Vec<f32>, Cancelled> {
        let cells = self.order.len();
        let spread: f64 = self.residuals.iter().map(|residual| residual * residual).sum();
        if self.candidates.is_empty() || cells < 2 || spread <= 1e-12 * cells as f64 {
            return Ok(vec![f32::NAN; self.features.len()]);
        }
        let inside = ((SUBSAMPLE * cells as f64) as usize).max(1);
        let mut improvements = Vec::new();
        while improvements.len() < MOST_TREES {
            progress.check()?;
            for place in (inside..cells).rev() {
                let other = self.random.random_range(0..=place);
                self.order.swap(place, other);
            }
            let mut order = std::mem::take(&mut self.order);
            let (grown_on, left_out) = order.split_at_mut(inside);
            let before = squares(&self.residuals, left_out);
            self.grow(grown_on, left_out, DEPTH);
            improvements.push(before - squares(&self.residuals, left_out));
            self.order = order;
            let recent = &improvements[improvements.len().saturating_sub(WINDOW)..];
            if recent.len() == WINDOW && recent.iter().sum::<f64>() < 0.0 {
                break;
            }
        }
        let sum: f64 = self.importances.iter().sum();
        let scale = if sum > 0.0 { improvements.len() as f64 / sum } else { 0.0 };
        Ok(self.importances.iter().map(|importance| (importance * scale) as f32).collect())
    }

    /// Grow a subtree on the cells `inside` and take its share from the residuals of these and of those `outside`.
    fn grow(&mut self, inside: &mut [u32], outside: &mut [u32], depth: usize) {
        let sum: f64 = inside.iter().map(|&cell| self.residuals[cell as usize]).sum();
        let split = if depth > 0 && inside.len() > 1 { self.best_split(inside, sum) } else { None };
        let Some(split) = split else {
            let step = LEARNING_RATE * sum / inside.len() as f64;
            inside.iter().chain(outside.iter()).for_each(|&cell| self.residuals[cell as usize] -= step);
            return;
        };
        self.importances[split.feature as usize] += split.gain;
        let feature = &self.features[split.feature as usize];
        let (left, right) = part(inside, &feature.bins, split.bin);
        let (left_outside, right_outside) = part(outside, &feature.bins, split.bin);
        self.grow(left, left_outside, depth - 1);
        self.grow(right, right_outside, depth - 1);
    }

    /// The split of `cells` that lowers the squared error most, among 10 % of the regulators drawn at random; if none of these varies
    /// here, among more.
    fn best_split(&mut self, cells: &[u32], sum: f64) -> Option<Split> {
        let wanted = ((FEATURES * self.candidates.len() as f64) as usize).max(1);
        let whole = sum * sum / cells.len() as f64;
        let mut best: Option<Split> = None;
        let mut varying = 0;
        self.own.clear();
        self.own.extend(cells.iter().map(|&cell| self.residuals[cell as usize]));
        for place in 0..self.candidates.len() {
            if place >= wanted && varying > 0 {
                break;
            }
            let other = self.random.random_range(place..self.candidates.len());
            self.candidates.swap(place, other);
            let number = self.candidates[place];
            let feature = &self.features[number as usize];
            let sums = &mut self.sums[..feature.count];
            sums.fill((0.0, 0));
            for (&cell, residual) in cells.iter().zip(&self.own) {
                let bin = &mut sums[usize::from(feature.bins[cell as usize])];
                bin.0 += residual;
                bin.1 += 1;
            }
            let (mut left_sum, mut left) = (0.0, 0u32);
            let mut varies = false;
            for (bin, &(bin_sum, bin_cells)) in sums.iter().enumerate() {
                if bin_cells == 0 {
                    continue;
                }
                left_sum += bin_sum;
                left += bin_cells;
                let right = cells.len() as u32 - left;
                if right == 0 {
                    break;
                }
                varies = true;
                let right_sum = sum - left_sum;
                let gain = left_sum * left_sum / f64::from(left) + right_sum * right_sum / f64::from(right) - whole;
                if gain > best.as_ref().map_or(0.0, |best| best.gain) {
                    best = Some(Split { feature: number, bin: bin as u8, gain });
                }
            }
            varying += usize::from(varies);
        }
        best
    }
}

/// Cells in bins up to `bin`, then the others.
fn part<'c>(cells: &'c mut [u32], bins: &[u8], bin: u8) -> (&'c mut [u32], &'c mut [u32]) {
    let mut left = 0;
    for at in 0..cells.len() {
        if bins[cells[at] as usize] <= bin {
            cells.swap(at, left);
            left += 1;
        }
    }
    cells.split_at_mut(left)
}

fn squares(residuals: &[f64], cells: &[u32]) -> f64 {
    cells.iter().map(|&cell| residuals[cell as usize].powi(2)).sum::<f64>() / cells.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;

    /// Gene 0 and 1 are drawn, gene 2 = gene 0 + noise, gene 3 = −gene 1², gene 4 is constant, the rest is noise.
    fn panel(cells: usize) -> Panel {
        let mut random = random::stream(1, "panel");
        let mut draw = || -> Vec<f32> { (0..cells).map(|_| random.random::<f32>() * 2.0 - 1.0).collect() };
        let mut rows: Vec<Vec<f32>> = (0..12).map(|_| draw()).collect();
        rows[2] = rows[0].iter().zip(&rows[2]).map(|(a, noise)| a + 0.3 * noise).collect();
        rows[3] = rows[1].iter().map(|b| -b * b).collect();
        rows[4] = vec![1.0; cells];
        let genes = (0..rows.len()).map(|gene| format!("G{gene}")).collect();
        Panel { genes, cells, values: rows.concat() }
    }

    #[test]
    fn what_explains_a_target_comes_first_also_where_nothing_is_linear() {
        let panel = panel(300);
        let scores = trees(&panel, &panel.genes, &panel.genes, 1, &Silent).unwrap();
        let best = |target: &str| {
            let ranked = scores.ranked();
            ranked.iter().find(|edge| edge.1 == target).map(|edge| edge.0.to_owned())
        };
        assert_eq!((best("G2").as_deref(), best("G3").as_deref()), (Some("G0"), Some("G1")));
        assert_eq!((scores.get("G0", "G4"), scores.get("G0", "G0")), (None, None));
        assert_eq!(scores.get("G4", "G2"), Some(0.0), "what does not vary explains nothing");
        let some = trees(&panel, &["G1".to_owned(), "G0".to_owned()], &panel.genes[2..4], 1, &Silent).unwrap();
        assert_eq!((some.regulators.len(), some.targets.len()), (2, 2));
        assert!(some.get("G0", "G2") > some.get("G1", "G2") && some.get("G1", "G3") > some.get("G0", "G3"));
        // Where there is something to explain, there are more trees than the window has.
        let total: f32 = (0..12).filter_map(|gene| scores.get(&format!("G{gene}"), "G2")).sum();
        assert!(total > 2.0 * WINDOW as f32, "{total}");
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let panel = panel(80);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| trees(&panel, &panel.genes, &panel.genes, 7, &Silent).unwrap())
        };
        let bits = |scores: &EdgeScores| scores.scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&on(1)), bits(&on(3)));
    }

    #[test]
    fn many_values_share_bins_of_equal_size() {
        let values: Vec<f32> = (0..10_000).map(|value| (value % 5_000) as f32).collect();
        let feature = Feature::of(&values);
        assert_eq!(feature.count, BINS);
        let mut counts = vec![0; BINS];
        feature.bins.iter().for_each(|&bin| counts[usize::from(bin)] += 1);
        assert!(counts.iter().all(|&count| (30..=50).contains(&count)), "{counts:?}");
        assert_eq!(Feature::of(&[0.0, 2.0, 0.0, -1.0]).bins, [1, 2, 1, 0]);
    }
}
