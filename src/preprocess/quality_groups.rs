//! Quality control by perturbation and by batch: where do cells fail more often than elsewhere?

use statrs::distribution::{Binomial, DiscreteCDF};

use super::differential::benjamini_hochberg;
use super::quality::{QualityReport, Rule};

/// A group is marked from this false discovery rate on …
const LEVEL: f64 = 0.01;
/// … if its share of failing cells is at least so many times that of all others.
const RATIO: f64 = 1.5;

/// Quality control of some cells.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupQuality {
    /// The perturbation, `control`, or the batch.
    pub name: String,
    /// Its cells.
    pub cells: usize,
    /// How many fail any rule.
    pub failing: usize,
    /// How many fail each rule, in the order of [`Rule::ALL`].
    pub by_rule: [usize; 5],
    /// Chance of as many failing cells if its cells failed like all others (one-sided binomial), adjusted over groups.
    pub adjusted_p: f64,
    /// Its cells fail far more often than those of the other groups.
    pub marked: bool,
}

impl GroupQuality {
    /// Share of failing cells.
    pub fn share(&self) -> f64 {
        self.failing as f64 / self.cells.max(1) as f64
    }
}

/// Quality control of each group of `members` (cells of `report`); groups must not overlap.
pub fn by_group(groups: Vec<(String, Vec<u32>)>, report: &QualityReport) -> Vec<GroupQuality> {
    let mut result: Vec<GroupQuality> = groups
        .into_iter()
        .map(|(name, cells)| {
            let mut by_rule = [0; 5];
            let mut failing = 0;
            for &cell in &cells {
                let failed = report.failed[cell as usize];
                failing += usize::from(failed.any());
                for (count, rule) in by_rule.iter_mut().zip(Rule::ALL) {
                    *count += usize::from(failed.contains(rule));
                }
            }
            GroupQuality { name, cells: cells.len(), failing, by_rule, adjusted_p: 1.0, marked: false }
        })
        .collect();
    let (all, all_failing) =
        result.iter().fold((0, 0), |(cells, failing), group| (cells + group.cells, failing + group.failing));
    let elsewhere = |group: &GroupQuality| {
        let cells = all - group.cells;
        (cells > 0).then(|| (all_failing - group.failing) as f64 / cells as f64)
    };
    let p_values: Vec<f64> = result
        .iter()
        .map(|group| elsewhere(group).map_or(1.0, |share| at_least(group.failing, group.cells, share)))
        .collect();
    for (at, adjusted) in benjamini_hochberg(&p_values).into_iter().enumerate() {
        let share = elsewhere(&result[at]);
        let group = &mut result[at];
        group.adjusted_p = adjusted;
        group.marked = adjusted < LEVEL && share.is_some_and(|share| group.share() >= RATIO * share);
    }
    result
}

/// P(X ≥ `failing`) for `cells` draws with probability `share`.
fn at_least(failing: usize, cells: usize, share: f64) -> f64 {
    if failing == 0 {
        return 1.0;
    }
    match Binomial::new(share.clamp(0.0, 1.0), cells as u64) {
        Ok(binomial) => binomial.sf(failing as u64 - 1),
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::quality::CellMetrics;

    #[test]
    fn a_group_whose_cells_fail_far_more_often_is_marked() {
        // 200 cells; those of the second group have many mitochondrial counts.
        let cells = 200;
        let mitochondrial =
            (0..cells).map(|cell| if cell >= 160 && cell % 2 == 0 { 60.0 } else { 4.0 + (cell % 3) as f32 }).collect();
        let metrics = CellMetrics {
            total_counts: vec![1000.0; cells],
            detected_genes: vec![300; cells],
            mitochondrial,
            ribosomal: vec![0.0; cells],
            haemoglobin: vec![0.0; cells],
        };
        let report = QualityReport::judge(&metrics, 5.0);
        let groups = vec![
            ("control".to_owned(), (0..160).collect()),
            ("BAD1".to_owned(), (160..200).collect()),
            ("EMPTY".to_owned(), Vec::new()),
        ];
        let result = by_group(groups, &report);
        assert_eq!((result[1].failing, result[1].by_rule), (20, [0, 0, 20, 0, 0]));
        assert!(result[1].marked && !result[0].marked && !result[2].marked, "{result:?}");
        assert!((result[1].share() - 0.5).abs() < 1e-12);
        let alone = by_group(vec![("batch".to_owned(), (0..200).collect())], &report);
        assert!(!alone[0].marked);
    }
}
