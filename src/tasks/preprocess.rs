//! Quality, variability and differential expression of a screen, as tables.
//!
//! Nothing here holds the matrix a second time: values are normalised where they are read, tests go by blocks of genes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use rayon::prelude::*;
use serde::Serialize;

use crate::data::{CellRole, Dataset, MatrixKind};
use crate::files;
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::differential::{DifferentialTable, Test, differential};
use crate::preprocess::doublets::{CellDoublets, find_by_batch};
use crate::preprocess::gene_metrics::GeneMetrics;
use crate::preprocess::guides::GuideCheck;
use crate::preprocess::normalise::{Expression, median_library_size};
use crate::preprocess::quality::{CellMetrics, QualityReport, Rule};
use crate::preprocess::variable_genes::{
    Choice, Dispersions, Limits, StandardisedVariances, by_dispersion, by_dispersion_per_batch,
    by_standardised_variance,
};

use super::guides;
use super::tables::write_text;

/// Rows of a table rendered at a time by each thread.
const ROWS_PER_PART: usize = 4096;
/// From this adjusted p value on a gene counts as changed in the summary.
pub const SIGNIFICANT: f64 = 0.05;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PreprocessConfig {
    /// Cells fail quality control beyond so many median absolute deviations.
    pub mads: f64,
    /// Leave failing cells out of everything after the quality metrics.
    pub passing_only: bool,
    /// Find highly variable genes; none for none.
    pub variable_genes: Option<VariableGenesConfig>,
    /// Look for doublets.
    pub doublets: bool,
    /// Test every gene of every perturbation against the control cells with this; none for no tests.
    pub test: Option<Test>,
}

impl Default for PreprocessConfig {
    fn default() -> Self {
        Self {
            mads: 3.0,
            passing_only: false,
            variable_genes: Some(VariableGenesConfig::default()),
            doublets: false,
            test: Some(Test::default()),
        }
    }
}

/// How highly variable genes are found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VariableGenesConfig {
    /// By the variance of standardised counts (scanpy's `seurat_v3`) instead of normalised dispersions (`seurat`).
    pub of_counts: bool,
    /// How many; none for all within scanpy's limits (of counts: [`TOP`]).
    pub top: Option<usize>,
    /// Judge each batch by itself.
    pub by_batch: bool,
}

/// Highly variable genes of counts, unless another number is asked for.
pub const TOP: usize = 2000;
/// Share of the genes that shapes the curve of variance on mean.
const SPAN: f64 = 0.3;

/// Highly variable genes.
#[derive(Clone, Debug)]
pub enum VariableGenes {
    /// By normalised dispersion.
    Dispersions(Dispersions),
    /// By the variance of standardised counts.
    Standardised(StandardisedVariances),
}

impl VariableGenes {
    /// Whether each gene is highly variable.
    pub fn selected(&self) -> &[bool] {
        match self {
            Self::Dispersions(found) => &found.selected,
            Self::Standardised(found) => &found.selected,
        }
    }

