//! A knock-out that some cells escaped, asked about all cells and about those that respond.

use grn_explorer::app::Action;
use grn_explorer::app::state::{Prediction, Tab};
use grn_explorer::models::AskedCells;

use super::Window;

/// The sample in a window in which the response is a page of its own, and the network alone has something to export.
fn sample() -> Window {
    let mut window = Window::new([1000.0, 640.0]);
    window.send(Action::OpenSample);
    window.until("opening", |state| state.runtime.model.is_some() && !state.runtime.is_busy());
    window.send(Action::SetTab(Tab::Network));
    window
}

fn ask(window: &mut Window, genes: &[&str]) {
    window.send(Action::KnockOut(genes.iter().map(|gene| ((*gene).to_owned(), 1.0)).collect()));
    answered(window);
}

fn answered(window: &mut Window) {
    window.until("the prediction", |state| matches!(state.runtime.prediction, Prediction::Ready(_)));
    window.harness.run_steps(3);
}

fn size(window: &Window) -> f32 {
    let effect = window.state().runtime.prediction.effect().expect("an answer");
    effect.shifts.iter().map(|shift| shift.abs()).sum()
}

#[test]
fn cells_that_respond_are_asked_about_where_some_escaped() {
    let mut window = sample();
    let treatments = window.state().runtime.model.as_ref().expect("a model").card().treatments.clone();
    let told = treatments.iter().filter_map(|treatment| Some((&treatment.symbol, treatment.responding?)));
    let (gene, share) = told.min_by(|a, b| a.1.total_cmp(&b.1)).expect("cells of the sample escaped");
    let other =
        &treatments.iter().find(|other| other.responding.is_none() && other.perturbed_cells > 0).unwrap().symbol;
    let percent = format!("{:.0} %", 100.0 * share);

    // Of a gene that no cell escaped there is nothing to choose.
    ask(&mut window, &[other]);
    assert!(!window.shows("Ask about cells: All"));
    ask(&mut window, &[gene]);
    let all = size(&window);
    assert!(window.mentions("Measured shifts are means over ") && !window.mentions("divided by the share"));
    window.click(&format!("Ask about cells: Responding ({percent})"));
    answered(&mut window);
    assert_eq!(window.state().document.asked_cells, AskedCells::Responding);
    assert!((all / size(&window) - share).abs() < 0.02, "{all}, {share} of {}", size(&window));
    assert!(window.mentions(&format!("divided by the share that responds ({percent})")));
    assert!(window.mentions(&format!("{gene}, responding cells")), "the network says whose answer it shows");

    // What is exported says it.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.svg");
    window.until("the layout", |state| !state.document.positions.is_empty());
    window.settle();
    window.export(&[], &path);
    assert!(std::fs::read_to_string(&path).unwrap().contains(&format!("{gene}, responding cells")));

    // Together with another gene no measurement is of cells that respond to both.
    ask(&mut window, &[gene, other]);
    assert!(window.mentions("responding cells"));
    // It stays chosen, says nothing where all cells respond, and is undone.
    ask(&mut window, &[other]);
    assert!(!window.mentions("responding cells"));
    ask(&mut window, &[gene]);
    window.click("Ask about cells: All");
    answered(&mut window);
    assert!((size(&window) - all).abs() < 1e-3);
    window.send(Action::Undo);
    answered(&mut window);
    assert_eq!(window.state().document.asked_cells, AskedCells::Responding);
}
