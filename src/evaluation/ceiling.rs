//! How good a prediction can be at all: half of a perturbation's cells predicting the other half.

use std::collections::BTreeMap;

use rand::seq::SliceRandom as _;
use serde::{Deserialize, Serialize};

use super::effects::{Beside, EffectMetrics, EffectOptions, Evidence, compare_with};
use super::report::{RespondingGenes, classes};
use crate::data::{CellRole, Dataset, EffectTable};
use crate::jobs::{Cancelled, Progress};
use crate::random;

/// How often the cells are halved.
pub const SPLITS: usize = 5;

const WORDS: &str = "One half of all cells with the perturbation, and of the control cells, against the other half";

/// What it is called.
pub const NAME: &str = "Split-half replicate";

/// Metrics of the split-half replicate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ceiling {
    /// How often the cells were halved; the metrics are means.
    pub splits: usize,
    /// The metrics, the perturbed genes left out.
    pub effects: EffectMetrics,
    /// The genes that respond significantly in one half against those in the other, of the first split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responding: Option<RespondingGenes>,
}

/// Those of all perturbations and of each class.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ceilings {
    /// Of all perturbations.
    pub all: Ceiling,
    /// By class; empty if all are of one. The genes that respond are compared over all perturbations alone.
    pub of_class: BTreeMap<String, Ceiling>,
}

impl Ceilings {
    /// Of `cells` (rows of `dataset`): in each of [`SPLITS`] splits the shifts of one half, perturbed and control cells alike, are
    /// judged as a prediction of the other half. Only perturbations called in `names` count, and those with at least two cells. None
    /// where there are none, or fewer than two control cells.
    ///
    /// All cells that a perturbation has belong here, not the held-out ones alone: nothing is fitted to them, and halves of few cells are
    /// a ceiling that is easily passed. Methods are judged by fewer cells, whose noise keeps even a perfect one somewhat below.
    pub fn of_cells(
        dataset: &Dataset,
        cells: &[u32],
        names: &[String],
        training_mean: Option<&[f32]>,
        class_of: &dyn Fn(&str) -> String,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Option<Self>, Cancelled> {
        let mut groups = vec![Vec::new(); dataset.perturbations().len() + 1];
        for &cell in cells {
            match dataset.roles()[cell as usize] {
                CellRole::Control => groups[0].push(cell),
                CellRole::Perturbed(index) if names.contains(&dataset.perturbations()[index as usize].name()) => {
                    groups[index as usize + 1].push(cell);
                }
                _ => {}
            }
        }
        if groups[0].len() < 2 || groups[1..].iter().all(|group| group.len() < 2) {
            return Ok(None);
        }
        let mut random = random::stream(seed, "split-half replicate");
        let (mut found, mut responding) = (Vec::with_capacity(SPLITS), None);
        let mut found_by_class: BTreeMap<String, Vec<EffectMetrics>> = BTreeMap::new();
        for split in 0..SPLITS {
            progress.stage("Halving the cells", Some(split as f32 / SPLITS as f32));
            let mut halves = [Vec::new(), Vec::new()];
            for group in groups.iter_mut().filter(|group| group.len() >= 2) {
                group.shuffle(&mut random);
                let (first, second) = group.split_at(group.len() / 2);
                halves[0].extend_from_slice(first);
                halves[1].extend_from_slice(second);
            }
            halves.iter_mut().for_each(|half| half.sort_unstable());
            let [predicted, observed] = [0, 1].map(|half: usize| EffectTable::observed(dataset, &halves[half]));
            let (Some(predicted), Some(observed)) = (predicted, observed) else { continue };
            let evidence = Evidence::of_cells(dataset, &halves[1], progress)?;
            if split == 0 {
                // Once is enough: it takes as long as everything else together.
                let half = Evidence::of_cells(dataset, &halves[0], progress)?;
                let genes = observed.genes.len();
                let own = |name: &str| {
                    let row = predicted.find(name)?;
                    Some(half.significant[row * genes..(row + 1) * genes].to_vec())
                };
                responding = RespondingGenes::of(NAME, WORDS, &observed, &evidence, &predicted.genes, own);
            }
            let judged = |observed: &EffectTable, evidence: &Evidence| {
                let beside = Beside { training_mean, evidence: Some(evidence) };
                compare_with(&predicted, observed, EffectOptions::default(), beside).overall
            };
            found.push(judged(&observed, &evidence));
            for (class, rows) in classes(&observed.perturbations, class_of) {
                let metrics = judged(&observed.part(&rows), &evidence.part(&rows));
                found_by_class.entry(class).or_default().push(metrics);
            }
        }
        let mean = |found: &[EffectMetrics]| Ceiling {
            splits: found.len(),
            effects: EffectMetrics::mean(found),
            responding: None,
        };
        let of_class = found_by_class.iter().map(|(class, found)| (class.clone(), mean(found))).collect();
        Ok(Some(Self { all: Ceiling { responding, ..mean(&found) }, of_class }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::jobs::Silent;

    #[test]
    fn a_replicate_is_far_better_than_nothing_and_more_cells_raise_it() {
        let ceiling = |cells: usize| {
            let config = SimulateConfig { cells, genes: 60, perturbations: 6, ..SimulateConfig::default() };
            let screen = simulate(&config, &Silent).unwrap();
            let all: Vec<u32> = (0..screen.dataset.cell_count() as u32).collect();
            let names: Vec<String> = screen.dataset.perturbations().iter().map(|known| known.name()).collect();
            let class = |name: &str| if name == names[0] { "first" } else { "other" }.to_owned();
            Ceilings::of_cells(&screen.dataset, &all, &names, None, &class, 1, &Silent).unwrap().unwrap()
        };
        let (few, many) = (ceiling(300), ceiling(3000));
        let counts: Vec<(&str, usize)> =
            many.of_class.iter().map(|(class, own)| (class.as_str(), own.effects.perturbations)).collect();
        assert_eq!(counts, [("first", 1), ("other", many.all.effects.perturbations - 1)]);
        assert!(many.of_class.values().all(|own| own.splits == SPLITS && own.effects.pearson.is_some()));
        assert!(many.of_class["other"].effects.pearson > Some(0.3), "{:?}", many.of_class);
        let (few, many) = (few.all, many.all);
        let sets = many.responding.as_ref().map(|sets| sets.jaccard_significant);
        let (few, many) = (few.effects, many.effects);
        assert!(many.pearson > few.pearson && many.mean_absolute_error < few.mean_absolute_error, "{few:?} {many:?}");
        assert!(many.pearson.unwrap() > 0.5 && many.further.discrimination.unwrap() > 0.6, "{many:?}");
        assert!(sets > Some(0.3), "{sets:?}");
        assert!(many.further.de_overlap.is_some() && many.further.pearson_beyond_mean.is_none());
    }

    #[test]
    fn there_is_none_without_two_cells() {
        let config = SimulateConfig { cells: 300, genes: 60, perturbations: 6, ..SimulateConfig::default() };
        let screen = simulate(&config, &Silent).unwrap();
        let none = Ceilings::of_cells(&screen.dataset, &[0, 1, 2], &[], None, &|_| String::new(), 1, &Silent).unwrap();
        assert_eq!(none, None);
    }
}
