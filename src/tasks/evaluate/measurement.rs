//! What methods are judged by: observed shifts, what the cells tell beside them, and how good a prediction can be.

use std::collections::HashMap;

use super::class_of;
use crate::data::{Dataset, EffectTable, Perturbation};
use crate::evaluation::ceiling::Ceilings;
use crate::evaluation::effects::{Beside, Evidence};
use crate::evaluation::report::Measured;
use crate::jobs::{Cancelled, Progress, Silent};
use crate::models::TrainedModel;
use crate::models::baselines::effects::{BaselineKind, TrainingShifts, predict};

pub(super) struct Measurement {
    training_mean: Option<Vec<f32>>,
    evidence: Evidence,
    ceilings: Option<Ceilings>,
}

impl Measurement {
    /// Of the `cells` behind `observed`; the ceiling over what is `predicted`, of all cells that the model's run used if it was `trained_on`
    /// the data set.
    pub fn of(
        model: &TrainedModel,
        dataset: &Dataset,
        trained_on: bool,
        cells: &[u32],
        observed: &EffectTable,
        predicted: &EffectTable,
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        let training_mean = training_mean(model.observed_in_training(), observed);
        let evidence = Evidence::of_cells(dataset, cells, progress)?;
        let (names, seed) = (&predicted.perturbations, model.card().settings.seed);
        // All cells that the model may have seen or not: see there.
        let used: Vec<u32> = match trained_on {
            true => model.used_cells().map(|(row, _)| row).collect(),
            false => cells.to_vec(),
        };
        let class_of = |name: &str| class_of(model.card(), name);
        let mean = training_mean.as_deref();
        let ceilings = Ceilings::of_cells(dataset, &used, names, mean, &class_of, seed, progress)?;
        Ok(Self { training_mean, evidence, ceilings })
    }

    /// What the cells tell beside their mean shifts.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    pub fn with<'a>(&'a self, observed: &'a EffectTable) -> Measured<'a> {
        let beside = Beside { training_mean: self.training_mean.as_deref(), evidence: Some(&self.evidence) };
        Measured { observed, beside, ceilings: self.ceilings.as_ref() }
    }
}

/// Mean shift over the training perturbations, in the order of the observed genes; not a number for a gene that the training had not, which
/// no prediction has either. None if nothing was perturbed in the training.
fn training_mean(training: &EffectTable, observed: &EffectTable) -> Option<Vec<f32>> {
    let mean = predict(
        BaselineKind::TrainingMean,
        TrainingShifts::without_errors(training),
        &[Perturbation::of(["any"])],
        &Silent,
    )
    .ok()?;
    let row = mean.find("any").map(|row| mean.row(row))?;
    let of_gene: HashMap<&str, f32> = mean.genes.iter().map(String::as_str).zip(row.iter().copied()).collect();
    Some(observed.genes.iter().map(|gene| of_gene.get(gene.as_str()).copied().unwrap_or(f32::NAN)).collect())
}
