//! A trained model: its card, its network, its answers.

mod cells;
mod ensemble;
mod file;
mod signed;
mod transfer;

pub use cells::GeneratedCells;
pub use ensemble::{MergeError, merge};
pub use file::FORMAT as MODEL_FORMAT;
pub use signed::signed_network;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use thiserror::Error;

use super::baselines::TrainingShifts;
use super::gpo_vae::{GpoVae, Predictor, Unseen};
use super::{AskedCells, Intervention, ModelCard, Novelty, PredictedEffect, Spread, TrainedPerturbation};
use crate::data::{EffectTable, nearest};
use crate::jobs::{Cancelled, Progress};
use crate::network::Grn;
use crate::preprocess::Split;
use ensemble::Moments;
use transfer::{Source, Transfer, without_own};

/// More edges than anybody looks at; a dense network of 600 genes has 360,000.
const MOST_EDGES: usize = 200_000;
/// Kinds of cells that are told apart under a combination of genes: of six genes, some cells escaped each. Of more, an average cell is taken.
const MOST_KINDS: usize = 64;
/// A share of responding cells counts for at least this much where something is divided by it.
const LEAST_SHARE: f32 = 0.05;

/// Why a model file cannot be opened or written.
#[derive(Debug, Error)]
pub enum ModelError {
    /// The operating system said no.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is not a model of ours.
    #[error("{reason}")]
    NotAModel {
        /// What was found instead.
        reason: String,
    },
    /// Arithmetic failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// Why a question cannot be answered.
#[derive(Debug, Error)]
pub enum PredictError {
    /// The gene is no node of this model's network.
    #[error("{gene} is not among the {count} genes this model can perturb{}", hint(.nearest))]
    UnknownGene {
        /// What was asked for.
        gene: String,
        /// Number of genes that can be perturbed.
        count: usize,
        /// The most similar names.
        nearest: Vec<String>,
    },
    /// Nothing was asked.
    #[error("no gene was named; name at least one to perturb")]
    NoGene,
    /// A dose that is no number.
    #[error("the dose of {gene} is not a number")]
    Dose {
        /// The gene.
        gene: String,
    },
    /// The user cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Arithmetic failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

fn hint(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", nearest.join(", ")) }
}

/// What was measured in the training data set, kept with the model so that it opens without the data.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Shifts over the training cells.
    pub training: EffectTable,
    /// The same shrunk by their errors, see [`crate::preprocess::shrinkage`]; without rows in models of earlier versions.
    pub shrunken: EffectTable,
    /// For each entry of `training`: adjusted p < 0.05 (Wilcoxon, Benjamini–Hochberg within the perturbation).
    pub significant: Vec<bool>,
    /// Shifts over test cells, against test controls.
    pub held_out: EffectTable,
    /// Library sizes of control cells.
    pub control_libraries: Vec<f32>,
    /// For each treatment of the card: by how much the library sizes of training cells that were perturbed in it alone differ from
    /// those of control cells (difference of the mean ln, shrunk by its error); 0 where there are none. Empty in models of earlier versions.
    pub library_shifts: Vec<f32>,
    /// Per cell of the data set: 0 not used, 1 training, 2 validation, 3 test.
    pub split: Vec<u8>,
    /// False discovery rate of every edge against shuffled labels, T × T, row = regulator; NaN for edges that were not tested. None
    /// where nothing was tested, as in models of earlier versions.
    pub false_discovery_rates: Option<Vec<f32>>,
}

/// A trained model, or an ensemble of several: opens without its data set. Cheap to share in an `Arc`, safe to use from
/// several threads.
pub struct TrainedModel {
    card: ModelCard,
    /// One, or the members of an ensemble.
    members: Vec<Member>,
    observed: Observed,
    predicted: EffectTable,
    /// Standard deviation over the members of each entry of `predicted`; empty for a single model.
    spread: Vec<f32>,
    network: Arc<Grn>,
    /// What seen perturbations say of others, once it was asked for.
    transfer: OnceLock<Transfer>,
}

/// The parameters of one training run, and the draws of its answers.
struct Member {
    model: GpoVae,
    predictor: OnceLock<Predictor>,
    /// What perturbed genes lend to others, once it was asked for.
    lent: OnceLock<Lent>,
}

/// What perturbed genes do to the means of genes, see [`Predictor::effect_on_means`].
struct Lent {
    /// Sources × genes, without what they do to themselves.
    rows: Vec<f32>,
    /// The mean of that.
    own: Option<f32>,
}

impl TrainedModel {
    /// Put a model together after training: predicts every perturbation of the screen and signs the network.
    pub fn assemble(
        card: ModelCard,
        model: GpoVae,
        observed: Observed,
        progress: &dyn Progress,
    ) -> Result<Self, PredictError> {
        let predicted = EffectTable {
            perturbations: card.perturbations.iter().map(TrainedPerturbation::name).collect(),
            genes: card.genes.clone(),
            cells: vec![0; card.perturbations.len()],
            shifts: vec![0.0; card.perturbations.len() * card.genes.len()],
        };
        let mut model = Self::unsigned(card, vec![Member::new(model)], observed, predicted, Vec::new());
        // What was not seen follows from what was.
        let (unseen, seen): (Vec<usize>, Vec<usize>) =
            (0..model.card.perturbations.len()).partition(|&row| model.rests_on_others(row));
        model.predict_rows(&[seen, unseen].concat(), progress)?;
        progress.check()?;
        model.signed()
    }

