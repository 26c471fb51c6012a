//! `simulate`: a screen with a known network.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::console::Console;
use super::failure::UsageError;
use super::import::named;
use super::output;
use crate::data::h5ad::MatrixLayout;
use crate::data::simulate::{SimulateConfig, SimulateError};
use crate::tasks;
use crate::words::{counted, grouped};

/// Simulate a screen with a known network.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Screen to write (.h5ad)
    output: PathBuf,
    /// Table to write the true edges to (regulator, target, sign, strength)
    #[arg(long, value_name = "TSV")]
    truth: Option<PathBuf>,
    /// Settings file (TOML) with any setting of the simulator; options go before it
    #[arg(long, value_name = "TOML")]
    config: Option<PathBuf>,
    /// Measured genes
    #[arg(long, value_name = "N")]
    genes: Option<usize>,
    /// Genes perturbed alone
    #[arg(long, value_name = "N")]
    perturbations: Option<usize>,
    /// Pairs of them perturbed together
    #[arg(long, value_name = "N")]
    combinations: Option<usize>,
    /// Cells, controls included
    #[arg(long, value_name = "N")]
    cells: Option<usize>,
    /// How the matrix is stored in the file: sparse rows, sparse columns, or dense
    #[arg(long, value_parser = ["rows", "columns", "dense"], default_value = "rows")]
    layout: String,
    /// Seed: the same seed gives the same screen
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How targets are perturbed
    #[arg(long, value_parser = ["knock-out", "knock-down", "activation"])]
    kind: Option<String>,
    /// Mean number of targets of a regulator
    #[arg(long, value_name = "X")]
    mean_targets: Option<f64>,
    /// Mean number of counts in a cell
    #[arg(long, value_name = "X")]
    library_mean: Option<f64>,
    /// Overdispersion φ of the counts (variance μ + φμ²)
    #[arg(long, value_name = "X")]
    dispersion: Option<f64>,
    /// Share of control cells
    #[arg(long, value_name = "SHARE")]
    control_share: Option<f64>,
    /// Number of batches
    #[arg(long, value_name = "N")]
    batches: Option<usize>,
}

impl Simulate {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        let config = self.settings()?;
        config.check().map_err(|error| usage(&error))?;
        output::check(&self.output)?;
        if let Some(truth) = &self.truth {
            output::check(truth)?;
            output::distinct(truth, &[&self.output])?;
        }
        let layout = MatrixLayout::ALL.into_iter().find(|layout| layout.key() == self.layout).unwrap_or_default();
        let simulated = tasks::simulate::run(&config, &self.output, layout, self.truth.as_deref(), console)?;
        let (dataset, edges) = (&simulated.dataset, simulated.truth.edges().len());
        let result = json!({
            "output": self.output,
            "truth": self.truth,
            "hash": dataset.hash(),
            "cells": dataset.cell_count(),
            "genes": dataset.gene_count(),
            "perturbations": dataset.perturbations().len(),
            "control_cells": dataset.control_cells().len(),
            "true_edges": edges,
            "settings": config,
        });
        console.result(&result, || {
            let truth = self.truth.as_ref().map_or(String::new(), |path| format!(" (in {})", path.display()));
            format!(
                "Wrote {}: {} × {}, {}, {} control cells, {}{truth}",
                self.output.display(),
                counted(dataset.cell_count(), "cell"),
                counted(dataset.gene_count(), "gene"),
                counted(dataset.perturbations().len(), "perturbation"),
                grouped(dataset.control_cells().len()),
                counted(edges, "true edge"),
            )
        })
    }

    fn settings(&self) -> anyhow::Result<SimulateConfig> {
        let mut config = match &self.config {
            Some(path) => {
                let shown = path.display();
                let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
                toml::from_str(&text).map_err(|error| UsageError(format!("{shown}: {error}")))?
            }
            None => SimulateConfig::default(),
        };
        fn set<T: Clone>(setting: &mut T, given: &Option<T>) {
            if let Some(given) = given {
                setting.clone_from(given);
            }
        }
        set(&mut config.genes, &self.genes);
        set(&mut config.perturbations, &self.perturbations);
        set(&mut config.combinations, &self.combinations);
        set(&mut config.cells, &self.cells);
        set(&mut config.seed, &self.seed);
        set(&mut config.kind, &self.kind.as_deref().map(named));
        set(&mut config.mean_targets, &self.mean_targets);
        set(&mut config.library_mean, &self.library_mean);
        set(&mut config.dispersion, &self.dispersion);
        set(&mut config.control_share, &self.control_share);
        set(&mut config.batches, &self.batches);
        Ok(config)
    }
}

fn usage(error: &SimulateError) -> UsageError {
    UsageError(error.to_string())
}
