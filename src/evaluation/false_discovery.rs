//! Scores against what chance makes of them: the false discovery rate by permutation.

use rayon::prelude::*;

/// Scores, and how many scores of shuffled data are at least as large as each. A score is the better the larger it is.
///
/// The false discovery rate (Benjamini and Hochberg 1995) of the scores from a threshold on is estimated as the number of null scores
/// from there on per shuffle, over the number of scores (Tusher, Tibshirani and Chu 2001). Null scores are counted over all tests
/// together: each test adds its own to the sum, so that tests need not have the same null. All tests are taken as possibly null
/// (π₀ = 1), which errs on the side of caution.
#[derive(Clone, Debug)]
pub struct AgainstNull {
    /// Positions of the scores, the best first.
    order: Vec<u32>,
    /// The scores in that order.
    scores: Vec<f64>,
    /// Of each place in that order: null scores that reach this score and no better one.
    reaching: Vec<u64>,
    shuffles: u32,
}

impl AgainstNull {
    /// `scores`, none of them NaN.
    pub fn new(scores: &[f64]) -> Self {
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        order.par_sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]).then(a.cmp(&b)));
        let sorted = order.iter().map(|&at| scores[at as usize]).collect();
        Self { order, scores: sorted, reaching: vec![0; scores.len()], shuffles: 0 }
    }

    /// The scores of the same tests in data that were shuffled once.
    pub fn add_shuffle(&mut self, mut null: Vec<f64>) {
        null.par_sort_unstable_by(|a, b| b.total_cmp(a));
        let mut place = 0;
        for score in null {
            while self.scores.get(place).is_some_and(|better| *better > score) {
                place += 1;
            }
            match self.reaching.get_mut(place) {
                Some(reaching) => *reaching += 1,
                None => break,
            }
        }
        self.shuffles += 1;
    }

    /// The q value of each score: the smallest false discovery rate among thresholds that it passes (Storey and Tibshirani 2003), in
    /// the order of the scores, above 0 and at most 1; equal for equal scores, never larger for a larger one. One null score more
    /// than were found is counted, as in the p value of a permutation test (Phipson and Smyth 2010): few shuffles cannot show that
    /// there are none. Without shuffles all are 1.
    pub fn q_values(&self) -> Vec<f64> {
        let mut q_values = vec![1.0; self.scores.len()];
        if self.shuffles == 0 {
            return q_values;
        }
        let mut reached = 0;
        let rates: Vec<f64> = (1u64..)
            .zip(&self.reaching)
            .map(|(scores, reaching)| {
                reached += reaching;
                (reached + 1) as f64 / f64::from(self.shuffles) / scores as f64
            })
            .collect();
        let mut smallest = 1.0f64;
        for (rate, &at) in rates.iter().zip(&self.order).rev() {
            smallest = smallest.min(*rate);
            q_values[at as usize] = smallest;
        }
        q_values
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random;

    #[test]
    fn null_scores_are_counted_over_all_tests_and_shuffles() {
        let mut against = AgainstNull::new(&[1.0, 5.0, 3.0, 3.0, 0.5]);
        assert_eq!(against.q_values(), [1.0; 5], "nothing is known without shuffles");
        against.add_shuffle(vec![3.0, 0.7, 0.6, 0.2, 0.1]);
        against.add_shuffle(vec![4.0, 0.9, 0.4, 0.3, 0.2]);
        // Reached by 0, 2, 2, 2 and 5 null scores of two shuffles, and one more.
        let expected = [3.0 / 8.0, 1.0 / 2.0, 1.0 / 2.0, 1.0 / 2.0, 6.0 / 10.0];
        let expected = [expected[0], 0.375, 0.375, 0.375, expected[4]];
        let found = against.q_values();
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
    }

    /// Scores of `effects` true and `nulls` other tests, uniform without an effect.
    fn screen(effects: usize, nulls: usize, seed: u64) -> (Vec<f64>, AgainstNull) {
        let mut random = random::stream(seed, "test");
        let mut scores: Vec<f64> = (0..effects).map(|_| 0.95 + 0.5 * random.random::<f64>()).collect();
        scores.extend((0..nulls).map(|_| random.random::<f64>()));
        let mut against = AgainstNull::new(&scores);
        for _ in 0..20 {
            against.add_shuffle((0..scores.len()).map(|_| random.random()).collect());
        }
        (scores, against)
    }

    #[test]
    fn the_rate_is_that_of_false_ones_among_what_is_found() {
        let (effects, mut discoveries, mut false_ones) = (200, [0.0; 3], [0.0; 3]);
        for seed in 0..30 {
            let q_values = screen(effects, 800, seed).1.q_values();
            for (at, level) in [0.05, 0.1, 0.2].into_iter().enumerate() {
                discoveries[at] += q_values.iter().filter(|q| **q <= level).count() as f64;
                false_ones[at] += q_values[effects..].iter().filter(|q| **q <= level).count() as f64;
            }
        }
        for (at, level) in [0.05, 0.1, 0.2].into_iter().enumerate() {
            let rate = false_ones[at] / discoveries[at];
            // Four fifths of the tests are null, all are taken for it.
            assert!(rate > 0.6 * level && rate < 1.05 * level, "{rate} at {level}");
            assert!(discoveries[at] > 30.0 * 150.0, "found are most: {discoveries:?}");
        }
        // Where there is nothing to find, seldom anything is found.
        let found = (0..200).filter(|&seed| screen(0, 500, seed).1.q_values().iter().any(|q| *q <= 0.1)).count();
        assert!(found <= 32, "in {found} of 200 screens");
    }

    proptest! {
        #[test]
        fn q_values_are_rates_that_fall_with_the_score(
            scores in prop::collection::vec((0u8..40).prop_map(f64::from), 1..60),
            null in prop::collection::vec(prop::collection::vec((0u8..40).prop_map(f64::from), 60), 0..4),
        ) {
            let mut against = AgainstNull::new(&scores);
            let shuffles = null.len();
            for shuffle in null {
                against.add_shuffle(shuffle[..scores.len()].to_vec());
            }
            let q_values = against.q_values();
            for (&score, &q) in scores.iter().zip(&q_values) {
                prop_assert!(q > 0.0 && q <= 1.0);
                prop_assert!(shuffles > 0 || q == 1.0);
                for (&other, &other_q) in scores.iter().zip(&q_values) {
                    prop_assert!(score < other || q <= other_q);
                }
            }
        }
    }
}
