//! Methods × metrics as a table.

use super::{Judged, classes, methods, of_class};
use crate::evaluation::ceiling;
use crate::evaluation::effects::METRICS;

/// Tab-separated: one row per class of perturbations (`all` first), method and metric, with the 95 % interval over perturbations and the
/// place on the scale; the replicate last.
pub fn tsv(judged: &[Judged]) -> String {
    let mut text = String::from("class\tmethod\tbaseline\tmetric\tvalue\tlow_95\thigh_95\tscaled\tperturbations\n");
    rows(&mut text, "all", judged);
    for class in classes(judged) {
        rows(&mut text, class, &of_class(judged, class));
    }
    text
}

fn rows(text: &mut String, class: &str, judged: &[Judged]) {
    let field = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for one in methods(judged) {
        for metric in &METRICS {
            let interval = one.method.intervals.get(metric.key);
            text.push_str(&format!(
                "{class}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                one.name,
                one.method.baseline,
                metric.key,
                field((metric.value)(&one.method.effects)),
                field(interval.map(|interval| interval.low)),
                field(interval.map(|interval| interval.high)),
                field(one.method.scaled.get(metric.key).copied()),
                one.method.effects.perturbations,
            ));
        }
    }
    if let Some(found) = judged.first().and_then(|one| one.report.fits.ceiling.as_ref()) {
        for metric in &METRICS {
            let (name, value) = (ceiling::NAME, field((metric.value)(&found.effects)));
            let count = found.effects.perturbations;
            text.push_str(&format!("{class}\t{name}\t\t{}\t{value}\t\t\t1\t{count}\n", metric.key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::report::ClassReport;

    #[test]
    fn every_method_has_a_row_per_metric_and_class() {
        let mut one = super::super::tests::judged("a", 0.5, 0.25);
        let fits = super::super::tests::judged("a", 0.125, 0.0).report.fits;
        one.report.classes = vec![ClassReport { class: "unseen gene".into(), perturbations: 3, fits }];
        let text = tsv(&[one]);
        assert_eq!(text.lines().count(), 1 + 2 * 3 * METRICS.len());
        assert!(text.contains("\nall\tMean\ttrue\tpearson\t0.25\t\t\t0.25\t3\n"));
        assert!(text.contains("\nunseen gene\tGPO-VAE\tfalse\tpearson\t0.125\t\t\t0.125\t3\n"));
        assert!(text.lines().all(|line| line.split('\t').count() == 9));
    }
}
