//! The one place where actions change state.

use std::path::PathBuf;
use std::sync::Arc;

use super::action::{Action, ExportRequest};
use super::attached::Attachment;
use super::command::ZOOM;
use super::findings::PickedLabels;
use super::state::{Dialog, HeldBack, IncompleteSession, MissingKind, PathPurpose, State, Tab};
use super::work::{OpenRequest, Purpose, Work, known_edges, start_from};
use crate::document::{ComparedWith, Comparing, Document, Layout, NetworkFilter};
use crate::models::TrainConfig;
use crate::training::DeviceChoice;

/// What an action asks of the window itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Close it.
    Close,
}

/// Apply `action`.
pub(super) fn apply(action: Action, state: &mut State, work: &mut Work) -> Option<Request> {
    match action {
        Action::AskOpen => work.choose(Purpose::Open, state),
        Action::OpenPath(path) => return hold_back(HeldBack::Open(path), state, work),
        Action::OpenWith(path, options) => return hold_back(HeldBack::OpenWith(path, options), state, work),
        Action::OpenSample => return hold_back(HeldBack::OpenSample, state, work),
        Action::ReadAgain(options) => {
            if let Some(file) = state.document.sources.dataset.clone() {
                return hold_back(HeldBack::OpenWith(file.path, options), state, work);
            }
        }
        Action::PreviewImport(path, options) => work.preview(path, *options, state),
        Action::AskLabels(data) => work.choose(Purpose::Labels(data), state),
        Action::PickLabels(picked) => state.runtime.preview.labels = Some(Arc::new(*picked)),
        Action::SaveChoices => work.choose(Purpose::SaveChoices, state),
        Action::SaveChoicesTo(path) => work.save_choices(path, state),
        Action::SaveSession => match state.runtime.session_path.clone() {
            Some(path) => work.save_session(path, state),
            None => work.choose(Purpose::SaveSession, state),
        },
        Action::SaveSessionAs => work.choose(Purpose::SaveSession, state),
        Action::SaveSessionTo(path) => work.save_session(path, state),
        Action::SaveModel => work.choose(Purpose::SaveModel, state),
        Action::SaveModelTo(path) => work.save_model(path, state),
        Action::AskLocate(kind) => work.choose(Purpose::Locate(kind), state),
        Action::Locate(kind, path) => locate(kind, path, state, work),
        Action::Export(request) => match request.path.clone() {
            Some(path) => work.export(request, path, state),
            None => work.choose(Purpose::Export(Box::new(request)), state),
        },
        Action::ClearRecent => state.view.preferences.recent.clear(),

        Action::Select { gene, extend } => {
            let label = format!("Select {gene}");
            edit(state, label, None, |document| document.select(&gene, extend));
        }
        Action::SelectAll(genes) => edit(state, "Select genes", None, |document| document.selection = genes),
        Action::ClearSelection => edit(state, "Clear the selection", None, |document| document.selection.clear()),
        Action::AskPriorNetwork => work.choose(Purpose::PriorNetwork, state),
        Action::Evaluate(path) => work.evaluate(path, state),
        Action::AskEvaluate => work.choose(Purpose::Evaluate, state),
        Action::StopEvaluation => work.stop_evaluation(),
        Action::ForgetEvaluation(at) => state.runtime.evaluations.forget(at),
        Action::SetEvaluation(settings) => state.view.evaluation = *settings,
        Action::AskKnownEdges => work.choose(Purpose::KnownEdges, state),
        Action::AskRegulators => work.choose(Purpose::Regulators, state),
        Action::ReadRegulators(path) => work.read_regulators(path),
        Action::SetFilter(filter) => {
            let label = filter_label(&state.document.filter, &filter);
            edit(state, label, Some("filter"), |document| document.filter = *filter);
        }
        Action::SetPaths(paths) => {
            let label = match &paths {
                Some(query) => format!("Show paths from {} to {}", query.from, query.to),
                None => "End the paths".to_owned(),
            };
            edit(state, label, Some("paths"), |document| document.paths = paths);
        }
        Action::MoveNode { gene, position } => {
            let key = format!("move {gene}");
            edit(state, format!("Move {gene}"), Some(&key), |document| {
                Arc::make_mut(&mut document.positions).insert(gene.clone(), position);
                document.pinned.insert(gene.clone());
            });
        }
        Action::PinNode { gene, pinned } => {
            let label = if pinned { format!("Pin {gene}") } else { format!("Unpin {gene}") };
            edit(state, label, None, |document| {
                if pinned {
                    document.pinned.insert(gene.clone());
                } else {
                    document.pinned.remove(&gene);
                }
            });
        }
        Action::SetLayout(layout) => set_layout(*layout, state),
        Action::RunLayout => {
            // Where the nodes are now is what undo brings back.
            let before = state.document.clone();
            state.history.record("Run the layout again", before);
            state.view.run_layout = true;
        }
        Action::ResetLayout => edit(state, "Lay out anew", None, |document| {
            document.positions = Arc::default();
            document.pinned.clear();
        }),
        Action::SettleLayout(positions) => {
            // The layout's own doing: neither an undo step nor a change to be saved.
            for document in std::iter::once(&mut state.document).chain(&mut state.runtime.saved_document) {
                let kept = Arc::make_mut(&mut document.positions);
                for (gene, position) in &positions {
                    if !document.pinned.contains(gene) {
                        kept.insert(gene.clone(), *position);
                    }
                }
            }
        }
        Action::KnockOut(doses) => {
            let names: Vec<&str> = doses.iter().map(|(gene, _)| gene.as_str()).collect();
            let key = format!("knock out {}", names.join("+"));
            let label = format!("Knock out {}", names.join(" + "));
            edit(state, label, Some(&key), |document| document.knock_out = doses.iter().cloned().collect());
        }
        Action::AskOf(cells) => edit(state, "Ask about other cells", None, |document| document.asked_cells = cells),
        Action::ClearKnockOut => edit(state, "End the knock-out", None, |document| document.knock_out.clear()),
        Action::SetStyle(style) => edit(state, "Change the style", None, |document| document.style = *style),
        Action::SetComparing(comparing) => set_comparing(comparing, state),
        Action::Compare(comparing) => {
            set_comparing(Some(comparing), state);
            state.view.tab = Tab::Compare;
        }
        Action::AskAttach(kind) => work.choose(Purpose::Attach(kind), state),
        Action::Attach(kind, path) => {
            work.attach(kind, path, state);
            if kind == Attachment::Compared {
                let now = Comparing::with(ComparedWith::File);
                let overlaid = state.document.comparing.is_some_and(|before| before.overlaid);
                set_comparing(Some(Comparing { overlaid, ..now }), state);
                state.view.tab = Tab::Compare;
            }
        }
        Action::Detach(kind) => {
            *kind.source(&mut state.document.sources) = None;
            if kind == Attachment::Before {
                // It may be in no file.
                state.runtime.attached.before = None;
            }
        }
        Action::SetTraining(config, device) => {
            edit(state, "Change the training settings", Some("training"), |document| {
                document.training = *config;
                document.device = device;
            });
        }
        Action::SetPage(page) => {
            edit(state, "Change the figure", Some("figure page"), |document| document.page = *page);
        }
        Action::SetNote(subject, text) => {
            let about = format!("Note on {}", subject.describe());
            edit(state, about.clone(), Some(&about), |document| document.notes.write(subject, &text));
        }
        Action::Undo => step(state, true),
        Action::Redo => step(state, false),

        Action::ShowPerturbation(name) => state.view.perturbation = name,
        Action::SetTab(tab) => state.view.tab = tab,
        Action::ShowSection(section) => {
            state.view.tab = Tab::Data;
            state.view.section = section;
        }
        Action::SetTest(test) => state.view.test = test,
        Action::SetTool(tool) => state.view.tool = tool,
        Action::ShowTable(table) => {
            state.view.table = table;
            if table.is_some() {
                state.view.tab = Tab::Network;
            }
        }
        Action::SetWave(wave) => {
            // From another page the network comes forward; a step of the wave turns no page.
            if wave.is_some() && state.view.wave.is_none() {
                state.view.tab = Tab::Network;
            }
            state.view.wave = wave.filter(|_| state.can_show_wave());
        }
        Action::ToggleSidePanel => {
            let shown = &mut state.view.preferences.side_panel;
            *shown = !*shown;
        }
        Action::SetTheme(theme) => state.view.preferences.theme = theme,
        Action::SetZoom(zoom) => {
            // Steps of a percent: 1.1 + 0.1 + 0.1 stays on the scale.
            state.view.preferences.zoom = (zoom.clamp(*ZOOM.start(), *ZOOM.end()) * 100.0).round() / 100.0;
        }
        Action::ShowDialog(dialog) => state.view.dialog = Some(dialog),
        Action::CloseDialog => {
            state.runtime.export_waiting = None;
            state.view.dialog = None;
        }
        Action::FocusSearch => {
            state.view.focus_search = true;
            state.view.preferences.side_panel = true;
            // Where the side panel has room, this page is the network's.
            state.view.tab = Tab::Genes;
        }
        Action::PauseLayout(paused) => state.view.layout_paused = paused,
        Action::FitNetwork => state.view.fit_network = true,
        Action::FollowTraining(follow) => state.view.follow_training = follow,
        Action::Dismiss(id) => state.runtime.messages.retain(|message| message.id != id),

        Action::StartTraining(config, device) => {
            set_training(state, &config, device);
            if work.may_train(&config, device, state) {
                work.train(*config, device, false, state);
            }
        }
        Action::StartTrainingAnyway(config, device) => {
            set_training(state, &config, device);
            work.train(*config, device, false, state);
        }
        Action::PauseTraining(paused) => work.pause_training(paused),
        Action::StopTraining => work.stop_training(),
        Action::CancelTraining => work.cancel_training(),
        Action::CancelOpening => work.cancel_opening(),
        Action::FindDoublets => work.find_doublets(state),
        Action::CancelDoublets => work.cancel_doublets(),
        Action::CancelEdgeTests => work.cancel_edge_tests(),
        Action::TestEdgesAgain => work.test_edges_again(),
        Action::TestShownEdges => work.test_shown_edges(),
        Action::CancelTesting => work.cancel_testing(),
        Action::TestAgain => state.runtime.findings.tests.stopped = None,
        Action::Quit => return hold_back(HeldBack::Quit, state, work),
        Action::Recover => {
            state.view.dialog = None;
            work.recover_lost(false);
        }
        Action::RecoverAndTrain => {
            state.view.dialog = None;
            work.recover_lost(true);
        }
        Action::ForgetLost => {
            state.view.dialog = None;
            work.forget_lost(state);
        }
        Action::Discard(held) => {
            state.view.dialog = None;
            if state.is_training() {
                work.cancel_training();
            }
            return go_on(held, state, work);
        }
        Action::SaveThen(held) => {
            state.view.dialog = None;
            state.runtime.after_saving = Some(held);
            match state.runtime.session_path.clone() {
                Some(path) => work.save_session(path, state),
                None => work.choose(Purpose::SaveModel, state),
            }
        }
    }
    None
}

