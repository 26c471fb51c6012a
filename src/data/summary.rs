//! What a screen holds, in numbers, and whether its perturbations worked.

use serde::Serialize;
use statrs::function::erf::erfc;

use super::{CellRole, Dataset, MatrixKind, Perturbation, PerturbationKind, median};
use crate::jobs::{Cancelled, Progress};

/// A screen in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Number of cells.
    pub cells: usize,
    /// Number of genes.
    pub genes: usize,
    /// Cells with a guide that targets nothing.
    pub control_cells: usize,
    /// Cells without an assignment.
    pub unassigned_cells: usize,
    /// What the matrix holds.
    pub matrix_kind: MatrixKind,
    /// How targets are perturbed.
    pub kind: PerturbationKind,
    /// Median over cells of the sum of values: molecules per cell where the matrix holds counts.
    pub median_counts: f64,
    /// Median over cells of the number of genes with a value.
    pub median_genes: f64,
    /// Share of the matrix that is not zero.
    pub density: f64,
    /// All perturbations in the order of the data set.
    pub perturbations: Vec<PerturbationSummary>,
}

/// One perturbation in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PerturbationSummary {
    /// `STAT1`, or `JAK2+STAT1`.
    pub name: String,
    /// The perturbed genes.
    pub targets: Vec<String>,
    /// Cells that have it.
    pub cells: usize,
    /// Whether all targets are among the measured genes.
    pub measured: bool,
    /// How its target changed: only for a single, measured target, with control cells to compare with, in a matrix that is not scaled.
    pub knock_down: Option<KnockDown>,
    /// What it does, in a table of effects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effects: Option<StrongestEffects>,
}

/// What one perturbation does in a table of effects.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StrongestEffects {
    /// The value of its own target: only for a single, measured target.
    pub own: Option<f32>,
    /// Other genes and their values, those farthest from the gene's median over perturbations first.
    pub others: Vec<(String, f32)>,
}

/// Genes listed for each perturbation of a table of effects.
const STRONGEST: usize = 5;

/// How the expression of a perturbed gene itself changed; the first check of a CRISPR interference or activation screen. A knock-out by
/// cutting may leave the transcript.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KnockDown {
    /// Mean of log2(10,000·x/Σx + 1) minus that of the control cells.
    pub log2_shift: f64,
    /// Mean normalised expression as a share of that of the control cells; none if these have none.
    pub remaining: Option<f64>,
    /// One-sided p value of the Mann–Whitney test against the control cells (normal approximation, ties and continuity corrected):
    /// lower for a knock-out or knock-down, higher for an activation.
    pub p_value: f64,
}

impl Summary {
    /// Summarise `dataset`.
    pub fn of(dataset: &Dataset, progress: &dyn Progress) -> Result<Self, Cancelled> {
        progress.stage("Summarising", Some(0.0));
        let matrix = dataset.matrix();
        let rows = matrix.rows();
        let sums: Vec<f64> = (0..rows).map(|row| dataset.library_size(row)).collect();
        progress.check()?;
        let detected = |row: usize| match dataset.whole_cells() {
            Some(whole) => f64::from(whole.detected_genes[row]),
            None => matrix.row(row).len() as f64,
        };
        let detected: Vec<f64> = (0..rows).map(detected).collect();
        let by_perturbation = dataset.cells_by_perturbation();
        let targets: Vec<Option<usize>> = dataset.perturbations().iter().map(|of| own_column(dataset, of)).collect();
        let of_row = |row: usize| match dataset.roles()[row] {
            CellRole::Perturbed(index) => Some(index as usize),
            CellRole::Control | CellRole::Unassigned => None,
        };
        let knock_downs = knock_downs(dataset, &targets, of_row, progress)?;
        let mut effects = strongest_effects(dataset, &by_perturbation, progress)?.into_iter();
        let perturbations = dataset
            .perturbations()
            .iter()
            .zip(&by_perturbation)
            .zip(knock_downs)
            .map(|((perturbation, cells), knock_down)| PerturbationSummary {
                name: perturbation.name(),
                targets: perturbation.targets().to_vec(),
                cells: cells.len(),
                measured: perturbation.targets().iter().all(|target| dataset.genes().column(target).is_some()),
                knock_down,
                effects: effects.next(),
            })
            .collect();
        Ok(Self {
            cells: rows,
            genes: matrix.columns(),
            control_cells: dataset.control_cells().len(),
            unassigned_cells: dataset.unassigned_cells().len(),
            matrix_kind: dataset.matrix_kind(),
            kind: dataset.kind(),
            median_counts: median(sums).unwrap_or(0.0),
            median_genes: median(detected).unwrap_or(0.0),
            density: matrix.stored() as f64 / (rows as f64 * matrix.columns() as f64),
            perturbations,
        })
    }
}

