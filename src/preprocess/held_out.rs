//! Which perturbations are kept whole from the training, to be predicted unseen.
//!
//! Cells are split within each condition in any case; what is held out here is tested as a whole. The classes of held-out
//! combinations are those of GEARS (Roohani et al. 2024): of how many of its genes training sees the single
//! perturbation. Draws are seeded and go by name, so that the order of a file does not matter.

use std::collections::BTreeSet;

use rand::seq::SliceRandom as _;
use serde::{Deserialize, Serialize};

use crate::random;

/// What the test is to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitBy {
    /// Unseen cells of perturbations that training sees (GPO-VAE's protocol).
    #[default]
    Cells,
    /// Unseen perturbations: a share of all is held out.
    Perturbations,
    /// Unseen combinations: a share of the combinations is held out.
    Combinations,
    /// Unseen genes (GEARS' simulation split): a share of the perturbed genes is held out with everything that hits them, and
    /// the same share of the combinations of the other genes.
    Genes,
}

impl SplitBy {
    /// All, the usual one first.
    pub const ALL: [Self; 4] = [Self::Cells, Self::Perturbations, Self::Combinations, Self::Genes];

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Cells => "by cell",
            Self::Perturbations => "by perturbation",
            Self::Combinations => "by combination",
            Self::Genes => "by gene",
        }
    }
}

/// A perturbation kept whole from the training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldOut {
    /// Its name: `STAT1`, `JAK2+STAT1`.
    pub name: String,
    /// Number of its genes.
    pub genes: usize,
    /// Of how many of them training sees the single perturbation.
    pub seen_alone: usize,
}

impl HeldOut {
    /// GEARS' class: `unseen gene`, `0 of 2 seen`, `1 of 2 seen`, `2 of 2 seen`.
    pub fn class(&self) -> String {
        match self.genes {
            1 => "unseen gene".to_owned(),
            genes => format!("{} of {genes} seen", self.seen_alone),
        }
    }
}

/// Number of every class, in words: `3 unseen genes, 2 combinations with 1 of 2 seen`.
pub(super) fn classes_in_words(held_out: &[HeldOut]) -> String {
    let mut counts: Vec<((usize, usize), usize)> = Vec::new();
    for held in held_out {
        let class = (held.genes, if held.genes == 1 { 0 } else { held.seen_alone });
        match counts.iter_mut().find(|(known, _)| *known == class) {
            Some((_, count)) => *count += 1,
            None => counts.push((class, 1)),
        }
    }
    counts.sort_unstable();
    let words = counts.into_iter().map(|((genes, seen), count)| {
        let plural = if count == 1 { "" } else { "s" };
        match genes {
            1 => format!("{count} unseen gene{plural}"),
            _ => format!("{count} combination{plural} with {seen} of {genes} genes seen alone"),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Positions of `perturbations` (the sorted genes of each) that are held out: a `share` of what `by` says, at least one where
/// there is any, drawn with `seed`.
pub(super) fn draw(by: SplitBy, share: f64, perturbations: &[&[String]], seed: u64) -> BTreeSet<usize> {
    let is_combination = |at: &usize| perturbations[*at].len() > 1;
    let all = 0..perturbations.len();
    let name = |at: &usize| perturbations[*at].join("+");
    match by {
        SplitBy::Cells => BTreeSet::new(),
        SplitBy::Perturbations => some(all.collect(), name, share, seed, "held-out perturbations"),
        SplitBy::Combinations => some(all.filter(is_combination).collect(), name, share, seed, "held-out combinations"),
        SplitBy::Genes => {
            let genes: BTreeSet<&String> = perturbations.iter().copied().flatten().collect();
            let unseen = some(genes.into_iter().collect(), |gene| (*gene).clone(), share, seed, "held-out genes");
            let hit = |at: &usize| perturbations[*at].iter().any(|gene| unseen.contains(gene));
            let others = all.clone().filter(|at| is_combination(at) && !hit(at)).collect();
            let mut held = some(others, name, share, seed, "held-out combinations");
            held.extend(all.filter(hit));
            held
        }
    }
}

/// A share of `from`, rounded, at least one of them.
fn some<T: Ord>(mut from: Vec<T>, name: impl Fn(&T) -> String, share: f64, seed: u64, stream: &str) -> BTreeSet<T> {
    if share.is_nan() || share <= 0.0 || from.is_empty() {
        return BTreeSet::new();
    }
    from.sort_by_cached_key(&name);
    from.shuffle(&mut random::stream(seed, stream));
    let count = ((from.len() as f64 * share.min(1.0)).round() as usize).max(1);
    from.into_iter().take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn perturbations() -> Vec<Vec<String>> {
        let names = ["A", "B", "C", "D", "E", "A+B", "A+C", "B+D", "C+D", "D+E"];
        names.iter().map(|name| name.split('+').map(str::to_owned).collect()).collect()
    }

    fn drawn(by: SplitBy, share: f64, seed: u64) -> Vec<String> {
        let all = perturbations();
        let targets: Vec<&[String]> = all.iter().map(Vec::as_slice).collect();
        draw(by, share, &targets, seed).into_iter().map(|at| all[at].join("+")).collect()
    }

    #[test]
    fn shares_are_drawn_from_what_the_split_is_about() {
        assert!(drawn(SplitBy::Cells, 0.5, 1).is_empty());
        assert_eq!(drawn(SplitBy::Perturbations, 0.3, 1).len(), 3);
        let combinations = drawn(SplitBy::Combinations, 0.4, 1);
        assert!(combinations.len() == 2 && combinations.iter().all(|name| name.contains('+')));
        assert_eq!(drawn(SplitBy::Combinations, 0.01, 1).len(), 1);
        assert!(drawn(SplitBy::Perturbations, 0.0, 1).is_empty());
        assert_eq!(drawn(SplitBy::Perturbations, 0.3, 1), drawn(SplitBy::Perturbations, 0.3, 1));
        let seeds = (0..20).map(|seed| drawn(SplitBy::Perturbations, 0.3, seed)).collect::<BTreeSet<_>>();
        assert!(seeds.len() > 5);
    }

    #[test]
    fn a_held_out_gene_takes_its_combinations_along() {
        for seed in 0..10 {
            let held = drawn(SplitBy::Genes, 0.2, seed);
            let genes: Vec<&String> = held.iter().filter(|name| !name.contains('+')).collect();
            assert_eq!(genes.len(), 1);
            for combination in perturbations().iter().filter(|genes| genes.len() == 2) {
                assert!(!combination.contains(genes[0]) || held.contains(&combination.join("+")), "{held:?}");
            }
            // And one of the others, all of whose genes are seen.
            let others = held.iter().filter(|name| name.contains('+') && !name.split('+').any(|gene| gene == genes[0]));
            assert_eq!(others.count(), 1);
        }
    }

    #[test]
    fn classes_are_counted_in_words() {
        let held = |name: &str, genes, seen_alone| HeldOut { name: name.to_owned(), genes, seen_alone };
        let all = [held("A+B", 2, 1), held("C", 1, 0), held("A+D", 2, 1), held("B+D", 2, 2)];
        assert_eq!(
            classes_in_words(&all),
            "1 unseen gene, 2 combinations with 1 of 2 genes seen alone, 1 combination with 2 of 2 genes seen alone"
        );
        assert_eq!((all[0].class(), all[1].class()), ("1 of 2 seen".to_owned(), "unseen gene".to_owned()));
    }
}
