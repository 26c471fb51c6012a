//! Interactions as a model predicts them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::Predicted;
use crate::evaluation::interactions::{
    InteractionClass, LEAST_GENES, Scores, predicts_deviation, relative_strength, size_of_deviation,
};
use crate::jobs::{Cancelled, Progress};
use crate::models::{INTERVAL_LEVEL, Intervention, TrainedModel, interval_factor};

/// What `model` predicts of those of `wanted` whose genes it knows, by `genes`. `responding` are the columns that scores rest on, of
/// pairs that were measured.
pub(super) fn predict(
    model: &TrainedModel,
    genes: &[String],
    wanted: &BTreeSet<[String; 2]>,
    responding: &BTreeMap<[String; 2], Vec<u32>>,
    seed: u64,
    progress: &dyn Progress,
) -> anyhow::Result<Vec<([String; 2], Predicted)>> {
    let knows: BTreeSet<&str> = model.card().treatments.iter().map(|treatment| treatment.symbol.as_str()).collect();
    let asked: Vec<&[String; 2]> =
        wanted.iter().filter(|targets| targets.iter().all(|gene| knows.contains(gene.as_str()))).collect();
    let columns: HashMap<&str, usize> =
        model.card().genes.iter().enumerate().map(|(at, gene)| (gene.as_str(), at)).collect();
    let places: Vec<Option<usize>> = genes.iter().map(|gene| columns.get(gene.as_str()).copied()).collect();
    let answer =
        |targets: &[String]| model.shifts_by_member(&Intervention::knock_out(targets.iter().cloned()), progress);
    let mut singles: BTreeMap<&str, Vec<Vec<f32>>> = BTreeMap::new();
    let mut answers = Vec::with_capacity(asked.len());
    for (at, targets) in asked.iter().enumerate() {
        progress.stage("Predicting pairs", Some(at as f32 / asked.len() as f32));
        for gene in *targets {
            if !singles.contains_key(gene.as_str()) {
                singles.insert(gene, answer(std::slice::from_ref(gene))?);
            }
        }
        answers.push(answer(&targets[..])?);
    }
    let done = AtomicUsize::new(0);
    let scored = asked.par_iter().zip(answers).map(|(targets, both)| {
        let share = done.fetch_add(1, Ordering::Relaxed) as f32 / asked.len() as f32;
        progress.stage("Scoring predicted pairs", Some(share));
        progress.check()?;
        let [a, b] = [0, 1].map(|at| &singles[targets[at].as_str()]);
        let shifts = [a, b, &both].map(|members| project(&mean(members), &places));
        let deviations: Vec<Vec<f32>> = (a.iter().zip(b).zip(&both))
            .map(|((a, b), both)| a.iter().zip(b).zip(both).map(|((a, b), both)| both - a - b).collect())
            .collect();
        let half_widths = (deviations.len() > 1).then(|| {
            let factor = interval_factor(deviations.len(), INTERVAL_LEVEL) as f32;
            project(&spread(&deviations).iter().map(|spread| factor * spread).collect::<Vec<f32>>(), &places)
        });
        let perturbed = |gene: usize| targets.contains(&genes[gene]);
        let everywhere: Vec<usize> =
            (0..genes.len()).filter(|&gene| !perturbed(gene) && shifts[2][gene].is_finite()).collect();
        let take = |list: &[f32], kept: &[usize]| kept.iter().map(|&gene| list[gene]).collect::<Vec<f32>>();
        let kept: Vec<usize> = match responding.get(*targets) {
            Some(columns) => {
                columns.iter().map(|&gene| gene as usize).filter(|&gene| shifts[2][gene].is_finite()).collect()
            }
            None => everywhere.clone(),
        };
        // Of too few genes that respond the scores would be none; predictions have no noise that others would bring in.
        let kept = if kept.len() < LEAST_GENES { everywhere.clone() } else { kept };
        let scores = Scores::of([&take(&shifts[0], &kept), &take(&shifts[1], &kept)], &take(&shifts[2], &kept), seed);
        let [a, b, both] = shifts.each_ref().map(|list| take(list, &everywhere));
        let predicted = Predicted {
            novelty: model.novelty(&Intervention::knock_out(targets.iter().cloned())),
            half_widths,
            class: InteractionClass::of(&scores, predicts_deviation([&a, &b], &both)),
            scores,
            relative: relative_strength([&a, &b], &both),
            size: size_of_deviation([&a, &b], &both),
            shifts,
        };
        Ok(((*targets).clone(), predicted))
    });
    Ok(scored.collect::<Result<Vec<_>, Cancelled>>()?)
}

/// `shifts` of the model's genes at `places`.
fn project(shifts: &[f32], places: &[Option<usize>]) -> Vec<f32> {
    places.iter().map(|place| place.map_or(f32::NAN, |place| shifts[place])).collect()
}

fn mean(members: &[Vec<f32>]) -> Vec<f32> {
    let genes = members.first().map_or(0, Vec::len);
    let of = |gene: usize| members.iter().map(|member| f64::from(member[gene])).sum::<f64>() / members.len() as f64;
    (0..genes).map(|gene| of(gene) as f32).collect()
}

/// Standard deviation over the members, divisor members − 1.
fn spread(members: &[Vec<f32>]) -> Vec<f32> {
    let means = mean(members);
    let of = |gene: usize| {
        let squares: f64 = members.iter().map(|member| f64::from(member[gene] - means[gene]).powi(2)).sum();
        (squares / (members.len() - 1) as f64).sqrt() as f32
    };
    (0..means.len()).map(of).collect()
}
