//! What is computed of the open data set when a page asks for it: quality of its cells, tests of its perturbations.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::data::preview::Preview;
use crate::data::{Dataset, ImportOptions};
use crate::document::PathQuery;
use crate::jobs::ProgressUpdate;
use crate::network::hops::Hops;
use crate::network::paths::Path as NetworkPath;
use crate::network::wave::Wave;
use crate::network::{GeneId, Grn};
use crate::preprocess::differential::Test;
use crate::preprocess::doublets::CellDoublets;
use crate::preprocess::guides::GuideCheck;
use crate::preprocess::{Filtered, PrepareConfig};
use crate::tasks::edge_tests::EdgeTests;
use crate::tasks::preprocess::TestedGroup;
use crate::tasks::quality::Quality;

/// All of it; of one data set.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The data set.
    pub of: Option<Arc<Dataset>>,
    /// Quality of its cells.
    pub quality: QualityFinding,
    /// Which of its guides work.
    pub guides: GuideFinding,
    /// Doublets among its cells.
    pub doublets: DoubletFinding,
    /// Tests of its perturbations.
    pub tests: Tests,
    /// What the filters of the next training run leave out of it.
    pub filters: FilterFinding,
}

/// What filters leave out, as far as it is known.
#[derive(Clone, Debug, Default)]
pub enum FilterFinding {
    /// Being counted for the first time.
    #[default]
    None,
    /// What these settings leave out; of earlier ones while the last are being counted.
    Ready(Arc<PrepareConfig>, Arc<[Filtered]>),
    /// It cannot be told; why.
    Failed(String),
}

/// Paths between two genes, as far as they are known.
#[derive(Clone, Debug, Default)]
pub enum PathFinding {
    /// Nobody asked.
    #[default]
    None,
    /// They are being looked for; those found before may be shown meanwhile.
    Running {
        /// The answer before.
        previous: Option<Arc<FoundPaths>>,
    },
    /// Here they are.
    Ready(Arc<FoundPaths>),
    /// The question makes no sense here; why.
    Failed(String),
}

/// The answer to a question for paths.
#[derive(Clone, Debug)]
pub struct FoundPaths {
    /// The network in which they are.
    pub network: Arc<Grn>,
    /// What was asked.
    pub query: PathQuery,
    /// The shortest first.
    pub paths: Vec<NetworkPath>,
}

impl PathFinding {
    /// The newest paths there are.
    pub fn found(&self) -> Option<&Arc<FoundPaths>> {
        match self {
            Self::Ready(found) => Some(found),
            Self::Running { previous } => previous.as_ref(),
            Self::None | Self::Failed(_) => None,
        }
    }

    /// The edges to be pointed out in `network`, rising: those of the path that `query` chose, or of all.
    pub fn edges(&self, network: &Arc<Grn>, query: Option<&PathQuery>) -> Vec<u32> {
        let (Some(found), Some(query)) = (self.found(), query) else { return Vec::new() };
        if !Arc::ptr_eq(&found.network, network) {
            return Vec::new();
        }
        query.pointed_out(&found.paths)
    }
}

/// Tests of the edges on held-out cells, as far as they are known.
#[derive(Clone, Debug, Default)]
pub enum EdgeTesting {
    /// Nobody asked.
    #[default]
    None,
    /// They are being tested; those tested before may be shown meanwhile.
    Running(ProgressUpdate, Option<Arc<EdgeTests>>),
    /// Here they are.
    Ready(Arc<EdgeTests>),
    /// It failed; why. Or it was cancelled.
    Stopped(Option<String>),
}

impl EdgeTesting {
    /// The newest tests there are.
    pub fn known(&self) -> Option<&Arc<EdgeTests>> {
        match self {
            Self::Ready(tests) => Some(tests),
            Self::Running(_, previous) => previous.as_ref(),
            Self::None | Self::Stopped(_) => None,
        }
    }
}

/// Doublets, as far as they are known.
#[derive(Clone, Debug, Default)]
pub enum DoubletFinding {
    /// Nobody asked.
    #[default]
    None,
    /// They are being looked for.
    Running(ProgressUpdate),
    /// Here they are.
    Ready(Arc<CellDoublets>),
    /// It failed; why.
    Failed(String),
}

impl DoubletFinding {
    /// The doublets, if they are known.
    pub fn known(&self) -> Option<&Arc<CellDoublets>> {
        match self {
            Self::Ready(doublets) => Some(doublets),
            _ => None,
        }
    }
}

/// Quality of the cells, as far as it is known.
#[derive(Clone, Debug, Default)]
pub enum QualityFinding {
    /// Nobody asked, or it is being measured for the first time.
    #[default]
    None,
    /// Here it is; for other limits while those are counted anew.
    Ready(Arc<Quality>),
    /// The matrix holds no counts.
    NoCounts,
    /// It failed; why.
    Failed(String),
}

