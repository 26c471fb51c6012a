//! The file of a model: safetensors, its card as JSON in the metadata.
//!
//! Nothing in it depends on the clock or the machine: the same model gives the same bytes.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::{Member, ModelError, Observed, TrainedModel};
use crate::data::EffectTable;
use crate::models::gpo_vae::{GpoVae, Sizes};
use crate::models::nn::parameters::Source;
use crate::models::tensor_file::{self, Entry};
use crate::models::{ModelCard, ModelKind};

/// Version of the layout of a single model; raised when older programs could not read the file.
pub const FORMAT: u32 = 1;
/// Version of the layout of an ensemble.
pub(super) const ENSEMBLE: u32 = 2;
const CARD: &str = "grn-explorer";
/// Prior probabilities of single edges; absent where all have that of the settings, and in files of earlier versions.
const PRIOR: &str = "mask_prior";
/// Absent in files of earlier versions.
const SHRUNKEN: &str = "observed.training_shrunken";
const LIBRARY_SHIFTS: &str = "treatments.library_shifts";
/// Absent where edges were not tested against shuffled labels, and in files of earlier versions.
const RATES: &str = "edges.false_discovery_rates";

pub(super) fn to_bytes(model: &TrainedModel) -> Result<Vec<u8>, ModelError> {
    let genes = model.card.genes.len();
    let mut entries = Vec::new();
    for (at, member) in model.members.iter().enumerate() {
        let prefix = prefix(&model.card, at);
        for (name, var) in member.model.parameters().iter() {
            let values: Vec<f32> = var.flatten_all()?.to_vec1()?;
            entries.push(Entry::f32(&format!("{prefix}{name}"), var.dims(), &values));
        }
    }
    // Members share it.
    if let Some(prior) = model.members.first().and_then(|member| member.model.mask_prior()) {
        let treatments = model.card.treatments.len();
        entries.push(Entry::f32(PRIOR, &[treatments, treatments], prior));
    }
    let mut table = |name: &str, table: &EffectTable| {
        entries.push(Entry::f32(&format!("{name}.shifts"), &[table.perturbations.len(), genes], &table.shifts));
    };
    let observed = &model.observed;
    table("observed.training", &observed.training);
    if !observed.shrunken.perturbations.is_empty() {
        table(SHRUNKEN, &observed.shrunken);
    }
    table("observed.held_out", &observed.held_out);
    table("predicted", &model.predicted);
    if let Some(spread) = model.spread() {
        let shape = [model.predicted.perturbations.len(), genes];
        entries.push(Entry::f32("predicted.spread", &shape, spread));
    }
    if let Some(rates) = &observed.false_discovery_rates {
        let treatments = model.card.treatments.len();
        entries.push(Entry::f32(RATES, &[treatments, treatments], rates));
    }
    let shifts = &observed.library_shifts;
    if !shifts.is_empty() {
        entries.push(Entry::f32(LIBRARY_SHIFTS, &[shifts.len()], shifts));
    }
    let significant = observed.significant.iter().map(|&is| u8::from(is)).collect();
    let shape = [observed.training.perturbations.len(), genes];
    entries.push(Entry::u8("observed.training.significant", &shape, significant));
    let libraries = &observed.control_libraries;
    entries.push(Entry::f32("control.library_sizes", &[libraries.len()], libraries));
    entries.push(Entry::u8("split", &[observed.split.len()], observed.split.clone()));

    let card = serde_json::to_string(&model.card).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(tensor_file::to_bytes(&entries, CARD, card)?)
}

/// Before the names of a member's parameters.
fn prefix(card: &ModelCard, at: usize) -> String {
    card.members.get(at).map_or_else(|| "parameter.".to_owned(), |run| format!("member.{}.parameter.", run.member))
}

pub(super) fn save(model: &TrainedModel, path: &Path) -> Result<(), ModelError> {
    let bytes = to_bytes(model)?;
    crate::files::write_whole(path, |file| Ok(file.write_all(&bytes)?))
}

fn not_a_model(reason: impl Into<String>) -> ModelError {
    ModelError::NotAModel { reason: reason.into() }
}

