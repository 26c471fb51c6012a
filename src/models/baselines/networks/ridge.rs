//! Ridge regression of each gene's shifts on those of all others, over perturbations.
//!
//! X are shifts against control, perturbations × genes: a perturbation that changes nothing is a row of zeros, so there is no intercept. The
//! coefficients of target j come from the rows other than its own perturbation and the columns other than its own:
//! β = (X'ᵀX' + λI)⁻¹ X'ᵀx_j. All of them follow from one decomposition of X: with M = (XᵀX + λI)⁻¹ without row r (a change of rank one, Sherman
//! and Morrison 1950), β_i = −M_ij / M_jj, the residuals are X·M_j / M_jj, and the degrees of freedom are p − λ·tr of the
//! inverse of the block without j (block inversion). λ is the one of 13 from 10⁻² to 10⁴ times the mean squared length of a column
//! with the least generalised cross-validation error n·RSS / (n − df)² (Golub, Heath & Wahba 1979), per target.

use rayon::prelude::*;

use super::{EdgeScores, singles};
use crate::data::EffectTable;
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::eigen::{dot, leading_eigenvectors};

/// Directions of X kept at most; the others have less variance.
const MOST_DIRECTIONS: usize = 1_000;
/// Candidates of λ over the mean squared length of a column: 10^(−2 + step/2).
const PENALTIES: usize = 13;

/// Standardised coefficients |β_ij|·rms_i / rms_j between the `genes` that are measured, with the sign of β; rows are those of them that
/// are among `regulators`. None with fewer than three single perturbations. A gene without shifts has no score as a target.
pub fn ridge(
    effects: &EffectTable,
    regulators: &[String],
    genes: &[String],
    progress: &dyn Progress,
) -> Result<Option<EdgeScores>, Cancelled> {
    let rows = singles(effects);
    let columns = super::columns(&effects.genes, genes);
    let (count, width) = (rows.len(), columns.len());
    if count < 3 || width < 2 {
        return Ok(None);
    }
    progress.stage("Regressing shifts", Some(0.0));
    let value = |&row: &usize| columns.iter().map(move |&column| f64::from(effects.row(row)[column]));
    let x: Vec<f64> = rows.iter().flat_map(value).collect();
    let design = Design::new(x, count, width, progress)?;
    let names = super::names(&columns, &effects.genes);
    let own: Vec<Option<usize>> =
        names.iter().map(|gene| rows.iter().position(|&row| &effects.perturbations[row] == gene)).collect();
    progress.stage("Regressing shifts", Some(0.5));
    // Places of the regulators among the names.
    let kept = super::columns(&names, regulators);
    let coefficients: Vec<Option<Vec<f32>>> = (0..width)
        .into_par_iter()
        .map(|target| {
            progress.check()?;
            let all = design.coefficients(target, own[target]);
            Ok(all.map(|all| kept.iter().map(|&regulator| all[regulator] as f32).collect()))
        })
        .collect::<Result<_, Cancelled>>()?;
    let size = kept.len() * width;
    let mut scores = EdgeScores {
        regulators: super::names(&kept, &names),
        targets: names,
        scores: vec![f32::NAN; size],
        signs: vec![0.0; size],
    };
    for (target, coefficients) in coefficients.iter().enumerate() {
        let Some(coefficients) = coefficients else { continue };
        let others = coefficients.iter().enumerate().filter(|(row, _)| kept[*row] != target);
        for (row, &coefficient) in others {
            scores.set(row * width + target, coefficient.abs(), coefficient);
        }
    }
    Ok(Some(scores))
}

/// X and its singular value decomposition.
struct Design {
    x: Vec<f64>,
    rows: usize,
    columns: usize,
    /// Squared singular values above 0.
    squares: Vec<f64>,
    /// Right singular vectors, one per squared singular value.
    vectors: Vec<Vec<f64>>,
    /// The same by columns of X: columns × directions.
    loadings: Vec<f64>,
    /// Mean squared length of a column.
    scale: f64,
}

