//! Reports of [`super::evaluate`] for people: one or several trained models beside each other, as figures, a table and a page.

mod definitions;
mod figures;
mod html;
mod table;
mod tables;

pub use definitions::{baseline_called, network_baselines, shift_baselines};
pub use figures::{ReportFigure, figures};
pub use html::html;
pub use table::tsv;
pub use tables::{Head, ReportTable, Section, recovery, tables};

use crate::evaluation::bootstrap::FEWEST;
use crate::evaluation::report::{Fits, MethodReport, Report};
use crate::figures::evaluation::Tone;
use crate::words::listed;

/// A report with what its model is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What the model is called where there are several: its file's name.
    pub name: String,
    /// Its report.
    pub report: Report,
}

/// The classes of perturbations that the reports tell apart, in the order of their names.
pub fn classes(judged: &[Judged]) -> Vec<&str> {
    let mut found: Vec<&str> =
        judged.iter().flat_map(|one| &one.report.classes).map(|class| class.class.as_str()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The reports with the fit of one class of perturbations in place of that of all; those that have none are left out.
pub fn of_class(judged: &[Judged], class: &str) -> Vec<Judged> {
    let of = |one: &Judged| Some(Judged { name: one.name.clone(), report: one.report.of_class(class)? });
    judged.iter().filter_map(of).collect()
}

/// What comes of the verdicts, in words.
pub fn outcome(report: &Report, fits: &Fits) -> String {
    let won = |wins: bool| -> Vec<String> {
        fits.clearly(wins).map(|verdict| report.label(&verdict.metric).to_owned()).collect()
    };
    let (better, worse) = (won(true), won(false));
    let covered = fits.model().map_or(0, |model| model.effects.perturbations);
    match covered {
        0 => return "the model answers none of these perturbations".to_owned(),
        few if few < FEWEST => {
            return format!("too few perturbations to tell a difference from chance (it takes {FEWEST})");
        }
        _ => {}
    }
    let partly = fits.methods.iter().any(|method| method.effects.perturbations < covered);
    let which = if partly { "every baseline that answers all perturbations" } else { "every baseline" };
    let better_words = || format!("clearly better than {which} in {}", listed(&better, 8));
    let worse_words = || format!("a baseline is clearly better in {}", listed(&worse, 8));
    match (better.is_empty(), worse.is_empty()) {
        (true, true) => "no clear difference to the best baseline in any metric".to_owned(),
        (false, true) => better_words(),
        (true, false) => worse_words(),
        (false, false) => format!("{}; {}", better_words(), worse_words()),
    }
}

/// A method among all that were judged.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedMethod<'a> {
    /// Its name; of several models the file's, of a baseline that differs from model to model with the model's.
    pub name: String,
    /// How figures draw it.
    pub tone: Tone,
    /// How it did.
    pub method: &'a MethodReport,
    /// In which of the reports.
    pub report: usize,
    /// Whether it covers as many perturbations as the model: otherwise its numbers are of other ones, and its name says of how many.
    pub covers_all: bool,
}

/// The models first, then the baselines; a baseline that says the same of several models stands there once.
pub fn methods(judged: &[Judged]) -> Vec<JudgedMethod<'_>> {
    let mut found: Vec<JudgedMethod> = Vec::new();
    let mut others = 0;
    let mut tone = |first: bool| {
        if first {
            return Tone::Model;
        }
        others += 1;
        Tone::Other(others - 1)
    };
    for (report, one) in judged.iter().enumerate() {
        for method in one.report.fits.methods.iter().filter(|method| !method.baseline) {
            let name = if judged.len() == 1 { method.method.clone() } else { one.name.clone() };
            found.push(JudgedMethod { name, tone: tone(report == 0), method, report, covers_all: true });
        }
    }
    for (report, one) in judged.iter().enumerate() {
        for method in one.report.fits.methods.iter().filter(|method| method.baseline) {
            let mut known = found.iter().filter(|known| known.method.baseline && known.method.method == method.method);
            if known.clone().any(|known| known.method.effects == method.effects) {
                continue;
            }
            let mut name = match known.next() {
                Some(_) => format!("{} ({})", method.method, one.name),
                None => method.method.clone(),
            };
            let all = one.report.fits.model().map_or(0, |model| model.effects.perturbations);
            let own = method.effects.perturbations;
            if own < all {
                name.push_str(&format!(", {own} of {all}"));
            }
            found.push(JudgedMethod { name, tone: tone(false), method, report, covers_all: own >= all });
        }
    }
    found
}

