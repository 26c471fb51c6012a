//! `inspect`: what a data set or model holds.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::console::Console;
use super::import::{self, ImportArgs};
use super::output;
use super::text::{number, table};
use crate::data::preview::Preview;
use crate::data::{Choice, Dataset, ImportOptions, MatrixKind, PerturbationSummary, Summary};
use crate::models::{ModelCard, Treatment};
use crate::preprocess::target_check::{TargetCheck, Verdict};
use crate::tasks::import_choices;
use crate::tasks::open::{self, FileKind};
use crate::words::{counted, grouped};

/// Perturbations listed unless all are asked for.
const LISTED: usize = 15;
/// Longest list of alternatives printed for a choice.
const ALTERNATIVES: usize = 8;

/// Tell what a data set or model holds.
#[derive(Debug, Args)]
pub struct Inspect {
    /// Data set (.h5ad, 10x .h5, matrix.mtx or its folder, .csv, .tsv) or model (.safetensors)
    file: PathBuf,
    /// List all perturbations
    #[arg(long)]
    all: bool,
    /// Look at labels and names only, not at the matrix: quick even for a file larger than memory
    #[arg(long)]
    quick: bool,
    /// Write how the data set is read into a file that every command takes with --import
    #[arg(long, value_name = "FILE")]
    write_import: Option<PathBuf>,
    /// How to read it.
    #[command(flatten)]
    import: ImportArgs,
}

impl Inspect {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        let shown = self.file.display();
        let kind = open::kind_of(&self.file).with_context(|| format!("cannot open {shown}"))?;
        if kind == FileKind::Model {
            let opened = import::model(&self.file, console)?;
            let card = opened.model.card();
            let value = json!({ "file": self.file, "hash": opened.hash, "model": card });
            return console.result(&value, || model_text(&shown.to_string(), card));
        }
        anyhow::ensure!(
            kind != FileKind::Network,
            "cannot inspect {shown}: it is a network; grn-explorer network {shown} tells what it holds"
        );
        anyhow::ensure!(kind == FileKind::Dataset, "cannot inspect {shown}: it is a session; open it in the window");
        let decisions = self.import.decide(&self.file, ImportOptions::default())?;
        let (preview, dataset) = if self.quick {
            let preview = open::preview(&self.file, &decisions.options, console);
            (preview.with_context(|| format!("cannot open {shown}"))?, None)
        } else {
            let dataset = import::read(&self.file, &decisions, console)?;
            (Preview::of_dataset(&dataset), Some(dataset))
        };
        if let Some(path) = &self.write_import {
            output::check(path)?;
            output::distinct(path, &[&self.file])?;
            import_choices::write(path, &import_choices::settled(&decisions.options, &preview), &self.file)?;
            console.tell(&format!("Wrote {}", path.display()));
        }
        let Some(dataset) = dataset else {
            let value = json!({ "file": self.file, "preview": preview, "import": decisions.options });
            return console.result(&value, || preview_text(&shown.to_string(), &preview, self.all));
        };
        let summary = Summary::of(&dataset, console)?;
        let check = TargetCheck::of(&summary);
        let value = json!({
            "file": self.file,
            "hash": dataset.hash(),
            "summary": summary,
            "targets": check,
            "labels": preview.levels,
            "import": decisions.options,
            "choices": dataset.import().choices,
            "warnings": dataset.warnings().iter().map(|warning| &warning.message).collect::<Vec<_>>(),
        });
        console.result(&value, || dataset_text(&shown.to_string(), &dataset, &summary, &check, self.all))
    }
}

fn preview_text(file: &str, preview: &Preview, all: bool) -> String {
    let mut text = format!("{file}\n\n  {} × {}\n", counted(preview.cells, "cell"), counted(preview.genes, "gene"));
    text.push_str(&format!(
        "  {} ({} of several genes), {}, {} unassigned\n  {} of {} measured\n  perturbed by {}\n",
        counted(preview.perturbations.len(), "perturbation"),
        grouped(preview.combinations()),
        counted(preview.control_cells, "control cell"),
        grouped(preview.unassigned_cells),
        grouped(preview.measured_targets),
        counted(preview.targets, "perturbed gene"),
        preview.kind.label()
    ));
    text.push_str(&format!("  genes such as {}\n\nHow it would be read\n", preview.gene_examples.join(", ")));
    preview.choices.iter().for_each(|choice| text.push_str(&choice_text(choice)));
    if !preview.warnings.is_empty() {
        text.push_str("\nWarnings\n");
        preview.warnings.iter().for_each(|warning| text.push_str(&format!("  {warning}\n")));
    }
    let shown = if all { preview.perturbations.len() } else { LISTED };
    let rows: Vec<Vec<String>> = preview
        .perturbations
        .iter()
        .take(shown)
        .map(|row| {
            let measured = if row.measured { "yes" } else { "no" };
            vec![format!("  {}", row.name), grouped(row.cells), measured.to_owned()]
        })
        .collect();
    text.push_str(&format!("\nPerturbations by cells\n{}", table(&["  perturbation", "cells", "measured"], &rows)));
    if preview.perturbations.len() > shown {
        text.push_str(&format!("  … and {} more (--all lists them)\n", grouped(preview.perturbations.len() - shown)));
    }
    text
}

