//! What is asked of a model, and what it answers.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// Genes to perturb and by how much.
#[derive(Clone, Debug, PartialEq)]
pub struct Intervention {
    doses: Vec<(String, f32)>,
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
        Self { doses: by_gene.into_iter().collect() }
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
/// the quantile of Student's t with members − 1 degrees of freedom. The members are trained on cells drawn with replacement
/// and with different draws, so that their standard deviation estimates the standard error of a prediction (Efron and
/// Tibshirani 1993, An Introduction to the Bootstrap, chapters 6 and 12).
pub fn interval_factor(members: usize, level: f64) -> f64 {
    let freedom = members.saturating_sub(1).max(1) as f64;
    let level = level.clamp(0.0, 1.0 - 1e-9);
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |t| t.inverse_cdf(0.5 + level / 2.0))
}

/// A predicted response.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedEffect {
    /// The question's name, see [`Intervention::name`].
    pub name: String,
    /// How far the question is from what the model was shown.
    pub novelty: Novelty,
    /// A dose outside 0 to 1 was asked for.
    pub extrapolated: bool,
    /// Shift of every gene (log2 against control), in the order of the card's genes; of an ensemble the mean of its members.
    pub shifts: Vec<f32>,
    /// How far the members of an ensemble are from each other; none for a single model.
    pub spread: Option<Spread>,
    /// Predicted mean log2(10,000·x/Σx + 1) of every gene in control cells.
    pub control: Vec<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_students_t() {
        // Tables of the t distribution: two-sided 90 %, 4 degrees of freedom; 95 %, 9; many members are normal.
        for (members, level, expected) in [(5, 0.9, 2.131_85), (10, 0.95, 2.262_16), (100_000, 0.95, 1.959_99)] {
            let found = interval_factor(members, level);
            assert!((found - expected).abs() < 1e-4, "{members} members, {level}: {found}");
        }
        assert!(interval_factor(5, 0.5) < interval_factor(5, 0.9));
    }
}