fn set_training(state: &mut State, config: &TrainConfig, device: DeviceChoice) {
    edit(state, "Change the training settings", None, |document| {
        document.training = config.clone();
        document.device = device;
    });
}

/// What a change of the filter is called.
fn filter_label(before: &NetworkFilter, after: &NetworkFilter) -> &'static str {
    if before.trail != after.trail {
        if after.trail.len() > before.trail.len() { "Show a neighbourhood" } else { "Leave the neighbourhood" }
    } else if before.hidden != after.hidden {
        if after.hidden.len() > before.hidden.len() { "Hide genes" } else { "Show hidden genes" }
    } else {
        "Change the filter"
    }
}

/// Change the document as one undo step; steps of the same `key` join while a pointer button is down. What changes
/// nothing is no step.
fn edit(state: &mut State, label: impl Into<String>, key: Option<&str>, change: impl FnOnce(&mut Document)) {
    let before = state.document.clone();
    change(&mut state.document);
    if state.document == before {
        return;
    }
    match key {
        Some(key) => state.history.record_merged(label, key, before),
        None => state.history.record(label, before),
    }
}

/// Another way to lay out places all nodes anew, pinned ones too; other forces move them from where they are.
fn set_layout(layout: Layout, state: &mut State) {
    if layout.is_another(&state.document.layout) {
        edit(state, format!("Lay out: {}", layout.describe()), None, |document| {
            document.layout = layout;
            document.positions = Arc::default();
            document.pinned.clear();
        });
    } else if layout != state.document.layout {
        edit(state, "Change the forces of the layout", Some("layout"), |document| document.layout = layout);
        state.view.run_layout = true;
    }
}

