//! Predicted against measured shifts of every perturbation, with the references that a model has to beat.
//!
//! The truth of a perturbation is its held-out (test) cells; where it has none, its training cells, and then its fit is
//! an optimistic one. The two are never mixed in one number.

use std::collections::HashMap;

use crate::data::EffectTable;
use crate::evaluation::effects::{self, EffectMetrics, EffectOptions, PerturbationFit};
use crate::models::{Novelty, TrainedPerturbation};
use crate::tasks::badges::novelty;

/// Which cells a measured shift rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// Cells never used in training.
    HeldOut,
    /// Cells the model was trained on: a fit to them says little.
    Training,
}

impl Truth {
    /// For a sentence: `held-out cells`.
    pub fn label(self) -> &'static str {
        match self {
            Self::HeldOut => "held-out cells",
            Self::Training => "training cells",
        }
    }
}

/// Who predicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Predictor {
    /// The model.
    #[default]
    Model,
    /// The mean shift of the same perturbation's training cells.
    SameMean,
    /// The mean shift over all perturbations' training cells.
    OverallMean,
    /// No gene changes.
    NoChange,
}

impl Predictor {
    /// All, the model first.
    pub const ALL: [Self; 4] = [Self::Model, Self::SameMean, Self::OverallMean, Self::NoChange];

    /// Its name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Model => "Model",
            Self::SameMean => "Same perturbation's training mean",
            Self::OverallMean => "Mean of all perturbations",
            Self::NoChange => "No change",
        }
    }

    /// Its name where there is little room.
    pub fn short(self) -> &'static str {
        match self {
            Self::Model => "Model",
            Self::SameMean => "Training mean",
            Self::OverallMean => "Overall mean",
            Self::NoChange => "No change",
        }
    }

    /// What it is, for people.
    pub fn definition(self) -> &'static str {
        match self {
            Self::Model => "Shifts predicted by the trained model",
            Self::SameMean => {
                "Mean shift of this perturbation's own training cells: where every perturbation was seen in training, \
                 this is the answer to beat"
            }
            Self::OverallMean => {
                "Mean over perturbations of their training cells' shifts: the same answer to every question"
            }
            Self::NoChange => "Every shift is zero, as if perturbed cells were control cells",
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
    /// One per [`Predictor::ALL`]; none where that predictor has no answer or would be the truth itself.
    pub fits: [Option<Fit>; 4],
}

impl ComparedPerturbation {
    /// The fit of `predictor`.
    pub fn fit(&self, predictor: Predictor) -> Option<Fit> {
        self.fits[predictor as usize]
    }

    /// The reference with the highest R², if it is at least as high as the model's: a model that does not beat it has
    /// not been worth training for this perturbation.
    pub fn beaten_by(&self) -> Option<Predictor> {
        let model = self.fit(Predictor::Model)?.r_squared?;
        let references = Predictor::ALL[1..].iter().filter_map(|&who| Some((self.fit(who)?.r_squared?, who)));
        let (best, who) = references.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (best >= model).then_some(who)
    }
}

/// All perturbations against one kind of truth together.
#[derive(Clone, Debug, PartialEq)]
pub struct Total {
    /// Which truth.
    pub truth: Truth,
    /// One per [`Predictor::ALL`]; none where that predictor has no answer.
    pub metrics: [Option<EffectMetrics>; 4],
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
    overall: Vec<f32>,
}

