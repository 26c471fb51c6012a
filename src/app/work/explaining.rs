//! Why the selected gene moves follows the knock-out and the selection in the background.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Work;
use crate::app::findings::Explanation;
use crate::app::state::State;
use crate::jobs::{Job, Outcome};
use crate::network::hops::hops;
use crate::network::{GeneId, Grn};

/// Ways told.
const WAYS: usize = 5;

/// What was asked last, and the job that answers it.
#[derive(Default)]
pub(super) struct Explaining {
    asked: Option<(Arc<Grn>, BTreeMap<String, f32>, GeneId)>,
    job: Option<Job<Explanation>>,
}

impl Work {
    pub(super) fn poll_explaining(&mut self, state: &mut State) {
        let wake = self.wake();
        let doses = &state.document.knock_out;
        let gene = state.document.focus().filter(|gene| !doses.is_empty() && !doses.contains_key(*gene));
        let question = state.network().filter(|_| !state.network_is_live()).zip(gene);
        let Some((network, gene)) = question.and_then(|(network, gene)| Some((network, network.find(gene)?))) else {
            self.explaining = Explaining::default();
            state.runtime.explanation = None;
            return;
        };
        let is_asked = |(of, about, target): &(Arc<Grn>, BTreeMap<String, f32>, GeneId)| {
            Arc::ptr_eq(of, network) && about == doses && *target == gene
        };
        if !self.explaining.asked.as_ref().is_some_and(is_asked) {
            let (network, doses) = (network.clone(), doses.clone());
            self.explaining.asked = Some((network.clone(), doses.clone(), gene));
            // Dropping the job before cancels it.
            self.explaining.job = Some(Job::spawn("explanation", wake, move |progress| {
                let dose = |(source, &dose): (&String, &f32)| Some((network.find(source)?, f64::from(dose)));
                let sources: Vec<(GeneId, f64)> = doses.iter().filter_map(dose).collect();
                let hops = hops(&network, &sources, gene, WAYS, progress)?;
                Ok::<_, crate::jobs::Cancelled>(Explanation { network, doses, gene, hops })
            }));
        }
        let Some(outcome) = self.explaining.job.as_mut().and_then(Job::poll) else { return };
        self.explaining.job = None;
        if let Outcome::Finished(explanation) = outcome {
            state.runtime.explanation = Some(Arc::new(explanation));
        }
    }
}
