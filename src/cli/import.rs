//! How a data set is read: options shared by the commands that open one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use serde::de::DeserializeOwned;

use super::console::Console;
use crate::data::{Dataset, ImportOptions, KeptGenes};
use crate::tasks::import_choices::Decisions;
use crate::tasks::open;

/// How to read the data set; the rules decide what is not given
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Reading the data set")]
pub(super) struct ImportArgs {
    /// Column of obs that names the perturbation
    #[arg(long, value_name = "COLUMN")]
    perturbation_column: Option<String>,
    /// Label of the control cells in that column; may be given several times
    #[arg(long, value_name = "LABEL")]
    control: Vec<String>,
    /// File of choices, as inspect --write-import writes it; without it DATA.import.toml beside the data, if there is one
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
    /// Label of cells without an assignment; may be given several times
    #[arg(long, value_name = "LABEL")]
    unassigned: Vec<String>,
    /// What joins the genes of a combination in a label, such as +; none if no label is a combination
    #[arg(long, value_name = "TEXT")]
    combination_separator: Option<String>,
    /// Matrix to use: X, raw/X or layers/NAME
    #[arg(long, value_name = "PATH")]
    matrix: Option<String>,
    /// What the matrix holds, where its values mislead
    #[arg(long, value_parser = ["counts", "log-normalised", "scaled", "effects"])]
    matrix_kind: Option<String>,
    /// Column of var with the gene symbols, or index
    #[arg(long, value_name = "COLUMN")]
    gene_column: Option<String>,
    /// Column of obs with the batch, or none
    #[arg(long, value_name = "COLUMN")]
    batch_column: Option<String>,
    /// Column of obs with the cell type, or none
    #[arg(long, value_name = "COLUMN")]
    cell_type_column: Option<String>,
    /// Column of obs with the guide of each cell, or none
    #[arg(long, value_name = "COLUMN")]
    guide_column: Option<String>,
    /// Genes to hold in memory: all, or so many (the perturbed ones and the most variable others); as many as fit by default
    #[arg(long, value_name = "N|all")]
    held_genes: Option<KeptGenes>,
    /// How the screen perturbs its targets
    #[arg(long, value_parser = ["knock-out", "knock-down", "activation"])]
    perturbation_kind: Option<String>,
    /// Table with labels of the cells (CSV or TSV, one row per cell), or none
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// What the rows of a table are
    #[arg(long, value_parser = ["cells-in-rows", "genes-in-rows"])]
    orientation: Option<String>,
    /// Molecules of a captured guide from which on a cell has it
    #[arg(long, value_name = "NUMBER")]
    guide_threshold: Option<u32>,
}

impl ImportArgs {
    /// The options alone.
    fn options(&self) -> ImportOptions {
        ImportOptions {
            perturbation_column: self.perturbation_column.clone(),
            control_labels: self.control.clone(),
            unassigned_labels: self.unassigned.clone(),
            combination_separator: self.combination_separator.clone(),
            matrix: self.matrix.clone(),
            matrix_kind: self.matrix_kind.as_deref().map(named),
            gene_column: self.gene_column.clone(),
            batch_column: self.batch_column.clone(),
            cell_type_column: self.cell_type_column.clone(),
            guide_column: self.guide_column.clone(),
            genes: self.held_genes,
            kind: self.perturbation_kind.as_deref().map(named),
            labels_file: self.labels.as_deref().map(absolute),
            orientation: self.orientation.as_deref().map(named),
            guide_threshold: self.guide_threshold,
        }
    }

    /// What is decided about `data`: first these options, then `settings`, then the file of choices.
    pub(super) fn decide(&self, data: &Path, settings: ImportOptions) -> anyhow::Result<Decisions> {
        let written = match &self.import {
            Some(path) => Decisions::read(path)?,
            None => Decisions::beside(data)?,
        };
        Ok(written.under(self.options().over(settings)))
    }
}

/// A name given here is meant from here, not from where the data lie; `none` means no file.
fn absolute(path: &Path) -> PathBuf {
    if path.as_os_str() == "none" {
        return path.to_owned();
    }
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The value of an enum by its name in files; clap has checked the name.
pub(super) fn named<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_value(name.into()).expect("the parser knows the same names")
}

/// Read the screen in `path`, telling its warnings.
pub(super) fn dataset(path: &Path, decisions: &Decisions, console: &Console) -> anyhow::Result<Arc<Dataset>> {
    warned(read(path, decisions, console)?, console)
}

/// Read the screen in `path` to judge `model` with, telling its warnings.
pub(super) fn dataset_for(
    model: &crate::models::TrainedModel,
    path: &Path,
    decisions: &Decisions,
    console: &Console,
) -> anyhow::Result<Arc<Dataset>> {
    tell_file(decisions, console);
    let dataset = open::decided_for(model, path, decisions, console);
    warned(dataset.with_context(|| format!("cannot open {}", path.display()))?, console)
}

fn warned(dataset: Arc<Dataset>, console: &Console) -> anyhow::Result<Arc<Dataset>> {
    for warning in dataset.warnings() {
        console.tell(&format!("warning: {}", warning.message));
    }
    Ok(dataset)
}

/// Read the screen in `path`, telling which file of choices it goes by.
pub(super) fn read(path: &Path, decisions: &Decisions, console: &Console) -> anyhow::Result<Arc<Dataset>> {
    tell_file(decisions, console);
    open::decided(path, decisions, console).with_context(|| format!("cannot open {}", path.display()))
}

/// Tell which file of choices `decisions` go by.
pub(super) fn tell_file(decisions: &Decisions, console: &Console) {
    if let Some((file, _)) = &decisions.file {
        console.tell(&format!("Reading with the choices in {}", file.display()));
    }
}

/// A model with its file.
pub(super) struct OpenModel {
    pub(super) model: Arc<crate::models::TrainedModel>,
    pub(super) path: PathBuf,
    pub(super) hash: String,
}

/// Read the model in `path`.
pub(super) fn model(path: &Path, console: &Console) -> anyhow::Result<OpenModel> {
    let opened = || {
        anyhow::ensure!(
            open::kind_of(path)? == open::FileKind::Model,
            "this is a data set, network or session, not a model; grn-explorer train makes a model from a data set"
        );
        open::model(path, console)
    };
    let (model, reference) = opened().with_context(|| format!("cannot open {}", path.display()))?;
    Ok(OpenModel { model, path: path.to_owned(), hash: reference.hash })
}
