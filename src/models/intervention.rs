//! What is asked of a model, and what it answers.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use crate::preprocess::differential::{benjamini_hochberg, student_two_sided};

/// Genes to perturb and by how much.
#[derive(Clone, Debug, PartialEq)]
pub struct Intervention {
    doses: Vec<(String, f32)>,
    cells: AskedCells,
}

/// Which cells under a perturbation a question is about, where some escaped it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedCells {
    /// All that a screen would have, those that escaped among them: what is measured.
    #[default]
    All,
    /// Those that respond: what the perturbation does where it works. A gene that no cell was perturbed in has the effect that average cells
    /// of the others lend it all the same.
    Responding,
}

impl AskedCells {
    /// Whether it is the usual.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl Intervention {
    /// The full perturbation (dose 1, as in the screen) of `genes`; order and repetitions do not matter.
    pub fn knock_out<S: Into<String>>(genes: impl IntoIterator<Item = S>) -> Self {
        Self::with_doses(genes.into_iter().map(|gene| (gene.into(), 1.0)))
    }

    /// Each gene with its dose: 1 as in the screen, between 0 and 1 partial, negative the opposite (extrapolation). The
    /// last dose given for a gene counts.
    pub fn with_doses(doses: impl IntoIterator<Item = (String, f32)>) -> Self {
        let by_gene: std::collections::BTreeMap<String, f32> = doses.into_iter().collect();
        Self { doses: by_gene.into_iter().collect(), cells: AskedCells::default() }
    }

    /// The same, asked about these cells.
    #[must_use]
    pub fn among(self, cells: AskedCells) -> Self {
        Self { cells, ..self }
    }

    /// Which cells it is asked about.
    pub fn cells(&self) -> AskedCells {
        self.cells
    }

    /// Genes and doses, sorted by gene.
    pub fn doses(&self) -> &[(String, f32)] {
        &self.doses
    }

    /// `JAK2+STAT1`; doses other than 1 are added: `STAT1 × 0.5`.
    pub fn name(&self) -> String {
        let part = |(gene, dose): &(String, f32)| match *dose {
            1.0 => gene.clone(),
            dose => format!("{gene} × {dose}"),
        };
        self.doses.iter().map(part).collect::<Vec<_>>().join("+")
    }
}

/// How far a question is from what the model was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// This very perturbation was in the training cells: the badge "measured".
    Measured {
        /// Training cells.
        training_cells: u32,
        /// Cells kept out of training.
        test_cells: u32,
    },
    /// It is in the screen but was kept from the training: "held out".
    HeldOut {
        /// Its cells.
        cells: u32,
    },
    /// Its genes were perturbed, but never together.
    NewCombination,
    /// At least one gene was never perturbed: "never perturbed".
    NeverPerturbed,
}

/// Perturbations whose effects stand in for that of a gene which no training cell was perturbed in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lenders {
    /// Genes that were perturbed alone.
    pub perturbations: usize,
    /// How well each of them is predicted from the others, as if it had not been seen: the mean correlation over genes of predicted and
    /// measured shifts (Pearson-Δ), the perturbed gene left out. None where there are too few, or they do nothing.
    pub pearson: Option<f64>,
}

/// How much the answers of an ensemble's members differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// Number of members, at least 2.
    pub members: usize,
    /// Standard deviation of the shift of every gene over the members (divisor members − 1).
    pub of_genes: Vec<f32>,
}

/// The level of intervals that are shown and written.
pub const INTERVAL_LEVEL: f64 = 0.9;

/// The false discovery rate, over the genes of a perturbation, up to which a predicted shift is called significant. As none is true
/// where a perturbation has no effect, at most so large a share of such perturbations gets any call.
pub const CALL_RATE: f64 = 0.05;

impl Spread {
    /// Half the width of the interval of [`INTERVAL_LEVEL`] of every gene's shift.
    pub fn half_widths(&self) -> Vec<f32> {
        let factor = interval_factor(self.members, INTERVAL_LEVEL) as f32;
        self.of_genes.iter().map(|deviation| factor * deviation).collect()
    }

    /// What these are: `90 % interval, 10 members`.
    pub fn label(&self) -> String {
        format!("{:.0} % interval, {} members", INTERVAL_LEVEL * 100.0, self.members)
    }
}

