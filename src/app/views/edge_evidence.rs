//! All that speaks for or against an edge: the model, the ensemble, shuffled labels, held-out cells, known regulation.

use egui::{RichText, Ui};

use super::network::{FALSE_DISCOVERY, agreement, evidence, false_discovery, p_text};
use crate::app::findings::EdgeTesting;
use crate::app::state::Tab;
use crate::app::widgets::signed;
use crate::app::{Action, State, theme};
use crate::evaluation::networks::EdgeVerdict;
use crate::network::{Edge, Grn, Sign};
use crate::tasks::edge_tests::TestedEdge;
use crate::words::{counted, grouped};

/// What the test on held-out cells is, for tooltips.
pub const HELD_OUT: &str = "Cells that the training never saw: the target in cells whose regulator alone was perturbed against control cells. \
                            Mann–Whitney test, adjusted over all edges tested together (Benjamini–Hochberg); Wasserstein-1 distance of \
                            the two distributions of ln(1 + 10,000·x/Σx). Like every shift it comes directly or by way of other genes";

/// Facts of an edge, one a line; `known` is what the reference network says of it.
pub fn facts(ui: &mut Ui, network: &Grn, edge: &Edge, known: Option<&str>, state: &State) {
    let (rank, all) = (grouped(edge.rank as usize), grouped(network.edges().len()));
    ui.label(format!("Rank {rank} of {all}, probability {:.3}", edge.probability));
    if let Some(agreement) = agreement(edge, state) {
        ui.label(agreement);
    }
    if let Some(rate) = false_discovery(edge) {
        ui.label(rate).on_hover_text(FALSE_DISCOVERY);
    }
    ui.label(format!("Sign from {}", evidence(edge)));
    held_out(ui, network, edge, state);
    if let Some(known) = known {
        let mut letters = known.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
        ui.label(format!("{first}{}", letters.as_str()));
    }
}

/// What the reference network `name` says of an edge of that `sign`, in a clause: `known` is its sign there, none where it has no such edge.
pub fn in_reference(known: Option<Sign>, sign: Sign, name: &str) -> String {
    match (known, sign) {
        (None, _) => format!("not in {name}"),
        (Some(Sign::Unknown), _) => format!("in {name}"),
        (Some(Sign::Activates), Sign::Unknown) => format!("activates in {name}"),
        (Some(Sign::Represses), Sign::Unknown) => format!("represses in {name}"),
        (Some(known), _) if known == sign => format!("in {name}, same sign"),
        (Some(_), _) => format!("in {name}, opposite sign"),
    }
}

/// The test on held-out cells, or why there is none.
fn held_out(ui: &mut Ui, network: &Grn, edge: &Edge, state: &State) {
    let weak = |text: String| RichText::new(text).color(theme::colours(ui).text_weak);
    if let Some(obstacle) = state.edge_test_obstacle() {
        // Of a network file there is nothing to say in every line.
        if state.runtime.model.is_some() {
            let text = weak(format!("Not tested on held-out cells: {}", lower(&obstacle)));
            ui.label(text).on_hover_text(HELD_OUT);
        }
        return;
    }
    let (regulator, target) = (network.gene(edge.regulator), network.gene(edge.target));
    let untestable = match (regulator.perturbed_cells, target.measured) {
        (0, _) => Some(format!("{} was not perturbed, so held-out cells cannot test it", regulator.symbol)),
        (_, false) => Some(format!("{} was not measured, so held-out cells cannot test it", target.symbol)),
        _ => None,
    };
    if let Some(text) = untestable {
        ui.label(weak(text)).on_hover_text(HELD_OUT);
        return;
    }
    match state.edge_tests().filter(|tests| tests.knows(edge)) {
        Some(tests) => match tests.get(edge) {
            Some(test) => tested(ui, test, edge.sign, &regulator.symbol),
            None => {
                let text =
                    format!("No held-out cell has {} alone perturbed, so the edge cannot be tested", regulator.symbol);
                ui.label(weak(text)).on_hover_text(HELD_OUT);
            }
        },
        None => {
            let text = match &state.runtime.edge_testing {
                EdgeTesting::Running(progress, _) => match progress.fraction {
                    Some(share) => format!("Testing on held-out cells, {:.0} %", share * 100.0),
                    None => "Testing on held-out cells".to_owned(),
                },
                EdgeTesting::Stopped(Some(reason)) => format!("Not tested on held-out cells: {}", lower(reason)),
                EdgeTesting::Stopped(None) => "The test on held-out cells was cancelled".to_owned(),
                EdgeTesting::None => "Testing on held-out cells".to_owned(),
                // Beyond the best that are tested together.
                EdgeTesting::Ready(_) => "Click the edge to test it on held-out cells".to_owned(),
            };
            ui.label(weak(text)).on_hover_text(HELD_OUT);
        }
    }
}

