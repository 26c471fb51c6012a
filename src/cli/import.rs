//! How a data set is read: options shared by the commands that open one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use serde::de::DeserializeOwned;

use super::console::Console;
use crate::data::{Dataset, ImportOptions, KeptGenes};
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
    /// Label of cells without an assignment; may be given several times
    #[arg(long, value_name = "LABEL")]
    unassigned: Vec<String>,
    /// Matrix to use: X, raw/X or layers/NAME
    #[arg(long, value_name = "PATH")]
    matrix: Option<String>,
    /// What the matrix holds, where its values mislead
    #[arg(long, value_parser = ["counts", "log-normalised", "scaled"])]
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
    /// What is given here over `base` (a settings file).
    pub(super) fn over(&self, base: ImportOptions) -> ImportOptions {
        let list = |own: &[String], base: Vec<String>| if own.is_empty() { base } else { own.to_vec() };
        ImportOptions {
            perturbation_column: self.perturbation_column.clone().or(base.perturbation_column),
            control_labels: list(&self.control, base.control_labels),
            unassigned_labels: list(&self.unassigned, base.unassigned_labels),
            matrix: self.matrix.clone().or(base.matrix),
            matrix_kind: self.matrix_kind.as_deref().map(named).or(base.matrix_kind),
            gene_column: self.gene_column.clone().or(base.gene_column),
            batch_column: self.batch_column.clone().or(base.batch_column),
            cell_type_column: self.cell_type_column.clone().or(base.cell_type_column),
            genes: self.held_genes.or(base.genes),
            kind: self.perturbation_kind.as_deref().map(named).or(base.kind),
            labels_file: self.labels.as_deref().map(absolute).or(base.labels_file),
            orientation: self.orientation.as_deref().map(named).or(base.orientation),
            guide_threshold: self.guide_threshold.or(base.guide_threshold),
        }
    }

    /// The options alone.
    pub(super) fn options(&self) -> ImportOptions {
        self.over(ImportOptions::default())
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
pub(super) fn dataset(path: &Path, options: &ImportOptions, console: &Console) -> anyhow::Result<Arc<Dataset>> {
    let dataset = open::dataset(path, options, console).with_context(|| format!("cannot open {}", path.display()))?;
    for warning in dataset.warnings() {
        console.tell(&format!("warning: {}", warning.message));
    }
    Ok(dataset)
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
            "this is a data set or session, not a model; grn-explorer train makes a model from a data set"
        );
        open::model(path, console)
    };
    let (model, reference) = opened().with_context(|| format!("cannot open {}", path.display()))?;
    Ok(OpenModel { model, path: path.to_owned(), hash: reference.hash })
}
