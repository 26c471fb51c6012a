//! Baselines that predict the shift of every gene under a perturbation.
//!
//! Definitions after Ahlmann-Eltze and Huber (2025), Systema (Viñas Torné et al. 2025) and PerturBench (Wu et al. 2024).

use serde::{Deserialize, Serialize};

use super::linear::LowRankLinear;
use crate::data::{EffectTable, Perturbation};
use crate::jobs::{Cancelled, Progress};

/// Which baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BaselineKind {
    /// The control's expression.
    NoChange,
    /// The mean of all training perturbations.
    TrainingMean,
    /// The same, each perturbation weighted by its cells.
    WeightedTrainingMean,
    /// The mean of the same perturbation's training cells.
    SamePerturbation,
    /// The same, drawn towards no change as far as its error says.
    ShrunkenMean,
    /// The sum of the single perturbations' shifts.
    Additive,
    /// The mean of the single perturbations' shifts.
    MatchingMean,
    /// The low-rank linear model.
    LowRankLinear,
}

impl BaselineKind {
    /// All, in the order shown.
    pub const ALL: [Self; 8] = [
        Self::NoChange,
        Self::TrainingMean,
        Self::WeightedTrainingMean,
        Self::SamePerturbation,
        Self::ShrunkenMean,
        Self::Additive,
        Self::MatchingMean,
        Self::LowRankLinear,
    ];

    /// For people: `Training mean`.
    pub fn label(self) -> &'static str {
        match self {
            Self::NoChange => "No change",
            Self::TrainingMean => "Training mean",
            Self::WeightedTrainingMean => "Training mean by cells",
            Self::SamePerturbation => "Same-perturbation mean",
            Self::ShrunkenMean => "Shrunken mean",
            Self::Additive => "Additive",
            Self::MatchingMean => "Matching mean",
            Self::LowRankLinear => "Low-rank linear",
        }
    }

    /// What it predicts, and for what it is defined.
    pub fn definition(self) -> &'static str {
        match self {
            Self::NoChange => "A shift of 0 for every gene: the mean of the measured control cells",
            Self::TrainingMean => "Mean shift over all training perturbations, the same answer to every question",
            Self::WeightedTrainingMean => {
                "Mean shift over all training perturbations, each weighted by its number of cells"
            }
            Self::SamePerturbation => {
                "Mean shift of the training cells with the same perturbation; defined where it was in the training"
            }
            Self::ShrunkenMean => {
                "Same-perturbation mean with every gene's shift drawn towards 0 as far as its standard error says: its mean under a mixture of normal distributions fit to the perturbation's genes (adaptive shrinkage, Stephens 2017); defined as it"
            }
            Self::Additive => {
                "Sum of the training shifts of the single perturbations; defined for combinations whose genes were all perturbed alone"
            }
            Self::MatchingMean => "Mean of the training shifts of the single perturbations; defined as Additive",
            Self::LowRankLinear => {
                "b + G·W·P with 10 principal components of the training shifts (Ahlmann-Eltze and Huber 2025, ridge 0.1); defined where all perturbed genes were measured"
            }
        }
    }
}

impl BaselineKind {
    /// Whether its answer about a perturbation is what the training cells of the same one measured: against those it would be the
    /// truth itself.
    pub fn is_the_measurement(self) -> bool {
        matches!(self, Self::SamePerturbation | Self::ShrunkenMean)
    }
}

/// Measured shifts of training cells, one row per perturbation: what baselines are fit on.
#[derive(Clone, Copy, Debug)]
pub struct TrainingShifts<'a> {
    /// As they are.
    pub measured: &'a EffectTable,
    /// The same shrunk by their errors ([`crate::preprocess::shrinkage`]); none where these are not known, as in models of earlier versions.
    pub shrunken: Option<&'a EffectTable>,
}

impl<'a> TrainingShifts<'a> {
    /// Of shifts whose errors are not known.
    pub fn without_errors(measured: &'a EffectTable) -> Self {
        Self { measured, shrunken: None }
    }
}

/// A baseline's answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// Which one.
    pub kind: BaselineKind,
    /// One row for each question for which it is defined, in the order asked.
    pub effects: EffectTable,
}

/// The answers of all baselines to `questions`, fit on `training`. Baselines that answer no question are left out. Same input, same
/// output.
pub fn all(
    training: TrainingShifts<'_>,
    questions: &[Perturbation],
    progress: &dyn Progress,
) -> Result<Vec<Baseline>, Cancelled> {
    let mut found = Vec::new();
    for kind in BaselineKind::ALL {
        progress.check()?;
        found.push(Baseline { kind, effects: predict(kind, training, questions, progress)? });
    }
    found.retain(|baseline| !baseline.effects.perturbations.is_empty());
    Ok(found)
}

