//! Predicted against measured shifts of every perturbation, with the baselines that a model has to beat.
//!
//! The truth of a perturbation is its held-out (test) cells; where it has none, its training cells, and then its fit is
//! an optimistic one. The two are never mixed in one number.

use std::collections::HashMap;

use crate::data::{EffectTable, Perturbation};
use crate::evaluation::effects::{self, EffectMetrics, EffectOptions, PerturbationFit};
use crate::jobs::{Cancelled, Progress};
use crate::models::baselines::{self, Baseline, BaselineKind, TrainingShifts};
use crate::models::{Novelty, TrainedPerturbation};
use crate::tasks::badges::novelty;
pub use crate::tasks::cell_response::Truth;

/// Who predicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Predictor {
    /// The model.
    #[default]
    Model,
    /// A baseline, fit on the training cells.
    Baseline(BaselineKind),
}

impl Predictor {
    /// All, the model first.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Model).chain(BaselineKind::ALL.map(Self::Baseline))
    }

    /// Its name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Model => "Model",
            Self::Baseline(kind) => kind.label(),
        }
    }

    /// Whether its answer is what training cells measured, see [`BaselineKind::is_the_measurement`].
    pub fn is_the_measurement(self) -> bool {
        matches!(self, Self::Baseline(kind) if kind.is_the_measurement())
    }

    /// What it is, for people.
    pub fn definition(self) -> &'static str {
        match self {
            Self::Model => "Shifts predicted by the trained model",
            Self::Baseline(kind) => kind.definition(),
        }
    }
}

/// Agreement of one predictor with one perturbation's truth, over all genes but the perturbed ones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fit {
    /// Pearson's r; none where one side does not vary.
    pub r: Option<f64>,
    /// Coefficient of determination R².
    pub r_squared: Option<f64>,
    /// Mean absolute error, log2 units.
    pub error: f64,
}

/// One perturbation.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedPerturbation {
    /// `STAT1`, or `JAK2+STAT1`.
    pub name: String,
    /// Which cells the truth rests on.
    pub truth: Truth,
    /// How many.
    pub cells: u32,
    /// What the model saw of it.
    pub novelty: Novelty,
    /// Those that have an answer that is not the truth itself, in the order of [`Predictor::all`].
    pub fits: Vec<(Predictor, Fit)>,
}

impl ComparedPerturbation {
    /// The fit of `predictor`.
    pub fn fit(&self, predictor: Predictor) -> Option<Fit> {
        self.fits.iter().find(|(who, _)| *who == predictor).map(|(_, fit)| *fit)
    }

    /// The baseline with the highest R², and that R².
    pub fn best_baseline(&self) -> Option<(Predictor, f64)> {
        let baselines = self.fits.iter().filter(|(who, _)| *who != Predictor::Model);
        let known = baselines.filter_map(|(who, fit)| Some((*who, fit.r_squared?)));
        known.max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The baseline with the highest R², if it is at least as high as the model's: a model that does not beat it has
    /// not been worth training for this perturbation.
    pub fn beaten_by(&self) -> Option<Predictor> {
        let model = self.fit(Predictor::Model)?.r_squared?;
        self.best_baseline().filter(|(_, best)| *best >= model).map(|(who, _)| who)
    }
}

/// All perturbations against one kind of truth together.
#[derive(Clone, Debug, PartialEq)]
pub struct Total {
    /// Which truth.
    pub truth: Truth,
    /// Those that have an answer, in the order of [`Predictor::all`]; a baseline may answer fewer questions than the model.
    pub metrics: Vec<(Predictor, EffectMetrics)>,
}

impl Total {
    /// The metrics of `predictor`.
    pub fn of(&self, predictor: Predictor) -> Option<&EffectMetrics> {
        self.metrics.iter().find(|(who, _)| *who == predictor).map(|(_, metrics)| metrics)
    }
}

/// Everything the response view shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// In the order of the model card.
    pub perturbations: Vec<ComparedPerturbation>,
    /// Held-out first; only those with at least one perturbation.
    pub totals: Vec<Total>,
    genes: Vec<String>,
    held_out: EffectTable,
    training: EffectTable,
    predicted: EffectTable,
    baselines: Vec<Baseline>,
}

