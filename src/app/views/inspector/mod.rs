//! The selected gene: what the screen says about it, who regulates it, whom it regulates, and the knock-out.

mod movers;
mod why;

use egui::{RichText, ScrollArea, Ui, WidgetInfo};

use self::movers::Movers;
use super::edge;
use super::knock_out::verb;
use super::network::evidence;
use super::notes::note;
use crate::app::widgets::{empty_page, evidence_badges};
use crate::app::{Action, State, theme};
use crate::document::{NoteSubject, Notes};
use crate::network::{Edge, GeneId, Grn, Sign};
use crate::words::grouped;

/// What this view keeps for itself.
#[derive(Default)]
pub struct InspectorView {
    all_regulators: bool,
    all_targets: bool,
    gene: Option<String>,
    movers: Movers,
    /// The note that is being written.
    noting: Option<NoteSubject>,
}

/// Rows shown of a long list before the user asks for all.
const FEW: usize = 8;
/// Width of the column of gene symbols, in points.
const GENE_WIDTH: f32 = 84.0;

/// Draw it into all of `ui`.
pub fn show(view: &mut InspectorView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let (Some(network), Some(focus)) = (state.network(), state.document.focus()) else {
        let text = "Click a gene in the network or in the list, or search for one by name";
        empty_page(ui, "No gene selected", text, &[]);
        return;
    };
    if view.gene.as_deref() != Some(focus) {
        (view.all_regulators, view.all_targets) = (false, false);
        view.noting = None;
        view.gene = Some(focus.to_owned());
    }
    let model = state.runtime.model.as_ref().filter(|_| !state.network_is_live());
    let Some(id) = network.find(focus) else {
        let text = "It is no node of this network: it was neither perturbed nor a strong responder";
        ScrollArea::vertical().id_salt("inspector").auto_shrink(false).show(ui, |ui| {
            ui.label(RichText::new(focus).heading());
            if let Some(evidence) = model.and_then(|_| state.evidence()) {
                evidence_badges(ui, &evidence.of_gene(focus));
            }
            ui.add(egui::Label::new(text).wrap());
            if let Some(model) = model {
                movers::show(&mut view.movers, ui, model, focus, state, actions);
            }
        });
        return;
    };
    ScrollArea::vertical().id_salt("inspector").auto_shrink(false).show(ui, |ui| {
        head(ui, network, id, state, actions);
        note(ui, &mut view.noting, NoteSubject::Gene(focus.to_owned()), state, actions);
        edge::show(&mut view.noting, ui, network, state, actions);
        if let Some(model) = model {
            why::show(ui, network, id, state, actions);
            movers::show(&mut view.movers, ui, model, focus, state, actions);
        }
        let lists = [
            ("Regulators", network.regulators(id), &mut view.all_regulators),
            ("Targets", network.targets(id), &mut view.all_targets),
        ];
        for (title, edges, all) in lists {
            let edges: Vec<&Edge> = edges.into_iter().filter(|edge| edge.regulator != edge.target).collect();
            list(ui, network, Listed { title, gene: id, edges: &edges, notes: &state.document.notes }, all, actions);
        }
        if network.edges().len() >= 200_000 {
            ui.label(RichText::new("Only the best 200,000 edges are kept").small());
        }
    });
}

fn head(ui: &mut Ui, network: &Grn, id: GeneId, state: &State, actions: &mut Vec<Action>) {
    let gene = network.gene(id);
    let document = &state.document;
    ui.label(RichText::new(&gene.symbol).heading());
    evidence_badges(ui, &state.badges(gene));
    ui.add_space(theme::SMALL);
    let can_predict = state.runtime.model.is_some() && !state.network_is_live();
    let why_not = if state.has_no_model() {
        "A knock-out needs the model that learned the network; a network file has none"
    } else {
        "Predictions need a trained model; the network shown is still being learned"
    };
    ui.horizontal_wrapped(|ui| {
        ui.add_enabled_ui(can_predict, |ui| {
            let selected = &document.selection;
            let verb = verb(state);
            let alone = ui.button(verb).on_disabled_hover_text(why_not);
            if alone.on_hover_text(format!("Predict the response as if the screen perturbed {}", gene.symbol)).clicked()
            {
                actions.push(Action::KnockOut(vec![(gene.symbol.clone(), 1.0)]));
            }
            if selected.len() > 1 {
                let names = selected.join(", ");
                let together = ui.button(format!("{verb} all {}", selected.len()));
                if together.on_hover_text(format!("Predict the response to {names} together")).clicked() {
                    actions.push(Action::KnockOut(selected.iter().map(|gene| (gene.clone(), 1.0)).collect()));
                }
            }
            if !document.knock_out.is_empty() && !document.knock_out.contains_key(&gene.symbol) {
                let add = ui.button("Add to knock-out");
                let names: Vec<&str> = document.knock_out.keys().map(String::as_str).collect();
                if add.on_hover_text(format!("Together with {}", names.join(", "))).clicked() {
                    let mut doses: Vec<(String, f32)> = document.knock_out.clone().into_iter().collect();
                    doses.push((gene.symbol.clone(), 1.0));
                    actions.push(Action::KnockOut(doses));
                }
            }
        });
        let around = ui.button("Neighbourhood");
        if around.on_hover_text("Show what is around the selected genes, along the edges shown").clicked() {
            let mut filter = document.filter.clone();
            filter.visit(document.selection.clone());
            actions.push(Action::SetFilter(Box::new(filter)));
        }
        if document.pinned.contains(&gene.symbol) && ui.button("Unpin").clicked() {
            actions.push(Action::PinNode { gene: gene.symbol.clone(), pinned: false });
        }
    });
}

