//! Results as tab-separated tables, written whole or not at all.

use std::io::Write;
use std::path::Path;

use anyhow::Context;

use crate::files;
use crate::models::{PredictedEffect, Spread};

/// Titles of the columns with the ends of intervals of [`crate::models::INTERVAL_LEVEL`], each behind a tab.
pub const INTERVAL_COLUMNS: &str = "\tpredicted_low_90\tpredicted_high_90";

/// The fields of these columns, each behind a tab; nothing where there is no interval.
pub fn interval_fields(shift: f32, half_width: Option<f32>) -> String {
    half_width.map(|half| format!("\t{}\t{}", shift - half, shift + half)).unwrap_or_default()
}

/// Title of the column with the false discovery rate at which a predicted shift is called, behind a tab; see
/// [`PredictedEffect::adjusted_p`].
pub const CALL_COLUMN: &str = "\tpredicted_adjusted_p";

/// Write the predicted shift of every gene: `gene`, `shift_log2`, `control_log2_expression`, the
/// largest first; of an ensemble also the ends of the interval, `predicted_low_90` and `predicted_high_90`, and
/// `predicted_adjusted_p`. `genes` are the card's, in the order of the shifts.
///
/// # Errors
/// If the lengths differ or the file cannot be written.
pub fn write_effects(path: &Path, effect: &PredictedEffect, genes: &[String]) -> anyhow::Result<()> {
    anyhow::ensure!(
        effect.shifts.len() == genes.len() && effect.control.len() == genes.len(),
        "the prediction has {} genes, the model {}",
        effect.shifts.len(),
        genes.len()
    );
    let mut order: Vec<usize> = (0..genes.len()).collect();
    order.sort_by(|&a, &b| effect.shifts[b].abs().total_cmp(&effect.shifts[a].abs()).then(genes[a].cmp(&genes[b])));
    let widths = effect.spread.as_ref().map(Spread::half_widths);
    let mut text = String::from("gene\tshift_log2\tcontrol_log2_expression");
    let adjusted = effect.adjusted_p(genes);
    if widths.is_some() {
        text.push_str(INTERVAL_COLUMNS);
        text.push_str(CALL_COLUMN);
    }
    text.push('\n');
    for at in order {
        let shift = effect.shifts[at];
        text.push_str(&format!("{}\t{shift}\t{}", genes[at], effect.control[at]));
        text.push_str(&interval_fields(shift, widths.as_ref().map(|widths| widths[at])));
        text.push_str(&adjusted.as_ref().map(|adjusted| format!("\t{:e}", adjusted[at])).unwrap_or_default());
        text.push('\n');
    }
    write_text(path, &text)
}

/// Write `text` to `path`.
pub fn write_text(path: &Path, text: &str) -> anyhow::Result<()> {
    files::write_whole(path, |file| file.write_all(text.as_bytes())).context("writing the table")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Novelty;

    #[test]
    fn effects_are_sorted_by_size() {
        let effect = PredictedEffect {
            name: "A".into(),
            novelty: Novelty::NeverPerturbed,
            lenders: None,
            extrapolated: false,
            responding: None,
            shifts: vec![0.5, -1.25, 0.0],
            spread: None,
            control: vec![1.0, 2.0, 3.0],
        };
        let genes: Vec<String> = ["A", "B", "C"].map(String::from).to_vec();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("effects.tsv");
        write_effects(&path, &effect, &genes).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "gene\tshift_log2\tcontrol_log2_expression\nB\t-1.25\t2\nA\t0.5\t1\nC\t0\t3\n");
        assert!(write_effects(&path, &effect, &genes[1..]).is_err());

        let spread = Some(Spread { members: 5, of_genes: vec![0.25, 0.0, 1.0] });
        write_effects(&path, &PredictedEffect { spread, ..effect }, &genes).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(lines[0][3..], ["predicted_low_90", "predicted_high_90", "predicted_adjusted_p"]);
        assert_eq!(lines[1][3..], ["-1.25", "-1.25", "0e0"], "no spread, no width");
        // The t distribution with 4 degrees of freedom reaches 2.132 standard deviations to each side, of a mean of five.
        let low: f32 = lines[2][3].parse().unwrap();
        assert!((low - (0.5 - 1.2f32.sqrt() * 2.131_847 * 0.25)).abs() < 1e-4, "{low}");
        assert_eq!(lines[2][..2], ["A", "0.5"]);
        assert_eq!(lines[2][5], "1e0", "the perturbed gene is none that responds");
    }
}
