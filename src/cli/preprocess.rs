//! `preprocess`: quality, variability and differential expression as tables.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::console::Console;
use super::failure::UsageError;
use super::import::{self, ImportArgs};
use super::text::table;
use crate::data::ImportOptions;
use crate::preprocess::differential::Test;
use crate::tasks::preprocess::{PreprocessConfig, PreprocessSummary, SIGNIFICANT, VariableGenesConfig, preprocess};
use crate::words::{counted, grouped};

/// Perturbations listed on the terminal.
const LISTED: usize = 15;

/// Measure, normalise and test a data set.
#[derive(Debug, Args)]
pub struct Preprocess {
    /// Data set
    dataset: PathBuf,
    /// Folder for cells.tsv, genes.tsv, differential.tsv and, where the screen names guides, guides.tsv; made if it is not there
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// How genes are tested against the control cells: wilcoxon-tie corrects for ties, none tests nothing
    #[arg(long, default_value = "wilcoxon", value_parser = ["wilcoxon", "wilcoxon-tie", "t-test", "none"])]
    test: String,
    /// Write only tests with an adjusted p value below this
    #[arg(long, value_name = "P")]
    adjusted_below: Option<f64>,
    /// Cells fail quality control beyond so many median absolute deviations
    #[arg(long, value_name = "K", default_value_t = 3.0)]
    mads: f64,
    /// How highly variable genes are found: seurat by normalised dispersion, seurat-v3 by the variance of standardised counts
    #[arg(long, default_value = "seurat", value_parser = ["seurat", "seurat-v3", "none"])]
    variable_genes: String,
    /// How many of them; without it those within scanpy's limits (seurat-v3: 2000)
    #[arg(long, value_name = "N")]
    top_genes: Option<usize>,
    /// Judge the variability in each batch by itself
    #[arg(long)]
    by_batch: bool,
    /// Look for doublets (Scrublet's method), batch by batch
    #[arg(long)]
    doublets: bool,
    /// Leave cells that fail quality control out of genes and tests
    #[arg(long)]
    passing_only: bool,
    /// How to read it.
    #[command(flatten)]
    import: ImportArgs,
}

impl Preprocess {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        let config = self.config()?;
        let started = Instant::now();
        let dataset =
            import::dataset(&self.dataset, &self.import.decide(&self.dataset, ImportOptions::default())?, console)?;
        let read = started.elapsed();
        let result = preprocess(&dataset, &config, console)
            .with_context(|| format!("cannot preprocess {}", self.dataset.display()))?;
        let computed = started.elapsed() - read;
        let summary = result.summary(&dataset);
        let written = result.write(&dataset, &self.output, self.adjusted_below, console)?;
        let value = json!({
            "file": self.dataset,
            "hash": dataset.hash(),
            "test": self.test,
            "summary": summary,
            "written": written,
            "seconds": { "reading": read.as_secs_f64(), "computing": computed.as_secs_f64(),
                         "all": started.elapsed().as_secs_f64() },
        });
        console.result(&value, || {
            let mut text = text(&summary, self.test != "none");
            for path in &written {
                text.push_str(&format!("Wrote {}\n", path.display()));
            }
            text
        })
    }

    fn config(&self) -> anyhow::Result<PreprocessConfig> {
        if !(self.mads.is_finite() && self.mads > 0.0) {
            return Err(UsageError(format!("--mads is {}, but must be above 0", self.mads)).into());
        }
        if let Some(limit) = self.adjusted_below.filter(|limit| !(0.0..=1.0).contains(limit)) {
            return Err(UsageError(format!("--adjusted-below is {limit}, but must be between 0 and 1")).into());
        }
        if self.output.exists() && !self.output.is_dir() {
            let shown = self.output.display();
            return Err(UsageError(format!("{shown} is a file; give the name of a folder")).into());
        }
        let test = match self.test.as_str() {
            "wilcoxon" => Some(Test::Wilcoxon { tie_correction: false }),
            "wilcoxon-tie" => Some(Test::Wilcoxon { tie_correction: true }),
            "t-test" => Some(Test::WelchT),
            _ => None,
        };
        let variable = VariableGenesConfig {
            of_counts: self.variable_genes == "seurat-v3",
            top: self.top_genes,
            by_batch: self.by_batch,
        };
        Ok(PreprocessConfig {
            mads: self.mads,
            passing_only: self.passing_only,
            variable_genes: (self.variable_genes != "none").then_some(variable),
            doublets: self.doublets,
            test,
        })
    }
}

fn text(summary: &PreprocessSummary, tested: bool) -> String {
    let mut text = format!("{} × {}\n", counted(summary.cells, "cell"), counted(summary.genes, "gene"));
    match &summary.quality {
        Some(quality) => {
            let share = 100.0 * quality.failing as f64 / summary.cells.max(1) as f64;
            text.push_str(&format!(
                "{} ({share:.1} %) fail quality control at {} MAD\n",
                counted(quality.failing, "cell"),
                quality.mads
            ));
            let rows: Vec<Vec<String>> = quality
                .rules
                .iter()
                .map(|rule| {
                    let numbers = [rule.median, rule.mad, rule.limit].map(|number| format!("{number:.2}"));
                    [vec![format!("  {}", rule.rule.replace('_', " "))], numbers.to_vec(), vec![grouped(rule.failing)]]
                        .concat()
                })
                .collect();
            text.push_str(&table(&["  rule", "median", "MAD", "limit", "failing"], &rows));
        }
        None => text.push_str("No quality control: the matrix holds no counts\n"),
    }
    if let Some(doublets) = summary.doublets {
        text.push_str(&format!("{} called doublets\n", counted(doublets, "cell")));
    }
    if let Some(genes) = summary.variable_genes {
        text.push_str(&format!("{} are highly variable\n", counted(genes, "gene")));
    }
    if let Some(guides) = &summary.guides {
        text.push_str(&format!("{guides}\n"));
    }
    summary.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    match &summary.perturbations {
        Some(perturbations) => {
            let mut sorted: Vec<_> = perturbations.iter().collect();
            sorted.sort_by(|a, b| {
                (b.up + b.down).cmp(&(a.up + a.down)).then_with(|| a.perturbation.cmp(&b.perturbation))
            });
            let row = |tested: &&crate::tasks::preprocess::TestedPerturbation| {
                vec![
                    format!("  {}", tested.perturbation),
                    grouped(tested.cells),
                    grouped(tested.up),
                    grouped(tested.down),
                ]
            };
            let rows: Vec<Vec<String>> = sorted.iter().take(LISTED).map(row).collect();
            text.push_str(&format!("\nGenes that differ from control (adjusted p below {SIGNIFICANT})\n"));
            text.push_str(&table(&["  perturbation", "cells", "up", "down"], &rows));
            if sorted.len() > LISTED {
                text.push_str(&format!("  … and {} more\n", grouped(sorted.len() - LISTED)));
            }
            text.push('\n');
        }
        None if tested => text.push_str("No tests: there are no control cells\n"),
        None => {}
    }
    text
}
