//! Genetic interactions: what a perturbation of two genes does beyond what each does alone.
//!
//! δ_A, δ_B and δ_AB are the shifts (log2 against control) of the single perturbations and of the pair; the perturbed genes are left
//! out. Two questions are asked. Whether the pair deviates from δ_A + δ_B at all, and in which genes, is a matter of statistics and
//! is told from the cells ([`additivity`]). In which way it deviates is told by the scores of Norman et al. (2019, Science 365:786):
//! δ_AB ≈ c_A·δ_A + c_B·δ_B by robust regression, and distance correlations of the three ([`Scores`]). Shifts are logarithms, so
//! that additive means: factors multiply.

pub mod additivity;
mod distance_correlation;
mod theil_sen;

use serde::{Deserialize, Serialize};

pub use distance_correlation::distance_correlation;
pub use theil_sen::theil_sen;

/// More genes than this make no difference to the scores, but cost their square: those with the largest |shift| are kept.
const MOST_GENES: usize = 1_000;
/// Fewer genes that respond tell nothing of the kind of an interaction.
pub const LEAST_GENES: usize = 10;

/// |(c_A, c_B)| of exact additivity, c_A = c_B = 1.
pub const ADDITIVE_MAGNITUDE: f64 = std::f64::consts::SQRT_2;
/// By how much the magnitude may differ from that of exact additivity: 30 %, as in the analysis of GEARS (Roohani et al. 2024), there
/// around 1.
const MAGNITUDE_TOLERANCE: f64 = 0.3;
/// A fit below this leaves something new in the pair (GEARS).
const LEAST_FIT: f64 = 0.85;
/// Singles and pair above this are alike (GEARS).
const ALIKE: f64 = 0.8;
/// |log₁₀|c_A / c_B|| above this: one of the two decides (GEARS), by a factor of 1.8.
const DOMINANCE: f64 = 0.25;

/// The scores of Norman et al. (2019) of one pair. None where a score is not defined: with fewer than 10 genes, or where a single does
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Genes they rest on.
    pub genes: usize,
    /// c_A and c_B of δ_AB ≈ c_A·δ_A + c_B·δ_B (Theil–Sen, no intercept). Noise of δ_A and δ_B draws them towards 0.
    pub coefficients: Option<[f64; 2]>,
    /// |(c_A, c_B)|: √2 where the pair is the sum of its singles.
    pub magnitude: Option<f64>,
    /// Distance correlation of c_A·δ_A + c_B·δ_B and δ_AB.
    pub fit: Option<f64>,
    /// Distance correlation of δ_A and δ_B.
    pub similarity_of_singles: Option<f64>,
    /// Distance correlation of the points (δ_A, δ_B) and δ_AB.
    pub similarity_to_pair: Option<f64>,
    /// The smaller of the distance correlations of δ_A and δ_B with δ_AB over the larger. Low also where one single merely does
    /// little.
    pub equality: Option<f64>,
    /// |log₁₀|c_A / c_B||: 0 where both enter alike, whatever their strength.
    pub dominance: Option<f64>,
}

