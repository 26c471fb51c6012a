//! Opening, selecting, undoing, the palette.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use grn_explorer::app::state::{Dialog, Prediction, Severity, Tab};
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

#[test]
fn a_running_layout_is_paused_and_goes_on() {
    // Large enough to be seen on its way: three rings of 50 genes with chords.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rings.sif");
    let lines: String = (0..150)
        .map(|at| {
            let (ring, place) = (at / 50 * 50, at % 50);
            format!("G{at}\tactivates\tG{}\nG{at}\tactivates\tG{}\n", ring + (place + 1) % 50, (at * 7 + 3) % 150)
        })
        .collect();
    std::fs::write(&path, lines).unwrap();
    let mut window = Window::new([1440.0, 900.0]);
    window.open(&path);
    window.send(Action::SetFilter(Box::default()));
    let places = |window: &Window| -> Vec<egui::Pos2> {
        window.harness.query_all_by_label_contains("node ").map(|node| node.rect().center()).collect()
    };
    // Paused once there is something to see: before, no gene has a place.
    for _ in 0..200 {
        if window.shows("Pause the layout") && places(&window).len() > 100 {
            break;
        }
        window.harness.step();
    }
    window.harness.get_by_label("Pause the layout").click();
    window.harness.run_steps(3);
    assert!(window.state().view.layout_paused && window.shows("Resume the layout"));
    // Whatever is on its way arrives, then all rest.
    window.harness.run_steps(120);
    let resting = places(&window);
    assert!(resting.len() > 100, "{} of 150 genes", resting.len());
    for _ in 0..20 {
        window.harness.step();
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(places(&window), resting);
    window.click("Resume the layout");
    assert!(!window.state().view.layout_paused);
    window.until("the genes to move", |_| true);
    for _ in 0..200 {
        window.harness.step();
        if places(&window) != resting {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("nothing moved any more");
}

#[test]
fn genes_lie_on_a_circle_or_with_their_community() {
    use grn_explorer::layout::Method;
    use grn_explorer::network::statistics::{Topology, communities};
    let mut window = Window::new([1440.0, 900.0]);
    window.open(std::path::Path::new("sample_data/sample_model.safetensors"));
    window.until("the first layout", |state| !state.document.positions.is_empty());
    window.click("Layout");
    window.click("Circle");
    window.until("the circle", |state| !state.document.positions.is_empty());
    let circle = window.state().document.positions.clone();
    let reach: Vec<f32> = circle.values().map(|at| at[0].hypot(at[1])).collect();
    let mean = reach.iter().sum::<f32>() / reach.len() as f32;
    let rim = reach.iter().filter(|reach| (**reach / mean - 1.0).abs() < 0.15).count();
    assert!(rim * 10 >= reach.len() * 9, "{rim} of {} on the rim", reach.len());

    window.send(Action::SetLayout(Box::new(grn_explorer::document::Layout {
        method: Method::Communities,
        ..window.state().document.layout.clone()
    })));
    window.until("the communities", |state| !state.document.positions.is_empty() && state.document.positions != circle);
    let network = window.state().network().unwrap().clone();
    let view = window.state().document.filter.apply(&network);
    let topology = Topology::of(network.genes().len(), view.edges());
    let config = grn_explorer::layout::LayoutConfig::default();
    let of_gene = communities(&topology, config.seed, &grn_explorer::jobs::Silent).unwrap().of_gene;
    let placed: Vec<(u32, [f32; 2])> = view
        .genes()
        .iter()
        .map(|gene| (of_gene[gene.0 as usize].unwrap(), window.state().document.positions[network.symbol(*gene)]))
        .collect();
    // The nearest other gene is one of the same community for nearly all that have company.
    let company = |of: u32| placed.iter().filter(|(other, _)| *other == of).count() > 1;
    let near = |at: usize| {
        let away = |other: usize| (placed[at].1[0] - placed[other].1[0]).hypot(placed[at].1[1] - placed[other].1[1]);
        (0..placed.len()).filter(|other| *other != at).min_by(|a, b| away(*a).total_cmp(&away(*b))).unwrap()
    };
    let with_company: Vec<usize> = (0..placed.len()).filter(|at| company(placed[*at].0)).collect();
    let together = with_company.iter().filter(|at| placed[near(**at)].0 == placed[**at].0).count();
    assert!(together * 10 >= with_company.len() * 9, "{together} of {}", with_company.len());
}

#[test]
fn a_gene_is_found_by_its_other_name() {
    let mut window = Window::new([1280.0, 800.0]);
    for file in ["sample_data/sample.h5ad", "sample_data/sample_model.safetensors"] {
        window.open(std::path::Path::new(file));
    }
    window.send(Action::SetTab(Tab::Network));
    let (network, dataset) = (window.state().network().unwrap(), window.state().runtime.dataset.as_ref().unwrap());
    let known = dataset.genes().iter().find(|gene| gene.ensembl.is_some() && network.find(&gene.symbol).is_some());
    let Some(gene) = known.cloned() else {
        eprintln!("skipped: the sample has no identifiers of genes");
        return;
    };
    window.harness.get_by_label("Find a gene").click();
    window.harness.run_steps(2);
    window.harness.get_by_label("Find a gene").type_text(&gene.ensembl.unwrap().to_lowercase());
    window.harness.run_steps(3);
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.state().document.selection, [gene.symbol]);
}

#[test]
fn a_point_of_a_plot_selects_its_gene_in_network_and_tables() {
    let mut window = Window::new([1440.0, 900.0]);
    for file in ["sample_data/sample.h5ad", "sample_data/sample_model.safetensors"] {
        window.open(std::path::Path::new(file));
    }
    let model = window.state().runtime.model.clone().unwrap();
    let perturbation = model.observed_held_out().perturbations[0].clone();
    window.send(Action::ShowPerturbation(Some(perturbation.clone())));
    window.send(Action::SetTab(Tab::Response));
    window.harness.run_steps(6);
    let label = format!("Scatter of predicted and measured shifts, {perturbation}");
    for _ in 0..200 {
        if window.shows(&label) {
            break;
        }
        window.harness.step();
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let plot = window.harness.get_by_label(&label).rect();
    // Somewhere in it lies the point of a gene of the network.
    'search: for row in 2..40 {
        for column in 2..40 {
            let at = plot.min + plot.size() * egui::vec2(column as f32 / 42.0, row as f32 / 42.0);
            window.harness.hover_at(at);
            window.harness.drag_at(at);
            window.harness.drop_at(at);
            window.harness.step();
            window.harness.step();
            if !window.state().document.selection.is_empty() {
                break 'search;
            }
        }
    }
    let [gene] = &window.state().document.selection.clone()[..] else { panic!("no point was hit") };
    assert!(window.state().network().unwrap().find(gene).is_some() && *gene != perturbation);
    // The table below the network scrolls to it.
    window.send(Action::SetTab(Tab::Network));
    window.send(Action::ShowTable(Some(grn_explorer::app::state::TableKind::Genes)));
    window.harness.run_steps(40);
    let row = format!("gene {gene}");
    let mut rows = window.harness.query_all_by_label(&row);
    let headers = window.harness.get_by_label("Filter the genes").rect();
    assert!(rows.any(|row| row.rect().top() > headers.bottom()), "{gene} is not in sight in the table");
}

#[test]
fn the_data_set_of_a_model_opens_beside_it_and_leaves_all_else_as_it_was() {
    let mut window = Window::new([1280.0, 800.0]);
    window.open(std::path::Path::new("sample_data/sample_model.safetensors"));
    let network = window.state().network().unwrap().clone();
    let gene = network.symbol(network.edges()[0].regulator).to_owned();
    window.send(Action::SetFilter(Box::new(NetworkFilter::top(23))));
    window.send(Action::Select { gene: gene.clone(), extend: false });
    window.send(Action::KnockOut(vec![(gene.clone(), 1.0)]));
    window.until("the prediction", |state| matches!(state.runtime.prediction, Prediction::Ready(_)));
    let before = window.state().document.clone();
    window.send(Action::OpenPath("sample_data/sample.h5ad".into()));
    window.until("opening", |state| state.runtime.dataset.is_some() && !state.runtime.is_busy());
    let after = &window.state().document;
    assert!(after.sources.dataset.is_some());
    assert_eq!(
        (&after.filter, &after.selection, &after.knock_out),
        (&before.filter, &before.selection, &before.knock_out)
    );
    assert_eq!(window.state().view.tab, Tab::Network);
    assert!(window.mentions("the model was trained on it"));
    window.until("the prediction again", |state| matches!(state.runtime.prediction, Prediction::Ready(_)));

    // Another data set closes the model and begins anew.
    let folder = tempfile::tempdir().unwrap();
    window.send(Action::OpenPath(screen(folder.path())));
    window.until("opening", |state| state.runtime.model.is_none() && !state.runtime.is_busy());
    assert!(window.state().document.selection.is_empty() && window.state().view.tab == Tab::Data);
}

#[test]
fn several_files_are_opened_one_after_the_other() {
    let files = ["sample_data/sample.h5ad", "sample_data/sample_model.safetensors"].map(std::path::PathBuf::from);
    let setup = grn_explorer::app::Setup { files: files.to_vec(), ..Default::default() };
    let mut window = Window::start([1200.0, 800.0], egui::Theme::Light, setup);
    let both = |state: &grn_explorer::app::State| state.runtime.dataset.is_some() && state.runtime.model.is_some();
    window.until("both", both);
    assert!(window.state().runtime.messages.iter().all(|message| message.severity == Severity::Done));
    // Where one cannot be opened, the rest is not tried: it may build on it, and what is wrong stays told.
    let files = ["absent.h5ad", "sample_data/sample_model.safetensors"].map(std::path::PathBuf::from);
    let setup = grn_explorer::app::Setup { files: files.to_vec(), ..Default::default() };
    let mut window = Window::start([1200.0, 800.0], egui::Theme::Light, setup);
    window.until("the failure", |state| !state.runtime.messages.is_empty());
    window.harness.run_steps(30);
    assert!(window.shows("absent.h5ad cannot be opened") && window.state().runtime.model.is_none());
}
