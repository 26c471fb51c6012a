//! `evaluate`: models on held-out cells, beside the baselines.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::console::Console;
use super::distances::told;
use super::import::{self, ImportArgs};
use super::output;
use super::text::{number, table};
use super::truth::{TreeArgs, TruthArgs, scores, tested};
use crate::data::ImportOptions;
use crate::evaluation::calibration::CoveragePoint;
use crate::evaluation::effects::{EffectMetrics, Metric};
use crate::evaluation::report::{
    Discoveries, DiscoveryLevel, Likelihood, MethodReport, QualityPass, QualityPassRow, Report, RespondingGenes,
    Verdict,
};
use crate::tasks::evaluate::{EvaluateOptions, JudgedModel, evaluate};
use crate::tasks::report::{Judged, differences, html, methods};
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
    let ceiling = all[0].report.ceiling.iter().map(|ceiling| fit_row(REPLICATE, &ceiling.effects));
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

/// What half of the cells tell of the other half.
const REPLICATE: &str = "Split-half replicate";

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
    let ceiling = report.ceiling.iter().map(|ceiling| fit_row(REPLICATE, &ceiling.effects));
    let methods = report.methods.iter().map(|method| fit_row(&method.method, &method.effects));
    table(&fit_header(), &methods.chain(ceiling).collect::<Vec<_>>())
}

/// The same between the training mean (0) and the replicate (1).
fn on_the_scale(report: &Report) -> String {
    if report.methods.iter().all(|method| method.scaled.is_empty()) {
        return String::new();
    }
    let row = |method: &MethodReport| {
        let values = SHOWN.iter().map(|(key, _)| number(method.scaled.get(*key).copied(), 2));
        [vec![method.method.clone(), String::new()], values.collect()].concat()
    };
    let rows: Vec<Vec<String>> = report.methods.iter().filter(|method| !method.scaled.is_empty()).map(row).collect();
    let header: Vec<&str> = ["", "      "].into_iter().chain(SHOWN.map(|(_, head)| head)).collect();
    let halves = report.ceiling.as_ref().map_or(0, |ceiling| ceiling.splits);
    format!(
        "\nOn the scale from the training mean (0) to half the cells predicting the other half (1; {})\n{}",
        counted(halves, "split"),
        table(&header, &rows)
    )
}

/// How well cells are explained, in two lines.
fn explained(likelihood: &Likelihood) -> String {
    let cells = match likelihood.cells == likelihood.of_cells {
        true => counted(likelihood.cells, "cell"),
        false => format!("{} of {}", grouped(likelihood.cells), counted(likelihood.of_cells, "cell")),
    };
    format!(
        "\nLog-likelihood of a cell, at least (IW-ELBO, {} draws, {cells}): {:.2} ± {:.2}; ELBO {:.2}\n\
         Weights of a cell count as {:.1} equal draws\n",
        likelihood.particles,
        likelihood.iw_elbo,
        likelihood.standard_error,
        likelihood.elbo,
        likelihood.effective_particles
    )
}

/// How many edges stand out from shuffled labels.
fn found(discoveries: &Discoveries) -> String {
    let row = |level: &DiscoveryLevel| {
        let shares = [level.unreachable, level.indirect_or_false];
        let fields = [format!("{} %", level.rate * 100.0), level.edges.to_string()];
        fields.into_iter().chain(shares.map(|share| number(share, 3))).collect()
    };
    let rows: Vec<Vec<String>> = discoveries.levels.iter().map(row).collect();
    let known = discoveries.levels.iter().any(|level| level.unreachable.is_some());
    let columns = ["false discovery rate", "edges", "no path", "no known edge"];
    let shown = if known { columns.len() } else { 2 };
    let rows: Vec<Vec<String>> = rows.into_iter().map(|row| row[..shown].to_vec()).collect();
    format!(
        "\nEdges against shuffled labels ({} tested, {})\n{}",
        grouped(discoveries.tested),
        counted(discoveries.shuffles, "shuffle"),
        table(&columns[..shown], &rows)
    )
}

/// How many cells pass quality control.
fn passing(pass: &QualityPass) -> String {
    let row = |row: &QualityPassRow| {
        let shares = [row.generated, row.measured, row.generated_control, row.measured_control];
        let shares = shares.map(|share| number(Some(share).filter(|share| share.is_finite()), 3));
        [vec![format!("{} MAD", row.mads)], shares.to_vec()].concat()
    };
    let rows: Vec<Vec<String>> = pass.rows.iter().map(row).collect();
    let header = ["", "generated", "measured", "generated control", "measured control"];
    format!(
        "\nShare of cells that pass quality control ({} generated under each of {} and as control), by {}\n{}",
        grouped(pass.generated_per_condition),
        counted(pass.perturbations, "perturbation"),
        pass.rules.join(", "),
        table(&header, &rows)
    )
}

