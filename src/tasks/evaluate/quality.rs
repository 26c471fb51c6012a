//! Quality control of cells drawn from the model, by the limits of the measured ones.

use std::collections::BTreeMap;

use anyhow::Context as _;

use super::judging::Judging;
use crate::data::{CsrMatrix, EffectTable};
use crate::evaluation::report::{CONTROL, ConditionPass, QualityPass, Report};
use crate::jobs::{Cancelled, Progress};
use crate::models::{Intervention, TrainedModel};
use crate::preprocess::quality::{CellMetrics, QualityReport, Rule};

/// k.
const LIMITS: [f64; 3] = [3.0, 4.0, 5.0];

impl Judging<'_> {
    /// Write into `report` how many cells generated under the perturbations of `predicted`, and how many of those among `cells`
    /// (rows), pass quality control; or tell why not. `seen` is shown the generated cells of each condition.
    pub fn quality_pass(
        &self,
        cells: &[u32],
        predicted: &EffectTable,
        report: &mut Report,
        seen: &mut dyn FnMut(&str, &CsrMatrix) -> Result<(), Cancelled>,
        progress: &dyn Progress,
    ) -> anyhow::Result<Option<String>> {
        let (model, dataset, count) = (self.model, self.dataset, self.options.generated_cells);
        if count == 0 {
            return Ok(None);
        }
        if !self.trained_on {
            return Ok(Some(
                "No quality-pass ratio: its limits come from the data set that the model was trained on".to_owned(),
            ));
        }
        progress.stage("Checking the quality of generated cells", Some(0.0));
        // Over the genes that are held, as generated cells have no others.
        let genes = dataset.genes();
        let used: Vec<u32> = model.used_cells().map(|(row, _)| row).collect();
        let metrics = CellMetrics::measure(dataset.matrix(), genes, &used, progress)?;
        let limits: Vec<QualityReport> = LIMITS.iter().map(|&mads| QualityReport::judge(&metrics, mads)).collect();
        let holds =
            |rule: &Rule| rule.family().is_none_or(|family| genes.iter().any(|gene| family.holds(&gene.symbol)));
        let (judged, not_judged): (Vec<Rule>, Vec<Rule>) = Rule::ALL.into_iter().partition(holds);

        let mut measured_cells: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for &row in cells {
            measured_cells.entry(self.condition(row)).or_default().push(row);
        }
        let mut by_condition = Vec::new();
        let conditions = std::iter::once(None).chain(predicted.perturbations.iter().map(Some));
        for (number, condition) in conditions.enumerate() {
            let done = number as f32 / (predicted.perturbations.len() + 1) as f32;
            progress.stage("Checking the quality of generated cells", Some(done));
            progress.check()?;
            let name = condition.map_or(CONTROL, String::as_str);
            let Some(own) = measured_cells.get(name) else { continue };
            let measured = CellMetrics::measure(dataset.matrix(), genes, own, progress)?;
            let question = condition.map(|name| Intervention::knock_out(name.split('+')));
            let counts = generated(self, question.as_ref(), count, progress)?;
            seen(name, &counts)?;
            let rows: Vec<u32> = (0..counts.rows() as u32).collect();
            let generated = CellMetrics::measure(&counts, genes, &rows, progress)?;
            let shares = |metrics: &CellMetrics| {
                let passing = |limits: &QualityReport| {
                    let failed = limits.failing_by(metrics, &judged);
                    1.0 - failed as f64 / metrics.len().max(1) as f64
                };
                limits.iter().map(passing).collect::<Vec<f64>>()
            };
            by_condition.push(ConditionPass {
                condition: name.to_owned(),
                measured_cells: own.len(),
                generated: shares(&generated),
                measured: shares(&measured),
            });
        }
        let labels = |rules: &[Rule]| rules.iter().map(|rule| rule.label().to_owned()).collect::<Vec<_>>();
        let note = (!not_judged.is_empty()).then(|| {
            format!(
                "Quality of generated cells is judged by {} alone: no gene behind the {} is held",
                labels(&judged).join(" and "),
                labels(&not_judged).join(", ")
            )
        });
        let pass = QualityPass::of(by_condition, &LIMITS, count);
        report.quality_pass = Some(QualityPass { rules: labels(&judged), not_judged: labels(&not_judged), ..pass });
        Ok(note)
    }
}

/// Counts of generated cells: cells × genes.
fn generated(
    judging: &Judging<'_>,
    question: Option<&Intervention>,
    count: usize,
    progress: &dyn Progress,
) -> anyhow::Result<CsrMatrix> {
    let model = judging.model;
    let (seed, genes) = (model.card().settings.seed, model.card().genes.len());
    let mut rows: Vec<Vec<(u32, f32)>> = Vec::with_capacity(count);
    for first in (0..count).step_by(TrainedModel::GENERATED_AT_A_TIME) {
        progress.check()?;
        let portion = TrainedModel::GENERATED_AT_A_TIME.min(count - first);
        let cells = model.generate(question, first, portion, seed, progress)?;
        let stored = |cell: &[f32]| (0u32..).zip(cell.iter().copied()).filter(|(_, value)| *value != 0.0).collect();
        rows.extend(cells.counts.chunks_exact(genes.max(1)).map(stored));
    }
    CsrMatrix::from_rows(genes, rows).context("generated cells")
}
