//! Do edges with a higher probability respond, and are they true, more often?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evaluation::networks::{EdgeTests, SIGNIFICANCE};
use crate::jobs::{Cancelled, Progress};
use crate::network::Sign;

/// Number of bins between 0 and 1.
const BINS: usize = 10;
/// Edges tested at most, evenly over the order of their probabilities.
const MOST: usize = 20_000;

/// Edges of similar probability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EdgeBin {
    /// How many.
    pub edges: usize,
    /// The mean of their probabilities.
    pub mean_probability: f64,
    /// Share whose target differs between control cells and cells whose regulator was perturbed (Mann–Whitney, p < 0.05).
    pub significant: f64,
    /// Share that are known edges; none where none are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<f64>,
}

/// The probabilities of edges against what held-out cells, and known edges, say of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EdgeCalibration {
    /// Edges that were tested.
    pub edges: usize,
    /// Bins of equal width between 0 and 1 that have edges, by rising probability.
    pub bins: Vec<EdgeBin>,
}

impl EdgeCalibration {
    /// Of edges (regulator, target, probability); those that `cells` cannot test are left out. None without any.
    pub fn of(
        edges: &[(usize, usize, f64)],
        cells: &dyn EdgeTests,
        truth: Option<&BTreeMap<(usize, usize), Sign>>,
        progress: &dyn Progress,
    ) -> Result<Option<Self>, Cancelled> {
        let mut sorted: Vec<&(usize, usize, f64)> = edges.iter().filter(|edge| edge.0 != edge.1).collect();
        sorted.sort_by(|a, b| a.2.total_cmp(&b.2).then(a.0.cmp(&b.0)).then(a.1.cmp(&b.1)));
        let step = sorted.len().div_ceil(MOST).max(1);
        let mut tested = Vec::new();
        for (at, &&(regulator, target, probability)) in sorted.iter().step_by(step).enumerate() {
            if at.is_multiple_of(256) {
                progress.check()?;
            }
            if let Some(test) = cells.test(regulator, target) {
                let known = truth.map(|truth| truth.contains_key(&(regulator, target)));
                tested.push((probability, test.p_value < SIGNIFICANCE, known));
            }
        }
        if tested.is_empty() {
            return Ok(None);
        }
        // Probabilities are in order, so that each bin is a run.
        let number = |probability: f64| ((probability * BINS as f64) as usize).min(BINS - 1);
        let runs = tested.chunk_by(|a, b| number(a.0) == number(b.0));
        let bins = runs.map(|part| {
            let share = |count: usize| count as f64 / part.len() as f64;
            EdgeBin {
                edges: part.len(),
                mean_probability: part.iter().map(|edge| edge.0).sum::<f64>() / part.len() as f64,
                significant: share(part.iter().filter(|edge| edge.1).count()),
                known: truth.map(|_| share(part.iter().filter(|edge| edge.2 == Some(true)).count())),
            }
        });
        Ok(Some(Self { edges: tested.len(), bins: bins.collect() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::networks::EdgeTest;
    use crate::jobs::Silent;

    /// Perturbing gene 0 moves the odd genes; gene 30 is not measured.
    struct Toy;

    impl EdgeTests for Toy {
        fn is_measured(&self, gene: usize) -> bool {
            gene < 30
        }

        fn is_perturbed(&self, gene: usize) -> bool {
            gene == 0
        }

        fn test(&self, parent: usize, child: usize) -> Option<EdgeTest> {
            let p_value = if child % 2 == 1 { 1e-6 } else { 0.7 };
            let test = EdgeTest { parent, child, p_value, wasserstein: 1.0, cells: [20, 20], difference: 1.0 };
            (self.is_perturbed(parent) && self.is_measured(child)).then_some(test)
        }
    }

    #[test]
    fn bins_tell_what_became_of_their_edges() {
        // The odd genes have the higher probabilities.
        let edges: Vec<(usize, usize, f64)> =
            (1..=30).map(|gene| (0, gene, if gene % 2 == 1 { 0.9 } else { 0.1 } + gene as f64 * 1e-3)).collect();
        let truth = BTreeMap::from([((0, 1), Sign::Activates)]);
        let found = EdgeCalibration::of(&edges, &Toy, Some(&truth), &Silent).unwrap().unwrap();
        let counts: Vec<usize> = found.bins.iter().map(|bin| bin.edges).collect();
        assert_eq!((found.edges, counts), (29, vec![14, 15]), "gene 30 cannot be tested");
        assert_eq!((found.bins[0].significant, found.bins[1].significant), (0.0, 1.0));
        assert!(found.bins.windows(2).all(|pair| pair[0].mean_probability < pair[1].mean_probability));
        let known: f64 = found.bins.iter().map(|bin| bin.known.unwrap() * bin.edges as f64).sum();
        assert!((known - 1.0).abs() < 1e-9);
        assert_eq!(EdgeCalibration::of(&[(1, 2, 0.5)], &Toy, None, &Silent).unwrap(), None, "cannot be tested");
    }
}