    fn unsigned(
        card: ModelCard,
        members: Vec<Member>,
        observed: Observed,
        predicted: EffectTable,
        spread: Vec<f32>,
    ) -> Self {
        let (network, transfer) = (Arc::default(), OnceLock::new());
        Self { card, members, observed, predicted, spread, network, transfer }
    }

    /// Of parts that are complete: with its network, signed.
    fn signed(mut self) -> Result<Self, PredictError> {
        let logits = self.networks().map(GpoVae::mask_logits).collect::<Result<Vec<_>, _>>()?;
        self.network = Arc::new(signed_network(&self.card, &logits, &self.observed, &self.predicted, MOST_EDGES));
        Ok(self)
    }

    /// Predict some perturbations of the screen (positions in the card).
    fn predict_rows(&mut self, rows: &[usize], progress: &dyn Progress) -> Result<(), PredictError> {
        let genes = self.card.genes.len();
        for (at, &row) in rows.iter().enumerate() {
            progress.stage("Predicting the response to every perturbation", Some(at as f32 / rows.len() as f32));
            progress.check()?;
            let question = Intervention::knock_out(self.card.perturbations[row].targets.iter().cloned());
            let mut shifts = Moments::default();
            self.shifts_by_member(&question, progress)?.iter().for_each(|own| shifts.add(own));
            self.predicted.shifts[row * genes..][..genes].copy_from_slice(&shifts.means());
            if let Some(deviations) = shifts.standard_deviations() {
                self.spread[row * genes..][..genes].copy_from_slice(&deviations);
            }
        }
        Ok(())
    }

    /// Whether the prediction of a perturbation of the screen (position in the card) rests on what others say of its targets.
    fn rests_on_others(&self, row: usize) -> bool {
        let mut targets = self.card.perturbations[row].targets.iter();
        targets.any(|gene| self.treatment(gene).is_none_or(|treatment| !self.is_learned(treatment)))
    }

    fn treatment(&self, gene: &str) -> Option<usize> {
        self.card.treatments.iter().position(|treatment| treatment.symbol == gene)
    }

    /// Whether the answer for a treatment is that of its own parameters.
    fn is_learned(&self, treatment: usize) -> bool {
        let symbol = &self.card.treatments[treatment].symbol;
        let taught = |shown: &TrainedPerturbation| shown.was_seen() && shown.targets.contains(symbol);
        self.card.settings.model.unseen == Unseen::Learned || self.card.perturbations.iter().any(taught)
    }

    /// What the perturbations that were seen say of other genes.
    fn transfer(&self) -> &Transfer {
        if let Some(known) = self.transfer.get() {
            return known;
        }
        let (mut sources, mut predicted, mut measured) = (Vec::new(), Vec::new(), Vec::new());
        for (row, shown) in self.card.perturbations.iter().enumerate().filter(|(_, shown)| shown.was_seen()) {
            let [target] = &shown.targets[..] else { continue };
            if let (Some(treatment), Some(at)) = (self.treatment(target), self.observed.training.find(target)) {
                sources.push(Source { treatment, column: self.column(target) });
                predicted.extend_from_slice(self.predicted.row(row));
                measured.extend_from_slice(self.observed.training.row(at));
            }
        }
        // Not within `get_or_init`: it computes on all threads, of which one may be asked the same meanwhile.
        let new = Transfer::fit(sources, self.card.genes.len(), predicted, &measured);
        self.transfer.get_or_init(|| new)
    }