fn dataset_text(file: &str, dataset: &Dataset, summary: &Summary, check: &TargetCheck, all: bool) -> String {
    let kind = match summary.matrix_kind {
        MatrixKind::Counts => "counts",
        MatrixKind::LogNormalised => "log-normalised values (training needs counts)",
        MatrixKind::Scaled => "scaled values (training needs counts)",
        MatrixKind::Effects => return effects_text(file, dataset, summary, all),
    };
    let mut text = format!(
        "{file}\n\n  {} × {}, {kind}, {:.1} % not zero\n",
        counted(summary.cells, "cell"),
        counted(summary.genes, "gene"),
        100.0 * summary.density
    );
    let median = summary.median_counts;
    text.push_str(&format!("  median cell: {median:.0} in sum, {:.0} genes\n", summary.median_genes));
    text.push_str(&format!(
        "  {}, {}, {} unassigned\n  perturbed by {}\n",
        counted(summary.perturbations.len(), "perturbation"),
        counted(summary.control_cells, "control cell"),
        grouped(summary.unassigned_cells),
        summary.kind.label()
    ));
    text.push_str(&notes_text(dataset));
    if !summary.perturbations.is_empty() {
        text.push_str(&perturbations_text(&summary.perturbations, check, all));
    }
    text
}

fn notes_text(dataset: &Dataset) -> String {
    let mut text = String::new();
    if !dataset.import().choices.is_empty() {
        text.push_str("\nHow it was read\n");
        dataset.import().choices.iter().for_each(|choice| text.push_str(&choice_text(choice)));
    }
    if !dataset.warnings().is_empty() {
        text.push_str("\nWarnings\n");
        dataset.warnings().iter().for_each(|warning| text.push_str(&format!("  {}\n", warning.message)));
    }
    text
}

/// A table of effects: there are no cells to tell of.
fn effects_text(file: &str, dataset: &Dataset, summary: &Summary, all: bool) -> String {
    let mut text = format!(
        "{file}\n\n  effects of {} on {}, without cells: nothing can be trained on them\n",
        counted(summary.perturbations.len(), "perturbation"),
        counted(summary.genes, "gene")
    );
    text.push_str(&notes_text(dataset));
    let shown = if all { summary.perturbations.len() } else { LISTED };
    let row = |perturbation: &PerturbationSummary| {
        let effects = perturbation.effects.as_ref();
        let others = effects.map_or_else(Vec::new, |effects| effects.others.clone());
        let others: Vec<String> = others.iter().map(|(gene, value)| format!("{gene} {value:.2}")).collect();
        vec![
            format!("  {}", perturbation.name),
            number(effects.and_then(|effects| effects.own).map(f64::from), 2),
            others.join(", "),
        ]
    };
    let mut rows: Vec<Vec<String>> = summary.perturbations.iter().take(shown).map(row).collect();
    // Words stand at the left.
    let width = rows.iter().map(|row| row[2].chars().count()).max().unwrap_or(0);
    rows.iter_mut().for_each(|row| row[2] = format!("{:<width$}", row[2]));
    let title = format!("{:<width$}", "genes farthest from their median");
    let header = ["  perturbation", "own value", &title];
    text.push_str(&format!("\nEffects\n{}", table(&header, &rows)));
    if summary.perturbations.len() > shown {
        let more = grouped(summary.perturbations.len() - shown);
        text.push_str(&format!("  … and {more} more (--all lists them)\n"));
    }
    text
}

