//! Cells drawn from a trained model.

use rand::RngExt as _;
use rand::seq::IndexedRandom as _;

use super::{KindOfCells, PredictError, Question, TrainedModel};
use crate::jobs::Progress;
use crate::models::Intervention;
use crate::random::{self, Rng};

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
        let kinds = self.kinds_of_cells(&question);
        let kind_of = Self::drawn_kinds(&kinds, count, &mut random::stream(seed, &format!("{name}: escape")));
        let (genes, members) = (self.card.genes.len(), self.members.len());
        let mut counts = vec![0.0f32; count * genes];
        for (number, member) in self.members.iter().enumerate() {
            let name = if members == 1 { name.clone() } else { format!("{name}, member {number}") };
            let lent = self.lent(member, &question, progress)?;
            for (at, kind) in kinds.iter().enumerate() {
                let is_own = |cell: &usize| (first + cell) % members == number && kind_of[*cell] == at;
                let own: Vec<usize> = (0..count).filter(is_own).collect();
                if own.is_empty() {
                    continue;
                }
                let of_own: Vec<f32> = own.iter().map(|&cell| libraries[cell]).collect();
                let name = if at == 0 { name.clone() } else { format!("{name}, kind {at}") };
                let drawn = member.model.generate(&kind.doses, &lent, &of_own, seed, &name)?;
                for (row, &cell) in drawn.chunks_exact(genes.max(1)).zip(&own) {
                    counts[cell * genes..][..genes].copy_from_slice(row);
                }
            }
        }
        Ok(GeneratedCells { counts, libraries })
    }

    /// Of which of `kinds` (a position) each of `count` cells is.
    fn drawn_kinds(kinds: &[KindOfCells], count: usize, random: &mut Rng) -> Vec<usize> {
        let mut one = || {
            let mut left: f32 = random.random();
            let taken = |kind: &KindOfCells| {
                left -= kind.share;
                left < 0.0
            };
            kinds.iter().position(taken).unwrap_or(0)
        };
        (0..count).map(|_| one()).collect()
    }
}
