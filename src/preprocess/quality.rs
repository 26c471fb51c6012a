//! Quality control: which cells are damaged, and by which rule.
//!
//! A cell fails when its counts or detected genes lie more than k median absolute deviations (MAD) below the median,
//! or its share of mitochondrial, ribosomal or haemoglobin counts more than k above. MAD = median |x − median|,
//! without the factor 1.4826 (as the authors of GPO-VAE). Doublets are not looked for here.

use std::fmt::Write as _;

use rayon::prelude::*;

use super::statistics::median_f32;
use crate::data::{CsrMatrix, Dataset, GeneFamily, Genes};
use crate::jobs::{Cancelled, Progress};

/// Rows between two looks at the cancel flag.
const ROWS_PER_CHUNK: usize = 1024;

/// One rule of quality control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// Too few counts.
    FewCounts,
    /// Too few detected genes.
    FewGenes,
    /// Too large a share of mitochondrial counts (`MT-`): a torn membrane.
    Mitochondrial,
    /// Too large a share of ribosomal counts (`RPS`, `RPL`).
    Ribosomal,
    /// Too large a share of haemoglobin counts (`HB`, next letter not `P`): red blood cells.
    Haemoglobin,
}

impl Rule {
    /// All rules in the order shown.
    pub const ALL: [Self; 5] =
        [Self::FewCounts, Self::FewGenes, Self::Mitochondrial, Self::Ribosomal, Self::Haemoglobin];

    /// In words: `mitochondrial share`.
    pub fn label(self) -> &'static str {
        match self {
            Self::FewCounts => "counts",
            Self::FewGenes => "detected genes",
            Self::Mitochondrial => "mitochondrial share",
            Self::Ribosomal => "ribosomal share",
            Self::Haemoglobin => "haemoglobin share",
        }
    }

    /// Its name in tables.
    pub fn key(self) -> &'static str {
        match self {
            Self::FewCounts => "few_counts",
            Self::FewGenes => "few_genes",
            Self::Mitochondrial => "mitochondrial",
            Self::Ribosomal => "ribosomal",
            Self::Haemoglobin => "haemoglobin",
        }
    }

    /// Whether small values fail; otherwise large ones do.
    pub fn fails_below(self) -> bool {
        matches!(self, Self::FewCounts | Self::FewGenes)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The genes whose share this rule looks at.
    pub fn family(self) -> Option<GeneFamily> {
        match self {
            Self::FewCounts | Self::FewGenes => None,
            Self::Mitochondrial => Some(GeneFamily::Mitochondrial),
            Self::Ribosomal => Some(GeneFamily::Ribosomal),
            Self::Haemoglobin => Some(GeneFamily::Haemoglobin),
        }
    }
}

/// The rules that a cell fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailedRules(u8);

impl FailedRules {
    /// Whether any rule fails.
    pub fn any(self) -> bool {
        self.0 != 0
    }

    /// Whether `rule` fails.
    pub fn contains(self, rule: Rule) -> bool {
        self.0 & rule.bit() != 0
    }

    /// The failing rules in the order of [`Rule::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.into_iter().filter(move |rule| self.contains(*rule))
    }
}

/// Quality metrics, one value per cell in each list. Shares are percent of the cell's counts, computed in single
/// precision as scanpy's `calculate_qc_metrics` does, and 0 for a cell without counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CellMetrics {
    /// Sum of counts.
    pub total_counts: Vec<f32>,
    /// Number of genes with at least one count.
    pub detected_genes: Vec<u32>,
    /// Percent of counts in mitochondrial genes.
    pub mitochondrial: Vec<f32>,
    /// Percent of counts in ribosomal protein genes.
    pub ribosomal: Vec<f32>,
    /// Percent of counts in haemoglobin genes.
    pub haemoglobin: Vec<f32>,
}

impl CellMetrics {
    /// Those of the rows `cells` of `dataset`, over all genes of its file, also where not all are held.
    pub fn of(dataset: &Dataset, cells: &[u32], progress: &dyn Progress) -> Result<Self, Cancelled> {
        let Some(whole) = dataset.whole_cells() else {
            return Self::measure(dataset.matrix(), dataset.genes(), cells, progress);
        };
        let total = |cell: u32| whole.total_counts[cell as usize] as f32;
        let percent = |family: GeneFamily| {
            let sums = &whole.family_counts[family as usize];
            let share = |&cell: &u32| match total(cell) {
                total if total > 0.0 => sums[cell as usize] as f32 / total * 100.0,
                _ => 0.0,
            };
            cells.iter().map(share).collect()
        };
        Ok(Self {
            total_counts: cells.iter().map(|&cell| total(cell)).collect(),
            detected_genes: cells.iter().map(|&cell| whole.detected_genes[cell as usize]).collect(),
            mitochondrial: percent(GeneFamily::Mitochondrial),
            ribosomal: percent(GeneFamily::Ribosomal),
            haemoglobin: percent(GeneFamily::Haemoglobin),
        })
    }

