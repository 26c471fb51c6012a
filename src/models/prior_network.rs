//! A network known beforehand, from which the mask of a model starts.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::words::{counted, grouped};

/// Which network, and what is made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorNetwork {
    /// Its file, of any format that networks are read from; in the card of a model only its name.
    pub file: PathBuf,
    /// Hash of the file's content (BLAKE3, hexadecimal), see [`PriorNetwork::hash_of`]; empty for whatever is there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// Probability of the edges of a file that has neither probabilities nor weights.
    #[serde(default = "listed")]
    pub listed: f64,
    /// Probability of the pairs that are not in the file; none for the prior probability of an edge among the model's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<f64>,
    /// These probabilities are also the prior of the mask in the loss.
    #[serde(default)]
    pub as_prior: bool,
}

fn listed() -> f64 {
    0.9
}

impl PriorNetwork {
    /// The network in `file`, with the usual settings.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), hash: String::new(), listed: listed(), unlisted: None, as_prior: false }
    }

    /// The file's name.
    pub fn name(&self) -> String {
        let name = self.file.file_name().unwrap_or(self.file.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// The hash of a file's content.
    ///
    /// # Errors
    /// The operating system's.
    pub fn hash_of(file: &Path) -> std::io::Result<String> {
        let mut hasher = blake3::Hasher::new();
        std::io::copy(&mut std::fs::File::open(file)?, &mut hasher)?;
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// What is wrong with these settings, if anything.
    pub fn problem(&self) -> Option<String> {
        let wrong = |value: f64| !(0.0..=1.0).contains(&value);
        let name = match (wrong(self.listed), self.unlisted.is_some_and(wrong)) {
            (true, _) => "listed",
            (_, true) => "unlisted",
            _ => return None,
        };
        Some(format!("{name} of the network known beforehand must be between 0 and 1"))
    }
}

/// What a model took from a network known beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorNetworkUse {
    /// The file's name.
    pub name: String,
    /// Hash of its content.
    pub hash: String,
    /// Its edges between genes of the model's network.
    pub edges: usize,
    /// Its other edges.
    pub edges_elsewhere: usize,
    /// Its genes that are not in the model's network.
    pub genes_elsewhere: usize,
}

impl PriorNetworkUse {
    /// `regulons.tsv (hash 1f0c2a…): 120 edges; 31 more and 12 genes are not among those of the model`.
    pub fn in_words(&self) -> String {
        let hash: String = self.hash.chars().take(12).collect();
        let mut text = format!("{} (content hash {hash}): {}", self.name, counted(self.edges, "edge"));
        if self.genes_elsewhere > 0 {
            text.push_str(&format!(
                "; {} more, and {}, are not in the model's network",
                grouped(self.edges_elsewhere),
                counted(self.genes_elsewhere, "gene"),
            ));
        }
        text
    }
}
