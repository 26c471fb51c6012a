//! What is known of genes and edges: style by attribute, a reference network, a table of genes, gene sets, network files.

use egui::Role;
use egui_kittest::kittest::Queryable as _;
use grn_explorer::app::attached::Attachment;
use grn_explorer::app::state::{Severity, TableKind};
use grn_explorer::app::{Action, ExportFormat};
use grn_explorer::document::{EdgeAttribute, GeneAttribute, Style};
use grn_explorer::network::formats::{self, NetworkFormat};

use super::Window;

fn sample() -> Window {
    let mut window = Window::new([1440.0, 900.0]);
    window.open(std::path::Path::new("sample_data/sample_model.safetensors"));
    window.until("the layout", |state| !state.document.positions.is_empty());
    window.harness.run_steps(10);
    window
}

/// Press a button of the style that is in a menu where there is no room for it.
fn press(window: &mut Window, label: &str) {
    if !window.shows(label) {
        window.click("More of the style");
    }
    window.click(label);
}

/// Choose `choice` in the list labelled `list`.
fn choose(window: &mut Window, list: &str, choice: &str) {
    window.harness.get_by_role_and_label(Role::ComboBox, list).click();
    window.harness.run_steps(4);
    let found: Vec<_> = window.harness.query_all_by_role_and_label(Role::Button, choice).collect();
    found.last().unwrap_or_else(|| panic!("{choice} in {list}")).scroll_to_me();
    drop(found);
    window.harness.run_steps(12);
    let found: Vec<_> = window.harness.query_all_by_role_and_label(Role::Button, choice).collect();
    found.last().expect("still there").click();
    drop(found);
    window.harness.run_steps(4);
}

#[test]
fn colours_and_sizes_say_what_is_chosen_and_can_be_taken_back() {
    let mut window = sample();
    window.click("Style and reference network");
    choose(&mut window, "Colour of genes", "Community");
    assert_eq!(window.state().document.style.gene_colour, GeneAttribute::Community);
    assert_eq!(window.state().history.undo_label(), Some("Change the style"));
    choose(&mut window, "Size of genes", "Betweenness");
    choose(&mut window, "Colour of edges", "Probability");
    choose(&mut window, "Colour of edges", "Evidence");
    assert_eq!(window.state().document.style.edge_colour, EdgeAttribute::Evidence);
    choose(&mut window, "Colour of edges", "Probability");
    choose(&mut window, "Width of edges", "Nothing");
    let style = window.state().document.style.clone();
    assert_eq!(style.gene_size, GeneAttribute::Betweenness);
    assert_eq!((style.edge_colour, style.edge_width), (EdgeAttribute::Probability, EdgeAttribute::Nothing));
    press(&mut window, "Usual style");
    assert_eq!(window.state().document.style, Style::default());
    window.send(Action::Undo);
    assert_eq!(window.state().document.style, style);
    // Nodes glide to where their new sizes leave them room; statistics come from their own thread, however long it takes.
    let idle = (0..100).any(|_| {
        window.harness.run_steps(30);
        std::thread::sleep(std::time::Duration::from_millis(50));
        window.harness.run_ok().is_some()
    });
    assert!(idle, "an idle window must not repaint for ever");
}

#[test]
fn a_reference_network_is_laid_over_the_models() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = sample();
    let network = window.state().network().unwrap().clone();
    let line = |edge: &grn_explorer::network::Edge| {
        let sign = if edge.sign == grn_explorer::network::Sign::Represses { -1 } else { 1 };
        format!("{},{},{sign}\n", network.symbol(edge.regulator), network.symbol(edge.target))
    };
    let text: String = network.edges().iter().step_by(2).take(60).map(line).collect();
    let path = folder.path().join("known.csv");
    std::fs::write(&path, format!("source,target,weight\n{text}")).unwrap();

    window.click("Style and reference network");
    window.answers.next(&path);
    press(&mut window, "Reference network…");
    window.until("the reference", |state| state.runtime.attached.reference.is_some());
    let reference = window.state().runtime.attached.reference.clone().unwrap();
    assert_eq!((reference.edge_count(), reference.layout()), (60, "CollecTRI table"));
    window.harness.run_steps(30);
    assert!(window.mentions(" known, "), "the overlap is told");
    window.click("Show its other edges");
    assert!(window.state().document.style.show_missing);
    choose(&mut window, "Colour of edges", "Reference");
    assert_eq!(window.state().document.style.edge_colour, EdgeAttribute::Reference);

    // The differences as a table.
    let table = folder.path().join("differences.tsv");
    window.export(&["Comparison with known (table)"], &table);
    let differences = std::fs::read_to_string(&table).unwrap();
    let rows = |side: &str| differences.lines().filter(|line| line.split('\t').nth(2) == Some(side)).count();
    let shown = window.state().document.filter.apply(&network).edge_count();
    assert!(rows("both") > 0 && rows("right") > 0, "{differences}");
    assert_eq!(rows("both") + rows("left"), shown);

    // It is kept in the session, by path and hash.
    let session = folder.path().join("mine.grn.json");
    window.send(Action::SaveSessionTo(session.clone()));
    window.until("saving", |state| state.runtime.session_path.is_some() && !state.runtime.is_busy());
    let mut again = Window::new([1024.0, 640.0]);
    again.open(&session);
    again.until("the reference", |state| state.runtime.attached.reference.is_some());
    let source = again.state().document.sources.reference.clone().unwrap();
    assert_eq!((source.path.file_name(), source.hash.len()), (path.file_name(), 64));
    assert_eq!(again.state().document.style, window.state().document.style);
    assert!(again.state().runtime.messages.iter().all(|message| message.severity == Severity::Done));

    // Another content than then is told; a file that is none of these, too.
    std::fs::write(&path, format!("source,target,weight\n{text}X,Y,1\n")).unwrap();
    let mut later = Window::new([1024.0, 640.0]);
    later.open(&session);
    later.until("the warning", |state| {
        state.runtime.messages.iter().any(|message| message.title.contains("holds something else"))
    });
    std::fs::write(&path, "word\n").unwrap();
    later.send(Action::Attach(Attachment::Reference, path.clone()));
    later.until("the error", |state| {
        state.runtime.messages.iter().any(|message| message.title == "known.csv cannot be read")
    });
    assert_eq!(later.state().document.sources.reference, None);

    window.click("Put the reference network away");
    window.harness.run_steps(4);
    assert!(window.state().runtime.attached.reference.is_none());
    if !window.shows("Reference network…") {
        window.click("More of the style");
    }
    assert!(window.shows("Reference network…"));
}

