//! Methods × metrics as a table.

use super::{Judged, methods};
use crate::evaluation::effects::{EffectMetrics, METRICS};

/// Tab-separated: one row per method and metric, with the 95 % interval over perturbations and the place on the scale; the replicate last.
pub fn tsv(judged: &[Judged]) -> String {
    let mut text = String::from("method\tbaseline\tmetric\tvalue\tlow_95\thigh_95\tscaled\tperturbations\n");
    let field = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for one in methods(judged) {
        for metric in &METRICS {
            let interval = one.method.intervals.get(metric.key);
            text.push_str(&format!(
                "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
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
    let replicate = |effects: &EffectMetrics| -> String {
        let row = |metric: &crate::evaluation::effects::Metric| {
            let value = field((metric.value)(effects));
            format!("Split-half replicate\t\t{}\t{value}\t\t\t1\t{}\n", metric.key, effects.perturbations)
        };
        METRICS.iter().map(row).collect()
    };
    if let Some(ceiling) = judged.first().and_then(|one| one.report.ceiling.as_ref()) {
        text.push_str(&replicate(&ceiling.effects));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_a_row_per_metric() {
        let text = tsv(&[super::super::tests::judged("a", 0.5, 0.25)]);
        assert_eq!(text.lines().count(), 1 + 3 * METRICS.len());
        assert!(text.contains("Mean\ttrue\tpearson\t0.25\t\t\t0.25\t3\n"));
        assert!(text.lines().all(|line| line.split('\t').count() == 8));
    }
}
