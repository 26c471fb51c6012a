//! The low-rank linear model of Ahlmann-Eltze and Huber (Nature Methods 2025).
//!
//! Symbols: Y is genes × training conditions (shifts), b its row means, G genes × K the principal component scores of the
//! genes, P the rows of G of the perturbed genes (K × conditions, summed for a combination), λ the ridge.
//! W = (GᵀG + λI)⁻¹ Gᵀ (Y − b) Pᵀ (PPᵀ + λI)⁻¹, and a perturbation p is predicted as b + G·W·P_p.

use std::collections::HashMap;

use rand::RngExt as _;
use rayon::prelude::*;

use crate::data::{EffectTable, Perturbation};
use crate::jobs::{Cancelled, Progress};
use crate::models::cholesky::{dot, solve};

/// K.
const COMPONENTS: usize = 10;
/// λ.
const RIDGE: f64 = 0.1;
/// Extra directions that speed up the convergence of the leading ones.
const OVERSAMPLING: usize = 10;
const ITERATIONS: usize = 60;

/// A fitted model.
pub(super) struct LowRankLinear {
    /// b, one per gene.
    offset: Vec<f64>,
    /// G, genes × K, row-major.
    scores: Vec<f64>,
    /// W, K × K, row-major.
    weights: Vec<f64>,
    components: usize,
    columns: HashMap<String, usize>,
}

impl LowRankLinear {
    /// Fit on the rows of `training` whose perturbed genes are all measured; none if there are fewer than two.
    pub(super) fn fit(training: &EffectTable, progress: &dyn Progress) -> Result<Option<Self>, Cancelled> {
        let columns: HashMap<String, usize> =
            training.genes.iter().enumerate().map(|(column, gene)| (gene.clone(), column)).collect();
        let targets = |name: &str| name.split('+').map(|gene| columns.get(gene).copied()).collect::<Option<Vec<_>>>();
        let conditions: Vec<(usize, Vec<usize>)> = (0..training.perturbations.len())
            .filter_map(|row| Some((row, targets(&training.perturbations[row])?)))
            .collect();
        let (genes, count) = (training.genes.len(), conditions.len());
        if count < 2 || genes < 2 {
            return Ok(None);
        }
        // Y transposed: conditions × genes, row-major.
        let shifts: Vec<f64> =
            conditions.iter().flat_map(|(row, _)| training.row(*row).iter().map(|&shift| f64::from(shift))).collect();
        let offset: Vec<f64> = (0..genes)
            .map(|gene| (0..count).map(|condition| shifts[condition * genes + gene]).sum::<f64>() / count as f64)
            .collect();

        let components = COMPONENTS.min(count).min(genes);
        let scores = principal_scores(&shifts, count, genes, components, progress)?;

        let mut embedding = vec![0.0; components * count];
        for (condition, (_, targets)) in conditions.iter().enumerate() {
            for &gene in targets {
                for k in 0..components {
                    embedding[k * count + condition] += scores[gene * components + k];
                }
            }
        }
        // Gᵀ(Y − b), K × conditions.
        let mut projected = vec![0.0; components * count];
        for condition in 0..count {
            for gene in 0..genes {
                let shift = shifts[condition * genes + gene] - offset[gene];
                for k in 0..components {
                    projected[k * count + condition] += scores[gene * components + k] * shift;
                }
            }
        }
        let mut left = vec![0.0; components * components];
        for row in scores.chunks_exact(components) {
            add_outer(&mut left, row, row);
        }
        let (mut right, mut middle) = (left.clone(), left.clone());
        right.fill(0.0);
        middle.fill(0.0);
        for condition in 0..count {
            let at = |from: &[f64]| (0..components).map(|k| from[k * count + condition]).collect::<Vec<_>>();
            let embedded = at(&embedding);
            add_outer(&mut right, &embedded, &embedded);
            add_outer(&mut middle, &at(&projected), &embedded);
        }
        for k in 0..components {
            left[k * components + k] += RIDGE;
            right[k * components + k] += RIDGE;
        }
        // W = left⁻¹ · middle · right⁻¹; `right` is symmetric, so its inverse is applied to the transpose.
        let half = solve(left, &middle, components, components);
        let weights = transpose(&solve(right, &transpose(&half, components), components, components), components);
        Ok(Some(Self { offset, scores, weights, components, columns }))
    }