impl Design {
    fn new(x: Vec<f64>, rows: usize, columns: usize, progress: &dyn Progress) -> Result<Self, Cancelled> {
        let row = |at: usize| &x[at * columns..(at + 1) * columns];
        let scale = x.iter().map(|value| value * value).sum::<f64>() / columns as f64;
        // Of the smaller of XXᵀ and XᵀX.
        let transposed: Vec<f64> = (0..columns)
            .flat_map(|column| (0..rows).map(move |row| (row, column)))
            .map(|(row, column)| x[row * columns + column])
            .collect();
        let (side, length, by_side) = if rows <= columns { (rows, columns, &x) } else { (columns, rows, &transposed) };
        let line = |at: usize| &by_side[at * length..(at + 1) * length];
        let gram: Vec<f64> =
            (0..side).into_par_iter().flat_map_iter(|a| (0..side).map(move |b| dot(line(a), line(b)))).collect();
        progress.check()?;
        let count = side.min(MOST_DIRECTIONS);
        let (values, found) = leading_eigenvectors(&gram, side, count, side.min(2 * MOST_DIRECTIONS), 0, progress)?;
        let kept = values.iter().take_while(|value| **value > 1e-10 * values[0].max(0.0)).count();
        let right = |(square, vector): (&f64, Vec<f64>)| -> Vec<f64> {
            if rows > columns {
                return vector;
            }
            let mut sum = vec![0.0; columns];
            for (at, share) in vector.iter().enumerate() {
                sum.iter_mut().zip(row(at)).for_each(|(sum, value)| *sum += share * value);
            }
            sum.iter_mut().for_each(|value| *value /= square.sqrt());
            sum
        };
        let squares = values[..kept].to_vec();
        let vectors: Vec<Vec<f64>> = squares.iter().zip(found).map(right).collect();
        let loadings = (0..columns).flat_map(|column| vectors.iter().map(move |vector| vector[column])).collect();
        Ok(Self { x, rows, columns, squares, vectors, loadings, scale })
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.x[row * self.columns..(row + 1) * self.columns]
    }

