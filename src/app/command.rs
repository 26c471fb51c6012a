//! What can be commanded: the closed list behind menu, palette and shortcuts.

use egui::{Key, KeyboardShortcut, Modifiers};

use super::action::Action;
use super::attached::Attachment;
use super::state::{DataSection, Dialog, PathPurpose, State, Tab, TableKind, TrainingRun, WaveView};
use super::theme::ThemeChoice;
use super::views::network::chosen_layout;
use crate::document::{ComparedWith, Comparing, PathQuery};
use crate::layout::Method;
use crate::network::filter::Step;

/// One entry of menu and palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Ask for a file.
    Open,
    /// Type a path.
    OpenPath,
    /// Open the bundled sample.
    OpenSample,
    /// Save the session.
    SaveSession,
    /// Save the session elsewhere.
    SaveSessionAs,
    /// Save the model.
    SaveModel,
    /// Close the window.
    Quit,
    /// Take back.
    Undo,
    /// Repeat.
    Redo,
    /// Show the data.
    ShowData,
    /// Show the quality of the cells.
    ShowQuality,
    /// Show what each perturbation changes.
    ShowDifferential,
    /// Show which guides work.
    ShowGuides,
    /// Show the network.
    ShowNetwork,
    /// Show the response.
    ShowResponse,
    /// Show what pairs of genes do.
    ShowInteractions,
    /// Show the training.
    ShowTraining,
    /// Show how well models do.
    ShowEvaluation,
    /// Show the figure for the paper.
    ShowFigure,
    /// Train with the settings shown.
    StartTraining,
    /// Let the training wait, or go on.
    PauseTraining,
    /// Stop and keep the best.
    StopTraining,
    /// Stop and discard.
    CancelTraining,
    /// Search for a gene.
    FindGene,
    /// Knock out what is selected.
    KnockOutSelection,
    /// End the knock-out.
    ClearKnockOut,
    /// Let a wave run from the knocked-out genes, or wait.
    PlayWave,
    /// One step on.
    WaveOn,
    /// One step back.
    WaveBack,
    /// Show the network without it.
    EndWave,
    /// Select nothing.
    ClearSelection,
    /// Take the selected genes out of the picture.
    HideSelection,
    /// Find paths between the selected genes.
    FindPaths,
    /// Point out no paths.
    EndPaths,
    /// Select a pasted list of genes.
    SelectList,
    /// Show what is around the selected genes.
    ShowNeighbourhood,
    /// Show the whole network again.
    LeaveNeighbourhood,
    /// Show or hide the table of genes.
    GeneTable,
    /// Show or hide the table of edges.
    EdgeTable,
    /// Show or hide the gene sets that the selection is rich in.
    GeneSetTable,
    /// Show or hide the notes.
    Notes,
    /// Ask for a reference network.
    OpenReference,
    /// Read a table with other names of genes.
    OpenGeneNames,
    /// Show the network beside another one.
    ShowComparison,
    /// Ask for another network to compare with.
    CompareWithFile,
    /// Compare with the reference network.
    CompareWithReference,
    /// Compare with the network before the last training run.
    CompareWithBefore,
    /// One over the other, or side by side.
    OverlayComparison,
    /// Compare no more.
    EndComparison,
    /// Show the whole network.
    FitNetwork,
    /// Unpin and lay out anew.
    ResetLayout,
    /// Lay out in this way.
    LayOut(Method),
    /// Let all nodes move again.
    RunLayout,
    /// Let the layout wait or go on.
    PauseLayout,
    /// Show or hide the side panel.
    ToggleSidePanel,
    /// Light.
    LightTheme,
    /// Dark.
    DarkTheme,
    /// As the system.
    SystemTheme,
    /// Larger.
    ZoomIn,
    /// Smaller.
    ZoomOut,
    /// 100 %.
    ZoomReset,
    /// Search all commands.
    Palette,
    /// Show all keys.
    Shortcuts,
    /// What the program is.
    About,
}

const COMMAND: Modifiers = Modifiers::COMMAND;
const COMMAND_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };

/// Smallest and largest size of everything.
pub const ZOOM: std::ops::RangeInclusive<f32> = 1.0..=2.0;
const ZOOM_STEP: f32 = 0.1;

