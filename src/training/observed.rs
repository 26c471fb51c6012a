//! What a model keeps of its data set: measured shifts, their significance, library sizes.

use rayon::prelude::*;

use crate::data::{CellRole, EffectTable, log2_moments};
use crate::jobs::{Cancelled, Progress};
use crate::models::Observed;
use crate::preprocess::differential::{Test, differential};
use crate::preprocess::normalise::{Expression, median_library_size};
use crate::preprocess::{PreparedScreen, Split, shrinkage};

/// Adjusted p below which a measured shift gives an edge its sign.
const SIGNIFICANT: f64 = 0.05;
/// Library sizes are a distribution to draw from; more do not sharpen it.
const MOST_LIBRARIES: usize = 1000;

pub(super) fn observe(screen: &PreparedScreen, progress: &dyn Progress) -> Result<Observed, Cancelled> {
    progress.stage("Measuring the shift of every gene", None);
    let dataset = &screen.dataset;
    let rows_in = |split: Split| -> Vec<u32> {
        let cells = screen.cells.iter().zip(&screen.splits).filter(|(_, is)| **is == split);
        cells.map(|(&row, _)| row).collect()
    };
    let (training_rows, test_rows) = (rows_in(Split::Training), rows_in(Split::Test));
    let table = |rows: &[u32]| {
        let none = || EffectTable { genes: dataset.genes().symbols(), ..EffectTable::default() };
        EffectTable::observed(dataset, rows).unwrap_or_else(none)
    };
    let training = table(&training_rows);
    progress.check()?;

    // The same test as everywhere, on the training cells only.
    let sizes: Vec<f64> = (0..dataset.cell_count()).map(|row| dataset.library_size(row)).collect();
    let training_sizes: Vec<f64> = training_rows.iter().map(|&row| sizes[row as usize]).collect();
    let target_sum = median_library_size(&training_sizes).unwrap_or(1.0);
    let expression = Expression::of_counts(dataset.matrix(), &sizes, target_sum);
    let mut control = Vec::new();
    let mut groups = vec![Vec::new(); training.perturbations.len()];
    let group_of: Vec<Option<usize>> =
        dataset.perturbations().iter().map(|perturbation| training.find(&perturbation.name())).collect();
    for &row in &training_rows {
        match dataset.roles()[row as usize] {
            CellRole::Control => control.push(row),
            CellRole::Perturbed(index) => {
                if let Some(group) = group_of[index as usize] {
                    groups[group].push(row);
                }
            }
            CellRole::Unassigned => {}
        }
    }
    let test = Test::Wilcoxon { tie_correction: true };
    let tests = differential(&expression, &groups, &control, test, progress)?;
    let significant = tests.adjusted_p_values.iter().map(|p| *p < SIGNIFICANT).collect();

    let mut control_libraries: Vec<f32> = training_rows
        .iter()
        .filter(|row| dataset.roles()[**row as usize] == CellRole::Control)
        .map(|&row| dataset.matrix().row_sum(row as usize) as f32)
        .filter(|library| *library > 0.0)
        .collect();
    if control_libraries.len() > MOST_LIBRARIES {
        // Evenly spaced quantiles keep the distribution.
        control_libraries.sort_by(f32::total_cmp);
        let last = control_libraries.len() - 1;
        control_libraries = (0..MOST_LIBRARIES).map(|at| control_libraries[at * last / (MOST_LIBRARIES - 1)]).collect();
    }
    let mut split = vec![0u8; dataset.cell_count()];
    for (&row, is) in screen.cells.iter().zip(&screen.splits) {
        split[row as usize] = match is {
            Split::Training => 1,
            Split::Validation => 2,
            Split::Test => 3,
        };
    }
    let shrunken = shrunken(screen, &training_rows, &control, &groups, &training, progress)?;
    let held_out = table(&test_rows);
    let library_shifts = library_shifts(screen, &control, &groups, &training);
    Ok(Observed {
        training,
        shrunken,
        significant,
        held_out,
        control_libraries,
        library_shifts,
        split,
        false_discovery_rates: None,
    })
}

