//! E-distance and maximum mean discrepancy of the cells of a screen: perturbed against control, and observed against generated and
//! training cells.

use std::collections::BTreeMap;

use rand::seq::SliceRandom as _;
use rayon::prelude::*;

use super::distances::{Kernel, e_distance, e_distance_p_value, median_distance};
use super::report::{DistanceRow, Distances, GroupDistance};
use crate::data::{CsrMatrix, Dataset, MatrixKind};
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::components::Components;
use crate::preprocess::differential::benjamini_hochberg;
use crate::random;

/// Principal components.
const COMPONENTS: usize = 50;
/// Genes that they are of at most: those of the largest variance.
const MOST_GENES: usize = 2_000;
/// Shuffles of labels.
const PERMUTATIONS: usize = 999;
/// Cells of a group in a kernel at most: its time grows with their square.
const MOST_KERNEL_CELLS: usize = 1_000;

/// The observed cells in their principal components, by condition.
pub struct CellSpace {
    components: Components,
    counts: bool,
    kernel: Option<Kernel>,
    /// Points of each condition, control among them.
    points: BTreeMap<String, Vec<f32>>,
    distances: Distances,
}

impl CellSpace {
    /// Measure the distances of all `conditions` of `dataset` (rows of their cells by name) from the one called `control`; none if that has
    /// fewer than two cells. O(cells · genes² ) for the components of at most 2,000 genes, then O(1,000 · cells) for kernels.
    pub fn measure(
        dataset: &Dataset,
        conditions: &BTreeMap<String, Vec<u32>>,
        control: &str,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Option<Self>, Cancelled> {
        progress.stage("Measuring distances of cells", Some(0.0));
        if conditions.get(control).is_none_or(|control| control.len() < 2) {
            return Ok(None);
        }
        let known: Vec<u32> = conditions.values().flatten().copied().collect();
        let counts = dataset.matrix_kind() == MatrixKind::Counts;
        let matrix = dataset.matrix();
        let genes = variable_genes(matrix, &known, counts);
        let totals: Vec<f64> = known.iter().map(|&row| matrix.row_sum(row as usize)).collect();
        let value = |at: usize, stored: f32| value(stored, totals[at], counts);
        let components = Components::fit(matrix, &known, &value, false, &genes, COMPONENTS, seed, progress)?;
        let width = components.count();
        if width == 0 {
            return Ok(None);
        }
        let mut points = BTreeMap::new();
        for (condition, rows) in conditions {
            points.insert(condition.clone(), project(&components, matrix, rows, counts, progress)?);
        }
        let of_control = &points[control];
        let few = part(of_control, width, seed);
        let bandwidth = median_distance(&few, width);
        let kernel = bandwidth.map(|bandwidth| Kernel::new(bandwidth, width));
        let within = kernel.and_then(|kernel| kernel.within(&few));
        let conditions: Vec<(&String, &Vec<f32>)> =
            points.iter().filter(|(name, points)| *name != control && points.len() >= 2 * width).collect();
        let done = std::sync::atomic::AtomicUsize::new(0);
        let row = |&(name, own): &(&String, &Vec<f32>)| {
            progress.check()?;
            let mut random = random::stream(seed, &format!("permutations {name}"));
            let p_value = e_distance_p_value(own, of_control, width, PERMUTATIONS, &mut random);
            let mmd = || {
                let (kernel, own) = (kernel?, part(own, width, seed));
                Some(within? + kernel.within(&own)? - 2.0 * kernel.between(&own, &few)?)
            };
            let done = 1 + done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            progress.stage("Measuring distances of cells", Some(done as f32 / conditions.len() as f32));
            Ok(DistanceRow {
                perturbation: name.clone(),
                cells: own.len() / width,
                e_distance: e_distance(own, of_control, width).unwrap_or(f64::NAN),
                mmd: mmd(),
                permutation_p_value: p_value.unwrap_or(1.0),
                ..DistanceRow::default()
            })
        };
        let mut found = conditions.par_iter().map(row).collect::<Result<Vec<DistanceRow>, Cancelled>>()?;
        let p_values: Vec<f64> = found.iter().map(|row| row.permutation_p_value).collect();
        found.iter_mut().zip(benjamini_hochberg(&p_values)).for_each(|(row, adjusted)| row.adjusted_p_value = adjusted);
        let distances = Distances {
            components: width,
            genes: genes.len(),
            control_cells: of_control.len() / width,
            permutations: PERMUTATIONS,
            bandwidth,
            most_kernel_cells: MOST_KERNEL_CELLS,
            rows: found,
            means: Vec::new(),
        };
        Ok(Some(Self { components, counts, kernel, points, distances }))
    }

    /// Measure how far `generated` cells (counts, cells × genes of the data) are from the observed ones of `condition`.
    pub fn compare_generated(
        &mut self,
        condition: &str,
        generated: &CsrMatrix,
        progress: &dyn Progress,
    ) -> Result<(), Cancelled> {
        let rows: Vec<u32> = (0..generated.rows() as u32).collect();
        let found = self.against(condition, generated, &rows, progress)?;
        self.row(condition).into_iter().for_each(|row| row.generated = found);
        Ok(())
    }

    /// Measure how far the training cells `rows` of `matrix` (that of the data) are from the observed ones of `condition`.
    pub fn compare_training(
        &mut self,
        condition: &str,
        matrix: &CsrMatrix,
        rows: &[u32],
        progress: &dyn Progress,
    ) -> Result<(), Cancelled> {
        let found = self.against(condition, matrix, rows, progress)?;
        self.row(condition).into_iter().for_each(|row| row.training = found);
        Ok(())
    }

    fn row(&mut self, condition: &str) -> Option<&mut DistanceRow> {
        self.distances.rows.iter_mut().find(|row| row.perturbation == condition)
    }

    fn against(
        &self,
        condition: &str,
        matrix: &CsrMatrix,
        rows: &[u32],
        progress: &dyn Progress,
    ) -> Result<Option<GroupDistance>, Cancelled> {
        let (width, Some(own)) = (self.components.count(), self.points.get(condition)) else { return Ok(None) };
        let points = project(&self.components, matrix, rows, self.counts, progress)?;
        let mmd = || {
            let (kernel, own, points) = (self.kernel?, part(own, width, 0), part(&points, width, 0));
            Some(kernel.within(&own)? + kernel.within(&points)? - 2.0 * kernel.between(&own, &points)?)
        };
        Ok(e_distance(own, &points, width).map(|e_distance| GroupDistance {
            cells: rows.len(),
            e_distance,
            mmd: mmd(),
        }))
    }

    /// What was measured.
    pub fn finish(self) -> Distances {
        self.distances.with_means()
    }
}

fn value(stored: f32, total: f64, counts: bool) -> f64 {
    if counts { (1e4 * f64::from(stored) / total).ln_1p() } else { f64::from(stored) }
}

fn project(
    components: &Components,
    matrix: &CsrMatrix,
    rows: &[u32],
    counts: bool,
    progress: &dyn Progress,
) -> Result<Vec<f32>, Cancelled> {
    let totals: Vec<f64> = rows.iter().map(|&row| matrix.row_sum(row as usize)).collect();
    components.project(matrix, rows, &|at, stored| value(stored, totals[at], counts), progress)
}

/// At most [`MOST_KERNEL_CELLS`] points, drawn at random.
fn part(points: &[f32], width: usize, seed: u64) -> Vec<f32> {
    let count = points.len() / width;
    if count <= MOST_KERNEL_CELLS {
        return points.to_vec();
    }
    let mut order: Vec<usize> = (0..count).collect();
    let (drawn, _) = order.partial_shuffle(&mut random::stream(seed, "cells of kernels"), MOST_KERNEL_CELLS);
    drawn.iter().flat_map(|&at| points[at * width..(at + 1) * width].iter().copied()).collect()
}

/// The columns of the [`MOST_GENES`] largest variances over `rows`, rising.
fn variable_genes(matrix: &CsrMatrix, rows: &[u32], counts: bool) -> Vec<u32> {
    let mut sums = vec![(0.0f64, 0.0f64); matrix.columns()];
    for &row in rows {
        let total = matrix.row_sum(row as usize);
        for (column, stored) in matrix.row(row as usize).iter() {
            let value = value(stored, total, counts);
            let sums = &mut sums[column as usize];
            *sums = (sums.0 + value, sums.1 + value * value);
        }
    }
    let cells = rows.len() as f64;
    let variance = |at: u32| {
        let (sum, squares) = sums[at as usize];
        squares / cells - (sum / cells).powi(2)
    };
    let mut genes: Vec<u32> = (0..matrix.columns() as u32).collect();
    genes.sort_by(|&a, &b| variance(b).total_cmp(&variance(a)));
    genes.truncate(MOST_GENES);
    genes.sort_unstable();
    genes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::CellRole;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::jobs::Silent;

    #[test]
    fn perturbed_cells_are_far_from_control_and_near_their_own_kind() {
        let dataset = simulate(&SimulateConfig::small(), &Silent).unwrap().dataset;
        let mut conditions: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (row, role) in dataset.roles().iter().enumerate() {
            let name = match role {
                CellRole::Control => "control".to_owned(),
                CellRole::Perturbed(index) => dataset.perturbations()[*index as usize].name(),
                CellRole::Unassigned => continue,
            };
            conditions.entry(name).or_default().push(row as u32);
        }
        // A perturbation that does nothing: every fourth control cell.
        let control = conditions.remove("control").unwrap();
        let (sham, rest): (Vec<u32>, Vec<u32>) = control.iter().partition(|&&row| row % 4 == 0);
        conditions.insert("sham".to_owned(), sham);
        conditions.insert("control".to_owned(), rest);
        let measure = || CellSpace::measure(&dataset, &conditions, "control", 1, &Silent).unwrap().unwrap();
        let mut space = measure();
        let strongest = {
            let rows = space.distances.rows.iter();
            rows.max_by(|a, b| a.e_distance.total_cmp(&b.e_distance)).unwrap().perturbation.clone()
        };
        let own = dataset.matrix().select_rows(&conditions[&strongest]);
        space.compare_generated(&strongest, &own, &Silent).unwrap();
        space.compare_training(&strongest, dataset.matrix(), &conditions[&strongest], &Silent).unwrap();
        space.compare_training("nobody", dataset.matrix(), &[0, 1], &Silent).unwrap();
        let found = space.finish();
        let of = |name: &str| found.rows.iter().find(|row| row.perturbation == name).unwrap().clone();
        let (sham, strongest) = (of("sham"), of(&strongest));
        assert!(
            sham.permutation_p_value > 0.01 && sham.e_distance < 0.5 * strongest.e_distance,
            "{sham:?} {strongest:?}"
        );
        assert!(strongest.permutation_p_value <= 0.001 && strongest.adjusted_p_value < 0.05);
        assert!(strongest.mmd.unwrap() > sham.mmd.unwrap());
        let same = strongest.generated.unwrap();
        assert_eq!(strongest.training, Some(same));
        assert!(same.e_distance < 0.1 * strongest.e_distance && same.cells == strongest.cells);
        assert_eq!(found.rows.len(), conditions.len() - 1);
        let again = measure().finish();
        assert!(again.rows.iter().zip(&found.rows).all(|(a, b)| a.e_distance == b.e_distance && a.mmd == b.mmd));
        let none = BTreeMap::from([("A".to_owned(), vec![0, 1])]);
        assert!(CellSpace::measure(&dataset, &none, "control", 1, &Silent).unwrap().is_none());
    }
}
