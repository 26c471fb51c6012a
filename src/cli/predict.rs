//! `predict`: the response to a knock-out.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::console::Console;
use super::failure::UsageError;
use super::import;
use super::output;
use super::text::{number, table};
use crate::models::{AskedCells, CALL_RATE, INTERVAL_LEVEL, Intervention, PredictedEffect, Spread};
use crate::tasks::badges::{self, Badge, Evidence};
use crate::tasks::tables;

/// Genes listed on the terminal.
const LISTED: usize = 20;

/// Predict the response to a knock-out.
#[derive(Debug, Args)]
pub struct Predict {
    /// Trained model
    model: PathBuf,
    /// Genes to perturb together as in the screen; GENE=0.5 for half the dose, GENE=-1 for the opposite
    #[arg(short, long, value_name = "GENE[,GENE2]", required = true, value_delimiter = ',')]
    knock_out: Vec<String>,
    /// The answer of the cells that respond alone, without those that escaped the perturbation
    #[arg(long)]
    responding: bool,
    /// Table of all genes to write; without it the largest shifts are printed
    #[arg(short, long, value_name = "TSV")]
    output: Option<PathBuf>,
}

/// `STAT1`, or `STAT1=0.5`.
pub(super) fn intervention(genes: &[String], responding: bool) -> anyhow::Result<Intervention> {
    let mut doses = Vec::new();
    for gene in genes {
        let (name, dose) = match gene.split_once('=') {
            Some((name, dose)) => match dose.trim().parse::<f32>() {
                Ok(value) if value.is_finite() => (name, value),
                _ => {
                    return Err(UsageError(format!(
                        "{dose:?} is no dose for {name}; give a number, 1 as in the screen"
                    ))
                    .into());
                }
            },
            None => (gene.as_str(), 1.0),
        };
        let name = name.trim();
        if name.is_empty() {
            return Err(UsageError("a gene is missing in --knock-out".to_owned()).into());
        }
        doses.push((name.to_owned(), dose));
    }
    Ok(Intervention::with_doses(doses).among(asked_cells(responding)))
}

/// By the option `--responding`.
pub(super) fn asked_cells(responding: bool) -> AskedCells {
    if responding { AskedCells::Responding } else { AskedCells::All }
}

impl Predict {
    pub(super) fn run(self, console: &Console) -> anyhow::Result<()> {
        let intervention = intervention(&self.knock_out, self.responding)?;
        if let Some(path) = &self.output {
            output::check(path)?;
            output::distinct(path, &[&self.model])?;
        }
        let opened = import::model(&self.model, console)?;
        let genes = &opened.model.card().genes;
        let effect = opened
            .model
            .predict(&intervention, console)
            .with_context(|| format!("cannot predict with {}", self.model.display()))?;
        if let Some(path) = &self.output {
            tables::write_effects(path, &effect, genes).with_context(|| format!("cannot write {}", path.display()))?;
        }
        // The words of the window.
        let doses = intervention.doses().iter().cloned().collect();
        let mut evidence = Evidence::of(opened.model.card()).of_doses(&doses);
        evidence.extend(badges::borrowed(&effect));
        evidence.extend(badges::response(&effect, genes));
        let adjusted = effect.adjusted_p(genes);
        let order = by_size(&effect, genes);
        let widths = effect.spread.as_ref().map(Spread::half_widths);
        let interval =
            |at: usize| widths.as_ref().map(|widths| [-1.0, 1.0].map(|side| effect.shifts[at] + side * widths[at]));
        let rows = || {
            order.iter().map(|&at| {
                let mut row = json!({"gene": genes[at], "shift_log2": effect.shifts[at]});
                if let Some(ends) = interval(at) {
                    row["interval"] = json!(ends);
                }
                if let Some(adjusted) = &adjusted {
                    row["adjusted_p"] = json!(adjusted[at]);
                }
                row
            })
        };
        let result = json!({
            "model": self.model,
            "knock_out": effect.name,
            "responding_share": effect.responding,
            "evidence": evidence
                .iter()
                .map(|badge| json!({"badge": badge.label(), "meaning": badge.explanation()}))
                .collect::<Vec<_>>(),
            "extrapolated": effect.extrapolated,
            "members": opened.model.member_count(),
            "interval_level": widths.as_ref().map(|_| INTERVAL_LEVEL),
            "call_rate": adjusted.as_ref().map(|_| CALL_RATE),
            "called": adjusted.as_ref().map(|adjusted| adjusted.iter().filter(|p| **p < CALL_RATE).count()),
            "output": self.output,
            "shifts": if self.output.is_some() { rows().take(LISTED).collect::<Vec<_>>() } else { rows().collect() },
        });
        console.result(&result, || {
            let labels: Vec<String> = evidence.iter().map(Badge::label).collect();
            let mut text = format!("{}: {}\n", effect.label(), labels.join(", "));
            evidence.iter().for_each(|badge| text.push_str(&format!("  {}: {}\n", badge.label(), badge.explanation())));
            text.push('\n');
            let shown = |value: f32| number(Some(f64::from(value)), 3);
            let row = |&at: &usize| {
                let ends = interval(at).map(|[low, high]| format!("{} to {}", shown(low), shown(high)));
                let p = adjusted.as_ref().map(|adjusted| number(Some(adjusted[at]), 3));
                [genes[at].clone(), shown(effect.shifts[at])].into_iter().chain(ends).chain(p).collect()
            };
            let rows: Vec<Vec<String>> = order.iter().take(LISTED).map(row).collect();
            let level = format!("{:.0} % interval of {} members", INTERVAL_LEVEL * 100.0, opened.model.member_count());
            let columns = ["gene", "shift (log2)", &level, "adjusted p"];
            text.push_str(&table(&columns[..if widths.is_some() { 4 } else { 2 }], &rows));
            if let Some(path) = &self.output {
                text.push_str(&format!("\nWrote {} ({} genes)\n", path.display(), genes.len()));
            }
            text
        })
    }
}

/// Positions of the genes by falling |shift|.
fn by_size(effect: &PredictedEffect, genes: &[String]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..genes.len()).collect();
    order.sort_by(|&a, &b| effect.shifts[b].abs().total_cmp(&effect.shifts[a].abs()).then(genes[a].cmp(&genes[b])));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doses_are_understood() {
        let given =
            |genes: &[&str]| intervention(&genes.iter().map(|gene| (*gene).to_owned()).collect::<Vec<_>>(), false);
        assert_eq!(given(&["STAT1", "JAK2=0.5"]).unwrap().name(), "JAK2 × 0.5+STAT1");
        assert!(given(&["STAT1=lots"]).unwrap_err().to_string().contains("no dose"));
        assert!(given(&["STAT1", ""]).is_err());
    }
}