impl Scores {
    /// Of shifts over the same genes; `seed` draws pairs of genes where there are too many. Of more than 1,000 genes those with the
    /// largest |shift| count.
    pub fn of(singles: [&[f32]; 2], pair: &[f32], seed: u64) -> Self {
        let count = pair.len();
        if singles.iter().any(|single| single.len() != count) {
            return Self::default();
        }
        let size = |at: usize| singles[0][at].abs().max(singles[1][at].abs()).max(pair[at].abs());
        let mut kept: Vec<usize> = (0..count).filter(|&at| size(at).is_finite()).collect();
        if kept.len() > MOST_GENES {
            kept.sort_by(|&a, &b| size(b).total_cmp(&size(a)).then(a.cmp(&b)));
            kept.truncate(MOST_GENES);
            kept.sort_unstable();
        }
        if kept.len() < LEAST_GENES {
            return Self { genes: kept.len(), ..Self::default() };
        }
        let take = |list: &[f32]| kept.iter().map(|&at| list[at]).collect::<Vec<f32>>();
        let ([a, b], ab) = (singles.map(take), take(pair));
        let coefficients = theil_sen([&a, &b], &ab, seed);
        let fitted = coefficients.map(|[one, two]| {
            let value = |(a, b): (&f32, &f32)| (one * f64::from(*a) + two * f64::from(*b)) as f32;
            a.iter().zip(&b).map(value).collect::<Vec<f32>>()
        });
        let with_pair = [&a, &b].map(|single| distance_correlation(&[single], &[&ab]));
        let equality = match with_pair {
            [Some(one), Some(two)] if one.max(two) > 0.0 => Some(one.min(two) / one.max(two)),
            _ => None,
        };
        Self {
            genes: kept.len(),
            coefficients,
            magnitude: coefficients.map(|[one, two]| one.hypot(two)),
            fit: fitted.and_then(|fitted| distance_correlation(&[&fitted], &[&ab])),
            similarity_of_singles: distance_correlation(&[&a], &[&b]),
            similarity_to_pair: distance_correlation(&[&a, &b], &[&ab]),
            equality,
            dominance: coefficients
                .map(|[one, two]| (one / two).abs().log10().abs())
                .filter(|dominance| dominance.is_finite()),
        }
    }
}

/// The kind of an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InteractionClass {
    /// No deviation from the sum is shown.
    Additive,
    /// More than the sum.
    Synergy,
    /// Less than the sum.
    Suppression,
    /// Both do the same, and together no more.
    Redundancy,
    /// One decides what the pair does.
    Epistasis,
    /// The pair does what neither does.
    Neomorphism,
    /// Single genes deviate, in no such way.
    Mixed,
    /// It deviates, but too few genes respond to say how.
    Unclassified,
}

impl InteractionClass {
    /// All, in the order of legends.
    pub const ALL: [Self; 8] = [
        Self::Synergy,
        Self::Suppression,
        Self::Redundancy,
        Self::Epistasis,
        Self::Neomorphism,
        Self::Mixed,
        Self::Unclassified,
        Self::Additive,
    ];

    /// For people: `suppression`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Additive => "additive",
            Self::Synergy => "synergy",
            Self::Suppression => "suppression",
            Self::Redundancy => "redundancy",
            Self::Epistasis => "epistasis",
            Self::Neomorphism => "neomorphism",
            Self::Mixed => "mixed",
            Self::Unclassified => "unclassified",
        }
    }

    /// One letter, for maps; none for additive pairs, of which there is nothing to tell.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Additive => "",
            Self::Synergy => "S",
            Self::Suppression => "B",
            Self::Redundancy => "R",
            Self::Epistasis => "E",
            Self::Neomorphism => "N",
            Self::Mixed => "M",
            Self::Unclassified => "?",
        }
    }

    /// What it says, with its threshold.
    pub fn definition(self) -> &'static str {
        match self {
            Self::Additive => "No deviation from the sum of the singles is shown",
            Self::Synergy => "The pair does more than the sum: magnitude above 1.3 × √2",
            Self::Suppression => "The pair does less than the sum (also called buffering): magnitude below 0.7 × √2",
            Self::Redundancy => {
                "Both singles do the same and the pair no more: similarities above 0.8, mean of the coefficients below 0.7"
            }
            Self::Epistasis => {
                "One of the two decides what the pair does: coefficients differ by more than a factor of 1.8"
            }
            Self::Neomorphism => "The pair does what neither single does: fit below 0.85",
            Self::Mixed => "Genes deviate from the sum, but in none of these ways",
            Self::Unclassified => "The pair deviates from the sum, but fewer than 10 genes respond",
        }
    }

    /// The kind that `scores` tell of. `deviates` is what the test of the whole pair says, or of a prediction
    /// [`predicts_deviation`]: without a deviation that is shown, a pair is additive whatever its scores, which noise moves.
    ///
    /// Norman et al. grouped pairs by eye in a map of their scores and state no thresholds; these are those of the analysis of GEARS,
    /// the magnitude taken relative to that of exact additivity. Epistasis goes by the coefficients, not by the equality of
    /// contributions, which is low wherever one single is weak. Of singles that are alike the coefficients cannot be told apart,
    /// so that there their mean stands for the magnitude, and epistasis is not told.
    pub fn of(scores: &Scores, deviates: bool) -> Self {
        if !deviates {
            return Self::Additive;
        }
        let (Some(magnitude), Some(fit)) = (scores.magnitude, scores.fit) else { return Self::Unclassified };
        let above = |score: Option<f64>, threshold: f64| score.is_some_and(|score| score > threshold);
        let alike = above(scores.similarity_of_singles, ALIKE) && above(scores.similarity_to_pair, ALIKE);
        let relative = match scores.coefficients {
            Some([one, two]) if alike => (one + two) / 2.0,
            _ => magnitude / ADDITIVE_MAGNITUDE,
        };
        if fit < LEAST_FIT {
            Self::Neomorphism
        } else if alike && relative < 1.0 - MAGNITUDE_TOLERANCE {
            Self::Redundancy
        } else if !alike && above(scores.dominance, DOMINANCE) {
            Self::Epistasis
        } else if relative > 1.0 + MAGNITUDE_TOLERANCE {
            Self::Synergy
        } else if relative < 1.0 - MAGNITUDE_TOLERANCE {
            Self::Suppression
        } else {
            Self::Mixed
        }
    }
}

