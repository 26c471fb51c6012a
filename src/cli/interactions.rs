//! `interactions`: what pairs of perturbed genes do beyond the sum of what each does.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::console::Console;
use super::failure::UsageError;
use super::import::{self, ImportArgs};
use super::output;
use super::text::{number, table};
use crate::data::ImportOptions;
use crate::tasks::interactions::{
    self, InteractionOptions, Interactions as Found, PairInteraction, Pairs, Within, gene_table, pair_table,
};
use crate::tasks::{open, tables};
use crate::words::counted;

/// Pairs listed on the terminal.
const LISTED: usize = 30;
/// Genes of a pair in JSON.
const GENES: usize = 50;

/// Tell genetic interactions: what pairs of perturbed genes do beyond the sum of what each does.
#[derive(Debug, Args)]
pub struct Interactions {
    /// Data set whose cells tell; without it a model alone predicts (--model)
    #[arg(required_unless_present = "model")]
    data: Option<PathBuf>,
    /// Trained model, whose predictions go beside what is measured
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Pairs, such as JAK2+STAT1; those the screen made by default
    #[arg(long, value_name = "A+B[,C+D]", value_delimiter = ',', conflicts_with = "all_pairs")]
    pairs: Vec<String>,
    /// Every two of the perturbed genes; those never made are predicted, and ranked by their deviation from the sum
    #[arg(long, requires = "model")]
    all_pairs: bool,
    /// Only cells held out of the model's training
    #[arg(long, requires = "model", requires = "data")]
    held_out: bool,
    /// Compare cells of one cell type (where the data set has any) or of one batch only with each other
    #[arg(long, value_name = "WHAT", value_parser = ["cell-type", "batch", "nothing"], default_value = "cell-type")]
    within: String,
    /// Seed of the tests' draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Table of pairs to write (TSV), or everything (JSON)
    #[arg(short, long, value_name = "TSV|JSON")]
    output: Option<PathBuf>,
    /// Table of the genes of every pair to write
    #[arg(long, value_name = "TSV")]
    genes: Option<PathBuf>,
    /// How the data set is read.
    #[command(flatten)]
    import: ImportArgs,
}