fn set_comparing(comparing: Option<Comparing>, state: &mut State) {
    let label = match (&state.document.comparing, &comparing) {
        (_, None) => "End the comparison",
        (None, Some(_)) => "Compare two networks",
        (Some(before), Some(now)) if before.overlaid != now.overlaid => {
            if now.overlaid {
                "Show both networks overlaid"
            } else {
                "Show both networks side by side"
            }
        }
        (Some(before), Some(now)) if before.with != now.with => "Compare with another network",
        (Some(_), Some(_)) => "Change which edges are compared",
    };
    edit(state, label, None, |document| document.comparing = comparing);
}

fn step(state: &mut State, back: bool) {
    let now = state.document.clone();
    let found = if back { state.history.undo(now) } else { state.history.redo(now) };
    if let Some((_, document)) = found {
        let mut document = document.with_sources_of(&state.document);
        // Where the layout has settled since then, nodes stay; only what the user moved goes back.
        if !document.layout.is_another(&state.document.layout) {
            let kept = Arc::make_mut(&mut document.positions);
            for (gene, position) in state.document.positions.iter() {
                if !state.document.pinned.contains(gene) {
                    kept.entry(gene.clone()).or_insert(*position);
                }
            }
        }
        state.document = document;
    }
}

/// Ask before something unsaved is lost; go on at once if nothing is.
fn hold_back(held: HeldBack, state: &mut State, work: &mut Work) -> Option<Request> {
    state.view.dialog = None;
    if state.unsaved().is_some() {
        state.view.dialog = Some(Dialog::Unsaved(held));
        return None;
    }
    go_on(held, state, work)
}

