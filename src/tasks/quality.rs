//! Quality control of a screen as the window shows it: recounted at once for other limits.

use std::sync::Arc;

use rand::seq::SliceRandom as _;

use crate::data::{Dataset, MatrixKind};
use crate::figures::axes::Scale;
use crate::figures::screen::Histogram;
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::quality::{CellMetrics, QualityReport, Rule};
use crate::preprocess::quality_groups::{GroupQuality, by_group};
use crate::random;

/// Bins of a histogram.
const BINS: usize = 60;
/// Most cells drawn as points: more cannot be told apart.
const DRAWN: usize = 6000;

/// Everything the quality page shows.
#[derive(Clone, Debug)]
pub struct Quality {
    /// The metrics of all cells.
    pub metrics: Arc<CellMetrics>,
    /// Limits and who fails.
    pub report: QualityReport,
    /// One per rule, in the order of [`Rule::ALL`].
    pub histograms: Vec<Histogram>,
    /// Control cells, each perturbation, and cells without an assignment.
    pub perturbations: Vec<GroupQuality>,
    /// Each batch; empty where the file tells none.
    pub batches: Vec<GroupQuality>,
    /// Cells to draw as points: all if there are few, else some at random.
    pub drawn: Vec<u32>,
}

/// Measure all cells of `dataset`; none unless it holds counts.
pub fn measure(dataset: &Dataset, progress: &dyn Progress) -> Result<Option<Arc<CellMetrics>>, Cancelled> {
    if dataset.matrix_kind() != MatrixKind::Counts {
        return Ok(None);
    }
    progress.stage("Measuring cells", None);
    let all: Vec<u32> = (0..dataset.cell_count() as u32).collect();
    CellMetrics::of(dataset, &all, progress).map(Arc::new).map(Some)
}

/// Judge the `metrics` of all cells of `dataset` with limits at `mads` MADs.
pub fn judge(
    dataset: &Dataset,
    metrics: Arc<CellMetrics>,
    mads: f64,
    progress: &dyn Progress,
) -> Result<Quality, Cancelled> {
    progress.stage("Judging cells", None);
    let report = QualityReport::judge(&metrics, mads);
    progress.check()?;
    let histograms = report
        .thresholds
        .iter()
        .map(|threshold| {
            let scale = if threshold.rule.fails_below() { Scale::Logarithmic } else { Scale::Linear };
            let fails = |value: f32| {
                if threshold.rule.fails_below() { value < threshold.limit } else { value > threshold.limit }
            };
            Histogram::of(&metrics.values(threshold.rule), BINS, scale, fails)
        })
        .collect();
    progress.check()?;
    let mut groups = vec![("control".to_owned(), dataset.control_cells())];
    groups.extend(
        dataset.perturbations().iter().map(|perturbation| perturbation.name()).zip(dataset.cells_by_perturbation()),
    );
    groups.push(("unassigned".to_owned(), dataset.unassigned_cells()));
    groups.retain(|(_, cells)| !cells.is_empty());
    let perturbations = by_group(groups, &report);
    let batches = dataset.batch().map_or_else(Vec::new, |batch| {
        let all: Vec<u32> = (0..metrics.len() as u32).collect();
        let levels = batch.divide(&all).into_iter().filter_map(|(level, cells)| Some((level?.to_owned(), cells)));
        by_group(levels.collect(), &report)
    });
    let mut drawn: Vec<u32> = (0..metrics.len() as u32).collect();
    if drawn.len() > DRAWN {
        let mut random = random::stream(0, "cells of the quality page");
        let mut picked = drawn.partial_shuffle(&mut random, DRAWN).0.to_vec();
        picked.sort_unstable();
        drawn = picked;
    }
    Ok(Quality { metrics, report, histograms, perturbations, batches, drawn })
}

impl Quality {
    /// Perturbations or batches as a table.
    pub fn groups_table(name: &str, groups: &[GroupQuality]) -> String {
        let mut text = format!("{name}\tcells\tfailing\tshare");
        for rule in Rule::ALL {
            text.push_str(&format!("\t{}", rule.key()));
        }
        text.push_str("\tadjusted_p\tfails_more_often\n");
        for group in groups {
            text.push_str(&format!("{}\t{}\t{}\t{}", group.name, group.cells, group.failing, group.share() as f32));
            group.by_rule.iter().for_each(|count| text.push_str(&format!("\t{count}")));
            text.push_str(&format!("\t{:.3e}\t{}\n", group.adjusted_p, if group.marked { "yes" } else { "no" }));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::jobs::Silent;

    #[test]
    fn groups_and_histograms_count_every_cell_once() {
        let config = SimulateConfig { genes: 60, perturbations: 5, cells: 7000, seed: 2, ..SimulateConfig::small() };
        let dataset = simulate(&config, &Silent).unwrap().dataset;
        let metrics = measure(&dataset, &Silent).unwrap().unwrap();
        let quality = judge(&dataset, metrics, 3.0, &Silent).unwrap();
        assert_eq!(quality.perturbations.iter().map(|group| group.cells).sum::<usize>(), 7000);
        assert_eq!(quality.perturbations.iter().map(|group| group.failing).sum::<usize>(), quality.report.failing);
        assert_eq!(quality.drawn.len(), DRAWN);
        assert!(quality.drawn.is_sorted());
        for (histogram, threshold) in quality.histograms.iter().zip(&quality.report.thresholds) {
            let cells: u32 = histogram.bins.iter().map(|bin| bin.cells).sum();
            let failing: u32 = histogram.bins.iter().map(|bin| bin.failing).sum();
            assert_eq!(cells as usize + histogram.left_out, 7000);
            if threshold.rule == Rule::FewCounts {
                assert_eq!(failing as usize, threshold.failing);
            }
        }
        let table = Quality::groups_table("perturbation", &quality.perturbations);
        assert_eq!(table.lines().count(), 1 + quality.perturbations.len());
    }
}