/// Edges into or out of a gene.
struct Listed<'a> {
    title: &'a str,
    gene: GeneId,
    /// Best first, without the gene's own.
    edges: &'a [&'a Edge],
    notes: &'a Notes,
}

/// A click selects the gene at the other end.
fn list(ui: &mut Ui, network: &Grn, listed: Listed<'_>, all: &mut bool, actions: &mut Vec<Action>) {
    let Listed { title, gene, edges, notes } = listed;
    ui.add_space(theme::MEDIUM);
    ui.label(RichText::new(format!("{title} ({})", grouped(edges.len()))).strong());
    if edges.is_empty() {
        ui.label(RichText::new("None among the edges of the model").color(theme::colours(ui).text_weak));
        return;
    }
    let shown = if *all { edges.len().min(500) } else { edges.len().min(FEW) };
    egui::Grid::new(title).num_columns(4).striped(true).spacing([theme::MEDIUM, 3.0]).show(ui, |ui| {
        let hints = [
            ("", ""),
            ("Gene", "Click to select it"),
            ("Rank", "Rank among all edges of the model; 1 is the best"),
            (
                "Prob.",
                "The model's probability of the edge. Probabilities crowd near 0.5 by construction: trust the rank",
            ),
        ];
        for (text, hint) in hints {
            ui.horizontal(|ui| {
                // Both lists have the same columns.
                ui.set_min_width(if text == "Gene" { GENE_WIDTH } else { 0.0 });
                ui.label(RichText::new(text).small().color(theme::colours(ui).text_weak)).on_hover_text(hint);
            });
        }
        ui.end_row();
        for edge in &edges[..shown] {
            let other = network.symbol(if edge.regulator == gene { edge.target } else { edge.regulator });
            sign(ui, edge);
            let link = ui.link(other);
            link.widget_info(|| {
                WidgetInfo::labeled(
                    egui::accesskit::Role::Link,
                    true,
                    format!("{} {other}", title.trim_end_matches('s')),
                )
            });
            let mut text = format!("Sign from {}", evidence(edge));
            let note = notes.on_edge(network.symbol(edge.regulator), network.symbol(edge.target));
            if !note.trim().is_empty() {
                text = format!("{text}\nNote: {note}");
            }
            if link.on_hover_text(text).clicked() {
                actions.push(Action::Select { gene: other.to_owned(), extend: false });
            }
            ui.label(grouped(edge.rank as usize));
            ui.label(format!("{:.3}", edge.probability));
            ui.end_row();
        }
    });
    if edges.len() > FEW {
        let text = if *all { "Show fewer".to_owned() } else { format!("Show all {}", grouped(edges.len())) };
        let button = ui.button(&text);
        button.widget_info(|| {
            WidgetInfo::labeled(egui::accesskit::Role::Button, true, format!("{text} {}", title.to_lowercase()))
        });
        if button.clicked() {
            *all = !*all;
        }
    }
}

/// The sign as a glyph in its colour, its evidence on hover.
fn sign(ui: &mut Ui, edge: &Edge) {
    let figure = super::network::theme(ui.visuals().dark_mode);
    let (ink, word) = match edge.sign {
        Sign::Activates => (figure.activation, "Activates"),
        Sign::Represses => (figure.repression, "Represses"),
        Sign::Unknown => (figure.unknown, "Sign unknown"),
    };
    let (rect, response) = ui.allocate_exact_size(egui::vec2(22.0, 14.0), egui::Sense::hover());
    let ink = crate::app::widgets::scene_painter::colour(ink);
    let stroke = egui::Stroke::new(1.8, ink);
    let (left, right) = (rect.left_center() + egui::vec2(2.0, 0.0), rect.right_center() - egui::vec2(2.0, 0.0));
    let painter = ui.painter();
    match edge.sign {
        Sign::Activates => {
            painter.line_segment([left, right - egui::vec2(5.0, 0.0)], stroke);
            let head = vec![right, right + egui::vec2(-7.0, 4.0), right + egui::vec2(-7.0, -4.0)];
            painter.add(egui::Shape::convex_polygon(head, ink, egui::Stroke::NONE));
        }
        Sign::Represses => {
            painter.line_segment([left, right], stroke);
            painter.line_segment([right - egui::vec2(0.0, 5.0), right + egui::vec2(0.0, 5.0)], stroke);
        }
        Sign::Unknown => _ = painter.line_segment([left, right], stroke),
    }
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Label, true, word));
    response.on_hover_text(format!("{word}; {}", evidence(edge)));
}
