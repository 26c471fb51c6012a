//! `sample`: cells drawn from a model.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::console::Console;
use super::failure::UsageError;
use super::import;
use super::output;
use super::predict::asked_cells;
use crate::models::Intervention;
use crate::tasks::cells::{self, CellRequest};
use crate::words::counted;

/// Draw cells from a model, control and perturbed, as a screen.
#[derive(Debug, Args)]
pub struct Sample {
    /// Trained model
    model: PathBuf,
    /// Perturbations; the genes of a combination joined by +. Without any, all of the screen that the model was trained on
    #[arg(short, long, value_name = "GENE[,GENE2+GENE3]", value_delimiter = ',')]
    perturb: Vec<String>,
    /// Draw perturbed cells that respond, none that escaped the perturbation
    #[arg(long)]
    responding: bool,
    /// Cells of each perturbation, and control cells
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    cells: u32,
    /// Seed: the same seed gives the same cells; that of the model by default
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Screen to write (.h5ad): counts, with the perturbation and library size of each cell
    #[arg(short, long, value_name = "H5AD")]
    output: PathBuf,
}

impl Sample {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        output::check(&self.output)?;
        output::distinct(&self.output, &[&self.model])?;
        let given = self.perturb.iter().map(|label| perturbation(label)).collect::<Result<Vec<_>, _>>()?;
        let opened = import::model(&self.model, console)?;
        let card = opened.model.card();
        let perturbations = match given.is_empty() {
            true => card.perturbations.iter().map(|known| Intervention::knock_out(known.targets.clone())).collect(),
            false => given,
        };
        let among = |perturbation: Intervention| perturbation.among(asked_cells(self.responding));
        let request = CellRequest {
            perturbations: perturbations.into_iter().map(among).collect(),
            cells: self.cells as usize,
            seed: self.seed.unwrap_or(card.settings.seed),
        };
        let written = cells::write(&opened.model, &opened.hash, &self.output, &request, console)
            .with_context(|| format!("cannot draw cells from {}", self.model.display()))?;
        let names: Vec<String> = request.perturbations.iter().map(Intervention::name).collect();
        let result = json!({
            "output": self.output,
            "cells": written,
            "genes": card.genes.len(),
            "perturbations": names,
            "responding": self.responding,
            "seed": request.seed,
            "model_hash": opened.hash,
        });
        console.result(&result, || {
            format!(
                "Wrote {}: {} × {}, control and {}",
                self.output.display(),
                counted(written, "cell"),
                counted(card.genes.len(), "gene"),
                counted(names.len(), "perturbation")
            )
        })
    }
}

/// `STAT1`, or `IRF1+JAK2`.
fn perturbation(label: &str) -> Result<Intervention, UsageError> {
    let genes: Vec<&str> = label.split('+').map(str::trim).collect();
    if genes.iter().any(|gene| gene.is_empty()) {
        return Err(UsageError(format!("a gene is missing in --perturb {label:?}")));
    }
    Ok(Intervention::knock_out(genes))
}