    /// The column of a gene that is measured.
    fn column(&self, gene: &str) -> Option<usize> {
        let treatment = self.treatment(gene).map(|at| self.card.treatments[at].column.map(|column| column as usize));
        treatment.unwrap_or_else(|| self.card.genes.iter().position(|known| known == gene))
    }

    /// Read `NAME.safetensors`.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        file::from_bytes(&std::fs::read(path)?)
    }

    /// Read a model from memory, such as the bundled sample.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        file::from_bytes(bytes)
    }

    /// Write atomically: the file is whole or not there.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        file::save(self, path)
    }

    /// The bytes that [`TrainedModel::save`] writes: the same for the same model.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        file::to_bytes(self)
    }

    /// What the file says about itself.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The learned network with signs: all treatments, the best edges (at most 200,000), self-edges left out.
    pub fn network(&self) -> &Arc<Grn> {
        &self.network
    }

    /// Measured shifts over the training cells of each perturbation.
    pub fn observed_in_training(&self) -> &EffectTable {
        &self.observed.training
    }

    /// The same, with what they are when shrunk by their errors: what baselines are fit on.
    pub fn training_shifts(&self) -> TrainingShifts<'_> {
        let shrunken = Some(&self.observed.shrunken).filter(|table| !table.perturbations.is_empty());
        TrainingShifts { measured: &self.observed.training, shrunken }
    }

    /// For each entry of [`TrainedModel::observed_in_training`]: adjusted p < 0.05.
    pub fn significant_in_training(&self) -> &[bool] {
        &self.observed.significant
    }

    /// Measured shifts over cells never used in training (test), against test controls. Empty when there are none.
    pub fn observed_held_out(&self) -> &EffectTable {
        &self.observed.held_out
    }

    /// False discovery rate of every edge against shuffled labels, T × T, row = regulator; NaN for those that were not tested. None
    /// where nothing was tested, as in models of earlier versions.
    pub fn false_discovery_rates(&self) -> Option<&[f32]> {
        self.observed.false_discovery_rates.as_deref()
    }

    /// Predicted shifts of every perturbation of the screen, same genes.
    pub fn predicted(&self) -> &EffectTable {
        &self.predicted
    }

    /// Whether a network known beforehand was the prior of its mask, and its file does not tell it: those of earlier versions do not.
    pub fn lacks_prior(&self) -> bool {
        let as_prior = self.card.settings.prior_network.as_ref().is_some_and(|network| network.as_prior);
        as_prior && self.members.iter().any(|member| member.model.mask_prior().is_none())
    }

    /// Number of members of an ensemble; 1 for a single model.
    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    /// The networks of the members.
    pub(crate) fn networks(&self) -> impl Iterator<Item = &GpoVae> {
        self.members.iter().map(|member| &member.model)
    }

    /// What each row of the training data set was used for, by its row; those not used are left out. Valid only for a data set
    /// with the card's hash.
    pub fn used_cells(&self) -> impl Iterator<Item = (u32, Split)> {
        let split = |(row, split): (u32, &u8)| {
            Some((row, [Split::Training, Split::Validation, Split::Test][usize::from(split.checked_sub(1)?).min(2)]))
        };
        (0..).zip(&self.observed.split).filter_map(split)
    }

    /// How far the members of an ensemble are from each other in a row of [`TrainedModel::predicted`]; none for a single
    /// model.
    pub fn spread_of(&self, row: usize) -> Option<Spread> {
        let genes = self.predicted.genes.len();
        let of_genes = self.spread.get(row * genes..(row + 1) * genes).filter(|row| !row.is_empty())?.to_vec();
        Some(Spread { members: self.members.len(), of_genes })
    }

    fn spread(&self) -> Option<&[f32]> {
        (!self.spread.is_empty()).then_some(&self.spread)
    }

    /// Rows of the training data set never used in training, valid only for a data set with the card's hash.
    pub fn held_out_cells(&self) -> Vec<u32> {
        self.cells_in(3)
    }

    /// Rows of the training data set used for the gradient (likewise).
    pub fn training_cells(&self) -> Vec<u32> {
        self.cells_in(1)
    }

    fn cells_in(&self, wanted: u8) -> Vec<u32> {
        let cells = self.observed.split.iter().enumerate().filter(|(_, split)| **split == wanted);
        cells.map(|(cell, _)| cell as u32).collect()
    }

    /// Predict the response to `intervention`: of an ensemble the mean of its members' answers, and their spread. Takes well
    /// under a second for hundreds of genes; deterministic.
    pub fn predict(
        &self,
        intervention: &Intervention,
        progress: &dyn Progress,
    ) -> Result<PredictedEffect, PredictError> {
        let question = self.question(intervention)?;
        let borrows = !question.unseen.is_empty();
        let responding = self.responding_share(intervention.doses().iter().map(|(gene, _)| gene.as_str()));
        let (mut shifts, mut control) = (Moments::default(), Moments::default());
        for (member, own) in self.members.iter().zip(self.shifts_by_member(intervention, progress)?) {
            shifts.add(&own);
            progress.check()?;
            control.add(self.predictor(member)?.control());
        }
        Ok(PredictedEffect {
            name: intervention.name(),
            novelty: self.novelty(intervention),
            lenders: borrows.then(|| self.transfer().lenders()),
            extrapolated: intervention.doses().iter().any(|(_, dose)| !(0.0..=1.0).contains(dose)),
            responding: Some(responding).filter(|share| question.cells == AskedCells::Responding && *share < 1.0),
            spread: shifts.standard_deviations().map(|of_genes| Spread { members: self.members.len(), of_genes }),
            shifts: shifts.means(),
            control: control.means(),
        })
    }

    /// Each member's own answer to `intervention`, the shift of every gene; one list for a single model. Members answer from their
    /// own draws, so that a difference of two answers is told member by member.
    pub fn shifts_by_member(
        &self,
        intervention: &Intervention,
        progress: &dyn Progress,
    ) -> Result<Vec<Vec<f32>>, PredictError> {
        let question = self.question(intervention)?;
        let of = |member: &Member| {
            let predictor = self.predictor(member)?;
            progress.check()?;
            let lent = self.lent(member, &question, progress)?;
            let mut shifts = vec![0.0; self.card.genes.len()];
            for kind in self.kinds_of_cells(&question) {
                if kind.doses.is_empty() && lent.is_empty() {
                    continue;
                }
                let own = predictor.shifts(&member.model, &kind.doses, &lent, progress)?;
                progress.check()?;
                shifts.iter_mut().zip(own).for_each(|(shift, own)| *shift += kind.share * own);
            }
            let library = self.library_shift(&question);
            if library != 0.0 {
                let slopes = predictor.library_slopes(&member.model)?;
                shifts.iter_mut().zip(slopes).for_each(|(shift, slope)| *shift += library * slope);
            }
            Ok(shifts)
        };
        self.members.iter().map(of).collect()
    }

    /// Draw what [`TrainedModel::predict`] draws at the first question about these genes, so that it is answered at once. Genes that
    /// cannot be perturbed are left out.
    pub fn get_ready(&self, genes: &[String], progress: &dyn Progress) -> Result<(), PredictError> {
        for member in &self.members {
            let predictor = self.predictor(member)?;
            for gene in genes {
                progress.check()?;
                let Ok(question) = self.question(&Intervention::knock_out([gene])) else { continue };
                for (treatment, _) in &question.doses {
                    predictor.remember(&member.model, *treatment)?;
                }
                self.lent(member, &question, progress)?;
            }
        }
        Ok(())
    }

    fn predictor<'a>(&self, member: &'a Member) -> Result<&'a Predictor, PredictError> {
        if let Some(predictor) = member.predictor.get() {
            return Ok(predictor);
        }
        let new = Predictor::new(&member.model, &self.observed.control_libraries, self.card.settings.seed)?;
        Ok(member.predictor.get_or_init(|| new))
    }

    /// How far a question is from what the model was shown, whatever the doses.
    pub fn novelty(&self, intervention: &Intervention) -> Novelty {
        let targets: Vec<&String> = intervention.doses().iter().map(|(gene, _)| gene).collect();
        let same = |perturbation: &&TrainedPerturbation| perturbation.targets.iter().eq(targets.iter().copied());
        if let Some(found) = self.card.perturbations.iter().find(same) {
            let (training_cells, test_cells) = (found.training_cells, found.test_cells);
            return match found.held_out || training_cells == 0 {
                true => Novelty::HeldOut { cells: training_cells + found.validation_cells + test_cells },
                false => Novelty::Measured { training_cells, test_cells },
            };
        }
        let perturbed = |gene: &&String| {
            self.card.perturbations.iter().any(|shown| !shown.held_out && shown.targets.contains(gene))
        };
        if targets.iter().all(perturbed) { Novelty::NewCombination } else { Novelty::NeverPerturbed }
    }

    /// Whether the loss of `gene` can be asked about.
    pub fn can_perturb(&self, gene: &str) -> bool {
        let transferred = self.card.settings.model.unseen == Unseen::Transferred;
        self.treatment(gene).is_some() || (transferred && self.column(gene).is_some())
    }

    /// What a question is made of.
    fn question(&self, intervention: &Intervention) -> Result<Question, PredictError> {
        if intervention.doses().is_empty() {
            return Err(PredictError::NoGene);
        }
        let mut question = Question { cells: intervention.cells(), ..Question::default() };
        for (gene, dose) in intervention.doses() {
            if !dose.is_finite() {
                return Err(PredictError::Dose { gene: gene.clone() });
            }
            match self.treatment(gene) {
                Some(treatment) if self.is_learned(treatment) => question.doses.push((treatment, *dose)),
                _ if !self.can_perturb(gene) => return Err(self.unknown(gene)),
                _ => question.unseen.push((self.column(gene), *dose)),
            }
        }
        Ok(question)
    }

    /// The share of cells that respond to a treatment.
    fn responding(&self, treatment: usize) -> f32 {
        self.card.treatments[treatment].responding.unwrap_or(1.0)
    }

    /// The share of cells that respond to the loss of all of `genes`; 1 where none is known to escape.
    pub fn responding_share<'a>(&self, genes: impl IntoIterator<Item = &'a str>) -> f32 {
        genes.into_iter().filter_map(|gene| self.treatment(gene)).map(|treatment| self.responding(treatment)).product()
    }

    fn kinds_of_cells(&self, question: &Question) -> Vec<KindOfCells> {
        let responding = |treatment: usize| match question.cells {
            AskedCells::All => self.responding(treatment),
            AskedCells::Responding => 1.0,
        };
        kinds_of_cells(&question.doses, responding)
    }

    /// By how much library sizes differ from those of control cells, ln. What is measured is of all cells: those that respond differ by
    /// more, as those that escaped do not.
    fn library_shift(&self, question: &Question) -> f32 {
        if !self.card.settings.model.data_library {
            return 0.0;
        }
        let of = |treatment: usize| self.observed.library_shifts.get(treatment).copied().unwrap_or(0.0);
        let share = |treatment: usize| match question.cells {
            AskedCells::All => 1.0,
            AskedCells::Responding => self.responding(treatment).max(LEAST_SHARE),
        };
        let own = question.doses.iter().map(|&(treatment, dose)| dose * of(treatment) / share(treatment));
        let mut shift: f32 = own.sum();
        for (column, dose) in &question.unseen {
            let transfer = self.transfer();
            let weighted = transfer.sources().iter().zip(transfer.weights(*column));
            shift += dose * weighted.map(|(source, weight)| weight * of(source.treatment)).sum::<f32>();
        }
        shift
    }

    /// What genes that never were perturbed add to the decoder's output of every gene; empty if there are none.
    fn lent(&self, member: &Member, question: &Question, progress: &dyn Progress) -> Result<Vec<f32>, PredictError> {
        if question.unseen.is_empty() {
            return Ok(Vec::new());
        }
        let genes = self.card.genes.len();
        let (transfer, lent) = (self.transfer(), self.lent_by(member, progress)?);
        let mut sum = vec![0.0; genes];
        for &(column, dose) in &question.unseen {
            for (row, weight) in lent.rows.chunks_exact(genes.max(1)).zip(transfer.weights(column)) {
                sum.iter_mut().zip(row).enumerate().filter(|(gene, _)| Some(*gene) != column).for_each(
                    |(_, (sum, effect))| {
                        *sum += dose * weight * effect;
                    },
                );
            }
            // Its own loss is that of the others.
            if let (Some(column), Some(own)) = (column, lent.own) {
                sum[column] += dose * own;
            }
        }
        Ok(sum)
    }

    /// What perturbed genes do, by this member: worked out at the first question.
    fn lent_by<'a>(&self, member: &'a Member, progress: &dyn Progress) -> Result<&'a Lent, PredictError> {
        if let Some(known) = member.lent.get() {
            return Ok(known);
        }
        let predictor = self.predictor(member)?;
        let sources = self.transfer().sources();
        let mut rows = Vec::with_capacity(sources.len() * self.card.genes.len());
        for (at, source) in sources.iter().enumerate() {
            progress.stage("Looking at what perturbed genes do", Some(at as f32 / sources.len() as f32));
            progress.check()?;
            // An average cell's, of those that respond and those that do not.
            let share = self.responding(source.treatment);
            let effect = predictor.effect_on_means(&member.model, source.treatment)?;
            rows.extend(effect.into_iter().map(|effect| share * effect));
        }
        let own = without_own(&mut rows, self.card.genes.len(), sources);
        Ok(member.lent.get_or_init(|| Lent { rows, own }))
    }

    fn unknown(&self, gene: &str) -> PredictError {
        let transferred = self.card.settings.model.unseen == Unseen::Transferred;
        let treatments = self.card.treatments.iter().map(|treatment| &treatment.symbol);
        let known: BTreeSet<&String> = treatments.chain(self.card.genes.iter().filter(|_| transferred)).collect();
        let nearest = nearest(gene, known.iter().map(|name| name.as_str()), 3).into_iter().map(str::to_owned).collect();
        PredictError::UnknownGene { gene: gene.to_owned(), count: known.len(), nearest }
    }
}

