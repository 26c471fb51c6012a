//! All state of the window, in three parts: what is edited and saved, how it is looked at, and what is running.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::action::ExportRequest;
use super::attached::{Attached, Attachment, Other};
use super::command::Command;
use super::evaluations::{EvaluationSettings, Evaluations};
use super::findings::{EdgeTesting, Explanation, Findings, FoundWave, ImportPreview, PathFinding};
use super::memo::Memo;
use super::opened;
use super::theme::ThemeChoice;
use super::work::Recovered;
use crate::data::Summary;
use crate::data::{Dataset, ImportOptions};
use crate::document::{ComparedWith, Document};
use crate::history::History;
use crate::jobs::ProgressUpdate;
use crate::models::{AskedCells, EpochMetrics, PredictedEffect, TrainConfig, TrainedModel};
use crate::network::Grn;
use crate::preprocess::differential::Test;
use crate::preprocess::target_check::TargetCheck;
use crate::tasks::figure::Page;
use crate::tasks::networks::OpenedNetwork;
use crate::training::NetworkSnapshot;

/// All state. Panels and views get it to read.
#[derive(Default)]
pub struct State {
    /// What the user edits: undoable, and saved in a session.
    pub document: Document,
    /// Earlier and undone documents.
    pub history: History<Document>,
    /// How it is looked at: [`Preferences`] are kept between runs, the rest is not.
    pub view: ViewState,
    /// What is loaded and running: never saved.
    pub runtime: Runtime,
    /// What several views need of it.
    pub(super) memo: Memo,
}

impl State {
    /// The network to show: the live one while the view follows the training, else the model's, else that of the network
    /// file.
    pub fn network(&self) -> Option<&Arc<Grn>> {
        let live = self.runtime.training.as_ref().filter(|_| self.view.follow_training);
        live.and_then(|run| run.snapshot.as_ref())
            .map(|snapshot| &snapshot.network)
            .or_else(|| self.runtime.model.as_ref().map(|model| model.network()))
            .or_else(|| self.runtime.network_file.as_ref().map(|file| &file.grn))
    }

    /// The network that is open, not one that is still being learned: the model's, else that of the network file.
    pub fn settled_network(&self) -> Option<&Arc<Grn>> {
        let runtime = &self.runtime;
        let model = runtime.model.as_ref().map(|model| model.network());
        model.or_else(|| runtime.network_file.as_ref().map(|file| &file.grn))
    }

    /// What is open as network, with what it came with: the model, or the network file.
    pub fn opened_network(&self) -> Option<Arc<OpenedNetwork>> {
        let runtime = &self.runtime;
        match &runtime.model {
            Some(model) => Some(Arc::new(OpenedNetwork::of_model(opened::title(self), model.clone()))),
            None => runtime.network_file.clone(),
        }
    }

    /// The network that the document compares with, if it is at hand.
    pub fn other_network(&self) -> Option<Other> {
        let attached = &self.runtime.attached;
        match self.document.comparing.as_ref()?.with {
            ComparedWith::File => attached.compared.clone().map(Other::Network),
            ComparedWith::Before => attached.before.clone().map(Other::Network),
            ComparedWith::Reference => attached.reference.clone().map(Other::Reference),
        }
    }

    /// Whether the network shown comes from a file of edges: there is no model to ask.
    pub fn has_no_model(&self) -> bool {
        self.runtime.model.is_none() && self.runtime.network_file.is_some()
    }

    /// Whether the network shown is still being learned.
    pub fn network_is_live(&self) -> bool {
        self.view.follow_training && self.runtime.training.as_ref().is_some_and(|run| run.snapshot.is_some())
    }

