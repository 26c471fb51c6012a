//! The lines above the comparison: with what, how, and what was found.

use egui::{ComboBox, RichText, ScrollArea, Ui, WidgetInfo};

use super::CompareView;
use crate::app::attached::Attachment;
use crate::app::command::Command;
use crate::app::views::network::p_text;
use crate::app::work::file_name;
use crate::app::{Action, State, theme};
use crate::document::{ComparedWith, Comparing, OtherEdges};
use crate::tasks::compare::Compared;
use crate::words::{counted, grouped};

/// Genes listed of those that only one network has.
const LISTED: usize = 200;

const EDGES: [(OtherEdges, &str, &str); 3] = [
    (
        OtherEdges::SameNumber,
        "As many edges",
        "As many of its best edges as are shown of the first, that pass the other filters: fair where the probabilities of \
         the two networks are on different scales",
    ),
    (
        OtherEdges::SameFilter,
        "Same filters",
        "The edges that pass the very same filters, numbers and probabilities too",
    ),
    (
        OtherEdges::BetweenShown,
        "Between the genes shown",
        "All its edges between the genes shown of the first: for references, which rank no edges",
    ),
];

/// Draw them.
pub(super) fn show(
    view: &mut CompareView,
    ui: &mut Ui,
    comparing: Comparing,
    compared: Option<&Compared>,
    names: &[String; 2],
    state: &State,
    actions: &mut Vec<Action>,
) {
    let mut new = comparing;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        ui.spacing_mut().button_padding.x = 8.0;
        for (overlaid, text, hint) in [
            (false, "Side by side", "The two networks beside each other, genes at the same places"),
            (true, "Overlaid", "One over the other; colours tell whose edge it is"),
        ] {
            ui.selectable_value(&mut new.overlaid, overlaid, text).on_hover_text(hint);
        }
        with(ui, comparing, names, state, actions);
        let text = EDGES.iter().find(|entry| entry.0 == new.edges).map_or("", |entry| entry.1);
        let combo = ComboBox::from_id_salt("compared edges").selected_text(text).width(128.0);
        let shown = combo.show_ui(ui, |ui| {
            for (edges, text, hint) in EDGES {
                ui.selectable_value(&mut new.edges, edges, text).on_hover_text(hint);
            }
        });
        let label = "Edges of the other network";
        shown.response.widget_info(|| WidgetInfo::labeled(egui::Role::ComboBox, true, label));
        shown.response.on_hover_text("Which edges of the other network are compared");
        if ui.button("Fit").on_hover_text("Show all of both networks").clicked() {
            actions.push(Action::FitNetwork);
        }
        let mut table = !view.no_table;
        if ui.toggle_value(&mut table, "Table").on_hover_text("The edges of both, and who has them").changed() {
            view.no_table = !table;
        }
        if let Some(compared) = view.compared.clone()
            && ui.button("Export…").on_hover_text("Save this figure or the table of differences").clicked()
            && let Some(what) = view.exportable(&compared, state)
        {
            view.export.open(what);
        }
        let end = ui.button("×");
        end.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, Command::EndComparison.label()));
        if end.on_hover_text(Command::EndComparison.label()).clicked() {
            actions.push(Action::SetComparing(None));
        }
        if view.job.is_some() {
            ui.spinner();
        }
    });
    if new != comparing {
        actions.push(Action::SetComparing(Some(new)));
    }
    if let Some(compared) = compared {
        found(ui, compared, names, actions);
    }
}