/// What is asked, in parameters of the model.
#[derive(Default)]
struct Question {
    /// Treatments (positions) that were learned, and their doses.
    doses: Vec<(usize, f32)>,
    /// Columns of genes that never were perturbed, where they are measured, and their doses.
    unseen: Vec<(Option<usize>, f32)>,
    cells: AskedCells,
}

/// Cells that respond to the same treatments.
#[derive(Clone, Debug, PartialEq)]
struct KindOfCells {
    share: f32,
    doses: Vec<(usize, f32)>,
}

/// The cells that doses of treatments make, to each of which a share of cells is `responding`: first those that respond to all, then those
/// that escaped one or the other, independently of each other. The shares sum up to 1.
fn kinds_of_cells(doses: &[(usize, f32)], responding: impl Fn(usize) -> f32) -> Vec<KindOfCells> {
    let mut kinds = vec![KindOfCells { share: 1.0, doses: Vec::new() }];
    for &(treatment, dose) in doses {
        let share = responding(treatment);
        let told = share < 1.0 && kinds.len() < MOST_KINDS;
        let escaped: Vec<KindOfCells> = kinds.iter().filter(|_| told).cloned().collect();
        for kind in &mut kinds {
            kind.doses.push((treatment, if told { dose } else { share * dose }));
        }
        if told {
            kinds.iter_mut().for_each(|kind| kind.share *= share);
            kinds.extend(escaped.into_iter().map(|kind| KindOfCells { share: (1.0 - share) * kind.share, ..kind }));
        }
    }
    kinds
}

