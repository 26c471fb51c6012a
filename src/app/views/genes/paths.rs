//! Between genes: the paths that lead from one to another, and what the selected have in common.

use std::fmt::Write as _;
use std::sync::Arc;

use egui::{RichText, ScrollArea, Slider, Ui, WidgetInfo};

use crate::app::findings::{FoundPaths, PathFinding};
use crate::app::views::edge;
use crate::app::views::network::Shown;
use crate::app::views::tables::save;
use crate::app::{Action, State, theme};
use crate::document::{NetworkFilter, NoteSubject, PathQuery};
use crate::network::paths::{MOST_PATHS, Path, Shared, Walk, common_regulators, common_targets};
use crate::network::{GeneId, Grn, Sign};
use crate::words::{counted, grouped, listed};

/// Rows of what is common before the user asks for all.
const FEW: usize = 12;
const MANY: usize = 500;

/// What this page keeps for itself.
#[derive(Default)]
pub(super) struct PathsPage {
    common: Option<Common>,
    all: [bool; 2],
    /// The note that is being written.
    noting: Option<NoteSubject>,
}

/// What the selected genes have in common, and what it was made for.
struct Common {
    network: Arc<Grn>,
    filter: NetworkFilter,
    selection: Vec<String>,
    regulators: Vec<Shared>,
    targets: Vec<Shared>,
}

impl Common {
    fn of(shown: &Shown, filter: &NetworkFilter, selection: &[String]) -> Self {
        let network = shown.network();
        let genes: Vec<GeneId> = selection.iter().filter_map(|gene| network.find(gene)).collect();
        let view = filter.apply(network);
        Self {
            network: network.clone(),
            filter: filter.clone(),
            selection: selection.to_vec(),
            regulators: common_regulators(&view, &genes),
            targets: common_targets(&view, &genes),
        }
    }
}

impl PathsPage {
    /// Draw it into the rest of `ui`.
    pub(super) fn show(&mut self, ui: &mut Ui, shown: &Shown, state: &State, actions: &mut Vec<Action>) {
        ScrollArea::vertical().id_salt("paths").auto_shrink(false).show(ui, |ui| {
            edge::show(&mut self.noting, ui, shown.network(), state, actions);
            ui.add_space(theme::SMALL);
            match &state.document.paths {
                Some(query) => paths(ui, shown.network(), query, state, actions),
                None => offer(ui, state, actions),
            }
            if state.document.selection.len() > 1 {
                self.common(ui, shown, state, actions);
            }
        });
    }

    fn common(&mut self, ui: &mut Ui, shown: &Shown, state: &State, actions: &mut Vec<Action>) {
        let (filter, selection) = (&state.document.filter, &state.document.selection);
        let same = |common: &Common| {
            Arc::ptr_eq(&common.network, shown.network()) && common.selection == *selection && common.filter == *filter
        };
        let common = match self.common.take().filter(same) {
            Some(common) => common,
            None => Common::of(shown, filter, selection),
        };
        let common = self.common.insert(common);
        ui.add_space(theme::MEDIUM);
        let text = format!("Common to {}", listed(selection, 4));
        ui.label(RichText::new(text).strong()).on_hover_text("Along the edges shown; at least two of the genes");
        let lists = [
            ("Common regulators", &common.regulators, "None of the edges shown leads from one gene to two of them"),
            ("Common targets", &common.targets, "None of the edges shown leads from two of them to one gene"),
        ];
        for ((title, genes, none), all) in lists.into_iter().zip(&mut self.all) {
            shared(ui, shown.network(), title, genes, none, selection.len(), all, actions);
        }
    }
}

/// Before anything was asked.
fn offer(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if let [from, .., to] = state.document.selection.as_slice() {
        let button = ui.button(format!("Find paths from {from} to {to}"));
        let hint = "The first gene selected and the last; the most probable paths along the edges shown";
        if button.on_hover_text(hint).clicked() {
            actions.push(Action::SetPaths(Some(PathQuery::new(from, to))));
        }
    }
}

/// The question and its answer.
fn paths(ui: &mut Ui, network: &Arc<Grn>, query: &PathQuery, state: &State, actions: &mut Vec<Action>) {
    let mut asked = Some(query.clone());
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(format!("Paths from {} to {}", query.from, query.to)).strong());
        let swap = ui.small_button("Swap");
        if swap.on_hover_text(format!("From {} to {}", query.to, query.from)).clicked() {
            let (from, to) = (query.to.clone(), query.from.clone());
            asked = Some(PathQuery { from, to, chosen: None, ..query.clone() });
        }
        let end = ui.small_button("×");
        end.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, "End the paths"));
        if end.on_hover_text("Point out no paths").clicked() {
            asked = None;
        }
    });
    if let Some(asked) = &mut asked {
        settings(ui, asked);
    }
    let finding = &state.runtime.paths;
    match finding {
        PathFinding::Failed(reason) => {
            ui.label(RichText::new(reason).color(theme::colours(ui).bad));
        }
        PathFinding::Running { .. } => {
            ui.spinner();
        }
        PathFinding::None | PathFinding::Ready(_) => {}
    }
    let found = finding.found().filter(|found| Arc::ptr_eq(&found.network, network));
    if let (Some(found), Some(asked)) = (found, &mut asked) {
        list(ui, found, asked, actions);
    }
    if asked.as_ref() != Some(query) {
        // Another question has other answers: none of them is chosen yet.
        let same = |asked: &PathQuery| asked.asks_the_same(query);
        let asked = asked.map(|asked| if same(&asked) { asked } else { PathQuery { chosen: None, ..asked } });
        actions.push(Action::SetPaths(asked));
    }
}