impl Interactions {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        let options = self.options()?;
        let inputs: Vec<&Path> = self.data.iter().chain(&self.model).map(PathBuf::as_path).collect();
        for path in self.output.iter().chain(&self.genes) {
            output::check(path)?;
            output::distinct(path, &inputs)?;
        }
        if let Some(data) = &self.data
            && open::kind_of(data).is_ok_and(|kind| kind == open::FileKind::Model)
        {
            let shown = data.display();
            return Err(UsageError(format!("{shown} is a model, not a data set: give it with --model")).into());
        }
        let opened = self.model.as_deref().map(|path| import::model(path, console)).transpose()?;
        let dataset = match &self.data {
            Some(path) => {
                let decisions = self.import.decide(path, ImportOptions::default())?;
                Some(match &opened {
                    Some(opened) => import::dataset_for(&opened.model, path, &decisions, console)?,
                    None => import::dataset(path, &decisions, console)?,
                })
            }
            None => None,
        };
        let model = opened.as_ref().map(|opened| &*opened.model);
        let found = interactions::interactions(dataset.as_ref(), model, &options, console).with_context(|| {
            let names: Vec<String> = inputs.iter().map(|path| path.display().to_string()).collect();
            format!("cannot tell interactions of {}", names.join(" and "))
        })?;
        for (path, is_genes) in
            self.output.iter().map(|path| (path, false)).chain(self.genes.iter().map(|path| (path, true)))
        {
            let text = match path.extension() {
                _ if is_genes => gene_table(&found),
                Some(ending) if ending.eq_ignore_ascii_case("json") => {
                    serde_json::to_string_pretty(&interactions::json(&found, usize::MAX))?
                }
                _ => pair_table(&found),
            };
            tables::write_text(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        console.result(&interactions::json(&found, GENES), || {
            let mut text = summary(&found);
            for path in self.output.iter().chain(&self.genes) {
                text.push_str(&format!("Wrote {}\n", path.display()));
            }
            text
        })
    }

    fn options(&self) -> anyhow::Result<InteractionOptions> {
        let pair = |name: &String| {
            let genes: Vec<&str> = name.split('+').map(str::trim).collect();
            match genes[..] {
                [a, b] if !a.is_empty() && !b.is_empty() && a != b => Ok([a.to_owned(), b.to_owned()]),
                _ => Err(UsageError(format!("{name:?} is no pair of genes; write JAK2+STAT1"))),
            }
        };
        let named = self.pairs.iter().map(pair).collect::<Result<Vec<_>, _>>()?;
        let within = Within::ALL.into_iter().find(|(name, _)| *name == self.within);
        Ok(InteractionOptions {
            pairs: match (self.all_pairs, named.is_empty()) {
                (true, _) => Pairs::All,
                (false, true) => Pairs::InScreen,
                (false, false) => Pairs::Named(named),
            },
            held_out: self.held_out,
            within: within.map_or_else(Within::default, |(_, within)| within),
            seed: self.seed,
        })
    }
}

fn signed(value: Option<f64>) -> String {
    value.map_or_else(|| number(None, 2), |value| format!("{value:+.2}"))
}

fn p(value: f64) -> String {
    if value < 1e-3 { format!("{value:.0e}") } else { format!("{value:.3}") }
}

fn summary(found: &Found) -> String {
    let is_measured = |pair: &&PairInteraction| pair.measured.is_some();
    let measured: Vec<&PairInteraction> = found.pairs.iter().filter(is_measured).collect();
    let has_predictions = found.pairs.iter().any(|pair| pair.predicted.is_some());
    let mut text = String::new();
    if !measured.is_empty() {
        let clear =
            measured.iter().filter_map(|pair| pair.measured.as_ref()).filter(|one| one.adjusted_p < 0.05).count();
        text.push_str(&format!(
            "{} measured ({}); {clear} deviate from the sum of their singles (adjusted p < 0.05)\n\n",
            counted(measured.len(), "pair"),
            found.cells
        ));
        let row = |pair: &&PairInteraction| {
            let mut row = vec![pair.name()];
            if let Some(one) = &pair.measured {
                let of = &one.deviations;
                row.extend([
                    of.cells[3].to_string(),
                    p(one.p),
                    p(one.adjusted_p),
                    format!("{} of {}", of.deviating(), of.tested.len()),
                    signed(of.relative),
                    number(Some(of.size), 2),
                    number(one.scores.magnitude, 2),
                    number(one.scores.fit, 2),
                    number(one.scores.similarity_of_singles, 2),
                    one.class.label().to_owned(),
                ]);
            }
            if has_predictions {
                let predicted = pair.predicted.as_ref();
                row.push(signed(predicted.and_then(|one| one.relative)));
                row.push(predicted.map_or_else(|| number(None, 2), |one| one.class.label().to_owned()));
            }
            row
        };
        let rows: Vec<Vec<String>> = measured.iter().take(LISTED).map(row).collect();
        let header = [
            "pair",
            "cells",
            "p",
            "adjusted",
            "genes deviating",
            "beyond sum",
            "deviation",
            "magnitude",
            "fit",
            "singles alike",
            "class",
            "predicted",
            "its class",
        ];
        text.push_str(&table(&header[..if has_predictions { 13 } else { 11 }], &rows));
        more(&mut text, measured.len());
    }
    let predicted: Vec<&PairInteraction> = found.pairs.iter().filter(|pair| pair.measured.is_none()).collect();
    if !predicted.is_empty() {
        text.push_str(&format!("\n{} predicted, not measured\n\n", counted(predicted.len(), "pair")));
        let row = |pair: &&PairInteraction| {
            let mut row = vec![pair.name()];
            if let Some(one) = &pair.predicted {
                row.extend([
                    one.novelty.label().to_owned(),
                    signed(one.relative),
                    number(Some(one.size), 3),
                    number(one.scores.magnitude, 2),
                    number(one.scores.fit, 2),
                    number(one.scores.similarity_of_singles, 2),
                    one.class.label().to_owned(),
                ]);
            }
            row
        };
        let rows: Vec<Vec<String>> = predicted.iter().take(LISTED).map(row).collect();
        let header = ["pair", "", "beyond sum", "deviation", "magnitude", "fit", "singles alike", "class"];
        text.push_str(&table(&header, &rows));
        more(&mut text, predicted.len());
    }
    text.push('\n');
    found.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    text
}

fn more(text: &mut String, count: usize) {
    if count > LISTED {
        text.push_str(&format!("… and {} more (in the table, -o)\n", count - LISTED));
    }
}