    /// What each gene was judged by.
    fn judged(&self) -> (&'static str, &[f64], &[u32]) {
        match self {
            Self::Dispersions(found) => ("normalised_dispersion", &found.normalised, &found.batches),
            Self::Standardised(found) => ("standardised_variance", &found.normalised, &found.batches),
        }
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Preprocessed {
    /// Quality of all cells; only of counts.
    pub quality: Option<(CellMetrics, QualityReport)>,
    /// All genes over the cells used.
    pub genes: GeneMetrics,
    /// Which of them are highly variable, if that was asked.
    pub variable_genes: Option<VariableGenes>,
    /// Doublets among all cells, if they were looked for.
    pub doublets: Option<CellDoublets>,
    /// Its guides, if it names any; only of counts.
    pub guides: Option<GuideCheck>,
    /// Counts that every cell was scaled to; none where the values were log-normalised already.
    pub target_sum: Option<f64>,
    /// Rows that the genes and the tests rest on.
    pub cells: Vec<u32>,
    /// The tests: one group per perturbation of the data set; none if none was asked for or there are no controls.
    pub differential: Option<DifferentialTable>,
    /// Cells of each perturbation among those used.
    pub group_sizes: Vec<usize>,
}

/// Measure, normalise and test `dataset`.
///
/// # Errors
/// If the values are scaled (nothing here is defined on them), or if cancelled.
pub fn preprocess(
    dataset: &Dataset,
    config: &PreprocessConfig,
    progress: &dyn Progress,
) -> anyhow::Result<Preprocessed> {
    let is_counts = match dataset.matrix_kind() {
        MatrixKind::Counts => true,
        MatrixKind::LogNormalised => false,
        MatrixKind::Scaled => anyhow::bail!(
            "the matrix holds scaled values, on which neither quality nor fold changes are defined; name a matrix with \
             counts"
        ),
        MatrixKind::Effects => anyhow::bail!("the table holds effects of perturbations without cells"),
    };
    progress.stage("Measuring cells", None);
    let all: Vec<u32> = (0..dataset.cell_count() as u32).collect();
    let quality = if is_counts {
        let metrics = CellMetrics::of(dataset, &all, progress)?;
        let report = QualityReport::judge(&metrics, config.mads);
        Some((metrics, report))
    } else {
        None
    };
    let passes = |cell: u32| {
        !config.passing_only || quality.as_ref().is_none_or(|(_, report)| !report.failed[cell as usize].any())
    };
    let cells: Vec<u32> = dataset.held_cells().into_iter().filter(|&cell| passes(cell)).collect();
    progress.check()?;
    let (expression, target_sum) = expression(dataset, &cells);
    let genes = GeneMetrics::measure(&expression, &cells, progress)?;
    let variable_genes = config
        .variable_genes
        .map(|wanted| variable_genes(dataset, &expression, &cells, wanted, progress))
        .transpose()?;
    let mut groups = dataset.cells_by_perturbation();
    let mut control = dataset.control_cells();
    for rows in groups.iter_mut().chain([&mut control]) {
        rows.retain(|&cell| passes(cell));
    }
    let group_sizes = groups.iter().map(Vec::len).collect();
    let differential = match config.test {
        Some(test) if !control.is_empty() => Some(differential(&expression, &groups, &control, test, progress)?),
        _ => None,
    };
    let doublets = (config.doublets && is_counts)
        .then(|| find_by_batch(dataset, &dataset.held_cells(), 0, progress))
        .transpose()?;
    let guides = quality.as_ref().map(|(_, report)| guides::judged(dataset, report, progress)).transpose()?.flatten();
    Ok(Preprocessed { quality, guides, genes, variable_genes, doublets, target_sum, cells, differential, group_sizes })
}

fn variable_genes(
    dataset: &Dataset,
    expression: &Expression<'_>,
    cells: &[u32],
    config: VariableGenesConfig,
    progress: &dyn Progress,
) -> anyhow::Result<VariableGenes> {
    progress.stage("Finding variable genes", None);
    let batches = match dataset.batch().filter(|_| config.by_batch) {
        None => vec![cells.to_vec()],
        // Cells without a batch vote for none.
        Some(batch) => {
            let batches = batch.divide(cells).into_iter();
            batches.filter(|(level, _)| level.is_some()).map(|(_, cells)| cells).collect()
        }
    };
    if config.of_counts {
        anyhow::ensure!(
            dataset.matrix_kind() == MatrixKind::Counts,
            "seurat-v3 needs counts, but the matrix holds log-normalised values"
        );
        let top = config.top.unwrap_or(TOP);
        return Ok(VariableGenes::Standardised(by_standardised_variance(
            dataset.matrix(),
            &batches,
            top,
            SPAN,
            progress,
        )?));
    }
    let choice = config.top.map_or(Choice::Within(Limits::default()), Choice::Top);
    Ok(VariableGenes::Dispersions(match &batches[..] {
        [all] => by_dispersion(expression, all, choice, progress)?,
        several => by_dispersion_per_batch(expression, several, choice, progress)?,
    }))
}

/// The log-normalised expression of `dataset`, and the counts every cell is scaled to: the median over `cells`.
pub fn expression<'a>(dataset: &'a Dataset, cells: &[u32]) -> (Expression<'a>, Option<f64>) {
    let matrix = dataset.matrix();
    if dataset.matrix_kind() != MatrixKind::Counts {
        return (Expression::as_is(matrix), None);
    }
    let sizes: Vec<f64> = (0..matrix.rows()).into_par_iter().map(|row| dataset.library_size(row)).collect();
    let used: Vec<f64> = cells.iter().map(|&cell| sizes[cell as usize]).collect();
    let target = median_library_size(&used).unwrap_or(1.0);
    (Expression::of_counts(matrix, &sizes, target), Some(target))
}

/// One perturbation against the control cells.
#[derive(Clone, Debug)]
pub struct TestedGroup {
    /// Its name.
    pub perturbation: String,
    /// The perturbed genes.
    pub targets: Vec<String>,
    /// How it was tested.
    pub test: Test,
    /// Its cells.
    pub cells: usize,
    /// Control cells.
    pub control_cells: usize,
    /// Symbols of all genes, in the order of the table.
    pub genes: Arc<[String]>,
    /// One group.
    pub table: DifferentialTable,
    /// Mean log-normalised expression of each gene: half of that of its cells and half of that of the control cells.
    pub means: Vec<f32>,
}

/// Test every gene of the perturbation `index` of `dataset` against all control cells.
///
/// # Errors
/// If there is nothing to compare, if the values are scaled, or if cancelled.
pub fn test_perturbation(
    dataset: &Dataset,
    index: usize,
    test: Test,
    progress: &dyn Progress,
) -> anyhow::Result<TestedGroup> {
    anyhow::ensure!(
        !matches!(dataset.matrix_kind(), MatrixKind::Scaled | MatrixKind::Effects),
        "the matrix holds scaled values or effects, on which fold changes are not defined"
    );
    let perturbation = &dataset.perturbations()[index];
    let role = CellRole::Perturbed(index as u32);
    let cells: Vec<u32> = (0..).zip(dataset.roles()).filter(|(_, found)| **found == role).map(|(row, _)| row).collect();
    let control = dataset.control_cells();
    anyhow::ensure!(!control.is_empty(), "there are no control cells to compare with; name the control label");
    progress.stage("Normalising", None);
    let (expression, _) = expression(dataset, &dataset.held_cells());
    progress.check()?;
    let groups = [cells];
    let [own, of_control] = [&groups[0], &control].map(|cells| expression.means(cells, progress));
    let means = own?.into_iter().zip(of_control?).map(|(own, control)| (f64::midpoint(own, control)) as f32).collect();
    let table = differential(&expression, &groups, &control, test, progress)?;
    Ok(TestedGroup {
        perturbation: perturbation.name(),
        targets: perturbation.targets().to_vec(),
        test,
        cells: groups[0].len(),
        control_cells: control.len(),
        genes: dataset.genes().symbols().into(),
        table,
        means,
    })
}

impl TestedGroup {
    /// All genes as a table, the smallest p value first.
    pub fn tsv(&self) -> String {
        let table = &self.table;
        let mut order: Vec<usize> = (0..self.genes.len()).collect();
        order.sort_by(|&a, &b| {
            let size = |at: usize| table.scores[at].abs();
            table.p_values[a].total_cmp(&table.p_values[b]).then(size(b).total_cmp(&size(a))).then(a.cmp(&b))
        });
        let mut text = format!("{DIFFERENTIAL_HEADER}\n");
        order.into_iter().for_each(|at| differential_row(&self.perturbation, &self.genes[at], table, at, &mut text));
        text
    }
}

/// The result in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct PreprocessSummary {
    /// Cells read.
    pub cells: usize,
    /// Cells that genes and tests rest on.
    pub cells_used: usize,
    /// Genes.
    pub genes: usize,
    /// Counts every cell was scaled to.
    pub target_sum: Option<f64>,
    /// Quality control; only of counts.
    pub quality: Option<QualitySummary>,
    /// Highly variable genes; absent if they were not looked for.
    pub variable_genes: Option<usize>,
    /// Cells called doublets; absent if they were not looked for.
    pub doublets: Option<usize>,
    /// Its guides in a sentence; absent if it names none.
    pub guides: Option<String>,
    /// What could not be told, and why.
    pub notes: Vec<String>,
    /// One entry per perturbation; absent without tests.
    pub perturbations: Option<Vec<TestedPerturbation>>,
}