impl Comparison {
    /// Compare `predicted` with the held-out shifts, and with those of the training cells where there are no others.
    /// Genes follow the table of predictions; the other tables are brought into its order.
    pub fn new(
        perturbations: &[TrainedPerturbation],
        held_out: &EffectTable,
        training: TrainingShifts<'_>,
        predicted: &EffectTable,
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        let genes = predicted.genes.clone();
        let held_out = in_order(held_out, &genes);
        let shrunken = training.shrunken.map(|shrunken| in_order(shrunken, &genes));
        let training = in_order(training.measured, &genes);
        let questions: Vec<Perturbation> =
            perturbations.iter().map(|perturbation| Perturbation::of(perturbation.targets.iter().cloned())).collect();
        let of_training = TrainingShifts { measured: &training, shrunken: shrunken.as_ref() };
        let baselines = baselines::effects::all(of_training, &questions, progress)?;
        let mut result = Self { genes, held_out, training, predicted: predicted.clone(), baselines, ..Self::default() };
        let mut fits: HashMap<(String, Truth), Vec<(Predictor, Fit)>> = HashMap::new();
        for truth in [Truth::HeldOut, Truth::Training] {
            let observed = result.truth_rows(perturbations, truth);
            if observed.perturbations.is_empty() {
                continue;
            }
            let mut metrics = Vec::new();
            for who in Predictor::all() {
                progress.check()?;
                let Some(table) = result.answers(who, truth) else { continue };
                let compared = effects::compare(table, &observed, EffectOptions::default());
                for fit in &compared.per_perturbation {
                    fits.entry((fit.perturbation.clone(), truth)).or_default().push((who, short(fit)));
                }
                if compared.overall.perturbations > 0 {
                    metrics.push((who, compared.overall));
                }
            }
            result.totals.push(Total { truth, metrics });
        }
        let perturbations = perturbations.iter().filter_map(|perturbation| {
            let name = perturbation.name();
            let (truth, table, row) = result.truth_of(&name)?;
            Some(ComparedPerturbation {
                truth,
                cells: table.cells.get(row).copied().unwrap_or(0),
                novelty: novelty(perturbation),
                fits: fits.get(&(name.clone(), truth)).cloned().unwrap_or_default(),
                name,
            })
        });
        result.perturbations = perturbations.collect();
        Ok(result)
    }

    /// Genes of every shift given out here.
    pub fn genes(&self) -> &[String] {
        &self.genes
    }

    /// The perturbation called `name`.
    pub fn find(&self, name: &str) -> Option<&ComparedPerturbation> {
        self.perturbations.iter().find(|perturbation| perturbation.name == name)
    }

    /// Measured shifts of `name`, and the cells they rest on.
    pub fn observed(&self, name: &str) -> Option<(Truth, u32, &[f32])> {
        let (truth, table, row) = self.truth_of(name)?;
        Some((truth, table.cells.get(row).copied().unwrap_or(0), table.row(row)))
    }

    /// What `predictor` says about `name`.
    pub fn predicted(&self, predictor: Predictor, name: &str) -> Option<&[f32]> {
        let table = self.table(predictor)?;
        table.find(name).map(|row| table.row(row))
    }

    /// Which cells the measured shifts of all perturbations together rest on.
    pub fn first_truth(&self) -> Option<Truth> {
        self.totals.first().map(|total| total.truth)
    }

    /// Measured shifts of the perturbations with [`Comparison::first_truth`], and what the model predicts.
    pub fn tables(&self) -> (&EffectTable, &EffectTable) {
        let training = self.first_truth() == Some(Truth::Training);
        (if training { &self.training } else { &self.held_out }, &self.predicted)
    }

    fn table(&self, predictor: Predictor) -> Option<&EffectTable> {
        match predictor {
            Predictor::Model => Some(&self.predicted),
            Predictor::Baseline(kind) => {
                self.baselines.iter().find(|baseline| baseline.kind == kind).map(|baseline| &baseline.effects)
            }
        }
    }

    fn truth_of(&self, name: &str) -> Option<(Truth, &EffectTable, usize)> {
        let held_out = self.held_out.find(name).map(|row| (Truth::HeldOut, &self.held_out, row));
        held_out.or_else(|| self.training.find(name).map(|row| (Truth::Training, &self.training, row)))
    }

