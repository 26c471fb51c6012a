//! `merge`: an ensemble from members that were trained apart.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::console::Console;
use super::output;
use crate::models::{TrainedModel, merge};

/// Join members of an ensemble that were trained apart.
#[derive(Debug, Args)]
pub struct Merge {
    /// Models that train --member wrote, or ensembles
    #[arg(required = true, value_name = "MODEL.safetensors")]
    members: Vec<PathBuf>,
    /// Ensemble to write
    #[arg(short, long, value_name = "ENSEMBLE.safetensors")]
    output: PathBuf,
}

impl Merge {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        output::check(&self.output)?;
        let inputs: Vec<_> = self.members.iter().map(PathBuf::as_path).collect();
        output::distinct(&self.output, &inputs)?;
        let open = |path: PathBuf| {
            let model = TrainedModel::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
            anyhow::Ok((path, model))
        };
        let models = self.members.into_iter().map(open).collect::<anyhow::Result<Vec<_>>>()?;
        let ensemble = merge(models, console).context("cannot merge")?;
        ensemble.save(&self.output).with_context(|| format!("cannot write {}", self.output.display()))?;
        let numbers: Vec<u32> = ensemble.card().members.iter().map(|run| run.member).collect();
        let result = json!({ "output": self.output, "members": numbers, "ended": ensemble.card().ended });
        console.result(&result, || format!("Wrote {}: {}", self.output.display(), ensemble.card().ended))
    }
}
