//! Finding things in a network: filters, neighbourhoods, paths, lists, boxes, tables.

use std::sync::Arc;

use egui::{Key, Modifiers, Pos2, Rect};
use egui_kittest::kittest::{NodeT, Queryable};
use grn_explorer::app::state::{Dialog, PickTool, TableKind};
use grn_explorer::app::theme::ThemeChoice;
use grn_explorer::app::{Action, Command, State};
use grn_explorer::document::{NetworkFilter, PathQuery};
use grn_explorer::jobs::Silent;
use grn_explorer::network::filter::{Component, Neighbourhood, Reach, Step};
use grn_explorer::network::paths::k_shortest;
use grn_explorer::network::{GeneId, Grn};

use super::Window;

/// A window with the sample's network at rest.
fn open(size: [f32; 2]) -> Window {
    let mut window = Window::new(size);
    for file in ["sample_data/sample.h5ad", "sample_data/sample_model.safetensors"] {
        window.open(std::path::Path::new(file));
    }
    window.until("the layout", |state| !state.document.positions.is_empty());
    window.harness.run_steps(40);
    window
}

fn network(window: &Window) -> Arc<Grn> {
    window.state().network().unwrap().clone()
}

fn filter(window: &Window) -> NetworkFilter {
    window.state().document.filter.clone()
}

fn set(window: &mut Window, filter: NetworkFilter) {
    window.send(Action::SetFilter(Box::new(filter)));
}

fn select(window: &mut Window, genes: &[String]) {
    window.send(Action::SelectAll(genes.to_vec()));
    window.harness.run_steps(3);
}

/// Nodes that are drawn, with their places.
fn nodes(window: &Window) -> Vec<(String, Pos2)> {
    let nodes = window.harness.query_all_by_label_contains("node ");
    let named = nodes.filter_map(|node| Some((node.accesskit_node().label()?, node.rect().center())));
    named.filter_map(|(label, at)| Some((label.strip_prefix("node ")?.to_owned(), at))).collect()
}

/// Two genes joined by a path of at least two edges among those shown, and how many paths there are up to five.
fn joined(window: &Window) -> (String, String, usize) {
    let network = network(window);
    let filter = filter(window);
    let view = filter.apply(&network);
    for from in view.genes() {
        for to in view.genes() {
            let paths = k_shortest(&view, *from, *to, 5, Default::default(), &Silent).unwrap();
            if paths.first().is_some_and(|path| path.steps().len() > 1) {
                return (network.symbol(*from).to_owned(), network.symbol(*to).to_owned(), paths.len());
            }
        }
    }
    panic!("no two genes are joined by more than an edge");
}

#[test]
fn a_list_of_regulators_is_read_and_undone() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open([1280.0, 800.0]);
    let network = network(&window);
    let regulator = network.symbol(network.edges()[0].regulator).to_owned();
    let file = folder.path().join("factors.txt");
    std::fs::write(&file, format!("# factors\n{}\nSTRANGER\n", regulator.to_lowercase())).unwrap();
    window.click("Filters");
    window.answers.next(&file);
    window.click("Load a list…");
    window.until("reading", |state| state.document.filter.regulators.is_some());
    assert!(window.shows("factors.txt: 1 of 2 here"));
    assert!(window.mentions("Take back: regulators in factors.txt"));
    let view = filter(&window);
    assert!(view.apply(&network).edges().all(|edge| network.symbol(edge.regulator) == regulator));
    assert_eq!(window.state().history.undo_label(), Some("Change the filter"));
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(filter(&window).regulators, None);
    std::fs::write(&file, "").unwrap();
    window.send(Action::ReadRegulators(file));
    let failed =
        |state: &State| state.runtime.messages.iter().any(|message| message.title == "factors.txt cannot be read");
    window.until("the failure", failed);
    assert!(window.mentions("there is no gene in it"));
}

#[test]
fn hidden_genes_and_components_come_from_the_selection() {
    let mut window = open([1280.0, 800.0]);
    let gene = nodes(&window)[0].0.clone();
    select(&mut window, std::slice::from_ref(&gene));
    window.click("Filters");
    window.click(&format!("Component: Of {gene}"));
    assert_eq!(filter(&window).component, Some(Component::Of(gene.clone())));
    window.click("Component: All");
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::H);
    assert!(filter(&window).hidden.contains(&gene));
    assert_eq!(window.state().history.undo_label(), Some("Hide genes"));
    window.send(Action::ClearSelection);
    window.harness.run_steps(20);
    assert!(nodes(&window).iter().all(|(other, _)| *other != gene));
    window.click(&format!("Show {gene} again"));
    assert!(filter(&window).hidden.is_empty());
}