impl Command {
    /// All, in the order of the palette.
    pub const ALL: [Self; 68] = [
        Self::Open,
        Self::OpenPath,
        Self::OpenSample,
        Self::SaveSession,
        Self::SaveSessionAs,
        Self::SaveModel,
        Self::Undo,
        Self::Redo,
        Self::ShowData,
        Self::ShowQuality,
        Self::ShowDifferential,
        Self::ShowGuides,
        Self::ShowNetwork,
        Self::ShowResponse,
        Self::ShowInteractions,
        Self::ShowTraining,
        Self::ShowEvaluation,
        Self::ShowFigure,
        Self::StartTraining,
        Self::PauseTraining,
        Self::StopTraining,
        Self::CancelTraining,
        Self::FindGene,
        Self::KnockOutSelection,
        Self::ClearKnockOut,
        Self::PlayWave,
        Self::WaveOn,
        Self::WaveBack,
        Self::EndWave,
        Self::ClearSelection,
        Self::HideSelection,
        Self::ShowNeighbourhood,
        Self::LeaveNeighbourhood,
        Self::FindPaths,
        Self::EndPaths,
        Self::SelectList,
        Self::GeneTable,
        Self::EdgeTable,
        Self::GeneSetTable,
        Self::Notes,
        Self::OpenReference,
        Self::OpenGeneNames,
        Self::ShowComparison,
        Self::CompareWithFile,
        Self::CompareWithReference,
        Self::CompareWithBefore,
        Self::OverlayComparison,
        Self::EndComparison,
        Self::FitNetwork,
        Self::ResetLayout,
        Self::LayOut(Method::Force),
        Self::LayOut(Method::Layered),
        Self::LayOut(Method::Circular),
        Self::LayOut(Method::Communities),
        Self::LayOut(Method::Concentric),
        Self::RunLayout,
        Self::PauseLayout,
        Self::ToggleSidePanel,
        Self::LightTheme,
        Self::DarkTheme,
        Self::SystemTheme,
        Self::ZoomIn,
        Self::ZoomOut,
        Self::ZoomReset,
        Self::Palette,
        Self::Shortcuts,
        Self::About,
        Self::Quit,
    ];

