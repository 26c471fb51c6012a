//! `evaluate`: a model on held-out cells, beside the baselines.

use std::path::PathBuf;

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
use crate::evaluation::report::{
    Discoveries, DiscoveryLevel, Likelihood, QualityPass, QualityPassRow, Report, Verdict,
};
use crate::tasks::evaluate::{EvaluateOptions, JudgedModel, evaluate};
use crate::words::{counted, grouped};

/// Judge a model on held-out cells, beside the baselines.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// Trained model
    model: PathBuf,
    /// The data set it was trained on, read with the same options
    #[arg(long, value_name = "H5AD")]
    data: PathBuf,
    /// Report to write (JSON)
    #[arg(short, long, value_name = "JSON")]
    output: Option<PathBuf>,
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
        if let Some(path) = &self.output {
            output::check(path)?;
            output::distinct(path, &[&self.model, &self.data])?;
        }
        let opened = import::model(&self.model, console)?;
        let decisions = self.import.decide(&self.data, ImportOptions::default())?;
        let dataset = import::dataset_for(&opened.model, &self.data, &decisions, console)?;
        let judged = JudgedModel { model: &opened.model, path: &opened.path, hash: &opened.hash };
        let options = EvaluateOptions {
            all_cells: self.all_cells,
            truth: self.truth.truth.clone(),
            truth_rows: self.truth.rows(),
            tree_cells: self.trees.cells(),
            particles: self.particles,
            generated_cells: self.generated_cells,
            ..EvaluateOptions::default()
        };
        let report = evaluate(&judged, &dataset, &options, console)
            .with_context(|| format!("cannot evaluate {} on {}", self.model.display(), self.data.display()))?;
        if let Some(path) = &self.output {
            output::write_json(path, &report)?;
        }
        console.result(&report, || {
            let mut text = summary(&report);
            if let Some(path) = &self.output {
                text.push_str(&format!("\nWrote {}\n", path.display()));
            }
            text
        })
    }
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
    let label = |metric: &str| {
        let known = report.definitions.iter().find(|definition| definition.metric == metric);
        known.map_or(metric, |definition| &definition.label).to_owned()
    };
    let row = |verdict: &Verdict| {
        let said = match (verdict.model_wins, verdict.is_clear()) {
            (true, true) => "model better",
            (false, true) => "baseline better",
            (_, false) if verdict.difference.is_none() => "not compared",
            (_, false) => "no clear difference",
        };
        let interval = verdict.difference.map_or_else(String::new, |difference| {
            format!("{} … {}", number(Some(difference.low), 3), number(Some(difference.high), 3))
        });
        let values = [Some(verdict.model), Some(verdict.baseline)].map(|value| number(value, 3));
        let [model, baseline] = values;
        vec![label(&verdict.metric), model, verdict.best_baseline.clone(), baseline, interval, said.to_owned()]
    };
    let rows: Vec<Vec<String>> = report.verdicts.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["", "model", "best baseline", "its", "difference (95 %)", ""];
    format!("\nAgainst the best baseline, intervals over perturbations (bootstrap)\n{}", table(&header, &rows))
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
    let row = |method: &crate::evaluation::report::MethodReport| {
        let metrics = &method.effects;
        vec![
            method.method.clone(),
            metrics.perturbations.to_string(),
            number(metrics.pearson, 3),
            number(metrics.r_squared, 3),
            number(metrics.pearson_top_20, 3),
            number(metrics.r_squared_top_20, 3),
            number(metrics.jaccard_20, 3),
            number(metrics.jaccard_50, 3),
            number(metrics.mean_absolute_error, 4),
        ]
    };
    let rows: Vec<Vec<String>> = report.methods.iter().map(row).collect();
    let header = ["", "covers", "r", "R²", "r top 20", "R² top 20", "Jaccard 20", "Jaccard 50", "MAE"];
    text.push_str(&table(&header, &rows));

    text.push_str(&against_baselines(report));

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
    if let Some(distances) = &report.distances {
        text.push_str(&told(distances));
    }
    if !report.notes.is_empty() {
        text.push('\n');
        report.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    }
    text
}
