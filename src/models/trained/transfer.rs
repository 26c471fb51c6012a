//! What the perturbations that were seen say of a gene that never was perturbed.
//!
//! Nothing teaches the parameters of a treatment that no training cell received. What it does is read off those that were: a gene
//! acts as perturbed genes act that respond as it does. The effect of gene u is Σ_t w_ut · (effect of t) over the n genes t that were
//! perturbed alone, less what the loss of t does to t itself (there stands the mean of the others), with
//!
//! w_ut = a/n + b·(q_ut − mean of q_u), q_u = (K + λI)⁻¹ k_u, K_st = Σ_r E_rs·E_rt, k_us = Σ_r E_ru·E_rs,
//!
//! where E_rg is the shift of gene g that the model predicts for the perturbation of r, and λ the mean of K's diagonal: kernel ridge
//! regression on how genes respond (Saunders, Gammerman and Vovk 1998), whose closest relative is the low-rank linear baseline. It is
//! in K too that u follows t: E_tu·E_tt is large where the loss of t lowers u. A gene that is not measured has q = 0. What all
//! perturbations share (a) and what the likeness of genes says (b) are weighed by what they are worth: a, b ≥ 0 fit the measured shifts
//! of perturbations that are left out, a twentieth at a time.

use rayon::prelude::*;

use crate::models::Lenders;
use crate::models::cholesky::{dot, solve};
use crate::preprocess::correlation::pearson;

/// Portions in which perturbations are left out, at most.
const FOLDS: usize = 20;

/// A gene that was perturbed alone in training cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Its position among the treatments.
    pub treatment: usize,
    /// Its column among the genes, where it is measured.
    pub column: Option<usize>,
}

/// The weights of seen perturbations in any other.
#[derive(Clone, Debug)]
pub(super) struct Transfer {
    sources: Vec<Source>,
    genes: usize,
    /// E, sources × genes, row-major.
    shifts: Vec<f32>,
    /// The same without what sources do to themselves.
    lent: Vec<f32>,
    /// The measured sources (positions), m of them.
    measured: Vec<usize>,
    /// K over these, m × m.
    gram: Vec<f64>,
    /// (K + λI)⁻¹ times the shifts of these genes: what turns the shifts of a gene into its q, m × sources.
    map: Vec<f64>,
    /// a and b.
    shares: [f64; 2],
    /// Mean Pearson-Δ of the sources as if they were unseen.
    pearson: Option<f64>,
}

impl Transfer {
    /// `predicted` and `measured` are shifts, sources × `genes`, row-major. With fewer than two sources nothing can be left out, and
    /// nothing is said of other genes: no change.
    pub fn fit(sources: Vec<Source>, genes: usize, predicted: Vec<f32>, measured: &[f32]) -> Self {
        let with_column = (0..sources.len()).filter(|&source| sources[source].column.is_some()).collect();
        let mut lent = predicted.clone();
        without_own(&mut lent, genes, &sources);
        let mut transfer = Self {
            sources,
            genes,
            shifts: predicted,
            lent,
            measured: with_column,
            gram: Vec::new(),
            map: Vec::new(),
            shares: [0.0; 2],
            pearson: None,
        };
        let columns = transfer.measured.iter().filter_map(|&source| transfer.sources[source].column);
        let profiles: Vec<Vec<f64>> = columns.map(|column| transfer.profile(column)).collect();
        let row = |of: &Vec<f64>| profiles.iter().map(|other| dot(of, other)).collect::<Vec<_>>();
        transfer.gram = profiles.par_iter().map(row).collect::<Vec<_>>().concat();
        transfer.map = transfer.solved(&[], &profiles.concat(), transfer.sources.len());
        let product = |one: &LeftOut| {
            let column = transfer.sources[one.source].column;
            one.products(&measured[one.source * genes..][..genes], column)
        };
        let left_out = transfer.left_out();
        let mut sums = [0.0; 5];
        for part in left_out.iter().map(product) {
            sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
        }
        transfer.shares = nonnegative_shares(sums);
        transfer.pearson = transfer.judged(&left_out, measured);
        transfer
    }