#[test]
fn when_nothing_passes_the_way_back_is_offered() {
    let mut window = open([1280.0, 800.0]);
    let first = filter(&window);
    set(&mut window, NetworkFilter { component: Some(Component::Of("nobody".into())), ..first.clone() });
    window.harness.run_steps(3);
    assert!(window.shows("No edge passes the filters") && window.mentions("component of nobody"));
    // The palette has an entry of the same name; this is the page's.
    window.click("Reset all filters");
    assert_eq!(filter(&window), first);
    assert!(!nodes(&window).is_empty());
}

#[test]
fn neighbourhoods_are_walked_and_left_by_their_trail() {
    let mut window = open([1280.0, 800.0]);
    let all = nodes(&window).len();
    let network = network(&window);
    let hub = network.symbol(network.edges()[0].regulator).to_owned();
    let target = network.symbol(network.edges()[0].target).to_owned();
    select(&mut window, std::slice::from_ref(&hub));
    window.press(Modifiers::COMMAND, Key::E);
    window.harness.run_steps(20);
    let around = |gene: &String, hops, reach| Neighbourhood { genes: vec![gene.clone()], hops, reach };
    assert_eq!(filter(&window).trail, [around(&hub, 1, Reach::Both)]);
    assert_eq!(window.state().history.undo_label(), Some("Show a neighbourhood"));
    let near = nodes(&window).len();
    assert!(near < all && near > 1, "{near} of {all}");
    window.click("Neighbours within 2 hops");
    window.click("Direction: Targets");
    assert_eq!(filter(&window).trail, [around(&hub, 2, Reach::Targets)]);
    select(&mut window, std::slice::from_ref(&target));
    window.click("Neighbourhood");
    assert_eq!(filter(&window).trail.len(), 2);
    assert_eq!(filter(&window).trail[1], around(&target, 2, Reach::Targets), "as far, the same way");
    window.click(&format!("Back to {hub}, 2 hops"));
    assert_eq!(filter(&window).trail.len(), 1);
    window.click("Whole network");
    assert!(filter(&window).trail.is_empty());
    window.harness.run_steps(20);
    assert_eq!(nodes(&window).len(), all);
}

#[test]
fn paths_are_found_listed_and_pointed_out() {
    let mut window = open([1280.0, 800.0]);
    let (from, to, count) = joined(&window);
    select(&mut window, &[from.clone(), to.clone()]);
    window.press(Modifiers::COMMAND, Key::L);
    let found = |state: &State| state.runtime.paths.found().map(|found| found.paths.len());
    window.until("the paths", |state| found(state).is_some());
    assert_eq!(found(window.state()), Some(count));
    assert!(window.shows(&format!("Paths from {from} to {to}")));
    let rows: Vec<String> = window
        .harness
        .query_all_by_label_contains("path ")
        .filter_map(|row| row.accesskit_node().label())
        .filter(|label| label.starts_with("path "))
        .collect();
    assert_eq!(rows.len(), count);
    assert!(rows[0].starts_with(&format!("path {from} ")) && rows[0].contains(&format!(" {to} (")), "{rows:?}");
    assert!(rows[0].contains(" · p 0."), "{rows:?}");
    window.click(&rows[0]);
    let query = window.state().document.paths.clone().unwrap();
    assert_eq!(query.chosen, Some(0));
    let edges = window.state().runtime.paths.edges(&network(&window), Some(&query));
    assert_eq!(edges.len(), window.state().runtime.paths.found().unwrap().paths[0].steps().len());
    // Either way and among all edges: what is asked anew is answered anew, and nothing is chosen.
    window.click("All edges");
    window.until("the paths", |state| state.runtime.paths.found().is_some_and(|found| found.query.all_edges));
    assert_eq!(window.state().document.paths.as_ref().unwrap().chosen, None);
    window.click("Swap");
    window.until("the paths", |state| state.runtime.paths.found().is_some_and(|found| found.query.from == to));
    window.click("End the paths");
    assert_eq!(window.state().document.paths, None);
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.state().document.paths.as_ref().unwrap().from, to);
    window.send(Action::SetPaths(Some(PathQuery::new("NOBODY", to))));
    window.harness.run_steps(4);
    assert!(window.shows("NOBODY is no node of this network"));
}