/// Quality control in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct QualitySummary {
    /// Median absolute deviations of the limits.
    pub mads: f64,
    /// Cells that fail any rule.
    pub failing: usize,
    /// Each rule.
    pub rules: Vec<RuleSummary>,
}

/// One rule in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct RuleSummary {
    /// Its key in `cells.tsv`.
    pub rule: &'static str,
    /// Median over the cells.
    pub median: f32,
    /// Median absolute deviation.
    pub mad: f32,
    /// Cells beyond this value fail.
    pub limit: f32,
    /// How many do.
    pub failing: usize,
}

/// The tests of one perturbation in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct TestedPerturbation {
    /// Its name.
    pub perturbation: String,
    /// Its cells among those used.
    pub cells: usize,
    /// Genes higher than in control cells at an adjusted p value below [`SIGNIFICANT`].
    pub up: usize,
    /// Genes lower.
    pub down: usize,
}

impl Preprocessed {
    /// The result in numbers.
    pub fn summary(&self, dataset: &Dataset) -> PreprocessSummary {
        let quality = self.quality.as_ref().map(|(_, report)| QualitySummary {
            mads: report.mads,
            failing: report.failing,
            rules: report
                .thresholds
                .iter()
                .map(|threshold| RuleSummary {
                    rule: threshold.rule.key(),
                    median: threshold.median,
                    mad: threshold.mad,
                    limit: threshold.limit,
                    failing: threshold.failing,
                })
                .collect(),
        });
        let perturbations = self.differential.as_ref().map(|table| {
            let names = dataset.perturbations().iter().zip(&self.group_sizes).enumerate();
            names
                .map(|(group, (perturbation, &cells))| {
                    let rows = table.range(group).filter(|&at| table.adjusted_p_values[at] < SIGNIFICANT);
                    let (up, down): (Vec<usize>, Vec<usize>) = rows.partition(|&at| table.scores[at] > 0.0);
                    let perturbation = perturbation.name();
                    TestedPerturbation { perturbation, cells, up: up.len(), down: down.len() }
                })
                .collect()
        });
        PreprocessSummary {
            cells: dataset.cell_count(),
            cells_used: self.cells.len(),
            genes: dataset.gene_count(),
            target_sum: self.target_sum,
            quality,
            variable_genes: self
                .variable_genes
                .as_ref()
                .map(|found| found.selected().iter().filter(|selected| **selected).count()),
            doublets: self.doublets.as_ref().map(CellDoublets::count),
            guides: self.guides.as_ref().map(guides::in_words),
            notes: self.doublets.as_ref().map_or_else(Vec::new, |doublets| doublets.notes.clone()),
            perturbations,
        }
    }