/// By how many standard deviations over `members` members an interval of `level` (0 to 1) reaches to each side of their mean:
/// the quantile of Student's t with members − 1 degrees of freedom, times √(1 + 1/members). The members are trained on cells drawn
/// with replacement and with different draws, so that their standard deviation s estimates the standard error of a prediction (Efron
/// and Tibshirani 1993, An Introduction to the Bootstrap, chapters 6 and 12). Their mean has that error, of the cells that were
/// measured, and beside it the error s/√members of so few draws, which the root adds; where members differ by their start more than
/// by their cells, the interval is wider than it need be.
pub fn interval_factor(members: usize, level: f64) -> f64 {
    let level = level.clamp(0.0, 1.0 - 1e-9);
    let quantile = StudentsT::new(0.0, 1.0, freedom(members)).map_or(f64::NAN, |t| t.inverse_cdf(0.5 + level / 2.0));
    quantile * few_draws(members)
}

fn freedom(members: usize) -> f64 {
    members.saturating_sub(1).max(1) as f64
}

fn few_draws(members: usize) -> f64 {
    (1.0 + 1.0 / members.max(1) as f64).sqrt()
}

/// A predicted response.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedEffect {
    /// The question's name, see [`Intervention::name`].
    pub name: String,
    /// How far the question is from what the model was shown.
    pub novelty: Novelty,
    /// The perturbations that it rests on where a gene never was perturbed.
    pub lenders: Option<Lenders>,
    /// A dose outside 0 to 1 was asked for.
    pub extrapolated: bool,
    /// Where it is the answer of the cells that respond alone: their share. None for all cells, and where all respond.
    pub responding: Option<f32>,
    /// Shift of every gene (log2 against control), in the order of the card's genes; of an ensemble the mean of its members.
    pub shifts: Vec<f32>,
    /// How far the members of an ensemble are from each other; none for a single model.
    pub spread: Option<Spread>,
    /// Predicted mean log2(10,000·x/Σx + 1) of every gene in control cells.
    pub control: Vec<f32>,
}

impl PredictedEffect {
    /// What was asked, for titles: `IFNGR1`, or `IFNGR1, responding cells`.
    pub fn label(&self) -> String {
        if self.responding.is_some() { format!("{}, responding cells", self.name) } else { self.name.clone() }
    }