    /// Measure the rows `cells` of `counts` (cells × genes).
    pub fn measure(
        counts: &CsrMatrix,
        genes: &Genes,
        cells: &[u32],
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        let shares = [Rule::Mitochondrial, Rule::Ribosomal, Rule::Haemoglobin];
        let belongs: Vec<u8> = genes
            .iter()
            .map(|gene| {
                let counts = |rule: &Rule| rule.family().is_some_and(|family| family.holds(&gene.symbol));
                shares.into_iter().filter(counts).map(Rule::bit).sum()
            })
            .collect();
        let measure_cell = |cell: u32| {
            let row = counts.row(cell as usize);
            let mut total = 0.0;
            let mut sums = [0.0; 3];
            for (column, value) in row.iter() {
                let value = f64::from(value);
                total += value;
                let member = belongs[column as usize];
                if member != 0 {
                    for (sum, rule) in sums.iter_mut().zip(shares) {
                        *sum += if member & rule.bit() == 0 { 0.0 } else { value };
                    }
                }
            }
            let total = total as f32;
            let percent = sums.map(|sum| if total > 0.0 { sum as f32 / total * 100.0 } else { 0.0 });
            (total, row.len() as u32, percent)
        };
        let chunks: Vec<Vec<_>> = cells
            .par_chunks(ROWS_PER_CHUNK)
            .map(|chunk| {
                progress.check()?;
                Ok(chunk.iter().map(|&cell| measure_cell(cell)).collect())
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut metrics = Self::default();
        for (total, detected, [mitochondrial, ribosomal, haemoglobin]) in chunks.into_iter().flatten() {
            metrics.total_counts.push(total);
            metrics.detected_genes.push(detected);
            metrics.mitochondrial.push(mitochondrial);
            metrics.ribosomal.push(ribosomal);
            metrics.haemoglobin.push(haemoglobin);
        }
        Ok(metrics)
    }

    /// Metrics of more cells.
    pub fn append(&mut self, more: Self) {
        self.total_counts.extend(more.total_counts);
        self.detected_genes.extend(more.detected_genes);
        self.mitochondrial.extend(more.mitochondrial);
        self.ribosomal.extend(more.ribosomal);
        self.haemoglobin.extend(more.haemoglobin);
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.total_counts.len()
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.total_counts.is_empty()
    }

    /// The values that `rule` judges, one per cell.
    pub fn values(&self, rule: Rule) -> Vec<f32> {
        match rule {
            Rule::FewCounts => self.total_counts.clone(),
            Rule::FewGenes => self.detected_genes.iter().map(|&genes| genes as f32).collect(),
            Rule::Mitochondrial => self.mitochondrial.clone(),
            Rule::Ribosomal => self.ribosomal.clone(),
            Rule::Haemoglobin => self.haemoglobin.clone(),
        }
    }
}

/// The limit of one rule, and how many cells it fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// The rule.
    pub rule: Rule,
    /// Median over the cells.
    pub median: f32,
    /// Median absolute deviation from it.
    pub mad: f32,
    /// Cells beyond this value fail: median ± k·MAD.
    pub limit: f32,
    /// How many do.
    pub failing: usize,
}

impl Threshold {
    /// Whether a cell with this value fails.
    pub fn fails(&self, value: f32) -> bool {
        if self.rule.fails_below() { value < self.limit } else { value > self.limit }
    }
}

/// What quality control found.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityReport {
    /// k.
    pub mads: f64,
    /// One per rule, in the order of [`Rule::ALL`].
    pub thresholds: Vec<Threshold>,
    /// Rules failed by each cell.
    pub failed: Vec<FailedRules>,
    /// Number of cells that fail any rule.
    pub failing: usize,
}