    /// Its name in menu and palette.
    pub fn label(self) -> &'static str {
        match self {
            Self::Open => "Open…",
            Self::OpenPath => "Open path…",
            Self::OpenSample => "Open the sample",
            Self::SaveSession => "Save session",
            Self::SaveSessionAs => "Save session as…",
            Self::SaveModel => "Save model as…",
            Self::Quit => "Quit",
            Self::Undo => "Undo",
            Self::Redo => "Redo",
            Self::ShowData => "Show data",
            Self::ShowQuality => "Show quality of the cells",
            Self::ShowDifferential => "Show differential expression",
            Self::ShowGuides => "Show which guides work",
            Self::ShowNetwork => "Show network",
            Self::ShowResponse => "Show response",
            Self::ShowInteractions => "Show genetic interactions",
            Self::ShowTraining => "Show training",
            Self::ShowEvaluation => "Show evaluation",
            Self::ShowFigure => "Show figure",
            Self::StartTraining => "Start training",
            Self::PauseTraining => "Pause or resume the training",
            Self::StopTraining => "Stop training and keep the best",
            Self::CancelTraining => "Cancel training",
            Self::FindGene => "Find a gene",
            Self::KnockOutSelection => "Knock out the selected genes",
            Self::ClearKnockOut => "End the knock-out",
            Self::PlayWave => "Play or pause the wave of the knock-out",
            Self::WaveOn => "Step the wave on",
            Self::WaveBack => "Step the wave back",
            Self::EndWave => "End the wave",
            Self::ClearSelection => "Clear the selection",
            Self::HideSelection => "Hide the selected genes",
            Self::ShowNeighbourhood => "Show the neighbourhood of the selection",
            Self::LeaveNeighbourhood => "Leave the neighbourhood",
            Self::FindPaths => "Find paths between the selected genes",
            Self::EndPaths => "End the paths",
            Self::SelectList => "Select a list of genes…",
            Self::GeneTable => "Table of genes",
            Self::EdgeTable => "Table of edges",
            Self::GeneSetTable => "Gene sets of the selection",
            Self::Notes => "Notes",
            Self::OpenReference => "Reference network…",
            Self::OpenGeneNames => "Other gene names…",
            Self::ShowComparison => "Show comparison",
            Self::CompareWithFile => "Compare with another network…",
            Self::CompareWithReference => "Compare with the reference network",
            Self::CompareWithBefore => "Compare with the network before the training",
            Self::OverlayComparison => "Compare overlaid or side by side",
            Self::EndComparison => "End the comparison",
            Self::FitNetwork => "Show the whole network",
            Self::ResetLayout => "Lay out the network anew",
            Self::LayOut(Method::Force) => "Lay out by forces",
            Self::LayOut(Method::Layered) => "Lay out in layers from regulators to targets",
            Self::LayOut(Method::Circular) => "Lay out on a circle",
            Self::LayOut(Method::Communities) => "Lay out with communities apart",
            Self::LayOut(Method::Concentric) => "Lay out in rings around the selected gene",
            Self::RunLayout => "Run the layout again",
            Self::PauseLayout => "Pause or resume the layout",
            Self::ToggleSidePanel => "Show or hide the side panel",
            Self::LightTheme => "Light theme",
            Self::DarkTheme => "Dark theme",
            Self::SystemTheme => "Theme of the system",
            Self::ZoomIn => "Larger",
            Self::ZoomOut => "Smaller",
            Self::ZoomReset => "Original size",
            Self::Palette => "Command palette…",
            Self::Shortcuts => "Keys and pointer…",
            Self::About => "About GRN Explorer",
        }
    }

    /// Its keys, the first shown in the menu.
    pub fn shortcuts(self) -> &'static [KeyboardShortcut] {
        const fn keys(modifiers: Modifiers, key: Key) -> KeyboardShortcut {
            KeyboardShortcut::new(modifiers, key)
        }
        match self {
            Self::Open => const { &[keys(COMMAND, Key::O)] },
            Self::OpenPath => const { &[keys(COMMAND_SHIFT, Key::O)] },
            Self::SaveSession => const { &[keys(COMMAND, Key::S)] },
            Self::SaveSessionAs => const { &[keys(COMMAND_SHIFT, Key::S)] },
            Self::Quit => const { &[keys(COMMAND, Key::Q)] },
            Self::Undo => const { &[keys(COMMAND, Key::Z)] },
            Self::Redo => const { &[keys(COMMAND_SHIFT, Key::Z), keys(COMMAND, Key::Y)] },
            Self::ShowData => const { &[keys(COMMAND, Key::Num1)] },
            Self::ShowNetwork => const { &[keys(COMMAND, Key::Num2)] },
            Self::ShowResponse => const { &[keys(COMMAND, Key::Num3)] },
            Self::ShowTraining => const { &[keys(COMMAND, Key::Num4)] },
            Self::ShowFigure => const { &[keys(COMMAND, Key::Num5)] },
            Self::ShowComparison => const { &[keys(COMMAND, Key::Num6)] },
            Self::ShowEvaluation => const { &[keys(COMMAND, Key::Num7)] },
            Self::FindGene => const { &[keys(COMMAND, Key::F)] },
            Self::GeneTable => const { &[keys(COMMAND, Key::T)] },
            Self::EdgeTable => const { &[keys(COMMAND_SHIFT, Key::T)] },
            Self::FindPaths => const { &[keys(COMMAND, Key::L)] },
            Self::SelectList => const { &[keys(COMMAND_SHIFT, Key::F)] },
            Self::Shortcuts => const { &[keys(Modifiers::NONE, Key::F1)] },
            Self::PlayWave => const { &[keys(COMMAND, Key::P)] },
            Self::WaveOn => const { &[keys(COMMAND, Key::Period)] },
            Self::WaveBack => const { &[keys(COMMAND, Key::Comma)] },
            Self::HideSelection => const { &[keys(COMMAND_SHIFT, Key::H)] },
            Self::ShowNeighbourhood => const { &[keys(COMMAND, Key::E)] },
            Self::ToggleSidePanel => const { &[keys(COMMAND, Key::B)] },
            Self::ZoomIn => const { &[keys(COMMAND, Key::Plus), keys(COMMAND, Key::Equals)] },
            Self::ZoomOut => const { &[keys(COMMAND, Key::Minus)] },
            Self::ZoomReset => const { &[keys(COMMAND, Key::Num0)] },
            Self::Palette => const { &[keys(COMMAND, Key::K), keys(COMMAND_SHIFT, Key::P)] },
            _ => &[],
        }
    }

    /// Whether it makes sense now.
    pub fn is_enabled(self, state: &State) -> bool {
        let runtime = &state.runtime;
        match self {
            Self::Undo => state.history.undo_label().is_some(),
            Self::Redo => state.history.redo_label().is_some(),
            Self::SaveModel => runtime.model.is_some(),
            Self::SaveSession | Self::SaveSessionAs => {
                runtime.dataset.is_some() || runtime.model.is_some() || runtime.network_file.is_some()
            }
            Self::StartTraining => runtime.dataset.is_some() && !state.is_training(),
            Self::ShowQuality | Self::ShowDifferential | Self::ShowGuides => runtime.dataset.is_some(),
            Self::ShowInteractions => runtime.dataset.is_some() || runtime.model.is_some(),
            Self::PauseTraining => runtime.training.as_ref().is_some_and(TrainingRun::can_pause),
            Self::StopTraining | Self::CancelTraining => state.is_training(),
            Self::KnockOutSelection => runtime.model.is_some() && !state.document.selection.is_empty(),
            Self::ClearKnockOut => !state.document.knock_out.is_empty(),
            Self::PlayWave => state.can_show_wave(),
            Self::WaveOn => state.wave().is_some_and(|(view, found)| view.step < found.last()),
            Self::WaveBack => state.wave().is_some_and(|(view, _)| view.step > 0),
            Self::EndWave => state.view.wave.is_some(),
            Self::ClearSelection => !state.document.selection.is_empty(),
            Self::HideSelection | Self::ShowNeighbourhood => {
                state.network().is_some() && !state.document.selection.is_empty()
            }
            Self::LeaveNeighbourhood => !state.document.filter.trail.is_empty(),
            Self::ResetLayout | Self::LayOut(_) | Self::PauseLayout => state.network().is_some(),
            Self::RunLayout => state.network().is_some() && state.document.layout.method == Method::Force,
            Self::FindPaths => state.network().is_some() && state.document.selection.len() > 1,
            Self::EndPaths => state.document.paths.is_some(),
            Self::CompareWithReference => state.network().is_some() && runtime.attached.reference.is_some(),
            Self::CompareWithBefore => state.network().is_some() && runtime.attached.before.is_some(),
            Self::OverlayComparison | Self::EndComparison => state.document.comparing.is_some(),
            Self::SelectList
            | Self::ShowComparison
            | Self::CompareWithFile
            | Self::GeneTable
            | Self::EdgeTable
            | Self::GeneSetTable
            | Self::Notes
            | Self::OpenReference
            | Self::OpenGeneNames
            | Self::FindGene
            | Self::FitNetwork => state.network().is_some(),
            Self::ZoomIn => state.view.preferences.zoom < *ZOOM.end(),
            Self::ZoomOut => state.view.preferences.zoom > *ZOOM.start(),
            _ => true,
        }
    }

    /// What it does.
    pub fn action(self, state: &State) -> Action {
        let zoom = state.view.preferences.zoom;
        match self {
            Self::Open => Action::AskOpen,
            Self::OpenPath => {
                let purpose = PathPurpose::Open;
                Action::ShowDialog(Dialog::Path { reason: None, purpose, suggestion: String::new() })
            }
            Self::OpenSample => Action::OpenSample,
            Self::SaveSession => Action::SaveSession,
            Self::SaveSessionAs => Action::SaveSessionAs,
            Self::SaveModel => Action::SaveModel,
            Self::Quit => Action::Quit,
            Self::Undo => Action::Undo,
            Self::Redo => Action::Redo,
            Self::ShowData => Action::SetTab(Tab::Data),
            Self::ShowQuality => Action::ShowSection(DataSection::Quality),
            Self::ShowDifferential => Action::ShowSection(DataSection::Differential),
            Self::ShowGuides => Action::ShowSection(DataSection::Guides),
            Self::ShowNetwork => Action::SetTab(Tab::Network),
            Self::ShowResponse => Action::SetTab(Tab::Response),
            Self::ShowInteractions => Action::SetTab(Tab::Interactions),
            Self::ShowTraining => Action::SetTab(Tab::Training),
            Self::ShowEvaluation => Action::SetTab(Tab::Evaluation),
            Self::ShowFigure => Action::SetTab(Tab::Figure),
            Self::StartTraining => {
                Action::StartTraining(Box::new(state.document.training.clone()), state.document.device)
            }
            Self::PauseTraining => {
                Action::PauseTraining(state.runtime.training.as_ref().is_some_and(|run| !run.paused))
            }
            Self::StopTraining => Action::StopTraining,
            Self::CancelTraining => Action::CancelTraining,
            Self::FindGene => Action::FocusSearch,
            Self::KnockOutSelection => {
                Action::KnockOut(state.document.selection.iter().map(|gene| (gene.clone(), 1.0)).collect())
            }
            Self::ClearKnockOut => Action::ClearKnockOut,
            Self::PlayWave => Action::SetWave(Some(toggled_wave(state))),
            Self::WaveOn => step_wave(state, |step| step + 1),
            Self::WaveBack => step_wave(state, |step| step.saturating_sub(1)),
            Self::EndWave => Action::SetWave(None),
            Self::ClearSelection => Action::ClearSelection,
            Self::HideSelection => {
                let mut filter = state.document.filter.clone();
                filter.hidden.extend(state.document.selection.iter().cloned());
                Action::SetFilter(Box::new(filter))
            }
            Self::ShowNeighbourhood => {
                let mut filter = state.document.filter.clone();
                filter.visit(state.document.selection.clone());
                Action::SetFilter(Box::new(filter))
            }
            Self::LeaveNeighbourhood => {
                let filter = &state.document.filter;
                Action::SetFilter(Box::new(filter.without(Step::Neighbourhood)))
            }
            Self::FindPaths => match state.document.selection.as_slice() {
                [from, .., to] => Action::SetPaths(Some(PathQuery::new(from, to))),
                _ => Action::SetPaths(None),
            },
            Self::EndPaths => Action::SetPaths(None),
            Self::SelectList => Action::ShowDialog(Dialog::SelectList),
            Self::GeneTable => table(TableKind::Genes, state),
            Self::EdgeTable => table(TableKind::Edges, state),
            Self::GeneSetTable => table(TableKind::GeneSets, state),
            Self::Notes => table(TableKind::Notes, state),
            Self::OpenReference => Action::AskAttach(Attachment::Reference),
            Self::OpenGeneNames => Action::AskAttach(Attachment::GeneNames),
            Self::ShowComparison => Action::SetTab(Tab::Compare),
            Self::CompareWithFile => Action::AskAttach(Attachment::Compared),
            Self::CompareWithReference => compare(ComparedWith::Reference, state),
            Self::CompareWithBefore => compare(ComparedWith::Before, state),
            Self::OverlayComparison => {
                let turned = |comparing: Comparing| Comparing { overlaid: !comparing.overlaid, ..comparing };
                Action::SetComparing(state.document.comparing.map(turned))
            }
            Self::EndComparison => Action::SetComparing(None),
            Self::FitNetwork => Action::FitNetwork,
            Self::ResetLayout => Action::ResetLayout,
            Self::LayOut(method) => Action::SetLayout(Box::new(chosen_layout(method, state))),
            Self::RunLayout => Action::RunLayout,
            Self::PauseLayout => Action::PauseLayout(!state.view.layout_paused),
            Self::ToggleSidePanel => Action::ToggleSidePanel,
            Self::LightTheme => Action::SetTheme(ThemeChoice::Light),
            Self::DarkTheme => Action::SetTheme(ThemeChoice::Dark),
            Self::SystemTheme => Action::SetTheme(ThemeChoice::System),
            Self::ZoomIn => Action::SetZoom(zoom + ZOOM_STEP),
            Self::ZoomOut => Action::SetZoom(zoom - ZOOM_STEP),
            Self::ZoomReset => Action::SetZoom(1.0),
            Self::Palette => Action::ShowDialog(Dialog::Palette),
            Self::Shortcuts => Action::ShowDialog(Dialog::Shortcuts),
            Self::About => Action::ShowDialog(Dialog::About),
        }
    }
}