#[test]
fn what_selected_genes_have_in_common_is_listed() {
    let mut window = open([1280.0, 800.0]);
    let network = network(&window);
    set(&mut window, NetworkFilter::default());
    let targets: Vec<String> = network
        .targets(network.edges()[0].regulator)
        .iter()
        .take(2)
        .map(|edge| network.symbol(edge.target).to_owned())
        .collect();
    select(&mut window, &targets);
    window.click("Between");
    let regulator = network.symbol(network.edges()[0].regulator);
    assert!(window.mentions("Common regulators ("));
    window.click(&format!("Common regulators: {regulator}"));
    assert_eq!(window.state().document.focus(), Some(regulator));
}

#[test]
fn a_pasted_list_selects_what_is_found() {
    let mut window = open([1280.0, 800.0]);
    let network = network(&window);
    let genes: Vec<String> = [0, 3, 5].map(|gene| network.symbol(GeneId(gene)).to_owned()).to_vec();
    window.harness.get_by_label("Find a gene").click();
    window.harness.run_steps(2);
    window.harness.get_by_label("Find a gene").type_text(&format!("{}; {}\tNOBODY", genes[0], genes[1].to_lowercase()));
    window.harness.run_steps(3);
    assert!(window.shows("Not found: NOBODY"));
    window.click("Select 2 genes");
    assert_eq!(window.state().document.selection, genes[..2]);
    // In the dialog, beside what is selected.
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    assert_eq!(window.state().view.dialog, Some(Dialog::SelectList));
    window.harness.get_by_label("Genes").type_text(&format!("{}\n{}\n\nSTRANGER", genes[2], genes[0]));
    window.harness.run_steps(3);
    assert!(window.shows("Not found: STRANGER"));
    window.click("Add to the selection");
    assert_eq!(window.state().document.selection, genes);
    assert_eq!(window.state().view.dialog, None);
}

#[test]
fn genes_are_found_by_their_names_in_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open([1280.0, 800.0]);
    let network = network(&window);
    let [first, second] = [0, 3].map(|gene| network.symbol(GeneId(gene)).to_owned());
    let path = folder.path().join("names.tsv");
    let text = format!("symbol\tprev_symbol\talias_symbol\n{first}\tOLD1\tBOTH|First-one\nNEW2\t{second}\tBOTH\n");
    std::fs::write(&path, text).unwrap();
    // Where nothing is found, a table of names is offered.
    window.harness.get_by_label("Find a gene").click();
    window.harness.run_steps(2);
    window.harness.get_by_label("Find a gene").type_text("old1");
    window.harness.run_steps(3);
    assert!(window.mentions("No gene is called like"));
    window.answers.next(&path);
    window.click("Load other gene names…");
    window.until("the names", |state| state.search().is_some_and(|index| index.knows_names()));
    assert!(!window.shows("Load other gene names…"));
    assert!(window.mentions("table of names: 5 other names beside 2 symbols; 2 are in the network"));
    window.click(&format!("Go to {first}"));
    assert_eq!(window.state().document.selection, std::slice::from_ref(&first));

    // A pasted list; what may be several genes is not chosen from.
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    assert!(window.shows("names.tsv, change"));
    window.harness.get_by_label("Genes").type_text("first-one new2 both");
    window.harness.run_steps(3);
    assert!(window.shows("Names of several genes: both"));
    window.click("Select 2 genes");
    assert_eq!(window.state().document.selection, [first.clone(), second]);

    // The session keeps it by path, and it can be put away.
    let session = folder.path().join("names.grn.json");
    window.send(Action::SaveSessionTo(session.clone()));
    window.until("saving", |state| state.runtime.session_path.is_some() && !state.runtime.is_busy());
    let mut again = Window::new([1280.0, 800.0]);
    again.open(&session);
    again.until("the names", |state| state.search().is_some_and(|index| index.knows_names()));
    assert_eq!(again.state().search().unwrap().find("OLD1", 3).genes[0].symbol, first);
    again.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    again.click("Put the other gene names away");
    again.until("the search without them", |state| state.search().is_some_and(|index| !index.knows_names()));
    assert!(again.state().search().unwrap().find("OLD1", 3).genes.is_empty());
}

