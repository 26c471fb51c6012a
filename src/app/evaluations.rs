//! How well models do on the open data set, as far as that was asked.

use std::path::PathBuf;
use std::sync::Arc;

use crate::jobs::ProgressUpdate;
use crate::tasks::report::Judged;

/// How models are judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvaluationSettings {
    /// Compare with all cells, those of the training too.
    pub all_cells: bool,
    /// How well the cells are explained, which takes minutes on a large screen.
    pub likelihood: bool,
    /// How many cells drawn from the model pass quality control.
    pub generated_cells: bool,
    /// A file with known edges.
    pub known_edges: Option<PathBuf>,
}

/// What was asked and found.
#[derive(Clone, Debug, Default)]
pub struct Evaluations {
    /// The models judged on the open data set, in the order asked.
    pub judged: Arc<Vec<Judged>>,
    /// Grows with every change of them.
    pub version: u64,
    /// The one under way.
    pub running: Option<(String, ProgressUpdate)>,
    /// Why the last one failed.
    pub failed: Option<String>,
    /// Hash of the data set that they are about.
    pub dataset: String,
}

impl Evaluations {
    /// Add a report; one of the same model gives way to it.
    pub fn add(&mut self, one: Judged) {
        let judged = Arc::make_mut(&mut self.judged);
        let same = |known: &Judged| known.name == one.name && known.report.model.hash == one.report.model.hash;
        match judged.iter().position(same) {
            Some(at) => judged[at] = one,
            None => judged.push(one),
        }
        self.failed = None;
        self.version += 1;
    }

    /// Take a report away.
    pub fn forget(&mut self, at: usize) {
        if at < self.judged.len() {
            Arc::make_mut(&mut self.judged).remove(at);
            self.version += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::report::Report;

    #[test]
    fn a_model_that_is_judged_again_stands_there_once() {
        let one = |name: &str, epochs: u32| {
            let mut report = Report::default();
            report.model.epochs = epochs;
            Judged { name: name.into(), report }
        };
        let mut evaluations = Evaluations::default();
        for judged in [one("a", 1), one("b", 1), one("a", 2)] {
            evaluations.add(judged);
        }
        assert_eq!(evaluations.judged.iter().map(|one| one.report.model.epochs).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(evaluations.version, 3);
        evaluations.forget(5);
        evaluations.forget(0);
        assert_eq!((evaluations.judged.len(), evaluations.version), (1, 4));
    }
}