    /// What would be lost if another file were opened or the window closed, in words; none if nothing.
    pub fn unsaved(&self) -> Option<&'static str> {
        let edited = self.runtime.saved_document.as_ref().is_some_and(|saved| *saved != self.document);
        if self.is_training() {
            Some("A training run is under way")
        } else if self.runtime.model_unsaved {
            Some("The model trained here is in no file yet")
        } else if edited {
            Some("The session has changes that are not saved")
        } else {
            None
        }
    }

    /// The wave through the network shown, if one is asked for and known.
    pub fn wave(&self) -> Option<(WaveView, &Arc<FoundWave>)> {
        let found = self.runtime.wave.as_ref()?;
        let network = self.network().filter(|_| !self.network_is_live())?;
        self.view.wave.filter(|_| Arc::ptr_eq(&found.network, network)).map(|view| {
            let step = view.step.min(found.last());
            (WaveView { step, ..view }, found)
        })
    }

    /// Whether a wave could be shown: genes of the network are knocked out.
    pub fn can_show_wave(&self) -> bool {
        let network = self.network().filter(|_| !self.network_is_live());
        network.is_some_and(|network| self.document.knock_out.keys().any(|gene| network.find(gene).is_some()))
    }

    /// The share of cells that respond to the knock-out; 1 where none is known to escape, or nothing is asked.
    pub fn responding_share(&self) -> f32 {
        let genes = self.document.knock_out.keys().map(String::as_str);
        self.runtime.model.as_ref().map_or(1.0, |model| model.responding_share(genes))
    }

    /// Whether the knock-out is asked about the cells that respond, and others do not.
    pub fn asks_of_responding(&self) -> bool {
        self.document.asked_cells == AskedCells::Responding && self.responding_share() < 1.0
    }

    /// Whether a training run is under way.
    pub fn is_training(&self) -> bool {
        self.runtime.training.is_some()
    }
}

/// Pages of the window's centre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tab {
    /// What was opened.
    #[default]
    Data,
    /// Filter, search and inspector: a page of their own where there is no room for the side panel.
    Genes,
    /// The network (with the response beside it where there is room).
    Network,
    /// Predicted against measured response.
    Response,
    /// Settings and course of the training.
    Training,
    /// How well models do.
    Evaluation,
    /// The figure for the paper.
    Figure,
    /// The network beside another one.
    Compare,
    /// What pairs of genes do beyond the sum of what each does.
    Interactions,
}

/// What a drag between the nodes of the network does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PickTool {
    /// Moves the picture.
    #[default]
    Pan,
    /// Selects what lies in a box.
    Box,
    /// Selects what a line surrounds.
    Lasso,
}

/// Tables below the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// One row per gene.
    Genes,
    /// One row per edge.
    Edges,
    /// One row per gene set, tested for the selection.
    GeneSets,
    /// What the user wrote down.
    Notes,
}

/// Parts of the data page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DataSection {
    /// How the file was read, and whether the perturbations worked.
    #[default]
    Import,
    /// Quality of the cells.
    Quality,
    /// Which guides work.
    Guides,
    /// What each perturbation changes.
    Differential,
}

/// Kept between runs, in eframe's storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Light, dark or as the system.
    pub theme: ThemeChoice,
    /// Size of everything, 1 to 2.
    pub zoom: f32,
    /// Files opened before, latest first.
    pub recent: Vec<PathBuf>,
    /// Whether the side panel is shown.
    pub side_panel: bool,
    /// The window was opened before: the sample is not opened by itself any more.
    pub opened_before: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { theme: ThemeChoice::System, zoom: 1.0, recent: Vec::new(), side_panel: true, opened_before: false }
    }
}

