//! What happens to the state when something was opened.

use super::state::{DataSection, Prediction, Severity, State, Tab};
use super::work::{Opened, OpenedNetworkFile, Recovered, file_name};
use crate::document::Document;
use crate::network::filter::first_view;

/// Longest list of recent files.
const RECENT: usize = 8;

/// Show what was opened. Opening starts a new document; only what belongs together stays: the data set of the open model changes nothing
/// but that its cells are there.
pub(super) fn show(opened: Opened, state: &mut State) {
    let Opened { dataset, model, network, session, changed, recovered, path, .. } = opened;
    let is_session = session.is_some();
    let (session_path, document) = match session {
        Some((path, document)) => (Some(path), document),
        None => (None, Document::default()),
    };
    // A data set stays beside a model that was trained on it, and the other way round; anything else closes.
    let runtime = &mut state.runtime;
    let mut closed = None;
    if let Some(model) = &model
        && dataset.is_none()
        && let Some(open) = &runtime.dataset
        && (is_session || open.hash() != model.model.card().dataset.hash)
    {
        closed = Some(format!("{} was closed: the model was trained on other data", open.name()));
        runtime.dataset = None;
        runtime.summary = None;
        runtime.targets = None;
    }
    if let Some(dataset) = &dataset
        && model.is_none()
        && let Some(open) = &runtime.model
        && (is_session || open.card().dataset.hash != dataset.dataset.hash())
    {
        runtime.model = None;
        runtime.model_unsaved = false;
    }
    if dataset.is_some() || model.is_some() || network.is_some() {
        runtime.network_file = None;
    }
    if network.is_some() {
        // A network of its own: what it was learned from is not known.
        if let Some(open) = &runtime.dataset {
            closed = Some(format!("{} was closed: nothing says that the network was learned from it", open.name()));
        }
        (runtime.dataset, runtime.summary, runtime.targets, runtime.model) = (None, None, None, None);
        runtime.model_unsaved = false;
    }
    let mut sources = if is_session { document.sources.clone() } else { state.document.sources.clone() };
    if runtime.dataset.is_none() {
        sources.dataset = None;
        sources.import = Default::default();
    }
    if runtime.model.is_none() || runtime.model_unsaved {
        sources.model = None;
    }
    if runtime.network_file.is_none() {
        sources.network = None;
    }
    let had_model = runtime.model.is_some();
    let companion = !is_session && had_model && model.is_none() && dataset.is_some();
    if !is_session && !companion {
        // What a training run replaced belongs to the document it ran in.
        sources.before = None;
    }
    let mut document = match companion {
        true => Document { sources, ..state.document.clone() },
        false => Document { sources, ..document },
    };
    let mut tab = state.view.tab;
    if let Some(dataset) = dataset {
        document.sources.dataset = Some(dataset.reference);
        document.sources.import = dataset.options;
        runtime.dataset = Some(dataset.dataset);
        runtime.summary = Some(dataset.summary);
        runtime.targets = Some(dataset.targets);
        if companion {
            let name = runtime.dataset.as_ref().map(|dataset| dataset.name().to_owned()).unwrap_or_default();
            runtime.tell(
                Severity::Done,
                format!("{name} opened: the model was trained on it"),
                "Its held-out cells test edges and judge the model",
                "",
            );
        } else {
            tab = Tab::Data;
        }
    }
    if let Some(model) = model {
        document.sources.model = Some(model.reference);
        if !is_session {
            document.training = model.model.card().settings.clone();
            // Of a member the next run is a model of its own.
            document.training.member = None;
            document.filter = first_view(model.model.network());
        }
        runtime.model = Some(model.model);
        runtime.model_unsaved = false;
        tab = Tab::Network;
    } else if let Some(OpenedNetworkFile { opened, reference }) = network {
        document.sources.network = Some(reference);
        if !is_session {
            opened.begin(&mut document);
            let notes = opened.notes.join("; ");
            runtime.tell(Severity::Done, format!("{} opened", opened.name), notes, "");
        }
        runtime.network_file = Some(opened);
        tab = Tab::Network;
    } else if !is_session && had_model {
        document.training = state.document.training.clone();
    }
    if document.sources.before.is_none() {
        // Of another document, and in no file.
        runtime.attached.before = None;
    }
    runtime.messages.retain(|message| message.severity != Severity::Error);
    if !companion {
        runtime.prediction = Prediction::None;
        runtime.last_run = None;
        runtime.incomplete = None;
        runtime.session_path = session_path;
        runtime.saved_document = is_session.then(|| document.clone());
        state.history.clear();
        state.view.perturbation = None;
    }
    if let Some(Recovered { session, model_unsaved }) = recovered {
        // In the file of the session is what it was before.
        (runtime.session_path, runtime.saved_document) = match session {
            Some((path, saved)) => (Some(path), Some(*saved)),
            None => (None, Some(Document::default())),
        };
        if model_unsaved {
            runtime.model_unsaved = true;
            document.sources.model = None;
        }
        runtime.tell(Severity::Done, "The unsaved work is back", "It is in no file of yours yet", "");
    }
    for change in changed {
        runtime.tell(Severity::Warning, "The session's files have changed", change, "Look over the results again");
    }
    if let Some(closed) = closed {
        runtime.tell(Severity::Warning, closed, "", "");
    }
    state.document = document;
    state.view.tab = tab;
    if tab == Tab::Data && state.runtime.dataset.is_some() {
        state.view.section = DataSection::Import;
    }
    if let Some(path) = path {
        let path = std::path::absolute(&path).unwrap_or(path);
        let recent = &mut state.view.preferences.recent;
        recent.retain(|other| *other != path);
        recent.insert(0, path);
        recent.truncate(RECENT);
    }
}

/// What is open, for the title bar: `screen.h5ad · model.safetensors`.
pub(super) fn title(state: &State) -> String {
    let runtime = &state.runtime;
    let sources = &state.document.sources;
    let session = runtime.session_path.as_deref().map(file_name);
    let dataset = runtime.dataset.as_ref().map(|dataset| {
        sources.dataset.as_ref().map_or_else(|| dataset.name().to_owned(), |file| file_name(&file.path))
    });
    let model = runtime
        .model
        .as_ref()
        .map(|_| sources.model.as_ref().map_or_else(|| "model not saved".to_owned(), |file| file_name(&file.path)));
    let network =
        runtime.network_file.as_ref().filter(|_| runtime.model.is_none()).map(|file| {
            sources.network.as_ref().map_or_else(|| file.name.clone(), |reference| file_name(&reference.path))
        });
    let parts: Vec<String> = match session {
        Some(session) => vec![session],
        None => dataset.into_iter().chain(model).chain(network).collect(),
    };
    parts.join(" · ")
}
