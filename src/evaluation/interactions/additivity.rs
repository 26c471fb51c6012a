//! Whether a pair deviates from the sum of its singles, told from the cells.
//!
//! With the means m of log-expression in control cells, under A, under B and under both, the deviation of a gene is
//! δ_AB − δ_A − δ_B = m_AB − m_A − m_B + m_control: the control enters three times with −1, −1 and −1 and leaves once with +1, so that
//! its error counts once. Cells may come in strata (cell types, batches): every mean is then that of the strata's means, all four
//! weighted by the cells of the pair, so that no stratum's own level enters.

use rand::RngExt as _;
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF as _, Gamma};

use crate::data::CsrMatrix;
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::differential::{benjamini_hochberg, student_two_sided};
use crate::random::{self, Rng};

/// A stratum with fewer cells of one of the four conditions is left out: its variance would be a guess.
pub const LEAST_IN_STRATUM: usize = 5;
/// A gene is tested where the smallest of the four conditions is expected to have so many cells with it: means of fewer are far from
/// normal, and a condition without any has no variance.
const LEAST_DETECTED: f64 = 5.0;
/// False discovery rate up to which a gene counts as responding, or as deviating.
pub const LEVEL: f64 = 0.05;
/// The singles' sum is above noise where its squares are so many times as large as noise alone makes them.
const ABOVE_NOISE: f64 = 2.0;

/// Draws done at once.
const BLOCK: usize = 64;
/// Draws for the test of a whole pair.
pub const DRAWS: usize = 16 * BLOCK - 1;
/// With fewer draws at least as extreme as the observed value, the tail of a fitted distribution is taken.
const LEAST_EXTREME: usize = 10;

/// The cells of one condition, by stratum.
#[derive(Clone, Debug)]
pub struct Condition {
    rows: Vec<Vec<u32>>,
    moments: Vec<Moments>,
}

/// Of one gene each.
#[derive(Clone, Debug, Default)]
struct Moments {
    mean: Vec<f64>,
    /// Divisor n − 1.
    variance: Vec<f64>,
    /// Cells with the gene.
    detected: Vec<u32>,
}

impl Condition {
    /// Of `rows` (one list per stratum) of `expression`: log-expression, cells × genes.
    pub fn new(expression: &CsrMatrix, rows: Vec<Vec<u32>>) -> Self {
        let moments = rows.iter().map(|rows| Moments::of(expression, rows)).collect();
        Self { rows, moments }
    }

    /// Cells in all strata.
    pub fn cells(&self) -> usize {
        self.rows.iter().map(Vec::len).sum()
    }
}

impl Moments {
    fn of(expression: &CsrMatrix, rows: &[u32]) -> Self {
        let genes = expression.columns();
        let (mut mean, mut variance, mut detected) = (vec![0.0; genes], vec![0.0; genes], vec![0; genes]);
        for &row in rows {
            for (column, value) in expression.row(row as usize).iter() {
                mean[column as usize] += f64::from(value);
                detected[column as usize] += 1;
            }
        }
        let count = rows.len() as f64;
        mean.iter_mut().for_each(|sum| *sum /= count.max(1.0));
        for &row in rows {
            for (column, value) in expression.row(row as usize).iter() {
                variance[column as usize] += (f64::from(value) - mean[column as usize]).powi(2);
            }
        }
        for ((variance, mean), detected) in variance.iter_mut().zip(&mean).zip(&detected) {
            // And of the cells without it.
            *variance = (*variance + (count - f64::from(*detected)) * mean * mean) / (count - 1.0).max(1.0);
        }
        Self { mean, variance, detected }
    }
}

/// Four conditions: control, A, B, both.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// Names its random draws.
    pub name: &'a str,
    /// Control cells.
    pub control: &'a Condition,
    /// The two alone.
    pub singles: [&'a Condition; 2],
    /// The pair.
    pub both: &'a Condition,
    /// Columns of the perturbed genes.
    pub left_out: &'a [u32],
}

impl<'a> Pair<'a> {
    fn conditions(&self) -> [&'a Condition; 4] {
        [self.control, self.singles[0], self.singles[1], self.both]
    }