/// Per perturbation of a table of effects, what it does; nothing for screens with cells. Of several rows the first is shown.
fn strongest_effects(
    dataset: &Dataset,
    rows: &[Vec<u32>],
    progress: &dyn Progress,
) -> Result<Vec<StrongestEffects>, Cancelled> {
    if dataset.matrix_kind() != MatrixKind::Effects {
        return Ok(Vec::new());
    }
    let by_gene = dataset.matrix().transposed();
    let medians: Vec<f32> = (0..by_gene.rows())
        .map(|gene| {
            let mut values: Vec<f64> = by_gene.row(gene).values().map(f64::from).collect();
            values.resize(by_gene.columns(), 0.0);
            median(values).unwrap_or(0.0) as f32
        })
        .collect();
    let mut effects = Vec::with_capacity(rows.len());
    for (perturbation, rows) in dataset.perturbations().iter().zip(rows) {
        progress.check()?;
        let mut values = vec![0.0; dataset.gene_count()];
        if let Some(&row) = rows.first() {
            dataset.matrix().copy_row(row as usize, &mut values);
        }
        let targets: Vec<usize> =
            perturbation.targets().iter().filter_map(|target| dataset.genes().column(target)).collect();
        let distance = |gene: usize| (values[gene] - medians[gene]).abs();
        let mut order: Vec<usize> = (0..values.len()).filter(|gene| !targets.contains(gene)).collect();
        order.sort_by(|&a, &b| distance(b).total_cmp(&distance(a)).then(a.cmp(&b)));
        order.truncate(STRONGEST);
        effects.push(StrongestEffects {
            own: (perturbation.targets().len() == 1).then(|| targets.first().map(|&gene| values[gene])).flatten(),
            others: order.into_iter().map(|gene| (dataset.genes().symbol(gene).to_owned(), values[gene])).collect(),
        });
    }
    Ok(effects)
}

/// Normalised expression of one gene in some cells: the values that are not zero, and how many are.
#[derive(Clone, Debug, Default)]
struct Expression {
    positive: Vec<f64>,
    zeros: usize,
}

impl Expression {
    fn cells(&self) -> usize {
        self.positive.len() + self.zeros
    }

    fn mean(&self, of: impl Fn(f64) -> f64) -> f64 {
        // An empty sum of floats is -0.
        (0.0 + self.positive.iter().map(|&value| of(value)).sum::<f64>()) / self.cells().max(1) as f64
    }
}

/// The column of the one gene that `perturbation` has, if it was measured.
pub fn own_column(dataset: &Dataset, perturbation: &Perturbation) -> Option<usize> {
    match perturbation.targets() {
        [target] => dataset.genes().column(target),
        _ => None,
    }
}