/// By how much of the sum the pair does more than the sum: the slope of `pair` on δ_A + δ_B through the origin, less 1. 0 is
/// additive, −0.5 what one of two equal singles does, −1 nothing at all, 1 twice the sum. For shifts without noise; of measured ones
/// see [`additivity::Deviations::relative`]. None where the singles do nothing.
pub fn relative_strength(singles: [&[f32]; 2], pair: &[f32]) -> Option<f64> {
    let (mut product, mut square) = (0.0, 0.0);
    for ((a, b), ab) in singles[0].iter().zip(singles[1]).zip(pair) {
        let sum = f64::from(a + b);
        if sum.is_finite() && ab.is_finite() {
            product += sum * f64::from(*ab);
            square += sum * sum;
        }
    }
    (square > 0.0).then(|| product / square - 1.0)
}

/// Whether predicted shifts deviate from the sum by more than 30 % of it (root mean squares): less is no interaction worth a name.
pub fn predicts_deviation(singles: [&[f32]; 2], pair: &[f32]) -> bool {
    let nothing = vec![0.0; pair.len()];
    size_of_deviation(singles, pair) > MAGNITUDE_TOLERANCE * size_of_deviation(singles, &nothing)
}

/// Root of the mean square of δ_AB − δ_A − δ_B, log2 units; 0 without genes.
pub fn size_of_deviation(singles: [&[f32]; 2], pair: &[f32]) -> f64 {
    let squares = singles[0].iter().zip(singles[1]).zip(pair).map(|((a, b), ab)| f64::from(ab - a - b).powi(2));
    let (sum, count) =
        squares.filter(|square| square.is_finite()).fold((0.0, 0), |(sum, n), square| (sum + square, n + 1));
    (sum / f64::from(count.max(1))).sqrt()
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution as _, StandardNormal};

    use super::*;

    const GENES: usize = 60;

    fn singles(seed: u64) -> [Vec<f32>; 2] {
        let mut random = crate::random::stream(seed, "interaction scores test");
        let mut draw = || (0..GENES).map(|_| StandardNormal.sample(&mut random)).collect::<Vec<f32>>();
        [draw(), draw()]
    }

    fn class(a: &[f32], b: &[f32], ab: &[f32]) -> InteractionClass {
        InteractionClass::of(&Scores::of([a, b], ab, 0), true)
    }

    fn combined(a: &[f32], b: &[f32], by: [f32; 2]) -> Vec<f32> {
        a.iter().zip(b).map(|(a, b)| by[0] * a + by[1] * b).collect()
    }

    #[test]
    fn pure_cases_are_what_they_are_called() {
        let [a, b] = singles(1);
        let sum = combined(&a, &b, [1.0, 1.0]);
        let scores = Scores::of([&a, &b], &sum, 0);
        assert!((scores.magnitude.unwrap() - ADDITIVE_MAGNITUDE).abs() < 1e-5 && scores.fit.unwrap() > 0.999);
        assert_eq!(InteractionClass::of(&scores, false), InteractionClass::Additive);
        assert!(!predicts_deviation([&a, &b], &sum) && predicts_deviation([&a, &b], &a));
        assert_eq!(class(&a, &b, &sum), InteractionClass::Mixed);
        assert_eq!(class(&a, &b, &combined(&a, &b, [1.6, 1.7])), InteractionClass::Synergy);
        assert_eq!(class(&a, &b, &combined(&a, &b, [0.5, 0.4])), InteractionClass::Suppression);
        assert_eq!(class(&a, &b, &combined(&a, &b, [1.0, 0.1])), InteractionClass::Epistasis);
        assert_eq!(class(&a, &b, &singles(2)[0]), InteractionClass::Neomorphism);
        let same: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a + 0.05 * b).collect();
        assert_eq!(class(&a, &same, &a), InteractionClass::Redundancy);
        assert_eq!(class(&a[..5], &b[..5], &sum[..5]), InteractionClass::Unclassified);
    }

    #[test]
    fn scores_are_those_of_the_usual_tools() {
        // scikit-learn 1.9 (TheilSenRegressor, no intercept, all pairs, tolerance 1e-12) and dcor 0.7 on the same numbers.
        let at = |of: fn(f64) -> f64| (0..30).map(|i| of(f64::from(i)) as f32).collect::<Vec<f32>>();
        let (a, b, wave) = (at(|i| (1.7 * i).sin()), at(|i| (0.3 * i * i).cos()), at(|i| 0.3 * (5.0 * i).sin()));
        let mut ab = combined(&a, &b, [0.8, 0.5]);
        ab.iter_mut().zip(&wave).for_each(|(ab, wave)| *ab += wave);
        ab.iter_mut().step_by(7).for_each(|ab| *ab += 2.0);
        let found = Scores::of([&a, &b], &ab, 0);
        let [one, two] = found.coefficients.unwrap();
        for (found, expected) in [
            (Some(one), 0.796_275_64),
            (Some(two), 0.376_117_89),
            (found.fit, 0.620_485_243),
            (found.similarity_of_singles, 0.370_935_877),
            (found.similarity_to_pair, 0.596_611_433),
            (found.equality, 0.688_285_920),
            (found.dominance, 0.325_739_437),
        ] {
            assert!((found.unwrap() - expected).abs() < 2e-6, "{found:?} instead of {expected}");
        }
    }

    #[test]
    fn a_single_that_does_nothing_leaves_scores_undefined() {
        let [a, _] = singles(1);
        let scores = Scores::of([&a, &[0.0; GENES]], &a, 0);
        assert_eq!((scores.coefficients, scores.fit, scores.similarity_of_singles), (None, None, None));
        assert_eq!(InteractionClass::of(&scores, true), InteractionClass::Unclassified);
        assert_eq!(relative_strength([&a, &[0.0; GENES]], &a), Some(0.0));
        assert_eq!(relative_strength([&[0.0; GENES], &[0.0; GENES]], &a), None);
    }

    #[test]
    fn strength_and_size_are_of_the_deviation() {
        let [a, b] = singles(3);
        let half = combined(&a, &b, [0.5, 0.5]);
        assert!((relative_strength([&a, &b], &half).unwrap() + 0.5).abs() < 1e-6);
        let off: Vec<f32> = combined(&a, &b, [1.0, 1.0]).iter().map(|value| value + 0.3).collect();
        assert!((size_of_deviation([&a, &b], &off) - 0.3).abs() < 1e-6);
        assert_eq!(size_of_deviation([&[], &[]], &[]), 0.0);
    }
}
