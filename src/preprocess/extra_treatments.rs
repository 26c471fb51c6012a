//! Genes that no guide targets but that respond strongly: extra nodes of the network.
//!
//! For each perturbation: among the genes that are no treatment already, with |log2 fold change| > 3 and adjusted
//! p < 0.01 (Wilcoxon against control, no tie correction, as scanpy's default), the one with the largest |score|: a
//! knock-out shows in what falls as much as in what rises. The caller passes training cells only; the authors look at
//! all cells, which would let test cells choose what the model learns.

use super::differential::{DifferentialTable, Test, differential};
use super::normalise::Expression;
use crate::jobs::{Cancelled, Progress};

/// |log2 fold change| must exceed this.
pub const LEAST_LOG_FOLD_CHANGE: f32 = 3.0;
/// The adjusted p value must be below this.
pub const SIGNIFICANCE: f64 = 0.01;

/// Columns of the extra treatments, ascending: at most one per group. `treated` are the columns of the genes that are
/// treatments already. `groups` (cells of each perturbation) and `controls` are rows of `expression`, cells × genes,
/// log-normalised.
pub fn extra_treatments(
    expression: &Expression<'_>,
    groups: &[Vec<u32>],
    controls: &[u32],
    treated: &[u32],
    progress: &dyn Progress,
) -> Result<Vec<u32>, Cancelled> {
    let table = differential(expression, groups, controls, Test::Wilcoxon { tie_correction: false }, progress)?;
    let mut candidate = vec![true; expression.columns()];
    treated.iter().for_each(|&column| candidate[column as usize] = false);
    let mut extra: Vec<u32> = (0..groups.len()).filter_map(|group| strongest(&table, group, &candidate)).collect();
    extra.sort_unstable();
    extra.dedup();
    Ok(extra)
}

/// The gene of `group` with the largest |score| that passes all conditions; the first of equals.
fn strongest(table: &DifferentialTable, group: usize, candidate: &[bool]) -> Option<u32> {
    let mut best: Option<(f64, u32)> = None;
    for (column, at) in table.range(group).enumerate() {
        let passes = candidate[column]
            && table.log_fold_changes[at].abs() > LEAST_LOG_FOLD_CHANGE
            && table.adjusted_p_values[at] < SIGNIFICANCE;
        let score = table.scores[at].abs();
        if passes && best.is_none_or(|(most, _)| score > most) {
            best = Some((score, column as u32));
        }
    }
    best.map(|(_, column)| column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::CsrMatrix;
    use crate::jobs::Silent;

    #[test]
    fn only_strong_significant_and_untreated_genes_are_added() {
        // Gene 0 is treated; 1 falls to nothing in the group; 2 rises a little; 3 changes in one cell only.
        let cells = 30;
        let mut dense = Vec::new();
        for cell in 0..2 * cells {
            let control = cell < cells;
            let wobble = (cell % 3) as f32 * 0.1;
            dense.extend([
                if control { 2.0 + wobble } else { 0.0 },
                if control { 3.0 + wobble } else { 0.0 },
                if control { 1.0 + wobble } else { 1.5 + wobble },
                if cell == cells { 4.0 } else { 0.0 },
            ]);
        }
        let expression = CsrMatrix::from_dense(2 * cells, 4, &dense);
        let (controls, group) = ((0..cells as u32).collect::<Vec<_>>(), (cells as u32..2 * cells as u32).collect());
        let extra = extra_treatments(&Expression::as_is(&expression), &[group], &controls, &[0], &Silent).unwrap();
        assert_eq!(extra, [1]);
    }
}
