//! Results as tab-separated tables, written whole or not at all.

use std::io::Write;
use std::path::Path;

use anyhow::Context;

use crate::files;
use crate::models::PredictedEffect;

/// Write the predicted shift of every gene: `gene`, `shift_log2`, `control_log2_expression`, the
/// largest first. `genes` are the card's, in the order of the shifts.
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
    let mut text = String::from("gene\tshift_log2\tcontrol_log2_expression\n");
    for at in order {
        text.push_str(&format!("{}\t{}\t{}\n", genes[at], effect.shifts[at], effect.control[at]));
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
            extrapolated: false,
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
    }
}