    /// The strata with enough cells of all four conditions, and the weight of each.
    fn strata(&self) -> Vec<(usize, f64)> {
        let conditions = self.conditions();
        let enough = |&stratum: &usize| {
            conditions.iter().all(|one| one.rows.get(stratum).is_some_and(|rows| rows.len() >= LEAST_IN_STRATUM))
        };
        let usable: Vec<usize> = (0..self.both.rows.len()).filter(enough).collect();
        let size = |stratum: usize| self.both.rows[stratum].len() as f64;
        let total: f64 = usable.iter().map(|&stratum| size(stratum)).sum();
        usable.into_iter().map(|stratum| (stratum, size(stratum) / total)).collect()
    }

    /// Cells of control, A, B and both in the strata that count.
    pub fn cells(&self) -> [u32; 4] {
        let strata = self.strata();
        self.conditions().map(|one| strata.iter().map(|&(stratum, _)| one.rows[stratum].len() as u32).sum())
    }
}

/// How each of the four means enters the deviation.
const SIGNS: [f64; 4] = [1.0, -1.0, -1.0, 1.0];

/// What a pair does, gene by gene. Shifts and deviations are in the unit asked for (log2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deviations {
    /// Cells of control, A, B and both.
    pub cells: [u32; 4],
    /// δ_A, δ_B, δ_AB of every gene.
    pub shifts: [Vec<f32>; 3],
    /// Columns of the genes that were tested; the lists below go by them.
    pub tested: Vec<u32>,
    /// δ_AB − δ_A − δ_B.
    pub deviation: Vec<f32>,
    /// Its standard error.
    pub error: Vec<f32>,
    /// Two-sided p value (Welch's t of four means, degrees of freedom by Satterthwaite).
    pub p_values: Vec<f64>,
    /// Benjamini–Hochberg over the genes of this pair.
    pub adjusted: Vec<f64>,
    /// Columns of the tested genes that A, B or the pair shifts (Welch's t against control, adjusted p < 0.05 within each).
    pub responding: Vec<u32>,
    /// By how much of the sum the pair does more than the sum, see [`super::relative_strength`], less what noise of the shifts does to
    /// it; none where the sum is not above noise.
    pub relative: Option<f64>,
    /// Root of the mean square of the true deviations of the tested genes, as far as squares exceed what noise makes of them.
    pub size: f64,
    /// Mean over tested genes of the squared t.
    statistic: f64,
}

impl Deviations {
    /// Of `pair`, whose log-expression is turned into the unit of shifts by a factor `unit`. None where no stratum has enough cells
    /// of all four conditions.
    pub fn of(pair: &Pair<'_>, unit: f64) -> Option<Self> {
        let strata = pair.strata();
        if strata.is_empty() {
            return None;
        }
        let conditions = pair.conditions();
        let genes = conditions[0].moments.first().map_or(0, |moments| moments.mean.len());
        let cells = pair.cells();
        let (all, smallest) = (cells.iter().sum::<u32>(), cells.iter().copied().min().unwrap_or(0));
        let mut found = Self { cells, ..Self::default() };
        found.shifts = [1, 2, 3].map(|_| Vec::with_capacity(genes));
        // Of the responses of A, B and both.
        let mut response_p: [Vec<f64>; 3] = Default::default();
        let (mut product, mut square, mut noise_product, mut noise_square, mut excess) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for gene in 0..genes {
            let mean = |condition: usize| -> f64 {
                strata.iter().map(|&(stratum, weight)| weight * conditions[condition].moments[stratum].mean[gene]).sum()
            };
            let means = [0, 1, 2, 3].map(mean);
            for (list, mean) in found.shifts.iter_mut().zip(&means[1..]) {
                list.push((unit * (mean - means[0])) as f32);
            }
            let detected: u32 = strata
                .iter()
                .map(|&(stratum, _)| conditions.iter().map(|one| one.moments[stratum].detected[gene]).sum::<u32>())
                .sum();
            let expected = f64::from(detected) / f64::from(all) * f64::from(smallest);
            if expected < LEAST_DETECTED || pair.left_out.contains(&(gene as u32)) {
                continue;
            }
            // (Variance of the mean, sum of squares over degrees of freedom), for Satterthwaite.
            let variance = |condition: usize| -> (f64, f64) {
                strata.iter().fold((0.0, 0.0), |(sum, squares), &(stratum, weight)| {
                    let count = conditions[condition].rows[stratum].len() as f64;
                    let part = weight * weight * conditions[condition].moments[stratum].variance[gene] / count;
                    (sum + part, squares + part * part / (count - 1.0))
                })
            };
            let variances = [0, 1, 2, 3].map(variance);
            let test = |difference: f64, parts: &[usize]| {
                let sum: f64 = parts.iter().map(|&part| variances[part].0).sum();
                let squares: f64 = parts.iter().map(|&part| variances[part].1).sum();
                (sum, student_two_sided(difference / sum.sqrt(), sum * sum / squares))
            };
            let deviation: f64 = means.iter().zip(SIGNS).map(|(mean, sign)| sign * mean).sum();
            let (sum, p) = test(deviation, &[0, 1, 2, 3]);
            if sum <= 0.0 {
                continue;
            }
            found.tested.push(gene as u32);
            found.deviation.push((unit * deviation) as f32);
            found.error.push((unit * sum.sqrt()) as f32);
            found.p_values.push(p);
            found.statistic += deviation * deviation / sum;
            for (list, condition) in response_p.iter_mut().zip(1..) {
                list.push(test(means[condition] - means[0], &[0, condition]).1);
            }
            // Deviation d and sum e of the singles share the errors of A, B and the control (−1, −1, +1 and +1, +1, −2).
            let [(control, _), (a, _), (b, _), _] = variances;
            let e = means[1] + means[2] - 2.0 * means[0];
            product += deviation * e;
            noise_product -= a + b + 2.0 * control;
            square += e * e;
            noise_square += a + b + 4.0 * control;
            excess += deviation * deviation - sum;
        }
        let count = found.tested.len().max(1) as f64;
        found.statistic /= count;
        found.size = unit * (excess / count).max(0.0).sqrt();
        let above = square > ABOVE_NOISE * noise_square && square > 0.0;
        found.relative = above.then(|| (product - noise_product) / (square - noise_square));
        found.adjusted = benjamini_hochberg(&found.p_values);
        let adjusted = response_p.map(|p| benjamini_hochberg(&p));
        let responds = |at: &usize| adjusted.iter().any(|list| list[*at] < LEVEL);
        found.responding = (0..found.tested.len()).filter(responds).map(|at| found.tested[at]).collect();
        Some(found)
    }