fn tested(ui: &mut Ui, test: &TestedEdge, sign: Sign, regulator: &str) {
    let colours = theme::colours(ui);
    let (ink, verdict) = match test.verdict(sign) {
        EdgeVerdict::Supported if sign == Sign::Unknown => (colours.good, "a change beyond chance"),
        EdgeVerdict::Supported => (colours.good, "direction agrees with the sign"),
        EdgeVerdict::Opposite => (colours.warning, "direction is against the sign"),
        EdgeVerdict::Unclear | EdgeVerdict::NotTested => (colours.text_weak, "no change beyond chance"),
    };
    ui.label(RichText::new(format!("Held-out cells: {verdict}")).color(ink)).on_hover_text(HELD_OUT);
    let p = p_text(test.adjusted);
    ui.label(format!("Shift {} (log2), adjusted p {p}, Wasserstein {:.3}", signed(test.shift), test.wasserstein))
        .on_hover_text(format!("{HELD_OUT}\np before adjustment {}", p_text(test.p_value)));
    let [control, perturbed] = test.cells;
    let text = format!("{} with {regulator}, {}", counted(perturbed, "cell"), counted(control, "control cell"));
    let few = perturbed < 10 && !test.is_significant();
    let text = if few { format!("{text}: too few to see much") } else { text };
    ui.label(RichText::new(text).color(colours.text_weak));
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_lowercase().to_string()).unwrap_or_default();
    // A name in capitals stays one.
    match letters.clone().next() {
        Some(second) if second.is_uppercase() => text.to_owned(),
        _ => format!("{first}{}", letters.as_str()),
    }
}

/// Whether there is a response to the perturbation of `regulator` to look at.
pub fn has_response(regulator: &str, state: &State) -> bool {
    let known = state.runtime.model.as_ref().filter(|_| !state.network_is_live());
    known.is_some_and(|model| {
        model.card().perturbations.iter().any(|perturbation| perturbation.targets.iter().eq([regulator]))
    })
}

/// Buttons below the facts: the response to the regulator, and what stops or repeats the test.
pub fn actions(ui: &mut Ui, network: &Grn, edge: &Edge, state: &State, actions: &mut Vec<Action>) {
    let regulator = network.symbol(edge.regulator);
    ui.horizontal_wrapped(|ui| {
        if has_response(regulator, state) {
            let link = ui.link(format!("Response to {regulator}"));
            let hint = format!("Predicted against measured response of every gene to the perturbation of {regulator}");
            if link.on_hover_text(hint).clicked() {
                actions.push(Action::ShowPerturbation(Some(regulator.to_owned())));
                actions.push(Action::SetTab(Tab::Response));
            }
        }
        match &state.runtime.edge_testing {
            EdgeTesting::Running(..) if ui.small_button("Cancel the test").clicked() => {
                actions.push(Action::CancelEdgeTests);
            }
            EdgeTesting::Stopped(_) if ui.small_button("Test again").clicked() => actions.push(Action::TestEdgesAgain),
            _ => {}
        }
    });
}