/// The shifts of `training` drawn towards 0 as far as their standard errors say. The variance of a gene in the few cells of a
/// perturbation is one with that in all training cells ([`shrinkage::variance_of_mean`]): where none of its cells shows a gene, its
/// error is not 0. `groups` are the cells of the perturbations of `training`.
fn shrunken(
    screen: &PreparedScreen,
    rows: &[u32],
    control: &[u32],
    groups: &[Vec<u32>],
    training: &EffectTable,
    progress: &dyn Progress,
) -> Result<EffectTable, Cancelled> {
    progress.stage("Drawing shifts towards no change as far as their errors say", None);
    let matrix = screen.dataset.matrix();
    let (_, of_control) = log2_moments(matrix, control);
    let (_, of_all) = log2_moments(matrix, rows);
    let of_group = |(row, cells): (usize, &Vec<u32>)| -> Result<Vec<f32>, Cancelled> {
        progress.check()?;
        let (_, own) = log2_moments(matrix, cells);
        let error = |gene: usize| {
            let pooled = of_all[gene] * rows.len() as f64;
            let variance = shrinkage::variance_of_mean(own[gene], cells.len(), pooled);
            (variance + of_control[gene]).sqrt() as f32
        };
        let errors: Vec<f32> = (0..training.genes.len()).map(error).collect();
        Ok(shrinkage::shrunken(training.row(row), &errors))
    };
    let found: Vec<Vec<f32>> = groups.par_iter().enumerate().map(of_group).collect::<Result<_, _>>()?;
    Ok(EffectTable { shifts: found.concat(), ..training.clone() })
}

/// For each treatment by how much ln of the library sizes of cells that were perturbed in it alone is above that of control cells, the
/// mean difference times the share of its variance that is not error: empirical Bayes with a normal prior around 0 (Efron and Morris 1973),
/// whose variance is that of the differences less their errors'. `groups` are the cells of the perturbations of `training`.
fn library_shifts(screen: &PreparedScreen, control: &[u32], groups: &[Vec<u32>], training: &EffectTable) -> Vec<f32> {
    // Mean, and the variance of the mean.
    let logs = |rows: &[u32]| -> Option<[f64; 2]> {
        let sizes = rows.iter().map(|&row| screen.dataset.matrix().row_sum(row as usize)).filter(|size| *size > 0.0);
        let logs: Vec<f64> = sizes.map(f64::ln).collect();
        let count = logs.len() as f64;
        let mean = logs.iter().sum::<f64>() / count;
        let squares = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>();
        (logs.len() > 1).then(|| [mean, squares / (count - 1.0) / count])
    };
    let control = logs(control);
    let difference = |symbol: &String| -> Option<[f64; 2]> {
        let ([mean, error], [base, base_error]) = (logs(&groups[training.find(symbol)?])?, control?);
        Some([mean - base, error + base_error])
    };
    let differences: Vec<Option<[f64; 2]>> = screen.treatments.iter().map(difference).collect();
    let known: Vec<[f64; 2]> = differences.iter().flatten().copied().collect();
    let excess = known.iter().map(|[difference, error]| difference * difference - error).sum::<f64>();
    let variance = (excess / known.len().max(1) as f64).max(0.0);
    let shrunk = |[difference, error]: [f64; 2]| (difference * variance / (variance + error)) as f32;
    let shrunk = |known: &Option<[f64; 2]>| known.map_or(0.0, shrunk);
    differences.iter().map(|known| if variance > 0.0 { shrunk(known) } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::jobs::Silent;
    use crate::preprocess::{PrepareConfig, prepare};

    #[test]
    fn library_sizes_of_perturbed_cells_are_told_as_far_as_they_differ() {
        let dataset = Arc::new(simulate(&SimulateConfig::small(), &Silent).unwrap().dataset);
        let config = PrepareConfig { minimum_cells: 5, ..PrepareConfig::default() };
        let screen = prepare(&dataset, &config, 1, &Silent).unwrap();
        let by_size = |rows: &[u32]| -> Vec<u32> {
            let mut rows = rows.to_vec();
            rows.sort_by(|&a, &b| {
                let size = |row: u32| dataset.matrix().row_sum(row as usize);
                size(a).total_cmp(&size(b))
            });
            rows
        };
        let all = by_size(&screen.cells);
        let (control, others): (Vec<u32>, Vec<u32>) = all.iter().partition(|row| **row % 2 == 0);
        let table = EffectTable { perturbations: screen.treatments[..3].to_vec(), ..EffectTable::default() };
        let count = others.len();
        let [few, middle, many] = [&others[..count / 3], &others[count / 3..2 * count / 3], &others[2 * count / 3..]];
        let told = library_shifts(&screen, &control, &[few.to_vec(), middle.to_vec(), many.to_vec()], &table);
        assert_eq!(told.len(), screen.treatments.len());
        assert!(told[0] < -0.1 && told[2] > 0.1 && told[1].abs() < 0.1, "{told:?}");
        assert!(told[3..].iter().all(|shift| *shift == 0.0), "of those without cells nothing is told: {told:?}");
        // Cells like all others: what is left of a difference is less than its error.
        let alike: Vec<Vec<u32>> = (0..3).map(|part| others.iter().skip(part).step_by(3).copied().collect()).collect();
        let told = library_shifts(&screen, &control, &alike, &table);
        assert!(told.iter().all(|shift| shift.abs() < 0.02), "{told:?}");
        assert!(library_shifts(&screen, &[], &alike, &table).iter().all(|shift| *shift == 0.0));
    }
}
