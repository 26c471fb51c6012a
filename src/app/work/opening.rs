//! Opening data sets, models, sessions and the sample.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use super::autosaving::Recovered;
use super::{DEFECT, Failure, Work, file_name};
use crate::app::action::Action;
use crate::app::state::{Dialog, IncompleteSession, MissingKind, Severity, State};
use crate::data::{Dataset, ImportOptions, KeptGenes, Summary};
use crate::document::{Document, FileReference};
use crate::jobs::{Cancelled, Job, Outcome, Progress};
use crate::models::TrainedModel;
use crate::network::formats::FormatError;
use crate::preprocess::target_check::TargetCheck;
use crate::session;
use crate::session::recovery::{About, Lost};
use crate::tasks::import_choices::Decisions;
use crate::tasks::networks::{self, OpenedNetwork};
use crate::tasks::open::{self, FileKind};
use crate::tasks::sample;

/// What is to be opened.
#[derive(Clone, Debug)]
pub(in crate::app) enum OpenRequest {
    /// Whatever this path holds.
    Path(PathBuf),
    /// A data set, with decisions.
    Dataset(PathBuf, Box<ImportOptions>),
    /// The bundled sample.
    Sample,
    /// A session whose files were located.
    Session(Box<IncompleteSession>),
    /// What a window left that was not closed.
    Lost(Arc<Lost>),
}

impl OpenRequest {
    fn name(&self) -> String {
        match self {
            Self::Path(path) | Self::Dataset(path, _) => file_name(path),
            Self::Sample => "the sample".to_owned(),
            Self::Session(session) => file_name(&session.path),
            Self::Lost(_) => "the unsaved work".to_owned(),
        }
    }
}

/// A data set and what is known of it.
pub(in crate::app) struct OpenedDataset {
    pub(in crate::app) dataset: Arc<Dataset>,
    pub(in crate::app) summary: Arc<Summary>,
    pub(in crate::app) targets: Arc<TargetCheck>,
    pub(in crate::app) reference: FileReference,
    pub(in crate::app) options: ImportOptions,
}

/// A model and its file.
pub(in crate::app) struct OpenedModel {
    pub(in crate::app) model: Arc<TrainedModel>,
    pub(in crate::app) reference: FileReference,
}

/// A network file.
pub(in crate::app) struct OpenedNetworkFile {
    pub(in crate::app) opened: Arc<OpenedNetwork>,
    pub(in crate::app) reference: FileReference,
}

/// What was opened.
#[derive(Default)]
pub(in crate::app) struct Opened {
    pub(in crate::app) dataset: Option<OpenedDataset>,
    pub(in crate::app) model: Option<OpenedModel>,
    /// Without data and model.
    pub(in crate::app) network: Option<OpenedNetworkFile>,
    pub(in crate::app) session: Option<(PathBuf, Document)>,
    /// A session that cannot be opened before its files are located.
    pub(in crate::app) incomplete: Option<IncompleteSession>,
    /// What is not as it was.
    pub(in crate::app) changed: Vec<String>,
    /// The document is one that was not saved.
    pub(in crate::app) recovered: Option<Recovered>,
    /// The path for the list of recent files.
    pub(in crate::app) path: Option<PathBuf>,
}

/// A file being opened.
pub(super) struct Opening {
    request: OpenRequest,
    pub(super) job: Job<Result<Opened, Failure>>,
}

impl Opening {
    pub(super) fn title(&self) -> String {
        format!("Opening {}", self.request.name())
    }
}

impl Work {
    /// Open something; what is being opened already is cancelled.
    pub(in crate::app) fn open(&mut self, request: OpenRequest) {
        let job = {
            let request = request.clone();
            Job::spawn("opening", self.wake(), move |progress| match open_request(&request, progress) {
                Ok(opened) => Ok(Ok(opened)),
                Err(error) if error.is::<Cancelled>() => Err(Cancelled),
                Err(error) => Ok(Err(Failure::new(&error, remedy(&error)))),
            })
        };
        self.opening = Some(Opening { request, job });
    }

    pub(in crate::app) fn cancel_opening(&mut self) {
        if let Some(opening) = &self.opening {
            opening.job.cancel();
        }
    }

    pub(super) fn poll_opening(&mut self, state: &mut State, actions: &mut Vec<Action>) {
        let Some(opening) = &mut self.opening else { return };
        let Some(outcome) = opening.job.poll() else { return };
        let Some(Opening { request, .. }) = self.opening.take() else { return };
        let title = format!("{} cannot be opened", request.name());
        match outcome {
            Outcome::Finished(Ok(opened)) => {
                let was_shown = self.show_opened(opened, state, actions);
                if let (true, OpenRequest::Lost(lost)) = (was_shown, request) {
                    self.take_over(&lost, state);
                }
            }
            Outcome::Finished(Err(failure)) => match import_question(&request, &failure) {
                Some(dialog) => actions.push(Action::ShowDialog(dialog)),
                None => state.runtime.tell(Severity::Error, title, failure.detail, failure.remedy),
            },
            Outcome::Cancelled => {}
            Outcome::Failed { message, panicked } => {
                let remedy = if panicked { DEFECT } else { "" };
                state.runtime.tell(Severity::Error, title, message, remedy);
            }
        }
    }

