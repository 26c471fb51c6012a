//! Opening, selecting, undoing, the palette.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use grn_explorer::app::state::{Dialog, Severity, Tab};
use grn_explorer::app::{Action, Command};
use grn_explorer::document::NetworkFilter;

use super::{Window, screen};

#[test]
fn an_empty_window_says_what_to_do() {
    let mut window = Window::new([1024.0, 640.0]);
    window.harness.run();
    assert!(window.shows("See how genes regulate each other"));
    assert!(window.shows("Open…") && window.shows("Open the sample"));
}

#[test]
fn a_file_opens_into_its_summary() {
    let folder = tempfile::tempdir().unwrap();
    let path = screen(folder.path());
    let mut window = Window::new([1280.0, 800.0]);
    window.answers.next(&path);
    window.click("Open…");
    window.until("opening", |state| state.runtime.dataset.is_some());
    assert_eq!(window.state().view.tab, Tab::Data);
    let summary = window.state().runtime.summary.clone().unwrap();
    assert_eq!((summary.cells, summary.genes), (300, 40));
    for label in ["Cells", "300", "Control cells", "How the file was read", "Train a model…"] {
        assert!(window.shows(label), "{label}");
    }
    assert!(window.shows(&summary.perturbations[0].name));
    assert_eq!(window.state().view.preferences.recent.len(), 1);
    assert!(window.harness.run_ok().is_some(), "an idle window must not repaint for ever");
}

#[test]
fn a_path_can_be_typed() {
    let folder = tempfile::tempdir().unwrap();
    let path = screen(folder.path());
    let mut window = Window::new([1024.0, 640.0]);
    window.harness.run();
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::O);
    assert!(matches!(window.state().view.dialog, Some(Dialog::Path { .. })));
    window.harness.get_by_label("Path of the file").type_text(path.to_str().unwrap());
    window.harness.run_steps(2);
    window.click("Open");
    window.until("opening", |state| state.runtime.dataset.is_some());
    assert_eq!(window.state().view.dialog, None);
}

#[test]
fn without_a_file_dialog_the_path_is_asked() {
    struct NoDialog;
    impl grn_explorer::app::chooser::FileChooser for NoDialog {
        fn open(
            &self,
            _: &str,
            _: &grn_explorer::app::chooser::FileFilter,
            _: Option<&std::path::Path>,
        ) -> Option<std::path::PathBuf> {
            None
        }
        fn save(
            &self,
            _: &str,
            _: &grn_explorer::app::chooser::FileFilter,
            _: Option<&std::path::Path>,
            _: &str,
        ) -> Option<std::path::PathBuf> {
            None
        }
    }
    let setup = grn_explorer::app::Setup { chooser: std::sync::Arc::new(NoDialog), ..Default::default() };
    let mut window = Window::new([1024.0, 640.0]);
    window.harness = egui_kittest::Harness::builder()
        .with_size([1024.0, 640.0])
        .build_eframe(move |creation| grn_explorer::app::App::new(creation, setup));
    window.click("Open…");
    window.until("the question", |state| state.view.dialog.is_some());
    assert!(window.mentions("This system shows no file dialog"));
}

#[test]
fn what_cannot_be_opened_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes.txt");
    std::fs::write(&notes, "gene\tcell\n").unwrap();
    let mut window = Window::new([1024.0, 640.0]);
    window.open(&notes);
    let message = window.state().runtime.messages.last().unwrap().clone();
    assert_eq!(message.severity, Severity::Error);
    assert_eq!(message.title, "notes.txt cannot be opened");
    assert!(message.detail.contains("neither a data set"), "{}", message.detail);
    assert!(window.shows("notes.txt cannot be opened"));
    window.click("Dismiss");
    assert!(window.state().runtime.messages.is_empty());
    window.open(&folder.path().join("missing.h5ad"));
    assert!(window.state().runtime.messages.last().unwrap().remedy.contains("Check the path"));
}

#[test]
fn a_drag_of_a_filter_is_one_undo_step() {
    let mut window = Window::new([1024.0, 640.0]);
    window.harness.run();
    let first = window.state().document.filter.clone();
    window.harness.hover_at(egui::pos2(500.0, 300.0));
    window.harness.drag_at(egui::pos2(500.0, 300.0));
    window.harness.step();
    for edges in [70, 80, 90] {
        window.harness.state_mut().send(Action::SetFilter(Box::new(NetworkFilter::top(edges))));
        window.harness.step();
    }
    window.harness.drop_at(egui::pos2(500.0, 300.0));
    window.harness.run_steps(2);
    window.send(Action::SetFilter(Box::new(NetworkFilter::top(100))));
    assert_eq!(window.state().history.undo_label(), Some("Change the filter"));
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.state().document.filter, NetworkFilter::top(90));
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.state().document.filter, first);
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(window.state().document.filter, NetworkFilter::top(90));
}

