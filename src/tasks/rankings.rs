//! Rankings of edges by the baselines, for `evaluate` and `benchmark` alike.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom as _;

use crate::data::{Dataset, EffectTable, PerturbationKind};
use crate::evaluation::report::Ranking;
use crate::jobs::{Cancelled, Progress};
use crate::models::baselines::networks::{
    Panel, correlation, knock_out_score, mean_difference, random_order, ridge, trees,
};
use crate::models::baselines::{EdgeScores, NetworkBaseline};
use crate::random;
use crate::words::{counted, grouped};

/// Pairs of genes × cells of trees at most: about two minutes on two cores at 400 trees per gene.
const MOST_TREE_WORK: usize = 1_200_000_000;
/// Fewer cells would say nothing, however many genes there are.
const FEWEST_TREE_CELLS: usize = 200;
/// Ordered pairs of genes up to which all are ranked; of more only those from perturbed genes, where there are any: they can be tested.
const ALL_PAIRS: usize = 2_000 * 2_000;
/// Ordered pairs of genes that are ranked at most: every method holds a score for each.
const MOST_PAIRS: usize = 5_000 * 5_000;

/// What there is to rank edges by.
pub(super) struct Sources<'a> {
    /// The genes between which edges are ranked; their numbers are those of the rankings.
    pub genes: &'a [String],
    /// Shifts per perturbation; empty where nothing was perturbed.
    pub effects: &'a EffectTable,
    /// How it was perturbed.
    pub kind: PerturbationKind,
    /// Cells (rows) to correlate genes over.
    pub correlated: Option<(&'a Dataset, Vec<u32>)>,
    /// Cells to explain genes in by trees, and how many of them at most.
    pub explained: Option<(&'a Dataset, Vec<u32>, usize)>,
    /// Of the draws.
    pub seed: u64,
}

/// Rankings of the baselines that the sources permit, and what a reader should know of them.
pub(super) struct Ranked {
    pub methods: Vec<(NetworkBaseline, Ranking)>,
    pub notes: Vec<String>,
}

impl Ranked {
    /// The rankings alone.
    pub fn rankings(&self) -> Vec<Ranking> {
        self.methods.iter().map(|(_, ranking)| ranking.clone()).collect()
    }
}

impl Sources<'_> {
    /// The genes that edges are ranked from: all, or where that makes many pairs those that were perturbed alone. None where there are too
    /// many.
    pub fn regulators(&self) -> Option<Vec<String>> {
        regulators(self.genes, &self.effects.perturbations, [ALL_PAIRS, MOST_PAIRS])
    }

    /// Rank by all of them, from the genes of [`Self::regulators`] (none: not at all).
    pub fn rank(self, progress: &dyn Progress) -> Result<Ranked, Cancelled> {
        progress.stage("Ranking edges", None);
        let mut notes = Vec::new();
        let Some(regulators) = self.regulators() else {
            notes.push(format!("No edges are ranked: {} make too many pairs", counted(self.genes.len(), "gene")));
            return Ok(Ranked { methods: Vec::new(), notes });
        };
        if regulators.len() < self.genes.len() {
            notes.push(format!(
                "Edges are ranked from the {} alone, to all {}",
                counted(regulators.len(), "perturbed gene"),
                counted(self.genes.len(), "gene")
            ));
        }
        let mut found: Vec<(NetworkBaseline, EdgeScores)> = Vec::new();
        let perturbed = !self.effects.perturbations.is_empty();
        let measured: Vec<String> = self.genes.iter().filter(|gene| self.measures(gene)).cloned().collect();
        if perturbed {
            found.push((NetworkBaseline::MeanDifference, mean_difference(self.effects, self.genes, self.kind)));
            let scores = knock_out_score(self.effects, self.genes, self.kind);
            found.extend(scores.map(|scores| (NetworkBaseline::KnockOutScore, scores)));
        }
        progress.check()?;
        if let Some((dataset, cells)) = &self.correlated {
            let scores = correlation(Panel::of(dataset, cells, self.genes), &regulators, progress)?;
            found.push((NetworkBaseline::Correlation, scores));
        }
        if perturbed && let Some(scores) = ridge(self.effects, &regulators, self.genes, progress)? {
            found.push((NetworkBaseline::Ridge, scores));
        }
        if let Some((dataset, cells, most)) = &self.explained {
            let (cells, note) = drawn(cells, *most, measured.len() * regulators.len().min(measured.len()), self.seed);
            notes.extend(note);
            let panel = Panel::of(dataset, &cells, self.genes);
            found.push((NetworkBaseline::Trees, trees(&panel, &regulators, &panel.genes, self.seed, progress)?));
        }
        // Of all pairs: whichever of them are judged, they are in a random order.
        found.push((NetworkBaseline::RandomOrder, random_order(&regulators, &measured, self.seed)));
        progress.check()?;
        let number: BTreeMap<&str, usize> =
            self.genes.iter().enumerate().map(|(at, gene)| (gene.as_str(), at)).collect();
        let methods = found.into_iter().map(|(baseline, scores)| (baseline, ranking(baseline, &scores, &number)));
        Ok(Ranked { methods: methods.collect(), notes })
    }

    fn measures(&self, gene: &str) -> bool {
        let dataset = self.correlated.as_ref().map(|(dataset, _)| *dataset);
        match dataset.or(self.explained.as_ref().map(|(dataset, ..)| *dataset)) {
            Some(dataset) => dataset.genes().column(gene).is_some(),
            None => self.effects.genes.iter().any(|known| known == gene),
        }
    }
}

