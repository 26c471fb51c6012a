//! What colours, sizes and lines show, made anew only if something changed.

use std::sync::Arc;

use super::known::Known;
use super::shown::Shown;
use crate::app::State;
use crate::document::{NetworkFilter, Style};
use crate::network::{Edge, Grn};
use crate::tasks::look::{self, Look};

/// What a look was made from.
#[derive(Clone, PartialEq)]
pub(super) struct LookKey {
    style: Style,
    network: usize,
    /// The prediction and the perturbation that shifts are of.
    prediction: usize,
    perturbation: Option<String>,
    asks_nothing: bool,
    filter: NetworkFilter,
    known: u64,
    tests: usize,
    table: usize,
    file: usize,
}

fn address<T>(of: Option<&Arc<T>>) -> usize {
    of.map_or(0, |of| Arc::as_ptr(of) as usize)
}

impl LookKey {
    pub(super) fn of(shown: &Shown, known: &Known, state: &State) -> Self {
        Self {
            style: state.document.style.clone(),
            network: Arc::as_ptr(shown.network()) as usize,
            prediction: address(state.runtime.prediction.effect()),
            perturbation: state.view.perturbation.clone(),
            asks_nothing: state.document.knock_out.is_empty(),
            filter: shown.filter().clone(),
            known: known.version(),
            tests: address(state.edge_tests()),
            table: address(state.runtime.attached.gene_table.as_ref()),
            file: address(state.runtime.network_file.as_ref()),
        }
    }
}

/// What the state says of the edges shown.
pub(super) fn look(shown: &Shown, known: &Known, state: &State) -> Look {
    let attached = &state.runtime.attached;
    let reference = attached.reference.as_ref().zip(known.overlay());
    let model = state.runtime.model.as_ref();
    let effect = state.runtime.prediction.effect().filter(|_| !state.document.knock_out.is_empty());
    let edges: Vec<&Edge> = shown.edges().collect();
    let file = state.runtime.network_file.as_ref().filter(|_| model.is_none());
    let known = look::Known {
        effect: effect.zip(model).map(|(effect, model)| (&**effect, &model.card().genes[..])),
        measured: measured(shown.network(), state),
        statistics: known.statistics().map(|statistics| &**statistics),
        reference: reference.map(|(reference, overlay)| (reference.name(), &**overlay)),
        tests: state.edge_tests().map(|tests| &**tests),
        table: attached.gene_table.as_deref(),
        file: file.map(|file| &file.look),
        file_table: file.and_then(|file| file.table.as_deref()),
    };
    Look::of(&state.document.style, shown.network(), &edges, &known)
}

fn measured(network: &Grn, state: &State) -> Option<(Vec<f32>, String)> {
    look::measured(network, state.runtime.model.as_ref()?, state.view.perturbation.as_ref()?)
}

/// Shifts that go into a network file: measured and predicted, by gene of the network.
pub(super) fn shifts(network: &Grn, state: &State) -> Vec<(String, Vec<f32>)> {
    let mut shifts = Vec::new();
    if let (Some(effect), Some(model)) = (state.runtime.prediction.effect(), &state.runtime.model)
        && !state.document.knock_out.is_empty()
    {
        shifts.push(("predicted_shift".to_owned(), look::by_gene(network, &model.card().genes, &effect.shifts)));
    }
    shifts.extend(measured(network, state).map(|(values, _)| ("measured_shift".to_owned(), values)));
    shifts
}