fn settings(ui: &mut Ui, asked: &mut PathQuery) {
    ui.horizontal_wrapped(|ui| {
        for (walk, text, hint) in [
            (Walk::Along, "Along edges", "From regulators to targets"),
            (Walk::Either, "Either way", "Along edges and against them"),
        ] {
            ui.selectable_value(&mut asked.walk, walk, text).on_hover_text(hint);
        }
        let hint = "Also over edges that do not pass the filters; those of the paths are shown with the others";
        ui.checkbox(&mut asked.all_edges, "All edges").on_hover_text(hint);
    });
    ui.spacing_mut().slider_width = (ui.available_width() - 76.0).clamp(60.0, 260.0);
    let slider = ui.add(Slider::new(&mut asked.count, 1..=MOST_PATHS).integer());
    slider.widget_info(|| WidgetInfo::slider(true, asked.count as f64, "Number of paths"));
    slider.on_hover_text("How many paths to look for");
}

/// The paths, the most probable first; a click points one out.
fn list(ui: &mut Ui, found: &Arc<FoundPaths>, asked: &mut PathQuery, actions: &mut Vec<Action>) {
    let network = &found.network;
    if found.paths.is_empty() {
        let text = if asked.all_edges {
            "No path leads there, whichever edges are taken"
        } else {
            "No path leads there along the edges shown: show more edges, search all, or go either way"
        };
        ui.label(text);
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let text = format!("{}, the most probable first", counted(found.paths.len(), "path"));
        ui.label(RichText::new(text).small().color(theme::colours(ui).text_weak));
        if ui.small_button("Save…").on_hover_text("Save these paths as a table (TSV)").clicked() {
            let found = found.clone();
            let name = format!("paths-{}-{}", asked.from, asked.to);
            actions.push(save(&name, move || table(&found)));
        }
        let all = asked.chosen.is_some() && ui.small_button("Point out all").clicked();
        if all {
            asked.chosen = None;
        }
    });
    for (at, path) in found.paths.iter().enumerate() {
        let chosen = asked.chosen == Some(at);
        let words = words(network, path);
        let facts = format!("{} · p {}", sign_word(path.sign(network)), probability(path.probability(network)));
        let mut text = egui::text::LayoutJob::default();
        let style = ui.style();
        let colours = theme::colours(ui);
        let format = |style: egui::TextStyle, colour| egui::TextFormat::simple(style.resolve(ui.style()), colour);
        text.append(&format!("{}  {words}\n", at + 1), 0.0, format(egui::TextStyle::Body, style.visuals.text_color()));
        text.append(&facts, 0.0, format(egui::TextStyle::Small, colours.text_weak));
        let row = ui.add(egui::Button::selectable(chosen, text).wrap().min_size(egui::vec2(ui.available_width(), 0.0)));
        row.widget_info(|| WidgetInfo::selected(egui::Role::Row, true, chosen, format!("path {words} ({facts})")));
        let hint = "Product of the probabilities of its edges, and of their signs. Click to point it out alone";
        if row.on_hover_text(hint).clicked() {
            asked.chosen = (!chosen).then_some(at);
        }
    }
}

/// `STAT1 → IRF1 —| JAK2` (letters that every font has); an edge that is walked against its direction points back.
fn words(network: &Grn, path: &Path) -> String {
    let mut text = String::new();
    for (gene, step) in path.genes().iter().zip(path.steps()) {
        let sign = network.edges()[step.edge as usize].sign;
        let arrow = match (sign, step.forward) {
            (Sign::Activates, true) => "→",
            (Sign::Activates, false) => "←",
            (Sign::Represses, true) => "—|",
            (Sign::Represses, false) => "|—",
            (Sign::Unknown, true) => "–›",
            (Sign::Unknown, false) => "‹–",
        };
        let _ = write!(text, "{} {arrow} ", network.symbol(*gene));
    }
    if let Some(last) = path.genes().last() {
        text.push_str(network.symbol(*last));
    }
    text
}

fn sign_word(sign: Sign) -> &'static str {
    match sign {
        Sign::Activates => "activates",
        Sign::Represses => "represses",
        Sign::Unknown => "sign unknown",
    }
}

