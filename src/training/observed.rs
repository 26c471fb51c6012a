//! What a model keeps of its data set: measured shifts, their significance, library sizes.

use crate::data::{CellRole, EffectTable};
use crate::jobs::{Cancelled, Progress};
use crate::models::Observed;
use crate::preprocess::differential::{Test, differential};
use crate::preprocess::normalise::{Expression, median_library_size};
use crate::preprocess::{PreparedScreen, Split};

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
    let held_out = table(&test_rows);
    Ok(Observed { training, significant, held_out, control_libraries, split, false_discovery_rates: None })
}
