//! The system's file dialogs, on their own thread.

use std::path::PathBuf;
use std::time::Duration;

use super::{Work, file_name};
use crate::app::action::{Action, ExportRequest};
use crate::app::attached::Attachment;
use crate::app::chooser::FileFilter;
use crate::app::evaluations::EvaluationSettings;
use crate::app::findings::PickedLabels;
use crate::app::state::{Dialog, MissingKind, PathPurpose, State};
use crate::jobs::{Cancelled, Job, Outcome};
use crate::models::PriorNetwork;
use crate::session;
use crate::tasks::import_choices;
use crate::tasks::open::{DATASET_ENDINGS, NETWORK_ENDINGS};

/// Nobody reads a dialog and dismisses it in less: there was none.
const NO_DIALOG: Duration = Duration::from_millis(400);

/// What the dialog is for.
#[derive(Clone, Debug)]
pub(in crate::app) enum Purpose {
    Open,
    SaveSession,
    SaveModel,
    Locate(MissingKind),
    Export(Box<ExportRequest>),
    SaveChoices,
    /// For the data set in this file.
    Labels(PathBuf),
    Regulators,
    Evaluate,
    KnownEdges,
    PriorNetwork,
    Attach(Attachment),
}

/// An open file dialog.
pub(in crate::app) struct Choosing {
    purpose: Purpose,
    suggestion: String,
    job: Job<Option<PathBuf>>,
}

impl Work {
    /// Ask for a file; ignored while another dialog is open.
    pub(in crate::app) fn choose(&mut self, purpose: Purpose, state: &State) {
        if self.choosing.is_some() {
            return;
        }
        let (filter, title, saves) = match &purpose {
            Purpose::Open => {
                let extensions = [DATASET_ENDINGS, &["safetensors"], NETWORK_ENDINGS].concat();
                (FileFilter { name: "Data sets, models, networks and sessions", extensions }, "Open", false)
            }
            Purpose::SaveSession => {
                (FileFilter { name: "Session", extensions: vec!["grn.json"] }, "Save session", true)
            }
            Purpose::SaveModel => (FileFilter { name: "Model", extensions: vec!["safetensors"] }, "Save model", true),
            Purpose::SaveChoices => {
                (FileFilter { name: "Choices", extensions: vec!["toml"] }, "Save how the data set is read", true)
            }
            Purpose::Regulators => {
                let extensions = vec!["txt", "tsv", "csv", "gz"];
                (FileFilter { name: "Lists of genes and tables of edges", extensions }, "List of regulators", false)
            }
            Purpose::Evaluate => {
                (FileFilter { name: "Model", extensions: vec!["safetensors"] }, "Model to judge", false)
            }
            Purpose::KnownEdges => {
                let extensions = [NETWORK_ENDINGS, &["tsv", "csv", "tab", "txt", "gz"]].concat();
                (FileFilter { name: "Networks", extensions }, "Known edges", false)
            }
            Purpose::PriorNetwork => {
                let extensions = [NETWORK_ENDINGS, &["tsv", "csv", "tab", "txt", "gz"]].concat();
                (FileFilter { name: "Networks", extensions }, "Network to start from", false)
            }
            Purpose::Attach(kind) => {
                let (name, extensions, title) = kind.dialog();
                (FileFilter { name, extensions }, title, false)
            }
            Purpose::Locate(MissingKind::Dataset) => {
                (FileFilter { name: "Data set", extensions: DATASET_ENDINGS.to_vec() }, "Locate the data set", false)
            }
            Purpose::Locate(MissingKind::Model) => {
                (FileFilter { name: "Model", extensions: vec!["safetensors"] }, "Locate the model", false)
            }
            Purpose::Locate(MissingKind::Network) => {
                let extensions = [NETWORK_ENDINGS, &["tsv", "csv", "tab", "txt", "gz"]].concat();
                (FileFilter { name: "Networks", extensions }, "Locate the network file", false)
            }
            Purpose::Labels(_) => {
                let extensions = vec!["csv", "tsv", "tab", "txt", "gz"];
                (FileFilter { name: "Tables", extensions }, "Labels of the cells", false)
            }
            Purpose::Export(request) => {
                (FileFilter { name: "Export", extensions: vec![request.format.extension()] }, "Export", true)
            }
        };
        let name = suggestion(&purpose, state);
        let folder = folder(&purpose, state);
        let full = folder.as_ref().map_or_else(|| PathBuf::from(&name), |folder| folder.join(&name));
        let chooser = self.chooser.clone();
        let job = Job::spawn("file dialog", self.wake(), move |_| {
            Ok::<_, Cancelled>(if saves {
                chooser.save(title, &filter, folder.as_deref(), &name)
            } else {
                chooser.open(title, &filter, folder.as_deref())
            })
        });
        let suggestion = if saves { full.display().to_string() } else { String::new() };
        self.choosing = Some(Choosing { purpose, suggestion, job });
    }