/// Drag along `points` with `modifiers` held.
fn drag(window: &mut Window, points: &[Pos2], modifiers: Modifiers) {
    window.harness.event(egui::Event::ModifiersChanged(modifiers));
    window.harness.hover_at(points[0]);
    window.harness.run_steps(2);
    window.harness.drag_at(points[0]);
    window.harness.run_steps(2);
    for point in points {
        window.harness.hover_at(*point);
        window.harness.run_steps(2);
    }
    window.harness.drop_at(points[points.len() - 1]);
    window.harness.run_steps(3);
    window.harness.event(egui::Event::ModifiersChanged(Modifiers::NONE));
    window.harness.run_steps(2);
}

#[test]
fn a_box_and_a_lasso_select_what_they_surround() {
    let mut window = open([1280.0, 800.0]);
    let all = nodes(&window);
    let rect = all.iter().fold(Rect::NOTHING, |rect, (_, at)| rect.union(Rect::from_pos(*at))).expand(7.0);
    let sorted = |mut genes: Vec<String>| {
        genes.sort();
        genes
    };
    let selection = |window: &Window| sorted(window.state().document.selection.clone());
    let every = sorted(all.iter().map(|(gene, _)| gene.clone()).collect());
    // The left half with the tool, the rest by adding with Shift.
    let middle = rect.center().x + 0.37;
    let left = sorted(all.iter().filter(|(_, at)| at.x < middle).map(|(gene, _)| gene.clone()).collect());
    window.click("Box selection");
    assert_eq!(window.state().view.tool, PickTool::Box);
    drag(&mut window, &[rect.left_top(), Pos2::new(middle, rect.bottom())], Modifiers::NONE);
    assert_eq!(selection(&window), left);
    window.click("Box selection");
    assert_eq!(window.state().view.tool, PickTool::Pan);
    drag(&mut window, &[rect.right_top(), Pos2::new(middle, rect.bottom())], Modifiers::SHIFT);
    assert_eq!(selection(&window), every);
    // A triangle around one node alone.
    let (gene, at) = &all[0];
    let alone =
        sorted(all.iter().filter(|(_, other)| other.distance(*at) < 1.0).map(|(gene, _)| gene.clone()).collect());
    assert_eq!(alone, std::slice::from_ref(gene));
    let corner = |x: f32, y: f32| *at + egui::vec2(x, y);
    window.click("Lasso selection");
    drag(&mut window, &[corner(-6.0, -4.0), corner(6.0, -4.0), corner(0.0, 7.0), corner(-6.0, -3.0)], Modifiers::NONE);
    assert_eq!(selection(&window), alone);
    assert_eq!(window.state().document.pinned.len(), 0, "no node was dragged");
}