/// How the expression of a gene changed in groups of cells: `columns` has the gene of each group, `group_of` the group of each row that is
/// perturbed. One pass over the matrix collects each gene in the control cells and in its groups.
///
/// # Errors
/// If cancelled.
pub fn knock_downs(
    dataset: &Dataset,
    columns: &[Option<usize>],
    group_of: impl Fn(usize) -> Option<usize>,
    progress: &dyn Progress,
) -> Result<Vec<Option<KnockDown>>, Cancelled> {
    let mut results = vec![None; columns.len()];
    if matches!(dataset.matrix_kind(), MatrixKind::Scaled | MatrixKind::Effects) {
        return Ok(results);
    }
    // Place of each target column among the collected ones.
    let mut place = vec![None; dataset.gene_count()];
    let mut targets = 0usize;
    for &column in columns.iter().flatten() {
        if place[column].is_none() {
            place[column] = Some(targets);
            targets += 1;
        }
    }
    let is_log = dataset.matrix_kind() == MatrixKind::LogNormalised;
    let mut control = vec![Expression::default(); targets];
    let mut perturbed = vec![Expression::default(); columns.len()];
    let mut control_cells = 0;
    for (row, role) in dataset.roles().iter().enumerate() {
        if row.is_multiple_of(4096) {
            progress.check()?;
            progress.stage("Summarising", Some(row as f32 / dataset.cell_count() as f32));
        }
        let library = dataset.library_size(row);
        let normalised = |value: f32| {
            let value = f64::from(value);
            if is_log { value.exp_m1() } else { 1e4 * value / library }
        };
        let stored = dataset.matrix().row(row);
        match *role {
            CellRole::Unassigned => {}
            CellRole::Control => {
                control_cells += 1;
                for (column, value) in stored.iter() {
                    if let Some(place) = place[column as usize]
                        && value > 0.0
                    {
                        control[place].positive.push(normalised(value));
                    }
                }
            }
            CellRole::Perturbed(_) => {
                let group = group_of(row).and_then(|group| Some((group, columns[group]?)));
                if let Some((group, column)) = group {
                    let expression = &mut perturbed[group];
                    match stored.get(column as u32) {
                        value if value > 0.0 => expression.positive.push(normalised(value)),
                        _ => expression.zeros += 1,
                    }
                }
            }
        }
    }
    if control_cells == 0 {
        return Ok(results);
    }
    for expression in &mut control {
        expression.zeros = control_cells - expression.positive.len();
        expression.positive.sort_by(f64::total_cmp);
    }
    for (index, expression) in perturbed.iter_mut().enumerate() {
        progress.check()?;
        let Some(place) = columns[index].and_then(|column| place[column]) else { continue };
        if expression.cells() == 0 {
            continue;
        }
        expression.positive.sort_by(f64::total_cmp);
        let control = &control[place];
        let log2 = |value: f64| value.ln_1p() / std::f64::consts::LN_2;
        let base = control.mean(|value| value);
        results[index] = Some(KnockDown {
            log2_shift: expression.mean(log2) - control.mean(log2),
            remaining: (base > 0.0).then(|| expression.mean(|value| value) / base),
            p_value: mann_whitney(expression, control, dataset.kind().direction() < 0.0),
        });
    }
    Ok(results)
}