    /// Write `cells.tsv`, `genes.tsv` and, if tests were made, `differential.tsv`, if the screen names guides `guides.tsv` into `folder`, which is made if it is
    /// not there. Tests whose adjusted p value is `adjusted_below` or more are left out. Gives back what was written.
    ///
    /// # Errors
    /// If the folder cannot be written to, or if cancelled. Every file appears whole or not at all.
    pub fn write(
        &self,
        dataset: &Dataset,
        folder: &Path,
        adjusted_below: Option<f64>,
        progress: &dyn Progress,
    ) -> anyhow::Result<Vec<PathBuf>> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let mut written = Vec::new();
        if let Some(table) = &self.differential {
            let path = folder.join("differential.tsv");
            write_differential(&path, dataset, table, adjusted_below, progress)?;
            written.push(path);
        }
        let path = folder.join("cells.tsv");
        let doublets = self.doublets.as_ref();
        write_rows(
            &path,
            &cells_header(dataset, self.quality.is_some(), doublets.is_some()),
            dataset.cell_count(),
            progress,
            |cell, text| {
                cell_row(
                    dataset,
                    self.quality.as_ref().map(|(metrics, report)| (metrics, report)),
                    doublets,
                    cell,
                    text,
                );
            },
        )?;
        written.push(path);
        let path = folder.join("genes.tsv");
        write_rows(&path, &self.genes_header(dataset), dataset.gene_count(), progress, |gene, text| {
            self.gene_row(dataset, gene, text);
        })?;
        written.push(path);
        if let Some(check) = &self.guides {
            let path = folder.join("guides.tsv");
            write_text(&path, &guides::table(check)).with_context(|| format!("cannot write {}", path.display()))?;
            written.push(path);
        }
        Ok(written)
    }

    fn genes_header(&self, dataset: &Dataset) -> String {
        let mean = if dataset.matrix_kind() == MatrixKind::Counts { "\tmean_counts" } else { "" };
        let mut header = format!("gene\tensembl\tdetected_cells{mean}\tmean_log\tvariance_log");
        if let Some(variable) = &self.variable_genes {
            header.push_str(&format!("\thighly_variable\t{}\tbatches", variable.judged().0));
        }
        header
    }

    fn gene_row(&self, dataset: &Dataset, gene: usize, text: &mut String) {
        use std::fmt::Write as _;
        let ensembl = dataset.genes().iter().nth(gene).and_then(|gene| gene.ensembl.as_deref()).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(text, "{}\t{ensembl}\t{}", dataset.genes().symbol(gene), self.genes.detected_cells[gene]);
        if dataset.matrix_kind() == MatrixKind::Counts {
            let _ = write!(text, "\t{}", self.genes.mean[gene] as f32);
        }
        let _ = write!(text, "\t{}\t{}", self.genes.log_mean[gene] as f32, self.genes.log_variance[gene] as f32);
        if let Some(variable) = &self.variable_genes {
            let (_, judged, batches) = variable.judged();
            let selected = if variable.selected()[gene] { "yes" } else { "no" };
            let _ = write!(text, "\t{selected}\t{}\t{}", judged[gene] as f32, batches[gene]);
        }
        text.push('\n');
    }
}