/// The model against the best baseline in each metric, with the interval of their difference over perturbations.
fn against_baselines(report: &Report) -> String {
    let row = |verdict: &Verdict| {
        let interval = verdict.difference.map_or_else(String::new, |difference| {
            format!("{} … {}", number(Some(difference.low), 3), number(Some(difference.high), 3))
        });
        let values = [Some(verdict.model), Some(verdict.baseline)].map(|value| number(value, 3));
        let [model, baseline] = values;
        vec![
            report.label(&verdict.metric).to_owned(),
            model,
            verdict.best_baseline.clone(),
            baseline,
            interval,
            verdict.words().to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = report.verdicts.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["", "model", "best baseline", "its", "difference (95 %)", ""];
    format!("\nAgainst the best baseline, intervals over perturbations (bootstrap)\n{}", table(&header, &rows))
}

/// The fit by what was seen in training.
fn by_class(report: &Report) -> String {
    if report.classes.is_empty() {
        return String::new();
    }
    let rows = report.classes.iter().flat_map(|class| {
        class.methods.iter().enumerate().map(move |(at, fit)| {
            let metrics = &fit.effects;
            let name = if at == 0 { format!("{} ({})", class.class, class.perturbations) } else { String::new() };
            let mut row = vec![name, fit.method.clone(), metrics.perturbations.to_string()];
            row.extend([metrics.pearson, metrics.r_squared, metrics.pearson_top_20].map(|value| number(value, 3)));
            row.push(number(metrics.mean_absolute_error, 4));
            row
        })
    });
    let header = ["", "method", "covers", "r", "R²", "r top 20", "MAE"];
    format!(
        "\nBy what was seen in training (combinations: genes seen alone)\n{}",
        table(&header, &rows.collect::<Vec<_>>())
    )
}

fn summary(report: &Report) -> String {
    let covered = report.methods.first().map_or(0, |model| model.effects.perturbations);
    let mut text = format!(
        "{}, compared with {} ({} control, {} perturbed); the perturbed genes are left out\n\n",
        counted(covered, "perturbation"),
        report.cells.evaluated_on,
        grouped(report.cells.evaluated_control as usize),
        grouped(report.cells.evaluated_perturbed as usize)
    );
    text.push_str(&fits(report));
    text.push_str(&on_the_scale(report));
    text.push_str(&against_baselines(report));
    text.push_str(&by_class(report));

    if let Some(calibration) = &report.calibration {
        text.push_str(&format!(
            "\nIntervals of {} members, judged on {} ({}, standardised error {})\n",
            calibration.members,
            calibration.judged_on,
            counted(calibration.shifts, "shift"),
            number(Some(calibration.standardised_error), 2)
        ));
        let row = |point: &CoveragePoint| {
            let share = |value: f64| format!("{:.0} %", value * 100.0);
            vec![
                share(point.level),
                share(point.coverage),
                share(point.coverage_with_noise),
                share(point.coverage_top_20),
                number(Some(point.half_width), 3),
            ]
        };
        let rows: Vec<Vec<String>> = calibration.points.iter().map(row).collect();
        text.push_str(&table(&["interval", "holds", "with noise", "top 20", "± log2"], &rows));
    }
    if let Some(discoveries) = &report.discoveries {
        text.push_str(&found(discoveries));
    }
    if let Some(gold) = &report.gold_standard {
        text.push('\n');
        text.push_str(&scores(gold));
    }
    if let Some(tests) = &report.network_tests {
        text.push_str(&tested(tests));
    }
    if let Some(likelihood) = &report.likelihood {
        text.push_str(&explained(likelihood));
    }
    if let Some(pass) = &report.quality_pass {
        text.push_str(&passing(pass));
    }
    if !report.responding.is_empty() {
        let row = |found: &RespondingGenes| {
            vec![
                found.method.clone(),
                found.perturbations.to_string(),
                number(Some(found.jaccard_significant), 3),
                number(Some(found.predicted), 1),
                number(Some(found.observed), 1),
            ]
        };
        let rows: Vec<Vec<String>> = report.responding.iter().map(row).collect();
        text.push_str("\nGenes that respond significantly, in cells of each against the observed ones\n");
        text.push_str(&table(&["", "perturbations", "Jaccard", "genes", "observed genes"], &rows));
    }
    if let Some(distances) = &report.distances {
        text.push_str(&told(distances));
    }
    if !report.notes.is_empty() {
        text.push('\n');
        report.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    }
    text
}
