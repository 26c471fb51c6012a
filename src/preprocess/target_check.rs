//! Did the perturbations work? The first check of a CRISPR screen: the expression of each perturbed gene itself.

use serde::Serialize;

use super::differential::benjamini_hochberg;
use crate::data::{PerturbationKind, PerturbationSummary, Summary};

/// From this adjusted p value on a change is taken for real.
const LEVEL: f64 = 0.05;
/// A perturbation worked if at most this share of the target's expression is left; an activation, if it rose at least by
/// the inverse.
const REMAINING: f64 = 0.75;
/// Fewer cells on either side cannot tell.
const FEWEST_CELLS: usize = 10;

/// What the target's own expression says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A sure and sizeable change in the expected direction.
    Worked,
    /// A change in the expected direction, but small or not sure.
    Weak,
    /// No change in the expected direction. A knock-out by cutting may leave the transcript.
    None,
    /// Several genes together: not judged.
    Combination,
    /// The target is not among the measured genes.
    NotMeasured,
    /// Too few cells, a target that the control cells do not express, or a sizeable change that could be chance.
    TooFew,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Worked, Self::Weak, Self::None, Self::NotMeasured, Self::TooFew, Self::Combination];

    /// In a word or two.
    pub fn label(self) -> &'static str {
        match self {
            Self::Worked => "worked",
            Self::Weak => "weak",
            Self::None => "no effect",
            Self::Combination => "combination",
            Self::NotMeasured => "not measured",
            Self::TooFew => "cannot tell",
        }
    }

    /// What it means, for people.
    pub fn explanation(self, kind: PerturbationKind) -> &'static str {
        match (self, kind) {
            (Self::Worked, PerturbationKind::Activation) => {
                "The target is expressed at least a third more than in control cells (adjusted p below 0.05)"
            }
            (Self::Worked, _) => {
                "At most 75 % of the target's expression in control cells is left (adjusted p below 0.05)"
            }
            (Self::Weak, _) => "The target changed in the expected direction, but little, or not surely",
            (Self::None, PerturbationKind::KnockOut) => {
                "The target's transcript did not become rarer. Cutting a gene may leave its transcript, so the knock-out can \
                 have worked all the same"
            }
            (Self::None, _) => "The target did not change in the expected direction",
            (Self::Combination, _) => "Several genes were perturbed together; only single targets are judged",
            (Self::NotMeasured, _) => "The perturbed gene is not among the measured genes",
            (Self::TooFew, _) => {
                "Too little to go by: fewer than ten cells here or among the controls, a target that the control cells do not \
                 express, or a change that could be chance"
            }
        }
    }
}

/// The check of all perturbations.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TargetCheck {
    /// One per perturbation of the summary.
    pub verdicts: Vec<Verdict>,
    /// Benjamini–Hochberg over all targets that were tested.
    pub adjusted_p_values: Vec<Option<f64>>,
}

impl TargetCheck {
    /// Judge the perturbations of `summary`.
    pub fn of(summary: &Summary) -> Self {
        let tested: Vec<usize> =
            (0..summary.perturbations.len()).filter(|&at| summary.perturbations[at].knock_down.is_some()).collect();
        let p_values: Vec<f64> = tested
            .iter()
            .filter_map(|&at| summary.perturbations[at].knock_down.map(|knock_down| knock_down.p_value))
            .collect();
        let mut adjusted_p_values = vec![None; summary.perturbations.len()];
        for (&at, adjusted) in tested.iter().zip(benjamini_hochberg(&p_values)) {
            adjusted_p_values[at] = Some(adjusted);
        }
        let verdicts = summary
            .perturbations
            .iter()
            .zip(&adjusted_p_values)
            .map(|(perturbation, adjusted)| verdict(perturbation, *adjusted, summary))
            .collect();
        Self { verdicts, adjusted_p_values }
    }

