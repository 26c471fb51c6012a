//! Everything that changes state: panels push these, one place applies them.

use std::path::PathBuf;
use std::sync::Arc;

use super::attached::Attachment;
use super::evaluations::EvaluationSettings;
use super::findings::PickedLabels;
use super::state::{DataSection, Dialog, HeldBack, MessageId, MissingKind, PickTool, Tab, TableKind, WaveView};
use super::theme::ThemeChoice;
use crate::data::ImportOptions;
use crate::document::{Comparing, FigurePage, Layout, NetworkFilter, NoteSubject, PathQuery, Style};
use crate::figures::{FigureMetadata, Scene};
use crate::models::{AskedCells, TrainConfig};
use crate::network::Grn;
use crate::network::formats::NetworkFormat;
use crate::preprocess::differential::Test;
use crate::tasks::networks::Extras;
use crate::training::DeviceChoice;

/// One change.
#[derive(Clone, Debug)]
pub enum Action {
    // Files
    /// Ask for a file to open.
    AskOpen,
    /// Open a data set, model or session; its content decides which.
    OpenPath(PathBuf),
    /// Open a data set, deciding what its rules could not.
    OpenWith(PathBuf, Box<ImportOptions>),
    /// Open the bundled sample.
    OpenSample,
    /// Read the open data set again with other choices.
    ReadAgain(Box<ImportOptions>),
    /// Tell what a file would be read as with these choices.
    PreviewImport(PathBuf, Box<ImportOptions>),
    /// Ask for a file with labels of the cells of the data set in this file.
    AskLabels(PathBuf),
    /// Offer this labels file as a choice.
    PickLabels(Box<PickedLabels>),
    /// Ask where to save how the data set is read.
    SaveChoices,
    /// Save it here.
    SaveChoicesTo(PathBuf),
    /// Save the session where it was saved last, or ask.
    SaveSession,
    /// Ask where to save the session.
    SaveSessionAs,
    /// Save the session here.
    SaveSessionTo(PathBuf),
    /// Ask where to save the model.
    SaveModel,
    /// Save the model here.
    SaveModelTo(PathBuf),
    /// Ask where a file is that a session refers to.
    AskLocate(MissingKind),
    /// A file that a session refers to is here now; none to open without it.
    Locate(MissingKind, Option<PathBuf>),
    /// Write a figure or table; asks where if the request has no path.
    Export(ExportRequest),
    /// Forget the list of recent files.
    ClearRecent,

    // Document; each is an undo step, those marked "drag" join while a pointer button is down
    /// Select a gene; `extend` toggles it in the selection.
    Select {
        /// Its symbol.
        gene: String,
        /// Keep what is selected.
        extend: bool,
    },
    /// Select exactly these genes.
    SelectAll(Vec<String>),
    /// Select nothing.
    ClearSelection,
    /// Ask for a file with a list of regulators.
    AskRegulators,
    /// Ask for a network from which the next training starts.
    AskPriorNetwork,
    /// Judge the open model, or the one in this file, on the open data set.
    Evaluate(Option<PathBuf>),
    /// Ask for another model to judge beside the open one.
    AskEvaluate,
    /// End the evaluation under way.
    StopEvaluation,
    /// Take a judged model off the page, by its number.
    ForgetEvaluation(usize),
    /// Judge in another way from now on.
    SetEvaluation(Box<EvaluationSettings>),
    /// Ask for a file with known edges to judge networks by.
    AskKnownEdges,
    /// Read a list of regulators and show only their edges.
    ReadRegulators(PathBuf),
    /// Show other genes and edges (drag).
    SetFilter(Box<NetworkFilter>),
    /// Look for paths and point them out; none to end it (drag).
    SetPaths(Option<PathQuery>),
    /// Put a node somewhere (drag). The node is pinned.
    MoveNode {
        /// Its symbol.
        gene: String,
        /// In layout units.
        position: [f32; 2],
    },
    /// Keep a node where it is, or let the layout move it.
    PinNode {
        /// Its symbol.
        gene: String,
        /// Keep it.
        pinned: bool,
    },
    /// Lay out in another way (all nodes are unpinned), or with other forces (drag).
    SetLayout(Box<Layout>),
    /// Let all nodes that are not pinned move again, from where they are.
    RunLayout,
    /// Unpin all nodes and lay them out anew.
    ResetLayout,
    /// The layout came to rest: remember the positions. Not an undo step.
    SettleLayout(Vec<(String, [f32; 2])>),
    /// Perturb exactly these genes by these doses (drag); the prediction follows in the background.
    KnockOut(Vec<(String, f32)>),
    /// Perturb nothing.
    ClearKnockOut,
    /// Which cells the knock-out is asked about.
    AskOf(AskedCells),
    /// Let colours, sizes and widths of the network say something else.
    SetStyle(Box<Style>),
    /// Lay another network beside the open one, or put it away; what is to be compared is at hand, or asked for.
    SetComparing(Option<Comparing>),
    /// The same, and show the page of the comparison.
    Compare(Comparing),
    /// Ask for a file to lay beside the network.
    AskAttach(Attachment),
    /// Lay this file beside the network. Not an undo step: it says where something is.
    Attach(Attachment, PathBuf),
    /// Put it away.
    Detach(Attachment),
    /// Change the settings of the next training run (drag).
    SetTraining(Box<TrainConfig>, DeviceChoice),
    /// Change the figure page (drag).
    SetPage(Box<FigurePage>),
    /// Write down something (typing is a drag); no text removes the note.
    SetNote(NoteSubject, String),
    /// Take back the last step.
    Undo,
    /// Repeat the step taken back last.
    Redo,

