//! Cells drawn from a trained model.

use rand::seq::IndexedRandom as _;

use super::{PredictError, Question, TrainedModel};
use crate::jobs::Progress;
use crate::models::Intervention;
use crate::random;

/// Cells of one condition, drawn together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GeneratedCells {
    /// Cells × genes, row-major, genes in the order of the model's card.
    pub counts: Vec<f32>,
    /// The library size that each was given, drawn from those of the control cells: the mean of its total counts.
    pub libraries: Vec<f32>,
}

impl TrainedModel {
    /// Cells at a time: memory does not grow with the number of all.
    pub const GENERATED_AT_A_TIME: usize = 128;

    /// The cells number `first` to `first + count` under `intervention`, or control cells where there is none. They pass quality
    /// control (the good branch); those of an ensemble come from its members in turn. The same for the same seed, as long as they
    /// are asked for in the same portions.
    ///
    /// # Errors
    /// If a gene is unknown or a dose no number, or if cancelled.
    pub fn generate(
        &self,
        intervention: Option<&Intervention>,
        first: usize,
        count: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<GeneratedCells, PredictError> {
        let question = intervention.map_or(Ok(Question::default()), |intervention| self.question(intervention))?;
        let condition = intervention.map_or_else(|| "control".to_owned(), Intervention::name);
        let name = format!("cells of {condition} from {first}");
        let mut random = random::stream(seed, &format!("{name}: libraries"));
        let known = &self.observed.control_libraries;
        let times = self.library_shift(&question).exp();
        let libraries: Vec<f32> =
            (0..count).map(|_| times * known.choose(&mut random).copied().unwrap_or(10_000.0)).collect();
        let (genes, members) = (self.card.genes.len(), self.members.len());
        let mut counts = vec![0.0f32; count * genes];
        for (number, member) in self.members.iter().enumerate() {
            let own: Vec<usize> = (0..count).filter(|cell| (first + cell) % members == number).collect();
            let of_own: Vec<f32> = own.iter().map(|&cell| libraries[cell]).collect();
            let name = if members == 1 { name.clone() } else { format!("{name}, member {number}") };
            let lent = self.lent(member, &question, progress)?;
            let drawn = member.model.generate(&question.doses, &lent, &of_own, seed, &name)?;
            for (row, &cell) in drawn.chunks_exact(genes.max(1)).zip(&own) {
                counts[cell * genes..][..genes].copy_from_slice(row);
            }
        }
        Ok(GeneratedCells { counts, libraries })
    }
}