/// The quality of every cell as a table: barcode, role, perturbation, batch if there is one, metrics, the rules failed, and the doublet
/// score if it is known.
pub fn cells_table(
    dataset: &Dataset,
    metrics: &CellMetrics,
    report: &QualityReport,
    doublets: Option<&CellDoublets>,
) -> String {
    let mut text = cells_header(dataset, true, doublets.is_some());
    text.push('\n');
    (0..dataset.cell_count()).for_each(|cell| cell_row(dataset, Some((metrics, report)), doublets, cell, &mut text));
    text
}

fn cells_header(dataset: &Dataset, has_quality: bool, has_doublets: bool) -> String {
    let mut header = "barcode\trole\tperturbation".to_owned();
    if dataset.batch().is_some() {
        header.push_str("\tbatch");
    }
    if has_quality {
        header.push_str(
            "\ttotal_counts\tdetected_genes\tpercent_mitochondrial\tpercent_ribosomal\tpercent_haemoglobin\tfails",
        );
    }
    if has_doublets {
        header.push_str("\tdoublet_score\tdoublet");
    }
    header
}

fn cell_row(
    dataset: &Dataset,
    quality: Option<(&CellMetrics, &QualityReport)>,
    doublets: Option<&CellDoublets>,
    cell: usize,
    text: &mut String,
) {
    use std::fmt::Write as _;
    let (role, perturbation) = match dataset.roles()[cell] {
        CellRole::Control => ("control", String::new()),
        CellRole::Unassigned => ("unassigned", String::new()),
        CellRole::Perturbed(index) => ("perturbed", dataset.perturbations()[index as usize].name()),
    };
    // Writing to a string cannot fail.
    let _ = write!(text, "{}\t{role}\t{perturbation}", dataset.cells()[cell]);
    if let Some(batch) = dataset.batch() {
        let level = batch.codes[cell].map_or("", |code| batch.levels[code as usize].as_str());
        let _ = write!(text, "\t{level}");
    }
    if let Some((metrics, report)) = quality {
        let _ = write!(text, "\t{}\t{}", metrics.total_counts[cell], metrics.detected_genes[cell]);
        for share in [&metrics.mitochondrial, &metrics.ribosomal, &metrics.haemoglobin] {
            let _ = write!(text, "\t{}", share[cell]);
        }
        let fails: Vec<&str> = report.failed[cell].iter().map(Rule::key).collect();
        let _ = write!(text, "\t{}", fails.join(","));
    }
    if let Some(doublets) = doublets {
        let called = if doublets.called[cell] { "yes" } else { "no" };
        let score = doublets.scores[cell];
        // Where nothing is known the fields stay empty.
        let _ = if score.is_nan() { write!(text, "\t\t") } else { write!(text, "\t{score}\t{called}") };
    }
    text.push('\n');
}