fn choice_text(choice: &Choice) -> String {
    let mut text = format!("  {}: {} ({})\n", choice.what, choice.chosen, choice.reason);
    if !choice.alternatives.is_empty() {
        let shown = choice.alternatives.iter().take(ALTERNATIVES).cloned().collect::<Vec<_>>().join(", ");
        let more = match choice.alternatives.len().saturating_sub(ALTERNATIVES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        text.push_str(&format!("      also there: {shown}{more}\n"));
    }
    text
}

fn perturbations_text(perturbations: &[PerturbationSummary], check: &TargetCheck, all: bool) -> String {
    let judged = perturbations.iter().zip(check.verdicts.iter().zip(&check.adjusted_p_values));
    let mut sorted: Vec<_> = judged.collect();
    sorted.sort_by(|(a, _), (b, _)| b.cells.cmp(&a.cells).then(a.name.cmp(&b.name)));
    let shown = if all { sorted.len() } else { LISTED };
    let row = |(perturbation, (verdict, adjusted)): &(&PerturbationSummary, (&Verdict, &Option<f64>))| {
        let knock_down = perturbation.knock_down;
        let remaining = knock_down.and_then(|own| own.remaining);
        vec![
            format!("  {}", perturbation.name),
            grouped(perturbation.cells),
            number(knock_down.map(|own| own.log2_shift), 2),
            remaining.map_or("–".to_owned(), |share| format!("{:.0} %", 100.0 * share)),
            adjusted.map_or("–".to_owned(), |p| format!("{p:.1e}")),
            verdict.label().to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = sorted.iter().take(shown).map(row).collect();
    let header = ["  perturbation", "cells", "own shift (log2)", "left", "adjusted p", "verdict"];
    let words = check.in_words();
    let mut text = format!(
        "\nPerturbations by cells, and the expression of the perturbed gene itself\n  {words}\n{}",
        table(&header, &rows)
    );
    if sorted.len() > shown {
        text.push_str(&format!("  … and {} more (--all lists them)\n", grouped(sorted.len() - shown)));
    }
    text
}

/// `IFNGR1 60 %, STAT1 72 %`: the perturbations of which fewest cells respond first, some of them; none where it was not told, or of
/// none.
fn responding(card: &ModelCard) -> Option<String> {
    let of = |treatment: &Treatment| Some((treatment.symbol.clone(), treatment.responding?));
    let mut told: Vec<(String, f32)> = card.treatments.iter().filter_map(of).collect();
    told.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut words: Vec<String> =
        told.iter().take(LISTED).map(|(symbol, share)| format!("{symbol} {:.0} %", 100.0 * share)).collect();
    if told.len() > LISTED {
        words.push(format!("and {} more", told.len() - LISTED));
    }
    (!words.is_empty()).then(|| words.join(", "))
}

fn model_text(file: &str, card: &ModelCard) -> String {
    let [training, validation, test] = card.control_cells;
    let cells = |of: fn(&crate::models::TrainedPerturbation) -> u32| {
        grouped(card.perturbations.iter().map(of).sum::<u32>() as usize)
    };
    let mut text = format!("{file}\n\n  GPO-VAE, trained by grn-explorer {}\n", card.program_version);
    text.push_str(&format!(
        "  on {} ({} × {})\n",
        card.dataset.name,
        counted(card.dataset.cells as usize, "cell"),
        counted(card.dataset.genes as usize, "gene"),
    ));
    text.push_str(&format!(
        "  {} and {} extra genes in the network\n",
        counted(card.perturbations.len(), "perturbation"),
        card.treatments.iter().filter(|treatment| treatment.perturbed_cells == 0).count(),
    ));
    text.push_str(&format!(
        "  perturbed cells: {} training, {} validation, {} held out\n",
        cells(|perturbation| perturbation.training_cells),
        cells(|perturbation| perturbation.validation_cells),
        cells(|perturbation| perturbation.test_cells),
    ));
    text.push_str(&format!("  control cells: {training} training, {validation} validation, {test} held out\n"));
    if let Some(told) = responding(card) {
        text.push_str(&format!("  cells that respond, where some escaped: {told}\n"));
    }
    text.push_str(&format!(
        "  seed {}, {} epochs, the best was {}; {}\n",
        card.settings.seed,
        card.history.len(),
        card.best_epoch,
        card.ended
    ));
    if let Some(network) = &card.prior_network {
        text.push_str(&format!("  started from the network {}\n", network.in_words()));
    }
    if !card.differs_from_paper.is_empty() {
        text.push_str("\nDiffers from the paper\n");
        card.differs_from_paper.iter().for_each(|difference| text.push_str(&format!("  {difference}\n")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perturbations_with_escaped_cells_are_listed_by_their_share() {
        let treatment =
            |symbol: &str, responding| Treatment { symbol: symbol.into(), responding, ..Treatment::default() };
        let card = |treatments| ModelCard { treatments, ..ModelCard::default() };
        let some = card(vec![treatment("A", Some(0.9)), treatment("B", None), treatment("C", Some(0.604))]);
        assert_eq!(responding(&some).as_deref(), Some("C 60 %, A 90 %"));
        assert_eq!(responding(&card(vec![treatment("B", None)])), None);
        let many = card((0..20).map(|at| treatment(&format!("G{at:02}"), Some(0.5))).collect());
        assert!(responding(&many).unwrap().ends_with("G14 50 %, and 5 more"));
    }
}