    /// One shift per gene; none if a perturbed gene is not measured.
    pub(super) fn predict(&self, question: &Perturbation) -> Option<Vec<f32>> {
        let size = self.components;
        let mut embedded = vec![0.0; size];
        for gene in question.targets() {
            let row = &self.scores[self.columns.get(gene)? * size..][..size];
            embedded.iter_mut().zip(row).for_each(|(sum, score)| *sum += score);
        }
        let direction: Vec<f64> = self.weights.chunks_exact(size).map(|row| dot(row, &embedded)).collect();
        let genes = self.scores.chunks_exact(size).zip(&self.offset);
        Some(genes.map(|(row, offset)| (offset + dot(row, &direction)) as f32).collect())
    }
}

fn add_outer(into: &mut [f64], a: &[f64], b: &[f64]) {
    for (row, a) in into.chunks_exact_mut(b.len()).zip(a) {
        row.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
    }
}

fn transpose(matrix: &[f64], size: usize) -> Vec<f64> {
    (0..size * size).map(|at| matrix[at % size * size + at / size]).collect()
}

/// Scores of the genes on the leading principal components of Y (genes are the observations, conditions the variables,
/// each condition centred): genes × `components`, row-major. `shifts` is Y transposed.
///
/// By subspace iteration with Rayleigh–Ritz at the end (Halko, Martinsson and Tropp 2011): O(genes · conditions ·
/// components) per iteration. Components come up to rotation and sign, of which the model's prediction does not depend.
fn principal_scores(
    shifts: &[f64],
    conditions: usize,
    genes: usize,
    components: usize,
    progress: &dyn Progress,
) -> Result<Vec<f64>, Cancelled> {
    let centred: Vec<f64> = shifts
        .chunks_exact(genes)
        .flat_map(|row| {
            let mean = row.iter().sum::<f64>() / genes as f64;
            row.iter().map(move |shift| shift - mean)
        })
        .collect();
    let width = (components + OVERSAMPLING).min(conditions).min(genes);
    // Directions in condition space: width rows of `conditions`.
    let mut random = crate::random::stream(0, "principal components");
    let mut basis: Vec<Vec<f64>> =
        (0..width).map(|_| (0..conditions).map(|_| random.random::<f64>() - 0.5).collect()).collect();
    orthonormalise(&mut basis);
    // Yᶜ·v, one value per gene.
    let score = |direction: &Vec<f64>| -> Vec<f64> {
        let mut sum = vec![0.0; genes];
        for (row, weight) in centred.chunks_exact(genes).zip(direction) {
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
        }
        sum
    };
    for _ in 0..ITERATIONS {
        progress.check()?;
        basis = basis
            .par_iter()
            .map(|direction| {
                let scores = score(direction);
                centred.chunks_exact(genes).map(|row| dot(row, &scores)).collect()
            })
            .collect();
        orthonormalise(&mut basis);
    }
    let columns: Vec<Vec<f64>> = basis.par_iter().map(score).collect();
    let gram: Vec<f64> = columns.iter().flat_map(|a| columns.iter().map(|b| dot(a, b))).collect();
    let rotations = eigenvectors(gram, width);
    let rotated =
        |gene: usize, rotation: &[f64]| columns.iter().zip(rotation).map(|(c, weight)| c[gene] * weight).sum();
    let places = (0..genes).flat_map(|gene| rotations[..components].iter().map(move |r| (gene, r)));
    Ok(places.map(|(g, r)| rotated(g, r)).collect())
}

/// Eigenvectors of the symmetric `matrix` (size × size), that of the largest eigenvalue first, by Jacobi's rotations.
fn eigenvectors(mut matrix: Vec<f64>, size: usize) -> Vec<Vec<f64>> {
    let mut vectors: Vec<Vec<f64>> =
        (0..size).map(|at| (0..size).map(|other| f64::from(u8::from(at == other))).collect()).collect();
    for _ in 0..30 {
        for p in 0..size {
            for q in p + 1..size {
                let shared = matrix[p * size + q];
                if shared.abs() <= 1e-300 {
                    continue;
                }
                let theta = (matrix[q * size + q] - matrix[p * size + p]) / (2.0 * shared);
                let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let sine = tangent * cosine;
                for k in 0..size {
                    let (a, b) = (matrix[k * size + p], matrix[k * size + q]);
                    matrix[k * size + p] = cosine * a - sine * b;
                    matrix[k * size + q] = sine * a + cosine * b;
                }
                for k in 0..size {
                    let (a, b) = (matrix[p * size + k], matrix[q * size + k]);
                    matrix[p * size + k] = cosine * a - sine * b;
                    matrix[q * size + k] = sine * a + cosine * b;
                    let (a, b) = (vectors[p][k], vectors[q][k]);
                    vectors[p][k] = cosine * a - sine * b;
                    vectors[q][k] = sine * a + cosine * b;
                }
            }
        }
    }
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&a, &b| matrix[b * size + b].total_cmp(&matrix[a * size + a]));
    order.into_iter().map(|at| std::mem::take(&mut vectors[at])).collect()
}

