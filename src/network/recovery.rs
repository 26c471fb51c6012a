//! How well a ranking of candidate edges recovers those that are known to be true.
//!
//! All functions take one (score, is true) pair per candidate: every pair of the universe in question, scored or not
//! (score the missing ones below all others). Larger scores come first; candidates of equal score are one group that is
//! taken as a whole, so the order of the input never matters. NaN counts as the lowest score.

use serde::{Deserialize, Serialize};

use super::{Grn, Sign};

/// Everything at once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Recovery {
    /// Number of candidate edges.
    pub candidates: usize,
    /// How many of them are true.
    pub true_edges: usize,
    /// Area under the precision–recall curve, see [`auprc`].
    pub auprc: Option<f64>,
    /// Area under the receiver operating characteristic, see [`auroc`].
    pub auroc: Option<f64>,
    /// Early precision ratio, see [`early_precision_ratio`].
    pub early_precision_ratio: Option<f64>,
}

impl Recovery {
    /// Judge a ranking.
    pub fn of(candidates: &[(f64, bool)]) -> Self {
        Self {
            candidates: candidates.len(),
            true_edges: candidates.iter().filter(|(_, is_true)| *is_true).count(),
            auprc: auprc(candidates),
            auroc: auroc(candidates),
            early_precision_ratio: early_precision_ratio(candidates),
        }
    }

    /// Share of the candidates that are true: the AUPRC of a random order.
    pub fn density(&self) -> Option<f64> {
        (self.candidates > 0).then(|| self.true_edges as f64 / self.candidates as f64)
    }

    /// AUPRC over density: how many times better than a random order.
    pub fn auprc_ratio(&self) -> Option<f64> {
        Some(self.auprc? / self.density().filter(|&density| density > 0.0)?)
    }
}

/// A ranked network held against a true one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Every candidate pair with its score (minus its rank) and whether it is true.
    pub candidates: Vec<(f64, bool)>,
    /// Given and true sign of the true edges that the network has, too.
    pub signs: Vec<(Sign, Sign)>,
}

impl Comparison {
    /// Compare over all ordered pairs of one of `regulators` with another of `targets` (symbols, each once). Pairs that
    /// `grn` does not have score below all others. Only pairs that the data could show belong here: regulators that were
    /// perturbed, targets that were measured.
    pub fn new(grn: &Grn, truth: &Grn, regulators: &[&str], targets: &[&str]) -> Self {
        let edge = |network: &Grn, regulator: &str, target: &str| {
            network.edge(network.find(regulator)?, network.find(target)?).copied()
        };
        let mut comparison = Self::default();
        for &regulator in regulators {
            for &target in targets.iter().filter(|&&target| target != regulator) {
                let (given, is) = (edge(grn, regulator, target), edge(truth, regulator, target));
                let score = given.map_or(f64::NEG_INFINITY, |edge| -f64::from(edge.rank));
                comparison.candidates.push((score, is.is_some()));
                if let (Some(given), Some(is)) = (given, is) {
                    comparison.signs.push((given.sign, is.sign));
                }
            }
        }
        comparison
    }

    /// How well the ranking recovers the true edges.
    pub fn recovery(&self) -> Recovery {
        Recovery::of(&self.candidates)
    }

    /// Share of right signs, see [`sign_accuracy`].
    pub fn sign_accuracy(&self) -> Option<f64> {
        sign_accuracy(self.signs.iter().copied())
    }
}

/// A point of a curve: what is true among the best so many.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Candidates taken.
    pub taken: usize,
    /// True ones among them, over those taken.
    pub precision: f64,
    /// True ones among them, over all that are true.
    pub recall: f64,
}

/// Precision and recall after each group of equal scores, best first. Empty if nothing is true.
pub fn precision_recall(candidates: &[(f64, bool)]) -> Vec<CurvePoint> {
    let groups = groups(candidates);
    let all: usize = groups.iter().map(|group| group.positives).sum();
    if all == 0 {
        return Vec::new();
    }
    let (mut taken, mut found) = (0, 0);
    let point = |group: &Group| {
        taken += group.size;
        found += group.positives;
        CurvePoint { taken, precision: found as f64 / taken as f64, recall: found as f64 / all as f64 }
    };
    groups.iter().map(point).collect()
}

/// At most `most` (two or more) points of `curve`, about evenly spaced in recall: for each step of recall the first point that reaches it;
/// first and last stay.
pub fn thinned(curve: Vec<CurvePoint>, most: usize) -> Vec<CurvePoint> {
    let Some((&first, &last)) = curve.first().zip(curve.last()) else { return curve };
    if curve.len() <= most {
        return curve;
    }
    let steps = most - 1;
    let mut kept = vec![first];
    let mut next = 1;
    for point in &curve[1..curve.len() - 1] {
        let reached = (point.recall * steps as f64) as usize;
        if reached >= next && kept.len() < steps {
            kept.push(*point);
            next = reached + 1;
        }
    }
    kept.push(last);
    kept
}

