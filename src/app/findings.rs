//! What is computed of the open data set when a page asks for it: quality of its cells, tests of its perturbations.

use std::sync::Arc;

use crate::data::Dataset;
use crate::jobs::ProgressUpdate;
use crate::preprocess::differential::Test;
use crate::tasks::preprocess::TestedGroup;
use crate::tasks::quality::Quality;

/// All of it; of one data set.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The data set.
    pub of: Option<Arc<Dataset>>,
    /// Quality of its cells.
    pub quality: QualityFinding,
    /// Tests of its perturbations.
    pub tests: Tests,
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