/// The guides of the data set, as far as they are known.
#[derive(Clone, Debug, Default)]
pub enum GuideFinding {
    /// Nobody asked, or they are being compared for the first time.
    #[default]
    None,
    /// Here they are; for other limits of quality while those are counted anew.
    Ready(Arc<GuideCheck>),
    /// The file names none.
    NoGuides,
    /// The matrix holds no counts.
    NoCounts,
    /// It failed; why.
    Failed(String),
}

/// Tests of perturbations, kept while the data set is open.
#[derive(Clone, Debug, Default)]
pub struct Tests {
    /// Every perturbation tested so far.
    pub done: Vec<Arc<TestedGroup>>,
    /// Being tested now.
    pub running: Option<(String, ProgressUpdate)>,
    /// Cancelled or failed: not tried again by itself.
    pub stopped: Option<Stopped>,
}

/// A test that did not come to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Stopped {
    /// The perturbation.
    pub perturbation: String,
    /// How it was to be tested.
    pub test: Test,
    /// Why it failed; none if it was cancelled.
    pub reason: Option<String>,
}

impl Tests {
    /// What was found for `perturbation`.
    pub fn find(&self, perturbation: &str, test: Test) -> Option<&Arc<TestedGroup>> {
        self.done.iter().find(|done| done.perturbation == perturbation && done.test == test)
    }
}

/// What the network passes on from the knocked-out genes to the selected one.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The network.
    pub network: Arc<Grn>,
    /// The genes knocked out, with their doses.
    pub doses: BTreeMap<String, f32>,
    /// The gene that is explained.
    pub gene: GeneId,
    /// Steps and ways.
    pub hops: Hops,
}

/// What the network passes on from the knocked-out genes to all others, step by step.
#[derive(Clone, Debug)]
pub struct FoundWave {
    /// The network.
    pub network: Arc<Grn>,
    /// The genes knocked out, with their doses.
    pub doses: BTreeMap<String, f32>,
    /// What arrives where.
    pub wave: Wave,
}

impl FoundWave {
    /// The last step that is shown: later ones bring less than a thousandth of all that arrives.
    pub fn last(&self) -> usize {
        self.wave.last_above(1e-3)
    }
}

/// What a file would be read as, told before it is read.
#[derive(Clone, Debug, Default)]
pub struct ImportPreview {
    /// What was asked about last.
    pub asked: Option<(PathBuf, ImportOptions)>,
    /// The newest answer; of an earlier question while the last one is being looked at.
    pub found: Option<Arc<FoundPreview>>,
    /// The labels file that was picked last in a file dialog; each form takes it once.
    pub labels: Option<Arc<PickedLabels>>,
}

/// A labels file that was picked for a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickedLabels {
    /// The data set.
    pub data: PathBuf,
    /// The labels of its cells.
    pub labels: PathBuf,
}

/// The answer to one question.
#[derive(Clone, Debug)]
pub struct FoundPreview {
    /// The file.
    pub path: PathBuf,
    /// The choices.
    pub options: ImportOptions,
    /// What it would be, or why it cannot be read so.
    pub result: Result<Preview, String>,
    /// Where it cannot: the file by the rules, for the lists of what there is to choose from.
    pub by_rules: Option<Preview>,
}

impl FoundPreview {
    /// Columns, matrices and labels to choose from, as far as they are known.
    pub fn lists(&self) -> Option<&Preview> {
        self.result.as_ref().ok().or(self.by_rules.as_ref())
    }
}

impl ImportPreview {
    /// The answer to exactly this question, if it is there.
    pub fn of(&self, path: &Path, options: &ImportOptions) -> Option<&Arc<FoundPreview>> {
        self.found.as_ref().filter(|found| found.path == path && found.options == *options)
    }

    /// The newest answer about the file `path`.
    pub fn newest(&self, path: &Path) -> Option<&Arc<FoundPreview>> {
        self.found.as_ref().filter(|found| found.path == path)
    }
}

/// The perturbation (position) that the volcano plot shows: the one chosen, else the one with most cells.
pub fn shown_perturbation(dataset: &Dataset, chosen: Option<&str>) -> Option<usize> {
    let perturbations = dataset.perturbations();
    let named = chosen.and_then(|name| perturbations.iter().position(|perturbation| perturbation.name() == name));
    named.or_else(|| {
        let mut cells = vec![0usize; perturbations.len()];
        dataset.roles().iter().filter_map(|role| role.perturbation()).for_each(|index| cells[index] += 1);
        (0..cells.len()).max_by_key(|&at| (cells[at], std::cmp::Reverse(at)))
    })
}
