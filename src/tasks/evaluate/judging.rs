//! What the parts of an evaluation share.

use std::sync::Arc;

use super::EvaluateOptions;
use crate::data::{CellRole, Dataset};
use crate::evaluation::report::CONTROL;
use crate::jobs::Progress;
use crate::models::TrainedModel;
use crate::preprocess::{PreparedScreen, UsedCells, prepare_to_judge};

/// A model and the data set it is judged on.
pub(super) struct Judging<'a> {
    pub model: &'a TrainedModel,
    pub dataset: &'a Arc<Dataset>,
    pub trained_on: bool,
    pub options: &'a EvaluateOptions,
}

impl Judging<'_> {
    /// The screen as the model's encoder saw it.
    pub fn screen(&self, progress: &dyn Progress) -> anyhow::Result<PreparedScreen> {
        let card = self.model.card();
        let (cells, splits) = self.model.used_cells().unzip();
        let treatments = card.treatments.iter().map(|treatment| treatment.symbol.clone()).collect();
        let used = UsedCells { cells, splits, treatments };
        Ok(prepare_to_judge(self.dataset, &card.settings.prepare, used, card.settings.seed, progress)?)
    }

    /// The perturbation of a cell (a row), or `control`.
    pub fn condition(&self, row: u32) -> String {
        match self.dataset.roles()[row as usize] {
            CellRole::Perturbed(index) => self.dataset.perturbations()[index as usize].name(),
            CellRole::Control | CellRole::Unassigned => CONTROL.to_owned(),
        }
    }
}
