//! What the methods of a report are: the baselines beside the model.

use crate::models::baselines::{BaselineKind, NetworkBaseline};

/// Name and definition of every baseline of predicted shifts, in the order shown.
pub fn shift_baselines() -> [(&'static str, &'static str); BaselineKind::ALL.len()] {
    BaselineKind::ALL.map(|kind| (kind.label(), kind.definition()))
}

/// Name and definition of every baseline of the network, in the order shown.
pub fn network_baselines() -> [(&'static str, &'static str); NetworkBaseline::ALL.len()] {
    NetworkBaseline::ALL.map(|kind| (kind.label(), kind.definition()))
}

/// What the baseline called `name` is.
pub fn baseline_called(name: &str) -> Option<&'static str> {
    let mut all = shift_baselines().into_iter().chain(network_baselines());
    all.find(|(known, _)| *known == name).map(|(_, definition)| definition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::report::{Definition, definitions};

    /// The page `metrics.md`.
    fn page() -> String {
        let mut page = String::from(
            "# What every number is\n\n\
             The same words stand in the window where one points at a metric, and in the reports of `evaluate`. Shifts are log2 against \
             measured control cells: the mean over cells of log2(1 + 10,000·x/Σx), perturbed minus control. The perturbed genes are left \
             out of their own perturbation's row.\n\n\
             | metric | in reports | better | definition | origin |\n|---|---|---|---|---|\n",
        );
        let cell = |text: &str| text.replace('|', "\\|");
        for definition in definitions() {
            let better = match definition.better.as_str() {
                "higher" => "↑",
                "lower" => "↓",
                _ => "",
            };
            let text = cell(&definition.definition);
            let Definition { metric, label, origin, .. } = &definition;
            page.push_str(&format!("| {label} | `{metric}` | {better} | {text} | {origin} |\n"));
        }
        for (title, text, baselines) in [
            (
                "Baselines of predicted shifts",
                "Fit on training cells alone; those that are defined for a perturbation stand beside the model wherever it is judged.",
                &shift_baselines()[..],
            ),
            (
                "Baselines of the network",
                "Scores of a regulator and a target, ranked as the model's edges are.",
                &network_baselines()[..],
            ),
        ] {
            page.push_str(&format!("\n## {title}\n\n{text}\n\n| baseline | definition |\n|---|---|\n"));
            for (name, definition) in baselines {
                page.push_str(&format!("| {name} | {} |\n", cell(definition)));
            }
        }
        page
    }

    #[test]
    fn the_page_of_the_documentation_says_the_same() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/evaluation/report/metrics.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, page()).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, page(), "UPDATE_DOCS=1 cargo test the_page_of_the_documentation writes it anew");
    }

    #[test]
    fn baselines_are_found_by_their_names() {
        assert!(baseline_called("Low-rank linear").is_some_and(|text| text.contains("principal components")));
        assert!(baseline_called("Boosted trees").is_some_and(|text| text.contains("GRNBoost2")));
        assert_eq!(baseline_called("GPO-VAE"), None);
    }
}