    pub(super) fn poll_choosing(&mut self, state: &mut State, actions: &mut Vec<Action>) {
        let Some(choosing) = &mut self.choosing else { return };
        let elapsed = choosing.job.elapsed();
        let Some(outcome) = choosing.job.poll() else { return };
        let Some(Choosing { purpose, suggestion, .. }) = self.choosing.take() else { return };
        if let Outcome::Finished(Some(path)) = outcome {
            actions.push(match purpose {
                Purpose::Open => Action::OpenPath(path),
                Purpose::SaveSession => Action::SaveSessionTo(path),
                Purpose::SaveModel => Action::SaveModelTo(path),
                Purpose::SaveChoices => Action::SaveChoicesTo(path),
                Purpose::Labels(data) => Action::PickLabels(Box::new(PickedLabels { data, labels: path })),
                Purpose::Regulators => Action::ReadRegulators(path),
                Purpose::Evaluate => Action::Evaluate(Some(path)),
                Purpose::KnownEdges => known_edges(state, path),
                Purpose::PriorNetwork => start_from(state, path),
                Purpose::Attach(kind) => Action::Attach(kind, path),
                Purpose::Locate(kind) => Action::Locate(kind, Some(path)),
                Purpose::Export(request) => Action::Export(ExportRequest { path: Some(path), ..*request }),
            });
            return;
        }
        if matches!(outcome, Outcome::Failed { .. }) || elapsed < NO_DIALOG {
            let reason = Some("This system shows no file dialog; type the path instead".to_owned());
            let purpose = match purpose {
                Purpose::Open => PathPurpose::Open,
                Purpose::SaveSession => PathPurpose::SaveSession,
                Purpose::SaveModel => PathPurpose::SaveModel,
                Purpose::SaveChoices => PathPurpose::SaveChoices,
                Purpose::Labels(data) => PathPurpose::Labels(data),
                Purpose::Regulators => PathPurpose::Regulators,
                Purpose::Evaluate => PathPurpose::Evaluate,
                Purpose::KnownEdges => PathPurpose::KnownEdges,
                Purpose::PriorNetwork => PathPurpose::PriorNetwork,
                Purpose::Attach(kind) => PathPurpose::Attach(kind),
                Purpose::Locate(kind) => PathPurpose::Locate(kind),
                Purpose::Export(request) => {
                    state.runtime.export_waiting = Some(*request);
                    PathPurpose::Export
                }
            };
            actions.push(Action::ShowDialog(Dialog::Path { reason, purpose, suggestion }));
        } else {
            state.runtime.after_saving = None;
        }
    }
}

/// Judge networks by the known edges in `path` from now on.
pub(in crate::app) fn known_edges(state: &State, path: PathBuf) -> Action {
    let settings = EvaluationSettings { known_edges: Some(path), ..state.view.evaluation.clone() };
    Action::SetEvaluation(Box::new(settings))
}

/// Let the next training start from the network in `path`, with the other settings that it has already.
pub(in crate::app) fn start_from(state: &State, path: PathBuf) -> Action {
    let mut config = state.document.training.clone();
    config.prior_network = Some(match config.prior_network.take() {
        Some(settings) => PriorNetwork { file: path, hash: String::new(), ..settings },
        None => PriorNetwork::new(path),
    });
    Action::SetTraining(Box::new(config), state.document.device)
}

/// The folder worked in last; for the choices about the data set, that of the data set.
fn folder(purpose: &Purpose, state: &State) -> Option<PathBuf> {
    let sources = &state.document.sources;
    if let Purpose::Labels(data) = purpose {
        return data.parent().filter(|folder| folder.is_dir()).map(PathBuf::from);
    }
    if let (Purpose::SaveChoices, Some(file)) = (purpose, &sources.dataset) {
        return file.path.parent().filter(|folder| folder.is_dir()).map(PathBuf::from);
    }
    let model = sources.model.as_ref().or(sources.network.as_ref()).map(|file| &file.path);
    let dataset = sources.dataset.as_ref().map(|file| &file.path);
    let recent = state.view.preferences.recent.first();
    let path = state.runtime.session_path.as_ref().or(model).or(dataset).or(recent)?;
    path.parent().filter(|folder| folder.is_dir()).map(PathBuf::from)
}

/// A name for the file to be written.
fn suggestion(purpose: &Purpose, state: &State) -> String {
    let dataset = state.runtime.dataset.as_ref().map(|dataset| dataset.name().to_owned());
    let model = state.runtime.model.as_ref().map(|model| model.card().dataset.name.clone());
    let network = state.runtime.network_file.as_ref().map(|file| file.name.clone());
    let stem = dataset.or(model).or(network).filter(|name| !name.is_empty()).unwrap_or_else(|| "untitled".to_owned());
    match purpose {
        Purpose::Open
        | Purpose::Locate(_)
        | Purpose::Labels(_)
        | Purpose::Regulators
        | Purpose::Evaluate
        | Purpose::KnownEdges
        | Purpose::PriorNetwork
        | Purpose::Attach(_) => String::new(),
        Purpose::SaveSession => format!("{stem}.{}", session::EXTENSION),
        Purpose::SaveModel => format!("{stem}.safetensors"),
        // Beside the data, where it is found by itself.
        Purpose::SaveChoices => state.document.sources.dataset.as_ref().map_or_else(
            || format!("{stem}{}", import_choices::ENDING),
            |file| file_name(&import_choices::beside(&file.path)),
        ),
        Purpose::Export(request) => format!("{stem}-{}.{}", request.name, request.format.extension()),
    }
}