impl Novelty {
    /// `measured`, `held out`, `new combination`, `never perturbed`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Measured { .. } => "measured",
            Self::HeldOut { .. } => "held out",
            Self::NewCombination => "new combination",
            Self::NeverPerturbed => "never perturbed",
        }
    }
}

impl std::fmt::Debug for TrainedModel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TrainedModel").field("dataset", &self.card.dataset).finish_non_exhaustive()
    }
}

const _: () = {
    const fn shared_between_threads<T: Send + Sync>() {}
    shared_between_threads::<TrainedModel>();
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_escape_each_treatment_on_their_own() {
        let share = |treatment: usize| [0.75, 1.0, 0.5][treatment];
        let kind = |share: f32, doses: &[(usize, f32)]| KindOfCells { share, doses: doses.to_vec() };
        assert_eq!(kinds_of_cells(&[], share), [kind(1.0, &[])]);
        assert_eq!(kinds_of_cells(&[(1, 0.4)], share), [kind(1.0, &[(1, 0.4)])]);
        assert_eq!(kinds_of_cells(&[(0, 0.4)], share), [kind(0.75, &[(0, 0.4)]), kind(0.25, &[])]);
        let both = [
            kind(0.375, &[(0, 1.0), (1, 2.0), (2, 1.0)]),
            kind(0.125, &[(1, 2.0), (2, 1.0)]),
            kind(0.375, &[(0, 1.0), (1, 2.0)]),
            kind(0.125, &[(1, 2.0)]),
        ];
        assert_eq!(kinds_of_cells(&[(0, 1.0), (1, 2.0), (2, 1.0)], share), both);
        // Of many genes not all kinds are told apart, but none is lost.
        let many: Vec<(usize, f32)> = (0..9).map(|treatment| (treatment, 1.0)).collect();
        let kinds = kinds_of_cells(&many, |_| 0.5);
        assert_eq!(kinds.len(), MOST_KINDS);
        assert!((kinds.iter().map(|kind| kind.share).sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(kinds[0].doses[5..8], [(5, 1.0), (6, 0.5), (7, 0.5)]);
    }
}
