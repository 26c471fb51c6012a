//! `network`: the edges of a model.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::console::Console;
use super::edges::EdgeArgs;
use super::import;
use super::output;
use super::text::table;
use crate::network::Sign;
use crate::network::formats::write_edges;
use crate::words::{counted, grouped};

/// Edges listed on the terminal.
const LISTED: usize = 20;

/// Write the edges of a model's network.
#[derive(Debug, Args)]
pub struct Network {
    /// Trained model
    model: PathBuf,
    /// Table to write: regulator, target, rank, probability, sign, evidence, shift; without it the best edges are printed
    #[arg(short, long, value_name = "TSV")]
    output: Option<PathBuf>,
    /// Which edges.
    #[command(flatten)]
    edges: EdgeArgs,
}

impl Network {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        let filter = self.edges.filter()?.unwrap_or_default();
        if let Some(path) = &self.output {
            output::check(path)?;
            output::distinct(path, &[&self.model])?;
        }
        let opened = import::model(&self.model, console)?;
        let grn = opened.model.network();
        self.edges.check(grn)?;
        let view = filter.apply(grn);
        if let Some(path) = &self.output {
            write_edges(path, &view).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let edge = |edge: &crate::network::Edge| {
            json!({
                "regulator": grn.symbol(edge.regulator),
                "target": grn.symbol(edge.target),
                "rank": edge.rank,
                "probability": edge.probability,
                "sign": edge.sign,
                "evidence": edge.evidence,
                "shift": edge.shift,
            })
        };
        let listed = if self.output.is_some() { LISTED } else { usize::MAX };
        let result = json!({
            "model": self.model,
            "output": self.output,
            "genes": view.genes().len(),
            "edges": view.edge_count(),
            "lowest_probability": view.lowest_probability(),
            "filter": filter.describe(),
            "best": view.edges().take(listed).map(edge).collect::<Vec<_>>(),
        });
        console.result(&result, || {
            let row = |edge: &crate::network::Edge| {
                vec![
                    format!("{} {} {}", grn.symbol(edge.regulator), arrow(edge.sign), grn.symbol(edge.target)),
                    edge.rank.to_string(),
                    format!("{:.4}", edge.probability),
                    edge.shift.map_or("–".to_owned(), |shift| format!("{shift:.2}")),
                ]
            };
            let rows: Vec<Vec<String>> = view.edges().take(LISTED).map(row).collect();
            let mut text = format!(
                "{} between {}\n\n{}",
                counted(view.edge_count(), "edge"),
                counted(view.genes().len(), "gene"),
                table(&["edge", "rank", "probability", "shift (log2)"], &rows)
            );
            match (&self.output, view.edge_count().saturating_sub(LISTED)) {
                (Some(path), _) => text.push_str(&format!("\nWrote {}\n", path.display())),
                (None, 0) => {}
                (None, more) => text.push_str(&format!("… and {} more (-o FILE writes them)\n", grouped(more))),
            }
            text
        })
    }
}

fn arrow(sign: Sign) -> &'static str {
    match sign {
        Sign::Activates => "→",
        Sign::Represses => "⊣",
        Sign::Unknown => "–",
    }
}