/// Area under the precision–recall curve as average precision: Σ (R_k − R_{k−1})·P_k over the groups of equal score, no
/// interpolation (the definition of scikit-learn's `average_precision_score`). None if nothing is true.
pub fn auprc(candidates: &[(f64, bool)]) -> Option<f64> {
    let curve = precision_recall(candidates);
    let mut before = 0.0;
    let step = |point: &CurvePoint| {
        let gained = point.recall - before;
        before = point.recall;
        gained * point.precision
    };
    (!curve.is_empty()).then(|| curve.iter().map(step).sum())
}

/// Area under the receiver operating characteristic: the probability that a true candidate scores above a false one,
/// ties counted half. None unless there are both.
pub fn auroc(candidates: &[(f64, bool)]) -> Option<f64> {
    let (mut above, mut wins) = (0.0, 0.0);
    for group in groups(candidates) {
        let negatives = (group.size - group.positives) as f64;
        wins += negatives * (above + 0.5 * group.positives as f64);
        above += group.positives as f64;
    }
    let negatives = candidates.len() as f64 - above;
    (above > 0.0 && negatives > 0.0).then(|| wins / (above * negatives))
}

/// Precision among the best k candidates, k being the number of true ones, over the density. A group of equal scores
/// that reaches beyond k counts with its mean (the expectation over all orders). None if nothing is true.
pub fn early_precision_ratio(candidates: &[(f64, bool)]) -> Option<f64> {
    let wanted = candidates.iter().filter(|(_, is_true)| *is_true).count();
    if wanted == 0 {
        return None;
    }
    let (mut left, mut found) = (wanted, 0.0);
    for group in groups(candidates) {
        let taken = group.size.min(left);
        found += taken as f64 * group.positives as f64 / group.size as f64;
        left -= taken;
    }
    let precision = found / wanted as f64;
    Some(precision * candidates.len() as f64 / wanted as f64)
}

/// Share of right signs among the pairs (given, true) where both are known. None if there is none.
pub fn sign_accuracy(pairs: impl IntoIterator<Item = (Sign, Sign)>) -> Option<f64> {
    let (mut known, mut right) = (0usize, 0usize);
    for (given, truth) in pairs {
        if given != Sign::Unknown && truth != Sign::Unknown {
            known += 1;
            right += usize::from(given == truth);
        }
    }
    (known > 0).then(|| right as f64 / known as f64)
}

/// Candidates of one score.
struct Group {
    size: usize,
    positives: usize,
}