/// One-sided p value of the Mann–Whitney U test, both samples sorted: that `first` is lower (or else higher) than `second`; 1 where
/// all values are equal.
///
/// Normal approximation with variance n₁n₂/12·(n + 1 − Σ(t³ − t)/(n(n − 1))) over ties of size t, and continuity correction 0.5.
fn mann_whitney(first: &Expression, second: &Expression, lower: bool) -> f64 {
    let (n1, n2) = (first.cells() as f64, second.cells() as f64);
    let total = n1 + n2;
    // Zeros are the lowest ties.
    let zeros = (first.zeros + second.zeros) as f64;
    let cube = |ties: f64| ties * ties * ties - ties;
    let mut ties = cube(zeros);
    let mut rank_sum = first.zeros as f64 * (zeros + 1.0) / 2.0;
    let mut below = zeros;
    let (mut a, mut b) = (0, 0);
    let (left, right) = (&first.positive, &second.positive);
    while a < left.len() || b < right.len() {
        let value = match (left.get(a), right.get(b)) {
            (Some(x), Some(y)) => x.min(*y),
            (Some(x), None) => *x,
            (None, Some(y)) => *y,
            (None, None) => break,
        };
        let in_left = left[a..].iter().take_while(|x| **x == value).count();
        let in_right = right[b..].iter().take_while(|y| **y == value).count();
        let tied = (in_left + in_right) as f64;
        rank_sum += in_left as f64 * (below + (tied + 1.0) / 2.0);
        ties += cube(tied);
        below += tied;
        a += in_left;
        b += in_right;
    }
    let u = rank_sum - n1 * (n1 + 1.0) / 2.0;
    let mean = n1 * n2 / 2.0;
    let variance = n1 * n2 / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance.is_nan() || variance <= 0.0 {
        return 1.0;
    }
    let z = (if lower { mean - u } else { u - mean } - 0.5) / variance.sqrt();
    0.5 * erfc(z / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{CsrMatrix, DatasetParts, Gene, ImportReport, Perturbation};
    use crate::jobs::Silent;

    fn expression(values: &[f64]) -> Expression {
        let mut positive: Vec<f64> = values.iter().copied().filter(|value| *value > 0.0).collect();
        positive.sort_by(f64::total_cmp);
        Expression { zeros: values.len() - positive.len(), positive }
    }

    #[test]
    fn the_test_agrees_with_scipy() {
        // scipy.stats.mannwhitneyu(x, y, method="asymptotic", alternative="less" and "greater").pvalue
        let samples: [(&[f64], &[f64], f64, f64); 2] = [
            (
                &[0.0, 0.0, 1.0, 2.0, 2.0, 5.0],
                &[0.0, 2.0, 3.0, 5.0, 7.0, 8.0, 9.0],
                0.041292519678620083,
                0.9699825194257627,
            ),
            (&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0, 7.0], 0.02591496360895484, 0.9892218666199918),
        ];
        for (x, y, less, greater) in samples {
            for (lower, expected) in [(true, less), (false, greater)] {
                let p = mann_whitney(&expression(x), &expression(y), lower);
                assert!((p - expected).abs() < 1e-9, "{p} {expected}");
            }
        }
        assert_eq!(mann_whitney(&expression(&[0.0, 0.0]), &expression(&[0.0]), true), 1.0);
    }

    #[test]
    fn a_screen_is_counted_and_its_targets_are_compared_with_control() {
        let rows = vec![
            vec![(0, 8.0), (1, 2.0)],
            vec![(0, 6.0), (1, 4.0)],
            vec![(0, 1.0), (1, 9.0)],
            vec![(1, 10.0)],
            vec![(0, 3.0)],
            Vec::new(),
        ];
        let dataset = Dataset::new(DatasetParts {
            name: "tiny".into(),
            source: None,
            matrix: CsrMatrix::from_rows(2, rows).unwrap(),
            matrix_kind: MatrixKind::Counts,
            genes: vec![Gene::named("A"), Gene::named("B")],
            cells: (0..6).map(|cell| cell.to_string()).collect(),
            perturbations: vec![Perturbation::of(["A"]), Perturbation::of(["A", "B"]), Perturbation::of(["C"])],
            roles: vec![
                CellRole::Control,
                CellRole::Control,
                CellRole::Perturbed(0),
                CellRole::Perturbed(0),
                CellRole::Perturbed(1),
                CellRole::Unassigned,
            ],
            kind: PerturbationKind::KnockOut,
            batch: None,
            cell_type: None,
            guide: None,
            import: ImportReport::default(),
            warnings: Vec::new(),
        })
        .unwrap();
        let summary = Summary::of(&dataset, &Silent).unwrap();
        assert_eq!((summary.cells, summary.control_cells, summary.unassigned_cells), (6, 2, 1));
        assert_eq!((summary.median_counts, summary.median_genes), (10.0, 1.5));
        assert!((summary.density - 8.0 / 12.0).abs() < 1e-12);
        let single = &summary.perturbations[0];
        let knock_down = single.knock_down.unwrap();
        assert_eq!((single.cells, single.measured), (2, true));
        assert!((knock_down.remaining.unwrap() - 500.0 / 7000.0).abs() < 1e-12);
        let shift = 0.5 * 1001f64.log2() - 0.5 * (8001f64.log2() + 6001f64.log2());
        assert!((knock_down.log2_shift - shift).abs() < 1e-12);
        assert_eq!((summary.perturbations[1].measured, summary.perturbations[1].knock_down), (true, None));
        assert_eq!((summary.perturbations[2].measured, summary.perturbations[2].cells), (false, 0));
    }
}
