//! Expression shifts per perturbation: the average treatment effect (ATE) of SAMS-VAE, CRADLE-VAE and GPO-VAE.

use std::f64::consts::LOG2_E;

use super::{CsrMatrix, Dataset, MatrixKind, median};

/// One shift per perturbation and gene, in log2 units against control.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EffectTable {
    /// Names of the perturbations, one per row.
    pub perturbations: Vec<String>,
    /// Gene symbols, one per column.
    pub genes: Vec<String>,
    /// Number of cells behind each row (0 for a prediction).
    pub cells: Vec<u32>,
    /// Perturbations × genes, row-major.
    pub shifts: Vec<f32>,
}

impl EffectTable {
    /// The shifts of perturbation number `row`, one per gene.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.shifts[row * self.genes.len()..(row + 1) * self.genes.len()]
    }

    /// The row of the perturbation called `name`.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.perturbations.iter().position(|perturbation| perturbation == name)
    }

    /// The perturbations of some `rows` alone.
    pub fn part(&self, rows: &[usize]) -> Self {
        Self {
            perturbations: rows.iter().map(|&row| self.perturbations[row].clone()).collect(),
            genes: self.genes.clone(),
            cells: rows.iter().map(|&row| self.cells.get(row).copied().unwrap_or(0)).collect(),
            shifts: rows.iter().flat_map(|&row| self.row(row).iter().copied()).collect(),
        }
    }

    /// Measured shifts over `cells` (rows of `dataset`): for each perturbation with at least one of them, the [`mean_expression`] minus
    /// that of the control cells among them. None if no control cell is among them.
    pub fn observed(dataset: &Dataset, cells: &[u32]) -> Option<Self> {
        let (control, _) = by_role(dataset, cells);
        (!control.is_empty()).then(|| Self::against(dataset, cells, Some(&mean_expression(dataset, &control))))
    }

    /// The same against `base`, one value per gene in the unit of [`mean_expression`]; without it against the median over the
    /// perturbations' means, gene by gene.
    pub fn against(dataset: &Dataset, cells: &[u32], base: Option<&[f64]>) -> Self {
        let (_, by_perturbation) = by_role(dataset, cells);
        let mut table = Self { genes: dataset.genes().symbols(), ..Self::default() };
        let mut means: Vec<Vec<f64>> = Vec::new();
        for (perturbation, cells) in dataset.perturbations().iter().zip(&by_perturbation) {
            if !cells.is_empty() {
                table.perturbations.push(perturbation.name());
                table.cells.push(cells.len() as u32);
                means.push(mean_expression(dataset, cells));
            }
        }
        let middle = |gene: usize| median(means.iter().map(|mean| mean[gene]).collect()).unwrap_or_default();
        let medians: Vec<f64> = if base.is_none() { (0..table.genes.len()).map(middle).collect() } else { Vec::new() };
        let base = base.unwrap_or(&medians);
        table.shifts =
            means.iter().flat_map(|mean| mean.iter().zip(base).map(|(mean, base)| (mean - base) as f32)).collect();
        table
    }

    /// The standard error of each shift of [`EffectTable::observed`] with the same arguments: the root of the summed squares of
    /// those of both means. Not a number where a mean is over one cell.
    pub fn standard_errors(dataset: &Dataset, cells: &[u32]) -> Vec<f32> {
        let (control, by_perturbation) = by_role(dataset, cells);
        let (_, base) = expression_moments(dataset, &control);
        let with_cells = by_perturbation.iter().filter(|cells| !cells.is_empty());
        let row = |cells: &Vec<u32>| -> Vec<f32> {
            let (_, own) = expression_moments(dataset, cells);
            own.iter().zip(&base).map(|(own, base)| (own + base).sqrt() as f32).collect()
        };
        with_cells.flat_map(row).collect()
    }
}

/// The control cells among `cells`, and those of each perturbation.
fn by_role(dataset: &Dataset, cells: &[u32]) -> (Vec<u32>, Vec<Vec<u32>>) {
    let mut control = Vec::new();
    let mut by_perturbation = vec![Vec::new(); dataset.perturbations().len()];
    for &cell in cells {
        match dataset.roles()[cell as usize] {
            super::CellRole::Control => control.push(cell),
            super::CellRole::Perturbed(index) => by_perturbation[index as usize].push(cell),
            super::CellRole::Unassigned => {}
        }
    }
    (control, by_perturbation)
}

/// [`mean_log2_expression`] and the variance of that mean, the square of its standard error: one of each per gene. The variance is
/// not a number for one cell.
pub fn log2_moments(counts: &CsrMatrix, cells: &[u32]) -> (Vec<f64>, Vec<f64>) {
    let mean = mean_log2_expression(counts, cells);
    let total = |cell: u32| counts.row_sum(cell as usize);
    let log2 = |total: f64, count: f64| (1e4 * count / total).ln_1p() / std::f64::consts::LN_2;
    let variances = variances(counts, cells, &mean, total, log2);
    (mean, variances)
}

