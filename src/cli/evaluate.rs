//! `evaluate`: models on held-out cells, beside the baselines.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::console::Console;
use super::distances;
use super::import::{self, ImportArgs};
use super::output;
use super::text::{number, table, told};
use super::truth::{TreeArgs, TruthArgs, tested};
use crate::data::ImportOptions;
use crate::evaluation::ceiling::NAME as REPLICATE;
use crate::evaluation::effects::{EffectMetrics, Metric};
use crate::evaluation::report::{MethodReport, Report};
use crate::tasks::evaluate::{EvaluateOptions, JudgedModel, evaluate};
use crate::tasks::report::{Judged, differences, html, methods, tables};
use crate::words::{counted, grouped};

/// Judge models on held-out cells, beside the baselines.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// Trained models: one, or several to hold against each other
    #[arg(required = true)]
    models: Vec<PathBuf>,
    /// The data set they were trained on, read with the same options
    #[arg(long, value_name = "H5AD")]
    data: PathBuf,
    /// Report to write (JSON): an object, of several models a list
    #[arg(short, long, value_name = "JSON")]
    output: Option<PathBuf>,
    /// Report to write as a page with figures, data and settings, which needs nothing else
    #[arg(long, value_name = "HTML")]
    html: Option<PathBuf>,
    /// Known edges.
    #[command(flatten)]
    truth: TruthArgs,
    /// Trees as a baseline of the network.
    #[command(flatten)]
    trees: TreeArgs,
    /// Compare with all cells, training cells included, or with another data set; the report says so
    #[arg(long)]
    all_cells: bool,
    /// Draws for the importance-weighted bound of the likelihood of held-out cells; 0 leaves it out
    #[arg(long, value_name = "K", default_value_t = EvaluateOptions::default().particles)]
    particles: usize,
    /// Cells drawn from the model for each perturbation, to see how many pass quality control; 0 leaves it out
    #[arg(long, value_name = "N", default_value_t = EvaluateOptions::default().generated_cells)]
    generated_cells: usize,
    /// How to read the data set.
    #[command(flatten)]
    import: ImportArgs,
}

impl Evaluate {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        let read: Vec<&Path> = self.models.iter().chain([&self.data]).map(PathBuf::as_path).collect();
        for path in self.output.iter().chain(&self.html) {
            output::check(path)?;
            output::distinct(path, &read)?;
        }
        if let (Some(output), Some(html)) = (&self.output, &self.html) {
            output::distinct(output, &[html])?;
        }
        let decisions = self.import.decide(&self.data, ImportOptions::default())?;
        let options = EvaluateOptions {
            all_cells: self.all_cells,
            truth: self.truth.truth.clone(),
            truth_rows: self.truth.rows(),
            tree_cells: self.trees.cells(),
            particles: self.particles,
            generated_cells: self.generated_cells,
            ..EvaluateOptions::default()
        };
        let mut all = Vec::with_capacity(self.models.len());
        for path in &self.models {
            let opened = import::model(path, console)?;
            let dataset = import::dataset_for(&opened.model, &self.data, &decisions, console)?;
            let judged = JudgedModel { model: &opened.model, path: &opened.path, hash: &opened.hash };
            let report = evaluate(&judged, &dataset, &options, console)
                .with_context(|| format!("cannot evaluate {} on {}", path.display(), self.data.display()))?;
            let name = path.file_stem().map_or_else(|| path.display().to_string(), |stem| stem.display().to_string());
            all.push(Judged { name, report });
        }
        let reports: Vec<&Report> = all.iter().map(|one| &one.report).collect();
        if let Some(path) = &self.output {
            let text = match reports.as_slice() {
                [only] => serde_json::to_string_pretty(only)?,
                several => serde_json::to_string_pretty(several)?,
            };
            write_text(path, &text)?;
        }
        if let Some(path) = &self.html {
            write_text(path, &html(&all))?;
        }
        let told = || {
            let mut text = match all.as_slice() {
                [only] => summary(&only.report),
                several => beside_each_other(several),
            };
            for path in self.output.iter().chain(&self.html) {
                text.push_str(&format!("\nWrote {}\n", path.display()));
            }
            text
        };
        match reports.as_slice() {
            [only] => console.result(only, told),
            several => console.result(&several, told),
        }
    }
}