/// How the document is looked at.
#[derive(Clone, Debug, Default)]
pub struct ViewState {
    /// Kept between runs.
    pub preferences: Preferences,
    /// The page shown.
    pub tab: Tab,
    /// The part of the data page shown.
    pub section: DataSection,
    /// How genes are tested.
    pub test: Test,
    /// How models are judged.
    pub evaluation: EvaluationSettings,
    /// The perturbation that the response view compares and the volcano plot shows.
    pub perturbation: Option<String>,
    /// Show the network as it is learned.
    pub follow_training: bool,
    /// What a drag on the network does.
    pub tool: PickTool,
    /// The table shown below the network.
    pub table: Option<TableKind>,
    /// Set for one frame: the gene search should take the cursor.
    pub focus_search: bool,
    /// Set for one frame: the network view should show everything.
    pub fit_network: bool,
    /// Set for one frame: the layout should move all nodes again, from where they are.
    pub run_layout: bool,
    /// A running layout of the network waits.
    pub layout_paused: bool,
    /// The wave from the knocked-out genes that is shown on the network.
    pub wave: Option<WaveView>,
    /// What is asked or told in front of the window.
    pub dialog: Option<Dialog>,
}

/// How far a wave through the network is shown, and whether it goes on by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaveView {
    /// What has arrived with this step and those before it is shown; with 0 only where the wave starts.
    pub step: usize,
    /// It goes on by itself.
    pub playing: bool,
}

/// What is asked or told in front of the window; one at a time.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    /// Search all commands and genes.
    Palette,
    /// Type a path.
    Path {
        /// Why it is asked, if not by the user.
        reason: Option<String>,
        /// What is done with the path.
        purpose: PathPurpose,
        /// What is in the field at first.
        suggestion: String,
    },
    /// A data set whose labels the rules do not understand.
    Import {
        /// The file.
        path: PathBuf,
        /// What was tried.
        options: Box<ImportOptions>,
        /// What is wrong.
        problem: String,
    },
    /// Something would be lost.
    Unsaved(HeldBack),
    /// Files that a session refers to are gone.
    Missing,
    /// Paste a list of genes.
    SelectList,
    /// All keys, and what the pointer does.
    Shortcuts,
    /// What the program is.
    About,
    /// Unsaved work of a window that was not closed.
    Recover(LostWork),
}

/// Unsaved work of a window that was not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostWork {
    /// What was open.
    pub name: String,
    /// The file of the session, if it has one.
    pub session: Option<PathBuf>,
    /// A model was trained that is in no file.
    pub model_unsaved: bool,
    /// A training run was under way that can go on.
    pub run: bool,
    /// How long ago it was kept.
    pub age: std::time::Duration,
}

/// What a path is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPurpose {
    /// To open.
    Open,
    /// To save the session.
    SaveSession,
    /// To save the model.
    SaveModel,
    /// To find a file that a session refers to.
    Locate(MissingKind),
    /// To write the figure or table that was asked for last.
    Export,
    /// To write how the data set is read.
    SaveChoices,
    /// To label the cells of the data set in this file.
    Labels(PathBuf),
    /// To read a list of regulators.
    Regulators,
    /// To judge the model in it.
    Evaluate,
    /// To judge networks by the known edges in it.
    KnownEdges,
    /// A network from which the next training starts.
    PriorNetwork,
    /// To lay beside the network.
    Attach(Attachment),
}

/// Held back until the user decided about what is unsaved.
#[derive(Clone, Debug, PartialEq)]
pub enum HeldBack {
    /// Closing the window.
    Quit,
    /// Opening a file.
    Open(PathBuf),
    /// Opening a data set with these decisions.
    OpenWith(PathBuf, Box<ImportOptions>),
    /// Opening the sample.
    OpenSample,
}

/// Which of a session's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MissingKind {
    /// The data set.
    Dataset,
    /// The model.
    Model,
    /// The network file.
    Network,
}

impl MissingKind {
    /// `data set`, `model` or `network file`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Dataset => "data set",
            Self::Model => "model",
            Self::Network => "network file",
        }
    }
}

/// A session whose files are not all there.
#[derive(Clone, Debug, PartialEq)]
pub struct IncompleteSession {
    /// The session's file.
    pub path: PathBuf,
    /// What it says, with the files located so far.
    pub document: Document,
    /// What is still missing.
    pub missing: Vec<MissingKind>,
    /// It was not saved, but kept for the case of a crash.
    pub(super) recovered: Option<Recovered>,
}

