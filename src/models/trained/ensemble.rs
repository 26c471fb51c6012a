//! Several models of one screen as one.

use std::path::PathBuf;
use std::sync::OnceLock;

use thiserror::Error;

use super::{Member, ModelError, PredictError, TrainedModel, file};
use crate::jobs::{Cancelled, Progress};
use crate::models::{MemberRun, ModelCard};

/// Why models do not form an ensemble.
#[derive(Debug, Error)]
pub enum MergeError {
    /// Fewer than two.
    #[error("an ensemble needs at least 2 members, but there is {count}")]
    TooFew {
        /// Members given.
        count: usize,
    },
    /// A model that was not trained as a member.
    #[error("{} is no member of an ensemble; train it with --member and a number", path.display())]
    NoMember {
        /// Its file.
        path: PathBuf,
    },
    /// The same member twice.
    #[error("member {member} is both in {} and in {}", first.display(), second.display())]
    Twice {
        /// Its number.
        member: u32,
        /// A file that has it.
        first: PathBuf,
        /// Another.
        second: PathBuf,
    },
    /// Members of different ensembles.
    #[error("{} and {} are no members of one ensemble: {difference}", first.display(), second.display())]
    Different {
        /// One file.
        first: PathBuf,
        /// Another.
        second: PathBuf,
        /// What differs, and what to do.
        difference: String,
    },
    /// The user cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The parts do not fit, though their cards do.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Mean and spread of arrays that come one after the other (Welford 1962).
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    count: usize,
    means: Vec<f64>,
    /// Sums of squared distances from the mean.
    squares: Vec<f64>,
}

impl Moments {
    pub fn add(&mut self, values: &[f32]) {
        if self.count == 0 {
            (self.means, self.squares) = (vec![0.0; values.len()], vec![0.0; values.len()]);
        }
        self.count += 1;
        let count = self.count as f64;
        for ((mean, square), &value) in self.means.iter_mut().zip(&mut self.squares).zip(values) {
            let before = f64::from(value) - *mean;
            *mean += before / count;
            *square += before * (f64::from(value) - *mean);
        }
    }

    /// `count` arrays at once, by their mean and standard deviation (Chan, Golub and LeVeque 1979).
    fn add_many(&mut self, count: usize, means: &[f32], deviations: &[f32]) {
        let (own, other) = (self.count as f64, count as f64);
        let all = own + other;
        if self.count == 0 {
            (self.means, self.squares) = (vec![0.0; means.len()], vec![0.0; means.len()]);
        }
        self.count += count;
        let arrays = self.means.iter_mut().zip(&mut self.squares).zip(means.iter().zip(deviations));
        for ((mean, square), (&other_mean, &deviation)) in arrays {
            let distance = f64::from(other_mean) - *mean;
            *mean += distance * other / all;
            *square += f64::from(deviation).powi(2) * (other - 1.0) + distance * distance * own * other / all;
        }
    }

    /// Of one array itself, to the bit.
    pub fn means(&self) -> Vec<f32> {
        self.means.iter().map(|mean| *mean as f32).collect()
    }

    /// Divisor count − 1; none for one array.
    pub fn standard_deviations(&self) -> Option<Vec<f32>> {
        let divisor = (self.count > 1).then(|| (self.count - 1) as f64)?;
        Some(self.squares.iter().map(|square| (square / divisor).max(0.0).sqrt() as f32).collect())
    }
}

/// The ensemble of `models`, each with its file: single members, or ensembles that are taken apart. The same members give the
/// same ensemble, in whatever order they come.
///
/// # Errors
/// If there are fewer than two, if one of them was not trained as a member, if a member occurs twice, or if they were not
/// trained on the same cells with the same settings.
pub fn merge(mut models: Vec<(PathBuf, TrainedModel)>, progress: &dyn Progress) -> Result<TrainedModel, MergeError> {
    let mut seen: Vec<(u32, PathBuf)> = Vec::new();
    for (path, model) in &models {
        for run in runs(&model.card) {
            let run = run.ok_or_else(|| MergeError::NoMember { path: path.clone() })?;
            if let Some((member, first)) = seen.iter().find(|(member, _)| *member == run.member) {
                return Err(MergeError::Twice { member: *member, first: first.clone(), second: path.clone() });
            }
            seen.push((run.member, path.clone()));
        }
    }
    if seen.len() < 2 {
        return Err(MergeError::TooFew { count: seen.len() });
    }
    for pair in models.windows(2) {
        if let Some(difference) = difference(&pair[0].1, &pair[1].1) {
            let [first, second] = [&pair[0].0, &pair[1].0].map(Clone::clone);
            return Err(MergeError::Different { first, second, difference });
        }
    }
    let first_member = |model: &TrainedModel| runs(&model.card).flatten().map(|run| run.member).min();
    models.sort_by_key(|(_, model)| first_member(model));

    let mut shifts = Moments::default();
    for (_, model) in &models {
        match model.spread() {
            Some(spread) => shifts.add_many(model.members.len(), &model.predicted.shifts, spread),
            None => shifts.add(&model.predicted.shifts),
        }
    }
    let (_, first) = &models[0];
    let (mut card, observed, mut predicted) = (first.card.clone(), first.observed.clone(), first.predicted.clone());
    predicted.shifts = shifts.means();
    let spread = shifts.standard_deviations().unwrap_or_default();
    let mut members: Vec<(MemberRun, Member)> = Vec::with_capacity(seen.len());
    for (_, model) in models {
        let of_model: Vec<MemberRun> = runs(&model.card).flatten().collect();
        members.extend(of_model.into_iter().zip(model.members));
    }
    members.sort_by_key(|(run, _)| run.member);
    let (runs, members): (Vec<MemberRun>, Vec<Member>) = members.into_iter().unzip();
    card.format = file::ENSEMBLE;
    (card.settings.member, card.settings.members) = (None, Some(runs.len() as u32));
    card.history.clone_from(&runs[0].history);
    (card.best_epoch, card.ended) = (runs[0].best_epoch, ended(&runs));
    card.members = runs;
    let mut merged = TrainedModel::unsigned(card, members, observed, predicted, spread);
    // What the members together say of those that were not seen.
    let unseen: Vec<usize> = (0..merged.card.perturbations.len()).filter(|&row| merged.rests_on_others(row)).collect();
    merged.predict_rows(&unseen, progress).and_then(|()| merged.signed()).map_err(|error| match error {
        PredictError::Cancelled(cancelled) => MergeError::Cancelled(cancelled),
        PredictError::Tensor(error) => MergeError::Model(ModelError::Tensor(error)),
        other => MergeError::Model(ModelError::NotAModel { reason: other.to_string() }),
    })
}