    /// The perturbed genes.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.name.split('+').map(|part| part.split_once(" × ").map_or(part, |(gene, _)| gene))
    }

    /// For each of `genes` (the card's) the smallest false discovery rate at which its shift is called different from 0: p values of
    /// the t that the intervals rest on, Benjamini–Hochberg over all genes but the perturbed ones, which have 1. None of a single
    /// model, which does not tell how sure it is.
    pub fn adjusted_p(&self, genes: &[String]) -> Option<Vec<f64>> {
        let spread = self.spread.as_ref()?;
        let targets: Vec<&str> = self.targets().collect();
        let others: Vec<usize> = (0..genes.len()).filter(|&gene| !targets.contains(&genes[gene].as_str())).collect();
        let p = |&gene: &usize| {
            let (shift, deviation) = (f64::from(*self.shifts.get(gene)?), f64::from(*spread.of_genes.get(gene)?));
            // A gene that no member moves is none that responds.
            let moves = shift != 0.0 && shift.is_finite();
            let t = shift / (few_draws(spread.members) * deviation);
            Some(if moves { student_two_sided(t, freedom(spread.members)) } else { 1.0 })
        };
        let p: Vec<f64> = others.iter().map(|gene| p(gene).unwrap_or(1.0)).collect();
        let mut adjusted = vec![1.0; genes.len()];
        others.into_iter().zip(benjamini_hochberg(&p)).for_each(|(gene, p)| adjusted[gene] = p);
        Some(adjusted)
    }
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution as _, StandardNormal};

    use super::*;

    /// The answer of `members` that were trained on draws of cells whose own error is `error`, each with `noise` of its own; the
    /// truth is `truth` for the first gene and 0 for the others. Genes share their error in part.
    fn answered(
        random: &mut crate::random::Rng,
        members: usize,
        [error, noise]: [f32; 2],
        truth: f32,
    ) -> PredictedEffect {
        const GENES: usize = 50;
        let mut normal = || -> f32 { StandardNormal.sample(&mut *random) };
        let mut profile = |size: f32| -> Vec<f32> {
            let shared = normal();
            (0..GENES).map(|_| size * (0.7 * shared + 0.7 * normal())).collect()
        };
        let measured = profile(error);
        let answers: Vec<Vec<f32>> = (0..members)
            .map(|_| {
                let (cells, own) = (profile(error), profile(noise));
                (0..GENES).map(|at| measured[at] + cells[at] + own[at] + if at == 0 { truth } else { 0.0 }).collect()
            })
            .collect();
        let mean = |at: usize| answers.iter().map(|answer| answer[at]).sum::<f32>() / members as f32;
        let deviation = |at: usize| {
            let squares: f32 = answers.iter().map(|answer| (answer[at] - mean(at)).powi(2)).sum();
            (squares / (members - 1) as f32).sqrt()
        };
        PredictedEffect {
            name: "P".to_owned(),
            novelty: Novelty::NeverPerturbed,
            lenders: None,
            extrapolated: false,
            responding: None,
            shifts: (0..GENES).map(mean).collect(),
            spread: Some(Spread { members, of_genes: (0..GENES).map(deviation).collect() }),
            control: Vec::new(),
        }
    }

    #[test]
    fn intervals_and_calls_hold_their_rates_without_effect() {
        let mut random = crate::random::stream(9, "calls test");
        let genes: Vec<String> = (0..50).map(|at| format!("G{at}")).collect();
        for (members, sizes, most) in
            [(3, [1.0, 0.0], 0.115), (5, [1.0, 0.0], 0.115), (5, [0.7, 0.7], 0.09), (10, [1.0, 0.1], 0.115)]
        {
            let (mut outside, mut called, screens) = (0, 0, 800);
            for _ in 0..screens {
                let effect = answered(&mut random, members, sizes, 0.0);
                let widths = effect.spread.as_ref().unwrap().half_widths();
                outside += effect.shifts.iter().zip(&widths).filter(|(shift, width)| shift.abs() > **width).count();
                called += usize::from(effect.adjusted_p(&genes).unwrap().iter().any(|p| *p < CALL_RATE));
            }
            let [outside, called] = [outside as f64 / (50 * screens) as f64, called as f64 / f64::from(screens)];
            assert!(outside < most, "{members} members, {sizes:?}: {outside} outside");
            assert!(called < CALL_RATE + 0.024, "{members} members, {sizes:?}: {called} called");
        }
        let found =
            (0..50).filter(|_| answered(&mut random, 5, [0.1, 0.05], 3.0).adjusted_p(&genes).unwrap()[0] < CALL_RATE);
        assert!(found.count() > 45);
    }

    #[test]
    fn perturbed_genes_are_never_called() {
        let genes = ["A", "B", "C"].map(str::to_owned);
        let effect = PredictedEffect {
            name: "A × 0.5+B".to_owned(),
            novelty: Novelty::NewCombination,
            lenders: None,
            extrapolated: false,
            responding: None,
            shifts: vec![-4.0, -4.0, 1.0],
            spread: Some(Spread { members: 5, of_genes: vec![0.01; 3] }),
            control: Vec::new(),
        };
        assert_eq!(effect.targets().collect::<Vec<_>>(), ["A", "B"]);
        let adjusted = effect.adjusted_p(&genes).unwrap();
        assert_eq!(adjusted[..2], [1.0, 1.0]);
        assert!(adjusted[2] < 1e-6);
        assert_eq!(PredictedEffect { spread: None, ..effect }.adjusted_p(&genes), None);
    }

    #[test]
    fn intervals_are_those_of_students_t() {
        // Tables of the t distribution: two-sided 90 %, 4 degrees of freedom; 95 %, 9; many members are normal.
        for (members, level, expected) in [(5, 0.9, 2.131_85), (10, 0.95, 2.262_16), (100_000, 0.95, 1.959_99)] {
            let expected = expected * (1.0 + 1.0 / members as f64).sqrt();
            let found = interval_factor(members, level);
            assert!((found - expected).abs() < 1e-4, "{members} members, {level}: {found}");
        }
        assert!(interval_factor(5, 0.5) < interval_factor(5, 0.9));
    }
}