pub(super) fn from_bytes(bytes: &[u8]) -> Result<TrainedModel, ModelError> {
    let broken = |error: safetensors::SafeTensorError| {
        not_a_model(format!("it is not a whole safetensors file ({error}); it may be cut off or of another kind"))
    };
    let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let text = metadata.metadata().as_ref().and_then(|entries| entries.get(CARD)).ok_or_else(|| {
        not_a_model("it is a safetensors file, but not a model of this program (no entry grn-explorer in its metadata)")
    })?;
    #[derive(serde::Deserialize)]
    struct Version {
        format: u32,
    }
    let version: Version =
        serde_json::from_str(text).map_err(|error| not_a_model(format!("its card is broken: {error}")))?;
    if ![FORMAT, ENSEMBLE].contains(&version.format) {
        return Err(not_a_model(format!(
            "it has format {}, this program reads formats {FORMAT} and {ENSEMBLE}; open it with the version that wrote it or train again",
            version.format
        )));
    }
    let card: ModelCard =
        serde_json::from_str(text).map_err(|error| not_a_model(format!("its card is broken: {error}")))?;
    let ModelKind::GpoVae = card.kind;
    if let Some(problem) = card.settings.model.problem() {
        return Err(not_a_model(format!("its settings are broken: {problem}")));
    }

    let genes = card.genes.len();
    if let Some(bad) = card.treatments.iter().find(|treatment| treatment.column.is_some_and(|at| at as usize >= genes))
    {
        return Err(not_a_model(format!("its card is broken: {} has no column among {genes} genes", bad.symbol)));
    }
    let no_share = |share: &f32| !(0.0..=1.0).contains(share);
    if let Some(bad) = card.treatments.iter().find(|treatment| treatment.responding.as_ref().is_some_and(no_share)) {
        return Err(not_a_model(format!(
            "its card is broken: the share of cells that respond to {} is not between 0 and 1",
            bad.symbol
        )));
    }
    let sizes = Sizes { genes, treatments: card.treatments.len() };
    let reader = Reader { tensors: &tensors, card: &card };
    let prior = tensors.tensor(PRIOR).ok().map(|_| reader.values(PRIOR)).transpose()?;
    let member = |at: usize| -> Result<Member, ModelError> {
        let prefix = prefix(&card, at);
        let mut parameters = HashMap::new();
        for (name, view) in tensors.iter() {
            if let Some(name) = name.strip_prefix(&prefix) {
                let values = tensor_file::f32_values(&view, name).map_err(not_a_model)?;
                parameters.insert(name.to_owned(), Tensor::from_vec(values, view.shape(), &Device::Cpu)?);
            }
        }
        let model = GpoVae::new(sizes, &card.settings.model, Source::Given(parameters), &Device::Cpu)
            .and_then(|model| model.with_mask_prior(prior.clone()))
            .map_err(|error| not_a_model(format!("its parameters do not fit its settings: {error}")))?;
        Ok(Member::new(model))
    };
    let members = (0..card.members.len().max(1)).map(member).collect::<Result<Vec<_>, _>>()?;

    let with_training = |shown: &super::super::TrainedPerturbation| shown.training_cells;
    let with_test = |shown: &super::super::TrainedPerturbation| shown.test_cells;
    let training = reader.table("observed.training", with_training, false)?;
    let shrunken = match tensors.tensor(&format!("{SHRUNKEN}.shifts")) {
        Ok(_) => reader.table(SHRUNKEN, with_training, false)?,
        Err(_) => EffectTable::default(),
    };
    let held_out = reader.table("observed.held_out", with_test, false)?;
    let predicted = reader.table("predicted", |_| 0, true)?;
    let significant: Vec<bool> = reader.bytes("observed.training.significant")?.iter().map(|&is| is != 0).collect();
    if significant.len() != training.shifts.len() {
        return Err(not_a_model("observed.training.significant does not fit observed.training.shifts"));
    }
    let false_discovery_rates = tensors.tensor(RATES).ok().map(|_| reader.values(RATES)).transpose()?;
    let pairs = sizes.treatments * sizes.treatments;
    let is_rate = |rate: &f32| rate.is_nan() || (0.0..=1.0).contains(rate);
    if false_discovery_rates.as_ref().is_some_and(|rates| rates.len() != pairs || !rates.iter().all(is_rate)) {
        return Err(not_a_model(format!("{RATES} is no table of rates from 0 to 1, one for every pair of genes")));
    }
    let library_shifts =
        tensors.tensor(LIBRARY_SHIFTS).map_or_else(|_| Ok(Vec::new()), |_| reader.values(LIBRARY_SHIFTS))?;
    if !(library_shifts.is_empty() || library_shifts.len() == sizes.treatments) {
        return Err(not_a_model(format!("{LIBRARY_SHIFTS} does not fit the treatments of the card")));
    }
    let observed = Observed {
        library_shifts,
        shrunken,
        training,
        significant,
        held_out,
        control_libraries: reader.values("control.library_sizes")?,
        split: reader.bytes("split")?,
        false_discovery_rates,
    };
    let spread = match card.members.len() {
        0 => Vec::new(),
        1 => return Err(not_a_model("it is an ensemble of one member")),
        _ => reader.values("predicted.spread")?,
    };
    if !spread.is_empty() && spread.len() != predicted.shifts.len() {
        return Err(not_a_model("predicted.spread does not fit predicted.shifts"));
    }
    TrainedModel::unsigned(card, members, observed, predicted, spread)
        .signed()
        .map_err(|error| not_a_model(error.to_string()))
}

struct Reader<'a> {
    tensors: &'a SafeTensors<'a>,
    card: &'a ModelCard,
}

impl Reader<'_> {
    fn view(&self, name: &str) -> Result<TensorView<'_>, ModelError> {
        self.tensors.tensor(name).map_err(|_| not_a_model(format!("tensor {name} is missing")))
    }

    fn values(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        tensor_file::f32_values(&self.view(name)?, name).map_err(not_a_model)
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, ModelError> {
        let view = self.view(name)?;
        match view.dtype() {
            Dtype::U8 => Ok(view.data().to_vec()),
            other => Err(not_a_model(format!("tensor {name} has type {other:?}, expected U8"))),
        }
    }

    /// The table of the perturbations that have cells by `cells_of`, or of all.
    fn table(
        &self,
        name: &str,
        cells_of: impl Fn(&super::super::TrainedPerturbation) -> u32,
        all: bool,
    ) -> Result<EffectTable, ModelError> {
        let shifts = self.values(&format!("{name}.shifts"))?;
        let rows = self.card.perturbations.iter().filter(|shown| all || cells_of(shown) > 0);
        let (perturbations, cells): (Vec<String>, Vec<u32>) = rows.map(|shown| (shown.name(), cells_of(shown))).unzip();
        // A screen without test controls has no held-out table at all.
        if shifts.is_empty() {
            return Ok(EffectTable { genes: self.card.genes.clone(), ..EffectTable::default() });
        }
        if shifts.len() != perturbations.len() * self.card.genes.len() {
            return Err(not_a_model(format!("{name}.shifts does not fit the perturbations and genes of the card")));
        }
        Ok(EffectTable { perturbations, genes: self.card.genes.clone(), cells, shifts })
    }
}