    // View
    /// Compare this perturbation in the response view; none for the overview.
    ShowPerturbation(Option<String>),
    /// Show a page.
    SetTab(Tab),
    /// Show a part of the data page.
    ShowSection(DataSection),
    /// Test genes in another way.
    SetTest(Test),
    /// What a drag on the network does.
    SetTool(PickTool),
    /// Show this table below the network, or none.
    ShowTable(Option<TableKind>),
    /// Show the wave from the knocked-out genes, so far and going on or not; none to end it.
    SetWave(Option<WaveView>),
    /// Show or hide the side panel.
    ToggleSidePanel,
    /// Light, dark or as the system.
    SetTheme(ThemeChoice),
    /// Size of everything, 1 is 100 %.
    SetZoom(f32),
    /// Ask or tell something in front of the window.
    ShowDialog(Dialog),
    /// Put it away; what it asked stays as it is.
    CloseDialog,
    /// Put the cursor into the gene search.
    FocusSearch,
    /// Let a running layout wait, or go on.
    PauseLayout(bool),
    /// Show the whole network.
    FitNetwork,
    /// Show the network as it is learned while training runs.
    FollowTraining(bool),
    /// Remove a message.
    Dismiss(MessageId),

    // Work
    /// Train on the open data set.
    StartTraining(Box<TrainConfig>, DeviceChoice),
    /// The same, also where the memory that is free will not do by the estimate.
    StartTrainingAnyway(Box<TrainConfig>, DeviceChoice),
    /// Let training wait, or go on.
    PauseTraining(bool),
    /// End training and keep the best epoch.
    StopTraining,
    /// End training and discard it.
    CancelTraining,
    /// End the opening of a file.
    CancelOpening,
    /// Look for doublets among the cells.
    FindDoublets,
    /// Stop looking for them.
    CancelDoublets,
    /// Stop testing edges on held-out cells.
    CancelEdgeTests,
    /// Test them after it was stopped.
    TestEdgesAgain,
    /// Test the edges shown on held-out cells: one is pointed at.
    TestShownEdges,
    /// End the test of a perturbation.
    CancelTesting,
    /// Test the perturbation shown again after it was cancelled or failed.
    TestAgain,
    /// Close the window; asks first if something is unsaved.
    Quit,
    /// Do what was held back, losing what is unsaved.
    Discard(HeldBack),
    /// Open what a window left that was not closed.
    Recover,
    /// The same, and go on with the training run that was under way.
    RecoverAndTrain,
    /// Throw it away.
    ForgetLost,
    /// Save what is unsaved, then do what was held back.
    SaveThen(HeldBack),
}

/// What to write.
#[derive(Clone, Debug)]
pub enum ExportContent {
    /// A drawing, and how it was made.
    Figure(Arc<Scene>, Box<FigureMetadata>),
    /// The network in a format of network files, with what is known of it.
    Network(Arc<NetworkParts>),
    /// Edges as TSV: regulator, target, rank, probability, sign, evidence. Those shown, or all.
    Edges {
        /// Not only those shown.
        all: bool,
    },
    /// The prediction as TSV: gene, shift, expression in control cells.
    Effects,
    /// A finished TSV table.
    Table(Arc<str>),
    /// A TSV table that is made while it is written.
    Made(TableMaker),
}

/// A network to be written for other programs.
#[derive(Clone)]
pub struct NetworkParts {
    /// The whole network.
    pub network: Arc<Grn>,
    /// Which of its edges.
    pub filter: NetworkFilter,
    /// What goes with it; statistics are computed where they are missing.
    pub extras: Extras,
}

impl std::fmt::Debug for NetworkParts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("NetworkParts").field("filter", &self.filter).finish_non_exhaustive()
    }
}

/// Makes the text of a large table, away from the frame.
#[derive(Clone)]
pub struct TableMaker(pub Arc<dyn Fn() -> String + Send + Sync>);

impl std::fmt::Debug for TableMaker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TableMaker")
    }
}

/// File formats of a drawing or a network; tables are TSV.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    /// Scalable, text stays text.
    #[default]
    Svg,
    /// Scalable, for print.
    Pdf,
    /// Pixels.
    Png,
    /// Tab-separated values.
    Tsv,
    /// A page for a browser.
    Html,
    /// Numbers for programs.
    Json,
    /// One of the formats of networks.
    Network(NetworkFormat),
}

impl ExportFormat {
    /// The extension of its files, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Tsv => "tsv",
            Self::Html => "html",
            Self::Json => "json",
            Self::Network(format) => format.extension(),
        }
    }
}

/// A figure or table to write.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// File name to suggest, without extension: `network`.
    pub name: String,
    /// What.
    pub content: ExportContent,
    /// How.
    pub format: ExportFormat,
    /// Width of a drawing in millimetres; its height follows.
    pub width_mm: f32,
    /// Pixels per inch of a PNG.
    pub dpi: f32,
    /// Where; asked if none.
    pub path: Option<PathBuf>,
}
