//! The wave from knocked-out genes through the network.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use grn_explorer::app::Action;
use grn_explorer::app::command::Command;
use grn_explorer::app::state::{Prediction, WaveView};
use grn_explorer::jobs::Silent;
use grn_explorer::network::wave::wave;

use super::{Window, sample};

/// The sample with its best regulator knocked out.
fn knocked_out() -> (Window, String) {
    let mut window = sample();
    let network = window.state().network().unwrap().clone();
    let gene = network.symbol(network.edges()[0].regulator).to_owned();
    window.send(Action::Select { gene: gene.clone(), extend: false });
    window.send(Action::KnockOut(vec![(gene.clone(), 1.0)]));
    window.until("the prediction", |state| matches!(state.runtime.prediction, Prediction::Ready(_)));
    window.until("the layout", |state| !state.document.positions.is_empty());
    (window, gene)
}

fn step(window: &Window) -> Option<(usize, bool)> {
    window.state().view.wave.map(|wave| (wave.step, wave.playing))
}

#[test]
fn a_wave_is_played_paused_stepped_and_left() {
    let (mut window, gene) = knocked_out();
    let undo = window.state().history.undo_label().map(str::to_owned);
    window.click("Wave through the network");
    window.until("the wave", |state| state.wave().is_some());
    assert!(!window.shows("Wave through the network"), "it is shown");
    // It plays to its end by itself, and then rests.
    let found = window.state().runtime.wave.clone().unwrap();
    let last = found.last();
    assert!(last >= 2, "{last}");
    window.until("the end", |state| state.view.wave == Some(WaveView { step: last, playing: false }));
    window.harness.run_steps(4);
    let network = window.state().network().unwrap().clone();
    let expected = wave(&network, &[(network.find(&gene).unwrap(), 1.0)], &Silent).unwrap();
    assert_eq!(found.wave, expected);
    let reached = expected.reached(last);
    assert!(
        window.mentions(&format!("Step {last} of {last}: ")) && window.mentions(&format!(" {reached} genes reached"))
    );

    // Step by step, by buttons and by keys.
    window.click("Step back");
    assert_eq!(step(&window), Some((last - 1, false)));
    window.press(Modifiers::COMMAND, Key::Comma);
    window.press(Modifiers::COMMAND, Key::Comma);
    assert_eq!(step(&window), Some((last.saturating_sub(3), false)));
    window.press(Modifiers::COMMAND, Key::Period);
    assert_eq!(step(&window), Some((last.saturating_sub(3) + 1, false)));
    window.send(Action::SetWave(Some(WaveView { step: 0, playing: false })));
    assert!(window.mentions(&format!("The wave starts at {gene}")));
    assert!(!Command::WaveBack.is_enabled(window.state()) && Command::WaveOn.is_enabled(window.state()));
    window.click("Step on");
    assert_eq!(step(&window), Some((1, false)));

    // Play and pause.
    window.harness.get_by_label("Play the wave").click();
    window.harness.step();
    window.harness.step();
    assert_eq!(step(&window), Some((1, true)));
    window.harness.get_by_label("Pause the wave").click();
    window.harness.run_steps(2);
    let paused = step(&window);
    assert!(matches!(paused, Some((_, false))), "{paused:?}");
    window.harness.run_steps(30);
    assert_eq!(step(&window), paused, "paused, it stays");
    window.settle();
    assert!(window.harness.run_ok().is_some(), "a paused wave must not repaint for ever");

    // Left by Escape; the selection stays, and nothing of it was a change of the document.
    window.press(Modifiers::NONE, Key::Escape);
    assert_eq!(step(&window), None);
    assert_eq!(window.state().document.selection, std::slice::from_ref(&gene));
    assert_eq!(window.state().history.undo_label().map(str::to_owned), undo);
    // Without a knock-out there is no wave.
    window.send(Action::SetWave(Some(WaveView::default())));
    assert!(step(&window).is_some());
    window.send(Action::ClearKnockOut);
    window.harness.run_steps(3);
    assert_eq!(step(&window), None);
    window.send(Action::SetWave(Some(WaveView::default())));
    assert_eq!(step(&window), None);
    assert!(!Command::PlayWave.is_enabled(window.state()));
}

#[test]
fn what_is_exported_is_the_step_on_the_screen() {
    let folder = tempfile::tempdir().unwrap();
    let (mut window, gene) = knocked_out();
    window.send(Action::SetWave(Some(WaveView { step: 2, playing: false })));
    window.until("the wave", |state| state.wave().is_some());
    // The response beside it has an export of its own.
    window.send(Action::ShowPerturbation(None));
    let path = folder.path().join("wave.svg");
    window.export(&[], &path);
    let text = std::fs::read_to_string(&path).unwrap();
    let last = window.state().runtime.wave.clone().unwrap().last();
    for part in [
        format!("Arrived by step 2 of {last}"),
        "Bring most of step 2".to_owned(),
        "What the learned network passes on, not a time course".to_owned(),
        format!("step 2 of {last} from {gene}"),
    ] {
        assert!(text.contains(&part), "{part}");
    }
}

#[test]
fn a_gene_says_when_the_wave_reaches_it_and_the_inspector_leads_to_it() {
    let (mut window, gene) = knocked_out();
    let network = window.state().network().unwrap().clone();
    let target = network.symbol(network.edges()[0].target).to_owned();
    window.send(Action::Select { gene: target.clone(), extend: false });
    window.until("the explanation", |state| state.runtime.explanation.is_some());
    window.click("Show as a wave");
    window.until("the wave", |state| state.wave().is_some());
    window.send(Action::SetWave(Some(WaveView { step: 1, playing: false })));
    window.harness.run_steps(4);
    // The layout may still move the node.
    let point_at_it = |window: &mut Window| {
        let node = window.harness.get_by_label(&format!("node {target}")).rect().center();
        window.harness.hover_at(node);
        window.harness.run_steps(12);
    };
    point_at_it(&mut window);
    assert!(window.mentions("First reached with step 1; "));
    window.send(Action::SetWave(Some(WaveView { step: 0, playing: false })));
    window.harness.run_steps(4);
    point_at_it(&mut window);
    assert!(window.mentions("Not reached with step 0"));
    // A partial dose passes on less, with the same shares.
    let before = window.state().runtime.wave.clone().unwrap();
    window.send(Action::KnockOut(vec![(gene, 0.5)]));
    window.until("the other wave", |state| {
        state.runtime.wave.as_ref().is_some_and(|found| found.doses.values().all(|dose| *dose == 0.5))
    });
    let half = window.state().runtime.wave.clone().unwrap();
    assert!((half.wave.most() - before.wave.most() / 2.0).abs() < 1e-12);
    assert_eq!(half.last(), before.last());
}