/// `0.263`, `1.2e-5`.
fn probability(value: f64) -> String {
    if value >= 0.001 || value == 0.0 { format!("{value:.3}") } else { format!("{value:.1e}") }
}

/// The paths as tab-separated text: place, genes, number of edges, product of probabilities, sign, and each edge with its
/// probability.
fn table(found: &FoundPaths) -> String {
    let network = &found.network;
    let mut text = String::from("path\tgenes\tedges\tprobability\tsign\tedge_probabilities\n");
    for (at, path) in found.paths.iter().enumerate() {
        let genes: Vec<&str> = path.genes().iter().map(|gene| network.symbol(*gene)).collect();
        let edges = path.steps().iter().map(|step| network.edges()[step.edge as usize].probability.to_string());
        let sign = path.sign(network).symbol();
        let _ = writeln!(
            text,
            "{}\t{}\t{}\t{}\t{sign}\t{}",
            at + 1,
            genes.join(","),
            path.steps().len(),
            path.probability(network),
            edges.collect::<Vec<_>>().join(",")
        );
    }
    text
}

/// One list of what is common.
#[expect(clippy::too_many_arguments, reason = "one list drawn twice")]
fn shared(
    ui: &mut Ui,
    network: &Grn,
    title: &str,
    genes: &[Shared],
    none: &str,
    of: usize,
    all: &mut bool,
    actions: &mut Vec<Action>,
) {
    ui.add_space(theme::SMALL);
    ui.horizontal_wrapped(|ui| {
        ui.label(format!("{title} ({})", grouped(genes.len())));
        if !genes.is_empty() {
            let select = ui.small_button("Select");
            select.widget_info(|| {
                WidgetInfo::labeled(egui::Role::Button, true, format!("Select the {}", title.to_lowercase()))
            });
            if select.on_hover_text("Select these genes instead").clicked() {
                let symbols = genes.iter().map(|shared| network.symbol(shared.gene).to_owned());
                actions.push(Action::SelectAll(symbols.collect()));
            }
        }
    });
    if genes.is_empty() {
        ui.label(RichText::new(none).small().color(theme::colours(ui).text_weak));
        return;
    }
    let count = if *all { MANY } else { FEW };
    for shared in genes.iter().take(count) {
        ui.horizontal(|ui| {
            let symbol = network.symbol(shared.gene);
            let link = ui.link(symbol);
            link.widget_info(|| WidgetInfo::labeled(egui::Role::Link, true, format!("{title}: {symbol}")));
            if link.clicked() {
                actions.push(Action::Select { gene: symbol.to_owned(), extend: true });
            }
            link.on_hover_text("Add it to the selection");
            let text = format!("{} of {of}", shared.edges.len());
            ui.label(RichText::new(text).small().color(theme::colours(ui).text_weak));
        });
    }
    if genes.len() > FEW {
        let text = if *all { "Show fewer".to_owned() } else { format!("Show all {}", grouped(genes.len())) };
        if ui.button(text).clicked() {
            *all = !*all;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;
    use crate::network::fixtures::{genes, signed};
    use crate::network::paths::k_shortest;

    #[test]
    fn paths_are_told_in_words_and_as_a_table() {
        let edges = [
            (0, 1, 0.5, Sign::Represses),
            (2, 1, 0.5, Sign::Represses),
            (3, 2, 0.25, Sign::Activates),
            (0, 3, 0.25, Sign::Unknown),
        ];
        let network = Arc::new(signed(genes(["A", "B", "C", "D"]), &edges));
        let query = PathQuery { walk: Walk::Either, ..PathQuery::new("A", "C") };
        let view = NetworkFilter::default().apply(&network);
        let paths = k_shortest(&view, GeneId(0), GeneId(2), 5, query.walk, &Silent).unwrap();
        let told: Vec<String> = paths.iter().map(|path| words(&network, path)).collect();
        assert_eq!(told, ["A —| B |— C", "A –› D → C"]);
        let found = FoundPaths { network: network.clone(), query, paths };
        assert_eq!(
            table(&found),
            "path\tgenes\tedges\tprobability\tsign\tedge_probabilities\n\
             1\tA,B,C\t2\t0.25\t+\t0.5,0.5\n2\tA,D,C\t2\t0.0625\t?\t0.25,0.25\n"
        );
        assert_eq!([0.2634, 1.234e-5, 0.0].map(probability), ["0.263", "1.2e-5", "0.000"]);
        let finding = PathFinding::Ready(Arc::new(found.clone()));
        assert_eq!(finding.edges(&network, Some(&found.query)), [0, 1, 2, 3]);
        assert_eq!(finding.edges(&network, Some(&PathQuery { chosen: Some(1), ..found.query.clone() })), [2, 3]);
        assert!(finding.edges(&network, None).is_empty());
    }
}