/// What is loaded and running.
#[derive(Default)]
pub struct Runtime {
    /// The open data set.
    pub dataset: Option<Arc<Dataset>>,
    /// The open model.
    pub model: Option<Arc<TrainedModel>>,
    /// The open network file; there is no model beside it.
    pub network_file: Option<Arc<OpenedNetwork>>,
    /// The open data set in numbers.
    pub summary: Option<Arc<Summary>>,
    /// Whether its perturbations worked.
    pub targets: Option<Arc<TargetCheck>>,
    /// What a file would be read as with the choices asked about last.
    pub preview: ImportPreview,
    /// What was computed of the open data set on demand.
    pub findings: Findings,
    /// How well models do on the open data set, as far as that was asked.
    pub evaluations: Evaluations,
    /// What lies beside the network: reference network, table of genes, gene sets.
    pub attached: Attached,
    /// A session waiting for the user to locate its files.
    pub incomplete: Option<IncompleteSession>,
    /// The paths that the document asks for.
    pub paths: PathFinding,
    /// Why the selected gene moves; of an earlier question while the last is being answered.
    pub explanation: Option<Arc<Explanation>>,
    /// The wave asked for last; of an earlier question while the last is being answered.
    pub wave: Option<Arc<FoundWave>>,
    /// What held-out cells say of the edges.
    pub edge_testing: EdgeTesting,
    /// What was predicted for the document's knock-out.
    pub prediction: Prediction,
    /// The figure page.
    pub page: PageDrawing,
    /// The training run under way.
    pub training: Option<TrainingRun>,
    /// Curves of the last run that ended in this window, shown until a model with its own history is opened.
    pub last_run: Option<TrainingRun>,
    /// Work under way, for the status bar.
    pub activities: Vec<Activity>,
    /// What the user should know, latest last.
    pub messages: Vec<Message>,
    /// The session's file, once saved or opened.
    pub session_path: Option<PathBuf>,
    /// The document as last saved; none if never.
    pub saved_document: Option<Document>,
    /// The model was trained here and is in no file yet.
    pub model_unsaved: bool,
    /// What waits for the user to type where to write it.
    pub export_waiting: Option<ExportRequest>,
    /// What is done once everything is saved.
    pub after_saving: Option<HeldBack>,
    next_message: u64,
}

/// The figure page, as far as it is drawn.
#[derive(Clone, Debug, Default)]
pub enum PageDrawing {
    /// Nobody asked, or it is drawn for the first time.
    #[default]
    None,
    /// Here it is; with earlier settings while it is drawn anew.
    Ready(Arc<Page>),
    /// It cannot be drawn; why.
    Failed(String),
}

/// The answer to the document's knock-out.
#[derive(Clone, Debug, Default)]
pub enum Prediction {
    /// Nothing was asked.
    #[default]
    None,
    /// It is being computed; `previous` may be shown meanwhile.
    Pending {
        /// The answer before.
        previous: Option<Arc<PredictedEffect>>,
    },
    /// Here it is.
    Ready(Arc<PredictedEffect>),
    /// It cannot be answered; why.
    Failed(String),
}

impl Prediction {
    /// The newest answer there is; while another is computed, the one before.
    pub fn effect(&self) -> Option<&Arc<PredictedEffect>> {
        match self {
            Self::Ready(effect) => Some(effect),
            Self::Pending { previous } => previous.as_ref(),
            Self::None | Self::Failed(_) => None,
        }
    }
}

/// A training run as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct TrainingRun {
    /// Its settings.
    pub config: TrainConfig,
    /// The device in use, in words.
    pub device: Option<String>,
    /// Of an ensemble: the number of the member under way, of how many.
    pub member: Option<(u32, u32)>,
    /// Every epoch so far, of the member under way.
    pub epochs: Vec<EpochMetrics>,
    /// The network as it stands.
    pub snapshot: Option<NetworkSnapshot>,
    /// What is being done now.
    pub progress: ProgressUpdate,
    /// Seconds since the start.
    pub elapsed: f32,
    /// It waits to be let go on.
    pub paused: bool,
    /// Stop was asked for.
    pub stopping: bool,
    /// How it ended; none while it runs.
    pub ended: Option<String>,
}

