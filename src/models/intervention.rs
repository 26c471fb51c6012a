//! What is asked of a model, and what it answers.

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

/// A predicted response.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedEffect {
    /// The question's name, see [`Intervention::name`].
    pub name: String,
    /// How far the question is from what the model was shown.
    pub novelty: Novelty,
    /// A dose outside 0 to 1 was asked for.
    pub extrapolated: bool,
    /// Shift of every gene (log2 against control), in the order of the card's genes.
    pub shifts: Vec<f32>,
    /// Predicted mean log2(10,000·x/Σx + 1) of every gene in control cells.
    pub control: Vec<f32>,
}