#[test]
fn the_palette_finds_and_runs_commands() {
    let mut window = Window::new([1024.0, 640.0]);
    window.harness.run();
    window.press(Modifiers::COMMAND, Key::K);
    assert_eq!(window.state().view.dialog, Some(Dialog::Palette));
    window.harness.get_by_label("Search commands and genes").type_text("dark");
    window.harness.run_steps(2);
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.state().view.dialog, None);
    assert_eq!(window.state().view.preferences.theme, grn_explorer::app::theme::ThemeChoice::Dark);
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    assert_eq!(window.state().view.dialog, Some(Dialog::Palette));
    window.press(Modifiers::NONE, Key::Escape);
    assert_eq!(window.state().view.dialog, None);
}

#[test]
fn zoom_steps_stay_within_100_and_200_percent() {
    let mut window = Window::new([1024.0, 640.0]);
    for _ in 0..15 {
        let action = Command::ZoomIn.action(window.state());
        window.send(action);
    }
    assert_eq!(window.state().view.preferences.zoom, 2.0);
    assert!((window.harness.ctx.zoom_factor() - 2.0).abs() < 1e-6);
    window.press(Modifiers::COMMAND, Key::Num0);
    assert_eq!(window.state().view.preferences.zoom, 1.0);
    window.press(Modifiers::COMMAND, Key::Minus);
    assert_eq!(window.state().view.preferences.zoom, 1.0);
}

#[test]
fn recent_files_are_offered() {
    let folder = tempfile::tempdir().unwrap();
    let path = screen(folder.path());
    let mut window = Window::new([1024.0, 640.0]);
    window.open(&path);
    window.open(&path);
    assert_eq!(window.state().view.preferences.recent, [path]);
    window.click("File");
    window.harness.get_by_label_contains("Open recent").hover();
    window.harness.run_steps(20);
    assert!(window.shows("screen.h5ad"));
}

#[test]
fn a_layout_is_chosen_beside_the_canvas_and_taken_back() {
    use grn_explorer::layout::Method;
    let mut window = Window::new([1440.0, 900.0]);
    for file in ["sample_data/sample.h5ad", "sample_data/sample_model.safetensors"] {
        window.open(std::path::Path::new(file));
    }
    window.send(Action::SetTab(Tab::Network));
    window.until("the first layout", |state| !state.document.positions.is_empty());
    let forces = window.state().document.positions.clone();
    window.click("Layout");
    window.click("Layers");
    assert_eq!(window.state().document.layout.method, Method::Layered);
    window.until("the layers", |state| !state.document.positions.is_empty());
    let layers = window.state().document.positions.clone();
    let rows: std::collections::BTreeSet<i32> = layers.values().map(|at| at[1].round() as i32).collect();
    assert!(rows.len() < layers.len() / 2, "{} rows of {} genes", rows.len(), layers.len());
    assert!(!window.shows("Forces of the layout"), "layers have no forces to set");
    // One step back: the way and every position.
    assert_eq!(window.state().history.undo_label(), Some("Lay out: layers from regulators to targets"));
    window.press(Modifiers::COMMAND, Key::Z);
    window.harness.run_steps(20);
    assert_eq!(window.state().document.layout.method, Method::Force);
    assert_eq!(window.state().document.positions, forces);
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    window.harness.run_steps(20);
    assert_eq!(window.state().document.positions, layers);
    // Rings go around the gene that is selected.
    let gene = layers.keys().next().unwrap().clone();
    window.send(Action::Select { gene: gene.clone(), extend: false });
    window.click("Layout");
    window.click(&format!("Rings around {gene}"));
    window.until("the rings", |state| !state.document.positions.is_empty());
    assert_eq!(window.state().document.positions[&gene], [0.0, 0.0]);
}

#[test]
fn forces_move_the_genes_that_are_not_pinned() {
    let mut window = Window::new([1440.0, 900.0]);
    for file in ["sample_data/sample.h5ad", "sample_data/sample_model.safetensors"] {
        window.open(std::path::Path::new(file));
    }
    window.send(Action::SetTab(Tab::Network));
    window.until("the first layout", |state| !state.document.positions.is_empty());
    let first = window.state().document.positions.clone();
    let (pinned, other) = (first.keys().next().unwrap().clone(), first.keys().nth(1).unwrap().clone());
    window.send(Action::PinNode { gene: pinned.clone(), pinned: true });
    window.click("Forces of the layout");
    assert!(window.shows("Repulsion") && window.shows("Springs") && window.shows("Gravity"));
    window.click("Run again");
    window.until("the layout", |state| state.document.positions != first);
    let second = window.state().document.positions.clone();
    assert_eq!(second[&pinned], first[&pinned]);
    assert_ne!(second[&other], first[&other]);
    assert_eq!(window.state().history.undo_label(), Some("Run the layout again"));
    window.send(Action::Undo);
    window.harness.run_steps(20);
    assert_eq!(window.state().document.positions, first);
    let mut layout = window.state().document.layout.clone();
    layout.repulsion = 5.0;
    window.send(Action::SetLayout(Box::new(layout)));
    window.until("stronger forces", |state| state.document.positions != first);
    window.send(Action::Undo);
    window.harness.run_steps(20);
    assert_eq!((window.state().document.layout.repulsion, &window.state().document.positions), (1.0, &first));
}