/// The answers of one baseline; questions for which it is not defined have no row.
pub fn predict(
    kind: BaselineKind,
    shifts: TrainingShifts<'_>,
    questions: &[Perturbation],
    progress: &dyn Progress,
) -> Result<EffectTable, Cancelled> {
    let training = shifts.measured;
    let mut table = EffectTable { genes: training.genes.clone(), ..EffectTable::default() };
    let answer: Box<dyn Fn(&Perturbation) -> Option<Vec<f32>>> = match kind {
        BaselineKind::NoChange => Box::new(|_| Some(vec![0.0; training.genes.len()])),
        BaselineKind::TrainingMean => {
            let mean = weighted_mean(training, |_| 1.0);
            Box::new(move |_| mean.clone())
        }
        BaselineKind::WeightedTrainingMean => {
            let mean = weighted_mean(training, |row| f64::from(training.cells[row]));
            Box::new(move |_| mean.clone())
        }
        BaselineKind::SamePerturbation => {
            Box::new(|question| Some(training.row(training.find(&question.name())?).to_vec()))
        }
        BaselineKind::ShrunkenMean => Box::new(|question| {
            let shrunken = shifts.shrunken?;
            Some(shrunken.row(shrunken.find(&question.name())?).to_vec())
        }),
        BaselineKind::Additive => Box::new(|question| singles(training, question, 1.0)),
        BaselineKind::MatchingMean => {
            Box::new(|question| singles(training, question, 1.0 / question.targets().len() as f32))
        }
        BaselineKind::LowRankLinear => match LowRankLinear::fit(training, progress)? {
            Some(model) => Box::new(move |question| model.predict(question)),
            None => return Ok(table),
        },
    };
    for question in questions {
        if let Some(shifts) = answer(question) {
            table.perturbations.push(question.name());
            table.cells.push(0);
            table.shifts.extend(shifts);
        }
    }
    Ok(table)
}

/// Mean over the rows of `table`, one per gene; none without weight.
fn weighted_mean(table: &EffectTable, weight: impl Fn(usize) -> f64) -> Option<Vec<f32>> {
    let mut sum = vec![0.0; table.genes.len()];
    let mut total = 0.0;
    for row in 0..table.perturbations.len() {
        let weight = weight(row);
        total += weight;
        for (sum, &shift) in sum.iter_mut().zip(table.row(row)) {
            *sum += weight * f64::from(shift);
        }
    }
    (total > 0.0).then(|| sum.iter().map(|sum| (sum / total) as f32).collect())
}

/// `scale` times the sum of the shifts of the single perturbations; none unless `question` is a combination of genes
/// that were all perturbed alone.
fn singles(training: &EffectTable, question: &Perturbation, scale: f32) -> Option<Vec<f32>> {
    if question.targets().len() < 2 {
        return None;
    }
    let mut sum = vec![0.0; training.genes.len()];
    for target in question.targets() {
        let row = training.find(target)?;
        sum.iter_mut().zip(training.row(row)).for_each(|(sum, &shift)| *sum += scale * shift);
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;

    fn training() -> EffectTable {
        EffectTable {
            perturbations: vec!["A".into(), "B".into()],
            genes: vec!["A".into(), "X".into()],
            cells: vec![10, 30],
            shifts: vec![-2.0, 1.0, 0.0, 3.0],
        }
    }

    fn questions() -> Vec<Perturbation> {
        vec![
            Perturbation::of(["A"]),
            Perturbation::of(["C"]),
            Perturbation::of(["B", "A"]),
            Perturbation::of(["A", "C"]),
        ]
    }

    fn answers(kind: BaselineKind) -> (Vec<String>, Vec<f32>) {
        let table = predict(kind, TrainingShifts::without_errors(&training()), &questions(), &Silent).unwrap();
        (table.perturbations, table.shifts)
    }

    #[test]
    fn means_answer_everything_and_singles_only_what_they_know() {
        assert_eq!(answers(BaselineKind::NoChange).1, [0.0; 8]);
        assert_eq!(answers(BaselineKind::TrainingMean).1[..2], [-1.0, 2.0]);
        assert_eq!(answers(BaselineKind::WeightedTrainingMean).1[..2], [-0.5, 2.5]);
        assert_eq!(answers(BaselineKind::SamePerturbation), (vec!["A".into()], vec![-2.0, 1.0]));
        assert_eq!(answers(BaselineKind::Additive), (vec!["A+B".into()], vec![-2.0, 4.0]));
        assert_eq!(answers(BaselineKind::MatchingMean), (vec!["A+B".into()], vec![-1.0, 2.0]));
    }

    #[test]
    fn shrunken_means_are_those_given() {
        let (measured, shrunken) = (training(), EffectTable { shifts: vec![-1.5, 0.0, 0.0, 2.5], ..training() });
        let training = TrainingShifts { measured: &measured, shrunken: Some(&shrunken) };
        let table = predict(BaselineKind::ShrunkenMean, training, &questions(), &Silent).unwrap();
        assert_eq!((table.perturbations, table.shifts), (vec!["A".to_owned()], vec![-1.5, 0.0]));
        assert_eq!(answers(BaselineKind::ShrunkenMean).0, Vec::<String>::new(), "errors not known");
    }

    #[test]
    fn baselines_without_an_answer_are_left_out() {
        let kinds: Vec<_> = all(TrainingShifts::without_errors(&training()), &[Perturbation::of(["C"])], &Silent)
            .unwrap()
            .into_iter()
            .map(|answer| answer.kind)
            .collect();
        use BaselineKind::{NoChange, TrainingMean, WeightedTrainingMean};
        assert_eq!(kinds, [NoChange, TrainingMean, WeightedTrainingMean]);
        let empty = EffectTable { genes: vec!["X".into()], ..EffectTable::default() };
        let kinds: Vec<_> = all(TrainingShifts::without_errors(&empty), &questions(), &Silent)
            .unwrap()
            .into_iter()
            .map(|answer| answer.kind)
            .collect();
        assert_eq!(kinds, [NoChange]);
    }
}