/// Modified Gram–Schmidt, twice; a direction without length becomes zero.
fn orthonormalise(basis: &mut [Vec<f64>]) {
    for _ in 0..2 {
        for at in 0..basis.len() {
            let (before, rest) = basis.split_at_mut(at);
            let current = &mut rest[0];
            for other in before.iter() {
                let shared = dot(current, other);
                current.iter_mut().zip(other).for_each(|(value, other)| *value -= shared * other);
            }
            let length = dot(current, current).sqrt();
            let scale = if length > 1e-150 { 1.0 / length } else { 0.0 };
            current.iter_mut().for_each(|value| *value *= scale);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;

    /// 12 genes × 6 conditions of rank 2 plus a little of a third direction; expected values computed with NumPy from the
    /// formula in the header.
    fn training() -> EffectTable {
        let genes: Vec<String> = (0..12).map(|gene| format!("G{gene}")).collect();
        let shift = |condition: usize, gene: usize| {
            let (c, g) = (condition as f64, gene as f64);
            (0.9 * (c + 1.0).sin() * (g * 0.7).cos()
                + 0.4 * (c * 1.3).cos() * (g + 2.0).sin()
                + 0.05 * (c * g).sin()
                + 0.1) as f32
        };
        EffectTable {
            perturbations: vec!["G0", "G1", "G2", "G3+G4", "G5", "unmeasured"].into_iter().map(str::to_owned).collect(),
            genes,
            cells: vec![1; 6],
            shifts: (0..6).flat_map(|condition| (0..12).map(move |gene| shift(condition, gene))).collect(),
        }
    }

    #[test]
    fn predictions_agree_with_the_formula_in_numpy() {
        let model = LowRankLinear::fit(&training(), &Silent).unwrap().unwrap();
        for (question, expected) in
            [(Perturbation::of(["G7"]), EXPECTED_G7), (Perturbation::of(["G0", "G9"]), EXPECTED_G0_G9)]
        {
            let found = model.predict(&question).unwrap();
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 2e-6, "{}: {found} is not {expected}", question.name());
            }
        }
        assert_eq!(model.predict(&Perturbation::of(["unmeasured"])), None);
    }

    #[test]
    fn eigenvectors_come_by_falling_eigenvalue() {
        // [[2, 1], [1, 2]] has eigenvalues 3 and 1 with eigenvectors (1, 1) and (1, −1).
        let vectors = eigenvectors(vec![2.0, 1.0, 1.0, 2.0], 2);
        assert!((vectors[0][0] - vectors[0][1]).abs() < 1e-12 && (vectors[1][0] + vectors[1][1]).abs() < 1e-12);
        assert!((dot(&vectors[0], &vectors[0]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn too_little_to_learn_from_is_no_model() {
        let mut one = training();
        one.perturbations.truncate(1);
        one.shifts.truncate(12);
        assert!(LowRankLinear::fit(&one, &Silent).unwrap().is_none());
    }

    const EXPECTED_G7: [f32; 12] = [
        0.2200991,
        0.128784,
        0.0386103,
        -0.01046336,
        0.06479508,
        0.1951455,
        0.2028665,
        0.1801183,
        0.05635225,
        -0.01614832,
        0.05138735,
        0.158895,
    ];
    const EXPECTED_G0_G9: [f32; 12] = [
        1.105806, 0.8538566, 0.07558466, -0.6928782, -1.158835, -1.162527, -0.5884012, 0.1891707, 0.7943891, 1.020258,
        0.7468131, 0.08720544,
    ];
}