/// The same of [`mean_expression`].
fn expression_moments(dataset: &Dataset, cells: &[u32]) -> (Vec<f64>, Vec<f64>) {
    if dataset.matrix_kind() == MatrixKind::Counts {
        return log2_moments(dataset.matrix(), cells);
    }
    let (mean, unit) = (mean_expression(dataset, cells), unit(dataset.matrix_kind()));
    let variances = variances(dataset.matrix(), cells, &mean, |_| unit, |unit, value| unit * value);
    (mean, variances)
}

/// Variance of the `mean` over `cells` of a function of the stored values that is 0 for 0; `of_cell` is what it needs to know of a cell.
fn variances(
    matrix: &CsrMatrix,
    cells: &[u32],
    mean: &[f64],
    of_cell: impl Fn(u32) -> f64,
    value: impl Fn(f64, f64) -> f64,
) -> Vec<f64> {
    let count = cells.len() as f64;
    // Of cells without values first; the others correct it where they have some.
    let mut squares: Vec<f64> = mean.iter().map(|mean| count * mean * mean).collect();
    for &cell in cells {
        let known = of_cell(cell);
        for (column, stored) in matrix.row(cell as usize).iter() {
            let mean = mean[column as usize];
            squares[column as usize] += (value(known, f64::from(stored)) - mean).powi(2) - mean * mean;
        }
    }
    squares.iter().map(|square| square.max(0.0) / (count - 1.0) / count).collect()
}

/// What values that are no counts are multiplied by: log-normalised ones (natural logarithm) come in log2 units.
fn unit(kind: MatrixKind) -> f64 {
    if kind == MatrixKind::LogNormalised { LOG2_E } else { 1.0 }
}

/// Mean over `cells` of the expression of each gene: of counts [`mean_log2_expression`]; of log-normalised values (natural logarithm) their
/// mean in log2 units; of anything else the mean of the values as they are.
pub fn mean_expression(dataset: &Dataset, cells: &[u32]) -> Vec<f64> {
    if dataset.matrix_kind() == MatrixKind::Counts {
        return mean_log2_expression(dataset.matrix(), cells);
    }
    let scale = unit(dataset.matrix_kind());
    let mut mean = vec![0.0; dataset.gene_count()];
    for &cell in cells {
        for (column, value) in dataset.matrix().row(cell as usize).iter() {
            mean[column as usize] += f64::from(value);
        }
    }
    mean.iter_mut().for_each(|value| *value *= scale / cells.len().max(1) as f64);
    mean
}

/// Mean over `cells` of log2(10,000·x/Σx + 1), one per gene. A cell without counts contributes zeros.
pub fn mean_log2_expression(counts: &CsrMatrix, cells: &[u32]) -> Vec<f64> {
    let mut mean = vec![0.0; counts.columns()];
    for &cell in cells {
        let total = counts.row_sum(cell as usize);
        if total <= 0.0 {
            continue;
        }
        for (column, value) in counts.row(cell as usize).iter() {
            mean[column as usize] += (1e4 * f64::from(value) / total).ln_1p();
        }
    }
    let scale = 1.0 / (cells.len().max(1) as f64 * std::f64::consts::LN_2);
    mean.iter_mut().for_each(|value| *value *= scale);
    mean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_mean_is_that_of_its_cells() {
        let counts = CsrMatrix::from_dense(4, 2, &[1.0, 3.0, 0.0, 2.0, 2.0, 2.0, 0.0, 0.0]);
        let (_, found) = log2_moments(&counts, &[0, 1, 2, 3]);
        let values = [2501f64.log2(), 0.0, 5001f64.log2(), 0.0];
        let mean = values.iter().sum::<f64>() / 4.0;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 3.0;
        assert!((found[0] - variance / 4.0).abs() < 1e-9, "{found:?}");
        assert!(log2_moments(&counts, &[1]).1[0].is_nan());
        // The same values as they are.
        let logs = CsrMatrix::from_dense(4, 1, &values.map(|value| value as f32));
        let as_is = variances(&logs, &[0, 1, 2, 3], &[mean], |_| 1.0, |unit, value| unit * value);
        assert!((as_is[0] - variance / 4.0).abs() < 1e-5, "{as_is:?}");
    }

    #[test]
    fn the_mean_is_over_all_cells_and_in_log2_units() {
        let counts = CsrMatrix::from_dense(2, 2, &[1.0, 3.0, 0.0, 2.0]);
        let mean = mean_log2_expression(&counts, &[0, 1]);
        assert!((mean[0] - 0.5 * 2501f64.log2()).abs() < 1e-12);
        assert!((mean[1] - 0.5 * (7501f64.log2() + 10001f64.log2())).abs() < 1e-12);
    }
}