impl Comparison {
    /// Compare `predicted` with the held-out shifts, and with those of the training cells where there are no others.
    /// Genes follow the table of predictions; the other tables are brought into its order.
    pub fn new(
        perturbations: &[TrainedPerturbation],
        held_out: &EffectTable,
        training: &EffectTable,
        predicted: &EffectTable,
    ) -> Self {
        let genes = predicted.genes.clone();
        let held_out = in_order(held_out, &genes);
        let training = in_order(training, &genes);
        let overall = mean_row(&training);
        let mut result = Self { genes, held_out, training, predicted: predicted.clone(), overall, ..Self::default() };
        let mut fits: HashMap<(String, Truth), [Option<Fit>; 4]> = HashMap::new();
        for truth in [Truth::HeldOut, Truth::Training] {
            let observed = result.truth_rows(perturbations, truth);
            if observed.perturbations.is_empty() {
                continue;
            }
            let metrics = Predictor::ALL.map(|who| {
                let table = result.answers(who, truth, &observed)?;
                let compared = effects::compare(&table, &observed, EffectOptions::default());
                for fit in &compared.per_perturbation {
                    let fits = fits.entry((fit.perturbation.clone(), truth)).or_default();
                    fits[who as usize] = Some(short(fit));
                }
                (compared.overall.perturbations > 0).then_some(compared.overall)
            });
            result.totals.push(Total { truth, metrics });
        }
        let perturbations = perturbations.iter().filter_map(|perturbation| {
            let name = perturbation.name();
            let (truth, table, row) = result.truth_of(&name)?;
            Some(ComparedPerturbation {
                truth,
                cells: table.cells.get(row).copied().unwrap_or(0),
                novelty: novelty(perturbation),
                fits: fits.get(&(name.clone(), truth)).copied().unwrap_or_default(),
                name,
            })
        });
        result.perturbations = perturbations.collect();
        result
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
    pub fn predicted(&self, predictor: Predictor, name: &str) -> Option<Vec<f32>> {
        let row = |table: &EffectTable| table.find(name).map(|row| table.row(row).to_vec());
        match predictor {
            Predictor::Model => row(&self.predicted),
            Predictor::SameMean => row(&self.training),
            Predictor::OverallMean => (!self.overall.is_empty()).then(|| self.overall.clone()),
            Predictor::NoChange => Some(vec![0.0; self.genes.len()]),
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

    /// A predictor's answers for all rows of `observed`.
    fn answers(&self, who: Predictor, truth: Truth, observed: &EffectTable) -> Option<EffectTable> {
        let constant =
            |row: &[f32]| EffectTable { shifts: row.repeat(observed.perturbations.len()), ..observed.clone() };
        match who {
            Predictor::Model => Some(self.predicted.clone()),
            // Against the training cells it would be the truth itself.
            Predictor::SameMean => (truth == Truth::HeldOut).then(|| self.training.clone()),
            Predictor::OverallMean => (!self.overall.is_empty()).then(|| constant(&self.overall)),
            Predictor::NoChange => Some(constant(&vec![0.0; self.genes.len()])),
        }
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

/// Mean over the rows, each perturbation counting once; empty without rows.
fn mean_row(table: &EffectTable) -> Vec<f32> {
    let rows = table.perturbations.len();
    if rows == 0 {
        return Vec::new();
    }
    let mut mean = vec![0f64; table.genes.len()];
    for row in 0..rows {
        mean.iter_mut().zip(table.row(row)).for_each(|(mean, shift)| *mean += f64::from(*shift));
    }
    mean.iter().map(|sum| (sum / rows as f64) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        Comparison::new(&card, &held_out, &training, &predicted)
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

    #[test]
    fn references_are_left_out_where_they_would_be_the_truth_or_have_no_answer() {
        let comparison = example();
        let has = |name: &str, who| comparison.find(name).unwrap().fit(who).is_some();
        assert!(has("A", Predictor::SameMean));
        assert!(!has("B", Predictor::SameMean), "the truth itself");
        assert!(!has("C", Predictor::SameMean), "never seen in training");
        assert!(has("C", Predictor::OverallMean) && has("B", Predictor::NoChange));
    }

    #[test]
    fn a_reference_that_fits_better_is_named() {
        let comparison = example();
        let a = comparison.find("A").unwrap();
        // The model is perfectly correlated but twice too large; the training mean is nearly right. Gene A is left out.
        assert!((a.fit(Predictor::Model).unwrap().r.unwrap() - 1.0).abs() < 1e-9);
        assert!((a.fit(Predictor::Model).unwrap().r_squared.unwrap() - (1.0 - 14.0 / 2.0)).abs() < 1e-9);
        assert!((a.fit(Predictor::SameMean).unwrap().r_squared.unwrap() - 0.5).abs() < 1e-9);
        assert_eq!(a.beaten_by(), Some(Predictor::SameMean));
        assert_eq!(comparison.find("C").unwrap().beaten_by(), None);
    }

    #[test]
    fn the_overall_mean_counts_each_perturbation_once() {
        let comparison = example();
        assert_eq!(comparison.predicted(Predictor::OverallMean, "C").unwrap(), [-4.5, 2.0, 1.0, 2.0]);
        assert_eq!(comparison.predicted(Predictor::SameMean, "C"), None);
    }

    #[test]
    fn columns_are_matched_by_gene() {
        let mut held_out = table(&[("B", 7, [1.0, 2.0, 3.0, 4.0])]);
        held_out.genes.reverse();
        let predicted = table(&[("B", 0, [4.0, 3.0, 2.0, 1.0])]);
        let comparison = Comparison::new(&[seen("B", 0, 7)], &held_out, &EffectTable::default(), &predicted);
        assert_eq!(comparison.observed("B").unwrap().2, [4.0, 3.0, 2.0, 1.0]);
        assert_eq!(comparison.perturbations[0].fit(Predictor::Model).unwrap().r_squared, Some(1.0));
        assert_eq!(comparison.predicted(Predictor::OverallMean, "B"), None);
    }
}