impl QualityReport {
    /// Judge `metrics` with limits at `mads` MADs from the medians.
    pub fn judge(metrics: &CellMetrics, mads: f64) -> Self {
        let mut failed = vec![FailedRules::default(); metrics.len()];
        let mut thresholds = Vec::with_capacity(Rule::ALL.len());
        for rule in Rule::ALL {
            let values = metrics.values(rule);
            let median = median_f32(&mut values.clone()).unwrap_or(0.0);
            let mut deviations: Vec<f32> = values.iter().map(|value| (value - median).abs()).collect();
            let mad = median_f32(&mut deviations).unwrap_or(0.0);
            let distance = mads as f32 * mad;
            let limit = if rule.fails_below() { median - distance } else { median + distance };
            let mut threshold = Threshold { rule, median, mad, limit, failing: 0 };
            for (failed, value) in failed.iter_mut().zip(values) {
                if threshold.fails(value) {
                    failed.0 |= rule.bit();
                    threshold.failing += 1;
                }
            }
            thresholds.push(threshold);
        }
        let failing = failed.iter().filter(|failed| failed.any()).count();
        Self { mads, thresholds, failed, failing }
    }

    /// How many other cells, of these metrics, fail any of `rules` by the limits found here.
    pub fn failing_by(&self, metrics: &CellMetrics, rules: &[Rule]) -> usize {
        let mut failed = vec![false; metrics.len()];
        for threshold in self.thresholds.iter().filter(|threshold| rules.contains(&threshold.rule)) {
            for (failed, value) in failed.iter_mut().zip(metrics.values(threshold.rule)) {
                *failed |= threshold.fails(value);
            }
        }
        failed.into_iter().filter(|failed| *failed).count()
    }

    /// The report in one sentence.
    pub fn in_words(&self) -> String {
        let cells = self.failed.len();
        let share = 100.0 * self.failing as f64 / cells.max(1) as f64;
        let mut text =
            format!("{} of {cells} cells ({share:.1} %) fail quality control at {} MAD", self.failing, self.mads);
        for (at, threshold) in self.thresholds.iter().enumerate() {
            let percent = if threshold.rule.fails_below() { "" } else { " %" };
            let side = if threshold.rule.fails_below() { "below" } else { "above" };
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "{} {} {side} {:.4}{percent} fails {}",
                if at == 0 { ":" } else { "," },
                threshold.rule.label(),
                Rounded(threshold.limit),
                threshold.failing
            );
        }
        text
    }
}

/// A number without needless decimals.
struct Rounded(f32);

impl std::fmt::Display for Rounded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decimals = if self.0.fract() == 0.0 { 0 } else { 2 };
        write!(f, "{:.decimals$}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Gene;
    use crate::jobs::Silent;

    fn genes(symbols: &[&str]) -> Genes {
        Genes::new(symbols.iter().map(|symbol| Gene::named(*symbol)).collect())
    }

    #[test]
    fn metrics_count_genes_and_percentages_and_survive_an_empty_cell() {
        let counts = CsrMatrix::from_dense(2, 4, &[1.0, 2.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0]);
        let metrics =
            CellMetrics::measure(&counts, &genes(&["MT-CO1", "RPS3", "HBB", "STAT1"]), &[0, 1], &Silent).unwrap();
        assert_eq!(metrics.total_counts, [8.0, 0.0]);
        assert_eq!(metrics.detected_genes, [3, 0]);
        assert_eq!(metrics.mitochondrial, [12.5, 0.0]);
        assert_eq!(metrics.ribosomal, [25.0, 0.0]);
        assert_eq!(metrics.haemoglobin, [0.0, 0.0]);
    }

    #[test]
    fn a_cell_fails_only_beyond_the_limit_and_the_report_names_the_rule() {
        let total_counts = vec![100.0, 110.0, 90.0, 105.0, 95.0, 10.0, 80.0];
        let zeros = vec![0.0; 7];
        let mut mitochondrial = zeros.clone();
        mitochondrial[0] = 3.0;
        let metrics = CellMetrics {
            total_counts,
            detected_genes: vec![50; 7],
            mitochondrial,
            ribosomal: zeros.clone(),
            haemoglobin: zeros,
        };
        let report = QualityReport::judge(&metrics, 1.5);
        // Median 95, MAD 10: the cell with 80 counts lies on the limit and passes.
        assert_eq!(report.thresholds[0].limit, 80.0);
        assert_eq!(report.failed[5].iter().collect::<Vec<_>>(), [Rule::FewCounts]);
        assert_eq!(report.failed[0].iter().collect::<Vec<_>>(), [Rule::Mitochondrial]);
        assert!(!report.failed[6].any());
        assert_eq!(report.failing, 2);
        assert!(
            report.in_words().starts_with("2 of 7 cells (28.6 %) fail quality control at 1.5 MAD: counts below 80 ")
        );
    }
}