fn go_on(held: HeldBack, state: &mut State, work: &mut Work) -> Option<Request> {
    match held {
        HeldBack::Quit => return Some(Request::Close),
        HeldBack::Open(path) => work.open(OpenRequest::Path(path)),
        HeldBack::OpenWith(path, options) => work.open(OpenRequest::Dataset(path, options)),
        HeldBack::OpenSample => {
            state.view.preferences.opened_before = true;
            work.open(OpenRequest::Sample);
        }
    }
    None
}

/// A session's file was located, or is to be left out; opens the session when nothing is missing any more.
fn locate(kind: MissingKind, path: Option<PathBuf>, state: &mut State, work: &mut Work) {
    let Some(IncompleteSession { document, missing, .. }) = &mut state.runtime.incomplete else { return };
    let sources = &mut document.sources;
    let source = match kind {
        MissingKind::Dataset => &mut sources.dataset,
        MissingKind::Model => &mut sources.model,
        MissingKind::Network => &mut sources.network,
    };
    match (path, &mut *source) {
        (Some(path), Some(file)) => file.path = path,
        _ => *source = None,
    }
    missing.retain(|other| *other != kind);
    if missing.is_empty()
        && let Some(session) = state.runtime.incomplete.take()
    {
        state.view.dialog = None;
        work.open(OpenRequest::Session(Box::new(session)));
    } else {
        state.view.dialog = Some(Dialog::Missing);
    }
}

/// What is done with a path that the user typed.
pub(super) fn with_path(purpose: &PathPurpose, path: PathBuf, state: &State) -> Option<Action> {
    Some(match purpose {
        PathPurpose::Open => Action::OpenPath(path),
        PathPurpose::SaveSession => Action::SaveSessionTo(path),
        PathPurpose::SaveModel => Action::SaveModelTo(path),
        PathPurpose::Labels(data) => Action::PickLabels(Box::new(PickedLabels { data: data.clone(), labels: path })),
        PathPurpose::SaveChoices => Action::SaveChoicesTo(path),
        PathPurpose::Regulators => Action::ReadRegulators(path),
        PathPurpose::Evaluate => Action::Evaluate(Some(path)),
        PathPurpose::KnownEdges => known_edges(state, path),
        PathPurpose::PriorNetwork => start_from(state, path),
        PathPurpose::Attach(kind) => Action::Attach(*kind, path),
        PathPurpose::Locate(kind) => Action::Locate(*kind, Some(path)),
        PathPurpose::Export => {
            let request = state.runtime.export_waiting.clone()?;
            Action::Export(ExportRequest { path: Some(path), ..request })
        }
    })
}