    /// The rows whose truth is `truth`.
    fn truth_rows(&self, perturbations: &[TrainedPerturbation], truth: Truth) -> EffectTable {
        let mut rows = EffectTable { genes: self.genes.clone(), ..EffectTable::default() };
        for name in perturbations.iter().map(TrainedPerturbation::name) {
            if let Some((found, table, row)) = self.truth_of(&name)
                && found == truth
            {
                rows.cells.push(table.cells.get(row).copied().unwrap_or(0));
                rows.shifts.extend_from_slice(table.row(row));
                rows.perturbations.push(name);
            }
        }
        rows
    }

    /// A predictor's answers that can be held against `truth`.
    fn answers(&self, who: Predictor, truth: Truth) -> Option<&EffectTable> {
        // Against the training cells it would be the truth itself.
        self.table(who).filter(|_| !(who.is_the_measurement() && truth == Truth::Training))
    }
}

fn short(fit: &PerturbationFit) -> Fit {
    Fit { r: fit.pearson, r_squared: fit.r_squared, error: fit.mean_absolute_error }
}

/// `table` with its columns in the order of `genes`; a gene it lacks has no shift that is a number.
fn in_order(table: &EffectTable, genes: &[String]) -> EffectTable {
    if table.genes == genes || table.perturbations.is_empty() {
        return EffectTable { genes: genes.to_vec(), ..table.clone() };
    }
    let columns: HashMap<&str, usize> = table.genes.iter().enumerate().map(|(at, gene)| (gene.as_str(), at)).collect();
    let mut shifts = Vec::with_capacity(genes.len() * table.perturbations.len());
    for row in 0..table.perturbations.len() {
        let row = table.row(row);
        shifts.extend(genes.iter().map(|gene| columns.get(gene.as_str()).map_or(f32::NAN, |&column| row[column])));
    }
    EffectTable { genes: genes.to_vec(), shifts, ..table.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;

    fn table(rows: &[(&str, u32, [f32; 4])]) -> EffectTable {
        EffectTable {
            perturbations: rows.iter().map(|row| row.0.to_owned()).collect(),
            genes: ["A", "X", "Y", "Z"].map(str::to_owned).to_vec(),
            cells: rows.iter().map(|row| row.1).collect(),
            shifts: rows.iter().flat_map(|row| row.2).collect(),
        }
    }

    fn seen(name: &str, training_cells: u32, test_cells: u32) -> TrainedPerturbation {
        let targets = name.split('+').map(str::to_owned).collect();
        TrainedPerturbation { targets, training_cells, test_cells, ..TrainedPerturbation::default() }
    }

    fn example() -> Comparison {
        let held_out = table(&[("A", 12, [-9.0, 1.0, 2.0, 3.0]), ("C", 5, [0.0, 1.0, 0.0, -1.0])]);
        let training = table(&[("A", 80, [-9.0, 1.0, 2.0, 4.0]), ("B", 60, [0.0, 3.0, 0.0, 0.0])]);
        let predicted =
            table(&[("A", 0, [9.0, 2.0, 4.0, 6.0]), ("B", 0, [0.0, 3.0, 0.0, 0.0]), ("C", 0, [0.0, 1.0, 0.0, -1.0])]);
        let card = [
            seen("A", 80, 12),
            seen("B", 60, 0),
            TrainedPerturbation { held_out: true, ..seen("C", 0, 5) },
            seen("D", 9, 0),
        ];
        Comparison::new(&card, &held_out, TrainingShifts::without_errors(&training), &predicted, &Silent).unwrap()
    }

    #[test]
    fn truth_is_held_out_where_there_is_any_and_says_so() {
        let comparison = example();
        let truths: Vec<_> = comparison.perturbations.iter().map(|p| (p.name.as_str(), p.truth, p.cells)).collect();
        assert_eq!(truths, [("A", Truth::HeldOut, 12), ("B", Truth::Training, 60), ("C", Truth::HeldOut, 5)]);
        assert_eq!(comparison.perturbations[2].novelty, Novelty::HeldOut { cells: 5 });
        assert_eq!(
            comparison.totals.iter().map(|total| total.truth).collect::<Vec<_>>(),
            [Truth::HeldOut, Truth::Training]
        );
    }

    const SAME: Predictor = Predictor::Baseline(BaselineKind::SamePerturbation);
    const MEAN: Predictor = Predictor::Baseline(BaselineKind::TrainingMean);

    #[test]
    fn baselines_are_left_out_where_they_would_be_the_truth_or_have_no_answer() {
        let comparison = example();
        let has = |name: &str, who| comparison.find(name).unwrap().fit(who).is_some();
        assert!(has("A", SAME));
        assert!(!has("B", SAME), "the truth itself");
        assert!(!has("C", SAME), "never seen in training");
        assert!(has("C", MEAN) && has("B", Predictor::Baseline(BaselineKind::NoChange)));
        assert!(!has("A", Predictor::Baseline(BaselineKind::Additive)), "for combinations alone");
        let of = |total: &Total| total.metrics.iter().map(|(who, _)| *who).collect::<Vec<_>>();
        assert!(of(&comparison.totals[0]).contains(&SAME) && !of(&comparison.totals[1]).contains(&SAME));
        assert_eq!(comparison.totals[0].of(SAME).unwrap().perturbations, 1);
        assert_eq!(comparison.totals[0].of(Predictor::Model).unwrap().perturbations, 2);
    }

    #[test]
    fn a_combination_has_the_baselines_that_are_made_for_it() {
        let held_out = table(&[("A+B", 12, [-9.0, 1.0, 5.0, 3.0])]);
        let training = table(&[("A", 80, [-9.0, 1.0, 2.0, 4.0]), ("B", 60, [0.0, 0.0, 3.0, -1.0])]);
        let predicted = table(&[("A+B", 0, [9.0, 2.0, 4.0, 6.0])]);
        let comparison = Comparison::new(
            &[seen("A+B", 0, 12)],
            &held_out,
            TrainingShifts::without_errors(&training),
            &predicted,
            &Silent,
        )
        .unwrap();
        let both = comparison.find("A+B").unwrap();
        let additive = Predictor::Baseline(BaselineKind::Additive);
        assert_eq!(comparison.predicted(additive, "A+B").unwrap(), [-9.0, 1.0, 5.0, 3.0]);
        assert_eq!(both.beaten_by(), Some(additive));
        assert!(both.fit(Predictor::Baseline(BaselineKind::MatchingMean)).is_some());
    }

    #[test]
    fn a_baseline_that_fits_better_is_named() {
        let comparison = example();
        let a = comparison.find("A").unwrap();
        // The model is perfectly correlated but twice too large; the training mean is nearly right. Gene A is left out.
        assert!((a.fit(Predictor::Model).unwrap().r.unwrap() - 1.0).abs() < 1e-9);
        assert!((a.fit(Predictor::Model).unwrap().r_squared.unwrap() - (1.0 - 14.0 / 2.0)).abs() < 1e-9);
        assert!((a.fit(SAME).unwrap().r_squared.unwrap() - 0.5).abs() < 1e-9);
        assert_eq!(a.best_baseline(), Some((SAME, a.fit(SAME).unwrap().r_squared.unwrap())));
        assert_eq!(a.beaten_by(), Some(SAME));
        assert_eq!(comparison.find("C").unwrap().beaten_by(), None);
    }

    #[test]
    fn the_training_mean_counts_each_perturbation_once() {
        let comparison = example();
        assert_eq!(comparison.predicted(MEAN, "C").unwrap(), [-4.5, 2.0, 1.0, 2.0]);
        assert_eq!(comparison.predicted(SAME, "C"), None);
    }

    #[test]
    fn columns_are_matched_by_gene() {
        let mut held_out = table(&[("B", 7, [1.0, 2.0, 3.0, 4.0])]);
        held_out.genes.reverse();
        let predicted = table(&[("B", 0, [4.0, 3.0, 2.0, 1.0])]);
        let comparison = Comparison::new(
            &[seen("B", 0, 7)],
            &held_out,
            TrainingShifts::without_errors(&EffectTable::default()),
            &predicted,
            &Silent,
        )
        .unwrap();
        assert_eq!(comparison.observed("B").unwrap().2, [4.0, 3.0, 2.0, 1.0]);
        assert_eq!(comparison.perturbations[0].fit(Predictor::Model).unwrap().r_squared, Some(1.0));
        assert_eq!(comparison.predicted(MEAN, "B"), None);
    }
}