/// The other network: what there is to choose from.
fn with(ui: &mut Ui, comparing: Comparing, names: &[String; 2], state: &State, actions: &mut Vec<Action>) {
    let chosen = match comparing.with {
        ComparedWith::Before => "Before the training".to_owned(),
        ComparedWith::File | ComparedWith::Reference => names[1].clone(),
    };
    let combo = ComboBox::from_id_salt("compared with").selected_text(&chosen).width(140.0).truncate();
    let shown = combo.show_ui(ui, |ui| {
        let mut choice = |ui: &mut Ui, with: ComparedWith, text: String, hint: &str| {
            if ui.selectable_label(comparing.with == with, text).on_hover_text(hint).clicked() && comparing.with != with
            {
                actions.push(Action::Compare(Comparing { overlaid: comparing.overlaid, ..Comparing::with(with) }));
            }
        };
        let sources = &state.document.sources;
        if let Some(file) = &sources.compared {
            choice(ui, ComparedWith::File, file_name(&file.path), "The model or network file chosen before");
        }
        if let Some(file) = &sources.reference {
            choice(ui, ComparedWith::Reference, file_name(&file.path), "The reference network");
        }
        if state.runtime.attached.before.is_some() {
            choice(ui, ComparedWith::Before, "Before the training".to_owned(), "What the last training run replaced");
        }
        ui.separator();
        if ui.button("Another network…").on_hover_text(Attachment::Compared.expected()).clicked() {
            actions.push(Action::AskAttach(Attachment::Compared));
        }
    });
    shown.response.widget_info(|| WidgetInfo::labeled(egui::Role::ComboBox, true, "Compared with"));
    shown.response.on_hover_text(format!("Compared with {chosen}"));
}

/// What both have and what only one has, in numbers.
fn found(ui: &mut Ui, compared: &Compared, names: &[String; 2], actions: &mut Vec<Action>) {
    let (chance, [both, only_left, only_right]) = (&compared.chance, compared.counts);
    let weak = theme::colours(ui).text_weak;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = theme::MEDIUM;
        let [left, right] = names;
        let hint = format!("Of {right}: {}", compared.chosen);
        whole(ui, RichText::new(format!("{} in both", grouped(both))).strong(), &hint);
        whole(ui, format!("{} only in {left}", grouped(only_left)), &hint);
        whole(ui, format!("{} only in {right}", grouped(only_right)), &hint);
        if let Some(shared) = compared.shared() {
            let hint = "Edges in both as a share of the edges in either; 1 where the networks are the same";
            whole(ui, format!("Jaccard {shared:.2}"), hint);
        }
        let signed = compared.same_sign + compared.opposite_sign;
        if signed > 0 {
            let text = format!("{} of {} signs agree", grouped(compared.same_sign), grouped(signed));
            whole(ui, text, "Of the edges in both that have a sign in both");
        }
        if chance.pairs > 0 {
            let text = format!("{:.1} by chance, p = {}", chance.expected, p_text(chance.p_value));
            let hint = format!(
                "{} of the first and {} of the second network lie among the {} pairs of a regulator and a target that occur as \
                 such in both; {} are the same. Chance draws as many pairs (hypergeometric)",
                counted(chance.left as usize, "edge"),
                grouped(chance.right as usize),
                grouped(chance.pairs as usize),
                grouped(chance.common as usize),
            );
            whole(ui, text, &hint);
        }
        let only: usize = compared.only.iter().map(Vec::len).sum();
        if only > 0 {
            let text = format!("{} in one only", counted(only, "gene"));
            ui.menu_button(text, |ui| genes(ui, compared, names, actions))
                .response
                .on_hover_text(format!("Both whole networks have {}", counted(compared.genes_in_both, "gene")));
        }
        for note in &compared.notes {
            ui.label(RichText::new(note).small().color(weak));
        }
    });
}

/// A label that goes into the next line rather than break.
fn whole(ui: &mut Ui, text: impl Into<egui::WidgetText>, hint: &str) {
    ui.add(egui::Label::new(text).extend()).on_hover_text(hint);
}

/// The genes that only one of the networks has; a click selects.
fn genes(ui: &mut Ui, compared: &Compared, names: &[String; 2], actions: &mut Vec<Action>) {
    ui.set_max_width(280.0);
    ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
        for (genes, name) in compared.only.iter().zip(names).filter(|(genes, _)| !genes.is_empty()) {
            ui.label(RichText::new(format!("Only in {name} ({})", grouped(genes.len()))).strong());
            ui.horizontal_wrapped(|ui| {
                for gene in genes.iter().take(LISTED) {
                    if ui.link(gene).clicked() {
                        actions.push(Action::Select { gene: gene.clone(), extend: false });
                    }
                }
                if genes.len() > LISTED {
                    ui.label(format!("and {} more", grouped(genes.len() - LISTED)));
                }
            });
            ui.add_space(theme::SMALL);
        }
    });
}