#[test]
fn tables_and_network_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open([1280.0, 800.0]);
    // The side panel has a list of genes too.
    window.click("Filters");
    window.click("Tables");
    assert_eq!(window.state().view.table, Some(TableKind::Genes));
    let network = network(&window);
    let mut symbols: Vec<&str> = network.genes().iter().map(|gene| gene.symbol.as_str()).collect();
    symbols.sort_unstable();
    window.harness.get_by_label("Sort by Gene").click();
    window.harness.run_steps(3);
    assert!(window.shows(&format!("gene {}", symbols[0])));
    let last = symbols[symbols.len() - 1];
    assert!(!window.shows(&format!("gene {last}")), "below what is seen");
    window.send(Action::Select { gene: last.to_owned(), extend: false });
    window.harness.run_steps(30);
    assert!(window.shows(&format!("gene {last}")), "scrolled into view");
    // Filter by text, click a row.
    window.harness.get_by_label("Filter the genes").click();
    window.harness.run_steps(2);
    window.harness.get_by_label("Filter the genes").type_text(&symbols[0].to_lowercase());
    window.harness.run_steps(3);
    window.click(&format!("gene {}", symbols[0]));
    assert_eq!(window.state().document.selection, [symbols[0]]);
    window.answers.next(folder.path().join("genes.tsv"));
    window.click("Save the table of genes…");
    window.until("the table", |_| folder.path().join("genes.tsv").exists());
    let text = std::fs::read_to_string(folder.path().join("genes.tsv")).unwrap();
    assert!(text.lines().nth(1).unwrap().starts_with(symbols[0]), "{text}");

    window.send(Action::ClearSelection);
    window.click("Table of edges");
    assert_eq!(window.state().view.table, Some(TableKind::Edges));
    let best = &network.edges()[0];
    let label = format!("edge {} → {}", network.symbol(best.regulator), network.symbol(best.target));
    window.click(&label);
    let ends = [network.symbol(best.regulator), network.symbol(best.target)];
    assert_eq!(window.state().document.selection, ends);
    // The worst edge shown is far below; selecting its ends brings it up.
    let shown = filter(&window).apply(&network).edge_count();
    let worst = &network.edges()[shown - 1];
    let label = format!("edge {} → {}", network.symbol(worst.regulator), network.symbol(worst.target));
    assert!(!window.shows(&label));
    let ends = [worst.regulator, worst.target].map(|gene| network.symbol(gene).to_owned());
    select(&mut window, &ends);
    window.harness.run_steps(30);
    assert!(window.shows(&label));
    window.click("Tables");
    assert_eq!(window.state().view.table, None);
}

#[test]
fn all_keys_are_listed() {
    let mut window = Window::new([1024.0, 640.0]);
    window.press(Modifiers::NONE, Key::F1);
    assert_eq!(window.state().view.dialog, Some(Dialog::Shortcuts));
    assert!(window.shows("Shift + drag") && window.shows("Ctrl + drag"));
    for command in Command::ALL.into_iter().filter(|command| !command.shortcuts().is_empty()) {
        assert!(window.shows(command.label()), "{command:?}");
    }
    window.press(Modifiers::NONE, Key::Escape);
    assert_eq!(window.state().view.dialog, None);
}

/// Saves what is seen where `GRN_LOOK_DIR` says, for eyes.
fn look(window: &mut Window, name: &str) {
    if let Some(folder) = std::env::var_os("GRN_LOOK_DIR") {
        window.harness.hover_at(Pos2::new(1.0, 1.0));
        window.harness.run_steps(8);
        let path = std::path::Path::new(&folder).join(format!("{name}.png"));
        window.harness.render().unwrap().save(path).unwrap();
    }
}

#[test]
fn all_of_it_fits_into_a_small_window() {
    for (theme, name) in [(ThemeChoice::Light, "light"), (ThemeChoice::Dark, "dark")] {
        let mut window = open([1024.0, 640.0]);
        window.send(Action::SetTheme(theme));
        let network = network(&window);
        let hub = network.symbol(network.edges()[0].regulator).to_owned();
        window.send(Action::ShowTable(Some(TableKind::Edges)));
        window.click("Filters");
        let hidden = std::collections::BTreeSet::from([network.symbol(network.edges()[5].target).to_owned()]);
        let first = filter(&window);
        let strict = NetworkFilter { hidden, minimum_degree: 2, per_regulator: Some(4), ..first.clone() };
        set(&mut window, strict);
        window.harness.run_steps(60);
        let bounds = Rect::from_min_size(Pos2::ZERO, egui::vec2(1024.0, 640.0));
        for label in [
            "Filter the edges",
            "Save the table of edges…",
            "Table of genes",
            "Box selection",
            "Lasso selection",
            "Tables",
        ] {
            let rect = window.harness.get_by_label(label).rect();
            assert!(bounds.contains_rect(rect), "{label}: {rect:?}");
        }
        look(&mut window, &format!("filters-{name}"));
        set(&mut window, first);
        let (from, to, _) = joined(&window);
        select(&mut window, &[from.clone(), to.clone()]);
        window.send(Action::SetPaths(Some(PathQuery::new(from, to))));
        window.until("the paths", |state| state.runtime.paths.found().is_some());
        window.harness.run_steps(40);
        look(&mut window, &format!("paths-{name}"));
        window.send(Action::SetPaths(None));
        window.send(Action::ShowTable(Some(TableKind::Genes)));
        select(&mut window, std::slice::from_ref(&hub));
        window.press(Modifiers::COMMAND, Key::E);
        window.harness.run_steps(60);
        look(&mut window, &format!("neighbourhood-{name}"));
        window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
        window.harness.get_by_label("Genes").type_text("TF001, TF002\nSTRANGER");
        window.harness.run_steps(3);
        look(&mut window, &format!("list-{name}"));
        window.press(Modifiers::NONE, Key::Escape);
        window.press(Modifiers::NONE, Key::F1);
        look(&mut window, &format!("keys-{name}"));
    }
}

