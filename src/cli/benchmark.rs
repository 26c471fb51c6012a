//! `benchmark`: baselines that rank edges, held against known edges, without a model.

use std::path::PathBuf;

use clap::Args;

use super::console::Console;
use super::failure::UsageError;
use super::import::{self, ImportArgs};
use super::output;
use super::text::table;
use super::text::told;
use super::truth::{TreeArgs, TruthArgs, tested};
use crate::data::ImportOptions;
use crate::evaluation::report::BenchmarkReport;
use crate::tasks::benchmark::{BenchmarkOptions, benchmark};
use crate::tasks::report::recovery;
use crate::words::{counted, grouped};

const AFTER_HELP: &str = "\
DATA is a screen, cells without perturbations, a table of expression or effects with one row per perturbation (a DREAM challenge: row i is the \
knock-out of gene i, the wild type is found beside it), or a folder with one table per intervention (iv=3.txt: column 3, from 0; iv=.txt: none).

Values that are no counts are taken as they are. Name what the values are with --matrix-kind where they mislead.";

/// Rank edges with the baselines alone, and hold them against known edges
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Benchmark {
    /// Screen, table or folder
    data: PathBuf,
    /// Known edges.
    #[command(flatten)]
    truth: TruthArgs,
    /// Expression without perturbation, for a table with one row per perturbation
    #[arg(long, value_name = "TABLE")]
    wild_type: Option<PathBuf>,
    /// Report to write (JSON)
    #[arg(short, long, value_name = "JSON")]
    output: Option<PathBuf>,
    /// Folder for one table of ranked edges per method
    #[arg(long, value_name = "DIR")]
    edges_out: Option<PathBuf>,
    /// Trees.
    #[command(flatten)]
    trees: TreeArgs,
    /// Seed of the random order and of the trees
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How to read the data.
    #[command(flatten)]
    import: ImportArgs,
}

impl Benchmark {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        if let Some(path) = &self.output {
            output::check(path)?;
            let inputs = [Some(&self.data), self.truth.truth.as_ref(), self.wild_type.as_ref()];
            let inputs: Vec<&std::path::Path> = inputs.into_iter().flatten().map(PathBuf::as_path).collect();
            output::distinct(path, &inputs)?;
        }
        if let Some(folder) = self.edges_out.as_ref().filter(|folder| folder.exists() && !folder.is_dir()) {
            return Err(UsageError(format!("{} is no folder", folder.display())).into());
        }
        let decisions = self.import.decide(&self.data, ImportOptions::default())?;
        let options = BenchmarkOptions {
            truth_rows: self.truth.rows(),
            truth: self.truth.truth,
            wild_type: self.wild_type,
            tree_cells: self.trees.cells(),
            seed: self.seed,
            edges_out: self.edges_out,
        };
        import::tell_file(&decisions, console);
        let report = benchmark(&self.data, &decisions, &options, console)?;
        if let Some(path) = &self.output {
            output::write_json(path, &report)?;
        }
        console.result(&report, || {
            let mut text = summary(&report);
            for path in self.output.iter().chain(&options.edges_out) {
                text.push_str(&format!("Wrote {}\n", path.display()));
            }
            text
        })
    }
}

fn summary(report: &BenchmarkReport) -> String {
    let data = &report.data;
    let rows = if data.cells { "cell" } else { "row" };
    let mut text = format!(
        "{} × {}, {}; edges ranked between {}\nValues: {}\n",
        counted(data.rows, rows),
        counted(data.genes, "gene"),
        counted(data.perturbations, "perturbation"),
        counted(report.ranked_genes, "gene"),
        data.values
    );
    if let Some(against) = &data.against {
        text.push_str(&format!("Shifts are against {against}\n"));
    }
    if let Some(truth) = &report.truth {
        text.push_str(&format!("Known edges: {truth}\n"));
    }
    for gold in &report.gold_standards {
        text.push_str(&told(&recovery(gold)));
    }
    if report.gold_standards.is_empty() {
        let rows: Vec<Vec<String>> =
            report.methods.iter().map(|method| vec![method.method.clone(), grouped(method.edges)]).collect();
        text.push_str(&format!("\n{}", table(&["", "pairs ranked"], &rows)));
    }
    if let Some(tests) = &report.network_tests {
        text.push_str(&tested(tests));
    }
    text.push('\n');
    report.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    text
}
