//! Distances of cells, in two lines.

use crate::evaluation::report::Distances;
use crate::words::counted;

/// Adjusted p value below which a perturbation counts as told from control.
const LEVEL: f64 = 0.05;

/// How many perturbations are told from control, and where generated cells are nearer to the observed ones than control cells are.
pub(super) fn told(distances: &Distances) -> String {
    let rows = &distances.rows;
    let apart = rows.iter().filter(|row| row.adjusted_p_value < LEVEL).count();
    let mut text = format!(
        "\nE-distance to {} ({} components, {} shuffles): {apart} of {} differ (adjusted p < {LEVEL})\n",
        counted(distances.control_cells, "control cell"),
        distances.components,
        distances.permutations,
        counted(rows.len(), "perturbation")
    );
    let generated: Vec<bool> = rows
        .iter()
        .filter(|row| row.adjusted_p_value < LEVEL)
        .filter_map(|row| Some(row.generated?.e_distance < row.e_distance))
        .collect();
    if !generated.is_empty() {
        let nearer = generated.iter().filter(|nearer| **nearer).count();
        text.push_str(&format!(
            "Of these generated cells are nearer to the observed ones than control cells are in {nearer} of {}\n",
            generated.len()
        ));
    }
    text
}