/// How the members were trained; none for a model that is no member.
fn runs(card: &ModelCard) -> impl Iterator<Item = Option<MemberRun>> {
    let own = card.members.is_empty().then(|| {
        card.settings.member.map(|member| MemberRun {
            member,
            history: card.history.clone(),
            best_epoch: card.best_epoch,
            ended: card.ended.clone(),
        })
    });
    own.into_iter().chain(card.members.iter().cloned().map(Some))
}

/// Why the training of an ensemble ended: once if all members say the same.
fn ended(runs: &[MemberRun]) -> String {
    let first = &runs[0].ended;
    if runs.iter().all(|run| run.ended == *first) {
        return format!("{} members, each {first}", runs.len());
    }
    let each = runs.iter().map(|run| format!("{}: {}", run.member, run.ended)).collect::<Vec<_>>();
    format!("{} members; {}", runs.len(), each.join("; "))
}

/// What keeps two models from being members of one ensemble.
fn difference(a: &TrainedModel, b: &TrainedModel) -> Option<String> {
    let (card, other) = (&a.card, &b.card);
    if card.dataset.hash != other.dataset.hash {
        return Some(format!("they were trained on other data ({} and {})", card.dataset.name, other.dataset.name));
    }
    let (settings, others) = (&card.settings, &other.settings);
    if settings.seed != others.seed {
        return Some(format!(
            "their seeds are {} and {}, so that they hold out other cells; members share --seed and differ by --member",
            settings.seed, others.seed
        ));
    }
    if settings.prepare != others.prepare || settings.model != others.model {
        return Some("their settings differ; train them with the same ones".to_owned());
    }
    let same = card.genes == other.genes
        && card.treatments.iter().map(|treatment| &treatment.symbol).eq(other.treatments.iter().map(|t| &t.symbol))
        && card.perturbations == other.perturbations
        && a.observed.split == b.observed.split;
    (!same).then(|| {
        format!(
            "their cells or genes differ, though their settings are the same (written by versions {} and {})",
            card.program_version, other.program_version
        )
    })
}

impl Member {
    pub(super) fn new(model: crate::models::gpo_vae::GpoVae) -> Self {
        Self { model, predictor: OnceLock::new(), lent: OnceLock::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_all_values_whether_they_come_singly_or_together() {
        let arrays: [[f32; 3]; 5] =
            [[1.0, -2.0, 0.5], [2.5, -2.0, 0.25], [0.0, -2.0, 8.0], [4.0, -2.0, 1.0], [1.5, -2.0, 3.0]];
        let of = |arrays: &[[f32; 3]]| {
            let mut moments = Moments::default();
            arrays.iter().for_each(|values| moments.add(values));
            moments
        };
        let all = of(&arrays);
        let deviations = all.standard_deviations().unwrap();
        for gene in 0..3 {
            let values = arrays.map(|values| f64::from(values[gene]));
            let mean = values.iter().sum::<f64>() / 5.0;
            let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 4.0;
            assert!((f64::from(all.means()[gene]) - mean).abs() < 1e-6);
            assert!((f64::from(deviations[gene]) - square.sqrt()).abs() < 1e-6);
        }
        let (left, right) = (of(&arrays[..2]), of(&arrays[2..]));
        let mut joined = Moments::default();
        for part in [left, right] {
            joined.add_many(part.count, &part.means(), &part.standard_deviations().unwrap());
        }
        for (found, expected) in joined.standard_deviations().unwrap().iter().zip(&deviations) {
            assert!((found - expected).abs() < 1e-5);
        }
        let one = of(&arrays[..1]);
        assert_eq!((one.means(), one.standard_deviations()), (arrays[0].to_vec(), None));
    }
}