    /// How many perturbations got each verdict, in the order of [`Verdict::ALL`], without those that nobody got.
    pub fn counts(&self) -> Vec<(Verdict, usize)> {
        let count = |verdict: Verdict| self.verdicts.iter().filter(|other| **other == verdict).count();
        Verdict::ALL.into_iter().map(|verdict| (verdict, count(verdict))).filter(|(_, count)| *count > 0).collect()
    }

    /// The counts in words: `7 worked, 2 no effect, 16 not measured`.
    pub fn in_words(&self) -> String {
        let words: Vec<String> =
            self.counts().into_iter().map(|(verdict, count)| format!("{count} {}", verdict.label())).collect();
        words.join(", ")
    }
}

fn verdict(perturbation: &PerturbationSummary, adjusted: Option<f64>, summary: &Summary) -> Verdict {
    if perturbation.targets.len() != 1 {
        return Verdict::Combination;
    }
    if !perturbation.measured {
        return Verdict::NotMeasured;
    }
    let (Some(knock_down), Some(adjusted)) = (perturbation.knock_down, adjusted) else { return Verdict::TooFew };
    let Some(remaining) = knock_down.remaining else { return Verdict::TooFew };
    if perturbation.cells.min(summary.control_cells) < FEWEST_CELLS {
        return Verdict::TooFew;
    }
    let sizeable = if summary.kind == PerturbationKind::Activation {
        remaining >= 1.0 / REMAINING
    } else {
        remaining <= REMAINING
    };
    match (adjusted < LEVEL, sizeable) {
        (true, true) => Verdict::Worked,
        (true, false) => Verdict::Weak,
        (false, _) if knock_down.p_value < LEVEL => Verdict::Weak,
        // It may have worked: there are too few cells or counts to be sure.
        (false, true) => Verdict::TooFew,
        (false, false) => Verdict::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{KnockDown, MatrixKind};

    fn row(name: &str, cells: usize, own: Option<(f64, f64)>) -> PerturbationSummary {
        PerturbationSummary {
            name: name.into(),
            targets: name.split('+').map(String::from).collect(),
            cells,
            measured: own.is_some(),
            knock_down: own.map(|(remaining, p_value)| KnockDown {
                log2_shift: remaining.log2(),
                remaining: Some(remaining),
                p_value,
            }),
            effects: None,
        }
    }

    fn summary(kind: PerturbationKind, perturbations: Vec<PerturbationSummary>) -> Summary {
        Summary {
            cells: 1000,
            genes: 10,
            control_cells: 100,
            unassigned_cells: 0,
            matrix_kind: MatrixKind::Counts,
            kind,
            median_counts: 1.0,
            median_genes: 1.0,
            density: 0.1,
            perturbations,
        }
    }

    #[test]
    fn verdicts_follow_size_significance_and_cells() {
        let rows = vec![
            row("A", 50, Some((0.2, 1e-20))),
            row("B", 50, Some((0.9, 1e-6))),
            row("C", 50, Some((1.0, 0.6))),
            row("D", 50, None),
            row("E", 9, Some((0.1, 1e-9))),
            row("A+B", 50, None),
            row("F", 50, Some((0.7, 0.045))),
            row("G", 50, Some((0.5, 0.2))),
        ];
        let check = TargetCheck::of(&summary(PerturbationKind::KnockDown, rows));
        use Verdict::{Combination, NotMeasured, TooFew, Weak, Worked};
        assert_eq!(check.verdicts, [Worked, Weak, Verdict::None, NotMeasured, TooFew, Combination, Weak, TooFew]);
        assert_eq!(check.in_words(), "1 worked, 2 weak, 1 no effect, 1 not measured, 2 cannot tell, 1 combination");
        assert!(check.adjusted_p_values[6].unwrap() > LEVEL && check.adjusted_p_values[3].is_none());
    }

    #[test]
    fn an_activation_must_raise_its_target() {
        let rows = vec![row("A", 50, Some((2.0, 1e-20))), row("B", 50, Some((1.1, 1e-6)))];
        let check = TargetCheck::of(&summary(PerturbationKind::Activation, rows));
        assert_eq!(check.verdicts, [Verdict::Worked, Verdict::Weak]);
    }
}