/// A wave from its start, a playing one paused, a paused one going on; one at its end begins anew.
fn toggled_wave(state: &State) -> WaveView {
    match (state.view.wave, state.wave()) {
        (Some(wave), _) if wave.playing => WaveView { playing: false, ..wave },
        (Some(wave), Some((view, found))) if view.step < found.last() => WaveView { playing: true, ..wave },
        _ => WaveView { step: 0, playing: true },
    }
}

/// The wave paused at another step.
fn step_wave(state: &State, to: impl Fn(usize) -> usize) -> Action {
    Action::SetWave(state.wave().map(|(view, _)| WaveView { step: to(view.step), playing: false }))
}

/// Show this table, or hide it.
fn table(kind: TableKind, state: &State) -> Action {
    Action::ShowTable((state.view.table != Some(kind)).then_some(kind))
}

/// Compare with this network, shown as the one before.
fn compare(with: ComparedWith, state: &State) -> Action {
    let overlaid = state.document.comparing.is_some_and(|before| before.overlaid);
    Action::Compare(Comparing { overlaid, ..Comparing::with(with) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_commands_share_a_label_or_keys() {
        let mut labels = std::collections::HashSet::new();
        let mut keys = std::collections::HashSet::new();
        for command in Command::ALL {
            assert!(labels.insert(command.label()), "{command:?}");
            for shortcut in command.shortcuts() {
                assert!(keys.insert((shortcut.modifiers, shortcut.logical_key)), "{command:?}");
            }
        }
    }

    #[test]
    fn an_empty_window_offers_only_what_works() {
        let state = State::default();
        let enabled = |command: Command| command.is_enabled(&state);
        assert!(enabled(Command::Open) && enabled(Command::Palette) && enabled(Command::ZoomIn));
        for command in [Command::Undo, Command::SaveModel, Command::StopTraining, Command::FindGene, Command::ZoomOut] {
            assert!(!enabled(command), "{command:?}");
        }
    }
}