    /// Tested genes whose deviation is significant (adjusted p < 0.05).
    pub fn deviating(&self) -> usize {
        self.adjusted.iter().filter(|p| **p < LEVEL).count()
    }
}

/// The test of each whole pair, were all its deviations zero: twice the smaller (Bonferroni) of the p values of two tests. One is
/// for few genes that deviate clearly: the smallest adjusted p of a gene (Simes 1986). The other is for many that deviate a little: the
/// mean squared t over the tested genes. 1 for a pair without tested genes.
///
/// `found` are the deviations of `pairs`, which share their control. The same input gives the same p values, whatever other pairs are
/// tested beside.
pub fn test_pairs(
    expression: &CsrMatrix,
    pairs: &[Pair<'_>],
    found: &[Deviations],
    seed: u64,
    progress: &dyn Progress,
) -> Result<Vec<f64>, Cancelled> {
    let squares = mean_squares(expression, pairs, found, seed, progress)?;
    let smallest = |found: &Deviations| found.adjusted.iter().copied().fold(1.0, f64::min);
    Ok(found.iter().zip(squares).map(|(found, squares)| (2.0 * squares.min(smallest(found))).min(1.0)).collect())
}

/// p values of the mean squared t.
///
/// Genes move together, so that their t values do not add up as independent ones would. The residuals of whole cells therefore get
/// random signs ([`DRAWS`] times; the wild bootstrap, Wu 1986, studentised in every draw), which keeps how genes go together, what each
/// varies, and the tails that few cells give a t. Where fewer than 10 draws reach the observed value, the tail is that of the
/// Pearson type III distribution with mean, variance and skewness of the draws, which sums of squares follow closely; p values then
/// go below one over the number of draws.
fn mean_squares(
    expression: &CsrMatrix,
    pairs: &[Pair<'_>],
    found: &[Deviations],
    seed: u64,
    progress: &dyn Progress,
) -> Result<Vec<f64>, Cancelled> {
    let Some(first) = pairs.first() else { return Ok(Vec::new()) };
    debug_assert!(pairs.iter().all(|pair| std::ptr::eq(pair.control, first.control)), "one control for all pairs");
    let blocks = DRAWS.div_ceil(BLOCK);
    let mut draws: Vec<Vec<f64>> = vec![Vec::with_capacity(blocks * BLOCK); pairs.len()];
    for block in 0..blocks {
        progress.stage("Testing pairs", Some(block as f32 / blocks as f32));
        progress.check()?;
        let stream = |name: &str| random::stream(seed, &format!("signs of {name}, block {block}"));
        let control = flipped(expression, first.control, &mut stream("control"));
        draws.par_iter_mut().zip(pairs.par_iter().zip(found)).try_for_each(|(draws, (pair, found))| {
            progress.check()?;
            let own = [("A", pair.singles[0]), ("B", pair.singles[1]), ("both", pair.both)].map(|(part, condition)| {
                flipped(expression, condition, &mut stream(&format!("{}, {part}", pair.name)))
            });
            draws.extend(statistics(pair, found, [&control, &own[0], &own[1], &own[2]]));
            Ok(())
        })?;
    }
    Ok(found.iter().zip(&draws).map(|(found, draws)| tail(found, &draws[..DRAWS])).collect())
}

/// Means of the residuals of every stratum's cells with random signs: genes × [`BLOCK`] draws. Residuals are stretched by
/// √(n / (n − 1)), so that these means vary as the mean itself does.
fn flipped(expression: &CsrMatrix, condition: &Condition, random: &mut Rng) -> Vec<Vec<f32>> {
    let strata = condition.rows.iter().zip(&condition.moments);
    let means = strata.map(|(rows, moments)| {
        let mut sums = vec![0f32; expression.columns() * BLOCK];
        let mut total = [0f32; BLOCK];
        for &row in rows {
            let bits: u64 = random.random();
            let signs: [f32; BLOCK] = std::array::from_fn(|draw| if bits >> draw & 1 == 1 { 1.0 } else { -1.0 });
            total.iter_mut().zip(&signs).for_each(|(total, sign)| *total += sign);
            for (column, value) in expression.row(row as usize).iter() {
                let sums = &mut sums[column as usize * BLOCK..][..BLOCK];
                sums.iter_mut().zip(&signs).for_each(|(sum, sign)| *sum += sign * value);
            }
        }
        let count = rows.len() as f32;
        let scale = (count / (count - 1.0).max(1.0)).sqrt() / count.max(1.0);
        for (sums, mean) in sums.chunks_exact_mut(BLOCK).zip(&moments.mean) {
            let mean = *mean as f32;
            sums.iter_mut().zip(&total).for_each(|(sum, total)| *sum = scale * (*sum - mean * total));
        }
        sums
    });
    means.collect()
}

/// The mean squared t of every draw.
fn statistics(pair: &Pair<'_>, found: &Deviations, means: [&Vec<Vec<f32>>; 4]) -> [f64; BLOCK] {
    let (conditions, strata) = (pair.conditions(), pair.strata());
    let mut sums = [0f64; BLOCK];
    for &gene in &found.tested {
        let gene = gene as usize;
        let (mut deviation, mut variance) = ([0f32; BLOCK], [0f32; BLOCK]);
        for &(stratum, weight) in &strata {
            for (part, condition) in conditions.iter().enumerate() {
                let own = condition.moments[stratum].variance[gene] as f32;
                let (sign, weight) = (SIGNS[part] as f32 * weight as f32, (weight * weight) as f32);
                let freedom = condition.rows[stratum].len() as f32 - 1.0;
                let means = &means[part][stratum][gene * BLOCK..][..BLOCK];
                for draw in 0..BLOCK {
                    deviation[draw] += sign * means[draw];
                    // The variance of residuals with these signs about their own mean.
                    variance[draw] += weight * (own - means[draw] * means[draw]).max(0.0) / freedom;
                }
            }
        }
        for draw in 0..BLOCK {
            let least = f32::MIN_POSITIVE;
            sums[draw] += f64::from(deviation[draw] * deviation[draw] / variance[draw].max(least));
        }
    }
    let count = found.tested.len().max(1) as f64;
    sums.map(|sum| sum / count)
}

fn tail(found: &Deviations, draws: &[f64]) -> f64 {
    if found.tested.is_empty() {
        return 1.0;
    }
    let reach = draws.iter().filter(|draw| **draw >= found.statistic).count();
    let counted = (reach + 1) as f64 / (draws.len() + 1) as f64;
    if reach >= LEAST_EXTREME {
        return counted;
    }
    let count = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / count;
    let moment = |power: i32| draws.iter().map(|draw| (draw - mean).powi(power)).sum::<f64>() / count;
    let deviation = moment(2).sqrt();
    let skewness = moment(3) / deviation.powi(3);
    // A gamma distribution with this skewness, moved and scaled.
    let shape = 4.0 / (skewness * skewness);
    let at = (found.statistic - mean) / deviation * shape.sqrt() + shape;
    match Gamma::new(shape, 1.0) {
        Ok(gamma) if skewness > 0.0 && at.is_finite() => gamma.sf(at).clamp(f64::MIN_POSITIVE, counted),
        _ => counted,
    }
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution as _, Gamma as GammaDraw, Poisson, StandardNormal};

    use super::*;
    use crate::jobs::Silent;

    /// A screen of four conditions, `cells` of each (the control three times as many), whose counts follow shifts per condition
    /// that are handed in, at library sizes that vary and with cells in states that many genes share.
    struct Screen {
        expression: CsrMatrix,
        conditions: [Condition; 4],
    }

    fn screen(random: &mut Rng, genes: usize, cells: usize, level: f64, shifts: [&dyn Fn(usize) -> f64; 4]) -> Screen {
        let normal = |random: &mut Rng| -> f64 { StandardNormal.sample(random) };
        let base: Vec<f64> = (0..genes).map(|_| level * (0.8 * normal(random)).exp()).collect();
        let loading: Vec<f64> = (0..genes).map(|_| 0.3 * normal(random)).collect();
        let sizes = [3 * cells, cells, cells, cells];
        let mut rows = Vec::new();
        for (condition, size) in sizes.into_iter().enumerate() {
            for _ in 0..size {
                let (state, library) = (normal(random), (0.3 * normal(random)).exp());
                let row = (0..genes).filter_map(|gene| {
                    let mean = base[gene] * library * (loading[gene] * state + shifts[condition](gene)).exp();
                    let rate = GammaDraw::new(5.0, mean / 5.0).unwrap().sample(random);
                    let count: f64 = Poisson::new(rate.max(1e-9)).unwrap().sample(random);
                    (count > 0.0).then(|| (gene as u32, (1.0 + count).ln() as f32))
                });
                rows.push(row.collect());
            }
        }
        let expression = CsrMatrix::from_rows(genes, rows).unwrap();
        let mut next = 0u32;
        let conditions = sizes.map(|size| {
            let rows = (next..next + size as u32).collect();
            next += size as u32;
            Condition::new(&expression, vec![rows])
        });
        Screen { expression, conditions }
    }

    impl Screen {
        fn pair(&self) -> Pair<'_> {
            let [control, a, b, both] = &self.conditions;
            Pair { name: "A+B", control, singles: [a, b], both, left_out: &[] }
        }

        fn judged(&self) -> (Deviations, f64) {
            let pair = self.pair();
            let found = Deviations::of(&pair, 1.0 / std::f64::consts::LN_2).unwrap();
            let p = test_pairs(&self.expression, &[pair], std::slice::from_ref(&found), 3, &Silent).unwrap();
            (found, p[0])
        }
    }

    fn nothing(_: usize) -> f64 {
        0.0
    }

    /// A pair that is exactly additive on any scale: B does nothing, so that the pair is A.
    fn strong(gene: usize) -> f64 {
        if gene.is_multiple_of(3) { [-1.0, 0.8][gene % 2] } else { 0.0 }
    }

    #[test]
    fn under_additivity_p_values_are_as_often_small_as_they_say() {
        let mut random = random::stream(11, "additivity under the null");
        let (mut of_genes, mut of_squares, mut of_pairs, mut called) = (Vec::new(), Vec::new(), Vec::new(), 0);
        const SCREENS: usize = 120;
        for at in 0..SCREENS {
            // From genes in most cells to genes in one of ten, from 15 cells on.
            let (cells, level) = ([15, 30, 60][at % 3], [0.1, 0.5, 3.0][at / 3 % 3]);
            let screen = screen(&mut random, 40, cells, level, [&nothing, &strong, &nothing, &strong]);
            let (found, p) = screen.judged();
            let (pairs, one) = ([screen.pair()], std::slice::from_ref(&found));
            of_squares.extend(mean_squares(&screen.expression, &pairs, one, 3, &Silent).unwrap());
            called += usize::from(found.deviating() > 0);
            of_genes.extend(found.p_values);
            of_pairs.push(p);
        }
        assert!(of_genes.len() > 2_000, "{}", of_genes.len());
        let share = |p: &[f64], level: f64| p.iter().filter(|p| **p <= level).count() as f64 / p.len() as f64;
        for level in [0.01, 0.05, 0.2, 0.5] {
            // Genes move together: the error of these shares is that of fewer than their number.
            let error = 4.0 * (level * (1.0 - level) / (of_genes.len() as f64 / 3.0)).sqrt();
            let found = share(&of_genes, level);
            assert!((found - level).abs() < error, "genes: {found} at {level}");
            let error = 3.0 * (level * (1.0 - level) / SCREENS as f64).sqrt();
            let found = share(&of_squares, level);
            assert!((found - level).abs() < error + 0.005, "mean squares: {found} at {level}");
            let found = share(&of_pairs, level);
            assert!(found < level + error, "pairs: {found} at {level}");
        }
        assert!(called as f64 <= SCREENS as f64 * (LEVEL + 0.06), "{called} of {SCREENS} have a significant gene");
    }

    #[test]
    fn deviations_are_found_with_their_size_and_direction() {
        let mut random = random::stream(12, "additivity test");
        let twice = |gene: usize| 2.0 * strong(gene);
        let half = |gene: usize| 1.0 * strong(gene);
        let additive = screen(&mut random, 60, 150, 8.0, [&nothing, &strong, &strong, &twice]).judged();
        let redundant = screen(&mut random, 60, 150, 8.0, [&nothing, &strong, &strong, &half]).judged();
        assert!(redundant.1 < 1e-4 && redundant.0.deviating() > 10, "{}", redundant.1);
        assert!((redundant.0.relative.unwrap() + 0.5).abs() < 0.1, "{:?}", redundant.0.relative);
        assert!(redundant.0.size > 0.5);
        // The logarithm of one more than the count bends what would be additive, at 8 counts by little.
        assert!(additive.0.relative.unwrap().abs() < 0.15, "{:?}", additive.0.relative);
        assert!(additive.0.size < 0.35 && redundant.0.responding.len() >= 20);
    }

    #[test]
    fn noise_alone_has_no_strength_and_no_size() {
        let mut random = random::stream(13, "additivity test");
        let (found, p) = screen(&mut random, 50, 40, 3.0, [&nothing, &nothing, &nothing, &nothing]).judged();
        assert_eq!(found.relative, None);
        assert!(found.size < 0.12 && p > 0.01, "{} {p}", found.size);
    }

    #[test]
    fn strata_that_differ_do_not_make_an_interaction() {
        // Two cell types with levels of their own; the singles were done mostly in one, the pair mostly in the other.
        let mut random = random::stream(14, "additivity strata");
        let genes = 30;
        let mut rows: Vec<Vec<(u32, f32)>> = Vec::new();
        let mut by_condition: [Vec<Vec<u32>>; 4] = Default::default();
        for (condition, sizes) in [[60, 60], [50, 8], [8, 50], [10, 40]].into_iter().enumerate() {
            for (stratum, size) in sizes.into_iter().enumerate() {
                let first = rows.len() as u32;
                for _ in 0..size {
                    let noise = |random: &mut Rng| -> f32 { StandardNormal.sample(random) };
                    rows.push((0..genes).map(|gene| (gene, 5.0 + 2.0 * stratum as f32 + noise(&mut random))).collect());
                }
                by_condition[condition].push((first..rows.len() as u32).collect());
            }
        }
        let expression = CsrMatrix::from_rows(genes as usize, rows).unwrap();
        let judged = |together: bool| {
            let conditions = by_condition.each_ref().map(|strata| {
                let strata = if together { vec![strata.concat()] } else { strata.clone() };
                Condition::new(&expression, strata)
            });
            let [control, a, b, both] = &conditions;
            let pair = Pair { name: "A+B", control, singles: [a, b], both, left_out: &[3] };
            let found = Deviations::of(&pair, 1.0).unwrap();
            let p = test_pairs(&expression, &[pair], std::slice::from_ref(&found), 1, &Silent).unwrap();
            (found, p[0])
        };
        let (apart, p) = judged(false);
        assert!(p > 0.01 && apart.deviating() == 0 && apart.cells == [120, 58, 58, 50], "{p} {:?}", apart.cells);
        assert!(!apart.tested.contains(&3) && apart.tested.len() == 29);
        let (together, p) = judged(true);
        assert!(p < 0.01 && together.deviating() > 5, "{p} {}", together.deviating());
    }

    #[test]
    fn what_has_too_few_cells_is_not_judged() {
        let mut random = random::stream(15, "additivity test");
        let tiny = screen(&mut random, 5, 4, 3.0, [&nothing, &nothing, &nothing, &nothing]);
        assert!(Deviations::of(&tiny.pair(), 1.0).is_none());
    }
}
