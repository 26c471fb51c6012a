//! `inspect`: what a data set or model holds.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::console::Console;
use super::import::{self, ImportArgs};
use super::text::{number, table};
use crate::data::{Choice, Dataset, MatrixKind, PerturbationSummary, Summary};
use crate::models::ModelCard;
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
        anyhow::ensure!(kind == FileKind::Dataset, "cannot inspect {shown}: it is a session; open it in the window");
        let dataset = open::dataset(&self.file, &self.import.options(), console)
            .with_context(|| format!("cannot open {shown}"))?;
        let summary = Summary::of(&dataset, console)?;
        let value = json!({
            "file": self.file,
            "hash": dataset.hash(),
            "summary": summary,
            "choices": dataset.import().choices,
            "warnings": dataset.warnings().iter().map(|warning| &warning.message).collect::<Vec<_>>(),
        });
        console.result(&value, || dataset_text(&shown.to_string(), &dataset, &summary, self.all))
    }
}

fn dataset_text(file: &str, dataset: &Dataset, summary: &Summary, all: bool) -> String {
    let kind = match summary.matrix_kind {
        MatrixKind::Counts => "counts",
        MatrixKind::LogNormalised => "log-normalised values (training needs counts)",
        MatrixKind::Scaled => "scaled values (training needs counts)",
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
    if !dataset.import().choices.is_empty() {
        text.push_str("\nHow it was read\n");
        dataset.import().choices.iter().for_each(|choice| text.push_str(&choice_text(choice)));
    }
    if !dataset.warnings().is_empty() {
        text.push_str("\nWarnings\n");
        dataset.warnings().iter().for_each(|warning| text.push_str(&format!("  {}\n", warning.message)));
    }
    if !summary.perturbations.is_empty() {
        text.push_str(&perturbations_text(&summary.perturbations, all));
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

fn perturbations_text(perturbations: &[PerturbationSummary], all: bool) -> String {
    let mut sorted: Vec<&PerturbationSummary> = perturbations.iter().collect();
    sorted.sort_by(|a, b| b.cells.cmp(&a.cells).then(a.name.cmp(&b.name)));
    let shown = if all { sorted.len() } else { LISTED };
    let row = |perturbation: &&PerturbationSummary| {
        let knock_down = perturbation.knock_down;
        let remaining = knock_down.and_then(|own| own.remaining);
        vec![
            format!("  {}", perturbation.name),
            grouped(perturbation.cells),
            if perturbation.measured { "yes".to_owned() } else { "no".to_owned() },
            number(knock_down.map(|own| own.log2_shift), 2),
            remaining.map_or("–".to_owned(), |share| format!("{:.0} %", 100.0 * share)),
            knock_down.map_or("–".to_owned(), |own| format!("{:.1e}", own.p_value)),
        ]
    };
    let rows: Vec<Vec<String>> = sorted.iter().take(shown).map(row).collect();
    let header = ["  perturbation", "cells", "measured", "own shift (log2)", "left", "p"];
    let mut text = format!("\nPerturbations by cells\n{}", table(&header, &rows));
    if sorted.len() > shown {
        text.push_str(&format!("  … and {} more (--all lists them)\n", grouped(sorted.len() - shown)));
    }
    text
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
    text.push_str(&format!(
        "  seed {}, {} epochs, the best was {}; {}\n",
        card.settings.seed,
        card.history.len(),
        card.best_epoch,
        card.ended
    ));
    if !card.differs_from_paper.is_empty() {
        text.push_str("\nDiffers from the paper\n");
        card.differs_from_paper.iter().for_each(|difference| text.push_str(&format!("  {difference}\n")));
    }
    text
}
