//! A network known beforehand: from its file to a probability of every edge of the screen's network.

use super::TrainError;
use crate::jobs::Progress;
use crate::models::{PriorNetwork, PriorNetworkUse, TrainConfig};
use crate::network::formats::{self, FormatError};
use crate::words::counted;

/// What there is of it.
pub(super) struct KnownNetwork {
    /// The settings as the card has them: the file's name, and its hash.
    pub settings: PriorNetwork,
    pub used: PriorNetworkUse,
    /// T × T, row = regulator, column = target.
    pub probabilities: Vec<f32>,
}

impl KnownNetwork {
    /// The network that `config` names, if it names one, for a network of `treatments`.
    pub fn read(
        config: &TrainConfig,
        treatments: &[String],
        progress: &dyn Progress,
    ) -> Result<Option<Self>, TrainError> {
        let Some(settings) = &config.prior_network else { return Ok(None) };
        if let Some(problem) = settings.problem() {
            return Err(TrainError::Setting { problem });
        }
        progress.stage("Reading the network known beforehand", None);
        let wrong = |reason: String| TrainError::PriorNetwork { path: settings.file.clone(), reason };
        let hash = PriorNetwork::hash_of(&settings.file).map_err(|error| wrong(error.to_string()))?;
        if !settings.hash.is_empty() && settings.hash != hash {
            return Err(wrong(format!(
                "its content is another (hash {hash}) than the settings name (hash {}); choose the file that was meant, or \
                 take its hash out of the settings",
                settings.hash
            )));
        }
        let (contents, _) = formats::read(&settings.file, progress).map_err(|error| match error {
            FormatError::Cancelled(cancelled) => TrainError::Cancelled(cancelled),
            other => wrong(other.to_string()),
        })?;
        let (grn, reading) = contents.to_grn().map_err(|error| wrong(error.to_string()))?;
        let symbols = grn.genes().iter().map(|gene| &gene.symbol);
        let places: Vec<Option<usize>> =
            symbols.map(|symbol| treatments.iter().position(|treatment| treatment == symbol)).collect();
        let unlisted = settings.unlisted.unwrap_or(config.model.mask_prior) as f32;
        let mut probabilities = vec![unlisted; treatments.len() * treatments.len()];
        let mut used = PriorNetworkUse {
            name: settings.name(),
            hash: hash.clone(),
            genes_elsewhere: places.iter().filter(|place| place.is_none()).count(),
            ..PriorNetworkUse::default()
        };
        for edge in grn.edges() {
            match (places[edge.regulator.0 as usize], places[edge.target.0 as usize]) {
                (Some(regulator), Some(target)) => {
                    used.edges += 1;
                    probabilities[regulator * treatments.len() + target] =
                        if reading.unweighted { settings.listed as f32 } else { edge.probability };
                }
                _ => used.edges_elsewhere += 1,
            }
        }
        if used.edges == 0 {
            let names = |names: &mut dyn Iterator<Item = &str>| names.take(3).collect::<Vec<_>>().join(", ");
            return Err(wrong(format!(
                "none of its {} lies between genes of the screen's network: it has {}, the screen {}; name genes alike in both",
                counted(grn.edges().len(), "edge"),
                names(&mut grn.genes().iter().map(|gene| gene.symbol.as_str())),
                names(&mut treatments.iter().map(String::as_str)),
            )));
        }
        progress.stage(&used.in_words(), None);
        let settings = PriorNetwork { file: used.name.clone().into(), hash, ..settings.clone() };
        Ok(Some(Self { settings, used, probabilities }))
    }
}