/// The header of `differential.tsv`.
pub const DIFFERENTIAL_HEADER: &str = "perturbation\tgene\tscore\tlog2_fold_change\tp_value\tadjusted_p_value";

/// One test as a row of `differential.tsv`.
pub fn differential_row(perturbation: &str, gene: &str, table: &DifferentialTable, at: usize, text: &mut String) {
    use std::fmt::Write as _;
    let (score, change) = (table.scores[at] as f32, table.log_fold_changes[at]);
    let (p, adjusted) = (table.p_values[at], table.adjusted_p_values[at]);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{perturbation}\t{gene}\t{score}\t{change}\t{p:.6e}\t{adjusted:.6e}");
}

fn write_differential(
    path: &Path,
    dataset: &Dataset,
    table: &DifferentialTable,
    adjusted_below: Option<f64>,
    progress: &dyn Progress,
) -> anyhow::Result<()> {
    let names: Vec<String> = dataset.perturbations().iter().map(|perturbation| perturbation.name()).collect();
    let rows = names.len() * table.genes;
    write_rows(path, DIFFERENTIAL_HEADER, rows, progress, |at, text| {
        if adjusted_below.is_none_or(|limit| table.adjusted_p_values[at] < limit) {
            let (group, gene) = (at / table.genes, at % table.genes);
            differential_row(&names[group], dataset.genes().symbol(gene), table, at, text);
        }
    })
}