fn ranking(baseline: NetworkBaseline, scores: &EdgeScores, number: &BTreeMap<&str, usize>) -> Ranking {
    let edges = scores.ranked().into_iter().filter_map(|(regulator, target, score, sign)| {
        Some((*number.get(regulator)?, *number.get(target)?, f64::from(score), sign))
    });
    Ranking { method: baseline.label().to_owned(), edges: edges.collect() }
}

/// Those of `genes` that edges to all of them are ranked from, in their order: all of them up to so many pairs, else those perturbed, and
/// never more pairs than the second number.
fn regulators(genes: &[String], perturbations: &[String], [all, most]: [usize; 2]) -> Option<Vec<String>> {
    let alone: BTreeSet<&String> = perturbations.iter().collect();
    let perturbed: Vec<String> = genes.iter().filter(|gene| alone.contains(gene)).cloned().collect();
    let pairs = genes.len() * genes.len();
    let chosen = if pairs <= all || perturbed.is_empty() { genes.to_vec() } else { perturbed };
    (chosen.len() * genes.len() <= most).then_some(chosen)
}

/// At most `most` of `cells`, fewer where there are many `pairs` of genes; drawn, and in their order.
fn drawn(cells: &[u32], most: usize, pairs: usize, seed: u64) -> (Vec<u32>, Option<String>) {
    let affordable = (MOST_TREE_WORK / pairs.max(1)).max(FEWEST_TREE_CELLS);
    let count = most.min(affordable);
    if cells.len() <= count {
        return (cells.to_vec(), None);
    }
    let mut shuffled = cells.to_vec();
    let (chosen, _) = shuffled.partial_shuffle(&mut random::stream(seed, "cells of trees"), count);
    let mut chosen = chosen.to_vec();
    chosen.sort_unstable();
    let note =
        format!("Boosted trees were grown on {} of {}, drawn at random", grouped(count), counted(cells.len(), "cell"));
    (chosen, Some(note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_ranked_from_perturbed_genes_alone_where_there_are_many_genes() {
        let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (genes, perturbations) = (strings(&["A", "B", "C", "D"]), strings(&["D", "A+C", "B", "Q"]));
        assert_eq!(regulators(&genes, &perturbations, [16, 16]).unwrap(), genes);
        assert_eq!(regulators(&genes, &perturbations, [15, 16]).unwrap(), ["B", "D"]);
        assert_eq!(regulators(&genes, &perturbations, [5, 7]), None);
        assert_eq!(regulators(&genes, &[], [15, 16]).unwrap(), genes);
        assert_eq!(regulators(&genes, &[], [15, 15]), None);
    }

    #[test]
    fn fewer_cells_are_drawn_where_there_are_many_genes() {
        let cells: Vec<u32> = (0..20_000).collect();
        let (all, note) = drawn(&cells[..900], 5_000, 600 * 600, 1);
        assert_eq!((all.len(), note), (900, None));
        let (some, note) = drawn(&cells, 5_000, 600 * 600, 1);
        assert!(some.len() == 3_333 && some.is_sorted() && note.unwrap().contains("3,333 of 20,000 cells"));
        assert_eq!(drawn(&cells, 5_000, 400 * 400, 1).0.len(), 5_000);
        assert_eq!(drawn(&cells, 5_000, 2_000 * 2_000, 1).0.len(), 300);
        assert_eq!(drawn(&cells, 5_000, 20_000 * 20_000, 1).0.len(), FEWEST_TREE_CELLS);
        assert_eq!(drawn(&cells, 5_000, 600 * 600, 1).0, some);
    }
}