    fn show_opened(&mut self, opened: Opened, state: &mut State, actions: &mut Vec<Action>) -> bool {
        if let Some(incomplete) = opened.incomplete {
            state.runtime.incomplete = Some(incomplete);
            actions.push(Action::ShowDialog(Dialog::Missing));
            return false;
        }
        self.predicting.forget();
        super::super::opened::show(opened, state);
        true
    }
}

/// A data set whose labels were not understood can be opened with a few decisions.
fn import_question(request: &OpenRequest, failure: &Failure) -> Option<Dialog> {
    let (path, options) = match request {
        OpenRequest::Path(path) => (path.clone(), Box::default()),
        OpenRequest::Dataset(path, options) => (path.clone(), options.clone()),
        OpenRequest::Sample | OpenRequest::Session(_) | OpenRequest::Lost(_) => return None,
    };
    (failure.remedy == DECIDE).then(|| Dialog::Import { path, options, problem: failure.detail.clone() })
}

const DECIDE: &str = "Name the perturbation column and the control label";

fn remedy(error: &anyhow::Error) -> String {
    use crate::data::ImportError;
    use crate::data::h5ad::H5adError;
    use crate::data::text::TextError;
    if let Some(error) = error.downcast_ref::<H5adError>() {
        return match error {
            H5adError::Import(ImportError::Label(_) | ImportError::UnknownColumn { .. })
            | H5adError::UnknownMatrix { .. } => DECIDE,
            H5adError::Truncated { .. } | H5adError::Unreadable { .. } => "Copy or download the file again",
            H5adError::TooLarge { .. } => "Open it on a machine with more memory, or take fewer cells or genes",
            _ => "Check that it is an .h5ad file as anndata writes it",
        }
        .to_owned();
    }
    if let Some(error) = error.downcast_ref::<TextError>() {
        return match error {
            TextError::Import(ImportError::Label(_) | ImportError::UnknownColumn { .. }) => DECIDE,
            TextError::Read { .. } => "Copy or download the file again",
            TextError::Missing { .. } | TextError::Sizes { .. } => {
                "Keep matrix, genes and barcodes of one sample together in a folder"
            }
            TextError::OtherCells { .. } => "Take the table that belongs to this data set",
            TextError::TooLarge { .. } => {
                "Convert it to .h5ad, which is read in parts, or open it on a machine with more memory"
            }
            _ => "Correct that place in the file, or export it again",
        }
        .to_owned();
    }
    if error.downcast_ref::<FormatError>().is_some() {
        return "Correct that place in the file, or export it again".to_owned();
    }
    if error.downcast_ref::<toml::de::Error>().is_some() {
        return "Correct the file of choices beside the data, or delete it".to_owned();
    }
    match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
        Some(std::io::ErrorKind::NotFound) => "Check the path; the file may have been moved or deleted".to_owned(),
        Some(std::io::ErrorKind::PermissionDenied) => "Ask for permission to read the file".to_owned(),
        _ => {
            "Open a data set (.h5ad, .h5, .mtx, .csv, .tsv), a model (.safetensors), a network (.cx2, .graphml, .gexf, .sif, \
             .tsv, …) or a session (.grn.json)"
                .to_owned()
        }
    }
}

fn open_request(request: &OpenRequest, progress: &dyn Progress) -> anyhow::Result<Opened> {
    let mut opened = match request {
        OpenRequest::Path(path) => match open::kind_of(path)? {
            FileKind::Dataset => {
                // What was decided before, beside the data, is found by itself.
                Opened { dataset: Some(read_dataset(path, &Decisions::beside(path)?, progress)?), ..Opened::default() }
            }
            FileKind::Model => Opened { model: Some(read_model(path, progress)?), ..Opened::default() },
            FileKind::Session => read_session(path, progress)?,
            FileKind::Network => Opened { network: Some(read_network(path, progress)?), ..Opened::default() },
        },
        OpenRequest::Dataset(path, options) => {
            let decisions = Decisions::from((**options).clone());
            Opened { dataset: Some(read_dataset(path, &decisions, progress)?), ..Opened::default() }
        }
        OpenRequest::Sample => read_sample(progress)?,
        OpenRequest::Session(session) => {
            complete(&session.path, session.document.clone(), session.recovered.clone(), progress)?
        }
        OpenRequest::Lost(lost) => read_lost(lost, progress)?,
    };
    opened.path = match request {
        OpenRequest::Path(path) | OpenRequest::Dataset(path, _) => Some(path.clone()),
        OpenRequest::Session(session) if session.recovered.is_none() => Some(session.path.clone()),
        OpenRequest::Session(_) | OpenRequest::Sample | OpenRequest::Lost(_) => None,
    };
    Ok(opened)
}