/// Why the reports cannot be held against each other in every respect; empty where they can.
pub fn differences(judged: &[Judged]) -> Vec<String> {
    let Some((first, others)) = judged.split_first() else { return Vec::new() };
    let mut found = Vec::new();
    if others.iter().any(|other| other.report.dataset.hash != first.report.dataset.hash) {
        found.push("The models are judged on different data sets: their numbers cannot be compared".to_owned());
    } else if others.iter().any(|other| other.report.cells.hash != first.report.cells.hash) {
        found.push(
            "The models held out different cells (another seed or split): differences between them are in part those of the cells"
                .to_owned(),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::effects::EffectMetrics;

    pub(super) fn judged(name: &str, r: f64, mean: f64) -> Judged {
        let method = |name: &str, baseline, r| MethodReport {
            method: name.into(),
            baseline,
            definition: "A test".into(),
            effects: EffectMetrics { pearson: Some(r), perturbations: 3, genes: 9, ..EffectMetrics::default() },
            intervals: Default::default(),
            scaled: [("pearson".to_owned(), r)].into(),
            effects_with_targets: EffectMetrics::default(),
        };
        let methods = vec![method("GPO-VAE", false, r), method("No change", true, 0.0), method("Mean", true, mean)];
        let definitions = crate::evaluation::report::definitions();
        let fits = Fits { methods, ..Fits::default() };
        Judged { name: name.into(), report: Report { fits, definitions, ..Report::default() } }
    }

    #[test]
    fn baselines_stand_once_unless_they_differ() {
        let judged = [judged("a", 0.5, 0.3), judged("b", 0.6, 0.4)];
        let found = methods(&judged);
        let names: Vec<&str> = found.iter().map(|method| method.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "No change", "Mean", "Mean (b)"]);
        assert_eq!(found.iter().filter(|method| method.tone == Tone::Model).count(), 1);
        assert_eq!(methods(&judged[..1])[0].name, "GPO-VAE");
        let mut partly = judged[..1].to_vec();
        partly[0].report.fits.methods[2].effects.perturbations = 2;
        let found = methods(&partly);
        assert_eq!((found[2].name.as_str(), found[2].covers_all), ("Mean, 2 of 3", false));
    }

    #[test]
    fn a_class_takes_the_place_of_all() {
        use crate::evaluation::effects::PerturbationFit;
        use crate::evaluation::report::{ClassReport, FitRow};
        let class = |class: &str, r| ClassReport {
            class: class.into(),
            perturbations: 1,
            fits: judged("", r, 0.1).report.fits,
        };
        let row = |class: &str| FitRow {
            method: "GPO-VAE".into(),
            training_cells: 0,
            class: class.into(),
            fit: PerturbationFit { perturbation: class.into(), ..PerturbationFit::default() },
        };
        let mut all = [judged("a", 0.5, 0.3), judged("b", 0.6, 0.4)];
        all[0].report.classes = vec![class("unseen gene", 0.2), class("1 of 2 seen", 0.4)];
        all[0].report.per_perturbation = vec![row("unseen gene"), row("1 of 2 seen")];
        assert_eq!(classes(&all), ["1 of 2 seen", "unseen gene"]);
        let found = of_class(&all, "unseen gene");
        assert_eq!(found.len(), 1, "the second model has no such class");
        assert_eq!(found[0].report.fits.model().unwrap().effects.pearson, Some(0.2));
        assert_eq!(found[0].report.per_perturbation, [row("unseen gene")]);
        let mut one = found[0].report.clone();
        assert!(outcome(&one, &one.fits).contains("too few perturbations"));
        one.fits.methods[0].effects.perturbations = 6;
        assert!(outcome(&one, &one.fits).contains("no clear difference"));
        one.fits.methods.remove(0);
        assert!(outcome(&one, &one.fits).contains("answers none"));
    }

    #[test]
    fn models_of_other_cells_are_told_apart() {
        let mut judged = [judged("a", 0.5, 0.3), judged("b", 0.6, 0.4)];
        assert!(differences(&judged).is_empty());
        judged[1].report.cells.hash = "other".into();
        assert!(differences(&judged)[0].contains("different cells"));
        judged[1].report.dataset.hash = "other".into();
        assert!(differences(&judged)[0].contains("different data sets"));
    }
}