fn write_text(path: &Path, text: &str) -> anyhow::Result<()> {
    crate::files::write_whole(path, |file| std::io::Write::write_all(file, text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Several models and their baselines in one table, then what each report has to say.
fn beside_each_other(all: &[Judged]) -> String {
    let mut text = String::new();
    for difference in differences(all) {
        text.push_str(&format!("{difference}\n\n"));
    }
    let methods = methods(all);
    let rows = methods.iter().map(|one| fit_row(&one.name, &one.method.effects));
    let ceiling = all[0].report.fits.ceiling.iter().map(|ceiling| fit_row(REPLICATE, &ceiling.effects));
    text.push_str(&table(&fit_header(), &rows.chain(ceiling).collect::<Vec<_>>()));
    for one in all {
        text.push_str(&format!("\n{}\n{}\n", one.name, "=".repeat(one.name.chars().count())));
        text.push_str(&summary(&one.report));
    }
    text
}

/// The metrics shown, with their heads.
const SHOWN: [(&str, &str); 11] = [
    ("pearson", "r"),
    ("r_squared", "R²"),
    ("pearson_top_20", "r top 20"),
    ("r_squared_top_20", "R² top 20"),
    ("jaccard_20", "Jaccard 20"),
    ("mean_pearson", "Pearson-Δ"),
    ("pearson_beyond_mean", "beyond mean"),
    ("discrimination", "discrimination"),
    ("de_overlap", "DE overlap"),
    ("weighted_mse", "wMSE"),
    ("mean_absolute_error", "MAE"),
];

fn fit_header() -> Vec<&'static str> {
    ["", "covers"].into_iter().chain(SHOWN.map(|(_, head)| head)).collect()
}

fn fit_row(name: &str, metrics: &EffectMetrics) -> Vec<String> {
    let values = SHOWN.iter().map(|(key, _)| {
        let value = Metric::named(key).and_then(|metric| (metric.value)(metrics));
        number(value, if *key == "mean_absolute_error" { 4 } else { 3 })
    });
    [vec![name.to_owned(), metrics.perturbations.to_string()], values.collect()].concat()
}

/// How the methods, and a replicate, fit.
fn fits(report: &Report) -> String {
    let ceiling = report.fits.ceiling.iter().map(|ceiling| fit_row(REPLICATE, &ceiling.effects));
    let methods = report.fits.methods.iter().map(|method| fit_row(&method.method, &method.effects));
    table(&fit_header(), &methods.chain(ceiling).collect::<Vec<_>>())
}

/// The same between the training mean (0) and the replicate (1).
fn on_the_scale(report: &Report) -> String {
    if report.fits.methods.iter().all(|method| method.scaled.is_empty()) {
        return String::new();
    }
    let row = |method: &MethodReport| {
        let values = SHOWN.iter().map(|(key, _)| number(method.scaled.get(*key).copied(), 2));
        [vec![method.method.clone(), String::new()], values.collect()].concat()
    };
    let rows: Vec<Vec<String>> =
        report.fits.methods.iter().filter(|method| !method.scaled.is_empty()).map(row).collect();
    let header: Vec<&str> = ["", "      "].into_iter().chain(SHOWN.map(|(_, head)| head)).collect();
    let halves = report.fits.ceiling.as_ref().map_or(0, |ceiling| ceiling.splits);
    format!(
        "\nOn the scale from the training mean (0) to half the cells predicting the other half (1; {})\n{}",
        counted(halves, "split"),
        table(&header, &rows)
    )
}

fn summary(report: &Report) -> String {
    let covered = report.fits.methods.first().map_or(0, |model| model.effects.perturbations);
    let mut text = format!(
        "{}, compared with {} ({} control, {} perturbed); the perturbed genes are left out\n\n",
        counted(covered, "perturbation"),
        report.cells.evaluated_on,
        grouped(report.cells.evaluated_control as usize),
        grouped(report.cells.evaluated_perturbed as usize)
    );
    text.push_str(&fits(report));
    text.push_str(&on_the_scale(report));
    tables(report).iter().filter(|table| !table.long).for_each(|table| text.push_str(&told(table)));
    if let Some(tests) = &report.network_tests {
        text.push_str(&tested(tests));
    }
    if let Some(found) = &report.distances {
        text.push_str(&distances::told(found));
    }
    if !report.notes.is_empty() {
        text.push('\n');
        report.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    }
    text
}