fn read_dataset(path: &Path, decisions: &Decisions, progress: &dyn Progress) -> anyhow::Result<OpenedDataset> {
    let dataset = open::decided(path, decisions, progress)?;
    let summary = Arc::new(Summary::of(&dataset, progress)?);
    let targets = Arc::new(TargetCheck::of(&summary));
    let reference = FileReference { path: path.to_owned(), hash: dataset.hash().to_owned() };
    let mut options = decisions.options.clone();
    if dataset.whole_cells().is_some() && options.genes.is_none() {
        // What fitted today: a session opens the same again.
        options.genes = Some(KeptGenes::Count(dataset.gene_count()));
    }
    Ok(OpenedDataset { dataset, summary, targets, reference, options })
}

fn read_model(path: &Path, progress: &dyn Progress) -> anyhow::Result<OpenedModel> {
    let (model, reference) = open::model(path, progress)?;
    Ok(OpenedModel { model, reference })
}

fn read_network(path: &Path, progress: &dyn Progress) -> anyhow::Result<OpenedNetworkFile> {
    let opened = networks::read(path, progress)?;
    anyhow::ensure!(!opened.grn.edges().is_empty(), "it holds no edge");
    Ok(OpenedNetworkFile { opened: Arc::new(opened), reference: open::model_reference(path)? })
}

fn read_sample(progress: &dyn Progress) -> anyhow::Result<Opened> {
    let sample = sample::find();
    if sample.is_empty() {
        anyhow::bail!("the sample's files were not found beside the program");
    }
    let dataset = sample.dataset.map(|path| read_dataset(&path, &Decisions::default(), progress));
    let model = sample.model.map(|path| read_model(&path, progress));
    Ok(Opened { dataset: dataset.transpose()?, model: model.transpose()?, ..Opened::default() })
}

fn read_session(path: &Path, progress: &dyn Progress) -> anyhow::Result<Opened> {
    progress.stage("Reading the session", None);
    complete(path, session::load(path)?, None, progress)
}

fn read_lost(lost: &Lost, progress: &dyn Progress) -> anyhow::Result<Opened> {
    progress.stage("Reading the session", None);
    let About { session, model_unsaved, .. } = lost.about.clone();
    // A session that is gone is one with nothing in it.
    let saved = |path: PathBuf| {
        let document = session::load(&path).unwrap_or_default();
        (path, Box::new(document))
    };
    let recovered = Recovered { session: session.map(saved), model_unsaved };
    complete(&lost.slot.session(), lost.slot.read()?, Some(recovered), progress)
}

/// Open the files that `document` refers to; if one is gone, say which.
fn complete(
    path: &Path,
    document: Document,
    recovered: Option<Recovered>,
    progress: &dyn Progress,
) -> anyhow::Result<Opened> {
    let sources = &document.sources;
    let gone = |file: &Option<FileReference>| file.as_ref().is_some_and(|file| !file.path.exists());
    let missing: Vec<MissingKind> = [
        (MissingKind::Dataset, gone(&sources.dataset)),
        (MissingKind::Model, gone(&sources.model)),
        (MissingKind::Network, gone(&sources.network)),
    ]
    .into_iter()
    .filter(|(_, gone)| *gone)
    .map(|(kind, _)| kind)
    .collect();
    if !missing.is_empty() {
        let incomplete = IncompleteSession { path: path.to_owned(), document, missing, recovered };
        return Ok(Opened { incomplete: Some(incomplete), ..Opened::default() });
    }
    let mut changed = Vec::new();
    let dataset = sources.dataset.as_ref().map(|file| {
        let opened = read_dataset(&file.path, &Decisions::from(sources.import.clone()), progress)
            .with_context(|| format!("the session's data set {}", file.path.display()))?;
        if opened.reference.hash != file.hash {
            changed.push(format!("{} holds other data than when the session was saved", file.path.display()));
        }
        anyhow::Ok(opened)
    });
    let dataset = dataset.transpose()?;
    let model = sources.model.as_ref().map(|file| {
        let opened =
            read_model(&file.path, progress).with_context(|| format!("the session's model {}", file.path.display()))?;
        if opened.reference.hash != file.hash {
            changed.push(format!("{} is another model than when the session was saved", file.path.display()));
        }
        anyhow::Ok(opened)
    });
    let model = model.transpose()?;
    let network = sources.network.as_ref().filter(|_| model.is_none() && dataset.is_none()).map(|file| {
        let opened = read_network(&file.path, progress)
            .with_context(|| format!("the session's network {}", file.path.display()))?;
        if opened.reference.hash != file.hash {
            changed.push(format!("{} is another network than when the session was saved", file.path.display()));
        }
        anyhow::Ok(opened)
    });
    let network = network.transpose()?;
    let session = Some((path.to_owned(), document));
    Ok(Opened { dataset, model, network, session, changed, recovered, ..Opened::default() })
}