/// Write `header` and what `row` appends for each of `rows`, rendered by all threads, in order.
fn write_rows(
    path: &Path,
    header: &str,
    rows: usize,
    progress: &dyn Progress,
    row: impl Fn(usize, &mut String) + Sync,
) -> anyhow::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stage = format!("Writing {name}");
    let together = ROWS_PER_PART * rayon::current_num_threads().max(1);
    files::write_whole(path, |file| {
        writeln!(file, "{header}")?;
        for first in (0..rows).step_by(together) {
            progress.stage(&stage, Some(first as f32 / rows as f32));
            let last = (first + together).min(rows);
            let parts: Vec<usize> = (first..last).step_by(ROWS_PER_PART).collect();
            let texts: Vec<String> = parts
                .into_par_iter()
                .map(|from| {
                    progress.check()?;
                    let mut text = String::new();
                    (from..(from + ROWS_PER_PART).min(last)).for_each(|at| row(at, &mut text));
                    Ok(text)
                })
                .collect::<Result<_, Cancelled>>()?;
            for text in texts {
                file.write_all(text.as_bytes())?;
            }
        }
        anyhow::Ok(())
    })
    .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::jobs::Silent;
    use crate::preprocess::differential::differential;
    use crate::preprocess::normalise::log_normalise;

    fn screen() -> Dataset {
        let config = SimulateConfig { genes: 150, perturbations: 6, cells: 400, seed: 5, ..SimulateConfig::small() };
        simulate(&config, &Silent).unwrap().dataset
    }

    #[test]
    fn tests_by_blocks_equal_those_of_the_normalised_matrix() {
        let dataset = screen();
        let result = preprocess(&dataset, &PreprocessConfig::default(), &Silent).unwrap();
        let all: Vec<u32> = (0..400).collect();
        let normalised = log_normalise(dataset.matrix(), &all, result.target_sum.unwrap(), &Silent).unwrap();
        let (groups, control) = (dataset.cells_by_perturbation(), dataset.control_cells());
        let expected = differential(
            &Expression::as_is(&normalised),
            &groups,
            &control,
            Test::Wilcoxon { tie_correction: false },
            &Silent,
        )
        .unwrap();
        assert_eq!(result.differential.unwrap(), expected);
    }

    #[test]
    fn variable_genes_and_doublets_have_their_columns() {
        let dataset = screen();
        let folder = tempfile::tempdir().unwrap();
        for of_counts in [false, true] {
            let variable_genes = Some(VariableGenesConfig { of_counts, top: Some(20), by_batch: true });
            let config = PreprocessConfig { variable_genes, doublets: true, test: None, ..PreprocessConfig::default() };
            let result = preprocess(&dataset, &config, &Silent).unwrap();
            result.write(&dataset, folder.path(), None, &Silent).unwrap();
            let genes = std::fs::read_to_string(folder.path().join("genes.tsv")).unwrap();
            assert_eq!(genes.lines().filter(|line| line.contains("\tyes\t")).count(), 20);
            assert_eq!(result.summary(&dataset).variable_genes, Some(20));
            let cells = std::fs::read_to_string(folder.path().join("cells.tsv")).unwrap();
            assert!(cells.lines().next().unwrap().ends_with("\tfails\tdoublet_score\tdoublet"));
            let columns = cells.lines().next().unwrap().split('\t').count();
            assert!(cells.lines().all(|line| line.split('\t').count() == columns));
        }
    }

    /// Cancelled after so many looks.
    struct Impatient(std::sync::atomic::AtomicI32);

    impl Progress for Impatient {
        fn report(&self, _: crate::jobs::ProgressUpdate) {}

        fn is_cancelled(&self) -> bool {
            self.0.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) <= 0
        }

        fn should_stop(&self) -> bool {
            self.is_cancelled()
        }
    }

    #[test]
    fn a_cancel_ends_every_step_and_leaves_no_table() {
        let dataset = screen();
        let config = PreprocessConfig { doublets: true, ..PreprocessConfig::default() };
        for looks in [0, 3, 10, 40, 100] {
            let error = preprocess(&dataset, &config, &Impatient(looks.into())).unwrap_err();
            assert!(error.is::<Cancelled>(), "{looks}: {error:#}");
        }
        let result = preprocess(&dataset, &PreprocessConfig::default(), &Silent).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let error = result.write(&dataset, folder.path(), None, &Impatient(0.into())).unwrap_err();
        assert!(error.is::<Cancelled>(), "{error:#}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn one_perturbation_alone_gives_what_all_together_give() {
        let dataset = screen();
        let all = preprocess(&dataset, &PreprocessConfig::default(), &Silent).unwrap().differential.unwrap();
        let one = test_perturbation(&dataset, 3, Test::Wilcoxon { tie_correction: false }, &Silent).unwrap();
        assert_eq!(one.table.p_values, all.p_values[all.range(3)]);
        assert_eq!(one.table.adjusted_p_values, all.adjusted_p_values[all.range(3)]);
        assert!(one.means.len() == 150 && one.means.iter().all(|mean| *mean >= 0.0));
        let text = one.tsv();
        let p = |line: &str| line.split('\t').nth(4).unwrap().parse::<f64>().unwrap();
        let column: Vec<f64> = text.lines().skip(1).map(p).collect();
        assert!(column.len() == 150 && column.is_sorted());
    }

    #[test]
    fn failing_cells_are_left_out_when_asked() {
        let dataset = screen();
        let config = PreprocessConfig { mads: 1.0, passing_only: true, test: None, ..PreprocessConfig::default() };
        let result = preprocess(&dataset, &config, &Silent).unwrap();
        let failing = result.quality.as_ref().unwrap().1.failing;
        assert!(failing > 0 && result.cells.len() == 400 - failing);
        assert!(result.differential.is_none());
        assert_eq!(result.summary(&dataset).quality.unwrap().failing, failing);
    }

    #[test]
    fn tables_have_a_row_for_each_cell_gene_and_test() {
        let dataset = screen();
        let result = preprocess(&dataset, &PreprocessConfig::default(), &Silent).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("new");
        let written = result.write(&dataset, &target, None, &Silent).unwrap();
        let lines = |name: &str| std::fs::read_to_string(target.join(name)).unwrap().lines().count();
        assert_eq!((written.len(), lines("cells.tsv"), lines("genes.tsv")), (4, 401, 151));
        assert_eq!(lines("guides.tsv"), 1 + 3 * (6 + 1));
        assert_eq!(lines("differential.tsv"), 1 + 6 * 150);
        result.write(&dataset, &target, Some(SIGNIFICANT), &Silent).unwrap();
        let tested: usize =
            result.summary(&dataset).perturbations.unwrap().iter().map(|tested| tested.up + tested.down).sum();
        assert!(tested > 0);
        assert_eq!(lines("differential.tsv"), 1 + tested);
        let (metrics, report) = result.quality.as_ref().unwrap();
        let table = cells_table(&dataset, metrics, report, None);
        assert_eq!(table, std::fs::read_to_string(target.join("cells.tsv")).unwrap());
    }
}
