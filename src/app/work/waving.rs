//! The wave through the network follows the knock-out in the background, while one is shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Work;
use crate::app::findings::FoundWave;
use crate::app::state::State;
use crate::jobs::{Job, Outcome};
use crate::network::wave::wave;
use crate::network::{GeneId, Grn};

/// What was asked last, and the job that answers it.
#[derive(Default)]
pub(super) struct Waving {
    asked: Option<(Arc<Grn>, BTreeMap<String, f32>)>,
    job: Option<Job<FoundWave>>,
}

impl Work {
    pub(super) fn poll_waving(&mut self, state: &mut State) {
        let wake = self.wake();
        if state.view.wave.is_some() && !state.can_show_wave() {
            // The knock-out is over, or its genes are not in this network.
            state.view.wave = None;
        }
        let network = state.network();
        let is_of = |found: &Arc<FoundWave>| network.is_some_and(|network| Arc::ptr_eq(network, &found.network));
        let (true, Some(network)) = (state.view.wave.is_some(), network) else {
            // Shown again, the wave of the same knock-out is still there; that of another network is not kept.
            if !state.runtime.wave.as_ref().is_none_or(is_of) {
                self.waving = Waving::default();
                state.runtime.wave = None;
            }
            return;
        };
        let doses = &state.document.knock_out;
        let is_asked = |(of, about): &(Arc<Grn>, BTreeMap<String, f32>)| Arc::ptr_eq(of, network) && about == doses;
        if !self.waving.asked.as_ref().is_some_and(is_asked) {
            let (network, doses) = (network.clone(), doses.clone());
            self.waving.asked = Some((network.clone(), doses.clone()));
            // Dropping the job before cancels it.
            self.waving.job = Some(Job::spawn("wave", wake, move |progress| {
                let dose = |(source, &dose): (&String, &f32)| Some((network.find(source)?, f64::from(dose)));
                let sources: Vec<(GeneId, f64)> = doses.iter().filter_map(dose).collect();
                let wave = wave(&network, &sources, progress)?;
                Ok::<_, crate::jobs::Cancelled>(FoundWave { network, doses, wave })
            }));
        }
        let Some(outcome) = self.waving.job.as_mut().and_then(Job::poll) else { return };
        self.waving.job = None;
        if let Outcome::Finished(found) = outcome {
            state.runtime.wave = Some(Arc::new(found));
        }
    }
}