    /// Σ over directions of vector·weight.
    fn combine(&self, weights: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.columns];
        for (vector, weight) in self.vectors.iter().zip(weights) {
            sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += weight * value);
        }
        sum
    }

    /// Standardised coefficients of all columns for the column `target`, 0 for itself, without the row `own`; none if it has no shifts.
    fn coefficients(&self, target: usize, own: Option<usize>) -> Option<Vec<f64>> {
        let others = || (0..self.rows).filter(|&row| Some(row) != own);
        let squared = |row: usize| self.row(row)[target].powi(2);
        let spread = others().map(squared).sum::<f64>();
        if spread <= 1e-12 * self.scale {
            return None;
        }
        let directions = self.squares.len();
        let loading = &self.loadings[target * directions..(target + 1) * directions];
        // Coordinates of the row left out.
        let along: Option<Vec<f64>> =
            own.map(|own| self.vectors.iter().map(|vector| dot(vector, self.row(own))).collect());
        let observed = (self.rows - usize::from(own.is_some())) as f64;
        let mut best: Option<(f64, Vec<f64>)> = None;
        for step in 0..PENALTIES {
            let penalty = self.scale * 10f64.powf(-2.0 + step as f64 / 2.0);
            // M v = v/λ − V (1/λ − 1/(s² + λ)) Vᵀ v.
            let shrink: Vec<f64> = self.squares.iter().map(|square| 1.0 / penalty - 1.0 / (square + penalty)).collect();
            let times = |coordinates: &[f64]| -> Vec<f64> {
                let weights: Vec<f64> = coordinates.iter().zip(&shrink).map(|(value, shrink)| value * shrink).collect();
                self.combine(&weights)
            };
            let mut column = times(loading);
            column.iter_mut().for_each(|value| *value = -*value);
            column[target] += 1.0 / penalty;
            let mut trace = self.columns as f64 / penalty - shrink.iter().sum::<f64>();
            if let (Some(own), Some(along)) = (own, &along) {
                let mut u = times(along);
                u.iter_mut().zip(self.row(own)).for_each(|(u, value)| *u = value / penalty - *u);
                let left = 1.0 - dot(&u, self.row(own));
                if left <= 1e-12 {
                    continue;
                }
                let share = u[target] / left;
                column.iter_mut().zip(&u).for_each(|(value, u)| *value += u * share);
                trace += dot(&u, &u) / left;
            }
            let middle = column[target];
            let residuals: f64 = others().map(|row| (dot(self.row(row), &column) / middle).powi(2)).sum();
            let rest: f64 = dot(&column, &column) - middle * middle;
            let without = trace - middle - rest / middle;
            let freedom = (self.columns - 1) as f64 - penalty * without;
            let error = observed * residuals / (observed - freedom).max(1e-9).powi(2);
            if best.as_ref().is_none_or(|best| error < best.0) {
                column.iter_mut().for_each(|value| *value = -*value / middle);
                column[target] = 0.0;
                best = Some((error, column));
            }
        }
        let (_, mut coefficients) = best?;
        let length = spread.sqrt();
        for (column, coefficient) in coefficients.iter_mut().enumerate() {
            let own_length = others().map(|row| self.row(row)[column].powi(2)).sum::<f64>().sqrt();
            *coefficient *= own_length / length;
        }
        Some(coefficients)
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;
    use crate::jobs::Silent;
    use crate::network::Sign;

    /// Solve (XᵀX + λI) β = Xᵀy by elimination, plainly.
    fn plain(x: &[Vec<f64>], y: &[f64], penalty: f64) -> Vec<f64> {
        let width = x[0].len();
        let mut system: Vec<Vec<f64>> = (0..width)
            .map(|a| {
                let entry =
                    |b: usize| x.iter().map(|row| row[a] * row[b]).sum::<f64>() + if a == b { penalty } else { 0.0 };
                let mut line: Vec<f64> = (0..width).map(entry).collect();
                line.push(x.iter().zip(y).map(|(row, y)| row[a] * y).sum());
                line
            })
            .collect();
        for at in 0..width {
            let (done, rest) = system.split_at_mut(at + 1);
            for line in rest {
                let factor = line[at] / done[at][at];
                line.iter_mut().zip(&done[at]).skip(at).for_each(|(value, above)| *value -= factor * above);
            }
        }
        let mut result = vec![0.0; width];
        for at in (0..width).rev() {
            let known: f64 = (at + 1..width).map(|column| system[at][column] * result[column]).sum();
            result[at] = (system[at][width] - known) / system[at][at];
        }
        result
    }

    /// The best penalty by generalised cross-validation, the degrees of freedom from the fit of unit vectors.
    fn plain_best(x: &[Vec<f64>], y: &[f64], scale: f64) -> Vec<f64> {
        let fit = |beta: &[f64], row: &[f64]| dot(beta, row);
        let error = |penalty: f64| {
            let beta = plain(x, y, penalty);
            let residuals: f64 = x.iter().zip(y).map(|(row, y)| (y - fit(&beta, row)).powi(2)).sum();
            let leverage = |at: usize| {
                let mut unit = vec![0.0; y.len()];
                unit[at] = 1.0;
                fit(&plain(x, &unit, penalty), &x[at])
            };
            let freedom: f64 = (0..y.len()).map(leverage).sum();
            y.len() as f64 * residuals / (y.len() as f64 - freedom).powi(2)
        };
        let penalties = (0..PENALTIES).map(|step| scale * 10f64.powf(-2.0 + step as f64 / 2.0));
        let best = penalties.min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap();
        plain(x, y, best)
    }

    #[test]
    fn coefficients_are_those_of_one_regression_per_target() {
        for (perturbed, width) in [(5, 9), (9, 6)] {
            let mut random = crate::random::stream(3, "ridge");
            let genes: Vec<String> = (0..width.max(perturbed)).map(|gene| format!("G{gene}")).collect();
            let names = genes[..width].to_vec();
            let shifts: Vec<f32> = (0..perturbed * width).map(|_| random.random::<f32>() - 0.4).collect();
            let effects = EffectTable {
                perturbations: genes[..perturbed].to_vec(),
                genes: names.clone(),
                cells: vec![1; perturbed],
                shifts: shifts.clone(),
            };
            let scores = ridge(&effects, &names, &names, &Silent).unwrap().unwrap();
            let scale = shifts.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>() / width as f64;
            for target in 0..width {
                let rows: Vec<usize> = (0..perturbed).filter(|&row| row != target).collect();
                let at = |row: usize, column: usize| f64::from(shifts[row * width + column]);
                let others: Vec<usize> = (0..width).filter(|&column| column != target).collect();
                let x: Vec<Vec<f64>> =
                    rows.iter().map(|&row| others.iter().map(|&column| at(row, column)).collect()).collect();
                let y: Vec<f64> = rows.iter().map(|&row| at(row, target)).collect();
                let beta = plain_best(&x, &y, scale);
                for (place, &regulator) in others.iter().enumerate() {
                    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
                    let expected = beta[place].abs() * length(&mut x.iter().map(|row| row[place]))
                        / length(&mut y.iter().copied());
                    let found = f64::from(scores.get(&names[regulator], &names[target]).unwrap());
                    assert!((found - expected).abs() < 1e-5, "{regulator} {target}: {found} {expected}");
                    let sign = if beta[place] > 0.0 { Sign::Activates } else { Sign::Represses };
                    let ranked = scores.ranked();
                    let edge = ranked.iter().find(|edge| edge.0 == names[regulator] && edge.1 == names[target]);
                    assert_eq!(edge.unwrap().3, sign);
                }
            }
        }
    }

    #[test]
    fn a_gene_that_never_moves_is_no_target() {
        let genes: Vec<String> = ["A", "B", "C"].map(str::to_owned).to_vec();
        let shifts = vec![1.0, 0.5, 0.0, 0.25, 1.0, 0.0, 0.5, 0.5, 0.0];
        let effects = EffectTable { perturbations: genes.clone(), genes: genes.clone(), cells: vec![1; 3], shifts };
        let scores = ridge(&effects, &genes, &genes, &Silent).unwrap().unwrap();
        assert_eq!(scores.get("A", "C"), None);
        assert!(scores.get("C", "A") == Some(0.0) && scores.get("A", "B") > Some(0.0));
    }
}