/// Groups of equal score, best first.
fn groups(candidates: &[(f64, bool)]) -> Vec<Group> {
    // −0 equals 0, and NaN comes last.
    let score = |score: f64| if score.is_nan() { f64::NEG_INFINITY } else { score + 0.0 };
    let mut sorted: Vec<(f64, bool)> = candidates.iter().map(|&(value, is_true)| (score(value), is_true)).collect();
    sorted.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let group = |group: &[(f64, bool)]| Group {
        size: group.len(),
        positives: group.iter().filter(|(_, is_true)| *is_true).count(),
    };
    sorted.chunk_by(|a, b| a.0 == b.0).map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        let found = found.expect("a value");
        assert!((found - expected).abs() < 1e-12, "{found}, expected {expected}");
    }

    /// Scores (with ties) of true and false candidates, average precision and area under the receiver operating
    /// characteristic as computed by scikit-learn 1.9.1.
    #[test]
    fn areas_agree_with_scikit_learn() {
        let cases: [(&[i32], &[i32], f64, f64); 3] = [
            (
                &[4, 2, 3, 6, 3, 7, 4, 5, 6, 5],
                &[4, 6, 4, 2, 4, 5, 4, 4, 5, 3, 5, 1, 5, 1, 2, 5, 2, 3, 2, 1],
                0.5375420875420875,
                0.6799999999999999,
            ),
            (
                &[781, 828, 1041, 781, 847, 1221, 863, 1247, 1142, 782, 872, 388, 813],
                &[
                    536, 774, 394, 20, 205, 389, 380, 909, 393, 349, 348, 93, 744, 744, 813, 820, 254, 343, 262, 318,
                    619, 582, 104, 442, 390, 707, 169,
                ],
                0.8490678125293509,
                0.9131054131054132,
            ),
            (
                &[2, 2, 3, 2, 3, 3, 2, 4, 2],
                &[2, 0, 0, 3, 1, 1, 1, 1, 2, 2, 0, 3, 2, 0, 2, 2],
                0.6274509803921569,
                0.8055555555555556,
            ),
        ];
        for (positives, negatives, precision, receiver) in cases {
            let with = |scores: &[i32], is_true: bool| -> Vec<(f64, bool)> {
                scores.iter().map(|&score| (f64::from(score), is_true)).collect()
            };
            let candidates = [with(positives, true), with(negatives, false)].concat();
            close(auprc(&candidates), precision);
            close(auroc(&candidates), receiver);
        }
    }

    #[test]
    fn a_perfect_order_and_its_reverse() {
        let perfect = [(4.0, true), (3.0, true), (2.0, false), (1.0, false), (0.0, false)];
        let recovery = Recovery::of(&perfect);
        assert_eq!((recovery.auprc, recovery.auroc, recovery.early_precision_ratio), (Some(1.0), Some(1.0), Some(2.5)));
        close(recovery.density(), 0.4);
        close(recovery.auprc_ratio(), 2.5);
        let reversed = perfect.map(|(score, is_true)| (-score, is_true));
        close(auroc(&reversed), 0.0);
        close(auprc(&reversed), 0.5 * 0.25 + 0.5 * 0.4);
        close(early_precision_ratio(&reversed), 0.0);
    }

    #[test]
    fn a_thinned_curve_keeps_its_ends_and_its_shape() {
        let candidates: Vec<(f64, bool)> = (0..5_000).map(|at| (-f64::from(at), at % 3 == 0 && at < 4_000)).collect();
        let curve = precision_recall(&candidates);
        let few = thinned(curve.clone(), 200);
        assert!(few.len() <= 200 && few.len() > 150, "{}", few.len());
        assert_eq!((few.first(), few.last()), (curve.first(), curve.last()));
        assert!(few.iter().all(|point| curve.contains(point)) && few.is_sorted_by_key(|point| point.taken));
        let gap = few.windows(2).map(|pair| pair[1].recall - pair[0].recall).fold(0.0, f64::max);
        assert!(gap < 0.011, "{gap}");
        assert_eq!(thinned(curve[..150].to_vec(), 200), curve[..150]);
    }

    #[test]
    fn scores_that_say_nothing_give_the_random_expectation() {
        let level: Vec<(f64, bool)> = (0..100).map(|at| (1.0, at % 10 == 0)).collect();
        close(auprc(&level), 0.1);
        close(auroc(&level), 0.5);
        close(early_precision_ratio(&level), 1.0);
    }

    #[test]
    fn the_order_of_the_input_does_not_matter_and_nan_is_lowest() {
        let candidates = [(0.5, true), (0.5, false), (0.0, false), (-0.0, true), (f64::NAN, false)];
        let mut turned = candidates;
        turned.reverse();
        assert_eq!(Recovery::of(&candidates), Recovery::of(&turned));
        let curve = precision_recall(&candidates);
        assert_eq!(curve.iter().map(|point| point.taken).collect::<Vec<_>>(), [2, 4, 5]);
    }

    #[test]
    fn without_true_or_false_candidates_there_is_no_value() {
        assert_eq!(auprc(&[(1.0, false)]), None);
        assert_eq!(auroc(&[(1.0, true)]), None);
        assert_eq!(Recovery::of(&[]), Recovery::default());
        assert_eq!(Recovery::default().density(), None);
    }

    #[test]
    fn a_network_is_compared_over_the_pairs_asked_for() {
        use Sign::{Activates, Represses};

        use crate::network::fixtures::{genes, signed};
        let edges = [(1, 0, 1.0, Activates), (1, 2, 1.0, Represses), (2, 0, 1.0, Activates)];
        let truth = signed(genes(["B", "A", "X"]), &edges);
        let edges = [(0, 1, 0.9, Represses), (0, 2, 0.8, Activates), (2, 1, 0.95, Activates)];
        let grn = signed(genes(["A", "B", "C"]), &edges);
        let comparison = Comparison::new(&grn, &truth, &["A"], &["A", "B", "C", "X"]);
        // A→B is true and second, A→C false and third, A→X true and missing.
        assert_eq!(comparison.candidates, [(-2.0, true), (-3.0, false), (f64::NEG_INFINITY, true)]);
        assert_eq!(comparison.sign_accuracy(), Some(0.0));
        assert_eq!(comparison.recovery().true_edges, 2);
    }

    #[test]
    fn signs_are_judged_only_where_both_are_known() {
        use Sign::{Activates, Represses, Unknown};
        let pairs = [(Activates, Activates), (Represses, Activates), (Unknown, Activates), (Activates, Unknown)];
        assert_eq!(sign_accuracy(pairs), Some(0.5));
        assert_eq!(sign_accuracy([(Unknown, Activates)]), None);
    }
}
