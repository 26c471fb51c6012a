//! Which guides of a screen work, for the window and as a table.

use std::fmt::Write as _;
use std::sync::Arc;

use super::quality;
use crate::data::Dataset;
use crate::jobs::{Cancelled, Progress};
use crate::preprocess::escape::responding_in;
use crate::preprocess::guides::{Guide, GuideCheck};
use crate::preprocess::quality::{CellMetrics, QualityReport};

/// Look at the guides of `dataset`; none where it names none, or holds no counts. Which cells respond is told from those that pass quality
/// control at `mads` MADs, by the metrics of all cells where they are `known`.
///
/// # Errors
/// If cancelled.
pub fn measure(
    dataset: &Dataset,
    known: Option<Arc<CellMetrics>>,
    mads: f64,
    progress: &dyn Progress,
) -> Result<Option<GuideCheck>, Cancelled> {
    if dataset.guide().is_none() {
        return Ok(None);
    }
    let metrics = known.map_or_else(|| quality::measure(dataset, progress), |known| Ok(Some(known)))?;
    let Some(metrics) = metrics else { return Ok(None) };
    judged(dataset, &QualityReport::judge(&metrics, mads), progress)
}

/// The same of counts whose cells are judged already.
pub(super) fn judged(
    dataset: &Dataset,
    report: &QualityReport,
    progress: &dyn Progress,
) -> Result<Option<GuideCheck>, Cancelled> {
    let Some(guides) = dataset.guide() else { return Ok(None) };
    let left_out: Vec<bool> = report.failed.iter().map(|failed| failed.any()).collect();
    let responding = responding_in(dataset, &left_out, progress)?;
    GuideCheck::of(dataset, guides, &responding, &left_out, progress).map(Some)
}

/// As tab-separated values, a row for each guide.
pub fn table(check: &GuideCheck) -> String {
    let mut text = "guide\tperturbation\tcells\tremaining\town_shift_log2\tadjusted_p\tresponding\tothers_responding\
                    \tshare_adjusted_p\tworks_less\tagreement\n"
        .to_owned();
    let shown = |value: Option<f64>| value.map(|value| (value as f32).to_string()).unwrap_or_default();
    let p = |value: Option<f64>| value.map(|value| format!("{value:.3e}")).unwrap_or_default();
    for guide in &check.guides {
        let Guide { name, cells, knock_down, responding, others_responding, .. } = guide;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{name}\t{}\t{cells}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            guide.perturbation.as_deref().unwrap_or("control"),
            shown(knock_down.and_then(|own| own.remaining)),
            shown(knock_down.map(|own| own.log2_shift)),
            p(guide.adjusted_p),
            shown(responding.map(f64::from)),
            shown(others_responding.map(f64::from)),
            p(guide.share_adjusted_p),
            if guide.works_less() { "yes" } else { "no" },
            shown(guide.agreement),
        );
    }
    text
}

/// In a sentence: `24 guides; fewer cells respond to 2 of them than to the others of their targets`.
pub fn in_words(check: &GuideCheck) -> String {
    let less = check.guides.iter().filter(|guide| guide.works_less()).count();
    let guides = crate::words::counted(check.guides.len(), "guide");
    match less {
        0 => guides,
        _ => format!("{guides}; fewer cells respond to {less} of them than to the other guides of the same target"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::KnockDown;

    #[test]
    fn the_table_has_a_row_for_each_guide_and_leaves_out_what_is_not_known() {
        let known = Guide {
            name: "STAT1g2".into(),
            perturbation: Some("STAT1".into()),
            cells: 40,
            knock_down: Some(KnockDown { log2_shift: -1.5, remaining: Some(0.25), p_value: 1e-8 }),
            adjusted_p: Some(2e-8),
            responding: Some(0.4),
            others_responding: Some(0.8),
            share_adjusted_p: Some(1e-4),
            agreement: Some(0.5),
        };
        let control = Guide {
            name: "NTg1".into(),
            perturbation: None,
            cells: 100,
            knock_down: None,
            adjusted_p: None,
            responding: None,
            others_responding: None,
            share_adjusted_p: None,
            agreement: None,
        };
        let check = GuideCheck { column: "guide".into(), guides: vec![known, control] };
        let text = table(&check);
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
        assert!(rows.iter().all(|row| row.len() == 11));
        assert_eq!(rows[1][..5], ["STAT1g2", "STAT1", "40", "0.25", "-1.5"]);
        assert_eq!(rows[1][5..], ["2.000e-8", "0.4", "0.8", "1.000e-4", "yes", "0.5"]);
        assert_eq!(rows[2], ["NTg1", "control", "100", "", "", "", "", "", "", "no", ""]);
        assert_eq!(
            in_words(&check),
            "2 guides; fewer cells respond to 1 of them than to the other guides of the same target"
        );
    }
}