    /// Mean over the sources of the correlation over genes of what would be said of them with what was measured, the perturbed gene left
    /// out.
    fn judged(&self, left_out: &[LeftOut], measured: &[f32]) -> Option<f64> {
        let of = |one: &LeftOut| {
            let truth = &measured[one.source * self.genes..][..self.genes];
            let genes = one.genes(truth, self.sources[one.source].column);
            let pair = |[common, alike, truth]: [f64; 3]| (self.said(common, alike), truth as f32);
            let (said, truth): (Vec<f32>, Vec<f32>) = genes.map(pair).unzip();
            pearson(&said, &truth)
        };
        let found: Vec<f64> = left_out.iter().filter_map(of).collect();
        (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
    }

    /// Whose effects are lent, and what that is worth.
    pub fn lenders(&self) -> Lenders {
        Lenders { perturbations: self.sources.len(), pearson: self.pearson }
    }

    /// The shift that follows from what the others say.
    fn said(&self, common: f64, alike: f64) -> f32 {
        (self.shares[0] * common + self.shares[1] * alike) as f32
    }

    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// What a gene does that was not perturbed alone: the weights of the sources. `column` is its own among the genes, where it is
    /// measured.
    pub fn weights(&self, column: Option<usize>) -> Vec<f32> {
        let count = self.sources.len();
        let q = column.map_or_else(Vec::new, |column| {
            let profile = self.profile(column);
            self.map.chunks_exact(count.max(1)).map(|row| dot(row, &profile)).collect()
        });
        let mut likeness = vec![0.0; count];
        centred(&q).zip(&self.measured).for_each(|(q, &source)| likeness[source] = q);
        let [common, alike] = self.shares;
        likeness.iter().map(|likeness| (common / count as f64 + alike * likeness) as f32).collect()
    }

    /// Shifts of a gene under every source.
    fn profile(&self, column: usize) -> Vec<f64> {
        self.shifts.chunks_exact(self.genes.max(1)).map(|row| f64::from(row[column])).collect()
    }

    /// (K + λI)⁻¹·`right` without the sources `out` (rising), K over those of the measured that are left. Nothing where there are fewer
    /// than two of them, or none responds.
    fn solved(&self, out: &[usize], right: &[f64], columns: usize) -> Vec<f64> {
        let size = self.measured.len();
        let kept: Vec<usize> = (0..size).filter(|&at| out.binary_search(&self.measured[at]).is_err()).collect();
        let value = |row: usize, at: usize| {
            let column = self.sources[self.measured[at]].column.unwrap_or_default();
            f64::from(self.shifts[row * self.genes + column])
        };
        let mut kernel: Vec<f64> = kept
            .iter()
            .flat_map(|&a| kept.iter().map(move |&b| (a, b)))
            .map(|(a, b)| self.gram[a * size + b])
            .collect();
        let left = kept.len();
        // Their rows are no part of how the others respond either.
        for &row in out {
            let values: Vec<f64> = kept.iter().map(|&at| value(row, at)).collect();
            for (kernel, a) in kernel.chunks_exact_mut(left).zip(&values) {
                kernel.iter_mut().zip(&values).for_each(|(kernel, b)| *kernel -= a * b);
            }
        }
        let ridge = (0..left).map(|at| kernel[at * left + at]).sum::<f64>() / left as f64;
        if left < 2 || ridge.is_nan() || ridge <= 0.0 {
            return Vec::new();
        }
        (0..left).for_each(|at| kernel[at * left + at] += ridge);
        solve(kernel, right, left, columns)
    }

    /// What the others say of every source, fold after fold.
    fn left_out(&self) -> Vec<LeftOut> {
        if self.sources.len() < 2 {
            return Vec::new();
        }
        let folds = self.sources.len().min(FOLDS);
        let of: Vec<Vec<LeftOut>> = (0..folds).into_par_iter().map(|fold| self.left_out_of(fold, folds)).collect();
        of.into_iter().flatten().collect()
    }

    fn left_out_of(&self, fold: usize, folds: usize) -> Vec<LeftOut> {
        let is_out = |source: &usize| source % folds == fold;
        let (out, kept): (Vec<usize>, Vec<usize>) = (0..self.sources.len()).partition(is_out);
        let known: Vec<usize> = self.measured.iter().copied().filter(|source| !is_out(source)).collect();
        // How the genes that are left out respond, and those that are known.
        let shifts = |source: usize| -> Option<Vec<f64>> {
            let profile = self.profile(self.sources[source].column?);
            Some(kept.iter().map(|&row| profile[row]).collect())
        };
        let asked: Vec<Option<Vec<f64>>> = out.iter().map(|&source| shifts(source)).collect();
        let right: Vec<f64> = known
            .iter()
            .filter_map(|&source| shifts(source))
            .flat_map(|of| {
                asked.iter().map(|asked| asked.as_ref().map_or(0.0, |asked| dot(&of, asked))).collect::<Vec<_>>()
            })
            .collect();
        let solved = self.solved(&out, &right, out.len());
        let combined = |sources: &[usize], weights: &mut dyn Iterator<Item = f64>| -> Vec<f64> {
            let mut sum = vec![0.0; self.genes];
            for (&row, weight) in sources.iter().zip(weights) {
                let shifts = &self.lent[row * self.genes..][..self.genes];
                sum.iter_mut().zip(shifts).for_each(|(sum, &shift)| *sum += weight * f64::from(shift));
            }
            sum
        };
        let common = combined(&kept, &mut std::iter::repeat(1.0 / kept.len() as f64));
        let of = |(at, &source): (usize, &usize)| {
            let q: Vec<f64> = solved.iter().skip(at).step_by(out.len()).copied().collect();
            LeftOut { source, common: common.clone(), alike: combined(&known, &mut centred(&q)) }
        };
        out.iter().enumerate().map(of).collect()
    }
}

/// What sources do to other genes than themselves, sources × genes: their own place takes the mean of the others there. Gives back the mean
/// of what they did to themselves, where any is measured.
pub(super) fn without_own(rows: &mut [f32], genes: usize, sources: &[Source]) -> Option<f32> {
    let own: Vec<(usize, usize)> =
        sources.iter().enumerate().filter_map(|(row, source)| Some((row, source.column?))).collect();
    let others = (sources.len() as f32 - 1.0).max(1.0);
    let mut sum = 0.0;
    for &(row, column) in &own {
        let all: f32 = rows.iter().skip(column).step_by(genes).sum();
        let value = &mut rows[row * genes + column];
        sum += *value;
        *value = (all - *value) / others;
    }
    (!own.is_empty()).then(|| sum / own.len() as f32)
}

/// Less their mean.
fn centred(values: &[f64]) -> impl Iterator<Item = f64> {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    values.iter().map(move |value| value - mean)
}

/// What the other perturbations say of one: two shifts of every gene.
struct LeftOut {
    source: usize,
    common: Vec<f64>,
    alike: Vec<f64>,
}

impl LeftOut {
    /// Genes with a measured shift, the perturbed one left out: both parts, and the shift.
    fn genes<'a>(&'a self, truth: &'a [f32], column: Option<usize>) -> impl Iterator<Item = [f64; 3]> + 'a {
        let genes = self.common.iter().zip(&self.alike).zip(truth).enumerate();
        genes
            .filter(move |(gene, (_, truth))| Some(*gene) != column && truth.is_finite())
            .map(|(_, ((common, alike), &truth))| [*common, *alike, f64::from(truth)])
    }