impl TrainingRun {
    /// Whether it can be paused: what comes before the epochs cannot wait.
    pub fn can_pause(&self) -> bool {
        self.device.is_some() && !self.stopping
    }

    /// Epoch with the lowest validation loss so far.
    pub fn best(&self) -> Option<&EpochMetrics> {
        self.epochs.iter().min_by(|a, b| a.validation.total.total_cmp(&b.validation.total))
    }

    /// Seconds left if every epoch allowed is run; none before the first epoch.
    pub fn seconds_left(&self) -> Option<f32> {
        let recent = &self.epochs[self.epochs.len().saturating_sub(10)..];
        let done = recent.last()?.epoch;
        let mean = recent.iter().map(|epoch| epoch.seconds).sum::<f32>() / recent.len() as f32;
        let members = self.member.map_or(0, |(number, of)| of.saturating_sub(number));
        let most = self.config.model.epochs;
        Some(mean * (most.saturating_sub(done) + members * most) as f32)
    }
}

/// Work under way, for the status bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    /// `Opening papalexi2021.h5ad`.
    pub name: String,
    /// How far it is.
    pub progress: ProgressUpdate,
}

/// Names a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(u64);

/// How serious a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It worked.
    Done,
    /// Something to know.
    Warning,
    /// It did not work.
    Error,
}

/// Something the user should know.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// For dismissing it.
    pub id: MessageId,
    /// How serious.
    pub severity: Severity,
    /// What happened: `notes.txt cannot be opened`.
    pub title: String,
    /// Why.
    pub detail: String,
    /// What to do.
    pub remedy: String,
    /// A command that does it.
    pub command: Option<Command>,
}

impl Runtime {
    /// Tell the user something. Successes replace earlier successes; the same failure is not told twice.
    pub fn tell(
        &mut self,
        severity: Severity,
        title: impl Into<String>,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (title, detail, remedy) = (title.into(), detail.into(), remedy.into());
        self.messages.retain(|message| {
            message.title != title && !(severity == Severity::Done && message.severity == Severity::Done)
        });
        self.next_message += 1;
        self.messages.push(Message {
            id: MessageId(self.next_message),
            severity,
            title,
            detail,
            remedy,
            command: None,
        });
    }

    /// Offer `command` beside the message told last.
    pub fn offer(&mut self, command: Command) {
        if let Some(message) = self.messages.last_mut() {
            message.command = Some(command);
        }
    }

    /// Whether work other than training is under way.
    pub fn is_busy(&self) -> bool {
        !self.activities.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_failure_is_told_once_and_successes_replace_each_other() {
        let mut runtime = Runtime::default();
        runtime.tell(Severity::Error, "A", "x", "");
        runtime.tell(Severity::Error, "A", "y", "");
        runtime.tell(Severity::Done, "B", "", "");
        runtime.tell(Severity::Done, "C", "", "");
        let titles: Vec<&str> = runtime.messages.iter().map(|message| message.title.as_str()).collect();
        assert_eq!(titles, ["A", "C"]);
        assert_eq!(runtime.messages[0].detail, "y");
    }

    #[test]
    fn time_left_follows_the_recent_epochs() {
        let mut run = TrainingRun::default();
        assert_eq!(run.seconds_left(), None);
        run.config.model.epochs = 30;
        for epoch in 1..=20 {
            let seconds = if epoch <= 10 { 100.0 } else { 2.0 };
            run.epochs.push(EpochMetrics { epoch, seconds, ..EpochMetrics::default() });
        }
        assert_eq!(run.seconds_left(), Some(20.0));
    }
}