#[test]
fn an_exported_figure_says_what_it_was_made_from() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = sample();
    let style = Style { edge_colour: EdgeAttribute::Evidence, ..Style::default() };
    window.send(Action::SetStyle(Box::new(style)));
    window.harness.run_steps(6);
    window.click("Export…");
    window.harness.run_steps(6);
    let path = folder.path().join("network.svg");
    window.harness.get_by_label("Path of the file").click();
    window.harness.run_steps(2);
    window.harness.get_by_label("Path of the file").type_text(path.to_str().unwrap());
    window.harness.run_steps(3);
    window.click("Save");
    window.until("the export", |_| path.exists());
    let text = std::fs::read_to_string(&path).unwrap();
    let state = window.state();
    let card = state.runtime.model.as_ref().unwrap().card();
    for part in [
        concat!("GRN explorer ", env!("CARGO_PKG_VERSION")),
        &state.document.sources.model.as_ref().unwrap().hash,
        &card.dataset.hash,
        &format!("\"seed of the training\">{}<", card.settings.seed),
        &format!("\"edges shown\">{}<", state.document.filter.describe()),
        "\"layout\">forces<",
        "colour of edges: evidence",
        ">Sign measured<",
        ">Sign predicted<",
    ] {
        assert!(text.contains(part), "{part} in: {}", &text[..2000]);
    }
}

#[test]
fn a_table_of_genes_gives_colours() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = sample();
    let network = window.state().network().unwrap().clone();
    let rows = network.genes().iter().enumerate();
    let rows: String =
        rows.map(|(at, gene)| format!("{}\t{}\t{}\n", gene.symbol, at % 3, ["tf", "kinase"][at % 2])).collect();
    let path = folder.path().join("genes.tsv");
    std::fs::write(&path, format!("gene\tscore\tfamily\n{rows}")).unwrap();
    window.send(Action::Attach(Attachment::GeneTable, path));
    window.until("the table", |state| state.runtime.attached.gene_table.is_some());
    window.click("Style and reference network");
    choose(&mut window, "Colour of genes", "family");
    assert_eq!(window.state().document.style.gene_colour, GeneAttribute::Column("family".into()));
    choose(&mut window, "Size of genes", "score");
    assert_eq!(window.state().document.style.gene_size, GeneAttribute::Column("score".into()));
}

#[test]
fn the_selection_is_tested_for_gene_sets() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = sample();
    let network = window.state().network().unwrap().clone();
    let symbols: Vec<String> = network.genes().iter().map(|gene| gene.symbol.clone()).collect();
    let path = folder.path().join("sets.gmt");
    std::fs::write(
        &path,
        format!("FIRST\tx\t{}\nLAST\tx\t{}\n", symbols[..8].join("\t"), symbols[symbols.len() - 8..].join("\t")),
    )
    .unwrap();
    window.send(Action::ShowTable(Some(TableKind::GeneSets)));
    window.answers.next(&path);
    window.click("Gene sets…");
    window.until("the sets", |state| state.runtime.attached.gene_sets.is_some());
    assert!(window.mentions("Select genes in the network"));
    window.send(Action::SelectAll(symbols[..4].to_vec()));
    window.harness.run_steps(40);
    assert!(window.shows("gene set FIRST") && window.mentions("4 of "), "the answer is shown");
    window.harness.get_by_label("gene set FIRST").click_secondary();
    window.harness.run_steps(4);
    window.click("Select its genes in the network");
    assert_eq!(window.state().document.selection, {
        let mut genes = symbols[..8].to_vec();
        genes.sort();
        genes
    });
}

#[test]
fn the_network_is_written_for_other_programs() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = sample();
    let format = "Network for other programs (Cytoscape, Gephi, networkx, …)";
    window.export(&[format, NetworkFormat::Gexf.label()], &folder.path().join("net"));
    // With the format's ending.
    let written = folder.path().join("net.gexf");
    let (contents, _) = formats::read(&written, &grn_explorer::jobs::Silent).unwrap();
    let shown = window.state().document.filter.apply(window.state().network().unwrap()).edge_count();
    assert_eq!(contents.edges.len(), shown);
    assert!(contents.nodes.iter().all(|node| node.position.is_some() && node.fill.is_some()));
    for column in ["measured", "perturbed_cells", "out_degree", "betweenness", "community"] {
        assert!(contents.node_column(column).is_some(), "{column}");
    }
    assert_eq!(ExportFormat::Network(NetworkFormat::Cx2).extension(), "cx2");
}