    /// Sums over genes of common², common·alike, alike², common·truth and alike·truth.
    fn products(&self, truth: &[f32], column: Option<usize>) -> [f64; 5] {
        let mut sums = [0.0; 5];
        for [common, alike, truth] in self.genes(truth, column) {
            let products = [common * common, common * alike, alike * alike, common * truth, alike * truth];
            sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
        }
        sums
    }
}

/// The a, b ≥ 0 of least squares, from the sums of [`LeftOut::products`].
fn nonnegative_shares([xx, xy, yy, xt, yt]: [f64; 5]) -> [f64; 2] {
    let alone = |square: f64, with: f64| if square > 0.0 { (with / square).max(0.0) } else { 0.0 };
    let determinant = xx * yy - xy * xy;
    if determinant > 1e-12 * xx * yy {
        let [a, b] = [(xt * yy - yt * xy) / determinant, (yt * xx - xt * xy) / determinant];
        if a >= 0.0 && b >= 0.0 {
            return [a, b];
        }
    }
    // One of them is 0: that which explains more stays.
    let [a, b] = [alone(xx, xt), alone(yy, yt)];
    if a * xt >= b * yt { [a, 0.0] } else { [0.0, b] }
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;

    const GENES: usize = 40;

    /// Effects of rank `rank` of genes on each other: gene t does to gene g what the product of its two places in a latent space says.
    /// Genes that respond alike act alike. Every effect has `common` besides. The first `sources` genes were perturbed.
    fn world(sources: usize, rank: usize, common: f64) -> Vec<Vec<f32>> {
        let mut random = crate::random::stream(5, "transfer test");
        let mut place = || (0..rank).map(|_| random.random::<f64>() - 0.5).collect::<Vec<f64>>();
        let places: Vec<Vec<f64>> = (0..GENES).map(|_| place()).collect();
        let shift = |of: usize, on: usize| (dot(&places[of], &places[on]) + common * (on as f64).sin()) as f32;
        (0..sources).map(|of| (0..GENES).map(|on| shift(of, on)).collect()).collect()
    }

    fn sources(count: usize) -> Vec<Source> {
        (0..count).map(|at| Source { treatment: 2 * at, column: Some(at) }).collect()
    }

    /// What sources with these shifts lend to another, by their weights.
    fn combined(weights: &[f32], shifts: &[Vec<f32>], sources: &[Source]) -> Vec<f32> {
        let mut lent = shifts.concat();
        without_own(&mut lent, GENES, sources);
        let mut sum = vec![0.0; GENES];
        for (lent, weight) in lent.chunks_exact(GENES).zip(weights) {
            sum.iter_mut().zip(lent).for_each(|(sum, shift)| *sum += weight * shift);
        }
        sum
    }

    /// What would be said of the sources had they not been seen, one after the other.
    fn as_if_unseen(transfer: &Transfer) -> Vec<f32> {
        let mut left_out = transfer.left_out();
        left_out.sort_by_key(|one| one.source);
        let said = |one: &LeftOut| -> Vec<f32> {
            one.common.iter().zip(&one.alike).map(|(common, alike)| transfer.said(*common, *alike)).collect()
        };
        left_out.iter().flat_map(said).collect()
    }

    fn correlation(a: &[f32], b: &[f32]) -> f64 {
        let centred = |values: &[f32]| -> Vec<f64> {
            centred(&values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>()).collect()
        };
        let (a, b) = (centred(a), centred(b));
        dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
    }

    #[test]
    fn genes_that_respond_alike_are_said_to_act_alike() {
        let all = world(GENES, 3, 0.0);
        let seen = &all[..25];
        let transfer = Transfer::fit(sources(25), GENES, seen.concat(), &seen.concat());
        for (gene, truth) in all.iter().enumerate().skip(25) {
            let weights = transfer.weights(Some(gene));
            let r = correlation(&combined(&weights, seen, &sources(25)), truth);
            assert!(r > 0.9, "{gene}: {r}");
        }
        let without: Vec<f64> = as_if_unseen(&transfer)
            .chunks_exact(GENES)
            .zip(seen)
            .map(|(predicted, truth)| correlation(predicted, truth))
            .collect();
        assert!(without.len() == 25 && without.iter().all(|r| *r > 0.9), "{without:?}");
    }

    #[test]
    fn what_all_share_is_said_of_a_gene_that_is_not_measured() {
        let all = world(20, 3, 0.6);
        let mut from = sources(20);
        from[7].column = None;
        let transfer = Transfer::fit(from, GENES, all.concat(), &all.concat());
        let weights = transfer.weights(None);
        assert!(weights.iter().all(|weight| *weight > 0.0 && *weight == weights[0]));
        let shared: Vec<f32> = (0..GENES).map(|on| (on as f32).sin()).collect();
        assert!(correlation(&combined(&weights, &all, &sources(20)), &shared) > 0.9);
    }

    #[test]
    fn what_says_nothing_is_given_no_weight() {
        // Predicted shifts that have nothing to do with the measured ones.
        let mut random = crate::random::stream(6, "transfer noise");
        let mut noise =
            |size: f32| -> Vec<f32> { (0..30 * GENES).map(|_| size * (random.random::<f32>() - 0.5)).collect() };
        let (predicted, measured) = (noise(1.0), noise(1.0));
        let transfer = Transfer::fit(sources(30), GENES, predicted, &measured);
        let said = as_if_unseen(&transfer).iter().map(|shift| shift.powi(2)).sum::<f32>();
        let shown = measured.iter().map(|shift| shift.powi(2)).sum::<f32>();
        assert!(said < 0.02 * shown, "{said} of {shown}");
        for count in [0, 1] {
            let none = Transfer::fit(sources(count), GENES, world(count, 3, 1.0).concat(), &vec![1.0; count * GENES]);
            assert!(as_if_unseen(&none).is_empty() && none.weights(Some(3)).iter().all(|weight| *weight == 0.0));
        }
        // Perturbations that do nothing.
        let nothing = Transfer::fit(sources(3), GENES, vec![0.0; 3 * GENES], &noise(1.0)[..3 * GENES]);
        assert!(nothing.weights(Some(9)).iter().all(|weight| *weight == 0.0));
    }

    /// By the formula in full: without fold `out`, K over rows and genes that are left.
    #[test]
    fn leaving_out_leaves_out_row_and_gene() {
        let all = world(7, 2, 0.3);
        let transfer = Transfer::fit(sources(7), GENES, all.concat(), &all.concat());
        let fewer: Vec<Vec<f32>> =
            all.iter().enumerate().filter(|(at, _)| *at != 4).map(|(_, row)| row.clone()).collect();
        let kept: Vec<Source> = sources(7).into_iter().filter(|source| source.column != Some(4)).collect();
        let mut again = Transfer::fit(kept.clone(), GENES, fewer.concat(), &fewer.concat());
        again.shares = transfer.shares;
        let expected = combined(&again.weights(Some(4)), &fewer, &kept);
        let found = as_if_unseen(&transfer);
        // The places of the perturbed genes themselves take means in which the one left out has its part.
        for (found, expected) in found[4 * GENES..5 * GENES].iter().zip(expected).skip(7) {
            assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
        }
    }

    #[test]
    fn shares_are_those_of_least_squares_and_never_negative() {
        // truth = 2·x + 0.5·y over x = (1, 0, 1), y = (0, 2, 1).
        assert_eq!(nonnegative_shares([2.0, 1.0, 5.0, 4.5, 4.5]), [2.0, 0.5]);
        // truth = x − y: without y, Σxt/Σxx.
        assert_eq!(nonnegative_shares([2.0, 1.0, 5.0, 1.0, -4.0]), [0.5, 0.0]);
        assert_eq!(nonnegative_shares([2.0, 1.0, 5.0, -1.0, 4.0]), [0.0, 0.8]);
        assert_eq!(nonnegative_shares([2.0, 0.0, 0.0, -1.0, 0.0]), [0.0, 0.0]);
        // The same twice: one of them does.
        assert_eq!(nonnegative_shares([2.0, 2.0, 2.0, 1.0, 1.0]), [0.5, 0.0]);
    }
}