#[test]
fn a_large_network_is_filtered_beside_the_frames() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.tsv");
    let mut text = "regulator\ttarget\tprobability\n".to_owned();
    for at in 0..24_000_u32 {
        let (regulator, target) = (at % 200, (at / 200 + at * 7) % 397 + 200);
        text.push_str(&format!("G{regulator}\tG{target}\t{}\n", 1.0 - at as f32 / 30_000.0));
    }
    std::fs::write(&path, text).unwrap();
    let mut window = Window::new([1280.0, 800.0]);
    window.open(&path);
    let current = |state: &State| state.shown().is_some_and(|shown| *shown.filter() == state.document.filter);
    window.until("the first filter", current);
    let network = window.state().network().unwrap().clone();
    assert!(network.edges().len() > 20_000, "{}", network.edges().len());
    let first = window.state().document.filter.clone();
    let positions = |window: &Window| window.state().shown().unwrap().positions().to_vec();
    let ranks = |filter: &NetworkFilter| filter.apply(&network).edges().map(|edge| edge.rank - 1).collect::<Vec<_>>();
    assert_eq!(positions(&window), ranks(&first));

    // As while a slider is dragged: what is shown is always all of one filter, in the end of the last.
    for most in [30, 31, 32] {
        let filter = NetworkFilter { per_target: Some(1), ..NetworkFilter::top(most) };
        window.send(Action::SetFilter(Box::new(filter)));
        let shown = window.state().shown().expect("what was shown before stays meanwhile");
        assert_eq!(shown.positions(), ranks(shown.filter()));
    }
    window.until("the last filter", current);
    let last = NetworkFilter { per_target: Some(1), ..NetworkFilter::top(32) };
    assert_eq!((&window.state().document.filter, positions(&window)), (&last, ranks(&last)));
    window.harness.run_steps(4);
    assert!(window.mentions("32 of 24,000 edges between"), "the panel tells it");
    for _ in 0..3 {
        window.send(Action::Undo);
    }
    window.until("the first filter again", current);
    assert_eq!((&window.state().document.filter, positions(&window)), (&first, ranks(&first)));
    // Nothing left is said as of a small network.
    window.send(Action::SetFilter(Box::new(NetworkFilter::probable(1.0).without(Step::Top))));
    window.until("a filter that leaves little", current);
    window.send(Action::SetFilter(Box::new(NetworkFilter { minimum_degree: 20, ..NetworkFilter::top(3) })));
    window.until("a filter that leaves nothing", current);
    window.harness.run_steps(4);
    assert!(window.shows("No edge passes the filters"));
}

#[test]
fn a_measured_gene_beside_the_network_can_be_asked_about() {
    let mut window = open([1200.0, 800.0]);
    let network = network(&window);
    let genes = window.state().runtime.model.as_ref().unwrap().card().genes.clone();
    let beside = genes.into_iter().find(|gene| network.find(gene).is_none()).unwrap();
    window.harness.get_by_label("Find a gene").click();
    window.harness.run_steps(3);
    window.harness.get_by_label("Find a gene").type_text(&beside.to_lowercase());
    window.harness.run_steps(5);
    window.click(&format!("{beside}: predict its knock-out"));
    window.until("the prediction", |state| state.runtime.prediction.effect().is_some());
    assert_eq!(window.state().document.knock_out.keys().collect::<Vec<_>>(), [&beside]);
    let effect = window.state().runtime.prediction.effect().unwrap().clone();
    assert!(effect.lenders.is_some_and(|lenders| lenders.perturbations == 40));
    assert!(window.mentions("never perturbed") && window.mentions("from 40 others"));
    // Nothing is marked as knocked out, and nothing is there to send a wave from.
    assert!(!window.state().can_show_wave());
}
